//! Which samples of one series lie in the window of each step.

use std::ops::Range;

use crate::StepGrid;

/// A window in time: everything after `start` and up to `end`, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Not inside any more.
    pub start: i64,
    /// The last instant inside.
    pub end: i64,
}

impl Bounds {
    /// The window of `range` milliseconds that ends `offset` milliseconds before `at`.
    pub fn ending(at: i64, range: i64, offset: i64) -> Self {
        let end = at.saturating_sub(offset);
        Self { start: end.saturating_sub(range), end }
    }

    /// Its length in seconds.
    #[expect(clippy::cast_precision_loss, reason = "ranges are far below 2^53 ms")]
    pub fn seconds(&self) -> f64 {
        self.end.saturating_sub(self.start) as f64 / 1000.0
    }
}

/// Walks the windows of all steps over one series, in time proportional to samples plus steps.
///
/// Yields for each step its bounds and the range of positions in `times`, which must rise.
#[derive(Debug, Clone)]
pub struct Windows<'a> {
    times: &'a [i64],
    grid: StepGrid,
    range: i64,
    offset: i64,
    step: usize,
    low: usize,
    high: usize,
}

impl<'a> Windows<'a> {
    /// Windows of `range` milliseconds that end `offset` milliseconds before each step.
    pub fn new(times: &'a [i64], grid: StepGrid, range: i64, offset: i64) -> Self {
        Self { times, grid, range, offset, step: 0, low: 0, high: 0 }
    }
}

impl Iterator for Windows<'_> {
    type Item = (Bounds, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.step == self.grid.len() {
            return None;
        }
        let bounds = Bounds::ending(self.grid.at(self.step), self.range, self.offset);
        self.step += 1;
        let beyond = |from: usize, limit: i64| {
            let rest = self.times.get(from..).unwrap_or(&[]);
            from + gallop(rest, limit)
        };
        self.high = beyond(self.high, bounds.end);
        self.low = beyond(self.low, bounds.start).min(self.high);
        Some((bounds, self.low..self.high))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.grid.len() - self.step;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Windows<'_> {}

/// How many of the rising `times` are at most `limit`: in steps that double, so that both a short
/// way and a long one are cheap.
fn gallop(times: &[i64], limit: i64) -> usize {
    // Where steps are as far apart as samples, each step passes one.
    match times {
        [] => return 0,
        [first, ..] if *first > limit => return 0,
        [_, second, ..] if *second > limit => return 1,
        _ => {}
    }
    let mut reach = 1;
    while times.get(reach - 1).is_some_and(|time| *time <= limit) {
        reach *= 2;
    }
    let from = reach / 2;
    let to = reach.min(times.len());
    from + times.get(from..to).unwrap_or(&[]).partition_point(|time| *time <= limit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn windows_are_open_on_the_left() {
        let times = [0, 10, 20, 30];
        let grid = StepGrid::new(0, 40, 10).expect("grid");
        let got: Vec<_> = Windows::new(&times, grid, 20, 0).map(|(_, range)| range).collect();
        assert_eq!(got, [0..1, 0..2, 1..3, 2..4, 3..4]);
        let moved: Vec<_> = Windows::new(&times, grid, 20, 10).map(|(_, range)| range).collect();
        assert_eq!(moved, [0..0, 0..1, 0..2, 1..3, 2..4]);
        assert_eq!(Windows::new(&times, grid, 20, 0).len(), 5);
        assert!((Bounds::ending(5_000, 1_500, 500).seconds() - 1.5).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn windows_are_those_of_a_plain_search(
            mut times in proptest::collection::vec(-50..150_i64, 0..40),
            start in -20..50_i64, length in 0..120_i64, step in 1..30_i64,
            range in 0..60_i64, offset in -30..30_i64,
        ) {
            times.sort_unstable();
            times.dedup();
            let grid = StepGrid::new(start, start + length, step).expect("grid");
            for (bounds, range) in Windows::new(&times, grid, range, offset) {
                let inside: Vec<_> =
                    times.iter().filter(|t| bounds.start < **t && **t <= bounds.end).collect();
                prop_assert_eq!(times[range].iter().collect::<Vec<_>>(), inside);
            }
        }
    }
}
