//! The real process: its log, its two listeners, its start, its end.

use crate::support::{
    exposition::Exposition,
    postgres,
    service::{Service, client, run},
};
use items_api::settings::VARIABLES;
use rustix::process::Signal;
use serde_json::Value;
use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    time::Duration,
};
use tokio::time::Instant;

#[test]
fn one_request_id_goes_from_the_header_to_the_answer_the_log_and_the_error() {
    let dir = tempfile::tempdir().unwrap();
    let mut service = Service::start(&sqlite(dir.path()), &[("DEMO_FAULTS", "1")]);

    let created = client()
        .post(service.url("/items"))
        .header("x-request-id", "req-created-1")
        .content_type("application/json")
        .send(r#"{"name":"Anchor","price":"1"}"#)
        .unwrap();
    assert_eq!(created.status(), 201);
    assert_eq!(created.headers()["x-request-id"], "req-created-1");
    let path = created.headers()["location"].to_str().unwrap().to_owned();
    let event = service.line("Item created.");
    assert_eq!(event["request_id"], "req-created-1");
    assert_eq!(Some(event["item_id"].as_str().unwrap()), path.strip_prefix("/items/"));
    let line = request_line(&mut service, "req-created-1");
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["method"], "POST");
    assert_eq!(line["path"], "/items");
    assert_eq!(line["status"], 201);
    assert_eq!(line["client_ip"], "127.0.0.1");
    assert!(line["duration_ms"].as_f64().unwrap() > 0.0, "{line}");
    let timestamp: jiff::Timestamp = line["timestamp"].as_str().unwrap().parse().unwrap();
    assert!(timestamp > jiff::Timestamp::now() - Duration::from_mins(1), "{line}");
    assert!(line["message"].is_string() && line["target"].is_string(), "{line}");

    let failed = client()
        .get(service.url("/demo/fail"))
        .header("x-request-id", "req-failed-1")
        .call()
        .unwrap();
    assert_eq!(failed.headers()["x-request-id"], "req-failed-1");
    let body: Value = serde_json::from_str(&failed.into_body().read_to_string().unwrap()).unwrap();
    assert_eq!(body["request_id"], "req-failed-1");
    let line = request_line(&mut service, "req-failed-1");
    assert_eq!((&line["level"], &line["status"]), (&"ERROR".into(), &500.into()));

    // An id that is none is replaced, everywhere by the same.
    let replaced =
        client().get(service.url(&path)).header("x-request-id", "two words").call().unwrap();
    let id = replaced.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert_eq!(uuid::Uuid::parse_str(&id).unwrap().get_version_num(), 7);
    request_line(&mut service, &id);

    client()
        .put(service.url(&path))
        .content_type("application/json")
        .send(r#"{"name":"b","price":2}"#)
        .unwrap();
    assert_eq!(service.line("Item updated.")["item_id"], event["item_id"]);
    client().delete(service.url(&path)).call().unwrap();
    assert_eq!(service.line("Item deleted.")["item_id"], event["item_id"]);
    service.terminate();
    assert_eq!(service.ended().code(), Some(0));
}

#[test]
fn metrics_are_on_their_own_listener_alone() {
    let dir = tempfile::tempdir().unwrap();
    let service = Service::start(&sqlite(dir.path()), &[]);
    assert_ne!(service.public, service.metrics);
    assert_eq!(client().get(service.url("/metrics")).call().unwrap().status(), 404);
    assert_eq!(client().get(service.metrics_url("/items")).call().unwrap().status(), 404);
    let scrape = scrape(&service);
    assert_eq!(scrape.value("http_requests_total", "method=GET,handler=none,status=404"), 1.0);
    assert_eq!(scrape.value("items_stored", ""), 0.0);
    let open_metrics = client()
        .get(service.metrics_url("/metrics"))
        .header("accept", "application/openmetrics-text; version=1.0.0")
        .call()
        .unwrap();
    assert!(open_metrics.into_body().read_to_string().unwrap().ends_with("# EOF\n"));
}

#[test]
fn the_stored_gauge_is_right_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..2 {
        let mut service = Service::start(&sqlite(dir.path()), &[]);
        assert_eq!(scrape(&service).value("items_stored", ""), f64::from(round * 2));
        for _ in 0..2 {
            create(&service);
        }
        service.terminate();
        assert_eq!(service.ended().code(), Some(0));
    }
}

