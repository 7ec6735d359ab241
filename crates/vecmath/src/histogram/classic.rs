//! Classic histograms: series of cumulative counts with an `le` label.
//!
//! Upstream: `promql/quantile.go: BucketQuantile`, `BucketFraction`, and `util/convertnhcb` for
//! the way into a native histogram with custom buckets.

use masthead_model::{Histogram, HistogramError, Schema, Span, nearly_equal};

use super::quantile::is_zero;

/// One cumulative bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassicBucket {
    /// The value of `le`.
    pub upper: f64,
    /// Observations up to it.
    pub count: f64,
}

/// Which counts fell from a bucket to the next and were raised to the one before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Monotonicity {
    /// The lowest bound of a raised bucket.
    pub lowest: f64,
    /// The highest bound of a raised bucket.
    pub highest: f64,
    /// By how much a bucket was raised at most.
    pub largest: f64,
}

/// A quantile, and what had to be corrected on the way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassicQuantile {
    /// The quantile.
    pub value: f64,
    /// What had to be raised, if anything.
    pub forced: Option<Monotonicity>,
}

/// Differences below this, relative to the counts, come from rounding; they are smoothed silently.
const ROUNDING: f64 = 1e-12;

/// The `q`-quantile; sorts and corrects `buckets` in place.
///
/// NaN without observations, without a bucket to infinity, with fewer than two buckets, or for `q`
/// NaN; infinite for `q` outside of 0 to 1. In the last bucket it is the bound below; in the first
/// one, the counts begin at zero if its bound is positive.
pub fn classic_quantile(q: f64, buckets: &mut Vec<ClassicBucket>) -> ClassicQuantile {
    let plain = |value| ClassicQuantile { value, forced: None };
    if q.is_nan() {
        return plain(f64::NAN);
    }
    if q < 0.0 {
        return plain(f64::NEG_INFINITY);
    }
    if q > 1.0 {
        return plain(f64::INFINITY);
    }
    if !reaches_infinity(buckets) {
        return plain(f64::NAN);
    }
    let forced = make_monotonic(buckets);
    let [.., second_last, last] = &buckets[..] else { return plain(f64::NAN) };
    if is_zero(last.count) {
        return plain(f64::NAN);
    }
    let rank = q * last.count;
    let finite = buckets.len() - 1;
    // A count that is NaN reaches no rank, and none is reached by one: then it is the last bucket.
    let reaches = |bucket: &ClassicBucket| bucket.count >= rank;
    let at = buckets.partition_point(|bucket| !reaches(bucket)).min(finite);
    let value = match (at.checked_sub(1).and_then(|at| buckets.get(at)), buckets.get(at)) {
        _ if at == finite => second_last.upper,
        (None, Some(first)) if first.upper <= 0.0 => first.upper,
        (None, Some(first)) => first.upper * (rank / first.count),
        (Some(before), Some(bucket)) => {
            let share = (rank - before.count) / (bucket.count - before.count);
            before.upper + (bucket.upper - before.upper) * share
        }
        (_, None) => f64::NAN,
    };
    ClassicQuantile { value, forced }
}

/// The share of observations between `lower` and `upper`; sorts `buckets` in place.
pub fn classic_fraction(lower: f64, upper: f64, buckets: &mut Vec<ClassicBucket>) -> f64 {
    if !reaches_infinity(buckets) {
        return f64::NAN;
    }
    let count = buckets.last().map_or(0.0, |last| last.count);
    if is_zero(count) || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    let first_is_positive = buckets.first().is_some_and(|first| first.upper > 0.0);
    let start = if first_is_positive { 0.0 } else { f64::NEG_INFINITY };
    let rank = |value: f64| {
        let (mut from, mut below) = (start, 0.0);
        for bucket in buckets.iter() {
            if from >= value {
                return below;
            }
            if bucket.upper > value {
                if from.is_infinite() {
                    return bucket.count;
                }
                return below + (bucket.count - below) * (value - from) / (bucket.upper - from);
            }
            (from, below) = (bucket.upper, bucket.count);
        }
        count
    };
    (rank(upper).min(count) - rank(lower).min(count)) / count
}

