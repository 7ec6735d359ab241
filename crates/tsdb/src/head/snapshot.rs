//! What a query takes from the head: copies of compressed chunks, decoded when they are read.
//!
//! Taken while the shard is held, read afterwards. All chunks are in one list and their bits in one
//! buffer, because a query takes thousands of small ones.

use std::{
    ops::Range,
    sync::{Arc, OnceLock},
};

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use masthead_chunk::{histograms, times, xor};
use masthead_model::Histogram;
use masthead_ports::SeriesRef;

use super::{
    NewFloat, Put, Shard, Slot,
    series::{Chunk, OneHistogram, SealedHistograms, Series},
    timeline::LineId,
};
use crate::columns::Part;

/// Series of the head, in the order in which they were taken.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    pub(crate) series: Vec<SeriesSnapshot>,
    /// Their numbers, where somebody asked for them.
    pub(crate) numbers: Vec<SeriesRef>,
    lines: Vec<Line>,
    known_lines: KnownLines,
    chunks: Vec<TakenChunk>,
    bits: Vec<u8>,
}

/// Places of timelines by their shard and their number there.
type KnownLines = HashMap<(usize, LineId), usize, RandomState>;

/// A shared column of times from about the first that is wanted, decoded once.
#[derive(Debug)]
struct Line {
    times: times::Taken,
    decoded: OnceLock<Vec<i64>>,
}

/// Values, and which times of which timeline are theirs.
#[derive(Debug)]
struct TakenChunk {
    line: usize,
    first: u32,
    values: xor::Taken,
}

/// One series.
#[derive(Debug, Default)]
pub(crate) struct SeriesSnapshot {
    chunks: Range<usize>,
    rest: Option<Box<RestSnapshot>>,
    /// Times of samples that must not be seen.
    hidden: Option<Box<[i64]>>,
}

#[derive(Debug, Default)]
struct RestSnapshot {
    late: Vec<NewFloat>,
    starts: Vec<(i64, i64)>,
    sealed: Vec<SealedHistograms>,
    open: Vec<OneHistogram>,
    late_histograms: Vec<OneHistogram>,
}

impl Snapshot {
    /// Adds a series that is gone.
    pub(crate) fn take_nothing(&mut self) {
        self.series.push(SeriesSnapshot::default());
    }

    /// Takes samples out again, which are in order; all series must have their numbers.
    pub(crate) fn hide(&mut self, hidden: &Put) {
        for (series, number) in self.series.iter_mut().zip(&self.numbers) {
            let first = hidden.partition_point(|(of, _)| of < number);
            let of_series = hidden.iter().skip(first).take_while(|(of, _)| of == number);
            let times: Box<[i64]> = of_series.map(|(_, time)| *time).collect();
            if !times.is_empty() {
                series.hidden = Some(times);
            }
        }
    }

    /// Makes room for so many series more.
    pub(crate) fn reserve(&mut self, series: usize) {
        self.series.reserve(series);
        self.numbers.reserve(series);
        self.chunks.reserve(series);
    }

    /// Appends the samples in `first..=last` of series number `at` to `into`, which must be empty.
    pub(crate) fn read(&self, at: usize, first: i64, last: i64, into: &mut Part) {
        let Some(series) = self.series.get(at) else { return };
        for chunk in self.chunks.get(series.chunks.clone()).unwrap_or_default() {
            let TakenChunk { line, first: from, values } = chunk;
            let Some(line) = self.lines.get(*line) else { continue };
            // The first of the times that were taken, and the end of the chunk among them; times before
            // the former are too old.
            let from = *from as usize;
            let start = from.max(line.times.before());
            let place = |at: usize| at.saturating_sub(line.times.before());
            let times = line.times(&self.bits).get(place(start)..place(from + values.len()));
            let times = times.unwrap_or_default();
            let low = times.partition_point(|time| *time < first);
            let high = times.partition_point(|time| *time <= last);
            if low >= high {
                continue;
            }
            let before = into.columns.float_times.len();
            into.columns.float_times.extend(times.get(low..high).unwrap_or_default());
            let skipped = start - from;
            let wanted = skipped + low..skipped + high;
            values.decode_range_into(&self.bits, wanted, &mut into.columns.floats);
            // A column that came from a file may have fewer values than it said.
            into.columns.float_times.truncate(into.columns.floats.len().max(before));
        }
        if let Some(rest) = &series.rest {
            rest.read(first, last, into);
        }
        for time in series.hidden.iter().flatten() {
            into.remove(*time, *time);
        }
    }

    /// What is added from now on takes its timelines anew.
    pub(crate) fn forget_lines(&mut self) {
        self.known_lines = HashMap::default();
    }
}

impl Shard {
    /// Adds a series to a snapshot, as far as it may have samples in `first..=last`; all series of a
    /// snapshot are taken, and read, from the same time on.
    pub(crate) fn take(&self, into: &mut Snapshot, slot: Slot, first: i64, last: i64) {
        let taken = self.series(slot).map(|series| self.take_series(into, series, first, last));
        into.series.push(taken.unwrap_or_default());
    }

