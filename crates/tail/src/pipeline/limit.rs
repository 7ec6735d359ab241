//! `limit`: so many lines a second and no more, for all files of a job together.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use serde::Deserialize;

use crate::{
    entry::Entry,
    pipeline::{
        Cx, Stage, Verdict,
        section::{Context, Made},
    },
};

/// Label values with a limit of their own, at most; beyond, all start anew.
pub(crate) const DISTINCT_LABELS_MIN: usize = 10_000;

const DROP_REASON: &str = "ratelimit_drop_stage";

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Lines a second.
    pub(crate) rate: f64,
    /// Lines at once.
    pub(crate) burst: f64,
    /// Whether lines beyond are dropped; else reading waits.
    pub(crate) drop: bool,
    /// A label of which each value has a limit of its own.
    pub(crate) by_label_name: Option<String>,
    pub(crate) distinct_labels_max: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct Limit {
    settings: Arc<Settings>,
    buckets: Arc<Mutex<Buckets>>,
}

#[derive(Debug, Default)]
struct Buckets {
    one: Bucket,
    by_label: HashMap<String, Bucket>,
}

/// Tokens, filled with time.
#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    /// What has been taken and not filled again.
    taken: f64,
    at: Duration,
}

impl Bucket {
    /// Takes a token, or says how long until there is one.
    fn take(&mut self, settings: &Settings, now: Duration) -> Result<(), Duration> {
        let filled = now.saturating_sub(self.at).as_secs_f64() * settings.rate;
        self.taken = (self.taken - filled).max(0.0);
        self.at = now;
        let missing = self.taken + 1.0 - settings.burst;
        // What rounding leaves is not worth a wait.
        if missing > 1e-9 {
            return Err(Duration::from_secs_f64((missing / settings.rate).min(3600.0)));
        }
        self.taken += 1.0;
        Ok(())
    }
}

impl Limit {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings: Arc::new(settings), buckets: Arc::default() }
    }
}

impl Stage for Limit {
    fn process(&mut self, cx: &Cx<'_>, entry: &mut Entry) -> Verdict {
        let mut buckets = self.buckets.lock();
        let bucket = match &self.settings.by_label_name {
            None => &mut buckets.one,
            Some(name) => {
                let Some(value) = entry.labels.get(name) else { return Verdict::Next };
                if buckets.by_label.len() >= self.settings.distinct_labels_max
                    && !buckets.by_label.contains_key(value)
                {
                    buckets.by_label.clear();
                }
                buckets.by_label.entry(value.to_owned()).or_default()
            }
        };
        match bucket.take(&self.settings, cx.monotonic) {
            Ok(()) => Verdict::Next,
            Err(_) if self.settings.drop => {
                cx.stats.dropped(DROP_REASON);
                Verdict::Drop
            }
            Err(wait) => Verdict::Wait(cx.monotonic + wait),
        }
    }

    fn fresh(&self) -> Box<dyn Stage> {
        Box::new(self.clone())
    }
}

/// The section, as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    rate: f64,
    burst: f64,
    drop: bool,
    by_label_name: String,
    max_distinct_labels: usize,
}

/// Checks the section and makes the stage.
pub(crate) fn make(written: Option<Written>, _: &Context<'_>) -> Made {
    let written = written.unwrap_or_default();
    if !(written.rate > 0.0 && written.burst >= 1.0) {
        return Err("limit stage failed to parse rate or burst".to_owned());
    }
    let by_label_name = Some(written.by_label_name).filter(|name| !name.is_empty());
    if by_label_name.is_some() && !written.drop {
        return Err("When ratelimiting by label, drop must be true".to_owned());
    }
    Ok(Box::new(Limit::new(Settings {
        rate: written.rate,
        burst: written.burst,
        drop: written.drop,
        by_label_name,
        distinct_labels_max: written.max_distinct_labels.max(DISTINCT_LABELS_MIN),
    })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::{Outcome, testing::Runner};

    fn settings() -> Settings {
        Settings {
            rate: 2.0,
            burst: 3.0,
            drop: true,
            by_label_name: None,
            distinct_labels_max: DISTINCT_LABELS_MIN,
        }
    }

    #[test]
    fn lines_beyond_the_burst_are_dropped_until_time_passes() {
        let mut runner = Runner::new(vec![Box::new(Limit::new(settings()))]);
        runner.lines(5);
        assert_eq!(runner.out.len(), 3);
        assert_eq!(runner.stats.dropped_lines(), [(DROP_REASON.to_owned(), 2)]);
        runner.now += Duration::from_secs(1);
        runner.lines(5);
        assert_eq!(runner.out.len(), 5);
    }

    #[test]
    fn without_drop_a_line_waits_and_is_not_lost() {
        let limit = Limit::new(Settings { drop: false, burst: 1.0, ..settings() });
        let mut runner = Runner::new(vec![Box::new(limit)]);
        assert_eq!(runner.line("one"), Outcome::Emit);
        assert_eq!(runner.line("two"), Outcome::Parked);
        assert_eq!(runner.held(), 1);
        assert_eq!(runner.resume(), Outcome::Parked);
        runner.now += Duration::from_millis(500);
        assert_eq!(runner.resume(), Outcome::Emit);
        assert_eq!(runner.shown(), ["0 {} one", "0 {} two"]);
        assert_eq!(runner.held(), 0);
    }

    #[test]
    fn files_of_a_job_share_the_limit_and_label_values_do_not() {
        let limit = Limit::new(settings());
        let mut other = Runner::new(vec![limit.fresh()]);
        let mut runner = Runner::new(vec![Box::new(limit)]);
        runner.lines(2);
        other.lines(2);
        assert_eq!(runner.out.len() + other.out.len(), 3);

        let by_label = Settings { by_label_name: Some("app".into()), ..settings() };
        let limit = Limit::new(by_label);
        for app in ["a", "b"] {
            let mut runner = Runner::new(vec![limit.fresh()]).with_labels(&[("app", app)]);
            runner.lines(5);
            assert_eq!(runner.out.len(), 3);
        }
        let mut without = Runner::new(vec![limit.fresh()]);
        without.lines(5);
        assert_eq!(without.out.len(), 5);
    }
}
