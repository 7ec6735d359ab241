//! Golden scripts of our own, in a language like that of promqltest:
//!
//! ```text
//! load {app="api"}                  lines of a stream, each with its time from the epoch
//!   10s plain text
//!   20s {trace="t1"} text with structured metadata
//! eval instant at 1m EXPR           one `{labels} value` a series, in any order
//! eval range from 0s to 2m step 1m EXPR
//!                                   one `{labels} value value …` a series; `_` is nothing
//! eval logs from 0s to 1m [forward] [limit 2] [interval 10s] EXPR
//!                                   one `time {labels} text` a line, in order
//! expect fail TEXT                  behind an eval: it fails with a message that holds the text
//! ```
//!
//! `#` starts a comment at the beginning of a line. Streams start anew with each file.

use std::{path::Path, sync::Arc};

use masthead_logql::{Answer, Engine, Params};
use masthead_model::{Labels, Nanos, PromDuration, format_exact};
use masthead_ports::{
    Direction, LogBatch, LogRow, LogSink as _, LogStream, QueryCtx, QueryLimits,
    testing::MemoryLogStore,
};
use masthead_sysio::SimClock;

fn nanos(text: &str) -> i64 {
    PromDuration::parse(text).expect("a duration").as_millis() * 1_000_000
}

/// The label set at the start of a text, and what follows it.
fn labels(text: &str) -> (Labels, &str) {
    let end = text.find('}').expect("a label set") + 1;
    (text[..end].parse().expect("labels"), text[end..].trim_start())
}

fn shown(labels: &Labels) -> String {
    let pairs: Vec<String> =
        labels.iter().map(|l| format!("{}={}", l.name, masthead_model::quote(l.value))).collect();
    format!("{{{}}}", pairs.join(", "))
}

fn load(store: &MemoryLogStore, stream: &str, body: &[&str]) {
    let rows = body.iter().map(|line| {
        let (at, rest) = line.trim_start().split_once(' ').expect("a time and a line");
        let (metadata, text) = if rest.starts_with('{') && !rest.starts_with("{\"") {
            labels(rest)
        } else {
            (Labels::default(), rest)
        };
        LogRow {
            timestamp: Nanos(nanos(at)),
            line: text.as_bytes().to_vec().into(),
            structured_metadata: metadata,
        }
    });
    let stream = LogStream { labels: labels(stream).0, rows: rows.collect() };
    let batch = LogBatch { streams: vec![stream], progress: Vec::new() };
    store.append(&batch).expect("appended");
}

/// Reads `from 0s to 1m limit 2 …` up to the query.
fn parameters(mut text: &str) -> (Params, &str) {
    let mut params = Params { limit: 100, ..Params::instant(Nanos(0)) };
    loop {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        let (value, after) = rest.split_once(' ').unwrap_or((rest, ""));
        match word {
            "at" => (params.start, params.end) = (Nanos(nanos(value)), Nanos(nanos(value))),
            "from" => params.start = Nanos(nanos(value)),
            "to" => params.end = Nanos(nanos(value)),
            "step" => params.step = nanos(value),
            "interval" => params.interval = nanos(value),
            "limit" => params.limit = value.parse().expect("a limit"),
            "forward" => {
                params.direction = Direction::Forward;
                text = rest;
                continue;
            }
            _ => return (params, text),
        }
        text = after;
    }
}

