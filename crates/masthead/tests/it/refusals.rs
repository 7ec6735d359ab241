//! The table of docs/reference/refusals.md on the real process: whoever may not, or sends what may
//! not be, is refused with this status and these words. Rows that other files test are named in the
//! table.
#![expect(clippy::disallowed_methods, reason = "tests write files")]

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    time::Duration,
};

use masthead_wire::remote_write::{EncoderV1, compress};
use rustix::process::Signal;

use crate::{
    access::{PASSWORD, basic, guarded, new_token, status},
    forward::eventually,
    process::masthead,
    serve::{Server, now},
};

/// One request with this head and body; the whole answer.
fn ask(server: &Server, head: &str, body: &[u8]) -> (u16, String) {
    server.ask(head, body).unwrap_or_else(|| panic!("no answer to {head}"))
}

/// A POST of a protobuf in snappy.
fn write_head(path: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\ncontent-type: application/x-protobuf\r\ncontent-encoding: snappy"
    )
}

/// Every path that the reference names, without its query; parameters are `x`.
fn documented() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference");
    let mut found = Vec::new();
    for page in ["http-prometheus.md", "http-loki.md", "http-masthead.md"] {
        let text = std::fs::read_to_string(root.join(page)).unwrap();
        for code in text.split('`').skip(1).step_by(2) {
            let (method, path) = match code.split_once(' ') {
                Some((method @ ("GET" | "POST" | "DELETE"), path)) => (method, path),
                None => ("GET", code),
                Some(_) => continue,
            };
            let plain = path.starts_with('/') && !path.contains(['*', '(', '…', ' ', '\n']);
            if !plain || path == "/" || path == "/api/v1" {
                continue;
            }
            let path = path.split('?').next().unwrap_or(path);
            let words: Vec<String> = path
                .split('/')
                .map(|word| {
                    let is_parameter = word.starts_with(['{', '<'])
                        || (!word.is_empty() && word.chars().all(|c| c.is_ascii_uppercase()));
                    if is_parameter { "x".to_owned() } else { word.to_owned() }
                })
                .collect();
            found.push((method.to_owned(), words.join("/")));
        }
    }
    found.sort();
    found.dedup();
    assert!(found.len() > 60, "{found:?}");
    found
}

const OPEN: [&str; 6] =
    ["/-/healthy", "/-/ready", "/ready", "/api/login", "/api/logout", "/api/user"];

/// What no route answers is the browser application, which everybody may have.
fn is_the_application(answer: &str) -> bool {
    answer.contains("text/html")
}

#[test]
fn nobody_gets_through_a_documented_route_without_credentials() {
    let directory = tempfile::tempdir().unwrap();
    let server = guarded(directory.path(), &["--auth.max-failures=100000"]);
    let mut refused = 0;
    for (method, path) in documented() {
        if OPEN.contains(&path.as_str()) {
            continue;
        }
        let credentials = [
            String::new(),
            "\r\nauthorization: Bearer mht_guess".to_owned(),
            "\r\nauthorization: Negotiate x".to_owned(),
            "\r\ncookie: masthead_session=guess".to_owned(),
        ];
        for more in credentials {
            let (status, answer) = ask(&server, &format!("{method} {path} HTTP/1.1{more}"), b"");
            if is_the_application(&answer) {
                continue;
            }
            assert_eq!(status, 401, "{method} {path}{more}: {answer}");
            assert!(answer.contains("www-authenticate: Bearer"), "{method} {path}: {answer}");
            refused += 1;
        }
    }
    assert!(refused > 200, "{refused}");
    // A password is hashed, which takes a while: for one route of each kind.
    for path in ["/api/v1/labels", "/loki/api/v1/push", "/-/reload", "/metrics"] {
        let wrong = basic("admin", "guess");
        assert_eq!(status(&server, "POST", path, &[&wrong]), 401, "{path}");
    }
    assert_eq!(server.stop(Signal::TERM), Some(0));
}

