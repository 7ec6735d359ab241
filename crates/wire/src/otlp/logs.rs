//! OTLP logs as Loki stores them.
//!
//! A body becomes a [`Push`]: a few well-known resource attributes are labels of a stream, all
//! else that is said about a record is structured metadata of its line; the body is the line.
//! Names are not made to fit here, see [`metadata_name`](crate::loki::metadata_name). Both
//! encodings are read into the same small messages first: protobuf in `logs/protobuf.rs`, JSON
//! in `logs/json.rs`. What all records of a resource share is copied for each of them, so that is
//! counted again: few bytes must not become many pairs. Facts: `pkg/loghttp/push/otlp.go` and
//! `otlplabels/labels.go` of Loki, `logs.proto`.

use std::borrow::Cow;

use masthead_model::Nanos;

use super::{
    envelope::{self, Budget},
    json::request,
    message::Text,
    value::Any,
};
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

/// The attribute that says which service a resource is of.
const SERVICE_ATTRIBUTE: &str = "service.name";

/// The label that says which service a stream is of.
const SERVICE_NAME: &str = "service_name";

/// What an event is called, as metadata.
const EVENT_NAME: &str = "event_name";

/// Bytes beside the body that count for an item more.
const ITEM_BYTES: usize = 64;

type Attributes<'a> = envelope::Attributes<'a, Any<'a>>;

type Resource<'a> = envelope::Resource<'a, Any<'a>, Record<'a>>;

type Scope<'a> = envelope::Scope<'a, Any<'a>, Record<'a>>;

#[derive(Debug, Default)]
struct Record<'a> {
    time: u64,
    observed: u64,
    severity_number: u64,
    severity_text: Text<'a>,
    body: Any<'a>,
    attributes: Attributes<'a>,
    dropped: u64,
    flags: u64,
    /// Hexadecimal; empty if there is none.
    trace_id: String,
    span_id: String,
    event_name: Text<'a>,
}

/// Reads an `ExportLogsServiceRequest` in protobuf. Where the resource does not name the service,
/// the first of its attributes that is a label and among `discover` does. A record that says neither when it was
/// written nor when it was seen is of `now`.
///
/// # Errors
/// [`Error::Proto`] if it is none; [`Error::Limit`].
pub fn decode_protobuf<'a>(
    body: &'a [u8],
    discover: &[String],
    now: Nanos,
    limits: &Limits,
) -> Result<Push<'a>, Error> {
    limits.check_body(body.len())?;
    translate(protobuf::request(body)?, discover, now)
}

/// Reads an `ExportLogsServiceRequest` in JSON, as [`decode_protobuf`] does. The body is changed:
/// texts are unescaped where they stand.
///
/// # Errors
/// [`Error::Json`] if it is none; [`Error::Limit`].
pub fn decode_json<'a>(
    body: &'a mut [u8],
    discover: &[String],
    now: Nanos,
    limits: &Limits,
) -> Result<Push<'a>, Error> {
    limits.check_body(body.len())?;
    translate(request::<protobuf::Logs>(body)?, discover, now)
}

fn translate<'a>(
    resources: Vec<Resource<'a>>,
    discover: &[String],
    now: Nanos,
) -> Result<Push<'a>, Error> {
    let mut budget = Budget::default();
    let streams = resources.into_iter().filter(|r| r.scopes.iter().any(|s| !s.items.is_empty()));
    let streams = streams.map(|resource| stream(resource, discover, now, &mut budget));
    Ok(Push { streams: streams.collect::<Result<_, _>>()? })
}

