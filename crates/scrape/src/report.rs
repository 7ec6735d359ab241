//! `up` and its kin: what a scrape says about itself.

use std::time::Duration;

use masthead_model::{Labels, METRIC_NAME, Millis};
use masthead_ports::{AppendRow, SeriesRef};

use crate::{ScrapeConfig, target::Target};

/// What a scrape says about itself.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Report {
    pub(crate) up: bool,
    pub(crate) duration: Duration,
    /// Samples in the body.
    pub(crate) total: usize,
    /// Those that relabelling left.
    pub(crate) added: usize,
    /// Series that were not there before.
    pub(crate) series_added: usize,
    /// Bytes of the body, decompressed; -1 when it was too large.
    pub(crate) body_bytes: i64,
}

/// The report's series of one target, in a fixed order.
#[derive(Debug)]
pub(crate) struct ReportSeries {
    series: Vec<(Labels, SeriesRef)>,
}

const NAMES: [&str; 5] = [
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
];
const EXTRA_NAMES: [&str; 3] =
    ["scrape_timeout_seconds", "scrape_sample_limit", "scrape_body_size_bytes"];

impl ReportSeries {
    pub(crate) fn new(target: &Target, extra: bool) -> Self {
        let extra = if extra { &EXTRA_NAMES[..] } else { &[] };
        let named = |name: &&str| {
            let mut labels = target.labels.to_builder();
            labels.set(METRIC_NAME, name);
            (labels.build(), SeriesRef::default())
        };
        Self { series: NAMES.iter().chain(extra).map(named).collect() }
    }

    /// Adds the report to a batch; nothing in it says that its series have ended.
    pub(crate) fn append(
        &self,
        report: &Report,
        target: &Target,
        config: &ScrapeConfig,
        at: Millis,
        rows: &mut Vec<AppendRow>,
    ) {
        #[expect(clippy::cast_precision_loss, reason = "samples are floats")]
        let values = [
            f64::from(u8::from(report.up)),
            report.duration.as_secs_f64(),
            report.total as f64,
            report.added as f64,
            report.series_added as f64,
            target.timeout.as_secs_f64(),
            config.sample_limit as f64,
            report.body_bytes as f64,
        ];
        self.push(rows, at, &values);
    }

    /// Adds the markers of their end.
    pub(crate) fn append_stale(&self, at: Millis, rows: &mut Vec<AppendRow>) {
        self.push(rows, at, &[masthead_model::stale_nan(); NAMES.len() + EXTRA_NAMES.len()]);
    }

    fn push(&self, rows: &mut Vec<AppendRow>, at: Millis, values: &[f64]) {
        for ((labels, series), value) in self.series.iter().zip(values) {
            let row = AppendRow::float(labels.clone(), at, *value);
            rows.push(AppendRow { series: *series, ..row });
        }
    }

    /// Remembers the sink's numbers from the rows that [`ReportSeries::append`] added last.
    pub(crate) fn remember(&mut self, rows: &[AppendRow]) {
        let from = rows.len().saturating_sub(self.series.len());
        for ((_, series), row) in self.series.iter_mut().zip(rows.iter().skip(from)) {
            *series = row.series;
        }
    }
}
