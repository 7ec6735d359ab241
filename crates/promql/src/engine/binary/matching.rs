//! How the series of two vectors find each other, and what becomes of each pair.
//!
//! Series are matched once a query by the labels that count; a step then only asks which of them
//! have a sample. Nearly always one series meets one, and the pair is computed row by row. Where
//! several share a signature, because series came and went, each step looks for its own partner.
//!
//! Errors and their texts: `promql/engine.go: VectorBinop`.

use std::collections::HashMap;

use masthead_model::{Labels, LabelsBuilder};
use masthead_vecmath::{Grouping, LabelSet, Signature, StepGrid};

use super::{
    changes_meaning,
    element::{compare, element, float_operation},
};
use crate::{
    annotations::Notes,
    ast::{Binary, BinaryOp, Cardinality, VectorMatching},
    engine::{
        ABSENT, Cell, Column, Error, Evaluation, Made, Row, drop_empty, is_absent,
        merge_same_labels,
    },
};

/// Numbers for signatures, in the order in which they are met.
pub(super) struct Ordinals {
    labels: LabelSet,
    grouping: Grouping,
    known: HashMap<Signature, Vec<usize>>,
    /// The first labels of each, to tell signatures apart that collide.
    first: Vec<Labels>,
}

impl Ordinals {
    pub(super) fn new(matching: &VectorMatching) -> Self {
        let names = matching.labels.iter().map(String::as_str);
        let labels = if matching.on { LabelSet::only(names) } else { LabelSet::all_but(names) };
        Self {
            grouping: Grouping::new(labels.clone()),
            labels,
            known: HashMap::new(),
            first: Vec::new(),
        }
    }

    pub(super) fn of(&mut self, row: &Row) -> usize {
        let candidates = self.known.entry(self.grouping.signature(&row.labels)).or_default();
        let same = |at: &usize| {
            self.first.get(*at).is_some_and(|labels| self.labels.same_group(labels, &row.labels))
        };
        if let Some(known) = candidates.iter().copied().find(same) {
            return known;
        }
        candidates.push(self.first.len());
        self.first.push(row.labels.clone());
        self.first.len() - 1
    }

    pub(super) fn len(&self) -> usize {
        self.first.len()
    }

    /// The labels that count, of the signature's series.
    fn matched(&self, labels: &Labels) -> Labels {
        self.grouping.result(labels)
    }
}

/// The rows of one signature: those of the side that may have many at a step, and the others.
#[derive(Debug, Default, Clone)]
struct Meeting {
    many: Vec<usize>,
    one: Vec<usize>,
}

/// The operands with the "one" side told from the other.
struct Sides<'a> {
    evaluation: &'a Evaluation<'a>,
    node: &'a Binary,
    matching: &'a VectorMatching,
    many: &'a [Row],
    one: &'a [Row],
    /// Whether the "one" side stands on the left.
    swapped: bool,
    /// What stands in for a missing row of either side.
    fill_many: Option<f64>,
    fill_one: Option<f64>,
}

/// The results of one signature.
#[derive(Default)]
struct Results {
    rows: Vec<Row>,
    /// For each result row the number of its label set.
    label_sets: Vec<usize>,
    /// Which row of the "many" side and which of the "one" side make which result row.
    pairs: HashMap<(Option<usize>, Option<usize>), usize>,
    known_labels: HashMap<Labels, usize>,
    /// For each label set the step at which it last had a result.
    last_step: Vec<Option<usize>>,
    /// The step at which anything last had a result.
    last_any: Option<usize>,
}

