//! What the store does in a run of the crash simulation.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use masthead_durable::simulation::{self, Entries, Report, Subject};
use masthead_model::{ErrorClass, Labels, Matcher, Nanos, TimeRange};
use masthead_ports::{
    LineFilter, LinePattern, LogBatch, LogColumns, LogHints, LogRejectReason, LogRow, LogSelection,
    LogSink, LogSource, LogStream, Progress, QueryCtx, QueryLimits,
};
use masthead_sysio::{Clock as _, Random};

use crate::{JournalOptions, Keep, Logdb, Options, Upkeep};

const STREAMS: usize = 4;
/// The stream of the reader that keeps its progress in the store.
const READER: usize = STREAMS;
const READER_KEY: &str = "file:/var/log/sim";
const DIR: &str = "/data/logs";
const SECOND: i64 = 1_000_000_000;
const WINDOW: i64 = 30 * SECOND;

/// Stream, time, text with metadata.
type Key = (usize, i64, String);
type World = simulation::World<Logs>;

/// Runs the simulation of `seed`.
///
/// # Errors
/// What was wrong and at which step, for the same seed always the same.
pub fn run_seed(seed: u64) -> Result<Report, String> {
    simulation::run_seed::<Logs>(seed)
}

/// Runs the simulation of seeds 0 to `seeds`, and sums up what happened.
///
/// # Errors
/// The failures of all seeds; or what happened in none of them.
pub fn run_seeds(seeds: u64) -> Result<Report, String> {
    simulation::run_seeds::<Logs>(seeds)
}

struct Logs {
    options: Options,
    /// The reader's next batch.
    next: u64,
    /// What each batch of the reader wrote.
    batches: BTreeMap<u64, Vec<(i64, String)>>,
}

impl Subject for Logs {
    type Store = Logdb;
    type Key = Key;
    type Value = ();

