//! What Loki adds to every push, added to lines that come another way: the service's name and the
//! level.
//!
//! Pushes get both while they are read (`push/labels.rs`, `push/intake.rs`). Whatever collects lines
//! itself hands them to this sink, so that a line reads the same whichever way it came.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use masthead_logql::stages::level;
use masthead_model::Labels;
use masthead_ports::{AppendError, LogBatch, LogReport, LogRow, LogSink, LogStream, Progress};

use super::push::service_of;
use crate::limits::LogLimits;

/// Sets of a level alone that are kept; there are fewer levels, unless a label names odd ones.
const LEVELS_MAX: usize = 64;

/// A sink that completes lines before it hands them on.
#[derive(Debug)]
pub struct Discovering {
    sink: Arc<dyn LogSink>,
    limits: LogLimits,
    /// Sets that hold a level and nothing else, by the level.
    levels: Mutex<BTreeMap<String, Labels>>,
}

impl Discovering {
    /// In front of `sink`; which labels name a service, and whether levels are looked for, is told
    /// by the limits of pushes.
    pub fn new(sink: Arc<dyn LogSink>, limits: LogLimits) -> Self {
        Self { sink, limits, levels: Mutex::default() }
    }

    fn only_level(&self, level: &str) -> Labels {
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(set) = levels.get(level) {
            return set.clone();
        }
        let set: Labels = [(level::LEVEL_LABEL, level)].into_iter().collect();
        if levels.len() < LEVELS_MAX {
            levels.insert(level.to_owned(), set.clone());
        }
        set
    }

    fn metadata(&self, stream: &Labels, row: &LogRow<'_>) -> Labels {
        let plain = &row.structured_metadata;
        if !self.limits.discover_levels {
            return plain.clone();
        }
        let level = level::detect(stream, plain, &row.line);
        if plain.is_empty() {
            return self.only_level(&level);
        }
        plain.to_builder().set(level::LEVEL_LABEL, &level).build()
    }
}

impl LogSink for Discovering {
    fn append(&self, batch: &LogBatch<'_>) -> Result<LogReport, AppendError> {
        let streams = batch.streams.iter().map(|stream| {
            let labels = match service_of(&stream.labels, &self.limits) {
                Some(name) => stream.labels.to_builder().set("service_name", &name).build(),
                None => stream.labels.clone(),
            };
            let rows = stream.rows.iter().map(|row| LogRow {
                timestamp: row.timestamp,
                line: Cow::Borrowed(&*row.line),
                structured_metadata: self.metadata(&stream.labels, row),
            });
            let rows = rows.collect();
            LogStream { labels, rows }
        });
        let streams = streams.collect();
        self.sink.append(&LogBatch { streams, progress: batch.progress.clone() })
    }

    fn progress(&self, prefix: &str) -> Result<Vec<Progress>, AppendError> {
        self.sink.progress(prefix)
    }
}

#[cfg(test)]
mod tests {
    use masthead_model::Nanos;
    use masthead_ports::testing::MemoryLogStore;

    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().copied().collect()
    }

    /// What the store holds after one line of a stream: labels and metadata.
    fn held(
        limits: LogLimits,
        stream: &[(&str, &str)],
        line: &str,
        more: &[(&str, &str)],
    ) -> [String; 2] {
        let store = Arc::new(MemoryLogStore::default());
        let sink = Discovering::new(Arc::clone(&store) as _, limits);
        let row = LogRow {
            timestamp: Nanos(1),
            line: line.as_bytes().into(),
            structured_metadata: labels(more),
        };
        let streams = vec![LogStream { labels: labels(stream), rows: vec![row] }];
        let progress = vec![Progress { key: "file:a".into(), value: Some("1".into()) }];
        sink.append(&LogBatch { streams, progress }).expect("taken");
        assert_eq!(sink.progress("file:").expect("answers").len(), 1);
        let (labels, lines) = store.entries().remove(0);
        assert_eq!(lines[0].line, line.as_bytes());
        [labels.to_string(), lines[0].structured_metadata.to_string()]
    }

    #[test]
    fn a_collected_line_gets_what_a_pushed_one_gets() {
        let f = |stream: &[(&str, &str)], line: &str, more: &[(&str, &str)], want: [&str; 2]| {
            assert_eq!(held(LogLimits::default(), stream, line, more), want);
        };
        f(
            &[("app", "api"), ("job", "j")],
            r#"{"level":"ERROR"}"#,
            &[],
            [r#"{app="api", job="j", service_name="api"}"#, r#"{detected_level="error"}"#],
        );
        f(
            &[("x", "1")],
            "nothing to see",
            &[("id", "7")],
            [r#"{service_name="unknown_service", x="1"}"#, r#"{detected_level="unknown", id="7"}"#],
        );
        f(
            &[("level", "Warning"), ("service_name", "own")],
            "error",
            &[],
            [r#"{level="Warning", service_name="own"}"#, r#"{detected_level="warn"}"#],
        );
    }

    #[test]
    fn what_is_switched_off_is_left_alone() {
        let off = LogLimits {
            discover_service_name: Vec::new(),
            discover_levels: false,
            ..LogLimits::default()
        };
        assert_eq!(held(off, &[("app", "a")], "error", &[]), [r#"{app="a"}"#, "{}"]);
    }
}
