//! From a body to one batch, and the batch to the sink. Runs where blocking is allowed.
//!
//! A scrape that fails in any way (no answer, a line that does not parse, a limit) brings none of its
//! samples; what it brings is `up` 0 and the end of every series that was there before. Facts:
//! `scrape/scrape.go: scrapeAndReport, append`.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use masthead_model::{Millis, Value, stale_nan};
use masthead_ports::{
    AppendBatch, AppendRow, Exemplar, Metadata, MetricType, RejectReason, SampleSink,
};
use masthead_sysio::Clock;
use masthead_wire::{
    Limits,
    exposition::{Entry, Format, Options, Parser, ValueRef, choose_format},
};
use parking_lot::Mutex;
use tracing::{debug, error, warn};

use crate::{
    ScrapeConfig, Settings, Stats,
    cache::{Cache, Known},
    fetch::{Failure, Fetched},
    report::{Report, ReportSeries},
    sample_labels,
    target::Target,
};

/// Samples further ahead than this are refused (`scrape.go: maxAheadTime`).
const AHEAD_MILLIS_MAX: i64 = 10 * 60 * 1000;
/// Scrapes for which the meaning of a family is kept after it was last told.
const METADATA_SCRAPES: u64 = 10;

/// What one body may bring: what every body may, and what the job allows beyond that. Its bytes were
/// counted while they came.
fn limits(fixed: Limits, config: &ScrapeConfig) -> Limits {
    let higher = |fixed: usize, own: u64| fixed.max(usize::try_from(own).unwrap_or(usize::MAX));
    Limits {
        body_bytes: usize::MAX,
        labels: higher(fixed.labels, config.label_limit),
        label_name_bytes: higher(fixed.label_name_bytes, config.label_name_length_limit),
        label_value_bytes: higher(fixed.label_value_bytes, config.label_value_length_limit),
        ..fixed
    }
}

/// Everything that turns bodies of one target into batches.
#[derive(Debug)]
pub(crate) struct Ingest {
    pub(crate) cache: Cache,
    pub(crate) target: Arc<Target>,
    pub(crate) config: Arc<ScrapeConfig>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) sink: Arc<dyn SampleSink>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stats: Arc<Stats>,
    pub(crate) meanings: Arc<Mutex<Meanings>>,
    report: ReportSeries,
    batch: AppendBatch,
    body: Vec<u8>,
    exemplars: Vec<Exemplar>,
}

/// What a target said about its families.
#[derive(Debug, Default)]
pub(crate) struct Meanings {
    scrape: u64,
    families: BTreeMap<Arc<str>, Meaning>,
}

#[derive(Debug)]
struct Meaning {
    metadata: Metadata,
    told: u64,
    /// Whether the sink has not heard of the last change.
    changed: bool,
}

/// How a scrape went.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) error: Option<String>,
    pub(crate) duration: Duration,
}

/// What a body held.
#[derive(Debug, Default)]
struct Held {
    total: usize,
    added: usize,
    series_added: usize,
    /// Series whose end is to be marked, in the order of their rows.
    tracked: Vec<u32>,
    /// The slot of each row.
    slots: Vec<u32>,
}

/// What all scrapes have in common.
#[derive(Debug, Clone)]
pub(crate) struct Common {
    pub(crate) settings: Arc<Settings>,
    pub(crate) sink: Arc<dyn SampleSink>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stats: Arc<Stats>,
}

impl Ingest {
    pub(crate) fn new(
        target: Arc<Target>,
        config: Arc<ScrapeConfig>,
        common: &Common,
        meanings: Arc<Mutex<Meanings>>,
        cache: Cache,
    ) -> Self {
        let extra = common.settings.extra_metrics || config.extra_scrape_metrics;
        let report = ReportSeries::new(&target, extra);
        let batch = AppendBatch { group: target.hash, ..AppendBatch::default() };
        Self {
            cache,
            target,
            config,
            settings: Arc::clone(&common.settings),
            sink: Arc::clone(&common.sink),
            clock: Arc::clone(&common.clock),
            stats: Arc::clone(&common.stats),
            meanings,
            report,
            batch,
            body: Vec::new(),
            exemplars: Vec::new(),
        }
    }

    /// Bytes that a body may have.
    pub(crate) fn body_limit(&self) -> u64 {
        match self.config.body_size_limit {
            0 => self.settings.limits.body_bytes as u64,
            limit => limit,
        }
    }

