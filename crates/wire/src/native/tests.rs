//! Histograms survive the wire, and impossible ones do not.

use super::*;
use crate::proto::Reader;

fn span(offset: i32, length: u32) -> Span {
    Span { offset, length }
}

fn example() -> Histogram {
    Histogram {
        counter_reset_hint: CounterResetHint::NotCounterReset,
        schema: Schema::new(3).expect("known"),
        zero_threshold: 1e-128,
        zero_count: 2.0,
        count: 23.0,
        sum: -1.5,
        positive_spans: vec![span(-2, 2), span(3, 1)],
        positive_buckets: vec![7.0, 1.0, 9.0],
        negative_spans: vec![span(0, 2)],
        negative_buckets: vec![3.0, 1.0],
        custom_values: vec![],
    }
}

fn through_the_wire(histogram: &Histogram) -> Result<(Millis, Option<Millis>, Histogram), Error> {
    let mut out = Vec::new();
    Writer::new(&mut out).nested(1, |w| write(w, Millis(-5), Some(Millis(7)), histogram));
    let field = Reader::new(&out, "outer").next().expect("well-formed").expect("one field");
    read(&field)
}

#[test]
fn integers_floats_gauges_custom_bounds_and_stale_markers_survive() {
    let f = |histogram: Histogram| {
        let (timestamp, start, got) = through_the_wire(&histogram).expect("valid");
        assert_eq!((timestamp, start), (Millis(-5), Some(Millis(7))));
        // By their text, because a stale marker is equal to nothing.
        assert_eq!(format!("{got:?}"), format!("{histogram:?}"));
        assert_eq!(got.sum.to_bits(), histogram.sum.to_bits());
    };
    f(example());
    f(Histogram { count: 23.5, positive_buckets: vec![7.25, 1.0, 9.0], ..example() });
    f(Histogram { counter_reset_hint: CounterResetHint::Gauge, ..example() });
    f(Histogram { sum: masthead_model::stale_nan(), ..Histogram::default() });
    f(Histogram {
        schema: Schema::CUSTOM,
        count: 4.0,
        custom_values: vec![0.5, 1.0],
        positive_spans: vec![span(0, 1), span(1, 1)],
        positive_buckets: vec![1.0, 3.0],
        ..Histogram::default()
    });
}

#[test]
fn impossible_histograms_are_refused() {
    let f = |histogram: Histogram, want: &str| {
        assert_eq!(through_the_wire(&histogram).map_err(|e| e.to_string()), Err(want.to_owned()));
    };
    f(
        Histogram { positive_spans: vec![span(0, 9)], ..example() },
        "positive side: spans need 9 buckets, have 3 buckets: histogram spans specify different number of buckets than provided",
    );
    f(
        Histogram { positive_buckets: vec![7.0, -1.0, 9.0], ..example() },
        "positive side: bucket number 2 has observation count of -1: histogram has a bucket whose observation count is negative",
    );
    let f = |mut histogram: Histogram, want: &str| {
        let got = settle(&mut histogram, 3, false).map_err(|e| e.to_string());
        assert_eq!(got, Err(want.to_owned()));
    };
    f(
        Histogram { count: 24.0, ..example() },
        "23 observations found in buckets, but the Count field is 24: histogram's observation count should equal the number of observations found in the buckets (in absence of NaN)",
    );
    f(
        Histogram { count: 22.0, sum: f64::NAN, ..example() },
        "23 observations found in buckets, but the Count field is 22: histogram's observation count should be at least the number of observations found in the buckets",
    );
    assert_eq!(
        settle(&mut Histogram::default(), 53, false).map_err(|e| e.to_string()),
        Err("histogram has an invalid schema 53, which must be between -4 and 8 for exponential buckets, or -53 for custom buckets".to_owned())
    );
}

#[test]
fn counts_of_floats_need_not_add_up_and_are_written_as_floats() {
    for histogram in [
        Histogram { count: 24.0, ..example() },
        Histogram { count: 22.5, ..example() },
        Histogram { count: 24.0, sum: f64::NAN, ..example() },
    ] {
        let mut out = Vec::new();
        Writer::new(&mut out).nested(1, |w| write(w, Millis(1), None, &histogram));
        let field = Reader::new(&out, "outer").next().expect("well-formed").expect("one field");
        assert_eq!(read(&field).map(|(_, _, got)| got.count), Ok(histogram.count));
    }
}

#[test]
fn schemas_finer_than_any_that_is_kept_are_merged_down() {
    let f = |schema: i32, spans: &[Span], buckets: &[f64], want: (&[Span], &[f64])| {
        let mut histogram = Histogram {
            count: buckets.iter().sum(),
            positive_spans: spans.to_vec(),
            positive_buckets: buckets.to_vec(),
            ..Histogram::default()
        };
        settle(&mut histogram, schema, false).expect("valid");
        assert_eq!(histogram.schema.number(), 8);
        assert_eq!((&*histogram.positive_spans, &*histogram.positive_buckets), want);
    };
    // Bucket i becomes (i - 1) / 2 + 1, rounded down.
    let spans = [span(-2, 3), span(2, 2), span(9, 1)];
    let buckets = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    f(9, &spans, &buckets, (&[span(-1, 2), span(1, 1), span(4, 1)], &[1.0, 5.0, 9.0, 6.0]));
    f(8, &spans, &buckets, (&spans, &buckets));
    f(52, &spans, &buckets, (&[span(0, 2)], &[6.0, 15.0]));
    let far = vec![span(i32::MAX, 1), span(i32::MAX, 1)];
    f(52, &far, &[1.0, 1.0], (&[span(1, 1)], &[2.0]));
    let mut out_of_range = Histogram {
        count: 9.0,
        positive_spans: vec![
            span(i32::MIN, 1),
            span(i32::MAX, 1),
            span(i32::MAX, 0),
            span(i32::MAX, 0),
            span(i32::MAX, 0),
            span(i32::MAX, 1),
        ],
        positive_buckets: vec![3.0; 3],
        ..Histogram::default()
    };
    let got = settle(&mut out_of_range, 9, false).map_err(|e| e.to_string());
    assert!(got.is_err_and(|e| e.contains("out of range")));
}

#[test]
fn compacting_drops_empty_buckets_and_joins_spans() {
    let f = |spans: &[Span], buckets: &[f64], want: (&[Span], &[f64])| {
        let mut histogram = Histogram {
            positive_spans: spans.to_vec(),
            positive_buckets: buckets.to_vec(),
            ..Histogram::default()
        };
        compact(&mut histogram);
        assert_eq!((&*histogram.positive_spans, &*histogram.positive_buckets), want);
    };
    f(&[span(0, 0)], &[], (&[], &[]));
    f(&[span(-1, 2), span(0, 1)], &[1.0, 2.0, 3.0], (&[span(-1, 3)], &[1.0, 2.0, 3.0]));
    f(&[span(2, 3)], &[0.0, 5.0, 0.0], (&[span(3, 1)], &[5.0]));
    f(&[span(0, 4)], &[1.0, 0.0, 0.0, 2.0], (&[span(0, 1), span(2, 1)], &[1.0, 2.0]));
    f(&[span(0, 1), span(3, 1)], &[0.0, 0.0], (&[], &[]));
}
