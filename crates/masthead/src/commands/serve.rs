//! `masthead serve`: the server, as an order of events.
//!
//! Logs, the stores, listeners, the API, then requests until a signal; beside the first of these the
//! newest samples come back into memory, and only then any is written. At the end the same
//! backwards: no new requests, those in flight finish, the stores write what is in memory and
//! close. The parts: the stores in `store.rs` and `logs.rs`, their upkeep in `upkeep.rs`, where it
//! listens in `listen.rs`, the API in `api.rs`, what it says of itself in `view.rs`,
//! `config_text.rs` and `metrics.rs`, what it scrapes in `scraping.rs`, the log files that it
//! collects in `collecting.rs`, the dashboards it shows in `dashboards.rs`.

mod api;
mod collecting;
mod config_text;
mod dashboards;
mod deletes;
mod listen;
mod logs;
mod metrics;
mod scraping;
mod store;
mod upkeep;
mod view;

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use masthead_http_api::{Discovering, LiveTail};
use masthead_instrument::{Telemetry, logs as own_logs};
use masthead_sysio::{Clock, RealClock};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

use self::{collecting::Collecting, scraping::Scraping, upkeep::Upkeep, view::Server};
use crate::{
    cli::{ServeArgs, UsageError},
    tasks::Tasks,
    terminal,
};

/// How long requests in flight may go on after a signal.
const GRACE: Duration = Duration::from_secs(10);

/// Serves until a signal comes.
///
/// # Errors
/// What kept it from starting, or ended it before a signal.
pub(crate) async fn run(args: ServeArgs) -> anyhow::Result<()> {
    start_logs(&args)?;
    // Heard from now on, so that a signal right after "Ready." ends it in order too.
    let signals = Signals::listen()?;
    let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
    let listeners = listen::bind(&args).await?;
    let (store, found) = store::open(&args, Arc::clone(&clock)).await?;
    let lines = logs::open(&args, Arc::clone(&clock)).await?;
    let mut upkeep = Upkeep::default();
    logs::keep_up(&lines, &args, &mut upkeep)?;
    // Whatever brings lines hands them to this one, so that they can be followed.
    let live = Arc::new(LiveTail::new(Arc::clone(&lines) as _));
    let tasks = Tasks::new();
    let collected = Discovering::new(Arc::clone(&live) as _, logs::limits(&args));
    let collecting = Collecting::start(&args, Arc::new(collected), &clock, &tasks)?;

    let telemetry = Telemetry::builder("masthead", env!("CARGO_PKG_VERSION")).build();
    let own = listeners.first().context("BUG: no listener")?.local_addr()?;
    let scraping = Arc::new(Scraping::new(&args, own, &store, Arc::clone(&clock))?);
    let server = Server::new(
        &args,
        Arc::clone(&clock),
        Arc::clone(&scraping),
        telemetry.clone(),
        Arc::clone(&store),
        Arc::clone(&lines),
    );
    let server = Arc::new(server);
    let stores = api::Stores { metrics: Arc::clone(&store), logs: Arc::clone(&lines), live };
    let api = api::Api::new(&args, stores, &server, scraping.view(), clock)?;
    metrics::register(&telemetry, &store, &lines, &api, scraping.stats(), collecting.counts());
    let router = api.router(&telemetry);

    let (stop, stopping) = watch::channel(false);
    let serving: Vec<_> = listeners
        .into_iter()
        .map(|listener| {
            tasks.spawn("listener", listen::serve(listener, router.clone(), stopping.clone()))
        })
        .collect();
    store::load(&store, found).await?;
    store::keep_up(&store, &args, &mut upkeep)?;
    scraping.begin().await?;
    server.started();
    tracing::info!(listen = %args.listen, data = %args.data, version = env!("CARGO_PKG_VERSION"), "Ready.");

    let _reloads = tasks.spawn("reload", reload_on_hangup(Arc::clone(&server)));
    let ended = tokio::select! {
        name = signals.heard() => Ok(name),
        () = server.quit_asked() => Ok("/-/quit"),
        error = tasks.failed() => Err(error),
    };
    server.stopping();
    scraping.stop().await;
    tokio::task::spawn_blocking(move || collecting.stop()).await?;
    api.loki.stop();
    stop.send_replace(true);
    let drained = async {
        for task in serving {
            task.done().await;
        }
    };
    if tokio::time::timeout(GRACE, drained).await.is_err() {
        tracing::warn!(grace_ms = GRACE.as_millis(), "Requests were cut off.");
    }
    upkeep.stop();
    tokio::task::spawn_blocking(move || {
        store
            .close()
            .context("cannot write the newest samples at the end; the journal has them")?;
        lines.sync().context("cannot sync the journal of logs at the end")
    })
    .await??;
    tracing::info!(signal = ended?, "Stopped.");
    Ok(())
}

fn start_logs(args: &ServeArgs) -> anyhow::Result<()> {
    let format = match &args.log_format {
        Some(format) => format.as_str(),
        None if terminal::size().is_some() => "pretty",
        None => "json",
    };
    let usage = |error: masthead_instrument::Error| {
        UsageError(format!("--log.level, --log.format: {error}"))
    };
    let config = own_logs::Config::parse(Some(&args.log_level), Some(format)).map_err(usage)?;
    own_logs::init(&config).map_err(usage)?;
    Ok(())
}

/// The signals that end the server.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        let (interrupt, terminate) = (SignalKind::interrupt(), SignalKind::terminate());
        Ok(Self { interrupt: signal(interrupt)?, terminate: signal(terminate)? })
    }

    /// Waits for one of them, and names it.
    async fn heard(mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}

/// Reads the configuration again at every SIGHUP.
async fn reload_on_hangup(server: Arc<Server>) {
    let Ok(mut hangup) = signal(SignalKind::hangup()) else {
        tracing::warn!("SIGHUP cannot be heard; POST /-/reload instead.");
        return;
    };
    while hangup.recv().await.is_some() {
        let server = Arc::clone(&server);
        // What failed is logged where it failed.
        drop(tokio::task::spawn_blocking(move || server.load().is_ok()).await);
    }
}
