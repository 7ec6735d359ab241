//! What the API server has said of the pods of this node, kept as long as their directories are there.
//!
//! A pod that was deleted, or a server that is away, takes no label from lines that are still to be
//! read. A directory that the server does not know waits a little, because the server usually tells
//! of a pod a moment after the kubelet has made it, and lines should not change their labels then;
//! while the server is away nothing waits.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use masthead_discovery::TargetGroup;
use masthead_model::Labels;

/// How long a directory waits for a server that answers.
const WAIT_MAX: Duration = Duration::from_secs(10);

const UID: &str = "__meta_kubernetes_pod_uid";
/// The directory of a static pod has this in place of the uid that the API server gives.
const STATIC_UID: &str = "__meta_kubernetes_pod_annotation_kubernetes_io_config_hash";
const CONTAINER: &str = "__meta_kubernetes_pod_container_name";

/// The pods that are known, by the uid in the name of their directory.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pods: BTreeMap<String, Pod>,
    /// Directories of pods that are not known, and when they were seen first.
    waiting: BTreeMap<String, Duration>,
    /// Whether the configuration chooses pods by what only the server knows.
    selects: bool,
}

#[derive(Debug)]
struct Pod {
    labels: Labels,
    containers: BTreeMap<String, Labels>,
}

impl Known {
    /// `selects` if a pod that the server does not tell of is none that is wanted.
    pub(crate) fn new(selects: bool) -> Self {
        Self { selects, ..Self::default() }
    }

    /// Takes what the server says now; `there` are the uids that have directories.
    pub(crate) fn update(&mut self, groups: &[TargetGroup], there: &BTreeSet<&str>) {
        let mut told = BTreeMap::new();
        for group in groups.iter().filter(|group| !group.targets.is_empty()) {
            let uid = group.labels.get(STATIC_UID).or_else(|| group.labels.get(UID));
            let Some(uid) = uid else { continue };
            let mut containers = BTreeMap::new();
            for labels in group.target_labels() {
                let name = labels.get(CONTAINER).unwrap_or("").to_owned();
                // One for each port; the first is as good as any.
                containers.entry(name).or_insert(labels);
            }
            told.insert(uid.to_owned(), Pod { labels: group.labels.clone(), containers });
        }
        self.pods.retain(|uid, _| there.contains(uid.as_str()));
        self.pods.extend(told);
        let pods = &self.pods;
        self.waiting
            .retain(|uid, _| there.contains(uid.as_str()) && !pods.contains_key(uid.as_str()));
    }

    /// What is known of a container.
    pub(crate) fn labels(&self, uid: &str, container: &str) -> Option<Labels> {
        let pod = self.pods.get(uid)?;
        let of_pod = || pod.labels.to_builder().set(CONTAINER, container).build();
        Some(pod.containers.get(container).cloned().unwrap_or_else(of_pod))
    }

    /// Containers of pods that have no directory where one is looked for.
    pub(crate) fn without_directory(&self, there: &BTreeSet<&str>) -> impl Iterator<Item = Labels> {
        let others = self.pods.iter().filter(|(uid, _)| !there.contains(uid.as_str()));
        others.flat_map(|(_, pod)| pod.containers.values().cloned())
    }

    /// Whether a directory is not to be read yet, because the server may still tell of its pod.
    pub(crate) fn waits_for(&mut self, uid: &str, now: Duration, is_away: bool) -> bool {
        if self.pods.contains_key(uid) {
            return false;
        }
        if self.selects {
            return true;
        }
        let since = *self.waiting.entry(uid.to_owned()).or_insert(now);
        !is_away && now.saturating_sub(since) < WAIT_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(uid: &str, app: &str, hash: &str) -> TargetGroup {
        let labels = [(UID, uid), ("__meta_kubernetes_pod_label_app", app), (STATIC_UID, hash)];
        let target = |container: &str, port: &str| -> Labels {
            [(CONTAINER, container), ("__address__", port)].into_iter().collect()
        };
        TargetGroup {
            source: uid.to_owned(),
            labels: labels.into_iter().filter(|(_, value)| !value.is_empty()).collect(),
            targets: vec![target("api", "1:80"), target("api", "1:90"), target("init", "1")],
        }
    }

    fn app(known: &Known, uid: &str, container: &str) -> Option<String> {
        Some(known.labels(uid, container)?.get("__meta_kubernetes_pod_label_app")?.to_owned())
    }

    #[test]
    fn what_is_known_stays_while_its_directory_does() {
        let (both, one) = (BTreeSet::from(["u1", "u2"]), BTreeSet::from(["u2"]));
        let mut known = Known::new(false);
        known.update(&[group("u1", "a", ""), group("u2", "b", "")], &both);
        assert_eq!(app(&known, "u1", "api").as_deref(), Some("a"));
        let first = known.labels("u1", "api").unwrap();
        assert_eq!(first.get("__address__"), Some("1:80"));
        // A container that is not in its pod's specification, as `kubectl debug` adds them.
        let other = known.labels("u1", "debugger").unwrap();
        assert_eq!((other.get(CONTAINER), other.get("__address__")), (Some("debugger"), None));
        // The pod was deleted, its directory is still there; then that is gone too.
        known.update(&[], &both);
        assert_eq!(app(&known, "u1", "api").as_deref(), Some("a"));
        known.update(&[], &one);
        assert_eq!((known.labels("u1", "api"), app(&known, "u2", "api")), (None, Some("b".into())));
    }

    #[test]
    fn a_static_pod_is_found_by_the_hash_of_its_configuration() {
        let mut known = Known::new(false);
        known.update(&[group("u1", "etcd", "c0ff")], &BTreeSet::from(["c0ff"]));
        assert_eq!(app(&known, "c0ff", "api").as_deref(), Some("etcd"));
        assert_eq!(known.labels("c0ff", "api").unwrap().get(UID), Some("u1"));
        assert_eq!(known.without_directory(&BTreeSet::from(["c0ff"])).count(), 0);
        assert_eq!(known.without_directory(&BTreeSet::new()).count(), 2);
    }

    #[test]
    fn a_pod_without_an_address_is_not_known_yet() {
        let mut known = Known::new(false);
        let bare = TargetGroup { targets: Vec::new(), ..group("u1", "a", "") };
        known.update(&[bare], &BTreeSet::from(["u1"]));
        assert_eq!(known.labels("u1", "api"), None);
    }

    #[test]
    fn a_directory_waits_for_a_server_that_answers_and_for_no_other() {
        let there = BTreeSet::from(["u1"]);
        let at = Duration::from_secs;
        let mut known = Known::new(false);
        assert!(known.waits_for("u1", at(5), false));
        assert!(known.waits_for("u1", at(14), false));
        assert!(!known.waits_for("u1", at(14), true));
        assert!(!known.waits_for("u1", at(15), false));
        // When it comes again it waits again.
        known.update(&[], &BTreeSet::new());
        assert!(known.waits_for("u1", at(20), false));
        known.update(&[group("u1", "a", "")], &there);
        assert!(!known.waits_for("u1", at(20), false));
        let mut known = Known::new(true);
        assert!(known.waits_for("u1", at(5), true) && known.waits_for("u1", at(99), true));
    }
}
