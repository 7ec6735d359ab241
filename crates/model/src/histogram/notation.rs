//! The two text forms: what answers show, and the `{{schema:1 count:5 …}}` of test scripts.
//!
//! Upstream: `FloatHistogram.String`, `.TestExpression`, and the grammar of series descriptions in
//! `promql/parser/generated_parser.y`.

use std::fmt;

use super::{BUCKETS_MAX, CounterResetHint, Histogram, Schema, Span, cells::walk};
use crate::{format_shortest, parse_number};

/// Why a text in double braces is not a histogram.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotationError {
    /// It doesn't stand in double braces, or a field isn't `key:value`.
    #[error("histogram: expected {expected} at byte {offset}")]
    Syntax {
        /// Bytes from the opening braces.
        offset: usize,
        /// What should have stood there.
        expected: &'static str,
    },
    /// A key that no histogram has.
    #[error("histogram: bad histogram descriptor found: {key:?}")]
    UnknownKey {
        /// The key.
        key: String,
    },
    /// A key twice.
    #[error("histogram: duplicate key {key:?} in histogram")]
    Duplicate {
        /// The key.
        key: String,
    },
    /// A value that its key doesn't take.
    #[error("histogram: error parsing {key}: {value:?}")]
    Value {
        /// The key.
        key: &'static str,
        /// What stood there.
        value: String,
    },
    /// More buckets than a histogram may have.
    #[error("histogram: more than {BUCKETS_MAX} buckets")]
    TooManyBuckets,
}

/// A histogram as a script describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct NotedHistogram {
    /// The histogram.
    pub histogram: Histogram,
    /// Whether the script says which counter reset hint it has; otherwise any will do.
    pub hint_given: bool,
}

/// `{count:3, sum:7, [-0.001,0.001]:1, (1,2]:2}`, from the lowest bucket to the highest.
impl fmt::Display for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |n| format_shortest(n, 6);
        write!(f, "{{count:{}, sum:{}", number(self.count), number(self.sum))?;
        for (rule, lower, upper, count) in self.api_buckets() {
            let open = if matches!(rule, 1 | 3) { '[' } else { '(' };
            let close = if matches!(rule, 0 | 3) { ']' } else { ')' };
            write!(f, ", {open}{},{}{close}:{}", number(lower), number(upper), number(count))?;
        }
        f.write_str("}")
    }
}

impl Histogram {
    /// The text that test scripts use: `{{schema:1 count:5 sum:7 buckets:[2 3]}}`.
    ///
    /// A side whose buckets lie so far apart that the text would be endless is left out.
    pub fn to_test_expression(&self) -> String {
        let mut fields = Vec::new();
        let number = |n| format_shortest(n, 6);
        if self.schema.number() != 0 {
            fields.push(format!("schema:{}", self.schema.number()));
        }
        let scalars = [
            ("count", self.count),
            ("sum", self.sum),
            ("z_bucket", self.zero_count),
            ("z_bucket_w", self.zero_threshold),
        ];
        fields.extend(
            scalars
                .iter()
                .filter(|(_, n)| *n != 0.0)
                .map(|(key, n)| format!("{key}:{}", number(*n))),
        );
        if self.uses_custom_buckets() {
            fields.push(format!("custom_values:[{}]", joined(self.custom_values.iter().copied())));
        }
        let hint = match self.counter_reset_hint {
            CounterResetHint::Unknown => None,
            CounterResetHint::CounterReset => Some("reset"),
            CounterResetHint::NotCounterReset => Some("not_reset"),
            CounterResetHint::Gauge => Some("gauge"),
        };
        fields.extend(hint.map(|hint| format!("counter_reset_hint:{hint}")));
        push_side(&mut fields, "offset", "buckets", &self.positive_spans, &self.positive_buckets);
        push_side(
            &mut fields,
            "n_offset",
            "n_buckets",
            &self.negative_spans,
            &self.negative_buckets,
        );
        format!("{{{{{}}}}}", fields.join(" "))
    }

    /// Reads what stands in double braces at the start of `text`, and returns what follows.
    ///
    /// # Errors
    /// [`NotationError`], with the place or the key in question.
    pub fn parse_test_expression(text: &str) -> Result<(NotedHistogram, &str), NotationError> {
        let syntax = |rest: &str, expected| NotationError::Syntax {
            offset: text.len() - rest.len(),
            expected,
        };
        let mut rest = text.strip_prefix("{{").ok_or(syntax(text, "`{{`"))?;
        let mut fields = Fields::default();
        loop {
            rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix("}}") {
                return Ok((fields.finish(), after));
            }
            let key_len =
                rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
            let (key, after) = rest.split_at(key_len);
            let after = after.trim_start();
            let value = after.strip_prefix(':').ok_or(syntax(after, "`:`"))?.trim_start();
            let len = if value.starts_with('[') {
                value.find(']').ok_or(syntax(value, "`]`"))? + 1
            } else {
                value.find(|c: char| c.is_ascii_whitespace() || c == '}').unwrap_or(value.len())
            };
            let (value, after) = value.split_at(len);
            fields.set(key, value)?;
            rest = after;
        }
    }
}

