//! Samples in: judged, written to the journal, put into the head, acknowledged.
//!
//! The rows of a batch go to the shards of the head that have their series, mostly one; there they
//! are judged and applied one batch at a time, and get their place in the journal before the shard
//! is let go. Batches of different shards do so beside each other. Many batches wait for the same
//! write afterwards, when nothing is held. Queries see all of a batch or nothing
//! (`head/pushes.rs`), and that a moment before it is acknowledged. When the write fails the batch
//! is refused and stays first in line: sent again, its samples are duplicates, and acknowledged
//! only once the journal has them.

use std::{borrow::Cow, sync::Arc};

use masthead_durable::journal::Journal;
use masthead_model::{Histogram, Labels, Value, is_stale};
use masthead_ports::{
    AppendBatch, AppendError, AppendReport, AppendRow, Exemplar, RejectReason, SampleSink,
    SeriesExemplars, SeriesRef,
};

use crate::{
    Options, Result, Tsdb,
    frame::{FloatRow, FrameBuilder},
    head::{Defined, Head, NewFloat, Push, Put, SHARDS, Shard, Slot, Texts, Verdict, split},
};

/// Longer texts of metadata are not kept.
const METADATA_BYTES_MAX: usize = 64 << 10;
/// What one frame takes at most, with one row beyond its limit.
const FRAME_BYTES: usize = 4 << 20;

impl SampleSink for Tsdb {
    fn append(&self, batch: &mut AppendBatch) -> Result<AppendReport, AppendError> {
        let report = self.append_batch(batch).inspect_err(|_| {
            self.counters.append_failures.add(1);
        })?;
        self.counters.appended.add(report.appended as u64);
        self.counters.duplicates.add(report.duplicates as u64);
        self.exemplars_rejected.add(report.rejected_exemplars as u64);
        for (_, reason) in &report.rejected {
            self.counters.rejected.add(reason.as_label(), 1);
        }
        Ok(report)
    }

    /// Series get another generation after some have gone.
    fn numbering(&self) -> Option<u64> {
        self.is_loaded().then(|| u64::from(self.head.glance().generation))
    }

    fn labels_of(&self, series: SeriesRef) -> Option<Labels> {
        let (_, slot) = split(series.0)?;
        let registry = self.head.glance();
        (registry.reference(slot) == series).then(|| registry.index.labels(slot))?
    }
}

impl Tsdb {
    fn append_batch(&self, batch: &mut AppendBatch) -> Result<AppendReport> {
        let now = self.now_ms();
        let journal = self.journal()?;
        if journal.admit(FRAME_BYTES).is_err() {
            // What waits goes first; if it still cannot be written, nothing new is taken.
            journal.commit(journal.last())?;
            journal.admit(FRAME_BYTES)?;
        }
        if !batch.metadata.is_empty() {
            self.take_metadata(journal, batch)?;
        }
        let mut applying = Applying::new(self, journal, now, batch);
        while applying.next_shard()? {}
        let mut report = applying.end();
        if !batch.exemplars.is_empty() {
            self.take_exemplars(journal, batch, &mut report)?;
        }
        journal.commit(journal.last())?;
        Ok(report)
    }

    /// Takes what is new about families, in a frame of its own.
    fn take_metadata(&self, journal: &Journal, batch: &AppendBatch) -> Result<()> {
        let mut builder = FrameBuilder::default();
        // Held until the journal has the frame, as a shard is for samples.
        let mut texts = self.head.texts();
        for metadata in &batch.metadata {
            let known = texts.metadata.get(&metadata.family);
            let bytes = metadata.family.len() + metadata.help.len() + metadata.unit.len();
            let full = known.is_none() && texts.metadata.len() >= self.options.metadata_max;
            if known == Some(metadata) || full || bytes > METADATA_BYTES_MAX {
                continue;
            }
            builder.metadata(metadata);
            texts.metadata.insert(Arc::clone(&metadata.family), metadata.clone());
            if builder.is_full() {
                journal.enqueue(&builder.finish(batch.group))?;
            }
        }
        if !builder.is_empty() {
            journal.enqueue(&builder.finish(batch.group))?;
        }
        Ok(())
    }
}

