//! `masthead logs`: one LogQL question to any server with Loki's HTTP API, or following its lines.
//!
//! This file asks; what came back is read by `logs/answer.rs` and shown by `logs/show.rs`; following
//! is `logs/follow.rs`. Lines go to stdout, talk to stderr.

mod answer;
mod columns;
mod follow;
mod show;

use std::{io, time::Duration};

use anyhow::{Context as _, bail};

use self::{answer::Data, columns::Columns, show::Show};
use crate::{
    cli::LogsCommandArgs,
    client::Limits,
    server::{Server, refusal},
    terminal::{self, Output},
};

/// An answer larger than this is better asked for in parts.
const LIMITS: Limits = Limits { time: Duration::from_mins(3), body_bytes: 256 * 1024 * 1024 };
const NANOS_PER_SECOND: f64 = 1e9;
/// Asks for what a line has of its own beside the line, not among the labels of its stream.
const CATEGORIZED: (&str, &str) = ("x-loki-response-encoding-flags", "categorize-labels");

/// Asks and shows, once or until Ctrl-C.
///
/// # Errors
/// No answer, an error from the server, a URL that cannot be asked.
pub(crate) async fn run(args: LogsCommandArgs) -> anyhow::Result<()> {
    let mut show =
        Show { format: args.format, output: Output::stdout(), columns: Columns::default() };
    let done =
        if args.follow { follow::run(&args, &mut show).await } else { ask(&args, &mut show).await };
    match done {
        // Whoever reads us has seen enough, as `head` has.
        Err(error) if is_broken_pipe(&error) => Ok(()),
        done => done,
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let cause = error.downcast_ref::<io::Error>();
    cause.is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

async fn ask(args: &LogsCommandArgs, show: &mut Show) -> anyhow::Result<()> {
    let server = Server::new(&args.server.url, &args.server.access, LIMITS)?;
    let (at, path) = (server.base(), "/loki/api/v1/query_range");
    let response = server
        .post(path, question(args, now()), &[CATEGORIZED])
        .await
        .with_context(|| format!("no answer from {at}; --url says where to ask"))?;
    if !response.status.is_success() {
        bail!(refusal(response.status, &response.body));
    }
    let answer = answer::parse(&response.body)
        .with_context(|| format!("cannot use the answer of {at}{path}"))?;
    for warning in &answer.warnings {
        terminal::say(&format!("note: {}", terminal::one_line(warning)));
    }
    match answer.data {
        Data::Lines(mut lines) => {
            // Oldest first, as a log file reads, whichever end they were asked from.
            lines.sort_by_key(|line| line.at);
            // All are known, so that the columns fit the first as well as the last.
            for line in &lines {
                show.columns.fit(line);
            }
            for line in &lines {
                show.line(line)?;
            }
            if lines.len() == args.limit as usize {
                terminal::say(&format!(
                    "note: stopped at --limit {}; there may be more",
                    args.limit
                ));
            }
        }
        Data::Numbers(series) => show.numbers(&series)?,
    }
    Ok(())
}

/// The form of the question.
fn question(args: &LogsCommandArgs, now: f64) -> String {
    let end = args.to.unwrap_or(now);
    let start = args.from.unwrap_or(end - args.since.as_secs_f64());
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("query", &args.query);
    form.append_pair("start", &nanos(start));
    form.append_pair("end", &nanos(end));
    form.append_pair("limit", &args.limit.to_string());
    form.append_pair("direction", if args.forward { "forward" } else { "backward" });
    if let Some(step) = args.step {
        form.append_pair("step", &step.as_secs_f64().to_string());
    }
    form.finish()
}

/// Nanoseconds since 1970, exact to the microsecond.
fn nanos(seconds: f64) -> String {
    format!("{:.0}", (seconds * 1e6).round() * (NANOS_PER_SECOND / 1e6))
}

#[expect(clippy::disallowed_methods, reason = "the range ends at the moment of the call")]
fn now() -> f64 {
    let since = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::LogsFormat;

    #[test]
    fn the_range_ends_now_and_begins_where_it_is_said() {
        let f = |from, to, forward, want: &str| {
            let args = LogsCommandArgs {
                query: "{a=\"b\"}".to_owned(),
                since: Duration::from_mins(1),
                from,
                to,
                limit: 7,
                forward,
                step: forward.then(|| Duration::from_millis(500)),
                follow: false,
                format: LogsFormat::Raw,
                server: crate::cli::ServerArgs {
                    url: url::Url::parse("http://127.0.0.1:3000").unwrap(),
                    access: crate::cli::AccessArgs::default(),
                },
            };
            let form = question(&args, 1_000_000_000.25);
            assert_eq!(form.strip_prefix("query=%7Ba%3D%22b%22%7D&").unwrap(), want);
        };
        f(
            None,
            None,
            false,
            "start=999999940250000000&end=1000000000250000000&limit=7&direction=backward",
        );
        f(
            Some(5.0),
            Some(10.0),
            true,
            "start=5000000000&end=10000000000&limit=7&direction=forward&step=0.5",
        );
        f(None, Some(90.0), false, "start=30000000000&end=90000000000&limit=7&direction=backward");
    }
}
