//! The kinds of columns, read again.

#![expect(clippy::indexing_slicing, reason = "tables of 256 letters and 16 places")]

use super::holding::Texts;
use super::out::{Out, STEP};
use super::{
    Cursor, Error, HALF_BITS, Mark, SHORT, Sources, bits, clock, unzigzag, uuid_of, width,
};

/// What stands before a column; the bytes are the format's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(in super::super) enum Kind {
    Same = 0,
    Numbers = 1,
    Differences = 2,
    Dictionary = 3,
    Texts = 4,
    Hexadecimal = 5,
    Addresses = 6,
    Fractions = 7,
    Raw = 8,
    Moments = 9,
    RandomUuids = 10,
}

/// The values of a column.
#[derive(Debug)]
pub(in super::super) enum Values {
    /// The value, and where it ends.
    Same(Vec<u8>, usize),
    Numbers {
        numbers: Vec<u64>,
        digits: usize,
    },
    Dictionary {
        places: Vec<u64>,
        texts: Vec<u8>,
        ends: Vec<usize>,
    },
    /// Where each ends; the bytes between the end of one and of the next less `gap`.
    Texts {
        texts: Vec<u8>,
        ends: Vec<usize>,
        gap: usize,
    },
    Hexadecimal {
        bytes: Vec<u8>,
        len: usize,
        upper: bool,
    },
    /// UUIDs of version 4, as they are stored.
    RandomUuids {
        packed: Vec<u8>,
        count: usize,
    },
    Addresses(Vec<u64>),
    Fractions {
        numbers: Vec<u64>,
        digits: usize,
        decimals: usize,
    },
    Moments {
        shape: clock::Shape,
        /// Whether numbers are distances from the times of the lines.
        from_line: bool,
        /// Added to each of `numbers`, and all there is without them.
        base: i64,
        numbers: Vec<u64>,
    },
}

pub(super) fn kind_of(sources: &mut Sources<'_, '_>) -> Result<Kind, Error> {
    let bad = sources.kinds.corrupt("kind of a column");
    let kind = sources.kinds.byte("kind of a column")?;
    let known = [
        Kind::Same,
        Kind::Numbers,
        Kind::Differences,
        Kind::Dictionary,
        Kind::Texts,
        Kind::Hexadecimal,
        Kind::Addresses,
        Kind::Fractions,
        Kind::Raw,
        Kind::Moments,
        Kind::RandomUuids,
    ];
    known.into_iter().find(|known| *known as u8 == kind).ok_or(bad)
}

/// Reads a column of `count` values if it is `wanted`; steps over it otherwise.
pub(in super::super) fn read_if(
    sources: &mut Sources<'_, '_>,
    mark: Mark,
    count: usize,
    wanted: bool,
) -> Result<Option<Values>, Error> {
    if mark != Mark::Raw && count < SHORT {
        if wanted {
            return short(sources, count).map(Some);
        }
        sources.skip_short(count);
        return Ok(None);
    }
    let kind = kind_of(sources)?;
    if wanted {
        return read(sources, kind, count).map(Some);
    }
    skip(sources, kind, count).map(|()| None)
}

/// Whether every value of a column starts with a digit; of numbers that is known without reading
/// them.
pub(in super::super) fn start_with_digits(
    sources: &mut Sources<'_, '_>,
    mark: Mark,
    count: usize,
) -> Result<bool, Error> {
    if mark != Mark::Raw && count < SHORT {
        return short(sources, count).map(|values| values.start_with_digits());
    }
    let kind = kind_of(sources)?;
    if matches!(kind, Kind::Numbers | Kind::Differences | Kind::Addresses | Kind::Fractions) {
        return skip(sources, kind, count).map(|()| true);
    }
    read(sources, kind, count).map(|values| values.start_with_digits())
}

