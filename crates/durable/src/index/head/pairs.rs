//! Every label that a series has, once, with a number, and which series have it.
//!
//! A number is given again after the last series with its label is gone.

use std::{hash::BuildHasher, sync::Arc};

use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashTable};
use masthead_model::{Label, Labels};

use super::holders::Series;

/// Which series have which label. Whoever loads an index fills it label by label; each gets the
/// number that says how many came before it.
#[derive(Debug, Default)]
pub struct HeadPostings {
    hasher: RandomState,
    /// By number.
    known: Vec<Option<Known>>,
    free: Vec<u32>,
    /// The numbers of a name's labels, by their values.
    names: HashMap<Arc<str>, HashTable<u32>, RandomState>,
}

#[derive(Debug)]
struct Known {
    name: Arc<str>,
    value: Box<str>,
    /// What a set's hash is made of.
    hash: u64,
    series: Series,
}

impl HeadPostings {
    /// Adds a label, which must not be there, with the series that have it, which must rise. One
    /// that no series has takes a number all the same.
    pub fn add(&mut self, name: &str, value: &str, ids: &[u32]) {
        let number = self.new_number();
        match Series::of(ids) {
            Some(series) => self.put(number, Label { name, value }, series),
            None => self.free.push(number),
        }
    }

    /// Notes that a series has a label; returns the label's number.
    pub(super) fn insert(&mut self, label: Label<'_>, id: u32) -> u32 {
        // One look-up for a known label, which are nearly all.
        let Some(number) = self.find(label.name, label.value) else {
            let number = self.free.pop().unwrap_or_else(|| self.new_number());
            self.put(number, label, Series::One(id));
            return number;
        };
        if let Some(Some(known)) = self.known.get_mut(number as usize) {
            known.series.insert(id);
        }
        number
    }

    /// Notes that a series is gone that had the label of this number.
    pub(super) fn remove(&mut self, number: u32, id: u32) {
        let Some(place) = self.known.get_mut(number as usize) else { return };
        let Some(known) = place.take_if(|known| known.series.remove(id)) else { return };
        self.free.push(number);
        let hash = self.hasher.hash_one(&*known.value);
        if let Some(values) = self.names.get_mut(&known.name) {
            if let Ok(entry) = values.find_entry(hash, |other| *other == number) {
                entry.remove();
            }
            if values.is_empty() {
                self.names.remove(&known.name);
            }
        }
    }

    pub(super) fn find(&self, name: &str, value: &str) -> Option<u32> {
        let values = self.names.get(name)?;
        let same = |number: &u32| self.known(*number).is_some_and(|known| &*known.value == value);
        values.find(self.hasher.hash_one(value), same).copied()
    }

    pub(super) fn label(&self, number: u32) -> Option<Label<'_>> {
        self.known(number).map(|known| Label { name: &known.name, value: &known.value })
    }

    pub(super) fn series(&self, number: u32) -> Option<&Series> {
        self.known(number).map(|known| &known.series)
    }

    /// Every label with its series, in the order of their numbers.
    pub(super) fn all(&self) -> impl Iterator<Item = (Label<'_>, &Series)> {
        self.known
            .iter()
            .flatten()
            .map(|known| (Label { name: &known.name, value: &known.value }, &known.series))
    }

    /// How many numbers there are.
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// By number: the place of each label among all.
    pub(super) fn ranks(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..).zip(&self.known).map(|(number, _)| number).collect();
        order.sort_unstable_by(|a, b| self.label(*a).cmp(&self.label(*b)));
        let mut ranks = vec![0; order.len()];
        for (rank, number) in (0..).zip(order) {
            if let Some(place) = ranks.get_mut(number as usize) {
                *place = rank;
            }
        }
        ranks
    }

    /// The names in any order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(AsRef::as_ref)
    }

    /// How many values a name has.
    pub(super) fn value_count(&self, name: &str) -> usize {
        self.names.get(name).map_or(0, HashTable::len)
    }

    /// The values of a name in any order, with their series.
    pub(super) fn values<'a>(
        &'a self,
        name: &str,
    ) -> impl Iterator<Item = (&'a str, &'a Series)> + use<'a> {
        let numbers = self.names.get(name).into_iter().flatten();
        numbers.filter_map(|number| self.known(*number)).map(|known| (&*known.value, &known.series))
    }

    /// The hash of a label set.
    pub(super) fn hash(&self, labels: &Labels) -> u64 {
        self.combine(labels.iter().map(|label| self.hasher.hash_one(label)))
    }

    /// The same of a set whose labels have these numbers.
    pub(super) fn hash_of(&self, numbers: impl Iterator<Item = u32>) -> u64 {
        self.combine(numbers.map(|number| self.known(number).map_or(0, |known| known.hash)))
    }

    fn combine(&self, hashes: impl Iterator<Item = u64>) -> u64 {
        self.hasher.hash_one(hashes.fold(0_u64, |all, one| all.rotate_left(7) ^ one))
    }

    fn known(&self, number: u32) -> Option<&Known> {
        self.known.get(number as usize)?.as_ref()
    }

    fn new_number(&mut self) -> u32 {
        self.known.push(None);
        u32::try_from(self.known.len() - 1).unwrap_or(u32::MAX)
    }

    fn put(&mut self, number: u32, label: Label<'_>, series: Series) {
        let name = match self.names.get_key_value(label.name) {
            Some((name, _)) => Arc::clone(name),
            None => label.name.into(),
        };
        if let Some(place) = self.known.get_mut(number as usize) {
            let hash = self.hasher.hash_one(label);
            *place =
                Some(Known { name: Arc::clone(&name), value: label.value.into(), hash, series });
        }
        let (hasher, all) = (&self.hasher, &self.known);
        let hash_of = |number: &u32| {
            let known = all.get(*number as usize).and_then(Option::as_ref);
            known.map_or(0, |known| hasher.hash_one(&*known.value))
        };
        let hash = hasher.hash_one(label.value);
        self.names.entry(name).or_default().insert_unique(hash, number, hash_of);
    }
}
