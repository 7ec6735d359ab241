//! Groups on a store in memory and a clock that stands where the test says.

use std::sync::Arc;

use masthead_ports::{QueryLimits, SampleSource, testing::MemoryStore};
use masthead_promql::{Engine, EngineOptions, Features};
use masthead_sysio::SimClock;

use super::*;
use crate::{Language, SampleRules, parse_file};

struct Bench {
    store: Arc<MemoryStore>,
    rules: SampleRules,
    clock: SimClock,
    counts: Counts,
}

impl Bench {
    fn new() -> Self {
        let store = Arc::new(MemoryStore::default());
        let clock = SimClock::default();
        let rules = SampleRules {
            engine: Engine::new(EngineOptions::default()),
            source: Arc::clone(&store) as Arc<dyn SampleSource>,
            clock: Arc::new(clock.clone()),
            limits: QueryLimits::default(),
            ending: Arc::default(),
        };
        Self { store, rules, clock, counts: Counts::default() }
    }

    fn put(&self, series: &str, at: i64, value: f64) {
        let labels = series.parse().expect("labels");
        let rows = vec![AppendRow::float(labels, Millis(at * 60_000), value)];
        self.store
            .append(&mut AppendBatch { rows, ..AppendBatch::default() })
            .expect("memory takes it");
    }

    fn evaluate(&self, group: &mut Group, at: i64) -> Vec<Notification> {
        let world = World {
            querier: &self.rules,
            sink: &*self.store,
            clock: &self.clock,
            external_labels: &Labels::default(),
            external_url: "http://me",
            resend_delay: Duration::from_mins(1),
            counts: &self.counts,
        };
        group.evaluate(&world, Millis(at * 60_000))
    }

    /// What an expression gives, as `labels value` in the order of the labels.
    fn ask(&self, expr: &str, at: i64) -> String {
        let found = self.rules.instant(expr, Millis(at * 60_000)).expect(expr);
        let mut shown: Vec<_> = found
            .into_iter()
            .map(|sample| match sample.value {
                Value::Float(value) => format!("{} {value}", sample.labels),
                Value::Histogram(_) => sample.labels.to_string(),
            })
            .collect();
        shown.sort();
        shown.join(" ")
    }
}

fn group(rules: &str) -> Group {
    let text = format!("groups: [{{name: g, rules: [{rules}]}}]");
    let mut groups = parse_file(&text, "f", Language::Promql, Features::STABLE).expect("valid");
    let spec = Arc::new(groups.pop().expect("one"));
    Group::new(spec, Duration::from_mins(1), Duration::ZERO, true)
}

