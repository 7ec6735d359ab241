//! The messages from protobuf.

use std::fmt::Write as _;

use masthead_model::HistogramError;
use serde_json::{Map, Value};

use super::message::{
    Attributes, Buckets, Data, Metric, Point, PointExemplar, Resource, Scope, Text, float, number,
};
use crate::{
    Error, Limits,
    proto::{Field, Reader},
};

/// Attribute values can hold attribute values; more than this is an attack.
const DEPTH_MAX: usize = 32;

/// A histogram with more buckets on one side is refused, and the body with it.
const BUCKETS_MAX: usize = 100_000;

/// Which kind of data point a message is; their fields are numbered differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Histogram,
    Exponential,
    Summary,
}

/// What a body may still bring; a message takes more memory than its bytes.
#[derive(Debug, Default)]
pub(super) struct Budget {
    spent: usize,
}

impl Budget {
    pub(super) fn spend(&mut self, items: usize) -> Result<(), Error> {
        self.spent = self.spent.saturating_add(items);
        Limits::check_items(self.spent)
    }
}

/// Items that a data point, metric, scope or resource counts for, by the memory that it takes.
pub(super) const MESSAGE_ITEMS: usize = 8;

pub(super) fn request(body: &[u8]) -> Result<Vec<Resource<'_>>, Error> {
    let mut budget = Budget::default();
    let mut fields = Reader::new(body, "ExportMetricsServiceRequest");
    let mut resources = Vec::new();
    while let Some(field) = fields.next()? {
        if field.number == 1 {
            resources.push(resource(&field, &mut budget)?);
        }
    }
    Ok(resources)
}

fn resource<'a>(field: &Field<'a>, budget: &mut Budget) -> Result<Resource<'a>, Error> {
    budget.spend(MESSAGE_ITEMS)?;
    let mut fields = field.message("ResourceMetrics")?;
    let mut out = Resource::default();
    while let Some(field) = fields.next()? {
        match field.number {
            1 => {
                let mut fields = field.message("Resource")?;
                while let Some(field) = fields.next()? {
                    if field.number == 1 {
                        attribute(&field, &mut out.attributes, budget)?;
                    }
                }
            }
            2 => out.scopes.push(scope(&field, budget)?),
            _ => {}
        }
    }
    Ok(out)
}

fn scope<'a>(field: &Field<'a>, budget: &mut Budget) -> Result<Scope<'a>, Error> {
    budget.spend(MESSAGE_ITEMS)?;
    let mut fields = field.message("ScopeMetrics")?;
    let mut out = Scope::default();
    while let Some(field) = fields.next()? {
        match field.number {
            1 => {
                let mut fields = field.message("InstrumentationScope")?;
                while let Some(field) = fields.next()? {
                    match field.number {
                        1 => out.name = field.text()?.into(),
                        2 => out.version = field.text()?.into(),
                        3 => attribute(&field, &mut out.attributes, budget)?,
                        _ => {}
                    }
                }
            }
            2 => out.metrics.push(metric(&field, budget)?),
            3 => out.schema_url = field.text()?.into(),
            _ => {}
        }
    }
    Ok(out)
}

