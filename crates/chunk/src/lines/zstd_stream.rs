//! Bytes through zstd, capped on the way out, stored as they are where that is smaller.
//!
//! ```text
//! +-------------------+---------------------------+----------
//! | raw bytes, LEB128 | stored bytes, LEB128      | bytes
//! +-------------------+---------------------------+----------
//!                       equal to raw: not compressed
//! ```

use std::fmt;

use crate::Error;
use crate::cursor::{Cursor, put_unsigned};

/// Fewer bytes are not tried: the frame alone takes about ten.
const COMPRESS_FROM: usize = 48;

/// Writes streams; keeps the state of zstd.
pub(crate) struct Compressor {
    level: i32,
    zstd: Option<zstd::bulk::Compressor<'static>>,
    buffer: Vec<u8>,
}

impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Compressor(level {})", self.level)
    }
}

impl Compressor {
    pub(crate) fn new(level: i32) -> Self {
        Self { level, zstd: None, buffer: Vec::new() }
    }

    /// Appends `bytes` as a stream.
    pub(crate) fn write(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        put_unsigned(out, bytes.len() as u64);
        match self.compressed(bytes) {
            Some(compressed) if compressed < bytes.len() => {
                put_unsigned(out, compressed as u64);
                out.extend_from_slice(self.buffer.get(..compressed).unwrap_or_default());
            }
            _ => {
                put_unsigned(out, bytes.len() as u64);
                out.extend_from_slice(bytes);
            }
        }
    }

    /// Compresses into the buffer; none where that failed or is not worth it: then the stream is
    /// stored, so that nothing is ever lost to a failing compressor.
    fn compressed(&mut self, bytes: &[u8]) -> Option<usize> {
        if bytes.len() < COMPRESS_FROM {
            return None;
        }
        if self.zstd.is_none() {
            let mut zstd = zstd::bulk::Compressor::new(self.level).ok()?;
            // Checksums are durable's, and the length stands before the stream.
            zstd.include_checksum(false).ok()?;
            zstd.include_contentsize(false).ok()?;
            self.zstd = Some(zstd);
        }
        self.buffer.clear();
        self.buffer.reserve(zstd::zstd_safe::compress_bound(bytes.len()));
        self.zstd.as_mut()?.compress_to_buffer(bytes, &mut self.buffer).ok()
    }
}

/// Reads streams; keeps the state of zstd.
#[derive(Default)]
pub(crate) struct Decompressor {
    zstd: Option<zstd::bulk::Decompressor<'static>>,
}

impl fmt::Debug for Decompressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decompressor")
    }
}

impl Decompressor {
    /// Replaces `into` by the next stream, which may have `limit` bytes.
    pub(crate) fn read(
        &mut self,
        cursor: &mut Cursor<'_>,
        limit: usize,
        into: &mut Vec<u8>,
    ) -> Result<(), Error> {
        into.clear();
        let raw = cursor.count(limit, "length of a stream")?;
        let stored = cursor.count(raw, "stored length of a stream")?;
        let bad = cursor.corrupt("compressed stream");
        let bytes = cursor.take(stored, "stream")?;
        if stored == raw {
            into.extend_from_slice(bytes);
            return Ok(());
        }
        into.reserve(raw);
        let zstd = match &mut self.zstd {
            Some(zstd) => zstd,
            none => none.insert(zstd::bulk::Decompressor::new().map_err(|_| bad.clone())?),
        };
        match zstd.decompress_to_buffer(bytes, into) {
            Ok(length) if length == raw && into.len() == raw => Ok(()),
            _ => Err(bad),
        }
    }

    /// Steps over the next stream, which may have `limit` bytes; returns how many it has.
    pub(crate) fn skip(cursor: &mut Cursor<'_>, limit: usize) -> Result<usize, Error> {
        let raw = cursor.count(limit, "length of a stream")?;
        let stored = cursor.count(raw, "stored length of a stream")?;
        cursor.take(stored, "stream")?;
        Ok(raw)
    }
}
