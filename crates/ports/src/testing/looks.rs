//! A clock that only those who look at it move on: whether work asks often enough if it may go on,
//! without waiting for anything.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use masthead_sysio::{Clock, UnixNanos};

use crate::{QueryCtx, QueryLimits};

#[derive(Debug, Default)]
struct Looks(AtomicU64);

impl Clock for Looks {
    fn now(&self) -> UnixNanos {
        UnixNanos(0)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.0.fetch_add(1, Ordering::Relaxed))
    }

    fn sleep(&self, _: Duration) {}
}

/// A context whose deadline is over once it has been looked at more than so often.
pub fn ctx_of_looks(most: u64) -> QueryCtx {
    let limits = QueryLimits { timeout: Duration::from_secs(most), ..QueryLimits::default() };
    QueryCtx::new(Arc::<Looks>::default(), limits)
}
