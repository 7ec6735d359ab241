//! What the head takes, refuses and hands out.

use masthead_model::{Value, stale_nan};
use masthead_ports::RejectReason::{DuplicateTimestamp, OutOfBounds, OutOfOrder, TooOld};

use super::*;
use crate::{columns::Part, options::Options};

const BLOCK: i64 = 7_200_000;

fn head_with(names: &[&str]) -> (Head, Vec<Slot>) {
    let mut head = Head::new(BLOCK, 10);
    let slots = names.iter().map(|name| head.add(Labels::from_iter([("a", name)]))).collect();
    (head, slots)
}

fn float(time: i64, value: f64) -> NewFloat {
    NewFloat { time, start: 0, bits: value.to_bits() }
}

fn read(head: &Head, slot: Slot) -> Vec<(i64, f64)> {
    let mut part = Part::default();
    head.snapshot_all(slot).read(i64::MIN, i64::MAX, &mut part);
    part.columns.float_times.into_iter().zip(part.columns.floats).collect()
}

#[test]
fn series_of_a_scrape_share_times_also_when_targets_are_mixed_and_scrapes_missed() {
    let names: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (mut head, slots) = head_with(&names);
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
    let options = Options { future_ms: Some(1000), ..Options::default() };
    let now = 100_000_000;
    let (mut head, slots) = head_with(&["x", "old"]);
    let slot = slots[0];
    head.push_float(slot, 0, float(now - 10_000, 5.0));
    head.push_float(slot, 0, float(now, stale_nan()));
    head.set_base(slot, 1, stale_nan().to_bits());
    let hour = 3_600_000;
    let f = |options: &Options, time, value: f64, want| {
        let verdict = head.judge(Some(slot), time, &Value::Float(value), options, now);
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
        let verdict = head.judge(None, time, &Value::Float(1.0), &options, now);
        assert_eq!(verdict, want, "new series at {time}");
    };
    g(now - hour, Verdict::InOrder);
    g(now - hour - 1, Verdict::Reject(TooOld));
}

#[test]
fn late_samples_deleted_ranges_and_starts_read_back() {
    let (mut head, slots) = head_with(&["x"]);
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
    head.snapshot_all(slot).read(90, 90, &mut part);
    assert_eq!(part.columns.float_starts, [77]);
    assert_eq!(head.last_time(slot), 90);
    head.push_float(slot, 0, float(100, 4.0));
    assert_eq!(read(&head, slot).len(), 4);
}

#[test]
fn histograms_keep_their_order_over_sealing_and_blocks() {
    let (mut head, slots) = head_with(&["x"]);
    for n in 0..200_i64 {
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let histogram = Histogram { count: n as f64, ..Histogram::default() };
        head.push_histogram(slots[0], n * 60_000, 0, Arc::new(histogram));
    }
    let mut part = Part::default();
    head.snapshot_all(slots[0]).read(60_000, 150 * 60_000, &mut part);
    let counts: Vec<f64> = part.columns.histograms.iter().map(|h| h.count).collect();
    assert!(counts.len() == 150 && counts.is_sorted() && counts.first() == Some(&1.0));
    head.drop_before(BLOCK);
    let mut part = Part::default();
    head.snapshot_all(slots[0]).read(i64::MIN, i64::MAX, &mut part);
    assert_eq!(part.columns.histograms.first().unwrap().count.to_bits(), 120_f64.to_bits());
}

#[test]
fn a_slot_given_again_has_another_number() {
    let (mut head, slots) = head_with(&["x", "y"]);
    let old = head.reference(slots[0]);
    head.push_float(slots[0], 0, float(10, 1.0));
    head.push_float(slots[1], 0, float(BLOCK + 10, 1.0));
    assert_eq!(head.windows_before(i64::MAX), [0, BLOCK].into());
    assert_eq!(head.drop_before(BLOCK), 1);
    assert_eq!((head.windows_before(i64::MAX), head.resolve(old)), ([BLOCK].into(), None));
    let again = head.add(Labels::from_iter([("a", "z")]));
    assert_eq!(again, slots[0]);
    assert_ne!(head.reference(again), old);
    assert_eq!(head.resolve(head.reference(again)), Some(again));
}
