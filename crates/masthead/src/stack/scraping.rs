//! What the server scrapes: the jobs of `--prometheus-config`, this machine, and itself.
//!
//! A reload reads the file again; a file that is wrong changes nothing.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use masthead_discovery::expand;
use masthead_host::{Host, RealSpace};
use masthead_ports::{SampleSink, TargetsView};
use masthead_scrape::{
    Exposition, GlobalConfig, LocalJob, LocalSource, Parts, PromConfig, ScrapeConfig, Scraper,
    Settings, Stats,
};
use masthead_sysio::{Clock, RealFs, read_to_vec};
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
pub(crate) struct Scraping {
    scraper: Scraper,
    file: Option<Utf8PathBuf>,
    host: Option<Arc<dyn LocalSource>>,
    hostname: String,
    /// Where this server itself answers, if that is to be scraped.
    own: Option<SocketAddr>,
    runtime: Handle,
    /// Jobs that come from no file.
    more: Mutex<Vec<Arc<ScrapeConfig>>>,
    loaded: Mutex<Loaded>,
}

/// The configuration in force.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    pub global: GlobalConfig,
    /// As YAML, secrets masked.
    pub text: String,
    /// The same of each job.
    pub jobs: BTreeMap<String, String>,
}

impl Scraping {
    /// Reads the configuration; [`Scraping::begin`] follows when the store takes samples.
    ///
    /// # Errors
    /// A file that cannot be read or is wrong, with its place.
    pub(crate) fn new(
        args: &ServeArgs,
        own: SocketAddr,
        sink: Arc<dyn SampleSink>,
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
        let read = read(file.as_deref()).map_err(|error| UsageError(format!("{error:#}")))?;
        let parts = Parts { sink, clock, fs: Arc::new(RealFs) };
        let scraping = Self {
            scraper: Scraper::new(parts, Settings::default()),
            file,
            host,
            hostname,
            own: (!args.no_self).then(|| reachable(own)),
            runtime: Handle::current(),
            more: Mutex::default(),
            loaded: Mutex::new(Loaded {
                global: read.config.global.clone(),
                text: read.text,
                jobs: read.jobs,
            }),
        };
        Ok(scraping)
    }

    /// From [`Scraping::begin`] or the next reload on, these jobs are scraped too, as long as the
    /// file has none of the same name.
    pub(crate) fn add(&self, jobs: Vec<Arc<ScrapeConfig>>) {
        self.more.lock().unwrap_or_else(PoisonError::into_inner).extend(jobs);
    }

    /// Begins to scrape.
    ///
    /// # Errors
    /// A configuration that cannot be put in force.
    pub(crate) async fn begin(&self) -> anyhow::Result<()> {
        let read = read(self.file.as_deref()).map_err(|error| UsageError(format!("{error:#}")))?;
        let begun = self.apply(read).await;
        begun.map_err(|error| UsageError(format!("--prometheus-config: {error:#}")))?;
        Ok(())
    }

    /// Reads the file again and scrapes what it says. Blocks; not to be called on an async thread.
    ///
    /// # Errors
    /// What is wrong with the file; then everything goes on as before.
    pub(crate) fn reload(&self) -> anyhow::Result<()> {
        self.runtime.block_on(self.apply(read(self.file.as_deref())?))
    }

    /// The configuration of one scrape pool, secrets masked.
    pub(crate) fn pool_text(&self, pool: &str) -> Option<String> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).jobs.get(pool).cloned()
    }

    /// The configuration in force.
    pub(crate) fn loaded(&self) -> Loaded {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn view(&self) -> Arc<dyn TargetsView> {
        self.scraper.view()
    }

    pub(crate) fn stats(&self) -> Arc<Stats> {
        self.scraper.stats()
    }

    /// Ends all scraping.
    pub(crate) async fn stop(&self) {
        self.scraper.shutdown().await;
    }

    async fn apply(&self, read: Read) -> anyhow::Result<()> {
        let Read { config, text, jobs: mut texts } = read;
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
        for job in self.more.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            if free(&jobs, &job.job_name) {
                jobs.push(Arc::clone(job));
            }
        }
        if let Some(own) = self.own
            && free(&jobs, SELF_JOB)
        {
            let own = own.to_string();
            jobs.push(Arc::new(ScrapeConfig::local(SELF_JOB, &own, interval, timeout)));
        }
        self.scraper.apply(&jobs, &local).await?;
        let ours = local.iter().map(|job| &job.config).chain(&jobs);
        for job in ours {
            // Those of the file are there already, as they were written.
            texts.entry(job.job_name.clone()).or_insert_with(|| built_in(job));
        }
        let loaded = Loaded { global: config.global, text, jobs: texts };
        *self.loaded.lock().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(())
    }
}

