//! Residuals through `pco`, with none of its modelling: that has been done by `shape.rs`.
//!
//! ```text
//! +-------+-------------------------+-----------------+
//! | width | chunk metadata of pco   | page of pco     |
//! +-------+-------------------------+-----------------+
//!   8, 16, 32 or 64: bits of the number type
//!
//! Wrapped format 4.1 of pco: classic mode, no delta encoding, one page.
//! ```
//!
//! The type is the narrowest that holds all residuals, because each entry of pco's table holds one
//! number of it. The first byte of the metadata (mode and delta encoding) must be 0, which keeps
//! bytes from storage away from the modes that hold dictionaries and windows.

use pco::data_types::Number;
use pco::wrapped::{FileCompressor, FileDecompressor};
use pco::{ChunkConfig, DeltaSpec, ModeSpec};

use super::shape::Summer;
use crate::Error;
use crate::cursor::Cursor;

/// The level of pco. On 480 values, levels 4 and 6 take up to 30 % and 15 % less time to encode and
/// up to 17 % and 5 % more bytes (a counter with restarts: 0.95 and 0.85 bytes a value against 0.81).
const LEVEL: usize = 8;
/// The header that a file of this format version starts with; it is not stored.
const VERSION: [u8; 2] = [4, 1];
/// Mode in the low half, delta encoding in the high half: classic, none.
const PLAIN: u8 = 0;
/// Numbers that pco decodes at once (`pco::FULL_BATCH_N`).
const BATCH: usize = 256;

/// Appends `residuals`, none wider than `width` bits; false, with `out` in disorder past its old
/// length, if pco cannot.
pub(crate) fn write(residuals: &[u64], width: u32, out: &mut Vec<u8>) -> bool {
    #![expect(clippy::cast_possible_truncation, reason = "`width` is that of the widest")]
    let done = match width {
        ..=8 => compress::<u8>(residuals, 8, |value| value as u8, out),
        9..=16 => compress::<u16>(residuals, 16, |value| value as u16, out),
        17..=32 => compress::<u32>(residuals, 32, |value| value as u32, out),
        _ => compress::<u64>(residuals, 64, |value| value, out),
    };
    done.is_some()
}

fn compress<T: Number>(
    residuals: &[u64],
    bits: u8,
    narrow: impl Fn(u64) -> T,
    out: &mut Vec<u8>,
) -> Option<()> {
    let numbers: Vec<T> = residuals.iter().map(|residual| narrow(*residual)).collect();
    let config = ChunkConfig::default()
        .with_compression_level(LEVEL)
        .with_mode_spec(ModeSpec::Classic)
        .with_delta_spec(DeltaSpec::NoOp)
        .with_enable_8_bit(true);
    out.push(bits);
    let start = out.len();
    let mut chunk = FileCompressor::default().chunk_compressor(&numbers, &config).ok()?;
    chunk.write_meta(&mut *out).ok()?;
    chunk.write_page(0, &mut *out).ok()?;
    (out.get(start) == Some(&PLAIN)).then_some(())
}

/// Appends `count` values; takes all that is left of `payload`.
pub(crate) fn read<T>(
    payload: &mut Cursor<'_>,
    count: usize,
    sum: &mut Summer,
    out: &mut Vec<T>,
    map: impl Fn(i64) -> T,
) -> Result<(), Error> {
    let error = payload.corrupt("pco data");
    let bits = payload.byte("width of pco numbers")?;
    let bytes = payload.take_rest();
    if bytes.first() != Some(&PLAIN) {
        return Err(error);
    }
    let done = match bits {
        8 => decompress::<u8>(bytes, count, |batch| sum.extend(out, &map, wide(batch))),
        16 => decompress::<u16>(bytes, count, |batch| sum.extend(out, &map, wide(batch))),
        32 => decompress::<u32>(bytes, count, |batch| sum.extend(out, &map, wide(batch))),
        64 => decompress::<u64>(bytes, count, |batch| sum.extend(out, &map, wide(batch))),
        _ => None,
    };
    done.ok_or(error)
}

fn wide<N: Copy + Into<u64>>(batch: &[N]) -> impl Iterator<Item = u64> {
    batch.iter().map(|number| (*number).into())
}

fn decompress<N: Number>(bytes: &[u8], count: usize, mut each: impl FnMut(&[N])) -> Option<()> {
    let (file, _) = FileDecompressor::new(VERSION.as_slice()).ok()?;
    let (mut chunk, page) = file.chunk_decompressor::<N, _>(bytes).ok()?;
    let mut page = chunk.page_decompressor(page, count).ok()?;
    let mut batch = [N::default(); BATCH];
    let mut left = count;
    while left > 0 {
        let read = page.read(&mut batch).ok()?.n_processed;
        if read == 0 {
            return None;
        }
        each(batch.get(..read.min(left))?);
        left -= read.min(left);
    }
    page.into_src().is_empty().then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_that_is_not_stored_is_the_one_that_is_written() {
        let mut header = Vec::new();
        FileCompressor::default().write_header(&mut header).unwrap();
        assert_eq!(header, VERSION, "a new format of pco needs an encoding of its own");
    }
}
