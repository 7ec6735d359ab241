//! The fields of a sample of lines (`pkg/querier/queryrange/detected_fields.go`).

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use masthead_logql::{
    LineEntry, LineLabels, Lines, Pair,
    stages::{DUPLICATE_SUFFIX, Group, Json, Keep, Line, Logfmt, LogfmtFlags, Needed, Stage as _},
};
use masthead_model::{GoDuration, Labels};
use masthead_ports::{QueryCtx, QueryError};
use masthead_template::go;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

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
    ///
    /// # Errors
    /// The query may not go on: a line of a thousand fields takes long.
    pub(super) fn of(ctx: &QueryCtx, sample: &Lines) -> Result<Self, QueryError> {
        let mut fields = Self::default();
        let needed = Needed::everything();
        // Loki goes through the lines by their labels, and the last that has a field decides what
        // it is.
        for (_, entries) in sample.grouped(LineLabels::all) {
            let Some(labels) = entries.first().and_then(|entry| sample.labels.get(entry.labels))
            else {
                continue;
            };
            let (stream, metadata) = (set_of(&labels.stream), set_of(&labels.metadata));
            let mut line = Line::new(&needed);
            for entry in entries {
                ctx.check()?;
                fields.add_line(&mut line, &stream, &metadata, entry, labels);
            }
        }
        Ok(fields)
    }

    fn add_line<'a>(
        &mut self,
        line: &mut Line<'a>,
        stream: &'a Labels,
        metadata: &'a Labels,
        entry: &'a LineEntry,
        labels: &LineLabels,
    ) {
        self.add_metadata(labels);
        line.reset(stream, Some(metadata), &entry.text, entry.at.0);
        if Json.process(line) == Keep::Yes && line.error().is_none() {
            return self.add_parsed(line, "json", &paths(&entry.text));
        }
        line.reset(stream, Some(metadata), &entry.text, entry.at.0);
        let logfmt = Logfmt::new(LogfmtFlags::default());
        if logfmt.process(line) == Keep::Yes && line.error().is_none() {
            return self.add_parsed(line, "logfmt", &BTreeMap::new());
        }
        for pair in &labels.parsed {
            self.add(&pair.0, &text(pair), None);
        }
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
            if parser == "json" {
                let own = label.name.strip_suffix(DUPLICATE_SUFFIX);
                let path = paths.get(label.name).or_else(|| paths.get(own?));
                // The stage reads lines that no other parser does; most fields are not nested.
                field.path =
                    path.cloned().unwrap_or_else(|| vec![own.unwrap_or(label.name).to_owned()]);
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
        field.kind = kind(value);
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

fn set_of(pairs: &[Pair]) -> Labels {
    pairs.iter().map(|pair| (pair.0.as_ref(), text(pair))).collect()
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

/// Where in a JSON line each label comes from; of keys that become one label the first.
fn paths(line: &[u8]) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    if let Ok(Node::Object(members)) = serde_json::from_slice(line) {
        walk(&members, "", &mut Vec::new(), &mut found);
    }
    found
}

/// A value of which only the keys matter, in the order in which they stand.
#[derive(Debug)]
enum Node {
    Object(Vec<(String, Node)>),
    Other,
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Node, M::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Node::Object(members))
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Node, S::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Node::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_str<E>(self, _: &str) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Other)
    }
}

fn walk(
    members: &[(String, Node)],
    prefix: &str,
    path: &mut Vec<String>,
    found: &mut BTreeMap<String, Vec<String>>,
) {
    if path.len() == DEPTH_MAX {
        return;
    }
    for (key, value) in members {
        let name = label_name(prefix, key);
        path.push(key.clone());
        match value {
            Node::Object(inner) => walk(inner, &name, path, found),
            Node::Other if !found.contains_key(&name) => drop(found.insert(name, path.clone())),
            Node::Other => {}
        }
        path.pop();
    }
}

/// The name of the label that a key becomes, as the stage `json` makes it.
fn label_name(prefix: &str, key: &str) -> String {
    let mut name = prefix.to_owned();
    // Between two names, and before a digit that would begin one.
    if !prefix.is_empty() || key.starts_with(|c: char| c.is_ascii_digit()) {
        name.push('_');
    }
    name.extend(
        key.trim().chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }),
    );
    name
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use masthead_model::Nanos;
    use masthead_ports::QueryLimits;
    use masthead_sysio::SimClock;

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

    fn fields_of(lines: &[&str]) -> Fields {
        let ctx = QueryCtx::new(Arc::new(SimClock::default()), QueryLimits::default());
        Fields::of(&ctx, &sample(lines)).expect("in time")
    }

    #[test]
    fn whoever_has_no_time_left_gets_no_fields() {
        let limits = QueryLimits { timeout: Duration::from_secs(1), ..QueryLimits::default() };
        let clock = Arc::new(SimClock::default());
        let ctx = QueryCtx::new(Arc::clone(&clock) as _, limits);
        clock.advance(Duration::from_secs(2));
        assert!(matches!(Fields::of(&ctx, &sample(&["a=b"])), Err(QueryError::Timeout)));
    }

    #[test]
    fn fields_of_json_logfmt_and_metadata() {
        let lines = [
            r#"{"n":1,"o":{"k.y":"x","d":"5ms"},"app":"inner","1st":true}"#,
            r#"{"n":2,"o":{"k.y":"x"}}"#,
            "n=3 size=5KB",
        ];
        let known = fields_of(&lines).known(100);
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
        assert_eq!(fields_of(&lines).values("n", 2), ["1", "2"]);
        assert_eq!(fields_of(&lines).values("none", 2), Vec::<String>::new());
    }
}
