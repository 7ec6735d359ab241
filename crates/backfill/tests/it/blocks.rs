//! Blocks of Prometheus into a store.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use masthead_backfill::{
    Filter, Result,
    import::{Options, Report, Skipped, fill, prometheus::Blocks},
};
use masthead_model::{Labels, Matcher, Millis, TimeRange};
use masthead_sysio::{Fs, OpenOptions, RealFs, SimFs};
use masthead_tsdb::Tsdb;
use masthead_wire::prometheus_block::testing::{self, TestChunk, xor};

use crate::support::{clock, dump, open};

const ULIDS: [&str; 3] =
    ["01ARZ3NDEKTSV4RRFFQ69G5FA0", "01ARZ3NDEKTSV4RRFFQ69G5FA1", "01ARZ3NDEKTSV4RRFFQ69G5FA2"];
const HOUR: i64 = 3_600_000;

fn put(fs: &SimFs, path: &Utf8Path, bytes: &[u8]) {
    fs.create_dir_all(path.parent().unwrap()).unwrap();
    let file = fs.open(path, OpenOptions::REPLACE).unwrap();
    file.write_all_at(bytes, 0).unwrap();
}

fn put_block(
    fs: &SimFs,
    ulid: &str,
    series: &[(&str, Vec<TestChunk>)],
    stones: &[(usize, i64, i64)],
) {
    let series: Vec<(Labels, Vec<TestChunk>)> =
        series.iter().map(|(labels, chunks)| (labels.parse().unwrap(), chunks.clone())).collect();
    let block = testing::write(ulid, 2, &series, stones);
    let dir = Utf8PathBuf::from("/prom").join(ulid);
    put(fs, &dir.join("meta.json"), &block.meta);
    put(fs, &dir.join("index"), &block.index);
    put(fs, &dir.join("chunks/000001"), &block.chunks);
    put(fs, &dir.join("tombstones"), &block.tombstones);
}

fn import(fs: &SimFs, store: &Tsdb, dir: &str, filter: Filter) -> Result<(Report, Vec<String>)> {
    let fs: Arc<dyn Fs> = Arc::new(fs.clone());
    let mut blocks = Blocks::open(&fs, dir.into(), filter.clone())?;
    let options = Options { filter, not_after: None };
    let report = fill(store, &clock(), &mut blocks, &options, &mut |_| ())?;
    Ok((report, blocks.notes))
}

fn import_fixture(name: &str) -> (String, Report) {
    let fs: Arc<dyn Fs> = Arc::new(RealFs);
    let dir = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    let mut blocks = Blocks::open(&fs, &dir, Filter::default()).unwrap();
    let store = open(&SimFs::new(1));
    let report = fill(&store, &clock(), &mut blocks, &Options::default(), &mut |_| ()).unwrap();
    (dump(&store), report)
}

#[test]
fn floats_of_a_real_prometheus() {
    let (dump, report) = import_fixture("prometheus-2.42-floats");
    let want = r#"{__name__="requests_total", code="200"} 1700000000000 1.0
{__name__="requests_total", code="200"} 1700000015123 2.5
{__name__="requests_total", code="200"} 1700000030000 NaN
{__name__="requests_total", code="500"} 1700000000000 7.0
{__name__="temp", room="ü \"x\""} 1700000000000 -1e-9
"#;
    assert_eq!((dump.as_str(), report.samples, report.blocks), (want, 5, 1));
}

/// 250 native histograms 1 s apart: counts that grow by known amounts, wider from the 100th on,
/// reset at the 200th, stale at the end. That version took no float counts, so of `nhf` there is
/// the marker of its end alone.
#[test]
fn histograms_of_a_real_prometheus() {
    let (dump, report) = import_fixture("prometheus-2.42-histograms");
    assert_eq!((report.series, report.samples), (2, 251));
    let lines: Vec<&str> = dump.lines().filter(|line| line.contains("nhi")).collect();
    let f = |at: usize, want: &str| assert!(lines[at].contains(want), "{want} in {}", lines[at]);
    f(1, "zero_count: 2.0, count: 24.0, sum: 18.25");
    f(1, "positive_buckets: [2.0, 3.0, ");
    f(150, "count: 1127.0, sum: 2737.5");
    f(150, "positive_buckets: [151.0, 152.0, 60.0, 451.0, 5.0]");
    f(200, "count: 1.0, sum: 3650.0");
    f(249, "sum: NaN, positive_spans: []");
}

