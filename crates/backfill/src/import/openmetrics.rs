//! OpenMetrics text into a history: as `promtool tsdb create-blocks-from openmetrics` reads it.
//!
//! Every sample needs a timestamp, `# EOF` ends the text, and an error names its line. Times may
//! come in any order. `_created` lines are samples like any other; exemplars and start times are
//! left out. HELP, TYPE and UNIT go to the store's metadata.

use std::{io::Read, sync::Arc};

use camino::Utf8Path;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use masthead_ports::{AppendBatch, Metadata, MetricType, SampleSink as _};
use masthead_sysio::{Clock, Fs};
use masthead_tsdb::Tsdb;
use masthead_wire::{
    Limits,
    exposition::{self, Entry, Format, Parser, ValueRef},
};

use super::{
    Options, Progress, Report, Skipped, Stage, fill,
    lines::{Piece, Pieces},
    runs::{Runs, Slot},
};
use crate::{Error, Result};

/// Memory for samples before they are moved to disk.
pub const SORT_BYTES_DEFAULT: usize = 256 << 20;
/// Most families whose metadata is kept.
const METADATA_MAX: usize = 100_000;
/// Memory for the texts of series that were looked up; what does not fit is looked up again.
const SLOTS_BYTES_MAX: usize = 128 << 20;
const SLOT_BYTES: usize = 64;

const LIMITS: Limits = Limits {
    body_bytes: usize::MAX,
    series: usize::MAX,
    labels: 4096,
    label_name_bytes: 64 << 10,
    label_value_bytes: 64 << 10,
};

/// Where an import finds things.
#[derive(Debug)]
pub struct Place<'a> {
    /// The store that is imported into.
    pub store: &'a Tsdb,
    /// The file system of the scratch directory.
    pub fs: Arc<dyn Fs>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// A directory that nobody else uses; made when samples do not fit into memory, gone at the end.
    pub scratch: &'a Utf8Path,
    /// Memory for samples before they are moved there.
    pub sort_bytes: usize,
}

/// Imports the text that `input` gives; nothing is written to the store unless all of it parses.
///
/// # Errors
/// [`Error::Line`] for what does not parse, and what cannot be read or written.
pub fn import(
    place: &Place<'_>,
    input: impl Read,
    total_bytes: Option<u64>,
    options: &Options,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report> {
    let (fs, clock) = (Arc::clone(&place.fs), Arc::clone(&place.clock));
    let mut reading = Reading {
        runs: Runs::new(fs, clock, place.scratch, place.sort_bytes)?,
        slots: HashMap::default(),
        slots_bytes: 0,
        key: Vec::new(),
        metadata: HashMap::default(),
        samples: 0,
        filtered: 0,
        exemplars: 0,
        options,
    };
    let mut pieces = Pieces::new(input);
    let mut piece = Piece::default();
    while pieces.next(&mut piece)? {
        reading.piece(&piece)?;
        progress(Progress {
            stage: Stage::Reading,
            done: pieces.bytes,
            total: total_bytes.unwrap_or(0),
            samples: reading.samples,
        });
    }
    reading.runs.finish()?;
    let mut report = fill(place.store, &place.clock, &mut reading.runs, options, progress)?;
    let later: u64 = report.skipped.values().sum();
    report.skip(Skipped::GivenTwice, reading.samples - report.samples - later);
    report.skip(Skipped::Filtered, reading.filtered);
    report.skip(Skipped::Exemplar, reading.exemplars);
    let mut metadata: Vec<Metadata> = reading.metadata.into_values().collect();
    metadata.sort_by(|a, b| a.family.cmp(&b.family));
    if !metadata.is_empty() {
        place.store.append(&mut AppendBatch { metadata, ..AppendBatch::default() })?;
        place.store.sync()?;
    }
    Ok(report)
}

struct Reading<'a> {
    runs: Runs,
    /// Series by their text and type; nothing for one that is not wanted.
    slots: HashMap<Box<[u8]>, Option<Slot>, RandomState>,
    slots_bytes: usize,
    key: Vec<u8>,
    metadata: HashMap<Arc<str>, Metadata, RandomState>,
    /// Samples that are wanted.
    samples: u64,
    filtered: u64,
    exemplars: u64,
    options: &'a Options,
}

