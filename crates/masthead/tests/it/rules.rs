//! Rules: checked and tested on the command line, evaluated and told by the real server.
#![expect(clippy::disallowed_methods, reason = "tests write files and listen")]

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    sync::mpsc,
    thread,
    time::Duration,
};

use serde_json::Value;

use crate::{
    process::{Masthead, masthead},
    serve::Server,
};

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/rules").join(name)
}

fn run(args: &[&str]) -> (Option<i32>, String, String) {
    masthead(args).finish()
}

#[test]
fn the_rules_that_ship_pass_their_tests() {
    let tests = ["tests/services.yaml", "tests/machine.yaml", "tests/logs.yaml"].map(shipped);
    let mut args = vec!["test", "rules"];
    args.extend(tests.iter().map(|path| path.to_str().unwrap()));
    let (code, said, wrong) = run(&args);
    assert_eq!((code, wrong.as_str()), (Some(0), ""), "{said}");
    assert_eq!(said.matches("  SUCCESS\n").count(), 3, "{said}");
}

#[test]
fn the_rules_that_ship_are_well_for_us_and_for_promtool() {
    let files = ["services.yaml", "machine.yaml"].map(shipped);
    let mut args = vec!["check", "rules"];
    args.extend(files.iter().map(|path| path.to_str().unwrap()));
    let (code, said, wrong) = run(&args);
    assert_eq!((code, wrong.as_str()), (Some(0), ""), "{said}");
    let logs = shipped("logs.yaml");
    assert_eq!(run(&["check", "rules", "--logs", logs.to_str().unwrap()]).0, Some(0));
    // Where it is installed.
    if let Ok(theirs) = Command::new("promtool").args(&args).output() {
        assert!(theirs.status.success());
        assert_eq!(String::from_utf8_lossy(&theirs.stdout), said);
    }
}

#[test]
fn what_is_wrong_with_rules_is_said_and_ends_with_one() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let bad = write("bad.yml", "groups: [{name: g, rules: [{record: a, expr: 'sum('}]}]\n");
    let (code, said, wrong) = run(&["check", "rules", &bad]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        wrong.contains("FAILED") && wrong.contains("rule 1, \"a\": could not parse"),
        "{wrong}"
    );
    let (code, _, wrong) = run(&["check", "rules", dir.path().join("none.yml").to_str().unwrap()]);
    assert!(code == Some(1) && wrong.contains("none.yml"), "{wrong}");
    assert_eq!(run(&["check", "rules"]).0, Some(2));

    let twice = write(
        "twice.yml",
        "groups: [{name: g, rules: [{record: a, expr: '1'}, {record: a, expr: '2'}]}]\n",
    );
    let (code, _, wrong) = run(&["check", "rules", &twice]);
    assert!(code == Some(0) && wrong.contains("1 duplicate rule(s) found.\nMetric: a"), "{wrong}");
    assert_eq!(run(&["check", "rules", "--lint-fatal", &twice]).0, Some(1));

    let tests = write(
        "tests.yml",
        "tests: [{promql_expr_test: [{expr: '1', eval_time: 0, exp_samples: [{labels: '{}', value: 2}]}]}]\n",
    );
    let (code, said, wrong) = run(&["test", "rules", &tests]);
    assert_eq!(code, Some(1), "{said}");
    assert!(wrong.contains("        exp: {} 2E+00\n        got: {} 1E+00"), "{wrong}");
}

/// An Alertmanager that answers 200 and hands on the bodies that it gets.
fn alertmanager() -> (String, mpsc::Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (sender, heard) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let sender = sender.clone();
            thread::spawn(move || {
                let mut bytes = Vec::new();
                let mut chunk = [0; 4096];
                loop {
                    let Ok(count @ 1..) = stream.read(&mut chunk) else { return };
                    bytes.extend_from_slice(&chunk[..count]);
                    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
                        continue;
                    };
                    let Ok(json) = serde_json::from_slice(&bytes[end + 4..]) else { continue };
                    bytes.clear();
                    let answered =
                        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
                    if answered.is_err() || sender.send(json).is_err() {
                        return;
                    }
                }
            });
        }
    });
    (address, heard)
}

fn json(answer: &str) -> Value {
    serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap_or("")).unwrap_or_default()
}

