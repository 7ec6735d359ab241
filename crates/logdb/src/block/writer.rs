//! Writes a block, stream by stream in label order.
//!
//! Segments go to the file at once; what is kept in memory is the label sets, the directory and
//! the words.

use camino::Utf8Path;
use masthead_durable::{
    Error, Result, blocks::DATA, bytes::put_unsigned, index, table::TableWriter,
};
use masthead_model::Labels;
use masthead_sysio::Fs;

use super::{KIND, Meta, VERSION, put_entry, section};
use crate::segment::Info;

/// A block that is being written.
#[derive(Debug)]
pub(crate) struct BlockWriter {
    table: TableWriter,
    labels: Vec<Labels>,
    words: Vec<u8>,
    directory: Vec<u8>,
    directory_ends: Vec<u8>,
    meta: Meta,
    /// The stream that is being written.
    offset: usize,
    words_offset: usize,
    entries: Vec<u8>,
    count: u64,
}

impl BlockWriter {
    /// Starts the data file in `dir`, which must be empty.
    pub(crate) fn create(fs: &dyn Fs, dir: &Utf8Path) -> Result<Self> {
        let mut table = TableWriter::create(fs, &dir.join(DATA), KIND, VERSION)?;
        table.section(section::DATA)?;
        Ok(Self {
            table,
            labels: Vec::new(),
            words: Vec::new(),
            directory: Vec::new(),
            directory_ends: Vec::new(),
            meta: Meta { first: i64::MAX, last: i64::MIN, generation: u64::MAX, ..Meta::default() },
            offset: 0,
            words_offset: 0,
            entries: Vec::new(),
            count: 0,
        })
    }

    /// Adds a segment of the stream that the next [`BlockWriter::end_stream`] names.
    pub(crate) fn push(&mut self, info: &Info, data: &[u8], words: &[u8]) -> Result<()> {
        put_entry(&mut self.entries, info, data.len(), words.len());
        self.count += 1;
        self.words.extend_from_slice(words);
        let meta = &mut self.meta;
        (meta.first, meta.last) = (meta.first.min(info.first), meta.last.max(info.last));
        meta.lines += info.lines as u64;
        meta.raw += info.raw;
        meta.metadata += info.metadata;
        meta.seq = meta.seq.max(info.seq);
        meta.generation = meta.generation.min(info.generation);
        meta.segments += 1;
        self.table.write(data)
    }

    /// Ends a stream, which must come after the one before in label order; one without segments
    /// is left out.
    pub(crate) fn end_stream(&mut self, labels: &Labels) -> Result<()> {
        if self.count == 0 {
            return Ok(());
        }
        put_unsigned(&mut self.directory, self.offset as u64);
        put_unsigned(&mut self.directory, self.words_offset as u64);
        put_unsigned(&mut self.directory, self.count);
        self.directory.append(&mut self.entries);
        let end = u32::try_from(self.directory.len()).map_err(|_| {
            let (found, limit) = (self.directory.len() as u64, u64::from(u32::MAX));
            Error::Limit { what: "bytes of one directory", found, limit }
        })?;
        self.directory_ends.extend_from_slice(&end.to_le_bytes());
        self.labels.push(labels.clone());
        (self.offset, self.words_offset) = (self.table.section_len(), self.words.len());
        self.count = 0;
        Ok(())
    }

    /// Whether no segment was added.
    pub(crate) fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Writes the rest and syncs the file.
    pub(crate) fn finish(mut self, floor: u64, sources: Vec<u64>) -> Result<()> {
        let meta = Meta { floor, sources, streams: self.labels.len() as u64, ..self.meta };
        let table = &mut self.table;
        for (id, bytes) in [
            (section::WORDS, &self.words),
            (section::DIRECTORY, &self.directory),
            (section::DIRECTORY_ENDS, &self.directory_ends),
        ] {
            table.section(id)?;
            table.write(bytes)?;
        }
        table.section(section::INDEX)?;
        index::write(&self.labels, table)?;
        table.section(section::META)?;
        table.write(&meta.encode())?;
        self.table.finish()?;
        Ok(())
    }
}
