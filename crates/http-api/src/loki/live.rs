//! Lines as they come in, for whoever follows them.
//!
//! Stands in front of the sink: what the sink took is handed on to those who asked for its stream.
//! Each of them has a queue with a limit; one that reads too slowly misses lines and is told which,
//! and never holds up a push. While nobody follows, a push costs one look at a counter.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, Weak,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
};

use masthead_model::{Labels, Matcher, Nanos};
use masthead_ports::{AppendError, LogBatch, LogReport, LogSink, LogStream, Progress};
use tokio::sync::mpsc;

/// Runs of lines that wait for one follower at most.
const QUEUE_RUNS: usize = 1024;
/// Bytes that wait for one follower at most.
const QUEUE_BYTES: usize = 4 << 20;
/// Missed lines that one follower is told of at most; more are only counted.
const MISSED_MAX: usize = 1000;

/// A sink that lets others follow what goes into it.
#[derive(Debug)]
pub struct LiveTail {
    inner: Arc<dyn LogSink>,
    followers: Mutex<Vec<Follower>>,
    /// The length of `followers`, to be looked at without a lock.
    count: AtomicUsize,
    closed: AtomicBool,
    missed: Arc<AtomicU64>,
}

/// Who follows what.
#[derive(Debug)]
struct Follower {
    matchers: Vec<Matcher>,
    sender: mpsc::Sender<Run>,
    shared: Weak<Held>,
}

/// What a follower and its queue know of each other.
#[derive(Debug, Default)]
struct Held {
    bytes: AtomicUsize,
    missed: Mutex<Vec<Missed>>,
}

/// Lines of one stream that came together.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) labels: Labels,
    pub(super) lines: Vec<TailedLine>,
    bytes: usize,
}

/// One line.
#[derive(Debug)]
pub(super) struct TailedLine {
    pub(super) timestamp: Nanos,
    pub(super) line: Box<[u8]>,
    pub(super) metadata: Labels,
}

/// A line that a follower missed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Missed {
    pub(super) labels: Labels,
    pub(super) timestamp: Nanos,
}

/// The end of a queue; dropping it ends the following.
#[derive(Debug)]
pub(super) struct Following {
    runs: mpsc::Receiver<Run>,
    shared: Arc<Held>,
}

/// How many follow, and how many lines they missed since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct LiveStats {
    pub(super) followers: u64,
    pub(super) missed: u64,
}

impl LiveTail {
    /// Stands in front of `inner`.
    pub fn new(inner: Arc<dyn LogSink>) -> Self {
        Self {
            inner,
            followers: Mutex::default(),
            count: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            missed: Arc::default(),
        }
    }

    /// Ends all following; nobody can begin any more.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        let mut followers = self.lock();
        followers.clear();
        self.count.store(0, Ordering::Relaxed);
    }

    pub(super) fn stats(&self) -> LiveStats {
        LiveStats {
            followers: self.count.load(Ordering::Relaxed) as u64,
            missed: self.missed.load(Ordering::Relaxed),
        }
    }

    /// Follows the streams that match all `matchers`, from now on.
    pub(super) fn follow(&self, matchers: Vec<Matcher>) -> Following {
        let (sender, runs) = mpsc::channel(QUEUE_RUNS);
        let shared = Arc::new(Held::default());
        let mut followers = self.lock();
        if !self.closed.load(Ordering::Relaxed) {
            followers.push(Follower { matchers, sender, shared: Arc::downgrade(&shared) });
            self.count.store(followers.len(), Ordering::Relaxed);
        }
        Following { runs, shared }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Follower>> {
        self.followers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, batch: &LogBatch<'_>, report: &LogReport) {
        let mut followers = self.lock();
        followers.retain(|follower| !follower.sender.is_closed());
        self.count.store(followers.len(), Ordering::Relaxed);
        for (at, stream) in batch.streams.iter().enumerate() {
            let mut refused = report.rejected.iter().filter(|line| line.stream == at).peekable();
            let taken = |row: usize| {
                // Refusals come in the order of the batch, so one walk finds them all.
                if refused.peek().is_some_and(|line| line.row == row) {
                    refused.next();
                    return false;
                }
                true
            };
            let rows: Vec<usize> = (0..stream.rows.len())
                .filter({
                    let mut taken = taken;
                    move |row| taken(*row)
                })
                .collect();
            for follower in followers.iter() {
                if follower.matchers.iter().all(|m| m.matches_labels(&stream.labels)) {
                    self.missed.fetch_add(follower.give(stream, &rows), Ordering::Relaxed);
                }
            }
        }
    }
}

impl LogSink for LiveTail {
    fn append(&self, batch: &LogBatch<'_>) -> Result<LogReport, AppendError> {
        let report = self.inner.append(batch)?;
        if self.count.load(Ordering::Relaxed) > 0 {
            self.publish(batch, &report);
        }
        Ok(report)
    }

    fn progress(&self, prefix: &str) -> Result<Vec<Progress>, AppendError> {
        self.inner.progress(prefix)
    }
}

