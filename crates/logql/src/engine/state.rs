//! What is kept of lines that the same windows see, so that windows can be put together from it.
//!
//! Each state knows how to take one more value and how to take in what came later. Which function
//! uses which is in `range.rs`.

use masthead_vecmath::{Bounds, CounterResets, KahanSum, RateKind, extrapolated_rate, quantile};

use super::window::Span;

/// What is kept of some values.
pub(super) trait State: Clone + Default + Send {
    /// Whether putting together costs the same however much went in before.
    const CHEAP: bool = true;

    /// Takes one more value.
    fn add(&mut self, at: i64, value: f64);

    /// Takes in what came later, or at the same time in the order of the store.
    fn merge(&mut self, later: &Self);

    /// The result of a window that ends at `end` and is `range` nanoseconds long; nothing if too
    /// little went in.
    fn result(&mut self, window: &Window) -> Option<f64>;
}

/// The window that a result is for, and the parameter of the function.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) end: i64,
    pub(super) range: i64,
    pub(super) parameter: f64,
}

/// How many, or how many bytes: whole numbers, so plain addition loses nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Total(f64);

impl State for Total {
    fn add(&mut self, _: i64, value: f64) {
        self.0 += value;
    }

    fn merge(&mut self, later: &Self) {
        self.0 += later.0;
    }

    fn result(&mut self, _: &Window) -> Option<f64> {
        Some(self.0)
    }
}

/// A sum of any numbers.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum(KahanSum);

impl State for Sum {
    fn add(&mut self, _: i64, value: f64) {
        self.0.add(value);
    }

    fn merge(&mut self, later: &Self) {
        self.0.add(later.0.value());
    }

    fn result(&mut self, _: &Window) -> Option<f64> {
        Some(self.0.value())
    }
}

/// A mean.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mean {
    sum: KahanSum,
    count: f64,
}

impl State for Mean {
    fn add(&mut self, _: i64, value: f64) {
        self.sum.add(value);
        self.count += 1.0;
    }

    fn merge(&mut self, later: &Self) {
        self.sum.add(later.sum.value());
        self.count += later.count;
    }

    fn result(&mut self, _: &Window) -> Option<f64> {
        Some(self.sum.value() / self.count)
    }
}

/// The greatest, or with `LEAST` the least; NaN only if there is nothing else.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extreme<const LEAST: bool>(f64);

impl<const LEAST: bool> Default for Extreme<LEAST> {
    fn default() -> Self {
        Self(f64::NAN)
    }
}

impl<const LEAST: bool> State for Extreme<LEAST> {
    fn add(&mut self, _: i64, value: f64) {
        if self.0.is_nan() || (if LEAST { value < self.0 } else { value > self.0 }) {
            self.0 = value;
        }
    }

    fn merge(&mut self, later: &Self) {
        self.add(0, later.0);
    }

    fn result(&mut self, _: &Window) -> Option<f64> {
        Some(self.0)
    }
}

/// The variance of a whole population, or with `ROOT` the standard deviation (Welford; two parts
/// are put together by Chan's formula).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spread<const ROOT: bool> {
    count: f64,
    mean: f64,
    squares: f64,
}

impl<const ROOT: bool> State for Spread<ROOT> {
    fn add(&mut self, _: i64, value: f64) {
        self.count += 1.0;
        let delta = value - self.mean;
        self.mean += delta / self.count;
        self.squares += delta * (value - self.mean);
    }

    fn merge(&mut self, later: &Self) {
        let count = self.count + later.count;
        if later.count == 0.0 {
            return;
        }
        let delta = later.mean - self.mean;
        self.squares += later.squares + delta * delta * self.count * later.count / count;
        self.mean += delta * later.count / count;
        self.count = count;
    }

    fn result(&mut self, _: &Window) -> Option<f64> {
        let variance = self.squares / self.count;
        Some(if ROOT { variance.sqrt() } else { variance })
    }
}

/// The oldest, or with `LAST` the newest; of several at one instant the first or the last.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Edge<const LAST: bool>(Option<(i64, f64)>);

impl<const LAST: bool> State for Edge<LAST> {
    fn add(&mut self, at: i64, value: f64) {
        if self.0.is_none_or(|(other, _)| if LAST { at >= other } else { at < other }) {
            self.0 = Some((at, value));
        }
    }

    fn merge(&mut self, later: &Self) {
        if let Some((at, value)) = later.0 {
            self.add(at, value);
        }
    }

    fn result(&mut self, _: &Window) -> Option<f64> {
        self.0.map(|(_, value)| value)
    }
}

/// Every value, for what cannot be put together.
#[derive(Debug, Clone, Default)]
pub(super) struct Values(Vec<f64>);

impl State for Values {
    const CHEAP: bool = false;

    fn add(&mut self, _: i64, value: f64) {
        self.0.push(value);
    }

    fn merge(&mut self, later: &Self) {
        self.0.extend_from_slice(&later.0);
    }

    fn result(&mut self, window: &Window) -> Option<f64> {
        Some(quantile(window.parameter, &mut self.0))
    }
}

/// Every value with its time: the rate of a counter.
#[derive(Debug, Clone, Default)]
pub(super) struct Counter(Vec<(i64, f64)>);

impl State for Counter {
    const CHEAP: bool = false;

    fn add(&mut self, at: i64, value: f64) {
        self.0.push((at, value));
    }

    fn merge(&mut self, later: &Self) {
        self.0.extend_from_slice(&later.0);
    }

