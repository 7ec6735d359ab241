//! From a tree back to text: on one line, or on as many as it takes.
//!
//! `Display` is upstream's `String()` (`promql/parser/printer.go`): canonical, so that two
//! expressions that print alike mean the same, and parsing the text gives the tree again.
//! [`pretty`] is upstream's `Prettify` (`printer/pretty.rs`).

use std::fmt::{self, Display, Formatter, Write as _};

use masthead_model::{
    METRIC_NAME, MatchOp, Matcher, PromDuration, format_shortest, is_legacy_label_name, quote,
};

use crate::ast::{
    Aggregate, At, Binary, Cardinality, Duration, DurationExpr, DurationOp, Expr, FillValues,
    MatrixSelector, NumberLiteral, RangeEdges, Subquery, VectorMatching, VectorSelector,
};

mod pretty;
#[cfg(test)]
mod tests;

pub use pretty::pretty;

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aggregate(aggregate) => aggregate.fmt(f),
            Self::Binary(binary) => {
                write!(f, "{} {} {}", binary.lhs, OperatorOf(binary), binary.rhs)
            }
            Self::Call(call) => {
                write!(f, "{}(", call.func.name)?;
                write_list(f, &call.args, |f, arg| arg.fmt(f))?;
                f.write_char(')')
            }
            Self::Matrix(matrix) => matrix.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Paren(paren) => write!(f, "({})", paren.expr),
            Self::String(string) => f.write_str(&string.quoted()),
            Self::Subquery(subquery) => write!(f, "{}{}", subquery.expr, RangeOf(subquery)),
            Self::Unary(unary) => write!(f, "{}{}", unary.op, unary.expr),
            Self::Vector(selector) => selector.fmt(f),
        }
    }
}

impl Display for Aggregate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", OperationOf(self))?;
        if let Some(param) = &self.param {
            write!(f, "{param}, ")?;
        }
        write!(f, "{})", self.expr)
    }
}

impl Display for MatrixSelector {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_series(f, &self.selector)?;
        write!(f, "[{}]", self.range)?;
        write_edges(f, self.selector.edges)?;
        write_at(f, self.selector.at)?;
        write_offset(f, &self.selector.offset)
    }
}

impl Display for VectorSelector {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_series(f, self)?;
        write_at(f, self.at)?;
        write_edges(f, self.edges)?;
        write_offset(f, &self.offset)
    }
}

impl Display for NumberLiteral {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.is_duration {
            return write_millis(f, (self.value * 1000.0).round());
        }
        match self.value {
            value if value.is_nan() => f.write_str("NaN"),
            f64::INFINITY => f.write_str("+Inf"),
            f64::NEG_INFINITY => f.write_str("-Inf"),
            // Shortest digits, never an exponent, as Go's `%f` without a precision.
            value => write!(f, "{value}"),
        }
    }
}

impl Display for Duration {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "exact for 285,000 years")]
            Self::Millis(millis) => write_millis(f, *millis as f64),
            Self::Expr(expr) => expr.fmt(f),
        }
    }
}

impl Display for DurationExpr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Negated { expr, .. } => write!(f, "-{expr}"),
            Self::Binary { op: op @ (DurationOp::MinOf | DurationOp::MaxOf), lhs, rhs, .. } => {
                write!(f, "{op}({lhs}, {rhs})")
            }
            Self::Binary { op, lhs, rhs, .. } => write!(f, "{lhs} {op} {rhs}"),
            Self::Step { .. } => f.write_str("step()"),
            Self::Range { .. } => f.write_str("range()"),
            Self::Paren { expr, .. } => write!(f, "({expr})"),
        }
    }
}

/// `sum by (job) `, without the arguments.
struct OperationOf<'e>(&'e Aggregate);

impl Display for OperationOf<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Aggregate { op, grouping, without, .. } = self.0;
        write!(f, "{op}")?;
        if *without || !grouping.is_empty() {
            f.write_str(if *without { " without " } else { " by " })?;
            write_labels(f, grouping)?;
            f.write_char(' ')?;
        }
        Ok(())
    }
}

/// `+ bool on (job) group_left (a)`, without the operands.
struct OperatorOf<'e>(&'e Binary);

