//! Writes the head's file: labels from one moment, series group by group while appends go on.

use camino::Utf8Path;
use masthead_durable::{
    bytes::{put_signed, put_slice, put_unsigned},
    index::Pair,
    table::TableWriter,
};
use masthead_sysio::Fs;

use super::{GROUP, KIND, VERSION, section};
use crate::{
    Result,
    head::{Head, Held, Registry, Slot},
};

/// What the head says about its series without their samples, at one moment.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    pairs: Vec<u8>,
    sets: Vec<u8>,
    set_ends: Vec<usize>,
    pub(crate) slots: Vec<Slot>,
    pub(crate) floor: i64,
    pub(crate) generation: u32,
    pub(crate) newest: i64,
    pub(crate) block_ms: i64,
}

impl Catalog {
    /// Takes the labels of all series, which `registry` has of `head`.
    pub(crate) fn of(head: &Head, registry: &Registry) -> Self {
        let mut catalog = Self {
            slots: registry.index.slots().collect(),
            floor: head.floor(),
            generation: registry.generation,
            newest: head.newest(),
            block_ms: head.block_ms(),
            ..Self::default()
        };
        // Turning postings around asks no hash for anything: 1 M series take about 0.1 s.
        let pairs = registry.index.pairs();
        let size = catalog.slots.last().map_or(0, |slot| *slot as usize + 1);
        let mut ends = vec![0_usize; size];
        for slot in pairs.iter().flat_map(Pair::series) {
            if let Some(count) = ends.get_mut(slot as usize) {
                *count += 1;
            }
        }
        let mut total = 0;
        for end in &mut ends {
            // Where the slot's pairs begin; it moves on as they come.
            total += std::mem::replace(end, total);
        }
        let mut sets = vec![0_u32; total];
        for (number, pair) in (0..).zip(&pairs) {
            put_slice(&mut catalog.pairs, pair.name.as_bytes());
            put_slice(&mut catalog.pairs, pair.value.as_bytes());
            for slot in pair.series() {
                if let Some(end) = ends.get_mut(slot as usize)
                    && let Some(place) = sets.get_mut(*end)
                {
                    *place = number;
                    *end += 1;
                }
            }
        }
        let mut start = 0;
        let mut slots = std::mem::take(&mut catalog.slots);
        slots.retain(|slot| ends.get(*slot as usize).is_some());
        for group in slots.chunks(GROUP) {
            let mut next = 0;
            for slot in group {
                let end = ends.get(*slot as usize).copied().unwrap_or(start);
                let set = sets.get(start..end).unwrap_or_default();
                start = end;
                put_unsigned(&mut catalog.sets, u64::from(*slot) - next);
                next = u64::from(*slot) + 1;
                put_unsigned(&mut catalog.sets, u64::from(registry.generation_of(*slot)));
                put_unsigned(&mut catalog.sets, set.len() as u64);
                let mut before = 0;
                for pair in set {
                    put_unsigned(&mut catalog.sets, u64::from(pair - before));
                    before = *pair;
                }
            }
            catalog.set_ends.push(catalog.sets.len());
        }
        catalog.slots = slots;
        catalog
    }
}

/// A file that is being written.
#[derive(Debug)]
pub(crate) struct ImageWriter {
    table: TableWriter,
    ends: Vec<usize>,
    buffer: Vec<u8>,
    samples: usize,
}

impl ImageWriter {
    /// Starts the file at `path`, which must not exist.
    pub(crate) fn create(fs: &dyn Fs, path: &Utf8Path, catalog: &Catalog) -> Result<Self> {
        let mut table = TableWriter::create(fs, path, KIND, VERSION)?;
        table.section(section::PAIRS)?;
        table.write(&catalog.pairs)?;
        table.section(section::SETS)?;
        table.write(&catalog.sets)?;
        table.section(section::SET_ENDS)?;
        table.write(&words(&catalog.set_ends))?;
        table.section(section::SERIES)?;
        Ok(Self { table, ends: Vec::new(), buffer: Vec::new(), samples: 0 })
    }

    /// Adds the records of all series; shards are held for a moment at a time.
    pub(crate) fn series(&mut self, catalog: &Catalog, head: &Head) -> Result<()> {
        for group in catalog.slots.chunks(GROUP) {
            self.group(catalog, group, &head.hold(group.iter().copied()))?;
            self.table.write(&self.buffer)?;
            self.buffer.clear();
            self.ends.push(self.table.section_len());
        }
        // Last, because timelines only grow: every time that a series refers to is there now.
        self.table.section(section::SERIES_ENDS)?;
        self.table.write(&words(&self.ends))?;
        self.table.section(section::LINES)?;
        head.hold_still().save_lines(&mut self.buffer);
        Ok(self.table.write(&self.buffer)?)
    }

    fn group(&mut self, catalog: &Catalog, group: &[Slot], held: &Held<'_>) -> Result<()> {
        for slot in group {
            let saved = held.save_series(*slot, catalog.newest, &mut self.buffer);
            self.samples +=
                saved.map_err(|error| masthead_durable::Error::column(self.table.path(), error))?;
        }
        Ok(())
    }

    /// Writes the rest and syncs the file. Returns its bytes.
    pub(crate) fn finish(mut self, catalog: &Catalog) -> Result<u64> {
        let mut meta = Vec::new();
        for time in [catalog.floor, catalog.newest, catalog.block_ms] {
            put_signed(&mut meta, time);
        }
        put_unsigned(&mut meta, u64::from(catalog.generation));
        put_unsigned(&mut meta, catalog.slots.len() as u64);
        put_unsigned(&mut meta, self.samples as u64);
        self.table.section(section::META)?;
        self.table.write(&meta)?;
        Ok(self.table.finish()?)
    }
}

fn words(ends: &[usize]) -> Vec<u8> {
    ends.iter().flat_map(|end| (*end as u64).to_le_bytes()).collect()
}
