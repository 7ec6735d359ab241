//! Numbers that say how work fares: counted by whoever does it, rendered by whoever owns a registry.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// A number that only rises.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// What it is now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Counts `more`.
    pub fn add(&self, more: u64) {
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

    /// It is `now`.
    pub fn set(&self, now: u64) {
        self.0.store(now, Ordering::Relaxed);
    }

    /// It is at least `to`.
    pub fn raise(&self, to: u64) {
        self.0.fetch_max(to, Ordering::Relaxed);
    }

    /// It is `more` than it was.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// It is `less` below what it was, and not below zero.
    pub fn subtract(&self, less: u64) {
        let lower = |now: u64| Some(now.saturating_sub(less));
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, lower).unwrap_or_default();
    }
}

/// Counts by a reason, of which there are few.
#[derive(Debug, Default)]
pub struct CountByReason(Mutex<BTreeMap<&'static str, u64>>);

impl CountByReason {
    /// What there was, by reason.
    pub fn get(&self) -> BTreeMap<&'static str, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts `more` for `reason`; without any, the reason stays out of sight.
    pub fn add(&self, reason: &'static str, more: u64) {
        if more > 0 {
            let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            *counts.entry(reason).or_default() += more;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_rise_and_gauges_stay_above_zero() {
        let (count, gauge, reasons) =
            (Count::default(), Gauge::default(), CountByReason::default());
        count.add(2);
        count.add(3);
        assert_eq!(count.get(), 5);
        gauge.set(4);
        gauge.raise(3);
        gauge.add(2);
        assert_eq!(gauge.get(), 6);
        gauge.raise(9);
        gauge.subtract(2);
        assert_eq!(gauge.get(), 7);
        gauge.subtract(8);
        assert_eq!(gauge.get(), 0);
        reasons.add("full", 2);
        reasons.add("full", 1);
        reasons.add("never", 0);
        assert_eq!(reasons.get(), [("full", 3)].into());
    }
}
