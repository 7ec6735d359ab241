//! Instants and durations in parameters and answers, as upstream reads and writes them.
//!
//! Facts are from `web/api/v1/api.go`: `parseTime`, `parseDuration`, `MinTime` and `MaxTime`.

use std::time::Duration;

use jiff::Timestamp;
use masthead_model::{Millis, PromDuration, parse_number};

/// What an absent `start` means.
pub(crate) const MIN_TIME: Millis = Millis(-9_223_309_901_257_974_000);
/// What an absent `end` means.
pub(crate) const MAX_TIME: Millis = Millis(9_223_309_901_257_974_999);

/// How Go's formatter writes the two, which clients send back; no other year has so many digits.
const MIN_TIME_TEXT: &str = "-292273086-05-16T16:47:06Z";
const MAX_TIME_TEXT: &str = "292277025-08-18T07:12:54.999999999Z";

/// Seconds since the epoch with a fraction, or RFC 3339.
pub(crate) fn parse_time(text: &str) -> Result<Millis, String> {
    let refuse = || format!("cannot parse {} to a valid timestamp", go_quote(text));
    if let Some(seconds) = go_number(text) {
        return from_seconds(seconds).ok_or_else(refuse);
    }
    match text {
        MIN_TIME_TEXT => return Ok(MIN_TIME),
        MAX_TIME_TEXT => return Ok(MAX_TIME),
        _ => {}
    }
    // Go insists on the T and on a four-digit year.
    if text.as_bytes().get(10) != Some(&b'T') || !text.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(refuse());
    }
    text.parse::<Timestamp>().map(|at| Millis(at.as_millisecond())).map_err(|_| refuse())
}

/// What Go's `strconv.ParseFloat` reads. Where it differs from what expressions and expositions
/// hold: hexadecimal numbers need an exponent, and an underscore may stand between two digits.
fn go_number(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let hex = unsigned.get(..2).is_some_and(|prefix| prefix.eq_ignore_ascii_case("0x"));
    if hex && !text.contains(['p', 'P']) {
        return None;
    }
    if !text.contains('_') {
        return parse_number(text);
    }
    let digit = |byte: &u8| byte.is_ascii_digit() || (hex && byte.is_ascii_hexdigit());
    let bytes = unsigned.as_bytes();
    let separates = |at: usize| {
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        // The prefix counts as a digit.
        let follows = before.is_some_and(digit) || (hex && at == 2);
        follows && bytes.get(at + 1).is_some_and(digit)
    };
    let all = (0..).zip(bytes).filter(|(_, byte)| **byte == b'_').all(|(at, _)| separates(at));
    if all { parse_number(&text.replace('_', "")) } else { None }
}

/// Whole seconds and milliseconds apart, as upstream, so that large times keep their fraction.
fn from_seconds(seconds: f64) -> Option<Millis> {
    const SECONDS_MAX: f64 = 9_223_372_036_854_774.0;
    if seconds.is_nan() || seconds.abs() > SECONDS_MAX {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked above")]
    let (whole, millis) = (seconds.trunc() as i64, (seconds.fract() * 1000.0).round() as i64);
    Some(Millis(whole * 1000 + millis))
}

/// Seconds with a fraction, or `5m`; in milliseconds, negative ones too.
pub(crate) fn parse_duration(text: &str) -> Result<i64, String> {
    const NANOS_MAX: f64 = 9_223_372_036_854_775_807.0;
    if let Some(seconds) = go_number(text) {
        let nanos = seconds * 1e9;
        if nanos.abs() > NANOS_MAX {
            let quoted = go_quote(text);
            return Err(format!("cannot parse {quoted} to a valid duration. It overflows int64"));
        }
        if nanos.is_nan() {
            return Err(format!("cannot parse {} to a valid duration", go_quote(text)));
        }
        #[expect(clippy::cast_possible_truncation, reason = "the range was checked above")]
        return Ok((nanos / 1e6) as i64);
    }
    PromDuration::parse(text)
        .map(PromDuration::as_millis)
        .map_err(|_| format!("cannot parse {} to a valid duration", go_quote(text)))
}

/// RFC 3339 in UTC; Go's zero time where there is none yet.
pub(crate) fn format_time(at: Option<Millis>) -> String {
    at.and_then(|at| Timestamp::from_millisecond(at.0).ok())
        .map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), |at| at.to_string())
}

