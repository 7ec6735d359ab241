//! What the translations share: limits, and how a target is reached.

use serde_json::{Map, Value, json};

use super::{
    Rejected,
    secrets::Lookup,
    spec::{AttachMetadata, Client, LabelSelector, Limits, NamespaceSelector, OAuth2, Proxy, Tls},
};
use crate::kubernetes::Meta;

/// A job while it is written.
pub(super) type Job = Map<String, Value>;

/// The one directory whose files a resource may name: those of this server's own account, as the
/// monitor of kubelets does. Any other file would be this server's secret.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount/";

pub(super) fn set(job: &mut Job, key: &str, value: Value) {
    job.insert(key.to_owned(), value);
}

/// Sets what has a value.
pub(super) fn set_text(job: &mut Job, key: &str, value: &str) {
    if !value.is_empty() {
        set(job, key, json!(value));
    }
}

/// Sets what is said.
pub(super) fn set_some<T: serde::Serialize>(job: &mut Job, key: &str, value: Option<&T>) {
    if let Some(value) = value {
        set(job, key, json!(value));
    }
}

/// Scrape classes belong to a Prometheus resource, of which there is none.
pub(super) fn no_scrape_class(class: Option<&String>) -> Result<(), Rejected> {
    match class {
        Some(class) if !class.is_empty() => {
            Err(Rejected(format!("scrapeClass {class:?} is not known")))
        }
        _ => Ok(()),
    }
}

pub(super) fn limits(job: &mut Job, limits: &Limits) -> Result<(), Rejected> {
    for (key, value) in [
        ("sample_limit", limits.sample_limit),
        ("target_limit", limits.target_limit),
        ("label_limit", limits.label_limit),
        ("label_name_length_limit", limits.label_name_length_limit),
        ("label_value_length_limit", limits.label_value_length_limit),
        ("keep_dropped_targets", limits.keep_dropped_targets),
        ("native_histogram_bucket_limit", limits.native_histogram_bucket_limit),
    ] {
        set_some(job, key, value.as_ref());
    }
    for (key, value) in [
        ("scrape_native_histograms", limits.scrape_native_histograms),
        ("always_scrape_classic_histograms", limits.scrape_classic_histograms),
        ("convert_classic_histograms_to_nhcb", limits.convert_classic_histograms_to_nhcb),
    ] {
        set_some(job, key, value.as_ref());
    }
    if let Some(factor) = &limits.native_histogram_min_bucket_factor {
        // A quantity of Kubernetes, which may be written as text.
        let number = match factor {
            Value::String(text) => text.parse::<f64>().ok().map(|number| json!(number)),
            other => Some(other.clone()),
        };
        let refused = || Rejected(format!("nativeHistogramMinBucketFactor {factor} is no number"));
        set(job, "native_histogram_min_bucket_factor", number.ok_or_else(refused)?);
    }
    set_some(job, "body_size_limit", limits.body_size_limit.as_ref());
    if !limits.scrape_protocols.is_empty() {
        set(job, "scrape_protocols", json!(limits.scrape_protocols));
    }
    set_some(job, "fallback_scrape_protocol", limits.fallback_scrape_protocol.as_ref());
    Ok(())
}

pub(super) fn client(job: &mut Job, client: &Client, lookup: Lookup<'_>) -> Result<(), Rejected> {
    set_some(job, "follow_redirects", client.follow_redirects.as_ref());
    set_some(job, "enable_http2", client.enable_http2.as_ref());
    proxy(job, &client.proxy, lookup)?;
    if let Some(tls) = &client.tls_config {
        set(job, "tls_config", tls_config(tls, lookup)?);
    }
    credentials(job, client, lookup)
}

fn proxy(out: &mut Job, proxy: &Proxy, lookup: Lookup<'_>) -> Result<(), Rejected> {
    set_text(out, "proxy_url", &proxy.proxy_url);
    set_text(out, "no_proxy", &proxy.no_proxy);
    if proxy.proxy_from_environment {
        set(out, "proxy_from_environment", json!(true));
    }
    if !proxy.proxy_connect_header.is_empty() {
        let mut headers = Map::new();
        for (name, values) in &proxy.proxy_connect_header {
            let values: Result<Vec<String>, _> = values.iter().map(|v| lookup.secret(v)).collect();
            headers.insert(name.clone(), json!(values?));
        }
        set(out, "proxy_connect_header", Value::Object(headers));
    }
    Ok(())
}

fn oauth2(own: &OAuth2, lookup: Lookup<'_>) -> Result<Value, Rejected> {
    let id = lookup.either(&own.client_id)?.unwrap_or_default();
    let mut out = Map::new();
    set(&mut out, "client_id", json!(id));
    set(&mut out, "client_secret", json!(lookup.secret(&own.client_secret)?));
    set(&mut out, "token_url", json!(own.token_url));
    if !own.scopes.is_empty() {
        set(&mut out, "scopes", json!(own.scopes));
    }
    if !own.endpoint_params.is_empty() {
        set(&mut out, "endpoint_params", json!(own.endpoint_params));
    }
    if let Some(tls) = &own.tls_config {
        set(&mut out, "tls_config", tls_config(tls, lookup)?);
    }
    proxy(&mut out, &own.proxy, lookup)?;
    Ok(Value::Object(out))
}

