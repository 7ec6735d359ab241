//! Out of a store: which metrics there are, and the samples of each series in bounded memory.
//!
//! Series are asked for metric by metric. Of a long history a series is read in pieces of
//! [`PIECE_MS`], so that memory holds one piece of a few series, never a whole metric.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use masthead_model::{Labels, METRIC_NAME, Matcher, Millis, TimeRange};
use masthead_ports::{
    Columns, LabelQuery, QueryCtx, QueryLimits, SampleSource, SelectHints, Selection, SeriesReader,
};
use masthead_sysio::Clock;

use crate::{Filter, Result};

mod families;
mod openmetrics;
mod parquet;

pub use self::{openmetrics::openmetrics, parquet::parquet};

/// How long a piece of a series is.
pub const PIECE_MS: i64 = 32 * 86_400_000;
/// Pieces at most; of a longer history they are longer.
const PIECES_MAX: i128 = 120;

/// What is exported, and from where.
#[derive(Debug)]
pub struct Exporter<'a> {
    /// Where samples come from.
    pub source: &'a dyn SampleSource,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Which series and times.
    pub filter: Filter,
    /// First and last time of what there is, where that is known; without it a series is read in
    /// one piece.
    pub bounds: Option<(i64, i64)>,
}

/// What became of an export.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Series of which samples were written.
    pub series: u64,
    /// Samples that were written.
    pub samples: u64,
    /// Stale markers, which say that a series ended and are no values; left out.
    pub stale: u64,
    /// Native histograms that were left out, by metric.
    pub histograms: BTreeMap<String, u64>,
    /// Series without a metric's name, which have no place in either format.
    pub nameless: u64,
    /// What the source could not tell.
    pub warnings: Vec<String>,
}

/// Where a piece of a series is read: number of the piece, reader, place in it.
type Place = (usize, Arc<dyn SeriesReader>, usize);

/// A series with where to read it, piece by piece.
struct Series {
    labels: Labels,
    places: Vec<Place>,
}

impl Series {
    /// Reads one piece.
    fn read(&self, ctx: &QueryCtx, piece: usize, into: &mut Columns) -> Result<()> {
        into.clear();
        if let Some((_, reader, at)) = self.places.iter().find(|(number, ..)| *number == piece) {
            reader.read(ctx, *at, into)?;
        }
        Ok(())
    }
}

impl Exporter<'_> {
    fn ctx(&self) -> QueryCtx {
        let limits = QueryLimits { timeout: Duration::MAX, samples: u64::MAX };
        QueryCtx::new(Arc::clone(&self.clock), limits)
    }

    /// Names of the metrics that match, sorted.
    fn metrics(&self, ctx: &QueryCtx) -> Result<Vec<String>> {
        let query = LabelQuery {
            matchers: self.filter.selectors.clone(),
            range: self.filter.range,
            limit: 0,
        };
        Ok(self.source.label_values(ctx, METRIC_NAME, &query)?)
    }

    /// How many series that match have no name.
    fn nameless(&self, ctx: &QueryCtx) -> Result<u64> {
        let mut matchers = self.filter.selectors.clone();
        if matchers.is_empty() {
            matchers.push(Vec::new());
        }
        for selector in &mut matchers {
            selector.push(Matcher::equal(METRIC_NAME, ""));
        }
        let query = LabelQuery { matchers, range: self.filter.range, limit: 0 };
        Ok(self.source.series(ctx, &query)?.len() as u64)
    }

    /// The time range in pieces.
    fn pieces(&self) -> Vec<TimeRange<Millis>> {
        let all = self.filter.range;
        let (first, last) = self.bounds.unwrap_or((0, 0));
        let (first, last) = (first.max(all.start.0), last.min(all.end.0));
        let span = i128::from(last) - i128::from(first);
        let length = i64::try_from(span / PIECES_MAX + 1).unwrap_or(i64::MAX).max(PIECE_MS);
        let mut pieces = Vec::new();
        let mut start = all.start;
        let mut end = first.saturating_add(length - 1);
        while end < last && end < all.end.0 {
            pieces.push(TimeRange { start, end: Millis(end) });
            start = Millis(end + 1);
            end = end.saturating_add(length);
        }
        pieces.push(TimeRange { start, end: all.end });
        pieces
    }

    /// The series of one metric that match, in label order.
    fn series(
        &self,
        ctx: &QueryCtx,
        metric: &str,
        pieces: &[TimeRange<Millis>],
    ) -> Result<Vec<Series>> {
        let name = Matcher::metric(metric);
        let selectors: &[Vec<Matcher>] = match self.filter.selectors.as_slice() {
            [] => &[Vec::new()],
            some => some,
        };
        let mut found: BTreeMap<Labels, Vec<Place>> = BTreeMap::new();
        for (piece, range) in pieces.iter().enumerate() {
            for selector in selectors {
                let mut matchers = vec![name.clone()];
                matchers.extend(selector.iter().cloned());
                let selection =
                    Selection { matchers, range: *range, hints: SelectHints::default() };
                for selected in self.source.select(ctx, &[selection])? {
                    for (at, labels) in selected.labels.into_iter().enumerate() {
                        let places = found.entry(labels).or_default();
                        if places.last().is_none_or(|(last, ..)| *last < piece) {
                            places.push((piece, Arc::clone(&selected.reader), at));
                        }
                    }
                }
            }
        }
        Ok(found.into_iter().map(|(labels, places)| Series { labels, places }).collect())
    }
}

#[cfg(test)]
mod tests {
    use masthead_ports::testing::MemoryStore;
    use masthead_sysio::SimClock;

    use super::*;

    #[test]
    fn pieces_cover_the_range_without_a_gap() {
        let f = |range: (i64, i64), bounds: Option<(i64, i64)>, want: usize| {
            let range = TimeRange { start: Millis(range.0), end: Millis(range.1) };
            let exporter = Exporter {
                source: &MemoryStore::default(),
                clock: Arc::new(SimClock::default()),
                filter: Filter { range, ..Filter::default() },
                bounds,
            };
            let pieces = exporter.pieces();
            assert_eq!(pieces.len(), want);
            assert_eq!(pieces.first().map(|piece| piece.start), Some(range.start));
            assert_eq!(pieces.last().map(|piece| piece.end), Some(range.end));
            for pair in pieces.windows(2) {
                assert_eq!(pair[0].end.0 + 1, pair[1].start.0);
            }
        };
        let all = (i64::MIN, i64::MAX);
        f(all, None, 1);
        f(all, Some((0, 5)), 1);
        f(all, Some((0, PIECE_MS - 1)), 1);
        f(all, Some((0, PIECE_MS)), 2);
        f(all, Some((0, 10 * PIECE_MS)), 11);
        f(all, Some((0, 10_000 * PIECE_MS)), 120);
        f(all, Some((i64::MIN, i64::MAX)), 120);
        f((PIECE_MS, 2 * PIECE_MS), Some((0, 10 * PIECE_MS)), 2);
    }
}
