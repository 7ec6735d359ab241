//! The collector, one step at a time: search for files, read, hand over.
//!
//! It has no thread and no timer of its own: `run.rs` calls [`Collector::step`] again and again, and
//! a test does so by hand on a simulated disk and clock. Whatever it has read and the sink does not
//! hold is read again by the next collector, because positions are kept by the sink alone.
//!
//! Looking is polling: one `stat` for each file, between four times a second and once. On this it
//! can rely on every file system and on every node, where notifications have limits of their own
//! (`fs.inotify.max_user_instances`), miss network file systems, and must be backed by polling
//! anyway. A thousand idle files cost about a thousandth of a processor.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    thread::Thread,
    time::Duration,
};

use camino::{Utf8Path, Utf8PathBuf};
use masthead_model::{ErrorClass, Labels};
use masthead_ports::{LogReport, LogSink};
use masthead_relabel::Rule;
use masthead_sysio::{Clock, Fs};
use parking_lot::Mutex;
use tracing::{error, warn};

use crate::{
    Error, Stats,
    follow::{Follow, Turn},
    journal::{self, Journal, JournalConfig},
    lines::{self, LineSource, Lines},
    pipeline::Pipeline,
    position::{self, Position},
    promtail_positions::PromtailPositions,
    rotation,
    target::{Source, Target},
    world::World,
};

/// Between two searches for files.
const SEARCH_EVERY: Duration = Duration::from_secs(5);
/// The same where discovery has news, so that a new target does not wait so long.
const SEARCH_EVERY_MIN: Duration = Duration::from_secs(1);
/// Between two batches that bring nothing but positions.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);
/// Waits after a refusal of the sink: the first, and the longest.
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(10);
/// The longest pause between two steps.
const PAUSE_MAX: Duration = Duration::from_millis(250);
/// Paths that are followed at one time.
const FOLLOWS_MAX: usize = 20_000;
/// Complaints about the same thing come once; so many different ones are remembered.
const COMPLAINTS_MAX: usize = 1_000;

/// Files that may be open at one time, before those that are read to their end are closed.
pub const OPEN_FILES_DEFAULT: usize = 512;

/// What a collector works with.
#[derive(Debug, Clone)]
pub struct Parts {
    /// Where files are.
    pub fs: Arc<dyn Fs>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Where lines go, and who remembers how far files were read.
    pub sink: Arc<dyn LogSink>,
    /// What is counted.
    pub stats: Arc<Stats>,
    /// Whether the sink understands [`crate::TENANT_LABEL`].
    pub tenants: bool,
    /// Files that may be open at one time.
    pub open_files_max: usize,
}

/// One job: where its files are and what becomes of their lines.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) name: Arc<str>,
    pub(crate) sources: Vec<Source>,
    pub(crate) rules: Vec<Rule>,
    /// What this machine is called where targets say on which they are.
    pub(crate) host: Arc<str>,
    pub(crate) pipeline: Pipeline,
    pub(crate) journal: Option<JournalConfig>,
    /// When it was first collected, in nanoseconds since 1970, as far as the sink remembers. What
    /// was rotated later and was never followed is unread; what was rotated before is not ours.
    pub(crate) since: i64,
}

/// Follows files and pipes; see the module.
#[derive(Debug)]
pub struct Collector {
    clock: Arc<dyn Clock>,
    sink: Arc<dyn LogSink>,
    jobs: Vec<Job>,
    follows: BTreeMap<usize, Follow>,
    /// Which follow a path of a job has.
    paths: BTreeMap<(Arc<str>, Utf8PathBuf), usize>,
    /// What the sink remembers and no follow has asked for yet, by job and path.
    recalled: BTreeMap<(Arc<str>, Utf8PathBuf), Vec<Position>>,
    lines: Vec<Lines>,
    journals: Vec<Journal>,
    world: World,
    promtail: Option<PromtailPositions>,
    next_number: usize,
    next_search: Duration,
    last_search: Duration,
    /// Counted so that the first target of a path has it in every search.
    searches: u64,
    /// After a refusal: how long to wait, and until when.
    refused: Option<(Duration, Duration)>,
    last_progress: Option<Duration>,
    complaints: HashSet<String>,
    wake: Arc<Mutex<Option<Thread>>>,
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// There is more to do at once.
    Busy,
    /// Nothing to do for so long.
    Idle(Duration),
    /// The sink takes nothing; nothing is read before it does. Ask again after so long.
    Blocked(Duration),
}

