//! The head while it is being filled from file and journal: one thread has it, and nothing is held.

use masthead_model::Labels;
use masthead_ports::SeriesRef;
use parking_lot::RwLock;

use super::{Head, RUN_BITS, RUN_LAST, Registry, Shard, Slot, Texts, series::Series, split};

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
    pub(crate) fn restore(&mut self, id: u64, labels: &Labels) -> Option<Slot> {
        let (generation, slot) = split(id)?;
        self.saw(id);
        if (slot >> RUN_BITS) as usize >= self.owners.runs() {
            return None;
        }
        // Whoever has the place or the labels is either the same, or newer and came from a
        // checkpoint, or was gone before this one came.
        for other in [Some(slot), self.registry.get_mut().index.get(labels)].into_iter().flatten() {
            match self.registry.get_mut().generation_of(other) {
                0 => {}
                has if has >= generation => return None,
                _ => self.forget(other),
            }
        }
        let owner = self.owner_or_home(slot, labels);
        self.registry.get_mut().insert(slot, generation, labels);
        let shard = self.shards.get_mut(owner)?.get_mut();
        shard.put(slot, Series::new(generation));
        Some(slot)
    }

    /// The shard that has the run of a slot; if none has, that of the labels gets it.
    pub(super) fn owner_or_home(&mut self, slot: Slot, labels: &Labels) -> usize {
        self.owner(slot).unwrap_or_else(|| {
            let home = Self::home(labels);
            self.registry.get_mut().saw_run(slot);
            self.owners.set(slot >> RUN_BITS, Some(home));
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
