//! masthead.yaml on the real process: what it changes, how it is checked, and what a reload does.
#![expect(clippy::disallowed_methods, reason = "tests write files")]

use std::{io::Write as _, path::Path};

use rustix::process::{Signal, kill_process};

use crate::{
    process::{masthead, soon},
    serve::Server,
};

/// One that scrapes `target` and collects the files `name` of `folder`.
fn text(target: &str, job: &str, folder: &Path, name: &str) -> String {
    format!(
        "
metrics:
  global: {{scrape_interval: 250ms, scrape_timeout: 250ms, external_labels: {{zone: eu}}}}
  scrape_configs:
  - job_name: {job}
    basic_auth: {{username: me, password: hunter2}}
    static_configs: [{{targets: ['{target}']}}]
  storage: {{retention_time: 30d}}
logs:
  scrape_configs:
  - job_name: {job}
    static_configs: [{{targets: [localhost], labels: {{job: {job}, __path__: '{}/{name}'}}}}]
    pipeline_stages: [{{replace: {{expression: (secret), replace: '***'}}}}]
  limits: {{max_tails: 3}}
observe: {{host: false}}
web: {{enable_lifecycle: true}}
",
        folder.display()
    )
}

fn lines(server: &Server, selector: &str) -> String {
    let url = format!("http://{}", server.address());
    let (code, stdout, stderr) =
        masthead(&["logs", selector, "--url", &url, "--format", "raw"]).finish();
    assert_eq!(code, Some(0), "{stderr}");
    stdout
}

fn append(file: &Path, text: &str) {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn one_file_says_what_is_scraped_what_is_collected_and_every_setting() {
    let directory = tempfile::tempdir().unwrap();
    let other = Server::start_with(&directory.path().join("other"), &["--no-host", "--no-self"]);
    let target = other.address().to_string();
    let file = directory.path().join("masthead.yaml");
    let write = |job: &str, name: &str| {
        std::fs::write(&file, text(&target, job, directory.path(), name)).unwrap();
    };
    write("first", "a.log");
    append(&directory.path().join("a.log"), "one secret\n");
    append(&directory.path().join("b.log"), "two\n");
    let server = Server::start_with(
        &directory.path().join("data"),
        &["--config", file.to_str().unwrap(), "--logs.max-streams=77"],
    );
    let up = |job: &str| {
        let query = format!("sum(up{{job=\"{job}\"}}) or vector(0)");
        soon(|| server.number(&query) == "1")
    };
    assert!(up("first"));
    assert!(soon(|| lines(&server, "{job=\"first\"}") == "one ***\n"));
    let (_, flags) = server.get("/api/v1/status/flags");
    for flag in [
        "\"storage.retention.time\":\"2592000s\"",
        "\"logs.max-tails\":\"3\"",
        "\"logs.max-streams\":\"77\"",
        "\"no-host\":\"true\"",
    ] {
        assert!(flags.contains(flag), "{flag} in {flags}");
    }
    let (_, shown) = server.get("/api/v1/status/config");
    assert!(shown.contains("max_tails: 3") && shown.contains("zone: eu"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");

    // A reload changes both; positions are kept, so that no line comes twice.
    write("second", "*.log");
    kill_process(server.process.id(), Signal::HUP).unwrap();
    assert!(up("second"));
    assert!(soon(|| lines(&server, "{job=\"second\"}").lines().count() == 2));
    append(&directory.path().join("b.log"), "three\n");
    assert!(soon(|| lines(&server, "{job=\"second\"} |= \"three\"") == "three\n"));
    let reload = || server.ask("POST /-/reload HTTP/1.1", b"").unwrap();
    assert_eq!(reload().0, 200);

    // One that is wrong in either half changes neither.
    let good = std::fs::read_to_string(&file).unwrap();
    for (from, to, place) in [
        ("pipeline_stages: [", "pipeline_stages: [{nonsense: }, ", "nonsense"),
        ("job_name: second\n    basic", "job_nam: second\n    basic", "line 5"),
        ("max_tails", "max_tales", "max_tales"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good);
        std::fs::write(&file, bad).unwrap();
        let (status, answer) = reload();
        assert_eq!(status, 500, "{answer}");
        assert!(answer.contains(place), "{place} in {answer}");
    }
    append(&directory.path().join("b.log"), "four\n");
    assert!(soon(|| lines(&server, "{job=\"second\"}").lines().count() == 4));
    assert!(up("second"));
    assert_eq!(lines(&server, "{job=\"second\"}").lines().count(), 4);
    assert_eq!(server.stop(Signal::TERM), Some(0));
}

#[test]
fn a_promtail_file_is_read_again_too() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("promtail.yaml");
    let write = |name: &str| {
        let text = format!(
            "scrape_configs:\n- job_name: j\n  static_configs: [{{labels: {{job: j, __path__: '{}/{name}'}}}}]\n",
            directory.path().display()
        );
        std::fs::write(&file, text).unwrap();
    };
    write("a.log");
    append(&directory.path().join("a.log"), "one\n");
    append(&directory.path().join("b.log"), "two\n");
    let server = Server::start_with(
        &directory.path().join("data"),
        &["--promtail-config", file.to_str().unwrap(), "--no-host", "--no-self"],
    );
    assert!(soon(|| lines(&server, "{job=\"j\"}") == "one\n"));
    write("*.log");
    kill_process(server.process.id(), Signal::HUP).unwrap();
    assert!(soon(|| lines(&server, "{job=\"j\"}").lines().count() == 2));
    assert_eq!(server.stop(Signal::TERM), Some(0));
}

#[test]
fn files_are_checked_without_starting_anything() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let good = write("good.yaml", &text("127.0.0.1:1", "j", directory.path(), "*.log"));
    let bad = write("bad.yaml", "listen:\n  adress: x\n");
    let prometheus = write("p.yml", "scrape_configs: [{job_name: x}]\nalerting: {}\n");
    let promtail = write("t.yaml", "scrape_configs: [{job_name: x}]\n");
    let f = |args: &[&str], code: i32, words: &[&str]| {
        let (found, stdout, stderr) = masthead(args).finish();
        assert_eq!(found, Some(code), "{args:?}: {stdout}{stderr}");
        let said = stdout + &stderr;
        for word in words {
            assert!(said.contains(word), "{args:?}: {word} in {said}");
        }
    };
    f(&["check", "config", &good], 0, &["good.yaml: ok"]);
    f(&["check", "config", &bad], 2, &["bad.yaml", "line 2", "adress", "address"]);
    f(&["check", "config", "/nowhere.yaml"], 2, &["/nowhere.yaml"]);
    f(&["check", "config", "--as", "prometheus", &prometheus], 0, &["p.yml: ok"]);
    f(&["check", "config", "--as", "promtail", &prometheus], 2, &["p.yml", "alerting"]);
    f(&["check", "config", "--as", "promtail", &promtail], 0, &["t.yaml: ok"]);
    f(&["serve", "--check-config", "--config", &good], 0, &["ok"]);
    f(&["serve", "--check-config", "--config", &bad], 2, &["line 2"]);
    f(&["serve", "--config", &bad], 2, &["line 2"]);
    let data = directory.path().join("data");
    let apart = ["--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0"];
    let both = ["serve", "--config", &good, "--prometheus-config", &prometheus];
    f(&[&both[..], &apart[..]].concat(), 2, &["give one"]);
}
