//! What the engine promises beside its answers: one selection, no more read than needed, limits,
//! the same answer however many threads.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use masthead_chunk::lines;
use masthead_logql::{
    Answer, Engine, EngineOptions, Error, Pair, Params, Pipeline, ast::Expr, parse,
};
use masthead_model::{ErrorClass, Labels, Matcher, Nanos, TimeRange};
use masthead_ports::{
    Direction, LineColumn, LogColumns, LogHints, LogPart, LogPartReader, LogRow, LogSelected,
    LogSelection, LogSource, LogVolume, QueryCtx, QueryError, QueryLimits,
};
use masthead_sysio::SimClock;
use proptest::prelude::*;

/// Parts of one line a second, oldest first, and what was asked of them.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    pub(crate) streams: Vec<Labels>,
    /// Stream, first second, lines.
    pub(crate) runs: Vec<(usize, i64, Vec<String>)>,
    /// Whether lines are cut down to the members that a query asks for, and left out if they fail its
    /// tests, as the store does it.
    pub(crate) cuts: bool,
    pub(crate) selected: AtomicUsize,
    pub(crate) reads: Arc<AtomicUsize>,
    pub(crate) hints: std::sync::Mutex<Vec<LogSelection>>,
}

#[derive(Debug)]
struct Reader {
    columns: Vec<LogColumns>,
    reads: Arc<AtomicUsize>,
}

impl LogPartReader for Reader {
    fn read(&self, _: &QueryCtx, at: usize, into: &mut LogColumns) -> Result<(), QueryError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        into.clone_from(&self.columns[at]);
        Ok(())
    }
}

const SECOND: i64 = 1_000_000_000;

