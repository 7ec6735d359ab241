//! The head to blocks: what is old enough leaves memory and journal.
//!
//! ```text
//! raise the floor ─> write blocks, oldest first ─> publish ─> drop from the head ─> checkpoint
//! ```
//!
//! Each step may be the last one: a block that is published says itself that what it covers need
//! not be taken from the journal again.

use std::{collections::BTreeSet, sync::atomic::Ordering};

use crate::{
    Error, Result, Tsdb,
    block::{BlockWriter, Origin},
    columns::Part,
    head::{Slot, Snapshot},
    store::Maintenance,
};

/// Series are copied out of the head by so many, so that appends wait only for these.
const SERIES_AT_ONCE: usize = 256;

impl Tsdb {
    /// Writes the parts of the head that are old enough to blocks. Returns how many blocks there
    /// are more.
    ///
    /// # Errors
    /// Those of the file system. What was not written stays in head and journal.
    pub fn flush(&self) -> Result<usize> {
        self.journal()?;
        let due = {
            let (newest, floor) = (self.head.newest(), self.head.floor());
            if newest == i64::MIN {
                return Ok(0);
            }
            let due = self.options.block_start(newest.saturating_sub(self.options.lag_ms()));
            if due <= floor && !self.flush_again.load(Ordering::Relaxed) {
                self.succeeded(&self.counters.last_flush);
                return Ok(0);
            }
            due.max(floor)
        };
        self.flush_before(due)
    }

    /// Writes everything in the head to blocks, up to the end of the block of the newest sample.
    /// Nothing older than that is taken afterwards.
    ///
    /// # Errors
    /// As [`Tsdb::flush`].
    pub fn flush_all(&self) -> Result<usize> {
        self.journal()?;
        let newest = self.head.newest();
        if newest == i64::MIN {
            return Ok(0);
        }
        let end = self.options.block_start(newest).saturating_add(self.options.block_ms);
        self.flush_before(end)
    }

    fn flush_before(&self, floor: i64) -> Result<usize> {
        self.flush_again.store(true, Ordering::Relaxed);
        let mut maintenance = self.maintain()?;
        self.head.raise_floor(floor);
        // From here on nothing comes in before the floor, and only this thread takes series away.
        let windows = self.head.windows_before(floor);
        let series = if windows.is_empty() { Vec::new() } else { self.sorted_series() };
        let written = self.write_windows(&mut maintenance, &windows, &series)?;
        self.head.drop_before(floor);
        // What is in blocks now leaves the journal and the head's file too.
        self.write_checkpoint(&mut maintenance)?;
        self.flush_again.store(false, Ordering::Relaxed);
        self.succeeded(&self.counters.last_flush);
        Ok(written)
    }

    /// Every series of the head in label order; sorted while nobody has to wait. None of them goes
    /// while maintenance is held.
    pub(crate) fn sorted_series(&self) -> Vec<Slot> {
        let unsorted = {
            let index = &self.head.registry().index;
            index.unsorted(&index.slots().collect::<Vec<_>>())
        };
        unsorted.sort()
    }

    fn write_windows(
        &self,
        maintenance: &mut Maintenance,
        windows: &BTreeSet<i64>,
        series: &[Slot],
    ) -> Result<usize> {
        if windows.is_empty() {
            return Ok(0);
        }
        let mut written = 0;
        for window in windows {
            let end = window.saturating_add(self.options.block_ms);
            let written_block = maintenance.keeper.write(|dir| {
                let mut writer = BlockWriter::create(&*self.fs, dir)?;
                self.copy_head(&mut writer, series, *window, end - 1)?;
                let some = !writer.is_empty();
                if some {
                    writer.finish(Origin::Head, end, Vec::new())?;
                }
                Ok::<_, Error>(some)
            })?;
            if written_block.is_some() {
                self.replace_blocks(written_block, &[]);
                self.counters.flushes.add(1);
                written += 1;
            }
        }
        Ok(written)
    }

    /// Writes the samples and exemplars of sorted series of the head.
    pub(crate) fn copy_head(
        &self,
        writer: &mut BlockWriter,
        series: &[Slot],
        first: i64,
        last: i64,
    ) -> Result<()> {
        let exemplars = self.head.texts().exemplars.between(first, last);
        for some in series.chunks(SERIES_AT_ONCE) {
            let mut taken = Snapshot::default();
            let some = self.head.registry().labels_of(some);
            {
                let held = self.head.hold(some.iter().map(|(_, slot)| *slot));
                for (_, slot) in &some {
                    match held.shard(*slot) {
                        Some(shard) => shard.take(&mut taken, *slot, first, last),
                        None => taken.take_nothing(),
                    }
                }
            }
            for (at, (labels, _)) in some.iter().enumerate() {
                let mut part = Part::default();
                taken.read(at, first, last, &mut part);
                writer.push(labels, &part)?;
                if let Some(exemplars) = exemplars.get(labels) {
                    writer.push_exemplars(labels, exemplars);
                }
            }
        }
        Ok(())
    }
}
