//! Parameters as Loki reads them (`pkg/loghttp/params.go`, `query.go`).

use axum::extract::Request;
use masthead_model::{GoDuration, Nanos, PromDuration, parse_number};
use masthead_ports::Direction;

use super::{Refusal, Shared};
use crate::{params::Params, time::parse_duration};

const NANOS_PER_SECOND: i64 = 1_000_000_000;
const NANOS_PER_MILLI: i64 = 1_000_000;
/// How far back a range goes when it is not said.
const SINCE_DEFAULT: i64 = 3600 * NANOS_PER_SECOND;
/// Entries of an answer when it is not said.
const LIMIT_DEFAULT: u64 = 100;
/// Points of one series at most.
const POINTS_MAX: i64 = 11_000;

/// The parameters of a request.
#[derive(Debug)]
pub(super) struct Asked {
    params: Params,
    now: Nanos,
}

impl Asked {
    pub(super) async fn read(request: Request, shared: &Shared) -> Result<Self, Refusal> {
        let now = shared.now();
        Ok(Self { params: Params::read(request, &shared.desk).await?, now })
    }

    /// The first value of `name`; empty if there is none.
    pub(super) fn first(&self, name: &str) -> &str {
        self.params.first(name)
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.params.all(name)
    }

    /// Whether the client takes gzip.
    pub(super) fn gzip(&self) -> bool {
        self.params.gzip
    }

    /// An instant; now if it is not given.
    pub(super) fn time(&self, name: &str) -> Result<Nanos, Refusal> {
        parse_time(self.first(name), self.now).map_err(Refusal::bad)
    }

    /// `start` and `end`, from `since` where there is no `start`. The end may be before the start.
    pub(super) fn bounds(&self) -> Result<(Nanos, Nanos), Refusal> {
        let wrong = |name: &str, why: String| {
            Refusal::bad(format!("could not parse '{name}' parameter: {why}"))
        };
        let since = match self.first("since") {
            "" => SINCE_DEFAULT,
            text => PromDuration::parse(text)
                .map(|since| since.as_millis().saturating_mul(NANOS_PER_MILLI))
                .map_err(|error| wrong("since", error.to_string()))?,
        };
        let end = parse_time(self.first("end"), self.now).map_err(|why| wrong("end", why))?;
        let start = end.min(self.now).saturating_sub(since);
        let start = parse_time(self.first("start"), start).map_err(|why| wrong("start", why))?;
        Ok((start, end))
    }

    /// The same, refused if the end comes before the start.
    pub(super) fn range(&self) -> Result<(Nanos, Nanos), Refusal> {
        let (start, end) = self.bounds()?;
        if end < start {
            let why = "end timestamp must not be before or equal to start time";
            return Err(Refusal::bad(why));
        }
        Ok((start, end))
    }

    /// A count that must be positive.
    pub(super) fn limit(&self, name: &str) -> Result<usize, Refusal> {
        let limit = self.count(name, LIMIT_DEFAULT)?;
        if limit == 0 {
            return Err(Refusal::bad("limit must be a positive value"));
        }
        Ok(usize::try_from(limit).unwrap_or(usize::MAX))
    }

    /// A count that may be zero.
    pub(super) fn count(&self, name: &str, default: u64) -> Result<u64, Refusal> {
        let text = self.first(name);
        if text.is_empty() {
            return Ok(default);
        }
        let number: i64 = text.parse().map_err(|_| Refusal::bad(not_a_number("Atoi", text)))?;
        if number < 0 {
            return Err(Refusal::bad("limit must be a positive value"));
        }
        if number > i64::from(u32::MAX) {
            let why = format!("limit value {number} is out of range [0, {}]", u32::MAX);
            return Err(Refusal::bad(why));
        }
        Ok(number.unsigned_abs())
    }

    /// From which end, newest first if it is not said.
    pub(super) fn direction(&self) -> Result<Direction, Refusal> {
        let text = self.first("direction");
        match text.to_ascii_lowercase().as_str() {
            "" | "backward" => Ok(Direction::Backward),
            "forward" => Ok(Direction::Forward),
            _ => Err(Refusal::bad(format!("invalid direction '{text}'"))),
        }
    }

    /// From one point to the next, in milliseconds; a 250th of the range if it is not said.
    pub(super) fn step_ms(&self, start: Nanos, end: Nanos) -> Result<i64, Refusal> {
        let length = end.0.saturating_sub(start.0);
        let step = match self.first("step") {
            "" => (length / NANOS_PER_SECOND / 250).max(1) * 1000,
            text => parse_duration(text).map_err(Refusal::bad)?,
        };
        if step <= 0 {
            let why = "zero or negative query resolution step widths are not accepted. Try a positive integer";
            return Err(Refusal::bad(why));
        }
        if length / step.saturating_mul(NANOS_PER_MILLI) > POINTS_MAX {
            let why = "exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step parameter";
            return Err(Refusal::bad(why));
        }
        Ok(step)
    }

