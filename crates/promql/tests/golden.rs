//! Runs golden scripts: our own in `tests/golden/`, and those of a folder named by `CONFORMANCE`.
//!
//! Every evaluation of our own must pass. Of a conformance folder the files are reported one by
//! one, with each failure, and the test fails if any does. Flags are set by the names of files, as
//! upstream's tests set them. `promqltest` tells the language of the scripts.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use masthead_model::Millis;
use masthead_ports::{
    AppendBatch, AppendRow, QueryCtx, QueryLimits, SampleSink as _, SeriesRef, testing::MemoryStore,
};
use masthead_promql::{
    EngineOptions, Error, Features,
    promqltest::{Answer, Engine, LoadedSeries, Report, run_all},
};
use masthead_sysio::SimClock;

/// The engine on samples in memory.
struct InMemory {
    engine: masthead_promql::Engine,
    store: MemoryStore,
}

impl InMemory {
    fn for_script(name: &str) -> Self {
        let options = EngineOptions {
            features: Features::ALL,
            type_and_unit_labels: name == "type_and_unit",
            start_timestamps: name == "start_timestamps",
            ..EngineOptions::default()
        };
        Self { engine: masthead_promql::Engine::new(options), store: MemoryStore::default() }
    }

    fn ask(
        &self,
        ask: impl FnOnce(&QueryCtx, &MemoryStore) -> Result<masthead_promql::Answer, Error>,
    ) -> Result<Answer, String> {
        let ctx = QueryCtx::new(Arc::new(SimClock::default()), QueryLimits::default());
        let answer = ask(&ctx, &self.store).map_err(|error| error.to_string())?;
        let masthead_promql::Annotations { warnings, infos } = answer.annotations;
        Ok(Answer { value: answer.value, warnings, infos })
    }
}

impl Engine for InMemory {
    fn clear(&mut self) -> Result<(), String> {
        self.store.clear();
        Ok(())
    }

    fn append(&mut self, series: &[LoadedSeries]) -> Result<(), String> {
        let rows = series.iter().flat_map(|series| {
            series.samples.iter().map(|sample| AppendRow {
                labels: series.labels.clone(),
                series: SeriesRef::default(),
                timestamp: sample.timestamp,
                start: sample.start,
                value: sample.value.clone(),
                exemplars: Vec::new(),
            })
        });
        let mut batch = AppendBatch { rows: rows.collect(), ..AppendBatch::default() };
        let report = self.store.append(&mut batch).map_err(|error| error.to_string())?;
        if report.rejected.is_empty() { Ok(()) } else { Err(format!("{:?}", report.rejected)) }
    }

    fn instant(&mut self, expr: &str, at: Millis) -> Result<Answer, String> {
        self.ask(|ctx, store| self.engine.instant(ctx, store, expr, at))
    }

    fn range(
        &mut self,
        expr: &str,
        start: Millis,
        end: Millis,
        step_ms: i64,
    ) -> Result<Answer, String> {
        self.ask(|ctx, store| self.engine.range(ctx, store, expr, start, end, step_ms))
    }
}

/// Runs the scripts of a folder, by name.
#[expect(clippy::disallowed_methods, reason = "tests read their scripts from the real disk")]
fn run_folder(folder: &Path) -> Vec<(String, Report)> {
    let entries = std::fs::read_dir(folder).expect("a folder of scripts");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "test"));
    paths.sort();
    let run = |path: &PathBuf| {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let script = std::fs::read_to_string(path).expect("a script");
        let report = run_all(&script, &mut InMemory::for_script(&name));
        (name, report)
    };
    paths.iter().map(run).collect()
}

/// Prints what became of each script and fails if anything did.
#[expect(clippy::print_stdout, reason = "the report is read by whoever runs the scripts")]
fn must_pass(reports: &[(String, Report)]) {
    assert!(!reports.is_empty(), "no scripts");
    for (name, report) in reports {
        println!("{name}: {} passed, {} failed", report.passed, report.failures.len());
        for failure in &report.failures {
            println!("  {name}: {failure}");
        }
    }
    let failed: usize = reports.iter().map(|(_, report)| report.failures.len()).sum();
    let passed: usize = reports.iter().map(|(_, report)| report.passed).sum();
    println!("{passed} passed, {failed} failed");
    assert_eq!(failed, 0, "see the list above");
    assert!(reports.iter().all(|(_, report)| report.passed > 0), "a script that asks nothing");
}

