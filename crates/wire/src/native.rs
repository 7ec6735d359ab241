//! Native histograms between their protobuf forms and ours.
//!
//! Remote write and the exposition format number the fields differently but build the same thing:
//! two sides of spans with counts, which come as differences (integers) or as they are (floats).
//! Facts: `prompb/types.proto`, `io/prometheus/client/metrics.proto`, `model/histogram/`.

use masthead_model::{CounterResetHint, Histogram, Millis, Schema, Span};

use crate::{
    Error,
    proto::{Field, Writer, unzigzag},
};

/// More buckets than this are not collected; `Histogram::validate` then refuses the histogram.
const BUCKETS_COLLECTED_MAX: usize = 100_001;
const SCHEMA_MAX: i32 = 8;
/// Finer ones than this nobody has defined.
const SCHEMA_RESERVED_MAX: i32 = 52;
/// Integers beyond this have no exact float.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// One side of a histogram that is being read.
#[derive(Debug, Default)]
pub(crate) struct Side {
    pub(crate) spans: Vec<Span>,
    /// Sums of the differences so far.
    absolute: Vec<f64>,
    running: i64,
    counts: Vec<f64>,
}

impl Side {
    pub(crate) fn span(&mut self, field: &Field<'_>) -> Result<(), Error> {
        let mut message = field.message("BucketSpan")?;
        let mut span = Span::default();
        while let Some(field) = message.next()? {
            match field.number {
                1 => span.offset = field.sint32()?,
                2 => span.length = field.uint32()?,
                _ => {}
            }
        }
        push_capped(&mut self.spans, span);
        Ok(())
    }

    pub(crate) fn deltas(&mut self, field: &Field<'_>) -> Result<(), Error> {
        field.each_varint(|delta| {
            self.running = self.running.wrapping_add(unzigzag(delta));
            #[expect(clippy::cast_precision_loss, reason = "exact below 2^53 observations")]
            push_capped(&mut self.absolute, self.running as f64);
        })
    }

    pub(crate) fn counts(&mut self, field: &Field<'_>) -> Result<(), Error> {
        field.each_fixed64(|bits| push_capped(&mut self.counts, f64::from_bits(bits)))
    }

    pub(crate) fn finish(self, floats: bool) -> (Vec<Span>, Vec<f64>) {
        (self.spans, if floats { self.counts } else { self.absolute })
    }
}

