//! Several blocks to one: adjacent ones to a long one, and any whose deleted samples should go.
//!
//! The new block names the ones that it replaces. From the moment when it is published they do not
//! count, whether they are still there or not, so there is no moment at which samples are doubled
//! or gone.

use std::{collections::BTreeMap, sync::Arc};

use camino::Utf8Path;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use masthead_durable::{blocks, index::Together, stats::add};
use masthead_model::{ErrorClass, Labels};
use masthead_ports::Exemplar;

use crate::{
    Error, Result, Tsdb,
    block::{Block, BlockWriter, Origin, TimesCache, Tombstones},
    columns::Part,
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
        let result = maintenance.keeper.write(|dir| self.write_merged(dir, sources));
        if result.as_ref().is_err_and(is_corrupt) {
            // One of them has damage; without it the others may be merged next time.
            for block in sources {
                let read = each_series(std::slice::from_ref(block), |_, _, _| Ok(()));
                if read.as_ref().is_err_and(is_corrupt) {
                    block.set_damaged();
                }
            }
        }
        self.replace_blocks(result?, sources);
        add(&self.counters.merges, 1);
        Ok(maintenance.keeper.remove(sources, || ())?)
    }

    fn write_merged(&self, dir: &Utf8Path, sources: &[Arc<Block>]) -> Result<bool> {
        let mut writer = BlockWriter::create(&*self.fs, dir)?;
        each_series(sources, |labels, part, exemplars| {
            writer.push(labels, part)?;
            writer.push_exemplars(labels, exemplars);
            Ok(())
        })?;
        let some = !writer.is_empty();
        if some {
            let floor = sources.iter().map(|block| block.meta.floor).max().unwrap_or(i64::MIN);
            writer.finish(Origin::Merge, floor, blocks::numbers(sources))?;
        }
        Ok(some)
    }
}

fn is_corrupt(error: &Error) -> bool {
    error.class() == ErrorClass::Corrupt
}

fn same(a: &[Arc<Block>], b: &[Arc<Block>]) -> bool {
    a.iter().map(|block| block.number).eq(b.iter().map(|block| block.number))
}

/// One of the blocks that are merged.
struct Input<'a> {
    block: &'a Block,
    tombstones: Arc<Tombstones>,
    cache: TimesCache,
    /// By series; they are few.
    exemplars: HashMap<u32, Vec<Exemplar>, RandomState>,
}

impl<'a> Input<'a> {
    fn new(block: &'a Block) -> Result<Self> {
        let mut exemplars = HashMap::default();
        block.each_exemplars((i64::MIN, i64::MAX), &|_| true, &mut |id, some| {
            exemplars.insert(id, some);
        })?;
        let (tombstones, cache) = (Arc::clone(&block.tombstones.read()), block.times_cache());
        Ok(Self { block, tombstones, cache, exemplars })
    }
}

/// Sorts exemplars of one series by time, each once.
pub(crate) fn sort_exemplars(exemplars: &mut Vec<Exemplar>) {
    let key = |one: &Exemplar| (one.timestamp, one.value.to_bits());
    exemplars.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.labels.cmp(&b.labels)));
    exemplars.dedup_by(|a, b| key(a) == key(b) && a.labels == b.labels);
}

/// Calls `visit` with each series in label order, with its samples and exemplars of all blocks.
fn each_series(
    blocks: &[Arc<Block>],
    mut visit: impl FnMut(&Labels, &Part, &[Exemplar]) -> Result<()>,
) -> Result<()> {
    let mut inputs: Vec<Input<'_>> =
        blocks.iter().map(|block| Input::new(block)).collect::<Result<_>>()?;
    // Of equal times the newer block's sample stands.
    inputs.sort_by_key(|input| std::cmp::Reverse(input.block.number));
    let mut together = Together::new(inputs.iter().map(|input| &input.block.index));
    while let Some((labels, places)) = together.next_series()? {
        let (mut parts, mut exemplars) = (Vec::new(), Vec::new());
        for (at, id) in places {
            let Some(input) = inputs.get_mut(at) else { continue };
            let mut part = Part::default();
            let everything = (i64::MIN, i64::MAX);
            input.block.read(id, everything, &input.cache, &input.tombstones, &mut part)?;
            parts.push(part);
            exemplars.extend(input.exemplars.remove(&id).unwrap_or_default());
        }
        let mut merged = Part::default();
        Part::merge(parts, &mut merged);
        sort_exemplars(&mut exemplars);
        visit(&labels, &merged, &exemplars)?;
    }
    Ok(())
}