#[test]
fn a_rule_sees_what_the_one_before_it_recorded() {
    let bench = Bench::new();
    bench.put(r#"up{job="a",i="1"}"#, 0, 1.0);
    bench.put(r#"up{job="a",i="2"}"#, 0, 3.0);
    let mut group =
        group("{record: s, expr: sum by (job) (up), labels: {k: v}}, {record: d, expr: s * 2}");
    assert!(bench.evaluate(&mut group, 0).is_empty());
    assert_eq!(bench.ask("s", 0), r#"{__name__="s", job="a", k="v"} 4"#);
    assert_eq!(bench.ask("d", 0), r#"{__name__="d", job="a", k="v"} 8"#);
    let view = group.view();
    assert!(view.rules.iter().all(|rule| rule.health == RuleHealth::Ok));
    assert_eq!(view.last_evaluation, Some(Millis(0)));
    assert_eq!(group.last_samples(), 2);
}

#[test]
fn series_that_are_no_longer_made_end_at_once() {
    let bench = Bench::new();
    bench.put(r#"up{i="1"}"#, 0, 1.0);
    bench.put(r#"up{i="2"}"#, 0, 1.0);
    let mut group = group("{record: r, expr: up}");
    bench.evaluate(&mut group, 0);
    bench.put(r#"up{i="1"}"#, 1, 1.0);
    bench.put(r#"up{i="2"}"#, 1, masthead_model::stale_nan());
    bench.evaluate(&mut group, 1);
    assert_eq!(bench.ask("r", 1), r#"{__name__="r", i="1"} 1"#);
    // Without a marker it would be seen for five minutes.
    assert_eq!(bench.ask("count(r)", 0), "{} 2");
}

#[test]
fn alerts_are_told_with_texts_and_series() {
    let bench = Bench::new();
    let mut group = group(
        "{alert: Down, expr: up == 0, for: 1m, labels: {severity: page, job: '{{ $labels.job }}!'}, \
         annotations: {summary: '{{ $labels.i }} is {{ $value }}'}}",
    );
    for at in 0..5 {
        let up = if at < 3 { 0.0 } else { 1.0 };
        bench.put(r#"up{job="a",i="1"}"#, at, up);
    }
    assert!(bench.evaluate(&mut group, 0).is_empty());
    let labels = r#"alertname="Down", "#;
    let rest = r#"i="1", job="a!", severity="page"}"#;
    assert_eq!(
        bench.ask("ALERTS", 0),
        format!(r#"{{__name__="ALERTS", {labels}alertstate="pending", {rest} 1"#)
    );
    let told = bench.evaluate(&mut group, 1);
    let [one] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(one.labels.to_string(), format!("{{{labels}{rest}"));
    assert_eq!(one.annotations.to_string(), r#"{summary="1 is 0"}"#);
    assert_eq!((one.starts_at, one.ends_at), (Millis(60_000), Millis(300_000)));
    assert_eq!(one.expr, "up == 0");
    // The series of the old state has ended.
    assert_eq!(
        bench.ask("ALERTS", 1),
        format!(r#"{{__name__="ALERTS", {labels}alertstate="firing", {rest} 1"#)
    );
    assert_eq!(
        bench.ask("ALERTS_FOR_STATE", 1),
        format!(r#"{{__name__="ALERTS_FOR_STATE", {labels}{rest} 0"#)
    );
    bench.evaluate(&mut group, 2);
    let told = bench.evaluate(&mut group, 3);
    assert_eq!(told.iter().map(|one| one.ends_at).collect::<Vec<_>>(), [Millis(180_000)]);
    assert_eq!(bench.ask("ALERTS", 3), "");
}

#[test]
fn what_goes_wrong_is_the_rules_health_and_leaves_its_series() {
    let bench = Bench::new();
    bench.put(r#"up{i="1"}"#, 0, 1.0);
    let mut one = group("{record: r, expr: up}, {record: x, expr: up * on(i) group_left(k) y}");
    bench.evaluate(&mut one, 0);
    bench.put(r#"y{i="1",k="1"}"#, 0, 1.0);
    bench.put(r#"y{i="1",k="2"}"#, 0, 1.0);
    bench.evaluate(&mut one, 1);
    let rules = one.view().rules;
    assert_eq!((rules[0].health, rules[1].health), (RuleHealth::Ok, RuleHealth::Err));
    assert!(rules[1].last_error.contains("found duplicate series"), "{}", rules[1].last_error);
    assert_eq!(bench.counts.failures.load(Ordering::Relaxed), 1);

    let f = |rule: &str, want: &str| {
        let mut group = group(rule);
        bench.evaluate(&mut group, 1);
        assert_eq!(group.view().rules[0].last_error, want, "{rule}");
    };
    f(
        "{record: z, expr: 'y', labels: {k: one}}",
        "vector contains metrics with the same labelset after applying rule labels",
    );
    f(
        "{alert: A, expr: 'y', labels: {k: one}}",
        "vector contains metrics with the same labelset after applying alert labels",
    );
    // Somebody else has another value at that instant.
    bench.put("taken{}", 1, 7.0);
    f("{record: taken, expr: vector(1)}", "duplicate sample for timestamp");
}

#[test]
fn the_limit_of_a_group_holds_for_each_rule() {
    let bench = Bench::new();
    bench.put(r#"up{i="1"}"#, 0, 1.0);
    bench.put(r#"up{i="2"}"#, 0, 1.0);
    let text =
        "groups: [{name: g, limit: 1, rules: [{record: r, expr: up}, {alert: A, expr: up}]}]";
    let mut specs = parse_file(text, "f", Language::Promql, Features::STABLE).expect("valid");
    let spec = Arc::new(specs.pop().expect("one"));
    let mut group = Group::new(spec, Duration::from_mins(1), Duration::ZERO, true);
    bench.evaluate(&mut group, 0);
    let errors: Vec<_> = group.view().rules.into_iter().map(|rule| rule.last_error).collect();
    assert_eq!(errors, ["exceeded limit of 1 with 2 series", "exceeded limit of 1 with 2 alerts"]);
    assert_eq!(bench.ask("r", 0), "");
}

#[test]
fn a_changed_group_keeps_its_alerts_and_ends_the_series_of_rules_that_are_gone() {
    let bench = Bench::new();
    bench.put(r#"up{i="1"}"#, 0, 0.0);
    let mut old = group("{record: gone, expr: up}, {alert: A, expr: up == 0, for: 2m}");
    bench.evaluate(&mut old, 0);
    assert_eq!(bench.ask("gone", 0), r#"{__name__="gone", i="1"} 0"#);
    let mut new = group("{alert: A, expr: up < 1, for: 2m}, {record: fresh, expr: up}");
    new.inherit(old);
    bench.evaluate(&mut new, 2);
    assert_eq!(bench.ask("gone", 2), "");
    assert_eq!(bench.ask("fresh", 2), r#"{__name__="fresh", i="1"} 0"#);
    // It has held since minute 0, not since the change.
    assert!(bench.ask("ALERTS", 2).contains("firing"), "{}", bench.ask("ALERTS", 2));
}

#[test]
fn a_query_offset_moves_what_is_asked_and_what_is_written() {
    let bench = Bench::new();
    bench.put("x", 0, 1.0);
    bench.put("x", 2, 2.0);
    let text = "groups: [{name: g, query_offset: 2m, rules: [{record: r, expr: x}]}]";
    let mut specs = parse_file(text, "f", Language::Promql, Features::STABLE).expect("valid");
    let spec = Arc::new(specs.pop().expect("one"));
    let mut group = Group::new(spec, Duration::from_mins(1), Duration::ZERO, true);
    bench.evaluate(&mut group, 2);
    assert_eq!(bench.ask("r", 0), r#"{__name__="r"} 1"#);
}