fn push_capped<T>(list: &mut Vec<T>, item: T) {
    if list.len() < BUCKETS_COLLECTED_MAX {
        list.push(item);
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact below 2^53 observations")]
pub(crate) fn count(number: u64) -> f64 {
    number as f64
}

/// Gives a histogram its schema and checks what was read. A schema that is finer than any that is
/// kept is merged down to the finest, as upstream does (`model/histogram: ReduceResolution`); sums
/// of integers must be what the count says, while floats may round.
pub(crate) fn settle(histogram: &mut Histogram, schema: i32, floats: bool) -> Result<(), Error> {
    let merged = if (SCHEMA_MAX + 1..=SCHEMA_RESERVED_MAX).contains(&schema) {
        schema - SCHEMA_MAX
    } else {
        0
    };
    histogram.schema = Schema::new(schema - merged).ok_or_else(|| {
        Error::Content(format!(
            "histogram has an invalid schema {schema}, which must be between -4 and 8 for \
             exponential buckets, or -53 for custom buckets"
        ))
    })?;
    histogram.validate()?;
    let sum = in_buckets(histogram);
    if !floats && !adds_up(histogram, sum) {
        let rule = if histogram.sum.is_nan() {
            "should be at least the number of observations found in the buckets"
        } else {
            "should equal the number of observations found in the buckets (in absence of NaN)"
        };
        return Err(Error::Content(format!(
            "{sum} observations found in buckets, but the Count field is {}: histogram's \
             observation count {rule}",
            histogram.count
        )));
    }
    if merged > 0 {
        for (spans, buckets) in [
            (&mut histogram.positive_spans, &mut histogram.positive_buckets),
            (&mut histogram.negative_spans, &mut histogram.negative_buckets),
        ] {
            (*spans, *buckets) = merge_down(spans, buckets, merged)?;
        }
    }
    Ok(())
}

fn in_buckets(histogram: &Histogram) -> f64 {
    let sides = [&histogram.positive_buckets, &histogram.negative_buckets];
    histogram.zero_count + sides.into_iter().flatten().sum::<f64>()
}

/// Observations that are no number are in no bucket.
#[expect(clippy::float_cmp, reason = "counts are whole numbers, and upstream compares them so")]
fn adds_up(histogram: &Histogram, in_buckets: f64) -> bool {
    if histogram.sum.is_nan() {
        in_buckets <= histogram.count
    } else {
        in_buckets == histogram.count
    }
}

/// One side at a resolution that is `by` steps lower.
fn merge_down(spans: &[Span], buckets: &[f64], by: i32) -> Result<(Vec<Span>, Vec<f64>), Error> {
    let (mut merged, mut counts) = (Vec::<Span>::new(), Vec::<f64>::new());
    let mut left = buckets.iter();
    // The index behind the last bucket, before and after.
    let (mut index, mut next) = (0_i64, 0_i64);
    for span in spans {
        index += i64::from(span.offset);
        for (at, count) in (index..).zip(left.by_ref().take(span.length as usize)) {
            let at = ((at - 1) >> by) + 1;
            if let Some(last) = counts.last_mut().filter(|_| at + 1 == next) {
                *last += count;
                continue;
            }
            match merged.last_mut() {
                Some(last) if at == next => last.length += 1,
                _ => {
                    let offset = i32::try_from(at - next).map_err(|_| {
                        Error::Content(format!("histogram has a bucket at {at}, out of range"))
                    })?;
                    merged.push(Span { offset, length: 1 });
                }
            }
            counts.push(*count);
            next = at + 1;
        }
        index += i64::from(span.length);
    }
    Ok((merged, counts))
}

/// Reads the histogram message of remote write, which both versions share.
///
/// Returns its timestamp and the start of its counting beside it.
pub(crate) fn read(field: &Field<'_>) -> Result<(Millis, Option<Millis>, Histogram), Error> {
    let mut message = field.message("Histogram")?;
    let mut histogram = Histogram::default();
    let (mut timestamp, mut start, mut number) = (0, 0, 0);
    let (mut positive, mut negative) = (Side::default(), Side::default());
    let mut floats = false;
    while let Some(field) = message.next()? {
        match field.number {
            1 => histogram.count = count(field.unsigned()?),
            2 => {
                histogram.count = field.double()?;
                floats = true;
            }
            3 => histogram.sum = field.double()?,
            4 => number = field.sint32()?,
            5 => histogram.zero_threshold = field.double()?,
            6 => histogram.zero_count = count(field.unsigned()?),
            7 => histogram.zero_count = field.double()?,
            8 => negative.span(&field)?,
            9 => negative.deltas(&field)?,
            10 => negative.counts(&field)?,
            11 => positive.span(&field)?,
            12 => positive.deltas(&field)?,
            13 => positive.counts(&field)?,
            14 => histogram.counter_reset_hint = hint(field.unsigned()?),
            15 => timestamp = field.signed()?,
            16 => field.each_fixed64(|bits| {
                push_capped(&mut histogram.custom_values, f64::from_bits(bits));
            })?,
            17 => start = field.signed()?,
            _ => {}
        }
    }
    (histogram.positive_spans, histogram.positive_buckets) = positive.finish(floats);
    (histogram.negative_spans, histogram.negative_buckets) = negative.finish(floats);
    settle(&mut histogram, number, floats)?;
    Ok((Millis(timestamp), (start != 0).then_some(Millis(start)), histogram))
}

/// Writes what [`read`] reads; with integers where all counts are whole and add up, because that is
/// what clients send and what takes the fewest bytes.
pub(crate) fn write(
    w: &mut Writer<'_>,
    timestamp: Millis,
    start: Option<Millis>,
    histogram: &Histogram,
) {
    let sides = [&histogram.positive_buckets, &histogram.negative_buckets];
    let whole = |count: &f64| count.fract() == 0.0 && (0.0..=EXACT_MAX).contains(count);
    let integers = whole(&histogram.count)
        && whole(&histogram.zero_count)
        && sides.into_iter().flatten().all(whole)
        && adds_up(histogram, in_buckets(histogram));
    if integers {
        w.present_unsigned(1, integer(histogram.count).cast_unsigned());
    } else {
        w.present_double(2, histogram.count);
    }
    w.double(3, histogram.sum);
    w.zigzag(4, i64::from(histogram.schema.number()));
    w.double(5, histogram.zero_threshold);
    if integers {
        w.present_unsigned(6, integer(histogram.zero_count).cast_unsigned());
    } else {
        w.present_double(7, histogram.zero_count);
    }
    write_side(w, 8, &histogram.negative_spans, &histogram.negative_buckets, integers);
    write_side(w, 11, &histogram.positive_spans, &histogram.positive_buckets, integers);
    w.unsigned(
        14,
        match histogram.counter_reset_hint {
            CounterResetHint::Unknown => 0,
            CounterResetHint::CounterReset => 1,
            CounterResetHint::NotCounterReset => 2,
            CounterResetHint::Gauge => 3,
        },
    );
    w.signed(15, timestamp.0);
    w.packed_doubles(16, &histogram.custom_values);
    w.signed(17, start.map_or(0, |start| start.0));
}

/// Drops empty buckets and joins the spans around them, as upstream's `Compact(0)`.
pub(crate) fn compact(histogram: &mut Histogram) {
    let sides = [
        (&mut histogram.positive_spans, &mut histogram.positive_buckets),
        (&mut histogram.negative_spans, &mut histogram.negative_buckets),
    ];
    for (spans, buckets) in sides {
        let mut kept: Vec<Span> = Vec::with_capacity(spans.len());
        let mut counts = std::mem::take(buckets).into_iter();
        let (mut index, mut next) = (0_i64, 0_i64);
        for span in spans.drain(..) {
            index += i64::from(span.offset);
            for count in counts.by_ref().take(span.length as usize) {
                if count != 0.0 {
                    match kept.last_mut() {
                        Some(last) if index == next => last.length += 1,
                        _ => {
                            let offset = i32::try_from(index - next).unwrap_or(i32::MAX);
                            kept.push(Span { offset, length: 1 });
                        }
                    }
                    next = index + 1;
                    buckets.push(count);
                }
                index += 1;
            }
        }
        *spans = kept;
    }
}

fn hint(number: u64) -> CounterResetHint {
    match number {
        1 => CounterResetHint::CounterReset,
        2 => CounterResetHint::NotCounterReset,
        3 => CounterResetHint::Gauge,
        _ => CounterResetHint::Unknown,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
fn integer(count: f64) -> i64 {
    count as i64
}

/// Spans, then differences, then counts have consecutive numbers.
fn write_side(w: &mut Writer<'_>, first: u32, spans: &[Span], buckets: &[f64], integers: bool) {
    for span in spans {
        w.nested(first, |w| {
            w.zigzag(1, i64::from(span.offset));
            w.unsigned(2, u64::from(span.length));
        });
    }
    if integers {
        let mut before = 0;
        w.packed_varints(
            first + 1,
            buckets.iter().map(|count| {
                let delta = integer(*count) - before;
                before = integer(*count);
                crate::proto::zigzag(delta)
            }),
        );
    } else {
        w.packed_doubles(first + 2, buckets);
    }
}

#[cfg(test)]
mod tests;
