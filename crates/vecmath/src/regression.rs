//! The straight line through samples: `deriv` and `predict_linear`.

use crate::{KahanSum, nearly_equal, rate::seconds};

/// A line over time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// Growth per second.
    pub slope: f64,
    /// The value at the time that was asked for.
    pub intercept: f64,
}

/// The line with the least squared distance from the samples; `intercept` is its value at
/// `intercept_time`, in milliseconds.
///
/// Nothing without two samples. Samples that are all alike give a flat line exactly, or NaN if
/// they are infinite. Upstream: `promql/functions.go: linearRegression`.
pub fn fit_line(times: &[i64], values: &[f64], intercept_time: i64) -> Option<Line> {
    let first = *values.first()?;
    if values.len() < 2 {
        return None;
    }
    if values.iter().all(|value| nearly_equal(*value, first, 0.0) && !value.is_nan()) {
        let flat = if first.is_infinite() { f64::NAN } else { 0.0 };
        return Some(Line {
            slope: flat,
            intercept: if first.is_infinite() { f64::NAN } else { first },
        });
    }
    let (mut x, mut y) = (KahanSum::default(), KahanSum::default());
    let (mut xy, mut xx) = (KahanSum::default(), KahanSum::default());
    for (time, value) in times.iter().zip(values) {
        let at = seconds(intercept_time, *time);
        x.add(at);
        y.add(*value);
        xy.add(at * value);
        xx.add(at * at);
    }
    #[expect(clippy::cast_precision_loss, reason = "far fewer samples than 2^53")]
    let n = values.len() as f64;
    let (x, y) = (x.value(), y.value());
    let covariance = xy.value() - x * y / n;
    let variance = xx.value() - x * x / n;
    let slope = covariance / variance;
    Some(Line { slope, intercept: y / n - slope * x / n })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_are_fitted() {
        let f = |values: &[f64], at, want: Option<(f64, f64)>| {
            let times: Vec<i64> = (0..).zip(values).map(|(n, _)| n * 1_000).collect();
            let got = fit_line(&times, values, at).map(|line| (line.slope, line.intercept));
            let close = match (got, want) {
                (Some(a), Some(b)) => nearly_equal(a.0, b.0, 1e-9) && nearly_equal(a.1, b.1, 1e-9),
                (a, b) => a == b,
            };
            assert!(close, "{values:?}: {got:?} is not {want:?}");
        };
        f(&[1.0, 3.0, 5.0], 0, Some((2.0, 1.0)));
        f(&[1.0, 3.0, 5.0], 10_000, Some((2.0, 21.0)));
        f(&[0.0, 1.0, 0.0, 1.0], 0, Some((0.2, 0.2)));
        f(&[0.1, 0.1, 0.1], 5_000, Some((0.0, 0.1)));
        f(&[f64::INFINITY, f64::INFINITY], 0, Some((f64::NAN, f64::NAN)));
        f(&[f64::NAN, 1.0], 0, Some((f64::NAN, f64::NAN)));
        f(&[1.0], 0, None);
        f(&[], 0, None);
    }

    proptest! {
        #[test]
        fn points_on_a_line_give_that_line(slope in -50..50_i32, base in -50..50_i32, n in 2..30_i64, from in 0..1_700_000_000_000_i64) {
            let times: Vec<i64> = (0..n).map(|k| from + k * 7_000).collect();
            let values: Vec<f64> = (0..n).map(|k| f64::from(base) + f64::from(slope) * 7.0 * f64::from(i32::try_from(k).expect("small"))).collect();
            let line = fit_line(&times, &values, from).expect("two points");
            prop_assert!((line.slope - f64::from(slope)).abs() < 1e-6);
            prop_assert!((line.intercept - f64::from(base)).abs() < 1e-5);
        }
    }
}
