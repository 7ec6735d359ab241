//! The bounds of buckets, and walking the populated ones.

use super::{Histogram, Schema, Span};

/// One bucket with its bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// The smaller bound.
    pub lower: f64,
    /// The larger bound.
    pub upper: f64,
    /// Whether `lower` itself belongs to it.
    pub lower_inclusive: bool,
    /// Whether `upper` itself belongs to it.
    pub upper_inclusive: bool,
    /// How many observations fell into it.
    pub count: f64,
    /// Its index on its side.
    pub index: i32,
}

/// The populated buckets of one side.
#[derive(Debug, Clone)]
pub struct Buckets<'a> {
    schema: Schema,
    custom_values: &'a [f64],
    negative: bool,
    spans: std::slice::Iter<'a, Span>,
    counts: std::slice::Iter<'a, f64>,
    left_in_span: u32,
    /// The index of the next bucket.
    index: i32,
}

impl<'a> Buckets<'a> {
    pub(super) fn new(
        histogram: &'a Histogram,
        spans: &'a [Span],
        counts: &'a [f64],
        negative: bool,
    ) -> Self {
        Self {
            schema: histogram.schema,
            custom_values: &histogram.custom_values,
            negative,
            spans: spans.iter(),
            counts: counts.iter(),
            left_in_span: 0,
            index: 0,
        }
    }
}

impl Iterator for Buckets<'_> {
    type Item = Bucket;

    fn next(&mut self) -> Option<Bucket> {
        while self.left_in_span == 0 {
            let span = self.spans.next()?;
            self.index = self.index.saturating_add(span.offset);
            self.left_in_span = span.length;
        }
        let count = *self.counts.next()?;
        let index = self.index;
        self.left_in_span -= 1;
        self.index = self.index.saturating_add(1);
        Some(Bucket::new(self.schema, self.custom_values, index, count, self.negative))
    }
}

impl Histogram {
    /// The bucket `index` of one side, as if it held `count`.
    pub(super) fn bucket(&self, index: i32, count: f64, negative: bool) -> Bucket {
        Bucket::new(self.schema, &self.custom_values, index, count, negative)
    }
}

impl Bucket {
    fn new(schema: Schema, bounds: &[f64], index: i32, count: f64, negative: bool) -> Self {
        let bucket = Self {
            lower: schema.upper_bound(index.saturating_sub(1), bounds),
            upper: schema.upper_bound(index, bounds),
            // The first custom bucket holds everything up to its bound.
            lower_inclusive: schema.is_custom() && index == 0,
            upper_inclusive: true,
            count,
            index,
        };
        if negative { bucket.mirrored() } else { bucket }
    }

    fn mirrored(self) -> Self {
        Self {
            lower: -self.upper,
            upper: -self.lower,
            lower_inclusive: self.upper_inclusive,
            upper_inclusive: self.lower_inclusive,
            ..self
        }
    }
}

impl Schema {
    /// The upper bound of the positive bucket `index`; infinite from the last custom one on.
    ///
    /// The bucket that would end at 2^1024 ends at the largest float, and the next at infinity.
    pub fn upper_bound(self, index: i32, custom_values: &[f64]) -> f64 {
        if self.is_custom() {
            let Ok(index) = usize::try_from(index) else { return f64::NEG_INFINITY };
            return custom_values.get(index).copied().unwrap_or(f64::INFINITY);
        }
        // 2^(index / 2^schema), split so that the power of two is exact.
        let (whole, fraction) = if let Ok(schema) = u32::try_from(self.number()) {
            let steps = 1_i32 << schema;
            (index >> schema, f64::from(index & (steps - 1)) / f64::from(steps))
        } else {
            let shift = i64::from(self.number().unsigned_abs());
            let whole = (i64::from(index) << shift).clamp(-100_000, 100_000);
            (i32::try_from(whole).unwrap_or(0), 0.0)
        };
        if whole == 1024 && fraction == 0.0 {
            return f64::MAX;
        }
        // In two halves, because 2^-1074 and 2^1023 · 1.9 are floats while a single factor is not.
        let half = whole / 2;
        fraction.exp2() * f64::from(half).exp2() * f64::from(whole - half).exp2()
    }
}
