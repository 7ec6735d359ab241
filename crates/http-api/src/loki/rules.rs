//! Rules over lines: in Loki's own words (YAML by file) and in Prometheus' (JSON with their state).
//!
//! A file is a namespace of Loki's ruler. Nothing can be written here: rules are files of the server.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc, time::Duration};

use axum::{
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use masthead_model::{Labels, PromDuration};
use masthead_ports::{Rule, RuleGroup, RuleKind};
use serde_json::json;

use super::{Refusal, Shared, small};
use crate::prometheus::rules;

/// `/prometheus/api/v1/rules`
pub(super) async fn prometheus_rules(State(shared): State<Arc<Shared>>) -> Response {
    let groups = shared.parts.rules.groups();
    small(&json!({
        "status": "success",
        "data": {"groups": rules::groups_value(&groups)},
        "errorType": "",
        "error": "",
    }))
}

/// `/prometheus/api/v1/alerts`
pub(super) async fn prometheus_alerts(State(shared): State<Arc<Shared>>) -> Response {
    let groups = shared.parts.rules.groups();
    small(&json!({
        "status": "success",
        "data": {"alerts": rules::alerts_value(&groups)},
        "errorType": "",
        "error": "",
    }))
}

/// `/loki/api/v1/rules` and `/api/prom/rules`
pub(super) async fn all(State(shared): State<Arc<Shared>>) -> Result<Response, Refusal> {
    files(&shared.parts.rules.groups())
}

/// `/loki/api/v1/rules/{namespace}`
pub(super) async fn namespace(
    State(shared): State<Arc<Shared>>,
    Path(namespace): Path<String>,
) -> Result<Response, Refusal> {
    let mut groups = shared.parts.rules.groups();
    groups.retain(|group| group.file == namespace);
    files(&groups)
}

/// `/loki/api/v1/rules/{namespace}/{group}`
pub(super) async fn group(
    State(shared): State<Arc<Shared>>,
    Path((namespace, name)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let groups = shared.parts.rules.groups();
    let found = groups.iter().find(|group| group.file == namespace && group.name == name);
    let group = found.ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, "group does not exist"))?;
    let mut text = String::new();
    write_group(&mut text, group, "");
    Ok(yaml(text))
}

fn files(groups: &[RuleGroup]) -> Result<Response, Refusal> {
    if groups.is_empty() {
        return Err(Refusal::new(StatusCode::NOT_FOUND, "no rule groups found"));
    }
    let mut by_file: BTreeMap<&str, Vec<&RuleGroup>> = BTreeMap::new();
    for group in groups {
        by_file.entry(&group.file).or_default().push(group);
    }
    let mut text = String::new();
    for (file, groups) in by_file {
        line(&mut text, "", &format!("{}:", quoted(file)));
        for group in groups {
            text.push_str("    - ");
            write_group(&mut text, group, "      ");
        }
    }
    Ok(yaml(text))
}

fn yaml(text: String) -> Response {
    let kind = HeaderValue::from_static("application/yaml");
    (StatusCode::OK, [(header::CONTENT_TYPE, kind)], text).into_response()
}

/// A text between quotes; what JSON takes, YAML takes too.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn line(out: &mut String, indent: &str, text: &str) {
    // Writing to a string cannot fail.
    writeln!(out, "{indent}{text}").unwrap_or_default();
}

/// Writes a group; its first line stands where `out` ends, the others behind `indent`.
fn write_group(out: &mut String, group: &RuleGroup, indent: &str) {
    line(out, "", &format!("name: {}", quoted(&group.name)));
    line(out, indent, &format!("interval: {}", duration(group.interval)));
    if group.limit > 0 {
        line(out, indent, &format!("limit: {}", group.limit));
    }
    line(out, indent, "rules:");
    for rule in &group.rules {
        write_rule(out, rule, indent);
    }
}

fn write_rule(out: &mut String, rule: &Rule, indent: &str) {
    let kind = match rule.kind {
        RuleKind::Recording => "record",
        RuleKind::Alerting { .. } => "alert",
    };
    line(out, indent, &format!("    - {kind}: {}", quoted(&rule.name)));
    let below = format!("{indent}      ");
    line(out, &below, &format!("expr: {}", quoted(&rule.query)));
    if let RuleKind::Alerting { hold, keep_firing, annotations, .. } = &rule.kind {
        for (key, value) in [("for", hold), ("keep_firing_for", keep_firing)] {
            if !value.is_zero() {
                line(out, &below, &format!("{key}: {}", duration(*value)));
            }
        }
        write_labels(out, &below, "annotations", annotations);
    }
    write_labels(out, &below, "labels", &rule.labels);
}

fn write_labels(out: &mut String, indent: &str, key: &str, labels: &Labels) {
    if labels.is_empty() {
        return;
    }
    line(out, indent, &format!("{key}:"));
    for label in labels {
        line(out, indent, &format!("    {}: {}", quoted(label.name), quoted(label.value)));
    }
}

fn duration(duration: Duration) -> String {
    let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    PromDuration::from_millis(millis).unwrap_or_default().to_string()
}
