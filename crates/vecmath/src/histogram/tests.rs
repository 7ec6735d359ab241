//! Rows in the notation of scripts, and classic against native histograms of the same data.

use masthead_model::{CounterResetHint, Histogram};
use proptest::prelude::*;

use super::*;
use crate::{Bounds, Edge, RateKind, nearly_equal};

fn h(text: &str) -> Histogram {
    Histogram::parse_test_expression(text).expect("notation").0.histogram
}

fn near(got: f64, want: f64) -> bool {
    nearly_equal(got, want, 1e-9)
}

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

#[test]
fn quantiles_are_exponential_inside_exponential_buckets() {
    let f = |q, text: &str, want: f64, note| {
        let got = quantile(q, &h(text));
        assert!(near(got.0, want) && got.1 == note, "{q} {text}: {got:?} is not {want}");
    };
    let both = "{{count:8 sum:1 buckets:[0 4] n_buckets:[0 4]}}";
    f(0.75, both, std::f64::consts::SQRT_2, None);
    f(0.25, both, -std::f64::consts::SQRT_2, None);
    f(0.0, both, -2.0, None);
    f(1.0, both, 2.0, None);
    f(0.5, both, 1.0, None);
    // The zero bucket is linear, and reaches to zero only when all else is on one side.
    f(0.5, "{{count:4 z_bucket:4 z_bucket_w:2}}", 0.0, None);
    f(0.25, "{{count:8 z_bucket:4 z_bucket_w:2 offset:2 buckets:[4]}}", 1.0, None);
    f(0.75, "{{count:8 z_bucket:4 z_bucket_w:2 n_offset:2 n_buckets:[4]}}", -1.0, None);
    f(
        0.5,
        "{{count:12 z_bucket:4 z_bucket_w:2 offset:2 buckets:[4] n_offset:2 n_buckets:[4]}}",
        0.0,
        None,
    );
    let custom = "{{schema:-53 count:10 custom_values:[2 4] buckets:[4 4 2]}}";
    f(0.2, custom, 1.0, None);
    f(0.6, custom, 3.0, None);
    f(0.95, custom, 4.0, None);
    f(0.2, "{{schema:-53 count:10 custom_values:[-2 4] buckets:[4 6]}}", -2.0, None);
    f(-0.1, both, -INF, None);
    f(1.1, both, INF, None);
    f(NAN, both, NAN, None);
    f(0.5, "{{}}", NAN, None);
    f(0.5, "{{count:3}}", 0.0, None);
    let nan = "{{count:15 sum:NaN buckets:[12]}}";
    f(0.8, nan, 1.0, Some(NanNote::Skewed));
    f(0.81, nan, NAN, Some(NanNote::ResultIsNan));
    f(0.5, "{{count:3 sum:NaN}}", NAN, Some(NanNote::ResultIsNan));
    // Both infinities also make a NaN sum, but nothing is missing.
    f(1.0, "{{count:12 sum:NaN buckets:[12]}}", 1.0, None);
}

#[test]
fn fractions_are_the_inverse_of_quantiles() {
    let f = |lower, upper, text: &str, want: f64, note| {
        let got = fraction(lower, upper, &h(text));
        assert!(
            near(got.0, want) && got.1 == note,
            "{lower} {upper} {text}: {got:?} is not {want}"
        );
    };
    let both = "{{count:8 sum:1 buckets:[0 4] n_buckets:[0 4]}}";
    f(-INF, std::f64::consts::SQRT_2, both, 0.75, None);
    f(-std::f64::consts::SQRT_2, 0.0, both, 0.25, None);
    f(-INF, INF, both, 1.0, None);
    f(1.0, 1.0, both, 0.0, None);
    f(NAN, 1.0, both, NAN, None);
    f(0.0, 1.0, "{{}}", NAN, None);
    f(0.0, 1.0, "{{count:8 z_bucket:4 z_bucket_w:2 offset:2 buckets:[4]}}", 0.25, None);
    f(0.0, 1.0, "{{schema:-53 count:10 custom_values:[2 4] buckets:[4 4 2]}}", 0.2, None);
    f(-INF, 100.0, "{{schema:-53 count:10 custom_values:[2 4] buckets:[4 4 2]}}", 0.8, None);
    f(-INF, -3.0, "{{schema:-53 count:10 custom_values:[-2 4] buckets:[4 6]}}", 0.4, None);
    f(-INF, INF, "{{count:15 sum:NaN buckets:[12]}}", 0.8, Some(NanNote::Excluded));
    f(-INF, INF, "{{count:12 sum:NaN buckets:[12]}}", 1.0, None);
}

