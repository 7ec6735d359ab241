//! Arithmetic on single floats, where the standard library's function is not Go's.

use crate::engine::ABSENT;

/// Ties go up, and `1 / nearest` is multiplied because that loses less.
pub(super) fn round(value: f64, args: &[f64]) -> f64 {
    let inverse = 1.0 / args.first().copied().unwrap_or(1.0);
    (value * inverse + 0.5).floor() / inverse
}

pub(super) fn clamp(value: f64, args: &[f64]) -> f64 {
    match args {
        [min, max] => between(value, *min, *max),
        _ => value,
    }
}

pub(super) fn clamp_min(value: f64, args: &[f64]) -> f64 {
    between(value, args.first().copied().unwrap_or(f64::NEG_INFINITY), f64::INFINITY)
}

pub(super) fn clamp_max(value: f64, args: &[f64]) -> f64 {
    between(value, f64::NEG_INFINITY, args.first().copied().unwrap_or(f64::INFINITY))
}

/// An empty interval leaves nothing.
fn between(value: f64, min: f64, max: f64) -> f64 {
    if max < min {
        return ABSENT;
    }
    larger(min, smaller(max, value))
}

/// Go's `math.Max`: NaN wins, but for infinity.
pub(super) fn larger(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        let infinite = a == f64::INFINITY || b == f64::INFINITY;
        return if infinite { f64::INFINITY } else { f64::NAN };
    }
    a.max(b)
}

/// Go's `math.Min`: NaN wins, but for negative infinity.
pub(super) fn smaller(a: f64, b: f64) -> f64 {
    -larger(-a, -b)
}

pub(super) fn sgn(value: f64) -> f64 {
    if value < 0.0 {
        -1.0
    } else if value > 0.0 {
        1.0
    } else {
        value
    }
}

pub(super) fn radians(value: f64) -> f64 {
    value * std::f64::consts::PI / 180.0
}

pub(super) fn degrees(value: f64) -> f64 {
    value * 180.0 / std::f64::consts::PI
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::is_absent;

    #[test]
    fn nan_stays_nan_between_bounds_and_an_empty_interval_leaves_nothing() {
        assert!(clamp(f64::NAN, &[0.0, 1.0]).is_nan());
        assert!(!is_absent(clamp(f64::NAN, &[0.0, 1.0])));
        assert!(is_absent(clamp(0.5, &[1.0, 0.0])));
        assert!(clamp_min(f64::NAN, &[0.0]).is_nan());
        let f = |got: f64, want: f64| assert!((got - want).abs() < 1e-12, "{got} {want}");
        f(clamp(5.0, &[0.0, 1.0]), 1.0);
        f(clamp_max(-5.0, &[0.0]), -5.0);
        f(round(-2.5, &[]), -2.0);
        f(round(2.5, &[]), 3.0);
        f(round(12.3, &[5.0]), 10.0);
    }
}
