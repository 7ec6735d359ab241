//! `web/src/api/generated.ts`: the shapes of answers as TypeScript, made from the types here.
//!
//! Our own answers are structs, and their types are derived from them. What the APIs of Prometheus
//! and Loki answer is written value by value elsewhere, so it is described here a second time; that
//! description is held to the golden answers of `tests/golden/`, which must fit it without a key left
//! over. `UPDATE=1 cargo test -p masthead-http-api typescript` writes the file, and without it the
//! test compares.
#![expect(dead_code, reason = "the shapes are read by serde and ts-rs alone")]
#![expect(clippy::disallowed_methods, reason = "tests read and write files of the repository")]

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use ts_rs::{Config, TS};

use crate::{auth, dashboards, discovery, prometheus::status, queries};

/// A label set.
#[derive(Deserialize, TS)]
#[ts(type = "Readonly<Record<string, string>>")]
struct LabelSet(BTreeMap<String, String>);

/// Around every answer of the Prometheus API.
#[derive(Deserialize, TS)]
#[serde(deny_unknown_fields)]
struct Envelope<T> {
    #[ts(type = "'success'")]
    status: String,
    data: T,
    #[serde(default)]
    #[ts(optional)]
    warnings: Option<Vec<String>>,
    #[serde(default)]
    #[ts(optional)]
    infos: Option<Vec<String>>,
}

#[derive(Deserialize, TS)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ErrorAnswer {
    #[ts(type = "'error'")]
    status: String,
    error_type: String,
    error: String,
}

/// Seconds since 1970, and a number as text.
#[derive(Deserialize, TS)]
#[ts(type = "readonly [seconds: number, value: string]")]
struct Point(f64, String);

#[derive(Deserialize, TS)]
#[serde(deny_unknown_fields)]
struct HistogramValue {
    count: String,
    sum: String,
    #[serde(default)]
    #[ts(optional, type = "ReadonlyArray<readonly [number, string, string, string]>")]
    buckets: Option<Vec<(u8, String, String, String)>>,
}

#[derive(Deserialize, TS)]
#[ts(type = "readonly [seconds: number, value: HistogramValue]")]
struct HistogramPoint(f64, HistogramValue);

#[derive(Deserialize, TS)]
#[serde(deny_unknown_fields)]
struct Series {
    metric: LabelSet,
    #[serde(default)]
    #[ts(optional)]
    value: Option<Point>,
    #[serde(default)]
    #[ts(optional)]
    values: Option<Vec<Point>>,
    #[serde(default)]
    #[ts(optional)]
    histogram: Option<HistogramPoint>,
    #[serde(default)]
    #[ts(optional)]
    histograms: Option<Vec<HistogramPoint>>,
}

#[derive(Deserialize, TS)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum PrometheusData {
    Vector(Vec<Series>),
    Matrix(Vec<Series>),
    Scalar(Point),
    String(Point),
}

#[derive(Deserialize, TS)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the keys are upstream's")]
struct Targets {
    active_targets: Vec<ActiveTarget>,
    dropped_targets: Vec<DroppedTarget>,
    dropped_target_counts: Option<BTreeMap<String, u64>>,
}

#[derive(Deserialize, TS)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ActiveTarget {
    discovered_labels: LabelSet,
    labels: LabelSet,
    scrape_pool: String,
    scrape_url: String,
    global_url: String,
    last_error: String,
    last_scrape: String,
    last_scrape_duration: f64,
    #[ts(type = "'up' | 'down' | 'unknown'")]
    health: String,
    scrape_interval: String,
    scrape_timeout: String,
}

#[derive(Deserialize, TS)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct DroppedTarget {
    discovered_labels: LabelSet,
    scrape_pool: String,
}

/// One rule of a relabelling and the labels after it; the last one says why a target was left out.
#[derive(Deserialize, TS)]
#[serde(deny_unknown_fields)]
struct RelabelStep {
    #[ts(type = "Readonly<Record<string, unknown>>")]
    rule: Value,
    output: LabelSet,
    keep: bool,
}

