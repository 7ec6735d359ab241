//! The head: samples that are not in a block yet, in memory; every acknowledged one is in the
//! journal too.
//!
//! ```text
//! registry   label set ── number (slot)                                      one lock
//! shards     slot ── series ── open chunk ──> timeline of the scrape group   a lock each
//!                         └─ closed chunks, late samples, histograms, start times
//! texts      exemplars, metadata                                             one lock
//! pushes     which samples a query must not see yet                          one lock
//! ```
//!
//! The series of a scrape are in one shard, where they share their times, and scrapes of different
//! shards are taken at the same time. A series is a place in a table (its slot), which is given
//! again after the series is gone; with the generation in which it was given it makes the number
//! that callers and journal use. Slots are given to shards in runs of 1,024, so that a slot says
//! whose it is (`owners`) and the numbers of a scrape follow each other.
//!
//! Locks, in the order in which they may be taken: shards by their number, texts, registry, pushes. A
//! series is added or removed with its shard and the registry held, so whoever holds either sees
//! whether it is there. Whoever changes a series enqueues the frame that says so before it lets go
//! of the shard: the journal has the frames of a series in the order in which they were applied,
//! its definition first, and a replay yields the same series.
//!
//! Nothing here reads a clock or touches a file: the store does, around it.
//!
//! - `head/registry.rs`: label sets; - `head/shard.rs`: one part; - `head/series.rs`: one series;
//! - `head/timeline.rs`: shared times; - `head/judge.rs`: what is refused; - `head/order.rs`: series
//!   by labels; - `head/snapshot.rs`: what a query takes with it; - `head/saved.rs`: series as bytes;
//! - `head/exemplars.rs`; - `head/held.rs`: who holds what; - `head/start.rs`: filling it;
//! - `head/pushes.rs`: what a query does not see; - `head/ranges.rs`: when there are samples.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use masthead_durable::index;
use masthead_model::Labels;
use masthead_ports::{Metadata, RejectReason, SeriesRef};
use parking_lot::{Mutex, MutexGuard, RwLock, RwLockReadGuard};

mod exemplars;
mod held;
mod judge;
mod order;
mod owners;
mod pushes;
mod ranges;
mod registry;
mod saved;
mod series;
mod shard;
mod snapshot;
mod start;
mod timeline;

#[cfg(test)]
mod tests;

pub(crate) use exemplars::Exemplars;
pub(crate) use held::Held;
pub(crate) use judge::Verdict;
pub(crate) use pushes::{Push, Pushes, Put};
pub(crate) use ranges::KnownTimes;
pub(crate) use registry::Registry;
pub(crate) use saved::{SavedHead, SavedSeries};
pub(crate) use shard::Shard;
pub(crate) use snapshot::{SeriesSnapshot, Snapshot};

use self::{owners::Owners, series::Series};
use crate::options::Options;

/// Into so many parts the head is divided: more than writers that work at the same time on the
/// machines this is for, and few enough that a push of many targets makes few frames.
pub(crate) const SHARDS: usize = 8;

const RUN_BITS: u32 = 10;
/// Slots of a run.
const RUN: usize = 1 << RUN_BITS;
const RUN_LAST: u32 = (1 << RUN_BITS) - 1;

/// Slots are numbers of the label index.
pub(crate) type Slot = u32;

#[derive(Debug)]
pub(crate) struct Head {
    shards: [RwLock<Shard>; SHARDS],
    registry: RwLock<Registry>,
    texts: Mutex<Texts>,
    pushes: Pushes,
    owners: Owners,
    floor: AtomicI64,
    newest: AtomicI64,
    block_ms: i64,
}

/// What is not about samples.
#[derive(Debug)]
pub(crate) struct Texts {
    pub(crate) exemplars: Exemplars,
    pub(crate) metadata: BTreeMap<Arc<str>, Metadata>,
}

/// One float, told where to go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewFloat {
    pub(crate) time: i64,
    pub(crate) start: i64,
    pub(crate) bits: u64,
}

impl Head {
    pub(crate) fn new(options: &Options) -> Self {
        let slots = options.slots_max().min(index::SERIES_MAX as usize);
        Self {
            shards: std::array::from_fn(|at| RwLock::new(Shard::new(at, options.block_ms))),
            registry: RwLock::default(),
            texts: Mutex::new(Texts {
                exemplars: Exemplars::new(options.exemplars_max),
                metadata: BTreeMap::new(),
            }),
            pushes: Pushes::default(),
            owners: Owners::new(slots.div_ceil(RUN)),
            floor: AtomicI64::new(i64::MIN),
            newest: AtomicI64::new(i64::MIN),
            block_ms: options.block_ms,
        }
    }

    /// Puts what `other` has in the place of what is here.
    pub(crate) fn install(&self, other: Self) {
        let mut all = self.hold_all();
        for (shard, other) in all.shards.iter_mut().zip(other.shards) {
            **shard = other.into_inner();
        }
        *self.texts.lock() = other.texts.into_inner();
        *self.registry.write() = other.registry.into_inner();
        self.owners.copy(&other.owners);
        self.floor.store(other.floor.into_inner(), Ordering::Release);
        self.newest.store(other.newest.into_inner(), Ordering::Release);
    }

