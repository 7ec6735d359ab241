//! Writes frames; the layout stands in `docs/format/samples.md`.

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use masthead_durable::bytes::{put_signed, put_slice, put_unsigned};
use masthead_model::{Histogram, Labels};
use masthead_ports::{Exemplar, Metadata, MetricType};

use super::{FloatRow, KIND_BATCH, KIND_DELETION, KIND_HEAD, KIND_STATE, values};

/// A frame is full at about so many bytes, and the batch goes on in another.
const BYTES: usize = 1 << 20;
/// Or so many floats.
const FLOATS: usize = 1 << 16;

/// Collects what one frame will say.
#[derive(Debug, Default)]
pub(crate) struct FrameBuilder {
    definitions: Part,
    metadata: Part,
    floats: Vec<FloatRow>,
    bases: Vec<u64>,
    histograms: Part,
    exemplars: Part,
}

#[derive(Debug, Default)]
struct Part {
    count: u64,
    bytes: Vec<u8>,
}

impl FrameBuilder {
    /// A series that the journal does not know yet.
    pub(crate) fn define(&mut self, id: u64, labels: &Labels) {
        let out = self.definitions.next();
        put_unsigned(out, id);
        put_labels(out, labels);
    }

    /// A float; `base` is what its series had before in this segment, or zero.
    pub(crate) fn float(&mut self, row: FloatRow, base: u64) {
        self.floats.push(row);
        self.bases.push(base);
    }

    /// A histogram.
    ///
    /// # Errors
    /// When its spans and buckets disagree; it is then not part of the frame.
    pub(crate) fn histogram(
        &mut self,
        (id, time, start, late): (u64, i64, i64, bool),
        histogram: &Histogram,
    ) -> Result<(), masthead_chunk::Error> {
        let mut column = Vec::new();
        masthead_chunk::histograms::encode(std::slice::from_ref(histogram), &mut column)?;
        let out = self.histograms.next();
        put_unsigned(out, id);
        put_signed(out, time);
        put_signed(out, start);
        out.push(u8::from(late));
        put_slice(out, &column);
        Ok(())
    }

    /// An exemplar of a series.
    pub(crate) fn exemplar(&mut self, id: u64, exemplar: &Exemplar) {
        let out = self.exemplars.next();
        put_unsigned(out, id);
        put_labels(out, &exemplar.labels);
        out.extend_from_slice(&exemplar.value.to_bits().to_le_bytes());
        put_signed(out, exemplar.timestamp.map_or(0, |time| time.0));
    }

    /// Metadata of a family.
    pub(crate) fn metadata(&mut self, metadata: &Metadata) {
        let out = self.metadata.next();
        put_slice(out, metadata.family.as_bytes());
        out.push(type_number(metadata.metric_type));
        put_slice(out, metadata.help.as_bytes());
        put_slice(out, metadata.unit.as_bytes());
    }

    /// Whether there is nothing to write.
    pub(crate) fn is_empty(&self) -> bool {
        let parts = [&self.definitions, &self.metadata, &self.histograms, &self.exemplars];
        self.floats.is_empty() && parts.iter().all(|part| part.count == 0)
    }

    /// Whether it should be written before more is added.
    pub(crate) fn is_full(&self) -> bool {
        let parts = [&self.definitions, &self.metadata, &self.histograms, &self.exemplars];
        self.floats.len() >= FLOATS
            || parts.iter().map(|part| part.bytes.len()).sum::<usize>() >= BYTES
    }

    /// The frame; the builder is empty afterwards and keeps its memory.
    pub(crate) fn finish(&mut self, group: u64) -> Vec<u8> {
        let frame = self.encode(group);
        self.clear();
        frame
    }

    /// The frame, which may have to be encoded again.
    pub(crate) fn encode(&self, group: u64) -> Vec<u8> {
        let parts = [&self.definitions, &self.metadata, &self.histograms, &self.exemplars];
        let bytes = parts.iter().map(|part| part.bytes.len()).sum::<usize>();
        let mut out = Vec::with_capacity(64 + bytes + 2 * self.floats.len());
        out.push(KIND_BATCH);
        put_unsigned(&mut out, group);
        self.definitions.put(&mut out);
        self.metadata.put(&mut out);
        put_unsigned(&mut out, self.floats.len() as u64);
        if !self.floats.is_empty() {
            put_floats(&mut out, &self.floats, &self.bases);
        }
        self.histograms.put(&mut out);
        self.exemplars.put(&mut out);
        out
    }

