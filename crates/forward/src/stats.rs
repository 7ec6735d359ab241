//! How forwarding fares, counted. Rendered by whoever owns the registry.

use masthead_model::{Count, CountByReason, Gauge};

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
    lost: CountByReason,
}

impl Stats {
    /// Lines that were lost, by reason: `journal_full`, `refused`, `rate_limited`, `corrupt`.
    pub fn dropped_lines(&self) -> Vec<(&'static str, u64)> {
        self.lost.get().into_iter().collect()
    }

    pub(crate) fn dropped(&self, reason: &'static str, lines: u64) {
        self.lost.add(reason, lines);
    }
}
