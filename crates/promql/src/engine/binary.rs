//! Operators between two expressions.
//!
//! Scalars and vectors meet here; how single values combine is in `binary/element.rs`, how series
//! find each other in `binary/matching.rs`, `and`, `or` and `unless` in `binary/sets.rs`.

use masthead_vecmath::StepGrid;

use super::{ABSENT, Error, Evaluation, Made, Row, Value, drop_empty, is_absent};
use crate::{
    annotations::Notes,
    ast::{Binary, BinaryOp, Cardinality},
};
use element::{Side, compare, element, float_operation};

mod element;
mod matching;
mod sets;

impl Evaluation<'_> {
    /// The value of a binary expression at every step.
    pub(super) fn binary(&self, node: &Binary, grid: &StepGrid) -> Result<Value, Error> {
        let lhs = self.evaluate(&node.lhs, grid)?;
        let rhs = self.evaluate(&node.rhs, grid)?;
        match (lhs, rhs) {
            (Value::Scalar(lhs), Value::Scalar(rhs)) => {
                Ok(Value::Scalar(scalars(node.op, lhs, &rhs)))
            }
            (Value::Vector(rows), Value::Scalar(numbers)) => {
                self.with_scalar(node, rows, &numbers, Side::Left)
            }
            (Value::Scalar(numbers), Value::Vector(rows)) => {
                self.with_scalar(node, rows, &numbers, Side::Right)
            }
            (Value::Vector(lhs), Value::Vector(rhs)) => self.vectors(node, lhs, rhs, grid),
            // The parser refuses strings as operands.
            (Value::String(_), _) | (_, Value::String(_)) => Ok(Value::Vector(Vec::new())),
        }
    }

    fn vectors(
        &self,
        node: &Binary,
        lhs: Vec<Row>,
        rhs: Vec<Row>,
        grid: &StepGrid,
    ) -> Result<Value, Error> {
        let matching = node.matching.clone().unwrap_or_default();
        let what = format!("{} over {} and {} series", node.op, lhs.len(), rhs.len());
        self.ctx
            .traced(
                || what,
                || {
                    if node.op.is_set() || matching.card == Cardinality::ManyToMany {
                        self.set_operation(node.op, &matching, lhs, rhs, grid)
                    } else {
                        self.match_vectors(node, &matching, &lhs, &rhs, grid)
                    }
                },
            )
            .map(Value::Vector)
    }

    /// An operator between rows and a number a step; `side` is where the rows stand.
    fn with_scalar(
        &self,
        node: &Binary,
        mut rows: Vec<Row>,
        numbers: &[f64],
        side: Side,
    ) -> Result<Value, Error> {
        let mut notes = Notes::default();
        let pos = node.pos();
        let trims = matches!(node.op, BinaryOp::TrimLower | BinaryOp::TrimUpper);
        if rows.iter().all(|row| row.histograms.is_none()) && !trims {
            self.each_row(&mut rows, |row| float_row(node, row, numbers, side));
        } else {
            for row in &mut rows {
                self.ctx.check()?;
                mixed_row(node, row, numbers, side, &mut |note| notes.add(note), pos);
            }
        }
        self.note(notes);
        drop_empty(&mut rows);
        if changes_meaning(node.op) || node.return_bool {
            rows = self.drop_names(rows)?;
        }
        Ok(Value::Vector(rows))
    }
}

/// Whether a result is no longer a sample of the metric.
fn changes_meaning(op: BinaryOp) -> bool {
    matches!(
        op,
        BinaryOp::Add
            | BinaryOp::Sub
            | BinaryOp::Mul
            | BinaryOp::Div
            | BinaryOp::Mod
            | BinaryOp::Pow
            | BinaryOp::Atan2
    )
}

fn scalars(op: BinaryOp, mut lhs: Vec<f64>, rhs: &[f64]) -> Vec<f64> {
    for (left, right) in lhs.iter_mut().zip(rhs) {
        *left = match float_operation(op) {
            Some(operation) => operation(*left, *right),
            None => f64::from(u8::from(compare(op, *left, *right))),
        };
    }
    lhs
}

/// A row without histograms.
fn float_row(node: &Binary, row: &mut Row, numbers: &[f64], side: Side) {
    let cells = row.floats.iter_mut().zip(numbers).filter(|(value, _)| !is_absent(**value));
    if let Some(operation) = float_operation(node.op) {
        for (value, number) in cells {
            *value = match side {
                Side::Left => operation(*value, *number),
                Side::Right => operation(*number, *value),
            };
        }
        return;
    }
    for (value, number) in cells {
        let holds = match side {
            Side::Left => compare(node.op, *value, *number),
            Side::Right => compare(node.op, *number, *value),
        };
        if node.return_bool {
            *value = f64::from(u8::from(holds));
        } else if !holds {
            *value = ABSENT;
        }
    }
}

/// A row that histograms take part in.
fn mixed_row(
    node: &Binary,
    row: &mut Row,
    numbers: &[f64],
    side: Side,
    note: &mut impl FnMut(crate::annotations::Note),
    pos: crate::ast::PosRange,
) {
    for (step, number) in numbers.iter().enumerate() {
        let cell = match row.cell(step) {
            super::Cell::Absent => continue,
            super::Cell::Float(value) => Made::Float(value),
            super::Cell::Histogram(histogram) => Made::Histogram(histogram.clone()),
        };
        let number = Made::Float(*number);
        let (left, right) = match side {
            Side::Left => (&cell, &number),
            Side::Right => (&number, &cell),
        };
        let made = element(node.op, left, right, pos);
        row.clear(step);
        if let Some(noted) = made.note.filter(|_| made.value.is_none()) {
            note(noted);
        }
        let Some(value) = made.value else { continue };
        if node.return_bool {
            row.set(step, Made::Float(f64::from(u8::from(made.keep))));
        } else if made.keep {
            // A filter keeps the vector's value also where it stands on the right.
            row.set(step, if node.op.is_comparison() { cell } else { value });
        }
    }
    if row.histograms.as_ref().is_some_and(|column| column.iter().all(Option::is_none)) {
        row.histograms = None;
    }
}
