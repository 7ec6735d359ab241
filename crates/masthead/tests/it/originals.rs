//! Masthead beside the originals, where they are installed: a real `node_exporter` is scraped and
//! compared with our own collector, `promtool` reads us, and a real Prometheus reads from us.
//!
//! Debian's packages `prometheus` and `prometheus-node-exporter` have the programs. Without one of
//! them its tests say so and pass; CI installs both.
#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]
#![expect(clippy::disallowed_methods, reason = "tests write files and wait")]

use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::{
    forward::eventually,
    process::{masthead, soon},
    serve::{Server, now},
    targets::{Histograms, config},
};

/// Families of collectors that we do not have, or that only other versions have
/// (`docs/reference/host-metrics.md`).
const NOT_OURS: &[&str] = &[
    "node_bcache_",
    "node_btrfs_",
    "node_disk_", // Of zram and ram devices; block devices have their own test below.
    "node_exporter_build_info",
    "node_fibrechannel_",
    "node_infiniband_",
    "node_ipvs_",
    "node_scrape_collector_",
    "node_tape_",
    "node_textfile_",
    "node_time_zone_offset_seconds",
    "node_xfs_",
    "node_zfs_",
];

/// A program of somebody else; dropping it kills it.
struct Original(Child);

impl Drop for Original {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The first of `names` on the search path.
fn find(names: &[&str]) -> Option<String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories: Vec<_> = std::env::split_paths(&path).collect();
    let found = names.iter().find(|name| directories.iter().any(|dir| dir.join(name).is_file()));
    if found.is_none() {
        eprintln!("skipped: no {} on the search path", names.join(" or "));
    }
    found.map(|name| (*name).to_owned())
}

/// Starts a program that is told where to listen. The port is free when it is chosen; should
/// somebody else take it meanwhile, another is tried.
fn start(program: &str, arguments: impl Fn(SocketAddr) -> Vec<String>) -> (Original, SocketAddr) {
    for _ in 0..5 {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let child = Command::new(program)
            .args(arguments(address))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut original = Original(child);
        let listens = soon(|| {
            std::net::TcpStream::connect(address).is_ok()
                || original.0.try_wait().unwrap().is_some()
        });
        if listens && original.0.try_wait().unwrap().is_none() {
            return (original, address);
        }
    }
    panic!("{program} does not start");
}

/// The data of an answer.
fn data(server: &Server, path: &str) -> Value {
    let (status, answer) = server.get(path);
    assert_eq!(status, 200, "{answer}");
    body(&answer)["data"].take()
}

fn body(answer: &str) -> Value {
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    // A short answer has its length, a long one comes in chunks.
    let json: String = if answer.to_lowercase().contains("transfer-encoding: chunked") {
        body.split("\r\n").skip(1).step_by(2).collect()
    } else {
        body.to_owned()
    };
    serde_json::from_str(&json).unwrap()
}

fn families(server: &Server, job: &str) -> BTreeMap<String, String> {
    let query = format!("match_target=%7Bjob%3D%22{job}%22%7D");
    let told = data(server, &format!("/api/v1/targets/metadata?{query}"));
    let text = |family: &Value, key: &str| family[key].as_str().unwrap().to_owned();
    let told = told.as_array().unwrap().iter();
    told.map(|family| (text(family, "metric"), text(family, "type")))
        .filter(|(name, _)| name.starts_with("node_"))
        .collect()
}

