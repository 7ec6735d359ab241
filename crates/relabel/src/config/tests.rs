//! Defaults and refusals, row by row.

use super::*;
use crate::Rule;

fn compile(json: &str, scheme: NameScheme) -> Result<(), String> {
    let config: RelabelConfig = serde_json::from_str(json).map_err(|e| e.to_string())?;
    Rule::new(config, scheme).map(drop).map_err(|e| e.to_string())
}

#[test]
fn refusals_are_upstreams() {
    let f = |json: &str, want: &str| {
        let error = compile(json, NameScheme::Legacy).expect_err(json);
        assert!(error.starts_with(want), "{json}: {error}");
    };
    f("{}", "relabel configuration for replace action requires 'target_label' value");
    f(
        r#"{"action":"lowercase"}"#,
        "relabel configuration for lowercase action requires 'target_label' value",
    );
    f(
        r#"{"action":"lowercase","target_label":"${3}"}"#,
        r#""${3}" is invalid 'target_label' for lowercase action"#,
    );
    f(r#"{"target_label":"0${3}"}"#, r#""0${3}" is invalid 'target_label' for replace action"#);
    f(r#"{"target_label":"-${3}"}"#, r#""-${3}" is invalid 'target_label' for replace action"#);
    f(r#"{"target_label":"a-b"}"#, r#""a-b" is invalid 'target_label' for replace action"#);
    f(
        r#"{"action":"hashmod","target_label":"a"}"#,
        "relabel configuration for hashmod requires non-zero modulus",
    );
    f(
        r#"{"action":"hashmod","target_label":"a-b","modulus":3}"#,
        r#""a-b" is invalid 'target_label' for hashmod action"#,
    );
    f(
        r#"{"action":"uppercase","target_label":"a","replacement":"x"}"#,
        "'replacement' can not be set for uppercase action",
    );
    f(
        r#"{"action":"keepequal","target_label":"a","replacement":"x"}"#,
        "'replacement' can not be set for keepequal action",
    );
    f(
        r#"{"action":"labelmap","replacement":"a-b"}"#,
        r#""a-b" is invalid 'replacement' for labelmap action"#,
    );
    let only =
        "dropequal action requires only 'source_labels' and `target_label`, and no other fields";
    f(r#"{"action":"dropequal","target_label":"a","regex":"(.*)"}"#, only);
    f(r#"{"action":"dropequal","target_label":"a","modulus":8}"#, only);
    f(r#"{"action":"dropequal","target_label":"a","separator":","}"#, only);
    let only = "labeldrop action requires only 'regex', and no other fields";
    f(r#"{"action":"labeldrop","source_labels":["a"]}"#, only);
    f(r#"{"action":"labeldrop","target_label":"a"}"#, only);
    f(r#"{"action":"labeldrop","modulus":8}"#, only);
    f(r#"{"action":"labeldrop","separator":","}"#, only);
    f(r#"{"action":"labeldrop","replacement":"x"}"#, only);
    f(r#"{"action":"nope"}"#, r#"unknown relabel action "nope""#);
    f(r#"{"regex":"a("}"#, "error parsing regexp: missing closing ): `");
    f(r#"{"target_label":"a","source_labels":[""]}"#, r#""" is not a valid label name"#);
    f(r#"{"target":"a"}"#, "unknown field `target`");
}

#[test]
fn what_upstream_accepts_is_accepted() {
    let f = |json: &str| assert_eq!(compile(json, NameScheme::Legacy), Ok(()), "{json}");
    f(r#"{"target_label":"${3}","regex":"some-([^-]+)-([^,]+)","replacement":"${1}"}"#);
    f(r#"{"action":"KEEP","source_labels":["a"]}"#);
    f(r#"{"action":"LabelDrop","regex":"x"}"#);
    f(r#"{"action":"dropequal","source_labels":["a"],"target_label":"b"}"#);
    f(r#"{"target_label":"b","regex":null}"#);
    // Any text names a label there, and a dollar sign in it stands for a group.
    assert_eq!(compile(r#"{"target_label":"a-b"}"#, NameScheme::Utf8), Ok(()));
    assert_eq!(
        compile(r#"{"action":"labelmap","replacement":"a-${1}"}"#, NameScheme::Utf8),
        Ok(())
    );
}

#[test]
fn what_was_not_written_is_not_shown() {
    let json = r#"{"source_labels":["a","b"],"separator":"","regex":"x","target_label":"c","replacement":"","action":"replace"}"#;
    let config: RelabelConfig = serde_json::from_str(json).expect("valid");
    assert_eq!(serde_json::to_string(&config).expect("plain"), json);
    let config = RelabelConfig { action: Action::LabelKeep, ..RelabelConfig::default() };
    assert_eq!(serde_json::to_string(&config).expect("plain"), r#"{"action":"labelkeep"}"#);
}
