//! LogQL: what Loki is asked in.
//!
//! What happens to one line is `stages.rs`: every pipeline stage as a pure function of a line and
//! its labels.

#![forbid(unsafe_code)]

pub mod stages;