impl Tsdb {
    /// Takes exemplars that came without a sample, in frames of their own. Those of series that are
    /// not there are refused (upstream: `tsdb/head_append.go: AppendExemplar`).
    fn take_exemplars(
        &self,
        journal: &Journal,
        batch: &AppendBatch,
        report: &mut AppendReport,
    ) -> Result<()> {
        let find = |of: &SeriesExemplars| self.head.glance().find(&of.labels).unwrap_or_default();
        let series: Vec<SeriesRef> = batch.exemplars.iter().map(find).collect();
        // Whoever defined a series has enqueued its definition before its shard can be held.
        let held = self.head.hold(series.iter().filter_map(|series| Some(split(series.0)?.1)));
        let mut texts = self.head.texts();
        let mut builder = FrameBuilder::default();
        for (of, series) in batch.exemplars.iter().zip(series) {
            if held.find(series).is_none() {
                report.rejected_exemplars += of.exemplars.len();
                continue;
            }
            for exemplar in &of.exemplars {
                // Without a time there is no row here whose time it could have.
                if exemplar.timestamp.is_none()
                    || !texts.take_exemplar(&mut builder, series, &of.labels, exemplar.clone())
                {
                    report.rejected_exemplars += 1;
                }
            }
            if builder.is_full() {
                journal.enqueue(&builder.finish(batch.group))?;
            }
        }
        if !builder.is_empty() {
            journal.enqueue(&builder.finish(batch.group))?;
        }
        Ok(())
    }
}

impl Texts {
    /// Takes an exemplar with its time into memory and a frame, unless it is the newest of its
    /// series again; false if it is refused.
    fn take_exemplar(
        &mut self,
        builder: &mut FrameBuilder,
        series: SeriesRef,
        labels: &Labels,
        exemplar: Exemplar,
    ) -> bool {
        let verdict = self.exemplars.judge(labels, &exemplar);
        if verdict == Some(true) {
            builder.exemplar(series.0, &exemplar);
            self.exemplars.push(labels, exemplar);
        }
        verdict != Some(false)
    }
}

/// A batch on its way into the shards. Queries see nothing of it before it has ended.
struct Applying<'a> {
    head: &'a Head,
    journal: &'a Journal,
    options: &'a Options,
    now: i64,
    group: u64,
    rows: &'a mut [AppendRow],
    plan: Plan,
    builder: FrameBuilder,
    report: AppendReport,
    push: Push<'a>,
    put: Put,
}

impl<'a> Applying<'a> {
    fn new(store: &'a Tsdb, journal: &'a Journal, now: i64, batch: &'a mut AppendBatch) -> Self {
        let plan = Plan::of(&store.head, batch);
        Self {
            head: &store.head,
            journal,
            options: &store.options,
            now,
            group: batch.group,
            put: Put::with_capacity(batch.rows.len()),
            rows: &mut batch.rows,
            plan,
            builder: FrameBuilder::default(),
            report: AppendReport::default(),
            push: store.head.pushes().begin(),
        }
    }

    /// Takes the rows of one shard; says whether there were any.
    fn next_shard(&mut self) -> Result<bool> {
        let Some((at, mut shard)) = self.head.hold_one(self.plan.wanted) else { return Ok(false) };
        let mut work = Work {
            journal: self.journal,
            head: self.head,
            shard: &mut shard,
            options: self.options,
            newest: self.head.newest(),
            now: self.now,
            group: self.group,
            segment: self.journal.next_segment(),
            builder: &mut self.builder,
            report: &mut self.report,
            put: &mut self.put,
        };
        let done = work.rows(at, self.rows, &mut self.plan);
        self.head.saw_time(work.newest);
        self.push.has(&mut self.put);
        done.map(|()| true)
    }

    /// From now on queries see all of it.
    fn end(self) -> AppendReport {
        let mut report = self.report;
        report.rejected.sort_unstable_by_key(|(at, _)| *at);
        report
    }
}

