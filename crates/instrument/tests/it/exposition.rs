//! The page that a scraper gets: its formats, its compression, what is on it.

use std::io::Read;

use axum::Router;
use axum::routing::get;
use masthead_instrument::Telemetry;
use masthead_instrument::prometheus_client::encoding::EncodeLabelSet;
use masthead_instrument::prometheus_client::metrics::counter::Counter;
use masthead_instrument::prometheus_client::metrics::family::Family;
use masthead_instrument::prometheus_client::metrics::gauge::Gauge;
use masthead_instrument::prometheus_client::metrics::info::Info;
use masthead_instrument::prometheus_client::registry::Unit;

use crate::support::{Page, page, request, scrape, send};

#[tokio::test]
async fn the_page_has_the_build_the_process_and_the_buckets_that_were_asked_for() {
    let telemetry = Telemetry::builder("items-api", "1.2.3")
        .revision("a\"b\\c\nd")
        .duration_buckets([0.25, 0.5])
        .build();
    let app = Router::new().route("/", get(async || "hi")).layer(telemetry.layer());
    send(&app, request("GET", "/")).await;
    let page = scrape(&telemetry).await;
    let build = [("service", "items-api"), ("version", "1.2.3"), ("revision", "a\"b\\c\nd")];
    assert_eq!(page.value("build_info", &build), Some(1.0));
    assert_eq!(page.label_values("le").into_iter().filter(|le| le.starts_with("0.")).count(), 2);
    if cfg!(target_os = "linux") {
        for name in [
            "process_cpu_seconds_total",
            "process_resident_memory_bytes",
            "process_virtual_memory_bytes",
            "process_start_time_seconds",
            "process_open_fds",
            "process_max_fds",
        ] {
            assert!(page.value(name, &[]).is_some(), "{name}");
        }
    }
    assert_eq!(page.types["http_requests"], "counter");
    assert_eq!(page.types["http_request_duration_seconds"], "histogram");
    assert_eq!(page.types["http_requests_in_progress"], "gauge");
}

#[tokio::test]
async fn the_default_buckets_go_from_5_ms_to_10_s() {
    let telemetry = Telemetry::builder("test", "1").build();
    let app = Router::new().route("/", get(async || ())).layer(telemetry.layer());
    send(&app, request("GET", "/")).await;
    let page = scrape(&telemetry).await;
    let buckets = page.samples.iter().filter(|s| s.name == "http_request_duration_seconds_bucket");
    let bounds: Vec<_> = buckets.map(|s| s.labels["le"].as_str()).collect();
    let want =
        ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "10.0"];
    assert_eq!(bounds, [&want[..], &["+Inf"]].concat());
}

#[tokio::test]
async fn exemplars_carry_the_request_id_in_openmetrics_alone() {
    let telemetry = Telemetry::builder("test", "1").build();
    let app = Router::new().route("/", get(async || ())).layer(telemetry.layer());
    let with_id = async |id: &str| {
        let mut request = request("GET", "/");
        request.headers_mut().insert("x-request-id", id.parse().unwrap());
        assert_eq!(send(&app, request).await.headers()["x-request-id"], id);
    };
    with_id("caller\"7\\").await;
    // `scrape` reads both formats, and its reader refuses an exemplar in text.
    let exemplar = |page: &Page| {
        let found = page.samples.iter().find_map(|sample| sample.exemplar.clone());
        found.map(|(labels, _)| labels["request_id"].clone())
    };
    assert_eq!(exemplar(&scrape(&telemetry).await).as_deref(), Some("caller\"7\\"));
    // An id that OpenMetrics has no room for leaves the exemplar as it was.
    with_id(&"x".repeat(128)).await;
    assert_eq!(exemplar(&scrape(&telemetry).await).as_deref(), Some("caller\"7\\"));
}

#[tokio::test]
async fn registered_metrics_are_on_the_page_in_both_formats() {
    #[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
    struct Labels {
        query: String,
    }
    let telemetry = Telemetry::builder("test", "1").build();
    let created: Counter = Counter::default();
    let queries = Family::<Labels, Counter>::default();
    let kept = telemetry.register(|registry| {
        registry.register("items_created", "Items made", created.clone());
        registry.register("queries", "Queries", queries.clone());
        registry.register_with_unit("cache", "Cache size", Unit::Bytes, Gauge::<i64>::default());
        registry.register("edition", "Edition", Info::new([("name", "first")]));
        7
    });
    assert_eq!(kept, 7);
    created.inc_by(3);
    queries.get_or_create(&Labels { query: "a # {b=\"c\"} \\ \n".into() }).inc();
    let page = scrape(&telemetry).await;
    assert_eq!(page.value("items_created_total", &[]), Some(3.0));
    assert_eq!(page.value("queries_total", &[("query", "a # {b=\"c\"} \\ \n")]), Some(1.0));
    assert_eq!(page.value("cache_bytes", &[]), Some(0.0));
    assert_eq!(page.value("edition_info", &[("name", "first")]), Some(1.0));
}

#[tokio::test]
async fn the_format_and_the_compression_are_the_scrapers_choice() {
    let router = Telemetry::builder("test", "1").build().metrics_router();
    let ask = async |accept: &str, encoding: &str| {
        let mut request = request("GET", "/metrics");
        request.headers_mut().insert("accept", accept.parse().unwrap());
        request.headers_mut().insert("accept-encoding", encoding.parse().unwrap());
        send(&router, request).await
    };
    let text = ask("text/plain;version=0.0.4;q=0.9,application/openmetrics-text;q=0.1", "br").await;
    assert_eq!(text.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    assert!(text.headers().get("content-encoding").is_none());
    assert_eq!(text.headers()["vary"], "Accept, Accept-Encoding");

    let packed = ask("application/openmetrics-text;version=1.0.0", "gzip").await;
    assert_eq!(
        packed.headers()["content-type"],
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    let mut page = String::new();
    // The page is our own and small: it needs no cap.
    flate2::bufread::MultiGzDecoder::new(packed.body().as_slice())
        .read_to_string(&mut page)
        .unwrap();
    assert!(packed.body().len() < page.len() / 2);
    assert!(
        Page::parse(&page, page::Format::OpenMetrics).value("http_panics_total", &[]).is_some()
    );

    assert_eq!(send(&router, request("POST", "/metrics")).await.status(), 405);
    assert_eq!(send(&router, request("GET", "/")).await.status(), 404);
}
