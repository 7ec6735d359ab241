//! `masthead doctor`: walks the whole chain of a running server and says in plain words what is
//! broken and what to change.
//!
//! Each check is one line: what was looked at, how it is, what to do. The checks are functions over
//! answers of the HTTP API, one file each, in the order of the chain: the server, what it scrapes,
//! what a cluster says, lines, rules, dashboards. To add one: a file below `doctor/` and its line in
//! [`run`].

mod cluster;
mod lines;
mod panels;
mod rules;
mod server;
mod show;
mod targets;

use anyhow::bail;
use clap::Parser as _;
use serde::Serialize;
use serde_json::Value;

use crate::{
    cli::{Cli, Command, DoctorArgs, UsageError},
    client::Limits,
    terminal::Output,
};

/// A dashboard may be large, and a query over many series too.
const BODY_BYTES_MAX: usize = 64 << 20;
const ANSWER_TIME_MAX: std::time::Duration = std::time::Duration::from_secs(30);

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    /// Not about what this server sees.
    Skipped,
    /// Worth a look; nothing is broken.
    Warning,
    Broken,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Check {
    what: String,
    state: State,
    /// What was found.
    found: String,
    /// What to do; empty where there is nothing.
    advice: String,
}

impl Check {
    fn new(what: &str, state: State, found: impl Into<String>, advice: &str) -> Self {
        let (what, advice) = (what.to_owned(), advice.to_owned());
        Self { what, state, found: found.into(), advice }
    }

    fn ok(what: &str, found: impl Into<String>) -> Self {
        Self::new(what, State::Ok, found, "")
    }
}

/// Looks at everything and prints it.
///
/// # Errors
/// Something is broken; a [`UsageError`] for a URL that cannot be asked.
pub(crate) async fn run(args: DoctorArgs) -> anyhow::Result<()> {
    let server = Server::new(&args)?;
    let checks = examine(&server, &args).await;
    show::print(&checks, args.json)?;
    match broken(&checks) {
        0 => Ok(()),
        1 => bail!("1 thing is broken"),
        many => bail!("{many} things are broken"),
    }
}

/// What is said of one server, for `masthead demo --check`.
#[derive(Debug)]
pub(super) struct Report {
    pub lines: Vec<String>,
    pub broken: usize,
}

/// Looks at the server at `url`, with the defaults of the command.
///
/// # Errors
/// A URL that cannot be asked.
pub(super) async fn report(url: &str, output: &Output) -> anyhow::Result<Report> {
    let Command::Doctor(args) = Cli::try_parse_from(["masthead", "doctor", url])?.command else {
        bail!("BUG: the command is another one");
    };
    let checks = examine(&Server::new(&args)?, &args).await;
    let broken = broken(&checks);
    Ok(Report { lines: show::lines(&checks, output), broken })
}

fn broken(checks: &[Check]) -> usize {
    checks.iter().filter(|check| check.state == State::Broken).count()
}

/// Every check, in the order of the chain. Without a server there is nothing else to look at.
async fn examine(server: &Server, args: &DoctorArgs) -> Vec<Check> {
    let mut checks = server::checks(server).await;
    if checks.iter().any(|check| check.state == State::Broken) {
        return checks;
    }
    checks.extend(targets::checks(server, args.fresh).await);
    checks.extend(cluster::checks(server, args.kubernetes).await);
    checks.extend(lines::checks(server, args.fresh).await);
    checks.extend(rules::checks(server).await);
    checks.extend(panels::checks(server).await);
    checks
}

/// The server that is looked at.
#[derive(Debug)]
struct Server(crate::server::Server);

impl Server {
    fn new(args: &DoctorArgs) -> Result<Self, UsageError> {
        let limits = Limits { time: ANSWER_TIME_MAX, body_bytes: BODY_BYTES_MAX };
        crate::server::Server::new(&args.url, &args.access, limits).map(Self)
    }

    /// The JSON at a path, or why there is none, in one line.
    async fn json(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Value, String> {
        let (status, body) = self.get(path, parameters).await?;
        let parsed: Result<Value, _> = serde_json::from_slice(&body);
        match parsed {
            Ok(value) if (200..300).contains(&status) => Ok(value),
            Ok(value) => {
                let said = value["error"].as_str().or(value["message"].as_str());
                Err(format!("status {status}: {}", said.unwrap_or("no reason given")))
            }
            Err(_) => {
                let text = String::from_utf8_lossy(&body);
                let line = text.lines().next().unwrap_or_default();
                Err(format!("status {status}: {}", line.chars().take(200).collect::<String>()))
            }
        }
    }

    async fn get(
        &self,
        path: &str,
        parameters: &[(&str, &str)],
    ) -> Result<(u16, bytes::Bytes), String> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(parameters);
        let query = form.finish();
        let mark = if query.is_empty() { "" } else { "?" };
        let answer = self.0.get(&format!("{path}{mark}{query}")).await;
        let answer = answer.map_err(|error| format!("{error:#}"))?;
        Ok((answer.status.as_u16(), answer.body))
    }

    /// The series of an instant query of PromQL: labels and value.
    async fn promql(&self, expr: &str) -> Result<Vec<(Value, f64)>, String> {
        let answer = self.json("/api/v1/query", &[("query", expr)]).await?;
        Ok(numbers(&answer))
    }

    /// The same of LogQL.
    async fn logql(&self, expr: &str) -> Result<Vec<(Value, f64)>, String> {
        let answer = self.json("/loki/api/v1/query", &[("query", expr)]).await?;
        Ok(numbers(&answer))
    }
}

/// The series of a vector, or the value of a scalar.
fn numbers(answer: &Value) -> Vec<(Value, f64)> {
    let value = |pair: &Value| pair[1].as_str().and_then(|text| text.parse().ok());
    let result = &answer["data"]["result"];
    if answer["data"]["resultType"] == "scalar" {
        return value(result).map(|value| (Value::Null, value)).into_iter().collect();
    }
    let all = result.as_array().map_or(&[][..], Vec::as_slice);
    all.iter().filter_map(|one| Some((one["metric"].clone(), value(&one["value"])?))).collect()
}

/// Some names, and how many more there are.
fn some(names: &[String]) -> String {
    const SHOWN: usize = 3;
    let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
