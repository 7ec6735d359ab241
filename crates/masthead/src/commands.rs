//! The commands: one file each, and the one place that dispatches to them.
//!
//! A command owns its runtime's life: when it returns, nothing of it goes on in the background.

mod backfill;
mod check;
mod collect;
mod demo;
mod doctor;
mod export;
mod import;
mod logs;
mod query;
mod run;
mod serve;
mod test;
mod token;

pub(crate) use self::run::Ended;
use crate::{child, cli::Command};

/// Runs one command to its end.
///
/// # Errors
/// Whatever ended the command early; a [`crate::cli::UsageError`] when it could not begin.
pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    match command {
        // What is waited for here stays on this thread, and so starts the child from it: the kernel's
        // parent-death signal follows the thread, not the process. See `child.rs`.
        Command::Demo(args) => servers()?.block_on(demo::run(args)),
        Command::Run(args) => servers()?.block_on(run::run(*args)),
        Command::Serve(args) => servers()?.block_on(serve::run(*args)),
        Command::Collect(args) => servers()?.block_on(collect::run(*args)),
        Command::Logs(args) => runtime()?.block_on(logs::run(args)),
        Command::Check(args) => check::run(&args),
        Command::Doctor(args) => runtime()?.block_on(doctor::run(args)),
        Command::Query(args) => runtime()?.block_on(query::run(args)),
        Command::Import(args) => import::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Test(args) => test::run(&args.command),
        Command::Token(args) => token::run(&args.command),
        Command::HashPassword => token::hash(),
        Command::ExecTied(args) => child::exec_tied(&args),
    }
}

/// For commands that serve.
fn servers() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

/// For commands that ask.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
