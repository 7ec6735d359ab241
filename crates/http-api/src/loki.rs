//! The Loki API: what it is made of, and which path leads where.
//!
//! Paths, parameters, shapes and texts are those of Loki's `pkg/loki/modules.go`,
//! `pkg/loghttp` and `pkg/querier`, as a real Loki answers; where we differ is listed in
//! `docs/reference/http-loki.md`. As in the Prometheus API, a handler reads its parameters, takes a
//! place in a lane, and does its work on a blocking thread. Errors are plain text.
//!
//! Pushing: `push.rs`. Queries: `query.rs`, and what they need of LogQL in `language.rs`. Labels
//! and series: `labels.rs`. How much there is: `index.rs`. What is in the lines: `detected.rs`,
//! `patterns.rs`. Following: `tail.rs` over `live.rs`. Deleting: `delete.rs`; a copy of all: `snapshot.rs`. All else: `status.rs`.

use std::sync::Arc;

use axum::{
    Router,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use masthead_logql::Engine;
use masthead_model::{Nanos, TimeRange};
use masthead_ports::{LogAdmin, LogSource, QueryCtx, RulesView, ServerView};
use serde::Serialize;

use crate::{
    desk::{Desk, Work},
    error::ApiError,
    json,
    limits::LogLimits,
    prometheus::{BuildInfo, PrometheusApi},
    stream::{self, ChunkWriter, Delivery, Stop},
};

mod delete;
mod detected;
mod discovering;
mod index;
mod labels;
mod language;
mod live;
mod params;
mod patterns;
mod push;
mod query;
mod refusal;
mod rules;
mod snapshot;
mod stats;
mod status;
mod tail;

pub use delete::{DeleteRequest, DeleteRequests, DeletesInMemory};
pub use discovering::Discovering;
pub use live::LiveTail;
pub use stats::LokiStats;

use refusal::Refusal;

/// The version of Loki whose API this is; clients choose by it what they ask for.
pub const COMPATIBLE_LOKI_VERSION: &str = "3.7.0";

/// What the API is made of, beside what it shares with the Prometheus API.
#[derive(Debug)]
pub struct LokiParts {
    /// Where lines are read.
    pub source: Arc<dyn LogSource>,
    /// Where pushed lines go; what is to be followed must come by here too.
    pub sink: Arc<LiveTail>,
    /// The store as an operator sees it.
    pub admin: Arc<dyn LogAdmin>,
    /// What was asked to be deleted.
    pub deletes: Arc<dyn DeleteRequests>,
    /// The rules over lines, as the rule loop last left them.
    pub rules: Arc<dyn RulesView>,
    /// The running server.
    pub server: Arc<dyn ServerView>,
    /// The query language.
    pub engine: Engine,
    /// How much lines, labels and queries may take.
    pub limits: LogLimits,
    /// What was built.
    pub build: BuildInfo,
    /// Whether lines may be deleted (`--web.enable-admin-api`).
    pub admin_enabled: bool,
    /// What is logged (`--log.level`).
    pub log_level: String,
}

/// The Loki API.
#[derive(Debug, Clone)]
pub struct LokiApi {
    shared: Arc<Shared>,
}

/// What all handlers share.
#[derive(Debug)]
struct Shared {
    parts: LokiParts,
    desk: Arc<Desk>,
    counters: stats::Counters,
    tails: Arc<tokio::sync::Semaphore>,
}

impl LokiApi {
    /// An API over these parts that stands at the same desk as `prometheus`.
    pub fn new(parts: LokiParts, prometheus: &PrometheusApi) -> Self {
        let tails = parts.limits.tails.min(tokio::sync::Semaphore::MAX_PERMITS);
        let shared = Shared {
            desk: prometheus.desk(),
            counters: stats::Counters::default(),
            tails: Arc::new(tokio::sync::Semaphore::new(tails)),
            parts,
        };
        Self { shared: Arc::new(shared) }
    }

    /// The routes: `/loki/api/v1/…`, the older `/api/prom/…`, `/otlp/v1/logs`, `/ready` and what
    /// else Loki answers beside them.
    pub fn router(&self) -> Router {
        let api = Router::new().merge(writing()).merge(questions()).merge(views());
        Router::new()
            .nest("/loki/api/v1", api)
            .nest("/api/prom", older())
            .merge(beside())
            .with_state(Arc::clone(&self.shared))
    }

    /// What it has counted so far.
    pub fn stats(&self) -> LokiStats {
        let live = self.shared.parts.sink.stats();
        self.shared.counters.read(live)
    }

    /// Ends every connection that follows lines, so that the server can stop.
    pub fn stop(&self) {
        self.shared.parts.sink.close();
    }
}

type Routes = Router<Arc<Shared>>;

fn writing() -> Routes {
    Router::new().route("/push", post(push::push)).route("/otlp/v1/logs", post(push::otlp)).route(
        "/delete",
        get(delete::list).post(delete::create).put(delete::create).delete(delete::cancel),
    )
}

/// What is asked of the lines; Loki takes GET and POST for all.
fn questions() -> Routes {
    Router::new()
        .route("/query", get(query::instant).post(query::instant))
        .route("/query_range", get(query::range).post(query::range))
        .route("/format_query", get(query::format).post(query::format))
        .route("/label", get(labels::names).post(labels::names))
        .route("/labels", get(labels::names).post(labels::names))
        .route("/label/{name}/values", get(labels::values).post(labels::values))
        .route("/series", get(labels::series).post(labels::series))
        .route("/index/stats", get(index::stats).post(index::stats))
        .route("/index/volume", get(index::volume).post(index::volume))
        .route("/index/volume_range", get(index::volume_range).post(index::volume_range))
        .route("/index/shards", get(index::shards).post(index::shards))
        .route("/detected_labels", get(detected::labels).post(detected::labels))
        .route("/detected_fields", get(detected::fields).post(detected::fields))
        .route(
            "/detected_field/{name}/values",
            get(detected::field_values).post(detected::field_values),
        )
        .route("/patterns", get(patterns::patterns).post(patterns::patterns))
        .route("/tail", get(tail::tail))
}

/// What the server shows of itself.
fn views() -> Routes {
    Router::new()
        .route("/status/buildinfo", get(status::build))
        .route("/drilldown-limits", get(status::drilldown_limits))
        .merge(rule_files())
}

/// The paths of Loki before its first version, in the shapes of that time where they differ.
fn older() -> Routes {
    Router::new()
        .route("/push", post(push::legacy))
        .route("/query", get(query::legacy).post(query::legacy))
        .route("/label", get(labels::names).post(labels::names))
        .route("/label/{name}/values", get(labels::values).post(labels::values))
        .route("/series", get(labels::series).post(labels::series))
        .route("/tail", get(tail::legacy))
        .merge(rule_files())
}

/// Rule files as Loki's ruler shows them.
fn rule_files() -> Routes {
    Router::new()
        .route("/rules", get(rules::all))
        .route("/rules/{namespace}", get(rules::namespace))
        .route("/rules/{namespace}/{group}", get(rules::group))
}

fn beside() -> Routes {
    Router::new()
        .route("/otlp/v1/logs", post(push::otlp))
        .route("/ready", get(status::ready))
        .route("/config", get(status::config))
        .route("/api/v1/admin/logs/snapshot", post(snapshot::create).put(snapshot::create))
        .route("/services", get(status::services))
        .route("/log_level", get(status::log_level).post(status::set_log_level))
        .route("/flush", get(status::flush).post(status::flush))
        .route("/prometheus/api/v1/rules", get(rules::prometheus_rules))
        .route("/prometheus/api/v1/alerts", get(rules::prometheus_alerts))
}

impl Shared {
    fn now(&self) -> Nanos {
        self.desk.now_nanos()
    }

    fn delivery(&self, gzip: bool, ctx: &QueryCtx) -> Delivery {
        Delivery {
            content_type: JSON,
            refuse: |error| Refusal::from(error).into_response(),
            ..self.desk.delivery(gzip, ctx.cancellation())
        }
    }

    /// Takes a place and runs `work` on a blocking thread, which answers with what it writes.
    async fn answer(
        self: &Arc<Self>,
        lane: Work,
        gzip: bool,
        work: impl FnOnce(&Self, &QueryCtx, &mut ChunkWriter) -> Result<(), Stop> + Send + 'static,
    ) -> Result<Response, Refusal> {
        let ctx = self.desk.ctx(None);
        let place = self.desk.place(lane, &ctx, self.desk.limits.query.timeout).await?;
        let delivery = self.delivery(gzip, &ctx);
        let shared = Arc::clone(self);
        Ok(stream::respond(place, delivery, move |out| work(&shared, &ctx, out)).await)
    }

    /// As [`Shared::answer`] for what does not evaluate a query and is small.
    async fn lookup<T: Serialize>(
        self: &Arc<Self>,
        gzip: bool,
        find: impl FnOnce(&Self, &QueryCtx) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<Response, Refusal> {
        let work = move |shared: &Self, ctx: &QueryCtx, out: &mut ChunkWriter| {
            let found = find(shared, ctx)?;
            out.buf.extend_from_slice(&json::to_vec(&found));
            out.check()
        };
        self.answer(Work::Lookup, gzip, work).await
    }
}

/// The content type of every answer in JSON; the letters are Loki's.
const JSON: &str = "application/json; charset=UTF-8";

/// A small answer that cost nothing to make.
fn small(data: &impl Serialize) -> Response {
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(JSON))];
    (StatusCode::OK, kind, json::to_vec(data)).into_response()
}

/// `{"status":"success","data":…}`
#[derive(Debug, Serialize)]
struct Success<T> {
    status: &'static str,
    data: T,
}

impl<T> Success<T> {
    fn new(data: T) -> Self {
        Self { status: "success", data }
    }
}

/// A range of Loki, whose end is not in it, as the ports have ranges. Nothing if it is empty.
fn half_open(start: Nanos, end: Nanos) -> Option<TimeRange<Nanos>> {
    TimeRange::new(start, end.saturating_sub(1)).ok().filter(|_| start < end)
}
