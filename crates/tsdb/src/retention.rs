//! Old blocks go: by time, counted back from the newest sample in a block, and by size.

use std::sync::Arc;

use masthead_durable::blocks;

use crate::{Result, Tsdb, block::Block};

impl Tsdb {
    /// Deletes the blocks that retention does not keep. Returns how many.
    ///
    /// # Errors
    /// Those of the file system; what could not be deleted does not answer any more, and goes next
    /// time.
    pub fn apply_retention(&self) -> Result<usize> {
        let mut gone = self.unkept();
        if !gone.is_empty() {
            let mut maintenance = self.maintain()?;
            gone = self.unkept();
            self.replace_blocks(None, &gone);
            let deleted = &self.counters.retention_deleted;
            maintenance.keeper.remove(&gone, || deleted.add(1))?;
        }
        self.succeeded(&self.counters.last_retention);
        Ok(gone.len())
    }

    fn unkept(&self) -> Vec<Arc<Block>> {
        let blocks = self.blocks();
        // Upstream counts from there too (`tsdb/db.go: BeyondTimeRetention`).
        let newest = blocks.iter().map(|block| block.meta.max_time).max().unwrap_or(i64::MIN);
        let other = self.journal_bytes() + self.image_bytes();
        blocks::unkept(&blocks, (newest, self.now_ms()), other, self.options.keep)
    }
}
