//! One entry of `scrape_configs`: which files, which labels, which stages.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use masthead_discovery::{
    Configs, FileSdConfig, HttpSdConfig, KubernetesSdConfig, Parts, TargetGroup, discover,
    kubernetes::{Role, Selector},
    yaml::Refused,
};
use masthead_model::Labels;
use masthead_relabel::{NameScheme, RelabelConfig, Rule};
use serde::{Deserialize, de::IgnoredAny};

use super::{
    Setup, go_duration,
    stages::{self, WrittenStage},
};
use crate::{
    Error,
    collector::Job,
    journal::JournalConfig,
    pipeline::{
        Pipeline,
        cri::{Cri, Settings},
        metrics::CustomMetrics,
    },
    pods::{self, Cluster, Pods, known::Known},
    target::Source,
};

/// One job, checked.
#[derive(Debug)]
pub(super) struct JobConfig {
    pub(super) name: String,
    pub(super) warnings: Vec<String>,
    pipeline: Pipeline,
    rules: Vec<Rule>,
    static_groups: Vec<TargetGroup>,
    discovery: Configs,
    journal: Option<JournalConfig>,
    pods: Option<PodsConfig>,
}

#[derive(Debug)]
struct PodsConfig {
    directory: Utf8PathBuf,
    namespaces: Vec<String>,
    /// Whether pods without a directory there are targets too.
    elsewhere: bool,
    /// Where the API server is asked; nowhere if empty.
    clusters: Vec<KubernetesSdConfig>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct WrittenJob {
    job_name: String,
    pipeline_stages: Option<Vec<WrittenStage>>,
    relabel_configs: Vec<RelabelConfig>,
    static_configs: Vec<WrittenStatic>,
    file_sd_configs: Vec<FileSdConfig>,
    http_sd_configs: Vec<HttpSdConfig>,
    kubernetes_sd_configs: Vec<KubernetesSdConfig>,
    decompression: Option<IgnoredAny>,
    encoding: Option<String>,
    journal: Option<WrittenJournal>,
    syslog: Option<IgnoredAny>,
    gcplog: Option<IgnoredAny>,
    azure_event_hubs: Option<IgnoredAny>,
    loki_push_api: Option<IgnoredAny>,
    windows_events: Option<IgnoredAny>,
    kafka: Option<IgnoredAny>,
    gelf: Option<IgnoredAny>,
    cloudflare: Option<IgnoredAny>,
    heroku_drain: Option<IgnoredAny>,
    docker_sd_configs: Option<IgnoredAny>,
    consul_sd_configs: Option<IgnoredAny>,
    consulagent_sd_configs: Option<IgnoredAny>,
    dns_sd_configs: Option<IgnoredAny>,
    digitalocean_sd_configs: Option<IgnoredAny>,
    dockerswarm_sd_configs: Option<IgnoredAny>,
    serverset_sd_configs: Option<IgnoredAny>,
    nerve_sd_configs: Option<IgnoredAny>,
    marathon_sd_configs: Option<IgnoredAny>,
    gce_sd_configs: Option<IgnoredAny>,
    ec2_sd_configs: Option<IgnoredAny>,
    openstack_sd_configs: Option<IgnoredAny>,
    azure_sd_configs: Option<IgnoredAny>,
    triton_sd_configs: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenStatic {
    targets: Vec<IgnoredAny>,
    labels: BTreeMap<String, String>,
}

/// Promtail's `journal`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenJournal {
    json: bool,
    max_age: Option<String>,
    path: String,
    labels: BTreeMap<String, String>,
    matches: String,
}

impl WrittenJournal {
    fn check(self) -> Result<JournalConfig, Refused> {
        let max_age = match self.max_age.as_deref() {
            None | Some("") => JOURNAL_AGE,
            Some(text) => {
                go_duration(text).map_err(|what| Refused::new("journal.max_age", what))?
            }
        };
        let matches: Vec<String> = self.matches.split_whitespace().map(str::to_owned).collect();
        for one in &matches {
            // They become arguments of a command, and none of these begins with a hyphen.
            let field = one.split_once('=').map_or("", |(field, _)| field);
            let fits = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
            if field.is_empty() || !field.chars().all(fits) {
                let what = format!("{one:?} is not FIELD=value");
                return Err(Refused::new("journal.matches", what));
            }
        }
        let labels = self.labels.into_iter().collect();
        Ok(JournalConfig { json: self.json, max_age, path: self.path, labels, matches })
    }
}

/// How far back a journal is read that was never read before, as Promtail.
const JOURNAL_AGE: Duration = Duration::from_hours(7);

impl WrittenJob {
    pub(super) fn check(self, metrics: &CustomMetrics) -> Result<JobConfig, Refused> {
        if self.job_name.is_empty() {
            return Err(Refused::new("job_name", "job_name is empty"));
        }
        let warnings = self.unsupported();
        if let Some(encoding) = &self.encoding
            && !matches!(encoding.to_ascii_lowercase().as_str(), "" | "utf-8" | "utf8")
        {
            let what = format!("not supported: encoding {encoding:?}; files are read as they are");
            return Err(Refused::new("encoding", what));
        }
        let rule = |(at, config): (usize, RelabelConfig)| {
            Rule::new(config, NameScheme::Utf8)
                .map_err(|error| Refused::new(format!("relabel_configs[{at}]"), error.to_string()))
        };
        let rules = self.relabel_configs.into_iter().enumerate().map(rule);
        let rules = rules.collect::<Result<_, _>>()?;
        let written = self.pipeline_stages.unwrap_or_default();
        let pipeline = Pipeline::new(stages::make(written, "pipeline_stages", metrics)?);
        let mut discovery = Configs {
            file_sd_configs: self.file_sd_configs,
            http_sd_configs: self.http_sd_configs,
            kubernetes_sd_configs: self.kubernetes_sd_configs,
            ..Configs::default()
        };
        discovery.validate().map_err(|error| Refused::new(error.key, error.what))?;
        let (pods, others) = pods_of(std::mem::take(&mut discovery.kubernetes_sd_configs));
        discovery.kubernetes_sd_configs = others;
        let groups = self.static_configs.into_iter().enumerate().map(|(at, written)| {
            // Promtail takes nothing from the list of targets but that it is there.
            TargetGroup {
                source: at.to_string(),
                labels: written.labels.into_iter().collect(),
                targets: vec![Labels::default()],
            }
        });
        Ok(JobConfig {
            name: self.job_name,
            pipeline,
            rules,
            static_groups: groups.collect(),
            discovery,
            journal: self.journal.map(WrittenJournal::check).transpose()?,
            pods,
            warnings,
        })
    }

