//! The store as a whole: append, flush, merge, delete, restart.

use std::{
    fmt::Write as _,
    sync::atomic::{AtomicU64, Ordering},
};

use masthead_model::{
    CounterResetHint, Histogram, Labels, MatchOp, Matcher, Millis, TimeRange, Value, stale_nan,
};
use masthead_ports::{
    AppendBatch, AppendReport, AppendRow, Columns, Exemplar, LabelQuery, Metadata, MetricType,
    QueryCtx, QueryLimits, RejectReason, SampleSink, SampleSource, SelectHints, Selection,
};
use masthead_sysio::{SimClock, SimFs, UnixNanos};

use super::*;

const DIR: &str = "/data";
const START: i64 = 1_704_067_200_000;
const HOUR: i64 = 3_600_000;

fn clock() -> Arc<SimClock> {
    Arc::new(SimClock::new(UnixNanos((START + 48 * HOUR) * 1_000_000)))
}

fn options() -> Options {
    Options { out_of_order_ms: HOUR / 2, ..Options::default() }
}

fn open(fs: &SimFs) -> (Tsdb, OpenReport) {
    Tsdb::open(Arc::new(fs.clone()), clock(), DIR.into(), options()).unwrap()
}

fn labels(text: &str) -> Labels {
    text.parse().unwrap()
}

