//! What a million samples cost: CPU to take them, bytes and time to flush, to open and to read.
//!
//! `cargo run --release -p masthead-tsdb --example ingest [SERIES] [SAMPLES] [off-grid]`
//!
//! Data is like a scraped machine's: half of the series never change, the rest are counters,
//! gauges with two decimals and bucket counts; `off-grid` moves each scrape by some milliseconds.

use std::{process::ExitCode, sync::Arc, time::Duration};

use masthead_model::{Labels, Matcher, Millis, TimeRange};
use masthead_ports::{
    AppendBatch, AppendRow, Columns, QueryCtx, QueryLimits, SampleSink, SampleSource, SelectHints,
    Selection,
};
use masthead_sysio::{Clock, Random, RealClock, RealFs};
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

const HOST_SERIES: usize = 1000;
const INTERVAL_MS: i64 = 15_000;

fn main() -> ExitCode {
    print(run)
}

struct Host {
    rows: Vec<AppendRow>,
    values: Vec<f64>,
}

fn run() -> Result<String, Failure> {
    let (series, samples) = (number(1, 1000), number(2, 1000));
    let off_grid = std::env::args().any(|argument| argument == "off-grid");
    let dir = tempfile::tempdir()?;
    let path = camino::Utf8PathBuf::try_from(dir.path().to_owned())?;
    let fs = Arc::new(RealFs);
    let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
    let options = Options {
        future_ms: None,
        // So that the journal has everything when it is read.
        checkpoint_bytes: u64::MAX,
        load_threads: 2,
        ..Options::default()
    };
    let (store, _) = Tsdb::open(fs.clone(), Arc::clone(&clock), &path, options)?;
    let mut hosts: Vec<Host> = (0..series.div_ceil(HOST_SERIES))
        .map(|host| host_of(host, HOST_SERIES.min(series - host * HOST_SERIES)))
        .collect();
    let mut random = Random::new(1);
    let start = 1_704_067_200_000_i64;
    let (mut cpu, wall) = (Duration::ZERO, clock.monotonic());
    let resident = resident_kib();
    for scrape in 0..samples {
        for host in &mut hosts {
            let off = if off_grid { i64::try_from(random.below(9))? } else { 0 };
            host.advance(&mut random, start + i64::try_from(scrape)? * INTERVAL_MS + off);
            let mut batch = AppendBatch {
                group: 1,
                rows: std::mem::take(&mut host.rows),
                ..AppendBatch::default()
            };
            let before = cpu_time();
            let report = store.append(&mut batch)?;
            cpu += cpu_time().saturating_sub(before);
            if !report.rejected.is_empty() {
                return Err(format!("{:?}", report.rejected.first()).into());
            }
            host.rows = batch.rows;
        }
    }
    let wall = clock.monotonic().saturating_sub(wall);
    store.sync()?;
    let count = series * samples;
    let per = |bytes: u64| ratio(bytes, count);
    let journal = store.stats().upkeep.journal_bytes;
    let head = resident_kib().saturating_sub(resident);
    let in_head = read(&store, &clock, &Matcher::equal("job", "node"))?;
    drop(store);
    let before = clock.monotonic();
    let (store, _) = Tsdb::open(fs.clone(), Arc::clone(&clock), &path, options)?;
    let replayed = clock.monotonic().saturating_sub(before);
    let before = (clock.monotonic(), cpu_time());
    store.close()?;
    let closed = clock.monotonic().saturating_sub(before.0);
    let closed_cpu = cpu_time().saturating_sub(before.1);
    let image = store.stats().head_bytes;
    drop(store);
    let before = (clock.monotonic(), cpu_time());
    let (store, report) = Tsdb::open(fs.clone(), Arc::clone(&clock), &path, options)?;
    let loaded = clock.monotonic().saturating_sub(before.0);
    let loaded_cpu = cpu_time().saturating_sub(before.1);
    if report.samples != count as u64 {
        return Err(format!("{report:?}").into());
    }
    let before = cpu_time();
    store.flush_all()?;
    let flush = cpu_time().saturating_sub(before);
    let flushed = store.stats().upkeep.block_bytes;
    let before = cpu_time();
    while store.compact_once()? {}
    let merge = cpu_time().saturating_sub(before);
    let merged = store.stats();
    drop(store);
    let before = clock.monotonic();
    let (store, _) = Tsdb::open(fs, Arc::clone(&clock), &path, options)?;
    let opened = clock.monotonic().saturating_sub(before);
    let in_blocks = read(&store, &clock, &Matcher::equal("job", "node"))?;
    let metric = read(&store, &clock, &Matcher::metric("metric_7"))?;
    let host = read(&store, &clock, &Matcher::equal("instance", "host-0:9100"))?;
    let millions = ratio(u64::try_from(count)?, 1_000_000);
    Ok(format!(
        "samples                    {count}\n\
         append, CPU s a million    {:.3}   (wall {:.3})\n\
         flush, CPU s a million     {:.3}\n\
         merge, CPU s a million     {:.3}\n\
         journal, bytes a sample    {:.3}\n\
         blocks, bytes a sample     {:.3}   merged {:.3} ({} blocks)\n\
         head, bytes a series       {}\n\
         open with all in journal   {replayed:?}\n\
         write the head's file      {closed:?}   (CPU {closed_cpu:?}), {:.3} bytes a sample\n\
         open with the head's file  {loaded:?}   (CPU {loaded_cpu:?})\n\
         open with all in blocks    {opened:?}\n\
         everything, in the head    {in_head}\n\
         everything, in blocks      {in_blocks}\n\
         one metric of all hosts    {metric}\n\
         all series of one host     {host}",
        cpu.as_secs_f64() / millions,
        wall.as_secs_f64() / millions,
        flush.as_secs_f64() / millions,
        merge.as_secs_f64() / millions,
        per(journal),
        per(flushed),
        per(merged.upkeep.block_bytes),
        merged.upkeep.blocks,
        head * 1024 / series as u64,
        per(image),
    ))
}

