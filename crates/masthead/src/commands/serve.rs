//! `masthead serve`: the stack of `stack.rs` until a signal, reloaded at SIGHUP.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{
    cli::ServeArgs,
    config,
    stack::{self, Stack},
};

/// Serves until a signal comes.
///
/// # Errors
/// What kept it from starting, or ended it before a signal.
pub(crate) async fn run(args: ServeArgs) -> anyhow::Result<()> {
    let args = match &args.config {
        Some(_) => config::resolve(&std::env::args_os().collect::<Vec<_>>())?,
        None => args,
    };
    if args.check_config {
        let warnings = config::check_sections(&args);
        return super::check::tell("configuration", warnings);
    }
    let own_log = stack::start_logs(&args)?;
    // Reading the command line runs once, and is a large part of the program.
    masthead_sysio::release_program();
    // Heard from now on, so that a signal right after "Ready." ends it in order too.
    let mut signals = Signals::listen()?;
    let stack = Stack::start(&args, own_log).await?;
    let ended = loop {
        tokio::select! {
            signal = signals.next() => match signal {
                Heard::End(name) => break Ok(name),
                Heard::Reload => stack.reload().await,
            },
            ended = stack.ended() => break ended,
        }
    };
    stack.stop().await?;
    tracing::info!(signal = ended?, "Stopped.");
    Ok(())
}

/// What a signal asks for.
pub(super) enum Heard {
    End(&'static str),
    Reload,
}

/// The signals that a server and a collector hear.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    pub(super) fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    pub(super) async fn next(&mut self) -> Heard {
        tokio::select! {
            _ = self.interrupt.recv() => Heard::End("SIGINT"),
            _ = self.terminate.recv() => Heard::End("SIGTERM"),
            _ = self.hang_up.recv() => Heard::Reload,
        }
    }
}
