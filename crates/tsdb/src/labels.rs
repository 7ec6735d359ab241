//! Questions about labels, exemplars: from indexes alone, but for the times of the head's series.
//!
//! Names and values are those of everything that overlaps the range, block or head; of the head
//! only series with samples in the range are listed (upstream: `tsdb/head_read.go`).

use std::collections::{BTreeMap, BTreeSet};

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use masthead_durable::index::Postings;
use masthead_model::{Labels, Matcher, Millis, TimeRange};
use masthead_ports::{Exemplar, LabelQuery, QueryCtx, QueryError};
use roaring::RoaringBitmap;

use crate::{
    Result, Tsdb,
    block::Block,
    delete::union,
    head::{KnownTimes, Slot},
    merge::sort_exemplars,
    select::{SERIES_AT_ONCE, said, warn},
};

impl Tsdb {
    pub(crate) fn names(
        &self,
        ctx: &QueryCtx,
        query: &LabelQuery,
    ) -> Result<Vec<String>, QueryError> {
        ctx.check()?;
        self.warn_of_gaps(ctx);
        let mut names = BTreeSet::new();
        if self.head.overlaps(query.range.start.0, query.range.end.0) {
            let registry = self.head.registry();
            match series_of(ctx, &registry.index, query).map_err(|error| said(ctx, error))? {
                None => names.extend(registry.index.names().map(str::to_owned)),
                Some(ids) => {
                    names.extend(registry.index.names_among(&ids).into_iter().map(str::to_owned));
                }
            }
        }
        self.each_block(ctx, query, &mut |block, ids| {
            match ids {
                None => names.extend(block.index.names()?.into_iter().map(str::to_owned)),
                Some(ids) => add_names(&block.index, ids, &mut names)?,
            }
            Ok(())
        })?;
        Ok(limited(names, query.limit))
    }

    pub(crate) fn values(
        &self,
        ctx: &QueryCtx,
        name: &str,
        query: &LabelQuery,
    ) -> Result<Vec<String>, QueryError> {
        ctx.check()?;
        self.warn_of_gaps(ctx);
        let mut values = BTreeSet::new();
        if self.head.overlaps(query.range.start.0, query.range.end.0) {
            let registry = self.head.registry();
            let ids = series_of(ctx, &registry.index, query).map_err(|error| said(ctx, error))?;
            values.extend(registry.index.values(name, ids.as_ref()).map(str::to_owned));
        }
        self.each_block(ctx, query, &mut |block, ids| {
            values.extend(block.index.values(name, ids)?.into_iter().map(str::to_owned));
            Ok(())
        })?;
        Ok(limited(values, query.limit))
    }

    pub(crate) fn label_sets(
        &self,
        ctx: &QueryCtx,
        query: &LabelQuery,
    ) -> Result<Vec<Labels>, QueryError> {
        ctx.check()?;
        self.warn_of_gaps(ctx);
        let mut sets = BTreeSet::new();
        if self.head.overlaps(query.range.start.0, query.range.end.0) {
            let ids = series_or_all(ctx, &self.head.registry().index, query)
                .map_err(|error| said(ctx, error))?;
            let ids = self.with_samples(ctx, ids, query.range)?;
            let registry = self.head.registry();
            registry
                .index
                .for_each_labels(&ids, &mut |_, labels| {
                    sets.insert(labels.clone());
                })
                .map_err(crate::Error::from)?;
        }
        self.each_block(ctx, query, &mut |block, ids| {
            let all = if ids.is_none() { block.index.all()? } else { RoaringBitmap::new() };
            Ok(block.index.for_each_labels(ids.unwrap_or(&all), &mut |_, labels| {
                sets.insert(labels.clone());
            })?)
        })?;
        let limit = if query.limit == 0 { usize::MAX } else { query.limit };
        Ok(sets.into_iter().take(limit).collect())
    }

    pub(crate) fn find_exemplars(
        &self,
        ctx: &QueryCtx,
        matchers: &[Vec<Matcher>],
        range: TimeRange<Millis>,
    ) -> Result<Vec<(Labels, Vec<Exemplar>)>, QueryError> {
        ctx.check()?;
        self.warn_of_gaps(ctx);
        let matches = |labels: &Labels| {
            matchers.is_empty()
                || matchers.iter().any(|all| all.iter().all(|m| m.matches_labels(labels)))
        };
        let mut found: BTreeMap<Labels, Vec<Exemplar>> = BTreeMap::new();
        {
            let texts = self.head.texts();
            let mut wanted: HashMap<&Labels, bool, RandomState> = HashMap::default();
            for (labels, exemplar) in texts.exemplars.iter() {
                let inside = exemplar.timestamp.is_none_or(|time| range.contains(time));
                if inside && !wanted.contains_key(labels) {
                    ctx.check()?;
                    wanted.insert(labels, matches(labels));
                }
                if inside && wanted.get(labels).is_some_and(|wanted| *wanted) {
                    found.entry(labels.clone()).or_default().push(exemplar.clone());
                }
            }
        }
        for block in self.blocks().iter().filter(|block| block.has_exemplars()) {
            ctx.check()?;
            if let Err(error) = exemplars_of(ctx, block, matchers, range, &mut found) {
                ctx.check()?;
                warn(ctx, block, &error);
            }
        }
        found.values_mut().for_each(sort_exemplars);
        Ok(found.into_iter().collect())
    }

