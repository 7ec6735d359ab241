//! The index of a block: symbols, series with their chunks, and the list of all series.
//!
//! ```text
//! magic BAAAD700  version │ symbols │ series … │ … │ postings … │ postings offset table │ TOC
//! ```
//!
//! Series are found through the postings of the empty label, which list all of them in label order;
//! the other postings and the label indices are not looked at. Version 1 refers to symbols and
//! series by their offset, version 2 by number and by sixteenths of their offset.

use std::{borrow::Cow, ops::Range};

use masthead_model::Labels;

use super::cursor::{Cursor, check, section};
use crate::Error;

const MAGIC: u32 = 0xBAAA_D700;
const TOC_BYTES: usize = 6 * 8 + 4;

/// An index over the bytes of its file.
#[derive(Debug)]
pub struct Index<B> {
    bytes: B,
    version: u8,
    /// Where each symbol begins, for version 2.
    symbols: Vec<u32>,
    /// Where the symbols end.
    symbols_end: usize,
    /// The references of all series, four bytes each.
    all: Range<usize>,
}

/// A series as its entry says, with symbols not looked up yet.
#[derive(Debug, Clone, Default)]
pub struct SeriesEntry {
    /// The number that tombstones refer to.
    pub reference: u64,
    /// Its chunks, in time order.
    pub chunks: Vec<ChunkPlace>,
    symbols: Vec<(u64, u64)>,
    offset: usize,
}

/// Where a chunk is, and what times it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkPlace {
    /// Time of its first sample.
    pub first: i64,
    /// Time of its last sample.
    pub last: i64,
    /// Number of the file from zero in the upper half, place in the file in the lower.
    pub reference: u64,
}

impl ChunkPlace {
    /// Number of the file, counted from zero; its name counts from one.
    pub fn file(&self) -> usize {
        usize::try_from(self.reference >> 32).unwrap_or(usize::MAX)
    }

    /// Place in the file.
    pub fn offset(&self) -> u64 {
        self.reference & 0xffff_ffff
    }
}

impl<B: AsRef<[u8]>> Index<B> {
    /// Reads the table of contents, the symbols and the list of all series.
    ///
    /// # Errors
    /// [`Error::Damaged`]; [`Error::Content`] for a version that is not known.
    pub fn new(bytes: B) -> Result<Self, Error> {
        let file = bytes.as_ref();
        let mut header = Cursor::new(file, 0);
        if header.word32("header of the index")? != MAGIC {
            return Err(Error::Damaged { what: "header of the index", offset: 0 });
        }
        let version = header.byte("header of the index")?;
        if !(1..=2).contains(&version) {
            let message = format!("the index has format version {version}, and 1 and 2 are known");
            return Err(Error::Content(message));
        }
        let [symbols_at, postings_table] = contents(file)?;
        let (mut symbols, mut symbols_end) = (Vec::new(), 0);
        if symbols_at != 0 {
            let mut cursor = section(file, symbols_at, "symbols")?;
            let count = cursor.word32("symbols")?;
            for _ in 0..count {
                let bad = cursor.bad("symbols");
                symbols.push(u32::try_from(cursor.offset()).map_err(|_| bad)?);
                let len = cursor.size("symbol")?;
                cursor.take(len, "symbol")?;
            }
            symbols_end = cursor.offset();
        }
        let all = match postings_table {
            0 => 0..0,
            at => all_series(file, at)?,
        };
        Ok(Self { bytes, version, symbols, symbols_end, all })
    }

