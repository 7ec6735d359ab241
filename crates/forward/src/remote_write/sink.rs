//! The sink: samples get the labels under which they are sent, and are in the journal before they
//! are acknowledged.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use masthead_durable as durable;
use masthead_model::{ErrorClass, Labels, Millis, Value};
use masthead_ports::{
    AppendBatch, AppendError, AppendReport, AppendRow, Exemplar, Metadata, MetricType, SampleSink,
};
use masthead_relabel::{Rule, process};
use masthead_sysio::{Clock, Fs};
use masthead_wire::remote_write::{EncoderV1, EncoderV2, FloatPoint, HistogramPoint};
use tracing::{error, warn};

use super::{RemoteWriteConfig, Stats, frame};
use crate::{
    Error, Options,
    backlog::{Backlog, Kept},
};

/// Samples of a frame; a batch of more becomes several.
const FRAME_SAMPLES_MAX: usize = 10_000;
/// Families that are remembered for a remote end; those beyond are not described to it.
const FAMILIES_MAX: usize = 50_000;
/// Families of one frame of a checkpoint.
const FRAME_FAMILIES: usize = 1_000;

/// A sink that sends what it takes by remote write; see the module. The sending is
/// [`Sender`](super::Sender)'s.
#[derive(Debug)]
pub struct RemoteWriteSink {
    pub(super) name: String,
    pub(super) backlog: Backlog<Families>,
    pub(super) stats: Arc<Stats>,
    external_labels: Labels,
    rules: Vec<Rule>,
    exemplars: bool,
    histograms: bool,
}

/// What is known about metric families. A clone is cheap, and stays as it is.
#[derive(Debug, Clone, Default)]
pub(super) struct Families(Arc<BTreeMap<Arc<str>, Metadata>>);

impl RemoteWriteSink {
    /// Opens the journal, and finds what is not sent yet. `external_labels` are those of every
    /// sample that has no label of the name.
    ///
    /// # Errors
    /// [`Error::Journal`].
    pub fn open(
        fs: Arc<dyn Fs>,
        clock: Arc<dyn Clock>,
        options: &Options,
        config: &RemoteWriteConfig,
        external_labels: Labels,
        stats: Arc<Stats>,
    ) -> Result<Self, Error> {
        let backlog = Backlog::open(fs, clock, options)?;
        stats.journal_bytes.set(backlog.bytes());
        let refuse = |source| Error::Journal { dir: options.dir.clone(), source };
        stats.samples_waiting.set(backlog.waiting().map_err(refuse)?);
        Ok(Self {
            name: config.name.clone(),
            backlog,
            stats,
            external_labels,
            rules: config.relabel_rules.clone(),
            exemplars: config.send_exemplars,
            histograms: config.send_native_histograms,
        })
    }

