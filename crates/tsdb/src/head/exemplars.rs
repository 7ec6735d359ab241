//! Exemplars in memory: a ring over all series, the oldest out first. Blocks take a copy of theirs.

use std::collections::VecDeque;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use masthead_model::Labels;
use masthead_ports::Exemplar;

/// Most characters of an exemplar's labels, names and values together (OpenMetrics 1.0).
const LABEL_CHARS_MAX: usize = 128;

#[derive(Debug)]
pub(crate) struct Exemplars {
    max: usize,
    ring: VecDeque<(Labels, Exemplar)>,
    /// How many each series has in the ring, and its newest.
    series: HashMap<Labels, (usize, Exemplar), RandomState>,
}

impl Exemplars {
    pub(super) fn new(max: usize) -> Self {
        Self { max, ring: VecDeque::new(), series: HashMap::default() }
    }

    /// Whether an exemplar would be taken: `None` when it is the newest of its series again.
    pub(crate) fn judge(&self, labels: &Labels, exemplar: &Exemplar) -> Option<bool> {
        let chars: usize = exemplar
            .labels
            .iter()
            .map(|label| label.name.chars().count() + label.value.chars().count())
            .sum();
        if chars > LABEL_CHARS_MAX || self.max == 0 {
            return Some(false);
        }
        match self.series.get(labels) {
            Some((_, newest)) if newest == exemplar => None,
            Some((_, newest)) => Some(newest.timestamp < exemplar.timestamp),
            None => Some(true),
        }
    }

    /// Takes an exemplar with its time; the oldest of all goes if there is no room.
    pub(crate) fn push(&mut self, labels: &Labels, exemplar: Exemplar) {
        if self.judge(labels, &exemplar) != Some(true) {
            return;
        }
        if self.ring.len() >= self.max
            && let Some((labels, _)) = self.ring.pop_front()
            && let Some((count, _)) = self.series.get_mut(&labels)
        {
            *count -= 1;
            if *count == 0 {
                self.series.remove(&labels);
            }
        }
        self.ring.push_back((labels.clone(), exemplar.clone()));
        let count = self.series.get(labels).map_or(0, |(count, _)| *count);
        self.series.insert(labels.clone(), (count + 1, exemplar));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &(Labels, Exemplar)> {
        self.ring.iter()
    }

    /// Those of each series in `first..=last`, in the order in which they came.
    pub(crate) fn between(
        &self,
        first: i64,
        last: i64,
    ) -> HashMap<Labels, Vec<Exemplar>, RandomState> {
        let mut found: HashMap<Labels, Vec<Exemplar>, RandomState> = HashMap::default();
        for (labels, exemplar) in &self.ring {
            if exemplar.timestamp.is_some_and(|time| first <= time.0 && time.0 <= last) {
                found.entry(labels.clone()).or_default().push(exemplar.clone());
            }
        }
        found
    }

    pub(crate) fn len(&self) -> usize {
        self.ring.len()
    }
}

#[cfg(test)]
mod tests {
    use masthead_model::Millis;

    use super::*;

    #[test]
    fn the_oldest_goes_and_order_is_kept_by_series() {
        let labels = |n: u32| Labels::from_iter([("a", n.to_string())]);
        let exemplar = |time| Exemplar {
            labels: Labels::default(),
            value: 1.0,
            timestamp: Some(Millis(time)),
        };
        let mut ring = Exemplars::new(3);
        for time in 1..=4 {
            ring.push(&labels(1), exemplar(time));
        }
        ring.push(&labels(2), exemplar(1));
        assert_eq!(ring.iter().map(|(_, e)| e.timestamp.unwrap().0).collect::<Vec<_>>(), [3, 4, 1]);
        assert_eq!(ring.judge(&labels(1), &exemplar(4)), None);
        assert_eq!(ring.judge(&labels(1), &exemplar(3)), Some(false));
        assert_eq!(ring.judge(&labels(3), &exemplar(0)), Some(true));
        let long = Labels::from_iter([("trace", "x".repeat(124))]);
        assert_eq!(ring.judge(&labels(3), &Exemplar { labels: long, ..exemplar(9) }), Some(false));
    }
}