#[derive(Deserialize, TS)]
#[serde(deny_unknown_fields)]
struct RelabelSteps {
    steps: Vec<RelabelStep>,
}

/// What a metric is, as its exporter says.
#[derive(Deserialize, TS)]
#[serde(deny_unknown_fields)]
struct Metadata {
    r#type: String,
    help: String,
    unit: String,
}

#[derive(Deserialize, TS)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ExemplarSeries {
    series_labels: LabelSet,
    exemplars: Vec<ExemplarPoint>,
}

#[derive(Deserialize, TS)]
#[serde(deny_unknown_fields)]
struct ExemplarPoint {
    labels: LabelSet,
    value: String,
    /// Seconds since 1970.
    timestamp: f64,
}

#[derive(Deserialize, TS)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RuleGroups {
    groups: Vec<RuleGroup>,
    #[serde(default)]
    #[ts(optional)]
    group_next_token: Option<String>,
}

#[derive(Deserialize, TS)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RuleGroup {
    name: String,
    file: String,
    rules: Vec<Rule>,
    interval: f64,
    limit: u64,
    evaluation_time: f64,
    last_evaluation: String,
}

/// What only an alerting rule has is optional.
#[derive(Deserialize, TS)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Rule {
    #[ts(type = "'alerting' | 'recording'")]
    r#type: String,
    name: String,
    query: String,
    labels: LabelSet,
    #[ts(type = "'ok' | 'err' | 'unknown'")]
    health: String,
    #[serde(default)]
    #[ts(optional)]
    last_error: Option<String>,
    evaluation_time: f64,
    last_evaluation: String,
    #[serde(default)]
    #[ts(optional, type = "'firing' | 'pending' | 'inactive' | 'unknown'")]
    state: Option<String>,
    #[serde(default)]
    #[ts(optional)]
    duration: Option<f64>,
    #[serde(default)]
    #[ts(optional)]
    keep_firing_for: Option<f64>,
    #[serde(default)]
    #[ts(optional)]
    annotations: Option<LabelSet>,
    #[serde(default)]
    #[ts(optional)]
    alerts: Option<Vec<Alert>>,
}

#[derive(Deserialize, TS)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Alert {
    labels: LabelSet,
    annotations: LabelSet,
    #[ts(type = "'firing' | 'pending' | 'inactive' | 'unknown'")]
    state: String,
    #[serde(default)]
    #[ts(optional)]
    active_at: Option<String>,
    #[serde(default)]
    #[ts(optional)]
    keep_firing_since: Option<String>,
    value: String,
}

#[derive(Deserialize, TS)]
#[serde(deny_unknown_fields)]
struct Alerts {
    alerts: Vec<Alert>,
}

#[derive(Deserialize, TS)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Cardinality {
    head_stats: HeadStats,
    series_count_by_metric_name: Vec<Count>,
    label_value_count_by_label_name: Vec<Count>,
    memory_in_bytes_by_label_name: Vec<Count>,
    series_count_by_label_value_pair: Vec<Count>,
}

#[derive(Deserialize, TS)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct HeadStats {
    num_series: u64,
    num_label_pairs: u64,
    chunk_count: u64,
    min_time: i64,
    max_time: i64,
}

#[derive(Deserialize, TS)]
#[serde(deny_unknown_fields)]
struct Count {
    name: String,
    value: u64,
}

#[derive(Deserialize, TS)]
#[serde(deny_unknown_fields)]
struct ConfigText {
    yaml: String,
}

/// A metric of the server's own; what JSON has no number for is a word.
#[derive(Deserialize, TS)]
#[serde(deny_unknown_fields)]
struct MetricFamily {
    name: String,
    #[serde(default)]
    #[ts(optional)]
    help: Option<String>,
    r#type: String,
    #[serde(default)]
    #[ts(optional)]
    unit: Option<String>,
    metric: Vec<Metric>,
}

