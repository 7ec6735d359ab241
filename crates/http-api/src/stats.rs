//! What the API counts about itself; the binary shows it at `/metrics`.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the start, unless a name says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ApiStats {
    /// Queries that are evaluated or written now.
    pub queries_running: u64,
    /// Queries that wait for a place now.
    pub queries_waiting: u64,
    /// Queries, look-ups and writes that found no place and no room to wait.
    pub rejected_full: u64,
    /// Requests whose client went away before the answer was complete.
    pub abandoned: u64,
    /// Bytes handed to connections, after compression.
    pub streamed_bytes: u64,
    /// Bytes of request bodies held now, before decompression.
    pub upload_bytes: u64,
    /// Samples taken by remote write and OTLP.
    pub samples_accepted: u64,
    /// Samples refused by remote write and OTLP.
    pub samples_refused: u64,
    /// Exemplars refused by remote write and OTLP.
    pub exemplars_refused: u64,
    /// Requests that ended in a panic; each is a bug.
    pub panics: u64,
}

/// The same while it is counted.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) rejected_full: AtomicU64,
    pub(crate) abandoned: AtomicU64,
    pub(crate) streamed_bytes: AtomicU64,
    pub(crate) samples_accepted: AtomicU64,
    pub(crate) samples_refused: AtomicU64,
    pub(crate) exemplars_refused: AtomicU64,
    pub(crate) panics: AtomicU64,
}

pub(crate) fn add(counter: &AtomicU64, n: usize) {
    counter.fetch_add(u64::try_from(n).unwrap_or(u64::MAX), Ordering::Relaxed);
}

pub(crate) fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}
