//! Numbers and pieces in a slice of bytes, each refused with its name and place when it is cut.

use crate::Error;

/// Reads from front to back; `base` is where the slice lies in its file.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8], base: usize) -> Self {
        Self { rest: bytes, offset: base }
    }

    /// Where in the file the next byte lies.
    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn remaining(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn bad(&self, what: &'static str) -> Error {
        Error::Damaged { what, offset: self.offset }
    }

    pub(super) fn take(&mut self, count: usize, what: &'static str) -> Result<&'a [u8], Error> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(|| self.bad(what))?;
        self.rest = rest;
        self.offset += count;
        Ok(taken)
    }

    pub(super) fn byte(&mut self, what: &'static str) -> Result<u8, Error> {
        Ok(self.array::<1>(what)?[0])
    }

    pub(super) fn word32(&mut self, what: &'static str) -> Result<u32, Error> {
        Ok(u32::from_be_bytes(self.array(what)?))
    }

    pub(super) fn word64(&mut self, what: &'static str) -> Result<u64, Error> {
        Ok(u64::from_be_bytes(self.array(what)?))
    }

    /// A number in groups of seven bits, least first, as Go's `binary.Uvarint`.
    #[inline]
    pub(super) fn unsigned(&mut self, what: &'static str) -> Result<u64, Error> {
        let mut value = 0_u64;
        for (at, byte) in self.rest.iter().enumerate().take(10) {
            // The tenth byte has room for one bit.
            if at == 9 && *byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << (7 * at);
            if *byte < 0x80 {
                self.rest = self.rest.get(at + 1..).unwrap_or_default();
                self.offset += at + 1;
                return Ok(value);
            }
        }
        Err(self.bad(what))
    }

    /// A signed number, zigzag before the groups, as Go's `binary.Varint`.
    #[inline]
    pub(super) fn signed(&mut self, what: &'static str) -> Result<i64, Error> {
        let value = self.unsigned(what)?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    /// An unsigned number that indexes memory.
    pub(super) fn size(&mut self, what: &'static str) -> Result<usize, Error> {
        let bad = self.bad(what);
        usize::try_from(self.unsigned(what)?).map_err(|_| bad)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Error> {
        let bad = self.bad(what);
        self.take(N, what)?.try_into().map_err(|_| bad)
    }
}

/// The bytes of a section that states its length first and its checksum last:
/// `len <4 bytes> contents <len bytes> crc32c <4 bytes>`.
///
/// # Errors
/// [`Error::Damaged`] where it ends early or the checksum does not fit.
pub(super) fn section<'a>(
    file: &'a [u8],
    at: u64,
    what: &'static str,
) -> Result<Cursor<'a>, Error> {
    let at = usize::try_from(at).unwrap_or(usize::MAX);
    let mut cursor = Cursor::new(file.get(at..).unwrap_or_default(), at);
    let len = cursor.word32(what)? as usize;
    let contents = cursor.take(len, what)?;
    check(contents, cursor.word32(what)?, what, at)?;
    Ok(Cursor::new(contents, at + 4))
}

/// Compares the checksum of `contents`, which lie at `offset`.
pub(super) fn check(
    contents: &[u8],
    checksum: u32,
    what: &'static str,
    offset: usize,
) -> Result<(), Error> {
    if crc32c::crc32c(contents) == checksum { Ok(()) } else { Err(Error::Damaged { what, offset }) }
}
