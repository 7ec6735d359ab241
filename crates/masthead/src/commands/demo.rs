//! `masthead demo`: the whole stack, and the items API under light traffic for it to observe.
//!
//! This file is the order of events: start, banner, traffic and summaries, an end, a check. The
//! parts: the service as the demo runs it (`service.rs`) and as the stack sees it (`observed.rs`),
//! what its users do (`mix.rs`) and how it is sent (`traffic.rs`), what its log (`log_line.rs`,
//! `screen.rs`) and its metrics (`exposition.rs`, `summary.rs`) say, what the stores have of both
//! (`stored.rs`), and whether it all agrees (`check.rs`).
//!
//! However it ends, the items API ends too: see `child.rs`.

mod banner;
mod check;
mod exposition;
mod log_line;
mod mix;
mod observed;
mod screen;
mod service;
mod stored;
mod summary;
mod traffic;

use std::{ffi::OsString, net::SocketAddr, process::ExitStatus, time::Duration};

use anyhow::{Context as _, anyhow, bail, ensure};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::{Instant, MissedTickBehavior, interval_at, sleep, timeout},
};

pub(super) use self::service::{Data, give_way};
use self::{
    check::{LogStory, Verdict},
    observed::Pipes,
    screen::Screen,
    service::{AddressFinder, Addresses, Ports},
    summary::Snapshot,
    traffic::{Counts, Route, Traffic},
};
use super::doctor;
use crate::{
    child::{self, Child, Ending},
    cli::DemoArgs,
    client::{Client, Limits},
    config,
    stack::{self, Stack},
    tasks::{Task, Tasks},
    terminal::{self, Output},
};

/// How long the items API may take to say where it listens.
const START_TIME_MAX: Duration = Duration::from_secs(15);
/// How long what an ended process wrote may still be on its way.
const LAST_LINES_TIME_MAX: Duration = Duration::from_secs(1);
/// How long counters may lag behind the answers they count.
const COUNTERS_TIME_MAX: Duration = Duration::from_secs(2);

/// Why the demo ends.
#[derive(Debug)]
enum End {
    /// Time is up, a signal came, or nobody reads stdout any more.
    Asked,
    Child(ExitStatus),
    Failed(anyhow::Error),
}

/// How the items API's start went.
#[derive(Debug)]
enum Start {
    Up(Addresses),
    /// The demo was asked to end before.
    Asked,
    Ended(ExitStatus),
}

/// What runs while the demo does.
struct Demo {
    child: Child,
    /// Carries its lines to the collector and the screen.
    carrier: Task,
    screen: Screen,
    signals: Signals,
    tasks: Tasks,
    client: Client,
}

/// Runs the demo to its end.
///
/// # Errors
/// A [`crate::cli::UsageError`] when it cannot begin; anything else when the items API could not
/// be started or ended early, or when `--check` found a disagreement.
pub(super) async fn run(args: DemoArgs) -> anyhow::Result<()> {
    // First of all, so that no signal finds a child without a keeper.
    let signals = Signals::listen()?;
    let program = service::find_program(args.items_api.clone())?;
    // Dropped last, after the stack and the child that write to it.
    let data = Data::open(args.data.clone()).await?;
    let settings = settings(&args, &data)?;
    let own_log = stack::start_quiet_logs(&settings)?;
    let tasks = Tasks::new();
    let mut ports = Ports::loopback(args.api_port, args.metrics_port);
    ports.give_way();
    // It starts while the stack does; its lines wait.
    let spawn = |ports: &Ports| Child::spawn(service::command(&program, &data, ports), &tasks);
    let (child, lines) = spawn(&ports)?;
    let stack = Stack::start(&settings, own_log).await?;
    let pipes = Pipes::open(&stack)?;
    let seed = args.seed.unwrap_or_else(|| fastrand::u32(..));
    let id_prefix = format!("demo-{seed}-");
    let screen = |lines| {
        let (carrier, lines) = pipes.clone().collect(lines, &tasks);
        (carrier, Screen::new(Output::stdout(), lines, LogStory::new(&id_prefix)))
    };
    let (carrier, first) = screen(lines);
    let client = Client::new(Limits::default());
    let mut demo = Demo { child, carrier, screen: first, signals, tasks: tasks.clone(), client };
    let played = async {
        let addresses = loop {
            match demo.started().await? {
                Start::Up(addresses) => break addresses,
                Start::Asked => return demo.stop().await.map(drop),
                Start::Ended(_) if ports.give_way() => {
                    let (child, lines) = spawn(&ports)?;
                    demo.child = child;
                    (demo.carrier, demo.screen) = screen(lines);
                }
                Start::Ended(status) => return Err(demo.ended_early(status).await),
            }
        };
        let at = *stack.addresses().first().context("BUG: no listener")?;
        stack.scrape(vec![observed::job(addresses.metrics, args.scrape_every)?]).await?;
        let program = std::env::args_os().next().unwrap_or_else(|| "masthead".into());
        let program = program.to_string_lossy();
        demo.screen.raise(&banner::text(&program, at, &addresses, &data, args.rate, seed))?;
        let route =
            Route { api: addresses.api, rate: args.rate, seed, id_prefix: id_prefix.clone() };
        demo.play(&args, at, &addresses, route).await
    };
    let played = played.await;
    let stopped = stack.stop().await;
    played.and(stopped)
}

