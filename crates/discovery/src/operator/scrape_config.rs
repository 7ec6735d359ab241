//! `ScrapeConfig`: nearly a section of a prometheus.yml in other words.

use serde_json::{Map, Value, json};

use super::{
    Rejected,
    common::{Job, client, limits, no_scrape_class, set, set_some, set_text},
    rules::{Rules, relabelings},
    secrets::{Lookup, Secrets},
    spec::{HttpSd, KubernetesSd, ScrapeConfig},
};
use crate::kubernetes::Meta;

pub(super) fn translate(
    meta: &Meta,
    config: ScrapeConfig,
    secrets: &dyn Secrets,
) -> Result<Job, Rejected> {
    no_scrape_class(config.scrape_class.as_ref())?;
    let other = config.rest.iter().find(|(key, value)| {
        let is_empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        key.to_lowercase().ends_with("sdconfigs") && !is_empty
    });
    if let Some((key, _)) = other {
        return Err(Rejected(format!("{key} is not supported")));
    }
    let lookup = Lookup { namespace: &meta.namespace, secrets };
    let mut job = Map::new();
    let name = format!("scrapeConfig/{}/{}", meta.namespace, meta.name);
    set(&mut job, "job_name", json!(name));
    set_some(&mut job, "honor_timestamps", config.honor_timestamps.as_ref());
    set_some(&mut job, "track_timestamps_staleness", config.track_timestamps_staleness.as_ref());
    set_some(&mut job, "honor_labels", config.honor_labels.as_ref());
    set_some(&mut job, "metrics_path", config.metrics_path.as_ref());
    set_some(&mut job, "params", config.params.as_ref());
    set_some(&mut job, "scrape_interval", config.scrape_interval.as_ref());
    set_some(&mut job, "scrape_timeout", config.scrape_timeout.as_ref());
    set_some(&mut job, "enable_compression", config.enable_compression.as_ref());
    set_text(&mut job, "scheme", &config.scheme.to_lowercase());
    client(&mut job, &config.client, lookup)?;
    limits(&mut job, &config.limits)?;
    if !config.static_configs.is_empty() {
        let one =
            |own: &super::spec::StaticConfig| json!({"targets": own.targets, "labels": own.labels});
        let all: Vec<Value> = config.static_configs.iter().map(one).collect();
        set(&mut job, "static_configs", Value::Array(all));
    }
    if !config.http_sd_configs.is_empty() {
        let all: Result<Vec<Value>, _> =
            config.http_sd_configs.iter().map(|own| http(own, lookup)).collect();
        set(&mut job, "http_sd_configs", Value::Array(all?));
    }
    if !config.kubernetes_sd_configs.is_empty() {
        let all: Result<Vec<Value>, _> =
            config.kubernetes_sd_configs.iter().map(|own| kubernetes(own, lookup)).collect();
        set(&mut job, "kubernetes_sd_configs", Value::Array(all?));
    }
    let mut rules = Rules::new();
    if let Some(name) = config.job_name.filter(|name| !name.is_empty()) {
        rules.push(json!({"target_label": "job", "action": "replace", "replacement": name}));
    }
    rules.extend(&config.relabelings);
    set(&mut job, "relabel_configs", rules.finish());
    if !config.metric_relabelings.is_empty() {
        set(&mut job, "metric_relabel_configs", json!(relabelings(&config.metric_relabelings)));
    }
    Ok(job)
}

fn http(own: &HttpSd, lookup: Lookup<'_>) -> Result<Value, Rejected> {
    let mut out = Map::new();
    set(&mut out, "url", json!(own.url));
    set_some(&mut out, "refresh_interval", own.refresh_interval.as_ref());
    client(&mut out, &own.client, lookup)?;
    Ok(Value::Object(out))
}

fn kubernetes(own: &KubernetesSd, lookup: Lookup<'_>) -> Result<Value, Rejected> {
    let mut out = Map::new();
    set(&mut out, "role", json!(own.role.to_lowercase()));
    set_some(&mut out, "api_server", own.api_server.as_ref());
    if let Some(namespaces) = &own.namespaces {
        let mut inner = Map::new();
        if namespaces.own_namespace {
            set(&mut inner, "own_namespace", json!(true));
        }
        set(&mut inner, "names", json!(namespaces.names));
        set(&mut out, "namespaces", Value::Object(inner));
    }
    if !own.selectors.is_empty() {
        let one = |own: &super::spec::SdSelector| json!({"role": own.role.to_lowercase(), "label": own.label, "field": own.field});
        set(&mut out, "selectors", own.selectors.iter().map(one).collect());
    }
    if let Some(attach) = &own.attach_metadata {
        set(&mut out, "attach_metadata", json!({"node": attach.node}));
    }
    client(&mut out, &own.client, lookup)?;
    Ok(Value::Object(out))
}
