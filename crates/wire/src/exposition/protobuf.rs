//! Prometheus' protobuf: `io.prometheus.client.MetricFamily`, each with its length in front.
//!
//! A family's metrics are turned into the samples that the text formats would show: a summary
//! or classic histogram becomes a count, a sum and its quantiles or buckets, a native histogram
//! one sample. What the classic buckets of a native histogram say is passed over unless asked for.
//! Facts: `io/prometheus/client/metrics.proto`, `protobufparse.go`.

use std::borrow::Cow;

use masthead_model::{CounterResetHint, Histogram, Labels, METRIC_NAME, Millis, quote};

use super::{Entry, Options, ValueRef};
use crate::{
    Error, Exemplar, MetricType,
    go::format_openmetrics,
    labels::{Pairs, to_labels},
    native::compact,
    proto::{Field, Reader},
};

mod metric;

use metric::{Metric, read_exemplar};

const SEPARATOR: u8 = 0xff;

/// Goes through a body.
#[derive(Debug)]
pub(super) struct Protobuf<'a> {
    top: Reader<'a>,
    options: Options,
    family: Family<'a>,
    /// What is left of the family, to find its metrics in.
    rest: Reader<'a>,
    metric: Metric<'a>,
    parts: Vec<Part>,
    /// How many parts of the metric were shown.
    shown: usize,
    metadata: Metadata,
    text: &'a str,
    /// What `series` returns.
    key: Vec<u8>,
    histogram: Histogram,
    metrics_seen: usize,
    done: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Family<'a> {
    name: &'a str,
    help: &'a str,
    unit: &'a str,
    metric_type: MetricType,
}

/// Which metadata of the family is next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Metadata {
    Help,
    Unit,
    Type,
    Shown,
}

/// One sample of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Value,
    Native,
    Count,
    Sum,
    Quantile(usize),
    Bucket(usize),
    /// The last bucket where none is sent.
    InfiniteBucket,
}

impl<'a> Protobuf<'a> {
    pub(super) fn new(body: &'a [u8], options: Options) -> Self {
        Self {
            top: Reader::new(body, "MetricFamily stream"),
            options,
            family: Family::default(),
            rest: Reader::new(&[], "MetricFamily"),
            metric: Metric::default(),
            parts: Vec::new(),
            shown: 0,
            metadata: Metadata::Shown,
            text: "",
            key: Vec::new(),
            histogram: Histogram::default(),
            metrics_seen: 0,
            done: false,
        }
    }

    pub(super) fn advance(&mut self) -> Result<Option<Entry>, Error> {
        if self.done {
            return Ok(None);
        }
        let entry = self.entry();
        self.done = !matches!(entry, Ok(Some(_)));
        entry
    }

    fn entry(&mut self) -> Result<Option<Entry>, Error> {
        loop {
            match self.metadata {
                Metadata::Help => {
                    self.text = self.family.help;
                    self.metadata =
                        if self.family.unit.is_empty() { Metadata::Type } else { Metadata::Unit };
                    return Ok(Some(Entry::Help));
                }
                Metadata::Unit => {
                    self.text = self.family.unit;
                    self.metadata = Metadata::Type;
                    return Ok(Some(Entry::Unit));
                }
                Metadata::Type => {
                    self.metadata = Metadata::Shown;
                    return Ok(Some(Entry::Type));
                }
                Metadata::Shown => {}
            }
            if self.shown < self.parts.len() {
                self.shown += 1;
                self.show_part()?;
                return Ok(Some(Entry::Sample));
            }
            if !self.next_metric()? && !self.next_family()? {
                return Ok(None);
            }
        }
    }

    /// The part that is shown.
    fn part(&self) -> Part {
        self.parts.get(self.shown.wrapping_sub(1)).copied().unwrap_or(Part::Value)
    }

