//! Functions over range vectors: windows that slide over the samples of one series at a time.
//!
//! The samples of a series are decoded once; the windows of all steps are ranges of positions in
//! them, found in one pass. Functions that need less than each window as a whole bring a way of
//! their own over the floats of a series ([`RangeFunction::column`]).

use std::{ops::Range, sync::Arc};

use masthead_model::{Histogram, Labels};
use masthead_ports::Columns;
use masthead_vecmath::{
    Bounds, CounterResets, RateKind, RateTables, RateWindows, StepGrid, Windows,
};

use super::{
    Error, Evaluation, Scratch,
    counts::{Tally, size},
    grid::Shift,
    pace::Pace,
    row::{ABSENT, Column, Made, Row, TYPE_LABEL, is_absent, merge_same_labels, without_metadata},
    samples::Series,
    usual_values,
};
use crate::{
    SeriesResult,
    annotations::{Note, Notes, metric_name},
    ast::{Call, Expr, MatrixSelector, PosRange, RangeEdges},
};

/// A function over range vectors.
#[derive(Clone, Copy)]
pub(crate) struct RangeFunction {
    /// The value of one window; nothing where the window gives none.
    pub(crate) window: fn(&Window<'_>, &mut RangeNotes<'_>) -> Result<Option<Made>, Error>,
    /// A faster way over a series that has floats alone, where there is one.
    pub(crate) column: Option<fn(&Floats<'_>) -> Column>,
    /// For the functions that extrapolate: what they compute of a series that has floats alone.
    pub(crate) rates: Option<RateKind>,
    /// Whether results are still samples of the metric.
    pub(crate) keeps_name: bool,
    /// Whether it makes sense for counters alone.
    pub(crate) counter: bool,
    /// The modifiers of a range's edges that it knows how to treat.
    pub(crate) edges: &'static [RangeEdges],
}

/// The samples of one series that one step sees.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window<'a> {
    /// The instant of evaluation.
    pub(crate) at: i64,
    /// The range that the selector asks for; samples may reach beyond it where `edges` says so.
    pub(crate) bounds: Bounds,
    pub(crate) edges: RangeEdges,
    pub(crate) times: &'a [i64],
    pub(crate) floats: &'a [f64],
    /// Empty where start times are not used.
    pub(crate) starts: &'a [i64],
    pub(crate) histogram_times: &'a [i64],
    pub(crate) histograms: &'a [Arc<Histogram>],
    pub(crate) histogram_starts: &'a [i64],
    /// The scalar arguments at this step, in order.
    pub(crate) args: &'a [f64],
}

/// A whole series of floats, with the windows of all steps.
#[derive(Debug)]
pub(crate) struct Floats<'a> {
    pub(crate) times: &'a [i64],
    pub(crate) values: &'a [f64],
    pub(crate) grid: &'a StepGrid,
    range: i64,
    offset: i64,
    pace: &'a Pace<'a>,
}

/// Where a range function leaves what it has to say.
#[derive(Debug)]
pub(crate) struct RangeNotes<'a> {
    pub(crate) notes: &'a mut Notes,
    /// The metric's name, or nothing.
    pub(crate) metric: &'a str,
    /// Of the first argument.
    pub(crate) pos: PosRange,
}

/// How samples are selected for each step.
#[derive(Debug, Clone, Copy)]
struct Reach {
    shift: Shift,
    range: i64,
    edges: RangeEdges,
    lookback: i64,
}

/// A histogram takes about as long as so many floats.
const HISTOGRAM_SAMPLES: usize = 64;

impl Floats<'_> {
    /// What `f` makes of the positions of the samples in each window, as long as the query goes on.
    pub(crate) fn each_range(
        &self,
        mut f: impl FnMut(Range<usize>, Bounds) -> Option<f64>,
    ) -> Column {
        let windows = Windows::new(self.times, *self.grid, self.range, self.offset);
        let made = windows.map(|(bounds, range)| {
            if self.pace.goes_on(range.len()) { f(range, bounds).unwrap_or(ABSENT) } else { ABSENT }
        });
        made.collect()
    }

    /// Whether windows share so many samples that looking at each of them anew would be slow.
    pub(crate) fn overlaps(&self) -> bool {
        self.grid.len() > 4 && self.range / 8 > self.grid.step()
    }

    /// What `f` makes of the times and values in each window.
    pub(crate) fn each(&self, f: impl Fn(&[i64], &[f64], Bounds) -> Option<f64>) -> Column {
        self.each_range(|range, bounds| {
            f(self.times.get(range.clone())?, self.values.get(range)?, bounds)
        })
    }
}

