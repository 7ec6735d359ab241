//! The HTTP side: the APIs of Prometheus and Loki over the stores, with telemetry around them.

use std::{collections::BTreeMap, sync::Arc};

use axum::Router;
use clap::{CommandFactory as _, ValueEnum as _};
use masthead_http_api::{
    Asset, Auth, BuildInfo, Limits, LiveTail, LokiApi, LokiParts, Parts, PrometheusApi,
    dashboards_router, discovery_router, hardened, pages_router, queries_router,
};
use masthead_instrument::Telemetry;
use masthead_logdb::Logdb;
use masthead_model::Regexp;
use masthead_ports::{QueryLimits, SampleSink, TargetsView};
use masthead_sysio::{Clock, RealFs};
use masthead_tsdb::Tsdb;

use super::{
    alerting::{Alerting, LineRules},
    config_text,
    dashboards::Dashboards,
    deletes::DeletesFile,
    engines::Engines,
    kubernetes::Kubernetes,
    logs::bytes,
    view::Server,
};
use crate::cli::{Cli, Listen, ServeArgs, UsageError};

/// The APIs, ready to be served.
#[derive(Debug)]
pub(super) struct Api {
    pub prometheus: PrometheusApi,
    pub loki: LokiApi,
    pub auth: Auth,
    limits: Limits,
    tls: bool,
    dashboards: Arc<Dashboards>,
    discovery: Router,
}

/// What the APIs stand on.
#[derive(Debug)]
pub(super) struct Stores {
    pub metrics: Arc<Tsdb>,
    /// In front of the store of metrics.
    pub sink: Arc<dyn SampleSink>,
    pub logs: Arc<Logdb>,
    /// In front of the store of logs.
    pub live: Arc<LiveTail>,
    /// What the cluster says.
    pub cluster: Arc<Kubernetes>,
}

impl Api {
    /// Puts the API together.
    ///
    /// # Errors
    /// The record of deletions cannot be read.
    #[expect(clippy::too_many_arguments, reason = "each is a part of the stack")]
    pub(super) fn new(
        args: &ServeArgs,
        stores: Stores,
        engines: &Engines,
        alerting: &Arc<Alerting>,
        server: &Arc<Server>,
        targets: Arc<dyn TargetsView>,
        auth: &Auth,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let discovery = discovery_router(stores.cluster.clone(), Arc::clone(&targets));
        let Engines { promql, logql, features, lookback_ms } = engines.clone();
        let limits = Limits {
            query: QueryLimits { timeout: args.query_timeout, samples: args.query_max_samples },
            queries: args.query_max_concurrency,
            queue: args.query_max_queue,
            body: bytes(args.max_body_size),
            decompressed: bytes(args.max_decompressed_size),
            inflight: bytes(args.max_inflight_bytes),
            form: bytes(args.max_form_size),
            writes: args.max_concurrent_writes,
            stall: args.stall_timeout,
            ..Limits::default()
        };
        let build =
            BuildInfo { version: env!("CARGO_PKG_VERSION").to_owned(), ..BuildInfo::default() };
        let prometheus = PrometheusApi::new(Parts {
            source: stores.metrics.clone(),
            sink: stores.sink,
            admin: stores.metrics.clone(),
            targets,
            rules: Arc::new(alerting.rules().clone()),
            server: server.clone(),
            clock: Arc::clone(&clock),
            evaluator: Arc::new(promql),
            features,
            lookback_ms,
            limits,
            build: build.clone(),
            flags: flags(args),
            more_features: BTreeMap::new(),
            admin_enabled: args.enable_admin_api,
            cors_origin: Regexp::new(&args.cors_origin)
                .map_err(|error| UsageError(format!("--web.cors.origin: {error}")))?,
            otlp: masthead_wire::otlp::Config::default(),
        });
        let deletes = DeletesFile::open(Arc::new(RealFs), &args.data.join("logs"))?;
        let parts = LokiParts {
            source: stores.logs.clone(),
            sink: stores.live,
            admin: stores.logs,
            deletes: Arc::new(deletes),
            rules: Arc::new(LineRules(Arc::clone(alerting))),
            server: server.clone(),
            engine: logql,
            limits: super::logs::limits(args),
            build,
            admin_enabled: args.enable_admin_api,
            log_level: args.log_level.clone(),
        };
        let loki = LokiApi::new(parts, &prometheus);
        let kept = args.data.join("dashboards");
        let dashboards = Dashboards::new(Arc::new(RealFs), clock, args.dashboards.clone(), kept);
        let dashboards = Arc::new(dashboards.of_cluster(stores.cluster));
        Ok(Self {
            prometheus,
            loki,
            auth: auth.clone(),
            limits,
            tls: args.tls.cert.is_some(),
            dashboards,
            discovery,
        })
    }

