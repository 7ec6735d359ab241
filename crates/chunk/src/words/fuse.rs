//! A set of hashes in about ten bits each, which answers 0.4 % of strangers with yes.
//!
//! A binary fuse filter of 8 bits (Graf and Lemire, "Binary Fuse Filters", 2022): each hash has
//! three places in neighbouring segments of an array, whose bytes combine to its fingerprint.
//!
//! ```text
//! seed, LEB128 | log2 of the length of a segment, byte | segments, LEB128 | bytes
//! ```
//!
//! No segments: the set is empty. A seed from [`STARTS_SEED`] on says that the set has the starts of
//! ids, which older ones have not.

use crate::cursor::{Cursor, put_unsigned};

/// Seeds that are tried; each fails for less than one set in a hundred.
const SEEDS: u64 = 64;
/// The first seed that is tried; those before it were tried when starts of ids were not in sets yet.
const STARTS_SEED: u64 = 64;
const SEGMENT_LOG_MAX: u32 = 18;

/// A set that was written.
#[derive(Debug)]
pub(super) struct Filter<'a> {
    shape: Shape,
    bytes: &'a [u8],
}

#[derive(Debug, Clone, Copy)]
struct Shape {
    seed: u64,
    log: u32,
    segments: u64,
}

impl Shape {
    /// The shape for so many hashes; the figures are the paper's.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts of a column, and the result is written down"
    )]
    fn for_count(count: usize) -> Self {
        let n = (count as f64).max(2.0);
        let log = (n.ln() / 3.33_f64.ln() + 2.25).floor().clamp(0.0, f64::from(SEGMENT_LOG_MAX));
        let factor = (0.875 + 0.25 * 1e6_f64.ln() / n.ln()).max(1.125);
        let capacity = (n * factor).ceil();
        let segments = ((capacity / log.exp2()).ceil() - 2.0).max(1.0);
        Self { seed: 0, log: log as u32, segments: segments as u64 }
    }

    fn len(self) -> usize {
        usize::try_from((self.segments + 2) << self.log).unwrap_or(usize::MAX)
    }

    /// The three places and the fingerprint of a hash.
    #[expect(clippy::cast_possible_truncation, reason = "parts of the hash are taken")]
    fn places(self, hash: u64) -> ([usize; 3], u8) {
        let hash = mix(hash.wrapping_add(self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let wide = u128::from(hash) * u128::from(self.segments << self.log);
        let mask = (1_u64 << self.log) - 1;
        let first = (wide >> 64) as u64;
        let second = (first + (1 << self.log)) ^ ((hash >> 18) & mask);
        let third = (first + (2 << self.log)) ^ (hash & mask);
        ([first as usize, second as usize, third as usize], (hash ^ (hash >> 32)) as u8)
    }
}

pub(super) fn mix(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

/// Appends the set of `hashes`, which are distinct; false if no seed was found.
pub(super) fn write(hashes: &[u64], out: &mut Vec<u8>) -> bool {
    if hashes.is_empty() {
        put_unsigned(out, STARTS_SEED);
        out.extend_from_slice(&[0, 0]);
        return true;
    }
    let shape = Shape::for_count(hashes.len());
    (STARTS_SEED..STARTS_SEED + SEEDS).any(|seed| {
        let shape = Shape { seed, ..shape };
        let Some(bytes) = build(shape, hashes) else { return false };
        put_unsigned(out, seed);
        out.push(u8::try_from(shape.log).unwrap_or(0));
        put_unsigned(out, shape.segments);
        out.extend_from_slice(&bytes);
        true
    })
}

/// Peels: a place that only one hash has is given to it, which frees its other two places.
fn build(shape: Shape, hashes: &[u64]) -> Option<Vec<u8>> {
    let mut counts = vec![0_u32; shape.len()];
    let mut sums = vec![0_u64; shape.len()];
    for hash in hashes {
        for place in shape.places(*hash).0 {
            *counts.get_mut(place)? += 1;
            *sums.get_mut(place)? ^= hash;
        }
    }
    let mut ready: Vec<usize> =
        (0..counts.len()).filter(|place| counts.get(*place) == Some(&1)).collect();
    let mut order = Vec::with_capacity(hashes.len());
    while let Some(place) = ready.pop() {
        if *counts.get(place)? != 1 {
            continue;
        }
        let hash = *sums.get(place)?;
        order.push((hash, place));
        for other in shape.places(hash).0 {
            let count = counts.get_mut(other)?;
            *count -= 1;
            if *count == 1 {
                ready.push(other);
            }
            *sums.get_mut(other)? ^= hash;
        }
    }
    if order.len() != hashes.len() {
        return None;
    }
    let mut bytes = vec![0_u8; shape.len()];
    for (hash, place) in order.into_iter().rev() {
        let (places, mut byte) = shape.places(hash);
        for other in places.into_iter().filter(|other| *other != place) {
            byte ^= *bytes.get(other)?;
        }
        *bytes.get_mut(place)? = byte;
    }
    Some(bytes)
}

impl<'a> Filter<'a> {
    pub(super) fn open(cursor: &mut Cursor<'a>) -> Option<Self> {
        let seed = cursor.unsigned("seed").ok()?;
        let log = u32::from(cursor.byte("length of a segment").ok()?);
        let segments = cursor.unsigned("segments").ok()?;
        let bytes = cursor.take_rest();
        let shape = Shape { seed, log, segments };
        let good = segments == 0
            || (log <= SEGMENT_LOG_MAX && segments <= 1 << 32 && shape.len() == bytes.len());
        good.then_some(Self { shape, bytes })
    }

    /// Whether starts of ids were added when it was written.
    pub(super) fn tells_starts(&self) -> bool {
        self.shape.seed >= STARTS_SEED
    }

    pub(super) fn has(&self, hash: u64) -> bool {
        if self.shape.segments == 0 {
            return false;
        }
        let (places, mut byte) = self.shape.places(hash);
        for place in places {
            byte ^= self.bytes.get(place).copied().unwrap_or(0);
        }
        byte == 0
    }
}
