//! What the API asks of a query language.
//!
//! The language itself is `promql`; this seam is here so that the API can be tested with one that
//! is slow, huge or broken on purpose. It never parses: it hands on the text, so that every error
//! has its position in what the user wrote.

use std::fmt::Debug;

use masthead_model::{ErrorClass, Millis};
use masthead_ports::{QueryCtx, SampleSource};
use masthead_promql::QueryValue;

mod promql;

/// Evaluates queries; called on threads that may block.
pub trait Evaluator: Send + Sync + Debug {
    /// The answer at one instant.
    ///
    /// # Errors
    /// [`EvalError`].
    fn instant(
        &self,
        ctx: &QueryCtx,
        source: &dyn SampleSource,
        query: &Query<'_>,
        at: Millis,
    ) -> Result<Evaluation, EvalError>;

    /// The answer at `start`, `start` + `step_ms`, and so on up to `end`.
    ///
    /// # Errors
    /// [`EvalError`].
    fn range(
        &self,
        ctx: &QueryCtx,
        source: &dyn SampleSource,
        query: &Query<'_>,
        grid: Grid,
    ) -> Result<Evaluation, EvalError>;
}

/// What is evaluated.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// As the user wrote it; positions in annotations count in it.
    pub text: &'a str,
    /// How far back an instant selector looks, in milliseconds, if not as far as usual.
    pub lookback_ms: Option<i64>,
}

/// The instants of a range query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// The first.
    pub start: Millis,
    /// None is later.
    pub end: Millis,
    /// From one to the next, in milliseconds; positive.
    pub step_ms: i64,
}

/// An answer and what is to be said beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// The answer.
    pub value: QueryValue,
    /// Something may be wrong with it.
    pub warnings: Vec<String>,
    /// Something worth knowing.
    pub infos: Vec<String>,
}

/// Why there is no answer. A class of [`ErrorClass::BadInput`] means the text is at fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EvalError {
    /// Whose fault.
    pub class: ErrorClass,
    /// What happened.
    pub message: String,
}
