//! The HTTP metrics: one row of atomics for each pair of method and route template.
//!
//! A pair is created when it is first seen and never goes away. Both halves come from the code of
//! the service (route templates) or from a closed list (methods), so no request adds a pair that
//! the code does not have. Recording on a known pair neither locks nor allocates.
//!
//! These are not `prometheus_client`'s `Family` and `HistogramWithExemplars`, for three reasons:
//! that histogram takes two locks and may grow a hash map on each observation, an exemplar of it
//! can't be made outside that crate, and it writes OpenMetrics only.
//! `benches/layer.rs` measures both (`observe_ours`, `observe_prometheus_client`).

mod histogram;
mod method;

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use std::collections::BTreeMap;

use http::StatusCode;
use parking_lot::RwLock;

pub(crate) use histogram::{Exemplar, Histogram};
pub(crate) use method::Method;

/// The handler of a request that no route matched.
pub(crate) const NO_HANDLER: &str = "none";

/// The status of a request that went away before it had an answer, as nginx writes it.
pub(crate) const STATUS_ABORTED: u16 = 499;

/// 256 B to 16 MiB, in steps of four.
const SIZE_BUCKETS: [f64; 9] =
    [256.0, 1024.0, 4096.0, 16_384.0, 65_536.0, 262_144.0, 1_048_576.0, 4_194_304.0, 16_777_216.0];

/// Every HTTP series of one service.
#[derive(Debug)]
pub(crate) struct HttpMetrics {
    routes: RwLock<BTreeMap<Box<str>, Arc<Route>>>,
    duration_bounds: Arc<[f64]>,
    size_bounds: Arc<[f64]>,
    pub(crate) panics: AtomicU64,
}

/// The series of one route template.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) handler: Box<str>,
    methods: [OnceLock<Arc<Series>>; Method::COUNT],
}

/// The series of one method on one route template.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) in_progress: AtomicI64,
    pub(crate) duration: Histogram,
    pub(crate) request_size: Histogram,
    pub(crate) response_size: Histogram,
    statuses: Statuses,
}

/// What is known when a request is over.
#[derive(Debug)]
pub(crate) struct Observation<'a> {
    pub(crate) status: u16,
    pub(crate) seconds: f64,
    pub(crate) request_bytes: u64,
    pub(crate) response_bytes: u64,
    pub(crate) request_id: &'a str,
}

impl HttpMetrics {
    /// `duration_bounds` are seconds, ascending and finite.
    pub(crate) fn new(duration_bounds: Vec<f64>) -> Self {
        Self {
            routes: RwLock::default(),
            duration_bounds: duration_bounds.into(),
            size_bounds: SIZE_BUCKETS.to_vec().into(),
            panics: AtomicU64::new(0),
        }
    }

    pub(crate) fn route(&self, handler: &str) -> Arc<Route> {
        if let Some(route) = self.routes.read().get(handler) {
            return Arc::clone(route);
        }
        let mut routes = self.routes.write();
        let route = routes.entry(handler.into()).or_insert_with(|| {
            Arc::new(Route { handler: handler.into(), methods: [const { OnceLock::new() }; _] })
        });
        Arc::clone(route)
    }

    pub(crate) fn series(&self, route: &Route, method: Method) -> Arc<Series> {
        let Some(slot) = route.methods.get(method.index()) else {
            unreachable!("BUG: method {method:?} has no slot")
        };
        Arc::clone(slot.get_or_init(|| {
            Arc::new(Series {
                in_progress: AtomicI64::new(0),
                duration: Histogram::new(&self.duration_bounds),
                request_size: Histogram::new(&self.size_bounds),
                response_size: Histogram::new(&self.size_bounds),
                statuses: Statuses::default(),
            })
        }))
    }

    /// Every series, ordered by handler, then by method.
    pub(crate) fn rows(&self) -> Vec<(Method, Arc<Route>, Arc<Series>)> {
        let mut rows = Vec::new();
        for route in self.routes.read().values() {
            for (method, slot) in Method::ALL.into_iter().zip(&route.methods) {
                if let Some(series) = slot.get() {
                    rows.push((method, Arc::clone(route), Arc::clone(series)));
                }
            }
        }
        rows
    }
}

impl Series {
    pub(crate) fn start(&self) {
        self.in_progress.fetch_add(1, Ordering::Relaxed);
    }

    /// Ends what `start` began.
    pub(crate) fn finish(&self, seen: &Observation<'_>) {
        self.in_progress.fetch_sub(1, Ordering::Relaxed);
        self.statuses.increment(seen.status);
        self.duration.observe_with_exemplar(seen.seconds, seen.request_id);
        self.request_size.observe(as_f64(seen.request_bytes));
        self.response_size.observe(as_f64(seen.response_bytes));
    }

    /// The count of each status seen, ascending.
    pub(crate) fn statuses(&self) -> impl Iterator<Item = (u16, u64)> + '_ {
        self.statuses.counts()
    }
}

/// One counter for each status from 100 to 999, a class at a time: most routes use two of nine.
#[derive(Debug, Default)]
struct Statuses {
    classes: [OnceLock<Box<[AtomicU64; 100]>>; 9],
}

impl Statuses {
    fn increment(&self, status: u16) {
        // `StatusCode` ends at 999 and begins at 100, so no status misses its place.
        let class = self.classes.get(usize::from(status / 100).wrapping_sub(1));
        let counts =
            class.map(|class| class.get_or_init(|| Box::new([const { AtomicU64::new(0) }; _])));
        if let Some(count) = counts.and_then(|counts| counts.get(usize::from(status % 100))) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn counts(&self) -> impl Iterator<Item = (u16, u64)> + '_ {
        (1_u16..).zip(&self.classes).flat_map(|(class, counts)| {
            let counts = counts.get().into_iter().flat_map(|counts| counts.iter());
            (0_u16..).zip(counts).filter_map(move |(rest, count)| {
                let count = count.load(Ordering::Relaxed);
                (count > 0).then_some((class * 100 + rest, count))
            })
        })
    }
}

/// Whether a status is the service's fault.
pub(crate) fn is_server_error(status: u16) -> bool {
    StatusCode::from_u16(status).is_ok_and(|status| status.is_server_error())
}

#[expect(clippy::cast_precision_loss, reason = "a sample is an f64; 2^53 bytes are 8 PiB")]
pub(crate) fn as_f64(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_made_once_and_counts_each_status() {
        let metrics = HttpMetrics::new(vec![0.1]);
        let seen = |status, seconds| Observation {
            status,
            seconds,
            request_bytes: 1,
            response_bytes: 300,
            request_id: "a",
        };
        for (status, seconds) in [(200, 0.01), (200, 0.1), (404, 0.2), (999, 0.3), (100, 0.4)] {
            let series = metrics.series(&metrics.route("/a/{id}"), Method::Get);
            series.start();
            series.finish(&seen(status, seconds));
        }
        let rows = metrics.rows();
        assert_eq!(rows.len(), 1);
        let (method, route, series) = &rows[0];
        assert_eq!((*method, &*route.handler), (Method::Get, "/a/{id}"));
        assert_eq!(series.statuses().collect::<Vec<_>>(), [(100, 1), (200, 2), (404, 1), (999, 1)]);
        assert_eq!(series.in_progress.load(Ordering::Relaxed), 0);
        assert_eq!(series.duration.snapshot().cumulative, [2, 5]);
        assert_eq!(series.response_size.snapshot().cumulative, [0, 5, 5, 5, 5, 5, 5, 5, 5, 5]);
    }
}
