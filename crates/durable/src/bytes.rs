//! The small parts of every format: LEB128 numbers, zigzag, little-endian words, short texts.
//!
//! Writers append to a `Vec`; a [`Reader`] walks a slice and never indexes past its end. What a
//! reader refuses is a [`Bad`]: which part, and where in the slice. Callers add the file.

/// A number of 64 bits takes at most this many bytes.
const VARINT_BYTES_MAX: usize = 10;

/// What a reader did not find, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("corrupt {what} at byte {offset}")]
pub struct Bad {
    /// Which part.
    pub what: &'static str,
    /// Bytes from the start of the slice.
    pub offset: usize,
}

impl Bad {
    /// The same as the error of a file in which the slice starts at `base`.
    pub fn in_file(self, path: &camino::Utf8Path, base: u64) -> crate::Error {
        crate::Error::corrupt(path, self.what, base.saturating_add(self.offset as u64))
    }
}

/// Appends an unsigned number in LEB128.
#[expect(clippy::cast_possible_truncation, reason = "seven bits at a time is the format")]
pub fn put_unsigned(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed number: zigzag, then LEB128.
pub fn put_signed(out: &mut Vec<u8>, value: i64) {
    put_unsigned(out, ((value << 1) ^ (value >> 63)).cast_unsigned());
}

/// Appends the length of `bytes` and then themselves.
pub fn put_slice(out: &mut Vec<u8>, bytes: &[u8]) {
    put_unsigned(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Walks a slice.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, offset: 0 }
    }

    /// Bytes read so far.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Bytes left.
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// All bytes left, without reading them.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The refusal of what stands here.
    pub fn bad(&self, what: &'static str) -> Bad {
        Bad { what, offset: self.offset }
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// [`Bad`] if there are fewer.
    pub fn take(&mut self, count: usize, what: &'static str) -> Result<&'a [u8], Bad> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(self.bad(what))?;
        self.rest = rest;
        self.offset += count;
        Ok(taken)
    }

    /// The next byte.
    ///
    /// # Errors
    /// [`Bad`] at the end.
    pub fn byte(&mut self, what: &'static str) -> Result<u8, Bad> {
        let (byte, rest) = self.rest.split_first().ok_or(self.bad(what))?;
        self.rest = rest;
        self.offset += 1;
        Ok(*byte)
    }

    /// The next four bytes as a little-endian number.
    ///
    /// # Errors
    /// [`Bad`] if there are fewer.
    pub fn word32(&mut self, what: &'static str) -> Result<u32, Bad> {
        let (word, rest) = self.rest.split_first_chunk().ok_or(self.bad(what))?;
        self.rest = rest;
        self.offset += 4;
        Ok(u32::from_le_bytes(*word))
    }

    /// The next eight bytes as a little-endian number.
    ///
    /// # Errors
    /// [`Bad`] if there are fewer.
    pub fn word64(&mut self, what: &'static str) -> Result<u64, Bad> {
        let (word, rest) = self.rest.split_first_chunk().ok_or(self.bad(what))?;
        self.rest = rest;
        self.offset += 8;
        Ok(u64::from_le_bytes(*word))
    }

    /// The next LEB128 number.
    ///
    /// # Errors
    /// [`Bad`] if it is cut or has more than 64 bits.
    pub fn unsigned(&mut self, what: &'static str) -> Result<u64, Bad> {
        let mut value = 0_u64;
        for (at, byte) in self.rest.iter().enumerate().take(VARINT_BYTES_MAX) {
            let low = u64::from(byte & 0x7f);
            let shifted = low << (7 * at);
            if shifted >> (7 * at) != low {
                return Err(self.bad(what));
            }
            value |= shifted;
            if byte & 0x80 == 0 {
                self.rest = self.rest.get(at + 1..).unwrap_or_default();
                self.offset += at + 1;
                return Ok(value);
            }
        }
        Err(self.bad(what))
    }

    /// The next zigzag number.
    ///
    /// # Errors
    /// As [`Reader::unsigned`].
    pub fn signed(&mut self, what: &'static str) -> Result<i64, Bad> {
        let value = self.unsigned(what)?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    /// The next LEB128 number, which must be at most `limit`.
    ///
    /// # Errors
    /// [`Bad`] if it is larger, cut or has more than 64 bits.
    pub fn count(&mut self, limit: usize, what: &'static str) -> Result<usize, Bad> {
        let bad = self.bad(what);
        let count = usize::try_from(self.unsigned(what)?).unwrap_or(usize::MAX);
        if count <= limit { Ok(count) } else { Err(bad) }
    }

    /// The next slice written by [`put_slice`].
    ///
    /// # Errors
    /// [`Bad`] if it is cut.
    pub fn slice(&mut self, what: &'static str) -> Result<&'a [u8], Bad> {
        let count = self.count(self.rest.len(), what)?;
        self.take(count, what)
    }

    /// The next slice as text.
    ///
    /// # Errors
    /// [`Bad`] if it is cut or not UTF-8.
    pub fn text(&mut self, what: &'static str) -> Result<&'a str, Bad> {
        let bad = self.bad(what);
        std::str::from_utf8(self.slice(what)?).map_err(|_| bad)
    }

    /// Nothing may be left.
    ///
    /// # Errors
    /// [`Bad`] if there is.
    pub fn finish(&self, what: &'static str) -> Result<(), Bad> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.bad(what)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_and_every_cut_is_refused() {
        let f = |value: i64| {
            let mut out = Vec::new();
            put_signed(&mut out, value);
            put_unsigned(&mut out, value.cast_unsigned());
            put_slice(&mut out, b"text");
            let mut reader = Reader::new(&out);
            assert_eq!(reader.signed("a"), Ok(value));
            assert_eq!(reader.unsigned("b"), Ok(value.cast_unsigned()));
            assert_eq!(reader.text("c"), Ok("text"));
            assert_eq!(reader.finish("end"), Ok(()));
            for cut in 0..out.len() {
                let mut reader = Reader::new(&out[..cut]);
                let all = reader.signed("a").and_then(|_| reader.unsigned("b"));
                assert!(all.and_then(|_| reader.text("c")).is_err(), "{value} cut at {cut}");
            }
        };
        f(0);
        f(-1);
        f(63);
        f(64);
        f(i64::MAX);
        f(i64::MIN);
    }

    #[test]
    fn more_than_64_bits_and_more_than_the_limit_are_refused() {
        let wide = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2];
        assert_eq!(Reader::new(&wide).unsigned("n"), Err(Bad { what: "n", offset: 0 }));
        assert_eq!(Reader::new(&[5]).count(4, "n"), Err(Bad { what: "n", offset: 0 }));
        assert_eq!(Reader::new(&[4]).count(4, "n"), Ok(4));
        assert_eq!(Reader::new(&[1, 0xff]).text("t"), Err(Bad { what: "t", offset: 0 }));
    }
}
