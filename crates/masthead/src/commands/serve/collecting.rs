//! What the server collects: the log files of `--promtail-config`, and of `--pods-log-dir` the logs
//! of this node's containers.
//!
//! Lines go to the local store. With `--promtail-clients` each entry of `clients` gets a collector of
//! its own too, over a journal of its own, so that a Loki which is away holds up nobody else.

use std::{fmt, sync::Arc, time::Duration};

use anyhow::Context as _;
use camino::Utf8Path;
use masthead_forward::{LokiSink, Options, Sender, Stats as ClientStats, Target};
use masthead_ports::LogSink;
use masthead_sysio::{Clock, RealFs, read_to_vec};
use masthead_tail::{ClientConfig, CustomMetrics, PromtailConfig, Running, Setup, Stats};

use crate::{
    cli::{ServeArgs, UsageError},
    tasks::{Task, Tasks},
};

/// A larger configuration file is refused.
const CONFIG_BYTES_MAX: u64 = 16 << 20;

/// The collectors at work.
#[derive(Debug, Default)]
pub(super) struct Collecting {
    running: Vec<Running>,
    senders: Vec<Sending>,
    counts: Counts,
}

/// What is counted, for `metrics.rs`.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    pub stats: Arc<Stats>,
    /// What `metrics` stages count, with the clock by which they expire.
    pub custom: Option<(CustomMetrics, Arc<dyn Clock>)>,
    /// By the name of the client.
    pub clients: Vec<(String, Arc<ClientStats>)>,
}

/// A task that pushes; it ends with this.
struct Sending(#[expect(dead_code, reason = "it ends the task when it is dropped")] Task);

impl fmt::Debug for Sending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sending")
    }
}

impl Collecting {
    /// Reads the configuration and begins to collect.
    ///
    /// # Errors
    /// A file that cannot be read or is wrong, with its place; a journal that cannot be opened.
    pub(super) fn start(
        args: &ServeArgs,
        sink: Arc<dyn LogSink>,
        clock: &Arc<dyn Clock>,
        tasks: &Tasks,
    ) -> anyhow::Result<Self> {
        let mut collecting = Self::default();
        if args.promtail_config.is_none() && args.pods_log_dir.is_none() {
            return Ok(collecting);
        }
        let config = read(args).map_err(|error| UsageError(format!("{error:#}")))?;
        for warning in &config.warnings {
            tracing::warn!(warning, "A part of the configuration is not in force.");
        }
        if !config.clients.is_empty() && !args.promtail_clients {
            tracing::info!(
                clients = config.clients.len(),
                "Lines are kept here; --promtail-clients sends them to the clients of the file too."
            );
        }
        let setup = |sink, tenants, stats| Setup {
            fs: Arc::new(RealFs),
            clock: Arc::clone(clock),
            sink,
            tenants,
            node: node_name(),
            stats,
        };
        collecting.counts.custom = Some((config.metrics.clone(), Arc::clone(clock)));
        let collector =
            config.collector(&setup(sink, false, Arc::clone(&collecting.counts.stats)))?;
        collecting.running.push(collector.start()?);
        if !args.promtail_clients {
            return Ok(collecting);
        }
        for (at, client) in config.clients.iter().enumerate() {
            // Its stages count for themselves, and Promtail's positions are the first one's.
            let mut config = read(args)?;
            config.leave_positions();
            let name = if client.name.is_empty() { at.to_string() } else { client.name.clone() };
            let counts = Arc::new(ClientStats::default());
            let options = Options::new(args.data.join("clients").join(directory(&name)));
            let fs = Arc::new(RealFs);
            let sink = LokiSink::open(fs.clone(), Arc::clone(clock), &options, Arc::clone(&counts))
                .with_context(|| format!("client {name:?}"))?;
            let sink = Arc::new(sink);
            let sender = Sender::new(Arc::clone(&sink), target(client), fs, Arc::clone(clock))?;
            collecting.senders.push(Sending(tasks.spawn("push", sender.run())));
            let collector = config.collector(&setup(sink, true, Arc::default()))?;
            collecting.running.push(collector.start()?);
            collecting.counts.clients.push((name, counts));
        }
        Ok(collecting)
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts.clone()
    }

    /// Ends reading; what was read is in the stores and journals. Blocks until the steps that are
    /// being taken are done.
    pub(super) fn stop(self) {
        for running in self.running {
            running.stop();
        }
    }
}

fn read(args: &ServeArgs) -> anyhow::Result<PromtailConfig> {
    let mut config = match &args.promtail_config {
        Some(file) => parse(file).with_context(|| format!("--promtail-config {file}"))?,
        None => PromtailConfig::parse("")?,
    };
    if let Some(directory) = &args.pods_log_dir {
        config.add_pods(directory);
    }
    Ok(config)
}

fn parse(file: &Utf8Path) -> anyhow::Result<PromtailConfig> {
    let bytes = read_to_vec(&RealFs, file, CONFIG_BYTES_MAX)?;
    let text = String::from_utf8(bytes)?;
    Ok(PromtailConfig::parse_with(&text, &environment)?)
}

/// The file may name variables, as with Promtail's `-config.expand-env`.
#[expect(clippy::disallowed_methods, reason = "the binary reads the environment for the file")]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// As Promtail: what the pod was given, else what the machine is called.
fn node_name() -> String {
    let named = environment("HOSTNAME").filter(|name| !name.is_empty());
    named.unwrap_or_else(|| rustix::system::uname().nodename().to_string_lossy().into_owned())
}

/// A name that is safe as that of a directory.
fn directory(name: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    name.chars().map(safe).collect()
}

fn target(client: &ClientConfig) -> Target {
    Target {
        url: client.url.clone(),
        client: client.client.clone(),
        batch_wait: client.batch_wait.max(Duration::from_millis(1)),
        batch_bytes: client.batch_bytes,
        backoff_min: client.backoff_min,
        backoff_max: client.backoff_max.max(client.backoff_min),
        timeout: client.timeout,
        external_labels: client.external_labels.clone(),
        tenant: client.tenant.clone(),
        headers: client.headers.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_clients_are_directories_below_ours() {
        assert_eq!(directory("../a b/c.d"), "___a_b_c_d");
        assert_eq!(directory("loki-1"), "loki-1");
    }
}
