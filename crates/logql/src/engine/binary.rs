//! Operators between two expressions. Upstream: `pkg/logql/evaluator.go: VectorBinop`.
//!
//! A literal meets every series of the other side. Two sides with series meet by the labels that
//! count; whether those are unique is asked step by step, of the series that have a number there.

use std::collections::{HashMap, hash_map::Entry};

use masthead_model::Labels;
use masthead_vecmath::{Grouping, LabelSet};

use super::{
    Error, Evaluation,
    evaluate::{Value, empty_like},
    row::Row,
};
use crate::ast::{Binary, BinaryOp, Cardinality, Matching};

impl Evaluation<'_> {
    /// The value of an operator.
    pub(super) fn binary(&self, node: &Binary, left: Value, right: Value) -> Result<Value, Error> {
        Ok(match (left, right) {
            (Value::Number(left), Value::Number(right)) => {
                Value::Number(node.op.apply(left, right))
            }
            (Value::Rows(rows), Value::Number(number)) => {
                Value::Rows(with_number(node, rows, |value| (value, number)))
            }
            (Value::Number(number), Value::Rows(rows)) => {
                Value::Rows(with_number(node, rows, |value| (number, value)))
            }
            (Value::Rows(left), Value::Rows(right)) => {
                let sides = Sides::new(&node.matching, &left, &right);
                Value::Rows(if node.op.is_set() {
                    sides.set(node.op, &left, &right)
                } else {
                    self.matched(node, &sides, &left, &right)?
                })
            }
        })
    }

    fn matched(
        &self,
        node: &Binary,
        sides: &Sides,
        left: &[Row],
        right: &[Row],
    ) -> Result<Vec<Row>, Error> {
        let one_to_many = node.matching.cardinality == Cardinality::OneToMany;
        let one_to_one = node.matching.cardinality == Cardinality::OneToOne;
        let mut made: Vec<Row> = Vec::new();
        for pairing in &sides.pairings {
            self.ctx.check()?;
            let (many, ones) = if one_to_many {
                ((right, &pairing.right), (left, &pairing.left))
            } else {
                ((left, &pairing.left), (right, &pairing.right))
            };
            let mut pairs: HashMap<(usize, usize), usize> = HashMap::new();
            for step in 0..self.grid.len() {
                let present = |(rows, places): (&'_ [Row], &Vec<usize>)| -> Vec<(usize, f64)> {
                    places.iter().filter_map(|at| Some((*at, rows.get(*at)?.at(step)?))).collect()
                };
                let ones_here = present(ones);
                if ones_here.len() > 1 {
                    let side = if one_to_many { "left" } else { "right" };
                    return Err(Error::Duplicate { side });
                }
                let Some((one, one_value)) = ones_here.first().copied() else { continue };
                let many_here = present(many);
                if one_to_one && many_here.len() > 1 {
                    return Err(Error::ManyToOne);
                }
                let mut seen: Vec<Labels> = Vec::new();
                for (at, value) in many_here {
                    let (Some(of), Some(by)) = (many.0.get(at), ones.0.get(one)) else { continue };
                    let place = match pairs.entry((at, one)) {
                        Entry::Occupied(known) => *known.get(),
                        Entry::Vacant(new) => {
                            let taken = node.matching.include.iter();
                            let taken = taken.filter_map(|name| by.labels.get(name));
                            self.budget.take(taken.map(str::len).sum())?;
                            let labels = result_labels(&of.labels, &by.labels, &node.matching);
                            made.push(Row { labels, values: empty_like(of) });
                            *new.insert(made.len() - 1)
                        }
                    };
                    let Some(row) = made.get_mut(place) else { continue };
                    if !one_to_one {
                        if seen.contains(&row.labels) {
                            return Err(Error::GroupingLabels);
                        }
                        seen.push(row.labels.clone());
                    }
                    let (l, r) = if one_to_many { (one_value, value) } else { (value, one_value) };
                    if let Some(value) = combine(node, l, r, l) {
                        row.set(step, value);
                    }
                }
            }
        }
        made.retain(|row| !row.is_empty());
        Ok(made)
    }
}

