//! How rules ask: an expression at an instant, and the last samples of series.

use std::{
    fmt::Debug,
    sync::{Arc, atomic::AtomicBool},
};

use masthead_logql::{Answer as LogAnswer, Engine as LogEngine, Params, ast::Expr as LogExpr};
use masthead_model::{Labels, Matcher, Millis, TimeRange, Value};
use masthead_ports::{
    Columns, LogSource, QueryCtx, QueryLimits, SampleSource, SelectHints, Selection,
};
use masthead_promql::{Engine, InstantSample, QueryValue};
use masthead_sysio::Clock;

/// Answers what rules ask; called on threads that may block.
pub trait Querier: Send + Sync + Debug {
    /// What `expr` gives at `at`; a number without labels is one result without labels.
    ///
    /// # Errors
    /// Why there is no answer, as the language says it.
    fn instant(&self, expr: &str, at: Millis) -> Result<Vec<InstantSample>, String>;

    /// The last sample in `range` of every series that matches, stale markers included.
    ///
    /// # Errors
    /// Why there is no answer.
    fn last(
        &self,
        matchers: &[Matcher],
        range: TimeRange<Millis>,
    ) -> Result<Vec<(Labels, Millis, f64)>, String>;
}

/// Rules over samples.
#[derive(Debug, Clone)]
pub struct SampleRules {
    /// Evaluates.
    pub engine: Engine,
    /// What is evaluated over.
    pub source: Arc<dyn SampleSource>,
    /// For deadlines.
    pub clock: Arc<dyn Clock>,
    /// What one evaluation may cost.
    pub limits: QueryLimits,
    /// Ends all evaluations once it is true.
    pub ending: Arc<AtomicBool>,
}

/// Rules over log lines. The state of alerts is in the samples.
#[derive(Debug, Clone)]
pub struct LogRules {
    /// Evaluates.
    pub engine: LogEngine,
    /// What is evaluated over.
    pub source: Arc<dyn LogSource>,
    /// Where recorded series and the state of alerts are.
    pub samples: SampleRules,
}

impl SampleRules {
    fn ctx(&self) -> QueryCtx {
        QueryCtx::new(Arc::clone(&self.clock), self.limits).ended_by(Arc::clone(&self.ending))
    }
}

impl Querier for SampleRules {
    fn instant(&self, expr: &str, at: Millis) -> Result<Vec<InstantSample>, String> {
        let answer = self.engine.instant(&self.ctx(), &*self.source, expr, at);
        match answer.map_err(|error| error.to_string())?.value {
            QueryValue::Vector(samples) => Ok(samples),
            QueryValue::Scalar(value, at) => Ok(vec![InstantSample {
                labels: Labels::default(),
                timestamp: at,
                value: Value::Float(value),
            }]),
            QueryValue::String(..) | QueryValue::Matrix(_) => {
                Err("rule result is not a vector or scalar".to_owned())
            }
        }
    }

    fn last(
        &self,
        matchers: &[Matcher],
        range: TimeRange<Millis>,
    ) -> Result<Vec<(Labels, Millis, f64)>, String> {
        let ctx = self.ctx();
        let selection =
            Selection { matchers: matchers.to_vec(), range, hints: SelectHints::default() };
        let selected = self.source.select(&ctx, &[selection]).map_err(|e| e.to_string())?;
        let mut found = Vec::new();
        let mut columns = Columns::default();
        for selected in selected {
            for (at, labels) in selected.labels.iter().enumerate() {
                selected.reader.read(&ctx, at, &mut columns).map_err(|e| e.to_string())?;
                if let (Some(time), Some(value)) =
                    (columns.float_times.last(), columns.floats.last())
                {
                    found.push((labels.clone(), Millis(*time), *value));
                }
            }
        }
        Ok(found)
    }
}

impl Querier for LogRules {
    fn instant(&self, expr: &str, at: Millis) -> Result<Vec<InstantSample>, String> {
        let parsed = masthead_logql::parse(expr).map_err(|error| error.to_string())?;
        if matches!(parsed, LogExpr::Log(_)) {
            return Err("rule result is not a vector or scalar".to_owned());
        }
        let params = Params::instant(at.to_nanos().map_err(|error| error.to_string())?);
        let answer = self.engine.query(&self.samples.ctx(), &*self.source, &parsed, &params);
        let sample =
            |labels, value| InstantSample { labels, timestamp: at, value: Value::Float(value) };
        match answer.map_err(|error| error.to_string())? {
            LogAnswer::Vector(samples) => {
                Ok(samples.into_iter().map(|found| sample(found.labels, found.value)).collect())
            }
            LogAnswer::Scalar(value, _) => Ok(vec![sample(Labels::default(), value)]),
            LogAnswer::Streams(_) | LogAnswer::Matrix(_) => {
                Err("rule result is not a vector or scalar".to_owned())
            }
        }
    }

    fn last(
        &self,
        matchers: &[Matcher],
        range: TimeRange<Millis>,
    ) -> Result<Vec<(Labels, Millis, f64)>, String> {
        self.samples.last(matchers, range)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use masthead_ports::testing::MemoryStore;
    use masthead_sysio::SimClock;

    use super::*;

    #[test]
    fn evaluations_end_with_the_server() {
        let rules = SampleRules {
            engine: Engine::default(),
            source: Arc::new(MemoryStore::default()),
            clock: Arc::new(SimClock::default()),
            limits: QueryLimits::default(),
            ending: Arc::default(),
        };
        assert_eq!(rules.instant("1", Millis(0)).map(|found| found.len()), Ok(1));
        rules.ending.store(true, Ordering::Relaxed);
        let error = rules.instant("1", Millis(0)).expect_err("ended");
        assert!(error.contains("canceled"), "{error}");
    }
}