fn read(store: &Tsdb, clock: &Arc<dyn Clock>, matcher: &Matcher) -> Result<String, Failure> {
    let mut best = Duration::MAX;
    let (mut series, mut samples) = (0, 0);
    for _ in 0..5 {
        let before = clock.monotonic();
        let ctx = QueryCtx::new(Arc::clone(clock), QueryLimits::default());
        let range = TimeRange { start: Millis::MIN, end: Millis::MAX };
        let selection =
            Selection { matchers: vec![matcher.clone()], range, hints: SelectHints::default() };
        let mut columns = Columns::default();
        (series, samples) = (0, 0);
        for selected in store.select(&ctx, &[selection])? {
            for at in 0..selected.labels.len() {
                selected.reader.read(&ctx, at, &mut columns)?;
                series += 1;
                samples += columns.len();
            }
        }
        best = best.min(clock.monotonic().saturating_sub(before));
    }
    Ok(format!("{best:?} for {series} series, {samples} samples"))
}

fn host_of(host: usize, series: usize) -> Host {
    let row = |at: usize| {
        let labels = Labels::from_iter([
            ("__name__", format!("metric_{at}")),
            ("instance", format!("host-{host}:9100")),
            ("job", "node".to_owned()),
            ("device", format!("dev{}", at % 13)),
            ("mode", format!("mode-{}", at % 7)),
            ("cluster", "production-eu-1".to_owned()),
        ]);
        AppendRow::float(labels, Millis(0), 0.0)
    };
    Host { rows: (0..series).map(row).collect(), values: vec![0.0; series] }
}

impl Host {
    fn advance(&mut self, random: &mut Random, time: i64) {
        for (at, (row, value)) in self.rows.iter_mut().zip(&mut self.values).enumerate() {
            let small = f64::from(u32::try_from(random.below(1000)).unwrap_or(0));
            match at % 10 {
                0 => *value += small,
                1 => *value = (*value * 100.0 + small).round() / 100.0,
                2 => *value = 40.0 + small / 100.0,
                3 if small < 300.0 => *value += 1.0,
                4 if small < 50.0 => *value = small * 4096.0,
                _ => {}
            }
            row.timestamp = Millis(time);
            row.value = masthead_model::Value::Float(*value);
        }
    }
}
