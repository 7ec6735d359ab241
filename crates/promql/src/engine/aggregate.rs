//! Aggregations: many rows into one a group, or the same rows but fewer.
//!
//! Which group a row belongs to is worked out once a query. Results of a group are accumulated
//! step by step in arrays as long as the grid, row by row in the order of the input, so that
//! floating-point sums come out as upstream's do. One file for each way of aggregating:
//! `aggregate/fold.rs` (sum, avg, min, …), `aggregate/pick.rs` (topk, limitk, …),
//! `aggregate/count_values.rs`.

use std::collections::HashMap;

use masthead_model::Labels;
use masthead_vecmath::{Grouping, LabelSet, Signature, StepGrid};

use super::{Error, Evaluation, PARALLEL_VALUES_MIN, Row};
use crate::{
    annotations::{Note, Notes},
    ast::{Aggregate, AggregateOp},
};

mod count_values;
mod fold;
mod pick;

/// The rows that are aggregated together.
#[derive(Debug)]
struct Group {
    /// The labels of the result.
    labels: Labels,
    /// Places in the input, rising.
    members: Vec<usize>,
}

impl Evaluation<'_> {
    /// The rows that an aggregation makes of `rows`.
    pub(super) fn aggregate(
        &self,
        node: &Aggregate,
        rows: &[Row],
        grid: &StepGrid,
    ) -> Result<Vec<Row>, Error> {
        if node.op == AggregateOp::CountValues {
            return self.count_values(node, rows, grid);
        }
        let param = match &node.param {
            Some(param) => self.scalar(param, grid)?,
            None => Vec::new(),
        };
        let groups = groups(rows, &label_set(node));
        match node.op {
            AggregateOp::Topk
            | AggregateOp::Bottomk
            | AggregateOp::Limitk
            | AggregateOp::LimitRatio => self.pick(node, rows, &groups, &param, grid),
            AggregateOp::Avg
            | AggregateOp::Count
            | AggregateOp::CountValues
            | AggregateOp::Group
            | AggregateOp::Max
            | AggregateOp::Min
            | AggregateOp::Quantile
            | AggregateOp::Stddev
            | AggregateOp::Stdvar
            | AggregateOp::Sum => {
                self.check_quantile(node, &param);
                Ok(self.fold(node, rows, &groups, &param, grid))
            }
        }
    }

    fn fold(
        &self,
        node: &Aggregate,
        rows: &[Row],
        groups: &[Group],
        param: &[f64],
        grid: &StepGrid,
    ) -> Vec<Row> {
        let one = |group: &Group| {
            let mut notes = Notes::default();
            let members: Vec<&Row> = group.members.iter().filter_map(|at| rows.get(*at)).collect();
            let mut row = fold::fold(node, &members, param, grid.len(), &mut notes);
            row.labels = group.labels.clone();
            (row, notes)
        };
        let cells = rows.len().saturating_mul(grid.len());
        let pool = self.pool().filter(|_| cells >= PARALLEL_VALUES_MIN);
        let made = masthead_vecmath::each(pool, groups.len(), |at| groups.get(at).map(one));
        made.into_iter()
            .flatten()
            .filter_map(|(row, notes)| {
                self.note(notes);
                (!row.is_empty()).then_some(row)
            })
            .collect()
    }

    fn check_quantile(&self, node: &Aggregate, param: &[f64]) {
        let (AggregateOp::Quantile, Some(written)) = (node.op, &node.param) else { return };
        let mut notes = Notes::default();
        let mut warn = |quantile| notes.add(Note::invalid_quantile(quantile, written.pos()));
        if param.iter().any(|quantile| quantile.is_nan()) {
            warn(f64::NAN);
        }
        let max = param.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if max > 1.0 {
            warn(max);
        }
        let min = param.iter().copied().fold(f64::INFINITY, f64::min);
        if min < 0.0 {
            warn(min);
        }
        self.note(notes);
    }
}

fn label_set(node: &Aggregate) -> LabelSet {
    let names = node.grouping.iter().map(String::as_str);
    if node.without { LabelSet::all_but(names) } else { LabelSet::only(names) }
}

/// Groups rows by the labels that count, in the order in which groups first appear.
fn groups(rows: &[Row], labels: &LabelSet) -> Vec<Group> {
    let grouping = Grouping::new(labels.clone());
    let mut groups: Vec<Group> = Vec::new();
    let mut known: HashMap<Signature, Vec<usize>> = HashMap::new();
    // The first member of each group stands for it where signatures collide.
    let mut first: Vec<&Labels> = Vec::new();
    for (place, row) in rows.iter().enumerate() {
        let candidates = known.entry(grouping.signature(&row.labels)).or_default();
        let same = |at: &usize| {
            first.get(*at).is_some_and(|labels_of| labels.same_group(labels_of, &row.labels))
        };
        match candidates.iter().copied().find(same) {
            Some(at) => {
                if let Some(group) = groups.get_mut(at) {
                    group.members.push(place);
                }
            }
            None => {
                candidates.push(groups.len());
                first.push(&row.labels);
                groups.push(Group { labels: grouping.result(&row.labels), members: vec![place] });
            }
        }
    }
    groups
}
