//! What every store counts, for whoever renders metrics; there is no registry in here.

use std::sync::Arc;

use masthead_model::{Count, CountByReason, Gauge};
use masthead_sysio::Clock;

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

/// What a store counts while it works; see [`Upkeep`] for most of it.
#[derive(Debug, Default)]
pub struct Counters {
    /// Entries taken.
    pub appended: Count,
    /// Entries that were there already.
    pub duplicates: Count,
    /// Entries refused.
    pub rejected: CountByReason,
    /// Batches not taken.
    pub append_failures: Count,
    /// Blocks from memory.
    pub flushes: Count,
    /// Blocks from others.
    pub merges: Count,
    /// Blocks gone.
    pub retention_deleted: Count,
    /// Milliseconds.
    pub last_flush: Gauge,
    /// Milliseconds.
    pub last_merge: Gauge,
    /// Milliseconds.
    pub last_retention: Gauge,
}

impl Counters {
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
            append_failures_total: self.append_failures.get(),
            flushes_total: self.flushes.get(),
            merges_total: self.merges.get(),
            retention_deleted_total: self.retention_deleted.get(),
            last_flush_success_ms: self.last_flush.get(),
            last_merge_success_ms: self.last_merge.get(),
            last_retention_success_ms: self.last_retention.get(),
        }
    }
}

/// Notes in `moment` that something went well now, in milliseconds.
pub fn succeeded(moment: &Gauge, clock: &dyn Clock) {
    let now = clock.now().0.div_euclid(1_000_000);
    moment.set(u64::try_from(now).unwrap_or(0));
}
