//! Targets of all kinds, scraped for real: native histograms over protobuf, and the items API.
#![expect(clippy::disallowed_methods, reason = "tests write files and wait")]

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use crate::{
    demo::{address, demo},
    process::{masthead, soon},
    serve::Server,
};

/// A configuration that scrapes one target often; the path of its file.
pub(crate) fn config(directory: &Path, job: &str, target: &str, more: &str) -> String {
    let path = directory.join("scrape.yml");
    let text = format!(
        "global: {{scrape_interval: 250ms, scrape_timeout: 250ms}}\nscrape_configs:\n- job_name: {job}\n{more}  static_configs: [{{targets: ['{target}']}}]\n"
    );
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A target that answers delimited protobuf with one native histogram, ten observations more at
/// each scrape.
pub(crate) struct Histograms {
    pub(crate) address: String,
    /// What the last scraper said that it accepts.
    accepted: Arc<Mutex<String>>,
}

impl Histograms {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let accepted = Arc::new(Mutex::new(String::new()));
        let (scrapes, heard) = (AtomicU64::new(0), Arc::clone(&accepted));
        // Ends with the process of the test.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                let Ok(copy) = stream.try_clone() else { continue };
                let mut lines = BufReader::new(copy).lines();
                while let Some(Ok(line)) = lines.next() {
                    if line.is_empty() {
                        let body = family(scrapes.fetch_add(1, Ordering::Relaxed) + 1);
                        let head = format!(
                            "HTTP/1.1 200 OK\r\ncontent-type: application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited\r\ncontent-length: {}\r\n\r\n",
                            body.len()
                        );
                        if stream.write_all(&[head.as_bytes(), &body].concat()).is_err() {
                            break;
                        }
                    } else if let Some(value) = line.to_lowercase().strip_prefix("accept:") {
                        value.trim().clone_into(&mut heard.lock().unwrap());
                    }
                }
            }
        });
        Self { address, accepted }
    }
}

/// `latency_seconds` after `n` scrapes: of every ten observations, two in (0.5, 1], five in (1, 2],
/// three in (2, 4].
fn family(n: u64) -> Vec<u8> {
    let histogram = message(&[
        varint(1, 10 * n),
        double(2, 17.5 * f64::from(u32::try_from(n).unwrap())),
        varint(5, 0), // The schema: each bucket twice the one before.
        double(6, 0.001),
        varint(7, 0),
        // Three buckets from index 0 on, each as the difference to the one before.
        nested(12, &message(&[varint(1, 0), varint(2, 3)])),
        nested(13, &[4 * n, 6 * n, 4 * n - 1].map(bare).concat()),
    ]);
    let label = message(&[nested(1, b"path"), nested(2, b"/items")]);
    let metric = message(&[nested(1, &label), nested(7, &histogram)]);
    let family = message(&[
        nested(1, b"latency_seconds"),
        nested(2, b"How long it took."),
        varint(3, 4),
        nested(4, &metric),
    ]);
    [bare(family.len() as u64), family].concat()
}

fn message(fields: &[Vec<u8>]) -> Vec<u8> {
    fields.concat()
}

fn bare(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push((value & 0x7f) as u8);
    bytes
}

fn varint(field: u64, value: u64) -> Vec<u8> {
    [bare(field << 3), bare(value)].concat()
}

fn double(field: u64, value: f64) -> Vec<u8> {
    [bare(field << 3 | 1), value.to_le_bytes().to_vec()].concat()
}

fn nested(field: u64, bytes: &[u8]) -> Vec<u8> {
    [bare(field << 3 | 2), bare(bytes.len() as u64), bytes.to_vec()].concat()
}

#[test]
fn native_histograms_are_scraped_over_protobuf_and_queried() {
    let directory = tempfile::tempdir().unwrap();
    let target = Histograms::start();
    let file =
        config(directory.path(), "api", &target.address, "  scrape_native_histograms: true\n");
    let server = Server::start_with(
        &directory.path().join("data"),
        &["--prometheus-config", &file, "--no-host", "--no-self"],
    );
    let count = "histogram_count(latency_seconds{path=\"/items\"}) > 20";
    assert!(soon(|| server.number(&format!("count({count}) or vector(0)")) == "1"));
    let accepted = target.accepted.lock().unwrap().clone();
    assert!(accepted.starts_with("application/vnd.google.protobuf"), "{accepted}");
    // 0.2 of the observations are at most 1, 0.7 at most 2. The scheme is exponential, so halfway
    // through a bucket is the mean of its bounds' logarithms.
    let near = |query: &str, want: f64| {
        let got: f64 = server.number(query).parse().unwrap();
        assert!((got - want).abs() < 1e-9, "{query}: {got}, not {want}");
    };
    near("histogram_quantile(0.2, latency_seconds)", 1.0);
    near("histogram_quantile(0.45, latency_seconds)", 2.0_f64.sqrt());
    near("histogram_quantile(0.7, rate(latency_seconds[1m]))", 2.0);
    near("histogram_fraction(0, 2, latency_seconds)", 0.7);
    near("histogram_avg(latency_seconds)", 1.75);
    let (_, metadata) = server.get("/api/v1/metadata?metric=latency_seconds");
    assert!(metadata.contains("\"type\":\"histogram\""), "{metadata}");
}

#[test]
fn the_items_api_is_scraped_and_asked_about() {
    let directory = tempfile::tempdir().unwrap();
    let mut traffic = demo(&["--for", "1m", "--rate", "50/s", "--seed", "5"]);
    let metrics = address(&mut traffic, "Metrics");
    let file = config(directory.path(), "items-api", &metrics.to_string(), "");
    let server = Server::start_with(
        &directory.path().join("data"),
        &["--prometheus-config", &file, "--no-host", "--no-self"],
    );
    let asked = |query: &str| {
        let url = format!("http://{}", server.address());
        let (code, stdout, stderr) = masthead(&["query", query, "--url", &url]).finish();
        assert_eq!(code, Some(0), "{stderr}");
        stdout
    };
    let rate = "sum by (handler) (rate(http_requests_total[1m])) > 0";
    assert!(soon(|| asked(rate).contains("/items")), "{}", asked("{job=\"items-api\"}"));
    let slowest =
        "histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[1m])))";
    let seconds: f64 = asked(slowest).split_whitespace().next().unwrap().parse().unwrap();
    assert!(seconds > 0.0, "{seconds}");
    assert_eq!(server.number("up{job=\"items-api\"}"), "1");
}
