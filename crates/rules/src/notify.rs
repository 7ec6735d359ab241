//! Alerts on their way to Alertmanagers.
//!
//! Facts: upstream's `notifier/*.go` and Alertmanager's API v2. Every Alertmanager has a queue and a
//! task of its own, so that one that is slow or away costs the others nothing. A queue is bounded;
//! from a full one the oldest are dropped and counted. A message that fails is dropped and counted
//! as well: an alert that goes on is told again by its rule, a resolved one for a quarter of an hour.
//!
//! The sets that the configuration names and their members: `notify/set.rs`; one Alertmanager:
//! `notify/receiver.rs`.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use masthead_discovery::Parts as DiscoveryParts;
use masthead_model::Labels;
use masthead_ports::Alertmanagers;
use masthead_relabel::{Rule, process};
use masthead_sysio::Fs;
use parking_lot::Mutex;
use tokio::{sync::watch, task::JoinSet};
use tracing::error;

use crate::{AlertmanagerConfig, Notification};

mod receiver;
mod set;

pub use receiver::ReceiverStats;
use set::Set;

/// So many alerts wait for one Alertmanager at most: upstream's
/// `--alertmanager.notification-queue-capacity`.
pub const QUEUE_MAX: usize = 10_000;

/// Tells Alertmanagers about alerts. Clones are the same notifier.
#[derive(Debug, Clone)]
pub struct Notifier {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    fs: Arc<dyn Fs>,
    state: Mutex<State>,
    /// The sets that should run; whoever runs them follows.
    wanted: watch::Sender<Vec<Arc<Set>>>,
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    relabel: Vec<Rule>,
    sets: Vec<Arc<Set>>,
}

/// What the notifier has counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NotifierStats {
    /// Alerts that reached nobody: a full queue, or a message that failed.
    pub dropped: u64,
    /// Alerts that wait, in the fullest queue.
    pub queue_length: u64,
    /// Each Alertmanager.
    pub receivers: Vec<ReceiverStats>,
}

/// One alert in the words of the API, with its labels as they go out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outgoing {
    pub(crate) labels: Labels,
    pub(crate) json: serde_json::Value,
}

impl Notifier {
    /// A notifier that knows nobody yet: [`Notifier::apply`] names them, [`Notifier::run`] talks to
    /// them.
    pub fn new(fs: Arc<dyn Fs>) -> Self {
        let wanted = watch::Sender::new(Vec::new());
        let (state, dropped) = (Mutex::default(), AtomicU64::new(0));
        Self { shared: Arc::new(Shared { fs, state, wanted, dropped }) }
    }

    /// Puts a configuration in force. What waits for an Alertmanager that stays goes on waiting.
    ///
    /// # Errors
    /// Options of a client that can't be used; then everything stays as it was.
    pub fn apply(
        &self,
        alertmanagers: &[AlertmanagerConfig],
        relabel: Vec<Rule>,
    ) -> Result<(), masthead_http_client::Error> {
        let parts = DiscoveryParts::new(Arc::clone(&self.shared.fs));
        let mut state = self.shared.state.lock();
        let sets = alertmanagers
            .iter()
            .enumerate()
            .map(|(at, config)| Set::new(config, &parts, state.sets.get(at)).map(Arc::new))
            .collect::<Result<Vec<_>, masthead_http_client::Error>>()?;
        state.sets.clone_from(&sets);
        state.relabel = relabel;
        drop(state);
        self.shared.wanted.send_replace(sets);
        Ok(())
    }

    /// Talks to Alertmanagers, for ever. Dropping it ends all messages that are under way.
    pub async fn run(self) {
        let mut wanted = self.shared.wanted.subscribe();
        loop {
            let sets = wanted.borrow_and_update().clone();
            let mut tasks = JoinSet::new();
            for set in sets {
                tasks.spawn(set.run());
            }
            loop {
                tokio::select! {
                    // `self` holds the sender, so this is a change.
                    _ = wanted.changed() => break,
                    Some(done) = tasks.join_next() => {
                        if let Err(error) = done {
                            error!(%error, "A set of Alertmanagers is no longer told of alerts.");
                        }
                    }
                }
            }
            // What was taken from a queue and not sent yet is put back by its receiver's drop.
            tasks.shutdown().await;
        }
    }

    /// Gives what still waits a last chance, for as long as the caller waits.
    pub async fn drain(&self) {
        let sets = self.shared.state.lock().sets.clone();
        let mut tasks = JoinSet::new();
        for set in sets {
            tasks.spawn(set.drain());
        }
        while tasks.join_next().await.is_some() {}
    }

    /// Puts alerts in the queues. Never waits.
    pub(crate) fn send(
        &self,
        notifications: Vec<Notification>,
        external_labels: &Labels,
        external_url: &str,
    ) {
        if notifications.is_empty() {
            return;
        }
        let state = self.shared.state.lock();
        if state.sets.is_empty() {
            return;
        }
        let outgoing: Vec<Outgoing> = notifications
            .into_iter()
            .filter_map(|notification| {
                outgoing(&notification, external_labels, &state.relabel, external_url)
            })
            .collect();
        let dropped: u64 = state.sets.iter().map(|set| set.push(&outgoing)).sum();
        self.shared.dropped.fetch_add(dropped, Ordering::Relaxed);
    }

    /// Where alerts are sent.
    pub fn alertmanagers(&self) -> Alertmanagers {
        let sets = self.shared.state.lock().sets.clone();
        let mut found = Alertmanagers::default();
        for set in sets {
            set.list(&mut found);
        }
        found
    }

    /// What was counted.
    pub fn stats(&self) -> NotifierStats {
        let sets = self.shared.state.lock().sets.clone();
        let receivers: Vec<_> = sets.iter().flat_map(|set| set.stats()).collect();
        let failed: u64 = receivers.iter().map(|receiver| receiver.dropped).sum();
        NotifierStats {
            dropped: self.shared.dropped.load(Ordering::Relaxed) + failed,
            queue_length: receivers.iter().map(|receiver| receiver.waiting).max().unwrap_or(0),
            receivers,
        }
    }
}

/// An alert as it goes out, unless a rule drops it.
fn outgoing(
    alert: &Notification,
    external_labels: &Labels,
    relabel: &[Rule],
    external_url: &str,
) -> Option<Outgoing> {
    let mut labels = alert.labels.to_builder();
    for label in external_labels {
        if alert.labels.get(label.name).is_none() {
            labels.set(label.name, label.value);
        }
    }
    if !process(&mut labels, relabel) {
        return None;
    }
    let labels = labels.build();
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("g0.expr", &alert.expr).append_pair("g0.tab", "1");
    let time = |at: masthead_model::Millis| {
        let at = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
        format!("{at:.3}")
    };
    let json = serde_json::json!({
        "labels": pairs(&labels),
        "annotations": pairs(&alert.annotations),
        "startsAt": time(alert.starts_at),
        "endsAt": time(alert.ends_at),
        "generatorURL": format!("{external_url}/graph?{}", query.finish()),
    });
    Some(Outgoing { labels, json })
}

fn pairs(labels: &Labels) -> serde_json::Value {
    let pair = |label: masthead_model::Label<'_>| (label.name.to_owned(), label.value.into());
    labels.iter().map(pair).collect::<serde_json::Map<_, _>>().into()
}
