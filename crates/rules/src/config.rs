//! What prometheus.yml says about rules and alerts: `rule_files`, `alerting`, and of `global` the
//! interval and the offset of evaluations.
//!
//! Only these keys are looked at; whoever reads the whole file (`masthead-scrape`) refuses the ones
//! that nobody knows. Facts: upstream's `config/config.go: AlertingConfig, AlertmanagerConfig`.

use std::time::Duration;

use camino::Utf8Path;
use masthead_discovery::{
    Configs, FileSdConfig, HttpSdConfig, StaticConfig,
    yaml::{self, YamlError},
};
use masthead_http_client::{HttpClientConfig, WithClient};
use masthead_relabel::{NameScheme, RelabelConfig, Rule};
use serde::{Deserialize, de::IgnoredAny};

/// The part of a prometheus.yml that is about rules and alerts.
#[derive(Debug, Clone)]
pub struct RulesConfig {
    /// Patterns of files with rules.
    pub rule_files: Vec<String>,
    /// From one evaluation to the next, of groups that say nothing else.
    pub evaluation_interval: Duration,
    /// How far behind the instant of the evaluation rules ask.
    pub query_offset: Duration,
    /// Rules over the labels of alerts on their way out.
    pub alert_relabel_rules: Vec<Rule>,
    /// Who is told of alerts.
    pub alertmanagers: Vec<AlertmanagerConfig>,
}

/// A set of Alertmanagers.
#[derive(Debug, Clone)]
pub struct AlertmanagerConfig {
    /// `http` or `https`.
    pub scheme: String,
    /// What stands in front of `/api/v2/alerts`.
    pub path_prefix: String,
    /// How long one message may take.
    pub timeout: Duration,
    /// How to reach them.
    pub client: HttpClientConfig,
    /// How they are found.
    pub discovery: Configs,
    /// Rules over the labels of what was found.
    pub relabel_rules: Vec<Rule>,
    /// Rules over the labels of alerts for these alone.
    pub alert_relabel_rules: Vec<Rule>,
}

const EVALUATION_INTERVAL: Duration = Duration::from_mins(1);

impl Default for RulesConfig {
    fn default() -> Self {
        Self {
            rule_files: Vec::new(),
            evaluation_interval: EVALUATION_INTERVAL,
            query_offset: Duration::ZERO,
            alert_relabel_rules: Vec::new(),
            alertmanagers: Vec::new(),
        }
    }
}

/// The sections as they are written, for whoever has them as a part of a larger file.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct WrittenRulesConfig {
    global: Option<WrittenGlobal>,
    rule_files: Option<Vec<String>>,
    alerting: Option<WrittenAlerting>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WrittenGlobal {
    #[serde(with = "yaml::duration")]
    evaluation_interval: Duration,
    #[serde(with = "yaml::duration")]
    rule_query_offset: Duration,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename = "alerting")]
struct WrittenAlerting {
    alert_relabel_configs: Option<Vec<RelabelConfig>>,
    alertmanagers: Option<Vec<WithClient<WrittenAlertmanager>>>,
}

/// Upstream's `AlertmanagerConfig` as it stands in the file.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename = "alertmanager")]
struct WrittenAlertmanager {
    scheme: String,
    path_prefix: String,
    #[serde(with = "yaml::duration")]
    timeout: Duration,
    api_version: String,
    relabel_configs: Vec<RelabelConfig>,
    alert_relabel_configs: Vec<RelabelConfig>,

    static_configs: Vec<StaticConfig>,
    file_sd_configs: Vec<FileSdConfig>,
    http_sd_configs: Vec<HttpSdConfig>,

    // Known, and refused by name: without them alerts would silently go nowhere.
    sigv4: Option<IgnoredAny>,
    kubernetes_sd_configs: Option<IgnoredAny>,
    dns_sd_configs: Option<IgnoredAny>,
    consul_sd_configs: Option<IgnoredAny>,
    ec2_sd_configs: Option<IgnoredAny>,
    azure_sd_configs: Option<IgnoredAny>,
    gce_sd_configs: Option<IgnoredAny>,
    openstack_sd_configs: Option<IgnoredAny>,
    docker_sd_configs: Option<IgnoredAny>,
}

