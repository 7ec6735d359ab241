//! `/status/…`, `/features`, `/notifications` and `/version`: what the server says of itself.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use masthead_model::Millis;
use masthead_ports::{BlockInfo, Cardinality};
use masthead_promql::FUNCTIONS;
use serde::Serialize;

use super::{COMPATIBLE_VERSION, Shared, envelope, small};
use crate::{error::ApiError, params::Params, time::format_time};

/// Entries of each list of `/status/tsdb` at most (`web/api/v1/api.go: serveTSDBStatus`).
const CARDINALITY_MAX: usize = 10_000;
const CARDINALITY_DEFAULT: usize = 10;

/// `/status/config`
pub(super) async fn config(State(shared): State<Arc<Shared>>) -> Response {
    #[derive(Serialize)]
    struct Shape {
        yaml: String,
    }
    small(Shape { yaml: shared.parts.server.config_text() })
}

/// `/status/flags`
pub(super) async fn flags(State(shared): State<Arc<Shared>>) -> Response {
    let flags = &shared.parts.flags;
    let map: BTreeMap<&str, &str> =
        flags.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    small(map)
}

/// The process. What only Go's runtime has is empty or 0.
#[derive(Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub(crate) struct RuntimeInfo {
    start_time: String,
    #[serde(rename = "CWD")]
    cwd: String,
    hostname: String,
    server_time: String,
    reload_config_success: bool,
    last_config_time: String,
    corruption_count: u64,
    goroutine_count: u64,
    #[serde(rename = "GOMAXPROCS")]
    cores: u64,
    #[serde(rename = "GOMEMLIMIT")]
    memory_limit: u64,
    #[serde(rename = "GOGC")]
    gc: &'static str,
    #[serde(rename = "GODEBUG")]
    debug: &'static str,
    storage_retention: String,
}

/// `/status/runtimeinfo`
pub(super) async fn runtime(State(shared): State<Arc<Shared>>) -> Response {
    let runtime = shared.parts.server.runtime();
    small(RuntimeInfo {
        start_time: format_time(Some(runtime.started)),
        cwd: runtime.directory,
        hostname: runtime.hostname,
        server_time: format_time(Some(shared.now())),
        reload_config_success: runtime.reload_ok,
        last_config_time: format_time(runtime.config_loaded),
        corruption_count: runtime.corruptions,
        goroutine_count: runtime.threads,
        cores: runtime.cores,
        memory_limit: 0,
        gc: "",
        debug: "",
        storage_retention: runtime.retention,
    })
}

/// What was built. `version` is the Prometheus whose API this is, because clients choose by it
/// what they ask for. There is no `features` here on purpose: Grafana takes a source that has one
/// for a Mimir with a ruler.
#[derive(Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub(crate) struct BuildInfo<'a> {
    version: &'static str,
    revision: &'a str,
    branch: &'a str,
    build_user: &'static str,
    build_date: &'a str,
    go_version: &'a str,
    masthead_version: &'a str,
}

fn build_of(shared: &Shared) -> BuildInfo<'_> {
    let build = &shared.parts.build;
    BuildInfo {
        version: COMPATIBLE_VERSION,
        revision: &build.revision,
        branch: &build.branch,
        build_user: "",
        build_date: &build.date,
        go_version: &build.compiler,
        masthead_version: &build.version,
    }
}

/// `/status/buildinfo`
pub(super) async fn build(State(shared): State<Arc<Shared>>) -> Response {
    small(build_of(&shared))
}

/// `/version`: the same without an envelope.
pub(super) async fn version(State(shared): State<Arc<Shared>>) -> Response {
    let kind = [(axum::http::header::CONTENT_TYPE, "application/json")];
    (kind, crate::json::to_vec(&build_of(&shared))).into_response()
}

/// `/features`
pub(super) async fn features(State(shared): State<Arc<Shared>>) -> Response {
    let parts = &shared.parts;
    let mut all: BTreeMap<&str, BTreeMap<&str, bool>> = BTreeMap::new();
    let api = [
        ("admin", parts.admin_enabled),
        ("exclude_alerts", true),
        ("label_values_match", true),
        ("otlp_write_receiver", true),
        ("query_explain", true),
        ("query_stats", true),
        ("query_warnings", true),
        ("remote_read", true),
        ("remote_write_receiver", true),
        ("search", true),
        ("time_range_labels", true),
        ("time_range_series", true),
    ];
    all.insert("api", api.into_iter().collect());
    let experimental = parts.features.experimental_functions;
    let functions = FUNCTIONS.iter().map(|f| (f.name, experimental || !f.experimental));
    all.insert("promql_functions", functions.collect());
    for (category, more) in &parts.more_features {
        let known = all.entry(category).or_default();
        known.extend(more.iter().map(|(name, on)| (name.as_str(), *on)));
    }
    small(all)
}

