//! `/format_query` and `/parse_query`: the language without any data.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use masthead_promql::ast::Expr;

use super::{Shared, envelope, syntax_tree};
use crate::{error::ApiError, params::Params};

/// `/format_query`
pub(super) async fn format_query(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, ApiError> {
    let params = Params::read(request, &shared).await?;
    let text = params.first("query").to_owned();
    let work = move |shared: &Shared, _: &_, out: &mut _| {
        let expr = parse(shared, &text)?;
        envelope::write(out, &masthead_promql::pretty(&expr), &[])
    };
    shared.lookup(params.gzip, work).await
}

/// `/parse_query`
pub(super) async fn parse_query(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, ApiError> {
    let params = Params::read(request, &shared).await?;
    let text = params.first("query").to_owned();
    let work = move |shared: &Shared, _: &_, out: &mut _| {
        let expr = parse(shared, &text)?;
        envelope::write(out, &syntax_tree::Node(&expr), &[])
    };
    shared.lookup(params.gzip, work).await
}

fn parse(shared: &Shared, text: &str) -> Result<Expr, ApiError> {
    masthead_promql::parse(text, &shared.parts.features)
        .map_err(|errors| ApiError::parameter("query", errors))
}
