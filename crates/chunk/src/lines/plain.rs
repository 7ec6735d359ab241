//! Lines as they are: a column of lengths, then all text as one stream.

use super::TEXT_BYTES_MAX;
use super::zstd_stream::{Compressor, Decompressor};
use crate::cursor::Cursor;
use crate::frame::Encoding;
use crate::{Error, ints};

pub(super) fn write(compressor: &mut Compressor, text: &[u8], ends: &[usize], out: &mut Vec<u8>) {
    let mut start = 0;
    let lengths: Vec<i64> = ends
        .iter()
        .map(|end| {
            let length = end.saturating_sub(start);
            start = *end;
            i64::try_from(length).unwrap_or(i64::MAX)
        })
        .collect();
    let tag_at = out.len();
    out.push(0);
    let mut column = Vec::new();
    let inner = ints::write(&lengths, &mut column);
    if let Some(tag) = out.get_mut(tag_at) {
        *tag = inner.tag();
    }
    crate::cursor::put_unsigned(out, column.len() as u64);
    out.extend_from_slice(&column);
    compressor.write(text.get(..start).unwrap_or_default(), out);
}

pub(super) fn read(
    decompressor: &mut Decompressor,
    count: usize,
    payload: &mut Cursor<'_>,
    ends: &mut Vec<usize>,
    text: &mut Vec<u8>,
) -> Result<(), Error> {
    let bytes = read_ends(count, payload, text.len(), ends)?;
    let bad = payload.corrupt("length of a line");
    let mut buffer = Vec::new();
    decompressor.read(payload, TEXT_BYTES_MAX, &mut buffer)?;
    if bytes != buffer.len() {
        return Err(bad);
    }
    text.extend_from_slice(&buffer);
    payload.finish("end of lines")
}

/// Appends where lines end in a text that is stepped over.
pub(super) fn read_lengths(
    count: usize,
    payload: &mut Cursor<'_>,
    ends: &mut Vec<usize>,
) -> Result<(), Error> {
    let bytes = read_ends(count, payload, 0, ends)?;
    let bad = payload.corrupt("length of a line");
    if bytes != Decompressor::skip(payload, TEXT_BYTES_MAX)? {
        return Err(bad);
    }
    payload.finish("end of lines")
}

/// Appends where lines end in a text that starts at `base`; returns the bytes of all.
fn read_ends(
    count: usize,
    payload: &mut Cursor<'_>,
    base: usize,
    ends: &mut Vec<usize>,
) -> Result<usize, Error> {
    let inner = Encoding::of(payload.byte("tag of the lengths")?, super::KIND)?;
    let bytes = payload.count(payload.remaining(), "bytes of the lengths")?;
    let mut column = payload.part(bytes, "lengths")?;
    let mut lengths: Vec<i64> = Vec::new();
    ints::read(inner, count, &mut column, &mut lengths, |length| length)?;
    let bad = payload.corrupt("length of a line");
    let mut end = 0_usize;
    ends.reserve(count);
    for length in lengths {
        let length = usize::try_from(length).map_err(|_| bad.clone())?;
        end = end.checked_add(length).filter(|end| *end <= TEXT_BYTES_MAX).ok_or(bad.clone())?;
        ends.push(base + end);
    }
    Ok(end)
}
