//! What scripts may write, and what answers show.

use proptest::prelude::*;

use super::*;

#[test]
fn reads_and_writes_what_scripts_use() {
    let f = |text: &str, want: &str| {
        let (noted, rest) = Histogram::parse_test_expression(text).expect("notation");
        assert_eq!((noted.histogram.to_test_expression().as_str(), rest), (want, ""));
        assert_eq!(noted.histogram.validate(), Ok(()));
    };
    f("{{}}", "{{}}");
    f("{{schema:0 count: 5 buckets:[1 2 ] }}", "{{count:5 buckets:[1 2]}}");
    f(
        "{{schema:-53 custom_values:[5 10] offset:1 buckets:[1]}}",
        "{{schema:-53 custom_values:[5 10] offset:1 buckets:[1]}}",
    );
    f("{{sum:-Inf z_bucket:1e6 z_bucket_w:0.001}}", "{{sum:-Inf z_bucket:1e+06 z_bucket_w:0.001}}");
    f(
        "{{counter_reset_hint:gauge n_offset:-2 n_buckets:[0 3]}}",
        "{{counter_reset_hint:gauge n_offset:-1 n_buckets:[3]}}",
    );
    f("{{counter_reset_hint:reset}}", "{{counter_reset_hint:reset}}");
    f("{{counter_reset_hint:not_reset}}", "{{counter_reset_hint:not_reset}}");
    let (noted, rest) =
        Histogram::parse_test_expression("{{counter_reset_hint:unknown}}x3").expect("notation");
    assert!(noted.hint_given && rest == "x3");
    assert!(!Histogram::parse_test_expression("{{count:1}}").expect("notation").0.hint_given);
}

#[test]
fn refusals_name_the_key_or_the_place() {
    let f = |text: &str, want: &str| {
        assert_eq!(
            Histogram::parse_test_expression(text).map_err(|e| e.to_string()),
            Err(want.to_owned())
        );
    };
    f("{count:1}}", "histogram: expected `{{` at byte 0");
    f("{{count:1", "histogram: expected `:` at byte 9");
    f("{{count 1}}", "histogram: expected `:` at byte 8");
    f("{{buckets:[1 2}}", "histogram: expected `]` at byte 10");
    f("{{cnt:1}}", "histogram: bad histogram descriptor found: \"cnt\"");
    f("{{sum:1 sum:2}}", "histogram: duplicate key \"sum\" in histogram");
    f("{{schema:9}}", "histogram: error parsing schema: \"9\"");
    f("{{buckets:[1 x]}}", "histogram: error parsing buckets: \"[1 x]\"");
    f("{{counter_reset_hint:maybe}}", "histogram: error parsing counter_reset_hint: \"maybe\"");
    let many = format!("{{{{buckets:[{}]}}}}", "1 ".repeat(BUCKETS_MAX + 1));
    f(&many, "histogram: more than 100000 buckets");
}

#[test]
fn answers_show_populated_buckets_in_order() {
    let show = |text: &str| {
        Histogram::parse_test_expression(text).expect("notation").0.histogram.to_string()
    };
    assert_eq!(
        show("{{count:9 sum:-1.5 z_bucket:2 z_bucket_w:0.001 buckets:[0 3] n_buckets:[1 3]}}"),
        "{count:9, sum:-1.5, [-2,-1):3, [-1,-0.5):1, [-0.001,0.001]:2, (1,2]:3}"
    );
    assert_eq!(
        show("{{schema:-53 custom_values:[1] buckets:[1 2]}}"),
        "{count:0, sum:0, [-Inf,1]:1, (1,+Inf]:2}"
    );
}

#[test]
fn an_endless_side_is_left_out() {
    let far = Histogram {
        positive_spans: vec![
            Span { offset: 0, length: 1 },
            Span { offset: i32::MAX - 5, length: 1 },
        ],
        positive_buckets: vec![1.0, 2.0],
        count: 3.0,
        ..Histogram::default()
    };
    assert_eq!(far.to_test_expression(), "{{count:3}}");
}

proptest! {
    #[test]
    fn no_text_panics(text in "(\\{\\{)?([a-z_]{0,7}:?[\\[0-9 \\].}-]{0,6}){0,4}") {
        if let Ok((_, rest)) = Histogram::parse_test_expression(&text) {
            prop_assert!(text.ends_with(rest));
        }
    }
}
