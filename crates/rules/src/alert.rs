//! The alerts of one rule: which hold, since when, and who must hear of it.
//!
//! A pure state machine: whoever calls says what instant it is. Facts: upstream's
//! `rules/alerting.go: Eval, needsSending` and `rules/group.go: RestoreForState`.
//!
//! ```text
//!            found                 found for long enough
//! (none) ───────────▶ pending ─────────────────────────▶ firing
//!    ▲                   │ not found                        │ not found, and not kept firing
//!    └───────────────────┴────────── 15 minutes ──── inactive (resolved)
//! ```

use std::{collections::BTreeMap, time::Duration};

use masthead_model::{Labels, LabelsBuilder, METRIC_NAME, Millis, is_stale};
use masthead_ports::{Alert, AlertState};

/// A resolved alert is told again for so long.
const RESOLVED_RETENTION: Duration = Duration::from_mins(15);

/// The alerts of one rule, by their labels.
#[derive(Debug, Clone)]
pub(crate) struct Alerts {
    active: BTreeMap<Labels, Active>,
    /// Until it is, no series tell of alerts: they would hide what is still to be read back.
    pub(crate) restored: bool,
}

/// One alert.
#[derive(Debug, Clone)]
pub(crate) struct Active {
    pub(crate) state: AlertState,
    pub(crate) annotations: Labels,
    pub(crate) value: f64,
    /// Since when the condition holds.
    pub(crate) held_since: Millis,
    pub(crate) fired_at: Option<Millis>,
    pub(crate) resolved_at: Option<Millis>,
    pub(crate) keep_firing_since: Option<Millis>,
    last_sent: Option<Millis>,
    /// Until when whoever was told may believe it.
    pub(crate) valid_until: Option<Millis>,
}

/// What an alerting rule found.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    /// Of the alert, its name among them.
    pub(crate) labels: Labels,
    pub(crate) annotations: Labels,
    pub(crate) value: f64,
}

/// The durations of a rule.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    pub(crate) hold: Duration,
    pub(crate) keep_firing: Duration,
    /// At most this many alerts; 0 for no limit.
    pub(crate) limit: u64,
}

/// How state is brought back after a restart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outage {
    /// An older state is forgotten.
    pub(crate) tolerance: Duration,
    /// An alert that was about to fire waits at least so long after the restart.
    pub(crate) grace: Duration,
}

