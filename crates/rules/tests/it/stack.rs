//! What the tests of this folder share: rules over a store in memory.

use std::{future::Future, sync::Arc, time::Duration};

use masthead_logql::Engine as LogEngine;
use masthead_model::{Labels, Millis};
use masthead_ports::{
    AppendBatch, AppendRow, QueryLimits, SampleSink as _,
    testing::{MemoryLogStore, MemoryStore},
};
use masthead_promql::{Engine, Features};
use masthead_rules::{
    Language, LogRules, Notifier, Parts, Rules, RulesConfig, SampleRules, Settings, parse_file,
};
use masthead_sysio::{Clock, RealFs, SimClock, UnixNanos};

pub(crate) struct Stack {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) notifier: Notifier,
    pub(crate) rules: Rules,
}

impl Stack {
    pub(crate) fn new(clock: Arc<dyn Clock>, store: Arc<MemoryStore>) -> Self {
        let samples = SampleRules {
            engine: Engine::default(),
            source: store.clone(),
            clock: Arc::clone(&clock),
            limits: QueryLimits::default(),
            ending: Arc::default(),
        };
        let logs = LogRules {
            engine: LogEngine::default(),
            source: Arc::new(MemoryLogStore::default()),
            samples: samples.clone(),
        };
        let notifier = Notifier::new(Arc::new(RealFs));
        let parts = Parts {
            samples: Arc::new(samples),
            logs: Arc::new(logs),
            sink: store.clone(),
            clock,
            notifier: notifier.clone(),
        };
        let settings =
            Settings { external_url: "http://me:3000".to_owned(), ..Settings::default() };
        Self { store, notifier, rules: Rules::new(parts, settings) }
    }

    /// On a simulated clock that begins at the epoch.
    pub(crate) fn simulated() -> (Self, SimClock) {
        let clock = SimClock::new(UnixNanos(0));
        (Self::new(Arc::new(clock.clone()), Arc::default()), clock)
    }

    pub(crate) fn load(&self, text: &str) {
        let groups = parse_file(text, "f.yml", Language::Promql, Features::STABLE).expect("valid");
        let external = [("zone", "eu")].into_iter().collect::<Labels>();
        self.rules.load(groups, external, Duration::from_mins(1), Duration::ZERO);
    }

    pub(crate) fn tell(&self, alerting: &str) {
        let config = RulesConfig::parse(alerting).expect("valid");
        self.notifier.apply(&config.alertmanagers, config.alert_relabel_rules).expect("usable");
    }

    pub(crate) fn put(&self, series: &str, at: Millis, value: f64) {
        let rows = vec![AppendRow::float(series.parse().expect("labels"), at, value)];
        let mut batch = AppendBatch { rows, ..AppendBatch::default() };
        self.store.append(&mut batch).expect("memory takes it");
    }
}

/// Waits until `holds`; a minute is more than any loaded machine needs.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    for _ in 0..6_000 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}
