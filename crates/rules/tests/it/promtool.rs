//! Tests of rules, run here and by promtool where it is installed: both must say the same.

use std::process::Command;

use masthead_promql::Features;
use masthead_rules::{Language, duplicates, parse_file, run_unit_tests};

const RULES: &str = "
groups:
- name: first
  rules:
  - record: job:up:sum
    expr: sum by (job) (up)
- name: second
  rules:
  - alert: Down
    expr: job:up:sum == 0
    for: 5m
    labels: {severity: page}
    annotations:
      summary: '{{ $labels.job }} has {{ $value | humanize }} of {{ query \"count(up)\" | first | value }}'
      where: '{{ $externalLabels.zone }} {{ $externalURL }}'
  - alert: Many
    expr: up > 0
";

const TESTS: &str = "
rule_files: [rules.yml]
evaluation_interval: 1m
group_eval_order: [first, second]
tests:
- name: one
  interval: 1m
  external_labels: {zone: eu}
  external_url: http://me
  input_series:
  - {series: 'up{job=\"a\",i=\"1\"}', values: '1 1 0x20'}
  - {series: 'up{job=\"b\",i=\"1\"}', values: '1+1x20 _ stale 5'}
  alert_rule_test:
  - eval_time: 6m
    alertname: Down
  - eval_time: 7m30s
    alertname: Down
    exp_alerts:
    - exp_labels: {job: a, severity: page}
      exp_annotations: {summary: 'a has 0 of 2', where: 'eu http://me'}
  - eval_time: 1m
    alertname: Many
    exp_alerts:
    - {exp_labels: {job: a, i: '1'}}
    - {exp_labels: {job: b, i: '1'}}
  promql_expr_test:
  - expr: job:up:sum
    eval_time: 3m
    exp_samples:
    - {labels: 'job:up:sum{job=\"b\"}', value: 4}
    - {labels: 'job:up:sum{job=\"a\"}', value: 0}
  - {expr: 'vector(0.5) + 1', eval_time: 0, exp_samples: [{labels: '{}', value: 1.5}]}
  - {expr: 'count_over_time(ALERTS{alertname=\"Down\"}[5m])', eval_time: 5m, exp_samples: [{labels: '{alertname=\"Down\", alertstate=\"pending\", job=\"a\", severity=\"page\"}', value: 4}]}
";

const WRONG: &str = "
rule_files: [rules.yml]
tests:
- interval: 1m
  name: wrong
  input_series: [{series: 'up{job=\"a\",i=\"1\"}', values: '0x20'}]
  alert_rule_test:
  - {eval_time: 10m, alertname: Down, exp_alerts: [{exp_labels: {job: z}}, {exp_labels: {job: y}, exp_annotations: {a: b}}]}
  - {eval_time: 10m, alertname: Many, exp_alerts: [{exp_labels: {job: z}}]}
  promql_expr_test:
  - {expr: 'up', eval_time: 3m, exp_samples: [{labels: '{job=\"q\"}', value: 12.5}]}
  - {expr: 'up + 1', eval_time: 0}
  - {expr: 'sum(', eval_time: 1h30m}
";

/// Our failures, as `masthead test rules` prints them.
fn ours(tests: &str) -> String {
    let mut find = |pattern: &str| {
        assert_eq!(pattern, "rules.yml");
        Ok(vec![(pattern.to_owned(), RULES.to_owned())])
    };
    let report = run_unit_tests(tests, Features::ALL, &mut find);
    assert!(report.warnings.is_empty(), "{report:?}");
    report.failures.join("\n")
}

/// What promtool says on stderr without its headline; nothing if it is not installed.
fn theirs(tests: &str) -> Option<String> {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("rules.yml"), RULES).expect("writable");
    std::fs::write(dir.path().join("tests.yml"), tests).expect("writable");
    let done = Command::new("promtool")
        .args(["test", "rules", "tests.yml"])
        .current_dir(dir.path())
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    let said = said.trim_start_matches("  FAILED:\n").trim_end().to_owned();
    assert_eq!(done.status.success(), said.is_empty(), "{said}");
    Some(said)
}

#[test]
fn good_tests_pass_here_and_there() {
    assert_eq!(ours(TESTS), "");
    if let Some(said) = theirs(TESTS) {
        assert_eq!(said, "");
    }
}

