//! The writing side: the open segment file, what of it is not synced yet, and the files before.
//!
//! Used by one thread at a time. Invariant: `retained` holds, in order, the pieces that are in a
//! file but not synced, and `written`/`synced` tell the last frame of each kind.

use std::{collections::VecDeque, io, sync::Arc, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use masthead_sysio::{Buffers, File, Fs, OpenOptions};

use super::{
    FileInfo, FileName, SyncPolicy,
    frame::{HEADER_BYTES, Header, Kind},
};
use crate::{Result, publish::create_dir};

/// How often one segment may be begun again before the journal moves on to saying no for good.
const ATTEMPTS_MAX: u32 = 10_000;

/// Whole frames of one segment, on their way to its file.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) segment: u64,
    pub(super) last_seq: u64,
    pub(super) bytes: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Output {
    fs: Arc<dyn Fs>,
    dir: Utf8PathBuf,
    /// Where the memory of pieces goes that are needed no more.
    buffers: Arc<Buffers>,
    policy: SyncPolicy,
    retained_bytes_max: usize,
    /// Whether the directory is durable.
    created: bool,
    /// Files that are no longer written.
    finished: Vec<FileInfo>,
    open: Option<OpenFile>,
    retained: VecDeque<Piece>,
    retained_bytes: usize,
    /// What is in the open file beyond its synced part is not to be relied on.
    broken: bool,
    /// The attempt that the next file of `attempts.0` gets.
    attempts: (u64, u32),
    written: Option<u64>,
    synced: Option<u64>,
    pub(super) last_sync: Duration,
}

#[derive(Debug)]
struct OpenFile {
    name: FileName,
    file: Box<dyn File>,
    len: u64,
    synced_len: u64,
    /// Whether its name in the directory is durable.
    named: bool,
}

impl Output {
    pub(super) fn new(
        (fs, dir, buffers): (Arc<dyn Fs>, Utf8PathBuf, Arc<Buffers>),
        (policy, retained_bytes_max): (SyncPolicy, usize),
        finished: Vec<FileInfo>,
        last_sync: Duration,
    ) -> Self {
        Self {
            fs,
            dir,
            buffers,
            policy,
            retained_bytes_max,
            created: false,
            finished,
            open: None,
            retained: VecDeque::new(),
            retained_bytes: 0,
            broken: false,
            attempts: (0, 0),
            written: None,
            synced: None,
            last_sync,
        }
    }

    pub(super) fn fs(&self) -> &dyn Fs {
        &*self.fs
    }

    pub(super) fn dir(&self) -> &Utf8Path {
        &self.dir
    }

    /// The last frame in a file, once there is one from this process.
    pub(super) fn written_seq(&self) -> Option<u64> {
        self.written
    }

    pub(super) fn synced_seq(&self) -> Option<u64> {
        self.synced
    }

    /// Every file, oldest first, with how much of it counts now.
    pub(super) fn files(&self) -> Vec<FileInfo> {
        let open = self.open.as_ref().map(|open| FileInfo { name: open.name, len: open.len });
        let mut files: Vec<_> = self.finished.iter().copied().chain(open).collect();
        files.sort_unstable_by_key(|file| file.name);
        files
    }

    pub(super) fn bytes(&self) -> u64 {
        let finished: u64 = self.finished.iter().map(|file| file.len).sum();
        finished + self.open.as_ref().map_or(0, |open| open.len)
    }

    /// Writes pieces in order. Returns those that could not be written; after a failed sync these
    /// begin with pieces that were written before.
    pub(super) fn write(&mut self, pieces: VecDeque<Piece>) -> (Result<()>, VecDeque<Piece>) {
        let mut pieces = self.take_back(pieces);
        while let Some(piece) = pieces.front() {
            if let Err(error) = self.write_piece(piece.segment, &piece.bytes) {
                if self.broken {
                    pieces = self.take_back(pieces);
                }
                return (Err(error), pieces);
            }
            let Some(piece) = pieces.pop_front() else { break };
            self.written = Some(piece.last_seq);
            if self.policy == SyncPolicy::Never {
                self.buffers.give(piece.bytes);
            } else {
                self.retained_bytes += piece.bytes.len();
                self.retained.push_back(piece);
            }
            if self.retained_bytes > self.retained_bytes_max
                && let Err(error) = self.sync()
            {
                return (Err(error), self.take_back(pieces));
            }
        }
        (Ok(()), pieces)
    }

    /// Makes durable what was written. After an error it counts as not written.
    pub(super) fn sync(&mut self) -> Result<()> {
        if self.broken {
            return Err(io::Error::other("unsynced bytes of the journal wait to be written").into());
        }
        if let Some(open) = &mut self.open {
            let synced = if open.synced_len == open.len { Ok(()) } else { open.file.sync_data() };
            let named =
                synced.and_then(|()| if open.named { Ok(()) } else { self.fs.sync_dir(&self.dir) });
            if let Err(error) = named {
                self.broken = true;
                return Err(error.into());
            }
            open.named = true;
            open.synced_len = open.len;
        }
        self.forget_retained();
        self.synced = self.written.or(self.synced);
        Ok(())
    }

    /// Forgets the files of segments before `segment`, and removes them as well as it can.
    pub(super) fn remove_before(&mut self, segment: u64) {
        if self.open.as_ref().is_some_and(|open| open.name.segment < segment) {
            // Nothing of it is needed any more, synced or not.
            self.close();
            self.forget_retained();
            self.broken = false;
            self.synced = self.written.or(self.synced);
        }
        let (gone, kept) =
            self.finished.drain(..).partition(|file: &FileInfo| file.name.segment < segment);
        self.finished = kept;
        let gone: Vec<FileInfo> = gone;
        for file in gone {
            drop(self.fs.remove_file(&file.name.path(&self.dir)));
        }
    }

    /// Puts pieces whose sync failed in front of `pieces`, and gives their file up.
    fn take_back(&mut self, mut pieces: VecDeque<Piece>) -> VecDeque<Piece> {
        if !self.broken {
            return pieces;
        }
        self.broken = false;
        if let Some(open) = &mut self.open {
            open.len = open.synced_len;
        }
        self.close();
        while let Some(piece) = self.retained.pop_back() {
            pieces.push_front(piece);
        }
        self.retained_bytes = 0;
        // The frames before the first piece are synced.
        self.written = self.synced.or_else(|| self.written.map(|_| 0));
        pieces
    }

    /// The pieces are synced, or nobody needs them.
    fn forget_retained(&mut self) {
        for piece in self.retained.drain(..) {
            self.buffers.give(piece.bytes);
        }
        self.retained_bytes = 0;
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            self.attempts = (open.name.segment, open.name.attempt + 1);
            self.finished.push(FileInfo { name: open.name, len: open.len });
        }
    }

    fn write_piece(&mut self, segment: u64, bytes: &[u8]) -> Result<()> {
        if self.open.as_ref().is_some_and(|open| open.name.segment != segment) {
            if self.policy != SyncPolicy::Never {
                self.sync()?;
            }
            self.close();
        }
        if self.open.is_none() {
            self.open = Some(self.create(segment)?);
        }
        let Some(open) = &mut self.open else { return Ok(()) };
        let Err(error) = open.file.write_all_at(bytes, open.len) else {
            open.len += bytes.len() as u64;
            return Ok(());
        };
        // Part of it may be there. Without it the file is as before, and can go on.
        if open.file.set_len(open.len).is_err() {
            self.broken = true;
        }
        Err(error.into())
    }

    fn create(&mut self, segment: u64) -> Result<OpenFile> {
        if !self.created {
            create_dir(&*self.fs, &self.dir)?;
            self.created = true;
        }
        let attempt = if self.attempts.0 == segment { self.attempts.1 } else { 0 };
        if attempt > ATTEMPTS_MAX {
            return Err(io::Error::other("the journal's segment failed too often").into());
        }
        let name = FileName { segment, attempt };
        let previous = self.finished.last().copied();
        let header = Header {
            name,
            previous: previous.map_or(FileName { segment: 0, attempt: 0 }, |file| file.name),
            previous_len: previous.map_or(0, |file| file.len),
        };
        let path = name.path(&self.dir);
        let file = self.fs.open(&path, OpenOptions::CREATE_NEW)?;
        if let Err(error) = file.write_all_at(&header.encode(Kind::Segment), 0) {
            self.attempts = (segment, attempt + 1);
            drop(self.fs.remove_file(&path));
            return Err(error.into());
        }
        let len = HEADER_BYTES as u64;
        Ok(OpenFile { name, file, len, synced_len: 0, named: false })
    }
}
