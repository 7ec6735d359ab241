//! The stack: stores, scraping, collecting and the API of one process, as an order of events.
//!
//! The stores, listeners, the API, then requests; beside the first of these the newest samples come
//! back into memory, and only then any is written. At the end the same backwards: no new requests,
//! those in flight finish, queries among them within [`QUERIES_GRACE`], the stores write what is in memory and close. Every command that is a
//! server starts one of these (`commands/serve.rs`, `commands/demo.rs`, …) and adds what only it
//! has: jobs to scrape ([`Stack::scrape`]) and lines that come from no file ([`Stack::pipes`]).
//!
//! The parts: the stores in `store.rs` and `logs.rs`, their upkeep in `upkeep.rs`, what faces the
//! network in `front.rs`, where it listens in `listen.rs`, what becomes of a connection in `connections.rs` and `certificates.rs`, who may come
//! in in `access.rs`, the API in `api.rs`, what it says of itself in `view.rs`, `config_text.rs` and
//! `metrics.rs`, what it scrapes in `scraping.rs`, where it forwards that in `remotes.rs`, the log
//! files that it collects in `collecting.rs`, its own log in `own_log.rs`, the rules and alerts in `alerting.rs` and
//! `rule_metrics.rs`, the dashboards it shows in `dashboards.rs`, what a cluster says
//! in `kubernetes.rs`. Without stores: `collector.rs`, and for one command `elsewhere.rs`.

mod access;
pub(crate) mod alerting;
mod api;
mod certificates;
pub(crate) mod collecting;
pub(crate) mod collector;
mod config_text;
mod connections;
mod dashboards;
mod deletes;
pub(crate) mod elsewhere;
mod engines;
mod front;
mod kubernetes;
mod listen;
mod logs;
mod metrics;
pub(crate) mod own_log;
pub(crate) mod remotes;
mod rule_metrics;
pub(crate) mod scraping;
mod store;
mod upkeep;
mod view;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use masthead_http_api::{Discovering, LiveTail, LokiApi};
use masthead_instrument::{Telemetry, logs as own_logs};
use masthead_logdb::Logdb;
use masthead_model::Labels;
use masthead_scrape::ScrapeConfig;
use masthead_sysio::{Clock, RealClock};
use masthead_tail::LineSource;
use masthead_tsdb::Tsdb;

use self::{
    alerting::Alerting,
    collecting::Collecting,
    engines::Engines,
    front::{Front, Serving},
    kubernetes::Kubernetes,
    own_log::OwnLog,
    remotes::Remotes,
    scraping::Scraping,
    upkeep::Upkeep,
    view::Server,
};
use crate::{
    cli::{ServeArgs, UsageError},
    tasks::{Task, Tasks},
    terminal,
};

/// How long queries and rules may go on after a signal; then each ends with an error.
const QUERIES_GRACE: Duration = Duration::from_secs(1);

/// A running stack. It is ended by [`Stack::stop`]; dropped, it ends as a crash would end it.
pub(crate) struct Stack {
    addresses: Vec<SocketAddr>,
    tasks: Tasks,
    server: Arc<Server>,
    scraping: Arc<Scraping>,
    remotes: Arc<Remotes>,
    alerting: Arc<Alerting>,
    collecting: Arc<Collecting>,
    own_log: own_log::Carrier,
    loki: LokiApi,
    serving: Serving,
    /// Each ends the queries of one part once it is true.
    ending: [Arc<AtomicBool>; 2],
    /// What follows the cluster; it ends first, so that no job begins while the others end.
    following: Vec<Task>,
    upkeep: Upkeep,
    metrics: Arc<Tsdb>,
    logs: Arc<Logdb>,
}

