//! What the store does in a run of the crash simulation.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use masthead_durable::simulation::{self, Entries, Report, Subject};
use masthead_model::{Histogram, Labels, Matcher, Millis, TimeRange, Value, stale_nan};
use masthead_ports::{
    AppendBatch, AppendRow, Columns, QueryCtx, QueryLimits, RejectReason, SampleSink, SampleSource,
    SelectHints, Selection, SeriesRef,
};
use masthead_sysio::{Clock as _, Random};

use super::sample::{Key, Sample, collect};
use crate::{Error, JournalOptions, Keep, Options, Tsdb, Upkeep};

const SERIES: usize = 8;
const DIR: &str = "/data/metrics";

type World = simulation::World<Metrics>;

/// Runs the simulation of `seed`.
///
/// # Errors
/// What was wrong and at which step, for the same seed always the same.
pub fn run_seed(seed: u64) -> Result<Report, String> {
    simulation::run_seed::<Metrics>(seed)
}

/// Runs the simulation of seeds 0 to `seeds`, and sums up what happened.
///
/// # Errors
/// The failures of all seeds; or what happened in none of them.
pub fn run_seeds(seeds: u64) -> Result<Report, String> {
    simulation::run_seeds::<Metrics>(seeds)
}

struct Metrics {
    options: Options,
    references: Vec<SeriesRef>,
}

impl Subject for Metrics {
    type Store = Tsdb;
    type Key = Key;
    type Value = Sample;

    const HAPPENS: &'static [&'static str] = &["checkpoints", "quick starts", "early questions"];
    const SPAN: i64 = 400_000;
    const PAUSE_MS_MAX: u64 = 25_000;

    fn new(journal: JournalOptions, random: &mut Random) -> Self {
        let options = Options {
            journal,
            block_ms: 60_000,
            merged_ms: 240_000,
            out_of_order_ms: if random.below(4) == 0 { 0 } else { 30_000 },
            future_ms: Some(60_000),
            keep: Keep { span: Some(Self::SPAN), bytes: None },
            checkpoint_bytes: 500 + random.below(20_000),
            ..Options::default()
        };
        Self { options, references: vec![SeriesRef::default(); SERIES] }
    }

    fn open(&mut self, world: &mut World) -> Result<(Tsdb, String), String> {
        self.references.fill(SeriesRef::default());
        let (fs, clock) = world.handles();
        let cannot = |error: Error| format!("cannot open: {error}");
        let (store, mut report) =
            Tsdb::open_blocks(fs, clock, DIR.into(), self.options).map_err(cannot)?;
        if world.random.coin() {
            self.ask_early(world, &store)?;
        }
        if let Err(error) = store.load(&mut report) {
            // What failed can be tried again; mostly it fails again.
            store.load(&mut report).map_err(|_| cannot(error))?;
        }
        if !report.corrupt.is_empty() || !report.head_damages.is_empty() || report.series_lost > 0 {
            return Err(format!("something is corrupt: {report:?}"));
        }
        world.count("quick starts", u64::from(report.samples > 0 && report.journal.files == 0));
        Ok((store, format!("{report:?}")))
    }

    fn work(&mut self, roll: u64, world: &mut World, store: &Tsdb) -> Result<(), String> {
        match roll {
            0..=20 => return self.append(world, store),
            21..=25 => maintain(world, store),
            _ => delete(world, store)?,
        }
        Ok(())
    }

    fn end(&mut self, world: &mut World, store: &Tsdb) {
        if world.random.coin() {
            // As at the end of a process that is not killed.
            world.done(&store.close());
        }
        world.count("checkpoints", store.stats().checkpoints_total);
    }

    fn restarted(&mut self, _: &Tsdb, _: &Entries<Self>) -> Result<(), String> {
        Ok(())
    }

    fn snapshot(&self, store: &Tsdb, name: &str) -> Option<Utf8PathBuf> {
        store.snapshot(name, true).ok()
    }

    fn open_snapshot(&self, world: &World, dir: &Utf8Path) -> Option<Tsdb> {
        let (fs, clock) = world.handles();
        Some(Tsdb::open(fs, clock, dir, self.options).ok()?.0)
    }

    fn read(&self, world: &World, store: &Tsdb) -> Result<Entries<Self>, String> {
        match read_warned(world, store)? {
            (found, 0) => Ok(found),
            (_, warnings) => Err(format!("{warnings} warnings")),
        }
    }

    fn synced_frame(store: &Tsdb) -> u64 {
        store.synced_frame()
    }

    fn stats(store: &Tsdb) -> (Upkeep, Option<i64>) {
        let stats = store.stats();
        (stats.upkeep, stats.max_time_ms)
    }

    fn time(key: &Key) -> i64 {
        key.1
    }
}

