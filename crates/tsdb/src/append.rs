//! Samples in: judged, written to the journal, put into the head, acknowledged.
//!
//! One batch at a time is judged and applied, under the head's lock, and gets its place in the
//! journal there; many batches wait for the same write afterwards, outside the lock. A sample can
//! therefore be seen a moment before it is acknowledged. When the write fails the batch is refused
//! and stays first in line: sent again, its samples are duplicates, and acknowledged only once the
//! journal has them.

use std::{borrow::Cow, sync::Arc};

use masthead_durable::journal::Journal;
use masthead_model::{Histogram, Labels, Value, is_stale};
use masthead_ports::{
    AppendBatch, AppendError, AppendReport, AppendRow, Exemplar, Metadata, RejectReason, SampleSink,
};

use crate::{
    Options, Result, Tsdb,
    frame::{FloatRow, FrameBuilder},
    head::{Head, NewFloat, Slot, Verdict},
    stats::add,
};

/// Longer texts of metadata are not kept.
const METADATA_BYTES_MAX: usize = 64 << 10;
/// What one frame takes at most, with one row beyond its limit.
const FRAME_BYTES: usize = 4 << 20;

impl SampleSink for Tsdb {
    fn append(&self, batch: &mut AppendBatch) -> Result<AppendReport, AppendError> {
        let report = self.append_batch(batch).inspect_err(|_| {
            add(&self.counters.append_failures, 1);
        })?;
        add(&self.counters.appended, report.appended as u64);
        add(&self.counters.duplicates, report.duplicates as u64);
        for (_, reason) in &report.rejected {
            self.counters.reject(*reason);
        }
        Ok(report)
    }
}

impl Tsdb {
    fn append_batch(&self, batch: &mut AppendBatch) -> Result<AppendReport> {
        let now = self.now_ms();
        let journal = self.journal()?;
        let (report, ticket) = {
            let mut head = self.head.write();
            if journal.admit(FRAME_BYTES).is_err() {
                // What waits goes first; if it still cannot be written, nothing new is taken.
                journal.commit(journal.last())?;
                journal.admit(FRAME_BYTES)?;
            }
            let mut work = Work {
                journal,
                head: &mut head,
                options: &self.options,
                now,
                group: batch.group,
                segment: journal.next_segment(),
                builder: FrameBuilder::default(),
                report: AppendReport::default(),
            };
            for metadata in &batch.metadata {
                work.metadata(metadata);
            }
            for (at, row) in batch.rows.iter_mut().enumerate() {
                work.row(at, row);
                if work.builder.is_full() {
                    work.enqueue()?;
                }
            }
            work.enqueue()?;
            (work.report, journal.last())
        };
        journal.commit(ticket)?;
        Ok(report)
    }
}

struct Work<'a> {
    journal: &'a Journal,
    head: &'a mut Head,
    options: &'a Options,
    now: i64,
    group: u64,
    /// The segment that the frame will be in.
    segment: u64,
    builder: FrameBuilder,
    report: AppendReport,
}

