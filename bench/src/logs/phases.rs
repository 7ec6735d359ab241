//! What is done with one log system, step by step, and the numbers that come of it.
//!
//! As `crate::phases`: every phase in an empty directory of its own, systems one after another.
//! Names and order of the numbers: `report.rs`.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result, ensure};
use camino::Utf8Path;

use super::{
    corpus::Corpus,
    push,
    questions::{Asked, QUESTIONS},
};
use crate::{
    http::Patience,
    measure::{self, Rest, settle},
    peers::Program,
    phases::scratch,
    queries::Effort,
    server::Server,
};

/// Bytes of a gigabyte, by which costs are told.
const GIGA: f64 = 1e9;
/// How long lines may take to be seen again after a crash.
const REAPPEAR: Duration = Duration::from_secs(20);

/// The loads that every system gets.
#[derive(Clone, Debug)]
pub(crate) struct Loads {
    pub corpus: Corpus,
    /// Sent right before a crash.
    pub crash: Corpus,
    pub encoding: push::Encoding,
    pub effort: Effort,
    /// Of a server after a load, before memory and disk are looked at.
    pub rest: Rest,
    /// How long a server is left alone until it is idle.
    pub idle: Duration,
}

/// What one system took.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    /// By the keys of `report.rs`.
    pub numbers: BTreeMap<&'static str, f64>,
    /// In the order of [`QUESTIONS`]; an error in words.
    pub asked: Vec<Result<Asked, String>>,
    /// Phases that failed, and why.
    pub failures: Vec<String>,
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
    let phases: [(&str, Phase); 2] = [("load and questions", load), ("crash", crash)];
    for (name, phase) in phases {
        say(&format!("{}: {name}", program.system.name));
        let outcome = scratch(parent).and_then(|directory| {
            let path = Utf8Path::from_path(directory.path()).context("a directory not in UTF-8")?;
            phase(program, loads, path, patience, &mut measured)
        });
        patience.check()?;
        if let Err(error) = outcome {
            measured.failures.push(format!("{name}: {error:#}"));
        }
    }
    Ok(measured)
}

impl Measured {
    fn note(&mut self, key: &'static str, number: f64) {
        self.numbers.insert(key, number);
    }
}

type Phase = fn(&Program, &Loads, &Utf8Path, &Patience, &mut Measured) -> Result<()>;

/// Loads all hours, asks, writes all to disk, restarts.
fn load(
    program: &Program,
    loads: &Loads,
    directory: &Utf8Path,
    patience: &Patience,
    measured: &mut Measured,
) -> Result<()> {
    let corpus = &loads.corpus;
    let (server, _) = Server::start(program, directory, patience)?;
    let pid = server.pid();
    let before = measure::cpu_seconds(pid)?;
    let to = (server.write_url(), server.http());
    let sent = push::send(corpus, loads.encoding, &to.0, to.1).context("cannot load")?;
    ensure!(
        sent.lines == corpus.lines(),
        "{} lines were taken, not {}",
        sent.lines,
        corpus.lines()
    );
    settle(pid, loads.rest, patience)?;
    let bytes = sent.bytes as f64;
    let loaded = measure::cpu_seconds(pid)? - before;
    measured.note("load_wall", sent.wall.as_secs_f64() / bytes * GIGA);
    measured.note("disk_load", measure::directory_bytes(server.data())? / bytes);
    measured.note("load_peak_bytes", measure::memory(pid)?.peak_bytes);
    if let Some(kept) = (program.system.compact)(&server).context("cannot write all to disk")? {
        settle(pid, loads.rest, patience)?;
        measured.note("disk_final", measure::directory_bytes(&kept)? / bytes);
    }
    measured.note("load_cpu", loaded / bytes * GIGA);
    measured.note("flushed_cpu", (measure::cpu_seconds(pid)? - before) / bytes * GIGA);
    measured.note("load_bytes", measure::memory(pid)?.resident_bytes);
    let found = count(&server, corpus)?;
    ensure!(found == sent.lines, "{found} lines are there, not {}", sent.lines);

    for question in QUESTIONS {
        patience.check()?;
        let asked = question.time(&server, corpus, loads.effort);
        measured.asked.push(asked.map_err(|error| format!("{error:#}")));
    }
    measured.note("asked_peak_bytes", measure::memory(pid)?.peak_bytes);
    server.terminate()?;
    let (server, ready) = Server::start(program, directory, patience)?;
    measured.note("start_ready", ready.as_secs_f64());
    ensure!(count(&server, corpus)? == sent.lines, "lines are gone after a restart");
    measured.note("start_answer", server.age().as_secs_f64());
    settle(server.pid(), loads.rest, patience)?;
    measured.note("counted_bytes", measure::memory(server.pid())?.resident_bytes);
    patience.sleep(loads.idle)?;
    measured.note("idle_bytes", measure::memory(server.pid())?.resident_bytes);
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
    let corpus = &loads.crash;
    let (server, _) = Server::start(program, directory, patience)?;
    let to = (server.write_url(), server.http());
    let sent = push::send(corpus, loads.encoding, &to.0, to.1).context("cannot load")?;
    server.kill()?;
    let (server, _) = Server::start(program, directory, patience)?;
    let found = loop {
        let found = count(&server, corpus)?;
        if found >= sent.lines || server.age() > REAPPEAR {
            break found;
        }
        patience.sleep(Duration::from_millis(200))?;
    };
    measured.note("crash_lost", sent.lines.saturating_sub(found) as f64);
    measured.note("crash_twice", found.saturating_sub(sent.lines) as f64);
    server.terminate()
}

/// All lines that `server` has of `corpus`.
fn count(server: &Server<'_>, corpus: &Corpus) -> Result<u64> {
    let expr = format!(r#"sum(count_over_time({{namespace=~".+"}}[{}h]))"#, corpus.hours);
    let time = corpus.end.0.to_string();
    let body = server.ask("/loki/api/v1/query", &[("query", &expr), ("time", &time)])?;
    let answer = crate::answers::read(&body)?;
    let value = answer.series().first().and_then(|series| series.values.first());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a count")]
    Ok(value.map_or(0, |(_, value)| *value as u64))
}
