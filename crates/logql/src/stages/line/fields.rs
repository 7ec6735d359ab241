//! The labels that stages made of one line: names and values one after the other in two buffers that
//! are emptied, not freed, between lines.
//!
//! A line can have thousands of labels, and each new name is looked for among the earlier ones. Few
//! are gone over; of many, places are found by their hash.

use std::{hash::BuildHasher as _, ops::Range};

use foldhash::fast::RandomState;

/// One line may make labels of this many bytes, names included; more are left out. Nested JSON
/// repeats the names of its outer objects, so that a hostile line can ask for its square.
const LABEL_BYTES_MAX: usize = 16 << 20;
/// One line may get this many labels from stages; more are left out.
pub(in crate::stages) const LABELS_MAX: usize = 4096;
/// So many are gone over: finding one by its hash would cost more.
const FEW: usize = 16;

#[derive(Debug, Default)]
pub(super) struct Fields {
    list: Vec<Field>,
    names: String,
    values: Vec<u8>,
    /// Places in `list` plus one, each at the hash of its name or behind it, zero where none is; at
    /// most half are taken. Empty while there are few.
    slots: Vec<u32>,
    hasher: RandomState,
    /// How many names were compared.
    #[cfg(test)]
    compared: std::cell::Cell<usize>,
}

/// Places in `names` and `values`.
#[derive(Debug, Clone)]
struct Field {
    name: Range<usize>,
    value: Range<usize>,
}

/// A point in the making of labels to which one can return.
#[derive(Debug, Clone, Copy)]
pub(in crate::stages) struct Mark {
    list: usize,
    names: usize,
    values: usize,
}

impl Fields {
    pub(super) fn clear(&mut self) {
        self.list.clear();
        self.names.clear();
        self.values.clear();
        self.slots.clear();
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Names and values, in the order in which they were made.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.list.iter().map(|field| (self.name_of(field), self.value_of(field)))
    }

    pub(super) fn get(&self, name: &str) -> Option<&[u8]> {
        self.find(name).and_then(|at| self.list.get(at)).map(|field| self.value_of(field))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Sets a value, in place of the one of that name.
    pub(super) fn set(&mut self, name: &str, value: &[u8]) {
        let Some(value) = self.store(value) else { return };
        let found = self.find(name);
        match found.and_then(|at| self.list.get_mut(at)) {
            Some(field) => field.value = value,
            None => self.push(name, value),
        }
    }

    /// Adds a name that is not there.
    pub(super) fn add(&mut self, name: &str, value: &[u8]) {
        if let Some(value) = self.store(value) {
            self.push(name, value);
        }
    }

    pub(super) fn remove(&mut self, name: &str) {
        if let Some(at) = self.find(name) {
            self.list.remove(at);
            self.index();
        }
    }

    /// Removes all for which `keep` says no.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&str, &[u8]) -> bool) {
        let (names, values) = (&self.names, &self.values);
        self.list.retain(|field| {
            let name = names.get(field.name.clone()).unwrap_or_default();
            keep(name, values.get(field.value.clone()).unwrap_or_default())
        });
        self.index();
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { list: self.list.len(), names: self.names.len(), values: self.values.len() }
    }

    /// Forgets all that were added since.
    pub(super) fn undo(&mut self, mark: Mark) {
        self.list.truncate(mark.list);
        self.names.truncate(mark.names);
        self.values.truncate(mark.values);
        self.index();
    }

    fn store(&mut self, value: &[u8]) -> Option<Range<usize>> {
        let start = self.values.len();
        if start + self.names.len() + value.len() > LABEL_BYTES_MAX {
            return None;
        }
        self.values.extend_from_slice(value);
        Some(start..self.values.len())
    }

    fn push(&mut self, name: &str, value: Range<usize>) {
        let start = self.names.len();
        if start + self.values.len() + name.len() > LABEL_BYTES_MAX || self.len() == LABELS_MAX {
            return;
        }
        self.names.push_str(name);
        self.list.push(Field { name: start..self.names.len(), value });
        if 2 * self.len() > self.slots.len() {
            self.index();
        } else {
            self.put_in_slot(self.len() - 1);
        }
    }

