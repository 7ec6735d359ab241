//! One series of the head. What most series never have stands behind one pointer.

use std::{num::NonZeroU32, sync::Arc};

use masthead_chunk::{histograms, xor::Appender};
use masthead_model::Histogram;

use super::{
    NewFloat, Snapshot,
    timeline::{LineId, Meeting, NONE, Timelines},
};
use crate::columns::Part;

/// Histograms are encoded by so many.
const HISTOGRAMS: usize = 64;

/// 96 bytes, also where there may be none: there are millions.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) generation: NonZeroU32,
    /// The segment of the journal in which `last_bits` was written; cut to 32 bits, which no
    /// journal outlives.
    segment: u32,
    /// The open chunk: values, and which times of which timeline are theirs.
    pub(super) open: Chunk,
    /// The newest float that was in order.
    pub(super) last_bits: u64,
    /// Time of the newest sample, `i64::MIN` if there never was one.
    pub(super) last_time: i64,
    pub(super) rest: Option<Box<Rest>>,
}

#[derive(Debug, Clone)]
pub(super) struct Chunk {
    pub(super) line: LineId,
    pub(super) first: u32,
    pub(super) values: Appender,
}

/// What most series never have.
#[derive(Debug, Default)]
pub(super) struct Rest {
    pub(super) closed: Vec<Chunk>,
    /// Floats between others, by time.
    pub(super) late: Vec<NewFloat>,
    /// Start times of floats: from which sample on, and which.
    pub(super) starts: Vec<(i64, i64)>,
    pub(super) sealed_histograms: Vec<SealedHistograms>,
    pub(super) open_histograms: Vec<OneHistogram>,
    pub(super) late_histograms: Vec<OneHistogram>,
    /// The newest sample, if it is a histogram.
    pub(super) last_histogram: Option<Arc<Histogram>>,
}

#[derive(Debug, Clone)]
pub(super) struct OneHistogram {
    pub(super) time: i64,
    pub(super) start: i64,
    pub(super) histogram: Arc<Histogram>,
}

#[derive(Debug, Clone)]
pub(super) struct SealedHistograms {
    pub(super) times: Arc<[(i64, i64)]>,
    pub(super) column: Arc<[u8]>,
}

const _: () = assert!(size_of::<Option<Series>>() <= 96);

impl Series {
    /// A series without samples; generations begin with 1.
    pub(super) fn new(generation: u32) -> Self {
        Self {
            generation: NonZeroU32::new(generation).unwrap_or(NonZeroU32::MIN),
            segment: u32::MAX,
            open: Chunk { line: NONE, first: 0, values: Appender::default() },
            last_bits: 0,
            last_time: i64::MIN,
            rest: None,
        }
    }

    pub(super) fn base(&self, segment: u64) -> u64 {
        if self.segment == cut(segment) { self.last_bits } else { 0 }
    }

    pub(super) fn set_base(&mut self, segment: u64, bits: u64) {
        self.segment = cut(segment);
        self.last_bits = bits;
    }

    pub(super) fn push_float(
        &mut self,
        lines: &mut Timelines,
        window: i64,
        group: u64,
        float: NewFloat,
    ) {
        let at = self.open.first as usize + self.open.values.len();
        if !lines.reaches(self.open.line, window, at, float.time) {
            let left = lines.get(self.open.line).is_some_and(|line| line.window == window);
            let meeting = if left { Meeting::Left(self.open.line) } else { Meeting::Group(group) };
            self.close();
            (self.open.line, self.open.first) = lines.meet(meeting, window, float.time);
        }
        if self.open.values.push(f64::from_bits(float.bits)).is_err() {
            // The longest column that can be: the block has more samples than milliseconds.
            self.close();
            (self.open.line, self.open.first) = (lines.start(window), 0);
            lines.reaches(self.open.line, window, 0, float.time);
            drop(self.open.values.push(f64::from_bits(float.bits)));
        }
        self.last_time = float.time;
        if let Some(rest) = &mut self.rest {
            rest.last_histogram = None;
        }
        let known = self.rest.as_ref().and_then(|rest| rest.starts.last());
        if known.map_or(0, |(_, start)| *start) != float.start {
            self.rest().starts.push((float.time, float.start));
        }
    }

    pub(super) fn push_histogram(
        &mut self,
        window: i64,
        time: i64,
        start: i64,
        histogram: Arc<Histogram>,
    ) {
        self.last_time = time;
        let rest = self.rest();
        rest.last_histogram = Some(Arc::clone(&histogram));
        let other_block = rest.open_histograms.first().is_some_and(|first| first.time < window);
        if other_block || rest.open_histograms.len() >= HISTOGRAMS {
            rest.seal_histograms();
        }
        rest.open_histograms.push(OneHistogram { time, start, histogram });
    }

    pub(super) fn insert_float(&mut self, float: NewFloat) {
        let late = &mut self.rest().late;
        let at = late.partition_point(|other| other.time < float.time);
        late.insert(at, float);
    }

    pub(super) fn insert_histogram(&mut self, time: i64, start: i64, histogram: Arc<Histogram>) {
        let late = &mut self.rest().late_histograms;
        let at = late.partition_point(|other| other.time < time);
        late.insert(at, OneHistogram { time, start, histogram });
    }

    pub(super) fn late_count(&self) -> usize {
        self.rest.as_ref().map_or(0, |rest| rest.late.len() + rest.late_histograms.len())
    }