    const HAPPENS: &'static [&'static str] = &["duplicates", "batches of the reader"];
    const SPAN: i64 = 400 * SECOND;
    const PAUSE_MS_MAX: u64 = 20_000;

    fn new(journal: JournalOptions, random: &mut Random) -> Self {
        let options = Options {
            journal,
            window_ns: WINDOW,
            segment_bytes: 200 + random.index(400),
            buffer_bytes: 1500,
            flush_after: Duration::from_secs(200),
            merge_blocks: 3,
            merged_ns: 150 * SECOND,
            keep: Keep { span: Some(Self::SPAN), bytes: None },
            free_bytes_min: 100,
            ..Options::default()
        };
        Self { options, next: 1, batches: BTreeMap::new() }
    }

    fn open(&mut self, world: &mut World) -> Result<(Logdb, String), String> {
        let (fs, clock) = world.handles();
        let (store, report) = Logdb::open(fs, clock, DIR.into(), self.options)
            .map_err(|error| format!("cannot open: {error}"))?;
        if !report.corrupt.is_empty() {
            return Err(format!("blocks are corrupt: {:?}", report.corrupt));
        }
        Ok((store, format!("{report:?}")))
    }

    fn work(&mut self, roll: u64, world: &mut World, store: &Logdb) -> Result<(), String> {
        match roll {
            0..=14 => return append(world, store),
            15..=20 => return self.read_on(world, store),
            21..=26 => maintain(world, store),
            _ => delete(world, store),
        }
        Ok(())
    }

    fn end(&mut self, _: &mut World, _: &Logdb) {}

    /// The reader asks where it was; lines of its earlier batches must be there, as far as
    /// retention has left them. Those of later ones may be, and are sent again.
    fn restarted(&mut self, store: &Logdb, found: &Entries<Self>) -> Result<(), String> {
        let progress = store.progress("file:").map_err(|error| error.to_string())?;
        let value = progress.first().and_then(|one| one.value.as_deref());
        let done: u64 = value.and_then(|value| value.parse().ok()).unwrap_or(0);
        let newest = store.stats().max_time_ns.unwrap_or(i64::MIN);
        for (batch, lines) in &self.batches {
            for (time, line) in lines {
                let there = found.contains_key(&(READER, *time, format!("{line} {{}}")));
                let late = *time <= newest.saturating_sub(Self::SPAN.min(WINDOW));
                if *batch <= done && !there && !late {
                    return Err(format!("{line:?} is lost, and progress is {done}"));
                }
            }
        }
        self.next = done + 1;
        Ok(())
    }

    fn snapshot(&self, store: &Logdb, name: &str) -> Option<Utf8PathBuf> {
        store.make_snapshot(name).ok()
    }

    fn open_snapshot(&self, world: &World, dir: &Utf8Path) -> Option<Logdb> {
        let (fs, clock) = world.handles();
        Some(Logdb::open(fs, clock, dir, self.options).ok()?.0)
    }

    fn read(&self, world: &World, store: &Logdb) -> Result<Entries<Self>, String> {
        let ctx = QueryCtx::new(Arc::new(world.clock.clone()), QueryLimits::default());
        let selection = LogSelection {
            matchers: Vec::new(),
            range: TimeRange { start: Nanos::MIN, end: Nanos::MAX },
            hints: LogHints { metadata: true, ..LogHints::default() },
        };
        let selected = store.select(&ctx, &[selection]).map_err(|error| error.to_string())?;
        let mut found = Entries::<Self>::new();
        let mut columns = LogColumns::default();
        for selected in selected {
            for (at, part) in selected.parts.iter().enumerate() {
                let labels = selected.streams.get(part.stream).cloned().unwrap_or_default();
                let stream = labels.get("s").and_then(|s| s.parse().ok()).unwrap_or(usize::MAX);
                selected.reader.read(&ctx, at, &mut columns).map_err(|error| error.to_string())?;
                for line in 0..columns.len() {
                    let time = columns.times.get(line).copied().unwrap_or(0);
                    let metadata = columns.metadata(line).cloned().unwrap_or_default();
                    let text = String::from_utf8_lossy(columns.line(line));
                    let key = (stream, time, format!("{text} {metadata}"));
                    if found.insert(key.clone(), ()).is_some() {
                        return Err(format!("{key:?} is there twice"));
                    }
                }
            }
        }
        if ctx.warnings().is_empty() { Ok(found) } else { Err(format!("{:?}", ctx.warnings())) }
    }

    fn synced_frame(store: &Logdb) -> u64 {
        store.synced_frame()
    }

    fn stats(store: &Logdb) -> (Upkeep, Option<i64>) {
        let stats = store.stats();
        (stats.upkeep, stats.max_time_ns)
    }

    fn time(key: &Key) -> i64 {
        key.1
    }
}

impl Logs {
    /// The reader sends its next batch, or the last one again if that failed.
    fn read_on(&mut self, world: &mut World, store: &Logdb) -> Result<(), String> {
        let now = world.clock.now().0;
        let next = self.next;
        let lines = self.batches.entry(next).or_insert_with(|| {
            (0..3).map(|line| (now, format!("batch {next} line {line}"))).collect()
        });
        let rows = lines.iter().map(|(time, line)| LogRow {
            timestamp: Nanos(*time),
            line: Cow::Owned(line.clone().into_bytes()),
            structured_metadata: Labels::default(),
        });
        let streams = vec![LogStream { labels: labels(READER), rows: rows.collect() }];
        let keys = lines.iter().map(|(time, line)| (READER, *time, format!("{line} {{}}")));
        let keys = vec![keys.collect()];
        let value = Some(Arc::from(next.to_string().as_str()));
        let progress = vec![Progress { key: READER_KEY.into(), value }];
        if send(world, store, &LogBatch { streams, progress }, &keys)? {
            self.next += 1;
            world.count("batches of the reader", 1);
        }
        Ok(())
    }
}