impl Collector {
    pub(crate) fn new(
        parts: Parts,
        mut jobs: Vec<Job>,
        promtail: Option<PromtailPositions>,
    ) -> Result<Self, Error> {
        let mut recalled: BTreeMap<_, Vec<Position>> = BTreeMap::new();
        for job in &jobs {
            let prefix = position::prefix(&job.name);
            for kept in parts.sink.progress(&prefix).map_err(Error::Progress)? {
                let Some((path, id)) = position::parse_key(&prefix, &kept.key) else { continue };
                let position = kept.value.and_then(|value| Position::decode(id, &value));
                let Some(position) = position else {
                    warn!(key = %kept.key, "A position is not readable; its file starts anew.");
                    continue;
                };
                let key = (Arc::clone(&job.name), Utf8PathBuf::from(path));
                recalled.entry(key).or_default().push(position);
            }
        }
        let mut world = World::new(parts.fs, parts.stats, parts.tenants, parts.open_files_max);
        world.now.update(&*parts.clock);
        for job in &mut jobs {
            let key: Arc<str> = position::since_key(&job.name).into();
            let kept = parts.sink.progress(&key).map_err(Error::Progress)?;
            let known = kept.into_iter().find(|kept| kept.key == key);
            let known = known.and_then(|kept| kept.value?.parse().ok());
            job.since = known.unwrap_or(world.now.wall.0);
            if known.is_none() {
                world.batch.progress(&key, Some(job.since.to_string().into()));
            }
        }
        let wake = Arc::<Mutex<Option<Thread>>>::default();
        let mut journals = Vec::new();
        for job in &jobs {
            let Some(config) = &job.journal else { continue };
            let key = journal::key(&job.name);
            let kept = parts.sink.progress(&key).map_err(Error::Progress)?;
            let kept = kept.into_iter().find(|kept| *kept.key == *key);
            let cursor = kept.and_then(|kept| kept.value);
            let theirs = || Some(promtail.as_ref()?.cursor(&job.name)?.into());
            let cursor = cursor.or_else(theirs);
            let (pipeline, wake) = (job.pipeline.fresh(), Arc::clone(&wake));
            journals.push(Journal::new(&job.name, config, &job.rules, pipeline, cursor, wake));
        }
        Ok(Self {
            next_search: world.now.monotonic,
            last_search: world.now.monotonic,
            searches: 0,
            last_progress: None,
            clock: parts.clock,
            sink: parts.sink,
            jobs,
            follows: BTreeMap::new(),
            paths: BTreeMap::new(),
            recalled,
            lines: Vec::new(),
            journals,
            world,
            promtail,
            next_number: 0,
            refused: None,
            complaints: HashSet::new(),
            wake,
        })
    }

    /// Opens a way in for lines that do not come from a file. They pass the stages of the job of
    /// this name, if there is one.
    pub fn line_source(&mut self, job: &str, labels: Labels) -> LineSource {
        let job = self.jobs.iter().find(|other| *other.name == *job);
        let pipeline = job.map(|job| job.pipeline.fresh()).unwrap_or_default();
        let (source, lines) = lines::pair(labels, pipeline, Arc::clone(&self.wake));
        self.lines.push(lines);
        source
    }

