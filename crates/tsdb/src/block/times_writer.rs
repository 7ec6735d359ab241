//! Shares columns of times between the series of a block while it is written.
//!
//! A column that was written before, or is the beginning or the end of one, is not written again.
//! What was written is remembered up to a limit; a block of series that share nothing forgets and
//! writes on.

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use masthead_chunk::times;

/// Times that are remembered at most.
const REMEMBERED_MAX: usize = 4 << 20;

/// Where times stand: column, first, in that column.
pub(super) type Place = (usize, usize);

#[derive(Debug, Default)]
pub(super) struct TimesWriter {
    pub(super) bytes: Vec<u8>,
    pub(super) ends: Vec<usize>,
    remembered: Vec<Vec<i64>>,
    /// Number of the first of `remembered`.
    base: usize,
    count: usize,
    by_first: HashMap<i64, Vec<usize>, RandomState>,
    by_last: HashMap<i64, Vec<usize>, RandomState>,
}

/// So many columns with the same first or last time are compared.
const TRIES: usize = 8;

impl TimesWriter {
    /// Returns where `times` stand, writing them if they do not yet.
    pub(super) fn place(&mut self, times: &[i64]) -> Result<Place, masthead_chunk::Error> {
        let (Some(first), Some(last)) = (times.first(), times.last()) else { return Ok((0, 0)) };
        if let Some(place) = self.find(times, *first, *last) {
            return Ok(place);
        }
        times::encode(times, &mut self.bytes)?;
        let column = self.ends.len();
        self.ends.push(self.bytes.len());
        if self.count + times.len() > REMEMBERED_MAX {
            (self.base, self.count) = (column, 0);
            self.remembered.clear();
            self.by_first.clear();
            self.by_last.clear();
        }
        self.count += times.len();
        self.remembered.push(times.to_vec());
        remember(&mut self.by_first, *first, column);
        remember(&mut self.by_last, *last, column);
        Ok((column, 0))
    }

    fn find(&self, times: &[i64], first: i64, last: i64) -> Option<Place> {
        let column = |number: usize| self.remembered.get(number - self.base);
        let starts = self.by_first.get(&first).into_iter().flatten();
        let start =
            starts.copied().find(|number| column(*number).is_some_and(|c| c.starts_with(times)));
        if let Some(number) = start {
            return Some((number, 0));
        }
        let ends = self.by_last.get(&last).into_iter().flatten();
        let end =
            ends.copied().find(|number| column(*number).is_some_and(|c| c.ends_with(times)))?;
        Some((end, column(end)?.len() - times.len()))
    }
}

/// Keeps the newest few columns of a time.
fn remember(of: &mut HashMap<i64, Vec<usize>, RandomState>, time: i64, column: usize) {
    let columns = of.entry(time).or_default();
    if columns.len() >= TRIES {
        columns.remove(0);
    }
    columns.push(column);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_stand_there_are_not_written_again() {
        let mut writer = TimesWriter::default();
        let all: Vec<i64> = (0..500).map(|n| n * 15_000 + n % 7).collect();
        let f = |writer: &mut TimesWriter, times: &[i64], want: Place, columns: usize| {
            assert_eq!(writer.place(times), Ok(want));
            assert_eq!(writer.ends.len(), columns);
        };
        f(&mut writer, &all, (0, 0), 1);
        f(&mut writer, &all, (0, 0), 1);
        f(&mut writer, &all[..100], (0, 0), 1);
        f(&mut writer, &all[200..], (0, 200), 1);
        let mut holed = all.clone();
        holed.remove(250);
        f(&mut writer, &holed, (1, 0), 2);
        f(&mut writer, &holed[300..], (0, 301), 2);
        f(&mut writer, &holed, (1, 0), 2);
    }
}
