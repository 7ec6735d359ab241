//! The server's own log in its own store, and a collector's at the other end.

use std::path::Path;

use serde_json::Value;

use crate::{
    forward::eventually,
    process::{Masthead, masthead},
    serve::Server,
};

/// The messages of `{app="masthead"}` in the order in which they were logged, with their levels.
fn messages(server: &Server) -> Vec<(String, String)> {
    let url = format!("http://{}", server.address());
    let query = "{app=\"masthead\",job=\"masthead\",service_name=\"masthead\"}";
    let args = ["logs", query, "--url", &url, "--format", "json", "--forward", "--limit", "1000"];
    let (code, stdout, stderr) = masthead(&args).finish();
    assert_eq!(code, Some(0), "{stderr}");
    let read = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let inner: Value = serde_json::from_str(line["line"].as_str().unwrap()).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&inner["message"]), text(&line["labels"]["detected_level"]))
    };
    stdout.lines().map(read).collect()
}

fn has(server: &Server, message: &str) -> bool {
    messages(server).iter().any(|(said, _)| said == message)
}

#[test]
fn a_server_keeps_its_own_log() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--no-host"]);
    eventually("the last line of the start", || has(&server, "Ready."));
    let said = messages(&server);
    let at = |message: &str| said.iter().position(|(said, _)| said == message);
    // Also what was said before the store was open, in its order.
    let (listening, opened) = (at("Listening."), at("Opened the store of logs."));
    assert!(listening.is_some() && listening < opened && opened < at("Ready."), "{said:?}");
    assert!(said.iter().all(|(_, level)| level == "info"), "{said:?}");
    let lines = || server.metric("masthead_self_log_lines_total");
    assert_eq!(server.metric("masthead_self_log_lines_dropped_total"), Some(0));
    eventually("an empty queue", || server.metric("masthead_self_log_queued_bytes") == Some(0));
    // Being kept and being asked for makes no lines.
    let before = lines();
    for _ in 0..5 {
        assert_eq!(messages(&server).len(), said.len());
    }
    assert_eq!(lines(), before);
}

#[test]
fn the_own_log_is_left_out_where_it_is_not_wanted() {
    for flag in ["--no-self-logs", "--no-self"] {
        let data = tempfile::tempdir().unwrap();
        let server = Server::start_with(data.path(), &["--no-host", flag]);
        assert_eq!(server.metric("masthead_self_log_lines_total"), Some(0));
        assert_eq!(server.metric("masthead_logs_lines_appended_total"), Some(0));
    }
}

#[test]
fn a_collector_sends_its_own_log_to_the_other_end() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let other = Server::start_with(there.path(), &["--no-host", "--no-self"]);
    let url = format!("http://{}/loki/api/v1/push", other.address());
    let collect = |data: &Path| {
        let data = data.to_str().unwrap();
        Masthead::command(&[
            "collect",
            "--data",
            data,
            "--listen",
            "127.0.0.1:0",
            "--no-host",
            "--loki",
            &url,
        ])
    };
    let collector = Server::of(Masthead::start(collect(here.path())));
    eventually("the collector's log", || has(&other, "Ready."));
    assert!(has(&other, "Listening."), "{:?}", messages(&other));
    assert_eq!(collector.metric("masthead_self_log_lines_dropped_total"), Some(0));
    assert_eq!(collector.stop(rustix::process::Signal::TERM), Some(0));
}
