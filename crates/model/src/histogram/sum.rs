//! Sums of many histograms, kept exact by Kahan summation of every single count.
//!
//! `sum`, `avg` and their `_over_time` forms go through here; one addition alone is
//! `algebra.rs`. Upstream: `KahanAdd` in `model/histogram/float_histogram.go`, and the switch to
//! an incremental mean in `promql/functions.go: funcAvgOverTime`.

use super::{
    Histogram,
    algebra::{Combined, IncompatibleSchemas, Owed, combine},
};
use crate::CounterResetHint;

/// Adds `value` to `sum` and keeps in `owed` what rounding lost (Neumaier's variant).
///
/// Upstream: `util/kahansum`.
#[inline]
pub fn kahan_add(sum: &mut f64, owed: &mut f64, value: f64) {
    let total = *sum + value;
    if total.is_infinite() {
        *owed = 0.0;
    } else if sum.abs() >= value.abs() {
        *owed += (*sum - total) + value;
    } else {
        *owed += (value - total) + *sum;
    }
    *sum = total;
}

/// What a reader of a sum or a mean should be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SumNotes {
    /// One addend was marked as a reset and another as none.
    pub counter_reset_collision: bool,
    /// Custom bounds differed and were brought down to those that all share.
    pub bounds_reconciled: bool,
}

/// A running sum of histograms.
#[derive(Debug, Clone)]
pub struct HistogramSum {
    total: Histogram,
    owed: Owed,
    reset_seen: bool,
    no_reset_seen: bool,
    bounds_reconciled: bool,
}

impl HistogramSum {
    /// A sum that so far holds `first`.
    pub fn new(first: Histogram) -> Self {
        let mut sum = Self {
            owed: Owed::none(&first),
            total: first,
            reset_seen: false,
            no_reset_seen: false,
            bounds_reconciled: false,
        };
        sum.note_hint(sum.total.counter_reset_hint);
        sum
    }

    /// Adds one more; on an error nothing was added.
    ///
    /// # Errors
    /// When one has custom buckets and the other has not.
    pub fn add(&mut self, other: &Histogram) -> Result<(), IncompatibleSchemas> {
        let Combined { bounds_reconciled, .. } =
            combine(&mut self.total, Some(&mut self.owed), other, 1.0)?;
        self.note_hint(other.counter_reset_hint);
        self.bounds_reconciled |= bounds_reconciled;
        Ok(())
    }

    /// What the additions so far are worth telling.
    pub fn notes(&self) -> SumNotes {
        SumNotes {
            counter_reset_collision: self.reset_seen && self.no_reset_seen,
            bounds_reconciled: self.bounds_reconciled,
        }
    }

    /// The sum.
    pub fn finish(self) -> Histogram {
        let mut total = self.total;
        self.owed.pay(&mut total);
        total
    }

    fn note_hint(&mut self, hint: CounterResetHint) {
        self.reset_seen |= hint == CounterResetHint::CounterReset;
        self.no_reset_seen |= hint == CounterResetHint::NotCounterReset;
    }

    fn scale(&mut self, factor: impl Fn(f64) -> f64) {
        self.total.map_counts(&factor);
        self.owed.map(&factor);
    }
}

/// A running mean of histograms: a sum as long as none of its numbers overflows, else incremental.
#[derive(Debug, Clone)]
pub struct HistogramMean {
    sum: HistogramSum,
    count: f64,
    incremental: bool,
}

impl HistogramMean {
    /// A mean that so far is `first`.
    pub fn new(first: Histogram) -> Self {
        Self { sum: HistogramSum::new(first), count: 1.0, incremental: false }
    }

    /// Takes one more into account; on an error it was not.
    ///
    /// # Errors
    /// When one has custom buckets and the other has not.
    pub fn add(&mut self, other: &Histogram) -> Result<(), IncompatibleSchemas> {
        if self.sum.total.uses_custom_buckets() != other.uses_custom_buckets() {
            return Err(IncompatibleSchemas);
        }
        let count = self.count + 1.0;
        if !self.incremental {
            let before = self.sum.clone();
            self.sum.add(other)?;
            if !self.sum.total.has_infinite() {
                self.count = count;
                return Ok(());
            }
            self.sum = before;
            self.incremental = true;
            self.sum.scale(|v| v / (count - 1.0));
        }
        let keep = (count - 1.0) / count;
        self.sum.scale(|v| v * keep);
        let mut part = other.clone();
        part.div(count);
        self.sum.add(&part)?;
        self.count = count;
        Ok(())
    }

    /// What the additions so far are worth telling.
    pub fn notes(&self) -> SumNotes {
        self.sum.notes()
    }

    /// The mean.
    pub fn finish(mut self) -> Histogram {
        if !self.incremental {
            let count = self.count;
            self.sum.scale(|v| v / count);
        }
        self.sum.finish()
    }
}
