//! What runs now and what was slow lately: `GET /api/queries`, and `DELETE` to end one.
//!
//! Every query of both languages is noted from the moment it waits for a place until its answer has
//! left, with what it touches counted live. The slowest of the last hour stay, with their trace;
//! a query that is asked again and again, as boards do, is one of them and not dozens.
//! Look-ups of labels and the like are not noted: they are many and small.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{delete, get},
};
use masthead_ports::QueryCtx;
use serde::Serialize;

use crate::{desk::Desk, json, prometheus::PrometheusApi};

/// Slow queries that stay.
const SLOW_MAX: usize = 50;
/// How long they stay.
const SLOW_FOR: Duration = Duration::from_hours(1);
/// Bytes of an expression that are shown.
const TEXT_BYTES_MAX: usize = 4 * 1024;
/// Steps of a trace that are kept.
const SPANS_MAX: usize = 100;

/// What is asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) language: Language,
    pub(crate) text: String,
    /// Milliseconds since 1970; both are the same for an instant.
    pub(crate) start_ms: i64,
    pub(crate) end_ms: i64,
    /// Nothing for an instant, and for lines.
    pub(crate) step_ms: Option<i64>,
}

impl Asked {
    /// Whether the other is the same, asked at another time.
    fn is_again(&self, other: &Self) -> bool {
        let span = |asked: &Self| asked.end_ms.saturating_sub(asked.start_ms);
        (self.language, self.step_ms, span(self)) == (other.language, other.step_ms, span(other))
            && self.text == other.text
    }
}

/// A query language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub(crate) enum Language {
    Promql,
    Logql,
}

/// All queries of the server.
#[derive(Debug, Default)]
pub(crate) struct QueryBook {
    next: AtomicU64,
    running: Mutex<BTreeMap<u64, Arc<Running>>>,
    slow: Mutex<Vec<Slow>>,
}

#[derive(Debug)]
struct Running {
    asked: Asked,
    ctx: Arc<QueryCtx>,
    /// Milliseconds since 1970.
    began_ms: i64,
    waits: AtomicBool,
    queued_us: AtomicU64,
}

/// The slowest run of a query.
#[derive(Debug)]
struct Slow {
    /// On the monotonic clock.
    ended: Duration,
    took: Duration,
    asked: Asked,
    query: SlowQuery,
}

/// A query in the book; dropping it takes it out.
#[derive(Debug)]
pub(crate) struct Entry {
    desk: Arc<Desk>,
    id: u64,
    running: Arc<Running>,
    outcome: Outcome,
}

/// How a query ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    /// It has answered.
    Done,
    /// It has refused, failed, or run out of time.
    Failed,
    /// The client went away, or somebody ended it.
    Cancelled,
}

impl Entry {
    /// Notes a query that is about to wait for a place.
    pub(crate) fn new(desk: &Arc<Desk>, mut asked: Asked, ctx: &Arc<QueryCtx>) -> Self {
        if asked.text.len() > TEXT_BYTES_MAX {
            let end = asked.text.floor_char_boundary(TEXT_BYTES_MAX);
            asked.text.truncate(end);
            asked.text.push('…');
        }
        let running = Arc::new(Running {
            asked,
            ctx: Arc::clone(ctx),
            began_ms: desk.now_nanos().0.div_euclid(1_000_000),
            waits: AtomicBool::new(true),
            queued_us: AtomicU64::new(0),
        });
        let id = desk.book.next.fetch_add(1, Ordering::Relaxed) + 1;
        desk.book.running().insert(id, Arc::clone(&running));
        // Until it is told otherwise: whoever never says how it ended was dropped.
        Self { desk: Arc::clone(desk), id, running, outcome: Outcome::Cancelled }
    }

    /// It has its place.
    pub(crate) fn begins(&self) {
        let queued = u64::try_from(self.running.ctx.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.running.queued_us.store(queued, Ordering::Relaxed);
        self.running.waits.store(false, Ordering::Relaxed);
    }

    /// It has ended.
    pub(crate) fn ends(mut self, well: bool) {
        self.outcome = match (well, self.running.ctx.cancellation().load(Ordering::Relaxed)) {
            (true, _) => Outcome::Done,
            (false, true) => Outcome::Cancelled,
            (false, false) => Outcome::Failed,
        };
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let book = &self.desk.book;
        book.running().remove(&self.id);
        let took = self.running.ctx.elapsed();
        let ended = self.desk.clock.monotonic();
        let mut slow = book.slow.lock().unwrap_or_else(PoisonError::into_inner);
        slow.retain(|one| ended.saturating_sub(one.ended) < SLOW_FOR);
        let (mut id, mut times) = (self.id, 1);
        if let Some(at) = slow.iter().position(|one| one.asked.is_again(&self.running.asked)) {
            slow[at].query.times += 1;
            if slow[at].took >= took {
                return;
            }
            let before = slow.remove(at).query;
            // Whoever looks at it finds it under the same number.
            (id, times) = (before.id, before.times);
        } else if slow.len() == SLOW_MAX {
            if slow.last().is_some_and(|last| last.took >= took) {
                return;
            }
            slow.pop();
        }
        let query = SlowQuery::of(id, times, &self.running, self.outcome);
        let at = slow.partition_point(|one| one.took >= took);
        slow.insert(at, Slow { ended, took, asked: self.running.asked.clone(), query });
    }
}

impl QueryBook {
    fn running(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Arc<Running>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The last step of every trace: a slow client shows here.
pub(crate) fn write_step() -> String {
    "write the answer".to_owned()
}

/// The answer of `GET /api/queries`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Queries {
    /// The oldest first.
    pub(crate) running: Vec<RunningQuery>,
    /// The slowest runs of the last hour, each of another query, the slowest first.
    pub(crate) slowest: Vec<SlowQuery>,
}

/// What was asked, as it is shown. Times are milliseconds since 1970.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub(crate) struct QueryShown {
    pub(crate) language: Language,
    pub(crate) query: String,
    pub(crate) start_ms: i64,
    /// The same as `startMs` for an instant.
    pub(crate) end_ms: i64,
    /// Nothing for an instant, and for lines.
    pub(crate) step_ms: Option<i64>,
    pub(crate) began_ms: i64,
}

/// What a query has touched.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Touched {
    /// Samples, or lines.
    pub(crate) samples: u64,
    /// Series, or streams.
    pub(crate) series: u64,
    pub(crate) blocks: u64,
    /// Compressed bytes that were decoded.
    pub(crate) decoded_bytes: u64,
}

