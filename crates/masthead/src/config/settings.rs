//! The settings of masthead.yaml: one row each, standing for a flag of `masthead serve`.
//!
//! A flag's meaning, default and checks are in `cli.rs` alone; here is only where it stands in the
//! file. `docs/reference/config.md` is made from both, and a test demands a row for every flag.

/// One row.
#[derive(Debug)]
pub(super) struct Setting {
    /// The way to it in the file.
    pub key: &'static str,
    /// The flag, without its dashes.
    pub flag: &'static str,
    pub kind: Kind,
}

/// How a value becomes the word of a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// As it is.
    Value,
    /// A path, relative to the directory of the file.
    Path,
    /// Several of them.
    Paths,
    /// A flag without a value, given when the setting is true.
    Switch,
    /// A flag without a value, given when the setting is false.
    SwitchOff,
}

const fn value(key: &'static str, flag: &'static str) -> Setting {
    Setting { key, flag, kind: Kind::Value }
}

const fn path(key: &'static str, flag: &'static str) -> Setting {
    Setting { key, flag, kind: Kind::Path }
}

const fn paths(key: &'static str, flag: &'static str) -> Setting {
    Setting { key, flag, kind: Kind::Paths }
}

const fn switch(key: &'static str, flag: &'static str) -> Setting {
    Setting { key, flag, kind: Kind::Switch }
}

const fn switch_off(key: &'static str, flag: &'static str) -> Setting {
    Setting { key, flag, kind: Kind::SwitchOff }
}

/// Every setting, in the order of the reference.
pub(super) const SETTINGS: &[Setting] = &[
    path("data", "data"),
    value("listen.address", "listen"),
    value("listen.prometheus", "prometheus-listen"),
    value("listen.loki", "loki-listen"),
    switch("listen.insecure", "insecure"),
    value("metrics.storage.retention_time", "storage.retention.time"),
    value("metrics.storage.retention_size", "storage.retention.size"),
    value("metrics.storage.out_of_order_window", "storage.out-of-order-window"),
    value("metrics.storage.sync_interval", "storage.sync-interval"),
    value("metrics.storage.max_series", "storage.max-series"),
    value("logs.storage.retention_time", "logs.retention.time"),
    value("logs.storage.retention_size", "logs.retention.size"),
    value("logs.storage.out_of_order_window", "logs.out-of-order-window"),
    value("logs.limits.max_age", "logs.max-age"),
    value("logs.limits.max_ahead", "logs.max-ahead"),
    value("logs.limits.max_streams", "logs.max-streams"),
    value("logs.limits.max_line_size", "logs.max-line-size"),
    value("logs.limits.max_label_names", "logs.max-label-names"),
    value("logs.limits.max_label_name_size", "logs.max-label-name-size"),
    value("logs.limits.max_label_value_size", "logs.max-label-value-size"),
    value("logs.limits.max_metadata_size", "logs.max-metadata-size"),
    value("logs.limits.max_metadata_pairs", "logs.max-metadata-pairs"),
    value("logs.limits.discover_service_name", "logs.discover-service-name"),
    value("logs.limits.discover_levels", "logs.discover-levels"),
    value("logs.limits.max_entries", "logs.max-entries"),
    value("logs.limits.max_query_series", "logs.max-query-series"),
    value("logs.limits.max_query_length", "logs.max-query-length"),
    value("logs.limits.query_max_label_bytes", "logs.query.max-label-bytes"),
    value("logs.limits.max_tails", "logs.max-tails"),
    value("logs.limits.max_pattern_lines", "logs.max-pattern-lines"),
    paths("rules.log_files", "logs.rule-files"),
    switch("rules.shipped", "rules.shipped"),
    value("rules.resend_delay", "rules.alert.resend-delay"),
    value("rules.outage_tolerance", "rules.alert.for-outage-tolerance"),
    value("rules.grace_period", "rules.alert.for-grace-period"),
    value("forward.journal_size", "forward.journal-size"),
    switch_off("observe.host", "no-host"),
    switch_off("observe.self", "no-self"),
    switch_off("observe.self_logs", "no-self-logs"),
    path("observe.pods_log_dir", "pods-log-dir"),
    path("dashboards.directory", "dashboards"),
    switch("kubernetes.enabled", "kubernetes"),
    value("kubernetes.api_server", "kubernetes.api-server"),
    value("kubernetes.namespaces", "kubernetes.namespaces"),
    value("kubernetes.monitor_selector", "kubernetes.monitor-selector"),
    value("kubernetes.dashboard_selector", "kubernetes.dashboard-selector"),
    value("kubernetes.datasource_selector", "kubernetes.datasource-selector"),
    value("query.lookback_delta", "query.lookback-delta"),
    value("query.timeout", "query.timeout"),
    value("query.max_samples", "query.max-samples"),
    value("query.max_concurrency", "query.max-concurrency"),
    value("query.max_queue", "query.max-queue"),
    value("query.features", "enable-feature"),
    value("web.max_body_size", "web.max-body-size"),
    value("web.max_decompressed_size", "web.max-decompressed-size"),
    value("web.max_inflight_bytes", "web.max-inflight-bytes"),
    value("web.max_form_size", "web.max-form-size"),
    value("web.max_concurrent_writes", "web.max-concurrent-writes"),
    value("web.stall_timeout", "web.stall-timeout"),
    value("web.external_url", "web.external-url"),
    value("web.max_connections", "web.max-connections"),
    value("web.header_timeout", "web.header-timeout"),
    value("web.cors_origin", "web.cors.origin"),
    switch("web.enable_admin_api", "web.enable-admin-api"),
    switch("web.enable_lifecycle", "web.enable-lifecycle"),
    value("auth.admin_user", "auth.admin-user"),
    value("auth.admin_password", "auth.admin-password"),
    path("auth.admin_password_file", "auth.admin-password-file"),
    path("auth.file", "auth.file"),
    value("auth.session_lifetime", "auth.session-lifetime"),
    value("auth.max_failures", "auth.max-failures"),
    path("tls.cert_file", "tls.cert-file"),
    path("tls.key_file", "tls.key-file"),
    path("tls.client_ca_file", "tls.client-ca-file"),
    value("log.level", "log.level"),
    value("log.format", "log.format"),
];

