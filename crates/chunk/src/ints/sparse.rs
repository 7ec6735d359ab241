//! Residuals that are nearly all the same: only the others are written, each with its distance.
//!
//! ```text
//! +-----------------+------------------------------------------------------+
//! | others (LEB128) | per other: gap (LEB128), residual less usual (zigzag) |
//! +-----------------+------------------------------------------------------+
//!   gap: usual ones between this other and the one before it
//! ```
//!
//! The base in the shape's header is the usual difference itself, so the usual residual is 0.

use super::shape::Summer;
use crate::Error;
use crate::cursor::{Cursor, put_unsigned, unsigned_len, zigzag};

/// Tried only where at most one residual in this many is another; beyond it packing wins.
const SHARE: usize = 4;
/// A gap and a residual take at least this many bytes together.
const BYTES_PER_OTHER_MIN: usize = 2;
/// With more bytes than this, packing or pco may do better, and is left to show it.
const PCO_BYTES: usize = 40;

/// The residual that nearly all are, and how many are not.
#[derive(Debug)]
pub(crate) struct Sparse {
    pub(crate) usual: u64,
    others: usize,
}

/// The usual residual, if writing the others takes fewer bytes than `packed` and than any table.
pub(crate) fn find(residuals: &[u64], packed: usize) -> Option<Sparse> {
    let usual = majority(residuals)?;
    let others = residuals.iter().filter(|residual| **residual != usual).count();
    let limit = packed.min(PCO_BYTES);
    if others > residuals.len() / SHARE || others * BYTES_PER_OTHER_MIN > limit {
        return None;
    }
    let bytes: usize =
        gaps(residuals, usual).map(|(gap, other)| unsigned_len(gap) + unsigned_len(other)).sum();
    (bytes <= limit).then_some(Sparse { usual, others })
}

pub(crate) fn write(residuals: &[u64], sparse: &Sparse, out: &mut Vec<u8>) {
    put_unsigned(out, sparse.others as u64);
    for (gap, other) in gaps(residuals, sparse.usual) {
        put_unsigned(out, gap);
        put_unsigned(out, other);
    }
}

/// Appends `count` values, most of which have the residual 0.
pub(crate) fn read<T>(
    payload: &mut Cursor<'_>,
    count: usize,
    sum: &mut Summer,
    out: &mut Vec<T>,
    map: impl Fn(i64) -> T,
) -> Result<(), Error> {
    let others = payload.count(count, "count of unusual values")?;
    let mut left = count;
    for _ in 0..others {
        let error = payload.corrupt("place of an unusual value");
        let gap = payload.count(count, "place of an unusual value")?;
        left = left.checked_sub(gap + 1).ok_or(error)?;
        let other = payload.signed("unusual value")?.cast_unsigned();
        sum.extend(out, &map, std::iter::repeat_n(0, gap));
        sum.extend(out, &map, std::iter::once(other));
    }
    sum.extend(out, &map, std::iter::repeat_n(0, left));
    Ok(())
}

/// The residual that more than half of them are, if there is one (Boyer and Moore, 1981).
fn majority(residuals: &[u64]) -> Option<u64> {
    let (mut candidate, mut votes) = (*residuals.first()?, 0_usize);
    for residual in residuals {
        if votes == 0 {
            candidate = *residual;
        }
        votes = if *residual == candidate { votes + 1 } else { votes.saturating_sub(1) };
    }
    (votes > 0).then_some(candidate)
}

/// The others: how many usual ones are before each, and how far it is from them in zigzag.
fn gaps(residuals: &[u64], usual: u64) -> impl Iterator<Item = (u64, u64)> {
    let mut gap = 0;
    residuals.iter().filter_map(move |residual| {
        if *residual == usual {
            gap += 1;
            return None;
        }
        let before = std::mem::take(&mut gap);
        Some((before, zigzag(residual.wrapping_sub(usual).cast_signed())))
    })
}
