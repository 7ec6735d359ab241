//! Matchers on the index in memory and on disk give the same series.

use std::cell::Cell;

use camino::Utf8Path;
use masthead_model::{
    Label,
    MatchOp::{self, Equal, Matches, NotEqual, NotMatches},
    Matcher,
};
use masthead_sysio::{FileBytes, Random, SimFs, read_to_vec};

use super::*;
use crate::{
    Error,
    table::{Table, TableWriter},
};

fn series() -> Vec<Labels> {
    let mut all: Vec<Labels> = (0..200_u32)
        .map(|n| {
            [
                ("__name__", format!("metric_{}", n % 7)),
                ("job", if n % 3 == 0 { String::new() } else { format!("job-{}", n % 5) }),
                ("instance", format!("host-{n}:9100")),
                ("path", format!("/a/{}/é", n % 11)),
            ]
            .into_iter()
            .collect()
        })
        .collect();
    all.push(Labels::default());
    all.sort();
    all
}

fn bytes_of(series: &[Labels]) -> Vec<u8> {
    let fs = SimFs::new(1);
    let mut table = TableWriter::create(&fs, "/i".into(), 1, 1).unwrap();
    table.section(1).unwrap();
    write(series, &mut table).unwrap();
    table.finish().unwrap();
    read_to_vec(&fs, "/i".into(), 1 << 30).unwrap()
}

fn open(bytes: Vec<u8>) -> Result<DiskIndex> {
    let table = Table::from_bytes(Utf8Path::new("/i"), FileBytes::from(bytes), 1, 1)?;
    DiskIndex::open(table.section(1).ok_or_else(|| Error::corrupt("/i".into(), "section", 0))?)
}

fn head(series: &[Labels]) -> HeadIndex {
    let mut head = HeadIndex::default();
    // In another order than that of the labels.
    for (id, labels) in (0..u32::try_from(series.len()).unwrap()).zip(series).rev() {
        head.insert(id, labels);
    }
    head
}

#[test]
fn both_forms_select_what_trying_each_series_selects() {
    let series = series();
    let (head, disk) = (head(&series), open(bytes_of(&series)).unwrap());
    let f = |matchers: &[(MatchOp, &str, &str)]| {
        let matchers: Vec<Matcher> = matchers
            .iter()
            .map(|(op, name, value)| Matcher::new(*op, name, value).unwrap())
            .collect();
        let want: RoaringBitmap = (0..)
            .zip(&series)
            .filter(|(_, labels)| matchers.iter().all(|m| m.matches_labels(labels)))
            .map(|(id, _)| id)
            .collect();
        assert_eq!(select(&head, &matchers).unwrap(), want, "head {matchers:?}");
        assert_eq!(select(&disk, &matchers).unwrap(), want, "disk {matchers:?}");
    };
    f(&[]);
    f(&[(Equal, "__name__", "metric_3")]);
    f(&[(Equal, "__name__", "metric_9")]);
    f(&[(Equal, "none", "x")]);
    f(&[(Equal, "job", "")]);
    f(&[(NotEqual, "job", "")]);
    f(&[(NotEqual, "job", "job-1")]);
    f(&[(Equal, "none", "")]);
    for op in [Matches, NotMatches] {
        for pattern in [
            "job-1|job-2|",
            "job-1|job-2",
            "job-.*",
            ".*",
            ".+",
            "",
            "x.*",
            "job-[1-3]",
            "(job-.)?",
        ] {
            f(&[(op, "job", pattern)]);
            f(&[(op, "job", pattern), (Equal, "__name__", "metric_1")]);
            f(&[(op, "job", pattern), (NotEqual, "__name__", "metric_1")]);
        }
        f(&[(op, "instance", "host-1.*"), (Equal, "__name__", "metric_2")]);
        f(&[(op, "instance", ".*7:.*"), (Equal, "path", "/a/3/é"), (NotMatches, "job", ".+")]);
    }
}

#[test]
fn labels_come_back_in_any_order_of_asking() {
    let series = series();
    let disk = open(bytes_of(&series)).unwrap();
    let mut random = Random::new(5);
    let mut cursor = disk.cursor();
    for _ in 0..500 {
        let id = random.index(series.len());
        assert_eq!(cursor.labels(u32::try_from(id).unwrap()).unwrap(), series[id]);
    }
    let mut seen = Vec::new();
    disk.for_each_labels(&disk.all().unwrap(), &mut |_, labels| seen.push(labels.clone())).unwrap();
    assert_eq!(seen, series);
    assert!(cursor.labels(201).is_err());
}

#[test]
fn names_and_values_are_those_of_the_series_asked_for() {
    let series = series();
    let (head, disk) = (head(&series), open(bytes_of(&series)).unwrap());
    let among = select(&head, &[Matcher::equal("path", "/a/3/é")]).unwrap();
    let f = |name: &str, among: Option<&RoaringBitmap>, want: usize| {
        let mut values: Vec<&str> = head.values(name, among).collect();
        values.sort_unstable();
        assert_eq!(disk.values(name, among).unwrap(), values, "{name}");
        assert_eq!(values.len(), want, "{name}");
    };
    f("job", None, 5);
    f("instance", None, 200);
    f("instance", Some(&among), 18);
    f("path", Some(&among), 1);
    f("none", None, 0);
    let mut names: Vec<&str> = head.names().collect();
    names.sort_unstable();
    assert_eq!(disk.names().unwrap(), names);
}

