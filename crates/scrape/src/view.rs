//! What people see of scraping: targets with their health, dropped ones, pools.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use masthead_model::{ErrorClass, Labels, Millis};
use masthead_ports::{
    ActiveTarget, AdminError, DroppedTarget, RelabelStep, RuleValue, TargetHealth, TargetMetadata,
    TargetsView,
};
use masthead_relabel::{Rule, explain};
use parking_lot::Mutex;

use crate::{
    ScrapeConfig,
    ingest::{Meanings, Outcome},
    target::Target,
};

/// All pools, as they are now.
#[derive(Default)]
pub(crate) struct View {
    pub(crate) pools: Mutex<BTreeMap<String, PoolView>>,
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").finish_non_exhaustive()
    }
}

/// One pool.
#[derive(Debug)]
pub(crate) struct PoolView {
    pub(crate) config: Arc<ScrapeConfig>,
    pub(crate) active: Vec<Shown>,
    pub(crate) dropped: Vec<Labels>,
    pub(crate) dropped_count: u64,
}

/// One target that is scraped.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) target: Arc<Target>,
    /// Labels before relabelling as of the last discovery.
    pub(crate) discovered: Labels,
    pub(crate) health: Arc<Mutex<Health>>,
    pub(crate) meanings: Arc<Mutex<Meanings>>,
}

/// How the last scrape went.
#[derive(Debug, Clone, Default)]
pub(crate) struct Health {
    state: TargetHealth,
    error: String,
    at: Option<Millis>,
    duration: Duration,
}

impl Health {
    pub(crate) fn scraped(&mut self, at: Millis, outcome: &Outcome) {
        self.state = match outcome.error {
            None => TargetHealth::Up,
            Some(_) => TargetHealth::Down,
        };
        self.error = outcome.error.clone().unwrap_or_default();
        self.at = Some(at);
        self.duration = outcome.duration;
    }
}

impl TargetsView for View {
    fn pools(&self) -> Vec<String> {
        self.pools.lock().keys().cloned().collect()
    }

    fn active(&self) -> Vec<ActiveTarget> {
        let pools = self.pools.lock();
        let mut targets = Vec::new();
        for (name, pool) in &*pools {
            for shown in &pool.active {
                let health = shown.health.lock().clone();
                targets.push(ActiveTarget {
                    discovered: shown.discovered.clone(),
                    labels: shown.target.labels.clone(),
                    pool: name.clone(),
                    url: shown.target.url.to_string(),
                    // Whoever knows the name of this machine rewrites loopback addresses.
                    global_url: shown.target.url.to_string(),
                    last_error: health.error,
                    last_scrape: health.at,
                    last_duration: health.duration,
                    health: health.state,
                    interval: shown.target.interval,
                    timeout: shown.target.timeout,
                });
            }
        }
        targets
    }

    fn dropped(&self) -> Vec<DroppedTarget> {
        let pools = self.pools.lock();
        let of = |(name, pool): (&String, &PoolView)| -> Vec<DroppedTarget> {
            let shown =
                |labels: &Labels| DroppedTarget { discovered: labels.clone(), pool: name.clone() };
            pool.dropped.iter().map(shown).collect()
        };
        pools.iter().flat_map(of).collect()
    }

    fn dropped_counts(&self) -> BTreeMap<String, u64> {
        let pools = self.pools.lock();
        pools.iter().map(|(name, pool)| (name.clone(), pool.dropped_count)).collect()
    }

    fn metadata(&self, metric: Option<&str>) -> Vec<TargetMetadata> {
        // Taken first: a target holds its families while it parses, and must not hold up the pools.
        let shown: Vec<Shown> =
            self.pools.lock().values().flat_map(|pool| pool.active.iter().cloned()).collect();
        shown
            .iter()
            .map(|shown| TargetMetadata {
                target: shown.target.labels.clone(),
                families: shown
                    .meanings
                    .lock()
                    .list()
                    .filter(|family| metric.is_none_or(|metric| *family.family == *metric))
                    .cloned()
                    .collect(),
            })
            .filter(|told| !told.families.is_empty())
            .collect()
    }

    fn relabel_steps(&self, pool: &str, labels: &Labels) -> Result<Vec<RelabelStep>, AdminError> {
        let config = self.pools.lock().get(pool).map(|pool| Arc::clone(&pool.config));
        let Some(config) = config else {
            let message = format!("scrape pool {pool:?} not found");
            return Err(AdminError { class: ErrorClass::BadInput, message });
        };
        let steps = explain(labels, &config.relabel_rules);
        let shown = |(step, rule): (masthead_relabel::Step, &Rule)| RelabelStep {
            rule: written(rule),
            output: step.after,
            keep: step.keep,
        };
        Ok(steps.into_iter().zip(&config.relabel_rules).map(shown).collect())
    }
}

/// The keys of a rule that are set, as they are written.
fn written(rule: &Rule) -> Vec<(String, RuleValue)> {
    let config = rule.config();
    let text = |key: &str, value: &str| (key.to_owned(), RuleValue::Text(value.to_owned()));
    let mut keys = Vec::new();
    if let Some(labels) = &config.source_labels {
        keys.push(("source_labels".to_owned(), RuleValue::List(labels.clone())));
    }
    keys.push(text("separator", config.separator.as_deref().unwrap_or(";")));
    keys.push(text("regex", config.regex.as_deref().unwrap_or("(.*)")));
    if config.modulus > 0 {
        keys.push(("modulus".to_owned(), RuleValue::Number(config.modulus)));
    }
    if !config.target_label.is_empty() {
        keys.push(text("target_label", &config.target_label));
    }
    keys.push(text("replacement", config.replacement.as_deref().unwrap_or("$1")));
    keys.push(text("action", config.action.as_str()));
    keys
}
