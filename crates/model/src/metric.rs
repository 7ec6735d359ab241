//! What is said about metrics beside their samples: the type of a family, and exemplars.

use crate::{Labels, Millis};

/// What a metric family is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum MetricType {
    /// Only rises, but for restarts.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts in buckets.
    Histogram,
    /// A gauge of counts in buckets.
    GaugeHistogram,
    /// Quantiles computed at the source.
    Summary,
    /// Labels that describe, with the value 1.
    Info,
    /// One of a set of states is 1.
    StateSet,
    /// Not told.
    #[default]
    Unknown,
}

impl MetricType {
    /// The name in OpenMetrics and in the API; the older text format says `untyped` for unknown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::GaugeHistogram => "gaugehistogram",
            Self::Summary => "summary",
            Self::Info => "info",
            Self::StateSet => "stateset",
            Self::Unknown => "unknown",
        }
    }
}

/// One observation that a sample counts, with the labels that lead to it (`trace_id`).
#[derive(Debug, Clone, PartialEq)]
pub struct Exemplar {
    /// Labels of the observation; at most 128 characters in all by the OpenMetrics rules.
    pub labels: Labels,
    /// The observed value.
    pub value: f64,
    /// When it was observed, if the source says so.
    pub timestamp: Option<Millis>,
}