    /// Does what there is to do, without waiting for anything but the sink and the disk.
    pub fn step(&mut self) -> Step {
        self.world.now.update(&*self.clock);
        let now = self.world.now.monotonic;
        if let Some((_, until)) = self.refused
            && now < until
        {
            return Step::Blocked(until.saturating_sub(now));
        }
        if (self.world.batch_is_full() || self.refused.is_some())
            && let Err(wait) = self.hand_over()
        {
            return Step::Blocked(wait);
        }
        let rested = now >= self.last_search + SEARCH_EVERY_MIN;
        if now >= self.next_search || (rested && self.has_news()) {
            self.search();
            self.last_search = now;
            self.next_search = now + SEARCH_EVERY;
        }
        let mut busy = false;
        self.world.open_files = self.follows.values().map(Follow::open_files).sum();
        let due: Vec<usize> =
            self.follows.values().filter(|f| f.next_look <= now).map(|f| f.number).collect();
        for number in due {
            match self.turn(number) {
                Ok(more) => busy |= more,
                Err(wait) => return Step::Blocked(wait),
            }
        }
        for at in 0..self.lines.len() {
            while self.lines.get_mut(at).is_some_and(|lines| lines.take(&mut self.world)) {
                if let Err(wait) = self.hand_over() {
                    return Step::Blocked(wait);
                }
            }
        }
        self.lines.retain(|lines| !lines.ended());
        for at in 0..self.journals.len() {
            while self.journals.get_mut(at).is_some_and(|journal| journal.take(&mut self.world)) {
                if let Err(wait) = self.hand_over() {
                    return Step::Blocked(wait);
                }
            }
        }
        let due = self.last_progress.is_none_or(|last| now >= last + PROGRESS_EVERY);
        if (self.world.batch.lines() > 0 || due)
            && let Err(wait) = self.hand_over()
        {
            return Step::Blocked(wait);
        }
        self.write_promtail_positions(false);
        self.world.stats.files.set(self.follows.len() as u64);
        self.world.stats.files_open.set(self.world.open_files as u64);
        if busy { Step::Busy } else { Step::Idle(self.pause()) }
    }

    /// Writes what is written beside the sink; the sink itself has everything that counts.
    pub fn finish(&mut self) {
        self.write_promtail_positions(true);
    }

    pub(crate) fn wake_handle(&self) -> Arc<Mutex<Option<Thread>>> {
        Arc::clone(&self.wake)
    }

    fn pause(&self) -> Duration {
        let now = self.world.now.monotonic;
        let next = self.follows.values().map(|follow| follow.next_look).min();
        let next = next.map_or(PAUSE_MAX, |next| next.saturating_sub(now));
        next.min(PAUSE_MAX)
    }

    /// Gives one path its turn; `true` if there is more, which waits until the others had theirs.
    fn turn(&mut self, number: usize) -> Result<bool, Duration> {
        let Some(follow) = self.follows.get_mut(&number) else { return Ok(false) };
        match follow.turn(&mut self.world) {
            Turn::Idle => Ok(false),
            Turn::More => Ok(true),
            Turn::Full => self.hand_over().map(|()| true),
            Turn::Gone => {
                if let Some(follow) = self.follows.remove(&number) {
                    self.paths.remove(&(follow.job, follow.path));
                }
                Ok(false)
            }
        }
    }

    /// Gives the batch to the sink, or says how long to wait before it is tried again.
    fn hand_over(&mut self) -> Result<(), Duration> {
        // A batch that was refused goes again as it was: what was read since is not in it, and
        // nothing was.
        if self.refused.is_none() {
            for follow in self.follows.values_mut() {
                follow.note_progress(&mut self.world);
            }
            for journal in &mut self.journals {
                journal.note_progress(&mut self.world);
            }
            self.last_progress = Some(self.world.now.monotonic);
        }
        if self.world.batch.is_empty() {
            return Ok(());
        }
        let result = self.sink.append(&self.world.batch.as_log_batch());
        let stats = &self.world.stats;
        match result {
            Ok(report) => {
                self.refused = None;
                self.count(&report);
                self.world.batch.clear();
                Ok(())
            }
            Err(refusal) => {
                stats.appends_failed.add(1);
                let before = self.refused.map(|(wait, _)| wait);
                let wait = before.map_or(RETRY_FIRST, |wait| (wait * 2).min(RETRY_MAX));
                if before.is_none() {
                    warn!(error = %refusal, "Lines cannot be handed over now; reading waits.");
                }
                if !refusal.class.is_retryable() {
                    self.lose_lines(refusal.class, &refusal.message);
                }
                self.refused = Some((wait, self.world.now.monotonic + wait));
                Err(wait)
            }
        }
    }

