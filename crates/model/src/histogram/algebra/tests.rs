//! Arithmetic, resets, order and equality, in the notation of scripts; and against naive versions.

use proptest::prelude::*;

use super::*;
use crate::{HistogramMean, HistogramSum, Schema};

fn h(text: &str) -> Histogram {
    let (noted, rest) = Histogram::parse_test_expression(text).expect("notation");
    assert_eq!(rest, "", "{text}");
    noted.histogram
}

fn compacted(mut histogram: Histogram) -> String {
    histogram.compact(0);
    assert_eq!(histogram.validate().map_err(|e| e.to_string()), Ok(()));
    histogram.to_test_expression()
}

#[test]
fn sums_meet_at_the_coarser_layout() {
    let f = |a: &str, b: &str, want: &str| {
        for (a, b) in [(a, b), (b, a)] {
            let mut sum = h(a);
            sum.add(&h(b)).expect("compatible");
            assert_eq!(compacted(sum), want, "{a} + {b}");
            let mut exact = HistogramSum::new(h(a));
            exact.add(&h(b)).expect("compatible");
            assert_eq!(compacted(exact.finish()), want, "exact {a} + {b}");
        }
    };
    f(
        "{{count:2 sum:3 buckets:[1 1]}}",
        "{{count:3 sum:4 buckets:[1 2]}}",
        "{{count:5 sum:7 buckets:[2 3]}}",
    );
    f("{{buckets:[1 1]}}", "{{offset:5 buckets:[2]}}", "{{buckets:[1 1 0 0 0 2]}}");
    f(
        "{{offset:-3 buckets:[1 0 0 4]}}",
        "{{n_offset:2 n_buckets:[7]}}",
        "{{offset:-3 buckets:[1 0 0 4] n_offset:2 n_buckets:[7]}}",
    );
    // Indexes 1 and 2 of schema 1 are index 1 of schema 0; index 0 stays.
    f("{{schema:1 buckets:[1 2 4]}}", "{{buckets:[10 20]}}", "{{buckets:[11 26]}}");
    f("{{schema:1 n_offset:1 n_buckets:[2 4 8]}}", "{{}}", "{{n_offset:1 n_buckets:[6 8]}}");
    // Two zero buckets, none of which cuts a populated bucket: (0.5, 1] and (1, 2] go in.
    f(
        "{{z_bucket:1 z_bucket_w:0.5 buckets:[2 3 4]}}",
        "{{z_bucket:5 z_bucket_w:2}}",
        "{{z_bucket:11 z_bucket_w:2 offset:2 buckets:[4]}}",
    );
    // The wider one would cut (1, 2], so it grows to 2 on both sides.
    f(
        "{{z_bucket:1 buckets:[2 3 4] n_buckets:[1 1]}}",
        "{{z_bucket:5 z_bucket_w:1.5}}",
        "{{z_bucket:13 z_bucket_w:2 offset:2 buckets:[4]}}",
    );
    f(
        "{{buckets:[0 0 4]}}",
        "{{z_bucket:5 z_bucket_w:1.5}}",
        "{{z_bucket:5 z_bucket_w:1.5 offset:2 buckets:[4]}}",
    );
    f(
        "{{schema:-53 custom_values:[2 4 6] buckets:[1 2 5 7]}}",
        "{{schema:-53 custom_values:[2 3 6] buckets:[10 20 30 40]}}",
        "{{schema:-53 custom_values:[2 6] buckets:[11 57 47]}}",
    );
    f(
        "{{schema:-53 custom_values:[2] buckets:[1 2]}}",
        "{{schema:-53 custom_values:[3] buckets:[4 8]}}",
        "{{schema:-53 custom_values:[] buckets:[15]}}",
    );
}

#[test]
fn differences_are_taken_bucket_by_bucket() {
    let f = |a: &str, b: &str, want: &str| {
        let mut difference = h(a);
        difference.sub(&h(b)).expect("compatible");
        difference.compact(0);
        assert_eq!(difference.to_test_expression(), want);
    };
    f(
        "{{count:5 sum:7 buckets:[2 3]}}",
        "{{count:3 sum:4 buckets:[1 3]}}",
        "{{count:2 sum:3 buckets:[1]}}",
    );
    f("{{buckets:[2]}}", "{{offset:2 buckets:[3]}}", "{{buckets:[2 0 -3]}}");
    f(
        "{{z_bucket:9 z_bucket_w:2}}",
        "{{z_bucket:1 buckets:[2 3 4]}}",
        "{{z_bucket:3 z_bucket_w:2 offset:2 buckets:[-4]}}",
    );
    f(
        "{{schema:-53 custom_values:[2 4] buckets:[5 5 5]}}",
        "{{schema:-53 custom_values:[4] buckets:[3 1]}}",
        "{{schema:-53 custom_values:[4] buckets:[7 4]}}",
    );
}

