//! What the head takes, refuses and hands out.

use masthead_model::{Histogram, Value, stale_nan};
use masthead_ports::RejectReason::{DuplicateTimestamp, OutOfBounds, OutOfOrder, TooOld};

use super::*;
use crate::{columns::Part, options::Options};

const BLOCK: i64 = 7_200_000;

fn options() -> Options {
    Options { block_ms: BLOCK, exemplars_max: 10, ..Options::default() }
}

/// A shard with these series.
fn shard_with(names: &[&str]) -> (Shard, Vec<Slot>) {
    let mut head = Head::new(&options());
    let slots = add(&mut head, names);
    let owner = head.owner(slots[0]).unwrap();
    (std::mem::replace(head.shards[owner].get_mut(), Shard::new(0, BLOCK)), slots)
}

fn add(head: &mut Head, names: &[&str]) -> Vec<Slot> {
    let all = (0..).zip(names).map(|(slot, name)| (slot, Labels::from_iter([("a", name)])));
    all.map(|(slot, labels)| head.restore(1 << 32 | slot, &labels).unwrap()).collect()
}

fn float(time: i64, value: f64) -> NewFloat {
    NewFloat { time, start: 0, bits: value.to_bits() }
}

fn read(head: &Shard, slot: Slot) -> Vec<(i64, f64)> {
    let mut part = Part::default();
    head.snapshot_all(slot).read(0, i64::MIN, i64::MAX, &mut part);
    part.columns.float_times.into_iter().zip(part.columns.floats).collect()
}

#[test]
fn series_of_a_scrape_share_times_also_when_targets_are_mixed_and_scrapes_missed() {
    let names: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (mut head, slots) = shard_with(&names);
    let mut want = vec![Vec::new(); 20];
    for scrape in 0..50_i64 {
        for (n, slot) in slots.iter().enumerate() {
            // Two targets in one batch, off by some milliseconds from the third scrape on; one
            // series misses every seventh scrape.
            let off = if n >= 10 && scrape > 2 { 3 } else { 0 };
            if n == 5 && scrape % 7 == 0 {
                continue;
            }
            let time = scrape * 15_000 + off;
            #[expect(clippy::cast_precision_loss, reason = "small")]
            let value = (scrape * 3) as f64;
            head.push_float(*slot, 1, float(time, value));
            want[n].push((time, value));
        }
    }
    for (slot, want) in slots.iter().zip(&want) {
        assert_eq!(&read(&head, *slot), want);
    }
    let lines = (0..100).filter(|id| head.timelines.get(*id).is_some()).count();
    assert!(lines < 12, "{lines} timelines for two targets and one series with gaps");
}

#[test]
fn samples_are_judged_as_upstream_does() {
    let options = Options { future_ms: Some(1000), ..options() };
    let now = 100_000_000;
    let (mut head, slots) = shard_with(&["x", "old"]);
    let slot = slots[0];
    head.push_float(slot, 0, float(now - 10_000, 5.0));
    head.push_float(slot, 0, float(now, stale_nan()));
    head.set_base(slot, 1, stale_nan().to_bits());
    let hour = 3_600_000;
    let f = |options: &Options, time, value: f64, want| {
        let times = (now, now);
        let verdict = head.judge(Some(slot), time, &Value::Float(value), options, times);
        assert_eq!(verdict, want, "{time} {value}");
    };
    f(&options, now + 1, 1.0, Verdict::InOrder);
    f(&options, now + 1001, 1.0, Verdict::Reject(OutOfBounds));
    f(&options, now, stale_nan(), Verdict::Duplicate);
    f(&options, now, 1.0, Verdict::Reject(DuplicateTimestamp));
    f(&options, now - 10_000, 5.0, Verdict::Duplicate);
    f(&options, now - 10_000, 6.0, Verdict::Reject(DuplicateTimestamp));
    f(&options, now - 9_999, 6.0, Verdict::Late);
    f(&options, now - hour / 2, 6.0, Verdict::Late);
    f(&options, now - hour / 2 - 1, 6.0, Verdict::Reject(TooOld));
    let strict = Options { out_of_order_ms: 0, ..options };
    f(&strict, now - 9_999, 6.0, Verdict::Reject(OutOfOrder));
    f(&strict, now - hour - 1, 6.0, Verdict::Reject(OutOfBounds));
    let g = |time, want| {
        let verdict = head.judge(None, time, &Value::Float(1.0), &options, (now, now));
        assert_eq!(verdict, want, "new series at {time}");
    };
    g(now - hour, Verdict::InOrder);
    g(now - hour - 1, Verdict::Reject(TooOld));
}

#[test]
fn late_samples_deleted_ranges_and_starts_read_back() {
    let (mut head, slots) = shard_with(&["x"]);
    let slot = slots[0];
    for n in 0..10 {
        head.push_float(
            slot,
            0,
            NewFloat { start: if n > 4 { 77 } else { 0 }, ..float(n * 10, 1.0) },
        );
    }
    head.insert_float(slot, float(15, 2.0));
    head.insert_float(slot, float(5, 3.0));
    assert_eq!(
        read(&head, slot).iter().map(|(t, _)| *t).collect::<Vec<_>>(),
        [0, 5, 10, 15, 20, 30, 40, 50, 60, 70, 80, 90]
    );
    head.delete(slot, 10, 80);
    assert_eq!(read(&head, slot), [(0, 1.0), (5, 3.0), (90, 1.0)]);
    let mut part = Part::default();
    head.snapshot_all(slot).read(0, 90, 90, &mut part);
    assert_eq!(part.columns.float_starts, [77]);
    assert_eq!(head.last_time(slot), 90);
    head.push_float(slot, 0, float(100, 4.0));
    assert_eq!(read(&head, slot).len(), 4);
}

