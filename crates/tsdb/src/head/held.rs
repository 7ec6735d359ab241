//! Shards that somebody holds: one, some or all, always in the order of their numbers.

use masthead_ports::SeriesRef;
use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::{Head, SHARDS, Shard, Slot};

/// Some shards, held for reading at the same time.
pub(crate) struct Held<'h> {
    head: &'h Head,
    shards: [Option<RwLockReadGuard<'h, Shard>>; SHARDS],
}

/// All shards, held for writing.
pub(crate) struct HeldAll<'h> {
    head: &'h Head,
    pub(super) shards: [RwLockWriteGuard<'h, Shard>; SHARDS],
}

impl Head {
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
