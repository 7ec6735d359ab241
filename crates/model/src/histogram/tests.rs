//! Bounds, spans and what foreign histograms may get wrong.

use super::*;

fn span(offset: i32, length: u32) -> Span {
    Span { offset, length }
}

#[test]
fn bounds_follow_from_the_schema() {
    let f = |schema: i32, index: i32, want: f64| {
        let got = Schema::new(schema).expect("known").upper_bound(index, &[]);
        // Bits, because both may be infinite.
        let close = got.to_bits() == want.to_bits() || ((got - want) / want).abs() < 1e-15;
        assert!(close, "schema {schema} index {index}: {got} is not {want}");
    };
    f(0, 0, 1.0);
    f(0, 1, 2.0);
    f(0, -1, 0.5);
    f(1, 1, std::f64::consts::SQRT_2);
    f(1, -1, std::f64::consts::FRAC_1_SQRT_2);
    f(2, 4, 2.0);
    f(8, 256, 2.0);
    f(-1, 1, 4.0);
    f(-4, 1, 65_536.0);
    f(-4, -1, 1.0 / 65_536.0);
    f(0, 1024, f64::MAX);
    f(0, 1025, f64::INFINITY);
    f(-4, 64, f64::MAX);
    f(-4, i32::MAX, f64::INFINITY);
    f(0, -1074, f64::from_bits(1));
    f(-4, i32::MIN, 0.0);
}

#[test]
fn unknown_schemas_are_refused() {
    for schema in [-5, 9, 53, -52, 1000] {
        assert_eq!(Schema::new(schema), None);
    }
    assert_eq!(Schema::new(-53), Some(Schema::CUSTOM));
}

#[test]
fn buckets_are_walked_over_gaps_and_mirrored() {
    let histogram = Histogram {
        positive_spans: vec![span(0, 1), span(0, 0), span(2, 2)],
        positive_buckets: vec![1.0, 2.0, 3.0],
        negative_spans: vec![span(1, 1)],
        negative_buckets: vec![4.0],
        zero_threshold: 0.25,
        zero_count: 5.0,
        ..Histogram::default()
    };
    let got: Vec<_> = histogram.positive().map(|b| (b.index, b.lower, b.upper, b.count)).collect();
    assert_eq!(got, [(0, 0.5, 1.0, 1.0), (3, 4.0, 8.0, 2.0), (4, 8.0, 16.0, 3.0)]);
    let negative = histogram.negative().next().expect("one bucket");
    assert_eq!((negative.lower, negative.upper), (-2.0, -1.0));
    assert!(negative.lower_inclusive && !negative.upper_inclusive);
    let zero = histogram.zero();
    assert_eq!((zero.lower, zero.upper, zero.count), (-0.25, 0.25, 5.0));
    assert_eq!(histogram.validate(), Ok(()));
}

#[test]
fn custom_buckets_reach_from_minus_to_plus_infinity() {
    let histogram = Histogram {
        schema: Schema::CUSTOM,
        custom_values: vec![1.0, 5.0],
        positive_spans: vec![span(0, 3)],
        positive_buckets: vec![1.0, 2.0, 3.0],
        ..Histogram::default()
    };
    let got: Vec<_> = histogram.positive().map(|b| (b.lower, b.upper, b.lower_inclusive)).collect();
    let (down, up) = (f64::NEG_INFINITY, f64::INFINITY);
    assert_eq!(got, [(down, 1.0, true), (1.0, 5.0, false), (5.0, up, false)]);
    assert_eq!(histogram.validate(), Ok(()));
    assert!(histogram.uses_custom_buckets());
}

#[test]
fn each_rule_is_enforced() {
    let f = |change: fn(&mut Histogram), want: &str| {
        let mut histogram = Histogram {
            positive_spans: vec![span(0, 2)],
            positive_buckets: vec![1.0, 2.0],
            ..Histogram::default()
        };
        change(&mut histogram);
        assert_eq!(histogram.validate().map_err(|e| e.to_string()), Err(want.to_owned()));
    };
    f(
        |h| h.positive_spans[0].length = 3,
        "positive side: spans need 3 buckets, have 2 buckets: histogram spans specify different number of buckets than provided",
    );
    f(
        |h| h.negative_buckets.push(1.0),
        "negative side: spans need 0 buckets, have 1 buckets: histogram spans specify different number of buckets than provided",
    );
    f(
        |h| h.positive_spans = vec![span(-3, 1), span(-1, 1)],
        "positive side: span number 2 with offset -1: histogram has a span whose offset is negative",
    );
    f(
        |h| h.positive_buckets[1] = -1.0,
        "positive side: bucket number 2 has observation count of -1: histogram has a bucket whose observation count is negative",
    );
    f(
        |h| h.zero_count = -1.0,
        "zero side: bucket number 1 has observation count of -1: histogram has a bucket whose observation count is negative",
    );
    f(|h| h.custom_values.push(1.0), "custom buckets: bounds given for an exponential schema");
    f(
        |h| {
            h.positive_buckets = vec![0.0; BUCKETS_MAX + 1];
        },
        "histogram has more than 100000 buckets",
    );
}

#[test]
fn each_rule_of_custom_buckets_is_enforced() {
    let f = |change: fn(&mut Histogram), want: &'static str| {
        let mut histogram = Histogram {
            schema: Schema::CUSTOM,
            custom_values: vec![1.0],
            positive_spans: vec![span(0, 2)],
            positive_buckets: vec![1.0, 2.0],
            ..Histogram::default()
        };
        change(&mut histogram);
        assert_eq!(histogram.validate(), Err(HistogramError::CustomBuckets(want)));
    };
    f(|h| h.custom_values = vec![1.0, 1.0], "bounds must rise");
    f(|h| h.custom_values = vec![f64::NAN, 1.0], "bounds must rise");
    f(|h| h.custom_values = vec![1.0, f64::INFINITY], "bounds must be finite");
    f(|h| h.zero_count = 1.0, "must not have a zero bucket");
    f(|h| h.zero_threshold = 1.0, "must not have a zero bucket");
    f(|h| h.negative_spans.push(span(0, 0)), "must not have negative buckets");
    f(|h| h.positive_spans = vec![span(1, 2)], "spans go beyond the bounds");
    f(|h| h.positive_spans = vec![span(-1, 2)], "spans go beyond the bounds");
}

#[test]
fn walking_ends_where_spans_or_counts_end() {
    let histogram = Histogram {
        positive_spans: vec![span(i32::MAX, 2), span(i32::MAX, u32::MAX)],
        positive_buckets: vec![1.0; 4],
        ..Histogram::default()
    };
    assert_eq!(histogram.positive().count(), 4);
    let short = Histogram { positive_spans: vec![span(0, 9)], ..Histogram::default() };
    assert_eq!(short.positive().count(), 0);
}
