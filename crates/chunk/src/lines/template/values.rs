//! One column of variables: how its values are written, and read again.
//!
//! ```text
//! kind byte, then by kind
//!   0 same            the value
//!   1 numbers         digits (0: no leading zeros), base, width │ planes of bytes
//!   2 differences     digits, first, base, width                │ planes of bytes
//!   3 dictionary      count                                     │ texts, planes of places
//!   4 texts                                                     │ texts
//!   5 hexadecimal     letters of one, whether capital           │ bytes
//!   6 addresses       base, width                               │ planes of bytes
//!   7 fractions       digits behind the dot, digits, base, width │ planes of bytes
//!   8 any bytes                                                 │ lengths, bytes
//!   9 moments     shape, from what, base, width                 │ planes of bytes
//!  10 UUIDs       of version 4: 122 bits each                   │ bytes
//! ```
//!
//! A plane has one byte of every value, the least first. Texts end with a newline each.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::write::is_large;
use super::{Mark, SHORT, clock, out};
use crate::cursor::{Cursor, put_slice, put_unsigned, unzigzag, zigzag};
use crate::lines::{Compressor, Decompressor};
use crate::{Error, bits};

mod holding;
mod kinds;
mod lengths;
mod streams;

pub(super) use holding::read_holding;
pub(super) use kinds::{Kind, Values, read_if, start_with_digits};
pub(super) use lengths::{Lengths, Sums, lengths};
pub(super) use streams::{Small, Sources, Streams};

/// Bytes that a number up to `max` takes.
pub(super) fn width(max: u64) -> usize {
    (8 - max.leading_zeros() as usize / 8).max(1)
}

type Dictionary<'a> = HashMap<&'a [u8], u64, BuildHasherDefault<crate::lines::TextHasher>>;

/// Writes the values of a column, which stand at `places` of `text`.
pub(super) fn write(
    compressor: &mut Compressor,
    streams: &mut Streams,
    mark: Mark,
    text: &[u8],
    places: &[(u32, u32)],
) {
    let values = || {
        places
            .iter()
            .map(|(start, end)| text.get(*start as usize..*end as usize).unwrap_or_default())
    };
    if mark == Mark::Raw {
        let lengths: Vec<u64> = values().map(|value| value.len() as u64).collect();
        let width = width(lengths.iter().copied().max().unwrap_or(0));
        streams.kinds.push(Kind::Raw as u8);
        streams.kinds.push(u8::try_from(width).unwrap_or(8));
        streams.put_planes(compressor, &lengths, width);
        let bytes: Vec<u8> = values().flatten().copied().collect();
        streams.put_text(compressor, &bytes);
        return;
    }
    if places.len() < SHORT {
        for value in values() {
            streams.short.extend_from_slice(value);
            streams.short.push(b'\n');
        }
        return;
    }
    let Some(first) = values().next() else { return };
    if values().all(|value| value == first) {
        streams.kinds.push(Kind::Same as u8);
        put_slice(&mut streams.kinds, first);
        return;
    }
    let done = match mark {
        Mark::Number => numbers(compressor, streams, values()),
        Mark::Uuid => {
            dictionary(compressor, streams, values())
                || random_uuids(compressor, streams, values())
                || hexadecimal(compressor, streams, values())
        }
        _ => {
            dictionary(compressor, streams, values())
                || numbers(compressor, streams, values())
                || hexadecimal(compressor, streams, values())
                || addresses(compressor, streams, values())
                || fractions(compressor, streams, values())
        }
    };
    if !done && !dictionary(compressor, streams, values()) {
        streams.kinds.push(Kind::Texts as u8);
        let bytes: Vec<u8> =
            values().flat_map(|value| value.iter().chain(b"\n")).copied().collect();
        streams.put_text(compressor, &bytes);
    }
}

