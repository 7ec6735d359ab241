//! Rates of many series that were scraped together.
//!
//! Such series share their times. What follows from times and steps alone is therefore worked out
//! once and kept: where each window begins and ends, how far its samples reach, and by what a
//! growth is multiplied to stand for the whole window. What is left for each series is a
//! subtraction and a multiplication a step, where dividing five times took most of the time of a
//! dashboard of rates. Results are bit for bit those of [`extrapolated_rate`](crate::extrapolated_rate).

use crate::{CounterResets, RateKind, StepGrid, Windows, rate::seconds};

/// Tables that are kept at once; a query over more scrape targets than that works some out again.
const TABLES_MAX: usize = 32;
/// Windows that are kept at once, in all tables: two megabytes.
const WINDOWS_MAX: usize = 65_536;

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
    tables: Vec<Option<RateTable>>,
}

/// The windows over one column of times.
#[derive(Debug)]
struct RateTable {
    times: Vec<i64>,
    steps: Vec<Step>,
}

/// One window with at least two samples, or one that gives nothing.
#[derive(Debug, Clone, Copy)]
struct Step {
    low: usize,
    /// Zero for a window that gives nothing.
    high: usize,
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
        let count = (WINDOWS_MAX / windows.grid.len().max(1)).clamp(1, TABLES_MAX);
        Self { windows, tables: std::iter::repeat_with(|| None).take(count).collect() }
    }

    /// The rate, increase or delta at each step of a series of floats without start times.
    pub fn rates<'a>(
        &'a mut self,
        times: &[i64],
        values: &'a [f64],
        resets: &'a CounterResets,
    ) -> impl Iterator<Item = Option<f64>> + 'a {
        let Self { windows, tables } = self;
        let place = place(times, tables.len());
        let steps: &[Step] = match tables.get_mut(place) {
            Some(slot) => {
                if slot.as_ref().is_none_or(|table| table.times != times) {
                    *slot = Some(RateTable::new(times, windows, slot.take()));
                }
                slot.as_ref().map_or(&[], |table| &table.steps)
            }
            None => &[],
        };
        let is_counter = windows.kind.is_counter();
        let per = windows.kind.is_per_second().then(|| span(windows.range));
        let any_resets = !resets.is_empty();
        steps.iter().map(move |step| {
            let last = *values.get(step.high.checked_sub(1)?)?;
            let first = *values.get(step.low)?;
            let mut growth = last - first;
            let mut factor = step.factor;
            if is_counter {
                // Adding nothing matters too: it makes a minus zero a zero.
                growth +=
                    if any_resets { resets.correction(values, step.low, step.high) } else { 0.0 };
                // A counter that was at least as large as it grew was not zero before the window.
                let long_ago = first >= growth && step.to_start <= step.sampled;
                if growth > 0.0 && first >= 0.0 && !long_ago {
                    let to_zero = step.sampled * (first / growth);
                    if to_zero < step.to_start {
                        factor = (step.sampled + to_zero + step.to_end) / step.sampled;
                        if let Some(seconds) = per {
                            factor /= seconds;
                        }
                    }
                }
            }
            Some(growth * factor)
        })
    }
}

impl RateTable {
    /// Worked out anew, in the memory of a table that is not needed any more.
    fn new(times: &[i64], windows: &RateWindows, old: Option<Self>) -> Self {
        let mut table = old.unwrap_or(Self { times: Vec::new(), steps: Vec::new() });
        table.times.clear();
        table.times.extend_from_slice(times);
        table.steps.clear();
        let all = Windows::new(times, windows.grid, windows.range, windows.offset);
        table.steps.extend(all.map(|(bounds, range)| {
            let inside = times.get(range.clone()).unwrap_or(&[]);
            let (&[first, .., last], Some(gaps)) = (inside, inside.len().checked_sub(1)) else {
                return NOTHING;
            };
            let (mut to_start, mut to_end) =
                (seconds(bounds.start, first), seconds(last, bounds.end));
            let sampled = seconds(first, last);
            #[expect(clippy::cast_precision_loss, reason = "far fewer samples than 2^53")]
            let mean_gap = sampled / gaps as f64;
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
            if windows.kind.is_per_second() {
                factor /= bounds.seconds();
            }
            Step { low: range.start, high: range.end, sampled, to_start, to_end, factor }
        }));
        table
    }
}

const NOTHING: Step =
    Step { low: 0, high: 0, sampled: 0.0, to_start: 0.0, to_end: 0.0, factor: 0.0 };

/// Where the table of these times is kept: targets differ in when they are scraped.
fn place(times: &[i64], tables: usize) -> usize {
    let ends = [times.first(), times.last()].map(|time| time.copied().unwrap_or(0));
    let mixed = ends.into_iter().chain([i64::try_from(times.len()).unwrap_or(0)]).fold(
        0_u64,
        |mixed, part| {
            (mixed ^ part.cast_unsigned()).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
        },
    );
    usize::try_from(mixed % tables.max(1) as u64).unwrap_or(0)
}

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
                let got: Vec<Option<u64>> =
                    tables.rates(times, values, &resets).map(|rate| rate.map(f64::to_bits)).collect();
                let want: Vec<Option<u64>> = Windows::new(times, grid, range, offset).map(|(bounds, range)| {
                    let correction = resets.correction(values, range.start, range.end);
                    let (times, values) = (&times[range.clone()], &values[range]);
                    extrapolated_rate(times, values, 0, bounds, kind, correction).map(f64::to_bits)
                }).collect();
                prop_assert_eq!(got, want);
            }
        }
    }

    #[test]
    fn tables_are_bounded_however_many_steps_there_are() {
        let tables = |steps: i64| {
            let grid = StepGrid::new(0, steps - 1, 1).expect("grid");
            let kind = RateKind::Rate;
            RateTables::new(RateWindows { grid, range: 1, offset: 0, kind }).tables.len()
        };
        assert_eq!((tables(1), tables(240), tables(11_000), tables(1_000_000)), (32, 32, 5, 1));
    }
}
