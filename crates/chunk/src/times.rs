//! Columns of timestamps, strictly rising; milliseconds, but nothing here depends on the unit.
//!
//! - deltas: a column of integers (`ints.rs`): one stride takes a few bytes however long it is;
//! - grid: scrapes that are due at multiples of an interval and happen some milliseconds off it:
//!   the number of the slot, and how far from it. A difference of two such times has the noise
//!   of both, so this takes about half a bit less a sample than deltas do, and skipped
//!   scrapes cost what they should: a slot number.
//!
//! A column that still grows is an [`Appender`].

use crate::cursor::{Cursor, put_signed, put_unsigned};
use crate::frame::{self, Encoding};
use crate::{Error, ints};

mod appender;

pub use appender::{Appender, Iter, Taken};

const KIND: &str = "timestamps";
/// Columns that deltas already bring below this many bytes are not tried on a grid.
const GRID_FROM: usize = 32;
/// Intervals of fewer units have no noise to speak of.
const INTERVAL_MIN: i64 = 2;
/// Longer spans (285,000 years of milliseconds) are not tried, which keeps sums in 64 bits.
const SPAN_MAX: u64 = 1 << 53;

/// Appends `times` to `out` as one column.
///
/// # Errors
/// [`Error::TimesNotRising`] naming the first that is not later than the one before;
/// [`Error::TooMany`] above [`crate::COUNT_MAX`] values. `out` is then as before.
pub fn encode(times: &[i64], out: &mut Vec<u8>) -> Result<(), Error> {
    check_rising(times)?;
    frame::write(out, times.len(), |out| {
        let start = out.len();
        write_nested(times, out);
        if out.len() - start >= GRID_FROM
            && let Some(grid) = Grid::of(times)
        {
            let deltas_end = out.len();
            grid.write(out);
            if out.len() - deltas_end < deltas_end - start {
                out.drain(start..deltas_end);
                return Ok(Encoding::TimeGrid);
            }
            out.truncate(deltas_end);
        }
        Ok(Encoding::TimeDeltas)
    })
}

/// Appends the timestamps of the column that `bytes` start with to `out`; returns its bytes.
///
/// # Errors
/// [`Error::Truncated`], [`Error::Corrupt`] or [`Error::UnknownEncoding`]; [`Error::TimesNotRising`]
/// if they do not rise, so that readers need not look. `out` is then as before.
pub fn decode_into(bytes: &[u8], out: &mut Vec<i64>) -> Result<usize, Error> {
    let mut cursor = Cursor::new(bytes);
    let (encoding, count, mut payload) = frame::read(&mut cursor, KIND)?;
    let start = out.len();
    let done = match encoding {
        Encoding::TimeDeltas => read_nested(&mut payload, count, out, |time| time),
        Encoding::TimeGrid => read_grid(&mut payload, count, out),
        other => Err(Error::UnknownEncoding { kind: KIND, tag: other.tag() }),
    };
    let done = done.and_then(|()| check_rising(out.get(start..).unwrap_or_default()));
    if done.is_err() {
        out.truncate(start);
    }
    done.map(|()| cursor.offset())
}

fn check_rising(times: &[i64]) -> Result<(), Error> {
    let rising = |pair: &[i64]| matches!(pair, [before, after] if before < after);
    match times.windows(2).position(|pair| !rising(pair)) {
        Some(at) => Err(Error::TimesNotRising { index: at + 1 }),
        None => Ok(()),
    }
}

/// Times as slots of a grid and distances from them.
///
/// ```text
/// +--------+----------+--------------+--------------------+-----+----------------------+
/// | origin | interval | slots length | tag, slot numbers  | tag | distances, to end    |
/// +--------+----------+--------------+--------------------+-----+----------------------+
///   zigzag   LEB128     LEB128         columns of integers without frame
///
/// time = origin + interval * slot + distance
/// ```
struct Grid {
    origin: i64,
    interval: i64,
    slots: Vec<i64>,
    distances: Vec<i64>,
}

impl Grid {
    fn of(times: &[i64]) -> Option<Self> {
        let (origin, last) = (*times.first()?, *times.last()?);
        if last.wrapping_sub(origin).cast_unsigned() > SPAN_MAX {
            return None;
        }
        let mut deltas: Vec<i64> =
            times.windows(2).filter_map(|pair| Some(pair.last()? - pair.first()?)).collect();
        let middle = deltas.len() / 2;
        let usual = *deltas.select_nth_unstable(middle).1;
        if usual < INTERVAL_MIN {
            return None;
        }
        // The median has the noise of single scrapes; the whole span shares it among all slots.
        let steps = times.windows(2).filter_map(|pair| Some(pair.last()? - pair.first()?));
        let slots_in_all: i64 = steps.map(|delta| nearest(delta, usual)).sum();
        let interval = nearest(last - origin, slots_in_all.max(1));
        if interval < INTERVAL_MIN {
            return None;
        }
        let slots: Vec<i64> = times.iter().map(|time| nearest(time - origin, interval)).collect();
        let distances =
            times.iter().zip(&slots).map(|(time, slot)| time - origin - slot * interval).collect();
        Some(Self { origin, interval, slots, distances })
    }

    fn write(&self, out: &mut Vec<u8>) {
        put_signed(out, self.origin);
        put_unsigned(out, self.interval.cast_unsigned());
        let mut slots = Vec::new();
        write_nested(&self.slots, &mut slots);
        put_unsigned(out, slots.len() as u64);
        out.extend_from_slice(&slots);
        write_nested(&self.distances, out);
    }
}

fn read_grid(payload: &mut Cursor<'_>, count: usize, out: &mut Vec<i64>) -> Result<(), Error> {
    let origin = payload.signed("origin of the grid")?;
    let interval = payload.unsigned("interval of the grid")?.cast_signed();
    let length = payload.count(payload.remaining(), "length of slot numbers")?;
    let mut slots = payload.part(length, "slot numbers")?;
    let start = out.len();
    read_nested(&mut slots, count, out, |slot| origin.wrapping_add(slot.wrapping_mul(interval)))?;
    let mut distances = Vec::new();
    read_nested(payload, count, &mut distances, |distance| distance)?;
    for (time, distance) in out.iter_mut().skip(start).zip(distances) {
        *time = time.wrapping_add(distance);
    }
    Ok(())
}

/// `dividend / divisor` rounded to the nearest; both positive.
fn nearest(dividend: i64, divisor: i64) -> i64 {
    (dividend + divisor / 2) / divisor
}

fn write_nested(values: &[i64], out: &mut Vec<u8>) {
    let tag_at = out.len();
    out.push(0);
    let inner = ints::write(values, out);
    if let Some(tag) = out.get_mut(tag_at) {
        *tag = inner.tag();
    }
}

fn read_nested(
    payload: &mut Cursor<'_>,
    count: usize,
    out: &mut Vec<i64>,
    map: impl Fn(i64) -> i64,
) -> Result<(), Error> {
    let inner = Encoding::of(payload.byte("tag")?, KIND)?;
    ints::read(inner, count, payload, out, map)
}

#[cfg(test)]
mod tests;
