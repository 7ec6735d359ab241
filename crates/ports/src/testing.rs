//! Complete stores in memory, for tests of languages and movers.
//!
//! [`MemoryStore`] keeps every series in a sorted map and answers by trying each: slow and plainly
//! right, so that real stores can be compared with it. Its twin for log lines: `testing/logs.rs`. A
//! deadline that tests can count on: `testing/looks.rs`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use masthead_model::{Labels, Matcher, Millis, TimeRange, Value};

use crate::{
    AppendBatch, AppendError, AppendReport, Columns, Exemplar, LabelQuery, Metadata, QueryCtx,
    QueryError, RejectReason, SampleSink, SampleSource, Selected, Selection, SeriesReader,
};

mod logs;
mod looks;

pub use logs::MemoryLogStore;
pub use looks::ctx_of_looks;

/// Samples in memory; see the module.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

type Samples = BTreeMap<Millis, (Value, Option<Millis>)>;

#[derive(Debug, Default)]
struct State {
    series: BTreeMap<Labels, Samples>,
    exemplars: BTreeMap<Labels, Vec<Exemplar>>,
    metadata: BTreeMap<Arc<str>, Metadata>,
}

impl MemoryStore {
    /// Forgets everything.
    pub fn clear(&self) {
        *self.lock() = State::default();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn matching<'a>(&'a self, matchers: &'a [Vec<Matcher>]) -> impl Iterator<Item = &'a Labels> {
        self.series.keys().filter(|labels| {
            matchers.is_empty()
                || matchers.iter().any(|all| all.iter().all(|m| m.matches_labels(labels)))
        })
    }
}

/// Out-of-order samples are accepted; the same timestamp with another value is refused.
impl SampleSink for MemoryStore {
    fn append(&self, batch: &mut AppendBatch) -> Result<AppendReport, AppendError> {
        let mut state = self.lock();
        let mut report = AppendReport::default();
        for (at, row) in batch.rows.iter().enumerate() {
            let samples = state.series.entry(row.labels.clone()).or_default();
            match samples.get(&row.timestamp) {
                None => {
                    samples.insert(row.timestamp, (row.value.clone(), row.start));
                    report.appended += 1;
                }
                Some((value, _)) if same(value, &row.value) => report.duplicates += 1,
                Some(_) => report.rejected.push((at, RejectReason::DuplicateTimestamp)),
            }
            if !row.exemplars.is_empty() {
                let exemplars = state.exemplars.entry(row.labels.clone()).or_default();
                exemplars.extend(row.exemplars.iter().cloned());
            }
        }
        for of in &batch.exemplars {
            if state.series.contains_key(&of.labels) {
                let exemplars = state.exemplars.entry(of.labels.clone()).or_default();
                exemplars.extend(of.exemplars.iter().cloned());
            } else {
                report.rejected_exemplars += of.exemplars.len();
            }
        }
        for metadata in &batch.metadata {
            state.metadata.insert(Arc::clone(&metadata.family), metadata.clone());
        }
        Ok(report)
    }
}

/// Floats are the same when their bits are, so that a stale marker equals itself.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
        (Value::Histogram(a), Value::Histogram(b)) => a == b,
        (Value::Float(_), Value::Histogram(_)) | (Value::Histogram(_), Value::Float(_)) => false,
    }
}

impl SampleSource for MemoryStore {
    fn select(
        &self,
        ctx: &QueryCtx,
        selections: &[Selection],
    ) -> Result<Vec<Selected>, QueryError> {
        ctx.check()?;
        let state = self.lock();
        let mut answer = Vec::with_capacity(selections.len());
        for selection in selections {
            let mut labels = Vec::new();
            let mut columns = Vec::new();
            for (set, samples) in &state.series {
                if selection.matchers.iter().all(|m| m.matches_labels(set)) {
                    labels.push(set.clone());
                    columns.push(columns_of(samples, selection.range));
                }
            }
            ctx.count(labels.len() as u64, 0, 0);
            answer.push(Selected { labels, reader: Arc::new(MemoryReader { columns }) });
        }
        Ok(answer)
    }

