//! The syntax of the variables: addresses, counts, durations, byte sizes, switches.
//!
//! Pure functions from text to a value or a reason; no value is ever adjusted to fit.

use super::Refusal;
use std::{net::SocketAddr, num::NonZeroUsize, time::Duration};

/// The longest duration any variable takes.
const LONGEST: Duration = Duration::from_hours(1);

pub(super) fn address(text: &str) -> Result<SocketAddr, Refusal> {
    text.parse().map_err(|_| Refusal::new("is not IP:PORT"))
}

pub(super) fn count(text: &str, most: usize) -> Result<NonZeroUsize, Refusal> {
    text.parse::<NonZeroUsize>()
        .ok()
        .filter(|count| count.get() <= most)
        .ok_or_else(|| Refusal::new(format!("is not a whole number from 1 to {most}")))
}

pub(super) fn duration(text: &str) -> Result<Duration, Refusal> {
    match duration_or_zero(text)? {
        Duration::ZERO => Err(Refusal::new("is zero")),
        duration => Ok(duration),
    }
}

pub(super) fn duration_or_zero(text: &str) -> Result<Duration, Refusal> {
    const WHY: &str = "is not a whole number with a unit (ms, s, m), at most 60m";
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let ms_per_unit = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        _ => return Err(Refusal::new(WHY)),
    };
    let number: u64 = number.parse().map_err(|_| Refusal::new(WHY))?;
    let duration = Duration::from_millis(number.saturating_mul(ms_per_unit));
    if duration > LONGEST { Err(Refusal::new(WHY)) } else { Ok(duration) }
}

pub(super) fn bytes(text: &str, least: usize, most: usize) -> Result<usize, Refusal> {
    let (number, unit) = [("KiB", 1 << 10), ("MiB", 1 << 20), ("B", 1)]
        .iter()
        .find_map(|(suffix, unit)| text.strip_suffix(suffix).map(|number| (number, *unit)))
        .unwrap_or((text, 1));
    // `parse` alone would take a sign.
    number
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| number.parse::<usize>().ok()?.checked_mul(unit))
        .flatten()
        .filter(|bytes| (least..=most).contains(bytes))
        .ok_or_else(|| {
            Refusal::new(format!(
                "is not a number of bytes (or KiB, MiB) from {least} to {most} bytes"
            ))
        })
}

pub(super) fn switch(text: &str) -> Result<bool, Refusal> {
    match text {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err(Refusal::new("is not 0 or 1")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit_and_an_end() {
        let f = |text: &str, want: Option<u64>| {
            assert_eq!(duration(text).ok(), want.map(Duration::from_millis), "{text:?}");
        };
        f("1ms", Some(1));
        f("10s", Some(10_000));
        f("60m", Some(3_600_000));
        f("61m", None);
        f("0s", None);
        f("10", None);
        f("s", None);
        f("-1s", None);
        f("1.5s", None);
        f("99999999999999999999s", None);
        f("18446744073709551615m", None);
        assert_eq!(duration_or_zero("0s"), Ok(Duration::ZERO));
    }

    #[test]
    fn byte_sizes_are_checked_against_their_range() {
        let f = |text: &str, want: Option<usize>| {
            assert_eq!(bytes(text, 1 << 10, 16 << 20).ok(), want, "{text:?}");
        };
        f("1024", Some(1024));
        f("2048B", Some(2048));
        f("64KiB", Some(65_536));
        f("16MiB", Some(16 << 20));
        f("17MiB", None);
        f("1023", None);
        f("+2048", None);
        f("64kb", None);
        f("18446744073709551615MiB", None);
        f("", None);
    }

    #[test]
    fn counts_and_switches() {
        let f = |text: &str, want: Option<usize>| {
            assert_eq!(count(text, 1000).ok().map(NonZeroUsize::get), want, "{text:?}");
        };
        f("1", Some(1));
        f("1000", Some(1000));
        f("1001", None);
        f("0", None);
        f("ten", None);
        assert_eq!(switch("1"), Ok(true));
        assert_eq!(switch("false"), Ok(false));
        assert!(switch("yes").is_err());
    }
}
