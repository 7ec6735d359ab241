//! ServiceMonitor and PodMonitor: one job for each endpoint.

use serde_json::{Map, Value, json};

use super::{
    Rejected,
    common::{
        Job, client, kubernetes_sd, label_query, limits, no_scrape_class, set, set_some, set_text,
    },
    rules::{Rules, relabelings},
    secrets::{Lookup, Secrets},
    spec::{Endpoint, IntOrString, Monitor},
};
use crate::kubernetes::{Meta, sanitize};

const CONTAINER_PORT_NAME: &str = "__meta_kubernetes_pod_container_port_name";
const CONTAINER_PORT_NUMBER: &str = "__meta_kubernetes_pod_container_port_number";

/// The jobs of a ServiceMonitor.
pub(super) fn service(
    meta: &Meta,
    monitor: &Monitor,
    secrets: &dyn Secrets,
) -> Result<Vec<Job>, Rejected> {
    let slices = monitor.service_discovery_role.as_deref() == Some("EndpointSlice");
    let (role, endpoint) =
        if slices { ("endpointslice", "endpointslice") } else { ("endpoints", "endpoint") };
    jobs(meta, monitor, "serviceMonitor", &[role, "service"], secrets, |own| {
        let mut rules = Rules::new();
        if is_by_rules(monitor) {
            rules.select("service", &monitor.selector);
        }
        let target_port = own.target_port.as_ref().filter(|port| port.is_set());
        if own.port.is_empty() {
            keep_target_port(&mut rules, target_port);
        } else {
            rules.keep(&format!("__meta_kubernetes_{endpoint}_port_name"), &own.port);
        }
        let leads_to = ["kind", "name"]
            .map(|what| format!("__meta_kubernetes_{endpoint}_address_target_{what}"));
        for (kind, label) in [("Node", "node"), ("Pod", "pod")] {
            rules.push(json!({
                "source_labels": leads_to, "separator": ";", "regex": format!("{kind};(.*)"),
                "replacement": "${1}", "target_label": label,
            }));
        }
        rules.copy("__meta_kubernetes_namespace", "namespace");
        rules.copy("__meta_kubernetes_service_name", "service");
        rules.copy("__meta_kubernetes_pod_name", "pod");
        rules.copy("__meta_kubernetes_pod_container_name", "container");
        if own.filter_running != Some(false) {
            rules.running();
        }
        for label in &monitor.target_labels {
            rules.copy_label("service", label, &sanitize(label));
        }
        copy_pod_labels(&mut rules, monitor);
        rules.push(json!({
            "source_labels": ["__meta_kubernetes_service_name"], "target_label": "job",
            "replacement": "${1}",
        }));
        if !monitor.job_label.is_empty() {
            rules.copy_label("service", &monitor.job_label, "job");
        }
        name_endpoint(&mut rules, own, target_port);
        rules
    })
}

/// The jobs of a PodMonitor.
pub(super) fn pod(
    meta: &Meta,
    monitor: &Monitor,
    secrets: &dyn Secrets,
) -> Result<Vec<Job>, Rejected> {
    jobs(meta, monitor, "podMonitor", &["pod"], secrets, |own| {
        let mut rules = Rules::new();
        if own.filter_running != Some(false) {
            rules.running();
        }
        if is_by_rules(monitor) {
            rules.select("pod", &monitor.selector);
        }
        let target_port = own.target_port.as_ref().filter(|port| port.is_set());
        if !own.port.is_empty() {
            rules.keep(CONTAINER_PORT_NAME, &own.port);
        } else if let Some(number) = own.port_number.filter(|number| *number != 0) {
            rules.keep(CONTAINER_PORT_NUMBER, &number.to_string());
        } else {
            keep_target_port(&mut rules, target_port);
        }
        rules.copy("__meta_kubernetes_namespace", "namespace");
        rules.copy("__meta_kubernetes_pod_container_name", "container");
        rules.copy("__meta_kubernetes_pod_name", "pod");
        copy_pod_labels(&mut rules, monitor);
        let job = format!("{}/{}", meta.namespace, meta.name);
        rules.push(json!({"target_label": "job", "replacement": job}));
        if !monitor.job_label.is_empty() {
            rules.copy_label("pod", &monitor.job_label, "job");
        }
        name_endpoint(&mut rules, own, target_port);
        rules
    })
}

