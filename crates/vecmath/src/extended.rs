//! `anchored` and `smoothed` windows: the sample before the window belongs to it, or the value at
//! each edge is interpolated. Nothing is extrapolated.
//!
//! Upstream: `promql/functions.go: extendedRate` and `promql/engine.go: extendFloats`.

use std::ops::Range;

use crate::{Bounds, RateKind};

/// How the edges of a window are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// The last sample at or before the left edge stands for it; the right edge is the last sample.
    Anchored,
    /// The values at both edges are interpolated between the samples around them.
    Smoothed,
}

/// The positions of the samples that decide about the window, of samples that begin before it (and
/// for smoothed windows go on after it); nothing if none does.
pub(crate) fn extent(times: &[i64], bounds: Bounds, edge: Edge) -> Option<Range<usize>> {
    let last = times.len().checked_sub(1)?;
    let before_last = times.get(..last)?;
    let first = before_last.partition_point(|time| *time <= bounds.start).saturating_sub(1);
    let last = match edge {
        Edge::Anchored => last,
        Edge::Smoothed => before_last.partition_point(|time| *time < bounds.end),
    };
    let starts_too_late = edge == Edge::Smoothed && *times.get(first)? > bounds.end;
    (*times.get(last)? > bounds.start && !starts_too_late).then_some(first..last + 1)
}

/// The rate, increase or delta over a window whose left edge lies inside `times`.
///
/// `times` reach back before the window by the lookback delta, and for smoothed ones as far beyond
/// its end. Nothing if no sample lies after the window's start.
pub fn extended_rate(
    times: &[i64],
    values: &[f64],
    bounds: Bounds,
    edge: Edge,
    kind: RateKind,
) -> Option<f64> {
    let (left, inner, right) = edges(times, values, bounds, edge, kind.is_counter())?;
    let mut growth = right - left;
    if kind.is_counter() {
        let mut before = left;
        for value in values.get(inner)?.iter().chain([&right]) {
            if *value < before {
                growth += before;
            }
            before = *value;
        }
    }
    Some(if kind.is_per_second() { growth / bounds.seconds() } else { growth })
}

/// The samples of the window with one at each edge, as `changes` and `resets` see them and as a
/// selector answers; empty if no sample lies after the window's start.
pub fn extended_points(
    times: &[i64],
    values: &[f64],
    bounds: Bounds,
    edge: Edge,
) -> (Vec<i64>, Vec<f64>) {
    let Some((left, inner, right)) = edges(times, values, bounds, edge, false) else {
        return (Vec::new(), Vec::new());
    };
    let mut out_times = Vec::with_capacity(inner.len() + 2);
    let mut out_values = Vec::with_capacity(inner.len() + 2);
    out_times.push(bounds.start);
    out_values.push(left);
    out_times.extend_from_slice(times.get(inner.clone()).unwrap_or(&[]));
    out_values.extend_from_slice(values.get(inner).unwrap_or(&[]));
    out_times.push(bounds.end);
    out_values.push(right);
    (out_times, out_values)
}

/// The value at each edge, and the positions of the samples strictly between them.
fn edges(
    times: &[i64],
    values: &[f64],
    bounds: Bounds,
    edge: Edge,
    is_counter: bool,
) -> Option<(f64, Range<usize>, f64)> {
    let Range { start: mut first, end } = extent(times, bounds, edge)?;
    let mut last = end - 1;
    let smoothed = edge == Edge::Smoothed;
    let point = |at: usize| Some((*times.get(at)?, *values.get(at)?));
    let left = point(first)?;
    let left = match point(first + 1) {
        Some(next) if smoothed && left.0 < bounds.start => {
            interpolate(left, next, bounds.start, is_counter)
        }
        _ => left.1,
    };
    let right = point(last)?;
    let right = match last.checked_sub(1).and_then(point) {
        Some(before) if smoothed && right.0 > bounds.end => {
            interpolate(before, right, bounds.end, is_counter)
        }
        _ => right.1,
    };
    if *times.get(first)? <= bounds.start {
        first += 1;
    }
    if *times.get(last)? < bounds.end {
        last += 1;
    }
    Some((left, first..last.max(first), right))
}

