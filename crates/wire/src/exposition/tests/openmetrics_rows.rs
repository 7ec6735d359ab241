//! OpenMetrics, with the cases of upstream's `openmetricsparse_test.go`.

use super::*;

const BODY: &str = concat!(
    "# HELP go_gc_duration_seconds A summary of \\\"GC\\\".\n",
    "# TYPE go_gc_duration_seconds summary\n",
    "# UNIT go_gc_duration_seconds seconds\n",
    "go_gc_duration_seconds{quantile=\"0\"} 4.9351e-05\n",
    "go_gc_duration_seconds{quantile=\"0.25\"} 7.5e-05\n",
    "go_gc_duration_seconds{quantile=\"0.5\",a=\"b\"} 8e-05\n",
    "# HELP nohelp1 \n",
    "# UNIT nounit \n",
    "# TYPE hh histogram\n",
    "hh_bucket{le=\"+Inf\"} 1\n",
    "# TYPE gh gaugehistogram\n",
    "gh_bucket{le=\"+Inf\"} 1\n",
    "# TYPE hhh histogram\n",
    "hhh_bucket{le=\"+Inf\"} 1 # {id=\"histogram-bucket-test\"} 4\n",
    "hhh_count 1 # {id=\"histogram-count-test\"} 4 1.5\n",
    "# TYPE ii info\n",
    "ii{foo=\"bar\"} 1\n",
    "# TYPE ss stateset\n",
    "ss{ss=\"foo\"} 1\n",
    "# TYPE un unknown\n",
    "_metric_starting_with_underscore 1\n",
    "testmetric{label=\"\\\"bar\\\"\"} 1\n",
    "# TYPE foo counter\n",
    "foo_total 17.0 1520879607.789 # {id=\"counter-test\"} 5\n",
    "foo_created 1520872607.123\n",
    "foo_total{a=\"b\"} 17.0 1520879607.789 # {id=\"counter-test\"} 5 3\n",
    "foo_created{a=\"b\"} 1520872607.5\n",
    "foo_total{a=\"c\"} 1\n",
    "new_total 5 2 st@1.25 # {} 1\n",
    "new_total 5 st@1.25\n",
    "null_byte{a=\"abc\0\"} 1\n",
    "# EOF\n",
);

#[test]
fn bodies_are_read() {
    check(
        BODY.as_bytes(),
        Format::OpenMetrics,
        &[
            "help go_gc_duration_seconds A summary of \"GC\".",
            "type go_gc_duration_seconds summary",
            "unit go_gc_duration_seconds seconds",
            r#"{__name__="go_gc_duration_seconds", quantile="0.0"} 0.000049351"#,
            r#"{__name__="go_gc_duration_seconds", quantile="0.25"} 0.000075"#,
            r#"{__name__="go_gc_duration_seconds", a="b", quantile="0.5"} 0.00008"#,
            "help nohelp1 ",
            "unit nounit ",
            "type hh histogram",
            r#"{__name__="hh_bucket", le="+Inf"} 1"#,
            "type gh gaugehistogram",
            r#"{__name__="gh_bucket", le="+Inf"} 1"#,
            "type hhh histogram",
            r#"{__name__="hhh_bucket", le="+Inf"} 1 # {id="histogram-bucket-test"} 4 None"#,
            r#"{__name__="hhh_count"} 1 # {id="histogram-count-test"} 4 Some(1500)"#,
            "type ii info",
            r#"{__name__="ii", foo="bar"} 1"#,
            "type ss stateset",
            r#"{__name__="ss", ss="foo"} 1"#,
            "type un unknown",
            r#"{__name__="_metric_starting_with_underscore"} 1"#,
            r#"{__name__="testmetric", label="\"bar\""} 1"#,
            "type foo counter",
            r#"{__name__="foo_total"} 17 @1520879607789 st@1520872607123 # {id="counter-test"} 5 None"#,
            r#"{__name__="foo_created"} 1520872607.123"#,
            r#"{__name__="foo_total", a="b"} 17 @1520879607789 st@1520872607500 # {id="counter-test"} 5 Some(3000)"#,
            r#"{__name__="foo_created", a="b"} 1520872607.5"#,
            r#"{__name__="foo_total", a="c"} 1"#,
            r#"{__name__="new_total"} 5 @2000 st@1250 # {} 1 None"#,
            r#"{__name__="new_total"} 5 st@1250"#,
            r#"{__name__="null_byte", a="abc\x00"} 1"#,
        ],
    );
    cut_and_flip(BODY.as_bytes(), Format::OpenMetrics);
}

