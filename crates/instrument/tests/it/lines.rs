//! Log lines: their fields, their escapes, their names, their levels.

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::get;
use http::StatusCode;
use masthead_instrument::problem::Problem;
use masthead_instrument::{Telemetry, logs};
use serde_json::json;

use crate::support::page::strict_json;
use crate::support::{Log, get as fetch, open, request, scrape, send};

#[derive(Debug, thiserror::Error)]
#[error("cannot store item 7")]
struct Outer(#[source] Inner);

#[derive(Debug, thiserror::Error)]
#[error("the disk\nis full")]
struct Inner;

fn app(proxies: &[&str]) -> Router {
    let proxies = proxies.iter().map(|net| net.parse().unwrap());
    let telemetry = Telemetry::builder("test", "1").trusted_proxies(proxies).build();
    let peer: SocketAddr = "203.0.113.9:4711".parse().unwrap();
    Router::new()
        .route("/items/{id}", get(async || "item"))
        .route("/not-modified", get(async || (StatusCode::NOT_MODIFIED, "unread")))
        .route("/missing", get(async || StatusCode::NOT_FOUND))
        .route("/broken", get(async || Problem::new(StatusCode::BAD_GATEWAY).cause(Outer(Inner))))
        .route("/talks", get(async || tracing::warn!(item_id = 7, "Price is odd.")))
        .layer(telemetry.layer())
        .layer(axum::Extension(ConnectInfo(peer)))
}

#[tokio::test]
async fn a_request_has_one_line_with_every_field() {
    let (log, _guard) = Log::start("info", "json");
    fetch(&app(&[]), "/items/7?token=secret").await;
    let lines = log.json();
    assert_eq!(lines.len(), 1);
    let line = &lines[0];
    let f = |name: &str, want: serde_json::Value| assert_eq!(line[name], want, "{name}");
    f("level", json!("INFO"));
    f("message", json!("Request finished."));
    f("method", json!("GET"));
    f("path", json!("/items/7"));
    f("handler", json!("/items/{id}"));
    f("status", json!(200));
    f("response_bytes", json!(4));
    f("client_ip", json!("203.0.113.9"));
    f("target", json!("http"));
    assert!(line["duration_ms"].as_f64().is_some_and(|ms| (0.0..10_000.0).contains(&ms)), "{line}");
    let time = line["timestamp"].as_str().unwrap();
    assert!(time.len() == 27 && time.ends_with('Z') && time.as_bytes()[19] == b'.', "{time}");
    time.parse::<jiff::Timestamp>().unwrap();
    assert_eq!(line.as_object().unwrap().len(), 12, "{line}");
}

#[tokio::test]
async fn the_example_in_the_documentation_is_a_line_as_it_is_written() {
    let document = include_str!("../../../../docs/reference/log-format.md");
    let example = document.lines().find(|line| line.starts_with('{')).unwrap();
    let (log, _guard) = Log::start("info", "json");
    fetch(&app(&[]), "/items/7").await;
    let order = |line: &str| {
        let object = strict_json(line);
        let mut keys: Vec<_> = object.as_object().unwrap().keys().cloned().collect();
        keys.sort_by_key(|key| line.find(&format!("\"{key}\":")));
        keys
    };
    let keys = order(&log.text()[0]);
    assert_eq!(order(example), keys);
    for key in keys {
        assert!(document.contains(&format!("| `{key}` |")), "{key} is not documented");
    }
}

#[tokio::test]
async fn a_line_that_cannot_be_written_is_counted_and_nothing_else() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let dispatch = logs::Config::parse(None, None).unwrap().dispatch(Full);
    tracing::dispatcher::with_default(&dispatch, || {
        tracing::info!("lost");
        tracing::info!("lost");
    });
    let page = scrape(&Telemetry::builder("test", "1").build()).await;
    assert_eq!(page.value("log_lines_dropped_total", &[]), Some(2.0));
}

#[tokio::test]
async fn the_level_is_error_from_500_on_and_carries_the_whole_source_chain() {
    let (log, _guard) = Log::start("info", "json");
    let app = app(&[]);
    fetch(&app, "/missing").await;
    let body = fetch(&app, "/broken").await.into_body();
    assert!(!String::from_utf8(body).unwrap().contains("disk"), "the cause stays inside");
    let lines = log.json();
    assert_eq!((&lines[0]["level"], &lines[0]["status"]), (&json!("INFO"), &json!(404)));
    assert_eq!((&lines[1]["level"], &lines[1]["status"]), (&json!("ERROR"), &json!(502)));
    assert_eq!(lines[1]["error"], "cannot store item 7: the disk\nis full");
}

