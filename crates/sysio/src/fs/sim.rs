//! A file system in memory that forgets what a real one may forget.
//!
//! It keeps two states side by side: what a running process sees, and what the disk is sure to hold
//! ([`crate::Fs`] says when one becomes the other). [`SimFs::crash`] makes a machine that came back
//! from the second plus a random part of the difference; everything random comes from one seed, so
//! a failure replays. Faults are injected on demand.
//!
//! - `sim/inode.rs`: a file's bytes, durable and not; `sim/tree.rs`: the same for names.
//! - `sim/disk.rs`: both together, with space; it never fails by chance.
//! - `sim/faults.rs`: what is to go wrong, and the counters; `sim/crash.rs`: what survives.
//! - `sim/handle.rs`: open files and locks.
//!
//! It is stricter than any one real file system where POSIX allows it: a file that was synced is
//! still lost when the directory that names it was not. Paths start at `/`, relative ones too; `..`
//! is refused; there are no symbolic links, owners or modes. Holes take space.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use camino::Utf8Path;

pub use disk::SIM_CAPACITY_DEFAULT;
pub use faults::{Counters, Operation};

use self::{disk::Disk, faults::Faults, handle::SimFile, handle::SimLock};
use super::{
    File, FileLock, Fs, Metadata, OpenOptions, READ_DIR_ENTRIES_MAX,
    error::{at, between},
};
use crate::{Clock, Random, SimClock};

mod crash;
mod disk;
mod faults;
mod handle;
mod inode;
mod tree;

#[cfg(test)]
mod tests;

/// A simulated file system, shared by its clones.
///
/// [`SimFs::crash`] and [`SimFs::kill`] end it and return its successor. From then on every
/// operation on this one, on its clones and on the handles opened through them fails, so that a
/// test which goes on using one is noticed.
#[derive(Clone, Debug)]
pub struct SimFs {
    machine: Arc<Mutex<Machine>>,
}

/// Everything behind the lock.
#[derive(Debug)]
struct Machine {
    /// False once it crashed or was killed.
    running: bool,
    disk: Disk,
    faults: Faults,
    random: Random,
    clock: Arc<dyn Clock>,
}

impl SimFs {
    /// Makes an empty file system of [`SIM_CAPACITY_DEFAULT`] bytes, with a clock that stands
    /// still. Equal seeds and equal operations give equal results.
    pub fn new(seed: u64) -> Self {
        Self::with_clock(seed, Arc::new(SimClock::default()))
    }

    /// As [`SimFs::new`]; `clock` gives the times of modification.
    pub fn with_clock(seed: u64, clock: Arc<dyn Clock>) -> Self {
        let disk = Disk::new(clock.now());
        Self::start(disk, Random::new(seed), clock)
    }

    /// Cuts the power, and returns what the machine comes back with.
    ///
    /// What was synced is there. Of each file, every write and change of length since its last sync
    /// is kept, lost or torn, independently: a prefix of it in sectors of 512 bytes, some of its
    /// sectors, or zeros and garbage where the file had no bytes yet. Of each directory, the
    /// changes of names since its last sync are kept as a prefix in their order; a rename between
    /// two directories happens in both or in neither. The capacity stays; injected faults, counters,
    /// handles and locks do not.
    #[must_use = "the machine that comes back is the only one that still runs"]
    pub fn crash(&self) -> Self {
        let mut machine = self.machine();
        let seed = machine.random.next_u64();
        let successor = machine.after_crash(seed);
        machine.stop();
        successor
    }

    /// Returns what would come back if the power were cut now, and lets this machine run on: one
    /// state can be cut under many seeds.
    #[must_use = "this machine runs on unchanged"]
    pub fn crash_image(&self, seed: u64) -> Self {
        self.machine().after_crash(seed)
    }

