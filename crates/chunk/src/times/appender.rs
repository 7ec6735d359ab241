//! A column of timestamps that still grows: one at a time, readable at any moment.
//!
//! What is kept is how each interval differs from the one before; intervals that repeat are
//! counted, so a group that is scraped exactly on its grid takes no bytes beyond the first two.
//!
//! ```text
//! run, change, run, change, …          the first interval is compared with 0
//!
//! run      how often the interval before repeats, plus one, in Elias' gamma code
//! change   class in unary (n ones, a zero; the last without), then zigzag of the change less 1
//!          class   0   1   2   3   4   5
//!          bits    6   9   14  20  32  64
//! ```
//!
//! As in `xor.rs` there are marks, in memory alone, from which a reader can begin.

use crate::bits::{self, BitReader, SmallBytes};
use crate::cursor::{Cursor, put_signed, put_unsigned, unzigzag, zigzag};
use crate::{COUNT_MAX, Error};

/// Bits of a change by class: jitter of ±16 ms, of ±128 ms, a skipped scrape, …
const CLASSES: [u32; 6] = [6, 9, 14, 20, 32, 64];

/// Timestamps between two marks, at least.
const MARK_EVERY: u32 = 64;

/// A column that grows. 72 bytes, of which 16 hold bits before anything is allocated.
#[derive(Debug, Clone, Default)]
pub struct Appender {
    bytes: SmallBytes,
    first: i64,
    last: i64,
    interval: i64,
    /// Bits written; they hold all but the first and `run` timestamps.
    filled: u32,
    count: u32,
    /// How often the last interval has repeated.
    run: u32,
    /// There once there is a mark.
    marks: Option<Box<Marks>>,
}

/// Where a reader can begin, in the order of the column.
#[derive(Debug, Clone, Default)]
struct Marks(Vec<Mark>);

/// What is known when an interval has just changed.
#[derive(Debug, Clone, Copy)]
struct Mark {
    time: i64,
    /// The interval before it.
    interval: i64,
    /// The first bit of what follows.
    bit: u32,
    /// How many timestamps there are up to it.
    at: u32,
}

/// A column as it was at one moment, from some time on; its bits are in a buffer that many columns
/// share.
#[derive(Debug, Clone, Copy)]
pub struct Taken {
    /// The first byte in the buffer.
    start: usize,
    /// Bits from there on.
    filled: u32,
    /// The bit at which to begin.
    bit: u32,
    time: i64,
    interval: i64,
    /// Timestamps from `time` on.
    left: u32,
    /// How many are before it.
    before: u32,
    run: u32,
}

impl Appender {
    /// Appends one timestamp.
    ///
    /// # Errors
    /// [`Error::TimesNotRising`] unless it is later than the last; [`Error::TooMany`] when
    /// [`COUNT_MAX`] are there. The column is then as before.
    pub fn push(&mut self, time: i64) -> Result<(), Error> {
        if self.len() >= COUNT_MAX {
            let count = self.len() + 1;
            return Err(Error::TooMany { what: "timestamps", count, limit: COUNT_MAX });
        }
        if self.is_empty() {
            self.first = time;
        } else if time <= self.last {
            return Err(Error::TimesNotRising { index: self.len() });
        } else {
            let interval = time.wrapping_sub(self.last);
            let change = interval.wrapping_sub(self.interval);
            if change == 0 {
                self.run += 1;
            } else {
                bits::push_gamma(&mut self.bytes, &mut self.filled, self.run + 1);
                self.run = 0;
                self.interval = interval;
                self.push_change(zigzag(change) - 1);
                self.mark(time);
            }
        }
        self.last = time;
        self.count += 1;
        Ok(())
    }

    /// Notes how to read on from `time`, which is about to be the last, unless that is known of one
    /// shortly before it.
    fn mark(&mut self, time: i64) {
        let at = self.count + 1;
        let marked = self.marks.as_ref().and_then(|marks| marks.0.last()).map_or(0, |mark| mark.at);
        if at - marked >= MARK_EVERY {
            let mark = Mark { time, interval: self.interval, bit: self.filled, at };
            self.marks.get_or_insert_default().0.push(mark);
        }
    }

    fn push_change(&mut self, change: u64) {
        let needed = 64 - change.leading_zeros();
        for (ones, width) in (0_u32..).zip(CLASSES) {
            if width >= needed {
                let ends = u32::from(width < 64);
                bits::push(&mut self.bytes, &mut self.filled, (1 << ones) - 1, ones + ends);
                bits::push(&mut self.bytes, &mut self.filled, change, width);
                return;
            }
        }
    }

    /// How many timestamps there are.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The earliest.
    pub fn first(&self) -> Option<i64> {
        (self.count > 0).then_some(self.first)
    }

    /// The latest.
    pub fn last(&self) -> Option<i64> {
        (self.count > 0).then_some(self.last)
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        let bits = if self.bytes.spilled() { self.bytes.capacity() } else { 0 };
        let marks = |marks: &Marks| size_of::<Marks>() + marks.0.capacity() * size_of::<Mark>();
        bits + self.marks.as_deref().map_or(0, marks)
    }

    /// Appends all there is to know of it, so that [`Appender::restore`] makes one that grows on.
    /// Layout: `docs/format/head.md`.
    pub fn save(&self, out: &mut Vec<u8>) {
        put_unsigned(out, u64::from(self.count));
        for number in [self.first, self.last, self.interval] {
            put_signed(out, number);
        }
        put_unsigned(out, u64::from(self.run));
        put_unsigned(out, u64::from(self.filled));
        out.extend_from_slice(&self.bytes);
    }

