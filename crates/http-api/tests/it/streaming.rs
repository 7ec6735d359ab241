//! Large answers leave in small chunks, at the pace of the client, and never look whole when they
//! are not.

use std::{io::Read as _, sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{Request, header},
};
use flate2::read::GzDecoder;
use http_body::Body as _;
use masthead_http_api::{EvalError, Evaluation, Evaluator, Grid, Limits, Query};
use masthead_model::{Millis, Value};
use masthead_ports::{QueryCtx, SampleSource};
use masthead_promql::{InstantSample, QueryValue, SeriesResult};
use tower::ServiceExt as _;

use crate::fixture::{Answer, Server, Setup, call, get, labels, server};

const CHUNK: usize = 64 * 1024;

/// Answers with as many series as the query says, each of a thousand points.
#[derive(Debug)]
struct Many;

impl Evaluator for Many {
    fn instant(
        &self,
        _: &QueryCtx,
        _: &dyn SampleSource,
        query: &Query<'_>,
        at: Millis,
    ) -> Result<Evaluation, EvalError> {
        assert_ne!(query.text, "panic", "as asked");
        let samples = (0..series(query)).map(|n| InstantSample {
            labels: labels(&[("n", &n.to_string())]),
            timestamp: at,
            value: Value::Float(f64::from(n)),
        });
        Ok(answer(QueryValue::Vector(samples.collect())))
    }

    fn range(
        &self,
        _: &QueryCtx,
        _: &dyn SampleSource,
        query: &Query<'_>,
        _: Grid,
    ) -> Result<Evaluation, EvalError> {
        let series = (0..series(query)).map(|n| SeriesResult {
            labels: labels(&[("n", &n.to_string())]),
            floats: (0..1000).map(|at| (at, f64::from(n) + 0.5)).collect(),
            histograms: Vec::new(),
        });
        Ok(answer(QueryValue::Matrix(series.collect())))
    }
}

fn series(query: &Query<'_>) -> u32 {
    query.text.parse().expect("a number")
}

fn answer(value: QueryValue) -> Evaluation {
    let texts = |n: usize| (0..n).map(|n| format!("text {n}")).collect();
    Evaluation { value, warnings: texts(12), infos: texts(1) }
}

fn many(limits: Limits) -> Server {
    server(Setup { evaluator: Arc::new(Many), limits, ..Setup::default() })
}

fn range(series: u32) -> String {
    format!("/api/v1/query_range?query={series}&start=0&end=1&step=1")
}

