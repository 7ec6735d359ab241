//! What the histograms of a run share.
//!
//! ```text
//! +--------+-----------+------------------+----------------+----------------+---------------+
//! | schema | threshold | threshold, raw   | positive spans | negative spans | custom bounds |
//! +--------+-----------+------------------+----------------+----------------+---------------+
//!   i8       0: 0        8 bytes,           count, per span: offset (zigzag), column of floats
//!            1: 2^-128   only after 255      length (LEB128)                    (only schema -53)
//!            255: raw
//! ```

use masthead_model::{Histogram, Schema, Span};

use super::{NUMBERS_FIXED, buckets_of};
use crate::cursor::{Cursor, put_signed, put_unsigned};
use crate::{COUNT_MAX, Error, floats};

const THRESHOLD_ZERO: u8 = 0;
const THRESHOLD_USUAL: u8 = 1;
const THRESHOLD_RAW: u8 = 255;
/// 2^-128: what clients set unless told otherwise (`prometheus.DefNativeHistogramZeroThreshold`).
const THRESHOLD_USUAL_BITS: u64 = (1023 - 128) << 52;

/// A histogram of which only the layout matters.
#[derive(Debug)]
pub(crate) struct Layout<'a> {
    histogram: std::borrow::Cow<'a, Histogram>,
}

impl<'a> Layout<'a> {
    pub(crate) fn of(histogram: &'a Histogram) -> Self {
        Self { histogram: std::borrow::Cow::Borrowed(histogram) }
    }

    pub(crate) fn fits(&self, other: &Histogram) -> bool {
        let mine = &self.histogram;
        mine.schema == other.schema
            && mine.zero_threshold.to_bits() == other.zero_threshold.to_bits()
            && mine.positive_spans == other.positive_spans
            && mine.negative_spans == other.negative_spans
            && mine.custom_values.len() == other.custom_values.len()
            && mine
                .custom_values
                .iter()
                .zip(&other.custom_values)
                .all(|(a, b)| a.to_bits() == b.to_bits())
    }

    pub(crate) fn positive(&self) -> usize {
        buckets_of(&self.histogram.positive_spans)
    }

    pub(crate) fn negative(&self) -> usize {
        buckets_of(&self.histogram.negative_spans)
    }

    pub(crate) fn buckets(&self) -> usize {
        self.positive().saturating_add(self.negative())
    }

    /// What one such histogram counts against the limit.
    pub(crate) fn numbers(&self) -> usize {
        let spans = self.histogram.positive_spans.len() + self.histogram.negative_spans.len();
        let bounds = self.histogram.custom_values.len();
        self.buckets().saturating_add(spans + bounds + NUMBERS_FIXED)
    }

    /// A histogram of this layout without counts.
    pub(crate) fn blank(&self) -> Histogram {
        let mine = &self.histogram;
        Histogram {
            schema: mine.schema,
            zero_threshold: mine.zero_threshold,
            positive_spans: mine.positive_spans.clone(),
            negative_spans: mine.negative_spans.clone(),
            custom_values: mine.custom_values.clone(),
            ..Histogram::default()
        }
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        let mine = &self.histogram;
        out.extend_from_slice(&mine.schema.number().to_le_bytes());
        match mine.zero_threshold.to_bits() {
            0 => out.push(THRESHOLD_ZERO),
            THRESHOLD_USUAL_BITS => out.push(THRESHOLD_USUAL),
            bits => {
                out.push(THRESHOLD_RAW);
                out.extend_from_slice(&bits.to_le_bytes());
            }
        }
        for spans in [&mine.positive_spans, &mine.negative_spans] {
            put_unsigned(out, spans.len() as u64);
            for span in spans {
                put_signed(out, i64::from(span.offset));
                put_unsigned(out, u64::from(span.length));
            }
        }
        floats::encode(&mine.custom_values, out)
    }
}

pub(crate) fn read(payload: &mut Cursor<'_>) -> Result<Layout<'static>, Error> {
    let error = payload.corrupt("schema");
    let schema = i8::from_le_bytes([payload.byte("schema")?]);
    let schema = Schema::new(i32::from(schema)).ok_or(error)?;
    let error = payload.corrupt("zero threshold");
    let bits = match payload.byte("zero threshold")? {
        THRESHOLD_ZERO => 0,
        THRESHOLD_USUAL => THRESHOLD_USUAL_BITS,
        THRESHOLD_RAW => payload.word("zero threshold")?,
        _ => return Err(error),
    };
    let positive_spans = read_spans(payload)?;
    let negative_spans = read_spans(payload)?;
    let mut custom_values = Vec::new();
    floats::read_framed(payload, &mut custom_values)?;
    let histogram = Histogram {
        schema,
        zero_threshold: f64::from_bits(bits),
        positive_spans,
        negative_spans,
        custom_values,
        ..Histogram::default()
    };
    Ok(Layout { histogram: std::borrow::Cow::Owned(histogram) })
}

fn read_spans(payload: &mut Cursor<'_>) -> Result<Vec<Span>, Error> {
    let mut spans = Vec::new();
    // Each takes two bytes, so the payload itself bounds how many there can be.
    for _ in 0..payload.count(payload.remaining(), "count of spans")? {
        let error = payload.corrupt("span");
        let offset = i32::try_from(payload.signed("span")?).map_err(|_| error)?;
        let length = payload.count(COUNT_MAX, "length of a span")?;
        spans.push(Span { offset, length: u32::try_from(length).unwrap_or(u32::MAX) });
    }
    Ok(spans)
}
