//! `masthead run -- COMMAND`: the stack, and one command of anybody's for it to watch.
//!
//! What the command writes goes on to our own stdout and stderr byte for byte, and line by line to
//! the store; its metrics are scraped where they are said to be, or found (`run/listening.rs`).
//! Signals are handed to its process group, and its exit code is ours. It needs no server that
//! runs already; one that does gets everything in place of the stack here (`run/watching.rs`).
//!
//! It never changes what the command sees but its input: a terminal's is not its, because it runs
//! in a process group of its own (see `child.rs`).

mod listening;
mod pump;
mod watching;

use std::{
    ffi::OsString,
    fmt,
    io::IsTerminal as _,
    net::SocketAddr,
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use http::Uri;
use masthead_model::Labels;
use masthead_scrape::{PromConfig, ScrapeConfig};
use rustix::process::Signal;
use tokio::{
    io::{stderr, stdout},
    signal::unix::{Signal as Heard, SignalKind, signal},
    time::timeout,
};

use self::watching::Watching;
use super::demo::{Data, give_way};
use crate::{
    child::{self, Child},
    cli::{RunArgs, ServeArgs, UsageError},
    config,
    stack::{self, collecting::node_name, scraping::OWN_JOBS},
    tasks::Tasks,
    terminal,
};

/// How long what an ended command wrote may still be on its way: its own children may hold its
/// output open for ever.
const LAST_LINES_TIME_MAX: Duration = Duration::from_secs(2);
/// Between two scrapes.
const SCRAPE_EVERY: Duration = Duration::from_secs(5);
/// What a shell adds to the number of the signal that ended a command.
const SIGNAL_CODES: i32 = 128;

/// The command has ended with this code, which is to be ours; nothing more needs to be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended(pub(crate) u8);

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the command ended with {}", self.0)
    }
}

impl std::error::Error for Ended {}

/// Runs the command to its end.
///
/// # Errors
/// What kept the stack or the command from starting; [`Ended`] with the command's own code.
pub(super) async fn run(args: RunArgs) -> anyhow::Result<()> {
    let mut signals = Signals::listen()?;
    let program = args.command.first().context("BUG: no program was given")?;
    let name = match &args.name {
        Some(name) => name.clone(),
        None => Path::new(program).file_name().unwrap_or(program).to_string_lossy().into_owned(),
    };
    let data = Data::open(args.data.clone()).await?;
    let ends = watching::ends(&args)?;
    let settings = settings(&args, &data, ends.is_some())?;
    let own_log = stack::start_quiet_logs(&settings)?;
    let tasks = Tasks::new();
    let watching = Watching::start(&args, &settings, ends, own_log).await?;
    let ended = watch(&args, &name, &watching, &mut signals, &tasks).await;
    let stopped = watching.stop(&args, &mut signals).await;
    let status = ended?;
    stopped?;
    match code(status) {
        0 => Ok(()),
        code => Err(Ended(code).into()),
    }
}

async fn watch(
    args: &RunArgs,
    name: &str,
    watching: &Watching,
    signals: &mut Signals,
    tasks: &Tasks,
) -> anyhow::Result<ExitStatus> {
    let job = format!("{}/{name}", args.namespace);
    let node = node_name();
    let labels = |stream: &str| -> Labels {
        let names = ["namespace", "app", "container", "stream", "job", "node_name"];
        names.into_iter().zip([&args.namespace, name, name, stream, &job, &node]).collect()
    };
    let of = vec![(job.as_str(), labels("stdout")), (job.as_str(), labels("stderr"))];
    let mut pipes = watching.pipes(of)?.into_iter();
    let (Some(to_stdout), Some(to_stderr)) = (pipes.next(), pipes.next()) else {
        anyhow::bail!("BUG: two pipes were asked for");
    };
    let (program, rest) = args.command.split_first().context("BUG: no program was given")?;
    let mut command = child::tied(program);
    command.args(rest);
    // In a group of its own it may not read from our terminal; from anything else it may.
    let stdin = if std::io::stdin().is_terminal() { Stdio::null() } else { Stdio::inherit() };
    let (mut child, out, err) = Child::start(command, stdin)?;
    let out = tasks.spawn("stdout", pump::pump(out, stdout(), to_stdout));
    let err = tasks.spawn("stderr", pump::pump(err, stderr(), to_stderr));
    terminal::say(&format!("Masthead watches {name}: {}", watching.place()));
    match &args.metrics {
        Some(url) => watching.scrape(vec![scrape_job(name, &args.namespace, url)?]).await?,
        None => terminal::say("Its metrics are looked for; --metrics says where they are."),
    }
    let mut wanted = args.metrics.is_none();
    let status = loop {
        let group = child.id();
        tokio::select! {
            status = child.ended() => break status?,
            signal = signals.next() => child.signal(signal),
            Some(url) = listening::metrics(group), if wanted => {
                wanted = false;
                terminal::say(&format!("Its metrics are at {url}."));
                watching.scrape(vec![scrape_job(name, &args.namespace, &url)?]).await?;
            }
            error = watching.ended() => {
                child.stop(LAST_LINES_TIME_MAX).await?;
                match error {
                    Ok(what) => anyhow::bail!("ended by {what}"),
                    Err(error) => return Err(error),
                }
            }
            error = tasks.failed() => return Err(error),
        }
    };
    let rest = async {
        out.done().await;
        err.done().await;
    };
    // Whoever still holds the pipes is not waited for.
    drop(timeout(LAST_LINES_TIME_MAX, rest).await);
    Ok(status)
}

