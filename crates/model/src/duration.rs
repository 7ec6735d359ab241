//! Durations as people write them, in the two dialects that the originals use.
//!
//! [`PromDuration`] is `1w2d`, `5m`, `1h30m`: whole numbers, units from years to milliseconds,
//! each at most once and in falling order (`common/model/time.go` in Prometheus).
//! [`GoDuration`] is `1h30m0.5s`, `-10ms`, `250µs`: fractions and signs, units from hours to
//! nanoseconds in any order (Go's `time.ParseDuration`). LogQL accepts either.

use std::fmt;

/// A duration in Prometheus' syntax, counted in milliseconds; never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PromDuration(i64);

/// A duration in Go's syntax, counted in nanoseconds; may be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct GoDuration(pub i64);

/// Why a text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DurationError {
    /// Nothing was given.
    #[error("empty duration string")]
    Empty,
    /// Not of the syntax.
    #[error("not a valid duration string: {0:?}")]
    Malformed(String),
    /// A unit that does not exist.
    #[error("unknown unit {unit:?} in duration {text:?}")]
    UnknownUnit {
        /// What stands where a unit belongs.
        unit: String,
        /// The whole of the text.
        text: String,
    },
    /// More than the count can hold, about 292 years.
    #[error("duration out of range")]
    OutOfRange,
}

const SECOND_MS: i64 = 1000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Unit names in the order in which they must be written, with their lengths in milliseconds.
const PROM_UNITS: [(&str, i64); 7] = [
    ("y", 365 * DAY_MS),
    ("w", 7 * DAY_MS),
    ("d", DAY_MS),
    ("h", HOUR_MS),
    ("m", MINUTE_MS),
    ("s", SECOND_MS),
    ("ms", 1),
];

const GO_UNITS: [(&str, i64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000), // U+00B5, the micro sign.
    ("μs", 1_000), // U+03BC, the Greek letter.
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Upstream holds durations in signed nanoseconds, which bounds them here as well.
const PROM_MAX_MS: i64 = i64::MAX / 1_000_000;

impl PromDuration {
    /// A duration of `millis`, or nothing if it is negative or longer than 292 years.
    pub fn from_millis(millis: i64) -> Option<Self> {
        (0..=PROM_MAX_MS).contains(&millis).then_some(Self(millis))
    }

    /// Its length in milliseconds.
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// Reads `5m`, `1h30m`, `0`.
    ///
    /// # Errors
    /// [`DurationError`] with upstream's texts.
    pub fn parse(text: &str) -> Result<Self, DurationError> {
        match text {
            "" => return Err(DurationError::Empty),
            "0" => return Ok(Self(0)),
            _ => {}
        }
        let malformed = || DurationError::Malformed(text.to_owned());
        let mut units = PROM_UNITS.iter();
        let mut total: i64 = 0;
        let mut rest = text;
        while !rest.is_empty() {
            let (number, after) = split_digits(rest).ok_or_else(malformed)?;
            let unit_len = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
            let (unit, after) = after.split_at(unit_len);
            if !unit.is_empty() && !PROM_UNITS.iter().any(|(name, _)| *name == unit) {
                return Err(DurationError::UnknownUnit { unit: unit.into(), text: text.into() });
            }
            // The iterator only moves on, so a unit out of order or repeated is not found.
            let (_, scale) = units.find(|(name, _)| *name == unit).ok_or_else(malformed)?;
            let number: i64 = number.parse().map_err(|_| DurationError::OutOfRange)?;
            total = number
                .checked_mul(*scale)
                .and_then(|part| total.checked_add(part))
                .filter(|total| *total <= PROM_MAX_MS)
                .ok_or(DurationError::OutOfRange)?;
            rest = after;
        }
        Ok(Self(total))
    }
}

/// Years and weeks are printed only when they divide it: people read `90d` better than `12w6d`.
impl fmt::Display for PromDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.0;
        for (name, scale) in PROM_UNITS {
            if matches!(name, "y" | "w") && rest % scale != 0 {
                continue;
            }
            if rest >= scale {
                write!(f, "{}{name}", rest / scale)?;
                rest %= scale;
            }
        }
        Ok(())
    }
}

