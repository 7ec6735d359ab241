//! The index in memory: it grows with every new series and shrinks when one is removed.
//!
//! Most values have one series or a few, so those are kept without a bitmap: a bitmap of one
//! number takes about 100 bytes. The text of a label set is shared with whoever gave it.

use std::{borrow::Cow, hash::BuildHasher};

use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashTable};
use masthead_model::Labels;
use roaring::RoaringBitmap;

use super::Postings;
use crate::Result;

/// Longer lists become bitmaps.
const FEW_MAX: usize = 16;

/// Label sets in memory, by number and by text, and their postings.
#[derive(Debug, Default)]
pub struct HeadIndex {
    hasher: RandomState,
    labels: Vec<Option<Labels>>,
    by_labels: HashTable<Slot>,
    names: HashMap<Box<str>, Values, RandomState>,
}

type Values = HashMap<Box<str>, Series, RandomState>;

/// Part of the hash stands beside the number, so that a miss touches no text.
#[derive(Debug, Clone, Copy)]
struct Slot {
    hash: u32,
    id: u32,
}

#[derive(Debug)]
enum Series {
    One(u32),
    /// Sorted.
    Few(Box<[u32]>),
    Many(Box<RoaringBitmap>),
}

impl HeadIndex {
    /// The number of a label set.
    pub fn get(&self, labels: &Labels) -> Option<u32> {
        let hash = self.hash(labels);
        let same = |slot: &Slot| {
            slot.hash == hash && self.labels(slot.id).is_some_and(|known| known == labels)
        };
        self.by_labels.find(spread(hash), same).map(|slot| slot.id)
    }

    /// The label set of a number.
    pub fn labels(&self, id: u32) -> Option<&Labels> {
        self.labels.get(id as usize)?.as_ref()
    }

    /// The numbers of all series, rising.
    pub fn slots(&self) -> impl Iterator<Item = u32> {
        (0..).zip(&self.labels).filter(|(_, labels)| labels.is_some()).map(|(id, _)| id)
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
    pub fn insert(&mut self, id: u32, labels: Labels) {
        let hash = self.hash(&labels);
        self.by_labels.insert_unique(spread(hash), Slot { hash, id }, |slot| spread(slot.hash));
        for label in &labels {
            // Two look-ups for a new value, one for a known one, which are nearly all.
            let values = match self.names.get_mut(label.name) {
                Some(values) => values,
                None => self.names.entry(label.name.into()).or_default(),
            };
            match values.get_mut(label.value) {
                Some(series) => series.insert(id),
                None => {
                    values.insert(label.value.into(), Series::One(id));
                }
            }
        }
        let at = id as usize;
        if at >= self.labels.len() {
            self.labels.resize(at + 1, None);
        }
        if let Some(slot) = self.labels.get_mut(at) {
            *slot = Some(labels);
        }
    }

    /// The index of label sets by their numbers, all at once, which is several times faster than
    /// one by one. `postings` must say of exactly these which series have which label. Of equal
    /// sets the first is kept.
    pub fn from_parts(labels: Vec<Option<Labels>>, postings: HeadPostings) -> Self {
        let mut index = Self { labels, names: postings.names, ..Self::default() };
        let count = index.labels.iter().flatten().count();
        index.by_labels.reserve(count, |slot| spread(slot.hash));
        for id in 0..u32::try_from(index.labels.len()).unwrap_or(u32::MAX) {
            let Some(labels) = index.labels(id) else { continue };
            let hash = index.hash(labels);
            let known = index.by_labels.find(spread(hash), |slot| {
                slot.hash == hash && index.labels(slot.id) == Some(labels)
            });
            if known.is_none() {
                let slot = Slot { hash, id };
                index.by_labels.insert_unique(spread(hash), slot, |slot| spread(slot.hash));
            } else {
                index.remove(id);
            }
        }
        index
    }

    /// Every pair of name and value that a series has, sorted.
    pub fn pairs(&self) -> Vec<Pair<'_>> {
        let mut pairs: Vec<Pair<'_>> = self
            .names
            .iter()
            .flat_map(|(name, values)| {
                values.iter().map(move |(value, series)| Pair { name, value, series })
            })
            .collect();
        pairs.sort_unstable_by(|a, b| (a.name, a.value).cmp(&(b.name, b.value)));
        pairs
    }

    /// Removes a series; its number may be given to another.
    pub fn remove(&mut self, id: u32) {
        let Some(labels) = self.labels.get_mut(id as usize).and_then(Option::take) else { return };
        let hash = self.hash(&labels);
        if let Ok(entry) = self.by_labels.find_entry(spread(hash), |slot| slot.id == id) {
            entry.remove();
        }
        for label in &labels {
            let Some(values) = self.names.get_mut(label.name) else { continue };
            if values.get_mut(label.value).is_some_and(|series| series.remove(id)) {
                values.remove(label.value);
            }
            if values.is_empty() {
                self.names.remove(label.name);
            }
        }
    }

