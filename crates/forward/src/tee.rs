//! Samples here and elsewhere: what the local sink takes is forwarded too.
//!
//! A forwarder that cannot journal never fails an append, neither for the store nor for the other
//! forwarders: what the remote end misses is counted.

use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError, RwLock},
};

use masthead_model::{ErrorClass, Labels};
use masthead_ports::{AppendBatch, AppendError, AppendReport, SampleSink, SeriesRef};

use crate::remote_write::RemoteWriteSink;

/// A local sink with forwarders behind it.
#[derive(Debug)]
pub struct Tee {
    local: Option<Arc<dyn SampleSink>>,
    /// Held for reading while a batch is taken.
    remotes: RwLock<Vec<Arc<RemoteWriteSink>>>,
}

impl Tee {
    /// No forwarders yet, behind `local`; nothing is kept here without it.
    pub fn new(local: Option<Arc<dyn SampleSink>>) -> Self {
        Self { local, remotes: RwLock::default() }
    }

    /// Changes the forwarders. Batches that come meanwhile wait, so that each passes the old ones
    /// or the new ones.
    pub fn change<R>(&self, change: impl FnOnce(&mut Vec<Arc<RemoteWriteSink>>) -> R) -> R {
        change(&mut self.remotes.write().unwrap_or_else(PoisonError::into_inner))
    }
}

impl SampleSink for Tee {
    fn append(&self, batch: &mut AppendBatch) -> Result<AppendReport, AppendError> {
        let remotes = self.remotes.read().unwrap_or_else(PoisonError::into_inner);
        if !remotes.is_empty() && batch.rows.iter().any(|row| row.labels.is_empty()) {
            // The first remote end came after the sender had asked for the numbering.
            return Err(AppendError {
                class: ErrorClass::Unavailable,
                message: "remote_write was changed meanwhile; send it again".into(),
            });
        }
        let report = match &self.local {
            Some(local) => local.append(batch)?,
            None => AppendReport { appended: batch.rows.len(), ..AppendReport::default() },
        };
        if remotes.is_empty() {
            return Ok(report);
        }
        let refused: BTreeSet<usize> = report.rejected.iter().map(|(at, _)| *at).collect();
        for remote in remotes.iter() {
            remote.take_or_lose(batch, |at| !refused.contains(&at));
        }
        Ok(report)
    }

    /// None with forwarders, which need labels.
    fn numbering(&self) -> Option<u64> {
        let alone = self.remotes.read().unwrap_or_else(PoisonError::into_inner).is_empty();
        self.local.as_ref().filter(|_| alone)?.numbering()
    }

    fn labels_of(&self, series: SeriesRef) -> Option<Labels> {
        self.local.as_ref()?.labels_of(series)
    }
}
