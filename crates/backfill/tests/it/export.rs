//! A store into text and Parquet.

use bytes::Bytes;
use masthead_backfill::{Filter, export, import::Options};
use masthead_model::{Histogram, Labels, Matcher, Millis, Value, stale_nan};
use masthead_ports::{AppendBatch, AppendRow, SampleSink as _};
use masthead_sysio::SimFs;
use masthead_tsdb::Tsdb;
use parquet::{
    file::reader::{FileReader as _, SerializedFileReader},
    record::RowAccessor as _,
};

use crate::support::{NOW_MS, exporter, import, open, to_text};

fn filled(text: &str) -> (SimFs, Tsdb) {
    let fs = SimFs::new(1);
    let store = open(&fs);
    import(&fs, &store, text, &Options::default()).unwrap();
    (fs, store)
}

fn push(store: &Tsdb, labels: &str, ago_ms: i64, value: Value) {
    let labels: Labels = labels.parse().unwrap();
    let row = AppendRow { value, ..AppendRow::float(labels, Millis(NOW_MS - ago_ms), 0.0) };
    let mut batch = AppendBatch { group: 1, rows: vec![row], ..AppendBatch::default() };
    assert_eq!(store.append(&mut batch).unwrap().appended, 1);
}

#[test]
fn families_members_and_times_come_in_the_order_of_the_format() {
    // In no order that the format allows.
    let (_fs, store) = filled(
        "# TYPE lat_seconds histogram\n# UNIT lat_seconds seconds\n\
         lat_seconds_sum{x=\"b\"} 1 10\nlat_seconds_bucket{x=\"b\",le=\"+Inf\"} 2 10\n\
         lat_seconds_bucket{x=\"b\",le=\"2.0\"} 1 10\nlat_seconds_bucket{x=\"b\",le=\"10.0\"} 1 10\n\
         lat_seconds_count{x=\"b\"} 2 10\nlat_seconds_count{x=\"a\"} 7 20\n\
         lat_seconds_bucket{x=\"b\",le=\"2.0\"} 3 5\n\
         # HELP up Is it?\n# TYPE up gauge\nup 1 1700000000.001\nup 0 1700086400.5\n\
         # TYPE hits counter\nhits_created 1 7\nhits_total 3 7\nhits_total 2 6\n\
         untyped{a=\"\\\"q\\\\\\n\"} NaN 1\n# EOF\n",
    );
    let want = "\
# TYPE hits counter
hits_total 2.0 6
hits_total 3.0 7
hits_created 1.0 7
# TYPE lat_seconds histogram
# UNIT lat_seconds seconds
lat_seconds_count{x=\"a\"} 7.0 20
lat_seconds_bucket{le=\"2.0\",x=\"b\"} 3.0 5
lat_seconds_bucket{le=\"2.0\",x=\"b\"} 1.0 10
lat_seconds_bucket{le=\"10.0\",x=\"b\"} 1.0 10
lat_seconds_bucket{le=\"+Inf\",x=\"b\"} 2.0 10
lat_seconds_count{x=\"b\"} 2.0 10
lat_seconds_sum{x=\"b\"} 1.0 10
# TYPE untyped unknown
untyped{a=\"\\\"q\\\\\\n\"} NaN 1
# HELP up Is it?
# TYPE up gauge
up 1.0 1700000000.001
up 0.0 1700086400.5
# EOF
";
    let (text, report) = to_text(&store, Filter::default());
    assert_eq!(text, want);
    assert_eq!((report.series, report.samples), (10, 13));
    let only = Filter { selectors: vec![vec![Matcher::metric("up")]], ..Filter::default() };
    let (text, report) = to_text(&store, only);
    assert_eq!((text.lines().count(), report.samples), (5, 2));
}

#[test]
fn labels_that_the_format_would_rewrite_are_worth_more_than_the_type() {
    let (fs, store) = filled(
        "# TYPE h unknown\nh_bucket{le=\"1\"} 1 5\nh_count 1 5\n# TYPE h histogram\n# EOF\n",
    );
    let (text, _) = to_text(&store, Filter::default());
    assert_eq!(
        text,
        "# TYPE h_bucket unknown\nh_bucket{le=\"1\"} 1.0 5\n# TYPE h_count unknown\nh_count 1.0 5\n# EOF\n"
    );
    let again = import(&fs, &store, &text, &Options::default()).unwrap();
    assert_eq!(again.samples, 0);
}

#[test]
fn what_text_cannot_say_is_counted() {
    let fs = SimFs::new(2);
    let store = open(&fs);
    push(&store, "a", 2000, Value::Float(1.0));
    push(&store, "a", 1000, Value::Float(stale_nan()));
    push(
        &store,
        "nh",
        1000,
        Value::Histogram(Box::new(Histogram {
            count: 1.0,
            zero_count: 1.0,
            ..Histogram::default()
        })),
    );
    push(&store, "{job=\"nameless\"}", 1000, Value::Float(1.0));
    let (text, report) = to_text(&store, Filter::default());
    assert_eq!(text, "# TYPE a unknown\na 1.0 1795341598\n# EOF\n");
    assert_eq!((report.samples, report.stale, report.nameless), (1, 1, 1));
    assert_eq!(report.histograms, [("nh".to_owned(), 1)].into());
}

#[test]
fn parquet_has_a_row_for_every_sample() {
    let fs = SimFs::new(3);
    let store = open(&fs);
    for at in 0..3000 {
        push(&store, r#"a{job="x", zone="ü"}"#, 1_000_000 - at, Value::Float(0.5));
    }
    push(&store, "bare", 1000, Value::Float(f64::INFINITY));
    push(&store, "bare", 500, Value::Float(stale_nan()));
    push(
        &store,
        "nh",
        1000,
        Value::Histogram(Box::new(Histogram {
            count: 1.0,
            zero_count: 1.0,
            sum: 2.0,
            ..Histogram::default()
        })),
    );
    let mut out = Vec::new();
    let exporter = exporter(&store, Filter::default());
    let report = export::parquet(&exporter, &mut out, &mut |_| ()).unwrap();
    assert_eq!((report.series, report.samples, report.stale), (3, 3002, 1));
    let reader = SerializedFileReader::new(Bytes::from(out)).unwrap();
    let rows: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 3002);
    let labels = |at: usize| -> Vec<String> {
        let map = rows[at].get_map(1).unwrap();
        map.entries().iter().map(|(key, value)| format!("{key}={value}")).collect()
    };
    assert_eq!(labels(0), [r#""job"="x""#, r#""zone"="ü""#]);
    assert_eq!((labels(2999).len(), labels(3000).len()), (2, 0));
    assert_eq!(rows[2999].get_string(0).unwrap(), "a");
    assert_eq!(rows[2999].get_timestamp_millis(2).unwrap(), NOW_MS - 1_000_000 + 2999);
    assert_eq!(rows[3000].get_double(3).unwrap().to_bits(), f64::INFINITY.to_bits());
    assert!(rows[3001].get_double(3).is_err());
    let want = r#"{"count":"1","sum":"2","buckets":[[3,"-0","0","1"]]}"#;
    assert_eq!(rows[3001].get_string(4).unwrap(), want);
}