    /// Takes what was fetched at `at`, in a scrape that began at the monotonic time `began`.
    pub(crate) fn scrape(
        &mut self,
        fetched: Result<Fetched, Failure>,
        at: Millis,
        began: Duration,
    ) -> Outcome {
        self.stats.scrapes.add(1);
        self.cache.begin();
        self.batch.rows.clear();
        self.batch.metadata.clear();
        let mut held = Held::default();
        let mut report = Report::default();
        let limit = self.body_limit();
        let content_type = fetched.and_then(|fetched| fetched.read(limit, &mut self.body));
        let mut failure = match content_type {
            Ok(content_type) => {
                report.body_bytes = i64::try_from(self.body.len()).unwrap_or(i64::MAX);
                self.parse(&content_type, at, &mut held).err()
            }
            Err(failure) => {
                if failure.too_large {
                    report.body_bytes = -1;
                    self.stats.exceeded_body_size_limit.add(1);
                }
                Some(failure.what)
            }
        };
        if let Some(what) = &failure {
            self.stats.scrapes_failed.add(1);
            debug!(url = %self.target.url, error = what, "Scrape failed.");
            self.batch.rows.clear();
            held.tracked.clear();
            held.slots.clear();
        }
        self.end_series(failure.is_some(), at, &mut held);
        report.up = failure.is_none();
        report.total = held.total;
        report.added = held.added;
        report.series_added = held.series_added;
        report.duration = self.clock.monotonic().saturating_sub(began);
        self.report.append(&report, &self.target, &self.config, at, &mut self.batch.rows);
        self.meanings.lock().take_changed(&mut self.batch.metadata);
        if let Err(what) = self.append(held, failure.is_none()) {
            failure.get_or_insert(what);
        }
        let duration = self.clock.monotonic().saturating_sub(began);
        Outcome { error: failure, duration }
    }

    /// Marks the end of every series and of the reports, for a target that is no more.
    pub(crate) fn end(&mut self, at: Millis) {
        self.cache.begin();
        self.batch.rows.clear();
        self.batch.metadata.clear();
        let mut held = Held::default();
        self.end_series(true, at, &mut held);
        self.report.append_stale(at, &mut self.batch.rows);
        if let Err(error) = self.append(held, false) {
            warn!(url = %self.target.url, %error, "Cannot mark the end of a target's series.");
        }
    }

    fn end_series(&mut self, all: bool, at: Millis, held: &mut Held) {
        for slot in self.cache.ended(all) {
            let Some(series) = self.cache.slot(slot) else { continue };
            let row = AppendRow::float(series.labels.clone(), at, stale_nan());
            self.batch.rows.push(AppendRow { series: series.series, ..row });
            held.slots.push(slot);
        }
    }

    fn append(&mut self, held: Held, good: bool) -> Result<(), String> {
        let report = match self.sink.append(&mut self.batch) {
            Ok(report) => report,
            Err(error) => {
                // Nothing is held: what was there before still has no end, so it stays remembered.
                self.stats.appends_failed.add(1);
                self.meanings.lock().not_taken(&self.batch.metadata);
                error!(url = %self.target.url, %error, "Cannot append a scrape.");
                return Err(error.to_string());
            }
        };
        self.stats.samples_appended.add(report.appended as u64);
        for (_, reason) in &report.rejected {
            let count = match reason {
                RejectReason::OutOfOrder => &self.stats.out_of_order,
                RejectReason::DuplicateTimestamp => &self.stats.duplicates,
                RejectReason::TooOld | RejectReason::OutOfBounds => &self.stats.out_of_bounds,
                _ => &self.stats.rejected,
            };
            count.add(1);
        }
        if let Some((_, reason)) = report.rejected.first() {
            let (dropped, url) = (report.rejected.len(), &self.target.url);
            debug!(%url, dropped, %reason, "The sink refused samples of a scrape.");
        }
        for (slot, row) in held.slots.iter().zip(&self.batch.rows) {
            if let Some(slot) = self.cache.slot(*slot) {
                slot.series = row.series;
            }
        }
        self.report.remember(&self.batch.rows);
        self.cache.commit(held.tracked, good);
        Ok(())
    }

