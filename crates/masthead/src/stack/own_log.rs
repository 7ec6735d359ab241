//! The server's own log, collected like anybody's: what `tracing` writes goes to stdout and, as JSON,
//! into a queue; a task hands it to the store, or in a collector to every client.
//!
//! A thread that logs never waits: while the queue is full, lines are dropped and counted. Lines from
//! before the store is open wait in it too.
//!
//! Invariant: storing these lines makes no line of this log. What a sink says while it takes them is
//! written to stdout and goes nowhere else ([`Quiet`]), and the task here says nothing. What is left
//! (a collector that waits, a client that is away) speaks once an outage or at the pace of its
//! back-off, however many lines there are.

use std::{
    cell::Cell,
    fmt,
    io::{self, Write},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use masthead_instrument::logs::Config;
use masthead_model::{Labels, Nanos};
use masthead_ports::{AppendError, LogBatch, LogReport, LogSink, Progress};
use masthead_sysio::{Clock as _, RealClock};
use masthead_tail::LineSource;
use tokio::sync::{mpsc, oneshot};

use super::collecting::node_name;
use crate::{
    cli::ServeArgs,
    tasks::{Task, Tasks},
};

/// Lines that wait.
const QUEUE_LINES_MAX: usize = 4096;
/// Bytes of these lines.
const QUEUE_BYTES_MAX: u64 = 4 << 20;
/// How long the last lines may take at the end.
const END_TIME_MAX: Duration = Duration::from_secs(2);

/// The labels `app` and `job` of these lines.
const NAME: &str = "masthead";

thread_local! {
    /// Whether this thread is storing lines of the log.
    static STORING: Cell<bool> = const { Cell::new(false) };
}

/// What is counted, for `metrics.rs`.
#[derive(Debug, Default)]
pub(crate) struct OwnLogStats {
    pub lines: AtomicU64,
    pub dropped: AtomicU64,
    pub queued_lines: AtomicU64,
    pub queued_bytes: AtomicU64,
}

/// The log of this process on its way: what was logged and has no place yet.
#[derive(Debug, Default)]
pub(crate) struct OwnLog {
    /// None where it is not wanted.
    lines: Option<mpsc::Receiver<Line>>,
    stats: Arc<OwnLogStats>,
}

/// Where the lines go: the collectors of the store or of the clients, which a reload changes.
#[derive(Debug, Default)]
pub(crate) struct Sources(Mutex<Vec<LineSource>>);

#[derive(Debug)]
struct Line {
    time: Nanos,
    text: Box<[u8]>,
}

/// Takes every line that is logged, where it is logged.
struct Tap {
    lines: mpsc::Sender<Line>,
    stats: Arc<OwnLogStats>,
    clock: RealClock,
}

/// The task that hands lines over.
pub(super) struct Carrier(Option<(Task, oneshot::Sender<()>)>);

/// A sink for the lines of this log.
#[derive(Debug)]
pub(super) struct Quiet(pub(super) Arc<dyn LogSink>);

/// Whether the log is kept too.
pub(super) fn is_wanted(args: &ServeArgs) -> bool {
    !args.no_self && !args.no_self_logs
}

/// The labels of the log's stream.
pub(super) fn labels() -> Labels {
    [("app", NAME), ("job", NAME), ("node_name", &node_name())].into_iter().collect()
}

impl OwnLog {
    /// Begins to log as `config` says to `writer`, and what `copied` asks for into the queue.
    ///
    /// # Errors
    /// The process logs already.
    pub(super) fn begin(
        config: &Config,
        writer: impl Write + Send + 'static,
        copied: Option<&Config>,
    ) -> anyhow::Result<Self> {
        let Some(copied) = copied else {
            tracing::dispatcher::set_global_default(config.dispatch(writer))?;
            return Ok(Self::default());
        };
        let (tap, log) = pair(QUEUE_LINES_MAX);
        let dispatch = config.dispatch_with_copy(writer, copied, tap);
        tracing::dispatcher::set_global_default(dispatch)?;
        Ok(log)
    }

    pub(super) fn stats(&self) -> Arc<OwnLogStats> {
        Arc::clone(&self.stats)
    }

    /// Hands what was logged to the sources, from now on.
    pub(super) fn carry(self, sources: Arc<Sources>, tasks: &Tasks) -> Carrier {
        let Some(lines) = self.lines else { return Carrier(None) };
        let (stop, stopped) = oneshot::channel();
        let carried = carry(lines, self.stats, sources, stopped);
        Carrier(Some((tasks.spawn("the own log", carried), stop)))
    }
}

impl Carrier {
    /// Hands over what was logged until now, and ends.
    pub(super) async fn end(self) {
        let Some((task, stop)) = self.0 else { return };
        // An error is that the task has ended; that is waited for.
        stop.send(()).unwrap_or_default();
        // What a store that takes nothing leaves here was written to stdout.
        drop(tokio::time::timeout(END_TIME_MAX, task.done()).await);
    }
}

impl Sources {
    pub(super) fn set(&self, sources: Vec<LineSource>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = sources;
    }

    fn get(&self) -> Vec<LineSource> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn pair(lines_max: usize) -> (Tap, OwnLog) {
    let (sender, receiver) = mpsc::channel(lines_max);
    let stats = Arc::<OwnLogStats>::default();
    let tap = Tap { lines: sender, stats: Arc::clone(&stats), clock: RealClock::new() };
    (tap, OwnLog { lines: Some(receiver), stats })
}

async fn carry(
    mut lines: mpsc::Receiver<Line>,
    stats: Arc<OwnLogStats>,
    sources: Arc<Sources>,
    mut stopped: oneshot::Receiver<()>,
) {
    let mut stopping = false;
    loop {
        let line = tokio::select! {
            line = lines.recv() => line,
            _ = &mut stopped, if !stopping => {
                stopping = true;
                // What came before is still received.
                lines.close();
                continue;
            }
        };
        let Some(line) = line else { return };
        for source in sources.get() {
            // One that has ended is one that a reload replaced.
            source.send_at(line.time, &line.text).await.unwrap_or_default();
        }
        stats.left(&line);
    }
}

impl OwnLogStats {
    fn left(&self, line: &Line) {
        self.queued_lines.fetch_sub(1, Relaxed);
        self.queued_bytes.fetch_sub(line.text.len() as u64, Relaxed);
    }
}

impl Tap {
    fn take(&self, line: &[u8]) {
        let stats = &self.stats;
        let bytes = line.len() as u64;
        let queued = stats.queued_bytes.fetch_add(bytes, Relaxed) + bytes;
        stats.queued_lines.fetch_add(1, Relaxed);
        let line = Line { time: Nanos(self.clock.now().0), text: line.into() };
        let refused = if queued > QUEUE_BYTES_MAX {
            mpsc::error::TrySendError::Full(line)
        } else {
            match self.lines.try_send(line) {
                Ok(()) => {
                    stats.lines.fetch_add(1, Relaxed);
                    return;
                }
                Err(refused) => refused,
            }
        };
        // At the end nobody takes lines any more: that is no loss of this queue.
        let (full, line) = match refused {
            mpsc::error::TrySendError::Full(line) => (1, line),
            mpsc::error::TrySendError::Closed(line) => (0, line),
        };
        stats.dropped.fetch_add(full, Relaxed);
        stats.left(&line);
    }
}

impl Write for Tap {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if !STORING.get() {
            self.take(line.strip_suffix(b"\n").unwrap_or(line));
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// This thread stores lines of the log while it lives.
struct Storing;

impl Storing {
    fn begin() -> Self {
        STORING.set(true);
        Self
    }
}

impl Drop for Storing {
    fn drop(&mut self) {
        STORING.set(false);
    }
}

impl LogSink for Quiet {
    fn append(&self, batch: &LogBatch<'_>) -> Result<LogReport, AppendError> {
        let _storing = Storing::begin();
        self.0.append(batch)
    }

    fn progress(&self, prefix: &str) -> Result<Vec<Progress>, AppendError> {
        self.0.progress(prefix)
    }
}

impl fmt::Debug for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Carrier")
    }
}

#[cfg(test)]
mod tests;
