//! Rules and alerts: the rule files of prometheus.yml and of `--logs.rule-files`, those that
//! ship with the program, those of a cluster, and the Alertmanagers that are told.
//!
//! A reload reads everything first; a file that is wrong changes nothing. The rules of a cluster come
//! and go by themselves ([`Alerting::replace_found`]); there a file that is wrong is left out alone.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool},
    time::Duration,
};

use anyhow::{Context as _, bail};
use camino::Utf8Path;
use masthead_discovery::expand;
use masthead_logdb::Logdb;
use masthead_model::Labels;
use masthead_ports::{Alertmanagers, QueryLimits, RuleGroup, RulesView, SampleSink};
use masthead_promql::Features;
use masthead_rules::{
    FILE_BYTES_MAX, GroupSpec, Language, LogRules, Notifier, NotifierStats, Parts, Rules,
    RulesConfig, SampleRules, Settings, parse_file,
};
use masthead_sysio::{Clock, RealFs, read_to_vec};
use masthead_tsdb::Tsdb;

use super::engines::{Engines, features};
use crate::{
    cli::{ServeArgs, UsageError},
    config,
    tasks::{Task, Tasks},
};

/// The rules that ship: name, text, language.
const SHIPPED: [(&str, &str, Language); 3] = [
    (
        "shipped/services.yaml",
        include_str!("../../../../infra/rules/services.yaml"),
        Language::Promql,
    ),
    (
        "shipped/machine.yaml",
        include_str!("../../../../infra/rules/machine.yaml"),
        Language::Promql,
    ),
    ("shipped/logs.yaml", include_str!("../../../../infra/rules/logs.yaml"), Language::Logql),
];

/// How often rules are evaluated when no file says otherwise.
const INTERVAL_DEFAULT: Duration = Duration::from_secs(15);
/// How long alerts that still wait at the end may take.
const DRAIN: Duration = Duration::from_secs(3);

/// The rules and whoever is told of alerts.
#[derive(Debug)]
pub(super) struct Alerting {
    rules: Rules,
    notifier: Notifier,
    args: ServeArgs,
    in_force: Mutex<InForce>,
    running: Mutex<Vec<Task>>,
    /// Ends the evaluations under way.
    ending: Arc<AtomicBool>,
}

/// What was loaded last, so that either half can be replaced without the other.
#[derive(Debug, Default)]
struct InForce {
    /// Groups of files, and what they are evaluated with; nothing before the first was loaded.
    files: Option<(Vec<GroupSpec>, Labels, Duration, Duration)>,
    /// Groups of the cluster.
    found: Vec<GroupSpec>,
}

/// What the rules stand on.
pub(super) struct StandsOn {
    pub metrics: Arc<Tsdb>,
    /// Where results go: the store, and whoever it is forwarded to.
    pub sink: Arc<dyn SampleSink>,
    pub logs: Arc<Logdb>,
    pub clock: Arc<dyn Clock>,
}

/// A configuration that was read and is not in force yet.
pub(super) struct Read {
    config: RulesConfig,
    groups: Vec<GroupSpec>,
}

