//! Which series there are: label sets, their numbers and their order. Samples are in the shards.

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use masthead_durable::index::HeadIndex;
use masthead_model::Labels;
use masthead_ports::SeriesRef;
use parking_lot::Mutex;
use roaring::RoaringBitmap;

use super::{RUN_BITS, Slot, number, order::Order};

#[derive(Debug)]
pub(crate) struct Registry {
    pub(crate) index: HeadIndex,
    /// By slot, zero where no series is.
    generations: Vec<u32>,
    /// Slots that are given again get this generation.
    pub(crate) generation: u32,
    /// Runs below `next_run` that no shard has.
    pub(super) free_runs: Vec<u32>,
    pub(super) next_run: u32,
    order: Mutex<Order>,
    /// Label sets that queries asked for, because making one costs more than sharing it.
    texts: Mutex<HashMap<Slot, Labels, RandomState>>,
}

/// Label sets that are kept for queries, at most; some 200 bytes each. Beyond it they are made
/// anew.
const TEXTS_MAX: usize = 1 << 15;
const TEXTS_AT_ONCE: usize = 1024;

impl Default for Registry {
    fn default() -> Self {
        Self {
            index: HeadIndex::default(),
            generations: Vec::new(),
            generation: 1,
            free_runs: Vec::new(),
            next_run: 0,
            order: Mutex::default(),
            texts: Mutex::default(),
        }
    }
}

impl Registry {
    /// The registry of an index whose series have these generations.
    pub(super) fn of(index: HeadIndex, generations: Vec<u32>) -> Self {
        Self { index, generations, ..Self::default() }
    }

    /// Adds a series that is not there.
    pub(super) fn insert(&mut self, slot: Slot, generation: u32, labels: &Labels) {
        self.index.insert(slot, labels);
        self.order.get_mut().add(slot);
        let at = slot as usize;
        if at >= self.generations.len() {
            self.generations.resize(at + 1, 0);
        }
        if let Some(place) = self.generations.get_mut(at) {
            *place = generation;
        }
    }

    pub(super) fn remove(&mut self, slots: &[Slot]) {
        if slots.is_empty() {
            return;
        }
        let texts = self.texts.get_mut();
        for slot in slots {
            self.index.remove(*slot);
            texts.remove(slot);
            if let Some(generation) = self.generations.get_mut(*slot as usize) {
                *generation = 0;
            }
        }
        self.order.get_mut().remove();
    }

    /// The generation of a slot, zero if nobody has it.
    pub(crate) fn generation_of(&self, slot: Slot) -> u32 {
        self.generations.get(slot as usize).copied().unwrap_or(0)
    }

    /// The number that callers and the journal use for a slot.
    pub(crate) fn reference(&self, slot: Slot) -> SeriesRef {
        number(self.generation_of(slot), slot)
    }

    /// The number of a label set.
    pub(crate) fn find(&self, labels: &Labels) -> Option<SeriesRef> {
        self.index.get(labels).map(|slot| self.reference(slot))
    }

    /// The series of `slots` in label order.
    pub(crate) fn in_order(&self, slots: &RoaringBitmap) -> Vec<Slot> {
        self.order.lock().sort(&self.index, slots)
    }

    /// The label sets of some series, made anew; those that are gone are left out.
    pub(crate) fn labels_of(&self, slots: &[Slot]) -> Vec<(Labels, Slot)> {
        let mut buffer = String::new();
        let mut labels_of = |slot| Some((self.index.labels_in(slot, &mut buffer)?, slot));
        slots.iter().filter_map(|slot| labels_of(*slot)).collect()
    }

    /// The same for queries, which ask for the same series again.
    pub(crate) fn labelled(&self, slots: &[Slot]) -> Vec<(Labels, Slot)> {
        if slots.len() > TEXTS_MAX {
            return self.labels_of(slots);
        }
        let mut buffer = String::new();
        let mut found = Vec::with_capacity(slots.len());
        // Other queries wait for these alone.
        for some in slots.chunks(TEXTS_AT_ONCE) {
            let mut texts = self.texts.lock();
            for slot in some {
                let labels = match texts.get(slot) {
                    Some(known) => known.clone(),
                    None => {
                        let Some(labels) = self.index.labels_in(*slot, &mut buffer) else {
                            continue;
                        };
                        if texts.len() >= TEXTS_MAX {
                            texts.clear();
                        }
                        texts.insert(*slot, labels.clone());
                        labels
                    }
                };
                found.push((labels, *slot));
            }
        }
        found
    }

    /// A run that no shard has, below `runs`.
    pub(super) fn take_run(&mut self, runs: usize) -> Option<u32> {
        self.free_runs.pop().or_else(|| {
            let run = Some(self.next_run).filter(|run| (*run as usize) < runs)?;
            self.next_run += 1;
            Some(run)
        })
    }

    /// Notes that a run is somebody's.
    pub(super) fn saw_run(&mut self, slot: Slot) {
        let run = slot >> RUN_BITS;
        if run >= self.next_run {
            self.free_runs.extend(self.next_run..run);
            self.next_run = run + 1;
        } else {
            self.free_runs.retain(|free| *free != run);
        }
    }
}
