//! A job's sources put together: each says its own groups, and whoever listens sees them all.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::{sync::watch, task::JoinSet};
use tracing::warn;

use crate::{Configs, Error, TargetGroup, Updates, mechanisms::MECHANISMS, mechanisms::Parts};

/// The target groups of a job, as they are now. Dropping it stops the search.
#[derive(Debug)]
pub struct Discovery {
    receiver: watch::Receiver<Arc<Vec<TargetGroup>>>,
    publisher: Arc<Publisher>,
    _tasks: JoinSet<()>,
}

/// How a source fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceStats {
    /// The key of its configuration.
    pub mechanism: &'static str,
    /// Refreshes that brought groups.
    pub refreshes: u64,
    /// Refreshes that failed.
    pub failures: u64,
    /// Why the last one failed, if it did.
    pub last_error: Option<String>,
}

/// Starts everything that `configs` names. Must be called within a tokio runtime.
///
/// # Errors
/// [`Error::Client`] when the options of a client can't be used.
pub fn discover(configs: &Configs, parts: &Parts) -> Result<Discovery, Error> {
    let mut sources = Vec::new();
    for (_, make) in MECHANISMS {
        sources.extend(make(configs, parts)?);
    }
    let (sender, receiver) = watch::channel(Arc::new(Vec::new()));
    let slots = sources.iter().map(|source| Slot::new(source.mechanism())).collect();
    let publisher = Arc::new(Publisher { slots: Mutex::new(slots), sender });
    let mut tasks = JoinSet::new();
    for (at, source) in sources.into_iter().enumerate() {
        let updates = Updates { publisher: Arc::clone(&publisher), source: at };
        tasks.spawn(source.run(updates));
    }
    Ok(Discovery { receiver, publisher, _tasks: tasks })
}

impl Discovery {
    /// All groups now.
    pub fn groups(&mut self) -> Arc<Vec<TargetGroup>> {
        Arc::clone(&self.receiver.borrow_and_update())
    }

    /// Whether the groups may differ from those that [`Discovery::groups`] returned last.
    pub fn has_changed(&self) -> bool {
        self.receiver.has_changed().unwrap_or(false)
    }

    /// Waits until the groups differ from those that [`Discovery::groups`] returned last. Safe to
    /// drop half way.
    pub async fn changed(&mut self) {
        if self.receiver.changed().await.is_err() {
            // The publisher lives in `self`, so this can't be; waiting for ever is harmless.
            std::future::pending::<()>().await;
        }
    }

    /// How each source fares.
    pub fn stats(&self) -> Vec<SourceStats> {
        self.publisher.lock().iter().map(|slot| slot.stats.clone()).collect()
    }
}

/// Where sources meet.
#[derive(Debug)]
pub(crate) struct Publisher {
    slots: Mutex<Vec<Slot>>,
    sender: watch::Sender<Arc<Vec<TargetGroup>>>,
}

#[derive(Debug)]
struct Slot {
    groups: Vec<TargetGroup>,
    stats: SourceStats,
}

impl Slot {
    fn new(mechanism: &'static str) -> Self {
        let stats = SourceStats { mechanism, refreshes: 0, failures: 0, last_error: None };
        Self { groups: Vec::new(), stats }
    }

    /// Returns whether it is another failure than the last one.
    fn fail(&mut self, error: &Error) -> bool {
        let (text, mechanism) = (error.to_string(), self.stats.mechanism);
        // Once for each new reason: a server that is down is asked every minute.
        let new = self.stats.last_error.as_ref() != Some(&text);
        if new {
            warn!(mechanism, error = %text, "Cannot refresh target groups.");
        }
        self.stats.last_error = Some(text);
        new
    }
}

impl Publisher {
    pub(crate) fn replace(&self, source: usize, groups: Vec<TargetGroup>) {
        let mut slots = self.lock();
        if let Some(slot) = slots.get_mut(source) {
            slot.stats.last_error = None;
            self.publish(&mut slots, source, groups);
        }
    }

    pub(crate) fn partly(&self, source: usize, groups: Vec<TargetGroup>, error: &Error) {
        let mut slots = self.lock();
        if let Some(slot) = slots.get_mut(source) {
            slot.stats.failures += u64::from(slot.fail(error));
            self.publish(&mut slots, source, groups);
        }
    }

    fn publish(&self, slots: &mut [Slot], source: usize, groups: Vec<TargetGroup>) {
        let Some(slot) = slots.get_mut(source) else { return };
        slot.stats.refreshes += 1;
        let first = slot.stats.refreshes == 1;
        if slot.groups == groups && !first {
            return;
        }
        slot.groups = groups;
        let all = slots.iter().flat_map(|slot| slot.groups.iter().cloned()).collect();
        self.sender.send_replace(Arc::new(all));
    }

    pub(crate) fn failed(&self, source: usize, error: &Error) {
        if let Some(slot) = self.lock().get_mut(source) {
            slot.stats.failures += 1;
            slot.fail(error);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Slot>> {
        // Nothing panics while it is held, so a poisoned lock still holds whole slots.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
