//! What all followed paths share: the file system, the clock's last answer, one buffer, one batch.

use std::{cell::Cell, collections::HashMap, io, sync::Arc, time::Duration};

use masthead_model::Nanos;
use masthead_sysio::{Clock, FileId, Fs};

use crate::{
    Stats,
    batch::{Batch, SlotCache},
    entry::Entry,
    pipeline::Cx,
    reader::{READ_BYTES, Reader},
};

/// A batch goes when its lines have so many bytes. Until the sink has it there are several copies of
/// it, with its journal's and what is pushed; fewer bytes make more batches of a backlog.
pub(crate) const BATCH_BYTES: usize = 256 << 10;
/// And when there are so many, because short ones cost more than their bytes.
const BATCH_LINES: usize = 5_000;

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) fs: Arc<dyn Fs>,
    pub(crate) stats: Arc<Stats>,
    pub(crate) now: Now,
    pub(crate) batch: Batch,
    /// Whether the sink asks for whom lines are.
    pub(crate) tenants: bool,
    /// Which path of a job reads a file.
    pub(crate) owners: HashMap<(Arc<str>, FileId), usize>,
    /// For one read at a time.
    pub(crate) buffer: Vec<u8>,
    /// For one line at a time.
    pub(crate) entry: Entry,
    pub(crate) open_files: usize,
    pub(crate) open_files_max: usize,
    numbers: u64,
}

/// The clock's answer at the start of a step, so that a step reads it once.
#[derive(Debug, Default)]
pub(crate) struct Now {
    pub(crate) wall: Nanos,
    pub(crate) monotonic: Duration,
    last_line: Cell<i64>,
}

impl Now {
    pub(crate) fn update(&mut self, clock: &dyn Clock) {
        self.wall = Nanos(clock.now().0);
        self.monotonic = clock.monotonic();
    }

    /// The time of a line that has none of its own: now, and never the same twice, so that equal
    /// lines are not taken for one.
    pub(crate) fn next_line_time(&self) -> Nanos {
        let time = self.wall.0.max(self.last_line.get().saturating_add(1));
        self.last_line.set(time);
        Nanos(time)
    }

    pub(crate) fn cx<'a>(&self, stats: &'a Stats) -> Cx<'a> {
        Cx { now: self.wall, monotonic: self.monotonic, stats }
    }
}

impl World {
    pub(crate) fn new(
        fs: Arc<dyn Fs>,
        stats: Arc<Stats>,
        tenants: bool,
        open_files_max: usize,
    ) -> Self {
        Self {
            fs,
            stats,
            now: Now::default(),
            batch: Batch::default(),
            tenants,
            owners: HashMap::new(),
            buffer: vec![0; READ_BYTES],
            entry: Entry::default(),
            open_files: 0,
            open_files_max,
            numbers: 0,
        }
    }

    pub(crate) fn next_number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// The path that reads a file.
    pub(crate) fn owner(&self, job: &Arc<str>, id: FileId) -> Option<usize> {
        self.owners.get(&(Arc::clone(job), id)).copied()
    }

    pub(crate) fn batch_is_full(&self) -> bool {
        self.batch.byte_len() >= BATCH_BYTES || self.batch.lines() >= BATCH_LINES
    }

    /// Puts the entry into the batch.
    pub(crate) fn emit(&mut self, slots: &mut SlotCache) {
        self.batch.push(&self.entry, slots, self.tenants);
    }

    /// Opens a file; `false` if it is not there any more.
    pub(crate) fn may_open(&mut self, reader: &mut Reader) -> io::Result<bool> {
        let opened = reader.open(&*self.fs)?;
        self.open_files += usize::from(opened);
        Ok(opened)
    }

    /// Whether files should be closed as soon as nothing is left to read.
    pub(crate) fn is_short_of_files(&self) -> bool {
        self.open_files > self.open_files_max
    }
}
