//! What travels with a query from the moment it is accepted: how long and how much it may, whether
//! it is still wanted, and what it has to say beside its answer.
//!
//! Everything that reads or computes in bulk calls [`QueryCtx::check`] once per batch and
//! [`QueryCtx::charge`] for the samples it is about to touch. Both are cheap and never block.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use masthead_model::{ErrorClass, Nanos};
use masthead_sysio::Clock;

/// How long and how much a query may.
#[derive(Debug, Clone, Copy)]
pub struct QueryLimits {
    /// Time from the start to the deadline.
    pub timeout: Duration,
    /// Samples that may be touched in all.
    pub samples: u64,
}

impl Default for QueryLimits {
    fn default() -> Self {
        Self { timeout: Duration::from_mins(2), samples: 50_000_000 }
    }
}

/// Who pays for samples looks at the clock once for so many: for a short series, looking costs as
/// much as reading it.
const SAMPLES_A_LOOK: u64 = 1024;

/// One query's budget, cancellation, warnings and trace, shared by all its threads.
#[derive(Debug)]
pub struct QueryCtx {
    clock: Arc<dyn Clock>,
    started: Duration,
    limits: QueryLimits,
    /// Nanoseconds from the start after which an attempt ends.
    attempt_ns: AtomicU64,
    cancelled: Arc<AtomicBool>,
    /// Ends this query and all others that share it.
    ending: Option<Arc<AtomicBool>>,
    samples: AtomicU64,
    series: AtomicU64,
    blocks: AtomicU64,
    bytes: AtomicU64,
    warnings: Mutex<Vec<String>>,
    /// There when the caller asked for an explanation.
    trace: Option<Mutex<Vec<TraceSpan>>>,
    /// There when the caller asked how many samples each step looks at.
    step_counts: Option<Mutex<Vec<(i64, u64)>>>,
}

/// What a query touched, for `stats=all` and `explain=true`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueryStats {
    /// Samples read from the store.
    pub samples: u64,
    /// Series selected.
    pub series: u64,
    /// Blocks opened for reading.
    pub blocks: u64,
    /// Compressed bytes decoded.
    pub bytes: u64,
}

/// One step of a query with its place in time, for `explain=true`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceSpan {
    /// What was done, such as `select up{job="api"}`.
    pub what: String,
    /// From the start of the query.
    pub start: Duration,
    /// How long it took.
    pub took: Duration,
}

/// Why a query ended without an answer; texts are Prometheus'.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The caller went away.
    #[error("query was canceled in expression evaluation")]
    Cancelled,
    /// The deadline passed.
    #[error("query timed out in expression evaluation")]
    Timeout,
    /// The budget of samples is spent.
    #[error(
        "query processing would load too many samples into memory in query execution (limit {limit}; see --query.max-samples)"
    )]
    SampleBudget {
        /// The limit in force.
        limit: u64,
    },
    /// The store failed; it says how and whose fault it is.
    #[error("{message}")]
    Store {
        /// Whose fault.
        class: ErrorClass,
        /// What happened, with all its causes.
        message: String,
    },
}

impl QueryError {
    /// Whose fault it is.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Cancelled => ErrorClass::Cancelled,
            Self::Timeout => ErrorClass::Timeout,
            Self::SampleBudget { .. } => ErrorClass::Limit,
            Self::Store { class, .. } => *class,
        }
    }
}

impl QueryCtx {
    /// Starts the clock of a query.
    pub fn new(clock: Arc<dyn Clock>, limits: QueryLimits) -> Self {
        Self {
            started: clock.monotonic(),
            clock,
            limits,
            attempt_ns: AtomicU64::new(u64::MAX),
            cancelled: Arc::default(),
            ending: None,
            samples: AtomicU64::new(0),
            series: AtomicU64::new(0),
            blocks: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            warnings: Mutex::default(),
            trace: None,
            step_counts: None,
        }
    }

    /// The same, ended by `ending` too: what all queries of a server share.
    #[must_use]
    pub fn ended_by(self, ending: Arc<AtomicBool>) -> Self {
        Self { ending: Some(ending), ..self }
    }

    /// The same, keeping a trace for `explain=true`.
    #[must_use]
    pub fn with_trace(self) -> Self {
        Self { trace: Some(Mutex::default()), ..self }
    }

    /// The same, keeping how many samples each step looks at, for `stats=all`.
    #[must_use]
    pub fn with_step_counts(self) -> Self {
        Self { step_counts: Some(Mutex::default()), ..self }
    }

    /// Whether the language is to count the samples of each step.
    pub fn wants_step_counts(&self) -> bool {
        self.step_counts.is_some()
    }

