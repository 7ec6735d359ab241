//! Floats that are whole multiples of a power of ten, as those multiples.
//!
//! ```text
//! +---------+---------------------------------------------+-----+------------------+
//! | control | exceptions (if set): count, per exception:  | tag | column of        |
//! |         | gap (LEB128), bits XOR stale marker (LEB128)|     | integers, to end |
//! +---------+---------------------------------------------+-----+------------------+
//!   bits 3..0 decimals, bit 7 exceptions follow
//!
//! value = multiple / 10^decimals, which is exact: both are below 2^53 (10^22), and a division
//! of two such numbers is rounded once, as is reading the decimal number from text.
//! ```
//!
//! At the place of an exception the multiple before it is repeated. Once a number is a multiple
//! of 10^-k it is one of 10^-(k+1) too, so one pass that only ever raises k finds the least.

use masthead_model::STALE_NAN_BITS;

use crate::cursor::{Cursor, put_unsigned};
use crate::frame::Encoding;
use crate::{Error, ints};

/// Most decimals.
pub(crate) const EXPONENT_MAX: u8 = 12;
const POWERS: [f64; EXPONENT_MAX as usize + 1] =
    [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12];

/// Added and taken away again it rounds to a whole number, without a call, below [`MULTIPLE_MAX`].
const ROUNDER: f64 = 6_755_399_441_055_744.0;
/// 2^51: multiples stay below it, so that they, and their rounding, are exact.
const MULTIPLE_MAX: f64 = 2_251_799_813_685_248.0;

/// At most one value in this many may be an exception, beyond the first few.
const EXCEPTION_SHARE: usize = 16;
const EXCEPTIONS_FREE: usize = 2;
const EXCEPTIONS_FOLLOW: u8 = 0x80;

/// A column as multiples.
#[derive(Debug)]
pub(crate) struct Decimal {
    exponent: u8,
    multiples: Vec<i64>,
    exceptions: Vec<(usize, u64)>,
}

impl Decimal {
    /// Nothing if too many values are no decimals of a common exponent.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        let exponent = exponent_of(values)?;
        let mut multiples = Vec::with_capacity(values.len());
        let mut exceptions = Vec::new();
        let first = values.iter().find_map(|value| multiple_of(*value, exponent)).unwrap_or(0);
        let mut before = first;
        for (at, value) in values.iter().enumerate() {
            if let Some(multiple) = multiple_of(*value, exponent) {
                before = multiple;
            } else {
                exceptions.push((at, value.to_bits()));
            }
            multiples.push(before);
        }
        (exceptions.len() <= exceptions_max(values.len())).then_some(Self {
            exponent,
            multiples,
            exceptions,
        })
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let follow = if self.exceptions.is_empty() { 0 } else { EXCEPTIONS_FOLLOW };
        out.push(self.exponent | follow);
        if !self.exceptions.is_empty() {
            put_unsigned(out, self.exceptions.len() as u64);
            let mut next = 0;
            for (at, bits) in &self.exceptions {
                put_unsigned(out, (at - next) as u64);
                put_unsigned(out, bits ^ STALE_NAN_BITS);
                next = at + 1;
            }
        }
        let tag_at = out.len();
        out.push(0);
        let inner = ints::write(&self.multiples, out);
        if let Some(tag) = out.get_mut(tag_at) {
            *tag = inner.tag();
        }
    }
}

/// Appends `count` values; the caller truncates `out` if this fails.
pub(crate) fn read(
    count: usize,
    payload: &mut Cursor<'_>,
    out: &mut Vec<f64>,
) -> Result<(), Error> {
    let error = payload.corrupt("exponent of decimals");
    let control = payload.byte("exponent of decimals")?;
    let exponent = control & !EXCEPTIONS_FOLLOW;
    let power = *POWERS.get(usize::from(exponent)).ok_or(error)?;
    let mut exceptions = payload.clone();
    let follow = control & EXCEPTIONS_FOLLOW != 0;
    if follow {
        each_exception(payload, count, |_, _| ())?;
    }
    let inner = Encoding::of(payload.byte("tag of multiples")?, "integers")?;
    let start = out.len();
    if exponent == 0 {
        ints::read(inner, count, payload, out, as_float)?;
    } else {
        ints::read(inner, count, payload, out, |multiple| as_float(multiple) / power)?;
    }
    if follow {
        each_exception(&mut exceptions, count, |at, value| {
            if let Some(place) = out.get_mut(start + at) {
                *place = value;
            }
        })?;
    }
    Ok(())
}

/// The number as exponent and multiple, if it is a decimal.
pub(crate) fn single(value: f64) -> Option<(u8, i64)> {
    (0..=EXPONENT_MAX).find_map(|exponent| Some((exponent, multiple_of(value, exponent)?)))
}

/// The inverse of [`single`], for exponents up to [`EXPONENT_MAX`].
pub(crate) fn value_of(multiple: i64, exponent: u8) -> f64 {
    as_float(multiple) / POWERS.get(usize::from(exponent)).copied().unwrap_or(1.0)
}

fn each_exception(
    payload: &mut Cursor<'_>,
    count: usize,
    mut each: impl FnMut(usize, f64),
) -> Result<(), Error> {
    let mut next = 0_usize;
    for _ in 0..payload.count(count, "count of exceptions")? {
        let error = payload.corrupt("place of an exception");
        let at = next + payload.count(count, "place of an exception")?;
        if at >= count {
            return Err(error);
        }
        each(at, f64::from_bits(payload.unsigned("exception")? ^ STALE_NAN_BITS));
        next = at + 1;
    }
    Ok(())
}

fn exceptions_max(count: usize) -> usize {
    EXCEPTIONS_FREE + count / EXCEPTION_SHARE
}

/// The least exponent at which all values but some exceptions are decimals.
fn exponent_of(values: &[f64]) -> Option<u8> {
    let exceptions_max = exceptions_max(values.len());
    let (mut exponent, mut exceptions) = (0, 0);
    for value in values {
        if multiple_of(*value, exponent).is_some() {
            continue;
        }
        if let Some(higher) = (exponent..=EXPONENT_MAX).find(|e| multiple_of(*value, *e).is_some())
        {
            exponent = higher;
            continue;
        }
        exceptions += 1;
        if exceptions > exceptions_max {
            return None;
        }
    }
    (exceptions < values.len()).then_some(exponent)
}

#[inline]
fn multiple_of(value: f64, exponent: u8) -> Option<i64> {
    #![expect(clippy::cast_possible_truncation, reason = "a whole number below 2^51")]
    let power = POWERS.get(usize::from(exponent)).copied().unwrap_or(1.0);
    let scaled = value * power;
    let rounded = (scaled + ROUNDER) - ROUNDER;
    // The comparison of bits refuses -0 and whatever was rounded; NaN fails the first one.
    (scaled.abs() < MULTIPLE_MAX && (rounded / power).to_bits() == value.to_bits())
        .then_some(rounded as i64)
}

#[expect(clippy::cast_precision_loss, reason = "multiples are below 2^51; others are corrupt")]
fn as_float(multiple: i64) -> f64 {
    multiple as f64
}
