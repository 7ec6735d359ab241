//! The log systems that are compared, as [`System`]s: one line each in [`SYSTEMS`].
//!
//! Here `write_path` takes Loki's push, and `compact` writes what is in memory to disk. To add a
//! system that speaks Loki's API: a [`System`] below and its line.

use std::{fs, process::Command};

use anyhow::{Context as _, Result, ensure};
use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    peers::{MASTHEAD, Start, System},
    server::Server,
};

/// In the order of the columns. The first is the one that is compared.
pub(crate) const SYSTEMS: [&System; 2] = [&MASTHEAD_LOGS, &LOKI];

/// Masthead, asked as a log system.
pub(crate) const MASTHEAD_LOGS: System = System { write_path: PUSH, compact: flush, ..MASTHEAD };

/// Grafana Loki as one process on local files.
const LOKI: System = System {
    name: "loki",
    programs: &["loki", "loki-linux-amd64", "loki-linux-arm64"],
    check,
    command,
    ready_path: "/ready",
    write_path: PUSH,
    query_parameters: &[],
    publish: |_| Ok(()),
    compact: flush,
};

/// Everything on loopback and in one directory, its caches of results off because every question
/// is repeated, and its limits out of the way of a load at full speed.
const LOKI_CONFIG: &str = "\
auth_enabled: false
target: all
server:
  http_listen_address: 127.0.0.1
  grpc_listen_address: 127.0.0.1
  http_listen_port: $port
  grpc_listen_port: 0
  log_level: warn
  grpc_server_max_recv_msg_size: 104857600
  grpc_server_max_send_msg_size: 104857600
common:
  instance_addr: 127.0.0.1
  path_prefix: $data
  replication_factor: 1
  storage: {filesystem: {chunks_directory: $data/chunks, rules_directory: $data/rules}}
  ring: {kvstore: {store: inmemory}}
schema_config:
  configs:
    - {from: 2020-01-01, store: tsdb, object_store: filesystem, schema: v13, index: {prefix: index_, period: 24h}}
query_range:
  cache_results: false
limits_config:
  ingestion_rate_mb: 1000
  ingestion_burst_size_mb: 1000
  per_stream_rate_limit: 1GB
  per_stream_rate_limit_burst: 1GB
  reject_old_samples: false
analytics:
  reporting_enabled: false
";

fn check(program: &Utf8Path) -> Result<(), String> {
    // Debian has a program of the same name that is about genes.
    let output = Command::new(program).arg("--version").output();
    let output = output.map_err(|error| format!("{program} cannot be started: {error}"))?;
    let words = String::from_utf8_lossy(&output.stdout);
    let known = words.starts_with("loki, version");
    if known { Ok(()) } else { Err(format!("{program} is another program of that name")) }
}

fn command(start: &Start<'_>) -> Result<Command> {
    let config = start.directory.join("loki.yaml");
    let (port, data) = (start.port.to_string(), start.data.as_str());
    let text = LOKI_CONFIG.replace("$port", &port).replace("$data", data);
    fs::write(&config, text).with_context(|| format!("cannot write {config}"))?;
    let mut command = Command::new(start.program);
    command.arg(format!("-config.file={config}"));
    Ok(command)
}

const PUSH: &str = "/loki/api/v1/push";

/// Writes what is in memory, and returns the directory that holds everything.
fn flush(server: &Server<'_>) -> Result<Option<Utf8PathBuf>> {
    let answer = server.http().post(&server.url("/flush"), &[], b"")?;
    ensure!(answer.is_success(), "the flush was refused: {}", answer.summary());
    Ok(Some(server.data().to_owned()))
}