#[derive(Deserialize, TS)]
#[serde(deny_unknown_fields)]
struct Metric {
    #[serde(default)]
    #[ts(optional, type = "ReadonlyArray<{ name: string, value: string }>")]
    label: Option<Value>,
    #[serde(default)]
    #[ts(optional)]
    counter: Option<Measured>,
    #[serde(default)]
    #[ts(optional)]
    gauge: Option<Measured>,
    #[serde(default)]
    #[ts(optional)]
    untyped: Option<Measured>,
    #[serde(default)]
    #[ts(optional, type = "Readonly<Record<string, unknown>>")]
    histogram: Option<Value>,
}

#[derive(Deserialize, TS)]
#[serde(deny_unknown_fields)]
struct Measured {
    #[ts(type = "number | string")]
    value: Value,
}

/// Lines of one stream: nanoseconds as text, the line, and its labels by where they come from.
#[derive(Deserialize, TS)]
#[serde(deny_unknown_fields)]
struct LogStream {
    stream: LabelSet,
    #[ts(type = "ReadonlyArray<readonly [ns: string, line: string, parts?: LogParts]>")]
    values: Vec<Value>,
}

#[derive(Deserialize, TS)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct LogParts {
    #[serde(default)]
    #[ts(optional)]
    structured_metadata: Option<LabelSet>,
    #[serde(default)]
    #[ts(optional)]
    parsed: Option<LabelSet>,
}

#[derive(Deserialize, TS)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum LokiData {
    Streams(Vec<LogStream>),
    Vector(Vec<Series>),
    Matrix(Vec<Series>),
    Scalar(Point),
}

/// A line that came too fast for its reader.
#[derive(Deserialize, TS)]
#[serde(deny_unknown_fields)]
struct DroppedEntry {
    timestamp: String,
    labels: String,
}

/// What `/tail` sends.
#[derive(Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub(crate) struct TailMessage {
    streams: Vec<LogStream>,
    #[serde(default)]
    #[ts(optional)]
    dropped_entries: Option<Vec<DroppedEntry>>,
    #[serde(default, rename = "encodingFlags")]
    #[ts(optional)]
    encoding_flags: Option<Vec<String>>,
}

#[derive(Deserialize, TS)]
struct DetectedFields {
    fields: Option<Vec<DetectedField>>,
}

#[derive(Deserialize, TS)]
struct DetectedField {
    label: String,
    r#type: String,
    cardinality: u64,
    parsers: Option<Vec<String>>,
}

/// Every type of the file, in its order.
fn declarations() -> Vec<String> {
    let config = Config::new().with_large_int("number");
    macro_rules! of {
        ($($name:ty),* $(,)?) => { vec![$(<$name as TS>::decl(&config)),*] };
    }
    of![
        auth::Role,
        auth::WhoAmI,
        dashboards::Hit,
        dashboards::Meta,
        dashboards::Saved,
        queries::Language,
        queries::Outcome,
        queries::QueryShown,
        queries::Touched,
        queries::Span,
        queries::Explain,
        queries::RunningQuery,
        queries::SlowQuery,
        queries::Queries,
        discovery::ResourceState,
        discovery::Resource,
        discovery::Pool,
        discovery::Discovery,
        LabelSet,
        Envelope<()>,
        ErrorAnswer,
        Point,
        HistogramValue,
        HistogramPoint,
        Series,
        PrometheusData,
        ActiveTarget,
        DroppedTarget,
        Targets,
        RelabelStep,
        RelabelSteps,
        Metadata,
        ExemplarPoint,
        ExemplarSeries,
        Alert,
        Alerts,
        Rule,
        RuleGroup,
        RuleGroups,
        Count,
        HeadStats,
        Cardinality,
        ConfigText,
        status::BuildInfo<'_>,
        status::RuntimeInfo,
        Measured,
        Metric,
        MetricFamily,
        LogParts,
        LogStream,
        LokiData,
        DroppedEntry,
        TailMessage,
        DetectedField,
        DetectedFields,
    ]
}

