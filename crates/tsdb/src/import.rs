//! Blocks of samples from elsewhere: written whole, published at once, older than anything or not.
//!
//! The head and its journal are not touched, and what is imported does not raise the floor: the
//! store goes on taking the samples that it would have taken. Where an imported block and others
//! have a sample of the same series and time, the rule is that of every overlap: the head stands
//! first, then the newer block; whoever wants to keep what was there asks before it pushes.

use masthead_model::Labels;
use masthead_ports::Columns;

use crate::{
    Error, Result, Tsdb,
    block::{BlockWriter, Origin},
    columns::Part,
};

/// A block that is being written from samples from elsewhere.
#[derive(Debug)]
pub struct BlockSink {
    writer: BlockWriter,
    last: Option<Labels>,
}

impl BlockSink {
    /// Adds a series with its samples, which come back unchanged; one without samples is left out.
    ///
    /// # Errors
    /// Those of the file system.
    ///
    /// # Panics
    /// When the labels do not come after those of the series before.
    pub fn push(&mut self, labels: &Labels, columns: &mut Columns) -> Result<()> {
        let in_order = self.last.as_ref().is_none_or(|last| last < labels);
        assert!(in_order, "BUG: series {labels} of a block is out of order");
        let part = Part { columns: std::mem::take(columns) };
        let pushed = self.writer.push(labels, &part);
        *columns = part.columns;
        pushed?;
        self.last = Some(labels.clone());
        Ok(())
    }
}

/// What went wrong, in the words of whoever fills a block.
struct Failed<E>(E);

impl<E: From<Error>> From<masthead_durable::Error> for Failed<E> {
    fn from(error: masthead_durable::Error) -> Self {
        Self(Error::from(error).into())
    }
}

impl Tsdb {
    /// Publishes what `fill` pushes as one block; returns whether there was anything to publish.
    /// Until this returns, and when it fails, no reader sees any of it, whatever happens to the
    /// machine.
    ///
    /// The block should stay within one [`Tsdb::import_window`], so that it can be merged with
    /// others of that time. While `fill` runs it may read the store, and no other block is written.
    ///
    /// # Errors
    /// Those of `fill` and of the file system.
    pub fn import_block<E: From<Error>>(
        &self,
        fill: impl FnOnce(&mut BlockSink) -> Result<(), E>,
    ) -> Result<bool, E> {
        let mut maintenance = self.maintain()?;
        let written = maintenance.keeper.write(|dir| {
            let mut sink = BlockSink { writer: BlockWriter::create(&*self.fs, dir)?, last: None };
            fill(&mut sink).map_err(Failed)?;
            let some = !sink.writer.is_empty();
            if some {
                // It comes from other blocks or the like, and replaces none of ours.
                sink.writer.finish(Origin::Merge, i64::MIN, Vec::new())?;
            }
            Ok(some)
        });
        let added = written.map_err(|Failed(error)| error)?;
        let published = added.is_some();
        if published {
            self.replace_blocks(added, &[]);
        }
        Ok(published)
    }

