//! The real `masthead` as a process: what it prints, how it exits, and that it leaves nobody behind.
//!
//! Every demo here runs the real items API on loopback for a few seconds. Tests run side by side,
//! so they take any free port: addresses are read from the banner, never assumed.

#![expect(clippy::unwrap_used, reason = "in a test, what is not there is a failure")]

mod access;
mod api_server;
mod backfill;
mod check;
mod clients;
mod cluster;
mod collector;
mod config;
mod connections;
mod demo;
mod documents;
mod failures;
mod forward;
mod logs;
mod observed;
mod originals;
mod own_log;
mod own_metrics;
mod pods;
mod process;
mod query;
mod refusals;
mod routes;
mod rules;
mod run;
mod run_elsewhere;
mod serve;
mod table;
mod targets;

use process::{Masthead, masthead};

#[test]
fn help_names_every_variable_and_the_exit_codes() {
    let (code, stdout, _) = masthead(&["demo", "--help"]).finish();
    assert_eq!(code, Some(0));
    for word in [
        "MASTHEAD_DATA",
        "MASTHEAD_DEMO_FOR",
        "MASTHEAD_DEMO_CHECK",
        "MASTHEAD_DEMO_RATE",
        "MASTHEAD_DEMO_SUMMARY_EVERY",
        "MASTHEAD_DEMO_SEED",
        "MASTHEAD_DEMO_API_PORT",
        "MASTHEAD_DEMO_METRICS_PORT",
        "MASTHEAD_ITEMS_API",
        "Exit codes:",
    ] {
        assert!(stdout.contains(word), "{word} in {stdout}");
    }
}

#[test]
fn help_and_version_are_results() {
    let f = |arg: &str, want: &str| {
        let (code, stdout, stderr) = masthead(&[arg]).finish();
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{arg}");
        assert!(stdout.contains(want), "{stdout}");
        assert!(!stdout.contains("exec-tied"), "{stdout}");
    };
    f("--help", "Exit codes:");
    f("--version", concat!("masthead ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_usage_exits_with_2_and_says_what() {
    let f = |args: &[&str], want: &str| {
        let (code, stdout, stderr) = masthead(args).finish();
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{args:?}: {stderr}");
        assert!(stderr.contains(want), "{args:?}: {stderr}");
    };
    f(&[], "Usage: masthead");
    f(&["sail"], "sail");
    f(&["query", "--formt"], "there is no flag --formt");
    f(&["demo", "--rate", "0"], "must be requests a second above 0");
    f(&["demo", "--for", "soon"], "write it like 20s");
    f(&["demo", "--items-api", "/nowhere/items-api"], "no items API at /nowhere/items-api");
    f(&["demo", "--items-api", "/bin/sh", "--data", "/dev/null/x"], "--data /dev/null/x");
}

#[test]
fn a_variable_stands_for_its_flag_and_the_flag_wins() {
    let with = |args: &[&str]| {
        let mut command = Masthead::command(args);
        command.env("MASTHEAD_DEMO_RATE", "none");
        Masthead::start(command).finish()
    };
    let (code, _, stderr) = with(&["demo", "--items-api", "/nowhere"]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("--rate"), "{stderr}");
    let (_, _, stderr) = with(&["demo", "--items-api", "/nowhere", "--rate", "1"]);
    assert!(stderr.contains("no items API at /nowhere"), "{stderr}");
}