/// Which rows of a batch go to which shard.
struct Plan {
    /// By row: the number of its shard, or [`DONE`].
    shards: Vec<u8>,
    /// By shard: whether rows for it are left.
    wanted: [bool; SHARDS],
}

/// A row that needs nothing more.
const DONE: u8 = u8::MAX;

impl Plan {
    /// Looks up the series that have no number, and finds a place for those that are new: with
    /// their scrape group, or, where nothing says what that is, with their target.
    fn of(head: &Head, batch: &mut AppendBatch) -> Self {
        let mut plan =
            Self { shards: Vec::with_capacity(batch.rows.len()), wanted: [false; SHARDS] };
        let mut registry = None;
        let mut home = None;
        for row in &mut batch.rows {
            let mut owner = head.owner_of(row.series);
            if owner.is_none() && !row.labels.is_empty() {
                let registry = registry.get_or_insert_with(|| head.glance());
                row.series = registry.find(&row.labels).unwrap_or_default();
                owner = head.owner_of(row.series);
            }
            let owner = owner.unwrap_or_else(|| match (batch.group, home) {
                (0, _) => Head::home(&row.labels),
                (_, Some(home)) => home,
                (_, None) => *home.insert(Head::home(&row.labels)),
            });
            plan.shards.push(0);
            let at = plan.shards.len() - 1;
            plan.set(at, owner);
        }
        plan
    }

    fn set(&mut self, row: usize, shard: usize) {
        if let (Some(place), Some(wanted)) = (self.shards.get_mut(row), self.wanted.get_mut(shard))
        {
            *place = u8::try_from(shard).unwrap_or(DONE);
            *wanted = true;
        }
    }
}

/// What became of a row.
enum Taken {
    As(Verdict),
    /// Its series is in this shard.
    Elsewhere(usize),
}

struct Work<'a> {
    journal: &'a Journal,
    head: &'a Head,
    shard: &'a mut Shard,
    options: &'a Options,
    /// The newest time of the head.
    newest: i64,
    now: i64,
    group: u64,
    /// The segment that the frame will be in.
    segment: u64,
    builder: &'a mut FrameBuilder,
    report: &'a mut AppendReport,
    /// What was put into the shard.
    put: &'a mut Put,
}