/// One job for each endpoint, with the rules that `rules` makes for it.
fn jobs(
    meta: &Meta,
    monitor: &Monitor,
    prefix: &str,
    roles: &[&str],
    secrets: &dyn Secrets,
    rules: impl Fn(&Endpoint) -> Rules,
) -> Result<Vec<Job>, Rejected> {
    no_scrape_class(monitor.scrape_class.as_ref())?;
    let lookup = Lookup { namespace: &meta.namespace, secrets };
    let selectors: Vec<Value> = if is_by_rules(monitor) {
        Vec::new()
    } else {
        let label = label_query(&monitor.selector);
        // Endpoints and slices bear the labels of their service.
        roles.iter().map(|role| json!({"role": role, "label": label})).collect()
    };
    let role = roles.first().copied().unwrap_or_default();
    let one = |(at, own): (usize, &Endpoint)| {
        let mut job = Map::new();
        let name = format!("{prefix}/{}/{}/{at}", meta.namespace, meta.name);
        set(&mut job, "job_name", json!(name));
        set(&mut job, "honor_labels", json!(own.honor_labels));
        set_some(&mut job, "honor_timestamps", own.honor_timestamps.as_ref());
        set_some(&mut job, "track_timestamps_staleness", own.track_timestamps_staleness.as_ref());
        let attach = monitor.attach_metadata.as_ref();
        let namespaces = &monitor.namespace_selector;
        let found = kubernetes_sd(role, meta, namespaces, attach, selectors.clone());
        set(&mut job, "kubernetes_sd_configs", found);
        set_text(&mut job, "scrape_interval", &own.interval);
        set_text(&mut job, "scrape_timeout", &own.scrape_timeout);
        set_text(&mut job, "metrics_path", &own.path);
        set_some(&mut job, "params", own.params.as_ref());
        set_text(&mut job, "scheme", &own.scheme.to_lowercase());
        let at_field = |error: Rejected| Rejected(format!("endpoints[{at}]: {error}"));
        client(&mut job, &own.client, lookup).map_err(at_field)?;
        let mut rules = rules(own);
        rules.extend(&own.relabelings);
        set(&mut job, "relabel_configs", rules.finish());
        limits(&mut job, &monitor.limits)?;
        if !own.metric_relabelings.is_empty() {
            set(&mut job, "metric_relabel_configs", json!(relabelings(&own.metric_relabelings)));
        }
        Ok(job)
    };
    monitor.endpoints.iter().enumerate().map(one).collect()
}

/// Whether the selector becomes rules, as it does unless the API server is asked to select.
fn is_by_rules(monitor: &Monitor) -> bool {
    monitor.selector_mechanism.as_deref() != Some("RoleSelector")
}

fn keep_target_port(rules: &mut Rules, port: Option<&IntOrString>) {
    match port {
        Some(IntOrString::String(name)) => rules.keep(CONTAINER_PORT_NAME, name),
        Some(IntOrString::Int(number)) => rules.keep(CONTAINER_PORT_NUMBER, &number.to_string()),
        None => {}
    }
}

fn copy_pod_labels(rules: &mut Rules, monitor: &Monitor) {
    for label in &monitor.pod_target_labels {
        rules.copy_label("pod", label, &sanitize(label));
    }
}

fn name_endpoint(rules: &mut Rules, own: &Endpoint, target_port: Option<&IntOrString>) {
    let port = Some(own.port.clone()).filter(|port| !port.is_empty());
    if let Some(port) = port.or_else(|| target_port.map(IntOrString::text)) {
        rules.push(json!({"target_label": "endpoint", "replacement": port}));
    }
}
