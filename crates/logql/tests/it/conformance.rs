//! The shared golden cases, where they are at hand: recorded answers of a real Loki, compared as
//! their own `check.py` compares, without HTTP between.
//!
//! They stand in `../shared/conformance/logql` beside the workspace, or where `CONFORMANCE` says.
//! What a server does with parameters before it asks the engine is done here only as far as the
//! cases need it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use masthead_logql::{Answer, Engine, EngineOptions, Error, Lines, Pair, Params, stages::level};
use masthead_model::{ErrorClass, Labels, Nanos, format_exact};
use masthead_ports::{
    Direction, LogBatch, LogRow, LogSink as _, LogStream, QueryCtx, QueryLimits,
    testing::MemoryLogStore,
};
use masthead_sysio::SimClock;
use serde_json::{Value, json};

#[expect(clippy::disallowed_methods, reason = "tests read the cases from the real disk")]
fn folder() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance/logql");
    let named = std::env::var_os("CONFORMANCE").map(PathBuf::from);
    [Some(beside), named].into_iter().flatten().find(|path| path.join("corpus.json").exists())
}

#[expect(clippy::disallowed_methods, reason = "tests read the cases from the real disk")]
fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).expect("a file of cases");
    serde_json::from_str(&text).expect("JSON")
}

#[expect(clippy::disallowed_methods, reason = "tests read the cases from the real disk")]
fn cases(folder: &Path) -> Vec<Value> {
    let entries = std::fs::read_dir(folder.join("golden")).expect("a folder of cases");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let of = |path: PathBuf| read(&path)["cases"].as_array().cloned().unwrap_or_default();
    paths.into_iter().flat_map(of).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

fn param<'c>(case: &'c Value, name: &str) -> Option<&'c str> {
    let params = case["params"].as_array()?;
    params.iter().find(|pair| pair[0] == name).map(|pair| text(&pair[1]))
}

/// Where Loki looks for the name of a service, if a stream has none.
const SERVICE_LABELS: [&str; 13] = [
    "service",
    "app",
    "application",
    "app_name",
    "name",
    "app_kubernetes_io_name",
    "container",
    "container_name",
    "k8s_container_name",
    "component",
    "workload",
    "job",
    "k8s_job_name",
];

/// A name of structured metadata as Loki stores it.
fn metadata_name(name: &str) -> String {
    let clean: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if clean.starts_with(|c: char| c.is_ascii_digit()) { format!("key_{clean}") } else { clean }
}

/// The corpus, as a push would have stored it.
fn store(folder: &Path) -> MemoryLogStore {
    let store = MemoryLogStore::default();
    let corpus = read(&folder.join("corpus.json"));
    for stream in corpus["streams"].as_array().expect("streams") {
        let given = stream["labels"].as_object().expect("labels");
        let mut labels: BTreeMap<&str, &str> =
            given.iter().map(|(name, value)| (name.as_str(), text(value))).collect();
        if !labels.contains_key("service_name") {
            let found = SERVICE_LABELS.iter().find_map(|name| labels.get(name).copied());
            labels.insert("service_name", found.unwrap_or("unknown_service"));
        }
        let labels: Labels = labels.into_iter().collect();
        let rows = stream["entries"].as_array().expect("entries").iter().map(|entry| {
            let line = text(&entry[1]).to_owned().into_bytes();
            let metadata = entry[2].as_object().into_iter().flatten();
            let metadata: Labels =
                metadata.map(|(name, value)| (metadata_name(name), text(value))).collect();
            let found = level::detect(&labels, &metadata, &line).into_owned();
            let mut metadata = metadata.to_builder();
            let metadata = metadata.set("detected_level", &found).build();
            let timestamp =
                entry[0].as_str().map_or_else(|| entry[0].as_i64(), |at| at.parse().ok());
            LogRow {
                timestamp: Nanos(timestamp.expect("a time")),
                line: line.into(),
                structured_metadata: metadata,
            }
        });
        let batch = LogBatch {
            streams: vec![LogStream { labels: labels.clone(), rows: rows.collect() }],
            progress: Vec::new(),
        };
        store.append(&batch).expect("appended");
    }
    store
}

