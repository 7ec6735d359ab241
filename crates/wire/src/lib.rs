//! Bytes ↔ words: what scrapers, pushers and their clients say to each other.
//!
//! Everything here is a pure function of bytes that came from outside: it never panics, never
//! reads more than it was given, never allocates from a length that the bytes merely claim, and
//! borrows from its input wherever it can. It never opens a connection, knows no HTTP beyond the
//! two headers that choose a format, and decides nothing about storing.
//!
//! Where to look: scraped text and protobuf in `exposition.rs`, remote write in
//! `remote_write.rs`, remote read in `remote_read.rs`, OTLP in `otlp.rs`, Loki's push in `loki.rs`,
//! lines of container logs in `cri.rs`, blocks of a Prometheus TSDB in `prometheus_block.rs`,
//! protobuf itself in `proto.rs`, JSON in `scan.rs`, limits in `limits.rs`, numbers and quotes as Go writes them in
//! `go.rs`.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod cri;
mod error;
pub mod exposition;
mod go;
mod labels;
mod limits;
pub mod loki;
mod native;
pub mod otlp;
pub mod prometheus_block;

mod proto;
pub mod remote_read;
pub mod remote_write;
mod rfc3339;
mod scan;

pub use error::{Error, LimitKind};
pub use limits::Limits;
pub use masthead_model::{Exemplar, MetricType};
