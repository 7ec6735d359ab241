//! Making nodes of the tree and refusing those without a meaning, in upstream's words and order.
//!
//! An error of meaning stands in the tree where the node would: whatever stands around it can hide
//! it by an error of its own, as upstream's constructors do.

use std::sync::Arc;

use masthead_model::RegexpSearch;

use super::{NOT_SELECTIVE, ParseError};
use crate::ast::{
    Binary, BinaryOp, DEPTH_MAX, Expr, Grouping, LabelReplace, LogExpr, LogRange, Matching,
    MetricExpr, RangeAggregation, RangeOp, VectorAggregation, VectorOp,
};

/// An expression, or what is wrong with its meaning.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Log(LogExpr),
    Metric {
        expr: MetricExpr,
        /// How deep it is nested.
        depth: usize,
    },
    Broken(ParseError),
}

pub(super) fn too_deep() -> ParseError {
    ParseError::nowhere(format!("expression is nested deeper than {DEPTH_MAX} levels"))
}

impl Node {
    pub(super) fn broken(message: impl Into<String>) -> Self {
        Self::Broken(ParseError::nowhere(message))
    }

    fn metric(expr: MetricExpr, depth: usize) -> Self {
        if depth > DEPTH_MAX { Self::Broken(too_deep()) } else { Self::Metric { expr, depth } }
    }

    /// Whether it makes numbers, or would if its meaning were right.
    pub(super) fn is_metric(&self) -> bool {
        !matches!(self, Self::Log(_))
    }

    /// The whole query.
    pub(super) fn finish(self) -> Result<Expr, ParseError> {
        match self {
            Self::Log(log) if !log.is_selective() => Err(ParseError::nowhere(NOT_SELECTIVE)),
            Self::Log(log) => Ok(Expr::Log(log)),
            Self::Metric { expr, .. } => Ok(Expr::Metric(expr)),
            Self::Broken(error) => Err(error),
        }
    }

    pub(super) fn literal(written: &str, negative: bool) -> Self {
        match number(written) {
            Ok(value) => {
                Self::metric(MetricExpr::Literal(if negative { -value } else { value }), 1)
            }
            Err(why) => Self::broken(format!("unable to parse literal as a float: {why}")),
        }
    }

    pub(super) fn vector(written: &str) -> Self {
        match number(written) {
            Ok(value) => Self::metric(MetricExpr::Vector(value), 1),
            Err(why) => Self::broken(format!("unable to parse vectorExpr as a float: {why}")),
        }
    }

    pub(super) fn range(
        op: RangeOp,
        parameter: Option<&str>,
        range: LogRange,
        grouping: Option<Grouping>,
    ) -> Self {
        let name = op.as_str();
        let parameter = match (parameter, op) {
            (Some(written), RangeOp::QuantileOverTime) => match number(written) {
                Ok(value) => Some(value),
                Err(why) => {
                    return Self::broken(format!("invalid parameter for operation {name}: {why}"));
                }
            },
            (Some(written), _) => {
                return Self::broken(format!(
                    "parameter {written} not supported for operation {name}"
                ));
            }
            (None, RangeOp::QuantileOverTime) => {
                return Self::broken(format!("parameter required for operation {name}"));
            }
            (None, _) => None,
        };
        if grouping.is_some() && !op.takes_grouping() {
            return Self::broken(format!("grouping not allowed for {name} aggregation"));
        }
        match &range.unwrap {
            Some(_) if !op.takes_values() => {
                return Self::broken(format!("invalid aggregation {name} with unwrap"));
            }
            None if !op.takes_lines() => {
                return Self::broken(format!("invalid aggregation {name} without unwrap"));
            }
            Some(_) | None => {}
        }
        if !range.log.is_selective() {
            return Self::broken(NOT_SELECTIVE);
        }
        Self::metric(
            MetricExpr::Range(Box::new(RangeAggregation { op, parameter, range, grouping })),
            1,
        )
    }

