//! What a gigabyte of logs costs: CPU to take it, bytes and time to flush and merge, to open and
//! to search.
//!
//! `cargo run --release -p masthead-logdb --example ingest [MEGABYTES] [SEGMENT_KIB] [LEVEL]`
//!
//! 60 % of the bytes are access logs in JSON with unique request ids, 40 % are lines as daemons
//! write them, in 60 streams over 6 hours; seeds are fixed, so that figures can be compared.

use std::{borrow::Cow, process::ExitCode, sync::Arc, time::Duration};

use masthead_logdb::{Logdb, Options};
use masthead_model::{Labels, Matcher, Nanos, TimeRange};
use masthead_ports::{
    LineColumn, LineFilter, LinePattern, LogBatch, LogColumns, LogHints, LogRow, LogSelection,
    LogSink, LogSource, LogStream, QueryCtx, QueryLimits,
};
use masthead_sysio::{Clock, Random, RealClock, RealFs};

use self::{
    corpus::Corpus,
    process::{proc, ratio, resident_kib},
    report::{Failure, number, print},
};

#[path = "ingest/corpus.rs"]
mod corpus;
#[path = "../../tsdb/examples/support/process.rs"]
mod process;
#[path = "../../tsdb/examples/support/report.rs"]
mod report;

fn main() -> ExitCode {
    print(run)
}

fn run() -> Result<String, Failure> {
    let wanted = number(1, 200) * 1_000_000;
    let options = Options {
        segment_bytes: number(2, 1024) << 10,
        level: i32::try_from(number(3, 3))?,
        ..Options::default()
    };
    let dir = tempfile::tempdir()?;
    let path = camino::Utf8PathBuf::try_from(dir.path().to_owned())?;
    let fs = Arc::new(RealFs);
    let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
    let (store, _) = Logdb::open(fs.clone(), Arc::clone(&clock), &path, options)?;
    let mut corpus = Corpus::new(Random::new(1), wanted);
    let (mut cpu, mut lines, mut bytes, mut peak) = (Duration::ZERO, 0, 0, 0);
    let level = Labels::from_iter([("detected_level", "info")]);
    let resident = resident_kib();
    while bytes < wanted {
        let batch = corpus.batch();
        let count: usize = batch.iter().map(|(_, rows)| rows.len()).sum();
        let streams = batch
            .iter()
            .map(|(labels, rows)| LogStream {
                labels: labels.clone(),
                rows: rows
                    .iter()
                    .map(|(time, line)| LogRow {
                        timestamp: Nanos(*time),
                        line: Cow::Borrowed(line.as_bytes()),
                        structured_metadata: level.clone(),
                    })
                    .collect(),
            })
            .collect();
        let before = cpu_time();
        let report = store.append(&LogBatch { streams, progress: Vec::new() })?;
        store.tick()?;
        cpu += cpu_time().saturating_sub(before);
        if report.appended != count {
            return Err(format!("{report:?} of {count}").into());
        }
        lines += count;
        bytes += batch.iter().flat_map(|(_, rows)| rows).map(|(_, line)| line.len()).sum::<usize>();
        peak = peak.max(resident_kib());
    }
    let loaded = resident_kib();
    store.sync()?;
    let before = cpu_time();
    store.flush_all()?;
    while store.compact_once()? {}
    cpu += cpu_time().saturating_sub(before);
    let stats = store.stats();
    drop(store);
    let before = clock.monotonic();
    let (store, _) = Logdb::open(fs, Arc::clone(&clock), &path, options)?;
    let opened = clock.monotonic().saturating_sub(before);
    let idle = resident_kib();
    let gigabytes = ratio(bytes, 1_000_000_000);
    let mut text = format!(
        "lines {lines}, bytes {bytes}\n\
         append, flush, merge, CPU s a GB   {:.2}\n\
         raw : disk                         {:.2}   ({} blocks, {} bytes)\n\
         resident: peak {peak} KiB, loaded {loaded}, opened again {idle}, before {resident}\n\
         open with all in blocks            {opened:?}\n",
        cpu.as_secs_f64() / gigabytes,
        ratio(bytes, usize::try_from(stats.upkeep.block_bytes)?),
        stats.upkeep.blocks,
        stats.upkeep.block_bytes,
    );
    let id = corpus.some_id.clone();
    let literal = |text: &str| LinePattern::Literal(Arc::from(text.as_bytes()));
    let regexp = |text: &str| LinePattern::Regexp(Arc::from(text));
    for (name, filter) in [
        ("one request id", Some(literal(&id))),
        ("an id that is not there", Some(literal("01234567-89ab-4cde-8f01-23456789abcd"))),
        ("a piece of no id", Some(literal("ffffffff-dead-4bad"))),
        ("a rare phrase", Some(literal("possible break-in attempt"))),
        ("error", Some(literal("error"))),
        ("(?i)error", Some(regexp("(?i)error"))),
        ("everything", None),
    ] {
        let filters =
            filter.into_iter().map(|one| LineFilter { negated: false, any: vec![one] }).collect();
        let hints = LogHints { filters, ..LogHints::default() };
        text.push_str(&search(&store, &clock, (name, &hints), bytes)?);
    }
    let hints = LogHints { lines: LineColumn::Length, ..LogHints::default() };
    text.push_str(&search(&store, &clock, ("how long lines are", &hints), bytes)?);
    let members = Some(Arc::from(["level".into()]));
    let hints = LogHints { members, ..LogHints::default() };
    text.push_str(&search(&store, &clock, ("one member of JSON", &hints), bytes)?);
    Ok(text)
}

fn search(
    store: &Logdb,
    clock: &Arc<dyn Clock>,
    (name, hints): (&str, &LogHints),
    bytes: usize,
) -> Result<String, Failure> {
    let (mut best, mut lines, mut parts) = (Duration::MAX, 0, 0);
    for _ in 0..3 {
        let limits = QueryLimits { samples: u64::MAX, ..QueryLimits::default() };
        let ctx = QueryCtx::new(Arc::clone(clock), limits);
        let selection = LogSelection {
            matchers: vec![Matcher::not_equal("app", "")],
            range: TimeRange { start: Nanos::MIN, end: Nanos::MAX },
            hints: hints.clone(),
        };
        let before = cpu_time();
        let mut columns = LogColumns::default();
        lines = 0;
        for selected in store.select(&ctx, &[selection])? {
            parts = selected.parts.len();
            for at in 0..parts {
                selected.reader.read(&ctx, at, &mut columns)?;
                lines += columns.len();
            }
        }
        best = best.min(cpu_time().saturating_sub(before));
    }
    let speed = ratio(bytes, 1_000_000) / best.as_secs_f64();
    Ok(format!("{name:<26} {lines:>8} lines {parts:>5} parts {best:>12.3?}  {speed:.0} MB/s\n"))
}

/// CPU time of the only thread that works.
fn cpu_time() -> Duration {
    let stat = proc("/proc/self/schedstat");
    let nanos = stat.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0);
    Duration::from_nanos(nanos)
}
