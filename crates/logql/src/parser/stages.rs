//! Pipelines: what stands between a selector and its end.

use super::{
    Kind, ParseError, Parser,
    selector::{match_op, matcher},
};
use crate::ast::{
    BinaryOp, Extraction, LabelFormatExpr, LabelValueFormat, LineFilterExpr, LineOp, LineValue,
    NamedMatcher, StageExpr,
};

/// What ended a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// A token that is no stage.
    Here,
    /// `| unwrap`, both taken.
    Unwrap,
}

impl Parser<'_> {
    /// Stages as long as there are any. `| unwrap` is one only where `unwrap` says so.
    pub(super) fn stages(
        &mut self,
        unwrap: bool,
        stages: &mut Vec<StageExpr>,
    ) -> Result<Ended, ParseError> {
        loop {
            let kind = self.peek();
            if let Some(op) = kind.line_op() {
                self.take();
                self.line_filter(op, stages)?;
            } else if kind == Kind::Pipe {
                self.take();
                if unwrap && self.accept(Kind::Unwrap) {
                    return Ok(Ended::Unwrap);
                }
                stages.push(self.stage()?);
            } else {
                return Ok(Ended::Here);
            }
        }
    }

    /// A stage behind its bar.
    fn stage(&mut self) -> Result<StageExpr, ParseError> {
        Ok(match self.peek() {
            Kind::Json => {
                self.take();
                StageExpr::Json(self.extractions()?)
            }
            Kind::Logfmt => self.logfmt()?,
            Kind::Regexp => {
                self.take();
                StageExpr::Regexp(self.string()?)
            }
            Kind::Pattern => {
                self.take();
                StageExpr::Pattern(self.string()?)
            }
            Kind::Unpack => {
                self.take();
                StageExpr::Unpack
            }
            Kind::Decolorize => {
                self.take();
                StageExpr::Decolorize
            }
            Kind::LineFormat => {
                self.take();
                StageExpr::LineFormat(self.string()?)
            }
            Kind::LabelFormat => {
                self.take();
                self.label_format()?
            }
            Kind::Keep => {
                self.take();
                StageExpr::Keep(self.named_matchers()?)
            }
            Kind::Drop => {
                self.take();
                StageExpr::Drop(self.named_matchers()?)
            }
            Kind::Identifier | Kind::OpenParen => StageExpr::LabelFilter(self.label_filter()?),
            _ => return Err(self.unexpected(MANY)),
        })
    }

    /// What is searched for behind the operator. Negated filters of several values become several
    /// filters, because a line must pass each.
    fn line_filter(&mut self, op: LineOp, stages: &mut Vec<StageExpr>) -> Result<(), ParseError> {
        let mut any = Vec::new();
        loop {
            let ip = match self.peek() {
                Kind::Text => false,
                Kind::Ip => {
                    self.take();
                    self.expect(Kind::OpenParen)?;
                    true
                }
                _ => return Err(self.unexpected(&[Kind::Text, Kind::Ip])),
            };
            let text = self.expect(Kind::Text)?.into_text().into();
            if ip {
                self.expect(Kind::CloseParen)?;
            }
            any.push(LineValue { ip, text });
            if !self.accept(Kind::Operator(BinaryOp::Or)) {
                break;
            }
        }
        if op.is_negated() {
            let one = |value| StageExpr::LineFilter(LineFilterExpr { op, any: vec![value] });
            stages.extend(any.into_iter().map(one));
        } else {
            stages.push(StageExpr::LineFilter(LineFilterExpr { op, any }));
        }
        Ok(())
    }

    fn logfmt(&mut self) -> Result<StageExpr, ParseError> {
        self.take();
        let (mut strict, mut keep_empty) = (false, false);
        while self.peek() == Kind::Flag {
            match self.take().value.into_word().as_str() {
                "--strict" => strict = true,
                _ => keep_empty = true,
            }
        }
        Ok(StageExpr::Logfmt { strict, keep_empty, extractions: self.extractions()? })
    }

    /// `a, b="c"`, or nothing.
    fn extractions(&mut self) -> Result<Vec<Extraction>, ParseError> {
        let mut extractions = Vec::new();
        if self.peek() != Kind::Identifier {
            return Ok(extractions);
        }
        loop {
            let name = self.name()?;
            let expression = if self.accept(Kind::Equal) { self.string()? } else { name.clone() };
            extractions.push(Extraction { name, expression });
            if !self.accept(Kind::Comma) {
                return Ok(extractions);
            }
        }
    }

    fn label_format(&mut self) -> Result<StageExpr, ParseError> {
        let mut formats = Vec::new();
        loop {
            let name = self.name()?;
            self.expect(Kind::Equal)?;
            let value = if self.peek() == Kind::Identifier {
                LabelValueFormat::Rename(self.name()?)
            } else {
                let template = self.expect_one_of(Kind::Text, &[Kind::Identifier, Kind::Text])?;
                LabelValueFormat::Template(template.into_string())
            };
            formats.push(LabelFormatExpr { name, value });
            if !self.accept(Kind::Comma) {
                return Ok(StageExpr::LabelFormat(formats));
            }
        }
    }

    fn named_matchers(&mut self) -> Result<Vec<NamedMatcher>, ParseError> {
        let mut matchers = Vec::new();
        loop {
            let name = self.name()?;
            matchers.push(match match_op(self.peek()) {
                Some(op) => {
                    self.take();
                    NamedMatcher::Matcher(matcher(op, &name, &self.string()?)?)
                }
                None => NamedMatcher::Name(name),
            });
            if !self.accept(Kind::Comma) {
                return Ok(matchers);
            }
        }
    }
}

/// More tokens than a message lists.
pub(super) const MANY: &[Kind] = &[Kind::End; 5];
