//! The order of the head's series by their labels, kept between queries.
//!
//! Comparing label sets is what large selections cost most, and they are compared again by every
//! query although series rarely come or go. So the rank of each is remembered, and only what came
//! since is sorted and merged in. Small selections are sorted as they are, unless the ranks are
//! there.

use masthead_durable::index::HeadIndex;
use roaring::RoaringBitmap;

use super::Slot;

/// Fewer series are not worth ranks that are not there.
const RANKS_FROM: usize = 2048;

#[derive(Debug, Default)]
pub(super) struct Order {
    sorted: Vec<Slot>,
    /// By slot.
    ranks: Vec<u32>,
    /// Slots that came since.
    added: Vec<Slot>,
    /// Slots have gone since, so that everything must be sorted anew.
    stale: bool,
}

impl Order {
    pub(super) fn add(&mut self, slot: Slot) {
        if !self.stale && !self.sorted.is_empty() {
            self.added.push(slot);
        }
    }

    pub(super) fn remove(&mut self) {
        *self = Self { stale: true, ..Self::default() };
    }

    /// The series of `slots` in label order.
    pub(super) fn sort(&mut self, index: &HeadIndex, slots: &RoaringBitmap) -> Vec<Slot> {
        let mut chosen: Vec<Slot> = slots.iter().collect();
        if chosen.len() < RANKS_FROM && !self.knows_all() {
            index.sort(&mut chosen);
            return chosen;
        }
        self.refresh(index);
        let ranks = &self.ranks;
        chosen.sort_unstable_by_key(|slot| ranks.get(*slot as usize));
        chosen
    }

    fn knows_all(&self) -> bool {
        !self.stale && !self.sorted.is_empty() && self.added.is_empty()
    }

    fn refresh(&mut self, index: &HeadIndex) {
        if self.stale || self.sorted.is_empty() {
            self.stale = false;
            self.added.clear();
            self.sorted = index.slots().collect();
            index.sort(&mut self.sorted);
        } else if self.added.is_empty() {
            return;
        } else {
            index.sort(&mut self.added);
            let mut merged = Vec::with_capacity(self.sorted.len() + self.added.len());
            let mut added = self.added.drain(..).peekable();
            for slot in &self.sorted {
                while let Some(new) = added.next_if(|new| index.cmp(*new, *slot).is_lt()) {
                    merged.push(new);
                }
                merged.push(*slot);
            }
            merged.extend(added);
            self.sorted = merged;
        }
        let size = self.sorted.iter().max().map_or(0, |slot| *slot as usize + 1);
        self.ranks.clear();
        self.ranks.resize(size, u32::MAX);
        for (rank, slot) in (0..).zip(&self.sorted) {
            if let Some(place) = self.ranks.get_mut(*slot as usize) {
                *place = rank;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use masthead_model::Labels;

    use super::*;

    #[test]
    fn ranks_stay_right_while_series_come_and_go() {
        let mut index = HeadIndex::default();
        let mut order = Order::default();
        let labels = |n: u64| {
            Labels::from_iter([("a", (n.wrapping_mul(0x9e37_79b9) % 100_003).to_string())])
        };
        let check = |order: &mut Order, index: &HeadIndex| {
            for step in [40, 1, 3, 40] {
                let some: RoaringBitmap = index.slots().filter(|slot| slot % step == 0).collect();
                let got = order.sort(index, &some);
                assert_eq!(got.len() as u64, some.len());
                assert!(got.is_sorted_by(|a, b| index.labels(*a) < index.labels(*b)));
            }
        };
        for slot in 0..9000 {
            index.insert(slot, &labels(u64::from(slot)));
            order.add(slot);
            if slot % 1300 == 0 {
                check(&mut order, &index);
            }
        }
        check(&mut order, &index);
        for slot in (0..9000).step_by(2) {
            index.remove(slot);
        }
        order.remove();
        check(&mut order, &index);
        index.insert(4, &labels(20_000));
        order.add(4);
        check(&mut order, &index);
    }
}
