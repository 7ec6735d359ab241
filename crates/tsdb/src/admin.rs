//! The store as an operator sees it: [`StoreAdmin`] over what the store does anyway.

use masthead_durable::snapshot;
use masthead_model::{Matcher, Millis, TimeRange};
use masthead_ports::{AdminError, BlockInfo, Cardinality, ReplayStatus, StoreAdmin, StoreStats};

use crate::{Error, Tsdb, block::Origin};

impl StoreAdmin for Tsdb {
    fn delete_series(
        &self,
        matchers: &[Matcher],
        range: TimeRange<Millis>,
    ) -> Result<(), AdminError> {
        Ok(self.delete(&[matchers.to_vec()], range)?)
    }

    fn clean_tombstones(&self) -> Result<(), AdminError> {
        Self::clean_tombstones(self)?;
        Ok(())
    }

    fn snapshot(&self, with_head: bool) -> Result<String, AdminError> {
        let name = snapshot::name(self.clock.now());
        Self::snapshot(self, &name, with_head)?;
        Ok(name)
    }

    fn stats(&self, limit: usize) -> Result<StoreStats, AdminError> {
        let cardinality = self.cardinality(limit);
        let list = |pairs: Vec<(String, u64)>| {
            pairs.into_iter().map(|(name, count)| Cardinality { name, count }).collect()
        };
        let stats = Self::stats(self);
        let range = stats.max_time_ms.map(|max| TimeRange {
            start: Millis(self.head.oldest().unwrap_or(max)),
            end: Millis(max),
        });
        Ok(StoreStats {
            series: cardinality.series,
            label_pairs: self.label_pairs(),
            chunks: cardinality.series,
            range,
            series_by_metric: list(cardinality.metrics),
            values_by_label: list(cardinality.names),
            bytes_by_label: self.label_bytes(limit),
            series_by_pair: list(cardinality.pairs),
        })
    }

    fn blocks(&self) -> Result<Vec<BlockInfo>, AdminError> {
        let info = |block: &std::sync::Arc<crate::block::Block>| BlockInfo {
            id: block.name.clone(),
            range: TimeRange {
                start: Millis(block.meta.min_time),
                end: Millis(block.meta.max_time),
            },
            samples: block.meta.samples,
            series: block.meta.series,
            chunks: block.meta.series,
            bytes: block.bytes,
            level: match block.meta.origin {
                Origin::Head => 1,
                Origin::Merge => 2,
            },
            sources: block
                .meta
                .sources
                .iter()
                .map(|number| masthead_durable::blocks::name(*number))
                .collect(),
        };
        let mut blocks: Vec<BlockInfo> = Tsdb::blocks(self).iter().map(info).collect();
        blocks.sort_by_key(|block| (block.range.start, block.range.end));
        Ok(blocks)
    }

    fn replay(&self) -> ReplayStatus {
        self.progress.status(self.is_loaded())
    }
}

impl Tsdb {
    /// Different `label=value` pairs in the head.
    fn label_pairs(&self) -> u64 {
        self.head.registry().index.cardinality().count() as u64
    }

    /// Bytes of the values of each label in the head, largest first.
    fn label_bytes(&self, limit: usize) -> Vec<Cardinality> {
        let registry = self.head.registry();
        let mut bytes = std::collections::BTreeMap::<&str, u64>::new();
        for (name, value, _) in registry.index.cardinality() {
            *bytes.entry(name).or_default() += value.len() as u64;
        }
        let mut all: Vec<_> = bytes
            .into_iter()
            .map(|(name, count)| Cardinality { name: name.to_owned(), count })
            .collect();
        all.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
        all.truncate(limit);
        all
    }
}