/// A counter that fell in between is taken to have started from zero.
#[expect(clippy::cast_precision_loss, reason = "spans of time are far below 2^53 ms")]
fn interpolate(from: (i64, f64), to: (i64, f64), at: i64, is_counter: bool) -> f64 {
    let start = if is_counter && to.1 < from.1 { 0.0 } else { from.1 };
    let way = at.saturating_sub(from.0) as f64 / to.0.saturating_sub(from.0) as f64;
    start + (to.1 - start) * way
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: &[f64], step: i64) -> (Vec<i64>, Vec<f64>) {
        ((0..).zip(values).map(|(n, _)| n * step).collect(), values.to_vec())
    }

    #[test]
    fn edges_are_samples_or_interpolated() {
        let (times, values) = series(&[1.0, 2.0, 3.0, 4.0, 5.0, 9.0, 10.0], 15_000);
        let f = |end, edge, want: f64| {
            // What the selector hands over: back by five minutes, forth for smoothed ones.
            let until = if edge == Edge::Smoothed {
                times.len()
            } else {
                times.partition_point(|t| *t <= end)
            };
            let got = extended_rate(
                &times[..until],
                &values[..until],
                Bounds { start: end - 60_000, end },
                edge,
                RateKind::Increase,
            );
            assert!(
                (got.expect("samples") - want).abs() < 1e-9,
                "{end} {edge:?}: {got:?} is not {want}"
            );
        };
        f(5_000, Edge::Anchored, 0.0);
        f(20_000, Edge::Anchored, 1.0);
        f(65_000, Edge::Anchored, 4.0);
        f(80_000, Edge::Anchored, 7.0);
        f(5_000, Edge::Smoothed, 1.0 / 3.0);
        f(65_000, Edge::Smoothed, 5.0);
        f(80_000, Edge::Smoothed, 7.0);
    }

    #[test]
    fn resets_at_the_edges_count_from_zero() {
        let f = |values: &[f64], bounds, edge, kind, want: Option<f64>| {
            let (times, values) = series(values, 60_000);
            let got = extended_rate(&times, &values, bounds, edge, kind);
            assert_eq!(
                got.map(|v| (v * 1e6).round()),
                want.map(|v| (v * 1e6_f64).round()),
                "{values:?}"
            );
        };
        let middle = Bounds { start: 15_000, end: 135_000 };
        f(&[9.0, 8.0, 5.0, 4.0], middle, Edge::Smoothed, RateKind::Increase, Some(12.0));
        f(&[9.0, 8.0, 5.0, 4.0], middle, Edge::Smoothed, RateKind::Delta, Some(4.75 - 8.75));
        let late = Bounds { start: 70_000, end: 90_000 };
        f(&[3.0, 2.0], late, Edge::Anchored, RateKind::Increase, None);
        f(&[3.0, 2.0], late, Edge::Smoothed, RateKind::Increase, None);
        let early = Bounds { start: -90_000, end: -30_000 };
        f(&[3.0, 2.0], early, Edge::Smoothed, RateKind::Increase, None);
        f(&[], late, Edge::Anchored, RateKind::Rate, None);
        let exact = Bounds { start: 0, end: 60_000 };
        f(&[3.0, 9.0], exact, Edge::Anchored, RateKind::Rate, Some(0.1));
        f(&[3.0, 2.0], exact, Edge::Anchored, RateKind::Increase, Some(2.0));
        f(
            &[3.0],
            Bounds { start: -60_000, end: 60_000 },
            Edge::Smoothed,
            RateKind::Increase,
            Some(0.0),
        );
    }

    #[test]
    fn points_at_the_edges_replace_those_that_lie_on_them() {
        let (times, values) = series(&[1.0, 2.0, 3.0], 10);
        let f = |bounds, edge, want: &[(i64, f64)]| {
            let (times, values) = extended_points(&times, &values, bounds, edge);
            assert_eq!(times.into_iter().zip(values).collect::<Vec<_>>(), want);
        };
        f(Bounds { start: 0, end: 20 }, Edge::Anchored, &[(0, 1.0), (10, 2.0), (20, 3.0)]);
        f(
            Bounds { start: 5, end: 25 },
            Edge::Anchored,
            &[(5, 1.0), (10, 2.0), (20, 3.0), (25, 3.0)],
        );
        f(Bounds { start: 5, end: 15 }, Edge::Smoothed, &[(5, 1.5), (10, 2.0), (15, 2.5)]);
        f(Bounds { start: 30, end: 40 }, Edge::Anchored, &[]);
    }
}
