//! How collecting fares, counted. Rendered by whoever owns the registry.

use std::{collections::BTreeMap, sync::Arc};

use masthead_model::{Count, CountByReason, Gauge};
use parking_lot::Mutex;

/// Counts since the start.
#[derive(Debug, Default)]
pub struct Stats {
    /// Bytes read from files and pipes.
    pub bytes_read: Count,
    /// Lines read, before any stage.
    pub lines_read: Count,
    /// Lines that the sink holds.
    pub lines_sent: Count,
    /// Lines that the sink had already.
    pub lines_duplicate: Count,
    /// Lines of which a part is missing, because of the limit on their length.
    pub lines_cut: Count,
    /// Groups of lines that went on unfinished, because of a limit on what is held back.
    pub partial_lines_cut: Count,
    /// Batches that the sink refused; they are sent again unless they are counted as lost.
    pub appends_failed: Count,
    /// Rotations: another file under the name of one that is followed.
    pub rotations: Count,
    /// Files that were shorter, or began differently, than what was read of them.
    pub truncations: Count,
    /// Rotated files that were gone or compressed before they were read to their end, as far as is
    /// known.
    pub rotated_gone: Count,
    /// Compressed files that a pattern named and nobody reads.
    pub compressed_skipped: Count,
    /// Files that could not be looked at or read.
    pub file_errors: Count,
    /// Files that a limit kept from being followed.
    pub files_over_limit: Count,
    /// Files that are followed now.
    pub files: Gauge,
    /// Files that are open now.
    pub files_open: Gauge,
    /// When the sink last took a batch, in milliseconds since 1970.
    pub last_append_ms: Gauge,
    dropped: Mutex<BTreeMap<Arc<str>, u64>>,
    rejected: CountByReason,
    unparsed: CountByReason,
}

/// Reasons of drops come from the configuration; this many have a count of their own.
const REASONS_MAX: usize = 100;

impl Stats {
    /// Lines dropped by stages, by reason.
    pub fn dropped_lines(&self) -> Vec<(String, u64)> {
        self.dropped.lock().iter().map(|(reason, n)| (reason.to_string(), *n)).collect()
    }

    /// Lines that the sink refused, by reason; they are lost.
    pub fn rejected_lines(&self) -> Vec<(&'static str, u64)> {
        self.rejected.get().into_iter().collect()
    }

    /// Lines that a stage could not parse, by stage; they go on as they are.
    pub fn unparsed_lines(&self) -> Vec<(&'static str, u64)> {
        self.unparsed.get().into_iter().collect()
    }

    pub(crate) fn dropped(&self, reason: &str) {
        let mut dropped = self.dropped.lock();
        if let Some(count) = dropped.get_mut(reason) {
            *count += 1;
        } else if dropped.len() < REASONS_MAX {
            dropped.insert(Arc::from(reason), 1);
        }
    }

    pub(crate) fn rejected(&self, reason: &'static str, lines: u64) {
        self.rejected.add(reason, lines);
    }

    pub(crate) fn unparsed(&self, stage: &'static str) {
        self.unparsed.add(stage, 1);
    }
}
