//! How long appends wait while others read and while the head becomes blocks:
//! `cargo run --release -p masthead-tsdb --example stalls [SERIES]`.
//!
//! One thread appends scrapes of 1,000 series and notes how long each took; beside it first nobody
//! works, then a reader selects everything again and again, then the head is written to its file
//! and to blocks.

use std::{
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use masthead_model::{Labels, Matcher, Millis, TimeRange, Value};
use masthead_ports::{
    AppendBatch, AppendRow, QueryCtx, QueryLimits, SampleSink, SampleSource, SelectHints, Selection,
};
use masthead_sysio::{Clock, RealClock, RealFs};
use masthead_tsdb::{Options, Tsdb};

use self::report::{Failure, number, print};

#[path = "support/report.rs"]
mod report;

const HOST_SERIES: usize = 1000;
const START: i64 = 1_704_067_200_000;

fn main() -> ExitCode {
    print(run)
}

fn run() -> Result<String, Failure> {
    let series = number(1, 200_000);
    let dir = tempfile::tempdir()?;
    let path = camino::Utf8PathBuf::try_from(dir.path().to_owned())?;
    let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
    let options = Options { future_ms: None, checkpoint_bytes: u64::MAX, ..Options::default() };
    let (store, _) = Tsdb::open(Arc::new(RealFs), Arc::clone(&clock), &path, options)?;
    let mut hosts: Vec<Vec<AppendRow>> = (0..series / HOST_SERIES).map(rows_of).collect();
    let mut time = START;
    for _ in 0..20 {
        scrape(&store, &clock, &mut hosts, &mut time)?;
    }
    let alone = scrape(&store, &clock, &mut hosts, &mut time)?;
    let read = beside(&store, &clock, &mut hosts, &mut time, &|| select(&store, &clock))?;
    let saved = beside(&store, &clock, &mut hosts, &mut time, &|| Ok(store.checkpoint()?))?;
    // Far enough that a block is due.
    time += 4 * 3_600_000;
    scrape(&store, &clock, &mut hosts, &mut time)?;
    let flushed =
        beside(&store, &clock, &mut hosts, &mut time, &|| Ok(store.flush().map(drop)?))?;
    Ok(format!(
        "appends of {HOST_SERIES} samples       median      99 %      longest\n\
         alone                      {}\n\
         beside a reader            {}\n\
         beside a checkpoint        {}\n\
         beside a flush             {}",
        figures(alone),
        figures(read),
        figures(saved),
        figures(flushed)
    ))
}

/// Appends while another thread works, until it has worked once after a while.
fn beside(
    store: &Tsdb,
    clock: &Arc<dyn Clock>,
    hosts: &mut [Vec<AppendRow>],
    time: &mut i64,
    work: &(dyn Fn() -> Result<(), Failure> + Sync),
) -> Result<Vec<Duration>, Failure> {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let started = clock.monotonic();
            let mut worked = work();
            while worked.is_ok()
                && clock.monotonic().saturating_sub(started) < Duration::from_secs(3)
            {
                worked = work();
            }
            done.store(true, Ordering::Relaxed);
            worked
        });
        let mut took = Vec::new();
        while !done.load(Ordering::Relaxed) {
            took.extend(scrape(store, clock, hosts, time)?);
        }
        worker.join().map_err(|_| "the worker panicked")??;
        Ok(took)
    })
}

fn scrape(
    store: &Tsdb,
    clock: &Arc<dyn Clock>,
    hosts: &mut [Vec<AppendRow>],
    time: &mut i64,
) -> Result<Vec<Duration>, Failure> {
    *time += 1_000;
    let mut took = Vec::new();
    for rows in hosts {
        for row in rows.iter_mut() {
            row.timestamp = Millis(*time);
            row.value = Value::Float(f64::from(u32::try_from(*time % 60_000)?));
        }
        let mut batch =
            AppendBatch { group: 1, rows: std::mem::take(rows), ..AppendBatch::default() };
        let before = clock.monotonic();
        store.append(&mut batch)?;
        took.push(clock.monotonic().saturating_sub(before));
        *rows = batch.rows;
    }
    Ok(took)
}

fn select(store: &Tsdb, clock: &Arc<dyn Clock>) -> Result<(), Failure> {
    let ctx = QueryCtx::new(Arc::clone(clock), QueryLimits::default());
    let range = TimeRange { start: Millis::MIN, end: Millis::MAX };
    let matchers = vec![Matcher::equal("job", "node")];
    let selection = Selection { matchers, range, hints: SelectHints::default() };
    store.select(&ctx, &[selection])?;
    Ok(())
}

fn rows_of(host: usize) -> Vec<AppendRow> {
    let row = |at: usize| {
        let labels = Labels::from_iter([
            ("__name__", format!("metric_{at}")),
            ("instance", format!("host-{host}:9100")),
            ("job", "node".to_owned()),
        ]);
        AppendRow::float(labels, Millis(0), 0.0)
    };
    (0..HOST_SERIES).map(row).collect()
}

fn figures(mut took: Vec<Duration>) -> String {
    took.sort_unstable();
    let at = |part: usize| took.get((took.len() - 1) * part / 100).copied().unwrap_or_default();
    format!("{:>9.2?} {:>9.2?} {:>9.2?}", at(50), at(99), at(100))
}
