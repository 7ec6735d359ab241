//! An answer whose body is read while it comes, such as a watch that goes on for minutes.

use bytes::Bytes;
use http::{HeaderMap, StatusCode, response::Parts};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, client::conn::http1::SendRequest};
use url::Url;

use crate::{
    Error,
    connection::{Connection, Half},
    shown,
};

/// The beginning of an answer, and the connection on which the rest comes. Dropping it hangs up.
#[derive(Debug)]
pub struct Streaming {
    /// The status code.
    pub status: StatusCode,
    /// All headers.
    pub headers: HeaderMap,
    url: String,
    body: Incoming,
    half: Half,
    /// The connection ends when its last sender is gone.
    _sender: SendRequest<Full<Bytes>>,
}

impl Streaming {
    pub(crate) fn new(
        url: &Url,
        parts: Parts,
        body: Incoming,
        sender: SendRequest<Full<Bytes>>,
        half: Half,
    ) -> Self {
        let (status, headers) = (parts.status, parts.headers);
        Self { status, headers, url: shown(url), body, half, _sender: sender }
    }

    /// The next bytes as they come, nothing after the last. Bytes are as the server sent them,
    /// not decompressed. Safe to drop half way.
    ///
    /// # Errors
    /// [`Error::Exchange`] when the connection breaks.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        while let Some(frame) = Connection::drive(&mut self.half, self.body.frame()).await {
            let frame = frame.map_err(|error| Error::Exchange {
                url: self.url.clone(),
                what: format!("the body broke off: {error}"),
            })?;
            if let Ok(data) = frame.into_data() {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }
}
