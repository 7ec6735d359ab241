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

use crate::{forward::eventually, process::masthead, serve::Server};

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

#[test]
fn every_line_of_a_node_is_stored_once_though_the_collector_is_killed() {
    let (node, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let pods = node.path().to_str().unwrap();
    let args = ["--pods-log-dir", pods, "--no-host", "--no-self"];
    let mut random = fastrand::Rng::with_seed(7);
    let busy = Busy::start(Node::new(node.path(), 17));
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
