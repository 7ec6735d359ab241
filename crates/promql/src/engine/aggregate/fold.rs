//! Aggregations that make one row of a group: sum, avg, count, group, min, max, stddev, stdvar
//! and quantile.
//!
//! Rules for mixtures of floats and histograms: `promql/engine.go: aggregation`.

use std::sync::Arc;

use masthead_model::{
    Histogram, HistogramMean, HistogramSum, IncompatibleSchemas, Labels, SumNotes,
};
use masthead_vecmath::{KahanMean, KahanSums, Variance, quantile};

use crate::{
    annotations::{HistogramOperation, Note, Notes, metric_name, note_sum},
    ast::{Aggregate, AggregateOp, PosRange},
    engine::{ABSENT, Cell, Column, Made, Row, is_absent},
};

/// The row that a group becomes; its labels are left to the caller.
pub(super) fn fold(
    node: &Aggregate,
    members: &[&Row],
    param: &[f64],
    steps: usize,
    notes: &mut Notes,
) -> Row {
    let pos = node.expr.pos();
    let mut row = match node.op {
        AggregateOp::Sum => {
            let mut sums = KahanSums::new(steps, ABSENT);
            for member in members {
                sums.add(&member.floats);
            }
            let floats = sums.values().collect();
            with_histograms::<HistogramSum>(floats, members, steps, pos, notes)
        }
        AggregateOp::Avg => {
            let means = accumulate(members, steps, |mean: &mut KahanMean, value| mean.add(value));
            let floats = finish(&means, KahanMean::value);
            with_histograms::<HistogramMean>(floats, members, steps, pos, notes)
        }
        AggregateOp::Count => counted(members, steps, |count| count + 1.0),
        AggregateOp::Group => counted(members, steps, |_| 1.0),
        AggregateOp::Min => {
            ignore_histograms(members, "min", pos, notes);
            extreme(members, steps, |best, value| value < best)
        }
        AggregateOp::Max => {
            ignore_histograms(members, "max", pos, notes);
            extreme(members, steps, |best, value| value > best)
        }
        AggregateOp::Stddev => {
            ignore_histograms(members, "stddev", pos, notes);
            spread(members, steps, f64::sqrt)
        }
        AggregateOp::Stdvar => {
            ignore_histograms(members, "stdvar", pos, notes);
            spread(members, steps, |variance| variance)
        }
        AggregateOp::Quantile => {
            ignore_histograms(members, "quantile", pos, notes);
            quantiles(members, steps, param)
        }
        AggregateOp::Topk
        | AggregateOp::Bottomk
        | AggregateOp::Limitk
        | AggregateOp::LimitRatio
        | AggregateOp::CountValues => Row::empty(Labels::default(), steps),
    };
    row.drop_name = members.iter().any(|member| member.drop_name);
    row
}

/// A running result a step, and whether it has begun.
fn accumulate<A: Default + Clone>(
    members: &[&Row],
    steps: usize,
    mut add: impl FnMut(&mut A, f64),
) -> Vec<(A, bool)> {
    let mut running = vec![(A::default(), false); steps];
    for member in members {
        for ((state, begun), value) in running.iter_mut().zip(&member.floats) {
            if !is_absent(*value) {
                add(state, *value);
                *begun = true;
            }
        }
    }
    running
}

fn finish<A>(running: &[(A, bool)], value: impl Fn(&A) -> f64) -> Column {
    running.iter().map(|(state, begun)| if *begun { value(state) } else { ABSENT }).collect()
}

fn counted(members: &[&Row], steps: usize, next: impl Fn(f64) -> f64) -> Row {
    let mut floats = Column::from_elem(ABSENT, steps);
    let mut count = |step: usize| {
        if let Some(place) = floats.get_mut(step) {
            *place = next(if is_absent(*place) { 0.0 } else { *place });
        }
    };
    for member in members {
        for step in 0..steps {
            if member.has(step) {
                count(step);
            }
        }
    }
    Row::of_floats(Labels::default(), false, floats)
}

