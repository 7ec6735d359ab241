//! Forwarding to other ends that are slow, away, or of another opinion.

#![expect(clippy::unwrap_used, reason = "helpers outside of #[test] functions may fail a test too")]

mod loki;
mod receiver;
mod remote_write;
