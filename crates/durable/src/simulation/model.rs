//! What must be in a store: at each place the values that may be there, and whether nothing may.

use std::{collections::BTreeMap, fmt::Debug};

/// What may stand at one place.
#[derive(Debug, Clone)]
struct Place<V> {
    values: Vec<V>,
    absent: bool,
    /// The journal's frame by which it was there for sure.
    frame: u64,
}

/// See the module.
#[derive(Debug)]
pub struct Model<K, V> {
    places: BTreeMap<K, Place<V>>,
}

impl<K, V> Default for Model<K, V> {
    fn default() -> Self {
        Self { places: BTreeMap::new() }
    }
}

impl<K: Ord + Debug, V: PartialEq + Debug> Model<K, V> {
    /// An entry was acknowledged, in frame `frame` or before.
    pub fn acknowledged(&mut self, key: K, value: V, frame: u64) {
        self.places.insert(key, Place { values: vec![value], absent: false, frame });
    }

    /// An entry was sent and not acknowledged.
    pub fn sent(&mut self, key: K, value: V) {
        let nothing = Place { values: Vec::new(), absent: true, frame: 0 };
        self.places.entry(key).or_insert(nothing).values.push(value);
    }

    /// Whether the store may have anything at a place.
    pub fn may_have(&self, key: &K) -> bool {
        self.places.contains_key(key)
    }

    /// Places at which something may be.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.places.keys()
    }

    /// Entries were deleted, for sure or perhaps.
    pub fn deleted(&mut self, matches: impl Fn(&K) -> bool, sure: bool) {
        if sure {
            self.places.retain(|key, _| !matches(key));
        } else {
            self.may_be_gone(matches);
        }
    }

    /// Entries may be gone.
    pub fn may_be_gone(&mut self, matches: impl Fn(&K) -> bool) {
        for (_, place) in self.places.iter_mut().filter(|(key, _)| matches(key)) {
            place.absent = true;
        }
    }

    /// The power was cut when frames up to `synced` were safe.
    pub fn power_lost(&mut self, synced: u64) {
        for place in self.places.values_mut().filter(|place| place.frame > synced) {
            place.absent = true;
        }
    }

    /// Compares with what was read.
    ///
    /// # Errors
    /// What is there and should not be, or is lost.
    pub fn check(&self, found: &BTreeMap<K, V>) -> Result<(), String> {
        self.check_found(found)?;
        let missing =
            self.places.iter().find(|(key, place)| !place.absent && !found.contains_key(*key));
        match missing {
            Some((key, place)) => Err(format!("{key:?} is lost: {place:?}")),
            None => Ok(()),
        }
    }

    /// Compares with what was read of some of it.
    ///
    /// # Errors
    /// What is there and should not be.
    pub fn check_found(&self, found: &BTreeMap<K, V>) -> Result<(), String> {
        for (key, value) in found {
            match self.places.get(key) {
                None => return Err(format!("{key:?} has {value:?}, which should not be there")),
                Some(place) if !place.values.contains(value) => {
                    return Err(format!("{key:?} has {value:?}, sent was {:?}", place.values));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// After a restart: what was found is there for sure, what was not never comes back.
    pub fn settle(&mut self, found: BTreeMap<K, V>) {
        let sure = |value| Place { values: vec![value], absent: false, frame: 0 };
        self.places = found.into_iter().map(|(key, value)| (key, sure(value))).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_doubled_or_never_sent_is_seen() {
        let mut model = Model::default();
        model.acknowledged(1, 'a', 10);
        model.acknowledged(2, 'b', 20);
        model.sent(3, 'c');
        let f = |model: &Model<i32, char>, found: &[(i32, char)], want: bool| {
            assert_eq!(model.check(&found.iter().copied().collect()).is_ok(), want, "{found:?}");
        };
        f(&model, &[(1, 'a'), (2, 'b')], true);
        f(&model, &[(1, 'a'), (2, 'b'), (3, 'c')], true);
        f(&model, &[(1, 'a')], false);
        f(&model, &[(1, 'x'), (2, 'b')], false);
        f(&model, &[(1, 'a'), (2, 'b'), (4, 'd')], false);
        model.power_lost(10);
        f(&model, &[(1, 'a')], true);
        f(&model, &[(2, 'b')], false);
        model.deleted(|key| *key == 1, true);
        f(&model, &[], true);
        f(&model, &[(1, 'a')], false);
        model.settle([(2, 'b')].into());
        f(&model, &[], false);
        assert!(!model.may_have(&3));
        model.deleted(|_| true, false);
        f(&model, &[], true);
    }
}
