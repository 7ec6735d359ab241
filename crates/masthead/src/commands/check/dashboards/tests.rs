//! The walk against the files that the browser application's own tests read
//! (`web/src/dashboard/schema/corpus.test.ts`), so that both say the same.
#![expect(clippy::disallowed_methods, reason = "tests read files")]

use std::{collections::HashMap, fs, path::Path};

use serde_json::Value;

use super::{
    file::{Report, inspect},
    sources::Kind,
    variables::{Chosen, Scope},
};

fn testdata(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata").join(path)
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn reports(folder: &str) -> Vec<(String, Report)> {
    let files = fs::read_dir(testdata(folder)).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    paths
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), inspect(&json(&path))))
        .collect()
}

#[test]
fn everything_in_the_corpus_is_supported_and_parses() {
    let reports = reports("dashboards");
    assert!(reports.len() > 30, "{} files", reports.len());
    for (name, report) in reports {
        assert_eq!(report.unsupported, [], "{name}");
        assert_eq!(report.broken, [], "{name}");
        assert!(report.is_dashboard() && report.panels > 0, "{name}");
    }
}

#[test]
fn the_dashboards_that_ship_are_supported_and_parse() {
    for (name, text) in masthead_web_assets::dashboards() {
        let report = inspect(&serde_json::from_str(&text).unwrap());
        assert_eq!(report.unsupported, [], "{name}");
        assert_eq!(report.broken, [], "{name}");
        assert!(report.queries > 5, "{name}: {}", report.queries);
    }
}

#[test]
fn what_is_not_supported_is_named_as_in_the_application() {
    let expected = &json(&testdata("dashboards-expected.json"))["notSupported"];
    let reports = reports("dashboards-not-supported");
    assert_eq!(reports.len(), expected.as_object().unwrap().len());
    for (name, report) in reports {
        let expected = &expected[&name];
        if !report.is_dashboard() {
            assert_eq!(report.error.as_deref(), expected["error"].as_str(), "{name}");
            assert_eq!(report.skipped.as_deref(), expected["skipped"].as_str(), "{name}");
            continue;
        }
        let mut unsupported: Vec<String> =
            report.unsupported.iter().map(|one| format!("{}: {}", one.place, one.what)).collect();
        unsupported.sort();
        assert_eq!(Value::from(unsupported), expected["unsupported"], "{name}");
        let broken: Vec<String> =
            report.broken.iter().map(|one| format!("{}: {}", one.place, one.language)).collect();
        assert_eq!(Value::from(broken), expected["broken"], "{name}");
    }
}

#[test]
fn variables_are_written_as_in_the_application() {
    let expected = &json(&testdata("dashboards-expected.json"))["interpolation"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let values: HashMap<String, Chosen> = expected["values"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| {
            let chosen = match value.as_array() {
                Some(values) => Chosen::Many(values.iter().map(text).collect()),
                None => Chosen::One(text(value)),
            };
            (name.clone(), chosen)
        })
        .collect();
    let scope = Scope::from_values(values);
    for row in expected["rows"].as_array().unwrap() {
        let language = match row[1].as_str().unwrap() {
            "prometheus" => Kind::Prometheus,
            "loki" => Kind::Loki,
            _ => Kind::Unknown,
        };
        let template = text(&row[0]);
        assert_eq!(scope.write(&template, language), text(&row[2]), "{template} {language:?}");
    }
}

#[test]
fn nothing_in_a_file_makes_the_walk_fail() {
    // Every part of a file that is something else than it should be.
    let odd = [Value::Null, true.into(), 1.into(), "x".into(), Value::Array(vec![1.into()])];
    let whole = json(&testdata("dashboards-not-supported/parts.json"));
    let mut places = Vec::new();
    pointers(&whole, "", &mut places);
    assert!(places.len() > 100);
    for (at, place) in places.iter().enumerate() {
        let mut json = whole.clone();
        *json.pointer_mut(place).unwrap() = odd[at % odd.len()].clone();
        drop(inspect(&json));
    }
}

fn pointers(of: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    let escape = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match of {
        Value::Object(members) => {
            for (key, value) in members {
                pointers(value, &format!("{at}/{}", escape(key)), found);
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                pointers(value, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}