/// NaN gives way to any number.
fn extreme(members: &[&Row], steps: usize, better: impl Fn(f64, f64) -> bool) -> Row {
    let mut floats = Column::from_elem(ABSENT, steps);
    for member in members {
        for (best, value) in floats.iter_mut().zip(&member.floats) {
            // An absent best is a NaN as well.
            if !is_absent(*value) && (better(*best, *value) || best.is_nan()) {
                *best = *value;
            }
        }
    }
    Row::of_floats(Labels::default(), false, floats)
}

fn spread(members: &[&Row], steps: usize, result: impl Fn(f64) -> f64) -> Row {
    let running = accumulate(members, steps, |state: &mut Variance, value| state.add(value));
    let floats = finish(&running, |state| result(state.value()));
    Row::of_floats(Labels::default(), false, floats)
}

fn quantiles(members: &[&Row], steps: usize, param: &[f64]) -> Row {
    let mut values = Vec::with_capacity(members.len());
    let floats = (0..steps).map(|step| {
        values.clear();
        let present = members.iter().filter_map(|member| member.floats.get(step));
        values.extend(present.copied().filter(|value| !is_absent(*value)));
        if values.is_empty() {
            return ABSENT;
        }
        quantile(param.get(step).copied().unwrap_or(f64::NAN), &mut values)
    });
    Row::of_floats(Labels::default(), false, floats.collect())
}

fn ignore_histograms(members: &[&Row], operator: &str, pos: PosRange, notes: &mut Notes) {
    if members.iter().any(|member| member.histograms.is_some()) {
        notes.add(Note::histogram_ignored(operator, pos));
    }
}

/// A running sum or mean of histograms.
trait Running: Sized {
    fn begin(first: Histogram) -> Self;
    fn add(&mut self, other: &Histogram) -> Result<(), IncompatibleSchemas>;
    fn notes(&self) -> SumNotes;
    fn finish(self) -> Histogram;
}

impl Running for HistogramSum {
    fn begin(first: Histogram) -> Self {
        Self::new(first)
    }
    fn add(&mut self, other: &Histogram) -> Result<(), IncompatibleSchemas> {
        self.add(other)
    }
    fn notes(&self) -> SumNotes {
        self.notes()
    }
    fn finish(self) -> Histogram {
        self.finish()
    }
}

impl Running for HistogramMean {
    fn begin(first: Histogram) -> Self {
        Self::new(first)
    }
    fn add(&mut self, other: &Histogram) -> Result<(), IncompatibleSchemas> {
        self.add(other)
    }
    fn notes(&self) -> SumNotes {
        self.notes()
    }
    fn finish(self) -> Histogram {
        self.finish()
    }
}

/// Adds what the histograms of the group come to. A step that has both kinds has no result.
fn with_histograms<R: Running>(
    floats: Column,
    members: &[&Row],
    steps: usize,
    pos: PosRange,
    notes: &mut Notes,
) -> Row {
    let mut row = Row::of_floats(Labels::default(), false, floats);
    if members.iter().all(|member| member.histograms.is_none()) {
        return row;
    }
    for step in 0..steps {
        let present = members
            .iter()
            .filter_map(|member| Some((metric_name(&member.labels), member.histogram(step)?)));
        let total = fold_step::<R>(present, pos, notes);
        if matches!(row.cell(step), Cell::Float(_)) {
            if !matches!(total, Total::None) {
                notes.add(Note::mixed_floats_histograms_aggregation(pos));
                row.clear(step);
            }
        } else if let Total::Of(total) = total {
            row.set(step, Made::Histogram(Arc::new(total)));
        }
    }
    row
}

/// What the histograms of one step come to.
enum Total {
    /// There are none.
    None,
    /// They do not fit together.
    Mixed,
    Of(Histogram),
}

fn fold_step<'a, R: Running>(
    mut present: impl Iterator<Item = (&'a str, &'a Arc<Histogram>)>,
    pos: PosRange,
    notes: &mut Notes,
) -> Total {
    let Some((_, first)) = present.next() else { return Total::None };
    let mut running = R::begin(Histogram::clone(first));
    for (metric, histogram) in present {
        if running.add(histogram).is_err() {
            notes.add(Note::mixed_schemas(metric, pos));
            return Total::Mixed;
        }
    }
    note_sum(running.notes(), HistogramOperation::Aggregation, pos, notes);
    let mut total = running.finish();
    total.compact(0);
    Total::Of(total)
}
