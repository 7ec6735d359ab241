//! What the server collects: the log files of `--promtail-config` or of `logs` in masthead.yaml, and
//! of `--pods-log-dir` the logs of this node's containers.
//!
//! Lines go to the local store. Each entry of `clients` gets a collector of its own too, over a
//! journal of its own, so that a Loki which is away holds up nobody else; those of a promtail.yaml
//! only with `--promtail-clients`.
//!
//! The log of this process goes to the store; where there is none, to every client.
//!
//! A reload ends the collectors and starts others where they stopped: positions are in the sinks. A
//! configuration that is wrong changes nothing.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use masthead_discovery::{
    KubernetesSdConfig,
    kubernetes::{AttachMetadata, Clusters, Namespaces, Role},
};
use masthead_forward::{LokiSink, Options, Sender, Stats as ClientStats, Target, remote_write};
use masthead_http_client::HttpClientConfig;
use masthead_model::Labels;
use masthead_ports::LogSink;
use masthead_sysio::{Clock, RealFs};
use masthead_tail::{
    ClientConfig, CustomMetrics, LineSource, PromtailConfig, Running, Setup, Stats,
};

use super::{config_text, own_log};
use crate::{
    cli::{ServeArgs, UsageError},
    config::{self, Source},
    tasks::{Task, Tasks},
};

/// How long the store may take for the last lines that were sent.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(5);

/// The collectors at work.
#[derive(Debug)]
pub(crate) struct Collecting {
    /// Where lines are kept; a collector keeps none.
    sink: Option<Arc<dyn LogSink>>,
    clock: Arc<dyn Clock>,
    stats: Arc<Stats>,
    args: ServeArgs,
    tasks: Tasks,
    /// What is watched of the cluster, once for all jobs and clients.
    clusters: Arc<Clusters>,
    /// The ways in of this process's log. Not part of the state, which is locked for as long as a
    /// reload takes.
    own_log: Arc<own_log::Sources>,
    /// Whose counts are shown; not part of the state either, so that nobody who looks waits.
    counted: Mutex<Counted>,
    state: Mutex<State>,
}

/// What counts for itself: of the configuration in force, or while it changes, of the one before.
#[derive(Debug, Default, Clone)]
struct Counted {
    custom: Option<CustomMetrics>,
    clients: Vec<(String, Arc<ClientStats>)>,
}

#[derive(Debug, Default)]
struct State {
    files: Files,
    /// What collects the lines of this process and its children.
    pipes: Vec<Running>,
}

/// What a configuration was put to work as.
#[derive(Debug, Default)]
struct Files {
    /// What was put to work.
    source: Option<Source>,
    running: Vec<Running>,
    /// What collects this process's log for the clients.
    own_log: Vec<Running>,
    senders: Vec<Sending>,
    custom: Option<CustomMetrics>,
    clients: Vec<(String, Arc<ClientStats>)>,
}

/// What is counted, for `metrics.rs`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    pub stats: Arc<Stats>,
    /// What `metrics` stages count, with the clock by which they expire.
    pub custom: Option<(CustomMetrics, Arc<dyn Clock>)>,
    /// By the name of the client.
    pub clients: Vec<(String, Arc<ClientStats>)>,
}

/// A task that pushes; it ends with this.
struct Sending(Task);

impl fmt::Debug for Sending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sending")
    }
}

/// A configuration that was read and checked.
#[derive(Debug)]
pub(crate) struct Read {
    source: Option<Source>,
    config: PromtailConfig,
}

impl Files {
    /// Ends the collectors, then the senders, whose journals can be opened again after that. What
    /// they had been made of is given back.
    fn end(self) -> Option<Source> {
        for running in self.own_log {
            running.drain(DRAIN_TIME_MAX);
        }
        for running in self.running {
            running.stop();
        }
        for Sending(task) in self.senders {
            task.cancel();
        }
        self.source
    }
}

