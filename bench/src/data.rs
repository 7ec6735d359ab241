//! The synthetic fleet: what every system is sent, sample by sample, from one seed.
//!
//! A host is scraped every 15 s at an offset of its own, as Prometheus spreads its targets. Most
//! of its series never change and few change often, in the shares that a recorded `node_exporter`
//! has ([`CONSTANT_SHARE`], [`CHANGING_SHARE`]). Which series a host has: `data/templates.rs`.
//!
//! Invariant: the same [`Plan`] gives the same labels, times and values, however the scrapes of
//! different hosts are interleaved; the order of one host's scrapes is fixed. Nothing here knows
//! how samples are sent (`ingest.rs`).

mod templates;

use std::collections::BTreeSet;

use masthead_model::{Labels, Millis};
use masthead_sysio::Random;

use templates::{Kind, Template};

/// Between two scrapes of a host.
pub(crate) const INTERVAL_MS: i64 = 15_000;
/// The share of a host's series that never change.
pub(crate) const CONSTANT_SHARE: f64 = 0.57;
/// The share of samples that differ from the sample before them.
pub(crate) const CHANGING_SHARE: f64 = 0.18;
/// The fewest series of a host: those that the queries ask for.
pub(crate) const SERIES_MIN: u32 = 250;
/// How far off its grid a scrape may be.
const JITTER_MS_MAX: u64 = 9;
/// Hosts whose number has this remainder restart in the middle, so that counters reset.
const RESTART: (u32, u32) = (7, 3);

/// Everything that the data depends on.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub hosts: u32,
    /// Series of one host.
    pub series: u32,
    /// Scrapes of one host.
    pub rounds: u32,
    /// How many scrapes in a hundred are off the grid by a few milliseconds.
    pub jitter_percent: u32,
    pub seed: u64,
    /// Every sample is earlier than this.
    pub end: Millis,
}

impl Plan {
    /// All samples of all hosts.
    pub(crate) fn samples(&self) -> u64 {
        u64::from(self.hosts) * u64::from(self.series) * u64::from(self.rounds)
    }

    /// No sample is earlier than this.
    pub(crate) fn start(&self) -> Millis {
        self.end.saturating_sub(INTERVAL_MS * i64::from(self.rounds))
    }

    /// The value of the label `instance` of a host.
    pub(crate) fn instance(host: u32) -> String {
        format!("host-{host:04}:9100")
    }

    /// The names of all metrics, each once.
    pub(crate) fn metric_names(&self) -> BTreeSet<&'static str> {
        self.fleet().templates.iter().map(|template| template.name).collect()
    }

    /// The series of every host, without their values: what [`Host::new`] is given.
    pub(crate) fn fleet(&self) -> Fleet {
        Fleet { templates: templates::of_a_host(self.series) }
    }
}

/// What all hosts have in common.
#[derive(Debug)]
pub(crate) struct Fleet {
    templates: Vec<Template>,
}

/// One host and where its series stand.
#[derive(Debug)]
pub(crate) struct Host {
    labels: Vec<Labels>,
    values: Vec<f64>,
    flows: Vec<Flow>,
    random: Random,
    number: u32,
    /// Where in the interval it is scraped.
    offset_ms: i64,
    rounds_done: u32,
}

/// The requests of one handler so far.
#[derive(Clone, Copy, Debug, Default)]
struct Flow {
    requests: f64,
    seconds: f64,
}

impl Host {
    /// The host `number` before its first scrape.
    pub(crate) fn new(plan: &Plan, fleet: &Fleet, number: u32) -> Self {
        let mut random = Random::new(plan.seed ^ (u64::from(number) << 32));
        // Jitter on either side stays within the interval.
        let offsets = INTERVAL_MS.unsigned_abs() - 2 * JITTER_MS_MAX;
        let offset_ms = random.below(offsets) + JITTER_MS_MAX;
        let offset_ms = i64::try_from(offset_ms).unwrap_or(0);
        let instance = Plan::instance(number);
        let rack = format!("rack-{}", number / 8);
        let labels = fleet.templates.iter().map(|template| {
            let own = template.labels.iter().map(|(name, value)| (*name, value.as_str()));
            let all = [("__name__", template.name), ("job", template.job())];
            let host = [("instance", instance.as_str()), ("rack", rack.as_str())];
            own.chain(all).chain(host).collect()
        });
        let labels = labels.collect();
        let values = fleet.templates.iter().map(|template| template.kind.first()).collect();
        let flows = vec![Flow::default(); templates::HANDLERS.len()];
        Self { labels, values, flows, random, number, offset_ms, rounds_done: 0 }
    }

