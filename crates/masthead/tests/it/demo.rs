//! `masthead demo` with the real items API, and with ones that misbehave.

use std::{
    io::Write as _,
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
};

use rustix::process::{Signal, kill_process};

use crate::process::{Masthead, items_api, soon};

pub(crate) fn demo(args: &[&str]) -> Masthead {
    // Any port, so that demos side by side do not meet and an address is one demo's alone.
    let mut all = vec!["demo", "--port=0", "--api-port=0", "--metrics-port=0", "--items-api"];
    all.push(items_api().to_str().unwrap());
    all.extend(args);
    alone(&all)
}

/// Without the usual ports of Prometheus and Loki, which another test may have.
fn alone(args: &[&str]) -> Masthead {
    let mut command = Masthead::command(args);
    command.env("MASTHEAD_PROMETHEUS_LISTEN", "off").env("MASTHEAD_LOKI_LISTEN", "off");
    Masthead::start(command)
}

/// The address in the banner's line `title`.
pub(crate) fn address(demo: &mut Masthead, title: &str) -> SocketAddr {
    let line = demo.line_with(&format!("  {title} "));
    line.split('/').nth(2).unwrap().parse().unwrap()
}

fn listens(address: SocketAddr) -> bool {
    TcpStream::connect(address).is_ok()
}

/// A program that is not the items API.
fn impostor(directory: &tempfile::TempDir, script: &str) -> PathBuf {
    let path = directory.path().join("items-api");
    let mut file = std::fs::File::create_new(&path).unwrap();
    writeln!(file, "#!/bin/sh\n{script}").unwrap();
    file.set_permissions(std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn traffic_metrics_and_logs_tell_the_same_story() {
    let data = tempfile::tempdir().unwrap();
    // A name that an address of a database must escape.
    let directory = data.path().join("a b?c");
    let (code, stdout, stderr) = demo(&[
        "--for",
        "3s",
        "--check",
        "--rate",
        "30/s",
        "--seed",
        "11",
        "--scrape-every",
        "500ms",
        "--data",
        directory.to_str().unwrap(),
    ])
    .finish();
    assert_eq!(code, Some(0), "{stdout}\n{stderr}");
    assert!(stdout.starts_with("Masthead "), "{stdout}");
    for word in [
        "request_id=demo-11-1",
        "/docs",
        "curl ",
        "Traffic   ",
        "ok        the items API",
        "ok        PromQL counts ",
        "ok        LogQL counts ",
        "/d/api-overview",
    ] {
        assert!(stdout.contains(word), "{word} in {stdout}");
    }
    assert!(!stdout.contains("FAIL") && !stdout.contains('\u{1b}'), "{stdout}");
    assert!(directory.join("items.db").is_file());
    assert!(directory.join("masthead/metrics").is_dir());
}

/// The end-to-end test: everything from a request to a panel of a dashboard.
#[test]
fn a_demo_ends_with_what_the_doctor_says() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path().to_str().unwrap();
    let args = ["--for", "60s", "--check", "--rate", "30/s", "--seed", "7", "--data", data];
    let (code, stdout, stderr) = demo(&args).finish();
    assert_eq!(code, Some(0), "{stdout}\n{stderr}");
    let (checked, said) = stdout.rsplit_once("\n\n").unwrap();
    assert!(checked.contains("ok        masthead doctor finds 0 things broken"), "{checked}");
    let good = |what: &str| {
        let line = said.lines().find(|line| line.split("  ").any(|part| part.trim() == what));
        let line = line.or_else(|| said.lines().find(|line| line.contains(what)));
        assert!(line.is_some_and(|line| line.starts_with("ok ")), "{what} in {said}");
    };
    for what in ["server", "targets", "samples", "logs", "rules"] {
        good(what);
    }
    good("dashboard API overview");
    good("dashboard API logs");
    assert!(said.contains("3 of 3 are up") && !said.contains("broken"), "{said}");
}

#[test]
fn a_summary_of_the_metrics_comes_with_time() {
    let mut demo =
        demo(&["--for", "2500ms", "--summary-every", "2s", "--rate", "30/s", "--seed", "4"]);
    let line = demo.line_with("Summary ");
    let figure = |after: &str| {
        let words: Vec<_> = line.split(" · ").collect();
        let part = words.iter().find(|part| part.contains(after)).unwrap();
        let number = part.split(' ').find_map(|word| word.parse::<f64>().ok());
        number.unwrap_or_else(|| panic!("{after} in {line}"))
    };
    assert!((10.0..60.0).contains(&figure("requests/s")), "{line}");
    assert!((0.1..20.0).contains(&figure("% errors")), "{line}");
    assert!(figure("p95") > 0.0, "{line}");
    assert!(figure("items stored") > 0.0, "{line}");
    assert!(figure("in progress") >= 0.0, "{line}");
    let (code, stdout, stderr) = demo.finish();
    assert_eq!(code, Some(0), "{stdout}\n{stderr}");
}

#[test]
fn too_little_traffic_fails_the_check() {
    let (code, stdout, stderr) = demo(&["--for", "300ms", "--check", "--rate", "1/s"]).finish();
    assert_eq!(code, Some(1), "{stdout}\n{stderr}");
    assert!(stdout.contains("FAIL      0 answers were 5xx"), "{stdout}");
    assert!(stderr.contains("checks failed"), "{stderr}");
}

#[test]
fn a_signal_ends_the_demo_and_the_items_api_in_order() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let mut demo = demo(&["--rate", "50/s"]);
        let api = address(&mut demo, "API");
        let metrics = address(&mut demo, "Metrics");
        demo.line_with("request_id=demo-");
        assert!(listens(api) && listens(metrics));
        kill_process(demo.id(), signal).unwrap();
        let (code, stdout, stderr) = demo.finish();
        assert_eq!(code, Some(0), "{signal:?}: {stdout}\n{stderr}");
        assert!(stdout.contains("Traffic   "), "{signal:?}: {stdout}");
        assert!(!listens(api) && !listens(metrics), "{signal:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_killed_demo_leaves_no_items_api_behind() {
    // It cannot remove a directory of its own any more.
    let data = tempfile::tempdir().unwrap();
    let mut demo = demo(&["--data", data.path().to_str().unwrap()]);
    let api = address(&mut demo, "API");
    assert!(listens(api));
    kill_process(demo.id(), Signal::KILL).unwrap();
    assert!(soon(|| !listens(api)));
}

#[test]
fn a_reader_that_leaves_ends_the_demo() {
    let mut demo = demo(&["--rate", "50/s"]);
    demo.line_with("request_id=demo-");
    demo.close_stdout();
    let (code, _, stderr) = demo.finish();
    assert_eq!(code, Some(0), "{stderr}");
}

#[test]
fn a_taken_port_gives_way_to_a_free_one() {
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = held.local_addr().unwrap().port();
    let program = items_api().to_str().unwrap();
    let flags = [format!("--api-port={port}"), format!("--metrics-port={port}")];
    let mut demo =
        alone(&["demo", "--port=0", "--for=200ms", "--items-api", program, &flags[0], &flags[1]]);
    assert_ne!(address(&mut demo, "API").port(), port);
    assert_ne!(address(&mut demo, "Metrics").port(), port);
    let (code, _, stderr) = demo.finish();
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains(&format!("Port {port} is taken: the API")), "{stderr}");
    assert!(stderr.contains(&format!("Port {port} is taken: the metrics")), "{stderr}");
}

