//! Snappy's block format, in which remote write bodies come.

use crate::{Error, Limits};

/// A copy takes at least two bytes and yields at most 64, so a short body that claims a great
/// length is refused without allocating for the claim.
const GROWTH_MAX: usize = 64;

/// How many bytes `body` has decompressed, as it says itself.
///
/// # Errors
/// [`Error::Limit`] if they are more than `limits.body_bytes`; [`Error::Snappy`] if it says nothing,
/// or what cannot be true.
pub fn decompressed_len(body: &[u8], limits: &Limits) -> Result<usize, Error> {
    let len = snap::raw::decompress_len(body).map_err(refuse)?;
    limits.check_body(len)?;
    if len > body.len().saturating_mul(GROWTH_MAX) {
        return Err(Error::Snappy(format!(
            "{} bytes cannot decompress to the {len} bytes that the header names",
            body.len()
        )));
    }
    Ok(len)
}

/// Decompresses `body` into `out`, which is emptied first and keeps its memory between calls.
///
/// # Errors
/// Those of [`decompressed_len`], before anything is allocated; [`Error::Snappy`] if it is not snappy.
pub fn decompress(body: &[u8], limits: &Limits, out: &mut Vec<u8>) -> Result<(), Error> {
    let len = decompressed_len(body, limits)?;
    out.clear();
    out.resize(len, 0);
    let written = snap::raw::Decoder::new().decompress(body, out).map_err(refuse)?;
    out.truncate(written);
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn refuse(error: snap::Error) -> Error {
    Error::Snappy(error.to_string())
}

/// Compresses a request body.
///
/// # Errors
/// [`Error::Snappy`] for bodies beyond 4 GiB.
pub fn compress(body: &[u8]) -> Result<Vec<u8>, Error> {
    snap::raw::Encoder::new().compress_vec(body).map_err(refuse)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_claim_beyond_the_limit_is_refused_before_allocating() {
        let f = |body: &[u8], limit: usize, want: &str| {
            let limits = Limits { body_bytes: limit, ..Limits::default() };
            let mut out = Vec::new();
            let error = decompress(body, &limits, &mut out).expect_err(want);
            assert!(error.to_string().starts_with(want), "{error}");
            assert_eq!(out.capacity(), 0);
        };
        let compressed = compress(&[7; 1000]).expect("small");
        f(&compressed, 999, "the body has 1000 bytes, more than the limit of 999 (body_bytes)");
        // A header of 2 GiB with nothing behind it.
        let claim = b"\x80\x80\x80\x80\x08";
        f(claim, usize::MAX, "snappy: 5 bytes cannot decompress to the 2147483648 bytes");
        f(b"", 9, "snappy: ");
        f(b"\xff\xff\xff\xff\xff\xff", 9, "snappy: ");
    }

    proptest! {
        #[test]
        fn what_is_compressed_is_decompressed(body: Vec<u8>, soup: Vec<u8>) {
            let mut out = soup.clone();
            decompress(&compress(&body)?, &Limits::default(), &mut out)?;
            prop_assert_eq!(&out, &body);
            if decompress(&soup, &Limits::default(), &mut out).is_ok() {
                prop_assert!(out.len() <= soup.len() * 64);
            }
        }
    }
}
