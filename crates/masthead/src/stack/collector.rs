//! A stack without stores: scraping and collecting, forwarders, and a small listener.
//!
//! Nothing is kept but the journals of what is not sent yet, so that memory does not grow with the
//! time for which the other ends are away. What could be read of a store is not answered.

use std::{collections::BTreeMap, sync::Arc};

use masthead_http_api::{BuildInfo, Limits, Parts, PrometheusApi};
use masthead_instrument::Telemetry;
use masthead_model::Regexp;
use masthead_ports::{NoRules, NoStore};
use masthead_promql::{Engine, EngineOptions, Features};
use masthead_sysio::{Clock, RealClock};

use super::{
    api,
    collecting::Collecting,
    front::{Front, Serving},
    metrics::Moved,
    own_log::{self, OwnLog},
    remotes::Remotes,
    scraping::Scraping,
    upkeep::Upkeep,
    view::{self, Server},
};
use crate::{
    cli::{ServeArgs, UsageError},
    tasks::Tasks,
};

/// A running collector. It is ended by [`Collector::stop`]; dropped, it ends as a crash would end it.
pub(crate) struct Collector {
    tasks: Tasks,
    server: Arc<Server>,
    scraping: Arc<Scraping>,
    collecting: Arc<Collecting>,
    own_log: own_log::Carrier,
    remotes: Arc<Remotes>,
    upkeep: Upkeep,
    serving: Serving,
}

impl Collector {
    /// Starts what `args` ask for. The process logs already, and `own_log` goes to the clients.
    ///
    /// # Errors
    /// What kept it from starting; a [`UsageError`] for flags and files that are wrong, and where
    /// there is nowhere to send anything.
    pub(crate) async fn start(args: &ServeArgs, own_log: OwnLog) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
        let front = Front::open(args, &clock).await?;
        let own = front.own;
        let tasks = Tasks::new();
        let collecting = Arc::new(Collecting::start(args, None, Arc::clone(&clock), &tasks)?);
        let remotes = Arc::new(Remotes::new(None, args, Arc::clone(&clock), &tasks));
        let telemetry = Telemetry::builder("masthead", env!("CARGO_PKG_VERSION")).build();
        let sources = (&telemetry, Arc::clone(&remotes));
        let scraping = Arc::new(Scraping::new(args, own, sources, Arc::clone(&clock))?);
        let reloaded = view::Reloaded {
            scraping: Arc::clone(&scraping),
            collecting: Arc::clone(&collecting),
            alerting: None,
            access: Arc::clone(&front.access),
            certificates: front.certificates.clone(),
        };
        let server = Server::new(args, Arc::clone(&clock), reloaded, telemetry.clone(), None);
        let server = Arc::new(server);
        let moved = Moved {
            scrape: scraping.stats(),
            collect: Arc::clone(&collecting),
            remotes: Arc::clone(&remotes),
            own_log: own_log.stats(),
        };
        telemetry.register(|registry| registry.register_collector(Box::new(moved)));
        let api = api(args, &server, &scraping, &remotes, clock)?;
        let all =
            api.router().merge(front.access.auth().router()).merge(telemetry.metrics_router());
        let router = front.access.auth().protect(all).layer(telemetry.layer());
        let mut upkeep = Upkeep::default();
        front.keep_up(api.buffers(), &mut upkeep)?;
        let serving = front.serve(&router, &tasks);
        scraping.begin().await?;
        if remotes.counts().is_empty() && collecting.counts().clients.is_empty() {
            let what = "nothing to send to: give --remote-write URL or --loki URL, `remote_write` \
                        in --prometheus-config or `clients` in --promtail-config";
            return Err(UsageError(what.into()).into());
        }
        let own_log = own_log.carry(collecting.own_log(), &tasks);
        server.started();
        tracing::info!(listen = %own, data = %args.data, version = env!("CARGO_PKG_VERSION"), "Ready.");
        Ok(Self { tasks, server, scraping, collecting, own_log, remotes, upkeep, serving })
    }

    /// Reads the configuration again. What failed is logged, and the old one goes on.
    pub(crate) async fn reload(&self) {
        self.server.reload().await;
    }

    /// Waits until a client asks for the end, or a task has failed, which is the error.
    pub(crate) async fn ended(&self) -> anyhow::Result<&'static str> {
        self.server.ended(&self.tasks).await
    }

    /// Ends in order; what is not sent yet is in the journals.
    ///
    /// # Errors
    /// A part that did not end.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.server.stopping();
        self.scraping.stop().await;
        self.own_log.end().await;
        let collecting = self.collecting;
        tokio::task::spawn_blocking(move || collecting.stop()).await?;
        self.remotes.stop().await;
        self.serving.end().await;
        let upkeep = self.upkeep;
        tokio::task::spawn_blocking(move || upkeep.stop()).await?;
        Ok(())
    }
}

/// The Prometheus API without a store behind it: targets, the state of the server, and the ways in.
fn api(
    args: &ServeArgs,
    server: &Arc<Server>,
    scraping: &Scraping,
    remotes: &Remotes,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<PrometheusApi> {
    Ok(PrometheusApi::new(Parts {
        source: Arc::new(NoStore),
        sink: remotes.sink(),
        admin: Arc::new(NoStore),
        targets: scraping.view(),
        rules: Arc::new(NoRules),
        server: Arc::clone(server) as _,
        clock,
        evaluator: Arc::new(Engine::new(EngineOptions::default())),
        features: Features::default(),
        lookback_ms: 0,
        limits: Limits::default(),
        build: BuildInfo { version: env!("CARGO_PKG_VERSION").to_owned(), ..BuildInfo::default() },
        flags: api::flags(args),
        more_features: BTreeMap::new(),
        admin_enabled: false,
        cors_origin: Regexp::new(&args.cors_origin)
            .map_err(|error| UsageError(format!("--web.cors.origin: {error}")))?,
        otlp: masthead_wire::otlp::Config::default(),
    }))
}
