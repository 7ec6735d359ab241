//! Where a counter starts anew, and how often a value changes.

/// Whether the sample at `time` counts from a start that the sample before it doesn't share.
///
/// Start times are milliseconds, 0 where unknown. A start at the time of the sample before means
/// a reset only if that one knew its start: deltas look so, but also cumulative series whose start
/// is unknown. Upstream: `promql/functions.go: isStartTimestampReset`.
pub fn starts_anew(previous_start: i64, previous_time: i64, start: i64, time: i64) -> bool {
    if start == 0 || start >= time || start < previous_time {
        return false;
    }
    if start > previous_time {
        return true;
    }
    previous_start != 0 && previous_start < previous_time
}

/// Whether a start time lies before the sample before it without being that one's start: then
/// two samples claim the same time.
pub fn start_overlaps(previous_start: i64, previous_time: i64, start: i64) -> bool {
    start != 0 && start < previous_time && start != previous_start
}

/// The places in one series at which a counter was reset, found once for all windows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CounterResets {
    /// Positions of the first samples after a reset, rising.
    positions: Vec<usize>,
    /// Positions of the first samples whose start overlaps with the sample before.
    overlaps: Vec<usize>,
}

impl CounterResets {
    /// Finds the resets of a series: where its value falls, or its start time says so.
    ///
    /// `starts` is empty where start times aren't used, else as long as the others.
    pub fn find(times: &[i64], values: &[f64], starts: &[i64]) -> Self {
        let mut found = Self::default();
        let pairs = || values.iter().zip(values.get(1..).unwrap_or(&[]));
        // Nearly no counter is reset, and whether any is can be seen many values at a time.
        if pairs().map(|(before, now)| usize::from(now < before)).sum::<usize>() > 0 {
            let falls = (1..).zip(pairs()).filter(|(_, (before, now))| now < before);
            found.positions.extend(falls.map(|(at, _)| at));
        }
        if starts.iter().any(|start| *start != 0) {
            for (at, (starts, times)) in starts.windows(2).zip(times.windows(2)).enumerate() {
                if let ([start_before, start], [before, now]) = (starts, times) {
                    if starts_anew(*start_before, *before, *start, *now) {
                        found.positions.push(at + 1);
                    }
                    if start_overlaps(*start_before, *before, *start) {
                        found.overlaps.push(at + 1);
                    }
                }
            }
            found.positions.sort_unstable();
            found.positions.dedup();
        }
        found
    }

    /// Whether there is nothing to correct anywhere.
    pub fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }

    /// How many resets there are.
    pub fn len(&self) -> usize {
        self.positions.len()
    }

    /// How many resets lie between the samples of the window `low..high`.
    pub fn count(&self, low: usize, high: usize) -> usize {
        within(&self.positions, low, high).len()
    }

    /// What must be added to the last minus the first value of the window `low..high`.
    pub fn correction(&self, values: &[f64], low: usize, high: usize) -> f64 {
        let before = |at: &usize| values.get(at - 1).copied().unwrap_or(0.0);
        within(&self.positions, low, high).iter().map(before).sum()
    }

    /// Whether start times overlap between the samples of the window `low..high`.
    pub fn overlap(&self, low: usize, high: usize) -> bool {
        !within(&self.overlaps, low, high).is_empty()
    }
}

/// The positions after `low` and before `high`.
fn within(positions: &[usize], low: usize, high: usize) -> &[usize] {
    let from = positions.partition_point(|at| *at <= low);
    let to = positions.partition_point(|at| *at < high);
    positions.get(from..to).unwrap_or(&[])
}

/// How often a value differs from the one before it; NaN after NaN is no change.
pub fn changes(values: &[f64]) -> usize {
    let differs = |two: &&[f64]| match two {
        [a, b] => (a < b || b < a || a.is_nan() != b.is_nan()) && !(a.is_nan() && b.is_nan()),
        _ => false,
    };
    values.windows(2).filter(differs).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn start_times_tell_resets_from_continuations() {
        let f = |previous_start, start, want| {
            assert_eq!(
                starts_anew(previous_start, 100, start, 200),
                want,
                "{previous_start} {start}"
            );
        };
        f(10, 10, false);
        f(10, 99, false);
        f(10, 150, true);
        f(10, 100, true); // A delta: it starts where the one before ends.
        f(0, 100, false); // A cumulative series with an unknown start.
        f(100, 100, false); // The same, as OpenTelemetry writes it.
        f(150, 100, false); // A start after its own sample is no start.
        f(10, 0, false);
        f(10, 200, false);
        f(10, 300, false);
        let f = |previous_start, start, want| {
            assert_eq!(
                start_overlaps(previous_start, 100, start),
                want,
                "{previous_start} {start}"
            );
        };
        f(10, 10, false);
        f(10, 100, false);
        f(10, 0, false);
        f(10, 50, true);
    }

    #[test]
    fn resets_are_counted_inside_the_window_only() {
        let values = [5.0, 2.0, 3.0, 1.0, f64::NAN, 0.0];
        let resets = CounterResets::find(&[1, 2, 3, 4, 5, 6], &values, &[]);
        let f = |low, high, count, correction: f64| {
            assert_eq!(resets.count(low, high), count, "{low}..{high}");
            let got = resets.correction(&values, low, high);
            assert!((got - correction).abs() < 1e-12, "{low}..{high}: {got}");
        };
        f(0, 6, 2, 8.0);
        f(1, 4, 1, 3.0);
        f(1, 3, 0, 0.0);
        f(3, 6, 0, 0.0);
        f(0, 0, 0, 0.0);
        let times = [100, 200, 300];
        let starts = CounterResets::find(&times, &[1.0, 1.0, 1.0], &[50, 100, 150]);
        assert_eq!(
            (starts.count(0, 3), starts.overlap(0, 3), starts.overlap(0, 2)),
            (1, true, false)
        );
        let both = CounterResets::find(&times, &[2.0, 1.0, 1.0], &[50, 100, 100]);
        assert_eq!(both.count(0, 3), 1);
    }

    #[test]
    fn changes_count_nan_once() {
        let f = |values: &[f64], want| assert_eq!(changes(values), want, "{values:?}");
        f(&[], 0);
        f(&[1.0], 0);
        f(&[1.0, 1.0, 2.0, 1.0], 2);
        f(&[f64::NAN, f64::NAN, 1.0, f64::NAN], 2);
        f(&[0.0, -0.0], 0);
        f(&[f64::INFINITY, f64::INFINITY], 0);
    }

    proptest! {
        #[test]
        fn a_window_of_found_resets_is_what_the_window_alone_would_find(
            values in proptest::collection::vec(0..6_u8, 2..30), low in 0..15_usize, len in 0..15_usize,
        ) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let times: Vec<i64> = (0_i64..).zip(&values).map(|(at, _)| at).collect();
            let resets = CounterResets::find(&times, &values, &[]);
            let low = low.min(values.len() - 1);
            let high = (low + len).min(values.len());
            let window = &values[low..high];
            let naive: f64 = window.windows(2).filter(|w| w[1] < w[0]).map(|w| w[0]).sum();
            prop_assert!((resets.correction(&values, low, high) - naive).abs() < 1e-9);
            prop_assert_eq!(resets.count(low, high), window.windows(2).filter(|w| w[1] < w[0]).count());
        }
    }
}
