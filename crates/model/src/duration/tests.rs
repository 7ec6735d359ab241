//! Rows for both dialects, and print-then-parse over random durations.

use proptest::prelude::*;

use super::*;

#[test]
fn prometheus_durations() {
    let f = |text: &str, want: Option<i64>| {
        assert_eq!(PromDuration::parse(text).ok().map(PromDuration::as_millis), want, "{text:?}");
    };
    f("0", Some(0));
    f("0w", Some(0));
    f("0s", Some(0));
    f("324ms", Some(324));
    f("3s", Some(3_000));
    f("5m", Some(300_000));
    f("1h", Some(3_600_000));
    f("4d", Some(4 * DAY_MS));
    f("4d1h", Some(4 * DAY_MS + HOUR_MS));
    f("14d", Some(14 * DAY_MS));
    f("3w2d1h", Some(23 * DAY_MS + HOUR_MS));
    f("10y", Some(3_650 * DAY_MS));
    f("1m1ms", Some(60_001));
    f("1", None);
    f("1y1m1d", None); // Units must descend.
    f("30m1h", None);
    f("1h1h", None);
    f("-1w", None);
    f("1.5d", None);
    f("d", None);
    f("", None);
    f("5m ", None);
    f("294y", None);
    f("200y10400w", None);
    f("99999999999999999999s", None);
}

#[test]
fn prometheus_errors_have_upstreams_texts() {
    let f = |text: &str, want: &str| {
        assert_eq!(PromDuration::parse(text).unwrap_err().to_string(), want);
    };
    f("", "empty duration string");
    f("1x", "unknown unit \"x\" in duration \"1x\"");
    f("294y", "duration out of range");
}

#[test]
fn prometheus_prints_years_and_weeks_only_when_exact() {
    let f = |millis: i64, want: &str| {
        let duration = PromDuration::from_millis(millis).expect("in range");
        assert_eq!(duration.to_string(), want);
    };
    f(0, "0s");
    f(7 * DAY_MS, "1w");
    f(8 * DAY_MS, "8d");
    f(365 * DAY_MS, "1y");
    f(90 * MINUTE_MS, "1h30m");
    f(61_001, "1m1s1ms");
    assert_eq!(PromDuration::from_millis(-1), None);
    assert_eq!(PromDuration::from_millis(i64::MAX), None);
}

#[test]
fn go_durations() {
    let f = |text: &str, want: Option<i64>| {
        assert_eq!(GoDuration::parse(text).ok().map(|d| d.0), want, "{text:?}");
    };
    f("0", Some(0));
    f("5s", Some(5_000_000_000));
    f("-5s", Some(-5_000_000_000));
    f("+5s", Some(5_000_000_000));
    f("1.5h", Some(5_400_000_000_000));
    f("1h30m", Some(5_400_000_000_000));
    f("30m1h", Some(5_400_000_000_000)); // Any order, unlike Prometheus.
    f(".5s", Some(500_000_000));
    f("5.s", Some(5_000_000_000));
    f("10ns", Some(10));
    f("11us", Some(11_000));
    f("12µs", Some(12_000));
    f("12μs", Some(12_000));
    f("13ms", Some(13_000_000));
    f("0.3333333333333333333h", Some(1_200_000_000_000 - 1));
    f("2562047h47m16.854775807s", Some(i64::MAX));
    f("-9223372036854775808ns", Some(i64::MIN));
    f("9223372036854775808ns", None);
    f("3000000h", None);
    f("99999999999999999999999999999999999999999999s", None);
    f("1d", None);
    f("3", None);
    f("-", None);
    f("s", None);
    f(".", None);
    f(".s", None);
    f("1..5s", None);
    f("", None);
}

#[test]
fn go_prints_the_shortest_exact_form() {
    let f = |nanos: i64, want: &str| assert_eq!(GoDuration(nanos).to_string(), want);
    f(0, "0s");
    f(1, "1ns");
    f(1_100, "1.1µs");
    f(2_200_000, "2.2ms");
    f(3_300_000_000, "3.3s");
    f(245_000_000_000, "4m5s");
    f(3_600_000_000_000, "1h0m0s");
    f(-5_400_000_000_000, "-1h30m0s");
    f(i64::MIN, "-2562047h47m16.854775808s");
}

proptest! {
    #[test]
    fn prometheus_print_then_parse_is_identity(millis in 0..=PROM_MAX_MS, unit in 0_usize..7) {
        // Rounding to a unit reaches the forms with few parts.
        let scale = PROM_UNITS[unit].1;
        let duration = PromDuration::from_millis(millis / scale * scale).expect("in range");
        prop_assert_eq!(PromDuration::parse(&duration.to_string()), Ok(duration));
    }

    #[test]
    fn go_print_then_parse_is_identity(nanos: i64, shift in 0_u32..63) {
        let duration = GoDuration(nanos >> shift);
        prop_assert_eq!(GoDuration::parse(&duration.to_string()), Ok(duration));
    }

    #[test]
    fn no_text_panics(text in "[-+.0-9a-zµ]{0,24}") {
        if let Ok(duration) = PromDuration::parse(&text) {
            prop_assert!(duration.as_millis() >= 0);
        }
        if let Ok(duration) = GoDuration::parse(&text) {
            prop_assert!(duration.0 >= 0 || text.starts_with('-'));
        }
    }
}
