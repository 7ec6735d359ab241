//! Request bodies: read whole, but never more than their limit, and never more in all than the
//! server may hold at once.
//!
//! Nothing is allocated by what a header claims. A client that stalls is dropped.

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

use crate::error::ApiError;

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
}

/// A body that was read; dropping it gives its bytes back to the budget.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) bytes: Vec<u8>,
    budget: Arc<Budget>,
    held: usize,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Self {
        Self { held: AtomicUsize::new(0), limit }
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

impl Drop for Upload {
    fn drop(&mut self) {
        self.budget.held.fetch_sub(self.held, Ordering::Relaxed);
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
    if body.size_hint().lower() > limit.bytes as u64 {
        return Err(too_large(limit));
    }
    let mut upload = Upload { bytes: Vec::new(), budget: Arc::clone(budget), held: 0 };
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
