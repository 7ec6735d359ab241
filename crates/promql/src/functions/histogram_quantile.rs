//! `histogram_quantile`, `histogram_quantiles` and `histogram_fraction`, of native histograms and
//! of classic ones, which are as many series as they have buckets.
//!
//! Which series are the buckets of which histogram is worked out once a query. A series without a
//! name of its own that is classic and native at the same step has no result there
//! (`promql/engine.go: resetHistograms`).

use std::collections::HashMap;

use masthead_model::{Histogram, Labels, format_shortest, parse_number};
use masthead_vecmath::{
    StepGrid,
    histogram::{ClassicBucket, NanNote, classic_fraction, classic_quantile, fraction, quantile},
};

use crate::{
    annotations::{Note, Notes, metric_name},
    ast::{Call, Expr, PosRange},
    engine::{Cell, Error, Evaluation, Made, Row, Value, drop_empty, merge_same_labels},
};

/// The label that holds a classic bucket's upper bound.
const BUCKET_LABEL: &str = "le";

/// One histogram: the series of its buckets, and the native series of the same labels.
struct Group {
    labels: Labels,
    drop_name: bool,
    /// Upper bounds with the place of their row, rising.
    buckets: Vec<(f64, usize)>,
    native: Option<usize>,
}

/// What is asked of each histogram.
#[derive(Clone, Copy)]
enum Asked<'a> {
    /// One quantile a step.
    Quantile(&'a [f64]),
    /// The share between two numbers a step.
    Fraction(&'a [f64], &'a [f64]),
}

pub(super) fn histogram_quantile(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: &StepGrid,
) -> Result<Value, Error> {
    let [wanted, vector] = &call.args[..] else { return Ok(Value::Vector(Vec::new())) };
    let quantiles = evaluation.scalar(wanted, grid)?;
    let rows = evaluation.vector(vector, grid)?;
    let mut notes = Notes::default();
    check_quantiles(&quantiles, wanted.pos(), &mut notes);
    let pos = vector.pos();
    let groups = groups(&rows, grid, pos, &mut notes);
    let asked = Asked::Quantile(&quantiles);
    let made = answer(evaluation, &rows, &groups, asked, grid, pos, &mut notes)?;
    finish(evaluation, made, notes)
}

pub(super) fn histogram_quantiles(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: &StepGrid,
) -> Result<Value, Error> {
    let [vector, label, wanted @ ..] = &call.args[..] else {
        return Ok(Value::Vector(Vec::new()));
    };
    let Expr::String(label) = label.unparen() else { return Ok(Value::Vector(Vec::new())) };
    let rows = evaluation.vector(vector, grid)?;
    let mut notes = Notes::default();
    let pos = vector.pos();
    let groups = groups(&rows, grid, pos, &mut notes);
    let mut made = Vec::new();
    for wanted in wanted {
        let quantiles = evaluation.scalar(wanted, grid)?;
        check_quantiles(&quantiles, wanted.pos(), &mut notes);
        let asked = Asked::Quantile(&quantiles);
        let rows = answer(evaluation, &rows, &groups, asked, grid, pos, &mut notes)?;
        for row in rows {
            split_by_quantile(&row, &label.value, &quantiles, &mut made);
        }
    }
    finish(evaluation, made, notes)
}

pub(super) fn histogram_fraction(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: &StepGrid,
) -> Result<Value, Error> {
    let [lower, upper, vector] = &call.args[..] else { return Ok(Value::Vector(Vec::new())) };
    let lowers = evaluation.scalar(lower, grid)?;
    let uppers = evaluation.scalar(upper, grid)?;
    let rows = evaluation.vector(vector, grid)?;
    let mut notes = Notes::default();
    let pos = vector.pos();
    let groups = groups(&rows, grid, pos, &mut notes);
    let asked = Asked::Fraction(&lowers, &uppers);
    let made = answer(evaluation, &rows, &groups, asked, grid, pos, &mut notes)?;
    finish(evaluation, made, notes)
}

fn finish(evaluation: &Evaluation<'_>, mut rows: Vec<Row>, notes: Notes) -> Result<Value, Error> {
    evaluation.note(notes);
    drop_empty(&mut rows);
    let rows = evaluation.drop_names(rows)?;
    merge_same_labels(rows).map(Value::Vector)
}

fn check_quantiles(quantiles: &[f64], pos: PosRange, notes: &mut Notes) {
    for quantile in quantiles {
        if !(0.0..=1.0).contains(quantile) {
            notes.add(Note::invalid_quantile(*quantile, pos));
        }
    }
}

