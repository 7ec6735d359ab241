//! One entry of `scrape_configs`: as it is written, and as it is used once checked.

use std::{collections::BTreeMap, time::Duration};

use camino::Utf8Path;
use masthead_discovery::{
    Configs, FileSdConfig, HttpSdConfig, KubernetesSdConfig, StaticConfig,
    yaml::{self, Refused},
};
use masthead_http_client::HttpClientConfig;
use masthead_relabel::{NameScheme, RelabelConfig, Rule};
use masthead_wire::exposition::{EscapingScheme, ScrapeProtocol};
use serde::{Deserialize, de::IgnoredAny};

use super::{
    GlobalConfig,
    global::{byte_size, check_protocols, name_scheme},
};
use crate::resolution::Resolution;

/// One job, checked, with the defaults filled in.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "the switches of upstream's scrape_config")]
pub struct ScrapeConfig {
    /// The value of the label `job`, unless the target has one.
    pub job_name: String,
    /// Whether labels of samples win over those of the target.
    pub honor_labels: bool,
    /// Whether timestamps of samples are taken.
    pub honor_timestamps: bool,
    /// Whether series with timestamps of their own end with a stale marker too.
    pub track_timestamps_staleness: bool,
    /// Parameters of the URL.
    pub params: BTreeMap<String, Vec<String>>,
    /// From one scrape to the next.
    pub scrape_interval: Duration,
    /// How long one scrape may take.
    pub scrape_timeout: Duration,
    /// Formats to offer, first choice first.
    pub scrape_protocols: Vec<ScrapeProtocol>,
    /// The format of answers that do not say theirs.
    pub fallback_scrape_protocol: Option<ScrapeProtocol>,
    /// Whether native histograms are scraped.
    pub scrape_native_histograms: bool,
    /// Whether classic histograms are kept beside native ones.
    pub always_scrape_classic_histograms: bool,
    /// Whether classic histograms become native ones.
    pub convert_classic_histograms_to_nhcb: bool,
    /// The path of the URL.
    pub metrics_path: String,
    /// The scheme of the URL.
    pub scheme: String,
    /// Whether gzip is asked for.
    pub enable_compression: bool,
    /// Bytes of a body, decompressed; zero for the program's own limit.
    pub body_size_limit: u64,
    /// Samples of a scrape after relabelling; zero for no limit, and so below.
    pub sample_limit: u64,
    /// Targets of the job.
    pub target_limit: u64,
    /// Labels of a series.
    pub label_limit: u64,
    /// Bytes of a label's name.
    pub label_name_length_limit: u64,
    /// Bytes of a label's value.
    pub label_value_length_limit: u64,
    /// How much detail native histograms may have.
    pub(crate) resolution: Resolution,
    /// Dropped targets that are remembered; zero for all.
    pub keep_dropped_targets: u64,
    /// Which names labels may have.
    pub name_scheme: NameScheme,
    /// How names that do not fit are asked for.
    pub metric_name_escaping_scheme: EscapingScheme,
    /// Whether `scrape_timeout_seconds` and the like are stored.
    pub extra_scrape_metrics: bool,
    /// How to reach targets.
    pub client: HttpClientConfig,
    /// How to find targets.
    pub discovery: Configs,
    /// What is done to the labels of targets.
    pub relabel_rules: Vec<Rule>,
    /// What is done to the labels of samples.
    pub metric_relabel_rules: Vec<Rule>,
}

impl PartialEq for ScrapeConfig {
    fn eq(&self, other: &Self) -> bool {
        self.differs_only_outside_the_cache(other)
            && self.scrape_interval == other.scrape_interval
            && self.scrape_timeout == other.scrape_timeout
            && self.sample_limit == other.sample_limit
            && self.body_size_limit == other.body_size_limit
            && self.target_limit == other.target_limit
            && self.resolution == other.resolution
            && self.keep_dropped_targets == other.keep_dropped_targets
            && self.enable_compression == other.enable_compression
            && self.extra_scrape_metrics == other.extra_scrape_metrics
            && self.client == other.client
            && self.discovery == other.discovery
            && same_rules(&self.relabel_rules, &other.relabel_rules)
    }
}

