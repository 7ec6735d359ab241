//! Every command that asks a server, against one that speaks TLS alone and wants a password.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::Command,
    thread::JoinHandle,
};

use rustix::process::{Signal, kill_process};

use crate::{
    connections::{Authority, write},
    process::{Masthead, masthead},
    serve::{Server, now},
};

const PASSWORD: &str = "hunter2-clients";

/// A server with a password and a certificate, and the flags that reach it.
pub(crate) struct Guarded {
    server: Server,
    directory: tempfile::TempDir,
    authority: Authority,
}

impl Guarded {
    /// `more` makes flags of the files in the directory.
    pub(crate) fn start(more: impl Fn(&Authority, &std::path::Path) -> Vec<String>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let dir = directory.path();
        let authority = Authority::new();
        let (cert, key) = authority.sign();
        let password = write(dir, "password", &format!("{PASSWORD}\n"));
        let (cert, key) = (write(dir, "cert.pem", &cert), write(dir, "key.pem", &key));
        write(dir, "ca.pem", &authority.pem);
        let mut args: Vec<String> = ["--tls.cert-file", &cert, "--tls.key-file", &key]
            .into_iter()
            .chain(["--auth.admin-password-file", &password])
            .map(str::to_owned)
            .collect();
        args.extend(more(&authority, dir));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let server = Server::start_with(&dir.join("data"), &args);
        Self { server, directory, authority }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.server.address)
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().unwrap().to_owned()
    }

    /// What lets a client in.
    pub(crate) fn flags(&self) -> Vec<String> {
        let words = ["--user", "admin", "--password-file"].map(str::to_owned);
        let ca = ["--ca-file".to_owned(), self.file("ca.pem")];
        words.into_iter().chain([self.file("password")]).chain(ca).collect()
    }

    /// Runs a client that is let in.
    pub(crate) fn ask(&self, args: &[&str]) -> (Option<i32>, String, String) {
        run(&[args, &["--url", &self.url()]].concat(), &self.flags())
    }
}

/// A command of `args` and these flags.
fn command(args: &[&str], flags: &[String]) -> Command {
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    Masthead::command(&[args, &flags].concat())
}

fn run(args: &[&str], flags: &[String]) -> (Option<i32>, String, String) {
    Masthead::start(command(args, flags)).finish()
}

/// A line in the log store: the server reads it from a file.
fn with_lines(_: &Authority, dir: &std::path::Path) -> Vec<String> {
    let log = write(dir, "app.log", "a line of the app\n");
    let text = format!(
        "scrape_configs:\n- job_name: files\n  static_configs:\n  - targets: [localhost]\n    \
         labels: {{app: shop, __path__: '{log}'}}\n"
    );
    let config = write(dir, "promtail.yaml", &text);
    vec!["--promtail-config".to_owned(), config]
}

