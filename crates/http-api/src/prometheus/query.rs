//! `/query` and `/query_range`: parameters, a place in the queue, the answer as a stream.
//!
//! The clock of a query starts when its request is read, so that the time it waits for a place is
//! part of its timeout.

use std::{hash::Hash, sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    response::Response,
};
use masthead_model::{ErrorClass, Millis, Value};
use masthead_ports::{QueryCtx, QueryError};
use masthead_promql::{InstantSample, QueryValue, SeriesResult};
use serde::Serialize;

use super::{
    Shared,
    envelope::{self, TRUNCATED},
};
use crate::{
    desk::Work,
    error::ApiError,
    evaluator::{EvalError, Evaluation, Grid, Query},
    json,
    params::Params,
    queries::{Asked, Entry, Explain, Language, write_step},
    quick::{ATTEMPT_MAX, Key},
    stream::{self, ChunkWriter, Stop},
    time::parse_duration,
};

/// Points of one series at most (`web/api/v1/api.go: queryRange`).
const POINTS_MAX: i64 = 11_000;

/// `/query`
pub(super) async fn instant(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, ApiError> {
    let params = Params::read(request, &shared).await?;
    let limit = params.limit()?;
    let at = params.time_or("time", shared.now())?;
    let question = Question::read(&params, limit, When::At(at))?;
    answer(&shared, &params, question).await
}

/// `/query_range`
pub(super) async fn range(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, ApiError> {
    let params = Params::read(request, &shared).await?;
    let limit = params.limit()?;
    let start = params.time("start")?;
    let end = params.time("end")?;
    if end < start {
        let why = "end timestamp must not be before start time";
        return Err(ApiError::parameter("end", why));
    }
    let step_ms =
        parse_duration(params.first("step")).map_err(|why| ApiError::parameter("step", why))?;
    if step_ms <= 0 {
        let why = "zero or negative query resolution step widths are not accepted. Try a positive integer";
        return Err(ApiError::parameter("step", why));
    }
    if end.0.saturating_sub(start.0) / step_ms > POINTS_MAX {
        return Err(ApiError::bad(
            "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
        ));
    }
    let question = Question::read(&params, limit, When::Grid(Grid { start, end, step_ms }))?;
    answer(&shared, &params, question).await
}

#[derive(Debug, Clone, Copy)]
enum When {
    At(Millis),
    Grid(Grid),
}

/// What is asked, once its parameters are known to be sound.
#[derive(Debug)]
struct Question {
    text: String,
    when: When,
    lookback_ms: Option<i64>,
    timeout: Option<Duration>,
    /// Series at most; 0 for all.
    limit: usize,
    stats: Stated,
    explain: bool,
}

/// What is told beside the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stated {
    Nothing,
    Totals,
    /// Totals, and the samples of each step.
    All,
}

impl Question {
    fn read(params: &Params, limit: usize, when: When) -> Result<Self, ApiError> {
        let timeout = match params.first("timeout") {
            "" => None,
            text => {
                let ms = parse_duration(text).map_err(|why| ApiError::parameter("timeout", why))?;
                // A negative timeout is over before it begins.
                Some(Duration::from_millis(u64::try_from(ms).unwrap_or(0)))
            }
        };
        let lookback_ms = match params.first("lookback_delta") {
            "" => None,
            text => {
                let refuse = |why| format!("error parsing lookback delta duration: {why}");
                let ms = parse_duration(text).map_err(|why| ApiError::bad(refuse(why)))?;
                // As upstream, which falls back to its flag unless the value is positive.
                (ms > 0).then_some(ms)
            }
        };
        let explain = Params::boolean(params.first("explain"))
            .map_err(|why| ApiError::parameter("explain", why))?;
        Ok(Self {
            text: params.first("query").to_owned(),
            when,
            lookback_ms,
            timeout,
            limit,
            stats: match params.first("stats") {
                "" => Stated::Nothing,
                "all" => Stated::All,
                _ => Stated::Totals,
            },
            explain,
        })
    }

    /// What is the same when a board asks it again some time later.
    fn repeated(&self) -> impl Hash {
        let (length, step_ms) = match self.when {
            When::At(_) => (0, 0),
            When::Grid(Grid { start, end, step_ms }) => (end.0.saturating_sub(start.0), step_ms),
        };
        (self.text.as_str(), length, step_ms, self.lookback_ms, self.limit)
    }

    /// The same for whoever looks at what runs.
    fn asked(&self) -> Asked {
        let (start, end, step_ms) = match self.when {
            When::At(at) => (at, at, None),
            When::Grid(Grid { start, end, step_ms }) => (start, end, Some(step_ms)),
        };
        Asked {
            language: Language::Promql,
            text: self.text.clone(),
            start_ms: start.0,
            end_ms: end.0,
            step_ms,
        }
    }
}

async fn answer(
    shared: &Arc<Shared>,
    params: &Params,
    question: Question,
) -> Result<Response, ApiError> {
    // Always with a trace: should it turn out slow, somebody will want to know why.
    let mut ctx = shared.ctx(question.timeout).with_trace();
    if question.stats == Stated::All {
        ctx = ctx.with_step_counts();
    }
    let limit = shared.limits.query.timeout;
    let timeout = question.timeout.map_or(limit, |asked| asked.min(limit));
    if timeout.is_zero() {
        return Err(QueryError::Timeout.into());
    }
    let ctx = Arc::new(ctx);
    let entry = Entry::new(&shared.desk, question.asked(), &ctx);
    let place = shared.place(Work::Query, &ctx, timeout).await?;
    let queued = ctx.elapsed();
    entry.begins();
    let delivery = || shared.delivery(params.gzip, ctx.cancellation());
    let key = shared.desk.quick.key(&question.repeated());
    if let Some(_attempt) = shared.desk.quick.attempt(key) {
        ctx.attempt(ATTEMPT_MAX);
        let work = |out: &mut ChunkWriter| run(shared, &ctx, &question, queued, key, out);
        if let Some(response) = stream::at_once(delivery(), work) {
            entry.ends(true);
            return Ok(response);
        }
        ctx.begin_again();
    }
    let delivery = delivery();
    let shared = Arc::clone(shared);
    Ok(stream::respond(place, delivery, move |out| {
        let done = run(&shared, &ctx, &question, queued, key, out);
        entry.ends(done.is_ok());
        done
    })
    .await)
}

/// Evaluates and writes the answer, and notes how long that took.
fn run(
    shared: &Shared,
    ctx: &QueryCtx,
    question: &Question,
    queued: Duration,
    key: Key,
    out: &mut ChunkWriter,
) -> Result<(), Stop> {
    let began = ctx.elapsed();
    let work = |out: &mut ChunkWriter| {
        ctx.check()?;
        let evaluation = evaluate(shared, ctx, question)?;
        // Also of a query that selects nothing, so that none that was answered has no steps.
        ctx.traced(write_step, || write(out, ctx, question, evaluation, queued))
    };
    let done = work(out);
    let took = ctx.elapsed().saturating_sub(began);
    shared.desk.quick.note(key, took, done.is_ok() && out.fits());
    done
}

fn evaluate(shared: &Shared, ctx: &QueryCtx, question: &Question) -> Result<Evaluation, ApiError> {
    let parts = &shared.parts;
    let query = Query { text: &question.text, lookback_ms: question.lookback_ms };
    let source = parts.source.as_ref();
    let evaluated = match question.when {
        When::At(at) => parts.evaluator.instant(ctx, source, &query, at),
        When::Grid(grid) => parts.evaluator.range(ctx, source, &query, grid),
    };
    evaluated.map_err(|error| match error {
        EvalError { class: ErrorClass::BadInput, message } => ApiError::parameter("query", message),
        error => error.into(),
    })
}

fn write(
    out: &mut ChunkWriter,
    ctx: &QueryCtx,
    question: &Question,
    evaluation: Evaluation,
    queued: Duration,
) -> Result<(), Stop> {
    let Evaluation { mut value, mut warnings, infos } = evaluation;
    warnings.extend(ctx.warnings());
    if truncate(&mut value, question.limit) {
        warnings.push(TRUNCATED.to_owned());
    }
    let stats = (question.stats != Stated::Nothing).then(|| Stats::new(ctx, queued));
    let explain = question.explain.then(|| Explain::of(ctx, queued));
    envelope::open(out);
    out.buf.extend_from_slice(b"{\"resultType\":\"");
    out.buf.extend_from_slice(value.kind().as_bytes());
    out.buf.extend_from_slice(b"\",\"result\":");
    write_value(out, value)?;
    if let Some(stats) = stats {
        out.buf.extend_from_slice(b",\"stats\":");
        out.buf.extend_from_slice(&json::to_vec(&stats));
    }
    if let Some(explain) = explain {
        out.buf.extend_from_slice(b",\"explain\":");
        out.buf.extend_from_slice(&json::to_vec(&explain));
    }
    out.buf.push(b'}');
    envelope::close(out, &warnings, &infos);
    out.check()
}

/// Cuts the series to `limit` unless it is 0, and says whether there were more.
fn truncate(value: &mut QueryValue, limit: usize) -> bool {
    let len = match value {
        QueryValue::Scalar(..) | QueryValue::String(..) => 0,
        QueryValue::Vector(samples) => samples.len(),
        QueryValue::Matrix(series) => series.len(),
    };
    if limit == 0 || len <= limit {
        return false;
    }
    match value {
        QueryValue::Scalar(..) | QueryValue::String(..) => {}
        QueryValue::Vector(samples) => samples.truncate(limit),
        QueryValue::Matrix(series) => series.truncate(limit),
    }
    true
}

/// Takes the value apart while it is written, so that its memory is given back on the way.
fn write_value(out: &mut ChunkWriter, value: QueryValue) -> Result<(), Stop> {
    match value {
        QueryValue::Scalar(number, at) => {
            push_point(&mut out.buf, at.0, |buf| json::push_float(buf, number));
            Ok(())
        }
        QueryValue::String(text, at) => {
            push_point(&mut out.buf, at.0, |buf| json::push_string(buf, &text));
            Ok(())
        }
        QueryValue::Vector(samples) => out.list(samples, push_sample),
        QueryValue::Matrix(series) => {
            out.buf.push(b'[');
            for (at, series) in series.into_iter().enumerate() {
                if at > 0 {
                    out.buf.push(b',');
                }
                write_series(out, &series)?;
            }
            out.buf.push(b']');
            Ok(())
        }
    }
}

/// `[seconds,value]`
fn push_point(buf: &mut Vec<u8>, at: i64, push: impl FnOnce(&mut Vec<u8>)) {
    buf.push(b'[');
    json::push_timestamp(buf, at);
    buf.push(b',');
    push(buf);
    buf.push(b']');
}

fn push_sample(buf: &mut Vec<u8>, sample: InstantSample) {
    let InstantSample { labels, timestamp, value } = sample;
    buf.extend_from_slice(b"{\"metric\":");
    json::push_labels(buf, &labels);
    match value {
        Value::Float(number) => {
            buf.extend_from_slice(b",\"value\":");
            push_point(buf, timestamp.0, |buf| json::push_float(buf, number));
        }
        Value::Histogram(histogram) => {
            buf.extend_from_slice(b",\"histogram\":");
            push_point(buf, timestamp.0, |buf| json::push_histogram(buf, &histogram));
        }
    }
    buf.push(b'}');
}

fn write_series(out: &mut ChunkWriter, series: &SeriesResult) -> Result<(), Stop> {
    out.buf.extend_from_slice(b"{\"metric\":");
    json::push_labels(&mut out.buf, &series.labels);
    if !series.floats.is_empty() {
        out.buf.extend_from_slice(b",\"values\":");
        out.list(&series.floats, |buf, (at, number)| {
            push_point(buf, *at, |buf| json::push_float(buf, *number));
        })?;
    }
    if !series.histograms.is_empty() {
        out.buf.extend_from_slice(b",\"histograms\":");
        out.list(&series.histograms, |buf, (at, histogram)| {
            push_point(buf, *at, |buf| json::push_histogram(buf, histogram));
        })?;
    }
    out.buf.push(b'}');
    out.check()
}

/// `stats`, in the shape of upstream's `util/stats`, times in seconds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Stats {
    timings: Timings,
    samples: Samples,
}

