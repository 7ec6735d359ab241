//! Messages to series.
//!
//! Facts: `metrics_to_prw.go`, `helper.go`, `number_data_points.go`.

use std::collections::{BTreeMap, HashMap};

use masthead_model::{
    Histogram, Labels, LabelsBuilder, METRIC_NAME, Millis, format_exact, quote, stale_nan,
};

use super::{
    Config, OtlpMetadata, OtlpSeries, Translated, histogram,
    message::{Data, Metric, Point, Resource, Scope, Text},
    names::{label_name, metric_name},
};
use crate::{
    Error, Exemplar, Limits, MetricType,
    labels::{Pairs, to_labels},
    native::count,
    remote_write::{FloatPoint, HistogramPoint},
};

const CUMULATIVE: u64 = 2;
const SERVICE_NAME: &str = "service.name";
const SERVICE_NAMESPACE: &str = "service.namespace";
const SERVICE_INSTANCE: &str = "service.instance.id";
const IDENTIFYING: [&str; 3] = [SERVICE_NAMESPACE, SERVICE_NAME, SERVICE_INSTANCE];
/// Characters that an exemplar's labels may have in all, by the OpenMetrics specification.
const EXEMPLAR_CHARS_MAX: usize = 128;
/// Half of the time that a query looks back by default: `target_info` is never missed.
const TARGET_INFO_INTERVAL_NS: u64 = 150_000_000_000;
/// Points so far apart in one body are not worth more samples of `target_info` than this.
const TARGET_INFO_SAMPLES_MAX: usize = 1000;

/// Labels on their way to a set.
type LabelMap = BTreeMap<String, String>;

pub(super) fn translate(
    resources: &[Resource<'_>],
    config: &Config,
    limits: &Limits,
) -> Result<Translated, Error> {
    let mut translator = Translator {
        config,
        limits,
        out: Translated::default(),
        known: HashMap::new(),
        points_seen: 0,
    };
    for resource in resources {
        translator.resource(resource)?;
    }
    Ok(translator.out)
}

struct Translator<'c> {
    config: &'c Config,
    limits: &'c Limits,
    out: Translated,
    /// Where in `out` a series stands.
    known: HashMap<Labels, usize>,
    points_seen: usize,
}

/// Either what upstream tells the sender, or what ends the whole body.
enum Trouble {
    Told(String),
    Ends(Error),
}

impl From<String> for Trouble {
    fn from(message: String) -> Self {
        Self::Told(message)
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        match error {
            // One series that breaks a limit or a rule does not end the others.
            Error::Content(message) => Self::Told(message),
            Error::Limit { limit, .. } if limit != crate::LimitKind::Series => {
                Self::Told(error.to_string())
            }
            error => Self::Ends(error),
        }
    }
}