/// The result of two numbers; of a comparison that filters, `kept` where it holds.
fn combine(node: &Binary, left: f64, right: f64, kept: f64) -> Option<f64> {
    let value = node.op.apply(left, right);
    if !node.op.is_comparison() || node.return_bool {
        return Some(value);
    }
    (value > 0.0).then_some(kept)
}

fn with_number(node: &Binary, mut rows: Vec<Row>, sides: impl Fn(f64) -> (f64, f64)) -> Vec<Row> {
    for row in &mut rows {
        for step in 0..row.values.len() {
            if let Some(value) = row.at(step) {
                let (left, right) = sides(value);
                row.set(step, combine(node, left, right, value).unwrap_or(super::row::ABSENT));
            }
        }
    }
    rows.retain(|row| !row.is_empty());
    rows
}

/// The labels of a result: of the side with many, without those that do not count where there is
/// one on each side, and with those that are taken over from the other.
fn result_labels(many: &Labels, one: &Labels, matching: &Matching) -> Labels {
    let mut labels = many.to_builder();
    if matching.cardinality == Cardinality::OneToOne {
        labels.retain(|label| matching.labels.iter().any(|name| name == label.name) == matching.on);
    }
    for name in &matching.include {
        labels.set(name, one.get(name).unwrap_or(""));
    }
    labels.build()
}

/// Series of both sides by the labels that count.
struct Sides {
    pairings: Vec<Pairing>,
}

#[derive(Default)]
struct Pairing {
    left: Vec<usize>,
    right: Vec<usize>,
}

impl Sides {
    fn new(matching: &Matching, left: &[Row], right: &[Row]) -> Self {
        let names = matching.labels.iter().map(String::as_str);
        let set = if matching.on { LabelSet::only(names) } else { LabelSet::all_but(names) };
        let grouping = Grouping::new(set);
        let mut known: HashMap<Labels, usize> = HashMap::new();
        let mut pairings: Vec<Pairing> = Vec::new();
        for (is_left, rows) in [(true, left), (false, right)] {
            for (place, row) in rows.iter().enumerate() {
                let at = *known.entry(grouping.result(&row.labels)).or_insert_with(|| {
                    pairings.push(Pairing::default());
                    pairings.len() - 1
                });
                if let Some(pairing) = pairings.get_mut(at) {
                    let side = if is_left { &mut pairing.left } else { &mut pairing.right };
                    side.push(place);
                }
            }
        }
        Self { pairings }
    }

    /// `and`, `or` and `unless`: numbers stay where the other side has one too, or has none.
    fn set(&self, op: BinaryOp, left: &[Row], right: &[Row]) -> Vec<Row> {
        let mut kept = Vec::new();
        let any = |rows: &[Row], places: &[usize], step: usize| {
            places.iter().any(|at| rows.get(*at).is_some_and(|row| row.at(step).is_some()))
        };
        let mut keep = |rows: &[Row], places: &[usize], wanted: &dyn Fn(usize) -> bool| {
            for row in places.iter().filter_map(|at| rows.get(*at)) {
                let mut values = empty_like(row);
                for (step, value) in values.iter_mut().enumerate() {
                    if let Some(held) = row.at(step).filter(|_| wanted(step)) {
                        *value = held;
                    }
                }
                kept.push(Row { labels: row.labels.clone(), values });
            }
        };
        for Pairing { left: lefts, right: rights } in &self.pairings {
            match op {
                BinaryOp::And => keep(left, lefts, &|step| any(right, rights, step)),
                BinaryOp::Unless => keep(left, lefts, &|step| !any(right, rights, step)),
                _ => {
                    keep(left, lefts, &|_| true);
                    keep(right, rights, &|step| !any(left, lefts, step));
                }
            }
        }
        kept.retain(|row| !row.is_empty());
        kept
    }
}
