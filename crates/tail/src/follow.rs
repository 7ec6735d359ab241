//! One path: the file that has its name now, and those that had it before and are not read to
//! their end.
//!
//! ```text
//!   0.log.20260101-120000   0.log.20260101-120010   0.log
//!   rotated, late lines      rotated meanwhile       current     <- readers, oldest first
//! ```
//!
//! Each look at the path asks which file has the name now. If it is another one, the old one is
//! read on under whatever name it has, then files that were rotated in between, then the new one.
//! If it is the same but shorter, or it begins differently, it was emptied: what was copied from it
//! before is found by its beginning and read on, and the file is read from its start.
//! What becomes of rotated files: `follow/rotated.rs`; finding them: `rotation.rs`.
//!
//! Invariant: a file has one reader in a job, whatever its names (`World::owners`), so that no
//! pattern that also names rotated files makes a line come twice.

use std::{io, sync::Arc, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use masthead_model::Labels;
use masthead_sysio::Metadata;
use tracing::{info, warn};

use crate::{
    batch::SlotCache,
    entry::Mark,
    pipeline::{Outcome, Pipeline},
    position::{self, Position, Run, Runs},
    reader::Reader,
    rotation,
    world::World,
};

mod rotated;

/// Read from one path before the next has its turn.
const TURN_BYTES: u64 = 4 << 20;
/// Rotated files that are remembered for one path; the oldest are forgotten beyond.
const READERS_MAX: usize = 64;
/// Between two looks at a path: the shortest, and the longest when nothing comes.
const LOOK_EVERY: Duration = Duration::from_millis(250);
const LOOK_EVERY_MAX: Duration = Duration::from_secs(1);
/// A path whose file is gone is forgotten after this.
const GONE_AFTER: Duration = Duration::from_mins(1);

/// One path that is followed.
#[derive(Debug)]
pub(crate) struct Follow {
    pub(crate) number: usize,
    pub(crate) job: Arc<str>,
    pub(crate) path: Utf8PathBuf,
    pub(crate) labels: Labels,
    /// The labels from the next line on that begins nothing held back.
    next_labels: Option<Labels>,
    /// The search in which a target last said what its labels are.
    claimed: u64,
    pipeline: Pipeline,
    slots: SlotCache,
    /// Oldest first.
    readers: Vec<Reader>,
    /// Whether the last of them is the file that has the name now.
    has_current: bool,
    started: bool,
    /// Where to begin a file that is met for the first time, as Promtail's positions say.
    begin_at: Option<u64>,
    /// Files of this path that were rotated after this have not been seen by anybody.
    unseen_since: Option<i64>,
    /// When the job was first collected: what was rotated before is not ours.
    job_since: i64,
    /// Copies that were made of the file after this may be of lines that nobody has read.
    copies_since: Option<i64>,
    pub(crate) next_look: Duration,
    look_every: Duration,
    gone_since: Option<Duration>,
    last_error: Option<io::ErrorKind>,
    pub(crate) dirty: bool,
}

/// How a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Everything that is there was read.
    Idle,
    /// There is more.
    More,
    /// The batch is full; it must go before anything else is read.
    Full,
    /// The path and all its files are gone.
    Gone,
}

impl Follow {
    pub(crate) fn new(
        number: usize,
        job: Arc<str>,
        path: Utf8PathBuf,
        labels: Labels,
        pipeline: Pipeline,
        now: Duration,
    ) -> Self {
        Self {
            number,
            job,
            path,
            labels,
            next_labels: None,
            claimed: 0,
            pipeline,
            slots: SlotCache::default(),
            readers: Vec::new(),
            has_current: false,
            started: false,
            begin_at: None,
            unseen_since: None,
            job_since: i64::MIN,
            copies_since: None,
            next_look: now,
            look_every: LOOK_EVERY,
            gone_since: None,
            last_error: None,
            dirty: false,
        }
    }

    /// A target has this path in a search of this number; the first in it says what labels the lines
    /// bear from now on, because discovery may have learned more of the target.
    pub(crate) fn claim(&mut self, search: u64, labels: impl FnOnce() -> Labels) {
        if std::mem::replace(&mut self.claimed, search) != search {
            self.next_labels = Some(labels()).filter(|labels| *labels != self.labels);
        }
    }

    /// Parts of a line must bear the same labels, so these change between lines only.
    fn relabel(&mut self) {
        if self.next_labels.is_none() {
            return;
        }
        let mut held = false;
        self.pipeline.held(&mut |_| held = true);
        if !held && let Some(labels) = self.next_labels.take() {
            self.labels = labels;
        }
    }

