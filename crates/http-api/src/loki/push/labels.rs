//! The labels of a pushed stream: the service's name, and the rules for all of them.
//!
//! Facts: `pkg/loghttp/push/push.go`, `pkg/distributor/validator.go`, `pkg/validation/validate.go`.

use std::borrow::Cow;

use masthead_model::{Labels, LabelsError};
use masthead_wire::loki::{Pair, StreamLabels, label_text};

use crate::limits::LogLimits;

/// The label that says which service a stream is of; Grafana's pages begin with it.
const SERVICE_NAME: &str = "service_name";
const UNKNOWN_SERVICE: &str = "unknown_service";

/// Why a stream was refused: the reason for its counter, and Loki's text.
pub(super) type Why = (&'static str, String);

/// Reads, completes and checks the labels of a stream.
pub(super) fn stream_labels(sent: StreamLabels<'_>, limits: &LogLimits) -> Result<Labels, Why> {
    let mut pairs = sent.read().map_err(|error| ("invalid_labels", error.to_string()))?;
    pairs.retain(|(_, value)| !value.is_empty());
    name_service(&mut pairs, &limits.discover_service_name);
    check(&pairs, limits)?;
    Labels::from_pairs(&mut pairs).map_err(|error| {
        let text = match error {
            LabelsError::Duplicate { name } => {
                format!("stream '{}' has duplicate label name: '{name}'", shown(&pairs))
            }
            other => other.to_string(),
        };
        ("duplicate_label_names", text)
    })
}

/// Adds the service's name from the first of `discover` that is there.
fn name_service(pairs: &mut Vec<Pair<'_>>, discover: &[String]) {
    if discover.is_empty() || pairs.iter().any(|(name, _)| name == SERVICE_NAME) {
        return;
    }
    let value = |wanted: &String| pairs.iter().find(|(name, _)| name == wanted.as_str());
    let found = discover.iter().find_map(value).map(|(_, value)| value.clone());
    pairs.push((SERVICE_NAME.into(), found.unwrap_or_else(|| UNKNOWN_SERVICE.into())));
}

/// The service's name that labels lack, by the same rule.
pub(in crate::loki) fn service_of(labels: &Labels, limits: &LogLimits) -> Option<String> {
    let discover = &limits.discover_service_name;
    if discover.is_empty() || labels.get(SERVICE_NAME).is_some() {
        return None;
    }
    let found = discover.iter().find_map(|name| labels.get(name));
    Some(found.unwrap_or(UNKNOWN_SERVICE).to_owned())
}

/// The rule that labels do not keep, for whoever has no use for Loki's text.
pub(in crate::loki) fn broken_rule(labels: &Labels, limits: &LogLimits) -> Option<&'static str> {
    let pairs: Vec<Pair<'_>> =
        labels.iter().map(|label| (label.name.into(), label.value.into())).collect();
    check(&pairs, limits).err().map(|(reason, _)| reason)
}

fn check(pairs: &[Pair<'_>], limits: &LogLimits) -> Result<(), Why> {
    if pairs.is_empty() {
        let text = "error at least one label pair is required per stream";
        return Err(("missing_labels", text.to_owned()));
    }
    let names = pairs.iter().filter(|(name, _)| name != SERVICE_NAME).count();
    if names > limits.label_names {
        let (stream, limit) = (shown(pairs), limits.label_names);
        let text = format!("entry for stream '{stream}' has {names} label names; limit {limit}");
        return Err(("max_label_names_per_series", text));
    }
    for (name, value) in pairs {
        if name.len() > limits.label_name_bytes {
            let (stream, name) = (shown(pairs), clipped(name));
            let text = format!("stream '{stream}' has label name too long: '{name}'");
            return Err(("label_name_too_long", text));
        }
        if value.len() > limits.label_value_bytes {
            let (stream, value) = (shown(pairs), clipped(value));
            let text = format!("stream '{stream}' has label value too long: '{value}'");
            return Err(("label_value_too_long", text));
        }
    }
    Ok(())
}

/// Of a name or value in a message, so that what is wrong with it is still in the answer.
const SHOWN_BYTES_MAX: usize = 100;

/// The beginning of a text that is too long to be shown.
fn clipped(text: &str) -> Cow<'_, str> {
    let end = text.floor_char_boundary(SHOWN_BYTES_MAX);
    match text.get(..end) {
        Some(start) if end < text.len() => Cow::Owned(format!("{start}…")),
        _ => Cow::Borrowed(text),
    }
}

/// A stream as Loki names it in messages.
fn shown(pairs: &[Pair<'_>]) -> String {
    let pairs: Vec<_> = pairs.iter().map(|(n, v)| (clipped(n), clipped(v))).collect();
    let mut pairs: Vec<_> = pairs.iter().map(|(n, v)| (n.as_ref(), v.as_ref())).collect();
    pairs.sort_unstable();
    label_text(pairs)
}

/// The same of labels that passed.
pub(super) fn shown_labels(labels: &Labels) -> String {
    label_text(labels.iter().map(|label| (label.name, label.value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        let limits = LogLimits { label_names: 2, label_name_bytes: 12, ..LogLimits::default() };
        let labels = stream_labels(StreamLabels::Text(text), &limits);
        labels
            .map(|labels| shown_labels(&labels))
            .map_err(|(reason, why)| format!("{reason}: {why}"))
    }

    #[test]
    fn a_stream_gets_the_name_of_its_service() {
        let f = |text: &str, want: &str| assert_eq!(read(text).as_deref(), Ok(want), "{text}");
        f("{}", r#"{service_name="unknown_service"}"#);
        f(r#"{z="1"}"#, r#"{service_name="unknown_service", z="1"}"#);
        f(r#"{container="c", app="a"}"#, r#"{app="a", container="c", service_name="a"}"#);
        f(r#"{app="", job="j"}"#, r#"{job="j", service_name="j"}"#);
        f(r#"{app="a", service_name="s"}"#, r#"{app="a", service_name="s"}"#);
    }

    #[test]
    fn the_rules_have_lokis_texts() {
        let f = |text: &str, want: &str| {
            let got = read(text).expect_err(want);
            assert!(got.contains(want), "{got}");
        };
        f(
            "{c=\"1\", b=\"1\", a=\"1\"}",
            "max_label_names_per_series: entry for stream '{a=\"1\", b=\"1\", c=\"1\", service_name=\"unknown_service\"}' has 3 label names; limit 2",
        );
        f(
            "{nnnnnnnnnnnnn=\"1\"}",
            "label_name_too_long: stream '{nnnnnnnnnnnnn=\"1\", service_name=\"unknown_service\"}' has label name too long: 'nnnnnnnnnnnnn'",
        );
        f(&format!("{{a=\"{}\"}}", "v".repeat(2049)), "has label value too long: 'vvv");
        f("{a=\"1\", a=\"2\"}", "' has duplicate label name: 'a'");
        f(
            "{a-b=\"1\"}",
            "invalid_labels: couldn't parse labels: 1:3: parse error: unexpected character inside braces: '-'",
        );
        let off = LogLimits { discover_service_name: Vec::new(), ..LogLimits::default() };
        let (reason, _) = stream_labels(StreamLabels::Text("{}"), &off).expect_err("no labels");
        assert_eq!(reason, "missing_labels");
    }
}
