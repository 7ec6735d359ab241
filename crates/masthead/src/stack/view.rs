//! What the running server knows about itself: readiness, configuration, runtime.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use camino::Utf8PathBuf;
use masthead_instrument::Telemetry;
use masthead_logdb::Logdb;
use masthead_model::{ByteSize, Labels, Millis, PromDuration};
use masthead_ports::{Readiness, ReloadError, RuntimeInfo, ServerView};
use masthead_sysio::Clock;
use masthead_tsdb::Tsdb;
use tokio::sync::Notify;

use super::{
    access::Access, alerting::Alerting, certificates::Certificates, collecting::Collecting,
    scraping::Scraping,
};
use crate::{
    cli::ServeArgs,
    config::{self, Given},
    tasks::Tasks,
};

/// The running server.
#[derive(Debug)]
pub(super) struct Server {
    started_up: AtomicBool,
    stopping: AtomicBool,
    lifecycle: bool,
    started: Millis,
    retention: String,
    clock: Arc<dyn Clock>,
    reloaded: Reloaded,
    config: Option<Utf8PathBuf>,
    /// What the file said of flags when they were read.
    settings: Vec<Given>,
    telemetry: Telemetry,
    /// A collector has none.
    stores: Option<(Arc<Tsdb>, Arc<Logdb>)>,
    last_reload: Mutex<Reload>,
    /// Held by the reload that is under way, so that parts of two readings are never in force
    /// together.
    reloading: Mutex<()>,
    /// Told when a client asks the process to end.
    quit: Notify,
}

/// What reads its configuration again.
#[derive(Debug)]
pub(super) struct Reloaded {
    pub scraping: Arc<Scraping>,
    pub collecting: Arc<Collecting>,
    /// A collector has no store to evaluate rules over.
    pub alerting: Option<Arc<Alerting>>,
    pub access: Arc<Access>,
    pub certificates: Option<Arc<Certificates>>,
}

/// How the last attempt to load the configuration went, and when one last went well.
#[derive(Debug, Clone, Copy)]
struct Reload {
    ok: bool,
    loaded: Millis,
}

impl Server {
    pub(super) fn new(
        args: &ServeArgs,
        clock: Arc<dyn Clock>,
        reloaded: Reloaded,
        telemetry: Telemetry,
        stores: Option<(Arc<Tsdb>, Arc<Logdb>)>,
    ) -> Self {
        let settings = args.config.as_deref().and_then(|file| config::settings(file).ok());
        let now = Millis(clock.now().0.div_euclid(1_000_000));
        Self {
            started_up: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            lifecycle: args.enable_lifecycle,
            started: now,
            retention: retention(args),
            clock,
            reloaded,
            config: args.config.clone(),
            settings: settings.unwrap_or_default(),
            telemetry,
            stores,
            last_reload: Mutex::new(Reload { ok: true, loaded: now }),
            reloading: Mutex::default(),
            quit: Notify::new(),
        }
    }

    /// Waits until a client asks the process to end, or one of `tasks` has failed, which is the
    /// error.
    pub(super) async fn ended(&self, tasks: &Tasks) -> anyhow::Result<&'static str> {
        tokio::select! {
            () = self.quit.notified() => Ok("/-/quit"),
            error = tasks.failed() => Err(error),
        }
    }

    /// Reads the configuration again. What failed is logged, and the old one goes on.
    pub(super) async fn reload(self: &Arc<Self>) {
        let server = Arc::clone(self);
        // A panic in there is a bug that its own message has told.
        drop(tokio::task::spawn_blocking(move || server.load().is_ok()).await);
    }

    /// Reads the configuration again. Blocks.
    ///
    /// # Errors
    /// What is wrong with it; the old one is in force then.
    pub(super) fn load(&self) -> Result<(), ReloadError> {
        let _alone = self.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        let done = self.read_again();
        let mut last = self.last_reload.lock().unwrap_or_else(PoisonError::into_inner);
        last.ok = done.is_ok();
        match done {
            Ok(()) => {
                last.loaded = Millis(self.clock.now().0.div_euclid(1_000_000));
                tracing::info!("Loaded the configuration.");
                Ok(())
            }
            Err(error) => {
                let error = format!("{error:#}");
                tracing::error!(error, "The configuration was not loaded; the old one goes on.");
                Err(ReloadError::Failed(error))
            }
        }
    }

    /// Everything is read and checked before anything is changed. What can still fail then is the
    /// machine: a journal that cannot be opened, a file that went away meanwhile.
    fn read_again(&self) -> anyhow::Result<()> {
        let now = self.config.as_deref().map(config::settings).transpose()?.unwrap_or_default();
        let scraping = self.reloaded.scraping.read()?;
        let collecting = self.reloaded.collecting.read()?;
        let alerting = self.reloaded.alerting.as_ref();
        let rules = alerting.map(|alerting| alerting.read()).transpose()?;
        let access = self.reloaded.access.read()?;
        let certificates = self.reloaded.certificates.as_ref();
        let certificate = certificates.map(|files| files.read()).transpose()?;
        self.reloaded.scraping.put(scraping)?;
        self.reloaded.collecting.apply(collecting)?;
        if let Some((alerting, rules)) = alerting.zip(rules) {
            alerting.apply(rules, self.external_labels())?;
        }
        self.reloaded.access.auth().put(access);
        if let Some((files, certificate)) = certificates.zip(certificate) {
            files.put(certificate);
        }
        for key in config::changed(&self.settings, &now) {
            tracing::warn!(key, "A setting was changed that is in force after a restart only.");
        }
        Ok(())
    }

    /// From now on it is ready, and what of the program only the start needed is let go.
    pub(super) fn started(&self) {
        self.started_up.store(true, Ordering::Relaxed);
        masthead_sysio::release_program();
    }

    /// From now on it is not ready any more.
    pub(super) fn stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }
}