    /// What the sink says of files of this path, what Promtail's positions say of the path, and
    /// since when it may have been there without being found.
    pub(crate) fn recall(
        &mut self,
        positions: Vec<Position>,
        begin_at: Option<u64>,
        unseen_since: Option<i64>,
        world: &mut World,
    ) {
        self.begin_at = begin_at;
        self.unseen_since = unseen_since;
        self.job_since = unseen_since.unwrap_or(i64::MIN);
        for position in positions {
            let path = self.path.clone();
            self.add(&path, position, world);
        }
        self.readers.sort_by_key(|reader| reader.position.modified);
    }

    /// Looks at the path and reads what is new.
    pub(crate) fn turn(&mut self, world: &mut World) -> Turn {
        let turn = match self.try_turn(world) {
            Ok(turn) => {
                self.last_error = None;
                turn
            }
            Err(error) => {
                world.stats.file_errors.add(1);
                if self.last_error != Some(error.kind()) {
                    warn!(path = %self.path, %error, "Cannot read a file; it is tried again.");
                    self.last_error = Some(error.kind());
                }
                Turn::Idle
            }
        };
        let pause = match turn {
            Turn::Idle => self.look_every,
            _ => Duration::ZERO,
        };
        self.next_look = world.now.monotonic + pause;
        if let Some(until) = self.pipeline.parked_until() {
            self.next_look = until;
        }
        turn
    }

    fn try_turn(&mut self, world: &mut World) -> io::Result<Turn> {
        self.relabel();
        if self.pipeline.parked_until().is_some() {
            self.dirty = true;
            match self.pipeline.resume(&world.now.cx(&world.stats), &mut world.entry) {
                Outcome::Parked => return Ok(Turn::Idle),
                Outcome::Emit => world.emit(&mut self.slots),
                Outcome::Gone => {}
            }
        }
        self.look(world)?;
        let offset = self.read_so_far();
        let turn = self.read(world)?;
        if self.read_so_far() == offset {
            self.look_every = (self.look_every * 2).min(LOOK_EVERY_MAX);
        } else {
            self.look_every = LOOK_EVERY;
        }
        if turn != Turn::Idle {
            return Ok(turn);
        }
        self.tick(world);
        self.retire(world)?;
        Ok(if self.is_gone(world) { Turn::Gone } else { Turn::Idle })
    }

    fn read_so_far(&self) -> u64 {
        self.readers.iter().fold(0, |sum, reader| sum.wrapping_add(reader.position.offset))
    }

    // --- which files there are -------------------------------------------------------------

