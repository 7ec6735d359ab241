//! What Prometheus' HTTP API answers to a query, as types; errors point into the expression.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use anyhow::{Context as _, bail};
use http::StatusCode;
use serde::Deserialize;

use crate::terminal::one_line;

/// The envelope of every answer, with the members that matter here.
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    #[serde(default)]
    pub data: Data,
    #[serde(default)]
    pub error: Option<String>,
    #[serde(default)]
    pub warnings: Vec<String>,
    #[serde(default)]
    pub infos: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
pub(super) enum Data {
    /// Nothing, in an error.
    #[default]
    None,
    Scalar(Point<String>),
    String(Point<String>),
    Vector(Vec<Sample>),
    Matrix(Vec<Series>),
}

/// Seconds since 1970 and a value.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Point<T>(pub f64, pub T);

#[derive(Debug, Deserialize)]
pub(super) struct Sample {
    pub metric: BTreeMap<String, String>,
    #[serde(default)]
    pub value: Option<Point<String>>,
    #[serde(default)]
    pub histogram: Option<Point<Histogram>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Series {
    pub metric: BTreeMap<String, String>,
    #[serde(default)]
    pub values: Vec<Point<String>>,
    #[serde(default)]
    pub histograms: Vec<Point<Histogram>>,
}

/// Of a native histogram, what fits in a line.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Histogram {
    pub count: String,
    pub sum: String,
}

impl fmt::Display for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "count={} sum={}", self.count, self.sum)
    }
}

/// Reads an answer; one that is not Prometheus' JSON is an error with its status and start.
pub(super) fn parse(status: StatusCode, body: &[u8]) -> anyhow::Result<Answer> {
    let answer = serde_json::from_slice::<Answer>(body).with_context(|| {
        let start: String = String::from_utf8_lossy(body).chars().take(200).collect();
        let start = if start.is_empty() { "nothing at all".to_owned() } else { one_line(&start) };
        format!("status {status}, no answer of Prometheus' API: {start}")
    })?;
    if answer.error.is_none() && !status.is_success() {
        bail!("status {status} without an error");
    }
    Ok(answer)
}

/// The error, and below it the expression with a mark where the error is, when it says where.
pub(super) fn explain(error: &str, expr: &str) -> String {
    let plain = one_line(error);
    let Some((line, column)) = position(error) else { return plain };
    let Some(text) = line.checked_sub(1).and_then(|at| expr.lines().nth(at)) else { return plain };
    format!("{plain}\n  {}\n  {}^", one_line(text), " ".repeat(column.saturating_sub(1)))
}

/// Line and column, from 1, of `…1:5: parse error: …`.
fn position(error: &str) -> Option<(usize, usize)> {
    let before = error.get(..error.find(": parse error")?)?;
    let at = before.rsplit([' ', '"']).next()?;
    let (line, column) = at.split_once(':')?;
    Some((line.parse().ok()?, column.parse().ok()?))
}

/// `name{label="value"}`, as people write a series.
pub(super) fn series_name(metric: &BTreeMap<String, String>) -> String {
    let name = metric.get("__name__").map_or(Cow::Borrowed(""), |name| one_line(name).into());
    let labels: Vec<String> = metric
        .iter()
        .filter(|(label, _)| *label != "__name__")
        .map(|(label, value)| format!("{}={:?}", one_line(label), value))
        .collect();
    match (name.is_empty(), labels.is_empty()) {
        (false, true) => name.into_owned(),
        _ => format!("{name}{{{}}}", labels.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_result_is_read() {
        let f = |data: &str, want: fn(&Data) -> bool| {
            let body = format!(r#"{{"status":"success","data":{data}}}"#);
            let answer = parse(StatusCode::OK, body.as_bytes()).unwrap();
            assert!(want(&answer.data), "{data}");
        };
        f(r#"{"resultType":"scalar","result":[1,"2"]}"#, |d| matches!(d, Data::Scalar(_)));
        f(r#"{"resultType":"string","result":[1,"x"]}"#, |d| matches!(d, Data::String(_)));
        f(
            r#"{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[1.5,"NaN"]}]}"#,
            |d| matches!(d, Data::Vector(v) if v[0].value.is_some()),
        );
        f(
            r#"{"result":[{"metric":{},"histograms":[[1,{"count":"3","sum":"4","buckets":[[0,"0","1","3"]]}]]}],"resultType":"matrix"}"#,
            |d| matches!(d, Data::Matrix(m) if m[0].histograms[0].1.count == "3"),
        );
    }

    #[test]
    fn what_is_no_answer_says_what_came() {
        let f = |status: u16, body: &str, want: &str| {
            let error = parse(StatusCode::from_u16(status).unwrap(), body.as_bytes()).unwrap_err();
            assert!(format!("{error:#}").contains(want), "{error:#}");
        };
        f(200, "<html>\n", "status 200 OK, no answer of Prometheus' API: <html>\\n");
        f(200, "", "no answer of Prometheus' API: nothing at all: EOF");
        f(502, r#"{"status":"success"}"#, "status 502");
    }

    #[test]
    fn an_error_points_into_the_expression() {
        let f = |error: &str, expr: &str, want: &str| assert_eq!(explain(error, expr), want);
        let error = "invalid parameter \"query\": 1:5: parse error: unexpected <by>";
        f(error, "sum by", &format!("{error}\n  sum by\n      ^"));
        f("2:1: parse error: x", "a\nb", "2:1: parse error: x\n  b\n  ^");
        f("9:1: parse error: x", "a", "9:1: parse error: x");
        f("0:1: parse error: x", "a", "0:1: parse error: x");
        f("query timed out", "a", "query timed out");
    }

    #[test]
    fn series_are_named_as_people_write_them() {
        let f = |pairs: &[(&str, &str)], want: &str| {
            let metric = pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
            assert_eq!(series_name(&metric), want);
        };
        f(&[], "{}");
        f(&[("__name__", "up")], "up");
        f(&[("__name__", "up"), ("job", "a\nb"), ("x", "y")], "up{job=\"a\\nb\", x=\"y\"}");
    }
}
