//! The head: samples that are not in a block yet, in memory; every acknowledged one is in the
//! journal too.
//!
//! ```text
//! series ── open chunk ──> timeline of the scrape group      times stand there once
//!        └─ closed chunks, late samples, histograms, start times   most series have none
//! ```
//!
//! A series is a place in a table (its slot), which is given again after the series is gone; with
//! the generation in which it was given it makes the number that callers and journal use.
//!
//! Nothing here locks, reads a clock or touches a file: the store does, around it. Batches must be
//! applied in the order in which the journal has them, so that a replay yields the same head.
//!
//! - `head/series.rs`: one series; - `head/timeline.rs`: shared times; - `head/judge.rs`: what is
//!   refused; - `head/order.rs`: series by labels; - `head/snapshot.rs`: what a query takes with it;
//!   - `head/saved.rs`: series as bytes; - `head/exemplars.rs`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use masthead_durable::index::HeadIndex;
use masthead_model::{Histogram, Labels};
use masthead_ports::{Metadata, SeriesRef};
use parking_lot::Mutex;
use roaring::RoaringBitmap;

mod exemplars;
mod judge;
mod order;
mod saved;
mod series;
mod snapshot;
mod timeline;

#[cfg(test)]
mod tests;

pub(crate) use exemplars::Exemplars;
pub(crate) use judge::Verdict;
pub(crate) use saved::{SavedHead, SavedSeries};
pub(crate) use snapshot::{SeriesSnapshot, Snapshot};

use self::{order::Order, series::Series, timeline::Timelines};

/// Slots are numbers of the label index.
pub(crate) type Slot = u32;

#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) index: HeadIndex,
    series: Vec<Option<Series>>,
    free: Vec<Slot>,
    /// Slots that are given again get this generation.
    pub(crate) generation: u32,
    timelines: Timelines,
    /// Samples before this are in blocks, and no more are taken.
    pub(crate) floor: i64,
    /// The newest sample that was ever taken, `i64::MIN` if there is none.
    pub(crate) max_time: i64,
    pub(crate) exemplars: Exemplars,
    pub(crate) metadata: BTreeMap<Arc<str>, Metadata>,
    block_ms: i64,
    order: Mutex<Order>,
}

/// One float, told where to go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewFloat {
    pub(crate) time: i64,
    pub(crate) start: i64,
    pub(crate) bits: u64,
}

impl Head {
    pub(crate) fn new(block_ms: i64, exemplars_max: usize) -> Self {
        Self {
            index: HeadIndex::default(),
            series: Vec::new(),
            free: Vec::new(),
            generation: 1,
            timelines: Timelines::default(),
            floor: i64::MIN,
            max_time: i64::MIN,
            exemplars: Exemplars::new(exemplars_max),
            metadata: BTreeMap::new(),
            block_ms,
            order: Mutex::default(),
        }
    }

    /// The slot of a reference that is still valid.
    pub(crate) fn resolve(&self, reference: SeriesRef) -> Option<Slot> {
        let (generation, slot) = split(reference.0)?;
        self.series(slot).filter(|series| series.generation == generation).map(|_| slot)
    }

    /// The number that callers and the journal use for a slot.
    pub(crate) fn reference(&self, slot: Slot) -> SeriesRef {
        let generation = self.series(slot).map_or(0, |series| series.generation);
        SeriesRef(u64::from(generation) << 32 | u64::from(slot))
    }

