//! Lines in: judged, written to the journal, put into memory, acknowledged.
//!
//! One batch at a time is judged and applied, under the store's lock, and gets its place in the
//! journal there; many batches wait for the same write afterwards, outside the lock. A line can
//! therefore be seen a moment before it is acknowledged. When the write fails the batch is refused
//! and stays first in line: sent again, its lines are duplicates, and acknowledged only once the
//! journal has them.

use std::{
    ops::Bound,
    sync::{Arc, atomic::Ordering},
};

use masthead_model::{ErrorClass, Labels, Nanos};
use masthead_ports::{
    AppendError, LogBatch, LogRejectReason, LogReport, LogRow, LogSink, LogStream, Progress,
    RejectedLine,
};

use crate::{
    Error, Logdb, Result,
    frame::{FRAME_BYTES, FrameBuilder},
    rows::Row,
    store::State,
};

/// Longer keys and values of progress are refused.
const PROGRESS_BYTES_MAX: usize = 64 << 10;

impl LogSink for Logdb {
    fn append(&self, batch: &LogBatch<'_>) -> Result<LogReport, AppendError> {
        let report = self.append_batch(batch).inspect_err(|_| {
            self.counters.append_failures.add(1);
        })?;
        self.counters.appended.add(report.appended as u64);
        self.counters.duplicates.add(report.duplicates as u64);
        for line in &report.rejected {
            self.counters.rejected.add(line.reason.as_label(), 1);
        }
        Ok(report)
    }

    fn progress(&self, prefix: &str) -> Result<Vec<Progress>, AppendError> {
        let state = self.state.read();
        let from = state.head.progress.range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
        let known = from
            .take_while(|(key, _)| key.starts_with(prefix))
            .map(|(key, value)| Progress { key: Arc::clone(key), value: Some(Arc::clone(value)) });
        Ok(known.collect())
    }
}

impl Logdb {
    fn append_batch(&self, batch: &LogBatch<'_>) -> Result<LogReport, AppendError> {
        let rows = batch.streams.iter().flat_map(|stream| &stream.rows);
        let bytes: usize = rows.map(|row| row.line.len()).sum();
        self.expect_bytes(bytes as u64);
        if self.out_of_space.load(Ordering::Relaxed) {
            return Err(AppendError {
                class: ErrorClass::Unavailable,
                message: format!(
                    "less than {} bytes are free in {}; free some, or lower the retention of logs",
                    self.options.free_bytes_min, self.dir
                ),
            });
        }
        let (report, ticket, frozen) = {
            let mut state = self.state.write();
            self.admit()?;
            check_progress(&batch.progress, &state, self.options.progress_max)?;
            let mut work = Work {
                store: self,
                state: &mut state,
                segment: self.journal.next_segment(),
                builder: FrameBuilder::new(self.journal.draft(room(bytes))),
                report: LogReport::default(),
                bytes: 0,
            };
            for (at, stream) in batch.streams.iter().enumerate() {
                work.stream(at, stream)?;
            }
            work.finish(&batch.progress)?;
            let report = work.report;
            self.appended_bytes.add(work.bytes);
            if state.head.lines > 0 && state.buffered_since.is_none() {
                state.buffered_since = Some(self.clock.monotonic());
            }
            (report, self.journal.last(), state.head.frozen > 0)
        };
        self.journal.commit(ticket).map_err(Error::from)?;
        // Whoever brought the lines compresses them. What fails here fails again in `tick`.
        if frozen {
            drop(self.seal());
        }
        if self.state.read().head.bytes > self.options.buffer_bytes.saturating_mul(2) {
            drop(self.flush());
        }
        Ok(report)
    }

    fn admit(&self) -> Result<()> {
        if self.journal.admit(FRAME_BYTES).is_err() {
            // What waits goes first; if it still cannot be written, nothing new is taken.
            self.journal.commit(self.journal.last())?;
            self.journal.admit(FRAME_BYTES)?;
        }
        Ok(())
    }
}

/// Room for a frame with so many bytes of lines, and for what stands between them.
fn room(bytes: usize) -> usize {
    bytes.saturating_add(bytes / 8).min(FRAME_BYTES)
}