impl From<Error> for AdminError {
    fn from(error: Error) -> Self {
        Self { class: error.class(), message: error.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use masthead_model::{ErrorClass, Labels, MatchOp};
    use masthead_ports::{
        AppendBatch, AppendRow, Columns, LabelQuery, QueryCtx, QueryLimits, SampleSink as _,
        SampleSource as _, SelectHints, Selection, testing::ctx_of_looks,
    };
    use masthead_sysio::{Clock as _, SimClock, SimFs};

    use super::*;
    use crate::Options;

    fn store() -> (Tsdb, i64) {
        let clock = SimClock::default();
        let now = clock.now().0.div_euclid(1_000_000);
        let (store, _) = Tsdb::open(
            Arc::new(SimFs::new(1)),
            Arc::new(clock),
            "/data".into(),
            Options::default(),
        )
        .expect("opens");
        let rows = [("a", "x"), ("a", "yy"), ("b", "x")].map(|(name, job)| {
            let labels: Labels = [("__name__", name), ("job", job)].into_iter().collect();
            AppendRow::float(labels, Millis(now), 1.0)
        });
        store.append(&mut AppendBatch { rows: rows.into(), ..AppendBatch::default() }).unwrap();
        (store, now)
    }

    #[test]
    fn what_fills_the_head_is_told_largest_first() {
        let (store, now) = store();
        let stats = StoreAdmin::stats(&store, 1).expect("stats");
        assert_eq!((stats.series, stats.label_pairs), (3, 4));
        let range = stats.range.map(|range| (range.start, range.end));
        assert_eq!(range, Some((Millis(now), Millis(now))));
        let labels: Labels = [("__name__", "a"), ("job", "x")].into_iter().collect();
        let rows = [1, 3].map(|at| AppendRow::float(labels.clone(), Millis(now + at), 1.0));
        store.append(&mut AppendBatch { rows: rows.into(), ..AppendBatch::default() }).unwrap();
        let range = StoreAdmin::stats(&store, 1).expect("stats").range;
        assert_eq!(
            range.map(|range| (range.start, range.end)),
            Some((Millis(now), Millis(now + 3)))
        );
        let first = |list: &[Cardinality]| list.iter().map(|c| (c.name.clone(), c.count)).next();
        assert_eq!(first(&stats.series_by_metric), Some(("a".into(), 2)));
        assert_eq!(first(&stats.bytes_by_label), Some(("job".into(), 3)));
        assert_eq!(first(&stats.series_by_pair).map(|pair| pair.1), Some(2));
        assert_eq!(stats.values_by_label.len(), 1);
    }

    #[test]
    fn a_snapshot_is_named_and_blocks_are_listed() {
        let (store, _) = store();
        assert!(StoreAdmin::blocks(&store).expect("lists").is_empty());
        store.flush_all().expect("flushes");
        let blocks = StoreAdmin::blocks(&store).expect("lists");
        assert_eq!((blocks.len(), blocks[0].samples, blocks[0].level), (1, 3, 1));
        let name = StoreAdmin::snapshot(&store, true).expect("snapshot");
        assert!(store.fs.metadata(&store.dir.join("snapshots").join(name)).is_ok());
    }

    #[test]
    fn trying_many_values_ends_at_the_deadline_and_damages_nothing() {
        let (store, now) = store();
        let rows = (0..200).map(|n| {
            let path = format!("{n:0512}");
            let labels: Labels = [("__name__", "c"), ("path", &path)].into_iter().collect();
            AppendRow::float(labels, Millis(now), 1.0)
        });
        store.append(&mut AppendBatch { rows: rows.collect(), ..AppendBatch::default() }).unwrap();
        let range = TimeRange { start: Millis(now), end: Millis(now) };
        let matchers = vec![Matcher::new(MatchOp::Matches, "path", ".*7").expect("valid")];
        let selection =
            Selection { matchers: matchers.clone(), range, hints: SelectHints::default() };
        let query = LabelQuery { matchers: vec![matchers], range, limit: 0 };
        let ask = |at: usize, ctx: &QueryCtx| match at {
            0 => store.select(ctx, std::slice::from_ref(&selection)).map(|all| all[0].labels.len()),
            1 => store.series(ctx, &query).map(|found| found.len()),
            2 => store.label_names(ctx, &query).map(|found| found.len()),
            _ => store.label_values(ctx, "path", &query).map(|found| found.len()),
        };
        for place in ["head", "block"] {
            for (at, want) in [20, 20, 2, 20].into_iter().enumerate() {
                assert_eq!(ask(at, &ctx_of_looks(1_000)).expect("in time"), want, "{place}");
                let late = ctx_of_looks(10);
                let ended = ask(at, &late).map_err(|error| error.class());
                assert_eq!((ended, late.warnings()), (Err(ErrorClass::Timeout), Vec::new()));
            }
            store.flush_all().expect("flushes");
        }
    }

    #[test]
    fn deleted_series_are_gone() {
        let (store, now) = store();
        let all = TimeRange { start: Millis::MIN, end: Millis::MAX };
        store.delete_series(&[Matcher::metric("a")], all).expect("deletes");
        StoreAdmin::clean_tombstones(&store).expect("cleans");
        let ctx = QueryCtx::new(Arc::new(SimClock::default()), QueryLimits::default());
        let range = TimeRange { start: Millis(now), end: Millis(now) };
        let matchers = vec![Matcher::not_equal("job", "")];
        let selection = Selection { matchers, range, hints: SelectHints::default() };
        let selected = store.select(&ctx, &[selection]).expect("selects").remove(0);
        let mut left = Vec::new();
        for (at, labels) in selected.labels.iter().enumerate() {
            let mut columns = Columns::default();
            selected.reader.read(&ctx, at, &mut columns).expect("reads");
            left.extend((!columns.is_empty()).then(|| labels.metric_name()).flatten());
        }
        assert_eq!(left, ["b"]);
        assert_eq!(StoreAdmin::replay(&store), ReplayStatus::default());
        let error = AdminError::from(Error::Options("x"));
        assert_eq!(error.class, ErrorClass::BadInput);
    }
}