fn credentials(job: &mut Job, client: &Client, lookup: Lookup<'_>) -> Result<(), Rejected> {
    let token = client.bearer_token_secret.as_ref().filter(|secret| !secret.name.is_empty());
    let said = [
        ("authorization", client.authorization.is_some()),
        ("basicAuth", client.basic_auth.is_some()),
        ("bearerTokenSecret", token.is_some()),
        ("oauth2", client.oauth2.is_some()),
    ];
    let said: Vec<&str> = said.into_iter().filter_map(|(name, is)| is.then_some(name)).collect();
    if let [one, two, ..] = said[..] {
        return Err(Rejected(format!("{one} and {two} exclude each other")));
    }
    if let Some(own) = &client.oauth2 {
        set(job, "oauth2", oauth2(own, lookup)?);
    }
    if let Some(basic) = &client.basic_auth {
        let (user, password) = (lookup.secret(&basic.username)?, lookup.secret(&basic.password)?);
        set(job, "basic_auth", json!({"username": user, "password": password}));
    }
    let mut authorize = |kind: &str, credentials: String| {
        set(job, "authorization", json!({"type": kind, "credentials": credentials}));
    };
    if let Some(authorization) = &client.authorization {
        let kind = authorization.kind.trim();
        let key = authorization.credentials.as_ref();
        let credentials = key.map(|key| lookup.secret(key)).transpose()?.unwrap_or_default();
        authorize(if kind.is_empty() { "Bearer" } else { kind }, credentials);
    }
    if let Some(secret) = token {
        authorize("Bearer", lookup.secret(secret)?);
    }
    if !client.bearer_token_file.is_empty() && said.is_empty() {
        let file = allowed(&client.bearer_token_file, "bearerTokenFile")?;
        set(job, "authorization", json!({"type": "Bearer", "credentials_file": file}));
    }
    Ok(())
}

fn tls_config(tls: &Tls, lookup: Lookup<'_>) -> Result<Value, Rejected> {
    let mut out = Map::new();
    set_some(&mut out, "insecure_skip_verify", tls.insecure_skip_verify.as_ref());
    set_some(&mut out, "ca", lookup.either(&tls.ca)?.as_ref());
    set_some(&mut out, "cert", lookup.either(&tls.cert)?.as_ref());
    let key = tls.key_secret.as_ref().map(|key| lookup.secret(key)).transpose()?;
    set_some(&mut out, "key", key.as_ref());
    set_some(&mut out, "server_name", tls.server_name.as_ref());
    set_some(&mut out, "min_version", tls.min_version.as_ref());
    set_some(&mut out, "max_version", tls.max_version.as_ref());
    for (name, key, file) in [
        ("caFile", "ca_file", &tls.ca_file),
        ("certFile", "cert_file", &tls.cert_file),
        ("keyFile", "key_file", &tls.key_file),
    ] {
        if !file.is_empty() {
            set(&mut out, key, json!(allowed(file, &format!("tlsConfig.{name}"))?));
        }
    }
    Ok(Value::Object(out))
}

fn allowed<'a>(file: &'a str, field: &str) -> Result<&'a str, Rejected> {
    if file.starts_with(SERVICE_ACCOUNT) && !file.contains("..") {
        return Ok(file);
    }
    let only = SERVICE_ACCOUNT;
    Err(Rejected(format!("{field} {file}: a resource may name files below {only} only")))
}

/// The section that finds objects of a role.
pub(super) fn kubernetes_sd(
    role: &str,
    meta: &Meta,
    namespaces: &NamespaceSelector,
    attach: Option<&AttachMetadata>,
    selectors: Vec<Value>,
) -> Value {
    let mut out = Map::new();
    set(&mut out, "role", json!(role));
    if !namespaces.any {
        let names = if namespaces.match_names.is_empty() {
            vec![meta.namespace.clone()]
        } else {
            namespaces.match_names.clone()
        };
        set(&mut out, "namespaces", json!({"names": names}));
    }
    if let Some(attach) = attach {
        set(&mut out, "attach_metadata", json!({"node": attach.node}));
    }
    if !selectors.is_empty() {
        set(&mut out, "selectors", Value::Array(selectors));
    }
    json!([out])
}

/// A selector as the API server takes it.
pub(super) fn label_query(selector: &LabelSelector) -> String {
    let equal = selector.match_labels.iter().map(|(key, value)| format!("{key}={value}"));
    let sets = selector.match_expressions.iter().map(|requirement| {
        let mut values = requirement.values.clone();
        values.sort();
        let (key, values) = (&requirement.key, values.join(","));
        match requirement.operator.as_str() {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "Exists" => key.clone(),
            _ => format!("!{key}"),
        }
    });
    equal.chain(sets).collect::<Vec<_>>().join(",")
}
