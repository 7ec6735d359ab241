//! What the server scrapes: the jobs of `--prometheus-config` or of `metrics` in masthead.yaml, this
//! machine, and itself; and where the same file says that samples go.
//!
//! A reload reads the file again; a file that is wrong changes nothing.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, bail};
use masthead_forward::remote_write::RemoteWriteConfig;
use masthead_host::{Host, RealSpace};
use masthead_instrument::Telemetry;
use masthead_ports::TargetsView;
use masthead_scrape::{
    Exposition, GlobalConfig, LocalJob, LocalSource, Parts, PromConfig, ScrapeConfig, Scraper,
    Settings, Stats,
};
use masthead_sysio::{Clock, RealFs};
use tokio::runtime::Handle;

use super::{config_text, remotes::Remotes};
use crate::{
    cli::{ServeArgs, UsageError},
    config,
};

/// The jobs that are there without a file.
const HOST_JOB: &str = "node";
const SELF_JOB: &str = "masthead";
/// Jobs of our own, whose names no other job can have.
pub(crate) const OWN_JOBS: [&str; 2] = [HOST_JOB, SELF_JOB];
/// How often these are scraped when no file says otherwise.
const INTERVAL_DEFAULT: Duration = Duration::from_secs(15);
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

/// The scraper and where its configuration comes from.
#[derive(Debug)]
pub(crate) struct Scraping {
    scraper: Scraper,
    args: ServeArgs,
    host: Option<Arc<dyn LocalSource>>,
    hostname: String,
    /// Where this server itself answers, if that is to be scraped.
    own: Option<(SocketAddr, Arc<dyn LocalSource>)>,
    runtime: Handle,
    remotes: Arc<Remotes>,
    /// Jobs that come from no file.
    more: Mutex<Vec<Arc<ScrapeConfig>>>,
    /// Jobs of the cluster's monitors, as they were found last.
    found: Mutex<Vec<Arc<ScrapeConfig>>>,
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
        (telemetry, remotes): (&Telemetry, Arc<Remotes>),
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
        let read = read(args).map_err(|error| UsageError(format!("{error:#}")))?;
        let parts = Parts { sink: remotes.sink(), clock, fs: Arc::new(RealFs) };
        let scraping = Self {
            scraper: Scraper::new(parts, Settings::default()),
            args: args.clone(),
            host,
            hostname,
            own: (!args.no_self)
                .then(|| (reachable(own), Arc::new(SelfSource(telemetry.clone())) as _)),
            runtime: Handle::current(),
            remotes,
            more: Mutex::default(),
            found: Mutex::default(),
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

    /// Scrapes these jobs of monitors in place of those found before.
    ///
    /// # Errors
    /// A file that is wrong meanwhile, or a job that cannot be put to work.
    pub(crate) async fn replace_found(&self, jobs: Vec<Arc<ScrapeConfig>>) -> anyhow::Result<()> {
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = jobs;
        self.begin().await
    }

    /// Begins to scrape.
    ///
    /// # Errors
    /// A configuration that cannot be put in force.
    pub(crate) async fn begin(&self) -> anyhow::Result<()> {
        let read = read(&self.args).map_err(|error| UsageError(format!("{error:#}")))?;
        let begun = self.apply(read).await;
        begun.map_err(|error| UsageError(format!("{error:#}")))?;
        Ok(())
    }

    /// Reads and checks the configuration as it is now.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn read(&self) -> anyhow::Result<Read> {
        read(&self.args)
    }

