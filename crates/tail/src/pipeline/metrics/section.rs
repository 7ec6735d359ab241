//! The section `metrics`: how it is written and checked.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;

use super::{Action, CustomMetrics, Kind, Metric, Metrics};
use crate::{
    config::go_duration,
    pipeline::section::{Context, Made},
};

/// The section, as it is written: metrics by their names.
pub(crate) type Written = BTreeMap<String, WrittenMetric>;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct WrittenMetric {
    #[serde(rename = "type")]
    kind: String,
    description: String,
    source: Option<String>,
    prefix: String,
    max_idle_duration: Option<String>,
    config: WrittenMetricConfig,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenMetricConfig {
    match_all: bool,
    count_entry_bytes: bool,
    value: Option<String>,
    action: String,
    buckets: Vec<f64>,
}

/// Checks the section and makes the stage.
pub(crate) fn make(written: Option<Written>, context: &Context<'_>) -> Made {
    let written = written.ok_or("empty metric stage configuration")?;
    let made = written.into_iter().map(|(name, one)| {
        metric(&name, one, context.metrics).map_err(|error| format!("{name}: {error}"))
    });
    Ok(Box::new(Metrics(made.collect::<Result<_, _>>()?)))
}

fn metric(name: &str, written: WrittenMetric, all: &CustomMetrics) -> Result<Metric, String> {
    let config = written.config;
    let given = config.action.to_lowercase();
    let (kind, action) = match written.kind.to_lowercase().as_str() {
        "counter" => (Kind::Counter, counter_action(&config, &given)?),
        "gauge" => {
            let action = match given.as_str() {
                "inc" => Action::Inc,
                "dec" => Action::Dec,
                "add" => Action::Add,
                "sub" => Action::Sub,
                "set" => Action::Set,
                other => return Err(format!("gauge action {other:?} is not valid")),
            };
            (Kind::Gauge, action)
        }
        "histogram" => {
            if !config.buckets.is_sorted() || config.buckets.iter().any(|bound| bound.is_nan()) {
                return Err("the buckets of a histogram must rise".to_owned());
            }
            let bounds = if config.buckets.is_empty() {
                DEFAULT_BUCKETS.to_vec()
            } else {
                config.buckets.into_iter().filter(|bound| bound.is_finite()).collect()
            };
            (Kind::Histogram(bounds), Action::Observe)
        }
        other => {
            return Err(format!(
                "invalid metric type '{other}', metric type must be one of 'counter', 'gauge', or \
                 'histogram'"
            ));
        }
    };
    let idle_max = match &written.max_idle_duration {
        None => Duration::from_mins(5),
        Some(text) => {
            let idle = go_duration(text)
                .map_err(|error| format!("max_idle_duration could not be parsed: {error}"))?;
            if idle < Duration::from_secs(1) {
                return Err("max_idle_duration less than 1s not allowed".to_owned());
            }
            idle
        }
    };
    let prefix = match written.prefix.as_str() {
        "" => "promtail_custom_",
        prefix => prefix,
    };
    let full = format!("{prefix}{name}");
    if !masthead_model::is_legacy_metric_name(&full) {
        return Err(format!("{full:?} is no name of a metric"));
    }
    Ok(Metric {
        family: all.family(&full, &written.description, kind, idle_max)?,
        source: written.source.unwrap_or_else(|| name.to_owned()).into(),
        value: config.value,
        action,
        match_all: config.match_all,
        count_entry_bytes: config.count_entry_bytes,
    })
}

/// Those of Prometheus' client library.
const DEFAULT_BUCKETS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

fn counter_action(config: &WrittenMetricConfig, given: &str) -> Result<Action, String> {
    let action = match given {
        "inc" => Action::Inc,
        "add" => Action::Add,
        "" => return Err("counter action must be defined as either `inc` or `add`".to_owned()),
        other => {
            return Err(format!(
                "action {other} is not valid, action must be either `inc` or `add`"
            ));
        }
    };
    if config.match_all && config.value.is_some() {
        return Err(
            "`match_all: true` cannot be combined with `value`, please remove `match_all` \
                    or `value`"
                .to_owned(),
        );
    }
    if config.count_entry_bytes && !config.match_all {
        return Err("`count_entry_bytes: true` can only be set with `match_all: true`".to_owned());
    }
    if config.count_entry_bytes && action != Action::Add {
        return Err("`count_entry_bytes: true` can only be used with `action: add`".to_owned());
    }
    Ok(action)
}