impl Collecting {
    /// Reads the configuration and begins to collect into `sink`.
    ///
    /// # Errors
    /// A file that cannot be read or is wrong, with its place; a journal that cannot be opened.
    pub(crate) fn start(
        args: &ServeArgs,
        sink: Option<Arc<dyn LogSink>>,
        clock: Arc<dyn Clock>,
        tasks: &Tasks,
    ) -> anyhow::Result<Self> {
        let (stats, args, tasks) = (Arc::default(), args.clone(), tasks.clone());
        let (own_log, counted, state) = (Arc::default(), Mutex::default(), Mutex::default());
        let clusters = Arc::default();
        let collecting =
            Self { sink, clock, stats, args, tasks, clusters, own_log, counted, state };
        let usage = |error: anyhow::Error| UsageError(format!("{error:#}"));
        let source = config::logs(&collecting.args).map_err(usage)?;
        let written = collecting.parsed(source.as_ref()).map_err(usage)?;
        let files = collecting.work(source, &written)?;
        collecting.put(&mut collecting.state(), files);
        if let Some(sink) = collecting.sink.clone().filter(|_| own_log::is_wanted(&collecting.args))
        {
            let (source, running) = collecting.collect_own_log(sink, false)?;
            collecting.own_log.set(vec![source]);
            collecting.state().pipes.push(running);
        }
        Ok(collecting)
    }

    /// Reads and checks the configuration as it is now.
    ///
    /// # Errors
    /// A file that cannot be read or is wrong, with its place.
    pub(crate) fn read(&self) -> anyhow::Result<Read> {
        let source = config::logs(&self.args)?;
        let config = self.parsed(source.as_ref())?;
        Ok(Read { source, config })
    }

    /// Collects by another configuration from now on. Blocks; to be called where tokio is.
    ///
    /// # Errors
    /// It cannot be put to work; the one before goes on then.
    pub(crate) fn apply(&self, read: Read) -> anyhow::Result<()> {
        let mut state = self.state();
        if state.files.source == read.source {
            return Ok(());
        }
        let before = std::mem::take(&mut state.files).end();
        match self.work(read.source, &read.config) {
            Ok(files) => {
                self.put(&mut state, files);
                Ok(())
            }
            Err(error) => {
                let again = self.parsed(before.as_ref());
                let again = again.and_then(|config| self.work(before, &config));
                let (files, error) = match again {
                    Ok(files) => (files, error),
                    Err(worse) => (Files::default(), worse),
                };
                self.put(&mut state, files);
                Err(error)
            }
        }
    }

    /// Has what was put to work in force, and its counts shown.
    fn put(&self, state: &mut State, files: Files) {
        let (custom, clients) = (files.custom.clone(), files.clients.clone());
        *self.counted() = Counted { custom, clients };
        state.files = files;
    }

    fn parsed(&self, source: Option<&Source>) -> anyhow::Result<PromtailConfig> {
        let mut config = match source {
            Some(source) => source.promtail()?,
            None => PromtailConfig::parse("")?,
        };
        if let Some(directory) = &self.args.pods_log_dir {
            config.add_pods(directory, self.cluster());
        }
        Ok(config)
    }

    /// Where the API server is asked for labels of pods, if it is.
    fn cluster(&self) -> Option<KubernetesSdConfig> {
        let args = &self.args.kubernetes;
        args.enabled.then(|| KubernetesSdConfig {
            api_server: args.api_server.clone().unwrap_or_default(),
            role: Role::Pod,
            namespaces: Namespaces { own_namespace: false, names: args.namespaces.clone() },
            selectors: Vec::new(),
            attach_metadata: AttachMetadata::default(),
            client: HttpClientConfig::default(),
        })
    }

