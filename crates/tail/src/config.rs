//! Promtail's configuration: what is read of it, and by name what is not.
//!
//! Keys and defaults are Promtail's (`clients/pkg/promtail/config`). Unknown keys are errors. A known
//! key that is not supported is a warning where leaving it out means fewer lines or nothing at all
//! (another source of logs, Promtail's own server), and an error where lines would become others.
//!
//! - `config/job.rs`: one entry of `scrape_configs`; `config/stages.rs`: its stages;
//! - `config/client.rs`: one entry of `clients`; `config/environment.rs`: `${NAME}` in the file.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use camino::Utf8PathBuf;
use masthead_discovery::{
    KubernetesSdConfig,
    kubernetes::Clusters,
    yaml::{self, Refused, YamlError},
};
use masthead_http_client::WithClient;
use masthead_ports::LogSink;
use masthead_sysio::{Clock, Fs};
use serde::{Deserialize, de::IgnoredAny};
use serde_saphyr::Spanned;

use crate::{
    Collector, CustomMetrics, Error, OPEN_FILES_DEFAULT, Parts, Stats,
    collector::Job,
    promtail_positions::{self, PromtailPositions},
};

mod client;
mod environment;
mod job;
mod stages;

pub use client::ClientConfig;

pub(crate) use stages::for_fuzzing as stages_for_fuzzing;

use client::WrittenClient;
use job::{JobConfig, WrittenJob};

/// A whole configuration of Promtail's.
#[derive(Debug)]
pub struct PromtailConfig {
    /// Where lines are pushed.
    pub clients: Vec<ClientConfig>,
    /// What the file says and nobody reads, in words for the log.
    pub warnings: Vec<String>,
    /// What `metrics` stages count.
    pub metrics: CustomMetrics,
    positions: Option<PositionsConfig>,
    jobs: Vec<JobConfig>,
}

/// Where Promtail's file of positions is.
#[derive(Debug)]
struct PositionsConfig {
    path: Utf8PathBuf,
    /// Between two times that it is written.
    every: Duration,
    /// Nobody said so: it is meant only if it is there.
    is_default: bool,
}

impl Default for PositionsConfig {
    fn default() -> Self {
        let path = promtail_positions::PATH_DEFAULT.into();
        Self { path, every: Duration::from_secs(10), is_default: true }
    }
}

/// A promtail.yaml as it is written, for whoever has it as a part of a larger file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WrittenConfig {
    /// Of masthead.yaml; Promtail has none of the name. So is the next.
    storage: Option<IgnoredAny>,
    limits: Option<IgnoredAny>,
    server: Option<IgnoredAny>,
    client: Option<Spanned<WithClient<WrittenClient>>>,
    clients: Option<Vec<Spanned<WithClient<WrittenClient>>>>,
    positions: Option<WrittenPositions>,
    scrape_configs: Option<Vec<Spanned<WrittenJob>>>,
    target_config: Option<IgnoredAny>,
    limits_config: Option<IgnoredAny>,
    limit_config: Option<IgnoredAny>,
    options: Option<IgnoredAny>,
    tracing: Option<IgnoredAny>,
    wal: Option<IgnoredAny>,
    global: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenPositions {
    filename: Option<String>,
    sync_period: Option<String>,
    /// A file that is not readable never ends the start.
    #[serde(rename = "ignore_invalid_yaml")]
    _ignore_invalid_yaml: Option<bool>,
}

/// The variables that [`PromtailConfig::parse_with`] would find and that have a value.
pub fn variables(text: &str, environment: &dyn Fn(&str) -> Option<String>) -> BTreeSet<String> {
    environment::known(text, environment)
}

/// What a configuration is put to work with.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Where files are.
    pub fs: Arc<dyn Fs>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Where lines go.
    pub sink: Arc<dyn LogSink>,
    /// Whether the sink understands [`crate::TENANT_LABEL`].
    pub tenants: bool,
    /// The name of this machine, as Kubernetes knows it.
    pub node: String,
    /// What is counted.
    pub stats: Arc<Stats>,
    /// What is watched of clusters: collectors that are given the same share it.
    pub kubernetes: Arc<Clusters>,
}

