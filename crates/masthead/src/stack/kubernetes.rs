//! What the cluster says: what to scrape, and dashboards (`--kubernetes`).
//!
//! Monitors become jobs beside those of the file, which are preferred where two have one name; what
//! cannot be scraped is refused alone, with the reason in the discovery page. Dashboards are files
//! in ConfigMaps with a label, as the sidecar of Grafana's chart takes them.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use camino::Utf8Path;
use masthead_discovery::{
    kubernetes::{Api, Clusters, ConfigMap, Watched},
    operator::{Found, Operator, Selection},
};
use masthead_http_client::HttpClientConfig;
use masthead_ports::{DiscoveryView, FoundResource};
use masthead_scrape::{PromConfig, ScrapeConfig};
use masthead_sysio::{Fs, RealFs};
use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use super::scraping::Scraping;
use crate::{
    cli::KubernetesArgs,
    tasks::{Task, Tasks},
};

/// Between a change of ConfigMaps and reading them.
const SETTLE: Duration = Duration::from_millis(200);
/// The annotation that names a dashboard's folder, as the charts set it.
const FOLDER: &str = "grafana_folder";

/// A dashboard out of a ConfigMap: folder, where it is from, its JSON.
pub(super) type File = (String, String, Arc<str>);

/// The cluster as it was found last.
#[derive(Debug, Default)]
pub(super) struct Kubernetes {
    found: Mutex<(Vec<FoundResource>, Vec<String>)>,
    dashboards: Mutex<Arc<Vec<File>>>,
}

impl Kubernetes {
    /// The dashboards of the cluster.
    pub(super) fn dashboards(&self) -> Arc<Vec<File>> {
        Arc::clone(&self.dashboards.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Begins to follow the cluster, where that is asked for; it ends with what is returned.
    ///
    /// # Errors
    /// An API server whose address is wrong.
    pub(super) fn follow(
        self: &Arc<Self>,
        args: &KubernetesArgs,
        scraping: &Arc<Scraping>,
        tasks: &Tasks,
    ) -> anyhow::Result<Vec<Task>> {
        if !args.enabled {
            return Ok(Vec::new());
        }
        let fs: Arc<dyn Fs> = Arc::new(RealFs);
        let clusters = Arc::new(Clusters::default());
        let server = args.api_server.as_deref().unwrap_or_default();
        let api = clusters.api(server, &HttpClientConfig::default(), &fs)?;
        let selection =
            Selection { namespaces: args.namespaces.clone(), label: args.monitor_selector.clone() };
        let operator = Operator::new(&clusters, &api, &selection);
        let monitors =
            Arc::clone(self).monitors(operator, Arc::clone(scraping), args.api_server.clone());
        let maps = config_maps(&clusters, &api, args);
        let dashboards = Arc::clone(self).watch_dashboards(maps);
        Ok(vec![
            tasks.spawn("monitors", monitors),
            tasks.spawn("dashboards of the cluster", dashboards),
        ])
    }

    async fn monitors(
        self: Arc<Self>,
        mut operator: Operator,
        scraping: Arc<Scraping>,
        server: Option<String>,
    ) {
        loop {
            let mut found = operator.next().await;
            if let Some(server) = &server {
                found.jobs.iter_mut().for_each(|job| ask(job, server));
            }
            let (jobs, resources) = taken(&found, scraping.loaded().global.scrape_interval);
            for problem in &found.problems {
                tracing::warn!(problem, "A part of the cluster is not followed.");
            }
            for resource in resources.iter().filter(|resource| resource.rejected.is_some()) {
                let FoundResource { kind, namespace, name, rejected, .. } = resource;
                let reason = rejected.as_deref().unwrap_or_default();
                tracing::warn!(kind, namespace, name, reason, "A resource was refused.");
            }
            *self.found.lock().unwrap_or_else(PoisonError::into_inner) =
                (resources, found.problems);
            if let Err(error) = scraping.replace_found(jobs).await {
                tracing::warn!(error = format!("{error:#}"), "The monitors are not in force.");
            }
        }
    }

    async fn watch_dashboards(self: Arc<Self>, (maps, changed): Maps) {
        loop {
            changed.notified().await;
            tokio::time::sleep(SETTLE).await;
            if maps.iter().all(|watched| watched.is_synced()) {
                let all = maps.iter().flat_map(|watched| watched.list());
                let files: Vec<File> = all.flat_map(|map| files(&map)).collect();
                *self.dashboards.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(files);
            }
            for problem in maps.iter().filter_map(|watched| watched.problem()) {
                tracing::warn!(problem, "Dashboards of the cluster are not up to date.");
            }
        }
    }
}

impl DiscoveryView for Kubernetes {
    fn resources(&self) -> Vec<FoundResource> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    fn problems(&self) -> Vec<String> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }
}

type Maps = (Vec<Arc<Watched<ConfigMap>>>, Arc<Notify>);

fn config_maps(clusters: &Clusters, api: &Arc<Api>, args: &KubernetesArgs) -> Maps {
    let changed = Arc::new(Notify::new());
    let mut namespaces: Vec<Option<&str>> =
        args.namespaces.iter().map(|name| Some(name.as_str())).collect();
    if namespaces.is_empty() {
        namespaces.push(None);
    }
    let watch = |namespace| clusters.watch(api, namespace, &args.dashboard_selector, "");
    let maps: Vec<Arc<Watched<ConfigMap>>> = namespaces.into_iter().map(watch).collect();
    for watched in &maps {
        watched.tell(&changed);
    }
    (maps, changed)
}

/// The dashboards of one ConfigMap.
fn files(map: &ConfigMap) -> Vec<File> {
    let folder = map.metadata.annotations.get(FOLDER).cloned().unwrap_or_default();
    let origin =
        |name: &str| format!("configmap/{}/{}/{name}", map.metadata.namespace, map.metadata.name);
    let all = map.data.iter().filter(|(name, _)| Utf8Path::new(name).extension() == Some("json"));
    all.map(|(name, text)| (folder.clone(), origin(name), text.as_str().into())).collect()
}

/// The jobs that can be scraped, and what became of every resource.
fn taken(found: &Found, interval: Duration) -> (Vec<Arc<ScrapeConfig>>, Vec<FoundResource>) {
    let mut jobs = Vec::new();
    let mut resources = Vec::new();
    for status in &found.statuses {
        let mut rejected = status.rejected.clone();
        let mut own = Vec::new();
        for name in &status.jobs {
            let of_name = |job: &&Map<String, Value>| {
                job.get("job_name").and_then(Value::as_str) == Some(name.as_str())
            };
            match found.jobs.iter().find(of_name).map(|job| parse(job, interval)) {
                Some(Ok(parsed)) => own.extend(parsed),
                Some(Err(why)) => rejected = Some(why),
                None => {}
            }
        }
        // A resource is refused whole.
        let pools = if rejected.is_some() { Vec::new() } else { status.jobs.clone() };
        if rejected.is_none() {
            jobs.extend(own);
        }
        resources.push(FoundResource {
            kind: status.kind.to_owned(),
            namespace: status.namespace.clone(),
            name: status.name.clone(),
            pools,
            rejected,
        });
    }
    (jobs, resources)
}

/// Lets a job look for its targets at the server where its monitor was found.
fn ask(job: &mut Map<String, Value>, server: &str) {
    let found = job.get_mut("kubernetes_sd_configs").and_then(Value::as_array_mut);
    for one in found.into_iter().flatten().filter_map(Value::as_object_mut) {
        one.entry("api_server").or_insert_with(|| json!(server));
    }
}

/// One job, read as a file of its own: JSON is YAML too.
fn parse(job: &Map<String, Value>, interval: Duration) -> Result<Vec<Arc<ScrapeConfig>>, String> {
    let global = json!({"scrape_interval": format!("{}ms", interval.as_millis())});
    let file = json!({"global": global, "scrape_configs": [job]}).to_string();
    let parsed = PromConfig::parse(&file).map_err(|error| error.to_string())?;
    match parsed.warnings.first() {
        Some(warning) => Err(warning.clone()),
        None => Ok(parsed.scrape_configs),
    }
}

#[cfg(test)]
mod tests {
    use masthead_discovery::operator::Status;

