//! One error for all endpoints, and the one place where a class becomes a status code.
//!
//! The envelope and the words of `errorType` are upstream's (`web/api/v1/api.go`). It never hides
//! a message: what is wrong is said where the user sees it.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use masthead_model::ErrorClass;
use masthead_ports::{AdminError, AppendError, QueryError};
use serde::Serialize;

use crate::{evaluator::EvalError, json};

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) class: ErrorClass,
    pub(crate) message: String,
    /// Whether coming back in a moment can help.
    retry: bool,
}

impl ApiError {
    pub(crate) fn new(class: ErrorClass, message: impl Into<String>) -> Self {
        let retry = matches!(class, ErrorClass::RateLimited | ErrorClass::Unavailable);
        Self { class, message: message.into(), retry }
    }

    /// The same for what only an operator can change.
    pub(crate) fn lasting(self) -> Self {
        Self { retry: false, ..self }
    }

    /// Whether coming back in a moment can help.
    pub(crate) fn retries(&self) -> bool {
        self.retry
    }

    /// The request itself is wrong.
    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(ErrorClass::BadInput, message)
    }

    /// One parameter is wrong.
    pub(crate) fn parameter(name: &str, why: impl std::fmt::Display) -> Self {
        Self::bad(format!("invalid parameter \"{name}\": {why}"))
    }

    /// The same as plain text, for the endpoints that upstream answers so.
    pub(crate) fn into_plain(self) -> Response {
        let (status, _) = answer(self.class);
        let mut response = plain(status, self.message);
        retry_header(self.retry, &mut response);
        response
    }
}

/// Text that ends with a line feed, as Go's `http.Error` writes it.
pub(crate) fn plain(status: StatusCode, text: impl Into<String>) -> Response {
    let mut text = text.into();
    text.push('\n');
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    let nosniff = HeaderValue::from_static("nosniff");
    let headers = [(header::CONTENT_TYPE, kind), (header::X_CONTENT_TYPE_OPTIONS, nosniff)];
    (status, headers, text).into_response()
}

/// Status code and `errorType` of a class.
pub(crate) fn answer(class: ErrorClass) -> (StatusCode, &'static str) {
    match class {
        ErrorClass::BadInput => (StatusCode::BAD_REQUEST, "bad_data"),
        ErrorClass::Unexecutable | ErrorClass::Limit => {
            (StatusCode::UNPROCESSABLE_ENTITY, "execution")
        }
        ErrorClass::NotFound => (StatusCode::NOT_FOUND, "not_found"),
        ErrorClass::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "bad_data"),
        ErrorClass::RateLimited => (StatusCode::TOO_MANY_REQUESTS, "unavailable"),
        ErrorClass::Timeout => (StatusCode::SERVICE_UNAVAILABLE, "timeout"),
        ErrorClass::Cancelled => (client_closed_request(), "canceled"),
        ErrorClass::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        ErrorClass::Corrupt | ErrorClass::Internal => {
            (StatusCode::INTERNAL_SERVER_ERROR, "internal")
        }
        ErrorClass::Unauthenticated => (StatusCode::UNAUTHORIZED, "unauthorized"),
        ErrorClass::Forbidden => (StatusCode::FORBIDDEN, "forbidden"),
    }
}

/// 499 is nginx's code and in no standard; upstream answers cancelled queries with it.
fn client_closed_request() -> StatusCode {
    StatusCode::from_u16(499).unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
}

fn retry_header(retry: bool, response: &mut Response) {
    if retry {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
}

#[derive(Serialize)]
struct Envelope<'a> {
    status: &'static str,
    #[serde(rename = "errorType")]
    error_type: &'static str,
    error: &'a str,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, error_type) = answer(self.class);
        let body = json::to_vec(&Envelope { status: "error", error_type, error: &self.message });
        let kind = HeaderValue::from_static("application/json");
        let mut response = (status, [(header::CONTENT_TYPE, kind)], body).into_response();
        retry_header(self.retry, &mut response);
        response
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        Self::new(error.class(), error.to_string())
    }
}

impl From<EvalError> for ApiError {
    fn from(error: EvalError) -> Self {
        Self::new(error.class, error.message)
    }
}

impl From<AdminError> for ApiError {
    fn from(error: AdminError) -> Self {
        Self::new(error.class, error.message)
    }
}

impl From<AppendError> for ApiError {
    fn from(error: AppendError) -> Self {
        Self::new(error.class, error.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_has_upstreams_status_and_type() {
        let f = |class, status: u16, kind: &str| {
            let (got, error_type) = answer(class);
            assert_eq!((got.as_u16(), error_type), (status, kind), "{class:?}");
        };
        f(ErrorClass::BadInput, 400, "bad_data");
        f(ErrorClass::Unexecutable, 422, "execution");
        f(ErrorClass::Limit, 422, "execution");
        f(ErrorClass::NotFound, 404, "not_found");
        f(ErrorClass::TooLarge, 413, "bad_data");
        f(ErrorClass::RateLimited, 429, "unavailable");
        f(ErrorClass::Timeout, 503, "timeout");
        f(ErrorClass::Cancelled, 499, "canceled");
        f(ErrorClass::Unavailable, 503, "unavailable");
        f(ErrorClass::Corrupt, 500, "internal");
        f(ErrorClass::Internal, 500, "internal");
        f(ErrorClass::Unauthenticated, 401, "unauthorized");
        f(ErrorClass::Forbidden, 403, "forbidden");
    }

    #[test]
    fn what_time_can_mend_says_when_to_come_back() {
        let retry = |class| {
            let response = ApiError::new(class, "x").into_response();
            response.headers().contains_key(header::RETRY_AFTER)
        };
        assert!(retry(ErrorClass::RateLimited) && retry(ErrorClass::Unavailable));
        assert!(!retry(ErrorClass::BadInput) && !retry(ErrorClass::Timeout));
        let lasting = ApiError::new(ErrorClass::Unavailable, "x").lasting().into_response();
        assert!(!lasting.headers().contains_key(header::RETRY_AFTER));
    }
}