fn put(store: &Tsdb, rows: Vec<AppendRow>) -> AppendReport {
    store.append(&mut AppendBatch { group: 1, rows, ..AppendBatch::default() }).unwrap()
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn fill(store: &Tsdb, series: &[&str], hours: std::ops::Range<i64>) {
    for minute in hours.start * 60..hours.end * 60 {
        let time = Millis(START + minute * 60_000);
        let row = |text: &&str| AppendRow::float(labels(text), time, minute as f64);
        let report = put(store, series.iter().map(row).collect());
        assert_eq!(report.rejected, []);
    }
}

fn everything() -> TimeRange<Millis> {
    TimeRange { start: Millis::MIN, end: Millis::MAX }
}

/// Labels and count of samples of what matches, and the warnings.
fn read(store: &Tsdb, matcher: Matcher) -> (Vec<(String, usize)>, Vec<String>) {
    let ctx = QueryCtx::new(clock(), QueryLimits::default());
    let selection =
        Selection { matchers: vec![matcher], range: everything(), hints: SelectHints::default() };
    let mut found = Vec::new();
    let mut columns = Columns::default();
    for selected in store.select(&ctx, &[selection]).unwrap() {
        for (at, labels) in selected.labels.iter().enumerate() {
            selected.reader.read(&ctx, at, &mut columns).unwrap();
            assert!(columns.float_times.is_sorted_by(|a, b| a < b));
            found.push((labels.to_string(), columns.len()));
        }
    }
    (found, ctx.warnings())
}

fn all() -> Matcher {
    Matcher::not_equal("none", "x")
}

#[test]
fn samples_of_head_and_blocks_come_as_one_series_in_label_order() {
    let fs = SimFs::new(1);
    let (store, _) = open(&fs);
    fill(&store, &["b{x=\"1\"}", "a"], 0..7);
    fill(&store, &["c", "b{x=\"1\"}"], 7..8);
    assert_eq!(store.flush().unwrap(), 3);
    let want: Vec<(String, usize)> =
        [(r#"{__name__="a"}"#, 420), (r#"{__name__="b", x="1"}"#, 480), (r#"{__name__="c"}"#, 60)]
            .map(|(labels, count)| (labels.to_owned(), count))
            .into();
    assert_eq!(read(&store, all()), (want.clone(), vec![]));
    drop(store);
    let (store, report) = open(&fs.kill());
    assert_eq!((report.blocks, report.samples), (3, 240));
    assert_eq!(read(&store, all()), (want, vec![]));
    assert_eq!(store.flush().unwrap(), 0);
}

#[test]
fn adjacent_blocks_become_one_and_deleted_samples_leave_it() {
    let fs = SimFs::new(2);
    let (store, _) = open(&fs);
    fill(&store, &["a", "b"], 0..26);
    store.flush().unwrap();
    assert_eq!(store.stats().upkeep.blocks, 12);
    let range = TimeRange { start: Millis(START), end: Millis(START + 3 * HOUR - 1) };
    store.delete(&[vec![Matcher::metric("a")]], range).unwrap();
    let counts = |store: &Tsdb| -> Vec<usize> {
        read(store, all()).0.into_iter().map(|(_, count)| count).collect()
    };
    assert_eq!(counts(&store), [23 * 60, 26 * 60]);
    let before = store.stats();
    assert!(store.compact_once().unwrap() && !store.compact_once().unwrap());
    let after = store.stats();
    assert_eq!((after.upkeep.blocks, before.block_samples - after.block_samples), (1, 180));
    assert!(after.upkeep.block_bytes < before.upkeep.block_bytes / 4, "{after:?}");
    assert_eq!(counts(&store), [23 * 60, 26 * 60]);
    store.delete(&[vec![Matcher::metric("b")]], everything()).unwrap();
    assert_eq!(store.clean_tombstones().unwrap(), 1);
    assert_eq!(read(&store, all()).0, [(r#"{__name__="a"}"#.to_owned(), 23 * 60)]);
}

#[test]
fn a_rotten_block_is_named_in_the_answer_and_the_rest_answers() {
    let fs = SimFs::new(3);
    let (store, _) = open(&fs);
    let mut random = masthead_sysio::Random::new(3);
    for minute in 0..480 {
        let mut row = |n: i64| {
            let noise = f64::from_bits(random.next_u64() >> 2);
            let set = Labels::from_iter([("n", format!("{n:02}"))]);
            AppendRow::float(set, Millis(START + minute * 60_000), noise)
        };
        put(&store, (0..40).map(&mut row).collect());
    }
    store.flush().unwrap();
    drop(store);
    let fs = fs.kill();
    // The second page has columns alone.
    let path = "/data/blocks/block-0000000000000001/data";
    fs.flip_bit(path.into(), 20_000, 0).unwrap();
    let (store, report) = open(&fs);
    assert_eq!(report.corrupt, []);
    let (found, warnings) = read(&store, all());
    let name = "results are incomplete: block-0000000000000001 is damaged: \
                /data/blocks/block-0000000000000001/data: corrupt page at byte 16384";
    assert_eq!(warnings, [name]);
    let counts = |count| found.iter().filter(|(_, found)| *found == count).count();
    assert!(counts(480) > 10 && counts(360) > 10 && counts(480) + counts(360) == 40, "{found:?}");
    assert_eq!(store.stats().upkeep.blocks_damaged, 1);
}

#[test]
fn a_block_that_cannot_be_opened_is_set_aside_and_one_of_a_later_version_stops_the_start() {
    let fs = SimFs::new(4);
    let (store, _) = open(&fs);
    fill(&store, &["a"], 0..8);
    store.flush().unwrap();
    drop(store);
    let fs = fs.kill();
    let path = Utf8Path::new("/data/blocks/block-0000000000000002/data");
    let len = fs.metadata(path).unwrap().len;
    fs.flip_bit(path, len - 1, 0).unwrap();
    let (store, report) = open(&fs);
    assert_eq!(report.corrupt.len(), 1);
    assert_eq!(report.corrupt[0].0, "block-0000000000000002.corrupt");
    assert_eq!(read(&store, all()).0, [(r#"{__name__="a"}"#.to_owned(), 360)]);
    assert_eq!(store.stats().upkeep.blocks_corrupt, 1);
    fill(&store, &["a"], 8..12);
    store.flush().unwrap();
    assert!(fs.metadata("/data/blocks/block-0000000000000004".into()).is_ok(), "numbers go on");
    drop(store);
    let fs = fs.kill();
    // The version of a rotten header is not to be believed, that of a good one is.
    let path = Utf8Path::new("/data/blocks/block-0000000000000001/data");
    let rotten = fs.crash_image(1);
    rotten.flip_bit(path, 12, 1).unwrap();
    assert_eq!(open(&rotten).1.corrupt.len(), 1);
    fs.remove_file(path).unwrap();
    let kind = u32::from_le_bytes(*b"tsdb");
    masthead_durable::table::TableWriter::create(&fs, path, kind, 3).unwrap().finish().unwrap();
    let error = Tsdb::open(Arc::new(fs), clock(), DIR.into(), options()).unwrap_err();
    assert!(error.to_string().contains("format version 3"), "{error}");
}

#[test]
fn a_full_disk_refuses_and_nothing_acknowledged_is_lost() {
    let fs = SimFs::new(5);
    let (store, _) = open(&fs);
    fill(&store, &["a"], 0..1);
    fs.set_capacity(0);
    let row = |minute: i64| AppendRow::float(labels("a"), Millis(START + minute * 60_000), 0.5);
    let mut refused = AppendBatch { group: 1, rows: vec![row(60)], ..AppendBatch::default() };
    let error = store.append(&mut refused).unwrap_err();
    assert!(error.class.is_retryable(), "{error}");
    let mut next = AppendBatch { group: 1, rows: vec![row(61)], ..AppendBatch::default() };
    assert!(store.append(&mut next).is_err());
    // The second was not even looked at, so nothing grows while the disk is full.
    assert_eq!(read(&store, all()).0[0].1, 61);
    fs.set_capacity(1 << 20);
    assert_eq!(store.append(&mut refused).unwrap().duplicates, 1);
    assert_eq!(store.append(&mut next).unwrap().appended, 1);
    assert_eq!(store.stats().upkeep.append_failures_total, 2);
    drop(store);
    assert_eq!(read(&open(&fs.kill()).0, all()).0[0].1, 62);
}

#[test]
fn every_reason_to_refuse_a_sample_has_its_name() {
    let fs = SimFs::new(6);
    let options = Options { series_max: 2, ..options() };
    let (store, _) = Tsdb::open(Arc::new(fs), clock(), DIR.into(), options).unwrap();
    let now = START + 48 * HOUR;
    let row =
        |text: &str, time: i64, value: f64| AppendRow::float(labels(text), Millis(time), value);
    let broken = Histogram { positive_buckets: vec![1.0], ..Histogram::default() };
    let broken = AppendRow { value: Value::Histogram(Box::new(broken)), ..row("b", now, 0.0) };
    let report = put(
        &store,
        vec![
            row("a", now, 1.0),
            row("a", now, 1.0),
            row("a", now, 2.0),
            row("a", now + HOUR, 2.0),
            row("a", now - HOUR, 2.0),
            row("{}", now, 1.0),
            broken,
            row("b", now, 1.0),
            row("c", now, 1.0),
        ],
    );
    assert_eq!((report.appended, report.duplicates), (2, 1));
    assert_eq!(
        report.rejected,
        [
            (2, RejectReason::DuplicateTimestamp),
            (3, RejectReason::OutOfBounds),
            (4, RejectReason::TooOld),
            (5, RejectReason::InvalidLabels),
            (6, RejectReason::InvalidHistogram),
            (8, RejectReason::SeriesLimit),
        ]
    );
    assert_eq!(store.stats().samples_rejected_total.get("too_old"), Some(&1));
}

#[test]
fn a_series_of_histograms_ends_in_a_stale_histogram() {
    let fs = SimFs::new(7);
    let (store, _) = open(&fs);
    let row =
        |minute: i64| AppendRow::float(labels("h"), Millis(START + minute * 60_000), stale_nan());
    let histogram = Histogram {
        count: 3.0,
        sum: 1.5,
        counter_reset_hint: CounterResetHint::Gauge,
        ..Histogram::default()
    };
    let first = AppendRow { value: Value::Histogram(Box::new(histogram.clone())), ..row(0) };
    put(&store, vec![first, row(1)]);
    drop(store);
    let (store, _) = open(&fs.kill());
    store.flush_all().unwrap();
    let ctx = QueryCtx::new(clock(), QueryLimits::default());
    let selection =
        Selection { matchers: vec![all()], range: everything(), hints: SelectHints::default() };
    let selected = store.select(&ctx, &[selection]).unwrap();
    let mut columns = Columns::default();
    selected[0].reader.read(&ctx, 0, &mut columns).unwrap();
    assert_eq!((columns.floats.len(), columns.histograms.len()), (0, 2));
    assert_eq!(*columns.histograms[0], histogram);
    assert!(masthead_model::is_stale(columns.histograms[1].sum));
}

#[test]
fn metadata_and_exemplars_survive_restarts_with_and_without_a_checkpoint() {
    let fs = SimFs::new(8);
    let (store, _) = open(&fs);
    let metadata = Metadata {
        family: "a".into(),
        metric_type: MetricType::Counter,
        help: "what it is".into(),
        unit: "".into(),
    };
    let exemplar = Exemplar { labels: labels("{t=\"1\"}"), value: 0.5, timestamp: None };
    let mut row = AppendRow::float(labels("a"), Millis(START), 1.0);
    row.exemplars = vec![exemplar.clone(), exemplar];
    let mut batch = AppendBatch {
        group: 1,
        rows: vec![row],
        metadata: vec![metadata.clone()],
        ..AppendBatch::default()
    };
    let report = store.append(&mut batch).unwrap();
    assert_eq!(report.rejected_exemplars, 0);
    fill(&store, &["b", "a"], 4..5);
    let check = |store: &Tsdb, when: &str| {
        let ctx = QueryCtx::new(clock(), QueryLimits::default());
        assert_eq!(
            store.metadata(&ctx, Some("a")).unwrap(),
            std::slice::from_ref(&metadata),
            "{when}"
        );
        let matchers = [vec![Matcher::metric("a")]];
        let found = store.exemplars(&ctx, &matchers, everything()).unwrap();
        assert_eq!(found.len(), 1, "{when}");
        assert_eq!(found[0].1[0].timestamp, Some(Millis(START)), "{when}");
        assert_eq!(found[0].1.len(), 1, "{when}");
    };
    check(&store, "at once");
    drop(store);
    let (store, _) = open(&fs.kill());
    check(&store, "after a restart");
}

#[test]
fn exemplars_come_without_a_sample_once_their_series_is_there() {
    let fs = SimFs::new(21);
    let (store, _) = open(&fs);
    let alone = |name: &str, trace: &str, time: i64| {
        let timestamp = (time > 0).then_some(Millis(time));
        let labels_of = [("trace", trace)].into_iter().collect();
        let exemplar = Exemplar { labels: labels_of, value: 1.0, timestamp };
        masthead_ports::SeriesExemplars { labels: labels(name), exemplars: vec![exemplar] }
    };
    let push = |rows, exemplars| {
        let mut batch = AppendBatch { rows, exemplars, ..AppendBatch::default() };
        let report = store.append(&mut batch).unwrap();
        assert_eq!(report.rejected, []);
        report.rejected_exemplars
    };
    assert_eq!(push(vec![], vec![alone("a", "early", START)]), 1, "no such series");
    let row = AppendRow::float(labels("a"), Millis(START), 1.0);
    assert_eq!(push(vec![row], vec![alone("a", "t1", START)]), 0, "with its sample");
    // Another shard, and the series above without its sample.
    let row = AppendRow::float(labels("b{job=\"b\"}"), Millis(START), 1.0);
    let some = vec![alone("a", "t2", START + 1), alone("b{job=\"b\"}", "t3", START)];
    assert_eq!(push(vec![row], some), 0);
    assert_eq!(push(vec![], vec![alone("a", "t2", START + 1)]), 0, "the newest again");
    assert_eq!(push(vec![], vec![alone("a", "t0", START), alone("a", "timeless", 0)]), 2);
    assert_eq!(store.stats().exemplars_rejected_total, 3);
    let check = |store: &Tsdb, when: &str| {
        let ctx = QueryCtx::new(clock(), QueryLimits::default());
        let found = store.exemplars(&ctx, &[], everything()).unwrap();
        let traces = found.iter().flat_map(|(_, all)| all);
        let traces: Vec<_> = traces.filter_map(|e| e.labels.get("trace")).collect();
        assert_eq!(traces, ["t1", "t2", "t3"], "{when}");
    };
    check(&store, "at once");
    drop(store);
    let (store, _) = open(&fs.kill());
    check(&store, "after a restart");
}

#[test]
fn metadata_and_exemplars_are_in_the_checkpoint() {
    let fs = SimFs::new(9);
    let journal = crate::JournalOptions { segment_bytes: 100, ..Default::default() };
    let options = Options { journal, ..options() };
    let open = |fs: &SimFs| Tsdb::open(Arc::new(fs.clone()), clock(), DIR.into(), options).unwrap();
    let (store, _) = open(&fs);
    let metadata = Metadata {
        family: "a".into(),
        metric_type: MetricType::Gauge,
        help: "".into(),
        unit: "s".into(),
    };
    let mut row = AppendRow::float(labels("a"), Millis(START - 1), 1.0);
    row.exemplars = vec![Exemplar { labels: labels("{t=\"1\"}"), value: 0.5, timestamp: None }];
    store
        .append(&mut AppendBatch {
            group: 1,
            rows: vec![row],
            metadata: vec![metadata],
            ..AppendBatch::default()
        })
        .unwrap();
    fill(&store, &["b", "a"], 0..6);
    let before = store.stats().upkeep.journal_bytes;
    store.flush().unwrap();
    assert!(store.stats().upkeep.journal_bytes < before, "segments were removed");
    drop(store);
    let (store, report) = open(&fs.kill());
    let ctx = QueryCtx::new(clock(), QueryLimits::default());
    assert_eq!(store.metadata(&ctx, None).unwrap().len(), 1);
    assert_eq!(store.exemplars(&ctx, &[], everything()).unwrap().len(), 1);
    assert_eq!((report.series, report.frames_dropped, report.samples_dropped), (2, 0, 0));
}

#[test]
fn questions_about_labels_are_answered_from_head_and_blocks() {
    let fs = SimFs::new(10);
    let (store, _) = open(&fs);
    fill(&store, &["a{job=\"x\",old=\"1\"}"], 0..1);
    fill(&store, &["a{job=\"y\",new=\"2\"}", "b{job=\"z\"}"], 4..5);
    store.flush().unwrap();
    let ctx = QueryCtx::new(clock(), QueryLimits::default());
    let query =
        |matchers: Vec<Vec<Matcher>>, limit| LabelQuery { matchers, range: everything(), limit };
    let a = || vec![vec![Matcher::metric("a")]];
    let names = |q: &LabelQuery| store.label_names(&ctx, q).unwrap();
    let values = |q: &LabelQuery| store.label_values(&ctx, "job", q).unwrap();
    assert_eq!(names(&query(vec![], 0)), ["__name__", "job", "new", "old"]);
    assert_eq!(names(&query(a(), 0)), ["__name__", "job", "new", "old"]);
    assert_eq!(names(&query(vec![vec![Matcher::metric("b")]], 0)), ["__name__", "job"]);
    assert_eq!(values(&query(vec![], 0)), ["x", "y", "z"]);
    assert_eq!(values(&query(vec![], 2)), ["x", "y"]);
    assert_eq!(values(&query(a(), 0)), ["x", "y"]);
    let both = [a(), vec![vec![Matcher::new(MatchOp::Matches, "job", "z|q").unwrap()]]].concat();
    assert_eq!(values(&query(both.clone(), 0)), ["x", "y", "z"]);
    assert_eq!(store.series(&ctx, &query(both, 0)).unwrap().len(), 3);
    let early = TimeRange { start: Millis(START), end: Millis(START + HOUR) };
    let early = LabelQuery { range: early, ..query(a(), 0) };
    assert!(store.label_values(&ctx, "old", &early).unwrap() == ["1"]);
    let top = store.cardinality(1);
    assert_eq!((top.series, top.metrics.len(), top.names.len()), (2, 1, 1));
    assert_eq!(top.pairs[0].1, 1);
}

#[test]
fn series_and_labels_are_those_of_the_range_also_in_the_head() {
    const MINUTE: i64 = 60_000;
    let fs = SimFs::new(22);
    let (store, _) = open(&fs);
    let row = |text: &str, time: i64| AppendRow::float(labels(text), Millis(START + time), 1.0);
    let histogram = AppendRow {
        value: Value::Histogram(Box::default()),
        ..row("native{a=\"h\"}", 40 * MINUTE)
    };
    // In another order than their times, so that one is late.
    put(&store, vec![row("rng{a=\"old\"}", 5 * MINUTE), row("rng{a=\"both\"}", 5 * MINUTE)]);
    put(&store, vec![row("rng{a=\"new\"}", 30 * MINUTE), row("rng{a=\"both\"}", 30 * MINUTE)]);
    put(&store, vec![row("rng{a=\"new\"}", 20 * MINUTE), histogram]);
    let ctx = QueryCtx::new(clock(), QueryLimits::default());
    let query = |first: i64, last: i64| LabelQuery {
        matchers: vec![vec![Matcher::new(MatchOp::NotEqual, "a", "").unwrap()]],
        range: TimeRange { start: Millis(START + first), end: Millis(START + last) },
        limit: 0,
    };
    let check = |store: &Tsdb, first: i64, last: i64, want: &[&str]| {
        let query = query(first * MINUTE, last * MINUTE);
        let found = store.series(&ctx, &query).unwrap();
        let found: Vec<_> = found.iter().filter_map(|labels| labels.get("a")).collect();
        assert_eq!(found, want, "{first} to {last}");
        // These are as precise as the head.
        let none = want.is_empty() && (last < 5 || first > 40);
        let everything = LabelQuery { matchers: vec![], ..query.clone() };
        for query in [&query, &everything] {
            assert_eq!(store.label_names(&ctx, query).unwrap().is_empty(), none);
            assert_eq!(store.label_values(&ctx, "a", query).unwrap().is_empty(), none);
        }
    };
    let check_all = |store: &Tsdb| {
        check(store, 0, 60, &["h", "both", "new", "old"]);
        check(store, 6, 60, &["h", "both", "new"]);
        check(store, 5, 19, &["both", "old"]);
        check(store, 20, 20, &["new"]);
        check(store, 21, 29, &[]);
        check(store, 31, 60, &["h"]);
        check(store, 0, 4, &[]);
        check(store, 41, 600, &[]);
    };
    check_all(&store);
    assert_eq!(store.head.oldest(), Some(START + 5 * MINUTE));
    drop(store);
    let (store, _) = open(&fs.kill());
    check_all(&store);
    // Once it is in a block the block answers, and the head for what came after.
    fill(&store, &["late{a=\"later\"}"], 4..5);
    store.flush().unwrap();
    check(&store, 4 * 60, 5 * 60, &["later"]);
    check(&store, 6 * 60, 7 * 60, &[]);
    assert_eq!(store.head.oldest(), Some(START + 4 * HOUR));
}

#[test]
fn retention_counts_back_from_the_newest_block_not_from_the_clock() {
    let fs = SimFs::new(11);
    let keep = crate::Keep { span: Some(11 * HOUR), bytes: None };
    let options = Options { keep, ..options() };
    let sim = clock();
    let (store, _) = Tsdb::open(Arc::new(fs), Arc::clone(&sim) as _, DIR.into(), options).unwrap();
    fill(&store, &["a"], 0..12);
    sim.advance(std::time::Duration::from_hours(24 * 365));
    store.tick().unwrap();
    assert_eq!(store.stats().upkeep.retention_deleted_total, 0);
    fill(&store, &["a"], 12..16);
    store.tick().unwrap();
    // The last block ends at 14:00; the first ended at 2:00, the second at 4:00.
    assert_eq!(store.stats().upkeep.retention_deleted_total, 1, "{:?}", store.stats());
    assert_eq!(read(&store, all()).0[0].1, 14 * 60);
}

#[test]
fn a_lock_keeps_a_second_process_away_and_bad_options_are_refused() {
    let fs = SimFs::new(12);
    let (_store, _) = open(&fs);
    let again = Tsdb::open(Arc::new(fs.clone()), clock(), DIR.into(), options());
    assert!(again.unwrap_err().to_string().contains("another process"));
    let bad = Options { merged_ms: 1, ..options() };
    let error = Tsdb::open(Arc::new(SimFs::new(1)), clock(), DIR.into(), bad).unwrap_err();
    assert!(matches!(error, Error::Options(_)), "{error}");
}

#[test]
fn snapshots_are_whole_stores_and_have_plain_names() {
    let fs = SimFs::new(13);
    let (store, _) = open(&fs);
    fill(&store, &["a"], 0..6);
    store.flush().unwrap();
    let dir = store.snapshot("one", true).unwrap();
    let copy = Tsdb::open(Arc::new(fs.clone()), clock(), &dir, options()).unwrap().0;
    assert_eq!(read(&copy, all()).0[0].1, 360);
    let dir = store.snapshot("two", false).unwrap();
    let copy = Tsdb::open(Arc::new(fs.clone()), clock(), &dir, options()).unwrap().0;
    assert_eq!(read(&copy, all()).0[0].1, 240);
    for bad in ["", "..", "a/b", "one"] {
        assert!(matches!(store.snapshot(bad, true), Err(Error::Options(_))), "{bad}");
    }
}

#[test]
fn readers_see_every_acknowledged_sample_once_while_it_moves() {
    let fs = SimFs::new(14);
    let options = Options { block_ms: 60_000, merged_ms: 600_000, future_ms: None, ..options() };
    let options = Options { out_of_order_ms: 0, ..options };
    let (store, _) = Tsdb::open(Arc::new(fs), clock(), DIR.into(), options).unwrap();
    let written = AtomicU64::new(0);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..2000 {
                let row = |name| AppendRow::float(labels(name), Millis(START + n * 1000), 1.0);
                put(&store, vec![row("a"), row("b")]);
                written.fetch_add(1, Ordering::Release);
            }
            done.store(true, Ordering::Release);
        });
        scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                store.tick().unwrap();
            }
        });
        while !done.load(Ordering::Acquire) {
            let before = usize::try_from(written.load(Ordering::Acquire)).unwrap();
            let (found, warnings) = read(&store, all());
            assert!(warnings.is_empty());
            for (labels, count) in found {
                assert!(count >= before, "{labels}: {count} of {before}");
            }
        }
    });
    store.tick().unwrap();
    assert!(store.stats().upkeep.flushes_total > 20, "{:?}", store.stats());
    assert!(read(&store, all()).0.iter().all(|(_, count)| *count == 2000));
}

#[test]
fn damage_in_the_journal_is_reported_and_never_becomes_other_values() {
    let fs = SimFs::new(15);
    let (store, _) = open(&fs);
    fill(&store, &["a", "b"], 0..1);
    store.sync().unwrap();
    drop(store);
    let fs = fs.kill();
    let names = fs.read_dir("/data/journal".into()).unwrap();
    let path = Utf8Path::new("/data/journal").join(&names[0]);
    let len = fs.metadata(&path).unwrap().len;
    for at in (48..len).step_by(7) {
        let image = fs.crash_image(at);
        image.flip_bit(&path, at, 5).unwrap();
        let (store, report) = open(&image);
        let journal = &report.journal;
        let told = journal.damage_count + journal.torn_bytes + report.frames_dropped;
        assert!(told > 0, "byte {at}: {report:?}");
        let ctx = QueryCtx::new(clock(), QueryLimits::default());
        let selection =
            Selection { matchers: vec![all()], range: everything(), hints: SelectHints::default() };
        let selected = store.select(&ctx, &[selection]).unwrap();
        let mut columns = Columns::default();
        for n in 0..selected[0].labels.len() {
            selected[0].reader.read(&ctx, n, &mut columns).unwrap();
            for (time, value) in columns.float_times.iter().zip(&columns.floats) {
                #[expect(clippy::cast_precision_loss, reason = "small")]
                let want = ((time - START) / 60_000) as f64;
                assert_eq!(value.to_bits(), want.to_bits(), "byte {at}");
            }
        }
    }
}

#[test]
fn files_of_the_first_version_stay_readable() {
    check_files(FIRST_VERSION);
    check_files(FIRST_VERSION_WITH_HEAD);
}

fn check_files(files: &[(&str, &[u8])]) {
    let fs = SimFs::new(1);
    for (path, bytes) in files {
        let path = Utf8Path::new(DIR).join(path);
        fs.create_dir_all(path.parent().unwrap()).unwrap();
        masthead_sysio::atomic_write(&fs, &path, bytes).unwrap();
    }
    let (old, report) = open(&fs);
    assert_eq!((report.blocks, report.corrupt.len(), report.journal.damage_count), (2, 0, 0));
    assert_eq!((report.frames_dropped, report.samples_dropped), (0, 0));
    assert_eq!(report.head_damages, Vec::<String>::new());
    let fs = SimFs::new(2);
    crate::simulation::write_testdata(Arc::new(fs.clone()), DIR.into()).unwrap();
    let (new, _) = open(&fs.kill());
    let dump = |store: &Tsdb| {
        let ctx = QueryCtx::new(clock(), QueryLimits::default());
        let selection =
            Selection { matchers: vec![all()], range: everything(), hints: SelectHints::default() };
        let selected = store.select(&ctx, &[selection]).unwrap();
        let mut text = String::new();
        for (at, labels) in selected[0].labels.iter().enumerate() {
            let mut columns = Columns::default();
            selected[0].reader.read(&ctx, at, &mut columns).unwrap();
            let bits: Vec<u64> = columns.floats.iter().map(|value| value.to_bits()).collect();
            columns.floats.clear();
            writeln!(text, "{labels} {bits:?} {columns:?}").unwrap();
        }
        let metadata = store.metadata(&ctx, None).unwrap();
        let exemplars = store.exemplars(&ctx, &[], everything()).unwrap();
        text + &format!("{metadata:?} {exemplars:?} {:?}", ctx.warnings())
    };
    let text = dump(&old);
    assert_eq!(text, dump(&new));
    assert_eq!(text.lines().count(), 5);
    assert!(old.stats().block_samples > 900, "{:?}", old.stats());
}

macro_rules! first_version {
    ($folder:literal, $($path:literal),*) => {
        &[$((
            $path,
            include_bytes!(concat!("../../../../testdata/format/v1/", $folder, "/", $path)),
        )),*]
    };
}

/// Written once by `cargo run -p masthead-tsdb --example testdata`, never to be written again.
const FIRST_VERSION: &[(&str, &[u8])] = first_version![
    "metrics",
    "journal/checkpoint-00000008",
    "journal/journal-00000008-00",
    "journal/journal-00000009-00",
    "journal/journal-00000010-00",
    "journal/journal-00000011-00",
    "journal/journal-00000012-00",
    "blocks/block-0000000000000001/data",
    "blocks/block-0000000000000001/tombstones",
    "blocks/block-0000000000000002/data"
];

/// The same with a head's file, and with exemplars in blocks.
const FIRST_VERSION_WITH_HEAD: &[(&str, &[u8])] = first_version![
    "metrics-with-head",
    "head/head-00000012",
    "journal/checkpoint-00000012",
    "journal/journal-00000012-00",
    "blocks/block-0000000000000001/data",
    "blocks/block-0000000000000001/tombstones",
    "blocks/block-0000000000000002/data"
];

#[test]
fn exemplars_outlive_memory_in_blocks_and_go_with_them() {
    let fs = SimFs::new(20);
    let few = Options { exemplars_max: 8, future_ms: None, ..options() };
    let sim = clock();
    let open =
        |fs: &SimFs| Tsdb::open(Arc::new(fs.clone()), sim.clone(), DIR.into(), few).unwrap().0;
    let store = open(&fs);
    for hour in 0..30 {
        let time = Millis(START + hour * HOUR);
        let rows = ["x{n=\"1\"}", "x{n=\"2\"}"].map(|series| {
            let mut row = AppendRow::float(labels(series), time, 1.0);
            let trace = labels(&format!("{{t=\"{hour}\"}}"));
            row.exemplars = vec![Exemplar { labels: trace, value: 0.5, timestamp: None }];
            row
        });
        put(&store, rows.into());
        store.flush().unwrap();
    }
    let times = |store: &Tsdb, n: &str, range: TimeRange<Millis>| -> Vec<i64> {
        let ctx = QueryCtx::new(clock(), QueryLimits::default());
        let found = store.exemplars(&ctx, &[vec![Matcher::equal("n", n)]], range).unwrap();
        assert!(found.iter().all(|(labels, _)| labels.get("n") == Some(n)));
        let all = found.iter().flat_map(|(_, exemplars)| exemplars);
        all.map(|one| (one.timestamp.unwrap().0 - START) / HOUR).collect()
    };
    let every: Vec<i64> = (0..30).collect();
    // Each once, also where memory has them too.
    assert_eq!(times(&store, "1", everything()), every);
    let part = TimeRange { start: Millis(START + 3 * HOUR), end: Millis(START + 5 * HOUR) };
    assert_eq!(times(&store, "2", part), [3, 4, 5]);
    assert_eq!(times(&store, "3", everything()), [0; 0]);
    while store.compact_once().unwrap() {}
    assert!(store.stats().upkeep.merges_total > 0);
    assert_eq!(times(&store, "2", everything()), every, "after a merge");
    drop(store);
    let store = open(&fs.kill());
    assert_eq!(times(&store, "1", everything()), every, "after a restart");
    let later = AppendRow::float(labels("y"), Millis(START + 400 * HOUR), 1.0);
    store.append(&mut AppendBatch { rows: vec![later], ..AppendBatch::default() }).unwrap();
    store.flush_all().unwrap();
    store.apply_retention().unwrap();
    assert_eq!(times(&store, "1", everything()), every, "one sample of the future is no age");
    sim.advance(std::time::Duration::from_hours(400));
    store.apply_retention().unwrap();
    assert!(times(&store, "1", everything()).len() < 10, "they went with their blocks");
}

#[test]
fn remembered_labels_stay_right_when_there_is_no_room_for_them() {
    for labels_cache_bytes in [0, 5_000, 1 << 20] {
        let fs = SimFs::new(21);
        let options = Options { labels_cache_bytes, ..options() };
        let (store, _) = Tsdb::open(Arc::new(fs.clone()), clock(), DIR.into(), options).unwrap();
        let name = |n: usize| format!("{{__name__=\"x\", n=\"{n:02}\"}}");
        let names: Vec<String> = (0..40).map(name).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        fill(&store, &names, 0..5);
        store.flush_all().unwrap();
        for _ in 0..3 {
            for n in 0..40 {
                let (found, _) = read(&store, Matcher::equal("n", &format!("{n:02}")));
                assert_eq!(found, [(name(n), 300)]);
            }
            let (found, _) = read(&store, all());
            assert_eq!(found.iter().map(|(labels, _)| labels.as_str()).collect::<Vec<_>>(), names);
        }
    }
}

#[test]
fn a_large_selection_is_whole_while_samples_come() {
    let fs = SimFs::new(22);
    let (store, _) = open(&fs);
    let names: Vec<Labels> = (0..9000).map(|n| labels(&format!("x{{n=\"{n:05}\"}}"))).collect();
    let scrape = |time: i64| {
        let row = |labels: &Labels| AppendRow::float(labels.clone(), Millis(time), 1.0);
        put(&store, names.iter().map(row).collect());
    };
    (0..5).for_each(|n| scrape(START + n));
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| (5..20).for_each(|n| scrape(START + n)));
        let mut before = 0;
        while !writer.is_finished() {
            let (found, _) = read(&store, all());
            assert_eq!(found.len(), 9000);
            let fewest = found.iter().map(|(_, samples)| *samples).min().unwrap();
            assert!(fewest >= before.max(5), "{fewest} after {before}");
            before = fewest;
        }
    });
    let (found, _) = read(&store, all());
    assert!(found.iter().all(|(_, samples)| *samples == 20));
}