#[test]
fn bad_tests_fail_with_the_same_words() {
    let said = ours(WRONG);
    assert!(said.contains("alertname: Down, time: 10m"), "{said}");
    if let Some(theirs) = theirs(WRONG) {
        assert_eq!(said, theirs);
    }
}

#[test]
fn a_rule_that_fails_ends_its_test() {
    let rules = "groups: [{name: g, rules: [{record: r, expr: up, labels: {i: x}}]}]";
    let tests = "
rule_files: [r.yml]
tests:
- input_series: [{series: 'up{i=\"1\"}', values: '1'}, {series: 'up{i=\"2\"}', values: '1'}]
  promql_expr_test: [{expr: r, eval_time: 5m}]
";
    let mut find = |_: &str| Ok(vec![("r.yml".to_owned(), rules.to_owned())]);
    let report = run_unit_tests(tests, Features::ALL, &mut find);
    let want = "    rule: r, time: 0s, err: vector contains metrics with the same labelset after \
                applying rule labels";
    assert_eq!(report.failures, [want]);
}

#[test]
fn rules_over_lines_are_tested_the_same_way() {
    let rules = r#"
groups:
- name: g
  rules:
  - record: app:errors:rate1m
    expr: sum by (app) (count_over_time({app="api"} | logfmt | level="error" [1m]))
  - alert: Errors
    expr: sum by (app) (count_over_time({app="api"} |= "level=error" [1m])) > 5
    annotations: {summary: '{{ $value }} errors in {{ $labels.app }}'}
"#;
    let tests = r#"
log_rule_files: [logs.yml]
tests:
- input_streams:
  - stream: '{app="api"}'
    lines:
    - {at: 10s, line: 'level=error n=%d', times: 10}
    - {at: 70s, line: 'level=info n=%d', times: 10}
  alert_rule_test:
  - {eval_time: 1m, alertname: Errors, exp_alerts: [{exp_labels: {app: api}, exp_annotations: {summary: 10 errors in api}}]}
  - {eval_time: 2m, alertname: Errors}
  promql_expr_test:
  - {expr: 'app:errors:rate1m', eval_time: 1m, exp_samples: [{labels: 'app:errors:rate1m{app="api"}', value: 10}]}
  logql_expr_test:
  - {expr: 'sum(count_over_time({app="api"}[5m]))', eval_time: 2m, exp_samples: [{labels: '{}', value: 20}]}
"#;
    let mut find = |name: &str| Ok(vec![(name.to_owned(), rules.to_owned())]);
    let report = run_unit_tests(tests, Features::ALL, &mut find);
    assert_eq!(report.failures, Vec::<String>::new());
}

#[test]
fn what_a_test_file_gets_wrong_is_said() {
    let f = |tests: &str, want: &str| {
        let mut find = |name: &str| match name {
            "none.yml" => Ok(Vec::new()),
            name => Ok(vec![(name.to_owned(), RULES.to_owned())]),
        };
        let report = run_unit_tests(tests, Features::ALL, &mut find);
        let said = format!("{report:?}");
        assert!(said.contains(want), "{tests}: {said}");
    };
    f("tests: [{nam: x}]", "tests[0].nam: unknown field");
    f("rule_files: [none.yml]", "no file match pattern none.yml");
    f("group_eval_order: [a, a]", "group name repeated in evaluation order: a");
    f("tests: [{alert_rule_test: [{eval_time: 1m}]}]", "misses required attribute alertname");
    f("tests: [{input_series: [{series: 'up{', values: '1'}]}]", "input_series up{");
    f(
        "evaluation_interval: 1ms\ntests: [{promql_expr_test: [{expr: '1', eval_time: 1d}]}]",
        "more than 100000",
    );
}

#[test]
fn duplicates_are_found_by_kind_name_and_labels() {
    let text = "
groups:
- {name: a, rules: [{record: r, expr: '1'}, {record: r, expr: '2'}, {record: r, expr: '3', labels: {a: b}}]}
- {name: b, rules: [{record: r, expr: '2'}, {alert: r, expr: '2'}]}
";
    let groups = parse_file(text, "f", Language::Promql, Features::STABLE).expect("valid");
    let found = duplicates(&groups);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].name.as_str(), found[0].count), ("r", 3));
}
