//! One immutable file of numbered sections, with a checksum for every page of 16 KiB.
//!
//! It is written once from front to back and then only mapped. Opening reads the end of the file
//! and nothing else; a page is checked when it is first touched, so that a file of any size opens
//! at once, and rot is found where it is read and named with its place.
//!
//! ```text
//! +--------+-----------+-----------+-----+---------------+-----------+---------+
//! | header | section   | section   | …   | page checksums| directory | trailer |
//! +--------+-----------+-----------+-----+---------------+-----------+---------+
//! 0        16          multiples of 8     body end, multiple of 8
//! ```
//!
//! `table/writer.rs` writes it. Byte layout: `docs/format/table.md`.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use camino::{Utf8Path, Utf8PathBuf};
use masthead_sysio::{FileBytes, Fs, OpenOptions};

mod writer;

#[cfg(test)]
mod tests;

pub use writer::TableWriter;

use crate::{Error, Result, bytes::Reader};

/// Bytes under one checksum.
pub const PAGE_BYTES: usize = 16 << 10;
/// Most sections of one file.
pub const SECTIONS_MAX: usize = 1024;

/// So many milliseconds a file stays in memory that nobody reads.
const UNREAD_MILLIS: u64 = 30_000;
const RELEASED: u64 = u64::MAX;
/// So many bytes of a file are read in passing before their memory is given back.
const PASSING_BYTES: u64 = 4 << 20;

const MAGIC: &[u8; 8] = b"MHTABLE1";
const END_MAGIC: &[u8; 8] = b"1ELBATHM";
const HEADER_BYTES: usize = 16;
const TRAILER_BYTES: usize = 40;
const DIRECTORY_ENTRY_BYTES: usize = 20;

/// An open file; cloning copies a pointer.
#[derive(Debug, Clone)]
pub struct Table {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: Utf8PathBuf,
    file: FileBytes,
    version: u32,
    body: usize,
    directory: Vec<Entry>,
    /// One bit a page: checked and found good.
    verified: Vec<AtomicU64>,
    /// Whether something was read since it was last looked at.
    is_read: AtomicBool,
    /// When that was seen, in milliseconds; [`RELEASED`] if the memory is given back.
    read_at: AtomicU64,
    /// Bytes that were read in passing since memory was given back.
    passed: AtomicU64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    id: u32,
    offset: usize,
    len: usize,
}

/// A section of an open file.
#[derive(Debug, Clone)]
pub struct Section {
    table: Table,
    entry: Entry,
}

impl Table {
    /// Opens the file at `path`, whose content the owner calls `kind` and knows up to `version`.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if header or end are not those of a finished file of this kind,
    /// [`Error::Version`] if it is a later one, and those of the file system.
    pub fn open(fs: &dyn Fs, path: &Utf8Path, kind: u32, version: u32) -> Result<Self> {
        let file = fs.open(path, OpenOptions::READ)?.map()?;
        Self::from_bytes(path, file, kind, version)
    }