    /// Kills the process but not the machine: everything written is still there, and what was not
    /// synced is still not durable. Injected faults, counters, handles and locks end.
    #[must_use = "the machine that goes on is the only one that still runs"]
    pub fn kill(&self) -> Self {
        let mut machine = self.machine();
        let seed = machine.random.next_u64();
        let disk = machine.disk.clone().without_process();
        let successor = Self::start(disk, Random::new(seed), Arc::clone(&machine.clock));
        machine.stop();
        successor
    }

    /// Makes the `nth` operation from now (1 is the next one) fail with `kind`, once.
    ///
    /// Every call of a method of [`Fs`] or [`File`] is one operation. A write that fails has
    /// written any prefix of its bytes; a sync of a file that fails has dropped the bytes that it
    /// was to make durable: they are gone for readers too, and the next sync succeeds without them.
    /// Everything else that fails has done nothing.
    pub fn fail_nth(&self, nth: u64, kind: io::ErrorKind) {
        self.machine().faults.fail_nth(nth, kind);
    }

    /// Makes every operation from the `nth` on (1 is the next one) fail with `kind`.
    ///
    /// With [`SimFs::crash`] afterwards, this cuts the power at an exact operation.
    pub fn fail_from(&self, nth: u64, kind: io::ErrorKind) {
        self.machine().faults.fail_from(nth, kind);
    }

    /// Makes every operation fail with `kind` for which `matches` says so. Rules add up.
    ///
    /// The path is the one that was given to [`Fs`], or the one that the handle was opened by; for
    /// two paths it is the first.
    pub fn fail_when(
        &self,
        kind: io::ErrorKind,
        matches: impl Fn(Operation, &Utf8Path) -> bool + Send + Sync + 'static,
    ) {
        self.machine().faults.fail_when(kind, Box::new(matches));
    }

    /// Takes back every `fail_*` that has not happened yet, and `short_reads`.
    pub fn clear_faults(&self) {
        self.machine().faults.clear();
    }

    /// Makes each `read_at` return any number of the bytes it could, at least one.
    pub fn short_reads(&self, on: bool) {
        self.machine().faults.short_reads = on;
    }

    /// Sets how many bytes all files together may have, from now on. A write beyond that writes
    /// what fits and fails with [`io::ErrorKind::StorageFull`]. May be less than is used. It is also
    /// the bound on the memory that the files take, so choose no more than the machine has.
    pub fn set_capacity(&self, bytes: u64) {
        self.machine().disk.capacity = bytes;
    }

    /// Lets one bit of a file rot: the one of value `1 << bit` (`bit` in 0..8) in the byte at
    /// `offset`. Durable, and unseen by mappings that exist already.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] when the file has no such bit, or the error of opening it.
    pub fn flip_bit(&self, path: &Utf8Path, offset: u64, bit: u32) -> io::Result<()> {
        self.machine().disk.flip_bit(path, offset, bit).map_err(at("flip a bit of", path))
    }

    /// Returns what has been done since this machine started.
    pub fn counters(&self) -> Counters {
        self.machine().faults.counters
    }

    fn start(disk: Disk, random: Random, clock: Arc<dyn Clock>) -> Self {
        let machine = Machine { running: true, disk, faults: Faults::default(), random, clock };
        Self { machine: Arc::new(Mutex::new(machine)) }
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        lock(&self.machine)
    }

    /// Runs `act` as one operation, which fails first if it is told to.
    fn operate<T>(
        &self,
        operation: Operation,
        path: &Utf8Path,
        act: impl FnOnce(&mut Machine) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut machine = self.machine();
        match machine.begin(operation, path)? {
            Some(kind) => Err(injected(kind)),
            None => act(&mut machine),
        }
    }
}

impl Fs for SimFs {
    fn open(&self, path: &Utf8Path, options: OpenOptions) -> io::Result<Box<dyn File>> {
        self.operate(Operation::Open, path, |machine| {
            options.validate()?;
            let node = machine.disk.open(path, options, machine.clock.now())?;
            Ok(Box::new(SimFile::new(&self.machine, node, path, options)) as Box<dyn File>)
        })
        .map_err(at("open", path))
    }

