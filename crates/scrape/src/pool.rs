//! A pool: the targets of one job, and a loop for each.
//!
//! It follows discovery. A target that goes is stopped, and the end of its series is marked a good
//! two intervals later, unless it is back by then; whoever comes back, or goes on under a changed
//! configuration, takes along what was remembered, so that no series is lost sight of.
//! Facts: `scrape/scrape.go: Sync, sync, restartLoops, endOfRunStaleness`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use masthead_discovery::{Discovery, TargetGroup};
use masthead_http_client::Client;
use masthead_model::{Labels, Millis, Nanos};
use parking_lot::Mutex;
use tokio::{
    sync::{Semaphore, mpsc, oneshot},
    task::JoinSet,
    time::{Instant, sleep_until},
};
use tracing::{error, warn};

use crate::{
    ScrapeConfig,
    cache::Cache,
    fetch::{Fetch, LocalSource},
    ingest::{Common, Ingest},
    run::{self, Left, Loop},
    target::{Populated, Target, populate},
    view::{Health, PoolView, Shown, View},
};

/// What a pool is made of; a changed one replaces the old.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) config: Arc<ScrapeConfig>,
    pub(crate) client: Client,
    pub(crate) discovery: Discovery,
    /// Takes the place of HTTP.
    pub(crate) local: Option<Arc<dyn LocalSource>>,
}

/// The targets of one job.
#[derive(Debug)]
pub(crate) struct Pool {
    job: Job,
    common: Common,
    permits: Arc<Semaphore>,
    view: Arc<View>,
    running: BTreeMap<u64, Running>,
    /// Targets that went, until their end is marked.
    gone: BTreeMap<u64, Gone>,
    loops: JoinSet<(u64, u64)>,
    forced: Arc<Mutex<Option<String>>>,
    started: u64,
}

#[derive(Debug)]
struct Running {
    /// Tells one loop of a target from the next.
    number: u64,
    shown: Shown,
    stop: oneshot::Sender<()>,
    left: oneshot::Receiver<Option<Left>>,
}

#[derive(Debug)]
struct Gone {
    ingest: Ingest,
    /// The time of the markers.
    at: Millis,
    /// When they are written.
    due: Instant,
}

impl Pool {
    pub(crate) fn new(job: Job, common: Common, permits: Arc<Semaphore>, view: Arc<View>) -> Self {
        Self {
            job,
            common,
            permits,
            view,
            running: BTreeMap::new(),
            gone: BTreeMap::new(),
            loops: JoinSet::new(),
            forced: Arc::new(Mutex::new(None)),
            started: 0,
        }
    }

    /// Works until `jobs` is closed. Closing it is the end of the program, so nothing is marked as
    /// ended then: the series go on after a restart. A job that comes in replaces the current one,
    /// and one without discovery (`None`) ends the pool's targets as if discovery had dropped them.
    pub(crate) async fn work(mut self, mut jobs: mpsc::Receiver<Option<Job>>) {
        let mut last = false;
        loop {
            let due = self.gone.values().map(|gone| gone.due).min();
            if last && due.is_none() {
                return;
            }
            tokio::select! {
                job = jobs.recv() => match job {
                    Some(Some(job)) => {
                        last = false;
                        self.replace(job).await;
                    }
                    Some(None) => {
                        last = true;
                        self.sync(&[]).await;
                        self.view.pools.lock().remove(&self.job.config.job_name);
                    }
                    None => return,
                },
                () = self.job.discovery.changed(), if !last => {
                    let groups = self.job.discovery.groups();
                    self.sync(&groups).await;
                }
                () = at(due) => self.mark_ends().await,
                ended = self.loops.join_next(), if !self.loops.is_empty() => {
                    self.restart_after_panic(ended).await;
                }
            }
        }
    }

    /// Goes on with a changed configuration: all loops are started anew, with what they remember.
    async fn replace(&mut self, job: Job) {
        let cache_fits = self.job.config.differs_only_outside_the_cache(&job.config);
        self.job = job;
        let hashes: Vec<u64> = self.running.keys().copied().collect();
        self.stop(hashes).await;
        if !cache_fits {
            for gone in self.gone.values_mut() {
                gone.ingest.cache.forget_lines();
            }
        }
        // What discovery found before holds until it says otherwise, so that a reload makes no gap.
        tokio::select! {
            () = self.job.discovery.changed() => {}
            () = tokio::time::sleep(Duration::from_secs(5)) => {}
        }
        let groups = self.job.discovery.groups();
        self.sync(&groups).await;
    }

    /// Starts and stops loops so that they are those of `groups`.
    async fn sync(&mut self, groups: &[TargetGroup]) {
        let config = Arc::clone(&self.job.config);
        let mut wanted: BTreeMap<u64, (Box<Target>, Labels)> = BTreeMap::new();
        let mut dropped = Vec::new();
        let mut dropped_count = 0;
        for group in groups {
            for (at, found) in group.target_labels().enumerate() {
                match populate(&found, &config) {
                    Ok(Populated::Target(target)) => {
                        let discovered = target.discovered.clone();
                        wanted.insert(target.hash, (target, discovered));
                    }
                    Ok(Populated::Dropped(labels)) => {
                        dropped_count += 1;
                        let keep = config.keep_dropped_targets;
                        if keep == 0 || (dropped.len() as u64) < keep {
                            dropped.push(labels);
                        }
                    }
                    Err(error) => {
                        self.common.stats.sync_failed.add(1);
                        let (job, group) = (&config.job_name, &group.source);
                        error!(job, group, instance = at, error, "Cannot make a target.");
                    }
                }
            }
        }
        let leaving: Vec<u64> =
            self.running.keys().copied().filter(|hash| !wanted.contains_key(hash)).collect();
        self.stop(leaving).await;
        for (hash, (target, discovered)) in wanted {
            match self.running.get_mut(&hash) {
                Some(running) => running.shown.discovered = discovered,
                None => self.start(*target),
            }
        }
        self.check_target_limit();
        self.show(dropped, dropped_count);
    }