impl Evaluation<'_> {
    pub(super) fn match_vectors(
        &self,
        node: &Binary,
        matching: &VectorMatching,
        lhs: &[Row],
        rhs: &[Row],
        grid: &StepGrid,
    ) -> Result<Vec<Row>, Error> {
        let fill = matching.fill;
        if (lhs.is_empty() || rhs.is_empty()) && fill.is_none() {
            return Ok(Vec::new());
        }
        let swapped = matching.card == Cardinality::OneToMany;
        let sides = Sides {
            evaluation: self,
            node,
            matching,
            many: if swapped { rhs } else { lhs },
            one: if swapped { lhs } else { rhs },
            swapped,
            fill_many: if swapped { fill.rhs } else { fill.lhs },
            fill_one: if swapped { fill.lhs } else { fill.rhs },
        };
        let mut ordinals = Ordinals::new(matching);
        let mut meetings: Vec<Meeting> = Vec::new();
        let mut meet = |row: &Row| {
            let ordinal = ordinals.of(row);
            if meetings.len() <= ordinal {
                meetings.resize(ordinal + 1, Meeting::default());
            }
            ordinal
        };
        let many: Vec<usize> = sides.many.iter().map(&mut meet).collect();
        let one: Vec<usize> = sides.one.iter().map(&mut meet).collect();
        for (at, ordinal) in many.iter().enumerate() {
            if let Some(meeting) = meetings.get_mut(*ordinal) {
                meeting.many.push(at);
            }
        }
        for (at, ordinal) in one.iter().enumerate() {
            if let Some(meeting) = meetings.get_mut(*ordinal) {
                meeting.one.push(at);
            }
        }
        let mut notes = Notes::default();
        let mut rows = Vec::with_capacity(many.len());
        for meeting in &meetings {
            self.ctx.check()?;
            sides.resolve(meeting, &ordinals, grid.len(), &mut rows, &mut notes)?;
        }
        self.note(notes);
        drop_empty(&mut rows);
        if !self.options.delayed_name_removal && node.return_bool {
            rows = self.drop_names(rows)?;
        }
        merge_same_labels(rows)
    }
}

