//! Recording and alerting rules, as the rule loop last left them.

use std::{fmt::Debug, time::Duration};

use masthead_model::{Labels, Millis};

/// The rules, the alerts that they raise, and where alerts are sent.
pub trait RulesView: Send + Sync + Debug {
    /// All groups, by file and name.
    fn groups(&self) -> Vec<RuleGroup>;

    /// Where alerts are sent.
    fn alertmanagers(&self) -> Alertmanagers;
}

/// Rules that are evaluated together, in order.
#[derive(Debug, Clone)]
pub struct RuleGroup {
    /// Its name, distinct within the file.
    pub name: String,
    /// The file that it came from.
    pub file: String,
    /// The rules in the order of evaluation.
    pub rules: Vec<Rule>,
    /// From one evaluation to the next.
    pub interval: Duration,
    /// At most this many alerts or series for each rule; 0 for no limit.
    pub limit: u64,
    /// How long the last evaluation took.
    pub evaluation_time: Duration,
    /// When it was last evaluated.
    pub last_evaluation: Option<Millis>,
}

/// One rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The metric that it records, or the alert that it raises.
    pub name: String,
    /// Its expression.
    pub query: String,
    /// Labels that it adds.
    pub labels: Labels,
    /// How the last evaluation went.
    pub health: RuleHealth,
    /// Why the last evaluation failed; empty when it did not.
    pub last_error: String,
    /// How long the last evaluation took.
    pub evaluation_time: Duration,
    /// When it was last evaluated.
    pub last_evaluation: Option<Millis>,
    /// Recording or alerting.
    pub kind: RuleKind,
}

/// What a rule does with its result.
#[derive(Debug, Clone)]
pub enum RuleKind {
    /// Keeps it as series.
    Recording,
    /// Raises alerts.
    Alerting {
        /// How long the condition must hold (`for`).
        hold: Duration,
        /// How long an alert outlives its condition.
        keep_firing: Duration,
        /// Templates of what an alert says.
        annotations: Labels,
        /// The most severe state of its alerts.
        state: AlertState,
        /// Pending and firing alerts.
        alerts: Vec<Alert>,
    },
}

/// How the last evaluation of a rule went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RuleHealth {
    /// Not evaluated yet.
    #[default]
    Unknown,
    /// Well.
    Ok,
    /// It failed.
    Err,
}

/// How far an alert has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AlertState {
    /// The condition does not hold.
    #[default]
    Inactive,
    /// It holds, but not long enough yet.
    Pending,
    /// It has held long enough.
    Firing,
}

/// One alert.
#[derive(Debug, Clone)]
pub struct Alert {
    /// What it is about.
    pub labels: Labels,
    /// What it says.
    pub annotations: Labels,
    /// How far it has come.
    pub state: AlertState,
    /// Since when the condition holds.
    pub active_at: Option<Millis>,
    /// Since when it is only kept firing.
    pub keep_firing_since: Option<Millis>,
    /// The value of the expression.
    pub value: f64,
}

/// Where alerts are sent, as URLs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Alertmanagers {
    /// Those that are used.
    pub active: Vec<String>,
    /// Those that relabelling dropped.
    pub dropped: Vec<String>,
}

/// No rules at all.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoRules;

impl RulesView for NoRules {
    fn groups(&self) -> Vec<RuleGroup> {
        Vec::new()
    }

    fn alertmanagers(&self) -> Alertmanagers {
        Alertmanagers::default()
    }
}
