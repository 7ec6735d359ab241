//! Several blocks to one: those of similar size, and any of which something was deleted.
//!
//! Most segments are copied as they are. Those that are small, overlap others or have deleted
//! lines are decoded, put in order without duplicates and compressed again.
//!
//! The new block names the ones that it replaces. From the moment when it is published they do not
//! count, whether they are still there or not, so there is no moment at which lines are doubled or
//! gone.

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::Ordering},
};

use camino::Utf8Path;
use masthead_durable::{
    blocks::{self, Keeper},
    index::Together,
    stats::add,
};
use masthead_model::{ErrorClass, Labels};

use crate::{
    Error, Logdb, Result,
    block::{Block, BlockWriter, Entry},
    delete::concerns,
    deletion::{Deletion, matching},
    flush::push,
    part::{self, Scratch, Source},
    rows::{Rows, row},
    segment::{Info, LINES_MAX, Want},
};

/// Segments that overlap and have more bytes than this together are left as they are.
const GROUP_BYTES_MAX: u64 = 32 << 20;

impl Logdb {
    /// Merges the oldest blocks that can be, or rewrites one of which something was deleted.
    /// Returns whether there was anything to do.
    ///
    /// # Errors
    /// Those of the file system, and damage in a block, which is then left alone from now on.
    pub fn compact_once(&self) -> Result<bool> {
        if self.mergeable().is_none() {
            self.succeeded(&self.counters.last_merge);
            return Ok(false);
        }
        let mut keeper = self.maintain()?;
        // Somebody may have been faster.
        let Some(sources) = self.mergeable() else { return Ok(true) };
        self.merge(&mut keeper, &sources)?;
        self.succeeded(&self.counters.last_merge);
        Ok(true)
    }

    fn mergeable(&self) -> Option<Vec<Arc<Block>>> {
        let (blocks, deletions) = {
            let state = self.state.read();
            (Arc::clone(&state.blocks), Arc::clone(&state.head.deletions))
        };
        if let Some(run) = self.run_of_alike(&blocks) {
            return Some(run);
        }
        for block in blocks.iter().filter(|block| !block.is_damaged()) {
            if deletions.iter().any(|deletion| concerns(deletion, block)) {
                return Some(vec![Arc::clone(block)]);
            }
            // So that it is not looked at again for the same deletions.
            let until = deletions.iter().map(|deletion| deletion.number).max().unwrap_or(0);
            block.clean_until.fetch_max(until, Ordering::Relaxed);
        }
        None
    }

    /// Neighbours in the order of pushing, so many as are merged at once, that end in one span and
    /// are of a tier or smaller, half of them of it. Only neighbours: lines of one instant keep the
    /// order in which they were pushed.
    fn run_of_alike(&self, blocks: &[Arc<Block>]) -> Option<Vec<Arc<Block>>> {
        let mut in_order: Vec<&Arc<Block>> = blocks.iter().collect();
        in_order.sort_by_key(|block| block.meta.seq);
        let span = |block: &Block| block.meta.last.div_euclid(self.options.merged_ns);
        let tiers: BTreeSet<u32> = in_order.iter().map(|block| self.tier(block)).collect();
        for tier in tiers {
            let fits = |block: &Block| {
                !block.is_damaged()
                    && block.meta.raw < self.options.merged_raw_bytes
                    && self.tier(block) <= tier
            };
            let found = in_order.windows(self.options.merge_blocks).find(|run| {
                let alike = run.iter().filter(|block| self.tier(block) == tier).count();
                let one_span = run.windows(2).all(|two| {
                    two.first().map(|block| span(block)) == two.last().map(|block| span(block))
                });
                one_span && 2 * alike >= run.len() && run.iter().all(|block| fits(block))
            });
            if let Some(run) = found {
                return Some(run.iter().map(|block| Arc::clone(block)).collect());
            }
        }
        None
    }

    /// Blocks of one tier differ in size by less than the count of blocks that are merged.
    fn tier(&self, block: &Block) -> u32 {
        let smallest = (self.options.segment_bytes as u64).max(1);
        let factor = self.options.merge_blocks.max(2) as u64;
        (block.meta.raw / smallest + 1).ilog(factor)
    }

    fn merge(&self, keeper: &mut Keeper, sources: &[Arc<Block>]) -> Result<()> {
        let (deletions, generation) = {
            let state = self.state.read();
            (Arc::clone(&state.head.deletions), state.head.generation)
        };
        let result = keeper.write(|dir| self.write_merged(dir, sources, &deletions, generation));
        if result.as_ref().is_err_and(is_corrupt) {
            // One of them has damage; without it the others may be merged next time.
            for block in sources {
                if read_through(block).as_ref().is_err_and(is_corrupt) {
                    block.set_damaged();
                }
            }
        }
        let merged: Option<Block> = result?;
        if let Some(merged) = &merged {
            merged.clean_until.fetch_max(generation, Ordering::Relaxed);
        }
        self.state.write().replace_blocks(merged, sources);
        add(&self.counters.merges, 1);
        Ok(keeper.remove(sources, || ())?)
    }

