//! Mean and variance of native histograms.

use masthead_model::Histogram;

use super::quantile::is_zero;
use crate::KahanSum;

/// The mean of the observations; NaN without any.
pub fn mean(histogram: &Histogram) -> f64 {
    histogram.sum / histogram.count
}

/// The variance, taking every observation to be in the middle of its bucket: the geometric middle
/// of exponential ones, zero for the zero bucket. The standard deviation is its root.
///
/// Upstream: `promql/functions.go: histogramVariance`.
pub fn variance(histogram: &Histogram) -> f64 {
    let mean = mean(histogram);
    let squares: KahanSum = histogram
        .all()
        .filter(|bucket| !is_zero(bucket.count))
        .map(|bucket| {
            let middle = if histogram.uses_custom_buckets() {
                f64::midpoint(bucket.upper, bucket.lower)
            } else if bucket.lower <= 0.0 && bucket.upper >= 0.0 {
                0.0
            } else {
                (bucket.upper * bucket.lower).sqrt().copysign(bucket.upper)
            };
            bucket.count * (middle - mean) * (middle - mean)
        })
        .collect();
    squares.value() / histogram.count
}
