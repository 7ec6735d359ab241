//! Aggregations of series: groups over all steps.

use std::collections::HashMap;

use masthead_model::Labels;
use masthead_vecmath::{Grouping, KahanMean, KahanSum, LabelSet, Variance};

use super::{Error, Evaluation, evaluate::empty_like, row::Row};
use crate::ast::{VectorAggregation, VectorOp};

/// Series that belong together.
struct Group {
    labels: Labels,
    members: Vec<usize>,
}

impl Evaluation<'_> {
    /// The value of an aggregation.
    pub(super) fn aggregate(
        &self,
        node: &VectorAggregation,
        mut rows: Vec<Row>,
    ) -> Result<Vec<Row>, Error> {
        match node.op {
            VectorOp::Sort | VectorOp::SortDesc => {
                // Only an instant has an order of series.
                if self.params.is_instant() {
                    sort(&mut rows, node.op == VectorOp::SortDesc);
                }
                return Ok(rows);
            }
            VectorOp::ApproxTopk if !self.params.is_instant() => return Err(Error::ApproxTopk),
            _ => {}
        }
        let groups = groups(&rows, node);
        if node.op.takes_parameter() {
            return self.ranked(node, &rows, &groups);
        }
        let steps = self.grid.len();
        let mut made = Vec::with_capacity(groups.len());
        for group in groups {
            self.ctx.check()?;
            let mut row = Row::new(group.labels, steps);
            let members: Vec<&Row> = group.members.iter().filter_map(|at| rows.get(*at)).collect();
            for step in 0..steps {
                let values = members.iter().filter_map(|row| row.at(step));
                if let Some(value) = fold(node.op, values) {
                    row.set(step, value);
                }
            }
            if !row.is_empty() {
                made.push(row);
            }
        }
        Ok(made)
    }

    /// `topk` and `bottomk`: at each step the best of each group, with their own labels.
    fn ranked(
        &self,
        node: &VectorAggregation,
        rows: &[Row],
        groups: &[Group],
    ) -> Result<Vec<Row>, Error> {
        let least = node.op == VectorOp::Bottomk;
        let mut kept: Vec<Row> = rows
            .iter()
            .map(|row| Row { labels: row.labels.clone(), values: empty_like(row) })
            .collect();
        for step in 0..self.grid.len() {
            self.ctx.check()?;
            for group in groups {
                let mut ranked: Vec<(usize, f64)> = group
                    .members
                    .iter()
                    .filter_map(|at| Some((*at, rows.get(*at)?.at(step)?)))
                    .collect();
                // NaN is worse than any number, either way.
                ranked.sort_by(|(_, a), (_, b)| {
                    let order = if least { a.partial_cmp(b) } else { b.partial_cmp(a) };
                    order.unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
                });
                for (at, value) in ranked.into_iter().take(node.parameter) {
                    if let Some(row) = kept.get_mut(at) {
                        row.set(step, value);
                    }
                }
            }
        }
        kept.retain(|row| !row.is_empty());
        if self.params.is_instant() {
            sort(&mut kept, !least);
        }
        Ok(kept)
    }
}

/// By value at the one instant; NaN last.
fn sort(rows: &mut [Row], descending: bool) {
    let value = |row: &Row| row.at(0).unwrap_or(f64::NAN);
    rows.sort_by(|a, b| {
        let (a, b) = (value(a), value(b));
        let order = if descending { b.partial_cmp(&a) } else { a.partial_cmp(&b) };
        order.unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
    });
}

fn fold(op: VectorOp, values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values = values.peekable();
    values.peek()?;
    let best = |better: fn(f64, f64) -> bool, values: &mut dyn Iterator<Item = f64>| {
        values.fold(
            f64::NAN,
            |best, value| {
                if best.is_nan() || better(value, best) { value } else { best }
            },
        )
    };
    Some(match op {
        VectorOp::Sum => values.collect::<KahanSum>().value(),
        VectorOp::Avg => values.collect::<KahanMean>().value(),
        VectorOp::Count => values.fold(0.0, |count, _| count + 1.0),
        VectorOp::Max => best(|value, best| value > best, &mut values),
        VectorOp::Min => best(|value, best| value < best, &mut values),
        VectorOp::Stddev => values.collect::<Variance>().value().sqrt(),
        VectorOp::Stdvar => values.collect::<Variance>().value(),
        VectorOp::Bottomk
        | VectorOp::Topk
        | VectorOp::ApproxTopk
        | VectorOp::Sort
        | VectorOp::SortDesc => return None,
    })
}

/// Groups rows by the labels that count, in the order in which groups first appear.
fn groups(rows: &[Row], node: &VectorAggregation) -> Vec<Group> {
    let names = node.grouping.names.iter().map(String::as_str);
    let set = if node.grouping.without { LabelSet::all_but(names) } else { LabelSet::only(names) };
    let grouping = Grouping::new(set);
    let mut known: HashMap<Labels, usize> = HashMap::new();
    let mut groups: Vec<Group> = Vec::new();
    for (place, row) in rows.iter().enumerate() {
        let labels = grouping.result(&row.labels);
        let at = *known.entry(labels.clone()).or_insert_with(|| {
            groups.push(Group { labels, members: Vec::new() });
            groups.len() - 1
        });
        if let Some(group) = groups.get_mut(at) {
            group.members.push(place);
        }
    }
    groups
}
