//! The Loki API where a script cannot reach: binary pushes, stores that refuse, following.

use std::{io::Write as _, sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{Request, header},
};
use futures::{SinkExt as _, StreamExt};
use masthead_http_api::{Limits, LogLimits};
use masthead_model::{ErrorClass, Labels, Nanos};
use masthead_ports::{
    AppendError, LogBatch, LogRejectReason, LogReport, LogSink, Progress, RejectedLine,
};
use masthead_wire::{loki::Encoder, remote_write::compress};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest as _},
};

use crate::fixture::{Answer, NOW, Server, Setup, call, get, labels, server};

const PUSH: &str = "/loki/api/v1/push";

async fn send(server: &Server, content_type: &str, body: Vec<u8>) -> Answer {
    let request = Request::post(PUSH).header(header::CONTENT_TYPE, content_type);
    call(&server.router, request.body(Body::from(body)).expect("valid")).await
}

fn protobuf(labels: &Labels, lines: &[(i64, &[u8])]) -> Vec<u8> {
    let none = Labels::default();
    let mut encoder = Encoder::default();
    encoder.stream(labels, lines.iter().map(|(at, line)| (Nanos(*at), *line, &none)));
    compress(&encoder.finish()).expect("small")
}

fn json(app: &str, at: i64, line: &str) -> Vec<u8> {
    format!(
        "{{\"streams\":[{{\"stream\":{{\"app\":\"{app}\"}},\"values\":[[\"{at}\",\"{line}\"]]}}]}}"
    )
    .into_bytes()
}

const SECOND: i64 = 1_000_000_000;

#[tokio::test]
async fn protobuf_keeps_bytes_as_they_are() {
    let server = server(Setup::default());
    let body = protobuf(&labels(&[("app", "bytes")]), &[(SECOND, b"a\xff\0"), (2 * SECOND, b"")]);
    assert_eq!(send(&server, "application/x-protobuf", body).await.status, 204);
    let entries = server.lines.entries();
    let (_, lines) = entries.iter().find(|(l, _)| l.get("app") == Some("bytes")).expect("pushed");
    assert_eq!(
        lines.iter().map(|line| line.line.as_slice()).collect::<Vec<_>>(),
        [&b"a\xff\0"[..], b""]
    );
    let stats = server.loki.stats();
    assert_eq!((stats.lines_accepted, stats.lines_refused.len()), (2, 0));
}

#[tokio::test]
async fn lines_that_share_a_level_share_its_set() {
    let server = server(Setup::default());
    let line = b"level=warn x".as_slice();
    let body = protobuf(&labels(&[("app", "shared")]), &[(1, line), (2, line), (3, b"error")]);
    assert_eq!(send(&server, "application/x-protobuf", body).await.status, 204);
    let entries = server.lines.entries();
    let (_, lines) = entries.iter().find(|(l, _)| l.get("app") == Some("shared")).expect("pushed");
    let levels: Vec<_> =
        lines.iter().map(|l| l.structured_metadata.get("detected_level")).collect();
    assert_eq!(levels, [Some("warn"), Some("warn"), Some("error")]);
}

#[tokio::test]
async fn too_much_is_refused_by_name() {
    let limits = Limits { body: 4096, decompressed: 8192, ..Limits::default() };
    let server = server(Setup { limits, ..Setup::default() });
    let answer = send(&server, "application/json", vec![b' '; 4097]).await;
    assert_eq!(answer.status, 413);
    assert!(answer.text().contains("--web.max-body-size"), "{}", answer.text());
    let bomb = compress(&vec![0; 50_000]).expect("small");
    let answer = send(&server, "application/x-protobuf", bomb).await;
    assert_eq!(answer.status, 413);
    assert!(answer.text().contains("--web.max-decompressed-size"), "{}", answer.text());
}

