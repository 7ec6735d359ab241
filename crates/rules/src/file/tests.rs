//! What is read and what is refused, in upstream's words.

use super::*;

fn parse(text: &str) -> Result<Vec<GroupSpec>, Vec<FileError>> {
    parse_file(text, "f.yml", Language::Promql, Features::STABLE)
}

#[test]
fn a_file_is_read_with_defaults_and_labels_of_its_group() {
    let text = "
groups:
- name: g
  interval: 30s
  query_offset: 1m
  limit: 10
  labels: {team: a, tier: x}
  rules:
  - record: job:up:sum
    expr: sum  by(job)(up)
    labels: {tier: y}
  - alert: Down
    expr: |
      up == 0
    for: 5m
    keep_firing_for: 1h
    annotations: {summary: '{{ $labels.job }}'}
- name: empty
";
    let groups = parse(text).expect("valid");
    let [group, empty] = groups.as_slice() else { panic!("{groups:?}") };
    assert_eq!((group.name.as_str(), &*group.file, group.limit), ("g", "f.yml", 10));
    assert_eq!(group.interval, Some(Duration::from_secs(30)));
    assert_eq!(group.query_offset, Some(Duration::from_mins(1)));
    let [record, alert] = group.rules.as_slice() else { panic!("{group:?}") };
    assert_eq!((record.name.as_str(), record.expr.as_str()), ("job:up:sum", "sum by (job) (up)"));
    let labels: Vec<_> = record.labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(labels, ["team=a", "tier=y"]);
    let RuleKind::Alerting { hold, keep_firing, annotations } = &alert.kind else { panic!() };
    assert_eq!((*hold, *keep_firing), (Duration::from_mins(5), Duration::from_hours(1)));
    assert_eq!((alert.expr.as_str(), annotations.len()), ("up == 0", 1));
    assert_eq!((empty.rules.len(), empty.interval), (0, None));
    assert_eq!(parse("").expect("nothing is fine").len(), 0);
}

#[test]
fn everything_that_is_wrong_is_told_with_its_place() {
    let f = |rule: &str, want: &[&str]| {
        let text = format!("groups:\n- name: g\n  rules:\n  - {rule}\n");
        let shown: Vec<_> = parse(&text).expect_err(rule).iter().map(ToString::to_string).collect();
        assert_eq!(shown, want, "{rule}");
    };
    f(
        "{record: a, alert: b, expr: up}",
        &[r#"f.yml: 4:14: group "g", rule 1, "b": only one of 'record' and 'alert' must be set"#],
    );
    f(
        "{expr: up}",
        &[r#"f.yml: 4:5: group "g", rule 1, "": one of 'record' or 'alert' must be set"#],
    );
    f("{record: a}", &[r#"f.yml: 4:5: group "g", rule 1, "a": field 'expr' must be set in rule"#]);
    f(
        "{record: a, expr: 'sum('}",
        &[
            r#"f.yml: 4:23: group "g", rule 1, "a": could not parse expression: 1:5: parse error: unclosed left parenthesis"#,
        ],
    );
    f(
        "{record: a, expr: 'up[5m]'}",
        &[
            r#"f.yml: 4:23: group "g", rule 1, "a": could not parse expression: rule result is not a vector or scalar"#,
        ],
    );
    f(
        "{record: a, expr: up, for: 1m, keep_firing_for: 1m, annotations: {x: y}}",
        &[
            r#"f.yml: 4:14: group "g", rule 1, "a": invalid field 'annotations' in recording rule"#,
            r#"f.yml: 4:14: group "g", rule 1, "a": invalid field 'for' in recording rule"#,
            r#"f.yml: 4:14: group "g", rule 1, "a": invalid field 'keep_firing_for' in recording rule"#,
        ],
    );
    f(
        "{record: 'up{}', expr: up}",
        &[
            r#"f.yml: 4:14: group "g", rule 1, "up{}": braces present in the recording rule name; should it be in expr?: up{}"#,
        ],
    );
    f(
        "{record: a, expr: up, labels: {__name__: b}}",
        &[r#"f.yml: 4:5: group "g", rule 1, "a": invalid label name: __name__"#],
    );
    f(
        "{alert: A, expr: up, annotations: {d: '{{ $label }}'}}",
        &[
            r#"f.yml: 4:13: group "g", rule 1, "A": annotation "d": template: __alert_A:1: undefined variable "$label""#,
        ],
    );
    f(
        "{alert: A, expr: up, fro: 5m}",
        &[
            "f.yml: 4:26: groups[0].rules[0].fro: unknown field `fro`, expected one of record, alert, expr, for, keep_firing_for, labels, annotations",
        ],
    );
}

#[test]
fn names_of_groups_are_there_and_distinct() {
    let f = |text: &str, want: &str| {
        let errors = parse(text).expect_err(text);
        assert!(errors[0].to_string().contains(want), "{text}: {errors:?}");
    };
    f("groups: [{rules: []}]", "Groupname must not be empty");
    f("groups: [{name: a}, {name: a}]", "groupname: \"a\" is repeated in the same file");
    f("groups: [{name: a, interval: x}]", "groups[0].interval: not a valid duration string: \"x\"");
    f("groups: {a: b}", "groups: ");
}

#[test]
fn rules_over_lines_are_logql_that_gives_numbers() {
    let parse = |expr: &str| {
        let text =
            format!("namespace: n\ngroups: [{{name: g, rules: [{{alert: A, expr: '{expr}'}}]}}]");
        parse_file(&text, "f.yml", Language::Logql, Features::STABLE)
            .map(|groups| groups[0].rules[0].expr.clone())
            .map_err(|errors| errors[0].to_string())
    };
    assert_eq!(
        parse(r#"sum by (app)(rate({app="x"} |= "e" [5m])) > 1"#).as_deref(),
        Ok(r#"(sum by (app)(rate({app="x"} |= "e"[5m])) > 1)"#)
    );
    let lines = parse(r#"{app="x"}"#).expect_err("lines");
    assert!(lines.contains("this expression gives lines"), "{lines}");
    assert!(parse("up == ").is_err());
}