impl Metrics {
    fn append(&mut self, world: &mut World, store: &Tsdb) -> Result<(), String> {
        let now = world.clock.now().0 / 1_000_000;
        let stats = store.stats();
        let mut newest = stats.max_time_ms.max(stats.floor_ms.map(|floor| floor - 1));
        let mut batch = AppendBatch { group: world.random.below(3), ..AppendBatch::default() };
        let mut keys = Vec::new();
        let scrape = now - i64::try_from(world.random.below(2000)).unwrap_or(0);
        for series in 0..SERIES {
            if world.random.below(4) == 0 {
                continue;
            }
            let time = match world.random.below(10) {
                0 => scrape - i64::try_from(world.random.below(90_000)).unwrap_or(0),
                1 => scrape + i64::try_from(world.random.below(70_000)).unwrap_or(0),
                // Now and then a time that was there before.
                2 => scrape / 5_000 * 5_000,
                _ => scrape,
            };
            let (row, sample) = self.row(world, series, time);
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
                        self.rejected(world, *key, *reason, newest, now)?;
                    } else {
                        world.count("acknowledged", 1);
                        world.model.acknowledged(*key, *sample, frame);
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
                world.count("failures", 1);
                for (key, sample) in keys {
                    world.model.sent(key, sample);
                }
            }
        }
        Ok(())
    }

    fn row(&self, world: &mut World, series: usize, time: i64) -> (AppendRow, Sample) {
        let start = if series % 3 == 1 { time / 100_000 * 100_000 } else { 0 };
        let counter = world.random.below(50);
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let small = counter as f64;
        let (value, sample) = match world.random.below(12) {
            0 => (Value::Float(stale_nan()), Sample::Stale),
            1 => {
                let bits = world.random.next_u64();
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
        let known = if world.random.coin() { reference } else { SeriesRef::default() };
        let start = (start != 0).then_some(Millis(start));
        let row = AppendRow::float(labels(series), Millis(time), 0.0);
        (AppendRow { start, series: known, value, ..row }, sample)
    }

    /// Checks that a refusal had a reason.
    fn rejected(
        &self,
        world: &mut World,
        key: Key,
        reason: RejectReason,
        newest: Option<i64>,
        now: i64,
    ) -> Result<(), String> {
        world.count("rejected", 1);
        let ahead = self.options.future_ms.unwrap_or(0);
        if newest.is_none_or(|newest| key.1 > newest) && key.1 <= now + ahead {
            return Err(format!("{key:?} is newer than everything and was refused: {reason}"));
        }
        match reason {
            RejectReason::DuplicateTimestamp if !world.model.may_have(&key) => {
                Err(format!("{key:?} was refused as a duplicate and was never there"))
            }
            _ => Ok(()),
        }
    }

    /// While the head is being read, blocks answer with nothing that is wrong and with a warning,
    /// and writers are told to come again.
    fn ask_early(&self, world: &mut World, store: &Tsdb) -> Result<(), String> {
        let now = world.clock.now().0 / 1_000_000;
        let (row, _) = self.row(world, 0, now);
        let refused = store.append(&mut AppendBatch { rows: vec![row], ..AppendBatch::default() });
        if !refused.is_err_and(|error| error.class.is_retryable()) {
            return Err("a sample was taken before the head was there".to_owned());
        }
        match read_warned(world, store)? {
            (_, 0) => Err("nobody was told that samples are missing".to_owned()),
            (found, _) => {
                world.count("early questions", 1);
                world.model.check_found(&found).map_err(|error| format!("early: {error}"))
            }
        }
    }
}

fn maintain(world: &mut World, store: &Tsdb) {
    let done = match world.random.below(6) {
        5 => store.checkpoint(),
        0 => store.flush().map(|_| ()),
        1 => store.compact_once().map(|_| ()),
        2 => store.clean_tombstones().map(|_| ()),
        3 if world.random.below(4) == 0 => store.flush_all().map(|_| ()),
        _ => store.tick(),
    };
    world.done(&done);
    world.forget_expired(store);
}

fn delete(world: &mut World, store: &Tsdb) -> Result<(), String> {
    let now = world.clock.now().0 / 1_000_000;
    let start = now - i64::try_from(world.random.below(400_000)).unwrap_or(0);
    let end = start + i64::try_from(world.random.below(100_000)).unwrap_or(0);
    let first = world.random.index(SERIES);
    let pattern = format!("[{first}-{}]", (first + 2).min(SERIES - 1));
    let matcher = Matcher::new(masthead_model::MatchOp::Matches, "s", &pattern)
        .map_err(|error| error.to_string())?;
    let range = TimeRange { start: Millis(start), end: Millis(end) };
    let done = store.delete(&[vec![matcher]], range);
    let matches = |(series, time): &Key| {
        (first..=first + 2).contains(series) && start <= *time && *time <= end
    };
    let sure = world.done(&done);
    world.model.deleted(matches, sure);
    world.count("deletions", u64::from(sure));
    Ok(())
}

/// What there is, and how many warnings came with it.
fn read_warned(world: &World, store: &Tsdb) -> Result<(Entries<Metrics>, usize), String> {
    let ctx = QueryCtx::new(Arc::new(world.clock.clone()), QueryLimits::default());
    let selection = Selection {
        matchers: Vec::new(),
        range: TimeRange { start: Millis::MIN, end: Millis::MAX },
        hints: SelectHints::default(),
    };
    let selected = store.select(&ctx, &[selection]).map_err(|error| error.to_string())?;
    let mut found = Entries::<Metrics>::new();
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

fn labels(series: usize) -> Labels {
    // Of some targets, whose shards differ.
    let target = (series % 3).to_string();
    Labels::from_iter([("__name__", "sim".to_owned()), ("job", target), ("s", series.to_string())])
}
