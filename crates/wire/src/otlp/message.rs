//! The messages of OTLP metrics, as far as they matter here.
//!
//! Attribute values are held as the text that becomes a label. Facts: `metrics.proto`,
//! `common.proto` of opentelemetry-proto.

use std::borrow::Cow;

use super::envelope;

pub(super) type Text<'a> = Cow<'a, str>;

/// Keys and the texts that become values of labels.
pub(super) type Attributes<'a> = envelope::Attributes<'a, Text<'a>>;

pub(super) type Resource<'a> = envelope::Resource<'a, Text<'a>, Metric<'a>>;

pub(super) type Scope<'a> = envelope::Scope<'a, Text<'a>, Metric<'a>>;

#[derive(Debug, Default)]
pub(super) struct Metric<'a> {
    pub(super) name: Text<'a>,
    pub(super) description: Text<'a>,
    pub(super) unit: Text<'a>,
    pub(super) data: Data<'a>,
}

#[derive(Debug, Default)]
pub(super) enum Data<'a> {
    #[default]
    Empty,
    Gauge(Vec<Point<'a>>),
    Sum {
        points: Vec<Point<'a>>,
        temporality: u64,
        monotonic: bool,
    },
    Histogram {
        points: Vec<Point<'a>>,
        temporality: u64,
    },
    Exponential {
        points: Vec<Point<'a>>,
        temporality: u64,
    },
    Summary(Vec<Point<'a>>),
}

impl<'a> Data<'a> {
    pub(super) fn points(&self) -> &[Point<'a>] {
        match self {
            Self::Empty => &[],
            Self::Gauge(points)
            | Self::Sum { points, .. }
            | Self::Histogram { points, .. }
            | Self::Exponential { points, .. }
            | Self::Summary(points) => points,
        }
    }
}

/// A data point of any kind; what a kind does not have stays empty.
#[derive(Debug, Default)]
pub(super) struct Point<'a> {
    pub(super) attributes: Attributes<'a>,
    /// Nanoseconds since the Unix epoch; zero if not known.
    pub(super) start: u64,
    /// Nanoseconds since the Unix epoch.
    pub(super) time: u64,
    pub(super) flags: u64,
    pub(super) exemplars: Vec<PointExemplar<'a>>,
    /// Of a gauge or sum.
    pub(super) value: f64,
    /// Of a histogram or summary.
    pub(super) count: u64,
    /// Of a histogram or summary, where it can be missing.
    pub(super) sum: Option<f64>,
    pub(super) bucket_counts: Vec<u64>,
    pub(super) explicit_bounds: Vec<f64>,
    pub(super) scale: i32,
    pub(super) zero_count: u64,
    pub(super) positive: Buckets,
    pub(super) negative: Buckets,
    /// Quantiles with their values.
    pub(super) quantiles: Vec<(f64, f64)>,
}

impl Point<'_> {
    /// Whether the point says that there is nothing to say.
    pub(super) fn is_stale(&self) -> bool {
        self.flags & 1 != 0
    }
}

#[derive(Debug, Default)]
pub(super) struct Buckets {
    pub(super) offset: i32,
    pub(super) counts: Vec<u64>,
}

#[derive(Debug, Default)]
pub(super) struct PointExemplar<'a> {
    pub(super) attributes: Attributes<'a>,
    pub(super) time: u64,
    pub(super) value: f64,
    /// In hexadecimal; empty if there is none.
    pub(super) trace_id: Text<'a>,
    /// In hexadecimal; empty if there is none.
    pub(super) span_id: Text<'a>,
}

#[expect(clippy::cast_precision_loss, reason = "metrics are floats in the end")]
pub(super) fn float(value: i64) -> f64 {
    value as f64
}
