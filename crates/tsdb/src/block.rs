//! A block: immutable samples of many series over some hours, in a directory of its own.
//!
//! ```text
//! block-0000000000000007/
//!   data         a table: meta, label index, references, shared times, encoded columns, exemplars
//!   tombstones   what was deleted and is still in `data`; missing if nothing was
//! ```
//!
//! `block/writer.rs` writes it, `block/times.rs` shares columns of times between series while
//! writing, `block/exemplars.rs` has exemplars, `block/labels.rs` remembers labels, `block/meta.rs` says what the block is, `block/tombstones.rs` what is deleted.
//! Byte layout: `docs/format/block.md`.

use std::{
    ops::Deref,
    sync::{Arc, OnceLock},
};

use camino::Utf8Path;
use masthead_chunk::{floats, histograms, times};
use masthead_durable::{
    Error, Result,
    blocks::{self, Base},
    bytes::{Bad, Reader},
    index::DiskIndex,
    table::Section,
};
use masthead_model::Histogram;
use masthead_ports::Exemplar;
use masthead_sysio::Fs;
use parking_lot::RwLock;
use smallvec::SmallVec;

mod exemplars;
mod labels;
mod meta;
mod recent;
mod times_writer;
mod tombstones;
mod writer;

#[cfg(test)]
mod tests;

pub(crate) use labels::LabelsBudget;
pub(crate) use meta::{Meta, Origin};
pub(crate) use tombstones::Tombstones;
pub(crate) use writer::BlockWriter;

use crate::columns::Part;

pub(crate) const KIND: u32 = u32::from_le_bytes(*b"tsdb");
pub(crate) const VERSION: u32 = 1;

/// Sections of the table.
mod section {
    pub(super) const DATA: u32 = 1;
    pub(super) const REFERENCES: u32 = 2;
    pub(super) const REFERENCE_ENDS: u32 = 3;
    pub(super) const TIMES: u32 = 4;
    pub(super) const TIME_ENDS: u32 = 5;
    pub(super) const INDEX: u32 = 6;
    pub(super) const META: u32 = 7;
    pub(super) const EXEMPLARS: u32 = 8;
}

/// A chunk of histograms.
const HISTOGRAMS: u8 = 1;
/// Start times follow the values.
const STARTS: u8 = 2;
/// Columns of times are kept decoded during a query if there are at most so many in a block.
const CACHED_TIMES_MAX: usize = 1 << 16;

/// An open block.
#[derive(Debug)]
pub(crate) struct Block {
    base: Base,
    pub(crate) meta: Meta,
    pub(crate) index: DiskIndex,
    pub(crate) tombstones: RwLock<Arc<Tombstones>>,
    /// Label sets that queries have asked for.
    labels: labels::LabelsCache,
    data: Section,
    references: Section,
    reference_ends: Section,
    times: Section,
    time_ends: Section,
    /// Missing if there are none.
    exemplars: Option<Section>,
}

/// Columns of times of one block, decoded once for all series that share them.
#[derive(Debug)]
pub(crate) struct TimesCache {
    columns: Vec<OnceLock<Arc<Vec<i64>>>>,
}

/// One chunk of a series.
#[derive(Debug, Clone, Copy)]
struct Reference {
    kind: u8,
    column: usize,
    first: usize,
    count: usize,
    len: usize,
}

impl Deref for Block {
    type Target = Base;

    fn deref(&self) -> &Base {
        &self.base
    }
}

impl blocks::Block for Block {
    /// Reads its end, its meta and the header of its index.
    fn open(fs: &dyn Fs, parent: &Utf8Path, name: &str) -> Result<Self> {
        let mut base = Base::open(fs, parent, name, KIND, VERSION)?;
        let (tombstones, tombstones_bytes) = Tombstones::load(fs, &base.dir)?;
        base.bytes += tombstones_bytes;
        Ok(Self {
            meta: Meta::decode(&base.section(section::META)?)?,
            index: DiskIndex::open(base.section(section::INDEX)?)?,
            tombstones: RwLock::new(Arc::new(tombstones)),
            labels: labels::LabelsCache::default(),
            data: base.section(section::DATA)?,
            references: base.section(section::REFERENCES)?,
            reference_ends: base.section(section::REFERENCE_ENDS)?,
            times: base.section(section::TIMES)?,
            time_ends: base.section(section::TIME_ENDS)?,
            exemplars: base.optional_section(section::EXEMPLARS),
            base,
        })
    }

    fn sources(&self) -> &[u64] {
        &self.meta.sources
    }

    fn last(&self) -> i64 {
        self.meta.max_time
    }
}

impl Block {
    pub(crate) fn overlaps(&self, first: i64, last: i64) -> bool {
        self.meta.min_time <= last && first <= self.meta.max_time
    }

    /// A cache for the queries that read this block together.
    pub(crate) fn times_cache(&self) -> TimesCache {
        let columns = self.time_ends.len() / 4;
        let cached = if columns <= CACHED_TIMES_MAX { columns } else { 0 };
        TimesCache { columns: (0..cached).map(|_| OnceLock::new()).collect() }
    }

    /// Calls `visit` with each series that `wanted` says yes to and its exemplars in the range.
    ///
    /// # Errors
    /// Damage, with the file and the place.
    pub(crate) fn each_exemplars(
        &self,
        range: (i64, i64),
        wanted: &dyn Fn(u32) -> bool,
        visit: &mut dyn FnMut(u32, Vec<Exemplar>),
    ) -> Result<()> {
        let Some(section) = &self.exemplars else { return Ok(()) };
        exemplars::read(section, range, wanted, visit)
    }

