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
use masthead_model::{Millis, Nanos, TimeRange};
use masthead_ports::AdminError;
use serde::{Deserialize, Serialize, Serializer};

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

/// The same as it is shown: times as Prometheus' `model.Time` writes them, in seconds.
#[derive(Debug, Serialize)]
struct Listed<'a> {
    request_id: &'a str,
    #[serde(serialize_with = "seconds")]
    start_time: i64,
    #[serde(serialize_with = "seconds")]
    end_time: i64,
    query: &'a str,
    status: &'a str,
    #[serde(serialize_with = "seconds")]
    created_at: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn seconds<S: Serializer>(millis: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    if millis % 1000 == 0 {
        return serializer.serialize_i64(millis / 1000);
    }
    serializer.serialize_f64(Millis(*millis).as_seconds())
}

impl<'a> From<&'a DeleteRequest> for Listed<'a> {
    fn from(request: &'a DeleteRequest) -> Self {
        let DeleteRequest { request_id, start_time, end_time, query, status, created_at } = request;
        Self {
            request_id,
            start_time: *start_time,
            end_time: *end_time,
            query,
            status,
            created_at: *created_at,
        }
    }
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
    let (matchers, filters) = language::deletable(&query)
        .map_err(|why| Refusal::bad(format!("invalid query expression: {}", why.message)))?;
    if asked.first("start").is_empty() {
        return Err(Refusal::bad("start time not set"));
    }
    let now = shared.now();
    let time = |name: &str| moment(asked.first(name), name, now);
    let (start, end) = (time("start")?, time("end")?);
    if end > now {
        return Err(Refusal::bad("deletes in the future are not allowed"));
    }
    let Ok(range) = TimeRange::new(start, end) else {
        return Err(Refusal::bad("start time can't be greater than end time"));
    };
    let millis = |at: Nanos| -> Millis { at.to_millis_floor() };
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
    Ok(small(&requests.iter().map(Listed::from).collect::<Vec<_>>()))
}

/// Seconds in ten characters, or RFC 3339. Other numbers are taken elsewhere and not here: what is
/// meant as milliseconds would be nanoseconds since 1970, and everything since then would go.
fn moment(text: &str, name: &str, now: Nanos) -> Result<Nanos, Refusal> {
    const SECONDS_LEN: usize = 10;
    let is_date = text.as_bytes().get(SECONDS_LEN) == Some(&b'T');
    let fits = text.is_empty() || text.len() == SECONDS_LEN || is_date;
    if fits && let Ok(at) = parse_time(text, now) {
        return Ok(at);
    }
    Err(Refusal::bad(format!("invalid {name} time: require unix seconds or RFC3339 format")))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_seconds_and_dates_say_what_is_deleted() {
        let f = |text: &str, want: Option<i64>| {
            let got = moment(text, "start", Nanos(7));
            assert_eq!(got.as_ref().ok().map(|at| at.0), want, "{text}");
            if let Err(refusal) = got {
                let text = "invalid start time: require unix seconds or RFC3339 format";
                assert_eq!(refusal.message, text);
            }
        };
        f("", Some(7));
        f("1793527200", Some(1_793_527_200_000_000_000));
        f("2026-11-01T10:30:00Z", Some(1_793_529_000_000_000_000));
        f("1793527200000", None);
        f("1793527200000000000", None);
        f("179352720", None);
        f("2026-11-01", None);
        f("yesterday.", None);
    }

    #[test]
    fn times_are_listed_in_seconds() {
        let request = DeleteRequest {
            request_id: "1".into(),
            start_time: 1_793_527_200_000,
            end_time: 1_793_527_200_250,
            query: "{}".into(),
            status: "processed".into(),
            created_at: -1,
        };
        let got = serde_json::to_string(&Listed::from(&request)).unwrap();
        let want = r#"{"request_id":"1","start_time":1793527200,"end_time":1793527200.25,"query":"{}","status":"processed","created_at":-0.001}"#;
        assert_eq!(got, want);
    }
}
