//! The journal back into the head.
//!
//! Samples before the floor are in blocks: they are not taken again, but what they were is still
//! needed to read the ones after them. A frame that makes no sense is dropped and counted. A frame
//! may be applied to a head that has its samples already; see `image.rs`.

use std::sync::Arc;

use masthead_durable::journal::{Frame, Origin};
use masthead_model::ErrorClass;
use masthead_ports::SeriesRef;

use crate::{
    OpenReport, Result, Tsdb,
    frame::{Batch, Decoded, FloatRow, HistogramRow, decode},
    head::{Head, NewFloat, Shard, Slot},
    image,
};

/// A frame that was decoded.
#[derive(Debug)]
pub(crate) struct Item {
    origin: Origin,
    /// None if it makes no sense.
    decoded: Option<Decoded>,
}

/// Decodes frames in their order. What values are relative to is all it knows.
#[derive(Debug)]
pub(crate) struct Decoder {
    segment: Option<u64>,
    /// By slot: the last float of this segment and whose it was.
    bases: Vec<(u32, u64)>,
    slots_max: usize,
}

impl Decoder {
    pub(crate) fn new(slots_max: usize) -> Self {
        Self { segment: None, bases: Vec::new(), slots_max }
    }

    pub(crate) fn decode(&mut self, frame: &Frame<'_>) -> Item {
        let segment = match frame.origin {
            Origin::Checkpoint => None,
            Origin::Segment(segment) => Some(segment),
        };
        if segment != self.segment {
            self.bases.clear();
            self.segment = segment;
        }
        let (bases, slots_max) = (&mut self.bases, self.slots_max);
        let decoded = decode(frame.payload, &mut |id, value| {
            let generation = u32::try_from(id >> 32).unwrap_or(0);
            let slot = usize::try_from(id & u64::from(u32::MAX)).unwrap_or(usize::MAX);
            if slot >= slots_max {
                // No writer gives such a number; its values are relative to nothing.
                return value(0);
            }
            if slot >= bases.len() {
                bases.resize(slot + 1, (0, 0));
            }
            let Some(base) = bases.get_mut(slot) else { return value(0) };
            if base.0 != generation {
                *base = (generation, 0);
            }
            base.1 = value(base.1)?;
            Ok(base.1)
        });
        Item { origin: frame.origin, decoded: decoded.ok() }
    }
}

#[derive(Debug)]
pub(crate) struct Replay<'s> {
    store: &'s Tsdb,
    head: Head,
    floor: i64,
    newest: Option<i64>,
    /// The checkpoint whose file was read, and its bytes.
    image: Option<(u64, u64)>,
    frames_after: u64,
    samples: u64,
    frames_dropped: u64,
    samples_dropped: u64,
    series_lost: u64,
    damages: Vec<String>,
}

impl<'s> Replay<'s> {
    /// `floor` and `newest` are what the blocks know.
    pub(crate) fn new(store: &'s Tsdb, floor: i64, newest: Option<i64>) -> Self {
        let mut replay = Self {
            store,
            head: Head::new(&store.options),
            floor,
            newest,
            image: None,
            frames_after: 0,
            samples: 0,
            frames_dropped: 0,
            samples_dropped: 0,
            series_lost: 0,
            damages: Vec::new(),
        };
        replay.know_blocks();
        replay
    }

    /// # Errors
    /// A file that the checkpoint names and that cannot be read now, or is of a later version.
    pub(crate) fn apply(&mut self, item: Item) -> Result<()> {
        self.frames_after += u64::from(item.origin != Origin::Checkpoint);
        match item.decoded {
            Some(Decoded::Batch(batch)) => self.batch(batch),
            Some(Decoded::Deletion { ids, first, last }) => {
                for id in ids {
                    if let Some((shard, slot)) = self.head.find_mut(SeriesRef(id)) {
                        shard.delete(slot, first, last);
                    }
                }
            }
            Some(Decoded::State { floor, generation }) => {
                self.head.raise_floor(floor);
                let registry = self.head.registry_mut();
                registry.generation = registry.generation.max(generation);
            }
            Some(Decoded::Head { segment }) => self.read_image(segment)?,
            None => self.frames_dropped += 1,
        }
        Ok(())
    }

