//! `masthead collect`: scrapes and follows files like a server, and keeps nothing but journals of
//! what is to be sent elsewhere.

use crate::{
    cli::{CollectArgs, ServeArgs, UsageError},
    commands::serve::{Heard, Signals},
    config,
    stack::{self, collector::Collector},
};

/// Collects until a signal comes.
///
/// # Errors
/// What kept it from starting, or ended it before a signal.
pub(crate) async fn run(args: CollectArgs) -> anyhow::Result<()> {
    let listens = match &args.config {
        Some(file) => config::settings(file)
            .map_err(|error| UsageError(format!("{error:#}")))?
            .iter()
            .any(|given| given.key == "listen.address"),
        None => false,
    };
    let args: ServeArgs = config::resolve(&args.as_serve(listens))?;
    let own_log = stack::start_logs(&args)?;
    // Reading the command line runs once, and is a large part of the program.
    masthead_sysio::release_program();
    let mut signals = Signals::listen()?;
    let collector = Collector::start(&args, own_log).await?;
    let ended = loop {
        tokio::select! {
            signal = signals.next() => match signal {
                Heard::End(name) => break Ok(name),
                Heard::Reload => collector.reload().await,
            },
            ended = collector.ended() => break ended,
        }
    };
    collector.stop().await?;
    tracing::info!(signal = ended?, "Stopped.");
    Ok(())
}