fn metric<'a>(field: &Field<'a>, budget: &mut Budget) -> Result<Metric<'a>, Error> {
    budget.spend(MESSAGE_ITEMS)?;
    let mut fields = field.message("Metric")?;
    let mut out = Metric::default();
    while let Some(field) = fields.next()? {
        match field.number {
            1 => out.name = field.text()?.into(),
            2 => out.description = field.text()?.into(),
            3 => out.unit = field.text()?.into(),
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

    budget.spend(MESSAGE_ITEMS)?;
    let mut fields = field.message("data point")?;
    let mut out = Point::default();
    while let Some(field) = fields.next()? {
        match (kind, field.number) {
            (Number | Summary, 7) | (Histogram, 9) | (Exponential, 1) => {
                attribute(&field, &mut out.attributes, budget)?;
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
    budget.spend(MESSAGE_ITEMS)?;
    let mut fields = field.message("Exemplar")?;
    let mut out = PointExemplar::default();
    while let Some(field) = fields.next()? {
        match field.number {
            2 => out.time = field.fixed64()?,
            3 => out.value = field.double()?,
            4 => out.span_id = hexadecimal(field.bytes()?).into(),
            5 => out.trace_id = hexadecimal(field.bytes()?).into(),
            6 => out.value = float(field.fixed64()?.cast_signed()),
            7 => attribute(&field, &mut out.attributes, budget)?,
            _ => {}
        }
    }
    Ok(out)
}

/// An id of zeros is none.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    if bytes.iter().any(|byte| *byte != 0) {
        for byte in bytes {
            // Writing to a String cannot fail.
            write!(out, "{byte:02x}").unwrap_or_default();
        }
    }
    out
}

fn attribute<'a>(
    field: &Field<'a>,
    out: &mut Attributes<'a>,
    budget: &mut Budget,
) -> Result<(), Error> {
    budget.spend(1)?;
    let mut fields = field.message("KeyValue")?;
    let (mut key, mut value) = ("", Text::default());
    while let Some(field) = fields.next()? {
        match field.number {
            1 => key = field.text()?,
            2 => value = any_value(&field, budget)?,
            _ => {}
        }
    }
    out.push((key.into(), value));
    Ok(())
}

fn any_value<'a>(field: &Field<'a>, budget: &mut Budget) -> Result<Text<'a>, Error> {
    let mut fields = field.message("AnyValue")?;
    let mut text = Text::default();
    while let Some(field) = fields.next()? {
        text = match field.number {
            1 => field.text()?.into(),
            2 => (field.unsigned()? != 0).to_string().into(),
            3 => field.signed()?.to_string().into(),
            4 => number(field.double()?).into(),
            5 | 6 => nested(&field, 0, budget)?.to_string().into(),
            7 => base64(field.bytes()?).into(),
            _ => continue,
        };
    }
    Ok(text)
}

/// A list (5) or a map (6) as JSON, which is how it becomes a label.
fn nested(field: &Field<'_>, depth: usize, budget: &mut Budget) -> Result<Value, Error> {
    if depth > DEPTH_MAX {
        return Err(Error::Content(format!("attribute value nested more than {DEPTH_MAX} deep")));
    }
    let mut fields = field.message("ArrayValue")?;
    let is_list = field.number == 5;
    let (mut list, mut map) = (Vec::new(), Map::new());
    while let Some(field) = fields.next()? {
        if field.number != 1 {
            continue;
        }
        if is_list {
            list.push(json_value(&field, depth, budget)?);
            continue;
        }
        let mut fields = field.message("KeyValue")?;
        let (mut key, mut value) = ("", Value::Null);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => key = field.text()?,
                2 => value = json_value(&field, depth, budget)?,
                _ => {}
            }
        }
        map.insert(key.to_owned(), value);
    }
    Ok(if is_list { Value::Array(list) } else { Value::Object(map) })
}

pub(super) fn json_value(
    field: &Field<'_>,
    depth: usize,
    budget: &mut Budget,
) -> Result<Value, Error> {
    budget.spend(1)?;
    let mut fields = field.message("AnyValue")?;
    let mut value = Value::Null;
    while let Some(field) = fields.next()? {
        value = match field.number {
            1 => field.text()?.into(),
            2 => (field.unsigned()? != 0).into(),
            3 => field.signed()?.into(),
            4 => field.double()?.into(),
            5 | 6 => nested(&field, depth + 1, budget)?,
            7 => base64(field.bytes()?).into(),
            _ => continue,
        };
    }
    Ok(value)
}

/// Standard alphabet with padding (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_usize, |group, byte| group << 8 | usize::from(*byte));
        let group = group << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let index = group >> (18 - 6 * digit) & 63;
            let shown = if digit > chunk.len() {
                b'='
            } else {
                ALPHABET.get(index).copied().unwrap_or(b'=')
            };
            out.push(char::from(shown));
        }
    }
    out
}
