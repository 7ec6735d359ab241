//! The synthetic log lines: what every system is sent, line by line, from one seed.
//!
//! Six parts in ten of the bytes are JSON lines of services, each with a request id of its own;
//! the rest is text as a machine's own programs write it ([`service`], [`system`]). Lines come in
//! the order of time, spread evenly over the hours.
//!
//! Invariant: the same [`Corpus`] gives the same streams, times and lines. Nothing here knows how
//! lines are sent (`push.rs`).

mod service;
mod system;

use masthead_model::{Labels, Nanos};
use masthead_sysio::Random;

/// Streams of services, and of the machines' own programs.
const SERVICE_STREAMS: usize = 36;
const SYSTEM_STREAMS: usize = 24;
/// Bytes of a line on average; a test compares.
const LINE_BYTES: u64 = 206;
/// Of a hundred lines, those of services: six tenths of the bytes.
const SERVICE_LINES_PERCENT: u64 = 38;
const NANOS_PER_HOUR: i64 = 3_600_000_000_000;

/// Everything that the lines depend on.
#[derive(Clone, Debug)]
pub(crate) struct Corpus {
    /// Of the lines alone, nearly.
    pub bytes: u64,
    pub hours: u32,
    pub seed: u64,
    /// No line is later than this.
    pub end: Nanos,
}

/// One line and where it belongs.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    /// The number of its stream in [`Corpus::streams`].
    pub stream: usize,
    pub at: Nanos,
    pub text: &'a str,
}

impl Corpus {
    /// How many lines there are.
    pub(crate) fn lines(&self) -> u64 {
        (self.bytes / LINE_BYTES).max(1)
    }

    /// Every line is later than this.
    pub(crate) fn start(&self) -> Nanos {
        Nanos(self.end.0 - i64::from(self.hours) * NANOS_PER_HOUR)
    }

    /// The labels of every stream.
    pub(crate) fn streams() -> Vec<Labels> {
        let services = (0..SERVICE_STREAMS).map(service::labels);
        services.chain((0..SYSTEM_STREAMS).map(system::labels)).collect()
    }

    /// The request id in the `number`th line of all services' lines.
    pub(crate) fn request_id(&self, number: u64) -> String {
        let mut random = Random::new(self.seed ^ (number + 1).wrapping_mul(0xa076_1d64_78bd_642f));
        let (a, b) = (random.next_u64(), random.next_u64());
        let variant = 0x8000 | (b >> 48 & 0x3fff);
        format!(
            "{:08x}-{:04x}-4{:03x}-{variant:04x}-{:012x}",
            a >> 32,
            a >> 16 & 0xffff,
            a & 0xfff,
            b & 0xffff_ffff_ffff,
        )
    }

    /// A request id about in the middle of the hours.
    pub(crate) fn needle(&self) -> String {
        self.request_id(self.lines() * SERVICE_LINES_PERCENT / 200)
    }

    /// Calls `take` with every line, in the order of time.
    ///
    /// # Errors
    /// The first of `take`.
    pub(crate) fn each<E>(
        &self,
        mut take: impl FnMut(&Line<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut random = Random::new(self.seed);
        let (lines, mut requests, mut text) = (self.lines(), 0, String::new());
        let span = i128::from(self.end.0) - i128::from(self.start().0);
        for number in 0..lines {
            // Between two lines there is more than a nanosecond, so the times are distinct. The
            // first is after the start, which a window of LogQL leaves out.
            let offset = span * i128::from(number + 1) / i128::from(lines);
            let at = Nanos(self.start().0 + i64::try_from(offset).unwrap_or(i64::MAX));
            let clock = clock(at);
            text.clear();
            let stream = if random.below(100) < SERVICE_LINES_PERCENT {
                // Some services are busier than others.
                let stream = random.index(SERVICE_STREAMS).min(random.index(SERVICE_STREAMS));
                service::write(&mut text, stream, &clock, &self.request_id(requests), &mut random);
                requests += 1;
                stream
            } else {
                let stream = random.index(SYSTEM_STREAMS);
                system::write(&mut text, stream, &clock, &mut random);
                SERVICE_STREAMS + stream
            };
            take(&Line { stream, at, text: &text })?;
        }
        Ok(())
    }
}

/// A moment as a line shows it, to the microsecond.
fn clock(at: Nanos) -> String {
    let at = jiff::Timestamp::from_nanosecond(i128::from(at.0));
    // Every count of nanoseconds in 64 bits is a moment that the calendar has.
    at.map(|at| format!("{at:.6}")).unwrap_or_default()
}

/// One of `words`, each as likely as the others.
fn pick<'a>(words: &[&'a str], random: &mut Random) -> &'a str {
    words.get(random.index(words.len())).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn corpus() -> Corpus {
        Corpus { bytes: 4 << 20, hours: 6, seed: 1, end: Nanos(1_800_000_000_000_000_000) }
    }

    fn all(corpus: &Corpus) -> Vec<(usize, Nanos, String)> {
        let mut all = Vec::new();
        let taken: Result<(), ()> = corpus.each(|line| {
            all.push((line.stream, line.at, line.text.to_owned()));
            Ok(())
        });
        taken.unwrap();
        all
    }

    #[test]
    fn the_same_seed_gives_the_same_lines_and_another_gives_others() {
        let (once, again) = (all(&corpus()), all(&corpus()));
        assert_eq!(once, again);
        assert_ne!(once, all(&Corpus { seed: 2, ..corpus() }));
    }

    #[test]
    fn sizes_shares_and_times_are_as_promised() {
        let corpus = corpus();
        let all = all(&corpus);
        assert_eq!(all.len() as u64, corpus.lines());
        let bytes = |service: bool| -> usize {
            let wanted = all.iter().filter(|line| (line.0 < SERVICE_STREAMS) == service);
            wanted.map(|line| line.2.len()).sum()
        };
        let (services, rest) = (bytes(true) as f64, bytes(false) as f64);
        let size = (services + rest) / corpus.bytes as f64;
        assert!((0.97..1.03).contains(&size), "{size}");
        let share = services / (services + rest);
        assert!((0.57..0.63).contains(&share), "{share}");
        assert!(all.windows(2).all(|two| two[0].1 < two[1].1));
        assert!(all[0].1 > corpus.start() && all[all.len() - 1].1 == corpus.end);
        let seen: HashSet<usize> = all.iter().map(|line| line.0).collect();
        assert_eq!(seen.len(), Corpus::streams().len());
        let labels: HashSet<String> = Corpus::streams().iter().map(ToString::to_string).collect();
        assert_eq!(labels.len(), 60);
    }

    #[test]
    fn a_request_id_is_in_one_line_only() {
        let (corpus, needle) = (corpus(), corpus().needle());
        assert_eq!(needle.len(), 36);
        let holds = all(&corpus).iter().filter(|line| line.2.contains(&needle)).count();
        assert_eq!(holds, 1);
    }

    #[test]
    fn lines_of_services_are_json() {
        for (stream, _, line) in all(&corpus()) {
            let json = serde_json::from_str::<serde_json::Value>(&line);
            assert_eq!(json.is_ok(), stream < SERVICE_STREAMS, "{line}");
        }
    }
}
