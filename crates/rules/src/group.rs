//! Rules that are evaluated together: one after the other at one instant, so that a rule sees what
//! the one before it recorded.
//!
//! Facts: upstream's `rules/group.go: Eval, CopyState`. A series that a rule no longer makes gets a
//! stale marker; a rule that fails leaves its series as they are.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use masthead_model::{Labels, METRIC_NAME, Matcher, Millis, TimeRange, Value, stale_nan};
use masthead_ports::{AppendBatch, AppendRow, Rule, RuleGroup, RuleHealth, SampleSink, SeriesRef};
use masthead_promql::InstantSample;
use masthead_sysio::Clock;
use tracing::{debug, warn};

use crate::{
    GroupSpec, Querier, RuleKind, RuleSpec,
    alert::{Alerts, Condition, FOR_STATE, Outage, Patience},
    engine::Counts,
    schedule::hash,
    template::{Surroundings, Text},
};

/// A rule may have at most this many results, whatever its group's own limit is.
pub const RESULTS_MAX: usize = 500_000;

/// What Alertmanagers are told about one alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Notification {
    /// What it is about.
    pub labels: Labels,
    /// What it says.
    pub annotations: Labels,
    /// Since when it fires.
    pub starts_at: Millis,
    /// When it was over, or until when it may be believed without hearing more.
    pub ends_at: Millis,
    /// The expression that raised it.
    pub expr: String,
}

/// What the evaluation of a group needs from outside.
#[derive(Debug)]
pub(crate) struct World<'a> {
    pub(crate) querier: &'a dyn Querier,
    pub(crate) sink: &'a dyn SampleSink,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) external_labels: &'a Labels,
    pub(crate) external_url: &'a str,
    pub(crate) resend_delay: Duration,
    pub(crate) counts: &'a Counts,
}

/// A group and what it remembers from one evaluation to the next.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) spec: Arc<GroupSpec>,
    pub(crate) interval: Duration,
    offset: Duration,
    rules: Vec<RuleState>,
    /// Series of rules that are gone; marked stale at the next evaluation.
    abandoned: Vec<Labels>,
    evaluation_time: Duration,
    last_evaluation: Option<Millis>,
    last_samples: u64,
}

#[derive(Debug)]
struct RuleState {
    spec: RuleSpec,
    labels: Vec<(String, Text)>,
    annotations: Vec<(String, Text)>,
    alerts: Alerts,
    /// The series that the last good evaluation made.
    series: BTreeSet<Labels>,
    /// What `ALERTS_FOR_STATE` and `ALERTS` are appended by.
    refs: BTreeMap<Labels, SeriesRef>,
    health: RuleHealth,
    last_error: String,
    evaluation_time: Duration,
    last_evaluation: Option<Millis>,
}

impl Group {
    /// A group that has not been evaluated yet. `restored` says that there is no state to be read
    /// back from before a restart.
    pub(crate) fn new(
        spec: Arc<GroupSpec>,
        interval: Duration,
        offset: Duration,
        restored: bool,
    ) -> Self {
        let rules = spec.rules.iter().map(|rule| RuleState::new(rule, restored)).collect();
        Self {
            interval: spec.interval.unwrap_or(interval),
            offset: spec.query_offset.unwrap_or(offset),
            spec,
            rules,
            abandoned: Vec::new(),
            evaluation_time: Duration::ZERO,
            last_evaluation: None,
            last_samples: 0,
        }
    }

    /// Takes over what an older version of the group remembers of rules that are in both; series
    /// of the others will be marked stale.
    pub(crate) fn inherit(&mut self, old: Self) {
        let mut before: BTreeMap<(String, bool), Vec<RuleState>> = BTreeMap::new();
        for rule in old.rules.into_iter().rev() {
            before.entry(rule.key()).or_default().push(rule);
        }
        for rule in &mut self.rules {
            // Of several rules of one name, the one with the same labels; else the first is ours.
            let Some(same_name) = before.get_mut(&rule.key()) else { continue };
            let place = same_name.iter().rposition(|other| other.spec.labels == rule.spec.labels);
            let Some(other) = place.map(|at| same_name.remove(at)) else { continue };
            rule.alerts = other.alerts;
            rule.series = other.series;
            rule.refs = other.refs;
            rule.health = other.health;
            rule.last_error = other.last_error;
            rule.evaluation_time = other.evaluation_time;
            rule.last_evaluation = other.last_evaluation;
        }
        self.abandoned = old.abandoned;
        self.abandoned.extend(before.into_values().flatten().flat_map(|rule| rule.series));
        self.evaluation_time = old.evaluation_time;
        self.last_evaluation = old.last_evaluation;
        self.last_samples = old.last_samples;
    }

