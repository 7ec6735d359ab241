//! Which language a query speaks: data sources as `web/src/dashboard/schema/source.ts` reads them.

use std::collections::HashMap;

use serde_json::Value;

use super::references::references;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::commands) enum Kind {
    Prometheus,
    Loki,
    Grafana,
    Dashboard,
    Mixed,
    Unknown,
}

/// Names that stand for a data source: left open by an export, and variables of the dashboard.
#[derive(Debug, Default)]
pub(in crate::commands) struct Sources {
    inputs: HashMap<String, String>,
    variables: HashMap<String, String>,
}

impl Sources {
    pub(in crate::commands) fn of(dashboard: &Value) -> Self {
        let pairs = |list: &Value, kind: &str, value: &str| {
            let list = list.as_array().map_or(&[][..], Vec::as_slice);
            list.iter()
                .filter(|one| one["type"] == kind)
                .map(|one| (text(&one["name"]).to_owned(), text(&one[value]).to_owned()))
                .collect()
        };
        Self {
            inputs: pairs(&dashboard["__inputs"], "datasource", "pluginId"),
            variables: pairs(&dashboard["templating"]["list"], "datasource", "query"),
        }
    }

    pub(in crate::commands) fn kind(&self, of: &Value) -> Kind {
        if let Some(source) = of.as_object() {
            let uid = source.get("uid").and_then(Value::as_str);
            let kind = source.get("type").and_then(Value::as_str).unwrap_or("");
            if let Some(uid) = uid {
                if kind.is_empty() || uid.starts_with("-- ") {
                    return self.by_name(uid);
                }
                if let Some(plugin) = variable_name(uid).and_then(|name| self.inputs.get(name)) {
                    return kind_of(plugin);
                }
            }
            return kind_of(kind);
        }
        match of.as_str() {
            Some(name) if !name.is_empty() => self.by_name(name),
            _ => Kind::Prometheus,
        }
    }

    fn by_name(&self, name: &str) -> Kind {
        if let Some(variable) = variable_name(name) {
            let known = self.inputs.get(variable).or_else(|| self.variables.get(variable));
            return known.map_or_else(|| guess(variable, &["loki", "log"]), |kind| kind_of(kind));
        }
        match name {
            "-- Grafana --" | "grafana" => Kind::Grafana,
            "-- Mixed --" => Kind::Mixed,
            "-- Dashboard --" => Kind::Dashboard,
            _ => guess(name, &["loki"]),
        }
    }
}

fn guess(name: &str, loki: &[&str]) -> Kind {
    let name = name.to_ascii_lowercase();
    if loki.iter().any(|part| name.contains(part)) { Kind::Loki } else { Kind::Prometheus }
}

/// The name in `$name`, `${name}` or `[[name]]`, when the text is nothing else.
fn variable_name(text: &str) -> Option<&str> {
    let text = text.trim();
    references(text).next().filter(|found| found.whole == text).map(|found| found.name)
}

pub(super) fn kind_of(kind: &str) -> Kind {
    match kind {
        "prometheus" => Kind::Prometheus,
        "loki" => Kind::Loki,
        "datasource" | "grafana" => Kind::Grafana,
        "mixed" => Kind::Mixed,
        "" => Kind::Unknown,
        // Amazon's and other builds of the Prometheus data source speak the same API.
        other => {
            let other = other.to_ascii_lowercase();
            let same = ["prometheus", "mimir", "thanos", "victoriametrics"];
            if same.iter().any(|name| other.contains(name)) {
                Kind::Prometheus
            } else {
                Kind::Unknown
            }
        }
    }
}

/// What a file calls a data source, for people.
pub(super) fn source_name(of: &Value) -> String {
    match of {
        Value::Object(source) => {
            source.get("type").and_then(Value::as_str).unwrap_or("unknown").to_owned()
        }
        Value::String(name) => name.clone(),
        _ => "unknown".to_owned(),
    }
}

pub(super) fn text(of: &Value) -> &str {
    of.as_str().unwrap_or("")
}
