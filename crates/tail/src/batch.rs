//! Lines on their way to the sink, together with how far the files behind them have been read.
//!
//! One batch exists at a time, and nothing is read while it is full and the sink does not take it:
//! that is the whole of the back-pressure. Lines lie in one run of bytes, so that handing them over
//! copies nothing.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use masthead_model::{Labels, Nanos};
use masthead_ports::{LogBatch, LogRow, LogStream, Progress};
use smallvec::SmallVec;

use crate::{
    entry::{Entry, LineLabels},
    text::Text,
};

/// The label that carries the tenant of a stream to a sink which knows tenants; Promtail's name.
pub const TENANT_LABEL: &str = "__tenant_id__";

/// The structured metadata of a line that was cut.
const CUT_METADATA: (&str, &str) = ("truncated", "true");

#[derive(Debug, Default)]
pub(crate) struct Batch {
    text: Vec<u8>,
    streams: Vec<Stream>,
    slots: HashMap<Labels, usize>,
    progress: BTreeMap<Arc<str>, Option<Arc<str>>>,
    lines: usize,
    /// Another number for each batch, so that a slot is not used in the wrong one.
    number: u64,
}

#[derive(Debug)]
struct Stream {
    labels: Labels,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    timestamp: Nanos,
    /// Where its text ends; it begins where the row before it in the batch ended.
    start: usize,
    end: usize,
    metadata: Labels,
}

/// Where in the batch lines of the same changes to the labels of one file go.
#[derive(Debug, Default)]
pub(crate) struct SlotCache {
    base: Labels,
    known: Vec<Known>,
}

type Changes = SmallVec<[(Text, Option<Text>); 2]>;

#[derive(Debug)]
struct Known {
    changes: Changes,
    tenant: Option<String>,
    labels: Labels,
    batch: u64,
    slot: usize,
}

/// Sets of changes that are remembered for one file; beyond, all are worked out again.
const KNOWN_MAX: usize = 32;

impl Batch {
    /// Bytes of the lines.
    pub(crate) fn byte_len(&self) -> usize {
        self.text.len()
    }

    pub(crate) fn lines(&self) -> usize {
        self.lines
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lines == 0 && self.progress.is_empty()
    }

    /// Takes a line. `tenants` says whether the sink asks for whom it is.
    pub(crate) fn push(&mut self, entry: &Entry, cache: &mut SlotCache, tenants: bool) {
        let slot = self.slot(entry, cache, tenants);
        let start = self.text.len();
        self.text.extend_from_slice(&entry.line);
        let row = Row {
            timestamp: entry.timestamp,
            start,
            end: self.text.len(),
            metadata: metadata(entry),
        };
        if let Some(stream) = self.streams.get_mut(slot) {
            stream.rows.push(row);
            self.lines += 1;
        }
    }

    /// Says how far a reader has come.
    pub(crate) fn progress(&mut self, key: &Arc<str>, value: Option<Arc<str>>) {
        self.progress.insert(Arc::clone(key), value);
    }

    /// All of it, as the sink wants it.
    pub(crate) fn as_log_batch(&self) -> LogBatch<'_> {
        let row = |row: &Row| LogRow {
            timestamp: row.timestamp,
            line: Cow::Borrowed(self.text.get(row.start..row.end).unwrap_or_default()),
            structured_metadata: row.metadata.clone(),
        };
        let stream = |stream: &Stream| LogStream {
            labels: stream.labels.clone(),
            rows: stream.rows.iter().map(row).collect(),
        };
        let progress = |(key, value): (&Arc<str>, &Option<Arc<str>>)| Progress {
            key: Arc::clone(key),
            value: value.clone(),
        };
        LogBatch {
            streams: self.streams.iter().map(stream).collect(),
            progress: self.progress.iter().map(progress).collect(),
        }
    }

    /// Forgets the lines and keeps the progress: they were refused for good.
    pub(crate) fn give_up_lines(&mut self) {
        let progress = std::mem::take(&mut self.progress);
        self.clear();
        self.progress = progress;
    }

    /// Becomes the next batch.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.streams.clear();
        self.slots.clear();
        self.progress.clear();
        self.lines = 0;
        self.number += 1;
    }

    fn slot(&mut self, entry: &Entry, cache: &mut SlotCache, tenants: bool) -> usize {
        if cache.base != entry.labels.base {
            cache.base = entry.labels.base.clone();
            cache.known.clear();
        }
        let tenant = entry.tenant.as_ref().filter(|_| tenants);
        let changes = &entry.labels.changes;
        let same = |known: &Known| known.changes == *changes && known.tenant.as_ref() == tenant;
        let place = cache.known.iter().position(same).unwrap_or_else(|| {
            if cache.known.len() >= KNOWN_MAX {
                cache.known.clear();
            }
            cache.known.push(Known {
                changes: changes.clone(),
                tenant: tenant.cloned(),
                labels: labels(&entry.labels, tenant),
                batch: u64::MAX,
                slot: 0,
            });
            cache.known.len() - 1
        });
        let Some(known) = cache.known.get_mut(place) else { return 0 };
        if known.batch != self.number {
            known.batch = self.number;
            known.slot = *self.slots.entry(known.labels.clone()).or_insert_with(|| {
                self.streams.push(Stream { labels: known.labels.clone(), rows: Vec::new() });
                self.streams.len() - 1
            });
        }
        known.slot
    }
}