/// Waits until `path` answers so; a minute is more than any loaded machine needs.
fn until(server: &Server, path: &str, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..1200 {
        let answer = json(&server.get(path).1);
        if holds(&answer) {
            return answer;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("never: {what}: {}", server.get(path).1);
}

const SERVE: [&str; 4] = ["--no-host", "--no-self", "--log.format=json", "--web.enable-lifecycle"];

#[test]
fn the_server_evaluates_tells_and_reloads() {
    let dir = tempfile::tempdir().unwrap();
    let (address, heard) = alertmanager();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    write(
        "p.yml",
        &format!(
            "global: {{external_labels: {{zone: eu}}}}\nrule_files: ['rules-*.yml']\nalerting: \
             {{alertmanagers: [{{static_configs: [{{targets: ['{address}']}}]}}]}}\n"
        ),
    );
    let rules = "groups:\n- name: g\n  interval: 200ms\n  rules:\n  - {record: one, expr: \
                 vector(1)}\n  - {alert: Always, expr: one > 0, annotations: {summary: 'it is {{ \
                 $value }}'}}\n";
    write("rules-a.yml", rules);
    write(
        "lines.yml",
        "groups: [{name: l, interval: 200ms, rules: [{record: lines, expr: 'sum(count_over_time({app=\"x\"}[5m])) or vector(0)'}]}]\n",
    );
    let config = dir.path().join("p.yml");
    let lines = dir.path().join("lines.yml");
    let mut extra = vec!["--prometheus-config", config.to_str().unwrap()];
    extra.extend(["--logs.rule-files", lines.to_str().unwrap(), "--rules.shipped"]);
    extra.extend(["--web.external-url", "http://me/"]);
    extra.extend(SERVE);
    let server = Server::start_with(&dir.path().join("data"), &extra);

    let body = heard.recv_timeout(Duration::from_mins(1)).unwrap();
    assert_eq!(body[0]["labels"], serde_json::json!({"alertname": "Always", "zone": "eu"}));
    assert_eq!(body[0]["annotations"]["summary"], "it is 1");
    assert_eq!(body[0]["generatorURL"], "http://me/graph?g0.expr=one+%3E+0&g0.tab=1");
    let firing = "/api/v1/query?query=ALERTS%7Balertstate%3D%22firing%22%7D";
    until(&server, firing, "a series of it", |answer| {
        answer["data"]["result"][0]["metric"]["alertname"] == "Always"
    });
    // What rules over lines record is a metric like any other.
    until(&server, "/api/v1/query?query=lines", "a series of lines", |answer| {
        answer["data"]["result"][0]["value"][1] == "0"
    });
    let shown = json(&server.get("/api/v1/rules?type=alert").1);
    let names = |answer: &Value| {
        let groups = answer["data"]["groups"].as_array().unwrap();
        groups.iter().map(|group| group["name"].to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(&shown), r#""g" "disk" "masthead" "http" "targets""#);
    assert_eq!(names(&json(&server.get("/prometheus/api/v1/rules").1)), r#""l" "logs""#);
    assert!(server.get("/loki/api/v1/rules").1.contains("lines.yml\":\n    - name: \"l\"\n"));
    let url = format!("http://{address}/api/v2/alerts");
    let known = json(&server.get("/api/v1/alertmanagers").1);
    assert_eq!(known["data"]["activeAlertmanagers"][0]["url"], url.as_str());
    let metrics = server.get("/metrics").1;
    assert!(metrics.contains("prometheus_notifications_alertmanagers_discovered 1"), "{metrics}");
    assert!(metrics.contains("rules-a.yml;g\"}"), "{metrics}");

    // A wrong file changes nothing; a right one is in force at once, and the state goes over.
    let since = |answer: &Value| answer["data"]["alerts"][0]["activeAt"].to_string();
    let before = since(&json(&server.get("/api/v1/alerts").1));
    write("rules-a.yml", "groups: [{name: g, rules: [{alert: Always}]}]\n");
    let (status, why) = server.ask("POST /-/reload HTTP/1.1", b"").unwrap();
    assert!(status == 500 && why.contains("field 'expr' must be set"), "{why}");
    assert_eq!(since(&json(&server.get("/api/v1/alerts").1)), before);
    write(
        "rules-a.yml",
        &rules.replace("  - {alert", "  - {record: two, expr: vector(2)}\n  - {alert"),
    );
    assert_eq!(server.ask("POST /-/reload HTTP/1.1", b"").unwrap().0, 200);
    until(&server, "/api/v1/query?query=two", "the new rule", |answer| {
        answer["data"]["result"][0]["value"][1] == "2"
    });
    assert_eq!(since(&json(&server.get("/api/v1/alerts").1)), before);
}

#[test]
fn a_wrong_rule_file_refuses_the_start_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("p.yml"), "rule_files: [r.yml]\n").unwrap();
    std::fs::write(
        dir.path().join("r.yml"),
        "groups:\n- name: g\n  rules:\n  - record: x\n    expr: up +\n",
    )
    .unwrap();
    let config = dir.path().join("p.yml");
    let data = dir.path().join("data");
    let args = ["serve", "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0"];
    let mut command = Masthead::command(&args);
    command.args(["--prometheus-listen", "off", "--loki-listen", "off"]);
    command.arg("--prometheus-config").arg(&config);
    let (code, _, wrong) = Masthead::start(command).finish();
    assert_eq!(code, Some(2), "{wrong}");
    assert!(wrong.contains("r.yml: 5:11: group \"g\", rule 1, \"x\": could not parse"), "{wrong}");
}