impl Default for WrittenAlertmanager {
    fn default() -> Self {
        Self {
            scheme: "http".to_owned(),
            path_prefix: String::new(),
            timeout: Duration::from_secs(10),
            api_version: "v2".to_owned(),
            relabel_configs: Vec::new(),
            alert_relabel_configs: Vec::new(),
            static_configs: Vec::new(),
            file_sd_configs: Vec::new(),
            http_sd_configs: Vec::new(),
            sigv4: None,
            kubernetes_sd_configs: None,
            dns_sd_configs: None,
            consul_sd_configs: None,
            ec2_sd_configs: None,
            azure_sd_configs: None,
            gce_sd_configs: None,
            openstack_sd_configs: None,
            docker_sd_configs: None,
        }
    }
}

impl RulesConfig {
    /// Reads the sections from the text of a prometheus.yml.
    ///
    /// # Errors
    /// The first thing that is wrong with them.
    pub fn parse(text: &str) -> Result<Self, YamlError> {
        let written: Option<WrittenRulesConfig> = yaml::parse(text)?;
        Self::check(written.unwrap_or_default())
    }

    /// Checks what was read.
    ///
    /// # Errors
    /// The first thing that is wrong with it, with its key.
    pub fn check(written: WrittenRulesConfig) -> Result<Self, YamlError> {
        let WrittenRulesConfig { global, rule_files, alerting } = written;
        let global = global.unwrap_or_default();
        let alerting = alerting.unwrap_or_default();
        let rule_files = rule_files.unwrap_or_default();
        for (at, pattern) in rule_files.iter().enumerate() {
            // A star may stand in the last part only.
            let dirs = pattern.rsplit_once('/').map_or("", |(dirs, _)| dirs);
            if dirs.contains('*') {
                let what = format!(
                    "invalid rule file path {pattern:?}: a star may stand in the last part only"
                );
                return Err(YamlError::somewhere(format!("rule_files[{at}]"), what));
            }
        }
        let key = "alerting.alert_relabel_configs";
        let alert_relabel_rules = rules(key, alerting.alert_relabel_configs.unwrap_or_default())?;
        let mut alertmanagers = Vec::new();
        for (at, written) in alerting.alertmanagers.unwrap_or_default().into_iter().enumerate() {
            let (WithClient { section, client }, key) =
                (written, format!("alerting.alertmanagers[{at}]"));
            alertmanagers.push(section.check(client, &key)?);
        }
        let evaluation_interval = match global.evaluation_interval {
            Duration::ZERO => EVALUATION_INTERVAL,
            given => given,
        };
        Ok(Self {
            rule_files,
            evaluation_interval,
            query_offset: global.rule_query_offset,
            alert_relabel_rules,
            alertmanagers,
        })
    }

    /// Takes relative file names as relative to `dir`, the directory of the file.
    pub fn set_directory(&mut self, dir: &Utf8Path) {
        for pattern in &mut self.rule_files {
            *pattern = dir.join(pattern.as_str()).into_string();
        }
        for alertmanager in &mut self.alertmanagers {
            alertmanager.client.set_directory(dir);
            alertmanager.discovery.set_directory(dir);
        }
    }
}

fn rules(key: &str, configs: Vec<RelabelConfig>) -> Result<Vec<Rule>, YamlError> {
    let compile = |(at, config)| {
        Rule::new(config, NameScheme::Utf8)
            .map_err(|error| YamlError::somewhere(format!("{key}[{at}]"), error.to_string()))
    };
    configs.into_iter().enumerate().map(compile).collect()
}

