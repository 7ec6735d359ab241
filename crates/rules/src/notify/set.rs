//! A set of Alertmanagers as the configuration names it: found, relabelled, each with its queue.

use std::{collections::BTreeMap, sync::Arc};

use masthead_discovery::{Parts, TargetGroup, discover};
use masthead_http_client::{Client, Error};
use masthead_model::{Labels, LabelsBuilder};
use masthead_ports::Alertmanagers;
use masthead_relabel::process;
use parking_lot::Mutex;
use tokio::task::{AbortHandle, JoinSet};
use tracing::error;
use url::Url;

use super::{Outgoing, ReceiverStats, receiver::Receiver};
use crate::AlertmanagerConfig;

/// More members of one set are not told: a discovery that names so many is mistaken.
const MEMBERS_MAX: usize = 1_000;

const ADDRESS: &str = "__address__";
const SCHEME: &str = "__scheme__";
const PATH: &str = "__alerts_path__";

#[derive(Debug)]
pub(super) struct Set {
    config: AlertmanagerConfig,
    client: Client,
    parts: Parts,
    members: Mutex<Members>,
}

#[derive(Debug, Default)]
struct Members {
    active: BTreeMap<String, Arc<Receiver>>,
    dropped: Vec<String>,
    /// Those of the set that stood in this place before a reload: found again, they keep what waits.
    known: BTreeMap<String, Arc<Receiver>>,
}

impl Set {
    /// A set whose members come from discovery; those that `before` had keep their queues.
    pub(super) fn new(
        config: &AlertmanagerConfig,
        parts: &Parts,
        before: Option<&Arc<Self>>,
    ) -> Result<Self, Error> {
        let set = Self {
            client: Client::new(&config.client, Arc::clone(&parts.fs))?,
            config: config.clone(),
            parts: parts.clone(),
            members: Mutex::default(),
        };
        // What is listed is there at once, so that no alert of the first moments is lost.
        let listed: Vec<TargetGroup> = config
            .discovery
            .static_configs
            .iter()
            .map(|list| TargetGroup {
                source: String::new(),
                labels: list.labels.iter().collect(),
                targets: list
                    .targets
                    .iter()
                    .map(|address| [(ADDRESS, address.as_str())].into_iter().collect())
                    .collect(),
            })
            .collect();
        if let Some(before) = before {
            set.members.lock().known.clone_from(&before.members.lock().active);
        }
        set.take_over(&listed);
        Ok(set)
    }

    /// Finds members and sends, for ever.
    pub(super) async fn run(self: Arc<Self>) {
        let mut discovery = match discover(&self.config.discovery, &self.parts) {
            Ok(discovery) => discovery,
            Err(error) => {
                error!(%error, "Alertmanagers cannot be looked for.");
                return;
            }
        };
        let mut tasks = JoinSet::new();
        let mut talking: BTreeMap<String, AbortHandle> = BTreeMap::new();
        loop {
            let active = self.members.lock().active.clone();
            talking.retain(|url, task| {
                let stays = active.contains_key(url);
                if !stays {
                    task.abort();
                }
                stays
            });
            for (url, receiver) in active {
                talking.entry(url).or_insert_with(|| {
                    tasks.spawn(receiver.run(self.client.clone(), self.config.timeout))
                });
            }
            discovery.changed().await;
            while tasks.try_join_next().is_some() {}
            self.take_over(&discovery.groups());
        }
    }

    /// Sends what waits.
    pub(super) async fn drain(self: Arc<Self>) {
        let active = self.members.lock().active.clone();
        let mut tasks = JoinSet::new();
        for receiver in active.into_values() {
            let (client, timeout) = (self.client.clone(), self.config.timeout);
            tasks.spawn(async move { receiver.send_all(&client, timeout).await });
        }
        while tasks.join_next().await.is_some() {}
    }

    /// Puts alerts in the queue of every member; returns how many were lost.
    pub(super) fn push(&self, alerts: &[Outgoing]) -> u64 {
        let members = self.members.lock();
        let relabelled: Vec<Outgoing>;
        let alerts = if self.config.alert_relabel_rules.is_empty() {
            alerts
        } else {
            relabelled = alerts.iter().filter_map(|alert| self.relabel(alert)).collect();
            &relabelled
        };
        members.active.values().map(|receiver| receiver.push(alerts.iter().cloned())).sum()
    }

    fn relabel(&self, alert: &Outgoing) -> Option<Outgoing> {
        let mut labels = alert.labels.to_builder();
        if !process(&mut labels, &self.config.alert_relabel_rules) {
            return None;
        }
        let labels = labels.build();
        let mut json = alert.json.clone();
        if let Some(object) = json.as_object_mut() {
            object.insert("labels".to_owned(), super::pairs(&labels));
        }
        Some(Outgoing { labels, json })
    }

    fn take_over(&self, groups: &[TargetGroup]) {
        let mut members = self.members.lock();
        let Members { active, known: mut before, .. } = std::mem::take(&mut *members);
        before.extend(active);
        for labels in groups.iter().flat_map(TargetGroup::target_labels) {
            let Some((url, kept)) = self.url(&labels) else { continue };
            let key = url.to_string();
            if !kept {
                members.dropped.push(key);
            } else if members.active.len() < MEMBERS_MAX {
                let known = before.remove(&key);
                members
                    .active
                    .entry(key)
                    .or_insert_with(|| known.unwrap_or_else(|| Arc::new(Receiver::new(url))));
            }
        }
        // The sources of a set answer one after the other: who is missing now may come again.
        before.retain(|_, receiver| receiver.stats().waiting > 0);
        members.known = before;
    }

    /// The address of a member, and whether relabelling keeps it.
    fn url(&self, found: &Labels) -> Option<(Url, bool)> {
        let mut labels = found.to_builder();
        let prefix = self.config.path_prefix.trim_matches('/');
        let slash = if prefix.is_empty() { "" } else { "/" };
        let path = format!("{slash}{prefix}/api/v2/alerts");
        for (name, value) in [(SCHEME, self.config.scheme.as_str()), (PATH, &path)] {
            if found.get(name).is_none() {
                labels.set(name, value);
            }
        }
        let before = labels.clone();
        let kept = process(&mut labels, &self.config.relabel_rules);
        let of = |labels: &LabelsBuilder| {
            let (address, scheme) = (labels.get(ADDRESS)?, labels.get(SCHEME).unwrap_or("http"));
            let path = labels.get(PATH).unwrap_or(&path);
            Url::parse(&format!("{scheme}://{address}{path}")).ok()
        };
        Some((of(if kept { &labels } else { &before })?, kept))
    }

    pub(super) fn list(&self, into: &mut Alertmanagers) {
        let members = self.members.lock();
        into.active.extend(members.active.keys().cloned());
        into.dropped.extend(members.dropped.iter().cloned());
    }

    pub(super) fn stats(&self) -> Vec<ReceiverStats> {
        self.members.lock().active.values().map(|receiver| receiver.stats()).collect()
    }
}
