//! The series that have one label. Most values have one series or a few, so those are kept without
//! a bitmap: a bitmap of one number takes about 100 bytes.

use std::borrow::Cow;

use roaring::RoaringBitmap;

/// Longer lists become bitmaps.
const FEW_MAX: usize = 16;

#[derive(Debug)]
pub(super) enum Series {
    One(u32),
    /// Sorted.
    Few(Box<[u32]>),
    Many(Box<RoaringBitmap>),
}

impl Series {
    /// Of numbers that rise; none if there are none.
    pub(super) fn of(ids: &[u32]) -> Option<Self> {
        Some(match ids {
            [] => return None,
            [one] => Self::One(*one),
            few if few.len() <= FEW_MAX => Self::Few(few.into()),
            many => Self::Many(Box::new(many.iter().copied().collect())),
        })
    }

    pub(super) fn iter(&self) -> Box<dyn Iterator<Item = u32> + '_> {
        match self {
            Self::One(one) => Box::new(std::iter::once(*one)),
            Self::Few(few) => Box::new(few.iter().copied()),
            Self::Many(many) => Box::new(many.iter()),
        }
    }

    pub(super) fn insert(&mut self, id: u32) {
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
    pub(super) fn remove(&mut self, id: u32) -> bool {
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

    pub(super) fn bitmap(&self) -> Cow<'_, RoaringBitmap> {
        match self {
            Self::One(one) => Cow::Owned(std::iter::once(*one).collect()),
            Self::Few(few) => Cow::Owned(few.iter().copied().collect()),
            Self::Many(many) => Cow::Borrowed(many),
        }
    }

    pub(super) fn add_to(&self, into: &mut RoaringBitmap) {
        match self {
            Self::One(one) => {
                into.insert(*one);
            }
            Self::Few(few) => into.extend(few.iter()),
            Self::Many(many) => *into |= &**many,
        }
    }

    pub(super) fn meets(&self, among: &RoaringBitmap) -> bool {
        match self {
            Self::One(one) => among.contains(*one),
            Self::Few(few) => few.iter().any(|id| among.contains(*id)),
            Self::Many(many) => !many.is_disjoint(among),
        }
    }

    pub(super) fn len(&self) -> u64 {
        match self {
            Self::One(_) => 1,
            Self::Few(few) => few.len() as u64,
            Self::Many(many) => many.len(),
        }
    }
}
