//! Evaluating queries: once down through the plan, once up over columns.
//!
//! A query is parsed, planned (`engine/plan.rs`: everything that will be read, before anything
//! is), answered by exactly one `select` of the source, and evaluated node by node
//! (`engine/evaluate.rs`). Each node yields whole rows over all steps (`engine/row.rs`); labels are
//! looked at once a query, never once a step. What functions compute is in `functions/`, what
//! aggregations do in `engine/aggregate.rs`, operators in `engine/binary.rs`.
//!
//! The engine holds no state between queries, reads no clock but the one in [`QueryCtx`], and
//! uses other threads only if it is given a pool.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use masthead_model::{Histogram, Millis, Value as SampleValue};
use masthead_ports::{Columns, QueryCtx, SampleSource, Selected};
use masthead_vecmath::{RateTables, StepGrid};
use rayon::{ThreadPool, prelude::*};

mod aggregate;
mod binary;
mod counts;
mod error;
mod evaluate;
mod grid;
pub(crate) mod interpolate;
mod pace;
mod plan;
mod range;
mod row;
mod samples;
mod selector;

pub use error::Error;
pub(crate) use evaluate::{Value, map_floats};
pub(crate) use plan::{QueryTimes, info_names};
pub(crate) use range::{Floats, RangeFunction, RangeNotes, Window, edge_of};
pub(crate) use row::{
    ABSENT, Cell, Column, Made, Row, drop_empty, is_absent, is_metadata_label, merge_same_labels,
};
pub(crate) use selector::{Wanted, seconds};

use crate::{
    Annotations, Features, InstantSample, QueryValue, SeriesResult,
    annotations::Notes,
    ast::{Expr, ValueType},
};
use counts::StepCounts;
use plan::Plan;
use row::without_metadata;

/// How queries are evaluated.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "one switch for each of upstream's flags")]
pub struct EngineOptions {
    /// How long a sample is seen by instant selectors, in milliseconds: `--query.lookback-delta`.
    pub lookback_ms: i64,
    /// The step of subqueries that name none, in milliseconds: the global evaluation interval.
    pub subquery_step_ms: i64,
    /// The experimental parts of the language.
    pub features: Features,
    /// Whether `@` is allowed.
    pub at_modifier: bool,
    /// Whether offsets may be negative.
    pub negative_offset: bool,
    /// Whether a metric's name is dropped once the whole query is evaluated rather than by each
    /// function: upstream's `promql-delayed-name-removal`.
    pub delayed_name_removal: bool,
    /// Whether `rate` and `increase` look at the label `__type__` rather than at the name to warn
    /// about gauges: `type-and-unit-labels`.
    pub type_and_unit_labels: bool,
    /// Whether counters are taken to start where their samples say so: `use-start-timestamps`.
    pub start_timestamps: bool,
    /// Where series are evaluated in parallel; on the caller's thread without one.
    pub pool: Option<Arc<ThreadPool>>,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            lookback_ms: 300_000,
            subquery_step_ms: 60_000,
            features: Features::STABLE,
            at_modifier: true,
            negative_offset: true,
            delayed_name_removal: true,
            type_and_unit_labels: false,
            start_timestamps: false,
            pool: None,
        }
    }
}

/// Evaluates queries; see the module.
#[derive(Debug, Clone, Default)]
pub struct Engine {
    options: EngineOptions,
}

/// What a query answers, and what there is to say about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The answer.
    pub value: QueryValue,
    /// Warnings and infos of the language; the store's own warnings are in the [`QueryCtx`].
    pub annotations: Annotations,
}

/// Everything that the evaluation of one query shares.
#[derive(Debug)]
pub(crate) struct Evaluation<'a> {
    pub(crate) options: &'a EngineOptions,
    pub(crate) ctx: &'a QueryCtx,
    pub(crate) times: QueryTimes,
    pub(crate) plan: Plan,
    /// One for each selection of the plan.
    pub(crate) selected: Vec<Selected>,
    notes: Mutex<Notes>,
    /// Of label values that were made.
    label_bytes: AtomicUsize,
    /// There when samples are counted step by step.
    counts: Option<StepCounts>,
    /// What no thread uses just now: tables that one share of the series has made, or one selector of
    /// the query, serve the next.
    scratches: Mutex<Vec<Scratch>>,
}