#[test]
fn a_scope_opens_its_own_routes_and_no_others() {
    let directory = tempfile::tempdir().unwrap();
    let (reader, read) = new_token("read");
    let (writer, write) = new_token("write");
    let (owner, admin) = new_token("admin");
    let entries = [read, write, admin].map(|entry| {
        let (_, entry) = entry.split_once("tokens:").unwrap();
        entry.trim_end().to_owned()
    });
    let file = directory.path().join("auth.yaml");
    std::fs::write(&file, format!("tokens:{}\n", entries.concat())).unwrap();
    let admin_api = ["--web.enable-admin-api", "--web.enable-lifecycle"];
    let flags = [&["--auth.file", file.to_str().unwrap()], &admin_api[..]].concat();
    let server = guarded(directory.path(), &flags);
    let f = |method: &str, path: &str, may: [bool; 3]| {
        for (token, may) in [&reader, &writer, &owner].into_iter().zip(may) {
            let bearer = format!("authorization: Bearer {token}");
            let got = status(&server, method, path, &[&bearer]);
            assert_eq!(got != 403, may, "{method} {path}: {got}");
            assert_ne!(got, 401, "{method} {path}");
        }
    };
    let (read, write, admin) = ([true, false, true], [false, true, true], [false, false, true]);
    f("GET", "/api/v1/query?query=1", read);
    f("GET", "/loki/api/v1/labels", read);
    f("GET", "/metrics", read);
    f("GET", "/config", read);
    f("GET", "/api/search", read);
    f("GET", "/federate", read);
    f("POST", "/api/v1/write", write);
    f("POST", "/loki/api/v1/push", write);
    f("POST", "/api/v1/otlp/v1/metrics", write);
    f("POST", "/otlp/v1/logs", write);
    f("POST", "/-/reload", admin);
    f("POST", "/api/v1/admin/tsdb/delete_series", admin);
    f("POST", "/api/v1/admin/logs/snapshot", admin);
    f("POST", "/loki/api/v1/delete", admin);
    f("POST", "/flush", admin);
    f("POST", "/api/dashboards/db", admin);
    f("DELETE", "/api/dashboards/uid/x", admin);
    f("DELETE", "/api/queries/1", admin);
    // The last one that may ends it.
    f("POST", "/-/quit", admin);
    assert_eq!(server.process.finish().0, Some(0));
}

#[test]
fn a_page_of_another_site_changes_nothing() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--web.enable-lifecycle", "--no-host"]);
    for path in ["/-/quit", "/-/reload", "/loki/api/v1/push", "/api/v1/write", "/flush"] {
        for proof in ["origin: http://evil.example", "sec-fetch-site: cross-site"] {
            assert_eq!(status(&server, "POST", path, &[proof]), 403, "{path} {proof}");
        }
    }
    // A name that was made to lead here is not this machine's.
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let head = "GET /api/v1/labels HTTP/1.1\r\nhost: rebound.example\r\nconnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert_eq!(server.stop(Signal::TERM), Some(0));
}

#[test]
fn too_many_wrong_passwords_wait() {
    let directory = tempfile::tempdir().unwrap();
    let server = guarded(directory.path(), &["--auth.max-failures=3"]);
    let ask = |password: &str| {
        let head = format!("GET /api/v1/labels HTTP/1.1\r\n{}", basic("admin", password));
        ask(&server, &head, b"")
    };
    for _ in 0..3 {
        assert_eq!(ask("guess").0, 401);
    }
    let (status, answer) = ask("guess");
    assert_eq!(status, 429, "{answer}");
    assert!(answer.contains("too many wrong passwords") && answer.contains("retry-after: "));
    assert_eq!(ask(PASSWORD).0, 429, "a right one too, so that guessing cannot go on");
    let body = format!("{{\"user\":\"admin\",\"password\":\"{PASSWORD}\"}}");
    let login = "POST /api/login HTTP/1.1\r\ncontent-type: application/json";
    assert_eq!(server.ask(login, body.as_bytes()).unwrap().0, 429);
    assert_eq!(server.stop(Signal::TERM), Some(0));
}

