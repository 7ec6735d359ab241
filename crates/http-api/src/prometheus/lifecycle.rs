//! `/-/ready`, `/-/healthy`, `/-/reload`, `/-/quit`: what supervisors call.

use std::sync::Arc;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use masthead_ports::{Readiness, ReloadError};

use super::Shared;
use crate::error::plain;

/// Not a header of any standard; upstream tells a stopping server by it.
const STOPPING: &str = "x-prometheus-stopping";

/// `/-/ready`
pub(super) async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    let not = |stopping: &'static str| {
        let text = "Service Unavailable";
        (StatusCode::SERVICE_UNAVAILABLE, [(STOPPING, stopping)], text).into_response()
    };
    match shared.parts.server.readiness() {
        Readiness::Ready => plain(StatusCode::OK, "Masthead is Ready."),
        Readiness::Degraded(reasons) => {
            plain(StatusCode::OK, format!("Masthead is Ready.\n{}", reasons.join("\n")))
        }
        Readiness::Starting => not("false"),
        Readiness::Stopping => not("true"),
    }
}

/// `/-/healthy`
pub(super) async fn healthy() -> Response {
    plain(StatusCode::OK, "Masthead is Healthy.")
}

/// `POST /-/reload`
pub(super) async fn reload(State(shared): State<Arc<Shared>>) -> Response {
    // Reading files blocks.
    let done = tokio::task::spawn_blocking(move || shared.parts.server.reload()).await;
    match done {
        Ok(Ok(())) => StatusCode::OK.into_response(),
        Ok(Err(error @ ReloadError::Disabled)) => {
            (StatusCode::FORBIDDEN, error.to_string()).into_response()
        }
        Ok(Err(error @ ReloadError::Failed(_))) => {
            plain(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
        }
        Err(error) => {
            tracing::error!(%error, "Reloading failed.");
            plain(StatusCode::INTERNAL_SERVER_ERROR, "reloading failed; see the server's log")
        }
    }
}

/// `POST /-/quit`
pub(super) async fn quit(State(shared): State<Arc<Shared>>) -> Response {
    match shared.parts.server.quit() {
        Ok(()) => (StatusCode::OK, "Requesting termination... Goodbye!").into_response(),
        Err(error) => (StatusCode::FORBIDDEN, error.to_string()).into_response(),
    }
}

/// `GET /-/reload` and `/-/quit`
pub(super) async fn wrong_method() -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, "Only POST or PUT requests allowed").into_response()
}