    fn unsupported(&self) -> Vec<String> {
        let sources = [
            ("decompression", self.decompression.is_some()),
            ("syslog", self.syslog.is_some()),
            ("gcplog", self.gcplog.is_some()),
            ("azure_event_hubs", self.azure_event_hubs.is_some()),
            ("loki_push_api", self.loki_push_api.is_some()),
            ("windows_events", self.windows_events.is_some()),
            ("kafka", self.kafka.is_some()),
            ("gelf", self.gelf.is_some()),
            ("cloudflare", self.cloudflare.is_some()),
            ("heroku_drain", self.heroku_drain.is_some()),
            ("docker_sd_configs", self.docker_sd_configs.is_some()),
            ("consul_sd_configs", self.consul_sd_configs.is_some()),
            ("consulagent_sd_configs", self.consulagent_sd_configs.is_some()),
            ("dns_sd_configs", self.dns_sd_configs.is_some()),
            ("digitalocean_sd_configs", self.digitalocean_sd_configs.is_some()),
            ("dockerswarm_sd_configs", self.dockerswarm_sd_configs.is_some()),
            ("serverset_sd_configs", self.serverset_sd_configs.is_some()),
            ("nerve_sd_configs", self.nerve_sd_configs.is_some()),
            ("marathon_sd_configs", self.marathon_sd_configs.is_some()),
            ("gce_sd_configs", self.gce_sd_configs.is_some()),
            ("ec2_sd_configs", self.ec2_sd_configs.is_some()),
            ("openstack_sd_configs", self.openstack_sd_configs.is_some()),
            ("azure_sd_configs", self.azure_sd_configs.is_some()),
            ("triton_sd_configs", self.triton_sd_configs.is_some()),
        ];
        let given = sources.into_iter().filter(|(_, given)| *given);
        given.map(|(name, _)| format!("{name}: not supported yet, nothing of it is read")).collect()
    }
}

/// Pods are found in the kubelet's directory too; whatever has another role is a target as its rules
/// say.
fn pods_of(sections: Vec<KubernetesSdConfig>) -> (Option<PodsConfig>, Vec<KubernetesSdConfig>) {
    let (clusters, others): (Vec<_>, Vec<_>) =
        sections.into_iter().partition(|section| section.role == Role::Pod);
    if clusters.is_empty() {
        return (None, others);
    }
    let mut namespaces = Vec::new();
    if clusters.iter().all(|section| !section.namespaces.names.is_empty()) {
        namespaces.extend(clusters.iter().flat_map(|section| section.namespaces.names.clone()));
    }
    let directory = pods::DIRECTORY.into();
    let pods = PodsConfig { directory, namespaces, elsewhere: true, clusters };
    (Some(pods), others)
}

/// Whether a section leaves pods of this node out by what only the API server knows.
fn selects(section: &KubernetesSdConfig, node: &str) -> bool {
    let own = field_of(node);
    let mut of_pods = section.selectors.iter().filter(|selector| selector.role == Role::Pod);
    section.namespaces.own_namespace
        || of_pods.any(|of| !of.label.is_empty() || !(of.field.is_empty() || of.field == own))
}

fn field_of(node: &str) -> String {
    format!("spec.nodeName={node}")
}

/// The same section for the pods of this node alone, as Promtail asks for them.
fn of_node(section: &KubernetesSdConfig, node: &str) -> KubernetesSdConfig {
    let mut section = section.clone();
    let field = field_of(node);
    match section.selectors.iter_mut().find(|selector| selector.role == Role::Pod) {
        Some(selector) if selector.field.contains("spec.nodeName=") => {}
        Some(selector) if !selector.field.is_empty() => {
            selector.field = format!("{},{field}", selector.field);
        }
        Some(selector) => selector.field = field,
        None => {
            let (role, label) = (Role::Pod, String::new());
            section.selectors.push(Selector { role, label, field });
        }
    }
    section
}

impl JobConfig {
    /// The logs of all containers, with the labels of `pods.rs`.
    pub(super) fn pods(directory: &Utf8Path, cluster: Option<KubernetesSdConfig>) -> Self {
        let settings = Settings { extract: false, ..Settings::default() };
        Self {
            name: "pods".to_owned(),
            warnings: Vec::new(),
            pipeline: Pipeline::new(vec![Box::new(Cri::new(settings))]),
            rules: pods::rules(),
            static_groups: Vec::new(),
            discovery: Configs::default(),
            journal: None,
            pods: Some(PodsConfig {
                directory: directory.to_owned(),
                namespaces: Vec::new(),
                elsewhere: false,
                clusters: cluster.into_iter().collect(),
            }),
        }
    }