    /// Whether it has exemplars.
    pub(crate) fn has_exemplars(&self) -> bool {
        self.exemplars.is_some()
    }

    /// Appends the samples of series `id` in `first..=last` to `into`, which must be empty, without
    /// those that `tombstones` has. Returns how many compressed bytes were decoded.
    ///
    /// # Errors
    /// Damage, with the file and the place.
    pub(crate) fn read(
        &self,
        id: u32,
        (first, last): (i64, i64),
        cache: &TimesCache,
        tombstones: &Tombstones,
        into: &mut Part,
    ) -> Result<u64> {
        let mut decoded = 0;
        let (mut offset, references) = self.references_of(id)?;
        for reference in references {
            let place = offset..offset + reference.len;
            offset = place.end;
            let times = self.times(reference.column, cache)?;
            let bad = || self.references.corrupt("reference to times", 0);
            let times = times
                .get(reference.first..reference.first.saturating_add(reference.count))
                .ok_or_else(bad)?;
            let low = times.partition_point(|time| *time < first);
            let high = times.partition_point(|time| *time <= last);
            if low >= high {
                continue;
            }
            let bytes = self.data.read(place)?;
            decoded += bytes.len() as u64;
            self.decode_chunk(reference, bytes, times, low..high, into)?;
        }
        for (first, last) in tombstones.of(id) {
            into.remove(first, last);
        }
        Ok(decoded)
    }

    fn decode_chunk(
        &self,
        reference: Reference,
        bytes: &[u8],
        times: &[i64],
        wanted: std::ops::Range<usize>,
        into: &mut Part,
    ) -> Result<()> {
        let column = |error| Error::column(self.data.path(), error);
        let bad = || self.data.corrupt("length of a column", 0);
        let wanted_times = times.get(wanted.clone()).unwrap_or_default();
        let mut plain: Vec<Histogram> = Vec::new();
        let before = into.columns.floats.len();
        let used = if reference.kind & HISTOGRAMS == 0 {
            let used = floats::decode_into(bytes, &mut into.columns.floats).map_err(column)?;
            if into.columns.floats.len() - before != reference.count {
                into.columns.floats.truncate(before);
                return Err(bad());
            }
            into.columns.floats.truncate(before + wanted.end);
            into.columns.floats.drain(before..before + wanted.start);
            used
        } else {
            let used = histograms::decode_into(bytes, &mut plain).map_err(column)?;
            if plain.len() != reference.count {
                return Err(bad());
            }
            used
        };
        let mut starts = Vec::new();
        if reference.kind & STARTS != 0 {
            let rest = bytes.get(used..).unwrap_or_default();
            let decoded = masthead_chunk::ints::decode_into(rest, &mut starts);
            if let Err(error) = decoded {
                into.columns.floats.truncate(before);
                return Err(column(error));
            }
            if starts.len() != reference.count {
                into.columns.floats.truncate(before);
                return Err(bad());
            }
        }
        let columns = &mut into.columns;
        if reference.kind & HISTOGRAMS == 0 {
            if !starts.is_empty() || !columns.float_starts.is_empty() {
                columns.float_starts.resize(before, 0);
                starts.resize(reference.count, 0);
                columns.float_starts.extend(starts.get(wanted).unwrap_or_default());
            }
            columns.float_times.extend(wanted_times);
            return Ok(());
        }
        let start = |at: usize| starts.get(at).copied().unwrap_or(0);
        for (at, histogram) in plain.into_iter().enumerate() {
            if wanted.contains(&at)
                && let Some(time) = times.get(at)
            {
                into.push_histogram(*time, start(at), Arc::new(histogram));
            }
        }
        Ok(())
    }

    fn references_of(&self, id: u32) -> Result<(usize, SmallVec<[Reference; 2]>)> {
        let range = self.reference_ends.entry(id as usize)?;
        let base = range.start;
        let bytes = self.references.read(range)?;
        let parse = || -> Result<_, Bad> {
            let mut reader = Reader::new(bytes);
            let offset = reader.count(self.data.len(), "offset of columns")?;
            let count = reader.count(bytes.len(), "count of chunks")?;
            let mut all = SmallVec::with_capacity(count);
            for _ in 0..count {
                all.push(Reference {
                    kind: reader.byte("kind of chunk")?,
                    column: reader.count(usize::MAX, "column of times")?,
                    first: reader.count(masthead_chunk::COUNT_MAX, "first sample")?,
                    count: reader.count(masthead_chunk::COUNT_MAX, "count of samples")?,
                    len: reader.count(self.data.len(), "length of a column")?,
                });
            }
            Ok((offset, all))
        };
        parse().map_err(|bad| self.references.corrupt(bad.what, base + bad.offset))
    }

    fn times(&self, column: usize, cache: &TimesCache) -> Result<Arc<Vec<i64>>> {
        let place = cache.columns.get(column);
        if let Some(times) = place.and_then(OnceLock::get) {
            return Ok(Arc::clone(times));
        }
        let bytes = self.times.read(self.time_ends.entry(column)?)?;
        let mut decoded = Vec::new();
        times::decode_into(bytes, &mut decoded)
            .map_err(|error| Error::column(self.times.path(), error))?;
        let decoded = Arc::new(decoded);
        Ok(place.map_or_else(
            || Arc::clone(&decoded),
            |place| Arc::clone(place.get_or_init(|| Arc::clone(&decoded))),
        ))
    }
}