fn answer(
    engine: &Engine,
    store: &MemoryLogStore,
    query: &str,
    params: &Params,
) -> Result<Vec<String>, String> {
    let ctx = QueryCtx::new(Arc::new(SimClock::default()), QueryLimits::default());
    let expr = masthead_logql::parse(query).map_err(|error| error.to_string())?;
    let answer = engine.query(&ctx, store, &expr, params).map_err(|error| error.to_string())?;
    let mut lines: Vec<String> = match answer {
        Answer::Scalar(value, _) => vec![format_exact(value)],
        Answer::Vector(samples) => samples
            .iter()
            .map(|sample| format!("{} {}", shown(&sample.labels), format_exact(sample.value)))
            .collect(),
        Answer::Matrix(series) => series
            .iter()
            .map(|series| {
                let mut text = shown(&series.labels);
                let mut at = params.start.0;
                while at <= params.end.0 {
                    let point = series.points.iter().find(|(time, _)| time.0 == at);
                    text.push(' ');
                    text.push_str(&point.map_or("_".to_owned(), |(_, value)| format_exact(*value)));
                    at += params.step;
                }
                text
            })
            .collect(),
        Answer::Streams(found) => {
            let line = |entry: &masthead_logql::LineEntry| {
                let pairs: Vec<String> = found.labels[entry.labels]
                    .all()
                    .into_iter()
                    .map(|(name, value)| format!("{name}={}", masthead_model::quote_bytes(value)))
                    .collect();
                let seconds = entry.at.0 / 1_000_000_000;
                format!(
                    "{seconds}s {{{}}} {}",
                    pairs.join(", "),
                    String::from_utf8_lossy(&entry.text)
                )
            };
            return Ok(found.entries.iter().map(line).collect());
        }
    };
    if !query.starts_with("sort") {
        lines.sort();
    }
    Ok(lines)
}

/// Whether two lines are the same, but for the last digits of numbers.
fn agrees(got: &str, want: &str) -> bool {
    let mut words = got.split(' ').zip(want.split(' '));
    got.split(' ').count() == want.split(' ').count()
        && words.all(|(got, want)| match (got.parse::<f64>(), want.parse::<f64>()) {
            (Ok(got), Ok(want)) => masthead_model::nearly_equal(got, want, 1e-12),
            _ => got == want,
        })
}

/// Runs a script; says what failed.
fn run(script: &str) -> Vec<String> {
    let store = MemoryLogStore::default();
    let engine = Engine::default();
    let lines: Vec<&str> =
        script.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()).collect();
    let mut failures = Vec::new();
    let mut rest = lines.as_slice();
    while let Some((command, after)) = rest.split_first() {
        let body = after.iter().take_while(|line| line.starts_with("  ")).count();
        let (body, next) = after.split_at(body);
        rest = next;
        if let Some(stream) = command.strip_prefix("load ") {
            load(&store, stream, body);
            continue;
        }
        let eval = command.strip_prefix("eval ").expect("a command");
        let (kind, written) = eval.split_once(' ').expect("parameters");
        let (mut params, query) = parameters(written);
        if kind == "logs" {
            params.step = 1;
        }
        let got = answer(&engine, &store, query, &params);
        let expected_failure = rest.first().and_then(|line| line.strip_prefix("expect fail "));
        if let Some(text) = expected_failure {
            rest = rest.get(1..).unwrap_or_default();
            if !got.as_ref().is_err_and(|error| error.contains(text)) {
                failures.push(format!("{command}\n  wanted to fail with {text:?}, got {got:?}"));
            }
            continue;
        }
        let mut want: Vec<&str> = body.iter().map(|line| line.trim()).collect();
        if kind != "logs" && !query.starts_with("sort") {
            want.sort_unstable();
        }
        let same = got.as_ref().is_ok_and(|got| {
            got.len() == want.len() && got.iter().zip(&want).all(|(got, want)| agrees(got, want))
        });
        if !same {
            failures.push(format!("{command}\n  want {want:#?}\n  got {got:#?}"));
        }
    }
    failures
}

#[test]
#[expect(clippy::disallowed_methods, reason = "tests read their scripts from the real disk")]
fn own_scripts_pass() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder of scripts")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    let mut failures = Vec::new();
    for path in paths {
        let script = std::fs::read_to_string(&path).expect("a script");
        failures.extend(run(&script).into_iter().map(|why| format!("{}: {why}", path.display())));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