    use super::*;

    #[test]
    fn what_cannot_be_scraped_is_refused_alone() {
        let status = |name: &str, jobs: &[&str]| Status {
            kind: "ServiceMonitor",
            namespace: "shop".to_owned(),
            name: name.to_owned(),
            jobs: jobs.iter().map(|job| (*job).to_owned()).collect(),
            rejected: None,
        };
        let job = |value: Value| value.as_object().unwrap().clone();
        let found = Found {
            jobs: vec![
                job(json!({"job_name": "good/0", "scrape_timeout": "5s"})),
                job(json!({"job_name": "bad/0", "scrape_interval": "5s", "scrape_timeout": "9s"})),
            ],
            statuses: vec![status("good", &["good/0"]), status("bad", &["bad/0"])],
            ..Found::default()
        };
        let (jobs, resources) = taken(&found, Duration::from_secs(30));
        assert_eq!(jobs.len(), 1);
        assert_eq!(jobs[0].scrape_interval, Duration::from_secs(30));
        assert_eq!(resources[0].pools, ["good/0"]);
        let why = resources[1].rejected.as_deref().unwrap();
        assert!(why.contains("scrape timeout greater than scrape interval"), "{why}");
    }

    #[test]
    fn dashboards_have_the_folder_of_their_annotation() {
        let map: ConfigMap = serde_json::from_value(json!({
            "metadata": {"name": "m", "namespace": "n", "annotations": {"grafana_folder": "Kube"}},
            "data": {"a.json": "{}", "readme.txt": "x"},
        }))
        .unwrap();
        let all = files(&map);
        let want = ("Kube".to_owned(), "configmap/n/m/a.json".to_owned(), Arc::from("{}"));
        assert_eq!(all, [want]);
    }
}
