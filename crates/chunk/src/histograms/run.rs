//! A run of histograms of one layout, as columns.
//!
//! ```text
//! +--------+--------+-------+-------+-------+-------------+------+---------------------------+
//! | length | layout | flags | hints | counts| zero counts | sums | buckets                   |
//! +--------+--------+-------+-------+-------+-------------+------+---------------------------+
//!   LEB128            |       ints   floats; floats        floats  whole: ints (first row),
//!                     |              left out                      ints (steps, bucket by bucket)
//!                     |              if flagged                    else: floats, bucket by bucket
//!                     bit 0: bucket counts are whole; bit 1: counts are the sums of buckets
//! ```
//!
//! Steps are from one histogram to the next in the same bucket. One column holds those of all
//! buckets, because a hundred columns of a few samples each would be mostly frames and tables.

use masthead_model::{CounterResetHint, Histogram};

use super::layout::Layout;
use crate::cursor::{Cursor, put_unsigned};
use crate::{Error, floats, frame, ints};

const WHOLE: u8 = 1;
const COUNT_IS_SUM: u8 = 2;
/// 2^53: every whole number up to it is a float, and is itself again after a sum.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

pub(crate) fn write(
    layout: &Layout<'_>,
    run: &[Histogram],
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    put_unsigned(out, run.len() as u64);
    layout.write(out)?;
    let buckets = layout.buckets();
    // Only what is finite: the payload of a computed NaN differs between machines.
    let count_is_sum =
        run.iter().all(|one| one.count.is_finite() && one.count.to_bits() == sum_of(one).to_bits());
    let whole = whole_buckets(run, buckets);
    let flags = if whole.is_some() { WHOLE } else { 0 };
    out.push(flags | if count_is_sum { COUNT_IS_SUM } else { 0 });
    let hints: Vec<i64> = run.iter().map(|one| number_of(one.counter_reset_hint)).collect();
    ints::encode(&hints, out)?;
    let column = |of: fn(&Histogram) -> f64| run.iter().map(of).collect::<Vec<f64>>();
    if !count_is_sum {
        floats::encode(&column(|one| one.count), out)?;
    }
    floats::encode(&column(|one| one.zero_count), out)?;
    floats::encode(&column(|one| one.sum), out)?;
    if let Some((first, steps)) = whole {
        ints::encode(&first, out)?;
        return ints::encode(&steps, out);
    }
    let cells: Vec<f64> =
        (0..buckets).flat_map(|bucket| run.iter().map(move |one| bucket_of(one, bucket))).collect();
    floats::encode(&cells, out)
}

/// Appends `length` histograms; `layout` has been held against the limits.
pub(crate) fn read(
    layout: &Layout<'_>,
    length: usize,
    payload: &mut Cursor<'_>,
    out: &mut Vec<Histogram>,
) -> Result<(), Error> {
    let error = payload.corrupt("flags of a run");
    let flags = payload.byte("flags of a run")?;
    if flags & !(WHOLE | COUNT_IS_SUM) != 0 {
        return Err(error);
    }
    let error = payload.corrupt("counter reset hints");
    let hints = read_ints(payload, length)?;
    let hints: Option<Vec<_>> = hints.into_iter().map(hint_of).collect();
    let hints = hints.ok_or(error)?;
    let count_is_sum = flags & COUNT_IS_SUM != 0;
    let counts = if count_is_sum { vec![0.0; length] } else { read_floats(payload, length)? };
    let zero_counts = read_floats(payload, length)?;
    let sums = read_floats(payload, length)?;
    let buckets = layout.buckets();
    let cells = if flags & WHOLE == 0 {
        read_floats(payload, length * buckets)?
    } else {
        let first = read_ints(payload, buckets)?;
        let steps = read_ints(payload, (length - 1) * buckets)?;
        absolute(&first, &steps, length)
    };
    let positive = layout.positive();
    out.reserve(length);
    let columns = hints.into_iter().zip(counts).zip(zero_counts).zip(sums);
    for (row, (((hint, count), zero_count), sum)) in columns.enumerate() {
        let of_bucket = |bucket: usize| cells.get(bucket * length + row).copied().unwrap_or(0.0);
        let mut one = Histogram {
            counter_reset_hint: hint,
            count,
            zero_count,
            sum,
            positive_buckets: (0..positive).map(of_bucket).collect(),
            negative_buckets: (positive..buckets).map(of_bucket).collect(),
            ..layout.blank()
        };
        if count_is_sum {
            one.count = sum_of(&one);
        }
        out.push(one);
    }
    Ok(())
}