#[test]
fn sigterm_lets_the_request_in_flight_finish_and_readiness_go_first() {
    let dir = tempfile::tempdir().unwrap();
    let variables = [("DEMO_FAULTS", "1"), ("SHUTDOWN_DELAY", "400ms")];
    let mut service = Service::start(&sqlite(dir.path()), &variables);
    assert_eq!(client().get(service.url("/readyz")).call().unwrap().status(), 200);
    let url = service.url("/demo/slow?ms=1000");
    let slow = std::thread::spawn(move || client().get(url).call().unwrap());
    wait_for(|| {
        let labels = "method=GET,handler=/demo/slow";
        scrape(&service).find("http_requests_in_progress", labels) == Some(1.0)
    });

    service.terminate();
    service.line("Draining.");
    assert_eq!(client().get(service.url("/readyz")).call().unwrap().status(), 503);
    assert_eq!(client().get(service.url("/items")).call().unwrap().status(), 200);
    wait_for(|| TcpStream::connect(service.public).is_err());
    // The listener is closed and the request is still being answered; so are scrapes.
    assert!(!slow.is_finished());
    scrape(&service);
    assert_eq!(slow.join().unwrap().status(), 200);
    assert_eq!(service.ended().code(), Some(0));
    assert_eq!(service.log.last().unwrap()["message"], "Stopped.");
}

#[test]
fn a_request_that_outlives_the_grace_period_is_cut_and_said_so() {
    let dir = tempfile::tempdir().unwrap();
    let variables = [("DEMO_FAULTS", "1"), ("SHUTDOWN_GRACE", "300ms")];
    let mut service = Service::start(&sqlite(dir.path()), &variables);
    let mut client = TcpStream::connect(service.public).unwrap();
    client.write_all(b"GET /demo/slow?ms=5000 HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    wait_for(|| {
        let labels = "method=GET,handler=/demo/slow";
        scrape(&service).find("http_requests_in_progress", labels) == Some(1.0)
    });
    let start = Instant::now();
    service.signal(Signal::INT);
    assert_eq!(service.line("Draining.")["signal"], "SIGINT");
    assert_eq!(service.ended().code(), Some(1));
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    let cut = "Stopped with requests in flight; they were cut off.";
    assert!(service.log.iter().any(|line| line["message"] == cut), "{:#?}", service.log);
    assert_eq!(client.read(&mut [0; 16]).unwrap_or(0), 0);
}

