//! `masthead serve` with passwords and tokens: who gets in over a real socket, and that no secret
//! gets out.
#![expect(clippy::disallowed_methods, reason = "tests write files")]

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    process::{Masthead, masthead, soon},
    serve::Server,
};

pub(crate) const PASSWORD: &str = "correct-horse-battery";

pub(crate) fn basic(user: &str, password: &str) -> String {
    format!("authorization: Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// A new token of this scope and its entry.
pub(crate) fn new_token(scope: &str) -> (String, String) {
    let (code, stdout, stderr) = masthead(&["token", "new", "--scope", scope]).finish();
    assert_eq!(code, Some(0), "{stderr}");
    let (token, entry) = stdout.split_once('\n').unwrap();
    assert!(token.starts_with("mht_") && !entry.contains(token), "{stdout}");
    (token.to_owned(), entry.to_owned())
}

pub(crate) fn guarded(directory: &Path, extra: &[&str]) -> Server {
    let file = directory.join("password");
    std::fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    let mut args = vec!["--auth.admin-password-file", file.to_str().unwrap()];
    args.extend(extra);
    Server::start_with(&directory.join("data"), &args)
}

pub(crate) fn status(server: &Server, method: &str, path: &str, headers: &[&str]) -> u16 {
    let head = format!("{method} {path} HTTP/1.1\r\n{}", headers.join("\r\n"));
    server.ask(head.trim_end(), b"").unwrap().0
}

#[test]
fn with_a_password_nobody_else_gets_in() {
    let directory = tempfile::tempdir().unwrap();
    let (reader, entry) = new_token("read");
    let file = directory.path().join("auth.yaml");
    std::fs::write(&file, &entry).unwrap();
    let server = guarded(directory.path(), &["--auth.file", file.to_str().unwrap()]);
    let admin = basic("admin", PASSWORD);
    let bearer = |token: &str| format!("authorization: Bearer {token}");
    for path in ["/api/v1/labels", "/loki/api/v1/labels", "/api/search", "/metrics", "/federate"] {
        assert_eq!(status(&server, "GET", path, &[]), 401, "{path}");
        assert_eq!(status(&server, "GET", path, &[&basic("admin", "guess")]), 401, "{path}");
        assert_ne!(status(&server, "GET", path, &[&admin]), 401, "{path}");
        assert_ne!(status(&server, "GET", path, &[&bearer(&reader)]), 401, "{path}");
    }
    assert_eq!(status(&server, "GET", "/-/ready", &[]), 200);
    assert_eq!(status(&server, "POST", "/api/v1/write", &[&bearer(&reader)]), 403);
    assert_eq!(status(&server, "GET", "/api/v1/nowhere", &[]), 404);

    // The file is read again: one token goes, another comes.
    let (writer, entry) = new_token("write");
    std::fs::write(&file, &entry).unwrap();
    assert!(soon(|| status(&server, "GET", "/api/v1/labels", &[&bearer(&reader)]) == 401));
    assert_eq!(status(&server, "GET", "/api/v1/labels", &[&bearer(&writer)]), 403);
    assert_eq!(status(&server, "POST", "/loki/api/v1/push", &[&bearer(&writer)]), 400);
    // Half a file locks nobody out.
    std::fs::write(&file, "tokens:\n- name: x\n  ha").unwrap();
    assert!(soon(|| status(&server, "POST", "/-/reload", &[&admin]) != 401));
    assert_eq!(status(&server, "POST", "/loki/api/v1/push", &[&bearer(&writer)]), 400);
}

#[test]
fn the_clients_show_a_token() {
    let directory = tempfile::tempdir().unwrap();
    let (reader, entry) = new_token("read");
    let file = directory.path().join("auth.yaml");
    std::fs::write(&file, &entry).unwrap();
    let server = Server::start_with(
        &directory.path().join("data"),
        &["--auth.file", file.to_str().unwrap()],
    );
    let url = format!("http://{}", server.address());
    for command in [["query", "1 + 1"], ["logs", "{app=\"x\"}"]] {
        let mut args = command.to_vec();
        args.extend(["--url", &url]);
        let (code, _, stderr) = masthead(&args).finish();
        assert!(code == Some(1) && stderr.contains("log in first"), "{stderr}");
        let mut with_token = Masthead::command(&args);
        with_token.env("MASTHEAD_TOKEN", &reader);
        let (code, _, stderr) = Masthead::start(with_token).finish();
        assert_eq!(code, Some(0), "{stderr}");
        let (_, help, _) = masthead(&[command[0], "--help"]).finish();
        assert!(help.contains("MASTHEAD_TOKEN") && !help.contains(&reader), "{help}");
    }
}

#[test]
fn a_browser_logs_in_and_out() {
    let directory = tempfile::tempdir().unwrap();
    let server = guarded(directory.path(), &[]);
    let body = format!("{{\"user\":\"admin\",\"password\":\"{PASSWORD}\"}}");
    let head = "POST /api/login HTTP/1.1\r\norigin: http://x\r\ncontent-type: application/json";
    let (code, answer) = server.ask(head, body.as_bytes()).unwrap();
    assert_eq!(code, 200, "{answer}");
    assert!(
        answer.ends_with(r#"{"loginWanted":true,"user":"admin","role":"admin","session":true}"#)
    );
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    assert!(cookie.contains("HttpOnly; SameSite=Strict"), "{cookie}");
    let cookie = format!("cookie: {}", cookie.split(';').next().unwrap());
    assert_eq!(status(&server, "GET", "/api/v1/labels", &[&cookie]), 200);
    assert_eq!(status(&server, "POST", "/api/logout", &[&cookie, "origin: http://evil"]), 403);
    assert_eq!(status(&server, "POST", "/api/logout", &[&cookie, "origin: http://x"]), 204);
    assert_eq!(status(&server, "GET", "/api/v1/labels", &[&cookie]), 401);
}

#[test]
fn beyond_loopback_a_password_is_wanted() {
    let directory = tempfile::tempdir().unwrap();
    let dir = directory.path().to_str().unwrap();
    let args = ["serve", "--data", dir, "--listen", "0.0.0.0:0", "--prometheus-listen", "off"];
    let (code, _, stderr) = masthead(&args).finish();
    assert_eq!(code, Some(2));
    assert!(stderr.contains("no password") && stderr.contains("--insecure"), "{stderr}");
    // A password that is not there is no password, and a wrong file is named.
    let empty = directory.path().join("empty");
    std::fs::write(&empty, "\n").unwrap();
    let f = |flag: &str, value: &str, want: &str| {
        let mut args = args.to_vec();
        args.extend([flag, value]);
        let (code, _, stderr) = masthead(&args).finish();
        assert_eq!(code, Some(2), "{stderr}");
        assert!(stderr.contains(want), "{stderr}");
    };
    f("--auth.admin-password-file", empty.to_str().unwrap(), "no password in its first line");
    f("--auth.admin-password-file", "/nowhere", "/nowhere");
    f("--auth.file", empty.to_str().unwrap(), "no password");
    let mut command = Masthead::command(&args);
    command.env("MASTHEAD_AUTH_ADMIN_PASSWORD", PASSWORD).env("MASTHEAD_LOKI_LISTEN", "off");
    Masthead::start(command).line_with("\"Ready.\"");
}

/// Every place of a configuration that can hold a secret.
const PLANTED: &str = "
metrics:
  global: {scrape_interval: 1s, scrape_timeout: 1s}
  scrape_configs:
  - job_name: j
    basic_auth: {username: me, password: hunter2-scrape}
    http_headers: {X-Pin: {secrets: [hunter2-header]}}
    static_configs: [{targets: ['127.0.0.1:1']}]
  - job_name: b
    bearer_token: hunter2-bearer
    proxy_url: 'http://me:hunter2-proxy@127.0.0.1:1'
    proxy_connect_header: {X-Way: [hunter2-connect]}
    static_configs: [{targets: ['127.0.0.1:1']}]
  - job_name: o
    oauth2: &oauth2
      client_id: shop
      client_secret: hunter2-oauth2
      token_url: 'http://127.0.0.1:1/token'
      endpoint_params: {pin: hunter2-param}
    static_configs: [{targets: ['127.0.0.1:1']}]
  remote_write:
  - {name: r, url: 'http://127.0.0.1:1/', basic_auth: {username: me, password: hunter2-remote}}
  - {name: o, url: 'http://127.0.0.1:1/', oauth2: *oauth2}
  alerting:
    alertmanagers:
    - authorization: {credentials: hunter2-alert}
      static_configs: [{targets: ['127.0.0.1:1']}]
logs:
  clients:
  - {url: 'http://127.0.0.1:1/', bearer_token: hunter2-loki}
  scrape_configs: []
auth:
  users: [{name: vera, role: view, password_file: vera}]
  tokens: [{name: t, hash: 'sha256:HASH', scopes: [read]}]
";

#[test]
fn users_and_tokens_may_stand_in_the_configuration_and_change() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("masthead.yaml");
    let (reader, entry) = new_token("read");
    let indented = entry.replace('\n', "\n  ");
    std::fs::write(directory.path().join("vera"), "hunter2-vera\n").unwrap();
    let users = "auth:\n  users: [{name: vera, role: view, password_file: vera}]\n  ";
    std::fs::write(&config, format!("{users}{indented}")).unwrap();
    let data = directory.path().join("data");
    let server = Server::start_with(&data, &["--config", config.to_str().unwrap()]);
    let ask = |header: &str| status(&server, "GET", "/api/v1/labels", &[header]);
    let bearer = format!("authorization: Bearer {reader}");
    assert_eq!(status(&server, "GET", "/api/v1/labels", &[]), 401);
    assert_eq!((ask(&bearer), ask(&basic("vera", "hunter2-vera"))), (200, 200));
    std::fs::write(&config, users).unwrap();
    assert!(soon(|| ask(&bearer) == 401));
    assert_eq!(ask(&basic("vera", "hunter2-vera")), 200);

    let f = |text: &str, want: &str| {
        std::fs::write(&config, text).unwrap();
        let (code, _, stderr) = masthead(&["check", "config", config.to_str().unwrap()]).finish();
        assert_ne!(code, Some(0), "{stderr}");
        assert!(stderr.contains(want) && !stderr.contains("hunter2"), "{stderr}");
    };
    f("auth:\n  users: [{name: v, role: view, password_hash: hunter2}]\n", "hash-password");
    f("auth:\n  tokns: []\n", "tokns");
}

#[test]
fn no_secret_gets_out() {
    let directory = tempfile::tempdir().unwrap();
    let (token, entry) = new_token("admin");
    let hash = entry.split("sha256:").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    let file = directory.path().join("auth.yaml");
    std::fs::write(&file, &entry).unwrap();
    let config = directory.path().join("masthead.yaml");
    std::fs::write(directory.path().join("vera"), "hunter2-vera\n").unwrap();
    let (_, in_the_file) = new_token("read");
    let hash_in_the_file = in_the_file.split("sha256:").nth(1).unwrap();
    let hash_in_the_file = hash_in_the_file.split_whitespace().next().unwrap().to_owned();
    std::fs::write(&config, PLANTED.replace("HASH", &hash_in_the_file)).unwrap();
    let server = Server::start_with(
        &directory.path().join("data"),
        &[
            "--auth.admin-password",
            PASSWORD,
            "--auth.file",
            file.to_str().unwrap(),
            "--config",
            config.to_str().unwrap(),
            "--log.level=debug",
        ],
    );
    let admin = basic("admin", PASSWORD);
    // What is asked and refused is told: wait until each scrape has said why.
    let failed = || {
        let head = format!("GET /api/v1/targets HTTP/1.1\r\n{admin}");
        let (_, answer) = server.ask(&head, b"").unwrap();
        answer.matches("connection refused").count() >= 3 && answer.contains("cannot fetch a token")
    };
    assert!(soon(failed));
    let mut seen = String::new();
    for path in [
        "/api/v1/status/config",
        "/loki/api/v1/status/buildinfo",
        "/api/v1/alertmanagers",
        "/api/v1/scrape_pools/config?scrapePool=o",
        "/api/v1/status/flags",
        "/api/v1/status/runtimeinfo",
        "/api/v1/targets",
        "/api/v1/scrape_pools/config?scrapePool=j",
        "/api/v1/openapi.yaml",
        "/config",
        "/metrics",
        "/api/user",
    ] {
        let head = format!("GET {path} HTTP/1.1\r\n{admin}");
        let (status, answer) = server.ask(&head, b"").unwrap();
        assert_eq!(status, 200, "{path}: {answer}");
        seen.push_str(&answer);
    }
    let masked =
        [r#""auth.admin-password":"<secret>""#, r#""auth.admin-password":"\u003csecret\u003e""#];
    assert!(masked.iter().any(|masked| seen.contains(masked)), "{seen}");
    let wrong = format!("GET /api/v1/labels HTTP/1.1\r\n{}", basic("admin", "hunter2-wrong"));
    seen.push_str(&server.ask(&wrong, b"").unwrap().1);
    let wrong = "GET /api/v1/labels HTTP/1.1\r\nauthorization: Bearer hunter2-token";
    seen.push_str(&server.ask(wrong, b"").unwrap().1);
    let wrong = br#"{"user":"admin","password":["hunter2-login"]}"#;
    seen.push_str(&server.ask("POST /api/login HTTP/1.1", wrong).unwrap().1);
    std::fs::write(&file, format!("tokens: [{{name: leaky, hash: {token}}}]")).unwrap();
    let head = format!("POST /-/reload HTTP/1.1\r\n{admin}");
    seen.push_str(&server.ask(&head, b"").unwrap().1);
    rustix::process::kill_process(server.process.id(), rustix::process::Signal::TERM).unwrap();
    let (_, stdout, stderr) = server.process.finish();
    seen.push_str(&stdout);
    seen.push_str(&stderr);
    assert!(seen.contains("Stopped."), "the log is looked at too");
    assert!(seen.contains("client_id: shop"), "the configuration is looked at: {seen}");
    for secret in [
        PASSWORD,
        &token,
        &hash,
        &hash_in_the_file,
        "hunter2",
        &STANDARD.encode(format!("admin:{PASSWORD}")),
    ] {
        let at = seen.find(secret).map(|at| &seen[at.saturating_sub(300)..at + secret.len()]);
        assert_eq!(at, None);
    }
}

#[test]
fn secrets_for_the_configuration_are_made() {
    let mut command = Masthead::command(&["hash-password"]);
    command.stdin(std::process::Stdio::null());
    let (code, _, stderr) = Masthead::start(command).finish();
    assert!(code == Some(1) && stderr.contains("1 to 1024 bytes"), "{stderr}");
    let (code, stdout, _) = masthead(&[
        "token",
        "new",
        "--scope",
        "read,write",
        "--name",
        "a \"b\"",
        "--expires-in",
        "1d",
    ])
    .finish();
    assert_eq!(code, Some(0));
    assert!(stdout.contains("scopes: [read, write]") && stdout.contains("expires: 20"), "{stdout}");
    assert!(stdout.contains(r#"name: "a \"b\"""#), "{stdout}");
    assert_eq!(masthead(&["token", "new"]).finish().0, Some(2));
    assert_eq!(masthead(&["token", "new", "--scope", "all"]).finish().0, Some(2));
}
