//! Whole bodies through the parser, in every format.

use proptest::prelude::*;

use super::*;

mod converted;
mod openmetrics_rows;
mod protobuf_rows;
mod text_rows;

/// Everything that a body says, a line an entry, and the error that ended it.
fn read(body: &[u8], format: Format, options: Options) -> (Vec<String>, Option<String>) {
    let mut rows = Vec::new();
    let mut parser = match Parser::new(body, format, options) {
        Ok(parser) => parser,
        Err(error) => return (rows, Some(error.to_string())),
    };
    loop {
        let row = match parser.advance() {
            Ok(None) => break,
            Err(error) => return (rows, Some(error.to_string())),
            Ok(Some(Entry::Type)) => {
                format!("type {} {}", parser.family(), parser.metric_type().as_str())
            }
            Ok(Some(Entry::Help)) => format!("help {} {}", parser.family(), parser.text()),
            Ok(Some(Entry::Unit)) => format!("unit {} {}", parser.family(), parser.text()),
            Ok(Some(Entry::Sample)) => sample(&mut parser),
        };
        rows.push(row);
    }
    assert_eq!(parser.advance(), Ok(None), "the end is the end");
    (rows, None)
}

/// `labels value @timestamp st@start # exemplars`
fn sample(parser: &mut Parser<'_>) -> String {
    let mut row = vec![match parser.labels() {
        Ok(labels) => labels.to_string(),
        Err(error) => format!("({error})"),
    }];
    match parser.value() {
        ValueRef::Float(value) => row.push(format!(" {value}")),
        ValueRef::Histogram(h) => {
            let buckets: Vec<_> = h.positive().map(|b| (b.upper, b.count)).collect();
            row.push(format!(" count {} sum {} zero {} {buckets:?}", h.count, h.sum, h.zero_count));
        }
    }
    if let Some(timestamp) = parser.timestamp() {
        row.push(format!(" @{}", timestamp.0));
    }
    if let Some(start) = parser.start_timestamp() {
        row.push(format!(" st@{}", start.0));
    }
    let mut exemplars = Vec::new();
    let refused = parser.exemplars(&mut exemplars);
    for e in exemplars {
        row.push(format!(" # {} {} {:?}", e.labels, e.value, e.timestamp.map(|t| t.0)));
    }
    if refused > 0 {
        row.push(format!(" # {refused} refused"));
    }
    row.concat()
}

fn check(body: &[u8], format: Format, want: &[&str]) {
    let body_text = String::from_utf8_lossy(body);
    let (rows, error) = read(body, format, Options::default());
    assert_eq!(
        (rows, error),
        (want.iter().map(|w| (*w).to_owned()).collect(), None),
        "{body_text}"
    );
}

/// Each cut and each flipped bit must end in an answer; what was read before is still right.
fn cut_and_flip(body: &[u8], format: Format) {
    let options = Options {
        convert_classic_histograms: true,
        keep_classic_histograms: true,
        ..Options::default()
    };
    let (whole, error) = read(body, format, options);
    assert_eq!(error, None);
    for end in 0..body.len() {
        let (rows, _) = read(&body[..end], format, options);
        assert!(rows.len() <= whole.len(), "cut at {end}");
    }
    for bit in (0..body.len() * 8).step_by(3) {
        let mut body = body.to_vec();
        body[bit / 8] ^= 1 << (bit % 8);
        let (rows, _) = read(&body, format, options);
        assert!(rows.len() <= body.len(), "bit {bit}");
    }
}

