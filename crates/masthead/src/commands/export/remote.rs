//! A server as a source of samples, over the HTTP API of Prometheus.
//!
//! Labels come from `/api/v1/series`, samples of one series at a time from `/api/v1/query` with a
//! range selector, which answers with what is stored; stale markers never come. Native histograms
//! come so as buckets from which they cannot be made again, empty ones and the widths of zero
//! buckets being left out; a series that has some is asked for once more by remote read, which
//! tells them as they are. Where a server has no remote read they are counted and left out.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use masthead_model::{
    ErrorClass, Labels, Matcher, Millis, TimeRange, is_stale, parse_number, quote,
};
use masthead_ports::{
    Columns, Exemplar, LabelQuery, Metadata, MetricType, QueryCtx, QueryError, SampleSource,
    Selected, Selection, SeriesReader,
};
use masthead_wire::{
    Limits,
    remote_read::{
        ReadForm, ReadHints, ReadQuery, ReadRequest, encode_request, histograms_of_answer,
    },
    remote_write::{HistogramPoint, compress, decompress},
};
use serde::{Deserialize, de::DeserializeOwned};
use url::Url;

use crate::{
    cli::{AccessArgs, UsageError},
    client,
    server::{Server, refusal},
};

/// The samples of one series in one piece of the range are one answer.
const LIMITS: client::Limits = client::Limits { time: Duration::from_mins(5), body_bytes: 1 << 30 };

/// A server.
#[derive(Debug)]
pub(super) struct Remote(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    server: Server,
    runtime: tokio::runtime::Runtime,
    /// Native histograms that came, by metric.
    histograms: Mutex<BTreeMap<String, u64>>,
}

#[derive(Deserialize)]
struct Envelope<T> {
    data: Option<T>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Matrix {
    result: Vec<MatrixSeries>,
}

#[derive(Deserialize)]
struct MatrixSeries {
    metric: BTreeMap<String, String>,
    #[serde(default)]
    values: Vec<(f64, String)>,
    #[serde(default)]
    histograms: Vec<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Described {
    #[serde(rename = "type")]
    metric_type: String,
    help: String,
    unit: String,
}

impl Remote {
    /// # Errors
    /// Flags that cannot be.
    pub(super) fn new(base: &Url, access: &AccessArgs) -> Result<Self, UsageError> {
        let server = Server::new(base, access, LIMITS)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| UsageError(error.to_string()))?;
        let histograms = Mutex::default();
        Ok(Self(Arc::new(Shared { server, runtime, histograms })))
    }