impl GoDuration {
    /// Reads `1h30m`, `-1.5s`, `250µs`, `0`.
    ///
    /// # Errors
    /// [`DurationError`] says whether the syntax or the range is wrong.
    pub fn parse(text: &str) -> Result<Self, DurationError> {
        if text.is_empty() {
            return Err(DurationError::Empty);
        }
        let malformed = || DurationError::Malformed(text.to_owned());
        let (negative, mut rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        if rest == "0" {
            return Ok(Self(0));
        }
        if rest.is_empty() {
            return Err(malformed());
        }
        let mut total: i128 = 0;
        while !rest.is_empty() {
            let number_len =
                rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).ok_or_else(malformed)?;
            let (number, after) = rest.split_at(number_len);
            let unit_len =
                after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
            let (unit, after) = after.split_at(unit_len);
            let (_, scale) =
                GO_UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(malformed)?;
            let part = scaled(number, *scale).ok_or_else(malformed)?;
            total = total.saturating_add(part?);
            rest = after;
        }
        let total = if negative { -total } else { total };
        i64::try_from(total).map(Self).map_err(|_| DurationError::OutOfRange)
    }
}

impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.unsigned_abs();
        if nanos == 0 {
            return f.write_str("0s");
        }
        if self.0 < 0 {
            f.write_str("-")?;
        }
        let (scale, unit) = match nanos {
            0..1_000 => (1, "ns"),
            1_000..1_000_000 => (1_000, "µs"),
            1_000_000..1_000_000_000 => (1_000_000, "ms"),
            _ => {
                let (hours, minutes) = (nanos / 3_600_000_000_000, nanos / 60_000_000_000);
                if hours > 0 {
                    write!(f, "{hours}h")?;
                }
                if minutes > 0 {
                    write!(f, "{}m", minutes % 60)?;
                }
                return write_fraction(f, nanos % 60_000_000_000, 1_000_000_000, "s");
            }
        };
        write_fraction(f, nanos, scale, unit)
    }
}

fn split_digits(text: &str) -> Option<(&str, &str)> {
    let len = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (len > 0).then(|| text.split_at(len))
}

/// `number` (digits with at most one point) times `scale`, cut to whole nanoseconds.
///
/// `None` when it is not a number at all; the inner error when it is too large.
fn scaled(number: &str, scale: i64) -> Option<Result<i128, DurationError>> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let whole: i128 = if whole.is_empty() {
        0
    } else {
        match whole.parse() {
            Ok(whole) => whole,
            Err(_) => return Some(Err(DurationError::OutOfRange)),
        }
    };
    // Digits past the eighteenth are below a nanosecond even for hours.
    let digits: String = fraction.chars().take(18).collect();
    let denominator = 10_i128.pow(u32::try_from(digits.len()).ok()?);
    let part = digits.parse::<i128>().unwrap_or(0).checked_mul(i128::from(scale))? / denominator;
    Some(
        whole
            .checked_mul(i128::from(scale))
            .and_then(|whole| whole.checked_add(part))
            .filter(|total| *total <= i128::from(i64::MAX) + 1)
            .ok_or(DurationError::OutOfRange),
    )
}

fn write_fraction(f: &mut fmt::Formatter<'_>, nanos: u64, scale: u64, unit: &str) -> fmt::Result {
    write!(f, "{}", nanos / scale)?;
    let rest = nanos % scale;
    if rest > 0 {
        let width = scale.ilog10() as usize;
        let digits = format!("{rest:0width$}");
        write!(f, ".{}", digits.trim_end_matches('0'))?;
    }
    f.write_str(unit)
}

#[cfg(test)]
mod tests;
