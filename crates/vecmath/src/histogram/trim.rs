//! Cutting off the observations on one side of a value: PromQL's `</` and `>/`.
//!
//! The bucket that holds the value is cut in proportion; the sum is estimated anew from the
//! middles of what remains. An infinite bucket has no known spread, so it goes as a whole unless
//! it surely stays. Upstream: `FloatHistogram.TrimBuckets`.

use masthead_model::{Bucket, Histogram};

use super::quantile::is_zero;

/// Which observations stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Those up to the value.
    Below,
    /// Those above it.
    Above,
}

/// The histogram of the observations on one side of `at`; unchanged if none is on the other.
pub fn trim(histogram: &Histogram, at: f64, keep: Keep) -> Histogram {
    let mut trimmed = histogram.clone();
    let mut kept = Kept { count: 0.0, sum: 0.0, cut: false };
    let cut = Cut { at, keep, custom: histogram.uses_custom_buckets() };
    let mut has = [false; 2];
    let sides = [
        (histogram.positive(), &mut trimmed.positive_buckets),
        (histogram.negative(), &mut trimmed.negative_buckets),
    ];
    for ((buckets, counts), has) in sides.into_iter().zip(&mut has) {
        for (bucket, count) in buckets.zip(counts) {
            if !is_zero(bucket.count) {
                *has = true;
                kept.take(count, cut.bucket(&bucket));
            }
        }
    }
    if histogram.zero_count > 0.0 {
        let [positive, negative] = has;
        let mut zero = histogram.zero();
        if positive && !negative {
            zero.lower = 0.0;
        } else if negative && !positive {
            zero.upper = 0.0;
        }
        kept.take(&mut trimmed.zero_count, cut.linear(&zero));
    }
    if kept.cut {
        (trimmed.count, trimmed.sum) = (kept.count, kept.sum);
        trimmed.compact(0);
    }
    trimmed
}

/// What stays: its count and the middle of it.
type Part = (f64, f64);

struct Kept {
    count: f64,
    sum: f64,
    cut: bool,
}

impl Kept {
    fn take(&mut self, count: &mut f64, (stays, middle): Part) {
        self.cut |= stays.to_bits() != count.to_bits();
        *count = stays;
        self.count += stays;
        self.sum += middle * stays;
    }
}

struct Cut {
    at: f64,
    keep: Keep,
    custom: bool,
}

impl Cut {
    fn bucket(&self, bucket: &Bucket) -> Part {
        let whole = match self.keep {
            Keep::Below => bucket.upper <= self.at,
            Keep::Above => bucket.lower >= self.at,
        };
        let none = match self.keep {
            Keep::Below => bucket.lower >= self.at,
            Keep::Above => bucket.upper <= self.at,
        };
        if whole {
            (bucket.count, self.middle(bucket, bucket.lower, bucket.upper))
        } else if none || self.at.is_nan() {
            (0.0, 0.0)
        } else if bucket.lower.is_infinite() || bucket.upper.is_infinite() {
            self.infinite(bucket)
        } else if self.custom {
            self.linear(bucket)
        } else {
            let (lower, upper) = (bucket.lower.abs().log2(), bucket.upper.abs().log2());
            let below = (self.at.abs().log2() - lower) / (upper - lower);
            match self.keep {
                Keep::Below => (bucket.count * below, self.middle(bucket, bucket.lower, self.at)),
                Keep::Above => {
                    (bucket.count * (1.0 - below), self.middle(bucket, self.at, bucket.upper))
                }
            }
        }
    }

    fn linear(&self, bucket: &Bucket) -> Part {
        let (lower, upper, at) = (bucket.lower, bucket.upper, self.at);
        let whole = (bucket.count, f64::midpoint(lower, upper));
        let gone = (0.0, 0.0);
        let (from, to) = match self.keep {
            Keep::Below if at <= lower => return gone,
            Keep::Below if at >= upper => return whole,
            Keep::Above if at <= lower => return whole,
            Keep::Above if at >= upper => return gone,
            Keep::Below => (lower, at),
            Keep::Above => (at, upper),
        };
        (bucket.count * (to - from) / (upper - lower), f64::midpoint(from, to))
    }

    /// A bucket without one of its ends, which the value lies in.
    fn infinite(&self, bucket: &Bucket) -> Part {
        let (upper, at) = (bucket.upper, self.at);
        let gone = (0.0, 0.0);
        match self.keep {
            Keep::Above if bucket.lower.is_finite() => (bucket.count, at),
            Keep::Below if bucket.lower.is_finite() => gone,
            // From here on the lower end is missing. Below a positive bound it counts as zero.
            Keep::Below if upper <= 0.0 => (bucket.count, at),
            Keep::Below if at > 0.0 && upper.is_finite() => (bucket.count * at / upper, at / 2.0),
            Keep::Above if at >= 0.0 && upper.is_finite() => {
                (bucket.count * (1.0 - at / upper), f64::midpoint(at, upper))
            }
            Keep::Below | Keep::Above => gone,
        }
    }

    fn middle(&self, bucket: &Bucket, from: f64, to: f64) -> f64 {
        match (from.is_infinite(), to.is_infinite()) {
            (true, true) => 0.0,
            (true, false) => {
                if to > 0.0 {
                    to / 2.0
                } else {
                    to
                }
            }
            (false, true) => from,
            (false, false) if self.custom => f64::midpoint(from, to),
            (false, false) => {
                (from * to).abs().sqrt().copysign(if bucket.upper > 0.0 { 1.0 } else { -1.0 })
            }
        }
    }
}
