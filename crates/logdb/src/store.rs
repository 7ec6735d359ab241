//! The store: what it holds, how it is opened, what it does on the clock.
//!
//! ```text
//! DIR/lock                 held while the store is open
//! DIR/journal/…            what is not in a block yet
//! DIR/blocks/block-N/…     what is
//! ```
//!
//! Locks, in the order in which they may be taken: maintenance, state. Head and blocks are under
//! one lock, so that a reader sees a line that moves once, and never not at all.

use std::{
    sync::{
        Arc,
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
use masthead_sysio::{Clock, FileLock, Fs};
use parking_lot::{Mutex, MutexGuard, RwLock};

use crate::{
    Error, Options, Result, Stats,
    block::{self, Block},
    frame::encode_state,
    head::Head,
    replay::Replay,
    segment::Sealer,
    stats::Counters,
};

/// Free space is looked at so often while as many bytes come as must stay free.
const LOOKS_PER_LIMIT: u64 = 8;

/// A store of log lines; shared by threads.
#[derive(Debug)]
pub struct Logdb {
    pub(crate) fs: Arc<dyn Fs>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) dir: Utf8PathBuf,
    pub(crate) options: Options,
    pub(crate) journal: Journal,
    pub(crate) state: RwLock<State>,
    /// Held by whatever writes, replaces or removes blocks.
    maintenance: Mutex<Maintenance>,
    /// Encoders that nobody uses at the moment.
    pub(crate) sealers: Mutex<Vec<Sealer>>,
    pub(crate) counters: Counters,
    /// A flush did not come to its end.
    pub(crate) flush_again: AtomicBool,
    /// Free space is below the limit.
    pub(crate) out_of_space: AtomicBool,
    /// Bytes taken since free space was looked at.
    unlooked: AtomicU64,
    /// Names of blocks that were set aside for damage, now and earlier.
    set_aside: Vec<String>,
    _lock: FileLock,
}

/// What readers see.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) head: Head,
    /// Blocks that answer, by number.
    pub(crate) blocks: Arc<Vec<Arc<Block>>>,
    /// When the oldest line in memory came, on the monotonic clock.
    pub(crate) buffered_since: Option<Duration>,
}

/// What only one thread may do at a time.
#[derive(Debug)]
pub(crate) struct Maintenance {
    next_block: u64,
    /// An earlier publish or removal failed half-way, so the directory may hold what should not be.
    unsettled: bool,
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
    /// Streams in memory.
    pub streams: usize,
    /// Lines brought back into memory.
    pub lines: u64,
    /// Frames of the journal that made no sense.
    pub frames_dropped: u64,
    /// Lines of streams whose labels are lost.
    pub lines_dropped: u64,
}

impl Logdb {
    /// Opens the store in `dir`, creating it if it is missing.
    ///
    /// Blocks are only mapped; the journal is read through. A block with damage is set aside, damage
    /// in the journal skipped: both are in the report.
    ///
    /// # Errors
    /// [`Error::Options`]; a lock that another process holds; files of a later version; what the
    /// file system says.
    pub fn open(
        fs: Arc<dyn Fs>,
        clock: Arc<dyn Clock>,
        dir: &Utf8Path,
        options: Options,
    ) -> Result<(Self, OpenReport)> {
        if let Some(problem) = options.problem() {
            return Err(Error::Options(problem));
        }
        publish::create_dir(&*fs, dir)?;
        let lock = fs.lock_file(&dir.join("lock"))?;
        let mut report = OpenReport::default();
        let (blocks, set_aside, next_block) = open_blocks(&*fs, &dir.join("blocks"), &mut report)?;
        let mut replay = Replay::new(&options, &blocks);
        let (journal, found) = Journal::open(
            Arc::clone(&fs),
            Arc::clone(&clock),
            &dir.join("journal"),
            options.journal,
            &mut |frame| {
                replay.frame(frame);
                Ok(())
            },
        )?;
        let (head, gap) = replay.finish(&mut report);
        report.journal = found;
        report.blocks = blocks.len();
        if gap {
            let last = journal.last().seq;
            let frame = encode_state(last, head.generation, &head.progress, &head.deletions);
            journal.enqueue(&frame)?;
        }
        let buffered_since = (head.lines > 0).then(|| clock.monotonic());
        let store = Self {
            fs,
            clock,
            dir: dir.to_owned(),
            options,
            journal,
            state: RwLock::new(State { head, blocks: Arc::new(blocks), buffered_since }),
            maintenance: Mutex::new(Maintenance { next_block, unsettled: false }),
            sealers: Mutex::default(),
            counters: Counters::default(),
            flush_again: AtomicBool::new(false),
            out_of_space: AtomicBool::new(false),
            unlooked: AtomicU64::new(0),
            set_aside,
            _lock: lock,
        };
        store.look_at_space();
        Ok((store, report))
    }

