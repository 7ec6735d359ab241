//! The store: what it holds, how it is opened, what it does on the clock.
//!
//! ```text
//! DIR/lock                 held while the store is open
//! DIR/journal/…            what is not in a block yet
//! DIR/head/head-N          the same when segment N of the journal began
//! DIR/blocks/block-N/…     what is
//! DIR/snapshots/NAME/…     copies that somebody asked for
//! ```
//!
//! Locks, in the order in which they may be taken: maintenance, those of the head, blocks. Readers look at the
//! head first and at the blocks afterwards, and writers publish a block before they drop it from
//! the head, so a sample that moves is seen once or twice, never not at all.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use camino::{Utf8Path, Utf8PathBuf};
use masthead_durable::{
    journal::{Journal, ReplayReport},
    publish,
};
use masthead_model::ErrorClass;
use masthead_sysio::{Clock, FileLock, Fs, create_dir_all_synced};
use parking_lot::{Mutex, MutexGuard, RwLock};

use crate::{
    Error, Options, Result, Stats,
    block::{self, Block, LabelsBudget},
    head::Head,
    load::Progress,
    stats::Counters,
};

/// A store of samples; shared by threads.
#[derive(Debug)]
pub struct Tsdb {
    pub(crate) fs: Arc<dyn Fs>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) dir: Utf8PathBuf,
    pub(crate) options: Options,
    /// There once the head is in memory.
    pub(crate) journal: OnceLock<Journal>,
    pub(crate) progress: Progress,
    pub(crate) head: Head,
    /// Blocks that answer, by number.
    pub(crate) blocks: RwLock<Arc<Vec<Arc<Block>>>>,
    /// Held by whatever writes, replaces or removes blocks.
    maintenance: Mutex<Maintenance>,
    pub(crate) labels_budget: LabelsBudget,
    pub(crate) counters: Counters,
    /// A flush did not come to its end.
    pub(crate) flush_again: AtomicBool,
    /// Names of blocks that were set aside for damage, now and earlier.
    set_aside: Vec<String>,
    _lock: FileLock,
}

/// What only one thread may do at a time.
#[derive(Debug)]
pub(crate) struct Maintenance {
    next_block: u64,
    /// An earlier publish or removal failed half-way, so the directory may hold what should not be.
    unsettled: bool,
    /// The last frame and the floor when the head was last written to a file.
    pub(crate) checkpoint: Option<(u64, i64)>,
    /// When that last failed, if it did since it went well.
    pub(crate) checkpoint_failed: Option<Duration>,
}

/// What was found when a store was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// Blocks that answer.
    pub blocks: usize,
    /// Names of blocks that were set aside now because of damage, with what was wrong.
    pub corrupt: Vec<(String, String)>,
    /// Leftovers of interrupted work that were removed.
    pub removed: usize,
    /// What the journal held.
    pub journal: ReplayReport,
    /// Series in the head.
    pub series: usize,
    /// Samples brought back into the head.
    pub samples: u64,
    /// Frames of the journal that made no sense or whose predecessor is lost.
    pub frames_dropped: u64,
    /// Samples of series whose definition is lost.
    pub samples_dropped: u64,
    /// Series lost with parts of the head's file.
    pub series_lost: u64,
    /// What was wrong with the head's file.
    pub head_damages: Vec<String>,
}

impl Tsdb {
    /// Opens the store in `dir`, creating it if it is missing, and brings its head into memory:
    /// [`Tsdb::open_blocks`] and [`Tsdb::load`] in one.
    ///
    /// # Errors
    /// As these two.
    pub fn open(
        fs: Arc<dyn Fs>,
        clock: Arc<dyn Clock>,
        dir: &Utf8Path,
        options: Options,
    ) -> Result<(Self, OpenReport)> {
        let (store, mut report) = Self::open_blocks(fs, clock, dir, options)?;
        store.load(&mut report)?;
        Ok((store, report))
    }