    pub(super) fn build(&self, setup: &Setup) -> Result<Job, Error> {
        let mut sources = Vec::new();
        if !self.static_groups.is_empty() {
            sources.push(Source::Static(self.static_groups.clone()));
        }
        let refuse = |source| Error::Discovery { job: self.name.clone(), source };
        let parts = Parts { fs: Arc::clone(&setup.fs), kubernetes: Arc::clone(&setup.kubernetes) };
        if !self.discovery.is_empty() {
            let discovery = discover(&self.discovery, &parts).map_err(refuse)?;
            sources.push(Source::Discovered(Box::new(discovery)));
        }
        if let Some(pods) = &self.pods {
            let clusters: Vec<_> =
                pods.clusters.iter().map(|section| of_node(section, &setup.node)).collect();
            let cluster = if clusters.is_empty() {
                None
            } else {
                let known = Known::new(pods.clusters.iter().all(|one| selects(one, &setup.node)));
                let configs = Configs { kubernetes_sd_configs: clusters, ..Configs::default() };
                let discovery = Box::new(discover(&configs, &parts).map_err(refuse)?);
                Some(Cluster { discovery, known })
            };
            sources.push(Source::Pods(Pods {
                directory: pods.directory.clone(),
                node: setup.node.clone(),
                namespaces: pods.namespaces.clone(),
                elsewhere: pods.elsewhere,
                cluster,
            }));
        }
        Ok(Job {
            name: self.name.as_str().into(),
            sources,
            rules: self.rules.clone(),
            host: setup.node.as_str().into(),
            pipeline: self.pipeline.fresh(),
            journal: self.journal.clone(),
            since: 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use masthead_discovery::yaml;

    use super::*;

    #[test]
    fn pods_of_this_node_are_asked_for_and_other_roles_are_targets_as_they_are() {
        let read = |text: &str| -> Vec<KubernetesSdConfig> { yaml::parse(text).unwrap() };
        let f = |text: &str, field: &str, is_chosen: bool| {
            let (pods, others) = pods_of(read(text));
            let section = &pods.unwrap().clusters[0];
            assert_eq!(of_node(section, "n1").selectors[0].field, field, "{text}");
            assert_eq!((selects(section, "n1"), others.len()), (is_chosen, 0), "{text}");
        };
        let own = "spec.nodeName=n1";
        f("[{role: pod}]", own, false);
        f("[{role: pod, namespaces: {names: [a]}}]", own, false);
        f("[{role: pod, namespaces: {own_namespace: true}}]", own, true);
        f("[{role: pod, selectors: [{role: pod, label: a=b}]}]", own, true);
        let both = "status.phase=Running,spec.nodeName=n1";
        f("[{role: pod, selectors: [{role: pod, field: status.phase=Running}]}]", both, true);
        f("[{role: pod, selectors: [{role: pod, field: spec.nodeName=n1}]}]", own, false);
        let theirs = "spec.nodeName=n2";
        f("[{role: pod, selectors: [{role: pod, field: spec.nodeName=n2}]}]", theirs, true);

        let (pods, others) = pods_of(read("[{role: node}, {role: pod}, {role: service}]"));
        assert_eq!((pods.is_some(), others.len()), (true, 2));
        let (pods, _) = pods_of(read("[{role: pod, namespaces: {names: [a]}}, {role: pod}]"));
        assert_eq!(pods.unwrap().namespaces, Vec::<String>::new());
        assert!(pods_of(read("[{role: node}]")).0.is_none());
    }
}
