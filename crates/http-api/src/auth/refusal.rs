//! What somebody gets who may not: the shape that the API they asked has for errors.

use std::time::Duration;

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use masthead_model::ErrorClass;

use crate::{
    error::{ApiError, plain},
    json,
};

/// Why somebody may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There are no credentials, and there must be.
    Missing,
    /// They are of no kind that is known.
    Scheme,
    /// User or password is wrong, or there is no such user.
    Password,
    /// There is no such token.
    Token,
    /// The token was good once.
    Expired,
    /// They are right and not enough.
    Scope(&'static str),
    /// Another site's page sent this.
    OtherSite,
    /// It does not say that our own page sent this.
    NoOrigin,
    /// The name in `Host` could be a trick.
    Host,
    /// Too many wrong passwords.
    TooMany(Duration),
    /// Too many passwords are being checked.
    Busy,
}

impl Refusal {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Missing | Self::Scheme | Self::Password | Self::Token | Self::Expired => {
                StatusCode::UNAUTHORIZED
            }
            Self::Scope(_) | Self::OtherSite | Self::NoOrigin | Self::Host => StatusCode::FORBIDDEN,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    pub(super) fn message(self) -> String {
        let text = match self {
            Self::Missing => "log in first: send a session cookie, HTTP basic or a bearer token",
            Self::Scheme => "the Authorization header is neither Basic nor Bearer",
            // Which of the two is not said: it would tell who exists.
            Self::Password => "wrong user or password",
            Self::Token => "unknown token",
            Self::Expired => "the token has expired",
            Self::Scope(scope) => {
                return format!(
                    "this needs the scope {scope}, which these credentials do not have"
                );
            }
            Self::OtherSite => {
                "a page of another site sent this; name its origin with --web.cors.origin if it may"
            }
            Self::NoOrigin => {
                "it cannot be told which page sent this: the headers Origin and Sec-Fetch-Site are missing"
            }
            Self::Host => {
                "the name in the Host header is not one of this machine; use localhost or an address, set a password, or accept any name with --insecure"
            }
            Self::TooMany(wait) => {
                return format!(
                    "too many wrong passwords; try again in {} s (see --auth.max-failures)",
                    seconds(wait)
                );
            }
            Self::Busy => "too many passwords are being checked; try again in a moment",
        };
        text.to_owned()
    }

    /// The answer to a request to `path`.
    pub(super) fn answer(self, path: &str, headers: &HeaderMap) -> Response {
        let (status, message) = (self.status(), self.message());
        let mut response = if path.starts_with("/api/v1/") || path.starts_with("/prometheus/") {
            let class = match status {
                StatusCode::UNAUTHORIZED => ErrorClass::Unauthenticated,
                StatusCode::FORBIDDEN => ErrorClass::Forbidden,
                StatusCode::TOO_MANY_REQUESTS => ErrorClass::RateLimited,
                _ => ErrorClass::Unavailable,
            };
            ApiError::new(class, message).into_response()
        } else if path.starts_with("/api/") && !path.starts_with("/api/prom/") {
            grafana(status, &message)
        } else {
            plain(status, message)
        };
        let out = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            // A script of ours gets no `Basic`, because the browser would open its own prompt.
            let script = headers
                .get(HeaderName::from_static("sec-fetch-mode"))
                .is_some_and(|mode| mode != "navigate");
            out.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"Masthead\""),
            );
            if !script {
                let basic = "Basic realm=\"Masthead\", charset=\"UTF-8\"";
                out.append(header::WWW_AUTHENTICATE, HeaderValue::from_static(basic));
            }
        }
        if let Self::TooMany(wait) = self {
            out.insert(header::RETRY_AFTER, seconds(wait).into());
        } else if self == Self::Busy {
            out.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// Whole seconds, never too few.
fn seconds(wait: Duration) -> u64 {
    wait.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX).max(1)
}

/// An error in the shape of Grafana's API.
pub(super) fn grafana(status: StatusCode, message: &str) -> Response {
    let body = json::to_vec(&serde_json::json!({ "message": message }));
    let kind = HeaderValue::from_static("application/json");
    (status, [(header::CONTENT_TYPE, kind)], body).into_response()
}
