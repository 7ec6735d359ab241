//! Answers of the query API, and how far two systems' answers to one question are apart.
//!
//! Only vectors, matrices and scalars of floats are read, which is all that the queries ask for.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// Values are the same when they differ by at most this share of the larger one.
pub(crate) const TOLERANCE: f64 = 1e-6;

/// One series of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Series {
    /// As `{a="x",b="y"}`, sorted by name.
    pub labels: String,
    /// Milliseconds since the Unix epoch, value; in the order of time.
    pub values: Vec<(i64, f64)>,
}

/// All series, sorted by their labels, because most queries promise no order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Answer(Vec<Series>);

impl Answer {
    pub(crate) fn series(&self) -> &[Series] {
        &self.0
    }
}

/// Reads the body of `/api/v1/query` or `/api/v1/query_range`.
///
/// # Errors
/// When it is not the JSON of a successful answer.
pub(crate) fn read(body: &[u8]) -> Result<Answer> {
    let body: Value = serde_json::from_slice(body).context("the answer is not JSON")?;
    if body.get("status").and_then(Value::as_str) != Some("success") {
        bail!("the answer is not a success: {body}");
    }
    let kind = body.pointer("/data/resultType").and_then(Value::as_str).unwrap_or_default();
    let result = body.pointer("/data/result").and_then(Value::as_array);
    let result = result.context("the answer has no result")?;
    let mut all = match kind {
        "scalar" => vec![Series { labels: "{}".to_owned(), values: vec![point(result)?] }],
        "vector" | "matrix" => result.iter().map(series).collect::<Result<_>>()?,
        other => bail!("the answer's result type {other:?} is unknown"),
    };
    all.sort_by(|a, b| a.labels.cmp(&b.labels));
    Ok(Answer(all))
}

fn series(value: &Value) -> Result<Series> {
    let metric =
        value.get("metric").and_then(Value::as_object).context("a series has no labels")?;
    let labels: BTreeMap<&str, &str> =
        metric.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))).collect();
    let labels: Vec<String> =
        labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    let labels = format!("{{{}}}", labels.join(","));
    let point = |value: &Value| point(value.as_array().context("a value is no pair")?);
    let values = match (value.get("value"), value.get("values").and_then(Value::as_array)) {
        (Some(one), _) => vec![point(one)?],
        (None, Some(many)) => many.iter().map(point).collect::<Result<_>>()?,
        (None, None) => bail!("series {labels} has no float values"),
    };
    Ok(Series { labels, values })
}

fn point(pair: &Vec<Value>) -> Result<(i64, f64)> {
    let [time, value] = pair.as_slice() else { bail!("a value is no pair") };
    let seconds = time.as_f64().context("a time is no number")?;
    let value = value.as_str().context("a value is no text")?;
    let value = match value {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        other => other.parse().with_context(|| format!("value {other:?} is no number"))?,
    };
    #[expect(clippy::cast_possible_truncation, reason = "saturates; such a time matches no other")]
    Ok(((seconds * 1000.0).round() as i64, value))
}

/// How `got` differs from `want`, in words, or nothing when they are the same.
pub(crate) fn difference(want: &Answer, got: &Answer) -> Option<String> {
    let index = |answer: &Answer| -> BTreeMap<String, Vec<(i64, f64)>> {
        answer.0.iter().map(|s| (s.labels.clone(), s.values.clone())).collect()
    };
    let (wanted, found) = (index(want), index(got));
    let mut words = Vec::new();
    let missing: Vec<&String> = wanted.keys().filter(|k| !found.contains_key(*k)).collect();
    let extra: Vec<&String> = found.keys().filter(|k| !wanted.contains_key(*k)).collect();
    for (count, first, what) in
        [(missing.len(), missing.first(), "missing"), (extra.len(), extra.first(), "too many")]
    {
        if let Some(first) = first {
            words.push(format!("{count} of {} series {what}, such as {first}", wanted.len()));
        }
    }
    let (mut total, mut absent, mut apart, mut worst) = (0_usize, 0_usize, 0_usize, 0.0_f64);
    for (labels, values) in &wanted {
        let Some(others) = found.get(labels) else { continue };
        total += values.len();
        let others: BTreeMap<i64, f64> = others.iter().copied().collect();
        let shared = values.iter().filter(|(at, _)| others.contains_key(at)).count();
        absent += values.len().max(others.len()) - shared;
        for (at, value) in values {
            let Some(other) = others.get(at) else { continue };
            let relative = relative(*value, *other);
            if relative > TOLERANCE {
                apart += 1;
                worst = worst.max(relative);
            }
        }
    }
    if absent > 0 {
        words.push(format!("{absent} of {total} values at times the other has none"));
    }
    if apart > 0 {
        words.push(format!("{apart} of {total} values differ, by up to {:.2} %", worst * 100.0));
    }
    (!words.is_empty()).then(|| words.join("; "))
}

