//! What both query languages compute alike: numbers over time, numbers over series, histograms.
//!
//! Pure functions over slices. Nothing here knows an expression tree, a label's storage or an
//! annotation: what a language should warn about comes back as a flag. Times are milliseconds
//! unless a name says otherwise; a window is open on its left end and closed on its right, as in
//! Prometheus 3.
//!
//! Steps of a query: `grid.rs`, windows over one series: `window.rs`. Counters: `counter.rs`,
//! `rate.rs`, `rate_table.rs`, `extended.rs`. Statistics: `kahan.rs`, `quantile.rs`, `regression.rs`,
//! `smoothing.rs`. Groups and pairs of series: `grouping.rs`. Histograms: `histogram.rs`. Threads:
//! `shares.rs`.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod counter;
mod extended;
mod grid;
mod grouping;
pub mod histogram;
mod kahan;
mod quantile;
mod rate;
mod rate_table;
mod regression;
mod shares;
mod smoothing;
mod window;

pub use counter::{CounterResets, changes, start_overlaps, starts_anew};
pub use extended::{Edge, extended_points, extended_rate};
pub use grid::StepGrid;
pub use grouping::{Grouping, LabelSet, Signature};
pub use kahan::{KahanMean, KahanSum, KahanSums, Variance};
pub use masthead_model::nearly_equal;
pub use quantile::{median_absolute_deviation, quantile};
pub use rate::{RateKind, extrapolated_rate, extrapolation_factor, instant_rate};
pub use rate_table::{RateTables, RateWindows};
pub use regression::{Line, fit_line};
pub use shares::each;
pub use smoothing::{SmoothingError, double_exponential};
pub use window::{Bounds, Windows};
