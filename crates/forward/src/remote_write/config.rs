//! `remote_write` of prometheus.yml, with upstream's keys, defaults, checks and texts
//! (`config/config.go: RemoteWriteConfig`).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use camino::Utf8Path;
use masthead_discovery::yaml::{self, YamlError};
use masthead_http_client::{Client, HttpClientConfig, WithClient, shown};
use masthead_relabel::{NameScheme, RelabelConfig, Rule};
use masthead_sysio::Fs;
use masthead_wire::remote_write::Version;
use serde::{Deserialize, de::IgnoredAny};
use serde_saphyr::Spanned;
use url::Url;

use crate::{Error, request};

/// Shards beyond this would be connections beyond reason.
const SHARDS_MAX: usize = 1_000;
/// Samples of one request; more than any receiver takes.
const SAMPLES_PER_SEND_MAX: usize = 1_000_000;

/// One entry of `remote_write`, checked, with the defaults filled in.
#[derive(Debug, Clone)]
pub struct RemoteWriteConfig {
    /// Names it in metrics and its journal; made from the URL if the file has none.
    pub name: String,
    /// Where to send.
    pub url: Url,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// Headers of every request.
    pub headers: BTreeMap<String, String>,
    /// What is done to the labels of a sample before it is journaled.
    pub relabel_rules: Vec<Rule>,
    /// Whether exemplars are sent.
    pub send_exemplars: bool,
    /// Whether native histograms are sent.
    pub send_native_histograms: bool,
    /// The protocol to begin with.
    pub version: Version,
    /// How much at once.
    pub queue: QueueConfig,
    /// Whether and when families are described with version 1.
    pub metadata: MetadataConfig,
    /// How to reach it.
    pub client: HttpClientConfig,
}

/// `queue_config`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QueueConfig {
    /// Samples of a shard in one round.
    pub capacity: usize,
    /// Most shards.
    pub max_shards: usize,
    /// Fewest shards.
    pub min_shards: usize,
    /// Most samples of a request.
    pub max_samples_per_send: usize,
    /// How long samples gather before they are sent.
    #[serde(with = "yaml::duration")]
    pub batch_send_deadline: Duration,
    /// Between two attempts: the first pause.
    #[serde(with = "yaml::duration")]
    pub min_backoff: Duration,
    /// The longest pause.
    #[serde(with = "yaml::duration")]
    pub max_backoff: Duration,
    /// Whether what met a rate limit is sent again.
    pub retry_on_http_429: bool,
    /// Samples older than this are not sent; zero for any age.
    #[serde(with = "yaml::duration")]
    pub sample_age_limit: Duration,
}

impl Default for QueueConfig {
    fn default() -> Self {
        Self {
            capacity: 10_000,
            max_shards: 50,
            min_shards: 1,
            max_samples_per_send: 2_000,
            batch_send_deadline: Duration::from_secs(5),
            min_backoff: Duration::from_millis(30),
            max_backoff: Duration::from_secs(5),
            retry_on_http_429: false,
            sample_age_limit: Duration::ZERO,
        }
    }
}

/// `metadata_config`; version 2 sends what is known of a family with its series.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetadataConfig {
    /// Whether families are described at all.
    pub send: bool,
    /// From one time to the next.
    #[serde(with = "yaml::duration")]
    pub send_interval: Duration,
    /// Most families of a request.
    pub max_samples_per_send: usize,
}

impl Default for MetadataConfig {
    fn default() -> Self {
        Self { send: true, send_interval: Duration::from_mins(1), max_samples_per_send: 2_000 }
    }
}

/// Of a prometheus.yml as it is written, what this reads; the rest is checked by who scrapes.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct WrittenSection {
    remote_write: Option<Vec<Option<Spanned<WithClient<Written>>>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    url: String,
    #[serde(with = "yaml::duration")]
    remote_timeout: Duration,
    headers: BTreeMap<String, String>,
    write_relabel_configs: Vec<Option<RelabelConfig>>,
    name: String,
    send_exemplars: bool,
    send_native_histograms: bool,
    round_robin_dns: bool,
    protobuf_message: String,
    queue_config: QueueConfig,
    metadata_config: MetadataConfig,
    sigv4: Option<IgnoredAny>,
    azuread: Option<IgnoredAny>,
    google_iam: Option<IgnoredAny>,
}

/// A check that failed: a key below the entry, and what is wrong.
type Refused = (String, String);

