//! Deletion by matchers and range: at once for readers, physically when a block is rewritten.

use std::sync::Arc;

use masthead_durable::index;
use masthead_model::{Matcher, Millis, TimeRange};
use roaring::RoaringBitmap;

use crate::{Result, Tsdb, frame::encode_deletion};

impl Tsdb {
    /// Deletes the samples in `range` of every series that matches all matchers of any of
    /// `matchers`. When this returns, they are gone for readers and stay gone after a loss of power.
    ///
    /// In the head they are removed; in blocks they are marked, and their bytes go when the block
    /// is merged or by [`Tsdb::clean_tombstones`].
    ///
    /// # Errors
    /// Those of the file system; then part of the deletion may have happened, and the same call can
    /// be made again.
    pub fn delete(&self, matchers: &[Vec<Matcher>], range: TimeRange<Millis>) -> Result<()> {
        let journal = self.journal()?;
        let _maintenance = self.maintain()?;
        let (first, last) = (range.start.0, range.end.0);
        for block in self.blocks().iter().filter(|block| block.overlaps(first, last)) {
            let series = match union(&block.index, matchers, &|| true) {
                Ok(series) => series,
                Err(error) => {
                    block.set_damaged();
                    return Err(error);
                }
            };
            if !series.is_empty() {
                let mut tombstones = (**block.tombstones.read()).clone();
                tombstones.add(series, first, last);
                tombstones.store(&*self.fs, &block.dir)?;
                *block.tombstones.write() = Arc::new(tombstones);
            }
        }
        let enqueued = {
            // No sample of these series comes between the frame and what it does.
            let mut held = self.head.hold_all();
            let registry = self.head.registry();
            let series = union(&registry.index, matchers, &|| true)?;
            let ids: Vec<u64> = series.iter().map(|slot| registry.reference(slot).0).collect();
            for slot in &series {
                if let Some(shard) = held.shard_mut(slot) {
                    shard.delete(slot, first, last);
                }
            }
            let frame = encode_deletion(&ids, first, last);
            if ids.is_empty() { Ok(()) } else { journal.enqueue(&frame).map(|_| ()) }
        };
        enqueued?;
        Ok(journal.flush()?)
    }
}

/// The series that match all matchers of any of `matchers`, as long as `goes_on` says so.
pub(crate) fn union(
    index: &dyn index::Postings,
    matchers: &[Vec<Matcher>],
    goes_on: &dyn Fn() -> bool,
) -> Result<RoaringBitmap> {
    let mut series = RoaringBitmap::new();
    for all in matchers {
        series |= index::select_while(index, all, goes_on)?;
    }
    Ok(series)
}