fn since(later: Millis, earlier: Millis) -> Duration {
    Duration::from_millis(u64::try_from(later.0.saturating_sub(earlier.0)).unwrap_or(0))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl Alerts {
    pub(crate) fn new(restored: bool) -> Self {
        Self { active: BTreeMap::new(), restored }
    }

    /// Takes what was found at `at`; returns the series that tell of it.
    ///
    /// # Errors
    /// Two results with the same labels, or more than the limit, which forgets all alerts.
    pub(crate) fn step(
        &mut self,
        found: Vec<Condition>,
        at: Millis,
        patience: Patience,
    ) -> Result<Vec<(Labels, f64)>, String> {
        let mut now: BTreeMap<Labels, Condition> = BTreeMap::new();
        for condition in found {
            if now.insert(condition.labels.clone(), condition).is_some() {
                return Err("vector contains metrics with the same labelset after applying alert \
                            labels"
                    .to_owned());
            }
        }
        for (labels, condition) in &now {
            match self.active.get_mut(labels) {
                Some(alert) if alert.state != AlertState::Inactive => {
                    alert.value = condition.value;
                    alert.annotations = condition.annotations.clone();
                }
                _ => {
                    self.active.insert(labels.clone(), Active::pending(condition, at));
                }
            }
        }
        let mut told = Vec::new();
        let mut count = 0_u64;
        let restored = self.restored;
        self.active.retain(|labels, alert| {
            if now.contains_key(labels) {
                alert.keep_firing_since = None;
            } else if !alert.outlives(at, patience.keep_firing) {
                return alert.end(at);
            }
            count += 1;
            if alert.state == AlertState::Pending && since(at, alert.held_since) >= patience.hold {
                alert.state = AlertState::Firing;
                alert.fired_at = Some(at);
            }
            if restored {
                told.push((alerts_series(labels, alert.state), 1.0));
                #[expect(clippy::cast_precision_loss, reason = "seconds are far below 2^53")]
                told.push((for_series(labels), alert.held_since.0.div_euclid(1000) as f64));
            }
            true
        });
        if patience.limit > 0 && count > patience.limit {
            self.active.clear();
            return Err(format!("exceeded limit of {} with {count} alerts", patience.limit));
        }
        Ok(told)
    }

    /// The alerts that somebody must be told about at `at`, and which count as told from now on.
    pub(crate) fn due(
        &mut self,
        at: Millis,
        resend_delay: Duration,
        interval: Duration,
    ) -> Vec<(Labels, Active)> {
        let mut due = Vec::new();
        for (labels, alert) in &mut self.active {
            if alert.needs_sending(at, resend_delay) {
                alert.last_sent = Some(at);
                // Two evaluations or two messages may fail.
                let valid = resend_delay.max(interval).saturating_mul(4);
                alert.valid_until = Some(at.saturating_add(millis(valid)));
                due.push((labels.clone(), alert.clone()));
            }
        }
        due
    }

    /// Brings back since when alerts hold, from the last samples of `ALERTS_FOR_STATE` before the
    /// restart. `at` is the instant of the evaluation that found the alerts anew.
    pub(crate) fn restore(
        &mut self,
        samples: &[(Labels, Millis, f64)],
        at: Millis,
        hold: Duration,
        outage: Outage,
    ) {
        let before: BTreeMap<Labels, (Millis, f64)> = samples
            .iter()
            .map(|(labels, time, value)| (labels.without_metric_name(), (*time, *value)))
            .collect();
        for (labels, alert) in &mut self.active {
            let Some((down_at, value)) = before.get(labels) else { continue };
            // A stale marker: the alert had ended.
            if is_stale(*value) || !value.is_finite() {
                continue;
            }
            #[expect(clippy::cast_possible_truncation, reason = "saturates; seconds of a date")]
            let active_at = Millis((*value as i64).saturating_mul(1000));
            let remaining = hold.checked_sub(since(*down_at, active_at)).unwrap_or_default();
            alert.held_since = if remaining.is_zero() {
                // It was firing and does so again at the next evaluation.
                active_at
            } else if remaining < outage.grace {
                at.saturating_add(millis(outage.grace)).saturating_sub(millis(hold))
            } else {
                // The time in between does not count.
                active_at.saturating_add(at.0.saturating_sub(down_at.0))
            };
        }
        self.restored = true;
    }

    /// The most severe state.
    pub(crate) fn state(&self) -> AlertState {
        let mut worst = AlertState::Inactive;
        for alert in self.active.values() {
            match alert.state {
                AlertState::Firing => return AlertState::Firing,
                AlertState::Pending => worst = AlertState::Pending,
                AlertState::Inactive => {}
            }
        }
        worst
    }

    /// Alerts that hold, for the API.
    pub(crate) fn view(&self) -> Vec<Alert> {
        let held = self.active.iter().filter(|(_, alert)| alert.resolved_at.is_none());
        held.map(|(labels, alert)| Alert {
            labels: labels.clone(),
            annotations: alert.annotations.clone(),
            state: alert.state,
            active_at: Some(alert.held_since),
            keep_firing_since: alert.keep_firing_since,
            value: alert.value,
        })
        .collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.active.is_empty()
    }
}

impl Active {
    fn pending(condition: &Condition, at: Millis) -> Self {
        Self {
            state: AlertState::Pending,
            annotations: condition.annotations.clone(),
            value: condition.value,
            held_since: at,
            fired_at: None,
            resolved_at: None,
            keep_firing_since: None,
            last_sent: None,
            valid_until: None,
        }
    }

    /// Whether it goes on firing although its condition no longer holds.
    fn outlives(&mut self, at: Millis, keep_firing: Duration) -> bool {
        if self.state != AlertState::Firing || keep_firing.is_zero() {
            return false;
        }
        let kept_since = *self.keep_firing_since.get_or_insert(at);
        since(at, kept_since) < keep_firing
    }

    /// Ends it; says whether it is still remembered.
    fn end(&mut self, at: Millis) -> bool {
        let old = self.resolved_at.is_some_and(|then| since(at, then) > RESOLVED_RETENTION);
        if self.state == AlertState::Pending || old {
            return false;
        }
        if self.state != AlertState::Inactive {
            self.state = AlertState::Inactive;
            self.resolved_at = Some(at);
        }
        true
    }

    fn needs_sending(&self, at: Millis, resend_delay: Duration) -> bool {
        if self.state == AlertState::Pending {
            return false;
        }
        match (self.last_sent, self.resolved_at) {
            (None, _) => true,
            (Some(sent), Some(resolved)) if resolved > sent => true,
            (Some(sent), _) => sent.saturating_add(millis(resend_delay)) < at,
        }
    }
}

fn alerts_series(labels: &Labels, state: AlertState) -> Labels {
    let mut builder: LabelsBuilder = labels.to_builder();
    builder.set(METRIC_NAME, "ALERTS");
    builder.set("alertstate", if state == AlertState::Firing { "firing" } else { "pending" });
    builder.build()
}

fn for_series(labels: &Labels) -> Labels {
    let mut builder = labels.to_builder();
    builder.set(METRIC_NAME, FOR_STATE);
    builder.build()
}

/// The series that remember since when alerts hold.
pub(crate) const FOR_STATE: &str = "ALERTS_FOR_STATE";

#[cfg(test)]
mod tests;
