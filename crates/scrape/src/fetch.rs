//! Getting a body: over HTTP, or from something in this process.

use std::{fmt::Debug, sync::Arc};

use http::{HeaderMap, HeaderValue, StatusCode, header};
use masthead_http_client::{Client, Request, Response, Session};
use masthead_wire::exposition::accept_header;
use url::Url;

use crate::{ScrapeConfig, target::Target};

const USER_AGENT: &str = concat!("Masthead/", env!("CARGO_PKG_VERSION"));

/// Something in this process that has metrics.
pub trait LocalSource: Send + Sync + Debug {
    /// Appends what a scrape would get. May block.
    fn expose(&self, out: &mut Vec<u8>) -> Exposition;
}

/// In which format a local source speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposition {
    /// The text format 0.0.4.
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Exposition {
    fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0",
        }
    }
}

/// How a target is asked.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one for each target, nearly all of the large kind")]
pub(crate) enum Fetch {
    Http { session: Session, url: Url, headers: HeaderMap },
    Local(Arc<dyn LocalSource>),
}

/// Why there is no body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) what: String,
    /// Whether the body was larger than its limit.
    pub(crate) too_large: bool,
}

impl Failure {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), too_large: false }
    }
}

impl From<masthead_http_client::Error> for Failure {
    fn from(error: masthead_http_client::Error) -> Self {
        let too_large = matches!(error, masthead_http_client::Error::BodyTooLarge { .. });
        Self { what: error.to_string(), too_large }
    }
}

/// What came, not yet decompressed or asked for.
#[derive(Debug)]
pub(crate) enum Fetched {
    Response(Response),
    Local(Arc<dyn LocalSource>),
}

impl Fetch {
    /// Prepares to ask `target`.
    pub(crate) fn http(client: &Client, target: &Target, config: &ScrapeConfig) -> Self {
        let mut headers = HeaderMap::new();
        let accept = accept_header(&config.scrape_protocols, config.metric_name_escaping_scheme);
        let timeout = target.timeout.as_secs_f64().to_string();
        let encoding = if config.enable_compression { "gzip" } else { "identity" };
        for (name, value) in [
            (header::ACCEPT.as_str(), accept.as_str()),
            (header::ACCEPT_ENCODING.as_str(), encoding),
            (header::USER_AGENT.as_str(), USER_AGENT),
            ("x-prometheus-scrape-timeout-seconds", &timeout),
        ] {
            if let (Ok(name), Ok(value)) =
                (header::HeaderName::try_from(name), HeaderValue::from_str(value))
            {
                headers.insert(name, value);
            }
        }
        Self::Http { session: client.session(), url: target.url.clone(), headers }
    }

    /// Asks. `limit` bounds the bytes on the wire.
    pub(crate) async fn get(&mut self, limit: u64) -> Result<Fetched, Failure> {
        match self {
            Self::Local(source) => Ok(Fetched::Local(Arc::clone(source))),
            Self::Http { session, url, headers } => {
                let request = Request { url, headers, body_limit: limit };
                let response = session.get(request).await?;
                if response.status != StatusCode::OK {
                    let status = response.status_line();
                    return Err(Failure::new(format!("server returned HTTP status {status}")));
                }
                Ok(Fetched::Response(response))
            }
        }
    }
}

impl Fetched {
    /// The body, decompressed into `into`, and its content type. Blocks.
    pub(crate) fn read(&self, limit: u64, into: &mut Vec<u8>) -> Result<String, Failure> {
        match self {
            Self::Response(response) => {
                response.read_body(limit, into)?;
                Ok(response.content_type().to_owned())
            }
            Self::Local(source) => {
                into.clear();
                let exposition = source.expose(into);
                if into.len() as u64 >= limit {
                    into.clear();
                    return Err(masthead_http_client::Error::BodyTooLarge { limit }.into());
                }
                Ok(exposition.content_type().to_owned())
            }
        }
    }
}
