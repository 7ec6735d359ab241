//! Series and timelines as bytes, so that a start need not build them sample by sample.
//!
//! Numbers, slots and labels stand elsewhere (`image.rs`). Byte layout: `docs/format/head.md`.

use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use masthead_chunk::{histograms, times, xor};
use masthead_durable::{
    bytes::{Bad, Reader, put_signed, put_slice, put_unsigned},
    index::HeadIndex,
};
use masthead_model::Histogram;

use super::{
    Head, Held, NewFloat, RUN, Registry, SHARDS, Shard, Slot,
    series::{Chunk, OneHistogram, Rest, SealedHistograms, Series},
    timeline::{LineId, NONE, Timeline, Timelines},
};
use crate::{columns::Part, options::Options};

/// What follows in the record of a series.
const SAMPLED: u8 = 1;
const OPEN: u8 = 2;
const OTHER_LAST: u8 = 4;
const REST: u8 = 8;
const LAST_HISTOGRAM: u8 = 16;

/// A head that is being read from a file: what all of its series need.
#[derive(Debug)]
pub(crate) struct SavedHead {
    lines: SavedLines,
    block_ms: i64,
}

/// Timelines by their number in the file, which is any.
type SavedLines = HashMap<LineId, Timeline, RandomState>;

/// A series that was read.
#[derive(Debug)]
pub(crate) struct SavedSeries(Series);

impl SavedSeries {
    /// A series whose samples are lost.
    pub(crate) fn empty(generation: u32) -> Self {
        Self(Series::new(generation))
    }

    /// How many samples it has.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl SavedHead {
    /// Reads the timelines of a head whose blocks are `block_ms` long.
    pub(crate) fn new(lines: &[u8], block_ms: i64) -> Result<Self, Bad> {
        let mut reader = Reader::new(lines);
        let lines = read_lines(&mut reader)?;
        reader.finish("end of timelines")?;
        Ok(Self { lines, block_ms })
    }

    /// Reads a series, without its samples before `floor`, which are in blocks.
    pub(crate) fn series(
        &self,
        generation: u32,
        newest: i64,
        floor: i64,
        reader: &mut Reader<'_>,
    ) -> Result<SavedSeries, Bad> {
        let mut series = Series::load(generation, newest, reader)?;
        series.drop_before(|line| self.lines.get(&line).map(|line| line.window), floor);
        Ok(SavedSeries(series))
    }

    /// The head of these series. Each run goes to the shard of the labels that come first in it,
    /// which is where its series were.
    pub(crate) fn finish(
        self,
        index: HeadIndex,
        mut series: Vec<Option<SavedSeries>>,
        options: &Options,
    ) -> Head {
        let mut head = Head::new(options);
        let generations =
            series.iter().map(|one| one.as_ref().map_or(0, |one| one.0.generation.get()));
        head.registry = Registry::of(index, generations.collect()).into();
        let mut homes = [const { None }; SHARDS];
        for (first, run) in (0_u32..).step_by(RUN).zip(series.chunks_mut(RUN)) {
            let Some(slot) =
                (first..).zip(&*run).find_map(|(slot, one)| one.is_some().then_some(slot))
            else {
                continue;
            };
            let labels = head.registry.get_mut().index.labels(slot).unwrap_or_default();
            let owner = head.owner_or_home(slot, &labels);
            let (Some(home), Some(shard)) = (homes.get_mut(owner), head.shards.get_mut(owner))
            else {
                continue;
            };
            let shard = shard.get_mut();
            let home = home.get_or_insert_with(|| Home::new(&self.lines));
            shard.block_ms = self.block_ms;
            for (slot, place) in (first..).zip(run) {
                let Some(SavedSeries(mut series)) = place.take() else { continue };
                series.each_chunk(&mut |chunk| {
                    chunk.line = home.place(&mut shard.timelines, chunk.line);
                });
                shard.put(slot, series);
            }
        }
        if self.block_ms != options.block_ms {
            head.shards.iter_mut().for_each(|shard| shard.get_mut().divide(options.block_ms));
        }
        head
    }
}

/// Where the timelines of a file are in a shard; those that series of several shards share are in
/// each of these.
struct Home<'l> {
    lines: &'l SavedLines,
    placed: HashMap<LineId, LineId, RandomState>,
    last: (LineId, LineId),
}

impl<'l> Home<'l> {
    fn new(lines: &'l SavedLines) -> Self {
        Self { lines, placed: HashMap::default(), last: (NONE, NONE) }
    }

    fn place(&mut self, into: &mut Timelines, line: LineId) -> LineId {
        if self.last.0 != line {
            let placed = self.placed.entry(line).or_insert_with(|| {
                self.lines.get(&line).map_or(NONE, |line| into.add(line.clone()))
            });
            self.last = (line, *placed);
        }
        self.last.1
    }
}