#[tokio::test]
async fn a_client_that_goes_away_is_marked() {
    let (log, _guard) = Log::start("info", "json");
    drop(open(&app(&[]), request("GET", "/items/7")).await);
    assert_eq!(log.json()[0]["aborted"], json!(true));
}

#[tokio::test]
async fn what_a_handler_logs_while_it_is_torn_down_belongs_to_its_request() {
    struct Says(&'static str);
    impl Drop for Says {
        fn drop(&mut self) {
            tracing::info!("{}", self.0);
        }
    }
    let (log, _guard) = Log::start("info", "json");
    let telemetry = Telemetry::builder("test", "1").build();
    let waits = async || {
        let _says = Says("cancelled");
        std::future::pending::<()>().await;
    };
    let app = Router::new().route("/", get(waits)).layer(telemetry.layer());
    let waiting = open(&app, request("GET", "/"));
    assert!(tokio::time::timeout(Duration::from_millis(10), waiting).await.is_err());
    let lines = log.json();
    assert_eq!((&lines[0]["message"], lines.len()), (&json!("cancelled"), 2));
    assert!(lines.iter().all(|line| line["request_id"].is_string() && line["path"] == "/"));
    assert_eq!((&lines[1]["status"], &lines[1]["aborted"]), (&json!(499), &json!(true)));
}

#[tokio::test]
async fn a_response_without_a_body_on_the_wire_is_not_aborted() {
    let (log, _guard) = Log::start("info", "json");
    // axum drops the body of the GET handler unread.
    send(&app(&[]), request("HEAD", "/items/7")).await;
    drop(open(&app(&[]), request("GET", "/not-modified")).await);
    for line in log.json() {
        assert_eq!(
            (&line["aborted"], &line["response_bytes"]),
            (&json!(null), &json!(0)),
            "{line}"
        );
    }
}

#[tokio::test]
async fn a_quiet_level_keeps_the_fields_of_the_request_on_what_is_left() {
    let (log, _guard) = Log::start("warn", "json");
    send(&app(&[]), request("GET", "/talks")).await;
    let lines = log.json();
    assert_eq!(lines.len(), 1, "the line of the request is INFO");
    assert_eq!(lines[0]["message"], "Price is odd.");
    assert_eq!(lines[0]["item_id"], 7);
    assert_eq!(lines[0]["path"], "/talks");
    assert!(lines[0]["request_id"].is_string());
}

#[tokio::test]
async fn forwarded_addresses_are_believed_from_trusted_proxies_only() {
    let f = async |proxies: &[&str], want: &str| {
        let (log, _guard) = Log::start("info", "json");
        let mut request = request("GET", "/items/7");
        request.headers_mut().insert("x-forwarded-for", "198.51.100.1".parse().unwrap());
        send(&app(proxies), request).await;
        assert_eq!(log.json()[0]["client_ip"], want);
    };
    f(&[], "203.0.113.9").await;
    f(&["203.0.113.0/24"], "198.51.100.1").await;
}

#[test]
fn whatever_a_user_sends_a_line_stays_one_line_of_valid_json() {
    let (log, _guard) = Log::start("info", "json");
    let all: String = (0..=0xff_u8).map(char::from).chain("\u{2028}\u{1f600}".chars()).collect();
    let forged = "x\"}\n{\"level\":\"ERROR\",\"message\":\"forged\"}\r\n";
    tracing::info!(all, debug = ?all, display = %forged, "{forged}");
    let lines = log.json();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["all"], all);
    assert_eq!(lines[0]["debug"], format!("{all:?}"));
    assert_eq!(lines[0]["display"], forged);
    assert_eq!(lines[0]["message"], forged);
    assert_eq!(lines[0]["level"], "INFO");
}

