//! History in and out of a store: OpenMetrics text, Prometheus blocks, Parquet.
//!
//! ```text
//! OpenMetrics text ──> sorted runs ──┐                              ┌──> OpenMetrics text
//!                                    ├─ fill ─> Tsdb ─> SampleSource┤
//! Prometheus blocks ─────────────────┘                              └──> Parquet
//! ```
//!
//! Importing goes window by window of a merged block: what a [`History`] has of the window is
//! compared with what the store has, and only the rest becomes a block, published at once. So an
//! import can be cut off anywhere and started again, and nothing is ever there twice.
//! Exporting asks any [`masthead_ports::SampleSource`], series by series.
//!
//! Everything is synchronous and on the caller's thread; files come through `sysio`. Nothing here
//! knows a command line: that is `crates/masthead/src/commands/import.rs` and `export.rs`.
//!
//! - `import.rs`: what a history is; `import/openmetrics.rs`, `import/prometheus.rs`: the two kinds;
//!   `import/fill.rs`: into the store;
//! - `export.rs`: what is asked for; `export/openmetrics.rs`, `export/parquet.rs`: how it is written;
//! - `filter.rs`: which series and times; `samples.rs`: samples in order, each time once.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod error;
pub mod export;
mod filter;
pub mod import;
mod samples;

pub use error::{Error, Result};
pub use filter::Filter;
