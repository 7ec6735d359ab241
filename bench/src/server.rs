//! A system under test as a running process: started, asked until it is ready, ended.
//!
//! It runs in a directory of the bench's own on a free port of loopback, its words go to a file
//! there. Whatever happens, the process is ended and waited for when its [`Server`] is dropped;
//! no process is ended but by the handle that started it.

use std::{
    fs,
    net::TcpListener,
    os::unix::process::ExitStatusExt as _,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    answers::{self, Answer},
    http::{Http, Patience},
    peers::{Program, Start},
};

/// How long a server may take until it is ready or has answered.
const READY_MAX: Duration = Duration::from_mins(3);
/// How long it may take to end in order.
const END_MAX: Duration = Duration::from_mins(1);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(5);
/// Of its words, how much an error repeats.
const WORDS_MAX: usize = 1_500;

/// A running server.
#[derive(Debug)]
pub(crate) struct Server<'a> {
    program: &'a Program,
    http: Http,
    child: Child,
    began: Instant,
    log: Utf8PathBuf,
    base: String,
    data: Utf8PathBuf,
}

impl<'a> Server<'a> {
    /// Starts `program` on `directory` and waits until it says that it is ready.
    ///
    /// # Errors
    /// When it cannot be started, ends, or is not ready in time, with its last words.
    pub(crate) fn start(
        program: &'a Program,
        directory: &Utf8Path,
        patience: &Patience,
    ) -> Result<(Self, Duration)> {
        Self::start_with(program, directory, None, &[], patience)
    }

    /// As [`Server::start`], at this port of loopback or a free one, with more arguments.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn start_with(
        program: &'a Program,
        directory: &Utf8Path,
        port: Option<u16>,
        more: &[&str],
        patience: &Patience,
    ) -> Result<(Self, Duration)> {
        let data = directory.join("data");
        fs::create_dir_all(&data).with_context(|| format!("cannot make {data}"))?;
        let log = directory.join("log");
        let words = fs::File::create(&log).with_context(|| format!("cannot make {log}"))?;
        let port = port.map_or_else(free_port, Ok)?;
        let start = Start { program: &program.path, directory, data: &data, port };
        let mut command = (program.system.command)(&start)?;
        command.args(more).stdin(Stdio::null()).stdout(words.try_clone()?).stderr(words);
        let began = Instant::now();
        let child = command.spawn().with_context(|| format!("cannot start {}", program.path))?;
        let base = format!("http://127.0.0.1:{port}");
        let http = Http::new(patience);
        let mut server = Self { program, http, child, began, log, base, data };
        let ready = server.base.clone() + program.system.ready_path;
        let took = server.wait_for("ready", || {
            Ok(Http::new(patience).get(&ready, &[]).is_ok_and(|answer| answer.is_success()))
        })?;
        Ok((server, took))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Since the process was started.
    pub(crate) fn age(&self) -> Duration {
        self.began.elapsed()
    }

    /// Where it keeps its data.
    pub(crate) fn data(&self) -> &Utf8Path {
        &self.data
    }

    pub(crate) fn http(&self) -> &Http {
        &self.http
    }

    /// The URL of `path`.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Where remote write goes.
    pub(crate) fn write_url(&self) -> String {
        self.url(self.program.system.write_path)
    }

    /// Asks a question; `parameters` are those of the HTTP API, `expr` included. Returns the
    /// answer's bytes, so that reading them is not measured.
    ///
    /// # Errors
    /// Any answer but success, with the server's words.
    pub(crate) fn ask(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Vec<u8>> {
        let all = [parameters, self.program.system.query_parameters].concat();
        let answer = self.http.get(&self.url(path), &all)?;
        if !answer.is_success() {
            bail!("{}", answer.summary());
        }
        Ok(answer.body)
    }

    /// The single value of an instant query, or nothing when the answer is empty.
    ///
    /// # Errors
    /// Those of [`Server::ask`], or an answer that is not one number.
    pub(crate) fn number(&self, expr: &str, time: &str) -> Result<Option<f64>> {
        let body = self.ask("/api/v1/query", &[("query", expr), ("time", time)])?;
        let answer: Answer = answers::read(&body)?;
        match answer.series() {
            [] => Ok(None),
            [one] => Ok(one.values.first().map(|(_, value)| *value)),
            many => bail!("{} series answer {expr} where one was expected", many.len()),
        }
    }

    /// Asks until `expr` at `time` is `want`; returns the time since the process was started.
    ///
    /// # Errors
    /// When that does not happen in time.
    pub(crate) fn answers(&mut self, expr: &str, time: &str, want: f64) -> Result<Duration> {
        let mut got = Ok(None);
        let mut ask = |server: &Self| {
            got = server.number(expr, time);
            got.as_ref().is_ok_and(|got| *got == Some(want))
        };
        loop {
            if ask(self) {
                return Ok(self.began.elapsed());
            }
            self.check_alive("answered")?;
            if self.began.elapsed() > READY_MAX {
                let got = got.map_or_else(|error| format!("{error:#}"), |got| format!("{got:?}"));
                bail!("{expr} is still {got} where {want} was expected");
            }
            self.http.patience().sleep(LOOK)?;
        }
    }

    /// Ends it in order, as its operator would.
    ///
    /// # Errors
    /// When it does not end in time, or ends with a failure.
    pub(crate) fn terminate(mut self) -> Result<()> {
        // Some servers wait seconds for connections that are still open.
        self.http = Http::new(self.http.patience());
        self.signal(Signal::TERM)?;
        let until = Instant::now() + END_MAX;
        loop {
            if let Some(status) = self.child.try_wait()? {
                // A program that takes no care of the signal ends by it, which is in order too.
                let by_signal = status.signal() == Some(Signal::TERM.as_raw());
                ensure!(
                    status.success() || by_signal,
                    "it ended badly after SIGTERM ({status}): {}",
                    self.last_words()
                );
                return Ok(());
            }
            if Instant::now() > until {
                bail!("it has not ended {} s after SIGTERM", END_MAX.as_secs());
            }
            self.http.patience().sleep(LOOK)?;
        }
    }

    /// Ends it at once, as a crash would.
    ///
    /// # Errors
    /// When it cannot be ended or waited for.
    pub(crate) fn kill(mut self) -> Result<()> {
        self.signal(Signal::KILL)?;
        self.child.wait()?;
        Ok(())
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        // The child has not been waited for, so its number is still its own.
        kill_process(pid.context("a process number beyond its range")?, signal)?;
        Ok(())
    }

    fn wait_for(&mut self, what: &str, mut done: impl FnMut() -> Result<bool>) -> Result<Duration> {
        loop {
            if done()? {
                return Ok(self.began.elapsed());
            }
            self.check_alive(what)?;
            if self.began.elapsed() > READY_MAX {
                bail!("it is not {what} after {} s: {}", READY_MAX.as_secs(), self.last_words());
            }
            self.http.patience().sleep(LOOK)?;
        }
    }

    fn check_alive(&mut self, what: &str) -> Result<()> {
        match self.child.try_wait()? {
            Some(status) => bail!("it ended before it {what} ({status}): {}", self.last_words()),
            None => Ok(()),
        }
    }

    fn last_words(&self) -> String {
        let words = fs::read(&self.log).unwrap_or_default();
        let from = words.len().saturating_sub(WORDS_MAX);
        String::from_utf8_lossy(&words[from..]).trim().to_owned()
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A port of loopback that was free a moment ago.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("cannot find a free port")?;
    Ok(listener.local_addr()?.port())
}
