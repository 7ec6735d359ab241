//! The store of metrics as the server runs it. The threads that keep it up: `upkeep.rs`.

use std::{sync::Arc, thread, time::Duration};

use anyhow::Context as _;
use masthead_sysio::{Clock, RealFs};
use masthead_tsdb::{JournalOptions, Keep, OpenReport, Options, SyncPolicy, Tsdb};

use super::upkeep::Upkeep;
use crate::cli::ServeArgs;

/// How often it is looked whether something is to be written, merged or deleted.
const UPKEEP_EVERY: Duration = Duration::from_secs(1);

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
    Options {
        journal: journal(args),
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

/// How the journals of both stores are written.
pub(super) fn journal(args: &ServeArgs) -> JournalOptions {
    let sync = match args.sync_interval {
        Duration::ZERO => SyncPolicy::Always,
        interval => SyncPolicy::Interval(interval),
    };
    JournalOptions { sync, ..JournalOptions::default() }
}

fn tell(report: &OpenReport) {
    for (block, error) in &report.corrupt {
        tracing::error!(block, error, "A damaged block was set aside; the rest answers.");
    }
    if report.journal.torn_bytes > 0 {
        let bytes = report.journal.torn_bytes;
        tracing::warn!(
            bytes,
            "The torn tail of the journal of metrics was cut; nobody was told of it."
        );
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

/// Starts the threads that keep the store up.
///
/// # Errors
/// The machine has no thread left.
pub(super) fn keep_up(
    store: &Arc<Tsdb>,
    args: &ServeArgs,
    upkeep: &mut Upkeep,
) -> anyhow::Result<()> {
    if !args.sync_interval.is_zero() {
        let store = Arc::clone(store);
        upkeep.spawn("metrics-sync", args.sync_interval, move || store.sync())?;
    }
    let store = Arc::clone(store);
    upkeep.spawn("metrics-upkeep", UPKEEP_EVERY, move || store.tick())
}
