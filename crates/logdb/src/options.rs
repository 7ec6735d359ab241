//! How a store behaves; every limit has a name here.

use std::time::Duration;

use masthead_durable::{journal::JournalOptions, retention::Keep};

const HOUR_NS: i64 = 3_600_000_000_000;

/// How a store behaves. Times of lines are in nanoseconds.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The journal: when to sync, how large a segment is, how much may wait.
    pub journal: JournalOptions,
    /// How far behind the newest line of its stream a line may be; 1 h, and exactly that is taken.
    pub window_ns: i64,
    /// Bytes of lines that a stream collects before they are compressed together; 1 MiB. What a
    /// query reads at least where its filters find something.
    pub segment_bytes: usize,
    /// Bytes of lines in memory, as pushed, before all are written to a block; 128 MiB. It bounds
    /// the journal, and so the time of a start.
    pub buffer_bytes: u64,
    /// Lines are written to a block after this time at the latest; 15 min.
    pub flush_after: Duration,
    /// So many blocks are merged to one; 8.
    pub merge_blocks: usize,
    /// Blocks with more bytes of lines are not merged any more; 8 GiB.
    pub merged_raw_bytes: u64,
    /// Blocks that end in different spans of this length are not merged, so that retention can
    /// delete them one by one; 24 h.
    pub merged_ns: i64,
    /// What retention keeps; 7 days by default.
    pub keep: Keep,
    /// Lines are refused while the file system has less free space than this; 64 MiB.
    pub free_bytes_min: u64,
    /// Most streams with lines in memory.
    pub streams_max: usize,
    /// Most bytes of one line; longer ones are refused.
    pub line_bytes_max: usize,
    /// Most readers whose progress is kept.
    pub progress_max: usize,
    /// Most deletions that wait for blocks to be merged.
    pub deletions_max: usize,
    /// Level of zstd.
    pub level: i32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            journal: JournalOptions::default(),
            window_ns: HOUR_NS,
            segment_bytes: 1 << 20,
            buffer_bytes: 128 << 20,
            flush_after: Duration::from_mins(15),
            merge_blocks: 8,
            merged_raw_bytes: 8 << 30,
            merged_ns: 24 * HOUR_NS,
            keep: Keep { span: Some(7 * 24 * HOUR_NS), bytes: None },
            free_bytes_min: 64 << 20,
            streams_max: 1_000_000,
            line_bytes_max: 2 << 20,
            progress_max: 1_000_000,
            deletions_max: 1000,
            level: 3,
        }
    }
}

impl Options {
    pub(crate) fn problem(&self) -> Option<&'static str> {
        if self.window_ns < 0 {
            return Some("the window for lines out of order must not be negative");
        }
        if self.segment_bytes == 0 || self.segment_bytes > masthead_chunk::lines::TEXT_BYTES_MAX / 4
        {
            return Some("a segment must have at least one byte and at most 4 MiB");
        }
        if self.line_bytes_max > masthead_chunk::lines::TEXT_BYTES_MAX / 4 {
            return Some("a line may have at most 4 MiB");
        }
        (self.merged_ns <= 0 || self.merge_blocks < 2)
            .then_some("merging needs a positive span and at least two blocks")
    }
}
