//! Durations inside a query: literals, and arithmetic that waits for the step of the query.
//!
//! A literal (`5m`, `-300`) is whole milliseconds from the start. An expression (`step()*2`)
//! becomes one by [`Duration::resolve`], once the planner knows step and range. Numbers count in
//! seconds, as upstream's `promql/durations.go` has it.

use std::fmt;

use super::{NumberLiteral, PosRange};

/// How far back, how wide, how often.
#[derive(Debug, Clone, PartialEq)]
pub enum Duration {
    /// Known when the query was read.
    Millis(i64),
    /// Known when the query is run.
    Expr(Box<DurationExpr>),
}

/// Arithmetic on durations; experimental.
#[derive(Debug, Clone, PartialEq)]
pub enum DurationExpr {
    /// `5m`, `300`; seconds.
    Number(NumberLiteral),
    /// `-a`
    Negated {
        /// What is negated.
        expr: Box<DurationExpr>,
        /// From the sign to the end.
        pos: PosRange,
    },
    /// `a + b`, `min_of(a, b)`
    Binary {
        /// Which operation.
        op: DurationOp,
        /// The left side or first argument.
        lhs: Box<DurationExpr>,
        /// The right side or second argument.
        rhs: Box<DurationExpr>,
        /// The whole of it.
        pos: PosRange,
    },
    /// `step()`: the distance of the instants of the query, 0 for an instant query.
    Step {
        /// From the name to the closing parenthesis.
        pos: PosRange,
    },
    /// `range()`: from the first to the last instant of the query.
    Range {
        /// From the name to the closing parenthesis.
        pos: PosRange,
    },
    /// `(a)`
    Paren {
        /// What is inside.
        expr: Box<DurationExpr>,
        /// Both parentheses included.
        pos: PosRange,
    },
}

/// An operation on two durations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DurationOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Mod,
    /// `^`
    Pow,
    /// `min_of(a, b)`
    MinOf,
    /// `max_of(a, b)`
    MaxOf,
}

/// What duration expressions may ask of the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DurationContext {
    /// The distance of the instants in milliseconds; 0 for an instant query.
    pub step_ms: i64,
    /// From the first to the last instant in milliseconds; 0 for an instant query.
    pub range_ms: i64,
}

/// Why a duration expression has no value, in upstream's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DurationError {
    /// The right side of `/` is 0.
    #[error("division by zero")]
    DivisionByZero,
    /// The right side of `%` is 0.
    #[error("modulo by zero")]
    ModuloByZero,
    /// A range or a step of nothing or less.
    #[error("{}:{}: duration must be greater than 0", .0.start, .0.end)]
    NotPositive(PosRange),
    /// More than 292 years, or not a number.
    #[error("{}:{}: duration is out of range", .0.start, .0.end)]
    OutOfRange(PosRange),
}

impl Duration {
    /// No duration at all: the offset of a selector that has none.
    pub const ZERO: Self = Self::Millis(0);

    /// Whether it is a literal of length 0, as offsets that were not written are.
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }

    /// Its length in milliseconds, which may be negative: for offsets.
    ///
    /// # Errors
    /// [`DurationError`] when an expression divides by zero or leaves the range of 292 years.
    pub fn resolve(&self, context: DurationContext) -> Result<i64, DurationError> {
        match self {
            Self::Millis(millis) => Ok(*millis),
            Self::Expr(expr) => {
                let seconds = expr.seconds(context)?;
                millis_from_seconds(seconds).ok_or(DurationError::OutOfRange(expr.pos()))
            }
        }
    }

    /// Its length in milliseconds, which must be more than nothing: for ranges and steps.
    ///
    /// # Errors
    /// As [`Self::resolve`], and [`DurationError::NotPositive`].
    pub fn resolve_positive(&self, context: DurationContext) -> Result<i64, DurationError> {
        let millis = self.resolve(context)?;
        match self {
            Self::Expr(expr) if millis <= 0 => Err(DurationError::NotPositive(expr.pos())),
            Self::Expr(_) | Self::Millis(_) => Ok(millis),
        }
    }
}

impl DurationExpr {
    /// The bytes that it came from.
    pub fn pos(&self) -> PosRange {
        match self {
            Self::Number(number) => number.pos,
            Self::Negated { pos, .. }
            | Self::Binary { pos, .. }
            | Self::Step { pos }
            | Self::Range { pos }
            | Self::Paren { pos, .. } => *pos,
        }
    }

    /// Its value in seconds.
    ///
    /// # Errors
    /// [`DurationError`] for a division or a modulo by zero.
    pub fn seconds(&self, context: DurationContext) -> Result<f64, DurationError> {
        Ok(match self {
            Self::Number(number) => number.value,
            Self::Negated { expr, .. } => -expr.seconds(context)?,
            Self::Paren { expr, .. } => expr.seconds(context)?,
            Self::Step { .. } => seconds_from_millis(context.step_ms),
            Self::Range { .. } => seconds_from_millis(context.range_ms),
            Self::Binary { op, lhs, rhs, .. } => {
                let (lhs, rhs) = (lhs.seconds(context)?, rhs.seconds(context)?);
                match op {
                    DurationOp::Add => lhs + rhs,
                    DurationOp::Sub => lhs - rhs,
                    DurationOp::Mul => lhs * rhs,
                    DurationOp::Div if rhs == 0.0 => return Err(DurationError::DivisionByZero),
                    DurationOp::Div => lhs / rhs,
                    DurationOp::Mod if rhs == 0.0 => return Err(DurationError::ModuloByZero),
                    DurationOp::Mod => lhs % rhs,
                    DurationOp::Pow => lhs.powf(rhs),
                    DurationOp::MinOf | DurationOp::MaxOf if lhs.is_nan() || rhs.is_nan() => {
                        f64::NAN
                    }
                    DurationOp::MinOf => lhs.min(rhs),
                    DurationOp::MaxOf => lhs.max(rhs),
                }
            }
        })
    }
}

impl DurationOp {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Mod => "%",
            Self::Pow => "^",
            Self::MinOf => "min_of",
            Self::MaxOf => "max_of",
        }
    }
}

impl Default for Duration {
    fn default() -> Self {
        Self::ZERO
    }
}

impl fmt::Display for DurationOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whole milliseconds, or nothing beyond what upstream's signed nanoseconds can hold.
///
/// Upstream rounds to nanoseconds first and cuts when it goes to milliseconds.
pub(crate) fn millis_from_seconds(seconds: f64) -> Option<i64> {
    let nanos = (seconds * 1e9).round();
    // The largest float below 2^63; casting anything larger would saturate silently.
    if nanos.abs() < 9.223_372_036_854_775e18 {
        #[expect(clippy::cast_possible_truncation, reason = "the range was checked above")]
        Some(nanos as i64 / 1_000_000)
    } else {
        None
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact for 285,000 years")]
fn seconds_from_millis(millis: i64) -> f64 {
    millis as f64 / 1000.0
}

#[cfg(test)]
mod tests;