impl Translator<'_> {
    fn resource(&mut self, resource: &Resource<'_>) -> Result<(), Error> {
        let (mut earliest, mut latest) = (u64::MAX, 0);
        for scope in &resource.scopes {
            for metric in &scope.items {
                for point in metric.data.points() {
                    earliest = earliest.min(point.time);
                    latest = latest.max(point.time);
                }
                self.collect(|this| this.metric(metric, resource, scope))?;
            }
        }
        if earliest < u64::MAX {
            self.collect(|this| this.target_info(resource, earliest, latest))?;
        }
        Ok(())
    }

    fn collect(&mut self, run: impl FnOnce(&mut Self) -> Result<(), Trouble>) -> Result<(), Error> {
        match run(self) {
            Ok(()) => Ok(()),
            Err(Trouble::Ends(error)) => Err(error),
            Err(Trouble::Told(message)) => {
                self.out.errors.push(message);
                Ok(())
            }
        }
    }

    fn metric(
        &mut self,
        metric: &Metric<'_>,
        resource: &Resource<'_>,
        scope: &Scope<'_>,
    ) -> Result<(), Trouble> {
        let name = metric.name.as_ref();
        let (metric_type, temporality) = match &metric.data {
            Data::Empty => {
                let why = "could not get aggregation temporality for";
                return Err(format!("{why} {name} as it has unsupported metric type Empty").into());
            }
            Data::Gauge(_) => (MetricType::Gauge, CUMULATIVE),
            Data::Summary(_) => (MetricType::Summary, CUMULATIVE),
            Data::Sum { monotonic: true, temporality, .. } => (MetricType::Counter, *temporality),
            Data::Sum { temporality, .. } => (MetricType::Gauge, *temporality),
            Data::Histogram { temporality, .. } | Data::Exponential { temporality, .. } => {
                (MetricType::Histogram, *temporality)
            }
        };
        if temporality != CUMULATIVE {
            let name = quote(name);
            return Err(
                format!("invalid temporality and type combination for metric {name}").into()
            );
        }
        let family = metric_name(metric, self.config.translation_strategy)?;
        self.out.metadata.push(OtlpMetadata {
            family: family.clone(),
            metric_type,
            help: metric.description.to_string(),
            unit: metric.unit.to_string(),
        });
        if metric.data.points().is_empty() {
            return Err(format!("empty data points. {name} is dropped").into());
        }
        for point in metric.data.points() {
            self.points_seen += 1;
            self.limits.check_series(self.points_seen)?;
            let base = self.labels(resource, &point.attributes, Some(scope), &[])?;
            match &metric.data {
                Data::Gauge(_) => self.number(&family, &base, point, false)?,
                Data::Sum { monotonic, .. } => self.number(&family, &base, point, *monotonic)?,
                Data::Summary(_) => self.summary(&family, &base, point)?,
                Data::Exponential { .. } => {
                    self.native(&family, &base, point, histogram::exponential(point)?)?;
                }
                Data::Histogram { .. } if self.config.convert_histograms_to_nhcb => {
                    self.native(&family, &base, point, histogram::custom(point)?)?;
                }
                Data::Histogram { .. } => self.classic(&family, &base, point)?,
                Data::Empty => {}
            }
        }
        Ok(())
    }

    fn number(
        &mut self,
        family: &str,
        base: &LabelMap,
        point: &Point<'_>,
        counts: bool,
    ) -> Result<(), Trouble> {
        let exemplars = self.exemplars(point)?;
        let at = self.sample(family, base, None, point, point.value, counts)?;
        self.add_exemplars(at, exemplars);
        Ok(())
    }

    fn summary(&mut self, family: &str, base: &LabelMap, point: &Point<'_>) -> Result<(), Trouble> {
        self.sample(&format!("{family}_sum"), base, None, point, point.sum.unwrap_or(0.0), true)?;
        self.sample(&format!("{family}_count"), base, None, point, count(point.count), true)?;
        for (quantile, value) in &point.quantiles {
            let extra = Some(("quantile", format_exact(*quantile)));
            self.sample(family, base, extra, point, *value, true)?;
        }
        Ok(())
    }

    fn classic(&mut self, family: &str, base: &LabelMap, point: &Point<'_>) -> Result<(), Trouble> {
        if let Some(sum) = point.sum {
            self.sample(&format!("{family}_sum"), base, None, point, sum, true)?;
        }
        self.sample(&format!("{family}_count"), base, None, point, count(point.count), true)?;
        let bucket = format!("{family}_bucket");
        let mut cumulative = 0_u64;
        let mut bounds = Vec::with_capacity(point.explicit_bounds.len() + 1);
        for (bound, number) in point.explicit_bounds.iter().zip(&point.bucket_counts) {
            cumulative = cumulative.wrapping_add(*number);
            let extra = Some(("le", format_exact(*bound)));
            let at = self.sample(&bucket, base, extra, point, count(cumulative), true)?;
            bounds.push((*bound, at));
        }
        let extra = Some(("le", "+Inf".to_owned()));
        let at = self.sample(&bucket, base, extra, point, count(point.count), true)?;
        bounds.push((f64::INFINITY, at));
        bounds.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        for exemplar in self.exemplars(point)? {
            if let Some((_, at)) = bounds.iter().find(|(bound, _)| exemplar.value <= *bound) {
                self.add_exemplars(*at, vec![exemplar]);
            }
        }
        Ok(())
    }

    fn native(
        &mut self,
        family: &str,
        base: &LabelMap,
        point: &Point<'_>,
        histogram: Histogram,
    ) -> Result<(), Trouble> {
        let exemplars = self.exemplars(point)?;
        let at = self.series(family, base, None)?;
        if let Some(series) = self.out.series.get_mut(at) {
            series.histograms.push(HistogramPoint {
                timestamp: millis(point.time),
                start: start(point),
                histogram,
            });
        }
        self.add_exemplars(at, exemplars);
        Ok(())
    }

    /// One sample per half look-back from the first point to the last.
    fn target_info(
        &mut self,
        resource: &Resource<'_>,
        earliest: u64,
        latest: u64,
    ) -> Result<(), Trouble> {
        let identifies = |key: &Text<'_>| IDENTIFYING.contains(&key.as_ref());
        if resource.attributes.iter().all(|(key, _)| identifies(key)) {
            // Job and instance alone say nothing new.
            return Ok(());
        }
        let keep = self.config.keep_identifying_resource_attributes;
        let ignore: &[&str] = if keep { &[] } else { &IDENTIFYING };
        let labels = self.labels(resource, &resource.attributes, None, ignore)?;
        if !labels.contains_key("job") && !labels.contains_key("instance") {
            return Ok(());
        }
        let at = self.series("target_info", &labels, None)?;
        let Some(series) = self.out.series.get_mut(at) else { return Ok(()) };
        let sample = |time| FloatPoint { timestamp: millis(time), start: None, value: 1.0 };
        let mut time = earliest;
        while time < latest && series.samples.len() < TARGET_INFO_SAMPLES_MAX {
            series.samples.push(sample(time));
            time = time.saturating_add(TARGET_INFO_INTERVAL_NS);
        }
        if series.samples.last().is_none_or(|last| last.timestamp < millis(latest)) {
            series.samples.push(sample(latest));
        }
        Ok(())
    }

    /// What attributes, resource and scope become; `scope` is none for `target_info`, to which
    /// nothing is promoted.
    fn labels(
        &self,
        resource: &Resource<'_>,
        attributes: &[(Text<'_>, Text<'_>)],
        scope: Option<&Scope<'_>>,
        ignore: &[&str],
    ) -> Result<LabelMap, String> {
        let config = self.config;
        let name_of = |key: &str| label_name(key, config.translation_strategy);
        let mut sorted: Vec<_> =
            attributes.iter().filter(|(key, _)| !ignore.contains(&key.as_ref())).collect();
        // Keys that become the same name are joined in their order.
        sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut labels = LabelMap::new();
        for (key, value) in sorted {
            labels
                .entry(name_of(key)?)
                .and_modify(|known| {
                    known.push(';');
                    known.push_str(value);
                })
                .or_insert_with(|| value.to_string());
        }
        if let Some(scope) = scope {
            let has = |list: &[String], key: &str| list.iter().any(|known| known == key);
            for (key, value) in &resource.attributes {
                let promoted = if config.promote_all_resource_attributes {
                    !has(&config.ignore_resource_attributes, key)
                } else {
                    has(&config.promote_resource_attributes, key)
                };
                if promoted {
                    labels.entry(name_of(key)?).or_insert_with(|| value.to_string());
                }
            }
            if config.promote_scope_metadata && !scope.name.is_empty() {
                labels.insert("otel_scope_name".to_owned(), scope.name.to_string());
                labels.insert("otel_scope_version".to_owned(), scope.version.to_string());
                labels.insert("otel_scope_schema_url".to_owned(), scope.schema_url.to_string());
                for (key, value) in &scope.attributes {
                    labels.insert(name_of(&format!("otel_scope_{key}"))?, value.to_string());
                }
            }
        }
        let get = |wanted: &str| {
            resource.attributes.iter().find(|(key, _)| key == wanted).map(|(_, value)| value)
        };
        if let Some(name) = get(SERVICE_NAME) {
            let job = match get(SERVICE_NAMESPACE) {
                Some(namespace) => format!("{namespace}/{name}"),
                None => name.to_string(),
            };
            labels.insert("job".to_owned(), job);
        }
        if let Some(instance) = get(SERVICE_INSTANCE) {
            labels.insert("instance".to_owned(), instance.to_string());
        }
        Ok(labels)
    }

    /// The place of a series, which is made if it is new.
    fn series(
        &mut self,
        name: &str,
        base: &LabelMap,
        extra: Option<(&str, String)>,
    ) -> Result<usize, Error> {
        let mut pairs: Pairs<'_> = Vec::with_capacity(base.len() + 2);
        let extra_name = extra.as_ref().map(|(name, _)| *name);
        for (name, value) in base {
            if name != METRIC_NAME && Some(name.as_str()) != extra_name {
                pairs.push((name.into(), value.into()));
            }
        }
        pairs.push((METRIC_NAME.into(), name.into()));
        if let Some((name, value)) = extra {
            pairs.push((name.into(), value.into()));
        }
        let labels = to_labels(&mut pairs, self.limits)?;
        if let Some(at) = self.known.get(&labels) {
            return Ok(*at);
        }
        let at = self.out.series.len();
        self.out.series.push(OtlpSeries {
            labels: labels.clone(),
            samples: Vec::new(),
            histograms: Vec::new(),
            exemplars: Vec::new(),
        });
        self.known.insert(labels, at);
        Ok(at)
    }

    fn sample(
        &mut self,
        name: &str,
        base: &LabelMap,
        extra: Option<(&str, String)>,
        point: &Point<'_>,
        value: f64,
        counts: bool,
    ) -> Result<usize, Error> {
        let at = self.series(name, base, extra)?;
        if let Some(series) = self.out.series.get_mut(at) {
            series.samples.push(FloatPoint {
                timestamp: millis(point.time),
                start: start(point).filter(|_| counts),
                value: if point.is_stale() { stale_nan() } else { value },
            });
        }
        Ok(at)
    }

    fn add_exemplars(&mut self, at: usize, exemplars: Vec<Exemplar>) {
        if let Some(series) = self.out.series.get_mut(at) {
            series.exemplars.extend(exemplars);
        }
    }

    /// The ids always, the attributes if they do not make it too long.
    fn exemplars(&self, point: &Point<'_>) -> Result<Vec<Exemplar>, Error> {
        point
            .exemplars
            .iter()
            .map(|exemplar| {
                let ids = [("trace_id", &exemplar.trace_id), ("span_id", &exemplar.span_id)];
                let ids = ids.into_iter().filter(|(_, id)| !id.is_empty());
                let mut builder = LabelsBuilder::default();
                let mut chars = 0;
                for (name, id) in ids {
                    chars += name.len() + id.chars().count();
                    builder.set(name, id);
                }
                let attributes = exemplar.attributes.iter();
                chars += attributes
                    .map(|(key, value)| key.chars().count() + value.chars().count())
                    .sum::<usize>();
                if chars <= EXEMPLAR_CHARS_MAX {
                    for (key, value) in &exemplar.attributes {
                        builder.set(key, value);
                    }
                }
                for label in builder.iter() {
                    self.limits.check_label(label.name, label.value)?;
                }
                Ok(Exemplar {
                    labels: builder.build(),
                    value: exemplar.value,
                    timestamp: (exemplar.time != 0).then(|| millis(exemplar.time)),
                })
            })
            .collect()
    }
}

fn start(point: &Point<'_>) -> Option<Millis> {
    (point.start != 0).then(|| millis(point.start))
}

/// Nanoseconds to milliseconds, cut as upstream cuts them.
fn millis(nanos: u64) -> Millis {
    Millis(i64::try_from(nanos / 1_000_000).unwrap_or(i64::MAX))
}