    fn parse(&mut self, content_type: &str, at: Millis, held: &mut Held) -> Result<(), String> {
        if self.body.is_empty() {
            // Upstream takes no body at all for a scrape without samples, whatever its type.
            return Ok(());
        }
        let config = Arc::clone(&self.config);
        let (format, warning) = choose_format(content_type, config.fallback_scrape_protocol)
            .map_err(|error| error.to_string())?;
        if let Some(warning) = warning {
            debug!(url = %self.target.url, warning, "Invalid content type on scrape.");
        }
        let options = Options {
            limits: limits(self.settings.limits, &config),
            convert_classic_histograms: config.convert_classic_histograms_to_nhcb,
            keep_classic_histograms: config.always_scrape_classic_histograms,
            ignore_native_histograms: !config.scrape_native_histograms,
            skip_created_series: false,
        };
        let body = std::mem::take(&mut self.body);
        let meanings = Arc::clone(&self.meanings);
        let mut meanings = meanings.lock();
        meanings.scrape += 1;
        let result = Parser::new(&body, format, options)
            .map_err(|error| error.to_string())
            .and_then(|mut parser| self.samples(&mut parser, format, at, held, &mut meanings));
        meanings.forget();
        self.body = body;
        result
    }

    fn samples(
        &mut self,
        parser: &mut Parser<'_>,
        format: Format,
        at: Millis,
        held: &mut Held,
        meanings: &mut Meanings,
    ) -> Result<(), String> {
        let config = Arc::clone(&self.config);
        let latest = at.saturating_add(AHEAD_MILLIS_MAX);
        let sample_limit = usize::try_from(config.sample_limit).unwrap_or(usize::MAX);
        let mut appended = 0_usize;
        let mut too_fine = false;
        while let Some(entry) = parser.advance().map_err(|error| error.to_string())? {
            match entry {
                Entry::Sample => {}
                Entry::Type => {
                    meanings.set_type(parser.family(), parser.metric_type());
                    continue;
                }
                Entry::Help => {
                    meanings.set_text(parser.family(), &parser.text(), |m| &mut m.help);
                    continue;
                }
                Entry::Unit => {
                    meanings.set_text(parser.family(), &parser.text(), |m| &mut m.unit);
                    continue;
                }
            }
            held.total += 1;
            let slot = match self.cache.look_up(parser.series()) {
                Some(Known::Dropped) => continue,
                Some(Known::Series(slot)) => slot,
                None => match self.first_sight(parser, &config)? {
                    Some(slot) => slot,
                    None => continue,
                },
            };
            held.added += 1;
            let explicit = parser.timestamp().filter(|_| config.honor_timestamps);
            let timestamp = explicit.unwrap_or(at);
            let first = self.cache.mark(slot);
            if !first && explicit.is_none() {
                self.stats.duplicates.add(1);
                continue;
            }
            appended += 1;
            if sample_limit > 0 && appended > sample_limit {
                // Going on only to report how many there are.
                continue;
            }
            if timestamp > latest {
                self.stats.out_of_bounds.add(1);
                continue;
            }
            if self.cache.is_new(slot) && first {
                held.series_added += 1;
            }
            if first && (explicit.is_none() || config.track_timestamps_staleness) {
                held.tracked.push(slot);
            }
            if self.push(parser, format, slot, timestamp) {
                held.slots.push(slot);
            } else {
                too_fine = true;
            }
        }
        if too_fine {
            self.stats.exceeded_bucket_limit.add(1);
            return Err("histogram bucket limit exceeded".to_owned());
        }
        if sample_limit > 0 && appended > sample_limit {
            self.stats.exceeded_sample_limit.add(1);
            return Err("sample limit exceeded".to_owned());
        }
        Ok(())
    }

    /// Builds the labels of a line that was never seen; nothing if relabelling drops it.
    fn first_sight(
        &mut self,
        parser: &mut Parser<'_>,
        config: &ScrapeConfig,
    ) -> Result<Option<u32>, String> {
        let exposed = parser.labels().map_err(|error| error.to_string())?;
        let Some(labels) = sample_labels::mutate(&exposed, &self.target.labels, config) else {
            self.cache.add_dropped(parser.series());
            return Ok(None);
        };
        sample_labels::check(&labels, config).map_err(|(what, is_limit)| {
            self.stats.exceeded_label_limits.add(u64::from(is_limit));
            what
        })?;
        Ok(Some(self.cache.add_series(parser.series(), labels)))
    }

