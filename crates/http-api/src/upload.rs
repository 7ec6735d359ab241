//! Request bodies: read whole, but never more than their limit, and never more in all than the
//! server may hold at once.
//!
//! Nothing is allocated by what a header claims. A client that stalls is dropped. The memory of large
//! bodies, and of what they are unpacked into, is used again ([`Budget::buffers`]).

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::body::Body;
use http_body::Body as _;
use masthead_model::ErrorClass;
use masthead_sysio::Buffers;
use masthead_wire::{
    Error as WireError, Limits as WireLimits,
    remote_write::{decompress, decompressed_len},
};

use crate::error::ApiError;

/// Bytes of buffers that are kept for the next large bodies: enough for two senders.
const SPARE_BYTES_MAX: usize = 8 << 20;
/// A body from this size on is read into memory of one before.
const LARGE: usize = 256 << 10;

/// The limit for one body and the flag that moves it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    pub(crate) bytes: usize,
    pub(crate) flag: &'static str,
}

/// Bytes of bodies that may be held at once, by all requests together.
#[derive(Debug)]
pub(crate) struct Budget {
    held: AtomicUsize,
    limit: usize,
    buffers: Arc<Buffers>,
}

/// A body that was read; dropping it gives its bytes back to the budget, and its memory to the next.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) bytes: Vec<u8>,
    budget: Arc<Budget>,
    held: usize,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Self {
        let buffers = Arc::new(Buffers::new(SPARE_BYTES_MAX));
        Self { held: AtomicUsize::new(0), limit, buffers }
    }

    /// Buffers for bodies and for what they are unpacked into.
    pub(crate) fn buffers(&self) -> &Arc<Buffers> {
        &self.buffers
    }

    /// Bytes held now.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: usize) -> Result<(), ApiError> {
        let before = self.held.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) <= self.limit {
            return Ok(());
        }
        self.held.fetch_sub(bytes, Ordering::Relaxed);
        let message = format!(
            "request bodies of {} bytes are held already, which is the limit (see --web.max-inflight-bytes)",
            self.limit
        );
        Err(ApiError::new(ErrorClass::Unavailable, message))
    }
}

impl Upload {
    /// Puts what a block of snappy holds in its place.
    ///
    /// # Errors
    /// As [`decompress`]; the bytes are worth nothing then.
    pub(crate) fn unsnap(&mut self, limits: &WireLimits) -> Result<(), WireError> {
        let buffers = &self.budget.buffers;
        let mut plain = buffers.take(decompressed_len(&self.bytes, limits)?);
        let done = decompress(&self.bytes, limits, &mut plain);
        buffers.give(std::mem::replace(&mut self.bytes, plain));
        done
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.budget.held.fetch_sub(self.held, Ordering::Relaxed);
        self.budget.buffers.give(std::mem::take(&mut self.bytes));
    }
}

/// Reads a whole body. The client may take `stall` for each piece of it.
pub(crate) async fn read(
    mut body: Body,
    limit: Limit,
    budget: &Arc<Budget>,
    stall: Duration,
) -> Result<Upload, ApiError> {
    // A length that is told and too large is refused before a byte is read.
    let told = body.size_hint().lower();
    if told > limit.bytes as u64 {
        return Err(too_large(limit));
    }
    let large = usize::try_from(told).ok().filter(|bytes| *bytes >= LARGE);
    let bytes = large.and_then(|bytes| budget.buffers.take_spare(bytes)).unwrap_or_default();
    let mut upload = Upload { bytes, budget: Arc::clone(budget), held: 0 };
    loop {
        let frame = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context));
        let frame = match tokio::time::timeout(stall, frame).await {
            Ok(None) => return Ok(upload),
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(error))) => {
                return Err(ApiError::bad(format!("cannot read the request body: {error}")));
            }
            Err(_) => {
                let message =
                    format!("the request body stalled for {stall:?} (see --web.stall-timeout)");
                return Err(ApiError::bad(message));
            }
        };
        let Ok(data) = frame.into_data() else { continue };
        if upload.bytes.len().saturating_add(data.len()) > limit.bytes {
            return Err(too_large(limit));
        }
        budget.take(data.len())?;
        upload.held += data.len();
        upload.bytes.extend_from_slice(&data);
    }
}

fn too_large(limit: Limit) -> ApiError {
    let Limit { bytes, flag } = limit;
    let message = format!("the request body is larger than {bytes} bytes (see {flag})");
    ApiError::new(ErrorClass::TooLarge, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(size: usize, limit: usize, budget: &Arc<Budget>) -> Result<Upload, ApiError> {
        let limit = Limit { bytes: limit, flag: "--flag" };
        read(Body::from(vec![7; size]), limit, budget, Duration::from_secs(1)).await
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit_and_the_limit_of_all() {
        let budget = Arc::new(Budget::new(10));
        let first = get(6, 6, &budget).await.expect("fits");
        assert_eq!((first.bytes.len(), budget.held()), (6, 6));
        let error = get(5, 6, &budget).await.expect_err("the budget");
        assert_eq!(error.class, ErrorClass::Unavailable);
        assert!(error.message.contains("--web.max-inflight-bytes"), "{}", error.message);
        assert_eq!(budget.held(), 6);
        drop(first);
        assert_eq!(budget.held(), 0);
        let error = get(7, 6, &budget).await.expect_err("too large");
        assert_eq!(error.class, ErrorClass::TooLarge);
        assert!(error.message.contains("6 bytes (see --flag)"), "{}", error.message);
    }

    #[tokio::test]
    async fn memory_of_a_body_before_shows_nothing_of_it() {
        let budget = Arc::new(Budget::new(64 << 20));
        let limit = Limit { bytes: 16 << 20, flag: "--flag" };
        for (byte, size) in [(b'a', 3 << 20), (b'b', 300 << 10), (b'c', 2 << 20), (b'd', 9)] {
            let plain = vec![byte; size];
            let packed = masthead_wire::remote_write::compress(&plain).expect("small");
            for (sent, snappy) in [(packed, true), (plain.clone(), false)] {
                let stall = Duration::from_secs(1);
                let mut upload = read(sent.into(), limit, &budget, stall).await.expect("fits");
                if snappy {
                    upload.unsnap(&WireLimits::default()).expect("snappy");
                }
                assert!(upload.bytes == plain, "{} of {size}", upload.bytes.len());
            }
            assert!(budget.buffers().bytes() >= 3 << 20, "the first one's is kept");
        }
        let mut upload = get(300 << 10, 1 << 20, &budget).await.expect("fits");
        assert!(upload.bytes.capacity() >= 2 << 20, "memory of one before");
        upload.unsnap(&WireLimits::default()).expect_err("no snappy");
    }

    #[tokio::test]
    async fn a_body_that_never_comes_is_given_up() {
        struct Never;
        impl http_body::Body for Never {
            type Data = bytes::Bytes;
            type Error = std::convert::Infallible;
            fn poll_frame(
                self: Pin<&mut Self>,
                _: &mut std::task::Context<'_>,
            ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, Self::Error>>>
            {
                std::task::Poll::Pending
            }
        }
        let limit = Limit { bytes: 9, flag: "--flag" };
        let budget = Arc::new(Budget::new(9));
        let body = Body::new(Never);
        let error = read(body, limit, &budget, Duration::from_millis(5)).await.expect_err("stall");
        assert!(error.message.contains("--web.stall-timeout"), "{}", error.message);
    }
}