    /// A batch that will never be taken goes; how far files were read stays.
    fn lose_lines(&mut self, class: ErrorClass, message: &str) {
        let lines = self.world.batch.lines() as u64;
        if lines > 0 {
            error!(lines, message, ?class, "Lines are lost: they were refused for good.");
            self.world.stats.rejected("refused", lines);
            self.world.batch.give_up_lines();
        }
    }

    fn count(&mut self, report: &LogReport) {
        let stats = &self.world.stats;
        stats.lines_sent.add(report.appended as u64);
        stats.lines_duplicate.add(report.duplicates as u64);
        stats.last_append_ms.set(u64::try_from(self.world.now.wall.0 / 1_000_000).unwrap_or(0));
        let Some(first) = report.rejected.first() else { return };
        for rejected in &report.rejected {
            stats.rejected(rejected.reason.as_label(), 1);
        }
        if self.complaints.len() < COMPLAINTS_MAX
            && self.complaints.insert(first.reason.as_label().to_owned())
        {
            error!(
                reason = %first.reason, lines = report.rejected.len(),
                "Lines are lost: the store refused them. Further ones are counted only."
            );
        }
    }

    // --- searching ---------------------------------------------------------------------------

    fn has_news(&self) -> bool {
        self.jobs.iter().flat_map(|job| &job.sources).any(Source::has_news)
    }

    fn search(&mut self) {
        let mut new: Vec<Follow> = Vec::new();
        self.searches += 1;
        for job in &mut self.jobs {
            let mut complaints = Vec::new();
            let mut targets: Vec<Target> = Vec::new();
            for source in &mut job.sources {
                let mut complain = |complaint| complaints.push(complaint);
                let now = self.world.now.monotonic;
                let (fs, host) = (&*self.world.fs, &*job.host);
                targets.extend(source.targets(fs, now, &job.rules, host, &mut complain));
            }
            for complaint in complaints {
                if self.complaints.len() < COMPLAINTS_MAX
                    && self.complaints.insert(complaint.clone())
                {
                    warn!(job = %job.name, complaint, "A part of a job is not collected.");
                }
            }
            for target in &targets {
                let found = target.path.expand(&*self.world.fs);
                if found.cut {
                    self.world.stats.files_over_limit.add(1);
                }
                for path in found.files {
                    if target.exclude.as_ref().is_some_and(|exclude| exclude.matches(&path)) {
                        continue;
                    }
                    let key = (Arc::clone(&job.name), path);
                    if let Some(number) = self.paths.get(&key) {
                        if let Some(follow) = self.follows.get_mut(number) {
                            follow.claim(self.searches, || labels_of(target, &key.1));
                        }
                        continue;
                    }
                    if rotation::is_compressed(&key.1) {
                        if self.complaints.len() < COMPLAINTS_MAX
                            && self.complaints.insert(format!("compressed {}", key.1))
                        {
                            self.world.stats.compressed_skipped.add(1);
                        }
                        continue;
                    }
                    if self.paths.len() >= FOLLOWS_MAX {
                        self.world.stats.files_over_limit.add(1);
                        break;
                    }
                    new.push(follow(&mut self.next_number, job, target, &key.1, &self.world));
                    self.paths.insert(key, self.next_number);
                }
            }
            // A path that was followed and is not there now may have rotated files that are.
            let recalled = self.recalled.keys().filter(|key| key.0 == job.name);
            for key in recalled.cloned().collect::<Vec<_>>() {
                if self.paths.contains_key(&key) {
                    continue;
                }
                if let Some(target) = targets.iter().find(|t| t.path.matches(&key.1)) {
                    new.push(follow(&mut self.next_number, job, target, &key.1, &self.world));
                    self.paths.insert(key, self.next_number);
                }
            }
        }
        for mut follow in new {
            let key = (Arc::clone(&follow.job), follow.path.clone());
            let positions = self.recalled.remove(&key).unwrap_or_default();
            let begin_at = self.promtail.as_mut().and_then(|kept| kept.offset(&follow.path));
            let begin_at = begin_at.filter(|_| positions.is_empty());
            let since = self.jobs.iter().find(|job| job.name == follow.job).map(|job| job.since);
            follow.recall(positions, begin_at, since, &mut self.world);
            self.follows.insert(follow.number, follow);
        }
        self.forget_unclaimed();
        for follow in self.follows.values_mut() {
            if let Err(error) = follow.search_rotated(&mut self.world) {
                self.world.stats.file_errors.add(1);
                warn!(path = %follow.path, %error, "Cannot look for rotated files.");
            }
        }
    }

