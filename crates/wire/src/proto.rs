//! Protobuf's wire format, read in place and written without generated code.
//!
//! The reader borrows: a string field is a slice of the body, an unknown field costs a skip. It
//! knows nothing of messages beyond the name that it puts into errors.
//! Facts: protobuf.dev, "Encoding".

#![expect(
    clippy::inline_always,
    reason = "a field is a few bytes: returning it through memory costs more than reading it"
)]

mod writer;

pub(crate) use writer::{Writer, zigzag};

use std::borrow::Cow;

use crate::{Error, go::valid_text};

/// The fields of one message, in the order in which they come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    message: &'static str,
}

/// One field: its number, and a value that is read as what the caller knows it to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field<'a> {
    pub(crate) number: u32,
    value: Value<'a>,
    at: usize,
    message: &'static str,
}

#[derive(Debug, Clone, Copy)]
enum Value<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Fixed32([u8; 4]),
    Bytes(&'a [u8]),
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], message: &'static str) -> Self {
        Self { bytes, at: 0, message }
    }

    /// The next field, or nothing at the end.
    #[inline(always)]
    pub(crate) fn next(&mut self) -> Result<Option<Field<'a>>, Error> {
        if self.at >= self.bytes.len() {
            return Ok(None);
        }
        let at = self.at;
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).ok().filter(|number| *number != 0);
        let number = number.ok_or_else(|| self.fail("a field number out of range", at))?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(self.fixed()?),
            2 => Value::Bytes(self.delimited()?),
            5 => Value::Fixed32(self.fixed()?),
            _ => return Err(self.fail("an unknown wire type", at)),
        };
        Ok(Some(Field { number, value, at, message: self.message }))
    }

    /// A message's length, then the message.
    #[inline(always)]
    pub(crate) fn delimited(&mut self) -> Result<&'a [u8], Error> {
        let at = self.at;
        let len = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
        let end = self.at.checked_add(len).filter(|end| *end <= self.bytes.len());
        let bytes = end.and_then(|end| self.bytes.get(self.at..end));
        let bytes = bytes.ok_or_else(|| self.fail("a length beyond the end", at))?;
        self.at += len;
        Ok(bytes)
    }

    /// Bytes read so far.
    #[inline(always)]
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// What lies between two positions.
    #[inline(always)]
    pub(crate) fn slice(&self, from: usize, to: usize) -> &'a [u8] {
        self.bytes.get(from..to).unwrap_or(&[])
    }

    #[inline(always)]
    fn varint(&mut self) -> Result<u64, Error> {
        match self.bytes.get(self.at) {
            Some(&byte) if byte < 0x80 => {
                self.at += 1;
                Ok(u64::from(byte))
            }
            _ => self.long_varint(),
        }
    }

    #[inline(never)]
    fn long_varint(&mut self) -> Result<u64, Error> {
        const BYTES_MAX: usize = 10;
        let mut number = 0_u64;
        let rest = self.bytes.get(self.at..).unwrap_or(&[]);
        for (count, byte) in rest.iter().take(BYTES_MAX).enumerate() {
            let bits = u64::from(byte & 0x7f);
            // The tenth byte has room for one bit only.
            if count == BYTES_MAX - 1 && bits > 1 {
                break;
            }
            number |= bits << (7 * count);
            if byte & 0x80 == 0 {
                self.at += count + 1;
                return Ok(number);
            }
        }
        let what =
            if rest.len() < BYTES_MAX { "a number that is cut off" } else { "a number too long" };
        Err(self.fail(what, self.at))
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let bytes = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<N>());
        let bytes = bytes.ok_or_else(|| self.fail("a number that is cut off", self.at))?;
        self.at += N;
        Ok(*bytes)
    }

    #[cold]
    fn fail(&self, what: &'static str, offset: usize) -> Error {
        Error::Proto { message: self.message, what, offset }
    }
}

impl<'a> Field<'a> {
    /// A `uint64`, `uint32`, `bool` or enum.
    #[inline(always)]
    pub(crate) fn unsigned(&self) -> Result<u64, Error> {
        match self.value {
            Value::Varint(number) => Ok(number),
            Value::Fixed64(_) | Value::Fixed32(_) | Value::Bytes(_) => Err(self.wrong_type()),
        }
    }

