//! Reads the head's file, on several threads: labels and series group by group, postings beside.
//!
//! A group with damage loses its series and is reported; damage in what all groups need loses the
//! file.

use std::{
    panic::resume_unwind,
    sync::atomic::{AtomicUsize, Ordering},
};

use camino::Utf8Path;
use masthead_durable::{
    bytes::{Bad, Reader},
    index::{HeadIndex, HeadPostings, HeadSets},
    table::{Section, Table},
};
use masthead_model::Label;
use masthead_sysio::Fs;
use parking_lot::Mutex;

use super::{GROUP, KIND, VERSION, section};
use crate::{
    Error, Options, Result,
    head::{Head, SavedHead, SavedSeries, Slot},
};

/// Most labels of one series.
const LABELS_MAX: usize = 100_000;
/// More damage is counted and not told.
const DAMAGES_MAX: usize = 100;

/// Is told slot, generation and pairs of a series.
type Visit<'v> = &'v mut dyn FnMut(Slot, u32, &[u32]) -> Result<()>;

/// What a file held.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) head: Head,
    pub(crate) samples: u64,
    /// Series that are lost, and what was wrong, at most a hundred times.
    pub(crate) lost: u64,
    pub(crate) damages: Vec<String>,
    pub(crate) bytes: u64,
}

/// Reads the file at `path`; of samples before `floor` none is taken.
///
/// # Errors
/// Damage in what all series need, a later version, and those of the file system.
pub(crate) fn load(fs: &dyn Fs, path: &Utf8Path, options: &Options, floor: i64) -> Result<Loaded> {
    let table = Table::open(fs, path, KIND, VERSION)?;
    let file = File::open(&table)?;
    let meta = file.meta()?;
    let pairs = file.pairs()?;
    let lines = file.sections.lines.all()?;
    let saved = SavedHead::new(lines, meta.block_ms)
        .map_err(|bad| file.sections.lines.corrupt(bad.what, bad.offset))?;
    let source = Source { file: &file, pairs: &pairs, meta: &meta, options };
    let (groups, postings) = source.read(&saved, floor);

    let mut loaded = Loaded {
        head: Head::new(options),
        samples: 0,
        lost: 0,
        damages: Vec::new(),
        bytes: table.len(),
    };
    let mut sets = HeadSets::default();
    let mut series = Vec::new();
    for group in groups {
        if let Some(damage) = group.damage {
            loaded.lost += group.lost;
            if loaded.damages.len() < DAMAGES_MAX {
                loaded.damages.push(damage);
            }
        }
        let Some(last) = group.series.last().map(|(slot, ..)| *slot as usize) else { continue };
        if last >= series.len() {
            series.resize_with(last + 1, || None);
        }
        let mut start = 0;
        for (slot, end, one) in group.series {
            loaded.samples += one.len() as u64;
            sets.put(slot, group.pairs.get(start..end).unwrap_or_default());
            start = end;
            if let Some(place) = series.get_mut(slot as usize) {
                *place = Some(one);
            }
        }
    }
    let index = HeadIndex::from_parts(sets, postings);
    loaded.head = saved.finish(index, series, options);
    loaded.head.registry_mut().generation = meta.generation.max(1);
    loaded.head.know(meta.floor.max(floor), meta.newest);
    Ok(loaded)
}

#[derive(Debug)]
struct Sections {
    pairs: Section,
    sets: Section,
    set_ends: Section,
    series: Section,
    series_ends: Section,
    lines: Section,
    meta: Section,
}

#[derive(Debug)]
struct File {
    sections: Sections,
}

#[derive(Debug)]
struct Meta {
    floor: i64,
    newest: i64,
    block_ms: i64,
    generation: u32,
    series: usize,
}

/// Labels of the file, in order, with the number of each one's name.
#[derive(Debug)]
struct Pairs<'a> {
    labels: Vec<(Label<'a>, u32)>,
}

struct Source<'a> {
    file: &'a File,
    pairs: &'a Pairs<'a>,
    meta: &'a Meta,
    options: &'a Options,
}

#[derive(Default)]
struct Group {
    /// Slots, and where the pairs of each end.
    series: Vec<(Slot, usize, SavedSeries)>,
    pairs: Vec<u32>,
    lost: u64,
    damage: Option<String>,
}

