//! The head: samples that are not in a block yet, in memory; every acknowledged one is in the
//! journal too.
//!
//! ```text
//! registry   label set ── number (slot)                                      one lock
//! shards     slot ── series ── open chunk ──> timeline of the scrape group   a lock each
//!                         └─ closed chunks, late samples, histograms, start times
//! texts      exemplars, metadata                                             one lock
//! ```
//!
//! The series of a scrape are in one shard, where they share their times, and scrapes of different
//! shards are taken at the same time. A series is a place in a table (its slot), which is given
//! again after the series is gone; with the generation in which it was given it makes the number
//! that callers and journal use. Slots are given to shards in runs of 1,024, so that a slot says
//! whose it is (`owners`) and the numbers of a scrape follow each other.
//!
//! Locks, in the order in which they may be taken: shards by their number, texts, registry. A
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
//! - `head/exemplars.rs`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU8, Ordering},
    },
};

use masthead_durable::index;
use masthead_model::Labels;
use masthead_ports::{Metadata, RejectReason, SeriesRef};
use parking_lot::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

mod exemplars;
mod judge;
mod order;
mod registry;
mod saved;
mod series;
mod shard;
mod snapshot;
mod timeline;

#[cfg(test)]
mod tests;

pub(crate) use exemplars::Exemplars;
pub(crate) use judge::Verdict;
pub(crate) use registry::Registry;
pub(crate) use saved::{SavedHead, SavedSeries};
pub(crate) use shard::Shard;
pub(crate) use snapshot::{SeriesSnapshot, Snapshot};

use self::series::Series;
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
    /// By run: the number of the shard that has it plus one, or zero.
    owners: Box<[AtomicU8]>,
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

/// Some shards, held for reading at the same time.
pub(crate) struct Held<'h> {
    head: &'h Head,
    shards: [Option<RwLockReadGuard<'h, Shard>>; SHARDS],
}

/// All shards, held for writing.
pub(crate) struct HeldAll<'h> {
    head: &'h Head,
    shards: [RwLockWriteGuard<'h, Shard>; SHARDS],
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
            owners: (0..slots.div_ceil(RUN)).map(|_| AtomicU8::new(0)).collect(),
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
        for (owner, other) in self.owners.iter().zip(&*other.owners) {
            owner.store(other.load(Ordering::Relaxed), Ordering::Release);
        }
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

    /// The shard that has a slot.
    pub(crate) fn owner(&self, slot: Slot) -> Option<usize> {
        let owner = self.owners.get((slot >> RUN_BITS) as usize)?.load(Ordering::Acquire);
        usize::from(owner).checked_sub(1)
    }

    /// The shard that has, or had, a series.
    pub(crate) fn owner_of(&self, reference: SeriesRef) -> Option<usize> {
        split(reference.0).and_then(|(_, slot)| self.owner(slot))
    }

    /// Holds one of `wanted` for writing: one that nobody has, if there is one.
    pub(crate) fn hold_one(
        &self,
        wanted: [bool; SHARDS],
    ) -> Option<(usize, RwLockWriteGuard<'_, Shard>)> {
        let wanted =
            || (0..).zip(&self.shards).zip(wanted).filter_map(|(s, want)| want.then_some(s));
        let free = wanted().find_map(|(at, shard)| Some((at, shard.try_write()?)));
        free.or_else(|| wanted().next().map(|(at, shard)| (at, shard.write())))
    }

    /// Holds the shards of some slots for reading.
    pub(crate) fn hold(&self, slots: impl Iterator<Item = Slot>) -> Held<'_> {
        let mut wanted = [false; SHARDS];
        for slot in slots {
            if let Some(wanted) = self.owner(slot).and_then(|owner| wanted.get_mut(owner)) {
                *wanted = true;
            }
        }
        let mut shards = [const { None }; SHARDS];
        for ((place, shard), _) in
            shards.iter_mut().zip(&self.shards).zip(wanted).filter(|(_, wanted)| *wanted)
        {
            *place = Some(shard.read());
        }
        Held { head: self, shards }
    }

    /// Holds all shards for reading: nothing is between head and journal then.
    pub(crate) fn hold_still(&self) -> Held<'_> {
        let mut shards = [const { None }; SHARDS];
        for (place, shard) in shards.iter_mut().zip(&self.shards) {
            *place = Some(shard.read());
        }
        Held { head: self, shards }
    }

    /// Holds all shards for writing.
    pub(crate) fn hold_all(&self) -> HeldAll<'_> {
        // In the order of the array, which is that of the shards.
        HeldAll { head: self, shards: self.shards.each_ref().map(RwLock::write) }
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
            let run = registry.take_run(self.owners.len()).ok_or(RejectReason::SeriesLimit)?;
            self.own(run, shard);
            let first = run << RUN_BITS;
            shard.free.extend((first..=first | RUN_LAST).rev());
        }
        let slot = shard.free.pop().ok_or(RejectReason::SeriesLimit)?;
        let generation = registry.generation;
        registry.insert(slot, generation, labels.clone());
        shard.put(slot, Series::new(generation));
        Ok(Defined::New(slot))
    }

    fn own(&self, run: u32, shard: &Shard) {
        if let Some(owner) = self.owners.get(run as usize) {
            owner.store(u8::try_from(shard.at + 1).unwrap_or(0), Ordering::Release);
        }
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
                if let Some(owner) = self.owners.get(run as usize) {
                    owner.store(0, Ordering::Release);
                }
                registry.free_runs.push(run);
            }
        }
        self.floor.fetch_max(floor, Ordering::AcqRel);
        count
    }
}

