//! Metrics from protobuf.

use masthead_model::HistogramError;

use super::{
    envelope::{Budget, Signal, attribute, request as read_request},
    message::{Buckets, Data, Metric, Point, PointExemplar, Resource, Text, float},
    metrics_json,
    value::{Any, hexadecimal},
};
use crate::{Error, proto::Field, scan::Scan};

/// A histogram with more buckets on one side is refused, and the body with it.
pub(super) const BUCKETS_MAX: usize = 100_000;

/// Which kind of data point a message is; their fields are numbered differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Histogram,
    Exponential,
    Summary,
}

/// Reads metrics; attribute values become the texts of labels.
pub(super) struct Metrics;

impl<'a> Signal<'a> for Metrics {
    type Value = Text<'a>;
    type Item = Metric<'a>;
    const MESSAGES: [&'static str; 3] =
        ["ExportMetricsServiceRequest", "ResourceMetrics", "ScopeMetrics"];
    const KEYS: [&'static str; 3] = ["resourceMetrics", "scopeMetrics", "metrics"];

    fn value(value: Any<'a>) -> Text<'a> {
        value.into_text()
    }

    fn item(field: &Field<'a>, budget: &mut Budget) -> Result<Metric<'a>, Error> {
        metric(field, budget)
    }

    fn item_of_json(scan: &mut Scan<'a>, budget: &mut Budget) -> Result<Metric<'a>, Error> {
        metrics_json::metric(scan, budget)
    }
}

pub(super) fn request(body: &[u8]) -> Result<Vec<Resource<'_>>, Error> {
    read_request::<Metrics>(body)
}

fn metric<'a>(field: &Field<'a>, budget: &mut Budget) -> Result<Metric<'a>, Error> {
    let mut fields = field.message("Metric")?;
    let mut out = Metric::default();
    while let Some(field) = fields.next()? {
        match field.number {
            1 => out.name = field.any_text()?,
            2 => out.description = field.any_text()?,
            3 => out.unit = field.any_text()?,
            5 => out.data = Data::Gauge(data(&field, Kind::Number, budget)?.0),
            7 => {
                let (points, temporality, monotonic) = data(&field, Kind::Number, budget)?;
                out.data = Data::Sum { points, temporality, monotonic };
            }
            9 => {
                let (points, temporality, _) = data(&field, Kind::Histogram, budget)?;
                out.data = Data::Histogram { points, temporality };
            }
            10 => {
                let (points, temporality, _) = data(&field, Kind::Exponential, budget)?;
                out.data = Data::Exponential { points, temporality };
            }
            11 => out.data = Data::Summary(data(&field, Kind::Summary, budget)?.0),
            _ => {}
        }
    }
    Ok(out)
}

/// The points, their temporality, and whether they only rise.
fn data<'a>(
    field: &Field<'a>,
    kind: Kind,
    budget: &mut Budget,
) -> Result<(Vec<Point<'a>>, u64, bool), Error> {
    let mut fields = field.message("data")?;
    let (mut points, mut temporality, mut monotonic) = (Vec::new(), 0, false);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => points.push(point(&field, kind, budget)?),
            2 => temporality = field.unsigned()?,
            3 => monotonic = field.unsigned()? != 0,
            _ => {}
        }
    }
    Ok((points, temporality, monotonic))
}

fn point<'a>(field: &Field<'a>, kind: Kind, budget: &mut Budget) -> Result<Point<'a>, Error> {
    use Kind::{Exponential, Histogram, Number, Summary};

    budget.message()?;
    let mut fields = field.message("data point")?;
    let mut out = Point::default();
    while let Some(field) = fields.next()? {
        match (kind, field.number) {
            (Number | Summary, 7) | (Histogram, 9) | (Exponential, 1) => {
                out.attributes.push(attribute::<Metrics>(&field, budget)?);
            }
            (_, 2) => out.start = field.fixed64()?,
            (_, 3) => out.time = field.fixed64()?,
            (Number, 4) => out.value = field.double()?,
            (Number, 6) => out.value = float(field.fixed64()?.cast_signed()),
            (Number, 5) | (Histogram, 8) | (Exponential, 11) => {
                out.exemplars.push(exemplar(&field, budget)?);
            }
            (Number | Summary, 8) | (Histogram | Exponential, 10) => {
                out.flags = field.unsigned()?;
            }
            (Histogram | Exponential | Summary, 4) => out.count = field.fixed64()?,
            (Histogram | Exponential | Summary, 5) => out.sum = Some(field.double()?),
            (Histogram, 6) => field.each_fixed64(|count| out.bucket_counts.push(count))?,
            (Histogram, 7) => {
                field.each_fixed64(|bits| out.explicit_bounds.push(f64::from_bits(bits)))?;
            }
            (Exponential, 6) => out.scale = field.sint32()?,
            (Exponential, 7) => out.zero_count = field.fixed64()?,
            (Exponential, 8) => out.positive = buckets(&field)?,
            (Exponential, 9) => out.negative = buckets(&field)?,
            (Summary, 6) => {
                let mut fields = field.message("ValueAtQuantile")?;
                let mut pair = (0.0, 0.0);
                while let Some(field) = fields.next()? {
                    match field.number {
                        1 => pair.0 = field.double()?,
                        2 => pair.1 = field.double()?,
                        _ => {}
                    }
                }
                budget.spend(1)?;
                out.quantiles.push(pair);
            }
            _ => {}
        }
    }
    Ok(out)
}

fn buckets(field: &Field<'_>) -> Result<Buckets, Error> {
    let mut fields = field.message("Buckets")?;
    let mut out = Buckets::default();
    while let Some(field) = fields.next()? {
        match field.number {
            1 => out.offset = field.sint32()?,
            2 => field.each_varint(|count| {
                if out.counts.len() <= BUCKETS_MAX {
                    out.counts.push(count);
                }
            })?,
            _ => {}
        }
    }
    if out.counts.len() > BUCKETS_MAX {
        return Err(Error::Histogram(HistogramError::TooManyBuckets));
    }
    Ok(out)
}

fn exemplar<'a>(field: &Field<'a>, budget: &mut Budget) -> Result<PointExemplar<'a>, Error> {
    budget.message()?;
    let mut fields = field.message("Exemplar")?;
    let mut out = PointExemplar::default();
    while let Some(field) = fields.next()? {
        match field.number {
            2 => out.time = field.fixed64()?,
            3 => out.value = field.double()?,
            4 => out.span_id = hexadecimal(field.bytes()?).into(),
            5 => out.trace_id = hexadecimal(field.bytes()?).into(),
            6 => out.value = float(field.fixed64()?.cast_signed()),
            7 => out.attributes.push(attribute::<Metrics>(&field, budget)?),
            _ => {}
        }
    }
    Ok(out)
}
