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

/// Running sums of rows, one a column, of which some places may be empty: what [`KahanSum`] gives,
/// computed for many columns at a time.
#[derive(Debug, Clone)]
pub struct KahanSums {
    /// The empty place, of sums too.
    absent: u64,
    sums: Vec<f64>,
    owed: Vec<f64>,
    /// Whether no sum is empty any more.
    full: bool,
}

impl KahanSums {
    /// Sums of nothing yet. `absent` stands in empty places; it must be bits that no computation
    /// yields, such as those of a signalling NaN.
    pub fn new(columns: usize, absent: f64) -> Self {
        let (sums, owed) = (vec![absent; columns], vec![0.0; columns]);
        Self { absent: absent.to_bits(), sums, owed, full: columns == 0 }
    }

    /// Adds one row.
    pub fn add(&mut self, row: &[f64]) {
        let absent = self.absent;
        let gaps: usize = row.iter().map(|value| usize::from(value.to_bits() == absent)).sum();
        let full = gaps == 0 && row.len() >= self.sums.len();
        if full && self.full {
            self.add_full(row);
            return;
        }
        self.full |= full;
        for ((sum, owed), value) in self.sums.iter_mut().zip(&mut self.owed).zip(row) {
            if value.to_bits() == absent {
                continue;
            }
            let before = if sum.to_bits() == absent { 0.0 } else { *sum };
            (*sum, *owed) = two_sum(before, *owed, *value);
        }
    }

    /// Adds a row without gaps to sums without gaps. There is no branch, so that the compiler does
    /// two columns at once.
    fn add_full(&mut self, row: &[f64]) {
        for ((sum, owed), value) in self.sums.iter_mut().zip(&mut self.owed).zip(row) {
            (*sum, *owed) = two_sum(*sum, *owed, *value);
        }
    }

    /// The sums in order, empty where no row had a value.
    pub fn values(&self) -> impl ExactSizeIterator<Item = f64> + '_ {
        self.sums.iter().zip(&self.owed).map(|(sum, owed)| {
            let whole = sum.is_infinite() || sum.to_bits() == self.absent;
            if whole { *sum } else { sum + owed }
        })
    }
}

/// The sum of two, and what was owed together with what this addition lost: the same as by looking
/// which of the two is larger (Knuth's `TwoSum`), without a branch.
#[inline]
fn two_sum(sum: f64, owed: f64, value: f64) -> (f64, f64) {
    let total = sum + value;
    let added = total - sum;
    let lost = owed + ((sum - (total - added)) + (value - added));
    // Nothing of an infinite sum; written with a mask, which stays one.
    let keep = u64::from(total.abs() != f64::INFINITY).wrapping_neg();
    (total, f64::from_bits(lost.to_bits() & keep))
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

    /// A signalling NaN, as no computation yields one.
    const ABSENT: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

    proptest! {
        #[test]
        fn sums_of_rows_are_bit_for_bit_those_of_each_column_alone(
            rows in proptest::collection::vec(proptest::collection::vec(prop_oneof![
                Just(ABSENT), Just(0.0), Just(-0.0), Just(INF), Just(-INF), Just(f64::NAN),
                Just(1e308), Just(1e100), Just(-1e100), -1e3..1e3_f64,
            ], 5), 0..8),
        ) {
            let mut sums = KahanSums::new(5, ABSENT);
            for row in &rows {
                sums.add(row);
            }
            // A NaN that was computed is any NaN.
            let bits = |sum: f64| match sum.to_bits() {
                absent if absent == ABSENT.to_bits() => absent,
                _ if sum.is_nan() => f64::NAN.to_bits(),
                bits => bits,
            };
            let got: Vec<u64> = sums.values().map(bits).collect();
            let want: Vec<u64> = (0..5).map(|column| {
                let values: Vec<f64> = rows.iter().map(|row| row[column])
                    .filter(|value| value.to_bits() != ABSENT.to_bits()).collect();
                let sum = values.iter().copied().collect::<KahanSum>().value();
                bits(if values.is_empty() { ABSENT } else { sum })
            }).collect();
            prop_assert_eq!(got, want);
        }
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
