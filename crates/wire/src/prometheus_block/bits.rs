//! Bits of a chunk, first bit first, and the numbers that histograms write in them.

use crate::Error;

/// Reads bits from front to back.
#[derive(Debug, Clone)]
pub(super) struct Bits<'a> {
    rest: &'a [u8],
    /// The next bits, from the top. Those below `valid` are what comes after them, or zeros.
    buffer: u64,
    valid: u32,
    /// Bytes of the whole slice.
    len: usize,
}

/// How wide a number of histograms is, by how many ones stand before it.
const WIDTHS: [u32; 9] = [0, 3, 6, 9, 12, 18, 25, 56, 64];

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, buffer: 0, valid: 0, len: bytes.len() }
    }

    /// How many bits are left.
    pub(super) fn remaining(&self) -> usize {
        self.rest.len() * 8 + self.valid as usize
    }

    pub(super) fn bad(&self, what: &'static str) -> Error {
        Error::Damaged { what, offset: self.len - self.remaining().div_ceil(8) }
    }

    /// The next `count` bits, at most 64.
    #[inline]
    pub(super) fn bits(&mut self, count: u32) -> Result<u64, Error> {
        if count > 56 {
            let high = self.few(count - 32)?;
            return Ok(high << 32 | self.few(32)?);
        }
        self.few(count)
    }

    #[inline]
    pub(super) fn bit(&mut self) -> Result<bool, Error> {
        Ok(self.few(1)? == 1)
    }

    #[inline]
    fn few(&mut self, count: u32) -> Result<u64, Error> {
        if self.valid < count {
            self.refill();
            if self.valid < count {
                return Err(self.bad("end of a chunk"));
            }
        }
        if count == 0 {
            return Ok(0);
        }
        let value = self.buffer >> (64 - count);
        self.buffer <<= count;
        self.valid -= count;
        Ok(value)
    }

    /// Fills the buffer to at least 57 bits, or with all that is left.
    #[inline]
    fn refill(&mut self) {
        if let Some(next) = self.rest.first_chunk::<8>() {
            let bytes = (64 - self.valid) / 8;
            self.buffer |= u64::from_be_bytes(*next) >> self.valid;
            self.rest = self.rest.get(bytes as usize..).unwrap_or_default();
            self.valid += 8 * bytes;
            return;
        }
        while self.valid <= 56
            && let Some((byte, rest)) = self.rest.split_first()
        {
            self.buffer |= u64::from(*byte) << (56 - self.valid);
            self.valid += 8;
            self.rest = rest;
        }
    }

    /// A number in groups of seven bits, as Go's `binary.ReadUvarint`.
    pub(super) fn grouped(&mut self) -> Result<u64, Error> {
        let mut value = 0_u64;
        for at in 0..10 {
            let byte = self.bits(8)?;
            value |= (byte & 0x7f).checked_shl(7 * at).unwrap_or(0);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(self.bad("number"))
    }

    /// The same with a sign.
    pub(super) fn grouped_signed(&mut self) -> Result<i64, Error> {
        let value = self.grouped()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    /// Counts ones up to the first zero, which is read too, or up to `max` of them.
    #[inline]
    pub(super) fn ones(&mut self, max: u32) -> Result<u32, Error> {
        for count in 0..max {
            if !self.bit()? {
                return Ok(count);
            }
        }
        Ok(max)
    }

    /// Upstream's `readVarbitUint`.
    #[inline]
    pub(super) fn varbit(&mut self) -> Result<u64, Error> {
        let ones = self.ones(8)?;
        self.bits(WIDTHS.get(ones as usize).copied().unwrap_or(64))
    }

    /// Upstream's `readVarbitInt`: the range of a width is from `-2^(width-1) + 1` to `2^(width-1)`.
    #[inline]
    pub(super) fn varbit_signed(&mut self) -> Result<i64, Error> {
        let ones = self.ones(8)?;
        let width = WIDTHS.get(ones as usize).copied().unwrap_or(64);
        let bits = self.bits(width)?;
        Ok(lopsided(bits, width))
    }
}

/// The signed number that upstream writes in so many bits where the top of the range belongs to it.
pub(super) fn lopsided(bits: u64, width: u32) -> i64 {
    if width == 0 || width >= 64 || bits <= 1 << (width - 1) {
        bits.cast_signed()
    } else {
        bits.wrapping_sub(1 << width).cast_signed()
    }
}

/// The ordinary two's complement number in so many bits.
pub(super) fn signed(bits: u64, width: u32) -> i64 {
    let unused = 64 - width.clamp(1, 64);
    (bits << unused).cast_signed() >> unused
}
