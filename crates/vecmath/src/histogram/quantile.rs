//! Quantiles of native histograms.
//!
//! Upstream: `promql/quantile.go: HistogramQuantile`. Inside an exponential bucket observations
//! are taken to be spread evenly on a logarithmic scale; in the zero bucket and in custom ones
//! evenly.

use masthead_model::{Bucket, Histogram};

use super::without_empty_side;

/// What NaN among the observations does to a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NanNote {
    /// The quantile falls among them, so it is NaN itself.
    ResultIsNan,
    /// They count as larger than everything, so the quantile is skewed.
    Skewed,
    /// They are outside of every fraction.
    Excluded,
}

/// The `q`-quantile, and whether NaN among the observations has a part in it.
///
/// NaN without observations or for `q` NaN; infinite for `q` outside of 0 to 1.
pub fn quantile(q: f64, histogram: &Histogram) -> (f64, Option<NanNote>) {
    let plain = |value| (value, None);
    if q < 0.0 {
        return plain(f64::NEG_INFINITY);
    }
    if q > 1.0 {
        return plain(f64::INFINITY);
    }
    if q.is_nan() || is_zero(histogram.count) {
        return plain(f64::NAN);
    }
    let has_nan = histogram.sum.is_nan();
    // From the nearer end, because the sum of few buckets is more exact than that of many; but
    // NaN observations are in no bucket, so then only the lower end is known.
    let from_below = has_nan || q < 0.5;
    let mut buckets = if from_below { histogram.all() } else { histogram.all_reversed() };
    let mut rank = if from_below { q } else { 1.0 - q } * histogram.count;
    let mut reached = 0.0;
    // What a histogram with observations but without buckets falls back on.
    let mut bucket = Bucket {
        lower: 0.0,
        upper: 0.0,
        lower_inclusive: true,
        upper_inclusive: true,
        count: 0.0,
        index: 0,
    };
    for next in buckets.by_ref() {
        bucket = next;
        reached += bucket.count;
        if !is_zero(bucket.count) && reached >= rank {
            break;
        }
    }
    let custom = histogram.uses_custom_buckets();
    if !custom && bucket.lower < 0.0 && bucket.upper > 0.0 {
        bucket = without_empty_side(bucket, histogram);
    }
    if custom {
        if bucket.lower.is_infinite() {
            if bucket.upper <= 0.0 {
                return plain(bucket.upper);
            }
            bucket.lower = 0.0;
        } else if bucket.upper.is_infinite() {
            return plain(bucket.lower);
        }
    }
    reached = reached.min(histogram.count);
    if reached < rank {
        return if has_nan { (f64::NAN, Some(NanNote::ResultIsNan)) } else { plain(bucket.upper) };
    }
    rank = if from_below { rank - (reached - bucket.count) } else { reached - rank };
    let skewed = has_nan && buckets.fold(reached, |sum, b| sum + b.count) < histogram.count;
    let note = skewed.then_some(NanNote::Skewed);
    let share = rank / bucket.count;
    if custom || (bucket.lower <= 0.0 && bucket.upper >= 0.0) {
        return (bucket.lower + (bucket.upper - bucket.lower) * share, note);
    }
    let (lower, upper) = (bucket.lower.abs().log2(), bucket.upper.abs().log2());
    let value = if bucket.lower > 0.0 {
        (lower + (upper - lower) * share).exp2()
    } else {
        -(upper + (lower - upper) * (1.0 - share)).exp2()
    };
    (value, note)
}

pub(super) fn is_zero(value: f64) -> bool {
    value == 0.0
}