#[test]
fn blocks_become_days_and_overlaps_one_series_and_deleted_samples_stay_away() {
    let fs = SimFs::new(2);
    put_block(
        &fs,
        ULIDS[0],
        &[
            ("a", vec![xor(&[(HOUR, 1.0), (2 * HOUR, 2.0)]), xor(&[(30 * HOUR, 3.0)])]),
            ("b", vec![xor(&[(HOUR, 1.0), (2 * HOUR, 2.0), (3 * HOUR, 3.0)])]),
        ],
        &[(1, 2 * HOUR, 2 * HOUR)],
    );
    put_block(&fs, ULIDS[1], &[("a", vec![xor(&[(2 * HOUR, 9.0), (4 * HOUR, 4.0)])])], &[]);
    let store = open(&fs);
    let (report, notes) = import(&fs, &store, "/prom", Filter::default()).unwrap();
    assert_eq!((report.series, report.samples, report.blocks, notes.len()), (2, 6, 2, 0));
    let want = r#"{__name__="a"} 3600000 1.0
{__name__="a"} 7200000 9.0
{__name__="a"} 14400000 4.0
{__name__="a"} 108000000 3.0
{__name__="b"} 3600000 1.0
{__name__="b"} 10800000 3.0
"#;
    assert_eq!(dump(&store), want);
    let (again, _) = import(&fs, &store, "/prom", Filter::default()).unwrap();
    assert_eq!((again.samples, again.blocks), (0, 0));
    assert_eq!(again.skipped, [(Skipped::AlreadyThere, 6)].into());
    assert_eq!(dump(&store), want);
}

#[test]
fn a_filter_leaves_the_rest_alone() {
    let fs = SimFs::new(3);
    let chunk = || vec![xor(&[(1, 1.0), (2, 2.0), (3, 3.0)])];
    put_block(&fs, ULIDS[0], &[("a", chunk()), ("b", chunk())], &[]);
    let store = open(&fs);
    let range = TimeRange { start: Millis(2), end: Millis(2) };
    let filter = Filter { selectors: vec![vec![Matcher::metric("b")]], range };
    // A block of its own is a directory too.
    import(&fs, &store, &format!("/prom/{}", ULIDS[0]), filter).unwrap();
    assert_eq!(dump(&store), "{__name__=\"b\"} 2 2.0\n");
}

#[test]
fn what_is_not_read_is_said() {
    let fs = SimFs::new(4);
    let store = open(&fs);
    let error = import(&fs, &store, "/data", Filter::default()).unwrap_err().to_string();
    assert!(error.contains("it holds no block of Prometheus"), "{error}");
    put_block(&fs, ULIDS[0], &[("a", vec![xor(&[(1, 1.0)])])], &[]);
    put_block(&fs, ULIDS[1], &[("a", vec![xor(&[(1, 1.0)])])], &[]);
    let path = Utf8PathBuf::from(format!("/prom/{}/meta.json", ULIDS[1]));
    let meta = format!(
        r#"{{"ulid":"{}","minTime":1,"maxTime":2,"compaction":{{"parents":[{{"ulid":"{}"}}]}},"version":1}}"#,
        ULIDS[1], ULIDS[0]
    );
    put(&fs, &path, meta.as_bytes());
    put(&fs, "/prom/wal/00000000".into(), b"x");
    let (report, notes) = import(&fs, &store, "/prom", Filter::default()).unwrap();
    assert_eq!((report.samples, notes.len()), (1, 2));
    assert!(notes[0].contains("/api/v1/admin/tsdb/snapshot"), "{notes:?}");
    assert!(notes[1].contains("another block replaces it"), "{notes:?}");
}

#[test]
fn damage_names_file_and_place_and_leaves_whole_days_or_nothing() {
    let f = |file: &str, at: usize, want: &str| {
        let fs = SimFs::new(5);
        put_block(&fs, ULIDS[0], &[("a", vec![xor(&[(1, 1.0), (2, 2.0)])])], &[(0, 2, 2)]);
        let path = Utf8PathBuf::from("/prom").join(ULIDS[0]).join(file);
        let mut bytes = masthead_sysio::read_to_vec(&fs, &path, 1 << 20).unwrap();
        bytes[at] ^= 4;
        put(&fs, &path, &bytes);
        let store = open(&fs);
        let error = import(&fs, &store, "/prom", Filter::default()).unwrap_err().to_string();
        assert_eq!(error, format!("{path}: {want}"));
        assert_eq!(dump(&store), "");
    };
    f("chunks/000001", 12, "corrupt chunk at byte 8");
    f("chunks/000001", 1, "corrupt header of chunks at byte 0");
    f("index", 20, "corrupt symbols at byte 5");
    f("tombstones", 6, "corrupt tombstones at byte 5");
    f("meta.json", 0, "json: expected value at line 1 column 1");
}

#[test]
fn a_chunk_file_that_is_gone_is_named() {
    let fs = SimFs::new(6);
    put_block(&fs, ULIDS[2], &[("a", vec![xor(&[(1, 1.0)])])], &[]);
    let path = Utf8PathBuf::from("/prom").join(ULIDS[2]).join("chunks/000001");
    fs.remove_file(&path).unwrap();
    let store = open(&fs);
    let error = import(&fs, &store, "/prom", Filter::default()).unwrap_err().to_string();
    assert_eq!(error, format!("{path}: the index refers to it, and it is missing"));
}
