//! Memory to a block: what is there leaves memory and journal together.
//!
//! ```text
//! freeze all, begin a segment of the journal ─> compress ─> write the block ─> publish
//!   ─> drop from memory ─> checkpoint, remove older segments of the journal
//! ```
//!
//! Each step may be the last one: a block that is published says itself which segments of the
//! journal need not be read again.

use std::sync::{Arc, atomic::Ordering};

use camino::Utf8Path;
use masthead_model::Labels;

use crate::{
    Error, Logdb, Result,
    block::BlockWriter,
    frame::encode_state,
    rows::Rows,
    segment::{Info, Sealed},
    stream::{Piece, State},
};

impl Logdb {
    /// Compresses what was frozen, a segment at a time and outside the lock.
    ///
    /// # Errors
    /// None that are known; what cannot be compressed stays as it is.
    pub(crate) fn seal(&self) -> Result<()> {
        if self.state.read().head.frozen == 0 {
            return Ok(());
        }
        let frozen: Vec<(u32, u64, Arc<Rows>)> = {
            let state = self.state.read();
            let mut frozen = Vec::new();
            for (slot, stream) in (0..).zip(&state.head.streams) {
                for piece in stream.iter().flat_map(|stream| &stream.pieces) {
                    if let State::Frozen(rows) = &piece.state {
                        frozen.push((slot, piece.info.seq, Arc::clone(rows)));
                    }
                }
            }
            frozen
        };
        for (slot, seq, rows) in frozen {
            // Every push and the clock come here, and each piece is compressed by one of them.
            if !self.sealing.lock().insert(seq) {
                continue;
            }
            let done = self.seal_piece(slot, seq, &rows);
            self.sealing.lock().remove(&seq);
            done?;
        }
        Ok(())
    }

    fn seal_piece(&self, slot: u32, seq: u64, rows: &Rows) -> Result<()> {
        // Somebody may have been faster since the pieces were listed.
        if self.state.read().head.is_frozen(slot, seq) {
            let sealed = Arc::new(self.seal_rows(rows)?);
            self.state.write().head.put_sealed(slot, seq, &sealed);
        }
        Ok(())
    }

    pub(crate) fn seal_rows(&self, rows: &Rows) -> Result<Sealed> {
        let mut sealer = self.take_sealer();
        let sealed = sealer.seal(&rows.columns);
        self.sealers.lock().push(sealer);
        sealed.map_err(|error| Error::column(&self.dir, error))
    }

    /// Writes memory to a block if it is full or old enough. Returns whether it did.
    ///
    /// # Errors
    /// Those of the file system. What was not written stays in memory and journal.
    pub fn flush(&self) -> Result<bool> {
        let due = {
            let state = self.state.read();
            let age =
                state.buffered_since.map(|since| self.clock.monotonic().saturating_sub(since));
            state.head.bytes >= self.options.buffer_bytes
                || age.is_some_and(|age| age >= self.options.flush_after)
        };
        if !due && !self.flush_again.load(Ordering::Relaxed) {
            self.succeeded(&self.counters.last_flush);
            return Ok(false);
        }
        self.flush_all()
    }

    /// Writes everything in memory to a block. Returns whether there was anything.
    ///
    /// # Errors
    /// As [`Logdb::flush`].
    pub fn flush_all(&self) -> Result<bool> {
        self.flush_again.store(true, Ordering::Relaxed);
        let mut keeper = self.maintain()?;
        let (until, cut, state) = {
            let mut state = self.state.write();
            state.head.freeze_all();
            state.buffered_since = None;
            state.forget_deletions();
            let head = &state.head;
            let last = self.journal.last().seq;
            let frame = encode_state(last, head.generation, &head.progress, &head.deletions);
            (head.seq, self.journal.rotate(), frame)
        };
        // A block must not have a line whose frame, with the progress of its reader, can be lost.
        self.journal.flush()?;
        // While new lines fill as much memory again, these are given back piece by piece.
        self.seal()?;
        let streams = self.pieces_until(until);
        let written = !streams.is_empty();
        if written {
            let block = keeper.write(|dir| self.write_streams(dir, streams, cut))?;
            let mut state = self.state.write();
            state.replace_blocks(block, &[]);
            state.head.drop_until(until);
            self.counters.flushes.add(1);
        } else {
            self.state.write().head.drop_until(until);
        }
        self.journal.checkpoint(cut, &mut |out| out.push(&state))?;
        self.flush_again.store(false, Ordering::Relaxed);
        self.succeeded(&self.counters.last_flush);
        Ok(written)
    }

    /// The streams that have pieces up to number `until`, in label order, with those.
    fn pieces_until(&self, until: u64) -> Vec<(Labels, Vec<Piece>)> {
        let state = self.state.read();
        let mut streams: Vec<(Labels, Vec<Piece>)> = Vec::new();
        for stream in state.head.streams.iter().flatten() {
            let pieces = stream.pieces.iter().filter(|piece| piece.info.seq <= until);
            let pieces: Vec<Piece> = pieces.cloned().collect();
            if !pieces.is_empty() {
                streams.push((stream.labels.clone(), pieces));
            }
        }
        streams.sort_by(|a, b| a.0.cmp(&b.0));
        streams
    }

    fn write_streams(
        &self,
        dir: &Utf8Path,
        streams: Vec<(Labels, Vec<Piece>)>,
        floor: u64,
    ) -> Result<bool> {
        let mut writer = BlockWriter::create(&*self.fs, dir)?;
        for (labels, pieces) in streams {
            for Piece { info, state } in pieces {
                let sealed = match state {
                    State::Sealed(sealed) => sealed,
                    // Somebody else compresses it at the moment.
                    State::Frozen(rows) => Arc::new(self.seal_rows(&rows)?),
                };
                push(&mut writer, &info, &sealed)?;
            }
            writer.end_stream(&labels)?;
        }
        writer.finish(floor, Vec::new())?;
        Ok(true)
    }
}

pub(crate) fn push(writer: &mut BlockWriter, info: &Info, sealed: &Sealed) -> Result<()> {
    Ok(writer.push(info, &sealed.data, &sealed.words)?)
}

#[cfg(test)]
mod tests;
