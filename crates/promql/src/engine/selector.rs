//! Instant selectors: the newest sample of each series at each step.
//!
//! A sample is seen for the lookback time, its own instant included and the far end excluded,
//! until a newer one or a stale marker takes its place. One pass over the samples serves all
//! steps. `smoothed` selectors draw a line between the samples around a step instead.

use std::sync::Arc;

use masthead_model::{CounterResetHint, Histogram, Labels, is_stale};
use masthead_ports::Columns;
use masthead_vecmath::StepGrid;

use super::{
    Error, Evaluation, Scratch,
    grid::Shift,
    interpolate::interpolated,
    plan::PlannedSelector,
    row::{ABSENT, Column, HistogramColumn, Made, Row},
    samples::keep_stats,
    usual_values,
};
use crate::{
    annotations::{Note, Notes, metric_name},
    ast::{PosRange, RangeEdges, VectorSelector},
};

/// What is wanted of the sample that a step sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Value,
    /// When it was measured, in seconds.
    Time,
    /// When its counter started, in seconds; 0 where unknown.
    Start,
    /// When it was measured, in milliseconds, of floats alone: for `info`.
    MillisOfFloat,
}

/// The floats and histograms of a row.
type Values = (Column, Option<HistogramColumn>);

/// What one selector asks of each of its series.
#[derive(Debug, Clone, Copy)]
struct Question {
    grid: StepGrid,
    shift: Shift,
    lookback: i64,
    wanted: Wanted,
}

impl Evaluation<'_> {
    /// The rows of an instant selector.
    ///
    /// # Errors
    /// As the store.
    pub(crate) fn selector_rows(
        &self,
        node: &VectorSelector,
        grid: &StepGrid,
        wanted: Wanted,
    ) -> Result<Vec<Row>, Error> {
        let Some(planned) = self.plan.selector(node) else { return Ok(Vec::new()) };
        let smoothed = node.edges == RangeEdges::Smoothed && wanted == Wanted::Value;
        let what = || format!("select {}", self.describe(planned.selection));
        self.ctx.traced(what, || {
            self.instant_rows(
                planned,
                grid,
                wanted,
                |_| true,
                |columns, question, labels, notes| {
                    smoothed.then(|| smooth(columns, question, labels, node.pos, notes))
                },
            )
        })
    }

    /// When the floats of the info series of a selection were measured, in milliseconds.
    ///
    /// # Errors
    /// As the store, and when a series is a histogram.
    pub(crate) fn info_rows(
        &self,
        planned: PlannedSelector,
        grid: &StepGrid,
        keep: impl Fn(&Labels) -> bool + Sync,
    ) -> Result<Vec<Row>, Error> {
        let rows =
            self.instant_rows(planned, grid, Wanted::MillisOfFloat, keep, |_, _, _, _| None)?;
        match rows.iter().find(|row| row.histograms.is_some()) {
            Some(row) => Err(Error::execution(format!(
                "this should be an info metric, with float samples: {}",
                row.labels
            ))),
            None => Ok(rows),
        }
    }

    fn instant_rows(
        &self,
        planned: PlannedSelector,
        grid: &StepGrid,
        wanted: Wanted,
        keep: impl Fn(&Labels) -> bool + Sync,
        other: impl Fn(&Columns, &Question, &Labels, &mut Notes) -> Option<Values> + Sync,
    ) -> Result<Vec<Row>, Error> {
        let PlannedSelector { selection, shift, stats_only, .. } = planned;
        let Some(selected) = self.selected.get(selection) else { return Ok(Vec::new()) };
        let lookback = self.options.lookback_ms;
        let question = Question { grid: *grid, shift, lookback, wanted };
        let size = (selected.labels.len(), usual_values(grid, lookback));
        let rows = self.each_series(size, |at, Scratch { columns, .. }, notes| {
            let Some(labels) = selected.labels.get(at).filter(|labels| keep(labels)) else {
                return Ok(None);
            };
            selected.reader.read(self.ctx, at, columns)?;
            if stats_only {
                keep_stats(columns);
            }
            if columns.is_empty() {
                return Ok(None);
            }
            self.charge_row(grid.len(), columns.len())?;
            let (floats, histograms) = match other(columns, &question, labels, notes) {
                Some(made) => made,
                None => newest(columns, &question),
            };
            let row = Row { labels: labels.clone(), drop_name: false, floats, histograms };
            Ok((!row.is_empty()).then_some(row))
        })?;
        let rows: Vec<Row> = rows.into_iter().flatten().collect();
        if let Some(counts) = &self.counts {
            counts.add_rows(&rows, grid.len());
        }
        Ok(rows)
    }
}

