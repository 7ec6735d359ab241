//! Log lines in memory, for tests of LogQL and of collectors.
//!
//! Takes everything in any order, so nothing is ever refused; limits and windows are the concern
//! of real stores.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use masthead_model::{Labels, LogEntry, Matcher, Nanos, TimeRange};

use crate::{
    AppendError, Direction, LineColumn, LogBatch, LogColumns, LogHints, LogPart, LogPartReader,
    LogReport, LogSelected, LogSelection, LogSink, LogSource, LogVolume, Progress, QueryCtx,
    QueryError,
};

/// Log lines in memory; see the module.
#[derive(Debug, Default)]
pub struct MemoryLogStore {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// In time order, lines of one instant in the order of pushing.
    streams: BTreeMap<Labels, Vec<LogEntry>>,
    progress: BTreeMap<Arc<str>, Arc<str>>,
}

impl MemoryLogStore {
    /// Every stream with its lines.
    pub fn entries(&self) -> Vec<(Labels, Vec<LogEntry>)> {
        self.lock().streams.iter().map(|(labels, lines)| (labels.clone(), lines.clone())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LogSink for MemoryLogStore {
    fn append(&self, batch: &LogBatch<'_>) -> Result<LogReport, AppendError> {
        let mut state = self.lock();
        let mut report = LogReport::default();
        for stream in &batch.streams {
            let lines = state.streams.entry(stream.labels.clone()).or_default();
            for row in &stream.rows {
                let entry = LogEntry {
                    timestamp: row.timestamp,
                    line: row.line.to_vec(),
                    structured_metadata: row.structured_metadata.clone(),
                };
                let end = lines.partition_point(|line| line.timestamp <= entry.timestamp);
                let start = lines.partition_point(|line| line.timestamp < entry.timestamp);
                if lines.get(start..end).is_some_and(|same| same.contains(&entry)) {
                    report.duplicates += 1;
                } else {
                    lines.insert(end, entry);
                    report.appended += 1;
                }
            }
        }
        for Progress { key, value } in &batch.progress {
            match value {
                Some(value) => drop(state.progress.insert(Arc::clone(key), Arc::clone(value))),
                None => drop(state.progress.remove(key)),
            }
        }
        Ok(report)
    }

    fn progress(&self, prefix: &str) -> Result<Vec<Progress>, AppendError> {
        let known = |(key, value): (&Arc<str>, &Arc<str>)| Progress {
            key: Arc::clone(key),
            value: Some(Arc::clone(value)),
        };
        let state = self.lock();
        Ok(state.progress.iter().filter(|(key, _)| key.starts_with(prefix)).map(known).collect())
    }
}

impl LogSource for MemoryLogStore {
    fn select(
        &self,
        ctx: &QueryCtx,
        selections: &[LogSelection],
    ) -> Result<Vec<LogSelected>, QueryError> {
        ctx.check()?;
        let state = self.lock();
        Ok(selections.iter().map(|selection| state.select(selection)).collect())
    }

    fn streams(
        &self,
        ctx: &QueryCtx,
        matchers: &[Vec<Matcher>],
        range: TimeRange<Nanos>,
    ) -> Result<Vec<Labels>, QueryError> {
        ctx.check()?;
        let state = self.lock();
        let wanted = |labels: &&Labels| {
            matchers.is_empty()
                || matchers.iter().any(|all| all.iter().all(|m| m.matches_labels(labels)))
        };
        let found = state.streams.iter().filter(|(_, lines)| !within(lines, range).is_empty());
        Ok(found.map(|(labels, _)| labels).filter(wanted).cloned().collect())
    }

    fn volumes(
        &self,
        ctx: &QueryCtx,
        matchers: &[Matcher],
        range: TimeRange<Nanos>,
    ) -> Result<Vec<(Labels, LogVolume)>, QueryError> {
        ctx.check()?;
        let state = self.lock();
        let found = state.streams.iter().filter_map(|(labels, lines)| {
            let lines = within(lines, range);
            let bytes = lines.iter().map(|line| line.byte_len() as u64).sum();
            let volume = LogVolume { chunks: 1, entries: lines.len() as u64, bytes };
            let wanted = !lines.is_empty() && matchers.iter().all(|m| m.matches_labels(labels));
            wanted.then(|| (labels.clone(), volume))
        });
        Ok(found.collect())
    }
}

impl State {
    fn select(&self, selection: &LogSelection) -> LogSelected {
        let mut streams = Vec::new();
        let mut parts = Vec::new();
        let mut runs = Vec::new();
        for (labels, lines) in &self.streams {
            let lines = within(lines, selection.range);
            let (Some(first), Some(last)) = (lines.first(), lines.last()) else { continue };
            if selection.matchers.iter().all(|m| m.matches_labels(labels)) {
                let range = TimeRange { start: first.timestamp, end: last.timestamp };
                parts.push((LogPart { stream: streams.len(), range, lines: lines.len() }, lines));
                streams.push(labels.clone());
            }
        }
        match selection.hints.direction {
            Direction::Backward => parts.sort_by_key(|(part, _)| std::cmp::Reverse(part.range.end)),
            Direction::Forward => parts.sort_by_key(|(part, _)| part.range.start),
        }
        let parts = parts
            .into_iter()
            .map(|(part, lines)| {
                runs.push(columns_of(lines, &selection.hints));
                part
            })
            .collect();
        LogSelected { streams, parts, reader: Arc::new(MemoryReader { runs }) }
    }
}

/// Columns that were copied when the selection was made, as a snapshot.
#[derive(Debug)]
struct MemoryReader {
    runs: Vec<LogColumns>,
}

impl LogPartReader for MemoryReader {
    fn read(&self, ctx: &QueryCtx, at: usize, into: &mut LogColumns) -> Result<(), QueryError> {
        into.clear();
        if let Some(run) = self.runs.get(at) {
            ctx.charge(run.len() as u64)?;
            into.clone_from(run);
        }
        Ok(())
    }
}

fn within(lines: &[LogEntry], range: TimeRange<Nanos>) -> &[LogEntry] {
    let start = lines.partition_point(|line| line.timestamp < range.start);
    let end = lines.partition_point(|line| line.timestamp <= range.end);
    lines.get(start..end).unwrap_or_default()
}

fn columns_of(lines: &[LogEntry], hints: &LogHints) -> LogColumns {
    let mut columns = LogColumns::default();
    let mut length = 0;
    let metadata = hints.metadata && lines.iter().any(|l| !l.structured_metadata.is_empty());
    for line in lines {
        columns.times.push(line.timestamp.0);
        if hints.lines >= LineColumn::Length {
            length += line.line.len();
            columns.ends.push(length);
        }
        if hints.lines == LineColumn::Text {
            columns.text.extend_from_slice(&line.line);
        }
        if metadata {
            let sets = &mut columns.metadata_sets;
            let at = sets.iter().position(|set| *set == line.structured_metadata);
            let at = at.unwrap_or_else(|| {
                sets.push(line.structured_metadata.clone());
                sets.len() - 1
            });
            columns.metadata.push(u32::try_from(at).expect("fewer sets than lines"));
        }
    }
    columns
}

#[cfg(test)]
mod tests;
