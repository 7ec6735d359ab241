//! A journal: what was acknowledged and is not yet in a block, in segment files.
//!
//! ```text
//! enqueue ──> pending ──┐ one write for all who wait   ┌─> journal-00000007-00
//! enqueue ──> pending ──┴─────── commit ───────────────┴─> journal-00000008-00
//! ```
//!
//! A frame is enqueued in memory, where it gets its place in the order, and is committed when it
//! is in the file (and synced, if the policy says so). What was enqueued is never dropped: when a
//! write fails, those who wait get an error, the bytes stay first in line, and nothing is
//! committed after them before they are. So whoever applies frames in the order of `enqueue` sees
//! what a replay will see.
//!
//! After a failed sync the bytes since the last good one count as gone: they are kept in memory
//! until then, and written again to a new file of the same segment. A file is never written by two
//! processes: each start begins a new segment.
//!
//! - `journal/frame.rs`: bytes of headers and frames;  - `journal/output.rs`: the writing side;
//! - `journal/cursor.rs`: reading behind the writer;
//! - `journal/replay.rs`: the reading side;            - `journal/checkpoint.rs`: state that
//!   outlives the segments which brought it.
//!
//! Byte layout: `docs/format/journal.md`.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use camino::{Utf8Path, Utf8PathBuf};
use masthead_sysio::{Buffers, Clock, Fs};
use parking_lot::Mutex;

mod checkpoint;
mod cursor;
mod frame;
mod output;
mod replay;

#[cfg(test)]
mod tests;

pub use checkpoint::CheckpointWriter;
pub use cursor::Cursor;
pub use frame::{Draft, FRAME_BYTES_MAX};
pub use replay::{Damage, Frame, Origin, ReplayReport};

use self::output::{Output, Piece};
use crate::{Error, Result};

/// When written bytes are made to survive a loss of power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncPolicy {
    /// When a commit or [`Journal::tick`] finds that the last sync was this long ago.
    Interval(Duration),
    /// Before every acknowledgement.
    Always,
    /// When the operating system likes to.
    Never,
}

/// How a journal behaves.
#[derive(Debug, Clone, Copy)]
pub struct JournalOptions {
    /// When to sync; 200 ms by default.
    pub sync: SyncPolicy,
    /// A segment that has this many bytes is followed by the next; 32 MiB by default.
    pub segment_bytes: u64,
    /// What may wait to be written before more is refused; 64 MiB by default.
    pub pending_bytes_max: usize,
    /// What is written and not synced stays in memory, to be written again after a failed sync; with
    /// more of it a sync is made whatever the interval. 16 MiB by default. As much memory is kept
    /// for the next frames while frames come.
    pub unsynced_bytes_max: usize,
}

impl Default for JournalOptions {
    fn default() -> Self {
        Self {
            sync: SyncPolicy::Interval(Duration::from_millis(200)),
            segment_bytes: 32 << 20,
            pending_bytes_max: 64 << 20,
            unsynced_bytes_max: 16 << 20,
        }
    }
}

/// Frames up to this size that wait together are written together.
const PIECE_BYTES: usize = 256 << 10;

/// A frame's place: everything up to `seq` must be written before it is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket {
    /// Its number in the order of frames.
    pub seq: u64,
    /// The segment that it is in.
    pub segment: u64,
}

/// An open journal; shared by threads.
#[derive(Debug)]
pub struct Journal {
    options: JournalOptions,
    fs: Arc<dyn Fs>,
    dir: Utf8PathBuf,
    clock: Arc<dyn Clock>,
    queue: Mutex<Queue>,
    /// Memory of frames that are synced, for the next ones.
    buffers: Arc<Buffers>,
    /// Held by whoever writes; those who wait for it find their frames written when they get it.
    output: Mutex<Output>,
    /// Frames up to this number are in a file.
    written: AtomicU64,
    /// Frames up to this number survive a loss of power.
    synced: AtomicU64,
    /// Bytes of all files.
    bytes: AtomicU64,
    /// The last write failed, and what it was to write still waits.
    stuck: AtomicBool,
    /// What the replay cut and skipped.
    torn_bytes: u64,
    damages: u64,
}

#[derive(Debug)]
struct Queue {
    next_seq: u64,
    segment: u64,
    /// Bytes of the segment so far, pending ones included.
    segment_bytes: u64,
    pending: VecDeque<Piece>,
    pending_bytes: usize,
}

