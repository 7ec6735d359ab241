//! What is done with one system, step by step, and the numbers that come of it.
//!
//! Every phase has an empty directory of its own, which is removed after it. Systems are measured
//! one after another, never at once. Names and order of the numbers: `report.rs`.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    data::Plan,
    http::Patience,
    ingest::{self, Load},
    measure::{self, Rest, settle},
    peers::Program,
    queries::{Asked, Effort, QUERIES},
    recording::Recording,
    server::Server,
};

const MILLION: f64 = 1e6;

/// The loads that every system gets.
#[derive(Clone, Debug)]
pub(crate) struct Loads {
    /// Hours of a small fleet, which the queries ask for.
    pub dashboards: Plan,
    /// Many series with few samples each, for memory.
    pub wide: Vec<Plan>,
    /// The same small fleet with more and fewer scrapes off their grid, for bytes.
    pub grids: Vec<Plan>,
    /// What somebody recorded.
    pub recording: Option<Arc<Recording>>,
    /// Sent right before a crash.
    pub crash: Plan,
    pub effort: Effort,
    /// Of a server after a load, before memory and disk are looked at.
    pub rest: Rest,
    /// How long samples may take to be seen again after a crash.
    pub reappear: Duration,
}

/// What one system took.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    /// By the keys of `report.rs`.
    pub numbers: BTreeMap<String, f64>,
    /// In the order of [`QUERIES`]; an error in words.
    pub asked: Vec<Result<Asked, String>>,
    /// Phases that failed, and why.
    pub failures: Vec<String>,
}

/// The key of a number of the wide load `plan`.
pub(crate) fn wide_key(plan: &Plan, what: &str) -> String {
    format!("wide_{}_{what}", u64::from(plan.hosts) * u64::from(plan.series))
}

/// The key of a number of the load whose scrapes are off the grid as in `plan`.
pub(crate) fn grid_key(plan: &Plan, what: &str) -> String {
    format!("grid_{}_{what}", plan.jitter_percent)
}

/// The key of a number of the recording.
pub(crate) fn recorded_key(what: &str) -> String {
    format!("recorded_{what}")
}

/// Runs all phases on one system. A phase that fails is noted, and the others still run, unless
/// the whole run is to end.
///
/// # Errors
/// When the run is to end.
pub(crate) fn measure(
    program: &Program,
    loads: &Loads,
    parent: &Utf8Path,
    patience: &Patience,
    say: &dyn Fn(&str),
) -> Result<Measured> {
    let mut measured = Measured::default();
    let mut phase = |name: &str, run: &mut dyn FnMut(&Utf8Path, &mut Measured) -> Result<()>| {
        say(&format!("{}: {name}", program.system.name));
        let outcome = scratch(parent).and_then(|directory| {
            let path = Utf8Path::from_path(directory.path()).context("a directory not in UTF-8")?;
            run(path, &mut measured)
        });
        patience.check()?;
        if let Err(error) = outcome {
            measured.failures.push(format!("{name}: {error:#}"));
        }
        anyhow::Ok(())
    };
    phase("dashboards", &mut |directory, measured| {
        dashboards(program, loads, directory, patience, measured)
    })?;
    for plan in &loads.wide {
        let series = u64::from(plan.hosts) * u64::from(plan.series);
        phase(&format!("{series} series"), &mut |directory, measured| {
            wide(program, loads, plan, directory, patience, measured)
        })?;
    }
    for plan in &loads.grids {
        let name = format!("{} % off the grid", plan.jitter_percent);
        phase(&name, &mut |directory, measured| {
            let key = |what: &str| grid_key(plan, what);
            sized(program, loads, Load::Fleet(plan), &key, directory, patience, measured)
        })?;
    }
    if let Some(recording) = &loads.recording {
        phase("recording", &mut |directory, measured| {
            let load = Load::Recorded(recording);
            sized(program, loads, load, &recorded_key, directory, patience, measured)
        })?;
    }
    phase("crash", &mut |directory, measured| {
        crash(program, loads, directory, patience, measured)
    })?;
    Ok(measured)
}

pub(crate) fn scratch(parent: &Utf8Path) -> Result<tempfile::TempDir> {
    let made = tempfile::Builder::new().prefix("masthead-bench-").tempdir_in(parent);
    made.with_context(|| format!("cannot make a directory in {parent}"))
}

impl Measured {
    fn note(&mut self, key: impl Into<String>, number: f64) {
        self.numbers.insert(key.into(), number);
    }
}

