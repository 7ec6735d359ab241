//! What a query will read, known before anything is read.
//!
//! The plan walks the tree once. It resolves durations, offsets and `@` to milliseconds, works
//! out for every selector the range of samples that it can need (ranges are left-open since
//! Prometheus 3; `promql/engine.go: getTimeRangesForSelector`), and marks the parts whose value
//! does not depend on the step, so that they are evaluated once. It never evaluates.
//!
//! Nodes are known by their address: the tree is borrowed for as long as the plan lives.

use std::collections::{HashMap, HashSet};

use masthead_model::{METRIC_NAME, MatchOp, Matcher, Millis, TimeRange};
use masthead_ports::{SelectHints, Selection};

use super::{
    EngineOptions, Error,
    grid::{Shift, resolve_at},
};
use crate::ast::{
    AggregateOp, At, BinaryOp, Call, Duration, DurationContext, Expr, MatrixSelector, RangeEdges,
    Subquery, ValueType, VectorSelector,
};

/// The metric that `info` reads unless told otherwise.
const TARGET_INFO: &str = "target_info";

/// What is known before reading.
#[derive(Debug)]
pub(crate) struct Plan {
    /// What to ask the store for, in the order of the walk.
    pub(crate) selections: Vec<Selection>,
    selectors: HashMap<usize, PlannedSelector>,
    subqueries: HashMap<usize, PlannedSubquery>,
    infos: HashMap<usize, PlannedSelector>,
    invariant: HashSet<usize>,
}

/// A selector with its durations resolved.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlannedSelector {
    /// Its place in [`Plan::selections`].
    pub(crate) selection: usize,
    /// How far back a range selector reaches; 0 for an instant selector.
    pub(crate) range_ms: i64,
    pub(crate) shift: Shift,
    /// Whether of histograms only their count and sum are looked at.
    pub(crate) stats_only: bool,
}

/// A subquery with its durations resolved.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlannedSubquery {
    pub(crate) range_ms: i64,
    pub(crate) step_ms: i64,
    pub(crate) shift: Shift,
}

/// The instants of the whole query.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueryTimes {
    pub(crate) start: Millis,
    pub(crate) end: Millis,
    /// 0 for an instant query.
    pub(crate) step_ms: i64,
}

/// Where the walk is: the instants that are evaluated there and what is above.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    first: i64,
    last: i64,
    step_ms: i64,
    /// The function or aggregation directly above, as a hint for the store.
    function: Option<&'a str>,
    /// Whether something above asks for nothing but counts and sums of histograms.
    asks_stats: bool,
    /// Whether something above needs their buckets.
    needs_buckets: bool,
}

struct Planner<'o> {
    options: &'o EngineOptions,
    times: QueryTimes,
    plan: Plan,
}

impl Plan {
    /// Plans `expr` for the instants of `times`.
    ///
    /// # Errors
    /// Durations without a value, and modifiers that are switched off.
    pub(crate) fn new(
        expr: &Expr,
        times: QueryTimes,
        options: &EngineOptions,
    ) -> Result<Self, Error> {
        let plan = Self {
            selections: Vec::new(),
            selectors: HashMap::new(),
            subqueries: HashMap::new(),
            infos: HashMap::new(),
            invariant: HashSet::new(),
        };
        let mut planner = Planner { options, times, plan };
        let root = Place {
            first: times.start.0,
            last: times.end.0,
            step_ms: times.step_ms,
            function: None,
            asks_stats: false,
            needs_buckets: false,
        };
        planner.visit(expr, root)?;
        planner.mark_invariant(expr);
        Ok(planner.plan)
    }

    pub(crate) fn selector(&self, node: &VectorSelector) -> Option<PlannedSelector> {
        self.selectors.get(&address(node)).copied()
    }

    pub(crate) fn subquery(&self, node: &Subquery) -> Option<PlannedSubquery> {
        self.subqueries.get(&address(node)).copied()
    }

    /// The info series that a call of `info` reads.
    pub(crate) fn info(&self, call: &Call) -> Option<PlannedSelector> {
        self.infos.get(&address(call)).copied()
    }

    /// Whether the value of `expr` is the same at every step.
    pub(crate) fn is_invariant(&self, expr: &Expr) -> bool {
        self.invariant.contains(&address(expr))
    }
}

impl QueryTimes {
    /// What duration expressions may ask.
    pub(crate) fn durations(&self) -> DurationContext {
        DurationContext { step_ms: self.step_ms, range_ms: self.end.0.saturating_sub(self.start.0) }
    }
}