impl Shard {
    /// The same samples for blocks of another length, which end timelines elsewhere.
    fn divide(&mut self, block_ms: i64) {
        let mut lines = Timelines::default();
        let mut divided = Vec::new();
        for (slot, old) in self.slots() {
            let mut all = Part::default();
            self.snapshot_all(slot).read(0, i64::MIN, i64::MAX, &mut all);
            let mut series = Series::new(old.generation.get());
            (series.last_time, series.last_bits) = (old.last_time, old.last_bits);
            let last = old.rest.as_ref().and_then(|rest| rest.last_histogram.clone());
            series.rewrite(&mut lines, &all, block_ms, last);
            divided.push((slot, series));
        }
        for (slot, series) in divided {
            self.put(slot, series);
        }
        (self.timelines, self.block_ms) = (lines, block_ms);
    }
}

impl Held<'_> {
    /// Appends the record of a series, an empty one if it is gone. Returns how many samples it has.
    pub(crate) fn save_series(
        &self,
        slot: Slot,
        newest: i64,
        out: &mut Vec<u8>,
    ) -> Result<usize, masthead_chunk::Error> {
        match self.shard(slot).and_then(|shard| Some((shard, shard.series(slot)?))) {
            Some((shard, series)) => series.save(shard.at, newest, out),
            None => Series::new(0).save(0, newest, out),
        }
    }

    /// Appends the timelines of all shards that are held.
    pub(crate) fn save_lines(&self, out: &mut Vec<u8>) {
        let lines = || {
            self.all().flat_map(|shard| {
                let lines = (0..).zip(&shard.timelines.lines);
                lines.filter_map(|(id, line)| Some((saved_line(shard.at, id), line.as_ref()?)))
            })
        };
        put_unsigned(out, lines().count() as u64);
        for (id, line) in lines() {
            put_unsigned(out, id);
            put_signed(out, line.window);
            line.times.save(out);
        }
    }
}

/// The number in the file of a shard's timeline.
fn saved_line(shard: usize, line: LineId) -> u64 {
    u64::from(line) * SHARDS as u64 + shard as u64
}

impl Series {
    /// Appends the record of a series; `newest` is any time near its last. Returns how many samples
    /// it has.
    ///
    /// # Errors
    /// A histogram that cannot be encoded, which would not have been taken.
    pub(super) fn save(
        &self,
        shard: usize,
        newest: i64,
        out: &mut Vec<u8>,
    ) -> Result<usize, masthead_chunk::Error> {
        let mut flags = 0;
        let mut flag = |set: bool, bit: u8| flags |= if set { bit } else { 0 };
        let last = self.open.values.last().map_or(0, f64::to_bits);
        flag(self.last_time != i64::MIN, SAMPLED);
        flag(!self.open.values.is_empty(), OPEN);
        flag(last != self.last_bits, OTHER_LAST);
        flag(self.rest.is_some(), REST);
        let last_histogram = self.rest.as_ref().and_then(|rest| rest.last_histogram.as_ref());
        flag(last_histogram.is_some(), LAST_HISTOGRAM);
        out.push(flags);
        if flags & SAMPLED != 0 {
            put_signed(out, newest.wrapping_sub(self.last_time));
        }
        if flags & OPEN != 0 {
            self.open.save(shard, out);
        }
        if flags & OTHER_LAST != 0 {
            out.extend_from_slice(&self.last_bits.to_le_bytes());
        }
        if let Some(rest) = &self.rest {
            rest.save(shard, out)?;
        }
        if let Some(histogram) = last_histogram {
            put_histogram(out, histogram)?;
        }
        Ok(self.len())
    }

    /// Reads a record.
    pub(super) fn load(generation: u32, newest: i64, reader: &mut Reader<'_>) -> Result<Self, Bad> {
        let mut series = Self::new(generation);
        let bad = reader.bad("flags of a series");
        let flags = reader.byte("flags of a series")?;
        if flags >= LAST_HISTOGRAM << 1 || flags & (REST | LAST_HISTOGRAM) == LAST_HISTOGRAM {
            return Err(bad);
        }
        if flags & SAMPLED != 0 {
            series.last_time = newest.wrapping_sub(reader.signed("last time")?);
        }
        if flags & OPEN != 0 {
            series.open = Chunk::load(reader)?;
        }
        series.last_bits = match flags & OTHER_LAST {
            0 => series.open.values.last().map_or(0, f64::to_bits),
            _ => reader.word64("last value")?,
        };
        if flags & REST != 0 {
            let mut rest = Rest::load(reader)?;
            if flags & LAST_HISTOGRAM != 0 {
                rest.last_histogram = Some(read_histogram(reader)?);
            }
            series.rest = Some(Box::new(rest));
        }
        Ok(series)
    }

    /// Calls `visit` with each chunk that has samples.
    fn each_chunk(&mut self, visit: &mut dyn FnMut(&mut Chunk)) {
        let closed = self.rest.iter_mut().flat_map(|rest| &mut rest.closed);
        closed.chain([&mut self.open]).filter(|chunk| !chunk.values.is_empty()).for_each(visit);
    }

    /// How many samples it has.
    pub(super) fn len(&self) -> usize {
        self.open.values.len() + self.rest.as_ref().map_or(0, |rest| rest.len())
    }
}