#[test]
fn what_is_taken_of_the_end_is_what_the_whole_has_there() {
    let (mut head, slots) = shard_with(&["always", "missed", "constant", "late"]);
    let end = 400;
    for n in 0..end {
        // Off the grid now and then, over the border of a block.
        let time = BLOCK / 2 + n * 15_000 + if n % 7 == 0 { n % 5 } else { 0 };
        for (at, slot) in slots.iter().enumerate() {
            if at == 1 && n % 90 == 50 {
                continue;
            }
            #[expect(clippy::cast_precision_loss, reason = "small")]
            let value = if at == 2 { 1.0 } else { (n * n) as f64 / 3.0 };
            head.push_float(*slot, 0, float(time, value));
        }
    }
    head.insert_float(slots[3], float(BLOCK / 2 + end * 7_500 + 1, 7.0));
    for slot in slots {
        let all = read(&head, slot);
        for first in (0..end).step_by(11).map(|n| BLOCK / 2 + n * 15_000) {
            let mut part = Part::default();
            head.snapshot_range(slot, first, i64::MAX).read(0, first, i64::MAX, &mut part);
            let got = part.columns.float_times.into_iter().zip(part.columns.floats);
            let want = all.iter().copied().filter(|(time, _)| *time >= first);
            assert!(got.eq(want), "series {slot} from {first} on");
        }
    }
}

#[test]
fn histograms_keep_their_order_over_sealing_and_blocks() {
    let (mut head, slots) = shard_with(&["x"]);
    for n in 0..200_i64 {
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let histogram = Histogram { count: n as f64, ..Histogram::default() };
        head.push_histogram(slots[0], n * 60_000, 0, Arc::new(histogram));
    }
    let mut part = Part::default();
    head.snapshot_all(slots[0]).read(0, 60_000, 150 * 60_000, &mut part);
    let counts: Vec<f64> = part.columns.histograms.iter().map(|h| h.count).collect();
    assert!(counts.len() == 150 && counts.is_sorted() && counts.first() == Some(&1.0));
    head.drop_before(BLOCK);
    let mut part = Part::default();
    head.snapshot_all(slots[0]).read(0, i64::MIN, i64::MAX, &mut part);
    assert_eq!(part.columns.histograms.first().unwrap().count.to_bits(), 120_f64.to_bits());
}

#[test]
fn a_slot_given_again_has_another_number() {
    let mut head = Head::new(&options());
    let slots = add(&mut head, &["x", "y"]);
    let old = head.registry().reference(slots[0]);
    let owner = head.owner(slots[0]).unwrap();
    head.find_free();
    {
        let mut shard = head.shards[owner].write();
        shard.push_float(slots[0], 0, float(10, 1.0));
        shard.push_float(slots[1], 0, float(BLOCK + 10, 1.0));
    }
    assert_eq!(head.windows_before(i64::MAX), [0, BLOCK].into());
    assert_eq!(head.drop_before(BLOCK), 1);
    assert_eq!(
        (head.windows_before(i64::MAX), head.find_mut(old).is_none()),
        ([BLOCK].into(), true)
    );
    let mut shard = head.shards[owner].write();
    let labels = Labels::from_iter([("a", "z")]);
    assert_eq!(head.define(&mut shard, &labels, 2), Ok(Defined::New(slots[0])));
    let new = shard.reference(slots[0]);
    assert_eq!(head.define(&mut shard, &labels, 2), Ok(Defined::Known(new)));
    assert_ne!(new, old);
    assert_eq!((shard.resolve(new), shard.resolve(old)), (Some(slots[0]), None));
    let more = Labels::from_iter([("a", "more")]);
    assert_eq!(head.define(&mut shard, &more, 2), Err(RejectReason::SeriesLimit));
}

#[test]
fn runs_without_series_are_given_to_other_shards() {
    let mut head = Head::new(&options());
    let of = |shard: usize| {
        let labels = (0..).map(|n| Labels::from_iter([("job", n.to_string())]));
        labels.filter(move |labels| Head::home(labels) == shard)
    };
    let define = |head: &Head, at: usize, labels: Labels| {
        let mut shard = head.shards[at].write();
        let Ok(Defined::New(slot)) = head.define(&mut shard, &labels, usize::MAX) else {
            panic!("{labels} is there");
        };
        shard.push_float(slot, 0, float(10, 1.0));
        slot
    };
    let slots: Vec<Slot> = of(3).take(RUN + 1).map(|labels| define(&head, 3, labels)).collect();
    // They follow each other, and one of the second run lives longer.
    assert!(slots.is_sorted() && slots.last() == Some(&(RUN_LAST + 1)));
    head.shards[3].write().push_float(RUN_LAST + 1, 0, float(BLOCK, 1.0));
    assert_eq!(head.drop_before(BLOCK), RUN);
    assert_eq!((head.owner(0), head.owner(RUN_LAST + 1)), (None, Some(3)));
    let slot = define(&head, 5, of(5).next().unwrap());
    assert_eq!((slot, head.owner(slot)), (0, Some(5)));
    // The free slots of the shard are those of the run that it kept.
    assert_eq!(define(&head, 3, of(3).next().unwrap()), RUN_LAST + 2);
    head.find_free();
    assert_eq!(head.shards[5].get_mut().free.len(), RUN - 1);
    assert_eq!(head.shards[3].get_mut().free.last(), Some(&(RUN_LAST + 3)));
}
