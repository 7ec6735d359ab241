//! A store of lines as an operator sees it: how full, in which blocks; and deleting from it.

use std::fmt::Debug;

use masthead_model::{Matcher, Nanos, TimeRange};

use crate::{AdminError, LineFilter};

/// What an operator may ask of a store of lines, and do to it.
///
/// Every call may take long and block; callers give it a thread of its own.
pub trait LogAdmin: Send + Sync + Debug {
    /// Hides the lines in `range` of streams that match all `matchers` and that pass all
    /// `filters`, for good. Their space comes back when blocks are merged or expire.
    ///
    /// # Errors
    /// [`AdminError`]; nothing is promised to be hidden then.
    fn delete(
        &self,
        matchers: &[Matcher],
        filters: &[LineFilter],
        range: TimeRange<Nanos>,
    ) -> Result<(), AdminError>;

    /// Writes what is held in memory to a block.
    ///
    /// # Errors
    /// [`AdminError`]; what was in memory stays there and in the journal.
    fn flush(&self) -> Result<(), AdminError>;

    /// Makes a copy of the store that later writes do not touch, and answers its name below the
    /// store's `snapshots` directory. Everything that was acknowledged before is in it.
    ///
    /// # Errors
    /// [`AdminError`].
    fn snapshot(&self) -> Result<String, AdminError>;

    /// How full the store is.
    ///
    /// # Errors
    /// [`AdminError`].
    fn stats(&self) -> Result<LogStoreStats, AdminError>;
}

/// How full a store of lines is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogStoreStats {
    /// Streams with lines in memory.
    pub streams: u64,
    /// Lines in memory that no block holds yet.
    pub buffered_lines: u64,
    /// Bytes in memory that no block holds yet.
    pub buffered_bytes: u64,
    /// Blocks on disk.
    pub blocks: u64,
    /// Lines in blocks.
    pub block_lines: u64,
    /// Bytes of the blocks on disk.
    pub block_bytes: u64,
    /// Bytes of the lines in blocks, as pushed.
    pub raw_bytes: u64,
}