fn joined(numbers: impl Iterator<Item = f64>) -> String {
    numbers.map(|n| format_shortest(n, 6)).collect::<Vec<_>>().join(" ")
}

fn push_side(
    fields: &mut Vec<String>,
    offset_key: &str,
    key: &str,
    spans: &[Span],
    counts: &[f64],
) {
    let mut dense: Vec<f64> = Vec::new();
    let mut first = None;
    for (index, count) in walk(spans, counts).filter(|(_, count)| *count != 0.0) {
        let from = *first.get_or_insert(index);
        let Ok(at) = usize::try_from(i64::from(index) - i64::from(from)) else { return };
        if at > BUCKETS_MAX {
            return;
        }
        dense.resize(at.max(dense.len()), 0.0);
        dense.push(count);
    }
    if let Some(first) = first {
        if first != 0 {
            fields.push(format!("{offset_key}:{first}"));
        }
        fields.push(format!("{key}:[{}]", joined(dense.into_iter())));
    }
}

#[derive(Default)]
struct Fields {
    histogram: Histogram,
    offset: i32,
    negative_offset: i32,
    seen: Vec<&'static str>,
}

const KEYS: [&str; 11] = [
    "schema",
    "sum",
    "count",
    "z_bucket",
    "z_bucket_w",
    "custom_values",
    "counter_reset_hint",
    "buckets",
    "offset",
    "n_buckets",
    "n_offset",
];

impl Fields {
    fn set(&mut self, key: &str, value: &str) -> Result<(), NotationError> {
        let known = KEYS.iter().find(|known| **known == key);
        let key = *known.ok_or_else(|| NotationError::UnknownKey { key: key.to_owned() })?;
        if self.seen.contains(&key) {
            return Err(NotationError::Duplicate { key: key.to_owned() });
        }
        self.seen.push(key);
        let bad = || NotationError::Value { key, value: value.to_owned() };
        let number = || parse_number(value).ok_or_else(bad);
        let index = || value.parse::<i32>().map_err(|_| bad());
        let histogram = &mut self.histogram;
        match key {
            "schema" => histogram.schema = Schema::new(index()?).ok_or_else(bad)?,
            "sum" => histogram.sum = number()?,
            "count" => histogram.count = number()?,
            "z_bucket" => histogram.zero_count = number()?,
            "z_bucket_w" => histogram.zero_threshold = number()?,
            "custom_values" => histogram.custom_values = list(value).ok_or_else(bad)?,
            "buckets" => histogram.positive_buckets = list(value).ok_or_else(bad)?,
            "n_buckets" => histogram.negative_buckets = list(value).ok_or_else(bad)?,
            "offset" => self.offset = index()?,
            "n_offset" => self.negative_offset = index()?,
            _ => {
                histogram.counter_reset_hint = match value {
                    "unknown" => CounterResetHint::Unknown,
                    "reset" => CounterResetHint::CounterReset,
                    "not_reset" => CounterResetHint::NotCounterReset,
                    "gauge" => CounterResetHint::Gauge,
                    _ => return Err(bad()),
                }
            }
        }
        let buckets = histogram.positive_buckets.len() + histogram.negative_buckets.len();
        if buckets > BUCKETS_MAX { Err(NotationError::TooManyBuckets) } else { Ok(()) }
    }

    fn finish(mut self) -> NotedHistogram {
        let span = |offset, counts: &[f64]| {
            let length = u32::try_from(counts.len()).unwrap_or(u32::MAX);
            if length == 0 { Vec::new() } else { vec![Span { offset, length }] }
        };
        self.histogram.positive_spans = span(self.offset, &self.histogram.positive_buckets);
        self.histogram.negative_spans =
            span(self.negative_offset, &self.histogram.negative_buckets);
        NotedHistogram {
            histogram: self.histogram,
            hint_given: self.seen.contains(&"counter_reset_hint"),
        }
    }
}

fn list(text: &str) -> Option<Vec<f64>> {
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    inner.split_ascii_whitespace().map(parse_number).collect()
}

#[cfg(test)]
mod tests;
