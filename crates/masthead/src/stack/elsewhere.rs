//! A stack without stores and without an address: what a command writes and what is scraped of it
//! goes to a server elsewhere, over journals.
//!
//! The two sinks stand where the stores stand in `stack.rs`, so that what collects and scrapes is the
//! same. At the end the last lines and samples are sent, for a bounded time, and what the other end
//! did not get is told to whoever ends it.

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use masthead_forward::{
    LokiSink, Options, Sender, Stats as LineStats, Target,
    remote_write::{self, RemoteWriteConfig, RemoteWriteSink},
};
use masthead_http_client::HttpClientConfig;
use masthead_instrument::Telemetry;
use masthead_model::Labels;
use masthead_scrape::ScrapeConfig;
use masthead_sysio::{Clock, FileLock, Fs, RealClock, RealFs};
use masthead_tail::LineSource;
use url::Url;

use super::{
    collecting::{Collecting, directory},
    remotes::Remotes,
    scraping::Scraping,
};
use crate::{
    cli::{ServeArgs, UsageError},
    tasks::{Task, Tasks},
};

/// How long the last lines and samples may take to get there.
pub(crate) const FLUSH_TIME_MAX: Duration = Duration::from_secs(10);
/// Between two looks at what still waits.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long lines and samples gather: also how long the end of a quick command takes.
const GATHER: Duration = Duration::from_millis(500);
/// The longest pause between two attempts, so that a server that is back is soon found.
const BACKOFF_MAX: Duration = Duration::from_secs(2);
/// One attempt.
const ATTEMPT_TIME_MAX: Duration = Duration::from_secs(10);
/// Bytes of lines that are sent at once.
const BATCH_BYTES: usize = 1 << 20;

/// Where everything goes.
#[derive(Debug, Clone)]
pub(crate) struct Ends {
    /// A Loki's push endpoint, or Masthead's.
    pub lines: Url,
    /// A receiver of remote write.
    pub samples: Url,
    /// How both let us in.
    pub client: HttpClientConfig,
}

/// Collects and scrapes. It is ended by [`Elsewhere::stop`]; dropped, it ends as a crash would end it.
pub(crate) struct Elsewhere {
    tasks: Tasks,
    collecting: Arc<Collecting>,
    scraping: Scraping,
    remotes: Arc<Remotes>,
    lines: Arc<LokiSink>,
    line_stats: Arc<LineStats>,
    samples: Arc<RemoteWriteSink>,
    sample_stats: Arc<remote_write::Stats>,
    senders: [Task; 2],
    /// Held as long as the journals are.
    _lock: FileLock,
}