#[tokio::test]
async fn limits_of_lines_have_lokis_texts() {
    let log_limits = LogLimits {
        line_bytes: 5,
        metadata_pairs: 1,
        metadata_bytes: 6,
        age_ns: 100 * SECOND,
        ahead_ns: SECOND,
        ..LogLimits::default()
    };
    let server = server(Setup { log_limits, ..Setup::default() });
    let f = async |value: &str, want: &str| {
        let body =
            format!("{{\"streams\":[{{\"stream\":{{\"app\":\"a\"}},\"values\":[{value}]}}]}}");
        let answer = send(&server, "application/json", body.into_bytes()).await;
        assert_eq!(answer.status, if want.is_empty() { 204 } else { 400 }, "{value}");
        assert!(answer.text().contains(want), "{}", answer.text());
    };
    f(r#"["20000000000","12345",{"a":"12345"}]"#, "").await;
    f(r#"["19999999999","x"]"#, "has timestamp too old: 1970-01-01T00:00:19Z, oldest acceptable timestamp is: 1970-01-01T00:00:20Z").await;
    f(r#"["121000000001","x"]"#, "has timestamp too new: 1970-01-01T00:02:01Z").await;
    f(r#"["20000000000","123456"]"#, "max entry size '5' bytes exceeded for stream '{app=\"a\", service_name=\"a\"}' while adding an entry with length '6' bytes").await;
    f(
        r#"["20000000000","x",{"a":"1","b":"2"}]"#,
        "has too many structured metadata labels: '2', limit: '1'",
    )
    .await;
    f(
        r#"["20000000000","x",{"a":"123456"}]"#,
        "has structured metadata too large: '7' bytes, limit: '6' bytes",
    )
    .await;
    let many: Vec<&str> = vec![r#"["1","x"]"#; 20];
    f(&many.join(","), "\n10 more were refused\n").await;
    assert_eq!(server.loki.stats().lines_refused.get("greater_than_max_sample_age"), Some(&21));
}

#[tokio::test]
async fn otlp_comes_packed_in_many_ways_and_without_a_time_it_is_of_now() {
    let server = server(Setup::default());
    let body = |name: &str| {
        let attribute = format!(r#"{{"key":"service.name","value":{{"stringValue":"{name}"}}}}"#);
        let records = r#"[{"body":{"stringValue":"packed"}}]"#;
        format!(
            r#"{{"resourceLogs":[{{"resource":{{"attributes":[{attribute}]}},"scopeLogs":[{{"logRecords":{records}}}]}}]}}"#
        )
    };
    let f = async |encoding: &str, body: Vec<u8>| {
        let request = Request::post("/otlp/v1/logs")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::CONTENT_ENCODING, encoding)
            .body(Body::from(body));
        call(&server.router, request.expect("valid")).await
    };
    let zstd = |body: &str| zstd::encode_all(body.as_bytes(), 3).expect("to memory");
    assert_eq!(f("zstd", zstd(&body("of-zstd"))).await.status, 204);
    let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
    lz4.write_all(body("of-lz4").as_bytes()).expect("to memory");
    assert_eq!(f("lz4", lz4.finish().expect("to memory")).await.status, 204);
    let answer = f("br", Vec::new()).await;
    assert_eq!(answer.status, 400);
    let want = "unsupported content encoding br: only gzip, lz4 and zstd are supported";
    assert!(answer.text().ends_with(want), "{}", answer.text());
    for name in ["of-zstd", "of-lz4"] {
        let query = format!("query=%7Bservice_name%3D%22{name}%22%7D&start=0&end=130");
        let answer = get(&server.router, &format!("/loki/api/v1/query_range?{query}")).await;
        let want = format!("[\"{}\",\"packed\"]", NOW * SECOND);
        assert!(answer.text().contains(&want), "{}", answer.text());
    }
    let flood = format!(r#"{{"resourceLogs":[{}]}}"#, vec!["{}"; 250_001].join(","));
    let answer = f("zstd", zstd(&flood)).await;
    assert_eq!(answer.status, 400);
    let want = "the body has 2000008 items, more than the limit of 2000000";
    assert!(answer.text().contains(want), "{}", answer.text());
}

/// Refuses its second line for a reason, or everything for none.
#[derive(Debug)]
struct Picky {
    reason: Option<LogRejectReason>,
}

impl LogSink for Picky {
    fn append(&self, batch: &LogBatch<'_>) -> Result<LogReport, AppendError> {
        let Some(reason) = self.reason else {
            let message = "the disk is full".to_owned();
            return Err(AppendError { class: ErrorClass::Unavailable, message });
        };
        let rejected = vec![RejectedLine { stream: 0, row: 1, reason }];
        let lines: usize = batch.streams.iter().map(|stream| stream.rows.len()).sum();
        Ok(LogReport { appended: lines - 1, duplicates: 0, rejected })
    }

    fn progress(&self, _: &str) -> Result<Vec<Progress>, AppendError> {
        Ok(Vec::new())
    }
}

#[tokio::test]
async fn what_the_store_refuses_is_told() {
    let sink = |reason| Setup { line_sink: Some(Arc::new(Picky { reason })), ..Setup::default() };
    let behind = Some(LogRejectReason::TooFarBehind { oldest: Nanos(50 * SECOND) });
    let body = || protobuf(&labels(&[("app", "x")]), &[(100 * SECOND, b"a"), (2 * SECOND, b"b")]);
    let answer = send(&server(sink(behind)), "application/x-protobuf", body()).await;
    assert_eq!(answer.status, 400);
    let want = "entry for stream '{app=\"x\", service_name=\"x\"}' has timestamp too far behind, entry timestamp is: 1970-01-01T00:00:02Z, oldest acceptable timestamp is: 1970-01-01T00:00:50Z\n";
    assert_eq!(answer.text(), want);
    let streams = Some(LogRejectReason::StreamLimit { limit: 7 });
    let answer = send(&server(sink(streams)), "application/x-protobuf", body()).await;
    let want = "maximum active stream limit exceeded when trying to create stream {app=\"x\", service_name=\"x\"}, reduce the number of active streams (reduce labels or reduce label values), or raise --logs.max-streams, which is 7\n";
    assert_eq!((answer.status.as_u16(), &*answer.text()), (429, want));
    let answer = send(&server(sink(None)), "application/x-protobuf", body()).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, Some("1")));
    assert_eq!(answer.text(), "the disk is full\n");
}

/// Serves on a free port of loopback for as long as the test runs.
async fn listen(server: &Server) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let router = server.router.clone();
    #[expect(clippy::disallowed_methods, reason = "ends with the runtime of the test")]
    tokio::spawn(async move {
        drop(axum::serve(listener, router).await);
    });
    format!("ws://{address}")
}

async fn text(socket: &mut (impl StreamExt<Item = Result<Message, Error>> + Unpin)) -> String {
    loop {
        let next = tokio::time::timeout(Duration::from_secs(30), socket.next());
        match next.await.expect("in time").expect("open").expect("sound") {
            Message::Text(text) => return text.to_string(),
            Message::Close(frame) => {
                return frame
                    .map_or_else(String::new, |f| format!("{} {}", u16::from(f.code), f.reason));
            }
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tail_shows_the_past_then_what_comes_each_once() {
    let server = server(Setup::default());
    let base = listen(&server).await;
    let url = format!("{base}/loki/api/v1/tail?query=%7Bapp%3D%22db%22%7D&limit=2");
    let (mut socket, _) = connect_async(&url).await.expect("upgrades");
    let past = text(&mut socket).await;
    let want = r#"{"streams":[{"stream":{"app":"db","host":"h1"},"values":[["106000000000","checkpoint 3 took 21ms"],["108000000000","checkpoint 4 took 28ms"]]}]}"#;
    assert_eq!(past, want);
    assert_eq!(server.loki.stats().followers, 1);
    let at = NOW * SECOND;
    assert_eq!(send(&server, "application/json", json("other", at, "no")).await.status, 204);
    assert_eq!(send(&server, "application/json", json("db", at, "new")).await.status, 204);
    let want = format!(
        "{{\"streams\":[{{\"stream\":{{\"app\":\"db\",\"service_name\":\"db\"}},\"values\":[[\"{at}\",\"new\"]]}}]}}"
    );
    assert_eq!(text(&mut socket).await, want);
    server.loki.stop();
    assert_eq!(text(&mut socket).await, "1001 the server is stopping");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipeline_is_applied_to_what_is_followed() {
    let server = server(Setup::default());
    let base = listen(&server).await;
    let query = "query=%7Bapp%3D%22t%22%7D+%7C%3D+%22keep%22+%7C+line_format+%22%3C%7B%7B__line__%7D%7D%3E%22";
    let (mut socket, _) =
        connect_async(format!("{base}/loki/api/v1/tail?{query}")).await.expect("upgrades");
    // The handshake is answered before the following begins.
    while server.loki.stats().followers == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let at = NOW * SECOND;
    assert_eq!(send(&server, "application/json", json("t", at, "skip")).await.status, 204);
    assert_eq!(send(&server, "application/json", json("t", at, "keep")).await.status, 204);
    let want = format!(
        "{{\"streams\":[{{\"stream\":{{\"app\":\"t\",\"detected_level\":\"unknown\",\"service_name\":\"t\"}},\"values\":[[\"{at}\",\"\\u003ckeep\\u003e\"]]}}]}}"
    );
    assert_eq!(text(&mut socket).await, want);
    // Who leaves is not counted any more after the next push.
    socket.close(None).await.expect("closes");
    socket.flush().await.ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn structured_metadata_is_followed_as_it_is_asked_for() {
    let server = server(Setup::default());
    let base = listen(&server).await;
    let at = NOW * SECOND;
    let body = format!(
        r#"{{"streams":[{{"stream":{{"app":"m"}},"values":[["{at}","u=7",{{"trace":"t1"}}]]}}]}}"#
    );
    let plain = "%7Bapp%3D%22m%22%7D";
    let parsing = "%7Bapp%3D%22m%22%7D+%7C+logfmt";
    let of_stream = r#""app":"m","service_name":"m""#;
    let of_line = r#""structuredMetadata":{"detected_level":"unknown","trace":"t1"}"#;
    let rows = [
        (plain, false, format!("{{{of_stream}}}"), String::new()),
        (plain, true, format!("{{{of_stream}}}"), format!(",{{{of_line}}}")),
        (
            parsing,
            false,
            r#"{"app":"m","detected_level":"unknown","service_name":"m","trace":"t1","u":"7"}"#
                .to_owned(),
            String::new(),
        ),
        (
            parsing,
            true,
            format!("{{{of_stream}}}"),
            format!(r#",{{{of_line},"parsed":{{"u":"7"}}}}"#),
        ),
    ];
    let mut sockets = Vec::new();
    for (query, categorized, stream, beside) in rows {
        let flags = if categorized { r#","encodingFlags":["categorize-labels"]"# } else { "" };
        let want = format!(
            r#"{{"streams":[{{"stream":{stream},"values":[["{at}","u=7"{beside}]]}}]{flags}}}"#
        );
        let url = format!("{base}/loki/api/v1/tail?query={query}");
        let mut request = url.as_str().into_client_request().expect("a URL");
        if categorized {
            let flags = "categorize-labels".parse().expect("a value");
            request.headers_mut().insert("x-loki-response-encoding-flags", flags);
            // A browser can only say it in the address.
            let url = format!("{url}&encodingFlags=categorize-labels");
            let (socket, _) = connect_async(url).await.expect("upgrades");
            sockets.push((socket, want.clone()));
        }
        let (socket, _) = connect_async(request).await.expect("upgrades");
        sockets.push((socket, want));
    }
    while server.loki.stats().followers < 6 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(send(&server, "application/json", body.into_bytes()).await.status, 204);
    for (socket, want) in &mut sockets {
        assert_eq!(text(socket).await, *want);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_followed_is_refused_before_or_after_the_upgrade() {
    let log_limits = LogLimits { tails: 1, ..LogLimits::default() };
    let server = server(Setup { log_limits, ..Setup::default() });
    let base = listen(&server).await;
    let tail = |query: &str| format!("{base}/loki/api/v1/tail?query={query}");
    let refused = async |url: String| match connect_async(url).await {
        Err(Error::Http(response)) => {
            let body = response.body().clone().unwrap_or_default();
            (response.status().as_u16(), String::from_utf8_lossy(&body).into_owned())
        }
        other => panic!("{other:?}"),
    };
    let (status, why) = refused(tail("%7Bapp%3D%22x%22")).await;
    assert_eq!(status, 400, "{why}");
    let (mut socket, _) =
        connect_async(tail("rate(%7Bapp%3D%22x%22%7D%5B1m%5D)")).await.expect("upgrades");
    assert_eq!(text(&mut socket).await, "1011 only log selector is supported");
    let (_held, _) = connect_async(tail("%7Bapp%3D%22x%22%7D")).await.expect("upgrades");
    let (status, why) = refused(tail("%7Bapp%3D%22x%22%7D")).await;
    assert_eq!(status, 400, "{why}");
    assert!(why.contains("--logs.max-tails"), "{why}");
}

#[tokio::test]
async fn both_apis_stand_at_one_desk() {
    let limits = Limits { queries: 1, queue: 0, ..Limits::default() };
    let server = server(Setup { limits, ..Setup::default() });
    assert_eq!(get(&server.router, "/loki/api/v1/query?query=1%2B1").await.status, 200);
    assert!(server.api.stats().streamed_bytes > 0);
}
