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
use crate::words::Collector;
use crate::{COUNT_MAX, Error};

mod plain;
mod template;
mod zstd_stream;

use template::Part;
pub use template::{Choice, Needle};
pub(crate) use zstd_stream::{Compressor, Decompressor};

/// Most bytes of all lines of one column; it bounds what few bytes can become.
pub const TEXT_BYTES_MAX: usize = 16 << 20;

const KIND: &str = "lines";

/// Writes columns of lines.
#[derive(Debug)]
pub struct Encoder {
    compressor: Compressor,
    templates: bool,
    writer: template::Writer,
    words: Collector,
}

impl Encoder {
    /// An encoder whose compressor works at `level` of zstd.
    pub fn new(level: i32) -> Self {
        Self {
            compressor: Compressor::new(level),
            templates: true,
            writer: template::Writer::default(),
            words: Collector::default(),
        }
    }

    /// The same without templates, for comparison.
    pub fn plain(level: i32) -> Self {
        Self { templates: false, ..Self::new(level) }
    }

    /// Appends the lines to `out` as one column: line `i` ends at `ends[i]` in `text` and starts
    /// where the one before it ends.
    ///
    /// # Errors
    /// [`Error::TooMany`] above [`COUNT_MAX`] lines or [`TEXT_BYTES_MAX`] bytes; `out` is then as
    /// before.
    pub fn encode(&mut self, text: &[u8], ends: &[usize], out: &mut Vec<u8>) -> Result<(), Error> {
        self.encode_with_words((text, ends, &[]), out, &mut Vec::new())
    }

    /// As [`Encoder::encode`] of lines with these times in nanoseconds, or without times, and
    /// replaces `words` by which words the lines have. A line that says its own time is smaller
    /// where that is known, and the column is then read with the same times.
    ///
    /// # Errors
    /// As there.
    pub fn encode_with_words(
        &mut self,
        (text, ends, times): (&[u8], &[usize], &[i64]),
        out: &mut Vec<u8>,
        words: &mut Vec<u8>,
    ) -> Result<(), Error> {
        words.clear();
        if text.len() > TEXT_BYTES_MAX {
            let (count, limit) = (text.len(), TEXT_BYTES_MAX);
            return Err(Error::TooMany { what: "bytes of lines", count, limit });
        }
        let text = text.get(..ends.last().copied().unwrap_or(0)).unwrap_or_default();
        let done = frame::write(out, ends.len(), |out| {
            if self.templates {
                let lines = (text, ends, times);
                let moments = self.writer.write(&mut self.compressor, lines, &mut self.words, out);
                Ok(if moments { Encoding::LinesMoments } else { Encoding::LinesTemplates })
            } else {
                self.words.add_text(text);
                plain::write(&mut self.compressor, text, ends, out);
                Ok(Encoding::LinesPlain)
            }
        });
        self.words.add_starts(text);
        self.words.write(words);
        done
    }
}

/// Reads columns of lines.
#[derive(Debug, Default)]
pub struct Decoder {
    decompressor: Decompressor,
    reader: template::Reader,
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
        self.decode_with_times(bytes, &[], ends, text)
    }

    /// As [`Decoder::decode_into`] of lines that were encoded with these times.
    ///
    /// # Errors
    /// As there.
    pub fn decode_with_times(
        &mut self,
        bytes: &[u8],
        times: &[i64],
        ends: &mut Vec<usize>,
        text: &mut Vec<u8>,
    ) -> Result<usize, Error> {
        let choice = Part::Chosen(Choice::default());
        self.decode(bytes, (|| Ok(times), choice), ends, text).map(|(bytes, _)| bytes)
    }

    /// As [`Decoder::decode_with_times`] for a reader who needs no more than `choice` says. Returns
    /// also the places of the lines that are there, rising, or none if all are. `times` is not asked
    /// where no line is.
    ///
    /// # Errors
    /// As there.
    pub fn decode_chosen<'t>(
        &mut self,
        bytes: &[u8],
        (times, choice): (impl FnOnce() -> Result<&'t [i64], Error>, Choice<'_>),
        ends: &mut Vec<usize>,
        text: &mut Vec<u8>,
    ) -> Result<(usize, Option<Vec<usize>>), Error> {
        self.decode(bytes, (times, Part::Chosen(choice)), ends, text)
    }

    /// Appends to `ends` where each line would end in the text of the column, of which nothing is put
    /// together. `times` are those that the lines were encoded with.
    ///
    /// # Errors
    /// As there.
    pub fn decode_lengths(
        &mut self,
        bytes: &[u8],
        times: &[i64],
        ends: &mut Vec<usize>,
    ) -> Result<usize, Error> {
        let times = || Ok(times);
        self.decode(bytes, (times, Part::Lengths), ends, &mut Vec::new()).map(|(bytes, _)| bytes)
    }

    fn decode<'t>(
        &mut self,
        bytes: &[u8],
        (times, part): (impl FnOnce() -> Result<&'t [i64], Error>, Part<'_>),
        ends: &mut Vec<usize>,
        text: &mut Vec<u8>,
    ) -> Result<(usize, Option<Vec<usize>>), Error> {
        let mut cursor = Cursor::new(bytes);
        let (encoding, count, mut payload) = frame::read(&mut cursor, KIND)?;
        let before = (ends.len(), text.len());
        let done = match encoding {
            Encoding::LinesPlain if matches!(part, Part::Lengths) => {
                plain::read_lengths(count, &mut payload, ends).map(|()| None)
            }
            Encoding::LinesPlain => {
                plain::read(&mut self.decompressor, count, &mut payload, ends, text).map(|()| None)
            }
            Encoding::LinesTemplates | Encoding::LinesMoments => {
                let request = template::Request { count, times, part };
                self.reader.read(&mut self.decompressor, request, &mut payload, (ends, text))
            }
            other => Err(Error::UnknownEncoding { kind: KIND, tag: other.tag() }),
        };
        debug_assert!(count <= COUNT_MAX);
        let places = done.inspect_err(|_| {
            ends.truncate(before.0);
            text.truncate(before.1);
        })?;
        Ok((cursor.offset(), places))
    }
}

/// Hashes the texts of a dictionary; quick, and always the same.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TextHasher(u64);

impl std::hash::Hasher for TextHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.write_u64(u64::from_le_bytes(*word));
        }
        for byte in rest {
            self.write_u8(*byte);
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3_6cc9);
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0xff51_afd7_ed55_8ccd);
        self.0 ^= self.0 >> 32;
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }

    fn finish(&self) -> u64 {
        (self.0 ^ (self.0 >> 29)).wrapping_mul(0xc4ce_b9fe_1a85_ec53)
    }
}

#[cfg(test)]
mod tests;