fn time(written: &str) -> Option<i64> {
    match written.len() {
        0..=10 => Some(written.parse::<i64>().ok()? * 1_000_000_000),
        _ => written.parse().ok(),
    }
}

fn duration(written: &str) -> Option<i64> {
    if let Ok(seconds) = written.parse::<f64>() {
        #[expect(clippy::cast_possible_truncation, reason = "small")]
        return (seconds < 1e9).then_some((seconds * 1e9).round() as i64);
    }
    Some(masthead_model::PromDuration::parse(written).ok()?.as_millis() * 1_000_000)
}

/// What a server asks the engine for; nothing where it would have refused before.
fn params(case: &Value, is_metric: bool) -> Option<Params> {
    if text(&case["path"]).ends_with("/query") {
        return Some(Params::instant(Nanos(time(param(case, "time")?)?)));
    }
    let (mut start, mut end) = (time(param(case, "start")?)?, time(param(case, "end")?)?);
    let default = ((end - start) / 250_000_000_000).max(1) * 1_000_000_000;
    let step = param(case, "step").map_or(Some(default), duration)?;
    let is_too_long = text(&case["expect"]["text"]).contains("limit: 30d1h");
    if is_too_long || end < start || step <= 0 || (end - start) / step > 11_000 {
        return None;
    }
    if is_metric {
        start = start.div_euclid(step) * step;
        end = -((-end).div_euclid(step) * step);
    }
    let limit: i64 = param(case, "limit").map_or(Some(100), |limit| limit.parse().ok())?;
    if !(1..=5000).contains(&limit) {
        return None;
    }
    let direction = match param(case, "direction").unwrap_or("backward") {
        "forward" | "FORWARD" => Direction::Forward,
        "backward" | "BACKWARD" => Direction::Backward,
        _ => return None,
    };
    let interval = param(case, "interval").map_or(Some(0), duration)?;
    let limit = usize::try_from(limit).ok()?;
    Some(Params { start: Nanos(start), end: Nanos(end), step, interval, limit, direction })
}

fn pairs<'p>(pairs: impl IntoIterator<Item = &'p Pair>) -> Value {
    let lossy = |(name, value): &Pair| {
        (name.to_string(), Value::from(String::from_utf8_lossy(value).into_owned()))
    };
    Value::Object(pairs.into_iter().map(lossy).collect())
}

fn streams(lines: &Lines, categorized: bool) -> Value {
    let entry = |entry: &masthead_logql::LineEntry| {
        let text = String::from_utf8_lossy(&entry.text).into_owned();
        let mut values = vec![json!(entry.at.to_string()), json!(text)];
        if categorized {
            let labels = &lines.labels[entry.labels];
            let mut groups = serde_json::Map::new();
            for (name, group) in
                [("structuredMetadata", &labels.metadata), ("parsed", &labels.parsed)]
            {
                if !group.is_empty() {
                    groups.insert(name.to_owned(), pairs(group));
                }
            }
            values.push(Value::Object(groups));
        }
        Value::Array(values)
    };
    let stream = |labels: Value, entries: Vec<&masthead_logql::LineEntry>| json!({"stream": labels, "values": entries.into_iter().map(entry).collect::<Vec<_>>()});
    if categorized {
        lines
            .by_stream()
            .into_iter()
            .map(|(labels, entries)| stream(pairs(labels), entries))
            .collect()
    } else {
        lines
            .by_labels()
            .into_iter()
            .map(|(labels, entries)| stream(pairs(labels), entries))
            .collect()
    }
}

fn labels(labels: &Labels) -> Value {
    Value::Object(labels.iter().map(|l| (l.name.to_owned(), Value::from(l.value))).collect())
}

#[expect(clippy::cast_precision_loss, reason = "as a server prints times")]
fn seconds(at: Nanos) -> f64 {
    at.to_millis_floor().0 as f64 / 1000.0
}

