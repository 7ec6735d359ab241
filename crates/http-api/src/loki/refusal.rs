//! Errors as Loki answers them: plain text, and fewer status codes than Prometheus has.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use masthead_model::ErrorClass;
use masthead_ports::QueryError;

use crate::error::ApiError;

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) message: String,
    retry: bool,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), retry: false }
    }

    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// The same with a line feed at the end, as Go's `http.Error` writes it; the answers to a push
    /// have it, those to a question do not.
    pub(super) fn into_line(mut self) -> Response {
        self.message.push('\n');
        self.into_response()
    }
}

/// Status code of a class (`pkg/util/server/error.go`).
fn status(class: ErrorClass) -> StatusCode {
    match class {
        ErrorClass::BadInput | ErrorClass::Limit => StatusCode::BAD_REQUEST,
        ErrorClass::NotFound => StatusCode::NOT_FOUND,
        ErrorClass::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorClass::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorClass::Timeout => StatusCode::GATEWAY_TIMEOUT,
        // nginx's code, which is in no standard; Loki has it too.
        ErrorClass::Cancelled => {
            StatusCode::from_u16(499).unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
        }
        ErrorClass::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorClass::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorClass::Forbidden => StatusCode::FORBIDDEN,
        // Vectors that do not match are an error of Loki's engine, which it takes for its own.
        ErrorClass::Unexecutable | ErrorClass::Corrupt | ErrorClass::Internal => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        let retry = error.retries();
        Self { status: status(error.class), message: error.message, retry }
    }
}

impl From<QueryError> for Refusal {
    fn from(error: QueryError) -> Self {
        ApiError::from(error).into()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let kind = HeaderValue::from_static("text/plain; charset=utf-8");
        let mut response =
            (self.status, [(header::CONTENT_TYPE, kind)], self.message).into_response();
        if self.retry {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_has_lokis_status() {
        let f = |class, want: u16| {
            let refusal = Refusal::from(ApiError::new(class, "x"));
            assert_eq!(refusal.status.as_u16(), want, "{class:?}");
        };
        f(ErrorClass::BadInput, 400);
        f(ErrorClass::Limit, 400);
        f(ErrorClass::Unexecutable, 500);
        f(ErrorClass::NotFound, 404);
        f(ErrorClass::TooLarge, 413);
        f(ErrorClass::RateLimited, 429);
        f(ErrorClass::Timeout, 504);
        f(ErrorClass::Cancelled, 499);
        f(ErrorClass::Unavailable, 503);
        f(ErrorClass::Corrupt, 500);
        f(ErrorClass::Internal, 500);
        f(ErrorClass::Unauthenticated, 401);
        f(ErrorClass::Forbidden, 403);
    }
}