    /// Adds a series that is not there.
    pub(crate) fn add(&mut self, labels: Labels) -> Slot {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.series.push(None);
            u32::try_from(self.series.len() - 1).unwrap_or(u32::MAX)
        });
        self.put(slot, self.generation, labels);
        slot
    }

    /// Adds a series as the journal has it. Returns its slot, or none if a newer one has it.
    pub(crate) fn restore(&mut self, id: u64, labels: Labels, slots_max: usize) -> Option<Slot> {
        let (generation, slot) = split(id)?;
        self.saw(id);
        if slot as usize >= slots_max {
            return None;
        }
        // Whoever has the place or the labels is either the same, or newer and came from a
        // checkpoint, or was gone before this one came.
        for other in [Some(slot), self.index.get(&labels)].into_iter().flatten() {
            match self.series(other) {
                Some(series) if series.generation >= generation => return None,
                Some(_) => self.forget(other),
                None => {}
            }
        }
        if slot as usize >= self.series.len() {
            self.series.resize_with(slot as usize + 1, || None);
        }
        self.put(slot, generation, labels);
        Some(slot)
    }

    fn forget(&mut self, slot: Slot) {
        self.index.remove(slot);
        self.order.get_mut().remove();
        if let Some(place) = self.series.get_mut(slot as usize) {
            *place = None;
        }
    }

    /// Makes sure that a number which was seen anywhere is never given again.
    pub(crate) fn saw(&mut self, id: u64) {
        if let Some((generation, _)) = split(id) {
            self.generation = self.generation.max(generation.saturating_add(1));
        }
    }

    /// After a replay: finds the slots that are free.
    pub(crate) fn find_free(&mut self) {
        let all = (0..).zip(&self.series).filter(|(_, series)| series.is_none());
        self.free = all.map(|(slot, _)| slot).collect();
        self.free.reverse();
    }

    fn put(&mut self, slot: Slot, generation: u32, labels: Labels) {
        if let Some(place) = self.series.get_mut(slot as usize) {
            *place = Some(Series::new(generation));
            self.index.insert(slot, labels);
            self.order.get_mut().add(slot);
        }
    }

    fn series(&self, slot: Slot) -> Option<&Series> {
        self.series.get(slot as usize)?.as_ref()
    }

    /// The generation of a slot, zero if nobody has it.
    pub(crate) fn generation_of(&self, slot: Slot) -> u32 {
        self.series(slot).map_or(0, |series| series.generation)
    }

    /// The length of a block.
    pub(crate) fn block_ms(&self) -> i64 {
        self.block_ms
    }

    /// What the series' next float is written relative to in `segment`.
    pub(crate) fn base(&self, slot: Slot, segment: u64) -> u64 {
        self.series(slot).map_or(0, |series| series.base(segment))
    }

    /// Notes the newest float of a series, which nothing is written relative to.
    pub(crate) fn set_last(&mut self, slot: Slot, bits: u64) {
        if let Some(series) = self.series.get_mut(slot as usize).and_then(Option::as_mut) {
            series.last_bits = bits;
        }
    }

    /// Notes what the journal's `segment` has as the series' last float.
    pub(crate) fn set_base(&mut self, slot: Slot, segment: u64, bits: u64) {
        if let Some(series) = self.series.get_mut(slot as usize).and_then(Option::as_mut) {
            series.set_base(segment, bits);
        }
    }

    /// Adds a float that is newer than all of its series.
    pub(crate) fn push_float(&mut self, slot: Slot, group: u64, float: NewFloat) {
        self.max_time = self.max_time.max(float.time);
        let window = self.window(float.time);
        if let Some(series) = self.series.get_mut(slot as usize).and_then(Option::as_mut) {
            series.push_float(&mut self.timelines, window, group, float);
        }
    }

    /// Adds a histogram that is newer than all of its series.
    pub(crate) fn push_histogram(
        &mut self,
        slot: Slot,
        time: i64,
        start: i64,
        histogram: Arc<Histogram>,
    ) {
        self.max_time = self.max_time.max(time);
        let window = self.window(time);
        if let Some(series) = self.series.get_mut(slot as usize).and_then(Option::as_mut) {
            series.push_histogram(window, time, start, histogram);
        }
    }

    /// Adds a float between others.
    pub(crate) fn insert_float(&mut self, slot: Slot, float: NewFloat) {
        if let Some(series) = self.series.get_mut(slot as usize).and_then(Option::as_mut) {
            series.insert_float(float);
        }
    }

    /// Adds a histogram between others.
    pub(crate) fn insert_histogram(
        &mut self,
        slot: Slot,
        time: i64,
        start: i64,
        histogram: Arc<Histogram>,
    ) {
        if let Some(series) = self.series.get_mut(slot as usize).and_then(Option::as_mut) {
            series.insert_histogram(time, start, histogram);
        }
    }

    /// Time of the newest sample of a series, `i64::MIN` if it never had one.
    pub(crate) fn last_time(&self, slot: Slot) -> i64 {
        self.series(slot).map_or(i64::MIN, |series| series.last_time)
    }

    /// Whether the series has a sample at `time`, which need not be its newest.
    pub(crate) fn has_sample(&self, slot: Slot, time: i64) -> bool {
        self.sample_at(slot, time).is_some()
    }

    /// Removes the samples of a series in `first..=last`.
    pub(crate) fn delete(&mut self, slot: Slot, first: i64, last: i64) {
        let snapshot = self.snapshot_all(slot);
        if let Some(series) = self.series.get_mut(slot as usize).and_then(Option::as_mut) {
            series.delete(&mut self.timelines, &snapshot, self.block_ms, first, last);
        }
    }

    /// Starts of the blocks before `floor` that have samples.
    pub(crate) fn windows_before(&self, floor: i64) -> BTreeSet<i64> {
        let mut windows = BTreeSet::new();
        for series in self.series.iter().flatten() {
            series.each_time(&self.timelines, &mut |time| {
                if time < floor {
                    windows.insert(self.window(time));
                }
            });
        }
        windows
    }

    /// Every series with its slot, in no order.
    pub(crate) fn all_series(&self) -> Vec<(Labels, Slot)> {
        self.index
            .slots()
            .filter_map(|slot| Some((self.index.labels(slot)?.clone(), slot)))
            .collect()
    }

    /// The series of `slots` in label order.
    pub(crate) fn in_order(&self, slots: &RoaringBitmap) -> Vec<Slot> {
        self.order.lock().sort(&self.index, slots)
    }

    /// Drops all samples before `floor`, which are in blocks by now, and the series that had
    /// nothing since. Returns how many series went.
    pub(crate) fn drop_before(&mut self, floor: i64) -> usize {
        self.floor = self.floor.max(floor);
        let mut gone = Vec::new();
        for (slot, place) in (0..).zip(&mut self.series) {
            let Some(series) = place else { continue };
            series.drop_before(&self.timelines, floor);
            if series.is_empty() && series.last_time < floor {
                *place = None;
                gone.push(slot);
            }
        }
        self.timelines.drop_before(floor);
        for slot in &gone {
            self.index.remove(*slot);
        }
        if !gone.is_empty() {
            // Numbers given from now on differ from all that these slots had.
            self.generation = self.generation.saturating_add(1);
            self.order.get_mut().remove();
            gone.reverse();
        }
        let count = gone.len();
        self.free.extend(gone);
        count
    }

    fn window(&self, time: i64) -> i64 {
        time.div_euclid(self.block_ms).saturating_mul(self.block_ms)
    }
}

/// Generation and slot; none for the number that stands for none.
fn split(id: u64) -> Option<(u32, Slot)> {
    let generation = u32::try_from(id >> 32).ok().filter(|generation| *generation > 0)?;
    Some((generation, u32::try_from(id & u64::from(u32::MAX)).ok()?))
}