fn shown(answer: &Answer, categorized: bool) -> (&'static str, Value) {
    match answer {
        Answer::Streams(lines) => ("streams", streams(lines, categorized)),
        Answer::Scalar(value, at) => {
            ("scalar", json!([at.to_millis_floor().0, format_exact(*value)]))
        }
        Answer::Vector(samples) => {
            let sample = |sample: &masthead_logql::Sample| json!({"metric": labels(&sample.labels), "value": [seconds(sample.at), format_exact(sample.value)]});
            ("vector", samples.iter().map(sample).collect())
        }
        Answer::Matrix(series) => {
            let one = |series: &masthead_logql::Series| {
                let points: Vec<_> = series
                    .points
                    .iter()
                    .map(|(at, value)| json!([seconds(*at), format_exact(*value)]))
                    .collect();
                json!({"metric": labels(&series.labels), "values": points})
            };
            ("matrix", series.iter().map(one).collect())
        }
    }
}

/// Whether two values agree: samples within a billionth, everything else exactly.
fn agrees(want: &Value, got: &Value, relative: f64) -> bool {
    match (want, got) {
        (Value::Array(want), Value::Array(got)) => {
            want.len() == got.len() && want.iter().zip(got).all(|(w, g)| agrees(w, g, relative))
        }
        (Value::Object(want), Value::Object(got)) => {
            want.len() == got.len()
                && want.iter().all(|(key, w)| got.get(key).is_some_and(|g| agrees(w, g, relative)))
        }
        (Value::Number(want), Value::Number(got)) => {
            (want.as_f64().unwrap_or(0.0) - got.as_f64().unwrap_or(1.0)).abs() < 5e-4
        }
        (Value::String(want), Value::String(got)) if want != got => {
            let number = |text: &str| text.parse::<f64>().ok();
            match (number(want), number(got)) {
                (Some(w), Some(g)) if w.is_nan() || g.is_nan() => w.is_nan() && g.is_nan(),
                (Some(w), Some(g)) => (w - g).abs() <= (relative * w.abs().max(g.abs())).max(1e-12),
                _ => false,
            }
        }
        (want, got) => want == got,
    }
}

/// Series sorted by labels, entries of one instant sorted where their order is open; details of
/// errors hidden, whose words are not compared.
fn normal(mut result: Value, options: &Value) -> Value {
    let ordered = options["ordered"] == json!(true);
    let ties = options["ties"] == json!(true);
    if let Some(series) = result.as_array_mut().filter(|s| s.iter().all(Value::is_object)) {
        for one in series.iter_mut() {
            if let Some(details) = one.pointer_mut("/stream/__error_details__") {
                *details = json!("<details>");
            }
            let Some(values) = one["values"].as_array_mut() else { continue };
            for value in values.iter_mut() {
                if let Some(details) = value.pointer_mut("/2/parsed/__error_details__") {
                    *details = json!("<details>");
                }
            }
            if ties {
                values.sort_by_key(|value| (text(&value[0]).to_owned(), value.to_string()));
            }
        }
        let mut joined: Vec<Value> = Vec::new();
        for one in std::mem::take(series) {
            let same = joined.iter_mut().find(|other| {
                !one["stream"].is_null()
                    && one["stream"]["__error_details__"] == json!("<details>")
                    && other["stream"] == one["stream"]
            });
            match same {
                Some(other) => {
                    let more = one["values"].as_array().cloned().unwrap_or_default();
                    if let Some(values) = other["values"].as_array_mut() {
                        values.extend(more);
                        values.sort_by_key(ToString::to_string);
                    }
                }
                None => joined.push(one),
            }
        }
        for one in &mut joined {
            if one["stream"]["__error_details__"] == json!("<details>")
                && let Some(values) = one["values"].as_array_mut()
            {
                values.sort_by_key(ToString::to_string);
            }
        }
        *series = joined;
        if !ordered {
            series.sort_by_key(|one| {
                let labels = if one["stream"].is_null() { &one["metric"] } else { &one["stream"] };
                (labels.to_string(), one.to_string())
            });
        }
    }
    result
}