#[test]
fn our_host_metrics_are_those_of_a_real_node_exporter() {
    let Some(program) = find(&["prometheus-node-exporter", "node_exporter"]) else { return };
    let (_original, address) =
        start(&program, |address| vec![format!("--web.listen-address={address}")]);
    let directory = tempfile::tempdir().unwrap();
    let file = config(directory.path(), "original", &address.to_string(), "");
    let server =
        Server::start_with(&directory.path().join("data"), &["--prometheus-config", &file]);
    let up = |job: &str| {
        soon(|| server.number(&format!("sum(up{{job=\"{job}\"}}) or vector(0)")) == "1")
    };
    assert!(up("original") && up("node"));

    let (theirs, ours) = (families(&server, "original"), families(&server, "node"));
    assert!(theirs.len() > 100 && ours.len() > 100, "{} and {}", theirs.len(), ours.len());
    let lacking: Vec<&String> = theirs
        .keys()
        .filter(|name| !ours.contains_key(*name))
        .filter(|name| !NOT_OURS.iter().any(|prefix| name.starts_with(prefix)))
        .collect();
    assert!(lacking.is_empty(), "families that only node_exporter has: {lacking:?}");
    let other: Vec<_> = theirs
        .iter()
        .filter_map(|(name, theirs)| Some((name, theirs, ours.get(name)?)))
        .filter(|(_, theirs, ours)| theirs != ours)
        .collect();
    assert!(other.is_empty(), "families of another type: {other:?}");

    // Label sets that every machine has, both ways; then numbers that do not move.
    for (metric, labels) in [
        ("node_cpu_seconds_total", "cpu, mode"),
        ("node_uname_info", "machine, nodename, release, sysname, version"),
        ("node_network_mtu_bytes", "device"),
        ("node_os_info", "id, version_id"),
    ] {
        for (one, other) in [("original", "node"), ("node", "original")] {
            let query = format!(
                "count({metric}{{job=\"{one}\"}} unless on ({labels}) {metric}{{job=\"{other}\"}}) or vector(0)"
            );
            assert_eq!(server.number(&query), "0", "{query}");
        }
    }
    for metric in ["node_memory_MemTotal_bytes", "node_boot_time_seconds", "node_filefd_maximum"] {
        let query = format!("{metric}{{job=\"original\"}} - on () {metric}{{job=\"node\"}}");
        assert_eq!(server.number(&query), "0", "{query}");
    }
}

/// Of `prometheus, version 3.14.0 (…`; 0 for a version that is not told.
fn major_version(program: &str) -> u32 {
    let output = Command::new(program).arg("--version").output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let version = text.split("version ").nth(1).and_then(|rest| rest.split('.').next());
    version.and_then(|major| major.parse().ok()).unwrap_or(0)
}

