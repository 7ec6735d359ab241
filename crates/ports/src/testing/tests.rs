//! The store in memory answers as the traits say.

use std::time::Duration;

use masthead_model::{MatchOp, stale_nan};
use masthead_sysio::SimClock;

use super::*;
use crate::{AppendRow, MetricType, QueryLimits, SelectHints};

type Pairs<'a> = &'a [(&'a str, &'a str)];

fn labels(pairs: Pairs<'_>) -> Labels {
    pairs.iter().copied().collect()
}

fn ctx(samples: u64) -> QueryCtx {
    let limits = QueryLimits { timeout: Duration::from_secs(1), samples };
    QueryCtx::new(Arc::new(SimClock::default()), limits)
}

fn store(rows: &[(Pairs<'_>, i64, f64)]) -> MemoryStore {
    let store = MemoryStore::default();
    let rows = rows.iter().map(|(l, t, v)| AppendRow::float(labels(l), Millis(*t), *v)).collect();
    store.append(&mut AppendBatch { rows, ..AppendBatch::default() }).expect("appends");
    store
}

fn select(
    store: &MemoryStore,
    matchers: Vec<Matcher>,
    range: (i64, i64),
) -> Vec<(Labels, Columns)> {
    let range = TimeRange { start: Millis(range.0), end: Millis(range.1) };
    let selection = Selection { matchers, range, hints: SelectHints::default() };
    let ctx = ctx(1000);
    let selected = store.select(&ctx, &[selection]).expect("selects").remove(0);
    let read = |(at, labels): (usize, Labels)| {
        let mut columns = Columns::default();
        selected.reader.read(&ctx, at, &mut columns).expect("reads");
        (labels, columns)
    };
    selected.labels.clone().into_iter().enumerate().map(read).collect()
}

#[test]
fn samples_come_back_in_order_within_the_range() {
    let store = store(&[
        (&[("a", "2")], 30, 3.0),
        (&[("a", "1")], 20, 2.0),
        (&[("a", "1")], 10, stale_nan()),
        (&[("a", "1")], 40, 4.0),
    ]);
    let found = select(&store, vec![Matcher::not_equal("a", "")], (10, 30));
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].0, labels(&[("a", "1")]));
    assert_eq!(found[0].1.float_times, [10, 20]);
    assert!(masthead_model::is_stale(found[0].1.floats[0]));
    assert_eq!(found[1].1.floats, [3.0]);
    assert_eq!(found[0].1.len(), 2);
    assert!(!found[0].1.is_empty() && Columns::default().is_empty());
    let one = Matcher::new(MatchOp::Matches, "a", "[13]").expect("valid");
    assert_eq!(select(&store, vec![one], (0, 100)).len(), 1);
}

#[test]
fn the_same_sample_twice_is_a_duplicate_and_another_value_is_refused() {
    let store = store(&[(&[("a", "1")], 10, 1.0)]);
    let row = |value| AppendRow::float(labels(&[("a", "1")]), Millis(10), value);
    let mut batch = AppendBatch { rows: vec![row(1.0), row(2.0)], ..AppendBatch::default() };
    let report = store.append(&mut batch).expect("appends");
    assert_eq!((report.appended, report.duplicates), (0, 1));
    assert_eq!(report.rejected, [(1, RejectReason::DuplicateTimestamp)]);
    store.clear();
    assert_eq!(store.append(&mut batch).expect("appends").appended, 1);
}

#[test]
fn labels_are_answered_sorted_distinct_and_limited() {
    let store = store(&[
        (&[("a", "2"), ("b", "x")], 1, 0.0),
        (&[("a", "1")], 1, 0.0),
        (&[("a", "1"), ("c", "y")], 1, 0.0),
    ]);
    let query = |matchers, limit| LabelQuery {
        matchers,
        range: TimeRange { start: Millis(0), end: Millis(9) },
        limit,
    };
    let ctx = ctx(10);
    assert_eq!(store.label_names(&ctx, &query(vec![], 0)).expect("answers"), ["a", "b", "c"]);
    assert_eq!(store.label_names(&ctx, &query(vec![], 2)).expect("answers"), ["a", "b"]);
    assert_eq!(store.label_values(&ctx, "a", &query(vec![], 0)).expect("answers"), ["1", "2"]);
    let either = vec![vec![Matcher::equal("b", "x")], vec![Matcher::equal("c", "y")]];
    assert_eq!(store.series(&ctx, &query(either.clone(), 0)).expect("answers").len(), 2);
    assert_eq!(store.series(&ctx, &query(either, 1)).expect("answers").len(), 1);
}

#[test]
fn reading_is_paid_for() {
    let store = store(&[(&[("a", "1")], 1, 0.0), (&[("a", "1")], 2, 0.0)]);
    let range = TimeRange { start: Millis(0), end: Millis(9) };
    let selection = Selection { matchers: vec![], range, hints: SelectHints::default() };
    let ctx = ctx(1);
    let selected = store.select(&ctx, &[selection]).expect("selects").remove(0);
    let error = selected.reader.read(&ctx, 0, &mut Columns::default()).expect_err("too many");
    assert!(matches!(error, QueryError::SampleBudget { limit: 1 }));
}

#[test]
fn exemplars_and_metadata_are_found_by_series_and_by_family() {
    let store = MemoryStore::default();
    let exemplar = |value, at| Exemplar {
        labels: labels(&[("trace_id", "x")]),
        value,
        timestamp: Some(Millis(at)),
    };
    let mut row = AppendRow::float(labels(&[("a", "1")]), Millis(50), 1.0);
    row.exemplars = vec![exemplar(2.0, 20), exemplar(1.0, 10), exemplar(9.0, 99)];
    let family = |name: &str| Metadata {
        family: name.into(),
        metric_type: MetricType::Counter,
        help: "Requests.".into(),
        unit: "".into(),
    };
    let metadata = vec![family("b_total"), family("a_total")];
    store
        .append(&mut AppendBatch { group: 0, rows: vec![row], metadata, ..AppendBatch::default() })
        .expect("appends");
    let range = TimeRange { start: Millis(0), end: Millis(50) };
    let found = store.exemplars(&ctx(9), &[vec![Matcher::equal("a", "1")]], range);
    let values: Vec<_> = found.expect("answers")[0].1.iter().map(|e| e.value).collect();
    assert_eq!(values, [1.0, 2.0]);
    let names = |metric| -> Vec<String> {
        let found = store.metadata(&ctx(9), metric).expect("answers");
        found.iter().map(|m| m.family.to_string()).collect()
    };
    assert_eq!(names(None), ["a_total", "b_total"]);
    assert_eq!(names(Some("b_total")), ["b_total"]);
}