/// Flags that say where the file is or what else is read, and so cannot stand in it.
#[cfg(test)]
pub(super) const NOT_IN_THE_FILE: &[&str] = &[
    "config",
    "check-config",
    "prometheus-config",
    "promtail-config",
    "promtail-config.expand-env",
    "promtail-clients",
    // In the sections there is more to say about these.
    "remote-write",
    "loki",
    "external-label",
];

/// Sections whose other keys are read by their owner's own types, and what they are.
pub(super) const TYPED: &[(&str, &str)] = &[
    (
        "metrics",
        "a prometheus.yml: `global`, `scrape_configs`, `scrape_config_files`, `rule_files` and `alerting`, see [rules.md](rules.md), and `remote_write`, see [remote-write.md](remote-write.md); with upstream's keys",
    ),
    (
        "logs",
        "a promtail.yaml: `scrape_configs` with `pipeline_stages`, `clients`, `positions`; see [promtail.md](promtail.md)",
    ),
    (
        "auth",
        "`users` and `tokens` with their hashes, as in the file of `auth.file`; see [secure-it.md](../how-to/secure-it.md)",
    ),
];

/// Whether `path` is a setting.
pub(super) fn is_setting(path: &str) -> bool {
    SETTINGS.iter().any(|setting| setting.key == path)
}

/// Whether settings lie below `path`.
pub(super) fn is_branch(path: &str) -> bool {
    SETTINGS.iter().any(|setting| {
        setting.key.strip_prefix(path).is_some_and(|rest| rest.starts_with('.') || path.is_empty())
    })
}

/// Whether the keys of `path` that are no settings are its owner's.
pub(super) fn is_typed(path: &str) -> bool {
    TYPED.iter().any(|(key, _)| *key == path)
}

/// The keys that may stand in `path`, for an error text.
pub(super) fn keys_of(path: &str) -> Vec<&'static str> {
    let all = SETTINGS.iter().map(|setting| setting.key).chain(TYPED.iter().map(|(key, _)| *key));
    let mut keys: Vec<_> = all
        .filter_map(|key| {
            let rest =
                if path.is_empty() { key } else { key.strip_prefix(path)?.strip_prefix('.')? };
            rest.split('.').next()
        })
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}