/// What one thread uses again from series to series.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// The samples of the series.
    pub(crate) columns: Columns,
    /// What the series of one scrape have in common, once a function asks for it.
    pub(crate) rates: Option<RateTables>,
}

/// A scratch on loan; dropping it gives it back.
struct Lent<'a> {
    scratch: Scratch,
    home: &'a Mutex<Vec<Scratch>>,
}

/// About how many values are read of a series that is scraped as often as usual, and made of it, when
/// each step looks back for `reach` milliseconds.
pub(crate) fn usual_values(grid: &StepGrid, reach: i64) -> usize {
    let span = grid.end().saturating_sub(grid.start()).saturating_add(reach);
    usize::try_from(span / USUAL_INTERVAL_MS).unwrap_or(0).saturating_add(grid.len())
}

impl<'a> Lent<'a> {
    fn of(home: &'a Mutex<Vec<Scratch>>) -> Self {
        let kept = home.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Self { scratch: kept.unwrap_or_default(), home }
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut home = self.home.lock().unwrap_or_else(PoisonError::into_inner);
        home.push(std::mem::take(&mut self.scratch));
    }
}

/// Bytes of label values that functions and operators of one query may make. A label that is doubled
/// by every call around it ends here.
pub(crate) const LABEL_BYTES_MAX: usize = 256 << 20;
/// Below this many values to be read and made, a quarter of a millisecond of work, the calling thread
/// alone is faster than waking others.
const PARALLEL_VALUES_MIN: usize = 32_768;
/// How far samples of a series are apart where nobody knows better, in milliseconds.
const USUAL_INTERVAL_MS: i64 = 15_000;
/// Series are dealt out in this many shares a thread, so that none waits long for another.
const SHARES_PER_THREAD: usize = 4;
/// Series of one share at least.
const SHARE_MIN: usize = 16;

impl Engine {
    /// An engine for these options.
    pub fn new(options: EngineOptions) -> Self {
        Self { options }
    }

    /// How it evaluates.
    pub fn options(&self) -> &EngineOptions {
        &self.options
    }

    /// Evaluates `query` at one instant.
    ///
    /// # Errors
    /// [`Error`] with upstream's texts.
    pub fn instant(
        &self,
        ctx: &QueryCtx,
        source: &dyn SampleSource,
        query: &str,
        at: Millis,
    ) -> Result<Answer, Error> {
        let times = QueryTimes { start: at, end: at, step_ms: 0 };
        let expr = crate::parse(query, &self.options.features)?;
        let grid = StepGrid::instant(at.0);
        self.evaluate(ctx, source, query, &expr, times, |evaluation| {
            if expr.value_type() == ValueType::Matrix {
                return evaluation.matrix(&expr, &grid).map(QueryValue::Matrix);
            }
            Ok(match evaluation.evaluate(&expr, &grid)? {
                Value::Scalar(values) => {
                    QueryValue::Scalar(values.first().copied().unwrap_or(f64::NAN), at)
                }
                Value::String(text) => QueryValue::String(text, at),
                Value::Vector(rows) => QueryValue::Vector(
                    evaluation
                        .finish(rows)?
                        .into_iter()
                        .filter_map(|row| sample(&row, at))
                        .collect(),
                ),
            })
        })
    }

    /// Evaluates `query` at `start` and every `step_ms` milliseconds after it up to `end`.
    ///
    /// # Errors
    /// [`Error`] with upstream's texts.
    pub fn range(
        &self,
        ctx: &QueryCtx,
        source: &dyn SampleSource,
        query: &str,
        start: Millis,
        end: Millis,
        step_ms: i64,
    ) -> Result<Answer, Error> {
        let times = QueryTimes { start, end, step_ms };
        let expr = crate::parse(query, &self.options.features)?;
        if !matches!(expr.value_type(), ValueType::Scalar | ValueType::Vector) {
            return Err(Error::RangeQueryType { found: expr.value_type().documented() });
        }
        if step_ms <= 0 && start < end {
            return Err(Error::Step);
        }
        let grid = grid::grid(start.0, end.0, step_ms)?;
        self.evaluate(ctx, source, query, &expr, times, |evaluation| {
            let Some(grid) = grid else { return Ok(QueryValue::Matrix(Vec::new())) };
            let rows = match evaluation.evaluate(&expr, &grid)? {
                Value::Scalar(values) => {
                    vec![Row::of_floats(masthead_model::Labels::default(), false, values.into())]
                }
                Value::String(_) => Vec::new(),
                Value::Vector(rows) => evaluation.finish(rows)?,
            };
            let mut series: Vec<_> = rows.iter().map(|row| series(row, &grid)).collect();
            series.sort_by(|a, b| a.labels.cmp(&b.labels));
            Ok(QueryValue::Matrix(series))
        })
    }