/// `/notifications`: none yet.
pub(super) async fn notifications() -> Response {
    let none: [(); 0] = [];
    small(none)
}

/// `/status/walreplay`
pub(super) async fn replay(State(shared): State<Arc<Shared>>) -> Response {
    #[derive(Serialize)]
    struct Shape {
        min: u64,
        max: u64,
        current: u64,
    }
    let status = shared.parts.admin.replay();
    small(Shape { min: status.first, max: status.last, current: status.current })
}

/// `/status/tsdb`
pub(super) async fn store(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, ApiError> {
    let params = Params::read(request, &shared).await?;
    let limit = match params.first("limit") {
        "" => CARDINALITY_DEFAULT,
        text => text
            .parse::<usize>()
            .ok()
            .filter(|limit| *limit > 0)
            .ok_or_else(|| ApiError::bad("limit must be a positive number"))?,
    };
    if limit > CARDINALITY_MAX {
        return Err(ApiError::bad(format!("limit must not exceed {CARDINALITY_MAX}")));
    }
    let work = move |shared: &Shared, _: &_, out: &mut _| {
        let stats = shared.parts.admin.stats(limit)?;
        // An empty head has the ends of time the wrong way round, as upstream's.
        let (min_time, max_time) =
            stats.range.map_or((i64::MAX, i64::MIN), |range| (range.start.0, range.end.0));
        let answer = StoreShape {
            head_stats: HeadShape {
                num_series: stats.series,
                num_label_pairs: stats.label_pairs,
                chunk_count: stats.chunks,
                min_time,
                max_time,
            },
            series_count_by_metric_name: counts(&stats.series_by_metric, limit),
            label_value_count_by_label_name: counts(&stats.values_by_label, limit),
            memory_in_bytes_by_label_name: counts(&stats.bytes_by_label, limit),
            series_count_by_label_value_pair: counts(&stats.series_by_pair, limit),
        };
        envelope::write(out, &answer, &[])
    };
    shared.lookup(params.gzip, work).await
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StoreShape<'a> {
    head_stats: HeadShape,
    series_count_by_metric_name: Vec<CountShape<'a>>,
    label_value_count_by_label_name: Vec<CountShape<'a>>,
    memory_in_bytes_by_label_name: Vec<CountShape<'a>>,
    series_count_by_label_value_pair: Vec<CountShape<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HeadShape {
    num_series: u64,
    num_label_pairs: u64,
    chunk_count: u64,
    min_time: i64,
    max_time: i64,
}

#[derive(Serialize)]
struct CountShape<'a> {
    name: &'a str,
    value: u64,
}

fn counts(list: &[Cardinality], limit: usize) -> Vec<CountShape<'_>> {
    list.iter().take(limit).map(|c| CountShape { name: &c.name, value: c.count }).collect()
}

/// `/status/tsdb/blocks`
pub(super) async fn blocks(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, ApiError> {
    #[derive(Serialize)]
    struct Shape {
        blocks: Vec<BlockShape>,
    }
    let params = Params::read(request, &shared).await?;
    let work = |shared: &Shared, _: &_, out: &mut _| {
        let blocks = shared.parts.admin.blocks().map_err(|error| {
            ApiError::new(error.class, format!("error getting block metadata: {error}"))
        })?;
        envelope::write(out, &Shape { blocks: blocks.into_iter().map(block).collect() }, &[])
    };
    shared.lookup(params.gzip, work).await
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BlockShape {
    ulid: String,
    min_time: i64,
    /// One past the last sample, as upstream counts.
    max_time: i64,
    stats: BlockStats,
    compaction: Compaction,
    version: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the keys are upstream's")]
struct BlockStats {
    num_samples: u64,
    num_series: u64,
    num_chunks: u64,
    num_bytes: u64,
}

#[derive(Serialize)]
struct Compaction {
    level: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sources: Vec<String>,
}

fn block(info: BlockInfo) -> BlockShape {
    let Millis(max_time) = info.range.end.saturating_add(1);
    BlockShape {
        ulid: info.id,
        min_time: info.range.start.0,
        max_time,
        stats: BlockStats {
            num_samples: info.samples,
            num_series: info.series,
            num_chunks: info.chunks,
            num_bytes: info.bytes,
        },
        compaction: Compaction { level: info.level, sources: info.sources },
        version: 1,
    }
}
