//! One part of the head: series with their samples, and the times that they share.
//!
//! It never looks at labels; those are in `head/registry.rs`. A shard has whole runs of slots, so
//! a table of runs leads from a slot to its series.

use std::{collections::BTreeSet, sync::Arc};

use masthead_model::Histogram;
use masthead_ports::SeriesRef;

use super::{
    NewFloat, RUN, Slot, number,
    series::Series,
    split,
    timeline::{LineId, Timelines},
};

#[derive(Debug)]
pub(crate) struct Shard {
    pub(super) at: usize,
    /// By number of the run; runs of others are empty.
    pub(super) runs: Vec<Vec<Option<Series>>>,
    pub(super) free: Vec<Slot>,
    pub(super) timelines: Timelines,
    /// Samples before this are in blocks, and no more are taken.
    pub(super) floor: i64,
    pub(super) block_ms: i64,
}

impl Shard {
    pub(super) fn new(at: usize, block_ms: i64) -> Self {
        Self {
            at,
            runs: Vec::new(),
            free: Vec::new(),
            timelines: Timelines::default(),
            floor: i64::MIN,
            block_ms,
        }
    }

    /// Its number.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn series(&self, slot: Slot) -> Option<&Series> {
        let (run, at) = place(slot);
        self.runs.get(run)?.get(at)?.as_ref()
    }

    fn series_mut(&mut self, slot: Slot) -> Option<&mut Series> {
        let (run, at) = place(slot);
        self.runs.get_mut(run)?.get_mut(at)?.as_mut()
    }

    /// Puts a series where none is.
    pub(super) fn put(&mut self, slot: Slot, series: Series) {
        let (run, at) = place(slot);
        if run >= self.runs.len() {
            self.runs.resize_with(run + 1, Vec::new);
        }
        if let Some(run) = self.runs.get_mut(run) {
            if at >= run.len() {
                run.reserve_exact(RUN - run.len());
                run.resize_with(at + 1, || None);
            }
            if let Some(place) = run.get_mut(at) {
                *place = Some(series);
            }
        }
    }

    pub(super) fn forget(&mut self, slot: Slot) {
        let (run, at) = place(slot);
        if let Some(place) = self.runs.get_mut(run).and_then(|run| run.get_mut(at)) {
            *place = None;
        }
    }

    /// Slots of runs that are the shard's, and their series.
    pub(super) fn slots(&self) -> impl Iterator<Item = (Slot, &Series)> {
        (0..).zip(&self.runs).flat_map(|(run, all)| {
            let first = run << super::RUN_BITS;
            (first..).zip(all).filter_map(|(slot, series)| Some((slot, series.as_ref()?)))
        })
    }

    /// The slot of a reference that is still valid.
    pub(crate) fn resolve(&self, reference: SeriesRef) -> Option<Slot> {
        let (generation, slot) = split(reference.0)?;
        self.series(slot).filter(|series| series.generation.get() == generation).map(|_| slot)
    }

    /// The number that callers and the journal use for a slot.
    pub(crate) fn reference(&self, slot: Slot) -> SeriesRef {
        number(self.series(slot).map_or(0, |series| series.generation.get()), slot)
    }

    /// Notes the newest float of a series, which nothing is written relative to.
    pub(crate) fn set_last(&mut self, slot: Slot, bits: u64) {
        if let Some(series) = self.series_mut(slot) {
            series.last_bits = bits;
        }
    }

    /// Notes what the journal's `segment` has as the series' last float.
    pub(crate) fn set_base(&mut self, slot: Slot, segment: u64, bits: u64) {
        if let Some(series) = self.series_mut(slot) {
            series.set_base(segment, bits);
        }
    }

    /// Adds a float that is newer than all of its series.
    pub(crate) fn push_float(&mut self, slot: Slot, group: u64, float: NewFloat) {
        let window = self.window(float.time);
        let (run, at) = place(slot);
        let series = self.runs.get_mut(run).and_then(|run| run.get_mut(at));
        if let Some(series) = series.and_then(Option::as_mut) {
            series.push_float(&mut self.timelines, window, group, float);
        }
    }

    /// [`Shard::push_float`] for a float that goes to `segment` of the journal; returns what it is
    /// written relative to there.
    pub(crate) fn append_float(
        &mut self,
        slot: Slot,
        (segment, group): (u64, u64),
        float: NewFloat,
    ) -> u64 {
        let window = self.window(float.time);
        let (run, at) = place(slot);
        let series = self.runs.get_mut(run).and_then(|run| run.get_mut(at));
        let Some(series) = series.and_then(Option::as_mut) else { return 0 };
        let base = series.base(segment);
        series.set_base(segment, float.bits);
        series.push_float(&mut self.timelines, window, group, float);
        base
    }

    /// Adds a histogram that is newer than all of its series.
    pub(crate) fn push_histogram(
        &mut self,
        slot: Slot,
        time: i64,
        start: i64,
        histogram: Arc<Histogram>,
    ) {
        let window = self.window(time);
        if let Some(series) = self.series_mut(slot) {
            series.push_histogram(window, time, start, histogram);
        }
    }

    /// Adds a float between others.
    pub(crate) fn insert_float(&mut self, slot: Slot, float: NewFloat) {
        if let Some(series) = self.series_mut(slot) {
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
        if let Some(series) = self.series_mut(slot) {
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
        let (snapshot, block_ms) = (self.snapshot_all(slot), self.block_ms);
        let (run, at) = place(slot);
        let series = self.runs.get_mut(run).and_then(|run| run.get_mut(at));
        if let Some(series) = series.and_then(Option::as_mut) {
            series.delete(&mut self.timelines, &snapshot, block_ms, first, last);
        }
    }

    /// Adds the starts of the blocks before `floor` that have samples.
    pub(super) fn windows_before(&self, floor: i64, windows: &mut BTreeSet<i64>) {
        for (_, series) in self.slots() {
            series.each_time(&self.timelines, &mut |time| {
                if time < floor {
                    windows.insert(self.window(time));
                }
            });
        }
    }

    /// Drops all samples before `floor` and the series that had nothing since; returns the slots of
    /// these, which are not free yet.
    pub(super) fn drop_before(&mut self, floor: i64) -> Vec<Slot> {
        self.floor = self.floor.max(floor);
        let mut gone = Vec::new();
        let lines = &self.timelines;
        let window_of = |line: LineId| lines.get(line).map(|line| line.window);
        for (run, all) in (0..).zip(&mut self.runs) {
            for (slot, place) in ((run << super::RUN_BITS)..).zip(all) {
                let Some(series) = place else { continue };
                series.drop_before(window_of, floor);
                if series.is_empty() && series.last_time < floor {
                    *place = None;
                    gone.push(slot);
                }
            }
        }
        self.timelines.drop_before(floor);
        gone
    }

    /// Makes slots free for other series, and gives the runs back that have no series left.
    pub(super) fn release(&mut self, gone: &[Slot]) -> Vec<u32> {
        let mut empty = Vec::new();
        for (number, run) in (0..).zip(&mut self.runs) {
            if !run.is_empty() && run.iter().all(Option::is_none) {
                *run = Vec::new();
                empty.push(number);
            }
        }
        self.free.extend(gone.iter().rev());
        if !empty.is_empty() {
            self.free.retain(|slot| empty.binary_search(&(slot >> super::RUN_BITS)).is_err());
        }
        empty
    }

    fn window(&self, time: i64) -> i64 {
        time.div_euclid(self.block_ms).saturating_mul(self.block_ms)
    }
}

/// The run of a slot and its place there.
fn place(slot: Slot) -> (usize, usize) {
    let slot = slot as usize;
    (slot >> super::RUN_BITS, slot & (RUN - 1))
}
