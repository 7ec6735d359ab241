//! Series over all steps: one number a step, or none.

use masthead_model::Labels;

/// Stands where a series has no number: a NaN that no computation yields, because one that is
/// computed is quiet and this one signals.
pub(super) const ABSENT: f64 = f64::from_bits(0x7ff4_6d61_7374_6864);

/// Whether there is no number.
pub(super) fn is_absent(value: f64) -> bool {
    value.to_bits() == ABSENT.to_bits()
}

/// A series over all steps.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) labels: Labels,
    /// One a step.
    pub(super) values: Vec<f64>,
}

impl Row {
    pub(super) fn new(labels: Labels, steps: usize) -> Self {
        Self { labels, values: vec![ABSENT; steps] }
    }

    /// The number at a step.
    pub(super) fn at(&self, step: usize) -> Option<f64> {
        self.values.get(step).copied().filter(|value| !is_absent(*value))
    }

    pub(super) fn set(&mut self, step: usize, value: f64) {
        if let Some(cell) = self.values.get_mut(step) {
            *cell = value;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.iter().all(|value| is_absent(*value))
    }
}
