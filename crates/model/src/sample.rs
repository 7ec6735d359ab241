//! One value of one series at one instant, and the marker of a series that has ended.

use crate::{Histogram, Millis};

/// The bit pattern of a stale marker: a NaN that no computation yields
/// (`model/value/value.go: StaleNaN` in Prometheus).
pub const STALE_NAN_BITS: u64 = 0x7ff0_0000_0000_0002;

/// The value written when a series is seen to have ended.
pub fn stale_nan() -> f64 {
    f64::from_bits(STALE_NAN_BITS)
}

/// Whether `value` is the stale marker; every other NaN is an ordinary value.
pub fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE_NAN_BITS
}

/// A float or a native histogram.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// An ordinary number; NaN and the infinities are allowed.
    Float(f64),
    /// A native histogram; boxed because most samples are floats.
    Histogram(Box<Histogram>),
}

impl Value {
    /// Whether this is a stale marker; a histogram series ends with a stale `sum`.
    pub fn is_stale(&self) -> bool {
        match self {
            Self::Float(value) => is_stale(*value),
            Self::Histogram(histogram) => is_stale(histogram.sum),
        }
    }
}

/// A value at an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// When it was measured.
    pub timestamp: Millis,
    /// What was measured.
    pub value: Value,
}

impl Sample {
    /// A float sample.
    pub fn float(timestamp: Millis, value: f64) -> Self {
        Self { timestamp, value: Value::Float(value) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_marker_is_stale_and_no_other_nan() {
        assert!(stale_nan().is_nan() && is_stale(stale_nan()));
        assert!(!is_stale(f64::NAN) && !is_stale(0.0 / 0.0_f64.abs()));
        assert!(Sample::float(Millis(1), stale_nan()).value.is_stale());
        let ended = Histogram { sum: stale_nan(), ..Histogram::default() };
        assert!(Value::Histogram(Box::new(ended)).is_stale());
        assert!(!Value::Histogram(Box::default()).is_stale());
    }
}
