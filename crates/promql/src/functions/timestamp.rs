//! `timestamp` and `start_timestamp`: when a sample was measured and since when it counts.
//!
//! Only a selector still knows; the result of anything else was measured when it was evaluated.

use masthead_vecmath::StepGrid;

use crate::{
    ast::{Call, Expr, RangeEdges},
    engine::{Cell, Error, Evaluation, Made, Value, Wanted, seconds},
};

pub(super) fn timestamp(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: &StepGrid,
) -> Result<Value, Error> {
    let Some(arg) = call.args.first() else { return Ok(Value::Vector(Vec::new())) };
    if let Expr::Vector(selector) = arg.unparen()
        && selector.edges != RangeEdges::Smoothed
    {
        let rows = evaluation.selector_rows(selector, grid, Wanted::Time)?;
        return evaluation.drop_names(rows).map(Value::Vector);
    }
    let mut rows = evaluation.vector(arg, grid)?;
    for row in &mut rows {
        for (step, at) in grid.iter().enumerate() {
            if !matches!(row.cell(step), Cell::Absent) {
                row.clear(step);
                row.set(step, Made::Float(seconds(at)));
            }
        }
        row.histograms = None;
    }
    evaluation.drop_names(rows).map(Value::Vector)
}

pub(super) fn start_timestamp(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: &StepGrid,
) -> Result<Value, Error> {
    match call.args.first().map(Expr::unparen) {
        Some(Expr::Vector(selector)) if evaluation.options.start_timestamps => {
            let rows = evaluation.selector_rows(selector, grid, Wanted::Start)?;
            evaluation.drop_names(rows).map(Value::Vector)
        }
        _ => Ok(Value::Vector(Vec::new())),
    }
}
