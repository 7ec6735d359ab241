//! Rates of many series that were scraped together.
//!
//! Such series share their times. What follows from times and steps alone is therefore worked out
//! once and kept: where each window begins and ends, how far its samples reach, and by what a
//! growth is multiplied to stand for the whole window. What is left for each series is a
//! subtraction and a multiplication a step, where dividing five times took most of the time of a
//! dashboard of rates. Results are bit for bit those of [`extrapolated_rate`](crate::extrapolated_rate).

use crate::{CounterResets, RateKind, StepGrid, Windows};

/// Tables that are kept at once; a query over more scrape targets than that works some out again.
const TABLES_MAX: usize = 1_024;
/// Windows and times that are kept at once, in all tables: at most 16 megabytes.
const KEPT_MAX: usize = 400_000;

/// Which windows, and what of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateWindows {
    /// The steps.
    pub grid: StepGrid,
    /// The length of the windows in milliseconds.
    pub range: i64,
    /// How long before each step its window ends, in milliseconds.
    pub offset: i64,
    /// What is computed.
    pub kind: RateKind,
}

/// The tables of one query, found by the times of a series.
#[derive(Debug)]
pub struct RateTables {
    windows: RateWindows,
    tables: Vec<RateTable>,
    /// The [`digest`] of each table's times: nearly all others are told apart by it.
    digests: Vec<u64>,
    /// The table that served last: series of one target often follow each other.
    last: usize,
    /// The windows and times in all of them.
    kept: usize,
    /// The table that is given up next.
    oldest: usize,
}

/// The windows over one column of times; of no times at first.
#[derive(Debug, Default)]
struct RateTable {
    times: Vec<i64>,
    steps: Vec<Step>,
}

/// One window with at least two samples, or one that gives nothing.
#[derive(Debug, Clone, Copy)]
struct Step {
    low: u32,
    /// Zero for a window that gives nothing.
    high: u32,
    /// Seconds from the first to the last sample, from the window's start to the first sample, and
    /// from the last sample to the window's end; far edges are already brought near.
    sampled: f64,
    to_start: f64,
    to_end: f64,
    /// By what growth is multiplied unless it would have begun below zero.
    factor: f64,
}

impl RateTables {
    /// No tables yet.
    pub fn new(windows: RateWindows) -> Self {
        let (tables, digests) = (Vec::new(), Vec::new());
        Self { windows, tables, digests, last: 0, kept: 0, oldest: 0 }
    }

    /// What the tables are of.
    pub fn windows(&self) -> RateWindows {
        self.windows
    }

    /// Puts the rate, increase or delta at each step of a series of floats without start times into
    /// its place in `out`; a step without one keeps what stands there.
    ///
    /// The resets of overlapping windows are added up anew at every step: before, `goes_on` is asked
    /// whether to, with how many they can be at most. After a no the rest is not worth looking at.
    pub fn rates(
        &mut self,
        times: &[i64],
        values: &[f64],
        resets: &CounterResets,
        goes_on: impl Fn(usize) -> bool,
        out: &mut [f64],
    ) {
        let kind = self.windows.kind;
        let per = kind.is_per_second().then(|| span(self.windows.range));
        let Some(RateTable { steps, .. }) = self.table(times) else { return };
        if kind.is_counter() && resets.is_empty() {
            // Adding nothing matters too: it makes a minus zero a zero.
            each(steps, values, out, |step, first, last| {
                let growth = last - first + 0.0;
                growth * step.counter_factor(first, growth, per)
            });
        } else if kind.is_counter() {
            each(steps, values, out, |step, first, last| {
                let (low, high) = (step.low as usize, step.high as usize);
                if !goes_on((high - low).min(resets.len())) {
                    return f64::NAN;
                }
                let growth = last - first + resets.correction(values, low, high);
                growth * step.counter_factor(first, growth, per)
            });
        } else {
            each(steps, values, out, |step, first, last| (last - first) * step.factor);
        }
    }

    /// The table of these times, made if it is not there.
    fn table(&mut self, times: &[i64]) -> Option<&RateTable> {
        let is_of = |at: usize| self.tables.get(at).is_some_and(|table| table.times == times);
        if !is_of(self.last) {
            let digest = digest(times);
            let alike = self.digests.iter().enumerate().filter(|(_, known)| **known == digest);
            let known = alike.map(|(at, _)| at).find(|at| is_of(*at));
            self.last = known.unwrap_or_else(|| self.fill(times, digest));
        }
        self.tables.get(self.last)
    }