/// What we do not time apart is 0.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the keys are upstream's")]
struct Timings {
    eval_total_time: f64,
    result_sort_time: f64,
    query_preparation_time: f64,
    inner_eval_time: f64,
    exec_queue_time: f64,
    exec_total_time: f64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the keys are upstream's")]
struct Samples {
    #[serde(skip_serializing_if = "Option::is_none")]
    total_queryable_samples_per_step: Option<Vec<PerStep>>,
    total_queryable_samples: u64,
    /// Columns are held whole, so the peak is everything that was read.
    peak_samples: u64,
}

/// `[seconds,samples]`
#[derive(Debug)]
struct PerStep(i64, u64);

impl Serialize for PerStep {
    #[expect(clippy::cast_precision_loss, reason = "exact until the year 287396")]
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (self.0 as f64 / 1000.0, self.1).serialize(to)
    }
}

impl Stats {
    fn new(ctx: &QueryCtx, queued: Duration) -> Self {
        let elapsed = ctx.elapsed();
        let eval = elapsed.saturating_sub(queued).as_secs_f64();
        let samples = ctx.stats().samples;
        let per_step = ctx.step_counts();
        // What windows share counts for each of them, so this is more than what was read.
        let total = per_step
            .as_ref()
            .map_or(samples, |counts| counts.iter().fold(0, |sum, (_, count)| sum + count));
        Self {
            timings: Timings {
                eval_total_time: eval,
                result_sort_time: 0.0,
                query_preparation_time: 0.0,
                inner_eval_time: eval,
                exec_queue_time: queued.as_secs_f64(),
                exec_total_time: elapsed.as_secs_f64(),
            },
            samples: Samples {
                total_queryable_samples_per_step: per_step
                    .map(|counts| counts.into_iter().map(|(at, n)| PerStep(at, n)).collect()),
                total_queryable_samples: total,
                peak_samples: samples,
            },
        }
    }
}
