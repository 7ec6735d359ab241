//! systemd's journal, read through `journalctl`, which every machine with a journal has.
//!
//! The files of a journal have a format that grows with systemd (hash tables, four compressions,
//! keyed hashes), and its own library is not to be had without linking to C. `journalctl` speaks
//! JSON, follows across rotations, and goes on after a cursor; nothing of a request ever reaches
//! its command line.
//!
//! An entry's cursor goes to the sink together with its line, so that after a kill reading goes on
//! behind the last line that is held. While the sink takes nothing the pipe fills up, and
//! `journalctl` waits. Where there is no `journalctl`, one warning says so.
//!
//! Entries as `journalctl` writes them: `journal/entry.rs`.

use std::{
    collections::VecDeque,
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, ChildStdout, Command, Stdio},
    sync::{Arc, mpsc},
    thread::{self, Thread},
    time::Duration,
};

use masthead_model::{Labels, Nanos};
use masthead_relabel::Rule;
use parking_lot::Mutex;
use tracing::{error, warn};

use crate::{
    LINE_BYTES_MAX,
    batch::SlotCache,
    entry::Mark,
    pipeline::{Outcome, Pipeline},
    position::Run,
    world::World,
};

mod entry;

use entry::Entry;
pub(crate) use entry::read_for_fuzzing;

/// Bytes of one entry as JSON; a longer one is left out, counted.
const ENTRY_BYTES_MAX: u64 = 1 << 20;
/// Entries on their way.
const QUEUE_ENTRIES: usize = 64;
/// Waits before `journalctl` is started again: the first, and the longest.
const RESTART_FIRST: Duration = Duration::from_secs(1);
const RESTART_MAX: Duration = Duration::from_mins(1);
/// Cursors that are remembered while lines are held back by a stage.
const CURSORS_MAX: usize = 10_000;

/// `journal` of a job, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JournalConfig {
    /// Whether a line is the whole entry as JSON, rather than its message.
    pub(crate) json: bool,
    /// Without a cursor, how far back reading begins.
    pub(crate) max_age: Duration,
    /// Where the journal lies, if not where the system has it.
    pub(crate) path: String,
    /// Labels of every line.
    pub(crate) labels: Labels,
    /// `FIELD=value`, all of which an entry must have.
    pub(crate) matches: Vec<String>,
}

/// A journal that is followed.
#[derive(Debug)]
pub(crate) struct Journal {
    job: Arc<str>,
    key: Arc<str>,
    config: JournalConfig,
    rules: Vec<Rule>,
    pipeline: Pipeline,
    slots: SlotCache,
    reading: Option<Reading>,
    restart_at: Duration,
    restart_wait: Duration,
    /// Nothing to start.
    absent: bool,
    /// Behind which entry the next `journalctl` begins.
    cursor: Option<Arc<str>>,
    /// Numbers and cursors of entries that came since the last progress.
    recent: VecDeque<(u64, Arc<str>)>,
    next_number: u64,
    wake: Arc<Mutex<Option<Thread>>>,
}

/// A `journalctl` at work; it ends with this.
#[derive(Debug)]
struct Reading {
    child: Child,
    receiver: mpsc::Receiver<Entry>,
}

