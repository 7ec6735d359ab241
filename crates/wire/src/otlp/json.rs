//! The messages from JSON.
//!
//! Keys are in camel case, 64-bit integers may be strings, ids are hexadecimal, and what is not
//! known is passed over (OTLP specification, "JSON Protobuf Encoding").

use serde_json::{Map, Value};

use super::message::{
    Attributes, Buckets, Data, Metric, Point, PointExemplar, Resource, Scope, Text, float, number,
};
use crate::Error;

pub(super) fn request(value: &Value) -> Result<Vec<Resource<'_>>, Error> {
    if !value.is_object() {
        return Err(Error::Json("an ExportMetricsServiceRequest must be an object".to_owned()));
    }
    each(value, "resourceMetrics", |value| {
        let attributes = value.get("resource").map(|r| attributes(r, "attributes"));
        let scopes = each(value, "scopeMetrics", scope)?;
        Ok(Resource { attributes: attributes.transpose()?.unwrap_or_default(), scopes })
    })
}

fn scope(value: &Value) -> Result<Scope<'_>, Error> {
    let scope = value.get("scope").unwrap_or(&Value::Null);
    Ok(Scope {
        name: text(scope, "name")?,
        version: text(scope, "version")?,
        schema_url: text(value, "schemaUrl")?,
        attributes: attributes(scope, "attributes")?,
        dropped: 0,
        items: each(value, "metrics", metric)?,
    })
}

fn metric(value: &Value) -> Result<Metric<'_>, Error> {
    let data = |key: &str| value.get(key).map(|data| (data, each(data, "dataPoints", point)));
    let temporality = |data: &Value| match data.get("aggregationTemporality") {
        // Enums may also be written by name.
        Some(Value::String(name)) => {
            Ok(u64::from(name.ends_with("_DELTA")) + 2 * u64::from(name.ends_with("_CUMULATIVE")))
        }
        _ => unsigned(data, "aggregationTemporality"),
    };
    let data = if let Some((_, points)) = data("gauge") {
        Data::Gauge(points?)
    } else if let Some((data, points)) = data("sum") {
        let monotonic = data.get("isMonotonic").and_then(Value::as_bool).unwrap_or(false);
        Data::Sum { points: points?, temporality: temporality(data)?, monotonic }
    } else if let Some((data, points)) = data("histogram") {
        Data::Histogram { points: points?, temporality: temporality(data)? }
    } else if let Some((data, points)) = data("exponentialHistogram") {
        Data::Exponential { points: points?, temporality: temporality(data)? }
    } else if let Some((_, points)) = data("summary") {
        Data::Summary(points?)
    } else {
        Data::Empty
    };
    Ok(Metric {
        name: text(value, "name")?,
        description: text(value, "description")?,
        unit: text(value, "unit")?,
        data,
    })
}

fn point(value: &Value) -> Result<Point<'_>, Error> {
    let buckets = |key: &str| {
        let buckets = value.get(key).unwrap_or(&Value::Null);
        let counts = each(buckets, "bucketCounts", |count| to_unsigned(count, "bucketCounts"))?;
        Ok::<_, Error>(Buckets { offset: signed32(buckets, "offset")?, counts })
    };
    Ok(Point {
        attributes: attributes(value, "attributes")?,
        start: unsigned(value, "startTimeUnixNano")?,
        time: unsigned(value, "timeUnixNano")?,
        flags: unsigned(value, "flags")?,
        exemplars: each(value, "exemplars", exemplar)?,
        value: as_number(value)?,
        count: unsigned(value, "count")?,
        sum: value.get("sum").map(|sum| to_double(sum, "sum")).transpose()?,
        bucket_counts: each(value, "bucketCounts", |count| to_unsigned(count, "bucketCounts"))?,
        explicit_bounds: each(value, "explicitBounds", |b| to_double(b, "explicitBounds"))?,
        scale: signed32(value, "scale")?,
        zero_count: unsigned(value, "zeroCount")?,
        positive: buckets("positive")?,
        negative: buckets("negative")?,
        quantiles: each(value, "quantileValues", |pair| {
            Ok((double(pair, "quantile")?, double(pair, "value")?))
        })?,
    })
}

