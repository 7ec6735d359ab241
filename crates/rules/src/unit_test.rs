//! Tests of rules in promtool's format, run on samples and lines in memory and a clock that stands
//! where the test says.
//!
//! Facts: upstream's `cmd/promtool/unittest.go`, whose words and layout the failures have.
//! `log_rule_files` and `input_streams` are ours: rules over log lines are tested the same way.
//! The format of the file: `unit_test/format.rs`; comparing: `unit_test/compare.rs`.

use std::{collections::BTreeMap, io, sync::Arc, time::Duration};

use masthead_discovery::yaml;
use masthead_logql::{Engine as LogEngine, EngineOptions as LogEngineOptions};
use masthead_model::{Histogram, Labels, Millis, Value};
use masthead_ports::{
    AlertState, AppendBatch, AppendRow, LogBatch, LogRow, LogSink as _, LogStream, QueryLimits,
    RuleKind, SampleSink as _, SeriesRef,
    testing::{MemoryLogStore, MemoryStore},
};
use masthead_promql::{
    Engine, EngineOptions, Features,
    promqltest::{Command, Script},
};
use masthead_sysio::{SimClock, UnixNanos};

use crate::{
    GroupSpec, Language, LogRules, Querier, SampleRules,
    engine::Counts,
    group::{Group, World},
    parse_file,
};

mod compare;
mod format;

use compare::{Told, alerts_text, nearly, samples_text};
use format::{AlertTest, ExprTest, InputStream, TestGroup, UnitFile};

/// A test evaluates its rules at most so often.
const EVALUATIONS_MAX: u64 = 100_000;
/// Lines of one test.
const LINES_MAX: u64 = 1_000_000;

/// What became of a file of tests.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UnitReport {
    /// What is odd without being wrong.
    pub warnings: Vec<String>,
    /// What failed, in upstream's layout; empty when everything passed.
    pub failures: Vec<String>,
}

/// Finds the files of a pattern, as their names and texts.
pub type FindFiles<'a> = dyn FnMut(&str) -> io::Result<Vec<(String, String)>> + 'a;

/// Runs the tests in `text`; `find` reads the rule files that it names, in their order.
pub fn run_unit_tests(text: &str, features: Features, find: &mut FindFiles<'_>) -> UnitReport {
    let mut report = UnitReport::default();
    let file: UnitFile = match yaml::parse::<Option<UnitFile>>(text) {
        Ok(file) => file.unwrap_or_default(),
        Err(error) => {
            report.failures.push(error.to_string());
            return report;
        }
    };
    let mut groups = Vec::new();
    for (patterns, language) in
        [(&file.rule_files, Language::Promql), (&file.log_rule_files, Language::Logql)]
    {
        for pattern in patterns {
            match find(pattern) {
                Ok(files) if files.is_empty() => {
                    report.warnings.push(format!("no file match pattern {pattern}"));
                }
                Ok(files) => {
                    for (name, text) in files {
                        match parse_file(&text, &name, language, features) {
                            Ok(found) => groups.extend(found),
                            Err(errors) => {
                                report.failures.extend(errors.iter().map(ToString::to_string));
                            }
                        }
                    }
                }
                Err(error) => report.failures.push(format!("{pattern}: {error}")),
            }
        }
    }
    let mut order = BTreeMap::new();
    for (place, name) in file.group_eval_order.iter().enumerate() {
        if order.insert(name.as_str(), place).is_some() {
            let what = format!("group name repeated in evaluation order: {name}");
            report.failures.push(what);
        }
    }
    if !report.failures.is_empty() {
        return report;
    }
    // As upstream: what the order does not name comes first.
    groups.sort_by_key(|group: &GroupSpec| order.get(group.name.as_str()).copied().unwrap_or(0));
    let every = match file.evaluation_interval {
        Duration::ZERO => Duration::from_mins(1),
        given => given,
    };
    for test in &file.tests {
        let run = Run { every, groups: &groups, features, fuzzy: file.fuzzy_compare };
        report.failures.extend(run.test(test));
    }
    report
}

/// One test.
struct Run<'a> {
    every: Duration,
    groups: &'a [GroupSpec],
    features: Features,
    fuzzy: bool,
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// As upstream prints a duration: `1m30s`.
fn text(duration: Duration) -> String {
    yaml::duration::text(duration)
}

/// As Go prints one: `1m30s`, but `5m0s`.
fn go_text(millis: i64) -> String {
    masthead_model::GoDuration(millis.saturating_mul(1_000_000)).to_string()
}

