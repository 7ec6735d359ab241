//! `masthead check`: what it prints and how it ends.

use std::{path::Path, process::Command};

fn check(folder: &str, more: &[&str]) -> (Option<i32>, String, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata").join(folder);
    let output = Command::new(env!("CARGO_BIN_EXE_masthead"))
        .args(["check", "dashboards"])
        .arg(path)
        .args(more)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_folder_in_which_all_is_supported_ends_well() {
    let (code, out, err) = check("dashboards", &[]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.contains("legacy-16.json: Corpus: schema 16, 12 panels"), "{out}");
    assert!(out.lines().last().unwrap().ends_with("0 queries do not parse"), "{out}");
}

#[test]
fn what_is_not_supported_is_named_and_ends_with_one() {
    let (code, out, err) = check("dashboards-not-supported", &[]);
    assert_eq!(code, Some(1));
    assert!(out.contains("panel 1 \"Map of \\\"all\\\"\": panel type geomap"), "{out}");
    assert!(out.contains("query A: PromQL does not parse: 1:17: parse error:"), "{out}");
    assert!(err.contains("2 files could not be read"), "{err}");

    let (code, out, _) = check("dashboards-not-supported", &["--json"]);
    assert_eq!(code, Some(1));
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(answer["summary"]["errors"], 2);
    assert_eq!(answer["files"].as_array().unwrap().len(), 5);
}

#[test]
fn nothing_to_look_at_is_wrong_usage() {
    let (code, _, err) = check("no-such-folder", &[]);
    assert_eq!(code, Some(2));
    assert!(err.contains("no-such-folder"), "{err}");
    let (code, _, err) = check("format/v1/logs/journal", &[]);
    assert_eq!(code, Some(2));
    assert!(err.contains("no file that ends in .json"), "{err}");
}
