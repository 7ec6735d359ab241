//! The id of a request: kept from the caller when it is harmless, else made here.
//!
//! An id is copied into headers, log lines, error bodies and exemplars, so it never holds anything
//! but visible ASCII, 128 bytes at most. Who puts it where: `layer.rs`.

use std::convert::Infallible;
use std::fmt;

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;
use uuid::fmt::Hyphenated;

/// Longest id accepted from a caller, in bytes. A longer one is replaced by a new id.
pub(crate) const ID_BYTES_MAX: usize = 128;

pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

tokio::task_local! {
    static CURRENT: RequestId;
}

/// The id of one request, 1 to 128 visible ASCII characters.
///
/// As an axum extractor it is the id that the layer gave the request. Without the layer it is a new
/// id: telemetry that was forgotten never makes a request fail.
///
/// Cloning it costs a reference count.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// Makes a new id, a UUIDv7: ids made later sort later.
    pub fn generate() -> Self {
        let mut buffer = [0; Hyphenated::LENGTH];
        let text = Uuid::now_v7().hyphenated().encode_lower(&mut buffer);
        // Hexadecimal digits and hyphens are always a header value.
        Self(HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("-")))
    }

    /// The id in `X-Request-Id` when it is 1 to 128 visible ASCII characters, else a new one.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        match headers.get(&HEADER) {
            Some(value) if acceptable(value.as_bytes()) => Self(value.clone()),
            _ => Self::generate(),
        }
    }

    /// The id of the request that the running task works for.
    ///
    /// It is known in handlers, in the middleware below the layer and in response bodies. A spawned
    /// task has none, unless it runs inside [`RequestId::scope`].
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// Runs `future` with this id as the current one: for tasks spawned by a handler.
    pub async fn scope<F: Future>(self, future: F) -> F::Output {
        CURRENT.scope(self, future).await
    }

    /// Runs `f` with this id as the current one.
    pub(crate) fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
        CURRENT.sync_scope(self.clone(), f)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        // Never the empty string: only visible ASCII gets in.
        self.0.to_str().unwrap_or_default()
    }

    pub(crate) fn header_value(&self) -> HeaderValue {
        self.0.clone()
    }
}

/// Adds `X-Request-Id` with the current request's id, so that the next service logs the same id.
///
/// A value that is already there is replaced. Outside of a request nothing is changed.
pub fn propagate(headers: &mut HeaderMap) {
    if let Some(id) = RequestId::current() {
        headers.insert(HEADER, id.header_value());
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestId({})", self.as_str())
    }
}

impl<S: Sync> FromRequestParts<S> for RequestId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts
            .extensions
            .get::<Self>()
            .cloned()
            .or_else(Self::current)
            .unwrap_or_else(Self::generate))
    }
}

fn acceptable(id: &[u8]) -> bool {
    (1..=ID_BYTES_MAX).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_kept_only_when_it_is_short_visible_ascii() {
        let f = |value: &[u8], kept: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(HEADER, HeaderValue::from_bytes(value).unwrap());
            let id = RequestId::from_headers(&headers);
            assert_eq!(id.as_str().as_bytes() == value, kept, "{value:?}");
            assert!(kept || Uuid::parse_str(id.as_str()).unwrap().get_version_num() == 7);
        };
        f(b"a", true);
        f(b"~!req-1/2\"{}", true);
        f(&[b'x'; 128], true);
        f(&[b'x'; 129], false);
        f(b"", false);
        f(b"two words", false);
        f(b"tab\tbed", false);
        f("caf\u{e9}".as_bytes(), false);
        f(b"\xff", false);
    }

    #[test]
    fn a_missing_header_gives_a_new_id_each_time() {
        let headers = HeaderMap::new();
        assert_ne!(RequestId::from_headers(&headers), RequestId::from_headers(&headers));
    }

    #[test]
    fn propagate_writes_the_current_id_and_nothing_outside_of_a_request() {
        let mut headers = HeaderMap::new();
        propagate(&mut headers);
        assert!(headers.is_empty());
        let id = RequestId::generate();
        headers.insert(HEADER, HeaderValue::from_static("stale"));
        id.enter(|| propagate(&mut headers));
        assert_eq!(headers.get(&HEADER), Some(&id.header_value()));
        assert_eq!(headers.len(), 1);
    }
}
