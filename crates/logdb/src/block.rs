//! A block: immutable segments of many streams, in a directory of its own.
//!
//! ```text
//! block-0000000000000007/
//!   data         a table: segments, their words, the directory of both, label index, meta
//! ```
//!
//! Words stand apart from segments, so that a needle in a day of logs reads them and nothing else.
//! `block/writer.rs` writes it, `block/meta.rs` says what it is. Byte layout:
//! `docs/format/log-block.md`.

use std::{ops::Deref, sync::atomic::AtomicU64};

use camino::Utf8Path;
use masthead_durable::{
    Result,
    blocks::{self, Base},
    bytes::{Bad, Reader, put_signed, put_unsigned},
    index::{self, DiskIndex},
    table::Section,
};
use masthead_model::{Labels, Matcher};
use masthead_sysio::Fs;

mod meta;
mod writer;

pub(crate) use meta::Meta;
pub(crate) use writer::BlockWriter;

use crate::segment::Info;

const KIND: u32 = u32::from_le_bytes(*b"logs");
const VERSION: u32 = 1;

/// Sections of the table.
mod section {
    pub(super) const DATA: u32 = 1;
    pub(super) const WORDS: u32 = 2;
    pub(super) const DIRECTORY: u32 = 3;
    pub(super) const DIRECTORY_ENDS: u32 = 4;
    pub(super) const INDEX: u32 = 5;
    pub(super) const META: u32 = 6;
}

/// An open block.
#[derive(Debug)]
pub(crate) struct Block {
    base: Base,
    pub(crate) meta: Meta,
    pub(crate) index: DiskIndex,
    /// Deletions up to this number were applied or do not concern it.
    pub(crate) clean_until: AtomicU64,
    data: Section,
    words: Section,
    directory: Section,
    directory_ends: Section,
}

/// Where a segment is and what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) info: Info,
    offset: usize,
    len: usize,
    words_offset: usize,
    words_len: usize,
}

impl Entry {
    /// Compressed bytes.
    pub(crate) fn len(&self) -> usize {
        self.len
    }
}

impl Deref for Block {
    type Target = Base;

    fn deref(&self) -> &Base {
        &self.base
    }
}

impl blocks::Block for Block {
    /// Reads its end, its meta and the header of its index.
    fn open(fs: &dyn Fs, parent: &Utf8Path, name: &str) -> Result<Self> {
        let base = Base::open(fs, parent, name, KIND, VERSION)?;
        let meta = Meta::decode(&base.section(section::META)?)?;
        Ok(Self {
            index: DiskIndex::open(base.section(section::INDEX)?)?,
            clean_until: AtomicU64::new(meta.generation),
            data: base.section(section::DATA)?,
            words: base.section(section::WORDS)?,
            directory: base.section(section::DIRECTORY)?,
            directory_ends: base.section(section::DIRECTORY_ENDS)?,
            meta,
            base,
        })
    }

    fn sources(&self) -> &[u64] {
        &self.meta.sources
    }

    fn last(&self) -> i64 {
        self.meta.last
    }
}

impl Block {
    pub(crate) fn overlaps(&self, first: i64, last: i64) -> bool {
        self.meta.first <= last && first <= self.meta.last
    }

    /// The segments of stream `id`, in the order in which they were written: by time as far as
    /// they do not overlap.
    pub(crate) fn entries(&self, id: u32) -> Result<Vec<Entry>> {
        let range = self.directory_ends.entry(id as usize)?;
        let base = range.start;
        let bytes = self.directory.read(range)?;
        let parse = || -> Result<Vec<Entry>, Bad> {
            let mut reader = Reader::new(bytes);
            let mut offset = reader.count(self.data.len(), "offset of segments")?;
            let mut words_offset = reader.count(self.words.len(), "offset of words")?;
            let count = reader.count(bytes.len(), "count of segments")?;
            let mut entries = Vec::with_capacity(count);
            for _ in 0..count {
                let mut entry = take_entry(&mut reader)?;
                (entry.offset, entry.words_offset) = (offset, words_offset);
                let bad = reader.bad("length of a segment");
                offset = offset.checked_add(entry.len).ok_or(bad)?;
                words_offset = words_offset.checked_add(entry.words_len).ok_or(bad)?;
                entries.push(entry);
            }
            reader.finish("end of a stream's directory")?;
            Ok(entries)
        };
        parse().map_err(|bad| self.directory.corrupt(bad.what, base + bad.offset))
    }

    /// The bytes of a segment.
    pub(crate) fn data(&self, entry: &Entry) -> Result<&[u8]> {
        self.data.read_in_passing(entry.offset..entry.offset.saturating_add(entry.len))
    }

    /// The words of a segment.
    pub(crate) fn words(&self, entry: &Entry) -> Result<&[u8]> {
        let end = entry.words_offset.saturating_add(entry.words_len);
        self.words.read(entry.words_offset..end)
    }

    /// Time of the newest line of a stream; none if it has no such stream.
    pub(crate) fn newest_of(&self, labels: &Labels) -> Result<Option<i64>> {
        let matchers: Vec<Matcher> =
            labels.iter().map(|label| Matcher::equal(label.name, label.value)).collect();
        let ids = index::select(&self.index, &matchers)?;
        let mut found = None;
        index::Postings::for_each_labels(&self.index, &ids, &mut |id, known| {
            if known == labels {
                found = Some(id);
            }
        })?;
        let Some(id) = found else { return Ok(None) };
        Ok(self.entries(id)?.iter().map(|entry| entry.info.last).max())
    }
}

fn put_entry(out: &mut Vec<u8>, info: &Info, len: usize, words_len: usize) {
    put_signed(out, info.first);
    put_unsigned(out, info.last.wrapping_sub(info.first).cast_unsigned());
    for number in [
        info.lines as u64,
        info.raw,
        info.metadata,
        info.seq,
        info.generation,
        len as u64,
        words_len as u64,
    ] {
        put_unsigned(out, number);
    }
}

fn take_entry(reader: &mut Reader<'_>) -> Result<Entry, Bad> {
    let first = reader.signed("first time")?;
    let last = first.wrapping_add(reader.unsigned("last time")?.cast_signed());
    let lines = reader.count(masthead_chunk::COUNT_MAX, "count of lines")?;
    let raw = reader.unsigned("bytes of lines")?;
    let metadata = reader.unsigned("bytes of metadata")?;
    let seq = reader.unsigned("number of a segment")?;
    let generation = reader.unsigned("number of a deletion")?;
    let info = Info { first, last, lines, raw, metadata, seq, generation };
    let len = reader.count(usize::MAX, "length of a segment")?;
    let words_len = reader.count(usize::MAX, "length of words")?;
    Ok(Entry { info, offset: 0, len, words_offset: 0, words_len })
}
