//! Sums, means and variances that lose nothing to rounding.
//!
//! Upstream: `util/kahansum`, and the switch to an incremental mean on overflow in
//! `promql/functions.go: funcAvgOverTime`.

use masthead_model::kahan_add;

/// A running sum.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct KahanSum {
    sum: f64,
    owed: f64,
}

impl KahanSum {
    /// Adds one more.
    #[inline]
    pub fn add(&mut self, value: f64) {
        kahan_add(&mut self.sum, &mut self.owed, value);
    }

    /// The sum.
    pub fn value(&self) -> f64 {
        if self.sum.is_infinite() { self.sum } else { self.sum + self.owed }
    }
}

impl FromIterator<f64> for KahanSum {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut sum = Self::default();
        values.into_iter().for_each(|value| sum.add(value));
        sum
    }
}

/// A running mean: a sum as long as it doesn't overflow, else incremental.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct KahanMean {
    sum: f64,
    owed: f64,
    count: f64,
    incremental: bool,
}

impl KahanMean {
    /// Takes one more value into account.
    #[inline]
    pub fn add(&mut self, value: f64) {
        self.count += 1.0;
        if !self.incremental {
            let (mut sum, mut owed) = (self.sum, self.owed);
            kahan_add(&mut sum, &mut owed, value);
            if !sum.is_infinite() || self.count <= 1.0 {
                (self.sum, self.owed) = (sum, owed);
                return;
            }
            self.incremental = true;
            self.sum /= self.count - 1.0;
            self.owed /= self.count - 1.0;
        }
        let keep = (self.count - 1.0) / self.count;
        self.sum *= keep;
        self.owed *= keep;
        kahan_add(&mut self.sum, &mut self.owed, value / self.count);
    }

    /// How many values there were.
    pub fn count(&self) -> f64 {
        self.count
    }

    /// The mean; NaN of nothing.
    pub fn value(&self) -> f64 {
        if self.incremental {
            self.sum + self.owed
        } else {
            self.sum / self.count + self.owed / self.count
        }
    }
}

impl FromIterator<f64> for KahanMean {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut mean = Self::default();
        values.into_iter().for_each(|value| mean.add(value));
        mean
    }
}

/// A running variance of a whole population (Welford's way).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Variance {
    count: f64,
    mean: f64,
    mean_owed: f64,
    squares: f64,
    squares_owed: f64,
}

impl Variance {
    /// Takes one more value into account.
    #[inline]
    pub fn add(&mut self, value: f64) {
        self.count += 1.0;
        let delta = value - (self.mean + self.mean_owed);
        kahan_add(&mut self.mean, &mut self.mean_owed, delta / self.count);
        let square = delta * (value - (self.mean + self.mean_owed));
        kahan_add(&mut self.squares, &mut self.squares_owed, square);
    }

    /// The variance; NaN of nothing. The standard deviation is its root.
    pub fn value(&self) -> f64 {
        (self.squares + self.squares_owed) / self.count
    }
}

impl FromIterator<f64> for Variance {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut variance = Self::default();
        values.into_iter().for_each(|value| variance.add(value));
        variance
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::nearly_equal;

    const INF: f64 = f64::INFINITY;

    #[test]
    fn sums_keep_what_plain_addition_loses() {
        let f = |values: &[f64], want: f64| {
            let got = values.iter().copied().collect::<KahanSum>().value();
            assert!(nearly_equal(got, want, 1e-15), "{values:?}: {got} is not {want}");
        };
        f(&[], 0.0);
        f(&[1.0, 1e100, 1.0, -1e100], 2.0);
        f(&[0.1; 10], 1.0);
        f(&[INF, 1.0], INF);
        f(&[1e308, 1e308], INF);
        f(&[INF, -INF], f64::NAN);
    }

    #[test]
    fn means_survive_sums_that_overflow() {
        let f = |values: &[f64], want: f64| {
            let got = values.iter().copied().collect::<KahanMean>().value();
            assert!(nearly_equal(got, want, 1e-12), "{values:?}: {got} is not {want}");
        };
        f(&[], f64::NAN);
        f(&[INF], INF);
        f(&[1.5e308; 7], 1.5e308);
        f(&[-1.5e308, -1.5e308, 1.5e308, 1.5e308], 0.0);
        f(&[1.0, INF, 3.0], INF);
        f(&[INF, -INF], f64::NAN);
        f(&[1.0, f64::NAN], f64::NAN);
        f(&[1.0, 1e100, 1.0, -1e100], 0.5);
    }

    #[test]
    fn variance_is_that_of_the_whole_population() {
        let f = |values: &[f64], want: f64| {
            let got = values.iter().copied().collect::<Variance>().value();
            assert!(nearly_equal(got, want, 1e-12), "{values:?}: {got} is not {want}");
        };
        f(&[5.0], 0.0);
        f(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0], 4.0);
        f(&[1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.0], 2.0 / 3.0);
        f(&[INF], f64::NAN);
        f(&[], f64::NAN);
    }

    proptest! {
        #[test]
        fn both_means_and_the_variance_agree_with_the_textbook(
            values in proptest::collection::vec(-1e6..1e6_f64, 1..50),
        ) {
            let count = values.iter().map(|_| 1.0).sum::<f64>();
            let mean = values.iter().sum::<f64>() / count;
            let got = values.iter().copied().collect::<KahanMean>();
            prop_assert!((got.value() - mean).abs() < 1e-6 && nearly_equal(got.count(), count, 0.0));
            let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / count;
            let got = values.iter().copied().collect::<Variance>().value();
            prop_assert!((got - variance).abs() <= variance * 1e-9 + 1e-9);
        }
    }
}
