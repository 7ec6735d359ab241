//! What the store has done and holds, for whoever renders metrics; there is no registry in here.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use masthead_ports::RejectReason;
use parking_lot::Mutex;

/// Numbers of a moment. Counters start at zero with the process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Series in the head.
    pub series: u64,
    /// Time of the newest sample in milliseconds, if there is any.
    pub max_time_ms: Option<i64>,
    /// Samples before this time, in milliseconds, are in blocks and no more are taken.
    pub floor_ms: Option<i64>,
    /// Samples taken since the start.
    pub samples_appended_total: u64,
    /// Samples that were there already.
    pub samples_duplicate_total: u64,
    /// Samples refused, by the label of their reason.
    pub samples_rejected_total: BTreeMap<&'static str, u64>,
    /// Batches that could not be written to the journal.
    pub append_failures_total: u64,
    /// Exemplars in memory.
    pub exemplars: u64,
    /// Bytes of the journal.
    pub journal_bytes: u64,
    /// Bytes of a write that was cut short, which the start found at the end of the journal.
    pub journal_torn_bytes: u64,
    /// Places of damage that the start found in the journal.
    pub journal_damages: u64,
    /// Bytes of the file that the head was last written to.
    pub head_bytes: u64,
    /// How often the head was written to a file since the start.
    pub checkpoints_total: u64,
    /// Blocks that answer.
    pub blocks: u64,
    /// Blocks that answer and have damage.
    pub blocks_damaged: u64,
    /// Blocks set aside for damage, now and earlier.
    pub blocks_corrupt: u64,
    /// Bytes of the blocks that answer.
    pub block_bytes: u64,
    /// Samples in blocks, deleted ones included until they are merged away.
    pub block_samples: u64,
    /// Blocks written from the head since the start.
    pub flushes_total: u64,
    /// Blocks written from others since the start.
    pub merges_total: u64,
    /// Blocks deleted by retention since the start.
    pub retention_deleted_total: u64,
    /// When the head was last written or found to have nothing to write, in milliseconds of the
    /// wall clock; zero for never.
    pub last_flush_success_ms: u64,
    /// When the head was last written to a file for a quick start, in the same way.
    pub last_checkpoint_success_ms: u64,
    /// When blocks were last merged or there was nothing to merge, in the same way.
    pub last_merge_success_ms: u64,
    /// When retention last deleted or found nothing to delete, in the same way.
    pub last_retention_success_ms: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) appended: AtomicU64,
    pub(crate) duplicates: AtomicU64,
    pub(crate) append_failures: AtomicU64,
    pub(crate) flushes: AtomicU64,
    pub(crate) merges: AtomicU64,
    pub(crate) retention_deleted: AtomicU64,
    pub(crate) last_flush: AtomicU64,
    pub(crate) last_merge: AtomicU64,
    pub(crate) last_checkpoint: AtomicU64,
    pub(crate) checkpoints: AtomicU64,
    pub(crate) image_bytes: AtomicU64,
    pub(crate) last_retention: AtomicU64,
    rejected: Mutex<BTreeMap<&'static str, u64>>,
}

impl Counters {
    pub(crate) fn reject(&self, reason: RejectReason) {
        *self.rejected.lock().entry(reason.as_label()).or_default() += 1;
    }

    /// Fills in what is counted here.
    pub(crate) fn fill(&self, stats: &mut Stats) {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        stats.samples_appended_total = get(&self.appended);
        stats.samples_duplicate_total = get(&self.duplicates);
        stats.samples_rejected_total.clone_from(&self.rejected.lock());
        stats.append_failures_total = get(&self.append_failures);
        stats.flushes_total = get(&self.flushes);
        stats.merges_total = get(&self.merges);
        stats.retention_deleted_total = get(&self.retention_deleted);
        stats.last_flush_success_ms = get(&self.last_flush);
        stats.head_bytes = get(&self.image_bytes);
        stats.checkpoints_total = get(&self.checkpoints);
        stats.last_checkpoint_success_ms = get(&self.last_checkpoint);
        stats.last_merge_success_ms = get(&self.last_merge);
        stats.last_retention_success_ms = get(&self.last_retention);
    }
}

pub(crate) fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}