#[test]
fn created_lines_tell_the_start_of_the_lines_before_them() {
    let body = concat!(
        "# TYPE \"go.gc\" summary\n",
        "{\"go.gc\",quantile=\"0\"} 1\n",
        "{\"go.gc\",quantile=\"0.25\"} 2\n",
        "{\"go.gc_created\"} 1520872607.123\n",
        "{\"go.gc\",quantile=\"0.5\",a=\"b\"} 3\n",
        "# TYPE thing histogram\n",
        "thing_bucket{x=\"1\",le=\"1\"} 4\n",
        "thing_count{x=\"1\"} 5\n",
        "thing_created{x=\"1\"} 7\n",
        "thing_bucket{x=\"2\",le=\"1\"} 6\n",
        "thing_created{x=\"2\"} 8 # {a=\"_created\"} 1\n",
        "# TYPE late histogram\n",
        "late_created 9\n",
        "late_count 10\n",
        "# TYPE g gauge\n",
        "g_created 11\n",
        "# EOF\n",
    );
    let options = Options { skip_created_series: true, ..Options::default() };
    let want = [
        "type go.gc summary",
        r#"{__name__="go.gc", quantile="0.0"} 1 st@1520872607123"#,
        r#"{__name__="go.gc", quantile="0.25"} 2 st@1520872607123"#,
        r#"{__name__="go.gc", a="b", quantile="0.5"} 3"#,
        "type thing histogram",
        r#"{__name__="thing_bucket", le="1.0", x="1"} 4 st@7000"#,
        r#"{__name__="thing_count", x="1"} 5 st@7000"#,
        r#"{__name__="thing_bucket", le="1.0", x="2"} 6 st@8000"#,
        "type late histogram",
        r#"{__name__="late_count"} 10"#,
        "type g gauge",
        r#"{__name__="g_created"} 11"#,
    ];
    let (rows, error) = read(body.as_bytes(), Format::OpenMetrics, options);
    assert_eq!((rows, error), (want.map(str::to_owned).to_vec(), None));
}

