//! The items API's process: settings, logs, database, listeners, serve, drain.
//!
//! Exit codes: 0 after an orderly end, 1 when it could not start or cut requests off, 2 when the
//! configuration or the command line is wrong. What each step does is in the library.

#![forbid(unsafe_code)]

use anyhow::Context as _;
use items_api::{
    Error,
    app::App,
    database::Database,
    items::Store,
    metrics::Metrics,
    serve::serve,
    settings::{Settings, VARIABLES, Variable},
};
use masthead_instrument::Telemetry;
use std::{
    io::Write as _,
    net::SocketAddr,
    pin::{Pin, pin},
    process::ExitCode,
    time::Duration,
};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    time::{Instant, sleep, timeout, timeout_at},
};

/// How often `items_stored` is counted afresh.
const RECOUNT: Duration = Duration::from_secs(30);
/// Longest wait for the metrics listener and the pool to close at the end.
const CLOSE: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    match args.next().as_ref().map(|arg| arg.to_str().unwrap_or_default()) {
        None => {}
        Some("-h" | "--help") => return tell(&help()),
        Some("-V" | "--version") => return tell(&version()),
        Some(_) => {
            return refuse(
                "items-api takes no argument but --help and --version; settings are environment variables",
            );
        }
    }
    #[expect(clippy::disallowed_methods, reason = "this is the binary's own configuration")]
    let settings = Settings::read(|name| std::env::var_os(name));
    let settings = match settings {
        Ok(settings) => settings,
        Err(error) => return refuse(&error.to_string()),
    };
    match run(&settings) {
        Ok(code) => code,
        Err(error) => {
            tracing::error!(error = AsRef::<dyn std::error::Error>::as_ref(&error), "Cannot run.");
            ExitCode::FAILURE
        }
    }
}

fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    masthead_instrument::logs::init(&settings.logs)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let code = runtime.block_on(start(settings));
    // A blocking call that hangs must not keep the process.
    runtime.shutdown_timeout(CLOSE);
    code
}

async fn start(settings: &Settings) -> anyhow::Result<ExitCode> {
    // First of all, so that a signal during the start is not lost.
    let mut signals = Signals::listen().context("cannot listen for signals")?;
    let telemetry = Telemetry::builder("items-api", env!("CARGO_PKG_VERSION")).build();
    let metrics = telemetry.register(Metrics::register);

    let open = async {
        let database = Database::open(&settings.database, metrics.clone()).await?;
        let store = Store::open(database.clone(), metrics).await?;
        Ok::<_, Error>((database, store))
    };
    let (database, store) = tokio::select! {
        opened = open => opened?,
        name = signals.next() => {
            tracing::info!(signal = name, "Stopped before the database answered.");
            return Ok(ExitCode::SUCCESS);
        }
    };
    tracing::info!(database = %settings.database.url, "Database is open.");

    let app = App::new(store.clone(), settings.limits, settings.database.timeout);
    let public = listen("LISTEN_ADDR", settings.listen_addr).await?;
    let scraped = listen("METRICS_ADDR", settings.metrics_addr).await?;
    tracing::info!(listen_addr = %public.local_addr()?, metrics_addr = %scraped.local_addr()?, version = env!("CARGO_PKG_VERSION"), "Listening.");

    let connections = settings.limits.connections;
    let (stop, stopping) = watch::channel(false);
    let (stop_scraped, scraped_stopping) = watch::channel(false);
    let router = app.router(&telemetry, settings.demo_faults);
    let mut public = pin!(serve(public, router, connections, stopping));
    let background = async {
        tokio::join!(
            serve(scraped, telemetry.metrics_router(), connections, scraped_stopping),
            recount(&store, stop_scraped.subscribe()),
        )
    };
    let mut background = pin!(background);

    let name = tokio::select! {
        name = signals.next() => name,
        () = &mut public => anyhow::bail!("BUG: the public listener ended by itself"),
        _ = &mut background => anyhow::bail!("BUG: the metrics listener ended by itself"),
    };
    let deadline = Instant::now() + settings.shutdown_grace;
    tracing::info!(signal = name, grace_ms = ms(settings.shutdown_grace), "Draining.");
    app.drain();
    let drained = tokio::select! {
        drained = drain(public, settings.shutdown_delay, deadline, &stop) => drained,
        // Scrapes are answered to the end, so that the last requests are counted.
        _ = &mut background => false,
        _ = signals.next() => false,
    };
    stop_scraped.send_replace(true);
    if timeout(CLOSE, async { tokio::join!(background, database.close()) }).await.is_err() {
        tracing::warn!("Metrics listener or database did not close in time.");
    }
    if drained {
        tracing::info!("Stopped.");
        return Ok(ExitCode::SUCCESS);
    }
    tracing::error!("Stopped with requests in flight; they were cut off.");
    Ok(ExitCode::FAILURE)
}

/// Serves on for `delay`, then closes the listener and waits for the requests in flight. False when
/// some were still there at `deadline`.
async fn drain(
    mut public: Pin<&mut impl Future<Output = ()>>,
    delay: Duration,
    deadline: Instant,
    stop: &watch::Sender<bool>,
) -> bool {
    if timeout(delay, &mut public).await.is_ok() {
        return true;
    }
    stop.send_replace(true);
    timeout_at(deadline, public).await.is_ok()
}

async fn recount(store: &Store, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = sleep(RECOUNT) => {}
        }
        if let Err(error) = store.recount().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "Cannot count the items.");
        }
    }
}

async fn listen(variable: &'static str, addr: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(addr).await.map_err(|source| Error::Listen { variable, addr, source })
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

fn help() -> String {
    let mut text = String::from(
        "The items API: items over HTTP, with metrics and logs.\n\n\
         Usage: items-api [--help | --version]\n\n\
         Settings are environment variables:\n",
    );
    for variable in VARIABLES {
        let Variable { name, default, example, help } = variable;
        text.extend([
            format!("  {name:18} {help}\n"),
            format!("{:21}default {default}; for example {example}\n", ""),
        ]);
    }
    text + "\nExit codes: 0 stopped, 1 could not start or cut requests off, 2 bad configuration.\n"
}

fn version() -> String {
    let names: Vec<&str> = VARIABLES.iter().map(|variable| variable.name).collect();
    format!("items-api {}\nvariables: {}\n", env!("CARGO_PKG_VERSION"), names.join(", "))
}

/// A closed pipe is no failure of ours.
fn tell(text: &str) -> ExitCode {
    drop(std::io::stdout().write_all(text.as_bytes()));
    ExitCode::SUCCESS
}

fn refuse(text: &str) -> ExitCode {
    drop(writeln!(std::io::stderr(), "items-api: {text}\nitems-api --help lists every variable."));
    ExitCode::from(2)
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
