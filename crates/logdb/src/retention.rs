//! Old blocks go: by time, counted back from the newest line, and by size.

use std::sync::Arc;

use masthead_durable::blocks;

use crate::{Logdb, Result, block::Block};

impl Logdb {
    /// Deletes the blocks that retention does not keep. Returns how many.
    ///
    /// # Errors
    /// Those of the file system; what could not be deleted does not answer any more, and goes next
    /// time.
    pub fn apply_retention(&self) -> Result<usize> {
        let mut gone = self.unkept();
        if !gone.is_empty() {
            let mut keeper = self.maintain()?;
            gone = self.unkept();
            self.state.write().replace_blocks(None, &gone);
            keeper.remove(&gone, || self.counters.retention_deleted.add(1))?;
        }
        self.succeeded(&self.counters.last_retention);
        Ok(gone.len())
    }

    fn unkept(&self) -> Vec<Arc<Block>> {
        let state = self.state.read();
        let in_memory = state.head.newest.unwrap_or(i64::MIN);
        let newest = state.blocks.iter().map(|block| block.meta.last).fold(in_memory, i64::max);
        let times = (newest, self.clock.now().0);
        blocks::unkept(&state.blocks, times, self.journal.bytes(), self.options.keep)
    }
}
