//! `masthead test rules`: unit tests of rules, in promtool's format and with its words.

use std::io;

use anyhow::bail;
use camino::Utf8Path;
use masthead_discovery::expand;
use masthead_promql::Features;
use masthead_rules::{UnitReport, run_unit_tests};
use masthead_sysio::RealFs;

use super::check::rules::text_of;
use crate::{
    cli::{TestCommand, TestRulesArgs},
    terminal,
};

/// Runs the tests that the command names.
///
/// # Errors
/// A test failed, or cannot be read.
pub(crate) fn run(command: &TestCommand) -> anyhow::Result<()> {
    let TestCommand::Rules(TestRulesArgs { files }) = command;
    let mut failed = 0;
    for file in files {
        terminal::print(&format!("Unit Testing:  {file}"))?;
        let report = match text_of(file) {
            Ok(text) => run_unit_tests(&text, Features::ALL, &mut |pattern| find(file, pattern)),
            Err(error) => UnitReport { failures: vec![error.to_string()], ..UnitReport::default() },
        };
        for warning in &report.warnings {
            terminal::say(&format!("  WARNING: {warning}"));
        }
        if report.failures.is_empty() {
            terminal::print("  SUCCESS\n")?;
            continue;
        }
        failed += 1;
        terminal::say("  FAILED:");
        for failure in &report.failures {
            terminal::say(failure);
        }
        terminal::print("")?;
    }
    if failed > 0 {
        bail!("{failed} of {} files of tests failed", files.len());
    }
    Ok(())
}

/// The rule files that a pattern names, seen from the file of tests.
fn find(tests: &Utf8Path, pattern: &str) -> io::Result<Vec<(String, String)>> {
    let base = tests.parent().unwrap_or(Utf8Path::new(""));
    let mut found = expand(&RealFs, &base.join(pattern))?;
    found.sort();
    found.into_iter().map(|path| Ok((path.to_string(), text_of(&path)?))).collect()
}
