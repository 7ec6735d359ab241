//! Both versions there and back, and what torn or hostile requests say.

use proptest::prelude::*;

use super::*;
use crate::proto::Writer;

fn labels(text: &str) -> Labels {
    text.parse().expect(text)
}

fn points() -> Vec<FloatPoint> {
    vec![
        FloatPoint { timestamp: Millis(1000), start: None, value: 1.5 },
        FloatPoint { timestamp: Millis(-1), start: None, value: masthead_model::stale_nan() },
    ]
}

fn histogram() -> HistogramPoint {
    let histogram = Histogram { count: 3.0, sum: 2.5, zero_count: 3.0, ..Histogram::default() };
    HistogramPoint { timestamp: Millis(2000), start: None, histogram }
}

fn exemplar() -> Exemplar {
    Exemplar { labels: labels(r#"{trace_id="t"}"#), value: 0.25, timestamp: Some(Millis(999)) }
}

const FAMILY: Metadata<'static> = Metadata {
    family: "up",
    metric_type: MetricType::Gauge,
    help: "Whether it answers.",
    unit: "seconds",
};

fn body(version: Version) -> Vec<u8> {
    let series = labels(r#"up{job="a",instance="é"}"#);
    let other = labels("only_a_histogram");
    match version {
        Version::V1 => {
            let mut encoder = EncoderV1::default();
            encoder.series(&series, &points(), &[], &[exemplar()]);
            encoder.series(&other, &[], &[histogram()], &[]);
            encoder.metadata(&FAMILY);
            assert!(encoder.byte_len() > 0);
            encoder.finish()
        }
        Version::V2 => {
            let mut encoder = EncoderV2::default();
            let start = Some(Millis(7));
            let points: Vec<_> = points().into_iter().map(|p| FloatPoint { start, ..p }).collect();
            encoder.series(&series, &points, &[], &[exemplar()], Some(&FAMILY));
            encoder.series(&other, &[], &[HistogramPoint { start, ..histogram() }], &[], None);
            let len = encoder.byte_len();
            let body = encoder.finish();
            assert_eq!(body.len(), len);
            body
        }
    }
}

/// Everything that a body says, as text; the errors of single series among it.
fn read(body: &[u8], version: Version, limits: Limits) -> Result<Vec<String>, Error> {
    let mut decoder = Decoder::new(body, version, limits)?;
    let mut scratch = LabelScratch::default();
    let mut out = Vec::new();
    loop {
        match decoder.next_series() {
            Ok(None) => break,
            Ok(Some(series)) => {
                let labels = series.labels(&mut scratch, &limits).map_err(|e| e.to_string());
                let mut pairs = Vec::new();
                // The same error as of `labels`.
                drop(series.read_labels(&mut pairs));
                out.push(format!(
                    "{labels:?} {:?} {:?} {:?} {:?} {}",
                    series.samples,
                    series
                        .histograms
                        .iter()
                        .map(|h| (h.timestamp, h.start, h.histogram.count))
                        .collect::<Vec<_>>(),
                    series.exemplars,
                    series.metadata.map(|m| (m.family, m.metric_type, m.help, m.unit)),
                    pairs.len(),
                ));
            }
            Err(error) => out.push(format!("error: {error}")),
        }
    }
    out.extend(decoder.metadata().iter().map(|m| format!("{m:?}")));
    Ok(out)
}

#[test]
fn what_is_sent_is_received() {
    let f = |version, want: &[&str]| {
        assert_eq!(read(&body(version), version, Limits::default()).expect("valid"), want);
    };
    let exemplar =
        r#"[Exemplar { labels: {trace_id="t"}, value: 0.25, timestamp: Some(Millis(999)) }]"#;
    let series = r#"Ok({__name__="up", instance="é", job="a"})"#;
    f(
        Version::V1,
        &[
            &format!(
                "{series} [FloatPoint {{ timestamp: Millis(1000), start: None, value: 1.5 }}, FloatPoint {{ timestamp: Millis(-1), start: None, value: NaN }}] [] {exemplar} None 3"
            ),
            r#"Ok({__name__="only_a_histogram"}) [] [(Millis(2000), None, 3.0)] [] None 1"#,
            r#"Metadata { family: "up", metric_type: Gauge, help: "Whether it answers.", unit: "seconds" }"#,
        ],
    );
    f(
        Version::V2,
        &[
            &format!(
                "{series} [FloatPoint {{ timestamp: Millis(1000), start: Some(Millis(7)), value: 1.5 }}, FloatPoint {{ timestamp: Millis(-1), start: Some(Millis(7)), value: NaN }}] [] {exemplar} Some((\"up\", Gauge, \"Whether it answers.\", \"seconds\")) 3"
            ),
            r#"Ok({__name__="only_a_histogram"}) [] [(Millis(2000), Some(Millis(7)), 3.0)] [] None 1"#,
        ],
    );
}

#[test]
fn the_stale_marker_keeps_its_bits() {
    for version in [Version::V1, Version::V2] {
        let body = body(version);
        let mut decoder = Decoder::new(&body, version, Limits::default()).expect("valid");
        let series = decoder.next_series().expect("valid").expect("a series");
        assert!(series.samples.last().is_some_and(|p| masthead_model::is_stale(p.value)));
    }
}

#[test]
fn the_key_of_a_series_is_its_label_bytes() {
    let mut bodies = Vec::new();
    for value in [1.0, 2.0] {
        let mut encoder = EncoderV1::default();
        encoder.series(&labels(r#"a{b="c"}"#), &[FloatPoint { value, ..points()[0] }], &[], &[]);
        bodies.push(encoder.finish());
    }
    let keys: Vec<_> = bodies
        .iter()
        .map(|body| {
            let mut decoder = Decoder::new(body, Version::V1, Limits::default()).expect("valid");
            decoder.next_series().expect("valid").expect("a series").key()
        })
        .collect();
    assert!(keys[0].is_some() && keys[0] == keys[1]);
    // Labels on both sides of a sample are still labels, but no key.
    let mut split = Vec::new();
    Writer::new(&mut split).nested(1, |w| {
        w.nested(1, |w| w.text(1, "a"));
        w.nested(2, |w| w.double(1, 1.0));
        w.nested(1, |w| {
            w.text(1, "b");
            w.text(2, "c");
        });
    });
    let mut decoder = Decoder::new(&split, Version::V1, Limits::default()).expect("valid");
    let series = decoder.next_series().expect("valid").expect("a series");
    let mut pairs = Vec::new();
    series.read_labels(&mut pairs).expect("valid");
    assert_eq!((series.key(), pairs), (None, vec![("a", ""), ("b", "c")]));
}

#[test]
fn references_beyond_the_symbols_are_told_and_skipped() {
    let request = |refs: &[u64]| {
        let mut out = Vec::new();
        let mut w = Writer::new(&mut out);
        w.present_text(4, "");
        w.present_text(4, "__name__");
        w.nested(5, |w| w.packed_varints(1, refs.iter().copied()));
        w.nested(5, |w| w.packed_varints(1, [1, 1].into_iter()));
        out
    };
    let f = |refs: &[u64], want: &str| {
        let got = read(&request(refs), Version::V2, Limits::default()).expect("symbols");
        assert_eq!(got, [want, r#"Ok({__name__="__name__"}) [] [] [] None 1"#]);
    };
    f(&[1], "error: invalid labelRefs length 1");
    f(
        &[1, 1, 1, 2],
        "error: labelRefs 2 (name) = 1, 3 (value) = 2 outside of symbols table (size 2)",
    );
    f(
        &[1, u64::MAX],
        "error: labelRefs 0 (name) = 1, 1 (value) = 4294967295 outside of symbols table (size 2)",
    );
}

/// A series of one label, whose name and value need not be texts.
fn raw_series(name: &[u8], value: &[u8], more: impl Fn(&mut Writer<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    Writer::new(&mut out).nested(1, |w| {
        w.nested(1, |w| {
            w.text(1, "__name__");
            w.text(2, "u");
        });
        w.nested(1, |w| {
            w.bytes(1, name);
            w.bytes(2, value);
        });
        more(w);
    });
    out
}

#[test]
fn a_text_that_is_none_costs_its_series_and_an_exemplar_itself() {
    let mut v1 = raw_series(b"a", b"1", |w| {
        w.nested(3, |w| w.nested(1, |w| w.bytes(1, b"\xff")));
    });
    v1.extend(raw_series(b"a", b"\xff", |_| ()));
    v1.extend(raw_series(b"\xff", b"2", |_| ()));
    v1.extend(raw_series(b"", b"2", |_| ()));
    // Of one family, whose help is none.
    Writer::new(&mut v1).nested(3, |w| w.bytes(4, b"\xff"));
    v1.extend(raw_series(b"a", b"3", |_| ()));
    let none = "[] [] [] None";
    let got = read(&v1, Version::V1, Limits::default()).expect("read to the end");
    let (invalid, odd) = ("invalid metric name or labels, got", '\u{fffd}');
    let want = [
        format!(r#"Ok({{__name__="u", a="1"}}) {none} 2"#),
        format!(r#"Err("{invalid} {{__name__=\"u\", a=\"{odd}\"}}") {none} 1"#),
        format!(r#"Err("{invalid} {{__name__=\"u\", \"{odd}\"=\"2\"}}") {none} 1"#),
        format!(r#"Err("{invalid} {{\"\"=\"2\", __name__=\"u\"}}") {none} 2"#),
        "error: a text that is not UTF-8".into(),
        format!(r#"Ok({{__name__="u", a="3"}}) {none} 2"#),
    ];
    assert_eq!(got, want);

    let mut v2 = Vec::new();
    let mut w = Writer::new(&mut v2);
    w.present_text(4, "");
    for symbol in ["__name__", "u", "a"] {
        w.bytes(4, symbol.as_bytes());
    }
    w.bytes(4, b"\xff");
    for refs in [[1, 2, 3, 3], [1, 2, 3, 4], [1, 2, 0, 3], [1, 2, 3, 3]] {
        w.nested(5, |w| w.packed_varints(1, refs.into_iter()));
    }
    let got = read(&v2, Version::V2, Limits::default()).expect("read to the end");
    let good = format!(r#"Ok({{__name__="u", a="a"}}) {none} 2"#);
    let want = [
        good.clone(),
        format!("error: {invalid} a text that is not UTF-8 in {{__name__=\"u\", a=\"{odd}\"}}"),
        format!(r#"Err("{invalid} {{\"\"=\"a\", __name__=\"u\"}}") {none} 2"#),
        good,
    ];
    assert_eq!(got, want);
}

#[test]
fn limits_are_named() {
    let f = |limits: Limits, want: &str| {
        for version in [Version::V1, Version::V2] {
            let body = body(version);
            let got =
                read(&body, version, limits).map_or_else(|e| e.to_string(), |rows| rows.join("\n"));
            assert!(got.contains(want), "{got}");
        }
    };
    f(
        Limits { labels: 2, ..Limits::default() },
        "series \"up\" has 3 labels, more than the limit of 2 (labels)",
    );
    f(
        Limits { label_value_bytes: 1, ..Limits::default() },
        "the value of label \\\"__name__\\\" has 2 bytes",
    );
    f(
        Limits { label_name_bytes: 1, ..Limits::default() },
        "label name \\\"__name__\\\" has 8 bytes",
    );
    f(
        Limits { series: 1, ..Limits::default() },
        "the body has 2 series, more than the limit of 1 (series)",
    );
    f(Limits { body_bytes: 1, ..Limits::default() }, "more than the limit of 1 (body_bytes)");
}

#[test]
fn what_takes_more_memory_than_bytes_is_counted() {
    const TOO_MANY: usize = 2_000_001;
    let error = "the body has 2000001 items, more than the limit of 2000000 (items, fixed)";
    let mut body = Vec::new();
    let mut w = Writer::new(&mut body);
    w.present_text(1, &"\x12\0".repeat(TOO_MANY + 1));
    w.present_text(1, "\x12\0");
    let got = read(&body, Version::V1, Limits::default()).expect("readable");
    assert_eq!(got.first(), Some(&format!("error: {error}")));
    assert_eq!(got.len(), 2, "the next series is still read");
    let symbols = b"\x22\0".repeat(TOO_MANY);
    let got = read(&symbols, Version::V2, Limits::default()).map_err(|e| e.to_string());
    assert_eq!(got, Err(error.to_owned()));
}

#[test]
fn a_name_given_twice_is_refused() {
    let mut out = Vec::new();
    Writer::new(&mut out).nested(1, |w| {
        for value in ["1", "2"] {
            w.nested(1, |w| {
                w.text(1, "a");
                w.text(2, value);
            });
        }
    });
    let got = read(&out, Version::V1, Limits::default()).expect("readable");
    assert_eq!(got, [r#"Err("label \"a\" is given twice") [] [] [] None 2"#]);
}

#[test]
fn versions_are_told_by_the_content_type() {
    let f = |content_type: &str, want: Result<Version, &str>| {
        let got = Version::from_content_type(content_type).map_err(|e| e.to_string());
        assert_eq!(got, want.map_err(str::to_owned), "{content_type}");
    };
    f("", Ok(Version::V1));
    f("application/x-protobuf", Ok(Version::V1));
    f("application/x-protobuf;proto=prometheus.WriteRequest", Ok(Version::V1));
    f("application/x-protobuf; proto=io.prometheus.write.v2.Request", Ok(Version::V2));
    f(
        "application/json",
        Err(
            "expected application/x-protobuf as the first (media) part, got application/json content-type",
        ),
    );
    f(
        "application/x-protobuf;proto=x",
        Err(
            "got application/x-protobuf;proto=x content type; unknown type for remote write protobuf message x, supported: prometheus.WriteRequest, io.prometheus.write.v2.Request",
        ),
    );
    f(
        "application/x-protobuf;x",
        Err(
            "as per https://www.rfc-editor.org/rfc/rfc9110#parameter expected parameters to be key-values, got x in application/x-protobuf;x content-type",
        ),
    );
    for version in [Version::V1, Version::V2] {
        assert_eq!(Version::from_content_type(version.content_type()), Ok(version));
    }
}

#[test]
fn every_cut_and_every_flipped_bit_ends_in_an_answer() {
    for version in [Version::V1, Version::V2] {
        let body = body(version);
        let whole = read(&body, version, Limits::default()).expect("valid");
        for end in 0..body.len() {
            if let Ok(rows) = read(&body[..end], version, Limits::default()) {
                assert!(rows.len() <= whole.len() + 1 && rows != whole, "cut at {end}");
            }
        }
        for bit in 0..body.len() * 8 {
            let mut body = body.clone();
            body[bit / 8] ^= 1 << (bit % 8);
            if let Ok(rows) = read(&body, version, Limits::default()) {
                assert!(rows.len() <= body.len(), "bit {bit}");
            }
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>, second: bool) {
        let version = if second { Version::V2 } else { Version::V1 };
        if let Ok(rows) = read(&bytes, version, Limits::default()) {
            prop_assert!(rows.len() <= bytes.len());
        }
    }
}
