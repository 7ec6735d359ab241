//! Old blocks go: by time, counted back from the newest sample in a block, and by size.

use masthead_durable::{
    journal::Journal,
    publish,
    retention::{Candidate, expired},
};

use crate::{Result, Tsdb, stats::add};

impl Tsdb {
    /// Deletes the blocks that retention does not keep. Returns how many.
    ///
    /// # Errors
    /// Those of the file system; what could not be deleted does not answer any more, and goes next
    /// time.
    pub fn apply_retention(&self) -> Result<usize> {
        let keep = self.options.keep;
        let find = || {
            let blocks = self.blocks();
            let candidates: Vec<Candidate> = blocks
                .iter()
                .map(|block| Candidate { last: block.meta.max_time, bytes: block.bytes })
                .collect();
            // Upstream counts from there too (`tsdb/db.go: BeyondTimeRetention`).
            let newest = candidates.iter().map(|block| block.last).max().unwrap_or(i64::MIN);
            let other = self.journal.get().map_or(0, Journal::bytes) + self.image_bytes();
            let gone = expired(&candidates, newest, other, keep);
            let gone = gone.into_iter().filter_map(|at| blocks.get(at).cloned());
            gone.collect::<Vec<_>>()
        };
        if find().is_empty() {
            self.succeeded(&self.counters.last_retention);
            return Ok(0);
        }
        let mut maintenance = self.maintain()?;
        let gone = find();
        let numbers: Vec<u64> = gone.iter().map(|block| block.number).collect();
        self.replace_blocks(None, &numbers);
        for block in &gone {
            let removed = publish::remove(&*self.fs, &self.blocks_dir(), &block.name);
            maintenance.settle(removed.map_err(Into::into))?;
            add(&self.counters.retention_deleted, 1);
        }
        self.succeeded(&self.counters.last_retention);
        Ok(gone.len())
    }
}
