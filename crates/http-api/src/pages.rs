//! The browser application: files that were built in, and its first page for every address that
//! only the application knows.
//!
//! Nothing is read from disk, and files come packed as they are sent. A content security policy
//! keeps the page to this origin; files with a hash in their name may be kept by the browser
//! forever, first pages never.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{error::plain, stream::accepts_gzip, unzip::unzip};

/// A file of the application.
#[derive(Debug, Clone)]
pub struct Asset {
    /// Its bytes, packed with gzip if `gzip` says so.
    pub bytes: Bytes,
    /// Whether the bytes are packed.
    pub gzip: bool,
    /// Its media type.
    pub media_type: &'static str,
    /// Whether its name changes with its content.
    pub immutable: bool,
}

/// A larger file of the application is not unpacked: it would be a mistake of the build.
const FILE_BYTES_MAX: usize = 16 << 20;

/// Finds a file by its path without the first slash.
pub type FindAsset = Arc<dyn Fn(&str) -> Option<Asset> + Send + Sync>;

/// The page may load from, and talk to, its own origin alone. Styles are set by scripts of the
/// page (widths, colours), which needs `unsafe-inline` for styles and for nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Serves the application wherever no other route does; `index` is the name of its first page.
pub fn pages_router(find: FindAsset) -> Router {
    Router::new().fallback(page).with_state(find)
}

async fn page(State(find): State<FindAsset>, request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    if belongs_to_an_api(path) {
        return plain(StatusCode::NOT_FOUND, "404 page not found");
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let asset = find(path).or_else(|| {
        // A missing file is missing; any other address is the application's own business.
        let file = path.starts_with("assets/") || path.rsplit('/').next()?.contains('.');
        (!file).then(|| first_page(&find, path)).flatten()
    });
    let Some(asset) = asset else { return StatusCode::NOT_FOUND.into_response() };
    let unpack = asset.gzip && !accepts_gzip(request.headers());
    // The rare client that takes no gzip: every browser does.
    let bytes = if unpack {
        match unzip(&asset.bytes, FILE_BYTES_MAX) {
            Ok(bytes) => bytes.into(),
            Err(error) => return error.into_response(),
        }
    } else {
        asset.bytes
    };
    let cache = if asset.immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(header::CONTENT_TYPE, asset.media_type);
    set(header::CACHE_CONTROL, cache);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(header::REFERRER_POLICY, "same-origin");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::VARY, "accept-encoding");
    if asset.gzip && !unpack {
        set(header::CONTENT_ENCODING, "gzip");
    }
    *response.body_mut() = Body::from(bytes);
    response
}

/// The page that names what a view needs, if the build has one for the first word of the address
/// (`web/vite.config.ts`); else the one that all views have in common.
fn first_page(find: &FindAsset, path: &str) -> Option<Asset> {
    let word = path.split('/').next().filter(|word| !word.is_empty());
    word.and_then(|word| find(&format!("{word}.html"))).or_else(|| find("index.html"))
}

/// Addresses that a client of an API asks for: a page in their place would hide a mistake.
fn belongs_to_an_api(path: &str) -> bool {
    ["api/", "loki/", "otlp/", "prometheus/", "-/"].iter().any(|api| path.starts_with(api))
}

#[cfg(test)]
mod tests;
