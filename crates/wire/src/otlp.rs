//! OTLP: metrics as Prometheus stores them, and logs as Loki does (`otlp/logs.rs`).
//!
//! A body of metrics is read into plain messages (`otlp/message.rs`), from protobuf
//! (`otlp/decode.rs`; what logs share is in `otlp/envelope.rs`) or JSON (`otlp/metrics_json.rs`; what
//! logs share is in `otlp/json.rs`), values of attributes by `otlp/value.rs`, and then translated (`otlp/translate.rs`): names get units and suffixes (`otlp/names.rs`), resources
//! become `job`, `instance` and `target_info`, exponential histograms become native ones
//! (`otlp/histogram.rs`). Metrics that cannot be translated are told about and do not hold up the
//! others; deltas are among them, because nothing here keeps state to add them up.
//! Facts: `storage/remote/otlptranslator`, `prometheus/otlptranslator`.

use masthead_model::Labels;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Exemplar, Limits, MetricType,
    remote_write::{FloatPoint, HistogramPoint},
};

mod decode;
mod envelope;
mod histogram;
mod json;
pub mod logs;
mod message;
mod metrics_json;
mod names;
mod translate;
mod value;

/// How names are made to fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, Serialize)]
pub enum TranslationStrategy {
    /// Underscores for what older Prometheus refuses; unit and type at the end of the name.
    #[default]
    UnderscoreEscapingWithSuffixes,
    /// Underscores, but no suffixes.
    UnderscoreEscapingWithoutSuffixes,
    /// Names as they are; unit and type at the end of the name.
    NoUTF8EscapingWithSuffixes,
    /// Names as they are.
    NoTranslation,
}

impl TranslationStrategy {
    fn escapes(self) -> bool {
        matches!(
            self,
            Self::UnderscoreEscapingWithSuffixes | Self::UnderscoreEscapingWithoutSuffixes
        )
    }

    fn adds_suffixes(self) -> bool {
        matches!(self, Self::UnderscoreEscapingWithSuffixes | Self::NoUTF8EscapingWithSuffixes)
    }
}

/// The section `otlp` of a Prometheus configuration.
#[expect(clippy::struct_excessive_bools, reason = "each is one key of the configuration")]
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Resource attributes that every series of the resource gets as labels.
    pub promote_resource_attributes: Vec<String>,
    /// Whether all of them are, but for those to be ignored.
    pub promote_all_resource_attributes: bool,
    /// What is not promoted when all are.
    pub ignore_resource_attributes: Vec<String>,
    /// How names are made to fit.
    pub translation_strategy: TranslationStrategy,
    /// Whether `target_info` also has what `job` and `instance` were made from.
    pub keep_identifying_resource_attributes: bool,
    /// Whether histograms with explicit bounds become native ones with custom buckets.
    pub convert_histograms_to_nhcb: bool,
    /// Whether the name, version, schema and attributes of the scope become labels.
    pub promote_scope_metadata: bool,
}

/// One series of a body.
#[derive(Debug, Clone, PartialEq)]
pub struct OtlpSeries {
    /// Its labels.
    pub labels: Labels,
    /// Float samples in the order of the body.
    pub samples: Vec<FloatPoint>,
    /// Native histograms in the order of the body.
    pub histograms: Vec<HistogramPoint>,
    /// Exemplars in the order of the body.
    pub exemplars: Vec<Exemplar>,
}

/// What is said about a metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtlpMetadata {
    /// The translated name.
    pub family: String,
    /// What it is.
    pub metric_type: MetricType,
    /// Its description.
    pub help: String,
    /// Its unit as it was sent.
    pub unit: String,
}

/// What a body says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Translated {
    /// Its series, each once.
    pub series: Vec<OtlpSeries>,
    /// Its metrics, in its order.
    pub metadata: Vec<OtlpMetadata>,
    /// What could not be translated and why; upstream answers 400 with these.
    pub errors: Vec<String>,
}

/// Reads an `ExportMetricsServiceRequest` in protobuf.
///
/// # Errors
/// [`Error::Proto`] if it is none; [`Error::Limit`]; what cannot be translated is no error but
/// listed in [`Translated::errors`].
pub fn decode_protobuf(body: &[u8], config: &Config, limits: &Limits) -> Result<Translated, Error> {
    limits.check_body(body.len())?;
    translate::translate(&decode::request(body)?, config, limits)
}

/// Reads an `ExportMetricsServiceRequest` in JSON. The body is changed: texts are unescaped where
/// they stand.
///
/// # Errors
/// [`Error::Json`] if it is none; [`Error::Limit`]; what cannot be translated is no error but
/// listed in [`Translated::errors`].
pub fn decode_json(body: &mut [u8], config: &Config, limits: &Limits) -> Result<Translated, Error> {
    limits.check_body(body.len())?;
    translate::translate(&json::request::<decode::Metrics>(body)?, config, limits)
}

#[cfg(test)]
mod tests;
