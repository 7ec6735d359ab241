//! OTLP logs as Loki stores them.
//!
//! A body becomes a [`Push`]: a few well-known resource attributes are labels of a stream, all
//! else that is said about a record is structured metadata of its line; the body is the line.
//! Names are not made to fit here, see [`metadata_name`](crate::loki::metadata_name). Both
//! encodings are read into the same small messages first: protobuf in `logs/protobuf.rs`, JSON
//! in `logs/json.rs`. Facts: `pkg/loghttp/push/otlp.go` of Loki, `logs.proto`.

use std::borrow::Cow;

use masthead_model::Nanos;
use serde_json::Value;

use super::{envelope, message::number};
use crate::{
    Error, Limits,
    loki::{Pair, Push, PushStream, StreamLabels, metadata_name},
};

mod json;
mod protobuf;

/// Resource attributes that are labels of the stream; Loki's default
/// (`default_resource_attributes_as_index_labels`).
const INDEX_ATTRIBUTES: [&str; 18] = [
    "service.name",
    "service.namespace",
    "service.instance.id",
    "deployment.environment",
    "deployment.environment.name",
    "cloud.region",
    "cloud.availability_zone",
    "k8s.cluster.name",
    "k8s.namespace.name",
    "k8s.pod.name",
    "k8s.container.name",
    "container.name",
    "k8s.replicaset.name",
    "k8s.deployment.name",
    "k8s.statefulset.name",
    "k8s.daemonset.name",
    "k8s.cronjob.name",
    "k8s.job.name",
];

/// The label that says which service a stream is of.
const SERVICE_NAME: &str = "service_name";

type Attributes<'a> = envelope::Attributes<'a, Value>;

type Resource<'a> = envelope::Resource<'a, Value, Record<'a>>;

type Scope<'a> = envelope::Scope<'a, Value, Record<'a>>;

#[derive(Debug, Default)]
struct Record<'a> {
    time: u64,
    observed: u64,
    severity_number: u64,
    severity_text: Cow<'a, str>,
    body: Body<'a>,
    attributes: Attributes<'a>,
    dropped: u64,
    flags: u64,
    /// Hexadecimal; empty if there is none.
    trace_id: String,
    span_id: String,
    event_name: Cow<'a, str>,
}

/// A text, which nearly every body is, is not copied.
#[derive(Debug)]
enum Body<'a> {
    Text(Cow<'a, str>),
    Other(Value),
}

impl Default for Body<'_> {
    fn default() -> Self {
        Self::Text(Cow::Borrowed(""))
    }
}

/// Reads an `ExportLogsServiceRequest` in protobuf. Where no resource attribute names the
/// service, the first of `discover` that is there does.
///
/// # Errors
/// [`Error::Proto`] if it is none; [`Error::Limit`].
pub fn decode_protobuf<'a>(
    body: &'a [u8],
    discover: &[String],
    limits: &Limits,
) -> Result<Push<'a>, Error> {
    limits.check_body(body.len())?;
    Ok(translate(protobuf::request(body)?, discover))
}

/// Reads an `ExportLogsServiceRequest` in JSON, as [`decode_protobuf`] does.
///
/// # Errors
/// [`Error::Json`] if it is none; [`Error::Limit`].
pub fn decode_json(
    body: &[u8],
    discover: &[String],
    limits: &Limits,
) -> Result<Push<'static>, Error> {
    limits.check_body(body.len())?;
    let value = serde_json::from_slice(body).map_err(|error| Error::Json(error.to_string()))?;
    Ok(translate(json::request(&value)?, discover))
}

fn translate<'a>(resources: Vec<Resource<'a>>, discover: &[String]) -> Push<'a> {
    let streams = resources.into_iter().filter(|r| r.scopes.iter().any(|s| !s.items.is_empty()));
    Push { streams: streams.map(|resource| stream(resource, discover)).collect() }
}