async fn wait_for(mut ready: impl FnMut() -> bool) {
    for _ in 0..5000 {
        if ready() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("waited in vain");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_client_holds_up_the_writer_instead_of_filling_memory() {
    let server = many(Limits::default());
    let request = Request::get(range(400)).body(Body::empty()).expect("valid");
    let response = server.router.clone().oneshot(request).await.expect("infallible");
    assert_eq!(response.status(), 200);
    // The whole answer has some 7 MB. Nobody reads: what leaves the writer comes to rest.
    let streamed = || server.api.stats().streamed_bytes;
    wait_for(|| streamed() >= 4 * CHUNK as u64).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    let at_rest = streamed();
    // Four wait in the channel and one before it.
    assert!(at_rest <= 5 * CHUNK as u64 + 4096, "{at_rest}");
    let mut body = response.into_body();
    let mut total = 0;
    while let Some(frame) =
        std::future::poll_fn(|cx| std::pin::Pin::new(&mut body).poll_frame(cx)).await
    {
        let data = frame.expect("whole").into_data().expect("data");
        assert!(data.len() <= CHUNK);
        total += data.len();
    }
    assert_eq!(total as u64, streamed());
    assert!(total > 5_000_000, "{total}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_answer_is_the_same_json_with_and_without_gzip() {
    let server = many(Limits::default());
    let plain = get(&server.router, &range(30)).await;
    assert_eq!(plain.header("content-encoding"), None);
    let document: serde_json::Value = serde_json::from_slice(&plain.body).expect("JSON");
    let result = document["data"]["result"].as_array().expect("a list");
    assert_eq!(result.len(), 30);
    assert_eq!(result[29]["metric"]["n"], "29");
    assert_eq!(result[29]["values"].as_array().expect("a list").len(), 1000);
    assert_eq!(result[29]["values"][999].to_string(), r#"[0.999,"29.5"]"#);
    for uri in [range(30), range(1), "/api/v1/query?query=1".to_owned()] {
        let plain = get(&server.router, &uri).await;
        let varies = |answer: &Answer| {
            let mut vary = answer.headers.get_all(header::VARY).iter();
            vary.any(|value| value == "Accept-Encoding")
        };
        let request = Request::get(&uri).header(header::ACCEPT_ENCODING, "br, gzip;q=0.5");
        let zipped = call(&server.router, request.body(Body::empty()).expect("valid")).await;
        assert!(varies(&plain) && varies(&zipped), "{uri}");
        if plain.body.len() < 1024 {
            assert_eq!(zipped.header("content-encoding"), None, "{uri}");
            assert_eq!(zipped.body, plain.body);
        } else {
            assert_eq!(zipped.header("content-encoding"), Some("gzip"), "{uri}");
            assert!(zipped.body.len() * 2 < plain.body.len());
            assert_eq!(unzip(&zipped), plain.body);
        }
    }
    let refused = Request::get(range(1)).header(header::ACCEPT_ENCODING, "gzip;q=0");
    let refused = call(&server.router, refused.body(Body::empty()).expect("valid")).await;
    assert_eq!(refused.header("content-encoding"), None);
}

#[expect(clippy::disallowed_methods, reason = "what it reads came from our own encoder")]
fn unzip(answer: &Answer) -> Vec<u8> {
    let mut out = Vec::new();
    GzDecoder::new(answer.body.as_slice()).read_to_end(&mut out).expect("gzip");
    out
}

#[tokio::test]
async fn a_small_answer_has_a_length() {
    let server = many(Limits::default());
    let answer = get(&server.router, "/api/v1/query?query=2&time=5").await;
    let length: usize = answer.header("content-length").expect("a length").parse().expect("digits");
    assert_eq!(length, answer.body.len());
    let want = concat!(
        r#"{"status":"success","data":{"resultType":"vector","result":["#,
        r#"{"metric":{"n":"0"},"value":[5,"0"]},{"metric":{"n":"1"},"value":[5,"1"]}]},"#,
        r#""warnings":["text 0","text 1","text 2","text 3","text 4","text 5","text 6","#,
        r#""text 7","text 8","text 9","2 more warning annotations omitted"],"#,
        r#""infos":["text 0"]}"#
    );
    assert_eq!(answer.text(), want);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_stalls_is_given_up_and_its_answer_breaks_off() {
    let limits = Limits { stall: Duration::from_millis(20), ..Limits::default() };
    let server = many(limits);
    let request = Request::get(range(100)).body(Body::empty()).expect("valid");
    let response = server.router.clone().oneshot(request).await.expect("infallible");
    wait_for(|| server.api.stats().abandoned == 1).await;
    wait_for(|| server.api.stats().queries_running == 0).await;
    // What was sent can still be read, but its end is an error rather than the end of the body.
    axum::body::to_bytes(response.into_body(), 1 << 30).await.expect_err("broken off");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_gives_its_place_back() {
    let server = many(Limits { queries: 1, ..Limits::default() });
    let request = Request::get(range(400)).body(Body::empty()).expect("valid");
    let response = server.router.clone().oneshot(request).await.expect("infallible");
    assert_eq!(server.api.stats().queries_running, 1);
    drop(response);
    wait_for(|| server.api.stats().queries_running == 0).await;
    assert_eq!(server.api.stats().abandoned, 1);
}

#[tokio::test]
async fn a_panic_is_an_internal_error_and_the_server_goes_on() {
    let server = many(Limits { queries: 1, ..Limits::default() });
    let answer = get(&server.router, "/api/v1/query?query=panic").await;
    assert_eq!(answer.status, 500);
    assert!(answer.text().contains(r#""errorType":"internal""#), "{}", answer.text());
    assert_eq!(server.api.stats().panics, 1);
    assert_eq!(get(&server.router, "/api/v1/query?query=1").await.status, 200);
}

#[tokio::test]
async fn a_limit_cuts_series_and_says_so() {
    let server = many(Limits::default());
    for uri in [format!("{}&limit=2", range(3)), "/api/v1/query?query=3&limit=2".to_owned()] {
        let answer = get(&server.router, &uri).await;
        let document: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
        assert_eq!(document["data"]["result"].as_array().expect("a list").len(), 2);
        // The limit's text is the last of 13, so it is among those left out.
        assert_eq!(document["warnings"][10], "3 more warning annotations omitted");
    }
}

#[tokio::test]
async fn a_deep_expression_is_shown_or_refused_but_never_overflows() {
    let server = server(Setup::default());
    for (depth, status) in [(200, 200), (5000, 400)] {
        let query = format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
        let answer = get(&server.router, &format!("/api/v1/parse_query?query={query}")).await;
        assert_eq!(answer.status.as_u16(), status, "{depth}");
    }
}
