//! Recording alone, without a request around it: for the benchmark and the allocation test.
//!
//! Not part of the interface: it may change or go at any time.

use crate::metrics::{HttpMetrics, Method, Observation};

/// The HTTP metrics of a service that nobody scrapes.
#[derive(Debug)]
pub struct Recording {
    metrics: HttpMetrics,
}

impl Recording {
    /// Metrics with the bounds of a duration histogram, in ascending seconds.
    pub fn new(bounds: &[f64]) -> Self {
        Self { metrics: HttpMetrics::new(bounds.to_vec()) }
    }

    /// Does to the metrics what one request does to them.
    pub fn request(&self, method: &http::Method, handler: &str, status: u16, seconds: f64) {
        let route = self.metrics.route(handler);
        let series = self.metrics.series(&route, Method::of(method));
        series.start();
        series.finish(&Observation {
            status,
            seconds,
            request_bytes: 10,
            response_bytes: 100,
            request_id: "01890a5d-ac96-774b-bcce-b302099a8057",
        });
    }
}