    fn evaluate(
        &self,
        ctx: &QueryCtx,
        source: &dyn SampleSource,
        query: &str,
        expr: &Expr,
        times: QueryTimes,
        run: impl FnOnce(&Evaluation<'_>) -> Result<QueryValue, Error>,
    ) -> Result<Answer, Error> {
        ctx.check()?;
        let plan = Plan::new(expr, times, &self.options)?;
        let selected = if plan.selections.is_empty() {
            Vec::new()
        } else {
            let what = || format!("find series of {} selectors", plan.selections.len());
            ctx.traced(what, || source.select(ctx, &plan.selections))?
        };
        let counted = if ctx.wants_step_counts() {
            grid::grid(times.start.0, times.end.0, times.step_ms)?
        } else {
            None
        };
        let evaluation = Evaluation {
            options: &self.options,
            ctx,
            times,
            plan,
            selected,
            notes: Mutex::default(),
            label_bytes: AtomicUsize::new(0),
            counts: counted.map(|grid| StepCounts::new(grid.len())),
            scratches: Mutex::default(),
        };
        let value = run(&evaluation)?;
        if let (Some(counts), Some(grid)) = (evaluation.counts, counted) {
            ctx.set_step_counts(grid.iter().zip(counts.finish()).collect());
        }
        let notes = evaluation.notes.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(Answer { value, annotations: notes.render(query) })
    }
}

impl Evaluation<'_> {
    /// Adds to the warnings and infos of the answer.
    pub(crate) fn note(&self, notes: Notes) {
        if !notes.is_empty() {
            self.notes.lock().unwrap_or_else(PoisonError::into_inner).merge(notes);
        }
    }

    /// Pays for values of labels that are about to be made.
    ///
    /// # Errors
    /// [`Error::LabelBytes`] once the query has made too many.
    pub(crate) fn charge_labels(&self, bytes: usize) -> Result<(), Error> {
        let before = self.label_bytes.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > LABEL_BYTES_MAX { Err(Error::LabelBytes) } else { Ok(()) }
    }

    /// The threads that share the work. None in an attempt, which would wait for them to be done
    /// with the queries of others.
    fn pool(&self) -> Option<&ThreadPool> {
        let pool = self.options.pool.as_deref()?;
        (pool.current_num_threads() > 1 && !self.ctx.is_attempt()).then_some(pool)
    }

    /// Runs `work` for each of `count` series of about so many values, in parallel where that pays,
    /// with a buffer that is used again. Answers and notes come in the order of the series.
    pub(crate) fn each_series<T: Send>(
        &self,
        (count, values): (usize, usize),
        work: impl Fn(usize, &mut Scratch, &mut Notes) -> Result<T, Error> + Sync,
    ) -> Result<Vec<T>, Error> {
        let much = count.saturating_mul(values) >= PARALLEL_VALUES_MIN;
        let pool = self.pool().filter(|_| much);
        // Neighbours often share their times, so a thread gets many of them at once.
        let share = pool.map_or(count, |pool| {
            (count / (SHARES_PER_THREAD * pool.current_num_threads())).max(SHARE_MIN)
        });
        let failed = AtomicBool::new(false);
        let shares = masthead_vecmath::each(pool, count.div_ceil(share.max(1)), |number| {
            let mut notes = Notes::default();
            if failed.load(Ordering::Relaxed) {
                return Ok((Vec::new(), notes));
            }
            let mut lent = Lent::of(&self.scratches);
            let of_share = number * share..count.min((number + 1) * share);
            let made: Result<Vec<T>, Error> =
                of_share.map(|at| work(at, &mut lent.scratch, &mut notes)).collect();
            if made.is_err() {
                failed.store(true, Ordering::Relaxed);
            }
            made.map(|made| (made, notes))
        });
        let mut all = Vec::with_capacity(count);
        for share in shares {
            let (made, notes) = share?;
            self.note(notes);
            all.extend(made);
        }
        Ok(all)
    }