/// Writes the moments of a column; `times` are those of their lines, or there are none.
pub(super) fn write_moments(
    compressor: &mut Compressor,
    streams: &mut Streams,
    text: &[u8],
    places: &[(u32, u32)],
    times: &[i64],
) {
    let values = places
        .iter()
        .map(|(start, end)| text.get(*start as usize..*end as usize).unwrap_or_default());
    let known = (places.len() >= SHORT).then(|| clock::numbers(values)).flatten();
    let Some((shape, numbers)) = known else {
        return write(compressor, streams, Mark::Moment, text, places);
    };
    let steps = |of: &[i64]| {
        let pairs = of.windows(2).filter_map(|two| Some(two.last()?.wrapping_sub(*two.first()?)));
        pairs.collect::<Vec<i64>>()
    };
    let bits = |of: &[i64]| -> u64 {
        let base = of.iter().copied().min().unwrap_or(0);
        of.iter().map(|number| u64::from(64 - number.wrapping_sub(base).leading_zeros())).sum()
    };
    let mut from = clock::From::Before;
    let mut rest = steps(&numbers);
    if times.len() == numbers.len() {
        let distances: Vec<i64> = numbers
            .iter()
            .zip(times)
            .map(|(number, time)| number.wrapping_sub(shape.floor(*time)))
            .collect();
        if bits(&distances) <= bits(&rest) {
            (from, rest) = (clock::From::Line, distances);
        }
    }
    let base = rest.iter().copied().min().unwrap_or(0);
    let max = rest.iter().copied().max().unwrap_or(0);
    let rest: Vec<u64> =
        rest.iter().map(|number| number.wrapping_sub(base).cast_unsigned()).collect();
    let width = if max == base { 0 } else { width(max.wrapping_sub(base).cast_unsigned()) };
    streams.kinds.push(Kind::Moments as u8);
    streams.kinds.extend_from_slice(&shape.bytes());
    streams.kinds.push(from as u8);
    if from == clock::From::Before {
        put_unsigned(&mut streams.kinds, zigzag(numbers.first().copied().unwrap_or(0)));
    }
    put_unsigned(&mut streams.kinds, zigzag(base));
    put_unsigned(&mut streams.kinds, width as u64);
    streams.put_planes(compressor, &rest, width);
}

fn parse(digits: &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    (!digits.is_empty()).then_some(number)
}

/// How many digits all have, with leading zeros; 0 if none has leading zeros; none if neither.
fn digits_of<'a>(mut values: impl Iterator<Item = &'a [u8]> + Clone) -> Option<usize> {
    let plain = |value: &[u8]| value.len() == 1 || value.first() != Some(&b'0');
    if values.clone().all(plain) {
        return Some(0);
    }
    let first = values.next()?.len();
    (first <= 18 && values.all(|value| value.len() == first)).then_some(first)
}

fn numbers<'a>(
    compressor: &mut Compressor,
    streams: &mut Streams,
    values: impl Iterator<Item = &'a [u8]> + Clone,
) -> bool {
    let Some(digits) = digits_of(values.clone()) else { return false };
    let Some(numbers) = values.map(parse).collect::<Option<Vec<u64>>>() else { return false };
    put_numbers(compressor, streams, digits, &numbers)
}

/// As they are, as differences or as places in a dictionary, whichever has the fewest bits.
fn put_numbers(
    compressor: &mut Compressor,
    streams: &mut Streams,
    digits: usize,
    numbers: &[u64],
) -> bool {
    let bits = |value: u64| u64::from(64 - value.leading_zeros());
    let base = numbers.iter().copied().min().unwrap_or(0);
    let max = numbers.iter().copied().max().unwrap_or(0);
    let plain: u64 = numbers.iter().map(|number| bits(number - base)).sum();
    let differences: Vec<u64> = numbers
        .windows(2)
        .filter_map(|two| {
            let (before, after) = (two.first()?.cast_signed(), two.last()?.cast_signed());
            Some(zigzag(after.wrapping_sub(before)))
        })
        .collect();
    let steps: u64 = differences.iter().map(|step| bits(*step)).sum();
    if steps.saturating_mul(8) < plain.saturating_mul(7) {
        let base = differences.iter().copied().min().unwrap_or(0);
        let width = width(differences.iter().copied().max().unwrap_or(0) - base);
        streams.kinds.push(Kind::Differences as u8);
        for number in [digits as u64, numbers.first().copied().unwrap_or(0), base, width as u64] {
            put_unsigned(&mut streams.kinds, number);
        }
        let steps: Vec<u64> = differences.iter().map(|step| step - base).collect();
        streams.put_planes(compressor, &steps, width);
        return true;
    }
    let wide = width(max - base);
    if wide > 1 && few(numbers) {
        return false;
    }
    streams.kinds.push(Kind::Numbers as u8);
    for number in [digits as u64, base, wide as u64] {
        put_unsigned(&mut streams.kinds, number);
    }
    let numbers: Vec<u64> = numbers.iter().map(|number| number - base).collect();
    streams.put_planes(compressor, &numbers, wide);
    true
}

/// Whether so few are different that a dictionary of one byte is smaller.
fn few(numbers: &[u64]) -> bool {
    let mut seen: Vec<u64> = Vec::new();
    for number in numbers {
        if let Err(at) = seen.binary_search(number) {
            if seen.len() >= 256 || seen.len() * 8 >= numbers.len() {
                return false;
            }
            seen.insert(at, *number);
        }
    }
    true
}