impl Alerting {
    /// Puts the parts together and checks the files; [`Alerting::begin`] follows when the store
    /// takes samples.
    ///
    /// # Errors
    /// A file that cannot be read or is wrong, with its place.
    pub(super) fn new(
        args: &ServeArgs,
        own: SocketAddr,
        engines: &Engines,
        on: StandsOn,
    ) -> anyhow::Result<Self> {
        let StandsOn { metrics, sink, logs, clock } = on;
        let samples = SampleRules {
            engine: engines.promql.clone(),
            source: metrics,
            clock: Arc::clone(&clock),
            limits: QueryLimits { timeout: args.query_timeout, samples: args.query_max_samples },
            ending: Arc::default(),
        };
        let ending = Arc::clone(&samples.ending);
        let lines =
            LogRules { engine: engines.logql.clone(), source: logs, samples: samples.clone() };
        let notifier = Notifier::new(Arc::new(RealFs));
        let parts = Parts {
            samples: Arc::new(samples),
            logs: Arc::new(lines),
            sink,
            clock,
            notifier: notifier.clone(),
        };
        let settings = Settings {
            external_url: external_url(args, own),
            resend_delay: args.rules.resend_delay,
            outage_tolerance: args.rules.outage_tolerance,
            grace_period: args.rules.grace_period,
            ..Settings::default()
        };
        let alerting = Self {
            rules: Rules::new(parts, settings),
            notifier,
            args: args.clone(),
            in_force: Mutex::default(),
            running: Mutex::default(),
            ending,
        };
        alerting.read().map_err(|error| UsageError(format!("{error:#}")))?;
        Ok(alerting)
    }

    /// Begins to evaluate.
    ///
    /// # Errors
    /// A configuration that cannot be put in force.
    pub(super) async fn begin(
        self: &Arc<Self>,
        external_labels: Labels,
        tasks: &Tasks,
    ) -> anyhow::Result<()> {
        let alerting = Arc::clone(self);
        let load = move || alerting.apply(alerting.read()?, external_labels);
        let loaded = tokio::task::spawn_blocking(load).await?;
        loaded.map_err(|error| UsageError(format!("{error:#}")))?;
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.push(tasks.spawn("rules", self.rules.clone().run()));
        running.push(tasks.spawn("notifier", self.notifier.clone().run()));
        Ok(())
    }

    /// Reads all files.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn read(&self) -> anyhow::Result<Read> {
        read(&self.args)
    }

    /// Puts what was read in force. Blocks.
    ///
    /// # Errors
    /// Options of an Alertmanager that cannot be used; then nothing has changed.
    pub(super) fn apply(&self, read: Read, external_labels: Labels) -> anyhow::Result<()> {
        let Read { config, groups } = read;
        self.notifier
            .apply(&config.alertmanagers, config.alert_relabel_rules)
            .context("alerting.alertmanagers")?;
        let (interval, offset) = (config.evaluation_interval, config.query_offset);
        self.load(|in_force| {
            in_force.files = Some((groups, external_labels, interval, offset));
        });
        Ok(())
    }

    /// Reads the rules of a PrometheusRule; `file` is their file's name in messages and in the API.
    ///
    /// # Errors
    /// Everything that is wrong, in one line.
    pub(super) fn parse_found(&self, file: &str, text: &str) -> Result<Vec<GroupSpec>, String> {
        parse_file(text, file, Language::Promql, features(&self.args)).map_err(|errors| {
            // The text is one line that nobody wrote, so a place in it helps nobody.
            let errors: Vec<_> = errors.into_iter().map(|error| error.what).collect();
            errors.join("; ")
        })
    }

    /// Evaluates these groups of a cluster in place of those found before. Blocks.
    pub(super) fn replace_found(&self, groups: Vec<GroupSpec>) {
        self.load(|in_force| in_force.found = groups);
    }

    fn load(&self, change: impl FnOnce(&mut InForce)) {
        let mut in_force = self.in_force.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut in_force);
        if let Some((files, external_labels, interval, offset)) = &in_force.files {
            let groups = files.iter().chain(&in_force.found).cloned().collect();
            self.rules.load(groups, external_labels.clone(), *interval, *offset);
        }
    }

    /// Setting this to true ends the evaluations under way, and those that are still to come.
    pub(super) fn ending(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.ending)
    }

    /// The rules.
    pub(super) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// What the notifier has counted.
    pub(super) fn notified(&self) -> NotifierStats {
        self.notifier.stats()
    }

    /// Ends all evaluation, and gives alerts that wait a last chance.
    pub(super) async fn stop(&self) {
        self.rules.stop().await;
        self.running.lock().unwrap_or_else(PoisonError::into_inner).clear();
        if tokio::time::timeout(DRAIN, self.notifier.drain()).await.is_err() {
            let waiting = self.notifier.stats().queue_length;
            tracing::warn!(waiting, "Alerts were not told before the end.");
        }
    }
}

