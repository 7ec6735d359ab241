//! Several indexes walked at once in label order, as those of blocks that are merged are.

use masthead_model::Labels;

use super::DiskIndex;
use crate::Result;

/// Walks indexes; see the module.
#[derive(Debug)]
pub struct Together<'a> {
    inputs: Vec<Input<'a>>,
}

/// A label set, and where it is: the place of an index among those walked, and its series there.
pub type Found = (Labels, Vec<(usize, u32)>);

#[derive(Debug)]
struct Input<'a> {
    index: &'a DiskIndex,
    next: u32,
    /// Those of series `next`, once they were asked for.
    labels: Option<Labels>,
}

impl<'a> Together<'a> {
    /// Starts before the first series of `indexes`.
    pub fn new(indexes: impl Iterator<Item = &'a DiskIndex>) -> Self {
        let inputs = indexes.map(|index| Input { index, next: 0, labels: None }).collect();
        Self { inputs }
    }

    /// The next label set; none after the last one.
    ///
    /// # Errors
    /// Those of reading.
    pub fn next_series(&mut self) -> Result<Option<Found>> {
        for input in &mut self.inputs {
            if input.labels.is_none() && input.next < input.index.len() {
                input.labels = Some(input.index.cursor().labels(input.next)?);
            }
        }
        let known = self.inputs.iter().filter_map(|input| input.labels.as_ref());
        let Some(labels) = known.min().cloned() else { return Ok(None) };
        let mut series = Vec::new();
        for (at, input) in self.inputs.iter_mut().enumerate() {
            if input.labels.take_if(|next| *next == labels).is_some() {
                series.push((at, input.next));
                input.next += 1;
            }
        }
        Ok(Some((labels, series)))
    }
}