    /// Evaluates every rule at `at`, appends what they make, and returns who must be told what.
    pub(crate) fn evaluate(&mut self, world: &World<'_>, at: Millis) -> Vec<Notification> {
        let began = world.clock.monotonic();
        let asked = at.saturating_sub(i64::try_from(self.offset.as_millis()).unwrap_or(0));
        let batch_group = hash(&[&self.spec.file, &self.spec.name]);
        let mut notifications = Vec::new();
        let mut samples = 0;
        for rule in &mut self.rules {
            let rule_began = world.clock.monotonic();
            world.counts.evaluations.fetch_add(1, Ordering::Relaxed);
            let made = rule.evaluate(&self.spec, world, at, asked);
            rule.last_evaluation = Some(at);
            match made {
                Ok(made) => {
                    rule.health = RuleHealth::Ok;
                    rule.last_error.clear();
                    samples += made.len() as u64;
                    notifications.extend(rule.due(at, world.resend_delay, self.interval));
                    rule.append(made, world, asked, batch_group);
                }
                Err(error) => {
                    world.counts.failures.fetch_add(1, Ordering::Relaxed);
                    warn!(
                        file = %self.spec.file, group = %self.spec.name, rule = %rule.spec.name,
                        %error, "Cannot evaluate a rule."
                    );
                    rule.fail(error);
                }
            }
            rule.evaluation_time = world.clock.monotonic().saturating_sub(rule_began);
        }
        let abandoned = std::mem::take(&mut self.abandoned);
        mark_stale(world.sink, abandoned, asked, batch_group);
        self.last_samples = samples;
        self.last_evaluation = Some(at);
        self.evaluation_time = world.clock.monotonic().saturating_sub(began);
        notifications
    }

    /// Reads back since when alerts hold; called after the group was evaluated at `at` once or
    /// twice, so that its alerts are there.
    pub(crate) fn restore(&mut self, querier: &dyn Querier, at: Millis, outage: Outage) {
        for rule in self.rules.iter_mut().filter(|rule| !rule.alerts.restored) {
            let RuleKind::Alerting { hold, .. } = &rule.spec.kind else {
                rule.alerts.restored = true;
                continue;
            };
            // A shorter wait than the time of grace is not worth bringing back.
            if *hold < outage.grace || rule.alerts.is_empty() {
                rule.alerts.restored = true;
                continue;
            }
            let back = i64::try_from(outage.tolerance.as_millis()).unwrap_or(i64::MAX);
            let Ok(range) = TimeRange::new(at.saturating_sub(back), at) else { continue };
            let matchers =
                [Matcher::metric(FOR_STATE), Matcher::equal("alertname", &rule.spec.name)];
            let samples = match querier.last(&matchers, range) {
                Ok(samples) => samples,
                Err(error) => {
                    warn!(
                        rule = %rule.spec.name, %error,
                        "Cannot read back since when alerts hold; they wait anew."
                    );
                    Vec::new()
                }
            };
            rule.alerts.restore(&samples, at, *hold, outage);
        }
    }

    pub(crate) fn needs_restoring(&self) -> bool {
        self.rules.iter().any(|rule| !rule.alerts.restored)
    }

    /// The series that it leaves behind when it is removed.
    pub(crate) fn into_series(self) -> Vec<Labels> {
        self.rules.into_iter().flat_map(|rule| rule.series).chain(self.abandoned).collect()
    }

    pub(crate) fn last_samples(&self) -> u64 {
        self.last_samples
    }