impl Work<'_> {
    /// Takes the rows for this shard, which is number `shard`.
    fn rows(&mut self, shard: usize, rows: &mut [AppendRow], plan: &mut Plan) -> Result<()> {
        if let Some(wanted) = plan.wanted.get_mut(shard) {
            *wanted = false;
        }
        for (at, row) in rows.iter_mut().enumerate() {
            let Some(place) = plan.shards.get_mut(at).filter(|of| usize::from(**of) == shard)
            else {
                continue;
            };
            *place = DONE;
            if let Some(elsewhere) = self.row(at, row) {
                plan.set(at, elsewhere);
            }
            if self.builder.is_full() {
                self.enqueue()?;
            }
        }
        self.enqueue()
    }

    /// Takes a row; returns the shard that it is for if that is another.
    fn row(&mut self, at: usize, row: &mut AppendRow) -> Option<usize> {
        match self.sample(row) {
            Ok(Taken::Elsewhere(shard)) => return Some(shard),
            Ok(Taken::As(Verdict::Duplicate)) => self.report.duplicates += 1,
            Ok(Taken::As(_)) => self.report.appended += 1,
            Err(reason) => {
                self.report.rejected.push((at, reason));
                return None;
            }
        }
        for exemplar in &row.exemplars {
            self.exemplar(row, exemplar);
        }
        None
    }

    fn sample(&mut self, row: &mut AppendRow) -> Result<Taken, RejectReason> {
        let mut known = self.shard.resolve(row.series);
        if known.is_none() && row.series != SeriesRef::default() {
            // The series of that number is gone; its labels may have come again.
            if row.labels.is_empty() {
                return Err(RejectReason::UnknownSeries);
            }
            row.series = self.head.glance().find(&row.labels).unwrap_or_default();
            match self.here(row.series) {
                Ok(slot) => known = slot,
                Err(elsewhere) => return Ok(Taken::Elsewhere(elsewhere)),
            }
        }
        let Some(slot) = known else { return self.new_sample(row) };
        self.known_sample(slot, row).map(Taken::As)
    }

    /// The slot of a series that was just found, none for no series.
    fn here(&self, found: SeriesRef) -> Result<Option<Slot>, usize> {
        match self.shard.resolve(found) {
            Some(slot) => Ok(Some(slot)),
            None => {
                let other = self.head.owner_of(found).filter(|other| *other != self.shard.at());
                other.map_or(Ok(None), Err)
            }
        }
    }

    fn new_sample(&mut self, row: &mut AppendRow) -> Result<Taken, RejectReason> {
        let value = self.value(None, &row.value)?;
        if row.labels.is_empty() || row.labels.byte_len() > self.options.labels_bytes_max {
            return Err(RejectReason::InvalidLabels);
        }
        let times = (self.newest, self.now);
        let verdict = self.shard.judge(None, row.timestamp.0, &value, self.options, times);
        if let Verdict::Reject(reason) = verdict {
            return Err(reason);
        }
        drop(value);
        match self.head.define(self.shard, &row.labels, self.options.series_max)? {
            Defined::New(slot) => {
                row.series = self.shard.reference(slot);
                self.builder.define(row.series.0, &row.labels);
                self.known_sample(slot, row).map(Taken::As)
            }
            Defined::Known(found) => {
                row.series = found;
                match self.here(found) {
                    Ok(Some(slot)) => self.known_sample(slot, row).map(Taken::As),
                    Ok(None) => Err(RejectReason::SeriesLimit),
                    Err(elsewhere) => Ok(Taken::Elsewhere(elsewhere)),
                }
            }
        }
    }

    /// Takes a sample of a series whose number is in its row.
    fn known_sample(&mut self, slot: Slot, row: &mut AppendRow) -> Result<Verdict, RejectReason> {
        let value = self.value(Some(slot), &row.value)?;
        let (time, times) = (row.timestamp.0, (self.newest, self.now));
        let verdict = self.shard.judge(Some(slot), time, &value, self.options, times);
        let late = match verdict {
            Verdict::InOrder => false,
            Verdict::Late => true,
            Verdict::Duplicate => return Ok(verdict),
            Verdict::Reject(reason) => return Err(reason),
        };
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
        self.newest = self.newest.max(time);
        self.put.push((row.series, time));
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
                    && slot.is_some_and(|slot| self.shard.ends_in_histogram(slot)) =>
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

    fn float(&mut self, slot: Slot, id: u64, float: NewFloat, late: bool) {
        let NewFloat { time, start, bits } = float;
        let base = if late {
            self.shard.insert_float(slot, float);
            0
        } else {
            self.shard.append_float(slot, (self.segment, self.group), float)
        };
        self.builder.float(FloatRow { id, time, start, bits, late }, base);
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
            self.shard.insert_histogram(slot, time, start, histogram);
        } else {
            self.shard.push_histogram(slot, time, start, histogram);
        }
        Ok(())
    }

    fn exemplar(&mut self, row: &AppendRow, exemplar: &Exemplar) {
        let timestamp = exemplar.timestamp.or(Some(row.timestamp));
        let exemplar = Exemplar { timestamp, ..exemplar.clone() };
        let mut texts = self.head.texts();
        if !texts.take_exemplar(self.builder, row.series, &row.labels, exemplar) {
            self.report.rejected_exemplars += 1;
        }
    }

    /// Gives what was built its place in the journal.
    fn enqueue(&mut self) -> Result<()> {
        if self.builder.is_empty() {
            return Ok(());
        }
        let mut frame = self.builder.encode(self.group);
        while self.journal.enqueue_in(self.segment, &frame)?.is_none() {
            // Others filled the segment, and the frame rests on what was written there.
            self.segment = self.journal.next_segment();
            self.builder.rebase();
            for row in self.builder.floats().iter().filter(|row| !row.late) {
                if let Some((_, slot)) = split(row.id) {
                    self.shard.set_base(slot, self.segment, row.bits);
                }
            }
            frame = self.builder.encode(self.group);
        }
        self.builder.clear();
        self.segment = self.journal.next_segment();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