#[test]
fn moments_take_the_middles_of_buckets() {
    let f = |text: &str, want: f64| {
        let got = variance(&h(text));
        assert!(near(got, want), "{text}: {got} is not {want}");
    };
    f("{{schema:-53 count:2 sum:6 custom_values:[1 3 5] buckets:[0 1 1]}}", 1.0);
    f("{{count:2 sum:0 offset:1 buckets:[1] n_offset:1 n_buckets:[1]}}", 2.0);
    f("{{count:3 sum:0 z_bucket:3 z_bucket_w:9}}", 0.0);
    f("{{}}", NAN);
    assert!(near(mean(&h("{{count:4 sum:6}}")), 1.5));
}

#[test]
fn trimming_cuts_buckets_in_proportion() {
    let f = |text: &str, keep, at, want: &str| {
        let got = trim(&h(text), at, keep);
        assert!(
            got.nearly_equals(&h(want), 1e-6),
            "{text} {keep:?} {at}: {} is not {want}",
            got.to_test_expression()
        );
    };
    let all =
        "{{sum:123.75 count:34 z_bucket:1 z_bucket_w:0.001 buckets:[2 4 8 16] n_buckets:[1 2]}}";
    f(all, Keep::Above, -INF, all);
    f(all, Keep::Below, INF, all);
    f(all, Keep::Above, INF, "{{z_bucket_w:0.001}}");
    f(all, Keep::Below, NAN, "{{count:NaN sum:NaN z_bucket:NaN z_bucket_w:0.001}}");
    f(
        all,
        Keep::Above,
        2.0,
        "{{count:24 sum:113.13708498984761 z_bucket_w:0.001 offset:2 buckets:[8 16]}}",
    );
    f(
        all,
        Keep::Below,
        -1.0,
        "{{count:2 sum:-2.8284271247461903 z_bucket_w:0.001 n_offset:1 n_buckets:[2]}}",
    );
    f(
        all,
        Keep::Below,
        std::f64::consts::SQRT_2,
        "{{count:8 sum:0.2570938865989847 z_bucket:1 z_bucket_w:0.001 buckets:[2 2] n_buckets:[1 2]}}",
    );
    let negative = "{{count:8 sum:-9 n_offset:1 n_buckets:[8]}}";
    f(
        negative,
        Keep::Above,
        -std::f64::consts::SQRT_2,
        "{{count:4 sum:-4.756828460010884 n_offset:1 n_buckets:[4]}}",
    );
    f(
        "{{count:5 z_bucket:5 z_bucket_w:0.1}}",
        Keep::Above,
        0.05,
        "{{count:1.25 sum:0.09375 z_bucket:1.25 z_bucket_w:0.1}}",
    );
    f(
        "{{count:12 sum:8 z_bucket:2 z_bucket_w:0.5 buckets:[10]}}",
        Keep::Below,
        0.1,
        "{{count:0.4 sum:0.02 z_bucket:0.4 z_bucket_w:0.5}}",
    );
    f("{{count:5 z_bucket:5}}", Keep::Below, 0.0, "{{}}");
    f("{{count:5 z_bucket:5}}", Keep::Above, 0.0, "{{count:5 z_bucket:5}}");
    let custom = "{{schema:-53 sum:172.5 count:15 custom_values:[5 10 15 20] buckets:[1 6 4 3 1]}}";
    f(
        custom,
        Keep::Below,
        13.0,
        "{{schema:-53 count:9.4 sum:75.1 custom_values:[5 10 15 20] buckets:[1 6 2.4]}}",
    );
    f(
        custom,
        Keep::Below,
        50.0,
        "{{schema:-53 count:14 sum:150 custom_values:[5 10 15 20] buckets:[1 6 4 3]}}",
    );
    f(custom, Keep::Above, 0.0, custom);
    f(custom, Keep::Below, 0.0, "{{schema:-53 custom_values:[5 10 15 20]}}");
    let two = "{{schema:-53 sum:33 count:101 custom_values:[5] buckets:[1 100]}}";
    f(two, Keep::Below, 2.0, "{{schema:-53 sum:0.4 count:0.4 custom_values:[5] buckets:[0.4]}}");
    f(
        two,
        Keep::Above,
        2.0,
        "{{schema:-53 sum:502.1 count:100.6 custom_values:[5] buckets:[0.6 100]}}",
    );
    f(
        two,
        Keep::Above,
        10.0,
        "{{schema:-53 sum:1000 count:100 custom_values:[5] offset:1 buckets:[100]}}",
    );
    let low = "{{schema:-53 sum:33 count:101 custom_values:[-5] buckets:[1 100]}}";
    f(low, Keep::Below, -10.0, "{{schema:-53 sum:-10 count:1 custom_values:[-5] buckets:[1]}}");
    f(
        low,
        Keep::Above,
        -10.0,
        "{{schema:-53 sum:-500 count:100 custom_values:[-5] offset:1 buckets:[100]}}",
    );
    let one = "{{schema:-53 sum:100 count:100 buckets:[100]}}";
    f(one, Keep::Below, 10.0, "{{schema:-53}}");
    f(one, Keep::Below, INF, one);
}

