//! Bits in bytes, the lowest bit of the first byte first.
//!
//! Two shapes: columns of equal width ([`pack`], [`unpack`]) for sealed columns, and single
//! fields ([`push`], [`BitReader`]) for columns that still grow.

use smallvec::SmallVec;

/// Bytes that a growing column holds without an allocation.
pub(crate) const INLINE_BYTES: usize = 16;

/// The bytes of a growing column.
pub(crate) type SmallBytes = SmallVec<[u8; INLINE_BYTES]>;

/// Widths up to this can be read by one load of eight bytes, whatever bit they start at.
pub(crate) const ONE_LOAD_WIDTH_MAX: u32 = 57;

/// Appends the low `width` bits (1 to 64) of each value.
pub(crate) fn pack(out: &mut Vec<u8>, values: &[u64], width: u32) {
    let mut pending = 0_u128;
    let mut filled = 0;
    for value in values {
        pending |= u128::from(*value) << filled;
        filled += width;
        if filled >= 64 {
            out.extend_from_slice(&low_word(pending).to_le_bytes());
            pending >>= 64;
            filled -= 64;
        }
    }
    let bytes = low_word(pending).to_le_bytes();
    out.extend_from_slice(bytes.get(..filled.div_ceil(8) as usize).unwrap_or_default());
}

/// How many bytes [`pack`] writes.
pub(crate) fn packed_len(count: usize, width: u32) -> usize {
    (count * width as usize).div_ceil(8)
}

/// The `count` values of `width` bits (1 to 64); bits past the end of `bytes` are zero.
pub(crate) fn unpack(bytes: &[u8], count: usize, width: u32) -> impl Iterator<Item = u64> {
    (0..count).map(move |at| get(bytes, at, width))
}

/// The value at place `at` among values of `width` bits (1 to 64).
#[inline]
pub(crate) fn get(bytes: &[u8], at: usize, width: u32) -> u64 {
    window(bytes, at * width as usize, width) & (u64::MAX >> (64 - width))
}

/// At least `width` bits from bit `bit` on.
#[inline]
fn window(bytes: &[u8], bit: usize, width: u32) -> u64 {
    let shift = bit % 8;
    let low = load(bytes, bit / 8) >> shift;
    if width <= ONE_LOAD_WIDTH_MAX || shift == 0 {
        return low;
    }
    low | load(bytes, bit / 8 + 8) << (64 - shift)
}

#[inline]
fn load(bytes: &[u8], at: usize) -> u64 {
    let tail = bytes.get(at..).unwrap_or_default();
    match tail.first_chunk() {
        Some(word) => u64::from_le_bytes(*word),
        None => load_tail(tail),
    }
}

/// Fewer than eight bytes; apart, because it comes once in a column.
#[cold]
fn load_tail(tail: &[u8]) -> u64 {
    tail.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// Appends the low `width` bits (0 to 64) of `value` to bytes that hold `filled` bits.
#[expect(clippy::cast_possible_truncation, reason = "a byte at a time")]
pub(crate) fn push(bytes: &mut SmallBytes, filled: &mut u32, value: u64, width: u32) {
    if width == 0 {
        return;
    }
    let used = *filled % 8;
    let mut pending = u128::from(value & (u64::MAX >> (64 - width))) << used;
    let mut left = width + used;
    if used > 0
        && let Some(last) = bytes.last_mut()
    {
        *last |= pending as u8;
        pending >>= 8;
        left = left.saturating_sub(8);
    }
    while left > 0 {
        bytes.push(pending as u8);
        pending >>= 8;
        left = left.saturating_sub(8);
    }
    *filled += width;
}

/// Appends `value` (at least 1) in Elias' gamma code: its length in zeros, then its bits.
pub(crate) fn push_gamma(bytes: &mut SmallBytes, filled: &mut u32, value: u32) {
    let length = value.max(1).ilog2();
    push(bytes, filled, 1 << length, length + 1);
    push(bytes, filled, u64::from(value), length);
}

/// Reads fields one after the other.
#[derive(Debug, Clone)]
pub(crate) struct BitReader<'a> {
    bytes: &'a [u8],
    bit: usize,
    end: usize,
}