impl Sides<'_> {
    fn resolve(
        &self,
        meeting: &Meeting,
        ordinals: &Ordinals,
        steps: usize,
        rows: &mut Vec<Row>,
        notes: &mut Notes,
    ) -> Result<(), Error> {
        let no_fill = self.fill_one.is_none() && self.fill_many.is_none();
        if no_fill && (meeting.many.is_empty() || meeting.one.is_empty()) {
            // Nothing meets, but two of the "one" side must not be there together all the same.
            return self.check_one(meeting, ordinals, steps);
        }
        if let ([one], true) = (&meeting.one[..], no_fill)
            && let Some(one) = self.one.get(*one)
        {
            return self.with_one(meeting, one, steps, rows, notes);
        }
        let mut results = Results::default();
        for step in 0..steps {
            let one = self.one_at(meeting, ordinals, step)?;
            let mut any = false;
            for many in &meeting.many {
                let there = self.many.get(*many).is_some_and(|row| row.has(step));
                if there && (one.is_some() || self.fill_one.is_some()) {
                    any = true;
                    self.combine(Some(*many), one, step, steps, ordinals, &mut results, notes)?;
                }
            }
            if !any && one.is_some() && self.fill_many.is_some() {
                self.combine(None, one, step, steps, ordinals, &mut results, notes)?;
            }
        }
        rows.append(&mut results.rows);
        Ok(())
    }

    /// All rows of a signature with the only one on the other side.
    fn with_one(
        &self,
        meeting: &Meeting,
        one: &Row,
        steps: usize,
        rows: &mut Vec<Row>,
        notes: &mut Notes,
    ) -> Result<(), Error> {
        let mut known: HashMap<Labels, Vec<&Row>> = HashMap::new();
        for many in meeting.many.iter().filter_map(|at| self.many.get(*at)) {
            self.charge_included(one)?;
            let row = match self.plain_pair(many, one) {
                Some(row) => row,
                None => self.pair(many, one, steps, notes),
            };
            if meeting.many.len() > 1 {
                // In one-to-one matching all rows of a signature count as alike.
                let key = match self.matching.card {
                    Cardinality::OneToOne => Labels::default(),
                    _ => row.labels.clone(),
                };
                let alike = known.entry(key).or_default();
                let together = |other: &&Row| {
                    (0..steps).any(|step| one.has(step) && many.has(step) && other.has(step))
                };
                if alike.iter().any(together) {
                    return Err(self.not_unique());
                }
                alike.push(many);
            }
            rows.push(row);
        }
        Ok(())
    }

    /// One row with one row, step by step.
    fn pair(&self, many: &Row, one: &Row, steps: usize, notes: &mut Notes) -> Row {
        let mut row = Row::empty(self.result_labels(&many.labels, &one.labels), steps);
        row.drop_name = self.node.return_bool || many.drop_name;
        for step in 0..steps {
            let (Some(many), Some(one)) = (made(many.cell(step)), made(one.cell(step))) else {
                continue;
            };
            if let Some((value, true)) = self.value(&many, &one, notes) {
                row.set(step, value);
            }
        }
        row
    }

    /// What the operator makes of two values, and whether it stays.
    fn value(&self, many: &Made, one: &Made, notes: &mut Notes) -> Option<(Made, bool)> {
        let (left, right) = if self.swapped { (one, many) } else { (many, one) };
        let made = element(self.node.op, left, right, self.node.pos());
        if let Some(note) = made.note {
            notes.add(note);
        }
        let value = made.value?;
        Some(if self.node.return_bool {
            (Made::Float(f64::from(u8::from(made.keep))), true)
        } else {
            (value, made.keep)
        })
    }

    fn not_unique(&self) -> Error {
        Error::execution(if self.matching.card == Cardinality::OneToOne {
            "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
        } else {
            "multiple matches for labels: grouping labels must ensure unique matches"
        })
    }

    /// One row with one row, all of floats: no step needs a look of its own.
    fn plain_pair(&self, many: &Row, one: &Row) -> Option<Row> {
        let op = self.node.op;
        let trims = matches!(op, BinaryOp::TrimLower | BinaryOp::TrimUpper);
        if many.histograms.is_some() || one.histograms.is_some() || trims {
            return None;
        }
        let (left, right) = if self.swapped { (one, many) } else { (many, one) };
        let floats = if let Some(operation) = float_operation(op) {
            both(left, right, operation)
        } else if self.node.return_bool {
            both(left, right, |left, right| f64::from(u8::from(compare(op, left, right))))
        } else {
            both(left, right, |left, right| if compare(op, left, right) { left } else { ABSENT })
        };
        let labels = self.result_labels(&many.labels, &one.labels);
        let drop_name = self.node.return_bool || many.drop_name;
        Some(Row::of_floats(labels, drop_name, floats))
    }

    /// The row of the "one" side that has a sample at `step`.
    fn one_at(
        &self,
        meeting: &Meeting,
        ordinals: &Ordinals,
        step: usize,
    ) -> Result<Option<usize>, Error> {
        let mut found: Option<usize> = None;
        for at in &meeting.one {
            if !self.one.get(*at).is_some_and(|row| row.has(step)) {
                continue;
            }
            if let Some(first) = found {
                return Err(self.duplicate(first, *at, ordinals));
            }
            found = Some(*at);
        }
        Ok(found)
    }

    fn check_one(&self, meeting: &Meeting, ordinals: &Ordinals, steps: usize) -> Result<(), Error> {
        if meeting.one.len() < 2 {
            return Ok(());
        }
        // Upstream looks only at steps at which the other side has any sample at all.
        let any = |step: usize| self.many.iter().any(|row| row.has(step));
        (0..steps)
            .filter(|step| any(*step))
            .try_for_each(|step| self.one_at(meeting, ordinals, step).map(|_| ()))
    }

    fn duplicate(&self, first: usize, second: usize, ordinals: &Ordinals) -> Error {
        let labels = |at: usize| self.one.get(at).map(|row| row.labels.clone()).unwrap_or_default();
        let mut both = [labels(first), labels(second)];
        let group = ordinals.matched(&both[0]);
        both.sort();
        let [a, b] = both;
        let side = if self.swapped { "left" } else { "right" };
        Error::execution(format!(
            "found duplicate series for the match group {group} on the {side} hand-side of the operation: [{a}, {b}];many-to-many matching not allowed: matching labels must be unique on one side"
        ))
    }

    #[expect(clippy::too_many_arguments, reason = "the state of one step of one signature")]
    fn combine(
        &self,
        many: Option<usize>,
        one: Option<usize>,
        step: usize,
        steps: usize,
        ordinals: &Ordinals,
        results: &mut Results,
        notes: &mut Notes,
    ) -> Result<(), Error> {
        let many_row = many.and_then(|at| self.many.get(at));
        let one_row = one.and_then(|at| self.one.get(at));
        let value = |row: Option<&Row>, fill: Option<f64>| {
            row.and_then(|row| made(row.cell(step))).or(fill.map(Made::Float))
        };
        let (Some(many_value), Some(one_value)) =
            (value(many_row, self.fill_many), value(one_row, self.fill_one))
        else {
            return Ok(());
        };
        let Some((value, keep)) = self.value(&many_value, &one_value, notes) else {
            return Ok(());
        };
        let at = match results.pairs.get(&(many, one)) {
            Some(known) => *known,
            None => {
                one_row.map_or(Ok(()), |one| self.charge_included(one))?;
                let stand_in = |row: Option<&Row>| row.map(|row| ordinals.matched(&row.labels));
                let many_labels = many_row.map(|row| row.labels.clone());
                let one_labels = one_row.map(|row| row.labels.clone());
                let labels = self.result_labels(
                    &many_labels.or_else(|| stand_in(one_row)).unwrap_or_default(),
                    &one_labels.or_else(|| stand_in(many_row)).unwrap_or_default(),
                );
                let mut row = Row::empty(labels, steps);
                row.drop_name = self.node.return_bool || many_row.is_some_and(|row| row.drop_name);
                results.push((many, one), row)
            }
        };
        let any_before = results.last_any.replace(step) == Some(step);
        let label_set = results.label_sets.get(at).copied().unwrap_or(0);
        let last = results.last_step.get_mut(label_set);
        let same_before = last.is_some_and(|last| last.replace(step) == Some(step));
        if same_before || (any_before && self.matching.card == Cardinality::OneToOne) {
            return Err(self.not_unique());
        }
        if let Some(row) = results.rows.get_mut(at).filter(|_| keep) {
            row.set(step, value);
        }
        Ok(())
    }

    /// Pays for the labels that a result takes from the "one" side.
    fn charge_included(&self, one: &Row) -> Result<(), Error> {
        let values = self.matching.include.iter().filter_map(|name| one.labels.get(name));
        self.evaluation.charge_labels(values.map(str::len).sum())
    }

    fn result_labels(&self, many: &Labels, one: &Labels) -> Labels {
        let (other, one_to_one) =
            (changes_meaning(self.node.op), self.matching.card == Cardinality::OneToOne);
        let named = |name: &str| self.matching.labels.iter().any(|known| known == name);
        let kept = many.without(|name| {
            other && crate::engine::is_metadata_label(name)
                || one_to_one && named(name) != self.matching.on
        });
        if self.matching.include.is_empty() {
            return kept;
        }
        let mut labels = kept.to_builder();
        for name in &self.matching.include {
            copy_label(&mut labels, one, name);
        }
        labels.build()
    }
}

