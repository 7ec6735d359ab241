//! What the Loki API counts about itself; the binary shows it at `/metrics`.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::live::LiveStats;
use crate::stats::add;

/// Counts since the start, unless a name says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LokiStats {
    /// Pushed lines that were taken.
    pub lines_accepted: u64,
    /// Pushed lines that were refused, by reason.
    pub lines_refused: BTreeMap<&'static str, u64>,
    /// Connections that follow lines now.
    pub followers: u64,
    /// Lines that followers missed because they read too slowly.
    pub lines_missed: u64,
}

/// The same while it is counted.
#[derive(Debug, Default)]
pub(super) struct Counters {
    accepted: AtomicU64,
    /// The reasons are words of the program, so there are few.
    refused: Mutex<BTreeMap<&'static str, u64>>,
}

impl Counters {
    pub(super) fn pushed(&self, accepted: usize, refused: &BTreeMap<&'static str, u64>) {
        add(&self.accepted, accepted);
        if refused.is_empty() {
            return;
        }
        let mut all = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        for (reason, count) in refused {
            *all.entry(reason).or_default() += count;
        }
    }

    pub(super) fn read(&self, live: LiveStats) -> LokiStats {
        LokiStats {
            lines_accepted: self.accepted.load(Ordering::Relaxed),
            lines_refused: self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            followers: live.followers,
            lines_missed: live.missed,
        }
    }
}