#[test]
fn promtool_reads_masthead() {
    let Some(promtool) = find(&["promtool"]) else { return };
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start_with(directory.path(), &["--no-host", "--no-self"]);
    let end = now();
    assert!(server.push(&[(1, end - 60_000, 1.0), (1, end - 30_000, 2.0), (2, end - 30_000, 5.0)]));
    let url = format!("http://{}", server.address());
    let f = |arguments: &[&str], wanted: &[&str]| {
        let output = Command::new(&promtool).arg("query").args(arguments).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {text}{error}");
        for word in wanted {
            assert!(text.contains(word), "{arguments:?}: {word} in {text}");
        }
    };
    f(&["instant", &url, "sum(counter)"], &["{} => 7 @["]);
    let start = format!("--start={}", (end - 120_000) / 1000);
    let stop = format!("--end={}", end / 1000 + 1);
    f(&["range", &start, &stop, "--step=15s", &url, "counter"], &[r#"counter{n="1"} =>"#, "2 @["]);
    f(
        &["series", &start, &stop, "--match=counter", &url],
        &[r#"{__name__="counter", n="1"}"#, "n=\"2\""],
    );
    f(&["labels", &start, &stop, &url, "n"], &["1", "2"]);
}

#[test]
fn a_real_prometheus_reads_floats_and_histograms_from_masthead() {
    let Some(program) = find(&["prometheus"]) else { return };
    let directory = tempfile::tempdir().unwrap();
    let target = Histograms::start();
    let file =
        config(directory.path(), "api", &target.address, "  scrape_native_histograms: true\n");
    let server = Server::start_with(
        &directory.path().join("data"),
        &["--prometheus-config", &file, "--no-host", "--no-self"],
    );
    assert!(soon(
        || server.number("count(last_over_time(latency_seconds[1m])) or vector(0)") == "1"
    ));
    assert!(server.push(&[(1, now() - 2_000, 1.5), (1, now() - 1_000, 2.5)]));

    let reading = directory.path().join("reading.yml");
    let remote = format!("http://{}/api/v1/read", server.address());
    std::fs::write(&reading, format!("remote_read: [{{url: '{remote}', read_recent: true}}]\n"))
        .unwrap();
    let (_original, address) = start(&program, |address| {
        vec![
            format!("--config.file={}", reading.display()),
            format!("--storage.tsdb.path={}", directory.path().join("prometheus").display()),
            format!("--web.listen-address={address}"),
            "--enable-feature=native-histograms".to_owned(),
        ]
    });
    let asked = |query: &str, at: i64| {
        let ask = |address: SocketAddr| {
            let url = format!("http://{address}");
            let time = format!("{}.{:03}", at / 1000, at % 1000);
            let arguments = ["query", query, "--url", &url, "--time", &time, "--format", "json"];
            crate::process::masthead(&arguments).finish()
        };
        let (theirs, ours) = (ask(address), ask(server.address()));
        assert_eq!(ours.0, Some(0), "{}", ours.2);
        let result = |text: &str| {
            let mut answer: Value = serde_json::from_str(text).unwrap();
            answer["data"]["result"].take()
        };
        (theirs.0 == Some(0)).then(|| (result(&theirs.1), result(&ours.1)))
    };
    // It says that it is ready only once it has replayed its own journal.
    let at = now();
    assert!(soon(|| asked("vector(1)", at).is_some()));
    let floats = ["counter", "max_over_time(counter[10m])", "count_over_time(counter[10m])"];
    let histograms = [
        "histogram_count(latency_seconds)",
        "histogram_sum(latency_seconds)",
        "histogram_quantile(0.9, latency_seconds)",
    ];
    // Version 2 passes over histograms that it reads from elsewhere.
    let reads_histograms = major_version(&program) >= 3;
    let histograms = histograms.iter().filter(|_| reads_histograms);
    for query in floats.iter().chain(histograms) {
        let (theirs, ours) = asked(query, at).unwrap();
        assert_eq!(theirs, ours, "{query}");
        assert_eq!(ours.as_array().map(Vec::len), Some(1), "{query}: {ours}");
    }
}

#[test]
fn a_real_prometheus_receives_what_masthead_forwards() {
    let Some(program) = find(&["prometheus"]) else { return };
    let directory = tempfile::tempdir().unwrap();
    let empty = directory.path().join("empty.yml");
    std::fs::write(&empty, "global: {}\n").unwrap();
    let (_original, address) = start(&program, |address| {
        vec![
            format!("--config.file={}", empty.display()),
            format!("--storage.tsdb.path={}", directory.path().join("prometheus").display()),
            format!("--web.listen-address={address}"),
            "--web.enable-remote-write-receiver".to_owned(),
            "--enable-feature=native-histograms".to_owned(),
        ]
    });
    let target = Histograms::start();
    let file =
        config(directory.path(), "api", &target.address, "  scrape_native_histograms: true\n");
    // Version 2 of the protocol is for Prometheus 3; an older one is found out and gets version 1.
    let text = format!(
        "{}remote_write:\n- url: http://{address}/api/v1/write\n  send_native_histograms: true\n  protobuf_message: io.prometheus.write.v2.Request\n  queue_config: {{batch_send_deadline: 50ms}}\n",
        std::fs::read_to_string(&file).unwrap(),
    );
    std::fs::write(&file, text).unwrap();
    let server = Server::start_with(
        &directory.path().join("data"),
        &["--prometheus-config", &file, "--no-host", "--no-self"],
    );
    assert!(server.push(&[(1, now() - 2_000, 1.5), (1, now() - 1_000, 2.5)]));
    let asked = |query: &str| {
        let url = format!("http://{address}");
        let (code, stdout, _) = masthead(&["query", query, "--url", &url]).finish();
        (code == Some(0)).then(|| stdout.split_whitespace().next().unwrap_or("").to_owned())
    };
    eventually("two floats", || asked("count_over_time(counter[5m])").as_deref() == Some("2"));
    assert_eq!(asked("counter").as_deref(), Some("2.5"));
    let histograms = "count(histogram_count(latency_seconds)) or vector(0)";
    eventually("a native histogram", || asked(histograms).as_deref() == Some("1"));
    eventually("the scrape's own", || asked("up{job=\"api\"}").as_deref() == Some("1"));
}