    /// As the API shows it.
    pub(crate) fn view(&self) -> RuleGroup {
        RuleGroup {
            name: self.spec.name.clone(),
            file: self.spec.file.to_string(),
            rules: self.rules.iter().map(RuleState::view).collect(),
            interval: self.interval,
            limit: self.spec.limit,
            evaluation_time: self.evaluation_time,
            last_evaluation: self.last_evaluation,
        }
    }
}

/// Ends series: a reader sees nothing of them from `at` on. What the sink refuses has newer samples
/// and is alive.
pub(crate) fn mark_stale(
    sink: &dyn SampleSink,
    series: impl IntoIterator<Item = Labels>,
    at: Millis,
    group: u64,
) {
    let rows: Vec<_> =
        series.into_iter().map(|labels| AppendRow::float(labels, at, stale_nan())).collect();
    if rows.is_empty() {
        return;
    }
    let mut batch = AppendBatch { group, rows, ..AppendBatch::default() };
    if let Err(error) = sink.append(&mut batch) {
        warn!(%error, "Cannot mark series of rules as ended.");
    }
}

impl RuleState {
    fn new(spec: &RuleSpec, restored: bool) -> Self {
        Self {
            labels: spec.label_texts(),
            annotations: spec.annotation_texts(),
            spec: spec.clone(),
            alerts: Alerts::new(restored),
            series: BTreeSet::new(),
            refs: BTreeMap::new(),
            health: RuleHealth::Unknown,
            last_error: String::new(),
            evaluation_time: Duration::ZERO,
            last_evaluation: None,
        }
    }

    fn key(&self) -> (String, bool) {
        (self.spec.name.clone(), self.spec.kind == RuleKind::Recording)
    }

    fn fail(&mut self, error: String) {
        self.health = RuleHealth::Err;
        self.last_error = error;
    }

    /// The series that the rule makes.
    fn evaluate(
        &mut self,
        group: &GroupSpec,
        world: &World<'_>,
        at: Millis,
        asked: Millis,
    ) -> Result<Vec<(Labels, Value)>, String> {
        let found = world.querier.instant(&self.spec.expr, asked)?;
        if found.len() > RESULTS_MAX {
            return Err(format!("exceeded limit of {RESULTS_MAX} with {} results", found.len()));
        }
        match &self.spec.kind {
            RuleKind::Recording => self.record(found, group.limit),
            RuleKind::Alerting { hold, keep_firing, .. } => {
                let (hold, keep_firing) = (*hold, *keep_firing);
                let around = Surroundings {
                    querier: world.querier,
                    external_labels: world.external_labels,
                    external_url: world.external_url,
                    at: asked,
                };
                let conditions = found.iter().map(|sample| self.condition(sample, &around));
                let conditions = conditions.collect();
                let patience = Patience { hold, keep_firing, limit: group.limit };
                let told = self.alerts.step(conditions, at, patience)?;
                Ok(told.into_iter().map(|(labels, value)| (labels, Value::Float(value))).collect())
            }
        }
    }

    fn record(
        &self,
        found: Vec<InstantSample>,
        limit: u64,
    ) -> Result<Vec<(Labels, Value)>, String> {
        let mut seen = BTreeSet::new();
        let mut made = Vec::with_capacity(found.len());
        for sample in found {
            let mut labels = sample.labels.to_builder();
            labels.set(METRIC_NAME, &self.spec.name);
            for (name, value) in &self.spec.labels {
                labels.set(name, value);
            }
            let labels = labels.build();
            if !seen.insert(labels.clone()) {
                return Err("vector contains metrics with the same labelset after applying rule \
                            labels"
                    .to_owned());
            }
            made.push((labels, sample.value));
        }
        if limit > 0 && made.len() as u64 > limit {
            return Err(format!("exceeded limit of {limit} with {} series", made.len()));
        }
        Ok(made)
    }

    fn condition(&self, sample: &InstantSample, around: &Surroundings<'_>) -> Condition {
        let value = match &sample.value {
            Value::Float(value) => *value,
            // Templates know one number; a histogram has none.
            Value::Histogram(_) => 0.0,
        };
        // Templates see what the expression gave, the metric's name included.
        let expand = |text: &Text| text.expand(&sample.labels, value, around);
        let mut labels = sample.labels.to_builder();
        labels.remove(METRIC_NAME);
        for (name, text) in &self.labels {
            labels.set(name, &expand(text));
        }
        labels.set("alertname", &self.spec.name);
        let annotations = self.annotations.iter().map(|(name, text)| (name, expand(text)));
        Condition { labels: labels.build(), annotations: annotations.collect(), value }
    }