impl PartialEq for RemoteWriteConfig {
    fn eq(&self, other: &Self) -> bool {
        let rules =
            |of: &Self| of.relabel_rules.iter().map(Rule::config).cloned().collect::<Vec<_>>();
        self.name == other.name
            && self.url == other.url
            && self.timeout == other.timeout
            && self.headers == other.headers
            && self.send_exemplars == other.send_exemplars
            && self.send_native_histograms == other.send_native_histograms
            && self.version == other.version
            && self.queue == other.queue
            && self.metadata == other.metadata
            && self.client == other.client
            && rules(self) == rules(other)
    }
}

impl RemoteWriteConfig {
    /// The defaults, for a URL.
    ///
    /// # Errors
    /// What is wrong with the URL.
    pub fn new(url: &str) -> Result<Self, String> {
        let written = Written { url: url.to_owned(), ..Written::default() };
        written.check(HttpClientConfig::default()).map_err(|(_, what)| what)
    }

    /// Reads the section `remote_write` of a prometheus.yml; the other sections are passed over.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn read_section(text: &str) -> Result<Vec<Self>, YamlError> {
        let whole: Option<WrittenSection> = yaml::parse(text).map_err(|error| YamlError {
            // The wrapper that knows an entry's place shows up as a key that nobody wrote.
            key: error.key.replace("].value", "]"),
            ..error
        })?;
        Self::check_section(whole.unwrap_or_default())
    }

    /// Checks what was read; places are those of the text that it was read from.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn check_section(written: WrittenSection) -> Result<Vec<Self>, YamlError> {
        let mut configs: Vec<Self> = Vec::new();
        let mut names = BTreeSet::new();
        let sections = written.remote_write.unwrap_or_default();
        for (index, section) in sections.into_iter().enumerate() {
            let key = format!("remote_write[{index}]");
            let Some(section) = section else {
                let what = "empty or null remote write config section".to_owned();
                return Err(YamlError { line: 0, column: 0, key, what });
            };
            let at = section.referenced;
            let place = |(below, what): Refused| {
                let key = if below.is_empty() { key.clone() } else { format!("{key}.{below}") };
                YamlError { line: at.line(), column: at.column(), key, what }
            };
            let WithClient { section, client } = section.value;
            let named = !section.name.is_empty();
            let config = section.check(client).map_err(place)?;
            if !names.insert(config.name.clone()) {
                let name = &config.name;
                let what = if named {
                    format!("found multiple remote write configs with job name {name:?}")
                } else {
                    format!("two entries have the URL {}: give each a name", shown(&config.url))
                };
                return Err(place(("name".into(), what)));
            }
            configs.push(config);
        }
        Ok(configs)
    }

    /// Whether headers can be sent and certificates be used, as far as that is known now.
    ///
    /// # Errors
    /// [`Error::Client`], [`Error::Header`].
    pub fn check(&self, fs: Arc<dyn Fs>) -> Result<(), Error> {
        let url = shown(&self.url);
        request::headers(&url, &self.headers)?;
        Client::new(&self.client, fs).map_err(|source| Error::Client { url, source })?;
        Ok(())
    }

    /// Takes relative file names as relative to `dir`, the directory of the configuration file.
    pub fn set_directory(&mut self, dir: &Utf8Path) {
        self.client.set_directory(dir);
    }
}

