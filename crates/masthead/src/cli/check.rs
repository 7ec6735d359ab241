//! Arguments of `masthead check`.

use camino::Utf8PathBuf;
use clap::{Args, Subcommand, ValueEnum};

use super::CheckRulesArgs;

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
    Rules(CheckRulesArgs),
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

/// The formats of configuration files that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ConfigKind {
    Masthead,
    Prometheus,
    Promtail,
}