impl ServerView for Server {
    fn readiness(&self) -> Readiness {
        if self.stopping.load(Ordering::Relaxed) {
            return Readiness::Stopping;
        }
        if !self.started_up.load(Ordering::Relaxed) {
            return Readiness::Starting;
        }
        let Some((metrics, logs)) = &self.stores else { return Readiness::Ready };
        let mut reasons = Vec::new();
        for (what, names) in [("metrics", metrics.set_aside()), ("logs", logs.set_aside())] {
            if let Some(names) = names {
                reasons.push(format!("of {what}, {names} was set aside for damage"));
            }
        }
        if logs.stats().out_of_space {
            reasons.push("lines are refused: the file system is nearly full".to_owned());
        }
        if reasons.is_empty() { Readiness::Ready } else { Readiness::Degraded(reasons) }
    }

    fn config_text(&self) -> String {
        self.reloaded.scraping.loaded().text
    }

    fn external_labels(&self) -> Labels {
        self.reloaded.scraping.loaded().global.external_labels
    }

    fn runtime(&self) -> RuntimeInfo {
        let last = *self.last_reload.lock().unwrap_or_else(PoisonError::into_inner);
        RuntimeInfo {
            started: self.started,
            directory: std::env::current_dir()
                .map(|directory| directory.display().to_string())
                .unwrap_or_default(),
            hostname: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            reload_ok: last.ok,
            config_loaded: Some(last.loaded),
            corruptions: self.stores.as_ref().map_or(0, |(metrics, logs)| {
                metrics.stats().upkeep.journal_damages + logs.stats().upkeep.journal_damages
            }),
            threads: threads(),
            cores: std::thread::available_parallelism().map_or(1, |n| n.get() as u64),
            retention: self.retention.clone(),
        }
    }

    fn reload(&self) -> Result<(), ReloadError> {
        if self.lifecycle { self.load() } else { Err(ReloadError::Disabled) }
    }

    fn pool_config_text(&self, pool: &str) -> Option<String> {
        self.reloaded.scraping.pool_text(pool)
    }

    fn self_metrics(&self) -> String {
        self.telemetry.metrics_text()
    }

    fn quit(&self) -> Result<(), ReloadError> {
        if !self.lifecycle {
            return Err(ReloadError::Disabled);
        }
        tracing::info!("A client asks for the end.");
        // Kept until the server waits for it, so none is lost.
        self.quit.notify_one();
        Ok(())
    }
}

/// `15d or 10GiB`, as upstream writes it.
fn retention(args: &ServeArgs) -> String {
    let millis = i64::try_from(args.retention_time.as_millis()).ok();
    let time = millis
        .filter(|millis| *millis > 0)
        .and_then(PromDuration::from_millis)
        .map(|duration| duration.to_string());
    let size = args.retention_size.map(|bytes| ByteSize(bytes).to_string());
    time.into_iter().chain(size).collect::<Vec<_>>().join(" or ")
}

/// Threads of this process, where the system tells.
#[expect(clippy::disallowed_methods, reason = "one look at /proc, not the store's files")]
fn threads() -> u64 {
    std::fs::read_dir("/proc/self/task").map_or(0, |tasks| tasks.count() as u64)
}