fn classic(buckets: &[(f64, f64)]) -> Vec<ClassicBucket> {
    buckets.iter().map(|(upper, count)| ClassicBucket { upper: *upper, count: *count }).collect()
}

#[test]
fn classic_quantiles_are_linear() {
    let f = |q, buckets: &[(f64, f64)], want: f64| {
        let got = classic_quantile(q, &mut classic(buckets)).value;
        assert!(near(got, want), "{q} {buckets:?}: {got} is not {want}");
    };
    let usual = [(INF, 10.0), (2.0, 4.0), (4.0, 8.0)];
    f(0.2, &usual, 1.0);
    f(0.6, &usual, 3.0);
    f(0.95, &usual, 4.0);
    f(0.0, &usual, 0.0);
    f(0.5, &[(-2.0, 6.0), (INF, 10.0)], -2.0);
    f(0.5, &[(2.0, 1.0), (2.0, 3.0), (INF, 8.0)], 2.0);
    f(0.5, &[(2.0, 4.0), (4.0, 8.0)], NAN);
    f(0.5, &[(INF, 8.0)], NAN);
    f(0.5, &[(1.0, 0.0), (INF, 0.0)], NAN);
    f(0.5, &[], NAN);
    f(2.0, &usual, INF);
    f(-1.0, &usual, -INF);
    f(NAN, &usual, NAN);
    // No count is reached by a rank that is not a number, nor one that is not a number by a rank.
    f(0.5, &[(1.0, NAN), (2.5, NAN), (INF, NAN)], 2.5);
    f(0.5, &[(1.0, 1.0), (2.5, 3.0), (INF, NAN)], 2.5);
    f(0.5, &[(1.0, NAN), (2.5, 3.0), (INF, 4.0)], NAN);
}

#[test]
fn counts_that_fall_are_raised_and_told_unless_it_is_rounding() {
    let mut buckets = classic(&[(1.0, 5.0), (2.0, 3.0), (3.0, 1.0), (INF, 8.0)]);
    let forced = classic_quantile(0.5, &mut buckets).forced;
    assert_eq!(forced, Some(Monotonicity { lowest: 2.0, highest: 3.0, largest: 4.0 }));
    let mut rounded = classic(&[(1.0, 5.0), (2.0, 5.0 - 1e-13), (INF, 8.0)]);
    assert_eq!(classic_quantile(0.5, &mut rounded).forced, None);
    assert!(near(rounded[1].count, 5.0));
}

