//! The store as a whole, compared with the plain one in memory.

use std::borrow::Cow;

use masthead_model::{ErrorClass, Labels, Matcher, Nanos, TimeRange};
use masthead_ports::{
    Direction, LineFilter, LinePattern, LogBatch, LogColumns, LogHints, LogReport, LogRow,
    LogSelection, LogSink, LogSource, LogStream, Progress, QueryCtx, QueryLimits,
    testing::{MemoryLogStore, ctx_of_looks},
};
use masthead_sysio::{Random, SimClock, SimFs, UnixNanos};

use super::*;

const DIR: &str = "/data";
const START: i64 = 1_704_067_200_000_000_000;
const SECOND: i64 = 1_000_000_000;

fn clock() -> Arc<SimClock> {
    Arc::new(SimClock::new(UnixNanos(START)))
}

fn options() -> Options {
    // So small that segments, blocks and merges come with a few hundred lines.
    Options {
        segment_bytes: 600,
        buffer_bytes: 6000,
        merge_blocks: 3,
        free_bytes_min: 0,
        ..Options::default()
    }
}

fn open(fs: &SimFs) -> (Logdb, OpenReport) {
    Logdb::open(Arc::new(fs.clone()), clock(), DIR.into(), options()).unwrap()
}

fn labels(text: &str) -> Labels {
    text.parse().unwrap()
}

fn row(time: i64, line: &str) -> LogRow<'static> {
    LogRow {
        timestamp: Nanos(time),
        line: Cow::Owned(line.as_bytes().to_vec()),
        structured_metadata: Labels::default(),
    }
}

fn put(store: &dyn LogSink, stream: &str, rows: Vec<LogRow<'_>>) -> LogReport {
    let streams = vec![LogStream { labels: labels(stream), rows }];
    store.append(&LogBatch { streams, progress: Vec::new() }).unwrap()
}

fn everything() -> TimeRange<Nanos> {
    TimeRange { start: Nanos::MIN, end: Nanos::MAX }
}

fn ctx() -> QueryCtx {
    QueryCtx::new(clock(), QueryLimits::default())
}

type Line = (i64, Vec<u8>, Option<Labels>);

/// All lines by stream, in the order of the parts.
fn read(store: &dyn LogSource, selection: &LogSelection) -> Vec<(Labels, Vec<Line>)> {
    let ctx = ctx();
    let selected = store.select(&ctx, std::slice::from_ref(selection)).unwrap().remove(0);
    assert!(selected.streams.is_sorted_by(|a, b| a < b));
    let backward = selection.hints.direction == Direction::Backward;
    assert!(selected.parts.is_sorted_by(|a, b| if backward {
        a.range.end >= b.range.end
    } else {
        a.range.start <= b.range.start
    }));
    let mut found: Vec<(Labels, Vec<Line>)> =
        selected.streams.iter().map(|labels| (labels.clone(), Vec::new())).collect();
    let mut columns = LogColumns::default();
    for (at, part) in selected.parts.iter().enumerate() {
        selected.reader.read(&ctx, at, &mut columns).unwrap();
        assert!(columns.len() <= part.lines && columns.times.is_sorted());
        let lines = (0..columns.len()).map(|at| {
            assert!(part.range.contains(Nanos(columns.times[at])));
            (columns.times[at], columns.line(at).to_vec(), columns.metadata(at).cloned())
        });
        let known = &mut found[part.stream].1;
        if backward {
            let before = std::mem::take(known);
            known.extend(lines);
            known.extend(before);
        } else {
            known.extend(lines);
        }
        assert!(known.is_sorted_by_key(|line| line.0));
    }
    assert_eq!(ctx.warnings(), Vec::<String>::new());
    found.retain(|(_, lines)| !lines.is_empty());
    found
}

fn selection(matcher: Matcher, range: TimeRange<Nanos>) -> LogSelection {
    let hints = LogHints { metadata: true, ..LogHints::default() };
    LogSelection { matchers: vec![matcher], range, hints }
}

fn all() -> LogSelection {
    selection(Matcher::not_equal("none", "x"), everything())
}

