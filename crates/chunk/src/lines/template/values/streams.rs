//! The streams that the columns of a column of lines are written to.

use super::{Compressor, Cursor, Decompressor, Error, is_large};

/// Streams that grow; large columns are compressed at once, each alone.
#[derive(Debug, Default)]
pub(in super::super) struct Streams {
    /// What kind each column is.
    pub(in super::super) kinds: Vec<u8>,
    /// Values of short columns.
    pub(in super::super) short: Vec<u8>,
    numbers: Vec<u8>,
    texts: Vec<u8>,
    large: Vec<u8>,
}

impl Streams {
    /// Adds numbers of `width` bytes each, the least bytes of all first.
    #[expect(clippy::cast_possible_truncation, reason = "one byte at a time is the format")]
    pub(in super::super) fn put_planes(
        &mut self,
        compressor: &mut Compressor,
        numbers: &[u64],
        width: usize,
    ) {
        let mut plane = Vec::with_capacity(numbers.len());
        for byte in 0..width {
            plane.clear();
            plane.extend(numbers.iter().map(|number| (number >> (8 * byte)) as u8));
            self.put_bytes(compressor, &plane);
        }
    }

    pub(super) fn put_bytes(&mut self, compressor: &mut Compressor, bytes: &[u8]) {
        if is_large(bytes.len()) {
            compressor.write(bytes, &mut self.large);
        } else {
            self.numbers.extend_from_slice(bytes);
        }
    }

    pub(super) fn put_text(&mut self, compressor: &mut Compressor, bytes: &[u8]) {
        if is_large(bytes.len()) {
            super::put_unsigned(&mut self.kinds, bytes.len() as u64);
            compressor.write(bytes, &mut self.large);
        } else {
            super::put_unsigned(&mut self.kinds, bytes.len() as u64);
            self.texts.extend_from_slice(bytes);
        }
    }

    /// Appends all of them to `out`.
    pub(in super::super) fn finish(self, compressor: &mut Compressor, out: &mut Vec<u8>) {
        for stream in [&self.kinds, &self.short, &self.numbers, &self.texts] {
            compressor.write(stream, out);
        }
        out.extend_from_slice(&self.large);
    }
}

/// The same streams, to be read.
#[derive(Debug)]
pub(in super::super) struct Sources<'a, 'b> {
    pub(super) kinds: Cursor<'b>,
    pub(super) short: Cursor<'b>,
    numbers: Cursor<'b>,
    texts: Cursor<'b>,
    /// Where the large streams are.
    large: Cursor<'a>,
    decompressor: &'b mut Decompressor,
    /// Bytes that may still be decompressed.
    budget: usize,
}

impl<'a, 'b> Sources<'a, 'b> {
    pub(in super::super) fn new(
        [kinds, short, numbers, texts]: [&'b [u8]; 4],
        large: Cursor<'a>,
        decompressor: &'b mut Decompressor,
        budget: usize,
    ) -> Self {
        let cursor = Cursor::new;
        Self {
            kinds: cursor(kinds),
            short: cursor(short),
            numbers: cursor(numbers),
            texts: cursor(texts),
            large,
            decompressor,
            budget,
        }
    }

    /// Replaces `into` by the next `count` numbers of `width` bytes.
    pub(in super::super) fn planes(
        &mut self,
        count: usize,
        width: usize,
        into: &mut Vec<u64>,
    ) -> Result<(), Error> {
        into.clear();
        if width == 0 || width > 8 {
            return Err(self.kinds.corrupt("width of numbers"));
        }
        let mut plane = Vec::new();
        for byte in 0..width {
            self.bytes(count, &mut plane)?;
            if byte == 0 {
                into.extend(plane.iter().map(|byte| u64::from(*byte)));
            } else {
                for (number, more) in into.iter_mut().zip(&plane) {
                    *number |= u64::from(*more) << (8 * byte);
                }
            }
        }
        Ok(())
    }

    /// Steps over as many.
    pub(in super::super) fn skip_planes(
        &mut self,
        count: usize,
        width: usize,
    ) -> Result<(), Error> {
        if width == 0 || width > 8 {
            return Err(self.kinds.corrupt("width of numbers"));
        }
        (0..width).try_for_each(|_| self.skip_bytes(count))
    }

    /// Takes part of what may be decompressed for what comes from nothing.
    pub(super) fn spend(&mut self, bytes: usize) -> Result<(), Error> {
        let bad = self.kinds.corrupt("count of values");
        self.budget = self.budget.checked_sub(bytes).ok_or(bad)?;
        Ok(())
    }

    /// Replaces `into` by the next `count` bytes.
    pub(super) fn bytes(&mut self, count: usize, into: &mut Vec<u8>) -> Result<(), Error> {
        if is_large(count) {
            return self.large(count, into);
        }
        into.clear();
        into.extend_from_slice(self.numbers.take(count, "numbers")?);
        Ok(())
    }

    /// Replaces `into` by the next text.
    pub(super) fn text(&mut self, into: &mut Vec<u8>) -> Result<(), Error> {
        let count = self.kinds.count(self.budget, "bytes of a text")?;
        if is_large(count) {
            return self.large(count, into);
        }
        into.clear();
        into.extend_from_slice(self.texts.take(count, "texts")?);
        Ok(())
    }

    /// Steps over the next `count` bytes.
    pub(super) fn skip_bytes(&mut self, count: usize) -> Result<(), Error> {
        if is_large(count) {
            return Decompressor::skip(&mut self.large, self.budget).map(drop);
        }
        self.numbers.take(count, "numbers").map(drop)
    }

    /// Steps over the next text.
    pub(super) fn skip_text(&mut self) -> Result<(), Error> {
        let count = self.kinds.count(self.budget, "bytes of a text")?;
        if is_large(count) {
            return Decompressor::skip(&mut self.large, self.budget).map(drop);
        }
        self.texts.take(count, "texts").map(drop)
    }

    fn large(&mut self, count: usize, into: &mut Vec<u8>) -> Result<(), Error> {
        let bad = self.large.corrupt("length of a large column");
        self.budget = self.budget.checked_sub(count).ok_or(bad.clone())?;
        self.decompressor.read(&mut self.large, count, into)?;
        if into.len() == count { Ok(()) } else { Err(bad) }
    }

    /// Nothing may be left.
    pub(in super::super) fn finish(&self) -> Result<(), Error> {
        for cursor in [&self.kinds, &self.short, &self.numbers, &self.texts] {
            cursor.finish("end of a stream")?;
        }
        self.large.finish("end of lines")
    }
}