    /// Samples before this are in blocks, and no more are taken.
    pub(crate) fn floor(&self) -> i64 {
        self.floor.load(Ordering::Acquire)
    }

    /// The newest sample that was ever taken, `i64::MIN` if there is none.
    pub(crate) fn newest(&self) -> i64 {
        self.newest.load(Ordering::Acquire)
    }

    /// Notes the time of a sample.
    pub(crate) fn saw_time(&self, time: i64) {
        // Looking costs less, and mostly there is nothing to note.
        if time > self.newest.load(Ordering::Acquire) {
            self.newest.fetch_max(time, Ordering::AcqRel);
        }
    }

    /// The length of a block.
    pub(crate) fn block_ms(&self) -> i64 {
        self.block_ms
    }

    /// No sample before `floor` is taken after this.
    pub(crate) fn raise_floor(&self, floor: i64) {
        for shard in &self.shards {
            let mut shard = shard.write();
            shard.floor = shard.floor.max(floor);
        }
        self.floor.fetch_max(floor, Ordering::AcqRel);
    }

    /// Which series there are.
    pub(crate) fn registry(&self) -> RwLockReadGuard<'_, Registry> {
        self.registry.read()
    }

    /// The same for a moment, without waiting for those who wait to change it.
    pub(crate) fn glance(&self) -> RwLockReadGuard<'_, Registry> {
        self.registry.read_recursive()
    }

    pub(crate) fn texts(&self) -> MutexGuard<'_, Texts> {
        self.texts.lock()
    }

    /// Which pushes a query sees.
    pub(crate) fn pushes(&self) -> &Pushes {
        &self.pushes
    }

    /// The shard that has a slot.
    pub(crate) fn owner(&self, slot: Slot) -> Option<usize> {
        self.owners.get(slot >> RUN_BITS)
    }

    /// The shard that has, or had, a series.
    pub(crate) fn owner_of(&self, reference: SeriesRef) -> Option<usize> {
        split(reference.0).and_then(|(_, slot)| self.owner(slot))
    }

    /// The shard that new series of these labels belong to. A scrape is told by its target, which
    /// is also known when all that is left is the head's file.
    pub(crate) fn home(labels: &Labels) -> usize {
        let crc = ["job", "instance"].iter().fold(0, |crc, name| {
            let value = labels.get(name).unwrap_or_default();
            crc32c::crc32c_append(crc32c::crc32c_append(crc, value.as_bytes()), &[0xff])
        });
        crc as usize % SHARDS
    }

    /// Adds a series to `shard`, which is held, unless it is there already; returns its number.
    pub(crate) fn define(
        &self,
        shard: &mut Shard,
        labels: &Labels,
        series_max: usize,
    ) -> Result<Defined, RejectReason> {
        let mut registry = self.registry.write();
        if let Some(known) = registry.find(labels) {
            return Ok(Defined::Known(known));
        }
        if registry.index.len() >= series_max {
            return Err(RejectReason::SeriesLimit);
        }
        if shard.free.is_empty() {
            let run = registry.take_run(self.owners.runs()).ok_or(RejectReason::SeriesLimit)?;
            self.owners.set(run, Some(shard.at));
            let first = run << RUN_BITS;
            shard.free.extend((first..=first | RUN_LAST).rev());
        }
        let slot = shard.free.pop().ok_or(RejectReason::SeriesLimit)?;
        let generation = registry.generation;
        registry.insert(slot, generation, labels);
        shard.put(slot, Series::new(generation));
        Ok(Defined::New(slot))
    }

    /// Starts of the blocks before `floor` that have samples.
    pub(crate) fn windows_before(&self, floor: i64) -> BTreeSet<i64> {
        let mut windows = BTreeSet::new();
        for shard in &self.shards {
            shard.read().windows_before(floor, &mut windows);
        }
        windows
    }

    /// Drops all samples before `floor`, which are in blocks by now, and the series that had
    /// nothing since. Returns how many series went.
    pub(crate) fn drop_before(&self, floor: i64) -> usize {
        let mut count = 0;
        for shard in &self.shards {
            let mut shard = shard.write();
            let gone = shard.drop_before(floor);
            if gone.is_empty() {
                continue;
            }
            count += gone.len();
            let mut registry = self.registry.write();
            registry.remove(&gone);
            // Numbers given from now on differ from all that these slots had.
            registry.generation = registry.generation.saturating_add(1);
            for run in shard.release(&gone) {
                self.owners.set(run, None);
                registry.free_runs.push(run);
            }
        }
        self.floor.fetch_max(floor, Ordering::AcqRel);
        count
    }
}

/// What became of a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Defined {
    New(Slot),
    /// Somebody was faster.
    Known(SeriesRef),
}

/// Generation and slot; none for the number that stands for none.
pub(crate) fn split(id: u64) -> Option<(u32, Slot)> {
    let generation = u32::try_from(id >> 32).ok().filter(|generation| *generation > 0)?;
    Some((generation, u32::try_from(id & u64::from(u32::MAX)).ok()?))
}

fn number(generation: u32, slot: Slot) -> SeriesRef {
    SeriesRef(u64::from(generation) << 32 | u64::from(slot))
}