fn exemplar(value: &Value) -> Result<PointExemplar<'_>, Error> {
    let id = |key: &str| {
        let id = text(value, key)?;
        Ok::<_, Error>(if id.bytes().all(|digit| digit == b'0') { Text::default() } else { id })
    };
    Ok(PointExemplar {
        attributes: attributes(value, "filteredAttributes")?,
        time: unsigned(value, "timeUnixNano")?,
        value: as_number(value)?,
        trace_id: id("traceId")?,
        span_id: id("spanId")?,
    })
}

/// `asInt` or `asDouble`.
fn as_number(value: &Value) -> Result<f64, Error> {
    match value.get("asInt") {
        Some(number) => to_signed(number, "asInt").map(float),
        None => double(value, "asDouble"),
    }
}

fn attributes<'a>(value: &'a Value, key: &str) -> Result<Attributes<'a>, Error> {
    each(value, key, |pair| {
        let value = pair.get("value").unwrap_or(&Value::Null);
        let shown = match value.get("stringValue") {
            Some(Value::String(text)) => text.into(),
            _ => match plain(value)? {
                Value::Null => Text::default(),
                Value::String(text) => text.into(),
                other => other
                    .as_f64()
                    .filter(|_| other.is_f64())
                    .map_or_else(|| other.to_string(), number)
                    .into(),
            },
        };
        Ok((text(pair, "key")?, shown))
    })
}

/// An attribute value without the keys that tell its type.
pub(super) fn plain(value: &Value) -> Result<Value, Error> {
    let Some((kind, inner)) = value.as_object().and_then(|object| object.iter().next()) else {
        return Ok(Value::Null);
    };
    Ok(match kind.as_str() {
        "stringValue" | "boolValue" | "bytesValue" => inner.clone(),
        "intValue" => to_signed(inner, "intValue")?.into(),
        "doubleValue" => to_double(inner, "doubleValue")?.into(),
        "arrayValue" => Value::Array(each(inner, "values", plain)?),
        "kvlistValue" => {
            let pairs = each(inner, "values", |pair| {
                let value = plain(pair.get("value").unwrap_or(&Value::Null))?;
                Ok((text(pair, "key")?.into_owned(), value))
            })?;
            Value::Object(Map::from_iter(pairs))
        }
        _ => Value::Null,
    })
}

pub(super) fn each<'a, T>(
    value: &'a Value,
    key: &str,
    read: impl FnMut(&'a Value) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    match value.get(key) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(list)) => list.iter().map(read).collect(),
        Some(_) => Err(wrong(key, "a list")),
    }
}

pub(super) fn text<'a>(value: &'a Value, key: &str) -> Result<Text<'a>, Error> {
    match value.get(key) {
        None | Some(Value::Null) => Ok(Text::default()),
        Some(Value::String(text)) => Ok(text.into()),
        Some(_) => Err(wrong(key, "a string")),
    }
}

pub(super) fn unsigned(value: &Value, key: &str) -> Result<u64, Error> {
    value.get(key).map_or(Ok(0), |value| to_unsigned(value, key))
}

fn to_unsigned(value: &Value, key: &str) -> Result<u64, Error> {
    let number = value.as_str().map_or_else(|| value.as_u64(), |text| text.parse().ok());
    number.ok_or_else(|| wrong(key, "a whole number that is not negative"))
}

fn to_signed(value: &Value, key: &str) -> Result<i64, Error> {
    let number = value.as_str().map_or_else(|| value.as_i64(), |text| text.parse().ok());
    number.ok_or_else(|| wrong(key, "a whole number"))
}

fn signed32(value: &Value, key: &str) -> Result<i32, Error> {
    let number = value.get(key).map_or(Ok(0), |value| to_signed(value, key))?;
    i32::try_from(number).map_err(|_| wrong(key, "a number of 32 bits"))
}

fn double(value: &Value, key: &str) -> Result<f64, Error> {
    value.get(key).map_or(Ok(0.0), |value| to_double(value, key))
}

/// Numbers that JSON does not have are strings.
fn to_double(value: &Value, key: &str) -> Result<f64, Error> {
    let number = value.as_str().map_or_else(|| value.as_f64(), masthead_model::parse_number);
    number.ok_or_else(|| wrong(key, "a number"))
}

fn wrong(key: &str, expected: &str) -> Error {
    Error::Json(format!("{key} must be {expected}"))
}
