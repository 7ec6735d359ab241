//! Decompressing request bodies, never beyond a limit: the bytes of a bomb are never made.

use std::io::Read;

use flate2::read::{DeflateDecoder, MultiGzDecoder};
use masthead_model::ErrorClass;

use crate::error::ApiError;

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
        let error = unzip(b"{}", 9).expect_err("no gzip");
        assert_eq!(error.message, "gzip: invalid header");
    }
}
