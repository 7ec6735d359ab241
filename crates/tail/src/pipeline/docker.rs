//! `docker`: lines of the `json-file` logging driver: `{"log": "…\n", "stream": "…", "time": "…"}`.
//!
//! Promtail's is the stages `json`, `labels`, `timestamp` and `output` in a row; this does the same
//! in one pass.

use std::{borrow::Cow, sync::Arc};

use masthead_model::Nanos;
use serde::Deserialize;

use crate::{
    entry::{Entry, Value},
    pipeline::{Cx, Stage, Verdict},
    text::Text,
};

#[derive(Debug, Clone)]
pub(crate) struct Docker {
    output: Arc<str>,
    stream: Arc<str>,
    timestamp: Arc<str>,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    log: Option<Cow<'a, str>>,
    #[serde(borrow)]
    stream: Option<Cow<'a, str>>,
    #[serde(borrow)]
    time: Option<Cow<'a, str>>,
}

impl Docker {
    pub(crate) fn new() -> Self {
        let [output, stream, timestamp] = ["output", "stream", "timestamp"].map(Arc::from);
        Self { output, stream, timestamp }
    }
}

impl Stage for Docker {
    fn process(&mut self, cx: &Cx<'_>, entry: &mut Entry) -> Verdict {
        entry.extract_labels();
        let text = std::mem::take(&mut entry.line);
        let Ok(line) = serde_json::from_slice::<Line<'_>>(&text) else {
            cx.stats.unparsed("docker");
            entry.line = text;
            return Verdict::Next;
        };
        if let Some(time) = &line.time {
            if let Some(at) = time.parse().ok().and_then(nanos) {
                entry.timestamp = at;
            }
            entry.extracted.set(&self.timestamp, Value::Text(time.as_bytes().to_vec()));
        }
        if let Some(stream) = &line.stream {
            entry.extracted.set(&self.stream, Value::Text(stream.as_bytes().to_vec()));
            let stream = match &**stream {
                "stdout" => "stdout".into(),
                "stderr" => "stderr".into(),
                other => Text::Owned(other.to_owned()),
            };
            entry.labels.set("stream".into(), Some(stream));
        }
        match line.log {
            Some(log) => {
                entry.line.extend_from_slice(log.as_bytes());
                entry.extracted.set(&self.output, Value::Text(entry.line.clone()));
            }
            None => entry.line = text,
        }
        Verdict::Next
    }

    fn fresh(&self) -> Box<dyn Stage> {
        Box::new(self.clone())
    }
}

fn nanos(time: jiff::Timestamp) -> Option<Nanos> {
    i64::try_from(time.as_nanosecond()).ok().map(Nanos)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::testing::run;

    #[test]
    fn log_stream_and_time_are_taken() {
        let runner = run(
            Docker::new(),
            &[
                r#"{"log":"a \"b\"\n","stream":"stderr","time":"2024-01-01T00:00:01.5Z"}"#,
                r#"{"stream":"stdout"}"#,
                "text",
            ],
        );
        assert_eq!(
            runner.shown(),
            [
                "1704067201500000000 {stream=\"stderr\"} a \"b\"\n",
                r#"0 {stream="stdout"} {"stream":"stdout"}"#,
                "0 {} text",
            ]
        );
    }
}
