//! What watches the command: a stack of this process, or with `--url` a server elsewhere.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use bytes::Bytes;
use http::StatusCode;
use masthead_model::Labels;
use masthead_scrape::ScrapeConfig;
use masthead_tail::LineSource;
use masthead_wire::remote_write::{EncoderV1, compress};
use url::Url;

use super::Signals;
use crate::{
    cli::{RunArgs, ServeArgs, UsageError},
    client::Limits,
    server::{self, Server},
    stack::{
        Stack,
        elsewhere::{Elsewhere, Ends, FLUSH_TIME_MAX},
        own_log::OwnLog,
    },
    terminal,
};

/// For the question whether a server lets us in.
const ASK: Limits = Limits { time: Duration::from_secs(5), body_bytes: 64 << 10 };

pub(super) enum Watching {
    Here(Box<Stack>),
    Elsewhere { stack: Box<Elsewhere>, place: String },
}

/// Where lines and samples go, if not here.
///
/// # Errors
/// Flags that cannot be.
pub(super) fn ends(args: &RunArgs) -> Result<Option<Ends>, UsageError> {
    let (lines, samples) = match (&args.url, &args.loki, &args.remote_write) {
        (Some(url), _, _) => {
            let at = |endpoint: &str| {
                let text = format!("{}{endpoint}", url.as_str().trim_end_matches('/'));
                Url::parse(&text).map_err(|error| UsageError(format!("--url {url}: {error}")))
            };
            server::without_credentials(url)?;
            (at("/loki/api/v1/push")?, at("/api/v1/write")?)
        }
        (None, Some(lines), Some(samples)) => (lines.clone(), samples.clone()),
        _ => return Ok(None),
    };
    server::without_credentials(&lines)?;
    server::without_credentials(&samples)?;
    Ok(Some(Ends { lines, samples, client: args.access.client_config()? }))
}

impl Watching {
    /// # Errors
    /// What kept it from starting; a server elsewhere that does not let us in.
    pub(super) async fn start(
        args: &RunArgs,
        settings: &ServeArgs,
        ends: Option<Ends>,
        own_log: OwnLog,
    ) -> anyhow::Result<Self> {
        let Some(ends) = ends else {
            return Ok(Self::Here(Box::new(Stack::start(settings, own_log).await?)));
        };
        let place = match &args.url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => format!("{} and {}", ends.lines, ends.samples),
        };
        let_in(args, &ends).await?;
        let stack = Box::new(Elsewhere::start(settings, &ends).await?);
        Ok(Self::Elsewhere { stack, place })
    }

    /// Where the dashboards are, or whatever keeps what is sent.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Here(stack) => {
                stack.addresses().first().map_or_else(String::new, |at| format!("http://{at}"))
            }
            Self::Elsewhere { place, .. } => place.clone(),
        }
    }

    /// Ways in for lines.
    ///
    /// # Errors
    /// The machine has no thread left.
    pub(super) fn pipes(&self, of: Vec<(&str, Labels)>) -> anyhow::Result<Vec<LineSource>> {
        match self {
            Self::Here(stack) => stack.pipes(of),
            Self::Elsewhere { stack, .. } => stack.pipes(of),
        }
    }

    /// Scrapes these jobs from now on.
    ///
    /// # Errors
    /// A job that cannot be put to work.
    pub(super) async fn scrape(&self, jobs: Vec<Arc<ScrapeConfig>>) -> anyhow::Result<()> {
        match self {
            Self::Here(stack) => stack.scrape(jobs).await,
            Self::Elsewhere { stack, .. } => stack.scrape(jobs).await,
        }
    }

    /// Waits until somebody asks for the end, or something has failed, which is the error.
    pub(super) async fn ended(&self) -> anyhow::Result<&'static str> {
        match self {
            Self::Here(stack) => stack.ended().await,
            Self::Elsewhere { stack, .. } => Err(stack.failed().await),
        }
    }

    /// Ends in order, and says what a server elsewhere did not get.
    ///
    /// # Errors
    /// What could not be written or read at the end.
    pub(super) async fn stop(self, args: &RunArgs, signals: &mut Signals) -> anyhow::Result<()> {
        let (stack, place) = match self {
            Self::Here(stack) => return stack.stop().await,
            Self::Elsewhere { stack, place } => (stack, place),
        };
        let enough = async {
            tokio::time::sleep(SAID_AFTER).await;
            let most = FLUSH_TIME_MAX.as_secs();
            terminal::say(&format!(
                "Sending the rest to {place}, for at most {most} s; Ctrl-C ends that."
            ));
            signals.next().await;
        };
        let missing = stack.stop(enough).await?;
        if missing.is_nothing() {
            return Ok(());
        }
        let then = match &args.data {
            _ if !missing.waits() => String::new(),
            Some(data) => format!(
                "; what was not sent is in {}, and goes with the next run that has the same --data \
                 and address",
                data.display()
            ),
            None => "; with --data what was not sent would wait for the next run".to_owned(),
        };
        terminal::say(&format!("Not everything is at {place}: {missing}{then}."));
        Ok(())
    }
}

/// An end that is quicker than this needs no word.
const SAID_AFTER: Duration = Duration::from_secs(2);

/// Asks both ends to take nothing, so that a wrong token is known before the command starts. An end
/// that is away may be back before the command has ended.
async fn let_in(args: &RunArgs, ends: &Ends) -> anyhow::Result<()> {
    let nothing = Bytes::from(compress(&EncoderV1::default().finish())?);
    let headers = [
        ("content-type", "application/x-protobuf"),
        ("content-encoding", "snappy"),
        ("x-prometheus-remote-write-version", "0.1.0"),
    ];
    // An empty push of Loki and an empty write are the same bytes.
    for url in [&ends.lines, &ends.samples] {
        let server = Server::new(url, &args.access, ASK)?;
        let answer = match server.send("", &nothing, &headers).await {
            Ok(answer) => answer,
            Err(error) => {
                let (end, error) = (server.base(), terminal::one_line(&format!("{error:#}")));
                terminal::say(&format!("{end} does not answer yet ({error}); it is tried again."));
                if args.url.is_some() {
                    // The other end is the same server.
                    break;
                }
                continue;
            }
        };
        let advice = match answer.status {
            StatusCode::UNAUTHORIZED => "give --token or --user with --password-file",
            StatusCode::FORBIDDEN => "this login may not write",
            StatusCode::NOT_FOUND => "there is no such endpoint",
            _ => continue,
        };
        let said = server::refusal(answer.status, &answer.body);
        let told = format!("cannot send to {}: {said}; {advice}", server.base());
        return Err(UsageError(told)).context("nothing was started");
    }
    Ok(())
}
