//! The seam to files: the traits [`Fs`] and [`File`], and the small types they speak in.
//!
//! Both are object safe and synchronous. Every error keeps its [`io::ErrorKind`] and carries a
//! [`PathError`] that says what failed and where. `fs/real.rs` is the operating system, `fs/sim.rs`
//! the simulation; `testing.rs` holds both to the same behaviour. Nothing here touches a disk.
//!
//! What a caller may rely on after power is lost, and no more:
//! - bytes of a file: those written before a successful [`File::sync_data`] or [`File::sync_all`];
//! - names in a directory (create, rename, link, remove): those before [`Fs::sync_dir`] of it.
//!
//! After a failed sync, what was written since the last good one is to be taken as gone: a second
//! sync that succeeds does not bring it back. Write it again, or stop.

use std::{fmt::Debug, io};

use camino::{Utf8Path, Utf8PathBuf};

pub use error::PathError;
pub use map::FileBytes;
pub use options::OpenOptions;
pub use real::RealFs;
pub use sim::{Counters, Operation, SIM_CAPACITY_DEFAULT, SimFs};

use crate::UnixNanos;

mod error;
mod map;
mod options;
mod real;
mod sim;

/// The most names that [`Fs::read_dir`] returns; a larger directory is an error.
pub const READ_DIR_ENTRIES_MAX: usize = 1_000_000;

/// A file system.
pub trait Fs: Send + Sync + Debug {
    /// Opens the file at `path`, without waiting for anybody. Only regular files can be opened: no
    /// directory, pipe, socket or device.
    fn open(&self, path: &Utf8Path, options: OpenOptions) -> io::Result<Box<dyn File>>;

    /// Returns the names in a directory, sorted by bytes, without `.` and `..`.
    ///
    /// A name that is not UTF-8 is returned with U+FFFD in place of the bad bytes: it shows up, and
    /// can't be mistaken for a name that was written through this trait. More than
    /// [`READ_DIR_ENTRIES_MAX`] names are an error.
    fn read_dir(&self, path: &Utf8Path) -> io::Result<Vec<String>>;

    /// Creates the directory and its missing parents. An existing directory is not an error.
    ///
    /// The new names may be lost with the power; see [`crate::create_dir_all_synced`].
    fn create_dir_all(&self, path: &Utf8Path) -> io::Result<()>;

    /// Moves a file or directory to a new name, atomically replacing a file that has it.
    fn rename(&self, from: &Utf8Path, to: &Utf8Path) -> io::Result<()>;

    /// Removes a file's name. Handles and mappings of the file stay usable.
    fn remove_file(&self, path: &Utf8Path) -> io::Result<()>;

    /// Removes a directory and everything in it. Not atomic: when it fails or is cut short, any
    /// part of the contents may be gone.
    fn remove_dir_all(&self, path: &Utf8Path) -> io::Result<()>;

    /// Returns what is known about a file or directory.
    fn metadata(&self, path: &Utf8Path) -> io::Result<Metadata>;

    /// Returns where `path` is when every symbolic link on the way is followed. A file system
    /// without such links says the same path.
    fn canonical(&self, path: &Utf8Path) -> io::Result<Utf8PathBuf> {
        self.metadata(path)?;
        Ok(path.to_owned())
    }

    /// Makes every change of names in the directory durable. The bytes of the files that the names
    /// stand for need their own sync.
    fn sync_dir(&self, path: &Utf8Path) -> io::Result<()>;

    /// Returns how many bytes can still be written to the file system that holds `path`.
    fn available_space(&self, path: &Utf8Path) -> io::Result<u64>;

    /// Gives the file `existing` a second name. Fails when `new` exists.
    fn hard_link(&self, existing: &Utf8Path, new: &Utf8Path) -> io::Result<()>;

    /// Takes an exclusive lock on the file at `path`, creating it empty if it is missing, and holds
    /// it until the result is dropped or the process ends. The file stays.
    ///
    /// The lock is advisory, and excludes every other `lock_file` on the same file, in this process
    /// too. When it is held elsewhere, the call fails at once with [`io::ErrorKind::WouldBlock`].
    fn lock_file(&self, path: &Utf8Path) -> io::Result<FileLock>;
}