impl RangeNotes<'_> {
    /// Notes that a window's histograms are left out, if it has floats as well.
    pub(crate) fn ignored_histograms(&mut self, window: &Window<'_>) {
        if !window.floats.is_empty() && !window.histograms.is_empty() {
            self.notes.add(Note::histogram_ignored_in_range(self.metric, self.pos));
        }
    }
}

impl Reach {
    /// By how much the samples that are needed begin before the range and go on after it.
    fn beyond(&self) -> (i64, i64) {
        match self.edges {
            RangeEdges::Plain => (0, 0),
            RangeEdges::Anchored => (self.lookback, 0),
            RangeEdges::Smoothed => (self.lookback, self.lookback),
        }
    }

    /// The positions in `times` that each step needs.
    fn positions<'t>(
        &self,
        times: &'t [i64],
        grid: &StepGrid,
    ) -> impl Iterator<Item = Range<usize>> + use<'t> {
        let (before, after) = self.beyond();
        let range = self.range.saturating_add(before).saturating_add(after);
        // With `@` every step looks at the same samples.
        let (moving, fixed) = match self.shift.at {
            None => {
                let offset = self.shift.offset.saturating_sub(after);
                (Some(Windows::new(times, *grid, range, offset)), None)
            }
            Some(at) => {
                let instant = StepGrid::instant(at);
                let offset = self.shift.offset.saturating_sub(after);
                let only = Windows::new(times, instant, range, offset).next();
                (None, only.map(|(_, range)| range))
            }
        };
        let fixed = fixed.into_iter().cycle().take(grid.len());
        moving.into_iter().flatten().map(|(_, range)| range).chain(fixed)
    }

    /// Counts the samples that each step looks at, as long as the query goes on.
    fn count(&self, columns: &Columns, grid: &StepGrid, tally: &Tally, pace: &Pace<'_>) {
        for (step, range) in self.positions(&columns.float_times, grid).enumerate() {
            tally.add(step, range.len() as u64);
        }
        for (step, range) in self.positions(&columns.histogram_times, grid).enumerate() {
            if !pace.goes_on(range.len()) {
                return;
            }
            let seen = columns.histograms.get(range).unwrap_or(&[]).iter();
            tally.add(step, seen.fold(0, |sum, histogram| sum + size(histogram)));
        }
    }

    fn bounds(&self, at: i64) -> Bounds {
        Bounds::ending(self.shift.apply(at), self.range, 0)
    }
}

