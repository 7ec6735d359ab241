//! One run: what is done, in which order, and what is then expected.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    io,
    sync::Arc,
    time::Duration,
};

use masthead_model::{ErrorClass, Labels, Matcher, Nanos, TimeRange};
use masthead_ports::{
    LineFilter, LinePattern, LogBatch, LogColumns, LogHints, LogRejectReason, LogRow, LogSelection,
    LogSink, LogSource, LogStream, Progress, QueryCtx, QueryLimits,
};
use masthead_sysio::{Clock, Fs as _, Random, SimClock, SimFs};

use super::model::{Key, Model};
use crate::{JournalOptions, Keep, Logdb, OpenReport, Options, SyncPolicy};

const STREAMS: usize = 4;
/// The stream of the reader that keeps its progress in the store.
const READER: usize = STREAMS;
const READER_KEY: &str = "file:/var/log/sim";
const DIR: &str = "/data/logs";
const STEPS: usize = 70;
const CAPACITY: u64 = 64 << 20;
const SECOND: i64 = 1_000_000_000;
/// What retention keeps.
const SPAN: i64 = 400 * SECOND;
const WINDOW: i64 = 30 * SECOND;

/// What a run did, so that a caller can see that it did something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Lines that were acknowledged.
    pub acknowledged: u64,
    /// Lines that were there already.
    pub duplicates: u64,
    /// Lines that were refused by a rule.
    pub rejected: u64,
    /// Batches and other calls that failed because of the disk.
    pub failures: u64,
    /// Times that the process was killed.
    pub kills: u64,
    /// Times that the power was cut.
    pub power_cuts: u64,
    /// Blocks written from memory.
    pub flushes: u64,
    /// Blocks written from others.
    pub merges: u64,
    /// Deletions that were acknowledged.
    pub deletions: u64,
    /// Blocks that retention deleted.
    pub expired: u64,
    /// Batches of the reader that were acknowledged.
    pub read: u64,
    /// Snapshots that were opened and compared.
    pub snapshots: u64,
    /// Lines that were read and compared.
    pub compared: u64,
}

/// Runs the simulation of `seed`.
///
/// # Errors
/// What was wrong and at which step, for the same seed always the same.
pub fn run_seed(seed: u64) -> Result<Report, String> {
    let mut run = Run::start(seed)?;
    for step in 0..STEPS {
        run.step().map_err(|error| format!("seed {seed}, step {step}: {error}"))?;
    }
    run.restart(false).map_err(|error| format!("seed {seed}, at the end: {error}"))?;
    Ok(run.report)
}

struct Run {
    random: Random,
    clock: SimClock,
    fs: SimFs,
    options: Options,
    store: Option<Arc<Logdb>>,
    model: Model,
    /// The reader's next batch.
    next: u64,
    /// What each batch of the reader wrote.
    batches: BTreeMap<u64, Vec<(i64, String)>>,
    report: Report,
    /// Something was made to fail since the store was opened, so that a sync may have.
    faulty: bool,
    opened: OpenReport,
}

impl Run {
    fn start(seed: u64) -> Result<Self, String> {
        let mut random = Random::new(seed);
        let clock = SimClock::default();
        let fs = SimFs::with_clock(random.next_u64(), Arc::new(clock.clone()));
        fs.set_capacity(CAPACITY);
        let interval = SyncPolicy::Interval(Duration::from_secs(random.below(40)));
        let sync = if random.coin() { SyncPolicy::Always } else { interval };
        let journal =
            JournalOptions { sync, segment_bytes: 500 + random.below(3000), ..Default::default() };
        let options = Options {
            journal,
            window_ns: WINDOW,
            segment_bytes: 200 + random.index(400),
            buffer_bytes: 1500,
            flush_after: Duration::from_secs(200),
            merge_blocks: 3,
            merged_ns: 150 * SECOND,
            keep: Keep { span: Some(SPAN), bytes: None },
            free_bytes_min: 100,
            ..Options::default()
        };
        let mut run = Self {
            random,
            clock,
            fs,
            options,
            store: None,
            model: Model::default(),
            next: 1,
            batches: BTreeMap::new(),
            report: Report::default(),
            faulty: false,
            opened: OpenReport::default(),
        };
        run.open()?;
        Ok(run)
    }