/// A configuration and how it may be shown.
struct Read {
    config: PromConfig,
    text: String,
    jobs: BTreeMap<String, String>,
}

/// A job that is there without a file, as it would be written.
fn built_in(job: &ScrapeConfig) -> String {
    format!(
        "job_name: {}\nscrape_interval: {}s\nscrape_timeout: {}s\n",
        job.job_name,
        job.scrape_interval.as_secs_f64(),
        job.scrape_timeout.as_secs_f64()
    )
}

/// The configuration of `file` and its masked text; the empty one without a file.
fn read(file: Option<&Utf8Path>) -> anyhow::Result<Read> {
    let Some(file) = file else {
        let text = "global: {}\n".to_owned();
        return Ok(Read { config: PromConfig::parse("")?, text, jobs: BTreeMap::new() });
    };
    let what = || format!("--prometheus-config {file}");
    let text = text_of(file).with_context(what)?;
    let mut config = PromConfig::parse_with(&text, &environment).with_context(what)?;
    let directory = file.parent().unwrap_or(Utf8Path::new(""));
    config.set_directory(directory);
    let mut jobs = config_text::masked_jobs(&text);
    for pattern in config.scrape_config_files.clone() {
        let pattern = directory.join(pattern);
        let what = || format!("--prometheus-config {file}: scrape_config_files {pattern}");
        let mut files = expand(&RealFs, &pattern).with_context(what)?;
        files.sort();
        for more in files {
            let what = || format!("--prometheus-config {file}: {more}");
            let text = text_of(&more).with_context(what)?;
            config.add_jobs(&text, more.parent()).with_context(what)?;
            jobs.extend(config_text::masked_jobs(&text));
        }
    }
    Ok(Read { config, jobs, text: config_text::masked(&text) })
}

fn text_of(file: &Utf8Path) -> anyhow::Result<String> {
    Ok(String::from_utf8(read_to_vec(&RealFs, file, CONFIG_BYTES_MAX)?)?)
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
    fn jobs_of_further_files_are_read_from_where_the_first_is() {
        let directory = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(directory.path()).unwrap();
        let write = |name: &str, text: &str| {
            masthead_sysio::atomic_write(&RealFs, &dir.join(name), text.as_bytes()).unwrap();
        };
        write("p.yml", "scrape_config_files: ['job-*.yml', none.yml]\n");
        write("job-b.yml", "scrape_configs: [{job_name: b}]\n");
        write("job-a.yml", "scrape_configs: [{job_name: a, bearer_token: hunter2}]\n");
        let found = read(Some(&dir.join("p.yml"))).unwrap();
        let names: Vec<_> =
            found.config.scrape_configs.iter().map(|job| job.job_name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(
            found.jobs.get("a").map(String::as_str),
            Some("bearer_token: <secret>\njob_name: a\n")
        );
        write("job-c.yml", "scrape_configs: [{job_name: a}]\n");
        let wrong = format!("{:#}", read(Some(&dir.join("p.yml"))).err().unwrap());
        assert!(wrong.contains("job-c.yml") && wrong.contains("job name \"a\""), "{wrong}");
    }

    #[test]
    fn a_wrong_file_is_named_with_the_place() {
        let directory = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(directory.path().join("p.yml")).unwrap();
        let missing = read(Some(&path)).err().unwrap();
        assert!(format!("{missing:#}").contains("p.yml"), "{missing:#}");
        masthead_sysio::atomic_write(&RealFs, &path, b"scrape_configs:\n- job_nam: x\n").unwrap();
        let wrong = format!("{:#}", read(Some(&path)).err().unwrap());
        assert!(wrong.contains("line 2") && wrong.contains("job_nam"), "{wrong}");
    }
}
