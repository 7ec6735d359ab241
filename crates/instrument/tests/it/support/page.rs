//! A strict reader of exposition pages: what a scraper would forgive, it does not.
//!
//! It panics on the first thing that is not as the formats say, with the line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Format {
    Text,
    OpenMetrics,
}

#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
    pub(crate) exemplar: Option<(BTreeMap<String, String>, f64)>,
}

impl Sample {
    pub(crate) fn key(&self) -> (String, BTreeMap<String, String>) {
        (self.name.clone(), self.labels.clone())
    }
}

#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) samples: Vec<Sample>,
    /// The type of each family, by its name.
    pub(crate) types: BTreeMap<String, String>,
}

impl Page {
    pub(crate) fn parse(text: &str, format: Format) -> Self {
        let mut page = Self { samples: Vec::new(), types: BTreeMap::new() };
        let mut family = String::new();
        let mut help: Option<String> = None;
        let body = match format {
            Format::OpenMetrics => text.strip_suffix("# EOF\n").expect("it ends with # EOF"),
            Format::Text => text,
        };
        assert!(body.is_empty() || body.ends_with('\n'), "the last line has no end");
        let mut seen = BTreeSet::new();
        for line in body.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, _) = rest.split_once(' ').expect(line);
                assert!(help.replace(name.to_owned()).is_none(), "two HELP in a row: {line}");
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').expect(line);
                assert_name(name, line);
                assert!(help.take().is_none_or(|of| of == name), "HELP of another family: {line}");
                let kinds = ["counter", "gauge", "histogram", "info"];
                assert!(kinds.contains(&kind), "an unexpected type: {line}");
                let total = name.ends_with("_total");
                assert_eq!(total, kind == "counter" && format == Format::Text, "{line}");
                assert!(kind != "info" || format == Format::OpenMetrics, "{line}");
                let before = page.types.insert(name.to_owned(), kind.to_owned());
                assert!(before.is_none(), "a family twice: {line}");
                name.clone_into(&mut family);
            } else if let Some(rest) = line.strip_prefix("# UNIT ") {
                let (name, unit) = rest.split_once(' ').expect(line);
                assert!(format == Format::OpenMetrics && name == family, "{line}");
                assert!(name.ends_with(&format!("_{unit}")), "{line}");
            } else {
                assert!(help.is_none(), "HELP without TYPE before: {line}");
                let sample = parse_sample(line);
                let kind = page.types.get(&family).unwrap_or_else(|| panic!("no TYPE: {line}"));
                assert_belongs(&sample, &family, kind, format, line);
                assert!(seen.insert(sample.key()), "a series twice: {line}");
                page.samples.push(sample);
            }
        }
        for (name, kind) in &page.types {
            if kind == "histogram" {
                page.assert_histogram(name);
            }
        }
        page
    }

    /// The value of the series with exactly these labels.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let want: BTreeMap<String, String> =
            labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        self.samples.iter().find(|s| s.name == name && s.labels == want).map(|s| s.value)
    }

    /// All values of a label, over all series.
    pub(crate) fn label_values(&self, label: &str) -> BTreeSet<&str> {
        self.samples.iter().filter_map(|s| s.labels.get(label)).map(String::as_str).collect()
    }

    fn assert_histogram(&self, name: &str) {
        let mut groups: BTreeMap<BTreeMap<String, String>, Vec<(f64, f64)>> = BTreeMap::new();
        for sample in self.samples.iter().filter(|s| s.name == format!("{name}_bucket")) {
            let mut labels = sample.labels.clone();
            let le = labels.remove("le").expect("a bucket has le");
            let bound = if le == "+Inf" { f64::INFINITY } else { le.parse().unwrap() };
            if let Some((labels, value)) = &sample.exemplar {
                assert!(*value <= bound, "{name}: an exemplar of {value} in {bound}");
                let length: usize = labels.iter().map(|(k, v)| k.len() + v.len()).sum();
                assert!(length <= 128, "{name}: an exemplar of {length} characters");
            }
            groups.entry(labels).or_default().push((bound, sample.value));
        }
        for (labels, buckets) in groups {
            for pair in buckets.windows(2) {
                assert!(pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1, "{name} {labels:?}");
            }
            let (last, count) = *buckets.last().unwrap();
            assert!(last.is_infinite(), "{name} {labels:?} ends at {last}");
            let labels: Vec<_> = labels.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            assert_eq!(self.value(&format!("{name}_count"), &labels), Some(count), "{name}");
            assert!(self.value(&format!("{name}_sum"), &labels).is_some(), "{name}: no sum");
        }
    }
}

fn assert_belongs(sample: &Sample, family: &str, kind: &str, format: Format, line: &str) {
    let suffix = sample.name.strip_prefix(family).unwrap_or_else(|| panic!("no TYPE: {line}"));
    let ok = match (kind, format) {
        ("counter", Format::OpenMetrics) => suffix == "_total",
        ("histogram", _) => matches!(suffix, "_bucket" | "_sum" | "_count"),
        ("info", _) => suffix == "_info",
        _ => suffix.is_empty(),
    };
    assert!(ok, "not a sample of {family}: {line}");
    assert!(kind == "gauge" || sample.value >= 0.0, "below zero: {line}");
    let may = format == Format::OpenMetrics && suffix == "_bucket";
    assert!(sample.exemplar.is_none() || may, "an exemplar that may not be: {line}");
}

