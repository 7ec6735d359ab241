//! The buckets of one side as pairs of index and count, and back to spans.
//!
//! The algebra (`algebra.rs`, `sum.rs`) works on these pairs wherever two layouts differ. Spans
//! from outside may name more buckets than there are counts, or indexes beyond 32 bits: walking
//! ends with the counts and indexes saturate, so nothing here panics or allocates by a number
//! that was merely claimed.

use super::{Histogram, Schema, Span};

/// One bucket: its index, its count, and what Kahan summation still owes it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cell {
    pub(super) index: i32,
    pub(super) count: f64,
    pub(super) owed: f64,
}

/// Walks the index and count of every stored bucket of one side.
pub(super) fn walk<'a>(
    spans: &'a [Span],
    counts: &'a [f64],
) -> impl Iterator<Item = (i32, f64)> + 'a {
    let indexes = spans.iter().scan(0_i32, |next, span| {
        let first = next.saturating_add(span.offset);
        *next = first.saturating_add(i32::try_from(span.length).unwrap_or(i32::MAX));
        Some((first, span.length))
    });
    indexes
        .flat_map(|(first, length)| {
            (0..length).map(move |n| first.saturating_add(i32::try_from(n).unwrap_or(i32::MAX)))
        })
        .zip(counts.iter().copied())
}

/// The same at a lower resolution: neighbours that fall into one bucket are added.
pub(super) fn walk_reduced<'a>(
    spans: &'a [Span],
    counts: &'a [f64],
    shift: u32,
) -> impl Iterator<Item = (i32, f64)> + 'a {
    let mut cells = walk(spans, counts).map(move |(i, c)| (reduced_index(i, shift), c)).peekable();
    std::iter::from_fn(move || {
        let (index, mut count) = cells.next()?;
        while let Some((_, more)) = cells.next_if(|(next, _)| *next == index) {
            count += more;
        }
        Some((index, count))
    })
}

/// Where bucket `index` lands when the schema number falls by `shift`.
pub(super) fn reduced_index(index: i32, shift: u32) -> i32 {
    (index.saturating_sub(1) >> shift.min(31)).saturating_add(1)
}

/// How many powers of two lie between two exponential schemas; 0 when `to` is not lower.
pub(super) fn shift_between(from: Schema, to: Schema) -> u32 {
    u32::try_from(i32::from(from.number()) - i32::from(to.number())).unwrap_or(0)
}

/// The cells of one side with nothing owed.
pub(super) fn cells(spans: &[Span], counts: &[f64]) -> Vec<Cell> {
    walk(spans, counts).map(|(index, count)| Cell { index, count, owed: 0.0 }).collect()
}

/// Collects buckets in rising order of their indexes into spans.
#[derive(Debug, Default)]
pub(super) struct SideBuilder {
    pub(super) spans: Vec<Span>,
    pub(super) counts: Vec<f64>,
    next: i32,
}

impl SideBuilder {
    pub(super) fn with_capacity(buckets: usize) -> Self {
        Self { spans: Vec::new(), counts: Vec::with_capacity(buckets), next: 0 }
    }

    pub(super) fn push(&mut self, index: i32, count: f64) {
        let gap = index.saturating_sub(self.next);
        match self.spans.last_mut() {
            // An index that saturated comes again; it stays one more bucket of the same span.
            Some(span) if gap <= 0 => span.length = span.length.saturating_add(1),
            _ => self.spans.push(Span { offset: gap, length: 1 }),
        }
        self.counts.push(count);
        self.next = index.saturating_add(1);
    }
}

impl Histogram {
    /// Sets both sides to lower resolution; the caller has checked that the schema is exponential.
    pub(super) fn reduce_sides(&mut self, to: Schema) {
        let shift = shift_between(self.schema, to);
        if shift > 0 {
            for (spans, counts) in [
                (&mut self.positive_spans, &mut self.positive_buckets),
                (&mut self.negative_spans, &mut self.negative_buckets),
            ] {
                let mut side = SideBuilder::with_capacity(counts.len());
                for (index, count) in walk_reduced(spans, counts, shift) {
                    side.push(index, count);
                }
                (*spans, *counts) = (side.spans, side.counts);
            }
            self.schema = to;
        }
    }
}
