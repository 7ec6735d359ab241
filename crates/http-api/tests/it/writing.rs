//! Pushed samples: what is kept, what is refused, what is told.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use axum::{
    body::Body,
    http::{Request, header},
};
use masthead_http_api::Limits;
use masthead_model::{ErrorClass, Histogram, Labels, Millis};
use masthead_ports::{AppendBatch, AppendError, AppendReport, RejectReason, SampleSink, SeriesRef};
use masthead_wire::{
    Exemplar, MetricType,
    remote_write::{EncoderV1, EncoderV2, FloatPoint, HistogramPoint, Metadata, Version, compress},
};

use crate::fixture::{Answer, Server, Setup, call, get, labels, server};

fn point(timestamp: i64, value: f64) -> FloatPoint {
    FloatPoint { timestamp: Millis(timestamp), start: None, value }
}

async fn send(server: &Server, version: Version, body: &[u8]) -> Answer {
    let body = compress(body).expect("small");
    let request = Request::post("/api/v1/write")
        .header(header::CONTENT_TYPE, version.content_type())
        .header(header::CONTENT_ENCODING, "snappy")
        .body(Body::from(body));
    call(&server.router, request.expect("valid")).await
}

fn v1(series: &[(Labels, &[FloatPoint])]) -> Vec<u8> {
    let mut encoder = EncoderV1::default();
    for (labels, points) in series {
        encoder.series(labels, points, &[], &[]);
    }
    encoder.finish()
}

fn named(name: &str) -> Labels {
    labels(&[("__name__", name), ("a", "b")])
}

/// The values of a metric at the end, as `/federate` shows them.
async fn value_of(server: &Server, name: &str) -> Option<String> {
    let text = get(&server.router, &format!("/federate?match[]={name}")).await.text();
    let line = text.lines().find(|line| line.starts_with(&format!("{name}{{")))?;
    line.split(' ').nth(1).map(str::to_owned)
}

#[tokio::test]
async fn version_1_is_kept_and_answered_with_204() {
    let server = server(Setup::default());
    let points = [point(1000, 1.0), point(2000, 7.0)];
    let answer = send(&server, Version::V1, &v1(&[(named("pushed"), &points)])).await;
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (204, ""));
    assert_eq!(answer.header("x-prometheus-remote-write-written-samples"), None);
    assert_eq!(value_of(&server, "pushed").await.as_deref(), Some("7"));
    // The same again is not an error.
    let again = send(&server, Version::V1, &v1(&[(named("pushed"), &points)])).await;
    assert_eq!(again.status, 204);
}

#[tokio::test]
async fn version_2_counts_what_it_kept_and_brings_metadata() {
    let server = server(Setup::default());
    let mut encoder = EncoderV2::default();
    let histogram = Histogram { count: 0.0, ..Histogram::default() };
    let histograms = [HistogramPoint { timestamp: Millis(3000), start: None, histogram }];
    let exemplar =
        Exemplar { labels: labels(&[("trace_id", "x")]), value: 1.0, timestamp: Some(Millis(5)) };
    let metadata = Metadata {
        family: "pushed",
        metric_type: MetricType::Gauge,
        help: "Pushed here.",
        unit: "",
    };
    let points = [point(1000, 1.0), point(2000, 2.0)];
    encoder.series(&named("pushed"), &points, &[], &[exemplar], Some(&metadata));
    encoder.series(&named("pushed_histogram"), &[], &histograms, &[], None);
    let answer = send(&server, Version::V2, &encoder.finish()).await;
    assert_eq!(answer.status, 204, "{}", answer.text());
    let count = |what: &str| answer.header(&format!("x-prometheus-remote-write-written-{what}"));
    assert_eq!(count("samples"), Some("2"));
    assert_eq!(count("histograms"), Some("1"));
    assert_eq!(count("exemplars"), Some("1"));
    let metadata = get(&server.router, "/api/v1/metadata?metric=pushed").await.text();
    assert!(metadata.contains("Pushed here."), "{metadata}");
    assert_eq!(server.api.stats().samples_accepted, 3);
}

