//! Chunks of native histograms, with integer and with float counts.
//!
//! All samples of a chunk have one layout: schema, zero threshold, spans, custom bounds. Integers
//! are deltas of deltas of counts (and of buckets, which are deltas to the bucket before); floats
//! are the bits that differ from the sample before. A stale marker brings no buckets.
//! Upstream: `chunkenc/histogram.go`, `float_histogram.go`, `histogram_meta.go`.

use masthead_model::{CounterResetHint, Histogram, STALE_NAN_BITS, Schema, Span};

use super::{bits::Bits, chunks::SampleVisitor, floats::Xor};
use crate::Error;

/// What all samples of a chunk have in common.
#[derive(Debug)]
struct Layout {
    hint: CounterResetHint,
    schema: Schema,
    zero_threshold: f64,
    positive: Vec<Span>,
    negative: Vec<Span>,
    positive_len: usize,
    negative_len: usize,
    custom_values: Vec<f64>,
}

impl Layout {
    fn read(flags: u8, bits: &mut Bits<'_>) -> Result<Self, Error> {
        let hint = match flags >> 6 {
            0b10 => CounterResetHint::CounterReset,
            0b11 => CounterResetHint::Gauge,
            // That no counter was reset since the chunk before says nothing if that one is gone.
            _ => CounterResetHint::Unknown,
        };
        let zero_threshold = match bits.bits(8)? {
            0 => 0.0,
            255 => f64::from_bits(bits.bits(64)?),
            #[expect(clippy::cast_possible_truncation, reason = "below 255")]
            power => 0.5 * 2_f64.powi(power as i32 - 243),
        };
        let number = bits.varbit_signed()?;
        let schema = i32::try_from(number).ok().and_then(Schema::new).ok_or_else(|| {
            Error::Content(format!("native histograms of schema {number} are not supported"))
        })?;
        let (positive, positive_len) = read_spans(bits)?;
        let (negative, negative_len) = read_spans(bits)?;
        let mut custom_values = Vec::new();
        if schema.is_custom() {
            let count = bits.varbit()?;
            for _ in 0..count {
                // Each takes a bit at least, so the data ends before memory does.
                custom_values.push(read_bound(bits)?);
            }
        }
        Ok(Self {
            hint,
            schema,
            zero_threshold,
            positive,
            negative,
            positive_len,
            negative_len,
            custom_values,
        })
    }

    /// The sample number `at` with this layout.
    fn histogram(&self, at: u16, sample: &Counts<'_>) -> Result<Histogram, Error> {
        if sample.sum == STALE_NAN_BITS {
            return Ok(Histogram { sum: f64::from_bits(sample.sum), ..Histogram::default() });
        }
        let histogram = Histogram {
            counter_reset_hint: match self.hint {
                CounterResetHint::Gauge => CounterResetHint::Gauge,
                // A reset would have begun another chunk.
                _ if at > 0 => CounterResetHint::NotCounterReset,
                hint => hint,
            },
            schema: self.schema,
            zero_threshold: self.zero_threshold,
            zero_count: sample.zero_count,
            count: sample.count,
            sum: f64::from_bits(sample.sum),
            positive_spans: self.positive.clone(),
            positive_buckets: sample.positive.to_vec(),
            negative_spans: self.negative.clone(),
            negative_buckets: sample.negative.to_vec(),
            custom_values: self.custom_values.clone(),
        };
        histogram.validate()?;
        Ok(histogram)
    }
}

/// What differs between the samples of a chunk.
struct Counts<'a> {
    count: f64,
    zero_count: f64,
    sum: u64,
    positive: &'a [f64],
    negative: &'a [f64],
}

fn read_spans(bits: &mut Bits<'_>) -> Result<(Vec<Span>, usize), Error> {
    let count = bits.varbit()?;
    let (mut spans, mut buckets) = (Vec::new(), 0_usize);
    for _ in 0..count {
        let bad = bits.bad("span of a histogram");
        let length = u32::try_from(bits.varbit()?).map_err(|_| bad.clone())?;
        let offset = i32::try_from(bits.varbit_signed()?).map_err(|_| bad.clone())?;
        buckets = buckets.saturating_add(length as usize);
        // Each bucket takes a bit of the first sample at least.
        if buckets > bits.remaining() {
            return Err(bad);
        }
        spans.push(Span { offset, length });
    }
    Ok((spans, buckets))
}

