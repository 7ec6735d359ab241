//! The actions, row by row; the cases are those of upstream's `relabel_test.go`.

use proptest::prelude::*;

use super::*;

fn rules(json: &str) -> Vec<Rule> {
    let configs: Vec<RelabelConfig> = serde_json::from_str(json).expect(json);
    configs.into_iter().map(|c| Rule::new(c, NameScheme::Utf8).expect(json)).collect()
}

/// Labels in Prometheus' text form; `None` when the set is dropped.
fn relabel(labels: &str, json: &str) -> Option<String> {
    let mut builder = labels.parse::<Labels>().expect(labels).to_builder();
    process(&mut builder, &rules(json)).then(|| builder.build().to_string())
}

fn f(labels: &str, json: &str, want: Option<&str>) {
    let want = want.map(|w| w.parse::<Labels>().expect(w).to_string());
    assert_eq!(relabel(labels, json), want, "{labels} {json}");
}

#[test]
fn replace() {
    let abc = r#"{a="foo",b="bar",c="baz"}"#;
    f(
        abc,
        r#"[{"source_labels":["a"],"regex":"f(.*)","target_label":"d","replacement":"ch${1}-ch${1}"}]"#,
        Some(r#"{a="foo",b="bar",c="baz",d="choo-choo"}"#),
    );
    f(
        abc,
        r#"[{"source_labels":["a","b"],"regex":"f(.*);(.*)r","target_label":"a","replacement":"b${1}${2}m"},
            {"source_labels":["c","a"],"regex":"(b).*b(.*)ba(.*)","target_label":"d","replacement":"$1$2$2$3"}]"#,
        Some(r#"{a="boobam",b="bar",c="baz",d="boooom"}"#),
    );
    f(
        r#"{a="boo"}"#,
        r#"[{"source_labels":["a"],"regex":"f","target_label":"b","replacement":"bar"}]"#,
        Some(r#"{a="boo"}"#),
    );
    f(r#"{a="x"}"#, r#"[{"target_label":"b","replacement":"y"}]"#, Some(r#"{a="x",b="y"}"#));
    f(r#"{a="x",b="y"}"#, r#"[{"target_label":"b","replacement":""}]"#, Some(r#"{a="x"}"#));
    f(r#"{a="x",b="y"}"#, r#"[{"source_labels":["c"],"target_label":"b"}]"#, Some(r#"{a="x"}"#));
    f(
        r#"{a="x\ny"}"#,
        r#"[{"source_labels":["a"],"target_label":"b"}]"#,
        Some(r#"{a="x\ny",b="x\ny"}"#),
    );
    // An explicit empty separator and an explicit empty pattern are not the defaults.
    f(
        r#"{a="1",b="2"}"#,
        r#"[{"source_labels":["a","b"],"separator":"","target_label":"c"}]"#,
        Some(r#"{a="1",b="2",c="12"}"#),
    );
    f(
        r#"{a="1"}"#,
        r#"[{"source_labels":["a"],"regex":"","target_label":"c","replacement":"z"}]"#,
        Some(r#"{a="1"}"#),
    );
}

#[test]
fn replace_writes_to_the_label_that_the_match_names() {
    let some = r#"[{"source_labels":["a"],"regex":"some-([^-]+)-([^,]+)","replacement":"REPL","target_label":"TARGET"}]"#;
    let rule = |replacement: &str, target: &str| {
        some.replace("REPL", replacement).replace("TARGET", target)
    };
    let labels = r#"{a="some-name-value"}"#;
    f(labels, &rule("${2}", "${1}"), Some(r#"{a="some-name-value",name="value"}"#));
    f(labels, &rule("${3}", "${1}"), Some(labels));
    f(labels, &rule("${1}", "${3}"), Some(labels));
    f(
        r#"{__meta_sd_tags="path:/secret,job:some-job,label:foo=bar"}"#,
        r#"[{"source_labels":["__meta_sd_tags"],"regex":"(?:.+,|^)path:(/[^,]+).*","target_label":"__metrics_path__","replacement":"${1}"},
            {"source_labels":["__meta_sd_tags"],"regex":"(?:.+,|^)job:([^,]+).*","target_label":"job","replacement":"${1}"},
            {"source_labels":["__meta_sd_tags"],"regex":"(?:.+,|^)label:([^=]+)=([^,]+).*","target_label":"${1}","replacement":"${2}"}]"#,
        Some(
            r#"{__meta_sd_tags="path:/secret,job:some-job,label:foo=bar",__metrics_path__="/secret",job="some-job",foo="bar"}"#,
        ),
    );
    // A name that older Prometheus refuses is skipped under the legacy scheme only.
    let config = RelabelConfig {
        source_labels: Some(vec!["a".into()]),
        target_label: "${1}".into(),
        ..RelabelConfig::default()
    };
    for (scheme, want) in [(NameScheme::Utf8, Some("b-c")), (NameScheme::Legacy, None)] {
        let rule = Rule::new(config.clone(), scheme).expect("valid");
        let mut labels = LabelsBuilder::default();
        labels.set("a", "b-c");
        assert!(process(&mut labels, &[rule]));
        assert_eq!(labels.get("b-c"), want);
    }
}

#[test]
fn keep_and_drop() {
    let foo = r#"{a="foo"}"#;
    let rule = |action: &str, regex: &str| {
        format!(r#"[{{"source_labels":["a"],"regex":"{regex}","action":"{action}"}}]"#)
    };
    f(foo, &rule("drop", ".*o.*"), None);
    f(foo, &rule("drop", "no-match"), Some(foo));
    f(foo, &rule("drop", "f|o"), Some(foo));
    f(foo, &rule("keep", "no-match"), None);
    f(foo, &rule("keep", "f.*"), Some(foo));
    let ports = r#"{__tmp_port="1234",__port1="1234",__port2="5678"}"#;
    let rule = |action: &str, target: &str| {
        format!(
            r#"[{{"source_labels":["__tmp_port"],"action":"{action}","target_label":"{target}"}}]"#
        )
    };
    f(ports, &rule("keepequal", "__port1"), Some(ports));
    f(ports, &rule("dropequal", "__port1"), None);
    f(ports, &rule("dropequal", "__port2"), Some(ports));
    f(ports, &rule("keepequal", "__port2"), None);
}

#[test]
fn rules_after_the_one_that_drops_are_not_applied() {
    let mut labels = r#"{a="foo"}"#.parse::<Labels>().expect("labels").to_builder();
    let rules = rules(
        r#"[{"source_labels":["a"],"regex":"foo","action":"drop"},{"target_label":"d","replacement":"x"}]"#,
    );
    assert!(!process(&mut labels, &rules));
    assert_eq!(labels.get("d"), None);
}

#[test]
fn hashmod() {
    let rule = |label: &str, modulus: u64| {
        format!(
            r#"[{{"source_labels":["{label}"],"target_label":"d","action":"hashmod","modulus":{modulus}}}]"#
        )
    };
    f(r#"{c="baz"}"#, &rule("c", 1000), Some(r#"{c="baz",d="976"}"#));
    f(r#"{a="foo\nbar"}"#, &rule("a", 1000), Some(r#"{a="foo\nbar",d="734"}"#));
    f(r#"{a="foo\nbar"}"#, &rule("a", 1), Some(r#"{a="foo\nbar",d="0"}"#));
}

#[test]
fn labels_are_mapped_dropped_and_kept_by_name() {
    let labels = r#"{a="foo",b1="bar",b2="baz"}"#;
    f(
        labels,
        r#"[{"regex":"(b.*)","replacement":"bar_${1}","action":"labelmap"}]"#,
        Some(r#"{a="foo",b1="bar",b2="baz",bar_b1="bar",bar_b2="baz"}"#),
    );
    f(
        r#"{a="foo",__meta_my_bar="aaa",__meta_my_baz="bbb",__meta_other="ccc"}"#,
        r#"[{"regex":"__meta_(my.*)","replacement":"${1}","action":"labelmap"}]"#,
        Some(
            r#"{a="foo",__meta_my_bar="aaa",__meta_my_baz="bbb",__meta_other="ccc",my_bar="aaa",my_baz="bbb"}"#,
        ),
    );
    f(labels, r#"[{"regex":"(b.*)","action":"labelkeep"}]"#, Some(r#"{b1="bar",b2="baz"}"#));
    f(labels, r#"[{"regex":"(b.*)","action":"labeldrop"}]"#, Some(r#"{a="foo"}"#));
}

#[test]
fn letter_case() {
    f(
        r#"{foo="bAr123Foo"}"#,
        r#"[{"source_labels":["foo"],"action":"uppercase","target_label":"up"},
            {"source_labels":["foo"],"action":"lowercase","target_label":"low"}]"#,
        Some(r#"{foo="bAr123Foo",low="bar123foo",up="BAR123FOO"}"#),
    );
    // Letter by letter, as Go does it.
    assert_eq!(upper("straße ŉ"), "STRAßE ŉ");
    assert_eq!(lower("ΑΣ İ"), "ασ i");
}

proptest! {
    #[test]
    fn no_template_or_value_panics(
        value in ".{0,12}",
        regex in "(\\(\\.\\*\\)|a|\\.|\\[ab\\]\\+){1,3}",
        target in "[a$1{}_é]{1,6}",
        replacement in "[a$1{}_é]{0,6}",
    ) {
        let config = RelabelConfig {
            source_labels: Some(vec!["a".into()]),
            regex: Some(regex),
            target_label: target,
            replacement: Some(replacement),
            ..RelabelConfig::default()
        };
        if let Ok(rule) = Rule::new(config, NameScheme::Utf8) {
            let mut labels = LabelsBuilder::default();
            labels.set("a", &value);
            prop_assert!(process(&mut labels, &[rule]));
            prop_assert!(labels.iter().all(|l| !l.name.is_empty() && !l.value.is_empty()));
        }
    }
}