#[test]
fn the_series_of_a_sample_is_its_bytes() {
    let f = |body: &str, format: Format, want: &str| {
        let mut parser = Parser::new(body.as_bytes(), format, Options::default()).expect("small");
        assert_eq!(parser.advance(), Ok(Some(Entry::Sample)));
        assert_eq!(String::from_utf8_lossy(parser.series()), want);
    };
    f("a 1", Format::Text, "a");
    f(" \ta{b = \"c\" ,} 1 2", Format::Text, r#"a{b = "c" ,}"#);
    f("a {b=\"c\"}\t1", Format::Text, r#"a {b="c"}"#);
    f("{ \"a.b\", c=\"d\" } 1", Format::Text, r#"{ "a.b", c="d" }"#);
    f("a{b=\"c\"} 1 # {} 1\n# EOF", Format::OpenMetrics, r#"a{b="c"}"#);
}

#[test]
fn limits_are_named() {
    let f = |limits: Limits, want: &str| {
        let options = Options { limits, ..Options::default() };
        let (rows, error) = read(b"a{b=\"cd\",ef=\"g\"} 1\n", Format::Text, options);
        let got = error.unwrap_or_else(|| rows.join("\n"));
        assert!(got.contains(want), "{got}");
    };
    f(
        Limits { labels: 2, ..Limits::default() },
        "series \"a\" has 3 labels, more than the limit of 2 (labels)",
    );
    f(
        Limits { label_value_bytes: 1, ..Limits::default() },
        "the value of label \"b\" has 2 bytes, more than the limit of 1 (label_value_bytes)",
    );
    f(
        Limits { label_name_bytes: 8, ..Limits::default() },
        "{__name__=\"a\", b=\"cd\", ef=\"g\"} 1",
    );
    f(
        Limits { body_bytes: 9, ..Limits::default() },
        "the body has 19 bytes, more than the limit of 9 (body_bytes)",
    );
}

#[test]
fn a_label_given_twice_is_refused_with_its_series_alone() {
    check(
        b"a{b=\"1\",b=\"2\"} 1\nc 2\n",
        Format::Text,
        &["(label \"b\" is given twice) 1", "{__name__=\"c\"} 2"],
    );
}

#[test]
fn what_is_written_is_read() {
    let labels = |text: &str| text.parse::<Labels>().expect(text);
    let exemplar =
        Exemplar { labels: labels(r#"{t="1"}"#), value: 0.5, timestamp: Some(Millis(1500)) };
    let write = |format| {
        let mut writer = TextWriter::new(format);
        writer.family(
            "req_seconds_total",
            MetricType::Counter,
            "Ends in \\ and\n\"q\".",
            "seconds",
        );
        writer.sample(
            &labels(r#"req_seconds_total{a="x\"y\\z\n"}"#),
            1_234_567.0,
            Some(Millis(1500)),
            Some(&exemplar),
        );
        writer.family("c", MetricType::Counter, "", "");
        writer.sample(&labels("c"), 2.0, None, None);
        writer.family("with.dots", MetricType::Gauge, "h", "");
        writer.sample(&labels(r#"{"with.dots", "l.b"="v"}"#), f64::NEG_INFINITY, None, None);
        writer.sample(&labels(r#"{"with.dots"}"#), 0.25, None, None);
        writer.family("i", MetricType::Info, "", "");
        writer.sample(&labels("i"), 1.0, None, None);
        assert!(writer.byte_len() > 100);
        writer.finish()
    };
    let text = write(WriteFormat::Text);
    assert_eq!(
        text,
        concat!(
            "# HELP req_seconds_total Ends in \\\\ and\\n\"q\".\n",
            "# TYPE req_seconds_total counter\n",
            "req_seconds_total{a=\"x\\\"y\\\\z\\n\"} 1.234567e+06 1500\n",
            "# TYPE c counter\nc 2\n",
            "# HELP \"with.dots\" h\n# TYPE \"with.dots\" gauge\n",
            "{\"with.dots\",\"l.b\"=\"v\"} -Inf\n{\"with.dots\"} 0.25\n",
            "# TYPE i gauge\ni 1\n",
        )
    );
    check(
        text.as_bytes(),
        Format::Text,
        &[
            "help req_seconds_total Ends in \\ and\n\"q\".",
            "type req_seconds_total counter",
            "{__name__=\"req_seconds_total\", a=\"x\\\"y\\\\z\\n\"} 1234567 @1500",
            "type c counter",
            "{__name__=\"c\"} 2",
            "help with.dots h",
            "type with.dots gauge",
            "{__name__=\"with.dots\", \"l.b\"=\"v\"} -inf",
            "{__name__=\"with.dots\"} 0.25",
            "type i gauge",
            "{__name__=\"i\"} 1",
        ],
    );
    let open = write(WriteFormat::OpenMetrics);
    assert!(open.ends_with("\n# EOF\n"));
    check(
        open.as_bytes(),
        Format::OpenMetrics,
        &[
            "help req_seconds Ends in \\ and\n\"q\".",
            "type req_seconds counter",
            "unit req_seconds seconds",
            "{__name__=\"req_seconds_total\", a=\"x\\\"y\\\\z\\n\"} 1234567 @1500 # {t=\"1\"} 0.5 Some(1500)",
            "type c counter",
            "{__name__=\"c_total\"} 2",
            "help with.dots h",
            "type with.dots gauge",
            "{__name__=\"with.dots\", \"l.b\"=\"v\"} -inf",
            "{__name__=\"with.dots\"} 0.25",
            "type i info",
            "{__name__=\"i\"} 1",
        ],
    );
}

#[test]
fn openmetrics_is_written_for_those_who_would_rather_have_it() {
    let f = |accept: &str, want: WriteFormat| {
        assert_eq!(WriteFormat::from_accept(accept), want, "{accept}");
    };
    f("", WriteFormat::Text);
    f("*/*", WriteFormat::Text);
    f("application/openmetrics-text", WriteFormat::OpenMetrics);
    f("application/openmetrics-text;q=0.2,text/plain;q=0.5", WriteFormat::Text);
    f(
        &accept_header(&ScrapeProtocol::DEFAULT, EscapingScheme::default()),
        WriteFormat::OpenMetrics,
    );
    f("text/plain;version=0.0.4,*/*;q=0.1", WriteFormat::Text);
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>, which in 0..3_usize, convert: bool) {
        let format = [Format::Text, Format::OpenMetrics, Format::Protobuf][which];
        let options = Options { convert_classic_histograms: convert, ..Options::default() };
        let (rows, _) = read(&bytes, format, options);
        prop_assert!(rows.len() <= bytes.len());
    }

    /// Soup of what bodies are made of gets further than random bytes.
    #[test]
    fn no_soup_panics(
        parts in prop::collection::vec(prop::sample::select(vec![
            "# ", "HELP ", "TYPE ", "UNIT ", "EOF", "\n", " ", "a", "a_bucket", "_created", "{", "}",
            "\"", "\\", "le", "=", "\"1\"", ",", "1", "NaN", "histogram", "counter", "\0", "st@", "é", ":",
        ]), 0..40),
        open: bool,
        convert: bool,
    ) {
        let body = parts.concat();
        let format = if open { Format::OpenMetrics } else { Format::Text };
        let options = Options { convert_classic_histograms: convert, ..Options::default() };
        let (rows, _) = read(body.as_bytes(), format, options);
        prop_assert!(rows.len() <= body.len());
    }

    #[test]
    fn labels_survive_being_written(
        pairs in prop::collection::btree_map("[a-zé.\"\\\\\n]{1,4}", "[^\0]{1,6}", 0..4),
        value: f64,
        open: bool,
    ) {
        let mut builder = masthead_model::LabelsBuilder::default();
        builder.set("__name__", "n.é");
        for (name, value) in &pairs {
            builder.set(name, value);
        }
        let labels = builder.build();
        let (write, read_as) = if open {
            (WriteFormat::OpenMetrics, Format::OpenMetrics)
        } else {
            (WriteFormat::Text, Format::Text)
        };
        let mut writer = TextWriter::new(write);
        writer.sample(&labels, value, Some(Millis(1)), None);
        let body = writer.finish();
        let mut parser = Parser::new(body.as_bytes(), read_as, Options::default())?;
        prop_assert_eq!(parser.advance()?, Some(Entry::Sample));
        prop_assert_eq!(parser.labels()?, labels);
        let got = match parser.value() { ValueRef::Float(v) => v, ValueRef::Histogram(_) => 0.5 };
        prop_assert!(got.to_bits() == value.to_bits() || (got.is_nan() && value.is_nan()));
        prop_assert_eq!(parser.timestamp(), Some(Millis(1)));
        prop_assert_eq!(parser.advance()?, None);
    }
}
