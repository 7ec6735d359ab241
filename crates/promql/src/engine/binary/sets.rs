//! `and`, `or` and `unless`: which rows have a partner at each step.

use masthead_vecmath::StepGrid;

use super::matching::Ordinals;
use crate::{
    ast::{BinaryOp, VectorMatching},
    engine::{Error, Evaluation, Row, drop_empty, merge_same_labels},
};

impl Evaluation<'_> {
    pub(super) fn set_operation(
        &self,
        op: BinaryOp,
        matching: &VectorMatching,
        mut lhs: Vec<Row>,
        mut rhs: Vec<Row>,
        grid: &StepGrid,
    ) -> Result<Vec<Row>, Error> {
        let mut ordinals = Ordinals::new(matching);
        let left: Vec<usize> = lhs.iter().map(|row| ordinals.of(row)).collect();
        let right: Vec<usize> = rhs.iter().map(|row| ordinals.of(row)).collect();
        self.ctx.check()?;
        match op {
            BinaryOp::Or => {
                let taken = presence(&lhs, &left, ordinals.len(), grid.len());
                keep_steps(&mut rhs, &right, |ordinal, step| !taken.has(ordinal, step));
                lhs.append(&mut rhs);
            }
            BinaryOp::Unless => {
                let there = presence(&rhs, &right, ordinals.len(), grid.len());
                keep_steps(&mut lhs, &left, |ordinal, step| !there.has(ordinal, step));
            }
            _ => {
                let there = presence(&rhs, &right, ordinals.len(), grid.len());
                keep_steps(&mut lhs, &left, |ordinal, step| there.has(ordinal, step));
            }
        }
        drop_empty(&mut lhs);
        merge_same_labels(lhs)
    }
}

/// For each signature, at which steps any row has a sample.
struct Presence {
    bits: Vec<Option<Box<[bool]>>>,
}

impl Presence {
    fn has(&self, ordinal: usize, step: usize) -> bool {
        let steps = self.bits.get(ordinal).and_then(Option::as_ref);
        steps.and_then(|steps| steps.get(step)).copied().unwrap_or(false)
    }
}

fn presence(rows: &[Row], ordinals: &[usize], signatures: usize, steps: usize) -> Presence {
    let mut bits: Vec<Option<Box<[bool]>>> = vec![None; signatures];
    for (row, ordinal) in rows.iter().zip(ordinals) {
        let Some(steps_of) = bits.get_mut(*ordinal) else { continue };
        let steps_of = steps_of.get_or_insert_with(|| vec![false; steps].into_boxed_slice());
        for (step, bit) in steps_of.iter_mut().enumerate() {
            *bit |= row.has(step);
        }
    }
    Presence { bits }
}

fn keep_steps(rows: &mut [Row], ordinals: &[usize], keep: impl Fn(usize, usize) -> bool) {
    for (row, ordinal) in rows.iter_mut().zip(ordinals) {
        for step in 0..row.steps() {
            if !keep(*ordinal, step) {
                row.clear(step);
            }
        }
    }
}