#[test]
fn classic_fractions_begin_at_zero_if_they_can() {
    let f = |lower, upper, buckets: &[(f64, f64)], want: f64| {
        let got = classic_fraction(lower, upper, &mut classic(buckets));
        assert!(near(got, want), "{lower} {upper} {buckets:?}: {got} is not {want}");
    };
    let usual = [(2.0, 4.0), (4.0, 8.0), (INF, 10.0)];
    f(0.0, 1.0, &usual, 0.2);
    f(1.0, 3.0, &usual, 0.4);
    f(-INF, INF, &usual, 1.0);
    f(-INF, 9.0, &usual, 0.8);
    f(3.0, 3.0, &usual, 0.0);
    f(NAN, 3.0, &usual, NAN);
    f(-INF, -3.0, &[(-2.0, 4.0), (INF, 10.0)], 0.4);
    f(0.0, 1.0, &[(2.0, 4.0)], NAN);
    f(0.0, 1.0, &[], NAN);
}

#[test]
fn classic_histograms_convert_or_say_why_not() {
    let f = |buckets: &[(f64, f64)], count, want: Result<&str, &str>| {
        let got = from_classic(&mut classic(buckets), count, Some(7.0));
        let got = got.map(|h| h.to_test_expression()).map_err(|e| e.to_string());
        assert_eq!(got, want.map(str::to_owned).map_err(str::to_owned));
    };
    f(
        &[(5.0, 3.0), (1.0, 1.0), (INF, 4.0)],
        Some(4.0),
        Ok("{{schema:-53 count:4 sum:7 custom_values:[1 5] buckets:[1 2 1]}}"),
    );
    f(&[(1.0, 1.0)], Some(4.0), Ok("{{schema:-53 count:4 sum:7 custom_values:[1] buckets:[1 3]}}"));
    f(
        &[(1.0, 1.0), (1.0, 9.0)],
        None,
        Ok("{{schema:-53 count:1 sum:7 custom_values:[1] buckets:[1]}}"),
    );
    f(&[], Some(4.0), Ok("{{schema:-53 count:4 sum:7 custom_values:[] buckets:[4]}}"));
    f(&[], None, Err("count must be provided when no buckets are present"));
    f(&[(1.0, 2.0), (2.0, 1.0)], None, Err("count is not cumulative: 1 < 2"));
    f(&[(1.0, -2.0)], None, Err("bucket count must be non-negative: le=1, count=-2"));
    f(&[(NAN, 2.0)], None, Err("bucket boundary must not be NaN"));
    f(&[(1.0, 2.0)], Some(-1.0), Err("count must be non-negative: count=-1"));
    f(&[(INF, 2.0)], Some(3.0), Err("count mismatch: count=3 != le=+Inf count=2"));
}

fn window(texts: &[&str]) -> (Vec<i64>, Vec<Histogram>) {
    ((1..).zip(texts).map(|(n, _)| n * 10_000).collect(), texts.iter().map(|t| h(t)).collect())
}