    /// Takes the sample; not if it is a histogram with more buckets than may be.
    fn push(
        &mut self,
        parser: &mut Parser<'_>,
        format: Format,
        slot: u32,
        timestamp: Millis,
    ) -> bool {
        let (value, is_histogram) = match parser.value() {
            ValueRef::Float(value) => (Value::Float(value), false),
            ValueRef::Histogram(histogram) => {
                let Some(fitted) = self.config.resolution.fit(histogram) else { return false };
                (Value::Histogram(Box::new(fitted)), true)
            }
        };
        // Protobuf has it at hand; in OpenMetrics it takes a look ahead for each counter, which
        // upstream does not do by default either.
        let start = match format {
            Format::Protobuf => parser.start_timestamp(),
            Format::Text | Format::OpenMetrics => None,
        };
        let exemplars = match format {
            Format::Text => Vec::new(),
            Format::OpenMetrics | Format::Protobuf => {
                self.exemplars(parser, timestamp, is_histogram)
            }
        };
        let Some(known) = self.cache.slot(slot) else { return true };
        self.batch.rows.push(AppendRow {
            labels: known.labels.clone(),
            series: known.series,
            timestamp,
            start,
            value,
            exemplars,
        });
        true
    }

    /// In the order of their times. Those of native histograms must have one, because without it
    /// repeated ones can't be told from new ones.
    fn exemplars(
        &mut self,
        parser: &mut Parser<'_>,
        timestamp: Millis,
        is_histogram: bool,
    ) -> Vec<Exemplar> {
        self.exemplars.clear();
        parser.exemplars(&mut self.exemplars);
        if self.exemplars.is_empty() {
            return Vec::new();
        }
        let mut exemplars: Vec<Exemplar> = self
            .exemplars
            .drain(..)
            .filter(|exemplar| exemplar.timestamp.is_some() || !is_histogram)
            .map(|exemplar| Exemplar {
                labels: exemplar.labels,
                value: exemplar.value,
                timestamp: Some(exemplar.timestamp.unwrap_or(timestamp)),
            })
            .collect();
        exemplars.sort_by_key(|exemplar| exemplar.timestamp);
        exemplars
    }
}

impl Meanings {
    /// All families that were told lately.
    pub(crate) fn list(&self) -> impl Iterator<Item = &Metadata> {
        self.families.values().map(|meaning| &meaning.metadata)
    }

    fn set_type(&mut self, family: &str, metric_type: MetricType) {
        let meaning = self.told(family);
        if meaning.metadata.metric_type != metric_type {
            meaning.metadata.metric_type = metric_type;
            meaning.changed = true;
        }
    }

    fn set_text(
        &mut self,
        family: &str,
        text: &str,
        field: impl FnOnce(&mut Metadata) -> &mut Arc<str>,
    ) {
        let meaning = self.told(family);
        let field = field(&mut meaning.metadata);
        if **field != *text {
            *field = text.into();
            meaning.changed = true;
        }
    }

    fn told(&mut self, family: &str) -> &mut Meaning {
        // Looked up before it is inserted, because a name that is known must not be copied.
        let name: Arc<str> = match self.families.get_key_value(family) {
            Some((name, _)) => Arc::clone(name),
            None => family.into(),
        };
        let new = |name: &Arc<str>| Meaning {
            metadata: Metadata {
                family: Arc::clone(name),
                metric_type: MetricType::Unknown,
                help: "".into(),
                unit: "".into(),
            },
            told: 0,
            changed: true,
        };
        let meaning = self.families.entry(name).or_insert_with_key(new);
        meaning.told = self.scrape;
        meaning
    }

    fn forget(&mut self) {
        let scrape = self.scrape;
        self.families.retain(|_, meaning| scrape - meaning.told <= METADATA_SCRAPES);
    }

    fn take_changed(&mut self, into: &mut Vec<Metadata>) {
        for meaning in self.families.values_mut().filter(|meaning| meaning.changed) {
            meaning.changed = false;
            into.push(meaning.metadata.clone());
        }
    }

    fn not_taken(&mut self, metadata: &[Metadata]) {
        for one in metadata {
            if let Some(meaning) = self.families.get_mut(&one.family) {
                meaning.changed = true;
            }
        }
    }
}