fn stream<'a>(
    resource: Resource<'a>,
    discover: &[String],
    now: Nanos,
    budget: &mut Budget,
) -> Result<PushStream<'a>, Error> {
    let mut labels: Vec<Pair<'a>> = Vec::new();
    let mut shared = Vec::new();
    let says = |(key, value): &(Text<'_>, Any<'_>)| key == SERVICE_ATTRIBUTE && !value.is_blank();
    let mut named = resource.attributes.iter().any(says);
    for (key, value) in resource.attributes {
        if !INDEX_ATTRIBUTES.contains(&key.as_ref()) {
            flatten(key, value, &mut shared, budget)?;
            continue;
        }
        let first = labels.len();
        flatten(key, value, &mut labels, budget)?;
        let mut service = None;
        for (name, value) in labels.get_mut(first..).unwrap_or_default() {
            // Nothing can be made of a name in a map: its stream is refused for it.
            if let Ok(fit) = metadata_name(name) {
                *name = fit.into_owned().into();
            }
            if !named && discover.iter().any(|wanted| wanted == name) {
                service = Some(value.clone());
                named = true;
            }
        }
        labels.extend(service.map(|value| (SERVICE_NAME.into(), value)));
    }
    let mut stream = PushStream { labels: StreamLabels::Pairs(labels), ..PushStream::default() };
    let of_resource = shared.len();
    for mut scope in resource.scopes {
        shared.truncate(of_resource);
        pairs_of_scope(&mut scope, &mut shared, budget)?;
        let cost = shared.iter().map(cost).sum();
        for record in scope.items {
            // Before they are copied.
            budget.spend(cost)?;
            let first = stream.pairs.len();
            stream.pairs.extend_from_slice(&shared);
            let (timestamp, line) = entry(record, now, &mut stream.pairs, budget)?;
            stream.push(timestamp, line, first);
        }
    }
    Ok(stream)
}

fn pairs_of_scope<'a>(
    scope: &mut Scope<'a>,
    pairs: &mut Vec<Pair<'a>>,
    budget: &mut Budget,
) -> Result<(), Error> {
    for (key, value) in std::mem::take(&mut scope.attributes) {
        flatten(key, value, pairs, budget)?;
    }
    push(pairs, "scope_name", std::mem::take(&mut scope.name));
    push(pairs, "scope_version", std::mem::take(&mut scope.version));
    push_count(pairs, "scope_dropped_attributes_count", scope.dropped);
    Ok(())
}

fn entry<'a>(
    record: Record<'a>,
    now: Nanos,
    pairs: &mut Vec<Pair<'a>>,
    budget: &mut Budget,
) -> Result<(Nanos, Cow<'a, [u8]>), Error> {
    for (key, value) in record.attributes {
        // The field of that name counts.
        if key == EVENT_NAME && !record.event_name.is_empty() {
            continue;
        }
        flatten(key, value, pairs, budget)?;
    }
    push_count(pairs, "dropped_attributes_count", record.dropped);
    push_count(pairs, "flags", record.flags);
    if record.time != 0 {
        push_count(pairs, "observed_timestamp", record.observed);
    }
    push_count(pairs, "severity_number", record.severity_number);
    push(pairs, "severity_text", record.severity_text);
    push(pairs, EVENT_NAME, record.event_name);
    push(pairs, "span_id", record.span_id.into());
    push(pairs, "trace_id", record.trace_id.into());
    let nanos = |time| Nanos(i64::try_from(time).unwrap_or(i64::MAX));
    let time = match (record.time, record.observed) {
        (0, 0) => now,
        (0, observed) => nanos(observed),
        (time, _) => nanos(time),
    };
    Ok((time, record.body.into_line()))
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
fn flatten<'a>(
    key: Text<'a>,
    value: Any<'a>,
    out: &mut Vec<Pair<'a>>,
    budget: &mut Budget,
) -> Result<(), Error> {
    if let Any::Map(map) = value {
        for (inner, value) in map {
            // Before the key in front is copied, which may be long.
            budget.spend(1 + (key.len() + inner.len()) / ITEM_BYTES)?;
            flatten(format!("{key}_{inner}").into(), value, out, budget)?;
        }
    } else {
        let pair = (key, value.into_text());
        budget.spend(cost(&pair))?;
        out.push(pair);
    }
    Ok(())
}

/// The items that a pair counts for: itself, and what it does not borrow from the body.
fn cost((name, value): &Pair<'_>) -> usize {
    let owned = |text: &Text<'_>| match text {
        Cow::Borrowed(_) => 0,
        Cow::Owned(text) => text.len(),
    };
    1 + (owned(name) + owned(value)) / ITEM_BYTES
}

#[cfg(test)]
mod tests;