    /// Works out the table of these times, and says where it is.
    fn fill(&mut self, times: &[i64], digest: u64) -> usize {
        let full = self.kept + times.len() + self.windows.grid.len() > KEPT_MAX;
        let at = if self.tables.is_empty() || self.tables.len() < TABLES_MAX && !full {
            self.tables.push(RateTable::default());
            self.digests.push(digest);
            self.tables.len() - 1
        } else {
            let given_up = self.oldest;
            self.oldest = (given_up + 1) % self.tables.len();
            given_up
        };
        if let (Some(table), Some(known)) = (self.tables.get_mut(at), self.digests.get_mut(at)) {
            self.kept -= table.len();
            table.fill(times, &self.windows);
            self.kept += table.len();
            *known = digest;
        }
        at
    }
}

/// A number that differs for nearly all columns of times that differ; many are added at a time.
fn digest(times: &[i64]) -> u64 {
    let sum = times.iter().fold(0_i64, |sum, time| sum.wrapping_add(*time));
    let mixed = times.iter().fold(0, |mixed, time| mixed ^ *time);
    sum.cast_unsigned() ^ mixed.cast_unsigned().rotate_left(32)
}

/// Puts what `f` makes of the first and the last value of each window into its place.
#[inline]
fn each(steps: &[Step], values: &[f64], out: &mut [f64], f: impl Fn(&Step, f64, f64) -> f64) {
    for (step, place) in steps.iter().zip(out) {
        // A window that gives nothing has no last value: its `high` is zero.
        let last = step.high.checked_sub(1).and_then(|at| values.get(at as usize));
        if let (Some(last), Some(first)) = (last, values.get(step.low as usize)) {
            *place = f(step, *first, *last);
        }
    }
}

impl Step {
    /// By what the growth of a counter is multiplied that stood at `first` when it began.
    #[inline]
    fn counter_factor(&self, first: f64, growth: f64, per: Option<f64>) -> f64 {
        // A counter that was at least as large as it grew was not zero before the window.
        let long_ago = first >= growth && self.to_start <= self.sampled;
        if growth > 0.0 && first >= 0.0 && !long_ago {
            let to_zero = self.sampled * (first / growth);
            if to_zero < self.to_start {
                let factor = (self.sampled + to_zero + self.to_end) / self.sampled;
                return per.map_or(factor, |seconds| factor / seconds);
            }
        }
        self.factor
    }
}

impl RateTable {
    fn len(&self) -> usize {
        self.times.len() + self.steps.len()
    }

    /// Works the table out anew.
    fn fill(&mut self, times: &[i64], windows: &RateWindows) {
        self.times.clear();
        self.times.extend_from_slice(times);
        self.steps.clear();
        let all = Windows::new(times, windows.grid, windows.range, windows.offset);
        // Of a scrape that keeps its interval most windows look like the one before.
        let mut known = (Shape::default(), NOTHING);
        self.steps.extend(all.map(|(bounds, range)| {
            let inside = times.get(range.clone()).unwrap_or(&[]);
            let (&[first, .., last], Some(gaps)) = (inside, inside.len().checked_sub(1)) else {
                return NOTHING;
            };
            let shape = Shape {
                to_start: first.saturating_sub(bounds.start),
                sampled: last.saturating_sub(first),
                to_end: bounds.end.saturating_sub(last),
                span: bounds.end.saturating_sub(bounds.start),
                gaps,
            };
            if shape != known.0 {
                known = (shape, shape.step(windows.kind.is_per_second()));
            }
            #[expect(
                clippy::cast_possible_truncation,
                reason = "no memory holds 2^32 samples a series"
            )]
            let (low, high) = (range.start as u32, range.end as u32);
            Step { low, high, ..known.1 }
        }));
    }
}

/// What the numbers of a window follow from, in milliseconds; of no window by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Shape {
    /// From the window's start to the first sample.
    to_start: i64,
    /// From the first sample to the last.
    sampled: i64,
    /// From the last sample to the window's end.
    to_end: i64,
    /// The whole window.
    span: i64,
    /// Intervals between the samples, at least one.
    gaps: usize,
}

impl Shape {
    fn step(self, per_second: bool) -> Step {
        let (mut to_start, mut to_end) = (span(self.to_start), span(self.to_end));
        let sampled = span(self.sampled);
        #[expect(clippy::cast_precision_loss, reason = "far fewer samples than 2^53")]
        let mean_gap = sampled / self.gaps as f64;
        let reached = mean_gap * 1.1;
        if to_start >= reached {
            to_start = mean_gap / 2.0;
        }
        if to_end >= reached {
            to_end = mean_gap / 2.0;
        }
        let mut factor = 1.0;
        if sampled > 0.0 {
            factor = (sampled + to_start + to_end) / sampled;
        }
        if per_second {
            factor /= span(self.span);
        }
        Step { sampled, to_start, to_end, factor, ..NOTHING }
    }
}

const NOTHING: Step =
    Step { low: 0, high: 0, sampled: 0.0, to_start: 0.0, to_end: 0.0, factor: 0.0 };

