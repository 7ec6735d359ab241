//! What the store has done and holds, for whoever renders metrics; there is no registry in here.

use std::collections::BTreeMap;

use masthead_durable::stats::Upkeep;
use masthead_model::{Count, Gauge};

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
    /// Exemplars in memory.
    pub exemplars: u64,
    /// Exemplars refused since the start: older than the newest of their series, too long, or of
    /// a series that is not there.
    pub exemplars_rejected_total: u64,
    /// Bytes of the file that the head was last written to.
    pub head_bytes: u64,
    /// How often the head was written to a file since the start.
    pub checkpoints_total: u64,
    /// Samples in blocks, deleted ones included until they are merged away.
    pub block_samples: u64,
    /// When the head was last written to a file for a quick start, in milliseconds of the wall
    /// clock; zero for never.
    pub last_checkpoint_success_ms: u64,
    /// Files, and what is done to them.
    pub upkeep: Upkeep,
}

/// What is counted of the head's file.
#[derive(Debug, Default)]
pub(crate) struct Checkpoints {
    pub(crate) taken: Count,
    /// When the last one was taken, in milliseconds.
    pub(crate) last: Gauge,
    /// Bytes of the file.
    pub(crate) bytes: Gauge,
}
