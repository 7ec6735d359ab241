//! Decompressing request bodies, never beyond a limit: the bytes of a bomb are never made.

use std::io::Read;

use flate2::read::{DeflateDecoder, MultiGzDecoder};
use lz4_flex::frame::FrameDecoder;
use masthead_model::ErrorClass;

use crate::error::ApiError;

/// A body of zstd may look back 8 MiB, which is what a sender over HTTP may ask of its reader
/// (RFC 9659); so much is allocated as soon as it asks.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// Unpacks gzip up to a limit.
pub(crate) fn unzip(bytes: &[u8], limit: usize) -> Result<Vec<u8>, ApiError> {
    // The text for a body that is no gzip at all is Go's.
    if !bytes.starts_with(&[0x1f, 0x8b]) && !bytes.is_empty() {
        return Err(ApiError::bad("gzip: invalid header"));
    }
    capped("gzip", MultiGzDecoder::new(bytes), limit)
}

/// Unpacks raw deflate up to a limit.
pub(crate) fn inflate(bytes: &[u8], limit: usize) -> Result<Vec<u8>, ApiError> {
    capped("flate", DeflateDecoder::new(bytes), limit)
}

/// Unpacks zstd up to a limit.
pub(crate) fn unzstd(bytes: &[u8], limit: usize) -> Result<Vec<u8>, ApiError> {
    let bad = |error| ApiError::bad(format!("zstd: {error}"));
    let mut decoder = zstd::Decoder::with_buffer(bytes).map_err(bad)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(bad)?;
    capped("zstd", decoder, limit)
}

/// Unpacks a frame of lz4 up to a limit; its blocks have 8 MiB at most.
pub(crate) fn unlz4(bytes: &[u8], limit: usize) -> Result<Vec<u8>, ApiError> {
    // The decoder takes the end of the bytes for the end of the frame, which has a mark of its own,
    // and then a checksum if the flags say so.
    const HAS_CHECKSUM: u8 = 1 << 2;
    let has_checksum = bytes.get(4).is_some_and(|flags| flags & HAS_CHECKSUM != 0);
    let end = bytes.len().saturating_sub(if has_checksum { 4 } else { 0 });
    if !bytes.get(..end).unwrap_or_default().ends_with(&[0; 4]) {
        return Err(ApiError::bad("lz4: the frame is cut off"));
    }
    capped("lz4", FrameDecoder::new(bytes), limit)
}

fn capped(what: &str, from: impl Read, limit: usize) -> Result<Vec<u8>, ApiError> {
    let mut out = Vec::new();
    from.take(limit.saturating_add(1) as u64)
        .read_to_end(&mut out)
        .map_err(|error| ApiError::bad(format!("{what}: {error}")))?;
    if out.len() > limit {
        let message = format!(
            "the request body decompresses to more than {limit} bytes (see --web.max-decompressed-size)"
        );
        return Err(ApiError::new(ErrorClass::TooLarge, message));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{
        Compression,
        write::{DeflateEncoder, GzEncoder},
    };

    use super::*;

    #[test]
    fn bodies_are_unpacked_up_to_the_limit() {
        type Unpack = fn(&[u8], usize) -> Result<Vec<u8>, ApiError>;
        let f = |packed: Vec<u8>, unpack: Unpack| {
            assert_eq!(unpack(&packed, 100_000).expect("fits").len(), 100_000);
            let bomb = unpack(&packed, 99_999).expect_err("too large");
            assert_eq!(bomb.class, ErrorClass::TooLarge);
            assert!(bomb.message.contains("--web.max-decompressed-size"));
            for cut in 0..packed.len() {
                let cut = unpack(packed.get(..cut).expect("inside"), 100_000).map(|out| out.len());
                assert!(cut.is_err() || cut == Ok(0), "{cut:?}");
            }
        };
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&vec![b'x'; 100_000]).expect("to memory");
        f(encoder.finish().expect("to memory"), unzip);
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&vec![b'x'; 100_000]).expect("to memory");
        f(encoder.finish().expect("to memory"), inflate);
        f(zstd::encode_all(&*vec![b'x'; 100_000], 3).expect("to memory"), unzstd);
        let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
        encoder.write_all(&vec![b'x'; 100_000]).expect("to memory");
        f(encoder.finish().expect("to memory"), unlz4);
        let info = lz4_flex::frame::FrameInfo::new().content_checksum(true);
        let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
        encoder.write_all(&vec![b'x'; 100_000]).expect("to memory");
        f(encoder.finish().expect("to memory"), unlz4);
        for unpack in [unzstd as Unpack, unlz4, inflate] {
            assert_eq!(unpack(b"{}", 9).expect_err("not packed").class, ErrorClass::BadInput);
        }
        // Content that fits is not enough: this one asks for 16 MiB to look back.
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("in memory");
        encoder.window_log(24).expect("allowed");
        encoder.write_all(&vec![b'x'; 100_000]).expect("to memory");
        let wide = unzstd(&encoder.finish().expect("to memory"), 100_000).expect_err("too wide");
        assert!(wide.message.starts_with("zstd: "), "{}", wide.message);
        let error = unzip(b"{}", 9).expect_err("no gzip");
        assert_eq!(error.message, "gzip: invalid header");
    }
}