    /// Runs `work` on each row, in parallel where that pays.
    pub(crate) fn each_row(&self, rows: &mut [Row], work: impl Fn(&mut Row) + Sync + Send) {
        let cells = rows.len() * rows.first().map_or(0, Row::steps);
        match self.pool() {
            Some(pool) if cells >= PARALLEL_VALUES_MIN => {
                pool.install(|| rows.par_iter_mut().with_min_len(16).for_each(work));
            }
            _ => rows.iter_mut().for_each(work),
        }
    }

    /// Pays for the memory of a row of `steps`, before it is taken; `read` samples of it are
    /// already paid for.
    pub(crate) fn charge_row(&self, steps: usize, read: usize) -> Result<(), Error> {
        match steps.saturating_sub(read) {
            // Nothing more, and whether to go on was asked when the samples were read.
            0 => Ok(()),
            more => Ok(self.ctx.charge(more as u64)?),
        }
    }

    /// Pays for the histograms that rows hold, by their size as upstream does: 16 bytes a sample.
    pub(crate) fn charge_histograms(&self, rows: &[Row]) -> Result<(), Error> {
        let columns = rows.iter().filter_map(|row| row.histograms.as_deref());
        let bytes: usize =
            columns.flat_map(|column| column.iter().flatten()).map(|h| h.byte_len()).sum();
        if bytes > 0 {
            self.ctx.charge((bytes / 16) as u64)?;
        }
        Ok(())
    }

    /// Marks rows as no longer being the metric that their name says.
    ///
    /// # Errors
    /// [`Error::SameLabelset`] when names are dropped at once and rows become the same.
    pub(crate) fn drop_names(&self, mut rows: Vec<Row>) -> Result<Vec<Row>, Error> {
        if self.options.delayed_name_removal {
            for row in &mut rows {
                row.drop_name = true;
            }
            return Ok(rows);
        }
        for row in &mut rows {
            row.labels = without_metadata(&row.labels);
        }
        merge_same_labels(rows)
    }

    /// Drops the names that were only marked so far.
    ///
    /// # Errors
    /// [`Error::SameLabelset`] when rows become the same that have samples at the same step.
    fn finish(&self, mut rows: Vec<Row>) -> Result<Vec<Row>, Error> {
        self.ctx.check()?;
        for row in rows.iter_mut().filter(|row| row.drop_name) {
            row.labels = without_metadata(&row.labels);
            row.drop_name = false;
        }
        merge_same_labels(rows)
    }

    /// A selection as it would be written.
    pub(crate) fn describe(&self, selection: usize) -> String {
        let Some(selection) = self.plan.selections.get(selection) else { return String::new() };
        let matchers: Vec<String> = selection.matchers.iter().map(ToString::to_string).collect();
        format!("{{{}}}", matchers.join(","))
    }
}

/// The one sample of a row of an instant query.
fn sample(row: &Row, at: Millis) -> Option<InstantSample> {
    let value = match row.cell(0) {
        Cell::Absent => return None,
        Cell::Float(value) => SampleValue::Float(value),
        Cell::Histogram(histogram) => SampleValue::Histogram(Box::new(Histogram::clone(histogram))),
    };
    Some(InstantSample { labels: row.labels.clone(), timestamp: at, value })
}

/// A row with its times.
fn series(row: &Row, grid: &StepGrid) -> SeriesResult {
    let mut series = SeriesResult { labels: row.labels.clone(), ..SeriesResult::default() };
    // Counted first, because a row of thousands of steps would be copied again and again as it
    // grows.
    let present = row.floats.iter().filter(|value| !is_absent(**value)).count();
    series.floats = Vec::with_capacity(present);
    let floats = row.floats.iter().zip(grid.iter()).filter(|(value, _)| !is_absent(**value));
    series.floats.extend(floats.map(|(value, at)| (at, *value)));
    if let Some(histograms) = &row.histograms {
        series.histograms = histograms
            .iter()
            .zip(grid.iter())
            .filter_map(|(histogram, at)| Some((at, Arc::clone(histogram.as_ref()?))))
            .collect();
    }
    series
}

#[cfg(test)]
mod tests;
