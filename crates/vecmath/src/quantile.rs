//! Quantiles of plain numbers.

/// The `q`-quantile, interpolated between the two numbers around it; reorders `values`.
///
/// NaN of nothing or for `q` NaN, infinite for `q` outside 0 to 1. NaN sorts below everything.
/// Upstream: `promql/quantile.go: quantile`. Takes linear time: only the two numbers are found.
pub fn quantile(q: f64, values: &mut [f64]) -> f64 {
    if values.is_empty() || q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    #[expect(clippy::cast_precision_loss, reason = "far fewer values than 2^53")]
    let rank = q * (values.len() - 1) as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and the number of values"
    )]
    let lower = (rank.floor() as usize).min(values.len() - 1);
    let weight = rank - rank.floor();
    let (_, at, above) = values.select_nth_unstable_by(lower, |a, b| order(*a, *b));
    let upper = above.iter().copied().min_by(|a, b| order(*a, *b)).unwrap_or(*at);
    *at * (1.0 - weight) + upper * weight
}

/// The median of the distances from the median; NaN if any value is. Changes `values`.
pub fn median_absolute_deviation(values: &mut [f64]) -> f64 {
    if values.iter().any(|value| value.is_nan()) {
        return f64::NAN;
    }
    let median = quantile(0.5, values);
    for value in &mut *values {
        *value = (*value - median).abs();
    }
    quantile(0.5, values)
}

fn order(a: f64, b: f64) -> std::cmp::Ordering {
    // NaN first; zeros of either sign are equal, which a total order would tell apart.
    a.partial_cmp(&b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::nearly_equal;

    #[test]
    fn quantiles_lie_between_their_neighbours() {
        let f = |q, values: &[f64], want: f64| {
            let got = quantile(q, &mut values.to_vec());
            assert!(nearly_equal(got, want, 1e-12), "{q} {values:?}: {got} is not {want}");
        };
        f(0.5, &[3.0, 1.0, 2.0], 2.0);
        f(0.5, &[4.0, 1.0, 2.0, 3.0], 2.5);
        f(0.0, &[4.0, 1.0], 1.0);
        f(1.0, &[4.0, 1.0], 4.0);
        f(0.25, &[0.0, 10.0], 2.5);
        f(0.5, &[7.0], 7.0);
        f(-0.1, &[7.0], f64::NEG_INFINITY);
        f(1.1, &[7.0], f64::INFINITY);
        f(f64::NAN, &[7.0], f64::NAN);
        f(0.5, &[], f64::NAN);
        f(1.0, &[f64::NAN, 5.0], 5.0);
        f(0.0, &[5.0, f64::NAN], f64::NAN);
    }

    #[test]
    fn deviation_is_measured_from_the_median() {
        let f = |values: &[f64], want: f64| {
            let got = median_absolute_deviation(&mut values.to_vec());
            assert!(nearly_equal(got, want, 1e-12), "{values:?}: {got} is not {want}");
        };
        f(&[4.0, 6.0, 2.0, 1.0, 999.0, 1.0, 2.0], 1.0);
        f(&[1.0, f64::NAN], f64::NAN);
        f(&[], f64::NAN);
    }

    proptest! {
        #[test]
        fn the_same_as_by_sorting(mut values in proptest::collection::vec(-9.0..9.0_f64, 1..40), q in 0.0..=1.0_f64) {
            let got = quantile(q, &mut values);
            values.sort_by(f64::total_cmp);
            // The same by walking: ranks 0, 1, 2, … stand at the sorted values.
            let rank = q * values.iter().skip(1).map(|_| 1.0).sum::<f64>();
            let ranks = values.iter().scan(-1.0, |at, value| { *at += 1.0; Some((*at, *value)) });
            let lower = ranks.clone().filter(|(at, _)| *at <= rank).last().expect("one").1;
            let upper = ranks.clone().find(|(at, _)| *at > rank).map_or(lower, |(_, value)| value);
            prop_assert!((got - (lower * (1.0 - rank.fract()) + upper * rank.fract())).abs() < 1e-9);
        }
    }
}