#[test]
fn idle_connections_do_not_hold_up_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let mut service = Service::start(&sqlite(dir.path()), &[]);
    let _silent = TcpStream::connect(service.public).unwrap();
    let mut idle = TcpStream::connect(service.public).unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert!(idle.read(&mut [0; 512]).unwrap() > 0);
    let start = Instant::now();
    service.terminate();
    assert_eq!(service.ended().code(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[test]
fn a_second_signal_ends_the_drain() {
    let dir = tempfile::tempdir().unwrap();
    let mut service = Service::start(&sqlite(dir.path()), &[("SHUTDOWN_DELAY", "9s")]);
    let start = Instant::now();
    service.terminate();
    service.line("Draining.");
    service.terminate();
    assert_eq!(service.ended().code(), Some(1));
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn above_the_connection_limit_a_client_waits_for_its_turn() {
    let dir = tempfile::tempdir().unwrap();
    let service = Service::start(&sqlite(dir.path()), &[("CONNECTION_LIMIT", "1")]);
    let connect = || {
        let mut client = TcpStream::connect(service.public).unwrap();
        client.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        client.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        client
    };
    let mut first = connect();
    assert!(first.read(&mut [0; 512]).unwrap() > 0);
    let mut second = connect();
    assert!(second.read(&mut [0; 512]).is_err(), "answered above the limit");
    drop(first);
    wait_for(|| (&second).read(&mut [0; 512]).is_ok_and(|bytes| bytes > 0));
}

#[test]
fn bad_configuration_is_refused_with_the_variable_the_value_and_an_example() {
    let f = |variables: &[(&str, &str)], wants: &[&str]| {
        let (code, stdout, stderr) = run(&[], variables);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{variables:?}: {stderr}");
        for want in wants {
            assert!(stderr.contains(want), "{variables:?}: {want:?} is not in {stderr:?}");
        }
        assert!(!stderr.contains("s3cret"), "{stderr}");
    };
    f(&[("LISTEN_ADDR", "localhost")], &["LISTEN_ADDR=\"localhost\"", "for example LISTEN_ADDR="]);
    f(&[("LOG_LEVEL", "!"), ("LOG_FORMAT", "xml")], &["LOG_LEVEL", "LOG_FORMAT"]);
    f(&[("DATABASE_URL", "mysql://me:s3cret@db/items")], &["DATABASE_URL=\"mysql://***\""]);
    f(&[("DATABASE_URL", "postgres://me:s3cret@db:x/items")], &["DATABASE_URL=\"postgres://***\""]);
    let (code, _, stderr) = run(&["--listen"], &[]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("--help"), "{stderr}");
}

#[test]
fn what_cannot_be_opened_ends_the_start_with_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let (code, stdout, _) =
        run(&[], &[("DATABASE_URL", &sqlite(dir.path())), ("LISTEN_ADDR", &addr)]);
    assert_eq!(code, Some(1));
    assert!(stdout.contains("LISTEN_ADDR") && stdout.contains(&addr), "{stdout}");

    // Nobody listens at port 1; the password must not be in the log.
    let url = "postgres://me:s3cret@127.0.0.1:1/items";
    let (code, stdout, stderr) =
        run(&[], &[("DATABASE_URL", url), ("DATABASE_WAIT", "700ms"), ("LOG_LEVEL", "trace")]);
    assert_eq!(code, Some(1), "{stdout}");
    assert!(stdout.contains("Database does not answer yet."), "{stdout}");
    assert!(stdout.contains("postgres://me:***@127.0.0.1:1/items"), "{stdout}");
    assert!(!stdout.contains("s3cret") && !stderr.contains("s3cret"), "{stdout}");
}

#[test]
fn help_version_and_readme_list_every_variable() {
    let (code, help, _) = run(&["--help"], &[]);
    assert_eq!(code, Some(0));
    let (code, version, _) = run(&["--version"], &[]);
    assert_eq!(code, Some(0));
    assert!(version.starts_with(concat!("items-api ", env!("CARGO_PKG_VERSION"), "\n")));
    let readme = include_str!("../../README.md");
    for variable in VARIABLES {
        assert!(help.contains(variable.name) && help.contains(variable.help), "{}", variable.name);
        assert!(version.contains(variable.name), "{}", variable.name);
        let row = format!("| `{}` | `{}` | {} |", variable.name, variable.default, variable.help);
        assert!(readme.contains(&row), "README.md lacks the row\n{row}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_process_works_on_postgres_and_never_logs_the_password() {
    let Some(database) = postgres::fresh_database().await else { return };
    let url = database.url.replace("postgres@", "postgres:s3cret@");
    tokio::task::block_in_place(|| {
        let mut service = Service::start(&url, &[("LOG_LEVEL", "trace")]);
        create(&service);
        assert_eq!(client().get(service.url("/readyz")).call().unwrap().status(), 200);
        assert_eq!(scrape(&service).value("items_stored", ""), 1.0);
        service.terminate();
        assert_eq!(service.ended().code(), Some(0));
        assert!(!service.log.iter().any(|line| line.to_string().contains("s3cret")));
    });
    database.drop().await;
}

fn sqlite(dir: &Path) -> String {
    format!("sqlite://{}?mode=rwc", dir.join("items.db").display())
}

fn create(service: &Service) {
    let request = client().post(service.url("/items")).content_type("application/json");
    assert_eq!(request.send(r#"{"name":"Anchor","price":1}"#).unwrap().status(), 201);
}

fn scrape(service: &Service) -> Exposition {
    let answer = client().get(service.metrics_url("/metrics")).call().unwrap();
    Exposition::parse(&answer.into_body().read_to_string().unwrap())
}

/// The one line of the finished request with this id.
fn request_line(service: &mut Service, id: &str) -> Value {
    let done = |line: &Value| line["request_id"] == id && line["status"].is_number();
    if let Some(line) = service.log.iter().find(|line| done(line)) {
        return line.clone();
    }
    loop {
        let line = service.next_line();
        if done(&line) {
            return line;
        }
    }
}

fn wait_for(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < deadline, "it never happened");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}