#[test]
fn own_scripts_pass() {
    must_pass(&run_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the folder is named by whoever runs the tests")]
fn conformance_scripts_pass() {
    let Some(folder) = std::env::var_os("CONFORMANCE") else { return };
    let expressions = Path::new(&folder).join("prebuilt-promql.json");
    if expressions.exists() {
        expressions_pass(&std::fs::read_to_string(expressions).expect("readable"));
    } else {
        must_pass(&run_folder(Path::new(&folder)));
    }
}

/// Every expression of dashboards and rules, as `{"exprs": [[kind, file, expression], …]}`, parses,
/// and evaluates over nothing and over one series of each metric.
#[expect(clippy::print_stdout, reason = "the report is read by whoever runs the expressions")]
fn expressions_pass(json: &str) {
    let listed: serde_json::Value = serde_json::from_str(json).expect("JSON");
    let exprs = listed["exprs"].as_array().expect("a list of expressions");
    // What Grafana fills in before it asks: an interval, or a word.
    let filled = |expr: &str| {
        let mut words = expr.split('$');
        let mut out = words.next().unwrap_or("").to_owned();
        for word in words {
            let end = word.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            let (name, rest) = word.split_at(end.unwrap_or(word.len()));
            if name.contains("interval") || name.contains("range") {
                out.push_str("5m");
            } else if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
                out.push('x');
            } else {
                // A group of a regular expression.
                out.push('$');
                out.push_str(name);
            }
            out.push_str(rest);
        }
        out
    };
    // Of `label_values(selector, label)`, which is Grafana's, the selector is PromQL.
    let asked = |text: String| match text.strip_prefix("label_values(") {
        Some(rest) => rest.rsplit_once(',').map(|(selector, _)| selector.to_owned()),
        None => Some(text),
    };
    let texts: Vec<String> =
        exprs.iter().filter_map(|expr| asked(filled(expr[2].as_str().expect("a text")))).collect();
    let mut engine = InMemory::for_script("expressions");
    let mut failures = Vec::new();
    let mut metrics = std::collections::BTreeSet::new();
    for text in &texts {
        match masthead_promql::parse(text, &Features::STABLE) {
            Ok(expr) => {
                let selectors = expr.selectors();
                let matchers = selectors.iter().flat_map(|selector| &selector.matchers);
                let names = matchers.filter(|matcher| matcher.name() == "__name__");
                metrics.extend(names.map(|matcher| matcher.value().to_owned()));
            }
            Err(error) => failures.push(format!("{text}: {error}")),
        }
    }
    let at = Millis(3_600_000);
    let mut ask = |engine: &mut InMemory| {
        for text in &texts {
            let step = engine.range(text, Millis(0), at, 60_000);
            if let Err(error) = engine.instant(text, at).and(step) {
                failures.push(format!("{text}: {error}"));
            }
        }
    };
    ask(&mut engine);
    let series: Vec<LoadedSeries> = metrics
        .iter()
        .map(|name| LoadedSeries {
            labels: [("__name__", name.as_str()), ("le", "1")].into_iter().collect(),
            samples: (0..60)
                .map(|minute| masthead_promql::promqltest::LoadedSample {
                    timestamp: Millis(minute * 60_000),
                    start: None,
                    value: masthead_model::Value::Float(f64::from(
                        u8::try_from(minute).unwrap_or(0),
                    )),
                })
                .collect(),
        })
        .collect();
    engine.append(&series).expect("memory takes it");
    ask(&mut engine);
    println!("{} expressions over {} metrics", texts.len(), metrics.len());
    assert!(texts.len() > 100 && metrics.len() > 100, "hardly anything was read");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
