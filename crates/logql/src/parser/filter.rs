//! Conditions on labels: `status >= 500 and method = "GET"`.
//!
//! Upstream's grammar is ambiguous and its resolution is kept: `and` binds tighter than `or`; a
//! comma or nothing between two conditions takes everything to its right.

use masthead_model::{ByteSize, MatchOp};

use super::{
    Kind, Node, ParseError, Parser, Value,
    selector::{match_op, matcher},
    stages::MANY,
};
use crate::{
    ast::{BinaryOp, Comparison, Expr, LabelFilterExpr, MetricExpr},
    printer::humanized,
};

/// What starts a condition.
const STARTS: [Kind; 2] = [Kind::Identifier, Kind::OpenParen];

impl Parser<'_> {
    /// A condition.
    pub(super) fn label_filter(&mut self) -> Result<LabelFilterExpr, ParseError> {
        self.label_filter_above(0)
    }

    fn label_filter_above(&mut self, precedence: u8) -> Result<LabelFilterExpr, ParseError> {
        self.deeper(|parser| {
            let mut left = parser.label_filter_term()?;
            let depth = parser.depth;
            loop {
                left = match parser.peek() {
                    Kind::Operator(BinaryOp::Or) if precedence < 1 => {
                        parser.take();
                        let right = parser.label_filter_above(1)?;
                        LabelFilterExpr::Or(Box::new(left), Box::new(right))
                    }
                    Kind::Operator(BinaryOp::And) if precedence < 2 => {
                        parser.take();
                        let right = parser.label_filter_above(2)?;
                        LabelFilterExpr::And(Box::new(left), Box::new(right))
                    }
                    kind @ (Kind::Comma | Kind::Identifier | Kind::OpenParen) => {
                        if kind == Kind::Comma {
                            parser.take();
                        }
                        let right = parser.label_filter_above(0)?;
                        LabelFilterExpr::And(Box::new(left), Box::new(right))
                    }
                    _ => break,
                };
                // A chain to the left is as deep as it is long.
                parser.depth += 1;
                if parser.depth > crate::DEPTH_MAX {
                    return Err(super::node::too_deep());
                }
            }
            parser.depth = depth;
            Ok(left)
        })
    }

    fn label_filter_term(&mut self) -> Result<LabelFilterExpr, ParseError> {
        if self.accept(Kind::OpenParen) {
            let filter = self.label_filter_above(0)?;
            self.expect_one_of(Kind::CloseParen, MANY)?;
            return Ok(filter);
        }
        let name = self.name_or(&STARTS)?;
        let written = self.peek();
        let comparison = match written {
            Kind::Equal | Kind::Operator(BinaryOp::Equal) => Comparison::Equal,
            Kind::NotEqual => Comparison::NotEqual,
            Kind::Operator(BinaryOp::Greater) => Comparison::Greater,
            Kind::Operator(BinaryOp::GreaterOrEqual) => Comparison::GreaterOrEqual,
            Kind::Operator(BinaryOp::Less) => Comparison::Less,
            Kind::Operator(BinaryOp::LessOrEqual) => Comparison::LessOrEqual,
            Kind::Matches | Kind::NotMatches => {
                self.take();
                let op = match_op(written).unwrap_or(MatchOp::Matches);
                let value = self.string()?;
                return Ok(LabelFilterExpr::Text(matcher(op, &name, &value)?));
            }
            _ => return Err(self.unexpected(MANY)),
        };
        self.take();
        let text_op = match_op(written);
        Ok(match (self.peek(), text_op) {
            (Kind::Text, Some(op)) => {
                let value = self.string()?;
                LabelFilterExpr::Text(matcher(op, &name, &value)?)
            }
            (Kind::Ip, Some(op)) => {
                self.take();
                self.expect(Kind::OpenParen)?;
                let addresses = self.string()?;
                self.expect(Kind::CloseParen)?;
                LabelFilterExpr::Ip { name, negated: op == MatchOp::NotEqual, addresses }
            }
            (Kind::Duration, _) => {
                let nanos = self.take().value.nanos();
                LabelFilterExpr::Duration { name, comparison, nanos }
            }
            (Kind::Bytes, _) => {
                let bytes = if let Value::Bytes(bytes) = self.take().value { bytes } else { 0 };
                // Loki's frontend hands queries on as text, in which sizes are rounded.
                let bytes = ByteSize::parse_decimal(&humanized(bytes)).map_or(bytes, |size| size.0);
                LabelFilterExpr::Size { name, comparison, bytes }
            }
            _ => LabelFilterExpr::Number { name, comparison, value: self.filter_number()? },
        })
    }

    /// A number, of which the meaning is judged at once.
    fn filter_number(&mut self) -> Result<f64, ParseError> {
        let Some(literal) = self.literal()? else { return Err(self.unexpected(MANY)) };
        match literal.finish() {
            Ok(Expr::Metric(MetricExpr::Literal(value))) => Ok(value),
            Ok(Expr::Metric(_) | Expr::Log(_)) => Ok(f64::NAN),
            // A token that is wrong in itself was wrong first.
            Err(error) => Err(self.lexer.error().cloned().unwrap_or(error)),
        }
    }

    /// `5`, `+5` or `-5`, if one is next.
    pub(super) fn literal(&mut self) -> Result<Option<Node>, ParseError> {
        let negative = match self.peek() {
            Kind::Number => false,
            Kind::Operator(op @ (BinaryOp::Add | BinaryOp::Sub)) => {
                self.take();
                op == BinaryOp::Sub
            }
            _ => return Ok(None),
        };
        let written = self.expect(Kind::Number)?.into_word();
        Ok(Some(Node::literal(&written, negative)))
    }
}
