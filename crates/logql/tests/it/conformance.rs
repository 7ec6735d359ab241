//! The shared golden cases, where they are at hand: answers of a real Loki.
use serde_json::Value;
use std::path::PathBuf;

fn folder() -> Option<PathBuf> {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance/logql");
    let path =
        if path.exists() { path } else { std::env::var_os("CONFORMANCE").map(PathBuf::from)? };
    path.join("corpus.json").exists().then_some(path)
}

fn cases() -> Vec<Value> {
    let Some(folder) = folder() else { return Vec::new() };
    let mut paths: Vec<_> = std::fs::read_dir(folder.join("golden"))
        .expect("golden")
        .map(|e| e.expect("e").path())
        .collect();
    paths.sort();
    paths
        .into_iter()
        .flat_map(|p| {
            let text = std::fs::read_to_string(p).expect("text");
            let value: Value = serde_json::from_str(&text).expect("json");
            value["cases"].as_array().expect("cases").clone()
        })
        .collect()
}

fn param<'a>(case: &'a Value, name: &str) -> Option<&'a str> {
    case["params"].as_array()?.iter().find(|p| p[0] == name).and_then(|p| p[1].as_str())
}

#[test]
fn parse_errors_are_lokis() {
    let (mut bad, mut n) = (0, 0);
    for case in cases() {
        let path = case["path"].as_str().unwrap_or("");
        if !(path.ends_with("/query")
            || path.ends_with("/query_range")
            || path.ends_with("format_query"))
            || path.contains("prom")
        {
            continue;
        }
        let Some(query) = param(&case, "query") else { continue };
        let text = case["expect"]["text"].as_str().unwrap_or("").trim_end_matches('\n');
        let got = masthead_logql::parse(query);
        let expected = text
            .starts_with("parse error")
            .then(|| text.to_owned())
            .or_else(|| case["expect"]["body"]["error"].as_str().map(str::to_owned));
        n += 1;
        match (&got, &expected) {
            (Ok(expr), None) => {
                if path.ends_with("format_query") {
                    let want = case["expect"]["body"]["data"].as_str().unwrap_or("");
                    let got = masthead_logql::pretty(expr);
                    if got != want {
                        bad += 1;
                        println!("{}: {query}\n  want {want}\n  got  {got}", case["id"]);
                    }
                }
                let printed = expr.to_string();
                match masthead_logql::parse(&printed) {
                    Ok(again) if again.to_string() == printed => {}
                    other => {
                        bad += 1;
                        println!("{}: {query}\n  printed {printed}\n  {other:?}", case["id"]);
                    }
                }
            }
            (Err(e), Some(want)) if e.to_string() == *want => {}
            _ => {
                bad += 1;
                println!(
                    "{}: {query}\n  want {expected:?}\n  got  {:?}",
                    case["id"],
                    got.as_ref().map(|e| e.to_string()).map_err(|e| e.to_string())
                );
            }
        }
    }
    println!("{bad} of {n}");
    assert_eq!(bad, 0);
}
