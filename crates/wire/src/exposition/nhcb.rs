//! Classic histograms to native ones with custom buckets, on the way through any format.
//!
//! The lines of one member of a family follow each other, so they are collected until the labels
//! change or the family ends, and then shown as one sample. A member that was sent as a native
//! histogram is left alone. Facts: `nhcbparse.go`, `util/convertnhcb`.

use std::cmp::Ordering;

use masthead_model::{Histogram, Labels, METRIC_NAME, Millis, Schema, Span, parse_number};

use super::{Entry, Options, Source, ValueRef};
use crate::{Error, Exemplar, MetricType, native::compact};

/// Wraps a parser.
#[derive(Debug)]
pub(super) struct Nhcb<'a> {
    source: Source<'a>,
    keep_classic: bool,
    family: String,
    metric_type: MetricType,
    collected: Option<Collected>,
    /// What is shown in place of the source's entry.
    shown: Option<Shown>,
    /// What the source stands on, to be shown after that.
    held: Held,
    /// The last member that was sent as a native histogram.
    native: Labels,
}

/// What the source stands on while something else is shown.
#[derive(Debug, Clone, Copy)]
enum Held {
    Nothing,
    Entry(Option<Entry>),
}

#[derive(Debug)]
struct Shown {
    labels: Labels,
    key: Vec<u8>,
    timestamp: Option<Millis>,
    start: Option<Millis>,
    exemplars: Vec<Exemplar>,
    refused_exemplars: usize,
    histogram: Histogram,
}

/// The lines of one member so far.
#[derive(Debug)]
struct Collected {
    labels: Labels,
    timestamp: Option<Millis>,
    start: Option<Millis>,
    exemplars: Vec<Exemplar>,
    refused_exemplars: usize,
    classic: Classic,
}

/// Upper bounds with cumulative counts, sorted.
#[derive(Debug, Default)]
struct Classic {
    buckets: Vec<(f64, f64)>,
    count: Option<f64>,
    sum: f64,
    impossible: bool,
}

/// What a line says about a member.
enum Line {
    Bucket(f64),
    Count,
    Sum,
}

impl<'a> Nhcb<'a> {
    pub(super) fn new(source: Source<'a>, options: Options) -> Self {
        Self {
            source,
            keep_classic: options.keep_classic_histograms,
            family: String::new(),
            metric_type: MetricType::Unknown,
            collected: None,
            shown: None,
            held: Held::Nothing,
            native: Labels::default(),
        }
    }

    pub(super) fn advance(&mut self) -> Result<Option<Entry>, Error> {
        self.shown = None;
        loop {
            let (entry, fresh) = match std::mem::replace(&mut self.held, Held::Nothing) {
                Held::Entry(entry) => (entry, false),
                Held::Nothing => (self.source.advance()?, true),
            };
            let is_float =
                entry == Some(Entry::Sample) && matches!(self.source.value(), ValueRef::Float(_));
            let member = if is_float { self.member() } else { None };
            let same = match (&member, &self.collected) {
                (Some((labels, _)), Some(collected)) => *labels == collected.labels,
                _ => false,
            };
            if fresh && !same && self.finish() {
                self.held = Held::Entry(entry);
                return Ok(Some(Entry::Sample));
            }
            match entry {
                Some(Entry::Type) => {
                    self.source.family().clone_into(&mut self.family);
                    self.metric_type = self.source.metric_type();
                }
                Some(Entry::Sample) if !is_float => {
                    self.native = self.source.labels().unwrap_or_default();
                }
                _ => {}
            }
            if let Some((labels, line)) = member {
                self.collect(labels, &line);
                if !self.keep_classic {
                    continue;
                }
            }
            return Ok(entry);
        }
    }

    /// Which member of the current histogram the sample belongs to, and as what.
    fn member(&mut self) -> Option<(Labels, Line)> {
        if self.metric_type != MetricType::Histogram {
            return None;
        }
        // Labels that can't be had fail once more when the caller asks for them.
        let labels = self.source.labels().ok()?;
        let line = match labels.metric_name()?.strip_prefix(self.family.as_str())? {
            "_bucket" => {
                Line::Bucket(parse_number(labels.get("le")?).filter(|bound| !bound.is_nan())?)
            }
            "_count" => Line::Count,
            "_sum" => Line::Sum,
            _ => return None,
        };
        let mut builder = labels.to_builder();
        let labels = builder.set(METRIC_NAME, &self.family).remove("le").build();
        (labels != self.native).then_some((labels, line))
    }

