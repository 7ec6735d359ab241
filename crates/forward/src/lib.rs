//! Sinks elsewhere: pushes log lines to a Loki and samples by remote write, over journals on disk.
//!
//! A [`LokiSink`] is a [`LogSink`](masthead_ports::LogSink) and a [`remote_write::RemoteWriteSink`]
//! a [`SampleSink`](masthead_ports::SampleSink), like the local stores: a batch is acknowledged when
//! the journal holds it. A sender reads behind the writer and sends in order, with back-off, for as
//! long as it takes. The journal has a bounded size; when it is full, the oldest goes, counted. The
//! receivers keep what comes twice once, so that a request whose answer was lost is sent again.
//!
//! It never decides where lines and samples come from, and never answers HTTP. What the other end
//! refuses for good is dropped with its reason.
//!
//! - `backlog.rs`: the journal of what is not sent yet; its bytes: `docs/format/forward.md`;
//! - `loki.rs`: lines; `remote_write.rs`: samples; `tee.rs`: both here and elsewhere;
//! - `request.rs`: one attempt; `stats.rs`: how it fares.

#![forbid(unsafe_code)]

mod backlog;
mod error;
mod loki;
pub mod remote_write;
mod request;
mod stats;
mod tee;

pub use backlog::Options;
pub use error::Error;
pub use loki::{LokiSink, Sender, TENANT_LABEL, Target, read_frame_for_fuzzing};
pub use stats::Stats;
pub use tee::Tee;
