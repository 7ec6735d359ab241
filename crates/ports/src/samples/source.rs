//! Where samples come out.
//!
//! A query names everything it will read in one call, so that the store can pin one snapshot for
//! all of it. What comes back are labels and a reader: columns are decoded only when the
//! evaluation reaches them, into buffers that it uses again.

use std::{fmt::Debug, sync::Arc};

use masthead_model::{Exemplar, Histogram, Labels, Matcher, Millis, TimeRange};

use super::Metadata;
use crate::{QueryCtx, QueryError};

/// Where samples come out.
pub trait SampleSource: Send + Sync + Debug {
    /// Finds the series of every selection on one snapshot of the store.
    ///
    /// The answer has one entry per selection, in the same order. Within it, series come in the
    /// order of their labels, each once. A series that matches but has no sample in the range may
    /// be there or not.
    ///
    /// # Errors
    /// [`QueryError`]; damage that leaves a partial answer is a warning in `ctx` instead.
    fn select(&self, ctx: &QueryCtx, selections: &[Selection])
    -> Result<Vec<Selected>, QueryError>;

    /// Names of labels on series that match, sorted.
    ///
    /// # Errors
    /// [`QueryError`].
    fn label_names(&self, ctx: &QueryCtx, query: &LabelQuery) -> Result<Vec<String>, QueryError>;

    /// Values of the label `name` on series that match, sorted.
    ///
    /// # Errors
    /// [`QueryError`].
    fn label_values(
        &self,
        ctx: &QueryCtx,
        name: &str,
        query: &LabelQuery,
    ) -> Result<Vec<String>, QueryError>;

    /// Label sets of series that match, sorted.
    ///
    /// # Errors
    /// [`QueryError`].
    fn series(&self, ctx: &QueryCtx, query: &LabelQuery) -> Result<Vec<Labels>, QueryError>;

    /// Exemplars of series that match any of `matchers`, by series, in time order.
    ///
    /// # Errors
    /// [`QueryError`].
    fn exemplars(
        &self,
        ctx: &QueryCtx,
        matchers: &[Vec<Matcher>],
        range: TimeRange<Millis>,
    ) -> Result<Vec<(Labels, Vec<Exemplar>)>, QueryError>;

    /// What is known about metric families, sorted by name; of `metric` alone if it is given.
    ///
    /// # Errors
    /// [`QueryError`].
    fn metadata(&self, ctx: &QueryCtx, metric: Option<&str>) -> Result<Vec<Metadata>, QueryError>;
}

/// One selector of a query, with what the store may use to read less.
#[derive(Debug, Clone)]
pub struct Selection {
    /// All must match.
    pub matchers: Vec<Matcher>,
    /// Samples outside are never asked for; both ends included.
    pub range: TimeRange<Millis>,
    /// What will become of the samples.
    pub hints: SelectHints,
}

/// What will become of the samples; a store may ignore all of it.
#[derive(Debug, Clone, Default)]
pub struct SelectHints {
    /// Distance of evaluation steps in milliseconds; zero for an instant query.
    pub step_ms: i64,
    /// Length of the range selector in milliseconds; zero for an instant selector.
    pub range_ms: i64,
    /// The function or aggregation directly above the selector.
    pub function: Option<String>,
    /// At most this many series are needed.
    pub limit: Option<usize>,
    /// Whether only labels are wanted, no samples.
    pub labels_only: bool,
}

/// The series of one selection.
#[derive(Debug, Clone)]
pub struct Selected {
    /// In label order, each once.
    pub labels: Vec<Labels>,
    /// Reads series by their place in `labels`.
    pub reader: Arc<dyn SeriesReader>,
}

/// Reads the samples of selected series, from any thread.
pub trait SeriesReader: Send + Sync + Debug {
    /// Replaces what `into` holds by the samples of series number `at` within the selection's
    /// range, and charges `ctx` for them. Stale markers are kept.
    ///
    /// # Errors
    /// [`QueryError`].
    fn read(&self, ctx: &QueryCtx, at: usize, into: &mut Columns) -> Result<(), QueryError>;
}

/// The samples of one series, as columns in time order.
///
/// Floats and histograms stand apart because a series is nearly always one or the other. Within
/// each, timestamps rise strictly, and no timestamp is in both.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Columns {
    /// Times of the floats, in milliseconds.
    pub float_times: Vec<i64>,
    /// The floats.
    pub floats: Vec<f64>,
    /// Start timestamps of the floats, zero where unknown; empty when none is known.
    pub float_starts: Vec<i64>,
    /// Times of the histograms, in milliseconds.
    pub histogram_times: Vec<i64>,
    /// The histograms.
    pub histograms: Vec<Arc<Histogram>>,
    /// Start timestamps of the histograms, zero where unknown; empty when none is known.
    pub histogram_starts: Vec<i64>,
}

impl Columns {
    /// Removes all samples and keeps the memory for the next series.
    pub fn clear(&mut self) {
        self.float_times.clear();
        self.floats.clear();
        self.float_starts.clear();
        self.histogram_times.clear();
        self.histograms.clear();
        self.histogram_starts.clear();
    }

    /// How many samples there are.
    pub fn len(&self) -> usize {
        self.floats.len() + self.histograms.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Which series a question about labels means.
#[derive(Debug, Clone)]
pub struct LabelQuery {
    /// Series that match all matchers of any of these; empty means every series.
    pub matchers: Vec<Vec<Matcher>>,
    /// Series with samples around this range; stores may round it to their blocks.
    pub range: TimeRange<Millis>,
    /// At most this many answers; zero for all.
    pub limit: usize,
}