fn labels(labels: &LineLabels, tenant: Option<&String>) -> Labels {
    let labels = labels.resolve();
    match tenant {
        None => labels,
        Some(tenant) => labels.to_builder().set(TENANT_LABEL, tenant).build(),
    }
}

fn metadata(entry: &Entry) -> Labels {
    if entry.metadata.is_empty() && !entry.cut {
        return Labels::default();
    }
    let mut labels = Labels::default().to_builder();
    for (name, value) in &entry.metadata {
        labels.set(name, value);
    }
    if entry.cut {
        labels.set(CUT_METADATA.0, CUT_METADATA.1);
    }
    labels.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(line: &str, stream: Option<&'static str>, tenant: Option<&str>) -> Entry {
        let mut entry = Entry::default();
        let base: Labels = [("app", "api")].into_iter().collect();
        entry.reset(Nanos(1), line.as_bytes(), &base, None);
        if let Some(stream) = stream {
            entry.labels.set("stream".into(), Some(stream.into()));
        }
        entry.tenant = tenant.map(str::to_owned);
        entry
    }

    fn shown(batch: &Batch) -> Vec<String> {
        let batch = batch.as_log_batch();
        let row = |row: &LogRow<'_>| {
            format!("{}{}", String::from_utf8_lossy(&row.line), row.structured_metadata)
        };
        let stream = |stream: &LogStream<'_>| {
            let rows: Vec<_> = stream.rows.iter().map(row).collect();
            format!("{}: {}", stream.labels, rows.join(" "))
        };
        batch.streams.iter().map(stream).collect()
    }

    #[test]
    fn lines_gather_in_streams_and_batches_do_not_mix() {
        let (mut batch, mut cache) = (Batch::default(), SlotCache::default());
        for (line, stream) in [("a", Some("x")), ("b", None), ("c", Some("x"))] {
            batch.push(&entry(line, stream, Some("red")), &mut cache, false);
        }
        assert_eq!(shown(&batch), [r#"{app="api", stream="x"}: a{} c{}"#, r#"{app="api"}: b{}"#]);
        assert_eq!((batch.lines(), batch.byte_len()), (3, 3));
        batch.clear();
        assert!(batch.is_empty());
        batch.push(&entry("d", None, Some("red")), &mut cache, true);
        batch.push(&entry("e", None, Some("blue")), &mut cache, true);
        let mut cut = entry("f", None, None);
        cut.cut = true;
        batch.push(&cut, &mut cache, true);
        assert_eq!(
            shown(&batch),
            [
                r#"{__tenant_id__="red", app="api"}: d{}"#,
                r#"{__tenant_id__="blue", app="api"}: e{}"#,
                r#"{app="api"}: f{truncated="true"}"#,
            ]
        );
    }

    #[test]
    fn progress_outlives_lines_that_were_refused() {
        let (mut batch, mut cache) = (Batch::default(), SlotCache::default());
        batch.push(&entry("a", None, None), &mut cache, false);
        batch.progress(&"key".into(), Some("1".into()));
        batch.progress(&"key".into(), Some("2".into()));
        batch.give_up_lines();
        let left = batch.as_log_batch();
        assert!(left.streams.is_empty());
        assert_eq!(left.progress.len(), 1);
        assert_eq!(left.progress[0].value.as_deref(), Some("2"));
    }
}
