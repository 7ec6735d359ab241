//! The syntax tree of a PromQL expression: what the parser makes, the planner reads and the
//! printer writes.
//!
//! Nodes are plain data and own their children. A tree that came out of [`crate::parse`] is
//! type-checked, is at most [`crate::DEPTH_MAX`] nodes high (so recursion over it is safe), and
//! each node knows which bytes of the input it came from. Nothing here evaluates; durations that
//! are expressions resolve themselves once the step is known (`ast/duration.rs`). Operators and
//! value types are in `ast/operator.rs`, walking in `ast/walk.rs`.

use masthead_model::{Matcher, Millis, quote, quote_bytes};

use crate::functions::FunctionSignature;

mod duration;
mod operator;
mod walk;

pub(crate) use duration::millis_from_seconds;
pub use duration::{Duration, DurationContext, DurationError, DurationExpr, DurationOp};
pub use operator::{AggregateOp, BinaryOp, UnaryOp, ValueType};

/// A parsed tree is at most this many nodes high, so that recursion over it fits any stack.
pub const DEPTH_MAX: usize = 256;

/// The bytes `start..end` of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PosRange {
    /// The first byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// `sum by (job) (x)`
    Aggregate(Box<Aggregate>),
    /// `a + on (job) b`
    Binary(Box<Binary>),
    /// `rate(x[5m])`
    Call(Call),
    /// `x[5m]`
    Matrix(Box<MatrixSelector>),
    /// `1.5`, `5m`
    Number(NumberLiteral),
    /// `(a)`
    Paren(Box<Paren>),
    /// `"text"`
    String(StringLiteral),
    /// `x[5m:30s]`
    Subquery(Box<Subquery>),
    /// `-x`
    Unary(Box<Unary>),
    /// `x{job="api"}`
    Vector(Box<VectorSelector>),
}

/// An aggregation over an instant vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// Which aggregation.
    pub op: AggregateOp,
    /// What is aggregated; an instant vector.
    pub expr: Expr,
    /// The first argument of the operators that take one: a scalar, or a string for
    /// `count_values`.
    pub param: Option<Expr>,
    /// The labels after `by` or `without`, as written.
    pub grouping: Vec<String>,
    /// Whether `grouping` is dropped rather than kept.
    pub without: bool,
    /// From the operator to the last parenthesis.
    pub pos: PosRange,
}

/// An operator between two expressions.
#[derive(Debug, Clone, PartialEq)]
pub struct Binary {
    /// Which operator.
    pub op: BinaryOp,
    /// The left side: a scalar or an instant vector.
    pub lhs: Expr,
    /// The right side: a scalar or an instant vector.
    pub rhs: Expr,
    /// How series are matched; there exactly when both sides are instant vectors.
    pub matching: Option<VectorMatching>,
    /// For comparisons: answer 0 or 1 rather than filter.
    pub return_bool: bool,
}

/// How the series of two instant vectors find each other.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VectorMatching {
    /// How many series of a side may match one of the other.
    pub card: Cardinality,
    /// The labels after `on` or `ignoring`.
    pub labels: Vec<String>,
    /// Whether `labels` are the ones compared (`on`) rather than left out (`ignoring`).
    pub on: bool,
    /// The labels after `group_left` or `group_right`, taken from the "one" side.
    pub include: Vec<String>,
    /// The values that stand in for missing series.
    pub fill: FillValues,
}

/// Values for series that one side lacks; experimental.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct FillValues {
    /// Stands in for a series missing on the left: `fill_left`.
    pub lhs: Option<f64>,
    /// Stands in for a series missing on the right: `fill_right`.
    pub rhs: Option<f64>,
}

/// How many series of one side may match how many of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Cardinality {
    /// No grouping modifier.
    #[default]
    OneToOne,
    /// `group_left`
    ManyToOne,
    /// `group_right`
    OneToMany,
    /// Set operators.
    ManyToMany,
}

/// A function call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The signature from the one table of functions.
    pub func: &'static FunctionSignature,
    /// As many as the signature allows, each of the type that it asks for.
    pub args: Vec<Expr>,
    /// From the name to the closing parenthesis.
    pub pos: PosRange,
}

/// The samples of an instant selector over a range.
#[derive(Debug, Clone, PartialEq)]
pub struct MatrixSelector {
    /// Which series; carries the offset and the `@` of the whole.
    pub selector: VectorSelector,
    /// How far back; positive when it is a literal.
    pub range: Duration,
    /// From the name to the last modifier.
    pub pos: PosRange,
}

/// A number; durations count in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NumberLiteral {
    /// The value.
    pub value: f64,
    /// Whether it was written as a duration (`5m`) and prints as one.
    pub is_duration: bool,
    /// Its bytes.
    pub pos: PosRange,
}

/// A parenthesised expression, kept so that it prints as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Paren {
    /// What is inside.
    pub expr: Expr,
    /// Both parentheses included.
    pub pos: PosRange,
}