    fn next_family(&mut self) -> Result<bool, Error> {
        while !self.top.is_at_end() {
            let message = Reader::new(self.top.delimited()?, "MetricFamily");
            let mut fields = message;
            let mut family = Family::default();
            let (mut number, mut metrics) = (0, 0_usize);
            while let Some(field) = fields.next()? {
                match field.number {
                    1 => family.name = field.text()?,
                    2 => family.help = field.text()?,
                    3 => number = field.unsigned()?,
                    4 => metrics += 1,
                    5 => family.unit = field.text()?,
                    _ => {}
                }
            }
            if metrics == 0 {
                continue;
            }
            family.metric_type = match number {
                0 => MetricType::Counter,
                1 => MetricType::Gauge,
                2 => MetricType::Summary,
                3 => MetricType::Unknown,
                4 => MetricType::Histogram,
                5 => MetricType::GaugeHistogram,
                _ => {
                    let name = quote(family.name);
                    let message = format!("unknown metric type for metric {name}: {number}");
                    return Err(Error::Content(message));
                }
            };
            family.check()?;
            self.family = family;
            self.rest = message;
            self.metadata = Metadata::Help;
            return Ok(true);
        }
        Ok(false)
    }

    fn next_metric(&mut self) -> Result<bool, Error> {
        self.parts.clear();
        self.shown = 0;
        while let Some(field) = self.rest.next()? {
            if field.number == 4 {
                self.metrics_seen += 1;
                self.options.limits.check_series(self.metrics_seen)?;
                self.metric.read(&field, &self.options.limits)?;
                self.list_parts();
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn list_parts(&mut self) {
        let histogram = &self.metric.histogram;
        match self.family.metric_type {
            MetricType::Summary => {
                self.parts.extend([Part::Count, Part::Sum]);
                self.parts.extend((0..self.metric.quantiles.len()).map(Part::Quantile));
            }
            MetricType::Histogram | MetricType::GaugeHistogram => {
                let native = !self.options.ignore_native_histograms && histogram.is_native();
                if native {
                    self.parts.push(Part::Native);
                }
                let classic = self.options.keep_classic_histograms && !histogram.buckets.is_empty();
                if !native || classic {
                    self.parts.extend([Part::Count, Part::Sum]);
                    let infinite = |bucket: &metric::Bucket<'_>| bucket.bound == f64::INFINITY;
                    let last = histogram.buckets.iter().position(infinite);
                    let shown = last.map_or(histogram.buckets.len(), |last| last + 1);
                    self.parts.extend((0..shown).map(Part::Bucket));
                    if last.is_none() {
                        self.parts.push(Part::InfiniteBucket);
                    }
                }
            }
            _ => self.parts.push(Part::Value),
        }
    }

    fn show_part(&mut self) -> Result<(), Error> {
        if self.part() == Part::Native {
            self.histogram = self.metric.histogram.to_native()?;
            if self.family.metric_type == MetricType::GaugeHistogram {
                self.histogram.counter_reset_hint = CounterResetHint::Gauge;
            }
            compact(&mut self.histogram);
        }
        let mut key = std::mem::take(&mut self.key);
        key.clear();
        key.extend_from_slice(self.family.name.as_bytes());
        key.extend_from_slice(self.suffix().as_bytes());
        let mut push = |text: &str| {
            key.push(SEPARATOR);
            key.extend_from_slice(text.as_bytes());
        };
        for (name, value) in &self.metric.labels {
            push(name);
            push(value);
        }
        if let Some((name, value)) = self.extra_label() {
            push(name);
            push(&value);
        }
        self.key = key;
        Ok(())
    }

    fn suffix(&self) -> &'static str {
        match self.part() {
            Part::Value | Part::Native | Part::Quantile(_) => "",
            Part::Count => "_count",
            Part::Sum => "_sum",
            Part::Bucket(_) | Part::InfiniteBucket => "_bucket",
        }
    }

    fn extra_label(&self) -> Option<(&'static str, String)> {
        match self.part() {
            Part::Quantile(at) => {
                let quantile = self.metric.quantiles.get(at)?.0;
                Some(("quantile", format_openmetrics(quantile)))
            }
            Part::Bucket(at) => {
                let bound = self.metric.histogram.buckets.get(at)?.bound;
                Some(("le", format_openmetrics(bound)))
            }
            Part::InfiniteBucket => Some(("le", "+Inf".to_owned())),
            Part::Value | Part::Native | Part::Count | Part::Sum => None,
        }
    }

    pub(super) fn family(&self) -> &str {
        self.family.name
    }

    pub(super) fn metric_type(&self) -> MetricType {
        self.family.metric_type
    }

    pub(super) fn text(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.text)
    }

    pub(super) fn series(&self) -> &[u8] {
        &self.key
    }

    pub(super) fn value(&self) -> ValueRef<'_> {
        let metric = &self.metric;
        let histogram = &metric.histogram;
        ValueRef::Float(match self.part() {
            Part::Native => return ValueRef::Histogram(&self.histogram),
            Part::Value => metric.value,
            Part::Sum => metric.sum,
            Part::Count | Part::InfiniteBucket => metric.count(),
            Part::Quantile(at) => metric.quantiles.get(at).map_or(f64::NAN, |(_, value)| *value),
            Part::Bucket(at) => histogram.buckets.get(at).map_or(f64::NAN, metric::Bucket::count),
        })
    }

