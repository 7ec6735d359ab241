//! The `masthead` command: parse, dispatch, exit code.
//!
//! Nothing is decided here: the command line is `cli.rs`, each command is a file of `commands/`.
//! An error reaches the user exactly once, here, on stderr, with its whole chain of causes.

#![forbid(unsafe_code)]

mod child;
mod cli;
mod client;
mod commands;
mod config;
#[cfg(test)]
mod reference;
mod server;
mod stack;
mod tasks;
mod terminal;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, UsageError};

fn main() -> ExitCode {
    masthead_sysio::tune_allocator();
    let Err(error) = commands::run(Cli::parse().command) else {
        return ExitCode::SUCCESS;
    };
    if let Some(ended) = error.downcast_ref::<commands::Ended>() {
        return ExitCode::from(ended.0);
    }
    terminal::say(&format!("error: {error:#}"));
    if error.is::<UsageError>() { ExitCode::from(2) } else { ExitCode::FAILURE }
}