    /// The checkpoint whose file was read.
    pub(crate) fn image(&self) -> Option<u64> {
        self.image.map(|(segment, _)| segment)
    }

    /// Whether the file of the checkpoint has all that there is.
    pub(crate) fn is_image_alone(&self) -> bool {
        self.image.is_some() && self.frames_after == 0 && self.damages.is_empty()
    }

    /// The head.
    pub(crate) fn finish(mut self, report: &mut OpenReport) -> Head {
        self.head.find_free();
        report.series = self.head.registry_mut().index.len();
        report.samples = self.samples;
        report.frames_dropped = self.frames_dropped;
        report.samples_dropped = self.samples_dropped;
        report.series_lost = self.series_lost;
        report.head_damages = self.damages;
        let bytes = self.image.map_or(0, |(_, bytes)| bytes);
        self.store.checkpoints.bytes.set(bytes);
        self.head
    }

    /// The newest sample decides what is too old, also after its block was written.
    fn know_blocks(&mut self) {
        self.head.know(self.floor, self.newest.unwrap_or(i64::MIN));
    }

    fn read_image(&mut self, segment: u64) -> Result<()> {
        let store = self.store;
        let path = store.dir.join("head").join(image::name(segment));
        match image::load(&*store.fs, &path, &store.options, self.floor) {
            Ok(loaded) => {
                let generation = self.head.registry_mut().generation;
                self.head = loaded.head;
                let registry = self.head.registry_mut();
                registry.generation = registry.generation.max(generation);
                self.know_blocks();
                self.samples += loaded.samples;
                self.series_lost += loaded.lost;
                self.image = Some((segment, loaded.bytes));
                if !loaded.damages.is_empty() {
                    self.damages = loaded.damages;
                    self.damages
                        .push(format!("{} was set aside", store.quarantine_image(segment)?));
                }
            }
            Err(error)
                if matches!(error.class(), ErrorClass::Corrupt | ErrorClass::NotFound)
                    && !error.is_version() =>
            {
                self.damages.push(error.to_string());
                if store.fs.metadata(&path).is_ok() {
                    store.quarantine_image(segment)?;
                }
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn batch(&mut self, batch: Batch) {
        for (id, labels) in batch.definitions {
            self.head.restore(id, &labels);
        }
        for metadata in batch.metadata {
            let known = &mut self.head.texts_mut().metadata;
            if known.len() < self.store.options.metadata_max {
                known.insert(Arc::clone(&metadata.family), metadata);
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
            let Some((_, slot)) = self.head.find_mut(SeriesRef(id)) else { continue };
            if let Some(labels) = self.head.registry_mut().index.labels(slot) {
                self.head.texts_mut().exemplars.push(&labels, exemplar);
            }
        }
    }

    fn float(&mut self, group: u64, row: &FloatRow) {
        let Some((shard, slot)) = self.place(row.id, row.time) else { return };
        let float = NewFloat { time: row.time, start: row.start, bits: row.bits };
        let last = shard.last_time(slot);
        if !row.late && row.time > last {
            shard.push_float(slot, group, float);
            shard.set_last(slot, row.bits);
            self.samples += 1;
        } else if (row.late || row.time != last) && !shard.has_sample(slot, row.time) {
            shard.insert_float(slot, float);
            self.samples += 1;
        }
    }

    fn histogram(&mut self, row: HistogramRow) {
        let Some((shard, slot)) = self.place(row.id, row.time) else { return };
        let histogram = Arc::new(row.histogram);
        let last = shard.last_time(slot);
        if !row.late && row.time > last {
            shard.push_histogram(slot, row.time, row.start, histogram);
            self.samples += 1;
        } else if (row.late || row.time != last) && !shard.has_sample(slot, row.time) {
            shard.insert_histogram(slot, row.time, row.start, histogram);
            self.samples += 1;
        }
    }

    /// The place of a sample that is to be taken; counts those that cannot be.
    fn place(&mut self, id: u64, time: i64) -> Option<(&mut Shard, Slot)> {
        self.head.saw_time(time);
        self.head.saw(id);
        if time < self.head.floor() {
            return None;
        }
        let found = self.head.find_mut(SeriesRef(id));
        self.samples_dropped += u64::from(found.is_none());
        found
    }
}