impl Chunk {
    fn save(&self, shard: usize, out: &mut Vec<u8>) {
        put_unsigned(out, saved_line(shard, self.line));
        put_unsigned(out, u64::from(self.first));
        self.values.save(out);
    }

    fn load(reader: &mut Reader<'_>) -> Result<Self, Bad> {
        let line = read_u32(reader, "timeline")?;
        let first = read_u32(reader, "first sample")?;
        let bad = reader.bad("column of values");
        let (values, used) = xor::Appender::restore(reader.rest()).map_err(|_| bad)?;
        reader.take(used, "column of values")?;
        Ok(Self { line, first, values })
    }
}

impl Rest {
    fn len(&self) -> usize {
        let sealed: usize = self.sealed_histograms.iter().map(|sealed| sealed.times.len()).sum();
        let closed: usize = self.closed.iter().map(|chunk| chunk.values.len()).sum();
        let single = self.open_histograms.len() + self.late_histograms.len();
        closed + self.late.len() + sealed + single
    }

    fn save(&self, shard: usize, out: &mut Vec<u8>) -> Result<(), masthead_chunk::Error> {
        put_unsigned(out, self.closed.len() as u64);
        self.closed.iter().for_each(|chunk| chunk.save(shard, out));
        put_unsigned(out, self.late.len() as u64);
        for float in &self.late {
            put_signed(out, float.time);
            put_signed(out, float.start);
            out.extend_from_slice(&float.bits.to_le_bytes());
        }
        put_times(out, &self.starts);
        put_unsigned(out, self.sealed_histograms.len() as u64);
        for sealed in &self.sealed_histograms {
            put_times(out, &sealed.times);
            put_slice(out, &sealed.column);
        }
        for some in [&self.open_histograms, &self.late_histograms] {
            put_unsigned(out, some.len() as u64);
            for one in some {
                put_signed(out, one.time);
                put_signed(out, one.start);
                put_histogram(out, &one.histogram)?;
            }
        }
        Ok(())
    }

    fn load(reader: &mut Reader<'_>) -> Result<Self, Bad> {
        let mut rest = Self::default();
        for _ in 0..reader.count(reader.remaining(), "count of chunks")? {
            rest.closed.push(Chunk::load(reader)?);
        }
        for _ in 0..reader.count(reader.remaining(), "count of late samples")? {
            let (time, start) = (reader.signed("time")?, reader.signed("start")?);
            rest.late.push(NewFloat { time, start, bits: reader.word64("value")? });
        }
        rest.starts = read_times(reader)?;
        for _ in 0..reader.count(reader.remaining(), "count of columns")? {
            let times = read_times(reader)?.into();
            let column = reader.slice("column of histograms")?.into();
            rest.sealed_histograms.push(SealedHistograms { times, column });
        }
        for some in [&mut rest.open_histograms, &mut rest.late_histograms] {
            for _ in 0..reader.count(reader.remaining(), "count of histograms")? {
                let (time, start) = (reader.signed("time")?, reader.signed("start")?);
                some.push(OneHistogram { time, start, histogram: read_histogram(reader)? });
            }
        }
        Ok(rest)
    }
}

fn read_lines(reader: &mut Reader<'_>) -> Result<SavedLines, Bad> {
    let mut all = SavedLines::default();
    for _ in 0..reader.count(reader.remaining(), "count of timelines")? {
        let id = read_u32(reader, "timeline")?;
        let window = reader.signed("start of a block")?;
        let bad = reader.bad("column of times");
        let (times, used) = times::Appender::restore(reader.rest()).map_err(|_| bad)?;
        reader.take(used, "column of times")?;
        all.insert(id, Timeline { window, times });
    }
    Ok(all)
}

fn put_times(out: &mut Vec<u8>, times: &[(i64, i64)]) {
    put_unsigned(out, times.len() as u64);
    for (time, start) in times {
        put_signed(out, *time);
        put_signed(out, *start);
    }
}

fn read_times(reader: &mut Reader<'_>) -> Result<Vec<(i64, i64)>, Bad> {
    let count = reader.count(reader.remaining(), "count of times")?;
    (0..count).map(|_| Ok((reader.signed("time")?, reader.signed("start")?))).collect()
}

fn put_histogram(out: &mut Vec<u8>, histogram: &Histogram) -> Result<(), masthead_chunk::Error> {
    let mut column = Vec::new();
    histograms::encode(std::slice::from_ref(histogram), &mut column)?;
    put_slice(out, &column);
    Ok(())
}

fn read_histogram(reader: &mut Reader<'_>) -> Result<Arc<Histogram>, Bad> {
    let bad = reader.bad("histogram");
    let mut decoded = Vec::new();
    histograms::decode_into(reader.slice("histogram")?, &mut decoded).map_err(|_| bad)?;
    decoded.pop().filter(|_| decoded.is_empty()).map(Arc::new).ok_or(bad)
}

fn read_u32(reader: &mut Reader<'_>, what: &'static str) -> Result<u32, Bad> {
    let bad = reader.bad(what);
    u32::try_from(reader.unsigned(what)?).map_err(|_| bad)
}
