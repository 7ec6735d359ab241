//! `VictoriaMetrics`, single node, as Debian's package `victoria-metrics` has it.

use std::{process::Command, time::Duration};

use anyhow::{Result, bail, ensure};
use camino::{Utf8Path, Utf8PathBuf};

use super::System;
use crate::server::Server;

/// Between two looks at a forced merge.
const MERGE_LOOK: Duration = Duration::from_millis(100);
const MERGE_LOOKS_MAX: u32 = 3_000;

#[derive(Debug)]
pub(crate) struct VictoriaMetrics;

impl System for VictoriaMetrics {
    fn name(&self) -> &'static str {
        "victoriametrics"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["victoria-metrics", "victoria-metrics-prod"]
    }

    fn command(
        &self,
        program: &Utf8Path,
        _directory: &Utf8Path,
        data: &Utf8Path,
        port: u16,
    ) -> Result<Command> {
        let mut command = Command::new(program);
        command.arg(format!("-storageDataPath={data}"));
        command.arg(format!("-httpListenAddr=127.0.0.1:{port}"));
        // Every repetition of a query is to be evaluated, not remembered; and the newest samples
        // are to be answered as the others answer them.
        command.args(["-search.disableCache", "-search.latencyOffset=0s"]);
        // More series than its default allows a query are counted after a crash.
        command.arg("-search.maxUniqueTimeseries=2000000");
        command.arg("-loggerLevel=WARN");
        Ok(command)
    }

    fn ready_path(&self) -> &'static str {
        "/health"
    }

    fn write_path(&self) -> &'static str {
        "/api/v1/write"
    }

    fn query_parameters(&self) -> &'static [(&'static str, &'static str)] {
        // Without it, start and end are moved to multiples of the step.
        &[("nocache", "1")]
    }

    fn publish(&self, server: &Server<'_>) -> Result<()> {
        // A query that comes before the samples are visible is answered from a cache for 10 s.
        get(server, "/internal/force_flush").map(drop)
    }

    fn compact(&self, server: &Server<'_>) -> Result<Option<Utf8PathBuf>> {
        get(server, "/internal/force_flush")?;
        get(server, "/internal/force_merge")?;
        // It goes on in the background; ended meanwhile, the server panics.
        let patience = server.http().patience();
        for _ in 0..MERGE_LOOKS_MAX {
            patience.sleep(MERGE_LOOK)?;
            let metrics = get(server, "/metrics")?;
            if metrics.lines().any(|line| line == "vm_active_force_merges 0") {
                return Ok(Some(server.data().to_owned()));
            }
        }
        bail!("the forced merge is not over after {MERGE_LOOKS_MAX} looks")
    }
}

fn get(server: &Server<'_>, path: &str) -> Result<String> {
    let answer = server.http().get(&server.url(path), &[])?;
    ensure!(answer.is_success(), "{path}: {}", answer.summary());
    Ok(String::from_utf8(answer.body)?)
}
