//! The rules of the ports of logs, held by the store in memory.

use masthead_model::{ErrorClass, MatchOp};
use masthead_sysio::SimClock;

use super::*;
use crate::{LogRow, LogStream, QueryLimits};

fn labels(app: &str) -> Labels {
    [("app", app)].into_iter().collect()
}

fn row(time: i64, line: &str) -> LogRow<'_> {
    LogRow {
        timestamp: Nanos(time),
        line: line.as_bytes().into(),
        structured_metadata: Labels::default(),
    }
}

fn push(store: &MemoryLogStore, app: &str, rows: Vec<LogRow<'_>>) -> LogReport {
    let streams = vec![LogStream { labels: labels(app), rows }];
    store.append(&LogBatch { streams, progress: Vec::new() }).expect("it takes everything")
}

fn ctx() -> QueryCtx {
    QueryCtx::new(Arc::new(SimClock::default()), QueryLimits::default())
}

fn all() -> TimeRange<Nanos> {
    TimeRange { start: Nanos(0), end: Nanos(i64::MAX) }
}

fn selection(hints: LogHints) -> LogSelection {
    let matchers = vec![Matcher::new(MatchOp::NotEqual, "app", "").expect("a plain matcher")];
    LogSelection { matchers, range: all(), hints }
}

fn read(store: &MemoryLogStore, hints: LogHints) -> Vec<(String, LogColumns)> {
    let ctx = ctx();
    let selected = store.select(&ctx, &[selection(hints)]).expect("selects").remove(0);
    let mut found = Vec::new();
    for (at, part) in selected.parts.iter().enumerate() {
        let mut columns = LogColumns::default();
        selected.reader.read(&ctx, at, &mut columns).expect("reads");
        found.push((selected.streams[part.stream].to_string(), columns));
    }
    found
}

#[test]
fn lines_come_in_time_order_and_one_instant_in_the_order_of_pushing() {
    let store = MemoryLogStore::default();
    push(&store, "a", vec![row(5, "late"), row(3, "x"), row(3, "y")]);
    push(&store, "a", vec![row(3, "a")]);
    let (_, columns) = read(&store, LogHints::default()).remove(0);
    assert_eq!(columns.times, [3, 3, 3, 5]);
    let lines: Vec<_> = (0..columns.len()).map(|at| columns.line(at)).collect();
    assert_eq!(lines, [&b"x"[..], b"y", b"a", b"late"]);
}

#[test]
fn an_exact_duplicate_is_held_once_and_other_metadata_makes_another_line() {
    let store = MemoryLogStore::default();
    let with = LogRow { structured_metadata: labels("m"), ..row(1, "line") };
    assert_eq!(push(&store, "a", vec![row(1, "line"), with, row(1, "line")]).duplicates, 1);
    let report = push(&store, "a", vec![row(1, "line"), row(1, "other"), row(2, "line")]);
    assert_eq!((report.appended, report.duplicates), (2, 1));
    let hints = LogHints { metadata: true, ..LogHints::default() };
    let (_, columns) = read(&store, hints).remove(0);
    assert_eq!(columns.len(), 4);
    assert_eq!(columns.metadata(0), None);
    assert_eq!(columns.metadata(1), Some(&labels("m")));
}

#[test]
fn the_direction_orders_the_parts() {
    let store = MemoryLogStore::default();
    push(&store, "old", vec![row(1, "1"), row(2, "2")]);
    push(&store, "new", vec![row(0, "0"), row(9, "9")]);
    let names = |direction| {
        let found = read(&store, LogHints { direction, ..LogHints::default() });
        found.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert_eq!(names(Direction::Backward), [r#"{app="new"}"#, r#"{app="old"}"#]);
    push(&store, "first", vec![row(-5, "before the range"), row(0, "0")]);
    assert_eq!(names(Direction::Forward), [r#"{app="first"}"#, r#"{app="new"}"#, r#"{app="old"}"#]);
}

#[test]
fn lengths_and_counts_come_without_text() {
    let store = MemoryLogStore::default();
    push(&store, "a", vec![row(1, "abc"), row(2, ""), row(3, "de")]);
    let of = |lines| read(&store, LogHints { lines, ..LogHints::default() }).remove(0).1;
    let lengths = of(LineColumn::Length);
    assert_eq!((0..3).map(|at| lengths.line_len(at)).collect::<Vec<_>>(), [3, 0, 2]);
    assert!(lengths.text.is_empty() && lengths.line(0).is_empty());
    let counts = of(LineColumn::Count);
    assert_eq!((counts.len(), counts.line_len(0)), (3, 0));
}

#[test]
fn streams_and_volumes_look_only_at_the_range() {
    let store = MemoryLogStore::default();
    push(&store, "a", vec![row(1, "abc"), row(7, "de")]);
    push(&store, "b", vec![row(9, "x")]);
    let range = TimeRange { start: Nanos(5), end: Nanos(8) };
    assert_eq!(store.streams(&ctx(), &[], range).expect("answers"), [labels("a")]);
    let is_b = Matcher::new(MatchOp::Equal, "app", "b").expect("a plain matcher");
    assert_eq!(store.streams(&ctx(), &[vec![is_b.clone()]], range).expect("answers"), []);
    let volume = LogVolume { chunks: 1, entries: 1, bytes: 2 };
    assert_eq!(store.volumes(&ctx(), &[], range).expect("answers"), [(labels("a"), volume)]);
    assert_eq!(store.volumes(&ctx(), &[is_b], range).expect("answers"), []);
}

#[test]
fn progress_is_held_with_its_lines_and_forgotten_on_request() {
    let store = MemoryLogStore::default();
    let set = |key: &str, value: Option<&str>| {
        let progress = vec![Progress { key: key.into(), value: value.map(Into::into) }];
        store.append(&LogBatch { streams: Vec::new(), progress }).expect("taken");
    };
    set("file:b", Some("2"));
    set("file:a", Some("1"));
    set("child:a", Some("3"));
    let of = |prefix: &str| {
        let found = store.progress(prefix).expect("answers");
        found.iter().map(|p| p.key.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(of("file:"), ["file:a", "file:b"]);
    set("file:a", None);
    assert_eq!(of(""), ["child:a", "file:b"]);
}

#[test]
fn reading_costs_the_budget() {
    let store = MemoryLogStore::default();
    push(&store, "a", vec![row(1, "abc"), row(7, "de")]);
    let limits = QueryLimits { samples: 1, ..QueryLimits::default() };
    let ctx = QueryCtx::new(Arc::new(SimClock::default()), limits);
    let selected = store.select(&ctx, &[selection(LogHints::default())]).expect("selects");
    let error = selected[0].reader.read(&ctx, 0, &mut LogColumns::default()).expect_err("spent");
    assert_eq!(error.class(), ErrorClass::Limit);
}