/// For whoever has the head alone: a start.
impl Head {
    pub(crate) fn registry_mut(&mut self) -> &mut Registry {
        self.registry.get_mut()
    }

    pub(crate) fn texts_mut(&mut self) -> &mut Texts {
        self.texts.get_mut()
    }

    /// Raises floor and newest time to what is known from elsewhere.
    pub(crate) fn know(&mut self, floor: i64, newest: i64) {
        self.raise_floor(floor);
        self.saw_time(newest);
    }

    /// The shard of a series and its slot, if the series is there.
    pub(crate) fn find_mut(&mut self, reference: SeriesRef) -> Option<(&mut Shard, Slot)> {
        let owner = self.owner_of(reference)?;
        let shard = self.shards.get_mut(owner)?.get_mut();
        let slot = shard.resolve(reference)?;
        Some((shard, slot))
    }

    /// Adds a series as the journal has it. Returns its slot, or none if a newer one has it.
    pub(crate) fn restore(&mut self, id: u64, labels: Labels) -> Option<Slot> {
        let (generation, slot) = split(id)?;
        self.saw(id);
        if (slot >> RUN_BITS) as usize >= self.owners.len() {
            return None;
        }
        // Whoever has the place or the labels is either the same, or newer and came from a
        // checkpoint, or was gone before this one came.
        for other in [Some(slot), self.registry.get_mut().index.get(&labels)].into_iter().flatten()
        {
            match self.registry.get_mut().generation_of(other) {
                0 => {}
                has if has >= generation => return None,
                _ => self.forget(other),
            }
        }
        let owner = self.owner_or_home(slot, &labels);
        self.registry.get_mut().insert(slot, generation, labels);
        let shard = self.shards.get_mut(owner)?.get_mut();
        shard.put(slot, Series::new(generation));
        Some(slot)
    }

    /// The shard that has the run of a slot; if none has, that of the labels gets it.
    fn owner_or_home(&mut self, slot: Slot, labels: &Labels) -> usize {
        self.owner(slot).unwrap_or_else(|| {
            let home = Self::home(labels);
            self.registry.get_mut().saw_run(slot);
            if let Some(owner) = self.owners.get_mut((slot >> RUN_BITS) as usize) {
                *owner.get_mut() = u8::try_from(home + 1).unwrap_or(0);
            }
            home
        })
    }

    fn forget(&mut self, slot: Slot) {
        self.registry.get_mut().remove(&[slot]);
        if let Some(shard) = self.owner(slot).and_then(|owner| self.shards.get_mut(owner)) {
            shard.get_mut().forget(slot);
        }
    }

    /// Makes sure that a number which was seen anywhere is never given again.
    pub(crate) fn saw(&mut self, id: u64) {
        if let Some((generation, _)) = split(id) {
            let registry = self.registry.get_mut();
            registry.generation = registry.generation.max(generation.saturating_add(1));
        }
    }

    /// After a replay: finds the slots that are free.
    pub(crate) fn find_free(&mut self) {
        self.shards.iter_mut().for_each(|shard| shard.get_mut().free.clear());
        // Those with the lowest numbers are given first.
        for run in (0..self.registry.get_mut().next_run).rev() {
            let first = run << RUN_BITS;
            let Some(owner) = self.owner(first) else { continue };
            let Some(shard) = self.shards.get_mut(owner).map(RwLock::get_mut) else { continue };
            let free =
                (first..=first | RUN_LAST).rev().filter(|slot| shard.series(*slot).is_none());
            let free: Vec<Slot> = free.collect();
            shard.free.extend(free);
        }
    }
}

/// What became of a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Defined {
    New(Slot),
    /// Somebody was faster.
    Known(SeriesRef),
}

impl Held<'_> {
    /// The shard that has a slot, if it is held.
    pub(crate) fn shard(&self, slot: Slot) -> Option<&Shard> {
        self.shards.get(self.head.owner(slot)?)?.as_deref()
    }

    /// The shard of a series that is still there, and its slot.
    pub(crate) fn find(&self, reference: SeriesRef) -> Option<(&Shard, Slot)> {
        let shard = self.shards.get(self.head.owner_of(reference)?)?.as_deref()?;
        Some((shard, shard.resolve(reference)?))
    }

    /// All shards that are held.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Shard> {
        self.shards.iter().flatten().map(|shard| &**shard)
    }
}

impl HeldAll<'_> {
    /// The shard that has a slot.
    pub(crate) fn shard_mut(&mut self, slot: Slot) -> Option<&mut Shard> {
        self.shards.get_mut(self.head.owner(slot)?).map(|shard| &mut **shard)
    }
}

/// Generation and slot; none for the number that stands for none.
pub(crate) fn split(id: u64) -> Option<(u32, Slot)> {
    let generation = u32::try_from(id >> 32).ok().filter(|generation| *generation > 0)?;
    Some((generation, u32::try_from(id & u64::from(u32::MAX)).ok()?))
}

fn number(generation: u32, slot: Slot) -> SeriesRef {
    SeriesRef(u64::from(generation) << 32 | u64::from(slot))
}
