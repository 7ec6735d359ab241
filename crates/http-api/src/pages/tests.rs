//! Which file, which headers, and what is left alone.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::*;

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes()).expect("to memory");
    encoder.finish().expect("to memory")
}

fn router() -> Router {
    pages_router(Arc::new(|path| {
        let (text, media_type, immutable) = match path {
            "index.html" => ("<p>first</p>", "text/html", false),
            "explore.html" => ("<p>explore</p>", "text/html", false),
            "assets/app-1a2b.js" => ("run()", "text/javascript", true),
            _ => return None,
        };
        let bytes = if immutable { packed(text).into() } else { text.into() };
        Some(Asset { bytes, gzip: immutable, media_type, immutable })
    }))
}

async fn ask(method: Method, path: &str, gzip: bool) -> (Response, Bytes) {
    let mut request = Request::builder().method(method).uri(path);
    if gzip {
        request = request.header(header::ACCEPT_ENCODING, "gzip, br");
    }
    let request = request.body(Body::empty()).expect("a request");
    let mut response = router().oneshot(request).await.expect("answers");
    let body = std::mem::take(response.body_mut()).collect().await.expect("a body").to_bytes();
    (response, body)
}

fn header_of(response: &Response, name: HeaderName) -> &str {
    response.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
}

#[tokio::test]
async fn every_address_of_the_application_is_its_first_page() {
    for path in ["/", "/dashboards", "/d/api/api-overview?from=now-1h"] {
        let (response, body) = ask(Method::GET, path, false).await;
        assert_eq!((response.status(), &*body), (StatusCode::OK, &b"<p>first</p>"[..]), "{path}");
        assert_eq!(header_of(&response, header::CACHE_CONTROL), "no-cache");
        assert!(
            header_of(&response, header::CONTENT_SECURITY_POLICY).contains("default-src 'none'")
        );
        assert_eq!(header_of(&response, header::X_CONTENT_TYPE_OPTIONS), "nosniff");
    }
}

#[tokio::test]
async fn a_view_may_have_a_first_page_of_its_own() {
    for path in ["/explore", "/explore/logs?expr=x"] {
        let (response, body) = ask(Method::GET, path, false).await;
        assert_eq!((response.status(), &*body), (StatusCode::OK, &b"<p>explore</p>"[..]), "{path}");
        assert_eq!(header_of(&response, header::CACHE_CONTROL), "no-cache");
    }
    assert_eq!(ask(Method::GET, "/explored", false).await.1, "<p>first</p>".as_bytes());
}

#[tokio::test]
async fn a_file_with_a_hash_in_its_name_is_kept_and_compressed_when_wanted() {
    let (response, body) = ask(Method::GET, "/assets/app-1a2b.js", false).await;
    assert_eq!((header_of(&response, header::CONTENT_ENCODING), &*body), ("", &b"run()"[..]));
    assert!(header_of(&response, header::CACHE_CONTROL).contains("immutable"));
    let (response, body) = ask(Method::GET, "/assets/app-1a2b.js", true).await;
    assert_eq!(header_of(&response, header::CONTENT_ENCODING), "gzip");
    assert_eq!(body, packed("run()"));
}

#[tokio::test]
async fn what_is_missing_is_missing() {
    let paths = ["/assets/none.js", "/robots.txt", "/api/v1/nothing", "/loki/api/v1/none", "/-/x"];
    for path in paths {
        assert_eq!(ask(Method::GET, path, false).await.0.status(), StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(ask(Method::POST, "/dashboards", false).await.0.status(), StatusCode::NOT_FOUND);
    let (_, body) = ask(Method::POST, "/api/v1/nothing", false).await;
    assert_eq!(body, "404 page not found\n");
}
