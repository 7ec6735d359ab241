//! Error bodies as problem details (RFC 9457), each with the id of its request.
//!
//! What the client may read is in the body; the cause stays on this side: it goes to the request's
//! log line through a response extension that `layer.rs` picks up, never over the wire.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::RequestId;

/// The media type of RFC 9457, section 3.
pub const CONTENT_TYPE_PROBLEM: &str = "application/problem+json";

/// The members RFC 9457 (section 3.1) and this crate define; an extra member can't take their names.
const OWN_MEMBERS: [&str; 6] = ["type", "title", "status", "detail", "instance", "request_id"];

/// The cause of an error response, for the log line of the request and for nothing else.
#[derive(Clone)]
pub(crate) struct Cause(pub(crate) Arc<dyn Error + Send + Sync>);

/// An error response: a problem details object and its status.
///
/// As a response it has the content type `application/problem+json` and the member `request_id`,
/// taken from the current request.
#[derive(Clone)]
#[must_use]
pub struct Problem {
    status: StatusCode,
    kind: Cow<'static, str>,
    title: Cow<'static, str>,
    detail: Option<Cow<'static, str>>,
    instance: Option<Cow<'static, str>>,
    members: Map<String, Value>,
    cause: Option<Cause>,
}

impl Problem {
    /// A problem of the type `about:blank`, whose title is the reason phrase of the status.
    pub fn new(status: StatusCode) -> Self {
        Self {
            status,
            kind: Cow::Borrowed("about:blank"),
            title: Cow::Borrowed(status.canonical_reason().unwrap_or("Error")),
            detail: None,
            instance: None,
            members: Map::new(),
            cause: None,
        }
    }

    /// The URI reference that names this kind of problem.
    pub fn kind(mut self, uri: impl Into<Cow<'static, str>>) -> Self {
        self.kind = uri.into();
        self
    }

    /// A short summary that is the same for every problem of this kind.
    pub fn title(mut self, title: impl Into<Cow<'static, str>>) -> Self {
        self.title = title.into();
        self
    }

    /// What happened this time, for a human.
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The URI reference of this occurrence.
    pub fn instance(mut self, uri: impl Into<Cow<'static, str>>) -> Self {
        self.instance = Some(uri.into());
        self
    }

    /// Adds a member of your own. One that has the name of a standard member, or that is not
    /// expressible as JSON, is left out.
    pub fn member(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        let name = name.into();
        if !OWN_MEMBERS.contains(&name.as_str())
            && let Ok(value) = serde_json::to_value(value)
        {
            self.members.insert(name, value);
        }
        self
    }

    /// Remembers why it happened. The whole source chain is in the field `error` of the request's
    /// log line; the client never sees it.
    pub fn cause(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(Cause(Arc::from(cause.into())));
        self
    }

    /// The status of the response.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    fn to_json(&self) -> Value {
        let mut body = self.members.clone();
        let mut put = |name: &str, value: &str| body.insert(name.into(), Value::from(value));
        put("type", &self.kind);
        put("title", &self.title);
        self.detail.as_deref().map(|detail| put("detail", detail));
        self.instance.as_deref().map(|uri| put("instance", uri));
        RequestId::current().map(|id| put("request_id", id.as_str()));
        body.insert("status".into(), Value::from(self.status.as_u16()));
        Value::Object(body)
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Problem({} {})", self.status.as_u16(), self.to_json())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.to_json().to_string()));
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE_PROBLEM));
        if let Some(cause) = self.cause {
            response.extensions_mut().insert(cause);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_has_the_standard_members_and_the_id_of_the_current_request() {
        let id = RequestId::generate();
        let body = id.enter(|| {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY)
                .kind("/problems/validation")
                .detail("1 field is wrong")
                .instance("/items/7")
                .member("errors", ["name: empty"])
                .to_json()
        });
        assert_eq!(
            body,
            serde_json::json!({
                "type": "/problems/validation", "title": "Unprocessable Entity", "status": 422,
                "detail": "1 field is wrong", "instance": "/items/7", "errors": ["name: empty"],
                "request_id": id.as_str(),
            })
        );
    }

    #[test]
    fn an_extra_member_never_replaces_a_standard_one_and_the_cause_stays_inside() {
        let problem = Problem::new(StatusCode::NOT_FOUND)
            .member("status", 200)
            .member("request_id", "forged")
            .cause("the password is hunter2");
        assert_eq!(
            problem.to_json(),
            serde_json::json!({"type": "about:blank", "title": "Not Found", "status": 404})
        );
        let response = problem.into_response();
        assert_eq!(response.status(), 404);
        assert_eq!(response.headers()[CONTENT_TYPE], CONTENT_TYPE_PROBLEM);
        assert!(response.extensions().get::<Cause>().is_some());
    }
}
