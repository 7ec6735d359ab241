//! Rows for Go's layouts.

use super::*;

#[test]
fn times_are_written_as_by_go() {
    let time = Time::from_nanos(1_679_577_215_123_456_789);
    let f = |layout: &str, want: &str| assert_eq!(time.format(layout), want, "{layout}");
    f("2006-01-02T15:04:05Z07:00", "2023-03-23T13:13:35Z");
    f("02/Jan/06 3:04PM", "23/Mar/23 1:13PM");
    f("Monday, January _2 2006", "Thursday, March 23 2023");
    f("Mon Jan 2 15:04:05.000 MST 2006", "Thu Mar 23 13:13:35.123 UTC 2023");
    f("15:04:05.000000000 -0700", "13:13:35.123456789 +0000");
    f("05.999999", "35.123456");
    f("002 __2 pm 1 5 4", "082  82 pm 3 35 13");
    f("x_2006 Month", "x_2023 Month");
    assert_eq!(time.to_string(), "2023-03-23 13:13:35.123456789 +0000 UTC");
    assert_eq!(Time::zero().to_string(), "0001-01-01 00:00:00 +0000 UTC");
}

#[test]
fn times_are_read_as_by_go() {
    let f = |layout: &str, text: &str, zone: &str, want: Option<&str>| {
        let read = Time::parse(layout, text, zone).map(|time| time.to_string());
        assert_eq!(read.as_deref(), want, "{text}");
    };
    f("2006-01-02", "2023-01-15", "UTC", Some("2023-01-15 00:00:00 +0000 UTC"));
    f("2006-01-02", "2023-01-15", "Europe/Berlin", Some("2023-01-15 00:00:00 +0100 CET"));
    f("2006-01-02", "2023-01-15", "Nowhere/X", Some("2023-01-15 00:00:00 +0000 UTC"));
    f("2006-01-02", "2023-02-30", "UTC", None);
    f("2006-01-02", "notadate", "UTC", None);
    f("2006-01-02", "2023-01-15x", "UTC", None);
    f("2006-01-02 15:04:05", "2023-01-15 01:02:03.5", "", Some("2023-01-15 01:02:03.5 +0000 UTC"));
    f("Jan _2 3:04PM 2006", "Mar  3 12:05AM 2020", "", Some("2020-03-03 00:05:00 +0000 UTC"));
    f(
        "2006-01-02T15:04:05Z07:00",
        "2020-01-01T00:00:00Z",
        "",
        Some("2020-01-01 00:00:00 +0000 UTC"),
    );
    f(
        "02/Jan/2006:15:04:05 -0700",
        "10/Oct/2000:13:55:36 -0700",
        "",
        Some("2000-10-10 13:55:36 -0700 -0700"),
    );
    f("2006 002", "2024 060", "", Some("2024-02-29 00:00:00 +0000 UTC"));
    f("05.000", "35.12", "", None);
}
