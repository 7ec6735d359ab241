//! Samples of one series on their way out of head and blocks: appended, cut, merged.
//!
//! A part is sorted by time, each time once. When parts overlap, the sample of the first part that
//! has the time is taken, so callers put the most trusted first.

use std::sync::Arc;

use masthead_model::Histogram;
use masthead_ports::Columns;

/// Samples of one series from one place. Start times are there for all floats or for none, and
/// so for histograms.
#[derive(Debug, Default, Clone)]
pub(crate) struct Part {
    pub(crate) columns: Columns,
}

impl Part {
    pub(crate) fn len(&self) -> usize {
        self.columns.len()
    }

    pub(crate) fn push_float(&mut self, time: i64, start: i64, value: f64) {
        let columns = &mut self.columns;
        push_start(&mut columns.float_starts, columns.float_times.len(), start);
        columns.float_times.push(time);
        columns.floats.push(value);
    }

    pub(crate) fn push_histogram(&mut self, time: i64, start: i64, histogram: Arc<Histogram>) {
        let columns = &mut self.columns;
        push_start(&mut columns.histogram_starts, columns.histogram_times.len(), start);
        columns.histogram_times.push(time);
        columns.histograms.push(histogram);
    }

    /// First and last time.
    pub(crate) fn bounds(&self) -> Option<(i64, i64)> {
        let (floats, histograms) = (&self.columns.float_times, &self.columns.histogram_times);
        let first = floats.first().into_iter().chain(histograms.first()).min()?;
        let last = floats.last().into_iter().chain(histograms.last()).max()?;
        Some((*first, *last))
    }

    /// Removes the samples in `first..=last`.
    pub(crate) fn remove(&mut self, first: i64, last: i64) {
        let columns = &mut self.columns;
        let cut = |times: &[i64]| {
            let low = times.partition_point(|time| *time < first);
            low..times.partition_point(|time| *time <= last).max(low)
        };
        let range = cut(&columns.float_times);
        if !columns.float_starts.is_empty() {
            columns.float_starts.drain(range.clone());
        }
        columns.float_times.drain(range.clone());
        columns.floats.drain(range);
        let range = cut(&columns.histogram_times);
        if !columns.histogram_starts.is_empty() {
            columns.histogram_starts.drain(range.clone());
        }
        columns.histogram_times.drain(range.clone());
        columns.histograms.drain(range);
    }

    /// Appends what comes after everything that is there.
    fn append(&mut self, other: &mut Self) {
        let (to, from) = (&mut self.columns, &mut other.columns);
        append_starts(
            (&mut to.float_starts, to.float_times.len()),
            (&mut from.float_starts, from.float_times.len()),
        );
        to.float_times.append(&mut from.float_times);
        to.floats.append(&mut from.floats);
        append_starts(
            (&mut to.histogram_starts, to.histogram_times.len()),
            (&mut from.histogram_starts, from.histogram_times.len()),
        );
        to.histogram_times.append(&mut from.histogram_times);
        to.histograms.append(&mut from.histograms);
    }

    /// Puts the samples of all parts into `into`, which must be empty.
    pub(crate) fn merge(mut parts: Vec<Self>, into: &mut Self) {
        parts.retain(|part| part.len() > 0);
        let mut order: Vec<(i64, i64, usize)> = parts
            .iter()
            .enumerate()
            .filter_map(|(at, part)| part.bounds().map(|(first, last)| (first, last, at)))
            .collect();
        order.sort_unstable();
        let apart = order.windows(2).all(|pair| match pair {
            [(_, last, _), (first, _, _)] => last < first,
            _ => true,
        });
        if apart {
            for (_, _, at) in order {
                if let Some(part) = parts.get_mut(at) {
                    if into.len() == 0 {
                        std::mem::swap(into, part);
                    } else {
                        into.append(part);
                    }
                }
            }
            return;
        }
        into.merge_overlapping(&parts);
    }

    fn merge_overlapping(&mut self, parts: &[Self]) {
        // (time, part, histogram?, place): the first of equal times is of the first part.
        let mut all = Vec::with_capacity(parts.iter().map(Self::len).sum());
        for (at, part) in parts.iter().enumerate() {
            let floats = part.columns.float_times.iter().enumerate();
            all.extend(floats.map(|(place, time)| (*time, at, false, place)));
            let histograms = part.columns.histogram_times.iter().enumerate();
            all.extend(histograms.map(|(place, time)| (*time, at, true, place)));
        }
        all.sort_unstable();
        all.dedup_by_key(|(time, ..)| *time);
        for (time, at, histogram, place) in all {
            let Some(part) = parts.get(at) else { continue };
            let columns = &part.columns;
            let start = |starts: &[i64]| starts.get(place).copied().unwrap_or(0);
            if !histogram {
                let value = columns.floats.get(place).copied().unwrap_or_default();
                self.push_float(time, start(&columns.float_starts), value);
            } else if let Some(histogram) = columns.histograms.get(place) {
                let start = start(&columns.histogram_starts);
                self.push_histogram(time, start, Arc::clone(histogram));
            }
        }
    }
}

fn push_start(starts: &mut Vec<i64>, before: usize, start: i64) {
    if start != 0 && starts.is_empty() {
        starts.resize(before, 0);
    }
    if start != 0 || !starts.is_empty() {
        starts.push(start);
    }
}

fn append_starts((to, len): (&mut Vec<i64>, usize), (from, more): (&mut Vec<i64>, usize)) {
    if to.is_empty() && from.is_empty() {
        return;
    }
    to.resize(len, 0);
    from.resize(more, 0);
    to.append(from);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(times: &[i64], start: i64) -> Part {
        let mut part = Part::default();
        for time in times {
            #[expect(clippy::cast_precision_loss, reason = "small")]
            part.push_float(*time, start, *time as f64 + 0.25);
        }
        part
    }

    #[test]
    fn parts_merge_apart_and_overlapping_and_the_first_wins() {
        let f = |parts: Vec<Part>, want: &[i64], starts: &[i64]| {
            let mut into = Part::default();
            Part::merge(parts, &mut into);
            assert_eq!(
                (&into.columns.float_times[..], &into.columns.float_starts[..]),
                (want, starts)
            );
            assert_eq!(into.columns.floats.len(), want.len());
        };
        f(vec![], &[], &[]);
        f(vec![part(&[3, 4], 0), part(&[1, 2], 0)], &[1, 2, 3, 4], &[]);
        f(vec![part(&[3, 4], 9), part(&[1, 2], 0)], &[1, 2, 3, 4], &[0, 0, 9, 9]);
        f(vec![part(&[1, 5], 9), part(&[1, 3, 5], 7)], &[1, 3, 5], &[9, 7, 9]);
        f(vec![part(&[], 0), part(&[1], 0), part(&[1], 0)], &[1], &[]);
    }

    #[test]
    fn removal_keeps_columns_in_step() {
        let mut part = part(&[1, 2, 3, 4], 5);
        part.push_histogram(9, 1, Arc::default());
        part.remove(2, 3);
        assert_eq!((part.columns.float_times.len(), part.columns.float_starts.len()), (2, 2));
        part.remove(5, 20);
        assert!(part.columns.histograms.is_empty() && part.columns.histogram_starts.is_empty());
        part.remove(9, 3);
        assert_eq!(part.len(), 2);
    }
}