    fn result(&mut self, window: &Window) -> Option<f64> {
        self.0.sort_by_key(|(at, _)| *at);
        let millis = |nanos: i64| nanos.div_euclid(1_000_000);
        let times: Vec<i64> = self.0.iter().map(|(at, _)| millis(*at)).collect();
        let values: Vec<f64> = self.0.iter().map(|(_, value)| *value).collect();
        let end = millis(window.end);
        let bounds = Bounds { start: end.saturating_sub(millis(window.range)), end };
        let resets = CounterResets::find(&times, &values, &[]);
        let lost = resets.correction(&values, 0, values.len());
        // Upstream has a number where one sample says nothing of a rate.
        Some(extrapolated_rate(&times, &values, 0, bounds, RateKind::Rate, lost).unwrap_or(0.0))
    }
}

/// Puts elements in order and those that the same windows see together.
pub(super) fn coalesce<S: State>(elements: &mut Vec<(Span, S)>) {
    if !elements.is_sorted_by(|(a, _), (b, _)| a.order() < b.order()) {
        elements.sort_by_key(|(span, _)| span.order());
        elements.dedup_by(|(later, state), (earlier, into)| {
            let same = later == earlier;
            if same {
                into.merge(state);
            }
            same
        });
    }
}

/// Hands the state of each step's window to `emit`, of steps that see anything, until it fails;
/// `elements` are coalesced.
pub(super) fn each_window<S: State, E>(
    elements: &[(Span, S)],
    steps: usize,
    mut emit: impl FnMut(usize, S) -> Result<(), E>,
) -> Result<(), E> {
    let mut slide = Slide { elements, low: 0, high: 0, middle: 0, leaving: Vec::new(), came: None };
    let mut step = 0;
    while step < steps {
        if slide.move_to(step) {
            emit(step, slide.state())?;
            step += 1;
        } else {
            // Nothing is seen until the next element comes.
            let Some((next, _)) = elements.get(slide.high) else { break };
            step = next.from as usize;
        }
    }
    Ok(())
}

/// A window that moves over elements: those from `low` to before `high` are in it.
///
/// What neighbouring windows share is put together once (two stacks): sums of what is going to
/// leave, from the right, up to `middle`; and one sum of what came since.
struct Slide<'e, S> {
    elements: &'e [(Span, S)],
    low: usize,
    high: usize,
    middle: usize,
    /// The last is the sum from `low` to `middle`.
    leaving: Vec<S>,
    came: Option<S>,
}

impl<S: State> Slide<'_, S> {
    /// Moves on to a step; says whether it sees anything.
    fn move_to(&mut self, step: usize) -> bool {
        let step = u32::try_from(step).unwrap_or(u32::MAX);
        while let Some((_, state)) = self.elements.get(self.high).filter(|(s, _)| s.from <= step) {
            if S::CHEAP {
                match &mut self.came {
                    Some(came) => came.merge(state),
                    None => self.came = Some(state.clone()),
                }
            }
            self.high += 1;
        }
        while self.elements.get(self.low).is_some_and(|(span, _)| span.until <= step) {
            self.low += 1;
            self.leaving.pop();
        }
        // A span that is seen by no step can end before it starts.
        self.high = self.high.max(self.low);
        self.low < self.high
    }

    fn state(&mut self) -> S {
        let inside = self.elements.get(self.low..self.high).unwrap_or_default();
        if !S::CHEAP {
            let mut all = S::default();
            for (_, state) in inside {
                all.merge(state);
            }
            return all;
        }
        if self.low >= self.middle {
            self.leaving.clear();
            for (_, state) in inside.iter().rev() {
                let mut sum = state.clone();
                if let Some(later) = self.leaving.last() {
                    sum.merge(later);
                }
                self.leaving.push(sum);
            }
            (self.came, self.middle) = (None, self.high);
        }
        let mut sum = self.leaving.last().cloned().unwrap_or_default();
        if let Some(came) = &self.came {
            sum.merge(came);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check<S: State>(spans: &[(u32, u32, i32)], same: impl Fn(f64, f64) -> bool) {
        let window = Window { end: 0, range: 0, parameter: 0.5 };
        let mut elements = Vec::new();
        for (from, length, value) in spans {
            let mut state = S::default();
            state.add(i64::from(*from), f64::from(*value));
            elements.push((Span { from: *from, until: from + length }, state));
        }
        coalesce(&mut elements);
        let mut got = vec![None; 30];
        each_window(&elements, 30, |step, mut state| {
            got[step] = state.result(&window);
            Ok::<(), ()>(())
        })
        .expect("nothing fails");
        for (step, got) in got.iter().enumerate() {
            let at = u32::try_from(step).expect("few");
            let mut all = S::default();
            let mut any = false;
            for (span, state) in &elements {
                if span.from <= at && at < span.until {
                    all.merge(state);
                    any = true;
                }
            }
            let want = any.then(|| all.result(&window)).flatten();
            match (got, want) {
                (Some(got), Some(want)) => assert!(same(*got, want), "{step}: {got} {want}"),
                (got, want) => assert_eq!(*got, want, "{step}"),
            }
        }
    }

    proptest! {
        #[test]
        fn windows_put_together_are_windows_looked_at_alone(
            starts in proptest::collection::vec((0..30_u32, -9..9_i32), 0..40),
            length in 1..12_u32,
        ) {
            // Spans of one query have both ends rising.
            let spans: Vec<_> =
                starts.into_iter().map(|(from, value)| (from, length, value)).collect();
            let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
            check::<Total>(&spans, close);
            check::<Sum>(&spans, close);
            check::<Mean>(&spans, close);
            check::<Extreme<true>>(&spans, close);
            check::<Extreme<false>>(&spans, close);
            check::<Spread<false>>(&spans, close);
            check::<Edge<true>>(&spans, close);
            check::<Edge<false>>(&spans, close);
            check::<Values>(&spans, close);
        }
    }
}
