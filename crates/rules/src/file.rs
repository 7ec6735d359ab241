//! A rule file, read strictly: unknown keys, bad expressions and bad templates are refused with
//! file, line, column, group and rule. Everything that is wrong is told, not only the first.
//!
//! Facts: upstream's `model/rulefmt/rulefmt.go`; Loki's files have the same keys and hold LogQL.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use masthead_discovery::yaml;
use masthead_logql::ast::Expr as LogExpr;
use masthead_promql::{Features, ast::ValueType};
use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::template::{Text, check};

/// A larger rule file is refused.
pub const FILE_BYTES_MAX: u64 = 16 << 20;

/// What the expressions of a file are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// Over samples.
    Promql,
    /// Over log lines.
    Logql,
}

/// Rules that are evaluated together, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupSpec {
    /// Its name, distinct within the file.
    pub name: String,
    /// The file that it came from.
    pub file: Arc<str>,
    /// What its expressions are written in.
    pub language: Language,
    /// From one evaluation to the next, if the file says so.
    pub interval: Option<Duration>,
    /// How far behind the instant of the evaluation the rules ask, if the file says so.
    pub query_offset: Option<Duration>,
    /// At most this many alerts or series for each rule; 0 for no limit.
    pub limit: u64,
    /// The rules in the order of evaluation, with the labels of the group filled in.
    pub rules: Vec<RuleSpec>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleSpec {
    /// The metric that it records, or the alert that it raises.
    pub name: String,
    /// Its expression, as the language prints it.
    pub expr: String,
    /// Labels that it adds; templates in an alerting rule.
    pub labels: BTreeMap<String, String>,
    /// Recording or alerting.
    pub kind: RuleKind,
}

/// What a rule does with its result.
#[derive(Debug, Clone, PartialEq)]
pub enum RuleKind {
    /// Keeps it as series.
    Recording,
    /// Raises alerts.
    Alerting {
        /// How long the condition must hold (`for`).
        hold: Duration,
        /// How long an alert outlives its condition.
        keep_firing: Duration,
        /// Templates of what an alert says.
        annotations: BTreeMap<String, String>,
    },
}

/// One thing that is wrong with a rule file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    /// Where.
    pub file: Arc<str>,
    /// Counted from 1; 0 where the place is not known.
    pub line: u64,
    /// Counted from 1; 0 where the place is not known.
    pub column: u64,
    /// What is wrong, with group and rule.
    pub what: String,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.file)?;
        if self.line > 0 {
            write!(f, "{}:{}: ", self.line, self.column)?;
        }
        f.write_str(&self.what)
    }
}

impl std::error::Error for FileError {}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenFile {
    /// Files for Loki's and Mimir's tools name their namespace so.
    #[serde(rename = "namespace")]
    _namespace: Option<String>,
    groups: Option<Vec<Spanned<WrittenGroup>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename = "group")]
struct WrittenGroup {
    name: String,
    interval: Option<Written>,
    query_offset: Option<Written>,
    limit: Option<i64>,
    labels: Option<BTreeMap<String, String>>,
    rules: Option<Vec<Spanned<WrittenRule>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename = "rule")]
struct WrittenRule {
    record: Option<Spanned<String>>,
    alert: Option<Spanned<String>>,
    expr: Option<Spanned<String>>,
    r#for: Option<Written>,
    keep_firing_for: Option<Written>,
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<BTreeMap<String, String>>,
}