#[test]
fn any_bytes_come_back_from_memory_and_from_a_block() {
    let fs = SimFs::new(1);
    let open =
        |fs: SimFs| Logdb::open(Arc::new(fs), clock(), DIR.into(), Options::default()).unwrap();
    let (store, _) = open(fs.clone());
    let long = vec![b'x'; 256 << 10];
    let lines: Vec<&[u8]> = vec![b"", b"\xff\xfe\0\x01", b"plain", &long, b"plain", b"a\nb"];
    let rows: Vec<LogRow<'_>> = (0..)
        .zip(&lines)
        .map(|(at, line)| LogRow {
            timestamp: Nanos(START + at / 2),
            line: Cow::Borrowed(*line),
            structured_metadata: if at == 2 {
                Labels::from_iter([("trace", "a=b \u{1f} c"), ("x", "ünï")])
            } else {
                Labels::default()
            },
        })
        .collect();
    let streams = vec![LogStream { labels: labels(r#"{a="b"}"#), rows: rows.clone() }];
    let report = store.append(&LogBatch { streams, progress: vec![] }).unwrap();
    assert_eq!((report.appended, report.duplicates), (6, 0));
    let want: Vec<Line> = rows
        .iter()
        .map(|row| {
            let metadata = &row.structured_metadata;
            let metadata = (!metadata.is_empty()).then(|| metadata.clone());
            (row.timestamp.0, row.line.to_vec(), metadata)
        })
        .collect();
    assert_eq!(read(&store, &all())[0].1, want);
    assert!(store.flush_all().unwrap());
    assert_eq!(read(&store, &all())[0].1, want);
    drop(store);
    let (store, report) = open(fs.kill());
    assert_eq!((report.blocks, report.lines), (1, 0));
    assert_eq!(read(&store, &all())[0].1, want);
}

#[test]
fn exactly_the_window_behind_is_taken_and_more_is_not() {
    let fs = SimFs::new(2);
    let (store, _) = open(&fs);
    let hour = 3600 * SECOND;
    put(&store, r#"{a="b"}"#, vec![row(START, "newest")]);
    let late = |store: &Logdb| {
        let rows = vec![row(START - hour, "taken"), row(START - hour - 1, "refused")];
        put(store, r#"{a="b"}"#, rows).rejected
    };
    let want = [masthead_ports::RejectedLine {
        stream: 0,
        row: 1,
        reason: masthead_ports::LogRejectReason::TooFarBehind { oldest: Nanos(START - hour) },
    }];
    assert_eq!(late(&store), want);
    store.flush_all().unwrap();
    store.flush_all().unwrap();
    assert_eq!(store.stats().streams, 0, "an idle stream leaves memory");
    assert_eq!(late(&store), want, "what is newest is known from the block");
    let (store, _) = open(&fs.kill());
    assert_eq!(late(&store), want, "and after a restart");
    assert_eq!(read(&store, &all())[0].1.len(), 2);
}

#[test]
fn a_duplicate_is_there_once_wherever_its_other_self_is() {
    let fs = SimFs::new(3);
    let (store, _) = open(&fs);
    let stream = r#"{a="b"}"#;
    let rows =
        || vec![row(START, "one"), row(START, "two"), row(START, "one"), row(START - 5, "z")];
    let report = put(&store, stream, rows());
    assert_eq!((report.appended, report.duplicates), (3, 1));
    assert_eq!(put(&store, stream, rows()).duplicates, 4);
    store.flush_all().unwrap();
    put(&store, stream, rows());
    let want = [(START - 5, "z"), (START, "one"), (START, "two")];
    let check = |store: &Logdb| {
        let found = read(store, &all());
        let lines: Vec<_> = found[0]
            .1
            .iter()
            .map(|(time, line, _)| (*time, str::from_utf8(line).unwrap()))
            .collect();
        assert_eq!(lines, want);
        let volume = store.volumes(&ctx(), &[], everything()).unwrap()[0].1;
        assert_eq!((volume.entries, volume.bytes), (3, 7));
    };
    check(&store);
    store.flush_all().unwrap();
    check(&store);
    put(&store, stream, rows());
    store.flush_all().unwrap();
    assert!(store.compact_once().unwrap());
    assert_eq!(store.stats().upkeep.blocks, 1);
    check(&store);
    assert_eq!(store.stats().block_lines, 3);
}

#[test]
fn progress_is_held_with_its_lines_and_outlives_the_journal() {
    let fs = SimFs::new(4);
    let (store, _) = open(&fs);
    let progress =
        |key: &str, value: Option<&str>| Progress { key: key.into(), value: value.map(Arc::from) };
    let batch = |progress: Vec<Progress>| LogBatch { streams: Vec::new(), progress };
    let all =
        [progress("file:/a", Some("1")), progress("file:/b", Some("2")), progress("x", Some("3"))];
    store.append(&batch(all.to_vec())).unwrap();
    put(&store, r#"{a="b"}"#, vec![row(START, "line")]);
    store.flush_all().unwrap();
    store.append(&batch(vec![progress("file:/a", None), progress("file:/c", Some("4"))])).unwrap();
    let want = vec![progress("file:/b", Some("2")), progress("file:/c", Some("4"))];
    assert_eq!(store.progress("file:").unwrap(), want);
    drop(store);
    let (store, _) = open(&fs.kill());
    assert_eq!(store.progress("file:").unwrap(), want);
    assert_eq!(store.progress("").unwrap().len(), 3);
}

#[test]
fn a_snapshot_is_a_whole_store_and_what_follows_leaves_it_alone() {
    let fs = SimFs::new(5);
    let (store, _) = open(&fs);
    let stream = r#"{a="b"}"#;
    put(&store, stream, vec![row(START, "in a block"), row(START + 1, "deleted")]);
    store.flush_all().unwrap();
    let words = LinePattern::Literal(Arc::from(&b"deleted"[..]));
    let filter = LineFilter { negated: false, any: vec![words] };
    store.delete(&[Matcher::equal("a", "b")], &[filter], everything()).unwrap();
    let progress = vec![Progress { key: "file:/a".into(), value: Some("7".into()) }];
    let rows = vec![row(START + 2, "in the journal")];
    let streams = vec![LogStream { labels: labels(stream), rows }];
    store.append(&LogBatch { streams, progress: progress.clone() }).unwrap();
    let want = read(&store, &all());
    let dir = store.make_snapshot("one").unwrap();
    put(&store, stream, vec![row(START + 3, "later")]);
    store.flush_all().unwrap();
    store.compact_once().unwrap();
    for bad in ["", "..", "a/b", "one"] {
        assert!(matches!(store.make_snapshot(bad), Err(Error::Options(_))), "{bad}");
    }
    // Also when the machine stops, and while the store goes on.
    let fs = fs.crash();
    let (copy, report) = Logdb::open(Arc::new(fs), clock(), &dir, options()).unwrap();
    assert_eq!((report.blocks, report.lines), (1, 1));
    assert_eq!(read(&copy, &all()), want);
    assert_eq!(want[0].1.len(), 2);
    assert_eq!(copy.progress("file:").unwrap(), progress);
    put(&copy, stream, vec![row(START + 4, "its own")]);
    assert_eq!(read(&copy, &all())[0].1.len(), 3);
}

#[test]
fn deleted_lines_are_hidden_at_once_and_can_be_pushed_again() {
    let mut fs = SimFs::new(5);
    let (store, _) = open(&fs);
    let stream = r#"{a="b"}"#;
    put(&store, stream, vec![row(START, "in a block"), row(START + 1, "keep this")]);
    store.flush_all().unwrap();
    put(&store, stream, vec![row(START + 2, "in memory"), row(START + 3, "keep that")]);
    let filter =
        LineFilter { negated: false, any: vec![LinePattern::Literal(Arc::from(&b"in "[..]))] };
    store.delete(&[Matcher::equal("a", "b")], &[filter], everything()).unwrap();
    let texts = |store: &Logdb| -> Vec<String> {
        let found = read(store, &all());
        let lines = found.iter().flat_map(|(_, lines)| lines);
        lines.map(|(_, line, _)| String::from_utf8(line.clone()).unwrap()).collect()
    };
    assert_eq!(texts(&store), ["keep this", "keep that"]);
    assert_eq!(put(&store, stream, vec![row(START + 2, "in memory")]).appended, 1);
    let want = ["keep this", "in memory", "keep that"];
    assert_eq!(texts(&store), want);
    drop(store);
    fs = fs.kill();
    let (store, _) = open(&fs);
    assert_eq!(texts(&store), want);
    store.flush_all().unwrap();
    assert_eq!(texts(&store), want);
    while store.compact_once().unwrap() {}
    assert_eq!(store.stats().block_lines, 3);
    assert_eq!(texts(&store), want);
    put(&store, stream, vec![row(START + 9, "x")]);
    store.flush_all().unwrap();
    assert_eq!(store.stats().deletions, 0, "a deletion that is done is forgotten");
    drop(store);
    fs = fs.kill();
    let (store, _) = open(&fs);
    assert_eq!(texts(&store).len(), 4);
}

/// Random pushes to both stores, with flushes, merges and restarts of the real one between them.
#[test]
fn everything_is_as_in_the_plain_store() {
    for seed in 0..8 {
        let mut random = Random::new(seed);
        let mut fs = SimFs::new(seed);
        let (mut store, _) = open(&fs);
        let plain = MemoryLogStore::default();
        let mut now = START;
        for _ in 0..60 {
            let batch = random_batch(&mut random, &mut now);
            let report = store.append(&batch).unwrap();
            assert_eq!(report.rejected, []);
            plain.append(&batch).unwrap();
            match random.below(12) {
                0 => drop(store.flush_all().unwrap()),
                1 => store.tick().unwrap(),
                2 => {
                    drop(store);
                    fs = fs.kill();
                    store = open(&fs).0;
                }
                _ => {}
            }
            let mut one = all();
            if random.coin() {
                let end = now - i64::try_from(random.below(100)).unwrap() * SECOND;
                let start = end - i64::try_from(random.below(300)).unwrap() * SECOND;
                one.range = TimeRange { start: Nanos(start), end: Nanos(end) };
                one.matchers = vec![Matcher::not_equal("s", "1")];
            }
            if random.coin() {
                one.hints.direction = Direction::Forward;
            }
            assert_eq!(read(&store, &one), read(&plain, &one), "seed {seed}");
            let text = ["item 7", "id=00", "nothing like it", "(?i)ITEM [0-9]+ took 1"];
            let text = text[random.index(4)];
            let pattern = if random.coin() {
                LinePattern::Literal(Arc::from(text.as_bytes()))
            } else {
                LinePattern::Regexp(Arc::from(text))
            };
            one.hints.filters = vec![LineFilter { negated: false, any: vec![pattern] }];
            let test = crate::filter::LineTest::new(&one.hints.filters[0]).unwrap();
            let passing = |store: &dyn LogSource, one: &LogSelection| {
                let mut found = read(store, one);
                for (_, lines) in &mut found {
                    lines.retain(|(_, line, _)| test.passes(line));
                }
                found.retain(|(_, lines)| !lines.is_empty());
                found
            };
            assert_eq!(passing(&store, &one), passing(&plain, &one), "seed {seed}");
            let streams = store.streams(&ctx(), std::slice::from_ref(&one.matchers), one.range);
            let want = plain.streams(&ctx(), std::slice::from_ref(&one.matchers), one.range);
            assert_eq!(streams.unwrap(), want.unwrap());
            let bytes = |store: &dyn LogSource| -> Vec<(Labels, u64, u64)> {
                let volumes = store.volumes(&ctx(), &one.matchers, one.range).unwrap();
                volumes.into_iter().map(|(labels, v)| (labels, v.entries, v.bytes)).collect()
            };
            assert_eq!(bytes(&store), bytes(&plain), "seed {seed}");
        }
    }
}

fn random_batch(random: &mut Random, now: &mut i64) -> LogBatch<'static> {
    let small = |random: &mut Random, bound| i64::try_from(random.below(bound)).unwrap();
    let mut streams = Vec::new();
    for _ in 0..=random.below(2) {
        let stream = format!(r#"{{s="{}"}}"#, random.below(3));
        let mut rows = Vec::new();
        for _ in 0..random.below(20) {
            *now += small(random, 3) * SECOND;
            let back = if random.below(6) == 0 { small(random, 300) * SECOND } else { 0 };
            let line = format!("item {} took {}ms", random.below(9), random.below(2));
            let mut new = row(*now - back, &line);
            if random.below(5) == 0 {
                let id = format!("{}", random.below(3));
                new.structured_metadata = [("id", id)].into_iter().collect();
            }
            rows.push(new);
        }
        streams.push(LogStream { labels: labels(&stream), rows });
    }
    LogBatch { streams, progress: Vec::new() }
}

#[test]
fn damage_is_a_warning_and_a_block_that_cannot_be_opened_is_set_aside() {
    let mut fs = SimFs::new(6);
    let (store, _) = open(&fs);
    // So much that cannot be compressed that its first page is not that of its meta.
    let mut random = Random::new(1);
    let long: String =
        (0..60_000).map(|_| char::from(b'!' + u8::try_from(random.below(90)).unwrap())).collect();
    for block in 0..2 {
        let long = long.as_bytes();
        let line = Cow::Borrowed(long);
        let new = LogRow {
            timestamp: Nanos(START + block),
            line,
            structured_metadata: Labels::default(),
        };
        put(&store, r#"{a="b"}"#, vec![new]);
        store.flush_all().unwrap();
    }
    drop(store);
    let data =
        |number: u64| Utf8Path::new(DIR).join("blocks").join(blocks::name(number)).join("data");
    fs.flip_bit(&data(1), 20, 1).unwrap();
    let (store, _) = open(&fs);
    let ctx = ctx();
    let selected = store.select(&ctx, &[all()]).unwrap().remove(0);
    let mut columns = LogColumns::default();
    let mut lines = 0;
    for at in 0..selected.parts.len() {
        selected.reader.read(&ctx, at, &mut columns).unwrap();
        lines += columns.len();
    }
    assert_eq!((lines, ctx.warnings().len()), (1, 1));
    assert_eq!(store.stats().upkeep.blocks_damaged, 1);
    drop((store, selected));
    fs = fs.kill();
    let len = fs.metadata(&data(2)).unwrap().len;
    fs.flip_bit(&data(2), len - 4, 1).unwrap();
    let (store, report) = open(&fs);
    assert_eq!((report.blocks, report.corrupt.len()), (1, 1));
    assert!(report.corrupt[0].0.ends_with(".corrupt"), "{:?}", report.corrupt);
    assert_eq!(store.stats().upkeep.blocks_corrupt, 1);
}

#[test]
fn a_nearly_full_disk_refuses_lines_and_answers_queries() {
    let fs = SimFs::new(7);
    fs.set_capacity(1 << 20);
    let options = Options { free_bytes_min: 100_000, ..options() };
    let (store, _) = Logdb::open(Arc::new(fs.clone()), clock(), DIR.into(), options).unwrap();
    put(&store, r#"{a="b"}"#, vec![row(START, "taken")]);
    fs.set_capacity(50_000);
    drop(store.tick());
    let streams = vec![LogStream { labels: labels(r#"{a="b"}"#), rows: vec![row(START, "no")] }];
    let error = store.append(&LogBatch { streams, progress: vec![] }).unwrap_err();
    assert_eq!(error.class, ErrorClass::Unavailable);
    assert_eq!(read(&store, &all())[0].1.len(), 1);
    fs.set_capacity(1 << 20);
    drop(store.tick());
    put(&store, r#"{a="b"}"#, vec![row(START + 1, "taken again")]);
    // Between two ticks too, once enough came that the disk may have become full by it.
    fs.set_capacity(50_000);
    let line = "x".repeat(5_000);
    let taken = (0..10).take_while(|second| {
        let row = row(START + (2 + second) * SECOND, &line);
        let streams = vec![LogStream { labels: labels(r#"{a="b"}"#), rows: vec![row] }];
        store.append(&LogBatch { streams, progress: vec![] }).is_ok()
    });
    assert_eq!(taken.count(), 2, "an eighth of what must stay free");
}

#[test]
fn retention_deletes_whole_blocks_counted_from_the_newest_line_that_is_not_of_the_future() {
    let fs = SimFs::new(8);
    let sim = clock();
    let clock = Arc::clone(&sim) as _;
    let (store, _) = Logdb::open(Arc::new(fs), clock, DIR.into(), options()).unwrap();
    let day = 24 * 3600 * SECOND;
    for days in [0, 3, 6] {
        put(&store, r#"{a="b"}"#, vec![row(START + days * day, "line")]);
        store.flush_all().unwrap();
    }
    assert_eq!(store.apply_retention().unwrap(), 0);
    put(&store, r#"{a="b"}"#, vec![row(START + 7 * day, "line")]);
    // As long as that is the future, it makes nothing older; nor does a clock that is ahead of all.
    assert_eq!(store.apply_retention().unwrap(), 0);
    sim.advance(Duration::from_hours(24 * 365));
    assert_eq!(store.apply_retention().unwrap(), 1);
    let times: Vec<i64> = read(&store, &all())[0].1.iter().map(|line| line.0).collect();
    assert_eq!(times, [3, 6, 7].map(|days| START + days * day));
}

#[test]
fn files_of_the_first_version_stay_readable() {
    let fs = SimFs::new(1);
    for (path, bytes) in FIRST_VERSION {
        let path = Utf8Path::new(DIR).join(path);
        fs.create_dir_all(path.parent().unwrap()).unwrap();
        masthead_sysio::atomic_write(&fs, &path, bytes).unwrap();
    }
    let (old, report) = open(&fs);
    assert_eq!((report.blocks, report.corrupt.len(), report.journal.damage_count), (1, 0, 0));
    assert_eq!((report.frames_dropped, report.lines_dropped), (0, 0));
    let mut found = Vec::new();
    for (labels, lines) in read(&old, &all()) {
        for (time, line, metadata) in lines {
            found.push((labels.clone(), time, line, metadata.unwrap_or_default()));
        }
    }
    assert_eq!(found, crate::simulation::testdata_lines());
    assert_eq!(old.progress("").unwrap()[0].value.as_deref(), Some("299"));
}

macro_rules! first_version {
    ($($path:literal),*) => {
        &[$(($path, include_bytes!(concat!("../../../../testdata/format/v1/logs/", $path)))),*]
    };
}

/// Written once by `cargo run -p masthead-logdb --example testdata`, never to be written again.
const FIRST_VERSION: &[(&str, &[u8])] = first_version![
    "journal/checkpoint-00000010",
    "journal/journal-00000010-00",
    "journal/journal-00000011-00",
    "journal/journal-00000012-00",
    "journal/journal-00000013-00",
    "journal/journal-00000014-00",
    "journal/journal-00000015-00",
    "journal/journal-00000016-00",
    "journal/journal-00000017-00",
    "blocks/block-0000000000000001/data"
];

#[test]
fn trying_many_values_ends_at_the_deadline_and_damages_nothing() {
    let (store, _) = open(&SimFs::new(1));
    for n in 0..200 {
        put(&store, &format!("{{path=\"{n:0512}\"}}"), vec![row(START, "x")]);
    }
    let matchers = vec![Matcher::new(masthead_model::MatchOp::Matches, "path", ".*7").unwrap()];
    let ended = |ctx: &QueryCtx| {
        let found = store.streams(ctx, std::slice::from_ref(&matchers), everything());
        found.map(|streams| streams.len()).map_err(|error| error.class())
    };
    for place in ["memory", "blocks"] {
        assert_eq!(ended(&ctx_of_looks(1_000)), Ok(20), "{place}");
        let late = ctx_of_looks(10);
        assert_eq!(ended(&late), Err(ErrorClass::Timeout), "{place}");
        assert_eq!(late.warnings(), [""; 0], "{place}");
        store.flush_all().unwrap();
    }
}
