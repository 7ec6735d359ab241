//! Relabelling rules as the operator writes them.

use serde_json::{Map, Value, json};

use super::spec::{LabelSelector, Relabeling};
use crate::kubernetes::sanitize;

/// The rules of one job, in their order.
#[derive(Debug, Default)]
pub(super) struct Rules(Vec<Value>);

impl Rules {
    /// The first rule of every job that is translated.
    pub(super) fn new() -> Self {
        let mut rules = Self::default();
        rules.push(json!({"source_labels": ["job"], "target_label": "__tmp_prometheus_job_name"}));
        rules
    }

    pub(super) fn push(&mut self, rule: Value) {
        self.0.push(rule);
    }

    /// Takes only objects of `kind` (`service`, `pod`, `ingress`) that a selector chooses.
    pub(super) fn select(&mut self, kind: &str, selector: &LabelSelector) {
        let name =
            |what: &str, key: &str| format!("__meta_kubernetes_{kind}_{what}_{}", sanitize(key));
        let valued = |action: &str, key: &str, values: &str| {
            let labels = [name("label", key), name("labelpresent", key)];
            json!({"action": action, "source_labels": labels, "regex": format!("({values});true")})
        };
        let present = |action: &str, key: &str| {
            let labels = [name("labelpresent", key)];
            json!({"action": action, "source_labels": labels, "regex": "true"})
        };
        for (key, value) in &selector.match_labels {
            self.push(valued("keep", key, value));
        }
        for requirement in &selector.match_expressions {
            let (key, values) = (&requirement.key, requirement.values.join("|"));
            match requirement.operator.as_str() {
                "In" => self.push(valued("keep", key, &values)),
                "NotIn" => self.push(valued("drop", key, &values)),
                "Exists" => self.push(present("keep", key)),
                // The definition allows no fifth.
                _ => self.push(present("drop", key)),
            }
        }
    }

    /// Keeps targets whose label has this value.
    pub(super) fn keep(&mut self, label: &str, regex: &str) {
        self.push(json!({"action": "keep", "source_labels": [label], "regex": regex}));
    }

    /// Copies a label, where it is there or not.
    pub(super) fn copy(&mut self, from: &str, to: &str) {
        self.push(json!({"source_labels": [from], "target_label": to}));
    }

    /// Copies a label of the object where it has a value.
    pub(super) fn copy_label(&mut self, kind: &str, label: &str, to: &str) {
        let from = format!("__meta_kubernetes_{kind}_label_{}", sanitize(label));
        self.push(json!({
            "source_labels": [from], "target_label": to, "regex": "(.+)", "replacement": "${1}",
        }));
    }

    /// Leaves out pods that have ended.
    pub(super) fn running(&mut self) {
        self.push(json!({
            "action": "drop", "source_labels": ["__meta_kubernetes_pod_phase"],
            "regex": "(Failed|Succeeded)",
        }));
    }

    /// The resource's own rules.
    pub(super) fn extend(&mut self, own: &[Relabeling]) {
        self.0.extend(relabelings(own));
    }

    /// The rules by which several servers share targets; there is one, so it takes all.
    pub(super) fn finish(mut self) -> Value {
        self.push(json!({
            "source_labels": ["__address__", "__tmp_hash"], "target_label": "__tmp_hash",
            "regex": "(.+);", "replacement": "$1", "action": "replace",
        }));
        self.finish_shards("__tmp_hash")
    }

    /// The same for probes, which all have the prober's address.
    pub(super) fn finish_probe(self) -> Value {
        self.finish_shards("__param_target")
    }

    fn finish_shards(mut self, hashed: &str) -> Value {
        self.push(json!({
            "source_labels": [hashed], "target_label": "__tmp_hash", "modulus": 1,
            "action": "hashmod",
        }));
        self.push(json!({
            "source_labels": ["__tmp_hash", "__tmp_disable_sharding"],
            "regex": "0;|.+;.+", "action": "keep",
        }));
        Value::Array(self.0)
    }
}

/// Rules in the words of a prometheus.yml.
pub(super) fn relabelings(own: &[Relabeling]) -> Vec<Value> {
    let one = |rule: &Relabeling| {
        let mut out = Map::new();
        let mut set = |name: &str, value: Value| {
            out.insert(name.to_owned(), value);
        };
        if !rule.source_labels.is_empty() {
            set("source_labels", json!(rule.source_labels));
        }
        if let Some(separator) = &rule.separator {
            set("separator", json!(separator));
        }
        if !rule.target_label.is_empty() {
            set("target_label", json!(rule.target_label));
        }
        if !rule.regex.is_empty() {
            set("regex", json!(rule.regex));
        }
        if rule.modulus != 0 {
            set("modulus", json!(rule.modulus));
        }
        if let Some(replacement) = &rule.replacement {
            set("replacement", json!(replacement));
        }
        if !rule.action.is_empty() {
            set("action", json!(rule.action.to_lowercase()));
        }
        Value::Object(out)
    };
    own.iter().map(one).collect()
}