    /// The most numerous labels of the head: names by how many values they have, metrics and pairs
    /// by how many series, each at most `limit`, largest first.
    pub fn cardinality(&self, limit: usize) -> Cardinality {
        let registry = self.head.registry();
        let mut names: HashMap<&str, u64, RandomState> = HashMap::default();
        let (mut metrics, mut pairs) = (Vec::new(), Vec::new());
        for (name, value, series) in registry.index.cardinality() {
            *names.entry(name).or_default() += 1;
            if name == masthead_model::METRIC_NAME {
                metrics.push((value.to_owned(), series));
            }
            pairs.push((name, value, series));
        }
        pairs.sort_unstable_by(|a, b| b.2.cmp(&a.2).then(a.cmp(b)));
        let pairs = pairs.into_iter().take(limit);
        Cardinality {
            series: registry.index.len() as u64,
            names: top(names.into_iter().map(|(name, count)| (name.to_owned(), count)), limit),
            metrics: top(metrics.into_iter(), limit),
            pairs: pairs.map(|(n, v, series)| (format!("{n}={v}"), series)).collect(),
        }
    }

    /// The series of the head that have samples in a range.
    fn with_samples(
        &self,
        ctx: &QueryCtx,
        ids: RoaringBitmap,
        range: TimeRange<Millis>,
    ) -> Result<RoaringBitmap, QueryError> {
        let head = &self.head;
        let range = (range.start.0, range.end.0);
        let (floor, newest) = (head.floor(), head.newest());
        if range.0 <= floor && newest <= range.1 {
            // All, and what has nothing here any more is in a block of the range.
            return Ok(ids);
        }
        let slots: Vec<Slot> = ids.into_iter().collect();
        let mut found = RoaringBitmap::new();
        for slots in slots.chunks(SERIES_AT_ONCE) {
            ctx.check()?;
            let held = head.hold(slots.iter().copied());
            let mut known = KnownTimes::default();
            let has = |slot: &Slot| {
                held.shard(*slot).is_some_and(|shard| shard.has_between(*slot, range, &mut known))
            };
            found.extend(slots.iter().copied().filter(has));
        }
        Ok(found)
    }

    /// Calls `visit` with each block of the query's range and the series that match, or none if
    /// all do; damage is a warning.
    fn each_block(
        &self,
        ctx: &QueryCtx,
        query: &LabelQuery,
        visit: &mut dyn FnMut(&Block, Option<&RoaringBitmap>) -> Result<()>,
    ) -> Result<(), QueryError> {
        for block in self.blocks().iter() {
            if !block.overlaps(query.range.start.0, query.range.end.0) {
                continue;
            }
            ctx.check()?;
            let visited =
                series_of(ctx, &block.index, query).and_then(|ids| visit(block, ids.as_ref()));
            if let Err(error) = visited {
                ctx.check()?;
                warn(ctx, block, &error);
            }
        }
        Ok(())
    }
}

/// What the head's labels cost; see [`Tsdb::cardinality`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cardinality {
    /// Series in the head.
    pub series: u64,
    /// Label names with how many values they have.
    pub names: Vec<(String, u64)>,
    /// Metric names with how many series they have.
    pub metrics: Vec<(String, u64)>,
    /// `name=value` with how many series have it.
    pub pairs: Vec<(String, u64)>,
}

fn exemplars_of(
    ctx: &QueryCtx,
    block: &Block,
    matchers: &[Vec<Matcher>],
    range: TimeRange<Millis>,
    found: &mut BTreeMap<Labels, Vec<Exemplar>>,
) -> Result<()> {
    let ids = if matchers.is_empty() {
        None
    } else {
        Some(union(&block.index, matchers, &|| ctx.check().is_ok())?)
    };
    let wanted = |id| ids.as_ref().is_none_or(|ids| ids.contains(id));
    let mut some = Vec::new();
    block.each_exemplars((range.start.0, range.end.0), &wanted, &mut |id, exemplars| {
        some.push((id, exemplars));
    })?;
    let mut cursor = block.index.cursor();
    for (id, exemplars) in some {
        found.entry(cursor.labels(id)?).or_default().extend(exemplars);
    }
    Ok(())
}

fn top(all: impl Iterator<Item = (String, u64)>, limit: usize) -> Vec<(String, u64)> {
    let mut all: Vec<_> = all.collect();
    all.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    all.truncate(limit);
    all
}

/// The series that a query means; none for all.
fn series_of(
    ctx: &QueryCtx,
    index: &dyn Postings,
    query: &LabelQuery,
) -> Result<Option<RoaringBitmap>> {
    if query.matchers.is_empty() {
        return Ok(None);
    }
    union(index, &query.matchers, &|| ctx.check().is_ok()).map(Some)
}

fn series_or_all(
    ctx: &QueryCtx,
    index: &dyn Postings,
    query: &LabelQuery,
) -> Result<RoaringBitmap> {
    match series_of(ctx, index, query)? {
        Some(ids) => Ok(ids),
        None => Ok(index.all()?),
    }
}

fn add_names(
    index: &dyn Postings,
    ids: &RoaringBitmap,
    names: &mut BTreeSet<String>,
) -> Result<()> {
    Ok(index.for_each_labels(ids, &mut |_, labels| {
        for label in labels {
            if !names.contains(label.name) {
                names.insert(label.name.to_owned());
            }
        }
    })?)
}

fn limited(all: BTreeSet<String>, limit: usize) -> Vec<String> {
    let limit = if limit == 0 { usize::MAX } else { limit };
    all.into_iter().take(limit).collect()
}
