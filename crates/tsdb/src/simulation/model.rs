//! What must be in the store: for each series and time the values that may be there, and whether
//! nothing may.

use std::collections::BTreeMap;

use masthead_model::is_stale;
use masthead_ports::Columns;

/// A sample in a form that compares by bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sample {
    Float {
        bits: u64,
        start: i64,
    },
    Histogram {
        count: u64,
        start: i64,
    },
    /// The end of a series, whatever it was of.
    Stale,
}

pub(super) type Key = (usize, i64);

/// What may stand at one place.
#[derive(Debug, Clone, Default)]
struct Place {
    values: Vec<Sample>,
    absent: bool,
    /// The journal's frame by which it was there for sure.
    frame: u64,
}

#[derive(Debug, Default)]
pub(super) struct Model {
    places: BTreeMap<Key, Place>,
}

impl Model {
    /// A sample was acknowledged, in frame `frame` or before.
    pub(super) fn acknowledged(&mut self, key: Key, sample: Sample, frame: u64) {
        let place = self.places.entry(key).or_default();
        *place = Place { values: vec![sample], absent: false, frame };
    }

    /// A sample was sent and not acknowledged.
    pub(super) fn sent(&mut self, key: Key, sample: Sample) {
        let place = self.places.entry(key).or_insert(Place { absent: true, ..Place::default() });
        place.values.push(sample);
    }

    /// Whether the store may have anything at a place.
    pub(super) fn may_have(&self, key: Key) -> bool {
        self.places.contains_key(&key)
    }

    /// Samples were deleted, for sure or perhaps.
    pub(super) fn deleted(&mut self, matches: impl Fn(Key) -> bool, sure: bool) {
        if sure {
            self.places.retain(|key, _| !matches(*key));
        } else {
            self.may_be_gone(matches);
        }
    }

    /// Samples may be gone.
    pub(super) fn may_be_gone(&mut self, matches: impl Fn(Key) -> bool) {
        for (_, place) in self.places.iter_mut().filter(|(key, _)| matches(**key)) {
            place.absent = true;
        }
    }

    /// The power was cut when frames up to `synced` were safe.
    pub(super) fn power_lost(&mut self, synced: u64) {
        for place in self.places.values_mut().filter(|place| place.frame > synced) {
            place.absent = true;
        }
    }

    /// Compares with what was read.
    pub(super) fn check(&self, found: &BTreeMap<Key, Sample>) -> Result<(), String> {
        self.check_found(found)?;
        let missing =
            self.places.iter().find(|(key, place)| !place.absent && !found.contains_key(*key));
        match missing {
            Some((key, place)) => Err(format!("{key:?} is lost: {place:?}")),
            None => Ok(()),
        }
    }

    /// Compares with what was read of some of it.
    pub(super) fn check_found(&self, found: &BTreeMap<Key, Sample>) -> Result<(), String> {
        for (key, sample) in found {
            match self.places.get(key) {
                None => return Err(format!("{key:?} has {sample:?}, which should not be there")),
                Some(place) if !place.values.contains(sample) => {
                    return Err(format!("{key:?} has {sample:?}, sent was {:?}", place.values));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// After a restart: what was found is there for sure, what was not never comes back.
    pub(super) fn settle(&mut self, found: &BTreeMap<Key, Sample>) {
        self.places = found
            .iter()
            .map(|(key, sample)| (*key, Place { values: vec![*sample], absent: false, frame: 0 }))
            .collect();
    }

    pub(super) fn newest(&self) -> Option<i64> {
        self.places.keys().map(|(_, time)| *time).max()
    }
}

/// Adds the samples of a series to what was read. Fails when times do not rise.
pub(super) fn collect(
    series: usize,
    columns: &Columns,
    into: &mut BTreeMap<Key, Sample>,
) -> Result<(), String> {
    let start = |starts: &[i64], at: usize| starts.get(at).copied().unwrap_or(0);
    let floats = columns.float_times.iter().zip(&columns.floats).enumerate();
    let mut put = |time: i64, sample: Sample| match into.insert((series, time), sample) {
        None => Ok(()),
        Some(other) => Err(format!("series {series} has {time} twice: {other:?}, {sample:?}")),
    };
    for (at, (time, value)) in floats {
        let start = start(&columns.float_starts, at);
        let bits = value.to_bits();
        put(*time, if is_stale(*value) { Sample::Stale } else { Sample::Float { bits, start } })?;
    }
    for (at, (time, histogram)) in
        columns.histogram_times.iter().zip(&columns.histograms).enumerate()
    {
        let start = start(&columns.histogram_starts, at);
        let count = histogram.count.to_bits();
        let stale = is_stale(histogram.sum);
        put(*time, if stale { Sample::Stale } else { Sample::Histogram { count, start } })?;
    }
    let rises = |times: &[i64]| times.windows(2).all(|pair| pair.first() < pair.last());
    if rises(&columns.float_times) && rises(&columns.histogram_times) {
        Ok(())
    } else {
        Err(format!("times of series {series} do not rise"))
    }
}
