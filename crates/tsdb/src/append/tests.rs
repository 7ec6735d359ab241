//! Many writers at once: what they leave is what one after the other leaves, and what a query sees
//! of a push that is under way.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
};

use masthead_model::{Labels, Millis, TimeRange};
use masthead_ports::{
    Columns, Exemplar, Metadata, MetricType, QueryCtx, QueryLimits, SampleSource as _, SelectHints,
    Selection,
};
use masthead_sysio::{SimClock, SimFs, UnixNanos};

use super::*;
use crate::{JournalOptions, OpenReport};

const START: i64 = 1_704_067_200_000;
const WRITERS: usize = 4;
const SCRAPES: usize = 25;

fn clock() -> Arc<SimClock> {
    Arc::new(SimClock::new(UnixNanos((START + 60_000) * 1_000_000)))
}

fn open(fs: &SimFs) -> (Tsdb, OpenReport) {
    // Segments so short that every other frame begins one.
    let journal = JournalOptions { segment_bytes: 600, ..JournalOptions::default() };
    let options = Options { journal, checkpoint_bytes: 20_000, ..Options::default() };
    Tsdb::open(Arc::new(fs.clone()), clock(), "/data".into(), options).unwrap()
}

fn row(name: &str, target: usize, at: usize, time: i64, value: usize) -> AppendRow {
    let labels = Labels::from_iter([
        ("__name__", name.to_owned()),
        ("job", target.to_string()),
        ("n", at.to_string()),
    ]);
    AppendRow::float(labels, Millis(time), f64::from(u32::try_from(value).unwrap()))
}

/// Everything that a writer sends: scrapes of its target, and pushes of series of all targets,
/// some of which all writers have.
fn batches(writer: usize) -> Vec<AppendBatch> {
    let mut all = Vec::new();
    for scrape in 0..SCRAPES {
        let time = START + i64::try_from(scrape * 1000).unwrap();
        let mut rows: Vec<_> =
            (0..20).map(|at| row("scraped", writer, at, time, scrape * at % 7)).collect();
        let trace = Labels::from_iter([("trace", format!("{writer}-{scrape}"))]);
        rows[0].exemplars = vec![Exemplar { labels: trace, value: 1.0, timestamp: None }];
        let family = format!("family_{}", (writer + scrape) % 5).into();
        let help = "the same from all".into();
        let known = Metadata { family, metric_type: MetricType::Gauge, help, unit: Arc::default() };
        let group = writer as u64 + 1;
        all.push(AppendBatch { group, rows, metadata: vec![known], ..AppendBatch::default() });
        let own = time + 1 + i64::try_from(writer).unwrap();
        let mut rows = Vec::new();
        for target in 0..10 {
            rows.push(row("shared", target, 0, own, scrape + writer));
            rows.push(row("pushed", target, writer, own, scrape));
        }
        all.push(AppendBatch { group: 0, rows, ..AppendBatch::default() });
    }
    all
}

fn send(store: &Tsdb, writer: usize) {
    let mut numbers: BTreeMap<Labels, SeriesRef> = BTreeMap::new();
    for (at, mut batch) in batches(writer).into_iter().enumerate() {
        for row in &mut batch.rows {
            // Now and then the writer has forgotten the numbers, or has one that nobody gave.
            row.series = match at % 5 {
                0 => SeriesRef::default(),
                1 => SeriesRef(7 << 32 | 3),
                _ => numbers.get(&row.labels).copied().unwrap_or_default(),
            };
        }
        let report = store.append(&mut batch).unwrap();
        assert_eq!((report.appended, report.rejected), (batch.rows.len(), vec![]));
        numbers.extend(batch.rows.into_iter().map(|row| (row.labels, row.series)));
    }
}

type Contents = (BTreeMap<String, Vec<(i64, u64)>>, usize, usize);

/// Samples by series, how many exemplars, how many families.
fn contents(store: &Tsdb) -> Contents {
    let ctx = QueryCtx::new(clock(), QueryLimits::default());
    let range = TimeRange { start: Millis::MIN, end: Millis::MAX };
    let selection = Selection { matchers: Vec::new(), range, hints: SelectHints::default() };
    let mut found = BTreeMap::new();
    let mut columns = Columns::default();
    for selected in store.select(&ctx, &[selection]).unwrap() {
        assert!(selected.labels.is_sorted_by(|a, b| a < b));
        for (at, labels) in selected.labels.iter().enumerate() {
            selected.reader.read(&ctx, at, &mut columns).unwrap();
            assert!(columns.float_times.is_sorted_by(|a, b| a < b), "{labels}");
            let values = columns.floats.iter().map(|value| value.to_bits());
            let samples = columns.float_times.iter().copied().zip(values).collect();
            assert!(found.insert(labels.to_string(), samples).is_none(), "{labels} is there twice");
        }
    }
    let exemplars = store.exemplars(&ctx, &[], range).unwrap().iter().map(|(_, e)| e.len()).sum();
    (found, exemplars, store.metadata(&ctx, None).unwrap().len())
}

