//! Which pushes a query sees: each whole or not at all, as upstream's isolation has it
//! (`tsdb/isolation.go`).
//!
//! A push is put into one shard after the other, and it makes its new series on the way, so whoever
//! looks meanwhile would find a part of it. It therefore says under a number of its own which samples
//! it has put where, before it lets go of a shard. A reader notes which pushes are under way before
//! it looks for series; what these and all later ones have put is taken out of its snapshot. Nobody
//! waits for anybody.
//!
//! What a push said is forgotten when it has ended and no reader is left that began before that.
//!
//! The lock here is the last one: whoever holds it takes no other.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicBool, atomic::Ordering},
};

use masthead_ports::SeriesRef;
use parking_lot::Mutex;

/// Samples of ended pushes that are remembered for readers, 64 MiB. Beyond it the oldest are
/// forgotten, and a reader that is so slow may see a part of them.
const REMEMBERED_MAX: usize = 4 << 20;

/// Samples by series and time.
pub(crate) type Put = Vec<(SeriesRef, i64)>;

#[derive(Debug, Default)]
pub(crate) struct Pushes {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The number of the next push.
    next: u64,
    /// Those under way and those remembered, by number.
    all: BTreeMap<u64, Arc<Known>>,
    /// How many readers there are, by the number that was the next when they began.
    readers: BTreeMap<u64, usize>,
    /// Samples of those that ended.
    remembered: usize,
}

#[derive(Debug, Default)]
struct Known {
    put: Mutex<Put>,
    ended: AtomicBool,
}

/// A push that is under way; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Push<'p> {
    pushes: &'p Pushes,
    known: Arc<Known>,
}

/// What a reader may see: the pushes that had ended when it began.
#[derive(Debug)]
pub(crate) struct View<'p> {
    pushes: &'p Pushes,
    next: u64,
    under_way: Vec<Arc<Known>>,
}

impl Pushes {
    /// Begins a push. To be called before the first shard is taken.
    pub(crate) fn begin(&self) -> Push<'_> {
        let known = Arc::<Known>::default();
        let mut state = self.state.lock();
        let number = state.next;
        state.next += 1;
        state.all.insert(number, Arc::clone(&known));
        Push { pushes: self, known }
    }

    /// Begins to read. To be called before series are looked for.
    pub(crate) fn view(&self) -> View<'_> {
        let mut state = self.state.lock();
        let next = state.next;
        *state.readers.entry(next).or_default() += 1;
        let under_way = state.all.values().filter(|known| !known.ended());
        View { pushes: self, next, under_way: under_way.cloned().collect() }
    }
}

impl Push<'_> {
    /// Says what was put into a shard, which is still held; empties `put`.
    pub(crate) fn has(&self, put: &mut Put) {
        self.known.put.lock().append(put);
    }
}

impl Drop for Push<'_> {
    fn drop(&mut self) {
        let samples = self.known.put.lock().len();
        let mut state = self.pushes.state.lock();
        self.known.ended.store(true, Ordering::Relaxed);
        state.remembered += samples;
        state.forget();
    }
}

impl View<'_> {
    /// The samples that must not be seen, in order; to be asked after the last shard was held.
    pub(crate) fn hidden(&self) -> Put {
        let later: Vec<_> = {
            let state = self.pushes.state.lock();
            state.all.range(self.next..).map(|(_, known)| Arc::clone(known)).collect()
        };
        let mut hidden = Put::new();
        for known in self.under_way.iter().chain(&later) {
            hidden.extend_from_slice(&known.put.lock());
        }
        hidden.sort_unstable();
        hidden
    }
}

impl Drop for View<'_> {
    fn drop(&mut self) {
        let mut state = self.pushes.state.lock();
        if let Some(count) = state.readers.get_mut(&self.next) {
            *count -= 1;
            if *count == 0 {
                state.readers.remove(&self.next);
            }
        }
        state.forget();
    }
}

impl State {
    /// Forgets the ended pushes that no reader asks for, and the oldest if there are too many.
    fn forget(&mut self) {
        // A reader has those before its number itself, as far as they concern it.
        let wanted = self.readers.keys().next().copied().unwrap_or(self.next);
        let Self { all, remembered, .. } = self;
        all.retain(|number, known| {
            let forget = known.ended() && (*number < wanted || *remembered > REMEMBERED_MAX);
            if forget {
                *remembered -= known.put.lock().len();
            }
            !forget
        });
    }
}

impl Known {
    fn ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(push: &Push<'_>, sample: (u64, i64)) {
        push.has(&mut vec![(SeriesRef(sample.0), sample.1)]);
    }

    #[test]
    fn a_reader_does_not_see_what_was_under_way_or_came_later() {
        let pushes = Pushes::default();
        let (before, during) = (pushes.begin(), pushes.begin());
        put(&before, (9, 9));
        drop(before);
        put(&during, (2, 20));
        let view = pushes.view();
        put(&during, (1, 10));
        drop(during);
        let after = pushes.begin();
        put(&after, (1, 5));
        drop(after);
        let sample = |series, time| (SeriesRef(series), time);
        assert_eq!(view.hidden(), [sample(1, 5), sample(1, 10), sample(2, 20)]);
        assert_eq!(pushes.view().hidden(), []);
        drop(view);
        let state = pushes.state.lock();
        assert!(state.all.is_empty() && state.readers.is_empty(), "{state:?}");
        assert_eq!(state.remembered, 0);
    }

    #[test]
    fn pushes_are_remembered_for_the_oldest_reader_and_not_without_limit() {
        let pushes = Pushes::default();
        let old = pushes.view();
        for number in 0..3 {
            put(&pushes.begin(), (number, 0));
        }
        let new = pushes.view();
        put(&pushes.begin(), (3, 0));
        assert_eq!((old.hidden().len(), new.hidden().len()), (4, 1));
        drop(old);
        assert_eq!(pushes.state.lock().all.len(), 1);
        for _ in 0..3 {
            pushes.begin().has(&mut vec![(SeriesRef(1), 1); REMEMBERED_MAX / 2]);
        }
        let state = pushes.state.lock();
        assert!(state.remembered <= REMEMBERED_MAX, "{}", state.remembered);
        assert_eq!(state.all.len(), 2);
    }
}
