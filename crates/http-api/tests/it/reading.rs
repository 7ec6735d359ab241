//! Remote read: what is asked, in both forms of the answer; and that every path of the description
//! answers.

use axum::{
    body::Body,
    http::{Method, Request},
};
use masthead_model::{MatchOp, Matcher, Millis, TimeRange};
use masthead_wire::{
    Limits as WireLimits,
    remote_read::{ReadForm, ReadHints, ReadQuery, ReadRequest, encode_request},
    remote_write::{compress, decompress},
};

use crate::fixture::{Answer, Server, Setup, call, get, server};

fn matcher(op: MatchOp, name: &str, value: &str) -> Matcher {
    Matcher::new(op, name, value).expect("valid")
}

async fn read(server: &Server, form: ReadForm, matchers: Vec<Matcher>) -> Answer {
    let range = TimeRange { start: Millis(0), end: Millis(90_000) };
    let queries = vec![ReadQuery { range, matchers, hints: ReadHints::default() }];
    let body = compress(&encode_request(&ReadRequest { queries, form })).expect("small");
    let request = Request::post("/api/v1/read").body(Body::from(body)).expect("valid");
    call(&server.router, request).await
}

#[tokio::test]
async fn plain_samples_come_in_snappy_with_external_labels() {
    let server = server(Setup::default());
    // The cluster is an external label: it is in no series, and must not be looked for.
    let matchers = vec![
        matcher(MatchOp::Equal, "__name__", "requests_total"),
        matcher(MatchOp::Equal, "job", "db"),
        matcher(MatchOp::Equal, "cluster", "lab"),
    ];
    let answer = read(&server, ReadForm::Samples, matchers).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
    assert_eq!(answer.header("content-encoding"), Some("snappy"));
    assert_eq!(answer.header("content-type"), Some("application/x-protobuf"));
    let mut body = Vec::new();
    decompress(&answer.body, &WireLimits::default(), &mut body).expect("snappy");
    let text = String::from_utf8_lossy(&body);
    for word in ["requests_total", "db", "cluster", "lab", "a:1"] {
        assert!(text.contains(word), "{word} in {text}");
    }
    // Ten samples, one field each: a double and the time.
    let last = [22.5_f64.to_le_bytes().as_slice(), &[0x10, 0x90, 0xbf, 0x05]].concat();
    assert!(body.windows(last.len()).any(|bytes| bytes == last), "22.5 at 90 s");
}

#[tokio::test]
async fn frames_come_for_who_takes_them() {
    let server = server(Setup::default());
    let matchers = vec![matcher(MatchOp::Matches, "__name__", "requests_total|latency")];
    let answer = read(&server, ReadForm::Chunked, matchers).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
    let kind = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse";
    assert_eq!(answer.header("content-type"), Some(kind));
    assert_eq!(answer.header("content-encoding"), None);
    let mut rest = answer.body.as_slice();
    let mut frames = Vec::new();
    while let Some((&length, after)) = rest.split_first() {
        let (length, after) = if length < 0x80 {
            (usize::from(length), after)
        } else {
            let (&high, after) = after.split_first().expect("a second byte");
            (usize::from(length & 0x7f) | usize::from(high) << 7, after)
        };
        let (_, message) = after.split_at(4);
        let (message, after) = message.split_at(length);
        frames.push(String::from_utf8_lossy(message).into_owned());
        rest = after;
    }
    let has = |at: usize, words: &[&str]| {
        let frame = frames.get(at).expect("a frame for each series");
        assert!(words.iter().all(|word| frame.contains(word)), "{words:?} in {frame}");
    };
    assert_eq!(frames.len(), 3);
    has(0, &["latency", "cluster"]);
    has(1, &["requests_total", "api"]);
    has(2, &["requests_total", "db"]);
}

#[tokio::test]
async fn what_is_no_request_is_told_in_plain_text() {
    let server = server(Setup::default());
    let f = async |body: Vec<u8>, want: &str| {
        let request = Request::post("/api/v1/read").body(Body::from(body)).expect("valid");
        let answer = call(&server.router, request).await;
        assert_eq!(answer.status.as_u16(), 400);
        assert!(answer.text().contains(want), "{}", answer.text());
    };
    f(b"soup".to_vec(), "snappy").await;
    f(compress(b"\x0a\x05").expect("small"), "ReadRequest").await;
}

#[tokio::test]
async fn every_path_of_the_description_answers() {
    let server = server(Setup::default());
    let description = get(&server.router, "/api/v1/openapi.yaml").await;
    assert_eq!(description.header("content-type"), Some("application/yaml; charset=utf-8"));
    let text = description.text();
    let mut path = "";
    let mut asked = 0;
    for line in text.lines() {
        if let Some(found) = line.strip_prefix("  /") {
            path = found.trim_end_matches(':');
        }
        let method = match line {
            "    get:" => Method::GET,
            "    post:" => Method::POST,
            "    put:" => Method::PUT,
            _ => continue,
        };
        let uri = format!("/api/v1/{}", path.replace("{name}", "job"));
        let request = Request::builder().method(method.clone()).uri(&uri).body(Body::empty());
        let answer = call(&server.router, request.expect("valid")).await;
        assert!(![404, 405].contains(&answer.status.as_u16()), "{method} {uri}");
        asked += 1;
    }
    assert!(asked >= 50, "{asked}");
}