/// Loads hours of a fleet, asks, compacts, restarts.
fn dashboards(
    program: &Program,
    loads: &Loads,
    directory: &Utf8Path,
    patience: &Patience,
    measured: &mut Measured,
) -> Result<()> {
    let plan = &loads.dashboards;
    let (mut server, _) = Server::start(program, directory, patience)?;
    let pid = server.pid();
    settle(pid, loads.rest, patience)?;
    measured.note("empty_bytes", measure::memory(pid)?.resident_bytes);

    let millions = plan.samples() as f64 / MILLION;
    let before = measure::cpu_seconds(pid)?;
    let sent = ingest::send(Load::Fleet(plan), &server.write_url(), server.http())
        .context("cannot load")?;
    settle(pid, loads.rest, patience)?;
    measured.note("load_cpu", (measure::cpu_seconds(pid)? - before) / millions);
    measured.note("load_wall", sent.wall.as_secs_f64() / millions);
    let memory = measure::memory(pid)?;
    measured.note("load_bytes", memory.resident_bytes);
    measured.note("load_peak_bytes", memory.peak_bytes);
    let samples = plan.samples() as f64;
    measured.note("disk_load", measure::directory_bytes(server.data())? / samples);
    (program.system.publish)(&server)?;
    server.answers(HOSTS_UP, &at_end(plan), f64::from(plan.hosts))?;

    for query in QUERIES {
        patience.check()?;
        let asked = query.time(&server, plan, loads.effort);
        measured.asked.push(asked.map_err(|error| format!("{error:#}")));
    }
    measured.note("asked_peak_bytes", measure::memory(pid)?.peak_bytes);

    let before = measure::cpu_seconds(pid)?;
    if let Some(kept) = compact(program, &server)? {
        settle(pid, loads.rest, patience)?;
        measured.note("compact_cpu", (measure::cpu_seconds(pid)? - before) / millions);
        measured.note("disk_final", measure::directory_bytes(&kept)? / samples);
    }
    server.terminate()?;
    let (mut server, ready) = Server::start(program, directory, patience)?;
    measured.note("start_ready", ready.as_secs_f64());
    let answered = server.answers(HOSTS_UP, &at_end(plan), f64::from(plan.hosts))?;
    measured.note("start_answer", answered.as_secs_f64());
    server.terminate()
}

fn compact(program: &Program, server: &Server<'_>) -> Result<Option<Utf8PathBuf>> {
    (program.system.compact)(server).context("cannot bring the data into their final form")
}

/// Loads many new series, and restarts.
fn wide(
    program: &Program,
    loads: &Loads,
    plan: &Plan,
    directory: &Utf8Path,
    patience: &Patience,
    measured: &mut Measured,
) -> Result<()> {
    let (mut server, _) = Server::start(program, directory, patience)?;
    let pid = server.pid();
    let before = measure::cpu_seconds(pid)?;
    ingest::send(Load::Fleet(plan), &server.write_url(), server.http()).context("cannot load")?;
    settle(pid, loads.rest, patience)?;
    let millions = plan.samples() as f64 / MILLION;
    measured.note(wide_key(plan, "cpu"), (measure::cpu_seconds(pid)? - before) / millions);
    let memory = measure::memory(pid)?;
    measured.note(wide_key(plan, "bytes"), memory.resident_bytes);
    measured.note(wide_key(plan, "peak_bytes"), memory.peak_bytes);
    (program.system.publish)(&server)?;
    server.answers(HOSTS_UP, &at_end(plan), f64::from(plan.hosts))?;
    server.terminate()?;
    let (mut server, _) = Server::start(program, directory, patience)?;
    let answered = server.answers(HOSTS_UP, &at_end(plan), f64::from(plan.hosts))?;
    measured.note(wide_key(plan, "start"), answered.as_secs_f64());
    server.terminate()
}

/// Loads, and looks at CPU time and bytes on disk alone.
fn sized(
    program: &Program,
    loads: &Loads,
    load: Load<'_>,
    key: &dyn Fn(&str) -> String,
    directory: &Utf8Path,
    patience: &Patience,
    measured: &mut Measured,
) -> Result<()> {
    let (server, _) = Server::start(program, directory, patience)?;
    let pid = server.pid();
    let before = measure::cpu_seconds(pid)?;
    ingest::send(load, &server.write_url(), server.http()).context("cannot load")?;
    settle(pid, loads.rest, patience)?;
    let samples = load.samples() as f64;
    measured.note(key("cpu"), (measure::cpu_seconds(pid)? - before) / (samples / MILLION));
    measured.note(key("disk_load"), measure::directory_bytes(server.data())? / samples);
    (program.system.publish)(&server)?;
    if let Some(kept) = compact(program, &server)? {
        settle(pid, loads.rest, patience)?;
        measured.note(key("disk_final"), measure::directory_bytes(&kept)? / samples);
    }
    server.terminate()
}

/// Kills the server right after its last acknowledgement, and counts what is there afterwards.
fn crash(
    program: &Program,
    loads: &Loads,
    directory: &Utf8Path,
    patience: &Patience,
    measured: &mut Measured,
) -> Result<()> {
    let plan = &loads.crash;
    let (server, _) = Server::start(program, directory, patience)?;
    let sent = ingest::send(Load::Fleet(plan), &server.write_url(), server.http())
        .context("cannot load")?;
    server.kill()?;
    let (server, _) = Server::start(program, directory, patience)?;
    let sent = sent.samples as f64;
    let began = Instant::now();
    let found = loop {
        let found = count_samples(&server, plan)?;
        if found >= sent || began.elapsed() > loads.reappear {
            break found;
        }
        patience.sleep(Duration::from_millis(200))?;
    };
    measured.note("crash_lost", (sent - found).max(0.0));
    measured.note("crash_twice", (found - sent).max(0.0));
    server.terminate()
}

/// As many as there are hosts.
const HOSTS_UP: &str = "count(up)";

fn at_end(plan: &Plan) -> String {
    (plan.end.0 / 1000).to_string()
}

/// All samples of `plan` that `server` has. It asks name by name, because functions drop the
/// names and series that differ in nothing else would collide.
fn count_samples(server: &Server<'_>, plan: &Plan) -> Result<f64> {
    let seconds = (plan.end.0 - plan.start().0) / 1000;
    let mut sum = 0.0;
    for name in plan.metric_names() {
        let count = format!("sum(count_over_time({name}[{seconds}s]))");
        sum += server.number(&count, &at_end(plan))?.unwrap_or(0.0);
    }
    Ok(sum)
}
