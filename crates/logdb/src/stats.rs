//! What the store has done and holds, for whoever renders metrics; there is no registry in here.

use std::collections::BTreeMap;

use masthead_durable::stats::Upkeep;

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
    /// Whether lines are refused because the file system is nearly full.
    pub out_of_space: bool,
    /// Deletions that still wait for blocks to be rewritten.
    pub deletions: u64,
    /// Readers whose progress is kept.
    pub progress: u64,
    /// Lines in blocks, deleted ones included until they are merged away.
    pub block_lines: u64,
    /// Bytes of lines in blocks, as pushed.
    pub block_raw_bytes: u64,
    /// Files, and what is done to them.
    pub upkeep: Upkeep,
}
