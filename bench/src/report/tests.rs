//! What the table says, from numbers made up here.

use std::time::Duration;

use masthead_model::Millis;

use super::*;
use crate::{measure::Rest, peers::SYSTEMS, queries::Effort};

fn plan(hosts: u32, rounds: u32) -> Plan {
    let end = Millis(1_800_000_000_000);
    Plan { hosts, series: 300, rounds, jitter_percent: 5, seed: 1, end }
}

/// A column whose queries all took `ms` and were answered with `value`.
fn column(number: usize, ms: f64, value: f64, numbers: &[(&str, f64)]) -> Column {
    let body = format!(
        r#"{{"status":"success","data":{{"resultType":"scalar","result":[1,"{value}"]}}}}"#
    );
    let asked =
        || Asked { p50_ms: ms, cpu_ms: ms * 2.0, answer: answers::read(body.as_bytes()).unwrap() };
    let asked = QUERIES.iter().map(|_| Ok(asked())).collect();
    let numbers = numbers.iter().map(|(key, number)| ((*key).to_owned(), *number)).collect();
    let program =
        Program { system: SYSTEMS[number], path: "/x".into(), version: format!("{number}.0") };
    Column { program, measured: Measured { numbers, asked, failures: Vec::new() } }
}

fn report(columns: Vec<Column>) -> Report {
    let effort = Effort { least: 1, most: 1, time: Duration::ZERO };
    let loads = Loads {
        dashboards: plan(4, 40),
        wide: vec![plan(10, 5)],
        grids: vec![plan(2, 7)],
        recording: None,
        crash: plan(1, 9),
        effort,
        rest: Rest { least: Duration::ZERO, most: Duration::ZERO },
        reappear: Duration::ZERO,
    };
    let machine =
        Machine { cores: 2, memory_bytes: 2.0 * 1_073_741_824.0, kernel: "Linux 6".into() };
    let mut report = Report { machine, loads, columns, absent: vec![("other", "gone".into())] };
    report.summarise();
    report
}

/// The line that begins with `start`, its words separated by one space.
fn line(text: &str, start: &str) -> String {
    let line = text.lines().find(|line| line.starts_with(start)).unwrap_or("(no such line)");
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn ratios_are_to_the_better_peer_and_missing_numbers_are_dashes() {
    let text = report(vec![
        column(
            0,
            1.0,
            7.0,
            &[("load_cpu", 1.5), ("wide_3000_bytes", 1_048_576.0), ("grid_5_disk_final", 0.5)],
        ),
        column(1, 8.0, 7.0, &[("load_cpu", 6.0), ("crash_lost", 0.0), ("grid_5_disk_final", 2.0)]),
        column(2, 4.0, 7.0, &[("load_cpu", 3.0), ("crash_lost", 120.0)]),
    ])
    .text();
    let f = |start: &str, want: &str| assert_eq!(line(&text, start), want, "{text}");
    f("machine", "machine: 2 cores, 2.0 GiB, Linux 6");
    f(
        "data",
        "data: 4 hosts x 300 series x 40 scrapes 15 s apart = 0.05 M samples, 5 % of scrapes off the grid, seed 1",
    );
    f("victoriametrics:", "victoriametrics: 2.0");
    f("other", "other: not measured, gone");
    f("   ", "masthead prometheus victoriametrics ratio");
    f("ingest: CPU", "ingest: CPU s per million samples 1.500 6.000 3.000 0.50");
    f("3000 series x 5: resident, ", "3000 series x 5: resident, MiB 1 - - -");
    f(
        "5 % off the grid: in",
        "5 % off the grid: in final form, bytes per sample 0.500 2.000 - 0.25",
    );
    f("queries: p50", "queries: p50 ms, geometric mean 1.000 8.000 4.000 0.25");
    f("SIGKILL: acknowledged", "SIGKILL: acknowledged samples lost - 0 120 -");
    f("host: load", "host: load 1.00 / 2.00 8.00 / 16.00 4.00 / 8.00 0.25");
    let all = QUERIES.len();
    f("masthead answers", &format!("masthead answers {all} of {all} queries as prometheus does"));
    assert!(!text.contains("FAILED"), "{text}");
}

#[test]
fn differing_answers_and_failures_are_listed_and_count_in_the_exit() {
    let mut failing = column(2, 4.0, 7.0, &[]);
    failing.measured.failures.push("crash: it would not start".into());
    failing.measured.asked[0] = Err("status 422".into());
    let report = report(vec![column(0, 1.0, 14.0, &[]), column(1, 8.0, 7.0, &[]), failing]);
    let text = report.text();
    let all = QUERIES.len();
    let f = |start: &str, want: &str| assert_eq!(line(&text, start), want, "{text}");
    f("masthead answers", &format!("masthead answers 0 of {all} queries as prometheus does"));
    f("  host: load", "host: load: 1 of 1 values differ, by up to 50.00 %");
    let others = all - 1;
    f(
        "victoriametrics answers",
        &format!("victoriametrics answers {others} of {others} queries as prometheus does"),
    );
    f("FAILED victoriametrics: crash", "FAILED victoriametrics: crash: it would not start");
    let query = QUERIES[0].name;
    f(
        "FAILED victoriametrics: query",
        &format!("FAILED victoriametrics: query {query:?}: status 422"),
    );
    assert!(!report.is_complete());
}

#[test]
fn means_are_over_queries_that_every_system_answered() {
    let mut slow = column(0, 1.0, 7.0, &[]);
    if let Some(Ok(asked)) = slow.measured.asked.first_mut() {
        asked.p50_ms = 1e6;
    }
    let mut failing = column(1, 8.0, 7.0, &[]);
    failing.measured.asked[0] = Err("status 422".into());
    let report = report(vec![slow, failing]);
    let mean = report.columns[0].measured.numbers["query_p50"];
    assert!((mean - 1.0).abs() < 1e-9, "{mean}");
}

#[test]
fn json_holds_what_the_table_holds() {
    let json = report(vec![
        column(0, 1.0, 14.0, &[("load_cpu", 1.5)]),
        column(1, 8.0, 7.0, &[("load_cpu", 6.0)]),
    ])
    .json();
    let f = |path: &str, want: Value| assert_eq!(json.pointer(path), Some(&want), "{path}");
    f("/machine/cores", json!(2));
    f("/data/samples", json!(48_000));
    f("/systems/masthead/version", json!("0.0"));
    f("/systems/masthead/numbers/load_cpu", json!(1.5));
    f("/systems/masthead/queries/0/name", json!(QUERIES[0].name));
    f("/systems/masthead/queries/0/difference", json!("1 of 1 values differ, by up to 50.00 %"));
    f("/systems/prometheus/queries/0/difference", Value::Null);
    f("/ratios/load_cpu", json!(0.25));
    let ratio = json.pointer("/ratios/query_p50").and_then(Value::as_f64).unwrap();
    assert!((ratio - 0.125).abs() < 1e-9, "{ratio}");
    f("/absent/other", json!("gone"));
}