    /// Zero is no timestamp, because proto3 cannot tell it from none.
    pub(super) fn timestamp(&self) -> Option<Millis> {
        (self.metric.timestamp != 0).then_some(Millis(self.metric.timestamp))
    }

    pub(super) fn start_timestamp(&self) -> Option<Millis> {
        match self.family.metric_type {
            MetricType::Gauge | MetricType::Unknown => None,
            _ => self.metric.created,
        }
    }

    pub(super) fn labels(&self) -> Result<Labels, Error> {
        let mut pairs: Pairs<'_> = Vec::with_capacity(self.metric.labels.len() + 2);
        let suffix = self.suffix();
        pairs.push((
            METRIC_NAME.into(),
            if suffix.is_empty() {
                self.family.name.into()
            } else {
                format!("{}{suffix}", self.family.name).into()
            },
        ));
        for (name, value) in &self.metric.labels {
            if name.is_empty() {
                return Err(Error::Content("invalid label name: ".to_owned()));
            }
            pairs.push(((*name).into(), (*value).into()));
        }
        if let Some((name, value)) = self.extra_label() {
            pairs.push((name.into(), value.into()));
        }
        to_labels(&mut pairs, &self.options.limits)
    }

    pub(super) fn exemplars(&self, out: &mut Vec<Exemplar>) -> usize {
        let histogram = &self.metric.histogram;
        let mut refused = 0;
        // A native histogram may bring many, of which those without a time can't be told apart.
        let mut take =
            |field: &Field<'a>, timed: bool| match read_exemplar(field, &self.options.limits) {
                Ok(exemplar) if timed && exemplar.timestamp.is_none() => {}
                Ok(exemplar) => out.push(exemplar),
                Err(_) => refused += 1,
            };
        match self.part() {
            Part::Value if self.family.metric_type == MetricType::Counter => {
                self.metric.exemplar.iter().for_each(|field| take(field, false));
            }
            Part::Bucket(at) => {
                let bucket = histogram.buckets.get(at);
                bucket.and_then(|b| b.exemplar).iter().for_each(|field| take(field, false));
            }
            Part::Native if histogram.exemplars.is_empty() => {
                let of_buckets = histogram.buckets.iter().filter_map(|b| b.exemplar.as_ref());
                of_buckets.for_each(|field| take(field, true));
            }
            Part::Native => histogram.exemplars.iter().for_each(|field| take(field, true)),
            Part::Value | Part::Count | Part::Sum | Part::Quantile(_) | Part::InfiniteBucket => {}
        }
        refused
    }
}

impl Family<'_> {
    fn check(&self) -> Result<(), Error> {
        let Self { name, unit, .. } = self;
        if name.is_empty() {
            return Err(Error::Content("invalid metric name: ".to_owned()));
        }
        let is_suffix = |name: &str| {
            unit.is_empty() || name.strip_suffix(unit).is_some_and(|before| before.ends_with('_'))
        };
        let (what, base) = match name.strip_suffix("_total") {
            Some(base) if self.metric_type == MetricType::Counter => ("counter", base),
            _ => ("metric", *name),
        };
        if is_suffix(base) {
            return Ok(());
        }
        let (unit, name) = (quote(unit), quote(name));
        Err(Error::Content(format!("unit {unit} not a suffix of {what} {name}")))
    }
}
