//! Samples in any order, into label and time order, in bounded memory.
//!
//! Samples gather in memory by series. When they take too much, they become a block of a scratch
//! store of their own, and gathering begins anew; in the end the scratch store gives them back
//! merged. What fits into memory never touches the disk.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use masthead_model::{Labels, Millis, TimeRange};
use masthead_ports::{Columns, QueryCtx, QueryLimits, SampleSource as _, SelectHints, Selection};
use masthead_sysio::{Clock, Fs};
use masthead_tsdb::{Options, Tsdb};

use super::{History, WINDOWS_MAX, add_windows};
use crate::{Error, Result};

/// What a series takes beside its samples and labels.
const SERIES_BYTES: usize = 200;
const SAMPLE_BYTES: usize = 16;

/// A number for a series, good until the samples in memory are moved to disk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot(usize);

/// Samples of all series.
#[derive(Debug)]
pub(super) struct Runs {
    fs: Arc<dyn Fs>,
    clock: Arc<dyn Clock>,
    scratch_dir: Utf8PathBuf,
    scratch: Option<Tsdb>,
    bytes_max: usize,
    bytes: usize,
    slots: HashMap<Labels, usize, RandomState>,
    series: Vec<(Labels, Vec<(i64, f64)>)>,
    /// How many times the samples in memory were moved to disk.
    pub(super) moved: u64,
    /// Samples that another one of the same time stands for.
    pub(super) doubled: u64,
    /// Days that have samples, by number; the same day again and again is noticed before the set.
    days: BTreeSet<i64>,
    day: Option<i64>,
}

const DAY_MS: i64 = 86_400_000;

impl Runs {
    /// `scratch_dir` is only made when samples take more than `bytes_max`, and removed in the end.
    pub(super) fn new(
        fs: Arc<dyn Fs>,
        clock: Arc<dyn Clock>,
        scratch_dir: &Utf8Path,
        bytes_max: usize,
    ) -> Result<Self> {
        // Left by an import that was killed.
        remove(&*fs, scratch_dir)?;
        Ok(Self {
            fs,
            clock,
            scratch_dir: scratch_dir.to_owned(),
            scratch: None,
            bytes_max,
            bytes: 0,
            slots: HashMap::default(),
            series: Vec::new(),
            moved: 0,
            doubled: 0,
            days: BTreeSet::new(),
            day: None,
        })
    }

    /// Finds or makes the place of a series.
    pub(super) fn slot(&mut self, labels: &Labels) -> Slot {
        if let Some(slot) = self.slots.get(labels) {
            return Slot(*slot);
        }
        let slot = self.series.len();
        self.slots.insert(labels.clone(), slot);
        self.series.push((labels.clone(), Vec::new()));
        self.bytes += SERIES_BYTES + labels.byte_len();
        Slot(slot)
    }

    /// Adds a sample; returns whether slots are still good.
    pub(super) fn push(&mut self, slot: Slot, time: i64, value: f64) -> Result<bool> {
        let day = time.div_euclid(DAY_MS);
        if self.day != Some(day) {
            self.day = Some(day);
            self.days.insert(day);
            if self.days.len() > WINDOWS_MAX {
                let (found, limit) = (self.days.len() as u64, WINDOWS_MAX as u64);
                return Err(Error::Limit { what: "days that have samples", found, limit });
            }
        }
        if let Some((_, samples)) = self.series.get_mut(slot.0) {
            samples.push((time, value));
            self.bytes += SAMPLE_BYTES;
        }
        if self.bytes <= self.bytes_max {
            return Ok(true);
        }
        self.move_to_disk()?;
        Ok(false)
    }

    /// The end of the samples: from now on they are read.
    pub(super) fn finish(&mut self) -> Result<()> {
        if self.scratch.is_some() && !self.series.is_empty() {
            self.move_to_disk()?;
        } else {
            self.sort();
        }
        self.slots = HashMap::default();
        Ok(())
    }

    /// Puts series in label order and samples in time order; of one time the last one stays.
    fn sort(&mut self) {
        self.series.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        for (_, samples) in &mut self.series {
            if samples.is_sorted_by(|a, b| a.0 < b.0) {
                continue;
            }
            samples.sort_by_key(|(time, _)| *time);
            let before = samples.len();
            samples.reverse();
            samples.dedup_by_key(|(time, _)| *time);
            samples.reverse();
            self.doubled += (before - samples.len()) as u64;
        }
    }

    fn move_to_disk(&mut self) -> Result<()> {
        self.sort();
        let scratch = match self.scratch.take() {
            Some(scratch) => scratch,
            None => {
                let (fs, clock) = (Arc::clone(&self.fs), Arc::clone(&self.clock));
                Tsdb::open(fs, clock, &self.scratch_dir, Options::default())?.0
            }
        };
        let scratch = self.scratch.insert(scratch);
        let mut columns = Columns::default();
        scratch.import_block::<Error>(|block| {
            for (labels, samples) in &self.series {
                put(samples, &mut columns);
                block.push(labels, &mut columns)?;
            }
            Ok(())
        })?;
        self.moved += 1;
        self.bytes = 0;
        self.slots.clear();
        self.series.clear();
        Ok(())
    }
}

