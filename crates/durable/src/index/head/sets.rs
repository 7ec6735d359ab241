//! Label sets by series, each as the numbers of its labels: some 15 bytes where the text has 150.
//!
//! ```text
//! page of 256 series    starts: where each set begins     bytes: count number number … count …
//! ```
//!
//! Counts and numbers have seven bits a byte, least first, and the eighth says that more follow.
//! Sets that are gone leave their bytes behind until they are half of a page. What the numbers
//! mean is told by `head/pairs.rs`.

/// Series of one page.
const PAGE: usize = 256;
/// The start of a set that is not there.
const NONE: u32 = u32::MAX;

const DIGIT_BITS: u32 = 7;
const MORE: u8 = 1 << DIGIT_BITS;

/// Which labels each series has, by number; see the module.
#[derive(Debug, Default)]
pub struct HeadSets {
    pages: Vec<Page>,
}

#[derive(Debug, Default)]
struct Page {
    /// By place in the page; those beyond its end are not there.
    starts: Vec<u32>,
    bytes: Vec<u8>,
    gone: usize,
}

/// The numbers of one set.
#[derive(Debug, Clone)]
pub(super) struct Set<'a> {
    bytes: &'a [u8],
    left: u32,
}

impl HeadSets {
    /// Puts the set of a series, which must not be there. The numbers are those in which the labels
    /// were added to [`super::HeadPostings`], in the order of the labels' names.
    pub fn put(&mut self, id: u32, numbers: &[u32]) {
        let (page, at) = place(id);
        if page >= self.pages.len() {
            self.pages.resize_with(page + 1, Page::default);
        }
        if let Some(page) = self.pages.get_mut(page) {
            page.put(at, numbers);
        }
    }

    pub(super) fn get(&self, id: u32) -> Option<Set<'_>> {
        let (page, at) = place(id);
        self.pages.get(page)?.get(at)
    }

    /// The numbers of a series, none if it is not there.
    pub(super) fn numbers(&self, id: u32) -> impl Iterator<Item = u32> {
        self.get(id).into_iter().flatten()
    }

    pub(super) fn remove(&mut self, id: u32) {
        let (page, at) = place(id);
        if let Some(page) = self.pages.get_mut(page) {
            page.remove(at);
        }
    }

    /// The series that have a set, rising.
    pub(super) fn ids(&self) -> impl Iterator<Item = u32> {
        (0_u32..).step_by(PAGE).zip(&self.pages).flat_map(|(first, page)| {
            (first..).zip(&page.starts).filter(|(_, start)| **start != NONE).map(|(id, _)| id)
        })
    }
}

impl Page {
    fn put(&mut self, at: usize, numbers: &[u32]) {
        if at >= self.starts.len() {
            self.starts.resize(at + 1, NONE);
        }
        let start = u32::try_from(self.bytes.len()).unwrap_or(NONE);
        if let Some(place) = self.starts.get_mut(at) {
            *place = start;
        }
        push(&mut self.bytes, u32::try_from(numbers.len()).unwrap_or(0));
        for number in numbers {
            push(&mut self.bytes, *number);
        }
        if self.starts.len() == PAGE && at + 1 == PAGE {
            // Mostly the page is full now, and what was reserved for more is not needed.
            self.bytes.shrink_to_fit();
        }
    }

    fn get(&self, at: usize) -> Option<Set<'_>> {
        let start = self.starts.get(at).filter(|start| **start != NONE)?;
        let mut set = Set { bytes: self.bytes.get(*start as usize..)?, left: 1 };
        set.left = set.next()?;
        Some(set)
    }

    fn remove(&mut self, at: usize) {
        let Some(set) = self.get(at) else { return };
        self.gone += set.len_bytes();
        if let Some(start) = self.starts.get_mut(at) {
            *start = NONE;
        }
        if self.gone * 2 > self.bytes.len() {
            self.pack();
        }
    }

    /// Leaves the bytes of the sets that are there.
    fn pack(&mut self) {
        let old = std::mem::take(self);
        for at in 0..old.starts.len() {
            if let Some(set) = old.get(at) {
                let numbers: Vec<u32> = set.collect();
                self.put(at, &numbers);
            }
        }
        self.bytes.shrink_to_fit();
    }
}

impl Set<'_> {
    /// Bytes of a set of which nothing was read but its count.
    fn len_bytes(&self) -> usize {
        let mut rest = self.clone();
        let mut count = Vec::new();
        push(&mut count, self.left);
        rest.by_ref().for_each(drop);
        count.len() + self.bytes.len() - rest.bytes.len()
    }
}

impl Iterator for Set<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        self.left = self.left.checked_sub(1)?;
        let (mut number, mut shift) = (0, 0);
        loop {
            let (byte, rest) = self.bytes.split_first()?;
            self.bytes = rest;
            number |= u32::from(byte & (MORE - 1)) << shift;
            if byte & MORE == 0 {
                return Some(number);
            }
            // No number is longer: five digits have 35 bits.
            shift = (shift + DIGIT_BITS).min(4 * DIGIT_BITS);
        }
    }
}

fn push(bytes: &mut Vec<u8>, mut number: u32) {
    loop {
        let digit = u8::try_from(number & u32::from(MORE - 1)).unwrap_or(0);
        number >>= DIGIT_BITS;
        if number == 0 {
            bytes.push(digit);
            return;
        }
        bytes.push(digit | MORE);
    }
}

fn place(id: u32) -> (usize, usize) {
    let id = id as usize;
    (id / PAGE, id % PAGE)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use masthead_sysio::Random;

    use super::*;

    #[test]
    fn sets_are_those_that_were_put_and_not_removed() {
        let mut random = Random::new(3);
        let (mut sets, mut model) = (HeadSets::default(), BTreeMap::new());
        for _ in 0..20_000 {
            let id = u32::try_from(random.below(1000)).unwrap();
            if model.remove(&id).is_some() {
                sets.remove(id);
                continue;
            }
            let bits = random.below(33);
            let number =
                |random: &mut Random| u32::try_from(random.next_u64() & ((1 << bits) - 1)).unwrap();
            let numbers: Vec<u32> = (0..random.below(9)).map(|_| number(&mut random)).collect();
            sets.put(id, &numbers);
            model.insert(id, numbers);
        }
        assert!(sets.ids().eq(model.keys().copied()));
        for id in 0..1100 {
            let got: Option<Vec<u32>> = sets.get(id).map(Iterator::collect);
            assert_eq!(got.as_ref(), model.get(&id), "{id}");
        }
        let bytes: usize = sets.pages.iter().map(|page| page.bytes.len()).sum();
        let gone: usize = sets.pages.iter().map(|page| page.gone).sum();
        assert!(gone * 2 <= bytes, "{gone} of {bytes}");
        for id in model.keys() {
            sets.remove(*id);
        }
        assert!(sets.pages.iter().all(|page| page.bytes.is_empty()), "{sets:?}");
    }
}