#[test]
fn a_body_has_a_size_as_it_is_sent_and_decompressed() {
    let data = tempfile::tempdir().unwrap();
    let flags = [
        "--no-host",
        "--web.max-body-size=64KB",
        "--web.max-decompressed-size=128KB",
        "--web.max-form-size=1KB",
    ];
    let server = Server::start_with(data.path(), &flags);
    let f = |head: &str, body: &[u8], words: &str| {
        let (status, answer) = ask(&server, head, body);
        assert!(status == 413 && answer.contains(words), "{head}: {answer}");
    };
    let large = vec![0_u8; 100 << 10];
    let bomb = compress(&vec![0_u8; 10 << 20]).unwrap();
    assert!(bomb.len() > 64 << 10 || bomb.len() < 1 << 20);
    let small_bomb = compress(&vec![0_u8; 1 << 20]).unwrap();
    assert!(small_bomb.len() < 64 << 10, "{}", small_bomb.len());
    for path in ["/api/v1/write", "/loki/api/v1/push"] {
        f(&write_head(path), &large, "--web.max-body-size");
        f(&write_head(path), &small_bomb, "--web.max-decompressed-size");
    }
    let otlp = "POST /otlp/v1/logs HTTP/1.1\r\ncontent-type: application/x-protobuf";
    f(otlp, &large, "--web.max-body-size");
    let form = "POST /api/v1/query HTTP/1.1\r\ncontent-type: application/x-www-form-urlencoded";
    f(form, format!("query={}", "1+".repeat(2000)).as_bytes(), "--web.max-form-size");
    let board = format!("{{\"dashboard\":{{\"title\":\"{}\"}}}}", "x".repeat(4000));
    let save = "POST /api/dashboards/db HTTP/1.1\r\ncontent-type: application/json";
    f(save, board.as_bytes(), "--web.max-form-size");
    assert_eq!(server.stop(Signal::TERM), Some(0));
}

#[test]
fn a_body_that_stalls_is_given_up() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--no-host", "--web.stall-timeout=300ms"]);
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let head =
        format!("{}\r\nhost: x\r\ncontent-length: 1000\r\n\r\nx", write_head("/api/v1/write"));
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = [0; 4096];
    let count = stream.read(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer[..count]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 400") || answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert_eq!(server.stop(Signal::TERM), Some(0));
}

#[test]
fn a_head_has_a_size() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--no-host"]);
    let head = format!("GET /-/healthy HTTP/1.1\r\nx-large: {}", "x".repeat(1 << 20));
    let answer = server.ask(&head, b"");
    // Closed under whoever still sends, which may lose the answer.
    assert!(answer.is_none_or(|(status, _)| status == 431));
    let many = "\r\nx-many: y".repeat(1000);
    let answer = server.ask(&format!("GET /-/healthy HTTP/1.1{many}"), b"");
    assert!(answer.is_none_or(|(status, _)| status == 431));
    assert_eq!(server.get("/-/healthy").0, 200);
    assert_eq!(server.stop(Signal::TERM), Some(0));
}

#[test]
fn a_query_has_a_time_and_samples_and_a_place() {
    let data = tempfile::tempdir().unwrap();
    let flags = ["--no-host", "--query.max-samples=100", "--logs.max-query-length=1h"];
    let server = Server::start_with(data.path(), &flags);
    let start = now();
    let batch: Vec<_> = (0..200).map(|series| (series, start, 1.0)).collect();
    assert!(server.push(&batch));
    let (status, answer) = server.get("/api/v1/query?query=sum(counter)");
    assert!(status == 422 && answer.contains("would load too many samples"), "{answer}");
    let range = "query_range?query=counter&start=0&end=1000000&step=1";
    let (status, answer) = server.get(&format!("/api/v1/{range}"));
    assert!(status == 400 && answer.contains("exceeded maximum resolution"), "{answer}");
    let range = "query_range?query=%7Ba%3D%22b%22%7D&start=0&end=100000";
    let (status, answer) = server.get(&format!("/loki/api/v1/{range}"));
    assert!(status == 400 && answer.contains("the query time range exceeds the limit"), "{answer}");
    let (status, answer) = server.get("/api/v1/query?query=1&timeout=soon");
    assert!(status == 400 && answer.contains("timeout"), "{answer}");
    assert_eq!(server.stop(Signal::TERM), Some(0));
}