    fn due(&mut self, at: Millis, resend_delay: Duration, interval: Duration) -> Vec<Notification> {
        if self.spec.kind == RuleKind::Recording {
            return Vec::new();
        }
        let due = self.alerts.due(at, resend_delay, interval);
        let notification = |(labels, alert): (Labels, crate::alert::Active)| Notification {
            labels,
            starts_at: alert.fired_at.unwrap_or(alert.held_since),
            ends_at: alert.resolved_at.or(alert.valid_until).unwrap_or(at),
            annotations: alert.annotations,
            expr: self.spec.expr.clone(),
        };
        due.into_iter().map(notification).collect()
    }

    /// Appends what was made, and ends the series that were not made this time.
    fn append(&mut self, made: Vec<(Labels, Value)>, world: &World<'_>, at: Millis, group: u64) {
        let mut rows: Vec<AppendRow> = made
            .into_iter()
            .map(|(labels, value)| {
                let series = self.refs.get(&labels).copied().unwrap_or_default();
                AppendRow { value, series, ..AppendRow::float(labels, at, 0.0) }
            })
            .collect();
        let count = rows.len();
        let now: BTreeSet<Labels> = rows.iter().map(|row| row.labels.clone()).collect();
        let gone = self.series.difference(&now).cloned();
        rows.extend(gone.map(|labels| AppendRow::float(labels, at, stale_nan())));
        if rows.is_empty() {
            return;
        }
        let mut batch = AppendBatch { group, rows, ..AppendBatch::default() };
        let report = match world.sink.append(&mut batch) {
            Ok(report) => report,
            Err(error) => {
                world.counts.failures.fetch_add(1, Ordering::Relaxed);
                warn!(rule = %self.spec.name, %error, "Cannot append what a rule made.");
                // Whatever is held of them ends when they can be appended again.
                self.series.extend(now);
                return self.fail(error.to_string());
            }
        };
        let mut refused: BTreeMap<&'static str, u64> = BTreeMap::new();
        let mut held = now;
        for (place, reason) in &report.rejected {
            // A stale marker that comes too late has nothing to end.
            if *place < count
                && let Some(row) = batch.rows.get(*place)
            {
                held.remove(&row.labels);
                *refused.entry(reason.as_label()).or_default() += 1;
                self.last_error = reason.to_string();
            }
        }
        self.refs = batch
            .rows
            .into_iter()
            .take(count)
            .filter(|row| row.series != SeriesRef::default())
            .map(|row| (row.labels, row.series))
            .collect();
        self.series = held;
        if !refused.is_empty() {
            let mut shown = String::new();
            for (reason, count) in &refused {
                world.counts.refused.fetch_add(*count, Ordering::Relaxed);
                // Writing to a string cannot fail.
                write!(shown, "{reason}: {count} ").unwrap_or_default();
            }
            debug!(rule = %self.spec.name, refused = shown.trim_end(), "Results were refused.");
            self.health = RuleHealth::Err;
        }
    }

    fn view(&self) -> Rule {
        let kind = match &self.spec.kind {
            RuleKind::Recording => masthead_ports::RuleKind::Recording,
            RuleKind::Alerting { hold, keep_firing, annotations } => {
                masthead_ports::RuleKind::Alerting {
                    hold: *hold,
                    keep_firing: *keep_firing,
                    annotations: annotations.iter().collect(),
                    state: self.alerts.state(),
                    alerts: self.alerts.view(),
                }
            }
        };
        Rule {
            name: self.spec.name.clone(),
            query: self.spec.expr.clone(),
            labels: self.spec.labels.iter().collect(),
            health: self.health,
            last_error: self.last_error.clone(),
            evaluation_time: self.evaluation_time,
            last_evaluation: self.last_evaluation,
            kind,
        }
    }
}

#[cfg(test)]
mod tests;
