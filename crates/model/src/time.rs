//! Instants and ranges: milliseconds for metrics, nanoseconds for logs.
//!
//! Both count from the Unix epoch in a signed 64-bit integer, so the range of [`Nanos`] is the
//! years 1677 to 2262. Conversions are named (`to_nanos`, `to_millis_floor`); there is no `From`.

use std::fmt;

/// An instant in milliseconds since the Unix epoch: the time of Prometheus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Millis(pub i64);

/// An instant in nanoseconds since the Unix epoch: the time of Loki.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Nanos(pub i64);

/// A range with both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeRange<T> {
    /// The first instant inside the range.
    pub start: T,
    /// The last instant inside the range.
    pub end: T,
}

/// Why an instant could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// The value does not fit a signed 64-bit count.
    #[error("time is out of range")]
    OutOfRange,
    /// A range whose end lies before its start.
    #[error("end timestamp must not be before start time")]
    EndBeforeStart,
}

const NANOS_PER_MILLI: i64 = 1_000_000;

impl Millis {
    /// The earliest instant that can be stored.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest instant that can be stored.
    pub const MAX: Self = Self(i64::MAX);

    /// Reads seconds with a fraction, as Prometheus' API writes times, to the nearest millisecond.
    ///
    /// # Errors
    /// [`TimeError::OutOfRange`] for NaN, infinities and values beyond the range.
    pub fn from_seconds(seconds: f64) -> Result<Self, TimeError> {
        let millis = (seconds * 1000.0).round();
        // The largest float below 2^63; casting anything larger would saturate silently.
        if millis.is_finite() && millis.abs() < 9.223_372_036_854_775e18 {
            #[expect(clippy::cast_possible_truncation, reason = "the range was checked above")]
            Ok(Self(millis as i64))
        } else {
            Err(TimeError::OutOfRange)
        }
    }

    /// Seconds with a fraction, as Prometheus' API writes times.
    #[expect(clippy::cast_precision_loss, reason = "exact until the year 287396")]
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// The same instant in nanoseconds.
    ///
    /// # Errors
    /// [`TimeError::OutOfRange`] outside the years 1677 to 2262.
    pub fn to_nanos(self) -> Result<Nanos, TimeError> {
        self.0.checked_mul(NANOS_PER_MILLI).map(Nanos).ok_or(TimeError::OutOfRange)
    }

    /// This instant moved by `millis`, held at the ends of the range.
    #[must_use]
    pub fn saturating_add(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// This instant moved back by `millis`, held at the ends of the range.
    #[must_use]
    pub fn saturating_sub(self, millis: i64) -> Self {
        Self(self.0.saturating_sub(millis))
    }
}

impl Nanos {
    /// The earliest instant that can be stored.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest instant that can be stored.
    pub const MAX: Self = Self(i64::MAX);

    /// The millisecond that this instant lies in; earlier, never later.
    pub fn to_millis_floor(self) -> Millis {
        Millis(self.0.div_euclid(NANOS_PER_MILLI))
    }

    /// This instant moved by `nanos`, held at the ends of the range.
    #[must_use]
    pub fn saturating_add(self, nanos: i64) -> Self {
        Self(self.0.saturating_add(nanos))
    }

    /// This instant moved back by `nanos`, held at the ends of the range.
    #[must_use]
    pub fn saturating_sub(self, nanos: i64) -> Self {
        Self(self.0.saturating_sub(nanos))
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Display for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl<T: Copy + Ord> TimeRange<T> {
    /// A range from `start` to `end`, both included.
    ///
    /// # Errors
    /// [`TimeError::EndBeforeStart`] when it would hold no instant.
    pub fn new(start: T, end: T) -> Result<Self, TimeError> {
        if end < start { Err(TimeError::EndBeforeStart) } else { Ok(Self { start, end }) }
    }

    /// Whether `at` lies inside.
    pub fn contains(&self, at: T) -> bool {
        self.start <= at && at <= self.end
    }

    /// Whether the two ranges share an instant.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.start <= other.end && other.start <= self.end
    }

    /// What the two ranges share, if anything.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        let start = self.start.max(other.start);
        let end = self.end.min(other.end);
        (start <= end).then_some(Self { start, end })
    }

    /// The smallest range that covers both.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn seconds_round_to_the_nearest_millisecond_and_refuse_the_absurd() {
        let f = |seconds: f64, want: Option<i64>| {
            assert_eq!(Millis::from_seconds(seconds).ok().map(|m| m.0), want, "{seconds}");
        };
        f(1.5, Some(1500));
        f(1.0006, Some(1001));
        f(-0.0015, Some(-2));
        f(f64::NAN, None);
        f(f64::INFINITY, None);
        f(1e300, None);
        f(-1e300, None);
    }

    #[test]
    fn an_inverted_range_is_refused() {
        assert_eq!(TimeRange::new(Millis(2), Millis(1)), Err(TimeError::EndBeforeStart));
        assert!(TimeRange::new(Millis(1), Millis(1)).is_ok_and(|r| r.contains(Millis(1))));
    }

    #[test]
    fn ranges_that_only_touch_overlap_in_one_instant() {
        let a = TimeRange { start: Millis(0), end: Millis(5) };
        let b = TimeRange { start: Millis(5), end: Millis(9) };
        let c = TimeRange { start: Millis(6), end: Millis(9) };
        assert!(a.overlaps(&b) && !a.overlaps(&c) && !c.overlaps(&a));
        assert_eq!(a.intersection(&b), Some(TimeRange { start: Millis(5), end: Millis(5) }));
        assert_eq!(a.intersection(&c), None);
        assert_eq!(a.union(&c), TimeRange { start: Millis(0), end: Millis(9) });
        assert!(!a.contains(Millis(6)) && !a.contains(Millis(-1)));
    }

    #[test]
    fn before_the_epoch_nanoseconds_floor_away_from_zero() {
        assert_eq!(Nanos(-1).to_millis_floor(), Millis(-1));
        assert_eq!(Nanos(1_999_999).to_millis_floor(), Millis(1));
        assert_eq!(Millis::MAX.to_nanos(), Err(TimeError::OutOfRange));
        assert_eq!(Millis::MAX.saturating_add(1), Millis::MAX);
        assert_eq!(Nanos::MIN.saturating_sub(1), Nanos::MIN);
    }

    proptest! {
        #[test]
        fn milliseconds_survive_both_conversions(millis in -9_000_000_000_000_i64..9_000_000_000_000) {
            let at = Millis(millis);
            prop_assert_eq!(at.to_nanos().map(Nanos::to_millis_floor), Ok(at));
            prop_assert_eq!(Millis::from_seconds(at.as_seconds()), Ok(at));
        }
    }
}
