//! The same request in JSON and in protobuf, and what it becomes.

use masthead_model::Millis;
use proptest::prelude::*;

use super::*;
use crate::proto::Writer;

/// A line a series: labels, samples, native histograms, exemplars.
fn rows(translated: &Translated) -> Vec<String> {
    translated
        .series
        .iter()
        .map(|series| {
            let mut row = vec![series.labels.to_string()];
            for p in &series.samples {
                let stale = if masthead_model::is_stale(p.value) {
                    "stale".to_owned()
                } else {
                    p.value.to_string()
                };
                row.push(format!(" {stale}@{}", p.timestamp.0));
                if let Some(Millis(start)) = p.start {
                    row.push(format!("(st {start})"));
                }
            }
            for p in &series.histograms {
                let h = &p.histogram;
                let buckets: Vec<_> =
                    h.negative().chain(h.positive()).map(|b| (b.upper, b.count)).collect();
                row.push(format!(
                    " count {} sum {} zero {} {buckets:?}@{}",
                    h.count, h.sum, h.zero_count, p.timestamp.0
                ));
            }
            for e in &series.exemplars {
                row.push(format!(" # {} {} {:?}", e.labels, e.value, e.timestamp.map(|t| t.0)));
            }
            row.concat()
        })
        .collect()
}

fn check(json: &str, config: &Config, want: &[&str], errors: &[&str]) {
    let got =
        decode_json(&mut json.as_bytes().to_vec(), config, &Limits::default()).expect("readable");
    assert_eq!(rows(&got), want, "{json}");
    assert_eq!(got.errors, errors, "{json}");
}

/// One resource with one scope with these metrics.
fn request(resource: &str, metrics: &str) -> String {
    format!(
        r#"{{"resourceMetrics":[{{"resource":{{"attributes":[{resource}]}},"scopeMetrics":[{{"scope":{{"name":"lib","version":"1","attributes":[{{"key":"x.y","value":{{"stringValue":"z"}}}}]}},"metrics":[{metrics}]}}]}}]}}"#
    )
}

const SERVICE: &str = r#"{"key":"service.name","value":{"stringValue":"shop"}},{"key":"service.namespace","value":{"stringValue":"eu"}},{"key":"service.instance.id","value":{"stringValue":"i1"}}"#;

#[test]
fn numbers_get_names_labels_and_exemplars() {
    let metrics = r#"{"name":"http.requests","unit":"1","description":"Help.","sum":{"aggregationTemporality":2,"isMonotonic":true,"dataPoints":[{"attributes":[{"key":"http.method","value":{"stringValue":"GET"}},{"key":"b","value":{"boolValue":true}},{"key":"i","value":{"intValue":"-7"}},{"key":"d","value":{"doubleValue":1.5}},{"key":"l","value":{"arrayValue":{"values":[{"intValue":1},{"stringValue":"s"}]}}}],"startTimeUnixNano":"1000000000","timeUnixNano":"2500000000","asInt":"12","exemplars":[{"timeUnixNano":"2000000000","asDouble":0.5,"traceId":"0102","spanId":"0000","filteredAttributes":[{"key":"k","value":{"stringValue":"v"}}]}]}]}},
        {"name":"temperature","unit":"Cel","gauge":{"dataPoints":[{"timeUnixNano":"2500000000","asDouble":-1.5},{"timeUnixNano":2600000000,"asDouble":"NaN","flags":1}]}}"#;
    let json = request(SERVICE, metrics);
    check(
        &json,
        &Config::default(),
        &[
            r#"{__name__="http_requests_total", b="true", d="1.5", http_method="GET", i="-7", instance="i1", job="eu/shop", l="[1,\"s\"]"} 12@2500(st 1000) # {k="v", trace_id="0102"} 0.5 Some(2000)"#,
            r#"{__name__="temperature_celsius", instance="i1", job="eu/shop"} -1.5@2500 stale@2600"#,
        ],
        &[],
    );
    let got = decode_json(&mut json.as_bytes().to_vec(), &Config::default(), &Limits::default())
        .expect("readable");
    let metadata = |family: &str, metric_type, help: &str, unit: &str| OtlpMetadata {
        family: family.into(),
        metric_type,
        help: help.into(),
        unit: unit.into(),
    };
    assert_eq!(
        got.metadata,
        [
            metadata("http_requests_total", MetricType::Counter, "Help.", "1"),
            metadata("temperature_celsius", MetricType::Gauge, "", "Cel"),
        ]
    );
}

