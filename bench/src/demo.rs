//! `masthead-bench demo`: what the whole stack costs beside a small service: the time until it
//! answers, its memory after some minutes of `masthead demo`, and the size of the program.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use camino::Utf8Path;
use clap::Args;
use serde_json::json;

use crate::{
    Common,
    answers::{self, Answer},
    http::Patience,
    measure::{self, Machine},
    peers::{MASTHEAD, Start, System},
    server::Server,
};

/// What a panel of the board that the demo names first asks, but for its time.
const QUESTION: &str = "sum(rate(http_requests_total[1m]))";
/// Has an answer as soon as anything was scraped.
const FIRST_SAMPLE: &str = "count(up)";
/// How long the first samples may take.
const SAMPLES_MAX: Duration = Duration::from_mins(1);
/// Between two questions.
const LOOK: Duration = Duration::from_millis(5);

#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    /// Minutes of demo before its memory is looked at; parts of minutes are allowed.
    #[arg(long, value_name = "MINUTES", default_value_t = 10.0, value_parser = crate::minutes)]
    minutes: f64,

    #[command(flatten)]
    common: Common,
}

/// `masthead demo`, as a system without peers: none of them has an API and its traffic inside.
pub(crate) const DEMO: System =
    System { check: |_| Ok(()), command: |start| Ok(command(start)), ..MASTHEAD };

fn command(start: &Start<'_>) -> Command {
    let mut command = Command::new(start.program);
    command.args(["demo", "--seed", "1", "--api-port", "0", "--metrics-port", "0"]);
    command.args(["--data", start.data.as_str()]).arg("--port").arg(start.port.to_string());
    command
}

/// One line of the table.
struct Row {
    key: &'static str,
    what: String,
    number: f64,
    /// No more than this; none where nothing was set.
    goal: Option<f64>,
}

/// Measures and prints.
pub(crate) fn run(arguments: &DemoArguments) -> Result<bool> {
    let common = &arguments.common;
    let run = common.begin()?;
    let (programs, _) = common.programs(&[&DEMO])?;
    let program = programs.first().context("there is nothing to measure")?;
    let scratch = tempfile::tempdir_in(&common.scratch).context("cannot make a directory")?;
    let directory = Utf8Path::from_path(scratch.path()).context("a path that is no text")?;
    run.say("the demo starts");
    let (mut server, ready) = Server::start(program, directory, &run.patience)?;
    let mut rows = vec![row("start_ready_ms", "start to ready, ms", ms(ready), None)];
    let answered = first(&mut server, QUESTION, &run.patience, |_| true)?;
    rows.push(row("start_answer_ms", "start to the first answer, ms", ms(answered), Some(300.0)));
    let sampled =
        first(&mut server, FIRST_SAMPLE, &run.patience, |answer| !answer.series().is_empty())?;
    let what = "start to the first answer with samples, ms";
    rows.push(row("start_samples_ms", what, ms(sampled), None));
    let time = Duration::from_secs_f64(arguments.minutes * 60.0);
    run.say(&format!("it is left alone for {} minutes", arguments.minutes));
    let (cpu, began) = (measure::cpu_seconds(server.pid())?, Instant::now());
    run.patience.sleep(time.saturating_sub(server.age()))?;
    let used = measure::cpu_seconds(server.pid())? - cpu;
    let resident = measure::own_memory(server.pid())?.resident_bytes / 1e6;
    let what = format!("resident after {} min, MB", arguments.minutes);
    rows.push(row("resident_mb", what, resident, Some(80.0)));
    let share = used / began.elapsed().as_secs_f64().max(0.001) * 100.0;
    rows.push(row("cpu_percent", "processor, the API's too, % of a core", share, None));
    server.terminate()?;
    match stripped(&program.path, directory) {
        Ok(bytes) => rows.push(row("program_mb", "program, stripped, MB", bytes / 1e6, Some(30.0))),
        Err(error) => run.say(&format!("the size of the program is not known: {error:#}")),
    }
    let machine = Machine::this();
    let head = format!(
        "masthead {} demo, {} cores, {}\n\n",
        program.version, machine.cores, machine.kernel
    );
    common.print(&(head + &table(&rows)), &as_json(&rows))?;
    Ok(true)
}

fn row(key: &'static str, what: impl Into<String>, number: f64, goal: Option<f64>) -> Row {
    Row { key, what: what.into(), number, goal }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Asks until the answer is `enough`; returns the time since the process was started.
fn first(
    server: &mut Server<'_>,
    question: &str,
    patience: &Patience,
    enough: impl Fn(&Answer) -> bool,
) -> Result<Duration> {
    loop {
        let got = server.ask("/api/v1/query", &[("query", question)]).and_then(|body| {
            let answer: Answer = answers::read(&body)?;
            Ok(enough(&answer))
        });
        if matches!(got, Ok(true)) {
            return Ok(server.age());
        }
        if server.age() > SAMPLES_MAX {
            got?;
            bail!("{question} has no answer after {} s", SAMPLES_MAX.as_secs());
        }
        patience.sleep(LOOK)?;
    }
}

/// The size of the program without names and lines for debuggers.
fn stripped(program: &Utf8Path, directory: &Utf8Path) -> Result<f64> {
    let copy = directory.join("stripped");
    let output = Command::new("strip").args(["-o", copy.as_str(), program.as_str()]).output();
    let output = output.context("cannot start strip, a part of binutils")?;
    if !output.status.success() {
        bail!("strip: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(std::fs::metadata(&copy).with_context(|| format!("cannot look at {copy}"))?.len() as f64)
}

fn table(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.what.chars().count()).max().unwrap_or(0);
    let line = |row: &Row| {
        let goal = row.goal.map_or_else(String::new, |goal| format!("{goal:.0}"));
        let line = format!("{:width$}  {:>8.1}  {goal:>6}", row.what, row.number);
        line.trim_end().to_owned() + "\n"
    };
    let head = format!("{:width$}  {:>8}  {:>6}\n", "", "measured", "goal");
    head + &rows.iter().map(line).collect::<String>()
}

fn as_json(rows: &[Row]) -> serde_json::Value {
    rows.iter()
        .map(|row| (row.key.to_owned(), json!({ "number": row.number, "goal": row.goal })))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
