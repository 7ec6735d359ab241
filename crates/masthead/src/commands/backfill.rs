//! What `masthead import` and `masthead export` have in common: the store, the selection, and
//! telling how far they are.

use std::{
    io::{IsTerminal as _, Write as _},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use camino::Utf8Path;
use masthead_backfill::{
    Filter,
    import::{Progress, Stage},
};
use masthead_model::{ByteSize, Millis, TimeRange};
use masthead_sysio::{Clock, RealClock, RealFs};
use masthead_tsdb::{Options, Tsdb};

use crate::cli::{SelectionArgs, UsageError};

/// Between two lines of progress.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

/// Opens the store below `data`, which no server may have open.
///
/// # Errors
/// Another process has it; damage of the journal's directory; what the file system says.
pub(super) fn open_store(data: &Utf8Path, clock: &Arc<dyn Clock>) -> anyhow::Result<Tsdb> {
    let directory = data.join("metrics");
    let opened = Tsdb::open(Arc::new(RealFs), Arc::clone(clock), &directory, Options::default());
    let (store, report) = opened.with_context(|| {
        format!("cannot open the store in {directory} (--data); no server may have it open")
    })?;
    for (block, error) in &report.corrupt {
        crate::terminal::say(&format!("note: damaged block {block} was set aside: {error}"));
    }
    Ok(store)
}

/// The machine's clock.
pub(super) fn clock() -> Arc<dyn Clock> {
    Arc::new(RealClock::new())
}

/// What of the samples is wanted.
///
/// # Errors
/// Times that leave nothing.
pub(super) fn filter(args: &SelectionArgs) -> Result<Filter, UsageError> {
    if let (Some(from), Some(to)) = (args.from, args.to)
        && from > to
    {
        return Err(UsageError("--from is later than --to, which leaves no samples".to_owned()));
    }
    Ok(Filter {
        selectors: args.selectors.iter().map(|selector| selector.0.clone()).collect(),
        range: TimeRange {
            start: args.from.unwrap_or(Millis::MIN),
            end: args.to.unwrap_or(Millis::MAX),
        },
    })
}

/// A line on stderr that is written over, where stderr is a terminal.
#[derive(Debug)]
pub(super) struct ProgressLine {
    clock: Arc<dyn Clock>,
    terminal: bool,
    shown: Option<Duration>,
}

impl ProgressLine {
    pub(super) fn new(clock: &Arc<dyn Clock>) -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self { clock: Arc::clone(clock), terminal, shown: None }
    }

    pub(super) fn show(&mut self, progress: Progress) {
        let now = self.clock.monotonic();
        let early = self.shown.is_some_and(|shown| now.saturating_sub(shown) < PROGRESS_EVERY);
        if !self.terminal || early {
            return;
        }
        self.shown = Some(now);
        drop(write!(std::io::stderr().lock(), "\r\x1b[K{}", describe(progress)));
    }

    /// Removes the line, so that other words can follow.
    pub(super) fn clear(&self) {
        if self.shown.is_some() {
            drop(write!(std::io::stderr().lock(), "\r\x1b[K"));
        }
    }
}

fn describe(progress: Progress) -> String {
    let Progress { stage, done, total, samples } = progress;
    let of = match (stage, total) {
        (Stage::Reading, 0) => ByteSize(done).to_string(),
        (Stage::Reading, _) => format!("{} of {}", ByteSize(done), ByteSize(total)),
        (Stage::Writing, _) => format!("day {} of {total}", (done + 1).min(total)),
        (Stage::Exporting, _) => format!("metric {} of {total}", (done + 1).min(total)),
    };
    let doing = match stage {
        Stage::Reading => "reading",
        Stage::Writing => "writing",
        Stage::Exporting => "exporting",
    };
    format!("{doing}: {of}, {samples} samples")
}

/// A moment for people.
pub(super) fn moment(time: i64) -> String {
    jiff::Timestamp::from_millisecond(time)
        .map_or_else(|_| format!("{time} ms"), |timestamp| timestamp.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_says_what_how_far_and_how_much() {
        let f = |stage, done, total, want: &str| {
            assert_eq!(describe(Progress { stage, done, total, samples: 7 }), want);
        };
        f(Stage::Writing, 0, 3, "writing: day 1 of 3, 7 samples");
        f(Stage::Writing, 3, 3, "writing: day 3 of 3, 7 samples");
        f(Stage::Exporting, 1, 3, "exporting: metric 2 of 3, 7 samples");
        assert_eq!(moment(1_795_341_600_500), "2026-11-22T10:00:00.5Z");
    }
}
