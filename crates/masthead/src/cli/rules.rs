//! Arguments about rules and alerts: the flags of `serve`, and the commands `check` and `test`.

use std::time::Duration;

use camino::Utf8PathBuf;
use clap::{Args, Subcommand, builder::BoolishValueParser};

use super::prometheus_duration;

/// What `serve` does with rules; the rules themselves are named by `--prometheus-config`.
#[derive(Clone, Debug, Args)]
pub(crate) struct RulesArgs {
    /// Files with rules over log lines, as Loki's ruler takes them; a star may stand in the last
    /// part of the path, and the flag may be given again.
    #[arg(long = "logs.rule-files", value_name = "GLOB", env = "MASTHEAD_LOGS_RULE_FILES")]
    #[arg(value_delimiter = ',')]
    pub log_rule_files: Vec<Utf8PathBuf>,

    /// Evaluate the rules that ship with Masthead too: errors and latency of services, targets that
    /// are down, disks that fill up, errors in logs.
    #[arg(long = "rules.shipped", env = "MASTHEAD_RULES_SHIPPED")]
    #[arg(value_parser = BoolishValueParser::new())]
    pub shipped_rules: bool,

    /// An alert that goes on is told again after so long.
    #[arg(long = "rules.alert.resend-delay", value_name = "DURATION", default_value = "1m")]
    #[arg(env = "MASTHEAD_RULES_ALERT_RESEND_DELAY", value_parser = prometheus_duration)]
    pub resend_delay: Duration,

    /// After a longer outage, alerts do not remember how long they have held.
    #[arg(
        long = "rules.alert.for-outage-tolerance",
        value_name = "DURATION",
        default_value = "1h"
    )]
    #[arg(env = "MASTHEAD_RULES_ALERT_FOR_OUTAGE_TOLERANCE", value_parser = prometheus_duration)]
    pub outage_tolerance: Duration,

    /// An alert that was about to fire waits at least so long after a start; one whose `for` is
    /// shorter does not remember how long it has held.
    #[arg(long = "rules.alert.for-grace-period", value_name = "DURATION", default_value = "10m")]
    #[arg(env = "MASTHEAD_RULES_ALERT_FOR_GRACE_PERIOD", value_parser = prometheus_duration)]
    pub grace_period: Duration,

    /// Where people reach this server, for links in alerts; without it, the address of `--listen`.
    #[arg(long = "web.external-url", value_name = "URL", env = "MASTHEAD_WEB_EXTERNAL_URL")]
    pub external_url: Option<http::Uri>,
}

/// `masthead check rules`
#[derive(Debug, Args)]
pub(crate) struct CheckRulesArgs {
    /// Rule files, or directories of `*.yml` and `*.yaml`.
    #[arg(required = true, value_name = "PATH", env = "MASTHEAD_CHECK_RULES")]
    pub paths: Vec<Utf8PathBuf>,

    /// The rules are over log lines, as Loki's ruler takes them.
    #[arg(long, env = "MASTHEAD_CHECK_LOGS", value_parser = BoolishValueParser::new())]
    pub logs: bool,

    /// Rules that make the same series are an error, not only a warning.
    #[arg(long, env = "MASTHEAD_CHECK_LINT_FATAL", value_parser = BoolishValueParser::new())]
    pub lint_fatal: bool,
}

/// `masthead test`
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    #[command(subcommand)]
    pub command: TestCommand,
}

/// What can be tested.
#[derive(Debug, Subcommand)]
pub(crate) enum TestCommand {
    /// Run unit tests of rules, in promtool's format.
    #[command(after_help = super::EXIT_CODES)]
    Rules(TestRulesArgs),
}

/// `masthead test rules`
#[derive(Debug, Args)]
pub(crate) struct TestRulesArgs {
    /// Files of tests.
    #[arg(required = true, value_name = "FILE", env = "MASTHEAD_TEST_RULES")]
    pub files: Vec<Utf8PathBuf>,
}
