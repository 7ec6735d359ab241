//! Headers that every answer has, so that a browser does with it what was meant and no more.
//!
//! What an answer has set itself stays: the pages of the application have a policy that lets them
//! load their scripts (`pages.rs`), all else may load nothing and be framed by nobody.

use axum::{
    Router,
    http::{HeaderName, HeaderValue, header},
    middleware::map_response,
    response::Response,
};

/// What is no page loads nothing.
const POLICY: &str =
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
/// For a year, browsers that came by TLS come by nothing else.
const ONLY_TLS: &str = "max-age=31536000";

/// Adds the headers to all answers of `router`; `tls` says whether browsers come by it.
pub fn hardened(router: Router, tls: bool) -> Router {
    router.layer(map_response(move |response: Response| async move { harden(response, tls) }))
}

fn harden(mut response: Response, tls: bool) -> Response {
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::REFERRER_POLICY, "same-origin");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()");
    if tls {
        set(header::STRICT_TRANSPORT_SECURITY, ONLY_TLS);
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::Request, routing::get};
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn every_answer_has_them_and_its_own_stay() {
        let own = [(header::CONTENT_SECURITY_POLICY, "default-src 'self'")];
        let router = Router::new().route("/own", get(async move || (own, "x")));
        let f = async |path: &str, tls: bool, policy: &str| {
            let request = Request::get(path).body(Body::empty()).unwrap();
            let response = hardened(router.clone(), tls).oneshot(request).await.unwrap();
            let headers = response.headers();
            assert_eq!(headers["content-security-policy"], policy);
            assert_eq!(headers["x-content-type-options"], "nosniff");
            assert_eq!(headers["x-frame-options"], "DENY");
            assert_eq!(headers["referrer-policy"], "same-origin");
            assert_eq!(headers.contains_key("strict-transport-security"), tls);
        };
        f("/own", false, "default-src 'self'").await;
        f("/none", true, POLICY).await;
    }
}
