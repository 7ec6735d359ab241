//! Double exponential smoothing, once known as `holt_winters`.

/// A factor outside of what makes sense; texts are upstream's.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SmoothingError {
    /// The first factor isn't between 0 and 1.
    #[error("invalid smoothing factor. Expected: 0 < sf < 1, got: {0:.6}")]
    SmoothingFactor(f64),
    /// The second factor isn't between 0 and 1.
    #[error("invalid trend factor. Expected: 0 < tf < 1, got: {0:.6}")]
    TrendFactor(f64),
}

/// The smoothed value at the last sample; nothing without two samples.
///
/// A small `smoothing` factor gives history more weight, a large `trend` factor recent trends.
///
/// # Errors
/// [`SmoothingError`] for a factor that isn't strictly between 0 and 1.
pub fn double_exponential(
    values: &[f64],
    smoothing: f64,
    trend: f64,
) -> Result<Option<f64>, SmoothingError> {
    if smoothing <= 0.0 || smoothing >= 1.0 {
        return Err(SmoothingError::SmoothingFactor(smoothing));
    }
    if trend <= 0.0 || trend >= 1.0 {
        return Err(SmoothingError::TrendFactor(trend));
    }
    let [first, second, ..] = values else { return Ok(None) };
    let (mut level, mut slope) = (*first, second - first);
    for (at, value) in values.iter().enumerate().skip(1) {
        let next = smoothing * value + (1.0 - smoothing) * (level + slope);
        // The slope that is used for a value is that of the levels before it.
        if at + 1 < values.len() {
            slope = trend * (next - level) + (1.0 - trend) * slope;
        }
        level = next;
    }
    Ok(Some(level))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn straight_lines_stay_and_steps_are_softened() {
        let f = |values: &[f64], want: Option<f64>| {
            let got = double_exponential(values, 0.5, 0.5).expect("factors");
            assert_eq!(
                got.map(|v| (v * 1e9).round()),
                want.map(|v| (v * 1e9_f64).round()),
                "{values:?}"
            );
        };
        f(&[1.0, 2.0, 3.0, 4.0], Some(4.0));
        f(&[0.0, 0.0, 8.0], Some(4.0));
        // Level 4, slope 0.5 * 4 + 0.5 * 0 = 2, so 0.5 * 8 + 0.5 * (4 + 2).
        f(&[0.0, 0.0, 8.0, 8.0], Some(7.0));
        f(&[1.0], None);
        f(&[], None);
    }

    #[test]
    fn factors_outside_of_0_to_1_are_refused() {
        let f = |smoothing, trend, want: &str| {
            let got = double_exponential(&[], smoothing, trend).map_err(|e| e.to_string());
            assert_eq!(got, Err(want.to_owned()));
        };
        f(0.0, 0.5, "invalid smoothing factor. Expected: 0 < sf < 1, got: 0.000000");
        f(1.5, 0.5, "invalid smoothing factor. Expected: 0 < sf < 1, got: 1.500000");
        f(0.5, -1.0, "invalid trend factor. Expected: 0 < tf < 1, got: -1.000000");
        f(0.5, 1.0, "invalid trend factor. Expected: 0 < tf < 1, got: 1.000000");
    }
}