#[test]
fn exponential_and_custom_buckets_do_not_mix() {
    let (mut a, b) = (h("{{count:1}}"), h("{{schema:-53 count:1 custom_values:[1]}}"));
    let before = a.clone();
    assert_eq!(a.add(&b), Err(IncompatibleSchemas));
    assert_eq!(HistogramSum::new(a.clone()).add(&b), Err(IncompatibleSchemas));
    assert_eq!(HistogramMean::new(a.clone()).add(&b), Err(IncompatibleSchemas));
    assert_eq!(a, before);
}

#[test]
fn hints_are_reconciled() {
    use CounterResetHint::{CounterReset, Gauge, NotCounterReset, Unknown};
    let f = |a, b, want, collision| {
        let mut sum = Histogram { counter_reset_hint: a, ..Histogram::default() };
        let other = Histogram { counter_reset_hint: b, ..Histogram::default() };
        let combined = sum.add(&other).expect("compatible");
        assert_eq!(
            (sum.counter_reset_hint, combined.counter_reset_collision),
            (want, collision),
            "{a:?} {b:?}"
        );
    };
    f(CounterReset, CounterReset, CounterReset, false);
    f(CounterReset, NotCounterReset, Unknown, true);
    f(NotCounterReset, CounterReset, Unknown, true);
    f(NotCounterReset, Gauge, Gauge, false);
    f(Gauge, NotCounterReset, Gauge, false);
    f(Unknown, NotCounterReset, Unknown, false);
    f(NotCounterReset, Unknown, Unknown, false);
    f(Unknown, Gauge, Gauge, false);
}

#[test]
fn scaling_by_a_negative_number_makes_a_gauge_and_by_zero_drops_buckets() {
    let mut scaled = h("{{count:4 sum:6 z_bucket:2 buckets:[1] n_buckets:[1]}}");
    scaled.mul(-0.5);
    assert_eq!(
        scaled.to_test_expression(),
        "{{count:-2 sum:-3 z_bucket:-1 counter_reset_hint:gauge buckets:[-0.5] n_buckets:[-0.5]}}"
    );
    scaled.div(-2.0);
    assert_eq!(
        scaled.to_test_expression(),
        "{{count:1 sum:1.5 z_bucket:0.5 counter_reset_hint:gauge buckets:[0.25] n_buckets:[0.25]}}"
    );
    scaled.div(0.0);
    assert_eq!(
        scaled.to_test_expression(),
        "{{count:+Inf sum:+Inf z_bucket:+Inf counter_reset_hint:gauge}}"
    );
    assert!(scaled.has_infinite() && !h("{{count:1}}").has_infinite());
    let mut gauge = h("{{count:4}}");
    gauge.div(-1.0);
    assert_eq!(gauge.counter_reset_hint, CounterResetHint::Gauge);
}

#[test]
fn what_a_plain_sum_loses_a_compensated_one_keeps() {
    let big = h(
        "{{count:9007199254740992 sum:9007199254740992 z_bucket:9007199254740992 z_bucket_w:0.1 buckets:[9007199254740992] n_buckets:[9007199254740992]}}",
    );
    let one = h("{{count:1 sum:1 z_bucket:1 z_bucket_w:0.1 buckets:[1] n_buckets:[1]}}");
    // The same at a finer schema and with other buckets, so that layouts differ on the way.
    let other =
        h("{{schema:1 count:1 sum:1 z_bucket:1 z_bucket_w:0.1 buckets:[1 0 0 5] n_buckets:[1]}}");
    let mut sum = HistogramSum::new(big.clone());
    for addend in [&one, &other, &one, &other] {
        sum.add(addend).expect("compatible");
    }
    let sum = sum.finish();
    let want = 9_007_199_254_740_996.0;
    assert_eq!((sum.count, sum.sum, sum.zero_count), (want, want, want));
    assert_eq!(
        (&sum.positive_buckets[..], &sum.negative_buckets[..]),
        (&[want, 0.0, 10.0][..], &[want][..])
    );
    let mut plain = big;
    for _ in 0..4 {
        plain.add(&one).expect("compatible");
    }
    assert!(plain.count < want - 2.0, "{}", plain.count);
}

