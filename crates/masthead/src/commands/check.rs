//! `masthead check`: looks at files before anything is started with them; nothing is changed.

mod dashboards;

use crate::cli::CheckCommand;

/// Runs one check.
///
/// # Errors
/// What was found wrong, in one sentence; a [`crate::cli::UsageError`] when there was nothing to
/// look at.
pub(super) fn run(command: &CheckCommand) -> anyhow::Result<()> {
    match command {
        CheckCommand::Dashboards(args) => dashboards::run(args),
    }
}
