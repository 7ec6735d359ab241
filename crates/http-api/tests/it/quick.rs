//! Queries that were quick are evaluated where they arrive, and elsewhere once they are not.

use std::{
    sync::{Arc, Mutex, OnceLock},
    thread::ThreadId,
    time::Duration,
};

use masthead_http_api::{EvalError, Evaluation, Evaluator, Grid, Query};
use masthead_model::Millis;
use masthead_ports::{QueryCtx, QueryError, SampleSource};
use masthead_promql::QueryValue;
use masthead_sysio::{Clock as _, SimClock};
use serde_json::Value;

use crate::fixture::{Setup, get, server};

/// Touches seven samples; as slow as it is told when it is asked on the thread that made it.
#[derive(Debug)]
struct Moody {
    home: ThreadId,
    clock: OnceLock<Arc<SimClock>>,
    slow_at_home: Mutex<Duration>,
    /// For each call whether it was at home.
    calls: Mutex<Vec<bool>>,
}

impl Moody {
    fn work(&self, ctx: &QueryCtx) -> Result<(), QueryError> {
        let at_home = std::thread::current().id() == self.home;
        self.calls.lock().expect("no panic").push(at_home);
        ctx.warn("seen");
        ctx.charge(7)?;
        if at_home {
            let clock = self.clock.get().expect("set before the first request");
            clock.sleep(*self.slow_at_home.lock().expect("no panic"));
        }
        ctx.check()
    }
}

impl Evaluator for Moody {
    fn instant(
        &self,
        ctx: &QueryCtx,
        _: &dyn SampleSource,
        _: &Query<'_>,
        at: Millis,
    ) -> Result<Evaluation, EvalError> {
        let failed =
            |error: QueryError| EvalError { class: error.class(), message: error.to_string() };
        self.work(ctx).map_err(failed)?;
        let value = QueryValue::Scalar(1.0, at);
        Ok(Evaluation { value, warnings: Vec::new(), infos: Vec::new() })
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_quick_is_answered_at_once_until_it_is_not() {
    let evaluator = Arc::new(Moody {
        // The test itself runs here, and the router in it.
        home: std::thread::current().id(),
        clock: OnceLock::new(),
        slow_at_home: Mutex::default(),
        calls: Mutex::default(),
    });
    let setup = Setup { evaluator: Arc::clone(&evaluator) as _, ..Setup::default() };
    let server = server(setup);
    evaluator.clock.set(Arc::clone(&server.clock)).expect("set once");
    let ask = async |time: u64| {
        let uri = format!("/api/v1/query?query=x&stats=1&time={time}");
        let answer = get(&server.router, &uri).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (200, Some("application/json"))
        );
        let answer: Value = serde_json::from_slice(&answer.body).expect("JSON");
        assert_eq!(answer["data"]["result"][0], time);
        assert_eq!(answer["data"]["stats"]["samples"]["totalQueryableSamples"], 7);
        assert_eq!(answer["warnings"], serde_json::json!(["seen"]));
        std::mem::take(&mut *evaluator.calls.lock().unwrap())
    };
    assert_eq!(ask(1).await, [false], "never seen");
    assert_eq!(ask(2).await, [true]);
    *evaluator.slow_at_home.lock().unwrap() = Duration::from_millis(2);
    assert_eq!(ask(3).await, [true], "slow, but not too slow for an attempt");
    assert_eq!(ask(4).await, [false], "it was slow");
    *evaluator.slow_at_home.lock().unwrap() = Duration::from_secs(1);
    assert_eq!(ask(5).await, [true, false], "the attempt ended, and left no trace");
}
