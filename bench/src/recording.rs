//! Samples that were recorded: a file of text with a time on every line, as `masthead export`
//! writes it, sent to every system in the place of synthetic ones.
//!
//! Times are moved so that the newest is the end of all data; what lies between them is kept. Only
//! floats are taken. It never holds more than [`SAMPLES_MAX`] samples. Without a file, one is
//! made of what runs here (`recording/live.rs`).

mod live;

use std::collections::HashMap;

use anyhow::{Context as _, Result, bail, ensure};
use camino::Utf8Path;
use masthead_model::{Labels, Millis};
use masthead_wire::{
    Limits,
    exposition::{Entry, Format, Options, Parser, ValueRef},
};

/// Samples of one recording; they take 16 bytes each while the bench runs.
const SAMPLES_MAX: usize = 20_000_000;

/// A file that was read.
#[derive(Debug)]
pub(crate) struct Recording {
    pub series: Vec<Labels>,
    /// In the order of time, those of one time in the order of the file; each once.
    samples: Vec<Recorded>,
    /// What is added to every time.
    moved_ms: i64,
}

#[derive(Clone, Copy, Debug)]
struct Recorded {
    time: i64,
    series: u32,
    value: f64,
}

impl Recording {
    /// Reads the file at `path`, so that its newest sample is one of `end`.
    ///
    /// # Errors
    /// When it cannot be read, is no exposition, has lines without a time, or nothing at all.
    pub(crate) fn read(path: &Utf8Path, end: Millis) -> Result<Self> {
        let body = std::fs::read(path).with_context(|| format!("cannot read {path}"))?;
        Self::parse(&body, end).with_context(|| format!("{path} is no recording"))
    }

    fn parse(body: &[u8], end: Millis) -> Result<Self> {
        let format = if body.trim_ascii_end().ends_with(b"# EOF") {
            Format::OpenMetrics
        } else {
            Format::Text
        };
        // It is the user's own file, and the bench reads it once.
        let limits =
            Limits { body_bytes: usize::MAX, series: SAMPLES_MAX + 1, ..Limits::default() };
        let mut parser = Parser::new(body, format, Options { limits, ..Options::default() })?;
        let mut numbers: HashMap<Vec<u8>, u32> = HashMap::new();
        let (mut series, mut samples) = (Vec::new(), Vec::new());
        while let Some(entry) = parser.advance()? {
            let (Entry::Sample, ValueRef::Float(value)) = (entry, parser.value()) else { continue };
            let Some(time) = parser.timestamp() else {
                let name = String::from_utf8_lossy(parser.series());
                bail!("{name} has no time; every line must say when it was measured");
            };
            let number = match numbers.get(parser.series()) {
                Some(number) => *number,
                None => {
                    let number = u32::try_from(series.len()).context("too many series")?;
                    numbers.insert(parser.series().to_vec(), number);
                    series.push(parser.labels()?);
                    number
                }
            };
            ensure!(samples.len() < SAMPLES_MAX, "it has more than {SAMPLES_MAX} samples");
            samples.push(Recorded { time: time.0, series: number, value });
        }
        samples.sort_by_key(|sample| (sample.time, sample.series));
        samples.dedup_by_key(|sample| (sample.time, sample.series));
        let newest = samples.last().context("it has no samples")?.time;
        Ok(Self { series, samples, moved_ms: end.0 - newest })
    }

    /// How many samples there are.
    pub(crate) fn len(&self) -> u64 {
        self.samples.len() as u64
    }

    /// Series, time and value of every sample, in the order of time.
    pub(crate) fn samples(&self) -> impl Iterator<Item = (u32, Millis, f64)> {
        self.samples.iter().map(|one| (one.series, Millis(one.time + self.moved_ms), one.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_is_read_in_the_order_of_time_and_moved_to_the_end() {
        let text = "a{x=\"1\"} 1 1000\na{x=\"1\"} 2 16000\nb 3 1000\nb 3 1000\nb NaN 15999\n";
        let read = Recording::parse(text.as_bytes(), Millis(1_000_000)).unwrap();
        let names: Vec<String> = read.series.iter().map(ToString::to_string).collect();
        assert_eq!(names, [r#"{__name__="a", x="1"}"#, r#"{__name__="b"}"#]);
        let samples: Vec<_> = read.samples().map(|(s, t, v)| (s, t.0, v.to_bits())).collect();
        let nan = samples[2].2;
        assert!(f64::from_bits(nan).is_nan());
        let bits = f64::to_bits;
        let want = [
            (0, 985_000, bits(1.0)),
            (1, 985_000, bits(3.0)),
            (1, 999_999, nan),
            (0, 1_000_000, bits(2.0)),
        ];
        assert_eq!((samples, read.len()), (want.into(), 4));
    }

    #[test]
    fn what_is_no_recording_is_refused_in_words() {
        let f = |text: &str, words: &str| {
            let error = Recording::parse(text.as_bytes(), Millis(0)).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        };
        f("", "it has no samples");
        f("a{x=\"1\"} 1\n", "a{x=\"1\"} has no time");
        f("a{x=1} 2 3\n", "");
    }

    #[test]
    fn the_format_is_told_by_the_end() {
        let text = "# TYPE a gauge\na 1 1.5\na 2 2.5\n# EOF\n";
        let read = Recording::parse(text.as_bytes(), Millis(9_000)).unwrap();
        let times: Vec<i64> = read.samples().map(|(_, time, _)| time.0).collect();
        assert_eq!(times, [8_000, 9_000]);
    }
}
