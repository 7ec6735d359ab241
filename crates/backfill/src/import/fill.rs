//! A history into a store: window by window, without what is there already.

use std::{sync::Arc, time::Duration};

use foldhash::fast::RandomState;
use hashbrown::HashSet;
use masthead_model::{Labels, Millis, TimeRange};
use masthead_ports::{
    Columns, QueryCtx, QueryLimits, SampleSource as _, SelectHints, Selected, Selection,
};
use masthead_sysio::Clock;
use masthead_tsdb::{BlockSink, Tsdb};

use super::{History, Options, Progress, Report, Skipped, Stage};
use crate::{Error, Result, samples::remove_known};

/// Longest labels of one series; the store's own default.
const LABELS_BYTES_MAX: usize = 64 << 10;

/// Writes what `history` has and `store` has not. Each window is a block of its own, published
/// when it is complete; what an error or a kill cuts off is done by calling this again.
///
/// # Errors
/// What cannot be read or written.
pub fn fill(
    store: &Tsdb,
    clock: &Arc<dyn Clock>,
    history: &mut dyn History,
    options: &Options,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report> {
    let mut report = Report::default();
    let mut series = HashSet::<Labels, RandomState>::default();
    let windows = history.windows(&|time| store.import_window(time))?;
    let total = windows.len() as u64;
    for (done, start) in (0..).zip(windows) {
        let samples = report.samples;
        progress(Progress { stage: Stage::Writing, done, total, samples });
        let (start, end) = store.import_window(start);
        let Some((first, last)) = options.filter.part_of(start, end) else { continue };
        let limits = QueryLimits { timeout: Duration::MAX, samples: u64::MAX };
        let ctx = QueryCtx::new(Arc::clone(clock), limits);
        let mut window = Window { ctx, options, there: There::of(store, clock, first, last)? };
        let published = store.import_block::<Error>(|sink| {
            let visit = &mut |labels: &Labels, columns: &mut Columns| {
                window.series(sink, labels, columns, &mut report, &mut series)
            };
            history.read(first, last, visit)
        })?;
        report.blocks += u64::from(published);
        for warning in window.ctx.warnings() {
            if !report.warnings.contains(&warning) {
                report.warnings.push(warning);
            }
        }
    }
    report.series = series.len() as u64;
    progress(Progress { stage: Stage::Writing, done: total, total, samples: report.samples });
    Ok(report)
}

/// One window on its way.
struct Window<'a> {
    ctx: QueryCtx,
    options: &'a Options,
    there: There,
}

impl Window<'_> {
    fn series(
        &mut self,
        sink: &mut BlockSink,
        labels: &Labels,
        columns: &mut Columns,
        report: &mut Report,
        seen: &mut HashSet<Labels, RandomState>,
    ) -> Result<()> {
        if labels.is_empty() || labels.byte_len() > LABELS_BYTES_MAX {
            report.skip(Skipped::Labels, columns.len() as u64);
            return Ok(());
        }
        if let Some(limit) = self.options.not_after {
            report.skip(Skipped::Future, cut_after(columns, limit));
        }
        let known = remove_known(columns, self.there.of_series(&self.ctx, labels)?);
        report.skip(Skipped::AlreadyThere, known.same);
        report.skip(Skipped::OtherValueThere, known.other);
        let times = columns.float_times.iter().chain(&columns.histogram_times);
        let (Some(first), Some(last)) = (times.clone().min(), times.max()) else { return Ok(()) };
        let (from, to) = report.times.unwrap_or((*first, *last));
        report.times = Some((from.min(*first), to.max(*last)));
        report.samples += columns.len() as u64;
        if !seen.contains(labels) {
            seen.insert(labels.clone());
        }
        Ok(sink.push(labels, columns)?)
    }
}

/// Removes the samples later than `limit`, and says how many.
fn cut_after(columns: &mut Columns, limit: i64) -> u64 {
    let before = columns.len();
    let floats = columns.float_times.partition_point(|time| *time <= limit);
    columns.float_times.truncate(floats);
    columns.floats.truncate(floats);
    columns.float_starts.truncate(floats);
    let histograms = columns.histogram_times.partition_point(|time| *time <= limit);
    columns.histogram_times.truncate(histograms);
    columns.histograms.truncate(histograms);
    columns.histogram_starts.truncate(histograms);
    (before - columns.len()) as u64
}

/// What the store has in a window, asked for in label order.
struct There {
    selected: Option<Selected>,
    at: usize,
    columns: Columns,
}

impl There {
    fn of(store: &Tsdb, clock: &Arc<dyn Clock>, first: i64, last: i64) -> Result<Self> {
        let limits = QueryLimits { timeout: Duration::MAX, samples: u64::MAX };
        let ctx = QueryCtx::new(Arc::clone(clock), limits);
        let range = TimeRange { start: Millis(first), end: Millis(last) };
        let selection = Selection { matchers: Vec::new(), range, hints: SelectHints::default() };
        let selected = store.select(&ctx, &[selection])?.pop();
        Ok(Self { selected, at: 0, columns: Columns::default() })
    }

    /// The samples of a series that comes after all that were asked for before.
    fn of_series(&mut self, ctx: &QueryCtx, labels: &Labels) -> Result<&Columns> {
        self.columns.clear();
        if let Some(selected) = &self.selected {
            while selected.labels.get(self.at).is_some_and(|there| there < labels) {
                self.at += 1;
            }
            if selected.labels.get(self.at) == Some(labels) {
                selected.reader.read(ctx, self.at, &mut self.columns)?;
            }
        }
        Ok(&self.columns)
    }
}