/// An open file. Every method takes `&self`, and one handle may be used by many threads.
pub trait File: Send + Sync + Debug {
    /// Reads at `offset` bytes from the start, and returns how many bytes were read: possibly fewer
    /// than asked, and 0 only at the end of the file or for an empty buffer.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Fills `buffer` from `offset`, or fails with [`io::ErrorKind::UnexpectedEof`].
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;

    /// Writes all of `bytes` at `offset`; a gap after the old end reads as zeros.
    ///
    /// On an error any prefix of `bytes` may have been written. Refused with
    /// [`io::ErrorKind::InvalidInput`] on a handle that was opened with `append`.
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Writes all of `bytes` at the end of the file.
    ///
    /// On an error any prefix of `bytes` may have been written, and the next append follows it.
    /// Refused with [`io::ErrorKind::InvalidInput`] on a handle that was opened without `append`.
    fn append_all(&self, bytes: &[u8]) -> io::Result<()>;

    /// Makes the file's bytes and length durable. After a failure, see the rules in `fs.rs`.
    fn sync_data(&self) -> io::Result<()>;

    /// As [`File::sync_data`], and the rest of its metadata (times, owner, mode) too.
    fn sync_all(&self) -> io::Result<()>;

    /// Cuts the file to `len` bytes, or extends it with zeros.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Returns what is known about the file, under whatever name it has now.
    fn metadata(&self) -> io::Result<Metadata>;

    /// Returns the length in bytes.
    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len)
    }

    /// Returns whether the file has no bytes.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Returns the whole file as a slice of bytes. The handle may be dropped afterwards.
    ///
    /// # Contract
    /// For finished, immutable files only: nobody, in this process or another, may write to the
    /// file or shorten it while a mapping lives. Removing or renaming it is fine. A shortened file
    /// ends the process with SIGBUS at the next access to the missing part, and a write changes
    /// bytes that the compiler believes constant. The data directory's lock ([`Fs::lock_file`])
    /// keeps other instances away; whoever edits files under a running server breaks the contract.
    fn map(&self) -> io::Result<FileBytes>;
}

/// What [`Fs::metadata`] knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The length in bytes; of no meaning for a directory.
    pub len: u64,
    /// Whether this is a directory.
    pub is_dir: bool,
    /// Whether this is a regular file, and not a directory, pipe, socket or device.
    pub is_file: bool,
    /// The last change of the bytes, or for a directory, of the names in it.
    pub modified: UnixNanos,
    /// Which file or directory it is, whatever it is called.
    pub id: FileId,
    /// How many names it has; 0 for an open file that was removed.
    pub links: u64,
}

/// Which file or directory, whatever it is called. The number of one that is gone may be given to
/// another, so what must not be mixed up needs a look at the bytes too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId {
    /// The file system. May differ after a restart of the machine.
    pub device: u64,
    /// The number of the file on it.
    pub inode: u64,
}

/// An exclusive lock on a file, released when dropped. See [`Fs::lock_file`].
#[derive(Debug)]
#[must_use = "the lock is released when this is dropped"]
pub struct FileLock {
    _held: Box<dyn Held>,
}

impl FileLock {
    fn new(held: impl Held + 'static) -> Self {
        Self { _held: Box::new(held) }
    }
}

/// Whatever keeps a lock while it lives.
trait Held: Send + Sync + Debug {}

impl<T: Send + Sync + Debug> Held for T {}

/// Fills `buffer` by calling `read(buffer, offset)` until nothing is missing.
fn fill_exact(
    mut buffer: &mut [u8],
    mut offset: u64,
    mut read: impl FnMut(&mut [u8], u64) -> io::Result<usize>,
) -> io::Result<()> {
    while !buffer.is_empty() {
        let count = read(buffer, offset)?;
        if count == 0 {
            let missing = buffer.len();
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("the file ends at byte {offset}, {missing} bytes before what was asked"),
            ));
        }
        buffer = &mut buffer[count..];
        offset += count as u64;
    }
    Ok(())
}