    fn collect(&mut self, labels: Labels, line: &Line) {
        let ValueRef::Float(value) = self.source.value() else { return };
        let (timestamp, start) = (self.source.timestamp(), self.source.start_timestamp());
        let collected = self.collected.get_or_insert_with(|| Collected {
            labels,
            timestamp,
            start,
            exemplars: Vec::new(),
            refused_exemplars: 0,
            classic: Classic::default(),
        });
        collected.refused_exemplars += self.source.exemplars(&mut collected.exemplars);
        match line {
            Line::Bucket(bound) => collected.classic.bucket(*bound, value),
            Line::Count => collected.classic.count(value),
            Line::Sum => collected.classic.sum = value,
        }
    }

    /// Ends the member that is being collected; whether there is something to show.
    fn finish(&mut self) -> bool {
        let Some(collected) = self.collected.take() else { return false };
        let Some(histogram) = collected.classic.convert() else { return false };
        self.shown = Some(Shown {
            key: collected.labels.to_string().into_bytes(),
            labels: collected.labels,
            timestamp: collected.timestamp,
            start: collected.start,
            exemplars: collected.exemplars,
            refused_exemplars: collected.refused_exemplars,
            histogram,
        });
        true
    }

    pub(super) fn source(&self) -> &Source<'a> {
        &self.source
    }

    pub(super) fn series(&self) -> &[u8] {
        self.shown.as_ref().map_or_else(|| self.source.series(), |shown| &shown.key)
    }

    pub(super) fn value(&self) -> ValueRef<'_> {
        match &self.shown {
            Some(shown) => ValueRef::Histogram(&shown.histogram),
            None => self.source.value(),
        }
    }

    pub(super) fn timestamp(&self) -> Option<Millis> {
        match &self.shown {
            Some(shown) => shown.timestamp,
            None => self.source.timestamp(),
        }
    }

    pub(super) fn labels(&mut self) -> Result<Labels, Error> {
        match &self.shown {
            Some(shown) => Ok(shown.labels.clone()),
            None => self.source.labels(),
        }
    }

    pub(super) fn exemplars(&mut self, out: &mut Vec<Exemplar>) -> usize {
        match &self.shown {
            Some(shown) => {
                out.extend_from_slice(&shown.exemplars);
                shown.refused_exemplars
            }
            None => self.source.exemplars(out),
        }
    }

    pub(super) fn start_timestamp(&mut self) -> Option<Millis> {
        match &self.shown {
            Some(shown) => shown.start,
            None => self.source.start_timestamp(),
        }
    }
}

impl Classic {
    /// A bound that was given already is passed over; counts must not fall from bound to bound.
    fn bucket(&mut self, bound: f64, count: f64) {
        let at = self.buckets.partition_point(|(known, _)| *known < bound);
        if self.buckets.get(at).is_some_and(|(known, _)| is_equal(*known, bound)) {
            return;
        }
        let below = at.checked_sub(1).and_then(|at| self.buckets.get(at));
        let above = self.buckets.get(at);
        self.impossible |= count < 0.0
            || below.is_some_and(|(_, below)| count < *below)
            || above.is_some_and(|(_, above)| count > *above);
        self.buckets.insert(at, (bound, count));
    }

    fn count(&mut self, count: f64) {
        self.impossible |= count < 0.0;
        self.count = Some(count);
    }

    /// Nothing if the lines contradict each other, as upstream drops such a histogram.
    fn convert(mut self) -> Option<Histogram> {
        if self.impossible {
            return None;
        }
        let count = self.count.or(self.buckets.last().map(|(_, count)| *count))?;
        if self.buckets.last().is_none_or(|(bound, _)| *bound < f64::INFINITY) {
            self.buckets.push((f64::INFINITY, count));
        }
        let (_, last) = self.buckets.last()?;
        if !is_equal(*last, count) {
            return None;
        }
        let mut before = 0.0;
        let positive_buckets = self
            .buckets
            .iter()
            .map(|(_, cumulative)| cumulative - std::mem::replace(&mut before, *cumulative))
            .collect();
        let bounds = self.buckets.iter().map(|(bound, _)| *bound).filter(|b| *b < f64::INFINITY);
        let mut histogram = Histogram {
            schema: Schema::CUSTOM,
            count,
            sum: self.sum,
            positive_spans: vec![Span {
                offset: 0,
                length: u32::try_from(self.buckets.len()).ok()?,
            }],
            positive_buckets,
            custom_values: bounds.collect(),
            ..Histogram::default()
        };
        compact(&mut histogram);
        histogram.validate().ok()?;
        Some(histogram)
    }
}

/// Exactly; NaN is equal to nothing.
fn is_equal(a: f64, b: f64) -> bool {
    a.partial_cmp(&b) == Some(Ordering::Equal)
}
