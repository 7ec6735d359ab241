//! Histogram columns: runs of one layout, and that every field comes back.

use masthead_model::{CounterResetHint, Schema, stale_nan};
use proptest::prelude::*;

use super::*;

fn span(offset: i32, length: u32) -> Span {
    Span { offset, length }
}

/// A counter histogram that has grown `at` times.
fn grown(at: u32) -> Histogram {
    let positive_buckets = vec![f64::from(at * 2), f64::from(at / 3), f64::from(at * 5), 1.0];
    let negative_buckets = vec![f64::from(at), 0.0];
    let zero_count = f64::from(at / 2);
    let count = positive_buckets.iter().chain(&negative_buckets).sum::<f64>() + zero_count;
    Histogram {
        counter_reset_hint: CounterResetHint::NotCounterReset,
        schema: Schema::new(3).unwrap(),
        zero_threshold: 2.0_f64.powi(-128),
        zero_count,
        count,
        sum: f64::from(at) * 0.25,
        positive_spans: vec![span(-2, 3), span(4, 1)],
        positive_buckets,
        negative_spans: vec![span(0, 2)],
        negative_buckets,
        custom_values: vec![],
    }
}

fn custom(at: u32) -> Histogram {
    Histogram {
        schema: Schema::CUSTOM,
        count: f64::from(at * 3),
        sum: f64::from(at) / 3.0,
        positive_spans: vec![span(0, 3)],
        positive_buckets: vec![f64::from(at), f64::from(at), f64::from(at)],
        custom_values: vec![0.005, 0.01, 0.25],
        ..Histogram::default()
    }
}

fn stale() -> Histogram {
    Histogram { sum: stale_nan(), ..Histogram::default() }
}

/// Everything by its bits, so that NaN equals itself and -0 does not equal 0.
fn bits(one: &Histogram) -> String {
    let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    format!(
        "{:?} {:?} {:x?} {:?} {:?} {:x?}",
        one.counter_reset_hint,
        one.schema,
        bits(&[one.zero_threshold, one.zero_count, one.count, one.sum]),
        (&one.positive_spans, &one.negative_spans),
        bits(&one.custom_values),
        (bits(&one.positive_buckets), bits(&one.negative_buckets)),
    )
}

fn encoded(column: &[Histogram]) -> Vec<u8> {
    let mut out = Vec::new();
    encode(column, &mut out).unwrap();
    out
}

fn check(column: &[Histogram]) -> usize {
    let bytes = encoded(column);
    let mut back = vec![stale()];
    assert_eq!(decode_into(&bytes, &mut back), Ok(bytes.len()));
    assert_eq!(back.len(), column.len() + 1);
    for (want, got) in column.iter().zip(&back[1..]) {
        assert_eq!(bits(got), bits(want));
    }
    bytes.len()
}

#[test]
fn histograms_take_few_bytes() {
    let f = |name: &str, column: Vec<Histogram>, bytes_max: usize| {
        let bytes = check(&column);
        assert!(bytes <= bytes_max, "{name}: {bytes} bytes");
    };
    f("none", vec![], 3);
    f("one", vec![grown(7)], 80);
    f("alike", vec![grown(7); 480], 80);
    f("growing", (0..480).map(grown).collect(), 400);
    f("custom", (0..480).map(custom).collect(), 480 * 8);
    f("stale", vec![stale(); 480], 60);
}

#[test]
fn runs_end_where_layouts_change_and_markers_stand() {
    let mut column: Vec<Histogram> = (0..20).map(grown).collect();
    column.push(stale());
    column.extend((0..20).map(custom));
    column.push(Histogram { zero_threshold: 0.001, ..grown(1) });
    column.push(Histogram { zero_threshold: -0.0, ..grown(1) });
    let mut wider = custom(4);
    wider.custom_values = vec![0.005, 0.01, 0.5];
    column.push(wider);
    check(&column);
}

#[test]
fn hints_fractions_and_odd_counts_keep_their_bits() {
    let hints = [
        CounterResetHint::Unknown,
        CounterResetHint::CounterReset,
        CounterResetHint::NotCounterReset,
        CounterResetHint::Gauge,
    ];
    check(&hints.map(|counter_reset_hint| Histogram { counter_reset_hint, ..grown(3) }));
    for odd in [0.5, -0.0, -3.0, f64::NAN, stale_nan(), f64::INFINITY, 9.1e15, 1e300] {
        let mut one = grown(3);
        one.positive_buckets[1] = odd;
        check(&[grown(1), one.clone(), grown(5)]);
        one = Histogram { zero_count: odd, ..grown(3) };
        check(&[one, Histogram { count: odd, ..grown(3) }]);
    }
}

