//! The sink: a batch is in the journal, with its progress, before it is acknowledged.
//!
//! Invariant: what a checkpoint leaves out was pushed or counted as dropped, and the progress of
//! every batch that was ever acknowledged is in the checkpoint or in a later frame.

use std::{collections::BTreeMap, sync::Arc};

use camino::Utf8PathBuf;
use masthead_durable::{
    self as durable,
    journal::{Cursor, Journal, JournalOptions},
};
use masthead_model::ErrorClass;
use masthead_ports::{AppendError, LogBatch, LogReport, LogSink, Progress};
use masthead_sysio::{Clock, Fs};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tracing::error;

use crate::{
    Error, Stats,
    frame::{self, Frame},
};

/// How a forwarder keeps what is not pushed yet.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the journal lies.
    pub dir: Utf8PathBuf,
    /// Bytes that it may have; beyond, the oldest lines are dropped. 1 GiB by default.
    pub journal_bytes_max: u64,
    /// How it is written.
    pub journal: JournalOptions,
}

impl Options {
    /// The defaults, in a directory.
    pub fn new(dir: Utf8PathBuf) -> Self {
        // Small segments, so that what was pushed goes soon and little is dropped at once.
        let journal = JournalOptions { segment_bytes: 4 << 20, ..JournalOptions::default() };
        Self { dir, journal_bytes_max: 1 << 30, journal }
    }
}

/// A sink that pushes what it takes to a Loki; see the module. The pushing is
/// [`Sender`](crate::Sender)'s.
#[derive(Debug)]
pub struct LokiSink {
    pub(crate) journal: Journal,
    pub(crate) stats: Arc<Stats>,
    /// Says that there is something to push.
    pub(crate) news: Notify,
    state: Mutex<State>,
    journal_bytes_max: u64,
}

#[derive(Debug)]
struct State {
    progress: BTreeMap<Arc<str>, Arc<str>>,
    /// Frames up to this number were pushed or dropped.
    pushed: u64,
}

