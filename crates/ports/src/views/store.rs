//! The store as an operator sees it: how full, of what, in which blocks; and deleting from it.

use std::fmt::Debug;

use masthead_model::{ErrorClass, Matcher, Millis, TimeRange};

/// What an operator may ask of a store, and do to it.
///
/// Every call may take long and block; callers give it a thread of its own.
pub trait StoreAdmin: Send + Sync + Debug {
    /// Hides the samples in `range` of series that match all `matchers`, for good.
    ///
    /// # Errors
    /// [`AdminError`]; nothing is promised to be hidden then.
    fn delete_series(
        &self,
        matchers: &[Matcher],
        range: TimeRange<Millis>,
    ) -> Result<(), AdminError>;

    /// Gives back the space of what [`StoreAdmin::delete_series`] has hidden.
    ///
    /// # Errors
    /// [`AdminError`].
    fn clean_tombstones(&self) -> Result<(), AdminError>;

    /// Makes a copy of the store that later writes do not touch, and answers its name below the
    /// store's `snapshots` directory. Samples that are in no block yet are left out unless
    /// `with_head`.
    ///
    /// # Errors
    /// [`AdminError`].
    fn snapshot(&self, with_head: bool) -> Result<String, AdminError>;

    /// How full the store is, with at most `limit` entries in each list.
    ///
    /// # Errors
    /// [`AdminError`].
    fn stats(&self, limit: usize) -> Result<StoreStats, AdminError>;

    /// The blocks on disk, oldest first.
    ///
    /// # Errors
    /// [`AdminError`].
    fn blocks(&self) -> Result<Vec<BlockInfo>, AdminError>;

    /// How far the journal has been replayed.
    fn replay(&self) -> ReplayStatus;
}

/// Why the store did not do as it was told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct AdminError {
    /// Whose fault.
    pub class: ErrorClass,
    /// What happened, with all its causes.
    pub message: String,
}

/// A name and how many there are of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cardinality {
    /// A metric, a label, or `label=value`.
    pub name: String,
    /// Series, values or bytes, as the list says.
    pub count: u64,
}

/// How full the head of the store is, and of what; each list is largest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoreStats {
    /// Series in the head.
    pub series: u64,
    /// Different `label=value` pairs in the head.
    pub label_pairs: u64,
    /// Chunks in the head.
    pub chunks: u64,
    /// From the first to the last sample in the head; nothing while it is empty.
    pub range: Option<TimeRange<Millis>>,
    /// Series of each metric.
    pub series_by_metric: Vec<Cardinality>,
    /// Different values of each label.
    pub values_by_label: Vec<Cardinality>,
    /// Bytes of the values of each label.
    pub bytes_by_label: Vec<Cardinality>,
    /// Series of each `label=value`.
    pub series_by_pair: Vec<Cardinality>,
}

/// One immutable block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockInfo {
    /// Its name on disk.
    pub id: String,
    /// From its first to its last sample.
    pub range: TimeRange<Millis>,
    /// Samples in it.
    pub samples: u64,
    /// Series in it.
    pub series: u64,
    /// Chunks in it.
    pub chunks: u64,
    /// Bytes on disk.
    pub bytes: u64,
    /// How often its content has been merged; 1 straight from the head.
    pub level: u32,
    /// The blocks from the head that it was merged from.
    pub sources: Vec<String>,
}

/// How far the journal has been replayed, counted in segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReplayStatus {
    /// The first segment.
    pub first: u64,
    /// The last segment.
    pub last: u64,
    /// The segment that is being read; [`ReplayStatus::last`] once all are.
    pub current: u64,
}