    pub(super) fn aggregate(
        op: VectorOp,
        parameter: Option<&str>,
        of: Self,
        grouping: Option<Grouping>,
    ) -> Self {
        let name = op.as_str();
        let count = match (parameter, op.takes_parameter()) {
            (None, true) => {
                return Self::broken(format!("parameter required for operation {name}"));
            }
            (Some(written), false) => {
                return Self::broken(format!(
                    "unsupported parameter for operation {name}({written},"
                ));
            }
            (Some(written), true) => match written.parse::<usize>() {
                Ok(0) => {
                    return Self::broken(format!(
                        "invalid parameter (must be greater than 0) {name}({written}"
                    ));
                }
                Ok(count) => count,
                Err(_) => return Self::broken(format!("invalid parameter {name}({written},")),
            },
            (None, false) => 0,
        };
        if op == VectorOp::ApproxTopk && grouping.is_some() {
            return Self::broken(format!("grouping not allowed for {name} aggregation"));
        }
        let sorts = matches!(op, VectorOp::Sort | VectorOp::SortDesc);
        if sorts && grouping.as_ref().is_some_and(|grouping| !grouping.names.is_empty()) {
            return Self::broken("sort and sort_desc doesn't allow grouping by ");
        }
        match of {
            // A number has no series to aggregate; upstream says it selects too much.
            Self::Metric { expr: MetricExpr::Literal(_), .. } => Self::broken(NOT_SELECTIVE),
            Self::Metric { expr, depth } => {
                let grouping = grouping.unwrap_or_default();
                let node = VectorAggregation { op, parameter: count, of: expr, grouping };
                Self::metric(MetricExpr::Aggregate(Box::new(node)), depth + 1)
            }
            broken => broken,
        }
    }

    pub(super) fn label_replace(of: Self, [to, replacement, from, pattern]: [String; 4]) -> Self {
        let anchored = format!("^(?:{pattern})$");
        let regex = match RegexpSearch::new(&anchored) {
            Ok(regex) => Arc::new(regex),
            Err(why) => return Self::broken(format!("invalid regex in label_replace: {why}")),
        };
        match of {
            Self::Metric { expr: MetricExpr::Literal(_), .. } => Self::broken(NOT_SELECTIVE),
            Self::Metric { expr, depth } => {
                let node = LabelReplace { of: expr, to, replacement, from, pattern, regex };
                Self::metric(MetricExpr::LabelReplace(Box::new(node)), depth + 1)
            }
            broken => broken,
        }
    }

    pub(super) fn binary(
        op: BinaryOp,
        return_bool: bool,
        matching: Matching,
        left: Self,
        right: Self,
    ) -> Self {
        for (side, node) in [("left", &left), ("right", &right)] {
            if let Self::Log(log) = node {
                let kind = if log.stages.is_empty() { "MatchersExpr" } else { "PipelineExpr" };
                return Self::broken(format!(
                    "unexpected type for {side} leg of binary operation ({}): *syntax.{kind}",
                    op.as_str()
                ));
            }
        }
        let (left, left_depth) = match left.into_metric() {
            Ok(left) => left,
            Err(broken) => return broken,
        };
        let (right, right_depth) = match right.into_metric() {
            Ok(right) => right,
            Err(broken) => return broken,
        };
        if op.is_set() {
            for (side, node) in [("left", &left), ("right", &right)] {
                if let MetricExpr::Literal(value) = node {
                    return Self::broken(format!(
                        "unexpected literal for {side} leg of logical/set binary operation ({}): \
                         {value:.6}",
                        op.as_str()
                    ));
                }
            }
        }
        if let (MetricExpr::Literal(left), MetricExpr::Literal(right)) = (&left, &right) {
            return Self::metric(MetricExpr::Literal(op.apply(*left, *right)), 1);
        }
        let node = Binary { op, left, right, return_bool, matching };
        Self::metric(MetricExpr::Binary(Box::new(node)), left_depth.max(right_depth) + 1)
    }

    fn into_metric(self) -> Result<(MetricExpr, usize), Self> {
        match self {
            Self::Metric { expr, depth } => Ok((expr, depth)),
            other => Err(other),
        }
    }
}

/// Reads a number as Go's `strconv.ParseFloat` does, from a token that the scanner let pass.
pub(super) fn number(written: &str) -> Result<f64, String> {
    let failed =
        |why| Err(format!("strconv.ParseFloat: parsing {}: {why}", masthead_model::quote(written)));
    let digits = written.replace('_', "");
    let lower = digits.to_ascii_lowercase();
    if lower.starts_with("0x") && !lower.contains('p') {
        return failed("invalid syntax");
    }
    match masthead_model::parse_number(&digits) {
        Some(value) if value.is_finite() => Ok(value),
        Some(_) => failed("value out of range"),
        None => failed("invalid syntax"),
    }
}
