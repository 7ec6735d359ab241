//! `{app="api"} | logfmt | unwrap took [5m] offset 1h` and the other orders in which upstream
//! takes these parts.

use super::{Kind, ParseError, Parser, stages::Ended, stages::MANY};
use crate::ast::{LogExpr, LogRange, Unwrap, UnwrapConversion};

/// Lines with a window, or still without one.
enum Body {
    Complete(LogRange),
    /// A selector in parentheses whose window stands behind them.
    Open {
        log: LogExpr,
        unwrap: Option<Unwrap>,
    },
}

impl Parser<'_> {
    /// Lines with their window. `first` says that a number could stand in its place.
    pub(super) fn log_range(&mut self, first: bool) -> Result<LogRange, ParseError> {
        let starts: &[Kind] = if first {
            &[Kind::Number, Kind::OpenBrace, Kind::OpenParen]
        } else {
            &[Kind::OpenBrace, Kind::OpenParen]
        };
        match self.range_body(starts, false)? {
            Body::Complete(range) => Ok(range),
            // Only inside of parentheses a body is left open.
            Body::Open { .. } => Err(self.unexpected(&[Kind::Range])),
        }
    }

    fn range_body(&mut self, starts: &[Kind], in_parens: bool) -> Result<Body, ParseError> {
        match self.peek() {
            Kind::OpenBrace => self.open_range(in_parens),
            Kind::OpenParen => {
                self.take();
                let inner = self.deeper(|parser| {
                    parser.range_body(&[Kind::OpenBrace, Kind::OpenParen], true)
                })?;
                self.expect(Kind::CloseParen)?;
                let (log, mut unwrap) = match inner {
                    Body::Complete(range) => return Ok(Body::Complete(range)),
                    Body::Open { log, unwrap } => (log, unwrap),
                };
                let range = self.expect(Kind::Range)?.nanos();
                let offset = self.offset()?;
                if log.stages.is_empty() && unwrap.is_none() && self.accept(Kind::Pipe) {
                    self.expect(Kind::Unwrap)?;
                    unwrap = Some(self.unwrap()?);
                }
                Ok(Body::Complete(LogRange { log, unwrap, range, offset }))
            }
            _ => Err(self.unexpected(starts)),
        }
    }

    fn open_range(&mut self, in_parens: bool) -> Result<Body, ParseError> {
        let matchers = self.selector()?;
        let mut log = LogExpr { matchers, stages: Vec::new() };
        let mut unwrap = self.pipeline(&mut log)?;
        let bare = log.stages.is_empty() && unwrap.is_none();
        if self.peek() == Kind::Range {
            let range = self.take().value.nanos();
            let offset = self.offset()?;
            if bare {
                unwrap = self.pipeline(&mut log)?;
            }
            return Ok(Body::Complete(LogRange { log, unwrap, range, offset }));
        }
        if in_parens && self.peek() == Kind::CloseParen {
            return Ok(Body::Open { log, unwrap });
        }
        let expected: &[Kind] = match (&unwrap, in_parens) {
            (None, _) => MANY,
            (Some(_), false) => &[Kind::Range, Kind::Pipe],
            (Some(_), true) => &[Kind::Range, Kind::CloseParen, Kind::Pipe],
        };
        Err(self.unexpected(expected))
    }

    /// Stages and what is unwrapped at their end.
    fn pipeline(&mut self, log: &mut LogExpr) -> Result<Option<Unwrap>, ParseError> {
        Ok(match self.stages(true, &mut log.stages)? {
            Ended::Here => None,
            Ended::Unwrap => Some(self.unwrap()?),
        })
    }

    /// What stands behind `| unwrap`.
    fn unwrap(&mut self) -> Result<Unwrap, ParseError> {
        let (label, conversion) = match self.peek() {
            Kind::Conversion(conversion) => {
                self.take();
                self.expect(Kind::OpenParen)?;
                let label = self.name()?;
                self.expect(Kind::CloseParen)?;
                (label, conversion)
            }
            _ => {
                let label = self.name_or(&[
                    Kind::Identifier,
                    Kind::Conversion(UnwrapConversion::Bytes),
                    Kind::Conversion(UnwrapConversion::Duration),
                    Kind::Conversion(UnwrapConversion::DurationSeconds),
                ])?;
                (label, UnwrapConversion::Number)
            }
        };
        let mut filters = Vec::new();
        while self.accept(Kind::Pipe) {
            filters.push(self.label_filter()?);
        }
        Ok(Unwrap { label, conversion, filters })
    }

    fn offset(&mut self) -> Result<i64, ParseError> {
        if self.accept(Kind::Offset) { Ok(self.expect(Kind::Duration)?.nanos()) } else { Ok(0) }
    }
}