    /// Opens the store in `dir`, creating it if it is missing, as far as its blocks: these are only
    /// mapped, so that takes no time to speak of, and they answer from now on. What is not in
    /// blocks is missing, and said to be in a warning, until [`Tsdb::load`] has brought it back;
    /// until then nothing can be written either, and whoever tries is told to come again.
    ///
    /// A block with damage is set aside; it is in the report.
    ///
    /// # Errors
    /// [`Error::Options`]; a lock that another process holds; files of a later version; what the
    /// file system says.
    pub fn open_blocks(
        fs: Arc<dyn Fs>,
        clock: Arc<dyn Clock>,
        dir: &Utf8Path,
        options: Options,
    ) -> Result<(Self, OpenReport)> {
        if let Some(problem) = options.problem() {
            return Err(Error::Options(problem));
        }
        create_dir_all_synced(&*fs, dir)?;
        let lock = fs.lock_file(&dir.join("lock"))?;
        let mut report = OpenReport::default();
        let (blocks, set_aside, next_block) = open_blocks(&*fs, &dir.join("blocks"), &mut report)?;
        report.blocks = blocks.len();
        let mut head = Head::new(&options);
        head.know(
            blocks.iter().map(|block| block.meta.floor).max().unwrap_or(i64::MIN),
            blocks.iter().map(|block| block.meta.max_time).max().unwrap_or(i64::MIN),
        );
        let maintenance =
            Maintenance { next_block, unsettled: false, checkpoint: None, checkpoint_failed: None };
        let store = Self {
            fs,
            clock,
            dir: dir.to_owned(),
            options,
            journal: OnceLock::new(),
            progress: Progress::default(),
            head,
            blocks: RwLock::new(Arc::new(blocks)),
            maintenance: Mutex::new(maintenance),
            labels_budget: LabelsBudget::new(options.labels_cache_bytes),
            counters: Counters::default(),
            flush_again: AtomicBool::new(false),
            set_aside,
            _lock: lock,
        };
        Ok((store, report))
    }

    /// Does what is due: syncs the journal, writes the head, merges, deletes what is too old.
    /// To be called every 100 ms or so; mostly it finds nothing to do, and so before the head is
    /// in memory.
    ///
    /// # Errors
    /// The first of these that failed; the others were tried all the same. All can be tried again.
    pub fn tick(&self) -> Result<()> {
        let Some(journal) = self.journal.get() else { return Ok(()) };
        let synced = journal.tick().map_err(Error::from);
        let flushed = self.flush().map(|_| ());
        let written = self.checkpoint_if_due();
        let merged = self.compact_once().map(|_| ());
        let retained = self.apply_retention().map(|_| ());
        synced.and(flushed).and(written).and(merged).and(retained)
    }

    /// Makes durable everything that was acknowledged, whatever the sync policy.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn sync(&self) -> Result<()> {
        // Before the head is in memory nothing was acknowledged.
        Ok(self.journal.get().map_or(Ok(()), Journal::flush)?)
    }

    /// The names of the blocks that are set aside for damage; nothing where there are none.
    pub fn set_aside(&self) -> Option<String> {
        publish::set_aside_names(&self.set_aside)
    }

    /// What the store has done and holds.
    pub fn stats(&self) -> Stats {
        let mut stats = Stats::default();
        self.counters.fill(&mut stats);
        stats.series = self.head.registry().index.len() as u64;
        stats.exemplars = self.head.texts().exemplars.len() as u64;
        stats.max_time_ms = Some(self.head.newest()).filter(|time| *time > i64::MIN);
        stats.floor_ms = Some(self.head.floor()).filter(|time| *time > i64::MIN);
        let blocks = self.blocks();
        if let Some(journal) = self.journal.get() {
            stats.journal_bytes = journal.bytes();
            stats.journal_torn_bytes = journal.torn_bytes();
            stats.journal_damages = journal.damages();
        }
        stats.blocks = blocks.len() as u64;
        stats.blocks_damaged = blocks.iter().filter(|block| block.is_damaged()).count() as u64;
        stats.blocks_corrupt = self.set_aside.len() as u64;
        stats.block_bytes = blocks.iter().map(|block| block.bytes).sum();
        stats.block_samples = blocks.iter().map(|block| block.meta.samples).sum();
        stats
    }

    /// Number of the newest frame of the journal, for comparison with [`Tsdb::synced_frame`].
    pub fn last_frame(&self) -> u64 {
        self.journal.get().map_or(0, |journal| journal.last().seq)
    }

    /// Number of the last frame of the journal that survives a loss of power.
    pub fn synced_frame(&self) -> u64 {
        self.journal.get().map_or(0, Journal::synced_seq)
    }

    /// The journal, once it can be written.
    pub(crate) fn journal(&self) -> Result<&Journal> {
        self.journal.get().ok_or(Error::Loading)
    }

    /// Bytes of the head's file.
    pub(crate) fn image_bytes(&self) -> u64 {
        self.counters.image_bytes.load(Ordering::Relaxed)
    }

    /// The blocks of this moment.
    pub(crate) fn blocks(&self) -> Arc<Vec<Arc<Block>>> {
        Arc::clone(&self.blocks.read())
    }

    pub(crate) fn blocks_dir(&self) -> Utf8PathBuf {
        self.dir.join("blocks")
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.now().0.div_euclid(1_000_000)
    }

    /// Notes the moment of a success in `of`.
    pub(crate) fn succeeded(&self, of: &AtomicU64) {
        of.store(u64::try_from(self.now_ms()).unwrap_or(0), Ordering::Relaxed);
    }

    /// Takes the right to change blocks, after the remains of what failed before are gone.
    pub(crate) fn maintain(&self) -> Result<MutexGuard<'_, Maintenance>> {
        let mut maintenance = self.maintenance.lock();
        if maintenance.unsettled {
            let parent = self.blocks_dir();
            let known = self.blocks();
            for name in self.fs.read_dir(&parent)? {
                let ours = block::parse_name(&name).is_some_and(|n| block::name(n) == name);
                if ours && known.iter().all(|block| block.name != name) {
                    publish::remove(&*self.fs, &parent, &name)?;
                }
            }
            self.fs.sync_dir(&parent)?;
            maintenance.unsettled = false;
        }
        Ok(maintenance)
    }

    /// Puts `added` in the place of `removed` for all readers from now on.
    pub(crate) fn replace_blocks(&self, added: Option<Block>, removed: &[u64]) {
        let mut blocks = self.blocks.write();
        let mut next: Vec<Arc<Block>> =
            blocks.iter().filter(|block| !removed.contains(&block.number)).cloned().collect();
        next.extend(added.map(Arc::new));
        next.sort_by_key(|block| block.number);
        *blocks = Arc::new(next);
    }
}

