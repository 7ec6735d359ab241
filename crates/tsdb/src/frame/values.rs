//! One float relative to another, in as few bytes as can be had without looking further.
//!
//! ```text
//! 0nnnnnnn               n + 1 floats equal to their base
//! 100000kk number        both are integers over 10^k; zigzag of the difference of these integers
//! 11lllsss bytes         XOR of the bits: l zero bytes, s + 1 bytes, zero bytes
//! ```

use masthead_durable::bytes::{Bad, Reader, put_signed};

const RUN_MAX: u8 = 0x80;
const SCALED: u8 = 0x80;
const XOR: u8 = 0xc0;
const SCALES: [f64; 4] = [1.0, 10.0, 100.0, 1000.0];
/// Integers below this are exact.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Writes floats relative to their bases.
#[derive(Debug, Default)]
pub(super) struct Writer {
    run: u8,
}

impl Writer {
    pub(super) fn push(&mut self, out: &mut Vec<u8>, base: u64, bits: u64) {
        if base == bits {
            self.run += 1;
            if self.run == RUN_MAX {
                self.finish(out);
            }
            return;
        }
        self.finish(out);
        if let Some((scale, difference)) = scaled(base, bits) {
            out.push(SCALED | scale);
            put_signed(out, difference);
            return;
        }
        let changed = base ^ bits;
        let leading = changed.leading_zeros() / 8;
        let trailing = changed.trailing_zeros() / 8;
        let count = 8 - leading - trailing;
        let token = leading << 3 | (count - 1);
        out.push(XOR | u8::try_from(token).unwrap_or(0));
        let bytes = (changed >> (8 * trailing)).to_le_bytes();
        out.extend(bytes.iter().take(count as usize));
    }

    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        if self.run > 0 {
            out.push(self.run - 1);
            self.run = 0;
        }
    }
}

/// Reads what [`Writer`] wrote.
#[derive(Debug, Default)]
pub(super) struct Values {
    run: u8,
}

impl Values {
    pub(super) fn next(&mut self, reader: &mut Reader<'_>, base: u64) -> Result<u64, Bad> {
        if self.run > 0 {
            self.run -= 1;
            return Ok(base);
        }
        let bad = reader.bad("value");
        let token = reader.byte("value")?;
        match token {
            0..=0x7f => {
                self.run = token;
                Ok(base)
            }
            0x80..=0x83 => {
                let difference = reader.signed("value")?;
                Ok(unscaled(base, usize::from(token & 3), difference))
            }
            0xc0..=0xff => {
                let (leading, count) = (u32::from(token >> 3 & 7), u32::from(token & 7) + 1);
                let trailing = 8_u32.checked_sub(leading + count).ok_or(bad)?;
                let mut bytes = [0; 8];
                let taken = reader.take(count as usize, "value")?;
                bytes.iter_mut().zip(taken).for_each(|(to, from)| *to = *from);
                Ok(base ^ (u64::from_le_bytes(bytes) << (8 * trailing)))
            }
            _ => Err(bad),
        }
    }
}

/// The power of ten and the difference that lead from one to the other exactly, if there are any.
fn scaled(base: u64, bits: u64) -> Option<(u8, i64)> {
    let (from, to) = (f64::from_bits(base), f64::from_bits(bits));
    if !from.is_finite() || !to.is_finite() || to.abs() >= EXACT / 1000.0 {
        return None;
    }
    for (at, scale) in (0_u8..).zip(SCALES) {
        let scaled = (to * scale).round();
        if (scaled / scale).to_bits() == bits {
            let difference = whole(scaled) - whole_of(from, scale);
            let fits = unscaled(base, usize::from(at), difference) == bits;
            // Beyond this the XOR is about as short.
            return (fits && difference.unsigned_abs() < 1 << 41).then_some((at, difference));
        }
    }
    None
}

fn unscaled(base: u64, scale: usize, difference: i64) -> u64 {
    let scale = SCALES.get(scale).copied().unwrap_or(1.0);
    let sum = whole_of(f64::from_bits(base), scale).wrapping_add(difference);
    #[expect(clippy::cast_precision_loss, reason = "the writer has checked that it is exact")]
    let value = sum as f64 / scale;
    value.to_bits()
}

fn whole_of(value: f64, scale: f64) -> i64 {
    let scaled = (value * scale).round();
    if scaled.abs() < EXACT { whole(scaled) } else { 0 }
}

#[expect(clippy::cast_possible_truncation, reason = "callers keep it below 2^53")]
fn whole(value: f64) -> i64 {
    value as i64
}
