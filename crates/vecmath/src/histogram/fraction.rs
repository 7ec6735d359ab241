//! Which share of the observations lies between two values: the inverse of a quantile.
//!
//! Upstream: `promql/quantile.go: HistogramFraction`.

use masthead_model::{Bucket, Histogram};

use super::{
    quantile::{NanNote, is_zero},
    without_empty_side,
};

/// The share of observations between `lower` and `upper`, and whether NaN observations, which are
/// in no share, were among them.
///
/// NaN without observations or when a bound is NaN; 0 when `lower` isn't below `upper`.
pub fn fraction(lower: f64, upper: f64, histogram: &Histogram) -> (f64, Option<NanNote>) {
    if is_zero(histogram.count) || histogram.count.is_nan() || lower.is_nan() || upper.is_nan() {
        return (f64::NAN, None);
    }
    if lower >= upper {
        return (0.0, None);
    }
    let mut ranks = Ranks { lower: None, upper: None };
    let (mut rank, mut counted) = (0.0, 0.0);
    let mut buckets = histogram.all();
    for bucket in buckets.by_ref() {
        counted += bucket.count;
        let around_zero = bucket.lower <= 0.0 && bucket.upper >= 0.0;
        let linear = histogram.uses_custom_buckets() || around_zero;
        let bucket = shaped(bucket, histogram);
        let at = |value: f64| {
            if bucket.lower >= value {
                return Some(rank);
            }
            (bucket.upper > value)
                .then(|| rank + bucket.count * share_below(&bucket, value, linear))
        };
        ranks.lower = ranks.lower.or_else(|| at(lower));
        ranks.upper = ranks.upper.or_else(|| at(upper));
        if ranks.lower.is_some() && ranks.upper.is_some() {
            break;
        }
        rank += bucket.count;
    }
    let mut count = histogram.count;
    let mut note = None;
    if histogram.sum.is_nan() {
        count = buckets.fold(counted, |sum, bucket| sum + bucket.count);
        note = (count < histogram.count).then_some(NanNote::Excluded);
    }
    let rank = |rank: Option<f64>| rank.filter(|rank| *rank <= count).unwrap_or(count);
    ((rank(ranks.upper) - rank(ranks.lower)) / histogram.count, note)
}

struct Ranks {
    lower: Option<f64>,
    upper: Option<f64>,
}

/// A bucket around zero, and so also the first custom one with a positive bound, begins at zero.
fn shaped(bucket: Bucket, histogram: &Histogram) -> Bucket {
    if bucket.lower <= 0.0 && bucket.upper >= 0.0 {
        without_empty_side(bucket, histogram)
    } else {
        bucket
    }
}

/// The share of a bucket below `value`, which lies inside it.
fn share_below(bucket: &Bucket, value: f64, linear: bool) -> f64 {
    if linear {
        if bucket.lower.is_infinite() {
            // A first bucket without an end of its own: all of it counts as below.
            return 1.0;
        }
        return (value - bucket.lower) / (bucket.upper - bucket.lower);
    }
    let (lower, upper) = (bucket.lower.abs().log2(), bucket.upper.abs().log2());
    let at = value.abs().log2();
    if value > 0.0 { (at - lower) / (upper - lower) } else { 1.0 - (at - upper) / (lower - upper) }
}
