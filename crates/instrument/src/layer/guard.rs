//! The guard of one request: begins its span and its gauge, and ends everything when it is dropped.
//!
//! It is dropped exactly once on every way a request can end, so `http_requests_in_progress` can't
//! leak, and each request has one log line and one observation in each metric.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::body::{Body, HttpBody};
use axum::response::Response;
use http::{Request, StatusCode};
use tracing::Span;

use super::body::{Counting, Measured};
use crate::client_ip::client_ip;
use crate::clock;
use crate::logs::{Chain, SPAN_TARGET};
use crate::metrics::{Method, Observation, Route, STATUS_ABORTED, Series, is_server_error};
use crate::problem::Cause;
use crate::request_id::{HEADER, RequestId};
use crate::telemetry::Shared;

pub(super) struct Guard {
    shared: Arc<Shared>,
    route: Arc<Route>,
    series: Arc<Series>,
    id: RequestId,
    span: Span,
    start: Instant,
    is_head: bool,
    status: u16,
    aborted: bool,
    cause: Option<Cause>,
    response_bytes: u64,
    /// Counts the body that the handler reads; absent for a request without one.
    request_bytes: Option<Arc<AtomicU64>>,
}

impl Guard {
    /// Begins the request; gives it back with its id among its extensions and its body counted.
    pub(super) fn begin(
        shared: &Arc<Shared>,
        route: Arc<Route>,
        mut request: Request<Body>,
    ) -> (Self, Request<Body>) {
        let series = shared.metrics.series(&route, Method::of(request.method()));
        series.start();
        let id = RequestId::from_headers(request.headers());
        let client = client_ip(request.extensions(), request.headers(), &shared.trusted_proxies);
        // ERROR, so that no level but `off` takes the request's fields away from its lines.
        // The query stays out: it is where secrets are.
        let span = tracing::error_span!(
            target: SPAN_TARGET,
            "request",
            request_id = id.as_str(),
            method = request.method().as_str(),
            path = request.uri().path(),
            client_ip = client.map(tracing::field::display),
        );
        request.extensions_mut().insert(id.clone());
        let mut guard = Self {
            shared: Arc::clone(shared),
            route,
            series,
            id,
            span,
            start: clock::monotonic(),
            is_head: request.method() == http::Method::HEAD,
            status: STATUS_ABORTED,
            aborted: true,
            cause: None,
            response_bytes: 0,
            request_bytes: None,
        };
        if !request.body().is_end_stream() {
            let bytes = Arc::new(AtomicU64::new(0));
            guard.request_bytes = Some(Arc::clone(&bytes));
            request = request.map(|body| Body::new(Counting { inner: body, bytes }));
        }
        (guard, request)
    }

    /// Runs `f` as part of the request: its log lines and its outgoing requests carry the id.
    pub(super) fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
        self.span.in_scope(|| self.id.enter(f))
    }

    /// The head of the response is known. Its body takes the guard along, if it has one to send.
    pub(super) fn respond(mut self, mut response: Response) -> Response {
        response.headers_mut().insert(HEADER, self.id.header_value());
        self.cause = response.extensions_mut().remove::<Cause>();
        self.status = response.status().as_u16();
        // RFC 9110, sections 9.3.2, 15.2, 15.3.5 and 15.4.5: these have no body on the wire, and
        // the server drops it unread. That is no abort.
        let bodiless = self.is_head
            || response.status().is_informational()
            || matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        if bodiless || response.body().is_end_stream() {
            self.complete();
            return response;
        }
        response.map(|body| Body::new(Measured::new(body, self)))
    }

    /// The service below gave an error instead of a response.
    pub(super) fn fail(&mut self) {
        self.status = StatusCode::INTERNAL_SERVER_ERROR.as_u16();
        self.aborted = false;
    }

    pub(super) fn sent(&mut self, bytes: usize) {
        self.response_bytes += bytes as u64;
    }

    /// The body is over as it should be.
    pub(super) fn complete(&mut self) {
        self.aborted = false;
    }

    /// The body ended with an error: the client got less than it was promised.
    pub(super) fn body_failed(&mut self, error: &(dyn Error + 'static)) {
        self.cause =
            Some(Cause(Arc::from(Box::<dyn Error + Send + Sync>::from(Chain(error).to_string()))));
    }

    /// Counts a panic, logs it, and returns what it said.
    pub(super) fn panicked(&mut self, panic: Box<dyn Any + Send>) -> String {
        self.shared.metrics.panics.fetch_add(1, Ordering::Relaxed);
        let message = match panic.downcast::<String>() {
            Ok(text) => *text,
            Err(panic) => panic
                .downcast::<&'static str>()
                .map_or_else(|_| "a panic without a text".to_owned(), |text| (*text).to_owned()),
        };
        tracing::error!(target: "http", parent: &self.span, error = message, "Handler panicked.");
        message
    }

    fn log(&self, seconds: f64) {
        let aborted = self.aborted.then_some(true);
        let status = self.status;
        // Whole microseconds: what is below is noise.
        let duration_ms = (seconds * 1e6).round() / 1e3;
        let handler = &*self.route.handler;
        let error = self.cause.as_ref().map(|cause| -> &(dyn Error + 'static) { &*cause.0 });
        if is_server_error(status) || error.is_some() && self.aborted {
            tracing::error!(
                target: "http", parent: &self.span, status, duration_ms, handler,
                response_bytes = self.response_bytes, aborted, error, "Request failed."
            );
        } else {
            tracing::info!(
                target: "http", parent: &self.span, status, duration_ms, handler,
                response_bytes = self.response_bytes, aborted, error, "Request finished."
            );
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let seconds = clock::monotonic().duration_since(self.start).as_secs_f64();
        self.series.finish(&Observation {
            status: self.status,
            seconds,
            request_bytes: self.request_bytes.as_ref().map_or(0, |b| b.load(Ordering::Relaxed)),
            response_bytes: self.response_bytes,
            request_id: self.id.as_str(),
        });
        self.log(seconds);
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("id", &self.id).finish_non_exhaustive()
    }
}
