//! The streams that the columns of a column of lines are written to.

use std::ops::Range;

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

/// The same streams, to be read. Those of small columns are decompressed when something of them is
/// needed.
#[derive(Debug)]
pub(in super::super) struct Sources<'a, 'b> {
    pub(super) kinds: Cursor<'b>,
    short: &'b mut Small<'a>,
    /// Short values that nobody needed, in front of the next one.
    stepped_over: usize,
    numbers: &'b mut Small<'a>,
    texts: &'b mut Small<'a>,
    /// Where the large streams are.
    large: Cursor<'a>,
    decompressor: &'b mut Decompressor,
    /// Bytes that may still be decompressed.
    budget: usize,
}

/// A stream that many columns share.
#[derive(Debug)]
pub(in super::super) struct Small<'a> {
    stream: Cursor<'a>,
    /// Its bytes, once somebody needed some.
    buffer: Vec<u8>,
    is_there: bool,
    len: usize,
    at: usize,
}

impl<'a> Small<'a> {
    /// The stream that starts at `payload`, which is then behind it. It may have `limit` bytes, for
    /// which `buffer` is used again.
    pub(in super::super) fn new(
        payload: &mut Cursor<'a>,
        limit: usize,
        buffer: Vec<u8>,
    ) -> Result<Self, Error> {
        let stream = payload.clone();
        let len = Decompressor::skip(payload, limit)?;
        Ok(Self { stream, buffer, is_there: false, len, at: 0 })
    }

    /// The memory, for another stream.
    pub(in super::super) fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }

    /// Steps over the next `count` bytes; returns where they are.
    fn skip(&mut self, count: usize, what: &'static str) -> Result<Range<usize>, Error> {
        let place = self.at..self.at.saturating_add(count);
        if place.end > self.len {
            return Err(Error::Truncated { what, offset: self.len });
        }
        self.at = place.end;
        Ok(place)
    }

    /// The next `count` bytes.
    fn take(
        &mut self,
        decompressor: &mut Decompressor,
        count: usize,
        what: &'static str,
    ) -> Result<&[u8], Error> {
        let place = self.skip(count, what)?;
        Ok(self.bytes(decompressor)?.get(place).unwrap_or_default())
    }

    fn bytes(&mut self, decompressor: &mut Decompressor) -> Result<&[u8], Error> {
        if !self.is_there {
            decompressor.read(&mut self.stream, self.len, &mut self.buffer)?;
            self.is_there = true;
        }
        Ok(&self.buffer)
    }

    fn finish(&self) -> Result<(), Error> {
        let bad = Error::Corrupt { what: "end of a stream", offset: self.at };
        if self.at == self.len { Ok(()) } else { Err(bad) }
    }
}

impl<'a, 'b> Sources<'a, 'b> {
    pub(in super::super) fn new(
        kinds: &'b [u8],
        [short, numbers, texts]: &'b mut [Small<'a>; 3],
        large: Cursor<'a>,
        decompressor: &'b mut Decompressor,
        budget: usize,
    ) -> Self {
        for small in [&mut *short, &mut *numbers, &mut *texts] {
            small.at = 0;
        }
        Self {
            kinds: Cursor::new(kinds),
            short,
            stepped_over: 0,
            numbers,
            texts,
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
        into.extend_from_slice(self.numbers.take(self.decompressor, count, "numbers")?);
        Ok(())
    }

    /// Replaces `into` by the next text.
    pub(super) fn text(&mut self, into: &mut Vec<u8>) -> Result<(), Error> {
        let count = self.kinds.count(self.budget, "bytes of a text")?;
        if is_large(count) {
            return self.large(count, into);
        }
        into.clear();
        into.extend_from_slice(self.texts.take(self.decompressor, count, "texts")?);
        Ok(())
    }

    /// Appends the next `count` short values to `texts`, and where each ends to `ends`, the newline
    /// between them not included.
    pub(super) fn short(
        &mut self,
        count: usize,
        (texts, ends): (&mut Vec<u8>, &mut Vec<usize>),
    ) -> Result<(), Error> {
        let bad = Error::Corrupt { what: "value of a short column", offset: self.short.at };
        let unneeded = std::mem::take(&mut self.stepped_over);
        let from = self.short.at;
        let bytes = self.short.bytes(self.decompressor)?.get(from..).unwrap_or_default();
        let mut at = 0;
        for value in 0..unneeded + count {
            let rest = bytes.get(at..).unwrap_or_default();
            let len = rest.iter().position(|byte| *byte == b'\n').ok_or(bad.clone())?;
            at += len + 1;
            if value >= unneeded {
                texts.extend_from_slice(rest.get(..=len).unwrap_or_default());
                ends.push(texts.len() - 1);
            }
        }
        self.short.at += at;
        Ok(())
    }

    /// Steps over the next `count` short values.
    pub(super) fn skip_short(&mut self, count: usize) {
        self.stepped_over += count;
    }

    /// Steps over the next `count` bytes.
    pub(super) fn skip_bytes(&mut self, count: usize) -> Result<(), Error> {
        if is_large(count) {
            return Decompressor::skip(&mut self.large, self.budget).map(drop);
        }
        self.numbers.skip(count, "numbers").map(drop)
    }

    /// Steps over the next text.
    pub(super) fn skip_text(&mut self) -> Result<(), Error> {
        let count = self.kinds.count(self.budget, "bytes of a text")?;
        if is_large(count) {
            return Decompressor::skip(&mut self.large, self.budget).map(drop);
        }
        self.texts.skip(count, "texts").map(drop)
    }

    fn large(&mut self, count: usize, into: &mut Vec<u8>) -> Result<(), Error> {
        let bad = self.large.corrupt("length of a large column");
        self.budget = self.budget.checked_sub(count).ok_or(bad.clone())?;
        self.decompressor.read(&mut self.large, count, into)?;
        if into.len() == count { Ok(()) } else { Err(bad) }
    }

    /// Nothing may be left.
    pub(in super::super) fn finish(&mut self) -> Result<(), Error> {
        if self.short.is_there {
            self.short(0, (&mut Vec::new(), &mut Vec::new()))?;
            self.short.finish()?;
        }
        self.kinds.finish("end of a stream")?;
        self.numbers.finish()?;
        self.texts.finish()?;
        self.large.finish("end of lines")
    }
}