impl Journal {
    /// Opens the journal in `dir`, creating it if it is missing, and hands what it holds to
    /// `visit`: first the frames of the newest checkpoint, then those of the segments after it.
    ///
    /// Damage does not end the replay; it is in the report, with what was skipped.
    ///
    /// # Errors
    /// Those of the file system, of `visit`, and [`Error::Version`].
    pub fn open(
        fs: Arc<dyn Fs>,
        clock: Arc<dyn Clock>,
        dir: &Utf8Path,
        options: JournalOptions,
        visit: &mut dyn FnMut(Frame<'_>) -> Result<()>,
    ) -> Result<(Self, ReplayReport)> {
        let found = replay::replay(&*fs, dir, visit)?;
        let queue = Queue {
            next_seq: found.last_seq + 1,
            segment: found.last_segment + 1,
            segment_bytes: 0,
            pending: VecDeque::new(),
            pending_bytes: 0,
        };
        let bytes = found.files.iter().map(|file| file.len).sum();
        let buffers = Arc::new(Buffers::new(options.unsynced_bytes_max));
        let output = Output::new(
            (Arc::clone(&fs), dir.to_owned(), Arc::clone(&buffers)),
            (options.sync, options.unsynced_bytes_max),
            found.files,
            clock.monotonic(),
        );
        let journal = Self {
            options,
            fs,
            dir: dir.to_owned(),
            clock,
            queue: Mutex::new(queue),
            buffers,
            output: Mutex::new(output),
            written: AtomicU64::new(found.last_seq),
            synced: AtomicU64::new(found.last_seq),
            bytes: AtomicU64::new(bytes),
            stuck: AtomicBool::new(false),
            torn_bytes: found.report.torn_bytes,
            damages: found.report.damage_count,
        };
        Ok((journal, found.report))
    }

    /// The numbers of the first and the last segment in `dir`, before it is opened: what
    /// [`Journal::open`] will go through, for whoever shows how far it is.
    ///
    /// # Errors
    /// Those of the file system; a directory that is missing has no segments.
    pub fn segments(fs: &dyn Fs, dir: &Utf8Path) -> Result<Option<(u64, u64)>> {
        replay::segments(fs, dir)
    }

    /// Whether a frame of `bytes` bytes should be enqueued now.
    ///
    /// # Errors
    /// [`Error::JournalStopped`] when the last write failed or too much waits to be written: then
    /// [`Journal::commit`] of [`Journal::last`] tries again. [`Error::Limit`] when the frame is
    /// larger than [`FRAME_BYTES_MAX`].
    pub fn admit(&self, bytes: usize) -> Result<()> {
        check_size(bytes)?;
        if self.stuck.load(Ordering::Acquire) {
            return Err(Error::JournalStopped("the last write failed".into()));
        }
        let waiting = self.queue.lock().pending_bytes;
        if waiting > 0 && waiting.saturating_add(bytes) > self.options.pending_bytes_max {
            return Err(Error::JournalStopped(format!("{waiting} bytes wait to be written")));
        }
        Ok(())
    }

    /// The segment of the next frame, as long as nobody else enqueues or rotates; for
    /// [`Journal::enqueue_in`].
    pub fn next_segment(&self) -> u64 {
        let mut queue = self.queue.lock();
        queue.roll(self.options.segment_bytes);
        queue.segment
    }

    /// Gives `payload` its place in the order. It is not acknowledged before [`Journal::commit`].
    /// Whether too much waits already is for [`Journal::admit`] to say, once for several frames.
    ///
    /// # Errors
    /// [`Error::Limit`] when it is larger than [`FRAME_BYTES_MAX`]; nothing has happened then.
    pub fn enqueue(&self, payload: &[u8]) -> Result<Ticket> {
        check_size(payload.len())?;
        let mut queue = self.queue.lock();
        queue.roll(self.options.segment_bytes);
        Ok(queue.push(payload, &self.buffers))
    }

    /// A frame to be written, with room for so many bytes of payload.
    pub fn draft(&self, room: usize) -> Draft {
        let room = room.min(FRAME_BYTES_MAX).saturating_add(frame::FRAME_HEADER_BYTES);
        Draft::within(self.buffers.take(room))
    }

    /// As [`Journal::enqueue`] of the payload of `draft`, which is not copied if it is large.
    ///
    /// # Errors
    /// As [`Journal::enqueue`].
    pub fn enqueue_draft(&self, draft: Draft) -> Result<Ticket> {
        let bytes = draft.payload().len();
        if bytes < PIECE_BYTES {
            let ticket = self.enqueue(draft.payload())?;
            self.buffers.give(draft.into_bytes());
            return Ok(ticket);
        }
        check_size(bytes)?;
        let mut queue = self.queue.lock();
        queue.roll(self.options.segment_bytes);
        Ok(queue.push_draft(draft))
    }

    /// As [`Journal::enqueue`], if the next frame is one of `segment`: what a frame says may rest
    /// on those before it in its segment. Otherwise nothing happens and there is no ticket.
    ///
    /// # Errors
    /// As [`Journal::enqueue`].
    pub fn enqueue_in(&self, segment: u64, payload: &[u8]) -> Result<Option<Ticket>> {
        check_size(payload.len())?;
        let mut queue = self.queue.lock();
        queue.roll(self.options.segment_bytes);
        Ok((queue.segment == segment).then(|| queue.push(payload, &self.buffers)))
    }

    /// Returns when every frame up to `ticket` is as durable as the policy promises.
    ///
    /// # Errors
    /// Those of the file system. The frames stay in line, and the next commit tries again.
    pub fn commit(&self, ticket: Ticket) -> Result<()> {
        let always = self.options.sync == SyncPolicy::Always;
        let reached = if always { &self.synced } else { &self.written };
        if reached.load(Ordering::Acquire) < ticket.seq {
            let mut output = self.output.lock();
            if reached.load(Ordering::Acquire) < ticket.seq {
                self.write_pending(&mut output)?;
                if always {
                    self.sync_output(&mut output)?;
                }
            }
        }
        self.tick()
    }

    /// [`Journal::enqueue`] and [`Journal::commit`] in one.
    ///
    /// # Errors
    /// As those two.
    pub fn append(&self, payload: &[u8]) -> Result<Ticket> {
        if self.admit(payload.len()).is_err() {
            self.commit(self.last())?;
            self.admit(payload.len())?;
        }
        let ticket = self.enqueue(payload)?;
        self.commit(ticket)?;
        Ok(ticket)
    }

    /// The place of the last frame that was enqueued.
    pub fn last(&self) -> Ticket {
        let queue = self.queue.lock();
        Ticket { seq: queue.next_seq - 1, segment: queue.segment }
    }

    /// Syncs if the policy says that it is time; to be called now and then.
    ///
    /// # Errors
    /// Those of the sync; what was not synced is written again at the next commit.
    pub fn tick(&self) -> Result<()> {
        let SyncPolicy::Interval(interval) = self.options.sync else {
            self.buffers.release();
            return Ok(());
        };
        if self.synced.load(Ordering::Acquire) >= self.written.load(Ordering::Acquire) {
            // Asked again before anything came, memory is kept for nothing.
            self.buffers.release();
            return Ok(());
        }
        // Someone who writes now will come by here afterwards.
        let Some(mut output) = self.output.try_lock() else { return Ok(()) };
        if self.clock.monotonic().saturating_sub(output.last_sync) < interval {
            return Ok(());
        }
        // After a failed sync there is something to write again.
        self.write_pending(&mut output)?;
        self.sync_output(&mut output)
    }

    /// Writes and syncs all that was enqueued, whatever the policy.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn flush(&self) -> Result<()> {
        let mut output = self.output.lock();
        self.write_pending(&mut output)?;
        self.sync_output(&mut output)
    }