    /// A snapshot of one series with everything that it has.
    pub(super) fn snapshot_all(&self, slot: Slot) -> Snapshot {
        self.snapshot_range(slot, i64::MIN, i64::MAX)
    }

    pub(super) fn snapshot_range(&self, slot: Slot, first: i64, last: i64) -> Snapshot {
        let mut taken = Snapshot::default();
        self.take(&mut taken, slot, first, last);
        taken
    }

    fn take_series(
        &self,
        into: &mut Snapshot,
        series: &Series,
        first: i64,
        last: i64,
    ) -> SeriesSnapshot {
        let start = into.chunks.len();
        let closed = series.rest.iter().flat_map(|rest| &rest.closed);
        for chunk in closed.chain([&series.open]) {
            self.take_chunk(into, chunk, first, last);
        }
        let chunks = start..into.chunks.len();
        let mut taken = SeriesSnapshot { chunks, ..SeriesSnapshot::default() };
        let Some(rest) = &series.rest else { return taken };
        let inside = |time: i64| first <= time && time <= last;
        let some =
            |all: &[OneHistogram]| all.iter().filter(|one| inside(one.time)).cloned().collect();
        let overlaps = |sealed: &&SealedHistograms| match &*sealed.times {
            [(from, _), .., (to, _)] => *from <= last && first <= *to,
            [(one, _)] => inside(*one),
            [] => false,
        };
        let rest = RestSnapshot {
            late: rest.late.iter().filter(|float| inside(float.time)).copied().collect(),
            starts: rest.starts.clone(),
            sealed: rest.sealed_histograms.iter().filter(overlaps).cloned().collect(),
            open: some(&rest.open_histograms),
            late_histograms: some(&rest.late_histograms),
        };
        // For hours of the day most series have closed chunks in there, and nothing else.
        taken.rest = (!rest.is_empty()).then(|| Box::new(rest));
        taken
    }

    fn take_chunk(&self, into: &mut Snapshot, chunk: &Chunk, first: i64, last: i64) {
        if chunk.values.is_empty() {
            return;
        }
        let Some(line) = self.timelines.get(chunk.line) else { return };
        if line.window > last || line.window.saturating_add(self.block_ms) <= first {
            return;
        }
        let known = into.known_lines.get(&(self.at, chunk.line)).copied();
        let at = known.unwrap_or_else(|| {
            let times = line.times.take(first, &mut into.bits);
            into.lines.push(Line { times, decoded: OnceLock::new() });
            into.known_lines.insert((self.at, chunk.line), into.lines.len() - 1);
            into.lines.len() - 1
        });
        let before = into.lines.get(at).map_or(0, |line| line.times.before());
        let skipped = before.saturating_sub(chunk.first as usize);
        let values = chunk.values.take(skipped, &mut into.bits);
        into.chunks.push(TakenChunk { line: at, first: chunk.first, values });
    }
}

impl Line {
    fn times(&self, bits: &[u8]) -> &[i64] {
        self.decoded.get_or_init(|| self.times.iter(bits).collect())
    }
}

impl SeriesSnapshot {
    /// Whether there is nothing to read.
    pub(crate) fn is_empty(&self) -> bool {
        self.chunks.is_empty() && self.rest.as_ref().is_none_or(|rest| !rest.has_samples())
    }
}

impl RestSnapshot {
    /// Whether it says nothing, of samples elsewhere either.
    fn is_empty(&self) -> bool {
        self.starts.is_empty() && !self.has_samples()
    }

    fn has_samples(&self) -> bool {
        let Self { late, starts: _, sealed, open, late_histograms } = self;
        !(late.is_empty() && sealed.is_empty() && open.is_empty() && late_histograms.is_empty())
    }

    fn read(&self, first: i64, last: i64, into: &mut Part) {
        let columns = &mut into.columns;
        if !self.starts.is_empty() {
            let mut next = self.starts.iter().peekable();
            let mut start = 0;
            for time in &columns.float_times {
                while let Some((_, new)) = next.next_if(|(from, _)| from <= time) {
                    start = *new;
                }
                columns.float_starts.push(start);
            }
        }
        for sealed in &self.sealed {
            let mut decoded: Vec<Histogram> = Vec::new();
            // Encoded by this process and never outside its memory.
            drop(histograms::decode_into(&sealed.column, &mut decoded));
            for ((time, start), histogram) in sealed.times.iter().zip(decoded) {
                if first <= *time && *time <= last {
                    into.push_histogram(*time, *start, Arc::new(histogram));
                }
            }
        }
        let inside = |time: i64| first <= time && time <= last;
        for one in self.open.iter().filter(|one| inside(one.time)) {
            into.push_histogram(one.time, one.start, Arc::clone(&one.histogram));
        }
        if self.late.is_empty() && self.late_histograms.is_empty() {
            return;
        }
        let mut late = Part::default();
        for float in self.late.iter().filter(|float| inside(float.time)) {
            late.push_float(float.time, float.start, f64::from_bits(float.bits));
        }
        for one in self.late_histograms.iter().filter(|one| inside(one.time)) {
            late.push_histogram(one.time, one.start, Arc::clone(&one.histogram));
        }
        let in_order = std::mem::take(into);
        Part::merge(vec![in_order, late], into);
    }
}
