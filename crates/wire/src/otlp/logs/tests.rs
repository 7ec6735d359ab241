//! OTLP logs: the same records from JSON and from protobuf.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{loki::label_text, proto::Writer};

/// What the clock says.
const NOW: Nanos = Nanos(99);

fn shown(push: Push<'_>) -> String {
    let mut out = String::new();
    let join = |pairs: &[Pair<'_>]| label_text(pairs.iter().map(|(n, v)| (n.as_ref(), v.as_ref())));
    for stream in push.streams {
        for entry in &stream.entries {
            let labels = stream.labels.clone().read().expect("names that fit");
            let line = String::from_utf8_lossy(&entry.line);
            let metadata = join(stream.metadata(entry));
            out.push_str(
                &[&join(&labels), &*entry.timestamp.to_string(), &line, &metadata].join(" "),
            );
            out.push('\n');
        }
    }
    out
}

fn from_json(body: &Value) -> String {
    let discover = ["app", "k8s_container_name", "k8s_job_name"].map(str::to_owned);
    match decode_json(&mut body.to_string().into_bytes(), &discover, NOW, &Limits::default()) {
        Ok(push) => shown(push),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_record_becomes_a_line_with_metadata() {
    let body = json!({"resourceLogs": [{
        "resource": {"attributes": [
            {"key": "service.name", "value": {"stringValue": "shop"}},
            {"key": "host.name", "value": {"stringValue": "h"}},
        ]},
        "scopeLogs": [{
            "scope": {"name": "lib", "version": "1.2", "droppedAttributesCount": 2,
                "attributes": [{"key": "s.a", "value": {"boolValue": true}}]},
            "logRecords": [{
                "timeUnixNano": "7", "observedTimeUnixNano": "8",
                "severityNumber": "SEVERITY_NUMBER_WARN", "severityText": "Warn",
                "body": {"stringValue": "hello"},
                "attributes": [
                    {"key": "n", "value": {"doubleValue": 1.5}},
                    {"key": "m", "value": {"kvlistValue": {"values": [
                        {"key": "x.y", "value": {"intValue": "1"}},
                        {"key": "z", "value": {"arrayValue": {"values": [{"stringValue": "p"}, {"intValue": 2}]}}},
                    ]}}},
                ],
                "droppedAttributesCount": 3, "flags": 1, "eventName": "e",
                "traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "0000000000000000",
            }],
        }],
    }]});
    let want = concat!(
        "{service_name=\"shop\"} 7 hello {host.name=\"h\", s.a=\"true\", scope_name=\"lib\", ",
        "scope_version=\"1.2\", scope_dropped_attributes_count=\"2\", n=\"1.5\", m_x.y=\"1\", ",
        "m_z=\"[\\\"p\\\",2]\", dropped_attributes_count=\"3\", flags=\"1\", ",
        "observed_timestamp=\"8\", severity_number=\"13\", severity_text=\"Warn\", ",
        "event_name=\"e\", trace_id=\"5b8efff798038103d269b633813fc60c\"}\n"
    );
    assert_eq!(from_json(&body), want);
}

#[test]
fn bodies_of_other_types_and_services_found_elsewhere() {
    let f = |attributes: Value, record: Value, want: &str| {
        let body = json!({"resourceLogs": [{
            "resource": {"attributes": attributes}, "scopeLogs": [{"logRecords": [record]}],
        }]});
        assert_eq!(from_json(&body), format!("{want}\n"));
    };
    let map = json!({"kvlistValue": {"values": [
        {"key": "b", "value": {"intValue": 1}}, {"key": "a", "value": {"stringValue": "x"}},
    ]}});
    f(json!([]), json!({"observedTimeUnixNano": 5, "body": map}), r#"{} 5 {"a":"x","b":1} {}"#);
    let list = json!({"arrayValue": {"values": [
        {"doubleValue": 2.0}, {"stringValue": "<a&b>"}, {"bytesValue": "YQ=="}, {},
    ]}});
    let want = r#"{} 5 [2,"\u003ca\u0026b\u003e","YQ==",null] {}"#;
    f(json!([]), json!({"observedTimeUnixNano": 5, "body": list}), want);
    f(json!([]), json!({"body": {"doubleValue": 2.0}}), "{} 99 2 {}");
    f(json!([]), json!({}), "{} 99  {}");
    let event = json!([{"key": "event_name", "value": {"stringValue": "attribute"}}]);
    f(json!([]), json!({"attributes": event}), r#"{} 99  {event_name="attribute"}"#);
    let both = json!({"attributes": event, "eventName": "field"});
    f(json!([]), both, r#"{} 99  {event_name="field"}"#);
}

#[test]
fn the_service_is_named_by_attributes_that_are_labels_in_their_order() {
    let f = |attributes: &[(&str, Value)], want: &str| {
        let pairs = attributes.iter().map(|(key, value)| json!({"key": key, "value": value}));
        let pairs: Vec<_> = pairs.collect();
        let body = json!({"resourceLogs": [{
            "resource": {"attributes": pairs}, "scopeLogs": [{"logRecords": [{}]}],
        }]});
        assert_eq!(from_json(&body), format!("{want}\n"));
    };
    let text = |text: &str| json!({"stringValue": text});
    // What is no label names nothing; the edge then says that the service is not known.
    f(&[("app", text("a"))], r#"{} 99  {app="a"}"#);
    let (pod, job) = (("k8s.container.name", text("c")), ("k8s.job.name", text("j")));
    let both = [job.clone(), pod.clone()];
    f(&both, r#"{k8s_job_name="j", service_name="j", k8s_container_name="c"} 99  {}"#);
    f(std::slice::from_ref(&pod), r#"{k8s_container_name="c", service_name="c"} 99  {}"#);
    let service = |name| ("service.name", text(name));
    f(&[job.clone(), service("s")], r#"{k8s_job_name="j", service_name="s"} 99  {}"#);
    let want = r#"{service_name="", k8s_job_name="j", service_name="j"} 99  {}"#;
    f(&[service(""), job], want);
    let map = json!({"kvlistValue": {"values": [{"key": "x.y", "value": {"intValue": 1}}]}});
    f(&[("cloud.region", map)], r#"{cloud_region_x_y="1"} 99  {}"#);
}

#[test]
fn bodies_without_records_bring_nothing_and_others_are_refused() {
    assert_eq!(from_json(&json!({})), "");
    assert_eq!(from_json(&json!({"resourceLogs": [{"scopeLogs": [{"logRecords": []}]}]})), "");
    assert_eq!(
        from_json(&json!({"resourceLogs": 5})),
        "json: resourceLogs: expected [ or null, but found '5' at byte 16"
    );
    let want = "json: ExportLogsServiceRequest: expected { or null, but found '[' at byte 0";
    assert_eq!(from_json(&json!([])), want);
}

#[test]
fn protobuf_says_the_same() {
    let mut body = Vec::new();
    let string = |w: &mut Writer<'_>, number, text: &str| w.nested(number, |w| w.text(1, text));
    let attribute = |w: &mut Writer<'_>, number, key: &str, value: &str| {
        w.nested(number, |w| {
            w.text(1, key);
            string(w, 2, value);
        });
    };
    Writer::new(&mut body).nested(1, |w| {
        w.nested(1, |w| attribute(w, 1, "service.name", "shop"));
        w.nested(2, |w| {
            w.nested(1, |w| {
                w.text(1, "lib");
                attribute(w, 3, "s", "t");
                w.unsigned(4, 2);
            });
            w.nested(2, |w| {
                w.double(1, f64::from_bits(7));
                w.double(11, f64::from_bits(8));
                w.unsigned(2, 13);
                w.text(3, "Warn");
                string(w, 5, "hello");
                attribute(w, 6, "k", "v");
                w.unsigned(7, 3);
                w.bytes(9, &[0x5b, 0x8e]);
                w.bytes(10, &[0, 0]);
                w.text(12, "e");
            });
        });
    });
    let limits = Limits::default();
    let want = concat!(
        "{service_name=\"shop\"} 7 hello {s=\"t\", scope_name=\"lib\", ",
        "scope_dropped_attributes_count=\"2\", k=\"v\", dropped_attributes_count=\"3\", ",
        "observed_timestamp=\"8\", severity_number=\"13\", severity_text=\"Warn\", ",
        "event_name=\"e\", trace_id=\"5b8e\"}\n"
    );
    assert_eq!(decode_protobuf(&body, &[], NOW, &limits).map(shown), Ok(want.to_owned()));
    for cut in 1..body.len() {
        drop(decode_protobuf(&body[..cut], &[], NOW, &limits));
    }
}

#[test]
fn texts_that_are_not_utf8_do_not_lose_the_others() {
    let bad = |w: &mut Writer<'_>, number| w.bytes(number, b"\xff<\xe2\x82>");
    let mut body = Vec::new();
    Writer::new(&mut body).nested(1, |w| {
        w.nested(1, |w| {
            w.nested(1, |w| {
                w.text(1, "service.name");
                w.nested(2, |w| bad(w, 1));
            });
        });
        w.nested(2, |w| {
            w.nested(1, |w| bad(w, 1));
            w.nested(2, |w| {
                w.nested(5, |w| bad(w, 1));
                bad(w, 3);
                w.nested(6, |w| {
                    bad(w, 1);
                    w.nested(2, |w| bad(w, 1));
                });
            });
            w.nested(2, |w| {
                w.nested(5, |w| {
                    w.nested(5, |w| w.nested(1, |w| bad(w, 1)));
                });
            });
        });
    });
    let push = decode_protobuf(&body, &[], NOW, &Limits::default()).expect("readable");
    let lines: Vec<_> = push.streams[0].entries.iter().map(|entry| entry.line.clone()).collect();
    // A line is kept as it is; in JSON there is no byte but UTF-8.
    assert_eq!(lines, [&b"\xff<\xe2\x82>"[..], br#"["\ufffd\u003c\ufffd\ufffd\u003e"]"#]);
    let shown = shown(push);
    let text = "\u{fffd}<\u{fffd}\u{fffd}>";
    let (stream, metadata) = (
        format!("{{service_name=\"{text}\"}} 99 "),
        format!("{{scope_name=\"{text}\", {text}=\"{text}\", severity_text=\"{text}\"}}\n"),
    );
    assert!(shown.starts_with(&stream) && shown.contains(&metadata), "{shown}");
}

#[test]
fn few_bytes_that_would_become_much_memory_are_refused() {
    let f = |resource: &str, records: &str, count: usize| {
        let records = records.repeat(count);
        let mut body = format!(
            r#"{{"resourceLogs":[{{"resource":{{"attributes":[{resource}]}},"scopeLogs":[{{"logRecords":[{records}{{}}]}}]}}]}}"#
        )
        .into_bytes();
        let error = decode_json(&mut body, &[], NOW, &Limits::default()).map(drop);
        let error = error.expect_err("too many").to_string();
        assert!(error.contains("items, more than the limit of 2000000"), "{error}");
    };
    // As many as fit into 14 kB of gzip.
    f("", "{},", 1_000_000);
    // What is shared is copied for each record, its texts too where they are made.
    let shared = vec!["{}"; 1000].join(",");
    f(&shared, "{},", 2000);
    let truths = vec![r#"{"boolValue":true}"#; 1000].join(",");
    f(&format!(r#"{{"value":{{"arrayValue":{{"values":[{truths}]}}}}}}"#), "{},", 27_000);
    // A map's key is copied in front of each of its keys.
    let map = format!(
        r#"{{"key":"{}","value":{{"kvlistValue":{{"values":[{}]}}}}}}"#,
        "k".repeat(100_000),
        vec!["{}"; 2000].join(",")
    );
    f(&map, "", 0);
    let maps = vec![r#"{"value":{"kvlistValue":{}}}"#; 2000].join(",");
    f(&map.replace("{},{}", &maps), "", 0);
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        drop(decode_protobuf(&bytes, &[], NOW, &Limits::default()));
        drop(decode_json(&mut bytes.clone(), &[], NOW, &Limits::default()));
    }
}
