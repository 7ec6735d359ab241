//! Runs `tests/golden/*.http` and `tests/golden/loki/*.http`: each request in order against a fresh
//! server for each file.
//!
//! A case is a title, a request, and the answer that it must get:
//!
//! ```text
//! ### title
//! GET /api/v1/query
//! Header: value
//! ? name=a parameter of the URL, not yet escaped
//! & name=a parameter of the form, not yet escaped
//! | a line of the body
//! --- 200
//! content-type: application/json
//! {"status":"success"}
//! ```
//!
//! With `UPDATE=1` in the environment the answers are written anew, for a human to read the diff.

use std::{fmt::Write as _, path::Path};

use axum::{
    body::Body,
    http::{Request, header},
};

use crate::fixture::{Answer, Server, Setup, call, server};

/// Headers that scripts show when an answer has them.
const SHOWN: [&str; 8] = [
    "content-type",
    "retry-after",
    "access-control-allow-origin",
    "x-prometheus-stopping",
    "x-prometheus-remote-write-written-samples",
    "x-prometheus-remote-write-written-histograms",
    "x-prometheus-remote-write-written-exemplars",
    "content-encoding",
];

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "scripts are files of the crate, and rewritten")]
async fn golden_scripts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let folders = [folder.join("loki"), folder];
    let update = std::env::var("UPDATE").is_ok();
    let mut failures = String::new();
    let mut paths: Vec<_> = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).expect("the folder is there"))
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "http"))
        .collect();
    paths.sort();
    assert!(paths.len() >= 13, "scripts are missing from {folders:?}");
    for path in paths {
        let script = std::fs::read_to_string(&path).expect("readable");
        let admin_enabled = !script.contains("# admin off\n");
        let server = server(Setup { admin_enabled, ..Setup::default() });
        let now = run(&server, &script).await;
        if now == script {
            continue;
        }
        if update {
            std::fs::write(&path, &now).expect("writable");
        }
        describe(&mut failures, &path, &script, &now);
    }
    assert!(update || failures.is_empty(), "{failures}");
}

fn describe(failures: &mut String, path: &Path, want: &str, got: &str) {
    let pairs = want.lines().zip(got.lines()).enumerate();
    let first = pairs.into_iter().find(|(_, (want, got))| want != got);
    let (line, (want, got)) = first.unwrap_or((0, ("another length", "")));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    writeln!(failures, "{name}:{}:\n  want {want}\n  got  {got}", line + 1).expect("writes");
}

/// The script with the answers that were given.
async fn run(server: &Server, script: &str) -> String {
    let mut out = String::new();
    let mut cases = script.split("### ");
    out.push_str(cases.next().unwrap_or(""));
    for case in cases {
        let (question, _) = case.split_once("\n--- ").unwrap_or((case.trim_end(), ""));
        let answer = call(&server.router, request(question)).await;
        writeln!(out, "### {question}\n{}", show(&answer)).expect("writes");
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn request(question: &str) -> Request<Body> {
    let mut lines = question.lines().skip(1);
    let (method, path) = lines.next().and_then(|l| l.split_once(' ')).expect("METHOD PATH");
    let mut uri = path.to_owned();
    let (mut form, mut body) = (String::new(), String::new());
    let mut builder = Request::builder().method(method);
    for line in lines {
        let pair = |text: &str| {
            let (name, value) = text.split_once('=').expect("name=value");
            let mut pair = form_urlencoded::Serializer::new(String::new());
            pair.append_pair(name, value).finish()
        };
        if let Some(text) = line.strip_prefix("? ") {
            uri.push(if uri.contains('?') { '&' } else { '?' });
            uri.push_str(&pair(text));
        } else if let Some(text) = line.strip_prefix("& ") {
            form.push_str(if form.is_empty() { "" } else { "&" });
            form.push_str(&pair(text));
        } else if let Some(text) = line.strip_prefix("| ") {
            body.push_str(if body.is_empty() { "" } else { "\n" });
            body.push_str(text);
        } else {
            let (name, value) = line.split_once(": ").expect("Header: value");
            builder = builder.header(name, value);
        }
    }
    if !form.is_empty() {
        builder = builder.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    }
    let body = if form.is_empty() { body } else { form };
    builder.uri(uri).body(Body::from(body)).expect("a valid request")
}

fn show(answer: &Answer) -> String {
    let mut out = format!("--- {}\n", answer.status.as_u16());
    for name in SHOWN {
        if let Some(value) = answer.header(name) {
            writeln!(out, "{name}: {value}").expect("writes");
        }
    }
    let body = answer.text();
    if !body.is_empty() {
        out.push_str(body.trim_end());
        out.push('\n');
    }
    out
}