impl Evaluation<'_> {
    /// The rows that `function` makes of the range vector among the arguments of `call`.
    pub(crate) fn range_call(
        &self,
        call: &Call,
        grid: &StepGrid,
        function: &RangeFunction,
    ) -> Result<Vec<Row>, Error> {
        let Some(matrix) = call.args.iter().map(Expr::unparen).find(|arg| is_matrix(arg)) else {
            return Ok(Vec::new());
        };
        let args = self.scalar_args(call, grid)?;
        let (series, reach) = self.series(matrix, grid)?;
        check_edges(call, reach.edges)?;
        let pos = call.args.first().map_or(call.pos, Expr::pos);
        let what = || format!("{} over {} series", call.func.name, series.len());
        let tally = self.counts.as_ref().map(|_| Tally::new(grid.len()));
        self.ctx.traced(what, || {
            let size = (series.len(), usual_values(grid, reach.range));
            let rows = self.each_series(size, |at, scratch, notes| {
                let Some(labels) = series.labels(at) else { return Ok(None) };
                series.read(self.ctx, at, &mut scratch.columns)?;
                if scratch.columns.is_empty() {
                    return Ok(None);
                }
                self.charge_row(grid.len(), scratch.columns.len())?;
                let pace = Pace::new(self.ctx);
                if let Some(tally) = &tally {
                    reach.count(&scratch.columns, grid, tally, &pace);
                }
                let mut says = RangeNotes { notes, metric: metric_name(labels), pos };
                let windows = (&reach, grid, &pace);
                let mut row = range_row(scratch, windows, &args, function, labels, &mut says)?;
                pace.end()?;
                if row.is_empty() {
                    return Ok(None);
                }
                if function.counter {
                    self.check_counter(&row, labels, pos, notes);
                }
                row.drop_name = series.drop_name(at) || !function.keeps_name;
                Ok(Some(row))
            })?;
            if let (Some(counts), Some(tally)) = (&self.counts, tally) {
                counts.add(tally.finish());
            }
            self.range_result(rows.into_iter().flatten().collect())
        })
    }

    /// Notes that a metric does not look like a counter, by its type or by its name.
    fn check_counter(&self, row: &Row, labels: &Labels, pos: PosRange, notes: &mut Notes) {
        let metric = metric_name(labels);
        if metric.is_empty() || row.floats.iter().all(|value| is_absent(*value)) {
            return;
        }
        if self.options.type_and_unit_labels {
            let kind = labels.get(TYPE_LABEL).unwrap_or("");
            if !matches!(kind, "counter" | "histogram") {
                notes.add(Note::possible_non_counter_label(metric, kind, pos));
            }
        } else if !["_total", "_sum", "_count", "_bucket"].iter().any(|end| metric.ends_with(end)) {
            notes.add(Note::possible_non_counter(metric, pos));
        }
    }

    fn range_result(&self, mut rows: Vec<Row>) -> Result<Vec<Row>, Error> {
        if self.options.delayed_name_removal {
            return Ok(rows);
        }
        for row in rows.iter_mut().filter(|row| row.drop_name) {
            row.labels = without_metadata(&row.labels);
        }
        merge_same_labels(rows)
    }

    /// Which steps have any sample in their range, over all series.
    pub(crate) fn steps_with_samples(
        &self,
        call: &Call,
        grid: &StepGrid,
    ) -> Result<Vec<bool>, Error> {
        let mut any = vec![false; grid.len()];
        let Some(matrix) = call.args.first() else { return Ok(any) };
        let (series, reach) = self.series(matrix.unparen(), grid)?;
        check_edges(call, reach.edges)?;
        let tally = self.counts.as_ref().map(|_| Tally::new(grid.len()));
        let size = (series.len(), usual_values(grid, reach.range));
        let each = self.each_series(size, |at, Scratch { columns, .. }, _| {
            series.read(self.ctx, at, columns)?;
            if let Some(tally) = &tally {
                let pace = Pace::new(self.ctx);
                reach.count(columns, grid, tally, &pace);
                pace.end()?;
            }
            let floats = reach.positions(&columns.float_times, grid);
            let histograms = reach.positions(&columns.histogram_times, grid);
            let full = floats.zip(histograms).map(|(f, h)| !f.is_empty() || !h.is_empty());
            Ok(full.collect::<Vec<bool>>())
        })?;
        if let (Some(counts), Some(tally)) = (&self.counts, tally) {
            counts.add(tally.finish());
        }
        for full in each {
            for (any, full) in any.iter_mut().zip(full) {
                *any |= full;
            }
        }
        Ok(any)
    }

    /// The samples of a range selector that is the whole query.
    pub(super) fn matrix_series(
        &self,
        node: &MatrixSelector,
        grid: &StepGrid,
    ) -> Result<Vec<SeriesResult>, Error> {
        let (series, reach) = self.stored(node);
        let tally = self.counts.as_ref().map(|_| Tally::new(grid.len()));
        let size = (series.len(), usual_values(grid, reach.range));
        let all = self.each_series(size, |at, Scratch { columns, .. }, _| {
            let Some(labels) = series.labels(at) else { return Ok(None) };
            series.read(self.ctx, at, columns)?;
            if let Some(tally) = &tally {
                let pace = Pace::new(self.ctx);
                reach.count(columns, grid, tally, &pace);
                pace.end()?;
            }
            let mut result = SeriesResult { labels: labels.clone(), ..SeriesResult::default() };
            let floats = reach.positions(&columns.float_times, grid).next().unwrap_or_default();
            let histograms =
                reach.positions(&columns.histogram_times, grid).next().unwrap_or_default();
            let times = columns.float_times.get(floats.clone()).unwrap_or(&[]);
            let values = columns.floats.get(floats).unwrap_or(&[]);
            let histogram_times = columns.histogram_times.get(histograms.clone()).unwrap_or(&[]);
            let histograms = columns.histograms.get(histograms).unwrap_or(&[]);
            match edge_of(reach.edges) {
                None => {
                    result.floats = times.iter().copied().zip(values.iter().copied()).collect();
                    result.histograms =
                        histogram_times.iter().copied().zip(histograms.iter().cloned()).collect();
                }
                Some(_) if !histograms.is_empty() => {
                    return Err(Error::execution(
                        "anchored modifier is not supported with histograms",
                    ));
                }
                Some(edge) => {
                    let bounds = reach.bounds(grid.start());
                    let (times, values) =
                        masthead_vecmath::extended_points(times, values, bounds, edge);
                    result.floats = times.into_iter().zip(values).collect();
                }
            }
            let any = !result.floats.is_empty() || !result.histograms.is_empty();
            Ok(any.then_some(result))
        })?;
        if let (Some(counts), Some(tally)) = (&self.counts, tally) {
            counts.add(tally.finish());
        }
        Ok(all.into_iter().flatten().collect())
    }

    /// The scalar arguments of a call, one list a step.
    fn scalar_args(&self, call: &Call, grid: &StepGrid) -> Result<Vec<Vec<f64>>, Error> {
        let scalars = call.args.iter().filter(|arg| !is_matrix(arg.unparen()));
        scalars.map(|arg| self.scalar(arg, grid)).collect()
    }

    fn series(&self, matrix: &Expr, grid: &StepGrid) -> Result<(Series<'_>, Reach), Error> {
        let lookback = self.options.lookback_ms;
        match matrix {
            Expr::Subquery(node) => {
                let planned = self.plan.subquery(node);
                let reach = Reach {
                    shift: planned.map_or_else(Shift::default, |planned| planned.shift),
                    range: planned.map_or(0, |planned| planned.range_ms),
                    edges: RangeEdges::Plain,
                    lookback,
                };
                Ok((self.subquery(node, grid)?, reach))
            }
            Expr::Matrix(node) => Ok(self.stored(node)),
            _ => Ok((
                Series::Evaluated { rows: Vec::new(), grid: None },
                Reach { shift: Shift::default(), range: 0, edges: RangeEdges::Plain, lookback },
            )),
        }
    }

    fn stored(&self, node: &MatrixSelector) -> (Series<'_>, Reach) {
        let planned = self.plan.selector(&node.selector);
        let reach = Reach {
            shift: planned.map_or_else(Shift::default, |planned| planned.shift),
            range: planned.map_or(0, |planned| planned.range_ms),
            edges: node.selector.edges,
            lookback: self.options.lookback_ms,
        };
        let selected = planned.and_then(|planned| self.selected.get(planned.selection));
        let series = match selected {
            Some(selected) => {
                let stats_only = planned.is_some_and(|planned| planned.stats_only);
                Series::Stored { selected, use_starts: self.options.start_timestamps, stats_only }
            }
            None => Series::Evaluated { rows: Vec::new(), grid: None },
        };
        (series, reach)
    }
}

