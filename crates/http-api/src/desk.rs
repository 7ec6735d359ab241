//! What all APIs of one server share: limits, places, what uploads hold, counters, the clock.
//!
//! There is one desk however many APIs stand around it, so that `--query.max-concurrency` and its
//! like bound the server and not each API.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use axum::response::IntoResponse as _;
use masthead_model::{ErrorClass, Nanos};
use masthead_ports::{QueryCtx, QueryLimits};
use masthead_sysio::Clock;

use crate::{
    error::ApiError,
    lane::{Lane, Place, Refused},
    limits::Limits,
    queries::QueryBook,
    quick::Quick,
    stats::{ApiStats, Counters, add, get as count_of},
    stream::Delivery,
    upload::Budget,
};

/// How long a write waits for a place before the sender is told to come back.
const PATIENCE: Duration = Duration::from_secs(30);

/// What all APIs share.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: Limits,
    pub(crate) budget: Arc<Budget>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) book: QueryBook,
    pub(crate) quick: Quick,
    /// Set when the server ends.
    pub(crate) ending: Arc<AtomicBool>,
    queries: Lane,
    lookups: Lane,
    writes: Lane,
}

/// Which lane a work takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    Query,
    Lookup,
}

impl Desk {
    pub(crate) fn new(clock: Arc<dyn Clock>, limits: Limits) -> Self {
        Self {
            clock,
            limits,
            budget: Arc::new(Budget::new(limits.inflight)),
            counters: Arc::default(),
            book: QueryBook::default(),
            quick: Quick::default(),
            ending: Arc::default(),
            queries: Lane::new(limits.queries, limits.queue),
            lookups: Lane::new(limits.queries, limits.queue),
            writes: Lane::new(limits.writes, limits.queue),
        }
    }

    /// The wall clock.
    pub(crate) fn now_nanos(&self) -> Nanos {
        Nanos(self.clock.now().0)
    }

    /// A context that starts now.
    pub(crate) fn ctx(&self, timeout: Option<Duration>) -> QueryCtx {
        let limit = self.limits.query;
        let timeout = timeout.map_or(limit.timeout, |asked| asked.min(limit.timeout));
        QueryCtx::new(Arc::clone(&self.clock), QueryLimits { timeout, ..limit })
            .ended_by(Arc::clone(&self.ending))
    }

    /// Waits for a place; the time that `ctx` has left bounds the wait.
    pub(crate) async fn place(
        &self,
        work: Work,
        ctx: &QueryCtx,
        timeout: Duration,
    ) -> Result<Place, ApiError> {
        let lane = match work {
            Work::Query => &self.queries,
            Work::Lookup => &self.lookups,
        };
        let patience = timeout.saturating_sub(ctx.elapsed());
        lane.enter(patience).await.map_err(|refused| match refused {
            Refused::Full => {
                add(&self.counters.rejected_full, 1);
                let Limits { queries, queue, .. } = self.limits;
                let message = format!(
                    "{queries} queries run and {queue} wait, which is the limit (see --query.max-concurrency and --query.max-queue)"
                );
                ApiError::new(ErrorClass::RateLimited, message)
            }
            Refused::Waited => {
                ApiError::new(ErrorClass::Timeout, "query timed out in query queue")
            }
        })
    }

    /// Waits for a place to decode and store a push.
    pub(crate) async fn write_place(&self) -> Result<Place, ApiError> {
        self.writes.enter(PATIENCE).await.map_err(|refused| {
            if refused == Refused::Full {
                add(&self.counters.rejected_full, 1);
            }
            let writes = self.limits.writes;
            let message = format!(
                "{writes} writes run and others wait, which is the limit (see --web.max-concurrent-writes)"
            );
            ApiError::new(ErrorClass::Unavailable, message)
        })
    }

    pub(crate) fn delivery(&self, gzip: bool, cancel: Arc<AtomicBool>) -> Delivery {
        Delivery {
            gzip,
            stall: self.limits.stall,
            content_type: "application/json",
            refuse: ApiError::into_response,
            counters: Arc::clone(&self.counters),
            cancel,
        }
    }

    pub(crate) fn stats(&self) -> ApiStats {
        let counters = &self.counters;
        let wide = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        ApiStats {
            queries_running: wide(self.queries.running()),
            queries_waiting: wide(self.queries.waiting()),
            rejected_full: count_of(&counters.rejected_full),
            abandoned: count_of(&counters.abandoned),
            streamed_bytes: count_of(&counters.streamed_bytes),
            upload_bytes: wide(self.budget.held()),
            samples_accepted: count_of(&counters.samples_accepted),
            samples_refused: count_of(&counters.samples_refused),
            exemplars_refused: count_of(&counters.exemplars_refused),
            panics: count_of(&counters.panics),
        }
    }
}
