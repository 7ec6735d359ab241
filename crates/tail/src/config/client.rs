//! One entry of `clients`: a Loki to push to.

use std::{collections::BTreeMap, time::Duration};

use masthead_discovery::yaml::Refused;
use masthead_http_client::HttpClientConfig;
use masthead_model::{Labels, is_legacy_label_name};
use serde::{Deserialize, de::IgnoredAny};
use url::Url;

use super::go_duration;

/// A Loki to push to, checked, with the defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientConfig {
    /// Names the client in metrics and its journal; empty if it has none.
    pub name: String,
    /// Where to push.
    pub url: Url,
    /// How long lines gather before they are sent.
    pub batch_wait: Duration,
    /// Bytes of lines that are sent at once.
    pub batch_bytes: usize,
    /// How to reach it.
    pub client: HttpClientConfig,
    /// Between two attempts: the first pause.
    pub backoff_min: Duration,
    /// The longest pause.
    pub backoff_max: Duration,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// Labels of every stream that has no label of the name.
    pub external_labels: Labels,
    /// For whom lines are; empty for no header.
    pub tenant: String,
    /// Headers of every request.
    pub headers: BTreeMap<String, String>,
    /// Whether lines that are refused with status 429 are lost instead of sent again.
    pub drop_rate_limited: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct WrittenClient {
    name: String,
    url: String,
    batchwait: Option<String>,
    batchsize: Option<usize>,
    headers: BTreeMap<String, String>,
    backoff_config: WrittenBackoff,
    drop_rate_limited_batches: bool,
    external_labels: BTreeMap<String, String>,
    timeout: Option<String>,
    tenant_id: String,
    stream_lag_labels: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenBackoff {
    min_period: Option<String>,
    max_period: Option<String>,
    /// Lines are kept until the journal is full, whatever this says.
    max_retries: Option<IgnoredAny>,
}

impl WrittenClient {
    pub(super) fn check(self, mut client: HttpClientConfig) -> Result<ClientConfig, Refused> {
        let refuse = |key: &str, what: &str| Err(Refused::new(key, what));
        let url = match Url::parse(&self.url) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => url,
            Ok(_) => return refuse("url", "must be http:// or https:// with a host"),
            Err(_) if self.url.is_empty() => return refuse("url", "a client needs an url"),
            Err(error) => return refuse("url", &error.to_string()),
        };
        client.validate().map_err(|error| Refused::new(error.key, error.what))?;
        for name in self.external_labels.keys() {
            if !is_legacy_label_name(name) {
                return refuse("external_labels", &format!("{name:?} is no name of a label"));
            }
        }
        let duration = |key: &str, text: Option<String>, default: Duration| match text {
            None => Ok(default),
            Some(text) => go_duration(&text).map_err(|what| Refused::new(key, what)),
        };
        let backoff = self.backoff_config;
        let batch_bytes = self.batchsize.unwrap_or(1 << 20);
        if batch_bytes == 0 {
            return refuse("batchsize", "must be above zero");
        }
        Ok(ClientConfig {
            name: self.name,
            url,
            batch_wait: duration("batchwait", self.batchwait, Duration::from_secs(1))?,
            batch_bytes,
            client,
            backoff_min: duration(
                "backoff_config.min_period",
                backoff.min_period,
                Duration::from_millis(500),
            )?,
            backoff_max: duration(
                "backoff_config.max_period",
                backoff.max_period,
                Duration::from_mins(5),
            )?,
            timeout: duration("timeout", self.timeout, Duration::from_secs(10))?,
            external_labels: self.external_labels.into_iter().collect(),
            tenant: self.tenant_id,
            headers: self.headers,
            drop_rate_limited: self.drop_rate_limited_batches,
        })
    }
}