#[test]
fn a_mean_survives_sums_that_overflow() {
    let large = Histogram { count: 1.5e308, sum: 1.5e308, ..Histogram::default() };
    let mut mean = HistogramMean::new(large.clone());
    for _ in 0..4 {
        mean.add(&large).expect("compatible");
    }
    let mean = mean.finish();
    assert!(((mean.sum - 1.5e308) / 1.5e308).abs() < 1e-15, "{}", mean.sum);
    let mut small = HistogramMean::new(h("{{count:1 sum:2 buckets:[1]}}"));
    small.add(&h("{{count:3 sum:4 buckets:[0 3]}}")).expect("compatible");
    assert_eq!(small.finish().to_test_expression(), "{{count:2 sum:3 buckets:[0.5 1.5]}}");
}

#[test]
fn notes_tell_of_collisions_and_of_reconciled_bounds() {
    let mut sum = HistogramSum::new(h("{{counter_reset_hint:reset}}"));
    sum.add(&h("{{}}")).expect("compatible");
    assert!(!sum.notes().counter_reset_collision);
    sum.add(&h("{{counter_reset_hint:not_reset}}")).expect("compatible");
    assert!(sum.notes().counter_reset_collision && !sum.notes().bounds_reconciled);
    let mut mean = HistogramMean::new(h("{{schema:-53 custom_values:[1 2]}}"));
    mean.add(&h("{{schema:-53 custom_values:[1]}}")).expect("compatible");
    assert!(mean.notes().bounds_reconciled);
}

#[test]
fn compacting_keeps_short_runs_of_empty_buckets() {
    let f = |buckets: &str, empty_max, want: &[(i32, u32)]| {
        let mut histogram = h(&format!("{{{{buckets:[{buckets}]}}}}"));
        histogram.compact(empty_max);
        let spans: Vec<_> = histogram.positive_spans.iter().map(|s| (s.offset, s.length)).collect();
        assert_eq!(spans, want, "[{buckets}] {empty_max}");
    };
    f("0 1 0 0 2 0", 0, &[(1, 1), (2, 1)]);
    f("0 1 0 0 2 0", 1, &[(1, 1), (2, 1)]);
    f("0 1 0 0 2 0", 2, &[(1, 4)]);
    f("0 0", 5, &[]);
    f("1 2", 0, &[(0, 2)]);
    let mut split = Histogram {
        positive_spans: [(0, 1), (0, 1), (3, 0), (1, 1)]
            .map(|(offset, length)| Span { offset, length })
            .to_vec(),
        positive_buckets: vec![1.0, 2.0, 3.0],
        ..Histogram::default()
    };
    assert!(!split.same_data(&h("{{buckets:[1 2]}}")));
    split.compact(0);
    assert_eq!(
        split.positive_spans,
        [Span { offset: 0, length: 2 }, Span { offset: 4, length: 1 }]
    );
}

#[test]
fn resets_are_seen_in_any_count() {
    let f = |previous: &str, now: &str, want: bool| {
        assert_eq!(h(now).detect_reset(&h(previous)), want, "{previous} -> {now}");
    };
    f("{{count:2 buckets:[1 1]}}", "{{count:3 buckets:[1 2]}}", false);
    f("{{count:2 buckets:[1 1]}}", "{{count:3 buckets:[0 3]}}", true);
    f("{{count:2}}", "{{count:1}}", true);
    f("{{sum:2}}", "{{sum:1}}", false);
    f("{{z_bucket:2}}", "{{z_bucket:1}}", true);
    f("{{n_buckets:[2]}}", "{{n_buckets:[1]}}", true);
    // A populated bucket is gone; an empty one may be.
    f("{{buckets:[1 1]}}", "{{buckets:[5]}}", true);
    f("{{buckets:[1 0]}}", "{{buckets:[5]}}", false);
    f("{{buckets:[1]}}", "{{offset:1 buckets:[5]}}", true);
    f("{{offset:1 buckets:[1]}}", "{{buckets:[5 5]}}", false);
    f("{{buckets:[1]}}", "{{schema:1 buckets:[5]}}", true);
    f("{{schema:1 offset:1 buckets:[1 2]}}", "{{offset:1 buckets:[3]}}", false);
    f("{{schema:1 offset:1 buckets:[1 3]}}", "{{offset:1 buckets:[3]}}", true);
    f("{{z_bucket_w:2}}", "{{z_bucket_w:1}}", true);
    f(
        "{{z_bucket:1 z_bucket_w:1 offset:1 buckets:[2 1]}}",
        "{{z_bucket:3 z_bucket_w:2 offset:2 buckets:[1]}}",
        false,
    );
    f("{{z_bucket:1 z_bucket_w:1 offset:1 buckets:[2]}}", "{{z_bucket:2 z_bucket_w:2}}", true);
    f("{{z_bucket:1 n_offset:1 n_buckets:[2]}}", "{{z_bucket:9 z_bucket_w:1.5}}", true);
    f("{{buckets:[1]}}", "{{counter_reset_hint:not_reset}}", false);
    f("{{}}", "{{buckets:[1] counter_reset_hint:reset}}", true);
    f("{{count:2}}", "{{count:1 counter_reset_hint:gauge}}", true);
    let custom = "{{schema:-53 custom_values:[2 4 6] buckets:[1 2 3 4]}}";
    f(custom, custom, false);
    f(custom, "{{buckets:[9 9 9 9]}}", true);
    f("{{buckets:[1]}}", custom, true);
    f(custom, "{{schema:-53 custom_values:[4] buckets:[3 7]}}", false);
    f(custom, "{{schema:-53 custom_values:[4] buckets:[2 8]}}", true);
    f(custom, "{{schema:-53 custom_values:[4] buckets:[4 6]}}", true);
}