impl Run<'_> {
    fn test(&self, test: &TestGroup) -> Vec<String> {
        let last = test.last_eval_time();
        let steps = last.as_millis() / self.every.as_millis().max(1);
        if steps > u128::from(EVALUATIONS_MAX) {
            return vec![format!(
                "    the last eval_time {} needs {steps} evaluations, more than {EVALUATIONS_MAX}; \
                 use a longer evaluation_interval or an earlier eval_time",
                text(last)
            )];
        }
        if let Some(nameless) = test.alert_rule_test.iter().find(|case| case.alertname.is_empty()) {
            let place = match test.name.as_str() {
                "" => String::new(),
                name => format!(" (in TestGroup {name})"),
            };
            return vec![format!(
                "an item under alert_rule_test misses required attribute alertname at eval_time \
                 {}{place}",
                text(nameless.eval_time)
            )];
        }
        let clock = SimClock::new(UnixNanos(0));
        let store = Arc::new(MemoryStore::default());
        let lines = Arc::new(MemoryLogStore::default());
        if let Err(what) = self.load(test, &store).and_then(|()| load_lines(test, &lines)) {
            return vec![what];
        }
        let samples = SampleRules {
            engine: Engine::new(EngineOptions {
                subquery_step_ms: millis(self.every),
                features: self.features,
                delayed_name_removal: false,
                ..EngineOptions::default()
            }),
            source: store.clone(),
            clock: Arc::new(clock.clone()),
            limits: QueryLimits::default(),
            ending: Arc::default(),
        };
        let logs = LogRules {
            engine: LogEngine::new(LogEngineOptions::default()),
            source: lines,
            samples: samples.clone(),
        };
        let counts = Counts::default();
        let external_labels: Labels = test.external_labels.iter().collect();
        let world = |language| World {
            querier: match language {
                Language::Promql => &samples,
                Language::Logql => &logs,
            },
            sink: &*store,
            clock: &clock,
            external_labels: &external_labels,
            external_url: &test.external_url,
            resend_delay: Duration::from_mins(1),
            counts: &counts,
        };
        let mut groups: Vec<Group> = self
            .groups
            .iter()
            .map(|spec| Group::new(Arc::new(spec.clone()), self.every, Duration::ZERO, true))
            .collect();
        let mut failures = Vec::new();
        let step = millis(self.every).max(1);
        let mut at = 0;
        while at <= millis(last) {
            clock.set(UnixNanos(at.saturating_mul(1_000_000)));
            let mut broken = Vec::new();
            for group in &mut groups {
                group.evaluate(&world(group.spec.language), Millis(at));
                for rule in group.view().rules {
                    if !rule.last_error.is_empty() {
                        let time = go_text(at);
                        broken.push(format!(
                            "    rule: {}, time: {time}, err: {}",
                            rule.name, rule.last_error
                        ));
                    }
                }
            }
            if !broken.is_empty() {
                failures.extend(broken);
                return failures;
            }
            let due = test.alert_rule_test.iter().filter(|case| {
                let wanted = millis(case.eval_time);
                at <= wanted && wanted < at + step
            });
            let mut due: Vec<&AlertTest> = due.collect();
            due.sort_by_key(|case| case.eval_time);
            failures.extend(due.into_iter().filter_map(|case| check(test, case, &groups)));
            at += step;
        }
        for case in &test.promql_expr_test {
            failures.extend(self.check_expr(case, &samples));
        }
        for case in &test.logql_expr_test {
            failures.extend(self.check_expr(case, &logs));
        }
        failures
    }

    /// Loads the input series.
    fn load(&self, test: &TestGroup, store: &MemoryStore) -> Result<(), String> {
        let interval = match test.interval {
            Duration::ZERO => self.every,
            given => given,
        };
        let mut script = format!("load {}\n", text(interval));
        for series in &test.input_series {
            let line = format!("  {} {}\n", series.series, series.values.replace('\n', " "));
            script.push_str(&line);
        }
        let script = Script::parse_from(&script, Millis(0)).map_err(|error| {
            let at = error.line.checked_sub(2).and_then(|at| test.input_series.get(at));
            let series = at.map_or("", |series| series.series.as_str());
            format!("    input_series {series}: {}", error.what)
        })?;
        for command in script.commands {
            let Command::Load(load) = command else { continue };
            let mut batch = AppendBatch::default();
            for series in load.series {
                batch.rows.extend(series.samples.into_iter().map(|sample| AppendRow {
                    labels: series.labels.clone(),
                    series: SeriesRef::default(),
                    timestamp: sample.timestamp,
                    start: sample.start,
                    value: sample.value,
                    exemplars: Vec::new(),
                }));
            }
            store.append(&mut batch).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn check_expr(&self, case: &ExprTest, querier: &dyn Querier) -> Option<String> {
        let failed = |what: String| {
            let (expr, time) = (masthead_model::quote(&case.expr), text(case.eval_time));
            Some(format!("    expr: {expr}, time: {time}, err: {what}"))
        };
        let got = match querier.instant(&case.expr, Millis(millis(case.eval_time))) {
            Ok(got) => got,
            Err(what) => return failed(what),
        };
        let mut got: Vec<(Labels, Value)> =
            got.into_iter().map(|sample| (sample.labels, sample.value)).collect();
        let mut expected = Vec::new();
        for sample in &case.exp_samples {
            let labels = match sample.labels.parse::<Labels>() {
                Ok(labels) => labels,
                Err(error) => return failed(format!("labels {:?}: {error}", sample.labels)),
            };
            let value = match sample.histogram.as_str() {
                "" => Value::Float(sample.value),
                text => match Histogram::parse_test_expression(text) {
                    Ok((parsed, _)) => Value::Histogram(Box::new(parsed.histogram)),
                    Err(error) => return failed(format!("histogram {text:?}: {error}")),
                },
            };
            expected.push((labels, value));
        }
        got.sort_by(|a, b| a.0.cmp(&b.0));
        expected.sort_by(|a, b| a.0.cmp(&b.0));
        let same = got.len() == expected.len()
            && got.iter().zip(&expected).all(|(got, expected)| {
                got.0 == expected.0 && nearly(&got.1, &expected.1, self.fuzzy)
            });
        (!same).then(|| {
            let (expr, time) = (masthead_model::quote(&case.expr), text(case.eval_time));
            let (expected, got) = (samples_text(&expected), samples_text(&got));
            format!("    expr: {expr}, time: {time},\n        exp: {expected}\n        got: {got}")
        })
    }
}

/// Compares the firing alerts of one name with those that are expected.
fn check(test: &TestGroup, case: &AlertTest, groups: &[Group]) -> Option<String> {
    let mut got: Vec<Told> = Vec::new();
    for rule in groups.iter().flat_map(|group| group.view().rules) {
        if let RuleKind::Alerting { alerts, .. } = rule.kind
            && rule.name == case.alertname
        {
            let firing = alerts.into_iter().filter(|alert| alert.state == AlertState::Firing);
            got.extend(firing.map(|alert| (alert.labels, alert.annotations)));
        }
    }
    let mut expected: Vec<Told> = case
        .exp_alerts
        .iter()
        .map(|alert| {
            let mut labels = masthead_model::LabelsBuilder::default();
            for (name, value) in &alert.exp_labels {
                labels.set(name, value);
            }
            // The user gives what the rule adds; the name is the server's.
            labels.set("alertname", &case.alertname);
            (labels.build(), alert.exp_annotations.iter().collect())
        })
        .collect();
    got.sort();
    expected.sort();
    (got != expected).then(|| {
        let name = match test.name.as_str() {
            "" => String::new(),
            name => format!("    name: {name},\n"),
        };
        format!(
            "{name}    alertname: {}, time: {}, \n        exp:{}, \n        got:{}",
            case.alertname,
            text(case.eval_time),
            alerts_text(&expected),
            alerts_text(&got)
        )
    })
}

/// Loads the input streams.
fn load_lines(test: &TestGroup, store: &MemoryLogStore) -> Result<(), String> {
    let mut count = 0_u64;
    for InputStream { stream, lines } in &test.input_streams {
        let wrong = |what: String| format!("    input_streams {stream}: {what}");
        let labels = stream.parse::<Labels>().map_err(|error| wrong(error.to_string()))?;
        let mut rows = Vec::new();
        for line in lines {
            count = count.saturating_add(line.times);
            if count > LINES_MAX {
                return Err(wrong(format!("more than {LINES_MAX} lines in one test")));
            }
            for n in 0..i64::try_from(line.times).unwrap_or(0) {
                let at = millis(line.at).saturating_add(n.saturating_mul(millis(line.every)));
                rows.push(LogRow {
                    timestamp: Millis(at).to_nanos().map_err(|error| wrong(error.to_string()))?,
                    // Lines that are the same at one instant would be one.
                    line: line.line.replace("%d", &n.to_string()).into_bytes().into(),
                    structured_metadata: line.metadata.iter().collect(),
                });
            }
        }
        rows.sort_by_key(|row| row.timestamp);
        let batch = LogBatch { streams: vec![LogStream { labels, rows }], ..LogBatch::default() };
        store.append(&batch).map_err(|error| wrong(error.to_string()))?;
    }
    Ok(())
}

impl TestGroup {
    /// The last instant that anything is asked about.
    fn last_eval_time(&self) -> Duration {
        let alerts = self.alert_rule_test.iter().map(|case| case.eval_time);
        let exprs = self.promql_expr_test.iter().chain(&self.logql_expr_test);
        alerts.chain(exprs.map(|case| case.eval_time)).max().unwrap_or_default()
    }
}
