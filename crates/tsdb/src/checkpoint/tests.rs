//! The head comes back from its file as it was, on any number of threads, and damage stays small.

use std::sync::Arc;

use camino::Utf8Path;
use masthead_durable::table::Table;
use masthead_model::{ErrorClass, Histogram, Labels, Matcher, Millis, TimeRange, Value};
use masthead_ports::{
    AppendBatch, AppendRow, Columns, Exemplar, Metadata, MetricType, QueryCtx, QueryLimits,
    SampleSink as _, SampleSource as _, SelectHints, Selection, StoreAdmin,
};
use masthead_sysio::{Fs as _, Random, SimClock, SimFs, UnixNanos, atomic_write, read_to_vec};

use crate::{JournalOptions, OpenReport, Options, Tsdb, simulation::open_head_file};

const START: i64 = 1_704_067_200_000;
const MINUTE: i64 = 60_000;

fn options() -> Options {
    let journal = JournalOptions { segment_bytes: 2_000, ..JournalOptions::default() };
    Options { journal, checkpoint_bytes: u64::MAX, ..Options::default() }
}

fn open(fs: &SimFs, options: Options) -> (Tsdb, OpenReport) {
    let clock = SimClock::new(UnixNanos((START + 1000 * MINUTE) * 1_000_000));
    Tsdb::open(Arc::new(fs.clone()), Arc::new(clock), "/data".into(), options).unwrap()
}

/// Floats, late ones, start times, histograms in columns and alone, exemplars, a deletion.
fn fill(store: &Tsdb, series: u32, minutes: std::ops::Range<i64>) {
    let mut random = Random::new(7);
    for minute in minutes {
        let time = START + minute * MINUTE;
        let mut batch = AppendBatch { group: 1, ..AppendBatch::default() };
        for n in 0..series {
            let labels = Labels::from_iter([("__name__", "m"), ("n", &format!("{n:05}"))]);
            let late = if n % 50 == 3 && minute % 10 == 9 { 90_500 } else { 0 };
            let mut row = AppendRow::float(labels, Millis(time - late), f64::from(n));
            match n % 10 {
                1 => row.value = Value::Float(f64::from_bits(random.next_u64() >> 2)),
                2 => row.start = Some(Millis(START + minute / 30 * MINUTE)),
                4 if n < 40 => {
                    let histogram =
                        Histogram { count: f64::from(n), sum: 0.5, ..Histogram::default() };
                    row.value = Value::Histogram(Box::new(histogram));
                }
                5 if minute % 25 == 0 => {
                    let labels = Labels::from_iter([("t", minute.to_string())]);
                    row.exemplars = vec![Exemplar { labels, value: 0.25, timestamp: None }];
                }
                6 if minute % 7 == 1 => continue,
                _ => {}
            }
            batch.rows.push(row);
        }
        batch.metadata.push(Metadata {
            family: "m".into(),
            metric_type: MetricType::Gauge,
            help: format!("since {}", minute / 100).into(),
            unit: "".into(),
        });
        let report = store.append(&mut batch).unwrap();
        assert_eq!((report.rejected, report.rejected_exemplars), (Vec::new(), 0));
    }
}

fn delete(store: &Tsdb) {
    let range = TimeRange { start: Millis(START + 5 * MINUTE), end: Millis(START + 8 * MINUTE) };
    store.delete(&[vec![Matcher::equal("n", "00007")]], range).unwrap();
}

/// Everything that can be asked for, as text.
fn everything(store: &Tsdb) -> Vec<String> {
    let ctx = QueryCtx::new(Arc::new(SimClock::default()), QueryLimits::default());
    let range = TimeRange { start: Millis::MIN, end: Millis::MAX };
    let matchers = vec![Matcher::metric("m")];
    let selection = Selection { matchers, range, hints: SelectHints::default() };
    let mut all = Vec::new();
    for selected in store.select(&ctx, &[selection]).unwrap() {
        for (at, labels) in selected.labels.iter().enumerate() {
            let mut columns = Columns::default();
            selected.reader.read(&ctx, at, &mut columns).unwrap();
            let bits: Vec<u64> = columns.floats.iter().map(|value| value.to_bits()).collect();
            columns.floats.clear();
            all.push(format!("{labels} {bits:x?} {columns:?}"));
        }
    }
    all.push(format!("{:?}", store.exemplars(&ctx, &[], range).unwrap()));
    all.push(format!("{:?}", store.metadata(&ctx, None).unwrap()));
    assert_eq!(ctx.warnings(), Vec::<String>::new());
    all
}

