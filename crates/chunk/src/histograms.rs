//! Columns of native histograms.
//!
//! Neighbours with the same layout (schema, zero threshold, spans, custom bounds) form a run,
//! which stores the layout once and then columns: hints, zero counts, sums, buckets
//! (`histograms/run.rs`). A stale marker or a new bucket ends a run and starts another.
//!
//! Only the structure is checked (spans and bucket counts agree); whether counts make sense is
//! [`Histogram::validate`]'s, because what was taken in must come out bit for bit.

use masthead_model::{Histogram, HistogramError, Span};

use crate::cursor::Cursor;
use crate::frame::{self, Encoding};
use crate::{COUNT_MAX, Error};

mod layout;
mod run;

use layout::Layout;

const KIND: &str = "histograms";

/// Most numbers that the histograms of one column may have in all once they are decoded: bucket
/// counts, bounds and spans, plus [`NUMBERS_FIXED`] for each histogram. A day of histograms of
/// 300 buckets every 15 s fits; in memory it is about 16 MiB.
pub const NUMBERS_MAX: usize = 1 << 21;
/// What every histogram counts against [`NUMBERS_MAX`], however few buckets it has.
pub const NUMBERS_FIXED: usize = 24;

/// Appends `histograms` to `out` as one column.
///
/// # Errors
/// [`Error::Histogram`] if spans and bucket counts of one disagree; [`Error::TooMany`] above
/// [`crate::COUNT_MAX`] histograms, above as many buckets in one, or above [`NUMBERS_MAX`] numbers in all.
/// `out` is then as before.
pub fn encode(histograms: &[Histogram], out: &mut Vec<u8>) -> Result<(), Error> {
    let mut numbers = 0_usize;
    for (index, histogram) in histograms.iter().enumerate() {
        check(index, histogram)?;
        numbers = numbers.saturating_add(Layout::of(histogram).numbers());
    }
    if numbers > NUMBERS_MAX {
        return Err(Error::TooMany { what: "numbers", count: numbers, limit: NUMBERS_MAX });
    }
    frame::write(out, histograms.len(), |out| {
        let mut rest = histograms;
        while let Some(first) = rest.first() {
            let layout = Layout::of(first);
            let fit = COUNT_MAX / layout.buckets().max(1);
            let alike = rest.iter().take(fit).take_while(|next| layout.fits(next)).count();
            let (run, after) = rest.split_at(alike);
            run::write(&layout, run, out)?;
            rest = after;
        }
        Ok(Encoding::Histograms)
    })
}

/// Appends the histograms of the column that `bytes` start with to `out`; returns its bytes.
///
/// # Errors
/// [`Error::Truncated`], [`Error::Corrupt`] or [`Error::UnknownEncoding`]; [`Error::TooMany`] if
/// the column claims more than [`NUMBERS_MAX`]. `out` is then as before.
pub fn decode_into(bytes: &[u8], out: &mut Vec<Histogram>) -> Result<usize, Error> {
    let mut cursor = Cursor::new(bytes);
    let (encoding, count, mut payload) = frame::read(&mut cursor, KIND)?;
    if encoding != Encoding::Histograms {
        return Err(Error::UnknownEncoding { kind: KIND, tag: encoding.tag() });
    }
    let start = out.len();
    let done = read_runs(count, &mut payload, out);
    if done.is_err() {
        out.truncate(start);
    }
    done.map(|()| cursor.offset())
}

fn read_runs(
    count: usize,
    payload: &mut Cursor<'_>,
    out: &mut Vec<Histogram>,
) -> Result<(), Error> {
    let (mut left, mut numbers) = (count, 0_usize);
    while left > 0 {
        let error = payload.corrupt("length of a run");
        let length = payload.count(left, "length of a run")?;
        if length == 0 {
            return Err(error);
        }
        let layout = layout::read(payload)?;
        numbers = numbers.saturating_add(layout.numbers().saturating_mul(length));
        if numbers > NUMBERS_MAX || layout.buckets().saturating_mul(length) > COUNT_MAX {
            return Err(Error::TooMany { what: "numbers", count: numbers, limit: NUMBERS_MAX });
        }
        run::read(&layout, length, payload, out)?;
        left -= length;
    }
    payload.finish("end of histograms")
}

fn check(index: usize, histogram: &Histogram) -> Result<(), Error> {
    let sides = [
        ("positive", &histogram.positive_spans, histogram.positive_buckets.len()),
        ("negative", &histogram.negative_spans, histogram.negative_buckets.len()),
    ];
    for (side, spans, have) in sides {
        let need = buckets_of(spans);
        if need != have {
            let source = HistogramError::SpansBucketsMismatch { side, need, have };
            return Err(Error::Histogram { index, source });
        }
    }
    let count = histogram.positive_buckets.len().saturating_add(histogram.negative_buckets.len());
    if count > COUNT_MAX {
        return Err(Error::TooMany { what: "buckets", count, limit: COUNT_MAX });
    }
    Ok(())
}

fn buckets_of(spans: &[Span]) -> usize {
    spans.iter().fold(0, |sum, span| sum.saturating_add(span.length as usize))
}

#[cfg(test)]
mod tests;