/// The rules over lines, as Loki's API shows them.
#[derive(Debug)]
pub(super) struct LineRules(pub(super) Arc<Alerting>);

impl RulesView for LineRules {
    fn groups(&self) -> Vec<RuleGroup> {
        self.0.rules.groups_of(Language::Logql)
    }

    fn alertmanagers(&self) -> Alertmanagers {
        self.0.rules.alertmanagers()
    }
}

/// Reads every rule file that `args` name.
///
/// # Errors
/// What is wrong with them, with its place.
pub(crate) fn check(args: &ServeArgs) -> anyhow::Result<()> {
    read(args).map(drop)
}

fn read(args: &ServeArgs) -> anyhow::Result<Read> {
    let features = features(args);
    let mut groups = Vec::new();
    let config = match config::metrics(args)? {
        None => RulesConfig { evaluation_interval: INTERVAL_DEFAULT, ..RulesConfig::default() },
        Some(source) => {
            let config = source.rules()?;
            for pattern in &config.rule_files {
                let what = || format!("{}: rule_files", source.path);
                let pattern = Utf8Path::new(pattern.as_str());
                add(&mut groups, pattern, Language::Promql, features).with_context(what)?;
            }
            config
        }
    };
    for pattern in &args.rules.log_rule_files {
        let what = || format!("--logs.rule-files {pattern}");
        add(&mut groups, pattern, Language::Logql, features).with_context(what)?;
    }
    if args.rules.shipped_rules {
        for (name, text, language) in SHIPPED {
            groups.extend(parsed(text, name, language, features)?);
        }
    }
    Ok(Read { config, groups })
}

fn add(
    groups: &mut Vec<GroupSpec>,
    pattern: &Utf8Path,
    language: Language,
    features: Features,
) -> anyhow::Result<()> {
    let mut files = expand(&RealFs, pattern).with_context(|| pattern.to_string())?;
    files.sort();
    for file in files {
        let text = text_of(&file).with_context(|| file.to_string())?;
        // Two patterns may name one file; it counts once, as upstream.
        groups.retain(|group| *group.file != *file.as_str());
        groups.extend(parsed(&text, file.as_str(), language, features)?);
    }
    Ok(())
}

fn parsed(
    text: &str,
    file: &str,
    language: Language,
    features: Features,
) -> anyhow::Result<Vec<GroupSpec>> {
    match parse_file(text, file, language, features) {
        Ok(groups) => Ok(groups),
        Err(errors) => {
            let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
            bail!("{}", errors.join("; "));
        }
    }
}

fn text_of(file: &Utf8Path) -> anyhow::Result<String> {
    Ok(String::from_utf8(read_to_vec(&RealFs, file, FILE_BYTES_MAX)?)?)
}

/// Where people reach the server, without a slash at its end.
fn external_url(args: &ServeArgs, own: SocketAddr) -> String {
    if let Some(url) = &args.rules.external_url {
        return url.to_string().trim_end_matches('/').to_owned();
    }
    if !own.ip().is_unspecified() {
        return format!("http://{own}");
    }
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    format!("http://{host}:{}", own.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_that_ship_are_rules() {
        let mut names = Vec::new();
        for (name, text, language) in SHIPPED {
            let groups = parsed(text, name, language, Features::STABLE).unwrap();
            let rules = groups.iter().flat_map(|group| &group.rules);
            names.extend(rules.map(|rule| rule.name.clone()));
        }
        for alert in
            ["HttpErrorsHigh", "HttpLatencyHigh", "TargetDown", "DiskFilling", "LogErrorsHigh"]
        {
            assert!(names.iter().any(|name| name == alert), "{alert} is not in {names:?}");
        }
    }
}
