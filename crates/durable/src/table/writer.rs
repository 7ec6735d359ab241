//! Writes a table from front to back, with memory for one buffer and the checksums.

use camino::{Utf8Path, Utf8PathBuf};
use masthead_sysio::{File, Fs, OpenOptions};

use super::{END_MAGIC, Entry, MAGIC, PAGE_BYTES, SECTIONS_MAX};
use crate::{Error, Result};

const BUFFER_BYTES: usize = 256 << 10;

/// A table that is being written.
#[derive(Debug)]
pub struct TableWriter {
    path: Utf8PathBuf,
    file: Box<dyn File>,
    buffer: Vec<u8>,
    /// Bytes before the buffer.
    written: usize,
    /// How much of `buffer`, from its start, the checksums cover.
    summed: usize,
    sums: Vec<u32>,
    directory: Vec<Entry>,
}

impl TableWriter {
    /// Starts a new file at `path`.
    ///
    /// # Errors
    /// Those of the file system; the file must not exist.
    pub fn create(fs: &dyn Fs, path: &Utf8Path, kind: u32, version: u32) -> Result<Self> {
        let file = fs.open(path, OpenOptions::CREATE_NEW)?;
        let mut buffer = MAGIC.to_vec();
        buffer.extend_from_slice(&kind.to_le_bytes());
        buffer.extend_from_slice(&version.to_le_bytes());
        let (sums, directory) = (Vec::new(), Vec::new());
        Ok(Self { path: path.to_owned(), file, buffer, written: 0, summed: 0, sums, directory })
    }

    /// Starts the section `id`; what is written from now on belongs to it.
    ///
    /// # Errors
    /// [`Error::Limit`] above [`SECTIONS_MAX`].
    pub fn section(&mut self, id: u32) -> Result<()> {
        if self.directory.len() >= SECTIONS_MAX {
            let (found, limit) = (self.directory.len() as u64 + 1, SECTIONS_MAX as u64);
            return Err(Error::Limit { what: "sections of one file", found, limit });
        }
        self.align();
        self.directory.push(Entry { id, offset: self.position(), len: 0 });
        Ok(())
    }

    /// Adds bytes to the section.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.buffer.extend_from_slice(bytes);
        if let Some(entry) = self.directory.last_mut() {
            entry.len += bytes.len();
        }
        if self.buffer.len() >= BUFFER_BYTES {
            self.sum_whole_pages();
            let (ready, rest) = self.buffer.split_at(self.summed);
            self.file.write_all_at(ready, self.written as u64)?;
            self.written += ready.len();
            self.buffer = rest.to_vec();
            self.summed = 0;
        }
        Ok(())
    }

    /// Bytes of the section so far.
    pub fn section_len(&self) -> usize {
        self.directory.last().map_or(0, |entry| entry.len)
    }

    /// Writes the end and syncs the file; returns its length in bytes. The name is not yet durable.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn finish(mut self) -> Result<u64> {
        self.align();
        let body = self.position();
        self.sum_whole_pages();
        if self.summed < self.buffer.len() {
            self.sums.push(crc32c::crc32c(self.buffer.get(self.summed..).unwrap_or_default()));
        }
        let mut end = Vec::new();
        for sum in &self.sums {
            end.extend_from_slice(&sum.to_le_bytes());
        }
        for entry in &self.directory {
            end.extend_from_slice(&entry.id.to_le_bytes());
            end.extend_from_slice(&(entry.offset as u64).to_le_bytes());
            end.extend_from_slice(&(entry.len as u64).to_le_bytes());
        }
        end.extend_from_slice(&(body as u64).to_le_bytes());
        end.extend_from_slice(&(self.sums.len() as u64).to_le_bytes());
        // At most SECTIONS_MAX.
        let count = u32::try_from(self.directory.len()).unwrap_or(u32::MAX);
        end.extend_from_slice(&count.to_le_bytes());
        end.extend_from_slice(&u32::try_from(PAGE_BYTES).unwrap_or(u32::MAX).to_le_bytes());
        end.extend_from_slice(&[0; 4]);
        let crc = crc32c::crc32c(&end);
        end.extend_from_slice(&crc.to_le_bytes());
        end.extend_from_slice(END_MAGIC);
        self.buffer.extend_from_slice(&end);
        self.file.write_all_at(&self.buffer, self.written as u64)?;
        self.file.sync_all()?;
        Ok((self.written + self.buffer.len()) as u64)
    }

    /// The file that is being written.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    fn position(&self) -> usize {
        self.written + self.buffer.len()
    }

    fn align(&mut self) {
        let aligned = self.position().next_multiple_of(8);
        self.buffer.resize(aligned - self.written, 0);
    }

    fn sum_whole_pages(&mut self) {
        // `written` is a multiple of the page size: only whole pages leave the buffer.
        while let Some(page) = self.buffer.get(self.summed..self.summed + PAGE_BYTES) {
            self.sums.push(crc32c::crc32c(page));
            self.summed += PAGE_BYTES;
        }
    }
}