    fn find(&self, name: &str) -> Option<usize> {
        if self.slots.is_empty() {
            return (0..self.len()).find(|at| self.is_named(*at, name));
        }
        for slot in self.slots_from(self.hasher.hash_one(name)) {
            // A slot that is free says that no more follow.
            let at = (*self.slots.get(slot)? as usize).checked_sub(1)?;
            if self.is_named(at, name) {
                return Some(at);
            }
        }
        None
    }

    fn is_named(&self, at: usize, name: &str) -> bool {
        #[cfg(test)]
        self.compared.set(self.compared.get() + 1);
        self.list.get(at).is_some_and(|field| self.name_of(field) == name)
    }

    /// Puts all into slots anew, if there are many.
    fn index(&mut self) {
        self.slots.clear();
        if self.len() > FEW {
            self.slots.resize((4 * self.len()).next_power_of_two(), 0);
            (0..self.len()).for_each(|at| self.put_in_slot(at));
        }
    }

    fn put_in_slot(&mut self, at: usize) {
        let Some(field) = self.list.get(at) else { return };
        let hash = self.hasher.hash_one(self.name_of(field));
        let free = self.slots_from(hash).find(|slot| self.slots.get(*slot) == Some(&0));
        if let (Some(slot), Ok(place)) = (free, u32::try_from(at + 1))
            && let Some(slot) = self.slots.get_mut(slot)
        {
            *slot = place;
        }
    }

    /// All slots, from that of a hash on.
    fn slots_from(&self, hash: u64) -> impl Iterator<Item = usize> + use<> {
        let mask = self.slots.len().wrapping_sub(1);
        let first = usize::try_from(hash & 0xffff_ffff).unwrap_or(0);
        (0..self.slots.len()).map(move |step| first.wrapping_add(step) & mask)
    }

    fn name_of(&self, field: &Field) -> &str {
        self.names.get(field.name.clone()).unwrap_or_default()
    }

    fn value_of(&self, field: &Field) -> &[u8] {
        self.values.get(field.value.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_line_of_many_labels_compares_few_names() {
        let mut fields = Fields::default();
        for n in 0..10_000 {
            let name = format!("member_{n}");
            if !fields.has(&name) {
                fields.add(&name, b"x");
            }
            assert_eq!(fields.has(&name), n < LABELS_MAX);
        }
        assert_eq!(fields.len(), LABELS_MAX);
        let compared = fields.compared.get();
        // Each is found at once or behind a few others; it were 40 million one by one.
        assert!(compared < 100_000, "{compared}");
    }

    #[test]
    fn labels_are_found_however_many_come_and_go() {
        let mut random = fastrand::Rng::with_seed(5);
        let mut fields = Fields::default();
        let mut model: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for _ in 0..20_000 {
            let name = format!("n{}", random.u32(..60));
            let value = random.u8(..).to_string().into_bytes();
            match random.u32(..20) {
                0 => {
                    fields.remove(&name);
                    model.remove(&name);
                }
                1 if random.u8(..8) == 0 => {
                    let odd = |value: &[u8]| value.len() % 2 == 1;
                    fields.retain(|_, value| odd(value));
                    model.retain(|_, value| odd(value));
                }
                2 if random.u8(..40) == 0 => {
                    fields.clear();
                    model.clear();
                }
                3 => {
                    let mark = fields.mark();
                    for n in 0..random.u32(..30) {
                        fields.add(&format!("new{n}"), b"");
                    }
                    fields.undo(mark);
                }
                _ => {
                    fields.set(&name, &value);
                    model.insert(name, value);
                }
            }
            let name = format!("n{}", random.u32(..60));
            assert_eq!(fields.get(&name), model.get(&name).map(Vec::as_slice), "{name}");
            assert!(!fields.has("new1"));
            assert_eq!(fields.len(), model.len());
        }
    }
}
