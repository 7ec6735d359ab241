//! `/patterns`: what the lines of streams have in common, and how often.
//!
//! Nothing is kept for it: the newest lines of the range are read when it is asked, up to
//! `--logs.max-pattern-lines`, and put into groups (`patterns/miner.rs`). A real Loki does that while
//! lines come in and knows recent ones only.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use masthead_logql::stages::level::{LEVEL_LABEL, UNKNOWN};
use masthead_model::{Matcher, TimeRange};
use masthead_ports::{Direction, LineColumn, LogColumns, LogHints, LogSelection, QueryCtx};
use serde::Serialize;

use super::{
    Refusal, Shared, Success, half_open, language,
    params::{Asked, check_length},
};
use crate::error::ApiError;
use miner::Miner;

mod miner;

const NANOS_PER_SECOND: i64 = 1_000_000_000;
/// Steps of a pattern's counts when it is not said, as Loki keeps them.
const STEP_DEFAULT_MS: i64 = 10_000;

/// `/patterns`
pub(super) async fn patterns(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, Refusal> {
    let asked = Asked::read(request, &shared).await?;
    let matchers = language::matchers(asked.first("query"))?;
    let (start, end) = asked.range()?;
    check_length(start, end, shared.parts.limits.query_ns)?;
    let step_ms = match asked.first("step") {
        "" => STEP_DEFAULT_MS,
        _ => asked.step_ms(start, end)?,
    };
    let step_seconds = (step_ms / 1000).max(1);
    let range = half_open(start, end);
    let find = move |shared: &Shared, ctx: &QueryCtx| {
        let found = match range {
            Some(range) => mine(shared, ctx, matchers, range, step_seconds)?,
            None => Vec::new(),
        };
        Ok(Success::new(found))
    };
    shared.lookup(asked.gzip(), find).await
}

#[derive(Debug, Serialize)]
struct Mined {
    pattern: String,
    level: String,
    /// Seconds at which a step begins, and lines in it.
    samples: Vec<(i64, u64)>,
}

fn mine(
    shared: &Shared,
    ctx: &QueryCtx,
    matchers: Vec<Matcher>,
    range: TimeRange<masthead_model::Nanos>,
    step_seconds: i64,
) -> Result<Vec<Mined>, ApiError> {
    let hints = LogHints {
        filters: Vec::new(),
        direction: Direction::Backward,
        lines: LineColumn::Text,
        metadata: true,
        members: None,
        tests: Vec::new(),
    };
    let selection = LogSelection { matchers, range, hints };
    let Some(selected) = shared.parts.source.select(ctx, &[selection])?.into_iter().next() else {
        return Ok(Vec::new());
    };
    let mut miner = Miner::default();
    let mut columns = LogColumns::default();
    let mut left = shared.parts.limits.pattern_lines;
    for at in 0..selected.parts.len() {
        if left == 0 {
            break;
        }
        selected.reader.read(ctx, at, &mut columns)?;
        // The newest of a part stand at its end.
        let skip = columns.len().saturating_sub(left);
        left = left.saturating_sub(columns.len());
        for row in skip..columns.len() {
            let level = columns.metadata(row).and_then(|metadata| metadata.get(LEVEL_LABEL));
            let seconds = columns.times.get(row).map_or(0, |at| at.div_euclid(NANOS_PER_SECOND));
            let step = seconds - seconds.rem_euclid(step_seconds);
            miner.add(level.unwrap_or(UNKNOWN), columns.line(row), step);
        }
    }
    let found = miner.finish().into_iter();
    Ok(found
        .map(|found| Mined {
            pattern: found.text,
            level: found.level,
            samples: found.counts.into_iter().collect(),
        })
        .collect())
}
