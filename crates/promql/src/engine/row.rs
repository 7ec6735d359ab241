//! What an instant vector is while it is evaluated: one row a series, one column entry a step.
//!
//! A row holds a float for every step of its grid, in one run of memory, so that operators work
//! on whole rows. Steps without a float hold [`ABSENT`]; it is the stale marker, which is removed
//! where samples are read and which no computation yields. Native histograms stand beside, for
//! the few rows that have any. Labels are shared, never copied, until an operator changes them.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    hash::BuildHasher as _,
    sync::Arc,
};

use foldhash::fast::RandomState;
use masthead_model::{Histogram, Labels, METRIC_NAME, STALE_NAN_BITS};
use smallvec::SmallVec;

use super::Error;

/// Stands where a step has no float.
pub(crate) const ABSENT: f64 = f64::from_bits(STALE_NAN_BITS);

/// The label of a metric's type, where the feature of type and unit labels is used.
pub(crate) const TYPE_LABEL: &str = "__type__";
/// The label of a metric's unit.
pub(crate) const UNIT_LABEL: &str = "__unit__";

/// One float a step; an instant query's single one needs no allocation.
pub(crate) type Column = SmallVec<[f64; 2]>;

/// One histogram a step, where there is one.
pub(crate) type HistogramColumn = Box<[Option<Arc<Histogram>>]>;

/// One series of an instant vector over all steps.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) labels: Labels,
    /// Whether the metric's name, type and unit go once the whole query is evaluated.
    pub(crate) drop_name: bool,
    pub(crate) floats: Column,
    pub(crate) histograms: Option<HistogramColumn>,
}

/// The value of one row at one step.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cell<'a> {
    Absent,
    Float(f64),
    Histogram(&'a Arc<Histogram>),
}

/// A value that an operator made.
#[derive(Debug, Clone)]
pub(crate) enum Made {
    Float(f64),
    Histogram(Arc<Histogram>),
}

/// Whether a step holds no float.
#[inline]
pub(crate) fn is_absent(value: f64) -> bool {
    value.to_bits() == STALE_NAN_BITS
}

impl Row {
    /// A row without any sample.
    pub(crate) fn empty(labels: Labels, steps: usize) -> Self {
        Self {
            labels,
            drop_name: false,
            floats: Column::from_elem(ABSENT, steps),
            histograms: None,
        }
    }

    /// A row of floats alone.
    pub(crate) fn of_floats(labels: Labels, drop_name: bool, floats: Column) -> Self {
        Self { labels, drop_name, floats, histograms: None }
    }

    /// How many steps there are.
    pub(crate) fn steps(&self) -> usize {
        self.floats.len()
    }

    /// What stands at `step`.
    #[inline]
    pub(crate) fn cell(&self, step: usize) -> Cell<'_> {
        match self.floats.get(step) {
            Some(value) if !is_absent(*value) => Cell::Float(*value),
            _ => match self.histogram(step) {
                Some(histogram) => Cell::Histogram(histogram),
                None => Cell::Absent,
            },
        }
    }

    /// The histogram at `step`.
    #[inline]
    pub(crate) fn histogram(&self, step: usize) -> Option<&Arc<Histogram>> {
        self.histograms.as_ref()?.get(step)?.as_ref()
    }

    /// Whether `step` has a sample.
    #[inline]
    pub(crate) fn has(&self, step: usize) -> bool {
        !matches!(self.cell(step), Cell::Absent)
    }

    /// Puts a value at `step`, which must have none yet.
    pub(crate) fn set(&mut self, step: usize, made: Made) {
        match made {
            Made::Float(value) => {
                if let Some(place) = self.floats.get_mut(step) {
                    *place = value;
                }
            }
            Made::Histogram(histogram) => {
                let steps = self.steps();
                let column =
                    self.histograms.get_or_insert_with(|| vec![None; steps].into_boxed_slice());
                if let Some(place) = column.get_mut(step) {
                    *place = Some(histogram);
                }
            }
        }
    }

    /// Removes what stands at `step`.
    pub(crate) fn clear(&mut self, step: usize) {
        if let Some(place) = self.floats.get_mut(step) {
            *place = ABSENT;
        }
        if let Some(place) = self.histograms.as_mut().and_then(|column| column.get_mut(step)) {
            *place = None;
        }
    }

    /// Whether no step has a sample.
    pub(crate) fn is_empty(&self) -> bool {
        self.floats.iter().all(|value| is_absent(*value))
            && self.histograms.as_ref().is_none_or(|column| column.iter().all(Option::is_none))
    }

    /// The same value at every one of `steps` steps, taken from the first.
    pub(crate) fn repeated(&self, steps: usize) -> Self {
        let first = self.floats.first().copied().unwrap_or(ABSENT);
        let histograms =
            self.histogram(0).map(|histogram| vec![Some(Arc::clone(histogram)); steps].into());
        Self {
            labels: self.labels.clone(),
            drop_name: self.drop_name,
            floats: Column::from_elem(first, steps),
            histograms,
        }
    }

    /// Takes over the samples of `other` where this row has none.
    ///
    /// # Errors
    /// [`Error::SameLabelset`] when both have a sample at the same step.
    fn absorb(&mut self, other: &Self) -> Result<(), Error> {
        for step in 0..self.steps() {
            let made = match other.cell(step) {
                Cell::Absent => continue,
                Cell::Float(value) => Made::Float(value),
                Cell::Histogram(histogram) => Made::Histogram(Arc::clone(histogram)),
            };
            if self.has(step) {
                return Err(Error::SameLabelset);
            }
            self.set(step, made);
        }
        Ok(())
    }
}