/// A string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StringLiteral {
    /// The text, without quotes and escapes.
    pub value: String,
    /// The exact bytes if escapes such as `\xc5` spelled something that is not UTF-8; `value`
    /// then has replacement characters in their place.
    pub not_utf8: Option<Box<[u8]>>,
    /// Both quotes included.
    pub pos: PosRange,
}

/// An expression evaluated at many instants of a range.
#[derive(Debug, Clone, PartialEq)]
pub struct Subquery {
    /// What is evaluated; an instant vector.
    pub expr: Expr,
    /// How far back; positive when it is a literal.
    pub range: Duration,
    /// The distance of the instants; `None` is the server's default interval.
    pub step: Option<Duration>,
    /// How far the range is moved back; negative moves it forward.
    pub offset: Duration,
    /// The instant that replaces the evaluation time.
    pub at: Option<At>,
    /// From the expression to the last modifier.
    pub pos: PosRange,
}

/// A sign before an expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Unary {
    /// Which sign.
    pub op: UnaryOp,
    /// A scalar or an instant vector.
    pub expr: Expr,
    /// From the sign to the end of the expression.
    pub pos: PosRange,
}

/// Which series, and at which instant.
#[derive(Debug, Clone, PartialEq)]
pub struct VectorSelector {
    /// The metric name if it was written before the braces; `matchers` holds it as well, last.
    pub name: Option<String>,
    /// Every condition, in the order written.
    pub matchers: Vec<Matcher>,
    /// How far the instant is moved back; negative moves it forward.
    pub offset: Duration,
    /// The instant that replaces the evaluation time.
    pub at: Option<At>,
    /// How the edges of a range are treated; experimental.
    pub edges: RangeEdges,
    /// Whether this is the second argument of `info`, which may match everything.
    pub is_info_filter: bool,
    /// From the name to the last modifier.
    pub pos: PosRange,
}

/// What happens at the edges of a range that have no sample of their own; experimental.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RangeEdges {
    /// Only samples inside the range count.
    #[default]
    Plain,
    /// `anchored`: the last sample at or before each edge stands on it.
    Anchored,
    /// `smoothed`: values at the edges are interpolated between neighbours.
    Smoothed,
}

/// The instant after `@`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum At {
    /// A fixed instant.
    Timestamp(Millis),
    /// The start of the query.
    Start,
    /// The end of the query.
    End,
}

impl PosRange {
    /// The bytes `start..end`.
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// From the start of this to the end of `last`.
    #[must_use]
    pub const fn to(self, last: Self) -> Self {
        Self { start: self.start, end: last.end }
    }
}

impl Expr {
    /// What it evaluates to.
    pub fn value_type(&self) -> ValueType {
        match self {
            Self::Aggregate(_) | Self::Vector(_) => ValueType::Vector,
            Self::Binary(binary) => match (binary.lhs.value_type(), binary.rhs.value_type()) {
                (ValueType::Scalar, ValueType::Scalar) => ValueType::Scalar,
                _ => ValueType::Vector,
            },
            Self::Call(call) => call.func.returns,
            Self::Matrix(_) | Self::Subquery(_) => ValueType::Matrix,
            Self::Number(_) => ValueType::Scalar,
            Self::Paren(paren) => paren.expr.value_type(),
            Self::String(_) => ValueType::String,
            Self::Unary(unary) => unary.expr.value_type(),
        }
    }

    /// The bytes that it came from.
    pub fn pos(&self) -> PosRange {
        match self {
            Self::Aggregate(node) => node.pos,
            Self::Binary(node) => node.pos(),
            Self::Call(node) => node.pos,
            Self::Matrix(node) => node.pos,
            Self::Number(node) => node.pos,
            Self::Paren(node) => node.pos,
            Self::String(node) => node.pos,
            Self::Subquery(node) => node.pos,
            Self::Unary(node) => node.pos,
            Self::Vector(node) => node.pos,
        }
    }

    /// The expression inside any parentheses.
    pub fn unparen(&self) -> &Self {
        let mut expr = self;
        while let Self::Paren(paren) = expr {
            expr = &paren.expr;
        }
        expr
    }
}

impl Binary {
    /// From the left side to the right side.
    pub fn pos(&self) -> PosRange {
        self.lhs.pos().to(self.rhs.pos())
    }
}

impl StringLiteral {
    /// The text in double quotes, with the escapes that Go's `%q` writes.
    pub fn quoted(&self) -> String {
        match &self.not_utf8 {
            Some(bytes) => quote_bytes(bytes),
            None => quote(&self.value),
        }
    }
}

impl FillValues {
    /// Whether neither side is filled.
    pub fn is_none(&self) -> bool {
        self.lhs.is_none() && self.rhs.is_none()
    }
}

impl Cardinality {
    /// Its name in upstream's texts and in `/parse_query`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OneToOne => "one-to-one",
            Self::ManyToOne => "many-to-one",
            Self::OneToMany => "one-to-many",
            Self::ManyToMany => "many-to-many",
        }
    }
}
