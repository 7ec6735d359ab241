//! `masthead-bench`: what Masthead costs beside the originals, on this machine: metrics beside
//! Prometheus and `VictoriaMetrics`, with `logs` log lines beside Loki (`logs.rs`),
//! with `collect` the collector of log files (`collect.rs`), with `demo` the whole stack by itself
//! (`demo.rs`).
//!
//! It starts each system that it finds, one after another, in directories of its own on loopback,
//! sends all of them the same synthetic samples, asks them the same questions, and prints one
//! table. How to read it: `docs/reference/bench.md`.
//!
//! - `data.rs`, `recording.rs`: the samples; `ingest.rs`: sending them; `queries.rs`: the questions.
//! - `peers.rs`: the systems; `server.rs`: one of them running; `http.rs`: talking to it.
//! - `phases.rs`: what is done with each; `measure.rs`: what `/proc` says; `answers.rs`: whether
//!   answers agree; `report.rs`: the table.
//!
//! It never ends a process that it did not start, never leaves a directory behind when it ends by
//! itself or by SIGINT or SIGTERM, and never takes longer than `--time-limit`.

#![forbid(unsafe_code)]
#![expect(
    clippy::disallowed_methods,
    reason = "it measures real processes, with real files and real time"
)]
#![expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]

mod answers;
mod collect;
mod data;
mod demo;
mod http;
mod ingest;
mod logs;
mod measure;
mod peers;
mod phases;
mod queries;
mod recording;
mod report;
mod server;

use std::{
    io::Write as _,
    process::ExitCode,
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context as _, Result, bail, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, Parser, Subcommand};
use masthead_model::Millis;

use crate::{
    collect::CollectArguments,
    data::Plan,
    demo::DemoArguments,
    http::Patience,
    logs::LogsArguments,
    measure::{Machine, Rest},
    peers::{Program, SYSTEMS, System},
    phases::Loads,
    queries::Effort,
    recording::Recording,
    report::{Column, Report},
};

/// Samples of one load; more would take hours.
const SAMPLES_MAX: u64 = 200_000_000;

const EXIT_CODES: &str = "\
Exit codes:
  0  measured
  1  something failed, or there was nothing to measure: what and why is on stderr
  2  wrong usage: nothing was started";

// Not a doc comment, because those want backticks around one of the names.
const ABOUT: &str =
    "Measures Masthead beside Prometheus and VictoriaMetrics, whichever of them are installed.";

#[derive(Debug, Parser)]
#[command(name = "masthead-bench", about = ABOUT, after_help = EXIT_CODES, max_term_width = 100)]
#[command(args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    other: Option<Other>,

    #[command(flatten)]
    metrics: MetricsArguments,
}

/// What else than metrics can be measured.
#[derive(Debug, Subcommand)]
enum Other {
    /// Measure Masthead as a log system, beside Loki where it is installed.
    #[command(after_help = EXIT_CODES)]
    Logs(LogsArguments),
    /// Measure the collector of log files: whether every line arrives once, and what it takes.
    #[command(after_help = EXIT_CODES)]
    Collect(CollectArguments),
    /// Measure the demo: time to the first answer, memory after ten minutes, size of the program.
    #[command(after_help = EXIT_CODES)]
    Demo(DemoArguments),
}

#[derive(Debug, Args)]
struct MetricsArguments {
    /// Hosts of the fleet that the dashboards show.
    #[arg(long, value_name = "N", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    hosts: u32,

    /// Series of each host.
    #[arg(long, value_name = "N", default_value_t = 625)]
    #[arg(value_parser = clap::value_parser!(u32).range(i64::from(data::SERIES_MIN)..=100_000))]
    series: u32,

    /// Hours of data, scraped every 15 s; parts of hours are allowed.
    #[arg(long, value_name = "H", default_value_t = 2.0, value_parser = hours)]
    hours: f64,

    /// Scrapes in a hundred that are off their grid by a few milliseconds.
    #[arg(long, value_name = "PERCENT", default_value_t = 5)]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=100))]
    jitter: u32,

