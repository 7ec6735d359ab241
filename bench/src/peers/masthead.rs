//! Masthead itself: `masthead serve`.

use std::process::Command;

use anyhow::Result;
use camino::Utf8Path;

use super::{Start, System, prometheus};

/// Flags that are given only to a program whose help knows them: no listeners that another server
/// on this machine may hold, and the snapshots by which bytes on disk are measured.
const OPTIONAL: [(&str, Option<&str>); 5] = [
    ("--prometheus-listen", Some("off")),
    // Samples of now would make the generated past too old.
    ("--no-host", None),
    ("--no-self", None),
    ("--loki-listen", Some("off")),
    ("--web.enable-admin-api", None),
];

pub(crate) const MASTHEAD: System = System {
    name: "masthead",
    programs: &["masthead"],
    check: |program| help(program).map(drop),
    command,
    ready_path: "/-/ready",
    write_path: "/api/v1/write",
    query_parameters: &[],
    publish: |_| Ok(()),
    compact: prometheus::snapshot,
};

fn command(start: &Start<'_>) -> Result<Command> {
    let mut command = Command::new(start.program);
    command.args(["serve", "--data", start.data.as_str()]);
    command.arg("--listen").arg(format!("127.0.0.1:{}", start.port));
    let help = help(start.program).map_err(anyhow::Error::msg)?;
    for (flag, value) in OPTIONAL {
        if help.contains(flag) {
            command.arg(flag).args(value);
        }
    }
    Ok(command)
}

/// What `masthead serve --help` says, or why it says nothing.
fn help(program: &Utf8Path) -> Result<String, String> {
    let output = Command::new(program).args(["serve", "--help"]).output();
    let output = output.map_err(|error| format!("{program} cannot be started: {error}"))?;
    if !output.status.success() {
        return Err(format!("{program} has no command `serve`"));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