impl ScrapeConfig {
    /// Whether what is remembered of a target's lines under `other` is still right: what each line
    /// becomes must not have changed.
    pub(crate) fn differs_only_outside_the_cache(&self, other: &Self) -> bool {
        self.job_name == other.job_name
            && self.honor_labels == other.honor_labels
            && self.honor_timestamps == other.honor_timestamps
            && self.track_timestamps_staleness == other.track_timestamps_staleness
            && self.params == other.params
            && self.scrape_protocols == other.scrape_protocols
            && self.fallback_scrape_protocol == other.fallback_scrape_protocol
            && self.scrape_native_histograms == other.scrape_native_histograms
            && self.always_scrape_classic_histograms == other.always_scrape_classic_histograms
            && self.convert_classic_histograms_to_nhcb == other.convert_classic_histograms_to_nhcb
            && self.metrics_path == other.metrics_path
            && self.scheme == other.scheme
            && self.label_limit == other.label_limit
            && self.label_name_length_limit == other.label_name_length_limit
            && self.label_value_length_limit == other.label_value_length_limit
            && self.name_scheme == other.name_scheme
            && self.metric_name_escaping_scheme == other.metric_name_escaping_scheme
            && same_rules(&self.metric_relabel_rules, &other.metric_relabel_rules)
    }

    /// The job of something in this process that is scraped without HTTP.
    pub fn local(job: &str, instance: &str, interval: Duration, timeout: Duration) -> Self {
        let global = GlobalConfig {
            scrape_interval: interval,
            scrape_timeout: timeout.min(interval),
            ..GlobalConfig::default()
        };
        let written = WrittenJob {
            job_name: job.to_owned(),
            static_configs: vec![StaticConfig {
                targets: vec![instance.to_owned()],
                labels: BTreeMap::new(),
            }],
            ..WrittenJob::default()
        };
        written.settle(&global, NameScheme::Utf8, EscapingScheme::AllowUtf8)
    }

    /// Takes relative file names as relative to `dir`.
    pub(crate) fn set_directory(&mut self, dir: &Utf8Path) {
        self.client.set_directory(dir);
        self.discovery.set_directory(dir);
    }
}

fn same_rules(a: &[Rule], b: &[Rule]) -> bool {
    a.iter().map(Rule::config).eq(b.iter().map(Rule::config))
}

/// One job as it stands in the file.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename = "scrape_config")]
#[expect(clippy::struct_excessive_bools, reason = "the switches of upstream's scrape_config")]
pub(super) struct WrittenJob {
    job_name: String,
    honor_labels: bool,
    honor_timestamps: bool,
    track_timestamps_staleness: bool,
    params: BTreeMap<String, Vec<String>>,
    #[serde(with = "yaml::duration")]
    scrape_interval: Duration,
    #[serde(with = "yaml::duration")]
    scrape_timeout: Duration,
    scrape_protocols: Option<Vec<ScrapeProtocol>>,
    fallback_scrape_protocol: Option<ScrapeProtocol>,
    scrape_native_histograms: Option<bool>,
    always_scrape_classic_histograms: Option<bool>,
    convert_classic_histograms_to_nhcb: Option<bool>,
    scrape_failure_log_file: String,
    metrics_path: String,
    scheme: String,
    enable_compression: bool,
    #[serde(deserialize_with = "byte_size")]
    body_size_limit: u64,
    sample_limit: u64,
    target_limit: u64,
    label_limit: u64,
    label_name_length_limit: u64,
    label_value_length_limit: u64,
    native_histogram_bucket_limit: u64,
    native_histogram_min_bucket_factor: f64,
    keep_dropped_targets: u64,
    metric_name_validation_scheme: String,
    metric_name_escaping_scheme: Option<EscapingScheme>,
    extra_scrape_metrics: Option<bool>,
    relabel_configs: Vec<Option<RelabelConfig>>,
    metric_relabel_configs: Vec<Option<RelabelConfig>>,

