//! A small store with some of everything, always the same: what `testdata/format/` is made of.

use std::sync::Arc;

use camino::Utf8Path;
use masthead_model::{Histogram, Labels, Matcher, Millis, Span, TimeRange, Value, stale_nan};
use masthead_ports::{AppendBatch, AppendRow, Exemplar, Metadata, MetricType, SampleSink};
use masthead_sysio::{Fs, SimClock, UnixNanos};

use crate::{Error, JournalOptions, Options, Result, Tsdb};

const START: i64 = 1_704_067_200_000;
const MINUTE: i64 = 60_000;
const MINUTES: i64 = 330;

/// Writes the store to `dir`: blocks with tombstones, a checkpoint, a journal with what is newer.
///
/// # Errors
/// Those of the store.
pub fn write_testdata(fs: Arc<dyn Fs>, dir: &Utf8Path) -> Result<()> {
    let clock = Arc::new(SimClock::new(UnixNanos((START + 1000 * MINUTE) * 1_000_000)));
    // So small that what is in blocks and what is newer are in two segments.
    let journal = JournalOptions { segment_bytes: 4_000, ..JournalOptions::default() };
    let (store, _) = Tsdb::open(fs, clock, dir, Options { journal, ..Options::default() })?;
    for minute in 0..MINUTES {
        let mut batch = AppendBatch { group: 1, rows: rows(minute), ..AppendBatch::default() };
        if minute == 0 {
            batch.metadata.push(Metadata {
                family: "requests_total".into(),
                metric_type: MetricType::Counter,
                help: "Requests that were answered.".into(),
                unit: "".into(),
            });
        }
        if let Err(error) = store.append(&mut batch) {
            return Err(std::io::Error::other(error).into());
        }
    }
    store.flush()?;
    let range = TimeRange { start: Millis(START + 10 * MINUTE), end: Millis(START + 19 * MINUTE) };
    store.delete(&[vec![Matcher::metric("temperature")]], range)?;
    store.sync()?;
    Ok::<_, Error>(())
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
pub(super) fn rows(minute: i64) -> Vec<AppendRow> {
    let time = Millis(START + minute * MINUTE + minute % 3);
    let row = |name: &str, value: f64| {
        let labels = Labels::from_iter([("__name__", name), ("job", "tést")]);
        AppendRow::float(labels, time, value)
    };
    let counter = AppendRow {
        start: Some(Millis(START - 5)),
        exemplars: (minute % 100 == 7)
            .then(|| Exemplar {
                labels: Labels::from_iter([("trace_id", minute.to_string())]),
                value: 0.25,
                timestamp: None,
            })
            .into_iter()
            .collect(),
        ..row("requests_total", (minute * minute) as f64)
    };
    let temperature = row("temperature", 20.0 + ((minute * 37) % 100) as f64 / 100.0);
    let histogram = Histogram {
        count: (3 * minute) as f64,
        sum: minute as f64 * 1.1,
        positive_spans: vec![Span { offset: 0, length: 2 }],
        positive_buckets: vec![minute as f64, 2.0 * minute as f64],
        ..Histogram::default()
    };
    let latency = AppendRow { value: Value::Histogram(Box::new(histogram)), ..row("latency", 0.0) };
    let noise = match minute {
        100 => stale_nan(),
        _ => f64::from_bits(0x3ff0_0000_0000_0000 | (minute * 0x1234_5678_9abc).cast_unsigned()),
    };
    let mut late = row("noise", noise);
    if minute % 50 == 49 {
        // Between others of its series.
        late.timestamp = Millis(time.0 - 90_000);
    }
    vec![counter, temperature, latency, late]
}