    /// Scrapes what was read. Blocks; not to be called on an async thread.
    ///
    /// # Errors
    /// A journal that cannot be opened, a file of a job that cannot be read.
    pub(crate) fn put(&self, read: Read) -> anyhow::Result<()> {
        self.runtime.block_on(self.apply(read))
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
        let Read { config, remotes, text, jobs: mut texts, is_written } = read;
        for warning in &config.warnings {
            tracing::warn!(warning, "A part of the configuration is not in force.");
        }
        let (interval, timeout) = if is_written {
            (config.global.scrape_interval, config.global.scrape_timeout)
        } else {
            (INTERVAL_DEFAULT, TIMEOUT_DEFAULT)
        };
        let mut jobs = config.scrape_configs;
        // A job of the same name in the file is preferred to ours.
        let free =
            |jobs: &[Arc<ScrapeConfig>], name: &str| jobs.iter().all(|job| job.job_name != name);
        let mut local: Vec<LocalJob> = self
            .host
            .iter()
            .filter(|_| free(&jobs, HOST_JOB))
            .map(|source| LocalJob {
                config: Arc::new(ScrapeConfig::local(HOST_JOB, &self.hostname, interval, timeout)),
                source: Arc::clone(source),
            })
            .collect();
        for more in [&self.more, &self.found] {
            for job in more.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                if free(&jobs, &job.job_name) {
                    jobs.push(Arc::clone(job));
                }
            }
        }
        if let Some((own, source)) = &self.own
            && free(&jobs, SELF_JOB)
        {
            let own = own.to_string();
            local.push(LocalJob {
                config: Arc::new(ScrapeConfig::local(SELF_JOB, &own, interval, timeout)),
                source: Arc::clone(source),
            });
        }
        self.remotes.apply(remotes, config.global.external_labels.clone()).await?;
        if !self.remotes.takes_any() {
            tracing::info!("Nothing is scraped: there is no `remote_write` and no --remote-write.");
            (jobs, local) = (Vec::new(), Vec::new());
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
#[derive(Debug)]
pub(crate) struct Read {
    config: PromConfig,
    remotes: Vec<RemoteWriteConfig>,
    text: String,
    jobs: BTreeMap<String, String>,
    /// Whether there is a file that says what to scrape.
    is_written: bool,
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

/// The configuration that `args` name and its masked text; the empty one without a file.
fn read(args: &ServeArgs) -> anyhow::Result<Read> {
    let Some(source) = config::metrics(args)? else {
        let text = match &args.config {
            Some(file) => config_text::masked(&config::text_of(file)?),
            None => "global: {}\n".to_owned(),
        };
        let (mut config, mut remotes) = (PromConfig::parse("")?, Vec::new());
        add_flags(args, &mut config, &mut remotes)?;
        return Ok(Read { config, remotes, text, jobs: BTreeMap::new(), is_written: false });
    };
    let (mut config, more) = source.prometheus()?;
    let mut remotes = source.remote_write()?;
    add_flags(args, &mut config, &mut remotes)?;
    let mut jobs = config_text::masked_jobs(&source.text);
    for text in more {
        jobs.extend(config_text::masked_jobs(&text));
    }
    let text = config_text::masked(&source.text);
    Ok(Read { config, remotes, jobs, text, is_written: true })
}

/// What the command line says of forwarding.
fn add_flags(
    args: &ServeArgs,
    config: &mut PromConfig,
    remotes: &mut Vec<RemoteWriteConfig>,
) -> anyhow::Result<()> {
    let global = &mut config.global;
    global.external_labels = args.forward.label(&global.external_labels);
    for url in &args.forward.remote_write {
        let flag =
            || format!("--remote-write {}", config_text::masked_urls(std::slice::from_ref(url)));
        let more = RemoteWriteConfig::new(url).map_err(anyhow::Error::msg).with_context(flag)?;
        if remotes.iter().any(|other| other.name == more.name) {
            bail!("{}: samples are sent there already", flag());
        }
        remotes.push(more);
    }
    Ok(())
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

/// This server, scraped without showing itself a password or believing its own certificate.
#[derive(Debug)]
struct SelfSource(Telemetry);

impl LocalSource for SelfSource {
    fn expose(&self, out: &mut Vec<u8>) -> Exposition {
        out.extend_from_slice(self.0.openmetrics().as_bytes());
        Exposition::OpenMetrics
    }
}

#[cfg(test)]
mod tests {
    use camino::{Utf8Path, Utf8PathBuf};

    use super::*;

    fn with_file(file: &Utf8Path) -> anyhow::Result<Read> {
        let words = ["masthead", "serve", "--prometheus-config", file.as_str()];
        read(&config::resolve(&words.map(Into::into)).unwrap())
    }

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
        let found = with_file(&dir.join("p.yml")).unwrap();
        let names: Vec<_> =
            found.config.scrape_configs.iter().map(|job| job.job_name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(
            found.jobs.get("a").map(String::as_str),
            Some("bearer_token: <secret>\njob_name: a\n")
        );
        write("job-c.yml", "scrape_configs: [{job_name: a}]\n");
        let wrong = format!("{:#}", with_file(&dir.join("p.yml")).err().unwrap());
        assert!(wrong.contains("job-c.yml") && wrong.contains("job name \"a\""), "{wrong}");
    }

    #[test]
    fn a_wrong_file_is_named_with_the_place() {
        let directory = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(directory.path().join("p.yml")).unwrap();
        let missing = with_file(&path).err().unwrap();
        assert!(format!("{missing:#}").contains("p.yml"), "{missing:#}");
        masthead_sysio::atomic_write(&RealFs, &path, b"scrape_configs:\n- job_nam: x\n").unwrap();
        let wrong = format!("{:#}", with_file(&path).err().unwrap());
        assert!(wrong.contains("line 2") && wrong.contains("job_nam"), "{wrong}");
    }
}
