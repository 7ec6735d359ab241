//! ConfigMaps of a cluster that hold dashboards, and those that hold data sources.
//!
//! Masthead has two data sources, its own samples and its own lines. A dashboard that names one by
//! the uid or the name that a ConfigMap gives it is shown over ours of the same type; other types are
//! refused by name. A reference that says its type needs none of this. They count for every dashboard,
//! as in Grafana: those of folders and those that were saved too (`dashboards.rs`).

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use camino::Utf8Path;
use masthead_discovery::{
    kubernetes::{Api, Clusters, ConfigMap, Watched},
    yaml,
};
use masthead_ports::FoundResource;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::File;
use crate::cli::KubernetesArgs;

/// Between a change of ConfigMaps and reading them.
const SETTLE: Duration = Duration::from_millis(200);
/// The annotation that names a dashboard's folder, as the charts set it.
const FOLDER: &str = "grafana_folder";
/// The types that are ours.
const OURS: [&str; 2] = ["prometheus", "loki"];
/// Names of data sources that are kept; more are refused.
const SOURCES_MAX: usize = 1_000;

type Watches = Vec<Arc<Watched<ConfigMap>>>;

/// The ConfigMaps that are followed.
#[derive(Debug)]
pub(super) struct Maps {
    dashboards: Watches,
    sources: Watches,
    changed: Arc<Notify>,
}

/// What they say.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) dashboards: Vec<File>,
    pub(super) resources: Vec<FoundResource>,
    pub(super) sources: Sources,
}

/// The type of each data source that is one of ours, by its uid and by its name.
pub(super) type Sources = BTreeMap<String, &'static str>;

impl Maps {
    /// Begins to follow them. Must be called within a tokio runtime.
    pub(super) fn new(clusters: &Clusters, api: &Arc<Api>, args: &KubernetesArgs) -> Self {
        let changed = Arc::new(Notify::new());
        let mut namespaces: Vec<Option<&str>> =
            args.namespaces.iter().map(|name| Some(name.as_str())).collect();
        if namespaces.is_empty() {
            namespaces.push(None);
        }
        let watch = |selector: &str| -> Watches {
            let one = |namespace: Option<&str>| clusters.watch(api, namespace, selector, "");
            namespaces.iter().copied().map(one).collect()
        };
        let (dashboards, sources) =
            (watch(&args.dashboard_selector), watch(&args.datasource_selector));
        for watched in dashboards.iter().chain(&sources) {
            watched.tell(&changed);
        }
        Self { dashboards, sources, changed }
    }

    /// Waits until something may be different. Safe to drop half way.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
        tokio::time::sleep(SETTLE).await;
    }

    /// Why some are not up to date.
    pub(super) fn problems(&self) -> Vec<String> {
        let all = self.dashboards.iter().chain(&self.sources);
        all.filter_map(|watched| watched.problem()).collect()
    }

    /// What they say now; nothing before all dashboards were listed once.
    pub(super) fn read(&self) -> Option<Read> {
        if !self.dashboards.iter().all(|watched| watched.is_synced()) {
            return None;
        }
        let list = |watches: &Watches| -> Vec<Arc<ConfigMap>> {
            watches.iter().flat_map(|watched| watched.list()).collect()
        };
        Some(read(&list(&self.dashboards), &list(&self.sources)))
    }
}

fn read(dashboards: &[Arc<ConfigMap>], sources: &[Arc<ConfigMap>]) -> Read {
    let (mut read, mut names) = (Read::default(), Sources::new());
    let resource = |map: &ConfigMap, brought: usize, rejected: Option<String>| FoundResource {
        kind: "ConfigMap".to_owned(),
        namespace: map.metadata.namespace.clone(),
        name: map.metadata.name.clone(),
        pools: Vec::new(),
        looks: String::new(),
        brought: Some(brought),
        rejected,
    };
    for map in sources {
        let (found, rejected) = add_sources(map, &mut names);
        read.resources.push(resource(map, found, rejected));
    }
    for map in dashboards {
        let files = files(map, &names);
        read.resources.push(resource(map, files.len(), None));
        read.dashboards.extend(files);
    }
    read.sources = names;
    read
}

/// Grafana's provisioning file, as far as it is read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Provisioned {
    datasources: Option<Vec<Datasource>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Datasource {
    name: String,
    uid: String,
    r#type: String,
}

