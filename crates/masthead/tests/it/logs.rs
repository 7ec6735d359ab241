//! `masthead serve` and `masthead logs`: lines that are pushed are answered, followed, survive their
//! process, and can be deleted; a real client of Loki works.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use masthead_model::{Labels, Nanos};
use masthead_wire::{loki::Encoder, remote_write::compress};
use rustix::process::{Signal, kill_process};

use crate::{
    process::{Masthead, masthead, soon},
    serve::{Server, now},
};

/// Pushes lines of one stream; whether they were acknowledged.
fn push(server: &Server, app: &str, lines: &[(i64, String)]) -> bool {
    push_answer(server, app, lines).is_some_and(|(status, _)| status == 204)
}

/// The same, with the whole answer.
pub(crate) fn push_answer(
    server: &Server,
    app: &str,
    lines: &[(i64, String)],
) -> Option<(u16, String)> {
    let labels: Labels = [("app", app)].into_iter().collect();
    let none = Labels::default();
    let mut encoder = Encoder::default();
    encoder.stream(&labels, lines.iter().map(|(at, line)| (Nanos(*at), line.as_bytes(), &none)));
    let body = compress(&encoder.finish()).unwrap();
    let head = "POST /loki/api/v1/push HTTP/1.1\r\ncontent-type: application/x-protobuf";
    server.ask(head, &body)
}

fn now_nanos() -> i64 {
    now() * 1_000_000
}

fn url(server: &Server) -> String {
    format!("http://{}", server.address)
}

/// What `masthead logs` prints.
fn logs(server: &Server, query: &str, more: &[&str]) -> String {
    let url = url(server);
    let mut args = vec!["logs", query, "--url", &url];
    args.extend(more);
    let (code, stdout, stderr) = masthead(&args).finish();
    assert_eq!(code, Some(0), "{stderr}");
    stdout
}

