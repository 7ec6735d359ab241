//! Loki's push: bodies as clients send them, right and wrong, and back.

use std::fmt::Write as _;

use masthead_model::Labels;
use proptest::prelude::*;

use super::*;

/// What a push says, one stream a line, one entry after the other.
fn shown(push: Result<Push<'_>, Error>) -> String {
    let push = match push {
        Ok(push) => push,
        Err(error) => return error.to_string(),
    };
    let mut out = String::new();
    for stream in push.streams {
        match stream.labels.clone().read() {
            Ok(pairs) => {
                let pairs = pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
                out.push_str(&label_text(pairs));
            }
            Err(error) => out.push_str(&error.to_string()),
        }
        for entry in &stream.entries {
            let line = String::from_utf8_lossy(&entry.line).into_owned();
            write!(out, " {}={line}", entry.timestamp).expect("writes");
            for (name, value) in stream.metadata(entry) {
                write!(out, "({name}={value})").expect("writes");
            }
        }
        out.push('\n');
    }
    out
}

fn json(body: &str) -> String {
    let mut body = body.as_bytes().to_vec();
    shown(decode_json(&mut body, &Limits::default()))
}

#[test]
fn json_bodies_as_loki_reads_them() {
    let f = |values: &str, want: &str| {
        let body = format!(r#"{{"streams":[{{"stream":{{"a":"b"}},"values":{values}}}]}}"#);
        assert_eq!(json(&body), format!("{{a=\"b\"}}{want}\n"), "{values}");
    };
    f(r#"[["1","x"],["2","y",{"k":"v","l":""}]]"#, " 1=x 2=y(k=v)(l=)");
    f(r#"[ [ "1" , "x" ] , null ]"#, " 1=x");
    f(r#"[["1"]]"#, " 1=");
    f(r#"[["1","x",{},{"any":[1,"]"]}, 5]]"#, " 1=x");
    f(
        r#"[["-7","tab\t \u2713 \ud83d\ude00 \ud800 \"q\" \\ \/"]]"#,
        " -7=tab\t ✓ 😀 \u{fffd} \"q\" \\ /",
    );
    f(r#"[["1","x",{"n\u0061me":"v\n"}]]"#, " 1=x(name=v\n)");
    f("null", "");
    f("[]", "");
    f("[[]]", &format!(" {}=", i64::MIN));
}

#[test]
fn json_labels_may_be_any_value_and_the_last_counts() {
    let f = |labels: &str, want: &str| {
        let body = format!(r#"{{"streams":[{{"values":[["1","x"]],"stream":{labels}}}]}}"#);
        assert_eq!(json(&body), format!("{want} 1=x\n"), "{labels}");
    };
    f(r#"{"a":"1","a":"2"}"#, r#"{a="2"}"#);
    f(
        r#"{"n":5,"b":true,"z":null,"o":{"x":[1]}}"#,
        r#"{b="true", n="5", o="{\"x\":[1]}", z="null"}"#,
    );
    f("{}", "{}");
    // So many that each cannot be looked for among all others.
    let flood = |value: &str| -> String {
        (0..200_000).fold(String::new(), |all, at| all + &format!(r#""l{at}":"{value}","#))
    };
    let (before, after) = (flood("1"), flood("2"));
    let shown = json(&format!(
        r#"{{"streams":[{{"values":[["1","x"]],"stream":{{{before}{after}"z":"3"}}}}]}}"#
    ));
    assert_eq!(shown.matches("=\"2\"").count(), 200_000);
    assert!(shown.ends_with("z=\"3\"} 1=x\n") && !shown.contains("=\"1\""));
    let bad = |column: usize, what: &str| {
        format!("couldn't parse labels: 1:{column}: parse error: {what}")
    };
    f(r#"{"p":"v","a-b":"v"}"#, &bad(3, "unexpected character inside braces: '-'"));
    f(
        r#"{"p":"v","":"v"}"#,
        &bad(2, "unexpected \"=\" in label set, expected identifier or \"}\""),
    );
    f(r#"{"p":"badname6","é":"v"}"#, &bad(16, "unexpected character inside braces: 'é'"));
}

#[test]
fn other_json_is_refused_with_its_place() {
    let f = |body: &str, want: &str| {
        let got = json(body);
        assert!(got.starts_with("json: ") && got.contains(want), "{body} {got}");
    };
    f("not json", "a push: expected { or null, but found 'n' at byte 0");
    f("[]", "found '[' at byte 0");
    f("", "found the end at byte 0");
    f(r#"{"streams": ["#, "a stream: expected { or null, but found the end at byte 13");
    f(r#"{"streams":[{"stream":"{}"}]}"#, "stream: expected {");
    f(r#"{"streams":[{"values":[[1,"x"]]}]}"#, "the time of an entry: expected a string");
    f(r#"{"streams":[{"values":[["1.5","x"]]}]}"#, "expected nanoseconds");
    f(r#"{"streams":[{"values":[["99999999999999999999","x"]]}]}"#, "expected nanoseconds");
    f(r#"{"streams":[{"values":[["1",null]]}]}"#, "the line of an entry: expected a string");
    f(r#"{"streams":[{"values":[["1","x",null]]}]}"#, "structured metadata: expected {");
    f(r#"{"streams":[{"values":[["1","x",{"a":5}]]}]}"#, "structured metadata: expected a string");
    f(r#"{"streams":[{"values":[{"ts":"1"}]}]}"#, "an entry: expected [ or null");
    f(r#"{"streams":[{"values":[["1","\q"]]}]}"#, "a bad escape");
    f(r#"{"streams":[{"values":[["1","x]]}]}"#, "a string without its closing quote");
    f(r#"{"a":{"b""#, "expected a value that ends");
    assert_eq!(json("null"), "");
    assert_eq!(json(r#"{"more":[{"x":"]"}],"streams":[null]}"#), "");
}

#[test]
fn the_older_form_has_labels_as_text_and_times_in_words() {
    let read = |body: &str| {
        let mut body = body.as_bytes().to_vec();
        shown(decode_legacy_json(&mut body, &Limits::default()))
    };
    let body = r#"{"streams":[{"labels":"{a=\"b\"}","entries":[{"ts":"1970-01-01T00:00:01.5Z","line":"x\n"},null]}]}"#;
    assert_eq!(read(body), "{a=\"b\"} 1500000000=x\n\n");
    let body = r#"{"streams":[{"labels":"{a","entries":[{"ts":"now"}]}]}"#;
    assert!(read(body).contains("ts: expected a time"), "{}", read(body));
    // The one form has nothing that the other looks at.
    assert_eq!(read(r#"{"streams":[{"stream":{"a":"b"},"values":[["1","x"]]}]}"#), "{}\n");
}

#[test]
fn label_texts_and_what_is_wrong_with_them() {
    let f = |text: &str, want: &str| {
        let got = match StreamLabels::Text(text).read() {
            Ok(pairs) => label_text(pairs.iter().map(|(n, v)| (n.as_ref(), v.as_ref()))),
            Err(error) => error.to_string().replace("couldn't parse labels: 1:", ""),
        };
        assert_eq!(got, want, "{text:?}");
    };
    f(r#"{b="2", a="1"}"#, r#"{b="2", a="1"}"#);
    f(" {a='x\\'',b=`\\`,} ", r#"{a="x'", b="\\"}"#);
    f("{}", "{}");
    f(" ", "{}");
    f(r#"up{a="1"}"#, r#"{__name__="up", a="1"}"#);
    f(r#"{push_case="pb_badlabels""#, "26: parse error: unexpected end of input inside braces");
    f(r#"push_case="pb""#, r#"10: parse error: unexpected "=""#);
    f(
        "{push_case=pb}",
        "12: parse error: unexpected identifier \"pb\" in label set, expected string",
    );
    f(
        r#"{a="x" b="y"}"#,
        "8: parse error: unexpected identifier \"b\" in label set, expected \",\" or \"}\"",
    );
    f(r#"{a="x"}z"#, "8: parse error: unexpected identifier \"z\"");
    f(r#"{a="x"#, "4: parse error: unterminated quoted string");
    f(r#"{a="\q"}"#, "4: parse error: error unquoting string \"\\\"\\\\q\\\"\"");
    f(r#"{a.b="x"}"#, "3: parse error: unexpected character inside braces: '.'");
    f(r#"{a!="x"}"#, "3: parse error: unexpected \"!\" in label set, expected \"=\"");
}

#[test]
fn what_is_encoded_is_decoded() {
    let labels: Labels = [("app", "a\"b"), ("host", "h")].into_iter().collect();
    let metadata: Labels = [("trace", "1")].into_iter().collect();
    let mut encoder = Encoder::default();
    let none = Labels::default();
    let entries = [(Nanos(-1), &b"a\xff"[..], &none), (Nanos(1_500_000_000), b"", &metadata)];
    encoder.stream(&labels, entries);
    encoder.stream(&none, []);
    let body = encoder.finish();
    let push = decode_protobuf(&body, &Limits::default()).expect("our own");
    assert_eq!(push.streams[0].entries[0].line.as_ref(), b"a\xff");
    let want = "{app=\"a\\\"b\", host=\"h\"} -1=a\u{fffd} 1500000000=(trace=1)\n{}\n";
    assert_eq!(shown(Ok(push)), want);
    for cut in 1..body.len() {
        drop(decode_protobuf(&body[..cut], &Limits::default()));
    }
}

#[test]
fn a_body_of_many_tiny_things_is_refused() {
    let mut body = b"{\"streams\":[".to_vec();
    body.extend(b"null,".repeat(2_000_001));
    let error = decode_json(&mut body, &Limits::default()).expect_err("too many");
    assert!(error.to_string().contains("more than the limit of 2000000"), "{error}");
    let body = [0x0a, 0x00].repeat(2_000_001);
    let error = decode_protobuf(&body, &Limits::default()).expect_err("too many");
    assert!(error.to_string().contains("more than the limit of 2000000"), "{error}");
}

#[test]
fn streams_without_entries_keep_nothing_and_others_are_counted_with_their_labels() {
    let f = |streams: &str, count: usize, want: Result<usize, &str>| {
        let body = format!(r#"{{"streams":[{}]}}"#, vec![streams; count].join(","));
        let mut body = body.into_bytes();
        match (decode_json(&mut body, &Limits::default()), want) {
            (Ok(push), Ok(want)) => assert_eq!(push.streams.len(), want, "{streams}"),
            (Err(error), Err(want)) => assert!(error.to_string().contains(want), "{error}"),
            (got, want) => panic!("{streams}: {got:?} is not {want:?}"),
        }
    };
    let full = r#"{"stream":{"a":"b"},"values":[["1","x"]]}"#;
    let empty = r#"{"stream":{"a":"b"},"values":[]}"#;
    f(empty, 1000, Ok(1));
    f(&format!("{empty},{full},{empty}"), 2, Ok(3));
    // A stream, its label and its entry count for eleven.
    let beyond = "has 2000001 items, more than the limit of 2000000";
    f(full, 181_819, Err(beyond));
    let labels = r#""a":"b","#.repeat(100_000);
    let labels = |values| format!(r#"{{"stream":{{{labels}"a":"b"}},"values":[{values}]}}"#);
    f(&labels(r#"["1","x"]"#), 20, Err("more than the limit of 2000000"));
    f(&labels(""), 20, Ok(1));

    let mut encoder = Encoder::default();
    let stream: Labels = [("a", "b")].into_iter().collect();
    let none = Labels::default();
    for entries in [0, 1, 0, 0, 1, 0, 0] {
        encoder.stream(&stream, vec![(Nanos(1), &b"x"[..], &none); entries]);
    }
    let want = "{a=\"b\"} 1=x\n{a=\"b\"} 1=x\n{a=\"b\"}\n";
    assert_eq!(shown(decode_protobuf(&encoder.finish(), &Limits::default())), want);
    let mut encoder = Encoder::default();
    for _ in 0..200_001 {
        encoder.stream(&none, [(Nanos(1), &b"x"[..], &none)]);
    }
    let body = encoder.finish();
    let error = decode_protobuf(&body, &Limits::default()).expect_err("too many");
    assert!(error.to_string().contains(beyond), "{error}");
}

proptest! {
    #[test]
    fn no_bytes_panic(
        bytes: Vec<u8>,
        soup in "[\\[\\]{}\",:\\\\u0-9a-z ]{0,60}",
        values in "[\\[\\]{}\",:\\\\u0-9 ]{0,40}",
    ) {
        let limits = Limits::default();
        drop(decode_protobuf(&bytes, &limits));
        let inner = format!("{{\"streams\":[{{\"stream\":{{\"a\":\"b\"}},\"values\":[[{values}]]}}]}}");
        for body in [bytes, soup.into_bytes(), inner.into_bytes()] {
            if let Ok(push) = decode_json(&mut body.clone(), &limits) {
                for stream in push.streams {
                    drop(stream.labels.read());
                }
            }
            drop(decode_legacy_json(&mut body.clone(), &limits));
        }
    }

    #[test]
    fn texts_of_labels_are_read_back(pairs in proptest::collection::btree_map("[a-z_]{1,5}", any::<String>(), 0..4)) {
        let text = label_text(pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())));
        let read = StreamLabels::Text(&text).read().expect("our own");
        let read: Vec<_> = read.into_iter().map(|(n, v)| (n.into_owned(), v.into_owned())).collect();
        prop_assert_eq!(read, pairs.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn json_lines_are_read_as_serde_reads_them(line: String, name in "[a-z\\PC]{1,5}") {
        let body = serde_json::json!({"streams": [{"stream": {"a": "b"}, "values": [["1", line, {&*name: &*line}]]}]});
        let mut body = body.to_string().into_bytes();
        let push = decode_json(&mut body, &Limits::default()).expect("valid");
        let stream = &push.streams[0];
        prop_assert_eq!(stream.entries[0].line.as_ref(), line.as_bytes());
        prop_assert_eq!(&stream.pairs, &[(name.into(), line.into())]);
    }
}
