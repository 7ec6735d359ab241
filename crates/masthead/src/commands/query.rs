//! `masthead query`: one PromQL question to any server with Prometheus' HTTP API.
//!
//! This file asks; what came back is read by `answer.rs` and shown by one file per form: `table.rs`,
//! `csv.rs`, `graph.rs`. The answer goes to stdout, warnings and errors to stderr.

mod answer;
mod csv;
mod graph;
mod table;

use std::{io, time::Duration};

use anyhow::{Context as _, bail};

use self::answer::{Answer, Data};
use crate::{
    cli::{QueryArgs, QueryFormat, UsageError},
    client::Limits,
    server::Server,
    terminal::{self, Output},
};

/// An answer larger than this is better written to a file by the server's own means.
const LIMITS: Limits = Limits { time: Duration::from_mins(3), body_bytes: 256 * 1024 * 1024 };
/// How many values a range has when no step is given, as Prometheus' own page chooses it.
const STEPS_DEFAULT: f64 = 250.0;

/// Asks, shows, and is done.
///
/// # Errors
/// No answer, an error from the server, a URL that cannot be asked.
pub(crate) async fn run(args: QueryArgs) -> anyhow::Result<()> {
    let (path, form) = question(&args);
    let server = Server::new(&args.server.url, &args.server.access, LIMITS)?;
    let at = server.base();
    let response = server
        .post(path, form, &[])
        .await
        .with_context(|| format!("no answer from {at}; --url says where to ask"))?;
    let answer = answer::parse(response.status, &response.body)
        .with_context(|| format!("cannot use the answer of {at}{path}"))?;
    for note in answer.warnings.iter().chain(&answer.infos) {
        terminal::say(&format!("note: {}", terminal::one_line(note)));
    }
    if let Some(error) = &answer.error {
        bail!(answer::explain(error, &args.expr));
    }
    let shown = show(&args, &answer, &response.body)?;
    match terminal::print(shown.trim_end_matches('\n')) {
        // Whoever reads us has seen enough, as `head` has.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("cannot write to stdout"),
    }
}

/// The endpoint and its parameters.
fn question(args: &QueryArgs) -> (&'static str, String) {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("query", &args.expr);
    let Some(range) = args.range else {
        if let Some(time) = args.time {
            form.append_pair("time", &time.to_string());
        }
        return ("/api/v1/query", form.finish());
    };
    let end = args.time.unwrap_or_else(now);
    let range = range.as_secs_f64();
    let step = args.step.map_or_else(|| (range / STEPS_DEFAULT).max(1.0), |s| s.as_secs_f64());
    form.append_pair("start", &(end - range).to_string());
    form.append_pair("end", &end.to_string());
    form.append_pair("step", &step.to_string());
    ("/api/v1/query_range", form.finish())
}

#[expect(clippy::disallowed_methods, reason = "the range ends at the moment of the call")]
fn now() -> f64 {
    let since = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
}

fn show(args: &QueryArgs, answer: &Answer, body: &[u8]) -> anyhow::Result<String> {
    let terminal = terminal::size();
    let is_range = matches!(answer.data, Data::Matrix(_));
    let format = args.format.unwrap_or(match terminal {
        Some(_) if args.range.is_some() => QueryFormat::Graph,
        _ => QueryFormat::Table,
    });
    Ok(match format {
        QueryFormat::Json => String::from_utf8_lossy(body).into_owned(),
        QueryFormat::Csv => csv::render(&answer.data),
        QueryFormat::Table => table::render(&answer.data),
        QueryFormat::Graph if is_range => {
            let size = terminal.unwrap_or(graph::SIZE_DEFAULT);
            graph::render(&answer.data, size, &Output::stdout())
        }
        QueryFormat::Graph => {
            bail!(UsageError("--format graph draws a range; add --range 1h".to_owned()))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(range: Option<u64>, step: Option<u64>) -> QueryArgs {
        QueryArgs {
            expr: "rate(a[5m]) > 0".to_owned(),
            range: range.map(Duration::from_secs),
            step: step.map(Duration::from_secs),
            time: Some(10_000.0),
            format: None,
            server: crate::cli::ServerArgs {
                url: url::Url::parse("http://127.0.0.1:3000").unwrap(),
                access: crate::cli::AccessArgs::default(),
            },
        }
    }

    #[test]
    fn a_range_makes_it_a_range_query() {
        let f = |range, step, want: (&str, &str)| {
            let (path, form) = question(&args(range, step));
            assert_eq!((path, form.strip_prefix("query=rate%28a%5B5m%5D%29+%3E+0").unwrap()), want);
        };
        f(None, None, ("/api/v1/query", "&time=10000"));
        f(Some(3600), Some(15), ("/api/v1/query_range", "&start=6400&end=10000&step=15"));
        f(Some(3600), None, ("/api/v1/query_range", "&start=6400&end=10000&step=14.4"));
        f(Some(60), None, ("/api/v1/query_range", "&start=9940&end=10000&step=1"));
    }
}
