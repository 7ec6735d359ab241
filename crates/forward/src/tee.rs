//! Samples here and elsewhere: what the local sink takes is forwarded too.
//!
//! A forwarder that cannot journal never fails an append, neither for the store nor for the other
//! forwarders: what the remote end misses is counted.

use std::{collections::BTreeSet, sync::Arc};

use masthead_ports::{AppendBatch, AppendError, AppendReport, SampleSink};

use crate::remote_write::RemoteWriteSink;

/// A local sink with forwarders behind it.
#[derive(Debug)]
pub struct Tee {
    local: Option<Arc<dyn SampleSink>>,
    remotes: Vec<Arc<RemoteWriteSink>>,
}

impl Tee {
    /// Puts `remotes` behind `local`; nothing is kept here without it.
    pub fn new(local: Option<Arc<dyn SampleSink>>, remotes: Vec<Arc<RemoteWriteSink>>) -> Self {
        Self { local, remotes }
    }
}

impl SampleSink for Tee {
    fn append(&self, batch: &mut AppendBatch) -> Result<AppendReport, AppendError> {
        let report = match &self.local {
            Some(local) => local.append(batch)?,
            None => AppendReport { appended: batch.rows.len(), ..AppendReport::default() },
        };
        let refused: BTreeSet<usize> = report.rejected.iter().map(|(at, _)| *at).collect();
        for remote in &self.remotes {
            remote.take_or_lose(batch, |at| !refused.contains(&at));
        }
        Ok(report)
    }
}