/// The newest sample at each step.
fn newest(columns: &Columns, question: &Question) -> Values {
    let grid = &question.grid;
    let mut floats = Column::from_elem(ABSENT, grid.len());
    let mut histograms: Option<HistogramColumn> = None;
    let (mut next_float, mut next_histogram) = (0, 0);
    for (place, at) in floats.iter_mut().zip(grid.iter()) {
        let seen_at = question.shift.apply(at);
        next_float = advance(&columns.float_times, next_float, seen_at);
        // Nearly no series has histograms, and then this costs one comparison.
        if !columns.histogram_times.is_empty() {
            next_histogram = advance(&columns.histogram_times, next_histogram, seen_at);
        }
        let float_time = before(&columns.float_times, next_float);
        let histogram_time = before(&columns.histogram_times, next_histogram);
        let Some(time) = float_time.max(histogram_time) else { continue };
        if time <= seen_at.saturating_sub(question.lookback) || histogram_time == Some(time) {
            continue;
        }
        let value = columns.floats.get(next_float - 1).copied().unwrap_or(ABSENT);
        if is_stale(value) {
            continue;
        }
        *place = match question.wanted {
            Wanted::Value => value,
            Wanted::Time => seconds(time),
            Wanted::Start => seconds(before(&columns.float_starts, next_float).unwrap_or(0)),
            Wanted::MillisOfFloat => millis(time),
        };
    }
    if !columns.histogram_times.is_empty() {
        newest_histograms(columns, question, &mut floats, &mut histograms);
    }
    (floats, histograms)
}

/// The second pass, for the few series that have histograms.
fn newest_histograms(
    columns: &Columns,
    question: &Question,
    floats: &mut Column,
    histograms: &mut Option<HistogramColumn>,
) {
    let grid = &question.grid;
    let (mut next_float, mut next_histogram) = (0, 0);
    for (step, at) in grid.iter().enumerate() {
        let seen_at = question.shift.apply(at);
        next_float = advance(&columns.float_times, next_float, seen_at);
        next_histogram = advance(&columns.histogram_times, next_histogram, seen_at);
        let float_time = before(&columns.float_times, next_float);
        let Some(time) = before(&columns.histogram_times, next_histogram) else { continue };
        if float_time > Some(time) || time <= seen_at.saturating_sub(question.lookback) {
            continue;
        }
        let Some(histogram) = columns.histograms.get(next_histogram - 1) else { continue };
        if is_stale(histogram.sum) {
            continue;
        }
        let place = floats.get_mut(step);
        match (question.wanted, place) {
            (Wanted::Time, Some(place)) => *place = seconds(time),
            (Wanted::Start, Some(place)) => {
                *place = seconds(before(&columns.histogram_starts, next_histogram).unwrap_or(0));
            }
            _ => {
                let column =
                    histograms.get_or_insert_with(|| vec![None; grid.len()].into_boxed_slice());
                if let Some(place) = column.get_mut(step) {
                    *place = Some(Arc::clone(histogram));
                }
            }
        }
    }
}

/// A `smoothed` selector: values between the samples around each step, at most the lookback time
/// away on either side; the last one is carried on.
fn smooth(
    columns: &Columns,
    question: &Question,
    labels: &Labels,
    pos: PosRange,
    notes: &mut Notes,
) -> Values {
    let grid = &question.grid;
    let mut row = Row::empty(labels.clone(), grid.len());
    let floats: Vec<(i64, f64)> = columns
        .float_times
        .iter()
        .copied()
        .zip(columns.floats.iter().copied())
        .filter(|(_, value)| !is_stale(*value))
        .collect();
    let histograms: Vec<(i64, &Arc<Histogram>)> = columns
        .histogram_times
        .iter()
        .copied()
        .zip(&columns.histograms)
        .filter(|(_, histogram)| !is_stale(histogram.sum))
        .collect();
    for (step, at) in grid.iter().enumerate() {
        let seen_at = question.shift.apply(at);
        let (from, to) =
            (seen_at.saturating_sub(question.lookback), seen_at.saturating_add(question.lookback));
        let near_floats = within(&floats, from, to);
        let near_histograms = within(&histograms, from, to);
        let made = match (near_floats.is_empty(), near_histograms.is_empty()) {
            (true, true) => None,
            (false, false) => {
                notes.add(Note::mixed_floats_histograms(metric_name(labels), pos));
                None
            }
            (false, true) => smooth_float(near_floats, seen_at).map(Made::Float),
            (true, false) => smooth_histogram(near_histograms, seen_at, labels, pos, notes),
        };
        if let Some(made) = made {
            row.set(step, made);
        }
    }
    (row.floats, row.histograms)
}

fn smooth_float(near: &[(i64, f64)], at: i64) -> Option<f64> {
    let next = near.partition_point(|(time, _)| *time < at);
    let (before, after) = (next.checked_sub(1).and_then(|i| near.get(i)), near.get(next));
    match (before, after) {
        (_, Some((time, value))) if *time == at => Some(*value),
        (Some((t1, v1)), Some((t2, v2))) => Some(v1 + (v2 - v1) * share(*t1, *t2, at)),
        (Some((_, value)), None) => Some(*value),
        (None, _) => None,
    }
}

