//! Bodies that count what goes through them.
//!
//! A response body holds the guard of its request: the request is over with the last frame, with an
//! error, or when the server drops the body because the client went away. What is counted are the
//! bytes that the server took, never what a header promised.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::guard::Guard;

/// A response body on its way out.
pub(super) struct Measured {
    inner: Body,
    /// Gone once the body is over.
    guard: Option<Guard>,
}

impl Measured {
    pub(super) fn new(inner: Body, guard: Guard) -> Self {
        Self { inner, guard: Some(guard) }
    }
}

impl HttpBody for Measured {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let Some(guard) = &mut this.guard else {
            return Pin::new(&mut this.inner).poll_frame(context);
        };
        let inner = &mut this.inner;
        let polled =
            guard.enter(|| catch_unwind(AssertUnwindSafe(|| Pin::new(inner).poll_frame(context))));
        let frame = match polled {
            Ok(polled) => ready!(polled),
            Err(panic) => {
                // The head is sent, so the only honest answer left is to break the connection.
                let message = guard.panicked(panic);
                this.inner = Body::empty();
                Some(Err(axum::Error::new(message)))
            }
        };
        match &frame {
            Some(Ok(frame)) => {
                guard.sent(frame.data_ref().map_or(0, Bytes::len));
                // The server may not ask again after the last frame.
                if this.inner.is_end_stream() {
                    guard.complete();
                    this.guard = None;
                }
            }
            Some(Err(error)) => {
                guard.body_failed(error);
                this.guard = None;
            }
            None => {
                guard.complete();
                this.guard = None;
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// A request body on its way in.
pub(super) struct Counting {
    pub(super) inner: Body,
    pub(super) bytes: Arc<AtomicU64>,
}

impl HttpBody for Counting {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(context));
        if let Some(Ok(frame)) = &frame {
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