impl Drop for Reading {
    fn drop(&mut self) {
        // It may have ended already; both calls then do nothing.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The key under which the sink keeps how far a job's journal was read.
pub(crate) fn key(job: &str) -> String {
    format!("journal:{job}")
}

impl Journal {
    pub(crate) fn new(
        job: &Arc<str>,
        config: &JournalConfig,
        rules: &[Rule],
        pipeline: Pipeline,
        cursor: Option<Arc<str>>,
        wake: Arc<Mutex<Option<Thread>>>,
    ) -> Self {
        Self {
            job: Arc::clone(job),
            key: key(job).into(),
            config: config.clone(),
            rules: rules.to_vec(),
            pipeline,
            slots: SlotCache::default(),
            reading: None,
            restart_at: Duration::ZERO,
            restart_wait: RESTART_FIRST,
            absent: false,
            cursor,
            recent: VecDeque::new(),
            next_number: 0,
            wake,
        }
    }

    /// Moves what has come into the batch; `true` if there may be more.
    pub(crate) fn take(&mut self, world: &mut World) -> bool {
        if self.pipeline.parked_until().is_some() {
            match self.pipeline.resume(&world.now.cx(&world.stats), &mut world.entry) {
                Outcome::Parked => return false,
                Outcome::Emit => world.emit(&mut self.slots),
                Outcome::Gone => {}
            }
        }
        self.keep_reading(world);
        while !world.batch_is_full() {
            let Some(reading) = &self.reading else { break };
            match reading.receiver.try_recv() {
                Ok(entry) => {
                    if !self.line(&entry, world) {
                        return false;
                    }
                }
                Err(mpsc::TryRecvError::Empty) => break,
                Err(mpsc::TryRecvError::Disconnected) => {
                    self.ended(world);
                    break;
                }
            }
        }
        self.tick(world);
        world.batch_is_full()
    }

    /// One entry; `false` if nothing more may come in for now.
    fn line(&mut self, entry: &Entry, world: &mut World) -> bool {
        let number = self.next_number;
        self.next_number += 1;
        self.restart_wait = RESTART_FIRST;
        self.cursor = Some(Arc::clone(&entry.cursor));
        if self.recent.len() >= CURSORS_MAX {
            // A stage holds back more than that; it is read again after a kill.
            self.recent.pop_front();
        }
        self.recent.push_back((number, Arc::clone(&entry.cursor)));
        world.stats.lines_read.add(1);
        let Some(labels) = self.labels(entry) else { return true };
        // Promtail leaves out what has no message.
        let Some(line) = entry.line(self.config.json) else { return true };
        let cut = line.len() > LINE_BYTES_MAX;
        let line = line.get(..LINE_BYTES_MAX).unwrap_or(&line);
        let time = entry.time.map_or_else(|| world.now.next_line_time(), Nanos);
        let run = Run { start: number, end: number + 1 };
        world.entry.reset(time, line, &labels, Some(Mark { reader: 0, run }));
        world.entry.cut = cut;
        world.stats.lines_cut.add(u64::from(cut));
        world.stats.bytes_read.add(line.len() as u64 + 1);
        match self.pipeline.process(&world.now.cx(&world.stats), &mut world.entry) {
            Outcome::Emit => world.emit(&mut self.slots),
            Outcome::Gone => {}
            Outcome::Parked => return false,
        }
        true
    }

    /// The labels of an entry's line, if the rules keep it.
    fn labels(&self, entry: &Entry) -> Option<Labels> {
        let mut labels = self.config.labels.to_builder();
        for (name, value) in entry.labels() {
            labels.set(&name, &value);
        }
        if !masthead_relabel::process(&mut labels, &self.rules) {
            return None;
        }
        labels.retain(|label| !label.name.starts_with("__"));
        let labels = labels.build();
        // A stream has a label; Promtail loses such lines.
        let nameless = labels.is_empty();
        Some(if nameless { [("job", &*self.job)].into_iter().collect() } else { labels })
    }

    /// Puts the last cursor before which every line is in the batch or further into the batch.
    pub(crate) fn note_progress(&mut self, world: &mut World) {
        let mut held = u64::MAX;
        self.pipeline.held(&mut |mark| held = held.min(mark.run.start));
        let mut last = None;
        while self.recent.front().is_some_and(|(number, _)| *number < held) {
            last = self.recent.pop_front();
        }
        if let Some((_, cursor)) = last {
            world.batch.progress(&self.key, Some(cursor));
        }
    }

    /// The job, and the last entry that was read, for Promtail's positions.
    pub(crate) fn position(&self) -> Option<(&str, &str)> {
        Some((&self.job, self.cursor.as_deref()?))
    }

    fn tick(&mut self, world: &mut World) {
        let World { now, stats, entry, batch, tenants, .. } = world;
        let slots = &mut self.slots;
        self.pipeline.tick(&now.cx(stats), entry, &mut |entry| batch.push(entry, slots, *tenants));
    }

    fn keep_reading(&mut self, world: &World) {
        if self.reading.is_some() || self.absent || world.now.monotonic < self.restart_at {
            return;
        }
        match self.start(world) {
            Ok(reading) => self.reading = Some(reading),
            Err(failure) if failure.kind() == std::io::ErrorKind::NotFound => {
                self.absent = true;
                warn!(job = %self.job, "There is no journalctl: the journal is not read.");
            }
            Err(failure) => {
                world.stats.file_errors.add(1);
                error!(job = %self.job, error = %failure, "Cannot start journalctl.");
                self.wait(world);
            }
        }
    }

    fn ended(&mut self, world: &World) {
        let Some(mut reading) = self.reading.take() else { return };
        let status = reading.child.wait().map_or_else(|e| e.to_string(), |s| s.to_string());
        world.stats.file_errors.add(1);
        warn!(job = %self.job, status, "journalctl has ended; it is started again.");
        self.wait(world);
    }

    fn wait(&mut self, world: &World) {
        self.restart_at = world.now.monotonic + self.restart_wait;
        self.restart_wait = (self.restart_wait * 2).min(RESTART_MAX);
    }

    fn start(&self, world: &World) -> std::io::Result<Reading> {
        let mut command = Command::new("journalctl");
        command.args([
            "--follow",
            "--no-pager",
            "--quiet",
            "--all",
            "--output=json",
            "--lines=all",
        ]);
        if !self.config.path.is_empty() {
            command.arg(format!("--directory={}", self.config.path));
        }
        match &self.cursor {
            Some(cursor) => command.arg(format!("--after-cursor={cursor}")),
            None => {
                let age = i64::try_from(self.config.max_age.as_secs()).unwrap_or(i64::MAX);
                let since = (world.now.wall.0 / 1_000_000_000).saturating_sub(age);
                command.arg(format!("--since=@{}", since.max(0)))
            }
        };
        command.args(&self.config.matches);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let stdout = child.stdout.take().ok_or_else(|| std::io::Error::other("no pipe"))?;
        let (sender, receiver) = mpsc::sync_channel(QUEUE_ENTRIES);
        let (wake, stats) = (Arc::clone(&self.wake), Arc::clone(&world.stats));
        let left_out = move || stats.file_errors.add(1);
        let read = move || read(stdout, &sender, &wake, &left_out);
        thread::Builder::new().name("journal".into()).spawn(read)?;
        Ok(Reading { child, receiver })
    }
}

/// Reads entries until the pipe or the other end of the channel is closed.
fn read(
    stdout: ChildStdout,
    sender: &mpsc::SyncSender<Entry>,
    wake: &Mutex<Option<Thread>>,
    left_out: &dyn Fn(),
) {
    let mut reader = BufReader::new(stdout);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut reader).take(ENTRY_BYTES_MAX).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        if line.last() != Some(&b'\n') {
            left_out();
            if reader.skip_until(b'\n').is_err() {
                return;
            }
            continue;
        }
        let Some(entry) = Entry::read(&line) else {
            left_out();
            continue;
        };
        if sender.send(entry).is_err() {
            return;
        }
        if let Some(thread) = &*wake.lock() {
            thread.unpark();
        }
    }
}