fn append(world: &mut World, store: &Logdb) -> Result<(), String> {
    let now = world.clock.now().0;
    let mut streams = Vec::new();
    let mut keys = Vec::new();
    for _ in 0..=world.random.below(2) {
        let stream = world.random.index(STREAMS);
        let (mut rows, mut known) = (Vec::new(), Vec::new());
        for _ in 0..world.random.below(8) {
            let back = match world.random.below(6) {
                0 => i64::try_from(world.random.below(40)).unwrap_or(0) * SECOND,
                // Now and then a line that was there before.
                1 => now.rem_euclid(10 * SECOND),
                _ => 0,
            };
            let (line, metadata) = line(world);
            let time = now - back;
            known.push((stream, time, format!("{line} {metadata}")));
            rows.push(LogRow {
                timestamp: Nanos(time),
                line: Cow::Owned(line.into_bytes()),
                structured_metadata: metadata,
            });
        }
        streams.push(LogStream { labels: labels(stream), rows });
        keys.push(known);
    }
    send(world, store, &LogBatch { streams, progress: Vec::new() }, &keys).map(|_| ())
}

fn line(world: &mut World) -> (String, Labels) {
    let line = match world.random.below(4) {
        0 => String::new(),
        1 => "the same".to_owned(),
        _ => format!("item {} took {}ms", world.random.below(1000), world.random.below(9)),
    };
    let id =
        if world.random.below(3) == 0 { world.random.below(3).to_string() } else { String::new() };
    (line, Labels::from_iter([("id", id)]))
}

/// Sends a batch; returns whether it was acknowledged.
fn send(
    world: &mut World,
    store: &Logdb,
    batch: &LogBatch<'_>,
    keys: &[Vec<Key>],
) -> Result<bool, String> {
    match store.append(batch) {
        Ok(report) => {
            let frame = store.last_frame();
            let mut rejected = report.rejected.iter().peekable();
            for (stream, known) in keys.iter().enumerate() {
                for (row, key) in known.iter().enumerate() {
                    let refused = rejected.next_if(|one| (one.stream, one.row) == (stream, row));
                    match refused.map(|one| one.reason) {
                        None => world.model.acknowledged(key.clone(), (), frame),
                        Some(LogRejectReason::TooFarBehind { oldest }) if key.1 < oldest.0 => {
                            world.count("rejected", 1);
                        }
                        Some(reason) => return Err(format!("{key:?} was refused: {reason}")),
                    }
                }
            }
            let sent = keys.iter().map(Vec::len).sum::<usize>();
            if report.appended + report.duplicates + report.rejected.len() != sent {
                return Err(format!("{report:?} of {sent} lines"));
            }
            world.count("acknowledged", report.appended as u64);
            world.count("duplicates", report.duplicates as u64);
            Ok(true)
        }
        Err(error) => {
            if error.class != ErrorClass::Unavailable {
                return Err(format!("append failed for good: {error}"));
            }
            world.count("failures", 1);
            keys.iter().flatten().for_each(|key| world.model.sent(key.clone(), ()));
            Ok(false)
        }
    }
}

fn maintain(world: &mut World, store: &Logdb) {
    let done = match world.random.below(4) {
        0 => store.flush().map(|_| ()),
        1 => store.compact_once().map(|_| ()),
        2 if world.random.coin() => store.flush_all().map(|_| ()),
        _ => store.tick(),
    };
    world.done(&done);
    world.forget_expired(store);
}

fn delete(world: &mut World, store: &Logdb) {
    let now = world.clock.now().0;
    let start = now - i64::try_from(world.random.below(400)).unwrap_or(0) * SECOND;
    let end = start + i64::try_from(world.random.below(100)).unwrap_or(0) * SECOND;
    let stream = world.random.index(STREAMS);
    let range = TimeRange { start: Nanos(start), end: Nanos(end) };
    let text = if world.random.coin() { "item" } else { "" };
    let filters = [LineFilter {
        negated: false,
        any: vec![LinePattern::Literal(Arc::from(text.as_bytes()))],
    }];
    let done = store.delete(&[Matcher::equal("s", &stream.to_string())], &filters, range);
    let matches = |(one, time, line): &Key| {
        *one == stream && start <= *time && *time <= end && line.starts_with(text)
    };
    let sure = world.done(&done);
    world.model.deleted(matches, sure);
    world.count("deletions", u64::from(sure));
}

fn labels(stream: usize) -> Labels {
    Labels::from_iter([("app", "sim".to_owned()), ("s", stream.to_string())])
}
