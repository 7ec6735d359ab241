//! Samples of one series on their way: gathered in any order, then in time order, each time once.

use std::sync::Arc;

use masthead_model::{Histogram, is_stale};
use masthead_ports::Columns;

/// Samples of one series from several places, in any order.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    /// Time, start, value.
    floats: Vec<(i64, i64, f64)>,
    histograms: Vec<(i64, Arc<Histogram>)>,
}

impl Gathered {
    pub(crate) fn float(&mut self, time: i64, start: i64, value: f64) {
        self.floats.push((time, start, value));
    }

    pub(crate) fn histogram(&mut self, time: i64, histogram: Histogram) {
        self.histograms.push((time, Arc::new(histogram)));
    }

    /// Moves everything into `columns`; of samples of one time the one that came first stays, a
    /// float before a histogram.
    pub(crate) fn finish(&mut self, columns: &mut Columns) {
        columns.clear();
        if !self.floats.is_sorted_by(|a, b| a.0 < b.0) {
            self.floats.sort_by_key(|(time, ..)| *time);
            self.floats.dedup_by_key(|(time, ..)| *time);
        }
        if !self.histograms.is_sorted_by(|a, b| a.0 < b.0) {
            self.histograms.sort_by_key(|(time, _)| *time);
            self.histograms.dedup_by_key(|(time, _)| *time);
        }
        if !self.floats.is_empty() && !self.histograms.is_empty() {
            let floats = &self.floats;
            let taken = |time: &i64| floats.binary_search_by_key(time, |(time, ..)| *time).is_ok();
            self.histograms.retain(|(time, _)| !taken(time));
        }
        if self.floats.iter().any(|(_, start, _)| *start != 0) {
            columns.float_starts.extend(self.floats.iter().map(|(_, start, _)| start));
        }
        columns.float_times.extend(self.floats.iter().map(|(time, ..)| time));
        columns.floats.extend(self.floats.drain(..).map(|(_, _, value)| value));
        for (time, histogram) in self.histograms.drain(..) {
            columns.histogram_times.push(time);
            columns.histograms.push(histogram);
        }
    }
}

/// What became of samples that were compared with those that are there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// There already with the same value.
    pub(crate) same: u64,
    /// There already with another value.
    pub(crate) other: u64,
}

/// Removes from `columns` the samples whose time `there` has.
pub(crate) fn remove_known(columns: &mut Columns, there: &Columns) -> Known {
    let mut known = Known::default();
    if there.is_empty() || columns.is_empty() {
        return known;
    }
    let float_at = |time: i64| {
        let at = there.float_times.binary_search(&time).ok()?;
        there.floats.get(at)
    };
    let histogram_at = |time: i64| {
        let at = there.histogram_times.binary_search(&time).ok()?;
        there.histograms.get(at)
    };
    let mut note = |same: bool| {
        known.same += u64::from(same);
        known.other += u64::from(!same);
        false
    };
    let floats = columns.float_times.iter().zip(&columns.floats);
    let keep: Vec<bool> = floats
        .map(|(time, value)| match (float_at(*time), histogram_at(*time)) {
            (Some(there), _) => note(same_float(*there, *value)),
            (None, Some(_)) => note(false),
            (None, None) => true,
        })
        .collect();
    retain(&mut columns.floats, &keep);
    retain(&mut columns.float_times, &keep);
    retain(&mut columns.float_starts, &keep);
    let histograms = columns.histogram_times.iter().zip(&columns.histograms);
    let keep: Vec<bool> = histograms
        .map(|(time, value)| match (histogram_at(*time), float_at(*time)) {
            (Some(there), _) => note(same_histogram(there, value)),
            (None, Some(_)) => note(false),
            (None, None) => true,
        })
        .collect();
    retain(&mut columns.histograms, &keep);
    retain(&mut columns.histogram_times, &keep);
    retain(&mut columns.histogram_starts, &keep);
    known
}

/// Equal, where every NaN is the same but for the stale marker.
fn same_float(a: f64, b: f64) -> bool {
    let plain = |value: f64| value.is_nan() && !is_stale(value);
    a.to_bits() == b.to_bits() || (plain(a) && plain(b))
}

/// Equal but for what readers work out themselves: whether a counter was reset.
fn same_histogram(a: &Histogram, b: &Histogram) -> bool {
    let bare = |histogram: &Histogram| Histogram {
        sum: 0.0,
        counter_reset_hint: masthead_model::CounterResetHint::Unknown,
        ..histogram.clone()
    };
    same_float(a.sum, b.sum) && bare(a) == bare(b)
}

fn retain<T>(column: &mut Vec<T>, keep: &[bool]) {
    let mut keep = keep.iter();
    column.retain(|_| keep.next().copied().unwrap_or(true));
}

#[cfg(test)]
mod tests {
    use masthead_model::stale_nan;

    use super::*;

    fn columns(samples: &[(i64, f64)]) -> Columns {
        let mut gathered = Gathered::default();
        for (time, value) in samples {
            gathered.float(*time, 0, *value);
        }
        let mut columns = Columns::default();
        gathered.finish(&mut columns);
        columns
    }

    #[test]
    fn each_time_once_and_the_first_stays() {
        let mut gathered = Gathered::default();
        for (time, start, value) in [(5, 0, 1.0), (3, 9, 2.0), (5, 0, 3.0)] {
            gathered.float(time, start, value);
        }
        for time in [7, 5, 7] {
            gathered.histogram(time, Histogram { count: 1.0, ..Histogram::default() });
        }
        let mut columns = Columns::default();
        gathered.finish(&mut columns);
        assert_eq!((&columns.float_times[..], &columns.floats[..]), (&[3, 5][..], &[2.0, 1.0][..]));
        assert_eq!(
            (&columns.float_starts[..], &columns.histogram_times[..]),
            (&[9, 0][..], &[7][..])
        );
        assert!(gathered.floats.is_empty() && gathered.histograms.is_empty());
    }

    #[test]
    fn what_is_there_is_removed_and_counted_by_whether_it_is_the_same() {
        let there = columns(&[(1, 1.0), (2, stale_nan()), (3, -f64::NAN)]);
        let mut new = columns(&[(1, 1.0), (2, f64::NAN), (3, f64::NAN), (4, 1.0)]);
        let known = remove_known(&mut new, &there);
        assert_eq!(known, Known { same: 2, other: 1 });
        assert_eq!(new, columns(&[(4, 1.0)]));
        assert_eq!(remove_known(&mut new, &Columns::default()), Known::default());
    }

    #[test]
    fn a_histogram_that_is_there_keeps_a_float_away() {
        let mut gathered = Gathered::default();
        gathered.histogram(4, Histogram { count: 1.0, ..Histogram::default() });
        let mut there = Columns::default();
        gathered.finish(&mut there);
        let mut new = columns(&[(4, 1.0), (5, 1.0)]);
        assert_eq!(remove_known(&mut new, &there), Known { same: 0, other: 1 });
        assert_eq!(remove_known(&mut there.clone(), &there), Known { same: 1, other: 0 });
        assert_eq!(new.float_times, [5]);
    }
}