impl Display for OperatorOf<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.op)?;
        if self.0.return_bool {
            f.write_str(" bool")?;
        }
        let Some(VectorMatching { card, labels, on, include, fill }) = &self.0.matching else {
            return Ok(());
        };
        let group = match card {
            Cardinality::ManyToOne => Some(" group_left "),
            Cardinality::OneToMany => Some(" group_right "),
            Cardinality::OneToOne | Cardinality::ManyToMany => None,
        };
        if !labels.is_empty() || *on || group.is_some() {
            f.write_str(if *on { " on " } else { " ignoring " })?;
            write_labels(f, labels)?;
        }
        if let Some(group) = group {
            f.write_str(group)?;
            write_labels(f, include)?;
        }
        write_fill(f, *fill)
    }
}

/// `[5m:30s] @ 10.000 offset 1m`, without the expression.
struct RangeOf<'e>(&'e Subquery);

impl Display for RangeOf<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "[{}:", self.0.range)?;
        if let Some(step) = &self.0.step {
            step.fmt(f)?;
        }
        f.write_char(']')?;
        write_at(f, self.0.at)?;
        write_offset(f, &self.0.offset)
    }
}

/// Name and braces, without what follows them.
fn write_series(f: &mut Formatter<'_>, selector: &VectorSelector) -> fmt::Result {
    let name = selector.name.as_deref().unwrap_or("");
    f.write_str(name)?;
    let is_name = |matcher: &Matcher| {
        !name.is_empty()
            && (matcher.name(), matcher.op(), matcher.value())
                == (METRIC_NAME, MatchOp::Equal, name)
    };
    let shown = selector.matchers.iter().filter(|matcher| !is_name(matcher));
    let mut shown: Vec<String> = shown.map(Matcher::to_string).collect();
    if !shown.is_empty() {
        shown.sort_unstable();
        write!(f, "{{{}}}", shown.join(","))?;
    }
    Ok(())
}

fn write_edges(f: &mut Formatter<'_>, edges: RangeEdges) -> fmt::Result {
    f.write_str(match edges {
        RangeEdges::Plain => "",
        RangeEdges::Anchored => " anchored",
        RangeEdges::Smoothed => " smoothed",
    })
}

fn write_at(f: &mut Formatter<'_>, at: Option<At>) -> fmt::Result {
    match at {
        None => Ok(()),
        Some(At::Timestamp(at)) => write!(f, " @ {:.3}", at.as_seconds()),
        Some(At::Start) => f.write_str(" @ start()"),
        Some(At::End) => f.write_str(" @ end()"),
    }
}

fn write_offset(f: &mut Formatter<'_>, offset: &Duration) -> fmt::Result {
    if offset.is_zero() { Ok(()) } else { write!(f, " offset {offset}") }
}

fn write_fill(f: &mut Formatter<'_>, fill: FillValues) -> fmt::Result {
    let go = |value: f64| format_shortest(value, 21);
    match (fill.lhs, fill.rhs) {
        (Some(lhs), Some(rhs)) if lhs.to_bits() == rhs.to_bits() => {
            write!(f, " fill ({})", go(lhs))
        }
        (lhs, rhs) => {
            for (word, value) in [("fill_left", lhs), ("fill_right", rhs)] {
                if let Some(value) = value {
                    write!(f, " {word} ({})", go(value))?;
                }
            }
            Ok(())
        }
    }
}

/// `(a, b)`
fn write_labels(f: &mut Formatter<'_>, labels: &[String]) -> fmt::Result {
    f.write_char('(')?;
    write_list(f, labels, |f, label| {
        if is_legacy_label_name(label) { f.write_str(label) } else { f.write_str(&quote(label)) }
    })?;
    f.write_char(')')
}

fn write_list<T>(
    f: &mut Formatter<'_>,
    items: &[T],
    write: impl Fn(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (nth, item) in items.iter().enumerate() {
        if nth > 0 {
            f.write_str(", ")?;
        }
        write(f, item)?;
    }
    Ok(())
}

/// Whole milliseconds as a duration with a sign.
fn write_millis(f: &mut Formatter<'_>, millis: f64) -> fmt::Result {
    if millis < 0.0 {
        f.write_char('-')?;
    }
    #[expect(clippy::cast_possible_truncation, reason = "a whole number, and casts saturate")]
    let length = PromDuration::from_millis(millis.abs() as i64);
    write!(f, "{}", length.unwrap_or_default())
}