fn dictionary<'a>(
    compressor: &mut Compressor,
    streams: &mut Streams,
    values: impl ExactSizeIterator<Item = &'a [u8]> + Clone,
) -> bool {
    let limit = values.len() / 2;
    let mut known: Dictionary<'_> = HashMap::default();
    let mut texts = Vec::new();
    let mut places = Vec::with_capacity(values.len());
    for value in values {
        let next = known.len() as u64;
        let place = *known.entry(value).or_insert_with(|| {
            texts.extend_from_slice(value);
            texts.push(b'\n');
            next
        });
        places.push(place);
        // Of what does not repeat within this many values little repeats later.
        if known.len() > limit || (places.len() == 512 && known.len() > 500) {
            return false;
        }
    }
    streams.kinds.push(Kind::Dictionary as u8);
    put_unsigned(&mut streams.kinds, known.len() as u64);
    streams.put_text(compressor, &texts);
    streams.put_planes(compressor, &places, width(known.len() as u64 - 1));
    true
}

/// UUIDs of version 4, without the six bits that all of them have.
fn random_uuids<'a>(
    compressor: &mut Compressor,
    streams: &mut Streams,
    values: impl ExactSizeIterator<Item = &'a [u8]>,
) -> bool {
    let mut halves = Vec::with_capacity(2 * values.len());
    for value in values {
        let Some((low, high)) = uuid(value).and_then(halves_of) else { return false };
        halves.extend([low, high]);
    }
    streams.kinds.push(Kind::RandomUuids as u8);
    let mut bytes = Vec::new();
    bits::pack(&mut bytes, &halves, HALF_BITS);
    streams.put_bytes(compressor, &bytes);
    true
}

/// The digits of a UUID in small letters.
fn uuid(text: &[u8]) -> Option<u128> {
    let text: &[u8; crate::words::UUID_BYTES] = text.try_into().ok()?;
    let number = |groups: &[&[u8]]| {
        let digits = groups.iter().copied().flatten();
        digits.fold(0_u64, |number, byte| {
            // `0` to `9` end in their values, `a` to `f` in one to six.
            number << 4 | u64::from((byte & 15) + if *byte < b'a' { 0 } else { 9 })
        })
    };
    let high = number(&[&text[..8], &text[9..13], &text[14..18]]);
    let low = number(&[&text[19..23], &text[24..]]);
    Some(u128::from(high) << 64 | u128::from(low))
}

/// Bits of half a UUID of version 4.
pub(super) const HALF_BITS: u32 = 61;
const HALF_MASK: u128 = (1 << HALF_BITS) - 1;
/// What all UUIDs of version 4 have in common, and where that stands.
const VERSION_4: u128 = 4 << 76 | 2 << 62;
const VERSION_BITS: u128 = 0xf << 76 | 3 << 62;

/// The 122 bits of a UUID of version 4 that are not always the same, in two halves.
fn halves_of(uuid: u128) -> Option<(u64, u64)> {
    if uuid & VERSION_BITS != VERSION_4 {
        return None;
    }
    let bits = uuid >> 80 << 74 | (uuid >> 64 & 0xfff) << 62 | (uuid & ((1 << 62) - 1));
    let half = |bits: u128| u64::try_from(bits & HALF_MASK).ok();
    Some((half(bits)?, half(bits >> HALF_BITS)?))
}

/// What is known of some bits of a UUID of version 4, said of its halves: which bits, and what they
/// are. None if no UUID of this version is so.
pub(super) fn known_halves(mask: u128, bits: u128) -> Option<[(u64, u64); 2]> {
    if (bits ^ VERSION_4) & mask & VERSION_BITS != 0 {
        return None;
    }
    let halves = |of: u128| halves_of(of & !VERSION_BITS | VERSION_4);
    let ((low_mask, high_mask), (low, high)) = (halves(mask)?, halves(bits)?);
    Some([(low_mask, low), (high_mask, high)])
}

/// The UUID of two halves.
fn uuid_of(low: u64, high: u64) -> u128 {
    let bits = u128::from(high) << HALF_BITS | u128::from(low);
    bits >> 74 << 80 | (bits >> 62 & 0xfff) << 64 | (bits & ((1 << 62) - 1)) | VERSION_4
}

