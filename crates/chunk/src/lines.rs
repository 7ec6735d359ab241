//! Columns of log lines: any bytes, of any length from none to all that a column may hold.
//!
//! - templates: what lines have in common is written once, what differs goes into columns of its
//!   own kind (`lines/template.rs`), and those into few compressed streams;
//! - plain: lengths, and all text in one zstd frame (`lines/plain.rs`); what is no text, or too
//!   different to gain from templates.
//!
//! Compressors are large (a few hundred KiB), so [`Encoder`] and [`Decoder`] keep them, with all
//! their buffers, for the next column. Which words of a column can be looked for without decoding
//! it: [`crate::words`].

use crate::cursor::Cursor;
use crate::frame::{self, Encoding};
use crate::{COUNT_MAX, Error};

mod plain;
mod zstd_stream;

pub(crate) use zstd_stream::{Compressor, Decompressor};

/// Most bytes of all lines of one column; it bounds what few bytes can become.
pub const TEXT_BYTES_MAX: usize = 16 << 20;

const KIND: &str = "lines";

/// Writes columns of lines.
#[derive(Debug)]
pub struct Encoder {
    compressor: Compressor,
}

impl Encoder {
    /// An encoder whose compressor works at `level` of zstd.
    pub fn new(level: i32) -> Self {
        Self { compressor: Compressor::new(level) }
    }

    /// Appends the lines to `out` as one column: line `i` ends at `ends[i]` in `text` and starts
    /// where the one before it ends.
    ///
    /// # Errors
    /// [`Error::TooMany`] above [`COUNT_MAX`] lines or [`TEXT_BYTES_MAX`] bytes; `out` is then as
    /// before.
    pub fn encode(&mut self, text: &[u8], ends: &[usize], out: &mut Vec<u8>) -> Result<(), Error> {
        self.encode_with_words(text, ends, out, &mut Vec::new())
    }

    /// As [`Encoder::encode`], and replaces `words` by which words the lines have.
    ///
    /// # Errors
    /// As there.
    pub fn encode_with_words(
        &mut self,
        text: &[u8],
        ends: &[usize],
        out: &mut Vec<u8>,
        words: &mut Vec<u8>,
    ) -> Result<(), Error> {
        words.clear();
        if text.len() > TEXT_BYTES_MAX {
            let (count, limit) = (text.len(), TEXT_BYTES_MAX);
            return Err(Error::TooMany { what: "bytes of lines", count, limit });
        }
        frame::write(out, ends.len(), |out| {
            plain::write(&mut self.compressor, text, ends, out);
            Ok(Encoding::LinesPlain)
        })
    }
}

/// Reads columns of lines.
#[derive(Debug, Default)]
pub struct Decoder {
    decompressor: Decompressor,
}

impl Decoder {
    /// Appends the lines of the column that `bytes` start with: their text to `text`, where each
    /// ends in it to `ends`. Returns the bytes of the column.
    ///
    /// # Errors
    /// [`Error::Truncated`], [`Error::Corrupt`] or [`Error::UnknownEncoding`]; `text` and `ends` are
    /// then as before.
    pub fn decode_into(
        &mut self,
        bytes: &[u8],
        ends: &mut Vec<usize>,
        text: &mut Vec<u8>,
    ) -> Result<usize, Error> {
        let mut cursor = Cursor::new(bytes);
        let (encoding, count, mut payload) = frame::read(&mut cursor, KIND)?;
        let before = (ends.len(), text.len());
        let done = match encoding {
            Encoding::LinesPlain => {
                plain::read(&mut self.decompressor, count, &mut payload, ends, text)
            }
            other => Err(Error::UnknownEncoding { kind: KIND, tag: other.tag() }),
        };
        if let Err(error) = done {
            ends.truncate(before.0);
            text.truncate(before.1);
            return Err(error);
        }
        debug_assert!(count <= COUNT_MAX);
        Ok(cursor.offset())
    }
}

#[cfg(test)]
mod tests;
