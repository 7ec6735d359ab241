//! The scrape loops, and the configuration that people know from prometheus.yml.
//!
//! A [`Scraper`] holds a pool for each job. A pool follows its discovery, turns what is found into
//! targets by relabelling, and keeps one loop for each. A loop fetches, remembers which line was
//! which series, appends one batch, and marks as stale what is no longer there. The sink is
//! synchronous, so parsing and appending happen on the blocking pool, a bounded number at a time.
//!
//! It never stores, never evaluates rules, never answers HTTP: what the targets page shows is handed
//! out through `ports::TargetsView`. A target that misbehaves costs its own samples, no one else's.
//!
//! - `config.rs`: the file. `target.rs`: from discovered labels to a target.
//! - `scraper.rs`: pools come and go; `pool.rs`: targets come and go; `run.rs`: one target's loop.
//! - `fetch.rs`: getting a body; `ingest.rs`: body to batch; `cache.rs`: what is remembered;
//!   `sample_labels.rs`: labels of samples; `resolution.rs`: detail of native histograms;
//!   `report.rs`: `up` and its kin.
//! - `view.rs`: what people see; `stats.rs`: how the crate itself fares.

#![forbid(unsafe_code)]

mod cache;
mod config;
mod fetch;
mod ingest;
mod pool;
mod report;
mod resolution;
mod run;
mod sample_labels;
mod scraper;
mod settings;
mod stats;
mod target;
mod view;

pub use config::{GlobalConfig, PromConfig, ScrapeConfig, WrittenConfig};
pub use fetch::{Exposition, LocalSource};
pub use scraper::{LocalJob, Parts, ScrapeError, Scraper};
pub use settings::Settings;
pub use stats::Stats;

#[cfg(test)]
mod tests;