/// Steps over the values of a column and decompresses none.
pub(super) fn skip(sources: &mut Sources<'_, '_>, kind: Kind, count: usize) -> Result<(), Error> {
    let bad = sources.kinds.corrupt("count of values");
    // What stands in `kinds` is read as below, with nothing made of it.
    let kinds = &mut sources.kinds;
    match kind {
        Kind::Same => {
            let len = kinds.count(kinds.remaining(), "length of a value")?;
            kinds.take(len, "value").map(drop)
        }
        Kind::Numbers => {
            kinds.count(20, "digits")?;
            skip_based(sources, count)
        }
        Kind::Differences => {
            kinds.count(20, "digits")?;
            kinds.unsigned("first number")?;
            skip_based(sources, count.saturating_sub(1))
        }
        Kind::Dictionary => {
            let different = kinds.count(count, "count of texts")?;
            sources.skip_text()?;
            sources.skip_planes(count, places_width(different))
        }
        Kind::Texts => sources.skip_text(),
        Kind::Hexadecimal => {
            let each = hexadecimal_bytes(kinds.count(1 << 20, "letters of a number")?);
            kinds.byte("capitals")?;
            sources.skip_bytes(count.checked_mul(each).ok_or(bad)?)
        }
        Kind::Addresses => skip_based(sources, count),
        Kind::Fractions => {
            kinds.count(18, "digits behind the dot")?;
            kinds.count(20, "digits")?;
            skip_based(sources, count)
        }
        Kind::Raw => {
            let width = usize::from(kinds.byte("width of lengths")?);
            sources.skip_planes(count, width)?;
            sources.skip_text()
        }
        Kind::Moments => {
            let (_, first, _, width) = moments_head(kinds)?;
            let stored = count.saturating_sub(usize::from(first.is_some()));
            if width == 0 { Ok(()) } else { sources.skip_planes(stored, width) }
        }
        Kind::RandomUuids => sources.skip_bytes(bits::packed_len(2 * count, HALF_BITS)),
    }
}

/// Bytes of a hexadecimal number of so many letters.
fn hexadecimal_bytes(len: usize) -> usize {
    if len == crate::words::UUID_BYTES { 16 } else { len / 2 }
}

/// Reads the values of a column.
pub(super) fn read(
    sources: &mut Sources<'_, '_>,
    kind: Kind,
    count: usize,
) -> Result<Values, Error> {
    let bad = sources.kinds.corrupt("values of a column");
    let mut numbers = Vec::new();
    let kinds = &mut sources.kinds;
    Ok(match kind {
        Kind::Same => {
            let len = kinds.count(kinds.remaining(), "length of a value")?;
            let mut value = kinds.take(len, "value")?.to_vec();
            pad(&mut value);
            Values::Same(value, len)
        }
        Kind::Numbers => {
            let digits = kinds.count(20, "digits")?;
            based(sources, count, &mut numbers)?;
            Values::Numbers { numbers, digits }
        }
        Kind::Differences => {
            let digits = kinds.count(20, "digits")?;
            let first = kinds.unsigned("first number")?;
            based(sources, count.saturating_sub(1), &mut numbers)?;
            let mut last = first;
            for number in &mut numbers {
                last = last.wrapping_add(unzigzag(*number).cast_unsigned());
                *number = last;
            }
            numbers.insert(0, first);
            numbers.truncate(count);
            Values::Numbers { numbers, digits }
        }
        Kind::Dictionary | Kind::Texts => {
            return Texts::read(sources, kind, count)?.values(sources);
        }
        Kind::Hexadecimal => {
            let len = kinds.count(1 << 20, "letters of a number")?;
            let upper = kinds.byte("capitals")? != 0;
            let mut bytes = Vec::new();
            let all = count.checked_mul(hexadecimal_bytes(len)).ok_or(bad)?;
            sources.bytes(all, &mut bytes)?;
            Values::Hexadecimal { bytes, len, upper }
        }
        Kind::Addresses => {
            based(sources, count, &mut numbers)?;
            Values::Addresses(numbers)
        }
        Kind::Fractions => {
            let decimals = kinds.count(18, "digits behind the dot")?;
            let digits = kinds.count(20, "digits")?;
            based(sources, count, &mut numbers)?;
            Values::Fractions { numbers, digits, decimals }
        }
        Kind::Raw => {
            let width = usize::from(kinds.byte("width of lengths")?);
            sources.planes(count, width, &mut numbers)?;
            let mut texts = Vec::new();
            sources.text(&mut texts)?;
            let mut end = 0_usize;
            let mut ends = Vec::with_capacity(count);
            for length in numbers {
                let length = usize::try_from(length).map_err(|_| bad.clone())?;
                end = end.checked_add(length).ok_or(bad.clone())?;
                ends.push(end);
            }
            if end != texts.len() {
                return Err(bad);
            }
            pad(&mut texts);
            Values::Texts { texts, ends, gap: 0 }
        }
        Kind::Moments => moments(sources, count)?,
        Kind::RandomUuids => {
            let halves = 2 * count;
            let mut packed = Vec::new();
            sources.bytes(bits::packed_len(halves, HALF_BITS), &mut packed)?;
            Values::RandomUuids { packed, count }
        }
    })
}

/// How many letters are written for a hexadecimal number that should have so many.
pub(super) fn hexadecimal_len(len: usize) -> usize {
    if len == crate::words::UUID_BYTES { len } else { len / 2 * 2 }
}