    static_configs: Vec<StaticConfig>,
    file_sd_configs: Vec<FileSdConfig>,
    http_sd_configs: Vec<HttpSdConfig>,
    kubernetes_sd_configs: Vec<KubernetesSdConfig>,
    aws_sd_configs: Option<IgnoredAny>,
    azure_sd_configs: Option<IgnoredAny>,
    consul_sd_configs: Option<IgnoredAny>,
    digitalocean_sd_configs: Option<IgnoredAny>,
    dns_sd_configs: Option<IgnoredAny>,
    docker_sd_configs: Option<IgnoredAny>,
    dockerswarm_sd_configs: Option<IgnoredAny>,
    ec2_sd_configs: Option<IgnoredAny>,
    eureka_sd_configs: Option<IgnoredAny>,
    gce_sd_configs: Option<IgnoredAny>,
    hetzner_sd_configs: Option<IgnoredAny>,
    ionos_sd_configs: Option<IgnoredAny>,
    kuma_sd_configs: Option<IgnoredAny>,
    lightsail_sd_configs: Option<IgnoredAny>,
    linode_sd_configs: Option<IgnoredAny>,
    marathon_sd_configs: Option<IgnoredAny>,
    nerve_sd_configs: Option<IgnoredAny>,
    nomad_sd_configs: Option<IgnoredAny>,
    openstack_sd_configs: Option<IgnoredAny>,
    outscale_sd_configs: Option<IgnoredAny>,
    ovhcloud_sd_configs: Option<IgnoredAny>,
    puppetdb_sd_configs: Option<IgnoredAny>,
    scaleway_sd_configs: Option<IgnoredAny>,
    serverset_sd_configs: Option<IgnoredAny>,
    stackit_sd_configs: Option<IgnoredAny>,
    triton_sd_configs: Option<IgnoredAny>,
    uyuni_sd_configs: Option<IgnoredAny>,
    vultr_sd_configs: Option<IgnoredAny>,
}

/// Upstream's `DefaultScrapeConfig`; what is empty here is taken from `global`.
impl Default for WrittenJob {
    fn default() -> Self {
        Self {
            job_name: String::new(),
            honor_labels: false,
            honor_timestamps: true,
            track_timestamps_staleness: false,
            params: BTreeMap::new(),
            scrape_interval: Duration::ZERO,
            scrape_timeout: Duration::ZERO,
            scrape_protocols: None,
            fallback_scrape_protocol: None,
            scrape_native_histograms: None,
            always_scrape_classic_histograms: None,
            convert_classic_histograms_to_nhcb: None,
            scrape_failure_log_file: String::new(),
            metrics_path: "/metrics".to_owned(),
            scheme: "http".to_owned(),
            enable_compression: true,
            body_size_limit: 0,
            sample_limit: 0,
            target_limit: 0,
            label_limit: 0,
            label_name_length_limit: 0,
            label_value_length_limit: 0,
            native_histogram_bucket_limit: 0,
            native_histogram_min_bucket_factor: 0.0,
            keep_dropped_targets: 0,
            metric_name_validation_scheme: String::new(),
            metric_name_escaping_scheme: None,
            extra_scrape_metrics: None,
            relabel_configs: Vec::new(),
            metric_relabel_configs: Vec::new(),
            static_configs: Vec::new(),
            file_sd_configs: Vec::new(),
            http_sd_configs: Vec::new(),
            kubernetes_sd_configs: Vec::new(),
            aws_sd_configs: None,
            azure_sd_configs: None,
            consul_sd_configs: None,
            digitalocean_sd_configs: None,
            dns_sd_configs: None,
            docker_sd_configs: None,
            dockerswarm_sd_configs: None,
            ec2_sd_configs: None,
            eureka_sd_configs: None,
            gce_sd_configs: None,
            hetzner_sd_configs: None,
            ionos_sd_configs: None,
            kuma_sd_configs: None,
            lightsail_sd_configs: None,
            linode_sd_configs: None,
            marathon_sd_configs: None,
            nerve_sd_configs: None,
            nomad_sd_configs: None,
            openstack_sd_configs: None,
            outscale_sd_configs: None,
            ovhcloud_sd_configs: None,
            puppetdb_sd_configs: None,
            scaleway_sd_configs: None,
            serverset_sd_configs: None,
            stackit_sd_configs: None,
            triton_sd_configs: None,
            uyuni_sd_configs: None,
            vultr_sd_configs: None,
        }
    }
}