impl Planner<'_> {
    fn visit(&mut self, expr: &Expr, place: Place<'_>) -> Result<(), Error> {
        match expr {
            Expr::Number(_) | Expr::String(_) => Ok(()),
            Expr::Paren(node) => self.visit(&node.expr, place),
            Expr::Unary(node) => self.visit(&node.expr, place),
            Expr::Binary(node) => {
                let needs_buckets = place.needs_buckets || compares_buckets(node.op);
                let below = Place { function: None, needs_buckets, ..place };
                self.visit(&node.lhs, below)?;
                self.visit(&node.rhs, below)
            }
            Expr::Aggregate(node) => {
                let needs_buckets = place.needs_buckets || node.op == AggregateOp::CountValues;
                let below = Place { function: Some(node.op.as_str()), needs_buckets, ..place };
                self.visit(&node.expr, below)?;
                node.param.as_ref().map_or(Ok(()), |param| self.visit(param, below))
            }
            Expr::Call(call) if call.func.name == "info" => self.visit_info(call, place),
            Expr::Call(call) => {
                let name = call.func.name;
                let below = Place {
                    function: Some(name),
                    asks_stats: place.asks_stats || asks_stats(name),
                    needs_buckets: place.needs_buckets || needs_buckets(name),
                    ..place
                };
                call.args.iter().try_for_each(|arg| self.visit(arg, below))
            }
            Expr::Subquery(node) => self.visit_subquery(node, place),
            Expr::Vector(node) => {
                let shift = self.shift(node.at, &node.offset)?;
                let planned = self.select(node, shift, 0, place);
                self.plan.selectors.insert(address(node.as_ref()), planned);
                Ok(())
            }
            Expr::Matrix(node) => self.visit_matrix(node, place),
        }
    }

    fn visit_matrix(&mut self, node: &MatrixSelector, place: Place<'_>) -> Result<(), Error> {
        let selector = &node.selector;
        let shift = self.shift(selector.at, &selector.offset)?;
        let range_ms = node.range.resolve_positive(self.times.durations())?;
        let planned = self.select(selector, shift, range_ms, place);
        self.plan.selectors.insert(address(selector), planned);
        Ok(())
    }

    fn visit_subquery(&mut self, node: &Subquery, place: Place<'_>) -> Result<(), Error> {
        let durations = self.times.durations();
        let shift = self.shift(node.at, &node.offset)?;
        let range_ms = node.range.resolve_positive(durations)?;
        let step_ms = match &node.step {
            Some(step) => step.resolve_positive(durations)?,
            None => 0,
        };
        let step_ms = if step_ms > 0 { step_ms } else { self.options.subquery_step_ms.max(1) };
        self.plan.subqueries.insert(address(node), PlannedSubquery { range_ms, step_ms, shift });
        let below = Place {
            first: shift.apply(place.first).saturating_sub(range_ms),
            last: shift.apply(place.last),
            step_ms,
            // The samples between two steps are not looked at, so resets must be found again, and
            // that takes the buckets.
            needs_buckets: true,
            ..place
        };
        self.visit(&node.expr, below)
    }

    /// Info series are read as of the instants at which the first selector of the first argument
    /// is read, so that `@` and `offset` there pin which info series describes the samples.
    fn visit_info(&mut self, call: &Call, place: Place<'_>) -> Result<(), Error> {
        let below = Place { function: Some("info"), ..place };
        let Some(base) = call.args.first() else { return Ok(()) };
        self.visit(base, below)?;
        let shift = self.first_shift(base).unwrap_or_default();
        let matchers = match call.args.get(1).map(Expr::unparen) {
            Some(Expr::Vector(filter)) => info_matchers(&filter.matchers),
            _ => info_matchers(&[]),
        };
        let lookback = self.options.lookback_ms;
        let first = shift.apply(below.first).saturating_sub(lookback).saturating_add(1);
        let range = range(first, shift.apply(below.last));
        let planned = self.push(matchers, range, 0, below, shift);
        self.plan.infos.insert(address(call), planned);
        Ok(())
    }

    /// How the first selector in `expr` moves away from the instants of `expr` itself.
    fn first_shift(&self, expr: &Expr) -> Option<Shift> {
        match expr {
            Expr::Vector(node) => self.plan.selector(node).map(|planned| planned.shift),
            Expr::Matrix(node) => self.plan.selector(&node.selector).map(|planned| planned.shift),
            Expr::Subquery(node) => {
                let outer = self.plan.subquery(node)?.shift;
                let inner = self.first_shift(&node.expr).unwrap_or_default();
                Some(match (inner.at, outer.at) {
                    (Some(_), _) => inner,
                    (None, at) => Shift { at, offset: outer.offset.saturating_add(inner.offset) },
                })
            }
            _ => expr.children().find_map(|child| self.first_shift(child)),
        }
    }

    fn shift(&self, at: Option<At>, offset: &Duration) -> Result<Shift, Error> {
        let offset = offset.resolve(self.times.durations())?;
        if at.is_some() && !self.options.at_modifier {
            return Err(Error::AtModifierDisabled);
        }
        if offset < 0 && !self.options.negative_offset {
            return Err(Error::NegativeOffsetDisabled);
        }
        Ok(Shift { at: resolve_at(at, self.times.start, self.times.end), offset })
    }

    fn select(
        &mut self,
        node: &VectorSelector,
        shift: Shift,
        range_ms: i64,
        place: Place<'_>,
    ) -> PlannedSelector {
        let lookback = self.options.lookback_ms;
        let reach = if range_ms == 0 { lookback } else { range_ms };
        let (before, after) = match (node.edges, range_ms) {
            (RangeEdges::Plain, _) | (RangeEdges::Anchored, 0) => (reach, 0),
            (RangeEdges::Smoothed, 0) => (reach, lookback),
            (RangeEdges::Anchored, _) => (reach.saturating_add(lookback), 0),
            (RangeEdges::Smoothed, _) => (reach.saturating_add(lookback), lookback),
        };
        let range = range(
            shift.apply(place.first).saturating_sub(before).saturating_add(1),
            shift.apply(place.last).saturating_add(after),
        );
        self.push(node.matchers.clone(), range, range_ms, place, shift)
    }

    fn push(
        &mut self,
        matchers: Vec<Matcher>,
        range: TimeRange<Millis>,
        range_ms: i64,
        place: Place<'_>,
        shift: Shift,
    ) -> PlannedSelector {
        let hints = SelectHints {
            step_ms: place.step_ms,
            range_ms,
            function: place.function.map(str::to_owned),
            limit: None,
            labels_only: false,
        };
        let selection = self.plan.selections.len();
        self.plan.selections.push(Selection { matchers, range, hints });
        let stats_only = place.asks_stats && !place.needs_buckets;
        PlannedSelector { selection, range_ms, shift, stats_only }
    }

    /// Whether the value of `expr` is the same at every step; notes it for every part.
    fn mark_invariant(&mut self, expr: &Expr) -> bool {
        let invariant = match expr {
            Expr::Number(_) | Expr::String(_) => return true,
            Expr::Vector(node) => node.at.is_some(),
            Expr::Matrix(node) => node.selector.at.is_some(),
            Expr::Subquery(node) => {
                self.mark_invariant(&node.expr);
                node.at.is_some()
            }
            Expr::Call(call) => {
                let args = call.args.iter().map(|arg| self.mark_invariant(arg));
                // Every argument must be visited, so no short cut.
                let args = args.fold(true, |all, one| all & one);
                args && !depends_on_the_step(call.func.name)
            }
            Expr::Aggregate(_) | Expr::Binary(_) | Expr::Paren(_) | Expr::Unary(_) => {
                let children = expr.children().map(|child| self.mark_invariant(child));
                children.fold(true, |all, one| all & one)
            }
        };
        if invariant && matches!(expr.value_type(), ValueType::Vector | ValueType::Scalar) {
            self.plan.invariant.insert(address(expr));
        }
        invariant
    }
}

