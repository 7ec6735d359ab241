//! Which steps see a line: windows that end at each step and are open on the left.
//!
//! A line is seen by the steps from the first whose window ends at or after it, up to the last
//! whose window starts before it. Both ends of that range rise with time, so lines between two
//! neighbouring edges of windows (a [`Span`]) are seen by the same steps, and their sum can be
//! handed from window to window.

use masthead_vecmath::StepGrid;

/// The steps that see a line: from the first to before the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Span {
    pub(super) from: u32,
    pub(super) until: u32,
}

impl Span {
    /// Whether a step sees it.
    pub(super) fn is_seen(self) -> bool {
        self.from < self.until
    }

    /// Rises with time and differs between spans.
    pub(super) fn order(self) -> u64 {
        u64::from(self.from) + u64::from(self.until)
    }
}

/// The windows of all steps, in nanoseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct WindowGrid {
    first_end: i64,
    step: i64,
    steps: i64,
    range: i64,
}

impl WindowGrid {
    /// Windows of `range` that end `offset` before each instant of `grid`.
    pub(super) fn new(grid: &StepGrid, range: i64, offset: i64) -> Self {
        Self {
            first_end: grid.start().saturating_sub(offset),
            step: grid.step().max(1),
            steps: i64::try_from(grid.len()).unwrap_or(i64::MAX),
            range,
        }
    }

    /// How many windows end before `at`.
    fn ends_before(&self, at: i64) -> i64 {
        let ahead = at.saturating_sub(self.first_end);
        if ahead <= 0 { 0 } else { ((ahead - 1) / self.step + 1).min(self.steps) }
    }

    /// The steps that see a line written at `at`, and the last instant with the same answer.
    fn span(&self, at: i64) -> (Span, i64) {
        let from = self.ends_before(at);
        // A window starts before the line when it ends before the line moved on by its length.
        let until = self.ends_before(at.saturating_add(self.range));
        let place = |n: i64| u32::try_from(n).unwrap_or(u32::MAX);
        let edge = |n: i64| {
            if n >= self.steps {
                i64::MAX
            } else {
                self.first_end.saturating_add(n.saturating_mul(self.step))
            }
        };
        let next_end = edge(from);
        let next_start =
            if until >= self.steps { i64::MAX } else { edge(until).saturating_sub(self.range) };
        (Span { from: place(from), until: place(until) }, next_end.min(next_start))
    }

    /// A place to ask for the spans of rising times from.
    pub(super) fn cursor(&self) -> Cursor {
        Cursor { grid: *self, span: Span { from: 0, until: 0 }, first: i64::MAX, last: i64::MIN }
    }
}

/// Remembers the last answer, because neighbouring lines mostly have the same.
#[derive(Debug, Clone)]
pub(super) struct Cursor {
    grid: WindowGrid,
    span: Span,
    first: i64,
    last: i64,
}

impl Cursor {
    pub(super) fn span(&mut self, at: i64) -> Span {
        if at < self.first || at > self.last {
            (self.span, self.last) = self.grid.span(at);
            self.first = at;
        }
        self.span
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_line_is_seen_by_the_windows_it_lies_in(
            start in -50..50_i64, steps in 1..20_i64, step in 1..15_i64,
            range in 0..60_i64, offset in -20..20_i64,
            mut times in proptest::collection::vec(-200..400_i64, 1..60),
        ) {
            times.sort_unstable();
            let grid = StepGrid::new(start, start + (steps - 1) * step, step).expect("grid");
            let windows = WindowGrid::new(&grid, range, offset);
            let mut cursor = windows.cursor();
            for at in times {
                let span = cursor.span(at);
                for (n, end) in grid.iter().enumerate() {
                    let inside = end - offset - range < at && at <= end - offset;
                    let n = u32::try_from(n).expect("few");
                    prop_assert_eq!(span.from <= n && n < span.until, inside, "{} {:?}", at, span);
                }
            }
        }
    }
}