    /// Record real programs for this long and measure with that too; 0 for not at all.
    #[arg(long, value_name = "MINUTES", default_value_t = 2.0, value_parser = minutes)]
    #[arg(default_value_ifs = [("quick", "true", "0"), ("toy", "true", "0")])]
    record: f64,

    /// Instead of that, measure with these samples: text with a time on every line, as `masthead
    /// export` writes.
    #[arg(long, value_name = "FILE", conflicts_with = "record")]
    recording: Option<Utf8PathBuf>,

    /// Leave out what takes longest: a million series, and the recording.
    #[arg(long, conflicts_with = "toy")]
    quick: bool,

    /// A run of seconds, to see that all of it works; its numbers mean nothing.
    #[arg(long, conflicts_with_all = ["hosts", "series", "hours"])]
    toy: bool,

    #[command(flatten)]
    common: Common,
}

/// Names of systems that cannot be measured, and why.
type Absent = Vec<(&'static str, String)>;

/// What every comparison is told.
#[derive(Debug, Args)]
struct Common {
    /// Seed of the data.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Only these systems.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    #[arg(value_parser = ["masthead", "prometheus", "victoriametrics", "loki"])]
    systems: Vec<String>,

    /// Look for programs here first, then beside this program, then on the search path.
    #[arg(long, value_name = "DIR")]
    programs: Vec<Utf8PathBuf>,

    /// Also write everything that was measured to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<Utf8PathBuf>,

    /// Keep the systems' data below this directory while they run; without it, that of the system.
    #[arg(long, value_name = "DIR", env = "TMPDIR", default_value = "/tmp")]
    scratch: Utf8PathBuf,

    /// End the run, unfinished, after this many minutes.
    #[arg(long, value_name = "MINUTES", default_value_t = 30)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1_440))]
    time_limit: u64,

    /// The search path for programs.
    #[arg(long, env = "PATH", hide = true, default_value = "")]
    search_path: String,
}

/// A run that goes on.
#[derive(Debug)]
struct Run {
    began: Instant,
    patience: Patience,
}

impl Run {
    /// Tells how far it is.
    fn say(&self, words: &str) {
        say(&format!("{} s: {words}", self.began.elapsed().as_secs()));
    }
}

impl Common {
    /// From now on the time counts, and signals end the run.
    fn begin(&self) -> Result<Run> {
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&stop))
                .context("cannot take signals")?;
        }
        let patience = Patience::new(Duration::from_secs(self.time_limit * 60), stop);
        Ok(Run { began: Instant::now(), patience })
    }

    /// Those of `systems` that are wanted and here, and those that are not here with the reason.
    fn programs(&self, systems: &[&'static System]) -> Result<(Vec<Program>, Absent)> {
        let (mut programs, mut absent) = (Vec::new(), Vec::new());
        let wanted = |name| self.systems.is_empty() || self.systems.iter().any(|one| one == name);
        for system in systems.iter().filter(|system| wanted(system.name)) {
            match peers::find(system, &self.folders()) {
                Ok(program) => programs.push(program),
                Err(why) => absent.push((system.name, why)),
            }
        }
        if programs.is_empty() {
            let why: Vec<String> =
                absent.iter().map(|(name, why)| format!("{name}: {why}")).collect();
            bail!("there is nothing to measure; {}", why.join("; "));
        }
        Ok((programs, absent))
    }

    /// Where programs are looked for.
    fn folders(&self) -> Vec<Utf8PathBuf> {
        let beside =
            std::env::current_exe().ok().and_then(|path| Utf8PathBuf::from_path_buf(path).ok());
        let beside = beside.and_then(|path| Some(path.parent()?.to_owned()));
        let path = self.search_path.split(':').filter(|folder| !folder.is_empty());
        self.programs.iter().cloned().chain(beside).chain(path.map(Utf8PathBuf::from)).collect()
    }

    /// Prints the table, and writes the JSON where it is wanted.
    fn print(&self, text: &str, json: &serde_json::Value) -> Result<()> {
        std::io::stdout().lock().write_all(text.as_bytes()).context("cannot print")?;
        if let Some(path) = &self.json {
            let text = serde_json::to_string_pretty(json)?;
            std::fs::write(path, text + "\n").with_context(|| format!("cannot write {path}"))?;
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match &arguments.other {
        Some(Other::Logs(logs)) => logs::run(logs),
        Some(Other::Collect(collect)) => collect::run(collect),
        Some(Other::Demo(demo)) => demo::run(demo),
        None => run(&arguments.metrics),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("failed: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Measures and prints; false when a phase or a query failed.
fn run(arguments: &MetricsArguments) -> Result<bool> {
    let common = &arguments.common;
    let run = common.begin()?;
    let mut loads = loads(arguments, last_boundary(now()?));
    let plans = [&loads.dashboards, &loads.crash].into_iter();
    for plan in plans.chain(&loads.wide).chain(&loads.grids) {
        let samples = plan.samples();
        ensure!(samples <= SAMPLES_MAX, "{samples} samples are more than {SAMPLES_MAX}");
    }
    let (programs, absent) = common.programs(&SYSTEMS)?;
    loads.recording = recording(arguments, &programs, loads.dashboards.end, &run)?.map(Arc::new);
    let mut columns = Vec::new();
    for program in programs {
        let say = |words: &str| run.say(words);
        let measured = phases::measure(&program, &loads, &common.scratch, &run.patience, &say)?;
        columns.push(Column { program, measured });
    }
    let mut report = Report { machine: Machine::this(), loads, columns, absent };
    report.summarise();
    common.print(&report.text(), &report.json())?;
    Ok(report.is_complete())
}

/// The samples of a file, or of what runs here now; none where neither is wanted or where no
/// Masthead is measured that could record them.
fn recording(
    arguments: &MetricsArguments,
    programs: &[Program],
    end: Millis,
    run: &Run,
) -> Result<Option<Recording>> {
    // The end belongs to what comes after it.
    let end = Millis(end.0 - 1);
    if let Some(path) = &arguments.recording {
        return Recording::read(path, end).map(Some);
    }
    let time = Duration::from_secs_f64(arguments.record * 60.0);
    let masthead = programs.iter().find(|program| program.system.name == peers::MASTHEAD.name);
    let Some(masthead) = masthead.filter(|_| !time.is_zero()) else { return Ok(None) };
    run.say(&format!("real programs are recorded for {} s", time.as_secs()));
    let scratch = phases::scratch(&arguments.common.scratch)?;
    let directory = Utf8Path::from_path(scratch.path()).context("a directory not in UTF-8")?;
    let recorded = Recording::of_now(masthead, time, end, directory, &run.patience);
    run.patience.check()?;
    recorded.context("cannot record").map(Some)
}

fn loads(arguments: &MetricsArguments, end: Millis) -> Loads {
    let MetricsArguments { hosts, series, hours, jitter, quick, toy, common, .. } = arguments;
    let plan = |hosts, series, rounds| Plan {
        hosts,
        series,
        rounds,
        jitter_percent: *jitter,
        seed: common.seed,
        end,
    };
    if *toy {
        let series = data::SERIES_MIN;
        return Loads {
            dashboards: plan(4, series, 40),
            wide: vec![plan(8, series, 5)],
            grids: grids(&plan(2, series, 20)),
            recording: None,
            crash: plan(2, series, 20),
            effort: Effort { least: 1, most: 1, time: Duration::ZERO },
            rest: Rest { least: Duration::ZERO, most: Duration::ZERO },
            reappear: Duration::from_millis(300),
        };
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked: 1 to 5760"
    )]
    let rounds = (hours * 3_600_000.0 / data::INTERVAL_MS as f64).round() as u32;
    let mut wide = vec![plan(100, 1_000, 5)];
    if !*quick {
        wide.push(plan(1_000, 1_000, 5));
    }
    Loads {
        dashboards: plan(*hosts, *series, rounds),
        wide,
        grids: grids(&plan(5, 625, if *quick { 240 } else { 480 })),
        recording: None,
        crash: plan(10, 500, if *quick { 40 } else { 100 }),
        effort: Effort { least: 5, most: 200, time: Duration::from_millis(400) },
        rest: Rest { least: Duration::from_secs(6), most: Duration::from_secs(30) },
        reappear: Duration::from_secs(3),
    }
}

/// The same data with no, few and all scrapes off their grid.
fn grids(plan: &Plan) -> Vec<Plan> {
    [0, 5, 100].map(|jitter_percent| Plan { jitter_percent, ..plan.clone() }).into()
}

/// Where the last block before `now` ends. Systems cut their blocks at even hours: data that end
/// elsewhere would lie in one block or in two by the time of day, and no two runs would compare.
fn last_boundary(now: Millis) -> Millis {
    const BLOCK_MS: i64 = 2 * 3_600_000;
    Millis(now.0.div_euclid(BLOCK_MS) * BLOCK_MS)
}

/// The last whole minute: samples of the recent past are what every system takes.
fn now() -> Result<Millis> {
    const MINUTE_MS: i64 = 60_000;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = i64::try_from(now.context("the clock stands before 1970")?.as_millis())?;
    Ok(Millis(now.div_euclid(MINUTE_MS) * MINUTE_MS))
}

fn hours(text: &str) -> Result<f64, String> {
    let hours: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.05..=24.0).contains(&hours) { Ok(hours) } else { Err("not from 0.05 to 24".to_owned()) }
}

fn minutes(text: &str) -> Result<f64, String> {
    let minutes: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=600.0).contains(&minutes) { Ok(minutes) } else { Err("not from 0 to 600".to_owned()) }
}

/// Tells how far it is, so that nobody waits in front of a silent screen.
fn say(words: &str) {
    // Nobody may be listening.
    drop(writeln!(std::io::stderr().lock(), "masthead-bench: {words}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_choose_loads_within_their_limits() {
        let f = |words: &str, want: Option<(u64, usize)>| {
            let words = ["bench"].into_iter().chain(words.split_whitespace());
            let arguments = Arguments::try_parse_from(words).ok();
            let got = arguments.map(|arguments| {
                let loads = loads(&arguments.metrics, Millis(1_800_000_000_000));
                (loads.dashboards.samples(), loads.wide.len())
            });
            assert_eq!(got, want);
        };
        f("", Some((3_000_000, 2)));
        f("--quick", Some((3_000_000, 1)));
        f("--toy", Some((40_000, 1)));
        f("--quick --hosts 3 --series 300 --hours 0.5", Some((108_000, 1)));
        f("--hours 0", None);
        f("--hours NaN", None);
        f("--series 20", None);
        f("--jitter 101", None);
        f("--systems grafana", None);
        f("--toy --hosts 3", None);
        f("--record 601", None);
        f("--record 1 --recording x", None);
    }

    #[test]
    fn real_programs_are_recorded_unless_the_run_is_to_be_short_or_a_file_is_there() {
        let f = |words: &[&str], want: f64| {
            let words = ["bench"].iter().chain(words);
            let metrics = Arguments::try_parse_from(words).unwrap().metrics;
            let got = if metrics.recording.is_some() { 0.0 } else { metrics.record };
            assert!((got - want).abs() < 1e-9, "{got}");
        };
        f(&[], 2.0);
        f(&["--record", "0.5"], 0.5);
        f(&["--quick"], 0.0);
        f(&["--toy"], 0.0);
        f(&["--toy", "--record", "0.1"], 0.1);
        f(&["--recording", "x"], 0.0);
    }

    #[test]
    fn data_end_where_blocks_end() {
        let f = |now: i64, want: i64| assert_eq!(last_boundary(Millis(now)), Millis(want));
        f(1_800_000_000_000, 1_800_000_000_000);
        f(1_800_007_199_999, 1_800_000_000_000);
        f(1_800_007_200_000, 1_800_007_200_000);
    }
}
