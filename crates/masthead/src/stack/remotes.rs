//! Where samples are forwarded: the entries of `remote_write`, each with a journal of its own, so that
//! a remote end which is away holds up nobody else.
//!
//! A reload keeps the entries that did not change. Of one that did, the journal is closed and opened
//! again while appends wait, so that no sample passes by.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use anyhow::{Context as _, bail};
use camino::Utf8PathBuf;
use masthead_forward::{
    Options, Tee,
    remote_write::{RemoteWriteConfig, RemoteWriteSink, Sender, Stats},
};
use masthead_model::Labels;
use masthead_ports::SampleSink;
use masthead_sysio::{Clock, RealFs};

use super::collecting::directory;
use crate::tasks::{Task, Tasks};

/// How long a sender that was told to end may still read its journal.
const CLOSE_TIME_MAX: Duration = Duration::from_secs(10);
const CLOSE_PAUSE: Duration = Duration::from_millis(5);

/// The forwarders at work.
#[derive(Debug)]
pub(crate) struct Remotes {
    tee: Arc<Tee>,
    dir: Utf8PathBuf,
    journal_bytes_max: u64,
    clock: Arc<dyn Clock>,
    tasks: Tasks,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    external_labels: Labels,
    working: BTreeMap<String, Working>,
    /// Counters outlive a reload.
    stats: BTreeMap<String, Arc<Stats>>,
}

struct Working {
    config: RemoteWriteConfig,
    sink: Arc<RemoteWriteSink>,
    /// Sends until it is dropped.
    task: Task,
}

impl fmt::Debug for Working {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Working").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Remotes {
    /// No forwarders yet, behind `local`; their journals will lie below `data`, and may have
    /// `journal_bytes_max` bytes each.
    pub(crate) fn new(
        local: Option<Arc<dyn SampleSink>>,
        data: &camino::Utf8Path,
        journal_bytes_max: u64,
        clock: Arc<dyn Clock>,
        tasks: &Tasks,
    ) -> Self {
        Self {
            tee: Arc::new(Tee::new(local)),
            dir: data.join("remote-write"),
            journal_bytes_max,
            clock,
            tasks: tasks.clone(),
            state: Mutex::default(),
        }
    }

    /// Takes samples for the local sink and all forwarders.
    pub(crate) fn sink(&self) -> Arc<dyn SampleSink> {
        Arc::clone(&self.tee) as _
    }

    /// What is counted, by the name of the entry.
    pub(crate) fn counts(&self) -> Vec<(String, Arc<Stats>)> {
        let stats = &self.state().stats;
        stats.iter().map(|(name, stats)| (name.clone(), Arc::clone(stats))).collect()
    }

    /// Forwards to these from now on.
    ///
    /// # Errors
    /// An entry whose certificates cannot be used changes nothing; a journal that cannot be opened
    /// leaves its entry out.
    pub(crate) async fn apply(
        self: &Arc<Self>,
        configs: Vec<RemoteWriteConfig>,
        external_labels: Labels,
    ) -> anyhow::Result<()> {
        for config in &configs {
            config.check(Arc::new(RealFs)).with_context(|| name_of(config))?;
        }
        let ended = self.end_changed(&configs, &external_labels);
        let mut closing = Vec::new();
        for Working { sink, task, .. } in ended {
            closing.push(Arc::downgrade(&sink));
            task.end().await;
        }
        let this = Arc::clone(self);
        let runtime = tokio::runtime::Handle::current();
        tokio::task::spawn_blocking(move || {
            let _context = runtime.enter();
            this.tee.change(|sinks| {
                // Of those that ended, this was the last one who holds them.
                let kept: Vec<_> = this.state().working.values().map(|w| w.sink.clone()).collect();
                *sinks = kept;
                wait_closed(&closing, &*this.clock)?;
                for config in configs {
                    this.begin(config)?;
                }
                *sinks = this.state().working.values().map(|w| w.sink.clone()).collect();
                Ok(())
            })
        })
        .await?
    }

    /// Takes those out that are no more, or not as they were.
    fn end_changed(&self, configs: &[RemoteWriteConfig], external: &Labels) -> Vec<Working> {
        let mut state = self.state();
        let same_labels = state.external_labels == *external;
        state.external_labels = external.clone();
        let stays = |working: &Working| same_labels && configs.contains(&working.config);
        let (stay, end): (BTreeMap<_, _>, BTreeMap<_, _>) =
            std::mem::take(&mut state.working).into_iter().partition(|(_, working)| stays(working));
        state.working = stay;
        end.into_values().collect()
    }

    fn begin(&self, config: RemoteWriteConfig) -> anyhow::Result<()> {
        let mut state = self.state();
        if state.working.contains_key(&config.name) {
            return Ok(());
        }
        let stats = Arc::clone(state.stats.entry(config.name.clone()).or_default());
        let mut options = Options::new(self.dir.join(directory(&config.name)));
        options.journal_bytes_max = self.journal_bytes_max;
        let (fs, clock) = (Arc::new(RealFs), Arc::clone(&self.clock));
        let external_labels = state.external_labels.clone();
        let sink = RemoteWriteSink::open(
            fs.clone(),
            Arc::clone(&clock),
            &options,
            &config,
            external_labels,
            stats,
        );
        let sink = Arc::new(sink.with_context(|| name_of(&config))?);
        let sender = Sender::new(Arc::clone(&sink), &config, fs, clock)?;
        let task = self.tasks.spawn("remote write", sender.run());
        state.working.insert(config.name.clone(), Working { config, sink, task });
        Ok(())
    }

    /// Ends sending; what was not sent is in the journals.
    pub(crate) async fn stop(&self) {
        let working = std::mem::take(&mut self.state().working);
        for (_, Working { task, .. }) in working {
            task.end().await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A journal has one owner: the old one is gone before the new one opens it.
fn wait_closed(closing: &[Weak<RemoteWriteSink>], clock: &dyn Clock) -> anyhow::Result<()> {
    let tries = CLOSE_TIME_MAX.as_millis() / CLOSE_PAUSE.as_millis();
    for _ in 0..tries {
        if closing.iter().all(|sink| sink.strong_count() == 0) {
            return Ok(());
        }
        clock.sleep(CLOSE_PAUSE);
    }
    bail!("the journal of a remote end is still being read after {CLOSE_TIME_MAX:?}")
}

fn name_of(config: &RemoteWriteConfig) -> String {
    format!("remote_write {:?}", config.name)
}
