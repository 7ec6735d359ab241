//! What was last written to the section of columns, so that equal columns are written once: the
//! count of a histogram is its bucket of +Inf, and half of all series never change.
//!
//! Equality is of bytes, never of hashes alone. Memory holds at most [`BYTES_MAX`] of them; what is
//! farther back is written again.

use std::hash::BuildHasher as _;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// How far back equal columns are found.
const BYTES_MAX: usize = 4 << 20;

/// The end of what was written, and the places in it.
#[derive(Debug, Default)]
pub(super) struct Recent {
    bytes: Vec<u8>,
    /// Where `bytes` begin in the section.
    begin: usize,
    /// Place in the section and length.
    places: HashTable<(usize, usize)>,
    state: RandomState,
}

impl Recent {
    /// Where these columns stand already.
    pub(super) fn find(&self, columns: &[u8]) -> Option<usize> {
        let equal = |place: &(usize, usize)| text(&self.bytes, self.begin, *place) == columns;
        self.places.find(self.state.hash_one(columns), equal).map(|(place, _)| *place)
    }

    /// Notes that these columns follow at the end of the section.
    pub(super) fn push(&mut self, columns: &[u8]) {
        if self.bytes.len() + columns.len() > BYTES_MAX {
            self.forget(columns.len());
        }
        let place = (self.begin + self.bytes.len(), columns.len());
        self.bytes.extend_from_slice(columns);
        let Self { bytes, begin, places, state } = self;
        let hash = |place: &(usize, usize)| state.hash_one(text(bytes, *begin, *place));
        places.insert_unique(hash(&place), place, hash);
    }

    /// Drops the older half, or more, so that `room` more bytes are not too many.
    fn forget(&mut self, room: usize) {
        let most = (BYTES_MAX / 2).min(BYTES_MAX.saturating_sub(room));
        let gone = self.bytes.len().saturating_sub(most);
        self.bytes.drain(..gone);
        self.begin += gone;
        self.places.retain(|(place, _)| *place >= self.begin);
    }
}

fn text(bytes: &[u8], begin: usize, (place, len): (usize, usize)) -> &[u8] {
    let from = place - begin;
    bytes.get(from..from + len).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_columns_are_found_where_they_stand_and_others_are_not() {
        let mut recent = Recent::default();
        assert_eq!(recent.find(b"abc"), None);
        recent.push(b"abc");
        recent.push(b"de");
        assert_eq!(
            [b"abc", &b"de"[..], b"ab", b"bcd", b""].map(|c| recent.find(c)),
            [Some(0), Some(3), None, None, None]
        );
    }

    #[test]
    fn what_is_too_far_back_is_forgotten_and_the_rest_keeps_its_place() {
        let mut recent = Recent::default();
        let columns = |n: usize| (n as u64).to_le_bytes().repeat(1 << 13);
        let len = columns(0).len();
        for n in 0..200 {
            recent.push(&columns(n));
            assert!(recent.bytes.len() <= BYTES_MAX);
        }
        assert_eq!(recent.find(&columns(199)), Some(199 * len));
        assert_eq!(recent.find(&columns(170)), Some(170 * len));
        assert_eq!(recent.find(&columns(0)), None);
        assert!(recent.places.len() * len <= BYTES_MAX);
    }

    #[test]
    fn columns_that_are_larger_than_the_limit_are_kept_alone() {
        let mut recent = Recent::default();
        recent.push(b"abc");
        let large = vec![1; BYTES_MAX + 1];
        recent.push(&large);
        assert_eq!((recent.find(b"abc"), recent.find(&large)), (None, Some(3)));
        recent.push(b"abc");
        assert_eq!(
            (recent.find(b"abc"), recent.bytes.len()),
            (Some(BYTES_MAX + 4), BYTES_MAX / 2 + 3)
        );
    }
}
