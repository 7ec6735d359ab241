//! What the store has done and holds, for whoever renders metrics; there is no registry in here.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use masthead_ports::LogRejectReason;
use parking_lot::Mutex;

/// Numbers of a moment. Counters start at zero with the process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Streams in memory.
    pub streams: u64,
    /// Lines that no block holds yet.
    pub buffered_lines: u64,
    /// Their bytes, with metadata, as pushed.
    pub buffered_bytes: u64,
    /// Time of the newest line in nanoseconds, if there is any.
    pub max_time_ns: Option<i64>,
    /// Lines taken since the start.
    pub lines_appended_total: u64,
    /// Bytes of lines taken since the start.
    pub bytes_appended_total: u64,
    /// Lines that were there already.
    pub lines_duplicate_total: u64,
    /// Lines refused, by the label of their reason.
    pub lines_rejected_total: BTreeMap<&'static str, u64>,
    /// Batches that could not be taken: the journal could not be written, or no space is left.
    pub append_failures_total: u64,
    /// Whether lines are refused because the file system is nearly full.
    pub out_of_space: bool,
    /// Deletions that still wait for blocks to be rewritten.
    pub deletions: u64,
    /// Readers whose progress is kept.
    pub progress: u64,
    /// Bytes of the journal.
    pub journal_bytes: u64,
    /// Bytes of a write that was cut short, which the start found at the end of the journal.
    pub journal_torn_bytes: u64,
    /// Places of damage that the start found in the journal.
    pub journal_damages: u64,
    /// Blocks that answer.
    pub blocks: u64,
    /// Blocks that answer and have damage.
    pub blocks_damaged: u64,
    /// Blocks set aside for damage, now and earlier.
    pub blocks_corrupt: u64,
    /// Bytes of the blocks that answer.
    pub block_bytes: u64,
    /// Lines in blocks, deleted ones included until they are merged away.
    pub block_lines: u64,
    /// Bytes of lines in blocks, as pushed.
    pub block_raw_bytes: u64,
    /// Blocks written from memory since the start.
    pub flushes_total: u64,
    /// Blocks written from others since the start.
    pub merges_total: u64,
    /// Blocks deleted by retention since the start.
    pub retention_deleted_total: u64,
    /// When memory was last written or found to have nothing due, in milliseconds of the wall
    /// clock; zero for never.
    pub last_flush_success_ms: u64,
    /// When blocks were last merged or there was nothing to merge, in the same way.
    pub last_merge_success_ms: u64,
    /// When retention last deleted or found nothing to delete, in the same way.
    pub last_retention_success_ms: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) appended: AtomicU64,
    pub(crate) appended_bytes: AtomicU64,
    pub(crate) duplicates: AtomicU64,
    pub(crate) append_failures: AtomicU64,
    pub(crate) flushes: AtomicU64,
    pub(crate) merges: AtomicU64,
    pub(crate) retention_deleted: AtomicU64,
    pub(crate) last_flush: AtomicU64,
    pub(crate) last_merge: AtomicU64,
    pub(crate) last_retention: AtomicU64,
    rejected: Mutex<BTreeMap<&'static str, u64>>,
}

impl Counters {
    pub(crate) fn reject(&self, reason: LogRejectReason) {
        *self.rejected.lock().entry(reason.as_label()).or_default() += 1;
    }

    /// Fills in what is counted here.
    pub(crate) fn fill(&self, stats: &mut Stats) {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        stats.lines_appended_total = get(&self.appended);
        stats.bytes_appended_total = get(&self.appended_bytes);
        stats.lines_duplicate_total = get(&self.duplicates);
        stats.lines_rejected_total.clone_from(&self.rejected.lock());
        stats.append_failures_total = get(&self.append_failures);
        stats.flushes_total = get(&self.flushes);
        stats.merges_total = get(&self.merges);
        stats.retention_deleted_total = get(&self.retention_deleted);
        stats.last_flush_success_ms = get(&self.last_flush);
        stats.last_merge_success_ms = get(&self.last_merge);
        stats.last_retention_success_ms = get(&self.last_retention);
    }
}

pub(crate) fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}
