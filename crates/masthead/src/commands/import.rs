//! `masthead import`: history into the store of a server that does not run.
//!
//! The work is `masthead-backfill`'s; this file opens what it reads and says what became of it. The
//! summary goes to stdout, progress and notes to stderr.

use std::{
    fmt::Write as _,
    io::{self, Read},
    sync::Arc,
};

use anyhow::Context as _;
use camino::Utf8Path;
use masthead_backfill::import::{Options, Report, fill, openmetrics, prometheus::Blocks};
use masthead_sysio::{Clock, File, Fs, OpenOptions, RealFs};

use super::backfill::{ProgressLine, clock, filter, moment, open_store};
use crate::{
    cli::{ImportArgs, ImportFormat, UsageError},
    terminal,
};

/// How far ahead of the clock a sample may be, as when it is pushed.
const AHEAD_MS: i64 = 600_000;
/// What a server keeps unless it is told otherwise.
const RETENTION_MS: i64 = 15 * 86_400_000;

/// Imports, and says what became of it.
///
/// # Errors
/// What cannot be read, what is not as it should be, a store that a server has open.
pub(crate) fn run(args: &ImportArgs) -> anyhow::Result<()> {
    let clock = clock();
    let now = clock.now().0.div_euclid(1_000_000);
    let options =
        Options { filter: filter(&args.selection)?, not_after: Some(now.saturating_add(AHEAD_MS)) };
    let mut progress = ProgressLine::new(&clock);
    let report = match args.format {
        ImportFormat::Openmetrics => text(args, &clock, &options, &mut progress),
        ImportFormat::Prometheus => blocks(args, &clock, &options, &mut progress),
    };
    progress.clear();
    let report = report?;
    for warning in &report.warnings {
        terminal::say(&format!("note: {}", terminal::one_line(warning)));
    }
    terminal::print(&summary(&report)).context("cannot write to stdout")?;
    if report.times.is_some_and(|(first, _)| first < now - RETENTION_MS) {
        terminal::say(
            "note: the server deletes samples older than its --storage.retention.time, 15d unless \
             told otherwise; start it with a longer one, or 0, to keep what was imported",
        );
    }
    Ok(())
}

fn text(
    args: &ImportArgs,
    clock: &Arc<dyn Clock>,
    options: &Options,
    progress: &mut ProgressLine,
) -> anyhow::Result<Report> {
    let source = args.source.as_path();
    let (input, total): (Box<dyn Read>, _) = if source == "-" {
        (Box::new(io::stdin().lock()), None)
    } else {
        let file = RealFs.open(source, OpenOptions::READ).map_err(|e| UsageError(e.to_string()))?;
        let total = file.len()?;
        (Box::new(FileReader { file, offset: 0 }), Some(total))
    };
    let store = open_store(&args.data, clock)?;
    let place = openmetrics::Place {
        store: &store,
        fs: Arc::new(RealFs),
        clock: Arc::clone(clock),
        scratch: &args.data.join("import.tmp"),
        sort_bytes: usize::try_from(args.sort_memory).unwrap_or(usize::MAX),
    };
    openmetrics::import(&place, input, total, options, &mut |now| progress.show(now)).with_context(
        || format!("cannot import {}", if source == "-" { "stdin" } else { source.as_str() }),
    )
}

fn blocks(
    args: &ImportArgs,
    clock: &Arc<dyn Clock>,
    options: &Options,
    progress: &mut ProgressLine,
) -> anyhow::Result<Report> {
    let source: &Utf8Path = &args.source;
    let fs: Arc<dyn Fs> = Arc::new(RealFs);
    let failed = || format!("cannot import {source}");
    let mut history = Blocks::open(&fs, source, options.filter.clone()).with_context(failed)?;
    for note in &history.notes {
        terminal::say(&format!("note: {note}"));
    }
    let store = open_store(&args.data, clock)?;
    fill(&store, clock, &mut history, options, &mut |now| progress.show(now)).with_context(failed)
}

/// Reads a file from front to back.
struct FileReader {
    file: Box<dyn File>,
    offset: u64,
}

impl Read for FileReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}

fn summary(report: &Report) -> String {
    let Report { series, samples, blocks, .. } = report;
    let mut out = format!("imported {samples} samples of {series} series in {blocks} blocks");
    if let Some((first, last)) = report.times {
        // Writing to a String cannot fail.
        write!(out, ", from {} to {}", moment(first), moment(last)).unwrap_or_default();
    }
    for (why, count) in &report.skipped {
        write!(out, "\nskipped {count}: {}", why.as_str()).unwrap_or_default();
    }
    out
}

#[cfg(test)]
mod tests {
    use masthead_backfill::import::Skipped;

    use super::*;

    #[test]
    fn the_summary_says_what_came_and_what_did_not() {
        let report = Report {
            series: 2,
            samples: 30,
            blocks: 1,
            times: Some((0, 1000)),
            skipped: [(Skipped::AlreadyThere, 4)].into(),
            warnings: vec![],
        };
        let want = "imported 30 samples of 2 series in 1 blocks, from 1970-01-01T00:00:00Z to \
                    1970-01-01T00:00:01Z\nskipped 4: already in the store";
        assert_eq!(summary(&report), want);
    }
}
