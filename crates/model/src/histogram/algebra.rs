//! Adding, subtracting and scaling histograms, and fitting their layouts to each other first.
//!
//! Rules: `model/histogram/float_histogram.go` upstream. Two exponential histograms meet at the
//! lower schema and at a zero threshold that cuts no populated bucket of either; two custom ones
//! at the bounds that both have. Results may hold empty buckets: [`Histogram::compact`] drops
//! them. Many additions in a row: `sum.rs`. Resets between two samples: `reset.rs`.

use super::{
    CounterResetHint, Histogram, Span,
    cells::{Cell, SideBuilder, cells, reduced_index, shift_between, walk},
    sum::kahan_add,
};

/// One histogram has exponential buckets and the other custom ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "cannot apply this operation on histograms with a mix of exponential and custom bucket schemas"
)]
pub struct IncompatibleSchemas;

/// What happened on the way of an addition or a subtraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Combined {
    /// One was marked as a counter reset and the other as none; the result's hint is unknown.
    pub counter_reset_collision: bool,
    /// Custom bounds differed; the result has those that both had.
    pub bounds_reconciled: bool,
}

impl Histogram {
    /// Adds `other`, count by count.
    ///
    /// # Errors
    /// [`IncompatibleSchemas`]; then nothing was changed.
    pub fn add(&mut self, other: &Self) -> Result<Combined, IncompatibleSchemas> {
        combine(self, None, other, 1.0)
    }

    /// Subtracts `other`, count by count.
    ///
    /// The hint becomes what an addition would make of it; the `-` operator of PromQL sets it to
    /// gauge afterwards.
    ///
    /// # Errors
    /// [`IncompatibleSchemas`]; then nothing was changed.
    pub fn sub(&mut self, other: &Self) -> Result<Combined, IncompatibleSchemas> {
        combine(self, None, other, -1.0)
    }

    /// Multiplies every count and the sum; a negative factor makes it a gauge.
    pub fn mul(&mut self, factor: f64) {
        self.map_counts(|count| count * factor);
        if factor < 0.0 {
            self.counter_reset_hint = CounterResetHint::Gauge;
        }
    }

    /// Divides every count and the sum; division by zero also drops the buckets.
    pub fn div(&mut self, divisor: f64) {
        self.map_counts(|count| count / divisor);
        if divisor == 0.0 {
            self.positive_spans.clear();
            self.positive_buckets.clear();
            self.negative_spans.clear();
            self.negative_buckets.clear();
        } else if divisor < 0.0 {
            self.counter_reset_hint = CounterResetHint::Gauge;
        }
    }

    /// The same observations at the lower resolution `schema`; unchanged when it isn't lower or
    /// either has custom buckets.
    #[must_use]
    pub fn copy_to_schema(&self, schema: super::Schema) -> Self {
        let mut copy = self.clone();
        if !self.uses_custom_buckets() && !schema.is_custom() {
            copy.reduce_sides(schema);
        }
        copy
    }

    /// Drops empty buckets, but keeps up to `empty_max` of them between two populated ones.
    ///
    /// 0 gives the one canonical layout, which comparisons use.
    pub fn compact(&mut self, empty_max: u32) {
        for (spans, counts) in [
            (&mut self.positive_spans, &mut self.positive_buckets),
            (&mut self.negative_spans, &mut self.negative_buckets),
        ] {
            let canonical = spans.first().is_none_or(|first| first.length > 0)
                && counts.iter().all(|c| *c != 0.0);
            let is_compact = canonical
                && spans
                    .iter()
                    .skip(1)
                    .all(|s| s.length > 0 && i64::from(s.offset) > i64::from(empty_max));
            if is_compact {
                continue;
            }
            let mut side = SideBuilder::with_capacity(counts.len());
            let mut next: Option<i32> = None;
            for (index, count) in walk(spans, counts).filter(|(_, count)| *count != 0.0) {
                if let Some(from) = next {
                    let gap = index.saturating_sub(from);
                    if u32::try_from(gap).is_ok_and(|gap| gap <= empty_max) {
                        (from..index).for_each(|empty| side.push(empty, 0.0));
                    }
                }
                side.push(index, count);
                next = Some(index.saturating_add(1));
            }
            (*spans, *counts) = (side.spans, side.counts);
        }
    }