#[test]
fn the_resource_becomes_target_info_and_what_is_promoted() {
    let resource = format!(r#"{SERVICE},{{"key":"host.name","value":{{"stringValue":"h"}}}}"#);
    let metrics = r#"{"name":"g","gauge":{"dataPoints":[{"timeUnixNano":"1000000","asInt":1,"attributes":[{"key":"a.b","value":{"stringValue":"1"}},{"key":"a_b","value":{"stringValue":"2"}}]},{"timeUnixNano":"300001000000","asInt":2}]}}"#;
    let json = request(&resource, metrics);
    let g = r#"{__name__="g", a_b="1;2", instance="i1", job="eu/shop"} 1@1"#;
    check(
        &json,
        &Config::default(),
        &[
            g,
            r#"{__name__="g", instance="i1", job="eu/shop"} 2@300001"#,
            r#"{__name__="target_info", host_name="h", instance="i1", job="eu/shop"} 1@1 1@150001 1@300001"#,
        ],
        &[],
    );
    let config = Config {
        promote_resource_attributes: vec!["host.name".into()],
        promote_scope_metadata: true,
        keep_identifying_resource_attributes: true,
        translation_strategy: TranslationStrategy::NoUTF8EscapingWithSuffixes,
        ..Config::default()
    };
    let scope = r#"otel_scope_name="lib", otel_scope_version="1", "otel_scope_x.y"="z""#;
    check(
        &json,
        &config,
        &[
            &format!(
                r#"{{__name__="g", "a.b"="1", a_b="2", "host.name"="h", instance="i1", job="eu/shop", {scope}}} 1@1"#
            ),
            &format!(
                r#"{{__name__="g", "host.name"="h", instance="i1", job="eu/shop", {scope}}} 2@300001"#
            ),
            r#"{__name__="target_info", "host.name"="h", instance="i1", job="eu/shop", "service.instance.id"="i1", "service.name"="shop", "service.namespace"="eu"} 1@1 1@150001 1@300001"#,
        ],
        &[],
    );
    let config = Config {
        promote_all_resource_attributes: true,
        ignore_resource_attributes: vec!["service.name".into()],
        ..Config::default()
    };
    let got =
        decode_json(&mut json.as_bytes().to_vec(), &config, &Limits::default()).expect("readable");
    let first = got.series.first().expect("g").labels.to_string();
    assert_eq!(
        first,
        r#"{__name__="g", a_b="1;2", host_name="h", instance="i1", job="eu/shop", service_instance_id="i1", service_namespace="eu"}"#
    );
    // Without job and instance nothing could be joined with it.
    check(
        &request(
            r#"{"key":"host.name","value":{"stringValue":"h"}}"#,
            r#"{"name":"g","gauge":{"dataPoints":[{"asInt":1}]}}"#,
        ),
        &Config::default(),
        &[r#"{__name__="g"} 1@0"#],
        &[],
    );
}

#[test]
fn histograms_and_summaries_become_their_series() {
    let histogram = r#"{"name":"h","unit":"ms","histogram":{"aggregationTemporality":"AGGREGATION_TEMPORALITY_CUMULATIVE","dataPoints":[{"timeUnixNano":"1000000","count":"6","sum":2.5,"bucketCounts":["1","2","3"],"explicitBounds":[0.5,10],"exemplars":[{"asDouble":3},{"asDouble":30}]}]}}"#;
    check(
        &request("", histogram),
        &Config::default(),
        &[
            r#"{__name__="h_milliseconds_sum"} 2.5@1"#,
            r#"{__name__="h_milliseconds_count"} 6@1"#,
            r#"{__name__="h_milliseconds_bucket", le="0.5"} 1@1"#,
            r#"{__name__="h_milliseconds_bucket", le="10"} 3@1 # {} 3 None"#,
            r#"{__name__="h_milliseconds_bucket", le="+Inf"} 6@1 # {} 30 None"#,
        ],
        &[],
    );
    let config = Config { convert_histograms_to_nhcb: true, ..Config::default() };
    check(
        &request("", histogram),
        &config,
        &[
            r#"{__name__="h_milliseconds"} count 6 sum 2.5 zero 0 [(0.5, 1.0), (10.0, 2.0), (inf, 3.0)]@1 # {} 3 None # {} 30 None"#,
        ],
        &[],
    );
    let exponential = r#"{"name":"e","exponentialHistogram":{"aggregationTemporality":2,"dataPoints":[{"timeUnixNano":"1000000","count":"6","sum":2.5,"scale":0,"zeroCount":"1","positive":{"offset":0,"bucketCounts":["2","0","3"]},"negative":{"offset":-1,"bucketCounts":["1"]}}]}}"#;
    check(
        &request("", exponential),
        &Config::default(),
        &[r#"{__name__="e"} count 6 sum 2.5 zero 1 [(-0.5, 1.0), (2.0, 2.0), (8.0, 3.0)]@1"#],
        &[],
    );
    let summary = r#"{"name":"s","summary":{"dataPoints":[{"timeUnixNano":"1000000","count":"6","sum":2.5,"quantileValues":[{"quantile":0.5,"value":1},{"quantile":1,"value":2}]}]}}"#;
    check(
        &request("", summary),
        &Config::default(),
        &[
            r#"{__name__="s_sum"} 2.5@1"#,
            r#"{__name__="s_count"} 6@1"#,
            r#"{__name__="s", quantile="0.5"} 1@1"#,
            r#"{__name__="s", quantile="1"} 2@1"#,
        ],
        &[],
    );
}

#[test]
fn what_cannot_be_translated_is_told_and_does_not_hold_up_the_rest() {
    let metrics = r#"{"name":"delta","sum":{"aggregationTemporality":1,"dataPoints":[{"asInt":1}]}},
        {"name":"none","gauge":{"dataPoints":[]}},
        {"name":"what"},
        {"name":"bad","gauge":{"dataPoints":[{"asInt":1,"attributes":[{"key":"éé","value":{"stringValue":"v"}}]}]}},
        {"name":"e","exponentialHistogram":{"aggregationTemporality":2,"dataPoints":[{"scale":-9}]}},
        {"name":"good","gauge":{"dataPoints":[{"asInt":1}]}}"#;
    check(
        &request("", metrics),
        &Config::default(),
        &[r#"{__name__="good"} 1@0"#],
        &[
            "invalid temporality and type combination for metric \"delta\"",
            "empty data points. none is dropped",
            "could not get aggregation temporality for what as it has unsupported metric type Empty",
            "normalization for label name \"éé\" resulted in invalid name \"__\"",
            "cannot convert exponential to native histogram. Scale must be >= -4, was -9",
        ],
    );
    let limits = Limits { labels: 1, ..Limits::default() };
    let json = request(SERVICE, r#"{"name":"g","gauge":{"dataPoints":[{"asInt":1}]}}"#);
    let got =
        decode_json(&mut json.as_bytes().to_vec(), &Config::default(), &limits).expect("readable");
    assert_eq!(got.errors, ["series \"g\" has 3 labels, more than the limit of 1 (labels)"]);
    let limits = Limits { series: 0, ..Limits::default() };
    let error = decode_json(&mut json.as_bytes().to_vec(), &Config::default(), &limits)
        .map_err(|e| e.to_string());
    assert_eq!(error, Err("the body has 1 series, more than the limit of 0 (series)".to_owned()));
}

#[test]
fn json_of_another_shape_is_refused_by_key() {
    let f = |json: &str, want: &str| {
        let got =
            decode_json(&mut json.as_bytes().to_vec(), &Config::default(), &Limits::default());
        let error = got.expect_err(json).to_string();
        assert!(error.starts_with(want), "{json}: {error}");
    };
    f("", "json: ExportMetricsServiceRequest: expected { or null, but found the end at byte 0");
    f("[]", "json: ExportMetricsServiceRequest: expected { or null, but found '[' at byte 0");
    f("{}]", "json: ExportMetricsServiceRequest: expected the end, but found ']' at byte 2");
    f(
        r#"{"resourceMetrics":{}}"#,
        "json: resourceMetrics: expected [ or null, but found '{' at byte 19",
    );
    f(&request("", r#"{"name":1}"#), "json: name: expected a string, but found '1'");
    f(
        &request("", r#"{"gauge":{"dataPoints":[{"timeUnixNano":-1}]}}"#),
        "json: timeUnixNano must be a whole number that is not negative",
    );
    f(
        &request("", r#"{"gauge":{"dataPoints":[{"asInt":"x"}]}}"#),
        "json: asInt must be a whole number",
    );
    f(
        &request("", r#"{"gauge":{"dataPoints":[{"asDouble":"x"}]}}"#),
        "json: asDouble must be a number",
    );
    f(
        &request("", r#"{"gauge":{"dataPoints":[{"scale":9999999999}]}}"#),
        "json: scale must be a whole number of 32 bits",
    );
}

fn fixed64(w: &mut Writer<'_>, number: u32, value: u64) {
    w.present_double(number, f64::from_bits(value));
}

fn attribute(w: &mut Writer<'_>, number: u32, key: &str, value: impl FnOnce(&mut Writer<'_>)) {
    w.nested(number, |w| {
        w.text(1, key);
        w.nested(2, value);
    });
}

/// One metric of each kind with every field that is read.
fn protobuf() -> Vec<u8> {
    let mut out = Vec::new();
    let times = |w: &mut Writer<'_>| {
        fixed64(w, 2, 1_000_000);
        fixed64(w, 3, 2_000_000);
    };
    let exemplar = |w: &mut Writer<'_>, number| {
        w.nested(number, |w| {
            fixed64(w, 2, 1_500_000);
            fixed64(w, 6, 3);
            w.text(4, "\u{1}\u{2}");
            w.text(5, "\u{7f}");
            attribute(w, 7, "k", |w| w.text(1, "v"));
        });
    };
    Writer::new(&mut out).nested(1, |w| {
        w.nested(1, |w| attribute(w, 1, "service.name", |w| w.text(1, "shop")));
        w.nested(2, |w| {
            w.nested(1, |w| w.text(1, "lib"));
            w.nested(2, |w| {
                w.text(1, "c");
                w.text(2, "Help.");
                w.text(3, "s");
                w.nested(7, |w| {
                    w.nested(1, |w| {
                        times(w);
                        fixed64(w, 6, u64::MAX);
                        attribute(w, 7, "list", |w| {
                            w.nested(5, |w| {
                                w.nested(1, |w| w.signed(3, -1));
                                w.nested(1, |w| {
                                    w.nested(6, |w| attribute(w, 1, "b", |w| w.text(7, "ab")));
                                });
                            });
                        });
                        exemplar(w, 5);
                    });
                    w.unsigned(2, 2);
                    w.unsigned(3, 1);
                });
            });
            w.nested(2, |w| {
                w.text(1, "g");
                w.nested(5, |w| {
                    w.nested(1, |w| {
                        times(w);
                        w.double(4, 0.5);
                        w.unsigned(8, 1);
                    });
                });
            });
            w.nested(2, |w| {
                w.text(1, "h");
                w.nested(9, |w| {
                    w.nested(1, |w| {
                        times(w);
                        fixed64(w, 4, 3);
                        w.double(5, 1.5);
                        w.packed_doubles(6, &[f64::from_bits(1), f64::from_bits(2)]);
                        w.packed_doubles(7, &[0.5]);
                        exemplar(w, 8);
                        attribute(w, 9, "a", |w| w.unsigned(2, 1));
                    });
                    w.unsigned(2, 2);
                });
            });
            w.nested(2, |w| {
                w.text(1, "e");
                w.nested(10, |w| {
                    w.nested(1, |w| {
                        attribute(w, 1, "a", |w| w.double(4, 1e21));
                        times(w);
                        fixed64(w, 4, 4);
                        w.double(5, 1.5);
                        w.zigzag(6, -1);
                        fixed64(w, 7, 1);
                        w.nested(8, |w| {
                            w.zigzag(1, -1);
                            w.packed_varints(2, [1, 2].into_iter());
                        });
                    });
                    w.unsigned(2, 2);
                });
            });
            w.nested(2, |w| {
                w.text(1, "s");
                w.nested(11, |w| {
                    w.nested(1, |w| {
                        times(w);
                        fixed64(w, 4, 4);
                        w.double(5, 1.5);
                        w.nested(6, |w| {
                            w.double(1, 0.5);
                            w.double(2, 7.0);
                        });
                        attribute(w, 7, "a", |w| w.text(1, "é"));
                    });
                });
            });
        });
    });
    out
}

#[test]
fn protobuf_says_the_same() {
    let got = decode_protobuf(&protobuf(), &Config::default(), &Limits::default()).expect("valid");
    let exemplar = r#" # {k="v", span_id="0102", trace_id="7f"} 3 Some(1)"#;
    assert_eq!(rows(&got), [
        format!(r#"{{__name__="c_seconds_total", job="shop", list="[-1,{{\"b\":\"YWI=\"}}]"}} -1@2(st 1){exemplar}"#),
        r#"{__name__="g", job="shop"} stale@2"#.to_owned(),
        r#"{__name__="h_sum", a="true", job="shop"} 1.5@2(st 1)"#.to_owned(),
        r#"{__name__="h_count", a="true", job="shop"} 3@2(st 1)"#.to_owned(),
        r#"{__name__="h_bucket", a="true", job="shop", le="0.5"} 1@2(st 1)"#.to_owned(),
        format!(r#"{{__name__="h_bucket", a="true", job="shop", le="+Inf"}} 3@2(st 1){exemplar}"#),
        r#"{__name__="e", a="1e+21", job="shop"} count 4 sum 1.5 zero 1 [(1.0, 1.0), (4.0, 2.0)]@2"#.to_owned(),
        r#"{__name__="s_sum", a="é", job="shop"} 1.5@2(st 1)"#.to_owned(),
        r#"{__name__="s_count", a="é", job="shop"} 4@2(st 1)"#.to_owned(),
        r#"{__name__="s", a="é", job="shop", quantile="0.5"} 7@2(st 1)"#.to_owned(),
    ]);
    assert!(got.errors.is_empty());
    assert_eq!(got.metadata.len(), 5);
}

#[test]
fn values_nested_without_end_are_refused() {
    fn deep(w: &mut Writer<'_>, levels: usize) {
        w.nested(5, |w| {
            w.nested(1, |w| {
                if levels > 0 {
                    deep(w, levels - 1);
                }
            });
        });
    }
    let mut body = vec![];
    Writer::new(&mut body).nested(1, |w| {
        w.nested(1, |w| attribute(w, 1, "a", |w| deep(w, 1000)));
    });
    let want = Error::Content("attribute value nested more than 32 deep".into());
    let error = decode_protobuf(&body, &Config::default(), &Limits::default()).map(drop);
    assert_eq!(error, Err(want.clone()));
    let deep = r#"{"arrayValue":{"values":["#.repeat(1000);
    let body = format!(r#"{{"resourceMetrics":[{{"resource":{{"attributes":[{{"value":{deep}"#);
    let error = decode_json(&mut body.into_bytes(), &Config::default(), &Limits::default());
    assert_eq!(error.map(drop), Err(want));
}

#[test]
fn what_takes_more_memory_than_bytes_is_counted() {
    // A metric counts for eight.
    let mut body = Vec::new();
    Writer::new(&mut body).nested(1, |w| w.present_text(2, &"\x12\0".repeat(250_000)));
    let error = decode_protobuf(&body, &Config::default(), &Limits::default()).err();
    let want = "the body has 2000008 items, more than the limit of 2000000 (items, fixed)";
    assert_eq!(error.map(|e| e.to_string()).as_deref(), Some(want));
}

#[test]
fn what_takes_more_memory_than_bytes_is_counted_in_json_too() {
    // Resources take nearly all; eighty items are left.
    let resources = r#"{"resourceMetrics":["#.to_owned() + &"null,".repeat(249_990);
    let f = |before: &str, one: &str, most: usize| {
        let error = |count: usize| {
            let body = format!("{resources}{before}{}", vec![one; count].join(","));
            decode_json(&mut body.into_bytes(), &Config::default(), &Limits::default())
                .expect_err("cut off or too many")
                .to_string()
        };
        let (within, beyond) = (error(most), error(most + 1));
        assert!(within.contains("found the end at byte"), "{before}{one}: {within}");
        assert!(beyond.contains("items, more than the limit of 2000000"), "{one}: {beyond}");
    };
    let metrics = r#"{"scopeMetrics":[{"metrics":["#;
    let points = format!(r#"{metrics}{{"gauge":{{"dataPoints":["#);
    f("", "{}", 10);
    f(r#"{"scopeMetrics":["#, "null", 9);
    f(metrics, "{}", 8);
    f(&points, "{}", 7);
    f(&format!(r#"{points}{{"exemplars":["#), "{}", 6);
    f(&format!(r#"{points}{{"quantileValues":["#), "{}", 48);
    let resource = r#"{"resource":{"attributes":["#;
    f(resource, "{}", 72);
    let list = format!(r#"{resource}{{"value":{{"arrayValue":{{"values":["#);
    f(&list, "{}", 67);
    // Room is made for what is in a list or map.
    f(&list, r#"{"arrayValue":{}}"#, 13);
    f(&list, r#"{"kvlistValue":{"values":[{}]}}"#, 11);
    let many = format!(
        r#"{{"resourceMetrics":[{points}{{"positive":{{"bucketCounts":[{}0]}}}}]}}}}]}}]}}]}}"#,
        "0,".repeat(100_000)
    );
    let got = decode_json(&mut many.into_bytes(), &Config::default(), &Limits::default());
    assert_eq!(got, Err(Error::Histogram(masthead_model::HistogramError::TooManyBuckets)));
}

#[test]
fn every_cut_and_every_flipped_bit_ends_in_an_answer() {
    let body = protobuf();
    let whole = decode_protobuf(&body, &Config::default(), &Limits::default()).expect("valid");
    let f = |body: &[u8], what: &str| {
        if let Ok(got) = decode_protobuf(body, &Config::default(), &Limits::default()) {
            assert!(got.series.len() <= whole.series.len() * 2, "{what}");
        }
    };
    for end in 0..body.len() {
        f(&body[..end], "cut");
    }
    for bit in (0..body.len() * 8).step_by(3) {
        let mut body = body.clone();
        body[bit / 8] ^= 1 << (bit % 8);
        f(&body, "flipped");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>, json in "[\\[\\]{}:,\"a0]{0,40}") {
        if let Ok(got) = decode_protobuf(&bytes, &Config::default(), &Limits::default()) {
            prop_assert!(got.series.len() <= bytes.len());
        }
        if let Ok(got) = decode_json(&mut json.as_bytes().to_vec(), &Config::default(), &Limits::default()) {
            prop_assert!(got.series.is_empty());
        }
    }
}