#[test]
fn writers_at_the_same_time_leave_what_one_after_the_other_leaves() {
    let fs = SimFs::new(1);
    let (store, _) = open(&fs);
    (0..WRITERS).for_each(|writer| send(&store, writer));
    let want = contents(&store);
    assert_eq!((want.0.len(), want.1, want.2), (80 + 10 + 40, WRITERS * SCRAPES, 5));
    for seed in 2..6 {
        let fs = SimFs::new(seed);
        let (store, _) = open(&fs);
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS)
                .map(|writer| {
                    scope.spawn({
                        let store = &store;
                        move || send(store, writer)
                    })
                })
                .collect();
            let other = scope.spawn(|| {
                while !done.load(Ordering::Acquire) {
                    // What is there meanwhile is right, though not all.
                    for (series, samples) in contents(&store).0 {
                        let all = want.0.get(&series).unwrap();
                        assert!(samples.iter().all(|sample| all.contains(sample)), "{series}");
                    }
                    store.checkpoint().unwrap();
                    store.tick().unwrap();
                }
            });
            let ended: Vec<_> =
                writers.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
            done.store(true, Ordering::Release);
            other.join().unwrap();
            for writer in ended {
                writer.unwrap();
            }
        });
        assert_eq!(contents(&store), want, "seed {seed}");
        drop(store);
        let (store, report) = open(&fs.kill());
        assert_eq!((report.frames_dropped, report.samples_dropped), (0, 0), "{report:?}");
        assert_eq!(contents(&store), want, "seed {seed}, after a restart");
        store.flush_all().unwrap();
        assert_eq!(contents(&store).0, want.0, "seed {seed}, in blocks");
    }
}

/// A push to all shards: series that are there already, and new ones.
fn wide_push(time: i64, name: &str) -> AppendBatch {
    let rows =
        (0..40).flat_map(|target| [row("old", target, 0, time, 1), row(name, target, 0, time, 1)]);
    AppendBatch { group: 0, rows: rows.collect(), ..AppendBatch::default() }
}

/// How many series there are, and how many samples.
fn seen(store: &Tsdb) -> (usize, usize) {
    let all = contents(store).0;
    let samples = all.values().map(Vec::len);
    (samples.clone().filter(|count| *count > 0).count(), samples.sum())
}

#[test]
fn a_query_sees_all_of_a_push_or_nothing() {
    let (store, _) = open(&SimFs::new(1));
    store.append(&mut wide_push(START, "first")).unwrap();
    assert_eq!(seen(&store), (80, 80));
    let mut batch = wide_push(START + 1000, "second");
    let now = store.now_ms();
    let mut applying = Applying::new(&store, store.journal().unwrap(), now, &mut batch);
    let mut shards = 0;
    while applying.next_shard().unwrap() {
        shards += 1;
        assert_eq!(seen(&store), (80, 80), "after {shards} shards");
    }
    assert_eq!(shards, SHARDS);
    let report = applying.end();
    assert_eq!((report.appended, seen(&store)), (80, (120, 160)));
}

#[test]
fn a_push_that_ends_while_a_query_looks_is_not_seen_by_it() {
    let (store, _) = open(&SimFs::new(1));
    store.append(&mut wide_push(START, "first")).unwrap();
    let view = store.head.pushes().view();
    // In a single shard, of series that the query has found already and of some that it has not.
    let rows = vec![row("old", 0, 0, START + 1000, 1), row("late", 0, 0, START + 1000, 1)];
    let mut batch = AppendBatch { group: 1, rows, ..AppendBatch::default() };
    store.append(&mut batch).unwrap();
    let hidden: Vec<_> = batch.rows.iter().map(|row| (row.series, row.timestamp.0)).collect();
    assert!(view.hidden().iter().all(|sample| hidden.contains(sample)));
    assert_eq!(view.hidden().len(), 2);
    drop(view);
    assert_eq!(seen(&store), (81, 82));
}

#[test]
fn a_row_needs_no_labels_while_the_numbering_is_the_same() {
    let fs = SimFs::new(1);
    let (store, _) = open(&fs);
    let mut batch = AppendBatch { rows: vec![row("a", 1, 1, START, 1)], ..AppendBatch::default() };
    store.append(&mut batch).unwrap();
    let (labels, number) = (batch.rows[0].labels.clone(), batch.rows[0].series);
    let numbering = store.numbering();
    assert!(numbering.is_some());
    assert_eq!(store.labels_of(number), Some(labels.clone()));
    let bare = |time: i64, value: f64| AppendRow {
        series: number,
        ..AppendRow::float(Labels::default(), Millis(time), value)
    };
    let send = |row: AppendRow| {
        let mut batch = AppendBatch { rows: vec![row], ..AppendBatch::default() };
        store.append(&mut batch).unwrap()
    };
    assert_eq!(send(bare(START + 1, 2.0)).appended, 1);
    assert_eq!(store.numbering(), numbering);
    // Everything goes to a block, and the series with it.
    store.flush_all().unwrap();
    store.head.drop_before(i64::MAX);
    assert_ne!(store.numbering(), numbering);
    assert_eq!(store.labels_of(number), None);
    let refused = |report: AppendReport| report.rejected.first().map(|(_, reason)| *reason);
    let later = START + 4 * 3_600_000;
    assert_eq!(refused(send(bare(later, 3.0))), Some(RejectReason::UnknownSeries));
    // A number that nobody ever gave, in a run that nobody has.
    let row = AppendRow { series: SeriesRef((7 << 32) + 900_000), ..bare(later, 3.0) };
    assert_eq!(refused(send(row)), Some(RejectReason::UnknownSeries));
}