#[test]
fn rates_of_histograms_grow_bucket_by_bucket() {
    let bounds = Bounds { start: 0, end: 30_000 };
    let f = |texts: &[&str], starts: &[i64], kind, want: Option<&str>| {
        let (times, histograms) = window(texts);
        let got = histogram_rate(&times, &histograms, starts, bounds, kind);
        let same = match (&got.value, want) {
            (Some(got), Some(want)) => {
                got.nearly_equals(&h(want), 1e-9)
                    && got.counter_reset_hint == CounterResetHint::Gauge
            }
            (got, want) => got.is_none() && want.is_none(),
        };
        assert!(same, "{texts:?}: {:?} is not {want:?}", got.value.map(|h| h.to_test_expression()));
        got.notes
    };
    let quiet = HistogramNotes::default();
    let even =
        ["{{count:3 buckets:[1 2]}}", "{{count:6 buckets:[2 4]}}", "{{count:9 buckets:[3 6]}}"];
    assert_eq!(f(&even, &[], RateKind::Increase, Some("{{count:9 buckets:[3 6]}}")), quiet);
    assert_eq!(f(&even, &[], RateKind::Rate, Some("{{count:0.3 buckets:[0.1 0.2]}}")), quiet);
    assert!(f(&even, &[], RateKind::Delta, Some("{{count:9 buckets:[3 6]}}")).not_gauge);
    let reset =
        ["{{count:30 buckets:[30]}}", "{{count:40 buckets:[40]}}", "{{count:10 buckets:[10]}}"];
    f(&reset, &[], RateKind::Increase, Some("{{count:30 buckets:[30]}}"));
    // The layout of a first sample before a reset doesn't matter.
    let other = [
        "{{count:9 buckets:[9]}}",
        "{{schema:-53 count:1 custom_values:[1] buckets:[1]}}",
        "{{schema:-53 count:2 custom_values:[1] buckets:[2]}}",
    ];
    assert_eq!(
        f(
            &other,
            &[],
            RateKind::Increase,
            Some("{{schema:-53 count:3 custom_values:[1] buckets:[3]}}")
        ),
        quiet
    );
    let mixed = ["{{count:1}}", "{{count:2}}", "{{schema:-53 count:3 custom_values:[1]}}"];
    assert!(f(&mixed, &[], RateKind::Increase, None).mixed_schemas);
    let gauges = [
        "{{count:1 counter_reset_hint:gauge}}",
        "{{count:3 counter_reset_hint:gauge}}",
        "{{count:2 counter_reset_hint:gauge}}",
    ];
    assert_eq!(f(&gauges, &[], RateKind::Delta, Some("{{count:1.5}}")), quiet);
    assert!(f(&gauges, &[], RateKind::Increase, Some("{{count:5}}")).not_counter);
    let bounds_differ = [
        "{{schema:-53 count:1 custom_values:[1 2] buckets:[1]}}",
        "{{schema:-53 count:2 custom_values:[1] buckets:[2]}}",
    ];
    assert!(
        f(
            &bounds_differ,
            &[],
            RateKind::Increase,
            Some("{{schema:-53 count:3 custom_values:[1] buckets:[3]}}")
        )
        .reconciled_in_subtraction
    );
    // Start times: one sample is enough, and deltas start where the one before ends.
    f(&["{{count:6}}"], &[4_000], RateKind::Increase, Some("{{count:6}}"));
    f(&["{{count:6}}"], &[0], RateKind::Increase, None);
    f(&["{{count:6}}"; 3], &[2_000, 10_000, 20_000], RateKind::Increase, Some("{{count:18}}"));
    assert!(
        f(&["{{count:6}}"; 3], &[2_000, 5_000, 2_000], RateKind::Increase, Some("{{count:6}}"))
            .start_overlap
    );
    f(&[], &[], RateKind::Rate, None);
}

#[test]
fn anchored_and_smoothed_histograms_follow_the_floats() {
    let f = |texts: &[&str], start, end, edge, want: Option<f64>| {
        let (times, histograms) = window(texts);
        let got = extended_histogram_rate(
            &times,
            &histograms,
            Bounds { start, end },
            edge,
            RateKind::Increase,
        );
        let got = got.value.map(|h| h.count);
        assert!(
            got.zip(want).is_none_or(|(a, b)| near(a, b)) && got.is_some() == want.is_some(),
            "{texts:?} {start} {end} {edge:?}: {got:?}"
        );
        let floats: Vec<f64> = histograms.iter().map(|h| h.count).collect();
        let float =
            crate::extended_rate(&times, &floats, Bounds { start, end }, edge, RateKind::Increase);
        assert!(
            float.zip(got).is_none_or(|(a, b)| near(a, b)) && float.is_some() == got.is_some(),
            "{float:?} {got:?}"
        );
    };
    let rising = ["{{count:1}}", "{{count:3}}", "{{count:7}}", "{{count:8}}"];
    f(&rising, 15_000, 35_000, Edge::Smoothed, Some(5.5));
    f(&rising, 15_000, 45_000, Edge::Anchored, Some(7.0));
    f(&rising, 45_000, 55_000, Edge::Anchored, None);
    f(&rising, -55_000, 5_000, Edge::Smoothed, None);
    let falling = ["{{count:9}}", "{{count:8}}", "{{count:5}}", "{{count:4}}"];
    f(&falling, 12_500, 32_500, Edge::Smoothed, Some(12.0));
    f(&falling, 10_000, 40_000, Edge::Anchored, Some(17.0));
    let mixed = window(&["{{count:1}}", "{{schema:-53 count:3 custom_values:[1]}}"]);
    let got = extended_histogram_rate(
        &mixed.0,
        &mixed.1,
        Bounds { start: 0, end: 30_000 },
        Edge::Anchored,
        RateKind::Delta,
    );
    assert!(got.value.is_none() && got.notes.mixed_schemas);
}

