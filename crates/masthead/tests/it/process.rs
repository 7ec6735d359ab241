//! Starting `masthead`, reading what it says, and never waiting for ever.
#![expect(clippy::disallowed_methods, reason = "tests read the clock and wait")]

use std::{
    io::{BufRead as _, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::OnceLock,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// The longest that any process here may take; the longest is a demo of a minute.
const TIME_MAX: Duration = Duration::from_mins(3);

/// A started process; dropping it kills it.
pub(crate) struct Masthead {
    child: Child,
    stdout: Option<BufReader<ChildStdout>>,
    stderr: Option<JoinHandle<String>>,
    said: String,
}

/// Starts `masthead` with `args` alone: no variable of the caller's environment changes it.
pub(crate) fn masthead(args: &[&str]) -> Masthead {
    Masthead::start(Masthead::command(args))
}

impl Masthead {
    pub(crate) fn command(args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_masthead"));
        command.args(args);
        let ours = std::env::vars_os()
            .map(|(name, _)| name)
            .filter(|name| name.to_string_lossy().starts_with("MASTHEAD_"));
        for name in ours {
            command.env_remove(name);
        }
        command
    }

    pub(crate) fn start(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = child.stdout.take().map(BufReader::new);
        let mut stderr = child.stderr.take().unwrap();
        let stderr = thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).unwrap();
            text
        });
        Self { child, stdout, stderr: Some(stderr), said: String::new() }
    }

    pub(crate) fn id(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    /// Reads lines until one contains `word`, and returns that line.
    pub(crate) fn line_with(&mut self, word: &str) -> String {
        let stdout = self.stdout.as_mut().unwrap();
        loop {
            let mut line = String::new();
            let count = stdout.read_line(&mut line).unwrap();
            assert!(count > 0, "{word:?} was not said, but:\n{}", self.said);
            self.said.push_str(&line);
            if line.contains(word) {
                return line.trim_end().to_owned();
            }
        }
    }

    /// Stops reading stdout, as `head` does.
    pub(crate) fn close_stdout(&mut self) {
        self.stdout = None;
    }

    /// Waits for the end; gives the exit code (none after a signal), all of stdout, all of stderr.
    pub(crate) fn finish(mut self) -> (Option<i32>, String, String) {
        let mut stdout = std::mem::take(&mut self.said);
        if let Some(mut rest) = self.stdout.take() {
            rest.read_to_string(&mut stdout).unwrap();
        }
        let deadline = Instant::now() + TIME_MAX;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "still running after:\n{stdout}");
            thread::sleep(Duration::from_millis(10));
        };
        (status.code(), stdout, self.stderr.take().unwrap().join().unwrap())
    }
}

impl Drop for Masthead {
    fn drop(&mut self) {
        // It may have ended already; both calls then do nothing.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// True once `done` is, within a minute.
pub(crate) fn soon(mut done: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + TIME_MAX;
    while Instant::now() < deadline {
        if done() {
            return true;
        }
        thread::sleep(Duration::from_millis(20));
    }
    false
}

/// The items API of this build; built first where it is absent or older than its source.
///
/// `scripts/run-tests` has built the whole workspace and says so, because the build here chooses
/// other features and so compiles much again, within the time of a test.
pub(crate) fn items_api() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let directory = Path::new(env!("CARGO_BIN_EXE_masthead")).parent().unwrap();
        if std::env::var_os("WORKSPACE_IS_BUILT").is_some() {
            return directory.join("items-api");
        }
        let profile = match directory.file_name().unwrap().to_str().unwrap() {
            "debug" => "dev",
            profile => profile,
        };
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "items-api", "--profile", profile])
            .arg("--target-dir")
            .arg(directory.parent().unwrap())
            .status()
            .unwrap();
        assert!(status.success(), "cannot build items-api");
        directory.join("items-api")
    })
}
