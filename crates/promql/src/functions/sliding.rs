//! Windows that share most of their samples: what one knows is handed on to the next, so that all
//! of them together cost as much as the samples, however long each is.
//!
//! Only worth it where windows overlap ([`Floats::overlaps`]); the results are those of looking at
//! each window alone, but for the last bit of a sum. Looking at each window: `over_time.rs`.

use std::{collections::VecDeque, ops::Range};

use crate::engine::{Column, Floats};

/// The sums of the first samples, for every number of samples, with twice the digits of a float.
pub(super) struct PrefixSums {
    /// Each as a float and what it lacks.
    sums: Vec<(f64, f64)>,
}

/// Numbers that differ in size by more than this might lose digits to each other.
const SIZES_RATIO_MAX: f64 = 1_099_511_627_776.0; // 2^40

/// Sums of whole numbers below this are exact with twice the digits of a float.
const EXACT_MAX: f64 = 1_267_650_600_228_229_401_496_703_205_376.0; // 2^100

impl PrefixSums {
    /// Nothing if a sum over some window could come out worse than with Kahan's method: for values
    /// that are not finite, or of very different sizes and not whole.
    pub(super) fn new(values: &[f64]) -> Option<Self> {
        let (mut largest, mut smallest, mut whole) = (0.0_f64, f64::INFINITY, true);
        for value in values {
            let size = value.abs();
            largest = largest.max(size);
            if size > 0.0 {
                smallest = smallest.min(size);
            }
            whole &= value.fract() == 0.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "far fewer samples than 2^53")]
        let total = largest * values.len() as f64;
        let fits = if whole { total < EXACT_MAX } else { total <= smallest * SIZES_RATIO_MAX };
        // A NaN is no maximum, so it shows only here.
        if !fits || values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let mut sums = Vec::with_capacity(values.len() + 1);
        let (mut sum, mut lacking) = (0.0, 0.0);
        sums.push((sum, lacking));
        for value in values {
            let (next, error) = two_sum(sum, *value);
            (sum, lacking) = two_sum(next, lacking + error);
            sums.push((sum, lacking));
        }
        Some(Self { sums })
    }

    /// The sum of the samples at these positions.
    pub(super) fn sum(&self, range: &Range<usize>) -> Option<f64> {
        let (from, to) = (self.sums.get(range.start)?, self.sums.get(range.end)?);
        let (sum, error) = two_sum(to.0, -from.0);
        Some(sum + (error + (to.1 - from.1)))
    }
}

/// A sum and what rounding took from it (Knuth).
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let of_b = sum - a;
    (sum, (a - (sum - of_b)) + (b - of_b))
}

/// The best value of each window, NaN only where there is nothing else.
///
/// Kept are the positions of values that no later one is better than; the first is the best.
pub(super) fn extreme(floats: &Floats<'_>, better: impl Fn(f64, f64) -> bool) -> Column {
    let mut best: VecDeque<usize> = VecDeque::new();
    let mut seen = 0;
    let value = |at: usize| floats.values.get(at).copied().unwrap_or(f64::NAN);
    floats.each_range(|range, _| {
        // Samples between two windows that do not touch are in none.
        for at in seen.max(range.start)..range.end {
            let new = value(at);
            if new.is_nan() {
                continue;
            }
            while best.back().is_some_and(|last| !better(value(*last), new)) {
                best.pop_back();
            }
            best.push_back(at);
        }
        seen = seen.max(range.end);
        while best.front().is_some_and(|first| *first < range.start) {
            best.pop_front();
        }
        (!range.is_empty()).then(|| best.front().map_or(f64::NAN, |first| value(*first)))
    })
}

/// How often something happens from a sample to the next, counted for every number of samples.
pub(super) struct PrefixCounts(Vec<u32>);

impl PrefixCounts {
    pub(super) fn new(values: &[f64], happens: impl Fn(f64, f64) -> bool) -> Self {
        let mut count = 0;
        let mut counts = Vec::with_capacity(values.len());
        let mut before = None;
        for value in values {
            if before.is_some_and(|before| happens(before, *value)) {
                count += 1;
            }
            before = Some(*value);
            counts.push(count);
        }
        Self(counts)
    }

    /// How often between the samples at these positions.
    pub(super) fn within(&self, range: &Range<usize>) -> Option<u32> {
        let last = range.end.checked_sub(1).filter(|last| *last >= range.start)?;
        Some(self.0.get(last)? - self.0.get(range.start)?)
    }
}

#[cfg(test)]
mod tests {
    use masthead_vecmath::{KahanSum, changes, nearly_equal};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sums_that_could_lose_digits_are_left_to_kahan() {
        let f = |values: &[f64], fits| {
            assert_eq!(PrefixSums::new(values).is_some(), fits, "{values:?}");
        };
        f(&[0.1, 0.2, 1e9], true);
        f(&[0.1, 1e13], false);
        f(&[1.0, 1e16, 3.0], true);
        f(&[1.0, 1e100], false);
        f(&[1.0, f64::NAN], false);
        f(&[1.0, f64::INFINITY], false);
        f(&[0.0, 0.0], true);
        f(&[], true);
    }

    proptest! {
        #[test]
        fn prefix_sums_are_kahan_sums(
            values in proptest::collection::vec(-1000.0..1000.0_f64, 1..80),
            from in 0..80_usize, len in 0..80_usize,
        ) {
            let range = from.min(values.len())..(from + len).min(values.len()).max(from.min(values.len()));
            if let Some(sums) = PrefixSums::new(&values) {
                let want = values[range.clone()].iter().copied().collect::<KahanSum>().value();
                let got = sums.sum(&range).expect("in range");
                prop_assert!(nearly_equal(got, want, 1e-12) || (got - want).abs() < 1e-25, "{got} {want}");
            }
        }

        #[test]
        fn prefix_counts_are_the_counts_of_each_window(
            values in proptest::collection::vec(0..4_u8, 1..40),
            from in 0..40_usize, len in 1..40_usize,
        ) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let from = from.min(values.len() - 1);
            let range = from..(from + len).min(values.len());
            let counts = PrefixCounts::new(&values, |a, b| a.to_bits() != b.to_bits());
            let got = counts.within(&range).map(|count| count as usize);
            prop_assert_eq!(got, Some(changes(&values[range])));
        }
    }
}
