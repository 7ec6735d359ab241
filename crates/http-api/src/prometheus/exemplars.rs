//! `/query_exemplars`: exemplars of every series that a query selects.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use masthead_model::{Labels, Matcher};
use masthead_ports::Exemplar;

use super::{Shared, envelope};
use crate::{error::ApiError, json, params::Params};

/// `/query_exemplars`
pub(super) async fn exemplars(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, ApiError> {
    let params = Params::read(request, &shared).await?;
    let range = params.range()?;
    if range.end < range.start {
        return Err(ApiError::bad("end timestamp must not be before start timestamp"));
    }
    let text = params.first("query").to_owned();
    let work = move |shared: &Shared, ctx: &_, out: &mut _| {
        let expr = masthead_promql::parse(&text, &shared.parts.features)
            .map_err(|errors| ApiError::bad(errors.to_string()))?;
        let selectors: Vec<Vec<Matcher>> =
            expr.selectors().into_iter().map(|selector| selector.matchers.clone()).collect();
        let found = if selectors.is_empty() {
            // No selectors would mean every series.
            Vec::new()
        } else {
            shared.parts.source.exemplars(ctx, &selectors, range)?
        };
        envelope::open(out);
        out.list(&found, |buf, (labels, exemplars)| {
            push_series(buf, labels, exemplars);
        })?;
        envelope::close(out, &ctx.warnings(), &[]);
        out.check()
    };
    shared.lookup(params.gzip, work).await
}

fn push_series(buf: &mut Vec<u8>, labels: &Labels, exemplars: &[Exemplar]) {
    buf.extend_from_slice(b"{\"seriesLabels\":");
    json::push_labels(buf, labels);
    buf.extend_from_slice(b",\"exemplars\":[");
    for (at, exemplar) in exemplars.iter().enumerate() {
        buf.extend_from_slice(if at > 0 { b",{\"labels\":" } else { b"{\"labels\":" });
        json::push_labels(buf, &exemplar.labels);
        buf.extend_from_slice(b",\"value\":");
        json::push_float(buf, exemplar.value);
        buf.extend_from_slice(b",\"timestamp\":");
        json::push_timestamp(buf, exemplar.timestamp.map_or(0, |at| at.0));
        buf.push(b'}');
    }
    buf.extend_from_slice(b"]}");
}