    /// All routes, and `/metrics` beside them.
    pub(super) fn router(&self, telemetry: &Telemetry) -> Router {
        let apis = self.prometheus.router().merge(self.loki.router());
        let all = apis
            .merge(telemetry.metrics_router())
            .merge(dashboards_router(self.dashboards.clone(), &self.limits))
            .merge(queries_router(&self.prometheus))
            .merge(self.discovery.clone())
            .merge(self.auth.router())
            .merge(pages_router(Arc::new(asset)));
        hardened(self.auth.protect(all), self.tls).layer(telemetry.layer())
    }
}

/// A file of the browser application, in the words of the API.
fn asset(path: &str) -> Option<Asset> {
    let masthead_web_assets::File { bytes, gzip, media_type, immutable } =
        masthead_web_assets::find(path)?;
    Some(Asset { bytes, gzip, media_type, immutable })
}

/// Every flag of `serve` with the value that is in force, for `/api/v1/status/flags`.
pub(super) fn flags(args: &ServeArgs) -> Vec<(String, String)> {
    let seconds = |duration: std::time::Duration| format!("{}s", duration.as_secs_f64());
    let features: Vec<String> = args
        .enable_feature
        .iter()
        .filter_map(|feature| Some(feature.to_possible_value()?.get_name().to_owned()))
        .collect();
    let path =
        |path: Option<&camino::Utf8PathBuf>| path.map(ToString::to_string).unwrap_or_default();
    let value = |flag: &str| match flag {
        "data" => args.data.to_string(),
        "listen" => args.listen.to_string(),
        "prometheus-listen" => shown(args.prometheus_listen),
        "loki-listen" => shown(args.logs.loki_listen),
        "config" => args.config.as_ref().map(ToString::to_string).unwrap_or_default(),
        "check-config" => args.check_config.to_string(),
        "promtail-config" => {
            args.promtail_config.as_ref().map(ToString::to_string).unwrap_or_default()
        }
        "promtail-config.expand-env" => args.promtail_expand_env.to_string(),
        "promtail-clients" => args.promtail_clients.to_string(),
        "pods-log-dir" => args.pods_log_dir.as_ref().map(ToString::to_string).unwrap_or_default(),
        "prometheus-config" => {
            args.prometheus_config.as_ref().map(ToString::to_string).unwrap_or_default()
        }
        "dashboards" => args.dashboards.as_ref().map(ToString::to_string).unwrap_or_default(),
        "remote-write" => config_text::masked_urls(&args.forward.remote_write),
        "loki" => config_text::masked_urls(&args.forward.loki),
        "external-label" => {
            let pair = |(name, value): &(String, String)| format!("{name}={value}");
            args.forward.external_labels.iter().map(pair).collect::<Vec<_>>().join(",")
        }
        "forward.journal-size" => args.forward.journal_bytes().to_string(),
        "kubernetes" => args.kubernetes.enabled.to_string(),
        "kubernetes.api-server" => args.kubernetes.api_server.clone().unwrap_or_default(),
        "kubernetes.namespaces" => args.kubernetes.namespaces.join(","),
        "kubernetes.monitor-selector" => args.kubernetes.monitor_selector.clone(),
        "kubernetes.dashboard-selector" => args.kubernetes.dashboard_selector.clone(),
        "kubernetes.datasource-selector" => args.kubernetes.datasource_selector.clone(),
        "no-self" => args.no_self.to_string(),
        "no-self-logs" => args.no_self_logs.to_string(),
        "no-host" => args.no_host.to_string(),
        "auth.admin-user" => args.auth.admin_user.clone(),
        "auth.admin-password" if args.auth.admin_password.is_some() => "<secret>".to_owned(),
        "auth.admin-password" => String::new(),
        "auth.admin-password-file" => {
            args.auth.admin_password_file.as_ref().map(ToString::to_string).unwrap_or_default()
        }
        "auth.file" => args.auth.file.as_ref().map(ToString::to_string).unwrap_or_default(),
        "auth.session-lifetime" => seconds(args.auth.session_lifetime),
        "auth.max-failures" => args.auth.max_failures.to_string(),
        "tls.cert-file" => path(args.tls.cert.as_ref()),
        "tls.key-file" => path(args.tls.key.as_ref()),
        "tls.client-ca-file" => path(args.tls.client_ca.as_ref()),
        "web.max-connections" => args.max_connections.to_string(),
        "web.header-timeout" => seconds(args.header_timeout),
        "insecure" => args.insecure.to_string(),
        "storage.retention.time" => seconds(args.retention_time),
        "storage.retention.size" => args.retention_size.unwrap_or(0).to_string(),
        "storage.out-of-order-window" => seconds(args.out_of_order_window),
        "storage.sync-interval" => seconds(args.sync_interval),
        "storage.max-series" => args.max_series.to_string(),
        "logs.retention.time" => seconds(args.logs.retention_time),
        "logs.retention.size" => args.logs.retention_size.unwrap_or(0).to_string(),
        "logs.out-of-order-window" => seconds(args.logs.out_of_order_window),
        "logs.max-age" => seconds(args.logs.max_age),
        "logs.max-ahead" => seconds(args.logs.max_ahead),
        "logs.max-streams" => args.logs.max_streams.to_string(),
        "logs.max-line-size" => args.logs.max_line_size.to_string(),
        "logs.max-label-names" => args.logs.max_label_names.to_string(),
        "logs.max-label-name-size" => args.logs.max_label_name_size.to_string(),
        "logs.max-label-value-size" => args.logs.max_label_value_size.to_string(),
        "logs.max-metadata-size" => args.logs.max_metadata_size.to_string(),
        "logs.max-metadata-pairs" => args.logs.max_metadata_pairs.to_string(),
        "logs.discover-service-name" => super::logs::limits(args).discover_service_name.join(","),
        "logs.discover-levels" => args.logs.discover_levels.to_string(),
        "logs.max-entries" => args.logs.max_entries.to_string(),
        "logs.max-query-series" => args.logs.max_query_series.to_string(),
        "logs.max-query-length" => seconds(args.logs.max_query_length),
        "logs.query.max-label-bytes" => args.logs.query_max_label_bytes.to_string(),
        "logs.max-tails" => args.logs.max_tails.to_string(),
        "logs.max-pattern-lines" => args.logs.max_pattern_lines.to_string(),
        "logs.rule-files" => {
            let files: Vec<_> =
                args.rules.log_rule_files.iter().map(|file| file.as_str()).collect();
            files.join(",")
        }
        "rules.shipped" => args.rules.shipped_rules.to_string(),
        "rules.alert.resend-delay" => seconds(args.rules.resend_delay),
        "rules.alert.for-outage-tolerance" => seconds(args.rules.outage_tolerance),
        "rules.alert.for-grace-period" => seconds(args.rules.grace_period),
        "web.external-url" => {
            args.rules.external_url.as_ref().map(ToString::to_string).unwrap_or_default()
        }
        "query.lookback-delta" => seconds(args.lookback_delta),
        "query.timeout" => seconds(args.query_timeout),
        "query.max-samples" => args.query_max_samples.to_string(),
        "query.max-concurrency" => args.query_max_concurrency.to_string(),
        "query.max-queue" => args.query_max_queue.to_string(),
        "web.max-body-size" => args.max_body_size.to_string(),
        "web.max-decompressed-size" => args.max_decompressed_size.to_string(),
        "web.max-inflight-bytes" => args.max_inflight_bytes.to_string(),
        "web.max-form-size" => args.max_form_size.to_string(),
        "web.max-concurrent-writes" => args.max_concurrent_writes.to_string(),
        "web.stall-timeout" => seconds(args.stall_timeout),
        "web.cors.origin" => args.cors_origin.clone(),
        "web.enable-admin-api" => args.enable_admin_api.to_string(),
        "web.enable-lifecycle" => args.enable_lifecycle.to_string(),
        "enable-feature" => features.join(","),
        "log.level" => args.log_level.clone(),
        "log.format" => args.log_format.clone().unwrap_or_default(),
        _ => "?".to_owned(),
    };
    let command = Cli::command();
    let flags = command.find_subcommand("serve").into_iter().flat_map(clap::Command::get_arguments);
    flags
        .filter_map(clap::Arg::get_long)
        .filter(|flag| *flag != "help")
        .map(|flag| (flag.to_owned(), value(flag)))
        .collect()
}

fn shown(listen: Option<Listen>) -> String {
    match listen {
        None => String::new(),
        Some(Listen::Off) => "off".to_owned(),
        Some(Listen::At(address)) => address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::Command;

    #[test]
    fn every_flag_is_shown_with_its_value() {
        let cli = Cli::parse_from([
            "masthead",
            "serve",
            "--storage.retention.size=1KB",
            "--enable-feature=promql-duration-expr,type-and-unit-labels",
            "--prometheus-listen=off",
        ]);
        let Command::Serve(args) = cli.command else { panic!("not serve") };
        let flags: BTreeMap<_, _> = flags(&args).into_iter().collect();
        assert!(flags.values().all(|value| value != "?"), "{flags:?}");
        assert_eq!(flags["storage.retention.size"], "1024");
        assert_eq!(flags["storage.retention.time"], "1296000s");
        assert_eq!(flags["enable-feature"], "promql-duration-expr,type-and-unit-labels");
        assert_eq!(flags["prometheus-listen"], "off");
    }
}