impl Stack {
    /// Starts everything that `args` ask for. The process logs already, and of that `own_log` is kept.
    ///
    /// # Errors
    /// What kept it from starting; a [`UsageError`] for flags and files that are wrong.
    pub(crate) async fn start(args: &ServeArgs, own_log: OwnLog) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
        let front = Front::open(args, &clock).await?;
        let (addresses, own) = (front.addresses.clone(), front.own);
        let (store, found) = store::open(args, Arc::clone(&clock)).await?;
        let lines = logs::open(args, Arc::clone(&clock)).await?;
        let mut upkeep = Upkeep::default();
        logs::keep_up(&lines, args, &mut upkeep)?;
        // Whatever brings lines hands them to this one, so that they can be followed.
        let live = Arc::new(LiveTail::new(Arc::clone(&lines) as _));
        let tasks = Tasks::new();
        let collected =
            Discovering::new(Arc::clone(&live) as _, Arc::clone(&clock), logs::limits(args));
        let collected = Arc::new(collected);
        let collecting = Collecting::start(args, Some(collected), Arc::clone(&clock), &tasks)?;
        let collecting = Arc::new(collecting);
        let own_log_stats = own_log.stats();
        let own_log = own_log.carry(collecting.own_log(), &tasks);

        let telemetry = Telemetry::builder("masthead", env!("CARGO_PKG_VERSION")).build();
        let remotes = Remotes::new(Some(store.clone()), args, Arc::clone(&clock), &tasks);
        let remotes = Arc::new(remotes);
        let sources = (&telemetry, Arc::clone(&remotes));
        let scraping = Arc::new(Scraping::new(args, own, sources, Arc::clone(&clock))?);
        let engines = Engines::new(args)?;
        let stands_on = alerting::StandsOn {
            metrics: Arc::clone(&store),
            sink: remotes.sink(),
            logs: Arc::clone(&lines),
            clock: Arc::clone(&clock),
        };
        let alerting = Arc::new(Alerting::new(args, own, &engines, stands_on)?);
        let server = Server::new(
            args,
            Arc::clone(&clock),
            view::Reloaded {
                scraping: Arc::clone(&scraping),
                collecting: Arc::clone(&collecting),
                alerting: Some(Arc::clone(&alerting)),
                access: Arc::clone(&front.access),
                certificates: front.certificates.clone(),
            },
            telemetry.clone(),
            Some((Arc::clone(&store), Arc::clone(&lines))),
        );
        let server = Arc::new(server);
        let cluster = Arc::new(Kubernetes::default());
        let stores = api::Stores {
            metrics: Arc::clone(&store),
            sink: remotes.sink(),
            logs: Arc::clone(&lines),
            live,
            cluster: Arc::clone(&cluster),
        };
        let (targets, auth) = (scraping.view(), front.access.auth());
        let api = api::Api::new(args, stores, &engines, &alerting, &server, targets, auth, clock)?;
        let moved = metrics::Moved {
            scrape: scraping.stats(),
            collect: Arc::clone(&collecting),
            remotes: Arc::clone(&remotes),
            own_log: own_log_stats,
        };
        metrics::register(&telemetry, &store, &lines, (&api, front.door.stats()), moved);
        rule_metrics::register(&telemetry, &alerting);
        let router = api.router(&telemetry);