    /// Puts a configuration to work.
    fn work(&self, source: Option<Source>, config: &PromtailConfig) -> anyhow::Result<Files> {
        let mut files = Files::default();
        for warning in &config.warnings {
            tracing::warn!(warning, "A part of the configuration is not in force.");
        }
        // In our own file nobody writes a client that is not meant.
        let pushes = self.args.promtail_clients || source.as_ref().is_some_and(Source::is_section);
        let (has_jobs, keeps) = (config.has_jobs(), self.sink.is_some());
        let sends_own_log = !keeps && own_log::is_wanted(&self.args);
        if !config.clients.is_empty() && !pushes {
            tracing::info!(
                clients = config.clients.len(),
                "Lines are kept here; --promtail-clients sends them to the clients of the file too."
            );
        }
        if let Some(sink) = self.sink.clone().filter(|_| has_jobs) {
            let setup = self.setup(sink, false, Arc::clone(&self.stats));
            files.custom = Some(config.metrics.clone());
            files.running.push(config.collector(&setup)?.start()?);
        }
        let mut clients = if pushes { config.clients.clone() } else { Vec::new() };
        clients.extend(self.flagged_clients()?);
        if clients.is_empty() && has_jobs && !keeps {
            tracing::warn!("No line is collected: there are no `clients` and no --loki.");
        }
        let mut own_log = Vec::new();
        let needed = has_jobs || sends_own_log;
        for (at, client) in clients.iter().enumerate().filter(|_| needed) {
            // Its stages count for themselves, and Promtail's positions are the first one's.
            let mut config = self.parsed(source.as_ref())?;
            let is_first = at == 0 && !keeps;
            let stats = if is_first { Arc::clone(&self.stats) } else { Arc::default() };
            if is_first {
                files.custom = Some(config.metrics.clone());
            } else {
                config.leave_positions();
            }
            let name = name_of(client, &files.clients);
            let counts = Arc::new(ClientStats::default());
            let mut options = Options::new(self.args.data.join("clients").join(directory(&name)));
            options.journal_bytes_max = self.args.forward.journal_bytes();
            let (fs, clock) = (Arc::new(RealFs), Arc::clone(&self.clock));
            let sink =
                LokiSink::open(fs.clone(), Arc::clone(&clock), &options, Arc::clone(&counts))
                    .with_context(|| format!("client {name:?}"))?;
            let sink = Arc::new(sink);
            let sender = Sender::new(Arc::clone(&sink), self.target(client), fs, clock)?;
            files.senders.push(Sending(self.tasks.spawn("push", sender.run())));
            if sends_own_log {
                let (source, running) = self.collect_own_log(Arc::clone(&sink) as _, true)?;
                own_log.push(source);
                files.own_log.push(running);
            }
            if has_jobs {
                let collector = config.collector(&self.setup(sink, true, stats))?;
                files.running.push(collector.start()?);
            }
            files.clients.push((name, counts));
        }
        if !keeps {
            self.own_log.set(own_log);
        }
        files.source = source;
        Ok(files)
    }

    /// A way in for this process's log, and what takes it to `sink`.
    fn collect_own_log(
        &self,
        sink: Arc<dyn LogSink>,
        tenants: bool,
    ) -> anyhow::Result<(LineSource, Running)> {
        let sink = Arc::new(own_log::Quiet(sink));
        let setup = self.setup(sink, tenants, Arc::clone(&self.stats));
        let mut collector = PromtailConfig::parse("")?.collector(&setup)?;
        let source = collector.line_source("", own_log::labels());
        Ok((source, collector.start()?))
    }

    /// Where this process's log goes.
    pub(crate) fn own_log(&self) -> Arc<own_log::Sources> {
        Arc::clone(&self.own_log)
    }

    /// Ways in for lines that come from no file: one for each name of a job and set of labels.
    /// Whoever sends waits while too much is on its way.
    ///
    /// # Errors
    /// The machine has no thread left.
    pub(crate) fn pipes(&self, of: Vec<(&str, Labels)>) -> anyhow::Result<Vec<LineSource>> {
        let sink = self.sink.clone().context("BUG: lines are kept where there is no store")?;
        let setup = self.setup(sink, false, Arc::clone(&self.stats));
        let mut collector = PromtailConfig::parse("")?.collector(&setup)?;
        let sources = of.into_iter().map(|(job, labels)| collector.line_source(job, labels));
        let sources = sources.collect();
        let running = collector.start()?;
        self.state().pipes.push(running);
        Ok(sources)
    }

