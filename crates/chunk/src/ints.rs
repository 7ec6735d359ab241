//! Columns of 64-bit integers in any order: start timestamps, counts, offsets; and what every
//! other column is made of.
//!
//! A column is first straightened (`ints/shape.rs`): differences of order 0, 1 or 2, less their
//! smallest, divided by what divides them all. What is left is written as the smallest of:
//!
//! - constant or stride: nothing is left;
//! - sparse: the few places that differ from the rest (`ints/sparse.rs`);
//! - packed: all at the width of the widest (`bits.rs`);
//! - pco: entropy-coded (`ints/entropy.rs`); tried where the shape promises that it saves enough.
//!
//! Differences wrap, so every `i64` may follow every other.

use crate::cursor::{Cursor, put_signed};
use crate::frame::{self, Encoding};
use crate::{Error, bits};

mod entropy;
mod shape;
mod sparse;

use shape::Shape;

const KIND: &str = "integers";
/// Below this many bytes the table of pco costs more than it can save, in bytes and in time.
const PCO_FROM: usize = 32;
/// It must save one byte in this many, because its values take three times as long to decode: 15
/// to 20 ns each against 4 to 6 (columns of 480). That costs 3 % of the bytes of wide columns.
const PCO_SAVES: usize = 16;

/// Appends `values` to `out` as one column.
///
/// # Errors
/// [`Error::TooMany`] above [`crate::COUNT_MAX`] values; `out` is then as before.
pub fn encode(values: &[i64], out: &mut Vec<u8>) -> Result<(), Error> {
    frame::write(out, values.len(), |out| Ok(write(values, out)))
}

/// Appends the values of the column that `bytes` start with to `out`; returns its bytes.
///
/// # Errors
/// [`Error::Truncated`], [`Error::Corrupt`] or [`Error::UnknownEncoding`]; `out` is then as before.
pub fn decode_into(bytes: &[u8], out: &mut Vec<i64>) -> Result<usize, Error> {
    let mut cursor = Cursor::new(bytes);
    let (encoding, count, mut payload) = frame::read(&mut cursor, KIND)?;
    read(encoding, count, &mut payload, out, |value| value)?;
    Ok(cursor.offset())
}

/// Appends `values` without a frame; the reader must know encoding, count and length.
pub(crate) fn write(values: &[i64], out: &mut Vec<u8>) -> Encoding {
    let Some(first) = values.first() else {
        return Encoding::IntConstant;
    };
    let shape = Shape::of(values);
    if let Some(step) = shape.stride() {
        if step == 0 || values.len() == 1 {
            if *first != 0 {
                put_signed(out, *first);
            }
            return Encoding::IntConstant;
        }
        put_signed(out, *first);
        put_signed(out, step);
        return Encoding::IntStride;
    }
    let residuals = shape.residuals(values);
    let width = shape.width();
    let packed = bits::packed_len(residuals.len(), width);
    if let Some(sparse) = sparse::find(&residuals, packed) {
        shape.write_header(values, shape.base_of(sparse.usual), out);
        sparse::write(&residuals, &sparse, out);
        return Encoding::IntSparse;
    }
    shape.write_header(values, shape.base(), out);
    let body = out.len();
    let saves_min = packed / PCO_SAVES;
    if packed >= PCO_FROM
        && shape.saves(residuals.len()) >= saves_min
        && entropy::write(&residuals, width, out)
        && out.len() - body <= packed - saves_min
    {
        return Encoding::IntPco;
    }
    out.truncate(body);
    out.push(u8::try_from(width).unwrap_or(64));
    bits::pack(out, &residuals, width);
    Encoding::IntPacked
}

/// Appends `count` values, each through `map`; all of `payload` must be used. `out` is as before
/// if this fails. `count` is at most [`crate::COUNT_MAX`].
pub(crate) fn read<T>(
    encoding: Encoding,
    count: usize,
    payload: &mut Cursor<'_>,
    out: &mut Vec<T>,
    map: impl Fn(i64) -> T,
) -> Result<(), Error> {
    let start = out.len();
    let done = read_all(encoding, count, payload, out, map);
    if done.is_err() {
        out.truncate(start);
    }
    done
}

fn read_all<T>(
    encoding: Encoding,
    count: usize,
    payload: &mut Cursor<'_>,
    out: &mut Vec<T>,
    map: impl Fn(i64) -> T,
) -> Result<(), Error> {
    out.reserve(count);
    match encoding {
        Encoding::IntConstant => {
            let value = if payload.remaining() == 0 { 0 } else { payload.signed("constant")? };
            out.extend((0..count).map(|_| map(value)));
        }
        Encoding::IntStride => {
            let mut value = payload.signed("first value")?;
            let step = payload.signed("stride")?;
            out.extend((0..count).map(|_| {
                let this = value;
                value = value.wrapping_add(step);
                map(this)
            }));
        }
        Encoding::IntPacked | Encoding::IntSparse | Encoding::IntPco => {
            let mut sum = shape::Summer::read(payload, count, out, &map)?;
            let left = count - sum.order();
            match encoding {
                Encoding::IntPacked => {
                    let width = u32::from(payload.byte("bit width")?);
                    if !(1..=64).contains(&width) {
                        return Err(payload.corrupt("bit width"));
                    }
                    let packed = payload.take(bits::packed_len(left, width), "packed bits")?;
                    sum.extend(out, &map, bits::unpack(packed, left, width));
                }
                Encoding::IntSparse => sparse::read(payload, left, &mut sum, out, &map)?,
                _ => entropy::read(payload, left, &mut sum, out, &map)?,
            }
        }
        other => return Err(Error::UnknownEncoding { kind: KIND, tag: other.tag() }),
    }
    payload.finish("end of integers")
}

#[cfg(test)]
mod tests;