impl PromtailConfig {
    /// Reads and checks a file's text.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn parse(text: &str) -> Result<Self, YamlError> {
        let written: Option<WrittenConfig> =
            yaml::parse(text).map_err(YamlError::without_wrappers)?;
        let mut config = Self::check(written.unwrap_or_default())?;
        if config.has_jobs() {
            config.positions.get_or_insert_with(PositionsConfig::default);
        }
        Ok(config)
    }

    /// Checks what was read; places are those of the text that it was read from.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn check(written: WrittenConfig) -> Result<Self, YamlError> {
        let mut warnings = written.unsupported();
        let mut clients = Vec::new();
        let single = written.client.into_iter().map(|client| ("client".to_owned(), client));
        let listed = written.clients.into_iter().flatten().enumerate();
        let listed = listed.map(|(at, client)| (format!("clients[{at}]"), client));
        for (key, client) in single.chain(listed) {
            let at = client.referenced;
            let WithClient { section, client } = client.value;
            clients.push(section.check(client).map_err(|refused| refused.at(&at, &key))?);
        }
        let metrics = CustomMetrics::default();
        let mut jobs = Vec::new();
        let mut names = BTreeSet::new();
        for (index, job) in written.scrape_configs.into_iter().flatten().enumerate() {
            let (at, key) = (job.referenced, format!("scrape_configs[{index}]"));
            let place = |refused: Refused| refused.at(&at, &key);
            let mut job = job.value.check(&metrics).map_err(place)?;
            // Promtail takes two jobs of one name; positions need to tell them apart.
            let name = job.name.clone();
            for number in 2.. {
                if names.insert(job.name.clone()) {
                    break;
                }
                job.name = format!("{name}#{number}");
            }
            warnings.extend(job.warnings.iter().map(|what| format!("{key}.{what}")));
            jobs.push(job);
        }
        let written = written.positions.unwrap_or_default();
        let period = written.sync_period.as_deref().unwrap_or("10s");
        let refuse = |what| YamlError::somewhere("positions.sync_period", what);
        let every = go_duration(period).map_err(refuse)?;
        let named = |path: String| PositionsConfig { path: path.into(), every, is_default: false };
        let positions = written.filename.map(named);
        Ok(Self { clients, warnings, metrics, positions, jobs })
    }

    /// As [`PromtailConfig::parse`], with `${NAME}` and `${NAME:default}` replaced first, as
    /// Promtail's `-config.expand-env` has it. What a rule calls `${1}` goes too, unless it is written
    /// `$${1}`.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn parse_with(
        text: &str,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, YamlError> {
        Self::parse(&environment::expand(text, environment))
    }

    /// Whether there is anything to collect.
    pub fn has_jobs(&self) -> bool {
        !self.jobs.is_empty()
    }

    /// Adds a job that collects the logs of all containers of this node from the kubelet's
    /// directory; `cluster` tells where the API server is asked for their labels.
    pub fn add_pods(&mut self, directory: &camino::Utf8Path, cluster: Option<KubernetesSdConfig>) {
        self.jobs.push(JobConfig::pods(directory, cluster));
    }

    /// Neither reads nor writes Promtail's file of positions: another collector does.
    pub fn leave_positions(&mut self) {
        self.positions = None;
    }

    /// Puts the configuration to work; nothing is read before the first step. Where files or
    /// servers are asked for targets, it must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`Error::Progress`], [`Error::Discovery`].
    pub fn collector(&self, setup: &Setup) -> Result<Collector, Error> {
        let jobs: Vec<Job> =
            self.jobs.iter().map(|job| job.build(setup)).collect::<Result<_, _>>()?;
        let is_meant = |positions: &&PositionsConfig| {
            !positions.is_default || setup.fs.metadata(&positions.path).is_ok()
        };
        let promtail =
            self.positions.as_ref().filter(is_meant).map(|positions| {
                PromtailPositions::open(&*setup.fs, &positions.path, positions.every)
            });
        let parts = Parts {
            fs: Arc::clone(&setup.fs),
            clock: Arc::clone(&setup.clock),
            sink: Arc::clone(&setup.sink),
            stats: Arc::clone(&setup.stats),
            tenants: setup.tenants,
            open_files_max: OPEN_FILES_DEFAULT,
        };
        Collector::new(parts, jobs, promtail)
    }
}

impl WrittenConfig {
    fn unsupported(&self) -> Vec<String> {
        let sections: [(&str, bool, &str); 10] = [
            ("storage", self.storage.is_some(), "it is a setting of masthead.yaml"),
            ("limits", self.limits.is_some(), "they are settings of masthead.yaml"),
            ("server", self.server.is_some(), "the collector has no server of its own"),
            ("target_config", self.target_config.is_some(), "files are searched every 5 seconds"),
            ("limits_config", self.limits_config.is_some(), "lines are not limited in rate"),
            ("limit_config", self.limit_config.is_some(), "lines are not limited in rate"),
            ("options", self.options.is_some(), "it has no meaning here"),
            ("tracing", self.tracing.is_some(), "no trace is sent"),
            ("wal", self.wal.is_some(), "clients have a journal in any case"),
            ("global", self.global.is_some(), "it has no meaning here"),
        ];
        sections
            .into_iter()
            .filter(|(_, given, _)| *given)
            .map(|(name, _, meaning)| format!("not in force: {name} ({meaning})"))
            .collect()
    }
}

/// A duration as Go writes it, above zero.
pub(crate) fn go_duration(text: &str) -> Result<Duration, String> {
    match go_duration_or_zero(text)? {
        Duration::ZERO => Err(format!("{text:?} must be above zero")),
        duration => Ok(duration),
    }
}

/// The same, where zero means something.
pub(crate) fn go_duration_or_zero(text: &str) -> Result<Duration, String> {
    let parsed = masthead_model::GoDuration::parse(text).map_err(|error| error.to_string())?;
    let nanos = u64::try_from(parsed.0).map_err(|_| format!("{text:?} must not be below zero"))?;
    Ok(Duration::from_nanos(nanos))
}
