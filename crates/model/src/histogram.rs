//! Native histograms: counts in buckets whose bounds follow from a number, the schema.
//!
//! A bucket with index `i` of an exponential schema `s` holds observations in
//! `(2^((i-1)/2^s), 2^(i/2^s)]`, of the negative side mirrored; the zero bucket holds those within
//! the zero threshold. Custom buckets (schema -53, from classic histograms) bring their upper
//! bounds along. Only populated buckets are stored, as spans of indexes with a gap before each:
//!
//! ```text
//! spans    {offset: 2, length: 3} {offset: 1, length: 2}
//! indexes   2 3 4                  6 7
//! buckets   c c c                  c c
//! ```
//!
//! Counts are floats here also when they came as integers: every count below 2^53 is exact, and
//! one shape serves storage, PromQL and the wire. Rules: "Native Histograms" specification of
//! Prometheus, `model/histogram/`. Bucket bounds: `histogram/buckets.rs`; order of all buckets:
//! `order.rs`; arithmetic: `algebra.rs`, `sum.rs`; resets: `reset.rs`; equality: `compare.rs`; text
//! forms: `notation.rs`. Quantiles and the like belong to `masthead-vecmath`.

mod algebra;
mod buckets;
mod cells;
mod compare;
mod notation;
mod order;
mod reset;
mod sum;

pub use algebra::{Combined, IncompatibleSchemas};
pub use buckets::{Bucket, Buckets};
pub use compare::nearly_equal;
pub use notation::{NotationError, NotedHistogram};
pub use order::AllBuckets;
pub use sum::{HistogramMean, HistogramSum, SumNotes, kahan_add};

/// The schema of histograms with custom bounds.
const CUSTOM_SCHEMA: i8 = -53;
const EXPONENTIAL_MIN: i8 = -4;
const EXPONENTIAL_MAX: i8 = 8;
/// A histogram from foreign bytes with more buckets is refused; clients use at most some hundred.
const BUCKETS_MAX: usize = 100_000;

/// How the bounds of the buckets follow from their indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Schema(i8);

impl Schema {
    /// Bounds are listed in [`Histogram::custom_values`].
    pub const CUSTOM: Self = Self(CUSTOM_SCHEMA);

    /// The exponential schema `s`, from -4 (a factor of 65,536 a bucket) to 8 (of 1.0027), or the
    /// custom one, -53; nothing else is known.
    pub fn new(schema: i32) -> Option<Self> {
        let schema = i8::try_from(schema).ok()?;
        let known =
            schema == CUSTOM_SCHEMA || (EXPONENTIAL_MIN..=EXPONENTIAL_MAX).contains(&schema);
        known.then_some(Self(schema))
    }

    /// The number that the exposition formats write.
    pub fn number(self) -> i8 {
        self.0
    }

    /// Whether the bounds are listed rather than computed.
    pub fn is_custom(self) -> bool {
        self.0 == CUSTOM_SCHEMA
    }
}

/// A run of consecutive populated buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Span {
    /// For the first span the index of its first bucket, else the gap after the span before.
    pub offset: i32,
    /// How many buckets.
    pub length: u32,
}

/// What is known about whether the counts fell since the sample before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum CounterResetHint {
    /// Nothing: readers must compare.
    #[default]
    Unknown,
    /// This sample starts anew.
    CounterReset,
    /// The counts go on from the sample before.
    NotCounterReset,
    /// Not a counter; resets mean nothing.
    Gauge,
}

/// One native histogram.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Histogram {
    /// What is known about resets.
    pub counter_reset_hint: CounterResetHint,
    /// How bounds follow from indexes.
    pub schema: Schema,
    /// Observations of at most this magnitude are in the zero bucket.
    pub zero_threshold: f64,
    /// How many those are.
    pub zero_count: f64,
    /// How many observations there are in all.
    pub count: f64,
    /// Their sum; the stale marker where the series has ended.
    pub sum: f64,
    /// Where the positive buckets are.
    pub positive_spans: Vec<Span>,
    /// Their counts, absolute.
    pub positive_buckets: Vec<f64>,
    /// Where the negative buckets are.
    pub negative_spans: Vec<Span>,
    /// Their counts, absolute.
    pub negative_buckets: Vec<f64>,
    /// Upper bounds of custom buckets, rising; the last bucket, to infinity, is not listed.
    pub custom_values: Vec<f64>,
}

