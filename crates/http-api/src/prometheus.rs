//! The Prometheus API: what it is made of, and which path leads where.
//!
//! Paths, parameters, shapes and texts are those of upstream's `web/api/v1/api.go` and
//! `web/web.go`; where we differ is listed in `docs/reference/http-prometheus.md`. A handler reads
//! its parameters, takes a place in a lane, and does its work on a blocking thread: nothing on the
//! async threads evaluates, reads a store or serialises anything large, but for queries that are
//! known to be quick (`quick.rs`).
//!
//! Instant and range queries: `query.rs`. Exemplars: `exemplars.rs`. Labels and series:
//! `labels.rs`. Metadata and targets: `targets.rs`. Rules and alerts: `rules.rs`. Formatting and
//! parsing queries: `language.rs`. Names while they are typed: `search.rs`. Status pages:
//! `status.rs`, `self_metrics.rs`, `openapi.rs`. Deleting and snapshots: `admin.rs`. Remote write and
//! OTLP: `write.rs`. Remote read: `read.rs`. Federation: `federate.rs`. `/-/…`: `lifecycle.rs`.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock, atomic::AtomicBool},
};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use masthead_model::{Labels, Millis, Regexp};
use masthead_ports::{
    QueryCtx, RulesView, SampleSink, SampleSource, ServerView, StoreAdmin, TargetsView,
};
use masthead_promql::Features;
use masthead_sysio::{Buffers, Clock};
use masthead_wire::otlp::Config as OtlpConfig;
use serde::Serialize;

use crate::{
    cors::Cors,
    desk::{Desk, Work},
    error::{ApiError, plain},
    evaluator::Evaluator,
    json,
    limits::Limits,
    stats::ApiStats,
    stream::{self, ChunkWriter, Stop},
};

mod admin;
mod envelope;
mod exemplars;
mod federate;
mod labels;
mod language;
mod lifecycle;
mod openapi;
mod query;
mod read;
pub(crate) mod rules;
mod search;
mod self_metrics;
pub(crate) mod status;
mod syntax_tree;
mod targets;
mod write;

/// The version of Prometheus whose API this is; clients choose by it what they ask for.
pub const COMPATIBLE_VERSION: &str = "3.14.0";

/// What the API is made of.
#[derive(Debug)]
pub struct Parts {
    /// Where samples are read.
    pub source: Arc<dyn SampleSource>,
    /// Where pushed samples go.
    pub sink: Arc<dyn SampleSink>,
    /// The store as an operator sees it.
    pub admin: Arc<dyn StoreAdmin>,
    /// What is scraped.
    pub targets: Arc<dyn TargetsView>,
    /// What is recorded and alerted.
    pub rules: Arc<dyn RulesView>,
    /// The running server.
    pub server: Arc<dyn ServerView>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// The query language.
    pub evaluator: Arc<dyn Evaluator>,
    /// The experimental parts of the language that are switched on.
    pub features: Features,
    /// How OTLP metrics are translated; see also [`PrometheusApi::set_otlp`].
    pub otlp: OtlpConfig,
    /// How far back `/federate` looks, in milliseconds (`--query.lookback-delta`).
    pub lookback_ms: i64,
    /// How much requests may take.
    pub limits: Limits,
    /// What was built.
    pub build: BuildInfo,
    /// Every flag with its value, secrets masked.
    pub flags: Vec<(String, String)>,
    /// More for `/api/v1/features`, by category and name.
    pub more_features: BTreeMap<String, BTreeMap<String, bool>>,
    /// Whether series may be deleted and snapshots made (`--web.enable-admin-api`).
    pub admin_enabled: bool,
    /// Which origins scripts may call from (`--web.cors.origin`).
    pub cors_origin: Regexp,
}

/// What was built; for `/api/v1/status/buildinfo`.
#[derive(Debug, Clone, Default)]
pub struct BuildInfo {
    /// The version of Masthead.
    pub version: String,
    /// The commit.
    pub revision: String,
    /// The branch.
    pub branch: String,
    /// The day of the build.
    pub date: String,
    /// The compiler.
    pub compiler: String,
}

/// The Prometheus API.
#[derive(Debug, Clone)]
pub struct PrometheusApi {
    shared: Arc<Shared>,
}

/// What all handlers share.
#[derive(Debug)]
pub(crate) struct Shared {
    parts: Parts,
    desk: Arc<Desk>,
    cors: Cors,
    otlp: RwLock<OtlpConfig>,
    series: write::SeriesCache,
}

impl PrometheusApi {
    /// An API over these parts.
    pub fn new(parts: Parts) -> Self {
        let shared = Shared {
            desk: Arc::new(Desk::new(Arc::clone(&parts.clock), parts.limits)),
            cors: Cors::new(parts.cors_origin.clone()),
            otlp: RwLock::new(parts.otlp.clone()),
            series: write::SeriesCache::default(),
            parts,
        };
        Self { shared: Arc::new(shared) }
    }

    /// The routes: `/api/v1/…`, `/federate`, `/version` and `/-/…`.
    pub fn router(&self) -> Router {
        let api = Router::new()
            .merge(questions())
            .merge(views())
            .merge(actions())
            .method_not_allowed_fallback(wrong_method)
            .layer(from_fn_with_state(Arc::clone(&self.shared), cors));
        Router::new()
            .nest("/api/v1", api)
            .route("/federate", get(federate::federate))
            .route("/version", get(status::version))
            .route("/-/ready", get(lifecycle::ready))
            .route("/-/healthy", get(lifecycle::healthy))
            .route(
                "/-/reload",
                get(lifecycle::wrong_method).post(lifecycle::reload).put(lifecycle::reload),
            )
            .route(
                "/-/quit",
                get(lifecycle::wrong_method).post(lifecycle::quit).put(lifecycle::quit),
            )
            .with_state(Arc::clone(&self.shared))
    }