    /// Takes what the language has counted: the time of each step in milliseconds and its samples.
    pub fn set_step_counts(&self, counts: Vec<(i64, u64)>) {
        if let Some(kept) = &self.step_counts {
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = counts;
        }
    }

    /// What was counted, if it was asked for.
    pub fn step_counts(&self) -> Option<Vec<(i64, u64)>> {
        let kept = self.step_counts.as_ref()?;
        Some(kept.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Setting this to true from any thread ends the query at its next check.
    pub fn cancellation(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cancelled)
    }

    /// Whether the query may go on.
    ///
    /// # Errors
    /// [`QueryError::Cancelled`] or [`QueryError::Timeout`].
    pub fn check(&self) -> Result<(), QueryError> {
        if self.is_cancelled() {
            Err(QueryError::Cancelled)
        } else if self.elapsed() > self.limits.timeout.min(self.attempt_end()) {
            Err(QueryError::Timeout)
        } else {
            Ok(())
        }
    }

    fn is_cancelled(&self) -> bool {
        let is_set = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        is_set(&self.cancelled) || self.ending.as_deref().is_some_and(is_set)
    }

    /// From now on and for `time` at most somebody tries: then the query times out, and can be
    /// evaluated after [`QueryCtx::begin_again`].
    pub fn attempt(&self, time: Duration) {
        let end = self.elapsed().saturating_add(time).as_nanos();
        self.attempt_ns.store(u64::try_from(end).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Forgets that there was an attempt, and what it touched, said and traced; the deadline stays.
    pub fn begin_again(&self) {
        self.attempt_ns.store(u64::MAX, Ordering::Relaxed);
        for count in [&self.samples, &self.series, &self.blocks, &self.bytes] {
            count.store(0, Ordering::Relaxed);
        }
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).clear();
        if let Some(trace) = &self.trace {
            trace.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
        self.set_step_counts(Vec::new());
    }

    /// Whether this is an attempt, which must wait for nobody.
    pub fn is_attempt(&self) -> bool {
        self.attempt_ns.load(Ordering::Relaxed) != u64::MAX
    }

    fn attempt_end(&self) -> Duration {
        Duration::from_nanos(self.attempt_ns.load(Ordering::Relaxed))
    }

    /// Pays for `samples` that are about to be touched, and checks whether to go on; the deadline only
    /// now and then.
    ///
    /// # Errors
    /// As [`QueryCtx::check`], and [`QueryError::SampleBudget`] once the budget is spent.
    pub fn charge(&self, samples: u64) -> Result<(), QueryError> {
        let before = self.samples.fetch_add(samples, Ordering::Relaxed);
        let after = before.saturating_add(samples);
        if after > self.limits.samples {
            return Err(QueryError::SampleBudget { limit: self.limits.samples });
        }
        if self.is_cancelled() {
            return Err(QueryError::Cancelled);
        }
        if before / SAMPLES_A_LOOK == after / SAMPLES_A_LOOK { Ok(()) } else { self.check() }
    }

    /// Counts what a store has opened and decoded.
    pub fn count(&self, series: u64, blocks: u64, bytes: u64) {
        self.series.fetch_add(series, Ordering::Relaxed);
        self.blocks.fetch_add(blocks, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Adds a warning to the answer; the same text is kept once.
    pub fn warn(&self, warning: impl Into<String>) {
        let warning = warning.into();
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }

    /// The warnings so far.
    pub fn warnings(&self) -> Vec<String> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was touched so far.
    pub fn stats(&self) -> QueryStats {
        QueryStats {
            samples: self.samples.load(Ordering::Relaxed),
            series: self.series.load(Ordering::Relaxed),
            blocks: self.blocks.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }

    /// The present, for functions of a language that ask for it.
    pub fn now(&self) -> Nanos {
        Nanos(self.clock.now().0)
    }

    /// Time since the query started.
    pub fn elapsed(&self) -> Duration {
        self.clock.monotonic().saturating_sub(self.started)
    }

    /// Runs `work`; when the query keeps a trace, notes what it was and how long it took.
    pub fn traced<T>(&self, what: impl FnOnce() -> String, work: impl FnOnce() -> T) -> T {
        let Some(trace) = &self.trace else { return work() };
        let start = self.elapsed();
        let result = work();
        let took = self.elapsed().saturating_sub(start);
        let span = TraceSpan { what: what(), start, took };
        trace.lock().unwrap_or_else(PoisonError::into_inner).push(span);
        result
    }

    /// The trace so far, in the order in which steps ended; empty when none is kept.
    pub fn trace(&self) -> Vec<TraceSpan> {
        self.trace.as_ref().map_or_else(Vec::new, |trace| {
            trace.lock().unwrap_or_else(PoisonError::into_inner).clone()
        })
    }
}

#[cfg(test)]
mod tests;