const HEAD: &str = "\
// biome-ignore-all format: generated
// biome-ignore-all lint: generated
/**
 * The shapes of the server's answers. Generated from `crates/http-api/src/typescript.rs`:
 * `UPDATE=1 cargo test -p masthead-http-api typescript` writes it anew, and a test compares.
 */
";

#[test]
fn the_browsers_types_are_the_servers() {
    let mut text = HEAD.to_owned();
    for declaration in declarations() {
        text.push_str("\nexport ");
        // What the server said is not changed here; a list that must not be is one that is not.
        text.push_str(&declaration.replace(" Array<", " ReadonlyArray<"));
        text.push('\n');
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/src/api/generated.ts");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = found.lines().zip(text.lines()).find(|(found, want)| found != want);
    let how = "UPDATE=1 cargo test -p masthead-http-api typescript";
    assert!(
        found == text,
        "web/src/api/generated.ts is not what the server says; {how}; {differs:?}"
    );
}

/// The good JSON answers to requests for `path`.
fn golden<'a>(files: &'a [String], path: &str) -> Vec<(u16, &'a str)> {
    let mut found = Vec::new();
    for section in files.iter().flat_map(|text| text.split("\n### ")) {
        let mut lines = section.lines().skip(1);
        let asked = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
        if asked.split('?').next() != Some(path) {
            continue;
        }
        let status =
            lines.find_map(|line| line.strip_prefix("--- ")?.split(' ').next()?.parse().ok());
        let body = lines.find(|line| line.starts_with('{'));
        if let (Some(status), Some(body)) = (status, body) {
            found.push((status, body));
        }
    }
    found
}

fn fit<T: DeserializeOwned>(files: &[String], path: &str) {
    let answers = golden(files, path);
    let good: Vec<_> = answers.iter().filter(|(status, _)| *status == 200).collect();
    assert!(!good.is_empty(), "no golden answer of {path}");
    for (_, body) in good {
        if let Err(error) = serde_json::from_str::<T>(body) {
            panic!("{path} is not what typescript.rs says: {error}: {body}");
        }
    }
}

#[test]
fn the_golden_answers_fit_the_described_shapes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut files = Vec::new();
    for folder in [folder.clone(), folder.join("loki")] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "http") {
                files.push(std::fs::read_to_string(path).unwrap());
            }
        }
    }
    fit::<Envelope<PrometheusData>>(&files, "/api/v1/query");
    fit::<Envelope<PrometheusData>>(&files, "/api/v1/query_range");
    fit::<Envelope<Targets>>(&files, "/api/v1/targets");
    fit::<Envelope<RelabelSteps>>(&files, "/api/v1/targets/relabel_steps");
    fit::<Envelope<BTreeMap<String, Vec<Metadata>>>>(&files, "/api/v1/metadata");
    fit::<Envelope<Vec<ExemplarSeries>>>(&files, "/api/v1/query_exemplars");
    fit::<Envelope<RuleGroups>>(&files, "/api/v1/rules");
    fit::<Envelope<Alerts>>(&files, "/api/v1/alerts");
    fit::<Envelope<Cardinality>>(&files, "/api/v1/status/tsdb");
    fit::<Envelope<ConfigText>>(&files, "/api/v1/status/config");
    fit::<Envelope<Vec<MetricFamily>>>(&files, "/api/v1/status/self_metrics");
    fit::<Envelope<LokiData>>(&files, "/loki/api/v1/query");
    fit::<Envelope<LokiData>>(&files, "/loki/api/v1/query_range");
    fit::<DetectedFields>(&files, "/loki/api/v1/detected_fields");
    let wrong = golden(&files, "/api/v1/query_range");
    let wrong: Vec<_> = wrong.iter().filter(|(status, _)| *status == 400).collect();
    assert!(!wrong.is_empty());
    for (_, body) in wrong {
        serde_json::from_str::<ErrorAnswer>(body).unwrap();
    }
}
