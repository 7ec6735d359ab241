//! The real process: started on free loopback ports, its log lines captured, stopped by its pid.

use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, sync_channel},
    thread::JoinHandle,
    time::Duration,
};

/// Longest wait for a line of the log, and for anything else a process does.
const PATIENCE: Duration = Duration::from_secs(15);
/// Most lines kept unread; a test makes a few dozen.
const LINES_MAX: usize = 10_000;

pub(crate) struct Service {
    child: Child,
    lines: Receiver<String>,
    reader: Option<JoinHandle<()>>,
    pub(crate) public: SocketAddr,
    pub(crate) metrics: SocketAddr,
    /// All lines read so far.
    pub(crate) log: Vec<Value>,
}

impl Service {
    pub(crate) fn start(database_url: &str, variables: &[(&str, &str)]) -> Self {
        let mut command = command();
        command
            .env("LISTEN_ADDR", "127.0.0.1:0")
            .env("METRICS_ADDR", "127.0.0.1:0")
            .env("SHUTDOWN_DELAY", "0s")
            .env("DATABASE_URL", database_url)
            .envs(variables.iter().copied());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = sync_channel(LINES_MAX);
        let reader = std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let reader = Some(reader);
        let mut service =
            Self { child, lines, reader, public: nowhere, metrics: nowhere, log: Vec::new() };
        let listening = service.line("Listening.");
        service.public = listening["listen_addr"].as_str().unwrap().parse().unwrap();
        service.metrics = listening["metrics_addr"].as_str().unwrap().parse().unwrap();
        service
    }

    /// Waits for the next line with this message.
    pub(crate) fn line(&mut self, message: &str) -> Value {
        loop {
            let line = self.next_line();
            if line["message"] == message {
                return line;
            }
        }
    }

    /// Waits for a line, which must be a JSON object.
    pub(crate) fn next_line(&mut self) -> Value {
        let line = self.lines.recv_timeout(PATIENCE);
        let line = line.unwrap_or_else(|error| panic!("no line: {error}; so far {:#?}", self.log));
        let line: Value = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("a line that is not JSON: {error}: {line:?}"));
        assert!(line.is_object(), "{line}");
        self.log.push(line.clone());
        line
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    pub(crate) fn terminate(&self) {
        self.signal(rustix::process::Signal::TERM);
    }

    /// Waits for the process to end by itself, then reads the rest of its log.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        // The log ends when the process does, so waiting for that is bounded by the channel.
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.log.push(serde_json::from_str(&line).unwrap());
        }
        self.reader.take().unwrap().join().unwrap();
        self.child.wait().unwrap()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.public)
    }

    pub(crate) fn metrics_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.metrics)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Gone already when the test ended it; by its handle, so never another process.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The binary with an empty environment.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_items-api"));
    command.env_clear().stdin(Stdio::null());
    command
}

/// Runs the binary to its end: exit code, stdout, stderr.
pub(crate) fn run(args: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let mut command = command();
    command.args(args).envs(variables.iter().copied());
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| {
        let mut text = String::new();
        let mut bytes = bytes;
        bytes.read_to_string(&mut text).unwrap();
        text
    };
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// A client that returns every status as an answer.
pub(crate) fn client() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE))
        .build();
    ureq::Agent::new_with_config(config)
}
