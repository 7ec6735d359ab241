//! `remote_write`: what a server acknowledged reaches the other end, through kills and outages of
//! both.
#![expect(clippy::disallowed_methods, reason = "tests write files, read the clock and wait")]

use std::{
    net::TcpListener,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Signal, kill_process};

use crate::serve::{Server, now};

/// The longest that anything here is waited for.
const TIME_MAX: Duration = Duration::from_mins(1);

/// A prometheus.yml that scrapes nothing and forwards to `url`; its path.
pub(crate) fn forwarding(directory: &Path, url: &str, more: &str) -> String {
    let path = directory.join("forward.yml");
    let text = format!(
        "global: {{external_labels: {{cluster: c1}}}}
remote_write:
- url: {url}
  name: other
  {more}
  queue_config: {{batch_send_deadline: 50ms, max_samples_per_send: 50, max_backoff: 200ms}}
"
    );
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// An address that is free now.
pub(crate) fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// Waits until `done`, however loaded the machine is.
pub(crate) fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + TIME_MAX;
    while !done() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

const ALONE: [&str; 2] = ["--no-host", "--no-self"];

fn sender(data: &Path, config: &str) -> Server {
    let args = [&ALONE[..], &["--prometheus-config", config, "--web.enable-lifecycle"]].concat();
    Server::start_with(data, &args)
}

fn receiver(data: &Path, address: &str) -> Server {
    Server::start_at(address, data, &ALONE)
}

#[test]
fn what_was_acknowledged_reaches_the_other_end_through_kills_and_outages() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let address = free_address();
    let url = format!("http://{address}/api/v1/write");
    let more = "protobuf_message: io.prometheus.write.v2.Request";
    let config = forwarding(here.path(), &url, more);
    let data = here.path().join("data");
    let mut acknowledged = 0_u32;
    for round in 0..4_u32 {
        // The other end is there in every second round, and killed at the end of it.
        let other = (round % 2 == 1).then(|| receiver(there.path(), &address));
        let server = sender(&data, &config);
        let id = server.process.id();
        let killer = thread::spawn(move || {
            thread::sleep(Duration::from_millis(150 + u64::from(round) * 70));
            kill_process(id, Signal::KILL).unwrap();
        });
        // One series a sample, so that counting series counts samples. The last one may be there
        // without having been acknowledged.
        while server.push(&[(acknowledged, now(), 1.0)]) {
            acknowledged += 1;
        }
        killer.join().unwrap();
        assert_eq!(server.process.finish().0, None);
        if let Some(other) = other {
            assert_eq!(other.stop(Signal::KILL), None);
        }
    }
    let other = receiver(there.path(), &address);
    let server = sender(&data, &config);
    // One more, which nobody kills.
    assert!(server.push(&[(acknowledged, now(), 1.0)]));
    acknowledged += 1;
    let count = "count(counter{cluster=\"c1\"}) or vector(0)";
    eventually("all samples at the other end", || other.number(count) == acknowledged.to_string());
    assert_eq!(other.number("count(counter{cluster=\"\"}) or vector(0)"), "0");
    let (_, metrics) = server.get("/metrics");
    assert!(
        metrics.contains("masthead_remote_write_samples_waiting{remote=\"other\"}"),
        "{metrics}"
    );
    assert!(!metrics.contains("masthead_remote_write_samples_lost_total{"), "{metrics}");
    assert_eq!(server.stop(Signal::TERM), Some(0));
}

#[test]
fn a_reload_changes_where_samples_go_and_what_is_wrong_changes_nothing() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let address = free_address();
    let url = format!("http://{address}/api/v1/write");
    let other = receiver(there.path(), &address);
    let config = forwarding(here.path(), &url, "");
    let server = sender(&here.path().join("data"), &config);
    let reload = |server: &Server| server.ask("POST /-/reload HTTP/1.1", b"").unwrap();
    let there = |count: &str| other.number("count(counter) or vector(0)") == count;

    assert!(server.push(&[(1, now(), 1.0)]));
    eventually("the first sample", || there("1"));
    forwarding(here.path(), &url, "headers: {Host: elsewhere}");
    let (status, answer) = reload(&server);
    assert!(status == 500 && answer.contains("Host is a reserved header"), "{answer}");
    assert!(server.push(&[(2, now(), 1.0)]));
    eventually("the second sample", || there("2"));
    forwarding(
        here.path(),
        &url,
        "write_relabel_configs: [{action: drop, source_labels: [n], regex: '3'}]",
    );
    assert_eq!(reload(&server).0, 200);
    assert!(server.push(&[(3, now(), 1.0), (4, now(), 1.0)]));
    eventually("the fourth sample", || there("3"));
    assert_eq!(other.number("count(counter{n=\"3\"}) or vector(0)"), "0");
    std::fs::write(&config, "global: {}\n").unwrap();
    assert_eq!(reload(&server).0, 200);
    assert!(server.push(&[(5, now(), 1.0)]));
    assert_eq!(server.number("count(counter)"), "5");
    assert_eq!(other.number("count(counter)"), "3");
    assert_eq!(server.stop(Signal::TERM), Some(0));
}
