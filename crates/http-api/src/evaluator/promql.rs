//! `promql`'s engine behind the seam.

use masthead_model::Millis;
use masthead_ports::{QueryCtx, SampleSource};
use masthead_promql::{Answer, Engine, EngineOptions, Error};

use super::{EvalError, Evaluation, Evaluator, Grid, Query};

impl Evaluator for Engine {
    fn instant(
        &self,
        ctx: &QueryCtx,
        source: &dyn SampleSource,
        query: &Query<'_>,
        at: Millis,
    ) -> Result<Evaluation, EvalError> {
        with_lookback(self, query, |engine| engine.instant(ctx, source, query.text, at))
    }

    fn range(
        &self,
        ctx: &QueryCtx,
        source: &dyn SampleSource,
        query: &Query<'_>,
        grid: Grid,
    ) -> Result<Evaluation, EvalError> {
        with_lookback(self, query, |engine| {
            engine.range(ctx, source, query.text, grid.start, grid.end, grid.step_ms)
        })
    }
}

/// An engine is only its options, so one of another look-back costs nothing.
fn with_lookback(
    engine: &Engine,
    query: &Query<'_>,
    run: impl FnOnce(&Engine) -> Result<Answer, Error>,
) -> Result<Evaluation, EvalError> {
    let answer = match query.lookback_ms {
        None => run(engine),
        Some(lookback_ms) => {
            run(&Engine::new(EngineOptions { lookback_ms, ..engine.options().clone() }))
        }
    };
    match answer {
        Ok(Answer { value, annotations }) => {
            Ok(Evaluation { value, warnings: annotations.warnings, infos: annotations.infos })
        }
        Err(error) => Err(EvalError { class: error.class(), message: error.to_string() }),
    }
}