    /// Does what is due: syncs the journal, compresses, writes a block, merges, deletes what is
    /// too old. To be called every 100 ms or so; mostly it finds nothing to do.
    ///
    /// # Errors
    /// The first of these that failed; the others were tried all the same. All can be tried again.
    pub fn tick(&self) -> Result<()> {
        self.look_at_space();
        let synced = self.journal.tick().map_err(Error::from);
        let sealed = self.seal();
        let flushed = self.flush().map(|_| ());
        let merged = self.compact_once().map(|_| ());
        let retained = self.apply_retention().map(|_| ());
        synced.and(sealed).and(flushed).and(merged).and(retained)
    }

    /// Makes durable everything that was acknowledged, whatever the sync policy.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn sync(&self) -> Result<()> {
        Ok(self.journal.flush()?)
    }

    /// The names of the blocks that are set aside for damage; nothing where there are none.
    pub fn set_aside(&self) -> Option<String> {
        publish::set_aside_names(&self.set_aside)
    }

    /// What the store has done and holds.
    pub fn stats(&self) -> Stats {
        let mut stats = Stats::default();
        self.counters.fill(&mut stats);
        let blocks = {
            let state = self.state.read();
            stats.streams = state.head.index.len() as u64;
            stats.buffered_lines = state.head.lines;
            stats.buffered_bytes = state.head.bytes;
            stats.max_time_ns = state.head.newest;
            stats.deletions = state.head.deletions.len() as u64;
            stats.progress = state.head.progress.len() as u64;
            Arc::clone(&state.blocks)
        };
        stats.out_of_space = self.out_of_space.load(Ordering::Relaxed);
        stats.journal_bytes = self.journal.bytes();
        stats.journal_torn_bytes = self.journal.torn_bytes();
        stats.journal_damages = self.journal.damages();
        stats.blocks = blocks.len() as u64;
        stats.blocks_damaged = blocks.iter().filter(|block| block.is_damaged()).count() as u64;
        stats.blocks_corrupt = self.set_aside.len() as u64;
        stats.block_bytes = blocks.iter().map(|block| block.bytes).sum();
        stats.block_lines = blocks.iter().map(|block| block.meta.lines).sum();
        stats.block_raw_bytes = blocks.iter().map(|block| block.meta.raw).sum();
        stats
    }

    /// Number of the newest frame of the journal, for comparison with [`Logdb::synced_frame`].
    pub fn last_frame(&self) -> u64 {
        self.journal.last().seq
    }

    /// Number of the last frame of the journal that survives a loss of power.
    pub fn synced_frame(&self) -> u64 {
        self.journal.synced_seq()
    }

    /// The blocks of this moment.
    pub(crate) fn blocks(&self) -> Arc<Vec<Arc<Block>>> {
        Arc::clone(&self.state.read().blocks)
    }

    pub(crate) fn blocks_dir(&self) -> Utf8PathBuf {
        self.dir.join("blocks")
    }

    /// Notes the moment of a success in `of`.
    pub(crate) fn succeeded(&self, of: &AtomicU64) {
        let now = self.clock.now().0.div_euclid(1_000_000);
        of.store(u64::try_from(now).unwrap_or(0), Ordering::Relaxed);
    }

    /// Takes an encoder, or makes one.
    pub(crate) fn take_sealer(&self) -> Sealer {
        let free = self.sealers.lock().pop();
        free.unwrap_or_else(|| Sealer::new(self.options.level))
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

    /// Looks at free space again once so many bytes came that it may be another one: between two
    /// ticks a quick client can push much more than is kept free.
    pub(crate) fn expect_bytes(&self, bytes: u64) {
        let unlooked = self.unlooked.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        if unlooked > self.options.free_bytes_min / LOOKS_PER_LIMIT {
            self.look_at_space();
        }
    }

    fn look_at_space(&self) {
        self.unlooked.store(0, Ordering::Relaxed);
        let free = self.fs.available_space(&self.dir).unwrap_or(u64::MAX);
        self.out_of_space.store(free < self.options.free_bytes_min, Ordering::Relaxed);
    }
}

impl State {
    /// Puts `added` in the place of `removed` for all readers from now on.
    pub(crate) fn replace_blocks(&mut self, added: Option<Block>, removed: &[u64]) {
        let kept = self.blocks.iter().filter(|block| !removed.contains(&block.number));
        let mut next: Vec<Arc<Block>> = kept.cloned().collect();
        next.extend(added.map(Arc::new));
        next.sort_by_key(|block| block.number);
        self.blocks = Arc::new(next);
    }
}

impl Maintenance {
    /// A number for a new block.
    pub(crate) fn next_block(&mut self) -> u64 {
        self.next_block += 1;
        self.next_block - 1
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