    /// Whether any of its numbers is infinite, as sums become that overflow.
    pub fn has_infinite(&self) -> bool {
        let scalars = [self.count, self.sum, self.zero_count];
        let all =
            [&scalars[..], &self.positive_buckets, &self.negative_buckets, &self.custom_values];
        all.iter().any(|numbers| numbers.iter().any(|n| n.is_infinite()))
    }

    /// Bytes that it takes in memory.
    pub fn byte_len(&self) -> usize {
        let spans = self.positive_spans.len() + self.negative_spans.len();
        let numbers =
            self.positive_buckets.len() + self.negative_buckets.len() + self.custom_values.len();
        size_of::<Self>() + spans * size_of::<Span>() + numbers * size_of::<f64>()
    }

    pub(super) fn map_counts(&mut self, change: impl Fn(f64) -> f64) {
        for number in [&mut self.count, &mut self.sum, &mut self.zero_count] {
            *number = change(*number);
        }
        for count in self.positive_buckets.iter_mut().chain(&mut self.negative_buckets) {
            *count = change(*count);
        }
    }

    fn merge_hint(&mut self, other: CounterResetHint) -> bool {
        use CounterResetHint::{Gauge, Unknown};
        let own = self.counter_reset_hint;
        if own == other || own == Gauge {
            return false;
        }
        self.counter_reset_hint = if other == Gauge { Gauge } else { Unknown };
        own != Unknown && other != Unknown && other != Gauge
    }
}

/// What Kahan summation owes to each number of a histogram; parallel to its buckets.
#[derive(Debug, Clone)]
pub(super) struct Owed {
    count: f64,
    sum: f64,
    zero_count: f64,
    positive: Vec<f64>,
    negative: Vec<f64>,
}

impl Owed {
    pub(super) fn none(histogram: &Histogram) -> Self {
        Self {
            count: 0.0,
            sum: 0.0,
            zero_count: 0.0,
            positive: vec![0.0; histogram.positive_buckets.len()],
            negative: vec![0.0; histogram.negative_buckets.len()],
        }
    }

    pub(super) fn map(&mut self, change: impl Fn(f64) -> f64) {
        for number in [&mut self.count, &mut self.sum, &mut self.zero_count] {
            *number = change(*number);
        }
        for number in self.positive.iter_mut().chain(&mut self.negative) {
            *number = change(*number);
        }
    }

    pub(super) fn pay(&self, histogram: &mut Histogram) {
        histogram.count += self.count;
        histogram.sum += self.sum;
        histogram.zero_count += self.zero_count;
        for (count, owed) in histogram.positive_buckets.iter_mut().zip(&self.positive) {
            *count += owed;
        }
        for (count, owed) in histogram.negative_buckets.iter_mut().zip(&self.negative) {
            *count += owed;
        }
    }
}

