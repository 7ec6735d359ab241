//! Sinks elsewhere: pushes log lines to a Loki, over a journal on disk.
//!
//! A [`LokiSink`] is a [`LogSink`](masthead_ports::LogSink) like the local store: a batch is
//! acknowledged when the journal holds it, with how far its readers have come. A sender reads behind
//! the writer and pushes in order, with back-off, for as long as it takes. The journal has a bounded
//! size; when it is full, the oldest lines go, counted. Loki keeps a line that comes twice once, so
//! that a push whose answer was lost is sent again.
//!
//! It never decides where lines come from, and never answers HTTP. What Loki refuses for good is
//! dropped with its reason.
//!
//! - `sink.rs`: journal and progress; `frame.rs`: their bytes (`docs/format/forward.md`);
//! - `sender.rs`: from the journal to Loki; `stats.rs`: how it fares.

#![forbid(unsafe_code)]

mod error;
mod frame;
mod sender;
mod sink;
mod stats;

pub use error::Error;
pub use frame::read_frame_for_fuzzing;
pub use sender::{Sender, Target};
pub use sink::{LokiSink, Options};
pub use stats::{Count, Gauge, Stats};

/// The label that says for whom a stream is; it is not sent.
pub const TENANT_LABEL: &str = "__tenant_id__";
