//! How scraping fares, counted. Rendered by whoever owns the registry; the names of upstream's
//! metrics for the same stand beside each count.

use masthead_model::Count;

/// Counts since the start.
#[derive(Debug, Default)]
pub struct Stats {
    /// Scrapes that were begun.
    pub scrapes: Count,
    /// Scrapes that failed.
    pub scrapes_failed: Count,
    /// `prometheus_target_scrapes_exceeded_body_size_limit_total`
    pub exceeded_body_size_limit: Count,
    /// `prometheus_target_scrapes_exceeded_sample_limit_total`
    pub exceeded_sample_limit: Count,
    /// `prometheus_target_scrapes_exceeded_native_histogram_bucket_limit_total`
    pub exceeded_bucket_limit: Count,
    /// `prometheus_target_scrape_pool_exceeded_label_limits_total`
    pub exceeded_label_limits: Count,
    /// `prometheus_target_scrape_pool_exceeded_target_limit_total`
    pub exceeded_target_limit: Count,
    /// `prometheus_target_scrapes_sample_out_of_order_total`
    pub out_of_order: Count,
    /// `prometheus_target_scrapes_sample_duplicate_timestamp_total`
    pub duplicates: Count,
    /// `prometheus_target_scrapes_sample_out_of_bounds_total`
    pub out_of_bounds: Count,
    /// Samples refused by the sink for another reason.
    pub rejected: Count,
    /// Batches that the sink refused as a whole.
    pub appends_failed: Count,
    /// `prometheus_target_sync_failed_total`
    pub sync_failed: Count,
    /// Samples that were appended, stale markers and reports included.
    pub samples_appended: Count,
}
