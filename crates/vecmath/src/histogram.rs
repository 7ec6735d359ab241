//! What is read out of histograms: quantiles, fractions, moments, rates; native and classic ones.
//!
//! Pure functions. Where PromQL warns, they return flags; texts and positions are the language's.
//! Quantiles and fractions: `quantile.rs`, `fraction.rs`; of classic histograms: `classic.rs`.
//! Variance: `moments.rs`. Cutting off one end: `trim.rs`. Over time: `rate.rs`.

mod classic;
mod fraction;
mod moments;
mod quantile;
mod rate;
mod trim;

pub use classic::{
    ClassicBucket, ClassicError, ClassicQuantile, Monotonicity, classic_fraction, classic_quantile,
    from_classic,
};
pub use fraction::fraction;
pub use moments::{mean, variance};
pub use quantile::{NanNote, quantile};
pub use rate::{
    HistogramNotes, HistogramRate, extended_histogram_rate, histogram_rate, instant_histogram_rate,
};
pub use trim::{Keep, trim};

use masthead_model::{Bucket, Histogram};

/// If all observations are on one side of zero, the zero bucket reaches to zero only.
fn without_empty_side(mut bucket: Bucket, histogram: &Histogram) -> Bucket {
    match (histogram.negative_buckets.is_empty(), histogram.positive_buckets.is_empty()) {
        (true, false) => bucket.lower = 0.0,
        (false, true) => bucket.upper = 0.0,
        _ => {}
    }
    bucket
}

#[cfg(test)]
mod tests;
