//! Timestamp columns: grids, jitter, and what is refused.

use proptest::prelude::*;

use super::*;
use crate::COUNT_MAX;

fn encoded(times: &[i64]) -> Vec<u8> {
    let mut out = Vec::new();
    encode(times, &mut out).unwrap();
    out
}

fn check(times: &[i64]) -> (Encoding, usize) {
    let bytes = encoded(times);
    let mut back = vec![9];
    assert_eq!(decode_into(&bytes, &mut back), Ok(bytes.len()));
    assert_eq!(&back[1..], times);
    let mut growing = Appender::default();
    for (at, time) in times.iter().enumerate() {
        growing.push(*time).unwrap();
        assert_eq!((growing.len(), growing.last()), (at + 1, Some(*time)));
    }
    assert_eq!(growing.iter().collect::<Vec<_>>(), times);
    assert_eq!(growing.first(), times.first().copied());
    let ends = [i64::MIN, i64::MAX, times.last().map_or(0, |last| last.saturating_add(1))];
    for from in times.iter().step_by(times.len() / 9 + 1).copied().chain(ends) {
        let (taken, bits) = taken(&growing, from);
        let got: Vec<i64> = taken.iter(&bits).collect();
        assert_eq!(got, times[taken.before()..], "from {from}");
        assert!(taken.before() == 0 || got[0] <= from, "none is left out from {from} on");
    }
    (Encoding::of(bytes[0], "test").unwrap(), bytes.len())
}

fn taken(column: &Appender, from: i64) -> (Taken, Vec<u8>) {
    let mut bits = vec![7];
    (column.take(from, &mut bits), bits)
}

fn jittered(count: i64, jitter: i64, seed: u64) -> Vec<i64> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..count).map(|at| 1_700_000_000_123 + at * 15_000 + random.i64(-jitter..=jitter)).collect()
}

#[test]
fn scrapes_take_few_bytes() {
    let f = |name: &str, times: Vec<i64>, encoding: Encoding, bytes_max: usize| {
        let (got, bytes) = check(&times);
        assert_eq!(got, encoding, "{name}");
        assert!(bytes <= bytes_max, "{name}: {bytes} bytes");
    };
    f("none", vec![], Encoding::TimeDeltas, 4);
    f("one", vec![1_700_000_000_123], Encoding::TimeDeltas, 10);
    f("exact", jittered(480, 0, 0), Encoding::TimeDeltas, 14);
    f("a day, exact", jittered(5_760, 0, 0), Encoding::TimeDeltas, 14);
    f("5 ms off", jittered(480, 5, 1), Encoding::TimeGrid, 480 * 11 / 20);
    let mut skipped = jittered(480, 5, 2);
    skipped.drain(100..130);
    skipped.drain(300..301);
    f("5 ms off, some skipped", skipped, Encoding::TimeGrid, 480 * 12 / 20);
    let mut gap = jittered(480, 0, 0);
    gap.drain(100..130);
    f("exact, some skipped", gap, Encoding::TimeDeltas, 24);
}

#[test]
fn times_that_do_not_rise_are_refused_both_ways() {
    let f = |times: &[i64], index: usize| {
        let mut out = b"kept".to_vec();
        assert_eq!(encode(times, &mut out), Err(Error::TimesNotRising { index }), "{times:?}");
        assert_eq!(out, b"kept");
        let mut growing = Appender::default();
        let refused = times.iter().position(|time| growing.push(*time).is_err());
        assert_eq!(refused, Some(index));
        assert_eq!(growing.iter().collect::<Vec<_>>(), times[..index], "as before");
        // The same column as integers, with the tag of timestamps in front of it.
        let mut forged = Vec::new();
        frame::write(&mut forged, times.len(), |out| {
            write_nested(times, out);
            Ok(Encoding::TimeDeltas)
        })
        .unwrap();
        let mut back = Vec::new();
        assert_eq!(decode_into(&forged, &mut back), Err(Error::TimesNotRising { index }));
        assert_eq!(back, []);
    };
    f(&[5, 5], 1);
    f(&[1, 2, 1], 2);
    f(&[i64::MAX, i64::MIN], 1);
}