/// `15s`, `1m30s`.
pub(crate) fn format_duration(duration: Duration) -> String {
    let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    PromDuration::from_millis(millis).map_or_else(String::new, |d| d.to_string())
}

/// A text as Go's `%q` shows it in messages.
pub(crate) fn go_quote(text: &str) -> String {
    masthead_model::quote(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,30}|[0-9TZ:.eE+-]{0,30}") {
            let refusal = "cannot parse ";
            prop_assert!(parse_time(&text).map_or_else(|e| e.starts_with(refusal), |_| true));
            prop_assert!(parse_duration(&text).map_or_else(|e| e.starts_with(refusal), |_| true));
        }

        #[test]
        fn a_time_that_was_written_is_read_back(at in -60_000_000_000_000_i64..200_000_000_000_000) {
            prop_assert_eq!(parse_time(&format_time(Some(Millis(at)))), Ok(Millis(at)));
        }
    }

    #[test]
    fn times_are_seconds_or_rfc_3339() {
        let f = |text: &str, want: Option<i64>| {
            let got = parse_time(text);
            assert_eq!(got.clone().ok(), want.map(Millis), "{text:?}");
            if let Err(error) = got {
                assert_eq!(error, format!("cannot parse {text:?} to a valid timestamp"));
            }
        };
        f("0", Some(0));
        f("1435781451.781", Some(1_435_781_451_781));
        f("1435781451.7815", Some(1_435_781_451_782));
        f("-1.5", Some(-1500));
        f("1e3", Some(1_000_000));
        f("1_000.5_0", Some(1_000_500));
        f("-1_0e+0_2", Some(-1_000_000));
        f("0x10p0", Some(16_000));
        f("0x_1_0p-1", Some(8_000));
        for odd in ["0x10", "1__0", "_1", "1_", "1_.5", "1._5", "1_e3", "1e_3", "0_x1p0"] {
            f(odd, None);
        }
        f("1767361020123", Some(1_767_361_020_123_000));
        f("2026-01-02T13:37:00Z", Some(1_767_361_020_000));
        f("2026-01-02T13:37:00.5+01:00", Some(1_767_357_420_500));
        f("-292273086-05-16T16:47:06Z", Some(MIN_TIME.0));
        f("292277025-08-18T07:12:54.999999999Z", Some(MAX_TIME.0));
        f("", None);
        f("now", None);
        f("NaN", None);
        f("Inf", None);
        f("1e19", None);
        f("9223372036854776", None);
        f("2026-01-02 13:37:00Z", None);
        f("2026-01-02T13:37:00", None);
        f("2026-13-02T13:37:00Z", None);
    }

    #[test]
    fn durations_are_seconds_or_with_units() {
        let f = |text: &str, want: Result<i64, &str>| {
            assert_eq!(parse_duration(text), want.map_err(str::to_owned), "{text:?}");
        };
        f("15", Ok(15_000));
        f("0.25", Ok(250));
        f("-1", Ok(-1000));
        f("1h30m", Ok(5_400_000));
        f("", Err("cannot parse \"\" to a valid duration"));
        f("x", Err("cannot parse \"x\" to a valid duration"));
        f("NaN", Err("cannot parse \"NaN\" to a valid duration"));
        f("1e10", Err("cannot parse \"1e10\" to a valid duration. It overflows int64"));
        f("-Inf", Err("cannot parse \"-Inf\" to a valid duration. It overflows int64"));
    }

    #[test]
    fn times_in_answers_have_as_many_decimals_as_they_need() {
        assert_eq!(format_time(None), "0001-01-01T00:00:00Z");
        assert_eq!(format_time(Some(Millis(1_767_361_020_000))), "2026-01-02T13:37:00Z");
        assert_eq!(format_time(Some(Millis(1_767_361_020_500))), "2026-01-02T13:37:00.5Z");
        assert_eq!(format_duration(Duration::from_secs(90)), "1m30s");
    }
}
