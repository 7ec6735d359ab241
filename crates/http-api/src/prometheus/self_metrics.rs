//! `/status/self_metrics`: what `/metrics` shows, as JSON.
//!
//! The shape is protobuf's JSON for `io.prometheus.client.MetricFamily`, as upstream answers: 64-bit
//! counts are strings, what is empty is left out. It is made from the text that a scrape gets, so
//! the two never differ.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    extract::{Request, State},
    response::Response,
};
use masthead_model::{ErrorClass, Labels, METRIC_NAME, MetricType, Regexp};
use masthead_wire::exposition::{Entry, Format, Options, Parser, ValueRef};
use serde::Serialize;

use super::{Shared, envelope};
use crate::{error::ApiError, params::Params};

/// `/status/self_metrics`
pub(super) async fn self_metrics(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, ApiError> {
    let params = Params::read(request, &shared).await?;
    let pattern = match params.first("metric_name_pattern") {
        "" => None,
        text => {
            let refuse = |why| ApiError::parameter("metric_name_pattern", why);
            Some(Regexp::new(text).map_err(refuse)?)
        }
    };
    let work = move |shared: &Shared, _: &_, out: &mut _| {
        let page = shared.parts.server.self_metrics();
        let families = read(&page).map_err(|error| {
            ApiError::new(ErrorClass::Internal, format!("cannot read our own metrics: {error}"))
        })?;
        let wanted = |family: &&Family| {
            pattern.as_ref().is_none_or(|pattern| pattern.is_match(&family.name))
        };
        let shown: Vec<&Family> = families.iter().filter(wanted).collect();
        envelope::write(out, &shown, &[])
    };
    shared.lookup(params.gzip, work).await
}

#[derive(Debug, Default, Serialize)]
struct Family {
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    help: String,
    r#type: &'static str,
    metric: Vec<Metric>,
    #[serde(skip_serializing_if = "String::is_empty")]
    unit: String,
    #[serde(skip)]
    kind: MetricType,
}

#[derive(Debug, Default, Serialize)]
struct Metric {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    label: Vec<Pair>,
    #[serde(flatten)]
    value: Measured,
}

#[derive(Debug, Serialize)]
struct Pair {
    name: String,
    value: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
enum Measured {
    Counter { value: Number },
    Gauge { value: Number },
    Untyped { value: Number },
    Histogram(Counted),
}

impl Default for Measured {
    fn default() -> Self {
        Self::Untyped { value: Number(0.0) }
    }
}

/// A classic histogram.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Counted {
    sample_count: String,
    sample_sum: Number,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    bucket: Vec<Bucket>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Bucket {
    cumulative_count: String,
    upper_bound: Number,
}

/// A float; what JSON has no number for is a word.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Number(f64);

impl Serialize for Number {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            value if value.is_nan() => to.serialize_str("NaN"),
            f64::INFINITY => to.serialize_str("Infinity"),
            f64::NEG_INFINITY => to.serialize_str("-Infinity"),
            value => to.serialize_f64(value),
        }
    }
}

/// The families of a page, in its order.
fn read(page: &str) -> Result<Vec<Family>, masthead_wire::Error> {
    let mut parser = Parser::new(page.as_bytes(), Format::Text, Options::default())?;
    let mut families = Families::default();
    while let Some(entry) = parser.advance()? {
        match entry {
            Entry::Type => {
                let kind = parser.metric_type();
                let family = families.of(parser.family());
                family.kind = kind;
                family.r#type = type_name(kind);
            }
            Entry::Help => {
                let text = parser.text().into_owned();
                families.of(parser.family()).help = text;
            }
            Entry::Unit => {
                let text = parser.text().into_owned();
                families.of(parser.family()).unit = text;
            }
            Entry::Sample => {
                // The text format has no native histograms.
                let ValueRef::Float(value) = parser.value() else { continue };
                let labels = parser.labels()?;
                families.sample(&labels, value);
            }
        }
    }
    Ok(families.list)
}

fn type_name(kind: MetricType) -> &'static str {
    match kind {
        MetricType::Counter => "COUNTER",
        MetricType::Histogram => "HISTOGRAM",
        MetricType::GaugeHistogram => "GAUGE_HISTOGRAM",
        MetricType::Summary => "SUMMARY",
        MetricType::Gauge | MetricType::Info => "GAUGE",
        MetricType::StateSet | MetricType::Unknown => "UNTYPED",
    }
}

#[derive(Debug, Default)]
struct Families {
    list: Vec<Family>,
    places: BTreeMap<String, usize>,
}

impl Families {
    fn of(&mut self, name: &str) -> &mut Family {
        let place = *self.places.entry(name.to_owned()).or_insert(self.list.len());
        if place == self.list.len() {
            let r#type = type_name(MetricType::Unknown);
            self.list.push(Family { name: name.to_owned(), r#type, ..Family::default() });
        }
        &mut self.list[place]
    }

    fn sample(&mut self, labels: &Labels, value: f64) {
        let name = labels.metric_name().unwrap_or("");
        let part = ["_bucket", "_count", "_sum"].into_iter().find_map(|suffix| {
            let base = name.strip_suffix(suffix)?;
            let place = self.places.get(base)?;
            let kind = self.list.get(*place)?.kind;
            (kind == MetricType::Histogram).then(|| (base.to_owned(), suffix))
        });
        match part {
            Some((base, suffix)) => counted(self.of(&base), labels, suffix, value),
            None => {
                let family = self.of(name);
                let value = Number(value);
                let value = match family.kind {
                    MetricType::Counter => Measured::Counter { value },
                    MetricType::Gauge | MetricType::Info => Measured::Gauge { value },
                    _ => Measured::Untyped { value },
                };
                family.metric.push(Metric { label: pairs(labels), value });
            }
        }
    }
}

/// One line of a histogram; lines of one histogram stand together.
fn counted(family: &mut Family, labels: &Labels, suffix: &str, value: f64) {
    let mut own = labels.to_builder();
    own.set("le", "");
    let label = pairs(&own.build());
    let same = |metric: &Metric| {
        let names = metric.label.iter().map(|pair| (&pair.name, &pair.value));
        names.eq(label.iter().map(|pair| (&pair.name, &pair.value)))
    };
    if !family.metric.last().is_some_and(same) {
        let value = Measured::Histogram(Counted::default());
        family.metric.push(Metric { label, value });
    }
    let Some(Metric { value: Measured::Histogram(histogram), .. }) = family.metric.last_mut()
    else {
        return;
    };
    match suffix {
        "_sum" => histogram.sample_sum = Number(value),
        "_count" => histogram.sample_count = value.to_string(),
        _ => {
            let bound = labels.get("le").unwrap_or("");
            let upper_bound = Number(masthead_model::parse_number(bound).unwrap_or(f64::NAN));
            histogram.bucket.push(Bucket { cumulative_count: value.to_string(), upper_bound });
        }
    }
}

fn pairs(labels: &Labels) -> Vec<Pair> {
    let own = labels.iter().filter(|label| label.name != METRIC_NAME);
    own.map(|label| Pair { name: label.name.to_owned(), value: label.value.to_owned() }).collect()
}
