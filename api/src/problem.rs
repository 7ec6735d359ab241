//! What a client is told when a request fails: RFC 9457 bodies with the id of the request.
//!
//! Every error body of the service is made here (a panic's is made by `masthead-instrument`). The
//! causes go to the log, never into a body: they may name files, hosts and statements.

use crate::{error::Error, items::model::Violation};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode, header};
use masthead_instrument::problem::Problem;
use uuid::Uuid;

/// Seconds after which a client may try again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// The failure of a request: its problem, and `Retry-After` when trying again makes sense.
#[derive(Debug)]
pub struct Rejection(Box<Problem>);

impl From<Problem> for Rejection {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl From<Error> for Rejection {
    fn from(error: Error) -> Self {
        let problem = if error.is_database_away() {
            unavailable("the database does not answer")
        } else {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR).detail(
                "the request could not be completed; its request_id finds the cause in the log",
            )
        };
        problem.cause(error).into()
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let retry = self.0.status() == StatusCode::SERVICE_UNAVAILABLE;
        let mut response = (*self.0).into_response();
        if retry {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        response
    }
}

pub(crate) fn unavailable(why: &'static str) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE).detail(why)
}

pub(crate) fn no_such_path() -> Problem {
    Problem::new(StatusCode::NOT_FOUND).detail("nothing is at this path; /docs lists what there is")
}

pub(crate) fn no_such_item(id: Uuid) -> Problem {
    Problem::new(StatusCode::NOT_FOUND).detail(format!("there is no item {id}"))
}

pub(crate) fn not_an_id() -> Problem {
    Problem::new(StatusCode::NOT_FOUND)
        .detail("the path holds no item's id: an id is a UUID with hyphens")
}

pub(crate) fn method_not_allowed(method: &Method) -> Problem {
    // Methods are free text; a known one is worth repeating, another is not.
    let known = [Method::GET, Method::PUT, Method::POST, Method::DELETE, Method::PATCH];
    let method = if known.contains(method) { method.as_str() } else { "that method" };
    Problem::new(StatusCode::METHOD_NOT_ALLOWED)
        .detail(format!("this path does not take {method}; the header Allow says what it takes"))
}

pub(crate) fn malformed(why: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST).detail(why.into())
}

pub(crate) fn too_slow() -> Problem {
    Problem::new(StatusCode::REQUEST_TIMEOUT)
        .detail("the body did not arrive in time; REQUEST_TIMEOUT is the limit")
}

pub(crate) fn too_large(limit: usize) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE)
        .detail(format!("the body is larger than {limit} bytes; BODY_LIMIT is the limit"))
}

pub(crate) fn unsupported_type() -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE)
        .detail("send Content-Type: application/json, not compressed")
}

pub(crate) fn invalid(violations: &[Violation]) -> Problem {
    let fields: Vec<&str> = violations.iter().map(|violation| violation.field.as_str()).collect();
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY)
        .detail(format!("not valid: {}", fields.join(", ")))
        .member("errors", violations)
}

pub(crate) fn demo_failure() -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR)
        .detail("this endpoint always fails; it is there for demonstrations")
}