#[test]
fn a_password_and_a_certificate_let_every_client_in() {
    let guarded = Guarded::start(with_lines);
    let (url, flags) = (guarded.url(), guarded.flags());
    let ok = |args: &[&str], want: &str| {
        let (code, stdout, stderr) = run(args, &flags);
        assert!(stdout.contains(want), "{args:?}: {stdout}{stderr}");
        (code, stderr)
    };
    let follow = ["logs", r#"{app="shop"}"#, "--follow", "--format", "raw", "--url", &url];
    let mut follower = Masthead::start(command(&follow, &flags));
    assert_eq!(follower.line_with("a line"), "a line of the app");
    kill_process(follower.id(), Signal::INT).unwrap();
    let (code, _, stderr) = follower.finish();
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert_eq!(ok(&["query", "6 * 7", "--url", &url], "42").0, Some(0));
    let lines = ["logs", r#"{app="shop"}"#, "--url", &url];
    assert_eq!(ok(&lines, "a line of the app").0, Some(0));
    let from = (now() / 1000 - 3600).to_string();
    let export = ["export", "openmetrics", "--url", &url, "--from", &from];
    let (code, stderr) = ok(&export, "# EOF");
    assert_eq!(code, Some(0), "{stderr}");
    ok(&["doctor", &url], concat!("ready, Masthead ", env!("CARGO_PKG_VERSION")));

    // By variables alone, as in a unit of systemd.
    let mut command = Masthead::command(&["query", "6 * 7"]);
    command.envs([("MASTHEAD_URL", url.as_str()), ("MASTHEAD_USER", "admin")]);
    command.env("MASTHEAD_PASSWORD", PASSWORD).env("MASTHEAD_CA_FILE", guarded.file("ca.pem"));
    let (code, stdout, stderr) = Masthead::start(command).finish();
    assert_eq!((code, stdout.trim()), (Some(0), "42"), "{stderr}");
    let unchecked = ["--user", "admin", "--insecure-skip-verify", "--password-file"];
    let unchecked: Vec<String> = unchecked.map(str::to_owned).into();
    let unchecked = [unchecked, vec![guarded.file("password")]].concat();
    assert_eq!(run(&["query", "6 * 7", "--url", &url], &unchecked).0, Some(0));
}

#[test]
fn a_client_that_is_not_let_in_says_what_would_help_and_no_secret() {
    let guarded = Guarded::start(|_, _| vec!["--auth.max-failures=1000".to_owned()]);
    let url = guarded.url();
    let (ca, password) = (guarded.file("ca.pem"), guarded.file("password"));
    write(guarded.directory.path(), "wrong", "hunter2-wrong");
    let wrong = guarded.file("wrong");
    let f = |flags: &[&str], want: &str| {
        let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        for args in [
            &["query", "1", "--url", &url][..],
            &["logs", "{a=\"b\"}", "--url", &url],
            &["logs", "{a=\"b\"}", "--follow", "--url", &url],
            &["export", "openmetrics", "--from", "1", "--url", &url],
            &["doctor", &url],
        ] {
            let (code, stdout, stderr) = run(args, &flags);
            let said = stdout + &stderr;
            assert_eq!(code, Some(1), "{args:?}: {said}");
            assert!(said.contains(want) && !said.contains("hunter2"), "{args:?}: {said}");
        }
    };
    f(&["--user", "admin", "--password-file", &password], "--ca-file");
    f(&["--ca-file", &ca], "log in first");
    f(&["--ca-file", &ca, "--user", "admin", "--password-file", &wrong], "wrong user or password");
    f(&["--ca-file", &ca, "--token", "hunter2-token"], "unknown token");
    f(&["--ca-file", &ca, "--user", "admin", "--password-file", "/nowhere"], "/nowhere");
    f(&["--ca-file", &ca, "--server-name", "other.test"], "--server-name");
    drop(guarded.authority);

    let g = |args: &[&str], want: &str| {
        let (code, _, stderr) = masthead(&[&["query", "1"], args].concat()).finish();
        assert_eq!(code, Some(2), "{stderr}");
        assert!(stderr.contains(want) && !stderr.contains("hunter2"), "{stderr}");
    };
    g(&["--url", "https://me:hunter2@127.0.0.1:1"], "--password-file");
    g(&["--url", "db:9090"], "write it like");
    g(&["--user", "a", "--token", "t"], "--token");
    g(&["--password-file", "f"], "--user");
    g(&["--header", "Authorization: x"], "not allowed");
    g(&["--header", "nonsense"], "X-Scope-OrgID");
}

#[test]
fn a_certificate_of_the_clients_own_is_shown_where_one_is_wanted() {
    let guarded = Guarded::start(|authority, dir| {
        let (cert, key) = authority.sign();
        write(dir, "own.pem", &cert);
        write(dir, "own.key", &key);
        let ca = dir.join("ca.pem").to_str().unwrap().to_owned();
        vec!["--tls.client-ca-file".to_owned(), ca]
    });
    let url = guarded.url();
    let flags = guarded.flags();
    assert_eq!(run(&["query", "6 * 7", "--url", &url], &flags).0, Some(1));
    let own = ["--cert-file".to_owned(), guarded.file("own.pem"), "--key-file".to_owned()];
    let flags = [flags, own.into(), vec![guarded.file("own.key")]].concat();
    let (code, stdout, stderr) = run(&["query", "6 * 7", "--url", &url], &flags);
    assert_eq!((code, stdout.trim()), (Some(0), "42"), "{stderr}");
}

fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    String::from_utf8(head).unwrap()
}

/// Answers one request with the number 42; gives back the head of the request.
fn answering() -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answered = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let head = head(&mut stream);
        let length = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap();
        // Closed over unread bytes, a connection would end with a reset.
        let mut form = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut form).unwrap();
        let body = r#"{"status":"success","data":{"resultType":"scalar","result":[1,"42"]}}"#;
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).unwrap();
        head
    });
    (url, answered)
}

#[test]
fn the_proxy_of_the_environment_is_asked() {
    let (proxy, answered) = answering();
    let mut command = Masthead::command(&["query", "42", "--url", "http://masthead.invalid:3000"]);
    for name in ["http_proxy", "no_proxy", "NO_PROXY"] {
        command.env_remove(name);
    }
    command.env("HTTP_PROXY", proxy);
    let (code, stdout, stderr) = Masthead::start(command).finish();
    assert_eq!((code, stdout.trim()), (Some(0), "42"), "{stderr}");
    let head = answered.join().unwrap();
    assert!(head.starts_with("POST http://masthead.invalid:3000/api/v1/query HTTP/1.1"), "{head}");
}

#[test]
fn headers_reach_the_server() {
    let (url, answered) = answering();
    let headers = ["--header", "X-Scope-OrgID: one|two", "--header", "X-Other:3"];
    let query = [&["query", "42", "--url", &url][..], &headers].concat();
    let (code, stdout, stderr) = masthead(&query).finish();
    assert_eq!((code, stdout.trim()), (Some(0), "42"), "{stderr}");
    let head = answered.join().unwrap();
    let sent = ["x-scope-orgid: one|two\r\n", "x-other: 3\r\n"];
    assert!(sent.iter().all(|header| head.contains(header)), "{head}");
}
