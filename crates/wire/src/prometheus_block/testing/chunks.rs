//! Chunks for tests, sample by sample, in the encodings of upstream.

use masthead_model::{CounterResetHint, Histogram, Span, is_stale};

/// A chunk with what the index says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestChunk {
    /// Upstream's number of the encoding.
    pub encoding: u8,
    /// Time of the first sample.
    pub first: i64,
    /// Time of the last sample.
    pub last: i64,
    /// All that follows the encoding in the file.
    pub data: Vec<u8>,
}

/// Bits, first bit first.
#[derive(Debug, Default)]
struct BitWriter {
    out: Vec<u8>,
    used: u32,
}

impl BitWriter {
    fn bits(&mut self, value: u64, count: u32) {
        for at in (0..count).rev() {
            if self.used == 0 {
                self.out.push(0);
                self.used = 8;
            }
            self.used -= 1;
            if let Some(last) = self.out.last_mut() {
                *last |= u8::from(value >> at & 1 == 1) << self.used;
            }
        }
    }

    fn grouped(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bits(value & 0x7f | 0x80, 8);
            value >>= 7;
        }
        self.bits(value, 8);
    }

    fn grouped_signed(&mut self, value: i64) {
        self.grouped(((value << 1) ^ (value >> 63)).cast_unsigned());
    }

    /// So many ones, and a zero unless there are `max`.
    fn ones(&mut self, count: u32, max: u32) {
        self.bits(u64::MAX, count);
        if count < max {
            self.bits(0, 1);
        }
    }

    /// `value` behind as many ones as its width has smaller ones.
    fn varbit_signed(&mut self, value: i64) {
        let widths = [0_u32, 3, 6, 9, 12, 18, 25, 56];
        let fits = |width: &u32| match *width {
            0 => value == 0,
            width => value > -(1 << (width - 1)) && value <= 1 << (width - 1),
        };
        let ones = widths.iter().position(fits).unwrap_or(8);
        self.ones(u32::try_from(ones).unwrap_or(8), 8);
        self.bits(value.cast_unsigned(), widths.get(ones).copied().unwrap_or(64));
    }

    fn varbit(&mut self, value: u64) {
        let widths = [0_u32, 3, 6, 9, 12, 18, 25, 56];
        let ones = widths.iter().position(|width| value >> width == 0).unwrap_or(8);
        self.ones(u32::try_from(ones).unwrap_or(8), 8);
        self.bits(value, widths.get(ones).copied().unwrap_or(64));
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Xor {
    value: u64,
    window: Option<(u32, u32)>,
}

impl Xor {
    /// Writes `next` with these prefixes (bits, count) for the same and for a new window; nothing
    /// for an equal value.
    fn differing(&mut self, out: &mut BitWriter, next: u64, same: (u64, u32), new: (u64, u32)) {
        let delta = self.value ^ next;
        self.value = next;
        if delta == 0 {
            return;
        }
        let (leading, trailing) = (delta.leading_zeros().min(31), delta.trailing_zeros());
        match self.window {
            Some((l, t)) if leading >= l && trailing >= t => {
                out.bits(same.0, same.1);
                out.bits(delta >> t, 64 - l - t);
            }
            _ => {
                self.window = Some((leading, trailing));
                let count = 64 - leading - trailing;
                out.bits(new.0, new.1);
                out.bits(u64::from(leading), 5);
                out.bits(u64::from(count), 6);
                out.bits(delta >> trailing, count);
            }
        }
    }

    fn next(&mut self, out: &mut BitWriter, next: u64) {
        if self.value == next {
            out.bits(0, 1);
        }
        self.differing(out, next, (0b10, 2), (0b11, 2));
    }

    fn next_xor2(&mut self, out: &mut BitWriter, value: f64) {
        if is_stale(value) {
            return out.bits(0b111, 3);
        }
        if self.value == value.to_bits() {
            out.bits(0, 1);
        }
        self.differing(out, value.to_bits(), (0b10, 2), (0b110, 3));
    }
}

fn finish(encoding: u8, times: &[i64], header: Option<u8>, out: BitWriter) -> TestChunk {
    let count = u16::try_from(times.len()).unwrap_or(u16::MAX);
    let mut data = count.to_be_bytes().to_vec();
    data.extend(header);
    data.extend(out.out);
    let (first, last) = (times.first(), times.last());
    TestChunk {
        encoding,
        first: first.copied().unwrap_or(0),
        last: last.copied().unwrap_or(0),
        data,
    }
}

/// Floats in the encoding `XOR`.
pub fn xor(samples: &[(i64, f64)]) -> TestChunk {
    let mut out = BitWriter::default();
    let mut value = Xor::default();
    let (mut before, mut delta) = (0, 0);
    for (at, (time, float)) in samples.iter().enumerate() {
        match at {
            0 => {
                out.grouped_signed(*time);
                out.bits(float.to_bits(), 64);
                value.value = float.to_bits();
            }
            1 => {
                delta = time - before;
                out.grouped(delta.cast_unsigned());
                value.next(&mut out, float.to_bits());
            }
            _ => {
                let change = time - before - delta;
                delta += change;
                let widths = [0_u32, 14, 17, 20];
                let fits = |width: &u32| match *width {
                    0 => change == 0,
                    width => change > -(1 << (width - 1)) && change <= 1 << (width - 1),
                };
                let ones = widths.iter().position(fits).unwrap_or(4);
                out.ones(u32::try_from(ones).unwrap_or(4), 4);
                out.bits(change.cast_unsigned(), widths.get(ones).copied().unwrap_or(64));
                value.next(&mut out, float.to_bits());
            }
        }
        before = *time;
    }
    let times: Vec<i64> = samples.iter().map(|(time, _)| *time).collect();
    finish(1, &times, None, out)
}

/// Floats with start times (zero for none) in the encoding `XOR2`; at most 127 samples.
pub fn xor2(samples: &[(i64, i64, f64)]) -> TestChunk {
    let mut out = BitWriter::default();
    let mut value = Xor::default();
    let (mut before, mut delta, mut header, mut changes_at) = (0, 0, 0_u8, 0);
    let (mut start_before, mut ago) = (0, 0);
    for (at, (time, start, float)) in samples.iter().enumerate() {
        if at == 0 {
            out.grouped_signed(*time);
            out.bits(float.to_bits(), 64);
            value.value = if is_stale(*float) { 0 } else { float.to_bits() };
            if *start != 0 {
                header = 0x80;
                out.grouped_signed(time - start);
            }
        } else {
            if at == 1 {
                delta = time - before;
                out.grouped(delta.cast_unsigned());
                value.next_xor2(&mut out, *float);
            } else {
                let change = time - before - delta;
                delta += change;
                joint(&mut out, &mut value, change, *float);
            }
            if changes_at == 0 && *start != start_before {
                changes_at = at;
                header |= u8::try_from(at).unwrap_or(0x7f);
                ago = before - start;
                out.varbit_signed(ago);
            } else if changes_at > 0 {
                out.varbit_signed(before - start - ago);
                ago = before - start;
            }
        }
        (before, start_before) = (*time, *start);
    }
    let times: Vec<i64> = samples.iter().map(|(time, ..)| *time).collect();
    finish(4, &times, Some(header), out)
}

/// The control prefix of `XOR2` from the third sample on, and what follows it.
fn joint(out: &mut BitWriter, value: &mut Xor, change: i64, float: f64) {
    match change {
        0 if is_stale(float) => return out.bits(0b11111, 5),
        0 if value.value == float.to_bits() => return out.bits(0, 1),
        0 => {
            out.bits(0b10, 2);
            return value.differing(out, float.to_bits(), (0, 1), (1, 1));
        }
        -4096..=4095 => {
            out.bits(0b110, 3);
            out.bits(change.cast_unsigned(), 13);
        }
        -524_288..=524_287 => {
            out.bits(0b1110, 4);
            out.bits(change.cast_unsigned(), 20);
        }
        _ => {
            out.bits(0b11110, 5);
            out.bits(change.cast_unsigned(), 64);
        }
    }
    value.next_xor2(out, float);
}

fn layout(out: &mut BitWriter, histogram: &Histogram) -> u8 {
    let threshold = histogram.zero_threshold;
    // The exponent of a power of two, as upstream's `Frexp` has it.
    let exponent = i64::try_from(threshold.to_bits() >> 52).unwrap_or(0) - 1022;
    if threshold == 0.0 {
        out.bits(0, 8);
    } else if threshold.to_bits() << 12 == 0 && (-242..=11).contains(&exponent) {
        out.bits((exponent + 243).cast_unsigned(), 8);
    } else {
        out.bits(255, 8);
        out.bits(threshold.to_bits(), 64);
    }
    out.varbit_signed(i64::from(histogram.schema.number()));
    for spans in [&histogram.positive_spans, &histogram.negative_spans] {
        out.varbit(spans.len() as u64);
        for Span { offset, length } in spans {
            out.varbit(u64::from(*length));
            out.varbit_signed(i64::from(*offset));
        }
    }
    if histogram.uses_custom_buckets() {
        out.varbit(histogram.custom_values.len() as u64);
        for bound in &histogram.custom_values {
            let thousandths = bound * 1000.0;
            #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
            if (0.0..=33_554_430.0).contains(&thousandths) && thousandths.fract() == 0.0 {
                out.varbit((thousandths as i64).cast_unsigned() + 1);
            } else {
                out.bits(0, 1);
                out.bits(bound.to_bits(), 64);
            }
        }
    }
    match histogram.counter_reset_hint {
        CounterResetHint::Unknown => 0,
        CounterResetHint::CounterReset => 0b1000_0000,
        CounterResetHint::NotCounterReset => 0b0100_0000,
        CounterResetHint::Gauge => 0b1100_0000,
    }
}

/// Histograms with integer counts and the layout of the first of them.
pub fn histograms(samples: &[(i64, Histogram)]) -> TestChunk {
    let mut out = BitWriter::default();
    let mut flags = 0;
    let mut sum = Xor::default();
    let mut before: Vec<(i64, i64)> = Vec::new();
    for (at, (time, histogram)) in samples.iter().enumerate() {
        let numbers = integers(*time, histogram);
        if at == 0 {
            flags = layout(&mut out, histogram);
            for (at, number) in numbers.iter().enumerate() {
                match at {
                    1 | 2 => out.varbit(number.cast_unsigned()),
                    _ => out.varbit_signed(*number),
                }
                if at == 2 {
                    out.bits(histogram.sum.to_bits(), 64);
                }
            }
            sum.value = histogram.sum.to_bits();
            before = numbers.into_iter().map(|number| (number, 0)).collect();
            continue;
        }
        for (at, (value, delta)) in before.iter_mut().enumerate() {
            let Some(number) = numbers.get(at) else { break };
            out.varbit_signed(number - *value - *delta);
            *delta = number - *value;
            *value = *number;
            if at == 2 {
                sum.next(&mut out, histogram.sum.to_bits());
                if is_stale(histogram.sum) {
                    break;
                }
            }
        }
    }
    let times: Vec<i64> = samples.iter().map(|(time, _)| *time).collect();
    finish(2, &times, Some(flags), out)
}

/// Time, count, zero count, and the buckets as steps from one to the next.
#[expect(clippy::cast_possible_truncation, reason = "tests have small counts")]
fn integers(time: i64, histogram: &Histogram) -> Vec<i64> {
    let mut numbers = vec![time, histogram.count as i64, histogram.zero_count as i64];
    for buckets in [&histogram.positive_buckets, &histogram.negative_buckets] {
        let mut before = 0;
        for count in buckets {
            numbers.push(*count as i64 - before);
            before = *count as i64;
        }
    }
    numbers
}

/// Histograms with float counts and the layout of the first of them.
pub fn float_histograms(samples: &[(i64, Histogram)]) -> TestChunk {
    let mut out = BitWriter::default();
    let mut flags = 0;
    let mut values: Vec<Xor> = Vec::new();
    let (mut before, mut delta) = (0, 0);
    for (at, (time, histogram)) in samples.iter().enumerate() {
        let mut floats = vec![histogram.count, histogram.zero_count, histogram.sum];
        floats.extend(&histogram.positive_buckets);
        floats.extend(&histogram.negative_buckets);
        if at == 0 {
            flags = layout(&mut out, histogram);
            out.varbit_signed(*time);
            for float in floats {
                out.bits(float.to_bits(), 64);
                values.push(Xor { value: float.to_bits(), window: None });
            }
        } else {
            out.varbit_signed(time - before - delta);
            delta = time - before;
            for (at, (value, float)) in values.iter_mut().zip(floats).enumerate() {
                value.next(&mut out, float.to_bits());
                if at == 2 && is_stale(float) {
                    break;
                }
            }
        }
        before = *time;
    }
    let times: Vec<i64> = samples.iter().map(|(time, _)| *time).collect();
    finish(3, &times, Some(flags), out)
}