/// The difference as a share of the larger one, from 0 (the same) to 2; infinite when only one of
/// them is a number.
fn relative(a: f64, b: f64) -> f64 {
    // Two sums that are zero but for rounding are the same.
    const NOTHING: f64 = 1e-12;
    if a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()) || (a - b).abs() <= NOTHING {
        return 0.0;
    }
    let relative = (a - b).abs() / a.abs().max(b.abs());
    if relative.is_nan() { f64::INFINITY } else { relative }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(series: &str) -> Answer {
        let body = format!(
            r#"{{"status":"success","data":{{"resultType":"matrix","result":[{series}]}}}}"#
        );
        read(body.as_bytes()).unwrap()
    }

    #[test]
    fn answers_of_all_types_are_read_and_anything_else_is_an_error() {
        let f = |body: &str, want: Result<&str, &str>| {
            let got = read(body.as_bytes());
            match (got, want) {
                (Ok(got), Ok(want)) => assert_eq!(format!("{:?}", got.series()), want, "{body}"),
                (Err(got), Err(want)) => assert!(got.to_string().starts_with(want), "{got:#}"),
                (got, want) => panic!("{got:?} where {want:?} was expected"),
            }
        };
        let success = |data: &str| format!(r#"{{"status":"success","data":{data}}}"#);
        f(
            &success(r#"{"resultType":"scalar","result":[1.5,"2"]}"#),
            Ok(r#"[Series { labels: "{}", values: [(1500, 2.0)] }]"#),
        );
        f(
            &success(
                r#"{"resultType":"vector","result":[{"metric":{"b":"1","a":"2"},"value":[1,"-Inf"]}]}"#,
            ),
            Ok(r#"[Series { labels: "{a=\"2\",b=\"1\"}", values: [(1000, -inf)] }]"#),
        );
        f(&success(r#"{"resultType":"string","result":[1,"x"]}"#), Err("the answer's result type"));
        f(&success(r#"{"resultType":"scalar","result":[1]}"#), Err("a value is no pair"));
        f(r#"{"status":"error","error":"x"}"#, Err("the answer is not a success: "));
        f("<html>", Err("the answer is not JSON"));
    }

    #[test]
    fn differences_are_told_and_rounding_and_order_are_none() {
        let f = |got: &str, want: Option<&str>| {
            let wanted = matrix(
                r#"{"metric":{"a":"1"},"values":[[1,"10"],[2,"NaN"]]},
                   {"metric":{"a":"2"},"values":[[1,"+Inf"]]}"#,
            );
            assert_eq!(difference(&wanted, &matrix(got)).as_deref(), want, "{got}");
        };
        let same = r#"{"metric":{"a":"2"},"values":[[1,"+Inf"]]}"#;
        let row = |values: &str| format!(r#"{same},{{"metric":{{"a":"1"}},"values":[{values}]}}"#);
        f(&row(r#"[1,"10.000001"],[2,"NaN"]"#), None);
        f(&row(r#"[1,"8"],[2,"NaN"]"#), Some("1 of 3 values differ, by up to 20.00 %"));
        f(&row(r#"[1,"10"],[2,"3"]"#), Some("1 of 3 values differ, by up to inf %"));
        f(&row(r#"[1,"10"]"#), Some("1 of 3 values at times the other has none"));
        f(same, Some("1 of 2 series missing, such as {a=\"1\"}"));
        let extra = row(r#"[1,"10"],[2,"NaN"]"#) + r#",{"metric":{},"values":[]}"#;
        f(&extra, Some("1 of 2 series too many, such as {}"));
    }
}