impl Work<'_> {
    fn row(&mut self, at: usize, row: &mut AppendRow) {
        match self.sample(row) {
            Ok(Verdict::Duplicate) => self.report.duplicates += 1,
            Ok(_) => self.report.appended += 1,
            Err(reason) => {
                self.report.rejected.push((at, reason));
                return;
            }
        }
        for exemplar in &row.exemplars {
            self.exemplar(row, exemplar);
        }
    }

    fn sample(&mut self, row: &mut AppendRow) -> Result<Verdict, RejectReason> {
        let known = self.head.resolve(row.series).or_else(|| self.head.index.get(&row.labels));
        let value = self.value(known, &row.value)?;
        if known.is_none() {
            self.check_new(&row.labels)?;
        }
        let time = row.timestamp.0;
        let verdict = self.head.judge(known, time, &value, self.options, self.now);
        let late = match verdict {
            Verdict::InOrder => false,
            Verdict::Late => true,
            Verdict::Duplicate => {
                if let Some(slot) = known {
                    row.series = self.head.reference(slot);
                }
                return Ok(verdict);
            }
            Verdict::Reject(reason) => return Err(reason),
        };
        let slot = known.unwrap_or_else(|| self.define(&row.labels));
        row.series = self.head.reference(slot);
        let start = row.start.map_or(0, |start| start.0);
        match &*value {
            Value::Float(value) => {
                let new = NewFloat { time, start, bits: value.to_bits() };
                self.float(slot, row.series.0, new, late);
            }
            Value::Histogram(histogram) => {
                self.histogram(slot, (row.series.0, time, start, late), histogram)?;
            }
        }
        Ok(verdict)
    }

    /// The value to store; the stale marker of a series of histograms is a histogram
    /// (upstream: `tsdb/head_append.go: Append`).
    fn value<'v>(
        &self,
        slot: Option<Slot>,
        value: &'v Value,
    ) -> Result<Cow<'v, Value>, RejectReason> {
        match value {
            Value::Float(value)
                if is_stale(*value)
                    && slot.is_some_and(|slot| self.head.ends_in_histogram(slot)) =>
            {
                let stale = Histogram { sum: *value, ..Histogram::default() };
                Ok(Cow::Owned(Value::Histogram(Box::new(stale))))
            }
            Value::Histogram(histogram) if histogram.validate().is_err() => {
                Err(RejectReason::InvalidHistogram)
            }
            _ => Ok(Cow::Borrowed(value)),
        }
    }

    fn check_new(&self, labels: &Labels) -> Result<(), RejectReason> {
        if labels.is_empty() || labels.byte_len() > self.options.labels_bytes_max {
            return Err(RejectReason::InvalidLabels);
        }
        if self.head.index.len() >= self.options.series_max {
            return Err(RejectReason::SeriesLimit);
        }
        Ok(())
    }

    fn define(&mut self, labels: &Labels) -> Slot {
        let slot = self.head.add(labels.clone());
        self.builder.define(self.head.reference(slot).0, labels);
        slot
    }

    fn float(&mut self, slot: Slot, id: u64, float: NewFloat, late: bool) {
        let NewFloat { time, start, bits } = float;
        let base = if late { 0 } else { self.head.base(slot, self.segment) };
        self.builder.float(FloatRow { id, time, start, bits, late }, base);
        if late {
            self.head.insert_float(slot, float);
        } else {
            self.head.set_base(slot, self.segment, bits);
            self.head.push_float(slot, self.group, float);
        }
    }

    fn histogram(
        &mut self,
        slot: Slot,
        place: (u64, i64, i64, bool),
        histogram: &Histogram,
    ) -> Result<(), RejectReason> {
        let written = self.builder.histogram(place, histogram);
        written.map_err(|_| RejectReason::InvalidHistogram)?;
        let (_, time, start, late) = place;
        let histogram = Arc::new(histogram.clone());
        if late {
            self.head.insert_histogram(slot, time, start, histogram);
        } else {
            self.head.push_histogram(slot, time, start, histogram);
        }
        Ok(())
    }

    fn exemplar(&mut self, row: &AppendRow, exemplar: &Exemplar) {
        let timestamp = exemplar.timestamp.or(Some(row.timestamp));
        let exemplar = Exemplar { timestamp, ..exemplar.clone() };
        match self.head.exemplars.judge(&row.labels, &exemplar) {
            None => {}
            Some(false) => self.report.rejected_exemplars += 1,
            Some(true) => {
                self.builder.exemplar(row.series.0, &exemplar);
                self.head.exemplars.push(&row.labels, exemplar);
            }
        }
    }

    fn metadata(&mut self, metadata: &Metadata) {
        let known = self.head.metadata.get(&metadata.family);
        let bytes = metadata.family.len() + metadata.help.len() + metadata.unit.len();
        let full = known.is_none() && self.head.metadata.len() >= self.options.metadata_max;
        if known == Some(metadata) || full || bytes > METADATA_BYTES_MAX {
            return;
        }
        self.builder.metadata(metadata);
        self.head.metadata.insert(Arc::clone(&metadata.family), metadata.clone());
    }

    fn enqueue(&mut self) -> Result<()> {
        if self.builder.is_empty() {
            return Ok(());
        }
        let frame = self.builder.finish(self.group);
        self.journal.enqueue(&frame)?;
        self.segment = self.journal.next_segment();
        Ok(())
    }
}
