//! The fields of a sample of lines (`pkg/querier/queryrange/detected_fields.go`).

use std::collections::{BTreeMap, BTreeSet};

use masthead_logql::{
    LineLabels, Lines, Pair,
    stages::{DUPLICATE_SUFFIX, Group, Json, Keep, Line, Logfmt, LogfmtFlags, Needed, Stage as _},
};
use masthead_model::{GoDuration, Labels};
use masthead_template::go;
use serde::Serialize;
use serde_json::Value;

/// Values of one field that are told apart; more are not counted.
const VALUES_MAX: usize = 10_000;
/// Fields that are told apart; more are not looked at.
const FIELDS_MAX: usize = 10_000;
/// Objects in objects that paths are made for.
const DEPTH_MAX: usize = 32;

/// Everything found in a sample.
#[derive(Debug, Default)]
pub(super) struct Fields {
    fields: BTreeMap<String, Field>,
}

#[derive(Debug, Default)]
struct Field {
    kind: &'static str,
    values: BTreeSet<String>,
    parsers: BTreeSet<&'static str>,
    path: Vec<String>,
}

/// What is told of a field.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Known {
    label: String,
    #[serde(rename = "type")]
    kind: &'static str,
    cardinality: usize,
    /// None for structured metadata.
    parsers: Option<Vec<&'static str>>,
    #[serde(rename = "jsonPath", skip_serializing_if = "Vec::is_empty")]
    path: Vec<String>,
}

impl Fields {
    /// The fields of these lines.
    pub(super) fn of(sample: &Lines) -> Self {
        let mut fields = Self::default();
        let needed = Needed::everything();
        let streams: Vec<Labels> = sample.labels.iter().map(stream_labels).collect();
        for entry in &sample.entries {
            let known = sample.labels.get(entry.labels).zip(streams.get(entry.labels));
            let Some((labels, stream)) = known else { continue };
            fields.add_metadata(labels);
            let mut line = Line::new(&needed);
            line.reset(stream, None, &entry.text, entry.at.0);
            let json = Json.process(&mut line) == Keep::Yes && line.error().is_none();
            if json {
                let paths = paths(&entry.text);
                fields.add_parsed(&line, "json", &paths);
                continue;
            }
            line.reset(stream, None, &entry.text, entry.at.0);
            let logfmt = Logfmt::new(LogfmtFlags::default());
            if logfmt.process(&mut line) == Keep::Yes && line.error().is_none() {
                fields.add_parsed(&line, "logfmt", &BTreeMap::new());
            } else {
                for pair in &labels.parsed {
                    fields.add(&pair.0, &text(pair), None);
                }
            }
        }
        fields
    }

    fn add_metadata(&mut self, labels: &LineLabels) {
        for pair in &labels.metadata {
            self.add(&pair.0, &text(pair), None);
        }
    }

    fn add_parsed(
        &mut self,
        line: &Line<'_>,
        parser: &'static str,
        paths: &BTreeMap<String, Vec<String>>,
    ) {
        for label in line.labels().filter(|label| label.group == Group::Parsed) {
            if label.name.starts_with("__error") {
                continue;
            }
            let value = String::from_utf8_lossy(label.value);
            let Some(field) = self.add(label.name, &value, Some(parser)) else { continue };
            if field.path.is_empty() {
                let own = label.name.strip_suffix(DUPLICATE_SUFFIX);
                let path = paths.get(label.name).or_else(|| paths.get(own?));
                field.path = path.cloned().unwrap_or_default();
            }
        }
    }

    fn add(&mut self, name: &str, value: &str, parser: Option<&'static str>) -> Option<&mut Field> {
        if !self.fields.contains_key(name) {
            if self.fields.len() == FIELDS_MAX {
                return None;
            }
            self.fields.insert(name.to_owned(), Field::default());
        }
        let field = self.fields.get_mut(name)?;
        field.parsers.extend(parser);
        if field.kind.is_empty() {
            field.kind = kind(value);
        }
        if field.values.len() < VALUES_MAX && !field.values.contains(value) {
            field.values.insert(value.to_owned());
        }
        Some(field)
    }

    /// What is told of each field, by name.
    pub(super) fn known(self, limit: usize) -> Vec<Known> {
        let known = self.fields.into_iter().take(limit).map(|(label, field)| Known {
            label,
            kind: field.kind,
            cardinality: field.values.len(),
            parsers: (!field.parsers.is_empty()).then(|| field.parsers.into_iter().collect()),
            path: field.path,
        });
        known.collect()
    }

