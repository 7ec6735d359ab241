//! How a store behaves; every limit has a name here.

use masthead_durable::{journal::JournalOptions, retention::Keep};

const HOUR_MS: i64 = 3_600_000;

/// See [`Options::slots_max`].
const SLOTS_MAX: usize = 50_000_000;

/// How a store behaves. Times are in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The journal: when to sync, how large a segment is, how much may wait.
    pub journal: JournalOptions,
    /// Length of a block that is written from the head; 2 h. Blocks start at multiples of it.
    pub block_ms: i64,
    /// Length that adjacent blocks are merged to; 24 h, a multiple of `block_ms`.
    pub merged_ms: i64,
    /// How much older than the newest sample of the store a sample may be and still be put between
    /// others of its series; 30 min, 0 for none.
    pub out_of_order_ms: i64,
    /// How far ahead of the clock a sample may be; 10 min, none for no limit.
    pub future_ms: Option<i64>,
    /// What retention keeps; 15 days by default.
    pub keep: Keep,
    /// Most series in the head.
    pub series_max: usize,
    /// Most bytes of one series' labels.
    pub labels_bytes_max: usize,
    /// Most exemplars of all series together; the oldest go first.
    pub exemplars_max: usize,
    /// Most metric families whose metadata is kept.
    pub metadata_max: usize,
    /// Most out-of-order samples of one series in the head.
    pub late_max: usize,
    /// Most bytes of label sets of blocks that are remembered between queries; 32 MiB.
    pub labels_cache_bytes: usize,
    /// The head is written to a file, so that a start need not read the journal, when the journal
    /// has this many bytes and as many as that file had; 32 MiB.
    pub checkpoint_bytes: u64,
    /// How many threads may bring the head back into memory at a start; 1. The result is the same.
    pub load_threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            journal: JournalOptions::default(),
            block_ms: 2 * HOUR_MS,
            merged_ms: 24 * HOUR_MS,
            out_of_order_ms: HOUR_MS / 2,
            future_ms: Some(HOUR_MS / 6),
            keep: Keep { span: Some(15 * 24 * HOUR_MS), bytes: None },
            series_max: 20_000_000,
            labels_bytes_max: 64 << 10,
            exemplars_max: 100_000,
            metadata_max: 100_000,
            late_max: 100_000,
            labels_cache_bytes: 32 << 20,
            checkpoint_bytes: 32 << 20,
            load_threads: 1,
        }
    }
}

impl Options {
    /// Start of the block that `time` belongs to.
    pub(crate) fn block_start(&self, time: i64) -> i64 {
        time.div_euclid(self.block_ms).saturating_mul(self.block_ms)
    }

    /// The head may be written up to a time that lies this far behind its newest sample.
    pub(crate) fn lag_ms(&self) -> i64 {
        (self.block_ms / 2).max(self.out_of_order_ms)
    }

    /// Slots and timelines of a head that is read have numbers up to this: more than could be
    /// given with the limit on series, also when that was higher once.
    pub(crate) fn slots_max(&self) -> usize {
        self.series_max.max(SLOTS_MAX)
    }

    pub(crate) fn problem(&self) -> Option<&'static str> {
        if self.block_ms <= 0 || self.merged_ms < self.block_ms {
            return Some("block lengths must be positive, and that of merged blocks the larger");
        }
        if self.merged_ms % self.block_ms != 0 {
            return Some("the length of merged blocks must be a multiple of that of blocks");
        }
        (self.out_of_order_ms < 0).then_some("the out-of-order window must not be negative")
    }
}
