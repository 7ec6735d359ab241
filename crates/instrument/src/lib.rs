//! Observability for any axum service, in one tower layer: HTTP metrics, request ids, JSON logs.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use masthead_instrument::{Telemetry, logs};
//!
//! logs::init(&logs::Config::parse(Some("info"), Some("json"))?)?;
//! let telemetry = Telemetry::builder("items-api", env!("CARGO_PKG_VERSION")).build();
//! let app: axum::Router = axum::Router::new()
//!     .route("/items/{id}", axum::routing::get(|| async { "an item" }))
//!     .layer(telemetry.layer());
//! let metrics: axum::Router = telemetry.metrics_router(); // For a listener of its own.
//! # Ok(())
//! # }
//! ```
//!
//! Where things are: [`layer`] is what happens to a request; `metrics` counts it; `exposition`
//! and `process` answer a scrape; [`logs`] turns `tracing` events into lines; [`problem`] is the
//! body of an error.
//!
//! This crate never reads the environment, never starts a task or a thread, never opens a socket,
//! and depends on no other crate of the house. No request can make it grow: the label values of
//! its series come from the code of the service alone.

#![forbid(unsafe_code)]

pub mod layer;
pub mod logs;
pub mod problem;

#[doc(hidden)]
pub mod recording;

mod client_ip;
mod clock;
mod exposition;
mod metrics;
mod process;
mod request_id;
mod telemetry;

pub use ipnet::IpNet;
pub use prometheus_client;
pub use request_id::{RequestId, propagate};
pub use telemetry::{Builder, Telemetry};

/// What can go wrong while telemetry is being set up. Nothing fails once requests flow.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting has a value that means nothing; the service should not start.
    #[error("{variable}={value:?} is not valid: {problem}; for example {variable}={example}")]
    Setting {
        /// The environment variable a user would correct.
        variable: &'static str,
        /// What it holds, cut to 128 characters.
        value: String,
        /// What is wrong with it.
        problem: &'static str,
        /// A value that works.
        example: &'static str,
    },
    /// Another subscriber was installed before; a process has one.
    #[error("cannot install the log subscriber: the process already has one")]
    SubscriberAlreadySet,
}