#[test]
fn refusals_are_upstreams() {
    let f = |body: &[u8], want: &str| {
        let (_, error) = read(body, Format::OpenMetrics, Options::default());
        assert_eq!(error.as_deref(), Some(want), "{}", String::from_utf8_lossy(body));
    };
    let eof = "data does not end with # EOF";
    f(b"", eof);
    f(b"metric 1", eof);
    f(b"metric 1\n", eof);
    f(b"metric_total 1 # {aa=\"bb\"} 4", eof);
    f(b"\n", r#"expected a valid start token, got "\n" ("INVALID") while parsing: "\n""#);
    f(b"metric", r#"expected value after metric, got "metric" ("EOF") while parsing: "metric""#);
    f(b"a\n#EOF\n", r#"expected value after metric, got "\n" ("INVALID") while parsing: "a\n""#);
    f(b" a 1\n#EOF\n", r#"expected a valid start token, got " " ("INVALID") while parsing: " ""#);
    f(b"9\n#EOF\n", r#"expected a valid start token, got "9" ("INVALID") while parsing: "9""#);
    f(b"# TYPE u untyped\n#EOF\n", r#"invalid metric type "untyped""#);
    f(b"# TYPE c counter \n#EOF\n", r#"invalid metric type "counter ""#);
    f(
        b"#  TYPE c counter\n#EOF\n",
        r##"expected a valid start token, got "#  " ("INVALID") while parsing: "#  ""##,
    );
    f(
        b"# TYPE \n#EOF\n",
        r##"expected metric name after TYPE, got "\n" ("INVALID") while parsing: "# TYPE \n""##,
    );
    f(b"# TYPE m\n#EOF\n", "expected text in TYPE");
    f(b"# UNIT metric suffix\n#EOF\n", r#"unit "suffix" not a suffix of metric "metric""#);
    f(
        b"# UNIT metricsuffix suffix\n#EOF\n",
        r#"unit "suffix" not a suffix of metric "metricsuffix""#,
    );
    f(b"# UNIT m suffix\n#EOF\n", r#"unit "suffix" not a suffix of metric "m""#);
    f(b"# UNIT m\n#EOF\n", "expected text in UNIT");
    f(b"# HELP m\n#EOF\n", "expected text in HELP");
    f(b"a\t1\n#EOF\n", r#"expected value after metric, got "\t" ("INVALID") while parsing: "a\t""#);
    f(
        b"a 1\t2\n#EOF\n",
        r#"strconv.ParseFloat: parsing "1\t2": invalid syntax while parsing: "a 1\t2""#,
    );
    f(
        b"a 1 2 \n#EOF\n",
        r#"expected next entry after timestamp, got " \n" ("INVALID") while parsing: "a 1 2 \n""#,
    );
    f(
        b"a 1 2 #\n#EOF\n",
        r#"expected next entry after timestamp, got " #\n" ("TIMESTAMP") while parsing: "a 1 2 #\n""#,
    );
    f(
        b"a 1 1z\n#EOF\n",
        r#"strconv.ParseFloat: parsing "1z": invalid syntax while parsing: "a 1 1z""#,
    );
    f(b"# EOF\na 1", "unexpected data after # EOF");
    f(b"# EOF\n\n", "unexpected data after # EOF");
    f(b"# EOFa 1", "unexpected data after # EOF");
    f(
        b"#\tTYPE c counter\n",
        r##"expected a valid start token, got "#\t" ("INVALID") while parsing: "#\t""##,
    );
    f(b"# TYPE c  counter\n", r#"invalid metric type " counter""#);
    f(
        b"a 1 1 1\n# EOF\n",
        r#"expected next entry after timestamp, got " 1\n" ("TIMESTAMP") while parsing: "a 1 1 1\n""#,
    );
    f(
        b"a{b='c'} 1\n# EOF\n",
        r#"expected label value, got "'" ("INVALID") while parsing: "a{b='""#,
    );
    f(
        b"a{,b=\"c\"} 1\n# EOF\n",
        r#"expected label name, got ",b" ("COMMA") while parsing: "a{,b""#,
    );
    f(
        b"a{b=\"c\"d=\"e\"} 1\n# EOF\n",
        r#"expected comma or brace close, got "d=" ("LNAME") while parsing: "a{b=\"c\"d=""#,
    );
    f(
        b"a{b=\"c\",,d=\"e\"} 1\n# EOF\n",
        r#"expected label name, got ",d" ("COMMA") while parsing: "a{b=\"c\",,d""#,
    );
    f(b"a{b} 1\n# EOF\n", r#"expected equal, got "} " ("BCLOSE") while parsing: "a{b} ""#);
    f(b"a{b=\n# EOF\n", r#"expected label value, got "\n" ("INVALID") while parsing: "a{b=\n""#);
    f(
        b"a{\xff=\"foo\"} 1\n# EOF\n",
        r#"expected label name, got "\xff" ("INVALID") while parsing: "a{\xff""#,
    );
    f(b"a{b=\"\xff\"} 1\n# EOF\n", r#"invalid UTF-8 label value: "\"\xff\"""#);
    f(
        b"{\"a\",\"b = \"c\"}\n# EOF\n",
        r#"expected equal, got "c\"" ("LNAME") while parsing: "{\"a\",\"b = \"c\"""#,
    );
    f(b"a true\n", r#"strconv.ParseFloat: parsing "true": invalid syntax while parsing: "a true""#);
    f(
        b"something_weird{problem=\"\n# EOF\n",
        r#"expected label value, got "\"\n" ("INVALID") while parsing: "something_weird{problem=\"\n""#,
    );
    f(b"foo 1_2\n\n# EOF\n", r#"unsupported character in float while parsing: "foo 1_2""#);
    f(b"foo 0 1_2\n\n# EOF\n", r#"unsupported character in float while parsing: "foo 0 1_2""#);
    f(
        b"c_total 1 # {aa=bb}\n# EOF\n",
        r#"expected label value, got "b" ("INVALID") while parsing: "c_total 1 # {aa=b""#,
    );
    f(
        b"c_total 1 # {aa=\"bb\"}\n# EOF\n",
        r#"expected value after exemplar labels, got "\n" ("INVALID") while parsing: "c_total 1 # {aa=\"bb\"}\n""#,
    );
    f(
        b"c_total 1 # {aa=\"bb\"}",
        r#"expected value after exemplar labels, got "}" ("EOF") while parsing: "c_total 1 # {aa=\"bb\"}""#,
    );
    f(
        b"c_total 1 # {bb}",
        r#"expected label name, got "}" ("BCLOSE") while parsing: "c_total 1 # {bb}""#,
    );
    f(
        b"c_total 1 # {bb, a=\"dd\"}",
        r#"expected label name, got ", " ("COMMA") while parsing: "c_total 1 # {bb, ""#,
    );
    f(
        b"c_total 1 # {aa=\"bb\",,cc=\"dd\"} 1",
        r#"expected label name, got ",c" ("COMMA") while parsing: "c_total 1 # {aa=\"bb\",,c""#,
    );
    f(
        b"c_total 1 # {aa=\"bb\"} 1_2",
        r#"unsupported character in float while parsing: "c_total 1 # {aa=\"bb\"} 1_2""#,
    );
    f(
        b"c_total 1 # {aa=\"bb\",cc=}",
        r#"expected label value, got "}" ("INVALID") while parsing: "c_total 1 # {aa=\"bb\",cc=}""#,
    );
    f(b"{b=\"c\",} 1", r#"metric name not set while parsing: "{b=\"c\",} 1""#);
    f(b"a 1 NaN", "invalid timestamp NaN");
    f(b"a 1 -Inf", "invalid timestamp -Inf");
    f(b"a 1 Inf", "invalid timestamp +Inf");
    f(
        b"# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1 # {aa=\"bb\"} 4 NaN",
        "invalid exemplar timestamp NaN",
    );
    f(
        b"a{b=\0\"ssss\"} 1\n# EOF\n",
        r#"expected label value, got "\x00" ("INVALID") while parsing: "a{b=\x00""#,
    );
    f(b"a{b=\"\0", r#"expected label value, got "\"\x00" ("INVALID") while parsing: "a{b=\"\x00""#);
    f(b"a{b\0=\"hiih\"}\t1", r#"expected equal, got "\x00" ("INVALID") while parsing: "a{b\x00""#);
    f(
        b"a\0{b=\"ddd\"} 1",
        r#"expected value after metric, got "\x00" ("INVALID") while parsing: "a\x00""#,
    );
    f(b"#", r##"expected a valid start token, got "#" ("INVALID") while parsing: "#""##);
    f(b"# H", r##"expected a valid start token, got "# H" ("INVALID") while parsing: "# H""##);
    f(
        b"c_total 1 # {b=\"\0ss\"} 1\n",
        r#"expected label value, got "\"\x00" ("INVALID") while parsing: "c_total 1 # {b=\"\x00""#,
    );
}
