//! Limits and switches that are not prometheus.yml's.

use masthead_wire::Limits;

/// How scraping behaves as a whole.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Batches that are parsed and appended at the same time.
    pub appends_at_once: usize,
    /// What one scrape may bring; a job's own limits of labels and bytes are taken where they are
    /// higher.
    pub limits: Limits,
    /// Stores `scrape_timeout_seconds`, `scrape_sample_limit` and `scrape_body_size_bytes` for every
    /// job, as upstream's feature `extra-scrape-metrics`.
    pub extra_metrics: bool,
    /// Spreads the scrapes of several servers with the same targets; any number.
    pub offset_seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            appends_at_once: 4,
            limits: Limits { body_bytes: 256 << 20, ..Limits::default() },
            extra_metrics: false,
            offset_seed: 0,
        }
    }
}
