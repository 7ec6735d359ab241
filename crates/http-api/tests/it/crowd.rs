//! Many clients at once: places, the queue, timeouts and cancelling.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{body::Body, http::Request};
use masthead_http_api::{EvalError, Evaluation, Evaluator, Grid, Limits, Query};
use masthead_model::Millis;
use masthead_ports::{QueryCtx, QueryLimits, SampleSource};
use masthead_promql::QueryValue;
use tower::ServiceExt as _;

use crate::fixture::{Server, Setup, get, server};

/// Runs until it is let go or told to stop.
#[derive(Debug, Default)]
pub(crate) struct Endless {
    running: AtomicUsize,
    most: AtomicUsize,
    let_go: AtomicBool,
    cancelled: AtomicUsize,
}

impl Endless {
    pub(crate) fn is_running(&self) -> bool {
        self.running.load(Ordering::SeqCst) > 0
    }
}

impl Evaluator for Endless {
    fn instant(
        &self,
        ctx: &QueryCtx,
        _: &dyn SampleSource,
        _: &Query<'_>,
        at: Millis,
    ) -> Result<Evaluation, EvalError> {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        let ended = loop {
            if let Err(error) = ctx.check() {
                self.cancelled.fetch_add(1, Ordering::SeqCst);
                break Err(EvalError { class: error.class(), message: error.to_string() });
            }
            if self.let_go.load(Ordering::SeqCst) {
                let value = QueryValue::Scalar(1.0, at);
                break Ok(Evaluation { value, warnings: Vec::new(), infos: Vec::new() });
            }
            std::thread::yield_now();
        };
        self.running.fetch_sub(1, Ordering::SeqCst);
        ended
    }

    fn range(
        &self,
        ctx: &QueryCtx,
        source: &dyn SampleSource,
        query: &Query<'_>,
        grid: Grid,
    ) -> Result<Evaluation, EvalError> {
        self.instant(ctx, source, query, grid.start)
    }
}

pub(crate) fn endless(limits: Limits) -> (Arc<Endless>, Server) {
    let evaluator = Arc::new(Endless::default());
    let setup = Setup { evaluator: Arc::clone(&evaluator) as _, limits, ..Setup::default() };
    (evaluator, server(setup))
}

pub(crate) async fn wait_for(mut ready: impl FnMut() -> bool) {
    for _ in 0..5000 {
        if ready() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("waited in vain");
}

const URI: &str = "/api/v1/query?query=1&time=0";

#[tokio::test(flavor = "multi_thread")]
async fn no_more_run_or_wait_than_may() {
    let (evaluator, server) = endless(Limits { queries: 2, queue: 1, ..Limits::default() });
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..3 {
        let router = server.router.clone();
        tasks.spawn(async move { get(&router, URI).await });
    }
    wait_for(|| server.api.stats().queries_waiting == 1).await;
    wait_for(|| server.api.stats().queries_running == 2).await;
    let refused = get(&server.router, URI).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert!(refused.text().contains("--query.max-concurrency"), "{}", refused.text());
    // Looking up labels does not wait for queries.
    assert_eq!(get(&server.router, "/api/v1/labels").await.status, 200);
    evaluator.let_go.store(true, Ordering::SeqCst);
    while let Some(answer) = tasks.join_next().await {
        assert_eq!(answer.expect("no panic").status, 200);
    }
    assert_eq!(evaluator.most.load(Ordering::SeqCst), 2);
    assert_eq!(server.api.stats().rejected_full, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_in_the_queue_is_part_of_the_timeout() {
    let (evaluator, server) = endless(Limits { queries: 1, ..Limits::default() });
    let router = server.router.clone();
    let first = get(&router, URI);
    let second = async {
        wait_for(|| server.api.stats().queries_running == 1).await;
        let answer = get(&server.router, &format!("{URI}&timeout=10ms")).await;
        assert_eq!(answer.status, 503);
        let want =
            r#"{"status":"error","errorType":"timeout","error":"query timed out in query queue"}"#;
        assert_eq!(answer.text(), want);
        evaluator.let_go.store(true, Ordering::SeqCst);
    };
    let (first, ()) = tokio::join!(first, second);
    assert_eq!(first.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_ends_at_its_deadline() {
    let query = QueryLimits { timeout: Duration::from_mins(1), ..QueryLimits::default() };
    let (evaluator, server) = endless(Limits { query, ..Limits::default() });
    let ask = get(&server.router, URI);
    let clock = async {
        wait_for(|| evaluator.running.load(Ordering::SeqCst) == 1).await;
        server.clock.advance(Duration::from_secs(61));
    };
    let (answer, ()) = tokio::join!(ask, clock);
    assert_eq!(answer.status, 503);
    assert!(
        answer.text().contains("query timed out in expression evaluation"),
        "{}",
        answer.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_ends_cancels_all_queries_and_says_so() {
    let (evaluator, server) = endless(Limits::default());
    let ask = get(&server.router, URI);
    let end = async {
        wait_for(|| evaluator.running.load(Ordering::SeqCst) == 1).await;
        server.api.ending().store(true, Ordering::SeqCst);
    };
    let (answer, ()) = tokio::join!(ask, end);
    assert_eq!(answer.status, 499);
    assert!(answer.text().contains("query was canceled"), "{}", answer.text());
    assert_eq!(get(&server.router, "/api/v1/series?match[]=up").await.status, 499);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_cancels_its_query() {
    let (evaluator, server) = endless(Limits::default());
    let request = Request::get(URI).body(Body::empty()).expect("valid");
    let asking = server.router.clone().oneshot(request);
    let left = tokio::time::timeout(Duration::from_millis(20), asking).await;
    assert!(left.is_err(), "the query is endless");
    wait_for(|| evaluator.cancelled.load(Ordering::SeqCst) == 1).await;
    wait_for(|| server.api.stats().queries_running == 0).await;
}