    /// Ends the segment: frames from now on are in the returned one or later.
    pub fn rotate(&self) -> u64 {
        let mut queue = self.queue.lock();
        if queue.segment_bytes > 0 {
            queue.next_segment();
        }
        queue.segment
    }

    /// Writes the state that is still needed from segments before `segment`, then removes those.
    ///
    /// `write` is called with a writer of frames; a replay hands them out before all others. A
    /// checkpoint replaces the one before, so it holds everything that any removed segment
    /// brought and that is still needed.
    ///
    /// # Errors
    /// Those of the file system and of `write`. Before the checkpoint is durable nothing was
    /// removed; a segment that cannot be removed is removed at the next start.
    pub fn checkpoint(
        &self,
        segment: u64,
        write: &mut dyn FnMut(&mut CheckpointWriter) -> Result<()>,
    ) -> Result<()> {
        // What waits for the disk may belong to a segment that is about to go.
        let mut output = self.output.lock();
        self.write_pending(&mut output)?;
        let seq = self.written.load(Ordering::Acquire);
        checkpoint::write(output.fs(), output.dir(), segment, seq, write)?;
        output.remove_before(segment);
        self.bytes.store(output.bytes(), Ordering::Release);
        Ok(())
    }

    /// Hands the frames behind `cursor` that are in a file to `visit`, about `bytes` bytes of them,
    /// and moves the cursor behind those. `false` if nothing is there yet.
    ///
    /// Frames may come that a loss of power takes away again; a frame comes once, unless it is
    /// written again after a failed sync.
    ///
    /// # Errors
    /// Those of the file system and of `visit`.
    pub fn read(
        &self,
        cursor: &mut Cursor,
        bytes: usize,
        visit: &mut dyn FnMut(Frame<'_>) -> Result<()>,
    ) -> Result<bool> {
        let files = self.output.lock().files();
        cursor.read(&*self.fs, &self.dir, &files, bytes, visit)
    }

    /// The segment that is removed next: the oldest that has a file.
    pub fn oldest_segment(&self) -> Option<u64> {
        self.output.lock().files().first().map(|file| file.name.segment)
    }

    /// Bytes of all segment files.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Acquire)
    }

