//! A recording of real programs, made right before it is used: the items API under light traffic,
//! the Masthead that watches it, and this machine's own metrics, all of them scraped every second.

use std::{process::Command, time::Duration};

use anyhow::{Context as _, Result, ensure};
use camino::Utf8Path;
use masthead_model::Millis;
use serde_json::Value;

use super::Recording;
use crate::{
    demo::DEMO,
    http::Patience,
    now,
    peers::{MASTHEAD, Program, Start, System},
    server::Server,
};

/// The file in the recorder's directory that says what it scrapes.
const TARGETS: &str = "targets.yml";

/// `masthead serve` that scrapes what [`TARGETS`] names, besides itself and this machine.
const RECORDER: System = System { command: |start| Ok(command(start)), ..MASTHEAD };

fn command(start: &Start<'_>) -> Command {
    let mut command = Command::new(start.program);
    command.args(["serve", "--prometheus-listen", "off", "--loki-listen", "off"]);
    command.args(["--data", start.data.as_str()]);
    command.arg("--listen").arg(format!("127.0.0.1:{}", start.port));
    command.arg("--prometheus-config").arg(start.directory.join(TARGETS));
    command
}

impl Recording {
    /// Records for `time` with `masthead`, so that the newest sample is one of `end`. Everything
    /// is kept below `directory`.
    ///
    /// # Errors
    /// When one of the programs cannot be started, or what they gave cannot be read.
    pub(crate) fn of_now(
        masthead: &Program,
        time: Duration,
        end: Millis,
        directory: &Utf8Path,
        patience: &Patience,
    ) -> Result<Self> {
        let program =
            |system| Program { system, path: masthead.path.clone(), version: String::new() };
        let (demo, recorder) = (program(&DEMO), program(&RECORDER));
        let [watched, recorded] = ["watched", "recorded"].map(|name| directory.join(name));
        let (demo, _) = Server::start(&demo, &watched, patience).context("the demo")?;
        let targets = targets(&api(&demo, patience)?, &demo.url(""));
        std::fs::create_dir_all(&recorded)?;
        std::fs::write(recorded.join(TARGETS), targets).context("cannot name the targets")?;
        let begun = now()?;
        let (recorder, _) = Server::start(&recorder, &recorded, patience).context("recorder")?;
        patience.sleep(time)?;
        let text = exported(&masthead.path, &recorder, begun)?;
        recorder.terminate()?;
        demo.terminate()?;
        Self::parse(&text, end).context("what was recorded")
    }
}

/// Where the items API of `demo` shows its metrics, as soon as it was scraped.
fn api(demo: &Server<'_>, patience: &Patience) -> Result<String> {
    const LOOK: Duration = Duration::from_millis(50);
    const LOOKS_MAX: usize = 1_200;
    for _ in 0..LOOKS_MAX {
        let parameters = [("match[]", r#"up{job="api"}"#)];
        let body = demo.ask("/api/v1/label/instance/values", &parameters)?;
        let body: Value = serde_json::from_slice(&body).context("the answer is not JSON")?;
        if let Some(instance) = body.pointer("/data/0").and_then(Value::as_str) {
            return Ok(instance.to_owned());
        }
        patience.sleep(LOOK)?;
    }
    anyhow::bail!("the demo has not scraped its API after a minute")
}

/// What is scraped every second; `demo` is a URL.
fn targets(api: &str, demo: &str) -> String {
    let demo = demo.trim_start_matches("http://");
    let job = |name: &str, target: &str| {
        format!("- job_name: {name}\n  static_configs: [{{targets: ['{target}']}}]\n")
    };
    "global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n".to_owned()
        + &job("api", api)
        + &job("demo", demo)
}

/// All that `server` has since it began, as OpenMetrics.
fn exported(masthead: &Utf8Path, server: &Server<'_>, begun: Millis) -> Result<Vec<u8>> {
    let mut command = Command::new(masthead);
    command.args(["export", "openmetrics", "--url"]).arg(server.url(""));
    command.arg("--from").arg((begun.0 / 1_000).to_string());
    let output = command.output();
    let output = output.with_context(|| format!("cannot start {masthead}"))?;
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "masthead export: {}", words.trim());
    Ok(output.stdout)
}