/// What the other end did not get.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Missing {
    /// In the journals still.
    pub lines_waiting: u64,
    pub samples_waiting: u64,
    /// Lost, by reason.
    pub lines_lost: Vec<(&'static str, u64)>,
    pub samples_lost: Vec<(&'static str, u64)>,
}

impl Elsewhere {
    /// Begins to send to `ends`; what waits in the journals from the last time goes too.
    ///
    /// # Errors
    /// Journals that are in use or cannot be opened, certificates that cannot be read, a
    /// configuration in the environment that is wrong.
    pub(crate) async fn start(args: &ServeArgs, ends: &Ends) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
        let fs: Arc<dyn Fs> = Arc::new(RealFs);
        let tasks = Tasks::new();
        let dir = args.data.join("elsewhere");
        let lock = locked(&*fs, &dir)?;
        let options = |kind: &str, url: &Url| {
            let name = format!("{kind}-{}", remote_write::name_of_url(url.as_str()));
            let mut options = Options::new(dir.join(directory(&name)));
            options.journal_bytes_max = args.forward.journal_bytes();
            options
        };

        let line_stats = Arc::<LineStats>::default();
        let of_lines = options("lines", &ends.lines);
        let stats = Arc::clone(&line_stats);
        let lines =
            Arc::new(LokiSink::open(Arc::clone(&fs), Arc::clone(&clock), &of_lines, stats)?);
        let target = Target {
            url: ends.lines.clone(),
            client: ends.client.clone(),
            batch_wait: GATHER,
            batch_bytes: BATCH_BYTES,
            backoff_min: GATHER,
            backoff_max: BACKOFF_MAX,
            timeout: ATTEMPT_TIME_MAX,
            external_labels: args.forward.label(&Labels::default()),
            tenant: String::new(),
            headers: std::collections::BTreeMap::new(),
            drop_rate_limited: false,
        };
        let push = Sender::new(Arc::clone(&lines), target, Arc::clone(&fs), Arc::clone(&clock))?;

        let sample_stats = Arc::<remote_write::Stats>::default();
        let of_samples = options("samples", &ends.samples);
        let mut config =
            RemoteWriteConfig::new(ends.samples.as_str()).map_err(anyhow::Error::msg)?;
        config.client = ends.client.clone();
        config.timeout = ATTEMPT_TIME_MAX;
        config.queue.batch_send_deadline = GATHER;
        config.queue.max_backoff = BACKOFF_MAX;
        config.queue.retry_on_http_429 = true;
        let samples = RemoteWriteSink::open(
            Arc::clone(&fs),
            Arc::clone(&clock),
            &of_samples,
            &config,
            args.forward.label(&Labels::default()),
            Arc::clone(&sample_stats),
        )?;
        let samples = Arc::new(samples);
        let write = remote_write::Sender::new(
            Arc::clone(&samples),
            &config,
            Arc::clone(&fs),
            Arc::clone(&clock),
        )?;

        let sink = Arc::clone(&lines) as _;
        let collecting = Collecting::start(args, Some(sink), Arc::clone(&clock), &tasks)?;
        let sink = Arc::clone(&samples) as _;
        let remotes = Arc::new(Remotes::new(Some(sink), args, Arc::clone(&clock), &tasks));
        let telemetry = Telemetry::builder("masthead", env!("CARGO_PKG_VERSION")).build();
        // Nothing listens here, and nothing of our own is scraped.
        let own = SocketAddr::from(([127, 0, 0, 1], 0));
        let scraping = Scraping::new(args, own, (&telemetry, Arc::clone(&remotes)), clock)?;
        scraping.begin().await?;
        let senders =
            [tasks.spawn("push lines", push.run()), tasks.spawn("write samples", write.run())];
        Ok(Self {
            tasks,
            collecting: Arc::new(collecting),
            scraping,
            remotes,
            lines,
            line_stats,
            samples,
            sample_stats,
            senders,
            _lock: lock,
        })
    }

    /// Scrapes these jobs too, from now on.
    ///
    /// # Errors
    /// A job that cannot be put to work.
    pub(crate) async fn scrape(&self, jobs: Vec<Arc<ScrapeConfig>>) -> anyhow::Result<()> {
        self.scraping.add(jobs);
        self.scraping.begin().await
    }

    /// Ways in for lines that come from no file: see [`Collecting::pipes`].
    ///
    /// # Errors
    /// The machine has no thread left.
    pub(crate) fn pipes(&self, of: Vec<(&str, Labels)>) -> anyhow::Result<Vec<LineSource>> {
        self.collecting.pipes(of)
    }

    /// Waits until a task has failed, and says how.
    pub(crate) async fn failed(&self) -> anyhow::Error {
        self.tasks.failed().await
    }

    /// Ends in order: what was read is journaled, then sent, until all is there, [`FLUSH_TIME_MAX`]
    /// has passed or `enough` is ready.
    ///
    /// # Errors
    /// A journal that cannot be read.
    pub(crate) async fn stop(self, enough: impl Future<Output = ()>) -> anyhow::Result<Missing> {
        self.scraping.stop().await;
        let collecting = self.collecting;
        tokio::task::spawn_blocking(move || collecting.stop()).await?;
        self.remotes.stop().await;
        let (lines, samples) = (self.lines, self.samples);
        let mut missing = Missing::default();
        let flushed = async {
            loop {
                let (lines, samples) = (Arc::clone(&lines), Arc::clone(&samples));
                let look = move || anyhow::Ok((lines.waiting()?, samples.waiting()?));
                let looked = tokio::task::spawn_blocking(look).await?;
                (missing.lines_waiting, missing.samples_waiting) =
                    looked.context("cannot read what waits to be sent")?;
                if (missing.lines_waiting, missing.samples_waiting) == (0, 0) {
                    return anyhow::Ok(());
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        tokio::select! {
            flushed = flushed => flushed?,
            () = tokio::time::sleep(FLUSH_TIME_MAX) => {}
            () = enough => {}
        }
        for sender in self.senders {
            sender.end().await;
        }
        missing.lines_lost = self.line_stats.dropped_lines();
        missing.samples_lost = self.sample_stats.lost_samples();
        Ok(missing)
    }
}

/// Journals have one owner.
fn locked(fs: &dyn Fs, dir: &Utf8Path) -> anyhow::Result<FileLock> {
    fs.create_dir_all(dir).with_context(|| format!("cannot make {dir}"))?;
    let path: Utf8PathBuf = dir.join("lock");
    fs.lock_file(&path).map_err(|error| {
        let what = match error.kind() {
            std::io::ErrorKind::WouldBlock => "another process uses it".to_owned(),
            _ => error.to_string(),
        };
        UsageError(format!("--data: cannot lock {path}: {what}")).into()
    })
}

impl Missing {
    /// Whether there is nothing to tell.
    pub(crate) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Whether something is in the journals still.
    pub(crate) fn waits(&self) -> bool {
        self.lines_waiting + self.samples_waiting > 0
    }
}

/// `3 lines and 5 samples wait to be sent; 2 lines were lost (refused)`
impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if self.waits() {
            let (lines, samples) = (self.lines_waiting, self.samples_waiting);
            parts.push(format!("{lines} lines and {samples} samples were not sent"));
        }
        for (what, lost) in [("lines", &self.lines_lost), ("samples", &self.samples_lost)] {
            parts.extend(lost.iter().map(|(why, count)| format!("{count} {what} lost ({why})")));
        }
        f.write_str(&parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_counted_by_kind_and_reason() {
        let mut missing = Missing::default();
        assert!(missing.is_nothing());
        missing.lines_lost = vec![("refused", 2)];
        assert_eq!(missing.to_string(), "2 lines lost (refused)");
        assert!(!missing.is_nothing() && !missing.waits());
        missing.samples_waiting = 5;
        let want = "0 lines and 5 samples were not sent, 2 lines lost (refused)";
        assert_eq!(missing.to_string(), want);
    }

    #[test]
    fn journals_have_one_owner() {
        let directory = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(directory.path()).unwrap();
        let held = locked(&RealFs, dir).unwrap();
        let second = locked(&RealFs, dir).err().map(|error| error.to_string());
        assert!(second.is_some_and(|text| text.contains("another process uses it")));
        drop(held);
        assert!(locked(&RealFs, dir).is_ok());
    }
}
