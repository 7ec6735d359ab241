//! Collecting, step by step, on a simulated disk and clock.

#![expect(clippy::unwrap_used, reason = "helpers outside of #[test] functions may fail a test too")]

mod config;
mod copies;
mod crashes;
mod harness;
mod model;
mod rotation;
mod special_files;
mod stages;
mod targets;
