//! The crate from outside: a service with the layer, its exposition, its log.

#![expect(clippy::unwrap_used, reason = "helpers outside of #[test] functions may fail a test too")]

mod allocations;
mod exposition;
mod lines;
mod requests;
mod series;
mod support;
