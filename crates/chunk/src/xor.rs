//! Columns of floats that still grow: one value at a time, readable at any moment.
//!
//! The scheme of Gorilla (Pelkonen et al., VLDB 2015): each value is combined with the one
//! before by exclusive or, and the bits between the leading and the trailing zeros are kept. Values that repeat are
//! counted, not written, so a series that never changes takes no bytes at all, however long.
//!
//! ```text
//! run, change, run, change, … run          the first value is compared with +0
//!
//! run      how often the value before repeats, plus one, in Elias' gamma code
//! change   1  bits                         in the window of the change before
//!          0  leading (5)  length-1 (6)  bits       a window of its own
//! ```
//!
//! After the last change stands one more run, unless it is 0. Bits are in the order of `bits.rs`.
//!
//! Most questions are about the newest values. An appender therefore notes now and then what a
//! reader needs to know to begin in the middle; these marks are in memory alone.

use std::ops::Range;

use crate::bits::{self, BitReader, ONE_LOAD_WIDTH_MAX, SmallBytes};
use crate::cursor::{Cursor, put_unsigned};
use crate::frame::{self, Encoding};
use crate::{COUNT_MAX, Error};

/// Zeros beyond this are not worth a sixth bit.
const LEADING_MAX: u32 = 31;
const LEADING_BITS: u32 = 5;
const LENGTH_BITS: u32 = 6;
/// Changes between two marks, so that marks take few bytes beside the changes.
const MARK_EVERY: u8 = 64;

/// A column that grows. 56 bytes, of which 16 hold bits before anything is allocated.
///
/// Readers copy it with [`Appender::decode_into`], take it with [`Appender::take`] to decode it
/// later, or take sealed bytes of the moment with [`Appender::snapshot`]; all borrow it only while
/// they run.
#[derive(Debug, Clone, Default)]
pub struct Appender {
    bytes: SmallBytes,
    last: u64,
    /// Bits written; they hold `count - run` values.
    filled: u32,
    count: u32,
    /// How often the last value has repeated.
    run: u32,
    window: Window,
    /// Changes since the last mark.
    unmarked: u8,
    /// There once there is a mark: most columns never get one.
    marks: Option<Box<Marks>>,
}

/// A column as it was at one moment, from a mark on; its bits are in a buffer that many columns
/// share.
#[derive(Debug, Clone, Copy)]
pub struct Taken {
    /// The first byte in the buffer.
    start: usize,
    /// Bits from there on.
    filled: u32,
    count: u32,
    run: u32,
    mark: Mark,
}

/// Where a reader can begin, in the order of the column.
#[derive(Debug, Clone, Default)]
struct Marks(Vec<Mark>);

/// What is known after the first `at` values, at the beginning by default.
#[derive(Debug, Clone, Copy, Default)]
struct Mark {
    value: u64,
    /// The first bit of what follows.
    bit: u32,
    at: u32,
    window: Window,
}

/// Which bits of the 64 a change is written with.
#[derive(Debug, Clone, Copy, Default)]
struct Window {
    leading: u8,
    /// 0: none yet.
    length: u8,
}

impl Appender {
    /// Appends one value.
    ///
    /// # Errors
    /// [`Error::TooMany`] when [`COUNT_MAX`] values are there; the column is then as before.
    pub fn push(&mut self, value: f64) -> Result<(), Error> {
        let count = self.len() + 1;
        if count > COUNT_MAX {
            return Err(Error::TooMany { what: "values", count, limit: COUNT_MAX });
        }
        self.count += 1;
        let changed = value.to_bits() ^ self.last;
        if changed == 0 {
            self.run += 1;
            return Ok(());
        }
        bits::push_gamma(&mut self.bytes, &mut self.filled, self.run + 1);
        self.run = 0;
        self.last = value.to_bits();
        self.push_change(changed);
        self.unmarked += 1;
        if self.unmarked == MARK_EVERY {
            self.unmarked = 0;
            self.mark();
        }
        Ok(())
    }

    /// Notes how to read on from here.
    fn mark(&mut self) {
        let Self { last: value, filled: bit, count: at, window, .. } = *self;
        let Marks(marks) = &mut **self.marks.get_or_insert_default();
        // There are few of them in each of very many columns.
        if marks.len() == marks.capacity() {
            marks.reserve_exact(marks.len() / 8 + 1);
        }
        marks.push(Mark { value, bit, at, window });
    }

    /// The last mark at or before value number `from`.
    fn mark_before(&self, from: usize) -> Mark {
        let marks = self.marks.as_ref().map_or(&[][..], |marks| &marks.0);
        let next = marks.partition_point(|mark| mark.at as usize <= from);
        next.checked_sub(1).and_then(|at| marks.get(at)).copied().unwrap_or_default()
    }

