//! The operating system's file system.
//!
//! The only module where `std::fs` is used. It adds no behaviour of its own beyond what the traits
//! in `fs.rs` promise, and keeps no state, so that it can be made anywhere. Unix only.

#![expect(clippy::disallowed_methods, reason = "the seam to the real file system")]

use std::{
    fs, io,
    io::Write as _,
    os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _},
};

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    File, FileBytes, FileId, FileLock, Fs, Metadata, OpenOptions, READ_DIR_ENTRIES_MAX,
    error::{at, between, held_elsewhere},
    fill_exact,
    options::not_opened_for,
};
use crate::UnixNanos;

const NOT_REGULAR: &str = "it is a pipe, a socket or a device; name a regular file instead";

/// The file system of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealFs;

impl Fs for RealFs {
    fn open(&self, path: &Utf8Path, options: OpenOptions) -> io::Result<Box<dyn File>> {
        let open = || {
            options.validate()?;
            let file = fs::OpenOptions::new()
                .read(options.read)
                .write(options.write)
                .create(options.create)
                .create_new(options.create_new)
                .truncate(options.truncate)
                .append(options.append)
                // open(2) of a pipe waits for its other end for ever; a terminal would become ours.
                .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
                .open(path)?;
            // It opens a directory to read, and fails only when bytes are asked for.
            let kind = file.metadata()?.file_type();
            if kind.is_dir() {
                return Err(io::ErrorKind::IsADirectory.into());
            }
            if !kind.is_file() {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, NOT_REGULAR));
            }
            Ok(file)
        };
        let file = open().map_err(at("open", path))?;
        Ok(Box::new(RealFile { file, path: path.to_owned(), options }))
    }

    fn read_dir(&self, path: &Utf8Path) -> io::Result<Vec<String>> {
        let list = || {
            let mut names = Vec::new();
            for entry in fs::read_dir(path)? {
                if names.len() == READ_DIR_ENTRIES_MAX {
                    return Err(io::Error::other(format!(
                        "it holds more than {READ_DIR_ENTRIES_MAX} names; move some away"
                    )));
                }
                names.push(entry?.file_name().to_string_lossy().into_owned());
            }
            names.sort_unstable();
            Ok(names)
        };
        list().map_err(at("list", path))
    }

    fn create_dir_all(&self, path: &Utf8Path) -> io::Result<()> {
        fs::create_dir_all(path).map_err(at("create directory", path))
    }

    fn rename(&self, from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
        fs::rename(from, to).map_err(between("rename", from, to))
    }

    fn remove_file(&self, path: &Utf8Path) -> io::Result<()> {
        fs::remove_file(path).map_err(at("remove", path))
    }

    fn remove_dir_all(&self, path: &Utf8Path) -> io::Result<()> {
        fs::remove_dir_all(path).map_err(at("remove directory", path))
    }

    fn metadata(&self, path: &Utf8Path) -> io::Result<Metadata> {
        Ok(metadata(&fs::metadata(path).map_err(at("look at", path))?))
    }

    fn canonical(&self, path: &Utf8Path) -> io::Result<Utf8PathBuf> {
        path.canonicalize_utf8().map_err(at("follow", path))
    }

    fn sync_dir(&self, path: &Utf8Path) -> io::Result<()> {
        let sync = || {
            let directory = fs::File::open(path)?;
            if !directory.metadata()?.is_dir() {
                return Err(io::ErrorKind::NotADirectory.into());
            }
            directory.sync_all()
        };
        sync().map_err(at("sync directory", path))
    }

    fn available_space(&self, path: &Utf8Path) -> io::Result<u64> {
        let found = rustix::fs::statvfs(path.as_std_path())
            .map_err(|errno| at("measure free space of", path)(errno.into()))?;
        // `f_bavail`: without the blocks that are kept back for root.
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }

    fn hard_link(&self, existing: &Utf8Path, new: &Utf8Path) -> io::Result<()> {
        fs::hard_link(existing, new).map_err(between("link", existing, new))
    }

    fn lock_file(&self, path: &Utf8Path) -> io::Result<FileLock> {
        let lock = || {
            let options = OpenOptions::UPDATE;
            let file = fs::OpenOptions::new()
                .read(options.read)
                .write(options.write)
                .create(options.create)
                .truncate(options.truncate)
                .open(path)?;
            match file.try_lock() {
                Ok(()) => Ok(file),
                Err(fs::TryLockError::WouldBlock) => Err(held_elsewhere()),
                Err(fs::TryLockError::Error(error)) => Err(error),
            }
        };
        lock().map(FileLock::new).map_err(at("lock", path))
    }
}

fn metadata(found: &fs::Metadata) -> Metadata {
    let seconds = found.mtime().saturating_mul(1_000_000_000);
    Metadata {
        len: found.len(),
        is_dir: found.is_dir(),
        is_file: found.is_file(),
        modified: UnixNanos(seconds.saturating_add(found.mtime_nsec())),
        id: FileId { device: found.dev(), inode: found.ino() },
        links: found.nlink(),
    }
}

#[derive(Debug)]
struct RealFile {
    file: fs::File,
    path: Utf8PathBuf,
    options: OpenOptions,
}

impl File for RealFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if !self.options.read {
            return Err(at("read", &self.path)(not_opened_for("with read")));
        }
        loop {
            match self.file.read_at(buffer, offset) {
                // A signal came first; the call did nothing.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result.map_err(at("read", &self.path)),
            }
        }
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        if !self.options.read {
            return Err(at("read", &self.path)(not_opened_for("with read")));
        }
        let read = |buffer: &mut [u8], offset| loop {
            match self.file.read_at(buffer, offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        };
        fill_exact(buffer, offset, read).map_err(at("read", &self.path))
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        if !self.options.write || self.options.append {
            // pwrite(2) on Linux ignores the offset of a file that was opened with O_APPEND.
            return Err(at("write", &self.path)(not_opened_for("with write, without append")));
        }
        self.file.write_all_at(bytes, offset).map_err(at("write", &self.path))
    }

    fn append_all(&self, bytes: &[u8]) -> io::Result<()> {
        if !self.options.append {
            return Err(at("append to", &self.path)(not_opened_for("with append")));
        }
        (&self.file).write_all(bytes).map_err(at("append to", &self.path))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data().map_err(at("sync", &self.path))
    }

    fn sync_all(&self) -> io::Result<()> {
        self.file.sync_all().map_err(at("sync", &self.path))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        if !self.options.writes() {
            return Err(at("resize", &self.path)(not_opened_for("with write or append")));
        }
        self.file.set_len(len).map_err(at("resize", &self.path))
    }

    fn metadata(&self) -> io::Result<Metadata> {
        Ok(metadata(&self.file.metadata().map_err(at("look at", &self.path))?))
    }

    fn map(&self) -> io::Result<FileBytes> {
        if !self.options.read {
            return Err(at("map", &self.path)(not_opened_for("with read")));
        }
        FileBytes::mapped(&self.file).map_err(at("map", &self.path))
    }
}
