//! `/query`, `/query_range` and `/format_query`: parameters, a place in the queue, the answer as a
//! stream. What an answer looks like is `query/write.rs`.
//!
//! A range of a metric query is widened to multiples of its step, as Loki's frontend does it, so
//! that panels which are asked anew get the same points again.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::HeaderMap,
    response::Response,
};
use masthead_logql::{Answer, Params as EngineParams, ast::Expr};
use masthead_model::{ErrorClass, Nanos, quote};
use masthead_ports::{Direction, QueryCtx};
use serde_json::json;

use super::{
    Refusal, Shared, Success, language,
    params::{Asked, check_length},
    small,
};
use crate::{
    desk::Work,
    error::ApiError,
    queries::{Asked as Noted, Entry, Language, write_step},
    stream,
};
use write::Shape;

mod write;

pub(super) use write::{push_categorized, push_text, push_whole, time_text};

/// How clients ask for labels by where they come from; the value is a list.
const FLAGS: &str = "x-loki-response-encoding-flags";
const CATEGORIZE: &str = "categorize-labels";
const NANOS_PER_MILLI: i64 = 1_000_000;

/// `/query`
pub(super) async fn instant(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, Refusal> {
    let shape = shape(request.headers());
    let asked = Asked::read(request, &shared).await?;
    let at = asked.time("time")?;
    let limit = asked.limit("limit")?;
    let direction = asked.direction()?;
    let expr = language::parse(asked.first("query"))?;
    let params = EngineParams { limit, direction, ..EngineParams::instant(at) };
    answer(&shared, asked.gzip(), expr, params, shape).await
}

/// `/query_range`
pub(super) async fn range(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, Refusal> {
    let shape = shape(request.headers());
    let asked = Asked::read(request, &shared).await?;
    let (start, end) = asked.range()?;
    let limit = asked.limit("limit")?;
    let direction = asked.direction()?;
    let step_ns = asked.step_ms(start, end)?.saturating_mul(NANOS_PER_MILLI);
    let interval = asked.interval()?;
    let expr = language::parse(asked.first("query"))?;
    check_length(start, end, shared.parts.limits.query_ns)?;
    let (start, end) = match &expr {
        Expr::Log(_) => {
            check_entries(&shared, limit)?;
            (start, end)
        }
        Expr::Metric(_) => aligned(start, end, step_ns),
    };
    let params = EngineParams { start, end, step: step_ns, interval, limit, direction };
    answer(&shared, asked.gzip(), expr, params, shape).await
}

/// `/api/prom/query`, which knows lines only.
pub(super) async fn legacy(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, Refusal> {
    let asked = Asked::read(request, &shared).await?;
    let (start, end) = asked.range()?;
    let limit = asked.limit("limit")?;
    let direction = asked.direction()?;
    let mut text = asked.first("query").to_owned();
    let regexp = asked.first("regexp");
    let expr = language::parse(&text)?;
    if matches!(expr, Expr::Metric(_)) {
        let text =
            "rpc error: code = Code(400) desc = legacy endpoints only support streams result type";
        return Err(Refusal::bad(text));
    }
    let expr = if regexp.is_empty() {
        expr
    } else {
        text.push_str(" |~ ");
        text.push_str(&quote(regexp));
        language::parse(&text)?
    };
    check_entries(&shared, limit)?;
    check_length(start, end, shared.parts.limits.query_ns)?;
    let params = EngineParams { start, end, step: 1, interval: 0, limit, direction };
    answer(&shared, asked.gzip(), expr, params, Shape::Legacy).await
}

/// `/format_query`
pub(super) async fn format(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, Refusal> {
    let asked = Asked::read(request, &shared).await?;
    match language::parse(asked.first("query")) {
        Ok(expr) => Ok(small(&Success::new(masthead_logql::pretty(&expr)))),
        // Here alone an error is JSON.
        Err(refusal) => {
            let error = refusal.message.as_str();
            let mut response = small(&json!({"status": "invalid-query", "error": error}));
            *response.status_mut() = refusal.status;
            Ok(response)
        }
    }
}

async fn answer(
    shared: &Arc<Shared>,
    gzip: bool,
    expr: Expr,
    params: EngineParams,
    shape: Shape,
) -> Result<Response, Refusal> {
    // Always with a trace: should it turn out slow, somebody will want to know why.
    let ctx = Arc::new(shared.desk.ctx(None).with_trace());
    let instant = params.start == params.end;
    let noted = Noted {
        language: Language::Logql,
        text: expr.to_string(),
        start_ms: params.start.0.div_euclid(NANOS_PER_MILLI),
        end_ms: params.end.0.div_euclid(NANOS_PER_MILLI),
        step_ms: (!instant && matches!(expr, Expr::Metric(_)))
            .then(|| params.step.div_euclid(NANOS_PER_MILLI)),
    };
    let entry = Entry::new(&shared.desk, noted, &ctx);
    let place = shared.desk.place(Work::Query, &ctx, shared.desk.limits.query.timeout).await?;
    entry.begins();
    let delivery = shared.delivery(gzip, &ctx);
    let shared = Arc::clone(shared);
    Ok(stream::respond(place, delivery, move |out| {
        let mut work = || {
            let queued = ctx.elapsed();
            ctx.check()?;
            let answer = evaluate(&shared, &ctx, &expr, &params)?;
            ctx.traced(write_step, || write::answer(out, &ctx, &answer, shape, queued))
        };
        let done = work();
        entry.ends(done.is_ok());
        done
    })
    .await)
}

fn evaluate(
    shared: &Shared,
    ctx: &QueryCtx,
    expr: &Expr,
    params: &EngineParams,
) -> Result<Answer, ApiError> {
    let answer = shared.parts.engine.query(ctx, shared.parts.source.as_ref(), expr, params)?;
    Ok(answer)
}

/// The newest or oldest lines that a query selects, for what looks into lines.
pub(super) fn lines(
    shared: &Shared,
    ctx: &QueryCtx,
    expr: &Expr,
    (start, end): (Nanos, Nanos),
    limit: usize,
    direction: Direction,
) -> Result<masthead_logql::Lines, ApiError> {
    let params = EngineParams { start, end, step: 1, interval: 0, limit, direction };
    match evaluate(shared, ctx, expr, &params)? {
        Answer::Streams(lines) => Ok(lines),
        Answer::Vector(_) | Answer::Matrix(_) | Answer::Scalar(..) => {
            Err(ApiError::new(ErrorClass::BadInput, "only log selector is supported"))
        }
    }
}

pub(super) fn check_entries(shared: &Shared, limit: usize) -> Result<(), Refusal> {
    let most = shared.parts.limits.entries;
    if limit <= most {
        return Ok(());
    }
    Err(Refusal::bad(format!(
        "max entries limit per query exceeded, limit > max_entries_limit_per_query ({limit} > {most})"
    )))
}

/// The start moved back and the end moved on to multiples of the step.
fn aligned(start: Nanos, end: Nanos, step: i64) -> (Nanos, Nanos) {
    let floor = |at: Nanos| at.0.saturating_sub(at.0.rem_euclid(step));
    let up = floor(end);
    let end = if up < end.0 { up.saturating_add(step) } else { up };
    (Nanos(floor(start)), Nanos(end))
}

fn shape(headers: &HeaderMap) -> Shape {
    if wants_categories(headers) { Shape::Categorized } else { Shape::Merged }
}

/// Whether labels are asked for by where they come from.
pub(super) fn wants_categories(headers: &HeaderMap) -> bool {
    let lists = headers.get_all(FLAGS).into_iter().filter_map(|value| value.to_str().ok());
    lists.into_iter().any(is_categorize)
}

/// Whether a list of flags says so.
pub(super) fn is_categorize(flags: &str) -> bool {
    flags.split(',').any(|flag| flag.trim() == CATEGORIZE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_widened_to_multiples_of_its_step() {
        let f = |start, end, step, want| {
            let (from, to) = aligned(Nanos(start), Nanos(end), step);
            assert_eq!((from.0, to.0), want, "{start} {end} {step}");
        };
        f(100, 200, 50, (100, 200));
        f(101, 199, 50, (100, 200));
        f(149, 151, 50, (100, 200));
        f(10, 20, 1000, (0, 1000));
        f(-10, -5, 7, (-14, 0));
    }
}