impl WrittenAlertmanager {
    fn check(
        self,
        mut client: HttpClientConfig,
        key: &str,
    ) -> Result<AlertmanagerConfig, YamlError> {
        let unsupported = [
            ("sigv4", &self.sigv4),
            ("kubernetes_sd_configs", &self.kubernetes_sd_configs),
            ("dns_sd_configs", &self.dns_sd_configs),
            ("consul_sd_configs", &self.consul_sd_configs),
            ("ec2_sd_configs", &self.ec2_sd_configs),
            ("azure_sd_configs", &self.azure_sd_configs),
            ("gce_sd_configs", &self.gce_sd_configs),
            ("openstack_sd_configs", &self.openstack_sd_configs),
            ("docker_sd_configs", &self.docker_sd_configs),
        ];
        if let Some((name, _)) = unsupported.iter().find(|(_, given)| given.is_some()) {
            let what = format!(
                "not supported: {name}; use static_configs, file_sd_configs or \
                 http_sd_configs, and for credentials basic_auth, authorization or oauth2"
            );
            return Err(YamlError::somewhere(format!("{key}.{name}"), what));
        }
        if self.api_version != "v2" {
            let what = format!(
                "expected Alertmanager api version to be one of [v2] but got {}",
                self.api_version
            );
            return Err(YamlError::somewhere(format!("{key}.api_version"), what));
        }
        if !matches!(self.scheme.as_str(), "http" | "https") {
            let what = format!("invalid scheme {:?}: it is http or https", self.scheme);
            return Err(YamlError::somewhere(format!("{key}.scheme"), what));
        }
        if self.timeout.is_zero() {
            let what = "must be more than 0".to_owned();
            return Err(YamlError::somewhere(format!("{key}.timeout"), what));
        }
        let below = |name: &str| format!("{key}.{name}");
        client.validate().map_err(|error| YamlError::somewhere(below(error.key), error.what))?;
        let mut discovery = Configs {
            static_configs: self.static_configs,
            file_sd_configs: self.file_sd_configs,
            http_sd_configs: self.http_sd_configs,
            ..Configs::default()
        };
        discovery
            .validate()
            .map_err(|error| YamlError::somewhere(below(&error.key), error.what))?;
        if self.relabel_configs.is_empty() {
            for address in discovery.static_configs.iter().flat_map(|config| &config.targets) {
                if address.contains('/') {
                    let what = format!("{address:?} is not a valid hostname");
                    return Err(YamlError::somewhere(below("static_configs"), what));
                }
            }
        }
        Ok(AlertmanagerConfig {
            relabel_rules: rules(&below("relabel_configs"), self.relabel_configs)?,
            alert_relabel_rules: rules(
                &below("alert_relabel_configs"),
                self.alert_relabel_configs,
            )?,
            scheme: self.scheme,
            path_prefix: self.path_prefix,
            timeout: self.timeout,
            client,
            discovery,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sections_are_read_and_the_rest_is_not() {
        let text = "
global: {scrape_interval: 5s, evaluation_interval: 30s, rule_query_offset: 10s}
rule_files: ['rules/*.yml', /etc/one.yml]
scrape_configs: [{job_name: x, anything: goes}]
alerting:
  alert_relabel_configs: [{action: labeldrop, regex: replica}]
  alertmanagers:
  - timeout: 3s
    path_prefix: /am
    basic_auth: {username: u, password_file: secret}
    static_configs: [{targets: ['h:9093']}]
";
        let mut config = RulesConfig::parse(text).expect("valid");
        config.set_directory(Utf8Path::new("/conf"));
        assert_eq!(config.rule_files, ["/conf/rules/*.yml", "/etc/one.yml"]);
        assert_eq!(config.evaluation_interval, Duration::from_secs(30));
        assert_eq!(config.query_offset, Duration::from_secs(10));
        assert_eq!(config.alert_relabel_rules.len(), 1);
        let [one] = config.alertmanagers.as_slice() else { panic!("{config:?}") };
        assert_eq!((one.scheme.as_str(), one.timeout), ("http", Duration::from_secs(3)));
        let password = one.client.basic_auth.as_ref().map(|basic| basic.password_file.as_str());
        assert_eq!(password, Some("/conf/secret"));
        let empty = RulesConfig::parse("").expect("nothing is fine");
        assert_eq!(empty.evaluation_interval, Duration::from_mins(1));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_key() {
        let f = |text: &str, want: &str| {
            let error = RulesConfig::parse(text).expect_err(text).to_string();
            assert!(error.contains(want), "{text}: {error}");
        };
        let am = |keys: &str| format!("alerting: {{alertmanagers: [{{{keys}}}]}}");
        f(&am("scheme: ftp"), "alerting.alertmanagers[0].scheme: invalid scheme \"ftp\"");
        f(&am("api_version: v1"), "expected Alertmanager api version to be one of [v2] but got v1");
        f(&am("kubernetes_sd_configs: [{role: pod}]"), "not supported: kubernetes_sd_configs");
        f(&am("static_configs: [{targets: ['http://h']}]"), "\"http://h\" is not a valid hostname");
        f(&am("timeot: 1s"), "unknown field `timeot`");
        f(&am("tls_config: {min_version: TLS8}"), "tls_config.min_version: unknown TLS version");
        f("rule_files: ['a*/b.yml']", "rule_files[0]: invalid rule file path \"a*/b.yml\"");
        f("alerting: {alert_relabel_configs: [{action: nope}]}", "alert_relabel_configs[0]");
    }
}
