//! Where samples go: the local store, a forwarder, or several of them.
//!
//! A batch is one scrape or one push. It is acknowledged as a whole once the sink has made it as
//! durable as it promises; single rows can be refused (out of order, too old) without the rest.

use std::{fmt::Debug, sync::Arc};

use masthead_model::{ErrorClass, Exemplar, Labels, MetricType, Millis, Value};

/// Where samples go.
pub trait SampleSink: Send + Sync + Debug {
    /// Takes the rows of a batch. When this returns `Ok`, every row that the report does not
    /// name as refused is held durably, as far as the sink's configuration promises.
    ///
    /// Fills [`AppendRow::series`] of the rows it knows, so that the caller's next batch finds
    /// its series without a look-up. References stay valid until the process ends; one that the
    /// sink no longer knows is resolved again by the row's labels.
    ///
    /// # Errors
    /// [`AppendError`] when nothing of the batch is promised to be held; the same batch can be
    /// sent again if its class is retryable.
    fn append(&self, batch: &mut AppendBatch) -> Result<AppendReport, AppendError>;

    /// As long as this stays the same, a row whose series has a number may come without labels, so
    /// that senders need not keep them too. One that comes too late is refused as
    /// [`RejectReason::UnknownSeries`], and can be sent again with labels. None: rows have labels.
    fn numbering(&self) -> Option<u64> {
        None
    }

    /// The labels of a series that the sink has given a number, if it still knows them.
    fn labels_of(&self, _series: SeriesRef) -> Option<Labels> {
        None
    }
}

/// A sink's own number for a series; zero where none is known yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SeriesRef(pub u64);

/// What one scrape or one push brings.
#[derive(Debug, Clone, Default)]
pub struct AppendBatch {
    /// Which scrape target or sender this is; rows of one group at one time share a column of
    /// timestamps in the store. Zero where samples have nothing in common.
    pub group: u64,
    /// The samples, in any order.
    pub rows: Vec<AppendRow>,
    /// What is known about metric families.
    pub metadata: Vec<Metadata>,
    /// Exemplars that came without a sample of their series, taken after the rows; a store refuses
    /// those of series that it does not have.
    pub exemplars: Vec<SeriesExemplars>,
}

/// Exemplars of one series.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesExemplars {
    /// Whose they are; never empty.
    pub labels: Labels,
    /// Examples of what was counted, by time.
    pub exemplars: Vec<Exemplar>,
}

/// One sample of one series.
#[derive(Debug, Clone)]
pub struct AppendRow {
    /// Whose sample it is; may be empty where the number suffices ([`SampleSink::numbering`]).
    pub labels: Labels,
    /// The sink's number for the series, from an earlier batch.
    pub series: SeriesRef,
    /// When it was measured.
    pub timestamp: Millis,
    /// When the counter started counting, if the source says so.
    pub start: Option<Millis>,
    /// What was measured.
    pub value: Value,
    /// Examples of what was counted; mostly none.
    pub exemplars: Vec<Exemplar>,
}

impl AppendRow {
    /// A float sample without anything beside it.
    pub fn float(labels: Labels, timestamp: Millis, value: f64) -> Self {
        Self {
            labels,
            series: SeriesRef::default(),
            timestamp,
            start: None,
            value: Value::Float(value),
            exemplars: Vec::new(),
        }
    }
}

/// What is known about a metric family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// The family's name.
    pub family: Arc<str>,
    /// What it is.
    pub metric_type: MetricType,
    /// What it means, in words.
    pub help: Arc<str>,
    /// What it counts in, such as `seconds`.
    pub unit: Arc<str>,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AppendReport {
    /// Rows that are held now.
    pub appended: usize,
    /// Rows that were already there with the same value; not an error, and not held again.
    pub duplicates: usize,
    /// Rows that were refused, by their place in the batch.
    pub rejected: Vec<(usize, RejectReason)>,
    /// Exemplars that were refused, of rows and of the batch; they never hold up a sample.
    pub rejected_exemplars: usize,
}

/// Why one row was refused; the texts are Prometheus' (`storage/interface.go`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RejectReason {
    /// Older than the newest sample of its series, and no window for that is configured.
    #[error("out of order sample")]
    OutOfOrder,
    /// Older than the out-of-order window.
    #[error("too old sample")]
    TooOld,
    /// Older than anything the head may take, or too far in the future.
    #[error("out of bounds")]
    OutOfBounds,
    /// Another value at the same timestamp.
    #[error("duplicate sample for timestamp")]
    DuplicateTimestamp,
    /// One more series than the limit allows.
    #[error("the limit of series is reached; see --storage.max-series")]
    SeriesLimit,
    /// The labels break a rule or a limit.
    #[error("invalid labels")]
    InvalidLabels,
    /// A native histogram that breaks a rule.
    #[error("invalid native histogram")]
    InvalidHistogram,
    /// The row has no labels, and no series has its number any more.
    #[error("unknown series")]
    UnknownSeries,
}

impl RejectReason {
    /// The value of the `reason` label where refusals are counted.
    pub fn as_label(self) -> &'static str {
        match self {
            Self::OutOfOrder => "out_of_order",
            Self::TooOld => "too_old",
            Self::OutOfBounds => "out_of_bounds",
            Self::DuplicateTimestamp => "duplicate_timestamp",
            Self::SeriesLimit => "series_limit",
            Self::InvalidLabels => "invalid_labels",
            Self::InvalidHistogram => "invalid_histogram",
            Self::UnknownSeries => "unknown_series",
        }
    }
}

/// Why nothing of a batch is promised to be held.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct AppendError {
    /// Whose fault, and whether sending again can help.
    pub class: ErrorClass,
    /// What happened, with all its causes.
    pub message: String,
}