/// Why a histogram cannot be; texts follow upstream's `model/histogram/generic.go`.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HistogramError {
    /// Spans and bucket counts disagree.
    #[error(
        "{side} side: spans need {need} buckets, have {have} buckets: histogram spans specify different number of buckets than provided"
    )]
    SpansBucketsMismatch {
        /// `positive` or `negative`.
        side: &'static str,
        /// Buckets that the spans cover.
        need: usize,
        /// Buckets that are there.
        have: usize,
    },
    /// A gap that goes backwards.
    #[error(
        "{side} side: span number {number} with offset {offset}: histogram has a span whose offset is negative"
    )]
    SpanNegativeOffset {
        /// `positive` or `negative`.
        side: &'static str,
        /// The span, counted from 1.
        number: usize,
        /// Its offset.
        offset: i32,
    },
    /// A count below zero.
    #[error(
        "{side} side: bucket number {number} has observation count of {count}: histogram has a bucket whose observation count is negative"
    )]
    NegativeBucketCount {
        /// `positive`, `negative` or `zero`.
        side: &'static str,
        /// The bucket, counted from 1.
        number: usize,
        /// Its count.
        count: f64,
    },
    /// Custom bounds that do not rise, are not finite, or stand where none may.
    #[error("custom buckets: {0}")]
    CustomBuckets(&'static str),
    /// More buckets than any client makes.
    #[error("histogram has more than {BUCKETS_MAX} buckets")]
    TooManyBuckets,
}

impl Histogram {
    /// The populated buckets of the positive side, in rising order of their bounds.
    pub fn positive(&self) -> Buckets<'_> {
        Buckets::new(self, &self.positive_spans, &self.positive_buckets, false)
    }

    /// The populated buckets of the negative side, from the one next to zero outwards.
    pub fn negative(&self) -> Buckets<'_> {
        Buckets::new(self, &self.negative_spans, &self.negative_buckets, true)
    }

    /// The zero bucket.
    pub fn zero(&self) -> Bucket {
        Bucket {
            lower: -self.zero_threshold,
            upper: self.zero_threshold,
            lower_inclusive: true,
            upper_inclusive: true,
            count: self.zero_count,
            index: 0,
        }
    }

    /// Whether the bounds are listed rather than computed.
    pub fn uses_custom_buckets(&self) -> bool {
        self.schema.is_custom()
    }

    /// Checks what bytes from outside may get wrong.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn validate(&self) -> Result<(), HistogramError> {
        if self.positive_buckets.len().saturating_add(self.negative_buckets.len()) > BUCKETS_MAX {
            return Err(HistogramError::TooManyBuckets);
        }
        if self.uses_custom_buckets() {
            self.validate_custom()?;
        } else if !self.custom_values.is_empty() {
            return Err(HistogramError::CustomBuckets("bounds given for an exponential schema"));
        }
        check_spans("negative", &self.negative_spans, self.negative_buckets.len())?;
        check_spans("positive", &self.positive_spans, self.positive_buckets.len())?;
        check_counts("negative", &self.negative_buckets)?;
        check_counts("positive", &self.positive_buckets)?;
        check_counts("zero", &[self.zero_count])
    }

    fn validate_custom(&self) -> Result<(), HistogramError> {
        let refuse = |what| Err(HistogramError::CustomBuckets(what));
        if !self.custom_values.is_sorted_by(|a, b| a < b) {
            return refuse("bounds must rise");
        }
        if self.custom_values.iter().any(|bound| !bound.is_finite()) {
            return refuse("bounds must be finite");
        }
        if self.zero_count != 0.0 || self.zero_threshold != 0.0 {
            return refuse("must not have a zero bucket");
        }
        if !self.negative_spans.is_empty() || !self.negative_buckets.is_empty() {
            return refuse("must not have negative buckets");
        }
        let last: i64 =
            self.positive_spans.iter().map(|s| i64::from(s.offset) + i64::from(s.length)).sum();
        let first_is_negative = self.positive_spans.first().is_some_and(|span| span.offset < 0);
        let bounds = i64::try_from(self.custom_values.len()).unwrap_or(i64::MAX);
        if first_is_negative || last > bounds.saturating_add(1) {
            return refuse("spans go beyond the bounds");
        }
        Ok(())
    }
}

fn check_spans(side: &'static str, spans: &[Span], have: usize) -> Result<(), HistogramError> {
    let mut need = 0_usize;
    for (at, span) in spans.iter().enumerate() {
        if at > 0 && span.offset < 0 {
            let (number, offset) = (at + 1, span.offset);
            return Err(HistogramError::SpanNegativeOffset { side, number, offset });
        }
        need = need.saturating_add(span.length as usize);
    }
    if need == have {
        Ok(())
    } else {
        Err(HistogramError::SpansBucketsMismatch { side, need, have })
    }
}

fn check_counts(side: &'static str, counts: &[f64]) -> Result<(), HistogramError> {
    match counts.iter().position(|count| *count < 0.0) {
        Some(at) => {
            let count = counts.get(at).copied().unwrap_or(0.0);
            Err(HistogramError::NegativeBucketCount { side, number: at + 1, count })
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
