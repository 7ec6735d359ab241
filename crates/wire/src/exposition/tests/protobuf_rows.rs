//! Protobuf: every type there is, as the text formats would show it.

use super::*;
use crate::proto::Writer;

fn timestamp(w: &mut Writer<'_>, number: u32, seconds: i64) {
    w.nested(number, |w| {
        w.signed(1, seconds);
        w.unsigned(2, 500_999_999);
    });
}

fn label(w: &mut Writer<'_>, number: u32, name: &str, value: &str) {
    w.nested(number, |w| {
        w.text(1, name);
        w.text(2, value);
    });
}

fn exemplar(w: &mut Writer<'_>, number: u32, id: &str, timed: bool) {
    w.nested(number, |w| {
        label(w, 1, "id", id);
        w.double(2, 0.5);
        if timed {
            timestamp(w, 3, 9);
        }
    });
}

fn family(
    name: &str,
    metric_type: u64,
    unit: &str,
    metrics: impl FnOnce(&mut Writer<'_>),
) -> Vec<u8> {
    let mut out = Vec::new();
    // A nested message is a tag, a length and the message: without the tag it is delimited.
    Writer::new(&mut out).nested(1, |w| {
        w.text(1, name);
        w.text(2, "Help.");
        w.unsigned(3, metric_type);
        metrics(w);
        w.text(5, unit);
    });
    out.remove(0);
    out
}

fn histogram_body(native: bool, classic: bool) -> Vec<u8> {
    family("h", 4, "", |w| {
        w.nested(4, |w| {
            label(w, 1, "job", "a");
            w.nested(7, |w| {
                w.unsigned(1, 6);
                w.double(2, 2.5);
                if classic {
                    w.nested(3, |w| {
                        w.unsigned(1, 4);
                        w.double(2, 0.5);
                        exemplar(w, 3, "bucket", true);
                    });
                    w.nested(3, |w| {
                        w.unsigned(1, 5);
                        w.double(2, 100.0);
                        exemplar(w, 3, "untimed", false);
                    });
                }
                if native {
                    w.zigzag(5, 0);
                    w.double(6, 0.001);
                    w.unsigned(7, 1);
                    w.nested(12, |w| {
                        w.zigzag(1, 1);
                        w.unsigned(2, 3);
                    });
                    // 2, 0, 3
                    w.packed_varints(13, [4, 3, 6].into_iter());
                }
                timestamp(w, 15, 1);
            });
        });
    })
}

fn body() -> Vec<u8> {
    let mut body = family("c_bytes_total", 0, "bytes", |w| {
        w.nested(4, |w| {
            label(w, 1, "é", "x");
            w.nested(3, |w| {
                w.double(1, 3.0);
                exemplar(w, 2, "counter", false);
                timestamp(w, 3, 1);
            });
            w.signed(6, 1234);
        });
        w.nested(4, |w| w.nested(3, |w| w.double(1, 4.0)));
    });
    body.extend(family("empty", 1, "", |_| {}));
    body.extend(family("g", 1, "", |w| w.nested(4, |w| w.nested(2, |w| w.double(1, -1.0)))));
    body.extend(family("u", 3, "", |w| w.nested(4, |w| w.nested(5, |w| w.double(1, 7.0)))));
    body.extend(family("s", 2, "", |w| {
        w.nested(4, |w| {
            w.nested(4, |w| {
                w.unsigned(1, 10);
                w.double(2, 20.0);
                w.nested(3, |w| {
                    w.double(1, 0.5);
                    w.double(2, 1.5);
                });
                timestamp(w, 4, 1);
            });
        });
    }));
    body.extend(histogram_body(false, true));
    body.extend(histogram_body(true, true));
    body
}

const CLASSIC: [&str; 5] = [
    r#"{__name__="h_count", job="a"} 6 st@1500"#,
    r#"{__name__="h_sum", job="a"} 2.5 st@1500"#,
    r#"{__name__="h_bucket", job="a", le="0.5"} 4 st@1500 # {id="bucket"} 0.5 Some(9500)"#,
    r#"{__name__="h_bucket", job="a", le="100.0"} 5 st@1500 # {id="untimed"} 0.5 None"#,
    r#"{__name__="h_bucket", job="a", le="+Inf"} 6 st@1500"#,
];
const NATIVE: &str = r#"{__name__="h", job="a"} count 6 sum 2.5 zero 1 [(2.0, 2.0), (8.0, 3.0)] st@1500 # {id="bucket"} 0.5 Some(9500)"#;

#[test]
fn every_type_is_shown_as_text_would_show_it() {
    let mut want = vec![
        "help c_bytes_total Help.",
        "unit c_bytes_total bytes",
        "type c_bytes_total counter",
        r#"{__name__="c_bytes_total", "é"="x"} 3 @1234 st@1500 # {id="counter"} 0.5 None"#,
        r#"{__name__="c_bytes_total"} 4"#,
        "help g Help.",
        "type g gauge",
        r#"{__name__="g"} -1"#,
        "help u Help.",
        "type u unknown",
        r#"{__name__="u"} 7"#,
        "help s Help.",
        "type s summary",
        r#"{__name__="s_count"} 10 st@1500"#,
        r#"{__name__="s_sum"} 20 st@1500"#,
        r#"{__name__="s", quantile="0.5"} 1.5 st@1500"#,
        "help h Help.",
        "type h histogram",
    ];
    want.extend(CLASSIC);
    want.extend(["help h Help.", "type h histogram", NATIVE]);
    check(&body(), Format::Protobuf, &want);
    cut_and_flip(&body(), Format::Protobuf);
}

#[test]
fn classic_and_native_are_shown_as_asked() {
    let f = |native: bool, options: Options, want: &[&str]| {
        let (rows, error) = read(&histogram_body(native, true), Format::Protobuf, options);
        let want: Vec<_> = want.iter().map(|w| (*w).to_owned()).collect();
        assert_eq!((rows.get(2..).map(<[_]>::to_vec), error), (Some(want), None));
    };
    let keep = Options { keep_classic_histograms: true, ..Options::default() };
    let both: Vec<_> = [NATIVE].into_iter().chain(CLASSIC).collect();
    f(true, keep, &both);
    f(true, Options { ignore_native_histograms: true, ..Options::default() }, &CLASSIC);
    // What was sent as a native histogram is not made into one again.
    f(true, Options { convert_classic_histograms: true, ..keep }, &both);
    let converted = r#"{__name__="h", job="a"} count 6 sum 2.5 zero 0 [(0.5, 4.0), (100.0, 1.0), (inf, 1.0)] st@1500 # {id="bucket"} 0.5 Some(9500) # {id="untimed"} 0.5 None"#;
    f(false, Options { convert_classic_histograms: true, ..Options::default() }, &[converted]);
    let ignored = Options {
        ignore_native_histograms: true,
        convert_classic_histograms: true,
        ..Options::default()
    };
    f(true, ignored, &[converted]);
}

#[test]
fn series_have_keys_of_their_own() {
    let body = body();
    let mut parser = Parser::new(&body, Format::Protobuf, Options::default()).expect("small");
    let mut keys = std::collections::BTreeMap::new();
    while let Some(entry) = parser.advance().expect("valid") {
        if entry == Entry::Sample {
            let key = parser.series().to_vec();
            let labels = parser.labels().expect("valid");
            assert_eq!(keys.entry(key).or_insert_with(|| labels.clone()), &labels);
        }
    }
    assert_eq!(keys.len(), 13);
}

#[test]
fn refusals_say_what_is_wrong() {
    let f = |body: &[u8], want: &str| {
        let (_, error) = read(body, Format::Protobuf, Options::default());
        assert_eq!(error.as_deref(), Some(want));
    };
    let one = |w: &mut Writer<'_>| w.nested(4, |_| {});
    f(&family("", 0, "", one), "invalid metric name: ");
    f(&family("x", 9, "", one), "unknown metric type for metric \"x\": 9");
    f(&family("x_total", 0, "bytes", one), "unit \"bytes\" not a suffix of counter \"x_total\"");
    f(&family("xbytes", 1, "bytes", one), "unit \"bytes\" not a suffix of metric \"xbytes\"");
    f(b"\x05\x0a", "MetricFamily stream: a length beyond the end at byte 0 of the message");
    let options =
        Options { limits: Limits { series: 1, ..Limits::default() }, ..Options::default() };
    let (_, error) = read(&body(), Format::Protobuf, options);
    assert_eq!(error.as_deref(), Some("the body has 2 series, more than the limit of 1 (series)"));
}