    /// The native histograms that came and were left out, by metric.
    pub(super) fn histograms(&self) -> BTreeMap<String, u64> {
        self.0.histograms.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Shared {
    /// Asks an endpoint; a form if there are parameters.
    fn ask<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: Option<&[(&str, String)]>,
    ) -> Result<T, QueryError> {
        let failed = |why: String| QueryError::Store {
            class: ErrorClass::Unavailable,
            message: format!("{}{path}: {why}", self.server.base()),
        };
        let answer = match parameters {
            None => self.runtime.block_on(self.server.get(path)),
            Some(parameters) => {
                let mut form = form_urlencoded::Serializer::new(String::new());
                form.extend_pairs(parameters);
                self.runtime.block_on(self.server.post(path, form.finish(), &[]))
            }
        };
        let answer = answer.map_err(|error| failed(format!("{error:#}")))?;
        let envelope: Envelope<T> = serde_json::from_slice(&answer.body)
            .map_err(|error| failed(format!("answered {}: {error}", answer.status)))?;
        match envelope {
            Envelope { error: Some(error), .. } => Err(failed(error)),
            Envelope { data: Some(data), .. } => Ok(data),
            Envelope { .. } => Err(failed(format!("answered {} without data", answer.status))),
        }
    }

    fn find(
        &self,
        selectors: &[Vec<Matcher>],
        range: TimeRange<Millis>,
    ) -> Result<Vec<Labels>, QueryError> {
        let mut parameters = range_parameters(range);
        parameters.extend(selectors.iter().map(|s| ("match[]", selector(s))));
        let found: Vec<BTreeMap<String, String>> = self.ask("/api/v1/series", Some(&parameters))?;
        let mut all: Vec<Labels> = found.iter().map(labels_of).collect();
        all.sort();
        all.dedup();
        Ok(all)
    }
}

impl Shared {
    /// The native histograms of one series, or nothing where the server has no remote read.
    fn histograms_of(
        &self,
        matchers: Vec<Matcher>,
        range: TimeRange<Millis>,
    ) -> Result<Option<Vec<HistogramPoint>>, QueryError> {
        const PATH: &str = "/api/v1/read";
        let failed = |why: String| QueryError::Store {
            class: ErrorClass::Unavailable,
            message: format!("{}{PATH}: {why}", self.server.base()),
        };
        let query = ReadQuery { range, matchers, hints: ReadHints::default() };
        let request = ReadRequest { queries: vec![query], form: ReadForm::Samples };
        let body = compress(&encode_request(&request)).map_err(|e| failed(e.to_string()))?;
        let headers = [
            ("content-type", "application/x-protobuf"),
            ("content-encoding", "snappy"),
            ("x-prometheus-remote-read-version", "0.1.0"),
        ];
        let asked = self.runtime.block_on(self.server.send(PATH, &body.into(), &headers));
        let answer = asked.map_err(|error| failed(format!("{error:#}")))?;
        if matches!(answer.status.as_u16(), 404 | 405 | 501) {
            return Ok(None);
        }
        if !answer.status.is_success() {
            return Err(failed(refusal(answer.status, &answer.body)));
        }
        let limits = Limits { body_bytes: LIMITS.body_bytes, ..Limits::default() };
        let mut plain = Vec::new();
        decompress(&answer.body, &limits, &mut plain).map_err(|e| failed(e.to_string()))?;
        histograms_of_answer(&plain, &limits).map(Some).map_err(|e| failed(e.to_string()))
    }
}

impl SampleSource for Remote {
    fn select(&self, _: &QueryCtx, selections: &[Selection]) -> Result<Vec<Selected>, QueryError> {
        let select = |selection: &Selection| {
            let labels = self.0.find(std::slice::from_ref(&selection.matchers), selection.range)?;
            let reader = Reader {
                shared: Arc::clone(&self.0),
                labels: labels.clone(),
                range: selection.range,
            };
            Ok(Selected { labels, reader: Arc::new(reader) })
        };
        selections.iter().map(select).collect()
    }

    fn label_names(&self, _: &QueryCtx, _: &LabelQuery) -> Result<Vec<String>, QueryError> {
        Err(unused("label names"))
    }

    fn label_values(
        &self,
        _: &QueryCtx,
        name: &str,
        query: &LabelQuery,
    ) -> Result<Vec<String>, QueryError> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(range_parameters(query.range));
        form.extend_pairs(query.matchers.iter().map(|s| ("match[]", selector(s))));
        self.0.ask(&format!("/api/v1/label/{name}/values?{}", form.finish()), None)
    }

    /// Asked for to count series without a name, of which the API has none to tell.
    fn series(&self, _: &QueryCtx, _: &LabelQuery) -> Result<Vec<Labels>, QueryError> {
        Ok(Vec::new())
    }

    fn exemplars(
        &self,
        _: &QueryCtx,
        _: &[Vec<Matcher>],
        _: TimeRange<Millis>,
    ) -> Result<Vec<(Labels, Vec<Exemplar>)>, QueryError> {
        Err(unused("exemplars"))
    }

