//! The open column: reading it while it grows.

use masthead_model::stale_nan;
use proptest::prelude::*;

use super::*;
use crate::floats;

fn grown(values: &[f64]) -> Appender {
    let mut column = Appender::default();
    for value in values {
        column.push(*value).unwrap();
    }
    column
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn check(values: &[f64]) {
    let column = grown(values);
    let mut live = vec![];
    column.decode_into(&mut live);
    assert_eq!(bits(&live), bits(values));
    for (start, end) in [(0, 1), (1, 4), (3, 1), (values.len() / 2, values.len() + 9), (7, 90)] {
        let mut some = vec![7.5];
        column.decode_range_into(start..end, &mut some);
        let want = values.get(start.min(values.len())..end.min(values.len())).unwrap_or(&[]);
        assert_eq!(bits(some.get(1..).unwrap_or(&[])), bits(want), "{start}..{end}");
    }
    for from in (0..=values.len()).step_by(values.len() / 9 + 1) {
        let (mut shared, mut some) = (vec![7], vec![7.5]);
        let taken = column.take(from, &mut shared);
        assert_eq!(taken.len(), values.len());
        taken.decode_range_into(&shared, from..values.len(), &mut some);
        assert_eq!(bits(&some[1..]), bits(&values[from..]), "from {from}");
    }
    assert_eq!(column.last().map(f64::to_bits), values.last().map(|value| value.to_bits()));
    let mut sealed = Vec::new();
    column.snapshot(&mut sealed).unwrap();
    let mut back = vec![];
    assert_eq!(floats::decode_into(&sealed, &mut back), Ok(sealed.len()));
    assert_eq!(bits(&back), bits(values));
}

#[test]
fn every_moment_of_growth_can_be_read() {
    let values = [0.0, 0.0, 1.0, 1.0, 1.0, 2.5, -0.0, f64::NAN, stale_nan(), stale_nan(), 3.0, 3.0];
    for end in 0..=values.len() {
        check(&values[..end]);
    }
}

#[test]
fn repeats_take_no_bytes() {
    let f = |name: &str, values: Vec<f64>, heap_max: usize| {
        let heap = grown(&values).heap_bytes();
        assert!(heap <= heap_max, "{name}: {heap} bytes");
        check(&values);
    };
    f("zeros", vec![0.0; 100_000], 0);
    f("constant", vec![0.1; 100_000], 0);
    f("five of a counter", vec![1_200.0, 1_217.0, 1_230.0, 1_301.0, 1_355.0], 0);
    f("counter", (0..480).map(|at| f64::from(at * 17)).collect(), 1_024 + 8 * 24);
}

#[test]
fn of_the_newest_values_little_is_read_and_what_marks_take_is_little_too() {
    let values: Vec<f64> = (0..100_000).map(|at| f64::from(at * 17) / 7.0).collect();
    let column = grown(&values);
    let taken = |from| {
        let mut bits = Vec::new();
        column.take(from, &mut bits);
        bits.len()
    };
    let (all, last) = (taken(0), taken(values.len() - 10));
    assert!(last <= all / 1_000, "{last} of {all}");
    let marks = &column.marks.as_ref().expect("marks").0;
    assert_eq!(marks.len(), values.len() / usize::from(MARK_EVERY));
    assert!(marks.capacity() * size_of::<Mark>() < all / 10);
    assert!(grown(&vec![0.1; 100_000]).marks.is_none(), "nothing changes");
}

#[test]
fn the_struct_is_small_and_the_column_has_a_limit() {
    assert!(size_of::<Appender>() <= 56, "{} bytes", size_of::<Appender>());
    let mut column = grown(&vec![1.0; COUNT_MAX]);
    assert!(matches!(column.push(2.0), Err(Error::TooMany { limit: COUNT_MAX, .. })));
    assert_eq!((column.len(), column.last()), (COUNT_MAX, Some(1.0)));
    let mut grown = grown(&[0.1, 0.2, 0.3, 0.4]);
    grown.shrink();
    assert!((17..=48).contains(&grown.heap_bytes()), "{}", grown.heap_bytes());
}

#[test]
fn cuts_are_errors_and_flips_never_panic() {
    for column in [vec![], vec![1.0; 50], (0..90).map(|at| f64::from(at * at) / 7.0).collect()] {
        let mut sealed = Vec::new();
        grown(&column).snapshot(&mut sealed).unwrap();
        crate::testing::cut_and_flip(&sealed, floats::decode_into);
    }
}

#[test]
fn bits_that_no_appender_writes_are_corrupt() {
    let f = |bytes: &[u8], count: usize| {
        let mut out = Vec::new();
        read(count, &mut Cursor::new(bytes), &mut out).is_ok()
    };
    assert!(f(&[], 0));
    assert!(!f(&[0], 0), "a byte that nothing needs");
    assert!(!f(&[], 1), "no bits for the value");
    assert!(!f(&[0b11], 1), "a change in a window that was never set");
    assert!(!f(&[0b101, 0, 0, 0, 0, 0, 0, 0, 0], 1), "a run before a change without its end");
    assert!(!f(&[0xff; 20], 1), "a window that is never set");
    assert!(
        !f(&[0b1111_1101, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 1),
        "a window too wide"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_goes_in_comes_out(values in prop_oneof![
        prop::collection::vec(any::<u64>().prop_map(f64::from_bits), 0..200),
        prop::collection::vec((0_u8..3).prop_map(f64::from), 0..400),
        prop::collection::vec((0_u32..1_000_000).prop_map(|v| f64::from(v) / 100.0), 0..400),
        // Runs before changes of every width.
        prop::collection::vec((any::<u64>(), 0_u32..64, 1_usize..200), 0..40).prop_map(|runs| {
            let value = |bits: u64, width| f64::from_bits(0x3ff0_0000_0000_0000 ^ bits >> width);
            runs.into_iter().flat_map(|(bits, width, run)| vec![value(bits, width); run]).collect()
        }),
    ]) {
        check(&values);
    }
}

#[test]
fn a_saved_column_grows_on_as_if_it_had_never_been_saved() {
    let mut random = fastrand::Rng::with_seed(3);
    let mut column = Appender::default();
    let mut values = Vec::new();
    for at in 0..200_u32 {
        let mut saved = Vec::new();
        column.save(&mut saved);
        saved.push(7);
        let (restored, used) = Appender::restore(&saved).unwrap();
        assert_eq!(used, saved.len() - 1);
        let mut read = Vec::new();
        restored.decode_into(&mut read);
        assert_eq!(read, values);
        for cut in 0..used {
            assert!(Appender::restore(&saved[..cut]).is_err(), "{at} values cut at {cut}");
        }
        column = restored;
        let value = if at % 5 < 3 { f64::from(at / 7) } else { random.f64() };
        let value = if at < 4 { 0.0 } else { value };
        column.push(value).unwrap();
        values.push(value);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_restored_or_refused(bytes: Vec<u8>) {
        if let Ok((mut column, used)) = Appender::restore(&bytes) {
            prop_assert!(used <= bytes.len());
            let mut read = Vec::new();
            column.decode_into(&mut read);
            prop_assert!(read.len() <= column.len());
            drop(column.push(1.5));
        }
    }
}