impl History for Runs {
    fn windows(&self, window_of: &dyn Fn(i64) -> (i64, i64)) -> Result<BTreeSet<i64>> {
        let mut windows = BTreeSet::new();
        for day in &self.days {
            let first = day.saturating_mul(DAY_MS);
            add_windows(&mut windows, (first, first.saturating_add(DAY_MS - 1)), window_of)?;
        }
        Ok(windows)
    }

    fn read(
        &mut self,
        first: i64,
        last: i64,
        visit: &mut dyn FnMut(&Labels, &mut Columns) -> Result<()>,
    ) -> Result<()> {
        let mut columns = Columns::default();
        let Some(scratch) = &self.scratch else {
            for (labels, samples) in &self.series {
                let low = samples.partition_point(|(time, _)| *time < first);
                let high = samples.partition_point(|(time, _)| *time <= last);
                let Some(samples) = samples.get(low..high).filter(|some| !some.is_empty()) else {
                    continue;
                };
                put(samples, &mut columns);
                visit(labels, &mut columns)?;
            }
            return Ok(());
        };
        let limits = QueryLimits { timeout: Duration::MAX, samples: u64::MAX };
        let ctx = QueryCtx::new(Arc::clone(&self.clock), limits);
        let range = TimeRange { start: Millis(first), end: Millis(last) };
        let selection = Selection { matchers: Vec::new(), range, hints: SelectHints::default() };
        for selected in scratch.select(&ctx, &[selection])? {
            for (at, labels) in selected.labels.iter().enumerate() {
                selected.reader.read(&ctx, at, &mut columns)?;
                if !columns.is_empty() {
                    visit(labels, &mut columns)?;
                }
            }
        }
        match ctx.warnings().pop() {
            None => Ok(()),
            Some(why) => Err(Error::Directory { path: self.scratch_dir.clone(), why }),
        }
    }
}

impl Drop for Runs {
    fn drop(&mut self) {
        self.scratch = None;
        // What stays is removed by the next import.
        drop(remove(&*self.fs, &self.scratch_dir));
    }
}

fn remove(fs: &dyn Fs, dir: &Utf8Path) -> Result<()> {
    match fs.remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::Write(error)),
        _ => Ok(()),
    }
}

fn put(samples: &[(i64, f64)], columns: &mut Columns) {
    columns.clear();
    columns.float_times.extend(samples.iter().map(|(time, _)| time));
    columns.floats.extend(samples.iter().map(|(_, value)| value));
}

#[cfg(test)]
mod tests {
    use masthead_sysio::{SimClock, SimFs};

    use super::*;

    const SCRATCH: &str = "/data/import";

    /// Series by series, the samples of a run over `samples` with this much memory.
    fn sorted(samples: &[(&str, i64, f64)], bytes_max: usize) -> (Vec<String>, u64) {
        let fs = SimFs::new(1);
        let clock = Arc::new(SimClock::default());
        let mut runs = Runs::new(Arc::new(fs.clone()), clock, SCRATCH.into(), bytes_max).unwrap();
        for (labels, time, value) in samples {
            let slot = runs.slot(&labels.parse().unwrap());
            runs.push(slot, *time, *value).unwrap();
        }
        runs.finish().unwrap();
        let mut shown = Vec::new();
        let windows = runs
            .windows(&|time| (time.div_euclid(1000) * 1000, time.div_euclid(1000) * 1000 + 999));
        assert!(windows.unwrap().contains(&0));
        runs.read(0, 1999, &mut |labels, columns| {
            shown.push(format!("{labels} {:?} {:?}", columns.float_times, columns.floats));
            Ok(())
        })
        .unwrap();
        let moved = runs.moved;
        drop(runs);
        assert!(fs.metadata(SCRATCH.into()).is_err(), "the scratch store is gone");
        (shown, moved)
    }

    #[test]
    fn little_memory_gives_the_same_order_as_much() {
        let samples = [
            ("b", 5, 1.0),
            ("a", 9, 2.0),
            ("b", 3, 3.0),
            ("a", 9, 4.0),
            ("a{x=\"1\"}", 1500, 5.0),
            ("a", 2000, 6.0),
        ];
        let want = [
            r#"{__name__="a"} [9] [4.0]"#,
            r#"{__name__="a", x="1"} [1500] [5.0]"#,
            r#"{__name__="b"} [3, 5] [3.0, 1.0]"#,
        ];
        let (shown, moved) = sorted(&samples, usize::MAX);
        assert_eq!((shown, moved), (want.map(str::to_owned).to_vec(), 0));
        let (shown, moved) = sorted(&samples, 1);
        assert_eq!((shown, moved), (want.map(str::to_owned).to_vec(), 6));
    }
}