    fn label_names(&self, ctx: &QueryCtx, query: &LabelQuery) -> Result<Vec<String>, QueryError> {
        ctx.check()?;
        let state = self.lock();
        let names = state.matching(&query.matchers).flat_map(Labels::iter).map(|l| l.name);
        Ok(sorted(names, query.limit))
    }

    fn label_values(
        &self,
        ctx: &QueryCtx,
        name: &str,
        query: &LabelQuery,
    ) -> Result<Vec<String>, QueryError> {
        ctx.check()?;
        let state = self.lock();
        let values = state.matching(&query.matchers).filter_map(|labels| labels.get(name));
        Ok(sorted(values, query.limit))
    }

    fn series(&self, ctx: &QueryCtx, query: &LabelQuery) -> Result<Vec<Labels>, QueryError> {
        ctx.check()?;
        let limit = if query.limit == 0 { usize::MAX } else { query.limit };
        Ok(self.lock().matching(&query.matchers).take(limit).cloned().collect())
    }

    fn exemplars(
        &self,
        ctx: &QueryCtx,
        matchers: &[Vec<Matcher>],
        range: TimeRange<Millis>,
    ) -> Result<Vec<(Labels, Vec<Exemplar>)>, QueryError> {
        ctx.check()?;
        let state = self.lock();
        let inside = |e: &&Exemplar| e.timestamp.is_none_or(|t| range.contains(t));
        let of = |labels: &Labels| {
            let mut found: Vec<_> =
                state.exemplars.get(labels)?.iter().filter(inside).cloned().collect();
            found.sort_by_key(|e| e.timestamp);
            (!found.is_empty()).then(|| (labels.clone(), found))
        };
        Ok(state.matching(matchers).filter_map(of).collect())
    }

    fn metadata(&self, ctx: &QueryCtx, metric: Option<&str>) -> Result<Vec<Metadata>, QueryError> {
        ctx.check()?;
        let state = self.lock();
        let wanted = |m: &&Metadata| metric.is_none_or(|name| *m.family == *name);
        Ok(state.metadata.values().filter(wanted).cloned().collect())
    }
}

/// Columns that were copied when the selection was made, as a snapshot.
#[derive(Debug)]
struct MemoryReader {
    columns: Vec<Columns>,
}

impl SeriesReader for MemoryReader {
    fn read(&self, ctx: &QueryCtx, at: usize, into: &mut Columns) -> Result<(), QueryError> {
        into.clear();
        if let Some(columns) = self.columns.get(at) {
            ctx.charge(columns.len() as u64)?;
            into.clone_from(columns);
        }
        Ok(())
    }
}

fn columns_of(samples: &Samples, range: TimeRange<Millis>) -> Columns {
    let mut columns = Columns::default();
    for (time, (value, start)) in samples.range(range.start..=range.end) {
        let start = start.map_or(0, |start| start.0);
        match value {
            Value::Float(value) => {
                columns.float_times.push(time.0);
                columns.floats.push(*value);
                columns.float_starts.push(start);
            }
            Value::Histogram(histogram) => {
                columns.histogram_times.push(time.0);
                columns.histograms.push(Arc::new((**histogram).clone()));
                columns.histogram_starts.push(start);
            }
        }
    }
    if columns.float_starts.iter().all(|start| *start == 0) {
        columns.float_starts.clear();
    }
    if columns.histogram_starts.iter().all(|start| *start == 0) {
        columns.histogram_starts.clear();
    }
    columns
}

fn sorted<'a>(names: impl Iterator<Item = &'a str>, limit: usize) -> Vec<String> {
    let all: BTreeSet<_> = names.collect();
    let limit = if limit == 0 { usize::MAX } else { limit };
    all.into_iter().take(limit).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
