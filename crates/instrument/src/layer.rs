//! What happens to a request: it gets an id, a span, a place in the metrics, and one log line.
//!
//! A request is over when its response body is over, not when its head is. Whatever ends it (the
//! last byte, a client that went away, a panic) ends it in one place, the drop of its guard in
//! `guard.rs`; `body.rs` carries the guard through the body.
//!
//! The label `handler` is the route's template as axum matched it, never the path of the request.

mod body;
mod guard;

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::MatchedPath;
use axum::response::{IntoResponse, Response};
use http::{Request, StatusCode};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::metrics::{NO_HANDLER, Route};
use crate::problem::Problem;
use crate::telemetry::Shared;
use guard::Guard;

/// The layer made by [`Telemetry::layer`](crate::Telemetry::layer).
#[derive(Clone)]
pub struct TelemetryLayer {
    shared: Arc<Shared>,
}

impl TelemetryLayer {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

impl fmt::Debug for TelemetryLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelemetryLayer").finish_non_exhaustive()
    }
}

impl<S> Layer<S> for TelemetryLayer {
    type Service = TelemetryService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        TelemetryService { inner, shared: Arc::clone(&self.shared), route: Arc::default() }
    }
}

/// A service that is observed.
#[derive(Clone)]
pub struct TelemetryService<S> {
    inner: S,
    shared: Arc<Shared>,
    /// The route this service answered first. axum wraps each endpoint in a service of its own, so
    /// that nearly every request finds its row here without a lock.
    route: Arc<OnceLock<Arc<Route>>>,
}

impl<S: fmt::Debug> fmt::Debug for TelemetryService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelemetryService").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<S> TelemetryService<S> {
    fn route(&self, request: &Request<Body>) -> Arc<Route> {
        let matched = request.extensions().get::<MatchedPath>();
        let handler = matched.map_or(NO_HANDLER, MatchedPath::as_str);
        let cached = self.route.get_or_init(|| self.shared.metrics.route(handler));
        if *cached.handler == *handler {
            Arc::clone(cached)
        } else {
            self.shared.metrics.route(handler)
        }
    }
}

impl<S> Service<Request<Body>> for TelemetryService<S>
where
    S: Service<Request<Body>, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let route = self.route(&request);
        let (mut guard, request) = Guard::begin(&self.shared, route, request);
        let called = guard.enter(|| catch_unwind(AssertUnwindSafe(|| self.inner.call(request))));
        match called {
            Ok(future) => ResponseFuture { inner: Some(future), early: None, guard: Some(guard) },
            Err(panic) => {
                let early = Some(after_panic(&mut guard, panic));
                ResponseFuture { inner: None, early, guard: Some(guard) }
            }
        }
    }
}

pin_project! {
    /// The future of an observed request. Dropped early, it counts the request as aborted.
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: Option<F>,
        early: Option<Response>,
        guard: Option<Guard>,
    }

    impl<F> PinnedDrop for ResponseFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            // As in `poll`: the handler is torn down as part of its request.
            if let Some(guard) = this.guard {
                guard.enter(|| this.inner.set(None));
            }
        }
    }
}

impl<F, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response, E>>,
{
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(mut guard) = this.guard.take() else {
            unreachable!("BUG: polled after it was ready")
        };
        if let Some(response) = this.early.take() {
            return Poll::Ready(Ok(guard.respond(response)));
        }
        let polled = guard.enter(|| {
            let Some(inner) = this.inner.as_mut().as_pin_mut() else {
                unreachable!("BUG: neither a response nor a future")
            };
            let polled = catch_unwind(AssertUnwindSafe(|| inner.poll(context)));
            if !matches!(polled, Ok(Poll::Pending)) {
                // What the handler logs while it is torn down still belongs to its request.
                this.inner.set(None);
            }
            polled
        });
        let response = match polled {
            Ok(Poll::Pending) => {
                *this.guard = Some(guard);
                return Poll::Pending;
            }
            Ok(Poll::Ready(Ok(response))) => response,
            Ok(Poll::Ready(Err(error))) => {
                guard.fail();
                return Poll::Ready(Err(error));
            }
            Err(panic) => after_panic(&mut guard, panic),
        };
        Poll::Ready(Ok(guard.respond(response)))
    }
}

/// Counts and logs a panic, and says to the client what it may know.
fn after_panic(guard: &mut Guard, panic: Box<dyn Any + Send>) -> Response {
    let message = guard.panicked(panic);
    guard.enter(|| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR)
            .detail("The service failed to answer this request. Quote the request_id.")
            .cause(message)
            .into_response()
    })
}