    /// As [`Table::open`], of bytes that are in memory already.
    ///
    /// # Errors
    /// As there.
    pub fn from_bytes(path: &Utf8Path, file: FileBytes, kind: u32, version: u32) -> Result<Self> {
        let corrupt = |what, offset: usize| Error::corrupt(path, what, offset as u64);
        let mut reader = Reader::new(&file);
        let header = || -> std::result::Result<_, crate::bytes::Bad> {
            let magic = reader.take(8, "magic")?;
            Ok((magic == MAGIC, reader.word32("kind")?, reader.word32("version")?))
        };
        let mut header = header;
        let (magic, found_kind, found) = header().map_err(|bad| bad.in_file(path, 0))?;
        if !magic || found_kind != kind {
            return Err(corrupt("header", 0));
        }
        let start = file.len().checked_sub(TRAILER_BYTES).ok_or(corrupt("trailer", 0))?;
        let (body, directory) =
            read_end(&file, start).ok_or_else(|| corrupt("trailer or directory", start))?;
        let pages = body.div_ceil(PAGE_BYTES);
        let verified = (0..pages.div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        let path = path.to_owned();
        let (is_read, read_at) = (AtomicBool::new(true), AtomicU64::new(0));
        let passed = AtomicU64::new(0);
        let inner = Inner {
            path,
            file,
            version: found,
            body,
            directory,
            verified,
            is_read,
            read_at,
            passed,
        };
        let table = Self { inner: Arc::new(inner) };
        if found > version {
            // Rot must not look like the work of a later version.
            table.check(0..HEADER_BYTES)?;
            let path = table.path().to_owned();
            return Err(Error::Version { path, found, known: version });
        }
        Ok(table)
    }

    /// The version in its header.
    pub fn version(&self) -> u32 {
        self.inner.version
    }

    /// The file.
    pub fn path(&self) -> &Utf8Path {
        &self.inner.path
    }

    /// Bytes of the file.
    pub fn len(&self) -> u64 {
        self.inner.file.len() as u64
    }

    /// Whether it has no bytes, which no open file is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The section `id`, if the file has it.
    pub fn section(&self, id: u32) -> Option<Section> {
        let entry = *self.inner.directory.iter().find(|entry| entry.id == id)?;
        Some(Section { table: self.clone(), entry })
    }

    /// Gives back the memory of a file that nobody has read for half a minute; `now` is a time that
    /// only rises. Called again and again; says whether it did so this time.
    pub fn release_unread(&self, now: Duration) -> bool {
        let inner = &*self.inner;
        let now = u64::try_from(now.as_millis()).unwrap_or(RELEASED - 1);
        if inner.is_read.swap(false, Ordering::Relaxed) {
            inner.read_at.store(now, Ordering::Relaxed);
            return false;
        }
        let read_at = inner.read_at.load(Ordering::Relaxed);
        if read_at == RELEASED || now.saturating_sub(read_at) < UNREAD_MILLIS {
            return false;
        }
        inner.file.release();
        inner.read_at.store(RELEASED, Ordering::Relaxed);
        true
    }

    /// Notes that `bytes` are read in passing; gives back the memory of the file when they have become
    /// many, and says whether it did.
    fn pass(&self, bytes: u64) -> bool {
        let inner = &*self.inner;
        if inner.passed.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) < PASSING_BYTES {
            return false;
        }
        inner.passed.store(0, Ordering::Relaxed);
        inner.file.release();
        true
    }

    /// Checks every page now.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for the first bad one.
    pub fn verify(&self) -> Result<()> {
        self.check(0..self.inner.body)
    }

    #[inline]
    fn check(&self, range: Range<usize>) -> Result<()> {
        if range.is_empty() {
            return Ok(());
        }
        // Mostly it is set already, and then its line of the cache stays shared.
        if !self.inner.is_read.load(Ordering::Relaxed) {
            self.inner.is_read.store(true, Ordering::Relaxed);
        }
        let (first, last) = (range.start / PAGE_BYTES, (range.end - 1) / PAGE_BYTES);
        // Nearly every read is of a few bytes in a page that was read before.
        if first == last
            && let Some(word) = self.inner.verified.get(first / 64)
            && word.load(Ordering::Relaxed) & (1 << (first % 64)) != 0
        {
            return Ok(());
        }
        self.check_pages(first, last)
    }

