//! The store of metrics as the server runs it: opened once, kept up by two threads.
//!
//! Syncing the journal has a thread of its own, because a merge takes seconds and the promise of
//! `--storage.sync-interval` does not wait for it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::Context as _;
use masthead_sysio::{Clock, RealFs};
use masthead_tsdb::{JournalOptions, Keep, OpenReport, Options, SyncPolicy, Tsdb};

use crate::cli::ServeArgs;

/// How often it is looked whether something is to be written, merged or deleted.
const UPKEEP_EVERY: Duration = Duration::from_secs(1);
/// Between two lines about the same trouble.
const COMPLAIN_EVERY: u32 = 60;

/// Opens the store below `--data` as far as its blocks, which answer from now on.
///
/// # Errors
/// Another process has it; files of a later version; what the file system says.
pub(super) async fn open(
    args: &ServeArgs,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<(Arc<Tsdb>, OpenReport)> {
    let options = options(args);
    let directory = args.data.join("metrics");
    let opened = tokio::task::spawn_blocking({
        let directory = directory.clone();
        move || Tsdb::open_blocks(Arc::new(RealFs), clock, &directory, options)
    });
    let (store, report) =
        opened.await?.with_context(|| format!("cannot open the store in {directory} (--data)"))?;
    Ok((Arc::new(store), report))
}

/// Brings the newest samples back into memory, and logs what was found.
///
/// # Errors
/// Files of a later version; what the file system says.
pub(super) async fn load(store: &Arc<Tsdb>, found: OpenReport) -> anyhow::Result<()> {
    let store = Arc::clone(store);
    let loaded = tokio::task::spawn_blocking(move || {
        let mut report = found;
        store.load(&mut report).map(|()| report)
    });
    let report = loaded.await?.context("cannot read the newest samples of the store (--data)")?;
    tell(&report);
    Ok(())
}

fn options(args: &ServeArgs) -> Options {
    let millis = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    let sync = match args.sync_interval {
        Duration::ZERO => SyncPolicy::Always,
        interval => SyncPolicy::Interval(interval),
    };
    Options {
        journal: JournalOptions { sync, ..JournalOptions::default() },
        out_of_order_ms: millis(args.out_of_order_window),
        keep: Keep {
            span: (!args.retention_time.is_zero()).then(|| millis(args.retention_time)),
            bytes: args.retention_size,
        },
        series_max: args.max_series,
        load_threads: thread::available_parallelism().map_or(1, |threads| threads.get().min(8)),
        ..Options::default()
    }
}

fn tell(report: &OpenReport) {
    for (block, error) in &report.corrupt {
        tracing::error!(block, error, "A damaged block was set aside; the rest answers.");
    }
    if report.samples_dropped > 0 || report.frames_dropped > 0 {
        tracing::error!(
            samples = report.samples_dropped,
            frames = report.frames_dropped,
            "Parts of the journal could not be read."
        );
    }
    for damage in &report.head_damages {
        tracing::error!(damage, "A part of the newest samples could not be read.");
    }
    if report.series_lost > 0 {
        tracing::error!(series = report.series_lost, "Series of the newest samples are lost.");
    }
    tracing::info!(
        blocks = report.blocks,
        series = report.series,
        samples = report.samples,
        "Opened the store of metrics."
    );
}

/// The threads that keep the store up; they end when this is stopped or dropped.
#[derive(Debug)]
pub(super) struct Upkeep {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Upkeep {
    /// Starts both threads.
    ///
    /// # Errors
    /// The machine has no thread left.
    pub(super) fn start(store: &Arc<Tsdb>, args: &ServeArgs) -> anyhow::Result<Self> {
        let mut upkeep = Self { stop: Arc::default(), threads: Vec::new() };
        if !args.sync_interval.is_zero() {
            let store = Arc::clone(store);
            upkeep.spawn("sync", args.sync_interval, move || store.sync())?;
        }
        let store = Arc::clone(store);
        upkeep.spawn("upkeep", UPKEEP_EVERY, move || store.tick())?;
        Ok(upkeep)
    }

    fn spawn(
        &mut self,
        name: &'static str,
        every: Duration,
        work: impl Fn() -> masthead_tsdb::Result<()> + Send + 'static,
    ) -> anyhow::Result<()> {
        let stop = Arc::clone(&self.stop);
        let run = move || {
            let mut complaints = 0_u32;
            while !stop.load(Ordering::Relaxed) {
                match work() {
                    Ok(()) => complaints = 0,
                    Err(error) => {
                        if complaints.is_multiple_of(COMPLAIN_EVERY) {
                            tracing::error!(thread = name, %error, "Upkeep of the store failed; it is tried again.");
                        }
                        complaints = complaints.saturating_add(1);
                    }
                }
                // Woken early, it finds that it is to stop.
                thread::park_timeout(every);
            }
        };
        let thread = thread::Builder::new().name(format!("store-{name}")).spawn(run)?;
        self.threads.push(thread);
        Ok(())
    }

    /// Ends the threads after what they are doing.
    pub(super) fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in &self.threads {
            thread.thread().unpark();
        }
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("A thread that keeps up the store had panicked.");
            }
        }
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        self.end();
    }
}