#[tokio::test]
async fn good_samples_are_kept_when_others_are_refused() {
    let server = server(Setup::default());
    let far = 120_000 + 600_001;
    let body = v1(&[
        (named("good"), &[point(1000, 1.0)]),
        (labels(&[("a", "nameless")]), &[point(1000, 1.0), point(2000, 1.0)]),
        (named("clash"), &[point(1000, 1.0), point(1000, 2.0)]),
        (named("future"), &[point(far - 1, 1.0), point(far, 2.0)]),
        (labels(&[("__name__", "long"), ("a", &"x".repeat(70_000))]), &[point(1000, 1.0)]),
        (named("good_too"), &[point(1000, 3.0)]),
    ]);
    for version in [Version::V1] {
        let answer = send(&server, version, &body).await;
        assert_eq!(answer.status, 400);
        let text = answer.text();
        let holds = |part: &str| assert!(text.contains(part), "{part} in {text}");
        holds("invalid metric name or labels, got {a=\"nameless\"}");
        holds("duplicate sample for timestamp for series {__name__=\"clash\", a=\"b\"}");
        holds("out of bounds: timestamp is too far in the future for series {__name__=\"future\"");
        holds("more than the limit of 65536 (label_value_bytes)");
    }
    assert_eq!(value_of(&server, "good").await.as_deref(), Some("1"));
    assert_eq!(value_of(&server, "good_too").await.as_deref(), Some("3"));
    assert_eq!(value_of(&server, "clash").await.as_deref(), Some("1"));
    let stats = server.api.stats();
    assert_eq!((stats.samples_accepted, stats.samples_refused), (4, 5));
}

fn exemplar(trace: &str, time: i64) -> Exemplar {
    let labels = labels(&[("trace_id", trace)]);
    Exemplar { labels, value: 1.0, timestamp: Some(Millis(time)) }
}

/// As a Prometheus sends them: the series once with its sample, and once with its exemplar.
#[tokio::test]
async fn exemplars_in_a_series_of_their_own_are_kept_where_the_series_is() {
    for version in [Version::V1, Version::V2] {
        let server = server(Setup::default());
        let mut v1 = EncoderV1::default();
        let mut v2 = EncoderV2::default();
        let far = 120_000 + 600_001;
        let entries: [(&str, &[FloatPoint], &[Exemplar]); 4] = [
            ("pushed", &[point(1000, 1.0)], &[]),
            ("pushed", &[], &[exemplar("t1", 1000)]),
            ("pushed", &[], &[exemplar("t2", 2000), exemplar("future", far)]),
            ("unknown", &[], &[exemplar("t3", 1000)]),
        ];
        for (name, points, exemplars) in entries {
            v1.series(&named(name), points, &[], exemplars);
            v2.series(&named(name), points, &[], exemplars, None);
        }
        let body = if version == Version::V1 { v1.finish() } else { v2.finish() };
        let answer = send(&server, version, &body).await;
        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (204, ""));
        if version == Version::V2 {
            let written = answer.header("x-prometheus-remote-write-written-exemplars");
            assert_eq!(written, Some("2"));
        }
        let of = async |name: &str| {
            let uri = format!("/api/v1/query_exemplars?query={name}&start=0&end=9");
            get(&server.router, &uri).await.text()
        };
        let found = of("pushed").await;
        assert!(found.contains("\"t1\"") && found.contains("\"t2\""), "{found}");
        assert!(!found.contains("future"), "{found}");
        assert!(!of("unknown").await.contains("t3"));
        let stats = server.api.stats();
        assert_eq!((stats.samples_accepted, stats.exemplars_refused), (1, 2));
    }
}

#[tokio::test]
async fn a_series_of_version_2_with_nothing_is_refused_alone() {
    let server = server(Setup::default());
    let mut encoder = EncoderV2::default();
    encoder.series(&named("nothing"), &[], &[], &[], None);
    encoder.series(&named("pushed"), &[point(1000, 1.0)], &[], &[], None);
    let answer = send(&server, Version::V2, &encoder.finish()).await;
    let want = "TimeSeries must contain at least one sample or histogram for series \
                {__name__=\"nothing\", a=\"b\"}\n";
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (400, want));
    assert_eq!(value_of(&server, "pushed").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn a_label_that_is_no_text_costs_its_series_alone() {
    let server = server(Setup::default());
    let of = |value: &str| labels(&[("__name__", "u"), ("a", value)]);
    let points = [point(1000, 1.0)];
    let mut body = v1(&[(of("1"), &points), (of("Q"), &points), (of("3"), &points)]);
    let at = body.iter().position(|byte| *byte == b'Q').expect("there");
    body[at] = 0xff;
    let answer = send(&server, Version::V1, &body).await;
    let want = "invalid metric name or labels, got {__name__=\"u\", a=\"\u{fffd}\"}\n";
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (400, want));
    let text = get(&server.router, "/federate?match[]=u").await.text();
    assert!(text.contains("a=\"1\"") && text.contains("a=\"3\""), "{text}");
    let stats = server.api.stats();
    assert_eq!((stats.samples_accepted, stats.samples_refused), (2, 1));
}

