//! `| unwrap label`: a label's value as a sample.
//!
//! A line without the label, or with an empty one, has no sample. A value that cannot be read
//! marks the line with `SampleExtractionErr` and counts as zero, so that a filter behind the
//! unwrapping can still drop it.

use masthead_template::go;

use super::{Line, Needed};

pub(super) const SAMPLE_ERROR: &str = "SampleExtractionErr";

/// How a value is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Conversion {
    /// As a number.
    #[default]
    Number,
    /// As a duration such as `1h30m`, in seconds: `duration(…)` and `duration_seconds(…)`.
    Duration,
    /// As a size such as `5KB`, in bytes: `bytes(…)`.
    Bytes,
}

/// `| unwrap label`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unwrap {
    label: Box<str>,
    conversion: Conversion,
}

impl Unwrap {
    /// The label and how it is read.
    pub fn new(label: &str, conversion: Conversion) -> Self {
        Self { label: label.into(), conversion }
    }

    /// The label whose value becomes the sample.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Adds the label to what parsers must extract.
    pub fn needs(&self, needed: &mut Needed) {
        needed.add(&self.label);
    }

    /// The sample of a line; nothing when the line has none.
    pub fn value(&self, line: &mut Line<'_>) -> Option<f64> {
        let value = line.get(&self.label).filter(|value| !value.is_empty())?;
        #[expect(clippy::cast_precision_loss, reason = "samples are floats, here as in Loki")]
        let read = match self.conversion {
            Conversion::Number => go::parse_float(value),
            Conversion::Duration => go::parse_duration(value).map(seconds),
            Conversion::Bytes => go::parse_bytes(value).map(|bytes| bytes as f64),
        };
        Some(read.unwrap_or_else(|details| {
            line.set_error(SAMPLE_ERROR, details);
            0.0
        }))
    }
}

/// As Go's `Duration.Seconds`: whole seconds and the rest are divided apart.
#[expect(
    clippy::cast_precision_loss,
    reason = "both parts are below 2^53 but for the first, as in Go"
)]
fn seconds(nanos: i64) -> f64 {
    (nanos / 1_000_000_000) as f64 + (nanos % 1_000_000_000) as f64 / 1e9
}
