//! What the server says of itself: `/ready`, `/config`, `/services`, `/status/buildinfo` and their
//! like.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use masthead_ports::Readiness;
use serde::Serialize;
use serde_json::json;

use super::{COMPATIBLE_LOKI_VERSION, Refusal, Shared, small};
use crate::{
    error::{ApiError, plain},
    limits::LogLimits,
};

/// `/ready`
pub(super) async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    match shared.parts.server.readiness() {
        Readiness::Ready => plain(StatusCode::OK, "ready"),
        Readiness::Degraded(reasons) => {
            plain(StatusCode::OK, format!("ready\n{}", reasons.join("\n")))
        }
        Readiness::Starting => plain(StatusCode::SERVICE_UNAVAILABLE, "Starting"),
        Readiness::Stopping => plain(StatusCode::SERVICE_UNAVAILABLE, "Stopping"),
    }
}

/// `/loki/api/v1/status/buildinfo`, which has no envelope.
pub(super) async fn build(State(shared): State<Arc<Shared>>) -> Response {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Versions<'a> {
        version: &'a str,
        revision: &'a str,
        branch: &'a str,
        build_user: &'a str,
        build_date: &'a str,
        go_version: &'a str,
    }
    let build = &shared.parts.build;
    small(&Versions {
        version: COMPATIBLE_LOKI_VERSION,
        revision: &build.revision,
        branch: &build.branch,
        build_user: &format!("masthead {}", build.version),
        build_date: &build.date,
        go_version: &build.compiler,
    })
}

/// `/loki/api/v1/drilldown-limits`, by which Grafana's page for logs chooses what it asks.
pub(super) async fn drilldown_limits(State(shared): State<Arc<Shared>>) -> Response {
    let limits = &shared.parts.limits;
    small(&json!({
        "limits": {
            "discover_log_levels": limits.discover_levels,
            "discover_service_name": limits.discover_service_name,
            "max_entries_limit_per_query": limits.entries,
            "max_line_size": limits.line_bytes,
            "max_query_length": seconds(limits.query_ns),
            "max_query_series": shared.parts.engine.options().series_max,
            "volume_enabled": true,
            "volume_max_series": 1000,
        },
        "pattern_ingester_enabled": true,
        "version": COMPATIBLE_LOKI_VERSION,
    }))
}

/// `/config`: the limits in force in the words of Loki's configuration.
pub(super) async fn config(State(shared): State<Arc<Shared>>) -> Response {
    let LogLimits {
        age_ns,
        ahead_ns,
        line_bytes,
        label_names,
        label_name_bytes,
        label_value_bytes,
        metadata_bytes,
        metadata_pairs,
        discover_service_name,
        discover_levels,
        entries,
        query_ns,
        tails,
        pattern_lines: _,
    } = &shared.parts.limits;
    let (age, ahead, query) = (seconds(*age_ns), seconds(*ahead_ns), seconds(*query_ns));
    let rejects = *age_ns > 0;
    let text = format!(
        "auth_enabled: false\nlimits_config:\n  reject_old_samples: {rejects}\n  reject_old_samples_max_age: {age}\n  creation_grace_period: {ahead}\n  max_line_size: {line_bytes}\n  max_label_names_per_series: {label_names}\n  max_label_name_length: {label_name_bytes}\n  max_label_value_length: {label_value_bytes}\n  max_structured_metadata_size: {metadata_bytes}\n  max_structured_metadata_entries_count: {metadata_pairs}\n  discover_service_name: [{}]\n  discover_log_levels: {discover_levels}\n  max_entries_limit_per_query: {entries}\n  max_query_length: {query}\n  max_concurrent_tail_requests: {tails}\n  allow_structured_metadata: true\n  volume_enabled: true\n",
        discover_service_name.join(", ")
    );
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    (StatusCode::OK, [(header::CONTENT_TYPE, kind)], text).into_response()
}

/// `/services`
pub(super) async fn services(State(shared): State<Arc<Shared>>) -> Response {
    let state = match shared.parts.server.readiness() {
        Readiness::Ready | Readiness::Degraded(_) => "Running",
        Readiness::Starting => "Starting",
        Readiness::Stopping => "Stopping",
    };
    let services = ["server", "store", "querier", "distributor"];
    let text: Vec<String> = services.iter().map(|name| format!("{name} => {state}")).collect();
    plain(StatusCode::OK, text.join("\n"))
}

/// `GET /log_level`, in the words of Loki's `dskit/log`.
pub(super) async fn log_level(State(shared): State<Arc<Shared>>) -> Response {
    small(&json!({ "message": format!("Current log level is {}", shared.parts.log_level) }))
}

/// `POST /log_level`, which Loki has and which changes nothing here.
pub(super) async fn set_log_level() -> Response {
    let why = "the level is set when the server starts; see --log.level";
    let answer = small(&json!({ "message": why, "status": "failed" }));
    (StatusCode::BAD_REQUEST, answer).into_response()
}

/// `/flush`: what is in memory becomes a block.
pub(super) async fn flush(State(shared): State<Arc<Shared>>) -> Result<Response, Refusal> {
    let ctx = shared.desk.ctx(None);
    let patience = shared.desk.limits.query.timeout;
    let _place = shared.desk.place(crate::desk::Work::Lookup, &ctx, patience).await?;
    let admin = Arc::clone(&shared.parts.admin);
    match tokio::task::spawn_blocking(move || admin.flush()).await {
        Ok(done) => {
            done.map_err(ApiError::from)?;
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        Err(error) => {
            tracing::error!(%error, "Flushing failed.");
            let text = "flushing failed; see the server's log";
            Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, text))
        }
    }
}

fn seconds(nanos: i64) -> String {
    format!("{}s", nanos / 1_000_000_000)
}
