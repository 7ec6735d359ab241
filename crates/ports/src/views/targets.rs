//! What is scraped, what was left out by relabelling, and what is known from scrapes.

use std::{collections::BTreeMap, fmt::Debug, time::Duration};

use masthead_model::{ErrorClass, Labels, Millis};

use super::AdminError;
use crate::Metadata;

/// The targets as the scraper sees them now.
pub trait TargetsView: Send + Sync + Debug {
    /// The names of all scrape pools (`job_name`), sorted.
    fn pools(&self) -> Vec<String>;

    /// What is scraped, by pool.
    fn active(&self) -> Vec<ActiveTarget>;

    /// What relabelling dropped, by pool; each pool keeps as many as its limit allows.
    fn dropped(&self) -> Vec<DroppedTarget>;

    /// How many targets each pool has dropped, those not kept included.
    fn dropped_counts(&self) -> BTreeMap<String, u64>;

    /// What each target said about its metric families; about `metric` alone if it is given.
    fn metadata(&self, metric: Option<&str>) -> Vec<TargetMetadata>;

    /// What each relabelling rule of `pool` makes of the discovered `labels`, in order.
    ///
    /// # Errors
    /// [`AdminError`] when there is no such pool.
    fn relabel_steps(&self, pool: &str, labels: &Labels) -> Result<Vec<RelabelStep>, AdminError>;
}

/// Whether the last scrape went well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TargetHealth {
    /// Not scraped yet.
    #[default]
    Unknown,
    /// It went well.
    Up,
    /// It failed.
    Down,
}

/// One target that is scraped.
#[derive(Debug, Clone)]
pub struct ActiveTarget {
    /// Labels before relabelling.
    pub discovered: Labels,
    /// Labels that its series get.
    pub labels: Labels,
    /// The pool it is scraped in.
    pub pool: String,
    /// Where it is scraped.
    pub url: String,
    /// The same as seen from outside this machine.
    pub global_url: String,
    /// Why the last scrape failed; empty when it did not.
    pub last_error: String,
    /// When the last scrape began.
    pub last_scrape: Option<Millis>,
    /// How long the last scrape took.
    pub last_duration: Duration,
    /// How the last scrape went.
    pub health: TargetHealth,
    /// From one scrape to the next.
    pub interval: Duration,
    /// How long one scrape may take.
    pub timeout: Duration,
}

/// One target that relabelling dropped.
#[derive(Debug, Clone)]
pub struct DroppedTarget {
    /// Labels before relabelling.
    pub discovered: Labels,
    /// The pool that dropped it.
    pub pool: String,
}

/// What one target said about its metric families.
#[derive(Debug, Clone)]
pub struct TargetMetadata {
    /// The target's labels.
    pub target: Labels,
    /// The families, sorted by name.
    pub families: Vec<Metadata>,
}

/// What one relabelling rule made of a label set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelabelStep {
    /// The rule as it is configured: the keys that are set, with their values as text.
    pub rule: Vec<(String, RuleValue)>,
    /// The labels after it; empty once dropped.
    pub output: Labels,
    /// Whether the target is still kept.
    pub keep: bool,
}

/// A value in a relabelling rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleValue {
    /// `regex`, `separator`, …
    Text(String),
    /// `source_labels`
    List(Vec<String>),
    /// `modulus`
    Number(u64),
}

/// No targets at all: a server that only takes pushes.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoTargets;

impl TargetsView for NoTargets {
    fn pools(&self) -> Vec<String> {
        Vec::new()
    }

    fn active(&self) -> Vec<ActiveTarget> {
        Vec::new()
    }

    fn dropped(&self) -> Vec<DroppedTarget> {
        Vec::new()
    }

    fn dropped_counts(&self) -> BTreeMap<String, u64> {
        BTreeMap::new()
    }

    fn metadata(&self, _metric: Option<&str>) -> Vec<TargetMetadata> {
        Vec::new()
    }

    fn relabel_steps(&self, pool: &str, _labels: &Labels) -> Result<Vec<RelabelStep>, AdminError> {
        let message = format!("scrape pool {pool:?} not found");
        Err(AdminError { class: ErrorClass::BadInput, message })
    }
}
