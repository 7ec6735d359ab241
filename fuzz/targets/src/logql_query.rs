//! Queries over arbitrary lines: the first line of the input is the query, the others are lines.

use std::sync::Arc;

use masthead_logql::{Engine, Params, parse};
use masthead_model::Nanos;
use masthead_ports::{
    LogBatch, LogRow, LogSink as _, LogStream, QueryCtx, QueryLimits, testing::MemoryLogStore,
};
use masthead_sysio::SimClock;

/// Takes any bytes.
pub fn run(input: &[u8]) {
    let mut lines = input.split(|byte| *byte == b'\n');
    let query = lines.next().and_then(|query| std::str::from_utf8(query).ok());
    let Some(Ok(expr)) = query.map(parse) else { return };
    let rows = (1..).zip(lines).map(|(at, line)| LogRow {
        timestamp: Nanos(at * 1_000_000_000),
        line: line.into(),
        structured_metadata: [("level", "info")].into_iter().collect(),
    });
    let labels = [("a", "b")].into_iter().collect();
    let streams = vec![LogStream { labels, rows: rows.collect() }];
    let store = MemoryLogStore::default();
    if store.append(&LogBatch { streams, progress: Vec::new() }).is_err() {
        return;
    }
    let step = 7_000_000_000;
    let end = Nanos(100_000_000_000);
    let params = Params { end, step, limit: 50, ..Params::instant(Nanos(0)) };
    let ctx = QueryCtx::new(Arc::new(SimClock::default()), QueryLimits::default());
    drop(Engine::default().query(&ctx, &store, &expr, &params));
}