    fn step(&mut self) -> Result<(), String> {
        self.clock.advance(Duration::from_millis(self.random.below(20_000)));
        match self.random.below(40) {
            0..=14 => self.append()?,
            15..=20 => self.read_on()?,
            21..=26 => self.maintain()?,
            27 => self.delete()?,
            28 if self.random.coin() => self.snapshot()?,
            28 => self.check("while it runs")?,
            29 | 30 => self.restart(false)?,
            31 | 32 => self.restart(true)?,
            33 => {
                let far = i64::try_from(self.random.below(120)).unwrap_or(0) - 60;
                self.clock.step(far * SECOND);
            }
            34 => self.fs.set_capacity(self.random.below(40_000)),
            35 => self.fs.set_capacity(CAPACITY),
            36 => self.fail(false),
            37 | 38 => self.fail(true),
            _ => {
                self.fs.short_reads(true);
                self.check("with short reads")?;
            }
        }
        Ok(())
    }

    /// Lets one operation fail, or all from one on, until the next restart.
    fn fail(&mut self, all: bool) {
        let kinds = [io::ErrorKind::Other, io::ErrorKind::StorageFull];
        let kind = *kinds.get(self.random.index(2)).unwrap_or(&io::ErrorKind::Other);
        let nth = 1 + self.random.below(60);
        self.faulty = true;
        if all {
            self.fs.fail_from(nth, kind);
        } else {
            self.fs.fail_nth(nth, kind);
        }
    }

