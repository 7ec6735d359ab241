//! `http_sd_configs`: targets that a server tells in JSON. An answer that is refused leaves what the
//! server said before.

use std::{future::Future, pin::Pin, time::Duration};

use http::{HeaderMap, HeaderValue, StatusCode, header};
use masthead_http_client::{Client, Request, Session};
use url::Url;

use super::{Discoverer, Parts, Updates};
use crate::{
    Configs, Error, HttpSdConfig, TargetGroup,
    group::{Entry, groups},
};

const LABEL: &str = "__meta_url";
/// An answer holds at most this; more is refused.
const BODY_BYTES_MAX: u64 = 64 << 20;
const USER_AGENT: &str = concat!("Masthead/", env!("CARGO_PKG_VERSION"));

#[derive(Debug)]
struct Server {
    config: HttpSdConfig,
    url: Url,
    session: Session,
}

pub(super) fn make(configs: &Configs, parts: &Parts) -> Result<Vec<Box<dyn Discoverer>>, Error> {
    configs
        .http_sd_configs
        .iter()
        .map(|config| {
            let client = Client::new(&config.client, parts.fs.clone())?;
            let url = Url::parse(&config.url)
                .map_err(|error| Error::Malformed { what: error.to_string() })?;
            let (config, session) = (config.clone(), client.session());
            Ok(Box::new(Server { config, url, session }) as Box<dyn Discoverer>)
        })
        .collect()
}

impl Discoverer for Server {
    fn mechanism(&self) -> &'static str {
        "http_sd_configs"
    }

    fn run(mut self: Box<Self>, updates: Updates) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            let interval = self.config.refresh_interval;
            loop {
                let asked = tokio::time::timeout(interval, self.ask()).await;
                match asked.unwrap_or(Err(Error::Timeout)) {
                    Ok(groups) => updates.replace(groups),
                    Err(error) => updates.failed(&error),
                }
                tokio::time::sleep(interval).await;
            }
        })
    }
}

impl Server {
    async fn ask(&mut self) -> Result<Vec<TargetGroup>, Error> {
        let headers = headers(self.config.refresh_interval);
        let request = Request { url: &self.url, headers: &headers, body_limit: BODY_BYTES_MAX };
        let response = self.session.get(request).await?;
        if response.status != StatusCode::OK {
            return Err(Error::Status { status: response.status_line() });
        }
        if !is_json(response.content_type()) {
            let content_type = response.content_type().trim().to_owned();
            return Err(Error::ContentType { content_type });
        }
        let url = self.config.url.clone();
        let parse = move || {
            let mut body = Vec::new();
            response.read_body(BODY_BYTES_MAX, &mut body)?;
            let entries: Vec<Option<Entry>> = serde_json::from_slice(&body)
                .map_err(|error| Error::Malformed { what: error.to_string() })?;
            groups(&url, LABEL, entries)
        };
        tokio::task::spawn_blocking(parse)
            .await
            .map_err(|error| Error::Malformed { what: error.to_string() })?
    }
}

fn headers(interval: Duration) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    if let Ok(seconds) = HeaderValue::from_str(&interval.as_secs_f64().to_string()) {
        headers.insert("x-prometheus-refresh-interval-seconds", seconds);
    }
    headers
}

/// `application/json`, with `charset=utf-8` or nothing after it.
fn is_json(content_type: &str) -> bool {
    let lower = content_type.trim().to_ascii_lowercase();
    let (kind, parameter) = lower.split_once(';').unwrap_or((&lower, ""));
    kind == "application/json"
        && matches!(parameter.trim(), "" | "charset=utf-8" | "charset=\"utf-8\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_json_in_utf8_is_taken() {
        let f = |content_type: &str, want: bool| assert_eq!(is_json(content_type), want);
        f("application/json", true);
        f("Application/JSON; charset=\"utf-8\"", true);
        f("application/json;charset=UTF-8", true);
        f("application/json; charset=latin1", false);
        f("text/plain", false);
        f("", false);
    }
}