    fn read_dir(&self, path: &Utf8Path) -> io::Result<Vec<String>> {
        self.operate(Operation::ReadDir, path, |machine| {
            let names = machine.disk.names(path)?;
            if names.len() > READ_DIR_ENTRIES_MAX {
                return Err(io::Error::other("it holds too many names; move some away"));
            }
            Ok(names)
        })
        .map_err(at("list", path))
    }

    fn create_dir_all(&self, path: &Utf8Path) -> io::Result<()> {
        self.operate(Operation::CreateDir, path, |machine| {
            machine.disk.create_dir_all(path, machine.clock.now())
        })
        .map_err(at("create directory", path))
    }

    fn rename(&self, from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
        self.operate(Operation::Rename, from, |machine| {
            machine.disk.rename(from, to, machine.clock.now())
        })
        .map_err(between("rename", from, to))
    }

    fn remove_file(&self, path: &Utf8Path) -> io::Result<()> {
        self.operate(Operation::Remove, path, |machine| {
            machine.disk.remove_file(path, machine.clock.now())
        })
        .map_err(at("remove", path))
    }

    fn remove_dir_all(&self, path: &Utf8Path) -> io::Result<()> {
        self.operate(Operation::Remove, path, |machine| {
            machine.disk.remove_dir_all(path, machine.clock.now())
        })
        .map_err(at("remove directory", path))
    }

    fn metadata(&self, path: &Utf8Path) -> io::Result<Metadata> {
        self.operate(Operation::Metadata, path, |machine| machine.disk.metadata(path))
            .map_err(at("look at", path))
    }

    fn sync_dir(&self, path: &Utf8Path) -> io::Result<()> {
        self.operate(Operation::SyncDir, path, |machine| machine.disk.sync_dir(path))
            .map_err(at("sync directory", path))
    }

    fn available_space(&self, path: &Utf8Path) -> io::Result<u64> {
        self.operate(Operation::AvailableSpace, path, |machine| {
            machine.disk.metadata(path)?;
            Ok(machine.disk.free())
        })
        .map_err(at("measure free space of", path))
    }

    fn hard_link(&self, existing: &Utf8Path, new: &Utf8Path) -> io::Result<()> {
        self.operate(Operation::HardLink, existing, |machine| {
            machine.disk.hard_link(existing, new, machine.clock.now())
        })
        .map_err(between("link", existing, new))
    }

    fn lock_file(&self, path: &Utf8Path) -> io::Result<FileLock> {
        self.operate(Operation::Lock, path, |machine| {
            let node = machine.disk.lock(path, machine.clock.now())?;
            Ok(FileLock::new(SimLock::new(&self.machine, node)))
        })
        .map_err(at("lock", path))
    }
}

impl Machine {
    /// Counts an operation, and returns the kind of error that it is told to fail with, if any.
    fn begin(
        &mut self,
        operation: Operation,
        path: &Utf8Path,
    ) -> io::Result<Option<io::ErrorKind>> {
        if !self.running {
            return Err(io::Error::other(
                "the simulated machine has crashed or its process was killed; use its successor",
            ));
        }
        Ok(self.faults.begin(operation, path))
    }

    fn after_crash(&self, seed: u64) -> SimFs {
        let mut random = Random::new(seed);
        let disk = self.disk.after_crash(&mut random);
        SimFs::start(disk, random, Arc::clone(&self.clock))
    }

    fn stop(&mut self) {
        self.running = false;
        self.disk = Disk::new(self.clock.now());
    }
}

fn injected(kind: io::ErrorKind) -> io::Error {
    io::Error::new(kind, format!("injected fault ({kind})"))
}

fn lock(machine: &Mutex<Machine>) -> MutexGuard<'_, Machine> {
    // Poisoned only by a bug in here or in a test's own predicate, which has already been reported.
    machine.lock().unwrap_or_else(PoisonError::into_inner)
}
