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
    lost: Losses,
}

impl Stats {
    /// Lines that were lost, by reason: `journal_full`, `refused`, `corrupt`.
    pub fn dropped_lines(&self) -> Vec<(&'static str, u64)> {
        self.lost.listed()
    }

    pub(crate) fn dropped(&self, reason: &'static str, lines: u64) {
        self.lost.add(reason, lines);
    }
}

/// What was lost, by reason.
#[derive(Debug, Default)]
pub(crate) struct Losses(Mutex<BTreeMap<&'static str, u64>>);

impl Losses {
    pub(crate) fn listed(&self) -> Vec<(&'static str, u64)> {
        self.0.lock().iter().map(|(reason, count)| (*reason, *count)).collect()
    }

    pub(crate) fn add(&self, reason: &'static str, count: u64) {
        if count > 0 {
            *self.0.lock().entry(reason).or_default() += count;
        }
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

    pub(crate) fn raise(&self, to: u64) {
        self.0.fetch_max(to, Ordering::Relaxed);
    }

    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn subtract(&self, less: u64) {
        let lower = |now: u64| Some(now.saturating_sub(less));
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, lower).unwrap_or_default();
    }
}
