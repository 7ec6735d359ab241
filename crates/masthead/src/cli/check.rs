//! Arguments of `masthead check`.

use camino::Utf8PathBuf;
use clap::{Args, Subcommand};

use super::EXIT_CODES;

/// What can be looked at before anything is started; one variant per file of `commands/check/`.
#[derive(Debug, Subcommand)]
pub(crate) enum CheckCommand {
    /// Say what of Grafana dashboards is not supported, and whether every query parses.
    #[command(after_help = EXIT_CODES)]
    Dashboards(CheckDashboardsArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CheckDashboardsArgs {
    /// A folder of dashboards (Grafana's JSON), those below it included, or one file.
    #[arg(value_name = "DIR")]
    pub path: Utf8PathBuf,

    /// Print one JSON document instead of text.
    #[arg(long)]
    pub json: bool,
}