/// Upstream's `readCustomBound`: thousandths, or a whole float.
fn read_bound(bits: &mut Bits<'_>) -> Result<f64, Error> {
    #[expect(clippy::cast_precision_loss, reason = "what is written so is below 2^25")]
    Ok(match bits.varbit()? {
        0 => f64::from_bits(bits.bits(64)?),
        thousandths => (thousandths - 1) as f64 / 1000.0,
    })
}

/// A number as delta of deltas.
#[derive(Debug, Clone, Copy, Default)]
struct Running {
    value: i64,
    delta: i64,
}

impl Running {
    fn step(&mut self, bits: &mut Bits<'_>) -> Result<(), Error> {
        self.delta = self.delta.wrapping_add(bits.varbit_signed()?);
        self.value = self.value.wrapping_add(self.delta);
        Ok(())
    }
}

/// Visits the samples of a chunk with integer counts.
pub(super) fn integers(
    samples: u16,
    flags: u8,
    data: &[u8],
    visitor: &mut impl SampleVisitor,
) -> Result<(), Error> {
    if samples == 0 {
        return Ok(());
    }
    let mut bits = Bits::new(data);
    let bits = &mut bits;
    let layout = Layout::read(flags, bits)?;
    let first = |value: i64| Running { value, delta: 0 };
    let mut time = first(bits.varbit_signed()?);
    let mut count = first(bits.varbit()?.cast_signed());
    let mut zero_count = first(bits.varbit()?.cast_signed());
    let mut sum = Xor::starting(bits.bits(64)?);
    let mut buckets = vec![Running::default(); layout.positive_len + layout.negative_len];
    for bucket in &mut buckets {
        *bucket = first(bits.varbit_signed()?);
    }
    let mut absolute = Vec::with_capacity(buckets.len());
    for at in 0..samples {
        if at > 0 {
            time.step(bits)?;
            count.step(bits)?;
            zero_count.step(bits)?;
            sum.next(bits)?;
            if sum.value != STALE_NAN_BITS {
                for bucket in &mut buckets {
                    bucket.step(bits)?;
                }
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "counts are floats here, as in queries")]
        let float = |number: i64| number.cast_unsigned() as f64;
        absolute.clear();
        for side in [
            buckets.get(..layout.positive_len).unwrap_or_default(),
            buckets.get(layout.positive_len..).unwrap_or_default(),
        ] {
            let mut running = 0_i64;
            for bucket in side {
                running = running.wrapping_add(bucket.value);
                #[expect(clippy::cast_precision_loss, reason = "as above")]
                absolute.push(running as f64);
            }
        }
        let (positive, negative) = absolute.split_at(layout.positive_len);
        let (count, zero_count) = (float(count.value), float(zero_count.value));
        let sum = sum.value;
        let counts = Counts { count, zero_count, sum, positive, negative };
        visitor.histogram(time.value, layout.histogram(at, &counts)?);
    }
    Ok(())
}

/// Visits the samples of a chunk with float counts.
pub(super) fn floats(
    samples: u16,
    flags: u8,
    data: &[u8],
    visitor: &mut impl SampleVisitor,
) -> Result<(), Error> {
    if samples == 0 {
        return Ok(());
    }
    let mut bits = Bits::new(data);
    let bits = &mut bits;
    let layout = Layout::read(flags, bits)?;
    let buckets = layout.positive_len + layout.negative_len;
    if buckets > bits.remaining() / 64 {
        return Err(bits.bad("buckets of a histogram"));
    }
    let mut time = Running { value: bits.varbit_signed()?, delta: 0 };
    // Count, zero count, sum, and then the buckets.
    let mut values = Vec::with_capacity(3 + buckets);
    for _ in 0..3 + buckets {
        values.push(Xor::starting(bits.bits(64)?));
    }
    let mut shown: Vec<f64> = Vec::with_capacity(values.len());
    for at in 0..samples {
        if at > 0 {
            time.step(bits)?;
            for (at, value) in values.iter_mut().enumerate() {
                if value.next(bits)? == STALE_NAN_BITS && at == 2 {
                    break;
                }
            }
        }
        shown.clear();
        shown.extend(values.iter().map(|value| f64::from_bits(value.value)));
        let [count, zero_count, sum, rest @ ..] = shown.as_slice() else { continue };
        let (positive, negative) = rest.split_at(layout.positive_len);
        let counts = Counts {
            count: *count,
            zero_count: *zero_count,
            sum: sum.to_bits(),
            positive,
            negative,
        };
        visitor.histogram(time.value, layout.histogram(at, &counts)?);
    }
    Ok(())
}
