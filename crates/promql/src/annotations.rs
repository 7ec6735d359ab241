//! Warnings and infos that travel beside an answer.
//!
//! The evaluator notes them with the place in the query that they are about; the same text is
//! kept once, wherever it came from, as upstream does. The texts are upstream's, word for word
//! (`util/annotations/annotations.go`), because people search for them. Nothing here decides when
//! to warn: the functions and operators do.

use masthead_model::{Histogram, format_shortest, quote};

use crate::ast::{BinaryOp, PosRange};

/// The warnings and infos of one answer, with positions, as the HTTP API shows them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Annotations {
    /// Something may be wrong with the answer; each starts with `PromQL warning: ` unless it came
    /// from the store.
    pub warnings: Vec<String>,
    /// Something worth knowing; each starts with `PromQL info: `.
    pub infos: Vec<String>,
}

/// What is noted while a query is evaluated; each text once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notes(Vec<Note>);

/// One warning or info.
#[derive(Debug, Clone)]
pub(crate) struct Note {
    severity: Severity,
    text: String,
    pos: PosRange,
    forced: Option<Forced>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Severity {
    Warning,
    Info,
}

/// How far classic buckets had to be changed so that they rise; grows as samples are merged.
#[derive(Debug, Clone, Copy)]
struct Forced {
    first_ms: i64,
    last_ms: i64,
    bucket_min: f64,
    bucket_max: f64,
    diff_max: f64,
    samples: u64,
}

/// What was done to histograms when something about it was noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HistogramOperation {
    Addition,
    Subtraction,
    Aggregation,
}

impl Notes {
    /// Adds a note unless one of the same text is there.
    pub(crate) fn add(&mut self, note: Note) {
        match self.0.iter_mut().find(|known| known.text == note.text) {
            Some(known) => known.merge(&note),
            None => self.0.push(note),
        }
    }

