//! The custom resources of a cluster, watched, and what became of each.
//!
//! [`Operator::next`] waits for a change and answers with everything that is now to be scraped and
//! evaluated. Secrets are read one by one, by name, because a server that may list Secrets may read
//! all of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::sync::Notify;

use super::{
    Kind, Rejected,
    secrets::{Reference, Secrets, Store, Wanted},
    translate,
};
use crate::{
    Error,
    kubernetes::{Api, Clusters, ConfigMap, Meta, Resource, Watched},
};

/// Secrets and `ConfigMaps` that resources may refer to, all together.
const REFERENCES_MAX: usize = 1_000;

/// Which resources are taken.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// In these namespaces; in all where none is named.
    pub namespaces: Vec<String>,
    /// That this label selector chooses; all where it is empty.
    pub label: String,
}

/// What became of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Such as `ServiceMonitor`.
    pub kind: &'static str,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The `job_name` of each scrape configuration that it became.
    pub jobs: Vec<String>,
    /// Why it is not taken, if it is not.
    pub rejected: Option<String>,
}

/// The rules of one PrometheusRule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFile {
    /// The namespace of the resource.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What the operator calls the file that it writes: `NAMESPACE-NAME-UID.yaml`.
    pub file: String,
    /// A rule file in JSON, which is YAML too.
    pub text: String,
}

/// Everything that the resources say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// Scrape configurations in the words of a prometheus.yml.
    pub jobs: Vec<Map<String, Value>>,
    /// The rule files of the cluster.
    pub rules: Vec<RuleFile>,
    /// What became of each resource, in the order of kind, namespace and name.
    pub statuses: Vec<Status>,
    /// Why some are not up to date, if so.
    pub problems: Vec<String>,
}

/// Any resource of a kind: metadata and specification.
#[derive(Debug)]
struct Custom<const KIND: usize> {
    metadata: Meta,
    spec: Value,
}

impl<'de, const KIND: usize> Deserialize<'de> for Custom<KIND> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Body {
            metadata: Meta,
            spec: Value,
        }
        let Body { metadata, spec } = Body::deserialize(deserializer)?;
        Ok(Self { metadata, spec })
    }
}

/// Group and plural of each kind, in the order of the constants below.
const PATHS: [(&str, &str); 5] = [
    (V1, "servicemonitors"),
    (V1, "podmonitors"),
    (V1, "probes"),
    ("/apis/monitoring.coreos.com/v1alpha1", "scrapeconfigs"),
    (V1, "prometheusrules"),
];
const V1: &str = "/apis/monitoring.coreos.com/v1";
const SERVICE_MONITOR: usize = 0;
const POD_MONITOR: usize = 1;
const PROBE: usize = 2;
const SCRAPE_CONFIG: usize = 3;
const RULE: usize = 4;