fn check_progress(progress: &[Progress], state: &State, limit: usize) -> Result<(), AppendError> {
    let known = &state.head.progress;
    let refuse = |message: String| AppendError { class: ErrorClass::Limit, message };
    if known.len().saturating_add(progress.len()) > limit {
        let added = progress.iter().filter(|new| new.value.is_some());
        let added = added.filter(|new| !known.contains_key(&new.key)).count();
        if known.len() + added > limit {
            return Err(refuse(format!("the limit of {limit} readers is reached")));
        }
    }
    let too_long = progress.iter().find(|new| {
        new.key.len().max(new.value.as_ref().map_or(0, |v| v.len())) > PROGRESS_BYTES_MAX
    });
    match too_long {
        Some(_) => Err(refuse(format!("progress of more than {PROGRESS_BYTES_MAX} bytes"))),
        None => Ok(()),
    }
}

struct Work<'a> {
    store: &'a Logdb,
    state: &'a mut State,
    /// The segment of the journal that the frame will be in.
    segment: u64,
    builder: FrameBuilder,
    report: LogReport,
    bytes: u64,
}

impl Work<'_> {
    fn stream(&mut self, at: usize, stream: &LogStream<'_>) -> Result<()> {
        let known = self.state.head.index.get(&stream.labels);
        let Some(slot) = known.or_else(|| self.define(&stream.labels)) else {
            let reason = LogRejectReason::StreamLimit { limit: self.store.options.streams_max };
            let refused =
                (0..stream.rows.len()).map(|row| RejectedLine { stream: at, row, reason });
            self.report.rejected.extend(refused);
            return Ok(());
        };
        let mut open = false;
        for (row, new) in stream.rows.iter().enumerate() {
            if let Some(reason) = self.judge(slot, new) {
                self.report.rejected.push(RejectedLine { stream: at, row, reason });
                continue;
            }
            let metadata = &new.structured_metadata;
            let metadata = (!metadata.is_empty()).then_some(metadata);
            let new = Row { time: new.timestamp.0, line: &new.line, metadata };
            if !self.state.head.push(slot, new, self.store.options.segment_bytes) {
                self.report.duplicates += 1;
                continue;
            }
            if !open {
                self.open_stream(slot);
                open = true;
            }
            self.builder.row(new);
            self.report.appended += 1;
            self.bytes += new.line.len() as u64;
            if self.builder.is_full() {
                self.enqueue(&[])?;
                open = false;
            }
        }
        Ok(())
    }

    fn judge(&self, slot: u32, row: &LogRow<'_>) -> Option<LogRejectReason> {
        let options = &self.store.options;
        if row.line.len() > options.line_bytes_max {
            return Some(LogRejectReason::LineTooLong { limit: options.line_bytes_max });
        }
        let newest = self.state.head.stream(slot)?.newest?;
        let oldest = newest.saturating_sub(options.window_ns);
        (row.timestamp.0 < oldest)
            .then_some(LogRejectReason::TooFarBehind { oldest: Nanos(oldest) })
    }

    /// Adds a stream, which may have lines in blocks; none at the limit.
    fn define(&mut self, labels: &Labels) -> Option<u32> {
        if self.state.head.index.len() >= self.store.options.streams_max {
            return None;
        }
        let mut newest = None;
        for block in self.state.blocks.iter() {
            // Damage is for readers to report; here it makes the window wider.
            if newest.is_none_or(|newest| block.meta.last > newest)
                && let Ok(found) = block.newest_of(labels)
            {
                newest = newest.max(found);
            }
        }
        Some(self.state.head.add(labels.clone(), newest))
    }

    fn open_stream(&mut self, slot: u32) {
        let Some(stream) = self.state.head.stream_mut(slot) else { return };
        let defined = stream.defined_in == self.segment;
        stream.defined_in = self.segment;
        let (id, labels) = (stream.id, stream.labels.clone());
        self.builder.stream(id, (!defined).then_some(&labels));
    }

    fn finish(&mut self, progress: &[Progress]) -> Result<()> {
        if self.builder.is_empty() && progress.is_empty() {
            return Ok(());
        }
        self.enqueue(progress)?;
        for Progress { key, value } in progress {
            let known = &mut self.state.head.progress;
            match value {
                Some(value) => drop(known.insert(Arc::clone(key), Arc::clone(value))),
                None => drop(known.remove(key)),
            }
        }
        Ok(())
    }

    fn enqueue(&mut self, progress: &[Progress]) -> Result<()> {
        let pairs = progress.iter().map(|new| (&*new.key, new.value.as_deref()));
        let frame = self.builder.finish(pairs);
        self.store.journal.enqueue_draft(frame).map_err(Error::from)?;
        self.segment = self.store.journal.next_segment();
        Ok(())
    }
}
