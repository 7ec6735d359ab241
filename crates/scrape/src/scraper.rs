//! Pools come and go with the configuration.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use masthead_discovery::{Parts as DiscoveryParts, discover};
use masthead_http_client::Client;
use masthead_model::ErrorClass;
use masthead_ports::{SampleSink, TargetsView};
use masthead_sysio::{Clock, Fs};
use tokio::{
    sync::{Mutex, Semaphore, mpsc},
    task::JoinSet,
};

use crate::{
    LocalSource, ScrapeConfig, Settings, Stats,
    ingest::Common,
    pool::{Job, Pool},
    view::View,
};

/// Scrapes everything that it is told to, until it is shut down.
#[derive(Debug)]
pub struct Scraper {
    common: Common,
    fs: Arc<dyn Fs>,
    /// Shared by all jobs, so that what several watch is watched once.
    discovery: DiscoveryParts,
    permits: Arc<Semaphore>,
    view: Arc<View>,
    state: Mutex<State>,
}

/// What a scraper stands on.
#[derive(Debug, Clone)]
pub struct Parts {
    /// Where samples go.
    pub sink: Arc<dyn SampleSink>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where credentials and target files are.
    pub fs: Arc<dyn Fs>,
}

/// Something in this process that is scraped like a target.
#[derive(Debug, Clone)]
pub struct LocalJob {
    /// See [`ScrapeConfig::local`].
    pub config: Arc<ScrapeConfig>,
    /// What is scraped.
    pub source: Arc<dyn LocalSource>,
}

/// Why a configuration could not be put to work. What was at work before still is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScrapeError {
    /// The client options of a job.
    #[error("scrape config {job:?}: {source}")]
    Client {
        /// The job.
        job: String,
        /// What is wrong.
        source: masthead_http_client::Error,
    },
    /// The discovery of a job.
    #[error("scrape config {job:?}: {source}")]
    Discovery {
        /// The job.
        job: String,
        /// What is wrong.
        source: masthead_discovery::Error,
    },
    /// Two jobs of one name.
    #[error("found multiple scrape configs with job name {job:?}")]
    Twice {
        /// The name.
        job: String,
    },
    /// After the shutdown.
    #[error("the scraper is shut down")]
    ShutDown,
}

impl ScrapeError {
    /// Whose fault this is.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Client { source, .. } => source.class(),
            Self::Discovery { source, .. } => source.class(),
            Self::Twice { .. } => ErrorClass::BadInput,
            Self::ShutDown => ErrorClass::Unavailable,
        }
    }
}

#[derive(Debug, Default)]
struct State {
    pools: BTreeMap<String, Handle>,
    /// Pools whose job is gone, while they wait to mark the end of its series.
    ending: BTreeMap<String, mpsc::Sender<Option<Job>>>,
    tasks: JoinSet<()>,
    over: bool,
}

#[derive(Debug)]
struct Handle {
    config: Arc<ScrapeConfig>,
    local: Option<Arc<dyn LocalSource>>,
    jobs: mpsc::Sender<Option<Job>>,
}

impl Scraper {
    /// Prepares; nothing is scraped before [`Scraper::apply`].
    pub fn new(parts: Parts, settings: Settings) -> Self {
        let permits = Arc::new(Semaphore::new(settings.appends_at_once.max(1)));
        let common = Common {
            settings: Arc::new(settings),
            sink: parts.sink,
            clock: parts.clock,
            stats: Arc::new(Stats::default()),
        };
        Self {
            common,
            discovery: DiscoveryParts::new(Arc::clone(&parts.fs)),
            fs: parts.fs,
            permits,
            view: Arc::new(View::default()),
            state: Mutex::new(State::default()),
        }
    }