    /// The clients of the command line.
    fn flagged_clients(&self) -> anyhow::Result<Vec<ClientConfig>> {
        let mut clients = Vec::new();
        for url in &self.args.forward.loki {
            let flag = || {
                let shown = config_text::masked_urls(std::slice::from_ref(url));
                let example = "http://loki:3100/loki/api/v1/push";
                UsageError(format!("--loki {shown}: not an URL such as {example}"))
            };
            let text = serde_json::to_string(&serde_json::json!({ "clients": [{ "url": url }] }))?;
            let parsed = PromtailConfig::parse(&text).map_err(|_| flag())?;
            clients.extend(parsed.clients);
        }
        Ok(clients)
    }

    fn target(&self, client: &ClientConfig) -> Target {
        Target {
            url: client.url.clone(),
            client: client.client.clone(),
            batch_wait: client.batch_wait.max(Duration::from_millis(1)),
            batch_bytes: client.batch_bytes,
            backoff_min: client.backoff_min,
            backoff_max: client.backoff_max.max(client.backoff_min),
            timeout: client.timeout,
            external_labels: self.args.forward.label(&client.external_labels),
            tenant: client.tenant.clone(),
            headers: client.headers.clone(),
            drop_rate_limited: client.drop_rate_limited,
        }
    }

    fn setup(&self, sink: Arc<dyn LogSink>, tenants: bool, stats: Arc<Stats>) -> Setup {
        let (fs, clock) = (Arc::new(RealFs), Arc::clone(&self.clock));
        let kubernetes = Arc::clone(&self.clusters);
        Setup { fs, clock, sink, tenants, node: node_name(), stats, kubernetes }
    }

    pub(crate) fn counts(&self) -> Counts {
        let Counted { custom, clients } = self.counted().clone();
        let custom = custom.map(|custom| (custom, Arc::clone(&self.clock)));
        Counts { stats: Arc::clone(&self.stats), custom, clients }
    }

    /// Ends reading; what was read or sent before is in the stores and journals. Blocks until the
    /// steps that are being taken are done.
    pub(crate) fn stop(&self) {
        let State { files, pipes } = std::mem::take(&mut *self.state());
        for running in pipes {
            running.drain(DRAIN_TIME_MAX);
        }
        files.end();
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As Promtail: what the pod was given, else what the machine is called.
pub(crate) fn node_name() -> String {
    let named = config::environment("HOSTNAME").filter(|name| !name.is_empty());
    named.unwrap_or_else(|| rustix::system::uname().nodename().to_string_lossy().into_owned())
}

/// A name that is safe as that of a directory.
pub(super) fn directory(name: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    name.chars().map(safe).collect()
}

/// The name of a client in metrics, and of its journal: its own, or one that stays the same while the
/// URL does.
fn name_of(client: &ClientConfig, others: &[(String, Arc<ClientStats>)]) -> String {
    let name = if client.name.is_empty() {
        remote_write::name_of_url(client.url.as_str())
    } else {
        client.name.clone()
    };
    let taken = |name: &str| others.iter().any(|(other, _)| other == name);
    let free = (1..).map(|n| if n == 1 { name.clone() } else { format!("{name}-{n}") });
    free.into_iter().find(|name| !taken(name)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_who_looks_at_the_counts_waits_for_a_reload() {
        let data = tempfile::tempdir().unwrap();
        let words = ["masthead", "serve", "--no-self", "--data", data.path().to_str().unwrap()];
        let args = config::resolve(&words.map(Into::into)).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(masthead_sysio::RealClock::new());
        let collecting = Arc::new(Collecting::start(&args, None, clock, &Tasks::new()).unwrap());
        let (told, counts) = std::sync::mpsc::sync_channel(1);
        let reload = collecting.state();
        let looking = Arc::clone(&collecting);
        let looker = std::thread::spawn(move || told.send(looking.counts()));
        let seen = counts.recv_timeout(Duration::from_secs(20));
        drop(reload);
        assert!(seen.is_ok());
        assert!(looker.join().is_ok_and(|sent| sent.is_ok()));
    }

    #[test]
    fn names_of_clients_are_directories_below_ours() {
        assert_eq!(directory("../a b/c.d"), "___a_b_c_d");
        assert_eq!(directory("loki-1"), "loki-1");
    }
}
