//! Several blocks to one: adjacent ones to a long one, and any whose deleted samples should go.
//!
//! The new block names the ones that it replaces. From the moment when it is published they do not
//! count, whether they are still there or not, so there is no moment at which samples are doubled
//! or gone.

use std::{collections::BTreeMap, sync::Arc};

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use masthead_durable::publish;
use masthead_model::{ErrorClass, Labels};
use masthead_ports::Exemplar;

use crate::{
    Result, Tsdb,
    block::{self, Block, BlockWriter, Meta, Origin, TimesCache, Tombstones},
    columns::Part,
    stats::add,
    store::Maintenance,
};

impl Tsdb {
    /// Merges the oldest blocks that can be: those of one long block's time, once no more can come.
    /// Returns whether there was anything to do.
    ///
    /// # Errors
    /// Those of the file system, and damage in a block, which is then left alone from now on.
    pub fn compact_once(&self) -> Result<bool> {
        let Some(sources) = self.mergeable() else {
            self.succeeded(&self.counters.last_merge);
            return Ok(false);
        };
        let mut maintenance = self.maintain()?;
        // Somebody may have been faster.
        if self.mergeable().is_none_or(|again| !same(&again, &sources)) {
            return Ok(true);
        }
        self.merge(&mut maintenance, &sources)?;
        self.succeeded(&self.counters.last_merge);
        Ok(true)
    }

    /// Rewrites every block of which something was deleted, so that the bytes are gone too. What is
    /// deleted in the head is gone already. Returns how many blocks were rewritten.
    ///
    /// # Errors
    /// As [`Tsdb::compact_once`].
    pub fn clean_tombstones(&self) -> Result<usize> {
        let mut maintenance = self.maintain()?;
        let mut cleaned = 0;
        for block in self.blocks().iter() {
            if !block.tombstones.read().is_empty() && !block.is_damaged() {
                self.merge(&mut maintenance, std::slice::from_ref(block))?;
                cleaned += 1;
            }
        }
        Ok(cleaned)
    }

    fn mergeable(&self) -> Option<Vec<Arc<Block>>> {
        let floor = self.head.floor();
        let long = self.options.merged_ms;
        let mut groups: BTreeMap<i64, Vec<Arc<Block>>> = BTreeMap::new();
        for block in self.blocks().iter().filter(|block| !block.is_damaged()) {
            let number = block.meta.min_time.div_euclid(long);
            let end = number.saturating_add(1).saturating_mul(long);
            if block.meta.max_time < end && end <= floor {
                groups.entry(number).or_default().push(Arc::clone(block));
            }
        }
        groups.into_values().find(|group| group.len() > 1)
    }

    fn merge(&self, maintenance: &mut Maintenance, sources: &[Arc<Block>]) -> Result<()> {
        let name = block::name(maintenance.next_block());
        let result = self.write_merged(&name, sources);
        if let Err(error) = &result
            && error.class() == ErrorClass::Corrupt
        {
            // One of them has damage; without it the others may be merged next time.
            for block in sources {
                if let Err(error) = read_through(block)
                    && error.class() == ErrorClass::Corrupt
                {
                    block.set_damaged();
                }
            }
        }
        let merged = maintenance.settle(result)?;
        let mut numbers: Vec<u64> = sources.iter().map(|block| block.number).collect();
        numbers.sort_unstable();
        self.replace_blocks(merged, &numbers);
        add(&self.counters.merges, 1);
        for block in sources {
            let removed = publish::remove(&*self.fs, &self.blocks_dir(), &block.name);
            maintenance.settle(removed.map_err(Into::into))?;
        }
        Ok(())
    }