    #[cold]
    fn check_pages(&self, first: usize, last: usize) -> Result<()> {
        for page in first..=last {
            let bit = 1_u64 << (page % 64);
            let Some(word) = self.inner.verified.get(page / 64) else { break };
            if word.load(Ordering::Relaxed) & bit == 0 {
                self.check_page(page)?;
                word.fetch_or(bit, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    fn check_page(&self, page: usize) -> Result<()> {
        let inner = &*self.inner;
        let start = page * PAGE_BYTES;
        let bytes = inner.file.get(start..(start + PAGE_BYTES).min(inner.body));
        let stored = inner.file.get(inner.body + 4 * page..inner.body + 4 * page + 4);
        match (bytes, stored) {
            (Some(bytes), Some(stored)) if crc32c::crc32c(bytes).to_le_bytes() == stored => Ok(()),
            _ => Err(Error::corrupt(&inner.path, "page", start as u64)),
        }
    }
}

/// Reads trailer and directory; none if anything is not as a writer leaves it.
fn read_end(file: &[u8], start: usize) -> Option<(usize, Vec<Entry>)> {
    let mut reader = Reader::new(file.get(start..)?);
    let body = usize::try_from(reader.word64("body").ok()?).ok()?;
    let pages = usize::try_from(reader.word64("pages").ok()?).ok()?;
    let count = usize::try_from(reader.word32("sections").ok()?).ok()?;
    let page_bytes = reader.word32("page size").ok()?;
    let reserved = reader.word32("reserved").ok()?;
    let covered = start + reader.offset();
    let crc = reader.word32("checksum").ok()?;
    let shape = count <= SECTIONS_MAX
        && page_bytes as usize == PAGE_BYTES
        && reserved == 0
        && pages == body.div_ceil(PAGE_BYTES)
        && body >= HEADER_BYTES
        && body.checked_add(4 * pages)?.checked_add(count * DIRECTORY_ENTRY_BYTES)? == start;
    if !shape || reader.take(8, "magic").ok()? != END_MAGIC {
        return None;
    }
    if crc32c::crc32c(file.get(body..covered)?) != crc {
        return None;
    }
    let mut reader = Reader::new(file.get(body + 4 * pages..start)?);
    let mut directory = Vec::with_capacity(count);
    for _ in 0..count {
        let id = reader.word32("section").ok()?;
        let offset = usize::try_from(reader.word64("offset").ok()?).ok()?;
        let len = usize::try_from(reader.word64("length").ok()?).ok()?;
        if offset < HEADER_BYTES || offset.checked_add(len)? > body {
            return None;
        }
        directory.push(Entry { id, offset, len });
    }
    Some((body, directory))
}

impl Section {
    /// Its length in bytes.
    pub fn len(&self) -> usize {
        self.entry.len
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.entry.len == 0
    }

    /// The file that it is in.
    pub fn path(&self) -> &Utf8Path {
        self.table.path()
    }

    /// The bytes in `range` of the section, checked.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if a page is bad, or if the range does not lie in the section: whoever
    /// asked has read the range from the file.
    pub fn read(&self, range: Range<usize>) -> Result<&[u8]> {
        let bad = || Error::corrupt(self.path(), "reference into a section", range.start as u64);
        if range.start > range.end || range.end > self.entry.len {
            return Err(bad());
        }
        let place = self.entry.offset + range.start..self.entry.offset + range.end;
        self.table.check(place.clone())?;
        self.table.inner.file.get(place).ok_or_else(bad)
    }

    /// As [`Section::read`], for whoever goes over much of a file and keeps nothing of it, such as a
    /// search or a merge: the memory is given back on the way, so that a file which is larger than
    /// memory should be takes a few mebibytes. What is read again soon costs a fault every 64 KiB.
    ///
    /// # Errors
    /// As there.
    pub fn read_in_passing(&self, range: Range<usize>) -> Result<&[u8]> {
        self.table.pass(range.len() as u64);
        self.read(range)
    }

    /// All bytes of the section, checked.
    ///
    /// # Errors
    /// As [`Section::read`].
    pub fn all(&self) -> Result<&[u8]> {
        self.read(0..self.entry.len)
    }

    /// Where entry `at` of another section lies, if this one says where each of its entries ends,
    /// in four bytes.
    ///
    /// # Errors
    /// As [`Section::read`].
    pub fn entry(&self, at: usize) -> Result<Range<usize>> {
        if at >= self.len() / 4 {
            return Err(self.corrupt("reference", 0));
        }
        // The end of the entry before, if there is one, and its own.
        let mut reader = Reader::new(self.read(4 * at.saturating_sub(1)..4 * at + 4)?);
        let mut word = || reader.word32("end").map_err(|bad| self.corrupt(bad.what, 4 * at));
        let start = if at == 0 { 0 } else { word()? };
        Ok(start as usize..word()? as usize)
    }

    /// The refusal of what stands at `offset` of the section.
    pub fn corrupt(&self, what: &'static str, offset: usize) -> Error {
        Error::corrupt(self.path(), what, (self.entry.offset + offset) as u64)
    }
}
