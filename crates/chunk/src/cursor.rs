//! Reading and writing the small parts of a column: bytes, LEB128 numbers, zigzag.
//!
//! Every read says what it reads, so that an error can; nothing here indexes past the end.

use crate::Error;

/// A LEB128 number of 64 bits takes at most this many bytes.
const VARINT_BYTES_MAX: usize = 10;

/// A place in the bytes of a column.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, offset: 0 }
    }

    /// Bytes read since the start of the column.
    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    pub(crate) fn remaining(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn corrupt(&self, what: &'static str) -> Error {
        Error::Corrupt { what, offset: self.offset }
    }

    fn truncated(&self, what: &'static str) -> Error {
        Error::Truncated { what, offset: self.offset + self.rest.len() }
    }

    pub(crate) fn take(&mut self, bytes: usize, what: &'static str) -> Result<&'a [u8], Error> {
        let (taken, rest) =
            self.rest.split_at_checked(bytes).ok_or_else(|| self.truncated(what))?;
        self.rest = rest;
        self.offset += bytes;
        Ok(taken)
    }

    /// The next `bytes` bytes as a cursor of their own, which counts offsets on.
    pub(crate) fn part(&mut self, bytes: usize, what: &'static str) -> Result<Self, Error> {
        let offset = self.offset;
        Ok(Self { rest: self.take(bytes, what)?, offset })
    }

    /// All bytes that are left.
    pub(crate) fn take_rest(&mut self) -> &'a [u8] {
        self.offset += self.rest.len();
        std::mem::take(&mut self.rest)
    }

    pub(crate) fn byte(&mut self, what: &'static str) -> Result<u8, Error> {
        let (byte, rest) = self.rest.split_first().ok_or_else(|| self.truncated(what))?;
        self.rest = rest;
        self.offset += 1;
        Ok(*byte)
    }

    pub(crate) fn word(&mut self, what: &'static str) -> Result<u64, Error> {
        let (word, rest) = self.rest.split_first_chunk().ok_or_else(|| self.truncated(what))?;
        self.rest = rest;
        self.offset += 8;
        Ok(u64::from_le_bytes(*word))
    }

    pub(crate) fn unsigned(&mut self, what: &'static str) -> Result<u64, Error> {
        let mut value = 0_u64;
        for (at, byte) in self.rest.iter().enumerate().take(VARINT_BYTES_MAX) {
            let low = u64::from(byte & 0x7f);
            let shifted = low << (7 * at);
            if shifted >> (7 * at) != low {
                return Err(self.corrupt(what));
            }
            value |= shifted;
            if byte & 0x80 == 0 {
                self.rest = self.rest.get(at + 1..).unwrap_or_default();
                self.offset += at + 1;
                return Ok(value);
            }
        }
        let whole = self.rest.len() >= VARINT_BYTES_MAX;
        Err(if whole { self.corrupt(what) } else { self.truncated(what) })
    }

    pub(crate) fn signed(&mut self, what: &'static str) -> Result<i64, Error> {
        self.unsigned(what).map(unzigzag)
    }

    /// A number of things, at most `limit`.
    pub(crate) fn count(&mut self, limit: usize, what: &'static str) -> Result<usize, Error> {
        let error = self.corrupt(what);
        let count = usize::try_from(self.unsigned(what)?).unwrap_or(usize::MAX);
        if count <= limit { Ok(count) } else { Err(error) }
    }

    /// The column must end here.
    pub(crate) fn finish(&self, what: &'static str) -> Result<(), Error> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.corrupt(what)) }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "seven bits at a time is the format")]
pub(crate) fn put_unsigned(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(crate) fn put_signed(out: &mut Vec<u8>, value: i64) {
    put_unsigned(out, zigzag(value));
}

/// The length of `bytes`, then themselves.
pub(crate) fn put_slice(out: &mut Vec<u8>, bytes: &[u8]) {
    put_unsigned(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// How many bytes [`put_unsigned`] writes.
pub(crate) fn unsigned_len(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

/// Small numbers of either sign become small numbers without one.
pub(crate) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

pub(crate) fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_and_take_the_bytes_that_were_promised() {
        let f = |value: u64, bytes: usize| {
            let mut out = Vec::new();
            put_unsigned(&mut out, value);
            assert_eq!((out.len(), unsigned_len(value)), (bytes, bytes), "{value}");
            let mut cursor = Cursor::new(&out);
            assert_eq!(cursor.unsigned("number"), Ok(value));
            assert_eq!(cursor.finish("end"), Ok(()));
            assert_eq!(zigzag(unzigzag(value)), value);
            for cut in 0..bytes {
                let cut = Cursor::new(&out[..cut]).unsigned("number");
                assert!(matches!(cut, Err(Error::Truncated { what: "number", .. })), "{cut:?}");
            }
        };
        f(0, 1);
        f(127, 1);
        f(128, 2);
        f(16_383, 2);
        f(16_384, 3);
        f(u64::MAX >> 1, 9);
        f(u64::MAX, 10);
    }

    #[test]
    fn a_number_of_more_than_64_bits_is_corrupt() {
        let mut bytes = [0xff; 11];
        assert!(matches!(Cursor::new(&bytes).unsigned("n"), Err(Error::Corrupt { offset: 0, .. })));
        bytes[9] = 2;
        assert!(matches!(Cursor::new(&bytes).unsigned("n"), Err(Error::Corrupt { .. })));
        bytes[9] = 1;
        assert_eq!(Cursor::new(&bytes).unsigned("n"), Ok(u64::MAX));
    }
}
