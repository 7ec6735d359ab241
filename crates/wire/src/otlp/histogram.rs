//! OTLP's histograms as native ones.
//!
//! Exponential buckets are the same but for their numbers: OTLP's bucket `i` starts at `base^i`,
//! ours ends there. Scales beyond 8 are merged down, scales below -4 have no counterpart.

use masthead_model::{Histogram, Schema, Span, stale_nan};

use super::message::{Buckets, Point};
use crate::native::count;

const SCALE_MIN: i32 = -4;
const SCALE_MAX: i32 = 8;
/// Upstream's, because OTLP's own threshold is not yet read there.
const ZERO_THRESHOLD: f64 = 1e-128;

/// An exponential histogram; the error is upstream's.
pub(super) fn exponential(point: &Point<'_>) -> Result<Histogram, String> {
    let scale = point.scale;
    if scale < SCALE_MIN {
        return Err(format!(
            "cannot convert exponential to native histogram. Scale must be >= -4, was {scale}"
        ));
    }
    // Beyond 31 steps all indexes are in one bucket on either side of 1.
    let merged = (scale - SCALE_MAX).clamp(0, 62);
    let schema = Schema::new(scale.min(SCALE_MAX)).unwrap_or_default();
    let side = |buckets: &Buckets| {
        let first = i64::from(buckets.offset);
        let indexed = buckets.counts.iter().zip(first..);
        sparse(indexed.map(|(count, index)| ((index >> merged) + 1, *count)))
    };
    let mut histogram =
        Histogram { schema, zero_threshold: ZERO_THRESHOLD, ..Histogram::default() };
    if point.is_stale() {
        histogram.sum = stale_nan();
        return Ok(histogram);
    }
    histogram.count = count(point.count);
    histogram.zero_count = count(point.zero_count);
    histogram.sum = point.sum.unwrap_or(0.0);
    (histogram.positive_spans, histogram.positive_buckets) = side(&point.positive)?;
    (histogram.negative_spans, histogram.negative_buckets) = side(&point.negative)?;
    histogram.validate().map_err(|error| error.to_string())?;
    Ok(histogram)
}

/// A histogram with explicit bounds as one with custom buckets.
pub(super) fn custom(point: &Point<'_>) -> Result<Histogram, String> {
    let mut histogram = Histogram { schema: Schema::CUSTOM, ..Histogram::default() };
    if point.is_stale() {
        histogram.sum = stale_nan();
        return Ok(histogram);
    }
    histogram.count = count(point.count);
    histogram.sum = point.sum.unwrap_or(0.0);
    histogram.custom_values.clone_from(&point.explicit_bounds);
    let indexed = point.bucket_counts.iter().zip(0_i64..);
    (histogram.positive_spans, histogram.positive_buckets) =
        sparse(indexed.map(|(count, index)| (index, *count)))?;
    histogram.validate().map_err(|error| error.to_string())?;
    Ok(histogram)
}

/// Spans over the buckets that are not empty; counts of the same index add up.
fn sparse(buckets: impl Iterator<Item = (i64, u64)>) -> Result<(Vec<Span>, Vec<f64>), String> {
    let (mut spans, mut counts): (Vec<Span>, Vec<f64>) = (Vec::new(), Vec::new());
    // One past the last index.
    let mut next = None;
    for (index, number) in buckets.filter(|(_, number)| *number > 0) {
        if let Some(last) = counts.last_mut()
            && next == Some(index + 1)
        {
            *last += count(number);
            continue;
        }
        match spans.last_mut() {
            Some(span) if next == Some(index) => span.length += 1,
            _ => {
                let offset = i32::try_from(index - next.unwrap_or(0))
                    .map_err(|_| format!("bucket index {index} is out of range"))?;
                spans.push(Span { offset, length: 1 });
            }
        }
        counts.push(count(number));
        next = Some(index + 1);
    }
    Ok((spans, counts))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(offset: i32, length: u32) -> Span {
        Span { offset, length }
    }

    #[test]
    fn exponential_buckets_are_shifted_by_one_and_merged_down() {
        let f = |scale: i32, offset: i32, counts: &[u64], want: (i8, &[Span], &[f64])| {
            let positive = Buckets { offset, counts: counts.to_vec() };
            let point = Point { scale, positive, count: 9, ..Point::default() };
            let got = exponential(&point).expect("fits");
            let spans = &*got.positive_spans;
            assert_eq!((got.schema.number(), spans, &*got.positive_buckets), want);
        };
        f(0, 0, &[1, 2], (0, &[span(1, 2)], &[1.0, 2.0]));
        f(3, -3, &[1, 0, 0, 0, 2], (3, &[span(-2, 1), span(3, 1)], &[1.0, 2.0]));
        f(9, 0, &[1, 2, 3, 4, 5], (8, &[span(1, 3)], &[3.0, 7.0, 5.0]));
        f(9, -1, &[1, 2], (8, &[span(0, 2)], &[1.0, 2.0]));
        f(i32::MAX, -1, &[1, 2, 3], (8, &[span(0, 2)], &[1.0, 5.0]));
        f(0, 0, &[], (0, &[], &[]));
    }

    #[test]
    fn what_has_no_counterpart_is_refused() {
        let f = |point: Point<'_>, want: &str| {
            assert_eq!(exponential(&point), Err(want.to_owned()));
        };
        f(
            Point { scale: -5, ..Point::default() },
            "cannot convert exponential to native histogram. Scale must be >= -4, was -5",
        );
        let positive = Buckets { offset: i32::MAX, counts: vec![1] };
        f(Point { positive, ..Point::default() }, "bucket index 2147483648 is out of range");
    }
}