/// Bytes of a place in a dictionary.
pub(super) fn places_width(different: usize) -> usize {
    width((different as u64).saturating_sub(1))
}

/// What stands before moments: their shape, the first if they are counted from each other, the
/// base, and the width of numbers.
pub(super) fn moments_head(
    kinds: &mut Cursor<'_>,
) -> Result<(clock::Shape, Option<i64>, i64, usize), Error> {
    let bad = kinds.corrupt("shape of moments");
    let mut shape = [0; 4];
    shape.copy_from_slice(kinds.take(4, "shape of moments")?);
    let shape = clock::Shape::of(shape).ok_or(bad.clone())?;
    let from = kinds.byte("what moments are counted from")?;
    let first = match from {
        from if from == clock::From::Line as u8 => None,
        from if from == clock::From::Before as u8 => {
            Some(unzigzag(kinds.unsigned("first moment")?))
        }
        _ => return Err(bad),
    };
    let base = unzigzag(kinds.unsigned("base")?);
    Ok((shape, first, base, kinds.count(8, "width of numbers")?))
}

fn moments(sources: &mut Sources<'_, '_>, count: usize) -> Result<Values, Error> {
    let (shape, first, base, width) = moments_head(&mut sources.kinds)?;
    let mut numbers = Vec::new();
    let stored = count.saturating_sub(usize::from(first.is_some()));
    if width > 0 {
        sources.planes(stored, width, &mut numbers)?;
    }
    let Some(first) = first else {
        return Ok(Values::Moments { shape, from_line: true, base, numbers });
    };
    // Without planes every step is the base; the moments must then be made one by one all the same,
    // so such a column may not have more of them than it could have had with one plane.
    if width == 0 {
        sources.spend(stored)?;
        numbers.resize(stored, 0);
    }
    let mut last = first;
    for number in &mut numbers {
        last = last.wrapping_add(base).wrapping_add(number.cast_signed());
        *number = last.cast_unsigned();
    }
    numbers.insert(0, first.cast_unsigned());
    numbers.truncate(count);
    Ok(Values::Moments { shape, from_line: false, base: 0, numbers })
}

pub(super) fn short(sources: &mut Sources<'_, '_>, count: usize) -> Result<Values, Error> {
    let (mut texts, mut ends) = (Vec::new(), Vec::new());
    sources.short(count, (&mut texts, &mut ends))?;
    pad(&mut texts);
    Ok(Values::Texts { texts, ends, gap: 1 })
}

/// Adds what [`Out`] may copy beyond the end.
pub(super) fn pad(texts: &mut Vec<u8>) {
    texts.resize(texts.len() + STEP, 0);
}

fn based(sources: &mut Sources<'_, '_>, count: usize, numbers: &mut Vec<u64>) -> Result<(), Error> {
    let base = sources.kinds.unsigned("base")?;
    let width = sources.kinds.count(8, "width of numbers")?;
    sources.planes(count, width, numbers)?;
    for number in numbers {
        *number = number.wrapping_add(base);
    }
    Ok(())
}

fn skip_based(sources: &mut Sources<'_, '_>, count: usize) -> Result<(), Error> {
    sources.kinds.unsigned("base")?;
    let width = sources.kinds.count(8, "width of numbers")?;
    sources.skip_planes(count, width)
}

/// Where each of `count` texts ends, the newline not included.
pub(super) fn split(texts: &[u8], count: usize) -> Option<Vec<usize>> {
    let ends: Vec<usize> =
        texts.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at).collect();
    let whole = ends.last().map_or(0, |end| end + 1) == texts.len();
    (whole && ends.len() == count).then_some(ends)
}

impl Values {
    /// Whether it cannot be read without the times of the lines.
    pub(in super::super) fn needs_times(&self) -> bool {
        matches!(self, Self::Moments { from_line: true, .. })
    }

    /// How many there are; of a constant, none are counted.
    pub(in super::super) fn len(&self) -> usize {
        match self {
            Self::Same(..) => 0,
            Self::Numbers { numbers, .. }
            | Self::Addresses(numbers)
            | Self::Fractions { numbers, .. }
            | Self::Moments { numbers, .. }
            | Self::Dictionary { places: numbers, .. } => numbers.len(),
            Self::Texts { ends, .. } => ends.len(),
            Self::RandomUuids { count, .. } => *count,
            Self::Hexadecimal { bytes, len, .. } => {
                bytes.len().checked_div(hexadecimal_bytes(*len)).unwrap_or(0)
            }
        }
    }