/// Drops rows without samples.
pub(crate) fn drop_empty(rows: &mut Vec<Row>) {
    rows.retain(|row| !row.is_empty());
}

/// Joins rows of the same labels, in the place of the first; those whose names will be dropped stay
/// apart from those whose names will not.
///
/// # Errors
/// [`Error::SameLabelset`] when two of them have a sample at the same step.
pub(crate) fn merge_same_labels(rows: Vec<Row>) -> Result<Vec<Row>, Error> {
    // Mostly no two have the same, which hashes tell without a look at the labels themselves.
    let hasher = RandomState::default();
    let mut hashes = HashSet::with_capacity_and_hasher(rows.len(), RandomState::default());
    if rows.iter().all(|row| hashes.insert(hasher.hash_one((&row.labels, row.drop_name)))) {
        return Ok(rows);
    }
    let mut places: HashMap<(Labels, bool), usize> = HashMap::with_capacity(rows.len());
    let mut merged: Vec<Row> = Vec::with_capacity(rows.len());
    for row in rows {
        match places.entry((row.labels.clone(), row.drop_name)) {
            Entry::Vacant(place) => {
                place.insert(merged.len());
                merged.push(row);
            }
            Entry::Occupied(place) => {
                if let Some(first) = merged.get_mut(*place.get()) {
                    first.absorb(&row)?;
                }
            }
        }
    }
    Ok(merged)
}

/// Whether a label describes the metric rather than the series: its name, type or unit.
pub(crate) fn is_metadata_label(name: &str) -> bool {
    name == METRIC_NAME || name == TYPE_LABEL || name == UNIT_LABEL
}

/// The labels without name, type and unit, as values have them that are no longer the metric.
pub(crate) fn without_metadata(labels: &Labels) -> Labels {
    labels.without(is_metadata_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, values: &[f64]) -> Row {
        let labels = [("a", name)].into_iter().collect();
        Row::of_floats(labels, false, values.iter().copied().collect())
    }

    #[test]
    fn rows_of_the_same_labels_join_where_their_samples_do_not_meet() {
        let rows = vec![row("x", &[1.0, ABSENT]), row("y", &[3.0, 4.0]), row("x", &[ABSENT, 2.0])];
        let merged = merge_same_labels(rows).expect("disjoint");
        assert_eq!(merged.len(), 2);
        assert_eq!(merged.first().map(|row| row.floats.to_vec()), Some(vec![1.0, 2.0]));

        let rows = vec![row("x", &[1.0, ABSENT]), row("x", &[2.0, 2.0])];
        assert!(matches!(merge_same_labels(rows), Err(Error::SameLabelset)));
    }

    #[test]
    fn a_histogram_counts_as_a_sample_and_an_ordinary_nan_too() {
        let mut row = row("x", &[f64::NAN, ABSENT]);
        assert!(row.has(0) && !row.has(1));
        row.set(1, Made::Histogram(Arc::default()));
        assert!(row.has(1));
        row.clear(0);
        row.clear(1);
        assert!(row.is_empty());
    }

    #[test]
    fn name_type_and_unit_are_dropped_together() {
        let labels: Labels =
            [("__name__", "m"), ("__type__", "counter"), ("__unit__", "s"), ("a", "b")]
                .into_iter()
                .collect();
        assert_eq!(without_metadata(&labels).to_string(), "{a=\"b\"}");
    }
}
