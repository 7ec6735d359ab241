//! What the server scrapes: the jobs of `--prometheus-config`, this machine, and itself.
//!
//! A reload reads the file again; a file that is wrong changes nothing.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use masthead_host::{Host, RealSpace};
use masthead_ports::TargetsView;
use masthead_scrape::{
    Exposition, GlobalConfig, LocalJob, LocalSource, Parts, PromConfig, ScrapeConfig, Scraper,
    Settings, Stats,
};
use masthead_sysio::{Clock, RealFs, read_to_vec};
use masthead_tsdb::Tsdb;
use tokio::runtime::Handle;

use super::config_text;
use crate::cli::{ServeArgs, UsageError};

/// The jobs that are there without a file.
const HOST_JOB: &str = "node";
const SELF_JOB: &str = "masthead";
/// How often these are scraped when no file says otherwise.
const INTERVAL_DEFAULT: Duration = Duration::from_secs(15);
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);
/// A larger configuration file is refused.
const CONFIG_BYTES_MAX: u64 = 16 << 20;

/// The scraper and where its configuration comes from.
#[derive(Debug)]
pub(super) struct Scraping {
    scraper: Scraper,
    file: Option<Utf8PathBuf>,
    host: Option<Arc<dyn LocalSource>>,
    hostname: String,
    /// Where this server itself answers, if that is to be scraped.
    own: Option<SocketAddr>,
    runtime: Handle,
    loaded: Mutex<Loaded>,
}

/// The configuration in force.
#[derive(Debug, Clone)]
pub(super) struct Loaded {
    pub global: GlobalConfig,
    /// As YAML, secrets masked.
    pub text: String,
}

impl Scraping {
    /// Reads the configuration; [`Scraping::begin`] follows when the store takes samples.
    ///
    /// # Errors
    /// A file that cannot be read or is wrong, with its place.
    pub(super) async fn start(
        args: &ServeArgs,
        own: SocketAddr,
        store: &Arc<Tsdb>,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let host = if args.no_host {
            None
        } else {
            let (fs, space) = (Arc::new(RealFs), Arc::new(RealSpace));
            let options = masthead_host::Options::default();
            let host = Host::new(fs, space, Arc::clone(&clock), &options)?;
            Some(Arc::new(HostSource(host)) as Arc<dyn LocalSource>)
        };
        let hostname = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let file = args.prometheus_config.clone();
        let (config, text) =
            read(file.as_deref()).map_err(|error| UsageError(format!("{error:#}")))?;
        let parts = Parts { sink: store.clone(), clock, fs: Arc::new(RealFs) };
        let scraping = Self {
            scraper: Scraper::new(parts, Settings::default()),
            file,
            host,
            hostname,
            own: (!args.no_self).then(|| reachable(own)),
            runtime: Handle::current(),
            loaded: Mutex::new(Loaded { global: config.global.clone(), text: text.clone() }),
        };
        Ok(scraping)
    }

    /// Begins to scrape.
    ///
    /// # Errors
    /// A configuration that cannot be put in force.
    pub(super) async fn begin(&self) -> anyhow::Result<()> {
        let (config, text) =
            read(self.file.as_deref()).map_err(|error| UsageError(format!("{error:#}")))?;
        let begun = self.apply(config, text).await;
        begun.map_err(|error| UsageError(format!("--prometheus-config: {error:#}")))?;
        Ok(())
    }

    /// Reads the file again and scrapes what it says. Blocks; not to be called on an async thread.
    ///
    /// # Errors
    /// What is wrong with the file; then everything goes on as before.
    pub(super) fn reload(&self) -> anyhow::Result<()> {
        let (config, text) = read(self.file.as_deref())?;
        self.runtime.block_on(self.apply(config, text))
    }

