//! How forwarding fares, counted. Rendered by whoever owns the registry.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use parking_lot::Mutex;

/// Counts since the start.
#[derive(Debug, Default)]
pub struct Stats {
    /// Lines taken into the journal.
    pub lines_journaled: Count,
    /// Lines that the other end has taken.
    pub lines_sent: Count,
    /// Pushes that the other end has taken.
    pub pushes: Count,
    /// Pushes that failed and are tried again.
    pub pushes_failed: Count,
    /// Bytes of bodies sent, compressed.
    pub bytes_sent: Count,
    /// Bytes of the journal.
    pub journal_bytes: Gauge,
    /// When a push was last taken, in milliseconds since 1970.
    pub last_push_ms: Gauge,
    dropped: Mutex<BTreeMap<&'static str, u64>>,
}

impl Stats {
    /// Lines that were lost, by reason: `journal_full`, `refused`, `corrupt`.
    pub fn dropped_lines(&self) -> Vec<(&'static str, u64)> {
        self.dropped.lock().iter().map(|(reason, lines)| (*reason, *lines)).collect()
    }

    pub(crate) fn dropped(&self, reason: &'static str, lines: u64) {
        *self.dropped.lock().entry(reason).or_default() += lines;
    }
}

/// A number that only rises.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// What it is now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }
}

/// A number that rises and falls.
#[derive(Debug, Default)]
pub struct Gauge(AtomicU64);

impl Gauge {
    /// What it is now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self, now: u64) {
        self.0.store(now, Ordering::Relaxed);
    }
}
