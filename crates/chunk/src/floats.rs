//! Columns of floats: sample values, sums, counts.
//!
//! Chosen in this order, after one pass (`floats/decimal.rs`) that tries no codec:
//!
//! - constant: all bits alike; four to thirteen bytes however many values;
//! - decimal: integers, or numbers with up to twelve decimals, as whole multiples of a power of
//!   ten in a column of integers; what is none (NaN, infinity, -0, noise) stands beside it;
//! - ordered: the bits as integers of the same order in a column of integers, whose scale takes
//!   away the zeros at the end of the mantissa (floats of 32 bits, binary fractions).
//!
//! The fourth, XOR (`xor.rs`), comes from columns that still grow; sealed columns do not use it,
//! because it was never the smallest by more than two bytes on any data of `examples/ratio.rs`.
//!
//! Floats are compared and kept by their bits: a stale marker stays one, -0 stays -0.

use crate::cursor::{Cursor, put_signed};
use crate::frame::{self, Encoding};
use crate::{Error, ints, xor};

mod decimal;

use decimal::{Decimal, EXPONENT_MAX};

const KIND: &str = "floats";
/// In a constant column: eight raw bytes follow, instead of a decimal's exponent.
const RAW: u8 = 0xff;

/// Appends `values` to `out` as one column.
///
/// # Errors
/// [`Error::TooMany`] above [`crate::COUNT_MAX`] values; `out` is then as before.
pub fn encode(values: &[f64], out: &mut Vec<u8>) -> Result<(), Error> {
    frame::write(out, values.len(), |out| {
        let first = values.first().map_or(0, |value| value.to_bits());
        if values.iter().all(|value| value.to_bits() == first) {
            write_constant(f64::from_bits(first), out);
            return Ok(Encoding::FloatConstant);
        }
        if let Some(decimal) = Decimal::of(values) {
            decimal.write(out);
            return Ok(Encoding::FloatDecimal);
        }
        let ordered: Vec<i64> = values.iter().map(|value| to_ordered(*value)).collect();
        let tag_at = out.len();
        out.push(0);
        let inner = ints::write(&ordered, out);
        if let Some(tag) = out.get_mut(tag_at) {
            *tag = inner.tag();
        }
        Ok(Encoding::FloatOrdered)
    })
}

/// Appends the values of the column that `bytes` start with to `out`; returns its bytes.
///
/// # Errors
/// [`Error::Truncated`], [`Error::Corrupt`] or [`Error::UnknownEncoding`]; `out` is then as before.
pub fn decode_into(bytes: &[u8], out: &mut Vec<f64>) -> Result<usize, Error> {
    let mut cursor = Cursor::new(bytes);
    read_framed(&mut cursor, out)?;
    Ok(cursor.offset())
}

/// As [`decode_into`]; returns how many values there were.
pub(crate) fn read_framed(cursor: &mut Cursor<'_>, out: &mut Vec<f64>) -> Result<usize, Error> {
    let (encoding, count, mut payload) = frame::read(cursor, KIND)?;
    let start = out.len();
    let done = match encoding {
        Encoding::FloatConstant => read_constant(&mut payload).map(|value| {
            out.resize(start + count, value);
        }),
        Encoding::FloatDecimal => decimal::read(count, &mut payload, out),
        Encoding::FloatOrdered => payload.byte("tag").and_then(|tag| {
            let inner = Encoding::of(tag, KIND)?;
            ints::read(inner, count, &mut payload, out, from_ordered)
        }),
        Encoding::FloatXor => xor::read(count, &mut payload, out),
        other => Err(Error::UnknownEncoding { kind: KIND, tag: other.tag() }),
    };
    if done.is_err() {
        out.truncate(start);
    }
    done.map(|()| count)
}

fn write_constant(value: f64, out: &mut Vec<u8>) {
    if value.to_bits() == 0 {
        return;
    }
    if let Some((exponent, mantissa)) = decimal::single(value) {
        out.push(exponent);
        put_signed(out, mantissa);
    } else {
        out.push(RAW);
        out.extend_from_slice(&value.to_bits().to_le_bytes());
    }
}

fn read_constant(payload: &mut Cursor<'_>) -> Result<f64, Error> {
    if payload.remaining() == 0 {
        return Ok(0.0);
    }
    let error = payload.corrupt("exponent of the constant");
    let exponent = payload.byte("exponent of the constant")?;
    let value = match exponent {
        RAW => f64::from_bits(payload.word("constant")?),
        ..=EXPONENT_MAX => decimal::value_of(payload.signed("constant")?, exponent),
        _ => return Err(error),
    };
    payload.finish("end of the constant")?;
    Ok(value)
}

/// Bits as an integer that is greater where the float is.
fn to_ordered(value: f64) -> i64 {
    let bits = value.to_bits().cast_signed();
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

fn from_ordered(ordered: i64) -> f64 {
    let bits = ordered ^ ((ordered >> 63).cast_unsigned() >> 1).cast_signed();
    f64::from_bits(bits.cast_unsigned())
}

#[cfg(test)]
mod tests;
