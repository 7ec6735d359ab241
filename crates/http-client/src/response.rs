//! An answer, and its body within a limit.

use std::io::Read as _;

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use http::{HeaderMap, StatusCode, header};

use crate::Error;

/// What a server answered.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: StatusCode,
    /// All headers.
    pub headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Response {
    /// `404 Not Found`, as upstream prints it in errors.
    pub fn status_line(&self) -> String {
        self.status.to_string()
    }

    /// The value of `Content-Type`, empty where there is none.
    pub fn content_type(&self) -> &str {
        self.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("")
    }

    /// Bytes that came over the wire.
    pub fn compressed_len(&self) -> usize {
        self.body.len()
    }

    /// The body, decompressed into `into`, which is emptied first. Takes processor time: call it
    /// where that is allowed.
    ///
    /// # Errors
    /// [`Error::BodyTooLarge`] from `limit` bytes on, as upstream counts; [`Error::Gzip`].
    pub fn read_body(&self, limit: u64, into: &mut Vec<u8>) -> Result<(), Error> {
        into.clear();
        let gzip = self.headers.get(header::CONTENT_ENCODING).is_some_and(|v| v == "gzip");
        if gzip {
            MultiGzDecoder::new(self.body.as_ref())
                .take(limit)
                .read_to_end(into)
                .map_err(|error| Error::Gzip(error.to_string()))?;
        } else {
            into.extend_from_slice(&self.body);
        }
        if into.len() as u64 >= limit {
            into.clear();
            return Err(Error::BodyTooLarge { limit });
        }
        Ok(())
    }
}