    /// Bytes of a write that was cut short, found when this was opened.
    pub fn torn_bytes(&self) -> u64 {
        self.torn_bytes
    }

    /// Places of damage, found when this was opened.
    pub fn damages(&self) -> u64 {
        self.damages
    }

    /// Number of the last frame that survives a loss of power.
    pub fn synced_seq(&self) -> u64 {
        self.synced.load(Ordering::Acquire)
    }

    fn write_pending(&self, output: &mut Output) -> Result<()> {
        let pieces = {
            let mut queue = self.queue.lock();
            queue.pending_bytes = 0;
            std::mem::take(&mut queue.pending)
        };
        let (result, unwritten) = output.write(pieces);
        if let Some(seq) = output.written_seq() {
            self.written.store(seq, Ordering::Release);
        }
        if let Some(seq) = output.synced_seq() {
            self.synced.store(seq, Ordering::Release);
        }
        self.bytes.store(output.bytes(), Ordering::Release);
        self.stuck.store(result.is_err(), Ordering::Release);
        if !unwritten.is_empty() {
            let mut queue = self.queue.lock();
            for piece in unwritten.into_iter().rev() {
                queue.pending_bytes += piece.bytes.len();
                queue.pending.push_front(piece);
            }
        }
        result
    }

    fn sync_output(&self, output: &mut Output) -> Result<()> {
        let result = output.sync();
        output.last_sync = self.clock.monotonic();
        if let Some(seq) = output.synced_seq() {
            self.synced.store(seq, Ordering::Release);
        }
        result
    }
}

fn check_size(bytes: usize) -> Result<()> {
    if bytes <= FRAME_BYTES_MAX {
        return Ok(());
    }
    let (found, limit) = (bytes as u64, FRAME_BYTES_MAX as u64);
    Err(Error::Limit { what: "bytes of one journal frame", found, limit })
}

impl Queue {
    fn roll(&mut self, segment_bytes: u64) {
        if self.segment_bytes >= segment_bytes {
            self.next_segment();
        }
    }

    fn next_segment(&mut self) {
        self.segment += 1;
        self.segment_bytes = 0;
    }

    fn push(&mut self, payload: &[u8], buffers: &Buffers) -> Ticket {
        let ticket = self.number(payload.len());
        let Ticket { seq, segment } = ticket;
        let joins = |piece: &&mut Piece| {
            piece.segment == segment
                && piece.bytes.len().saturating_add(payload.len()) <= PIECE_BYTES
        };
        if let Some(piece) = self.pending.back_mut().filter(joins) {
            frame::put_frame(&mut piece.bytes, seq, payload);
            piece.last_seq = seq;
        } else {
            let mut bytes = buffers.take(frame::FRAME_HEADER_BYTES + payload.len());
            frame::put_frame(&mut bytes, seq, payload);
            self.pending.push_back(Piece { segment, last_seq: seq, bytes });
        }
        ticket
    }

    fn push_draft(&mut self, mut draft: Draft) -> Ticket {
        let ticket = self.number(draft.payload().len());
        let Ticket { seq, segment } = ticket;
        draft.number(seq);
        self.pending.push_back(Piece { segment, last_seq: seq, bytes: draft.into_bytes() });
        ticket
    }

    /// The place of a frame with so many bytes of payload, which is the next one.
    fn number(&mut self, payload: usize) -> Ticket {
        let seq = self.next_seq;
        self.next_seq += 1;
        let bytes = frame::FRAME_HEADER_BYTES + payload;
        self.pending_bytes += bytes;
        self.segment_bytes += bytes as u64;
        Ticket { seq, segment: self.segment }
    }
}

/// A file of the journal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct FileName {
    segment: u64,
    /// 0, or how often the segment's unsynced bytes had to be written again.
    attempt: u32,
}

impl FileName {
    fn path(self, dir: &Utf8Path) -> Utf8PathBuf {
        dir.join(format!("journal-{:08}-{:02}", self.segment, self.attempt))
    }

    fn parse(name: &str) -> Option<Self> {
        let (segment, attempt) = name.strip_prefix("journal-")?.split_once('-')?;
        Some(Self { segment: segment.parse().ok()?, attempt: attempt.parse().ok()? })
    }
}

/// A file of the journal, with how much of it counts.
#[derive(Debug, Clone, Copy)]
struct FileInfo {
    name: FileName,
    len: u64,
}