    /// Positions of files that no pattern names any more and that are gone.
    fn forget_unclaimed(&mut self) {
        let fs = Arc::clone(&self.world.fs);
        let batch = &mut self.world.batch;
        self.recalled.retain(|(job, path), positions| {
            let there = path.parent().is_some_and(|dir| fs.metadata(dir).is_ok());
            if !there {
                for position in positions.iter() {
                    let key: Arc<str> = position::key(job, path.as_str(), position.id).into();
                    batch.progress(&key, None);
                }
            }
            there
        });
    }

    fn write_promtail_positions(&mut self, now: bool) {
        let Some(promtail) = &mut self.promtail else { return };
        if !now && !promtail.is_due(self.world.now.monotonic) {
            return;
        }
        let files = self.follows.values().filter_map(|follow| {
            Some((follow.path.to_string(), follow.current_offset()?.to_string()))
        });
        let journals = self.journals.iter().filter_map(|journal| {
            let (job, cursor) = journal.position()?;
            Some((PromtailPositions::cursor_key(job), cursor.to_owned()))
        });
        let positions = files.chain(journals).collect();
        promtail.write(&*self.world.fs, self.world.now.monotonic, positions);
    }
}

fn follow(
    number: &mut usize,
    job: &Job,
    target: &Target,
    path: &Utf8PathBuf,
    world: &World,
) -> Follow {
    *number += 1;
    let labels = labels_of(target, path);
    let name = Arc::clone(&job.name);
    let pipeline = job.pipeline.fresh();
    Follow::new(*number, name, path.clone(), labels, pipeline, world.now.monotonic)
}

/// The labels with which the lines of a file begin.
fn labels_of(target: &Target, path: &Utf8Path) -> Labels {
    target.labels.to_builder().set("filename", path.as_str()).build()
}

#[cfg(test)]
mod tests {
    use masthead_ports::{LogBatch, Progress, testing::MemoryLogStore};
    use masthead_sysio::{SimClock, SimFs, atomic_write};

    use super::*;
    use crate::{PromtailConfig, Setup};

    #[test]
    fn a_journal_goes_on_where_promtail_stopped_unless_the_sink_knows_more() {
        let (fs, store) = (SimFs::new(1), Arc::<MemoryLogStore>::default());
        atomic_write(&fs, "/p.yaml".into(), b"positions: {cursor-j: s=1;i=2}\n").unwrap();
        let setup = Setup {
            fs: Arc::new(fs),
            clock: Arc::new(SimClock::default()),
            sink: Arc::clone(&store) as Arc<dyn LogSink>,
            tenants: false,
            node: "node1".into(),
            stats: Arc::default(),
            kubernetes: Arc::default(),
        };
        let text = "{positions: {filename: /p.yaml}, scrape_configs: [{job_name: j, journal: {}}]}";
        let config = PromtailConfig::parse(text).unwrap();
        let f = |want: &str| {
            let collector = config.collector(&setup).unwrap();
            assert_eq!(collector.journals[0].position(), Some(("j", want)));
        };
        f("s=1;i=2");
        let (key, value) = (journal::key("j").into(), Some("s=9;i=9".into()));
        let progress = vec![Progress { key, value }];
        store.append(&LogBatch { streams: Vec::new(), progress }).unwrap();
        f("s=9;i=9");
    }
}