/// Sorts rows into histograms, native ones first.
fn groups(rows: &[Row], grid: &StepGrid, pos: PosRange, notes: &mut Notes) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut known: HashMap<Labels, usize> = HashMap::new();
    for (at, row) in rows.iter().enumerate().filter(|(_, row)| row.histograms.is_some()) {
        known.entry(row.labels.clone()).or_insert(groups.len());
        groups.push(Group {
            labels: row.labels.clone(),
            drop_name: row.drop_name,
            buckets: Vec::new(),
            native: Some(at),
        });
    }
    let has_floats = |row: &Row| {
        row.histograms.is_none()
            || (0..grid.len()).any(|step| matches!(row.cell(step), Cell::Float(_)))
    };
    for (at, row) in rows.iter().enumerate().filter(|(_, row)| has_floats(row)) {
        let bound = row.labels.get(BUCKET_LABEL).unwrap_or("");
        let Some(upper) = parse_number(bound) else {
            notes.add(Note::bad_bucket_label(metric_name(&row.labels), bound, pos));
            continue;
        };
        let labels = row.labels.without(|name| name == BUCKET_LABEL);
        let next = groups.len();
        let group = *known.entry(labels.clone()).or_insert(next);
        if group == next {
            let drop_name = row.drop_name;
            groups.push(Group { labels, drop_name, buckets: Vec::new(), native: None });
        }
        if let Some(group) = groups.get_mut(group) {
            group.buckets.push((upper, at));
        }
    }
    for group in &mut groups {
        // Sorted once, so that the sort of each step finds nothing to do.
        group.buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    groups
}

fn answer(
    evaluation: &Evaluation<'_>,
    rows: &[Row],
    groups: &[Group],
    asked: Asked<'_>,
    grid: &StepGrid,
    pos: PosRange,
    notes: &mut Notes,
) -> Result<Vec<Row>, Error> {
    let mut made = Vec::with_capacity(groups.len());
    let mut buckets: Vec<ClassicBucket> = Vec::new();
    for group in groups {
        evaluation.ctx.check()?;
        let metric = metric_name(&group.labels);
        let mut row = Row::empty(group.labels.clone(), grid.len());
        row.drop_name = group.drop_name;
        for (step, at) in grid.iter().enumerate() {
            buckets.clear();
            buckets.extend(group.buckets.iter().filter_map(|(upper, at)| {
                match rows.get(*at)?.cell(step) {
                    Cell::Float(count) => Some(ClassicBucket { upper: *upper, count }),
                    Cell::Absent | Cell::Histogram(_) => None,
                }
            }));
            let native =
                group.native.and_then(|at| rows.get(at)).and_then(|row| row.histogram(step));
            let value = match (native, buckets.is_empty()) {
                (None, true) => continue,
                (Some(_), false) => {
                    notes.add(Note::mixed_classic_native(metric, pos));
                    continue;
                }
                (Some(histogram), true) => native_value(asked, step, histogram, metric, pos, notes),
                (None, false) => classic_value(asked, step, &mut buckets, metric, (pos, at), notes),
            };
            row.set(step, Made::Float(value));
        }
        made.push(row);
    }
    Ok(made)
}

fn native_value(
    asked: Asked<'_>,
    step: usize,
    histogram: &Histogram,
    metric: &str,
    pos: PosRange,
    notes: &mut Notes,
) -> f64 {
    let (value, note) = match asked {
        Asked::Quantile(quantiles) => quantile(at(quantiles, step), histogram),
        Asked::Fraction(lowers, uppers) => fraction(at(lowers, step), at(uppers, step), histogram),
    };
    match note {
        None => {}
        Some(NanNote::ResultIsNan) => notes.add(Note::quantile_is_nan(metric, pos)),
        Some(NanNote::Skewed) => notes.add(Note::quantile_is_skewed(metric, pos)),
        Some(NanNote::Excluded) => notes.add(Note::fraction_without_nans(metric, pos)),
    }
    value
}

fn classic_value(
    asked: Asked<'_>,
    step: usize,
    buckets: &mut Vec<ClassicBucket>,
    metric: &str,
    (pos, time): (PosRange, i64),
    notes: &mut Notes,
) -> f64 {
    match asked {
        Asked::Quantile(quantiles) => {
            let found = classic_quantile(at(quantiles, step), buckets);
            if let Some(forced) = found.forced {
                let extent = (forced.lowest, forced.highest, forced.largest);
                notes.add(Note::forced_monotonicity(metric, pos, time, extent));
            }
            found.value
        }
        Asked::Fraction(lowers, uppers) => {
            classic_fraction(at(lowers, step), at(uppers, step), buckets)
        }
    }
}

/// A row for each quantile that is asked for, told apart by `label`.
fn split_by_quantile(row: &Row, label: &str, quantiles: &[f64], into: &mut Vec<Row>) {
    let mut parts: Vec<(u64, Row)> = Vec::new();
    for (step, quantile) in quantiles.iter().enumerate() {
        let Cell::Float(value) = row.cell(step) else { continue };
        let known = parts.iter().position(|(bits, _)| *bits == quantile.to_bits());
        let at = known.unwrap_or_else(|| {
            let labels = row.labels.to_builder().set(label, &open_metrics(*quantile)).build();
            let mut part = Row::empty(labels, row.steps());
            part.drop_name = row.drop_name;
            parts.push((quantile.to_bits(), part));
            parts.len() - 1
        });
        if let Some((_, part)) = parts.get_mut(at) {
            part.set(step, Made::Float(value));
        }
    }
    into.extend(parts.into_iter().map(|(_, part)| part));
}

/// A number as OpenMetrics writes label values: whole ones with `.0`.
fn open_metrics(value: f64) -> String {
    let text = format_shortest(value, 6);
    if value.is_finite() && !text.contains(['.', 'e']) { format!("{text}.0") } else { text }
}

fn at(values: &[f64], step: usize) -> f64 {
    values.get(step).copied().unwrap_or(f64::NAN)
}
