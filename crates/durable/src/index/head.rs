//! The index in memory: it grows with every new series and shrinks when one is removed.
//!
//! A label is kept once, whatever number of series have it (`head/pairs.rs`), and a label set is
//! the numbers of its labels (`head/sets.rs`): a million series of a fleet take some 30 bytes each
//! where their texts alone would take 150. A text is made when somebody asks for it.

use std::{borrow::Cow, cmp::Ordering, collections::BTreeSet, ops::Range};

use hashbrown::HashTable;
use masthead_model::{Label, Labels};
use roaring::RoaringBitmap;

use super::Postings;
use crate::Result;

mod holders;
mod pairs;
mod sets;

use self::holders::Series;
pub use self::{pairs::HeadPostings, sets::HeadSets};

/// Label sets in memory, by number and by text, and their postings.
#[derive(Debug, Default)]
pub struct HeadIndex {
    pairs: HeadPostings,
    sets: HeadSets,
    by_labels: HashTable<u32>,
}

impl HeadIndex {
    /// The number of a label set.
    pub fn get(&self, labels: &Labels) -> Option<u32> {
        let same = |id: &u32| self.set(*id).is_some_and(|set| set.eq(labels));
        self.by_labels.find(self.pairs.hash(labels), same).copied()
    }

    fn set(&self, id: u32) -> Option<impl Iterator<Item = Label<'_>>> {
        Some(self.sets.get(id)?.filter_map(|number| self.pairs.label(number)))
    }

    /// The label set of a number, made anew.
    pub fn labels(&self, id: u32) -> Option<Labels> {
        self.labels_in(id, &mut String::new())
    }

    /// [`HeadIndex::labels`] for many: `buffer` is overwritten and spares an allocation.
    pub fn labels_in(&self, id: u32, buffer: &mut String) -> Option<Labels> {
        Labels::from_sorted(self.set(id)?, buffer)
    }

    /// The numbers of all series, rising.
    pub fn slots(&self) -> impl Iterator<Item = u32> {
        self.sets.ids()
    }

    /// How many series there are.
    pub fn len(&self) -> usize {
        self.by_labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_labels.is_empty()
    }

    /// Adds a label set that is not there under a number that is not taken.
    pub fn insert(&mut self, id: u32, labels: &Labels) {
        let Self { pairs, sets, by_labels } = self;
        let hash = pairs.hash(labels);
        let numbers: Vec<u32> = labels.iter().map(|label| pairs.insert(label, id)).collect();
        sets.put(id, &numbers);
        by_labels.insert_unique(hash, id, |id| pairs.hash_of(sets.numbers(*id)));
    }

    /// The index of label sets by their numbers, all at once, which is several times faster than
    /// one by one. `postings` must say of exactly these which series have which label. Of equal
    /// sets the first is kept.
    pub fn from_parts(sets: HeadSets, postings: HeadPostings) -> Self {
        let mut index = Self { sets, pairs: postings, by_labels: HashTable::new() };
        let Self { pairs, sets, by_labels } = &mut index;
        let hash_of = |id: &u32| pairs.hash_of(sets.numbers(*id));
        by_labels.reserve(sets.ids().count(), hash_of);
        let mut twice = Vec::new();
        for id in sets.ids() {
            let hash = hash_of(&id);
            let same = |other: &u32| sets.numbers(*other).eq(sets.numbers(id));
            if by_labels.find(hash, same).is_none() {
                by_labels.insert_unique(hash, id, hash_of);
            } else {
                twice.push(id);
            }
        }
        for id in twice {
            index.remove(id);
        }
        index
    }

    /// Every pair of name and value that a series has, sorted.
    pub fn pairs(&self) -> Vec<Pair<'_>> {
        let pairs = self.pairs.all();
        let mut pairs: Vec<Pair<'_>> = pairs
            .map(|(label, series)| Pair { name: label.name, value: label.value, series })
            .collect();
        pairs.sort_unstable_by(|a, b| (a.name, a.value).cmp(&(b.name, b.value)));
        pairs
    }

    /// Removes a series; its number may be given to another.
    pub fn remove(&mut self, id: u32) {
        let Self { pairs, sets, by_labels } = self;
        let numbers: Vec<u32> = sets.numbers(id).collect();
        if let Ok(entry) = by_labels.find_entry(pairs.hash_of(sets.numbers(id)), |of| *of == id) {
            entry.remove();
        }
        sets.remove(id);
        for number in numbers {
            pairs.remove(number, id);
        }
    }

    /// Names of labels, in any order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.pairs.names()
    }

    /// Names of the labels that the series of `among` have.
    pub fn names_among(&self, among: &RoaringBitmap) -> BTreeSet<&str> {
        let meets = |name: &&str| self.pairs.values(name).any(|(_, series)| series.meets(among));
        self.names().filter(meets).collect()
    }

    /// Values of a label on the series of `among`, or on any, in any order.
    pub fn values<'a>(
        &'a self,
        name: &str,
        among: Option<&'a RoaringBitmap>,
    ) -> impl Iterator<Item = &'a str> + use<'a> {
        let values = self.pairs.values(name);
        values
            .filter(move |(_, series)| among.is_none_or(|among| series.meets(among)))
            .map(|(value, _)| value)
    }

    /// Every pair of name and value with how many series have it, for reports on cardinality.
    pub fn cardinality(&self) -> impl Iterator<Item = (&str, &str, u64)> {
        self.pairs.all().map(|(label, series)| (label.name, label.value, series.len()))
    }

    /// The order of two series by their labels.
    pub fn cmp(&self, a: u32, b: u32) -> Ordering {
        let (mut a, mut b) = (self.sets.numbers(a), self.sets.numbers(b));
        loop {
            return match (a.next(), b.next()) {
                (Some(a), Some(b)) if a == b => continue,
                (Some(a), Some(b)) => self.pairs.label(a).cmp(&self.pairs.label(b)),
                (a, b) => a.is_some().cmp(&b.is_some()),
            };
        }
    }

    /// Sorts series by their labels; those that are not there come first.
    pub fn sort(&self, ids: &mut [u32]) {
        let sorted = if ids.len() >= self.pairs.len() {
            self.unsorted(ids).sort()
        } else {
            let order = |a: u32, b: u32| self.pairs.label(a).cmp(&self.pairs.label(b));
            Unsorted::of(ids.iter().map(|id| (*id, self.sets.numbers(*id)))).sort_by(order)
        };
        ids.copy_from_slice(&sorted);
    }

    /// Takes what is needed to sort many series by their labels when nobody waits for it. All labels
    /// are put in order once, which is cheaper then than comparing their texts again and again.
    pub fn unsorted(&self, ids: &[u32]) -> Unsorted {
        let ranks = self.pairs.ranks();
        let rank = |number: u32| ranks.get(number as usize).copied().unwrap_or(0);
        let set = |id: u32| self.sets.numbers(id).map(rank);
        Unsorted::of(ids.iter().map(|id| (*id, set(*id))))
    }
}

