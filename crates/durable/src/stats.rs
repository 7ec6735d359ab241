//! What every store counts, for whoever renders metrics; there is no registry in here.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use masthead_sysio::Clock;
use parking_lot::Mutex;

use crate::{blocks::Block, journal::Journal};

/// Numbers of a moment about a store's files. Counters start at zero with the process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Upkeep {
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
    /// Batches that could not be taken: the journal could not be written, or no space is left.
    pub append_failures_total: u64,
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

/// What a store counts while it works.
#[derive(Debug, Default)]
pub struct Counters {
    /// Entries taken.
    pub appended: AtomicU64,
    /// Entries that were there already.
    pub duplicates: AtomicU64,
    /// As in [`Upkeep`], all of these.
    pub append_failures: AtomicU64,
    /// Blocks from memory.
    pub flushes: AtomicU64,
    /// Blocks from others.
    pub merges: AtomicU64,
    /// Blocks gone.
    pub retention_deleted: AtomicU64,
    /// Milliseconds.
    pub last_flush: AtomicU64,
    /// Milliseconds.
    pub last_merge: AtomicU64,
    /// Milliseconds.
    pub last_retention: AtomicU64,
    rejected: Mutex<BTreeMap<&'static str, u64>>,
}

impl Counters {
    /// Counts an entry that was refused for `reason`.
    pub fn reject(&self, reason: &'static str) {
        *self.rejected.lock().entry(reason).or_default() += 1;
    }

    /// Entries refused, by reason.
    pub fn rejected(&self) -> BTreeMap<&'static str, u64> {
        self.rejected.lock().clone()
    }

    /// These counts, with the numbers of the blocks that answer, of those `set_aside`, and of the
    /// journal once there is one.
    pub fn upkeep<B: Block>(
        &self,
        blocks: &[Arc<B>],
        set_aside: &[String],
        journal: Option<&Journal>,
    ) -> Upkeep {
        Upkeep {
            journal_bytes: journal.map_or(0, Journal::bytes),
            journal_torn_bytes: journal.map_or(0, Journal::torn_bytes),
            journal_damages: journal.map_or(0, Journal::damages),
            blocks: blocks.len() as u64,
            blocks_damaged: blocks.iter().filter(|block| block.is_damaged()).count() as u64,
            blocks_corrupt: set_aside.len() as u64,
            block_bytes: blocks.iter().map(|block| block.bytes).sum(),
            append_failures_total: get(&self.append_failures),
            flushes_total: get(&self.flushes),
            merges_total: get(&self.merges),
            retention_deleted_total: get(&self.retention_deleted),
            last_flush_success_ms: get(&self.last_flush),
            last_merge_success_ms: get(&self.last_merge),
            last_retention_success_ms: get(&self.last_retention),
        }
    }
}

/// The count of this moment.
pub fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// Counts `count` more.
pub fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

/// Notes in `moment` that something went well now, in milliseconds.
pub fn succeeded(moment: &AtomicU64, clock: &dyn Clock) {
    let now = clock.now().0.div_euclid(1_000_000);
    moment.store(u64::try_from(now).unwrap_or(0), Ordering::Relaxed);
}
