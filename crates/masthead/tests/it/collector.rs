//! The collector as a process on a node in miniature: containers write, rotate, restart, appear and
//! vanish; the collector is killed at moments that a seed chooses; every line is in the store once.
#![expect(clippy::disallowed_methods, reason = "tests write files, read the clock and wait")]

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use rustix::process::{Signal, kill_process};

use crate::{
    forward::{eventually, free_address},
    process::{Masthead, masthead},
    serve::Server,
};

const KILLS: usize = 4;
/// Longer lines than this come in parts.
const PART_BYTES: usize = 120;

/// The logs of a node, and what was written to them.
struct Node {
    pods: PathBuf,
    random: fastrand::Rng,
    containers: Vec<Container>,
    made: u32,
    /// Every line, sorted.
    written: BTreeMap<String, u32>,
}

struct Container {
    directory: PathBuf,
    name: String,
    /// How often it was started again.
    restarts: u32,
    rotations: u32,
    file: File,
}

impl Container {
    fn path(&self) -> PathBuf {
        self.directory.join(format!("{}.log", self.restarts))
    }

    fn open(directory: &Path, restarts: u32) -> File {
        let path = directory.join(format!("{restarts}.log"));
        OpenOptions::new().create(true).append(true).open(path).unwrap()
    }
}

impl Node {
    fn new(pods: &Path, seed: u64) -> Self {
        let mut node = Self {
            pods: pods.to_owned(),
            random: fastrand::Rng::with_seed(seed),
            containers: Vec::new(),
            made: 0,
            written: BTreeMap::new(),
        };
        (0..3).for_each(|_| node.start_pod());
        node
    }

    fn start_pod(&mut self) {
        self.made += 1;
        let name = format!("pod-{}", self.made);
        let directory = self.pods.join(format!("shop_{name}_uid-{}/main", self.made));
        fs::create_dir_all(&directory).unwrap();
        // What was compressed before anybody looked is not read.
        fs::write(directory.join("0.log.20260101-000000.gz"), b"\x1f\x8b junk\n").unwrap();
        let file = Container::open(&directory, 0);
        self.containers.push(Container { directory, name, restarts: 0, rotations: 0, file });
    }

    /// Something happens.
    fn act(&mut self) {
        let at = self.random.usize(..self.containers.len());
        match self.random.u32(..100) {
            0..4 => self.rotate(at),
            4..6 => self.restart(at),
            6..7 if self.made < 8 => self.start_pod(),
            _ => self.write(at),
        }
    }

    /// As the kubelet rotates: the file gets another name, and a new one takes its place.
    fn rotate(&mut self, at: usize) {
        let container = &mut self.containers[at];
        // More rotated files than a kubelet keeps would be deleted, read or not.
        if container.rotations >= 4 {
            return;
        }
        container.rotations += 1;
        let path = container.path();
        let other = format!("{}.20260102-00000{}", path.display(), container.rotations);
        fs::rename(&path, other).unwrap();
        container.file = Container::open(&container.directory, container.restarts);
    }

    fn restart(&mut self, at: usize) {
        let container = &mut self.containers[at];
        if container.restarts < 2 {
            (container.restarts, container.rotations) = (container.restarts + 1, 0);
            container.file = Container::open(&container.directory, container.restarts);
        }
    }

    fn write(&mut self, at: usize) {
        let number = self.written.len();
        let long = self.random.u32(..10) == 0;
        let rest =
            "x".repeat(if long { self.random.usize(200..500) } else { self.random.usize(..60) });
        let container = &mut self.containers[at];
        let line = format!("{} line {number:06} {rest}", container.name);
        let mut bytes = Vec::new();
        let mut parts = line.as_bytes().chunks(PART_BYTES).peekable();
        while let Some(part) = parts.next() {
            let tag = if parts.peek().is_some() { 'P' } else { 'F' };
            write!(bytes, "{} stdout {tag} ", jiff::Timestamp::now()).unwrap();
            bytes.extend_from_slice(part);
            bytes.push(b'\n');
        }
        // In two writes now and then, so that the collector sees half a line.
        let half = if self.random.bool() { bytes.len() / 2 } else { bytes.len() };
        container.file.write_all(&bytes[..half]).unwrap();
        container.file.write_all(&bytes[half..]).unwrap();
        *self.written.entry(line).or_default() += 1;
    }