fn status(error: &Error) -> i64 {
    match error.class() {
        ErrorClass::Unexecutable => 500,
        _ => 400,
    }
}

/// Which of several failing series is named is arbitrary.
fn scrubbed(text: &str) -> String {
    let text = text.trim_end();
    if text.starts_with("pipeline error:") { "pipeline error".to_owned() } else { text.to_owned() }
}

/// What is wrong with the engine's answer to a case; `None` also where the case is not the
/// engine's business.
fn judge(engine: &Engine, store: &MemoryLogStore, case: &Value) -> Option<String> {
    let path = text(&case["path"]);
    let is_query = ["/loki/api/v1/query", "/loki/api/v1/query_range"].contains(&path);
    let is_query = is_query && text(&case["method"]) != "PUT";
    let query = param(case, "query").filter(|_| is_query && case["marked"].is_null())?;
    let (want, wanted) = (&case["expect"], case["expect"]["status"].as_i64()?);
    let text_of = |value: &Value| scrubbed(text(&value["text"]));
    let expr = match masthead_logql::parse(query) {
        Ok(expr) => expr,
        Err(error) => {
            let got = error.to_string();
            return (wanted != 400 || got.trim_end() != text_of(want))
                .then(|| format!("parse: {got}"));
        }
    };
    let is_metric = matches!(expr, masthead_logql::ast::Expr::Metric(_));
    let params = params(case, is_metric)?;
    let ctx = QueryCtx::new(Arc::new(SimClock::default()), QueryLimits::default());
    let answer = match engine.query(&ctx, store, &expr, &params) {
        Ok(answer) => answer,
        Err(error) => {
            let got = scrubbed(&error.to_string());
            let right = wanted == status(&error) && got == text_of(want);
            return (!right).then(|| format!("{}: {got}", status(&error)));
        }
    };
    if wanted != 200 {
        return Some("no error".to_owned());
    }
    if case["opts"]["status_only"] == json!(true) {
        return None;
    }
    let flags = text(&case["headers"]["X-Loki-Response-Encoding-Flags"]);
    let (kind, got) = shown(&answer, flags.contains("categorize-labels"));
    let data = &want["body"]["data"];
    if text(&data["resultType"]) != kind {
        return Some(format!("result type {kind}"));
    }
    let (want, got) = (normal(data["result"].clone(), &case["opts"]), normal(got, &case["opts"]));
    let relative = case["opts"]["rel"].as_f64().unwrap_or(1e-9);
    (!agrees(&want, &got, relative)).then(|| format!("want {want:.1200}\n    got  {got:.1200}"))
}

#[test]
fn answers_are_lokis() {
    let Some(folder) = folder() else { return };
    let store = store(&folder);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("threads");
    let options = EngineOptions { pool: Some(Arc::new(pool)), ..EngineOptions::default() };
    let engine = Engine::new(options);
    let cases = cases(&folder);
    let mut failed = 0;
    for case in &cases {
        if let Some(why) = judge(&engine, &store, case) {
            failed += 1;
            let query = param(case, "query").unwrap_or("");
            println!("{}: {query}\n    {why:.3000}", text(&case["id"]));
        }
    }
    println!("{failed} of {} cases failed", cases.len());
    assert!(!cases.is_empty() && failed == 0, "see the list above");
}

#[test]
fn format_query_is_lokis() {
    let Some(folder) = folder() else { return };
    for case in cases(&folder).iter().filter(|case| text(&case["path"]).ends_with("/format_query"))
    {
        let (query, want) = (param(case, "query").unwrap_or(""), &case["expect"]["body"]);
        let got = masthead_logql::parse(query).map(|expr| masthead_logql::pretty(&expr));
        match got {
            Ok(got) => assert_eq!(Value::from(got), want["data"], "{query}"),
            Err(error) => assert_eq!(Value::from(error.to_string()), want["error"], "{query}"),
        }
    }
}