impl WrittenJob {
    /// Checks what upstream checks, in its order; also returns keys that are not supported.
    pub(super) fn check(
        self,
        client: HttpClientConfig,
        global: &GlobalConfig,
    ) -> Result<(ScrapeConfig, Vec<String>), Refused> {
        if self.job_name.is_empty() {
            return Err(Refused::new("job_name", "job_name is empty"));
        }
        if self.relabel_configs.is_empty() {
            for address in self.static_configs.iter().flat_map(|config| &config.targets) {
                if address.contains('/') {
                    let what = format!("{address:?} is not a valid hostname");
                    return Err(Refused::new("static_configs", what));
                }
            }
        }
        let name = self.job_name.clone();
        let interval = or(self.scrape_interval, global.scrape_interval);
        if self.scrape_timeout > interval {
            let what = format!(
                "scrape timeout greater than scrape interval for scrape config with job name {name:?}"
            );
            return Err(Refused::new("scrape_timeout", what));
        }
        if let Some(protocols) = &self.scrape_protocols {
            check_protocols(protocols).map_err(|what| {
                let what = format!("{what} for scrape config with job name {name:?}");
                Refused::new("scrape_protocols", what)
            })?;
        }
        let own_scheme = name_scheme(&self.metric_name_validation_scheme)?;
        let scheme = own_scheme.unwrap_or(global.name_scheme);
        let fitting = |scheme| match scheme {
            NameScheme::Legacy => EscapingScheme::Underscores,
            NameScheme::Utf8 => EscapingScheme::AllowUtf8,
        };
        let escaping = self.metric_name_escaping_scheme.unwrap_or(match own_scheme {
            Some(own) => fitting(own),
            None => global.metric_name_escaping_scheme.unwrap_or(fitting(global.name_scheme)),
        });
        if escaping == EscapingScheme::AllowUtf8 && scheme != NameScheme::Utf8 {
            let what = "utf8 metric names requested but validation scheme is not set to UTF8";
            return Err(Refused::new("metric_name_escaping_scheme", what));
        }
        let relabel_rules = rules("relabel_configs", "target", &self.relabel_configs, scheme)?;
        let metric_relabel_rules =
            rules("metric_relabel_configs", "metric", &self.metric_relabel_configs, scheme)?;
        let ignored = self.unsupported();
        let mut job = ScrapeConfig { client, ..self.settle(global, scheme, escaping) };
        job.client.validate().map_err(|error| Refused::new(error.key, error.what))?;
        job.discovery.validate().map_err(|error| Refused::new(error.key, error.what))?;
        job.relabel_rules = relabel_rules;
        job.metric_relabel_rules = metric_relabel_rules;
        Ok((job, ignored))
    }

    /// Fills in the defaults, but for how targets are reached. Everything was checked.
    fn settle(
        self,
        global: &GlobalConfig,
        name_scheme: NameScheme,
        escaping: EscapingScheme,
    ) -> ScrapeConfig {
        let or_global = |own: u64, global: u64| if own == 0 { global } else { own };
        let interval = or(self.scrape_interval, global.scrape_interval);
        let native = self.scrape_native_histograms.unwrap_or(global.scrape_native_histograms);
        let protocols = self
            .scrape_protocols
            .or_else(|| global.scrape_protocols.clone())
            .unwrap_or_else(|| {
                if native {
                    ScrapeProtocol::PROTO_FIRST.to_vec()
                } else {
                    ScrapeProtocol::DEFAULT.to_vec()
                }
            });
        ScrapeConfig {
            job_name: self.job_name,
            honor_labels: self.honor_labels,
            honor_timestamps: self.honor_timestamps,
            track_timestamps_staleness: self.track_timestamps_staleness,
            params: self.params,
            scrape_interval: interval,
            scrape_timeout: or(self.scrape_timeout, global.scrape_timeout.min(interval)),
            scrape_protocols: protocols,
            fallback_scrape_protocol: self.fallback_scrape_protocol,
            scrape_native_histograms: native,
            always_scrape_classic_histograms: self
                .always_scrape_classic_histograms
                .unwrap_or(global.always_scrape_classic_histograms),
            convert_classic_histograms_to_nhcb: self
                .convert_classic_histograms_to_nhcb
                .unwrap_or(global.convert_classic_histograms_to_nhcb),
            metrics_path: self.metrics_path,
            scheme: self.scheme,
            enable_compression: self.enable_compression,
            body_size_limit: or_global(self.body_size_limit, global.body_size_limit),
            sample_limit: or_global(self.sample_limit, global.sample_limit),
            target_limit: or_global(self.target_limit, global.target_limit),
            label_limit: or_global(self.label_limit, global.label_limit),
            label_name_length_limit: or_global(
                self.label_name_length_limit,
                global.label_name_length_limit,
            ),
            label_value_length_limit: or_global(
                self.label_value_length_limit,
                global.label_value_length_limit,
            ),
            keep_dropped_targets: or_global(self.keep_dropped_targets, global.keep_dropped_targets),
            resolution: Resolution {
                buckets: self.native_histogram_bucket_limit,
                factor: self.native_histogram_min_bucket_factor,
            },
            name_scheme,
            metric_name_escaping_scheme: escaping,
            extra_scrape_metrics: self.extra_scrape_metrics.unwrap_or(global.extra_scrape_metrics),
            client: HttpClientConfig::default(),
            discovery: Configs {
                static_configs: self.static_configs,
                file_sd_configs: self.file_sd_configs,
                http_sd_configs: self.http_sd_configs,
                kubernetes_sd_configs: self.kubernetes_sd_configs,
            },
            relabel_rules: Vec::new(),
            metric_relabel_rules: Vec::new(),
        }
    }

