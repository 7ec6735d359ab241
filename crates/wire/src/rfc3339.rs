//! Times as container runtimes and older clients of Loki write them, to the nanosecond.
//!
//! Read for every line of a container's log, so it is done by hand: digits at fixed places, then
//! days from a civil date (Howard Hinnant, "chrono-compatible low-level date algorithms").

use masthead_model::Nanos;

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// Reads `2006-01-02T15:04:05.999999999Z` or `…+07:00`; nothing if it is no time, or one that
/// nanoseconds since 1970 cannot count. Digits beyond the ninth are not looked at.
pub(crate) fn parse(text: &[u8]) -> Option<Nanos> {
    let (date, rest) = text.split_at_checked(19)?;
    let [
        y0,
        y1,
        y2,
        y3,
        b'-',
        m0,
        m1,
        b'-',
        d0,
        d1,
        b'T' | b't' | b' ',
        h0,
        h1,
        b':',
        n0,
        n1,
        b':',
        s0,
        s1,
    ] = date
    else {
        return None;
    };
    let two = |tens: &u8, ones: &u8| Some(digit(*tens)? * 10 + digit(*ones)?);
    let year = two(y0, y1)? * 100 + two(y2, y3)?;
    let (month, day) = (two(m0, m1)?, two(d0, d1)?);
    let (hour, minute, second) = (two(h0, h1)?, two(n0, n1)?, two(s0, s1)?);
    if !(1..=12).contains(&month)
        || !(1..=days_of(year, month)).contains(&day)
        || hour > 23
        || minute > 59
        || second > 59
    {
        return None;
    }
    let (nanos, zone) = fraction(rest)?;
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    let seconds = seconds - offset(zone)?;
    seconds.checked_mul(NANOS_PER_SECOND)?.checked_add(nanos).map(Nanos)
}

/// Nanoseconds after the point, and what follows them.
fn fraction(rest: &[u8]) -> Option<(i64, &[u8])> {
    let Some(digits) = rest.strip_prefix(b".").or_else(|| rest.strip_prefix(b",")) else {
        return Some((0, rest));
    };
    let len = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if len == 0 {
        return None;
    }
    let (mut nanos, mut unit) = (0, NANOS_PER_SECOND / 10);
    for byte in digits.iter().take(len) {
        nanos += digit(*byte)? * unit;
        unit /= 10;
    }
    Some((nanos, digits.get(len..)?))
}

/// Seconds east of Greenwich.
fn offset(zone: &[u8]) -> Option<i64> {
    match zone {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h0, h1, b':', m0, m1] => {
            let hours = digit(*h0)? * 10 + digit(*h1)?;
            let minutes = digit(*m0)? * 10 + digit(*m1)?;
            let seconds = hours * 3600 + minutes * 60;
            (hours < 24 && minutes < 60).then_some(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

fn digit(byte: u8) -> Option<i64> {
    byte.is_ascii_digit().then(|| i64::from(byte - b'0'))
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that the leap day is the last.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_with_and_without_fraction_and_zone() {
        let f = |text: &str, want: Option<i64>| {
            assert_eq!(parse(text.as_bytes()), want.map(Nanos), "{text:?}");
        };
        f("1970-01-01T00:00:00Z", Some(0));
        f("2016-10-06T00:17:09.669794202Z", Some(1_475_713_029_669_794_202));
        f("2016-10-06T02:17:09.669794202+02:00", Some(1_475_713_029_669_794_202));
        f("2016-10-05T14:47:09.6-09:30", Some(1_475_713_029_600_000_000));
        f("2024-02-29T23:59:59.1234567899Z", Some(1_709_251_199_123_456_789));
        f("1969-12-31T23:59:59.999999999Z", Some(-1));
        f("2023-02-29T00:00:00Z", None);
        f("2024-13-01T00:00:00Z", None);
        f("2024-01-01T24:00:00Z", None);
        f("2024-01-01T00:00:00", None);
        f("2024-01-01T00:00:00.Z", None);
        f("2024-01-01T00:00:00+2:00", None);
        f("9999-01-01T00:00:00Z", None);
        f("2024-01-01", None);
        f("", None);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, text in "[0-9TZ:.+-]{0,40}") {
            let found = parse(&bytes).or_else(|| parse(text.as_bytes()));
            prop_assert!(found.is_none() || found >= Some(Nanos::MIN));
        }
    }
}