    /// How many series there are.
    pub fn len(&self) -> usize {
        self.all.len() / 4
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Replaces what `entry` holds by the series number `at` in label order.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn read(&self, at: usize, entry: &mut SeriesEntry) -> Result<(), Error> {
        let file = self.bytes.as_ref();
        let start = self.all.start + 4 * at;
        let place = file.get(start..start + 4).unwrap_or_default();
        let reference = u64::from(Cursor::new(place, start).word32("postings")?);
        let offset = if self.version == 1 { reference } else { reference * 16 };
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let mut cursor = Cursor::new(file.get(offset..).unwrap_or_default(), offset);
        let len = cursor.size("length of a series")?;
        let start = cursor.offset();
        let contents = cursor.take(len, "series")?;
        check(contents, cursor.word32("series")?, "series", offset)?;
        let mut cursor = Cursor::new(contents, start);
        (entry.reference, entry.offset) = (reference, offset);
        entry.symbols.clear();
        let labels = cursor.size("count of labels")?;
        for _ in 0..labels {
            entry.symbols.push((cursor.unsigned("label name")?, cursor.unsigned("label value")?));
        }
        entry.chunks.clear();
        let chunks = cursor.size("count of chunks")?;
        let mut before: Option<ChunkPlace> = None;
        for _ in 0..chunks {
            let bad = cursor.bad("times of a chunk");
            let (first, reference);
            let mut length = 0;
            match before {
                None => {
                    first = Some(cursor.signed("time of a chunk")?);
                    length = cursor.unsigned("time of a chunk")?;
                    reference = cursor.unsigned("reference to a chunk")?;
                }
                Some(before) => {
                    let gap = cursor.unsigned("time of a chunk")?;
                    first = Some(before.last.wrapping_add_unsigned(gap));
                    length = length.max(cursor.unsigned("time of a chunk")?);
                    let step = cursor.signed("reference to a chunk")?;
                    reference = before.reference.wrapping_add_signed(step);
                }
            }
            let times = first.and_then(|first| Some((first, first.checked_add_unsigned(length)?)));
            let (first, last) = times.ok_or(bad)?;
            let place = ChunkPlace { first, last, reference };
            entry.chunks.push(place);
            before = Some(place);
        }
        Ok(())
    }

    /// The labels of a series; labels without a value are left out, as everywhere.
    ///
    /// # Errors
    /// [`Error::Damaged`] for symbols that are not there or are not text, [`Error::Content`] for
    /// the same name twice.
    pub fn labels(&self, entry: &SeriesEntry) -> Result<Labels, Error> {
        let mut pairs = Vec::with_capacity(entry.symbols.len());
        for (name, value) in &entry.symbols {
            let name = self.symbol(*name, entry)?;
            pairs.push((Cow::Borrowed(name), Cow::Borrowed(self.symbol(*value, entry)?)));
        }
        Labels::from_pairs(&mut pairs).map_err(|error| Error::Content(error.to_string()))
    }

    fn symbol(&self, reference: u64, entry: &SeriesEntry) -> Result<&str, Error> {
        let bad = || Error::Damaged { what: "symbol of a series", offset: entry.offset };
        let reference = usize::try_from(reference).map_err(|_| bad())?;
        let at = if self.version == 1 {
            reference
        } else {
            *self.symbols.get(reference).ok_or_else(bad)? as usize
        };
        let symbols = self.bytes.as_ref().get(at..self.symbols_end).ok_or_else(bad)?;
        let mut cursor = Cursor::new(symbols, at);
        let len = cursor.size("symbol")?;
        std::str::from_utf8(cursor.take(len, "symbol")?)
            .map_err(|_| Error::Damaged { what: "text of a symbol", offset: at })
    }
}

/// The offsets of the symbols and of the table of postings.
fn contents(file: &[u8]) -> Result<[u64; 2], Error> {
    let what = "table of contents";
    let start = file.len().checked_sub(TOC_BYTES).filter(|start| *start >= 5);
    let start = start.ok_or(Error::Damaged { what, offset: 0 })?;
    let mut cursor = Cursor::new(file.get(start..).unwrap_or_default(), start);
    let words = cursor.take(TOC_BYTES - 4, what)?;
    check(words, cursor.word32(what)?, what, start)?;
    let mut cursor = Cursor::new(words, start);
    let mut offsets = [0; 6];
    for offset in &mut offsets {
        *offset = cursor.word64(what)?;
    }
    let [symbols, _, _, _, _, postings_table] = offsets;
    Ok([symbols, postings_table])
}

/// Where the references of all series stand.
fn all_series(file: &[u8], table: u64) -> Result<Range<usize>, Error> {
    let what = "table of postings";
    let mut cursor = section(file, table, what)?;
    let count = cursor.word32(what)?;
    for _ in 0..count {
        let names = cursor.byte(what)?;
        if names != 2 {
            return Err(cursor.bad(what));
        }
        let name = cursor.size(what)?;
        cursor.take(name, what)?;
        let value = cursor.size(what)?;
        cursor.take(value, what)?;
        let offset = cursor.unsigned(what)?;
        if (name, value) != (0, 0) {
            continue;
        }
        let mut list = section(file, offset, "postings")?;
        let count = list.word32("postings")? as usize;
        if list.remaining() != 4 * count {
            return Err(list.bad("postings"));
        }
        return Ok(list.offset()..list.offset() + 4 * count);
    }
    Ok(0..0)
}
