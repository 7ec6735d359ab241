//! Where the samples of a series come from while it is evaluated: the store, or the steps of a
//! subquery.
//!
//! Samples are read into columns that are used again for the next series of the same thread.
//! Stale markers are dropped here for ranges; instant selectors need them and drop them
//! themselves.

use std::sync::Arc;

use masthead_model::{CounterResetHint, Histogram, Labels, is_stale};
use masthead_ports::{Columns, QueryCtx, Selected};
use masthead_vecmath::StepGrid;

use super::{
    Error,
    row::{Cell, Row},
};

/// Series whose samples a range function looks at.
#[derive(Debug)]
pub(crate) enum Series<'a> {
    Stored { selected: &'a Selected, use_starts: bool, stats_only: bool },
    Evaluated { rows: Vec<Row>, grid: Option<StepGrid> },
}

impl Series<'_> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Stored { selected, .. } => selected.labels.len(),
            Self::Evaluated { rows, .. } => rows.len(),
        }
    }

    pub(crate) fn labels(&self, at: usize) -> Option<&Labels> {
        match self {
            Self::Stored { selected, .. } => selected.labels.get(at),
            Self::Evaluated { rows, .. } => rows.get(at).map(|row| &row.labels),
        }
    }

    /// Whether the metric's name is already to be dropped.
    pub(crate) fn drop_name(&self, at: usize) -> bool {
        match self {
            Self::Stored { .. } => false,
            Self::Evaluated { rows, .. } => rows.get(at).is_some_and(|row| row.drop_name),
        }
    }

    /// Replaces what `into` holds by the samples of series number `at`, without stale markers.
    ///
    /// # Errors
    /// As the store's reader.
    pub(crate) fn read(&self, ctx: &QueryCtx, at: usize, into: &mut Columns) -> Result<(), Error> {
        match self {
            Self::Stored { selected, use_starts, stats_only } => {
                selected.reader.read(ctx, at, into)?;
                if *stats_only {
                    keep_stats(into);
                }
                if !use_starts {
                    into.float_starts.clear();
                    into.histogram_starts.clear();
                }
                drop_stale(into);
            }
            Self::Evaluated { rows, grid } => {
                into.clear();
                ctx.check()?;
                if let (Some(row), Some(grid)) = (rows.get(at), grid) {
                    read_row(row, grid, into);
                }
            }
        }
        Ok(())
    }
}

fn read_row(row: &Row, grid: &StepGrid, into: &mut Columns) {
    for (step, time) in grid.iter().enumerate() {
        match row.cell(step) {
            Cell::Absent => {}
            Cell::Float(value) => {
                into.float_times.push(time);
                into.floats.push(value);
            }
            Cell::Histogram(histogram) => {
                into.histogram_times.push(time);
                into.histograms.push(unhinted(histogram));
            }
        }
    }
}

/// Forgets hints about resets: the steps of a subquery leave samples out or repeat them, so a
/// reset that one sample announces may be missed or seen twice (`promql/engine.go: evalSubquery`).
fn unhinted(histogram: &Arc<Histogram>) -> Arc<Histogram> {
    match histogram.counter_reset_hint {
        CounterResetHint::Unknown | CounterResetHint::Gauge => Arc::clone(histogram),
        CounterResetHint::CounterReset | CounterResetHint::NotCounterReset => Arc::new(Histogram {
            counter_reset_hint: CounterResetHint::Unknown,
            ..(**histogram).clone()
        }),
    }
}

/// Leaves of each histogram its count and sum, and a hint that says whether it was reset, because
/// that can't be found out without the buckets (`promql/histogram_stats_iterator.go`).
pub(crate) fn keep_stats(columns: &mut Columns) {
    let mut before: Option<Arc<Histogram>> = None;
    for place in &mut columns.histograms {
        if is_stale(place.sum) {
            continue;
        }
        let hint = match (&before, place.counter_reset_hint) {
            (Some(before), CounterResetHint::Unknown) if place.detect_reset(before) => {
                CounterResetHint::CounterReset
            }
            (Some(_), CounterResetHint::Unknown) => CounterResetHint::NotCounterReset,
            (_, known) => known,
        };
        let stats = Histogram {
            counter_reset_hint: hint,
            // Exponential and custom buckets still must not meet.
            schema: place.schema,
            count: place.count,
            sum: place.sum,
            ..Histogram::default()
        };
        before = Some(std::mem::replace(place, Arc::new(stats)));
    }
}

fn drop_stale(columns: &mut Columns) {
    if columns.floats.iter().any(|value| is_stale(*value)) {
        let keep: Vec<bool> = columns.floats.iter().map(|value| !is_stale(*value)).collect();
        retain(&mut columns.float_times, &keep);
        retain(&mut columns.floats, &keep);
        retain(&mut columns.float_starts, &keep);
    }
    if columns.histograms.iter().any(|histogram| is_stale(histogram.sum)) {
        let keep: Vec<bool> =
            columns.histograms.iter().map(|histogram| !is_stale(histogram.sum)).collect();
        retain(&mut columns.histogram_times, &keep);
        retain(&mut columns.histograms, &keep);
        retain(&mut columns.histogram_starts, &keep);
    }
}

fn retain<T>(values: &mut Vec<T>, keep: &[bool]) {
    let mut keep = keep.iter();
    values.retain(|_| keep.next().copied().unwrap_or(true));
}

#[cfg(test)]
mod tests {
    use masthead_model::stale_nan;

    use super::*;

    #[test]
    fn stale_markers_leave_all_their_columns() {
        let mut columns = Columns {
            float_times: vec![1, 2, 3],
            floats: vec![1.0, stale_nan(), 3.0],
            float_starts: vec![7, 8, 9],
            ..Columns::default()
        };
        drop_stale(&mut columns);
        assert_eq!(columns.float_times, [1, 3]);
        assert_eq!(columns.floats, [1.0, 3.0]);
        assert_eq!(columns.float_starts, [7, 9]);
    }

    #[test]
    fn stripped_histograms_remember_whether_they_were_reset() {
        let histogram = |count, bucket| {
            Arc::new(Histogram {
                count,
                sum: count,
                positive_spans: vec![masthead_model::Span { offset: 0, length: 1 }],
                positive_buckets: vec![bucket],
                ..Histogram::default()
            })
        };
        let mut columns = Columns {
            histogram_times: vec![1, 2, 3],
            histograms: vec![histogram(2.0, 2.0), histogram(2.0, 1.0), histogram(3.0, 3.0)],
            ..Columns::default()
        };
        keep_stats(&mut columns);
        let hints: Vec<_> = columns.histograms.iter().map(|h| h.counter_reset_hint).collect();
        assert_eq!(
            hints,
            [
                CounterResetHint::Unknown,
                CounterResetHint::CounterReset,
                CounterResetHint::NotCounterReset
            ]
        );
        assert!(columns.histograms.iter().all(|histogram| histogram.positive_buckets.is_empty()));
    }

    #[test]
    fn subqueries_forget_hints_about_resets_but_not_about_gauges() {
        let f = |hint, want| {
            let histogram =
                Arc::new(Histogram { counter_reset_hint: hint, ..Histogram::default() });
            assert_eq!(unhinted(&histogram).counter_reset_hint, want);
        };
        f(CounterResetHint::CounterReset, CounterResetHint::Unknown);
        f(CounterResetHint::NotCounterReset, CounterResetHint::Unknown);
        f(CounterResetHint::Gauge, CounterResetHint::Gauge);
    }
}