    fn push_change(&mut self, changed: u64) {
        let leading = changed.leading_zeros().min(LEADING_MAX);
        let trailing = changed.trailing_zeros();
        let length = 64 - leading - trailing;
        let window = self.window;
        let (old_leading, old_length) = (u32::from(window.leading), u32::from(window.length));
        let old_trailing = (64 - old_leading).saturating_sub(old_length);
        let fits = old_length > 0 && leading >= old_leading && trailing >= old_trailing;
        // A window that has become far too wide is worth the bits of a new one.
        if fits && old_length - length <= LEADING_BITS + LENGTH_BITS {
            bits::push(&mut self.bytes, &mut self.filled, 1, 1);
            bits::push(&mut self.bytes, &mut self.filled, changed >> old_trailing, old_length);
            return;
        }
        let header = u64::from(leading) << 1 | u64::from(length - 1) << (1 + LEADING_BITS);
        bits::push(&mut self.bytes, &mut self.filled, header, 1 + LEADING_BITS + LENGTH_BITS);
        bits::push(&mut self.bytes, &mut self.filled, changed >> trailing, length);
        let small = |number: u32| u8::try_from(number).unwrap_or(u8::MAX);
        self.window = Window { leading: small(leading), length: small(length) };
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The value pushed last.
    pub fn last(&self) -> Option<f64> {
        (self.count > 0).then(|| f64::from_bits(self.last))
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        let bits = if self.bytes.spilled() { self.bytes.capacity() } else { 0 };
        let marks = |marks: &Marks| size_of::<Marks>() + marks.0.capacity() * size_of::<Mark>();
        bits + self.marks.as_deref().map_or(0, marks)
    }

    /// Appends the values so far to `out`.
    pub fn decode_into(&self, out: &mut Vec<f64>) {
        self.decode_range_into(0..self.len(), out);
    }

    /// Appends the values number `range` so far to `out`: those there are of them.
    pub fn decode_range_into(&self, range: Range<usize>, out: &mut Vec<f64>) {
        let Self { filled, count, run, .. } = *self;
        let mark = self.mark_before(range.start);
        Taken { start: 0, filled, count, run, mark }.decode_range_into(&self.bytes, range, out);
    }

    /// The column as it is now, to be read later: its bits go to the end of `bits`. Of the values
    /// before number `from` nothing need be there.
    pub fn take(&self, from: usize, bits: &mut Vec<u8>) -> Taken {
        let mark = self.mark_before(from);
        let (skipped, bit) = (mark.bit / 8, mark.bit % 8);
        let (start, filled) = (bits.len(), self.filled - skipped * 8);
        bits.extend_from_slice(self.bytes.get(skipped as usize..).unwrap_or_default());
        Taken { start, filled, count: self.count, run: self.run, mark: Mark { bit, ..mark } }
    }

    /// Appends the values so far to `out` as a column that [`crate::floats::decode_into`] reads.
    ///
    /// # Errors
    /// None can occur: a column that could grow can be written.
    pub fn snapshot(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        frame::write(out, self.len(), |out| {
            let (mut bytes, mut filled) = (SmallBytes::from_slice(&self.bytes), self.filled);
            if self.run > 0 {
                bits::push_gamma(&mut bytes, &mut filled, self.run + 1);
            }
            out.extend_from_slice(&bytes);
            Ok(Encoding::FloatXor)
        })
    }

    /// Appends all there is to know of it, so that [`Appender::restore`] makes one that grows on.
    /// Layout: `docs/format/head.md`.
    pub fn save(&self, out: &mut Vec<u8>) {
        put_unsigned(out, u64::from(self.count));
        put_unsigned(out, u64::from(self.filled));
        if self.filled > 0 {
            put_unsigned(out, u64::from(self.run));
            out.extend_from_slice(&self.last.to_le_bytes());
            out.extend_from_slice(&[self.window.leading, self.window.length]);
            out.extend_from_slice(&self.bytes);
        }
    }

    /// Reads what [`Appender::save`] wrote, and returns how many bytes that was.
    ///
    /// The bits themselves are not looked through: of a column with bad ones, fewer values come.
    ///
    /// # Errors
    /// [`Error::Truncated`], and [`Error::Corrupt`] for counts that no appender has.
    pub fn restore(bytes: &[u8]) -> Result<(Self, usize), Error> {
        let mut cursor = Cursor::new(bytes);
        let count = cursor.count(COUNT_MAX, "count of values")?;
        let filled = cursor.count(u32::MAX as usize, "bits of values")?;
        let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let mut column = Self { count: small(count), run: small(count), ..Self::default() };
        if filled > 0 {
            let error = cursor.corrupt("state of a column");
            column.filled = small(filled);
            column.run = small(cursor.count(count, "repeats of the last value")?);
            column.last = cursor.word("last value")?;
            let (leading, length) = (cursor.byte("window")?, cursor.byte("window")?);
            if u32::from(leading) > LEADING_MAX || !(1..=64 - leading).contains(&length) {
                return Err(error);
            }
            column.window = Window { leading, length };
            let taken = cursor.take(filled.div_ceil(8), "values")?;
            column.bytes = SmallBytes::from_slice(taken);
        }
        Ok((column, cursor.offset()))
    }

    /// Gives back what the buffer has too much, for a column that waits to be sealed.
    pub fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
        if let Some(marks) = &mut self.marks {
            marks.0.shrink_to_fit();
        }
    }
}

