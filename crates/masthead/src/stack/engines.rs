//! The two query languages, set up once: the API and the rules ask the same.

use std::sync::Arc;

use masthead_logql::{Engine as LogEngine, EngineOptions as LogEngineOptions};
use masthead_promql::{Engine, EngineOptions, Features};

use super::logs::bytes;
use crate::cli::{Feature, ServeArgs};

/// Both languages; cheap to clone, because an engine is only its options.
#[derive(Debug, Clone)]
pub(super) struct Engines {
    pub promql: Engine,
    pub logql: LogEngine,
    pub features: Features,
    pub lookback_ms: i64,
}

impl Engines {
    /// Sets them up over one pool of threads.
    ///
    /// # Errors
    /// The machine has no threads for queries.
    pub(super) fn new(args: &ServeArgs) -> anyhow::Result<Self> {
        let on = |feature| args.enable_feature.contains(&feature);
        let features = features(args);
        let lookback_ms = i64::try_from(args.lookback_delta.as_millis()).unwrap_or(i64::MAX);
        let pool =
            rayon::ThreadPoolBuilder::new().thread_name(|at| format!("query-{at}")).build()?;
        let pool = Arc::new(pool);
        let promql = Engine::new(EngineOptions {
            lookback_ms,
            features,
            // Off unless asked for, as upstream's server has it.
            delayed_name_removal: on(Feature::PromqlDelayedNameRemoval),
            type_and_unit_labels: on(Feature::TypeAndUnitLabels),
            start_timestamps: on(Feature::UseStartTimestamps),
            pool: Some(Arc::clone(&pool)),
            ..EngineOptions::default()
        });
        let logql = LogEngine::new(LogEngineOptions {
            series_max: args.logs.max_query_series,
            group_bytes_max: bytes(args.logs.query_max_label_bytes),
            pool: Some(pool),
            ..LogEngineOptions::default()
        });
        Ok(Self { promql, logql, features, lookback_ms })
    }
}

/// The experimental parts of PromQL that are asked for.
pub(super) fn features(args: &ServeArgs) -> Features {
    let on = |feature| args.enable_feature.contains(&feature);
    Features {
        experimental_functions: on(Feature::PromqlExperimentalFunctions),
        duration_expressions: on(Feature::PromqlDurationExpr),
        extended_range_selectors: on(Feature::PromqlExtendedRangeSelectors),
        fill_modifiers: on(Feature::PromqlBinopFillModifiers),
    }
}