#[test]
fn a_field_with_a_taken_name_is_renamed_and_never_written_twice() {
    let (log, _guard) = Log::start("info", "json");
    let request =
        tracing::error_span!(target: "masthead_instrument::span", "request", request_id = "real");
    let _entered = request.enter();
    tracing::info!(
        level = "forged",
        field_level = 1,
        timestamp = 0,
        target = "forged",
        request_id = "forged",
        status = 418,
        "hello"
    );
    let line = &log.json()[0];
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["field_level"], "forged");
    assert_eq!(line["field_field_level"], 1);
    assert_eq!(line["field_timestamp"], 0);
    assert_eq!(line["field_target"], "forged");
    assert_eq!(line["request_id"], "real");
    assert_eq!(line["field_request_id"], "forged");
    assert_eq!(line["status"], 418);
    assert_eq!(line["message"], "hello");
}

#[test]
fn fields_of_spans_are_on_the_line_and_the_innermost_wins() {
    let (log, _guard) = Log::start("info", "json");
    let outer =
        tracing::info_span!("outer", job = "outer", shard = 1, late = tracing::field::Empty);
    let _outer = outer.enter();
    for late in ["first", "second"] {
        outer.record("late", late);
    }
    outer.record("shard", 2);
    let inner = tracing::info_span!("inner", job = "inner").entered();
    tracing::info!(ratio = 0.5, whole = 2.0, nan = f64::NAN, ok = true, small = -3_i64, "a");
    drop(inner);
    tracing::info!(job = "event");
    let lines = log.json();
    let f = |line: usize, name: &str, want: serde_json::Value| {
        assert_eq!(lines[line][name], want, "{name}");
    };
    f(0, "job", json!("inner"));
    f(0, "shard", json!(2));
    f(0, "late", json!("second"));
    f(0, "ratio", json!(0.5));
    f(0, "nan", json!("NaN"));
    f(0, "ok", json!(true));
    f(0, "small", json!(-3));
    f(1, "job", json!("event"));
    f(1, "message", json!(""));
}

#[test]
fn a_copy_has_the_lines_that_it_asks_for_in_its_own_form() {
    let f = |level: &str, format: &str, own: usize, copied: usize| {
        let config = |level, format| logs::Config::parse(Some(level), Some(format)).unwrap();
        let (log, copy) = (Log::default(), Log::default());
        let dispatch = config(level, format).dispatch_with_copy(
            log.clone(),
            &config("info", "json"),
            copy.clone(),
        );
        tracing::dispatcher::with_default(&dispatch, || {
            let span = tracing::info_span!("push", job = "first").entered();
            span.record("job", "second");
            tracing::info!("quiet");
            tracing::warn!("loud");
        });
        assert_eq!((log.text().len(), copy.text().len()), (own, copied), "{level} {format}");
        for line in copy.json() {
            assert_eq!(line["job"], "second", "{level} {format}: {line}");
        }
    };
    // The same lines; other ones; another form; both.
    f("info", "json", 2, 2);
    f("warn", "json", 1, 2);
    f("info", "pretty", 2, 2);
    f("warn", "pretty", 1, 2);
    f("off", "pretty", 0, 2);
}

#[test]
fn an_error_field_shows_the_whole_chain() {
    let (log, _guard) = Log::start("info", "json");
    let error = Outer(Inner);
    tracing::error!(error = &error as &(dyn Error + 'static), "a");
    tracing::error!(error = %logs::chain(&error), "b");
    for line in log.json() {
        assert_eq!(line["error"], "cannot store item 7: the disk\nis full");
    }
}

#[test]
fn a_debug_that_logs_does_not_mix_two_lines() {
    struct Chatty;
    impl std::fmt::Debug for Chatty {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            tracing::info!("from inside");
            f.write_str("chatty")
        }
    }
    let (log, _guard) = Log::start("info", "json");
    tracing::info!(value = ?Chatty, "outside");
    // What is logged while a line is built is dropped or a line of its own, never a part of it.
    assert!(
        log.json().iter().any(|line| line["value"] == "chatty" && line["message"] == "outside")
    );
}

#[test]
fn pretty_lines_are_for_a_terminal_and_as_safe() {
    let (log, _guard) = Log::start("info", "pretty");
    tracing::info!(user = "a b", plain = "x", n = 3, "Hello\n\x1b[2Jthere");
    let lines = log.text();
    let (_, rest) = lines[0].split_once('Z').unwrap();
    assert_eq!(rest, r#"  INFO Hello\n\u001b[2Jthere target=it::lines user="a b" plain=x n=3"#);
}