/// A query that waits or runs.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub(crate) struct RunningQuery {
    /// For `DELETE /api/queries/ID`.
    pub(crate) id: u64,
    #[serde(flatten)]
    pub(crate) asked: QueryShown,
    /// Whether it still waits for a place.
    pub(crate) waits: bool,
    pub(crate) elapsed_seconds: f64,
    pub(crate) touched: Touched,
}

/// A query that was slow: its slowest run.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub(crate) struct SlowQuery {
    /// The same for all runs that are counted here.
    pub(crate) id: u64,
    /// How often it ran since it is among the slowest: the same text, over as long a range, with the
    /// same step.
    pub(crate) times: u64,
    #[serde(flatten)]
    pub(crate) asked: QueryShown,
    pub(crate) outcome: Outcome,
    pub(crate) explain: Explain,
}

/// What was touched and where the time went. Times in seconds from the moment the request was read.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Explain {
    pub(crate) queued_seconds: f64,
    pub(crate) total_seconds: f64,
    #[serde(flatten)]
    pub(crate) touched: Touched,
    pub(crate) spans: Vec<Span>,
}

/// One step of a query.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Span {
    pub(crate) what: String,
    pub(crate) start_seconds: f64,
    pub(crate) took_seconds: f64,
}

impl Touched {
    fn of(ctx: &QueryCtx) -> Self {
        let stats = ctx.stats();
        Self {
            samples: stats.samples,
            series: stats.series,
            blocks: stats.blocks,
            decoded_bytes: stats.bytes,
        }
    }
}

impl Explain {
    /// What `ctx` knows now.
    pub(crate) fn of(ctx: &QueryCtx, queued: Duration) -> Self {
        let mut trace = ctx.trace();
        // They come in the order in which they ended; people read them as they began.
        trace.sort_by_key(|span| span.start);
        let spans = trace.into_iter().map(|span| Span {
            what: span.what,
            start_seconds: span.start.as_secs_f64(),
            took_seconds: span.took.as_secs_f64(),
        });
        Self {
            queued_seconds: queued.as_secs_f64(),
            total_seconds: ctx.elapsed().as_secs_f64(),
            touched: Touched::of(ctx),
            spans: spans.collect(),
        }
    }
}

impl QueryShown {
    fn of(running: &Running) -> Self {
        let Asked { language, text, start_ms, end_ms, step_ms } = &running.asked;
        Self {
            language: *language,
            query: text.clone(),
            start_ms: *start_ms,
            end_ms: *end_ms,
            step_ms: *step_ms,
            began_ms: running.began_ms,
        }
    }
}

impl SlowQuery {
    fn of(id: u64, times: u64, running: &Running, outcome: Outcome) -> Self {
        let queued = if running.waits.load(Ordering::Relaxed) {
            running.ctx.elapsed()
        } else {
            Duration::from_micros(running.queued_us.load(Ordering::Relaxed))
        };
        let mut explain = Explain::of(&running.ctx, queued);
        explain.spans.truncate(SPANS_MAX);
        for span in &mut explain.spans {
            let end = span.what.floor_char_boundary(TEXT_BYTES_MAX);
            span.what.truncate(end);
        }
        Self { id, times, asked: QueryShown::of(running), outcome, explain }
    }
}

/// The routes over what both APIs of this server are asked.
pub fn queries_router(api: &PrometheusApi) -> Router {
    Router::new()
        .route("/api/queries", get(list))
        .route("/api/queries/{id}", delete(cancel))
        .with_state(api.desk())
}

async fn list(State(desk): State<Arc<Desk>>) -> Response {
    let book = &desk.book;
    let running = book.running().clone();
    let running = running.iter().map(|(id, running)| RunningQuery {
        id: *id,
        asked: QueryShown::of(running),
        waits: running.waits.load(Ordering::Relaxed),
        elapsed_seconds: running.ctx.elapsed().as_secs_f64(),
        touched: Touched::of(&running.ctx),
    });
    let running = running.collect();
    let now = desk.clock.monotonic();
    let slow = book.slow.lock().unwrap_or_else(PoisonError::into_inner);
    let fresh = slow.iter().filter(|one| now.saturating_sub(one.ended) < SLOW_FOR);
    let slowest = fresh.map(|one| one.query.clone()).collect();
    drop(slow);
    let kind = HeaderValue::from_static("application/json");
    let body = json::to_vec(&Queries { running, slowest });
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}

async fn cancel(State(desk): State<Arc<Desk>>, Path(id): Path<String>) -> Response {
    let running = id.parse().ok().and_then(|id: u64| desk.book.running().get(&id).cloned());
    let Some(running) = running else {
        let body = json::to_vec(&serde_json::json!({"message": "no such query runs"}));
        let kind = HeaderValue::from_static("application/json");
        return (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, kind)], body).into_response();
    };
    running.ctx.cancellation().store(true, Ordering::Relaxed);
    StatusCode::NO_CONTENT.into_response()
}
