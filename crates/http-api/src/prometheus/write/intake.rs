//! Rows on their way into the sink, batch by batch, and what became of them.
//!
//! It never holds more than [`ROWS_MAX`] rows or families, and never more than [`TEXTS_MAX`] texts of what
//! was refused.

use std::sync::Arc;

use masthead_model::{ErrorClass, Labels, Millis, Value};
use masthead_ports::{AppendBatch, AppendRow, Metadata, RejectReason, SampleSink, SeriesRef};
use masthead_wire::remote_write;

use super::{
    Done, SeriesCache,
    cache::{Key, Numbering},
};
use crate::error::ApiError;

/// Rows of one batch at most; requests of ordinary size are one batch.
const ROWS_MAX: usize = 20_000;
/// Refusals that are told one by one.
const TEXTS_MAX: usize = 10;
/// Characters of one of them; label sets can be long.
const TEXT_CHARS_MAX: usize = 1000;
/// Samples further ahead of the clock are refused (`storage/remote/write_handler.go`).
const AHEAD_MS: i64 = 10 * 60 * 1000;

/// Collects rows and hands them to the sink.
pub(super) struct Intake<'a> {
    sink: &'a dyn SampleSink,
    cache: &'a SeriesCache,
    /// As it was when the request began.
    pub(super) numbering: Numbering,
    /// Places of rows in the batch whose series the sink had not numbered, with their keys.
    unnumbered: Vec<(usize, Key)>,
    latest: Millis,
    batch: AppendBatch,
    written: Written,
}

/// A series, and what is known of it from before.
#[derive(Debug)]
pub(super) struct Known {
    /// Empty if the number suffices.
    pub(super) labels: Labels,
    /// The sink's number; the default if it is not known.
    pub(super) series: SeriesRef,
    /// What to remember it by, if it is to be remembered.
    pub(super) key: Option<Key>,
}

/// What became of all rows so far.
#[derive(Debug, Default)]
pub(super) struct Written {
    samples: usize,
    histograms: usize,
    exemplars: usize,
    pub(super) refused_samples: usize,
    texts: Vec<String>,
    /// Refusals beyond [`TEXTS_MAX`].
    more: usize,
    /// The sink took a batch not at all.
    failed: Option<ApiError>,
}

impl<'a> Intake<'a> {
    pub(super) fn new(sink: &'a dyn SampleSink, cache: &'a SeriesCache, now: Millis) -> Self {
        Self {
            sink,
            cache,
            numbering: sink.numbering(),
            unnumbered: Vec::new(),
            latest: now.saturating_add(AHEAD_MS),
            batch: AppendBatch::default(),
            written: Written::default(),
        }
    }

    /// Takes a row of a series.
    ///
    /// # Errors
    /// When the sink fails; the rest of the request need not be read then.
    pub(super) fn push(&mut self, row: AppendRow, known: &Known) -> Result<(), ApiError> {
        if row.timestamp > self.latest {
            self.written.refused_samples += 1;
            let labels = self.labels_of(&row);
            self.refuse(format!(
                "out of bounds: timestamp is too far in the future for series {labels}"
            ));
            return Ok(());
        }
        if known.series == SeriesRef::default()
            && let Some(key) = known.key
        {
            self.unnumbered.push((self.batch.rows.len(), key));
        }
        self.batch.rows.push(row);
        if self.batch.rows.len() < ROWS_MAX { Ok(()) } else { self.flush() }
    }

    /// Takes what a sender says about a family.
    ///
    /// # Errors
    /// As [`Intake::push`].
    pub(super) fn metadata(
        &mut self,
        metadata: remote_write::Metadata<'_>,
    ) -> Result<(), ApiError> {
        self.batch.metadata.push(Metadata {
            family: Arc::from(metadata.family),
            metric_type: metadata.metric_type,
            help: Arc::from(metadata.help),
            unit: Arc::from(metadata.unit),
        });
        if self.batch.metadata.len() < ROWS_MAX { Ok(()) } else { self.flush() }
    }

    /// Notes that something was refused.
    pub(super) fn refuse(&mut self, mut why: String) {
        if let Some((end, _)) = why.char_indices().nth(TEXT_CHARS_MAX) {
            why.truncate(end);
            why.push('…');
        }
        if self.written.texts.len() < TEXTS_MAX {
            self.written.texts.push(why);
        } else {
            self.written.more += 1;
        }
    }

    /// Counts the samples of a series that was refused whole.
    pub(super) fn refuse_series(&mut self, samples: usize) {
        self.written.refused_samples += samples;
    }

    /// Hands on the last rows and says what became of all.
    pub(super) fn finish(mut self) -> Written {
        if self.written.failed.is_none()
            && !(self.batch.rows.is_empty() && self.batch.metadata.is_empty())
            && let Err(error) = self.flush()
        {
            self.written.failed = Some(error);
        }
        self.written
    }

    fn labels_of(&self, row: &AppendRow) -> Labels {
        let known = || self.sink.labels_of(row.series).unwrap_or_default();
        if row.labels.is_empty() { known() } else { row.labels.clone() }
    }

    fn flush(&mut self) -> Result<(), ApiError> {
        let report = match self.sink.append(&mut self.batch) {
            Ok(report) => report,
            Err(error) => {
                let error = ApiError::from(error);
                self.written.failed = Some(error.clone());
                return Err(error);
            }
        };
        let rows = std::mem::take(&mut self.batch.rows);
        for (at, key) in self.unnumbered.drain(..) {
            if let Some(row) = rows.get(at).filter(|row| row.series != SeriesRef::default()) {
                self.cache.keep(key, &row.labels, row.series, self.numbering);
            }
        }
        self.batch.metadata.clear();
        let exemplars: usize = rows.iter().map(|row| row.exemplars.len()).sum();
        self.written.exemplars += exemplars.saturating_sub(report.rejected_exemplars);
        let histograms = |rows: &mut dyn Iterator<Item = &AppendRow>| {
            rows.filter(|row| matches!(row.value, Value::Histogram(_))).count()
        };
        let refused_rows = || report.rejected.iter().filter_map(|(at, _)| rows.get(*at));
        let refused_histograms = histograms(&mut refused_rows());
        let all_histograms = histograms(&mut rows.iter());
        let refused_floats = report.rejected.len() - refused_histograms;
        self.written.histograms += all_histograms - refused_histograms;
        self.written.samples += rows.len() - all_histograms - refused_floats;
        self.written.refused_samples += report.rejected.len();
        for (at, reason) in &report.rejected {
            if let Some(row) = rows.get(*at) {
                self.refuse(format!("{reason} for series {}", self.labels_of(row)));
            }
        }
        if report.rejected.iter().any(|(_, reason)| *reason == RejectReason::UnknownSeries) {
            // Gone since the request began. Sent again, what was taken is recognised.
            let message = "a series was dropped meanwhile; send the request again";
            let error = ApiError::new(ErrorClass::Unavailable, message);
            self.written.failed = Some(error.clone());
            return Err(error);
        }
        // The memory of the rows serves the next batch.
        self.batch.rows = rows;
        self.batch.rows.clear();
        Ok(())
    }
}

impl Written {
    /// Samples that are held now.
    pub(super) fn accepted(&self) -> usize {
        self.samples + self.histograms
    }

    /// What to answer.
    ///
    /// # Errors
    /// What the sink said when it took nothing.
    pub(super) fn into_result(self) -> Result<Done, ApiError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let Self { samples, histograms, exemplars, texts: mut refused, more, .. } = self;
        if more > 0 {
            refused.push(format!("{more} more were refused"));
        }
        Ok(Done { samples, histograms, exemplars, refused })
    }
}
