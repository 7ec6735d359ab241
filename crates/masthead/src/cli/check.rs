//! Arguments of `masthead check`.

use camino::Utf8PathBuf;
use clap::{Args, Subcommand, ValueEnum, builder::BoolishValueParser};

use super::{CheckRulesArgs, EXIT_CODES};

/// `masthead check`
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(subcommand)]
    pub command: CheckCommand,
}

/// What can be checked; one variant each.
#[derive(Debug, Subcommand)]
pub(crate) enum CheckCommand {
    /// A masthead.yaml, a prometheus.yml or a promtail.yaml.
    Config(CheckConfigArgs),
    /// Rule files, with everything that is wrong with them.
    #[command(after_help = EXIT_CODES)]
    Rules(CheckRulesArgs),
    /// Grafana dashboards: what is not supported, and whether every query parses.
    #[command(after_help = EXIT_CODES)]
    Dashboards(CheckDashboardsArgs),
}

/// `masthead check config`
#[derive(Debug, Args)]
pub(crate) struct CheckConfigArgs {
    /// The file.
    #[arg(env = "MASTHEAD_CHECK_CONFIG_FILE", value_name = "FILE")]
    pub file: Utf8PathBuf,

    /// Whose format it has.
    #[arg(long = "as", value_enum, env = "MASTHEAD_CHECK_CONFIG_AS")]
    #[arg(default_value_t = ConfigKind::Masthead)]
    pub kind: ConfigKind,
}

/// `masthead check dashboards`
#[derive(Debug, Args)]
pub(crate) struct CheckDashboardsArgs {
    /// A folder of dashboards (Grafana's JSON), those below it included, or one file.
    #[arg(env = "MASTHEAD_CHECK_DASHBOARDS_DIR", value_name = "DIR")]
    pub path: Utf8PathBuf,

    /// Print one JSON document instead of text.
    #[arg(long, env = "MASTHEAD_CHECK_DASHBOARDS_JSON")]
    #[arg(value_parser = BoolishValueParser::new())]
    pub json: bool,
}

/// The formats of configuration files that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ConfigKind {
    Masthead,
    Prometheus,
    Promtail,
}
