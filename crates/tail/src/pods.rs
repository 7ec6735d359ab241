//! Container logs where the kubelet puts them: `NAMESPACE_POD_UID/CONTAINER/N.log` below one directory.
//!
//! Directories say which containers there are; namespace, pod, uid and container are read from their
//! names. What only the API server knows (labels and annotations of a pod, what made it) comes from
//! discovery, where that is asked (`pods/known.rs`). Where it is not, or does not answer, the name of
//! the controller is guessed from the name of the pod, so that the rules of Promtail's chart find
//! `app`, and no line waits for the server.

use std::{collections::BTreeSet, fmt, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use masthead_discovery::Discovery;
use masthead_model::Labels;
use masthead_relabel::{Action, NameScheme, RelabelConfig, Rule};
use masthead_sysio::Fs;

pub(crate) mod known;

use self::known::Known;

/// Where the kubelet writes.
pub(crate) const DIRECTORY: &str = "/var/log/pods";
/// Containers that are listed at most.
const CONTAINERS_MAX: usize = 10_000;

/// The directory and the name of the node.
#[derive(Debug)]
pub(crate) struct Pods {
    pub(crate) directory: Utf8PathBuf,
    pub(crate) node: String,
    /// Namespaces that are looked at; all if empty.
    pub(crate) namespaces: Vec<String>,
    /// Whether pods that the server tells of are targets without a directory too: rules may say where
    /// else their files are, as in Promtail.
    pub(crate) elsewhere: bool,
    pub(crate) cluster: Option<Cluster>,
}

/// What the API server says of the node's pods.
pub(crate) struct Cluster {
    pub(crate) discovery: Box<Discovery>,
    pub(crate) known: Known,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("known", &self.known).finish_non_exhaustive()
    }
}

impl Pods {
    /// Whether the API server has said something since [`Pods::list`] was asked last.
    pub(crate) fn has_news(&self) -> bool {
        self.cluster.as_ref().is_some_and(|cluster| cluster.discovery.has_changed())
    }

    /// One label set for each container that has a directory, under the names that Kubernetes
    /// discovery gives them. A pod of which the server may still tell is not among them yet.
    pub(crate) fn list(&mut self, fs: &dyn Fs, now: Duration) -> Vec<Labels> {
        let names = fs.read_dir(&self.directory).unwrap_or_default();
        let mut is_away = false;
        if let Some(Cluster { discovery, known }) = &mut self.cluster {
            let there: BTreeSet<&str> =
                names.iter().filter_map(|name| split(name).map(|(.., uid)| uid)).collect();
            is_away = discovery.stats().iter().any(|source| source.last_error.is_some());
            known.update(&discovery.groups(), &there);
        }
        let mut found = Vec::new();
        for name in &names {
            let Some((namespace, pod, uid)) = split(name) else { continue };
            if !self.namespaces.is_empty() && !self.namespaces.iter().any(|n| n == namespace) {
                continue;
            }
            let mut known = self.cluster.as_mut().map(|cluster| &mut cluster.known);
            if known.as_mut().is_some_and(|known| known.waits_for(uid, now, is_away)) {
                continue;
            }
            let known = self.cluster.as_ref().map(|cluster| &cluster.known);
            let directory = self.directory.join(name);
            for container in fs.read_dir(&directory).unwrap_or_default() {
                if found.len() >= CONTAINERS_MAX {
                    break;
                }
                let labels = known.and_then(|known| known.labels(uid, &container));
                found.push(match labels {
                    Some(labels) => {
                        let mut labels = labels.to_builder();
                        labels.set("__host__", &self.node);
                        labels.set("__path__", &path(&directory, &container)).build()
                    }
                    None => self.labels(namespace, pod, uid, &container, &directory),
                });
            }
        }
        if let Some(cluster) = self.cluster.as_ref().filter(|_| self.elsewhere) {
            let there: BTreeSet<&str> =
                names.iter().filter_map(|name| split(name).map(|(.., uid)| uid)).collect();
            let room = CONTAINERS_MAX.saturating_sub(found.len());
            found.extend(cluster.known.without_directory(&there).take(room));
        }
        found
    }

    fn labels(
        &self,
        namespace: &str,
        pod: &str,
        uid: &str,
        container: &str,
        directory: &Utf8Path,
    ) -> Labels {
        [
            ("__meta_kubernetes_namespace", namespace),
            ("__meta_kubernetes_pod_name", pod),
            ("__meta_kubernetes_pod_uid", uid),
            ("__meta_kubernetes_pod_container_name", container),
            ("__meta_kubernetes_pod_node_name", &self.node),
            ("__meta_kubernetes_pod_controller_name", controller(pod)),
            ("__host__", &self.node),
            ("__path__", &path(directory, container)),
        ]
        .into_iter()
        .collect()
    }
}

fn path(directory: &Utf8Path, container: &str) -> String {
    escape(directory.join(container).join("*.log").as_str())
}

