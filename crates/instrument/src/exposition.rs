//! `GET /metrics`: everything that is counted, in the format that the scraper prefers.
//!
//! Our own families come first, ordered, then the service's registry. `accept.rs` chooses the
//! format, `families.rs` says what there is, `writer.rs` writes it, `text.rs` turns the registry's
//! OpenMetrics into text 0.0.4. A scrape never changes what it reads.

mod accept;
mod families;
mod text;
mod writer;

use std::io::Write;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::problem::Problem;
use crate::telemetry::Shared;
use writer::Writer;

/// An exposition format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// The Prometheus text format, version 0.0.4.
    Text,
    /// OpenMetrics 1.0.0: it has units and exemplars.
    OpenMetrics,
}

impl Format {
    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        })
    }
}

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new().route("/metrics", get(scrape)).with_state(shared)
}

async fn scrape(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let format = accept::format(&headers, &ACCEPT);
    let Some(page) = render(&shared, format) else {
        return Problem::new(StatusCode::INTERNAL_SERVER_ERROR)
            .detail("A registered metric could not be encoded.")
            .into_response();
    };
    let mut response_headers = HeaderMap::new();
    response_headers.insert(CONTENT_TYPE, format.content_type());
    response_headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    if accept::gzip(&headers, &ACCEPT_ENCODING)
        && let Some(compressed) = gzip(page.as_bytes())
    {
        response_headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        return (response_headers, compressed).into_response();
    }
    (response_headers, page).into_response()
}

/// The whole page in the text format; `None` as [`render`].
pub(crate) fn text_page(shared: &Shared) -> Option<String> {
    render(shared, Format::Text)
}

/// The whole page as OpenMetrics; `None` as [`render`].
pub(crate) fn openmetrics_page(shared: &Shared) -> Option<String> {
    render(shared, Format::OpenMetrics)
}

/// The whole page; `None` when a metric of the service refuses to be encoded.
fn render(shared: &Shared, format: Format) -> Option<String> {
    let mut writer = Writer::new(format);
    families::write(shared, &mut writer);
    let mut page = writer.finish();
    let mut registered = String::new();
    prometheus_client::encoding::text::encode_registry(&mut registered, &shared.registry.read())
        .ok()?;
    match format {
        Format::OpenMetrics => {
            page.push_str(&registered);
            page.push_str("# EOF\n");
        }
        Format::Text => text::from_openmetrics(&registered, &mut page),
    }
    Some(page)
}

/// Level 1: a page shrinks tenfold at any level, and a scrape should cost the service little.
fn gzip(page: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(page.len() / 8), Compression::fast());
    encoder.write_all(page).ok()?;
    encoder.finish().ok()
}
