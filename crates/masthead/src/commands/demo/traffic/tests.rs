//! Traffic against a server of a few lines, and its pace without any.

use bytes::Bytes;
use http::StatusCode;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::client::Limits;

/// Answers every request: 200 for `GET`, 500 for `/demo/fail`, and an item for `POST`; nothing at
/// all, and the connection shut, for `/items/{id}`. Sends the ids of the requests.
async fn serve(listener: TcpListener, ids: tokio::sync::mpsc::Sender<String>) {
    let mut connections = FuturesUnordered::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => connections.push(connection(accepted.unwrap().0, ids.clone())),
            Some(_) = connections.next() => {}
        }
    }
}

async fn connection(stream: TcpStream, ids: tokio::sync::mpsc::Sender<String>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await.ok().filter(|count| *count > 0)?;
            match line.trim_end() {
                "" => break,
                line => head.push(line.to_owned()),
            }
        }
        let header = |name: &str| head.iter().find_map(|line| line.strip_prefix(name));
        ids.send(header("x-request-id: ")?.to_owned()).await.ok()?;
        let length: usize = header("content-length: ").map_or(0, |length| length.parse().unwrap());
        stream.read_exact(&mut vec![0; length]).await.ok()?;
        let (status, body) = match head.first()?.as_str() {
            line if line.starts_with("POST") => ("201 Created", r#"{"id":"one"}"#),
            line if line.contains("/demo/fail") => ("500 Broken", "{}"),
            line if line.contains("/items/") => return None,
            _ => ("200 OK", "{}"),
        };
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).await.ok()?;
    }
}

#[tokio::test]
async fn everything_sent_is_counted_once_by_what_came_of_it() {
    let tasks = Tasks::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api = listener.local_addr().unwrap();
    let (sender, mut ids) = tokio::sync::mpsc::channel(10_000);
    let _server = tasks.spawn("server", serve(listener, sender));
    let route = Route { api, rate: 200.0, seed: 5, id_prefix: "demo-5-".to_owned() };
    let traffic = Traffic::start(route, Client::new(Limits::default()), &tasks);
    let opening = super::super::mix::OPENING.len();
    let mut seen = Vec::new();
    while seen.len() < opening + 20 {
        seen.push(ids.recv().await.unwrap());
    }
    let counts = traffic.finish().await;
    assert_eq!(counts.answers() + counts.unanswered, counts.sent, "{counts:?}");
    assert!(counts.answered[2] > 0 && counts.answered[5] > 0, "{counts:?}");
    assert!(counts.unanswered > 0 && counts.last_error.is_some(), "{counts:?}");
    while let Ok(id) = ids.try_recv() {
        seen.push(id);
    }
    seen.sort();
    seen.dedup();
    let mut want: Vec<_> = (1..=counts.sent).map(|number| format!("demo-5-{number}")).collect();
    want.sort();
    assert_eq!(seen, want);
}

#[tokio::test]
async fn a_server_that_does_not_answer_holds_back_a_bounded_number() {
    let tasks = Tasks::new();
    // The kernel accepts for a listener that never does.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api = listener.local_addr().unwrap();
    let route = Route { api, rate: 1000.0, seed: 5, id_prefix: String::new() };
    let traffic = Traffic::start(route, Client::new(Limits::default()), &tasks);
    let counts = Arc::clone(&traffic.counts);
    while lock(&counts).left_out < 5 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(lock(&counts).sent, IN_FLIGHT_MAX as u64);
}

#[tokio::test]
async fn the_pace_waves_around_the_rate() {
    let f = |day: f64, chance: f64, want_ms: u64| {
        let now = Instant::now() + DAY;
        let start = now - DAY.mul_f64(day);
        let gap = following(now, start, 10.0, chance) - now;
        assert_eq!(gap.as_micros(), u128::from(want_ms) * 1000, "{day} {chance}");
    };
    f(0.0, 0.5, 100);
    f(0.0, 0.0, 50);
    f(0.0, 1.0, 150);
    f(0.75, 0.5, 250);
    f(0.5, 0.5, 100);
}

#[tokio::test]
async fn a_clock_that_is_late_starts_anew() {
    let now = Instant::now();
    let late = now.checked_sub(LATE_MAX * 2).unwrap();
    assert!(following(late, late, 10.0, 0.5) >= now);
    let little = now.checked_sub(LATE_MAX / 2).unwrap();
    assert!(following(little, little, 10.0, 0.5) < now);
}

#[test]
fn items_are_learned_from_success_alone() {
    let f = |status: u16, body: &'static str, want: &[&str]| {
        let status = StatusCode::from_u16(status).unwrap();
        let answer = Answer { status, body: Bytes::from_static(body.as_bytes()) };
        assert_eq!(ids(&answer), want, "{status} {body}");
    };
    f(201, r#"{"id":"a"}"#, &["a"]);
    f(200, r#"{"items":[{"id":"a"},{"id":"b"}],"next":null}"#, &["a", "b"]);
    f(200, r#"{"items":[{"id":1},3]}"#, &[]);
    f(200, "not JSON", &[]);
    f(404, r#"{"id":"a"}"#, &[]);
}

#[test]
fn counts_read_as_a_sentence() {
    let mut counts = Counts { sent: 3, answered: [0, 0, 2, 0, 1, 0], ..Counts::default() };
    assert_eq!(counts.to_string(), "3 sent · 2 × 2xx · 1 × 4xx");
    counts.unanswered = 1;
    counts.left_out = 2;
    counts.last_error = Some("gone\n".to_owned());
    assert_eq!(
        counts.to_string(),
        "3 sent · 2 × 2xx · 1 × 4xx · 1 without answer · 2 left out at 16 in flight \
         (last error: gone\\n)"
    );
}
