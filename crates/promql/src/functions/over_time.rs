//! `…_over_time`: one number about the samples of each window.

use std::sync::Arc;

use masthead_model::{HistogramMean, HistogramSum};
use masthead_vecmath::{KahanMean, KahanSum, median_absolute_deviation, quantile};

use super::sliding::{PrefixSums, extreme};
use crate::{
    annotations::{HistogramOperation, Note, note_sum},
    engine::{Column, Floats, Made, RangeFunction, RangeNotes, Window, seconds},
};

const BASE: RangeFunction = RangeFunction {
    window: |_, _| Ok(None),
    column: None,
    rates: None,
    keeps_name: false,
    counter: false,
    edges: &[],
};

pub(super) const SUM: RangeFunction =
    RangeFunction { window: |window, says| Ok(sum(window, says)), column: Some(sums), ..BASE };

pub(super) const AVG: RangeFunction =
    RangeFunction { window: |window, says| Ok(avg(window, says)), column: Some(means), ..BASE };

pub(super) const COUNT: RangeFunction = RangeFunction {
    window: |window, _| {
        Ok(Some(Made::Float(length(window.floats.len() + window.histograms.len()))))
    },
    column: Some(|floats| floats.each(|_, values, _| some(values, |values| length(values.len())))),
    ..BASE
};

pub(super) const PRESENT: RangeFunction = RangeFunction {
    window: |_, _| Ok(Some(Made::Float(1.0))),
    column: Some(|floats| floats.each(|_, values, _| some(values, |_| 1.0))),
    ..BASE
};

pub(super) const MIN: RangeFunction = RangeFunction {
    window: |window, says| Ok(of_floats(window, says, min_of)),
    column: Some(|floats| {
        if floats.overlaps() {
            extreme(floats, |best, value| best < value)
        } else {
            floats.each(|_, values, _| some(values, min_of))
        }
    }),
    ..BASE
};

pub(super) const MAX: RangeFunction = RangeFunction {
    window: |window, says| Ok(of_floats(window, says, max_of)),
    column: Some(|floats| {
        if floats.overlaps() {
            extreme(floats, |best, value| best > value)
        } else {
            floats.each(|_, values, _| some(values, max_of))
        }
    }),
    ..BASE
};

pub(super) const STDDEV: RangeFunction = RangeFunction {
    window: |window, says| Ok(of_floats(window, says, |values| variance_of(values).sqrt())),
    column: Some(|floats| {
        floats.each(|_, values, _| some(values, |values| variance_of(values).sqrt()))
    }),
    ..BASE
};

pub(super) const STDVAR: RangeFunction = RangeFunction {
    window: |window, says| Ok(of_floats(window, says, variance_of)),
    column: Some(|floats| floats.each(|_, values, _| some(values, variance_of))),
    ..BASE
};

pub(super) const MAD: RangeFunction = RangeFunction {
    window: |window, says| {
        Ok(of_floats(window, says, |values| median_absolute_deviation(&mut values.to_vec())))
    },
    ..BASE
};

pub(super) const QUANTILE: RangeFunction = RangeFunction {
    window: |window, says| {
        let wanted = window.args.first().copied().unwrap_or(f64::NAN);
        if !window.floats.is_empty() && !(0.0..=1.0).contains(&wanted) {
            says.notes.add(Note::invalid_quantile(wanted, says.pos));
        }
        Ok(of_floats(window, says, |values| quantile(wanted, &mut values.to_vec())))
    },
    ..BASE
};

pub(super) const FIRST: RangeFunction = RangeFunction {
    window: |window, _| Ok(first(window)),
    column: Some(|floats| floats.each(|_, values, _| values.first().copied())),
    keeps_name: true,
    ..BASE
};

pub(super) const LAST: RangeFunction = RangeFunction {
    window: |window, _| Ok(last(window)),
    column: Some(|floats| floats.each(|_, values, _| values.last().copied())),
    keeps_name: true,
    ..BASE
};

pub(super) const TS_OF_FIRST: RangeFunction = RangeFunction {
    window: |window, _| {
        let first = window.times.first().into_iter().chain(window.histogram_times.first());
        Ok(first.min().map(|time| Made::Float(seconds(*time))))
    },
    ..BASE
};

pub(super) const TS_OF_LAST: RangeFunction = RangeFunction {
    window: |window, _| {
        let last = window.times.last().into_iter().chain(window.histogram_times.last());
        Ok(last.max().map(|time| Made::Float(seconds(*time))))
    },
    ..BASE
};

pub(super) const TS_OF_MIN: RangeFunction = RangeFunction {
    window: |window, says| Ok(time_of(window, says, |value, best| value <= best)),
    ..BASE
};

pub(super) const TS_OF_MAX: RangeFunction = RangeFunction {
    window: |window, says| Ok(time_of(window, says, |value, best| value >= best)),
    ..BASE
};

fn sums(floats: &Floats<'_>) -> Column {
    match floats.overlaps().then(|| PrefixSums::new(floats.values)).flatten() {
        Some(sums) => floats.each_range(|range, _| sums.sum(&range).filter(|_| !range.is_empty())),
        None => floats.each(|_, values, _| some(values, sum_of)),
    }
}

