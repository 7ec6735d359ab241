//! Samples out: one pinned snapshot of head and blocks for all selections of a query.
//!
//! Finding series touches indexes alone. Columns are decoded when the evaluation asks for them,
//! by `select/reader.rs`. Damage in a block is a warning, and the rest answers.

use std::{fmt::Display, sync::Arc};

use masthead_durable::index;
use masthead_model::{Labels, Matcher, Millis, TimeRange};
use masthead_ports::{
    Exemplar, LabelQuery, Metadata, QueryCtx, QueryError, SampleSource, Selected, Selection,
    SeriesRef,
};
use smallvec::SmallVec;

mod reader;

use self::reader::{BlockPart, Place, Reader};
use crate::{
    Result, Tsdb,
    block::Block,
    head::{Held, SeriesSnapshot, Slot, Snapshot, split},
};

/// Samples of so many series are taken from the head at once; appends wait for these alone.
pub(crate) const SERIES_AT_ONCE: usize = 4096;

/// A series that was found, with the places that have samples of it, the most trusted first.
struct Found {
    labels: Labels,
    places: SmallVec<[Place; 2]>,
}

impl SampleSource for Tsdb {
    fn select(
        &self,
        ctx: &QueryCtx,
        selections: &[Selection],
    ) -> Result<Vec<Selected>, QueryError> {
        ctx.check()?;
        self.warn_of_gaps(ctx);
        let heads = ctx.traced(|| "select in head".into(), || self.select_head(ctx, selections))?;
        let blocks = self.blocks();
        let mut answer = Vec::with_capacity(selections.len());
        for (selection, (found, snapshot)) in selections.iter().zip(heads) {
            let what = || format!("select in {} blocks", blocks.len());
            let selected =
                ctx.traced(what, || self.select_blocks(ctx, &blocks, selection, found, snapshot));
            answer.push(selected?);
        }
        Ok(answer)
    }

    fn label_names(&self, ctx: &QueryCtx, query: &LabelQuery) -> Result<Vec<String>, QueryError> {
        self.names(ctx, query)
    }

    fn label_values(
        &self,
        ctx: &QueryCtx,
        name: &str,
        query: &LabelQuery,
    ) -> Result<Vec<String>, QueryError> {
        self.values(ctx, name, query)
    }

    fn series(&self, ctx: &QueryCtx, query: &LabelQuery) -> Result<Vec<Labels>, QueryError> {
        self.label_sets(ctx, query)
    }

    fn exemplars(
        &self,
        ctx: &QueryCtx,
        matchers: &[Vec<Matcher>],
        range: TimeRange<Millis>,
    ) -> Result<Vec<(Labels, Vec<Exemplar>)>, QueryError> {
        self.find_exemplars(ctx, matchers, range)
    }

    fn metadata(&self, ctx: &QueryCtx, metric: Option<&str>) -> Result<Vec<Metadata>, QueryError> {
        ctx.check()?;
        let texts = self.head.texts();
        Ok(match metric {
            Some(metric) => texts.metadata.get(metric).into_iter().cloned().collect(),
            None => texts.metadata.values().cloned().collect(),
        })
    }
}

impl Tsdb {
    /// Says in the answer what is missing from it, or may be.
    pub(crate) fn warn_of_gaps(&self, ctx: &QueryCtx) {
        if let Some(names) = self.set_aside() {
            ctx.warn(format!("results may be incomplete: {names} was set aside for damage"));
        }
        if !self.is_loaded() {
            ctx.warn(
                "results are incomplete: the newest samples are still being read after a start",
            );
        }
    }

    fn select_blocks(
        &self,
        ctx: &QueryCtx,
        blocks: &[Arc<Block>],
        selection: &Selection,
        mut found: Vec<Found>,
        snapshot: Snapshot,
    ) -> Result<Selected, QueryError> {
        let (first, last) = (selection.range.start.0, selection.range.end.0);
        let mut parts = Vec::new();
        // Of blocks that overlap the newer one is trusted more.
        for block in blocks.iter().rev().filter(|block| block.overlaps(first, last)) {
            ctx.check()?;
            match self.find_in(ctx, block, &selection.matchers, parts.len()) {
                Ok(more) => {
                    found = merge(found, more);
                    parts.push(BlockPart::new(Arc::clone(block)));
                }
                Err(error) => {
                    // Whoever ended the search is told so, and the block is not damaged.
                    ctx.check()?;
                    warn(ctx, block, &error);
                }
            }
        }
        if self.labels_budget.is_spent() {
            self.blocks().iter().for_each(|block| block.forget_labels());
            self.labels_budget.reset();
        }
        ctx.count(found.len() as u64, parts.len() as u64, 0);
        if let Some(limit) = selection.hints.limit {
            found.truncate(limit);
        }
        let mut labels = Vec::with_capacity(found.len());
        let mut places = Vec::with_capacity(found.len());
        for series in found {
            labels.push(series.labels);
            places.push(series.places);
        }
        let reader = Reader { places, snapshot, blocks: parts, first, last };
        Ok(Selected { labels, reader: Arc::new(reader) })
    }

