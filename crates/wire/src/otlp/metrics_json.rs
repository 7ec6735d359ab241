//! Metrics from JSON; what is around them is read in `json.rs`.

use masthead_model::HistogramError;

use super::{
    decode::{BUCKETS_MAX, Metrics},
    envelope::Budget,
    json::{attributes, double, signed, signed32, skip, text, truth, unsigned},
    message::{Buckets, Data, Metric, Point, PointExemplar, Text, float},
};
use crate::{Error, scan::Scan};

pub(super) fn metric<'a>(scan: &mut Scan<'a>, budget: &mut Budget) -> Result<Metric<'a>, Error> {
    let mut out = Metric::default();
    scan.object("a Metric", |scan, key| {
        match key {
            b"name" => out.name = text(scan, "name")?,
            b"description" => out.description = text(scan, "description")?,
            b"unit" => out.unit = text(scan, "unit")?,
            b"gauge" => out.data = Data::Gauge(data(scan, budget)?.0),
            b"sum" => {
                let (points, temporality, monotonic) = data(scan, budget)?;
                out.data = Data::Sum { points, temporality, monotonic };
            }
            b"histogram" => {
                let (points, temporality, _) = data(scan, budget)?;
                out.data = Data::Histogram { points, temporality };
            }
            b"exponentialHistogram" => {
                let (points, temporality, _) = data(scan, budget)?;
                out.data = Data::Exponential { points, temporality };
            }
            b"summary" => out.data = Data::Summary(data(scan, budget)?.0),
            _ => skip(scan, "a Metric")?,
        }
        Ok(())
    })?;
    Ok(out)
}

/// The points, their temporality, and whether they only rise.
fn data<'a>(
    scan: &mut Scan<'a>,
    budget: &mut Budget,
) -> Result<(Vec<Point<'a>>, u64, bool), Error> {
    let (mut points, mut temporality, mut monotonic) = (Vec::new(), 0, false);
    scan.object("data", |scan, key| match key {
        b"dataPoints" => scan.array("dataPoints", |scan| {
            points.push(point(scan, budget)?);
            Ok(())
        }),
        b"aggregationTemporality" => {
            temporality = to_temporality(scan)?;
            Ok(())
        }
        b"isMonotonic" => {
            monotonic = truth(scan, "isMonotonic")?;
            Ok(())
        }
        _ => skip(scan, "data"),
    })?;
    Ok((points, temporality, monotonic))
}

/// Enums may also be written by name.
fn to_temporality(scan: &mut Scan<'_>) -> Result<u64, Error> {
    if scan.peek() != Some(b'"') {
        return unsigned(scan, "aggregationTemporality");
    }
    let name = text(scan, "aggregationTemporality")?;
    Ok(u64::from(name.ends_with("_DELTA")) + 2 * u64::from(name.ends_with("_CUMULATIVE")))
}

fn point<'a>(scan: &mut Scan<'a>, budget: &mut Budget) -> Result<Point<'a>, Error> {
    budget.message()?;
    let mut out = Point::default();
    scan.object("a data point", |scan, key| {
        match key {
            b"attributes" => {
                attributes::<Metrics>(scan, "attributes", &mut out.attributes, budget)?;
            }
            b"startTimeUnixNano" => out.start = unsigned(scan, "startTimeUnixNano")?,
            b"timeUnixNano" => out.time = unsigned(scan, "timeUnixNano")?,
            b"flags" => out.flags = unsigned(scan, "flags")?,
            b"exemplars" => scan.array("exemplars", |scan| {
                out.exemplars.push(exemplar(scan, budget)?);
                Ok(())
            })?,
            b"asInt" => out.value = float(signed(scan, "asInt")?),
            b"asDouble" => out.value = double(scan, "asDouble")?,
            b"count" => out.count = unsigned(scan, "count")?,
            b"sum" => out.sum = if scan.null() { None } else { Some(double(scan, "sum")?) },
            b"bucketCounts" => counts(scan, usize::MAX, &mut out.bucket_counts)?,
            b"explicitBounds" => scan.array("explicitBounds", |scan| {
                out.explicit_bounds.push(double(scan, "explicitBounds")?);
                Ok(())
            })?,
            b"scale" => out.scale = signed32(scan, "scale")?,
            b"zeroCount" => out.zero_count = unsigned(scan, "zeroCount")?,
            b"positive" => out.positive = buckets(scan)?,
            b"negative" => out.negative = buckets(scan)?,
            b"quantileValues" => scan.array("quantileValues", |scan| {
                budget.spend(1)?;
                out.quantiles.push(quantile(scan)?);
                Ok(())
            })?,
            _ => skip(scan, "a data point")?,
        }
        Ok(())
    })?;
    Ok(out)
}

fn buckets(scan: &mut Scan<'_>) -> Result<Buckets, Error> {
    let mut out = Buckets::default();
    scan.object("buckets", |scan, key| {
        match key {
            b"offset" => out.offset = signed32(scan, "offset")?,
            b"bucketCounts" => counts(scan, BUCKETS_MAX, &mut out.counts)?,
            _ => skip(scan, "buckets")?,
        }
        Ok(())
    })?;
    Ok(out)
}

fn counts(scan: &mut Scan<'_>, max: usize, out: &mut Vec<u64>) -> Result<(), Error> {
    scan.array("bucketCounts", |scan| {
        if out.len() >= max {
            return Err(Error::Histogram(HistogramError::TooManyBuckets));
        }
        out.push(unsigned(scan, "bucketCounts")?);
        Ok(())
    })
}

fn quantile(scan: &mut Scan<'_>) -> Result<(f64, f64), Error> {
    let mut pair = (0.0, 0.0);
    scan.object("a quantile", |scan, key| {
        match key {
            b"quantile" => pair.0 = double(scan, "quantile")?,
            b"value" => pair.1 = double(scan, "value")?,
            _ => skip(scan, "a quantile")?,
        }
        Ok(())
    })?;
    Ok(pair)
}

fn exemplar<'a>(scan: &mut Scan<'a>, budget: &mut Budget) -> Result<PointExemplar<'a>, Error> {
    budget.message()?;
    let mut out = PointExemplar::default();
    scan.object("an exemplar", |scan, key| {
        match key {
            b"filteredAttributes" => {
                attributes::<Metrics>(scan, "filteredAttributes", &mut out.attributes, budget)?;
            }
            b"timeUnixNano" => out.time = unsigned(scan, "timeUnixNano")?,
            b"asInt" => out.value = float(signed(scan, "asInt")?),
            b"asDouble" => out.value = double(scan, "asDouble")?,
            b"traceId" => out.trace_id = id(scan, "traceId")?,
            b"spanId" => out.span_id = id(scan, "spanId")?,
            _ => skip(scan, "an exemplar")?,
        }
        Ok(())
    })?;
    Ok(out)
}

/// An id of zeros is none.
fn id<'a>(scan: &mut Scan<'a>, key: &str) -> Result<Text<'a>, Error> {
    let id = text(scan, key)?;
    Ok(if id.bytes().all(|digit| digit == b'0') { Text::default() } else { id })
}