#[test]
fn lines_are_answered_also_after_a_restart_and_gone_once_deleted() {
    let data = tempfile::tempdir().unwrap();
    let admin = ["--web.enable-admin-api", "--no-self-logs"];
    let server = Server::start_with(data.path(), &admin);
    let end = now_nanos();
    let lines: Vec<_> = (0..5)
        .map(|at| (end - 5_000_000 + at * 1_000_000, format!("line {at} level=warn")))
        .collect();
    assert!(push(&server, "shop", &lines));
    let raw = lines.iter().fold(String::new(), |text, (_, line)| text + line + "\n");
    assert_eq!(logs(&server, r#"{app="shop"}"#, &["--format", "raw"]), raw);
    let newest = logs(&server, r#"{app="shop"}"#, &["--limit", "1"]);
    assert!(newest.contains(" WARN     line 4 level=warn"), "{newest}");
    let json = logs(&server, r#"{app="shop"} |= "line 0""#, &["--format", "json"]);
    assert!(
        json.contains(r#""detected_level":"warn","service_name":"shop"},"line":"line 0"#),
        "{json}"
    );
    let numbers = logs(
        &server,
        r#"sum(count_over_time({app="shop"}[5m]))"#,
        &["--since", "1m", "--step", "1m", "--format", "raw"],
    );
    assert_eq!(numbers.lines().last(), Some("5"), "{numbers}");
    assert_eq!(server.stop(Signal::TERM), Some(0));

    let server = Server::start_with(data.path(), &admin);
    assert_eq!(logs(&server, r#"{app="shop"}"#, &["--format", "raw"]), raw);
    let start = ((end - 60_000_000_000) / 1_000_000_000).to_string();
    let delete = format!(
        "POST /loki/api/v1/delete?query=%7Bapp%3D%22shop%22%7D+%7C%3D+%22line+1%22&start={start} HTTP/1.1"
    );
    assert_eq!(server.ask(&delete, b"").unwrap().0, 204);
    let left = logs(&server, r#"{app="shop"}"#, &["--format", "raw"]);
    assert_eq!(left, raw.replace("line 1 level=warn\n", ""));
    assert_eq!(server.stop(Signal::INT), Some(0));

    let server = Server::start_with(data.path(), &admin);
    assert_eq!(logs(&server, r#"{app="shop"}"#, &["--format", "raw"]), left);
    let (_, list) = server.get("/loki/api/v1/delete");
    assert!(list.contains(r#"{app=\"shop\"} |= \"line 1\""#), "{list}");
    let (_, metrics) = server.get("/metrics");
    assert!(metrics.contains("masthead_logs_streams 1"), "{metrics}");
}

#[test]
fn errors_are_told_with_exit_code_1() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let f = |args: &[&str], want: &str| {
        let url = url(&server);
        let mut all = vec!["logs", "--url", &url];
        all.extend(args);
        let (code, stdout, stderr) = masthead(&all).finish();
        assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
        assert!(stderr.contains(want), "{stderr}");
    };
    f(&["{app="], "parse error at line 1, col 6: syntax error: unexpected $end, expecting STRING");
    f(&["{app=", "--follow"], "parse error at line 1, col 6");
    f(&["rate({app=\"x\"}[1m])", "--follow"], "only log selector is supported");
}

#[test]
fn every_acknowledged_line_survives_sigkill_once() {
    let data = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    let start = now_nanos();
    for round in 0..3_u32 {
        let server = Server::start(data.path());
        let id = server.process.id();
        let killer = std::thread::spawn(move || {
            #[expect(clippy::disallowed_methods, reason = "tests wait")]
            std::thread::sleep(std::time::Duration::from_millis(200 + u64::from(round) * 70));
            kill_process(id, Signal::KILL).unwrap();
        });
        while push(&server, "kill", &[(start + acknowledged, format!("line {acknowledged}"))]) {
            acknowledged += 1;
        }
        killer.join().unwrap();
        assert_eq!(server.process.finish().0, None);
        let server = Server::start(data.path());
        let found = logs(
            &server,
            r#"{app="kill"}"#,
            &["--format", "raw", "--limit", "5000", "--since", "10m"],
        );
        let found = i64::try_from(found.lines().count()).unwrap();
        // What was in flight may be there without having been acknowledged; it is sent again and
        // recognised.
        assert!(matches!(found - acknowledged, 0 | 1), "{found} of {acknowledged} are there");
        server.stop(Signal::TERM);
    }
    assert!(acknowledged > 10, "only {acknowledged} lines were written");
}

#[test]
fn following_shows_lines_as_they_come_and_outlives_the_server() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    assert!(push(&server, "live", &[(now_nanos(), "before".to_owned())]));
    let url = url(&server);
    let mut follower =
        masthead(&["logs", r#"{app="live"}"#, "--follow", "--format", "raw", "--url", &url]);
    assert_eq!(follower.line_with("before"), "before");
    assert!(soon(|| push(&server, "live", &[(now_nanos(), "after".to_owned())])));
    assert_eq!(follower.line_with("after"), "after");
    // A connection that is open for ever does not hold up the end.
    let address = server.address.to_string();
    assert_eq!(server.stop(Signal::TERM), Some(0));
    let data = data.path().to_str().unwrap();
    let again = [
        "serve",
        "--data",
        data,
        "--listen",
        &address,
        "--prometheus-listen",
        "off",
        "--loki-listen",
        "off",
    ];
    let mut again = masthead(&again);
    again.line_with("\"Ready.\"");
    let server = Server { process: again, address: address.parse().unwrap() };
    assert!(push(&server, "live", &[(now_nanos(), "once more".to_owned())]));
    assert_eq!(follower.line_with("once more"), "once more");
    kill_process(follower.id(), Signal::INT).unwrap();
    assert_eq!(follower.finish().0, Some(0));
}

#[test]
fn what_a_line_has_of_its_own_is_shown_while_it_is_followed() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let url = url(&server);
    // Two streams of one message come one after the other, their lines are shown by their time.
    let at = now_nanos();
    let body = format!(
        r#"{{"streams":[{{"stream":{{"app":"own","pod":"1"}},"values":[["{at}","old=1",{{"trace":"t1"}}],["{}","new=1"]]}},{{"stream":{{"app":"own","pod":"2"}},"values":[["{}","mid=1"]]}}]}}"#,
        at + 2,
        at + 1
    );
    let head = "POST /loki/api/v1/push HTTP/1.1\r\ncontent-type: application/json";
    assert_eq!(server.ask(head, body.as_bytes()).unwrap().0, 204);
    let query = r#"{app="own"} | logfmt"#;
    let mut follower = masthead(&["logs", query, "--follow", "--url", &url]);
    let last = follower.line_with("new=1");
    assert!(last.contains(" new=1 "), "{last}");
    kill_process(follower.id(), Signal::INT).unwrap();
    let (code, said, _) = follower.finish();
    assert_eq!(code, Some(0));
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 3, "{said}");
    assert!(lines[0].contains("old=1") && lines[0].contains("trace=t1"), "{said}");
    assert!(!said.contains("app=own") && lines[1].contains("mid=1"), "{said}");
}

/// Python's `logging_loki`, where it is installed; its name in the environment may be another
/// interpreter's.
fn python() -> Option<String> {
    let python = std::env::vars().find(|(name, _)| name == "MASTHEAD_TEST_PYTHON");
    let python = python.map_or_else(|| "python3".to_owned(), |(_, python)| python);
    let found = Command::new(&python)
        .args(["-c", "import logging_loki"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    found.is_ok_and(|status| status.success()).then_some(python)
}

#[test]
fn a_real_client_of_loki_works() {
    let Some(python) = python() else {
        eprintln!("skipped: no python3 with logging_loki (pip install inuits-python-logging-loki)");
        return;
    };
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let script = format!(
        "import logging, logging_loki\nhandler = logging_loki.LokiHandler(url='{}/loki/api/v1/push', tags={{'application': 'py'}})\nlog = logging.getLogger('shop')\nlog.addHandler(handler)\nlog.error('it broke', extra={{'tags': {{'part': 'till'}}}})\n",
        url(&server)
    );
    let mut command = Command::new(python);
    command.args(["-c", &script]);
    let done = Masthead::start(command).finish();
    assert_eq!(done.0, Some(0), "{}", done.2);
    let lines = logs(
        &server,
        r#"{application="py", part="till", severity="error"}"#,
        &["--format", "json"],
    );
    assert!(lines.contains(r#""line":"it broke""#), "{lines}");
    assert!(lines.contains(r#""detected_level":"error""#), "{lines}");
}

#[test]
fn two_servers_do_not_share_a_store_of_logs() {
    let data = tempfile::tempdir().unwrap();
    let _server = Server::start(data.path());
    let data: &Path = data.path();
    let args = [
        "serve",
        "--data",
        data.to_str().unwrap(),
        "--listen",
        "127.0.0.1:0",
        "--prometheus-listen",
        "off",
        "--loki-listen",
        "off",
    ];
    let (code, _, stderr) = masthead(&args).finish();
    assert_eq!(code, Some(1), "{stderr}");
}
