//! `masthead export`: what a store or a server has, as OpenMetrics text or Parquet.
//!
//! The work is `masthead-backfill`'s; this file opens both ends. Samples go to stdout or a file, the
//! summary and progress to stderr. A file appears under its name when it is complete. A server is
//! asked by `remote.rs`.

mod output;
mod remote;

use std::{
    fmt::Write as _,
    io::{self, IsTerminal as _, Write},
    sync::Arc,
};

use anyhow::{Context as _, bail};
use masthead_backfill::export::{Exporter, Report, openmetrics, parquet};
use masthead_ports::{SampleSource, StoreAdmin as _};
use masthead_sysio::{Fs as _, RealFs};
use masthead_tsdb::Tsdb;

use self::{output::OutputFile, remote::Remote};
use super::backfill::{ProgressLine, clock, filter, open_store};
use crate::{
    cli::{ExportArgs, ExportFormat, Source, UsageError},
    terminal,
};

/// Exports, and says what became of it.
///
/// # Errors
/// What cannot be read or written; a store that a server has open.
pub(crate) fn run(args: &ExportArgs) -> anyhow::Result<()> {
    let clock = clock();
    let mut exporter_filter = filter(&args.selection)?;
    if args.format == ExportFormat::Parquet && args.output.is_none() && io::stdout().is_terminal() {
        bail!(UsageError("Parquet is not for a terminal; add -o FILE".to_owned()));
    }
    let (local, remote);
    let mut left_out = None;
    let (source, bounds): (&dyn SampleSource, _) = match &args.source {
        Source::Server(url) => {
            let now = masthead_model::Millis(clock.now().0.div_euclid(1_000_000));
            exporter_filter.range.end = exporter_filter.range.end.min(now);
            remote = Remote::new(url, &args.access)?;
            left_out = Some(&remote);
            let range = exporter_filter.range;
            (&remote, Some((range.start.0, range.end.0)))
        }
        Source::Directory(data) => {
            if RealFs.metadata(&data.join("metrics")).is_err() {
                bail!(UsageError(format!("--data {data}: there is no store (no {data}/metrics)")));
            }
            local = open_store(data, &clock)?;
            (&local, bounds(&local)?)
        }
    };
    let exporter = Exporter { source, clock: Arc::clone(&clock), filter: exporter_filter, bounds };
    let mut progress = ProgressLine::new(&clock);
    let report = match &args.output {
        None => {
            let mut out = io::stdout();
            let report = write(args.format, &exporter, &mut out, &mut progress);
            progress.clear();
            report?
        }
        Some(path) => {
            let mut file = OutputFile::create(path)?;
            let report = write(args.format, &exporter, &mut file, &mut progress);
            progress.clear();
            let report = report?;
            incomplete(&report)?;
            file.publish().with_context(|| format!("cannot write {path}"))?;
            report
        }
    };
    let mut report = report;
    for (metric, count) in left_out.map(Remote::histograms).unwrap_or_default() {
        *report.histograms.entry(metric).or_default() += count;
    }
    terminal::say(&summary(&report));
    incomplete(&report)
}

fn write(
    format: ExportFormat,
    exporter: &Exporter<'_>,
    out: &mut (dyn Write + Send),
    progress: &mut ProgressLine,
) -> anyhow::Result<Report> {
    let progress = &mut |now| progress.show(now);
    Ok(match format {
        ExportFormat::Openmetrics => {
            let mut out = out;
            openmetrics(exporter, &mut out, progress)?
        }
        ExportFormat::Parquet => parquet(exporter, out, progress)?,
    })
}

/// Damage makes an export useless in silence, so it is a failure.
fn incomplete(report: &Report) -> anyhow::Result<()> {
    match report.warnings.as_slice() {
        [] => Ok(()),
        warnings => bail!("the export is not complete: {}", warnings.join("; ")),
    }
}

/// First and last time of the store.
fn bounds(store: &Tsdb) -> anyhow::Result<Option<(i64, i64)>> {
    let blocks = store.blocks()?;
    let stats = Tsdb::stats(store);
    let last = blocks.iter().map(|block| block.range.end.0).chain(stats.max_time_ms).max();
    let head = stats.floor_ms.or(stats.max_time_ms);
    let first = blocks.iter().map(|block| block.range.start.0).chain(head).min();
    Ok(first.zip(last))
}

fn summary(report: &Report) -> String {
    let mut out = format!("exported {} samples of {} series", report.samples, report.series);
    // Writing to a String cannot fail.
    if report.stale > 0 {
        write!(out, "\nleft out {}: stale markers", report.stale).unwrap_or_default();
    }
    if report.nameless > 0 {
        write!(out, "\nleft out {}: series without a metric's name", report.nameless)
            .unwrap_or_default();
    }
    for (metric, count) in &report.histograms {
        let metric = terminal::one_line(metric);
        write!(out, "\nleft out {count}: native histograms of {metric}").unwrap_or_default();
    }
    out
}
