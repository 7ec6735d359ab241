//! The instants at which an expression is evaluated, and how selectors move away from them.
//!
//! A query has one grid, a subquery another, finer or coarser, that reaches further back. An
//! instant query is a grid of one instant.

use masthead_model::Millis;
use masthead_vecmath::StepGrid;

use super::Error;
use crate::ast::At;

/// A grid never has more instants than this: upstream's HTTP API refuses more than 11,000 for a
/// query, and a subquery of a year by the second is already more than a query can pay for.
pub(crate) const STEPS_MAX: usize = 50_000_000;

/// How a selector or a subquery moves away from the instant of evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Shift {
    /// The instant that replaces the one of evaluation.
    pub(crate) at: Option<i64>,
    /// Milliseconds back from there.
    pub(crate) offset: i64,
}

impl Shift {
    /// Where the instant `time` is moved to.
    pub(crate) fn apply(self, time: i64) -> i64 {
        self.at.unwrap_or(time).saturating_sub(self.offset)
    }
}

/// The instants from `start` to at most `end`; nothing if `end` is before `start`.
///
/// # Errors
/// [`Error::TooManySteps`].
pub(crate) fn grid(start: i64, end: i64, step: i64) -> Result<Option<StepGrid>, Error> {
    if end < start {
        return Ok(None);
    }
    match StepGrid::new(start, end, step.max(1)) {
        Some(grid) if grid.len() <= STEPS_MAX => Ok(Some(grid)),
        _ => Err(Error::TooManySteps),
    }
}

/// The instant that `@` names, if any, in a query from `start` to `end`.
pub(crate) fn resolve_at(at: Option<At>, start: Millis, end: Millis) -> Option<i64> {
    match at? {
        At::Timestamp(at) => Some(at.0),
        At::Start => Some(start.0),
        At::End => Some(end.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absurd_grids_are_refused_and_inverted_ones_are_empty() {
        assert!(matches!(grid(i64::MIN, i64::MAX, 1), Err(Error::TooManySteps)));
        assert!(matches!(grid(0, 50_000_000, 1), Err(Error::TooManySteps)));
        assert!(matches!(grid(5, 4, 1), Ok(None)));
        assert!(matches!(grid(5, 5, 0), Ok(Some(grid)) if grid.len() == 1));
    }

    #[test]
    fn a_shift_replaces_the_instant_and_then_goes_back() {
        let f = |at, offset, want| assert_eq!(Shift { at, offset }.apply(100), want);
        f(None, 0, 100);
        f(None, -20, 120);
        f(Some(7), 5, 2);
    }
}
