//! `absent` and `absent_over_time`: one sample where there is none.

use std::collections::{BTreeMap, BTreeSet};

use masthead_model::{Labels, METRIC_NAME, MatchOp, Matcher};
use masthead_vecmath::StepGrid;

use crate::{
    ast::{Call, Expr},
    engine::{ABSENT, Error, Evaluation, Row, Value},
};

pub(super) fn absent(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: &StepGrid,
) -> Result<Value, Error> {
    let Some(arg) = call.args.first() else { return Ok(Value::Vector(Vec::new())) };
    let rows = evaluation.vector(arg, grid)?;
    let mut present = vec![false; grid.len()];
    for row in &rows {
        for (step, present) in present.iter_mut().enumerate() {
            *present |= row.has(step);
        }
    }
    Ok(Value::Vector(filled(arg, &present)))
}

pub(super) fn absent_over_time(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: &StepGrid,
) -> Result<Value, Error> {
    let Some(arg) = call.args.first() else { return Ok(Value::Vector(Vec::new())) };
    let present = evaluation.steps_with_samples(call, grid)?;
    Ok(Value::Vector(filled(arg, &present)))
}

/// A row of ones where nothing is present, unless something always is.
fn filled(arg: &Expr, present: &[bool]) -> Vec<Row> {
    if present.iter().all(|present| *present) {
        return Vec::new();
    }
    let floats = present.iter().map(|present| if *present { ABSENT } else { 1.0 }).collect();
    vec![Row::of_floats(labels(arg), false, floats)]
}

/// The labels that the selector fixes: those with exactly one condition, which is an equality.
fn labels(arg: &Expr) -> Labels {
    let matchers: &[Matcher] = match arg.unparen() {
        Expr::Vector(selector) => &selector.matchers,
        Expr::Matrix(matrix) => &matrix.selector.matchers,
        _ => &[],
    };
    let (mut labels, mut fixed) = (BTreeMap::new(), BTreeSet::new());
    for matcher in matchers.iter().filter(|matcher| matcher.name() != METRIC_NAME) {
        if matcher.op() == MatchOp::Equal && fixed.insert(matcher.name()) {
            labels.insert(matcher.name(), matcher.value());
        } else {
            labels.remove(matcher.name());
        }
    }
    labels.into_iter().collect()
}