    /// An `int64` or `int32`.
    #[inline(always)]
    pub(crate) fn signed(&self) -> Result<i64, Error> {
        self.unsigned().map(u64::cast_signed)
    }

    /// A `sint64` or `sint32`.
    pub(crate) fn zigzag(&self) -> Result<i64, Error> {
        self.unsigned().map(unzigzag)
    }

    /// A `uint32`; what does not fit is refused rather than cut.
    pub(crate) fn uint32(&self) -> Result<u32, Error> {
        u32::try_from(self.unsigned()?).map_err(|_| self.fail("a number out of range"))
    }

    /// A `sint32`; what does not fit is refused rather than cut.
    pub(crate) fn sint32(&self) -> Result<i32, Error> {
        i32::try_from(self.zigzag()?).map_err(|_| self.fail("a number out of range"))
    }

    #[inline(always)]
    pub(crate) fn double(&self) -> Result<f64, Error> {
        self.fixed64().map(f64::from_bits)
    }

    /// A `fixed64` or `sfixed64`.
    #[inline(always)]
    pub(crate) fn fixed64(&self) -> Result<u64, Error> {
        match self.value {
            Value::Fixed64(bytes) => Ok(u64::from_le_bytes(bytes)),
            Value::Varint(_) | Value::Fixed32(_) | Value::Bytes(_) => Err(self.wrong_type()),
        }
    }

    /// A `fixed32`.
    pub(crate) fn fixed32(&self) -> Result<u32, Error> {
        match self.value {
            Value::Fixed32(bytes) => Ok(u32::from_le_bytes(bytes)),
            Value::Varint(_) | Value::Fixed64(_) | Value::Bytes(_) => Err(self.wrong_type()),
        }
    }

    #[inline(always)]
    pub(crate) fn bytes(&self) -> Result<&'a [u8], Error> {
        match self.value {
            Value::Bytes(bytes) => Ok(bytes),
            Value::Varint(_) | Value::Fixed64(_) | Value::Fixed32(_) => Err(self.wrong_type()),
        }
    }

    /// A nested message.
    #[inline(always)]
    pub(crate) fn message(&self, name: &'static str) -> Result<Reader<'a>, Error> {
        self.bytes().map(|bytes| Reader::new(bytes, name))
    }

    #[inline(always)]
    pub(crate) fn text(&self) -> Result<&'a str, Error> {
        std::str::from_utf8(self.bytes()?).map_err(|_| self.fail("a string that is not UTF-8"))
    }

    /// A `string` of a sender who may not have checked it: U+FFFD for each byte that is not UTF-8.
    pub(crate) fn any_text(&self) -> Result<Cow<'a, str>, Error> {
        self.bytes().map(valid_text)
    }

    /// Integers of a repeated field, packed or not.
    pub(crate) fn each_varint(&self, mut take: impl FnMut(u64)) -> Result<(), Error> {
        match self.value {
            Value::Varint(number) => take(number),
            Value::Bytes(bytes) => {
                let mut reader = Reader::new(bytes, self.message);
                while !reader.is_at_end() {
                    take(reader.varint()?);
                }
            }
            Value::Fixed64(_) | Value::Fixed32(_) => return Err(self.wrong_type()),
        }
        Ok(())
    }

    /// Doubles or `fixed64`s of a repeated field, packed or not, as their bits.
    pub(crate) fn each_fixed64(&self, mut take: impl FnMut(u64)) -> Result<(), Error> {
        match self.value {
            Value::Fixed64(bytes) => take(u64::from_le_bytes(bytes)),
            Value::Bytes(bytes) => {
                let (chunks, rest) = bytes.as_chunks::<8>();
                if !rest.is_empty() {
                    return Err(self.fail("a number that is cut off"));
                }
                for chunk in chunks {
                    take(u64::from_le_bytes(*chunk));
                }
            }
            Value::Varint(_) | Value::Fixed32(_) => return Err(self.wrong_type()),
        }
        Ok(())
    }

    fn wrong_type(&self) -> Error {
        self.fail("a field of the wrong wire type")
    }

    #[cold]
    fn fail(&self, what: &'static str) -> Error {
        Error::Proto { message: self.message, what, offset: self.at }
    }
}

pub(crate) fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

#[cfg(test)]
mod tests;
