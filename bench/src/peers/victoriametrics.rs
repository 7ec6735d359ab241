//! `VictoriaMetrics`, single node, as Debian's package `victoria-metrics` has it.

use std::{process::Command, time::Duration};

use anyhow::{Result, bail, ensure};
use camino::Utf8PathBuf;

use super::{Start, System};
use crate::server::Server;

/// Between two looks at a forced merge.
const MERGE_LOOK: Duration = Duration::from_millis(100);
const MERGE_LOOKS_MAX: u32 = 3_000;

pub(super) const VICTORIA_METRICS: System = System {
    name: "victoriametrics",
    programs: &["victoria-metrics", "victoria-metrics-prod"],
    check: |_| Ok(()),
    command: |start| Ok(command(start)),
    ready_path: "/health",
    write_path: "/api/v1/write",
    // Without it, start and end are moved to multiples of the step.
    query_parameters: &[("nocache", "1")],
    // A query that comes before the samples are visible is answered from a cache for 10 s.
    publish: |server| get(server, "/internal/force_flush").map(drop),
    compact,
};

fn command(start: &Start<'_>) -> Command {
    let mut command = Command::new(start.program);
    command.arg(format!("-storageDataPath={}", start.data));
    command.arg(format!("-httpListenAddr=127.0.0.1:{}", start.port));
    // Every repetition of a query is to be evaluated, not remembered; and the newest samples
    // are to be answered as the others answer them.
    command.args(["-search.disableCache", "-search.latencyOffset=0s"]);
    // More series than its default allows a query are counted after a crash.
    command.arg("-search.maxUniqueTimeseries=2000000");
    command.arg("-loggerLevel=WARN");
    command
}

fn compact(server: &Server<'_>) -> Result<Option<Utf8PathBuf>> {
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

fn get(server: &Server<'_>, path: &str) -> Result<String> {
    let answer = server.http().get(&server.url(path), &[])?;
    ensure!(answer.is_success(), "{path}: {}", answer.summary());
    Ok(String::from_utf8(answer.body)?)
}
