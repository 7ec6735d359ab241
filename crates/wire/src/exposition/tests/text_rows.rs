//! The text format, with the cases of upstream's `promparse_test.go`.

use super::*;

const BODY: &str = concat!(
    "# HELP go_gc_duration_seconds A summary of the GC invocation durations.\n",
    "# \tTYPE go_gc_duration_seconds summary\n",
    "go_gc_duration_seconds{quantile=\"0\"} 4.9351e-05\n",
    "go_gc_duration_seconds{quantile=\"0.25\",} 7.424100000000001e-05\n",
    "go_gc_duration_seconds{quantile=\"0.8\", a=\"b\"} 8.3835e-05\n",
    "# Hrandom comment starting with prefix of HELP\n",
    "#\n\n",
    "wind_speed{A=\"2\",c=\"3\"} 12345\n",
    "# comment with escaped \\n newline\n",
    "# HELP nohelp1\n",
    "# HELP nohelp2 \n",
    "go_gc_duration_seconds { quantile= \"1.0\", a= \"b\", } 8.3835e-05\n",
    "go_gc_duration_seconds { quantile = \"2.0\" a = \"b\" } 8.3835e-05\n",
    "go_gc_duration_seconds_count 99\n",
    "some:aggregate:rate5m{a_b=\"c\"}\t1\n",
    "# TYPE go_goroutines gauge\n",
    "go_goroutines 33  \t123123\n",
    "_metric_starting_with_underscore 1\n",
    "testmetric{label=\"\\\"bar\\\"\\x\"} 1\n",
    "# TYPE h histogram\n",
    "h_bucket{le=\"1\"} 1\n",
    "# HELP metric foo\0bar \\\\ \\n \\\"\n",
    "null_byte_metric{a=\"abc\0\"} NaN",
);

#[test]
fn bodies_are_read() {
    check(
        BODY.as_bytes(),
        Format::Text,
        &[
            "help go_gc_duration_seconds A summary of the GC invocation durations.",
            "type go_gc_duration_seconds summary",
            r#"{__name__="go_gc_duration_seconds", quantile="0.0"} 0.000049351"#,
            r#"{__name__="go_gc_duration_seconds", quantile="0.25"} 0.00007424100000000001"#,
            r#"{__name__="go_gc_duration_seconds", a="b", quantile="0.8"} 0.000083835"#,
            r#"{A="2", __name__="wind_speed", c="3"} 12345"#,
            "help nohelp1 ",
            "help nohelp2 ",
            r#"{__name__="go_gc_duration_seconds", a="b", quantile="1.0"} 0.000083835"#,
            r#"{__name__="go_gc_duration_seconds", a="b", quantile="2.0"} 0.000083835"#,
            r#"{__name__="go_gc_duration_seconds_count"} 99"#,
            r#"{__name__="some:aggregate:rate5m", a_b="c"} 1"#,
            "type go_goroutines gauge",
            r#"{__name__="go_goroutines"} 33 @123123"#,
            r#"{__name__="_metric_starting_with_underscore"} 1"#,
            r#"{__name__="testmetric", label="\"bar\"\\x"} 1"#,
            "type h histogram",
            r#"{__name__="h_bucket", le="1.0"} 1"#,
            "help metric foo\0bar \\ \n \\\"",
            r#"{__name__="null_byte_metric", a="abc\x00"} NaN"#,
        ],
    );
    cut_and_flip(BODY.as_bytes(), Format::Text);
}

#[test]
fn names_may_stand_in_quotes() {
    let body = concat!(
        "# HELP \"go.gc_duration_seconds\" A summary.\n",
        "# \tTYPE \"go.gc_duration_seconds\" summary\n",
        "{\"go.gc_duration_seconds\",quantile=\"0\"} 1\n",
        "{ \"go.gc_duration_seconds\", quantile= \"1.0\", a= \"b\", } 2\n",
        "{a=\"b\",\"last\"} 3\n",
        "{\"go.gc_duration_seconds_count\"} 99\n",
        "{\"Heizölrückstoßabdämpfung 10€ metric with \\\"interesting\\\" {character\\nchoices}\",\"strange©™\\n'quoted' \\\"name\\\"\"=\"6\"} 10.0",
    );
    check(
        body.as_bytes(),
        Format::Text,
        &[
            "help go.gc_duration_seconds A summary.",
            "type go.gc_duration_seconds summary",
            r#"{__name__="go.gc_duration_seconds", quantile="0.0"} 1"#,
            r#"{__name__="go.gc_duration_seconds", a="b", quantile="1.0"} 2"#,
            r#"{__name__="last", a="b"} 3"#,
            r#"{__name__="go.gc_duration_seconds_count"} 99"#,
            r#"{__name__="Heizölrückstoßabdämpfung 10€ metric with \"interesting\" {character\nchoices}", "strange©™\n'quoted' \"name\""="6"} 10"#,
        ],
    );
}