#[test]
fn removed_series_leave_nothing_behind_and_their_number_is_free() {
    let series = series();
    let mut head = head(&series);
    for id in 0..200 {
        head.remove(id);
        assert!(head.get(&series[id as usize]).is_none());
    }
    assert_eq!((head.len(), head.cardinality().count()), (1, 4));
    head.insert(3, &series[7]);
    assert_eq!(head.get(&series[7]), Some(3));
    assert_eq!(head.labels(3).as_ref(), Some(&series[7]));
    assert_eq!(
        select(&head, &[Matcher::equal("__name__", series[7].metric_name().unwrap())])
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn an_empty_index_answers() {
    let disk = open(bytes_of(&[])).unwrap();
    assert!(disk.is_empty() && disk.names().unwrap().is_empty());
    assert!(select(&disk, &[Matcher::equal("a", "b")]).unwrap().is_empty());
    assert!(select(&disk, &[]).unwrap().is_empty());
}

#[test]
fn bytes_that_are_no_index_are_refused_without_a_panic() {
    let series: Vec<Labels> = series().into_iter().step_by(9).collect();
    let good = bytes_of(&series);
    let mut random = Random::new(9);
    let body = good.len() - 200;
    for _ in 0..3000 {
        let mut bytes = good.clone();
        for _ in 0..=random.index(3) {
            let at = 16 + random.index(body - 16);
            bytes[at] = u8::try_from(random.below(256)).unwrap();
        }
        // A right checksum over wrong bytes: as foreign as bytes can be.
        let Ok(table) = Table::from_bytes("/i".into(), FileBytes::from(resum(bytes)), 1, 1) else {
            continue;
        };
        let Ok(disk) = DiskIndex::open(table.section(1).unwrap()) else { continue };
        drop(disk.names());
        drop(disk.values("path", None));
        drop(select(&disk, &[Matcher::equal("path", "/a/3/é"), Matcher::not_equal("job", "x")]));
        drop(disk.for_each_labels(&disk.all().unwrap_or_default(), &mut |_, _| {}));
    }
}

/// Puts right checksums into a table of one page.
fn resum(mut bytes: Vec<u8>) -> Vec<u8> {
    let trailer = bytes.len() - 40;
    let body = trailer - 20 - 4;
    let page = crc32c::crc32c(&bytes[..body]).to_le_bytes();
    bytes[body..body + 4].copy_from_slice(&page);
    let crc = crc32c::crc32c(&bytes[body..trailer + 28]).to_le_bytes();
    bytes[trailer + 28..trailer + 32].copy_from_slice(&crc);
    bytes
}

#[test]
fn an_index_written_by_hand_from_the_document_is_read() {
    // docs/format/index.md, "Example": the series {a="x"} and {a="y"}.
    let words =
        |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let mut index = words(&[2, 3, 1, 2, 8, 0, 3, 0]);
    index.extend(words(&[1, 2, 3])); // symbol ends
    index.extend(words(&[0])); // restarts
    index.extend(words(&[0, 0])); // names
    index.extend(words(&[1, 1 << 31, 2, 1 << 31 | 1])); // pairs
    index.extend_from_slice(&[0, 1, 0, 1]); // series 0 shares 0, has 1: a, x
    index.extend_from_slice(&[0, 1, 0, 2]); // series 1 shares 0, has 1: a, y
    index.extend_from_slice(b"axy");
    let fs = SimFs::new(1);
    let mut table = TableWriter::create(&fs, "/i".into(), 1, 1).unwrap();
    table.section(1).unwrap();
    table.write(&index).unwrap();
    table.finish().unwrap();
    let disk = open(read_to_vec(&fs, "/i".into(), 1 << 20).unwrap()).unwrap();
    let y = Labels::from_iter([("a", "y")]);
    assert_eq!(disk.cursor().labels(1).unwrap(), y);
    assert_eq!(select(&disk, &[Matcher::equal("a", "y")]).unwrap().iter().collect::<Vec<_>>(), [1]);
}

#[test]
fn an_index_that_is_loaded_answers_as_one_that_grew() {
    let series = series();
    let grown = head(&series);
    let mut postings = HeadPostings::default();
    // A label that nobody has takes a number too.
    postings.add("gone", "x", &[]);
    for pair in grown.pairs() {
        let ids: Vec<u32> = pair.series().collect();
        let mut ids = ids;
        // A second one of the same labels does not count.
        let second = u32::try_from(series.len()).unwrap();
        ids.extend((ids.last() == Some(&(second - 1))).then_some(second));
        postings.add(pair.name, pair.value, &ids);
    }
    let number = |label: Label<'_>| {
        let pairs = grown.pairs();
        let at = pairs.iter().position(|pair| (pair.name, pair.value) == (label.name, label.value));
        u32::try_from(at.unwrap() + 1).unwrap()
    };
    let mut sets = HeadSets::default();
    for (id, labels) in (0..).zip(series.iter().chain(series.last())) {
        let numbers: Vec<u32> = labels.iter().map(number).collect();
        sets.put(id, &numbers);
    }
    let mut loaded = HeadIndex::from_parts(sets, postings);
    assert_eq!(loaded.len(), grown.len());
    assert!(grown.pairs().is_sorted_by(|a, b| (a.name, a.value) < (b.name, b.value)));
    for (id, set) in (0..).zip(&series) {
        assert_eq!(loaded.get(set), Some(id));
        assert_eq!(loaded.labels(id).as_ref(), Some(set));
    }
    for name in ["job", "instance", "path"] {
        let matcher = Matcher::new(Matches, name, ".*[13].*").unwrap();
        let matchers = [matcher];
        assert_eq!(select(&loaded, &matchers).unwrap(), select(&grown, &matchers).unwrap());
    }
    loaded.remove(3);
    assert_eq!((loaded.get(&series[3]), loaded.len()), (None, grown.len() - 1));
}

#[test]
fn many_and_few_series_are_sorted_by_their_labels() {
    let series = series();
    let mut head = head(&series);
    let f = |head: &HeadIndex, step: usize| {
        let mut ids: Vec<u32> = (0..201).rev().step_by(step).collect();
        let mut want = ids.clone();
        want.sort_by_key(|id| head.labels(*id));
        head.sort(&mut ids);
        assert_eq!(ids, want, "{step}");
    };
    for step in [1, 2, 50, 300] {
        f(&head, step);
    }
    head.remove(7);
    head.remove(200);
    for step in [1, 2, 50] {
        f(&head, step);
    }
    let some: RoaringBitmap = [0, 6, 8].into_iter().collect();
    let mut got = Vec::new();
    let names = head.names_among(&some);
    let mut keep = |id, value: &str| {
        got.push((id, value.to_owned()));
        Ok(())
    };
    head.for_each_value("job", &some, &mut keep).unwrap();
    let want = [0, 6, 8].map(|id| (id, series[id as usize].get("job").unwrap_or("").to_owned()));
    assert_eq!(got, want);
    let want = some.iter().flat_map(|id| series[id as usize].iter().map(|l| l.name)).collect();
    assert_eq!(names, want);
}

#[test]
fn values_are_tried_only_as_long_as_somebody_waits() {
    // One short label and one of half a kibibyte.
    let series: Vec<Labels> = (0..1_000)
        .map(|n| [("a", format!("{n}")), ("b", format!("{n:0512}"))].into_iter().collect())
        .collect();
    let (head, disk) = (head(&series), open(bytes_of(&series)).unwrap());
    let f = |matchers: &[(MatchOp, &str, &str)], want: usize| {
        let matchers: Vec<Matcher> = matchers
            .iter()
            .map(|(op, name, value)| Matcher::new(*op, name, value).unwrap())
            .collect();
        for index in [&head as &dyn Postings, &disk] {
            let asked = Cell::new(0);
            let goes_on = |most| {
                asked.set(asked.get() + 1);
                asked.get() <= most
            };
            let all = select_while(index, &matchers, &|| goes_on(usize::MAX)).unwrap();
            assert_eq!((all, asked.get()), (select(index, &matchers).unwrap(), want));
            if want > 1 {
                asked.set(0);
                let ended = select_while(index, &matchers, &|| goes_on(1));
                assert!(matches!(ended, Err(Error::Ended)), "{matchers:?}");
                assert_eq!(asked.get(), 2, "not asked again after a no");
            }
        }
    };
    f(&[(Matches, "b", ".*7")], 125);
    f(&[(NotMatches, "b", ".*7")], 125);
    f(&[(Matches, "a", ".*7")], 4);
    // The labels of the few series that are left are tried, not all values.
    f(&[(Matches, "a", "1|2|3|4|5|6|7|8|9"), (Matches, "b", ".*7")], 1);
    f(&[(Equal, "a", "7"), (Matches, "b", ".*7")], 0);
    f(&[(Equal, "b", "7")], 0);
}

#[test]
fn indexes_are_walked_together_in_label_order() {
    let all = series();
    let part = |step: usize| -> Vec<Labels> { all.iter().step_by(step).cloned().collect() };
    let parts = [part(2), part(3), Vec::new()];
    let indexes = parts.clone().map(|part| open(bytes_of(&part)).unwrap());
    let mut together = Together::new(indexes.iter());
    let mut seen = Vec::new();
    while let Some((labels, places)) = together.next_series().unwrap() {
        for (at, id) in &places {
            assert_eq!(parts[*at][*id as usize], labels);
        }
        let holders = parts.iter().filter(|part| part.contains(&labels)).count();
        assert_eq!(places.len(), holders, "{labels}");
        seen.push(labels);
    }
    let mut want = parts.concat();
    want.sort();
    want.dedup();
    assert_eq!(seen, want);
}
