//! Numbers by key, in as little memory as a look-up in one place allows.
//!
//! Keys are hashes already. An entry stands at the place that the first half of its key says, or
//! at the next one that is free, in a table that is never fuller than three quarters and grows by a
//! quarter: 36 bytes an entry, where tables that double take up to 50. Fuller, a key that is not
//! there is looked for in four times as many places.

use super::Key;

/// A place without an entry; no key has this second half but by a chance that does not happen, and
/// such a one is not kept.
const NONE: u64 = u64::MAX;
const PLACES_MIN: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Table {
    places: Vec<Entry>,
    len: usize,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    key: Key,
    number: u64,
}

impl Table {
    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get(&self, key: Key) -> Option<u64> {
        let at = self.find(key)?;
        self.places.get(at).filter(|entry| entry.key == key).map(|entry| entry.number)
    }

    /// Sets the number of a key.
    pub(super) fn set(&mut self, key: Key, number: u64) {
        if key.1 == NONE {
            return;
        }
        if self.len * 4 >= self.places.len() * 3 {
            self.grow();
        }
        let Some(at) = self.find(key) else { return };
        if let Some(place) = self.places.get_mut(at) {
            self.len += usize::from(place.key.1 == NONE);
            *place = Entry { key, number };
        }
    }

    /// Where a key is, or the free place where it belongs.
    fn find(&self, key: Key) -> Option<usize> {
        let first = first(key, self.places.len());
        let (head, tail) = self.places.split_at_checked(first)?;
        let fits = |entry: &Entry| entry.key == key || entry.key.1 == NONE;
        let found = tail.iter().position(fits).map(|at| first + at);
        found.or_else(|| head.iter().position(fits))
    }

    fn grow(&mut self) {
        let size = (self.places.len() + self.places.len() / 4).max(PLACES_MIN);
        let free = Entry { key: Key(0, NONE), number: 0 };
        let mut old = std::mem::replace(&mut self.places, vec![free; size]);
        old.retain(|entry| entry.key.1 != NONE);
        for entry in old {
            if let Some(place) = self.find(entry.key).and_then(|at| self.places.get_mut(at)) {
                *place = entry;
            }
        }
    }
}

/// Keys are spread evenly, so their order is that of their places, and growing goes through memory
/// from front to back.
fn first(key: Key, places: usize) -> usize {
    let at = (u128::from(key.0) * places as u128) >> 64;
    usize::try_from(at).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use masthead_sysio::Random;

    use super::*;

    #[test]
    fn it_has_what_was_set_last_however_keys_crowd() {
        // Keys that begin alike want the same place; the last places overflow to the first.
        for mask in [u64::MAX, 0xff, 0xff << 56, 0] {
            let (mut table, mut model) = (Table::default(), HashMap::new());
            let mut random = Random::new(5);
            for number in 0..3000 {
                let key = Key(random.next_u64() | !mask, random.below(2000));
                table.set(key, number);
                model.insert((key.0, key.1), number);
            }
            assert_eq!(table.len(), model.len());
            assert!(
                model.iter().all(|(key, number)| table.get(Key(key.0, key.1)) == Some(*number))
            );
            assert_eq!(table.get(Key(1, 5000)), None);
            assert!(table.places.len() * 3 >= table.len() * 4, "{mask}");
            assert!(table.places.len() <= (table.len() * 7 / 4).max(PLACES_MIN), "{mask}");
        }
        let mut table = Table::default();
        table.set(Key(1, NONE), 1);
        assert_eq!((table.get(Key(1, NONE)), table.len()), (None, 0));
    }
}
