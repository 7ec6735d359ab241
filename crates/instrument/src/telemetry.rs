//! The handle of a service's telemetry: builds it, hands out the layer and the `/metrics` router.
//!
//! It owns everything that is counted; clones share it. It never opens a socket: the service binds
//! the listener of its metrics, so that they can't be reached through the public one.

use std::fmt;
use std::sync::Arc;

use ipnet::IpNet;
use parking_lot::RwLock;
use prometheus_client::registry::Registry;

use crate::exposition;
use crate::layer::TelemetryLayer;
use crate::metrics::HttpMetrics;
use crate::process::Process;

/// The bounds of `http_request_duration_seconds` unless others are given, in seconds.
const DURATION_BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The most bounds of a histogram that are kept: each one is a series for each route.
const BUCKETS_MAX: usize = 64;

/// The telemetry of one service. Clones are handles of the same telemetry.
#[derive(Clone)]
pub struct Telemetry {
    shared: Arc<Shared>,
}

/// What the layer and the scrape share.
pub(crate) struct Shared {
    pub(crate) metrics: HttpMetrics,
    pub(crate) registry: RwLock<Registry>,
    pub(crate) process: Process,
    pub(crate) build_labels: Vec<(&'static str, String)>,
    pub(crate) trusted_proxies: Vec<IpNet>,
}

impl Telemetry {
    /// Begins the telemetry of the service `service` of version `version`: both are labels of
    /// `build_info`.
    pub fn builder(service: impl Into<String>, version: impl Into<String>) -> Builder {
        Builder {
            build_labels: vec![("service", service.into()), ("version", version.into())],
            duration_buckets: DURATION_BUCKETS.to_vec(),
            trusted_proxies: Vec::new(),
        }
    }

    /// The layer, for `Router::layer`: after all routes and the fallback are there, because a
    /// router's layer covers what was added before it.
    pub fn layer(&self) -> TelemetryLayer {
        TelemetryLayer::new(Arc::clone(&self.shared))
    }

    /// Registers metrics of the service's own; they are exposed after the ones of this crate.
    ///
    /// A name must be neither one of ours nor registered before: the registry does not check, and a
    /// scraper refuses a page that has a series twice.
    pub fn register<R>(&self, f: impl FnOnce(&mut Registry) -> R) -> R {
        f(&mut self.shared.registry.write())
    }

    /// A router that answers `GET /metrics`, meant for a listener that the public can't reach.
    ///
    /// The format is the scraper's choice by `Accept`: Prometheus text 0.0.4 or OpenMetrics 1.0.0;
    /// the body is compressed with gzip when `Accept-Encoding` has it.
    pub fn metrics_router(&self) -> axum::Router {
        exposition::router(Arc::clone(&self.shared))
    }

    /// What `GET /metrics` answers in the text format 0.0.4, for a service that shows its own
    /// metrics in another way too; empty if a registered metric cannot be encoded.
    pub fn metrics_text(&self) -> String {
        exposition::text_page(&self.shared).unwrap_or_default()
    }

    /// The same as OpenMetrics, which has exemplars.
    pub fn openmetrics(&self) -> String {
        exposition::openmetrics_page(&self.shared).unwrap_or_default()
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry")
            .field("build", &self.shared.build_labels)
            .finish_non_exhaustive()
    }
}

/// Settings of a [`Telemetry`]; each has a default that suits most services.
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    build_labels: Vec<(&'static str, String)>,
    duration_buckets: Vec<f64>,
    trusted_proxies: Vec<IpNet>,
}

impl Builder {
    /// The upper bounds of the duration histogram, in seconds. The default is 5 ms to 10 s.
    ///
    /// They are sorted; bounds that are not above zero or not finite are left out (`+Inf` is always
    /// there), and so are those after the 64th. When none is left the default stays.
    pub fn duration_buckets(mut self, seconds: impl IntoIterator<Item = f64>) -> Self {
        let kept = seconds.into_iter().filter(|bound| bound.is_finite() && *bound > 0.0);
        let mut bounds: Vec<f64> = kept.take(BUCKETS_MAX).collect();
        bounds.sort_by(f64::total_cmp);
        bounds.dedup();
        if !bounds.is_empty() {
            self.duration_buckets = bounds;
        }
        self
    }

    /// Proxies whose `X-Forwarded-For` is believed. The default is none: then the client is the
    /// peer of the connection.
    pub fn trusted_proxies(mut self, proxies: impl IntoIterator<Item = IpNet>) -> Self {
        self.trusted_proxies = proxies.into_iter().collect();
        self
    }

    /// The revision of the source that was built, for the label `revision` of `build_info`.
    pub fn revision(mut self, revision: impl Into<String>) -> Self {
        self.build_labels.retain(|(name, _)| *name != "revision");
        self.build_labels.push(("revision", revision.into()));
        self
    }

    /// Makes the telemetry.
    pub fn build(self) -> Telemetry {
        Telemetry {
            shared: Arc::new(Shared {
                metrics: HttpMetrics::new(self.duration_buckets),
                registry: RwLock::default(),
                process: Process::new(),
                build_labels: self.build_labels,
                trusted_proxies: self.trusted_proxies,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_sorted_and_what_is_no_bound_is_left_out() {
        let f = |given: &[f64], want: &[f64]| {
            let builder = Telemetry::builder("s", "1").duration_buckets(given.iter().copied());
            assert_eq!(builder.duration_buckets, want, "{given:?}");
        };
        f(&[1.0, 0.5, 1.0], &[0.5, 1.0]);
        f(&[f64::INFINITY, f64::NAN, -1.0, 0.0, 2.0], &[2.0]);
        f(&[], &DURATION_BUCKETS);
        f(&[f64::NAN], &DURATION_BUCKETS);
    }
}