#[test]
fn a_push_has_labels_lines_and_series_in_bounds() {
    let data = tempfile::tempdir().unwrap();
    let flags = ["--no-host", "--no-self", "--storage.max-series=5", "--logs.max-line-size=1KB"];
    let server = Server::start_with(data.path(), &flags);
    let start = now();
    let batch: Vec<_> = (0..20).map(|series| (series, start, 1.0)).collect();
    let (status, answer) = server.push_answer(&batch).unwrap();
    assert!(status >= 400 && answer.contains("--storage.max-series"), "{status} {answer}");
    let line = |text: String| crate::logs::push_answer(&server, "x", &[(start * 1_000_000, text)]);
    let (status, answer) = line("x".repeat(2 << 10)).unwrap();
    assert!(status == 400 && answer.contains("bytes exceeded for stream"), "{answer}");
    let labels: Vec<String> = (0..40).map(|at| format!("\"l{at}\":\"v\"")).collect();
    let push = |stream: &str| {
        let body = format!(
            "{{\"streams\":[{{\"stream\":{{{stream}}},\"values\":[[\"{}\",\"x\"]]}}]}}",
            start * 1_000_000
        );
        let head = "POST /loki/api/v1/push HTTP/1.1\r\ncontent-type: application/json";
        ask(&server, head, body.as_bytes())
    };
    let (status, answer) = push(&labels.join(","));
    assert!(status == 400 && answer.contains("label names; limit"), "{answer}");
    let (status, answer) = push(&format!("\"a\":\"{}\"", "v".repeat(9 << 10)));
    assert!(status == 400 && answer.contains("has label value too long"), "{answer}");
    for path in ["/api/v1/write", "/loki/api/v1/push"] {
        let (status, answer) = ask(&server, &write_head(path), b"not snappy");
        assert_eq!(status, 400, "{path}: {answer}");
        let (status, answer) = ask(&server, &write_head(path), &compress(b"\xff\xff").unwrap());
        assert_eq!(status, 400, "{path}: {answer}");
    }
    let empty = compress(&EncoderV1::default().finish()).unwrap();
    assert!(ask(&server, &write_head("/api/v1/write"), &empty).0 < 300);
    assert_eq!(server.stop(Signal::TERM), Some(0));
}

#[test]
fn no_path_leads_out_of_the_application_or_the_dashboards() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("secret.json"), "{\"title\":\"hunter2\"}").unwrap();
    let boards = directory.path().join("boards");
    std::fs::create_dir(&boards).unwrap();
    let data = directory.path().join("data");
    let server =
        Server::start_with(&data, &["--no-host", "--dashboards", boards.to_str().unwrap()]);
    let up = "../".repeat(12);
    let encoded = "..%2f".repeat(12);
    for path in [
        format!("/{up}etc/passwd"),
        format!("/{encoded}etc/passwd"),
        format!("/assets/{up}etc/passwd"),
        format!("/assets/{encoded}etc/passwd"),
        "/assets/..\\..\\etc\\passwd".to_owned(),
        "//etc/passwd".to_owned(),
        "/%00".to_owned(),
        format!("/api/dashboards/uid/{encoded}etc/passwd"),
        "/api/dashboards/uid/..%2fsecret".to_owned(),
        "/api/dashboards/uid/..%2f..%2fsecret.json".to_owned(),
    ] {
        let (status, answer) = server.get(&path);
        assert!(!answer.contains("root:") && !answer.contains("hunter2"), "{path}: {answer}");
        let fine = is_the_application(&answer) || (400..500).contains(&status);
        assert!(fine, "{path}: {status} {answer}");
    }
    let save = |uid: &str| {
        let board = format!("{{\"dashboard\":{{\"uid\":{uid:?},\"title\":\"t\"}}}}");
        let head = "POST /api/dashboards/db HTTP/1.1\r\ncontent-type: application/json";
        ask(&server, head, board.as_bytes())
    };
    for uid in ["../up", "a/b", "a.b", "..", "\u{0}", "é"] {
        let (status, answer) = save(uid);
        assert_eq!(status, 400, "{uid:?}: {answer}");
    }
    assert_eq!(save("fine").0, 200);
    let kept: Vec<_> = std::fs::read_dir(data.join("dashboards"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(kept.len() == 1 && kept[0].starts_with("fine"), "{kept:?}");
    let f = |body: &[u8]| {
        let head = "POST /api/dashboards/db HTTP/1.1\r\ncontent-type: application/json";
        let (status, answer) = ask(&server, head, body);
        assert_eq!(status, 400, "{answer}");
    };
    f(b"");
    f(b"{");
    f(b"{\"dashboard\":7}");
    f(b"{\"dashboard\":{}}");
    assert_eq!(server.stop(Signal::TERM), Some(0));
}

#[test]
fn what_is_off_stays_off() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--no-host"]);
    for (path, word) in [
        ("/-/quit", "Lifecycle API is not enabled"),
        ("/-/reload", "Lifecycle API is not enabled"),
        ("/api/v1/admin/tsdb/snapshot", "admin APIs disabled"),
        ("/api/v1/admin/tsdb/delete_series?match[]=x", "admin APIs disabled"),
        ("/api/v1/admin/tsdb/clean_tombstones", "admin APIs disabled"),
        ("/api/v1/admin/logs/snapshot", "--web.enable-admin-api"),
    ] {
        let (status, answer) = ask(&server, &format!("POST {path} HTTP/1.1"), b"");
        assert!(status >= 400 && answer.contains(word), "{path}: {answer}");
    }
    assert_eq!(server.get("/-/healthy").0, 200);
    assert_eq!(server.stop(Signal::TERM), Some(0));
}

