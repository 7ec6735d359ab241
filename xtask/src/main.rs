//! `cargo xtask`: the repository's chores as a program, so that every machine runs the same ones.
//!
//! `tidy` checks the rules that neither the compiler nor clippy can (`tidy.rs` has the table),
//! `changelog` folds the fragments of `changelog.d/` into a release (`changelog.rs`), `sim` replays
//! the crash simulation of the store of metrics or of that of logs.
//!
//! Never needs the network beyond what `cargo metadata` needs, and never changes a file except
//! in `changelog`.
#![forbid(unsafe_code)]
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a chore works on the repository's real files and talks to the person who ran it"
)]

mod changelog;
mod tidy;

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};

const HELP: &str = "\
Chores of this repository.

Usage: cargo xtask COMMAND

Commands:
  tidy                    check the rules of the repository; exit code 1 when one is broken
  changelog VERSION DATE  fold changelog.d/ into CHANGELOG.md, e.g. changelog 0.2.0 2026-09-01
  sim --seed N [--store metrics|logs]
                          replay one crash simulation; exit code 1 when a sample or a line is lost
                          or doubled
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        ["tidy"] => run_tidy(),
        ["changelog", version, date] => run_changelog(version, date),
        ["sim", "--seed", seed] | ["sim", "--seed", seed, "--store", "metrics"] => {
            run_sim(seed, |seed| {
                masthead_tsdb::simulation::run_seed(seed).map(|r| format!("{r:?}"))
            })
        }
        ["sim", "--seed", seed, "--store", "logs"] => run_sim(seed, |seed| {
            masthead_logdb::simulation::run_seed(seed).map(|r| format!("{r:?}"))
        }),
        _ => {
            eprint!("xtask: unknown command: {}\n\n{HELP}", words.join(" "));
            return ExitCode::from(2);
        }
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("xtask: {error:#}");
        ExitCode::FAILURE
    })
}

fn run_tidy() -> Result<ExitCode> {
    let tree = tidy::Tree::read(&root()?)?;
    let findings = tidy::check(&tree);
    for finding in &findings {
        println!("{finding}");
    }
    let (rules, files) = (tidy::RULES.len(), tree.len());
    if findings.is_empty() {
        println!("tidy: {rules} rules hold over {files} files");
        return Ok(ExitCode::SUCCESS);
    }
    println!("tidy: {} findings ({rules} rules, {files} files)", findings.len());
    Ok(ExitCode::FAILURE)
}

fn run_changelog(version: &str, date: &str) -> Result<ExitCode> {
    let folded = changelog::fold(&root()?, version, date)?;
    println!("changelog: {folded} fragments folded into CHANGELOG.md under {version}");
    Ok(ExitCode::SUCCESS)
}

fn run_sim(seed: &str, run: fn(u64) -> std::result::Result<String, String>) -> Result<ExitCode> {
    let seed = seed.parse().with_context(|| format!("--seed {seed}: not a whole number"))?;
    match run(seed) {
        Ok(report) => {
            println!("sim: seed {seed} holds: {report}");
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            println!("sim: {error}");
            Ok(ExitCode::FAILURE)
        }
    }
}

/// The folder of the workspace: the parent of this crate's own.
///
/// Asked for when it runs, not when it is built: two checkouts may share one target directory.
fn root() -> Result<Utf8PathBuf> {
    let own = std::env::var("CARGO_MANIFEST_DIR").context("not run by cargo; use cargo xtask")?;
    Ok(Utf8Path::new(&own).parent().context("xtask has no parent folder")?.to_owned())
}