    fn append(&mut self) -> Result<(), String> {
        let now = self.clock.now().0;
        let mut streams = Vec::new();
        let mut keys = Vec::new();
        for _ in 0..=self.random.below(2) {
            let stream = self.random.index(STREAMS);
            let (mut rows, mut known) = (Vec::new(), Vec::new());
            for _ in 0..self.random.below(8) {
                let back = match self.random.below(6) {
                    0 => i64::try_from(self.random.below(40)).unwrap_or(0) * SECOND,
                    // Now and then a line that was there before.
                    1 => now.rem_euclid(10 * SECOND),
                    _ => 0,
                };
                let (line, metadata) = self.line();
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
        self.send(&LogBatch { streams, progress: Vec::new() }, &keys).map(|_| ())
    }

    fn line(&mut self) -> (String, Labels) {
        let line = match self.random.below(4) {
            0 => String::new(),
            1 => "the same".to_owned(),
            _ => format!("item {} took {}ms", self.random.below(1000), self.random.below(9)),
        };
        let id = if self.random.below(3) == 0 {
            self.random.below(3).to_string()
        } else {
            String::new()
        };
        (line, Labels::from_iter([("id", id)]))
    }

    /// Sends a batch; returns whether it was acknowledged.
    fn send(&mut self, batch: &LogBatch<'_>, keys: &[Vec<Key>]) -> Result<bool, String> {
        let store = self.store()?;
        match store.append(batch) {
            Ok(report) => {
                let frame = store.last_frame();
                let mut rejected = report.rejected.iter().peekable();
                for (stream, known) in keys.iter().enumerate() {
                    for (row, key) in known.iter().enumerate() {
                        let refused =
                            rejected.next_if(|one| (one.stream, one.row) == (stream, row));
                        match refused.map(|one| one.reason) {
                            None => self.model.acknowledged(key.clone(), frame),
                            Some(LogRejectReason::TooFarBehind { oldest }) if key.1 < oldest.0 => {
                                self.report.rejected += 1;
                            }
                            Some(reason) => return Err(format!("{key:?} was refused: {reason}")),
                        }
                    }
                }
                let sent = keys.iter().map(Vec::len).sum::<usize>();
                if report.appended + report.duplicates + report.rejected.len() != sent {
                    return Err(format!("{report:?} of {sent} lines"));
                }
                self.report.acknowledged += report.appended as u64;
                self.report.duplicates += report.duplicates as u64;
                Ok(true)
            }
            Err(error) => {
                if error.class != ErrorClass::Unavailable {
                    return Err(format!("append failed for good: {error}"));
                }
                self.report.failures += 1;
                keys.iter().flatten().for_each(|key| self.model.sent(key.clone()));
                Ok(false)
            }
        }
    }

    /// The reader sends its next batch, or the last one again if that failed.
    fn read_on(&mut self) -> Result<(), String> {
        let now = self.clock.now().0;
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
        if self.send(&LogBatch { streams, progress }, &keys)? {
            self.next += 1;
            self.report.read += 1;
        }
        Ok(())
    }

    fn maintain(&mut self) -> Result<(), String> {
        let store = self.store()?;
        let done = match self.random.below(4) {
            0 => store.flush().map(|_| ()),
            1 => store.compact_once().map(|_| ()),
            2 if self.random.coin() => store.flush_all().map(|_| ()),
            _ => store.tick(),
        };
        self.report.failures += u64::from(done.is_err());
        self.forget_expired(&store);
        Ok(())
    }

    /// What retention may have deleted may be gone.
    fn forget_expired(&mut self, store: &Logdb) {
        let newest = store.stats().max_time_ns.into_iter().chain(self.model.newest()).max();
        if let Some(newest) = newest {
            self.model.may_be_gone(|(_, time, _)| *time <= newest - SPAN);
        }
    }

    fn delete(&mut self) -> Result<(), String> {
        let store = self.store()?;
        let now = self.clock.now().0;
        let start = now - i64::try_from(self.random.below(400)).unwrap_or(0) * SECOND;
        let end = start + i64::try_from(self.random.below(100)).unwrap_or(0) * SECOND;
        let stream = self.random.index(STREAMS);
        let range = TimeRange { start: Nanos(start), end: Nanos(end) };
        let text = if self.random.coin() { "item" } else { "" };
        let filters = [LineFilter {
            negated: false,
            any: vec![LinePattern::Literal(Arc::from(text.as_bytes()))],
        }];
        let done = store.delete(&[Matcher::equal("s", &stream.to_string())], &filters, range);
        let matches = |(one, time, line): &Key| {
            *one == stream && start <= *time && *time <= end && line.starts_with(text)
        };
        self.model.deleted(matches, done.is_ok());
        self.report.deletions += u64::from(done.is_ok());
        self.report.failures += u64::from(done.is_err());
        Ok(())
    }

    fn snapshot(&mut self) -> Result<(), String> {
        let store = self.store()?;
        let name = format!("s{}", self.random.next_u64());
        let Ok(dir) = store.make_snapshot(&name) else {
            self.report.failures += 1;
            return Ok(());
        };
        let (fs, clock) = (Arc::new(self.fs.clone()), Arc::new(self.clock.clone()));
        if let Ok((copy, _)) = Logdb::open(fs, clock, &dir, self.options)
            && let Ok(found) = self.read(&copy)
        {
            self.model.check(&found).map_err(|error| format!("snapshot: {error}"))?;
            self.report.snapshots += 1;
        }
        drop(self.fs.remove_dir_all(&dir));
        Ok(())
    }

    /// Ends the process, perhaps with the machine, and opens the store again.
    fn restart(&mut self, power: bool) -> Result<(), String> {
        let mut synced = u64::MAX;
        if let Some(store) = self.store.take() {
            synced = store.synced_frame();
            if power || self.faulty {
                self.model.power_lost(synced);
            }
            self.forget_expired(&store);
            let stats = store.stats();
            self.report.flushes += stats.upkeep.flushes_total;
            self.report.merges += stats.upkeep.merges_total;
            self.report.expired += stats.upkeep.retention_deleted_total;
        }
        if power {
            self.report.power_cuts += 1;
            self.fs = self.fs.crash();
        } else {
            self.report.kills += 1;
            self.fs = self.fs.kill();
        }
        self.fs.set_capacity(CAPACITY);
        self.faulty = false;
        while self.random.below(4) == 0 {
            // The power goes, or something fails, while the store is being opened.
            self.fs.fail_from(1 + self.random.below(40), io::ErrorKind::Other);
            drop(self.open());
            self.store = None;
            if self.random.coin() {
                self.model.power_lost(synced);
                self.fs = self.fs.crash();
            } else {
                self.fs = self.fs.kill();
            }
        }
        self.open()?;
        self.check("after a restart")?;
        let store = self.store()?;
        let found = self.read(&store)?;
        self.model.settle(&found);
        self.go_on_reading(&store, &found)
    }

    /// The reader asks where it was; lines of its earlier batches must be there, as far as
    /// retention has left them. Those of later ones may be, and are sent again.
    fn go_on_reading(&mut self, store: &Logdb, found: &BTreeSet<Key>) -> Result<(), String> {
        let progress = store.progress("file:").map_err(|error| error.to_string())?;
        let value = progress.first().and_then(|one| one.value.as_deref());
        let done: u64 = value.and_then(|value| value.parse().ok()).unwrap_or(0);
        let newest = store.stats().max_time_ns.unwrap_or(i64::MIN);
        for (batch, lines) in &self.batches {
            for (time, line) in lines {
                let there = found.contains(&(READER, *time, format!("{line} {{}}")));
                let late = *time <= newest.saturating_sub(SPAN.min(WINDOW));
                if *batch <= done && !there && !late {
                    return Err(format!("{line:?} is lost, and progress is {done}"));
                }
            }
        }
        self.next = done + 1;
        Ok(())
    }

    fn open(&mut self) -> Result<(), String> {
        let (fs, clock) = (Arc::new(self.fs.clone()), Arc::new(self.clock.clone()));
        let (store, report) = Logdb::open(fs, clock, DIR.into(), self.options)
            .map_err(|error| format!("cannot open: {error}"))?;
        if !report.corrupt.is_empty() {
            return Err(format!("blocks are corrupt: {:?}", report.corrupt));
        }
        self.store = Some(Arc::new(store));
        self.opened = report;
        Ok(())
    }

    fn check(&mut self, when: &str) -> Result<(), String> {
        let store = self.store()?;
        let found = self.read(&store)?;
        self.report.compared += found.len() as u64;
        self.model
            .check(&found)
            .map_err(|error| format!("{when}: {error}; opened with {:?}", self.opened))
    }

    fn read(&self, store: &Logdb) -> Result<BTreeSet<Key>, String> {
        let ctx = QueryCtx::new(Arc::new(self.clock.clone()), QueryLimits::default());
        let selection = LogSelection {
            matchers: Vec::new(),
            range: TimeRange { start: Nanos::MIN, end: Nanos::MAX },
            hints: LogHints { metadata: true, ..LogHints::default() },
        };
        let selected = store.select(&ctx, &[selection]).map_err(|error| error.to_string())?;
        let mut found = BTreeSet::new();
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
                    if !found.insert(key.clone()) {
                        return Err(format!("{key:?} is there twice"));
                    }
                }
            }
        }
        if ctx.warnings().is_empty() { Ok(found) } else { Err(format!("{:?}", ctx.warnings())) }
    }

    fn store(&self) -> Result<Arc<Logdb>, String> {
        self.store.clone().ok_or_else(|| "BUG: there is no store".to_owned())
    }
}

fn labels(stream: usize) -> Labels {
    Labels::from_iter([("app", "sim".to_owned()), ("s", stream.to_string())])
}