    fn metadata(&self, _: &QueryCtx, _: Option<&str>) -> Result<Vec<Metadata>, QueryError> {
        let known: BTreeMap<String, Vec<Described>> = self.0.ask("/api/v1/metadata", None)?;
        let describe = |(family, described): (String, Vec<Described>)| {
            // Targets that disagree are taken at the first one's word.
            let described = described.into_iter().next()?;
            Some(Metadata {
                family: family.into(),
                metric_type: metric_type(&described.metric_type),
                help: described.help.into(),
                unit: described.unit.into(),
            })
        };
        Ok(known.into_iter().filter_map(describe).collect())
    }
}

#[derive(Debug)]
struct Reader {
    shared: Arc<Shared>,
    labels: Vec<Labels>,
    range: TimeRange<Millis>,
}

impl SeriesReader for Reader {
    fn read(&self, _: &QueryCtx, at: usize, into: &mut Columns) -> Result<(), QueryError> {
        into.clear();
        let Some(labels) = self.labels.get(at) else { return Ok(()) };
        let exact: Vec<Matcher> =
            labels.iter().map(|label| Matcher::equal(label.name, label.value)).collect();
        // The start of a range belongs to it or not, by the server's version.
        let span = self.range.end.0.saturating_sub(self.range.start.0).saturating_add(1);
        let parameters = [
            ("query", format!("{}[{span}ms]", selector(&exact))),
            ("time", seconds(self.range.end)),
        ];
        let matrix: Matrix = self.shared.ask("/api/v1/query", Some(&parameters))?;
        // Others may have these labels and more.
        let series = matrix.result.into_iter().find(|series| labels_of(&series.metric) == *labels);
        let Some(series) = series else { return Ok(()) };
        for (time, value) in series.values {
            let (Ok(time), Some(value)) = (Millis::from_seconds(time), parse_number(&value)) else {
                continue;
            };
            if time >= self.range.start {
                into.float_times.push(time.0);
                into.floats.push(value);
            }
        }
        if series.histograms.is_empty() {
            return Ok(());
        }
        if let Some(points) = self.shared.histograms_of(exact, self.range)? {
            for point in points {
                // A stale marker is no histogram.
                if !is_stale(point.histogram.sum) {
                    into.histogram_times.push(point.timestamp.0);
                    into.histograms.push(Arc::new(point.histogram));
                }
            }
        } else {
            let metric = labels.metric_name().unwrap_or("").to_owned();
            let mut all = self.shared.histograms.lock().unwrap_or_else(PoisonError::into_inner);
            *all.entry(metric).or_default() += series.histograms.len() as u64;
        }
        Ok(())
    }
}

fn labels_of(metric: &BTreeMap<String, String>) -> Labels {
    let mut pairs: Vec<(Cow<'_, str>, Cow<'_, str>)> =
        metric.iter().map(|(name, value)| (name.into(), value.into())).collect();
    // A map has no name twice.
    Labels::from_pairs(&mut pairs).unwrap_or_default()
}

fn unused(what: &str) -> QueryError {
    let message = format!("BUG: {what} of a server were asked for");
    QueryError::Store { class: ErrorClass::Internal, message }
}

fn range_parameters(range: TimeRange<Millis>) -> Vec<(&'static str, String)> {
    vec![("start", seconds(range.start)), ("end", seconds(range.end))]
}

fn seconds(time: Millis) -> String {
    format!("{}", time.as_seconds())
}

/// A selector as PromQL has it, with the name as a label because any text can be one.
fn selector(matchers: &[Matcher]) -> String {
    let mut out = String::from("{");
    for (at, matcher) in matchers.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        let name = if masthead_model::is_legacy_label_name(matcher.name()) {
            matcher.name().to_owned()
        } else {
            quote(matcher.name())
        };
        // Writing to a String cannot fail.
        write!(out, "{comma}{name}{}{}", matcher.op(), quote(matcher.value())).unwrap_or_default();
    }
    out.push('}');
    out
}

fn metric_type(name: &str) -> MetricType {
    [
        MetricType::Counter,
        MetricType::Gauge,
        MetricType::Histogram,
        MetricType::GaugeHistogram,
        MetricType::Summary,
        MetricType::Info,
        MetricType::StateSet,
    ]
    .into_iter()
    .find(|known| known.as_str() == name)
    .unwrap_or(MetricType::Unknown)
}
