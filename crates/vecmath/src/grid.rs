//! The instants at which a query is evaluated.

/// `start`, `start + step`, … up to `end`, in milliseconds (or any other unit used throughout).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepGrid {
    start: i64,
    step: i64,
    steps: usize,
}

impl StepGrid {
    /// A grid from `start` to at most `end`; nothing if `end` is before `start`, if there are more
    /// than `i64` can count, or if `step` isn't positive while there is more than one instant.
    pub fn new(start: i64, end: i64, step: i64) -> Option<Self> {
        let length = end.checked_sub(start).filter(|length| *length >= 0)?;
        if length == 0 {
            return Some(Self::instant(start));
        }
        let last = length.checked_div(step).filter(|_| step > 0)?;
        Some(Self { start, step, steps: usize::try_from(last).ok()?.checked_add(1)? })
    }

    /// One instant.
    pub fn instant(at: i64) -> Self {
        Self { start: at, step: 1, steps: 1 }
    }

    /// How many instants; never 0.
    #[expect(clippy::len_without_is_empty, reason = "a grid always has an instant")]
    pub fn len(&self) -> usize {
        self.steps
    }

    /// The first instant.
    pub fn start(&self) -> i64 {
        self.start
    }

    /// The last instant, which may lie before the end that was asked for.
    pub fn end(&self) -> i64 {
        self.at(self.steps - 1)
    }

    /// From one instant to the next.
    pub fn step(&self) -> i64 {
        self.step
    }

    /// The instant number `n`, counted from 0.
    pub fn at(&self, n: usize) -> i64 {
        let n = i64::try_from(n).unwrap_or(i64::MAX);
        self.start.saturating_add(n.saturating_mul(self.step))
    }

    /// The number of the instant `at`, if it lies on the grid.
    pub fn position(&self, at: i64) -> Option<usize> {
        let from = at.checked_sub(self.start)?;
        let n = usize::try_from(from / self.step).ok()?;
        (from >= 0 && from % self.step == 0 && n < self.steps).then_some(n)
    }

    /// The instants, rising.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = i64> + '_ {
        (0..self.steps).map(|n| self.at(n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_lie_between_start_and_end() {
        let f = |start, end, step, want: Option<&[i64]>| {
            let got = StepGrid::new(start, end, step).map(|g| g.iter().collect::<Vec<_>>());
            assert_eq!(got.as_deref(), want, "{start} {end} {step}");
        };
        f(0, 30, 10, Some(&[0, 10, 20, 30]));
        f(5, 29, 10, Some(&[5, 15, 25]));
        f(-5, 5, 10, Some(&[-5, 5]));
        f(7, 7, 0, Some(&[7]));
        f(0, 9, 10, Some(&[0]));
        f(0, 9, 0, None);
        f(0, 9, -1, None);
        f(1, 0, 1, None);
        f(i64::MIN, i64::MAX, 1, None);
        let grid = StepGrid::new(5, 29, 10).expect("grid");
        assert_eq!((grid.start(), grid.end(), grid.step(), grid.len()), (5, 25, 10, 3));
        let f = |at, want| assert_eq!(grid.position(at), want, "{at}");
        f(5, Some(0));
        f(25, Some(2));
        f(35, None);
        f(6, None);
        f(-5, None);
    }
}