/// The edge rule in the words of `vecmath`.
pub(crate) fn edge_of(edges: RangeEdges) -> Option<masthead_vecmath::Edge> {
    match edges {
        RangeEdges::Plain => None,
        RangeEdges::Anchored => Some(masthead_vecmath::Edge::Anchored),
        RangeEdges::Smoothed => Some(masthead_vecmath::Edge::Smoothed),
    }
}

/// The row of a series; unfinished once the query is to end.
fn range_row(
    scratch: &mut Scratch,
    (reach, grid, pace): (&Reach, &StepGrid, &Pace<'_>),
    args: &[Vec<f64>],
    function: &RangeFunction,
    labels: &Labels,
    says: &mut RangeNotes<'_>,
) -> Result<Row, Error> {
    let Scratch { columns, rates } = scratch;
    let plain = columns.histograms.is_empty()
        && columns.float_starts.is_empty()
        && reach.edges == RangeEdges::Plain
        && reach.shift.at.is_none();
    if let (true, Some(kind)) = (plain, function.rates) {
        let (range, offset) = (reach.range, reach.shift.offset);
        let windows = RateWindows { grid: *grid, range, offset, kind };
        if rates.as_ref().is_some_and(|tables| tables.windows() != windows) {
            *rates = None;
        }
        let tables = rates.get_or_insert_with(|| RateTables::new(windows));
        let column = rate_column(columns, tables, windows, pace);
        return Ok(Row::of_floats(labels.clone(), false, column));
    }
    if let (true, Some(column)) = (plain, function.column) {
        let floats = Floats {
            times: &columns.float_times,
            values: &columns.floats,
            grid,
            range: reach.range,
            offset: reach.shift.offset,
            pace,
        };
        return Ok(Row::of_floats(labels.clone(), false, column(&floats)));
    }
    let mut row = Row::of_floats(labels.clone(), false, Column::from_elem(ABSENT, grid.len()));
    let mut step_args = vec![0.0; args.len()];
    let floats = reach.positions(&columns.float_times, grid);
    let histograms = reach.positions(&columns.histogram_times, grid);
    for (step, ((at, floats), histograms)) in grid.iter().zip(floats).zip(histograms).enumerate() {
        if floats.is_empty() && histograms.is_empty() {
            continue;
        }
        if !pace.goes_on(floats.len() + histograms.len().saturating_mul(HISTOGRAM_SAMPLES)) {
            break;
        }
        for (to, from) in step_args.iter_mut().zip(args) {
            *to = from.get(step).copied().unwrap_or(f64::NAN);
        }
        let window = Window {
            at,
            bounds: reach.bounds(at),
            edges: reach.edges,
            times: columns.float_times.get(floats.clone()).unwrap_or(&[]),
            floats: columns.floats.get(floats.clone()).unwrap_or(&[]),
            starts: columns.float_starts.get(floats).unwrap_or(&[]),
            histogram_times: columns.histogram_times.get(histograms.clone()).unwrap_or(&[]),
            histograms: columns.histograms.get(histograms.clone()).unwrap_or(&[]),
            histogram_starts: columns.histogram_starts.get(histograms).unwrap_or(&[]),
            args: &step_args,
        };
        if let Some(made) = (function.window)(&window, says)? {
            row.set(step, made);
        }
    }
    Ok(row)
}

/// Resets are found once for all windows.
fn rate_column(
    columns: &Columns,
    tables: &mut RateTables,
    windows: RateWindows,
    pace: &Pace<'_>,
) -> Column {
    let Columns { float_times, floats, .. } = columns;
    let resets = if windows.kind.is_counter() {
        CounterResets::find(float_times, floats, &[])
    } else {
        CounterResets::default()
    };
    let mut column = Column::from_elem(ABSENT, windows.grid.len());
    let goes_on = |samples| pace.goes_on(samples);
    tables.rates(float_times, floats, &resets, goes_on, &mut column);
    column
}

fn is_matrix(expr: &Expr) -> bool {
    matches!(expr, Expr::Matrix(_) | Expr::Subquery(_))
}

/// `anchored` and `smoothed` bring samples from outside of the range along, which only some
/// functions know how to treat.
fn check_edges(call: &Call, edges: RangeEdges) -> Result<(), Error> {
    let word = match edges {
        RangeEdges::Plain => return Ok(()),
        RangeEdges::Anchored => "anchored",
        RangeEdges::Smoothed => "smoothed",
    };
    let names = crate::functions::range_functions(|function| function.edges.contains(&edges));
    if names.contains(&call.func.name) {
        return Ok(());
    }
    let (names, function) = (names.join(", "), call.func.name);
    Err(Error::execution(format!(
        "{word} modifier can only be used with: {names} - not with {function}"
    )))
}

impl std::fmt::Debug for RangeFunction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RangeFunction")
            .field("keeps_name", &self.keeps_name)
            .finish_non_exhaustive()
    }
}