impl Taken {
    /// How many values there are.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// As [`Appender::decode_range_into`], from the `bits` that the column was taken into; the range
    /// begins no sooner than that from which it was taken.
    pub fn decode_range_into(&self, bits: &[u8], range: Range<usize>, out: &mut Vec<f64>) {
        let end = range.end.min(self.len());
        out.reserve(end.saturating_sub(range.start));
        let Mark { value, bit, at, window } = self.mark;
        let bytes = bits.get(self.start..).unwrap_or_default();
        let mut values = Values {
            reader: BitReader::starting(bytes, bit as usize, self.filled as usize),
            value,
            window,
            at: at as usize,
            first: range.start,
        };
        let in_bits = self.len() - self.run.min(self.count) as usize;
        if values.read(in_bits, end, out).is_some() {
            values.repeat(end, out);
        }
    }
}

/// Where the reading of a column stands.
struct Values<'a> {
    reader: BitReader<'a>,
    value: u64,
    window: Window,
    /// How many values have been read.
    at: usize,
    /// The number of the first value that is wanted.
    first: usize,
}

impl Values<'_> {
    /// Reads the first `end` of the `count` values that the bits have; nothing if the bits end or
    /// make no sense before that.
    fn read(&mut self, count: usize, end: usize, out: &mut Vec<f64>) -> Option<()> {
        while self.at < count.min(end) {
            // Mostly nothing repeats, and one load has that and the change.
            let mut bits = self.reader.peek();
            let mut used = 1;
            if bits & 1 == 1 {
                bits >>= 1;
            } else {
                let run = self.reader.take_gamma()? as usize - 1;
                if run > count - self.at {
                    return None;
                }
                self.repeat((self.at + run).min(end), out);
                if self.at >= count.min(end) {
                    return Some(());
                }
                (bits, used) = (self.reader.peek(), 0);
            }
            self.value ^= self.change(bits, used)?;
            if self.at >= self.first {
                out.push(f64::from_bits(self.value));
            }
            self.at += 1;
        }
        Some(())
    }

    /// The value repeats up to the one before number `end`.
    fn repeat(&mut self, end: usize, out: &mut Vec<f64>) {
        let from = self.at.max(self.first);
        let wanted = end.saturating_sub(from);
        out.extend(std::iter::repeat_n(f64::from_bits(self.value), wanted));
        self.at = self.at.max(end);
    }

    /// The change that `bits` begin with, the next but `used` of the reader; nothing if they end or
    /// make no sense.
    fn change(&mut self, mut bits: u64, mut used: u32) -> Option<u64> {
        let mut window = self.window;
        if bits & 1 == 1 {
            used += 1;
            bits >>= 1;
        } else {
            let small = |bits: u64, width: u32| u8::try_from(bits & ((1 << width) - 1)).ok();
            window.leading = small(bits >> 1, LEADING_BITS)?;
            window.length = small(bits >> (1 + LEADING_BITS), LENGTH_BITS)? + 1;
            used += 1 + LEADING_BITS + LENGTH_BITS;
            bits >>= 1 + LEADING_BITS + LENGTH_BITS;
        }
        self.window = window;
        let (leading, length) = (u32::from(window.leading), u32::from(window.length));
        // No window has been set, or one that is wider than a float.
        if length == 0 || leading + length > 64 {
            return None;
        }
        if used + length <= ONE_LOAD_WIDTH_MAX {
            bits &= u64::MAX >> (64 - length);
            self.reader.pass(used + length).then_some(bits << (64 - leading - length))
        } else {
            let there = self.reader.pass(used);
            let bits = there.then(|| self.reader.take(length)).flatten()?;
            Some(bits << (64 - leading - length))
        }
    }
}

/// Appends `count` values of a sealed column; the caller truncates `out` if this fails.
pub(crate) fn read(
    count: usize,
    payload: &mut Cursor<'_>,
    out: &mut Vec<f64>,
) -> Result<(), Error> {
    let error = payload.corrupt("XOR bits");
    let bytes = payload.take_rest();
    let mut values = Values {
        reader: BitReader::new(bytes, bytes.len() * 8),
        value: 0,
        window: Window::default(),
        at: 0,
        first: 0,
    };
    out.reserve(count);
    let whole =
        values.read(count, count, out).is_some() && values.reader.bit().div_ceil(8) == bytes.len();
    if whole { Ok(()) } else { Err(error) }
}

#[cfg(test)]
mod tests;