#[test]
fn the_head_comes_back_from_its_file_whatever_the_threads() {
    for load_threads in [1, 4] {
        let options = Options { load_threads, ..options() };
        let fs = SimFs::new(1);
        let (store, _) = open(&fs, options);
        // More than one group, and more histograms than one column has.
        fill(&store, 1100, 0..70);
        delete(&store);
        let before = everything(&store);
        store.close().unwrap();
        assert_eq!(store.stats().upkeep.journal_bytes, 0, "no segment is needed any more");
        drop(store);
        let fs = fs.kill();
        let (store, report) = open(&fs, options);
        assert_eq!((report.journal.files, report.series), (0, 1100), "{report:?}");
        assert!(before == everything(&store), "{load_threads} threads: the answers differ");
        // And it goes on as if nothing had been.
        fill(&store, 1100, 70..75);
        let grown = everything(&store);
        drop(store);
        let (store, report) = open(&fs.kill(), options);
        assert!(report.journal.files > 0 && report.frames_dropped == 0, "{report:?}");
        assert!(grown == everything(&store), "{load_threads} threads: with the journal");
        assert_eq!(store.replay().current, store.replay().last);
    }
}

#[test]
fn a_file_that_was_written_while_samples_came_is_completed_by_the_journal() {
    let fs = SimFs::new(2);
    let (store, _) = open(&fs, options());
    fill(&store, 30, 0..50);
    // The catalogue is taken, and then come more samples and series, before any record is.
    let (segment, catalog) = {
        let segment = store.journal().unwrap().rotate();
        (segment, crate::image::Catalog::of(&store.head, &store.head.registry()))
    };
    fill(&store, 40, 50..55);
    let path = store.dir.join("head").join(crate::image::name(segment));
    store.write_image(&path, &catalog).unwrap();
    store
        .journal()
        .unwrap()
        .checkpoint(segment, &mut |out| {
            out.push(&crate::frame::encode_state(catalog.floor, catalog.generation))?;
            out.push(&crate::frame::encode_head(segment))
        })
        .unwrap();
    let columns = |store: &Tsdb| {
        let mut all = everything(store);
        // Exemplars and metadata were left out above.
        all.truncate(40);
        all
    };
    let before = columns(&store);
    drop(store);
    let (store, report) = open(&fs.kill(), options());
    assert_eq!((report.series, report.samples_dropped, report.frames_dropped), (40, 0, 0));
    assert!(before == columns(&store));
}

#[test]
fn samples_move_to_blocks_of_another_length() {
    let fs = SimFs::new(3);
    let (store, _) = open(&fs, options());
    fill(&store, 20, 0..100);
    delete(&store);
    let before = everything(&store);
    store.close().unwrap();
    drop(store);
    let shorter = Options { block_ms: 30 * MINUTE, ..options() };
    let (store, _) = open(&fs.kill(), shorter);
    assert!(before == everything(&store));
    store.flush_all().unwrap();
    assert_eq!(StoreAdmin::blocks(&store).unwrap().len(), 4);
    let mut after = everything(&store);
    assert_eq!(before.len(), after.len());
    after.truncate(20);
    assert!(before.get(..20).unwrap() == after);
}

#[test]
fn a_head_is_written_when_the_journal_is_long_and_not_again_for_nothing() {
    let fs = SimFs::new(4);
    let (store, _) = open(&fs, Options { checkpoint_bytes: 5_000, ..options() });
    fill(&store, 20, 0..10);
    store.tick().unwrap();
    let written = store.stats();
    assert_eq!(written.checkpoints_total, 1);
    assert!(written.head_bytes > 0 && written.last_checkpoint_success_ms > 0);
    store.tick().unwrap();
    store.close().unwrap();
    assert_eq!(store.stats().checkpoints_total, 1, "nothing has come since");
    drop(store);
    let fs = fs.kill();
    let (store, _) = open(&fs, options());
    store.close().unwrap();
    assert_eq!(store.stats().checkpoints_total, 0, "nor after a restart");
    assert_eq!(fs.read_dir("/data/head".into()).unwrap().len(), 1);
}

