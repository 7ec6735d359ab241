//! Passwords that were right a moment ago, so that a client of HTTP basic costs one look-up a
//! request and not tens of milliseconds.
//!
//! What is kept is a keyed fingerprint of source, name and password: of no use outside the process,
//! and of none to another source that guesses.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use super::random::{Fingerprint, ProcessKey};

/// Entries at most.
const ENTRIES_MAX: usize = 1_024;
/// How long one is believed.
const FRESH: Duration = Duration::from_mins(10);

#[derive(Debug, Default)]
pub(super) struct Verified(Mutex<HashMap<Fingerprint, Duration>>);

impl Verified {
    /// What stands for this attempt; `mark` is the person's.
    pub(super) fn entry(
        key: &ProcessKey,
        source: IpAddr,
        mark: &Fingerprint,
        password: &[u8],
    ) -> Fingerprint {
        let source = source.to_canonical().to_string();
        key.fingerprint(&[source.as_bytes(), mark, password])
    }

    pub(super) fn has(&self, entry: &Fingerprint, now: Duration) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(entry).is_some_and(|until| *until > now)
    }

    pub(super) fn add(&self, entry: Fingerprint, now: Duration) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= ENTRIES_MAX {
            all.retain(|_, until| *until > now);
        }
        if all.len() >= ENTRIES_MAX {
            // It is only a cache: who is forgotten is verified again.
            all.clear();
        }
        all.insert(entry, now.saturating_add(FRESH));
    }

    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_believed_for_a_while_and_for_its_source() {
        let key = ProcessKey::new().unwrap();
        let (a, b): (IpAddr, IpAddr) = ("::1".parse().unwrap(), "::2".parse().unwrap());
        let of = |source, password: &[u8]| Verified::entry(&key, source, &[7; 32], password);
        let verified = Verified::default();
        verified.add(of(a, b"x"), Duration::ZERO);
        assert!(verified.has(&of(a, b"x"), FRESH / 2));
        assert!(!verified.has(&of(a, b"x"), FRESH), "too long ago");
        assert!(!verified.has(&of(b, b"x"), Duration::ZERO), "another source");
        assert!(!verified.has(&of(a, b"y"), Duration::ZERO), "another password");
        for n in 0..3 * ENTRIES_MAX {
            verified.add(of(a, &n.to_be_bytes()), Duration::ZERO);
        }
        assert!(verified.0.lock().unwrap().len() <= ENTRIES_MAX);
    }
}