    /// Finds out which file has the name now.
    fn look(&mut self, world: &mut World) -> io::Result<()> {
        let found = match world.fs.metadata(&self.path) {
            Ok(found) if !found.is_file => None,
            Ok(found) => Some(found),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let first = !std::mem::replace(&mut self.started, true);
        let Some(found) = found else {
            if self.has_current || first {
                self.has_current = false;
                self.find_rotated(None, first, world)?;
            }
            self.gone_since.get_or_insert(world.now.monotonic);
            return if first { self.replay(world) } else { Ok(()) };
        };
        self.gone_since = None;
        if self.has_current && self.readers.last().is_some_and(|last| last.id() == found.id) {
            return self.check_current(&found, world);
        }
        let known = self.readers.iter().position(|reader| reader.id() == found.id);
        if known.is_none() && world.owner(&self.job, found.id).is_some_and(|n| n != self.number) {
            // A file that another path brought here is read there.
            if self.has_current {
                self.has_current = false;
                self.find_rotated(Some(&found), first, world)?;
            }
            return if first { self.replay(world) } else { Ok(()) };
        }
        let met_before = !self.readers.is_empty();
        if met_before && known.is_none() {
            world.stats.rotations.add(1);
        }
        self.has_current = false;
        self.copies_since = None;
        match known {
            Some(at) => {
                let mut reader = self.readers.remove(at);
                reader.path.clone_from(&self.path);
                reader.done = false;
                reader.close();
                if met_before && (first || !self.readers.is_empty()) {
                    self.locate_rotated(first, world)?;
                }
                self.readers.push(reader);
            }
            None => {
                if met_before {
                    self.find_rotated(Some(&found), first, world)?;
                } else {
                    let since = self.unseen_since.take();
                    self.find_between(Some(&found), since, world)?;
                }
                let begin_at = self.begin_at.take().filter(|_| !met_before);
                let offset = begin_at.filter(|offset| *offset <= found.len).unwrap_or(0);
                let modified = found.modified.0;
                let position = Position { id: found.id, offset, modified, ..Position::default() };
                let path = self.path.clone();
                self.add(&path, position, world);
                if let Some(reader) = self.readers.last_mut()
                    && offset > 0
                    && reader.open(&*world.fs)?
                {
                    reader.update_fingerprint()?;
                }
            }
        }
        self.has_current = true;
        if first {
            self.replay(world)?;
        }
        self.check_current(&found, world)
    }

    /// The file is the same; was it emptied?
    fn check_current(&mut self, found: &Metadata, world: &mut World) -> io::Result<()> {
        let Some(current) = self.readers.last_mut() else { return Ok(()) };
        let before = (current.position.modified, current.position.offset);
        current.position.modified = found.modified.0;
        current.at_end = found.len == before.1;
        if (found.modified.0, found.len) == before {
            return Ok(());
        }
        if !current.open(&*world.fs)? {
            // Renamed between two calls; the next look sees it.
            return Ok(());
        }
        if found.len >= before.1 && current.begins_as_before()? {
            return self.find_unread_copies(before.0, world);
        }
        current.at_end = false;
        world.stats.truncations.add(1);
        info!(path = %self.path, read = before.1, len = found.len, "A file was emptied.");
        self.dirty = true;
        let emptied = current.position.clone();
        let number = std::mem::replace(&mut current.number, world.next_number());
        current.start_over();
        self.drop_overwritten(world);
        let mut since = emptied.modified.min(before.0);
        let copy = rotation::copy_of(&*world.fs, &self.path, &emptied, since, &|id| {
            world.owner(&self.job, id).is_some()
        })?;
        self.copies_since = Some(since.max(self.job_since));
        if let Some((path, found)) = copy {
            since = found.modified.0;
            let offset = emptied.offset.min(found.len);
            let position = Position { id: found.id, modified: since, offset, ..emptied };
            if let Some(reader) = self.add_before_current(&path, position, world) {
                // Lines that are held back were read from these bytes.
                reader.number = number;
            }
        }
        self.find_between(Some(found), Some(since), world)
    }

    /// After a start: feeds the lines again that waited for the rest of their group.
    fn replay(&mut self, world: &mut World) -> io::Result<()> {
        for at in 0..self.readers.len() {
            let Some(reader) = self.readers.get_mut(at) else { break };
            let held = std::mem::take(&mut reader.position.held);
            if held.is_empty() || !reader.open(&*world.fs)? || !reader.begins_as_before()? {
                continue;
            }
            for run in held {
                let bytes = reader.read_run(run)?;
                let number = reader.number;
                let mut start = run.start;
                for line in bytes.split_inclusive(|byte| *byte == b'\n') {
                    let end = start + line.len() as u64;
                    let mark = Mark { reader: number, run: Run { start, end } };
                    start = end;
                    let line = line.strip_suffix(b"\n").unwrap_or(line);
                    self.dirty = true;
                    let time = world.now.next_line_time();
                    world.entry.reset(time, line, &self.labels, Some(mark));
                    let cx = world.now.cx(&world.stats);
                    if self.pipeline.process(&cx, &mut world.entry) == Outcome::Emit {
                        world.emit(&mut self.slots);
                    }
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, path: &Utf8Path, position: Position, world: &mut World) {
        let key = position::key(&self.job, self.path.as_str(), position.id).into();
        world.owners.insert((Arc::clone(&self.job), position.id), self.number);
        let mut reader = Reader::new(world.next_number(), path, key, position);
        reader.last_growth = world.now.monotonic;
        self.readers.push(reader);
        self.dirty = true;
        if self.readers.len() > READERS_MAX {
            self.remove(0, world);
        }
    }

    /// Adds a file that was copied or rotated before the one that has the name now, which is read
    /// after it.
    fn add_before_current(
        &mut self,
        path: &Utf8Path,
        position: Position,
        world: &mut World,
    ) -> Option<&mut Reader> {
        self.add(path, position, world);
        let end = self.readers.len();
        self.readers.swap(end.saturating_sub(2), end.saturating_sub(1));
        self.readers.get_mut(end.saturating_sub(2))
    }

    /// Forgets a file, here and at the sink.
    fn remove(&mut self, at: usize, world: &mut World) {
        let reader = self.readers.remove(at);
        world.owners.remove(&(Arc::clone(&self.job), reader.id()));
        world.batch.progress(&reader.key, None);
    }

    // --- reading ---------------------------------------------------------------------------

    fn read(&mut self, world: &mut World) -> io::Result<Turn> {
        let mut left = TURN_BYTES;
        for at in 0..self.readers.len() {
            loop {
                if world.batch_is_full() {
                    return Ok(Turn::Full);
                }
                if left == 0 {
                    return Ok(Turn::More);
                }
                let read = self.read_buffer(at, world)?;
                if self.pipeline.parked_until().is_some() {
                    return Ok(Turn::Idle);
                }
                if read == 0 {
                    break;
                }
                left = left.saturating_sub(read);
            }
        }
        if let Some(current) = self.readers.last_mut().filter(|_| self.has_current)
            && current.is_open()
            && world.is_short_of_files()
        {
            current.close();
            world.open_files -= 1;
        }
        Ok(if world.batch_is_full() { Turn::Full } else { Turn::Idle })
    }

    /// Reads one buffer of a file, and returns how many bytes became lines.
    fn read_buffer(&mut self, at: usize, world: &mut World) -> io::Result<u64> {
        let current = self.has_current && at + 1 == self.readers.len();
        let Some(reader) = self.readers.get_mut(at) else { return Ok(0) };
        if reader.done
            || (current && reader.at_end)
            || (!reader.is_open() && !world.may_open(reader)?)
        {
            return Ok(0);
        }
        let mut buffer = std::mem::take(&mut world.buffer);
        let filled = reader.fill(&mut buffer);
        let mut consumed = 0;
        let result = match filled {
            Ok(filled) => {
                while !world.batch_is_full()
                    && let Some(line) = reader.next_line(filled, &mut consumed)
                {
                    let mark = Mark { reader: reader.number, run: line.run };
                    let time = world.now.next_line_time();
                    world.entry.reset(time, line.text, &self.labels, Some(mark));
                    world.entry.cut = line.cut;
                    world.stats.lines_read.add(1);
                    world.stats.lines_cut.add(u64::from(line.cut));
                    let cx = world.now.cx(&world.stats);
                    match self.pipeline.process(&cx, &mut world.entry) {
                        Outcome::Emit => world.emit(&mut self.slots),
                        Outcome::Gone => {}
                        Outcome::Parked => break,
                    }
                }
                Ok(())
            }
            Err(error) => Err(error),
        };
        world.buffer = buffer;
        result?;
        if consumed > 0 {
            self.dirty = true;
            reader.last_growth = world.now.monotonic;
            reader.update_fingerprint()?;
            world.stats.bytes_read.add(consumed as u64);
        }
        Ok(consumed as u64)
    }

    /// Lets through groups that have waited long enough.
    pub(crate) fn tick(&mut self, world: &mut World) {
        let World { now, stats, entry, batch, tenants, .. } = world;
        let (slots, dirty) = (&mut self.slots, &mut self.dirty);
        self.pipeline.tick(&now.cx(stats), entry, &mut |entry| {
            *dirty = true;
            batch.push(entry, slots, *tenants);
        });
    }

    /// What stands in a finished file behind the last end of a line.
    fn read_last_line(&mut self, at: usize, world: &mut World) -> io::Result<()> {
        let Some(reader) = self.readers.get_mut(at) else { return Ok(()) };
        let mut buffer = std::mem::take(&mut world.buffer);
        let result = match reader.fill(&mut buffer) {
            Ok(filled) => {
                if let Some(line) = reader.last_line(filled) {
                    let mark = Mark { reader: reader.number, run: line.run };
                    let time = world.now.next_line_time();
                    world.entry.reset(time, line.text, &self.labels, Some(mark));
                    world.stats.lines_read.add(1);
                    self.dirty = true;
                    let cx = world.now.cx(&world.stats);
                    if self.pipeline.process(&cx, &mut world.entry) == Outcome::Emit {
                        world.emit(&mut self.slots);
                    }
                }
                Ok(())
            }
            Err(error) => Err(error),
        };
        world.buffer = buffer;
        result
    }

    fn is_gone(&self, world: &World) -> bool {
        let long = |since: Duration| world.now.monotonic.saturating_sub(since) >= GONE_AFTER;
        self.gone_since.is_some_and(long) && self.readers.is_empty()
    }

    // --- positions ---------------------------------------------------------------------------

    /// Tells the batch how far each file has been read. Everything that was read and not held back
    /// is in the batch, or was in one that the sink took.
    pub(crate) fn note_progress(&mut self, world: &mut World) {
        if !std::mem::take(&mut self.dirty) {
            return;
        }
        for reader in &mut self.readers {
            reader.position.held = Runs::new();
        }
        let readers = &mut self.readers;
        self.pipeline.held(&mut |mark| {
            if let Some(reader) = readers.iter_mut().find(|reader| reader.number == mark.reader) {
                position::add_run(&mut reader.position.held, mark.run);
            }
        });
        for reader in &mut self.readers {
            if let Some(news) = reader.news() {
                world.batch.progress(&reader.key, Some(news));
            }
        }
    }

    /// Where the current file is read next, for Promtail's positions.
    pub(crate) fn current_offset(&self) -> Option<u64> {
        let current = self.readers.last().filter(|_| self.has_current)?;
        let held = current.position.held.iter().map(|run| run.start).min();
        Some(held.unwrap_or(current.position.offset))
    }

    /// Files that are open.
    pub(crate) fn open_files(&self) -> usize {
        self.readers.iter().filter(|reader| reader.is_open()).count()
    }
}
