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

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use camino::Utf8Path;
use masthead_durable::{
    bytes::{Bad, Reader, put_signed, put_unsigned},
    index::{self, DiskIndex},
    table::{Section, Table},
};
use masthead_model::{Labels, Matcher};
use masthead_sysio::Fs;

mod meta;
mod writer;

pub(crate) use meta::Meta;
pub(crate) use writer::BlockWriter;

use crate::{Result, segment::Info};

pub(crate) const DATA: &str = "data";
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
    pub(crate) name: String,
    pub(crate) number: u64,
    pub(crate) meta: Meta,
    pub(crate) index: DiskIndex,
    pub(crate) bytes: u64,
    /// Bytes in it were found to be bad; it is not merged any more.
    damaged: AtomicBool,
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

/// The name of the directory of block `number`.
pub(crate) fn name(number: u64) -> String {
    format!("block-{number:016}")
}

/// The number in a block's name.
pub(crate) fn parse_name(name: &str) -> Option<u64> {
    // What was set aside keeps its number, which is not given again.
    name.strip_prefix("block-")?.get(..16)?.parse().ok()
}

impl Block {
    /// Opens the block in `blocks/name`: its end, its meta and the header of its index are read.
    ///
    /// # Errors
    /// Damage, a later version, and those of the file system.
    pub(crate) fn open(fs: &dyn Fs, blocks: &Utf8Path, name: &str) -> Result<Self> {
        let dir = blocks.join(name);
        let path = dir.join(DATA);
        let table = Table::open(fs, &path, KIND, VERSION)?;
        let section = |id| {
            let missing = masthead_durable::Error::corrupt(&path, "directory of sections", 0);
            table.section(id).ok_or(missing)
        };
        let meta = Meta::decode(&section(section::META)?)?;
        let number = parse_name(name)
            .ok_or_else(|| masthead_durable::Error::corrupt(&dir, "name of a block", 0))?;
        Ok(Self {
            name: name.to_owned(),
            number,
            index: DiskIndex::open(section(section::INDEX)?)?,
            bytes: table.len(),
            damaged: AtomicBool::new(false),
            clean_until: AtomicU64::new(meta.generation),
            data: section(section::DATA)?,
            words: section(section::WORDS)?,
            directory: section(section::DIRECTORY)?,
            directory_ends: section(section::DIRECTORY_ENDS)?,
            meta,
        })
    }

    pub(crate) fn overlaps(&self, first: i64, last: i64) -> bool {
        self.meta.first <= last && first <= self.meta.last
    }

    /// Notes that bytes of it are bad.
    pub(crate) fn set_damaged(&self) {
        self.damaged.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Relaxed)
    }

    /// The file that it is in.
    pub(crate) fn path(&self) -> &Utf8Path {
        self.data.path()
    }

    /// The segments of stream `id`, in the order in which they were written: by time as far as
    /// they do not overlap.
    pub(crate) fn entries(&self, id: u32) -> Result<Vec<Entry>> {
        let range = self.range_of(id as usize)?;
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
        parse().map_err(|bad| self.directory.corrupt(bad.what, base + bad.offset).into())
    }

    /// The bytes of a segment.
    pub(crate) fn data(&self, entry: &Entry) -> Result<&[u8]> {
        Ok(self.data.read(entry.offset..entry.offset.saturating_add(entry.len))?)
    }

    /// The words of a segment.
    pub(crate) fn words(&self, entry: &Entry) -> Result<&[u8]> {
        let end = entry.words_offset.saturating_add(entry.words_len);
        Ok(self.words.read(entry.words_offset..end)?)
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

    fn range_of(&self, at: usize) -> Result<std::ops::Range<usize>> {
        let ends = &self.directory_ends;
        let word = |at: usize| -> Result<usize> {
            let bytes = ends.read(4 * at..4 * at + 4)?;
            let word =
                Reader::new(bytes).word32("end").map_err(|bad| ends.corrupt(bad.what, 4 * at))?;
            Ok(word as usize)
        };
        if at >= ends.len() / 4 {
            return Err(ends.corrupt("reference", 0).into());
        }
        let start = if at == 0 { 0 } else { word(at - 1)? };
        Ok(start..word(at)?)
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
