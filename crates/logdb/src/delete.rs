//! Deletion by matchers, filters and range: at once for readers, physically when a block is
//! rewritten, which `tick` sees to.

use std::sync::{Arc, atomic::Ordering};

use masthead_durable::index;
use masthead_model::{Matcher, Nanos, TimeRange};
use masthead_ports::LineFilter;

use crate::{
    Error, Logdb, Result, block::Block, deletion::Deletion, frame::encode_deletion, store::State,
};

impl Logdb {
    /// Deletes the lines in `range` of streams that match all `matchers` and that pass all
    /// `filters`. When this returns, they are gone for readers and stay gone after a loss of power.
    ///
    /// # Errors
    /// A filter that does not compile, too many deletions that wait for merges, and those of the
    /// file system; then the lines may be hidden or not, and the same call can be made again.
    pub fn delete(
        &self,
        matchers: &[Matcher],
        filters: &[LineFilter],
        range: TimeRange<Nanos>,
    ) -> Result<()> {
        let ticket = {
            let mut state = self.state.write();
            let count = state.head.deletions.len();
            if count >= self.options.deletions_max {
                let (found, limit) = (count as u64 + 1, self.options.deletions_max as u64);
                let what = "deletions that wait for blocks to be rewritten";
                return Err(masthead_durable::Error::Limit { what, found, limit }.into());
            }
            let number = state.head.generation + 1;
            let deletion = Deletion::new(number, matchers, filters, range)
                .ok_or(Error::Options("an expression of the filter does not compile"))?;
            let ticket = self.journal.enqueue(&encode_deletion(&deletion))?;
            state.head.add_deletion(deletion);
            ticket
        };
        self.journal.commit(ticket)?;
        Ok(self.journal.flush()?)
    }
}

impl State {
    /// Forgets the deletions that hide nothing any more. Called when memory is about to become a
    /// block, whose checkpoint then does not have them.
    pub(crate) fn forget_deletions(&mut self) {
        let deletions = Arc::clone(&self.head.deletions);
        if deletions.is_empty() {
            return;
        }
        let needed = |deletion: &&Arc<Deletion>| {
            let in_memory = self.head.streams.iter().flatten().any(|stream| {
                deletion.matches(&stream.labels)
                    && stream.pieces.iter().any(|piece| deletion.touches(&piece.info))
            });
            in_memory || self.blocks.iter().any(|block| concerns(deletion, block))
        };
        let kept: Vec<Arc<Deletion>> = deletions.iter().filter(needed).cloned().collect();
        self.head.deletions = Arc::new(kept);
    }
}

/// Whether a deletion may hide lines of a block.
pub(crate) fn concerns(deletion: &Deletion, block: &Block) -> bool {
    block.clean_until.load(Ordering::Relaxed) < deletion.number
        && block.overlaps(deletion.range.start.0, deletion.range.end.0)
        && index::select(&block.index, &deletion.matchers).map_or(true, |ids| !ids.is_empty())
}