#[test]
fn refusals_are_upstreams() {
    let f = |body: &[u8], want: &str| {
        let (_, error) = read(body, Format::Text, Options::default());
        assert_eq!(error.as_deref(), Some(want), "{}", String::from_utf8_lossy(body));
    };
    f(b"a", r#"expected value after metric, got "\n" ("INVALID") while parsing: "a\n""#);
    f(b"a{b='c'} 1\n", r#"expected label value, got "'" ("INVALID") while parsing: "a{b='""#);
    f(b"a{b=\n", r#"expected label value, got "\n" ("INVALID") while parsing: "a{b=\n""#);
    f(
        b"a{\xff=\"foo\"} 1\n",
        r#"expected label name, got "\xff" ("INVALID") while parsing: "a{\xff""#,
    );
    f(b"a{b=\"\xff\"} 1\n", r#"invalid UTF-8 label value: "\"\xff\"""#);
    f(
        br#"{"a", "b = "c"}"#,
        r#"expected equal, got "c\"" ("LNAME") while parsing: "{\"a\", \"b = \"c\"""#,
    );
    f(
        br#"{"a",b\nc="d"} 1"#,
        r#"expected equal, got "\\" ("INVALID") while parsing: "{\"a\",b\\""#,
    );
    f(b"a true\n", r#"strconv.ParseFloat: parsing "true": invalid syntax while parsing: "a true""#);
    f(
        b"something_weird{problem=\"",
        r#"expected label value, got "\"\n" ("INVALID") while parsing: "something_weird{problem=\"\n""#,
    );
    f(
        b"empty_label_name{=\"\"} 0",
        r#"expected label name, got "=\"" ("EQUAL") while parsing: "empty_label_name{=\"""#,
    );
    f(b"foo 1_2\n", r#"unsupported character in float while parsing: "foo 1_2""#);
    f(b"foo 0x1p-3\n", r#"unsupported character in float while parsing: "foo 0x1p-3""#);
    f(b"foo 0x1P-3\n", r#"unsupported character in float while parsing: "foo 0x1P-3""#);
    f(
        b"foo 0 1_2\n",
        r#"expected next entry after timestamp, got "_" ("INVALID") while parsing: "foo 0 1_""#,
    );
    f(br#"{a="ok"} 1"#, r#"metric name not set while parsing: "{a=\"ok\"} 1""#);
    f(br#"{"a","b"} 1"#, r#"metric name already set while parsing: "{\"a\",\"b\"}""#);
    f(
        b"# TYPE #\n#EOF\n",
        r##"expected metric name after TYPE, got "#" ("INVALID") while parsing: "# TYPE #""##,
    );
    f(
        b"# HELP #\n#EOF\n",
        r##"expected metric name after HELP, got "#" ("INVALID") while parsing: "# HELP #""##,
    );
    f(b"# TYPE a x\n", r#"invalid metric type "x""#);
    f(b"# HELP a \xff\n", r#"help text "\xff" is not a valid utf8 string"#);
    f(b"a 1\r\n", r#"strconv.ParseFloat: parsing "1\r": invalid syntax while parsing: "a 1\r""#);
    f(
        b"a 1 99999999999999999999\n",
        r#"strconv.ParseInt: parsing "99999999999999999999": value out of range while parsing: "a 1 99999999999999999999""#,
    );
    f(b"9 1\n", r#"expected a valid start token, got "9" ("INVALID") while parsing: "9""#);
    f(
        b"a 1 x\n",
        r#"expected timestamp or new record, got "x" ("INVALID") while parsing: "a 1 x""#,
    );
    // Null bytes belong into values and texts only.
    f(
        b"a{b=\0\"ssss\"} 1\n",
        r#"expected label value, got "\x00" ("INVALID") while parsing: "a{b=\x00""#,
    );
    f(
        b"a{b=\"\0",
        r#"expected label value, got "\"\x00\n" ("INVALID") while parsing: "a{b=\"\x00\n""#,
    );
    f(b"a{b\0=\"hiih\"}\t1", r#"expected equal, got "\x00" ("INVALID") while parsing: "a{b\x00""#);
    f(
        b"a\0{b=\"ddd\"} 1",
        r#"expected value after metric, got "\x00" ("INVALID") while parsing: "a\x00""#,
    );
    f(
        b"a 0 1\0",
        r#"expected next entry after timestamp, got "\x00" ("INVALID") while parsing: "a 0 1\x00""#,
    );
    f(
        b"{\"a\0\"} 1",
        r#"expected label name, got "\"a\x00" ("INVALID") while parsing: "{\"a\x00""#,
    );
}

#[test]
fn a_null_byte_where_a_line_begins_ends_the_body() {
    check(b"a 1\n\0garbage", Format::Text, &[r#"{__name__="a"} 1"#]);
    check(b"", Format::Text, &[]);
}