impl LokiSink {
    /// Opens the journal, and finds what is not pushed yet.
    ///
    /// # Errors
    /// [`Error::Journal`].
    pub fn open(
        fs: Arc<dyn Fs>,
        clock: Arc<dyn Clock>,
        options: &Options,
        stats: Arc<Stats>,
    ) -> Result<Self, Error> {
        let mut state = State { progress: BTreeMap::new(), pushed: 0 };
        let mut visit = |found: durable::journal::Frame<'_>| {
            match frame::decode(found.payload) {
                Ok(Frame::Batch(batch)) => state.note(batch.progress),
                Ok(Frame::Pushed(seq)) => state.pushed = state.pushed.max(seq),
                // A checksum covers it, so this is of another version; its lines are counted when
                // they would be pushed.
                Err(_) => {}
            }
            Ok(())
        };
        let (journal, report) = Journal::open(fs, clock, &options.dir, options.journal, &mut visit)
            .map_err(Error::Journal)?;
        if report.damage_count > 0 {
            error!(places = report.damage_count, "Parts of the journal of a client are damaged.");
        }
        stats.journal_bytes.set(journal.bytes());
        Ok(Self {
            journal,
            stats,
            news: Notify::new(),
            state: Mutex::new(state),
            journal_bytes_max: options.journal_bytes_max,
        })
    }

    /// Where the sender goes on.
    pub(crate) fn cursor(&self) -> Cursor {
        Cursor::after(self.state.lock().pushed)
    }

    /// Whether a frame was dropped before it was pushed.
    pub(crate) fn was_dropped(&self, seq: u64) -> bool {
        seq <= self.state.lock().pushed
    }

    /// Every frame up to `seq`, in segments up to `segment`, was pushed.
    pub(crate) fn pushed(&self, seq: u64, segment: u64) -> durable::Result<()> {
        let progress = {
            let mut state = self.state.lock();
            state.pushed = state.pushed.max(seq);
            state.progress.clone()
        };
        if self.journal.oldest_segment().is_some_and(|oldest| oldest < segment) {
            self.checkpoint(segment, &progress, seq)?;
        } else {
            self.journal.append(&frame::encode_pushed(seq))?;
        }
        self.stats.journal_bytes.set(self.journal.bytes());
        Ok(())
    }

    fn checkpoint(
        &self,
        segment: u64,
        progress: &BTreeMap<Arc<str>, Arc<str>>,
        pushed: u64,
    ) -> durable::Result<()> {
        self.journal.checkpoint(segment, &mut |writer| {
            let entry = |(key, value): (&Arc<str>, &Arc<str>)| Progress {
                key: Arc::clone(key),
                value: Some(Arc::clone(value)),
            };
            let progress = progress.iter().map(entry).collect();
            writer.push(&frame::encode_batch(&LogBatch { streams: Vec::new(), progress }))?;
            writer.push(&frame::encode_pushed(pushed))
        })
    }

    /// Makes room: the oldest segments go, with the lines in them that were not pushed.
    fn drop_oldest(&self) -> durable::Result<()> {
        while self.journal.bytes() > self.journal_bytes_max {
            let Some(oldest) = self.journal.oldest_segment() else { return Ok(()) };
            if oldest >= self.journal.rotate() {
                return Ok(());
            }
            let mut state = self.state.lock();
            let (mut lines, mut last) = (0, state.pushed);
            let mut cursor = Cursor::after(state.pushed);
            let mut ended = false;
            while !ended {
                let more = self.journal.read(&mut cursor, COUNT_BYTES, &mut |found| {
                    let here = matches!(found.origin, durable::journal::Origin::Segment(segment) if segment <= oldest);
                    if here {
                        lines += frame::lines(found.payload);
                        last = found.seq;
                    }
                    ended |= !here;
                    Ok(())
                })?;
                ended |= !more;
            }
            state.pushed = last;
            let progress = state.progress.clone();
            drop(state);
            self.checkpoint(oldest + 1, &progress, last)?;
            if lines > 0 {
                self.stats.dropped("journal_full", lines);
                error!(lines, "Lines are lost: the journal of a client is full.");
            }
        }
        Ok(())
    }
}

/// Read at once when lines are counted.
const COUNT_BYTES: usize = 1 << 20;

impl State {
    fn note(&mut self, progress: Vec<Progress>) {
        for Progress { key, value } in progress {
            match value {
                Some(value) => drop(self.progress.insert(key, value)),
                None => drop(self.progress.remove(&key)),
            }
        }
    }
}

impl LogSink for LokiSink {
    fn append(&self, batch: &LogBatch<'_>) -> Result<LogReport, AppendError> {
        let bytes = frame::encode_batch(batch);
        let lines = batch.streams.iter().map(|stream| stream.rows.len()).sum();
        let refuse = |error: durable::Error| AppendError {
            class: match error.class() {
                // A batch that is too large for a frame will be so for ever.
                ErrorClass::Limit => ErrorClass::TooLarge,
                class => class,
            },
            message: error.to_string(),
        };
        {
            // Together: the sender, which is quick to make checkpoints, must not see one without
            // the other.
            let mut state = self.state.lock();
            self.journal.append(&bytes).map_err(refuse)?;
            state.note(batch.progress.clone());
        }
        self.stats.lines_journaled.add(lines as u64);
        if self.journal.bytes() > self.journal_bytes_max
            && let Err(error) = self.drop_oldest()
        {
            error!(%error, "Cannot make room in the journal of a client.");
        }
        self.stats.journal_bytes.set(self.journal.bytes());
        self.news.notify_one();
        Ok(LogReport { appended: lines, ..LogReport::default() })
    }

    fn progress(&self, prefix: &str) -> Result<Vec<Progress>, AppendError> {
        let state = self.state.lock();
        let known = state.progress.iter().filter(|(key, _)| key.starts_with(prefix));
        Ok(known
            .map(|(key, value)| Progress { key: Arc::clone(key), value: Some(Arc::clone(value)) })
            .collect())
    }
}