    /// Writes everything anew without what lies in `first..=last`; `all` is what there is now.
    pub(super) fn delete(
        &mut self,
        lines: &mut Timelines,
        all: &Snapshot,
        block_ms: i64,
        first: i64,
        last: i64,
    ) {
        let mut kept = Part::default();
        all.read(0, i64::MIN, i64::MAX, &mut kept);
        let before = kept.len();
        kept.remove(first, last);
        if kept.len() == before {
            return;
        }
        let last_histogram = self.rest.as_mut().and_then(|rest| rest.last_histogram.take());
        self.rewrite(lines, &kept, block_ms, last_histogram);
    }

    /// Replaces all samples by those of `kept`; the newest of the series stays what it was.
    pub(super) fn rewrite(
        &mut self,
        lines: &mut Timelines,
        kept: &Part,
        block_ms: i64,
        last_histogram: Option<Arc<Histogram>>,
    ) {
        self.open = Chunk { line: NONE, first: 0, values: Appender::default() };
        self.rest = None;
        let window = |time: i64| time.div_euclid(block_ms).saturating_mul(block_ms);
        let last_time = self.last_time;
        let mut line_window = None;
        let starts = kept.columns.float_starts.iter().copied().chain(std::iter::repeat(0));
        let floats = kept.columns.float_times.iter().zip(&kept.columns.floats).zip(starts);
        for ((time, value), start) in floats {
            let own = window(*time);
            if line_window != Some(own) {
                self.close();
                (self.open.line, self.open.first) = (lines.start(own), 0);
                line_window = Some(own);
            }
            let float = NewFloat { time: *time, start, bits: value.to_bits() };
            self.push_float(lines, own, 0, float);
        }
        // What comes next must not be taken for a neighbour of what was deleted.
        self.close();
        let starts = kept.columns.histogram_starts.iter().copied().chain(std::iter::repeat(0));
        let all = kept.columns.histogram_times.iter().zip(&kept.columns.histograms).zip(starts);
        for ((time, histogram), start) in all {
            self.push_histogram(window(*time), *time, start, Arc::clone(histogram));
        }
        if last_histogram.is_some() || self.rest.is_some() {
            self.rest().last_histogram = last_histogram;
        }
        self.last_time = last_time;
    }

    /// Calls `visit` with at least one time of every block in which there are samples.
    pub(super) fn each_time(&self, lines: &Timelines, visit: &mut dyn FnMut(i64)) {
        let rest = self.rest.iter().flat_map(|rest| &rest.closed);
        for chunk in rest.chain([&self.open]) {
            if !chunk.values.is_empty()
                && let Some(line) = lines.get(chunk.line)
            {
                visit(line.window);
            }
        }
        let Some(rest) = &self.rest else { return };
        rest.late.iter().for_each(|float| visit(float.time));
        let sealed = rest.sealed_histograms.iter().filter_map(|sealed| sealed.times.first());
        sealed.for_each(|(time, _)| visit(*time));
        rest.open_histograms.iter().chain(&rest.late_histograms).for_each(|one| visit(one.time));
    }

    /// Drops what is before `floor`; `window_of` says when the block of a timeline starts.
    pub(super) fn drop_before(&mut self, window_of: impl Fn(LineId) -> Option<i64>, floor: i64) {
        let old = |chunk: &Chunk| window_of(chunk.line).is_none_or(|window| window < floor);
        if old(&self.open) {
            self.open = Chunk { line: NONE, first: 0, values: Appender::default() };
        }
        let Some(rest) = &mut self.rest else { return };
        rest.closed.retain(|chunk| !old(chunk));
        rest.closed.shrink_to_fit();
        rest.late.retain(|float| float.time >= floor);
        rest.sealed_histograms
            .retain(|sealed| sealed.times.last().is_some_and(|(time, _)| *time >= floor));
        rest.open_histograms.retain(|one| one.time >= floor);
        rest.late_histograms.retain(|one| one.time >= floor);
        // The last start before the floor still holds after it.
        let old_starts = rest.starts.partition_point(|(from, _)| *from < floor);
        rest.starts.drain(..old_starts.saturating_sub(1));
        if rest.is_empty() && rest.starts.is_empty() && rest.last_histogram.is_none() {
            self.rest = None;
        }
    }

    /// Whether it has no samples.
    pub(super) fn is_empty(&self) -> bool {
        self.open.values.is_empty() && self.rest.as_ref().is_none_or(|rest| rest.is_empty())
    }

    fn close(&mut self) {
        let none = Chunk { line: NONE, first: 0, values: Appender::default() };
        let mut chunk = std::mem::replace(&mut self.open, none);
        if !chunk.values.is_empty() {
            chunk.values.shrink();
            let closed = &mut self.rest().closed;
            closed.reserve_exact(1);
            closed.push(chunk);
        }
    }

    fn rest(&mut self) -> &mut Rest {
        self.rest.get_or_insert_default()
    }
}

impl Rest {
    fn is_empty(&self) -> bool {
        self.closed.is_empty()
            && self.late.is_empty()
            && self.sealed_histograms.is_empty()
            && self.open_histograms.is_empty()
            && self.late_histograms.is_empty()
    }

    fn seal_histograms(&mut self) {
        let plain: Vec<Histogram> =
            self.open_histograms.iter().map(|one| (*one.histogram).clone()).collect();
        let times: Vec<(i64, i64)> =
            self.open_histograms.iter().map(|one| (one.time, one.start)).collect();
        let mut column = Vec::new();
        // Each was encoded for the journal; all together may be too many numbers, then they stay.
        if histograms::encode(&plain, &mut column).is_ok() {
            let sealed = SealedHistograms { times: times.into(), column: column.into() };
            self.sealed_histograms.push(sealed);
            self.open_histograms.clear();
        }
    }
}

fn cut(segment: u64) -> u32 {
    u32::try_from(segment & u64::from(u32::MAX)).unwrap_or(0)
}
