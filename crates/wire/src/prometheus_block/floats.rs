//! Chunks of floats: encodings `XOR` and `XOR2`.
//!
//! `XOR` (upstream: `chunkenc/xor.go`): times as deltas of deltas, values as the bits that differ.
//! `XOR2` (upstream: `chunkenc/xor2.go`): time and value under one control prefix, stale markers
//! apart, and perhaps start times.

use masthead_model::STALE_NAN_BITS;

use super::{
    bits::{Bits, lopsided, signed},
    chunks::SampleVisitor,
};
use crate::Error;

/// The value so far and the window of bits in which the last ones differed.
#[derive(Debug, Default)]
pub(super) struct Xor {
    pub(super) value: u64,
    leading: u32,
    trailing: u32,
}

impl Xor {
    pub(super) fn starting(value: u64) -> Self {
        Self { value, ..Self::default() }
    }

    /// The next value by the encoding of `XOR`, which histograms use too.
    #[inline]
    pub(super) fn next(&mut self, bits: &mut Bits<'_>) -> Result<u64, Error> {
        match bits.ones(2)? {
            0 => {}
            1 => self.same_window(bits)?,
            _ => self.new_window(bits)?,
        }
        Ok(self.value)
    }

    fn same_window(&mut self, bits: &mut Bits<'_>) -> Result<(), Error> {
        let differing = bits.bits(64 - self.leading - self.trailing)?;
        self.value ^= differing << self.trailing;
        Ok(())
    }

    fn new_window(&mut self, bits: &mut Bits<'_>) -> Result<(), Error> {
        let leading = bits.bits(5)?;
        let count = match bits.bits(6)? {
            // 64 does not fit into six bits; none at all is never written.
            0 => 64,
            count => count,
        };
        let trailing = 64_u64.checked_sub(leading + count);
        #[expect(clippy::cast_possible_truncation, reason = "both are at most 64")]
        let window = trailing.map(|trailing| (leading as u32, trailing as u32));
        (self.leading, self.trailing) = window.ok_or_else(|| bits.bad("window of a value"))?;
        self.same_window(bits)
    }
}

/// Visits the samples of an `XOR` chunk.
pub(super) fn xor(count: u16, data: &[u8], visitor: &mut impl SampleVisitor) -> Result<(), Error> {
    let mut bits = Bits::new(data);
    let (mut time, mut delta) = (0_i64, 0_i64);
    let mut value = Xor::default();
    for at in 0..count {
        match at {
            0 => {
                time = bits.grouped_signed()?;
                value = Xor::starting(bits.bits(64)?);
            }
            1 => {
                delta = bits.grouped()?.cast_signed();
                time = time.wrapping_add(delta);
                value.next(&mut bits)?;
            }
            _ => {
                let width = match bits.ones(4)? {
                    0 => 0,
                    1 => 14,
                    2 => 17,
                    3 => 20,
                    _ => 64,
                };
                delta = delta.wrapping_add(lopsided(bits.bits(width)?, width));
                time = time.wrapping_add(delta);
                value.next(&mut bits)?;
            }
        }
        visitor.float(time, 0, f64::from_bits(value.value));
    }
    Ok(())
}

/// Visits the samples of an `XOR2` chunk; `header` says where start times are.
pub(super) fn xor2(
    count: u16,
    header: u8,
    data: &[u8],
    visitor: &mut impl SampleVisitor,
) -> Result<(), Error> {
    let (first_known, changes_at) = (header & 0x80 != 0, u16::from(header & 0x7f));
    let mut bits = Bits::new(data);
    let (mut time, mut delta, mut start, mut ago) = (0_i64, 0_i64, 0_i64, 0_i64);
    let mut value = Xor::default();
    for at in 0..count {
        let before = time;
        let mut stale = false;
        if at == 0 {
            time = bits.grouped_signed()?;
            let first = bits.bits(64)?;
            stale = first == STALE_NAN_BITS;
            // A marker is not what the next value is compared with.
            value = Xor::starting(if stale { 0 } else { first });
            if first_known {
                start = time.wrapping_sub(bits.grouped_signed()?);
            }
        } else {
            if at == 1 {
                delta = bits.grouped()?.cast_signed();
                stale = xor2_value(&mut value, &mut bits)?;
            } else {
                let control = bits.ones(5)?;
                let width = match control {
                    2 => 13,
                    3 => 20,
                    4 => 64,
                    _ => 0,
                };
                match control {
                    0 => {}
                    1 if bits.bit()? => value.new_window(&mut bits)?,
                    1 => value.same_window(&mut bits)?,
                    5 => stale = true,
                    _ => {
                        delta = delta.wrapping_add(signed(bits.bits(width)?, width));
                        stale = xor2_value(&mut value, &mut bits)?;
                    }
                }
            }
            time = time.wrapping_add(delta);
            if changes_at > 0 && at >= changes_at {
                let change = bits.varbit_signed()?;
                ago = if at == changes_at { change } else { ago.wrapping_add(change) };
                start = before.wrapping_sub(ago);
            }
        }
        let shown = if stale { STALE_NAN_BITS } else { value.value };
        visitor.float(time, start, f64::from_bits(shown));
    }
    Ok(())
}

/// A value after a time that is not as expected; returns whether it is a stale marker.
fn xor2_value(value: &mut Xor, bits: &mut Bits<'_>) -> Result<bool, Error> {
    match bits.ones(3)? {
        0 => {}
        1 => value.same_window(bits)?,
        2 => value.new_window(bits)?,
        _ => return Ok(true),
    }
    Ok(false)
}