fn stream<'a>(resource: Resource<'a>, discover: &[String]) -> PushStream<'a> {
    let mut labels: Vec<Pair<'a>> = Vec::new();
    let mut shared = Vec::new();
    for (key, value) in resource.attributes {
        if INDEX_ATTRIBUTES.contains(&key.as_ref()) {
            let name = key.replace('.', "_").into();
            labels.push((name, text(&value).into()));
        } else {
            flatten(key, value, &mut shared);
        }
    }
    if !labels.iter().any(|(name, _)| name == SERVICE_NAME) {
        let named = |wanted: &String| {
            let fits = |(name, _): &&Pair<'_>| metadata_name(name).is_ok_and(|n| n == **wanted);
            labels.iter().chain(&shared).find(fits).map(|(_, value)| value.clone())
        };
        if let Some(value) = discover.iter().find_map(named) {
            labels.push((SERVICE_NAME.into(), value));
        }
    }
    let mut stream = PushStream { labels: StreamLabels::Pairs(labels), ..PushStream::default() };
    for scope in resource.scopes {
        let own = stream_of_scope(&scope);
        for record in scope.items {
            let first = stream.pairs.len();
            stream.pairs.extend(shared.iter().chain(&own).cloned());
            let (timestamp, line) = entry(record, &mut stream.pairs);
            stream.push(timestamp, line, first);
        }
    }
    stream
}

fn stream_of_scope<'a>(scope: &Scope<'a>) -> Vec<Pair<'a>> {
    let mut pairs = Vec::new();
    for (key, value) in &scope.attributes {
        flatten(key.clone(), value.clone(), &mut pairs);
    }
    push(&mut pairs, "scope_name", scope.name.clone());
    push(&mut pairs, "scope_version", scope.version.clone());
    push_count(&mut pairs, "scope_dropped_attributes_count", scope.dropped);
    pairs
}

fn entry<'a>(record: Record<'a>, pairs: &mut Vec<Pair<'a>>) -> (Nanos, Cow<'a, [u8]>) {
    for (key, value) in record.attributes {
        flatten(key, value, pairs);
    }
    push_count(pairs, "dropped_attributes_count", record.dropped);
    push_count(pairs, "flags", record.flags);
    if record.time != 0 {
        push_count(pairs, "observed_timestamp", record.observed);
    }
    push_count(pairs, "severity_number", record.severity_number);
    push(pairs, "severity_text", record.severity_text);
    push(pairs, "event_name", record.event_name);
    push(pairs, "span_id", record.span_id.into());
    push(pairs, "trace_id", record.trace_id.into());
    let time = if record.time == 0 { record.observed } else { record.time };
    let line = match record.body {
        Body::Text(Cow::Borrowed(text)) => Cow::Borrowed(text.as_bytes()),
        Body::Text(Cow::Owned(text)) => Cow::Owned(text.into_bytes()),
        Body::Other(value) => Cow::Owned(text(&value).into_bytes()),
    };
    (Nanos(i64::try_from(time).unwrap_or(i64::MAX)), line)
}

fn push<'a>(pairs: &mut Vec<Pair<'a>>, name: &'static str, value: Cow<'a, str>) {
    if !value.is_empty() {
        pairs.push((name.into(), value));
    }
}

fn push_count(pairs: &mut Vec<Pair<'_>>, name: &'static str, count: u64) {
    if count != 0 {
        pairs.push((name.into(), count.to_string().into()));
    }
}

/// A map becomes one pair for each of its values, its own key in front. Its depth was limited
/// when it was read.
fn flatten<'a>(key: Cow<'a, str>, value: Value, out: &mut Vec<Pair<'a>>) {
    if let Value::Object(map) = value {
        for (inner, value) in map {
            flatten(format!("{key}_{inner}").into(), value, out);
        }
    } else {
        out.push((key, text(&value).into()));
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(n) if n.is_f64() => n.as_f64().map_or_else(String::new, number),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