    fn check_target_limit(&self) {
        let (count, limit) = (self.running.len(), self.job.config.target_limit);
        let error = (limit > 0 && count as u64 > limit).then(|| {
            self.common.stats.exceeded_target_limit.add(1);
            format!("target_limit exceeded (number of targets: {count}, limit: {limit})")
        });
        *self.forced.lock() = error;
    }

    fn show(&self, dropped: Vec<Labels>, dropped_count: u64) {
        let mut active: Vec<Shown> =
            self.running.values().map(|running| running.shown.clone()).collect();
        active.sort_by(|a, b| {
            (a.target.url.as_str(), &a.target.labels)
                .cmp(&(b.target.url.as_str(), &b.target.labels))
        });
        let config = Arc::clone(&self.job.config);
        let name = config.job_name.clone();
        let pool = PoolView { config, active, dropped, dropped_count };
        self.view.pools.lock().insert(name, pool);
    }

    fn start(&mut self, target: Target) {
        let hash = target.hash;
        let config = &self.job.config;
        let fetch = match &self.job.local {
            Some(source) => Fetch::Local(Arc::clone(source)),
            None => Fetch::http(&self.job.client, &target, config),
        };
        let cache = self.gone.remove(&hash).map_or_else(Cache::default, |gone| gone.ingest.cache);
        let target = Arc::new(target);
        let (ingest, meanings) = run::ingest(&target, config, &self.common, cache);
        let health = Arc::new(Mutex::new(Health::default()));
        let shown = Shown {
            discovered: target.discovered.clone(),
            target,
            health: Arc::clone(&health),
            meanings,
        };
        let (stop, stopped) = oneshot::channel();
        let (leave, left) = oneshot::channel();
        let turn = Loop {
            ingest,
            fetch,
            common: self.common.clone(),
            permits: Arc::clone(&self.permits),
            health,
            forced: Arc::clone(&self.forced),
        };
        self.started += 1;
        let number = self.started;
        self.loops.spawn(async move {
            let left = turn.run(stopped).await;
            // Nobody waits for it any more when the pool itself is ending.
            drop(leave.send(left));
            (hash, number)
        });
        self.running.insert(hash, Running { number, shown, stop, left });
    }

    /// Stops loops and waits for the scrapes that are under way.
    async fn stop(&mut self, hashes: Vec<u64>) {
        // All are told before any is waited for, so that they finish side by side.
        let mut stopping = Vec::with_capacity(hashes.len());
        for hash in hashes {
            let Some(running) = self.running.remove(&hash) else { continue };
            // A loop that panicked hears nothing and leaves nothing.
            if running.stop.send(()).is_err() {
                continue;
            }
            stopping.push((hash, running.shown, running.left));
        }
        for (hash, shown, left) in stopping {
            let Ok(Some(left)) = left.await else { continue };
            self.keep(hash, &shown, left);
        }
    }

    /// Keeps what a stopped loop leaves until it is wanted again or its end is due.
    fn keep(&mut self, hash: u64, shown: &Shown, left: Left) {
        let interval = shown.target.interval;
        let now = Instant::now();
        let next = match left.next {
            Some(next) => next,
            // Never scraped itself, but it may hold the series of the loop before it.
            None if left.ingest.cache.has_previous() => now,
            None => return,
        };
        let until_next = next.saturating_duration_since(now);
        let wall = self.common.clock.now().saturating_add(until_next);
        let due = next + interval + interval / 10;
        let at = Nanos(wall.0).to_millis_floor();
        self.gone.insert(hash, Gone { ingest: left.ingest, at, due });
    }

    /// Marks the end of targets that did not come back.
    async fn mark_ends(&mut self) {
        let now = Instant::now();
        let due: Vec<u64> =
            self.gone.iter().filter(|(_, gone)| gone.due <= now).map(|(hash, _)| *hash).collect();
        // Under another URL the same series may go on: a marker would cut them off.
        let alive: BTreeSet<&Labels> =
            self.running.values().map(|running| &running.shown.target.labels).collect();
        let mut ending = Vec::new();
        for hash in due {
            let Some(gone) = self.gone.remove(&hash) else { continue };
            if !alive.contains(&gone.ingest.target.labels) {
                ending.push(gone);
            }
        }
        for mut gone in ending {
            let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else { return };
            let done = tokio::task::spawn_blocking(move || {
                gone.ingest.end(gone.at);
                drop(permit);
            });
            if let Err(error) = done.await {
                error!(%error, "Marking the end of a target panicked.");
            }
        }
    }

    /// A loop ends by itself only when it panicked; then its target starts with nothing remembered.
    async fn restart_after_panic(
        &mut self,
        ended: Option<Result<(u64, u64), tokio::task::JoinError>>,
    ) {
        match ended {
            Some(Ok((hash, number))) => {
                if self.running.get(&hash).is_none_or(|running| running.number != number) {
                    return;
                }
                self.running.remove(&hash);
            }
            Some(Err(error)) => {
                error!(%error, "A scrape loop panicked.");
                let dead = |running: &Running| running.stop.is_closed();
                self.running.retain(|_, running| !dead(running));
            }
            None => return,
        }
        warn!(job = self.job.config.job_name, "A target's loop is started anew.");
        let groups = self.job.discovery.groups();
        self.sync(&groups).await;
    }
}

async fn at(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