fn means(floats: &Floats<'_>) -> Column {
    match floats.overlaps().then(|| PrefixSums::new(floats.values)).flatten() {
        Some(sums) => floats.each_range(|range, _| {
            (!range.is_empty()).then_some(sums.sum(&range)? / length(range.len()))
        }),
        None => floats.each(|_, values, _| some(values, mean_of)),
    }
}

fn some(values: &[f64], f: impl FnOnce(&[f64]) -> f64) -> Option<f64> {
    (!values.is_empty()).then(|| f(values))
}

fn sum_of(values: &[f64]) -> f64 {
    values.iter().copied().collect::<KahanSum>().value()
}

fn mean_of(values: &[f64]) -> f64 {
    values.iter().copied().collect::<KahanMean>().value()
}

/// In two passes, which take less time than one that divides for each value.
fn variance_of(values: &[f64]) -> f64 {
    let count = length(values.len());
    let mut mean = sum_of(values) / count;
    if mean.is_infinite() {
        // The sum may have overflowed where the mean does not.
        mean = mean_of(values);
    }
    let (mut squares, mut rest) = (0.0, 0.0);
    for value in values {
        let distance = value - mean;
        squares += distance * distance;
        // What the mean lost to rounding.
        rest += distance;
    }
    (squares - rest * rest / count) / count
}

/// NaN only where there is nothing else.
fn min_of(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NAN, f64::min)
}

/// NaN only where there is nothing else.
fn max_of(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NAN, f64::max)
}

#[expect(clippy::cast_precision_loss, reason = "far fewer samples than 2^53")]
fn length(samples: usize) -> f64 {
    samples as f64
}

/// A number about the floats; histograms beside them are left out, which is noted.
fn of_floats(
    window: &Window<'_>,
    says: &mut RangeNotes<'_>,
    f: impl FnOnce(&[f64]) -> f64,
) -> Option<Made> {
    if window.floats.is_empty() {
        return None;
    }
    says.ignored_histograms(window);
    Some(Made::Float(f(window.floats)))
}

fn is_mixed(window: &Window<'_>, says: &mut RangeNotes<'_>) -> bool {
    let mixed = !window.floats.is_empty() && !window.histograms.is_empty();
    if mixed {
        says.notes.add(Note::mixed_floats_histograms(says.metric, says.pos));
    }
    mixed
}

fn sum(window: &Window<'_>, says: &mut RangeNotes<'_>) -> Option<Made> {
    if is_mixed(window, says) {
        return None;
    }
    let Some((first, rest)) = window.histograms.split_first() else {
        return some(window.floats, sum_of).map(Made::Float);
    };
    let mut sum = HistogramSum::new((**first).clone());
    for histogram in rest {
        if sum.add(histogram).is_err() {
            says.notes.add(Note::mixed_schemas(says.metric, says.pos));
            return None;
        }
    }
    note_sum(sum.notes(), HistogramOperation::Aggregation, says.pos, says.notes);
    Some(Made::Histogram(Arc::new(sum.finish())))
}

fn avg(window: &Window<'_>, says: &mut RangeNotes<'_>) -> Option<Made> {
    if is_mixed(window, says) {
        return None;
    }
    let Some((first, rest)) = window.histograms.split_first() else {
        return some(window.floats, mean_of).map(Made::Float);
    };
    let mut mean = HistogramMean::new((**first).clone());
    for histogram in rest {
        if mean.add(histogram).is_err() {
            says.notes.add(Note::mixed_schemas(says.metric, says.pos));
            return None;
        }
    }
    note_sum(mean.notes(), HistogramOperation::Aggregation, says.pos, says.notes);
    Some(Made::Histogram(Arc::new(mean.finish())))
}

fn first(window: &Window<'_>) -> Option<Made> {
    let float = window.times.first().zip(window.floats.first());
    let histogram = window.histogram_times.first().zip(window.histograms.first());
    match (float, histogram) {
        (Some((t1, _)), Some((t2, histogram))) if t2 <= t1 => {
            Some(Made::Histogram(Arc::clone(histogram)))
        }
        (Some((_, value)), _) => Some(Made::Float(*value)),
        (None, Some((_, histogram))) => Some(Made::Histogram(Arc::clone(histogram))),
        (None, None) => None,
    }
}

fn last(window: &Window<'_>) -> Option<Made> {
    let float = window.times.last().zip(window.floats.last());
    let histogram = window.histogram_times.last().zip(window.histograms.last());
    match (float, histogram) {
        (Some((t1, _)), Some((t2, histogram))) if t2 >= t1 => {
            Some(Made::Histogram(Arc::clone(histogram)))
        }
        (Some((_, value)), _) => Some(Made::Float(*value)),
        (None, Some((_, histogram))) => Some(Made::Histogram(Arc::clone(histogram))),
        (None, None) => None,
    }
}

/// When the last of the best values was measured.
fn time_of(
    window: &Window<'_>,
    says: &mut RangeNotes<'_>,
    better: impl Fn(f64, f64) -> bool,
) -> Option<Made> {
    let (mut time, mut best) = (*window.times.first()?, *window.floats.first()?);
    says.ignored_histograms(window);
    for (at, value) in window.times.iter().zip(window.floats) {
        if better(*value, best) || best.is_nan() {
            (time, best) = (*at, *value);
        }
    }
    Some(Made::Float(seconds(time)))
}
