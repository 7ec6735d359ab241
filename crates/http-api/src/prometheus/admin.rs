//! `/admin/tsdb/…`: deleting series, giving back their space, snapshots.
//!
//! Off unless switched on, as upstream, because whoever may query may then also delete.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use masthead_model::{ErrorClass, Matcher};
use masthead_ports::StoreAdmin;
use serde::Serialize;

use super::{Shared, Work, envelope};
use crate::{
    error::ApiError,
    params::{Params, parse_selector},
};

/// `/admin/tsdb/delete_series`
pub(super) async fn delete_series(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, ApiError> {
    allowed(&shared)?;
    let params = Params::read(request, &shared).await?;
    if params.all("match[]").next().is_none() {
        return Err(ApiError::bad("no match[] parameter provided"));
    }
    let range = params.range()?;
    // All are read before the first is carried out: a typing error in the last deletes nothing.
    let mut selectors: Vec<Vec<Matcher>> = Vec::new();
    for text in params.all("match[]") {
        let matchers = parse_selector(text).map_err(|why| ApiError::parameter("match[]", why))?;
        selectors.push(matchers);
    }
    act(&shared, move |store| {
        selectors.iter().try_for_each(|matchers| Ok(store.delete_series(matchers, range)?))
    })
    .await
}

/// `/admin/tsdb/clean_tombstones`
pub(super) async fn clean_tombstones(
    State(shared): State<Arc<Shared>>,
) -> Result<Response, ApiError> {
    allowed(&shared)?;
    act(&shared, |store| Ok(store.clean_tombstones()?)).await
}

/// `/admin/tsdb/snapshot`
pub(super) async fn snapshot(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, ApiError> {
    #[derive(Serialize)]
    struct Shape {
        name: String,
    }
    allowed(&shared)?;
    let params = Params::read(request, &shared).await?;
    let skip_head = Params::boolean(params.first("skip_head")).map_err(|why| {
        ApiError::parameter("skip_head", format!("unable to parse boolean: {why}"))
    })?;
    let work = move |shared: &Shared, _: &_, out: &mut _| {
        let name = shared
            .parts
            .admin
            .snapshot(!skip_head)
            .map_err(|error| ApiError::new(error.class, format!("create snapshot: {error}")))?;
        envelope::write(out, &Shape { name }, &[])
    };
    shared.lookup(params.gzip, work).await
}

fn allowed(shared: &Shared) -> Result<(), ApiError> {
    if shared.parts.admin_enabled {
        Ok(())
    } else {
        Err(ApiError::new(ErrorClass::Unavailable, "admin APIs disabled").lasting())
    }
}

/// Does something that has no answer but that it was done. Not given up when the client goes.
async fn act(
    shared: &Arc<Shared>,
    work: impl FnOnce(&dyn StoreAdmin) -> Result<(), ApiError> + Send + 'static,
) -> Result<Response, ApiError> {
    let ctx = shared.ctx(None);
    let place = shared.place(Work::Lookup, &ctx, shared.limits.query.timeout).await?;
    let task = Arc::clone(shared);
    let done = tokio::task::spawn_blocking(move || {
        let _place = place;
        work(task.parts.admin.as_ref())
    });
    match done.await {
        Ok(done) => done.map(|()| StatusCode::NO_CONTENT.into_response()),
        Err(error) => {
            crate::stats::add(&shared.counters.panics, 1);
            tracing::error!(%error, "An admin request failed.");
            let message = "the request failed; see the server's log";
            Err(ApiError::new(ErrorClass::Internal, message))
        }
    }
}
