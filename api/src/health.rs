//! The probes. `/healthz`: the process answers. `/readyz`: it should be sent requests.
//!
//! Liveness never asks the database: restarting this process would not bring that back.

use crate::{
    app::App,
    problem::{self, Rejection},
};
use axum::{Json, Router, extract::State, routing};
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;

pub(crate) fn router() -> Router<App> {
    Router::new().route("/healthz", routing::get(healthz)).route("/readyz", routing::get(readyz))
}

/// The answer of a probe that went well.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    #[schema(example = "ok")]
    status: &'static str,
}

/// Liveness: the process answers
#[utoipa::path(
    get, path = "/healthz", tag = "probes",
    responses((status = 200, description = "Alive", body = Health)),
)]
pub(crate) async fn healthz() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Readiness: the database answers and the service is not shutting down
#[utoipa::path(
    get, path = "/readyz", tag = "probes",
    responses(
        (status = 200, description = "Ready", body = Health),
        (status = 503, response = crate::openapi::Unavailable),
    ),
)]
pub(crate) async fn readyz(State(app): State<App>) -> Result<Json<Health>, Rejection> {
    if app.is_draining() {
        return Err(problem::unavailable("shutting down").into());
    }
    match timeout(app.probe_timeout, app.store.database().ping()).await {
        Ok(Ok(())) => Ok(Json(Health { status: "ready" })),
        Ok(Err(error)) => {
            Err(problem::unavailable("the database does not answer").cause(error).into())
        }
        Err(_) => Err(problem::unavailable("the database does not answer in time").into()),
    }
}
