//! The metrics of rules and alerts, read when they are scraped.
//!
//! They have upstream's names, because the dashboards and alerts about a Prometheus that people
//! have ask for these. Each is one line of a table here; `docs/reference/masthead-metrics.md` is made
//! from a live server.

use std::{fmt, sync::Arc};

use masthead_instrument::Telemetry;
use masthead_rules::{GroupStats, QUEUE_MAX, ReceiverStats};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};

use super::alerting::Alerting;

/// Shows the numbers of the rules at `/metrics`.
pub(super) fn register(telemetry: &Telemetry, alerting: &Arc<Alerting>) {
    let collector = Numbers(Arc::clone(alerting));
    telemetry.register(|registry| registry.register_collector(Box::new(collector)));
}

#[derive(Debug)]
struct Numbers(Arc<Alerting>);

/// Name, meaning, number. Counters have no `_total` here: the exposition adds it.
type Row<S> = (&'static str, &'static str, MetricType, fn(&S) -> f64);

const C: MetricType = MetricType::Counter;
const G: MetricType = MetricType::Gauge;

#[rustfmt::skip]
const GROUPS: &[Row<GroupStats>] = &[
    ("prometheus_rule_evaluations", "Evaluations of rules, by rule_group.", C, |s| count(s.evaluations)),
    ("prometheus_rule_evaluation_failures", "Evaluations of rules that failed, by rule_group.", C, |s| count(s.failures)),
    ("prometheus_rule_group_iterations", "Turns of a group, missed ones included, by rule_group.", C, |s| count(s.iterations)),
    ("prometheus_rule_group_iterations_missed", "Turns that a group missed because the one before took too long, by rule_group.", C, |s| count(s.missed)),
    ("prometheus_rule_group_interval_seconds", "From one evaluation of a group to the next, by rule_group.", G, |s| s.interval.as_secs_f64()),
    ("prometheus_rule_group_last_duration_seconds", "How long the last evaluation of a group took, by rule_group.", G, |s| s.evaluation_time.as_secs_f64()),
    ("prometheus_rule_group_last_evaluation_timestamp_seconds", "When a group was last evaluated, or zero, by rule_group.", G, |s| s.last_evaluation.map_or(0.0, masthead_model::Millis::as_seconds)),
    ("prometheus_rule_group_last_evaluation_samples", "Samples that the last evaluation of a group made, by rule_group.", G, |s| count(s.last_samples)),
    ("prometheus_rule_group_rules", "Rules of a group, by rule_group.", G, |s| count(s.rules)),
    ("masthead_rules_samples_refused", "Results of rules that the store refused, by rule_group.", C, |s| count(s.refused)),
];

#[rustfmt::skip]
const RECEIVERS: &[Row<ReceiverStats>] = &[
    ("prometheus_notifications_sent", "Alerts that an Alertmanager took, by alertmanager.", C, |s| count(s.sent)),
    ("prometheus_notifications_errors", "Alerts in messages that an Alertmanager did not take, by alertmanager.", C, |s| count(s.errors)),
];

/// Alerts on their way: dropped, waiting, room, Alertmanagers.
type Notified = (u64, u64, u64, u64);

#[rustfmt::skip]
const NOTIFIER: &[Row<Notified>] = &[
    ("prometheus_notifications_dropped", "Alerts that were given up: a full queue, or a message that failed.", C, |s| count(s.0)),
    ("prometheus_notifications_queue_length", "Alerts that wait, in the fullest queue.", G, |s| count(s.1)),
    ("prometheus_notifications_queue_capacity", "Alerts that may wait for one Alertmanager.", G, |s| count(s.2)),
    ("prometheus_notifications_alertmanagers_discovered", "Alertmanagers that are told.", G, |s| count(s.3)),
];

#[expect(clippy::cast_precision_loss, reason = "an exposition has floats")]
fn count(count: u64) -> f64 {
    count as f64
}

impl Collector for Numbers {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let groups: Vec<_> =
            self.0.rules().stats().into_iter().map(|stats| (stats.group.clone(), stats)).collect();
        family(&mut encoder, GROUPS, "rule_group", &groups)?;
        let notified = self.0.notified();
        let found = notified.receivers.len() as u64;
        let receivers: Vec<_> =
            notified.receivers.into_iter().map(|stats| (stats.url.clone(), stats)).collect();
        family(&mut encoder, RECEIVERS, "alertmanager", &receivers)?;
        let all = (notified.dropped, notified.queue_length, QUEUE_MAX as u64, found);
        for (name, help, kind, number) in NOTIFIER {
            let metric = encoder.encode_descriptor(name, help, None, *kind)?;
            match kind {
                MetricType::Counter => ConstCounter::new(number(&all)).encode(metric)?,
                _ => ConstGauge::new(number(&all)).encode(metric)?,
            }
        }
        Ok(())
    }
}

/// Writes the rows of a table, one sample for each of `all`.
fn family<S>(
    encoder: &mut DescriptorEncoder<'_>,
    rows: &[Row<S>],
    label: &str,
    all: &[(String, S)],
) -> Result<(), fmt::Error> {
    if all.is_empty() {
        return Ok(());
    }
    for (name, help, kind, number) in rows {
        let mut family = encoder.encode_descriptor(name, help, None, *kind)?;
        for (value, stats) in all {
            let labels = [(label, value.as_str())];
            let metric = family.encode_family(&labels)?;
            match kind {
                MetricType::Counter => ConstCounter::new(number(stats)).encode(metric)?,
                _ => ConstGauge::new(number(stats)).encode(metric)?,
            }
        }
    }
    Ok(())
}
