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
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
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
use masthead_sysio::{Clock, FileLock, Fs};
use parking_lot::{Mutex, MutexGuard, RwLock};

use crate::{
    Error, Options, Result, Stats, block::Block, frame::encode_state, head::Head, replay::Replay,
    segment::Sealer,
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
    keeper: Mutex<Keeper>,
    /// Encoders that nobody uses at the moment.
    pub(crate) sealers: Mutex<Vec<Sealer>>,
    /// Numbers of the pieces that somebody compresses at the moment; as many as threads.
    pub(crate) sealing: Mutex<BTreeSet<u64>>,
    pub(crate) counters: Counters,
    /// Bytes of lines taken since the start.
    pub(crate) appended_bytes: Count,
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
    pub(crate) blocks: Blocks<Block>,
    /// When the oldest line in memory came, on the monotonic clock.
    pub(crate) buffered_since: Option<Duration>,
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
        let (keeper, found) = Keeper::open::<Block>(Arc::clone(&fs), dir.join("blocks"))?;
        let blocks = found.blocks;
        let mut report = OpenReport {
            blocks: blocks.len(),
            corrupt: found.corrupt,
            removed: found.removed,
            ..OpenReport::default()
        };
        let mut replay = Replay::new(&options, &blocks);
        let (journal, replayed) = Journal::open(
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
        report.journal = replayed;
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
            state: RwLock::new(State { head, blocks, buffered_since }),
            keeper: Mutex::new(keeper),
            sealers: Mutex::default(),
            sealing: Mutex::default(),
            counters: Counters::default(),
            appended_bytes: Count::default(),
            flush_again: AtomicBool::new(false),
            out_of_space: AtomicBool::new(false),
            unlooked: AtomicU64::new(0),
            set_aside: found.set_aside,
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
        blocks::release_unread(&self.blocks(), self.clock.monotonic());
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
        let counters = &self.counters;
        let state = self.state.read();
        let (head, blocks) = (&state.head, &state.blocks);
        Stats {
            streams: head.index.len() as u64,
            buffered_lines: head.lines,
            buffered_bytes: head.bytes,
            max_time_ns: head.newest,
            lines_appended_total: counters.appended.get(),
            bytes_appended_total: self.appended_bytes.get(),
            lines_duplicate_total: counters.duplicates.get(),
            lines_rejected_total: counters.rejected.get(),
            out_of_space: self.out_of_space.load(Ordering::Relaxed),
            deletions: head.deletions.len() as u64,
            progress: head.progress.len() as u64,
            block_lines: blocks.iter().map(|block| block.meta.lines).sum(),
            block_raw_bytes: blocks.iter().map(|block| block.meta.raw).sum(),
            upkeep: counters.upkeep(blocks, &self.set_aside, Some(&self.journal)),
        }
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
    pub(crate) fn blocks(&self) -> Blocks<Block> {
        Arc::clone(&self.state.read().blocks)
    }

    /// Notes the moment of a success in `of`.
    pub(crate) fn succeeded(&self, of: &Gauge) {
        stats::succeeded(of, &*self.clock);
    }

    /// Takes an encoder, or makes one.
    pub(crate) fn take_sealer(&self) -> Sealer {
        let free = self.sealers.lock().pop();
        free.unwrap_or_else(|| Sealer::new(self.options.level))
    }

    /// Takes the right to change blocks, after the remains of what failed before are gone.
    pub(crate) fn maintain(&self) -> Result<MutexGuard<'_, Keeper>> {
        let mut keeper = self.keeper.lock();
        keeper.settle(&self.blocks())?;
        Ok(keeper)
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
    pub(crate) fn replace_blocks(&mut self, added: Option<Block>, removed: &[Arc<Block>]) {
        self.blocks = blocks::replaced(&self.blocks, added, removed);
    }
}

#[cfg(test)]
mod tests;
