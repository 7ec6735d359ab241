//! What appends cost when several threads make them: wall and CPU seconds a million samples, and
//! the memory of the head.
//!
//! `cargo run --release -p masthead-tsdb --example writers [SERIES] [SCRAPES] [WRITERS] [push]`
//!
//! Each writer has targets of 1,000 series of its own; `push` mixes ten targets in a batch and
//! names no group, as remote write does.

use std::{process::ExitCode, sync::Arc, time::Duration};

use masthead_model::{Labels, Millis, Value};
use masthead_ports::{AppendBatch, AppendRow, SampleSink};
use masthead_sysio::{Clock, RealClock, RealFs};
use masthead_tsdb::{Options, Tsdb};

use self::{
    cpu::cpu_time,
    process::{ratio, resident_kib},
    report::{Failure, number, print},
};

#[path = "support/cpu.rs"]
mod cpu;
#[path = "support/process.rs"]
mod process;
#[path = "support/report.rs"]
mod report;

const TARGET_SERIES: usize = 1000;
const PUSHED_TARGETS: usize = 10;
const START: i64 = 1_704_067_200_000;

fn main() -> ExitCode {
    print(run)
}

fn run() -> Result<String, Failure> {
    let (series, scrapes, writers) = (number(1, 100_000), number(2, 100), number(3, 1));
    let pushed = std::env::args().any(|argument| argument == "push");
    let dir = tempfile::tempdir()?;
    let path = camino::Utf8PathBuf::try_from(dir.path().to_owned())?;
    let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
    let options = Options { future_ms: None, checkpoint_bytes: u64::MAX, ..Options::default() };
    let (store, _) = Tsdb::open(Arc::new(RealFs), Arc::clone(&clock), &path, options)?;
    let targets = series.div_ceil(TARGET_SERIES);
    let mut batches: Vec<Vec<AppendBatch>> = (0..writers).map(|_| Vec::new()).collect();
    let together = if pushed { PUSHED_TARGETS } else { 1 };
    for (at, first) in (0..targets).step_by(together).enumerate() {
        let rows = (first..targets.min(first + together)).flat_map(target).collect();
        let group = if pushed { 0 } else { 1 + at as u64 };
        let writer = at % writers;
        if let Some(of) = batches.get_mut(writer) {
            of.push(AppendBatch { group, rows, ..AppendBatch::default() });
        }
    }
    let resident = resident_kib();
    let first = scrape_all(&store, &clock, &mut batches, 0..1)?;
    let rest = scrape_all(&store, &clock, &mut batches, 1..scrapes)?;
    store.sync()?;
    let head = resident_kib().saturating_sub(resident);
    let millions = |scrapes: usize| ratio(targets * TARGET_SERIES * scrapes, 1_000_000);
    let journal = store.stats().upkeep.journal_bytes;
    Ok(format!(
        "{writers} writers        wall s      CPU s      of a million samples\n\
         new series     {:.3}       {:.3}\n\
         then           {:.3}       {:.3}\n\
         head, bytes a series {:.0}, resident MiB {:.0}, journal bytes a sample {:.3}",
        first.0.as_secs_f64() / millions(1),
        first.1.as_secs_f64() / millions(1),
        rest.0.as_secs_f64() / millions(scrapes - 1),
        rest.1.as_secs_f64() / millions(scrapes - 1),
        ratio(head * 1024, series),
        ratio(resident_kib(), 1024),
        ratio(usize::try_from(journal)?, targets * TARGET_SERIES * scrapes),
    ))
}

/// Wall and CPU time of appending some scrapes of all targets.
fn scrape_all(
    store: &Tsdb,
    clock: &Arc<dyn Clock>,
    batches: &mut [Vec<AppendBatch>],
    scrapes: std::ops::Range<usize>,
) -> Result<(Duration, Duration), Failure> {
    let before = (clock.monotonic(), cpu_time());
    std::thread::scope(|scope| {
        let write = |batches: &mut Vec<AppendBatch>| -> Result<(), Failure> {
            for scrape in scrapes.clone() {
                for batch in &mut *batches {
                    advance(&mut batch.rows, scrape)?;
                    let report = store.append(batch)?;
                    if let Some((_, reason)) = report.rejected.first() {
                        return Err(reason.to_string().into());
                    }
                }
            }
            Ok(())
        };
        let threads: Vec<_> =
            batches.iter_mut().map(|some| scope.spawn(move || write(some))).collect();
        threads.into_iter().try_for_each(|thread| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    })?;
    Ok((clock.monotonic().saturating_sub(before.0), cpu_time().saturating_sub(before.1)))
}

fn target(number: usize) -> impl Iterator<Item = AppendRow> {
    (0..TARGET_SERIES).map(move |at| {
        let labels = Labels::from_iter([
            ("__name__", format!("metric_{at}")),
            ("instance", format!("host-{number}:9100")),
            ("job", "node".to_owned()),
            ("device", format!("dev{}", at % 13)),
            ("mode", format!("mode-{}", at % 7)),
            ("cluster", "production-eu-1".to_owned()),
        ]);
        AppendRow::float(labels, Millis(0), 0.0)
    })
}

/// Half of the series never change, the rest count or go up and down.
fn advance(rows: &mut [AppendRow], scrape: usize) -> Result<(), Failure> {
    let time = START + i64::try_from(scrape)? * 15_000;
    for (at, row) in rows.iter_mut().enumerate() {
        let small = f64::from(u32::try_from((at * 7 + scrape * 13) % 101)?);
        row.timestamp = Millis(time);
        match (&mut row.value, at % 10) {
            (Value::Float(value), 0..3) => *value += small,
            (Value::Float(value), 3..5) => *value = 40.0 + small / 100.0,
            _ => {}
        }
    }
    Ok(())
}