    fn write_merged(&self, name: &str, sources: &[Arc<Block>]) -> Result<Option<Block>> {
        let parent = self.blocks_dir();
        let dir = publish::begin(&*self.fs, &parent, name)?;
        let write = || -> Result<bool> {
            let mut writer = BlockWriter::create(&*self.fs, &dir)?;
            let mut inputs: Vec<Input> = sources.iter().map(Input::new).collect::<Result<_>>()?;
            // Of equal times the newer block's sample stands.
            inputs.sort_by_key(|input| std::cmp::Reverse(input.block.number));
            while let Some((labels, part, exemplars)) = next_series(&mut inputs)? {
                writer.push(&labels, &part)?;
                writer.push_exemplars(&labels, &exemplars);
            }
            if writer.is_empty() {
                return Ok(false);
            }
            let mut numbers: Vec<u64> = sources.iter().map(|block| block.number).collect();
            numbers.sort_unstable();
            writer.finish(Meta {
                origin: Origin::Merge,
                min_time: 0,
                max_time: 0,
                floor: sources.iter().map(|block| block.meta.floor).max().unwrap_or(i64::MIN),
                series: 0,
                samples: 0,
                sources: numbers,
            })?;
            publish::publish(&*self.fs, &parent, name)?;
            Ok(true)
        };
        let written = write();
        if !matches!(written, Ok(true)) {
            publish::abandon(&*self.fs, &parent, name);
        }
        if written? { Ok(Some(Block::open(&*self.fs, &parent, name)?)) } else { Ok(None) }
    }
}

/// Reads a block from beginning to end.
fn read_through(block: &Arc<Block>) -> Result<()> {
    let mut input = [Input::new(block)?];
    while next_series(&mut input)?.is_some() {}
    Ok(())
}

fn same(a: &[Arc<Block>], b: &[Arc<Block>]) -> bool {
    a.iter().map(|block| block.number).eq(b.iter().map(|block| block.number))
}

/// One of the blocks that are merged, with the series that comes next.
struct Input {
    block: Arc<Block>,
    tombstones: Arc<Tombstones>,
    cache: TimesCache,
    next: u32,
    labels: Option<Labels>,
    /// By series; they are few.
    exemplars: HashMap<u32, Vec<Exemplar>, RandomState>,
}

impl Input {
    fn new(block: &Arc<Block>) -> Result<Self> {
        let mut exemplars = HashMap::default();
        block.each_exemplars((i64::MIN, i64::MAX), &|_| true, &mut |id, some| {
            exemplars.insert(id, some);
        })?;
        Ok(Self {
            exemplars,
            tombstones: Arc::clone(&block.tombstones.read()),
            cache: block.times_cache(),
            block: Arc::clone(block),
            next: 0,
            labels: None,
        })
    }
}

/// Sorts exemplars of one series by time, each once.
pub(crate) fn sort_exemplars(exemplars: &mut Vec<Exemplar>) {
    let key = |one: &Exemplar| (one.timestamp, one.value.to_bits());
    exemplars.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.labels.cmp(&b.labels)));
    exemplars.dedup_by(|a, b| key(a) == key(b) && a.labels == b.labels);
}

/// The next series in label order, with its samples from all inputs.
fn next_series(inputs: &mut [Input]) -> Result<Option<(Labels, Part, Vec<Exemplar>)>> {
    for input in inputs.iter_mut() {
        if input.labels.is_none() && input.next < input.block.index.len() {
            input.labels = Some(input.block.index.cursor().labels(input.next)?);
        }
    }
    let Some(labels) = inputs.iter().filter_map(|input| input.labels.as_ref()).min().cloned()
    else {
        return Ok(None);
    };
    let (mut parts, mut exemplars) = (Vec::new(), Vec::new());
    for input in inputs.iter_mut().filter(|input| input.labels.as_ref() == Some(&labels)) {
        let mut part = Part::default();
        let everything = (i64::MIN, i64::MAX);
        input.block.read(input.next, everything, &input.cache, &input.tombstones, &mut part)?;
        parts.push(part);
        exemplars.extend(input.exemplars.remove(&input.next).unwrap_or_default());
        input.labels = None;
        input.next += 1;
    }
    let mut merged = Part::default();
    Part::merge(parts, &mut merged);
    sort_exemplars(&mut exemplars);
    Ok(Some((labels, merged, exemplars)))
}
