//! Which queries were quick the last time: they are evaluated where their request was read.
//!
//! Handing a query to a thread that may block, and its answer back, costs two wake-ups, which is
//! more than a dashboard's usual query over one host takes. Nothing but having run it says how long a
//! query takes, and a board asks the same again and again, so the last run decides:
//!
//! - quick is an answer within [`QUICK_MAX`] that fits one chunk;
//! - an attempt ends after [`ATTEMPT_MAX`], and the query then goes the usual way from its start;
//! - one attempt at a time, and none where the runtime has a single thread: whatever it waits for,
//!   the other threads go on.

use std::{
    hash::{BuildHasher as _, Hash, RandomState},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use tokio::runtime::Handle;

/// A query that took no longer is quick.
const QUICK_MAX: Duration = Duration::from_millis(1);
/// A thread of the runtime evaluates for no longer.
pub(crate) const ATTEMPT_MAX: Duration = Duration::from_millis(4);
/// Quick queries that are known; one may push out another.
const KNOWN: usize = 1024;

/// The queries that are known to be quick.
#[derive(Debug)]
pub(crate) struct Quick {
    hasher: RandomState,
    known: [AtomicU64; KNOWN],
    busy: AtomicBool,
}

/// What stays the same when a board asks again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key(u64);

/// The right to evaluate at once; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Attempt<'q>(&'q AtomicBool);

impl Default for Quick {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            known: [const { AtomicU64::new(0) }; KNOWN],
            busy: AtomicBool::new(false),
        }
    }
}

impl Quick {
    pub(crate) fn key(&self, query: &impl Hash) -> Key {
        // Zero is an empty place.
        Key(self.hasher.hash_one(query).max(1))
    }

    /// Whether to try at once.
    pub(crate) fn attempt(&self, key: Key) -> Option<Attempt<'_>> {
        if self.place(key)?.load(Ordering::Relaxed) != key.0
            || Handle::current().metrics().num_workers() < 2
            || self.busy.swap(true, Ordering::Acquire)
        {
            return None;
        }
        Some(Attempt(&self.busy))
    }

    /// Notes how long a query took whose answer fits one chunk or does not.
    pub(crate) fn note(&self, key: Key, took: Duration, fits: bool) {
        let Some(place) = self.place(key) else { return };
        if fits && took <= QUICK_MAX {
            place.store(key.0, Ordering::Relaxed);
        } else if place.load(Ordering::Relaxed) == key.0 {
            // That another takes the place meanwhile does no harm: it is known again next time.
            place.store(0, Ordering::Relaxed);
        }
    }

    fn place(&self, key: Key) -> Option<&AtomicU64> {
        let at = usize::try_from(key.0 % KNOWN as u64).ok()?;
        self.known.get(at)
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_last_run_decides_and_one_tries_at_a_time() {
        let quick = Quick::default();
        let (one, other) = (quick.key(&"one"), quick.key(&"other"));
        let f = |took, fits, want: bool| {
            quick.note(one, took, fits);
            assert_eq!(quick.attempt(one).is_some(), want, "{took:?} {fits}");
        };
        assert!(quick.attempt(one).is_none(), "never seen");
        f(QUICK_MAX, true, true);
        f(QUICK_MAX + Duration::from_nanos(1), true, false);
        f(Duration::ZERO, true, true);
        f(Duration::ZERO, false, false);
        f(Duration::ZERO, true, true);
        quick.note(other, Duration::ZERO, true);
        let held = quick.attempt(one).expect("known");
        assert!(quick.attempt(other).is_none(), "somebody tries");
        drop(held);
        assert!(quick.attempt(other).is_some());
    }

    #[tokio::test]
    async fn a_single_thread_is_not_held_up() {
        let quick = Quick::default();
        let key = quick.key(&1);
        quick.note(key, Duration::ZERO, true);
        assert!(quick.attempt(key).is_none());
    }
}
