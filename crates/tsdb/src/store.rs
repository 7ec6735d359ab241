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
    sync::{Arc, OnceLock, atomic::AtomicBool},
    time::Duration,
};

use camino::{Utf8Path, Utf8PathBuf};
use masthead_durable::{
    blocks::{self, Blocks, Keeper},
    journal::{Journal, ReplayReport},
    publish,
    stats::{self, Counters},
};
use masthead_model::{Count, Gauge};
use masthead_sysio::{Clock, FileLock, Fs, create_dir_all_synced};
use parking_lot::{Mutex, MutexGuard, RwLock};

use crate::{
    Error, Options, Result, Stats,
    block::{Block, LabelsBudget},
    head::Head,
    load::Progress,
    stats::Checkpoints,
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
    pub(crate) blocks: RwLock<Blocks<Block>>,
    /// Held by whatever writes, replaces or removes blocks.
    maintenance: Mutex<Maintenance>,
    pub(crate) labels_budget: LabelsBudget,
    pub(crate) counters: Counters,
    pub(crate) exemplars_rejected: Count,
    pub(crate) checkpoints: Checkpoints,
    /// A flush did not come to its end.
    pub(crate) flush_again: AtomicBool,
    /// Names of blocks that were set aside for damage, now and earlier.
    set_aside: Vec<String>,
    _lock: FileLock,
}

/// What only one thread may do at a time.
#[derive(Debug)]
pub(crate) struct Maintenance {
    pub(crate) keeper: Keeper,
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
        let (keeper, found) = Keeper::open::<Block>(Arc::clone(&fs), dir.join("blocks"))?;
        let blocks = found.blocks;
        let report = OpenReport {
            blocks: blocks.len(),
            corrupt: found.corrupt,
            removed: found.removed,
            ..OpenReport::default()
        };
        let mut head = Head::new(&options);
        head.know(
            blocks.iter().map(|block| block.meta.floor).max().unwrap_or(i64::MIN),
            blocks.iter().map(|block| block.meta.max_time).max().unwrap_or(i64::MIN),
        );
        let maintenance = Maintenance { keeper, checkpoint: None, checkpoint_failed: None };
        let store = Self {
            fs,
            clock,
            dir: dir.to_owned(),
            options,
            journal: OnceLock::new(),
            progress: Progress::default(),
            head,
            blocks: RwLock::new(blocks),
            maintenance: Mutex::new(maintenance),
            labels_budget: LabelsBudget::new(options.labels_cache_bytes),
            counters: Counters::default(),
            exemplars_rejected: Count::default(),
            checkpoints: Checkpoints::default(),
            flush_again: AtomicBool::new(false),
            set_aside: found.set_aside,
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
        blocks::release_unread(&self.blocks(), self.clock.monotonic());
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
        let (counters, checkpoints) = (&self.counters, &self.checkpoints);
        // The head first, as whoever reads looks.
        let series = self.head.registry().index.len() as u64;
        let exemplars = self.head.texts().exemplars.len() as u64;
        let (newest, floor) = (self.head.newest(), self.head.floor());
        let blocks = self.blocks();
        Stats {
            series,
            max_time_ms: Some(newest).filter(|time| *time > i64::MIN),
            floor_ms: Some(floor).filter(|time| *time > i64::MIN),
            samples_appended_total: counters.appended.get(),
            samples_duplicate_total: counters.duplicates.get(),
            samples_rejected_total: counters.rejected.get(),
            exemplars,
            exemplars_rejected_total: self.exemplars_rejected.get(),
            head_bytes: self.image_bytes(),
            checkpoints_total: checkpoints.taken.get(),
            block_samples: blocks.iter().map(|block| block.meta.samples).sum(),
            last_checkpoint_success_ms: checkpoints.last.get(),
            upkeep: counters.upkeep(&blocks, &self.set_aside, self.journal.get()),
        }
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
        self.checkpoints.bytes.get()
    }

    pub(crate) fn journal_bytes(&self) -> u64 {
        self.journal.get().map_or(0, Journal::bytes)
    }

    /// The blocks of this moment.
    pub(crate) fn blocks(&self) -> Blocks<Block> {
        Arc::clone(&self.blocks.read())
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.now().0.div_euclid(1_000_000)
    }

    /// Notes the moment of a success in `of`.
    pub(crate) fn succeeded(&self, of: &Gauge) {
        stats::succeeded(of, &*self.clock);
    }

    /// Takes the right to change blocks, after the remains of what failed before are gone.
    pub(crate) fn maintain(&self) -> Result<MutexGuard<'_, Maintenance>> {
        let mut maintenance = self.maintenance.lock();
        maintenance.keeper.settle(&self.blocks())?;
        Ok(maintenance)
    }

    /// Puts `added` in the place of `removed` for all readers from now on.
    pub(crate) fn replace_blocks(&self, added: Option<Block>, removed: &[Arc<Block>]) {
        let mut blocks = self.blocks.write();
        *blocks = blocks::replaced(&blocks, added, removed);
    }
}

#[cfg(test)]
mod tests;