    /// Whether every value starts with a digit.
    fn start_with_digits(&self) -> bool {
        let digit = |text: &[u8]| text.first().is_some_and(u8::is_ascii_digit);
        match self {
            Self::Same(value, end) => digit(value.get(..*end).unwrap_or_default()),
            Self::Numbers { .. } | Self::Addresses(_) | Self::Fractions { .. } => true,
            Self::Dictionary { texts, ends, .. } | Self::Texts { texts, ends, gap: 1 } => {
                let mut start = 0;
                ends.iter().all(|end| {
                    let text = texts.get(start..*end).unwrap_or_default();
                    start = end + 1;
                    digit(text)
                })
            }
            Self::Texts { .. }
            | Self::Hexadecimal { .. }
            | Self::RandomUuids { .. }
            | Self::Moments { .. } => false,
        }
    }

    /// Appends value number `at`, which stands in a line of this `time`, to `out`.
    #[inline]
    pub(in super::super) fn put(&self, at: usize, time: i64, out: &mut Out<'_>) {
        let number = |numbers: &[u64]| numbers.get(at).copied().unwrap_or(0);
        match self {
            Self::Same(value, end) => out.put(value, 0, *end),
            Self::Numbers { numbers, digits } => out.put_number(number(numbers), *digits),
            Self::Dictionary { places, texts, ends } => {
                put_text(texts, ends, 1, usize::try_from(number(places)).unwrap_or(0), out);
            }
            Self::Texts { texts, ends, gap } => put_text(texts, ends, *gap, at, out),
            Self::RandomUuids { packed, .. } => {
                let half = |at| bits::get(packed, at, HALF_BITS);
                put_uuid(&uuid_of(half(2 * at), half(2 * at + 1)).to_be_bytes(), out);
            }
            Self::Hexadecimal { bytes, len: crate::words::UUID_BYTES, upper: false } => {
                put_uuid(bytes.get(at * 16..(at + 1) * 16).unwrap_or_default(), out);
            }
            Self::Hexadecimal { bytes, len, upper } => {
                put_hexadecimal(bytes, *len, *upper, at, out);
            }
            Self::Addresses(numbers) => {
                let address = number(numbers);
                for shift in [24, 16, 8, 0] {
                    out.put_number((address >> shift) & 255, 0);
                    if shift > 0 {
                        out.put(b".", 0, 1);
                    }
                }
            }
            Self::Fractions { numbers, digits, decimals } => {
                let scale = 10_u64.pow(u32::try_from(*decimals).unwrap_or(0));
                let value = number(numbers);
                out.put_number(value / scale, *digits);
                out.put(b".", 0, 1);
                out.put_number(value % scale, *decimals);
            }
            Self::Moments { shape, from_line, base, numbers } => {
                let from = if *from_line { shape.floor(time) } else { 0 };
                let number = number(numbers).cast_signed();
                let (text, end) = shape.text(from.wrapping_add(*base).wrapping_add(number));
                out.put(&text, 0, end);
            }
        }
    }
}

#[inline]
fn put_text(texts: &[u8], ends: &[usize], gap: usize, at: usize, out: &mut Out<'_>) {
    let start = at.checked_sub(1).and_then(|at| ends.get(at)).map_or(0, |end| end + gap);
    let end = ends.get(at).copied().unwrap_or(start);
    out.put(texts, start, end);
}

/// The letters of every byte.
const LETTERS: [[u8; 2]; 256] = {
    let mut letters = [[0; 2]; 256];
    let digits = *b"0123456789abcdef";
    let mut byte = 0;
    while byte < 256 {
        letters[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    letters
};
/// Where the letters of each byte of a UUID stand.
const UUID_PLACES: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];

fn put_uuid(bytes: &[u8], out: &mut Out<'_>) {
    let mut text = [b'-'; crate::words::UUID_BYTES];
    for (byte, place) in bytes.iter().zip(UUID_PLACES) {
        [text[place], text[place + 1]] = LETTERS[usize::from(*byte)];
    }
    out.put(&text, 0, text.len());
}

fn put_hexadecimal(bytes: &[u8], len: usize, upper: bool, at: usize, out: &mut Out<'_>) {
    let uuid = len == crate::words::UUID_BYTES;
    let each = hexadecimal_bytes(len);
    let some = bytes.get(at * each..(at + 1) * each).unwrap_or_default();
    for (place, byte) in some.iter().enumerate() {
        if uuid && matches!(place, 4 | 6 | 8 | 10) {
            out.put(b"-", 0, 1);
        }
        let mut letters = LETTERS[usize::from(*byte)];
        if upper {
            letters.make_ascii_uppercase();
        }
        out.put(&letters, 0, 2);
    }
}
