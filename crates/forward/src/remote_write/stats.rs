//! How remote write fares, counted. Rendered by whoever owns the registry.

use masthead_model::{Count, CountByReason, Gauge};

/// Counts since the start.
#[derive(Debug, Default)]
pub struct Stats {
    /// Samples taken into the journal.
    pub samples_journaled: Count,
    /// Samples that the other end has taken.
    pub samples_sent: Count,
    /// Of those, the ones that the other end says it did not keep.
    pub samples_refused_partly: Count,
    /// Descriptions of metric families that were sent with version 1.
    pub metadata_sent: Count,
    /// Requests that the other end has taken.
    pub requests: Count,
    /// Requests that failed and are tried again.
    pub requests_failed: Count,
    /// Bytes of bodies sent, compressed.
    pub bytes_sent: Count,
    /// Samples in the journal that are not sent.
    pub samples_waiting: Gauge,
    /// Shards of the last round.
    pub shards: Gauge,
    /// Bytes of the journal.
    pub journal_bytes: Gauge,
    /// When a request was last taken, in milliseconds since 1970.
    pub last_request_ms: Gauge,
    /// The time of the newest sample that was taken into the journal.
    pub newest_journaled_ms: Gauge,
    /// The time of the newest sample that the other end has taken.
    pub newest_sent_ms: Gauge,
    /// Exemplars that were not sent, because the batch had no sample of their series.
    pub exemplars_lost: Count,
    pub(crate) lost: CountByReason,
}

impl Stats {
    /// Samples that never reached the other end, by reason: `journal_full`, `journal_failed`,
    /// `refused`, `corrupt`, `too_old`, `unsupported`.
    pub fn lost_samples(&self) -> Vec<(&'static str, u64)> {
        self.lost.get().into_iter().collect()
    }
}