/// What the stack of the demo is started with: the environment's settings, but for what the demo
/// itself says.
fn settings(args: &DemoArgs, data: &Data) -> anyhow::Result<crate::cli::ServeArgs> {
    let mut port = SocketAddr::from(([127, 0, 0, 1], args.port));
    give_way(&mut port, "dashboards");
    let mut words: Vec<OsString> = ["masthead", "serve", "--data"].map(OsString::from).into();
    words.push(data.path().join("masthead").into());
    words.extend(["--listen".into(), port.to_string().into()]);
    words.push("--rules.shipped".into());
    config::resolve(&words)
}

impl Demo {
    /// Traffic and summaries until there is a reason to end, and then whatever was asked for.
    async fn play(
        &mut self,
        args: &DemoArgs,
        at: SocketAddr,
        addresses: &Addresses,
        route: Route,
    ) -> anyhow::Result<()> {
        let started = Instant::now();
        let metrics = format!("http://{}/metrics", addresses.metrics);
        let first = self.snapshot(&metrics).await?;
        let id_prefix = route.id_prefix.clone();
        let traffic = Traffic::start(route, self.client.clone(), &self.tasks);
        match self.watch(&metrics, first.clone(), args.summary_every, args.run_for).await? {
            End::Asked => {}
            End::Child(status) => return Err(self.ended_early(status).await),
            End::Failed(error) => {
                self.stop().await?;
                return Err(error);
            }
        }
        let counts = self
            .unless_hurried(async |_, screen| screen.show_while(traffic.finish()).await)
            .await?;
        let mut verdicts = Vec::new();
        let (mut moved, mut doctor) = (None, None);
        if args.check {
            moved = self.moved(&metrics, &first, &counts).await;
            let shown = moved.map(|moved| first.requests + moved);
            let client = self.client.clone();
            let asked = stored::metrics(&client, at, addresses.metrics, shown, args.scrape_every);
            verdicts.push(self.screen.show_while(asked).await?);
            // While the API is there: a target that is down is broken.
            let (url, output) = (format!("http://{at}"), Output::stdout());
            let looked = doctor::report(&url, &output);
            doctor = Some(self.screen.show_while(looked).await??);
        }
        let ending = self.stop().await?;
        self.screen.line(&format!("Traffic   {counts}"))?;
        let Some(doctor) = doctor else { return Ok(()) };
        let seen = self.screen.story().own_requests();
        verdicts.push(stored::logs(&self.client, at, &id_prefix, seen, started.elapsed()).await);
        self.judge(&counts, moved, ending, verdicts, &doctor)
    }

    /// Waits until the items API says where it listens; its lines are held back meanwhile.
    async fn started(&mut self) -> anyhow::Result<Start> {
        let mut finder = AddressFinder::default();
        let deadline = sleep(START_TIME_MAX);
        tokio::pin!(deadline);
        loop {
            tokio::select! {
                line = self.screen.next() => {
                    let found = self.screen.hold(line)?.and_then(|line| finder.look(&line));
                    if let Some(addresses) = found {
                        return Ok(Start::Up(addresses));
                    }
                }
                status = self.child.ended() => return Ok(Start::Ended(status?)),
                error = self.tasks.failed() => return Err(error),
                () = self.signals.next() => return Ok(Start::Asked),
                () = &mut deadline => {
                    self.screen.tell_last_lines();
                    bail!(
                        "the items API did not log its addresses within {} s",
                        START_TIME_MAX.as_secs()
                    );
                }
            }
        }
    }