impl Written {
    fn check(self, mut client: HttpClientConfig) -> Result<RemoteWriteConfig, Refused> {
        let refuse = |key: &str, what: &str| Err((key.to_owned(), what.to_owned()));
        if self.url.is_empty() {
            return refuse("url", "url for remote_write is empty");
        }
        let url = match Url::parse(&self.url) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => url,
            Ok(_) => return refuse("url", "must be http:// or https:// with a host"),
            Err(error) => return refuse("url", &error.to_string()),
        };
        self.check_supported()?;
        client.validate().map_err(|error| (error.key.to_owned(), error.what))?;
        check_headers(&self.headers)?;
        let relabel_rules = rules(&self.write_relabel_configs)?;
        let version = match self.protobuf_message.as_str() {
            "" | "prometheus.WriteRequest" => Version::V1,
            "io.prometheus.write.v2.Request" => Version::V2,
            other => {
                let what = format!(
                    "unknown type for remote write protobuf message {other}, supported: \
                     prometheus.WriteRequest, io.prometheus.write.v2.Request"
                );
                return refuse("protobuf_message", &what);
            }
        };
        check_queue(&self.queue_config)?;
        if self.metadata_config.max_samples_per_send == 0 {
            return refuse("metadata_config.max_samples_per_send", "must be above zero");
        }
        if self.metadata_config.send && self.metadata_config.send_interval.is_zero() {
            return refuse("metadata_config.send_interval", "must be above zero");
        }
        let name = if self.name.is_empty() { name_of_url(url.as_str()) } else { self.name.clone() };
        let timeout = if self.remote_timeout.is_zero() { TIMEOUT } else { self.remote_timeout };
        let (headers, queue, metadata) =
            (self.headers.clone(), self.queue_config.clone(), self.metadata_config.clone());
        let (send_exemplars, send_native_histograms) =
            (self.send_exemplars, self.send_native_histograms);
        Ok(RemoteWriteConfig {
            name,
            url,
            timeout,
            headers,
            relabel_rules,
            send_exemplars,
            send_native_histograms,
            version,
            queue,
            metadata,
            client,
        })
    }

    /// Whatever would change what is sent or to whom is refused by name.
    fn check_supported(&self) -> Result<(), Refused> {
        let given = [
            ("sigv4", self.sigv4.is_some(), "use a proxy that signs"),
            ("azuread", self.azuread.is_some(), "use authorization with a token"),
            ("google_iam", self.google_iam.is_some(), "use authorization with a token"),
            ("round_robin_dns", self.round_robin_dns, "the first address that answers is used"),
        ];
        match given.into_iter().find(|(_, given, _)| *given) {
            Some((key, _, instead)) => {
                Err((key.to_owned(), format!("not supported: {key}; {instead}")))
            }
            None => Ok(()),
        }
    }
}

const TIMEOUT: Duration = Duration::from_secs(30);

/// Headers that say what the body is, or who sends it.
const RESERVED: &[&str] = &[
    "host",
    "content-encoding",
    "content-length",
    "content-type",
    "user-agent",
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "www-authenticate",
    "accept-encoding",
    "x-prometheus-remote-write-version",
    "x-prometheus-remote-read-version",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-content-sha256",
];

fn check_headers(headers: &BTreeMap<String, String>) -> Result<(), Refused> {
    for name in headers.keys() {
        let lower = name.to_ascii_lowercase();
        if lower == "authorization" {
            let what = "authorization header must be changed via the basic_auth, authorization, \
                        oauth2, sigv4, azuread or google_iam parameter";
            return Err(("headers".into(), what.into()));
        }
        if RESERVED.contains(&lower.as_str()) {
            let what = format!("{name} is a reserved header. It must not be changed");
            return Err(("headers".into(), what));
        }
    }
    Ok(())
}

fn check_queue(queue: &QueueConfig) -> Result<(), Refused> {
    let within = |key: &str, value: usize, max: usize| {
        if (1..=max).contains(&value) {
            return Ok(());
        }
        Err((format!("queue_config.{key}"), format!("must be from 1 to {max}, is {value}")))
    };
    within("capacity", queue.capacity, SAMPLES_PER_SEND_MAX)?;
    within("max_shards", queue.max_shards, SHARDS_MAX)?;
    within("min_shards", queue.min_shards, queue.max_shards)?;
    within("max_samples_per_send", queue.max_samples_per_send, SAMPLES_PER_SEND_MAX)?;
    if queue.min_backoff.is_zero() || queue.max_backoff < queue.min_backoff {
        let what = "must be above zero, and max_backoff not below min_backoff";
        return Err(("queue_config.min_backoff".into(), what.into()));
    }
    Ok(())
}

fn rules(configs: &[Option<RelabelConfig>]) -> Result<Vec<Rule>, Refused> {
    let compile = |(at, config): (usize, &Option<RelabelConfig>)| {
        let key = format!("write_relabel_configs[{at}]");
        let Some(config) = config else {
            return Err((key, "empty or null relabeling rule in remote write config".to_owned()));
        };
        Rule::new(config.clone(), NameScheme::Utf8).map_err(|error| (key, error.to_string()))
    };
    configs.iter().enumerate().map(compile).collect()
}