    /// The configuration in force.
    pub(super) fn loaded(&self) -> Loaded {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn view(&self) -> Arc<dyn TargetsView> {
        self.scraper.view()
    }

    pub(super) fn stats(&self) -> Arc<Stats> {
        self.scraper.stats()
    }

    /// Ends all scraping.
    pub(super) async fn stop(&self) {
        self.scraper.shutdown().await;
    }

    async fn apply(&self, config: PromConfig, text: String) -> anyhow::Result<()> {
        for warning in &config.warnings {
            tracing::warn!(warning, "A part of the configuration is not in force.");
        }
        let (interval, timeout) = if self.file.is_some() {
            (config.global.scrape_interval, config.global.scrape_timeout)
        } else {
            (INTERVAL_DEFAULT, TIMEOUT_DEFAULT)
        };
        let mut jobs = config.scrape_configs;
        // A job of the same name in the file is preferred to ours.
        let free =
            |jobs: &[Arc<ScrapeConfig>], name: &str| jobs.iter().all(|job| job.job_name != name);
        let local: Vec<LocalJob> = self
            .host
            .iter()
            .filter(|_| free(&jobs, HOST_JOB))
            .map(|source| LocalJob {
                config: Arc::new(ScrapeConfig::local(HOST_JOB, &self.hostname, interval, timeout)),
                source: Arc::clone(source),
            })
            .collect();
        if let Some(own) = self.own
            && free(&jobs, SELF_JOB)
        {
            let own = own.to_string();
            jobs.push(Arc::new(ScrapeConfig::local(SELF_JOB, &own, interval, timeout)));
        }
        self.scraper.apply(&jobs, &local).await?;
        let loaded = Loaded { global: config.global, text };
        *self.loaded.lock().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(())
    }
}

/// The configuration of `file` and its masked text; the empty one without a file.
fn read(file: Option<&Utf8Path>) -> anyhow::Result<(PromConfig, String)> {
    let Some(file) = file else {
        return Ok((PromConfig::parse("")?, "global: {}\n".to_owned()));
    };
    let what = || format!("--prometheus-config {file}");
    let bytes = read_to_vec(&RealFs, file, CONFIG_BYTES_MAX).with_context(what)?;
    let text = String::from_utf8(bytes).with_context(what)?;
    let mut config = PromConfig::parse_with(&text, &environment).with_context(what)?;
    if let Some(directory) = file.parent() {
        config.set_directory(directory);
    }
    Ok((config, config_text::masked(&text)))
}

/// `external_labels` may name variables, as upstream's.
#[expect(clippy::disallowed_methods, reason = "the binary reads the environment for the file")]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// An address that listens everywhere is asked on loopback.
fn reachable(own: SocketAddr) -> SocketAddr {
    let mut own = own;
    if own.ip().is_unspecified() {
        own.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    own
}

/// This machine, scraped without a detour over HTTP.
#[derive(Debug)]
struct HostSource(Host);

impl LocalSource for HostSource {
    fn expose(&self, out: &mut Vec<u8>) -> Exposition {
        self.0.collect().write_text(out);
        Exposition::Text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_listens_everywhere_is_asked_on_loopback() {
        let f =
            |own: &str, want: &str| assert_eq!(reachable(own.parse().unwrap()).to_string(), want);
        f("0.0.0.0:3000", "127.0.0.1:3000");
        f("[::]:3000", "127.0.0.1:3000");
        f("127.0.0.1:3000", "127.0.0.1:3000");
    }

    #[test]
    fn a_wrong_file_is_named_with_the_place() {
        let directory = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(directory.path().join("p.yml")).unwrap();
        let missing = read(Some(&path)).unwrap_err();
        assert!(format!("{missing:#}").contains("p.yml"), "{missing:#}");
        masthead_sysio::atomic_write(&RealFs, &path, b"scrape_configs:\n- job_nam: x\n").unwrap();
        let wrong = format!("{:#}", read(Some(&path)).unwrap_err());
        assert!(wrong.contains("line 2") && wrong.contains("job_nam"), "{wrong}");
    }
}