/// Milliseconds as seconds, as [`Bounds::seconds`](crate::Bounds::seconds).
#[expect(clippy::cast_precision_loss, reason = "ranges are far below 2^53 ms")]
fn span(range: i64) -> f64 {
    range as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::extrapolated_rate;

    proptest! {
        #[test]
        fn a_table_gives_bit_for_bit_what_each_window_gives_alone(
            gaps in proptest::collection::vec((1..40_i64, -5..20_i32), 0..60),
            other in proptest::collection::vec(-5..20_i32, 60),
            start in -50..50_i64, length in 0..900_i64, step in 1..60_i64,
            range in 1..300_i64, offset in -30..30_i64, kind in 0..3_usize,
        ) {
            let kind = [RateKind::Rate, RateKind::Increase, RateKind::Delta][kind];
            let mut time = 0;
            let times: Vec<i64> = gaps.iter().map(|(gap, _)| { time += gap; time }).collect();
            let grid = StepGrid::new(start, start + length, step).expect("grid");
            let mut tables = RateTables::new(RateWindows { grid, range, offset, kind });
            // Rising, falling, constant and reset; then another series at the same times.
            let mut value = 3.0;
            let rising: Vec<f64> = gaps.iter().map(|(_, by)| { value += f64::from(*by); value }).collect();
            let second: Vec<f64> = other.iter().take(times.len()).map(|by| f64::from(*by) / 7.0).collect();
            let shifted: Vec<i64> = times.iter().map(|time| time + 1).collect();
            for (times, values) in [(&times, &rising), (&times, &second), (&shifted, &rising), (&times, &second)] {
                let resets = if kind.is_counter() { CounterResets::find(times, values, &[]) } else { CounterResets::default() };
                let nothing = f64::from_bits(0x7ff0_0000_0000_0002);
                let mut column = vec![nothing; grid.len()];
                tables.rates(times, values, &resets, |_| true, &mut column);
                let bits = column.into_iter().map(f64::to_bits);
                let got: Vec<Option<u64>> =
                    bits.map(|bits| (bits != nothing.to_bits()).then_some(bits)).collect();
                let want: Vec<Option<u64>> = Windows::new(times, grid, range, offset).map(|(bounds, range)| {
                    let correction = resets.correction(values, range.start, range.end);
                    let (times, values) = (&times[range.clone()], &values[range]);
                    extrapolated_rate(times, values, 0, bounds, kind, correction).map(f64::to_bits)
                }).collect();
                prop_assert_eq!(got, want);
            }
        }
    }

    fn tables(steps: i64) -> RateTables {
        let grid = StepGrid::new(0, steps - 1, 1).expect("grid");
        RateTables::new(RateWindows { grid, range: 1, offset: 0, kind: RateKind::Rate })
    }

    fn kept(tables: &RateTables) -> usize {
        tables.tables.iter().map(RateTable::len).sum()
    }

    #[test]
    fn tables_are_bounded_however_many_steps_and_times_there_are() {
        let f = |steps, times: i64, targets, want| {
            let mut tables = tables(steps);
            for first in 0..targets {
                let times: Vec<i64> = (0..times).map(|at| first + at).collect();
                assert!(tables.table(&times).is_some());
            }
            assert_eq!(tables.tables.len(), want, "{steps} {times}");
            assert_eq!(tables.kept, kept(&tables), "{steps} {times}");
        };
        f(1, 2, 1_100, 1_024);
        f(240, 260, 810, 800);
        f(11_000, 2, 40, 36);
        f(2, 11_000, 40, 36);
        f(1_000, 500_000, 3, 1);
    }

    #[test]
    fn times_that_begin_and_end_alike_are_told_apart_even_if_their_digest_is_the_same() {
        let (one, other) = ([1, 4, 7, 9, 10], [1, 5, 6, 9, 10]);
        let mut tables = tables(11);
        let got: Vec<_> = [&one, &other, &one, &other]
            .map(|times| tables.table(times).map(|table| table.times.clone()))
            .into();
        assert_eq!(got, [&one, &other, &one, &other].map(|times| Some(times.to_vec())));
        assert_eq!(tables.tables.len(), 2);
    }

    #[test]
    fn a_table_stays_until_others_need_its_place() {
        let mut tables = tables(79_998);
        let mut ask = |time: i64| {
            let before: Vec<_> = tables.tables.iter().map(|table| table.times.clone()).collect();
            let times = [time, time + 1];
            assert_eq!(tables.table(&times).map(|table| &table.times[..]), Some(&times[..]));
            before.contains(&times.to_vec())
        };
        for time in 1..=5 {
            assert!(!ask(time), "{time} is new");
        }
        assert!((1..=5).all(&mut ask), "all five are known");
        assert!(!ask(6));
        assert!((2..=6).all(&mut ask), "the oldest has made place");
        assert!(!ask(1));
    }
}
