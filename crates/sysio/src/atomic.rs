//! What every store needs on top of the traits: replace a file whole, make directories durable,
//! read a small file.
//!
//! These are the only places that combine write, sync, rename and directory sync; a caller that
//! writes that sequence itself has forgotten a step sooner or later. They work on any [`Fs`].

use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use crate::{Fs, OpenOptions, PathError};

/// The end of the name of a file that is being written by [`atomic_write`].
const TEMPORARY_SUFFIX: &str = ".tmp";

/// Replaces the file at `path` with `bytes`, so that after power is lost at any moment the file is
/// whole: old or new. When this returns, the new content is durable.
///
/// Writes to the name of `path` with `.tmp` at its end, in the same directory; what an interrupted
/// call left there is overwritten, and [`is_temporary`] recognises it for a sweep at start. Two
/// threads must not write the same `path` at once.
///
/// # Errors
/// The error of the first step that failed. Then the file holds its old content or, when only the
/// last step failed, the new content, not yet durable.
pub fn atomic_write(fs: &dyn Fs, path: &Utf8Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = Utf8PathBuf::from(format!("{path}{TEMPORARY_SUFFIX}"));
    let temporary = temporary.as_path();
    let publish = || {
        let file = fs.open(temporary, OpenOptions::REPLACE)?;
        file.write_all_at(bytes, 0)?;
        file.sync_all()?;
        fs.rename(temporary, path)
    };
    if let Err(error) = publish() {
        // Its space may be what is missing. The first error is the one worth reporting.
        drop(fs.remove_file(temporary));
        return Err(error);
    }
    fs.sync_dir(parent(path))
}

/// Returns whether `name` is that of a file which an interrupted [`atomic_write`] left behind.
pub fn is_temporary(name: &str) -> bool {
    name.ends_with(TEMPORARY_SUFFIX)
}

/// Creates the directory and its missing parents, all of them durable when this returns, also when
/// an earlier call was interrupted half-way and left names that are not durable.
///
/// # Errors
/// Those of the file system; a parent that may not be opened is somebody else's and no error.
pub fn create_dir_all_synced(fs: &dyn Fs, path: &Utf8Path) -> io::Result<()> {
    fs.create_dir_all(path)?;
    // What exists already may be the unsynced work of that call, so nothing tells where to stop.
    for ancestor in path.ancestors().filter(|ancestor| !ancestor.as_str().is_empty()) {
        match fs.sync_dir(parent(ancestor)) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => break,
            done => done?,
        }
    }
    Ok(())
}

/// Reads the whole file at `path`, of at most `limit` bytes.
///
/// # Errors
/// [`io::ErrorKind::FileTooLarge`] when it is larger than `limit`, before anything is read.
pub fn read_to_vec(fs: &dyn Fs, path: &Utf8Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = fs.open(path, OpenOptions::READ)?;
    let len = file.len()?;
    let too_large = || PathError::too_large(path, len, limit);
    if len > limit {
        return Err(too_large());
    }
    let mut bytes = vec![0; usize::try_from(len).map_err(|_| too_large())?];
    file.read_exact_at(&mut bytes, 0)?;
    // A file of the kernel says nothing of its length, and can be read all the same.
    if len == 0 {
        let mut more = [0; 4096];
        loop {
            match file.read_at(&mut more, bytes.len() as u64)? {
                0 => break,
                read => bytes.extend_from_slice(more.get(..read).unwrap_or_default()),
            }
            if bytes.len() as u64 > limit {
                return Err(too_large());
            }
        }
    }
    Ok(bytes)
}

/// Returns the directory that holds the name of `path`.
fn parent(path: &Utf8Path) -> &Utf8Path {
    match path.parent() {
        Some(parent) if parent.as_str().is_empty() => Utf8Path::new("."),
        Some(parent) => parent,
        None => path,
    }
}

#[cfg(test)]
mod tests;