/// Adds the data sources of a ConfigMap; how many are ours, and why others are not taken.
fn add_sources(map: &ConfigMap, names: &mut Sources) -> (usize, Option<String>) {
    let (mut taken, mut refused) = (0, Vec::new());
    let is_file = |name: &str| matches!(Utf8Path::new(name).extension(), Some("yaml" | "yml"));
    for (key, text) in map.data.iter().filter(|(key, _)| is_file(key)) {
        let parsed = match yaml::parse::<Option<Provisioned>>(text) {
            Ok(parsed) => parsed.unwrap_or_default(),
            Err(error) => {
                refused.push(format!("{key}: {error}"));
                continue;
            }
        };
        for source in parsed.datasources.unwrap_or_default() {
            let Datasource { name, uid, r#type } = source;
            let Some(ours) = OURS.into_iter().find(|ours| *ours == r#type) else {
                refused.push(format!("data source {name:?}: type {type:?} is not supported"));
                continue;
            };
            taken += 1;
            for word in [name, uid] {
                if names.len() >= SOURCES_MAX && !names.contains_key(&word) {
                    refused.push(format!("more than {SOURCES_MAX} names of data sources"));
                } else if !word.is_empty() {
                    names.insert(word, ours);
                }
            }
        }
    }
    (taken, (!refused.is_empty()).then(|| refused.join("; ")))
}

/// The dashboards of one ConfigMap.
fn files(map: &ConfigMap, sources: &Sources) -> Vec<File> {
    let folder = map.metadata.annotations.get(FOLDER).cloned().unwrap_or_default();
    let origin =
        |name: &str| format!("configmap/{}/{}/{name}", map.metadata.namespace, map.metadata.name);
    let all = map.data.iter().filter(|(name, _)| Utf8Path::new(name).extension() == Some("json"));
    all.map(|(name, text)| (folder.clone(), origin(name), resolved(text, sources))).collect()
}

/// A dashboard whose data sources say their type, where a ConfigMap tells it.
pub(super) fn resolved(text: &str, sources: &Sources) -> Arc<str> {
    if !sources.keys().any(|word| text.contains(word.as_str())) {
        return text.into();
    }
    // What is no JSON is told where dashboards are read.
    let Ok(mut board) = serde_json::from_str::<Value>(text) else { return text.into() };
    if resolve(&mut board, sources) { board.to_string().into() } else { text.into() }
}

/// Whether anything was written. The depth is that of the parser, which has a limit.
fn resolve(value: &mut Value, sources: &Sources) -> bool {
    let mut changed = false;
    match value {
        Value::Array(all) => {
            for one in all {
                changed |= resolve(one, sources);
            }
        }
        Value::Object(all) => {
            for (key, one) in all {
                if key == "datasource" {
                    changed |= resolve_reference(one, sources);
                } else {
                    changed |= resolve(one, sources);
                }
            }
        }
        _ => {}
    }
    changed
}

/// A reference by name, or by uid without a type.
fn resolve_reference(reference: &mut Value, sources: &Sources) -> bool {
    let word = match &*reference {
        Value::String(name) => name.clone(),
        Value::Object(of) if of.get("type").and_then(Value::as_str).unwrap_or("").is_empty() => {
            of.get("uid").and_then(Value::as_str).unwrap_or("").to_owned()
        }
        _ => return false,
    };
    let Some(kind) = sources.get(&word) else { return false };
    *reference = json!({"type": kind, "uid": word});
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(name: &str, key: &str, text: &str) -> Arc<ConfigMap> {
        let map = json!({
            "metadata": {"name": name, "namespace": "n", "annotations": {"grafana_folder": "Kube"}},
            "data": {key: text, "readme.txt": "x"},
        });
        Arc::new(serde_json::from_value(map).unwrap())
    }

    #[test]
    fn dashboards_have_the_folder_of_their_annotation() {
        let found = read(&[map("m", "a.json", "{}"), map("none", "b.txt", "")], &[]);
        let want = ("Kube".to_owned(), "configmap/n/m/a.json".to_owned(), Arc::from("{}"));
        assert_eq!(found.dashboards, [want]);
        let brought: Vec<_> = found.resources.iter().map(|one| one.brought).collect();
        assert_eq!(brought, [Some(1), Some(0)]);
    }

    #[test]
    fn names_and_uids_of_config_maps_become_types_and_other_types_are_refused_by_name() {
        let sources = "apiVersion: 1
datasources:
- {name: Team metrics, uid: tm, type: prometheus, url: 'http://x', jsonData: {a: 1}}
- {name: Team logs, uid: tl, type: loki}
- {name: Traces, uid: tt, type: tempo}
";
        let board = json!({"panels": [
            {"datasource": "Team logs", "targets": [{"datasource": {"uid": "tm"}}]},
            {"datasource": {"type": "prometheus", "uid": "tl"}},
            {"datasource": "unknown"},
            {"datasource": null},
        ]});
        let found = read(
            &[map("boards", "a.json", &board.to_string())],
            &[map("sources", "d.yaml", sources)],
        );
        let shown: Value = serde_json::from_str(&found.dashboards[0].2).unwrap();
        let want = json!({"panels": [
            {"datasource": {"type": "loki", "uid": "Team logs"},
                "targets": [{"datasource": {"type": "prometheus", "uid": "tm"}}]},
            {"datasource": {"type": "prometheus", "uid": "tl"}},
            {"datasource": "unknown"},
            {"datasource": null},
        ]});
        assert_eq!(shown, want);
        let of = &found.resources[0];
        let why = "data source \"Traces\": type \"tempo\" is not supported";
        assert_eq!((of.brought, of.rejected.as_deref()), (Some(2), Some(why)));
    }

    #[test]
    fn a_file_that_is_no_yaml_is_named_and_dashboards_stay_as_they_are() {
        let found =
            read(&[map("m", "a.json", "{ no json")], &[map("s", "d.yml", "datasources: 7")]);
        assert_eq!(&*found.dashboards[0].2, "{ no json");
        let why = found.resources[0].rejected.as_deref().unwrap();
        assert!(why.starts_with("d.yml: ") && why.contains("datasources"), "{why}");
    }
}
