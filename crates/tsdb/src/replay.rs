//! The journal back into the head.
//!
//! Samples before the floor are in blocks: they are not taken again, but what they were is still
//! needed to read the ones after them. A frame that makes no sense is dropped and counted.

use std::{collections::BTreeMap, sync::Arc};

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use masthead_durable::journal::{Frame, Origin};
use masthead_ports::SeriesRef;

use crate::{
    OpenReport, Options,
    frame::{Batch, Decoded, FloatRow, HistogramRow, decode},
    head::{Head, NewFloat},
};

#[derive(Debug)]
pub(crate) struct Replay {
    head: Head,
    series_max: usize,
    metadata_max: usize,
    segments: BTreeMap<u64, i64>,
    /// Last floats of the segment's series that the head does not have.
    strangers: HashMap<u64, u64, RandomState>,
    segment: u64,
    /// The newest time of the frame.
    newest: i64,
    samples: u64,
    frames_dropped: u64,
    samples_dropped: u64,
}

impl Replay {
    /// `floor` and `newest` are what the blocks know.
    pub(crate) fn new(options: &Options, floor: i64, newest: Option<i64>) -> Self {
        let mut head = Head::new(options.block_ms, options.exemplars_max);
        head.floor = floor;
        // The newest sample decides what is too old, also after its block was written.
        head.max_time = newest.unwrap_or(i64::MIN);
        Self {
            head,
            series_max: options.series_max,
            metadata_max: options.metadata_max,
            segments: BTreeMap::new(),
            strangers: HashMap::default(),
            segment: 0,
            newest: i64::MIN,
            samples: 0,
            frames_dropped: 0,
            samples_dropped: 0,
        }
    }

    pub(crate) fn frame(&mut self, frame: Frame<'_>) {
        let segment = match frame.origin {
            Origin::Checkpoint => 0,
            Origin::Segment(segment) => segment,
        };
        if segment != self.segment {
            self.strangers.clear();
            self.segment = segment;
        }
        let (head, strangers) = (&mut self.head, &mut self.strangers);
        let decoded = decode(frame.payload, &mut |id, value| {
            if let Some(slot) = head.resolve(SeriesRef(id)) {
                let bits = value(head.base(slot, segment))?;
                head.set_base(slot, segment, bits);
                return Ok(bits);
            }
            let base = strangers.entry(id).or_default();
            *base = value(*base)?;
            Ok(*base)
        });
        match decoded {
            Ok(Decoded::Batch(batch)) => self.batch(batch),
            Ok(Decoded::Deletion { ids, first, last }) => {
                for id in ids {
                    if let Some(slot) = self.head.resolve(SeriesRef(id)) {
                        self.head.delete(slot, first, last);
                    }
                }
            }
            Ok(Decoded::State { floor, generation }) => {
                self.head.floor = self.head.floor.max(floor);
                self.head.generation = self.head.generation.max(generation);
            }
            Err(_) => self.frames_dropped += 1,
        }
    }

    /// The head, and the newest sample of each segment.
    pub(crate) fn finish(mut self, report: &mut OpenReport) -> (Head, BTreeMap<u64, i64>) {
        self.head.find_free();
        report.series = self.head.index.len();
        report.samples = self.samples;
        report.frames_dropped = self.frames_dropped;
        report.samples_dropped = self.samples_dropped;
        (self.head, self.segments)
    }

    fn batch(&mut self, batch: Batch) {
        self.newest = i64::MIN;
        self.samples_of(batch);
        self.head.max_time = self.head.max_time.max(self.newest);
        let newest = self.segments.entry(self.segment).or_insert(i64::MIN);
        *newest = (*newest).max(self.newest);
    }

    fn samples_of(&mut self, batch: Batch) {
        for (id, labels) in batch.definitions {
            let restored = self.head.restore(id, labels, self.series_max);
            // The floats of this frame were read before it was known whose they are.
            if let (Some(slot), Some(bits)) = (restored, self.strangers.remove(&id)) {
                self.head.set_base(slot, self.segment, bits);
            }
        }
        for metadata in batch.metadata {
            if self.head.metadata.len() < self.metadata_max {
                self.head.metadata.insert(Arc::clone(&metadata.family), metadata);
            }
        }
        if batch.floats_good {
            for row in &batch.floats {
                self.float(batch.group, row);
            }
        } else {
            self.frames_dropped += 1;
        }
        for row in batch.histograms {
            self.histogram(row);
        }
        for (id, exemplar) in batch.exemplars {
            let labels =
                self.head.resolve(SeriesRef(id)).and_then(|slot| self.head.index.labels(slot));
            if let Some(labels) = labels.cloned() {
                self.head.exemplars.push(&labels, exemplar);
            }
        }
    }

    fn float(&mut self, group: u64, row: &FloatRow) {
        let Some(slot) = self.place(row.id, row.time) else { return };
        let float = NewFloat { time: row.time, start: row.start, bits: row.bits };
        if !row.late && row.time > self.head.last_time(slot) {
            self.head.push_float(slot, group, float);
        } else if !self.head.has_sample(slot, row.time) {
            self.head.insert_float(slot, float);
        }
    }

    fn histogram(&mut self, row: HistogramRow) {
        let Some(slot) = self.place(row.id, row.time) else { return };
        let histogram = Arc::new(row.histogram);
        if !row.late && row.time > self.head.last_time(slot) {
            self.head.push_histogram(slot, row.time, row.start, histogram);
        } else if !self.head.has_sample(slot, row.time) {
            self.head.insert_histogram(slot, row.time, row.start, histogram);
        }
    }

    /// The slot of a sample that is to be taken; counts those that cannot be.
    fn place(&mut self, id: u64, time: i64) -> Option<u32> {
        self.newest = self.newest.max(time);
        self.head.saw(id);
        if time < self.head.floor {
            return None;
        }
        let slot = self.head.resolve(SeriesRef(id));
        if slot.is_some() {
            self.samples += 1;
        } else {
            self.samples_dropped += 1;
        }
        slot
    }
}
