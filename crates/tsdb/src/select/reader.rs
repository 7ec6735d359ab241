//! Decodes the samples of selected series, from any thread.

use std::sync::Arc;

use masthead_ports::{Columns, QueryCtx, QueryError, SeriesReader};
use smallvec::SmallVec;

use super::warn;
use crate::{
    block::{Block, TimesCache, Tombstones},
    columns::Part,
    head::Snapshot,
};

/// Where a series has samples.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// Its place in the snapshot of the head.
    Head(usize),
    /// The block's place in the reader, and its number there.
    Block(usize, u32),
}

/// A block as it was when the selection was made.
#[derive(Debug)]
pub(super) struct BlockPart {
    block: Arc<Block>,
    tombstones: Arc<Tombstones>,
    cache: TimesCache,
}

impl BlockPart {
    pub(super) fn new(block: Arc<Block>) -> Self {
        let tombstones = Arc::clone(&block.tombstones.read());
        Self { cache: block.times_cache(), tombstones, block }
    }
}

#[derive(Debug)]
pub(super) struct Reader {
    pub(super) places: Vec<SmallVec<[Place; 2]>>,
    pub(super) snapshot: Snapshot,
    pub(super) blocks: Vec<BlockPart>,
    pub(super) first: i64,
    pub(super) last: i64,
}

impl SeriesReader for Reader {
    fn read(&self, ctx: &QueryCtx, at: usize, into: &mut Columns) -> Result<(), QueryError> {
        into.clear();
        let places = self.places.get(at).map(SmallVec::as_slice).unwrap_or_default();
        if let [place] = places {
            // The buffers of the caller are used again and again.
            let mut part = Part { columns: std::mem::take(into) };
            self.read_place(ctx, *place, &mut part);
            *into = part.columns;
        } else {
            let mut parts = Vec::with_capacity(places.len());
            for place in places {
                let mut part = Part::default();
                self.read_place(ctx, *place, &mut part);
                parts.push(part);
            }
            let mut merged = Part::default();
            Part::merge(parts, &mut merged);
            *into = merged.columns;
        }
        ctx.charge(into.len() as u64)
    }
}

impl Reader {
    fn read_place(&self, ctx: &QueryCtx, place: Place, into: &mut Part) {
        match place {
            Place::Head(at) => {
                self.snapshot.read(at, self.first, self.last, into);
            }
            Place::Block(at, id) => {
                let Some(part) = self.blocks.get(at) else { return };
                let range = (self.first, self.last);
                match part.block.read(id, range, &part.cache, &part.tombstones, into) {
                    Ok(bytes) => ctx.count(0, 0, bytes),
                    Err(error) => warn(ctx, &part.block, &error),
                }
            }
        }
    }
}
