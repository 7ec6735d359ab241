//! What Loki does to every push, done to lines that come another way: the service's name and the
//! level are added, and what breaks a limit is refused.
//!
//! Pushes get both while they are read (`push/labels.rs`, `push/intake.rs`). Whatever collects lines
//! itself hands them to this sink, so that a line reads the same whichever way it came, and none of
//! them fills the memory with labels or makes its stream deaf with a time of the far future. How old
//! a line may be is not asked: a collector may have to read what was written long before it.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use masthead_logql::stages::level;
use masthead_model::{Labels, Nanos};
use masthead_ports::{
    AppendError, LogBatch, LogRejectReason, LogReport, LogRow, LogSink, LogStream, Progress,
    RejectedLine,
};
use masthead_sysio::Clock;

use super::push::{broken_rule, service_of};
use crate::limits::LogLimits;

/// The flags behind the rules that are checked here, by the reasons under which refusals count.
const FLAGS: &[(&str, &str)] = &[
    ("max_label_names_per_series", "logs.max-label-names"),
    ("label_name_too_long", "logs.max-label-name-size"),
    ("label_value_too_long", "logs.max-label-value-size"),
    ("structured_metadata_too_many", "logs.max-metadata-pairs"),
    ("structured_metadata_too_large", "logs.max-metadata-size"),
    ("too_far_in_future", "logs.max-ahead"),
];

/// Sets of a level alone that are kept; there are fewer levels, unless a label names odd ones.
const LEVELS_MAX: usize = 64;

/// A sink that completes and checks lines before it hands them on.
#[derive(Debug)]
pub struct Discovering {
    sink: Arc<dyn LogSink>,
    clock: Arc<dyn Clock>,
    limits: LogLimits,
    /// Sets that hold a level and nothing else, by the level.
    levels: Mutex<BTreeMap<String, Labels>>,
}

impl Discovering {
    /// In front of `sink`; which labels name a service, whether levels are looked for, and what is
    /// refused, is told by the limits of pushes.
    pub fn new(sink: Arc<dyn LogSink>, clock: Arc<dyn Clock>, limits: LogLimits) -> Self {
        Self { sink, clock, limits, levels: Mutex::default() }
    }

    /// The rule that a line does not keep.
    fn broken(&self, row: &LogRow<'_>, now: Nanos) -> Option<&'static str> {
        let limits = &self.limits;
        let metadata = &row.structured_metadata;
        let bytes = |all: &Labels| -> usize {
            all.iter().map(|label| label.name.len() + label.value.len()).sum()
        };
        if row.timestamp > now.saturating_add(limits.ahead_ns) {
            Some("too_far_in_future")
        } else if metadata.len() > limits.metadata_pairs {
            Some("structured_metadata_too_many")
        } else if bytes(metadata) > limits.metadata_bytes {
            Some("structured_metadata_too_large")
        } else {
            None
        }
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
        let now = Nanos(self.clock.now().0);
        let mut kept = Kept::default();
        let mut streams = Vec::with_capacity(batch.streams.len());
        for (at, stream) in batch.streams.iter().enumerate() {
            let labels = match service_of(&stream.labels, &self.limits) {
                Some(name) => stream.labels.to_builder().set("service_name", &name).build(),
                None => stream.labels.clone(),
            };
            let of_stream = broken_rule(&labels, &self.limits);
            let mut rows = Vec::with_capacity(stream.rows.len());
            let mut places = Vec::with_capacity(stream.rows.len());
            for (place, row) in stream.rows.iter().enumerate() {
                if let Some(reason) = of_stream.or_else(|| self.broken(row, now)) {
                    kept.refuse(at, place, reason);
                    continue;
                }
                places.push(place);
                rows.push(LogRow {
                    timestamp: row.timestamp,
                    line: Cow::Borrowed(&*row.line),
                    structured_metadata: self.metadata(&stream.labels, row),
                });
            }
            if !rows.is_empty() {
                kept.places.push((at, places));
                streams.push(LogStream { labels, rows });
            }
        }
        let report = self.sink.append(&LogBatch { streams, progress: batch.progress.clone() })?;
        Ok(kept.told(report))
    }

    fn progress(&self, prefix: &str) -> Result<Vec<Progress>, AppendError> {
        self.sink.progress(prefix)
    }
}

/// What of a batch went on, and what did not.
#[derive(Debug, Default)]
struct Kept {
    /// Of each stream that went on: its place in the batch, and those of its lines.
    places: Vec<(usize, Vec<usize>)>,
    refused: Vec<RejectedLine>,
}

impl Kept {
    fn refuse(&mut self, stream: usize, row: usize, reason: &'static str) {
        let known = FLAGS.iter().find(|(one, _)| *one == reason);
        let flag = known.map_or("logs", |(_, flag)| *flag);
        let reason = LogRejectReason::Limit { reason, flag };
        self.refused.push(RejectedLine { stream, row, reason });
    }

