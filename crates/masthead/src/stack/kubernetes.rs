//! What the cluster says: what to scrape, what to evaluate, and dashboards (`--kubernetes`).
//!
//! Monitors become jobs beside those of the file, which are preferred where two have one name, and
//! `PrometheusRules` become rule files; what cannot be used is refused alone, with the reason in the
//! discovery page (`kubernetes/taken.rs`). Dashboards and data sources are files in ConfigMaps with a
//! label, as the sidecars of Grafana's chart take them (`kubernetes/maps.rs`).

mod maps;
mod taken;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use masthead_discovery::{
    kubernetes::Clusters,
    operator::{Operator, Selection},
};
use masthead_http_client::HttpClientConfig;
use masthead_ports::{DiscoveryView, FoundResource};
use masthead_sysio::{Fs, RealFs};

use self::maps::{Maps, Sources};
use super::{alerting::Alerting, scraping::Scraping};
use crate::{
    cli::KubernetesArgs,
    tasks::{Task, Tasks},
};

/// A dashboard out of a ConfigMap: folder, where it is from, its JSON.
pub(super) type File = (String, String, Arc<str>);

/// The cluster as it was found last.
#[derive(Debug, Default)]
pub(super) struct Kubernetes {
    /// Of the custom resources.
    found: Mutex<Status>,
    /// Of ConfigMaps.
    maps: Mutex<Status>,
    dashboards: Mutex<Arc<Vec<File>>>,
    sources: Mutex<Arc<Sources>>,
}

/// What became of resources, and why some are not up to date.
#[derive(Debug, Default)]
struct Status {
    resources: Vec<FoundResource>,
    problems: Vec<String>,
}

impl Kubernetes {
    /// The dashboards of the cluster.
    pub(super) fn dashboards(&self) -> Arc<Vec<File>> {
        Arc::clone(&lock(&self.dashboards))
    }

    /// A dashboard from elsewhere, over our data sources where it names one of the cluster.
    pub(super) fn resolved(&self, text: &str) -> Arc<str> {
        let sources = Arc::clone(&lock(&self.sources));
        maps::resolved(text, &sources)
    }

    /// Begins to follow the cluster, where that is asked for; it ends with what is returned.
    ///
    /// # Errors
    /// An API server whose address is wrong.
    pub(super) fn follow(
        self: &Arc<Self>,
        args: &KubernetesArgs,
        (scraping, alerting): (&Arc<Scraping>, &Arc<Alerting>),
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
        let (scraping, alerting) = (Arc::clone(scraping), Arc::clone(alerting));
        let monitors =
            Arc::clone(self).monitors(operator, scraping, alerting, args.api_server.clone());
        let maps = Arc::clone(self).watch_maps(Maps::new(&clusters, &api, args));
        Ok(vec![tasks.spawn("monitors", monitors), tasks.spawn("dashboards of the cluster", maps)])
    }

    async fn monitors(
        self: Arc<Self>,
        mut operator: Operator,
        scraping: Arc<Scraping>,
        alerting: Arc<Alerting>,
        server: Option<String>,
    ) {
        loop {
            let mut found = operator.next().await;
            if let Some(server) = &server {
                found.jobs.iter_mut().for_each(|job| taken::ask(job, server));
            }
            let interval = scraping.loaded().global.scrape_interval;
            let parse = |file: &str, text: &str| alerting.parse_found(file, text);
            let (jobs, groups, resources) = taken::taken(&found, interval, parse);
            for problem in &found.problems {
                tracing::warn!(problem, "A part of the cluster is not followed.");
            }
            tell_refused(&resources);
            *lock(&self.found) = Status { resources, problems: found.problems };
            if let Err(error) = scraping.replace_found(jobs).await {
                tracing::warn!(error = format!("{error:#}"), "The monitors are not in force.");
            }
            let alerting = Arc::clone(&alerting);
            // A panic in there is a bug that its own message has told.
            drop(tokio::task::spawn_blocking(move || alerting.replace_found(groups)).await);
        }
    }

    async fn watch_maps(self: Arc<Self>, maps: Maps) {
        loop {
            maps.changed().await;
            let mut status = Status { problems: maps.problems(), ..Status::default() };
            for problem in &status.problems {
                tracing::warn!(problem, "ConfigMaps of the cluster are not up to date.");
            }
            let Some(read) = maps.read() else {
                lock(&self.maps).problems = status.problems;
                continue;
            };
            status.resources = read.resources;
            tell_refused(&status.resources);
            *lock(&self.maps) = status;
            *lock(&self.dashboards) = Arc::new(read.dashboards);
            *lock(&self.sources) = Arc::new(read.sources);
        }
    }
}

fn tell_refused(resources: &[FoundResource]) {
    for resource in resources {
        let FoundResource { kind, namespace, name, rejected: Some(reason), .. } = resource else {
            continue;
        };
        tracing::warn!(kind, namespace, name, reason, "A resource was refused.");
    }
}

impl DiscoveryView for Kubernetes {
    fn resources(&self) -> Vec<FoundResource> {
        let mut all = lock(&self.found).resources.clone();
        all.extend(lock(&self.maps).resources.iter().cloned());
        all.sort_by(|a, b| (&a.kind, &a.namespace, &a.name).cmp(&(&b.kind, &b.namespace, &b.name)));
        all
    }

    fn problems(&self) -> Vec<String> {
        let mut all = lock(&self.found).problems.clone();
        all.extend(lock(&self.maps).problems.iter().cloned());
        all.dedup();
        all
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it is held, so a poisoned lock still holds whole values.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