#[test]
fn all_buckets_come_in_order_and_are_cut_at_the_zero_threshold() {
    let histogram = h("{{z_bucket:5 z_bucket_w:0.7 buckets:[1 2] n_buckets:[3 0 4]}}");
    let rising: Vec<_> = histogram.all().map(|b| (b.lower, b.upper, b.count)).collect();
    assert_eq!(
        rising,
        [
            (-4.0, -2.0, 4.0),
            (-2.0, -1.0, 0.0),
            (-1.0, -0.7, 3.0),
            (-0.7, 0.7, 5.0),
            (0.7, 1.0, 1.0),
            (1.0, 2.0, 2.0)
        ]
    );
    let mut falling: Vec<_> =
        histogram.all_reversed().map(|b| (b.lower, b.upper, b.count)).collect();
    falling.reverse();
    assert_eq!(falling, rising);
    let api: Vec<_> = histogram.api_buckets().map(|b| b.0).collect();
    assert_eq!(api, [1, 1, 3, 0, 0]);
    let custom = h("{{schema:-53 custom_values:[1] buckets:[1 2]}}");
    let api: Vec<_> = custom.api_buckets().map(|b| (b.0, b.3)).collect();
    assert_eq!(api, [(3, 1.0), (0, 2.0)]);
    assert_eq!(custom.all_reversed().map(|b| b.count).collect::<Vec<_>>(), [2.0, 1.0]);
}

#[test]
fn equality_is_by_bits_or_by_nearness() {
    let (a, b) = (
        h("{{count:1 buckets:[1 0 2]}}"),
        h("{{count:1.00000001 buckets:[1 0 2] counter_reset_hint:gauge}}"),
    );
    assert!(!a.same_data(&b) && a.nearly_equals(&b, 1e-6));
    let mut compact = a.clone();
    compact.compact(0);
    assert!(!a.same_data(&compact) && a.nearly_equals(&compact, 1e-6));
    let nan = h("{{sum:NaN}}");
    assert!(nan.same_data(&nan) && nan.nearly_equals(&nan, 1e-6));
    let f = |other: &str| {
        assert!(!a.nearly_equals(&h(other), 1e-6) && !h(other).nearly_equals(&a, 1e-6), "{other}");
    };
    f("{{count:1 buckets:[1 0 3]}}");
    f("{{count:1 buckets:[1 2]}}");
    f("{{count:1 buckets:[1 0 2 1]}}");
    f("{{count:1 buckets:[1 0 2] n_buckets:[1]}}");
    f("{{count:1 buckets:[1 0 2] z_bucket:1}}");
    f("{{count:1 buckets:[1 0 2] z_bucket_w:1}}");
    f("{{count:1 sum:1 buckets:[1 0 2]}}");
    f("{{schema:1 count:1 buckets:[1 0 2]}}");
    assert!(crate::nearly_equal(f64::INFINITY, f64::INFINITY, 1e-6));
    assert!(!crate::nearly_equal(0.0, 1e-300, 1e-6) && crate::nearly_equal(0.0, -0.0, 1e-6));
    assert!(!crate::nearly_equal(f64::INFINITY, 1.0, 1e-6));
}

