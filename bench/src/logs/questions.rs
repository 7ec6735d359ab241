//! What people ask of logs, and how it is timed.
//!
//! To add one: add its line to [`QUESTIONS`]. `$needle` stands for a request id that one line has.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash as _, Hasher as _},
    time::Instant,
};

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::corpus::Corpus;
use crate::{
    answers::{self, Answer},
    measure,
    queries::{Effort, median},
    server::Server,
};

/// When it is asked for.
#[derive(Clone, Copy, Debug)]
enum Span {
    /// The newest so many lines of all hours.
    Lines(u32),
    /// At the end, of a window that holds all hours.
    Instant,
    /// Over all hours, in steps.
    Range { step_seconds: u32 },
}

/// A question.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question {
    pub name: &'static str,
    span: Span,
    pub expr: &'static str,
}

const fn lines(name: &'static str, limit: u32, expr: &'static str) -> Question {
    Question { name, span: Span::Lines(limit), expr }
}

const fn instant(name: &'static str, expr: &'static str) -> Question {
    Question { name, span: Span::Instant, expr }
}

const fn range(name: &'static str, step_seconds: u32, expr: &'static str) -> Question {
    Question { name, span: Span::Range { step_seconds }, expr }
}

/// All questions. `$all` is the window that holds all hours.
pub(crate) const QUESTIONS: &[Question] = &[
    lines("needle: one request id", 100, r#"{namespace=~".+"} |= "$needle""#),
    lines("needle that is absent", 100, r#"{namespace=~".+"} |= "ffffffff-dead-4bad""#),
    lines("rare phrase", 1_000, r#"{namespace=~".+"} |= "disk quota exceeded""#),
    lines("newest lines", 100, r#"{namespace=~".+"}"#),
    lines("newest lines of one app", 100, r#"{app="cart"}"#),
    lines("one word, not another", 100, r#"{kind="service"} |= "ERROR" != "GET""#),
    lines("errors of JSON lines", 1_000, r#"{kind="service"} | json | level="ERROR""#),
    lines(
        "server errors, rewritten",
        1_000,
        r#"{kind="service"} | json | status>=500 | line_format "{{.method}} {{.path}} {{.status}}""#,
    ),
    lines(
        "slow requests of a path",
        100,
        r#"{kind="service"} | json | path="/login" | duration_ms > 1000"#,
    ),
    instant(
        "lines that match a regex",
        r#"sum(count_over_time({namespace=~".+"} |~ "timeout(=| after )[0-9]+ms" [$all]))"#,
    ),
    instant(
        "lines, ignoring case",
        r#"sum(count_over_time({namespace=~".+"} |~ "(?i)ERROR: POOL" [$all]))"#,
    ),
    instant(
        "lines with a common word",
        r#"sum(count_over_time({namespace=~".+"} |= "error" [$all]))"#,
    ),
    instant("bytes by app", r#"sum by (app) (bytes_over_time({namespace=~".+"}[$all]))"#),
    instant(
        "top paths of server errors",
        r#"topk(5, sum by (path) (count_over_time({kind="service"} | json | status>=500 [$all])))"#,
    ),
    instant(
        "top sources of failed logins",
        r#"topk(1, sum by (user) (count_over_time({app="sshd"} |= "Failed" | pattern "<_> invalid user <user> from <_>" [$all])))"#,
    ),
    range(
        "volume by level",
        60,
        r#"sum by (level) (count_over_time({kind="service"} | json [60s]))"#,
    ),
    range("volume by app", 60, r#"sum by (app) (count_over_time({namespace=~".+"}[60s]))"#),
    range(
        "p99 of the duration",
        300,
        r#"quantile_over_time(0.99, {kind="service"} | json | unwrap duration_ms | __error__="" [5m]) by (app)"#,
    ),
    range(
        "mean of the duration by path",
        300,
        r#"avg_over_time({app="api"} | json | unwrap duration_ms | __error__="" [5m]) by (path)"#,
    ),
    range(
        "share of errors",
        300,
        r#"sum(rate({kind="service"} |= "ERROR" [5m])) / sum(rate({kind="service"} [5m]))"#,
    ),
    range(
        "errors by id of logfmt lines",
        300,
        r#"sum by (level) (count_over_time({app="containerd"} | logfmt level [5m]))"#,
    ),
];

/// What was answered, as far as two systems can be compared.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answered {
    /// How many lines, and a hash over their times and words in order.
    Lines {
        count: usize,
        hash: u64,
    },
    Numbers(Answer),
}

/// What one question took.
#[derive(Debug)]
pub(crate) struct Asked {
    pub p50_ms: f64,
    /// Processor time of the server for one repetition.
    pub cpu_ms: f64,
    pub answered: Answered,
}

impl Question {
    /// The path and the parameters of the HTTP API.
    fn request(&self, corpus: &Corpus) -> (&'static str, Vec<(&'static str, String)>) {
        let expr = self.expr.replace("$needle", &corpus.needle());
        let expr = expr.replace("$all", &format!("{}h", corpus.hours));
        let nanos = |name, at: i64| (name, at.to_string());
        match self.span {
            Span::Instant => {
                ("/loki/api/v1/query", vec![("query", expr), nanos("time", corpus.end.0)])
            }
            Span::Lines(limit) => {
                let (start, end) = (nanos("start", corpus.start().0), nanos("end", corpus.end.0));
                let limit = ("limit", limit.to_string());
                ("/loki/api/v1/query_range", vec![("query", expr), start, end, limit])
            }
            Span::Range { step_seconds } => {
                let first = corpus.start().0 + i64::from(step_seconds) * 1_000_000_000;
                let step = ("step", format!("{step_seconds}s"));
                let (start, end) = (nanos("start", first), nanos("end", corpus.end.0));
                ("/loki/api/v1/query_range", vec![("query", expr), start, end, step])
            }
        }
    }

    /// Asks `server` again and again.
    ///
    /// # Errors
    /// When it refuses or its answer cannot be read.
    pub(crate) fn time(
        &self,
        server: &Server<'_>,
        corpus: &Corpus,
        effort: Effort,
    ) -> Result<Asked> {
        let (path, parameters) = self.request(corpus);
        let parameters: Vec<(&str, &str)> =
            parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answered = read(&server.ask(path, &parameters)?)?;
        let (began, cpu_before) = (Instant::now(), measure::cpu_seconds(server.pid())?);
        let mut times = Vec::new();
        while times.len() < effort.least
            || (times.len() < effort.most && began.elapsed() < effort.time)
        {
            let asked = Instant::now();
            server.ask(path, &parameters)?;
            times.push(asked.elapsed().as_secs_f64() * 1000.0);
        }
        let cpu = measure::cpu_seconds(server.pid())? - cpu_before;
        let cpu = cpu.max(1.0 / measure::ticks_per_second()) * 1000.0 / times.len() as f64;
        Ok(Asked { p50_ms: median(&mut times), cpu_ms: cpu, answered })
    }
}

/// Reads an answer of `/loki/api/v1/query` or `/loki/api/v1/query_range`.
fn read(body: &[u8]) -> Result<Answered> {
    let json: Value = serde_json::from_slice(body).context("the answer is not JSON")?;
    if json.pointer("/data/resultType").and_then(Value::as_str) != Some("streams") {
        return answers::read(body).map(Answered::Numbers);
    }
    let streams = json.pointer("/data/result").and_then(Value::as_array);
    let streams = streams.context("the answer has no result")?;
    let values = streams.iter().filter_map(|stream| stream.get("values")?.as_array()).flatten();
    let pair = |value: &Value| {
        let text = |at: usize| value.get(at).and_then(Value::as_str).map(str::to_owned);
        Some((text(0)?, text(1)?))
    };
    let lines: Option<Vec<(String, String)>> = values.map(pair).collect();
    let mut lines = lines.context("a line has no time or no text")?;
    lines.sort();
    let mut hasher = DefaultHasher::new();
    lines.hash(&mut hasher);
    Ok(Answered::Lines { count: lines.len(), hash: hasher.finish() })
}

/// How `got` differs from `want`, in words, or nothing when they are the same.
pub(crate) fn difference(want: &Answered, got: &Answered) -> Option<String> {
    match (want, got) {
        (Answered::Numbers(want), Answered::Numbers(got)) => answers::difference(want, got),
        (Answered::Lines { count, hash }, Answered::Lines { count: other, hash: others }) => {
            let words = if count == other {
                format!("{count} lines, but not the same")
            } else {
                format!("{other} lines where the other has {count}")
            };
            (hash != others).then_some(words)
        }
        _ => Some("lines where the other has numbers".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use masthead_model::Nanos;

    use super::*;

    #[test]
    fn there_are_about_twenty_questions_with_names_of_their_own() {
        let names: HashSet<&str> = QUESTIONS.iter().map(|question| question.name).collect();
        assert_eq!(names.len(), QUESTIONS.len());
        assert!((20..=25).contains(&QUESTIONS.len()), "{}", QUESTIONS.len());
    }

    #[test]
    fn requests_name_the_needle_the_window_and_the_ends() {
        let end = Nanos(1_800_000_000_000_000_000);
        let corpus = Corpus { bytes: 1 << 20, hours: 6, seed: 1, end };
        let f = |question: &Question, want: &[(&str, &str)]| {
            let (_, parameters) = question.request(&corpus);
            let got: Vec<(&str, &str)> = parameters.iter().map(|(n, v)| (*n, v.as_str())).collect();
            assert_eq!(got, want);
        };
        let (start, end) = (("start", "1799978400000000000"), ("end", "1800000000000000000"));
        let needle = corpus.needle();
        let expr = [r#"{namespace=~".+"} |= ""#, &needle, "\""].concat();
        f(&QUESTIONS[0], &[("query", &expr), start, end, ("limit", "100")]);
        let bytes = instant("x", r#"sum(bytes_over_time({a="b"}[$all]))"#);
        let time = ("time", "1800000000000000000");
        f(&bytes, &[("query", r#"sum(bytes_over_time({a="b"}[6h]))"#), time]);
        let steps = range("x", 60, "y");
        f(&steps, &[("query", "y"), ("start", "1799978460000000000"), end, ("step", "60s")]);
    }

    #[test]
    fn lines_are_compared_by_time_and_words_whatever_their_streams() {
        let body = |streams: &str| {
            let text = format!(
                r#"{{"status":"success","data":{{"resultType":"streams","result":[{streams}]}}}}"#
            );
            read(text.as_bytes()).unwrap()
        };
        let want = body(r#"{"stream":{},"values":[["1","a"],["2","b"]]}"#);
        let f = |streams: &str, words: Option<&str>| {
            assert_eq!(difference(&want, &body(streams)).as_deref(), words, "{streams}");
        };
        f(r#"{"values":[["2","b"]]},{"values":[["1","a"]]}"#, None);
        f(r#"{"values":[["2","b"]]}"#, Some("1 lines where the other has 2"));
        f(r#"{"values":[["1","a"],["2","c"]]}"#, Some("2 lines, but not the same"));
        assert!(read(b"{}").is_err() && read(b"<html>").is_err());
    }
}
