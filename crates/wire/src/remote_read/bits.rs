//! Bits in the order in which upstream's chunks have them, and its variable-length numbers.
//!
//! Facts: `tsdb/chunkenc/bstream.go`, `tsdb/chunkenc/varbit.go`.

/// Appends bits, the most significant first.
#[derive(Debug, Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    /// Bits of the last byte that are free.
    free: u32,
}

impl BitWriter {
    /// Starts behind whole bytes.
    pub(super) fn after(bytes: Vec<u8>) -> Self {
        Self { bytes, free: 0 }
    }

    pub(super) fn bit(&mut self, bit: bool) {
        self.bits(u64::from(bit), 1);
    }

    /// The lowest `count` bits of `value`.
    pub(super) fn bits(&mut self, value: u64, count: u32) {
        let mut left = count;
        while left > 0 {
            if self.free == 0 {
                self.bytes.push(0);
                self.free = 8;
            }
            let take = left.min(self.free);
            let part = (value >> (left - take)) & ((1 << take) - 1);
            if let Some(last) = self.bytes.last_mut() {
                // At most eight bits, moved to where the free ones begin.
                *last |= u8::try_from(part << (self.free - take)).unwrap_or(0);
            }
            self.free -= take;
            left -= take;
        }
    }

    pub(super) fn byte(&mut self, byte: u8) {
        self.bits(u64::from(byte), 8);
    }

    /// Protobuf's variable-length number, at any bit.
    pub(super) fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.byte((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.byte((value & 0x7f) as u8);
    }

    /// A count in the fewest of the widths that upstream has.
    pub(super) fn varbit_unsigned(&mut self, value: u64) {
        let width = [3, 6, 9, 12, 18, 25, 56].into_iter().position(|width| value < 1 << width);
        self.varbit(value, value == 0, width);
    }

    /// The same for a number that may be negative; a width holds one more above zero than below.
    pub(super) fn varbit_signed(&mut self, value: i64) {
        let width = [3, 6, 9, 12, 18, 25, 56].into_iter().position(|width| fits(value, width));
        self.varbit(value.cast_unsigned(), value == 0, width);
    }

    fn varbit(&mut self, value: u64, zero: bool, width: Option<usize>) {
        if zero {
            return self.bit(false);
        }
        // As many ones as the place of the width, plus one, then a zero; the widest has no zero.
        match width {
            Some(at) => {
                let ones = u32::try_from(at).unwrap_or(0) + 1;
                self.bits((1 << (ones + 1)) - 2, ones + 1);
                let width = [3, 6, 9, 12, 18, 25, 56].get(at).copied().unwrap_or(64);
                self.bits(value, width);
            }
            None => {
                self.bits(0xff, 8);
                self.bits(value, 64);
            }
        }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Whether `width` bits hold `value` in upstream's way, which keeps the pattern of the most
/// negative number for the largest positive one.
pub(super) fn fits(value: i64, width: u32) -> bool {
    let half = 1_i64 << (width - 1);
    (1 - half..=half).contains(&value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bits that `write` appends, as text.
    fn text(write: impl FnOnce(&mut BitWriter)) -> String {
        let mut bits = BitWriter::default();
        write(&mut bits);
        let used = bits.bytes.len() * 8 - bits.free as usize;
        let bytes = bits.finish();
        let bit = |at: usize| bytes.get(at / 8).is_some_and(|byte| byte >> (7 - at % 8) & 1 == 1);
        (0..used).map(|at| if bit(at) { '1' } else { '0' }).collect()
    }

    #[test]
    fn numbers_take_the_narrowest_width() {
        let f = |value, want: &str| assert_eq!(text(|w| w.varbit_signed(value)), want, "{value}");
        f(0, "0");
        f(1, "10001");
        f(4, "10100");
        f(-3, "10101");
        f(5, "110000101");
        f(-4, "110111100");
        f(33, "1110000100001");
        let f = |value, want: &str| assert_eq!(text(|w| w.varbit_unsigned(value)), want, "{value}");
        f(0, "0");
        f(7, "10111");
        f(8, "110001000");
        f(64, "1110001000000");
        assert_eq!(text(|w| w.varbit_unsigned(u64::MAX)), "1".repeat(72));
        assert_eq!(text(|w| w.varbit_signed(i64::MIN)).len(), 72);
    }

    #[test]
    fn bits_cross_bytes() {
        assert_eq!(
            text(|w| {
                w.bits(0b101, 3);
                w.bits(0x1ff, 9);
            }),
            "101111111111"
        );
        assert_eq!(
            text(|w| {
                w.bit(true);
                w.varint(300);
            }),
            "11010110000000010"
        );
        assert_eq!(text(|w| w.bits(u64::MAX, 64)), "1".repeat(64));
    }
}