    /// Shows the log and summaries until there is a reason to end.
    async fn watch(
        &mut self,
        metrics: &str,
        first: Snapshot,
        summary_every: Duration,
        run_for: Option<Duration>,
    ) -> anyhow::Result<End> {
        let start = Instant::now();
        let mut before = (start, first);
        let mut ticks = interval_at(start + summary_every, summary_every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let time_is_up = async {
            match run_for {
                Some(time) => sleep(time).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(time_is_up);
        while !self.screen.reader_is_gone() {
            tokio::select! {
                line = self.screen.next() => self.screen.show(&line)?,
                _ = ticks.tick() => match self.snapshot(metrics).await {
                    Ok(snapshot) => {
                        let now = Instant::now();
                        let summary = snapshot.since(&before.1, now - before.0);
                        self.screen.headline(&format!("Summary   {summary}"))?;
                        before = (now, snapshot);
                    }
                    Err(error) => terminal::say(&format!("No summary: {error:#}")),
                },
                status = self.child.ended() => return Ok(End::Child(status?)),
                error = self.tasks.failed() => return Ok(End::Failed(error)),
                () = self.signals.next() => {
                    terminal::say("Ending; once more ends it at once.");
                    return Ok(End::Asked);
                }
                () = &mut time_is_up => return Ok(End::Asked),
            }
        }
        Ok(End::Asked)
    }

    async fn snapshot(&mut self, metrics: &str) -> anyhow::Result<Snapshot> {
        let text = self.screen.show_while(self.client.metrics(metrics)).await??;
        Snapshot::read(&text).with_context(|| format!("cannot read {metrics}"))
    }

    /// How far the request counter moved since `first`; waits a little for it to reach the answers.
    async fn moved(&mut self, metrics: &str, first: &Snapshot, counts: &Counts) -> Option<f64> {
        let deadline = Instant::now() + COUNTERS_TIME_MAX;
        loop {
            let moved = match self.snapshot(metrics).await {
                Ok(now) => Some(summary::increase(first.requests, now.requests)),
                Err(error) => {
                    terminal::say(&format!("{error:#}"));
                    None
                }
            };
            #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
            let wanted = counts.answers() as f64;
            if moved.is_some_and(|moved| moved >= wanted) || Instant::now() >= deadline {
                return moved;
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Ends the items API in order and shows the last of its log.
    async fn stop(&mut self) -> anyhow::Result<Ending> {
        let ending = self
            .unless_hurried(async |child, screen| {
                screen.show_while(child.stop(service::STOP_TIME_MAX)).await
            })
            .await??;
        if ending == Ending::Killed {
            terminal::say(&format!(
                "The items API did not end within {} s and was killed.",
                service::STOP_TIME_MAX.as_secs()
            ));
        }
        self.screen.show_rest(LAST_LINES_TIME_MAX).await?;
        Ok(ending)
    }

    /// Does `step` unless another signal asks to end at once; the child is then killed by its drop.
    async fn unless_hurried<T>(
        &mut self,
        step: impl AsyncFnOnce(&mut Child, &mut Screen) -> std::io::Result<T>,
    ) -> anyhow::Result<T> {
        tokio::select! {
            result = step(&mut self.child, &mut self.screen) => Ok(result?),
            () = self.signals.next() => bail!("ended at once by a second signal: the items API was killed"),
        }
    }

    async fn ended_early(&mut self, status: ExitStatus) -> anyhow::Error {
        // Whatever cannot be shown now is in the lines told below.
        drop(timeout(LAST_LINES_TIME_MAX, self.screen.take_rest()).await);
        self.screen.tell_last_lines();
        anyhow!("the items API ended early: {}", child::in_words(status))
    }

    fn judge(
        &mut self,
        counts: &Counts,
        moved: Option<f64>,
        ending: Ending,
        stored: Vec<Verdict>,
        doctor: &doctor::Report,
    ) -> anyhow::Result<()> {
        let mut verdicts = check::verdicts(counts, moved, self.screen.story());
        verdicts.extend(stored);
        let (good, how) = match ending {
            Ending::Ended(status) => (status.success(), child::in_words(status)),
            Ending::Killed => (false, "killed".to_owned()),
        };
        verdicts.push(Verdict { good, text: format!("the items API ended after SIGTERM: {how}") });
        let broken = doctor.broken;
        verdicts.push(Verdict {
            good: broken == 0,
            text: format!("masthead doctor finds {broken} things broken"),
        });
        for verdict in &verdicts {
            self.screen.verdict(verdict)?;
        }
        self.screen.line("")?;
        for line in &doctor.lines {
            self.screen.line(line)?;
        }
        let bad = verdicts.iter().filter(|verdict| !verdict.good).count();
        ensure!(bad == 0, "{bad} of {} checks failed", verdicts.len());
        Ok(())
    }
}

/// The signals that ask the demo to end.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
}
