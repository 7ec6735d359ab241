//! Probe: static targets or ingresses, asked through a prober such as the blackbox exporter.

use serde_json::{Map, Value, json};

use super::{
    Rejected,
    common::{Job, client, kubernetes_sd, limits, no_scrape_class, set, set_text},
    rules::{Rules, relabelings},
    secrets::{Lookup, Secrets},
    spec::{Probe, ProbeIngress, ProbeStatic},
};
use crate::kubernetes::Meta;

pub(super) fn translate(
    meta: &Meta,
    probe: &Probe,
    secrets: &dyn Secrets,
) -> Result<Job, Rejected> {
    no_scrape_class(probe.scrape_class.as_ref())?;
    let mut job = Map::new();
    set(&mut job, "job_name", json!(format!("probe/{}/{}", meta.namespace, meta.name)));
    set(&mut job, "honor_timestamps", json!(true));
    let path = probe.prober.path.as_deref().filter(|path| !path.is_empty());
    set(&mut job, "metrics_path", json!(path.unwrap_or("/probe")));
    set_text(&mut job, "scrape_interval", &probe.interval);
    set_text(&mut job, "scrape_timeout", &probe.scrape_timeout);
    set_text(&mut job, "scheme", &probe.prober.scheme.to_lowercase());
    let mut params = Map::new();
    for param in &probe.params {
        params.insert(param.name.clone(), json!(param.values));
    }
    if !probe.module.is_empty() {
        params.insert("module".to_owned(), json!([probe.module]));
    }
    if !params.is_empty() {
        set(&mut job, "params", Value::Object(params));
    }
    limits(&mut job, &probe.limits)?;
    let mut rules = Rules::new();
    if !probe.job_name.is_empty() {
        rules.push(json!({"target_label": "job", "replacement": probe.job_name}));
    }
    match (&probe.targets.static_config, &probe.targets.ingress) {
        (Some(own), _) => of_list(&mut job, &mut rules, meta, probe, own),
        (None, Some(own)) => of_ingresses(&mut job, &mut rules, meta, probe, own),
        (None, None) => {
            return Err(Rejected("targets names neither staticConfig nor ingress".to_owned()));
        }
    }
    set(&mut job, "relabel_configs", rules.finish_probe());
    let lookup = Lookup { namespace: &meta.namespace, secrets };
    client(&mut job, &probe.client, lookup)?;
    set_text(&mut job, "proxy_url", &probe.prober.proxy_url);
    if !probe.metric_relabelings.is_empty() {
        set(&mut job, "metric_relabel_configs", json!(relabelings(&probe.metric_relabelings)));
    }
    Ok(job)
}

fn of_list(job: &mut Job, rules: &mut Rules, meta: &Meta, probe: &Probe, own: &ProbeStatic) {
    let mut labels = own.labels.clone();
    labels.entry("namespace".to_owned()).or_insert_with(|| meta.namespace.clone());
    set(job, "static_configs", json!([{"targets": own.targets, "labels": labels}]));
    rules.copy("__address__", "__param_target");
    rules.copy("__param_target", "instance");
    rules.push(json!({"target_label": "__address__", "replacement": probe.prober.url}));
    rules.extend(&own.relabeling_configs);
}

fn of_ingresses(job: &mut Job, rules: &mut Rules, meta: &Meta, probe: &Probe, own: &ProbeIngress) {
    rules.select("ingress", &own.selector);
    let found = kubernetes_sd("ingress", meta, &own.namespace_selector, None, Vec::new());
    set(job, "kubernetes_sd_configs", found);
    rules.push(json!({
        "source_labels": ["__meta_kubernetes_ingress_scheme", "__address__",
            "__meta_kubernetes_ingress_path"],
        "separator": ";", "regex": "(.+);(.+);(.+)", "target_label": "__param_target",
        "replacement": "${1}://${2}${3}", "action": "replace",
    }));
    rules.copy("__meta_kubernetes_namespace", "namespace");
    rules.copy("__meta_kubernetes_ingress_name", "ingress");
    rules.push(json!({
        "source_labels": ["__address__"], "separator": ";", "regex": "(.*)",
        "target_label": "__tmp_ingress_address", "replacement": "$1", "action": "replace",
    }));
    rules.copy("__param_target", "instance");
    rules.push(json!({"target_label": "__address__", "replacement": probe.prober.url}));
    rules.extend(&own.relabeling_configs);
}