#[test]
fn before_the_head_is_there_blocks_answer_and_writers_come_again() {
    let fs = SimFs::new(5);
    let (store, _) = open(&fs, options());
    fill(&store, 3, 0..10);
    store.flush_all().unwrap();
    fill(&store, 3, 130..140);
    drop(store);
    let clock = Arc::new(SimClock::new(UnixNanos((START + 1000 * MINUTE) * 1_000_000)));
    let (store, mut report) =
        Tsdb::open_blocks(Arc::new(fs.kill()), clock.clone(), "/data".into(), options()).unwrap();
    let ctx = QueryCtx::new(clock, QueryLimits::default());
    let range = TimeRange { start: Millis::MIN, end: Millis::MAX };
    let selection = Selection { matchers: Vec::new(), range, hints: SelectHints::default() };
    assert_eq!(store.select(&ctx, &[selection]).unwrap().remove(0).labels.len(), 3);
    assert_eq!(ctx.warnings().len(), 1);
    let refused = store.append(&mut AppendBatch::default()).unwrap_err();
    assert_eq!(refused.class, ErrorClass::Unavailable);
    for refused in [store.flush_all().err(), store.checkpoint().err(), delete_nothing(&store)] {
        assert_eq!(refused.unwrap().class(), ErrorClass::Unavailable);
    }
    store.tick().unwrap();
    store.close().unwrap();
    store.load(&mut report).unwrap();
    assert_eq!((report.blocks, report.samples), (1, 30));
    assert_eq!(everything(&store).len(), 5);
}

fn delete_nothing(store: &Tsdb) -> Option<crate::Error> {
    store.delete(&[], TimeRange { start: Millis::MIN, end: Millis::MAX }).err()
}

#[test]
fn damage_loses_a_group_or_the_file_and_never_more() {
    let fs = SimFs::new(6);
    let (store, _) = open(&fs, options());
    fill(&store, 2100, 0..12);
    let before = everything(&store);
    store.close().unwrap();
    drop(store);
    let name = fs.read_dir("/data/head".into()).unwrap().remove(0);
    let path = Utf8Path::new("/data/head").join(&name);
    let whole = read_to_vec(&fs, &path, 1 << 30).unwrap();
    let named = fs.read_dir("/data/journal".into()).unwrap().remove(0);
    let named = Utf8Path::new("/data/journal").join(&named);
    let checkpoint = read_to_vec(&fs, &named, 1 << 20).unwrap();
    let mut seen = [false; 3];
    for at in (0..whole.len()).step_by(whole.len() / 40) {
        let fs = SimFs::new(6);
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        for (path, bytes) in [(&path, &bytes), (&named, &checkpoint)] {
            fs.create_dir_all(path.parent().unwrap()).unwrap();
            atomic_write(&fs, path, bytes).unwrap();
        }
        let (store, report) = open(&fs, options());
        let found = everything(&store);
        assert!(found.iter().all(|one| one.ends_with(']') || before.contains(one)), "{at}");
        let lost = usize::try_from(report.series_lost).unwrap();
        assert!(lost == 0 || (lost < 2100 && report.series + lost >= 2100), "{report:?}");
        if report.head_damages.is_empty() {
            // Bytes between sections.
            assert_eq!((report.series, lost), (2100, 0));
        } else {
            let names = fs.read_dir("/data/head".into()).unwrap();
            assert_eq!(names, [format!("{name}.corrupt")]);
        }
        seen[usize::from(report.series > 0) + usize::from(lost == 0 && report.series > 0)] = true;
        // It goes on, and what is written now can be read again.
        fill(&store, 5, 20..22);
        store.close().unwrap();
        drop(store);
        let (_, report) = open(&fs.kill(), options());
        assert_eq!(report.head_damages, Vec::<String>::new());
    }
    assert_eq!(seen.get(..2), Some(&[true, true][..]), "files and groups were lost");
}

#[test]
fn bad_bytes_under_good_checksums_never_panic_and_stay_small() {
    let fs = SimFs::new(7);
    let (store, _) = open(&fs, options());
    fill(&store, 50, 0..70);
    store.close().unwrap();
    drop(store);
    let name = fs.read_dir("/data/head".into()).unwrap().remove(0);
    let path = Utf8Path::new("/data/head").join(name);
    let table = Table::open(&fs, &path, crate::image::KIND, crate::image::VERSION).unwrap();
    let sections: Vec<Vec<u8>> =
        (1..=7).map(|id| table.section(id).unwrap().all().unwrap().to_vec()).collect();
    let open = |sections: &[Vec<u8>]| {
        let sections: Vec<&[u8]> = sections.iter().map(Vec::as_slice).collect();
        open_head_file(&sections).unwrap()
    };
    let (report, samples) = open(&sections);
    assert_eq!((report.series, report.samples), (50, samples as u64));
    let (mut random, mut damaged) = (Random::new(8), 0);
    for turn in 0..250 {
        let mut bad = sections.clone();
        let section = &mut bad[turn % 7];
        let at = random.index(section.len());
        match turn % 3 {
            0 => section[at] ^= 1 << random.below(8),
            1 => section.truncate(at),
            _ => section[at] = 0xff,
        }
        let (report, read) = open(&bad);
        damaged += u32::from(!report.head_damages.is_empty());
        assert!(read <= 20 * samples, "{read} samples of {samples}");
    }
    assert!(damaged > 50, "{damaged} files with damage that was seen");
}