/// First row, and steps bucket by bucket, if all bucket counts are whole.
fn whole_buckets(run: &[Histogram], buckets: usize) -> Option<(Vec<i64>, Vec<i64>)> {
    let cells = run.iter().flat_map(|one| one.positive_buckets.iter().chain(&one.negative_buckets));
    if !cells.into_iter().all(|count| is_whole(*count)) {
        return None;
    }
    let mut first = Vec::with_capacity(buckets);
    let mut steps = Vec::with_capacity(buckets * (run.len() - 1));
    for bucket in 0..buckets {
        let mut counts = run.iter().map(|one| to_whole(bucket_of(one, bucket)));
        let mut before = counts.next()?;
        first.push(before);
        for count in counts {
            steps.push(count - before);
            before = count;
        }
    }
    Some((first, steps))
}

fn absolute(first: &[i64], steps: &[i64], length: usize) -> Vec<f64> {
    let mut cells = Vec::with_capacity(first.len() * length);
    let mut steps = steps.iter();
    for start in first {
        let mut count = *start;
        cells.push(as_float(count));
        for step in steps.by_ref().take(length - 1) {
            count = count.wrapping_add(*step);
            cells.push(as_float(count));
        }
    }
    cells
}

fn read_ints(payload: &mut Cursor<'_>, count: usize) -> Result<Vec<i64>, Error> {
    let error = payload.corrupt("column of integers in a run");
    let mut values = Vec::new();
    let (encoding, have, mut column) = frame::read(payload, "integers")?;
    if have != count {
        return Err(error);
    }
    ints::read(encoding, count, &mut column, &mut values, |value| value)?;
    Ok(values)
}

fn read_floats(payload: &mut Cursor<'_>, count: usize) -> Result<Vec<f64>, Error> {
    let error = payload.corrupt("column of floats in a run");
    let mut values = Vec::new();
    let have = floats::read_framed(payload, &mut values)?;
    if have == count { Ok(values) } else { Err(error) }
}

/// Positive buckets first, then negative ones.
fn bucket_of(histogram: &Histogram, bucket: usize) -> f64 {
    let positive = histogram.positive_buckets.len();
    let count = match bucket.checked_sub(positive) {
        None => histogram.positive_buckets.get(bucket),
        Some(negative) => histogram.negative_buckets.get(negative),
    };
    count.copied().unwrap_or(0.0)
}

/// The same sum in the same order on both ways.
fn sum_of(histogram: &Histogram) -> f64 {
    let buckets = histogram.positive_buckets.iter().chain(&histogram.negative_buckets);
    buckets.fold(histogram.zero_count, |sum, count| sum + count)
}

fn is_whole(count: f64) -> bool {
    count.abs() <= WHOLE_MAX && as_float(to_whole(count)).to_bits() == count.to_bits()
}

#[expect(clippy::cast_possible_truncation, reason = "whole and at most 2^53")]
fn to_whole(count: f64) -> i64 {
    count as i64
}

#[expect(clippy::cast_precision_loss, reason = "at most 2^53; others are corrupt")]
fn as_float(count: i64) -> f64 {
    count as f64
}

fn number_of(hint: CounterResetHint) -> i64 {
    match hint {
        CounterResetHint::Unknown => 0,
        CounterResetHint::CounterReset => 1,
        CounterResetHint::NotCounterReset => 2,
        CounterResetHint::Gauge => 3,
    }
}

fn hint_of(number: i64) -> Option<CounterResetHint> {
    match number {
        0 => Some(CounterResetHint::Unknown),
        1 => Some(CounterResetHint::CounterReset),
        2 => Some(CounterResetHint::NotCounterReset),
        3 => Some(CounterResetHint::Gauge),
        _ => None,
    }
}
