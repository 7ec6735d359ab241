//! One run: what is done, in which order, and what is then expected.

use std::{collections::BTreeMap, io, sync::Arc, time::Duration};

use masthead_model::{Histogram, Labels, Matcher, Millis, TimeRange, Value, stale_nan};
use masthead_ports::{
    AppendBatch, AppendRow, Columns, QueryCtx, QueryLimits, RejectReason, SampleSink, SampleSource,
    SelectHints, Selection, SeriesRef,
};
use masthead_sysio::{Clock, Fs, Random, SimClock, SimFs};

use super::model::{Key, Model, Sample, collect};
use crate::{JournalOptions, Keep, OpenReport, Options, SyncPolicy, Tsdb};

const SERIES: usize = 8;
const DIR: &str = "/data/metrics";
const STEPS: usize = 70;
const CAPACITY: u64 = 64 << 20;

/// What a run did, so that a caller can see that it did something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Samples that were acknowledged.
    pub acknowledged: u64,
    /// Samples that were refused by a rule.
    pub rejected: u64,
    /// Batches and other calls that failed because of the disk.
    pub failures: u64,
    /// Times that the process was killed.
    pub kills: u64,
    /// Times that the power was cut.
    pub power_cuts: u64,
    /// Blocks written from the head.
    pub flushes: u64,
    /// Blocks written from others.
    pub merges: u64,
    /// Deletions that were acknowledged.
    pub deletions: u64,
    /// Blocks that retention deleted.
    pub expired: u64,
    /// Times that the head was written to a file.
    pub checkpoints: u64,
    /// Starts that found all of the head in its file.
    pub quick_starts: u64,
    /// Questions answered while the head was still being read.
    pub early: u64,
    /// Snapshots that were opened.
    pub snapshots: u64,
    /// Samples that were read and compared.
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
    store: Option<Arc<Tsdb>>,
    model: Model,
    references: Vec<SeriesRef>,
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
            block_ms: 60_000,
            merged_ms: 240_000,
            out_of_order_ms: if random.below(4) == 0 { 0 } else { 30_000 },
            future_ms: Some(60_000),
            keep: Keep { span: Some(400_000), bytes: None },
            checkpoint_bytes: 500 + random.below(20_000),
            ..Options::default()
        };
        let references = vec![SeriesRef::default(); SERIES];
        let mut run = Self {
            random,
            clock,
            fs,
            options,
            store: None,
            model: Model::default(),
            references,
            report: Report::default(),
            faulty: false,
            opened: OpenReport::default(),
        };
        run.open()?;
        Ok(run)
    }

    fn step(&mut self) -> Result<(), String> {
        self.clock.advance(Duration::from_millis(self.random.below(25_000)));
        match self.random.below(40) {
            0..=20 => self.append()?,
            21..=25 => self.maintain()?,
            26 | 27 => self.delete()?,
            28 => self.check("while it runs")?,
            29 => self.snapshot()?,
            30 => self.restart(false)?,
            31 | 32 => self.restart(true)?,
            33 => {
                let far = i64::try_from(self.random.below(120_000)).unwrap_or(0) - 60_000;
                self.clock.step(far * 1_000_000);
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
        let store = self.store()?;
        let now = self.clock.now().0 / 1_000_000;
        let stats = store.stats();
        let mut newest = stats.max_time_ms.max(stats.floor_ms.map(|floor| floor - 1));
        let mut batch = AppendBatch { group: self.random.below(3), ..AppendBatch::default() };
        let mut keys = Vec::new();
        let scrape = now - i64::try_from(self.random.below(2000)).unwrap_or(0);
        for series in 0..SERIES {
            if self.random.below(4) == 0 {
                continue;
            }
            let time = match self.random.below(10) {
                0 => scrape - i64::try_from(self.random.below(90_000)).unwrap_or(0),
                1 => scrape + i64::try_from(self.random.below(70_000)).unwrap_or(0),
                // Now and then a time that was there before.
                2 => scrape / 5_000 * 5_000,
                _ => scrape,
            };
            let (row, sample) = self.row(series, time);
            batch.rows.push(row);
            keys.push(((series, time), sample));
        }
        match store.append(&mut batch) {
            Ok(report) => {
                let frame = store.last_frame();
                let refused = |at: usize| report.rejected.iter().find(|(row, _)| *row == at);
                // Rows of different shards are judged in any order.
                let taken = keys.iter().enumerate().filter(|(at, _)| refused(*at).is_none());
                newest = newest.max(taken.map(|(_, (key, _))| key.1).max());
                for (at, (key, sample)) in keys.iter().enumerate() {
                    if let Some((_, reason)) = refused(at) {
                        self.rejected(*key, *reason, newest, now)?;
                    } else {
                        self.report.acknowledged += 1;
                        self.model.acknowledged(*key, *sample, frame);
                    }
                }
                for ((series, _), row) in keys.iter().map(|(key, _)| *key).zip(&batch.rows) {
                    if let Some(reference) = self.references.get_mut(series) {
                        *reference = row.series;
                    }
                }
            }
            Err(error) => {
                if !error.class.is_retryable() {
                    return Err(format!("append failed for good: {error}"));
                }
                self.report.failures += 1;
                for (key, sample) in keys {
                    self.model.sent(key, sample);
                }
            }
        }
        Ok(())
    }

    fn row(&mut self, series: usize, time: i64) -> (AppendRow, Sample) {
        let start = if series % 3 == 1 { time / 100_000 * 100_000 } else { 0 };
        let counter = self.random.below(50);
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let small = counter as f64;
        let (value, sample) = match self.random.below(12) {
            0 => (Value::Float(stale_nan()), Sample::Stale),
            1 => {
                let bits = self.random.next_u64();
                // Whatever it is, it must not be the marker, which may change its kind.
                let bits = if bits == stale_nan().to_bits() { 1 } else { bits };
                (Value::Float(f64::from_bits(bits)), Sample::Float { bits, start })
            }
            _ if series >= 6 => {
                let histogram = Histogram { count: small, sum: small, ..Histogram::default() };
                let count = small.to_bits();
                (Value::Histogram(Box::new(histogram)), Sample::Histogram { count, start })
            }
            _ => {
                let value = if series < 2 { 1.0 } else { small / 4.0 };
                (Value::Float(value), Sample::Float { bits: value.to_bits(), start })
            }
        };
        let reference = self.references.get(series).copied().unwrap_or_default();
        let known = if self.random.coin() { reference } else { SeriesRef::default() };
        let start = (start != 0).then_some(Millis(start));
        let row = AppendRow::float(labels(series), Millis(time), 0.0);
        (AppendRow { start, series: known, value, ..row }, sample)
    }

    /// Checks that a refusal had a reason.
    fn rejected(
        &mut self,
        key: Key,
        reason: RejectReason,
        newest: Option<i64>,
        now: i64,
    ) -> Result<(), String> {
        self.report.rejected += 1;
        let ahead = self.options.future_ms.unwrap_or(0);
        if newest.is_none_or(|newest| key.1 > newest) && key.1 <= now + ahead {
            return Err(format!("{key:?} is newer than everything and was refused: {reason}"));
        }
        match reason {
            RejectReason::DuplicateTimestamp if !self.model.may_have(key) => {
                Err(format!("{key:?} was refused as a duplicate and was never there"))
            }
            _ => Ok(()),
        }
    }

    fn maintain(&mut self) -> Result<(), String> {
        let store = self.store()?;
        let done = match self.random.below(6) {
            5 => store.checkpoint(),
            0 => store.flush().map(|_| ()),
            1 => store.compact_once().map(|_| ()),
            2 => store.clean_tombstones().map(|_| ()),
            3 if self.random.below(4) == 0 => store.flush_all().map(|_| ()),
            _ => store.tick(),
        };
        self.report.failures += u64::from(done.is_err());
        self.forget_expired(&store);
        Ok(())
    }

    /// What retention may have deleted may be gone.
    fn forget_expired(&mut self, store: &Tsdb) {
        let newest = store.stats().max_time_ms.into_iter().chain(self.model.newest()).max();
        if let (Some(newest), Some(span)) = (newest, self.options.keep.span) {
            self.model.may_be_gone(|(_, time)| time <= newest - span);
        }
    }

    fn delete(&mut self) -> Result<(), String> {
        let store = self.store()?;
        let now = self.clock.now().0 / 1_000_000;
        let start = now - i64::try_from(self.random.below(400_000)).unwrap_or(0);
        let end = start + i64::try_from(self.random.below(100_000)).unwrap_or(0);
        let first = self.random.index(SERIES);
        let pattern = format!("[{first}-{}]", (first + 2).min(SERIES - 1));
        let matcher = Matcher::new(masthead_model::MatchOp::Matches, "s", &pattern)
            .map_err(|error| error.to_string())?;
        let range = TimeRange { start: Millis(start), end: Millis(end) };
        let done = store.delete(&[vec![matcher]], range);
        let matches = |(series, time): Key| {
            (first..=first + 2).contains(&series) && start <= time && time <= end
        };
        self.model.deleted(matches, done.is_ok());
        self.report.deletions += u64::from(done.is_ok());
        self.report.failures += u64::from(done.is_err());
        Ok(())
    }

    fn snapshot(&mut self) -> Result<(), String> {
        let store = self.store()?;
        let name = format!("s{}", self.random.next_u64());
        let Ok(dir) = store.snapshot(&name, true) else {
            self.report.failures += 1;
            return Ok(());
        };
        let (fs, clock) = (Arc::new(self.fs.clone()), Arc::new(self.clock.clone()));
        if let Ok((copy, _)) = Tsdb::open(fs, clock, &dir, self.options)
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
            if self.random.coin() {
                // As at the end of a process that is not killed.
                self.report.failures += u64::from(store.close().is_err());
            }
            synced = store.synced_frame();
            if power || self.faulty {
                self.model.power_lost(synced);
            }
            self.forget_expired(&store);
            let stats = store.stats();
            self.report.flushes += stats.upkeep.flushes_total;
            self.report.merges += stats.upkeep.merges_total;
            self.report.checkpoints += stats.checkpoints_total;
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
        self.references.fill(SeriesRef::default());
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
        Ok(())
    }

    fn open(&mut self) -> Result<(), String> {
        let (fs, clock) = (Arc::new(self.fs.clone()), Arc::new(self.clock.clone()));
        let cannot = |error: crate::Error| format!("cannot open: {error}");
        let (store, mut report) =
            Tsdb::open_blocks(fs, clock, DIR.into(), self.options).map_err(cannot)?;
        if self.random.coin() {
            self.ask_early(&store)?;
        }
        if let Err(error) = store.load(&mut report) {
            // What failed can be tried again; mostly it fails again.
            store.load(&mut report).map_err(|_| cannot(error))?;
        }
        if !report.corrupt.is_empty() || !report.head_damages.is_empty() || report.series_lost > 0 {
            return Err(format!("something is corrupt: {report:?}"));
        }
        self.report.quick_starts += u64::from(report.samples > 0 && report.journal.files == 0);
        self.store = Some(Arc::new(store));
        self.opened = report;
        Ok(())
    }

    /// While the head is being read, blocks answer with nothing that is wrong and with a warning,
    /// and writers are told to come again.
    fn ask_early(&mut self, store: &Tsdb) -> Result<(), String> {
        let (row, _) = self.row(0, self.clock.now().0 / 1_000_000);
        let refused = store.append(&mut AppendBatch { rows: vec![row], ..AppendBatch::default() });
        if !refused.is_err_and(|error| error.class.is_retryable()) {
            return Err("a sample was taken before the head was there".to_owned());
        }
        match self.read_warned(store)? {
            (_, 0) => Err("nobody was told that samples are missing".to_owned()),
            (found, _) => {
                self.report.early += 1;
                self.model.check_found(&found).map_err(|error| format!("early: {error}"))
            }
        }
    }

    fn check(&mut self, when: &str) -> Result<(), String> {
        let store = self.store()?;
        let found = self.read(&store)?;
        self.report.compared += found.len() as u64;
        self.model
            .check(&found)
            .map_err(|error| format!("{when}: {error}; opened with {:?}", self.opened))
    }

    fn read(&self, store: &Tsdb) -> Result<BTreeMap<Key, Sample>, String> {
        match self.read_warned(store)? {
            (found, 0) => Ok(found),
            (_, warnings) => Err(format!("{warnings} warnings")),
        }
    }

    /// What there is, and how many warnings came with it.
    fn read_warned(&self, store: &Tsdb) -> Result<(BTreeMap<Key, Sample>, usize), String> {
        let ctx = QueryCtx::new(Arc::new(self.clock.clone()), QueryLimits::default());
        let selection = Selection {
            matchers: Vec::new(),
            range: TimeRange { start: Millis::MIN, end: Millis::MAX },
            hints: SelectHints::default(),
        };
        let selected = store.select(&ctx, &[selection]).map_err(|error| error.to_string())?;
        let mut found = BTreeMap::new();
        let mut columns = Columns::default();
        for selected in selected {
            if !selected.labels.is_sorted_by(|a, b| a < b) {
                return Err(format!("labels are not in order: {:?}", selected.labels));
            }
            for (at, labels) in selected.labels.iter().enumerate() {
                let series = labels.get("s").and_then(|s| s.parse().ok()).unwrap_or(usize::MAX);
                selected.reader.read(&ctx, at, &mut columns).map_err(|error| error.to_string())?;
                collect(series, &columns, &mut found)?;
            }
        }
        Ok((found, ctx.warnings().len()))
    }

    fn store(&self) -> Result<Arc<Tsdb>, String> {
        self.store.clone().ok_or_else(|| "BUG: there is no store".to_owned())
    }
}

fn labels(series: usize) -> Labels {
    // Of some targets, whose shards differ.
    let target = (series % 3).to_string();
    Labels::from_iter([("__name__", "sim".to_owned()), ("job", target), ("s", series.to_string())])
}
