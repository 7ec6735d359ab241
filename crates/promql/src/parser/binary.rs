//! Operators: signs, precedence, and the modifiers between an operator and its right side.

use super::{Node, Parsed, Parser, token::Keyword, token::Kind};
use crate::ast::{
    Binary, BinaryOp, Cardinality, Expr, FillValues, PosRange, Unary, UnaryOp, VectorMatching,
};

/// How tightly `^` binds, which alone binds tighter than a sign.
const POWER: u8 = 6;

/// What stands between an operator and its right side.
struct Modifiers {
    return_bool: bool,
    matching: VectorMatching,
}

impl Parser<'_> {
    /// Operands joined by operators that bind at least as tightly as `min`.
    ///
    /// This and what it calls down to itself keep their frames small: they are as many on the
    /// stack as the expression is deep.
    pub(super) fn expression(&mut self, min: u8) -> Parsed<Node> {
        self.enter()?;
        let mut left = self.signed();
        while let Ok(node) = left {
            match self.peek().kind {
                Kind::Operator(op) if precedence(op) >= min => left = self.operation(node, op),
                _ => {
                    self.leave();
                    return Ok(node);
                }
            }
        }
        left
    }

    /// After the left side: the operator, its modifiers and its right side.
    fn operation(&mut self, left: Node, op: BinaryOp) -> Parsed<Node> {
        self.advance();
        let modifiers = self.modifiers()?;
        // `^` alone is right-associative.
        let min = precedence(op) + u8::from(op != BinaryOp::Pow);
        let right = self.expression(min)?;
        self.binary(left, op, modifiers, right)
    }

    fn signed(&mut self) -> Parsed<Node> {
        match self.peek().kind {
            Kind::Operator(BinaryOp::Add) => self.sign(UnaryOp::Plus),
            Kind::Operator(BinaryOp::Sub) => self.sign(UnaryOp::Minus),
            _ => self.operand(),
        }
    }

    fn sign(&mut self, op: UnaryOp) -> Parsed<Node> {
        let sign = self.advance().pos;
        let operand = self.expression(POWER)?;
        self.unary(sign, op, operand)
    }

    fn unary(&mut self, sign: PosRange, op: UnaryOp, operand: Node) -> Parsed<Node> {
        let Node { expr, height } = operand;
        if let Expr::Number(mut number) = expr {
            if op == UnaryOp::Minus {
                number.value = -number.value;
            }
            number.pos.start = sign.start;
            return Ok(Node { expr: Expr::Number(number), height });
        }
        let pos = sign.to(expr.pos());
        self.node(Expr::Unary(Box::new(Unary { op, expr, pos })), height)
    }

    fn binary(
        &mut self,
        left: Node,
        op: BinaryOp,
        modifiers: Modifiers,
        right: Node,
    ) -> Parsed<Node> {
        let height = left.height.max(right.height);
        let Modifiers { return_bool, matching } = modifiers;
        let has_fill = !matching.fill.is_none();
        let binary =
            Binary { op, lhs: left.expr, rhs: right.expr, matching: Some(matching), return_bool };
        if has_fill && !self.features.fill_modifiers {
            let message = "binop fill modifiers are experimental and not enabled";
            self.error(binary.pos(), message.into());
        }
        self.node(Expr::Binary(Box::new(binary)), height)
    }

    fn modifiers(&mut self) -> Parsed<Modifiers> {
        let return_bool = self.accept(Kind::Keyword(Keyword::Bool)).is_some();
        let mut matching = VectorMatching::default();
        if let Kind::Keyword(keyword @ (Keyword::On | Keyword::Ignoring)) = self.peek().kind {
            self.advance();
            matching.on = keyword == Keyword::On;
            matching.labels = self.grouping_labels()?;
            matching.card = match self.peek().kind {
                Kind::Keyword(Keyword::GroupLeft) => Cardinality::ManyToOne,
                Kind::Keyword(Keyword::GroupRight) => Cardinality::OneToMany,
                _ => Cardinality::OneToOne,
            };
            if matching.card != Cardinality::OneToOne {
                self.advance();
                if self.peek().kind == Kind::LeftParen {
                    matching.include = self.grouping_labels()?;
                }
            }
        }
        matching.fill = self.fill_values()?;
        Ok(Modifiers { return_bool, matching })
    }

    /// `fill(0)`, or `fill_left(0)` and `fill_right(0)` in either order.
    fn fill_values(&mut self) -> Parsed<FillValues> {
        let mut fill = FillValues::default();
        if self.accept(Kind::Keyword(Keyword::Fill)).is_some() {
            let value = Some(self.fill_value()?);
            return Ok(FillValues { lhs: value, rhs: value });
        }
        loop {
            match self.peek().kind {
                Kind::Keyword(Keyword::FillLeft) if fill.lhs.is_none() => {
                    self.advance();
                    fill.lhs = Some(self.fill_value()?);
                }
                Kind::Keyword(Keyword::FillRight) if fill.rhs.is_none() => {
                    self.advance();
                    fill.rhs = Some(self.fill_value()?);
                }
                _ => return Ok(fill),
            }
        }
    }

    fn fill_value(&mut self) -> Parsed<f64> {
        self.expect(Kind::LeftParen, self.context)?;
        let negative = match self.peek().kind {
            Kind::Operator(op @ (BinaryOp::Add | BinaryOp::Sub)) => {
                self.advance();
                op == BinaryOp::Sub
            }
            _ => false,
        };
        if !matches!(self.peek().kind, Kind::Number | Kind::Duration) {
            return self.unexpected(self.context);
        }
        let value = self.number_literal().value;
        self.expect(Kind::RightParen, self.context)?;
        Ok(if negative { -value } else { value })
    }

    /// The bytes of the operator and its modifiers in a binary expression, found as upstream
    /// finds them: what lies between the operands, without spaces, and without its last byte.
    pub(super) fn operator_pos(&self, binary: &Binary) -> PosRange {
        let (from, to) = (binary.lhs.pos().end, binary.rhs.pos().start.saturating_sub(1));
        let between = self.input.as_bytes().get(from..=to).unwrap_or_default();
        let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        let before = between.iter().take_while(|byte| is_space(byte)).count();
        let after = between.iter().rev().take_while(|byte| is_space(byte)).count();
        PosRange::new(from + before, to.saturating_sub(after).max(from + before))
    }
}

fn precedence(op: BinaryOp) -> u8 {
    match op {
        BinaryOp::Or => 1,
        BinaryOp::And | BinaryOp::Unless => 2,
        BinaryOp::Equal
        | BinaryOp::NotEqual
        | BinaryOp::Less
        | BinaryOp::LessOrEqual
        | BinaryOp::Greater
        | BinaryOp::GreaterOrEqual
        | BinaryOp::TrimUpper
        | BinaryOp::TrimLower => 3,
        BinaryOp::Add | BinaryOp::Sub => 4,
        BinaryOp::Mul | BinaryOp::Div | BinaryOp::Mod | BinaryOp::Atan2 => 5,
        BinaryOp::Pow => POWER,
    }
}