impl<'a> BitReader<'a> {
    /// Reads at most `end` bits of `bytes`.
    pub(crate) fn new(bytes: &'a [u8], end: usize) -> Self {
        Self::starting(bytes, 0, end)
    }

    /// The same from bit `bit` on.
    pub(crate) fn starting(bytes: &'a [u8], bit: usize, end: usize) -> Self {
        let end = end.min(bytes.len() * 8);
        Self { bytes, bit: bit.min(end), end }
    }

    pub(crate) fn bit(&self) -> usize {
        self.bit
    }

    /// The next `width` bits (0 to 64), or nothing if fewer are left.
    pub(crate) fn take(&mut self, width: u32) -> Option<u64> {
        let next = self.bit + width as usize;
        if width == 0 || next > self.end {
            return (width == 0).then_some(0);
        }
        let value = window(self.bytes, self.bit, width) & (u64::MAX >> (64 - width));
        self.bit = next;
        Some(value)
    }

    /// The bits that come next, the first of them lowest: as many as one load brings, at least
    /// [`ONE_LOAD_WIDTH_MAX`], with zeros past the end of the bytes.
    #[inline]
    pub(crate) fn peek(&self) -> u64 {
        window(self.bytes, self.bit, ONE_LOAD_WIDTH_MAX)
    }

    /// Passes `width` bits that [`BitReader::peek`] showed; says whether there are so many.
    #[inline]
    pub(crate) fn pass(&mut self, width: u32) -> bool {
        let next = self.bit + width as usize;
        let there = next <= self.end;
        if there {
            self.bit = next;
        }
        there
    }

    /// The next number in gamma code, at most `u32::MAX`.
    pub(crate) fn take_gamma(&mut self) -> Option<u32> {
        let left = self.end - self.bit;
        let zeros = window(self.bytes, self.bit, 32).trailing_zeros();
        if zeros > 31 || zeros as usize >= left {
            return None;
        }
        self.bit += zeros as usize + 1;
        let low = self.take(zeros)?;
        u32::try_from(1 << zeros | low).ok()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the low half is meant")]
fn low_word(value: u128) -> u64 {
    value as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_width_comes_back_at_every_bit() {
        let mut random = fastrand::Rng::with_seed(1);
        for width in 1..=64 {
            let values: Vec<u64> =
                (0..67).map(|_| random.u64(..) & (u64::MAX >> (64 - width))).collect();
            let mut packed = Vec::new();
            pack(&mut packed, &values, width);
            assert_eq!(packed.len(), packed_len(values.len(), width));
            let back: Vec<u64> = unpack(&packed, values.len(), width).collect();
            assert_eq!(back, values, "width {width}");

            let (mut bytes, mut filled) = (SmallBytes::new(), 0);
            for value in &values {
                push(&mut bytes, &mut filled, *value, width);
            }
            assert_eq!(bytes.as_slice(), packed, "one layout for both shapes");
            let mut reader = BitReader::new(&bytes, filled as usize);
            assert!(values.iter().all(|value| reader.take(width) == Some(*value)));
            assert_eq!(reader.take(1), None);
        }
    }

    #[test]
    fn gamma_codes_come_back_and_end_with_the_bits() {
        let values = [1, 2, 3, 4, 7, 8, 480, 65_535, 65_536, u32::MAX - 1, u32::MAX];
        let (mut bytes, mut filled) = (SmallBytes::new(), 0);
        for value in values {
            push_gamma(&mut bytes, &mut filled, value);
        }
        let mut reader = BitReader::new(&bytes, filled as usize);
        for value in values {
            assert_eq!(reader.take_gamma(), Some(value));
        }
        assert_eq!(reader.take_gamma(), None);
        assert_eq!(BitReader::new(&[0; 9], 72).take_gamma(), None, "no number starts so");
    }
}
