//! What queries cost over lines in memory: access logs in JSON, as a service writes them.
//!
//! The store costs nothing here but a copy of each part, so that the language alone is measured.
//! `cargo bench -p masthead-logql`; figures are per run over all lines.

use std::sync::{Arc, LazyLock};

use divan::{Bencher, counter::BytesCount};
use masthead_logql::{Engine, EngineOptions, Params, parse};
use masthead_model::{Labels, Matcher, Nanos, TimeRange};
use masthead_ports::{
    Direction, LogColumns, LogPart, LogPartReader, LogSelected, LogSelection, LogSource, LogVolume,
    QueryCtx, QueryError, QueryLimits,
};
use masthead_sysio::SimClock;

const STREAMS: usize = 8;
const PARTS: usize = 64;
const LINES: usize = 4096;
const HOUR: i64 = 3_600_000_000_000;

fn main() {
    divan::main();
}

#[derive(Debug)]
struct Store {
    streams: Vec<Labels>,
    parts: Vec<LogPart>,
    reader: Arc<Reader>,
}

#[derive(Debug)]
struct Reader(Vec<LogColumns>);

impl LogPartReader for Reader {
    fn read(&self, _: &QueryCtx, at: usize, into: &mut LogColumns) -> Result<(), QueryError> {
        into.clone_from(&self.0[at]);
        Ok(())
    }
}

impl LogSource for Store {
    fn select(&self, _: &QueryCtx, all: &[LogSelection]) -> Result<Vec<LogSelected>, QueryError> {
        let one = |selection: &LogSelection| {
            let mut parts = self.parts.clone();
            let mut order: Vec<usize> = (0..parts.len()).collect();
            if selection.hints.direction == Direction::Backward {
                parts.reverse();
                order.reverse();
            }
            let columns = order.iter().map(|at| self.reader.0[*at].clone());
            let reader = if selection.hints.direction == Direction::Backward {
                Arc::new(Reader(columns.collect()))
            } else {
                Arc::clone(&self.reader)
            };
            LogSelected { streams: self.streams.clone(), parts, reader }
        };
        Ok(all.iter().map(one).collect())
    }

    fn streams(
        &self,
        _: &QueryCtx,
        _: &[Vec<Matcher>],
        _: TimeRange<Nanos>,
    ) -> Result<Vec<Labels>, QueryError> {
        Ok(self.streams.clone())
    }

    fn volumes(
        &self,
        _: &QueryCtx,
        _: &[Matcher],
        _: TimeRange<Nanos>,
    ) -> Result<Vec<(Labels, LogVolume)>, QueryError> {
        Ok(Vec::new())
    }
}

static STORE: LazyLock<Store> = LazyLock::new(|| {
    let mut random = fastrand::Rng::with_seed(7);
    let streams: Vec<Labels> = (0..STREAMS)
        .map(|n| {
            [("app", format!("app-{n}")), ("namespace", "prod".to_owned())].into_iter().collect()
        })
        .collect();
    let levels = ["INFO", "INFO", "INFO", "INFO", "INFO", "INFO", "WARN", "ERROR"];
    let sets: Vec<Labels> =
        ["info", "warn", "error"].map(|l| [("detected_level", l)].into_iter().collect()).into();
    let (mut parts, mut all) = (Vec::new(), Vec::new());
    let step = HOUR / i64::try_from(PARTS * LINES).expect("few");
    let mut at = 0;
    for part in 0..PARTS {
        let mut columns = LogColumns { metadata_sets: sets.clone(), ..LogColumns::default() };
        let start = at;
        for _ in 0..LINES {
            at += step;
            let level = levels[random.usize(..levels.len())];
            let status = [200, 200, 200, 201, 304, 404, 500, 503][random.usize(..8)];
            let line = format!(
                r#"{{"ts":"2026-11-01T10:00:00.{:06}Z","level":"{level}","msg":"request handled","request_id":"{:032x}","method":"GET","path":"/api/v1/items/{}","status":{status},"duration_ms":{:.3},"bytes":{},"user_agent":"Mozilla/5.0 (X11; Linux x86_64)"}}"#,
                random.u32(..1_000_000),
                random.u128(..),
                random.u32(..50),
                random.f64() * 300.0,
                random.u32(..100_000),
            );
            columns.times.push(at);
            columns.text.extend_from_slice(line.as_bytes());
            columns.ends.push(columns.text.len());
            columns.metadata.push(match level {
                "INFO" => 0,
                "WARN" => 1,
                _ => 2,
            });
        }
        parts.push(LogPart {
            stream: part % STREAMS,
            range: TimeRange { start: Nanos(start), end: Nanos(at) },
            lines: LINES,
        });
        all.push(columns);
    }
    Store { streams, parts, reader: Arc::new(Reader(all)) }
});

#[divan::bench(args = [
    r#"{namespace="prod"} |= "no such request""#,
    r#"{namespace="prod"} |~ "(?i)nosuch.*request""#,
    r#"{namespace="prod"} | json | level="FATAL""#,
    r#"{namespace="prod"} | json | status>=600"#,
    r#"{namespace="prod"} | json | status>=500 | line_format "{{.path}}""#,
    r#"{namespace="prod"}"#,
    r#"count_over_time({namespace="prod"}[1h])"#,
    r#"sum(count_over_time({namespace="prod"} |= "ERROR" [1h]))"#,
    r#"sum(count_over_time({namespace="prod"} |~ "status\":5[0-9]{2}" [1h]))"#,
    r#"sum by (app) (count_over_time({namespace="prod"}[1m]))"#,
    r#"sum by (level) (count_over_time({namespace="prod"} | json [1m]))"#,
    r#"topk(10, sum by (path) (count_over_time({namespace="prod"} | json | status>=500 [1h])))"#,
    r#"quantile_over_time(0.99, {namespace="prod"} | json | unwrap duration_ms [1h]) by (app)"#,
])]
fn query(bencher: Bencher<'_, '_>, query: &str) {
    let store = &*STORE;
    let bytes: usize = store.reader.0.iter().map(|columns| columns.text.len()).sum();
    let engine = Engine::new(EngineOptions::default());
    let expr = parse(query).expect("a query");
    let params = Params {
        start: Nanos(0),
        end: Nanos(HOUR + 1),
        step: 60_000_000_000,
        interval: 0,
        limit: 100,
        direction: Direction::Forward,
    };
    bencher.counter(BytesCount::new(bytes)).bench(|| {
        let ctx = QueryCtx::new(Arc::new(SimClock::default()), QueryLimits::default());
        engine.query(&ctx, store, &expr, &params).expect("an answer")
    });
}
