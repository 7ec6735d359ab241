//! History in and out: text and blocks into a store, a store into text and Parquet, and back.
//!
//! Stores live on a simulated disk. `tests/data/` holds blocks that Prometheus 2.42 wrote: `floats`
//! by `promtool tsdb create-blocks-from openmetrics`, `histograms` by a snapshot after remote write.

#![expect(clippy::unwrap_used, reason = "in a test, what is not there is a failure")]

mod blocks;
mod export;
mod openmetrics;
mod support;
