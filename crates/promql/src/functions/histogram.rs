//! Numbers about single native histograms.

use masthead_model::Histogram;
use masthead_vecmath::{
    StepGrid,
    histogram::{mean, variance},
};

use crate::{
    ast::Call,
    engine::{ABSENT, Error, Evaluation, Value, drop_empty},
};

pub(super) fn count(histogram: &Histogram) -> f64 {
    histogram.count
}

pub(super) fn sum(histogram: &Histogram) -> f64 {
    histogram.sum
}

pub(super) fn avg(histogram: &Histogram) -> f64 {
    mean(histogram)
}

pub(super) fn stdvar(histogram: &Histogram) -> f64 {
    variance(histogram)
}

pub(super) fn stddev(histogram: &Histogram) -> f64 {
    variance(histogram).sqrt()
}

/// The rows of the first argument with each histogram replaced by a number; floats are left out.
pub(super) fn of_histograms(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: &StepGrid,
    f: fn(&Histogram) -> f64,
) -> Result<Value, Error> {
    let Some(arg) = call.args.first() else { return Ok(Value::Vector(Vec::new())) };
    let mut rows = evaluation.vector(arg, grid)?;
    rows.retain(|row| row.histograms.is_some());
    evaluation.each_row(&mut rows, |row| {
        let Some(histograms) = row.histograms.take() else { return };
        for (value, histogram) in row.floats.iter_mut().zip(&histograms) {
            *value = histogram.as_ref().map_or(ABSENT, |histogram| f(histogram));
        }
    });
    drop_empty(&mut rows);
    evaluation.drop_names(rows).map(Value::Vector)
}
