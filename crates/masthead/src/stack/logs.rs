//! The store of logs as the server runs it, beside the store of metrics: opened once, kept up by
//! threads of `upkeep.rs`, its limits from the flags. What was deleted is on record in `deletes.rs`.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use masthead_http_api::LogLimits;
use masthead_logdb::{Keep, Logdb, OpenReport, Options};
use masthead_sysio::{Clock, RealFs};

use super::{store::journal, upkeep::Upkeep};
use crate::cli::ServeArgs;

/// How often it is looked whether something is to be compressed, written, merged or deleted.
const UPKEEP_EVERY: Duration = Duration::from_millis(200);

/// Opens the store below `--data`, and logs what was found.
///
/// # Errors
/// Another process has it; files of a later version; what the file system says.
pub(super) async fn open(args: &ServeArgs, clock: Arc<dyn Clock>) -> anyhow::Result<Arc<Logdb>> {
    let options = options(args);
    let directory = args.data.join("logs");
    let opened = tokio::task::spawn_blocking({
        let directory = directory.clone();
        move || Logdb::open(Arc::new(RealFs), clock, &directory, options)
    });
    let (store, report) =
        opened.await?.with_context(|| format!("cannot open the store in {directory} (--data)"))?;
    tell(&report);
    Ok(Arc::new(store))
}

fn options(args: &ServeArgs) -> Options {
    let logs = &args.logs;
    let defaults = Options::default();
    Options {
        journal: journal(args),
        window_ns: nanos(logs.out_of_order_window),
        keep: Keep {
            span: (!logs.retention_time.is_zero()).then(|| nanos(logs.retention_time)),
            bytes: logs.retention_size,
        },
        streams_max: logs.max_streams,
        line_bytes_max: defaults.line_bytes_max.max(bytes(logs.max_line_size)),
        ..defaults
    }
}

/// The limits of pushes and queries.
pub(super) fn limits(args: &ServeArgs) -> LogLimits {
    let logs = &args.logs;
    let defaults = LogLimits::default();
    let names =
        logs.discover_service_name.clone().map_or(defaults.discover_service_name, |names| {
            names.into_iter().filter(|name| !name.is_empty()).collect()
        });
    LogLimits {
        age_ns: nanos(logs.max_age),
        ahead_ns: nanos(logs.max_ahead),
        line_bytes: bytes(logs.max_line_size),
        label_names: logs.max_label_names,
        label_name_bytes: bytes(logs.max_label_name_size),
        label_value_bytes: bytes(logs.max_label_value_size),
        metadata_bytes: bytes(logs.max_metadata_size),
        metadata_pairs: logs.max_metadata_pairs,
        discover_service_name: names,
        discover_levels: logs.discover_levels,
        entries: logs.max_entries,
        query_ns: nanos(logs.max_query_length),
        tails: logs.max_tails,
        pattern_lines: logs.max_pattern_lines,
    }
}

pub(super) fn bytes(size: u64) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX)
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

fn tell(report: &OpenReport) {
    for (block, error) in &report.corrupt {
        tracing::error!(block, error, "A damaged block was set aside; the rest answers.");
    }
    if report.journal.torn_bytes > 0 {
        let bytes = report.journal.torn_bytes;
        tracing::warn!(
            bytes,
            "The torn tail of the journal of logs was cut; nobody was told of it."
        );
    }
    if report.lines_dropped > 0 || report.frames_dropped > 0 {
        tracing::error!(
            lines = report.lines_dropped,
            frames = report.frames_dropped,
            "Parts of the journal could not be read."
        );
    }
    tracing::info!(
        blocks = report.blocks,
        streams = report.streams,
        lines = report.lines,
        "Opened the store of logs."
    );
}

/// Starts the threads that keep the store up.
///
/// # Errors
/// The machine has no thread left.
pub(super) fn keep_up(
    store: &Arc<Logdb>,
    args: &ServeArgs,
    upkeep: &mut Upkeep,
) -> anyhow::Result<()> {
    if !args.sync_interval.is_zero() {
        let store = Arc::clone(store);
        upkeep.spawn("logs-sync", args.sync_interval, move || store.sync())?;
    }
    let store = Arc::clone(store);
    upkeep.spawn("logs-upkeep", UPKEEP_EVERY, move || store.tick())
}