#[test]
fn spans_must_agree_with_buckets() {
    let mut one = grown(3);
    one.negative_buckets.push(1.0);
    let mut out = b"kept".to_vec();
    let error = encode(&[grown(2), one], &mut out).unwrap_err();
    assert!(matches!(
        &error,
        Error::Histogram {
            index: 1,
            source: HistogramError::SpansBucketsMismatch { side: "negative", need: 2, have: 3 }
        }
    ));
    assert_eq!(error.to_string(), "histogram number 1 of the column cannot be stored");
    assert_eq!(out, b"kept");
}

#[test]
fn numbers_in_all_have_a_limit_both_ways() {
    let wide = |buckets: u32| Histogram {
        positive_spans: vec![span(0, buckets)],
        positive_buckets: vec![1.0; buckets as usize],
        count: f64::from(buckets),
        ..Histogram::default()
    };
    check(&vec![wide(50_000); 7]);
    let error = encode(&vec![wide(100_000); 21], &mut Vec::new());
    assert!(matches!(error, Err(Error::TooMany { limit: NUMBERS_MAX, .. })), "{error:?}");
    let error = encode(&[wide(131_073)], &mut Vec::new());
    assert!(matches!(error, Err(Error::TooMany { what: "buckets", .. })), "{error:?}");
    // A run that claims a thousand times as many as its bytes were made of.
    let bytes = encoded(&[wide(100_000)]);
    let mut forged = vec![bytes[0], 0xe8, 0x07];
    forged.extend_from_slice(&bytes[2..4]);
    let body = bytes.iter().position(|byte| *byte == 1).unwrap();
    forged.truncate(3);
    put_length(&mut forged, bytes.len() - 3 + 1);
    forged.extend([0xe8, 0x07]);
    forged.extend_from_slice(&bytes[4..]);
    assert!(body <= 3);
    let error = decode_into(&forged, &mut Vec::new());
    assert!(matches!(error, Err(Error::TooMany { .. })), "{error:?}");
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    crate::cursor::put_unsigned(out, length as u64);
}

#[test]
fn cuts_are_errors_and_flips_never_panic() {
    let mut column: Vec<Histogram> = (0..60).map(grown).collect();
    column.push(stale());
    column.extend((0..9).map(custom));
    for column in [vec![], vec![grown(1)], column] {
        crate::testing::cut_and_flip(&encoded(&column), decode_into);
    }
}

fn any_histogram() -> impl Strategy<Value = Histogram> {
    let float =
        prop_oneof![(0_u32..1_000).prop_map(f64::from), any::<u64>().prop_map(f64::from_bits)];
    let spans = prop::collection::vec((any::<i32>(), 0_u32..4), 0..3);
    (spans.clone(), spans, -4_i32..=8, prop::collection::vec(float, 40), 0_usize..4).prop_map(
        |(positive, negative, schema, numbers, bounds)| {
            let spans = |spans: Vec<(i32, u32)>| -> Vec<Span> {
                spans.into_iter().map(|(offset, length)| span(offset, length)).collect()
            };
            let (positive_spans, negative_spans) = (spans(positive), spans(negative));
            let mut numbers = numbers.into_iter();
            let mut take = |count: usize| numbers.by_ref().take(count).collect::<Vec<f64>>();
            Histogram {
                counter_reset_hint: CounterResetHint::Gauge,
                schema: Schema::new(schema).unwrap(),
                zero_threshold: take(1)[0],
                zero_count: take(1)[0],
                count: take(1)[0],
                sum: take(1)[0],
                positive_buckets: take(buckets_of(&positive_spans)),
                negative_buckets: take(buckets_of(&negative_spans)),
                custom_values: take(bounds),
                positive_spans,
                negative_spans,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn whatever_goes_in_comes_out(
        column in prop::collection::vec((any_histogram(), 1_usize..4), 0..12)
    ) {
        let column: Vec<Histogram> =
            column.into_iter().flat_map(|(one, times)| vec![one; times]).collect();
        check(&column);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_column_of_histograms_or_refused(
        bytes: Vec<u8>,
        at: prop::sample::Index,
        change: u8,
    ) {
        let mut out = Vec::new();
        if decode_into(&bytes, &mut out).is_err() {
            prop_assert!(out.is_empty());
        }
        // Nearly right bytes get further.
        let mut column = encoded(&(0..9).map(grown).chain([custom(1), stale()]).collect::<Vec<_>>());
        let at = at.index(column.len());
        column[at] ^= change;
        column.truncate(column.len() - usize::from(change % 3));
        column.extend(&bytes);
        let mut out = Vec::new();
        if decode_into(&column, &mut out).is_err() {
            prop_assert!(out.is_empty());
        }
    }
}
