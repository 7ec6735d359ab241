//! A sample as the simulation compares it, and where it is.

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