impl LogSource for Parts {
    fn select(&self, _: &QueryCtx, all: &[LogSelection]) -> Result<Vec<LogSelected>, QueryError> {
        self.selected.fetch_add(1, Ordering::Relaxed);
        self.hints.lock().expect("no panic").extend_from_slice(all);
        let one = |selection: &LogSelection| {
            let mut found: Vec<(LogPart, LogColumns)> = Vec::new();
            for (stream, first, lines) in &self.runs {
                let mut columns = LogColumns::default();
                for (at, line) in (0..).zip(lines) {
                    let time = (first + at) * SECOND;
                    if selection.range.contains(Nanos(time)) {
                        columns.times.push(time);
                        columns.text.extend_from_slice(line.as_bytes());
                        columns.ends.push(columns.text.len());
                    }
                }
                if self.cuts {
                    let labels = self.streams.get(*stream).cloned().unwrap_or_default();
                    let mut hints = selection.hints.clone();
                    hints.tests.retain(|test| labels.get(&test.name).is_none());
                    cut_down(&mut columns, &hints);
                }
                if let (Some(start), Some(end)) = (columns.times.first(), columns.times.last()) {
                    let range = TimeRange { start: Nanos(*start), end: Nanos(*end) };
                    let part = LogPart { stream: *stream, range, lines: columns.len() };
                    found.push((part, columns));
                }
            }
            match selection.hints.direction {
                Direction::Forward => found.sort_by_key(|(part, _)| part.range.start),
                Direction::Backward => {
                    found.reverse();
                    found.sort_by_key(|(part, _)| std::cmp::Reverse(part.range.end));
                }
            }
            let (parts, columns) = found.into_iter().unzip();
            let reader = Arc::new(Reader { columns, reads: Arc::clone(&self.reads) });
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
        Ok(Vec::new())
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

fn cut_down(columns: &mut LogColumns, hints: &LogHints) {
    let mut bytes = Vec::new();
    let LogColumns { ends, text, times, .. } = columns;
    lines::Encoder::new(1).encode(text, ends, &mut bytes).expect("few lines");
    ends.clear();
    text.clear();
    let choice = lines::Choice {
        members: hints.members.as_deref(),
        tests: &hints.tests,
        ..lines::Choice::default()
    };
    let (_, kept) = lines::Decoder::default()
        .decode_chosen(&bytes, (|| Ok(&[]), choice), ends, text)
        .expect("what was written");
    if let Some(kept) = kept {
        *times = kept.iter().map(|place| times[*place]).collect();
    }
}

fn store(parts: usize, lines: i64) -> Parts {
    let streams = ["a", "b", "c"].map(|app| [("app", app)].into_iter().collect()).to_vec();
    let part = |n: usize| {
        let first = i64::try_from(n).expect("few") * lines;
        let text = (0..lines).map(|at| format!("level={} n={}", ["x", "y"][n % 2], first + at));
        (n % 3, first, text.collect())
    };
    Parts { streams, runs: (0..parts).map(part).collect(), ..Parts::default() }
}

pub(crate) fn ask(
    engine: &Engine,
    store: &Parts,
    query: &str,
    params: &Params,
) -> Result<Answer, Error> {
    let ctx = QueryCtx::new(Arc::new(SimClock::default()), QueryLimits::default());
    engine.query(&ctx, store, &parse(query)?, params)
}

pub(crate) fn range(end: i64, step: i64) -> Params {
    Params { end: Nanos(end * SECOND), step: step * SECOND, limit: 10, ..Params::instant(Nanos(0)) }
}

#[test]
fn a_query_for_the_newest_lines_reads_the_newest_parts() {
    let store = store(50, 20);
    let got = ask(&Engine::default(), &store, r#"{app=~".+"}"#, &range(1000, 1));
    let Ok(Answer::Streams(lines)) = got else { panic!("{got:?}") };
    assert_eq!(
        lines.entries.iter().map(|entry| entry.at.0 / SECOND).collect::<Vec<_>>(),
        (990..1000).rev().collect::<Vec<_>>()
    );
    assert_eq!(store.reads.load(Ordering::Relaxed), 1);
}

#[test]
fn every_range_is_found_by_one_selection() {
    let store = store(4, 20);
    let query = r#"sum(count_over_time({app="a"}[10s])) / sum(bytes_over_time({app="b"} |= "x" [20s] offset 5s)) + vector(1)"#;
    ask(&Engine::default(), &store, query, &range(60, 10)).expect("an answer");
    assert_eq!(store.selected.load(Ordering::Relaxed), 1);
    let hints = store.hints.lock().expect("no panic");
    let [first, second] = hints.as_slice() else { panic!("{hints:?}") };
    assert_eq!((first.range.start, first.range.end), (Nanos(1 - 10 * SECOND), Nanos(60 * SECOND)));
    assert_eq!(
        (second.range.start, second.range.end),
        (Nanos(1 - 25 * SECOND), Nanos(55 * SECOND))
    );
    assert_eq!((first.hints.lines, second.hints.lines), (LineColumn::Count, LineColumn::Text));
    assert_eq!((first.hints.filters.len(), second.hints.filters.len()), (0, 1));
}

#[test]
fn a_query_without_lines_selects_nothing() {
    let store = store(1, 1);
    ask(&Engine::default(), &store, "vector(1)", &range(60, 10)).expect("an answer");
    ask(&Engine::default(), &store, r#"rate({app="a"}[0s])"#, &range(60, 10)).expect("an answer");
    assert_eq!(store.reads.load(Ordering::Relaxed), 0);
}

#[test]
fn series_and_their_labels_are_limited() {
    let store = store(4, 200);
    let engine = Engine::default();
    let wide = r#"count_over_time({app=~".+"} | logfmt [1000s])"#;
    let params = Params::instant(Nanos(1000 * SECOND));
    let error = ask(&engine, &store, wide, &params).expect_err("800 series");
    assert!(matches!(error, Error::SeriesLimit { limit: 500 }), "{error}");
    assert_eq!(error.class(), ErrorClass::Limit);
    assert!(ask(&engine, &store, &format!("count({wide})"), &params).is_ok());
    let options = EngineOptions { group_bytes_max: 10_000, ..EngineOptions::default() };
    let error = ask(&Engine::new(options), &store, &format!("count({wide})"), &params);
    assert!(matches!(error, Err(Error::GroupBytes { limit: 10_000 })), "{error:?}");
}

#[test]
fn labels_and_lines_do_not_grow_without_a_limit() {
    let store = store(1, 20);
    let options = EngineOptions {
        group_bytes_max: 100_000,
        answer_bytes_max: 1_000,
        ..EngineOptions::default()
    };
    let engine = Engine::new(options);
    let counted = r#"count_over_time({app="a"}[1000s])"#;
    let replace = |of: &str, times: usize| {
        format!(r#"label_replace({of}, "x", "{}", "app", "(.*)")"#, "$1".repeat(times))
    };
    let params = Params::instant(Nanos(1000 * SECOND));
    assert!(ask(&engine, &store, &replace(counted, 10), &params).is_ok());
    // All operations of a query together: each alone is below the limit.
    let one = replace(counted, 15_000);
    let taken = format!("{counted} * on () group_left (x) {one}");
    for query in [&one, &taken] {
        let answer = ask(&engine, &store, query, &params);
        assert!(answer.is_ok(), "{:?}", answer.err());
    }
    for query in [replace(&one, 30_000), format!("{taken} * on () group_left (x) {taken}")] {
        let error = ask(&engine, &store, &query, &params);
        assert!(matches!(error, Err(Error::GroupBytes { .. })), "{error:?}");
    }
    let lines = |times: usize, stage: &str| {
        let query = format!(r#"{{app="a"}} | {stage} "{{{{ repeat {times} `x` }}}}""#);
        ask(&engine, &store, &query, &range(1000, 1))
    };
    let label = "label_format y=";
    for stage in ["line_format", label] {
        assert!(lines(50, stage).is_ok());
        let error = lines(200, stage).expect_err("too long");
        assert!(matches!(error, Error::AnswerBytes { limit: 1_000 }), "{error:?}");
        assert_eq!(error.class(), ErrorClass::Limit);
    }
}

#[test]
fn a_filter_can_look_for_bytes_that_are_no_text() {
    let lines = [b"a\xffb".to_vec(), b"a\xc3\xbfb".to_vec()];
    let rows = lines.iter().map(|line| LogRow {
        timestamp: Nanos(1),
        line: line.into(),
        structured_metadata: Labels::default(),
    });
    let Ok(Expr::Log(log)) = parse(r#"{a="b"} |= "\xff""#) else { panic!("no log query") };
    let pipeline = Pipeline::new(&log).expect("stages");
    let kept: Vec<bool> =
        rows.map(|row| pipeline.entry(&Labels::default(), &row, Nanos(0)).is_some()).collect();
    assert_eq!(kept, [true, false]);
}

#[test]
fn a_query_that_is_not_wanted_any_more_ends() {
    let store = store(4, 20);
    let ctx = QueryCtx::new(Arc::new(SimClock::default()), QueryLimits::default());
    ctx.cancellation().store(true, Ordering::Relaxed);
    let expr = parse(r#"rate({app="a"}[1m])"#).expect("a query");
    let error =
        Engine::default().query(&ctx, &store, &expr, &range(60, 10)).expect_err("cancelled");
    assert_eq!(error.class(), ErrorClass::Cancelled);
}

#[test]
fn a_line_that_was_just_pushed_goes_through_the_pipeline() {
    let Ok(Expr::Log(log)) = parse(r#"{app="a"} |= "n" | logfmt | n > 4 | line_format "{{.n}}""#)
    else {
        panic!("no log query")
    };
    let pipeline = Pipeline::new(&log).expect("stages");
    let stream = [("app", "a")].into_iter().collect();
    let entry = |line: &str| {
        let row = LogRow {
            timestamp: Nanos(1),
            line: line.as_bytes().into(),
            structured_metadata: [("id", "7")].into_iter().collect(),
        };
        pipeline.entry(&stream, &row, Nanos(2))
    };
    let (labels, text) = entry("n=5").expect("passes");
    let names = |pairs: &[Pair]| pairs.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>();
    assert_eq!(
        (names(&labels.stream), names(&labels.metadata)),
        (vec!["app".into()], vec!["id".into()])
    );
    assert_eq!((names(&labels.parsed), &*text), (vec!["n".into()], &b"5"[..]));
    assert!(entry("n=4").is_none() && entry("m=5").is_none());
}

#[test]
fn what_loki_answers_with_500_has_a_class_of_its_own() {
    let store = store(4, 20);
    let query = r#"sum by (app) (count_over_time({app=~".+"}[1m])) / on () sum(count_over_time({app=~".+"}[1m]))"#;
    let error = ask(&Engine::default(), &store, query, &range(60, 10)).expect_err("many to one");
    assert_eq!(error.class(), ErrorClass::Unexecutable);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn threads_change_nothing(
        parts in 1..40_usize, lines in 1..30_i64, end in 1..900_i64, step in 1..60_i64,
        limit in 1..60_usize, forward: bool,
        query in prop_oneof![
            Just(r#"{app=~".+"} |= "1""#), Just(r#"{app=~".+"} | logfmt | level="y""#),
            Just(r#"sum by (app, level) (count_over_time({app=~".+"} | logfmt [45s]))"#),
            Just(r#"avg_over_time({app=~".+"} | logfmt | unwrap n [30s]) by (level)"#),
            Just(r#"quantile_over_time(0.3, {app=~".+"} | logfmt | unwrap n [30s]) by (app)"#),
            Just(r#"rate_counter({app=~".+"} | logfmt | unwrap n [60s] | keep app)"#),
        ],
    ) {
        let direction = if forward { Direction::Forward } else { Direction::Backward };
        let params = Params { limit, direction, ..range(end, step) };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().expect("threads");
        let options = EngineOptions { pool: Some(Arc::new(pool)), ..EngineOptions::default() };
        let alone = ask(&Engine::default(), &store(parts, lines), query, &params);
        let together = ask(&Engine::new(options), &store(parts, lines), query, &params);
        match (alone, together) {
            (Ok(alone), Ok(together)) => prop_assert_eq!(alone, together),
            (alone, together) => prop_assert_eq!(alone.map_err(|e| e.to_string()), together.map_err(|e| e.to_string())),
        }
    }
}