    /// Samples in the journal that are not sent, counted by reading it.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn waiting(&self) -> Result<u64, Error> {
        self.backlog.waiting().map_err(Error::Read)
    }

    /// Takes the rows that `keep` says, by their place in the batch, and what the batch says about
    /// families. Returns how many rows are held.
    ///
    /// # Errors
    /// As [`SampleSink::append`].
    pub fn take(
        &self,
        batch: &AppendBatch,
        keep: impl Fn(usize) -> bool,
    ) -> Result<usize, AppendError> {
        let refuse = |error: durable::Error| AppendError {
            class: match error.class() {
                ErrorClass::Limit => ErrorClass::TooLarge,
                class => class,
            },
            message: error.to_string(),
        };
        let rows: Vec<&AppendRow> = batch
            .rows
            .iter()
            .enumerate()
            .filter(|(at, row)| keep(*at) && self.sends(&row.value))
            .map(|(_, row)| row)
            .collect();
        let (mut frames, mut taken, mut newest) = (Vec::new(), 0, None);
        let mut pieces = rows.chunks(FRAME_SAMPLES_MAX);
        let mut families = self.families(&batch.metadata);
        let mut alone = self.exemplars_alone(batch);
        loop {
            let piece = pieces.next();
            if piece.is_none() && families.byte_len() == 0 {
                break;
            }
            let mut series = EncoderV2::default();
            let mut samples = 0;
            for row in piece.unwrap_or_default() {
                let Some(labels) = self.labels(&row.labels) else { continue };
                let more = alone.remove(&row.labels).unwrap_or_default();
                self.encode(&mut series, &labels, row, more);
                samples += 1;
                newest = newest.max(Some(row.timestamp));
            }
            if samples > 0 || families.byte_len() > 0 {
                let frame = frame::encode(samples, std::mem::take(&mut families), series);
                frames.push(frame.map_err(|error| AppendError {
                    class: ErrorClass::TooLarge,
                    message: error.to_string(),
                })?);
            }
            taken += samples;
        }
        self.stats.exemplars_lost.add(alone.values().map(|all| all.len() as u64).sum());
        if frames.is_empty() {
            return Ok(rows.len());
        }
        let note = |known: &mut Families| known.take(&batch.metadata);
        // Before the sender can have them, which takes off what it sent.
        self.stats.samples_waiting.add(taken);
        let lost = self.backlog.append(&frames, note).map_err(|error| {
            self.stats.samples_waiting.subtract(taken);
            refuse(error)
        })?;
        self.count(taken, newest, lost);
        Ok(rows.len())
    }

    /// As [`RemoteWriteSink::take`], for whoever cannot do anything about a failure: it is counted
    /// and logged.
    pub fn take_or_lose(&self, batch: &AppendBatch, keep: impl Fn(usize) -> bool) {
        if let Err(error) = self.take(batch, &keep) {
            let lost = (0..batch.rows.len()).filter(|at| keep(*at)).count() as u64;
            self.stats.lost.add("journal_failed", lost);
            error!(name = self.name, lost, %error, "Samples are lost: they cannot be journaled.");
        }
    }

    fn count(&self, taken: u64, newest: Option<Millis>, lost: u64) {
        let stats = &self.stats;
        if lost > 0 {
            stats.lost.add("journal_full", lost);
            stats.samples_waiting.subtract(lost);
            error!(
                name = self.name,
                lost, "Samples are lost: the journal of a remote end is full."
            );
        }
        stats.samples_journaled.add(taken);
        stats.journal_bytes.set(self.backlog.bytes());
        if let Some(newest) = newest {
            stats.newest_journaled_ms.raise(u64::try_from(newest.0).unwrap_or(0));
        }
    }

    fn sends(&self, value: &Value) -> bool {
        match value {
            Value::Float(_) => true,
            Value::Histogram(_) => self.histograms,
        }
    }

    /// The labels under which a sample is sent; none if it is not.
    fn labels(&self, labels: &Labels) -> Option<Labels> {
        if self.external_labels.is_empty() && self.rules.is_empty() {
            return Some(labels.clone());
        }
        let mut builder = labels.to_builder();
        for label in &self.external_labels {
            if labels.get(label.name).is_none() {
                builder.set(label.name, label.value);
            }
        }
        let kept = process(&mut builder, &self.rules);
        Some(builder.build()).filter(|labels| kept && !labels.is_empty())
    }

    /// Exemplars that came without a sample. Version 2 has them with one, so they go with one of
    /// the same batch, where a sender that keeps them apart mostly has it.
    fn exemplars_alone<'b>(
        &self,
        batch: &'b AppendBatch,
    ) -> HashMap<&'b Labels, Vec<&'b Exemplar>> {
        let mut alone: HashMap<&Labels, Vec<&Exemplar>> = HashMap::new();
        for of in batch.exemplars.iter().filter(|_| self.exemplars) {
            alone.entry(&of.labels).or_default().extend(&of.exemplars);
        }
        alone
    }

    fn encode(&self, out: &mut EncoderV2, labels: &Labels, row: &AppendRow, more: Vec<&Exemplar>) {
        let AppendRow { timestamp, start, .. } = *row;
        let own = if self.exemplars { row.exemplars.as_slice() } else { &[] };
        let exemplars: Vec<Exemplar> = own.iter().chain(more).cloned().collect();
        match &row.value {
            Value::Float(value) => {
                let point = FloatPoint { timestamp, start, value: *value };
                out.series(labels, &[point], &[], &exemplars, None);
            }
            Value::Histogram(histogram) => {
                let point = HistogramPoint { timestamp, start, histogram: (**histogram).clone() };
                out.series(labels, &[], &[point], &exemplars, None);
            }
        }
    }

    fn families(&self, metadata: &[Metadata]) -> EncoderV1 {
        let mut encoder = EncoderV1::default();
        let known = self.backlog.with(|known| known.0.len());
        if known + metadata.len() > FAMILIES_MAX && !metadata.is_empty() {
            let (name, limit) = (&self.name, FAMILIES_MAX);
            warn!(name, limit, "Too many metric families; some are not described to a remote end.");
        }
        for metadata in metadata {
            encoder.metadata(&frame::described(metadata));
        }
        encoder
    }
}

impl Families {
    fn take(&mut self, metadata: &[Metadata]) {
        if metadata.is_empty() {
            return;
        }
        let known = Arc::make_mut(&mut self.0);
        for metadata in metadata {
            if known.len() < FAMILIES_MAX || known.contains_key(&metadata.family) {
                known.insert(Arc::clone(&metadata.family), metadata.clone());
            }
        }
    }

    /// What is known of all families.
    pub(super) fn all(&self) -> Vec<Metadata> {
        self.0.values().cloned().collect()
    }

    /// What is known of the family of a metric: its own name, or for the parts of histograms and
    /// summaries the name without their ending.
    pub(super) fn of(&self, metric: &str) -> Option<&Metadata> {
        if let Some(found) = self.0.get(metric) {
            return Some(found);
        }
        let (family, ending) = metric.rsplit_once('_')?;
        let found = self.0.get(family)?;
        let fits = match found.metric_type {
            MetricType::Histogram | MetricType::GaugeHistogram => {
                matches!(ending, "bucket" | "sum" | "count" | "gsum" | "gcount" | "created")
            }
            MetricType::Summary => matches!(ending, "sum" | "count" | "created"),
            MetricType::Counter => matches!(ending, "total" | "created"),
            MetricType::Info => ending == "info",
            MetricType::Unknown | MetricType::Gauge | MetricType::StateSet => false,
        };
        fits.then_some(found)
    }
}

impl Kept for Families {
    fn note(&mut self, payload: &[u8]) {
        let Ok(parts) = frame::decode(payload) else { return };
        let mut found = Vec::new();
        // What does not decode is of another version, and is told again by the next scrape.
        if frame::each_family(parts.families, |metadata| found.push(metadata)).is_ok() {
            self.take(&found);
        }
    }

    fn frames(&self) -> Vec<Vec<u8>> {
        let all = self.all();
        let frame = |families: &[Metadata]| {
            let mut encoder = EncoderV1::default();
            for metadata in families {
                encoder.metadata(&frame::described(metadata));
            }
            frame::encode(0, encoder, EncoderV2::default()).ok()
        };
        all.chunks(FRAME_FAMILIES).filter_map(frame).collect()
    }
}

impl SampleSink for RemoteWriteSink {
    fn append(&self, batch: &mut AppendBatch) -> Result<AppendReport, AppendError> {
        self.take(batch, |_| true)?;
        Ok(AppendReport { appended: batch.rows.len(), ..AppendReport::default() })
    }
}
