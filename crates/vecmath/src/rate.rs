//! `rate`, `increase`, `delta` and their instant forms: from samples inside a window to its edges.
//!
//! Upstream: `promql/functions.go: extrapolatedRate`, `instantValue`. The forms that look beyond
//! the window's edges are in `extended.rs`; histograms in `histogram/rate.rs`.

use crate::{Bounds, starts_anew};

/// What is computed of the samples in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateKind {
    /// The growth of a counter per second.
    Rate,
    /// The growth of a counter.
    Increase,
    /// The difference of a gauge.
    Delta,
}

impl RateKind {
    /// Whether falling values mean that the counter started anew.
    pub fn is_counter(self) -> bool {
        !matches!(self, Self::Delta)
    }

    /// Whether the result is divided by the length of the window.
    pub fn is_per_second(self) -> bool {
        matches!(self, Self::Rate)
    }
}

/// The rate, increase or delta of the samples in one window, extrapolated to its edges.
///
/// `correction` is what resets between the samples lost
/// ([`CounterResets::correction`](crate::CounterResets::correction)), 0 for gauges. `first_start`
/// is the start time of the first sample, 0 if unknown: if it lies inside the window, a zero is
/// assumed there instead of extrapolating, and one sample is enough. Nothing without two samples
/// otherwise.
pub fn extrapolated_rate(
    times: &[i64],
    values: &[f64],
    first_start: i64,
    bounds: Bounds,
    kind: RateKind,
    correction: f64,
) -> Option<f64> {
    let (first, last) = (*values.first()?, *values.last()?);
    let mut growth = last - first;
    if kind.is_counter() {
        growth += correction;
    }
    let starts_inside = kind.is_counter() && start_is_inside(first_start, *times.first()?, bounds);
    let factor = extrapolation_factor(times, first_start, bounds, kind, first, growth)?;
    Some(if starts_inside { (growth + first) * factor } else { growth * factor })
}

/// By what the growth between the first and the last sample is multiplied to stand for the whole
/// window; nothing if there are too few samples.
///
/// `first` is the first value, or the first histogram's count, and `growth` how much it grew: a
/// counter isn't extrapolated to before it was zero. When the start time lies inside the window
/// the caller adds the first value to the growth, having taken it as the growth since the start.
pub fn extrapolation_factor(
    times: &[i64],
    first_start: i64,
    bounds: Bounds,
    kind: RateKind,
    first: f64,
    growth: f64,
) -> Option<f64> {
    let (first_time, last_time) = (*times.first()?, *times.last()?);
    let mut to_start = seconds(bounds.start, first_time);
    let mut to_end = seconds(last_time, bounds.end);
    let mut sampled = seconds(first_time, last_time);
    #[expect(clippy::cast_precision_loss, reason = "far fewer samples than 2^53")]
    let gaps = (times.len() - 1) as f64;
    let mean_gap = if gaps > 0.0 { sampled / gaps } else { 0.0 };
    // An edge up to a tenth of a gap further away than usual still counts as reached.
    let reached = mean_gap * 1.1;
    if kind.is_counter() && start_is_inside(first_start, first_time, bounds) {
        to_start = 0.0;
        sampled = seconds(first_start, last_time);
    } else if gaps < 1.0 {
        return None;
    } else {
        if to_start >= reached {
            to_start = mean_gap / 2.0;
        }
        if kind.is_counter() && growth > 0.0 && first >= 0.0 {
            let to_zero = sampled * (first / growth);
            if to_zero < to_start {
                to_start = to_zero;
            }
        }
    }
    if to_end >= reached {
        to_end = mean_gap / 2.0;
    }
    let mut factor = 1.0;
    if sampled > 0.0 {
        factor = (sampled + to_start + to_end) / sampled;
    }
    if kind.is_per_second() {
        factor /= bounds.seconds();
    }
    Some(factor)
}

/// Whether the first sample counts from a start that lies inside the window.
pub(crate) fn start_is_inside(first_start: i64, first_time: i64, bounds: Bounds) -> bool {
    first_start != 0 && first_start > bounds.start && first_start < first_time
}

/// `irate` and `idelta`: the last two samples of a window, as `(time, value, start time)`.
///
/// Nothing if both have the same time.
pub fn instant_rate(before: (i64, f64, i64), last: (i64, f64, i64), is_rate: bool) -> Option<f64> {
    let gap = seconds(before.0, last.0);
    if gap <= 0.0 {
        return None;
    }
    let reset = is_rate && (last.1 < before.1 || starts_anew(before.2, before.0, last.2, last.0));
    let growth = if reset { last.1 } else { last.1 - before.1 };
    Some(if is_rate { growth / gap } else { growth })
}