#[tokio::test]
async fn a_flood_of_refusals_is_told_in_few_words() {
    let server = server(Setup::default());
    let nameless: Vec<(Labels, &[FloatPoint])> =
        (0..500).map(|n| (labels(&[("a", &n.to_string())]), [].as_slice())).collect();
    let answer = send(&server, Version::V1, &v1(&nameless)).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.text().lines().count(), 11);
    assert!(answer.text().contains("490 more were refused"), "{}", answer.text());
    let long = labels(&[("a", &"ü".repeat(2000))]);
    let answer = send(&server, Version::V1, &v1(&[(long, &[])])).await;
    assert_eq!(answer.text().chars().count(), 1002, "cut, with a mark and a line feed");
}

#[tokio::test]
async fn what_is_not_remote_write_is_refused_with_upstreams_codes() {
    let server = server(Setup::default());
    let f = async |kind: &str, encoding: &str, body: Vec<u8>, status: u16, part: &str| {
        let mut request = Request::post("/api/v1/write");
        if !kind.is_empty() {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        if !encoding.is_empty() {
            request = request.header(header::CONTENT_ENCODING, encoding);
        }
        let request = request.body(Body::from(body)).expect("valid");
        let answer = call(&server.router, request).await;
        assert_eq!(answer.status.as_u16(), status, "{kind} {encoding}: {}", answer.text());
        assert!(answer.text().contains(part), "{}", answer.text());
    };
    let good = || compress(&v1(&[(named("x"), &[point(1, 1.0)])])).expect("small");
    let protobuf = "application/x-protobuf";
    f("", "", good(), 204, "").await;
    f("text/plain", "", good(), 415, "expected application/x-protobuf").await;
    f("application/x-protobuf;proto=x.Y", "", good(), 415, "unknown type").await;
    f(protobuf, "gzip", good(), 415, "only snappy is acceptable").await;
    f(protobuf, "snappy", b"not snappy".to_vec(), 400, "snappy").await;
    f(protobuf, "snappy", compress(b"\x0a\xff").expect("small"), 400, "WriteRequest").await;
    // A header that claims 2 GiB.
    let bomb = b"\x80\x80\x80\x80\x08".to_vec();
    f(protobuf, "snappy", bomb, 413, "--web.max-decompressed-size").await;
    f(protobuf, "snappy", vec![0; (16 << 20) + 1], 413, "--web.max-body-size").await;
    let answer = get(&server.router, "/api/v1/write").await;
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (405, "Method Not Allowed\n"));
    assert_eq!(answer.header("allow"), Some("POST"));
    assert_eq!(server.api.stats().upload_bytes, 0);
}

/// Numbers series and notes with which number each row came.
#[derive(Debug, Default)]
struct Numbering {
    seen: Mutex<Vec<u64>>,
}

impl SampleSink for Numbering {
    fn append(&self, batch: &mut AppendBatch) -> Result<AppendReport, AppendError> {
        for row in &mut batch.rows {
            self.seen.lock().expect("whole").push(row.series.0);
            let name = row.labels.metric_name().expect("named");
            row.series = SeriesRef(name.len() as u64);
        }
        Ok(AppendReport { appended: batch.rows.len(), ..AppendReport::default() })
    }
}

#[tokio::test]
async fn a_series_comes_with_its_number_from_the_second_time_on() {
    let sink = Arc::new(Numbering::default());
    let server = server(Setup { sink: Some(Arc::clone(&sink) as _), ..Setup::default() });
    let body = |at| v1(&[(named("four"), &[point(at, 1.0)]), (named("sixsix"), &[point(at, 1.0)])]);
    assert_eq!(send(&server, Version::V1, &body(1)).await.status, 204);
    assert_eq!(send(&server, Version::V1, &body(2)).await.status, 204);
    // The two versions write labels in different ways.
    for at in [3, 4] {
        let mut encoder = EncoderV2::default();
        encoder.series(&named("sixsix"), &[point(at, 1.0)], &[], &[], None);
        assert_eq!(send(&server, Version::V2, &encoder.finish()).await.status, 204);
    }
    assert_eq!(*sink.seen.lock().expect("whole"), [0, 0, 4, 6, 0, 6]);
}