/// Sorts, merges buckets of the same bound, and tells whether the last one goes to infinity.
fn reaches_infinity(buckets: &mut Vec<ClassicBucket>) -> bool {
    buckets.sort_by(|a, b| a.upper.total_cmp(&b.upper));
    buckets.dedup_by(|next, kept| {
        // Sorted, so not lower means equal.
        let same = next.upper <= kept.upper;
        if same {
            kept.count += next.count;
        }
        same
    });
    buckets.last().is_some_and(|last| last.upper.is_infinite() && last.upper > 0.0)
}

fn make_monotonic(buckets: &mut [ClassicBucket]) -> Option<Monotonicity> {
    let (first, rest) = buckets.split_first_mut()?;
    let mut before = first.count;
    let mut forced: Option<Monotonicity> = None;
    for bucket in rest {
        if nearly_equal(before, bucket.count, ROUNDING) {
            bucket.count = before;
        } else if bucket.count < before {
            let (upper, gap) = (bucket.upper, before - bucket.count);
            bucket.count = before;
            let so_far =
                forced.unwrap_or(Monotonicity { lowest: upper, highest: upper, largest: gap });
            forced = Some(Monotonicity {
                lowest: so_far.lowest.min(upper),
                highest: so_far.highest.max(upper),
                largest: so_far.largest.max(gap),
            });
        } else {
            before = bucket.count;
        }
    }
    forced
}

/// Why buckets make no histogram; texts are upstream's.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ClassicError {
    /// A bound that is NaN.
    #[error("bucket boundary must not be NaN")]
    NanBound,
    /// A count below zero.
    #[error("bucket count must be non-negative: le={upper}, count={count}")]
    NegativeBucket {
        /// The bound.
        upper: f64,
        /// The count.
        count: f64,
    },
    /// A total below zero.
    #[error("count must be non-negative: count={0}")]
    NegativeCount(f64),
    /// Neither buckets nor a total.
    #[error("count must be provided when no buckets are present")]
    MissingCount,
    /// A count that falls from a bucket to the next.
    #[error("count is not cumulative: {0} < {1}")]
    NotCumulative(f64, f64),
    /// The total isn't the count of the last bucket.
    #[error("count mismatch: count={0} != le=+Inf count={1}")]
    CountMismatch(f64, f64),
    /// What comes out isn't a histogram.
    #[error(transparent)]
    Invalid(#[from] HistogramError),
}

/// A native histogram with custom buckets of a classic one; of equal bounds the first counts.
///
/// # Errors
/// [`ClassicError`]; the buckets are sorted in any case.
pub fn from_classic(
    buckets: &mut Vec<ClassicBucket>,
    count: Option<f64>,
    sum: Option<f64>,
) -> Result<Histogram, ClassicError> {
    for bucket in &*buckets {
        if bucket.upper.is_nan() {
            return Err(ClassicError::NanBound);
        }
        if bucket.count < 0.0 {
            return Err(ClassicError::NegativeBucket { upper: bucket.upper, count: bucket.count });
        }
    }
    if let Some(count) = count.filter(|count| *count < 0.0) {
        return Err(ClassicError::NegativeCount(count));
    }
    buckets.sort_by(|a, b| a.upper.total_cmp(&b.upper));
    buckets.dedup_by(|next, kept| next.upper <= kept.upper);
    let count = count.or(buckets.last().map(|b| b.count)).ok_or(ClassicError::MissingCount)?;
    if buckets.last().is_none_or(|last| last.upper < f64::INFINITY) {
        buckets.push(ClassicBucket { upper: f64::INFINITY, count });
    }
    let mut histogram = Histogram {
        schema: Schema::CUSTOM,
        count,
        sum: sum.unwrap_or(0.0),
        positive_spans: vec![Span {
            offset: 0,
            length: u32::try_from(buckets.len()).unwrap_or(u32::MAX),
        }],
        ..Histogram::default()
    };
    let mut below = 0.0;
    for bucket in &*buckets {
        if bucket.count < below {
            return Err(ClassicError::NotCumulative(bucket.count, below));
        }
        histogram.positive_buckets.push(bucket.count - below);
        below = bucket.count;
        if bucket.upper < f64::INFINITY {
            histogram.custom_values.push(bucket.upper);
        }
    }
    if !nearly_equal(below, count, 0.0) {
        return Err(ClassicError::CountMismatch(count, below));
    }
    histogram.validate()?;
    histogram.compact(0);
    Ok(histogram)
}
