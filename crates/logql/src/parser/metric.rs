//! Expressions that make numbers, and the operators between them.

use super::{Kind, Node, ParseError, Parser, stages::MANY};
use crate::ast::{Cardinality, Grouping, LogExpr, Matching, RangeOp, VectorOp};

impl Parser<'_> {
    /// An expression whose operators bind tighter than `precedence`.
    pub(super) fn expression(&mut self, precedence: u8) -> Result<Node, ParseError> {
        self.deeper(|parser| {
            let left = parser.operand()?;
            parser.operators_after(left, precedence)
        })
    }

    fn operand(&mut self) -> Result<Node, ParseError> {
        if let Some(literal) = self.literal()? {
            return Ok(literal);
        }
        match self.peek() {
            Kind::OpenBrace => {
                let matchers = self.selector()?;
                let mut stages = Vec::new();
                self.stages(false, &mut stages)?;
                Ok(Node::Log(LogExpr { matchers, stages }))
            }
            Kind::OpenParen => {
                self.take();
                let inner = self.expression(0)?;
                self.expect_one_of(Kind::CloseParen, MANY)?;
                Ok(inner)
            }
            Kind::RangeFunction(op) => {
                self.take();
                self.range_aggregation(op)
            }
            Kind::VectorFunction(op) => {
                self.take();
                self.vector_aggregation(op)
            }
            Kind::LabelReplace => {
                self.take();
                self.label_replace()
            }
            Kind::Vector => {
                self.take();
                self.expect(Kind::OpenParen)?;
                let written = self.expect(Kind::Number)?.into_word();
                self.expect(Kind::CloseParen)?;
                Ok(Node::vector(&written))
            }
            _ => Err(self.unexpected(MANY)),
        }
    }

    /// An expression that must make numbers; where it does not, `follows` is what upstream trips
    /// over.
    fn metric(&mut self, follows: Kind) -> Result<Node, ParseError> {
        let node = self.expression(0)?;
        if node.is_metric() && self.peek() == follows {
            self.take();
            Ok(node)
        } else {
            Err(self.unexpected(MANY))
        }
    }

    fn range_aggregation(&mut self, op: RangeOp) -> Result<Node, ParseError> {
        self.expect(Kind::OpenParen)?;
        let parameter = if self.peek() == Kind::Number {
            let written = self.take().value.into_word();
            self.expect(Kind::Comma)?;
            Some(written)
        } else {
            None
        };
        let range = self.log_range(parameter.is_none())?;
        self.expect(Kind::CloseParen)?;
        let grouping = self.grouping()?;
        Ok(Node::range(op, parameter.as_deref(), range, grouping))
    }

    fn vector_aggregation(&mut self, op: VectorOp) -> Result<Node, ParseError> {
        let before = self.grouping()?;
        let starts = [Kind::OpenParen, Kind::By, Kind::Without];
        let starts = if before.is_some() { &starts[..1] } else { &starts[..] };
        self.expect_one_of(Kind::OpenParen, starts)?;
        let mut parameter = None;
        let of = if self.peek() == Kind::Number {
            // It is the parameter if a comma follows, else an expression starts with it.
            let token = self.take();
            if self.accept(Kind::Comma) {
                parameter = Some(token.value.into_word());
                self.metric(Kind::CloseParen)?
            } else {
                let literal = Node::literal(&token.value.into_word(), false);
                self.metric_from(literal)?
            }
        } else {
            self.metric(Kind::CloseParen)?
        };
        let grouping = if before.is_some() { before } else { self.grouping()? };
        Ok(Node::aggregate(op, parameter.as_deref(), of, grouping))
    }

    /// What stands around a literal that was taken already, up to the parenthesis.
    fn metric_from(&mut self, literal: Node) -> Result<Node, ParseError> {
        let node = self.deeper(|parser| parser.operators_after(literal, 0))?;
        self.expect_one_of(Kind::CloseParen, MANY)?;
        Ok(node)
    }

    fn operators_after(&mut self, mut left: Node, precedence: u8) -> Result<Node, ParseError> {
        while let Some(op) = self.peek().operator() {
            let binds = op.precedence();
            if binds <= precedence {
                break;
            }
            self.take();
            let (return_bool, matching) = self.modifiers()?;
            let right =
                self.expression(if op.is_right_associative() { binds - 1 } else { binds })?;
            left = Node::binary(op, return_bool, matching, left, right);
        }
        Ok(left)
    }

    fn label_replace(&mut self) -> Result<Node, ParseError> {
        self.expect(Kind::OpenParen)?;
        let of = self.expression(0)?;
        if !of.is_metric() {
            return Err(self.unexpected(MANY));
        }
        let mut arguments: [String; 4] = Default::default();
        for (at, argument) in arguments.iter_mut().enumerate() {
            let comma = self.peek() == Kind::Comma;
            // Right behind the expression an operator could stand as well.
            self.expect_one_of(Kind::Comma, if at == 0 && !comma { MANY } else { &[Kind::Comma] })?;
            *argument = self.string()?;
        }
        self.expect(Kind::CloseParen)?;
        Ok(Node::label_replace(of, arguments))
    }

    /// `by (…)` or `without (…)`, if it is next.
    fn grouping(&mut self) -> Result<Option<Grouping>, ParseError> {
        let without = match self.peek() {
            Kind::By => false,
            Kind::Without => true,
            _ => return Ok(None),
        };
        self.take();
        Ok(Some(Grouping { without, names: self.names()? }))
    }

    /// `(a, b)` or `()`.
    fn names(&mut self) -> Result<Vec<String>, ParseError> {
        self.expect(Kind::OpenParen)?;
        let mut names = Vec::new();
        if self.accept(Kind::CloseParen) {
            return Ok(names);
        }
        names.push(self.name_or(&[Kind::Identifier, Kind::CloseParen])?);
        while !self.accept(Kind::CloseParen) {
            self.expect_one_of(Kind::Comma, &[Kind::Comma, Kind::CloseParen])?;
            names.push(self.name()?);
        }
        Ok(names)
    }

    /// What stands between an operator and its right side.
    fn modifiers(&mut self) -> Result<(bool, Matching), ParseError> {
        let mut matching = Matching::default();
        let return_bool = self.accept(Kind::Bool);
        match self.peek() {
            Kind::On => matching.on = true,
            Kind::Ignoring => {}
            _ => return Ok((return_bool, matching)),
        }
        self.take();
        matching.labels = self.names()?;
        matching.cardinality = match self.peek() {
            Kind::GroupLeft => Cardinality::ManyToOne,
            Kind::GroupRight => Cardinality::OneToMany,
            _ => return Ok((return_bool, matching)),
        };
        self.take();
        if self.peek() == Kind::OpenParen {
            matching.include = self.names()?;
        }
        Ok((return_bool, matching))
    }
}