/// What the stack is started with: the environment's settings, but for what `run` itself says.
fn settings(args: &RunArgs, data: &Data, elsewhere: bool) -> anyhow::Result<ServeArgs> {
    let mut words: Vec<OsString> = ["masthead", "serve", "--data"].map(OsString::from).into();
    words.push(data.path().into());
    if elsewhere {
        // This machine is the business of whoever keeps what is sent, and nothing listens here.
        words.extend(["--no-host", "--no-self"].map(OsString::from));
    } else {
        let mut port = SocketAddr::from(([127, 0, 0, 1], args.port));
        give_way(&mut port, "dashboards");
        words.extend(["--listen".into(), port.to_string().into()]);
    }
    config::resolve(&words)
}

fn scrape_job(name: &str, namespace: &str, url: &Uri) -> anyhow::Result<Arc<ScrapeConfig>> {
    let target = url.authority().context("BUG: an address without a host")?;
    let query = form_urlencoded::parse(url.query().unwrap_or_default().as_bytes());
    let mut params = serde_json::Map::new();
    for (key, value) in query {
        let list = params.entry(key.into_owned()).or_insert_with(|| serde_json::json!([]));
        if let Some(list) = list.as_array_mut() {
            list.push(value.into_owned().into());
        }
    }
    let every = format!("{}s", SCRAPE_EVERY.as_secs());
    // JSON is YAML, and so no name can be more than a name.
    let text = serde_json::json!({"scrape_configs": [{
        "job_name": job_name(name, namespace),
        "scrape_interval": every,
        "scrape_timeout": every,
        "scheme": url.scheme_str().unwrap_or("http"),
        "metrics_path": url.path(),
        // A page that somebody wrote by hand may not say what it is.
        "fallback_scrape_protocol": "PrometheusText0.0.4",
        "params": params,
        "static_configs": [{
            "targets": [target.as_str()],
            "labels": {"namespace": namespace, "service": name, "container": name},
        }],
    }]});
    let jobs = PromConfig::parse(&text.to_string())
        .map_err(|error| UsageError(format!("--name, --namespace, --metrics: {error}")))?;
    jobs.scrape_configs.into_iter().next().context("BUG: one job was written")
}

/// The service's name, unless a job of our own has it: `node app.js` is not the machine. Then it is
/// the job that the service's lines have.
fn job_name(name: &str, namespace: &str) -> String {
    if OWN_JOBS.contains(&name) { format!("{namespace}/{name}") } else { name.to_owned() }
}

/// As a shell has it.
fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| Some(SIGNAL_CODES + status.signal()?));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// The signals that are the command's to answer.
struct Signals([(Heard, Signal); 6]);

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        let listen =
            |kind, name| anyhow::Ok((signal(kind).context("cannot listen for signals")?, name));
        Ok(Self([
            listen(SignalKind::interrupt(), Signal::INT)?,
            listen(SignalKind::terminate(), Signal::TERM)?,
            listen(SignalKind::hangup(), Signal::HUP)?,
            listen(SignalKind::quit(), Signal::QUIT)?,
            listen(SignalKind::user_defined1(), Signal::USR1)?,
            listen(SignalKind::user_defined2(), Signal::USR2)?,
        ]))
    }

    async fn next(&mut self) -> Signal {
        let heard = self.0.iter_mut().map(|(heard, name)| {
            Box::pin(async move {
                heard.recv().await;
                *name
            })
        });
        futures::future::select_all(heard).await.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_made_of_any_address() {
        let url: Uri = "https://127.0.0.1:1/a/b?x=1&x=2&y=z".parse().unwrap();
        let job = scrape_job("my: name", "n\"s", &url).unwrap();
        assert_eq!((job.job_name.as_str(), job.scheme.as_str()), ("my: name", "https"));
        assert_eq!((job.metrics_path.as_str(), job.params["x"].len()), ("/a/b", 2));
        assert!(job.fallback_scrape_protocol.is_some());
    }

    #[test]
    fn a_command_called_as_a_job_of_our_own_has_another_job() {
        let f = |name: &str, want: &str| assert_eq!(job_name(name, "ns"), want);
        f("node", "ns/node");
        f("masthead", "ns/masthead");
        f("shop", "shop");
    }

    #[test]
    fn codes_are_those_of_a_shell() {
        assert_eq!(code(ExitStatus::from_raw(0)), 0);
        assert_eq!(code(ExitStatus::from_raw(3 << 8)), 3);
        assert_eq!(code(ExitStatus::from_raw(9)), 137);
    }
}
