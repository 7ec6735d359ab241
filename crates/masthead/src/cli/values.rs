//! Values of flags as people write them: durations, sizes, addresses, moments, rates.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

/// An address, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listen {
    Off,
    At(SocketAddr),
}

/// The longest `--for`, so that adding it to a clock cannot overflow.
const RUN_FOR_MAX: Duration = Duration::from_hours(365 * 24);

/// `20s`, `1h 30m`, and as upstream's flags are written, with days of 24 hours and weeks: `1d12h`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let example = "write it like 20s, 5m, 1h 30m or 7d";
    let duration = match prometheus_duration(text) {
        Ok(duration) => duration,
        Err(_) => {
            let span: jiff::SignedDuration = text.parse().map_err(|_| example.to_owned())?;
            Duration::try_from(span).map_err(|_| format!("is negative; {example}"))?
        }
    };
    if duration.is_zero() || duration > RUN_FOR_MAX {
        return Err(format!("must be above 0 and at most a year; {example}"));
    }
    Ok(duration)
}

/// `15d`, `1h30m`, `200ms`: upstream's flags are written so.
pub(super) fn prometheus_duration(text: &str) -> Result<Duration, String> {
    let duration = masthead_model::PromDuration::parse(text).map_err(|error| error.to_string())?;
    Ok(Duration::from_millis(duration.as_millis().unsigned_abs()))
}

/// `512MB`: units are powers of 1024, as in upstream's flags.
pub(super) fn byte_size(text: &str) -> Result<u64, String> {
    let size = masthead_model::ByteSize::parse_binary(text).map_err(|error| error.to_string())?;
    if size.0 == 0 { Err("must be more than nothing".to_owned()) } else { Ok(size.0) }
}

/// `127.0.0.1:3000`, `localhost:3000`, or `:3000`, which upstream's flags have for every address.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    let on = |ip: Ipv4Addr, port: &str| Some(SocketAddr::from((ip, port.parse().ok()?)));
    let found = match text.split_once(':') {
        Some(("", port)) => on(Ipv4Addr::UNSPECIFIED, port),
        Some(("localhost", port)) => on(Ipv4Addr::LOCALHOST, port),
        _ => text.parse().ok(),
    };
    found.ok_or_else(|| {
        "write it like 127.0.0.1:3000, localhost:3000, or :3000 for every address of this machine"
            .to_owned()
    })
}

pub(super) fn address_or_off(text: &str) -> Result<Listen, String> {
    if text == "off" {
        return Ok(Listen::Off);
    }
    address(text).map(Listen::At).map_err(|why| format!("{why}; or off"))
}

pub(super) fn moment(text: &str) -> Result<f64, String> {
    if let Ok(seconds) = text.parse::<f64>()
        && seconds.is_finite()
    {
        return Ok(seconds);
    }
    let time: jiff::Timestamp =
        text.parse().map_err(|_| "write it like 2026-11-22T10:00:00Z or 1795341600".to_owned())?;
    Ok(time.as_duration().as_secs_f64())
}

pub(super) fn rate(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix("/s").unwrap_or(text);
    match number.trim().parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate <= 1000.0 => Ok(rate),
        _ => Err("must be requests a second above 0 and at most 1000, like 5/s or 0.5".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let f = |text: &str, want: Option<u64>| {
            assert_eq!(duration(text).ok(), want.map(Duration::from_millis), "{text:?}");
        };
        f("20s", Some(20_000));
        f("250ms", Some(250));
        f("1h 30m", Some(5_400_000));
        f("1m30s", Some(90_000));
        f("1d", Some(86_400_000));
        f("1w2d3h", Some((9 * 24 + 3) * 3_600_000));
        f("400d", None);
        f("0", None);
        f("0s", None);
        f("-5s", None);
        f("20", None);
        f("", None);
        f("9999999h", None);
    }

    #[test]
    fn sizes_and_durations_of_the_server() {
        assert_eq!(byte_size("16MB"), Ok(16 << 20));
        assert!(byte_size("0").is_err() && byte_size("lots").is_err());
        assert_eq!(prometheus_duration("15d"), Ok(Duration::from_hours(15 * 24)));
        assert_eq!(prometheus_duration("0"), Ok(Duration::ZERO));
        assert!(prometheus_duration("1.5h").is_err());
        assert_eq!(address_or_off("off"), Ok(Listen::Off));
        assert_eq!(address_or_off("[::1]:9090").ok(), "[::1]:9090".parse().ok().map(Listen::At));
        assert!(address_or_off("9090").is_err());
    }

    #[test]
    fn addresses() {
        let f = |text: &str, want: Option<&str>| {
            assert_eq!(address(text).ok(), want.map(|want| want.parse().unwrap()), "{text:?}");
        };
        f("127.0.0.1:3000", Some("127.0.0.1:3000"));
        f("[::1]:3000", Some("[::1]:3000"));
        f("localhost:3000", Some("127.0.0.1:3000"));
        f(":3000", Some("0.0.0.0:3000"));
        f("3000", None);
        f(":", None);
        f(":70000", None);
        f("example.org:3000", None);
        f("", None);
    }

    #[test]
    fn moments() {
        let f = |text: &str, want: Option<f64>| assert_eq!(moment(text).ok(), want, "{text:?}");
        f("1795341600", Some(1_795_341_600.0));
        f("1795341600.5", Some(1_795_341_600.5));
        f("2026-11-22T10:00:00Z", Some(1_795_341_600.0));
        f("2026-11-22T11:00:00+01:00", Some(1_795_341_600.0));
        f("NaN", None);
        f("yesterday", None);
    }

    #[test]
    fn rates() {
        let f = |text: &str, want: Option<f64>| assert_eq!(rate(text).ok(), want, "{text:?}");
        f("5", Some(5.0));
        f("5/s", Some(5.0));
        f("0.5/s", Some(0.5));
        f("1000", Some(1000.0));
        f("1001", None);
        f("0", None);
        f("-1", None);
        f("NaN", None);
        f("inf", None);
        f("5/m", None);
        f("", None);
    }
}