    /// Adds all notes of `other`.
    pub(crate) fn merge(&mut self, other: Self) {
        for note in other.0 {
            self.add(note);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The notes as texts, with their places in `query`.
    pub(crate) fn render(&self, query: &str) -> Annotations {
        let mut annotations = Annotations::default();
        for note in &self.0 {
            match note.severity {
                Severity::Warning => annotations.warnings.push(note.render(query)),
                Severity::Info => annotations.infos.push(note.render(query)),
            }
        }
        annotations
    }
}

impl Note {
    fn warning(text: String, pos: PosRange) -> Self {
        Self { severity: Severity::Warning, text, pos, forced: None }
    }

    fn info(text: String, pos: PosRange) -> Self {
        Self { severity: Severity::Info, text, pos, forced: None }
    }

    fn merge(&mut self, other: &Self) {
        if let (Some(mine), Some(theirs)) = (&mut self.forced, &other.forced) {
            mine.first_ms = mine.first_ms.min(theirs.first_ms);
            mine.last_ms = mine.last_ms.max(theirs.last_ms);
            mine.bucket_min = mine.bucket_min.min(theirs.bucket_min);
            mine.bucket_max = mine.bucket_max.max(theirs.bucket_max);
            mine.diff_max = mine.diff_max.max(theirs.diff_max);
            mine.samples += theirs.samples;
        }
    }

    fn render(&self, query: &str) -> String {
        let prefix = match self.severity {
            Severity::Warning => "PromQL warning: ",
            Severity::Info => "PromQL info: ",
        };
        let detail = self.forced.map_or_else(String::new, Forced::render);
        format!("{prefix}{}{detail} ({})", self.text, place(query, self.pos.start))
    }

    pub(crate) fn invalid_quantile(quantile: f64, pos: PosRange) -> Self {
        let got = format_shortest(quantile, 6);
        Self::warning(format!("quantile value should be between 0 and 1, got {got}"), pos)
    }

    pub(crate) fn invalid_ratio(ratio: f64, capped: f64, pos: PosRange) -> Self {
        let (got, capped) = (format_shortest(ratio, 6), format_shortest(capped, 6));
        let text =
            format!("ratio value should be between -1 and 1, got {got}, capping to {capped}");
        Self::warning(text, pos)
    }

    pub(crate) fn bad_bucket_label(metric: &str, label: &str, pos: PosRange) -> Self {
        let label = quote(label);
        let text = format!("bucket label \"le\" is missing or has a malformed value of {label}");
        Self::warning(with_metric(&text, metric), pos)
    }

    pub(crate) fn mixed_floats_histograms(metric: &str, pos: PosRange) -> Self {
        let metric = quote(metric);
        let text = format!("encountered a mix of histograms and floats for metric name {metric}");
        Self::warning(text, pos)
    }

    pub(crate) fn mixed_floats_histograms_aggregation(pos: PosRange) -> Self {
        let text = "encountered a mix of histograms and floats for aggregation";
        Self::warning(text.to_owned(), pos)
    }

    pub(crate) fn mixed_classic_native(metric: &str, pos: PosRange) -> Self {
        let text = "vector contains a mix of classic and native histograms";
        Self::warning(with_metric(text, metric), pos)
    }

    pub(crate) fn not_a_counter(metric: &str, pos: PosRange) -> Self {
        let metric = quote(metric);
        Self::warning(format!("this native histogram metric is not a counter: {metric}"), pos)
    }

    pub(crate) fn not_a_gauge(metric: &str, pos: PosRange) -> Self {
        let metric = quote(metric);
        Self::warning(format!("this native histogram metric is not a gauge: {metric}"), pos)
    }

    pub(crate) fn mixed_schemas(metric: &str, pos: PosRange) -> Self {
        let metric = quote(metric);
        let text = format!(
            "vector contains a mix of histograms with exponential and custom buckets schemas for metric name {metric}"
        );
        Self::warning(text, pos)
    }

    pub(crate) fn incompatible_buckets(op: BinaryOp, pos: PosRange) -> Self {
        let text = format!("incompatible bucket layout encountered for binary operator {op}");
        Self::warning(text, pos)
    }

    pub(crate) fn counter_reset_collision(operation: HistogramOperation, pos: PosRange) -> Self {
        let during = operation.as_str();
        Self::warning(format!("conflicting counter resets during histogram {during}"), pos)
    }

    pub(crate) fn sort_in_range_query(pos: PosRange) -> Self {
        let text =
            "sort is ineffective for range queries since results are always ordered by labels";
        Self::warning(text.to_owned(), pos)
    }

    pub(crate) fn start_time_overlap(metric: &str, pos: PosRange) -> Self {
        let text = "sample has start time that overlaps with previous sample timestamp for metric";
        Self::warning(format!("{text} {}", quote(metric)), pos)
    }

    pub(crate) fn possible_non_counter(metric: &str, pos: PosRange) -> Self {
        let text =
            "metric might not be a counter, name does not end in _total/_sum/_count/_bucket:";
        Self::info(format!("{text} {}", quote(metric)), pos)
    }

    pub(crate) fn possible_non_counter_label(
        metric: &str,
        type_label: &str,
        pos: PosRange,
    ) -> Self {
        let (got, metric) = (quote(type_label), quote(metric));
        let text = format!(
            "metric might not be a counter, __type__ label is not set to \"counter\" or \"histogram\", got {got}: {metric}"
        );
        Self::info(text, pos)
    }

    /// `bucket_min`, `bucket_max` and `diff_max` say where and by how much counts were raised.
    pub(crate) fn forced_monotonicity(
        metric: &str,
        pos: PosRange,
        at_ms: i64,
        (bucket_min, bucket_max, diff_max): (f64, f64, f64),
    ) -> Self {
        let text = "input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)";
        let forced = Forced {
            first_ms: at_ms,
            last_ms: at_ms,
            bucket_min,
            bucket_max,
            diff_max,
            samples: 1,
        };
        Self { forced: Some(forced), ..Self::info(with_metric(text, metric), pos) }
    }

    pub(crate) fn incompatible_types(left: &str, op: BinaryOp, right: &str, pos: PosRange) -> Self {
        let quoted = quote(op.as_str());
        let text = format!(
            "incompatible sample types encountered for binary operator {quoted}: {left} {op} {right}"
        );
        Self::info(text, pos)
    }

    pub(crate) fn histogram_ignored(aggregation: &str, pos: PosRange) -> Self {
        Self::info(format!("ignored histogram in {aggregation} aggregation"), pos)
    }

    pub(crate) fn histogram_ignored_in_range(metric: &str, pos: PosRange) -> Self {
        let text =
            "ignored histograms in a range containing both floats and histograms for metric name";
        Self::info(format!("{text} {}", quote(metric)), pos)
    }

    pub(crate) fn quantile_is_nan(metric: &str, pos: PosRange) -> Self {
        let text = "input to histogram_quantile has NaN observations, result is NaN";
        Self::info(with_metric(text, metric), pos)
    }

    pub(crate) fn quantile_is_skewed(metric: &str, pos: PosRange) -> Self {
        let text = "input to histogram_quantile has NaN observations, result is skewed higher";
        Self::info(with_metric(text, metric), pos)
    }

    pub(crate) fn fraction_without_nans(metric: &str, pos: PosRange) -> Self {
        let text = "input to histogram_fraction has NaN observations, which are excluded from all fractions";
        Self::info(with_metric(text, metric), pos)
    }

    pub(crate) fn bounds_reconciled(operation: HistogramOperation, pos: PosRange) -> Self {
        let during = operation.as_str();
        Self::info(format!("mismatched custom buckets were reconciled during {during}"), pos)
    }
}

impl Forced {
    fn render(self) -> String {
        let (min, max) = (format_shortest(self.bucket_min, 6), format_shortest(self.bucket_max, 6));
        let diff = two_digits(self.diff_max);
        let (from, to) = (instant(self.first_ms), instant(self.last_ms));
        let samples = self.samples;
        format!(
            ", from buckets {min} to {max}, with a max diff of {diff}, over {samples} samples from {from} to {to}"
        )
    }
}

impl HistogramOperation {
    fn as_str(self) -> &'static str {
        match self {
            Self::Addition => "addition",
            Self::Subtraction => "subtraction",
            Self::Aggregation => "aggregation",
        }
    }
}

fn with_metric(text: &str, metric: &str) -> String {
    if metric.is_empty() {
        text.to_owned()
    } else {
        format!("{text} for metric name {}", quote(metric))
    }
}

/// `1:6`: line and column of a byte, both from 1, as upstream's `StartPosInput`.
fn place(query: &str, at: usize) -> String {
    let Some(before) = query.as_bytes().get(..at) else { return "invalid position".to_owned() };
    let line = before.split(|byte| *byte == b'\n').count();
    let column = match before.iter().rposition(|byte| *byte == b'\n') {
        Some(line_break) => at - line_break,
        None => at + 1,
    };
    format!("{line}:{column}")
}

/// Go's `%.2g`.
fn two_digits(value: f64) -> String {
    let rounded = format!("{value:.1e}");
    let Some(value) = rounded.parse().ok().filter(|value: &f64| value.is_finite()) else {
        return format_shortest(value, 2);
    };
    format_shortest(value, 2)
}

/// RFC 3339 in UTC, cut to seconds.
fn instant(millis: i64) -> String {
    let date = crate::functions::date::Civil::from_seconds(millis / 1000);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        date.year, date.month, date.day, date.hour, date.minute, date.second
    )
}