/// The conditions on the names of info series that the second argument of `info` implies: that of
/// `target_info` if it says nothing about names, and the usual ending if it only rules names out.
pub(crate) fn info_names(filter: &[Matcher]) -> Vec<Matcher> {
    let mut names: Vec<Matcher> =
        filter.iter().filter(|matcher| matcher.name() == METRIC_NAME).cloned().collect();
    let rules_in = |matcher: &Matcher| matches!(matcher.op(), MatchOp::Equal | MatchOp::Matches);
    if names.is_empty() {
        names.push(Matcher::metric(TARGET_INFO));
    } else if !names.iter().any(rules_in) {
        names.extend(Matcher::new(MatchOp::Matches, METRIC_NAME, ".+_info"));
    }
    names
}

fn info_matchers(filter: &[Matcher]) -> Vec<Matcher> {
    let data = filter.iter().filter(|matcher| matcher.name() != METRIC_NAME).cloned();
    data.chain(info_names(filter)).collect()
}

/// Functions that look at nothing but the count and the sum of histograms.
fn asks_stats(function: &str) -> bool {
    matches!(function, "histogram_count" | "histogram_sum" | "histogram_avg")
}

/// Functions that look at the buckets of histograms.
fn needs_buckets(function: &str) -> bool {
    matches!(
        function,
        "histogram_quantile"
            | "histogram_quantiles"
            | "histogram_fraction"
            | "histogram_stddev"
            | "histogram_stdvar"
            | "changes"
    )
}

fn compares_buckets(op: BinaryOp) -> bool {
    matches!(op, BinaryOp::TrimLower | BinaryOp::TrimUpper | BinaryOp::Equal | BinaryOp::NotEqual)
}

/// Functions that read the clock of the evaluation, or the time of a sample relative to it.
fn depends_on_the_step(function: &str) -> bool {
    matches!(
        function,
        "days_in_month"
            | "day_of_month"
            | "day_of_week"
            | "day_of_year"
            | "hour"
            | "minute"
            | "month"
            | "year"
            | "predict_linear"
            | "time"
            | "timestamp"
            | "start_timestamp"
    )
}

fn range(start: i64, end: i64) -> TimeRange<Millis> {
    TimeRange { start: Millis(start), end: Millis(end.max(start)) }
}

fn address<T>(node: &T) -> usize {
    std::ptr::from_ref(node).addr()
}

#[cfg(test)]
mod tests;