    /// The report of what went on as one of the whole batch.
    fn told(self, mut report: LogReport) -> LogReport {
        for rejected in &mut report.rejected {
            if let Some((stream, rows)) = self.places.get(rejected.stream) {
                rejected.stream = *stream;
                rejected.row = rows.get(rejected.row).copied().unwrap_or(rejected.row);
            }
        }
        report.rejected.extend(self.refused);
        report.rejected.sort_by_key(|rejected| (rejected.stream, rejected.row));
        report
    }
}

#[cfg(test)]
mod tests {
    use masthead_ports::testing::MemoryLogStore;
    use masthead_sysio::SimClock;

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
        let clock = Arc::new(SimClock::default());
        let sink = Discovering::new(Arc::clone(&store) as _, clock, limits);
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

    /// Refuses one line, as a store may.
    #[derive(Debug)]
    struct Refusing;

    impl LogSink for Refusing {
        fn append(&self, batch: &LogBatch<'_>) -> Result<LogReport, AppendError> {
            let reason = LogRejectReason::StreamLimit { limit: 1 };
            let row = batch.streams.last().map_or(0, |stream| stream.rows.len() - 1);
            let rejected = vec![RejectedLine { stream: batch.streams.len() - 1, row, reason }];
            Ok(LogReport { rejected, ..LogReport::default() })
        }
        fn progress(&self, _: &str) -> Result<Vec<Progress>, AppendError> {
            Ok(Vec::new())
        }
    }

    #[test]
    fn what_breaks_a_limit_of_pushes_is_refused_and_told_by_its_place() {
        let clock = Arc::new(SimClock::default());
        let now = Nanos(clock.now().0);
        let limits = LogLimits { metadata_pairs: 1, metadata_bytes: 20, ..LogLimits::default() };
        let ahead = Nanos(now.0 + limits.ahead_ns);
        let sink = Discovering::new(Arc::new(Refusing), clock, limits);
        let row = |timestamp: Nanos, metadata: &[(&str, &str)]| LogRow {
            timestamp,
            line: Cow::Borrowed(b"x"),
            structured_metadata: labels(metadata),
        };
        let plain = || row(now, &[]);
        let long = "v".repeat(2049);
        let streams = vec![
            LogStream { labels: labels(&[("a", long.as_str())]), rows: vec![plain(), plain()] },
            LogStream {
                labels: labels(&[("a", "b")]),
                rows: vec![
                    row(Nanos(ahead.0 + 1), &[]),
                    row(ahead, &[]),
                    row(now, &[("a", "1"), ("b", "1")]),
                    row(now, &[("a", &long)]),
                    plain(),
                ],
            },
        ];
        let report = sink.append(&LogBatch { streams, progress: Vec::new() }).expect("taken");
        let told = report.rejected.iter().map(|one| (one.stream, one.row, one.reason.as_label()));
        let want = [
            (0, 0, "label_value_too_long"),
            (0, 1, "label_value_too_long"),
            (1, 0, "too_far_in_future"),
            (1, 2, "structured_metadata_too_many"),
            (1, 3, "structured_metadata_too_large"),
            (1, 4, "stream_limit"),
        ];
        assert_eq!(told.collect::<Vec<_>>(), want);
        let text = report.rejected[2].reason.to_string();
        assert_eq!(text, "too_far_in_future; see --logs.max-ahead");
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