#[test]
fn the_last_two_histograms_give_the_instant_rate() {
    let f = |before: &str, last: &str, start, is_rate, want: Option<f64>| {
        let got =
            instant_histogram_rate((10_000, &h(before), 0), (20_000, &h(last), start), is_rate);
        assert_eq!(
            got.value.map(|h| (h.count * 1e6).round()),
            want.map(|c| (c * 1e6_f64).round()),
            "{before} {last}"
        );
        got.notes
    };
    assert_eq!(f("{{count:10}}", "{{count:30}}", 0, true, Some(2.0)), HistogramNotes::default());
    f("{{count:10}}", "{{count:4}}", 0, true, Some(0.4));
    f("{{count:10}}", "{{count:30}}", 15_000, true, Some(3.0));
    assert!(f("{{count:10}}", "{{count:4}}", 0, false, Some(-6.0)).not_gauge);
    assert!(
        f("{{count:10}}", "{{schema:-53 count:40 custom_values:[1]}}", 0, false, None)
            .mixed_schemas
    );
    let same = instant_histogram_rate((5, &h("{{}}"), 0), (5, &h("{{}}"), 0), true);
    assert_eq!(same.value, None);
}

proptest! {
    #[test]
    fn classic_and_native_histograms_of_the_same_data_agree(
        counts in proptest::collection::vec(0..20_u32, 2..8), q in 0.0..=1.0_f64, a in 0.0..9.0_f64, width in 0.1..9.0_f64,
    ) {
        let mut total = 0.0;
        let mut buckets: Vec<ClassicBucket> = (1_u32..).zip(&counts).map(|(upper, count)| {
            total += f64::from(*count);
            ClassicBucket { upper: f64::from(upper), count: total }
        }).collect();
        prop_assume!(total > 0.0);
        buckets.push(ClassicBucket { upper: INF, count: total });
        let native = from_classic(&mut buckets.clone(), None, None).expect("valid");
        let classic = classic_fraction(a, a + width, &mut buckets.clone());
        prop_assert!((fraction(a, a + width, &native).0 - classic).abs() < 1e-9);
        let classic = classic_quantile(q, &mut buckets).value;
        let native = quantile(q, &native).0;
        // On the edge of an empty bucket either side is a right answer.
        let rank = q * total;
        let on_edge = buckets.iter().any(|b| (b.count - rank).abs() < 1e-6) || rank < 1e-6;
        prop_assert!(on_edge || (native - classic).abs() < 1e-9, "{} {}", native, classic);
    }

    #[test]
    fn both_sides_of_a_cut_add_up(positive in proptest::collection::vec(0..9_u8, 0..6), negative in proptest::collection::vec(0..9_u8, 0..6), zero in 0..9_u8, at in -20.0..20.0_f64) {
        let side = |counts: &[u8]| counts.iter().map(u8::to_string).collect::<Vec<_>>().join(" ");
        let count: u32 = positive.iter().chain(&negative).map(|c| u32::from(*c)).sum::<u32>() + u32::from(zero);
        let all = h(&format!("{{{{count:{count} z_bucket:{zero} z_bucket_w:0.1 buckets:[{}] n_buckets:[{}]}}}}", side(&positive), side(&negative)));
        let (below, above) = (trim(&all, at, Keep::Below), trim(&all, at, Keep::Above));
        prop_assert!((below.count + above.count - all.count).abs() < 1e-9);
        if count > 0 {
            let share = fraction(-INF, at, &all).0;
            prop_assert!((share * all.count - below.count).abs() < 1e-6, "{} {}", share * all.count, below.count);
        }
    }
}
