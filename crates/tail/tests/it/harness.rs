//! A node in miniature: files that are written and rotated, a store that can be away, and a
//! collector that is killed and started again.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use camino::Utf8Path;
use masthead_model::ErrorClass;
use masthead_ports::{
    AppendError, LogBatch, LogReport, LogSink, Progress, testing::MemoryLogStore,
};
use masthead_sysio::{Clock, Fs, OpenOptions, SimClock, SimFs};
use masthead_tail::{Collector, PromtailConfig, Setup, Stats, Step};

/// The store, which can be away, and which a collector can be killed at.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) inner: MemoryLogStore,
    pub(crate) away: AtomicBool,
    /// Batches until the next one is held and its answer lost, as by a kill; 0 for never.
    pub(crate) lose_answer_in: AtomicUsize,
    pub(crate) batches: AtomicUsize,
}

impl LogSink for Store {
    fn append(&self, batch: &LogBatch<'_>) -> Result<LogReport, AppendError> {
        let refusal = || AppendError { class: ErrorClass::Unavailable, message: "away".into() };
        if self.away.load(Ordering::Relaxed) {
            return Err(refusal());
        }
        self.batches.fetch_add(1, Ordering::Relaxed);
        let report = self.inner.append(batch)?;
        if self.lose_answer_in.load(Ordering::Relaxed) > 0
            && self.lose_answer_in.fetch_sub(1, Ordering::Relaxed) == 1
        {
            return Err(refusal());
        }
        Ok(report)
    }

    fn progress(&self, prefix: &str) -> Result<Vec<Progress>, AppendError> {
        self.inner.progress(prefix)
    }
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) fs: SimFs,
    pub(crate) clock: Arc<SimClock>,
    pub(crate) store: Arc<Store>,
    pub(crate) stats: Arc<Stats>,
    config: String,
    pods: Option<String>,
    collector: Option<Collector>,
}

impl Node {
    pub(crate) fn new(config: &str) -> Self {
        let clock = Arc::new(SimClock::default());
        clock.advance(Duration::from_hours(24 * 365 * 54));
        let fs = SimFs::with_clock(1, Arc::clone(&clock) as Arc<dyn Clock>);
        fs.create_dir_all("/log".into()).unwrap();
        let store = Arc::default();
        Self {
            fs,
            clock,
            store,
            stats: Arc::default(),
            config: config.into(),
            pods: None,
            collector: None,
        }
    }

    /// Every `*.log` below `/log`, without any stage.
    pub(crate) fn plain() -> Self {
        Self::new(&config("/log/**/*.log", ""))
    }

    /// The same, in the format of containers.
    pub(crate) fn cri() -> Self {
        Self::new(&config("/log/**/*.log", "- cri: {}"))
    }

    /// The logs of containers where the kubelet writes them.
    pub(crate) fn pods(directory: &str) -> Self {
        Self { pods: Some(directory.to_owned()), ..Self::new("") }
    }

    pub(crate) fn start(&mut self) {
        let mut config = PromtailConfig::parse(&self.config).unwrap();
        if let Some(directory) = &self.pods {
            config.add_pods(directory.as_str().into(), None);
        }
        self.collector = Some(
            config
                .collector(&Setup {
                    fs: Arc::new(self.fs.clone()),
                    clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
                    sink: Arc::clone(&self.store) as Arc<dyn LogSink>,
                    tenants: false,
                    node: "node1".into(),
                    stats: Arc::clone(&self.stats),
                    kubernetes: Arc::default(),
                })
                .unwrap(),
        );
    }

    /// As by SIGKILL: what is in memory is gone.
    pub(crate) fn kill(&mut self) {
        self.collector = None;
    }

    /// One step, with the time that it says to wait.
    pub(crate) fn step(&mut self) {
        if self.collector.is_none() {
            self.start();
        }
        let step = self.collector.as_mut().unwrap().step();
        match step {
            Step::Busy => {}
            Step::Idle(pause) | Step::Blocked(pause) => self.pass(pause),
        }
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.clock.advance(time.max(Duration::from_millis(1)));
    }

    /// Steps for so much time.
    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.clock.monotonic() + time;
        while self.clock.monotonic() < end {
            self.step();
        }
    }

    pub(crate) fn run_seconds(&mut self, seconds: u64) {
        self.run(Duration::from_secs(seconds));
    }

    pub(crate) fn collector(&mut self) -> &mut Collector {
        self.collector.as_mut().unwrap()
    }

    // --- what happens on the disk ---

    pub(crate) fn write(&self, path: &str, text: &str) {
        self.clock.advance(Duration::from_micros(10));
        let path = Utf8Path::new(path);
        self.fs.create_dir_all(path.parent().unwrap()).unwrap();
        let file = self.fs.open(path, OpenOptions::APPEND).unwrap();
        file.append_all(text.as_bytes()).unwrap();
    }

    pub(crate) fn rename(&self, from: &str, to: &str) {
        self.clock.advance(Duration::from_micros(10));
        self.fs.rename(from.into(), to.into()).unwrap();
    }

    pub(crate) fn remove(&self, path: &str) {
        self.fs.remove_file(path.into()).unwrap();
    }

    pub(crate) fn copy(&self, from: &str, to: &str) {
        self.clock.advance(Duration::from_micros(10));
        let bytes = masthead_sysio::read_to_vec(&self.fs, from.into(), u64::MAX).unwrap();
        let file = self.fs.open(to.into(), OpenOptions::REPLACE).unwrap();
        file.write_all_at(&bytes, 0).unwrap();
    }

    pub(crate) fn empty(&self, path: &str) {
        self.clock.advance(Duration::from_micros(10));
        self.fs.open(path.into(), OpenOptions::UPDATE).unwrap().set_len(0).unwrap();
    }

    // --- what is in the store ---

    /// Every line with its stream, in the order of streams and times.
    pub(crate) fn stored(&self) -> Vec<String> {
        let mut all = Vec::new();
        for (labels, lines) in self.store.inner.entries() {
            for line in lines {
                all.push(format!("{labels} {}", String::from_utf8_lossy(&line.line)));
            }
        }
        all
    }

    /// The lines alone, in the order of streams and times.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut all = Vec::new();
        for (_, lines) in self.store.inner.entries() {
            all.extend(lines.iter().map(|l| String::from_utf8_lossy(&l.line).into_owned()));
        }
        all
    }

    /// How often each line is there.
    pub(crate) fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for line in self.lines() {
            *counts.entry(line).or_default() += 1;
        }
        counts
    }
}

/// A configuration with one job over `path`.
pub(crate) fn config(path: &str, stages: &str) -> String {
    format!(
        "scrape_configs:\n- job_name: j\n  pipeline_stages: [{}]\n  static_configs:\n  - targets: \
         [localhost]\n    labels: {{job: files, __path__: '{path}'}}\n",
        stages.trim_start_matches("- ")
    )
}
