//! `masthead-bench collect`: whether every line of a node's containers is in the store once,
//! whatever happens to files, collector and server, and what the collector takes for that.
//!
//! `masthead collect` follows a tree like `/var/log/pods` and pushes to `masthead serve`.
//!
//! - `collect/tree.rs`: the tree; `collect/scenes.rs`: what happens; `collect/count.rs`: counting.

mod count;
mod scenes;
mod tree;

use std::{process::Command, time::Duration};

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use clap::Args;
use serde_json::json;

use self::{
    count::Counts,
    scenes::{BACKLOG, Costs, SCENES, Stage},
};
use crate::{
    Common,
    logs::MASTHEAD_LOGS,
    measure::Machine,
    peers::{MASTHEAD, Start, System},
    report::{push_line, write_table},
};

/// What the table says of costs, and what they are to be at most.
const GOALS: &str = "goals: nothing missing, doubled or broken; 14 CPU s per GB; 20 MB resident";

#[derive(Debug, Args)]
pub(crate) struct CollectArguments {
    /// Seconds for which the containers write, in each row.
    #[arg(long, value_name = "S", default_value_t = 20)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=3_600))]
    seconds: u32,

    /// Lines a second that a container writes; there are ten.
    #[arg(long, value_name = "N", default_value_t = 200)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,

    /// Size of the lines that are there before the collector is, in the last row.
    #[arg(long, value_name = "MB", default_value_t = 500)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=20_000))]
    megabytes: u64,

    /// A run of seconds, to see that all of it works; its costs mean nothing.
    #[arg(long, conflicts_with_all = ["seconds", "rate", "megabytes"])]
    toy: bool,

    #[command(flatten)]
    common: Common,
}

/// How much is written.
#[derive(Clone, Copy, Debug)]
struct Load {
    /// For which the containers write.
    time: Duration,
    /// Lines a second and container.
    rate: u32,
    /// Between two rotations of all containers, where there are any.
    rotation: Duration,
    /// For which a server or a collector is away.
    away: Duration,
    /// Of lines that wait for the collector.
    backlog_bytes: u64,
    seed: u64,
}

/// `masthead collect`, as a system without peers.
const COLLECTOR: System =
    System { check: |_| Ok(()), command: |start| Ok(command(start)), ..MASTHEAD };

fn command(start: &Start<'_>) -> Command {
    let mut command = Command::new(start.program);
    command.args(["collect", "--no-host", "--no-self", "--no-self-logs"]);
    command.args(["--data", start.data.as_str()]);
    command.arg("--listen").arg(format!("127.0.0.1:{}", start.port));
    command
}

/// One line of the table.
struct Row {
    what: &'static str,
    outcome: Result<(Counts, Costs), String>,
}

/// Measures and prints; false when a line was not there once, or a row failed.
pub(crate) fn run(arguments: &CollectArguments) -> Result<bool> {
    let common = &arguments.common;
    let run = common.begin()?;
    let load = load(arguments);
    let (servers, _) = common.programs(&[&MASTHEAD_LOGS])?;
    let (collectors, _) = common.programs(&[&COLLECTOR])?;
    let (server, collector) = servers.first().zip(collectors.first()).context("no program")?;
    let mut rows = Vec::new();
    for scene in SCENES.iter().chain([&BACKLOG]) {
        run.say(scene.what);
        let scratch = tempfile::tempdir_in(&common.scratch).context("cannot make a directory")?;
        let directory = Utf8Path::from_path(scratch.path()).context("a path that is no text")?;
        let outcome = Stage::new(load, directory, (server, collector), &run.patience)
            .and_then(|stage| stage.play(scene));
        run.patience.check()?;
        rows.push(Row { what: scene.what, outcome: outcome.map_err(|error| format!("{error:#}")) });
    }
    let machine = Machine::this();
    let mut text = String::new();
    let (version, cores, kernel) = (&server.version, machine.cores, &machine.kernel);
    push_line(&mut text, format_args!("masthead {version} collect, {cores} cores, {kernel}"));
    let (lines, time) = (tree::CONTAINERS * load.rate, load.time.as_secs_f64());
    push_line(
        &mut text,
        format_args!("{lines} lines/s of {} containers for {time} s", tree::CONTAINERS),
    );
    push_line(&mut text, format_args!("{GOALS}\n"));
    write_rows(&mut text, &rows);
    common.print(&text, &as_json(&rows))?;
    Ok(rows.iter().all(|row| row.outcome.as_ref().is_ok_and(|(counts, _)| counts.is_exact())))
}

fn load(arguments: &CollectArguments) -> Load {
    let seed = arguments.common.seed;
    if arguments.toy {
        return Load {
            time: Duration::from_secs(1),
            rate: 50,
            rotation: Duration::from_millis(300),
            away: Duration::from_millis(500),
            backlog_bytes: 1_000_000,
            seed,
        };
    }
    Load {
        time: Duration::from_secs(arguments.seconds.into()),
        rate: arguments.rate,
        rotation: Duration::from_secs(5),
        away: Duration::from_secs(20),
        backlog_bytes: arguments.megabytes * 1_000_000,
        seed,
    }
}

fn write_rows(out: &mut String, rows: &[Row]) {
    let head =
        ["", "lines", "missing", "doubled", "broken", "CPU s per GB", "MB at its end", "at most"];
    let mut table = vec![head.map(str::to_owned).to_vec()];
    for row in rows {
        let Ok((counts, costs)) = &row.outcome else { continue };
        let Counts { lines, missing, doubled, broken } = counts;
        let mut cells = vec![row.what.to_owned()];
        cells.extend([lines, missing, doubled, broken].map(ToString::to_string));
        let shown = [costs.cpu_per_gb, costs.resident_mb, costs.peak_mb];
        cells.extend(shown.map(|number| number.map_or("-".into(), |n| format!("{n:.1}"))));
        table.push(cells);
    }
    write_table(out, &table);
    for row in rows {
        if let Err(error) = &row.outcome {
            push_line(out, format_args!("FAILED {}: {error}", row.what));
        }
    }
}

fn as_json(rows: &[Row]) -> serde_json::Value {
    let row = |row: &Row| match &row.outcome {
        Ok((counts, costs)) => json!({
            "what": row.what, "lines": counts.lines, "missing": counts.missing,
            "doubled": counts.doubled, "broken": counts.broken,
            "cpu_per_gb": costs.cpu_per_gb, "resident_mb": costs.resident_mb,
            "peak_mb": costs.peak_mb,
        }),
        Err(error) => json!({ "what": row.what, "error": error }),
    };
    json!({ "rows": rows.iter().map(row).collect::<Vec<_>>() })
}