/// The name that notes about a histogram's series carry.
pub(crate) fn metric_name(labels: &masthead_model::Labels) -> &str {
    labels.metric_name().unwrap_or("")
}

/// Notes what happened on the way of an addition or a subtraction.
pub(crate) fn note_combined(
    notes: &mut Notes,
    combined: masthead_model::Combined,
    operation: HistogramOperation,
    pos: PosRange,
) {
    if combined.bounds_reconciled {
        notes.add(Note::bounds_reconciled(operation, pos));
    }
}

/// Notes what a sum of histograms had to bridge.
pub(crate) fn note_sum(
    sum: masthead_model::SumNotes,
    operation: HistogramOperation,
    pos: PosRange,
    notes: &mut Notes,
) {
    if sum.counter_reset_collision {
        notes.add(Note::counter_reset_collision(operation, pos));
    }
    if sum.bounds_reconciled {
        notes.add(Note::bounds_reconciled(operation, pos));
    }
}

/// Adds `other` to `base`, noting what was reconciled; `false` when the two do not fit.
pub(crate) fn add_noted(
    base: &mut Histogram,
    other: &Histogram,
    notes: &mut Notes,
    metric: &str,
    pos: PosRange,
) -> bool {
    match base.add(other) {
        Ok(combined) => {
            note_combined(notes, combined, HistogramOperation::Addition, pos);
            true
        }
        Err(_) => {
            notes.add(Note::mixed_schemas(metric, pos));
            false
        }
    }
}

/// Subtracts `other` from `base`, noting what was reconciled; `false` when the two do not fit.
pub(crate) fn sub_noted(
    base: &mut Histogram,
    other: &Histogram,
    notes: &mut Notes,
    metric: &str,
    pos: PosRange,
) -> bool {
    match base.sub(other) {
        Ok(combined) => {
            note_combined(notes, combined, HistogramOperation::Subtraction, pos);
            true
        }
        Err(_) => {
            notes.add(Note::mixed_schemas(metric, pos));
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_once_with_the_place_where_it_was_first_noted() {
        let mut notes = Notes::default();
        notes.add(Note::invalid_quantile(1.5, PosRange::new(4, 5)));
        notes.add(Note::invalid_quantile(1.5, PosRange::new(9, 10)));
        notes.add(Note::possible_non_counter("x", PosRange::new(2, 3)));
        let annotations = notes.render("a\nb c d e f g");
        assert_eq!(
            annotations.warnings,
            ["PromQL warning: quantile value should be between 0 and 1, got 1.5 (2:3)"]
        );
        assert_eq!(
            annotations.infos,
            [
                "PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \"x\" (2:1)"
            ]
        );
    }

    #[test]
    fn forced_monotonicity_widens_over_the_samples_that_it_concerns() {
        let mut notes = Notes::default();
        let pos = PosRange::new(0, 1);
        notes.add(Note::forced_monotonicity("m", pos, 60_000, (0.5, 1.0, 3.0)));
        notes.add(Note::forced_monotonicity("m", pos, 0, (0.25, 0.5, 123.0)));
        let text = notes.render("x").infos.concat();
        assert!(
            text.ends_with(
                "#histogram_quantile) for metric name \"m\", from buckets 0.25 to 1, with a max diff of 1.2e+02, over 2 samples from 1970-01-01T00:00:00Z to 1970-01-01T00:01:00Z (1:1)"
            ),
            "{text}"
        );
    }
}