impl<const KIND: usize> Resource for Custom<KIND> {
    const GROUP: &'static str = PATHS[KIND].0;
    const PLURAL: &'static str = PATHS[KIND].1;
    fn meta(&self) -> &Meta {
        &self.metadata
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Secret {
    metadata: Meta,
    /// In base64.
    data: BTreeMap<String, String>,
}

impl Resource for Secret {
    const GROUP: &'static str = "/api/v1";
    const PLURAL: &'static str = "secrets";
    fn meta(&self) -> &Meta {
        &self.metadata
    }
}

/// The resources of one kind, one watch for each namespace.
type Watches<const KIND: usize> = Vec<Arc<Watched<Custom<KIND>>>>;

/// The custom resources of a cluster.
#[derive(Debug)]
pub struct Operator {
    api: Arc<Api>,
    changed: Arc<Notify>,
    service_monitors: Watches<SERVICE_MONITOR>,
    pod_monitors: Watches<POD_MONITOR>,
    probes: Watches<PROBE>,
    scrape_configs: Watches<SCRAPE_CONFIG>,
    rules: Watches<RULE>,
    texts: Texts,
    told: Option<Found>,
}

/// What the resources refer to, as it was read last.
#[derive(Debug, Default)]
struct Texts {
    read: Store,
    /// Why others could not be read, and never could.
    unread: BTreeMap<Reference, String>,
}

impl Secrets for Texts {
    fn text(&self, reference: &Reference, key: &str) -> Option<String> {
        self.read.text(reference, key)
    }

    fn unread(&self, reference: &Reference) -> Option<&str> {
        self.unread.get(reference).map(String::as_str)
    }
}

impl Operator {
    /// Begins to watch. Must be called within a tokio runtime.
    pub fn new(clusters: &Clusters, api: &Arc<Api>, selection: &Selection) -> Self {
        let changed = Arc::new(Notify::new());
        Self {
            service_monitors: watch(clusters, api, selection, &changed),
            pod_monitors: watch(clusters, api, selection, &changed),
            probes: watch(clusters, api, selection, &changed),
            scrape_configs: watch(clusters, api, selection, &changed),
            rules: watch(clusters, api, selection, &changed),
            api: Arc::clone(api),
            changed,
            texts: Texts::default(),
            told: None,
        }
    }

    /// Waits until something differs from what was answered last, and answers all of it. Safe to
    /// drop half way.
    pub async fn next(&mut self) -> Found {
        loop {
            if self.told.is_some() {
                // Secrets change without a word.
                let age_max = self.api.timing().secrets;
                drop(tokio::time::timeout(age_max, self.changed.notified()).await);
            } else {
                self.changed.notified().await;
            }
            tokio::time::sleep(self.api.timing().settle).await;
            let Some(found) = self.find().await else { continue };
            if self.told.as_ref() != Some(&found) {
                self.told = Some(found.clone());
                return found;
            }
        }
    }

    /// All that the resources say now; nothing before all kinds were listed or refused once.
    async fn find(&mut self) -> Option<Found> {
        let mut found = Found::default();
        let mut resources = Vec::new();
        let mut ready =
            take(&self.service_monitors, Kind::ServiceMonitor, &mut resources, &mut found);
        ready &= take(&self.pod_monitors, Kind::PodMonitor, &mut resources, &mut found);
        ready &= take(&self.probes, Kind::Probe, &mut resources, &mut found);
        ready &= take(&self.scrape_configs, Kind::ScrapeConfig, &mut resources, &mut found);
        for watched in &self.rules {
            ready &= watched.is_synced() || watched.problem().is_some();
            found.problems.extend(watched.problem());
            for rule in watched.list() {
                found.rules.push(rule_file(&rule.metadata, &rule.spec));
                let Meta { namespace, name, .. } = &rule.metadata;
                let (namespace, name) = (namespace.clone(), name.clone());
                let (kind, jobs) = ("PrometheusRule", Vec::new());
                found.statuses.push(Status { kind, namespace, name, jobs, rejected: None });
            }
        }
        if !ready {
            return None;
        }
        self.texts = self.read(&resources, &mut found.problems).await;
        for (kind, meta, spec) in &resources {
            let (jobs, rejected) = match translate(*kind, meta, spec, &self.texts) {
                Ok(jobs) => (jobs, None),
                Err(Rejected(why)) => (Vec::new(), Some(why)),
            };
            let name = |job: &Map<String, Value>| job.get("job_name")?.as_str().map(str::to_owned);
            found.statuses.push(Status {
                kind: kind.name(),
                namespace: meta.namespace.clone(),
                name: meta.name.clone(),
                jobs: jobs.iter().filter_map(name).collect(),
                rejected,
            });
            found.jobs.extend(jobs);
        }
        let order = |status: &Status| (status.kind, status.namespace.clone(), status.name.clone());
        found.statuses.sort_by_key(order);
        found.problems.sort();
        found.problems.dedup();
        Some(found)
    }

    /// Reads what the resources refer to. What cannot be read now is as it was read last, so that no
    /// target is lost with the API server; a Secret that is gone is gone.
    async fn read(&self, resources: &[Taken], problems: &mut Vec<String>) -> Texts {
        let wanted = Wanted::default();
        for (kind, meta, spec) in resources {
            // Only what it asks for is of interest.
            drop(translate(*kind, meta, spec, &wanted));
        }
        let wanted: BTreeSet<Reference> = wanted.0.into_inner();
        let mut texts = Texts::default();
        if wanted.len() > REFERENCES_MAX {
            problems.push(format!("resources refer to more than {REFERENCES_MAX} Secrets"));
        }
        let mut away: Option<String> = None;
        for reference in wanted.into_iter().take(REFERENCES_MAX) {
            // A server that does not answer is asked once, not a thousand times.
            let read = match &away {
                None => self.texts(&reference).await,
                Some(what) => Err(Error::Away { what: what.clone() }),
            };
            let error = match read {
                Ok(found) => {
                    texts.read.0.insert(reference, found);
                    continue;
                }
                Err(error) => error,
            };
            let why = error.to_string();
            if matches!(error, Error::Away { .. }) {
                away = Some(why.clone());
            }
            match self.texts.read.0.get(&reference) {
                Some(before) => drop(texts.read.0.insert(reference, before.clone())),
                None => drop(texts.unread.insert(reference, why.clone())),
            }
            problems.push(why);
        }
        texts
    }

    async fn texts(&self, reference: &Reference) -> Result<BTreeMap<String, String>, Error> {
        let Reference { config_map, namespace, name } = reference;
        if *config_map {
            let found: Option<ConfigMap> = self.api.get(namespace, name).await?;
            return Ok(found.unwrap_or_default().data);
        }
        let found: Option<Secret> = self.api.get(namespace, name).await?;
        let decode = |(key, value): (String, String)| {
            let bytes = BASE64_STANDARD.decode(value).ok()?;
            Some((key, String::from_utf8(bytes).ok()?))
        };
        Ok(found.unwrap_or_default().data.into_iter().filter_map(decode).collect())
    }
}

/// A PrometheusRule as the file that the operator writes for a Prometheus: what only Thanos knows
/// is left out (`pkg/operator/rules.go`).
fn rule_file(meta: &Meta, spec: &Value) -> RuleFile {
    let mut spec = spec.clone();
    let groups = spec.get_mut("groups").and_then(Value::as_array_mut);
    for group in groups.into_iter().flatten().filter_map(Value::as_object_mut) {
        group.remove("partial_response_strategy");
    }
    let Meta { namespace, name, uid, .. } = meta;
    RuleFile {
        file: format!("{namespace}-{name}-{uid}.yaml"),
        namespace: namespace.clone(),
        name: name.clone(),
        text: spec.to_string(),
    }
}

type Taken = (Kind, Meta, Value);

fn watch<const KIND: usize>(
    clusters: &Clusters,
    api: &Arc<Api>,
    selection: &Selection,
    changed: &Arc<Notify>,
) -> Watches<KIND> {
    let mut namespaces: Vec<Option<&str>> =
        selection.namespaces.iter().map(|name| Some(name.as_str())).collect();
    if namespaces.is_empty() {
        namespaces.push(None);
    }
    let one = |namespace: Option<&str>| {
        let watched = clusters.watch(api, namespace, &selection.label, "");
        watched.tell(changed);
        watched
    };
    namespaces.into_iter().map(one).collect()
}

/// Adds all resources of a kind; false while they are not known. A kind that the cluster does not
/// have, or that may not be read, is a problem that is told and no more.
fn take<const KIND: usize>(
    watches: &Watches<KIND>,
    kind: Kind,
    resources: &mut Vec<Taken>,
    found: &mut Found,
) -> bool {
    let mut ready = true;
    for watched in watches {
        ready &= watched.is_synced() || watched.problem().is_some();
        found.problems.extend(watched.problem());
        for resource in watched.list() {
            resources.push((kind, resource.metadata.clone(), resource.spec.clone()));
        }
    }
    ready
}
