//! The flags of `serve` about a cluster.

use clap::{Args, builder::BoolishValueParser};

#[derive(Debug, Clone, Args)]
pub(crate) struct KubernetesArgs {
    /// Scrape what the ServiceMonitors, PodMonitors, Probes and ScrapeConfigs of this cluster say,
    /// evaluate its `PrometheusRules`, show the dashboards in its ConfigMaps, and give the lines of
    /// `--pods-log-dir` the labels of their pods.
    #[arg(id = "kubernetes", long = "kubernetes", env = "MASTHEAD_KUBERNETES")]
    #[arg(value_parser = BoolishValueParser::new())]
    pub enabled: bool,

    /// The API server; without it, that of the cluster that this process runs in.
    #[arg(long = "kubernetes.api-server", value_name = "URL")]
    #[arg(env = "MASTHEAD_KUBERNETES_API_SERVER", value_parser = http_url)]
    pub api_server: Option<String>,

    /// Only these namespaces, separated by commas.
    #[arg(long = "kubernetes.namespaces", value_name = "NAME,…", value_delimiter = ',')]
    #[arg(env = "MASTHEAD_KUBERNETES_NAMESPACES")]
    pub namespaces: Vec<String>,

    /// Only resources that this label selector chooses, such as `release=stack`.
    #[arg(long = "kubernetes.monitor-selector", value_name = "SELECTOR", default_value = "")]
    #[arg(env = "MASTHEAD_KUBERNETES_MONITOR_SELECTOR")]
    pub monitor_selector: String,

    /// The label of ConfigMaps that hold dashboards.
    #[arg(long = "kubernetes.dashboard-selector", value_name = "SELECTOR")]
    #[arg(default_value = "grafana_dashboard", env = "MASTHEAD_KUBERNETES_DASHBOARD_SELECTOR")]
    pub dashboard_selector: String,

    /// The label of ConfigMaps that name data sources, which dashboards may refer to.
    #[arg(long = "kubernetes.datasource-selector", value_name = "SELECTOR")]
    #[arg(default_value = "grafana_datasource", env = "MASTHEAD_KUBERNETES_DATASOURCE_SELECTOR")]
    pub datasource_selector: String,
}

pub(super) fn http_url(text: &str) -> Result<String, String> {
    let url: http::Uri = text.parse().map_err(|_| "write it like https://10.0.0.1:6443")?;
    match (url.scheme_str(), url.authority()) {
        (Some("http" | "https"), Some(_)) => Ok(text.to_owned()),
        _ => Err("write it like https://10.0.0.1:6443".to_owned()),
    }
}
