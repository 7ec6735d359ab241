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
    assert_eq!(
        schema(9).map_err(|e| e.to_string()),
        Err("histogram has an invalid schema 9, which must be between -4 and 8 for exponential buckets, or -53 for custom buckets".to_owned())
    );
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