    /// Changes how OTLP metrics are translated, after a reload.
    pub fn set_otlp(&self, config: OtlpConfig) {
        *self.shared.otlp.write().unwrap_or_else(PoisonError::into_inner) = config;
    }

    /// Memory of large requests that is kept for the next ones. Whoever cares for the process' memory
    /// calls its [`Buffers::release`] now and then.
    pub fn buffers(&self) -> Arc<Buffers> {
        Arc::clone(self.shared.desk.budget.buffers())
    }

    /// What it shares with the other APIs of the server.
    pub(crate) fn desk(&self) -> Arc<Desk> {
        Arc::clone(&self.shared.desk)
    }

    /// Setting this to true ends all queries and look-ups, those of the APIs beside it too, and those
    /// that are still to come: the server ends.
    pub fn ending(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.shared.desk.ending)
    }

    /// What it and the APIs beside it have counted so far.
    pub fn stats(&self) -> ApiStats {
        self.shared.stats()
    }
}

type Routes = Router<Arc<Shared>>;

/// What is asked of the data; upstream takes GET and POST for most.
fn questions() -> Routes {
    Router::new()
        .route("/query", get(query::instant).post(query::instant))
        .route("/query_range", get(query::range).post(query::range))
        .route("/query_exemplars", get(exemplars::exemplars).post(exemplars::exemplars))
        .route("/format_query", get(language::format_query).post(language::format_query))
        .route("/parse_query", get(language::parse_query).post(language::parse_query))
        .route("/labels", get(labels::names).post(labels::names))
        .route("/label/{name}/values", get(labels::values))
        .route("/series", get(labels::series).post(labels::series))
        .route("/metadata", get(targets::metadata))
        .route("/search/metric_names", get(search::metric_names).post(search::metric_names))
        .route("/search/label_names", get(search::label_names).post(search::label_names))
        .route("/search/label_values", get(search::label_values).post(search::label_values))
        .route("/read", post(read::read))
}

/// What the server shows of itself.
fn views() -> Routes {
    Router::new()
        .route("/targets", get(targets::targets))
        .route("/targets/metadata", get(targets::targets_metadata))
        .route("/targets/relabel_steps", get(targets::relabel_steps))
        .route("/scrape_pools", get(targets::scrape_pools))
        .route("/scrape_pools/config", get(targets::pool_config))
        .route("/rules", get(rules::rules))
        .route("/alerts", get(rules::alerts))
        .route("/alertmanagers", get(rules::alertmanagers))
        .route("/status/config", get(status::config))
        .route("/status/flags", get(status::flags))
        .route("/status/runtimeinfo", get(status::runtime))
        .route("/status/buildinfo", get(status::build))
        .route("/status/tsdb", get(status::store))
        .route("/status/tsdb/blocks", get(status::blocks))
        .route("/status/walreplay", get(status::replay))
        .route("/status/self_metrics", get(self_metrics::self_metrics))
        .route("/features", get(status::features))
        .route("/notifications", get(status::notifications))
        .route("/notifications/live", get(nothing))
        .route("/openapi.yaml", get(openapi::openapi))
}

/// What changes something.
fn actions() -> Routes {
    Router::new()
        .route("/write", post(write::remote_write))
        .route("/otlp/v1/metrics", post(write::otlp))
        .route("/admin/tsdb/delete_series", post(admin::delete_series).put(admin::delete_series))
        .route(
            "/admin/tsdb/clean_tombstones",
            post(admin::clean_tombstones).put(admin::clean_tombstones),
        )
        .route("/admin/tsdb/snapshot", post(admin::snapshot).put(admin::snapshot))
}

/// In the words of upstream's router.
async fn wrong_method() -> Response {
    plain(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
}

async fn nothing() -> StatusCode {
    StatusCode::NO_CONTENT
}

async fn cors(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let mut response = if request.method() == Method::OPTIONS {
        StatusCode::NO_CONTENT.into_response()
    } else {
        next.run(request).await
    };
    shared.cors.apply(origin.as_ref(), response.headers_mut());
    response
}

/// A handler asks for places, limits and counters as if they were the API's own.
impl std::ops::Deref for Shared {
    type Target = Desk;

    fn deref(&self) -> &Desk {
        &self.desk
    }
}

impl Shared {
    /// The wall clock.
    fn now(&self) -> Millis {
        Millis(self.parts.clock.now().0.div_euclid(1_000_000))
    }

    /// Runs a look-up on a blocking thread.
    async fn lookup(
        self: &Arc<Self>,
        gzip: bool,
        work: impl FnOnce(&Self, &QueryCtx, &mut ChunkWriter) -> Result<(), Stop> + Send + 'static,
    ) -> Result<Response, ApiError> {
        let ctx = self.ctx(None);
        let place = self.place(Work::Lookup, &ctx, self.limits.query.timeout).await?;
        let delivery = self.delivery(gzip, ctx.cancellation());
        let shared = Arc::clone(self);
        Ok(stream::respond(place, delivery, move |out| work(&shared, &ctx, out)).await)
    }
}

/// A small answer that cost nothing to make.
fn small(data: impl Serialize) -> Response {
    #[derive(Serialize)]
    struct Success<T> {
        status: &'static str,
        data: T,
    }
    let body = json::to_vec(&Success { status: "success", data });
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
}

/// Labels inside a small answer.
struct LabelMap<'a>(&'a Labels);

impl Serialize for LabelMap<'_> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        json::labels(self.0, to)
    }
}
