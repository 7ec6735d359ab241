//! The description of the API: OpenAPI 3.1 at `/openapi.json`, and as a page at `/docs`.
//!
//! Paths and schemas come from the annotations beside the code. Both documents are made once, when
//! the router is built.

use crate::{app::App, health, items::model, items::routes};
use axum::{Router, response::Html, routing};
use bytes::Bytes;
use http::header;
use utoipa::{OpenApi, ToResponse, ToSchema};

mod page;

/// What the page may load: nothing but its own style.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The description of every public endpoint; those of the demo are left out.
#[derive(OpenApi, Debug)]
#[openapi(
    info(title = "Items API", description = "Items with a name, a description and an exact price. Every error is a problem (RFC 9457) with the request's id."),
    paths(
        routes::list, routes::create, routes::read, routes::replace, routes::remove,
        health::healthz, health::readyz,
    ),
    components(
        schemas(ProblemBody, model::Violation),
        responses(Malformed, NotFound, TooSlow, TooLarge, UnsupportedType, Validation, Unavailable),
    ),
    tags((name = "items", description = "Items"), (name = "probes", description = "Health")),
)]
pub struct Api;

/// `/openapi.json` and `/docs`.
pub(crate) fn router() -> Router<App> {
    let document = Api::openapi();
    let page = Bytes::from(page::render(&document));
    // Strings and maps of strings always serialise.
    let json = Bytes::from(document.to_json().unwrap_or_default());
    let json = move || async move { ([(header::CONTENT_TYPE, "application/json")], json.clone()) };
    let page = move || async move {
        let headers = [
            (header::CONTENT_SECURITY_POLICY, PAGE_POLICY),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        (headers, Html(page.clone()))
    };
    Router::new().route("/openapi.json", routing::get(json)).route("/docs", routing::get(page))
}

/// A problem details object (RFC 9457).
#[derive(Debug, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    #[schema(example = "about:blank")]
    pub r#type: String,
    #[schema(example = "Unprocessable Entity")]
    pub title: String,
    #[schema(example = 422)]
    pub status: u16,
    #[schema(example = "not valid: price")]
    pub detail: Option<String>,
    /// Also in the header `X-Request-Id` and in every log line of the request.
    #[schema(example = "019c1e2f-7c00-7000-8000-000000000000")]
    pub request_id: String,
    /// With 422: each field that is wrong.
    pub errors: Option<Vec<model::Violation>>,
}

macro_rules! problem_responses {
    ($($name:ident: $description:literal;)*) => {$(
        #[derive(Debug, ToResponse)]
        #[response(description = $description, content_type = "application/problem+json")]
        #[doc = $description]
        pub struct $name(pub ProblemBody);
    )*};
}

problem_responses! {
    Malformed: "The body is not JSON";
    NotFound: "There is no such item";
    TooSlow: "The body did not arrive in time";
    TooLarge: "The body is too large";
    UnsupportedType: "The body is not declared as JSON";
    Validation: "What was sent is not valid; `errors` lists each field";
    Unavailable: "The database is away, or too much is asked at once; try again after `Retry-After` seconds";
}