/// A store whose series can all go at once.
#[derive(Debug, Default)]
struct Forgetful {
    numbering: AtomicU64,
    /// Labels that came, and numbers without labels.
    seen: Mutex<Vec<(Labels, u64)>>,
    gone: AtomicBool,
}

impl SampleSink for Forgetful {
    fn append(&self, batch: &mut AppendBatch) -> Result<AppendReport, AppendError> {
        let mut report = AppendReport::default();
        for (at, row) in batch.rows.iter_mut().enumerate() {
            self.seen.lock().expect("whole").push((row.labels.clone(), row.series.0));
            if row.labels.is_empty() && self.gone.load(Ordering::Relaxed) {
                report.rejected.push((at, RejectReason::UnknownSeries));
            } else if row.timestamp < Millis(0) {
                report.rejected.push((at, RejectReason::TooOld));
            } else {
                row.series = SeriesRef(7);
                report.appended += 1;
            }
        }
        Ok(report)
    }

    fn numbering(&self) -> Option<u64> {
        Some(self.numbering.load(Ordering::Relaxed))
    }

    fn labels_of(&self, _: SeriesRef) -> Option<Labels> {
        Some(named("told"))
    }
}

#[tokio::test]
async fn labels_are_not_kept_where_numbers_suffice_and_come_again_when_they_do_not() {
    let sink = Arc::new(Forgetful::default());
    let server = server(Setup { sink: Some(Arc::clone(&sink) as _), ..Setup::default() });
    let body = |at| v1(&[(named("x"), &[point(at, 1.0)])]);
    let seen = || std::mem::take(&mut *sink.seen.lock().expect("whole"));
    let (whole, bare) = ((named("x"), 0), (Labels::default(), 7));
    assert_eq!(send(&server, Version::V1, &body(1)).await.status, 204);
    assert_eq!(send(&server, Version::V1, &body(2)).await.status, 204);
    assert_eq!(seen(), [whole.clone(), bare.clone()]);
    // Exemplars are kept with labels.
    let mut encoder = EncoderV2::default();
    let exemplar = Exemplar { labels: named("e"), value: 1.0, timestamp: Some(Millis(3)) };
    encoder.series(&named("x"), &[point(3, 1.0)], &[], &[exemplar], None);
    let with_exemplar = encoder.finish();
    assert_eq!(send(&server, Version::V2, &with_exemplar).await.status, 204);
    assert_eq!(send(&server, Version::V2, &with_exemplar).await.status, 204);
    assert_eq!(seen(), [whole.clone(), whole.clone()]);
    // A refused sample is told with its labels.
    let answer = send(&server, Version::V1, &body(-1)).await;
    assert_eq!(answer.text(), format!("too old sample for series {}\n", named("told")));
    assert_eq!(seen(), std::slice::from_ref(&bare));
    // Series go while a request is under way; it is sent again under another numbering.
    sink.gone.store(true, Ordering::Relaxed);
    let answer = send(&server, Version::V1, &body(4)).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, Some("1")));
    sink.numbering.store(2, Ordering::Relaxed);
    assert_eq!(send(&server, Version::V1, &body(4)).await.status, 204);
    assert_eq!(seen(), [bare, whole]);
}

/// Refuses every batch.
#[derive(Debug)]
struct Full;

impl SampleSink for Full {
    fn append(&self, _: &mut AppendBatch) -> Result<AppendReport, AppendError> {
        let message = "the disk is full: /data has 0 bytes left".into();
        Err(AppendError { class: ErrorClass::Unavailable, message })
    }
}

#[tokio::test]
async fn what_the_store_cannot_take_now_is_to_be_sent_again() {
    let server = server(Setup { sink: Some(Arc::new(Full)), ..Setup::default() });
    for version in [Version::V1, Version::V2] {
        let body = if version == Version::V1 {
            v1(&[(named("x"), &[point(1, 1.0)])])
        } else {
            let mut encoder = EncoderV2::default();
            encoder.series(&named("x"), &[point(1, 1.0)], &[], &[], None);
            encoder.finish()
        };
        let answer = send(&server, version, &body).await;
        assert_eq!(answer.status, 503);
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert_eq!(answer.text(), "the disk is full: /data has 0 bytes left\n");
        let written = answer.header("x-prometheus-remote-write-written-samples");
        assert_eq!(written, (version == Version::V2).then_some("0"));
    }
}

