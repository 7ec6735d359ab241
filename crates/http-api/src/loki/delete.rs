//! `/delete`: lines that are to go for good.
//!
//! A request is carried out when it is made, so what is listed is a record of what was deleted and
//! cannot be taken back. The record is kept by whoever starts the server ([`DeleteRequests`]).
//! Facts: `pkg/compactor/deletion/request_handler.go`.

use std::{
    fmt::Debug,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use masthead_model::{Millis, TimeRange};
use masthead_ports::AdminError;
use serde::{Deserialize, Serialize};

use super::{
    Refusal, Shared, language,
    params::{Asked, parse_time},
    small,
};
use crate::{desk::Work, error::ApiError};

/// One request, as it is listed and as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeleteRequest {
    /// Its number, in hexadecimal.
    pub request_id: String,
    /// Since when lines were deleted, in milliseconds.
    pub start_time: i64,
    /// Until when, in milliseconds.
    pub end_time: i64,
    /// Which, in LogQL.
    pub query: String,
    /// `processed`; there is no other state.
    pub status: String,
    /// When it was asked, in milliseconds.
    pub created_at: i64,
}

/// Where requests are kept.
pub trait DeleteRequests: Send + Sync + Debug {
    /// All of them, oldest first.
    ///
    /// # Errors
    /// [`AdminError`].
    fn list(&self) -> Result<Vec<DeleteRequest>, AdminError>;

    /// Adds one, durably.
    ///
    /// # Errors
    /// [`AdminError`].
    fn record(&self, request: &DeleteRequest) -> Result<(), AdminError>;
}

/// Requests that are forgotten with the process, for tests.
#[derive(Debug, Default)]
pub struct DeletesInMemory(Mutex<Vec<DeleteRequest>>);

impl DeleteRequests for DeletesInMemory {
    fn list(&self) -> Result<Vec<DeleteRequest>, AdminError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn record(&self, request: &DeleteRequest) -> Result<(), AdminError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        Ok(())
    }
}

/// `POST /delete`
pub(super) async fn create(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, Refusal> {
    allowed(&shared, OFF)?;
    let asked = Asked::read(request, &shared).await?;
    let query = asked.first("query").to_owned();
    if query.is_empty() {
        return Err(Refusal::bad("query not set"));
    }
    let (matchers, filters) = language::deletable(&query)?;
    if asked.first("start").is_empty() {
        return Err(Refusal::bad("start time not set"));
    }
    let now = shared.now();
    let time = |name: &str| parse_time(asked.first(name), now).map_err(Refusal::bad);
    let (start, end) = (time("start")?, time("end")?);
    if end > now {
        return Err(Refusal::bad("deletes in the future are not allowed"));
    }
    let Ok(range) = TimeRange::new(start, end) else {
        return Err(Refusal::bad("start time can't be greater than end time"));
    };
    let millis = |at: masthead_model::Nanos| -> Millis { at.to_millis_floor() };
    let record = DeleteRequest {
        request_id: format!("{:016x}", now.0),
        start_time: millis(start).0,
        end_time: millis(end).0,
        query,
        status: "processed".to_owned(),
        created_at: millis(now).0,
    };
    blocking(&shared, move |shared| {
        shared.parts.admin.delete(&matchers, &filters, range)?;
        shared.parts.deletes.record(&record)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `GET /delete`
pub(super) async fn list(State(shared): State<Arc<Shared>>) -> Result<Response, Refusal> {
    allowed(&shared, OFF)?;
    let requests = blocking(&shared, |shared| shared.parts.deletes.list()).await?;
    Ok(small(&requests))
}

/// `DELETE /delete`
pub(super) async fn cancel(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, Refusal> {
    allowed(&shared, OFF)?;
    let asked = Asked::read(request, &shared).await?;
    let id = asked.first("request_id").to_owned();
    let requests = blocking(&shared, |shared| shared.parts.deletes.list()).await?;
    Err(if requests.iter().any(|request| request.request_id == id) {
        Refusal::bad("deletion of request which is in process or already processed is not allowed")
    } else {
        Refusal::new(StatusCode::NOT_FOUND, "could not find delete request with given id")
    })
}

const OFF: &str = "deleting is not enabled; see --web.enable-admin-api";

/// Refuses with `text` what an administrator alone may do, unless it is switched on.
pub(super) fn allowed(shared: &Shared, text: &'static str) -> Result<(), Refusal> {
    if shared.parts.admin_enabled {
        return Ok(());
    }
    Err(Refusal::new(StatusCode::FORBIDDEN, text))
}

/// Takes a place and does something to the store, also when the client goes.
pub(super) async fn blocking<T: Send + 'static>(
    shared: &Arc<Shared>,
    work: impl FnOnce(&Shared) -> Result<T, AdminError> + Send + 'static,
) -> Result<T, Refusal> {
    let ctx = shared.desk.ctx(None);
    let place = shared.desk.place(Work::Lookup, &ctx, shared.desk.limits.query.timeout).await?;
    let task = Arc::clone(shared);
    let done = tokio::task::spawn_blocking(move || {
        let _place = place;
        work(&task)
    });
    match done.await {
        Ok(done) => Ok(done.map_err(ApiError::from)?),
        Err(error) => {
            tracing::error!(%error, "A request of an administrator failed.");
            let text = "the request failed; see the server's log";
            Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, text))
        }
    }
}
