//! Evaluating queries: once down through the plan, once up over lines.
//!
//! Every selector of a query is planned before anything is read (`engine/plan.rs`) and found by
//! exactly one `select` of the source. A log query reads parts from the end it was asked for until
//! nothing that is left can matter (`engine/lines.rs`). A metric query reads parts in parallel,
//! keeps of their lines only what the windows of its steps need (`engine/range.rs`), and evaluates
//! what stands around it over whole series (`engine/evaluate.rs`).
//!
//! The engine holds no state between queries, reads no clock but the one in [`QueryCtx`], and uses
//! other threads only if it is given a pool. The answer does not depend on how many there are.

use std::sync::Arc;

use masthead_model::Nanos;
use masthead_ports::{Direction, LogSelected, LogSource, QueryCtx};
use masthead_vecmath::StepGrid;
use rayon::ThreadPool;

mod aggregate;
mod answer;
mod binary;
mod error;
mod evaluate;
mod groups;
mod lines;
mod memo;
mod pipeline;
mod plan;
mod range;
mod row;
mod search;
mod state;
mod window;

pub use answer::{Answer, LineEntry, LineLabels, Lines, Pair, Sample, Series};
pub use error::Error;
pub use pipeline::Pipeline;

use crate::ast::{Expr, LogExpr, MetricExpr};
use groups::GroupBudget;
use range::Extractor;

/// Lines of an answer are as many as were asked for at most, but templates can make each a million
/// times as long.
const ANSWER_BYTES_MAX: usize = 256 << 20;

/// How queries are evaluated.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// Series that an answer may have: Loki's `max_query_series`.
    pub series_max: usize,
    /// Bytes of the label sets into which the lines of one query fall, and of their series.
    pub group_bytes_max: usize,
    /// Bytes of the lines of an answer, their labels included.
    pub answer_bytes_max: usize,
    /// Where parts are read in parallel; on the caller's thread without one.
    pub pool: Option<Arc<ThreadPool>>,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            series_max: 500,
            group_bytes_max: 256 << 20,
            answer_bytes_max: ANSWER_BYTES_MAX,
            pool: None,
        }
    }
}

/// What is asked of a query beside its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Params {
    /// For lines the first instant; for numbers the first step, or the one instant.
    pub start: Nanos,
    /// For lines the instant behind the last; for numbers the end of the steps.
    pub end: Nanos,
    /// Nanoseconds from step to step; 0 asks for the one instant `start`.
    ///
    /// Steps stand at `start`, `start + step` and so on: aligning both ends to multiples of the
    /// step, as Loki's frontend does, is the caller's business.
    pub step: i64,
    /// Lines closer than this to the one before, in nanoseconds, are left out.
    pub interval: i64,
    /// How many lines to return at most.
    pub limit: usize,
    /// From which end to read lines, and in which order they are returned.
    pub direction: Direction,
}

impl Params {
    /// For one instant.
    pub fn instant(at: Nanos) -> Self {
        Self { start: at, end: at, step: 0, interval: 0, limit: 0, direction: Direction::default() }
    }

    fn is_instant(&self) -> bool {
        self.step == 0
    }
}

/// Evaluates queries; see the module.
#[derive(Debug, Clone, Default)]
pub struct Engine {
    options: EngineOptions,
}

/// Everything that the evaluation of one query shares.
#[derive(Debug)]
struct Evaluation<'a> {
    options: &'a EngineOptions,
    ctx: &'a QueryCtx,
    params: Params,
    grid: StepGrid,
    budget: GroupBudget,
}

/// Checks that every stage of a query can be made, as Loki does while it parses.
pub(crate) fn check(expr: &Expr) -> Result<(), crate::ParseError> {
    match expr {
        Expr::Log(log) => Pipeline::new(log).map(drop),
        Expr::Metric(metric) => {
            metric.ranges().into_iter().try_for_each(|node| Extractor::new(node, None).map(drop))
        }
    }
}

impl Engine {
    /// An engine for these options.
    pub fn new(options: EngineOptions) -> Self {
        Self { options }
    }

    /// How it evaluates.
    pub fn options(&self) -> &EngineOptions {
        &self.options
    }

    /// Evaluates a query.
    ///
    /// # Errors
    /// [`Error`] with Loki's texts.
    pub fn query(
        &self,
        ctx: &QueryCtx,
        source: &dyn LogSource,
        expr: &Expr,
        params: &Params,
    ) -> Result<Answer, Error> {
        ctx.check()?;
        match expr {
            Expr::Log(_) if params.is_instant() => Err(Error::LogsAtInstant),
            Expr::Log(log) => self.lines(ctx, source, log, params).map(Answer::Streams),
            Expr::Metric(metric) => self.metric(ctx, source, metric, params),
        }
    }

    fn lines(
        &self,
        ctx: &QueryCtx,
        source: &dyn LogSource,
        log: &LogExpr,
        params: &Params,
    ) -> Result<Lines, Error> {
        let pipeline = Pipeline::new(log)?;
        let selection = plan::of_lines(log, params.start, params.end, params.direction);
        let Some(selection) = selection.filter(|_| params.limit > 0) else {
            return Ok(Lines::default());
        };
        let mut selected =
            ctx.traced(|| format!("find parts of {log}"), || source.select(ctx, &[selection]))?;
        let Some(selected) = selected.pop() else { return Ok(Lines::default()) };
        let search = search::Search::new(log);
        let reading = lines::Reading {
            ctx,
            selected: &selected,
            pipeline: &pipeline,
            search: &search,
            params,
            bytes_max: self.options.answer_bytes_max,
        };
        ctx.traced(
            || format!("read {} parts", selected.parts.len()),
            || reading.run(self.options.pool.as_deref()),
        )
    }

    fn metric(
        &self,
        ctx: &QueryCtx,
        source: &dyn LogSource,
        metric: &MetricExpr,
        params: &Params,
    ) -> Result<Answer, Error> {
        let grid = if params.is_instant() {
            StepGrid::instant(params.start.0)
        } else {
            StepGrid::new(params.start.0, params.end.0, params.step).ok_or(Error::Step)?
        };
        let budget = GroupBudget::new(self.options.group_bytes_max);
        let evaluation = Evaluation { options: &self.options, ctx, params: *params, grid, budget };
        let mut extractors = Vec::new();
        evaluate::extractors(metric, None, &mut extractors)?;
        let mut selections = Vec::new();
        for extractor in &extractors {
            selections.extend(extractor.selection(&grid));
        }
        let mut selected = if selections.is_empty() {
            Vec::new()
        } else {
            let what = || format!("find parts of {} selectors", selections.len());
            ctx.traced(what, || source.select(ctx, &selections))?
        }
        .into_iter();
        // A window that holds no instant selects nothing, and no selection stands for it.
        let mut rows = Vec::new();
        for extractor in &extractors {
            let selected: Option<LogSelected> =
                extractor.selection(&grid).and_then(|_| selected.next());
            let what = || format!("read {}", extractor.node());
            rows.push(ctx.traced(what, || evaluation.range(extractor, selected.as_ref()))?);
        }
        evaluation.answer(metric, rows)
    }
}
