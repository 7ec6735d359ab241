//! A child process under supervision: its lines, its end, and no orphan.
//!
//! The child runs in a process group of its own, so that a Ctrl-C at the terminal reaches this
//! program alone, which then ends the child in order: SIGTERM, a grace period, SIGKILL to the
//! whole group. Its stdout and stderr come back as lines of bounded length through a bounded
//! queue: a reader that falls behind makes the child wait on its pipe and never grows memory.
//!
//! Should this program itself be killed, the kernel kills the child (Linux only). That needs a
//! call in the child between fork and exec, which Rust offers only as unsafe code; so the child
//! first starts as this same program with the hidden command [`TIED_COMMAND`], which makes the
//! call safely and then becomes the wanted program. The kernel watches the *thread* that started
//! the child: spawn from a thread that lives as long as the command does. A grandchild is not
//! covered. Elsewhere than on Linux, a SIGKILL to this program leaves the child running.
//!
//! Splitting bytes into lines: `child/lines.rs`.

mod lines;

use std::{
    ffi::OsStr,
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::Context as _;
use rustix::process::{Pid, Signal};
use tokio::{
    process::{ChildStderr, ChildStdout},
    sync::mpsc,
};

pub(crate) use self::lines::{Line, Stream};
use crate::{
    cli::{self, ExecTiedArgs},
    tasks::{Task, Tasks},
    terminal,
};

/// The hidden command by which a child ties its life to its parent's.
pub(crate) const TIED_COMMAND: &str = "exec-tied";

/// Lines that wait to be taken; with the longest lines this is 16 MiB.
const LINES_QUEUED_MAX: usize = 64;

/// A started process; dropping it kills its group.
#[derive(Debug)]
pub(crate) struct Child {
    process: tokio::process::Child,
    /// They end with this.
    readers: Vec<Task>,
}

/// How a child came to its end after it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It ended by itself within its grace.
    Ended(ExitStatus),
    /// It was still there after its grace and was killed.
    Killed,
}

/// A command that runs `program` and dies with the calling process where the kernel can do that.
/// Our own secrets are not in its environment.
pub(crate) fn tied(program: &OsStr) -> tokio::process::Command {
    let mut command = watched(program);
    for variable in cli::secret_variables() {
        command.env_remove(variable);
    }
    command
}

fn watched(program: &OsStr) -> tokio::process::Command {
    if !cfg!(target_os = "linux") {
        return tokio::process::Command::new(program);
    }
    // Not `current_exe`: this link stays true when the file is replaced while we run.
    let mut command = tokio::process::Command::new("/proc/self/exe");
    command.arg(TIED_COMMAND).arg("--parent").arg(std::process::id().to_string());
    command.arg("--").arg(program);
    command
}

/// The child's side of [`tied`]: asks the kernel for SIGKILL at the parent's death, then becomes
/// the program. Returns only when that fails.
pub(crate) fn exec_tied(args: &ExecTiedArgs) -> anyhow::Result<()> {
    #[cfg(target_os = "linux")]
    {
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
            .context("cannot ask for a signal at the parent's death")?;
        // A parent that died before the call above sends no signal any more.
        let parent = rustix::process::getppid().map(Pid::as_raw_nonzero);
        anyhow::ensure!(
            parent.is_some_and(|pid| pid.get() == args.parent),
            "process {} is not the parent any more: nothing was started",
            args.parent
        );
    }
    let (program, rest) = args.command.split_first().context("no program given")?;
    let error = std::process::Command::new(program).args(rest).exec();
    let not_found = error.kind() == std::io::ErrorKind::NotFound;
    terminal::say(&format!("error: cannot execute {}: {error}", program.display()));
    // As a shell has it.
    std::process::exit(if not_found { 127 } else { 126 })
}

impl Child {
    /// Starts `command` without input; its lines come by the receiver, which closes after both
    /// streams have ended.
    ///
    /// # Errors
    /// When the program cannot be started, naming it.
    pub(crate) fn spawn(
        command: tokio::process::Command,
        tasks: &Tasks,
    ) -> anyhow::Result<(Self, mpsc::Receiver<Line>)> {
        let (mut child, stdout, stderr) = Self::start(command, Stdio::null())?;
        let (sender, receiver) = mpsc::channel(LINES_QUEUED_MAX);
        child.readers = vec![
            tasks.spawn("child stdout", lines::forward(stdout, Stream::Stdout, sender.clone())),
            tasks.spawn("child stderr", lines::forward(stderr, Stream::Stderr, sender)),
        ];
        Ok((child, receiver))
    }

