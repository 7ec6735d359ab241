//! Durations inside brackets and after `offset`: literals, and the experimental arithmetic.

use super::{Context, Parsed, Parser, token::Kind};
use crate::ast::{
    BinaryOp, DEPTH_MAX, Duration, DurationExpr, DurationOp, NumberLiteral, PosRange,
    millis_from_seconds,
};

/// Upstream holds durations in signed nanoseconds.
const SECONDS_MAX: f64 = 9_223_372_036.854_775;

/// How tightly `^` binds, which alone binds tighter than a sign.
const POWER: u8 = 3;

impl Parser<'_> {
    /// The length of a range or a step; `context` is for whatever cannot be part of one.
    pub(super) fn positive_duration(&mut self, context: Context) -> Parsed<Duration> {
        let expr = self.within(context, |parser| parser.duration_expression(0))?;
        if let DurationExpr::Number(number) = &expr
            && number.value <= 0.0
        {
            self.error(number.pos, "duration must be greater than 0".into());
        }
        Ok(self.duration(expr))
    }

    /// What follows `offset`: one value with at most one sign, because operators after it belong
    /// to the expression around it (`foo offset -2 ^ 2` is `(foo offset -2) ^ 2`).
    pub(super) fn offset_duration(&mut self, context: Context) -> Parsed<Duration> {
        let expr = self.within(context, |parser| {
            let Some((sign, negative)) = parser.sign_of_duration() else {
                return parser.duration_value();
            };
            let value = parser.duration_value()?;
            Ok(parser.signed_duration(sign, negative, value))
        })?;
        Ok(self.duration(expr))
    }

    fn duration(&mut self, expr: DurationExpr) -> Duration {
        match expr {
            DurationExpr::Number(number) => {
                Duration::Millis(millis_from_seconds(number.value).unwrap_or_else(|| {
                    self.error(number.pos, "duration out of range".into());
                    0
                }))
            }
            expr => Duration::Expr(Box::new(expr)),
        }
    }

    fn duration_expression(&mut self, min: u8) -> Parsed<DurationExpr> {
        self.enter()?;
        let mut left = match self.sign_of_duration() {
            None => self.duration_value()?,
            Some((sign, negative)) => {
                let value = self.duration_expression(POWER)?;
                self.signed_duration(sign, negative, value)
            }
        };
        let mut height = self.depth;
        while let Kind::Operator(op) = self.peek().kind
            && let Some((op, level)) = operation(op)
            && level >= min
        {
            let sign = self.advance().pos;
            self.experimental_duration(left.pos());
            let right = self.duration_expression(level + u8::from(op != DurationOp::Pow))?;
            // A long chain is as deep as it is long.
            height += 1;
            if height > DEPTH_MAX {
                return self.too_deep(sign);
            }
            left = self.duration_operation(left, op, sign, right);
        }
        self.leave();
        Ok(left)
    }

    fn duration_operation(
        &mut self,
        lhs: DurationExpr,
        op: DurationOp,
        sign: PosRange,
        rhs: DurationExpr,
    ) -> DurationExpr {
        let by_zero = matches!(&rhs, DurationExpr::Number(number) if number.value == 0.0);
        let message = match op {
            DurationOp::Div if by_zero => "division by zero",
            DurationOp::Mod if by_zero => "modulo by zero",
            _ => {
                let pos = lhs.pos().to(rhs.pos());
                return DurationExpr::Binary { op, lhs: lhs.into(), rhs: rhs.into(), pos };
            }
        };
        self.error(sign, message.into());
        nothing()
    }

    /// A number, `step()`, `range()`, `min_of(a, b)`, `max_of(a, b)` or parentheses.
    fn duration_value(&mut self) -> Parsed<DurationExpr> {
        let token = self.peek();
        match token.kind {
            Kind::Number | Kind::Duration => {
                let number = self.number_literal();
                Ok(self.duration_in_range(number, number.pos))
            }
            Kind::Step | Kind::Range => {
                self.advance();
                self.expect(Kind::LeftParen, self.context)?;
                let pos = token.pos.to(self.expect(Kind::RightParen, self.context)?.pos);
                self.experimental_duration(pos);
                Ok(if token.kind == Kind::Step {
                    DurationExpr::Step { pos }
                } else {
                    DurationExpr::Range { pos }
                })
            }
            Kind::MinOf | Kind::MaxOf => {
                self.advance();
                self.expect(Kind::LeftParen, self.context)?;
                let lhs = self.duration_expression(0)?.into();
                self.expect(Kind::Comma, self.context)?;
                let rhs = self.duration_expression(0)?.into();
                let pos = token.pos.to(self.expect(Kind::RightParen, self.context)?.pos);
                self.experimental_duration(pos);
                let op =
                    if token.kind == Kind::MinOf { DurationOp::MinOf } else { DurationOp::MaxOf };
                Ok(DurationExpr::Binary { op, lhs, rhs, pos })
            }
            Kind::LeftParen => {
                self.advance();
                let inner = self.duration_expression(0)?;
                let pos = token.pos.to(self.expect(Kind::RightParen, self.context)?.pos);
                self.experimental_duration(inner.pos());
                // Upstream keeps one pair of parentheses of several.
                Ok(match inner {
                    DurationExpr::Paren { expr, .. } => DurationExpr::Paren { expr, pos },
                    inner => DurationExpr::Paren { expr: inner.into(), pos },
                })
            }
            _ => self.unexpected(self.context),
        }
    }

    fn sign_of_duration(&mut self) -> Option<(PosRange, bool)> {
        match self.peek().kind {
            Kind::Operator(op @ (BinaryOp::Add | BinaryOp::Sub)) => {
                Some((self.advance().pos, op == BinaryOp::Sub))
            }
            _ => None,
        }
    }

    fn signed_duration(
        &mut self,
        sign: PosRange,
        negative: bool,
        expr: DurationExpr,
    ) -> DurationExpr {
        match expr {
            DurationExpr::Number(mut number) => {
                if negative {
                    number.value = -number.value;
                }
                number.pos.start = sign.start;
                self.duration_in_range(number, sign)
            }
            expr if negative => {
                let pos = sign.to(expr.pos());
                DurationExpr::Negated { expr: expr.into(), pos }
            }
            expr => expr,
        }
    }

    fn duration_in_range(&mut self, number: NumberLiteral, pos: PosRange) -> DurationExpr {
        if number.value.abs() > SECONDS_MAX {
            self.error(pos, "duration out of range".into());
            return nothing();
        }
        DurationExpr::Number(number)
    }

    fn experimental_duration(&mut self, pos: PosRange) {
        if !self.features.duration_expressions {
            self.error(pos, "experimental duration expression is not enabled".into());
        }
    }
}

/// Stands in for what is wrong; its place is the start of the input, as upstream has it.
fn nothing() -> DurationExpr {
    let pos = PosRange::default();
    DurationExpr::Number(NumberLiteral { value: 0.0, is_duration: false, pos })
}

fn operation(op: BinaryOp) -> Option<(DurationOp, u8)> {
    Some(match op {
        BinaryOp::Add => (DurationOp::Add, 1),
        BinaryOp::Sub => (DurationOp::Sub, 1),
        BinaryOp::Mul => (DurationOp::Mul, 2),
        BinaryOp::Div => (DurationOp::Div, 2),
        BinaryOp::Mod => (DurationOp::Mod, 2),
        BinaryOp::Pow => (DurationOp::Pow, POWER),
        _ => return None,
    })
}