impl File {
    fn open(table: &Table) -> Result<Self> {
        let of = |id| {
            let missing =
                masthead_durable::Error::corrupt(table.path(), "directory of sections", 0);
            table.section(id).ok_or(missing)
        };
        let sections = Sections {
            pairs: of(section::PAIRS)?,
            sets: of(section::SETS)?,
            set_ends: of(section::SET_ENDS)?,
            series: of(section::SERIES)?,
            series_ends: of(section::SERIES_ENDS)?,
            lines: of(section::LINES)?,
            meta: of(section::META)?,
        };
        Ok(Self { sections })
    }

    fn meta(&self) -> Result<Meta> {
        let section = &self.sections.meta;
        let parse = |bytes: &[u8]| -> Result<Meta, Bad> {
            let mut reader = Reader::new(bytes);
            let (floor, newest) = (reader.signed("floor")?, reader.signed("newest time")?);
            let bad = reader.bad("length of a block");
            let block_ms = reader.signed("length of a block")?;
            if block_ms <= 0 {
                return Err(bad);
            }
            let bad = reader.bad("generation");
            let generation = u32::try_from(reader.unsigned("generation")?).map_err(|_| bad)?;
            let series = reader.count(usize::MAX, "count of series")?;
            reader.unsigned("count of samples")?;
            reader.finish("meta")?;
            Ok(Meta { floor, newest, block_ms, generation, series })
        };
        Ok(parse(section.all()?).map_err(|bad| section.corrupt(bad.what, bad.offset))?)
    }

    fn pairs(&self) -> Result<Pairs<'_>> {
        let section = &self.sections.pairs;
        let mut reader = Reader::new(section.all()?);
        let mut labels: Vec<(Label<'_>, u32)> = Vec::new();
        let mut parse = || -> Result<(), Bad> {
            while reader.remaining() > 0 {
                let bad = reader.bad("label");
                let label = Label { name: reader.text("label")?, value: reader.text("label")? };
                if label.name.is_empty() || label.value.is_empty() {
                    return Err(bad);
                }
                let number = match labels.last() {
                    Some((before, _)) if *before >= label => return Err(bad),
                    Some((before, number)) if before.name == label.name => *number,
                    Some((_, number)) => number + 1,
                    None => 0,
                };
                labels.push((label, number));
            }
            Ok(())
        };
        parse().map_err(|bad| section.corrupt(bad.what, bad.offset))?;
        Ok(Pairs { labels })
    }

    /// The bytes of group `at`, and where they start.
    fn part<'s>(section: &'s Section, ends: &Section, at: usize) -> Result<(&'s [u8], usize)> {
        let word = |at: usize| -> Result<usize> {
            let bytes = ends.read(8 * at..8 * at + 8)?;
            let end =
                Reader::new(bytes).word64("end").ok().and_then(|end| usize::try_from(end).ok());
            Ok(end.ok_or_else(|| ends.corrupt("end of a group", 8 * at))?)
        };
        let start = if at == 0 { 0 } else { word(at - 1)? };
        Ok((section.read(start..word(at)?)?, start))
    }
}