    /// The values of one field.
    pub(super) fn values(mut self, name: &str, limit: usize) -> Vec<String> {
        let field = self.fields.remove(name).unwrap_or_default();
        field.values.into_iter().take(limit).collect()
    }
}

fn stream_labels(labels: &LineLabels) -> Labels {
    labels.stream.iter().map(|pair| (pair.0.as_ref(), text(pair))).collect()
}

fn text(pair: &Pair) -> String {
    String::from_utf8_lossy(&pair.1).into_owned()
}

/// What a value looks like.
fn kind(value: &str) -> &'static str {
    if value.parse::<i64>().is_ok() {
        "int"
    } else if go::parse_float(value.as_bytes()).is_ok() {
        "float"
    } else if matches!(
        value,
        "t" | "T" | "true" | "TRUE" | "True" | "f" | "F" | "false" | "FALSE" | "False"
    ) {
        "boolean"
    } else if GoDuration::parse(value).is_ok() {
        "duration"
    } else if go::parse_bytes(value.as_bytes()).is_ok() {
        "bytes"
    } else {
        "string"
    }
}

/// Where in a JSON line each label comes from.
fn paths(line: &[u8]) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    if let Ok(Value::Object(object)) = serde_json::from_slice(line) {
        walk(&object, "", &mut Vec::new(), &mut found);
    }
    found
}

fn walk(
    object: &serde_json::Map<String, Value>,
    prefix: &str,
    path: &mut Vec<String>,
    found: &mut BTreeMap<String, Vec<String>>,
) {
    if path.len() == DEPTH_MAX {
        return;
    }
    for (key, value) in object {
        let name = label_name(prefix, key);
        path.push(key.clone());
        match value {
            Value::Object(inner) => walk(inner, &name, path, found),
            _ if !found.contains_key(&name) => drop(found.insert(name, path.clone())),
            _ => {}
        }
        path.pop();
    }
}

/// The name of the label that a key becomes, as the stage `json` makes it.
fn label_name(prefix: &str, key: &str) -> String {
    let mut name = prefix.to_owned();
    if !prefix.is_empty() {
        name.push('_');
    } else if key.starts_with(|c: char| c.is_ascii_digit()) {
        name.push('_');
    }
    name.extend(
        key.trim().chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }),
    );
    name
}

#[cfg(test)]
mod tests {
    use masthead_logql::LineEntry;
    use masthead_model::Nanos;

    use super::*;

    fn sample(lines: &[&str]) -> Lines {
        let pair = |name: &str, value: &str| (name.into(), value.as_bytes().into());
        let labels = LineLabels {
            stream: vec![pair("app", "a")],
            metadata: vec![pair("detected_level", "info")],
            parsed: Vec::new(),
        };
        let entry =
            |line: &&str| LineEntry { labels: 0, at: Nanos(1), text: line.as_bytes().into() };
        Lines { labels: vec![labels], entries: lines.iter().map(entry).collect() }
    }

    #[test]
    fn fields_of_json_logfmt_and_metadata() {
        let lines = [
            r#"{"n":1,"o":{"k.y":"x","d":"5ms"},"app":"inner","1st":true}"#,
            r#"{"n":2,"o":{"k.y":"x"}}"#,
            "n=3 size=5KB",
        ];
        let known = Fields::of(&sample(&lines)).known(100);
        let shown: Vec<_> = known
            .iter()
            .map(|f| {
                let parsers = f.parsers.as_ref().map(|parsers| parsers.join("+"));
                let parsers = parsers.unwrap_or_else(|| "-".to_owned());
                format!("{} {} {} {parsers} {}", f.label, f.kind, f.cardinality, f.path.join("/"))
            })
            .collect();
        let want = [
            "_1st boolean 1 json 1st",
            "app_extracted string 1 json app",
            "detected_level string 1 - ",
            "n int 3 json+logfmt n",
            "o_d duration 1 json o/d",
            "o_k_y string 1 json o/k.y",
            "size bytes 1 logfmt ",
        ];
        assert_eq!(shown, want);
        assert_eq!(Fields::of(&sample(&lines)).values("n", 2), ["1", "2"]);
        assert_eq!(Fields::of(&sample(&lines)).values("none", 2), Vec::<String>::new());
    }
}
