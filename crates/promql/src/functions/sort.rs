//! `sort` and its kin. Range queries are always ordered by labels, so there they only warn.

use std::cmp::Ordering;

use masthead_vecmath::StepGrid;

use crate::{
    annotations::{Note, Notes},
    ast::{Call, Expr},
    engine::{Error, Evaluation, Row, Value, drop_empty},
};

pub(super) fn sort(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: &StepGrid,
) -> Result<Value, Error> {
    by_value(evaluation, call, grid, |a, b| a.partial_cmp(&b))
}

pub(super) fn sort_desc(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: &StepGrid,
) -> Result<Value, Error> {
    by_value(evaluation, call, grid, |a, b| b.partial_cmp(&a))
}

pub(super) fn sort_by_label(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: &StepGrid,
) -> Result<Value, Error> {
    by_label(evaluation, call, grid, |ordering| ordering)
}

pub(super) fn sort_by_label_desc(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: &StepGrid,
) -> Result<Value, Error> {
    by_label(evaluation, call, grid, Ordering::reverse)
}

fn by_value(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: &StepGrid,
    compare: impl Fn(f64, f64) -> Option<Ordering>,
) -> Result<Value, Error> {
    let mut rows = argument(evaluation, call, grid)?;
    for row in &mut rows {
        row.histograms = None;
    }
    drop_empty(&mut rows);
    if grid.len() == 1 {
        let value = |row: &Row| row.floats.first().copied().unwrap_or(f64::NAN);
        rows.sort_by(|a, b| {
            let (a, b) = (value(a), value(b));
            // NaN comes last in either direction.
            compare(a, b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
        });
    }
    Ok(Value::Vector(rows))
}

fn by_label(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: &StepGrid,
    direction: impl Fn(Ordering) -> Ordering,
) -> Result<Value, Error> {
    let mut rows = argument(evaluation, call, grid)?;
    let names: Vec<&str> = call
        .args
        .iter()
        .skip(1)
        .filter_map(|arg| match arg.unparen() {
            Expr::String(name) => Some(name.value.as_str()),
            _ => None,
        })
        .collect();
    if grid.len() == 1 {
        rows.sort_by(|a, b| {
            let by_names = names.iter().map(|name| {
                natural(a.labels.get(name).unwrap_or(""), b.labels.get(name).unwrap_or(""))
            });
            let first = by_names.into_iter().find(|ordering| ordering.is_ne());
            direction(first.unwrap_or_else(|| a.labels.cmp(&b.labels)))
        });
    }
    Ok(Value::Vector(rows))
}

fn argument(evaluation: &Evaluation<'_>, call: &Call, grid: &StepGrid) -> Result<Vec<Row>, Error> {
    if grid.len() > 1 {
        let mut notes = Notes::default();
        notes.add(Note::sort_in_range_query(call.pos));
        evaluation.note(notes);
    }
    call.args.first().map_or_else(|| Ok(Vec::new()), |arg| evaluation.vector(arg, grid))
}

/// Runs of digits compare as numbers, everything else as text: `a2` before `a10`.
fn natural(mut a: &str, mut b: &str) -> Ordering {
    loop {
        let (chunk_a, rest_a) = split_chunk(a);
        let (chunk_b, rest_b) = split_chunk(b);
        if chunk_a.is_empty() || chunk_b.is_empty() {
            return chunk_a.len().cmp(&chunk_b.len());
        }
        let numbers = chunk_a.parse::<i64>().ok().zip(chunk_b.parse::<i64>().ok());
        let ordering = match numbers {
            Some((a, b)) => a.cmp(&b),
            None => chunk_a.cmp(chunk_b),
        };
        if ordering.is_ne() {
            return ordering;
        }
        (a, b) = (rest_a, rest_b);
    }
}

/// The leading run of digits or of anything else.
fn split_chunk(text: &str) -> (&str, &str) {
    let digits = text.starts_with(|c: char| c.is_ascii_digit());
    let end = text.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_texts_sort_as_numbers() {
        let f = |a, b, want| assert_eq!(natural(a, b), want, "{a} {b}");
        f("a2", "a10", Ordering::Less);
        f("10", "9", Ordering::Greater);
        f("a", "b", Ordering::Less);
        f("a", "a1", Ordering::Less);
        f("", "a", Ordering::Less);
        f("cpu1core2", "cpu1core10", Ordering::Less);
        f("1.2.10", "1.2.9", Ordering::Greater);
        f("x", "x", Ordering::Equal);
    }
}
