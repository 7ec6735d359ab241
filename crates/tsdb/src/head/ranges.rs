//! Which series have samples in a range, and since when there are any. Values are not decoded, and
//! the times of a scrape once.

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::{
    Head, Shard, Slot,
    series::{Chunk, Rest},
    timeline::LineId,
};

/// Times that were decoded, by shard and timeline; good as long as the shards are held.
#[derive(Debug, Default)]
pub(crate) struct KnownTimes(HashMap<(usize, LineId), Vec<i64>, RandomState>);

impl Head {
    /// The oldest sample that is not in a block; none if there is none.
    pub(crate) fn oldest(&self) -> Option<i64> {
        let floor = self.floor();
        let oldest = self.shards.iter().filter_map(|shard| shard.read().oldest()).min();
        oldest.map(|time| time.max(floor))
    }

    /// Whether there may be samples in `first..=last`: upstream's question before it looks at any
    /// series (`tsdb/head_read.go`), with what is in blocks as the start.
    pub(crate) fn overlaps(&self, first: i64, last: i64) -> bool {
        let newest = self.newest();
        if first > newest {
            return false;
        }
        let floor = self.floor();
        // Once there is a block the head goes on from it, and nobody need look.
        last >= newest
            || if floor > i64::MIN {
                last >= floor
            } else {
                self.oldest().is_some_and(|oldest| last >= oldest)
            }
    }
}

impl Shard {
    /// Whether a series has a sample in `first..=last`.
    pub(crate) fn has_between(
        &self,
        slot: Slot,
        (first, last): (i64, i64),
        known: &mut KnownTimes,
    ) -> bool {
        let Some(series) = self.series(slot) else { return false };
        let closed = series.rest.iter().flat_map(|rest| &rest.closed);
        [&series.open]
            .into_iter()
            .chain(closed)
            .any(|chunk| self.chunk_has(chunk, (first, last), known))
            || series.rest.iter().any(|rest| {
                let inside = |time: i64| first <= time && time <= last;
                rest.other_times().any(inside)
            })
    }

    fn chunk_has(&self, chunk: &Chunk, (first, last): (i64, i64), known: &mut KnownTimes) -> bool {
        if chunk.values.is_empty() {
            return false;
        }
        let Some(line) = self.timelines.get(chunk.line) else { return false };
        let (start, end) = (line.window, line.window.saturating_add(self.block_ms - 1));
        if start > last || end < first {
            return false;
        }
        if first <= start && end <= last {
            return true;
        }
        let times = known.0.entry((self.at, chunk.line)).or_insert_with(|| {
            let mut times = Vec::with_capacity(line.times.len());
            times.extend(line.times.iter());
            times
        });
        let from = chunk.first as usize;
        let times = times.get(from..from + chunk.values.len()).unwrap_or_default();
        let next = times.partition_point(|time| *time < first);
        times.get(next).is_some_and(|time| *time <= last)
    }

    fn oldest(&self) -> Option<i64> {
        let lines = self.timelines.lines.iter().flatten().filter_map(|line| line.times.first());
        let others =
            self.slots().filter_map(|(_, series)| series.rest.as_ref()?.other_times().min());
        lines.chain(others).min()
    }
}

impl Rest {
    /// The times of samples that share no timeline.
    fn other_times(&self) -> impl Iterator<Item = i64> {
        let sealed = self.sealed_histograms.iter().flat_map(|sealed| sealed.times.iter());
        let single = self.open_histograms.iter().chain(&self.late_histograms);
        self.late
            .iter()
            .map(|float| float.time)
            .chain(sealed.map(|(time, _)| *time))
            .chain(single.map(|one| one.time))
    }
}