    fn unsupported(&self) -> Vec<String> {
        let others = [("scrape_failure_log_file", !self.scrape_failure_log_file.is_empty())];
        let sd = [
            ("aws_sd_configs", self.aws_sd_configs),
            ("azure_sd_configs", self.azure_sd_configs),
            ("consul_sd_configs", self.consul_sd_configs),
            ("digitalocean_sd_configs", self.digitalocean_sd_configs),
            ("dns_sd_configs", self.dns_sd_configs),
            ("docker_sd_configs", self.docker_sd_configs),
            ("dockerswarm_sd_configs", self.dockerswarm_sd_configs),
            ("ec2_sd_configs", self.ec2_sd_configs),
            ("eureka_sd_configs", self.eureka_sd_configs),
            ("gce_sd_configs", self.gce_sd_configs),
            ("hetzner_sd_configs", self.hetzner_sd_configs),
            ("ionos_sd_configs", self.ionos_sd_configs),
            ("kuma_sd_configs", self.kuma_sd_configs),
            ("lightsail_sd_configs", self.lightsail_sd_configs),
            ("linode_sd_configs", self.linode_sd_configs),
            ("marathon_sd_configs", self.marathon_sd_configs),
            ("nerve_sd_configs", self.nerve_sd_configs),
            ("nomad_sd_configs", self.nomad_sd_configs),
            ("openstack_sd_configs", self.openstack_sd_configs),
            ("outscale_sd_configs", self.outscale_sd_configs),
            ("ovhcloud_sd_configs", self.ovhcloud_sd_configs),
            ("puppetdb_sd_configs", self.puppetdb_sd_configs),
            ("scaleway_sd_configs", self.scaleway_sd_configs),
            ("serverset_sd_configs", self.serverset_sd_configs),
            ("stackit_sd_configs", self.stackit_sd_configs),
            ("triton_sd_configs", self.triton_sd_configs),
            ("uyuni_sd_configs", self.uyuni_sd_configs),
            ("vultr_sd_configs", self.vultr_sd_configs),
        ];
        others
            .into_iter()
            .chain(sd.into_iter().map(|(key, given)| (key, given.is_some())))
            .filter(|(_, given)| *given)
            .map(|(key, _)| key.to_owned())
            .collect()
    }
}

fn or(own: Duration, other: Duration) -> Duration {
    if own.is_zero() { other } else { own }
}

fn rules(
    key: &str,
    kind: &str,
    configs: &[Option<RelabelConfig>],
    scheme: NameScheme,
) -> Result<Vec<Rule>, Refused> {
    let compile = |(at, config): (usize, &Option<RelabelConfig>)| {
        let key = format!("{key}[{at}]");
        let Some(config) = config else {
            let what = format!("empty or null {kind} relabeling rule in scrape config");
            return Err(Refused::new(key, what));
        };
        Rule::new(config.clone(), scheme).map_err(|error| Refused::new(key, error.to_string()))
    };
    configs.iter().enumerate().map(compile).collect()
}