fn parse_sample(line: &str) -> Sample {
    let end = line.find(['{', ' ']).expect(line);
    let (name, rest) = line.split_at(end);
    assert_name(name, line);
    let (labels, rest) = parse_labels(rest, line);
    let rest = rest.strip_prefix(' ').expect(line);
    let (value, exemplar) = match rest.split_once(" # ") {
        None => (rest, None),
        Some((value, exemplar)) => {
            let (labels, rest) = parse_labels(exemplar, line);
            let (number, time) = rest.trim_start().split_once(' ').expect(line);
            assert!(time.parse::<f64>().expect(line) > 1.6e9, "{line}");
            (value, Some((labels, number.parse().expect(line))))
        }
    };
    Sample { name: name.to_owned(), labels, value: value.parse().expect(line), exemplar }
}

fn parse_labels<'a>(text: &'a str, line: &str) -> (BTreeMap<String, String>, &'a str) {
    let mut labels = BTreeMap::new();
    let Some(mut rest) = text.strip_prefix('{') else { return (labels, text) };
    while !rest.starts_with('}') {
        let (name, tail) = rest.split_once("=\"").expect(line);
        assert_name(name, line);
        assert!(!name.contains(':'), "{line}");
        let mut value = String::new();
        let mut characters = tail.char_indices();
        let end = loop {
            match characters.next().expect(line) {
                (at, '"') => break at,
                (_, '\\') => value.push(match characters.next().expect(line).1 {
                    'n' => '\n',
                    same @ ('"' | '\\') => same,
                    other => panic!("an unknown escape {other:?}: {line}"),
                }),
                (_, character) => value.push(character),
            }
        };
        assert!(labels.insert(name.to_owned(), value).is_none(), "a label twice: {line}");
        rest = &tail[end + 1..];
        match rest.strip_prefix(',') {
            Some(next) => {
                assert!(!next.starts_with('}'), "a comma too many: {line}");
                rest = next;
            }
            None => assert!(rest.starts_with('}'), "{line}"),
        }
    }
    (labels, &rest[1..])
}

fn assert_name(name: &str, line: &str) {
    let ok = |(at, c): (usize, char)| {
        c.is_ascii_alphabetic() || "_:".contains(c) || (at > 0 && c.is_ascii_digit())
    };
    assert!(!name.is_empty() && name.char_indices().all(ok), "not a name {name:?}: {line}");
}

/// Reads an object of a log line; panics on anything but one object without a repeated key.
pub(crate) fn strict_json(line: &str) -> Value {
    struct Unique(Value);
    impl<'de> Deserialize<'de> for Unique {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_map(UniqueVisitor)
        }
    }
    struct UniqueVisitor;
    impl<'de> Visitor<'de> for UniqueVisitor {
        type Value = Unique;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Unique, A::Error> {
            let mut object = serde_json::Map::new();
            while let Some((key, value)) = map.next_entry::<String, Value>()? {
                assert!(object.insert(key.clone(), value).is_none(), "{key} twice");
            }
            Ok(Unique(Value::Object(object)))
        }
    }
    serde_json::from_str::<Unique>(line).unwrap_or_else(|error| panic!("{error}: {line}")).0
}

#[test]
fn the_strict_reader_refuses_pages_that_are_wrong() {
    let f = |page: &str, format: Format, good: bool| {
        let page = page.to_owned();
        let result = std::panic::catch_unwind(|| Page::parse(&page, format));
        assert_eq!(result.is_ok(), good, "{page}");
    };
    f("# TYPE a gauge\na 1\n", Format::Text, true);
    f("# TYPE a gauge\na 1\n", Format::OpenMetrics, false);
    f("a 1\n", Format::Text, false);
    f("# TYPE a gauge\na 1\na 1\n", Format::Text, false);
    f("# TYPE a gauge\na{b=\"c\"} 1\na{b=\"d\"} 1\n", Format::Text, true);
    f("# TYPE a gauge\na{b=\"c\",} 1\n", Format::Text, false);
    f("# TYPE a gauge\na{b=\"\\x\"} 1\n", Format::Text, false);
    f("# TYPE a counter\na_total 1\n# EOF\n", Format::OpenMetrics, true);
    f("# TYPE a_total counter\na_total 1\n# EOF\n", Format::OpenMetrics, false);
    f("# TYPE a counter\na_total 1\n", Format::Text, false);
    let histogram = |first: u8, count: u8| {
        format!(
            "# TYPE h histogram\nh_bucket{{le=\"1\"}} {first}\nh_bucket{{le=\"+Inf\"}} 2\nh_sum 1\nh_count {count}\n"
        )
    };
    f(&histogram(1, 2), Format::Text, true);
    f(&histogram(3, 2), Format::Text, false);
    f(&histogram(1, 3), Format::Text, false);
}