    /// First and last time of the block that an imported sample of `time` belongs to.
    pub fn import_window(&self, time: i64) -> (i64, i64) {
        let long = self.options.merged_ms;
        let first = time.div_euclid(long).saturating_mul(long);
        (first, first.saturating_add(long - 1))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use masthead_model::{Matcher, Millis, TimeRange};
    use masthead_ports::{
        AppendBatch, AppendRow, QueryCtx, QueryLimits, SampleSink as _, SampleSource as _,
        SelectHints, Selection,
    };
    use masthead_sysio::{SimClock, SimFs, UnixNanos};

    use super::*;
    use crate::Options;

    const DAY: i64 = 86_400_000;
    const NOW: i64 = 20_000 * DAY;

    fn open(fs: &SimFs) -> Result<Tsdb> {
        let clock = SimClock::new(UnixNanos(NOW * 1_000_000));
        let options = Options::default();
        Ok(Tsdb::open(Arc::new(fs.clone()), Arc::new(clock), "/data".into(), options)?.0)
    }

    fn columns(times: std::ops::Range<i64>, value: f64) -> Columns {
        let times: Vec<i64> = times.collect();
        Columns { floats: vec![value; times.len()], float_times: times, ..Columns::default() }
    }

    fn import(
        store: &Tsdb,
        names: &[&str],
        times: std::ops::Range<i64>,
        value: f64,
    ) -> Result<bool> {
        store.import_block::<Error>(|block| {
            for name in names {
                let labels: Labels = name.parse().map_err(|_| Error::Options("labels"))?;
                block.push(&labels, &mut columns(times.clone(), value))?;
            }
            Ok(())
        })
    }

    /// Times and sum of the values of each series.
    fn read(store: &Tsdb) -> Vec<(String, usize, f64)> {
        let ctx = QueryCtx::new(Arc::clone(&store.clock), QueryLimits::default());
        let range = TimeRange { start: Millis::MIN, end: Millis::MAX };
        let matchers = vec![Matcher::not_equal("none", "x")];
        let selection = Selection { matchers, range, hints: SelectHints::default() };
        let mut found = Vec::new();
        let mut columns = Columns::default();
        for selected in store.select(&ctx, &[selection]).unwrap() {
            for (at, labels) in selected.labels.iter().enumerate() {
                selected.reader.read(&ctx, at, &mut columns).unwrap();
                let sum = columns.floats.iter().fold(0.0, |a, b| a + b);
                found.push((labels.to_string(), columns.len(), sum));
            }
        }
        found
    }

    #[test]
    fn an_import_is_there_at_once_and_after_a_crash_and_nothing_is_refused_because_of_it() {
        let fs = SimFs::new(1);
        let store = open(&fs).unwrap();
        let past = 3 * DAY..3 * DAY + 100;
        assert!(import(&store, &["a", "b"], past.clone(), 1.0).unwrap());
        assert!(!import(&store, &[], past, 1.0).unwrap());
        let row = |time| AppendRow::float("a".parse().unwrap(), Millis(time), 5.0);
        let rows = vec![row(4 * DAY), row(NOW)];
        let report =
            store.append(&mut AppendBatch { group: 1, rows, ..AppendBatch::default() }).unwrap();
        assert_eq!((report.appended, report.rejected.len()), (2, 0));
        let want =
            [(r#"{__name__="a"}"#.into(), 102, 110.0), (r#"{__name__="b"}"#.into(), 100, 100.0)];
        assert_eq!(read(&store), want);
        store.sync().unwrap();
        drop(store);
        assert_eq!(read(&open(&fs.crash()).unwrap()), want);
    }

    #[test]
    fn overlapping_imports_merge_and_the_later_one_stands() {
        let fs = SimFs::new(2);
        let store = open(&fs).unwrap();
        let (first, last) = store.import_window(5 * DAY + 7);
        assert_eq!((first, last), (5 * DAY, 6 * DAY - 1));
        import(&store, &["a"], first..first + 10, 1.0).unwrap();
        import(&store, &["a"], first + 5..first + 15, 2.0).unwrap();
        assert_eq!(read(&store), [(r#"{__name__="a"}"#.into(), 15, 25.0)]);
        let rows = vec![AppendRow::float("b".parse().unwrap(), Millis(NOW), 0.0)];
        store.append(&mut AppendBatch { group: 1, rows, ..AppendBatch::default() }).unwrap();
        store.flush_all().unwrap();
        assert!(store.compact_once().unwrap());
        assert_eq!((store.stats().upkeep.blocks, read(&store)[0].2), (2, 25.0));
    }

    #[test]
    fn power_lost_at_any_operation_leaves_all_of_an_import_or_nothing() {
        for nth in 1..60 {
            let fs = SimFs::new(nth);
            drop(open(&fs).unwrap());
            let done = open(&fs).and_then(|store| {
                fs.fail_from(nth, std::io::ErrorKind::Other);
                import(&store, &["a", "b"], 7..9, 1.0)
            });
            let found = read(&open(&fs.crash()).unwrap());
            assert!(found.is_empty() || found.len() == 2, "{nth}");
            assert!(done.is_err() || found.len() == 2, "{nth}");
        }
    }

    #[test]
    fn what_fails_in_between_is_not_there_and_leaves_nothing() {
        let fs = SimFs::new(3);
        let store = open(&fs).unwrap();
        let failed = store.import_block::<Error>(|block| {
            block.push(&"a".parse().unwrap_or_default(), &mut columns(1..5, 1.0))?;
            Err(Error::Options("no"))
        });
        assert!(failed.is_err());
        assert_eq!((read(&store).len(), store.stats().upkeep.blocks), (0, 0));
        assert!(import(&store, &["a"], 1..5, 1.0).unwrap());
    }
}