    /// Empties the builder, which keeps its memory.
    pub(crate) fn clear(&mut self) {
        self.floats.clear();
        self.bases.clear();
        for part in
            [&mut self.definitions, &mut self.metadata, &mut self.histograms, &mut self.exemplars]
        {
            part.bytes.clear();
            part.count = 0;
        }
    }

    /// The frame goes to a segment that has nothing of its series: makes floats relative to those
    /// of this frame alone.
    pub(crate) fn rebase(&mut self) {
        let mut last: HashMap<u64, u64, RandomState> = HashMap::default();
        for (row, base) in self.floats.iter().zip(&mut self.bases) {
            let before = if row.late { None } else { last.insert(row.id, row.bits) };
            *base = before.unwrap_or(0);
        }
    }

    /// The floats of the frame.
    pub(crate) fn floats(&self) -> &[FloatRow] {
        &self.floats
    }
}

impl Part {
    fn next(&mut self) -> &mut Vec<u8> {
        self.count += 1;
        &mut self.bytes
    }

    fn put(&self, out: &mut Vec<u8>) {
        put_unsigned(out, self.count);
        out.extend_from_slice(&self.bytes);
    }
}

/// A deletion from the head: series, first and last time.
pub(crate) fn encode_deletion(ids: &[u64], first: i64, last: i64) -> Vec<u8> {
    let mut out = vec![KIND_DELETION];
    put_signed(&mut out, first);
    put_signed(&mut out, last);
    put_unsigned(&mut out, ids.len() as u64);
    for id in ids {
        put_unsigned(&mut out, *id);
    }
    out
}

/// What a checkpoint says first: samples before `floor` are in blocks, `generation` is in use.
pub(crate) fn encode_state(floor: i64, generation: u32) -> Vec<u8> {
    let mut out = vec![KIND_STATE];
    put_signed(&mut out, floor);
    put_unsigned(&mut out, u64::from(generation));
    out
}

/// What a checkpoint says next: the file of `segment` has the series and their samples.
pub(crate) fn encode_head(segment: u64) -> Vec<u8> {
    let mut out = vec![KIND_HEAD];
    put_unsigned(&mut out, segment);
    out
}

fn put_floats(out: &mut Vec<u8>, rows: &[FloatRow], bases: &[u64]) {
    let mut before = 0_u64;
    runs(
        rows,
        |a, b| b.id == a.id.wrapping_add(1),
        |first, len| {
            put_signed(out, first.id.wrapping_sub(before).cast_signed());
            put_unsigned(out, len);
            before = first.id.wrapping_add(len);
        },
    );
    let mut time = 0;
    runs(
        rows,
        |a, b| b.time == a.time,
        |first, len| {
            put_signed(out, first.time.wrapping_sub(time));
            put_unsigned(out, len);
            time = first.time;
        },
    );
    let mut start = 0;
    runs(
        rows,
        |a, b| b.start == a.start,
        |first, len| {
            put_signed(out, first.start.wrapping_sub(start));
            put_unsigned(out, len);
            start = first.start;
        },
    );
    runs(
        rows,
        |a, b| b.late == a.late,
        |first, len| {
            out.push(u8::from(first.late));
            put_unsigned(out, len);
        },
    );
    let mut writer = values::Writer::default();
    let mut crc = 0;
    for (row, base) in rows.iter().zip(bases) {
        writer.push(out, *base, row.bits);
        crc = crc32c::crc32c_append(crc, &row.bits.to_le_bytes());
    }
    writer.finish(out);
    out.extend_from_slice(&crc.to_le_bytes());
}

/// Calls `emit` with the first row and the length of each run of rows that follow each other.
fn runs(
    rows: &[FloatRow],
    follows: impl Fn(&FloatRow, &FloatRow) -> bool,
    mut emit: impl FnMut(&FloatRow, u64),
) {
    for run in rows.chunk_by(follows) {
        if let Some(first) = run.first() {
            emit(first, run.len() as u64);
        }
    }
}

pub(crate) fn put_labels(out: &mut Vec<u8>, labels: &Labels) {
    put_unsigned(out, labels.len() as u64);
    for label in labels {
        put_slice(out, label.name.as_bytes());
        put_slice(out, label.value.as_bytes());
    }
}

fn type_number(metric_type: MetricType) -> u8 {
    match metric_type {
        MetricType::Unknown => 0,
        MetricType::Counter => 1,
        MetricType::Gauge => 2,
        MetricType::Histogram => 3,
        MetricType::GaugeHistogram => 4,
        MetricType::Summary => 5,
        MetricType::Info => 6,
        MetricType::StateSet => 7,
    }
}
