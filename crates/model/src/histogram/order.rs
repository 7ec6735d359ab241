//! Walking all buckets from the lowest to the highest, or back, and the view that JSON shows.

use super::{Bucket, Histogram, Span};

/// All buckets of a histogram in the order of their bounds.
///
/// The zero bucket stands between the two sides if it holds anything; a neighbour that overlaps
/// with it is cut at the zero threshold.
#[derive(Debug, Clone)]
pub struct AllBuckets<'a> {
    histogram: &'a Histogram,
    inward: Inward<'a>,
    outward: super::Buckets<'a>,
    stage: Stage,
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    Inward,
    Zero,
    Outward,
}

impl Histogram {
    /// Every bucket from the lowest to the highest, empty ones included.
    pub fn all(&self) -> AllBuckets<'_> {
        self.walk_all(true)
    }

    /// Every bucket from the highest to the lowest, empty ones included.
    pub fn all_reversed(&self) -> AllBuckets<'_> {
        self.walk_all(false)
    }

    /// The populated buckets as `(boundary rule, lower, upper, count)`, as the HTTP API shows
    /// them from the lowest to the highest.
    ///
    /// The rule is 0 for `(lower, upper]`, 1 for `[lower, upper)`, 2 for neither and 3 for both
    /// bounds inside.
    pub fn api_buckets(&self) -> impl Iterator<Item = (u8, f64, f64, f64)> + '_ {
        self.all().filter(|bucket| bucket.count != 0.0).map(|bucket| {
            let rule = match (bucket.lower_inclusive, bucket.upper_inclusive) {
                (false, true) => 0,
                (true, false) => 1,
                (false, false) => 2,
                (true, true) => 3,
            };
            (rule, bucket.lower, bucket.upper, bucket.count)
        })
    }

    fn walk_all(&self, rising: bool) -> AllBuckets<'_> {
        AllBuckets {
            histogram: self,
            inward: Inward::new(self, rising),
            outward: if rising { self.positive() } else { self.negative() },
            stage: Stage::Inward,
        }
    }
}

impl Iterator for AllBuckets<'_> {
    type Item = Bucket;

    fn next(&mut self) -> Option<Bucket> {
        if let Stage::Inward = self.stage {
            if let Some(bucket) = self.inward.next() {
                return Some(cut_at_zero(bucket, self.histogram.zero_threshold));
            }
            self.stage = Stage::Zero;
        }
        if let Stage::Zero = self.stage {
            self.stage = Stage::Outward;
            if self.histogram.zero_count > 0.0 && !self.histogram.uses_custom_buckets() {
                return Some(self.histogram.zero());
            }
        }
        self.outward.next().map(|bucket| cut_at_zero(bucket, self.histogram.zero_threshold))
    }
}

fn cut_at_zero(mut bucket: Bucket, threshold: f64) -> Bucket {
    if bucket.upper < 0.0 && bucket.upper > -threshold {
        bucket.upper = -threshold;
    } else if bucket.lower > 0.0 && bucket.lower < threshold {
        bucket.lower = threshold;
    }
    bucket
}

/// The buckets of one side from the outermost to the one next to zero.
#[derive(Debug, Clone)]
struct Inward<'a> {
    histogram: &'a Histogram,
    negative: bool,
    spans: std::iter::Rev<std::slice::Iter<'a, Span>>,
    counts: std::iter::Rev<std::slice::Iter<'a, f64>>,
    left_in_span: u32,
    /// The gap before the span that is being walked.
    gap: i32,
    /// One more than the index of the next bucket.
    end: i32,
}

impl<'a> Inward<'a> {
    fn new(histogram: &'a Histogram, negative: bool) -> Self {
        let (spans, counts) = if negative {
            (&histogram.negative_spans, &histogram.negative_buckets)
        } else {
            (&histogram.positive_spans, &histogram.positive_buckets)
        };
        let end = spans.iter().fold(0_i32, |end, span| {
            let length = i32::try_from(span.length).unwrap_or(i32::MAX);
            end.saturating_add(span.offset).saturating_add(length)
        });
        let (spans, counts) = (spans.iter().rev(), counts.iter().rev());
        Self { histogram, negative, spans, counts, left_in_span: 0, gap: 0, end }
    }
}

impl Iterator for Inward<'_> {
    type Item = Bucket;

    fn next(&mut self) -> Option<Bucket> {
        while self.left_in_span == 0 {
            self.end = self.end.saturating_sub(self.gap);
            let span = self.spans.next()?;
            (self.left_in_span, self.gap) = (span.length, span.offset);
        }
        let count = *self.counts.next()?;
        self.left_in_span -= 1;
        self.end = self.end.saturating_sub(1);
        Some(self.histogram.bucket(self.end, count, self.negative))
    }
}