    /// The least time between two entries of an answer, in nanoseconds; 0 for any.
    pub(super) fn interval(&self) -> Result<i64, Refusal> {
        let interval = match self.first("interval") {
            "" => 0,
            text => parse_duration(text).map_err(Refusal::bad)?,
        };
        if interval < 0 {
            return Err(Refusal::bad("interval must be >= 0"));
        }
        Ok(interval.saturating_mul(NANOS_PER_MILLI))
    }
}

/// Refuses a range that is longer than `--logs.max-query-length`.
pub(super) fn check_length(start: Nanos, end: Nanos, limit_ns: i64) -> Result<(), Refusal> {
    let length = end.0.saturating_sub(start.0);
    if limit_ns <= 0 || length <= limit_ns {
        return Ok(());
    }
    let shown = PromDuration::from_millis(limit_ns / NANOS_PER_MILLI);
    let shown = shown.map_or_else(String::new, |limit| limit.to_string());
    let length = GoDuration(length);
    Err(Refusal::bad(format!(
        "the query time range exceeds the limit (query length: {length}, limit: {shown})"
    )))
}

/// Up to ten digits are seconds and more are nanoseconds, a point makes them seconds with a
/// fraction, and RFC 3339 will do too. Nothing is the default.
pub(super) fn parse_time(text: &str, default: Nanos) -> Result<Nanos, String> {
    const SECONDS_MAX: f64 = 9_223_372_036.0;
    const SECONDS_DIGITS: usize = 10;
    if text.is_empty() {
        return Ok(default);
    }
    if text.contains('.')
        && let Some(seconds) = parse_number(text)
        && seconds.abs() < SECONDS_MAX
    {
        #[expect(clippy::cast_possible_truncation, reason = "the range was checked above")]
        let (whole, millis) = (seconds.trunc() as i64, (seconds.fract() * 1000.0).round() as i64);
        return Ok(Nanos(whole * NANOS_PER_SECOND + millis * NANOS_PER_MILLI));
    }
    match text.parse::<i64>() {
        Ok(seconds) if text.len() <= SECONDS_DIGITS => Ok(Nanos(seconds * NANOS_PER_SECOND)),
        Ok(nanos) => Ok(Nanos(nanos)),
        Err(_) => text
            .parse::<jiff::Timestamp>()
            .ok()
            .filter(|_| text.as_bytes().get(10) == Some(&b'T'))
            .and_then(|at| i64::try_from(at.as_nanosecond()).ok())
            .map(Nanos)
            .ok_or_else(|| not_a_number("ParseInt", text)),
    }
}

fn not_a_number(function: &str, text: &str) -> String {
    let quoted = masthead_model::quote(text);
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let too_large = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let why = if too_large { "value out of range" } else { "invalid syntax" };
    format!("strconv.{function}: parsing {quoted}: {why}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_seconds_nanoseconds_or_rfc_3339() {
        let f = |text: &str, want: Result<i64, &str>| {
            let got = parse_time(text, Nanos(7));
            assert_eq!(got, want.map(Nanos).map_err(str::to_owned), "{text:?}");
        };
        f("", Ok(7));
        f("1793527200", Ok(1_793_527_200_000_000_000));
        f("1793527200.0", Ok(1_793_527_200_000_000_000));
        f("1.7935272e9", Ok(1_793_527_200_000_000_000));
        f("1793527200.1235", Ok(1_793_527_200_124_000_000));
        f("1793527200000", Ok(1_793_527_200_000));
        f("1793527200000000001", Ok(1_793_527_200_000_000_001));
        f("-1", Ok(-1_000_000_000));
        f("2026-11-01T10:30:00.000000001Z", Ok(1_793_529_000_000_000_001));
        f("2026-11-01T11:00:00+01:00", Ok(1_793_527_200_000_000_000));
        f(
            "99999999999999999999",
            Err("strconv.ParseInt: parsing \"99999999999999999999\": value out of range"),
        );
        f("+", Err("strconv.ParseInt: parsing \"+\": invalid syntax"));
        f("now", Err("strconv.ParseInt: parsing \"now\": invalid syntax"));
        f(
            "2026-11-01 10:30:00Z",
            Err("strconv.ParseInt: parsing \"2026-11-01 10:30:00Z\": invalid syntax"),
        );
    }

    #[test]
    fn long_ranges_are_refused_in_gos_words() {
        let limit = (30 * 24 + 1) * 3600 * NANOS_PER_SECOND;
        let end = Nanos(1_793_534_400 * NANOS_PER_SECOND);
        let refusal = check_length(Nanos(-NANOS_PER_SECOND), end, limit).expect_err("too long");
        let want =
            "the query time range exceeds the limit (query length: 498204h0m1s, limit: 30d1h)";
        assert_eq!(refusal.message, want);
        assert_eq!(check_length(end.saturating_sub(limit), end, limit), Ok(()));
        assert_eq!(check_length(Nanos(0), end, 0), Ok(()));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,30}|[0-9TZ:.eE+-]{0,30}") {
            let got = parse_time(&text, Nanos(0));
            prop_assert!(got.is_ok() || got.is_err_and(|why| why.starts_with("strconv.")));
        }
    }
}