#[expect(clippy::cast_precision_loss, reason = "spans of time are far below 2^53 ms")]
pub(crate) fn seconds(from: i64, to: i64) -> f64 {
    to.saturating_sub(from) as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CounterResets;

    fn rate(samples: &[(i64, f64)], start: i64, kind: RateKind) -> Option<f64> {
        let (times, values): (Vec<_>, Vec<_>) = samples.iter().copied().unzip();
        let correction =
            CounterResets::find(&times, &values, &[]).correction(&values, 0, values.len());
        let bounds = Bounds { start: 0, end: 60_000 };
        extrapolated_rate(&times, &values, start, bounds, kind, correction)
    }

    #[test]
    fn growth_is_extrapolated_to_the_edges_of_the_window() {
        let f = |samples: &[(i64, f64)], kind, want: Option<f64>| {
            let got = rate(samples, 0, kind);
            let close = match (got, want) {
                (Some(got), Some(want)) => (got - want).abs() < 1e-9,
                (got, want) => got == want,
            };
            assert!(close, "{samples:?} {kind:?}: {got:?} is not {want:?}");
        };
        let even = [(15_000, 10.0), (30_000, 20.0), (45_000, 30.0), (60_000, 40.0)];
        f(&even, RateKind::Increase, Some(40.0));
        f(&even, RateKind::Rate, Some(40.0 / 60.0));
        f(&even, RateKind::Delta, Some(40.0));
        // Not to before the counter was zero: 5 s ahead of the first sample.
        let young = [(15_000, 5.0), (30_000, 20.0), (45_000, 35.0), (60_000, 50.0)];
        f(&young, RateKind::Increase, Some(50.0));
        f(&young, RateKind::Delta, Some(60.0));
        // Half a gap where the edge is further away than 1.1 gaps.
        f(&[(25_000, 100.0), (35_000, 110.0)], RateKind::Increase, Some(20.0));
        f(
            &[(15_000, 10.0), (30_000, 20.0), (45_000, 5.0), (60_000, 15.0)],
            RateKind::Increase,
            Some(25.0 * 60.0 / 45.0),
        );
        f(&[(15_000, 10.0), (60_000, 1.0)], RateKind::Delta, Some(-12.0));
        f(&[(15_000, 10.0)], RateKind::Increase, None);
        f(&[], RateKind::Increase, None);
        f(&[(15_000, 7.0), (60_000, 7.0)], RateKind::Increase, Some(0.0));
    }

    #[test]
    fn a_start_inside_the_window_counts_from_zero() {
        let f = |samples: &[(i64, f64)], start, want: Option<f64>| {
            let got = rate(samples, start, RateKind::Increase);
            assert_eq!(
                got.map(|v| (v * 1e6).round()),
                want.map(|v| (v * 1e6_f64).round()),
                "{start}"
            );
        };
        let two = [(20_000, 4.0), (60_000, 8.0)];
        f(&two, 10_000, Some(8.0));
        f(&two, 0, Some(8.0 * 60.0 / 80.0));
        f(&two, 20_000, Some(6.0));
        f(&two, 30_000, Some(6.0));
        f(&two, -5, Some(6.0));
        f(&[(20_000, 4.0)], 10_000, Some(4.0));
        f(&[(20_000, 4.0)], 20_000, None);
        assert_eq!(rate(&[(20_000, 4.0)], 10_000, RateKind::Delta), None);
    }

    #[test]
    fn the_last_two_samples_give_the_instant_rate() {
        let f = |before, last, is_rate, want: Option<f64>| {
            assert_eq!(instant_rate(before, last, is_rate), want);
        };
        f((0, 10.0, 0), (2_000, 30.0, 0), true, Some(10.0));
        f((0, 10.0, 0), (2_000, 30.0, 0), false, Some(20.0));
        f((0, 10.0, 0), (2_000, 4.0, 0), true, Some(2.0));
        f((0, 10.0, 0), (2_000, 4.0, 0), false, Some(-6.0));
        f((1_000, 10.0, 0), (2_000, 30.0, 1_500), true, Some(30.0));
        f((5, 1.0, 0), (5, 2.0, 0), true, None);
    }
}