/// Names of Kubernetes have no letter of a pattern in them, but a directory may.
fn escape(path: &str) -> String {
    let mut letters: Vec<char> = path.chars().collect();
    let name = path.rfind('/').map_or(0, |at| path.get(..at).map_or(0, |dir| dir.chars().count()));
    let mut out = String::new();
    for (at, letter) in letters.drain(..).enumerate() {
        if at < name && matches!(letter, '*' | '?' | '[' | '{' | '\\') {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

/// Namespace, pod and uid; none of them has an underscore in it.
fn split(name: &str) -> Option<(&str, &str, &str)> {
    let (namespace, rest) = name.split_once('_')?;
    let (pod, uid) = rest.split_once('_')?;
    let whole = [namespace, pod, uid].iter().all(|part| !part.is_empty());
    (whole && !uid.contains('_')).then_some((namespace, pod, uid))
}

/// The name of what made a pod, guessed: a random end of five letters goes (`DaemonSet`,
/// `ReplicaSet`, `Job`), or a number (`StatefulSet`).
fn controller(pod: &str) -> &str {
    match pod.rsplit_once('-') {
        Some((name, end)) if is_random(end) || is_number(end) => name,
        _ => pod,
    }
}

fn is_random(end: &str) -> bool {
    // Kubernetes leaves out what could make a word.
    end.len() == 5 && end.bytes().all(|b| b"bcdfghjklmnpqrstvwxz2456789".contains(&b))
}

fn is_number(end: &str) -> bool {
    (1..=4).contains(&end.len()) && end.bytes().all(|b| b.is_ascii_digit())
}

/// The labels that Promtail gives with the values of `infra/values/promtail.yaml`: `namespace`, `pod`,
/// `container`, `node_name`, `job`, and `app`, which is the pod's label `app`, else its
/// `app.kubernetes.io/name`, else the name of its controller, else its own.
pub(crate) fn rules() -> Vec<Rule> {
    let rule = |sources: &[&str], regex: &str, target: &str, replacement: &str, separator: &str| {
        let config = RelabelConfig {
            source_labels: Some(sources.iter().map(|&source| source.to_owned()).collect()),
            separator: Some(separator.to_owned()),
            regex: Some(regex.to_owned()),
            target_label: target.to_owned(),
            replacement: Some(replacement.to_owned()),
            action: Action::Replace,
            modulus: 0,
        };
        Rule::new(config, NameScheme::Utf8)
    };
    let controller = "([0-9a-z-.]+?)(-[0-9a-f]{8,10})?";
    let first = "^;*([^;]+)(;.*)?$";
    let meta = |name: &str| format!("__meta_kubernetes_{name}");
    let rules = [
        rule(&[&meta("pod_controller_name")], controller, "__tmp_controller_name", "$1", ";"),
        rule(
            &[
                &meta("pod_label_app"),
                &meta("pod_label_app_kubernetes_io_name"),
                "__tmp_controller_name",
                &meta("pod_name"),
            ],
            first,
            "app",
            "$1",
            ";",
        ),
        rule(&[&meta("namespace")], "(.*)", "namespace", "$1", ";"),
        rule(&[&meta("pod_name")], "(.*)", "pod", "$1", ";"),
        rule(&[&meta("pod_container_name")], "(.*)", "container", "$1", ";"),
        rule(&[&meta("pod_node_name")], "(.*)", "node_name", "$1", ";"),
        rule(&["namespace", "app"], "(.*)", "job", "$1", "/"),
    ];
    // They are constants, and a test has compiled them.
    rules.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use masthead_sysio::SimFs;

    use super::*;
    use crate::target::Source;

    fn pods(directory: &Utf8Path, node: &str) -> Pods {
        let directory = directory.to_owned();
        Pods {
            directory,
            node: node.to_owned(),
            namespaces: Vec::new(),
            elsewhere: false,
            cluster: None,
        }
    }

    #[test]
    fn labels_come_from_the_path_as_the_chart_gives_them() {
        let fs = SimFs::new(1);
        let f = |directory: &str, want: &str| {
            let root = Utf8Path::new("/pods");
            fs.create_dir_all(&root.join(directory)).unwrap();
            let mut complaints = Vec::new();
            let mut source = Source::Pods(pods(root, "n1"));
            let mut complain = |complaint| complaints.push(complaint);
            let targets = source.targets(&fs, Duration::ZERO, &rules(), "n1", &mut complain);
            let shown: Vec<_> = targets.iter().map(|target| target.labels.to_string()).collect();
            assert_eq!((shown, complaints), (vec![want.to_owned()], vec![]));
            fs.remove_dir_all(root).unwrap();
        };
        f(
            "default_api-7c9d8b6f5d-x2v4k_0f3c/api",
            r#"{app="api", container="api", job="default/api", namespace="default", node_name="n1", pod="api-7c9d8b6f5d-x2v4k"}"#,
        );
        f(
            "db_postgres-0_0f3c/pg",
            r#"{app="postgres", container="pg", job="db/postgres", namespace="db", node_name="n1", pod="postgres-0"}"#,
        );
        f(
            "kube-system_kube-proxy-8wxzk_0f3c/kube-proxy",
            r#"{app="kube-proxy", container="kube-proxy", job="kube-system/kube-proxy", namespace="kube-system", node_name="n1", pod="kube-proxy-8wxzk"}"#,
        );
        f(
            "default_single_0f3c/main",
            r#"{app="single", container="main", job="default/single", namespace="default", node_name="n1", pod="single"}"#,
        );
    }

    #[test]
    fn other_directories_and_namespaces_are_left_out() {
        let fs = SimFs::new(1);
        for name in ["a_p_1/c", "b_p_2/c", "notes/c", "a_b/c", "a_b_c_d/c"] {
            fs.create_dir_all(&Utf8Path::new("/pods").join(name)).unwrap();
        }
        let mut pods = pods(Utf8Path::new("/pods"), "n");
        assert_eq!(pods.list(&fs, Duration::ZERO).len(), 2);
        pods.namespaces = vec!["b".into()];
        assert_eq!(pods.list(&fs, Duration::ZERO).len(), 1);
    }

    #[test]
    fn every_rule_compiles() {
        assert_eq!(rules().len(), 7);
    }

    #[test]
    fn letters_of_patterns_in_directories_stand_for_themselves() {
        assert_eq!(escape("/a*b/c[1]/*.log"), r"/a\*b/c\[1]/*.log");
    }
}