    /// Starts `command` and leaves its outputs to the caller, who reads them.
    ///
    /// # Errors
    /// When the program cannot be started, naming it.
    pub(crate) fn start(
        mut command: tokio::process::Command,
        stdin: Stdio,
    ) -> anyhow::Result<(Self, ChildStdout, ChildStderr)> {
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.process_group(0).kill_on_drop(true);
        let name = command.as_std().get_program().display().to_string();
        let mut process = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let stdout = process.stdout.take().context("BUG: stdout was not piped")?;
        let stderr = process.stderr.take().context("BUG: stderr was not piped")?;
        Ok((Self { process, readers: Vec::new() }, stdout, stderr))
    }

    /// Its id, which is that of its group too, until it has ended.
    pub(crate) fn id(&self) -> Option<u32> {
        self.process.id()
    }

    /// Waits until the child has ended. May be dropped and called again.
    pub(crate) async fn ended(&mut self) -> anyhow::Result<ExitStatus> {
        self.process.wait().await.context("cannot wait for the child process")
    }

    /// Asks the child to end (SIGTERM) and kills its group when it has not within `grace`.
    ///
    /// The caller takes lines meanwhile: a child that waits on a full pipe cannot end.
    pub(crate) async fn stop(&mut self, grace: Duration) -> anyhow::Result<Ending> {
        self.signal(Signal::TERM);
        if let Ok(status) = tokio::time::timeout(grace, self.ended()).await {
            return Ok(Ending::Ended(status?));
        }
        self.signal(Signal::KILL);
        self.ended().await?;
        Ok(Ending::Killed)
    }

    /// Sends a signal to its whole group.
    pub(crate) fn signal(&self, signal: Signal) {
        // No id means reaped: the number may already be another process's.
        let id = self.process.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(group) = id {
            // The one possible error is that the group is gone, which is what was wanted.
            rustix::process::kill_process_group(group, signal).ok();
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

/// `exit code 2`, `signal 9`: how a process ended, in words.
pub(crate) fn in_words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> (Child, mpsc::Receiver<Line>) {
        let mut command = tokio::process::Command::new("sh");
        command.arg("-c").arg(script);
        Child::spawn(command, &Tasks::new()).unwrap()
    }

    async fn first_line(lines: &mut mpsc::Receiver<Line>) -> String {
        lines.recv().await.unwrap().text
    }

    /// A killed process that its parent has not reaped yet is listed too, in state Z.
    #[cfg(target_os = "linux")]
    async fn is_alive(pid: &str) -> bool {
        match tokio::fs::read_to_string(format!("/proc/{pid}/stat")).await {
            Ok(stat) => !stat.rsplit_once(')').unwrap().1.starts_with(" Z"),
            Err(_) => false,
        }
    }

    #[cfg(target_os = "linux")]
    async fn dies(pid: &str) -> bool {
        for _ in 0..200 {
            if !is_alive(pid).await {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        false
    }

    #[tokio::test]
    async fn lines_of_both_streams_arrive_and_then_the_queue_closes() {
        let (mut child, mut lines) = shell("echo out; echo err >&2; printf 'no newline'");
        let mut seen = Vec::new();
        while let Some(line) = lines.recv().await {
            seen.push((line.stream, line.text));
        }
        seen.sort();
        let out = |text: &str| (Stream::Stdout, text.to_owned());
        assert_eq!(seen, [out("no newline"), out("out"), (Stream::Stderr, "err".to_owned())]);
        assert!(child.ended().await.unwrap().success());
    }

    #[tokio::test]
    async fn stop_lets_a_child_end_by_itself() {
        let (mut child, mut lines) =
            shell("trap 'exit 7' TERM; echo up; while :; do sleep 0.05; done");
        assert_eq!(first_line(&mut lines).await, "up");
        let ending = child.stop(Duration::from_secs(10)).await.unwrap();
        let Ending::Ended(status) = ending else { panic!("{ending:?}") };
        assert_eq!(in_words(status), "exit code 7");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn stop_kills_a_child_that_will_not_end_and_its_children() {
        let (mut child, mut lines) =
            shell("trap '' TERM; sh -c 'while :; do sleep 1; done' & echo $!; wait; sleep 60");
        let grandchild = first_line(&mut lines).await;
        assert!(is_alive(&grandchild).await);
        let ending = child.stop(Duration::from_millis(100)).await.unwrap();
        assert_eq!(ending, Ending::Killed);
        assert!(dies(&grandchild).await);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_dropped_child_is_killed_with_its_children() {
        let (child, mut lines) = shell("sh -c 'sleep 60; :' & echo $!; wait");
        let grandchild = first_line(&mut lines).await;
        drop(child);
        assert!(dies(&grandchild).await);
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_named() {
        let command = tokio::process::Command::new("/nowhere/at-all");
        let error = Child::spawn(command, &Tasks::new()).unwrap_err();
        assert_eq!(error.to_string(), "cannot start /nowhere/at-all");
    }
}
