//! The head: streams in memory, readers' progress, deletions that still apply.
//!
//! Owned by the store's lock, so nothing here locks.

use std::{collections::BTreeMap, sync::Arc};

use masthead_durable::index::HeadIndex;
use masthead_model::Labels;

use crate::{
    deletion::Deletion,
    rows::Row,
    segment::Sealed,
    stream::{State, Stream},
};

#[derive(Debug, Default)]
pub(crate) struct Head {
    pub(crate) index: HeadIndex,
    pub(crate) streams: Vec<Option<Stream>>,
    free: Vec<u32>,
    next_id: u64,
    pub(crate) progress: BTreeMap<Arc<str>, Arc<str>>,
    /// By rising number.
    pub(crate) deletions: Arc<Vec<Arc<Deletion>>>,
    /// Number of the latest deletion.
    pub(crate) generation: u64,
    /// Number of the latest segment.
    pub(crate) seq: u64,
    /// Lines and bytes that no block holds.
    pub(crate) lines: u64,
    pub(crate) bytes: u64,
    /// Pieces that are not compressed yet.
    pub(crate) frozen: usize,
    /// Time of the newest line of all.
    pub(crate) newest: Option<i64>,
}

impl Head {
    pub(crate) fn stream(&self, slot: u32) -> Option<&Stream> {
        self.streams.get(slot as usize)?.as_ref()
    }

    pub(crate) fn stream_mut(&mut self, slot: u32) -> Option<&mut Stream> {
        self.streams.get_mut(slot as usize)?.as_mut()
    }

    /// Adds a stream that is not there.
    pub(crate) fn add(&mut self, labels: Labels, newest: Option<i64>) -> u32 {
        self.next_id += 1;
        let slot = self.free.pop().unwrap_or_else(|| {
            self.streams.push(None);
            u32::try_from(self.streams.len() - 1).unwrap_or(u32::MAX)
        });
        self.index.insert(slot, &labels);
        if let Some(place) = self.streams.get_mut(slot as usize) {
            *place = Some(Stream::new(labels, self.next_id, newest));
        }
        slot
    }

    pub(crate) fn remove(&mut self, slot: u32) {
        if let Some(place) = self.streams.get_mut(slot as usize)
            && place.take().is_some()
        {
            self.index.remove(slot);
            self.free.push(slot);
        }
    }

    /// Adds a line; returns whether it was not there yet.
    pub(crate) fn push(&mut self, slot: u32, row: Row<'_>, segment_bytes: usize) -> bool {
        let (generation, mut seq) = (self.generation, self.seq);
        let Some(stream) = self.stream_mut(slot) else { return false };
        let newest = stream.newest;
        if !stream.push(row) {
            return false;
        }
        let mut added = 0;
        if stream.is_full(segment_bytes) {
            let before = stream.pieces.len();
            stream.freeze(&mut seq, generation, newest.is_some());
            added = stream.pieces.len() - before;
        }
        self.seq = seq;
        self.frozen += added;
        self.lines += 1;
        self.bytes += row.line.len() as u64 + row.metadata.map_or(0, crate::rows::metadata_len);
        self.newest = self.newest.max(Some(row.time));
        true
    }

    /// Turns everything that grows into pieces.
    pub(crate) fn freeze_all(&mut self) {
        for stream in self.streams.iter_mut().flatten() {
            let before = stream.pieces.len();
            stream.freeze(&mut self.seq, self.generation, false);
            self.frozen += stream.pieces.len() - before;
        }
    }

    /// Whether a piece is there and not compressed yet.
    pub(crate) fn is_frozen(&self, slot: u32, seq: u64) -> bool {
        let mut pieces = self.stream(slot).into_iter().flat_map(|stream| &stream.pieces);
        pieces.any(|piece| piece.info.seq == seq && matches!(piece.state, State::Frozen(_)))
    }

    /// Puts the compressed form of a piece in its place, if it is still there.
    pub(crate) fn put_sealed(&mut self, slot: u32, seq: u64, sealed: &Arc<Sealed>) {
        let Some(stream) = self.stream_mut(slot) else { return };
        let piece = stream.pieces.iter_mut().find(|piece| piece.info.seq == seq);
        if let Some(piece) = piece
            && matches!(piece.state, State::Frozen(_))
        {
            piece.state = State::Sealed(Arc::clone(sealed));
            self.frozen = self.frozen.saturating_sub(1);
        }
    }

    /// Forgets the pieces up to number `seq`, which a block holds now, and streams that had
    /// nothing else and nothing new. How many lines and bytes a block took is told by the pieces.
    pub(crate) fn drop_until(&mut self, seq: u64) {
        let mut idle = Vec::new();
        for (slot, stream) in (0..).zip(&mut self.streams) {
            let Some(stream) = stream else { continue };
            if stream.is_empty() {
                idle.push(slot);
            }
            let (mut lines, mut bytes, mut frozen) = (0, 0, 0);
            stream.pieces.retain(|piece| {
                if piece.info.seq <= seq {
                    lines += piece.info.lines as u64;
                    bytes += piece.info.raw + piece.info.metadata;
                    frozen += usize::from(matches!(piece.state, State::Frozen(_)));
                }
                piece.info.seq > seq
            });
            self.lines = self.lines.saturating_sub(lines);
            self.bytes = self.bytes.saturating_sub(bytes);
            self.frozen = self.frozen.saturating_sub(frozen);
        }
        for slot in idle {
            self.remove(slot);
        }
    }
}

impl Head {
    /// From here on lines that are in memory or in blocks are hidden by `deletion`, and later ones
    /// are not.
    pub(crate) fn add_deletion(&mut self, deletion: Deletion) {
        self.freeze_all();
        self.generation = self.generation.max(deletion.number);
        let mut next = (*self.deletions).clone();
        next.push(Arc::new(deletion));
        self.deletions = Arc::new(next);
    }
}