        let ending = [api.prometheus.ending(), alerting.ending()];
        front.keep_up(api.prometheus.buffers(), &mut upkeep)?;
        let serving = front.serve(&router, &tasks);
        store::load(&store, found).await?;
        store::keep_up(&store, args, &mut upkeep)?;
        scraping.begin().await?;
        alerting.begin(scraping.loaded().global.external_labels, &tasks).await?;
        let following = cluster.follow(&args.kubernetes, (&scraping, &alerting), &tasks)?;
        server.started();
        tracing::info!(listen = %own, data = %args.data, version = env!("CARGO_PKG_VERSION"), "Ready.");
        Ok(Self {
            addresses,
            tasks,
            server,
            scraping,
            remotes,
            alerting,
            collecting,
            own_log,
            loki: api.loki,
            serving,
            ending,
            following,
            upkeep,
            metrics: store,
            logs: lines,
        })
    }

    /// Where it answers; the first is `--listen`.
    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Scrapes these jobs too, from now on and over every reload.
    ///
    /// # Errors
    /// A job that cannot be put to work.
    pub(crate) async fn scrape(&self, jobs: Vec<Arc<ScrapeConfig>>) -> anyhow::Result<()> {
        self.scraping.add(jobs);
        self.scraping.begin().await
    }

    /// Ways in for lines that come from no file: see [`Collecting::pipes`].
    ///
    /// # Errors
    /// The machine has no thread left.
    pub(crate) fn pipes(&self, of: Vec<(&str, Labels)>) -> anyhow::Result<Vec<LineSource>> {
        self.collecting.pipes(of)
    }

    /// Reads the configuration again. What failed is logged, and the old one goes on.
    pub(crate) async fn reload(&self) {
        self.server.reload().await;
    }

    /// Waits until a client asks for the end, or a task has failed, which is the error.
    pub(crate) async fn ended(&self) -> anyhow::Result<&'static str> {
        self.server.ended(&self.tasks).await
    }

    /// Ends in order; what was acknowledged is on the disk.
    ///
    /// # Errors
    /// What could not be written at the end; the journals have it.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.server.stopping();
        // What follows waits for requests and rules, and no query is to hold it up.
        let ending = self.ending;
        let _ending = self.tasks.spawn("end of queries", async move {
            tokio::time::sleep(QUERIES_GRACE).await;
            for ending in ending {
                ending.store(true, Ordering::Relaxed);
            }
        });
        drop(self.following);
        self.scraping.stop().await;
        self.alerting.stop().await;
        self.own_log.end().await;
        let collecting = self.collecting;
        tokio::task::spawn_blocking(move || collecting.stop()).await?;
        self.loki.stop();
        self.remotes.stop().await;
        self.serving.end().await;
        let (upkeep, metrics, logs) = (self.upkeep, self.metrics, self.logs);
        tokio::task::spawn_blocking(move || {
            upkeep.stop();
            metrics
                .close()
                .context("cannot write the newest samples at the end; the journal has them")?;
            logs.sync().context("cannot sync the journal of logs at the end")
        })
        .await?
    }
}

/// Begins to log what is degraded or lost, on stderr: for commands whose stdout is another's.
///
/// # Errors
/// A level or a format that there is not.
pub(crate) fn start_quiet_logs(args: &ServeArgs) -> anyhow::Result<OwnLog> {
    let format = args.log_format.as_deref().unwrap_or("pretty");
    let config = own_logs::Config::parse(Some("warn,http=error"), Some(format));
    let config = config.map_err(|error| UsageError(format!("--log.format: {error}")))?;
    OwnLog::begin(&config, std::io::stderr(), copied(args)?.as_ref())
}

/// Begins to log, in the form that `args` ask for.
///
/// # Errors
/// A level or a format that there is not.
pub(crate) fn start_logs(args: &ServeArgs) -> anyhow::Result<OwnLog> {
    let format = match &args.log_format {
        Some(format) => format.as_str(),
        None if terminal::size().is_some() => "pretty",
        None => "json",
    };
    let config = log_config(args, format)?;
    OwnLog::begin(&config, std::io::stdout(), copied(args)?.as_ref())
}

/// What of the log goes to the store, or in a collector to the clients.
fn copied(args: &ServeArgs) -> Result<Option<own_logs::Config>, UsageError> {
    own_log::is_wanted(args).then(|| log_config(args, "json")).transpose()
}

fn log_config(args: &ServeArgs, format: &str) -> Result<own_logs::Config, UsageError> {
    let config = own_logs::Config::parse(Some(&args.log_level), Some(format));
    config.map_err(|error| UsageError(format!("--log.level, --log.format: {error}")))
}
