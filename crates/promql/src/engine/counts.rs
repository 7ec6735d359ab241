//! How many samples each step of a query looks at, for `stats=all`.
//!
//! Counted only when the caller asks for it. Evaluations lie within each other: a subquery has steps
//! of its own, and what is the same at every step is evaluated once. So there is a frame for each
//! that is under way, and what an inner one counted in all goes to the outer one when it ends: to
//! every step of what does not change, to the last step of what a subquery looked at
//! (`promql/engine.go: StepInvariantExpr, SubqueryExpr`).

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use masthead_model::Histogram;

use super::Row;
use crate::engine::Cell;

/// The frames, the innermost last.
#[derive(Debug)]
pub(crate) struct StepCounts(Mutex<Vec<Vec<u64>>>);

/// What one selector counts, from many threads.
#[derive(Debug)]
pub(crate) struct Tally(Vec<AtomicU64>);

impl StepCounts {
    /// A query of so many steps.
    pub(crate) fn new(steps: usize) -> Self {
        Self(Mutex::new(vec![vec![0; steps]]))
    }

    /// Begins an evaluation with other steps.
    pub(crate) fn enter(&self, steps: usize) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(vec![0; steps]);
    }

    /// Ends it, and answers what it counted in all.
    pub(crate) fn leave(&self) -> u64 {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        inner.unwrap_or_default().iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Adds to each step of the evaluation that is under way.
    pub(crate) fn add(&self, counts: impl IntoIterator<Item = u64>) {
        let mut frames = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let frame = frames.last_mut().into_iter().flatten();
        for (total, count) in frame.zip(counts) {
            *total = total.saturating_add(count);
        }
    }

    /// Adds to its last step.
    pub(crate) fn add_last(&self, count: u64) {
        let mut frames = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(total) = frames.last_mut().and_then(|frame| frame.last_mut()) {
            *total = total.saturating_add(count);
        }
    }

    /// What was counted, a number a step.
    pub(crate) fn finish(self) -> Vec<u64> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    /// Counts what instant selectors see.
    pub(crate) fn add_rows(&self, rows: &[Row], steps: usize) {
        let at = |step| {
            rows.iter().fold(0_u64, |sum, row| match row.cell(step) {
                Cell::Absent => sum,
                Cell::Float(_) => sum + 1,
                Cell::Histogram(histogram) => sum + size(histogram),
            })
        };
        self.add((0..steps).map(at));
    }
}

impl Tally {
    pub(crate) fn new(steps: usize) -> Self {
        Self((0..steps).map(|_| AtomicU64::new(0)).collect())
    }

    pub(crate) fn add(&self, step: usize, count: u64) {
        if let Some(total) = self.0.get(step) {
            total.fetch_add(count, Ordering::Relaxed);
        }
    }

    pub(crate) fn finish(self) -> impl Iterator<Item = u64> {
        self.0.into_iter().map(AtomicU64::into_inner)
    }
}

/// A histogram counts for as many samples as it takes memory, at 16 bytes each.
pub(crate) fn size(histogram: &Histogram) -> u64 {
    (histogram.byte_len() / 16) as u64
}