/// A duration as people write it.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(transparent)]
struct Written(#[serde(with = "yaml::duration")] Duration);

fn or_zero(written: Option<Written>) -> Duration {
    written.map_or(Duration::ZERO, |written| written.0)
}

/// Reads the text of a rule file; `file` is its name in messages and in the API.
///
/// # Errors
/// Everything that is wrong.
pub fn parse_file(
    text: &str,
    file: &str,
    language: Language,
    features: Features,
) -> Result<Vec<GroupSpec>, Vec<FileError>> {
    let file: Arc<str> = file.into();
    let written: Option<WrittenFile> = yaml::parse(text).map_err(|error| {
        // The wrapper that knows a place shows up as a key that nobody wrote.
        let key = error.key.replace(".value", "");
        let what = match key.as_str() {
            "" | "." => error.what,
            key => format!("{key}: {}", error.what),
        };
        vec![FileError { file: Arc::clone(&file), line: error.line, column: error.column, what }]
    })?;
    let mut reader = Reader { file, language, features, errors: Vec::new() };
    let mut groups: Vec<GroupSpec> = Vec::new();
    for section in written.unwrap_or_default().groups.unwrap_or_default() {
        let at = section.referenced;
        if section.value.name.is_empty() {
            reader.wrong(&at, "Groupname must not be empty".to_owned());
        }
        if groups.iter().any(|group| group.name == section.value.name) {
            let what =
                format!("groupname: \"{}\" is repeated in the same file", section.value.name);
            reader.wrong(&at, what);
        }
        let group = reader.group(section.value, &at);
        groups.push(group);
    }
    if reader.errors.is_empty() { Ok(groups) } else { Err(reader.errors) }
}

struct Reader {
    file: Arc<str>,
    language: Language,
    features: Features,
    errors: Vec<FileError>,
}

impl Reader {
    fn wrong(&mut self, at: &serde_saphyr::Location, what: String) {
        let file = Arc::clone(&self.file);
        self.errors.push(FileError { file, line: at.line(), column: at.column(), what });
    }

    fn group(&mut self, written: WrittenGroup, at: &serde_saphyr::Location) -> GroupSpec {
        let shared = written.labels.unwrap_or_default();
        for what in shared.keys().filter_map(|name| bad_label(name)) {
            self.wrong(at, what);
        }
        let mut rules = Vec::new();
        for (index, section) in written.rules.unwrap_or_default().into_iter().enumerate() {
            let Spanned { value, referenced: place, .. } = section;
            let prefix = {
                let name = value.alert.as_ref().or(value.record.as_ref());
                let name = name.map_or("", |name| name.value.as_str());
                format!("group {:?}, rule {}, {name:?}: ", written.name, index + 1)
            };
            let (rule, wrong) = self.rule(value, &shared);
            for (at, what) in wrong {
                self.wrong(&at.unwrap_or(place), format!("{prefix}{what}"));
            }
            rules.extend(rule);
        }
        GroupSpec {
            name: written.name,
            file: Arc::clone(&self.file),
            language: self.language,
            interval: written.interval.map(|interval| interval.0).filter(|i| !i.is_zero()),
            query_offset: written.query_offset.map(|offset| offset.0),
            limit: written.limit.and_then(|limit| u64::try_from(limit).ok()).unwrap_or(0),
            rules,
        }
    }

    /// The rule, if it can be made, and everything that is wrong with it.
    fn rule(
        &self,
        written: WrittenRule,
        shared: &BTreeMap<String, String>,
    ) -> (Option<RuleSpec>, Vec<(Option<serde_saphyr::Location>, String)>) {
        let mut wrong = Vec::new();
        let mut refuse = |at: Option<serde_saphyr::Location>, what: String| wrong.push((at, what));
        let given = |name: Option<Spanned<String>>| {
            name.map(|name| (Some(name.referenced), name.value))
                .filter(|(_, name)| !name.is_empty())
        };
        let (record, alert) = (given(written.record), given(written.alert));
        match (&record, &alert) {
            (Some((at, _)), Some(_)) => {
                refuse(*at, "only one of 'record' and 'alert' must be set".into());
            }
            (None, None) => refuse(None, "one of 'record' or 'alert' must be set".into()),
            _ => {}
        }
        let expr = match written.expr {
            Some(expr) if !expr.value.trim().is_empty() => match self.expression(&expr.value) {
                Ok(printed) => printed,
                Err(what) => {
                    let what = format!("could not parse expression: {what}");
                    refuse(Some(expr.referenced), what);
                    String::new()
                }
            },
            other => {
                let at = other.map(|expr| expr.referenced);
                refuse(at, "field 'expr' must be set in rule".into());
                String::new()
            }
        };
        let (hold, keep_firing) = (or_zero(written.r#for), or_zero(written.keep_firing_for));
        let own = written.labels.unwrap_or_default();
        let annotations = written.annotations.unwrap_or_default();
        if let Some((at, name)) = &record {
            for (given, key) in [
                (!annotations.is_empty(), "annotations"),
                (!hold.is_zero(), "for"),
                (!keep_firing.is_zero(), "keep_firing_for"),
            ] {
                if given {
                    refuse(*at, format!("invalid field '{key}' in recording rule"));
                }
            }
            if name.contains(['{', '}']) {
                let what = "braces present in the recording rule name; should it be in expr?";
                refuse(*at, format!("{what}: {name}"));
            }
        }
        for what in own.keys().filter_map(|name| bad_label(name)) {
            refuse(None, what);
        }
        if annotations.contains_key("") {
            refuse(None, "invalid annotation name: ".into());
        }
        if let Some((at, name)) = &alert {
            for (kind, texts) in [("label", &own), ("annotation", &annotations)] {
                for (key, text) in texts {
                    if let Err(what) = check(name, text) {
                        refuse(*at, format!("{kind} {key:?}: {what}"));
                    }
                }
            }
        }
        let mut labels = shared.clone();
        labels.extend(own);
        let (name, kind) = match (record, alert) {
            (_, Some((_, name))) => (name, RuleKind::Alerting { hold, keep_firing, annotations }),
            (Some((_, name)), None) => (name, RuleKind::Recording),
            (None, None) => return (None, wrong),
        };
        (Some(RuleSpec { name, expr, labels, kind }), wrong)
    }

    /// Parses an expression and prints it as the API shows it.
    fn expression(&self, text: &str) -> Result<String, String> {
        match self.language {
            Language::Promql => {
                let expr =
                    masthead_promql::parse(text, &self.features).map_err(|e| e.to_string())?;
                // Upstream finds this out when it evaluates; nobody wants to wait for that.
                match expr.value_type() {
                    ValueType::Scalar | ValueType::Vector => Ok(expr.to_string()),
                    _ => Err("rule result is not a vector or scalar".to_owned()),
                }
            }
            Language::Logql => match masthead_logql::parse(text).map_err(|e| e.to_string())? {
                LogExpr::Log(_) => Err("a rule needs numbers; this expression gives lines, \
                     count them with a function such as count_over_time"
                    .to_owned()),
                metric @ LogExpr::Metric(_) => Ok(metric.to_string()),
            },
        }
    }
}

fn bad_label(name: &str) -> Option<String> {
    (name.is_empty() || name == "__name__").then(|| format!("invalid label name: {name}"))
}

impl RuleSpec {
    /// Templates of its labels.
    pub(crate) fn label_texts(&self) -> Vec<(String, Text)> {
        self.texts(&self.labels)
    }

    /// Templates of its annotations.
    pub(crate) fn annotation_texts(&self) -> Vec<(String, Text)> {
        match &self.kind {
            RuleKind::Alerting { annotations, .. } => self.texts(annotations),
            RuleKind::Recording => Vec::new(),
        }
    }

    fn texts(&self, texts: &BTreeMap<String, String>) -> Vec<(String, Text)> {
        let one = |(key, text): (&String, &String)| (key.clone(), Text::new(&self.name, text));
        texts.iter().map(one).collect()
    }
}

#[cfg(test)]
mod tests;
