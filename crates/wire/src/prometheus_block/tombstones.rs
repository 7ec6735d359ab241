//! What was deleted from a block and is still in its chunks.
//!
//! ```text
//! magic 0130BA30 │ version 1 │ series <uvarint> first <varint> last <varint> │ … │ crc32c <4>
//! ```
//!
//! The checksum is that of what stands between the version and itself.

use std::collections::BTreeMap;

use super::cursor::{Cursor, check};
use crate::Error;

const MAGIC: u32 = 0x0130_BA30;

/// Deleted intervals by series.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tombstones(BTreeMap<u64, Vec<(i64, i64)>>);

impl Tombstones {
    /// Reads the file; an empty one is no tombstones.
    ///
    /// # Errors
    /// [`Error::Damaged`]; [`Error::Content`] for a version that is not known.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        const WHAT: &str = "tombstones";
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let mut cursor = Cursor::new(bytes, 0);
        if cursor.word32(WHAT)? != MAGIC {
            return Err(Error::Damaged { what: "header of tombstones", offset: 0 });
        }
        let version = cursor.byte(WHAT)?;
        if version != 1 {
            let message = format!("tombstones have format version {version}, and 1 is known");
            return Err(Error::Content(message));
        }
        let len = cursor.remaining().checked_sub(4).ok_or_else(|| cursor.bad(WHAT))?;
        let start = cursor.offset();
        let contents = cursor.take(len, WHAT)?;
        check(contents, cursor.word32(WHAT)?, WHAT, start)?;
        let mut cursor = Cursor::new(contents, start);
        let mut stones = BTreeMap::<u64, Vec<_>>::new();
        while !cursor.is_empty() {
            let series = cursor.unsigned(WHAT)?;
            let interval = (cursor.signed(WHAT)?, cursor.signed(WHAT)?);
            stones.entry(series).or_default().push(interval);
        }
        Ok(Self(stones))
    }

    /// The deleted intervals of a series, both ends included, in no order.
    pub fn of(&self, series: u64) -> &[(i64, i64)] {
        self.0.get(&series).map_or(&[], Vec::as_slice)
    }

    /// Whether nothing is deleted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