    fn write_merged(
        &self,
        dir: &Utf8Path,
        sources: &[Arc<Block>],
        deletions: &[Arc<Deletion>],
        generation: u64,
    ) -> Result<bool> {
        let mut work = Work {
            store: self,
            writer: BlockWriter::create(&*self.fs, dir)?,
            scratch: Scratch::default(),
            generation,
        };
        each_stream(sources, |labels, segments| {
            work.stream(labels, segments, &matching(deletions, labels))
        })?;
        let some = !work.writer.is_empty();
        if some {
            let floor = sources.iter().map(|block| block.meta.floor).max().unwrap_or(0);
            work.writer.finish(floor, blocks::numbers(sources))?;
        }
        Ok(some)
    }
}

fn is_corrupt(error: &Error) -> bool {
    error.class() == ErrorClass::Corrupt
}

type Segment = (Arc<Block>, Entry);

struct Work<'a> {
    store: &'a Logdb,
    writer: BlockWriter,
    scratch: Scratch,
    generation: u64,
}

impl Work<'_> {
    /// Writes the segments of one stream, which are sorted by their first time.
    fn stream(
        &mut self,
        labels: &Labels,
        segments: Vec<Segment>,
        deletions: &[Arc<Deletion>],
    ) -> Result<()> {
        let wanted = self.store.options.segment_bytes as u64;
        let mut group: Vec<Segment> = Vec::new();
        let (mut bytes, mut last) = (0, i64::MIN);
        for segment in segments {
            let info = segment.1.info;
            let size = info.raw + info.metadata;
            // What overlaps stays together; what does not, up to the size of a segment.
            if !group.is_empty() && info.first > last && bytes + size > wanted {
                self.group(&std::mem::take(&mut group), deletions)?;
                bytes = 0;
            }
            last = if group.is_empty() { info.last } else { last.max(info.last) };
            bytes += size;
            group.push(segment);
        }
        self.group(&group, deletions)?;
        Ok(self.writer.end_stream(labels)?)
    }

    fn group(&mut self, group: &[Segment], deletions: &[Arc<Deletion>]) -> Result<()> {
        let bytes: u64 = group.iter().map(|(_, entry)| entry.info.raw + entry.info.metadata).sum();
        let deleted = |entry: &Entry| deletions.iter().any(|one| one.touches(&entry.info));
        if group.len() > 1 && bytes <= GROUP_BYTES_MAX {
            return self.rewrite(group, deletions);
        }
        for segment in group {
            let (block, entry) = segment;
            if deleted(entry) {
                self.rewrite(std::slice::from_ref(segment), deletions)?;
            } else {
                self.writer.push(&entry.info, block.data(entry)?, block.words(entry)?)?;
            }
        }
        Ok(())
    }

    fn rewrite(&mut self, group: &[Segment], deletions: &[Arc<Deletion>]) -> Result<()> {
        let seq = group.iter().map(|(_, entry)| entry.info.seq).max().unwrap_or(0);
        let mut sources: Vec<Source> = group
            .iter()
            .map(|(block, entry)| Source::in_block(Arc::clone(block), *entry))
            .collect();
        sources.sort_by_key(Source::seq);
        let everything = (i64::MIN, i64::MAX);
        let mut lines = masthead_ports::LogColumns::default();
        part::read(&sources, everything, deletions, Want::ALL, &mut self.scratch, &mut lines)?;
        let mut rows = Rows::default();
        for at in 0..lines.len() {
            rows.push(row(&lines, at));
            let next = lines.line_len(at + 1) as u64;
            let full = rows.columns.len() >= LINES_MAX
                || rows.bytes() + next > self.store.options.segment_bytes as u64;
            if full || at + 1 == lines.len() {
                self.push_rows(&std::mem::take(&mut rows), seq)?;
            }
        }
        Ok(())
    }

    fn push_rows(&mut self, rows: &Rows, seq: u64) -> Result<()> {
        let columns = &rows.columns;
        let (Some(first), Some(last)) = (columns.times.first(), columns.times.last()) else {
            return Ok(());
        };
        let info = Info {
            first: *first,
            last: *last,
            lines: columns.len(),
            raw: columns.text.len() as u64,
            metadata: rows.metadata_bytes,
            seq,
            generation: self.generation,
        };
        push(&mut self.writer, &info, &self.store.seal_rows(rows)?)
    }
}

/// Reads a block from beginning to end.
fn read_through(block: &Arc<Block>) -> Result<()> {
    let mut scratch = Scratch::default();
    let mut lines = masthead_ports::LogColumns::default();
    each_stream(std::slice::from_ref(block), |_, segments| {
        for (block, entry) in segments {
            block.words(&entry)?;
            let source = [Source::in_block(block, entry)];
            let everything = (i64::MIN, i64::MAX);
            part::read(&source, everything, &[], Want::ALL, &mut scratch, &mut lines)?;
        }
        Ok(())
    })
}

/// Calls `visit` with each stream in label order, with its segments of all blocks by their first
/// time.
fn each_stream(
    blocks: &[Arc<Block>],
    mut visit: impl FnMut(&Labels, Vec<Segment>) -> Result<()>,
) -> Result<()> {
    let mut together = Together::new(blocks.iter().map(|block| &block.index));
    while let Some((labels, places)) = together.next_series()? {
        let mut segments = Vec::new();
        for (block, id) in places.iter().filter_map(|(at, id)| Some((blocks.get(*at)?, *id))) {
            let entries = block.entries(id)?;
            segments.extend(entries.into_iter().map(|entry| (Arc::clone(block), entry)));
        }
        segments.sort_by_key(|(_, entry)| (entry.info.first, entry.info.seq));
        visit(&labels, segments)?;
    }
    Ok(())
}