#[tokio::test]
async fn a_request_of_many_samples_is_appended_in_batches() {
    let server = server(Setup { limits: Limits::default(), ..Setup::default() });
    let points: Vec<FloatPoint> = (0..45_000).map(|n| point(n, 1.0)).collect();
    let answer = send(&server, Version::V1, &v1(&[(named("many"), &points)])).await;
    assert_eq!(answer.status, 204, "{}", answer.text());
    assert_eq!(server.api.stats().samples_accepted, 45_000);
}

const OTLP: &str = r#"{"resourceMetrics":[{"resource":{"attributes":[
    {"key":"service.name","value":{"stringValue":"shop"}}]},
    "scopeMetrics":[{"metrics":[
        {"name":"http.requests","unit":"1","description":"Requests.","sum":{"isMonotonic":true,
            "aggregationTemporality":2,"dataPoints":[{"timeUnixNano":"60000000000","asInt":"7"}]}},
        {"name":"lost","sum":{"isMonotonic":true,
            "aggregationTemporality":1,"dataPoints":[{"timeUnixNano":"60000000000","asInt":"7"}]}}
    ]}]}]}"#;

async fn send_otlp(server: &Server, kind: &str, encoding: &str, body: Vec<u8>) -> Answer {
    let request = Request::post("/api/v1/otlp/v1/metrics")
        .header(header::CONTENT_TYPE, kind)
        .header(header::CONTENT_ENCODING, encoding)
        .body(Body::from(body));
    call(&server.router, request.expect("valid")).await
}

#[tokio::test]
async fn otlp_is_kept_but_for_what_cannot_be_translated() {
    let server = server(Setup::default());
    let answer = send_otlp(&server, "application/json", "", OTLP.into()).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(answer.text().contains("lost"), "{}", answer.text());
    assert_eq!(value_of(&server, "http_requests_total").await.as_deref(), Some("7"));
    assert_eq!(value_of(&server, "target_info").await, None, "only for what has more to tell");
}

#[tokio::test]
async fn otlp_is_answered_in_the_form_of_the_request() {
    let server = server(Setup::default());
    let good = OTLP.replace("\"aggregationTemporality\":1", "\"aggregationTemporality\":2");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, good.as_bytes()).expect("to memory");
    let zipped = encoder.finish().expect("to memory");
    let answer = send_otlp(&server, "application/json; charset=utf-8", "gzip", zipped).await;
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "{}"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let answer = send_otlp(&server, "application/x-protobuf", "", Vec::new()).await;
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, ""));
    let f = async |kind: &str, encoding: &str, body: &str, part: &str| {
        let answer = send_otlp(&server, kind, encoding, body.into()).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert!(answer.text().contains(part), "{}", answer.text());
    };
    f("text/plain", "", "", "unsupported content type: text/plain").await;
    f("application/json", "zstd", "", "unsupported compression: zstd").await;
    f("application/json", "gzip", "x", "gzip").await;
    f("application/json", "", "[", "json").await;
    f("application/x-protobuf", "", "\u{a}\u{7f}", "Metrics").await;
}

/// The next number of a fixed sequence that looks like noise.
fn noise(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[tokio::test]
async fn no_body_is_the_servers_fault() {
    let server = server(Setup::default());
    let mut encoder = EncoderV2::default();
    encoder.series(&named("x"), &[point(1, 1.0)], &[], &[], None);
    let seeds = [v1(&[(named("x"), &[point(1, 1.0)])]), encoder.finish(), OTLP.into(), vec![0; 40]];
    let mut state = 0x9e37_79b9_7f4a_7c15;
    for round in 0..200 {
        let mut body = seeds[round % seeds.len()].clone();
        // Flip, cut and repeat.
        for _ in 0..=noise(&mut state) % 4 {
            let at = usize::try_from(noise(&mut state)).expect("64 bits") % body.len();
            body[at] ^= 1 << (noise(&mut state) % 8);
        }
        let cut = usize::try_from(noise(&mut state)).expect("64 bits") % (2 * body.len());
        body.truncate(cut);
        for version in [Version::V1, Version::V2] {
            let status = send(&server, version, &body).await.status;
            assert!(status.as_u16() < 500, "{version:?} {body:?}");
        }
        for kind in ["application/json", "application/x-protobuf"] {
            let status = send_otlp(&server, kind, "", body.clone()).await.status;
            assert!(status.as_u16() < 500, "{kind} {body:?}");
        }
    }
    assert_eq!(server.api.stats().panics, 0);
}
