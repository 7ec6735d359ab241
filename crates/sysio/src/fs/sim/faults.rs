//! What is to go wrong, and the counters of what was done.
//!
//! Decides only whether an operation fails; what a failed operation leaves behind is `handle.rs`'s
//! and `inode.rs`'s business.

use std::{fmt, io};

use camino::Utf8Path;

/// What a call asks of the file system, as the rules of [`crate::SimFs::fail_when`] see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// [`crate::Fs::open`]
    Open,
    /// [`crate::File::read_at`] and `read_exact_at`
    Read,
    /// [`crate::File::write_all_at`] and `append_all`
    Write,
    /// [`crate::File::sync_data`] and `sync_all`
    Sync,
    /// [`crate::File::set_len`]
    SetLen,
    /// [`crate::File::map`]
    Map,
    /// [`crate::Fs::read_dir`]
    ReadDir,
    /// [`crate::Fs::create_dir_all`]
    CreateDir,
    /// [`crate::Fs::rename`]
    Rename,
    /// [`crate::Fs::remove_file`] and `remove_dir_all`
    Remove,
    /// [`crate::Fs::metadata`] and [`crate::File::len`]
    Metadata,
    /// [`crate::Fs::sync_dir`]
    SyncDir,
    /// [`crate::Fs::available_space`]
    AvailableSpace,
    /// [`crate::Fs::hard_link`]
    HardLink,
    /// [`crate::Fs::lock_file`]
    Lock,
}

/// What a [`crate::SimFs`] has done since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Calls of any kind, failed ones included.
    pub operations: u64,
    /// Calls that failed because they were told to, by `fail_nth`, `fail_from` or `fail_when`.
    pub faults: u64,
    /// Reads of files; mappings are not reads.
    pub reads: u64,
    /// Bytes that reads returned.
    pub read_bytes: u64,
    /// Writes to files.
    pub writes: u64,
    /// Bytes that writes took, those of writes that failed half-way included.
    pub written_bytes: u64,
    /// Syncs of files.
    pub syncs: u64,
    /// Syncs of directories.
    pub dir_syncs: u64,
}

/// Says of an operation on a path whether it is to fail.
pub(super) type Predicate = Box<dyn Fn(Operation, &Utf8Path) -> bool + Send + Sync>;

#[derive(Default)]
pub(super) struct Faults {
    pub(super) counters: Counters,
    pub(super) short_reads: bool,
    /// The number of the operation, counted from the start of the machine.
    once: Vec<(u64, io::ErrorKind)>,
    from: Option<(u64, io::ErrorKind)>,
    rules: Vec<(io::ErrorKind, Predicate)>,
}

impl Faults {
    pub(super) fn fail_nth(&mut self, nth: u64, kind: io::ErrorKind) {
        self.once.push((self.number_of(nth), kind));
    }

    pub(super) fn fail_from(&mut self, nth: u64, kind: io::ErrorKind) {
        self.from = Some((self.number_of(nth), kind));
    }

    pub(super) fn fail_when(&mut self, kind: io::ErrorKind, matches: Predicate) {
        self.rules.push((kind, matches));
    }

    pub(super) fn clear(&mut self) {
        *self = Self { counters: self.counters, ..Self::default() };
    }

    /// Counts an operation, and returns the kind of error that it is to fail with, if any.
    pub(super) fn begin(&mut self, operation: Operation, path: &Utf8Path) -> Option<io::ErrorKind> {
        self.counters.operations += 1;
        match operation {
            Operation::Read => self.counters.reads += 1,
            Operation::Write => self.counters.writes += 1,
            Operation::Sync => self.counters.syncs += 1,
            Operation::SyncDir => self.counters.dir_syncs += 1,
            _ => {}
        }
        let fault = self.fault(operation, path);
        self.counters.faults += u64::from(fault.is_some());
        fault
    }

    fn fault(&mut self, operation: Operation, path: &Utf8Path) -> Option<io::ErrorKind> {
        let number = self.counters.operations;
        if let Some(at) = self.once.iter().position(|&(nth, _)| nth == number) {
            return Some(self.once.swap_remove(at).1);
        }
        if let Some((_, kind)) = self.from.filter(|&(nth, _)| nth <= number) {
            return Some(kind);
        }
        self.rules.iter().find(|(_, matches)| matches(operation, path)).map(|&(kind, _)| kind)
    }

    fn number_of(&self, nth: u64) -> u64 {
        self.counters.operations.saturating_add(nth.max(1))
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults")
            .field("counters", &self.counters)
            .field("short_reads", &self.short_reads)
            .field("once", &self.once)
            .field("from", &self.from)
            .field("rules", &self.rules.len())
            .finish()
    }
}
