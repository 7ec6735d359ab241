//! Masthead itself: `masthead serve`.

use std::process::Command;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

use super::{System, prometheus};
use crate::server::Server;

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

#[derive(Debug)]
pub(crate) struct Masthead;

impl System for Masthead {
    fn name(&self) -> &'static str {
        "masthead"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["masthead"]
    }

    fn check(&self, program: &Utf8Path) -> Result<(), String> {
        help(program).map(drop)
    }

    fn command(
        &self,
        program: &Utf8Path,
        _directory: &Utf8Path,
        data: &Utf8Path,
        port: u16,
    ) -> Result<Command> {
        let mut command = Command::new(program);
        command.args(["serve", "--data", data.as_str()]);
        command.arg("--listen").arg(format!("127.0.0.1:{port}"));
        let help = help(program).map_err(anyhow::Error::msg)?;
        for (flag, value) in OPTIONAL {
            if help.contains(flag) {
                command.arg(flag).args(value);
            }
        }
        Ok(command)
    }

    fn ready_path(&self) -> &'static str {
        "/-/ready"
    }

    fn write_path(&self) -> &'static str {
        "/api/v1/write"
    }

    fn compact(&self, server: &Server<'_>) -> Result<Option<Utf8PathBuf>> {
        prometheus::snapshot(server)
    }
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