#[test]
fn extremes_follow_each_other() {
    check(&[i64::MIN, i64::MAX]);
    check(&[i64::MIN, 0, i64::MAX - 1, i64::MAX]);
    let mut far = vec![i64::MIN];
    far.extend(jittered(200, 9, 3));
    far.push(i64::MAX);
    check(&far);
}

#[test]
fn of_the_newest_times_little_is_read() {
    let f = |times: &[i64], most: usize| {
        let mut column = Appender::default();
        for time in times {
            column.push(*time).unwrap();
        }
        for last in 1..times.len() {
            let (taken, bits) = taken(&column, times[times.len() - last]);
            let read = taken.iter(&bits).count();
            assert!((last..last + most).contains(&read), "{read} for the last {last}");
        }
    };
    f(&jittered(480, 5, 4), 70);
    f(&jittered(480, 0, 0), 1);
    let mut missed = jittered(480, 0, 0);
    missed.remove(100);
    missed.remove(470);
    f(&missed, 370);
}

#[test]
fn growing_columns_are_small_and_have_a_limit() {
    assert!(size_of::<Appender>() <= 72, "{} bytes", size_of::<Appender>());
    let mut exact = Appender::default();
    for time in 0..i64::try_from(COUNT_MAX).unwrap() {
        exact.push(time * 15_000).unwrap();
    }
    assert_eq!(exact.heap_bytes(), 0, "a grid that is kept takes nothing more");
    let error = exact.push(i64::MAX);
    assert!(matches!(error, Err(Error::TooMany { limit: COUNT_MAX, .. })));
    assert_eq!(exact.iter().count(), COUNT_MAX);
    let mut off = Appender::default();
    for time in jittered(480, 5, 4) {
        off.push(time).unwrap();
    }
    assert!((1..=512 + 9 * 24).contains(&off.heap_bytes()), "{}", off.heap_bytes());
}

#[test]
fn cuts_are_errors_and_flips_never_panic() {
    for column in [vec![], jittered(300, 0, 0), jittered(300, 5, 5)] {
        crate::testing::cut_and_flip(&encoded(&column), decode_into);
    }
}

fn rising() -> impl Strategy<Value = Vec<i64>> {
    let set = |values: Vec<i64>| {
        let set: std::collections::BTreeSet<i64> = values.into_iter().collect();
        set.into_iter().collect::<Vec<i64>>()
    };
    prop_oneof![
        prop::collection::vec(any::<i64>(), 0..200).prop_map(set),
        prop::collection::vec(-500_i64..500, 0..200).prop_map(set),
        (any::<i32>(), prop::collection::vec(14_990_i64..15_010, 0..300)).prop_map(
            |(start, steps)| {
                let mut time = i64::from(start);
                steps
                    .into_iter()
                    .map(|step| {
                        time += step;
                        time
                    })
                    .collect()
            }
        ),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_goes_in_comes_out(times in rising()) {
        check(&times);
    }

    #[test]
    fn any_bytes_are_rising_times_or_an_error(tag in 0x28_u8..0x2a, bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut all = vec![tag];
        all.extend(bytes);
        let mut out = Vec::new();
        if decode_into(&all, &mut out).is_err() {
            prop_assert!(out.is_empty());
        }
        prop_assert!(out.is_sorted_by(|a, b| a < b));
    }
}

#[test]
fn a_saved_column_of_times_grows_on() {
    let mut random = fastrand::Rng::with_seed(4);
    let mut column = Appender::default();
    let mut times = Vec::new();
    let mut time = -5_000;
    for at in 0..100 {
        let mut saved = Vec::new();
        column.save(&mut saved);
        saved.push(7);
        let (restored, used) = Appender::restore(&saved).unwrap();
        assert_eq!(used, saved.len() - 1);
        assert_eq!(restored.iter().collect::<Vec<_>>(), times);
        for cut in 0..used {
            assert!(Appender::restore(&saved[..cut]).is_err(), "{at} times cut at {cut}");
        }
        column = restored;
        time += if at % 3 == 0 { random.i64(1..100_000) } else { 15_000 };
        column.push(time).unwrap();
        times.push(time);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_restored_as_times_or_refused(bytes: Vec<u8>) {
        if let Ok((mut column, used)) = Appender::restore(&bytes) {
            prop_assert!(used <= bytes.len());
            prop_assert!(column.iter().count() <= column.len());
            drop(column.push(i64::MAX));
        }
    }
}