    fn find_in(
        &self,
        ctx: &QueryCtx,
        block: &Block,
        matchers: &[Matcher],
        at: usize,
    ) -> Result<Vec<Found>> {
        let ids = index::select_while(&block.index, matchers, &|| ctx.check().is_ok())?;
        let mut found = Vec::with_capacity(usize::try_from(ids.len()).unwrap_or(0));
        block.for_each_labels(&ids, &self.labels_budget, &mut |id, labels| {
            let places = SmallVec::from_slice(&[Place::Block(at, id)]);
            found.push(Found { labels, places });
        })?;
        Ok(found)
    }

    /// The series of the head for each selection, in label order, and their samples.
    ///
    /// Of many series the samples are taken by so many at a time, so that appends need not wait for
    /// all; none is taken that is newer than the newest was. A push that had not ended before is not
    /// seen, neither in one selection nor in the others.
    fn select_head(
        &self,
        ctx: &QueryCtx,
        selections: &[Selection],
    ) -> Result<Vec<(Vec<Found>, Snapshot)>, QueryError> {
        let head = &self.head;
        let view = head.pushes().view();
        let mut chosen: Vec<Vec<(Labels, SeriesRef)>> = Vec::with_capacity(selections.len());
        {
            let registry = head.registry();
            for selection in selections {
                let goes_on = || ctx.check().is_ok();
                let slots = index::select_while(&registry.index, &selection.matchers, &goes_on)
                    .map_err(|error| said(ctx, error.into()))?;
                let slots = registry.in_order(&slots);
                let series = registry.labelled(&slots).into_iter();
                let series = series.map(|(labels, slot)| (labels, registry.reference(slot)));
                chosen.push(series.collect());
            }
        }
        let newest = head.newest();
        let mut all: Vec<(Vec<Found>, Snapshot)> = chosen.iter().map(|_| <_>::default()).collect();
        let few = |series: &[(Labels, SeriesRef)]| series.len() <= SERIES_AT_ONCE;
        {
            let held =
                head.hold(chosen.iter().filter(|some| few(some)).flat_map(|some| slots(some)));
            for ((series, taken), selection) in chosen.iter_mut().zip(&mut all).zip(selections) {
                if few(series) {
                    let range = (selection.range.start.0, selection.range.end.0);
                    take(&held, std::mem::take(series), range, taken);
                }
            }
        }
        for ((series, taken), selection) in chosen.into_iter().zip(&mut all).zip(selections) {
            let range = (selection.range.start.0, selection.range.end.0.min(newest));
            let mut series = series.into_iter().peekable();
            while series.peek().is_some() {
                let some: Vec<_> = series.by_ref().take(SERIES_AT_ONCE).collect();
                take(&head.hold(slots(&some)), some, range, taken);
            }
        }
        let hidden = view.hidden();
        if !hidden.is_empty() {
            for (_, taken) in &mut all {
                taken.hide(&hidden);
            }
        }
        Ok(all)
    }
}

fn slots(series: &[(Labels, SeriesRef)]) -> impl Iterator<Item = Slot> {
    series.iter().filter_map(|(_, reference)| split(reference.0).map(|(_, slot)| slot))
}

/// Adds series with their samples, as far as they have any; one that is gone by now is in blocks.
fn take(
    held: &Held<'_>,
    series: Vec<(Labels, SeriesRef)>,
    (first, last): (i64, i64),
    (found, snapshot): &mut (Vec<Found>, Snapshot),
) {
    // Timelines grow: what was taken of them before may be too short for these series.
    snapshot.forget_lines();
    snapshot.reserve(series.len());
    found.reserve(series.len());
    for (labels, reference) in series {
        let Some((shard, slot)) = held.find(reference) else { continue };
        shard.take(snapshot, slot, first, last);
        if snapshot.series.last().is_some_and(SeriesSnapshot::is_empty) {
            snapshot.series.pop();
            continue;
        }
        snapshot.numbers.push(reference);
        let place = Place::Head(snapshot.series.len() - 1);
        found.push(Found { labels, places: SmallVec::from_slice(&[place]) });
    }
}

/// Merges two lists in label order into one.
fn merge(one: Vec<Found>, other: Vec<Found>) -> Vec<Found> {
    if one.is_empty() {
        return other;
    }
    let mut merged = Vec::with_capacity(one.len().max(other.len()));
    let mut other = other.into_iter().peekable();
    for mut series in one {
        while let Some(next) = other.next_if(|next| {
            // Most are equal, which is seen faster than which comes first.
            next.labels != series.labels && next.labels < series.labels
        }) {
            merged.push(next);
        }
        if let Some(same) = other.next_if(|next| next.labels == series.labels) {
            series.places.extend(same.places);
        }
        merged.push(series);
    }
    merged.extend(other);
    merged
}

/// Why there is no answer: the query is to end, or else `error`.
pub(crate) fn said(ctx: &QueryCtx, error: crate::Error) -> QueryError {
    ctx.check().err().unwrap_or_else(|| error.into())
}

/// Says in the answer that a block is missing from it.
pub(crate) fn warn(ctx: &QueryCtx, block: &Block, error: &dyn Display) {
    block.set_damaged();
    ctx.warn(format!("results are incomplete: {} is damaged: {error}", block.name));
}