/// `target += sign * other`; with `owed` every addition is compensated.
pub(super) fn combine(
    target: &mut Histogram,
    owed: Option<&mut Owed>,
    other: &Histogram,
    sign: f64,
) -> Result<Combined, IncompatibleSchemas> {
    if target.uses_custom_buckets() != other.uses_custom_buckets() {
        return Err(IncompatibleSchemas);
    }
    let counter_reset_collision = target.merge_hint(other.counter_reset_hint);
    let bounds_reconciled =
        target.uses_custom_buckets() && target.custom_values != other.custom_values;
    // Plain additions keep nothing: what rounding loses is dropped again at once.
    let mut nothing =
        Owed { count: 0.0, sum: 0.0, zero_count: 0.0, positive: vec![], negative: vec![] };
    let exact = owed.is_some();
    let owed = owed.unwrap_or(&mut nothing);
    let mut adder = Adder { exact };
    adder.add(&mut target.count, &mut owed.count, sign * other.count);
    adder.add(&mut target.sum, &mut owed.sum, sign * other.sum);

    if same_layout(target, other) {
        adder.add(&mut target.zero_count, &mut owed.zero_count, sign * other.zero_count);
        adder.add_all(
            &mut target.positive_buckets,
            &mut owed.positive,
            &other.positive_buckets,
            sign,
        );
        adder.add_all(
            &mut target.negative_buckets,
            &mut owed.negative,
            &other.negative_buckets,
            sign,
        );
        return Ok(Combined { counter_reset_collision, bounds_reconciled: false });
    }

    let mut positive = with_owed(&target.positive_spans, &target.positive_buckets, &owed.positive);
    let mut negative = with_owed(&target.negative_spans, &target.negative_buckets, &owed.negative);
    let mut other_positive = cells(&other.positive_spans, &other.positive_buckets);
    let mut other_negative = cells(&other.negative_spans, &other.negative_buckets);
    if bounds_reconciled {
        let shared = shared_bounds(&target.custom_values, &other.custom_values);
        positive = adder.rebound(&positive, &target.custom_values, &shared);
        other_positive = adder.rebound(&other_positive, &other.custom_values, &shared);
        target.custom_values = shared;
    } else if !target.uses_custom_buckets() {
        // Zero buckets are reconciled at each side's own resolution, before any is reduced.
        let mut own_zero = Zero {
            threshold: target.zero_threshold,
            count: target.zero_count,
            owed: owed.zero_count,
        };
        let mut other_zero =
            Zero { threshold: other.zero_threshold, count: other.zero_count, owed: 0.0 };
        while own_zero.threshold < other_zero.threshold || other_zero.threshold < own_zero.threshold
        {
            if own_zero.threshold > other_zero.threshold {
                other_zero.widen(
                    own_zero.threshold,
                    other,
                    [&mut other_positive, &mut other_negative],
                    &mut adder,
                );
            } else {
                own_zero.widen(
                    other_zero.threshold,
                    target,
                    [&mut positive, &mut negative],
                    &mut adder,
                );
            }
        }
        adder.add(&mut own_zero.count, &mut own_zero.owed, sign * other_zero.count);
        target.zero_threshold = own_zero.threshold;
        target.zero_count = own_zero.count;
        owed.zero_count = own_zero.owed;
        let schema = target.schema.min(other.schema);
        let shift = shift_between(target.schema, schema);
        adder.reduce(&mut positive, shift);
        adder.reduce(&mut negative, shift);
        let shift = shift_between(other.schema, schema);
        for side in [&mut other_positive, &mut other_negative] {
            adder.reduce(side, shift);
            // What lies inside the zero bucket has been counted there.
            let inside = |c: &&Cell| schema.upper_bound(c.index, &[]) <= target.zero_threshold;
            side.drain(..side.iter().take_while(inside).count());
        }
        target.schema = schema;
    }
    (target.positive_spans, target.positive_buckets, owed.positive) =
        adder.merge(&positive, &other_positive, sign);
    (target.negative_spans, target.negative_buckets, owed.negative) =
        adder.merge(&negative, &other_negative, sign);
    Ok(Combined { counter_reset_collision, bounds_reconciled })
}

fn same_layout(a: &Histogram, b: &Histogram) -> bool {
    a.schema == b.schema
        && a.zero_threshold.to_bits() == b.zero_threshold.to_bits()
        && a.positive_spans == b.positive_spans
        && a.negative_spans == b.negative_spans
        && a.positive_buckets.len() == b.positive_buckets.len()
        && a.negative_buckets.len() == b.negative_buckets.len()
        && a.custom_values == b.custom_values
}

fn with_owed(spans: &[Span], counts: &[f64], owed: &[f64]) -> Vec<Cell> {
    let mut cells = cells(spans, counts);
    for (cell, owed) in cells.iter_mut().zip(owed) {
        cell.owed = *owed;
    }
    cells
}

/// The bounds that both lists have; both rise.
fn shared_bounds(a: &[f64], b: &[f64]) -> Vec<f64> {
    let mut b = b.iter().copied().peekable();
    a.iter()
        .copied()
        .filter(|bound| {
            while b.next_if(|other| other < bound).is_some() {}
            b.peek() == Some(bound)
        })
        .collect()
}

struct Adder {
    exact: bool,
}

impl Adder {
    #[inline]
    fn add(&mut self, count: &mut f64, owed: &mut f64, value: f64) {
        if self.exact {
            kahan_add(count, owed, value);
        } else {
            *count += value;
        }
    }

    fn add_cell(&mut self, cell: &mut Cell, count: f64, owed: f64) {
        self.add(&mut cell.count, &mut cell.owed, count);
        if owed != 0.0 {
            self.add(&mut cell.count, &mut cell.owed, owed);
        }
    }