impl Maintenance {
    /// A number for a new block.
    pub(crate) fn next_block(&mut self) -> u64 {
        self.next_block += 1;
        self.next_block - 1
    }

    /// Something failed half-way: the directory is looked at before blocks change again.
    pub(crate) fn unsettle(&mut self) {
        self.unsettled = true;
    }

    /// Passes a result on; a failure leaves the directory to be looked at.
    pub(crate) fn settle<T>(&mut self, result: Result<T>) -> Result<T> {
        self.unsettled |= result.is_err();
        result
    }
}

/// Opens the blocks in `parent`; returns them, what is set aside, and the next free number.
fn open_blocks(
    fs: &dyn Fs,
    parent: &Utf8Path,
    report: &mut OpenReport,
) -> Result<(Vec<Arc<Block>>, Vec<String>, u64)> {
    publish::create_dir(fs, parent)?;
    let swept = publish::sweep(fs, parent)?;
    report.removed = swept.removed;
    let numbers = swept.published.iter().chain(&swept.corrupt).filter_map(|n| block::parse_name(n));
    let mut next = numbers.max().map_or(1, |number| number + 1);
    let mut blocks = Vec::new();
    for name in swept.published.iter().filter(|name| block::parse_name(name).is_some()) {
        // After a kill its names may be there and not be durable; from now on they count.
        fs.sync_dir(&parent.join(name))?;
        match Block::open(fs, parent, name) {
            Ok(block) => blocks.push(Arc::new(block)),
            Err(Error::Durable(error @ masthead_durable::Error::Version { .. })) => {
                return Err(error.into());
            }
            Err(error) if matches!(error.class(), ErrorClass::Corrupt | ErrorClass::NotFound) => {
                let aside = publish::quarantine(fs, parent, name)?;
                report.corrupt.push((aside, error.to_string()));
            }
            Err(error) => return Err(error),
        }
    }
    fs.sync_dir(parent)?;
    // What another block replaced is the rest of a merge that was cut short.
    let replaced: Vec<u64> = blocks.iter().flat_map(|block| block.meta.sources.clone()).collect();
    next = next.max(replaced.iter().max().map_or(0, |number| number + 1));
    let (gone, mut blocks): (Vec<_>, Vec<_>) =
        blocks.into_iter().partition(|block: &Arc<Block>| replaced.contains(&block.number));
    for block in gone {
        publish::remove(fs, parent, &block.name)?;
        report.removed += 1;
    }
    blocks.sort_by_key(|block| block.number);
    let now = report.corrupt.iter().map(|(name, _)| name.clone());
    let set_aside = swept.corrupt.into_iter().chain(now).collect();
    Ok((blocks, set_aside, next))
}

#[cfg(test)]
mod tests;
