//! `masthead serve`: the server, as an order of events.
//!
//! Logs, the store, listeners, the API, then requests until a signal; then the same backwards: no
//! new requests, those in flight finish, the store syncs and closes. The parts: the store and its
//! upkeep in `store.rs`, where it listens in `listen.rs`, the API in `api.rs`, what it says of
//! itself in `view.rs`, `config_text.rs` and `metrics.rs`, what it scrapes in `scraping.rs`.

mod api;
mod config_text;
mod listen;
mod metrics;
mod scraping;
mod store;
mod view;

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use masthead_instrument::{Telemetry, logs};
use masthead_sysio::{Clock, RealClock};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

use self::{scraping::Scraping, view::Server};
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
    let store = store::open(&args, Arc::clone(&clock)).await?;
    let upkeep = store::Upkeep::start(&store, &args)?;

    let telemetry = Telemetry::builder("masthead", env!("CARGO_PKG_VERSION")).build();
    let own = listeners.first().context("BUG: no listener")?.local_addr()?;
    let scraping = Arc::new(Scraping::start(&args, own, &store, Arc::clone(&clock)).await?);
    let server =
        Arc::new(Server::new(&args, Arc::clone(&clock), Arc::clone(&scraping), telemetry.clone()));
    let api = api::Api::new(&args, &store, &server, scraping.view(), clock)?;
    metrics::register(&telemetry, &store, &api.prometheus, scraping.stats());
    let router = api.router(&telemetry);

    let tasks = Tasks::new();
    let (stop, stopping) = watch::channel(false);
    let serving: Vec<_> = listeners
        .into_iter()
        .map(|listener| {
            tasks.spawn("listener", listen::serve(listener, router.clone(), stopping.clone()))
        })
        .collect();
    tracing::info!(listen = %args.listen, data = %args.data, version = env!("CARGO_PKG_VERSION"), "Ready.");

    let _reloads = tasks.spawn("reload", reload_on_hangup(Arc::clone(&server)));
    let ended = tokio::select! {
        name = signals.heard() => Ok(name),
        () = server.quit_asked() => Ok("/-/quit"),
        error = tasks.failed() => Err(error),
    };
    server.stopping();
    scraping.stop().await;
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
    tokio::task::spawn_blocking(move || store.sync())
        .await?
        .context("cannot sync the journal at the end")?;
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
    let config = logs::Config::parse(Some(&args.log_level), Some(format)).map_err(usage)?;
    logs::init(&config).map_err(usage)?;
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
