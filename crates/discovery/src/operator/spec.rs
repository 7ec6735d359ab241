//! The fields of the resources, as the definitions of operator 0.93 name them. Unknown ones are
//! skipped: the API server has checked them already.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// A name or a number.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum IntOrString {
    Int(i64),
    String(String),
}

impl IntOrString {
    /// Whether anything is said; 0 and the empty text are nothing.
    pub(super) fn is_set(&self) -> bool {
        !matches!(self, Self::Int(0)) && !matches!(self, Self::String(text) if text.is_empty())
    }

    pub(super) fn text(&self) -> String {
        match self {
            Self::Int(number) => number.to_string(),
            Self::String(text) => text.clone(),
        }
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct LabelSelector {
    pub(super) match_labels: BTreeMap<String, String>,
    pub(super) match_expressions: Vec<Requirement>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Requirement {
    pub(super) key: String,
    pub(super) operator: String,
    pub(super) values: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct NamespaceSelector {
    pub(super) any: bool,
    pub(super) match_names: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct AttachMetadata {
    pub(super) node: bool,
}

/// A key of a Secret or a ConfigMap.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct KeyOf {
    pub(super) name: String,
    pub(super) key: String,
    pub(super) optional: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct SecretOrConfigMap {
    pub(super) secret: Option<KeyOf>,
    pub(super) config_map: Option<KeyOf>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Tls {
    pub(super) ca: SecretOrConfigMap,
    pub(super) cert: SecretOrConfigMap,
    pub(super) key_secret: Option<KeyOf>,
    pub(super) ca_file: String,
    pub(super) cert_file: String,
    pub(super) key_file: String,
    pub(super) server_name: Option<String>,
    pub(super) insecure_skip_verify: Option<bool>,
    pub(super) min_version: Option<String>,
    pub(super) max_version: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct BasicAuth {
    pub(super) username: KeyOf,
    pub(super) password: KeyOf,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Authorization {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) credentials: Option<KeyOf>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct OAuth2 {
    pub(super) client_id: SecretOrConfigMap,
    pub(super) client_secret: KeyOf,
    pub(super) token_url: String,
    pub(super) scopes: Vec<String>,
    pub(super) endpoint_params: BTreeMap<String, String>,
    pub(super) tls_config: Option<Tls>,
    #[serde(flatten)]
    pub(super) proxy: Proxy,
}

/// A proxy, on the way to a target or to its tokens.
#[expect(clippy::struct_field_names, reason = "the keys, as they are written")]
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Proxy {
    pub(super) proxy_url: String,
    pub(super) no_proxy: String,
    pub(super) proxy_from_environment: bool,
    pub(super) proxy_connect_header: BTreeMap<String, Vec<KeyOf>>,
}

/// How a target is reached; endpoints, probes and scrape configs have the same keys.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Client {
    pub(super) follow_redirects: Option<bool>,
    #[serde(alias = "enableHTTP2", rename = "enableHttp2")]
    pub(super) enable_http2: Option<bool>,
    #[serde(flatten)]
    pub(super) proxy: Proxy,
    pub(super) tls_config: Option<Tls>,
    pub(super) basic_auth: Option<BasicAuth>,
    pub(super) authorization: Option<Authorization>,
    pub(super) oauth2: Option<OAuth2>,
    pub(super) bearer_token_secret: Option<KeyOf>,
    pub(super) bearer_token_file: String,
}

/// Limits and protocols of a job.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Limits {
    pub(super) sample_limit: Option<u64>,
    pub(super) target_limit: Option<u64>,
    pub(super) label_limit: Option<u64>,
    pub(super) label_name_length_limit: Option<u64>,
    pub(super) label_value_length_limit: Option<u64>,
    pub(super) keep_dropped_targets: Option<u64>,
    pub(super) body_size_limit: Option<String>,
    pub(super) scrape_native_histograms: Option<bool>,
    pub(super) native_histogram_bucket_limit: Option<u64>,
    pub(super) native_histogram_min_bucket_factor: Option<Value>,
    pub(super) scrape_classic_histograms: Option<bool>,
    #[serde(rename = "convertClassicHistogramsToNHCB")]
    pub(super) convert_classic_histograms_to_nhcb: Option<bool>,
    pub(super) scrape_protocols: Vec<String>,
    pub(super) fallback_scrape_protocol: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Relabeling {
    pub(super) source_labels: Vec<String>,
    pub(super) separator: Option<String>,
    pub(super) target_label: String,
    pub(super) regex: String,
    pub(super) modulus: u64,
    pub(super) replacement: Option<String>,
    pub(super) action: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Endpoint {
    pub(super) port: String,
    pub(super) port_number: Option<i64>,
    pub(super) target_port: Option<IntOrString>,
    pub(super) path: String,
    pub(super) scheme: String,
    pub(super) params: Option<BTreeMap<String, Vec<String>>>,
    pub(super) interval: String,
    pub(super) scrape_timeout: String,
    pub(super) honor_labels: bool,
    pub(super) honor_timestamps: Option<bool>,
    pub(super) track_timestamps_staleness: Option<bool>,
    pub(super) filter_running: Option<bool>,
    pub(super) relabelings: Vec<Relabeling>,
    pub(super) metric_relabelings: Vec<Relabeling>,
    #[serde(flatten)]
    pub(super) client: Client,
}

/// ServiceMonitor and PodMonitor.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Monitor {
    pub(super) selector: LabelSelector,
    pub(super) selector_mechanism: Option<String>,
    pub(super) namespace_selector: NamespaceSelector,
    pub(super) service_discovery_role: Option<String>,
    pub(super) attach_metadata: Option<AttachMetadata>,
    pub(super) job_label: String,
    pub(super) target_labels: Vec<String>,
    pub(super) pod_target_labels: Vec<String>,
    pub(super) scrape_class: Option<String>,
    #[serde(alias = "podMetricsEndpoints")]
    pub(super) endpoints: Vec<Endpoint>,
    #[serde(flatten)]
    pub(super) limits: Limits,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Probe {
    pub(super) job_name: String,
    pub(super) prober: Prober,
    pub(super) module: String,
    pub(super) params: Vec<ProbeParam>,
    pub(super) targets: ProbeTargets,
    pub(super) interval: String,
    pub(super) scrape_timeout: String,
    pub(super) scrape_class: Option<String>,
    pub(super) metric_relabelings: Vec<Relabeling>,
    #[serde(flatten)]
    pub(super) client: Client,
    #[serde(flatten)]
    pub(super) limits: Limits,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Prober {
    pub(super) url: String,
    pub(super) scheme: String,
    pub(super) path: Option<String>,
    pub(super) proxy_url: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ProbeParam {
    pub(super) name: String,
    pub(super) values: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ProbeTargets {
    pub(super) static_config: Option<ProbeStatic>,
    pub(super) ingress: Option<ProbeIngress>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ProbeStatic {
    #[serde(rename = "static")]
    pub(super) targets: Vec<String>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) relabeling_configs: Vec<Relabeling>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ProbeIngress {
    pub(super) selector: LabelSelector,
    pub(super) namespace_selector: NamespaceSelector,
    pub(super) relabeling_configs: Vec<Relabeling>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ScrapeConfig {
    pub(super) job_name: Option<String>,
    pub(super) static_configs: Vec<StaticConfig>,
    #[serde(rename = "httpSDConfigs")]
    pub(super) http_sd_configs: Vec<HttpSd>,
    #[serde(rename = "kubernetesSDConfigs")]
    pub(super) kubernetes_sd_configs: Vec<KubernetesSd>,
    pub(super) metrics_path: Option<String>,
    pub(super) scrape_interval: Option<String>,
    pub(super) scrape_timeout: Option<String>,
    pub(super) scheme: String,
    pub(super) params: Option<BTreeMap<String, Vec<String>>>,
    pub(super) honor_labels: Option<bool>,
    pub(super) honor_timestamps: Option<bool>,
    pub(super) track_timestamps_staleness: Option<bool>,
    pub(super) enable_compression: Option<bool>,
    pub(super) scrape_class: Option<String>,
    pub(super) relabelings: Vec<Relabeling>,
    pub(super) metric_relabelings: Vec<Relabeling>,
    #[serde(flatten)]
    pub(super) client: Client,
    #[serde(flatten)]
    pub(super) limits: Limits,
    /// Everything else: other ways of discovery are named when they are refused.
    #[serde(flatten)]
    pub(super) rest: BTreeMap<String, Value>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct StaticConfig {
    pub(super) targets: Vec<String>,
    pub(super) labels: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct HttpSd {
    pub(super) url: String,
    pub(super) refresh_interval: Option<String>,
    #[serde(flatten)]
    pub(super) client: Client,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct KubernetesSd {
    pub(super) role: String,
    pub(super) api_server: Option<String>,
    pub(super) namespaces: Option<SdNamespaces>,
    pub(super) selectors: Vec<SdSelector>,
    pub(super) attach_metadata: Option<AttachMetadata>,
    #[serde(flatten)]
    pub(super) client: Client,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct SdNamespaces {
    pub(super) own_namespace: bool,
    pub(super) names: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct SdSelector {
    pub(super) role: String,
    pub(super) label: String,
    pub(super) field: String,
}
