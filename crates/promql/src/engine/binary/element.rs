//! One value with another.
//!
//! Which operators histograms know, and what is noted where they don't:
//! `promql/engine.go: vectorElemBinop`.

use std::sync::Arc;

use masthead_model::{CounterResetHint, Histogram};
use masthead_vecmath::histogram::{Keep, trim};

use crate::{
    annotations::{HistogramOperation, Note},
    ast::{BinaryOp, PosRange},
    engine::Made,
};

/// Where an operand stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

/// What an operator makes of two values.
#[derive(Debug)]
pub(super) struct Element {
    /// The result; nothing where the operator knows none for these operands.
    pub(super) value: Option<Made>,
    /// For comparisons, whether they hold; else true.
    pub(super) keep: bool,
    pub(super) note: Option<Note>,
}

/// The arithmetic that `op` means for floats; nothing for comparisons, sets and trims.
pub(super) fn float_operation(op: BinaryOp) -> Option<fn(f64, f64) -> f64> {
    Some(match op {
        BinaryOp::Add => |a, b| a + b,
        BinaryOp::Sub => |a, b| a - b,
        BinaryOp::Mul => |a, b| a * b,
        BinaryOp::Div => |a, b| a / b,
        BinaryOp::Mod => |a, b| a % b,
        BinaryOp::Pow => f64::powf,
        BinaryOp::Atan2 => f64::atan2,
        _ => return None,
    })
}

/// Whether a comparison of floats holds.
#[expect(clippy::float_cmp, reason = "users ask for exact equality")]
pub(super) fn compare(op: BinaryOp, left: f64, right: f64) -> bool {
    match op {
        BinaryOp::Equal => left == right,
        BinaryOp::NotEqual => left != right,
        BinaryOp::Less => left < right,
        BinaryOp::LessOrEqual => left <= right,
        BinaryOp::Greater => left > right,
        BinaryOp::GreaterOrEqual => left >= right,
        _ => false,
    }
}

/// What `op` makes of two values of any kind.
pub(super) fn element(op: BinaryOp, left: &Made, right: &Made, pos: PosRange) -> Element {
    match (left, right) {
        (Made::Float(left), Made::Float(right)) => floats(op, *left, *right, pos),
        (Made::Float(left), Made::Histogram(right)) => match op {
            BinaryOp::Mul => made(scaled(right, |histogram| histogram.mul(*left))),
            _ => unknown("float", op, "histogram", pos),
        },
        (Made::Histogram(left), Made::Float(right)) => match op {
            BinaryOp::Mul => made(scaled(left, |histogram| histogram.mul(*right))),
            BinaryOp::Div => made(scaled(left, |histogram| histogram.div(*right))),
            BinaryOp::TrimUpper => made(trim(left, *right, Keep::Below)),
            BinaryOp::TrimLower => made(trim(left, *right, Keep::Above)),
            _ => unknown("histogram", op, "float", pos),
        },
        (Made::Histogram(left), Made::Histogram(right)) => histograms(op, left, right, pos),
    }
}

fn floats(op: BinaryOp, left: f64, right: f64, pos: PosRange) -> Element {
    if let Some(operation) = float_operation(op) {
        let value = Some(Made::Float(operation(left, right)));
        return Element { value, keep: true, note: None };
    }
    if op.is_comparison() {
        let keep = compare(op, left, right);
        return Element { value: Some(Made::Float(left)), keep, note: None };
    }
    unknown("float", op, "float", pos)
}

fn histograms(op: BinaryOp, left: &Arc<Histogram>, right: &Histogram, pos: PosRange) -> Element {
    let mut result = Histogram::clone(left);
    let (combined, operation) = match op {
        BinaryOp::Add => (result.add(right), HistogramOperation::Addition),
        BinaryOp::Sub => {
            let combined = result.sub(right);
            result.counter_reset_hint = CounterResetHint::Gauge;
            (combined, HistogramOperation::Subtraction)
        }
        BinaryOp::Equal | BinaryOp::NotEqual => {
            let keep = left.same_data(right) == (op == BinaryOp::Equal);
            return Element { value: Some(Made::Histogram(Arc::clone(left))), keep, note: None };
        }
        _ => return unknown("histogram", op, "histogram", pos),
    };
    let Ok(combined) = combined else {
        return Element {
            value: None,
            keep: false,
            note: Some(Note::incompatible_buckets(op, pos)),
        };
    };
    let note = if combined.counter_reset_collision {
        Some(Note::counter_reset_collision(operation, pos))
    } else if combined.bounds_reconciled {
        Some(Note::bounds_reconciled(operation, pos))
    } else {
        None
    };
    result.compact(0);
    Element { note, ..made(result) }
}

fn made(histogram: Histogram) -> Element {
    Element { value: Some(Made::Histogram(Arc::new(histogram))), keep: true, note: None }
}

fn scaled(histogram: &Histogram, scale: impl FnOnce(&mut Histogram)) -> Histogram {
    let mut scaled = histogram.clone();
    scale(&mut scaled);
    scaled.compact(0);
    scaled
}

fn unknown(left: &str, op: BinaryOp, right: &str, pos: PosRange) -> Element {
    let note = Some(Note::incompatible_types(left, op, right, pos));
    Element { value: None, keep: false, note }
}