/// Series with the places of their labels among all labels.
#[derive(Debug, Default)]
pub struct Unsorted {
    numbers: Vec<u32>,
    /// The numbers of each series.
    sets: Vec<(Range<usize>, u32)>,
}

impl Unsorted {
    fn of<S: Iterator<Item = u32>>(series: impl Iterator<Item = (u32, S)>) -> Self {
        let mut all = Self::default();
        for (id, set) in series {
            let start = all.numbers.len();
            all.numbers.extend(set);
            all.sets.push((start..all.numbers.len(), id));
        }
        all
    }

    /// The series by their labels.
    pub fn sort(self) -> Vec<u32> {
        self.sort_by(|a, b| a.cmp(&b))
    }

    fn sort_by(mut self, order: impl Fn(u32, u32) -> Ordering) -> Vec<u32> {
        let set = |of: &Range<usize>| self.numbers.get(of.clone()).unwrap_or_default();
        self.sets.sort_unstable_by(|(a, _), (b, _)| {
            let (a, b) = (set(a), set(b));
            let differ = a.iter().zip(b).find(|(a, b)| a != b);
            differ.map_or_else(|| a.len().cmp(&b.len()), |(a, b)| order(*a, *b))
        });
        self.sets.into_iter().map(|(_, id)| id).collect()
    }
}

/// A label with the series that have it.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    /// The label's name.
    pub name: &'a str,
    /// Its value.
    pub value: &'a str,
    series: &'a Series,
}

impl<'a> Pair<'a> {
    /// The series, rising.
    pub fn series(&self) -> impl Iterator<Item = u32> + use<'a> {
        self.series.iter()
    }
}

impl Postings for HeadIndex {
    fn all(&self) -> Result<RoaringBitmap> {
        Ok(self.slots().collect())
    }

    fn with_value(&self, name: &str, value: &str) -> Result<Option<Cow<'_, RoaringBitmap>>> {
        let number = self.pairs.find(name, value);
        Ok(number.and_then(|number| self.pairs.series(number)).map(Series::bitmap))
    }

    fn value_count(&self, name: &str) -> Result<usize> {
        Ok(self.pairs.value_count(name))
    }

    fn union_values(
        &self,
        name: &str,
        prefix: &str,
        into: &mut RoaringBitmap,
        visit: &mut dyn FnMut(&str) -> Result<bool>,
    ) -> Result<()> {
        for (value, series) in self.pairs.values(name) {
            if value.starts_with(prefix) && visit(value)? {
                series.add_to(into);
            }
        }
        Ok(())
    }

    fn for_each_value(
        &self,
        name: &str,
        ids: &RoaringBitmap,
        visit: &mut dyn FnMut(u32, &str) -> Result<()>,
    ) -> Result<()> {
        for id in ids {
            if let Some(mut set) = self.set(id) {
                let label = set.find(|label| label.name == name);
                visit(id, label.map_or("", |label| label.value))?;
            }
        }
        Ok(())
    }

    fn for_each_labels(
        &self,
        ids: &RoaringBitmap,
        visit: &mut dyn FnMut(u32, &Labels),
    ) -> Result<()> {
        let mut buffer = String::new();
        for id in ids {
            if let Some(labels) = self.labels_in(id, &mut buffer) {
                visit(id, &labels);
            }
        }
        Ok(())
    }
}
