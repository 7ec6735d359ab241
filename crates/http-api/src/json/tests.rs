//! The rows are facts of upstream's `util/jsonutil` and of Go's `encoding/json`.

use masthead_model::{Schema, Span};
use proptest::prelude::*;

use super::*;

fn text(push: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    push(&mut out);
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn timestamps_are_seconds_with_three_decimals_or_none() {
    let f = |millis: i64, want: &str| {
        assert_eq!(text(|out| push_timestamp(out, millis)), want);
    };
    f(0, "0");
    f(1, "0.001");
    f(10, "0.010");
    f(100, "0.100");
    f(1001, "1.001");
    f(1_435_781_451_781, "1435781451.781");
    f(1_435_781_451_000, "1435781451");
    f(-1, "-0.001");
    f(-1000, "-1");
    f(i64::MIN, "-9223372036854775.808");
    f(i64::MAX, "9223372036854775.807");
}

#[test]
fn values_have_all_digits_between_a_millionth_and_a_trilliard() {
    let f = |value: f64, want: &str| {
        assert_eq!(text(|out| push_float(out, value)), format!("\"{want}\""));
    };
    f(0.0, "0");
    f(-0.0, "-0");
    f(1.0, "1");
    f(-20.0, "-20");
    f(0.1, "0.1");
    f(-1.234_567_89, "-1.23456789");
    f(100_000.5, "100000.5");
    f(0.000_01, "0.00001");
    f(0.000_001, "0.000001");
    f(0.000_001_5, "0.0000015");
    f(0.000_000_9, "9e-07");
    f(1.2345e-7, "1.2345e-07");
    f(5e-324, "5e-324");
    f(1e15, "1000000000000000");
    f(9_007_199_254_740_992.0, "9007199254740992");
    f(1e16, "10000000000000000");
    f(1.5e16, "15000000000000000");
    f(1e20, "100000000000000000000");
    f(1e21, "1e+21");
    f(-1.5e300, "-1.5e+300");
    f(f64::MAX, "1.7976931348623157e+308");
    f(f64::INFINITY, "+Inf");
    f(f64::NEG_INFINITY, "-Inf");
    f(f64::NAN, "NaN");
}

#[test]
fn strings_are_escaped_as_go_does_in_both_writers() {
    let f = |value: &str, want: &str| {
        assert_eq!(text(|out| push_string(out, value)), want);
        assert_eq!(to_vec(&value), want.as_bytes(), "{value:?}");
    };
    f("", "\"\"");
    f("up", "\"up\"");
    f("a\"b\\c", r#""a\"b\\c""#);
    f("\n\r\t", r#""\n\r\t""#);
    f("\u{1}x", "\"\\u0001x\"");
    f("<a&b>", "\"\\u003ca\\u0026b\\u003e\"");
    f("日本\u{2028}→\u{2029}€", "\"日本\\u2028→\\u2029€\"");
    f("\u{7f}é", "\"\u{7f}é\"");
}

#[test]
fn labels_are_an_object_in_order() {
    let labels: Labels = [("b", "2"), ("__name__", "up"), ("a", "\"")].into_iter().collect();
    let want = r#"{"__name__":"up","a":"\"","b":"2"}"#;
    assert_eq!(text(|out| push_labels(out, &labels)), want);
    assert_eq!(text(|out| push_labels(out, &Labels::default())), "{}");
}

#[test]
fn histograms_list_their_buckets_from_low_to_high_without_empty_ones() {
    let span = |length| vec![Span { offset: 0, length }];
    let histogram = Histogram {
        schema: Schema::new(0).expect("valid"),
        count: 10.0,
        sum: -1.5,
        zero_threshold: 0.001,
        zero_count: 2.0,
        positive_spans: span(3),
        positive_buckets: vec![1.0, 0.0, 3.0],
        negative_spans: span(2),
        negative_buckets: vec![1.0, 3.0],
        ..Histogram::default()
    };
    let want = concat!(
        r#"{"count":"10","sum":"-1.5","buckets":["#,
        r#"[1,"-2","-1","3"],[1,"-1","-0.5","1"],[3,"-0.001","0.001","2"],"#,
        r#"[0,"0.5","1","1"],[0,"2","4","3"]]}"#
    );
    assert_eq!(text(|out| push_histogram(out, &histogram)), want);
    let empty = text(|out| push_histogram(out, &Histogram::default()));
    assert_eq!(empty, r#"{"count":"0","sum":"0"}"#);
}

#[test]
fn small_documents_have_gos_floats() {
    assert_eq!(to_vec(&[1.0, 0.25, 1e21]), b"[1,0.25,1e+21]");
}

proptest! {
    #[test]
    fn every_text_and_number_is_read_back_by_another_parser(words in "\\PC{0,20}", value in any::<f64>()) {
        let read: String = serde_json::from_str(&text(|out| push_string(out, &words))).expect("JSON");
        prop_assert_eq!(read, words);
        let number: String = serde_json::from_str(&text(|out| push_float(out, value))).expect("JSON");
        let number: f64 = number.parse().expect("a number");
        prop_assert!(number.to_bits() == value.to_bits() || (number.is_nan() && value.is_nan()));
    }
}
