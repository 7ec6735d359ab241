//! Prometheus, as Debian's package `prometheus` has it.

use std::{fs, process::Command};

use anyhow::{Context as _, Result, bail};
use camino::Utf8PathBuf;

use super::{Start, System};
use crate::server::Server;

pub(super) const PROMETHEUS: System = System {
    name: "prometheus",
    programs: &["prometheus"],
    check: |_| Ok(()),
    command,
    ready_path: "/-/ready",
    write_path: "/api/v1/write",
    query_parameters: &[],
    publish: |_| Ok(()),
    compact: snapshot,
};

fn command(start: &Start<'_>) -> Result<Command> {
    let config = start.directory.join("prometheus.yml");
    // It scrapes nothing, not even itself.
    fs::write(&config, "global: {scrape_interval: 15s}\n")
        .with_context(|| format!("cannot write {config}"))?;
    let mut command = Command::new(start.program);
    command.arg(format!("--config.file={config}"));
    command.arg(format!("--storage.tsdb.path={}", start.data));
    command.arg(format!("--web.listen-address=127.0.0.1:{}", start.port));
    command.args(["--web.enable-remote-write-receiver", "--web.enable-admin-api"]);
    Ok(command)
}

/// Takes a snapshot, which writes what is only in memory as a block, and returns its directory.
/// Nothing when the system has no snapshots, or does not allow them as it was started.
pub(super) fn snapshot(server: &Server<'_>) -> Result<Option<Utf8PathBuf>> {
    let answer = server.http().post(&server.url("/api/v1/admin/tsdb/snapshot"), &[], b"")?;
    if matches!(answer.status, 404 | 405 | 501) || answer.summary().contains("admin APIs disabled")
    {
        return Ok(None);
    }
    if !answer.is_success() {
        bail!("the snapshot was refused: {}", answer.summary());
    }
    let body: serde_json::Value = serde_json::from_slice(&answer.body)?;
    let name = body.pointer("/data/name").and_then(serde_json::Value::as_str);
    let name = name.context("the answer to a snapshot has no name")?;
    // Masthead keeps its metrics in a directory below the one that it is given.
    let below = server.data().read_dir_utf8()?.filter_map(|entry| Some(entry.ok()?.into_path()));
    let places = [server.data().to_owned()].into_iter().chain(below);
    let places = places.map(|place| place.join("snapshots").join(name));
    let place = { places }.find(|place| place.is_dir());
    Ok(Some(place.with_context(|| format!("snapshot {name} is not below {}", server.data()))?))
}
