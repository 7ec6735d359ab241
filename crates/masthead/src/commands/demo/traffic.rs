//! Sends the mix at its pace and counts what came of it.
//!
//! Requests leave on a clock of their own, not after answers, as those of many users do; at
//! [`IN_FLIGHT_MAX`] unanswered ones a request is left out and counted. The pace follows a wave,
//! so that graphs have a shape: a "day" of ten minutes, whose mean is the rate asked for.

use std::{
    f64::consts::TAU,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::{StreamExt as _, stream::FuturesUnordered};
use http::{Request, header};
use http_body_util::Full;
use tokio::{sync::watch, time::Instant};

use super::mix::{Mix, Plan};
use crate::{
    client::{Answer, Client},
    tasks::{Task, Tasks},
};

/// Most requests without an answer at one time.
pub(super) const IN_FLIGHT_MAX: usize = 16;
/// The length of the wave.
const DAY: Duration = Duration::from_mins(10);
/// How far the wave goes from its mean, as a share of it.
const WAVE: f64 = 0.6;
/// How late the clock may be before it starts anew instead of catching up.
const LATE_MAX: Duration = Duration::from_secs(1);

/// What was sent and what came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub sent: u64,
    /// By first digit of the status: `answered[2]` counts 2xx.
    pub answered: [u64; 6],
    /// Sent, but no whole answer came back.
    pub unanswered: u64,
    /// Not sent, for too many were in flight.
    pub left_out: u64,
    /// Why the last unanswered one was.
    pub last_error: Option<String>,
}

/// Traffic under way; dropping it ends it at once, answers awaited or not.
#[derive(Debug)]
pub(super) struct Traffic {
    task: Task,
    stop: watch::Sender<bool>,
    counts: Arc<Mutex<Counts>>,
}

/// Where to, how fast, and what the requests are called.
#[derive(Clone, Debug)]
pub(super) struct Route {
    pub api: SocketAddr,
    /// Mean requests a second.
    pub rate: f64,
    pub seed: u32,
    /// The n-th request has the id `{id_prefix}{n}`.
    pub id_prefix: String,
}

impl Counts {
    pub(super) fn answers(&self) -> u64 {
        self.answered.iter().sum()
    }

    fn record(&mut self, result: &anyhow::Result<Answer>) {
        match result {
            Ok(answer) => {
                let class = usize::from(answer.status.as_u16() / 100);
                // hyper reads three-digit codes, 100 to 999; those above 5xx mean nothing to HTTP.
                let class = class.min(self.answered.len() - 1);
                if let Some(count) = self.answered.get_mut(class) {
                    *count += 1;
                }
            }
            Err(error) => {
                self.unanswered += 1;
                self.last_error = Some(format!("{error:#}"));
            }
        }
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} sent", self.sent)?;
        for (class, count) in self.answered.iter().enumerate().filter(|(_, count)| **count > 0) {
            write!(f, " · {count} × {class}xx")?;
        }
        if self.unanswered > 0 {
            write!(f, " · {} without answer", self.unanswered)?;
        }
        if self.left_out > 0 {
            write!(f, " · {} left out at {IN_FLIGHT_MAX} in flight", self.left_out)?;
        }
        if let Some(error) = &self.last_error {
            write!(f, " (last error: {})", crate::terminal::one_line(error))?;
        }
        Ok(())
    }
}

impl Traffic {
    pub(super) fn start(route: Route, client: Client, tasks: &Tasks) -> Self {
        let (stop, stopped) = watch::channel(false);
        let counts = Arc::new(Mutex::new(Counts::default()));
        let task = tasks.spawn("traffic", drive(route, client, Arc::clone(&counts), stopped));
        Self { task, stop, counts }
    }

    /// Sends nothing more, waits for the answers that are due, and returns the final counts.
    pub(super) async fn finish(self) -> Counts {
        self.stop.send_replace(true);
        self.task.done().await;
        lock(&self.counts).clone()
    }
}

async fn drive(
    route: Route,
    client: Client,
    counts: Arc<Mutex<Counts>>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut mix = Mix::new(route.seed);
    let mut in_flight = FuturesUnordered::new();
    let start = Instant::now();
    let mut next = start;
    loop {
        tokio::select! {
            // An error means that the handle is gone, and this task with it.
            _ = stopped.wait_for(|stop| *stop) => break,
            Some(result) = in_flight.next() => record(&counts, &mut mix, &result),
            () = tokio::time::sleep_until(next) => {
                next = following(next, start, route.rate, mix.uniform());
                if in_flight.len() < IN_FLIGHT_MAX {
                    let number = {
                        let mut counts = lock(&counts);
                        counts.sent += 1;
                        counts.sent
                    };
                    let plan = mix.next_plan();
                    in_flight.push(send(client.clone(), route.clone(), plan, number));
                } else {
                    lock(&counts).left_out += 1;
                }
            }
        }
    }
    while let Some(result) = in_flight.next().await {
        record(&counts, &mut mix, &result);
    }
}

async fn send(client: Client, route: Route, plan: Plan, number: u64) -> anyhow::Result<Answer> {
    let request = Request::builder()
        .method(plan.method)
        .uri(format!("http://{}{}", route.api, plan.path))
        .header("x-request-id", format!("{}{number}", route.id_prefix))
        .header(header::USER_AGENT, concat!("masthead-demo/", env!("CARGO_PKG_VERSION")));
    let request = match plan.body {
        Some(body) => {
            request.header(header::CONTENT_TYPE, "application/json").body(Full::new(body))
        }
        None => request.body(Full::default()),
    };
    client.send(request?).await
}

fn record(counts: &Mutex<Counts>, mix: &mut Mix, result: &anyhow::Result<Answer>) {
    lock(counts).record(result);
    if let Ok(answer) = result {
        for id in ids(answer) {
            mix.learn(&id);
        }
    }
}

/// The ids of the items in a successful answer: one item, or a page of them.
fn ids(answer: &Answer) -> Vec<String> {
    if !answer.status.is_success() {
        return Vec::new();
    }
    let Ok(body) = serde_json::from_slice::<serde_json::Value>(&answer.body) else {
        return Vec::new();
    };
    let page = body.get("items").and_then(|items| items.as_array());
    page.map_or(std::slice::from_ref(&body), Vec::as_slice)
        .iter()
        .filter_map(|item| item.get("id")?.as_str().map(str::to_owned))
        .collect()
}

/// When the request after the one at `now` leaves; `chance` (0 to 1) makes gaps uneven.
fn following(now: Instant, start: Instant, rate: f64, chance: f64) -> Instant {
    let day = (now - start).as_secs_f64() / DAY.as_secs_f64();
    let pace = rate * (1.0 + WAVE * (TAU * day).sin());
    // From half to one and a half of the even gap. The pace is above 0, for WAVE is below 1.
    let next = now + Duration::from_secs_f64((0.5 + chance) / pace);
    let current = Instant::now();
    if current > next + LATE_MAX { current } else { next }
}

fn lock(counts: &Mutex<Counts>) -> std::sync::MutexGuard<'_, Counts> {
    // Numbers stay numbers after a panic elsewhere, which is reported on its own.
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
