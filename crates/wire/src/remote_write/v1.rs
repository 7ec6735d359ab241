//! `prometheus.WriteRequest`: labels stand in each series as text.

use std::borrow::Cow;

use masthead_model::{LabelsBuilder, METRIC_NAME, Millis};

use super::{FloatPoint, HistogramPoint, Metadata, Series, metric_type};
use crate::{
    Error, Exemplar, Limits,
    labels::{Pairs, to_labels},
    limits::shortened,
    native,
    proto::{Field, Reader},
};

const LABEL: u32 = 1;
const NOT_UTF8: &str = "a text that is not UTF-8";

pub(super) fn read_series<'a>(
    mut message: Reader<'a>,
    series: &mut Series<'a>,
    pairs: &mut Pairs<'a>,
    limits: &Limits,
) -> Result<(), Error> {
    // Where the run of label fields began that ends at the current position.
    let mut run = None;
    let mut labels = 0;
    loop {
        let at = message.position();
        let field = message.next()?;
        if field.is_some_and(|field| field.number == LABEL) {
            run.get_or_insert(at);
            labels += 1;
            if labels > limits.labels {
                series.runs.push(message.slice(run.unwrap_or(at), at));
                return limits.check_label_count(labels, || name_of(&series.runs));
            }
            continue;
        }
        if let Some(from) = run.take() {
            series.runs.push(message.slice(from, at));
        }
        let Some(field) = field else { return Ok(()) };
        Limits::check_items(series.points())?;
        match field.number {
            2 => series.samples.push(read_sample(&field)?),
            3 => match read_exemplar(&field, pairs, limits) {
                Ok(exemplar) => series.exemplars.push(exemplar),
                Err(error @ Error::Proto { .. }) => return Err(error),
                Err(_) => series.refused_exemplars += 1,
            },
            4 => {
                let (timestamp, start, histogram) = native::read(&field)?;
                series.histograms.push(HistogramPoint { timestamp, start, histogram });
            }
            _ => {}
        }
    }
}

/// The series' name for an error, as far as it was read.
#[cold]
fn name_of(runs: &[&[u8]]) -> String {
    let mut found = "";
    each_label(runs, |name, value| {
        if name == METRIC_NAME {
            found = value;
        }
    })
    .unwrap_or_default();
    format!("series {}", shortened(found))
}

/// Reads the labels of `runs`, which hold label fields only.
pub(super) fn each_label<'a>(
    runs: &[&'a [u8]],
    mut take: impl FnMut(&'a str, &'a str),
) -> Result<(), Error> {
    for run in runs {
        let mut fields = Reader::new(run, "TimeSeries");
        while let Some(field) = fields.next()? {
            let (name, value) = read_label(&field)?;
            take(name, value);
        }
    }
    Ok(())
}

#[inline]
fn read_label<'a>(field: &Field<'a>) -> Result<(&'a str, &'a str), Error> {
    let mut message = field.message("Label")?;
    let (mut name, mut value) = ("", "");
    while let Some(field) = message.next()? {
        match field.number {
            1 => name = kept_text(&field)?,
            2 => value = kept_text(&field)?,
            _ => {}
        }
    }
    Ok((name, value))
}

/// A text that costs what it belongs to if it is none, not all that follows.
#[inline]
fn kept_text<'a>(field: &Field<'a>) -> Result<&'a str, Error> {
    std::str::from_utf8(field.bytes()?).map_err(|_| Error::Content(NOT_UTF8.to_owned()))
}

/// The labels as far as they can be told, for an error.
#[cold]
pub(super) fn lossy(runs: &[&[u8]], builder: &mut LabelsBuilder) {
    for run in runs {
        let mut fields = Reader::new(run, "TimeSeries");
        while let Ok(Some(field)) = fields.next() {
            let Ok(mut label) = field.message("Label") else { continue };
            let (mut name, mut value) = (Cow::default(), Cow::default());
            while let Ok(Some(field)) = label.next() {
                match (field.number, field.bytes()) {
                    (1, Ok(bytes)) => name = String::from_utf8_lossy(bytes),
                    (2, Ok(bytes)) => value = String::from_utf8_lossy(bytes),
                    _ => {}
                }
            }
            if name.is_empty() {
                builder.set_nameless(&value);
            } else {
                builder.set(&name, &value);
            }
        }
    }
}

#[inline]
fn read_sample(field: &Field<'_>) -> Result<FloatPoint, Error> {
    let mut message = field.message("Sample")?;
    let (mut value, mut timestamp) = (0.0, 0);
    while let Some(field) = message.next()? {
        match field.number {
            1 => value = field.double()?,
            2 => timestamp = field.signed()?,
            _ => {}
        }
    }
    Ok(FloatPoint { timestamp: Millis(timestamp), start: None, value })
}

fn read_exemplar<'a>(
    field: &Field<'a>,
    pairs: &mut Pairs<'a>,
    limits: &Limits,
) -> Result<Exemplar, Error> {
    let mut message = field.message("Exemplar")?;
    let (mut value, mut timestamp) = (0.0, 0);
    pairs.clear();
    while let Some(field) = message.next()? {
        match field.number {
            1 => {
                let (name, value) = read_label(&field)?;
                // One beyond the limit is enough to refuse the exemplar.
                if pairs.len() <= limits.labels {
                    pairs.push((name.into(), value.into()));
                }
            }
            2 => value = field.double()?,
            3 => timestamp = field.signed()?,
            _ => {}
        }
    }
    let labels = to_labels(pairs, limits)?;
    // Proto3 cannot tell zero from nothing, and no exemplar is from 1970.
    let timestamp = (timestamp != 0).then_some(Millis(timestamp));
    Ok(Exemplar { labels, value, timestamp })
}

pub(super) fn read_metadata<'a>(field: &Field<'a>) -> Result<Metadata<'a>, Error> {
    let mut message = field.message("MetricMetadata")?;
    let (mut number, mut family, mut help, mut unit) = (0, "", "", "");
    while let Some(field) = message.next()? {
        match field.number {
            1 => number = field.unsigned()?,
            2 => family = kept_text(&field)?,
            4 => help = kept_text(&field)?,
            5 => unit = kept_text(&field)?,
            _ => {}
        }
    }
    Ok(Metadata { family, metric_type: metric_type(number), help, unit })
}