fn smooth_histogram(
    near: &[(i64, &Arc<Histogram>)],
    at: i64,
    labels: &Labels,
    pos: PosRange,
    notes: &mut Notes,
) -> Option<Made> {
    let next = near.partition_point(|(time, _)| *time < at);
    let (before, after) = (next.checked_sub(1).and_then(|i| near.get(i)), near.get(next));
    match (before, after) {
        (_, Some((time, histogram))) if *time == at => Some(Made::Histogram(Arc::clone(histogram))),
        (Some(before), Some(after)) => {
            let is_counter = before.1.counter_reset_hint != CounterResetHint::Gauge
                && after.1.counter_reset_hint != CounterResetHint::Gauge;
            let made = interpolated(
                (before.0, before.1),
                (after.0, after.1),
                at,
                is_counter,
                notes,
                metric_name(labels),
                pos,
            )?;
            Some(Made::Histogram(Arc::new(made)))
        }
        (Some((_, histogram)), None) => Some(Made::Histogram(Arc::clone(histogram))),
        (None, _) => None,
    }
}

/// Which part of the way from `from` to `to` is done at `at`.
#[expect(clippy::cast_precision_loss, reason = "distances of samples are far below 2^53 ms")]
pub(crate) fn share(from: i64, to: i64, at: i64) -> f64 {
    at.saturating_sub(from) as f64 / to.saturating_sub(from) as f64
}

/// The samples after `from` and up to `to`.
fn within<T>(samples: &[(i64, T)], from: i64, to: i64) -> &[(i64, T)] {
    let low = samples.partition_point(|(time, _)| *time <= from);
    let high = samples.partition_point(|(time, _)| *time <= to);
    samples.get(low..high.max(low)).unwrap_or(&[])
}

/// How many of the rising `times` are at most `at`, knowing that `done` of them are.
#[inline]
fn advance(times: &[i64], done: usize, at: i64) -> usize {
    let rest = times.get(done..).unwrap_or(&[]);
    // A step passes few samples, or, in an instant query over a long selection, very many.
    match rest.iter().take(32).position(|time| *time > at) {
        Some(passed) => done + passed,
        None if rest.len() <= 32 => times.len(),
        None => done + rest.partition_point(|time| *time <= at),
    }
}

#[inline]
fn before(times: &[i64], next: usize) -> Option<i64> {
    times.get(next.checked_sub(1)?).copied()
}

/// Milliseconds as PromQL writes times.
#[expect(clippy::cast_precision_loss, reason = "exact until the year 287396")]
pub(crate) fn seconds(millis: i64) -> f64 {
    millis as f64 / 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "exact until the year 287396")]
fn millis(time: i64) -> f64 {
    time as f64
}

#[cfg(test)]
mod tests {
    use masthead_model::stale_nan;

    use super::*;
    use crate::engine::is_absent;

    fn question(start: i64, end: i64, step: i64) -> Question {
        Question {
            grid: StepGrid::new(start, end, step).expect("grid"),
            shift: Shift::default(),
            lookback: 20,
            wanted: Wanted::Value,
        }
    }

    fn floats(samples: &[(i64, f64)]) -> Columns {
        Columns {
            float_times: samples.iter().map(|(time, _)| *time).collect(),
            floats: samples.iter().map(|(_, value)| *value).collect(),
            ..Columns::default()
        }
    }

    #[test]
    fn a_sample_is_seen_from_its_instant_until_just_before_the_lookback_is_over() {
        let (column, _) = newest(&floats(&[(10, 1.0)]), &question(0, 40, 10));
        let seen: Vec<bool> = column.iter().map(|value| !is_absent(*value)).collect();
        assert_eq!(seen, [false, true, true, false, false]);
    }

    #[test]
    fn a_stale_marker_ends_a_series_and_a_histogram_ends_its_floats() {
        let mut columns = floats(&[(0, 1.0), (10, stale_nan()), (20, 2.0)]);
        columns.histogram_times = vec![30];
        columns.histograms = vec![Arc::default()];
        let (column, histograms) = newest(&columns, &question(0, 30, 10));
        let seen: Vec<bool> = column.iter().map(|value| !is_absent(*value)).collect();
        assert_eq!(seen, [true, false, true, false]);
        let histograms = histograms.expect("one");
        assert_eq!(histograms.iter().filter(|histogram| histogram.is_some()).count(), 1);
        assert!(histograms.last().is_some_and(Option::is_some));
    }

    #[test]
    fn smoothing_interpolates_carries_on_and_starts_at_the_first_sample() {
        let near = [(0, 1.0), (10, 3.0)];
        let f = |at, want| assert_eq!(smooth_float(&near, at), want, "{at}");
        f(-5, None);
        f(0, Some(1.0));
        f(5, Some(2.0));
        f(15, Some(3.0));
    }
}
