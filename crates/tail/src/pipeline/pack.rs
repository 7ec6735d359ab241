//! `pack`: extracted values move into the line, as JSON with the line under `_entry`; labels of their
//! names go.
//!
//! Labels that a line began with are extracted values. One that a stage made is not, and stays as it
//! is, as in Promtail's `pack.go`.

use std::sync::Arc;

use serde::Deserialize;

use crate::{
    entry::Entry,
    pipeline::{Cx, Stage, Verdict},
    text::Text,
};

#[derive(Debug, Clone)]
pub(crate) struct Pack {
    /// Sorted.
    pub(crate) labels: Arc<[Arc<str>]>,
    /// Whether the line gets the time of now, so that lines of one stream stay in order.
    pub(crate) ingest_timestamp: bool,
}

const ENTRY_KEY: &str = "_entry";

impl Stage for Pack {
    fn process(&mut self, cx: &Cx<'_>, entry: &mut Entry) -> Verdict {
        let mut packed = String::from("{");
        let mut put = |key: &str, value: &[u8]| {
            if packed.len() > 1 {
                packed.push(',');
            }
            packed.push_str(&json(key));
            packed.push(':');
            packed.push_str(&json(&String::from_utf8_lossy(value)));
        };
        let mut found = Vec::new();
        for name in &*self.labels {
            if let Some(value) = entry.text(name) {
                put(name, &value);
                found.push(name);
            }
        }
        put(ENTRY_KEY, &entry.line);
        packed.push('}');
        for name in found {
            entry.labels.set(Text::from(name), None);
        }
        entry.line = packed.into_bytes();
        if self.ingest_timestamp {
            entry.timestamp = cx.now;
        }
        Verdict::Next
    }

    fn fresh(&self) -> Box<dyn Stage> {
        Box::new(self.clone())
    }
}

fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The section, as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    labels: Vec<String>,
    ingest_timestamp: Option<bool>,
}

/// Makes the stage; nothing in its section can be wrong.
pub(crate) fn make(written: Option<Written>) -> Pack {
    let written = written.unwrap_or_default();
    let mut labels: Vec<Arc<str>> = written.labels.into_iter().map(Arc::from).collect();
    labels.sort();
    let ingest_timestamp = written.ingest_timestamp.unwrap_or(true);
    Pack { labels: labels.into(), ingest_timestamp }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::{labels::StaticLabels, testing::Runner};

    #[test]
    fn labels_move_into_the_line() {
        let f = |ingest_timestamp: bool, want: &str| {
            let labels = ["container", "gone", "pod"].map(Arc::from).into();
            let stage = Box::new(Pack { labels, ingest_timestamp });
            let labels = [("app", "api"), ("container", "c"), ("pod", "p-1")];
            let mut runner = Runner::new(vec![stage]).with_labels(&labels);
            runner.line("say \"hi\"");
            assert_eq!(runner.shown(), [want]);
        };
        let line = r#"{"container":"c","pod":"p-1","_entry":"say \"hi\""}"#;
        f(false, &format!(r#"0 {{app="api"}} {line}"#));
        f(true, &format!(r#"1000000000 {{app="api"}} {line}"#));
    }

    #[test]
    fn a_label_that_a_stage_made_stays() {
        let fixed = [("env", "prod"), ("pod", "new")].map(|(n, v)| (Arc::from(n), Arc::from(v)));
        let labels = ["env", "pod"].map(Arc::from).into();
        let stages: Vec<Box<dyn Stage>> = vec![
            Box::new(StaticLabels(fixed.into())),
            Box::new(Pack { labels, ingest_timestamp: false }),
        ];
        let mut runner = Runner::new(stages).with_labels(&[("pod", "p-1")]);
        runner.line("x");
        assert_eq!(runner.shown(), [r#"0 {env="prod"} {"pod":"p-1","_entry":"x"}"#]);
    }
}
