//! Rows on their way into the sink, batch by batch, and what became of them.
//!
//! It never holds more than [`ROWS_MAX`] rows, families or series with exemplars alone, and never
//! more than [`TEXTS_MAX`] texts of what was refused.

use std::sync::Arc;

use masthead_model::{ErrorClass, Labels, Millis, Value};
use masthead_ports::{
    AppendBatch, AppendRow, Exemplar, Metadata, RejectReason, SampleSink, SeriesExemplars,
    SeriesRef,
};
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
    pub(super) refused_exemplars: usize,
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
            let labels = self.labels_of(&row.labels, row.series);
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

    /// Takes exemplars that came without a sample of their series.
    ///
    /// # Errors
    /// As [`Intake::push`].
    pub(super) fn exemplars(
        &mut self,
        labels: &Labels,
        exemplars: &[Exemplar],
    ) -> Result<(), ApiError> {
        let exemplars = self.timely(exemplars);
        if !exemplars.is_empty() {
            self.batch.exemplars.push(SeriesExemplars { labels: labels.clone(), exemplars });
        }
        if self.batch.exemplars.len() < ROWS_MAX { Ok(()) } else { self.flush() }
    }

    /// The exemplars that are not too far ahead of the clock; one that is would keep all that
    /// follow it out.
    pub(super) fn timely(&mut self, exemplars: &[Exemplar]) -> Vec<Exemplar> {
        let latest = self.latest;
        let is_timely = |e: &&Exemplar| e.timestamp.is_none_or(|time| time <= latest);
        let timely: Vec<_> = exemplars.iter().filter(is_timely).cloned().collect();
        self.written.refused_exemplars += exemplars.len() - timely.len();
        timely
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

    /// Counts exemplars that could not be read.
    pub(super) fn refuse_exemplars(&mut self, exemplars: usize) {
        self.written.refused_exemplars += exemplars;
    }

    /// Hands on the last rows and says what became of all.
    pub(super) fn finish(mut self) -> Written {
        if self.written.failed.is_none()
            && !self.is_empty()
            && let Err(error) = self.flush()
        {
            self.written.failed = Some(error);
        }
        self.written
    }

    /// The labels of a series of which only the number may be known.
    pub(super) fn labels_of(&self, labels: &Labels, series: SeriesRef) -> Labels {
        let known = || self.sink.labels_of(series).unwrap_or_default();
        if labels.is_empty() { known() } else { labels.clone() }
    }

    fn is_empty(&self) -> bool {
        let AppendBatch { rows, metadata, exemplars, .. } = &self.batch;
        rows.is_empty() && metadata.is_empty() && exemplars.is_empty()
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
        let of_rows: usize = rows.iter().map(|row| row.exemplars.len()).sum();
        let alone: usize = self.batch.exemplars.drain(..).map(|of| of.exemplars.len()).sum();
        let histograms = |rows: &mut dyn Iterator<Item = &AppendRow>| {
            rows.filter(|row| matches!(row.value, Value::Histogram(_))).count()
        };
        let refused_rows = || report.rejected.iter().filter_map(|(at, _)| rows.get(*at));
        let with_rows: usize = refused_rows().map(|row| row.exemplars.len()).sum();
        let refused_exemplars = report.rejected_exemplars + with_rows;
        self.written.exemplars += (of_rows + alone).saturating_sub(refused_exemplars);
        self.written.refused_exemplars += refused_exemplars;
        let refused_histograms = histograms(&mut refused_rows());
        let all_histograms = histograms(&mut rows.iter());
        let refused_floats = report.rejected.len() - refused_histograms;
        self.written.histograms += all_histograms - refused_histograms;
        self.written.samples += rows.len() - all_histograms - refused_floats;
        self.written.refused_samples += report.rejected.len();
        for (at, reason) in &report.rejected {
            if let Some(row) = rows.get(*at) {
                self.refuse(format!(
                    "{reason} for series {}",
                    self.labels_of(&row.labels, row.series)
                ));
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
