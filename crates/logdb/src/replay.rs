//! The journal back into memory.
//!
//! Lines before the floor are in blocks, so they are not taken again; progress and deletions are.
//! A frame that makes no sense is dropped and counted.
//!
//! A loss of power can take a frame and leave a later one. From such a gap on progress is not
//! taken: readers go back to where they were before it, and what they send again is a duplicate or
//! was lost. The store then begins with a frame of its state, after which progress counts again.

use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use masthead_durable::journal::{Frame, Origin};
use masthead_model::Labels;

use crate::{
    OpenReport, Options,
    block::Block,
    deletion::Deletion,
    frame::{Decoded, Group, decode},
    head::Head,
    rows::Row,
};

#[derive(Debug)]
pub(crate) struct Replay<'a> {
    head: Head,
    blocks: &'a [Arc<Block>],
    segment_bytes: usize,
    /// Lines of segments of the journal before this one are in blocks.
    floor: u64,
    /// Slots by the streams' numbers in the segment that is being read.
    slots: HashMap<u64, u32, FixedState>,
    segment: u64,
    /// Number of the last frame.
    last: u64,
    /// A frame is missing.
    gap: bool,
    lines: u64,
    frames_dropped: u64,
    lines_dropped: u64,
}

impl<'a> Replay<'a> {
    pub(crate) fn new(options: &Options, blocks: &'a [Arc<Block>]) -> Self {
        let max = |of: fn(&Block) -> u64| blocks.iter().map(|block| of(block)).max().unwrap_or(0);
        let mut head = Head::default();
        head.seq = max(|block| block.meta.seq);
        head.newest = blocks.iter().map(|block| block.meta.last).max();
        Self {
            head,
            blocks,
            segment_bytes: options.segment_bytes,
            floor: max(|block| block.meta.floor),
            slots: HashMap::default(),
            segment: 0,
            last: 0,
            gap: false,
            lines: 0,
            frames_dropped: 0,
            lines_dropped: 0,
        }
    }

    pub(crate) fn frame(&mut self, frame: Frame<'_>) {
        let segment = match frame.origin {
            Origin::Checkpoint => 0,
            Origin::Segment(segment) => segment,
        };
        if segment != self.segment {
            self.slots.clear();
            self.segment = segment;
        }
        if segment > 0 {
            self.gap |= frame.seq != self.last + 1;
            self.last = frame.seq;
        }
        match decode(frame.payload) {
            Ok(Decoded::Lines { groups, sets, progress }) => {
                if segment >= self.floor {
                    for group in groups {
                        self.group(group, &sets);
                    }
                }
                self.progress(&progress);
            }
            Ok(Decoded::Deletion(deletion)) => self.deletion(deletion),
            Ok(Decoded::State { seq, generation, progress, deletions }) => {
                self.head.generation = self.head.generation.max(generation);
                if segment == 0 {
                    self.last = seq;
                }
                self.gap = false;
                self.head.progress.clear();
                self.progress(&progress);
                self.head.deletions = Arc::new(deletions.into_iter().map(Arc::new).collect());
            }
            Err(_) => {
                self.gap = true;
                self.frames_dropped += 1;
            }
        }
    }

    /// The head, and whether a frame is missing.
    pub(crate) fn finish(mut self, report: &mut OpenReport) -> (Head, bool) {
        // Not before: blocks may know deletions that came after lines of the journal.
        for block in self.blocks {
            self.head.generation = self.head.generation.max(block.meta.generation);
        }
        report.streams = self.head.index.len();
        report.lines = self.lines;
        report.frames_dropped = self.frames_dropped;
        report.lines_dropped = self.lines_dropped;
        (self.head, self.gap)
    }

    fn group(&mut self, group: Group<'_>, sets: &[Labels]) {
        if let Some(labels) = group.labels {
            let slot = match self.head.index.get(&labels) {
                Some(slot) => slot,
                None => {
                    let newest = self.blocks.iter().filter_map(|b| b.newest_of(&labels).ok()?);
                    let newest = newest.max();
                    self.head.add(labels, newest)
                }
            };
            self.slots.insert(group.id, slot);
        }
        let Some(slot) = self.slots.get(&group.id).copied() else {
            self.lines_dropped += group.rows.len() as u64;
            return;
        };
        for (time, set, line) in group.rows {
            let metadata = set.checked_sub(1).and_then(|set| sets.get(set));
            let metadata = metadata.filter(|set| !set.is_empty());
            let new = self.head.push(slot, Row { time, line, metadata }, self.segment_bytes);
            self.lines += u64::from(new);
        }
    }

    fn progress(&mut self, progress: &[(&str, Option<&str>)]) {
        if self.gap {
            return;
        }
        for (key, value) in progress {
            match value {
                Some(value) => {
                    drop(self.head.progress.insert(Arc::from(*key), Arc::from(*value)));
                }
                None => drop(self.head.progress.remove(*key)),
            }
        }
    }

    fn deletion(&mut self, deletion: Deletion) {
        let known = self.head.deletions.iter().any(|known| known.number == deletion.number);
        if !known {
            self.head.add_deletion(deletion);
        }
    }
}
