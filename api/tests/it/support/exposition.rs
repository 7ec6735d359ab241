//! A strict reader of the text exposition format 0.0.4. It panics at whatever is not allowed.
//!
//! Rules: `prometheus.io/docs/instrumenting/exposition_formats`, "Text-based format".

use std::collections::{BTreeMap, BTreeSet};

/// The labels of a series, sorted.
pub(crate) type Labels = BTreeMap<String, String>;

/// One scrape.
#[derive(Debug)]
pub(crate) struct Exposition {
    /// Family name to type.
    pub(crate) types: BTreeMap<String, String>,
    /// (Sample name, labels) to value.
    pub(crate) samples: BTreeMap<(String, Labels), f64>,
}

impl Exposition {
    pub(crate) fn parse(text: &str) -> Self {
        assert!(text.ends_with('\n'), "the last line has no end");
        let (mut types, mut helps) = (BTreeMap::new(), BTreeSet::new());
        let (mut samples, mut family, mut done) = (BTreeMap::new(), String::new(), BTreeSet::new());
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let name = rest.split(' ').next().unwrap().to_owned();
                assert!(helps.insert(name.clone()), "second HELP: {line}");
                assert!(!types.contains_key(&name), "HELP after TYPE: {line}");
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                assert!(is_name(name), "{line}");
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
                assert!(
                    types.insert(name.to_owned(), kind.to_owned()).is_none(),
                    "second TYPE: {line}"
                );
                assert!(done.insert(std::mem::replace(&mut family, name.to_owned())), "{line}");
            } else {
                assert!(!line.starts_with('#'), "unknown comment: {line}");
                let (name, labels, value) = sample(line);
                let kind = types.get(&family).unwrap_or_else(|| panic!("no TYPE: {line}"));
                let suffix = name.strip_prefix(family.as_str());
                let suffix = suffix.unwrap_or_else(|| panic!("not of family {family}: {line}"));
                let fits = match kind.as_str() {
                    "histogram" => ["_bucket", "_sum", "_count"].contains(&suffix),
                    _ => suffix.is_empty(),
                };
                assert!(fits, "{kind}: {line}");
                assert!(kind != "counter" || name.ends_with("_total"), "{line}");
                assert!(samples.insert((name, labels), value).is_none(), "second sample: {line}");
            }
        }
        let exposition = Self { types, samples };
        exposition.check_histograms();
        exposition
    }

    /// The value of one series; labels as `a=b` joined by commas.
    pub(crate) fn value(&self, name: &str, labels: &str) -> f64 {
        self.find(name, labels).unwrap_or_else(|| panic!("no {name}{{{labels}}} in {self:#?}"))
    }

    pub(crate) fn find(&self, name: &str, labels: &str) -> Option<f64> {
        let pairs = labels.split(',').filter(|pair| !pair.is_empty());
        let labels = pairs.map(|pair| pair.split_once('=').unwrap());
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        self.samples.get(&(name.to_owned(), labels)).copied()
    }

    /// Every series there is, without values.
    pub(crate) fn series(&self) -> BTreeSet<(String, Labels)> {
        self.samples.keys().cloned().collect()
    }

    /// The label names that samples of `family` bear, but a histogram's own `le`.
    pub(crate) fn label_names(&self, family: &str) -> BTreeSet<&str> {
        let of_family = self.samples.keys().filter(|(name, _)| {
            ["", "_bucket", "_sum", "_count"]
                .iter()
                .any(|end| name.strip_suffix(end) == Some(family))
        });
        of_family
            .flat_map(|(_, labels)| labels.keys().map(String::as_str))
            .filter(|name| *name != "le")
            .collect()
    }

    fn check_histograms(&self) {
        let mut buckets: BTreeMap<(String, Labels), Vec<(f64, f64)>> = BTreeMap::new();
        for ((name, labels), value) in &self.samples {
            let Some(family) = name.strip_suffix("_bucket") else { continue };
            let mut labels = labels.clone();
            let le = labels.remove("le").unwrap_or_else(|| panic!("{name} without le"));
            let le = if le == "+Inf" { f64::INFINITY } else { le.parse().unwrap() };
            buckets.entry((family.to_owned(), labels)).or_default().push((le, *value));
        }
        for ((family, labels), mut counts) in buckets {
            counts.sort_by(|a, b| a.0.total_cmp(&b.0));
            assert!(
                counts.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1),
                "{family} {labels:?} {counts:?}"
            );
            let last = counts.last().unwrap();
            assert_eq!(last.0, f64::INFINITY, "{family} {labels:?}");
            let count = self.samples[&(format!("{family}_count"), labels.clone())];
            assert_eq!(last.1, count, "{family} {labels:?}");
            assert!(self.samples.contains_key(&(format!("{family}_sum"), labels)), "{family}");
        }
    }
}

fn sample(line: &str) -> (String, Labels, f64) {
    let end = line.find(['{', ' ']).unwrap_or_else(|| panic!("no value: {line}"));
    let name = &line[..end];
    assert!(is_name(name), "{line}");
    let (labels, value) = match line[end..].strip_prefix('{') {
        None => (Labels::new(), &line[end..]),
        Some(rest) => labels(rest, line),
    };
    let value = value.strip_prefix(' ').unwrap_or_else(|| panic!("no space: {line}"));
    let value = match value {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        "NaN" => f64::NAN,
        value => value.parse().unwrap_or_else(|_| panic!("bad value: {line}")),
    };
    (name.to_owned(), labels, value)
}

fn labels<'a>(mut rest: &'a str, line: &str) -> (Labels, &'a str) {
    let mut labels = Labels::new();
    while !rest.starts_with('}') {
        let (name, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("bad label: {line}"));
        assert!(is_name(name) && !name.contains(':'), "{line}");
        let (mut value, mut chars) = (String::new(), after.char_indices());
        rest = loop {
            match chars.next().unwrap_or_else(|| panic!("open label: {line}")) {
                (at, '"') => break &after[at + 1..],
                (_, '\\') => match chars.next().map(|(_, c)| c) {
                    Some('n') => value.push('\n'),
                    Some(c @ ('\\' | '"')) => value.push(c),
                    _ => panic!("bad escape: {line}"),
                },
                (_, c) => value.push(c),
            }
        };
        assert!(labels.insert(name.to_owned(), value).is_none(), "second {name}: {line}");
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None => assert!(rest.starts_with('}'), "{line}"),
        }
    }
    (labels, &rest[1..])
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
}
