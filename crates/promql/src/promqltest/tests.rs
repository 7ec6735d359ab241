//! The runner itself: what it reads, what it refuses, and that each expectation can fail.

use std::collections::BTreeMap;

use masthead_model::Histogram;
use proptest::prelude::*;

use super::{series::Described, *};
use crate::{InstantSample, SeriesResult};

/// Answers `name` with the last sample of that series at or before the instant, `scalar`, `text`,
/// `window`, or fails with any other text.
#[derive(Default)]
struct Fake {
    series: BTreeMap<Labels, BTreeMap<i64, Value>>,
    warnings: Vec<String>,
    asked: Vec<(String, i64)>,
}

impl Fake {
    fn at(&self, name: &str, at: i64) -> Vec<InstantSample> {
        let matching = self.series.iter().filter(|(l, _)| l.metric_name() == Some(name));
        let sample = |(labels, samples): (&Labels, &BTreeMap<i64, Value>)| {
            let value = samples.range(..=at).next_back()?.1.clone();
            (!value.is_stale()).then(|| InstantSample {
                labels: labels.clone(),
                timestamp: Millis(at),
                value,
            })
        };
        matching.filter_map(sample).collect()
    }

    fn answer(&self, value: QueryValue) -> Answer {
        Answer { value, warnings: self.warnings.clone(), infos: Vec::new() }
    }
}

impl Engine for Fake {
    fn clear(&mut self) -> Result<(), String> {
        self.series.clear();
        Ok(())
    }

    fn append(&mut self, series: &[LoadedSeries]) -> Result<(), String> {
        for one in series {
            let samples = self.series.entry(one.labels.clone()).or_default();
            for sample in &one.samples {
                samples.insert(sample.timestamp.0, sample.value.clone());
            }
        }
        Ok(())
    }

    fn instant(&mut self, expr: &str, at: Millis) -> Result<Answer, String> {
        self.asked.push((expr.to_owned(), at.0));
        let (name, seconds) = expr.split_once(" @ ").unwrap_or((expr, ""));
        let pinned = seconds.parse().ok().and_then(|seconds| Millis::from_seconds(seconds).ok());
        let at = pinned.unwrap_or(at);
        Ok(self.answer(match name {
            "1 + 1" => QueryValue::Scalar(2.0, at),
            r#""text""# => QueryValue::String("text".to_owned(), at),
            "series[1m]" => QueryValue::Matrix(vec![SeriesResult {
                labels: "series".parse().expect("labels"),
                floats: vec![(30_000, 1.0), (60_000, 2.0)],
                histograms: Vec::new(),
            }]),
            "fail" => return Err("it failed on purpose".to_owned()),
            name => QueryValue::Vector(self.at(name, at.0)),
        }))
    }

    fn range(
        &mut self,
        expr: &str,
        start: Millis,
        end: Millis,
        step_ms: i64,
    ) -> Result<Answer, String> {
        let mut series: BTreeMap<Labels, SeriesResult> = BTreeMap::new();
        let mut at = start;
        while at <= end {
            let samples = match self.instant(expr, at)?.value {
                QueryValue::Scalar(value, timestamp) => {
                    vec![InstantSample {
                        labels: Labels::default(),
                        timestamp,
                        value: Value::Float(value),
                    }]
                }
                QueryValue::Vector(vector) => vector,
                other => return Err(format!("no {} over a range", other.kind())),
            };
            for sample in samples {
                let one = series.entry(sample.labels.clone()).or_default();
                one.labels = sample.labels;
                match sample.value {
                    Value::Float(value) => one.floats.push((at.0, value)),
                    Value::Histogram(histogram) => one.histograms.push((at.0, (*histogram).into())),
                }
            }
            at = at.saturating_add(step_ms);
        }
        Ok(self.answer(QueryValue::Matrix(series.into_values().collect())))
    }
}