    /// Names of labels, in any order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(AsRef::as_ref)
    }

    /// Values of a label on the series of `among`, or on any, in any order.
    pub fn values<'a>(
        &'a self,
        name: &str,
        among: Option<&'a RoaringBitmap>,
    ) -> impl Iterator<Item = &'a str> {
        let values = self.names.get(name).into_iter().flatten();
        values
            .filter(move |(_, series)| among.is_none_or(|among| series.meets(among)))
            .map(|(value, _)| value.as_ref())
    }

    /// Every name with how many values it has, and every pair with how many series, for reports on
    /// cardinality.
    pub fn cardinality(&self) -> impl Iterator<Item = (&str, &str, u64)> {
        self.names.iter().flat_map(|(name, values)| {
            values.iter().map(move |(value, series)| (name.as_ref(), value.as_ref(), series.len()))
        })
    }

    fn hash(&self, labels: &Labels) -> u32 {
        let hash = self.hasher.hash_one(labels);
        u32::try_from(hash >> 32).unwrap_or(0)
    }
}

fn spread(hash: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(hash)
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

/// Which series have which label, for an index that is loaded and not grown.
#[derive(Debug, Default)]
pub struct HeadPostings {
    names: HashMap<Box<str>, Values, RandomState>,
}

impl HeadPostings {
    /// Sets the series of a pair, which must not be there yet; `ids` must rise.
    pub fn add(&mut self, name: &str, value: &str, ids: &[u32]) {
        let series = match ids {
            [] => return,
            [one] => Series::One(*one),
            few if few.len() <= FEW_MAX => Series::Few(few.into()),
            many => Series::Many(Box::new(many.iter().copied().collect())),
        };
        let values = match self.names.get_mut(name) {
            Some(values) => values,
            None => self.names.entry(name.into()).or_default(),
        };
        values.insert(value.into(), series);
    }
}

impl Series {
    fn iter(&self) -> Box<dyn Iterator<Item = u32> + '_> {
        match self {
            Self::One(one) => Box::new(std::iter::once(*one)),
            Self::Few(few) => Box::new(few.iter().copied()),
            Self::Many(many) => Box::new(many.iter()),
        }
    }

    fn insert(&mut self, id: u32) {
        match self {
            Self::One(one) => *self = Self::Few(Box::new([(*one).min(id), (*one).max(id)])),
            Self::Few(few) if few.len() < FEW_MAX => {
                let at = few.partition_point(|other| *other < id);
                let mut more = Vec::with_capacity(few.len() + 1);
                more.extend(few.iter().take(at));
                more.push(id);
                more.extend(few.iter().skip(at));
                *few = more.into();
            }
            Self::Few(few) => {
                let mut many: RoaringBitmap = few.iter().copied().collect();
                many.insert(id);
                *self = Self::Many(Box::new(many));
            }
            Self::Many(many) => {
                many.insert(id);
            }
        }
    }

    /// Returns whether nothing is left.
    fn remove(&mut self, id: u32) -> bool {
        match self {
            Self::One(one) => *one == id,
            Self::Few(few) => {
                *few = few.iter().copied().filter(|other| *other != id).collect();
                few.is_empty()
            }
            Self::Many(many) => {
                many.remove(id);
                many.is_empty()
            }
        }
    }

    fn bitmap(&self) -> Cow<'_, RoaringBitmap> {
        match self {
            Self::One(one) => Cow::Owned(std::iter::once(*one).collect()),
            Self::Few(few) => Cow::Owned(few.iter().copied().collect()),
            Self::Many(many) => Cow::Borrowed(many),
        }
    }

    fn add_to(&self, into: &mut RoaringBitmap) {
        match self {
            Self::One(one) => {
                into.insert(*one);
            }
            Self::Few(few) => into.extend(few.iter()),
            Self::Many(many) => *into |= &**many,
        }
    }

    fn meets(&self, among: &RoaringBitmap) -> bool {
        match self {
            Self::One(one) => among.contains(*one),
            Self::Few(few) => few.iter().any(|id| among.contains(*id)),
            Self::Many(many) => !many.is_disjoint(among),
        }
    }

    fn len(&self) -> u64 {
        match self {
            Self::One(_) => 1,
            Self::Few(few) => few.len() as u64,
            Self::Many(many) => many.len(),
        }
    }
}

impl Postings for HeadIndex {
    fn all(&self) -> Result<RoaringBitmap> {
        Ok(self.slots().collect())
    }

    fn with_value(&self, name: &str, value: &str) -> Result<Option<Cow<'_, RoaringBitmap>>> {
        Ok(self.names.get(name).and_then(|values| values.get(value)).map(Series::bitmap))
    }

    fn value_count(&self, name: &str) -> Result<usize> {
        Ok(self.names.get(name).map_or(0, HashMap::len))
    }

    fn union_values(
        &self,
        name: &str,
        prefix: &str,
        into: &mut RoaringBitmap,
        visit: &mut dyn FnMut(&str) -> bool,
    ) -> Result<()> {
        let Some(values) = self.names.get(name) else { return Ok(()) };
        for (value, series) in values {
            if value.starts_with(prefix) && visit(value) {
                series.add_to(into);
            }
        }
        Ok(())
    }

    fn for_each_labels(
        &self,
        ids: &RoaringBitmap,
        visit: &mut dyn FnMut(u32, &Labels),
    ) -> Result<()> {
        for id in ids {
            if let Some(labels) = self.labels(id) {
                visit(id, labels);
            }
        }
        Ok(())
    }
}