impl Follower {
    /// Puts the lines into the queue and says how many found no room.
    fn give(&self, stream: &LogStream<'_>, rows: &[usize]) -> u64 {
        let Some(shared) = self.shared.upgrade() else { return 0 };
        let rows = || rows.iter().filter_map(|row| stream.rows.get(*row));
        let bytes = rows().map(|row| row.line.len() + size_of::<TailedLine>()).sum();
        let room = QUEUE_BYTES.saturating_sub(shared.bytes.load(Ordering::Relaxed));
        let lines = || {
            rows()
                .map(|row| TailedLine {
                    timestamp: row.timestamp,
                    line: row.line.as_ref().into(),
                    metadata: row.structured_metadata.clone(),
                })
                .collect()
        };
        if bytes <= room
            && let Ok(place) = self.sender.try_reserve()
        {
            shared.bytes.fetch_add(bytes, Ordering::Relaxed);
            place.send(Run { labels: stream.labels.clone(), lines: lines(), bytes });
            return 0;
        }
        let mut missed = shared.missed.lock().unwrap_or_else(PoisonError::into_inner);
        let free = MISSED_MAX.saturating_sub(missed.len());
        let told = rows().take(free);
        missed.extend(
            told.map(|row| Missed { labels: stream.labels.clone(), timestamp: row.timestamp }),
        );
        rows().count() as u64
    }
}

impl Following {
    /// The next lines; nothing when the server stops.
    pub(super) async fn next(&mut self) -> Option<Run> {
        let run = self.runs.recv().await;
        self.taken(run)
    }

    /// The next lines if there are any already.
    pub(super) fn next_now(&mut self) -> Option<Run> {
        let run = self.runs.try_recv().ok();
        self.taken(run)
    }

    fn taken(&self, run: Option<Run>) -> Option<Run> {
        if let Some(run) = &run {
            self.shared.bytes.fetch_sub(run.bytes, Ordering::Relaxed);
        }
        run
    }

    /// What was missed since the last call.
    pub(super) fn missed(&self) -> Vec<Missed> {
        std::mem::take(&mut *self.shared.missed.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use masthead_ports::{LogRejectReason, LogRow, RejectedLine, testing::MemoryLogStore};

    use super::*;

    fn batch(app: &str, lines: &[String]) -> LogBatch<'static> {
        let rows = lines.iter().zip(1_i64..).map(|(line, at)| LogRow {
            timestamp: Nanos(at),
            line: line.clone().into_bytes().into(),
            structured_metadata: Labels::default(),
        });
        let labels = [("app", app)].into_iter().collect();
        LogBatch { streams: vec![LogStream { labels, rows: rows.collect() }], progress: Vec::new() }
    }

    fn lines(run: Option<Run>) -> Vec<String> {
        let lines = run.map(|run| run.lines).unwrap_or_default();
        lines.iter().map(|l| String::from_utf8_lossy(&l.line).into_owned()).collect()
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn who_follows_gets_what_matches_and_was_taken() {
        let live = LiveTail::new(Arc::new(MemoryLogStore::default()));
        let mut following = live.follow(vec![Matcher::equal("app", "a")]);
        live.append(&batch("a", &texts(&["one", "two"]))).expect("appends");
        live.append(&batch("b", &texts(&["other"]))).expect("appends");
        assert_eq!(lines(following.next_now()), ["one", "two"]);
        assert_eq!(lines(following.next_now()), texts(&[]));
        let refused = |row| RejectedLine {
            stream: 0,
            row,
            reason: LogRejectReason::StreamLimit { limit: 1 },
        };
        let report = LogReport { rejected: vec![refused(0), refused(2)], ..LogReport::default() };
        live.publish(&batch("a", &texts(&["x", "y", "z"])), &report);
        assert_eq!(lines(following.next_now()), ["y"]);
        assert_eq!(live.stats(), LiveStats { followers: 1, missed: 0 });
        drop(following);
        live.append(&batch("a", &texts(&["late"]))).expect("appends");
        assert_eq!(live.stats().followers, 0);
    }

    #[test]
    fn who_is_slow_misses_lines_and_is_told() {
        let live = LiveTail::new(Arc::new(MemoryLogStore::default()));
        let mut following = live.follow(Vec::new());
        let long = "x".repeat(QUEUE_BYTES / 4);
        for at in 0..6 {
            live.append(&batch("a", &[format!("{long}{at}")])).expect("appends");
        }
        assert_eq!(live.stats().missed, 3);
        let missed = following.missed();
        let first = missed.first().map(|missed| (missed.labels.to_string(), missed.timestamp));
        assert_eq!((missed.len(), first), (3, Some(("{app=\"a\"}".to_owned(), Nanos(1)))));
        assert!(following.missed().is_empty());
        for _ in 0..3 {
            assert_eq!(lines(following.next_now()).len(), 1);
        }
        live.append(&batch("a", &texts(&["there is room again"]))).expect("appends");
        assert_eq!(lines(following.next_now()), ["there is room again"]);
        for _ in 0..=QUEUE_RUNS {
            live.append(&batch("a", &texts(&["short"]))).expect("appends");
        }
        assert_eq!(live.stats().missed, 4);
    }

    #[tokio::test]
    async fn closing_ends_all_following() {
        let live = LiveTail::new(Arc::new(MemoryLogStore::default()));
        let mut following = live.follow(Vec::new());
        live.close();
        assert!(following.next().await.is_none());
        let mut late = live.follow(Vec::new());
        assert!(late.next().await.is_none());
    }
}