#[test]
fn an_items_api_that_ends_early_is_quoted() {
    let directory = tempfile::tempdir().unwrap();
    let program = impostor(&directory, "echo out of rope; echo 'and \u{1b}[31mred' >&2; exit 3");
    let (code, stdout, stderr) =
        alone(&["demo", "--port=0", "--items-api", program.to_str().unwrap()]).finish();
    assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
    for word in ["  out of rope\n", "  and \\u{1b}[31mred\n", "ended early: exit code 3"] {
        assert!(stderr.contains(word), "{word} in {stderr}");
    }
}

#[test]
fn an_items_api_that_cannot_be_executed_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("items-api");
    drop(std::fs::File::create_new(&path).unwrap());
    let (code, _, stderr) =
        alone(&["demo", "--port=0", "--items-api", path.to_str().unwrap()]).finish();
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains(&format!("cannot execute {}", path.display())), "{stderr}");
}

#[test]
fn a_second_signal_kills_an_items_api_that_will_not_end() {
    let directory = tempfile::tempdir().unwrap();
    let (up, asked) = (directory.path().join("up"), directory.path().join("asked"));
    let script = format!(
        "trap 'touch {}' TERM; touch {}; while :; do sleep 0.05; done",
        asked.display(),
        up.display()
    );
    let program = impostor(&directory, &script);
    let demo = alone(&["demo", "--port=0", "--items-api", program.to_str().unwrap()]);
    assert!(soon(|| up.exists()));
    kill_process(demo.id(), Signal::INT).unwrap();
    assert!(soon(|| asked.exists()));
    kill_process(demo.id(), Signal::INT).unwrap();
    let (code, _, stderr) = demo.finish();
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("ended at once by a second signal"), "{stderr}");
}
