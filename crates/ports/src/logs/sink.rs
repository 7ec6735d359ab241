//! Where log lines go: the local store, a forwarder, or several of them.
//!
//! A batch is one push or one hand-over of a collector. It is acknowledged as a whole once the
//! sink has made it as durable as it promises; single lines can be refused without the rest.
//! A collector sends with the lines how far it has read, so that both are held or neither is.

use std::{borrow::Cow, fmt::Debug, sync::Arc};

use masthead_model::{Labels, Nanos};

use crate::AppendError;

/// Where log lines go.
pub trait LogSink: Send + Sync + Debug {
    /// Takes the lines of a batch. When this returns `Ok`, every line that the report does not
    /// name as refused is held durably, as far as the sink's configuration promises, and so is
    /// every [`Progress`] of the batch.
    ///
    /// A line that is there already (same stream, time, text and structured metadata) is counted
    /// as a duplicate and not held again.
    ///
    /// # Errors
    /// [`AppendError`] when nothing of the batch is promised to be held; the same batch can be
    /// sent again if its class is retryable.
    fn append(&self, batch: &LogBatch<'_>) -> Result<LogReport, AppendError>;

    /// The latest progress of every reader whose key starts with `prefix`, sorted by key.
    ///
    /// # Errors
    /// [`AppendError`] if the sink cannot say.
    fn progress(&self, prefix: &str) -> Result<Vec<Progress>, AppendError>;
}

/// What one push or one hand-over brings.
#[derive(Debug, Clone, Default)]
pub struct LogBatch<'a> {
    /// Streams with their lines; a stream may come more than once.
    pub streams: Vec<LogStream<'a>>,
    /// How far the readers behind this batch have come once its lines are held.
    pub progress: Vec<Progress>,
}

/// Lines of one stream.
#[derive(Debug, Clone)]
pub struct LogStream<'a> {
    /// Which stream; never empty.
    pub labels: Labels,
    /// Its lines, in the order in which they were written.
    pub rows: Vec<LogRow<'a>>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRow<'a> {
    /// When it was written.
    pub timestamp: Nanos,
    /// The line without its newline; any bytes.
    pub line: Cow<'a, [u8]>,
    /// Labels of the line rather than of its stream; empty for most.
    pub structured_metadata: Labels,
}

/// How far a reader has come, in its own words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Progress {
    /// Which reader, such as `file:/var/log/syslog`.
    pub key: Arc<str>,
    /// Where it goes on, readable for it alone; `None` forgets the key.
    pub value: Option<Arc<str>>,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogReport {
    /// Lines that are held now.
    pub appended: usize,
    /// Lines that were already there; not an error, and not held again.
    pub duplicates: usize,
    /// Lines that were refused, in the order of the batch.
    pub rejected: Vec<RejectedLine>,
}

/// One line that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RejectedLine {
    /// The place of its stream in the batch.
    pub stream: usize,
    /// The place of the line in its stream.
    pub row: usize,
    /// Why.
    pub reason: LogRejectReason,
}

/// Why a line was refused. What Loki says about each is the edge's business, because its texts
/// name the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogRejectReason {
    /// Older than the newest line of its stream by more than the window.
    #[error("entry too far behind, oldest acceptable timestamp is {oldest} ns")]
    TooFarBehind {
        /// The earliest time that this stream still takes.
        oldest: Nanos,
    },
    /// One more stream than the limit allows.
    #[error("the limit of {limit} streams is reached; see --logs.max-streams")]
    StreamLimit {
        /// The limit in force.
        limit: usize,
    },
    /// Against a limit that every line has to keep, whichever way it comes.
    #[error("{reason}; see --{flag}")]
    Limit {
        /// The value of the `reason` label.
        reason: &'static str,
        /// The flag that sets the limit.
        flag: &'static str,
    },
    /// Longer than a block can hold.
    #[error("line of more than {limit} bytes; see --logs.max-line-size")]
    LineTooLong {
        /// The limit in force.
        limit: usize,
    },
}

impl LogRejectReason {
    /// The value of the `reason` label where refusals are counted; Loki's words.
    pub fn as_label(self) -> &'static str {
        match self {
            Self::TooFarBehind { .. } => "too_far_behind",
            Self::StreamLimit { .. } => "stream_limit",
            Self::LineTooLong { .. } => "line_too_long",
            Self::Limit { reason, .. } => reason,
        }
    }
}