    /// Pods whose logs were collected vanish with their directories.
    fn remove_one(&mut self) {
        let container = self.containers.remove(0);
        fs::remove_dir_all(container.directory.parent().unwrap()).unwrap();
    }
}

/// A node on which things happen until it is told to stop.
struct Busy {
    node: Arc<Mutex<Node>>,
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Busy {
    fn start(node: Node) -> Self {
        let (node, stop) = (Arc::new(Mutex::new(node)), Arc::new(AtomicBool::new(false)));
        let (acting, stopping) = (Arc::clone(&node), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            while !stopping.load(Ordering::SeqCst) {
                acting.lock().unwrap().act();
                thread::sleep(Duration::from_millis(2));
            }
        });
        Self { node, stop, thread: Some(thread) }
    }

    fn end(mut self) -> Node {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.take().unwrap().join().unwrap();
        Arc::into_inner(self.node).unwrap().into_inner().unwrap()
    }
}

/// Every line of the node that the store has, and how often.
fn stored(server: &Server) -> BTreeMap<String, u32> {
    let url = format!("http://{}", server.address);
    let args =
        ["logs", r#"{namespace="shop"}"#, "--url", &url, "--limit", "5000", "--format", "raw"];
    let (code, stdout, stderr) = masthead(&args).finish();
    assert_eq!(code, Some(0), "{stderr}");
    let mut lines = BTreeMap::new();
    for line in stdout.lines() {
        *lines.entry(line.to_owned()).or_default() += 1;
    }
    lines
}

/// Waits until all lines are there, and checks that they are there once.
fn check(server: &Server, node: &Node) {
    assert!(node.written.len() > 200 && node.written.len() < 5_000, "{}", node.written.len());
    let mut last = BTreeMap::new();
    eventually("every line", || {
        last = stored(server);
        last.len() >= node.written.len()
    });
    let differs = |(line, count): &(&String, &u32)| last.get(*line) != Some(*count);
    let wrong: Vec<_> = node.written.iter().filter(differs).take(5).collect();
    assert!(wrong.is_empty(), "not there once: {wrong:?}");
    assert_eq!(last.len(), node.written.len());
}

/// Kills a collector that has handed something over. From then on it is known since when lines are
/// collected; what was rotated before that is history, however slow the machine is.
fn has_begun(server: Server) {
    let never = "masthead_tail_last_append_success_timestamp_seconds 0\n";
    eventually("the first hand-over", || !server.get("/metrics").1.contains(never));
    assert_eq!(server.stop(Signal::KILL), None);
}

#[test]
fn every_line_of_a_node_is_stored_once_though_the_collector_is_killed() {
    let (node, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let pods = node.path().to_str().unwrap();
    let args = ["--pods-log-dir", pods, "--no-host", "--no-self"];
    let mut random = fastrand::Rng::with_seed(7);
    let logs = Node::new(node.path(), 17);
    has_begun(Server::start_with(data.path(), &args));
    let busy = Busy::start(logs);
    for _ in 0..KILLS {
        let server = Server::start_with(data.path(), &args);
        thread::sleep(Duration::from_millis(random.u64(20..400)));
        kill_process(server.process.id(), Signal::KILL).unwrap();
        assert_eq!(server.process.finish().0, None);
        // Things go on while nobody collects.
        thread::sleep(Duration::from_millis(random.u64(..100)));
    }
    let server = Server::start_with(data.path(), &args);
    thread::sleep(Duration::from_millis(300));
    let mut node = busy.end();
    check(&server, &node);
    let (_, series) = server.get("/loki/api/v1/series?match=%7Bcontainer%3D%22main%22%7D");
    for label in [r#""pod":"pod-1""#, r#""job":"shop/"#, r#""stream":"stdout""#, "filename"] {
        assert!(series.contains(label), "{label} in {series}");
    }
    // A pod that vanishes takes nothing with it.
    node.remove_one();
    node.start_pod();
    let last = node.containers.len() - 1;
    (0..20).for_each(|_| node.write(last));
    check(&server, &node);
    assert_eq!(server.stop(Signal::TERM), Some(0));
}

/// A collector without a store, on any port.
fn collect(data: &Path, extra: &[&str]) -> Server {
    let data = data.to_str().unwrap();
    let args = ["collect", "--data", data, "--listen", "127.0.0.1:0", "--no-host"];
    Server::launch(&[&args[..], extra].concat())
}

#[test]
fn every_line_of_a_node_reaches_the_other_end_once_though_both_ends_are_killed() {
    let (node, here) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let there = tempfile::tempdir().unwrap();
    let address = free_address();
    let url = format!("http://{address}/loki/api/v1/push");
    let pods = node.path().to_str().unwrap();
    let args =
        ["--pods-log-dir", pods, "--loki", &url, "--no-self", "--external-label", "cluster=c1"];
    let serve = || Server::start_at(&address, there.path(), &["--no-host", "--no-self"]);
    let mut random = fastrand::Rng::with_seed(11);
    let logs = Node::new(node.path(), 23);
    has_begun(collect(here.path(), &args));
    let busy = Busy::start(logs);
    let mut other = None;
    for round in 0..KILLS {
        // Rotations and restarts happen with the other end away, and with it there.
        if round % 2 == 1 {
            other = Some(serve());
        }
        let collector = collect(here.path(), &args);
        thread::sleep(Duration::from_millis(random.u64(20..400)));
        kill_process(collector.process.id(), Signal::KILL).unwrap();
        assert_eq!(collector.process.finish().0, None);
        if let Some(other) = other.take() {
            assert_eq!(other.stop(Signal::KILL), None);
        }
    }
    let collector = collect(here.path(), &args);
    thread::sleep(Duration::from_millis(300));
    let node = busy.end();
    let other = serve();
    check(&other, &node);
    let (_, series) = other.get("/loki/api/v1/series?match=%7Bcontainer%3D%22main%22%7D");
    assert!(series.contains(r#""cluster":"c1""#), "{series}");
    let (_, metrics) = collector.get("/metrics");
    assert!(metrics.contains("masthead_forward_lines_sent_total{client=\""), "{metrics}");
    assert!(!metrics.contains("masthead_forward_lines_lost_total{"), "{metrics}");
    assert_eq!(collector.stop(Signal::TERM), Some(0));
}

#[test]
fn a_collector_scrapes_and_forwards_and_keeps_nothing() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let other = Server::start_with(there.path(), &["--no-host", "--no-self"]);
    let file = here.path().join("masthead.yaml");
    let text = format!(
        "data: data
listen: {{address: '127.0.0.1:0'}}
observe: {{host: false}}
metrics:
  global: {{scrape_interval: 250ms, external_labels: {{zone: z1, cluster: file}}}}
  remote_write:
  - url: http://{}/api/v1/write
    queue_config: {{batch_send_deadline: 50ms}}
",
        other.address()
    );
    fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let collector =
        Server::launch(&["collect", "--config", file, "--external-label", "cluster=flag"]);
    let up = "count(up{job=\"masthead\", zone=\"z1\", cluster=\"flag\"}) or vector(0)";
    eventually("its own metrics at the other end", || other.number(up) == "1");
    let (status, targets) = collector.get("/api/v1/targets");
    assert!(status == 200 && targets.contains("\"health\":\"up\""), "{targets}");
    assert_eq!(collector.get("/-/ready").0, 200);
    let (status, answer) = collector.get("/api/v1/query?query=up");
    assert!(status >= 400 && answer.contains("keeps no samples"), "{answer}");
    // What is pushed to it goes the same way.
    assert!(collector.push(&[(1, crate::serve::now(), 1.0)]));
    eventually("what was pushed", || {
        other.number("count(counter{zone=\"z1\"}) or vector(0)") == "1"
    });
    assert_eq!(collector.stop(Signal::TERM), Some(0));
    assert!(!here.path().join("data/metrics").exists() && !here.path().join("data/logs").exists());
}

#[test]
fn a_collector_that_sends_nowhere_does_not_start() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path().to_str().unwrap();
    let f = |more: &[&str], want: &str| {
        let args = [&["collect", "--listen", "127.0.0.1:0", "--data", data][..], more].concat();
        let (code, _, stderr) = masthead(&args).finish();
        assert_eq!(code, Some(2), "{stderr}");
        assert!(stderr.contains(want), "{stderr}");
    };
    f(&[], "nothing to send to");
    f(&["--remote-write", "ftp://x"], "--remote-write");
    f(&["--loki", "nowhere"], "--loki");
    f(&["--external-label", "cluster"], "write it like cluster=eu-1");
}

/// A program that speaks as `journalctl` does, of as many entries as the file `count` says.
fn journalctl(directory: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let base = crate::serve::now() * 1_000;
    let script = format!(
        r#"#!/bin/sh
echo "$@" >> {dir}/asked
after=0
for word in "$@"; do
  case "$word" in --after-cursor=c*) after=${{word#--after-cursor=c}};; esac
done
n=0
while [ $n -lt $(cat {dir}/count) ]; do
  n=$((n + 1))
  if [ $n -gt $after ]; then
    echo "{{\"__CURSOR\":\"c$n\",\"__REALTIME_TIMESTAMP\":\"$(({base} + n))\",\"MESSAGE\":\"entry $n\",\"PRIORITY\":\"3\",\"_SYSTEMD_UNIT\":\"a.service\"}}"
  fi
done
exec sleep 5
"#,
        dir = directory.display()
    );
    let path = directory.join("journalctl");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn the_journal_of_the_system_is_read_and_goes_on_behind_the_last_line() {
    let (directory, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let dir = directory.path();
    journalctl(dir);
    let config = dir.join("promtail.yaml");
    let text = "scrape_configs:
- job_name: system
  journal: {max_age: 1h, labels: {job: journal}, matches: _TRANSPORT=syslog}
  relabel_configs:
  - {source_labels: [__journal__systemd_unit], target_label: unit}
  - {source_labels: [__journal_priority_keyword], target_label: level}
";
    fs::write(&config, text).unwrap();
    let start = || {
        let data = data.path().to_str().unwrap();
        let mut command = Masthead::command(&[
            "serve",
            "--data",
            data,
            "--listen",
            "127.0.0.1:0",
            "--no-host",
            "--no-self",
            "--prometheus-listen",
            "off",
            "--loki-listen",
            "off",
            "--promtail-config",
            config.to_str().unwrap(),
        ]);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let paths = [dir.to_owned()].into_iter().chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(paths).unwrap());
        Server::of(Masthead::start(command))
    };
    let lines = |server: &Server| {
        let url = format!("http://{}", server.address);
        let query = r#"{job="journal", unit="a.service", level="error"}"#;
        let args = ["logs", query, "--url", &url, "--format", "raw", "--forward"];
        masthead(&args).finish().1
    };
    fs::write(dir.join("count"), "3").unwrap();
    let server = start();
    eventually("three entries", || lines(&server) == "entry 1\nentry 2\nentry 3\n");
    kill_process(server.process.id(), Signal::KILL).unwrap();
    server.process.finish();
    fs::write(dir.join("count"), "5").unwrap();
    let server = start();
    let all = "entry 1\nentry 2\nentry 3\nentry 4\nentry 5\n";
    eventually("five entries", || lines(&server) == all);
    let asked = fs::read_to_string(dir.join("asked")).unwrap();
    let asked: Vec<_> = asked.lines().collect();
    assert!(
        asked[0].contains("--since=@") && asked[0].ends_with(" _TRANSPORT=syslog"),
        "{asked:?}"
    );
    assert!(asked[1].contains("--after-cursor=c3"), "{asked:?}");
    assert_eq!(server.stop(Signal::TERM), Some(0));
}