    /// Scrapes these jobs from now on. A job that is the same as before goes on undisturbed, one
    /// that changed goes on with what it remembers, one that is gone has its series ended. Must be
    /// called within a tokio runtime.
    ///
    /// # Errors
    /// The first job that can't be put to work; then nothing has changed.
    pub async fn apply(
        &self,
        configs: &[Arc<ScrapeConfig>],
        local: &[LocalJob],
    ) -> Result<(), ScrapeError> {
        let mut state = self.state.lock().await;
        if state.over {
            return Err(ScrapeError::ShutDown);
        }
        let wanted = configs
            .iter()
            .map(|config| (config, None))
            .chain(local.iter().map(|job| (&job.config, Some(&job.source))));
        // Everything is made before anything is changed, so that a bad job leaves the good at work.
        let mut names = BTreeSet::new();
        let mut changes = Vec::new();
        for (config, source) in wanted {
            let name = &config.job_name;
            if !names.insert(name.clone()) {
                return Err(ScrapeError::Twice { job: name.clone() });
            }
            let same = |handle: &Handle| {
                *handle.config == **config
                    && match (&handle.local, source) {
                        (None, None) => true,
                        (Some(old), Some(new)) => Arc::ptr_eq(old, new),
                        _ => false,
                    }
            };
            if !state.pools.get(name).is_some_and(same) {
                changes.push(self.job(config, source.cloned())?);
            }
        }
        state.ending.retain(|_, jobs| !jobs.is_closed());
        let leaving: Vec<String> =
            state.pools.keys().filter(|name| !names.contains(*name)).cloned().collect();
        for name in leaving {
            if let Some(handle) = state.pools.remove(&name) {
                drop(handle.jobs.send(None).await);
                state.ending.insert(name, handle.jobs);
            }
        }
        for job in changes {
            let name = job.config.job_name.clone();
            let (config, local) = (Arc::clone(&job.config), job.local.clone());
            let at_work = state.pools.remove(&name).map(|handle| handle.jobs);
            let jobs = match at_work.or_else(|| state.ending.remove(&name)) {
                // A pool that has just ended gives the job back, and a new one takes it.
                Some(jobs) => match jobs.send(Some(job)).await {
                    Ok(()) => jobs,
                    Err(mpsc::error::SendError(Some(job))) => self.start(job, &mut state.tasks),
                    Err(mpsc::error::SendError(None)) => continue,
                },
                None => self.start(job, &mut state.tasks),
            };
            state.pools.insert(name, Handle { config, local, jobs });
        }
        Ok(())
    }

    /// What people see.
    pub fn view(&self) -> Arc<dyn TargetsView> {
        Arc::clone(&self.view) as Arc<dyn TargetsView>
    }

    /// How it fares.
    pub fn stats(&self) -> Arc<Stats> {
        Arc::clone(&self.common.stats)
    }

    /// Ends all scraping and returns once every batch that was begun has reached the sink. No
    /// series is marked as ended: after a restart they go on.
    pub async fn shutdown(&self) {
        let mut state = self.state.lock().await;
        state.over = true;
        state.pools.clear();
        state.ending.clear();
        state.tasks.shutdown().await;
        drop(state);
        let all = u32::try_from(self.common.settings.appends_at_once.max(1)).unwrap_or(u32::MAX);
        // Fails only when the semaphore is closed, which means the same.
        drop(self.permits.acquire_many(all).await);
        self.permits.close();
    }

    fn job(
        &self,
        config: &Arc<ScrapeConfig>,
        local: Option<Arc<dyn LocalSource>>,
    ) -> Result<Job, ScrapeError> {
        let name = || config.job_name.clone();
        let client = Client::new(&config.client, Arc::clone(&self.fs))
            .map_err(|source| ScrapeError::Client { job: name(), source })?;
        let discovery = discover(&config.discovery, &self.discovery)
            .map_err(|source| ScrapeError::Discovery { job: name(), source })?;
        Ok(Job { config: Arc::clone(config), client, discovery, local })
    }

    fn start(&self, job: Job, tasks: &mut JoinSet<()>) -> mpsc::Sender<Option<Job>> {
        let (sender, receiver) = mpsc::channel(1);
        let (common, permits) = (self.common.clone(), Arc::clone(&self.permits));
        let pool = Pool::new(job, common, permits, Arc::clone(&self.view));
        tasks.spawn(pool.work(receiver));
        sender
    }
}
