//! Expressions that make numbers.

use std::sync::Arc;

use masthead_model::RegexpSearch;

use super::{BinaryOp, LabelFilterExpr, LogExpr, RangeOp, UnwrapConversion, VectorOp};

/// An expression that makes numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum MetricExpr {
    /// `5`; arithmetic between literals is folded into one.
    Literal(f64),
    /// `vector(5)`.
    Vector(f64),
    /// `rate({app="api"}[5m])`.
    Range(Box<RangeAggregation>),
    /// `sum by (app) (…)`.
    Aggregate(Box<VectorAggregation>),
    /// `a / b`.
    Binary(Box<Binary>),
    /// `label_replace(…)`.
    LabelReplace(Box<LabelReplace>),
}

/// Lines over a time that moves with the step.
#[derive(Debug, Clone, PartialEq)]
pub struct LogRange {
    /// Which lines.
    pub log: LogExpr,
    /// What number of each, if not 1 or its length.
    pub unwrap: Option<Unwrap>,
    /// How far back, in nanoseconds.
    pub range: i64,
    /// By how much the window is moved back, in nanoseconds; may be negative.
    pub offset: i64,
}

/// `| unwrap duration(took) | took != ""`.
#[derive(Debug, Clone, PartialEq)]
pub struct Unwrap {
    /// The label whose value is the number.
    pub label: String,
    /// How it is read.
    pub conversion: UnwrapConversion,
    /// Conditions that are checked after the conversion.
    pub filters: Vec<LabelFilterExpr>,
}

/// `by (…)` or `without (…)`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grouping {
    /// Whether the names are those to leave out.
    pub without: bool,
    /// The names.
    pub names: Vec<String>,
}

/// A function of a range of lines.
#[derive(Debug, Clone, PartialEq)]
pub struct RangeAggregation {
    /// Which.
    pub op: RangeOp,
    /// The quantile, where there is one.
    pub parameter: Option<f64>,
    /// Of what.
    pub range: LogRange,
    /// Which lines belong together; by all their labels without one.
    pub grouping: Option<Grouping>,
}

/// An aggregation of series.
#[derive(Debug, Clone, PartialEq)]
pub struct VectorAggregation {
    /// Which.
    pub op: VectorOp,
    /// How many series to keep; 0 where there is no such parameter.
    pub parameter: usize,
    /// Of what.
    pub of: MetricExpr,
    /// Which series belong together; all without a name.
    pub grouping: Grouping,
}

/// An operator between two expressions, at least one of them with series.
#[derive(Debug, Clone, PartialEq)]
pub struct Binary {
    /// Which.
    pub op: BinaryOp,
    /// What stands left.
    pub left: MetricExpr,
    /// What stands right.
    pub right: MetricExpr,
    /// Whether a comparison answers 0 and 1 rather than to filter.
    pub return_bool: bool,
    /// Which series find each other.
    pub matching: Matching,
}

/// How many series of one side belong to one of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cardinality {
    /// One.
    #[default]
    OneToOne,
    /// `group_left`.
    ManyToOne,
    /// `group_right`.
    OneToMany,
}

/// Which series find each other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Matching {
    /// How many series of one side belong to one of the other.
    pub cardinality: Cardinality,
    /// Whether `labels` are those that count (`on`) or those that do not (`ignoring`).
    pub on: bool,
    /// The labels of `on` and `ignoring`.
    pub labels: Vec<String>,
    /// The labels of `group_left` and `group_right`.
    pub include: Vec<String>,
}

/// `label_replace(expr, "to", "$1", "from", "(.*)")`.
#[derive(Debug, Clone)]
pub struct LabelReplace {
    /// Of what.
    pub of: MetricExpr,
    /// The label that is made.
    pub to: String,
    /// Its value, with `$1` for groups.
    pub replacement: String,
    /// The label that is looked at.
    pub from: String,
    /// The pattern as it was written.
    pub pattern: String,
    /// The pattern, for the whole value.
    pub regex: Arc<RegexpSearch>,
}

/// Two are equal when they were written alike.
impl PartialEq for LabelReplace {
    fn eq(&self, other: &Self) -> bool {
        (&self.of, &self.to, &self.replacement, &self.from, &self.pattern)
            == (&other.of, &other.to, &other.replacement, &other.from, &other.pattern)
    }
}

impl Grouping {
    /// Whether all series fall into one group without labels.
    pub fn is_everything(&self) -> bool {
        !self.without && self.names.is_empty()
    }
}

impl MetricExpr {
    /// Every range of lines, from left to right.
    pub fn ranges(&self) -> Vec<&RangeAggregation> {
        match self {
            Self::Literal(_) | Self::Vector(_) => Vec::new(),
            Self::Range(range) => vec![range],
            Self::Aggregate(node) => node.of.ranges(),
            Self::LabelReplace(node) => node.of.ranges(),
            Self::Binary(node) => {
                let mut ranges = node.left.ranges();
                ranges.append(&mut node.right.ranges());
                ranges
            }
        }
    }
}