/// What `f` makes of the floats at each step that both have.
fn both(left: &Row, right: &Row, f: impl Fn(f64, f64) -> f64) -> Column {
    let cells = left.floats.iter().zip(&right.floats);
    let f = |(left, right): (&f64, &f64)| {
        if is_absent(*left) || is_absent(*right) { ABSENT } else { f(*left, *right) }
    };
    cells.map(f).collect()
}

fn copy_label(labels: &mut LabelsBuilder, from: &Labels, name: &str) {
    labels.set(name, from.get(name).unwrap_or(""));
}

fn made(cell: Cell<'_>) -> Option<Made> {
    match cell {
        Cell::Absent => None,
        Cell::Float(value) => Some(Made::Float(value)),
        Cell::Histogram(histogram) => Some(Made::Histogram(histogram.clone())),
    }
}

impl Results {
    fn push(&mut self, pair: (Option<usize>, Option<usize>), row: Row) -> usize {
        let next = self.known_labels.len();
        let label_set = *self.known_labels.entry(row.labels.clone()).or_insert(next);
        if label_set == next {
            self.last_step.push(None);
        }
        self.rows.push(row);
        self.label_sets.push(label_set);
        self.pairs.insert(pair, self.rows.len() - 1);
        self.rows.len() - 1
    }
}