/// Valid histograms: no bucket lies inside the zero bucket, nor is cut by it.
fn any_histogram() -> impl Strategy<Value = Histogram> {
    let side = || proptest::collection::vec((0..6_i32, 1..4_u32, [0..4_u8, 0..4, 0..4]), 0..4);
    (-2..=3_i32, side(), side(), proptest::option::of(-5..6_i32), 0..9_u8).prop_map(
        |(schema, positive, negative, zero_index, zero_count)| {
            let schema = Schema::new(schema).expect("known");
            let make = |side: Vec<(i32, u32, [u8; 3])>| {
                let mut first = zero_index.map_or(-8, |zero| zero + 1);
                let (mut spans, mut counts) = (vec![], vec![]);
                for (offset, length, values) in side {
                    spans.push(Span { offset: offset + std::mem::take(&mut first), length });
                    counts.extend(values.iter().take(length as usize).copied().map(f64::from));
                }
                (spans, counts)
            };
            let (positive_spans, positive_buckets) = make(positive);
            let (negative_spans, negative_buckets) = make(negative);
            let zero_count = f64::from(zero_count);
            let count = zero_count + positive_buckets.iter().chain(&negative_buckets).sum::<f64>();
            Histogram {
                schema,
                zero_threshold: zero_index.map_or(0.0, |zero| schema.upper_bound(zero, &[])),
                zero_count,
                count,
                sum: count * 2.0,
                positive_spans,
                positive_buckets,
                negative_spans,
                negative_buckets,
                ..Histogram::default()
            }
        },
    )
}

/// Small whole numbers, so that sums are exact. Adding zero makes `-0`, the sum of no numbers at
/// all, the zero that a count is.
fn same(a: f64, b: f64) -> bool {
    (a + 0.0).to_bits() == (b + 0.0).to_bits()
}

proptest! {
    #[test]
    fn no_observation_is_lost_or_made_up(a in any_histogram(), b in any_histogram()) {
        let mut sum = a.clone();
        sum.add(&b).expect("compatible");
        prop_assert_eq!(sum.validate(), Ok(()));
        let total: f64 = sum.all().map(|b| b.count).sum();
        prop_assert!(same(total, a.count + b.count), "{} + {} = {}", a, b, sum);
        prop_assert!(same(sum.count, total));
        let bounds: Vec<_> = sum.all().filter(|b| b.count != 0.0).collect();
        prop_assert!(bounds.windows(2).all(|two| two[0].upper <= two[1].lower), "{:?}", bounds);
        let mut reversed = b.clone();
        reversed.add(&a).expect("compatible");
        prop_assert!(sum.nearly_equals(&reversed, 1e-12));
        let mut exact = HistogramSum::new(a.clone());
        exact.add(&b).expect("compatible");
        prop_assert!(sum.nearly_equals(&exact.finish(), 1e-12));
        // A sum is never a reset of its parts.
        prop_assert!(!sum.detect_reset(&a), "{} -> {}", a, sum);
        sum.sub(&b).expect("compatible");
        prop_assert!(same(sum.all().map(|b| b.count).sum::<f64>(), a.count));
    }

    #[test]
    fn compacting_and_notation_change_nothing(a in any_histogram(), empty_max in 0..4_u32) {
        let mut compact = a.clone();
        compact.compact(empty_max);
        prop_assert!(a.nearly_equals(&compact, 0.0));
        prop_assert_eq!(compact.validate(), Ok(()));
        let text = a.to_test_expression();
        let (noted, rest) = Histogram::parse_test_expression(&text).expect("own notation");
        prop_assert_eq!(rest, "");
        prop_assert!(a.nearly_equals(&noted.histogram, 0.0), "{}", text);
    }

    #[test]
    fn spans_that_lie_never_panic(
        positive_spans in proptest::collection::vec((any::<i32>(), any::<u32>()), 0..4),
        counts in proptest::collection::vec(-2.0..3.0_f64, 0..4),
        schema in -4..=8_i32, threshold in any::<f64>(),
    ) {
        let spans: Vec<_> = positive_spans.into_iter().map(|(offset, length)| Span { offset, length }).collect();
        let odd = Histogram {
            schema: Schema::new(schema).expect("known"),
            zero_threshold: threshold,
            positive_spans: spans.clone(),
            negative_spans: spans,
            positive_buckets: counts.clone(),
            negative_buckets: counts,
            ..Histogram::default()
        };
        let mut sum = odd.clone();
        sum.add(&Histogram { zero_threshold: 0.5, ..Histogram::default() }).expect("compatible");
        sum.compact(0);
        let _ = (odd.detect_reset(&sum), sum.detect_reset(&odd), odd.same_data(&sum), odd.to_test_expression());
        let (rising, falling) = (odd.all().count(), odd.all_reversed().count());
        prop_assert!(rising <= 2 * 4 + 1 && falling <= 2 * 4 + 1);
    }
}
