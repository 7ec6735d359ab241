//! Functions between scalars and vectors. Those that depend on nothing but the instant are in the
//! table itself.

use masthead_model::Labels;
use masthead_vecmath::StepGrid;

use super::math::{larger, smaller};
use crate::{
    ast::Call,
    engine::{Error, Evaluation, Row, Value, is_absent},
};

pub(super) fn min_of(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: &StepGrid,
) -> Result<Value, Error> {
    of_two(evaluation, call, grid, smaller)
}

pub(super) fn max_of(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: &StepGrid,
) -> Result<Value, Error> {
    of_two(evaluation, call, grid, larger)
}

/// The only float of each step, NaN where there are more or none.
pub(super) fn scalar(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: &StepGrid,
) -> Result<Value, Error> {
    let rows = match call.args.first() {
        Some(arg) => evaluation.vector(arg, grid)?,
        None => Vec::new(),
    };
    let only = |step: usize| {
        let floats = rows.iter().filter_map(|row| row.floats.get(step).copied());
        let mut floats = floats.filter(|value| !is_absent(*value));
        match (floats.next(), floats.next()) {
            (Some(value), None) => value,
            _ => f64::NAN,
        }
    };
    Ok(Value::Scalar((0..grid.len()).map(only).collect()))
}

pub(super) fn vector(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: &StepGrid,
) -> Result<Value, Error> {
    let values = match call.args.first() {
        Some(arg) => evaluation.scalar(arg, grid)?,
        None => Vec::new(),
    };
    Ok(Value::Vector(vec![Row::of_floats(Labels::default(), false, values.into())]))
}

fn of_two(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: &StepGrid,
    f: fn(f64, f64) -> f64,
) -> Result<Value, Error> {
    let [a, b] = &call.args[..] else {
        return Ok(Value::Scalar(vec![f64::NAN; grid.len()]));
    };
    let (a, b) = (evaluation.scalar(a, grid)?, evaluation.scalar(b, grid)?);
    Ok(Value::Scalar(a.iter().zip(&b).map(|(a, b)| f(*a, *b)).collect()))
}
