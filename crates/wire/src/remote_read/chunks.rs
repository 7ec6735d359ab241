//! Samples in upstream's chunk encodings, which remote read sends as they are on its disk.
//!
//! Floats are XOR chunks of up to [`SAMPLES_MAX`] samples. Every histogram is a chunk of its own: the
//! first sample of a chunk is written in full, so nothing need be known of the one before, and the
//! layout may change freely. That costs bytes where there are many, and no client minds.
//!
//! Facts: `tsdb/chunkenc/xor.go`, `float_histogram.go`, `histogram_meta.go`.

use masthead_model::{CounterResetHint, Histogram, is_stale};

use super::bits::{BitWriter, fits};
use crate::proto::zigzag;

/// Samples of one chunk at most, as upstream cuts them.
pub(super) const SAMPLES_MAX: usize = 120;
/// No width of the value before yet.
const NO_LEADING: u32 = u32::MAX;
/// Leading zeros are written in five bits.
const LEADING_MAX: u32 = 31;
/// Marks a zero threshold that is no power of two.
const THRESHOLD_IN_FULL: u8 = 255;

/// How the data of a chunk is to be read (`prompb/types.proto: Chunk.Encoding`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Xor = 1,
    FloatHistogram = 3,
}

/// A chunk of at most [`SAMPLES_MAX`] floats.
pub(super) fn floats(times: &[i64], values: &[f64]) -> Vec<u8> {
    let count = u16::try_from(times.len().min(values.len())).unwrap_or(u16::MAX);
    let mut w = BitWriter::after(count.to_be_bytes().to_vec());
    let (mut time, mut delta, mut bits) = (0_i64, 0_i64, 0_u64);
    let (mut leading, mut trailing) = (NO_LEADING, 0);
    for (at, (&next, value)) in times.iter().zip(values).enumerate() {
        let next_bits = value.to_bits();
        let step = next.wrapping_sub(time);
        match at {
            0 => {
                w.varint(zigzag(next));
                w.bits(next_bits, 64);
            }
            1 => w.varint(step.cast_unsigned()),
            _ => time_change(&mut w, step.wrapping_sub(delta)),
        }
        if at > 0 {
            value_change(&mut w, bits ^ next_bits, &mut leading, &mut trailing);
            delta = step;
        }
        (time, bits) = (next, next_bits);
    }
    w.finish()
}

/// How much longer a step is than the one before.
fn time_change(w: &mut BitWriter, change: i64) {
    match [(14, 0b10, 2), (17, 0b110, 3), (20, 0b1110, 4)]
        .into_iter()
        .find(|(width, ..)| fits(change, *width))
    {
        _ if change == 0 => w.bit(false),
        Some((width, prefix, prefix_bits)) => {
            w.bits(prefix, prefix_bits);
            w.bits(change.cast_unsigned(), width);
        }
        None => {
            w.bits(0b1111, 4);
            w.bits(change.cast_unsigned(), 64);
        }
    }
}

/// The bits that differ from the value before, within the window of the last that differed if
/// they fit it.
fn value_change(w: &mut BitWriter, change: u64, leading: &mut u32, trailing: &mut u32) {
    if change == 0 {
        return w.bit(false);
    }
    w.bit(true);
    let now_leading = change.leading_zeros().min(LEADING_MAX);
    let now_trailing = change.trailing_zeros();
    if *leading != NO_LEADING && now_leading >= *leading && now_trailing >= *trailing {
        w.bit(false);
    } else {
        (*leading, *trailing) = (now_leading, now_trailing);
        w.bit(true);
        w.bits(u64::from(now_leading), 5);
        // 64 does not fit six bits and is written as 0, which does not occur.
        w.bits(u64::from((64 - now_leading - now_trailing) % 64), 6);
    }
    w.bits(change >> *trailing, 64 - *leading - *trailing);
}

/// A chunk of one histogram.
pub(super) fn histogram(time: i64, histogram: &Histogram) -> Vec<u8> {
    let ended;
    let mut histogram = histogram;
    if is_stale(histogram.sum) {
        // Nothing of it but the marker means anything.
        ended = Histogram { sum: histogram.sum, ..Histogram::default() };
        histogram = &ended;
    }
    let reset: u8 = match histogram.counter_reset_hint {
        CounterResetHint::Unknown => 0,
        CounterResetHint::CounterReset => 0b1000_0000,
        CounterResetHint::NotCounterReset => 0b0100_0000,
        CounterResetHint::Gauge => 0b1100_0000,
    };
    let mut w = BitWriter::after(vec![0, 1, reset]);
    threshold(&mut w, histogram.zero_threshold);
    w.varbit_signed(i64::from(histogram.schema.number()));
    for spans in [&histogram.positive_spans, &histogram.negative_spans] {
        w.varbit_unsigned(spans.len() as u64);
        for span in spans {
            w.varbit_unsigned(u64::from(span.length));
            w.varbit_signed(i64::from(span.offset));
        }
    }
    if histogram.schema.is_custom() {
        w.varbit_unsigned(histogram.custom_values.len() as u64);
        for bound in &histogram.custom_values {
            // A zero says that the bound stands in full; the short form is not needed.
            w.bit(false);
            w.bits(bound.to_bits(), 64);
        }
    }
    w.varbit_signed(time);
    let totals = [histogram.count, histogram.zero_count, histogram.sum];
    let buckets = histogram.positive_buckets.iter().chain(&histogram.negative_buckets);
    for value in totals.iter().chain(buckets) {
        w.bits(value.to_bits(), 64);
    }
    w.finish()
}

/// One byte for zero and for powers of two near the usual 2^-128, nine for all else.
fn threshold(w: &mut BitWriter, threshold: f64) {
    const MANTISSA: u64 = (1 << 52) - 1;
    if threshold == 0.0 {
        return w.byte(0);
    }
    let bits = threshold.to_bits();
    // The exponent of Go's Frexp, whose fraction is a half for powers of two.
    let exponent = i64::from((bits >> 52) as u32 & 0x7ff) - 1022;
    let power = bits & MANTISSA == 0 && threshold > 0.0 && (-242..=11).contains(&exponent);
    match u8::try_from(exponent + 243) {
        Ok(byte) if power => w.byte(byte),
        _ => {
            w.byte(THRESHOLD_IN_FULL);
            w.bits(bits, 64);
        }
    }
}
