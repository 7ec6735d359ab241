//! `masthead check`: what is wrong with a file, before anything depends on it.
//!
//! Right is exit code 0 and a line on stdout; wrong is 2, and what and where on stderr. What is
//! known and not in force is told on stderr and changes nothing. Dashboards are more than one file
//! and can be right in part: 1 says that something in them is not supported or does not parse, and
//! so it does of rules (`check/rules.rs`), as promtool's.

pub(super) mod dashboards;
pub(super) mod rules;

use crate::{
    cli::{CheckArgs, CheckCommand, CheckConfigArgs, ConfigKind, UsageError},
    config, terminal,
};

/// Checks.
///
/// # Errors
/// A [`UsageError`] that says what is wrong.
pub(crate) fn run(args: &CheckArgs) -> anyhow::Result<()> {
    match &args.command {
        CheckCommand::Config(args) => {
            let CheckConfigArgs { file, kind } = args;
            let found = match kind {
                ConfigKind::Masthead => config::check(file),
                ConfigKind::Prometheus => with_flag("--prometheus-config", file.as_str()),
                ConfigKind::Promtail => with_flag("--promtail-config", file.as_str()),
            };
            tell(file.as_str(), found)
        }
        CheckCommand::Rules(args) => rules::run(args),
        CheckCommand::Dashboards(args) => dashboards::run(args),
    }
}

fn with_flag(flag: &str, file: &str) -> anyhow::Result<Vec<String>> {
    let words = ["masthead", "serve", flag, file].map(Into::into);
    config::check_sections(&config::resolve(&words)?)
}

/// Says what was found about `what`.
///
/// # Errors
/// A [`UsageError`] with what is wrong.
pub(super) fn tell(what: &str, found: anyhow::Result<Vec<String>>) -> anyhow::Result<()> {
    let warnings = found.map_err(|error| UsageError(format!("{error:#}")))?;
    for warning in warnings {
        terminal::say(&format!("note: {warning}"));
    }
    terminal::print(&format!("{what}: ok"))?;
    Ok(())
}