impl Reading<'_> {
    fn piece(&mut self, piece: &Piece) -> Result<()> {
        let options = exposition::Options { limits: LIMITS, ..exposition::Options::default() };
        // Each entry is a line, because there are neither empty lines nor comments.
        let mut line = piece.lines_before + 1;
        let mut repeated = piece.repeated;
        let failed = |line: u64, message: String| Error::Line { line, message };
        let mut parser = Parser::new(&piece.body, Format::OpenMetrics, options)
            .map_err(|error| failed(line, error.to_string()))?;
        loop {
            let entry = parser.advance().map_err(|error| failed(line, error.to_string()))?;
            let Some(entry) = entry else { return Ok(()) };
            if entry == Entry::Sample {
                self.sample(&mut parser).map_err(|error| match error {
                    SampleError::Text(message) => failed(line, message),
                    SampleError::Other(error) => *error,
                })?;
            } else {
                self.metadata(entry, &parser);
            }
            if repeated > 0 {
                repeated -= 1;
            } else {
                line += 1;
            }
        }
    }

    fn sample(&mut self, parser: &mut Parser<'_>) -> Result<(), SampleError> {
        let Some(time) = parser.timestamp() else {
            let series = String::from_utf8_lossy(parser.series()).into_owned();
            return Err(SampleError::Text(format!(
                "no timestamp for {series}; every sample needs one"
            )));
        };
        if matches!(time.0, i64::MIN | i64::MAX) {
            let series = String::from_utf8_lossy(parser.series()).into_owned();
            return Err(SampleError::Text(format!(
                "the timestamp of {series} does not fit into 64 bits of milliseconds"
            )));
        }
        let ValueRef::Float(value) = parser.value() else {
            return Err(SampleError::Text("a histogram in text".to_owned()));
        };
        let mut exemplars = Vec::new();
        self.exemplars += parser.exemplars(&mut exemplars) as u64 + exemplars.len() as u64;
        self.key.clear();
        self.key.push(metric_type(parser) as u8);
        self.key.extend_from_slice(parser.series());
        let slot = match self.slots.get(self.key.as_slice()) {
            Some(slot) => *slot,
            None => {
                let labels =
                    parser.labels().map_err(|error| SampleError::Text(error.to_string()))?;
                let wanted = self.options.filter.wants(&labels);
                let slot = wanted.then(|| self.runs.slot(&labels));
                self.slots_bytes += SLOT_BYTES + self.key.len();
                if self.slots_bytes > SLOTS_BYTES_MAX {
                    // They are found again by their labels.
                    self.slots.clear();
                    self.slots_bytes = 0;
                }
                self.slots.insert(self.key.clone().into_boxed_slice(), slot);
                slot
            }
        };
        let Some(slot) = slot.filter(|_| self.options.filter.wants_time(time.0)) else {
            self.filtered += 1;
            return Ok(());
        };
        self.samples += 1;
        if !self.runs.push(slot, time.0, value).map_err(|error| SampleError::Other(error.into()))? {
            self.slots.clear();
            self.slots_bytes = 0;
        }
        Ok(())
    }

    fn metadata(&mut self, entry: Entry, parser: &Parser<'_>) {
        let family = parser.family();
        if !self.metadata.contains_key(family) {
            if self.metadata.len() >= METADATA_MAX {
                return;
            }
            let name: Arc<str> = family.into();
            let empty: Arc<str> = "".into();
            let new = Metadata {
                family: Arc::clone(&name),
                metric_type: MetricType::Unknown,
                help: Arc::clone(&empty),
                unit: empty,
            };
            self.metadata.insert(name, new);
        }
        let Some(metadata) = self.metadata.get_mut(family) else { return };
        match entry {
            Entry::Type => metadata.metric_type = metric_type(parser),
            Entry::Help => metadata.help = parser.text().into(),
            Entry::Unit => metadata.unit = parser.text().into(),
            Entry::Sample => {}
        }
    }
}

enum SampleError {
    /// What is wrong with the line.
    Text(String),
    Other(Box<Error>),
}

fn metric_type(parser: &Parser<'_>) -> MetricType {
    match parser.metric_type() {
        masthead_wire::MetricType::Counter => MetricType::Counter,
        masthead_wire::MetricType::Gauge => MetricType::Gauge,
        masthead_wire::MetricType::Histogram => MetricType::Histogram,
        masthead_wire::MetricType::GaugeHistogram => MetricType::GaugeHistogram,
        masthead_wire::MetricType::Summary => MetricType::Summary,
        masthead_wire::MetricType::Info => MetricType::Info,
        masthead_wire::MetricType::StateSet => MetricType::StateSet,
        masthead_wire::MetricType::Unknown => MetricType::Unknown,
    }
}
