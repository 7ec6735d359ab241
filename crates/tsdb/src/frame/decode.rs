//! Reads frames. Any bytes are answered with a frame or with what is wrong where, and counts are
//! believed only as far as there are bytes for them.

use std::{borrow::Cow, sync::Arc};

use masthead_durable::bytes::{Bad, Reader};
use masthead_model::{Labels, Millis};
use masthead_ports::{Exemplar, Metadata, MetricType};

use super::{
    Batch, FloatRow, HistogramRow, KIND_BATCH, KIND_DELETION, KIND_HEAD, KIND_STATE, values,
};

/// Most floats of one frame; the encoder writes at most 2^16.
const FLOATS_MAX: usize = 1 << 20;

/// Reads the value that follows, given its base.
pub(crate) type Value<'v> = &'v mut dyn FnMut(u64) -> Result<u64, Bad>;
/// Knows the base of each series, and is told the value.
pub(crate) type Bases<'b> = &'b mut dyn FnMut(u64, Value<'_>) -> Result<u64, Bad>;

/// What a frame says.
#[derive(Debug, PartialEq)]
pub(crate) enum Decoded {
    Batch(Batch),
    Deletion { ids: Vec<u64>, first: i64, last: i64 },
    State { floor: i64, generation: u32 },
    Head { segment: u64 },
}

/// Reads a frame. `base` is asked for the base of each float that is not late, in order, and is
/// told its value.
pub(crate) fn decode(payload: &[u8], base: Bases<'_>) -> Result<Decoded, Bad> {
    let mut reader = Reader::new(payload);
    let bad = reader.bad("kind of frame");
    let decoded = match reader.byte("kind of frame")? {
        KIND_BATCH => Decoded::Batch(read_batch(&mut reader, base)?),
        KIND_DELETION => {
            let (first, last) = (reader.signed("time")?, reader.signed("time")?);
            let count = reader.count(reader.remaining(), "count of series")?;
            let ids = (0..count).map(|_| reader.unsigned("series")).collect::<Result<_, _>>()?;
            Decoded::Deletion { ids, first, last }
        }
        KIND_STATE => {
            let floor = reader.signed("time")?;
            let generation = reader.unsigned("generation")?;
            let generation = u32::try_from(generation).map_err(|_| reader.bad("generation"))?;
            Decoded::State { floor, generation }
        }
        KIND_HEAD => Decoded::Head { segment: reader.unsigned("segment")? },
        _ => return Err(bad),
    };
    reader.finish("end of frame")?;
    Ok(decoded)
}

fn read_batch(reader: &mut Reader<'_>, base: Bases<'_>) -> Result<Batch, Bad> {
    let mut batch = Batch { group: reader.unsigned("group")?, ..Batch::default() };
    for _ in 0..reader.count(reader.remaining(), "count of series")? {
        let id = reader.unsigned("series")?;
        batch.definitions.push((id, read_labels(reader)?));
    }
    for _ in 0..reader.count(reader.remaining(), "count of metadata")? {
        batch.metadata.push(read_metadata(reader)?);
    }
    let count = reader.count(FLOATS_MAX, "count of floats")?;
    batch.floats_good = true;
    if count > 0 {
        batch.floats = read_rows(reader, count)?;
        let mut values = values::Values::default();
        let mut crc = 0;
        for row in &mut batch.floats {
            let mut value = |base| values.next(reader, base);
            row.bits = if row.late { value(0)? } else { base(row.id, &mut value)? };
            crc = crc32c::crc32c_append(crc, &row.bits.to_le_bytes());
        }
        batch.floats_good = reader.word32("checksum of values")? == crc;
    }
    for _ in 0..reader.count(reader.remaining(), "count of histograms")? {
        batch.histograms.push(read_histogram(reader)?);
    }
    for _ in 0..reader.count(reader.remaining(), "count of exemplars")? {
        let id = reader.unsigned("series")?;
        let labels = read_labels(reader)?;
        let value = f64::from_bits(reader.word64("exemplar")?);
        let timestamp = Some(Millis(reader.signed("time")?));
        batch.exemplars.push((id, Exemplar { labels, value, timestamp }));
    }
    Ok(batch)
}

fn read_rows(reader: &mut Reader<'_>, count: usize) -> Result<Vec<FloatRow>, Bad> {
    // Runs are read before rows are made, so that memory follows bytes.
    let ids = read_runs(reader, count, |reader| reader.signed("series"))?;
    let times = read_runs(reader, count, |reader| reader.signed("time"))?;
    let starts = read_runs(reader, count, |reader| reader.signed("start"))?;
    let late = read_runs(reader, count, |reader| reader.byte("order").map(i64::from))?;
    let mut rows = Vec::with_capacity(count);
    let mut id = 0_u64;
    for (difference, len) in ids {
        id = id.wrapping_add_signed(difference);
        for _ in 0..len {
            rows.push(FloatRow { id, time: 0, start: 0, bits: 0, late: false });
            id = id.wrapping_add(1);
        }
    }
    let mut sum = 0_i64;
    fill(&mut rows, &times, |row, difference, first| {
        sum = if first { sum.wrapping_add(difference) } else { sum };
        row.time = sum;
    });
    sum = 0;
    fill(&mut rows, &starts, |row, difference, first| {
        sum = if first { sum.wrapping_add(difference) } else { sum };
        row.start = sum;
    });
    fill(&mut rows, &late, |row, late, _| row.late = late != 0);
    Ok(rows)
}

fn read_runs(
    reader: &mut Reader<'_>,
    count: usize,
    read: impl Fn(&mut Reader<'_>) -> Result<i64, Bad>,
) -> Result<Vec<(i64, usize)>, Bad> {
    let (mut runs, mut left) = (Vec::new(), count);
    while left > 0 {
        let value = read(reader)?;
        let bad = reader.bad("length of a run");
        let len = reader.count(left, "length of a run")?;
        if len == 0 {
            return Err(bad);
        }
        left -= len;
        runs.push((value, len));
    }
    Ok(runs)
}

fn fill(
    rows: &mut [FloatRow],
    runs: &[(i64, usize)],
    mut set: impl FnMut(&mut FloatRow, i64, bool),
) {
    let mut rows = rows.iter_mut();
    for (value, len) in runs {
        for (at, row) in rows.by_ref().take(*len).enumerate() {
            set(row, *value, at == 0);
        }
    }
}

fn read_histogram(reader: &mut Reader<'_>) -> Result<HistogramRow, Bad> {
    let id = reader.unsigned("series")?;
    let (time, start) = (reader.signed("time")?, reader.signed("start")?);
    let late = reader.byte("order")? != 0;
    let bad = reader.bad("histogram");
    let column = reader.slice("histogram")?;
    let mut decoded = Vec::new();
    masthead_chunk::histograms::decode_into(column, &mut decoded).map_err(|_| bad)?;
    let histogram = decoded.pop().filter(|_| decoded.is_empty()).ok_or(bad)?;
    Ok(HistogramRow { id, time, start, late, histogram })
}

pub(crate) fn read_labels(reader: &mut Reader<'_>) -> Result<Labels, Bad> {
    let bad = reader.bad("labels");
    let count = reader.count(reader.remaining(), "count of labels")?;
    let mut pairs = Vec::new();
    for _ in 0..count {
        let name = Cow::Borrowed(reader.text("name of a label")?);
        pairs.push((name, Cow::Borrowed(reader.text("value of a label")?)));
    }
    Labels::from_pairs(&mut pairs).map_err(|_| bad)
}

fn read_metadata(reader: &mut Reader<'_>) -> Result<Metadata, Bad> {
    let family = Arc::from(reader.text("family")?);
    let bad = reader.bad("type");
    let metric_type = match reader.byte("type")? {
        0 => MetricType::Unknown,
        1 => MetricType::Counter,
        2 => MetricType::Gauge,
        3 => MetricType::Histogram,
        4 => MetricType::GaugeHistogram,
        5 => MetricType::Summary,
        6 => MetricType::Info,
        7 => MetricType::StateSet,
        _ => return Err(bad),
    };
    let (help, unit) = (Arc::from(reader.text("help")?), Arc::from(reader.text("unit")?));
    Ok(Metadata { family, metric_type, help, unit })
}
