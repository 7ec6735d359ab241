//! The bench itself, at toy size, with whatever systems this machine has: it must not rot.

#![expect(clippy::disallowed_methods, reason = "it looks at what real processes leave behind")]

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

fn bench(arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_masthead-bench");
    Command::new(program).args(arguments).output().expect("the bench starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What a whole run prints and what it writes as JSON; nothing where no system is installed. It leaves
/// nothing behind in its scratch directory.
fn run(arguments: &[&str]) -> Option<(String, Value)> {
    let dir = tempfile::tempdir().expect("a directory");
    let (scratch, json) = (dir.path().join("scratch"), dir.path().join("out.json"));
    std::fs::create_dir(&scratch).expect("a directory");
    let [scratch_path, json_path] = [&scratch, &json].map(|path| path.to_str().expect("UTF-8"));
    let output = bench(&[arguments, &["--json", json_path, "--scratch", scratch_path]].concat());
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(std::fs::read_dir(&scratch).expect("there").count(), 0, "{err}");
    if err.contains("there is nothing to measure") {
        assert_eq!(output.status.code(), Some(1), "{err}");
        return None;
    }
    assert!(output.status.success(), "{out}\n{err}");
    let json = std::fs::read(json).expect("it writes JSON");
    Some((out, serde_json::from_slice(&json).expect("JSON")))
}

#[test]
fn a_toy_run_measures_every_system_that_is_installed_and_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let recorded = dir.path().join("recorded.txt");
    std::fs::write(&recorded, recording()).unwrap();
    let recorded = recorded.to_str().unwrap();
    let arguments = ["--toy", "--time-limit", "4", "--recording", recorded];
    let Some((out, json)) = run(&arguments) else { return };
    assert!(out.contains("ingest: CPU s per million samples"), "{out}");
    let systems = json["systems"].as_object().unwrap();
    assert!(!systems.is_empty());
    for (name, system) in systems {
        let number = |key: &str| system["numbers"][key].as_f64();
        let all = [
            "load_cpu",
            "disk_load",
            "start_answer",
            "query_p50",
            "wide_2000_bytes",
            "grid_0_disk_load",
            "grid_5_disk_load",
            "grid_100_disk_final",
            "recorded_disk_final",
        ];
        for key in all {
            assert!(number(key).is_some_and(|number| number > 0.0), "{name}: {key}: {system}");
        }
        // The toy load is small enough for VictoriaMetrics to lose all of it.
        assert!(number("crash_lost").is_some_and(|lost| lost <= 10_000.0), "{name}: {system}");
        assert!(number("crash_twice").is_some_and(|twice| twice < 0.5), "{name}: {system}");
        let queries = system["queries"].as_array().unwrap();
        let empty = queries.iter().filter(|query| query["series"] == 0).count();
        assert!(queries.len() >= 28 && empty == 0, "{name}: {system}");
    }
}

#[test]
fn real_programs_are_recorded_where_no_recording_is_given() {
    let arguments = ["--toy", "--record", "0.05", "--systems", "masthead", "--time-limit", "4"];
    let Some((out, json)) = run(&arguments) else { return };
    assert!(out.contains("recorded: "), "{out}");
    let samples = json["recorded_samples"].as_u64();
    assert!(samples.is_some_and(|samples| samples > 500), "{json}");
    let numbers = &json["systems"]["masthead"]["numbers"];
    assert!(numbers["recorded_disk_final"].as_f64().is_some_and(|bytes| bytes > 0.0), "{json}");
}

/// A hundred series of two targets, 15 s apart.
fn recording() -> String {
    let line = |at: u32, series: u32| {
        let (target, time) = (series % 2, 1_700_000_000_000_u64 + u64::from(at) * 15_000);
        format!("m{{instance=\"t{target}\",n=\"{series}\"}} {} {time}\n", at * series)
    };
    (0..20).flat_map(|at| (0..100).map(move |series| line(at, series))).collect()
}

#[test]
fn a_toy_run_of_logs_counts_every_line_and_answers_every_question() {
    // It fails by itself when a line is missing after the load or after the restart.
    let Some((out, json)) = run(&["logs", "--toy", "--time-limit", "2"]) else { return };
    assert!(out.contains("ingest: CPU s per GB"), "{out}");
    for (name, system) in json["systems"].as_object().unwrap() {
        let number = |key: &str| system["numbers"][key].as_f64();
        for key in ["load_cpu", "disk_load", "disk_final", "start_answer", "asked_p50"] {
            assert!(number(key).is_some_and(|number| number > 0.0), "{name}: {key}: {system}");
        }
        for key in ["crash_lost", "crash_twice"] {
            assert!(number(key).is_some_and(|count| count < 0.5), "{name}: {key}: {system}");
        }
        assert!(system["questions"].as_array().unwrap().len() >= 20, "{name}: {system}");
    }
}

#[test]
fn a_toy_run_of_the_collector_finds_every_line_once() {
    let Some((_, json)) = run(&["collect", "--toy", "--time-limit", "8"]) else { return };
    let rows = json["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 8, "{json}");
    for row in rows {
        assert!(row["lines"].as_u64().is_some_and(|lines| lines > 100), "{row}");
        assert_eq!([&row["missing"], &row["doubled"], &row["broken"]], [0, 0, 0], "{row}");
    }
    assert!(rows[7]["cpu_per_gb"].as_f64().is_some_and(|cpu| cpu > 0.0), "{json}");
}

#[test]
fn the_demo_is_measured_and_leaves_nothing_behind() {
    let arguments = ["demo", "--minutes", "0", "--time-limit", "3"];
    let Some((out, json)) = run(&arguments) else { return };
    assert!(out.contains("start to the first answer, ms"), "{out}");
    for key in ["start_ready_ms", "start_answer_ms", "start_samples_ms", "resident_mb"] {
        assert!(json[key]["number"].as_f64().is_some_and(|number| number > 0.0), "{key}: {json}");
    }
    assert_eq!(json["start_answer_ms"]["goal"], 300.0);
}

#[test]
fn a_signal_ends_the_run_early_with_no_process_and_no_directory_left() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().to_str().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_masthead-bench"));
    // Long enough not to end by itself before the signal.
    command.args(["--hours", "24", "--time-limit", "2", "--scratch", path]);
    let mut bench = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(bench.stderr.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    if first.contains("there is nothing to measure") {
        assert_eq!(bench.wait().unwrap().code(), Some(1));
        return;
    }
    // The server is started right after the first line.
    let began = Instant::now();
    while running_below(path) == 0 {
        assert!(began.elapsed() < Duration::from_secs(20), "no server was started: {first}");
        std::thread::sleep(Duration::from_millis(10));
    }
    let pid = Pid::from_raw(i32::try_from(bench.id()).unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    assert_eq!(bench.wait().unwrap().code(), Some(1));
    let last = lines.last().unwrap().unwrap();
    assert_eq!(last, "masthead-bench: failed: ended by a signal");
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
    assert_eq!(running_below(path), 0);
}

/// How many processes but the bench itself were started with `path` or something below it.
fn running_below(path: &str) -> usize {
    let below = format!("{path}/");
    let all = std::fs::read_dir("/proc").expect("Linux");
    let commands = all.filter_map(|entry| std::fs::read(entry.ok()?.path().join("cmdline")).ok());
    commands.filter(|command| text(command).contains(&below)).count()
}

#[test]
fn wrong_usage_and_nothing_to_measure_have_their_own_exit_codes() {
    let f = |arguments: &[&str], code: i32, words: &str| {
        let program = env!("CARGO_BIN_EXE_masthead-bench");
        let mut command = Command::new(program);
        let output = command.args(arguments).env("PATH", "/nonexistent").output().unwrap();
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{err}");
        assert!(err.contains(words), "{err}");
    };
    f(&["--series", "3"], 2, "3 is not in 250..=100000");
    f(
        &["--hosts", "10000", "--hours", "24", "--systems", "prometheus"],
        1,
        "are more than 200000000",
    );
    f(
        &["--toy", "--systems", "prometheus"],
        1,
        "there is nothing to measure; prometheus: not installed: no prometheus on the search path",
    );
}
