//! `metrics`: counters, gauges and histograms from what was extracted, one series for each label set.
//!
//! They are counted here and shown by whoever owns the registry ([`CustomMetrics::collect`]). A
//! series that nothing touches for `max_idle_duration` is gone, as Promtail's.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use masthead_model::{GoDuration, Labels};
use parking_lot::Mutex;

use crate::{
    entry::{Entry, Value},
    pipeline::{Cx, Stage, Verdict},
};

mod section;

pub(crate) use section::{Written, make};

/// Series of one metric; lines that would make another are not counted.
const SERIES_MAX: usize = 10_000;

/// Metrics that pipelines make; shared by all files of all jobs.
#[derive(Debug, Clone, Default)]
pub struct CustomMetrics {
    families: Arc<Mutex<BTreeMap<Arc<str>, Arc<Family>>>>,
}

/// One metric as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomMetric {
    /// With its prefix.
    pub name: String,
    /// What it means, in the words of the configuration.
    pub help: String,
    /// Its series.
    pub series: Vec<(Labels, CustomValue)>,
}

/// What a series counts.
#[derive(Debug, Clone, PartialEq)]
pub enum CustomValue {
    /// A number that only rises.
    Counter(f64),
    /// A number that rises and falls.
    Gauge(f64),
    /// How many values there were up to each bound.
    Histogram {
        /// Upper bounds, rising, with what fell between each and the one before; the last one is
        /// infinite.
        buckets: Vec<(f64, u64)>,
        /// Of all values.
        sum: f64,
        /// Of values.
        count: u64,
    },
}

/// One metric as it was configured.
#[derive(Debug)]
pub(crate) struct Family {
    help: String,
    kind: Kind,
    idle_max: Duration,
    series: Mutex<HashMap<Labels, Series>>,
}

#[derive(Debug, Clone)]
struct Series {
    value: CustomValue,
    touched: Duration,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    /// Upper bounds, without the infinite one.
    Histogram(Vec<f64>),
}

/// What happens to a metric at a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Inc,
    Dec,
    Add,
    Sub,
    Set,
    Observe,
}

/// One metric of a stage.
#[derive(Debug, Clone)]
pub(crate) struct Metric {
    pub(crate) family: Arc<Family>,
    pub(crate) source: Arc<str>,
    /// Only values with this text count.
    pub(crate) value: Option<String>,
    pub(crate) action: Action,
    /// Every line counts, whatever was extracted.
    pub(crate) match_all: bool,
    /// The length of the line is what is added.
    pub(crate) count_entry_bytes: bool,
}

impl CustomMetrics {
    /// The family of this name, made if it is new. Another one of the same name and kind is the same.
    ///
    /// # Errors
    /// It is there with another kind.
    pub(crate) fn family(
        &self,
        name: &str,
        help: &str,
        kind: Kind,
        idle_max: Duration,
    ) -> Result<Arc<Family>, String> {
        let mut families = self.families.lock();
        if let Some(known) = families.get(name) {
            return if known.kind == kind {
                Ok(Arc::clone(known))
            } else {
                Err(format!("the metric {name} is there already, with another type or buckets"))
            };
        }
        let series = Mutex::default();
        let family = Arc::new(Family { help: help.to_owned(), kind, idle_max, series });
        families.insert(name.into(), Arc::clone(&family));
        Ok(family)
    }

    /// All metrics as they are at the monotonic time `now` of the collector's clock.
    pub fn collect(&self, now: Duration) -> Vec<CustomMetric> {
        let families = self.families.lock().clone();
        families
            .into_iter()
            .map(|(name, family)| {
                let mut series = family.series.lock();
                series.retain(|_, s| now.saturating_sub(s.touched) < family.idle_max);
                let mut series: Vec<_> =
                    series.iter().map(|(labels, s)| (labels.clone(), s.value.clone())).collect();
                series.sort_by(|one, other| one.0.cmp(&other.0));
                CustomMetric { name: name.to_string(), help: family.help.clone(), series }
            })
            .collect()
    }
}