impl Source<'_> {
    /// All groups in order, and who has which label.
    fn read(&self, saved: &SavedHead, floor: i64) -> (Vec<Group>, HeadPostings) {
        let count = self.meta.series.div_ceil(GROUP).min(self.file.sections.set_ends.len() / 8);
        let next = AtomicUsize::new(0);
        let groups: Mutex<Vec<(usize, Group)>> = Mutex::new(Vec::with_capacity(count));
        let work = || {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= count {
                    break;
                }
                let group = self.group(at, saved, floor);
                groups.lock().push((at, group));
            }
        };
        let postings = std::thread::scope(|scope| {
            let spawned =
                (1..self.options.load_threads.max(1)).map(|_| scope.spawn(work)).collect();
            let spawned: Vec<_> = spawned;
            let postings = self.postings(count);
            work();
            for thread in spawned {
                thread.join().unwrap_or_else(|panic| resume_unwind(panic));
            }
            postings
        });
        let mut groups = groups.into_inner();
        groups.sort_unstable_by_key(|(at, _)| *at);
        (groups.into_iter().map(|(_, group)| group).collect(), postings)
    }

    fn group(&self, at: usize, saved: &SavedHead, floor: i64) -> Group {
        let sections = &self.file.sections;
        let size = GROUP.min(self.meta.series - at * GROUP);
        let mut group = Group { lost: size as u64, ..Group::default() };
        group.series.reserve_exact(size);
        let records = File::part(&sections.series, &sections.series_ends, at);
        let (mut damage, (bytes, start)) = match records {
            Ok(part) => (None, part),
            Err(error) => (Some(error), Default::default()),
        };
        let mut reader = Reader::new(bytes);
        let read = self.each_set(at, size, &mut |slot, generation, pairs| {
            let mut one = SavedSeries::empty(generation);
            if damage.is_none() {
                match saved.series(generation, self.meta.newest, floor, &mut reader) {
                    Ok(read) => {
                        one = read;
                        group.lost -= 1;
                    }
                    Err(bad) => {
                        damage = Some(sections.series.corrupt(bad.what, start + bad.offset).into());
                    }
                }
            }
            // Who has which label is read elsewhere, so whoever has labels must be there.
            group.pairs.extend_from_slice(pairs);
            group.series.push((slot, group.pairs.len(), one));
            Ok(())
        });
        group.damage = damage.or(read.err()).map(|error| error.to_string());
        group
    }

    /// Calls `visit` with slot, generation and pairs of each series of a group.
    fn each_set(&self, at: usize, size: usize, visit: Visit<'_>) -> Result<()> {
        let sections = &self.file.sections;
        let (bytes, start) = File::part(&sections.sets, &sections.set_ends, at)?;
        let mut reader = Reader::new(bytes);
        let mut pairs = Vec::new();
        let mut next = 0;
        let corrupt = |bad: Bad| Error::from(sections.sets.corrupt(bad.what, start + bad.offset));
        for _ in 0..size {
            let (slot, generation) =
                self.read_set(&mut reader, next, &mut pairs).map_err(corrupt)?;
            next = u64::from(slot) + 1;
            visit(slot, generation, &pairs)?;
        }
        reader.finish("end of a group").map_err(corrupt)
    }

    fn read_set(
        &self,
        reader: &mut Reader<'_>,
        next: u64,
        pairs: &mut Vec<u32>,
    ) -> Result<(Slot, u32), Bad> {
        let bad = reader.bad("slot");
        let slot = next.saturating_add(reader.unsigned("slot")?);
        let in_limit = |slot: &u32| (*slot as usize) < self.options.slots_max();
        let slot = u32::try_from(slot).ok().filter(in_limit).ok_or(bad)?;
        let bad = reader.bad("generation");
        let generation = u32::try_from(reader.unsigned("generation")?).map_err(|_| bad)?;
        pairs.clear();
        let mut before: Option<(u64, u32)> = None;
        for _ in 0..reader.count(LABELS_MAX, "count of labels")? {
            let bad = reader.bad("label of a series");
            let pair = before.map_or(0, |(pair, _)| pair).saturating_add(reader.unsigned("label")?);
            let at = usize::try_from(pair).unwrap_or(usize::MAX);
            let (_, name) = self.pairs.labels.get(at).ok_or(bad)?;
            if before.is_some_and(|(_, before)| *name <= before) {
                return Err(bad);
            }
            before = Some((pair, *name));
            pairs.push(u32::try_from(pair).map_err(|_| bad)?);
        }
        Ok((slot, generation))
    }

    /// Who has which label; series of groups with damage are left out.
    fn postings(&self, groups: usize) -> HeadPostings {
        let each = |visit: &mut dyn FnMut(Slot, &[u32])| {
            for at in 0..groups {
                let size = GROUP.min(self.meta.series - at * GROUP);
                // What is wrong is told by whoever reads the series.
                drop(self.each_set(at, size, &mut |slot, _, pairs| {
                    visit(slot, pairs);
                    Ok(())
                }));
            }
        };
        let mut ends = vec![0_usize; self.pairs.labels.len()];
        each(&mut |_, pairs| {
            for pair in pairs {
                if let Some(count) = ends.get_mut(*pair as usize) {
                    *count += 1;
                }
            }
        });
        let mut total = 0;
        for end in &mut ends {
            total += std::mem::replace(end, total);
        }
        let mut slots = vec![0; total];
        each(&mut |slot, pairs| {
            for pair in pairs {
                if let Some(end) = ends.get_mut(*pair as usize)
                    && let Some(place) = slots.get_mut(*end)
                {
                    *place = slot;
                    *end += 1;
                }
            }
        });
        let mut postings = HeadPostings::default();
        let mut start = 0;
        for ((label, _), end) in self.pairs.labels.iter().zip(ends) {
            postings.add(label.name, label.value, slots.get(start..end).unwrap_or_default());
            start = end;
        }
        postings
    }
}
