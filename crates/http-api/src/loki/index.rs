//! `/index/stats`, `/index/volume` and `/index/volume_range`: how much there is, without reading it.
//!
//! Facts: `pkg/loghttp/query.go: ParseVolume…`, `pkg/storage/stores/index/seriesvolume`.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    extract::{Request, State},
    response::Response,
};
use masthead_model::{Labels, LabelsBuilder, Matcher, Nanos, TimeRange};
use masthead_ports::{QueryCtx, QueryError};
use serde::Serialize;

use super::{
    Refusal, Shared, half_open, language,
    params::{Asked, check_length},
};
use crate::{
    desk::Work,
    error::ApiError,
    json,
    stream::{ChunkWriter, Stop},
};

/// Series of an answer when it is not said.
const LIMIT_DEFAULT: u64 = 100;
const NANOS_PER_MILLI: i64 = 1_000_000;

/// `/index/stats`
pub(super) async fn stats(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, Refusal> {
    let asked = Asked::read(request, &shared).await?;
    let (start, end) = asked.range()?;
    let matchers = language::matchers(asked.first("query"))?;
    let find = move |shared: &Shared, ctx: &QueryCtx| {
        let mut sum = Sum::default();
        for (_, volume) in shared.parts.source.volumes(ctx, &matchers, TimeRange { start, end })? {
            sum.streams += 1;
            sum.chunks += volume.chunks;
            sum.bytes += volume.bytes;
            sum.entries += volume.entries;
        }
        Ok::<_, ApiError>(sum)
    };
    shared.lookup(asked.gzip(), find).await
}

#[derive(Debug, Default, Serialize)]
struct Sum {
    streams: u64,
    chunks: u64,
    bytes: u64,
    entries: u64,
}

/// `/index/shards`, which splits work between queriers; there is nothing to split here.
pub(super) async fn shards() -> Refusal {
    Refusal::bad("query sharding is not supported: one process answers")
}

/// `/index/volume`
pub(super) async fn volume(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, Refusal> {
    let asked = Asked::read(request, &shared).await?;
    let question = Question::read(&asked, &shared)?;
    let work = move |shared: &Shared, ctx: &QueryCtx, out: &mut ChunkWriter| {
        let range = TimeRange { start: question.start, end: question.end };
        let volumes = question.volumes(shared, ctx, range)?;
        out.buf.extend_from_slice(OPEN_VECTOR);
        for (at, (labels, bytes)) in question.largest(volumes).into_iter().enumerate() {
            out.buf.extend_from_slice(if at > 0 { b",{\"metric\":" } else { b"{\"metric\":" });
            push_metric(&mut out.buf, &labels);
            out.buf.extend_from_slice(b",\"value\":");
            push_point(&mut out.buf, question.end, bytes);
            out.buf.push(b'}');
            out.check()?;
        }
        out.buf.extend_from_slice(CLOSE);
        out.check()
    };
    shared.answer(Work::Lookup, asked.gzip(), work).await
}

/// `/index/volume_range`
pub(super) async fn volume_range(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, Refusal> {
    let asked = Asked::read(request, &shared).await?;
    let question = Question::read(&asked, &shared)?;
    let step = asked.step_ms(question.start, question.end)?.saturating_mul(NANOS_PER_MILLI);
    let work = move |shared: &Shared, ctx: &QueryCtx, out: &mut ChunkWriter| {
        let series = question.over_steps(shared, ctx, step)?;
        write_matrix(out, series)
    };
    shared.answer(Work::Lookup, asked.gzip(), work).await
}

const OPEN_VECTOR: &[u8] =
    b"{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[";
const OPEN_MATRIX: &[u8] =
    b"{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[";
const CLOSE: &[u8] = b"]}}";

/// Labels of a series of volumes, which may be empty (`{"app":""}`), and so no label set.
type Metric = Vec<(String, String)>;
/// Bytes at each step, by the step's last moment.
type Steps = Vec<(Nanos, u64)>;

fn write_matrix(out: &mut ChunkWriter, series: Vec<(Metric, Steps)>) -> Result<(), Stop> {
    out.buf.extend_from_slice(OPEN_MATRIX);
    for (at, (labels, points)) in series.into_iter().enumerate() {
        out.buf.extend_from_slice(if at > 0 { b",{\"metric\":" } else { b"{\"metric\":" });
        push_metric(&mut out.buf, &labels);
        out.buf.extend_from_slice(b",\"values\":[");
        for (at, (moment, bytes)) in points.into_iter().enumerate() {
            if at > 0 {
                out.buf.push(b',');
            }
            push_point(&mut out.buf, moment, bytes);
        }
        out.buf.extend_from_slice(b"]}");
        out.check()?;
    }
    out.buf.extend_from_slice(CLOSE);
    out.check()
}

fn push_metric(out: &mut Vec<u8>, labels: &Metric) {
    json::push_pairs(out, labels.iter().map(|(name, value)| (name.as_str(), value.as_str())));
}

fn push_point(out: &mut Vec<u8>, at: Nanos, bytes: u64) {
    out.push(b'[');
    json::push_timestamp(out, at.to_millis_floor().0);
    out.extend_from_slice(b",\"");
    out.extend_from_slice(itoa::Buffer::new().format(bytes).as_bytes());
    out.extend_from_slice(b"\"]");
}

/// What is asked of volumes.
#[derive(Debug)]
struct Question {
    start: Nanos,
    end: Nanos,
    matchers: Vec<Matcher>,
    /// Labels that series are made by; a stream without one of them does not count.
    target: Vec<String>,
    /// Whether each label is a series, whatever its values are.
    by_label: bool,
    /// Series at most, the largest of them.
    limit: usize,
}

impl Question {
    fn read(asked: &Asked, shared: &Shared) -> Result<Self, Refusal> {
        let (start, end) = asked.range()?;
        let matchers = language::matchers_or_all(asked.first("query"))?;
        let by_label = match asked.first("aggregateBy") {
            "" | "series" => false,
            "labels" => true,
            _ => return Err(Refusal::bad("invalid aggregation option")),
        };
        let limit = asked.count("limit", LIMIT_DEFAULT)?;
        let target = asked.first("targetLabels").split(',').map(str::trim);
        let target = target.filter(|name| !name.is_empty()).map(str::to_owned).collect();
        check_length(start, end, shared.parts.limits.query_ns)?;
        let limit = usize::try_from(if limit == 0 { LIMIT_DEFAULT } else { limit });
        let limit = limit.unwrap_or(usize::MAX);
        Ok(Self { start, end, matchers, target, by_label, limit })
    }

    /// Bytes of each series in a part of the range.
    fn volumes(
        &self,
        shared: &Shared,
        ctx: &QueryCtx,
        range: TimeRange<Nanos>,
    ) -> Result<BTreeMap<Metric, u64>, QueryError> {
        let mut sums = BTreeMap::new();
        for (labels, volume) in shared.parts.source.volumes(ctx, &self.matchers, range)? {
            if !self.target.iter().all(|name| labels.get(name).is_some()) {
                continue;
            }
            if self.by_label {
                for label in &labels {
                    if self.target.is_empty() || self.target.iter().any(|t| t == label.name) {
                        let metric = vec![(label.name.to_owned(), String::new())];
                        *sums.entry(metric).or_default() += volume.bytes;
                    }
                }
            } else {
                *sums.entry(self.metric(&labels)).or_default() += volume.bytes;
            }
        }
        Ok(sums)
    }

    /// The labels that a stream counts under: those asked for, else those of the selector, else
    /// all of them.
    fn metric(&self, labels: &Labels) -> Metric {
        let wanted = |name: &str| {
            if self.target.is_empty() {
                self.matchers.is_empty() || self.matchers.iter().any(|m| m.name() == name)
            } else {
                self.target.iter().any(|target| target == name)
            }
        };
        let mut kept = LabelsBuilder::default();
        for label in labels.iter().filter(|label| wanted(label.name)) {
            kept.set(label.name, label.value);
        }
        kept.iter().map(|label| (label.name.to_owned(), label.value.to_owned())).collect()
    }

    /// The series with the most bytes.
    fn largest(&self, volumes: BTreeMap<Metric, u64>) -> Vec<(Metric, u64)> {
        let mut volumes: Vec<_> = volumes.into_iter().filter(|(_, bytes)| *bytes > 0).collect();
        // Stable, so that equal volumes stay in the order of labels.
        volumes.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        volumes.truncate(self.limit);
        volumes
    }

    /// The volumes of each step. Steps begin at multiples of their length; each is told by its
    /// last millisecond, and the last by the end of the range.
    fn over_steps(
        &self,
        shared: &Shared,
        ctx: &QueryCtx,
        step: i64,
    ) -> Result<Vec<(Metric, Steps)>, QueryError> {
        let mut series: BTreeMap<Metric, Steps> = BTreeMap::new();
        let mut from = self.start;
        while from < self.end {
            let next = Nanos(from.0.saturating_sub(from.0.rem_euclid(step)).saturating_add(step));
            let to = next.min(self.end);
            let moment =
                if next >= self.end { self.end } else { next.saturating_sub(NANOS_PER_MILLI) };
            let Some(range) = half_open(from, to) else { break };
            for (labels, bytes) in self.largest(self.volumes(shared, ctx, range)?) {
                series.entry(labels).or_default().push((moment, bytes));
            }
            from = to;
        }
        Ok(series.into_iter().collect())
    }
}