    fn add_all(&mut self, counts: &mut [f64], owed: &mut [f64], values: &[f64], sign: f64) {
        if self.exact {
            for ((count, owed), value) in counts.iter_mut().zip(owed).zip(values) {
                kahan_add(count, owed, sign * value);
            }
        } else {
            for (count, value) in counts.iter_mut().zip(values) {
                *count += sign * value;
            }
        }
    }

    fn reduce(&mut self, side: &mut Vec<Cell>, shift: u32) {
        if shift == 0 {
            return;
        }
        let mut reduced: Vec<Cell> = Vec::with_capacity(side.len());
        for cell in side.iter() {
            let index = reduced_index(cell.index, shift);
            match reduced.last_mut() {
                Some(last) if last.index == index => self.add_cell(last, cell.count, cell.owed),
                _ => reduced.push(Cell { index, ..*cell }),
            }
        }
        *side = reduced;
    }

    /// Moves cells to the first bucket of `to` that holds all of theirs.
    fn rebound(&mut self, side: &[Cell], from: &[f64], to: &[f64]) -> Vec<Cell> {
        let mut moved: Vec<Cell> = Vec::with_capacity(to.len() + 1);
        for cell in side {
            let bound = usize::try_from(cell.index).ok().and_then(|at| from.get(at));
            let at = bound.map_or(to.len(), |bound| to.partition_point(|b| b < bound));
            let index = i32::try_from(at).unwrap_or(i32::MAX);
            match moved.last_mut() {
                Some(last) if last.index == index => self.add_cell(last, cell.count, cell.owed),
                _ => moved.push(Cell { index, ..*cell }),
            }
        }
        moved
    }

    fn merge(
        &mut self,
        own: &[Cell],
        other: &[Cell],
        sign: f64,
    ) -> (Vec<Span>, Vec<f64>, Vec<f64>) {
        let mut side = SideBuilder::with_capacity(own.len() + other.len());
        let mut owed = Vec::with_capacity(if self.exact { own.len() + other.len() } else { 0 });
        let (mut own, mut other) = (own.iter().peekable(), other.iter().peekable());
        loop {
            let cell = match (own.peek(), other.peek()) {
                (None, None) => break,
                (Some(a), Some(b)) if a.index == b.index => {
                    let mut cell = **a;
                    self.add_cell(&mut cell, sign * b.count, sign * b.owed);
                    own.next();
                    other.next();
                    cell
                }
                (Some(a), Some(b)) if a.index < b.index => {
                    let cell = **a;
                    own.next();
                    cell
                }
                (Some(a), None) => {
                    let cell = **a;
                    own.next();
                    cell
                }
                (_, Some(b)) => {
                    let cell = Cell { count: sign * b.count, owed: sign * b.owed, ..**b };
                    other.next();
                    cell
                }
            };
            side.push(cell.index, cell.count);
            if self.exact {
                owed.push(cell.owed);
            }
        }
        (side.spans, side.counts, owed)
    }
}

#[derive(Clone, Copy)]
struct Zero {
    threshold: f64,
    count: f64,
    owed: f64,
}

impl Zero {
    /// Grows the zero bucket to `threshold`, or as far beyond as needed to cut no populated
    /// bucket, and takes the buckets that are now inside.
    fn widen(
        &mut self,
        threshold: f64,
        of: &Histogram,
        sides: [&mut Vec<Cell>; 2],
        adder: &mut Adder,
    ) {
        let upper = |index: i32| of.schema.upper_bound(index, &[]);
        let mut reach = threshold;
        loop {
            let before = reach;
            for side in &sides {
                // Buckets rise outwards: at most one is cut.
                let cut = side.iter().find(|c| {
                    c.count != 0.0
                        && upper(c.index.saturating_sub(1)) < reach
                        && upper(c.index) > reach
                });
                if let Some(cut) = cut {
                    reach = upper(cut.index);
                }
            }
            if reach <= before {
                break;
            }
        }
        for side in sides {
            let inside =
                side.iter().take_while(|c| upper(c.index.saturating_sub(1)) < reach).count();
            for cell in side.drain(..inside) {
                adder.add(&mut self.count, &mut self.owed, cell.count);
                if cell.owed != 0.0 {
                    adder.add(&mut self.count, &mut self.owed, cell.owed);
                }
            }
        }
        self.threshold = reach;
    }
}

#[cfg(test)]
mod tests;