/// A name that stays the same while the URL does, whatever else changes: its journal is found by it.
pub fn name_of_url(url: &str) -> String {
    // FNV-1a, which no later version of anything changes.
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = url.bytes().fold(0xcbf2_9ce4_8422_2325, mix);
    let hash = format!("{hash:016x}");
    hash.get(..6).unwrap_or(&hash).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<RemoteWriteConfig>, String> {
        RemoteWriteConfig::read_section(text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_section_of_every_supported_key_is_read() {
        let text = "
global: {scrape_interval: 15s}
scrape_configs: [{job_name: x}]
remote_write:
- url: https://mimir:9009/api/v1/push
  name: mimir
  remote_timeout: 10s
  headers: {X-Scope-OrgID: me}
  send_exemplars: true
  send_native_histograms: true
  protobuf_message: io.prometheus.write.v2.Request
  write_relabel_configs: [{source_labels: [__name__], regex: 'go_.*', action: drop}]
  basic_auth: {username: me, password_file: secret}
  tls_config: {insecure_skip_verify: true}
  enable_http2: true
  queue_config:
    {capacity: 5000, max_shards: 4, min_shards: 2, max_samples_per_send: 500,
     batch_send_deadline: 1s, min_backoff: 1s, max_backoff: 1m, retry_on_http_429: true,
     sample_age_limit: 1h}
  metadata_config: {send: true, send_interval: 5m, max_samples_per_send: 10}
- url: http://vm:8428/api/v1/write
  bearer_token: hunter2
";
        let mut configs = read(text).unwrap();
        configs[0].set_directory(Utf8Path::new("/etc/p"));
        let [one, two] = configs.as_slice() else { panic!("not two") };
        assert_eq!((one.name.as_str(), one.version), ("mimir", Version::V2));
        assert_eq!(one.client.basic_auth.as_ref().unwrap().password_file, "/etc/p/secret");
        assert_eq!(one.relabel_rules.len(), 1);
        assert_eq!(one.queue.sample_age_limit, Duration::from_hours(1));
        assert_eq!(two.name, name_of_url("http://vm:8428/api/v1/write"));
        assert_eq!((two.name.len(), two.timeout), (6, TIMEOUT));
        assert_eq!(
            (&two.queue, &two.metadata),
            (&QueueConfig::default(), &MetadataConfig::default())
        );
        assert_eq!(two.client.authorization.as_ref().unwrap().kind, "Bearer");
        assert!(read("").unwrap().is_empty() && read("remote_write:\n").unwrap().is_empty());
    }

    #[test]
    fn what_cannot_be_done_is_named_with_its_place() {
        let f = |entry: &str, want: &str| {
            let error = read(&format!("remote_write:\n- {entry}\n")).unwrap_err();
            assert!(error.contains(want) && error.starts_with("line 2"), "{entry}: {error}");
        };
        f("{}", "remote_write[0].url: url for remote_write is empty");
        f("{url: 'ftp://x'}", "must be http");
        f("{url: 'http://x', urls: y}", "remote_write[0].urls: unknown field");
        f("{url: 'http://x', oauth2: {client_id: a}}", "oauth2.token_url: oauth2 token_url must");
        f("{url: 'http://x', tls_config: {ca_fil: a}}", "remote_write[0].tls_config.ca_fil");
        f("{url: 'http://x', sigv4: {}}", "not supported: sigv4");
        f("{url: 'http://x', protobuf_message: x}", "unknown type for remote write protobuf");
        f("{url: 'http://x', headers: {Host: x}}", "Host is a reserved header");
        f("{url: 'http://x', headers: {authorization: x}}", "authorization header must be changed");
        f("{url: 'http://x', queue_config: {max_shards: 0}}", "queue_config.max_shards: must be");
        f("{url: 'http://x', queue_config: {min_shards: 51}}", "queue_config.min_shards: must be");
        f("{url: 'http://x', queue_config: {max_backoff: 1ms}}", "queue_config.min_backoff");
        f("{url: 'http://x', write_relabel_configs: [null]}", "write_relabel_configs[0]: empty");
        f("{url: 'http://x', write_relabel_configs: [{action: x}]}", "x");
        f("{url: 'http://x', bearer_token: a, basic_auth: {username: b}}", "at most one of");
        f("{url: 'http://x', metadata_config: {max_samples_per_send: 0}}", "above zero");
        f("{url: 'http://x', remote_timeout: soon}", "remote_timeout");
        assert!(read("remote_write: [null]").unwrap_err().contains("empty or null"));
        let twice = "remote_write: [{url: 'http://x', name: a}, {url: 'http://y', name: a}]";
        assert!(read(twice).unwrap_err().contains("with job name \"a\""));
        let twice = "remote_write: [{url: 'http://x'}, {url: 'http://x'}]";
        assert!(read(twice).unwrap_err().contains("give each a name"));
    }
}