    /// The label sets, in the order of [`Host::values`].
    pub(crate) fn labels(&self) -> &[Labels] {
        &self.labels
    }

    /// The values of the last scrape.
    pub(crate) fn values(&self) -> &[f64] {
        &self.values
    }

    /// Steps to the next scrape and returns its time.
    pub(crate) fn scrape(&mut self, plan: &Plan, fleet: &Fleet) -> Millis {
        let round = self.rounds_done;
        self.rounds_done += 1;
        let at = plan.start().0 + INTERVAL_MS * i64::from(round) + self.offset_ms;
        let jitter_ms = self.jitter_ms(plan.jitter_percent);
        let restarts = self.number % RESTART.0 == RESTART.1 && round == plan.rounds / 2;
        if restarts {
            self.flows.fill(Flow::default());
        }
        self.advance_flows();
        for (template, value) in fleet.templates.iter().zip(&mut self.values) {
            if restarts && template.kind.is_counter() {
                *value = 0.0;
            }
            *value = next(&template.kind, *value, self.number, &self.flows, &mut self.random);
        }
        Millis(at + jitter_ms)
    }

    fn jitter_ms(&mut self, percent: u32) -> i64 {
        // Both are drawn for every scrape, so that the values are the same at every percentage.
        let (chance, size) = (self.random.below(100), self.random.below(JITTER_MS_MAX) + 1);
        let sign = if self.random.coin() { 1 } else { -1 };
        let off = chance < u64::from(percent);
        if off { sign * i64::try_from(size).unwrap_or(0) } else { 0 }
    }

    fn advance_flows(&mut self) {
        for (flow, handler) in self.flows.iter_mut().zip(templates::HANDLERS) {
            let wanted = handler.per_second * (INTERVAL_MS as f64 / 1000.0);
            let requests = (wanted * (0.5 + fraction(&mut self.random)) + 0.5).floor();
            flow.requests += requests;
            flow.seconds += requests * handler.mean_seconds * (0.5 + fraction(&mut self.random));
        }
    }
}

fn next(kind: &Kind, value: f64, host: u32, flows: &[Flow], random: &mut Random) -> f64 {
    let flow = |number: &usize| flows.get(*number).copied().unwrap_or_default();
    match kind {
        Kind::Constant(_) => value,
        Kind::Counter { chance, step } => {
            if fraction(random) < *chance {
                value + 1.0 + (fraction(random) * step).floor()
            } else {
                value
            }
        }
        Kind::Seconds { share } => {
            let hundredths = (value * 100.0).round();
            let step = share * 1_500.0 * (0.5 + fraction(random));
            (hundredths + step.round()) / 100.0
        }
        Kind::Bytes { base, chance } => {
            if fraction(random) < *chance {
                let pages = (base / 4096.0 * (0.6 + 0.3 * fraction(random))).floor();
                pages * 4096.0
            } else {
                value
            }
        }
        Kind::Hundredths { base } => {
            let moved = value + (fraction(random) - 0.5) * 0.2 * base;
            (moved.clamp(0.05, base * 4.0) * 100.0).round() / 100.0
        }
        Kind::Part { flow: number, share } => (flow(number).requests * share).floor(),
        Kind::Within { flow: number, le } => {
            let mean = templates::HANDLERS.get(*number).map_or(1.0, |h| h.mean_seconds);
            // Hosts differ in speed, so that quantiles differ by host.
            let mean = mean * (1.0 + f64::from(host % 5) / 2.0);
            (flow(number).requests * (1.0 - (-le / mean).exp())).floor()
        }
        Kind::Total { flow: number } => (flow(number).seconds * 1_000.0).round() / 1_000.0,
    }
}

/// From 0 to below 1.
fn fraction(random: &mut Random) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests;
