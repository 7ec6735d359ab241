//! The service's own series: items, statements, pool. HTTP ones come from `masthead-instrument`.
//!
//! No label value comes from a request. Each name is in `docs/reference/api-metrics.md`; a test
//! compares the two.

use crate::database::{Pool, Query};
use masthead_instrument::prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{
        MetricType,
        counter::Counter,
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::Histogram,
    },
    registry::Registry,
};
use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

/// Upper bounds in seconds: an embedded read is far below a millisecond, a busy server's far above.
const QUERY_SECONDS: [f64; 12] =
    [0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5];

type QueryLabel = [(&'static str, &'static str); 1];

/// The handles that the code increments. [`Metrics::register`] makes them visible.
#[derive(Debug)]
pub struct Metrics {
    pub items_created: Counter,
    pub items_updated: Counter,
    pub items_deleted: Counter,
    pub items_stored: Gauge,
    query_seconds: Family<QueryLabel, Histogram, fn() -> Histogram>,
    query_errors: Family<QueryLabel, Counter>,
    pool: Arc<PoolGauges>,
}

impl Metrics {
    /// Makes the series and adds them to `registry`. Every series is there from the first scrape
    /// on, so that `rate()` sees the first event.
    pub fn register(registry: &mut Registry) -> Arc<Self> {
        let metrics = Self {
            items_created: Counter::default(),
            items_updated: Counter::default(),
            items_deleted: Counter::default(),
            items_stored: Gauge::default(),
            query_seconds: Family::new_with_constructor(|| Histogram::new(QUERY_SECONDS)),
            query_errors: Family::default(),
            pool: Arc::default(),
        };
        for query in Query::ALL {
            drop(metrics.query_seconds.get_or_create(&label(query)));
            drop(metrics.query_errors.get_or_create(&label(query)));
        }
        let Self { items_created, items_updated, items_deleted, items_stored, .. } = &metrics;
        registry.register("items_created", "Items created", items_created.clone());
        registry.register("items_updated", "Items replaced", items_updated.clone());
        registry.register("items_deleted", "Items deleted", items_deleted.clone());
        registry.register("items_stored", "Items in the database", items_stored.clone());
        registry.register(
            "db_query_duration_seconds",
            "Time of a statement, the wait for a connection included",
            metrics.query_seconds.clone(),
        );
        registry.register(
            "db_query_errors",
            "Statements that failed",
            metrics.query_errors.clone(),
        );
        registry.register_collector(Box::new(metrics.pool.clone()));
        Arc::new(metrics)
    }

    pub(crate) fn query_finished(&self, query: Query, took: Duration, ok: bool) {
        self.query_seconds.get_or_create(&label(query)).observe(took.as_secs_f64());
        if !ok {
            self.query_errors.get_or_create(&label(query)).inc();
        }
    }

    /// Shows the state of `pool` from now on. The first pool stays: a service has one.
    pub(crate) fn watch_pool(&self, pool: Pool, max: u32) {
        self.pool.watched.get_or_init(|| (pool, max));
    }
}

fn label(query: Query) -> QueryLabel {
    [("query", query.name())]
}

/// Reads the pool at each scrape, so that the gauges are never older than the answer.
#[derive(Debug, Default)]
struct PoolGauges {
    watched: OnceLock<(Pool, u32)>,
}

impl Collector for PoolGauges {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let Some((pool, max)) = self.watched.get() else { return Ok(()) };
        let (open, idle) = pool.connections();
        let idle = i64::try_from(idle).unwrap_or(i64::MAX);
        for (name, help, value) in [
            ("db_pool_connections", "Database connections open", i64::from(open)),
            ("db_pool_connections_idle", "Database connections open and unused", idle),
            ("db_pool_connections_max", "Most database connections", i64::from(*max)),
        ] {
            let metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            ConstGauge::new(value).encode(metric)?;
        }
        Ok(())
    }
}
