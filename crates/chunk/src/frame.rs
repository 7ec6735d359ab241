//! The frame around every column: what it is, how many values, how many bytes.
//!
//! ```text
//! +-----+----------------+-----------------+---------
//! | tag | count (LEB128) | length (LEB128) | payload
//! +-----+----------------+-----------------+---------
//!    |
//!    bits 7..5 version of the format, now 1; bits 4..0 encoding
//! ```
//!
//! The payload belongs to the encoding's module. Invariant: a column can be skipped by whoever
//! does not know its encoding.

use crate::cursor::{Cursor, put_unsigned};
use crate::{COUNT_MAX, Error};

/// The version that encoders write; it stands in every tag.
const VERSION: u8 = 1;
const VERSION_SHIFT: u32 = 5;

/// How the values of a column are written. The numbers are the format's and never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Encoding {
    IntConstant = 1,
    IntStride = 2,
    IntPacked = 3,
    IntSparse = 4,
    IntPco = 5,
    TimeGrid = 8,
    TimeDeltas = 9,
    FloatConstant = 16,
    FloatDecimal = 17,
    FloatOrdered = 18,
    FloatXor = 19,
    Histograms = 24,
    LinesPlain = 28,
    LinesTemplates = 29,
    LinesMoments = 30,
}

impl Encoding {
    pub(crate) fn tag(self) -> u8 {
        VERSION << VERSION_SHIFT | self as u8
    }

    pub(crate) fn of(tag: u8, kind: &'static str) -> Result<Self, Error> {
        let known = [
            Self::IntConstant,
            Self::IntStride,
            Self::IntPacked,
            Self::IntSparse,
            Self::IntPco,
            Self::TimeGrid,
            Self::TimeDeltas,
            Self::FloatConstant,
            Self::FloatDecimal,
            Self::FloatOrdered,
            Self::FloatXor,
            Self::Histograms,
            Self::LinesPlain,
            Self::LinesTemplates,
            Self::LinesMoments,
        ];
        let found = known.into_iter().find(|encoding| encoding.tag() == tag);
        found.ok_or(Error::UnknownEncoding { kind, tag })
    }
}

/// What the frame of a column says, without decoding it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// How many values it holds; at most [`COUNT_MAX`].
    pub values: usize,
    /// How many bytes it takes, frame included: where the next column starts.
    pub bytes: usize,
}

/// Reads the frame of the column that `bytes` start with; more may follow it.
///
/// # Errors
/// [`Error::Truncated`] if `bytes` end before the column does; [`Error::Corrupt`] if the frame
/// claims more than a column may hold.
pub fn peek(bytes: &[u8]) -> Result<Column, Error> {
    let mut cursor = Cursor::new(bytes);
    let (_, values, payload) = read_header(&mut cursor)?;
    Ok(Column { values, bytes: payload.offset() + payload.remaining() })
}

/// Appends a column of `count` values to `out`; `payload` writes its payload and says how.
///
/// `out` is as before if this fails.
pub(crate) fn write(
    out: &mut Vec<u8>,
    count: usize,
    payload: impl FnOnce(&mut Vec<u8>) -> Result<Encoding, Error>,
) -> Result<(), Error> {
    if count > COUNT_MAX {
        return Err(Error::TooMany { what: "values", count, limit: COUNT_MAX });
    }
    let start = out.len();
    out.push(0);
    put_unsigned(out, count as u64);
    let body = out.len();
    // Most payloads are shorter than 128 bytes, so their length takes this one byte.
    out.push(0);
    let encoding = match payload(out) {
        Ok(encoding) => encoding,
        Err(error) => {
            out.truncate(start);
            return Err(error);
        }
    };
    let mut length = Vec::new();
    put_unsigned(&mut length, (out.len() - body - 1) as u64);
    out.splice(body..=body, length);
    if let Some(tag) = out.get_mut(start) {
        *tag = encoding.tag();
    }
    Ok(())
}

/// Reads the frame of a column of `kind`: encoding, count, payload; `cursor` is then past it.
pub(crate) fn read<'a>(
    cursor: &mut Cursor<'a>,
    kind: &'static str,
) -> Result<(Encoding, usize, Cursor<'a>), Error> {
    let (tag, count, payload) = read_header(cursor)?;
    Ok((Encoding::of(tag, kind)?, count, payload))
}

fn read_header<'a>(cursor: &mut Cursor<'a>) -> Result<(u8, usize, Cursor<'a>), Error> {
    let tag = cursor.byte("tag")?;
    let count = cursor.count(COUNT_MAX, "count of values")?;
    let length = cursor.count(usize::MAX, "length of the payload")?;
    let payload = cursor.part(length, "payload")?;
    Ok((tag, count, payload))
}