/// Hexadecimal numbers of one length, and UUIDs.
fn hexadecimal<'a>(
    compressor: &mut Compressor,
    streams: &mut Streams,
    values: impl ExactSizeIterator<Item = &'a [u8]> + Clone,
) -> bool {
    let len = values.clone().next().map_or(0, <[u8]>::len);
    let uuid = len == crate::words::UUID_BYTES;
    let upper = values.clone().any(|value| value.iter().any(u8::is_ascii_uppercase));
    let mut bytes = Vec::with_capacity(values.len() * len / 2);
    for value in values {
        let mut digits = value
            .iter()
            .enumerate()
            .filter(|(at, byte)| !(uuid && matches!(at, 8 | 13 | 18 | 23) && **byte == b'-'));
        let mut digit = || -> Option<Option<u8>> {
            let Some((_, byte)) = digits.next() else { return Some(None) };
            match byte {
                b'0'..=b'9' => Some(Some(byte - b'0')),
                b'a'..=b'f' if !upper => Some(Some(byte - b'a' + 10)),
                b'A'..=b'F' if upper => Some(Some(byte - b'A' + 10)),
                _ => None,
            }
        };
        let before = bytes.len();
        if value.len() != len {
            return false;
        }
        loop {
            match (digit(), digit()) {
                (Some(Some(high)), Some(Some(low))) => bytes.push(high << 4 | low),
                (Some(None), _) => break,
                _ => return false,
            }
        }
        if uuid && bytes.len() - before != 16 {
            return false;
        }
    }
    streams.kinds.push(Kind::Hexadecimal as u8);
    put_unsigned(&mut streams.kinds, len as u64);
    streams.kinds.push(u8::from(upper));
    streams.put_bytes(compressor, &bytes);
    true
}

/// Four numbers below 256 without leading zeros, a dot between each two.
fn address(value: &[u8]) -> Option<u64> {
    let (mut address, mut group, mut digits, mut dots) = (0, 0, 0, 0);
    for byte in value {
        match byte {
            b'0'..=b'9' if digits == 0 || group > 0 => {
                group = group * 10 + u64::from(byte - b'0');
                digits += 1;
                if group > 255 {
                    return None;
                }
            }
            b'.' if digits > 0 && dots < 3 => {
                address = address << 8 | group;
                (group, digits, dots) = (0, 0, dots + 1);
            }
            _ => return None,
        }
    }
    (dots == 3 && digits > 0).then_some(address << 8 | group)
}

fn addresses<'a>(
    compressor: &mut Compressor,
    streams: &mut Streams,
    values: impl Iterator<Item = &'a [u8]>,
) -> bool {
    let Some(numbers) = values.map(address).collect::<Option<Vec<u64>>>() else { return false };
    let base = numbers.iter().copied().min().unwrap_or(0);
    let width = width(numbers.iter().copied().max().unwrap_or(0) - base);
    streams.kinds.push(Kind::Addresses as u8);
    put_unsigned(&mut streams.kinds, base);
    put_unsigned(&mut streams.kinds, width as u64);
    let numbers: Vec<u64> = numbers.iter().map(|number| number - base).collect();
    streams.put_planes(compressor, &numbers, width);
    true
}

fn fractions<'a>(
    compressor: &mut Compressor,
    streams: &mut Streams,
    values: impl Iterator<Item = &'a [u8]> + Clone,
) -> bool {
    let behind = |value: &[u8]| {
        let dot = value.iter().rposition(|byte| *byte == b'.')?;
        Some(value.len() - dot - 1)
    };
    let Some(decimals) = values.clone().next().and_then(behind) else { return false };
    let mut numbers = Vec::new();
    let mut plain = true;
    let mut digits = None;
    let mut fixed = true;
    for value in values {
        if behind(value) != Some(decimals) || value.len() > 19 {
            return false;
        }
        let (whole, rest) = value.split_at(value.len() - decimals - 1);
        let (Some(high), Some(low)) = (parse(whole), parse(rest.get(1..).unwrap_or_default()))
        else {
            return false;
        };
        plain &= whole.len() == 1 || whole.first() != Some(&b'0');
        fixed &= *digits.get_or_insert(whole.len()) == whole.len();
        numbers.push(high * 10_u64.pow(u32::try_from(decimals).unwrap_or(0)) + low);
    }
    let digits = match (plain, fixed) {
        (true, _) => 0,
        (false, true) => digits.unwrap_or(0),
        (false, false) => return false,
    };
    let base = numbers.iter().copied().min().unwrap_or(0);
    let width = width(numbers.iter().copied().max().unwrap_or(0) - base);
    streams.kinds.push(Kind::Fractions as u8);
    for number in [decimals as u64, digits as u64, base, width as u64] {
        put_unsigned(&mut streams.kinds, number);
    }
    let numbers: Vec<u64> = numbers.iter().map(|number| number - base).collect();
    streams.put_planes(compressor, &numbers, width);
    true
}
