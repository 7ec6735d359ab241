//! Requests are read back as they were written, chunks by the reader of Prometheus' own blocks.

use std::{convert::Infallible, sync::Arc};

use masthead_model::{CounterResetHint, Histogram, Labels, Schema, Span, is_stale, stale_nan};
use proptest::prelude::*;

use super::{chunks, *};
use crate::prometheus_block::{Chunk, SampleVisitor};

fn selector(matchers: Vec<Matcher>) -> ReadQuery {
    let range = TimeRange { start: Millis(-5), end: Millis(1_000_000) };
    ReadQuery { range, matchers, hints: ReadHints::default() }
}

fn matcher_of(op: MatchOp, value: &str) -> Matcher {
    Matcher::new(op, "job", value).expect("valid")
}

#[test]
fn a_request_is_read_as_it_was_written() {
    let matchers = [
        matcher_of(MatchOp::Equal, "a"),
        matcher_of(MatchOp::NotEqual, ""),
        matcher_of(MatchOp::Matches, "a|b"),
        matcher_of(MatchOp::NotMatches, "c.*"),
    ];
    for form in [ReadForm::Samples, ReadForm::Chunked] {
        let queries = vec![selector(matchers.to_vec()), selector(Vec::new())];
        let bytes = encode_request(&ReadRequest { queries, form });
        let read = ReadRequest::decode(&bytes, &Limits::default()).expect("what we wrote");
        assert_eq!(read.form, form);
        let texts: Vec<Vec<String>> = read
            .queries
            .iter()
            .map(|query| query.matchers.iter().map(ToString::to_string).collect())
            .collect();
        assert_eq!(texts.first().map(Vec::len), Some(4));
        assert_eq!(
            texts.first().map(|t| t.join(",")).as_deref(),
            Some(r#"job="a",job!="",job=~"a|b",job!~"c.*""#)
        );
        let range = read.queries.first().map(|query| query.range);
        assert_eq!(range, Some(TimeRange { start: Millis(-5), end: Millis(1_000_000) }));
        for cut in 0..bytes.len() {
            // Whatever is left must end in an answer or an error.
            drop(ReadRequest::decode(bytes.get(..cut).unwrap_or(&[]), &Limits::default()));
        }
    }
}

#[test]
fn the_histograms_of_one_series_are_read_from_an_answer() {
    let histogram = Histogram {
        schema: Schema::new(1).expect("a schema"),
        zero_threshold: 0.25,
        zero_count: 2.0,
        count: 5.0,
        sum: 7.5,
        positive_spans: vec![Span { offset: -3, length: 2 }],
        positive_buckets: vec![1.0, 2.0],
        ..Histogram::default()
    };
    let point = |at: i64| HistogramPoint {
        timestamp: Millis(at),
        start: None,
        histogram: histogram.clone(),
    };
    let mut encoder = SamplesEncoder::default();
    let labels = |more: &[(&str, &str)]| -> Labels {
        [("__name__", "h"), ("cluster", "c")].into_iter().chain(more.iter().copied()).collect()
    };
    encoder.series(&labels(&[("job", "a"), ("z", "1")]), [], [point(1)]);
    encoder.series(&labels(&[("job", "a")]), [], [point(2), point(3)]);
    encoder.end_query();
    let bytes = encoder.finish();
    let found = histograms_of_answer(&bytes, &Limits::default()).expect("what we wrote");
    assert_eq!(found, [point(2), point(3)]);
    for cut in 0..bytes.len() {
        drop(histograms_of_answer(bytes.get(..cut).unwrap_or(&[]), &Limits::default()));
    }
    let small = Limits { body_bytes: bytes.len() - 1, ..Limits::default() };
    assert!(matches!(histograms_of_answer(&bytes, &small), Err(Error::Limit { .. })));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let f = |bytes: &[u8], want: &str| {
        let error = ReadRequest::decode(bytes, &Limits::default()).expect_err(want);
        assert!(error.to_string().contains(want), "{error}");
    };
    let mut unknown_form = Vec::new();
    Writer::new(&mut unknown_form).present_unsigned(2, 7);
    f(&unknown_form, "does not support any of the requested response types");
    let request = |fill: &dyn Fn(&mut Writer<'_>)| {
        let mut bytes = Vec::new();
        Writer::new(&mut bytes).nested(1, |w| w.nested(3, |w| fill(w)));
        bytes
    };
    f(&request(&|w| w.unsigned(1, 9)), "invalid matcher type");
    f(
        &request(&|w| {
            w.unsigned(1, 2);
            w.text(2, "a");
            w.text(3, "(");
        }),
        "a",
    );
    let mut many = Vec::new();
    for _ in 0..=QUERIES_MAX {
        Writer::new(&mut many).nested(1, |_| ());
    }
    f(&many, "more than 100 queries");
    f(b"\x0a\xff", "ReadRequest: ");
}

/// What a reader of blocks finds in a chunk.
#[derive(Default)]
struct Found {
    floats: Vec<(i64, u64)>,
    histograms: Vec<(i64, Histogram)>,
}

impl SampleVisitor for Found {
    fn float(&mut self, time: i64, _start: i64, value: f64) {
        self.floats.push((time, value.to_bits()));
    }

    fn histogram(&mut self, time: i64, histogram: Histogram) {
        self.histograms.push((time, histogram));
    }
}

fn read(encoding: u8, data: &[u8]) -> Found {
    let mut found = Found::default();
    Chunk::new(encoding, data).visit(&mut found).expect("what we wrote");
    found
}

proptest! {
    #[test]
    fn float_chunks_are_read_back(
        samples in prop::collection::vec((any::<i64>(), any::<u64>()), 1..20),
        steps in prop::collection::vec(-2_000_000_i64..2_000_000, 1..40),
    ) {
        let f = |samples: &[(i64, u64)]| {
            let times: Vec<i64> = samples.iter().map(|(time, _)| *time).collect();
            let values: Vec<f64> = samples.iter().map(|(_, bits)| f64::from_bits(*bits)).collect();
            read(1, &chunks::floats(&times, &values)).floats
        };
        prop_assert_eq!(f(&samples), samples);
        let mut time = 1_700_000_000_000;
        let near: Vec<(i64, u64)> = steps.iter().enumerate().map(|(at, step)| {
            time += step;
            (time, (f64::from(u32::try_from(at).unwrap_or(0)) / 4.0).to_bits())
        }).collect();
        prop_assert_eq!(f(&near), near);
    }

    #[test]
    fn soup_never_panics(soup: Vec<u8>) {
        drop(ReadRequest::decode(&soup, &Limits::default()));
    }
}

#[test]
fn histogram_chunks_are_read_back() {
    let histogram = Histogram {
        schema: Schema::new(1).expect("valid"),
        zero_threshold: 2.0_f64.powi(-128),
        zero_count: 2.0,
        count: 6.0,
        sum: 18.5,
        positive_spans: vec![Span { offset: -3, length: 1 }, Span { offset: 2000, length: 1 }],
        positive_buckets: vec![1.0, 2.0],
        negative_spans: vec![Span { offset: 0, length: 1 }],
        negative_buckets: vec![1.0],
        ..Histogram::default()
    };
    let custom = Histogram {
        schema: Schema::CUSTOM,
        count: 3.0,
        sum: 1.5,
        custom_values: vec![0.1 + 0.2, 0.5],
        positive_spans: vec![Span { offset: 0, length: 2 }],
        positive_buckets: vec![1.0, 2.0],
        ..Histogram::default()
    };
    let f = |time: i64, histogram: &Histogram| {
        let found = read(3, &chunks::histogram(time, histogram));
        assert_eq!(found.histograms, [(time, histogram.clone())]);
    };
    f(9, &histogram);
    f(1_700_000_000_123, &custom);
    for threshold in [0.0, 0.5, 0.001, 2.0_f64.powi(-300)] {
        f(-1, &Histogram { zero_threshold: threshold, ..histogram.clone() });
    }
    for hint in [CounterResetHint::CounterReset, CounterResetHint::Gauge] {
        f(1, &Histogram { counter_reset_hint: hint, ..histogram.clone() });
    }
    let ended = Histogram { sum: stale_nan(), ..histogram };
    let found = read(3, &chunks::histogram(9, &ended)).histograms;
    let [(9, marker)] = found.as_slice() else { panic!("one marker") };
    assert!(is_stale(marker.sum) && marker.positive_buckets.is_empty());
}

#[test]
fn frames_have_length_checksum_and_chunks_in_the_order_of_time() {
    let labels: Labels = [("a", "b")].into_iter().collect();
    let times: Vec<i64> = (0..300).map(|at| at * 10).collect();
    let values = vec![1.0; 300];
    let histograms = [Arc::new(Histogram::default())];
    let mut out = Vec::new();
    let floats = (times.as_slice(), values.as_slice());
    let done = write_chunked_series(3, &labels, floats, (&[1005], &histograms), |frame| {
        out.extend_from_slice(frame);
        Ok::<(), Infallible>(())
    });
    assert!(done.is_ok());
    // The length of this message takes two bytes, the checksum four.
    let (head, message) = out.split_at_checked(6).expect("long enough");
    let length = u64::from(head[0] & 0x7f) | u64::from(head[1]) << 7;
    assert_eq!(length, message.len() as u64);
    assert_eq!(head[2..], crc32c::crc32c(message).to_be_bytes());
    let mut reader = Reader::new(message, "ChunkedReadResponse");
    let series = reader.next().expect("valid").expect("a series");
    let mut series = series.message("ChunkedSeries").expect("a message");
    let mut spans = Vec::new();
    while let Some(field) = series.next().expect("valid") {
        if field.number == 2 {
            let mut chunk = field.message("Chunk").expect("a message");
            let (mut first, mut last, mut kind) = (0, 0, 0);
            while let Some(field) = chunk.next().expect("valid") {
                match field.number {
                    1 => first = field.signed().expect("a number"),
                    2 => last = field.signed().expect("a number"),
                    3 => kind = field.unsigned().expect("a number"),
                    _ => {}
                }
            }
            spans.push((first, last, kind));
        }
    }
    assert_eq!(spans, [(0, 1000, 1), (1005, 1005, 3), (1010, 2200, 1), (2210, 2990, 1)]);
    let index = reader.next().expect("valid").expect("the query");
    assert_eq!((index.number, index.unsigned()), (2, Ok(3)));
}

#[test]
fn plain_samples_are_a_list_of_results() {
    let labels: Labels = [("a", "b")].into_iter().collect();
    let mut encoder = SamplesEncoder::default();
    encoder.end_query();
    let point = FloatPoint { timestamp: Millis(7), value: 0.0, start: None };
    encoder.series(&labels, [point], []);
    assert!(encoder.byte_len() > 2);
    encoder.end_query();
    let want = b"\x0a\x00\x0a\x0e\x0a\x0c\x0a\x06\x0a\x01a\x12\x01b\x12\x02\x10\x07";
    assert_eq!(encoder.finish(), want);
}
