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

use crate::bits::{self, BitReader, SmallBytes};
use crate::cursor::{Cursor, put_unsigned};
use crate::frame::{self, Encoding};
use crate::{COUNT_MAX, Error};

/// Zeros beyond this are not worth a sixth bit.
const LEADING_MAX: u32 = 31;
const LEADING_BITS: u32 = 5;
const LENGTH_BITS: u32 = 6;

/// A column that grows. 48 bytes, of which 16 hold bits before anything is allocated.
///
/// Readers either copy it with [`Appender::decode_into`] or take sealed bytes of the moment with
/// [`Appender::snapshot`]; both borrow it only while they run.
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
        Ok(())
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
        if self.bytes.spilled() { self.bytes.capacity() } else { 0 }
    }

    /// The values so far, in order.
    pub fn iter(&self) -> Iter<'_> {
        Iter {
            reader: BitReader::new(&self.bytes, self.filled as usize),
            left: self.count,
            run: 0,
            tail: self.run,
            change_is_next: false,
            value: 0,
            window: Window::default(),
        }
    }

    /// Appends the values so far to `out`.
    pub fn decode_into(&self, out: &mut Vec<f64>) {
        out.reserve(self.len());
        out.extend(self.iter());
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
    }
}

impl<'a> IntoIterator for &'a Appender {
    type Item = f64;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The values of a column in order, decoded one by one.
#[derive(Debug, Clone)]
pub struct Iter<'a> {
    reader: BitReader<'a>,
    /// Values not handed out yet.
    left: u32,
    /// Repeats of `value` not handed out yet.
    run: u32,
    /// The run before it has been read.
    change_is_next: bool,
    /// The last values, which repeat and are not in the bits.
    tail: u32,
    value: u64,
    window: Window,
}

impl Iter<'_> {
    /// The next change, or nothing if the bits end or make no sense.
    fn change(&mut self) -> Option<u64> {
        if self.reader.take(1)? == 0 {
            let leading = self.reader.take(LEADING_BITS)?;
            let length = self.reader.take(LENGTH_BITS)? + 1;
            if leading + length > 64 {
                return None;
            }
            let small = |number: u64| u8::try_from(number).ok();
            self.window = Window { leading: small(leading)?, length: small(length)? };
        } else if self.window.length == 0 {
            return None;
        }
        let (leading, length) = (u32::from(self.window.leading), u32::from(self.window.length));
        let bits = self.reader.take(length)?;
        Some(bits << (64 - leading - length))
    }
}

impl Iterator for Iter<'_> {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        if self.left == 0 {
            return None;
        }
        if self.run == 0 && self.left > self.tail {
            if !self.change_is_next {
                self.run = self.reader.take_gamma()? - 1;
                self.change_is_next = true;
                if self.run > self.left - self.tail {
                    return None;
                }
            }
            if self.run == 0 {
                self.value ^= self.change()?;
                self.change_is_next = false;
                self.left -= 1;
                return Some(f64::from_bits(self.value));
            }
        }
        self.left -= 1;
        self.run = self.run.saturating_sub(1);
        Some(f64::from_bits(self.value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.left as usize))
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
    let mut values = Iter {
        reader: BitReader::new(bytes, bytes.len() * 8),
        left: u32::try_from(count).unwrap_or(u32::MAX),
        run: 0,
        change_is_next: false,
        tail: 0,
        value: 0,
        window: Window::default(),
    };
    out.reserve(count);
    out.extend(&mut values);
    let whole = values.left == 0 && values.reader.bit().div_ceil(8) == bytes.len();
    if whole { Ok(()) } else { Err(error) }
}

#[cfg(test)]
mod tests;
