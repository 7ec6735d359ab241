//! The HTTP API: routes, parameters, JSON shapes, and from error class to status code.
//!
//! Only this crate knows HTTP and JSON. It asks languages, stores and movers through the traits
//! of `ports`, and answers as the originals do. It never opens a socket and never reads a file:
//! it makes an `axum::Router` that the binary serves.
//!
//! Where to look: the Prometheus API in `prometheus.rs` and the Loki API in `loki.rs`, with one
//! file for each group of endpoints; what both share in `desk.rs`; errors in `error.rs`; numbers, labels and histograms as JSON in `json.rs`; how an
//! answer becomes body chunks in `stream.rs`; places for queries and writes in `lane.rs`;
//! who may do what in `auth.rs`; parameters in `params.rs`; request bodies in `upload.rs`; dashboards in `dashboards.rs`; what runs and what was
//! slow in `queries.rs`; the
//! browser application in `pages.rs`.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod auth;
mod cors;
mod dashboards;
mod desk;
mod discovery;
mod error;
mod evaluator;
mod hardening;
mod json;
mod lane;
mod limits;
mod loki;
mod pages;
mod params;
mod prometheus;
mod queries;
mod quick;
mod stats;
mod stream;
mod time;
#[cfg(test)]
mod typescript;
mod unzip;
mod upload;

pub use auth::{
    Auth, AuthConfig, AuthError, AuthOptions, AuthStats, CheckedAuth, Role, Scope, TokenConfig,
    UserConfig, hash_password, new_token, routes,
};
pub use dashboards::dashboards_router;
pub use discovery::discovery_router;
pub use evaluator::{EvalError, Evaluation, Evaluator, Grid, Query};
pub use hardening::hardened;
pub use limits::{Limits, LogLimits};
pub use loki::{
    COMPATIBLE_LOKI_VERSION, DeleteRequest, DeleteRequests, DeletesInMemory, Discovering, LiveTail,
    LokiApi, LokiParts, LokiStats,
};
pub use pages::{Asset, FindAsset, pages_router};
pub use prometheus::{BuildInfo, COMPATIBLE_VERSION, Parts, PrometheusApi};
pub use queries::queries_router;
pub use stats::ApiStats;
