//! Endpoints that fail and dawdle, so that a demonstration has errors and slow requests to show.
//!
//! They exist only with `DEMO_FAULTS=1` and touch nothing.

use crate::{
    app::App,
    items::model::Violation,
    problem::{self, Rejection},
};
use axum::{Json, Router, extract::RawQuery, routing};
use serde_json::{Value, json};
use std::time::Duration;

/// Longest time that `/demo/slow` takes, in milliseconds.
const SLOW_MS_MAX: u64 = 5_000;

pub(crate) fn router() -> Router<App> {
    Router::new().route("/demo/fail", routing::get(fail)).route("/demo/slow", routing::get(slow))
}

async fn fail() -> Rejection {
    problem::demo_failure().into()
}

async fn slow(RawQuery(query): RawQuery) -> Result<Json<Value>, Rejection> {
    let query = query.unwrap_or_default();
    let ms = form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "ms")
        .and_then(|(_, value)| value.parse::<u64>().ok())
        .filter(|ms| *ms <= SLOW_MS_MAX);
    let Some(ms) = ms else {
        let message = format!("must be a whole number from 0 to {SLOW_MS_MAX}");
        return Err(problem::invalid(&[Violation::new("ms", message)]).into());
    };
    tokio::time::sleep(Duration::from_millis(ms)).await;
    Ok(Json(json!({ "slept_ms": ms })))
}