    /// Reads what [`Appender::save`] wrote, and returns how many bytes that was.
    ///
    /// The bits themselves are not looked through: of a column with bad ones, fewer times come.
    ///
    /// # Errors
    /// [`Error::Truncated`], and [`Error::Corrupt`] for counts that no appender has.
    pub fn restore(bytes: &[u8]) -> Result<(Self, usize), Error> {
        let mut cursor = Cursor::new(bytes);
        let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let count = cursor.count(COUNT_MAX, "count of timestamps")?;
        let first = cursor.signed("first timestamp")?;
        let last = cursor.signed("last timestamp")?;
        let interval = cursor.signed("interval")?;
        let run = cursor.count(count, "repeats of the last interval")?;
        let filled = cursor.count(u32::MAX as usize, "bits of timestamps")?;
        let bytes = SmallBytes::from_slice(cursor.take(filled.div_ceil(8), "timestamps")?);
        let (filled, count, run) = (small(filled), small(count), small(run));
        let column = Self { bytes, first, last, interval, filled, count, run, marks: None };
        Ok((column, cursor.offset()))
    }

    /// The timestamps so far, in order.
    pub fn iter(&self) -> Iter<'_> {
        Iter {
            reader: BitReader::new(&self.bytes, self.filled as usize),
            next: self.first,
            interval: 0,
            left: self.count,
            run: 0,
            tail: self.run,
            change_is_next: false,
        }
    }

    /// The column as it is now, to be read later: its bits go to the end of `bits`. Of the timestamps
    /// before `from` all but the last may be missing.
    pub fn take(&self, from: i64, bits: &mut Vec<u8>) -> Taken {
        let Self { filled, run, .. } = *self;
        let start = bits.len();
        if let Some((at, time)) = self.in_last_run(from) {
            let (left, interval) = (self.count - at, self.interval);
            return Taken { start, filled: 0, bit: 0, time, interval, left, before: at, run: left };
        }
        let marks = self.marks.as_ref().map_or(&[][..], |marks| &marks.0);
        let next = marks.partition_point(|mark| mark.time <= from);
        let beginning = Mark { time: self.first, interval: 0, bit: 0, at: self.count.min(1) };
        let mark = next.checked_sub(1).and_then(|at| marks.get(at)).copied().unwrap_or(beginning);
        let (skipped, before) = (mark.bit / 8, mark.at.saturating_sub(1));
        bits.extend_from_slice(self.bytes.get(skipped as usize..).unwrap_or_default());
        Taken {
            start,
            filled: filled - skipped * 8,
            bit: mark.bit % 8,
            time: mark.time,
            interval: mark.interval,
            left: self.count - before,
            before,
            run,
        }
    }

    /// The last timestamp at or before `from` with its number, if only repeats of the last interval
    /// come after it.
    fn in_last_run(&self, from: i64) -> Option<(u32, i64)> {
        let after = u64::try_from(self.last.checked_sub(from)?).unwrap_or(0);
        let interval = u64::try_from(self.interval).ok().filter(|interval| *interval > 0)?;
        let back = u32::try_from(after.div_ceil(interval)).ok().filter(|back| *back <= self.run)?;
        let time = self.last.checked_sub(self.interval.checked_mul(i64::from(back))?)?;
        Some((self.count.checked_sub(back + 1)?, time))
    }

    /// Appends the timestamps so far to `out`.
    pub fn decode_into(&self, out: &mut Vec<i64>) {
        out.reserve(self.len());
        out.extend(self.iter());
    }
}

impl Taken {
    /// How many timestamps of the column come before those that were taken.
    pub fn before(&self) -> usize {
        self.before as usize
    }

    /// The timestamps that were taken, from the `bits` that they were taken into.
    pub fn iter<'a>(&self, bits: &'a [u8]) -> Iter<'a> {
        let bytes = bits.get(self.start..).unwrap_or_default();
        Iter {
            reader: BitReader::starting(bytes, self.bit as usize, self.filled as usize),
            next: self.time,
            interval: self.interval,
            left: self.left,
            run: 0,
            tail: self.run,
            change_is_next: false,
        }
    }
}

impl<'a> IntoIterator for &'a Appender {
    type Item = i64;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The timestamps of a column in order, decoded one by one.
#[derive(Debug, Clone)]
pub struct Iter<'a> {
    reader: BitReader<'a>,
    /// What comes next.
    next: i64,
    interval: i64,
    /// Timestamps not handed out yet, `next` included.
    left: u32,
    /// Repeats of `interval` not used yet.
    run: u32,
    /// Repeats of the last interval, which are not in the bits.
    tail: u32,
    /// The run before it has been read.
    change_is_next: bool,
}

impl Iter<'_> {
    /// Sets the interval between the timestamp handed out and the one after it.
    fn advance(&mut self) -> Option<()> {
        if self.run > 0 {
            self.run -= 1;
            return Some(());
        }
        if self.left <= self.tail {
            return Some(());
        }
        if !self.change_is_next {
            self.run = self.reader.take_gamma()? - 1;
            self.change_is_next = true;
            if self.run > 0 {
                self.run -= 1;
                return Some(());
            }
        }
        self.change_is_next = false;
        self.interval = self.interval.wrapping_add(self.change()?);
        Some(())
    }

    fn change(&mut self) -> Option<i64> {
        for width in CLASSES {
            if width == 64 || self.reader.take(1)? == 0 {
                return Some(unzigzag(self.reader.take(width)?.wrapping_add(1)));
            }
        }
        None
    }
}

impl Iterator for Iter<'_> {
    type Item = i64;

    fn next(&mut self) -> Option<i64> {
        self.left = self.left.checked_sub(1)?;
        let this = self.next;
        if self.left > 0 {
            if self.advance().is_none() {
                self.left = 0;
                return Some(this);
            }
            self.next = this.wrapping_add(self.interval);
        }
        Some(this)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}
