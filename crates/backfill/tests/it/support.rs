//! A store on a simulated disk, what is in it, and text into and out of it.

use std::{fmt::Write as _, sync::Arc, time::Duration};

use masthead_backfill::{
    Filter, Result, export,
    export::Exporter,
    import::{Options, Report, openmetrics},
};
use masthead_model::{Millis, TimeRange};
use masthead_ports::{Columns, QueryCtx, QueryLimits, SampleSource as _, SelectHints, Selection};
use masthead_sysio::{Clock, Fs as _, SimClock, SimFs, UnixNanos};
use masthead_tsdb::Tsdb;

/// 2026-11-22, after all samples of these tests.
pub(crate) const NOW_MS: i64 = 1_795_341_600_000;

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(SimClock::new(UnixNanos(NOW_MS * 1_000_000)))
}

pub(crate) fn open(fs: &SimFs) -> Tsdb {
    let options = masthead_tsdb::Options::default();
    Tsdb::open(Arc::new(fs.clone()), clock(), "/data/metrics".into(), options).unwrap().0
}

pub(crate) fn import(fs: &SimFs, store: &Tsdb, text: &str, options: &Options) -> Result<Report> {
    import_sorted_in(fs, store, text, options, usize::MAX)
}

pub(crate) fn import_sorted_in(
    fs: &SimFs,
    store: &Tsdb,
    text: &str,
    options: &Options,
    sort_bytes: usize,
) -> Result<Report> {
    let place = openmetrics::Place {
        store,
        fs: Arc::new(fs.clone()),
        clock: clock(),
        scratch: "/data/import.tmp".into(),
        sort_bytes,
    };
    let done = openmetrics::import(&place, text.as_bytes(), None, options, &mut |_| ());
    assert!(fs.metadata("/data/import.tmp".into()).is_err(), "nothing stays behind");
    done
}

pub(crate) fn exporter(store: &Tsdb, filter: Filter) -> Exporter<'_> {
    Exporter { source: store, clock: clock(), filter, bounds: Some((0, NOW_MS)) }
}

pub(crate) fn to_text(store: &Tsdb, filter: Filter) -> (String, export::Report) {
    let mut out = Vec::new();
    let report = export::openmetrics(&exporter(store, filter), &mut out, &mut |_| ()).unwrap();
    (String::from_utf8(out).unwrap(), report)
}

/// Every sample, a line each, in the order of labels and times.
pub(crate) fn dump(store: &Tsdb) -> String {
    let limits = QueryLimits { timeout: Duration::MAX, samples: u64::MAX };
    let ctx = QueryCtx::new(clock(), limits);
    let range = TimeRange { start: Millis::MIN, end: Millis::MAX };
    let selection = Selection { matchers: vec![], range, hints: SelectHints::default() };
    let mut columns = Columns::default();
    let mut out = String::new();
    for selected in store.select(&ctx, &[selection]).unwrap() {
        for (at, labels) in selected.labels.iter().enumerate() {
            selected.reader.read(&ctx, at, &mut columns).unwrap();
            for (time, value) in columns.float_times.iter().zip(&columns.floats) {
                writeln!(out, "{labels} {time} {value:?}").unwrap();
            }
            for (time, histogram) in columns.histogram_times.iter().zip(&columns.histograms) {
                writeln!(out, "{labels} {time} {histogram:?}").unwrap();
            }
        }
    }
    assert_eq!(ctx.warnings(), [""; 0]);
    out
}