const DATA: &str = "
load 1m
  up{job=\"a\"} 0 1 2 3
  up{job=\"b\"} 5x3
  gone 1 stale
  hist {{count:3 buckets:[1 2]}}x2

";

fn run_on_data(script: &str) -> Result<usize, String> {
    run(&format!("{DATA}{script}"), &mut Fake::default()).map_err(|failure| failure.to_string())
}

#[test]
fn what_comes_as_expected_passes() {
    let f = |script: &str| assert_eq!(run_on_data(script), Ok(1), "{script}");
    f("eval instant at 2m up\n  up{job=\"a\"} 2\n  up{job=\"b\"} 5");
    f("eval instant at 2m up\n expect ordered\n  up{job=\"a\"} 2.0000001\n  up{job=\"b\"} 5");
    f("eval instant at 1m gone");
    f("eval instant at 0 gone\n gone 1");
    f("eval range from 0 to 3m step 1m up\n  up{job=\"a\"} 0+1x3\n  up{job=\"b\"} 5 5 5 5\n");
    f("eval range from 0 to 2m step 1m gone\n  gone 1 _ _");
    f("eval instant at 1m hist\n  hist {{count:3 buckets:[1 2] counter_reset_hint:not_reset}}");
    f("eval range from 0 to 1m step 1m hist\n  hist {{count:3 buckets:[1 2]}}x1");
    f("eval instant at 1m 1 + 1\n  2");
    f("eval instant at 1m \"text\"\n  expect string \"text\"");
    f("eval instant at 1m series[1m]\n  expect range vector from 30s to 1m step 30s\n  series 1 2");
    f("eval_fail instant at 1m fail");
    f("eval_fail instant at 1m fail\n expected_fail_message it failed on purpose");
    f("eval_fail instant at 1m fail\n expected_fail_regexp on .*");
    f("eval instant at 1m fail\nexpect fail msg: it failed on purpose");
    f("eval range from 0 to 1m step 1m fail\nexpect fail regex: (on|off) purpose");
}

#[test]
fn each_expectation_can_fail() {
    let f = |script: &str, want: &str| {
        assert_eq!(run_on_data(script), Err(format!("line 8: {want}")), "{script}");
    };
    f(
        "eval instant at 2m up\n  up{job=\"a\"} 2",
        "up: expected no such series, got {__name__=\"up\", job=\"b\"} 5",
    );
    f("eval instant at 2m gone\n  gone 1", "gone: expected {__name__=\"gone\"} 1, got nothing");
    f(
        "eval instant at 0 gone\n  gone 1.00001",
        "gone: expected {__name__=\"gone\"} 1.00001, got {__name__=\"gone\"} 1",
    );
    f(
        "eval instant at 0 gone\n  gone {{count:1}}",
        "gone: expected {__name__=\"gone\"} {{count:1}}, got {__name__=\"gone\"} 1",
    );
    f(
        "eval instant at 2m up\n expect ordered\n up{job=\"b\"} 5\n up{job=\"a\"} 2",
        "up: expected {__name__=\"up\", job=\"a\"} at position 2, got at 1",
    );
    f(
        "eval range from 0 to 1m step 1m gone\n  gone 1 1",
        "gone: expected {__name__=\"gone\"} 1 1, got 1@0",
    );
    f(
        "eval range from 0 to 1m step 1m gone\n  gone 2 _",
        "gone: expected {__name__=\"gone\"} 2 _, got 1@0",
    );
    f(
        "eval range from 0 to 1m step 1m gone\n  gone 1 _ _",
        "gone: expected 3 points for {__name__=\"gone\"}, got a range of fewer",
    );
    f(
        "eval instant at 0 hist\n  hist {{count:3 buckets:[1 2] counter_reset_hint:gauge}}",
        "hist: expected {__name__=\"hist\"} {{count:3 counter_reset_hint:gauge buckets:[1 2]}}, got {__name__=\"hist\"} {{count:3 buckets:[1 2]}}",
    );
    f("eval instant at 1m 1 + 1\n  3", "1 + 1: expected scalar 3, got 2");
    f("eval instant at 1m up\n  3", "up: expected scalar 3, got a vector of 2");
    f("eval instant at 1m 1 + 1\n  up 3", "1 + 1: expected a vector or matrix, got scalar 2");
    f(
        "eval instant at 1m \"text\"\n  expect string \"other\"",
        "\"text\": expected string \"other\", got \"text\"",
    );
    f("eval instant at 1m fail", "fail: expected success, got it failed on purpose");
    f(
        "eval instant at 1m fail\nexpect fail msg: x",
        "fail: expected failure with message \"x\", got it failed on purpose",
    );
    f(
        "eval instant at 1m gone\nexpect fail",
        "gone: expected failure with any message, got a vector",
    );
    f("eval instant at 1m gone\nexpect warn", "gone: expected warning: any message, got []");
    f(
        "eval instant at 1m gone\nexpect info regex: a.b",
        "gone: expected info: a message matching \"a.b\", got []",
    );
}

#[test]
fn messages_are_compared_both_ways() {
    let f = |expect: &str, want: Result<usize, &str>| {
        let mut fake =
            Fake { warnings: vec!["one".to_owned(), "two".to_owned()], ..Fake::default() };
        let got = run(&format!("eval instant at 0 nothing\n{expect}"), &mut fake);
        assert_eq!(
            got.map_err(|failure| failure.to_string()),
            want.map_err(|want| format!("line 1: nothing: expected {want}"))
        );
    };
    f("", Ok(1));
    f("expect warn", Ok(1));
    f("expect warn msg: one\nexpect warn regex: tw", Ok(1));
    f("expect warn msg: one", Err("only warnings [\"message \\\"one\\\"\"], got \"two\""));
    f(
        "expect warn msg: one\nexpect warn msg: three\nexpect warn msg: two",
        Err("warning: message \"three\", got [\"one\", \"two\"]"),
    );
    f("expect no_warn", Err("no warning, got [\"one\", \"two\"]"));
    f("expect no_info", Ok(1));
}

#[test]
fn instant_queries_are_asked_pinned_and_over_ranges_too() {
    let mut fake = Fake::default();
    run(&format!("{DATA}eval instant at 1m gone\n"), &mut fake).expect("passes");
    let pinned = |at| ("gone @ 60.000".to_owned(), at);
    let mut want = Vec::new();
    for (expr, at) in [
        ("gone".to_owned(), 60_000),
        pinned(-600_000),
        pinned(0),
        pinned(12_000),
        pinned(60_000),
        pinned(600_000),
    ] {
        want.extend([0, -60_000, 0, 60_000].map(|offset| (expr.clone(), at + offset)));
    }
    assert_eq!(fake.asked, want);
    // What depends on the instant is not pinned, what depends on the range not asked over one.
    for (expr, times) in [("hour(gone)", 4), ("gone @ end()", 6)] {
        let mut fake = Fake::default();
        run(&format!("eval instant at 1m {expr}\n"), &mut fake).expect("passes");
        assert_eq!(fake.asked.len(), times, "{expr}: {:?}", fake.asked);
    }
}

#[test]
fn the_rest_of_a_script_goes_on_after_a_failure() {
    let script = format!(
        "{DATA}eval instant at 0 gone\n\neval instant at 0 gone\n gone 1\n\nclear\neval instant at 0 gone\n"
    );
    let report = run_all(&script, &mut Fake::default());
    assert_eq!((report.passed, report.failures.len(), report.failures[0].line), (2, 1, 8));
}

#[test]
fn series_are_described_by_values_and_repetitions() {
    let f = |text: &str, want: &[f64]| {
        let (_, values) = series::parse_series(&format!("m {text}")).expect("series");
        let got: Vec<_> =
            values.iter().map(|v| if let Described::Float(v) = v { *v } else { -99.0 }).collect();
        assert!(
            got.len() == want.len()
                && got.iter().zip(want).all(|(a, b)| masthead_vecmath::nearly_equal(*a, *b, 1e-12)),
            "{text}: {got:?}"
        );
    };
    f("", &[]);
    f(
        "1 -2 +3 .5 1e3 Inf -Inf NaN",
        &[1.0, -2.0, 3.0, 0.5, 1e3, f64::INFINITY, f64::NEG_INFINITY, f64::NAN],
    );
    f("_ 1 _x2", &[-99.0, 1.0, -99.0, -99.0]);
    f("1x2", &[1.0; 3]);
    f("0x2", &[0.0; 3]);
    f("1+2x2 10-5x2", &[1.0, 3.0, 5.0, 10.0, 5.0, 0.0]);
    f("-1e-1+1e-1x1 NaNx1 1e+2x0", &[-0.1, 0.0, f64::NAN, f64::NAN, 100.0]);
    f("stale", &[masthead_model::stale_nan()]);
    let refused = |text: &str, want: &str| {
        assert_eq!(series::parse_series(text).map(|_| ()), Err(want.to_owned()));
    };
    refused("m 1+2", "bad series value \"1+2\"");
    refused("m 1x", "bad series value \"1x\"");
    refused("m 1x99999999", "bad series value \"1x99999999\"");
    refused("m x5", "bad series value \"x5\"");
    refused("m 1x600000 1x600000", "\"1x600000\" makes more than 1000000 values");
    refused("m {{count:1}}+{{count:1}}", "bad repetition \"\" after a histogram");
    refused("m {{schema:1}}+{{}}x2", "error combining histograms: cannot merge from schema 0 to 1");
    refused("m {{x:1}}", "histogram: bad histogram descriptor found: \"x\"");
    assert!(series::parse_series("m{a=\"1} 5").is_err());
}

#[test]
fn labels_end_where_values_begin() {
    let f = |text: &str, labels: &str, rest: &str| {
        let (got, after) = series::split_labels(text);
        assert_eq!((got.trim(), after.trim()), (labels, rest));
    };
    f("up 1", "up", "1");
    f("up{a=\"} {\"} 1", "up{a=\"} {\"}", "1");
    f("{a='\\'}'}\t2 3", "{a='\\'}'}", "2 3");
    f("up {a=\"b\"} 1", "up {a=\"b\"}", "1");
    f("up {{count:1}}", "up", "{{count:1}}");
    f("{`\\`=\"1\"} {{}}", "{`\\`=\"1\"}", "{{}}");
}

fn loaded(script: &str) -> Vec<LoadedSeries> {
    let script = Script::parse(script).expect("script");
    match script.commands.into_iter().next() {
        Some(Command::Load(load)) => load.series,
        other => panic!("not a load: {other:?}"),
    }
}

#[test]
fn start_times_are_offsets_from_each_sample() {
    let starts = |script: &str| -> Vec<_> {
        loaded(script)
            .remove(0)
            .samples
            .iter()
            .map(|s| s.start.map(|start| start.0 - s.timestamp.0))
            .collect()
    };
    let f = |offsets: &str, values: &str, want: &[Option<i64>]| {
        assert_eq!(
            starts(&format!("load 1m\n m{{a=\"b\"}}@st {offsets}\n m{{a=\"b\"}} {values}")),
            want,
            "{offsets}"
        );
    };
    f("-1m _ 0s", "1x2", &[Some(-60_000), None, Some(0)]);
    f("-30s-1mx2", "1x2", &[Some(-30_000), Some(-90_000), Some(-150_000)]);
    f("-59999msx1 _x1", "1x2", &[Some(-59_999), Some(-59_999), None]);
    f(
        "0-1mx1 * *x1",
        "1x4",
        &[Some(0), Some(-60_000), Some(-60_000), Some(-60_000), Some(-60_000)],
    );
    f("-1m+30sx1 +1m", "_ 1 1", &[Some(-30_000), Some(60_000)]);
    assert_eq!(starts("load 1m\n @st -1m _\n m 1x2"), [Some(-60_000), None, Some(-60_000)]);
    assert_eq!(starts("load 1m\n m 1"), [None]);
    let refused = |script: &str, want: &str| {
        assert_eq!(
            Script::parse(script).map(|_| ()).map_err(|e| e.to_string()),
            Err(want.to_owned())
        );
    };
    refused("load 1m\n m@st -1m\n", "line 2: @st line has no following sample line");
    refused(
        "load 1m\n m@st -1m\n n 1\n",
        "line 3: @st metric does not match the following sample line metric",
    );
    refused("load 1m\n m@st -1m\n m 1 2\n", "line 3: @st line has 1 values but sample line has 2");
    refused("load 1m\n m@st 1q\n m 1\n", "line 2: invalid @st sequence: invalid ST item \"1q\"");
    refused("load 1m\n m@st _x0\n m 1\n", "line 2: invalid @st sequence: invalid ST item \"_x0\"");
}

#[test]
fn classic_histograms_become_native_ones() {
    let series = loaded(
        "load_with_nhcb 1m
           h_bucket{a=\"b\", le=\"1\"} 1 2
           h_bucket{a=\"b\", le=\"5\"} 1 4
           h_bucket{a=\"b\", le=\"+Inf\"} 3 9
           h_count{a=\"b\"} 3 9
           h_sum{a=\"b\"} 7 8
           other 1",
    );
    let native = series.last().expect("series");
    assert_eq!(
        (series.len(), native.labels.to_string().as_str()),
        (7, "{__name__=\"h\", a=\"b\"}")
    );
    let texts: Vec<_> = native
        .samples
        .iter()
        .map(|s| match &s.value {
            Value::Histogram(histogram) => histogram.to_test_expression(),
            Value::Float(value) => value.to_string(),
        })
        .collect();
    assert_eq!(
        texts,
        [
            "{{schema:-53 count:3 sum:7 custom_values:[1 5] buckets:[1 0 2]}}",
            "{{schema:-53 count:9 sum:8 custom_values:[1 5] counter_reset_hint:not_reset buckets:[2 2 5]}}",
        ]
    );
    let refused = Script::parse("load_with_nhcb 1m\n h_bucket{le=\"1\"} 2\n h_count 1\n")
        .map(|_| ())
        .map_err(|e| e.what);
    assert_eq!(refused, Err("{__name__=\"h\"} at 0: count is not cumulative: 1 < 2".to_owned()));
}

#[test]
fn hints_are_those_that_a_store_gives() {
    use masthead_model::CounterResetHint::{Gauge, NotCounterReset, Unknown};
    let f = |values: &str, want: &[masthead_model::CounterResetHint]| {
        let series = loaded(&format!("load 1m\n m {values}"));
        let got: Vec<_> = series[0]
            .samples
            .iter()
            .filter_map(|s| match &s.value {
                Value::Histogram(histogram) => Some(histogram.counter_reset_hint),
                Value::Float(_) => None,
            })
            .collect();
        assert_eq!(got, want, "{values}");
    };
    f("{{count:1}} {{count:2}} {{count:1}}", &[Unknown, NotCounterReset, Unknown]);
    f("{{count:1}} 5 {{count:2}}", &[Unknown, Unknown]);
    f("{{count:1 counter_reset_hint:gauge}}x1 {{count:1}}", &[Gauge, Gauge, Unknown]);
    f(
        "{{count:1 counter_reset_hint:reset}} {{count:2 counter_reset_hint:reset}}",
        &[Unknown, Unknown],
    );
    f(
        "{{buckets:[1]}} {{schema:1 buckets:[1]}} {{schema:1 z_bucket_w:1}}",
        &[Unknown, Unknown, Unknown],
    );
    f("{{buckets:[1]}} {{buckets:[0]}}", &[Unknown, Unknown]);
    f("{{schema:-53 custom_values:[1]}} {{schema:-53 custom_values:[2]}}", &[Unknown, Unknown]);
}

#[test]
fn what_cannot_be_read_is_refused_with_its_line() {
    let f = |script: &str, line, what: &str| {
        let got = Script::parse(script).map(|_| ());
        assert_eq!(got, Err(ScriptError { line, what: what.to_owned() }), "{script}");
    };
    f("\nbogus", 2, "invalid command \"bogus\"");
    f("load", 1, "invalid step definition \"\": empty duration string");
    f("load_x 1m", 1, "invalid load command. (load[_with_nhcb] <step:duration>)");
    f("load 1m\n m 1y1", 2, "bad series value \"1y1\"");
    f("eval instant up", 1, "invalid evaluation command: expected \"at\", found \"up\"");
    f("eval instant at 1m", 1, "invalid evaluation command: no query");
    f(
        "eval sometimes at 1m up",
        1,
        "invalid evaluation command: neither instant nor range: \"sometimes\"",
    );
    f("eval_x instant at 1m up", 1, "invalid evaluation command \"eval_x\"");
    f(
        "eval range from 2m to 1m step 1m up",
        1,
        "invalid test definition, end timestamp is before start timestamp",
    );
    f("eval instant at 1m up\n expect bogus", 2, "invalid expected error/annotation type bogus");
    f(
        "eval instant at 1m up\n expect warn loudly",
        2,
        "invalid expect statement \"warn loudly\": must be `expect <type> <match_type>: <string>`",
    );
    f(
        "eval instant at 1m up\n expect fail\n expect fail",
        3,
        "invalid expect lines, multiple expect fail lines are not allowed",
    );
    f(
        "eval instant at 1m up\n expect warn\n expect no_warn",
        3,
        "invalid expect lines, warn and no_warn cannot be used together",
    );
    f("eval instant at 1m up\n up", 2, "no values for up");
    assert!(
        Script::parse("eval instant at 1m up\n up 1 2")
            .is_err_and(|e| e.what.starts_with("expecting multiple values"))
    );
    assert!(
        Script::parse("eval instant at 1m up\n expect warn regex: (")
            .is_err_and(|e| e.what.starts_with("invalid regex ("))
    );
}

#[test]
fn loads_may_begin_at_any_time() {
    let script = Script::parse_from("load 1m\n m 1 2", Millis(5_000)).expect("script");
    let [Command::Load(load)] = &script.commands[..] else { panic!("one load") };
    let times: Vec<_> = load.series[0].samples.iter().map(|s| s.timestamp.0).collect();
    assert_eq!(times, [5_000, 65_000]);
    assert!(Histogram::default().same_data(&Histogram::default()));
}

proptest! {
    #[test]
    fn no_script_panics(text in "((load|eval|clear|expect|instant|range|from|at|1m|m|1x3|_|\\{\\{\\}\\}|@st|\\{|\"|\\n) ?){0,12}") {
        if let Ok(script) = Script::parse(&text) {
            prop_assert!(script.commands.len() <= text.lines().count());
        }
    }
}
