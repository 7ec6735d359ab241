//! What must be in the store: each line that was sent, and whether it may be missing.

use std::collections::{BTreeMap, BTreeSet};

/// Stream, time, text with metadata.
pub(super) type Key = (usize, i64, String);

#[derive(Debug, Clone, Copy, Default)]
struct Place {
    absent: bool,
    /// The journal's frame by which it was there for sure.
    frame: u64,
}

#[derive(Debug, Default)]
pub(super) struct Model {
    places: BTreeMap<Key, Place>,
}

impl Model {
    /// A line was acknowledged, in frame `frame` or before.
    pub(super) fn acknowledged(&mut self, key: Key, frame: u64) {
        self.places.insert(key, Place { absent: false, frame });
    }

    /// A line was sent and not acknowledged.
    pub(super) fn sent(&mut self, key: Key) {
        self.places.entry(key).or_insert(Place { absent: true, frame: 0 });
    }

    /// Lines were deleted, for sure or perhaps.
    pub(super) fn deleted(&mut self, matches: impl Fn(&Key) -> bool, sure: bool) {
        if sure {
            self.places.retain(|key, _| !matches(key));
        } else {
            self.may_be_gone(matches);
        }
    }

    /// Lines may be gone.
    pub(super) fn may_be_gone(&mut self, matches: impl Fn(&Key) -> bool) {
        for (_, place) in self.places.iter_mut().filter(|(key, _)| matches(key)) {
            place.absent = true;
        }
    }

    /// The power was cut when frames up to `synced` were safe.
    pub(super) fn power_lost(&mut self, synced: u64) {
        for place in self.places.values_mut().filter(|place| place.frame > synced) {
            place.absent = true;
        }
    }

    /// Compares with what was read.
    pub(super) fn check(&self, found: &BTreeSet<Key>) -> Result<(), String> {
        if let Some(key) = found.iter().find(|key| !self.places.contains_key(*key)) {
            return Err(format!("{key:?} should not be there"));
        }
        let missing =
            self.places.iter().find(|(key, place)| !place.absent && !found.contains(*key));
        match missing {
            Some((key, place)) => Err(format!("{key:?} is lost: {place:?}")),
            None => Ok(()),
        }
    }

    /// After a restart: what was found is there for sure, what was not never comes back.
    pub(super) fn settle(&mut self, found: &BTreeSet<Key>) {
        self.places = found.iter().map(|key| (key.clone(), Place::default())).collect();
    }

    pub(super) fn newest(&self) -> Option<i64> {
        self.places.keys().map(|(_, time, _)| *time).max()
    }
}
