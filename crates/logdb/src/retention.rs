//! Old blocks go: by time, counted back from the newest line, and by size.

use masthead_durable::{
    publish,
    retention::{Candidate, expired},
};

use crate::{Logdb, Result, stats::add};

impl Logdb {
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
                .map(|block| Candidate { last: block.meta.last, bytes: block.bytes })
                .collect();
            let head = self.state.read().head.newest.unwrap_or(i64::MIN);
            let newest = candidates.iter().map(|block| block.last).fold(head, i64::max);
            let gone = expired(&candidates, newest, self.journal.bytes(), keep);
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
        self.state.write().replace_blocks(None, &numbers);
        for block in &gone {
            let removed = publish::remove(&*self.fs, &self.blocks_dir(), &block.name);
            maintenance.settle(removed.map_err(Into::into))?;
            add(&self.counters.retention_deleted, 1);
        }
        self.succeeded(&self.counters.last_retention);
        Ok(gone.len())
    }
}
