//! The sink: a batch is in the journal, with its progress, before it is acknowledged.

use std::{collections::BTreeMap, sync::Arc};

use masthead_durable as durable;
use masthead_model::ErrorClass;
use masthead_ports::{AppendError, LogBatch, LogReport, LogSink, Progress};
use masthead_sysio::{Clock, Fs};
use tracing::error;

use super::frame;
use crate::{
    Error, Options, Stats,
    backlog::{Backlog, Kept},
};

/// A sink that pushes what it takes to a Loki; see the module. The pushing is
/// [`Sender`](crate::Sender)'s.
#[derive(Debug)]
pub struct LokiSink {
    pub(super) backlog: Backlog<Table>,
    pub(super) stats: Arc<Stats>,
}

/// The latest progress of every reader.
#[derive(Debug, Default)]
pub(super) struct Table(BTreeMap<Arc<str>, Arc<str>>);

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
        let backlog = Backlog::open(fs, clock, options)?;
        stats.journal_bytes.set(backlog.bytes());
        Ok(Self { backlog, stats })
    }

    /// Lines in the journal that are not sent, counted by reading it.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn waiting(&self) -> Result<u64, Error> {
        self.backlog.waiting().map_err(Error::Read)
    }
}

impl Table {
    fn take(&mut self, progress: Vec<Progress>) {
        for Progress { key, value } in progress {
            match value {
                Some(value) => drop(self.0.insert(key, value)),
                None => drop(self.0.remove(&key)),
            }
        }
    }

    fn listed(&self, prefix: &str) -> Vec<Progress> {
        let known = self.0.iter().filter(|(key, _)| key.starts_with(prefix));
        known
            .map(|(key, value)| Progress { key: Arc::clone(key), value: Some(Arc::clone(value)) })
            .collect()
    }
}

impl Kept for Table {
    fn note(&mut self, payload: &[u8]) {
        // A checksum covers it, so what does not decode is of another version; its lines are counted
        // when they would be pushed.
        if let Ok(batch) = frame::decode(payload) {
            self.take(batch.progress);
        }
    }

    fn frames(&self) -> Vec<Vec<u8>> {
        vec![frame::encode(&LogBatch { streams: Vec::new(), progress: self.listed("") })]
    }
}

impl LogSink for LokiSink {
    fn append(&self, batch: &LogBatch<'_>) -> Result<LogReport, AppendError> {
        let bytes = frame::encode(batch);
        let lines = batch.streams.iter().map(|stream| stream.rows.len()).sum();
        let refuse = |error: durable::Error| AppendError {
            class: match error.class() {
                // A batch that is too large for a frame will be so for ever.
                ErrorClass::Limit => ErrorClass::TooLarge,
                class => class,
            },
            message: error.to_string(),
        };
        let progress = batch.progress.clone();
        let lost = self.backlog.append(&[bytes], |table| table.take(progress)).map_err(refuse)?;
        if lost > 0 {
            self.stats.dropped("journal_full", lost);
            error!(lines = lost, "Lines are lost: the journal of a client is full.");
        }
        self.stats.lines_journaled.add(lines as u64);
        self.stats.journal_bytes.set(self.backlog.bytes());
        Ok(LogReport { appended: lines, ..LogReport::default() })
    }

    fn progress(&self, prefix: &str) -> Result<Vec<Progress>, AppendError> {
        Ok(self.backlog.with(|table| table.listed(prefix)))
    }
}