impl Family {
    fn touch(&self, labels: Labels, now: Duration, change: impl FnOnce(&mut CustomValue)) {
        let mut series = self.series.lock();
        if series.len() >= SERIES_MAX && !series.contains_key(&labels) {
            return;
        }
        let series = series.entry(labels).or_insert_with(|| Series {
            value: match &self.kind {
                Kind::Counter => CustomValue::Counter(0.0),
                Kind::Gauge => CustomValue::Gauge(0.0),
                Kind::Histogram(bounds) => CustomValue::Histogram {
                    buckets: bounds
                        .iter()
                        .copied()
                        .chain([f64::INFINITY])
                        .map(|b| (b, 0))
                        .collect(),
                    sum: 0.0,
                    count: 0,
                },
            },
            touched: now,
        });
        series.touched = now;
        change(&mut series.value);
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Metrics(pub(crate) Arc<[Metric]>);

impl Stage for Metrics {
    fn process(&mut self, cx: &Cx<'_>, entry: &mut Entry) -> Verdict {
        let mut labels = None;
        for metric in &*self.0 {
            let Some(amount) = amount(metric, entry) else { continue };
            let labels = labels.get_or_insert_with(|| entry.labels.resolve());
            metric.family.touch(labels.clone(), cx.monotonic, |value| {
                apply(value, metric.action, amount);
            });
        }
        Verdict::Next
    }

    fn fresh(&self) -> Box<dyn Stage> {
        Box::new(self.clone())
    }
}

/// What the line changes the metric by; `None` if it does not.
fn amount(metric: &Metric, entry: &Entry) -> Option<f64> {
    if metric.match_all {
        let bytes = u32::try_from(entry.line.len()).unwrap_or(u32::MAX);
        return Some(if metric.count_entry_bytes { f64::from(bytes) } else { 1.0 });
    }
    let value = entry.value(&metric.source)?;
    if let Some(wanted) = &metric.value
        && value.text()? != wanted.as_bytes()
    {
        return None;
    }
    match metric.action {
        Action::Inc | Action::Dec => Some(1.0),
        _ => number(&value),
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Bool(bool) => Some(f64::from(u8::from(*bool))),
        Value::Text(text) => {
            let text = str::from_utf8(text).ok()?;
            // `0.5ms` counts as seconds.
            let seconds = || GoDuration::parse(text).ok().map(seconds);
            masthead_model::parse_number(text).or_else(seconds)
        }
        Value::Null | Value::Removed => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "durations of log lines are short")]
fn seconds(duration: GoDuration) -> f64 {
    duration.0 as f64 / 1e9
}

fn apply(value: &mut CustomValue, action: Action, amount: f64) {
    match value {
        // A counter never falls.
        CustomValue::Counter(total) => {
            if amount >= 0.0 {
                *total += amount;
            }
        }
        CustomValue::Gauge(now) => match action {
            Action::Set => *now = amount,
            Action::Dec | Action::Sub => *now -= amount,
            Action::Inc | Action::Add | Action::Observe => *now += amount,
        },
        CustomValue::Histogram { buckets, sum, count } => {
            if let Some((_, inside)) = buckets.iter_mut().find(|(bound, _)| amount <= *bound) {
                *inside += 1;
            }
            *sum += amount;
            *count += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::{
        json::{Expression, JsonStage},
        testing::Runner,
    };

    fn runner(metrics: Vec<Metric>) -> Runner {
        let expressions = ["n", "d", "s"].map(|n| (Arc::from(n), Expression::parse(n).unwrap()));
        let json = JsonStage::new(expressions.into(), None, false);
        let stages: Vec<Box<dyn Stage>> = vec![Box::new(json), Box::new(Metrics(metrics.into()))];
        Runner::new(stages).with_labels(&[("app", "api")])
    }

    fn metric(family: &Arc<Family>, source: &str, action: Action) -> Metric {
        Metric {
            family: Arc::clone(family),
            source: source.into(),
            value: None,
            action,
            match_all: false,
            count_entry_bytes: false,
        }
    }

    const IDLE: Duration = Duration::from_mins(5);

    #[test]
    fn each_kind_counts_in_its_way() {
        let all = CustomMetrics::default();
        let counter = all.family("lines", "Lines.", Kind::Counter, IDLE).unwrap();
        let gauge = all.family("level", "", Kind::Gauge, IDLE).unwrap();
        let bounds = Kind::Histogram(vec![0.1, 1.0]);
        let histogram = all.family("duration", "", bounds, IDLE).unwrap();
        let warned = Metric { value: Some("warn".into()), ..metric(&counter, "s", Action::Inc) };
        let metrics = vec![
            warned,
            metric(&gauge, "n", Action::Set),
            metric(&histogram, "d", Action::Observe),
        ];
        let mut runner = runner(metrics);
        runner.line(r#"{"n":5,"d":"50ms","s":"warn"}"#);
        runner.line(r#"{"n":7,"d":"1.5","s":"info"}"#);
        runner.line(r#"{"s":"warn"}"#);
        let shown: Vec<_> =
            all.collect(runner.now).into_iter().map(|m| (m.name, m.series)).collect();
        let labels: Labels = [("app", "api")].into_iter().collect();
        let buckets = vec![(0.1, 1), (1.0, 0), (f64::INFINITY, 1)];
        let histogram = CustomValue::Histogram { buckets, sum: 1.55, count: 2 };
        assert_eq!(
            shown,
            [
                ("duration".to_owned(), vec![(labels.clone(), histogram)]),
                ("level".to_owned(), vec![(labels.clone(), CustomValue::Gauge(7.0))]),
                ("lines".to_owned(), vec![(labels, CustomValue::Counter(2.0))]),
            ]
        );
        assert!(all.collect(runner.now + IDLE).iter().all(|metric| metric.series.is_empty()));
    }

    #[test]
    fn all_lines_and_their_bytes() {
        let all = CustomMetrics::default();
        let counter = all.family("bytes", "", Kind::Counter, IDLE).unwrap();
        let mut metric = metric(&counter, "gone", Action::Add);
        (metric.match_all, metric.count_entry_bytes) = (true, true);
        let mut runner = runner(vec![metric]);
        runner.line("12345");
        runner.line("123");
        assert_eq!(all.collect(runner.now)[0].series[0].1, CustomValue::Counter(8.0));
    }

    #[test]
    fn a_name_has_one_kind() {
        let all = CustomMetrics::default();
        all.family("x", "", Kind::Counter, IDLE).unwrap();
        assert!(all.family("x", "", Kind::Counter, IDLE).is_ok());
        assert!(all.family("x", "", Kind::Gauge, IDLE).is_err());
    }
}
