//! A file of chunks, and the samples in a chunk.
//!
//! ```text
//! magic 85BD40DD  version 1  0 0 0 │ len <uvarint> encoding <1> data <len> crc32c <4> │ …
//! ```

use masthead_model::Histogram;

use super::{
    cursor::{Cursor, check},
    floats, histograms,
};
use crate::Error;

const MAGIC: u32 = 0x85BD_40DD;
/// A chunk from foreign bytes with more is refused; upstream aims at one kibibyte, and a sample of a
/// histogram with ten thousand buckets takes some eighty.
const CHUNK_BYTES_MAX: usize = 4 << 20;

/// Takes the samples of a chunk in the order of their times.
pub trait SampleVisitor {
    /// A float; `start` is when its counter started, zero where that is not known.
    fn float(&mut self, time: i64, start: i64, value: f64);
    /// A native histogram.
    fn histogram(&mut self, time: i64, histogram: Histogram);
}

/// The bytes of one file of chunks.
#[derive(Debug, Clone, Copy)]
pub struct ChunkFile<'a>(&'a [u8]);

/// One chunk, its checksum verified.
#[derive(Debug, Clone, Copy)]
pub struct Chunk<'a> {
    encoding: u8,
    data: &'a [u8],
    /// Where `data` lies in the file.
    offset: usize,
}

impl<'a> ChunkFile<'a> {
    /// Reads the header.
    ///
    /// # Errors
    /// [`Error::Damaged`]; [`Error::Content`] for a version that is not known.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut cursor = Cursor::new(bytes, 0);
        if cursor.word32("header of chunks")? != MAGIC {
            return Err(Error::Damaged { what: "header of chunks", offset: 0 });
        }
        let version = cursor.byte("header of chunks")?;
        if version != 1 {
            let message = format!("chunks have format version {version}, and 1 is known");
            return Err(Error::Content(message));
        }
        cursor.take(3, "header of chunks")?;
        Ok(Self(bytes))
    }

    /// The chunk at `offset`, as the index refers to it.
    ///
    /// # Errors
    /// [`Error::Damaged`] where there is none, its checksum does not fit, or it is longer than any.
    pub fn chunk(&self, offset: u64) -> Result<Chunk<'a>, Error> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let mut cursor = Cursor::new(self.0.get(start..).unwrap_or_default(), start);
        let len = cursor.size("length of a chunk")?;
        if len > CHUNK_BYTES_MAX {
            return Err(Error::Damaged { what: "length of a chunk", offset: start });
        }
        let contents = cursor.take(len + 1, "chunk")?;
        check(contents, cursor.word32("checksum of a chunk")?, "chunk", start)?;
        let (encoding, data) = contents.split_first().ok_or_else(|| cursor.bad("chunk"))?;
        Ok(Chunk { encoding: *encoding, data, offset: cursor.offset() - data.len() - 4 })
    }
}

impl<'a> Chunk<'a> {
    /// A chunk out of its file; encodings have upstream's numbers.
    pub fn new(encoding: u8, data: &'a [u8]) -> Self {
        Self { encoding, data, offset: 0 }
    }

    /// Shows every sample to `visitor`.
    ///
    /// # Errors
    /// [`Error::Damaged`] where the data ends early or makes no sense, [`Error::Histogram`] for a
    /// histogram that cannot be, [`Error::Content`] for an encoding or a schema that is not known.
    /// What came before has been shown.
    pub fn visit(&self, visitor: &mut impl SampleVisitor) -> Result<(), Error> {
        self.visit_data(visitor).map_err(|error| match error {
            Error::Damaged { what, offset } => {
                Error::Damaged { what, offset: self.offset + offset }
            }
            other => other,
        })
    }

    fn visit_data(&self, visitor: &mut impl SampleVisitor) -> Result<(), Error> {
        let cut = Error::Damaged { what: "header of a chunk", offset: 0 };
        let Some((count, data)) = self.data.split_first_chunk() else { return Err(cut) };
        let count = u16::from_be_bytes(*count);
        let shifted = |error| match error {
            Error::Damaged { what, offset } => Error::Damaged { what, offset: 3 + offset },
            other => other,
        };
        match (self.encoding, data.split_first()) {
            (1, _) => floats::xor(count, data, visitor),
            (2, Some((flags, data))) => {
                histograms::integers(count, *flags, data, visitor).map_err(shifted)
            }
            (3, Some((flags, data))) => {
                histograms::floats(count, *flags, data, visitor).map_err(shifted)
            }
            (4, Some((header, data))) => {
                floats::xor2(count, *header, data, visitor).map_err(shifted)
            }
            (2..=4, None) => Err(cut),
            (other, _) => {
                let message = format!("chunks of encoding {other} are not known");
                Err(Error::Content(message))
            }
        }
    }
}
