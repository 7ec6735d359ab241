//! The syntax tree of LogQL.
//!
//! A query is a log expression, which selects lines, or a metric expression, which makes numbers
//! of lines. The parser folds arithmetic between literals and turns `!= "a" or "b"` into two
//! filters, as upstream does, so neither is in the tree. Printing: `printer.rs`.

use std::sync::Arc;

use masthead_model::Matcher;

mod metric;
mod operator;
mod stage;

pub use metric::{
    Binary, Cardinality, Grouping, LabelReplace, LogRange, Matching, MetricExpr, RangeAggregation,
    Unwrap, VectorAggregation,
};
pub use operator::{
    BinaryOp, FunctionDoc, RANGE_FUNCTIONS, RangeOp, UnwrapConversion, VECTOR_FUNCTIONS, VectorOp,
};
pub use stage::{
    Comparison, Extraction, LabelFilterExpr, LabelFormatExpr, LabelValueFormat, LineFilterExpr,
    LineOp, LineValue, NamedMatcher, StageExpr,
};

/// An expression is nested at most this deep, so that walking it never exhausts a stack.
pub const DEPTH_MAX: usize = 100;

/// A query.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// Selects lines.
    Log(LogExpr),
    /// Makes numbers of lines.
    Metric(MetricExpr),
}

/// `{app="api"} | json | level="error"`.
#[derive(Debug, Clone, PartialEq)]
pub struct LogExpr {
    /// What the stream must match; empty only for `{}`, which no valid query holds.
    pub matchers: Vec<Matcher>,
    /// What happens to each line, as it was written.
    pub stages: Vec<StageExpr>,
}

/// Text of a query that need not be UTF-8, because escapes can spell any byte.
pub type Bytes = Arc<[u8]>;

impl LogExpr {
    /// Whether a matcher selects by a value that is not empty; without one a query would read
    /// everything, and upstream refuses it.
    pub fn is_selective(&self) -> bool {
        self.matchers.iter().any(|matcher| !matcher.matches_empty())
    }
}
