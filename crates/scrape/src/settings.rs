//! Limits and switches that are not prometheus.yml's.

use masthead_wire::Limits;

/// How scraping behaves as a whole.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Batches that are parsed and appended at the same time.
    pub appends_at_once: usize,
    /// What one scrape may bring where the job says nothing.
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
            limits: Limits {
                body_bytes: 256 << 20,
                series: 2_000_000,
                labels: 256,
                label_name_bytes: 4 << 10,
                label_value_bytes: 64 << 10,
            },
            extra_metrics: false,
            offset_seed: 0,
        }
    }
}