#[test]
fn no_error_repeats_a_secret_of_the_command_line_or_of_a_request() {
    let data = tempfile::tempdir().unwrap();
    let dir = data.path().to_str().unwrap();
    let f = |args: &[&str]| {
        let base = ["serve", "--data", dir, "--listen", "127.0.0.1:0"];
        let off = ["--prometheus-listen=off", "--loki-listen=off"];
        let (code, stdout, stderr) = masthead(&[&base[..], &off, args].concat()).finish();
        assert_eq!(code, Some(2), "{args:?}: {stdout}{stderr}");
        assert!(!(stdout + &stderr).contains("hunter2"), "{args:?}: {stderr}");
    };
    f(&["--remote-write", "ftp://me:hunter2@host/"]);
    f(&["--loki", "ftp://me:hunter2@host/"]);
    f(&["--auth.admin-password", "$argon2id$hunter2"]);
    let away = "http://me:hunter2@127.0.0.1:1/";
    let flags = ["--remote-write", away, "--loki", away, "--log.level=debug"];
    let mut server = guarded(data.path(), &flags);
    server.process.line_with("Cannot send samples");
    for head in [
        "GET /api/v1/labels HTTP/1.1\r\nauthorization: Bearer hunter2",
        "GET /api/v1/labels HTTP/1.1\r\nauthorization: Basic hunter2",
        "GET /api/v1/labels HTTP/1.1\r\ncookie: masthead_session=hunter2",
    ] {
        let (status, answer) = ask(&server, head, b"");
        assert!(status == 401 && !answer.contains("hunter2"), "{answer}");
    }
    rustix::process::kill_process(server.process.id(), Signal::TERM).unwrap();
    let (code, stdout, stderr) = server.process.finish();
    assert_eq!(code, Some(0));
    assert!(!(stdout + &stderr).contains("hunter2"));
}

#[test]
fn every_route_is_hardened() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--no-host"]);
    for (method, path) in documented() {
        // A stream that never ends is no answer to wait for.
        if path.ends_with("/live") || path.ends_with("/tail") || path == "/-/quit" {
            continue;
        }
        let (_, answer) = ask(&server, &format!("{method} {path} HTTP/1.1"), b"");
        for header in [
            "content-security-policy: ",
            "x-content-type-options: nosniff",
            "x-frame-options: DENY",
            "referrer-policy: same-origin",
        ] {
            assert_eq!(answer.matches(header).count(), 1, "{method} {path}: {answer}");
        }
        let policy =
            answer.lines().find(|line| line.starts_with("content-security-policy")).unwrap();
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("unsafe-eval"),
            "{policy}"
        );
        let scripts = policy.split("script-src").nth(1).unwrap_or_default();
        let scripts = scripts.split(';').next().unwrap_or_default();
        assert!(!scripts.contains("unsafe-inline"), "{path}: {policy}");
    }
    eventually("it still answers", || server.get("/-/healthy").0 == 200);
    assert_eq!(server.stop(Signal::TERM), Some(0));
}
